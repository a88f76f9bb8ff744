//! One card, recomputed: hashes, facts, money, words, rank, and what people decided on.

use anyhow::Context;

use super::again::Again;
use super::words::Sources;
use super::{CardReport, Line, drilled, facts, money, muted, words, worked};
use crate::config::Config;
use crate::domain::action::{Action, Candidate};
use crate::domain::calendar::days_between;
use crate::domain::case::{Case, Rank};
use crate::domain::evidence::Bundle;
use crate::domain::ids::{RecommendationId, content_id};
use crate::domain::money::Money;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::domain::workings::Effect;
use crate::models::formulas;
use crate::pipeline::assess::is_dated;
use crate::pipeline::draft::RECOMMENDATIONS;
use crate::store::{Store, StoreError};

/// Recomputes every figure of a recommendation from the evidence that was frozen with it.
///
/// # Errors
/// When there is no such recommendation, or the store can not be read. What does not agree is no error but a line.
pub async fn verify(store: &Store, config: &Config, id: &RecommendationId) -> anyhow::Result<CardReport> {
    let (rec, _) = store
        .get_recommendation(id)
        .await
        .context("reading the card; `reeve queue list --json` and `reeve audit show CASE` name recommendations")?;
    let case = store.get_case(&rec.case_id).await.context("reading its case")?;
    let all = store.list_recommendations(&rec.case_id).await.context("reading the case's recommendations")?;
    let same: Vec<&Recommendation> =
        all.iter().map(|(other, _)| other).filter(|other| other.evidence_hash == rec.evidence_hash).collect();
    let mut lines = Vec::new();
    let bundle = match store.get_bundle(&rec.case_id, &rec.evidence_hash).await {
        Ok(bundle) => bundle,
        Err(StoreError::NotFound { .. }) => {
            lines.push(Line::same("evidence", &rec.evidence_hash, "not in the store", "the hash the card names"));
            return Ok(report(&rec, lines, Vec::new(), None));
        }
        Err(error) => return Err(error).context("reading the frozen evidence"),
    };
    lines.push(Line::same("evidence hash", short(&rec.evidence_hash), short(&bundle.hash()), "the facts, hashed again"));
    lines.extend(content(store, &rec).await?);
    let first = match &rec.drafter {
        Drafter::Edited { first, .. } => all.iter().map(|(other, _)| other).find(|other| other.id == *first),
        _ => None,
    };
    lines.extend(figures(&rec, &bundle, first));
    let names = store.list_names().await.context("reading names of records")?.into_values();
    let sources = Sources::of(&rec, &bundle, &same, names.chain([case.headline.clone()]));
    lines.extend(words::lines(&rec, &sources));
    let mut notes = checks(store, &rec).await?;
    if matches!(rec.candidate.action, Action::Mute { .. }) {
        notes.push("A proposal to mute is ordered by no money.".to_owned());
    } else if case.evidence_hash.as_deref() == Some(rec.evidence_hash.as_str()) {
        lines.extend(rank(&case, &rec, &bundle, &same, config));
    } else {
        notes.push("The case rests on newer evidence since: its place in the order is not this card's.".to_owned());
    }
    let drill = drilled::reveal(store, &rec, &mut lines).await?;
    Ok(report(&rec, lines, notes, drill))
}

/// What the frozen evidence alone says of a card's figures. `first` is the card that people's edits started from.
pub(super) fn figures(rec: &Recommendation, bundle: &Bundle, first: Option<&Recommendation>) -> Vec<Line> {
    let mut lines = vec![money::cites(rec, bundle)];
    if let Some(muted) = muted::lines(rec, bundle) {
        lines.extend(muted);
        return lines;
    }
    lines.extend(facts::lines(bundle));
    lines.extend(money::lines(rec, bundle, first));
    lines
}

fn report(rec: &Recommendation, lines: Vec<Line>, notes: Vec<String>, drill: Option<String>) -> CardReport {
    CardReport {
        recommendation: rec.id.to_string(),
        case: rec.case_id.to_string(),
        summary: rec.candidate.summary.clone(),
        lines,
        notes,
        drill,
    }
}

/// Which checks were made, and where they were made again. They look at the records of the moment: a result of then is no
/// figure that could be computed from frozen facts.
async fn checks(store: &Store, rec: &Recommendation) -> anyhow::Result<Vec<String>> {
    let named = |hard: bool, passed: bool| -> Vec<&str> {
        let of = rec.candidate.checks.iter().filter(|c| c.hard == hard && c.passed == passed);
        of.map(|c| c.name.as_str()).collect()
    };
    let mut notes = Vec::new();
    for (hard, passed, said) in [
        (true, true, "Hard checks that passed when it was drafted"),
        (true, false, "Hard checks that FAILED when it was drafted"),
        (false, true, "Soft checks that passed"),
        (false, false, "Soft checks that did not pass, shown as warnings"),
    ] {
        let names = named(hard, passed);
        if !names.is_empty() {
            notes.push(format!("{said}: {}.", names.join(", ")));
        }
    }
    let mut again = Vec::new();
    for entry in store.list_audit_of(&format!("recommendation:{}", rec.id)).await.context("reading the audit log")? {
        if matches!(entry.entry.action.as_str(), "recommendation.signed" | "recommendation.approved") {
            again.push(format!("{} (audit entry {})", entry.entry.actor, entry.seq));
        }
    }
    notes.push(if again.is_empty() {
        "The checks were judged again in the queue; nobody has signed or approved it so far.".to_owned()
    } else {
        format!("The checks were judged again on fresh records at the click of {}.", again.join(" and of "))
    });
    Ok(notes)
}

/// Enough of a hash to compare by eye where two differ.
fn short(hash: &str) -> String {
    if hash.len() == 64 { hash.to_owned() } else { format!("{hash} (no hash)") }
}

/// The hash of what was shown: as kept beside it, in its id, and in every decision and audit entry on it.
async fn content(store: &Store, rec: &Recommendation) -> anyhow::Result<Vec<Line>> {
    let hash = rec.content_hash();
    let kept = store.content_hash_of(&rec.id).await.context("reading the content hash kept with the card")?;
    let mut lines = vec![
        Line::same("content hash", kept, &hash, "action, money, words and evidence, hashed again"),
        Line::same("id", &rec.id, content_id("r-", &[&hash], 16), "the start of the content hash's hash"),
    ];
    for decision in store.list_decisions_on(&rec.id).await.context("reading decisions")? {
        let figure = format!("content of {}'s click to {}", decision.person, decision.verb);
        lines.push(Line::same(figure, decision.content_hash, &hash, "what was decided is what stands here"));
    }
    for entry in store.list_audit_of(&format!("recommendation:{}", rec.id)).await.context("reading the audit log")? {
        let entry_said = &entry.entry.content;
        if entry.entry.action.starts_with("recommendation.") && !entry_said.is_empty() {
            let figure = format!("content in audit entry {}", entry.seq);
            lines.push(Line::same(figure, entry_said, &hash, entry.entry.action.clone()));
        }
    }
    Ok(lines)
}

/// The case's place in the order, with the settings it was made with.
fn rank(case: &Case, rec: &Recommendation, bundle: &Bundle, same: &[&Recommendation], config: &Config) -> Vec<Line> {
    let Some(rank) = &case.rank else { return Vec::new() };
    let drafted: Vec<&Candidate> =
        same.iter().filter(|r| !matches!(r.drafter, Drafter::Edited { .. })).map(|r| &r.candidate).collect();
    let again = worked::of(bundle);
    let (lambda, digest_days, approval_days) = match again {
        Some(again) => {
            let set = &again.workings.settings;
            (set.lambda, set.digest_days, set.approval_days)
        }
        // Older evidence does not say them: those of today.
        None => (config.ranking.lambda, config.ranking.digest_days, config.ranking.approval_days),
    };
    let mut lines = vec![match again.and_then(|again| worked::best(again, rec.candidate.money.p, 0)) {
        Some(best) => {
            // Rounded once, at the end: never further off than half a minor unit.
            let near = (i128::from(rank.value.expected.minor) * 10_000 - best).abs() <= 5_000;
            let value = Money::from_minor(i64::try_from((best + 5_000).div_euclid(10_000)).unwrap_or(i64::MAX));
            let value = if near { rank.value.expected } else { value };
            Line::near("V", rank.value.expected, value, near, "the largest NB of all the case's actions, at least 0")
        }
        None => worth(rank, &drafted),
    }];
    let timed = again.and_then(|again| timed(again, rank, rec));
    if timed.is_none() {
        lines.extend(deadline(rank, &drafted));
    }
    lines.push(Line::same("at stake of the case", rank.at_stake, rec.candidate.money.loss_now.expected, "L₀"));
    // A rank is made anew each day on evidence that stands; the day it was made for must be a day since the evidence.
    let day = f64::from(days_between(config.calendar.calendar().day_of(bundle.as_of), rank.deadline))
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
    let (perishing, from) = if let Some(again) = again.filter(|_| timed.is_some() || dated) {
        let wait = (digest_days.round() as u32).max(1);
        let next = worked::best(again, rec.candidate.money.p, wait).map_or(0.0, |exact| exact as f64 / 1_000_000.0);
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
        let share = formulas::perishing_share(rank.slack_days, digest_days);
        // A deadline that is kept since an earlier day makes nothing perish: then it may be less.
        let kept = rank.hangs_on.is_some() && rank.perishing <= share;
        (if kept { rank.perishing } else { share }, "slack and days to the next digest (setting), at most")
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

/// V from the cards alone, where the evidence has no workings.
fn worth(rank: &Rank, drafted: &[&Candidate]) -> Line {
    let worth = drafted.iter().map(|c| c.money.benefit.expected).max().unwrap_or_default().max(Money::ZERO);
    if drafted.len() >= RECOMMENDATIONS && worth != rank.value.expected {
        return Line::not_frozen("V", rank.value.expected, "only the first actions of the case were kept");
    }
    Line::same("V", rank.value.expected, worth, "the largest NB of the case's actions, at least 0")
}

/// The last day of the best action. Cards of an earlier day on the same evidence say an earlier one.
fn deadline(rank: &Rank, drafted: &[&Candidate]) -> Option<Line> {
    let best = drafted.iter().filter(|c| c.money.benefit.expected == rank.value.expected);
    let days: Vec<_> = best.filter(|c| c.money.benefit.expected > Money::ZERO).map(|c| c.latest_date).collect();
    let last = *days.iter().max()?;
    let same = days.iter().find(|day| **day == rank.deadline).copied().unwrap_or(last);
    // What no document dates is not put off while nothing gets better.
    let kept = rank.hangs_on.is_some() && rank.deadline < last;
    let near = kept || same == rank.deadline;
    Some(Line::near("deadline", rank.deadline, same, near, "the last day of the best action, or an earlier one said before"))
}
