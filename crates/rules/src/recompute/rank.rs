//! A case's place in the order, a second time: what it is worth, until when, and what a day's wait costs.

use super::again::Again;
use super::{Line, worked};
use crate::assess::is_dated;
use crate::settings::Settings;
use reeve_domain::action::Candidate;
use reeve_domain::calendar::days_between;
use reeve_domain::case::{Case, Rank};
use reeve_domain::evidence::Bundle;
use reeve_domain::money::Money;
use reeve_domain::recommendation::{Drafter, Recommendation};
use reeve_domain::workings::Effect;
use reeve_models::formulas;

/// The case's place in the order, with the settings it was made with.
pub fn lines(
    case: &Case,
    rec: &Recommendation,
    bundle: &Bundle,
    same: &[&Recommendation],
    settings: &Settings,
) -> Vec<Line> {
    let Some(rank) = &case.rank else { return Vec::new() };
    let Some(again) = worked::of(bundle) else {
        return vec![Line::not_frozen("V", rank.value.expected, "the evidence has no workings")];
    };
    let drafted: Vec<&Candidate> =
        same.iter().filter(|r| !matches!(r.drafter, Drafter::Edited { .. })).map(|r| &r.candidate).collect();
    let set = &again.workings.settings;
    let (lambda, digest_days, approval_days) = (set.lambda, set.digest_days, set.approval_days);
    let p = rec.candidate.money.p;
    let mut lines = vec![match worked::best(again, p, 0) {
        Some(best) => {
            // Rounded once, at the end: never further off than half a minor unit.
            let near = (i128::from(rank.value.expected.minor) * 10_000 - best).abs() <= 5_000;
            let value = Money::from_minor(i64::try_from((best + 5_000).div_euclid(10_000)).unwrap_or(i64::MAX));
            let value = if near { rank.value.expected } else { value };
            Line::near("V", rank.value.expected, value, near, "the largest NB of all the case's actions, at least 0")
        }
        None => Line::not_frozen("V", rank.value.expected, "the workings lack a part of an action's worth"),
    }];
    let timed = timed(again, rank, rec);
    // What works on a shortage has a deadline by its projection, everything else by a day that its action says.
    if timed.is_none() {
        lines.extend(deadline(rank, &drafted));
    }
    lines.push(Line::same("at stake of the case", rank.at_stake, rec.candidate.money.loss_now.expected, "L₀"));
    // A rank is made anew each day on evidence that stands; the day it was made for must be a day since the evidence.
    let day = f64::from(days_between(settings.calendar.calendar().day_of(bundle.as_of), rank.deadline))
        - rank.slack_days
        - approval_days;
    let whole = (day - day.round()).abs() < 1e-9 && day > -1e-9;
    let from = "deadline − a day since the evidence − usual days to approve (setting)";
    let slack = if whole { rank.slack_days } else { rank.slack_days + day };
    lines.push(Line::near("slack in days", rank.slack_days, slack, whole, from));
    if let Some(keeps) = timed {
        let most = f64::from(keeps) - approval_days;
        // While nothing gets better a deadline is not said later than before.
        let near = rank.slack_days <= most + 1e-9 && rank.slack_days > -approval_days - 1e-9;
        let from = "run-out − the action's lead while nine tenths are kept, never later than said before";
        lines.push(Line::near("slack, at most", rank.slack_days, most, near, from));
    }
    let dated =
        same.iter().any(|r| r.candidate.money.benefit.expected == rank.value.expected && is_dated(&r.candidate.action));
    let (perishing, from) = if timed.is_some() || dated {
        let wait = (digest_days.round() as u32).max(1);
        // Where the loss grows by days that are known, a day's wait is what the case is worth less at the next digest.
        let next = worked::best(again, p, wait).map_or(0.0, |exact| exact as f64 / 1_000_000.0);
        let next = Money::from_f64(next).min(rank.value.expected);
        lines.push(Line::near(
            "one day's wait",
            rank.wait_cost,
            rank.value.expected - next,
            (rank.value.expected - next - rank.wait_cost).abs().minor <= 1,
            "V − V decided at the next digest",
        ));
        let value = rank.value.expected.to_f64();
        (formulas::perished_share(value, value - rank.wait_cost.to_f64()), "1 − V decided at the next digest ÷ V")
    } else {
        // Nothing dates it: the shorter the slack beside the days between digests, the more is lost by waiting.
        let share = formulas::perishing_share(rank.slack_days, digest_days);
        // A deadline that is kept since an earlier day makes nothing perish: then it may be less.
        let not_put_off = rank.hangs_on.is_some() && rank.perishing <= share;
        (if not_put_off { rank.perishing } else { share }, "slack and days to the next digest (setting), at most")
    };
    let near = (perishing - rank.perishing).abs() < 1e-9;
    let share = |u: f64| format!("{u:.4}");
    lines.push(Line::near("u", share(rank.perishing), share(perishing), near, from));
    let priority = Money::from_f64(formulas::priority(rank.value.expected.to_f64(), lambda, perishing));
    lines.push(Line::same("priority", rank.priority, priority, "V·(λ + (1 − λ)·u), λ a setting"));
    lines
}

/// Days for which the decision on the case's best action can wait, where that works on a shortage.
fn timed(again: Again<'_>, rank: &Rank, rec: &Recommendation) -> Option<u32> {
    let p = rec.candidate.money.p;
    let is_best = |effect: &&Effect| {
        let worth = again.worth_after(p, effect, 0);
        worth.is_some_and(|exact| (i128::from(rank.value.expected.minor) * 10_000 - exact).abs() <= 5_000)
    };
    let best = again.workings.options.values().filter(is_best).find_map(|effect| again.keeps(p, effect));
    best.filter(|_| rank.value.expected > Money::ZERO)
}

/// The last day of the best action. Cards of an earlier day on the same evidence say an earlier one.
fn deadline(rank: &Rank, drafted: &[&Candidate]) -> Option<Line> {
    let best = drafted.iter().filter(|c| c.money.benefit.expected == rank.value.expected);
    let days: Vec<_> = best.filter(|c| c.money.benefit.expected > Money::ZERO).map(|c| c.latest_date).collect();
    let last = *days.iter().max()?;
    let same = days.iter().find(|day| **day == rank.deadline).copied().unwrap_or(last);
    // What no document dates is not put off while nothing gets better.
    let not_put_off = rank.hangs_on.is_some() && rank.deadline < last;
    let near = not_put_off || same == rank.deadline;
    Some(Line::near("deadline", rank.deadline, same, near, "the last day of the best action, or an earlier one said before"))
}
