//! From proposals to candidates, and from candidates to the case's place in the order (handbook §6, §7).

use std::collections::BTreeSet;

use jiff::civil::Date;

use crate::domain::action::{Action, Candidate, Direction, MoneySum, Range};
use crate::domain::calendar::{days_between, plus_working_days};
use crate::domain::case::{Lane, Rank};
use crate::domain::ids::FactId;
use crate::domain::money::Money;
use crate::models::formulas;
use crate::pipeline::view::CaseView;

use super::checks;
use super::desk::{Desk, Left, Proposal, plus};

/// Below this probability nothing is suggested (handbook §7).
const LEAST_P: f64 = 0.30;
/// Opposite actions this close in worth are a call for a person.
const CLOSE: f64 = 0.05;
/// Working days before its due date in which a disputed bill jumps the queue.
const BILL_LANE_DAYS: u32 = 3;

/// L₀: the sum over parts, each of which is counted once.
pub(super) fn loss_now(desk: &Desk<'_>) -> Range {
    desk.parts.values().fold(Range::default(), |sum, part| plus(sum, part.amount))
}

/// Same action proposed from two sides: one proposal, with what both save.
pub(super) fn merged(proposals: Vec<Proposal>) -> Vec<Proposal> {
    let mut merged: Vec<Proposal> = Vec::new();
    for proposal in proposals {
        let Some(same) = merged.iter_mut().find(|p| p.action == proposal.action) else {
            merged.push(proposal);
            continue;
        };
        for (key, left) in proposal.after {
            // Of two shares the larger remains: the weaker effect is promised.
            let weaker = match (same.after.get(&key), left) {
                (Some(Left::Share(a)), Left::Share(b)) => Left::Share(a.max(b)),
                (Some(kept), _) => *kept,
                (None, left) => left,
            };
            same.after.insert(key, weaker);
        }
        same.latest = same.latest.min(proposal.latest);
        same.change = same.change.take().or(proposal.change);
        same.cites.extend(proposal.cites);
    }
    merged
}

/// Prices one proposal, checks it, and lets it through if no hard check fails.
pub(super) fn candidate(desk: &Desk<'_>, p: f64, p_cite: &FactId, proposal: Proposal) -> Option<Candidate> {
    let checks = checks::of(desk.view, &proposal.action);
    // What had to be done by today can not be done tomorrow morning.
    if !checks::legal(&checks) || proposal.latest <= desk.view.book.today {
        return None;
    }
    let after = desk.parts.iter().fold(Range::default(), |sum, (key, part)| {
        plus(sum, proposal.after.get(key).map_or(part.amount, |left| left.of(part.amount)))
    });
    let money = MoneySum::new(p, loss_now(desk), after, proposal.cost, proposal.regret);
    let mut seen = BTreeSet::new();
    let loss_cites = desk.parts.values().flat_map(|part| part.cites.iter().cloned());
    let cites = std::iter::once(p_cite.clone())
        .chain(proposal.cites)
        .chain(loss_cites)
        .filter(|cite| desk.facts.contains_key(cite) && seen.insert(cite.clone()))
        .collect();
    Some(Candidate {
        id: String::new(),
        action: proposal.action,
        summary: proposal.summary,
        money,
        value: proposal.value,
        latest_date: proposal.latest,
        checks,
        cites,
    })
}

/// Puts candidates in order of expected benefit and names them.
pub(super) fn order(candidates: &mut [Candidate]) {
    candidates.sort_by(|a, b| {
        (b.money.benefit.expected, a.action.code(), &a.summary).cmp(&(a.money.benefit.expected, b.action.code(), &b.summary))
    });
    for (i, candidate) in candidates.iter_mut().enumerate() {
        candidate.id = format!("A{}", i + 1);
    }
}

/// The best action: first in order if it is worth more than nothing.
fn best(candidates: &[Candidate]) -> Option<&Candidate> {
    candidates.first().filter(|c| c.money.benefit.expected > Money::ZERO)
}

/// The day until which watching is safe: the day before the best action stops to help. None when that is too soon.
pub(super) fn watch_until(desk: &Desk<'_>, candidates: &[Candidate]) -> Option<Date> {
    let today = desk.view.book.today;
    let until = best(candidates)
        .map_or_else(|| desk.today_plus(7), |c| desk.today_plus((days_between(today, c.latest_date) - 1).min(7)));
    (until > today).then_some(until)
}

/// The ranking figures of the case.
pub(super) fn rank(view: &CaseView<'_>, p: f64, at_stake: Money, candidates: &[Candidate]) -> Rank {
    let ranking = &view.config.ranking;
    let today = view.book.today;
    let (value, deadline) = match best(candidates) {
        Some(c) => (c.money.benefit, c.latest_date),
        None => (Range::default(), candidates.iter().map(|c| c.latest_date).max().unwrap_or(today)),
    };
    let slack_days = f64::from(days_between(today, deadline)) - ranking.approval_days;
    let perishing = formulas::perishing_share(slack_days, ranking.digest_days);
    let priority = Money::from_f64(formulas::priority(value.expected.to_f64(), ranking.lambda, perishing));
    Rank { lane: lane(view, candidates), p, value, at_stake, deadline, slack_days, perishing, priority }
}

/// A disputed unpaid bill that is due soon goes first, then the items the configuration names.
fn lane(view: &CaseView<'_>, candidates: &[Candidate]) -> Lane {
    let soon = plus_working_days(view.book.today, BILL_LANE_DAYS);
    let due = |bill: &str| {
        super::matching::lines_of_bill(view.book, bill)
            .iter()
            .any(|l| view.book.is_unpaid(l) && l.due_on.is_some_and(|d| d <= soon))
    };
    if candidates.iter().any(|c| matches!(&c.action, Action::BlockBill { bill, .. } if due(bill))) {
        return Lane::BillDue;
    }
    let keys = &view.config.ranking.key_items;
    let items = view.exceptions.iter().filter_map(|e| e.signal.subject.item.as_ref());
    if items.filter_map(|i| view.book.items.get(i)).any(|i| keys.contains(&i.sku)) { Lane::KeyItem } else { Lane::Ordinary }
}

/// Why nothing should be suggested (handbook §7), the first reason that holds.
pub(super) fn abstention(desk: &Desk<'_>, p: f64, candidates: &[Candidate]) -> Option<String> {
    if let Some(missing) = desk.missing.first() {
        return Some(format!("{} is missing; it blocks {}", missing.what, missing.blocks));
    }
    if p < LEAST_P {
        return Some(format!("the probability that this is real is {p:.2}, below {LEAST_P:.2}"));
    }
    let told: Vec<bool> = desk.view.exceptions.iter().flat_map(|e| &e.signal.facts).map(|f| f.third_party).collect();
    if !told.is_empty() && told.iter().all(|t| *t) {
        return Some("the only evidence is text that somebody outside wrote".into());
    }
    opposite(candidates)
}

/// Two good actions within five percent that go opposite ways.
fn opposite(candidates: &[Candidate]) -> Option<String> {
    let top =
        |way: Direction| candidates.iter().find(|c| c.action.direction() == way && c.money.benefit.expected > Money::ZERO);
    let (more, less) = (top(Direction::More)?, top(Direction::Less)?);
    let (a, b) = (more.money.benefit.expected.to_f64(), less.money.benefit.expected.to_f64());
    ((a - b).abs() <= CLOSE * a.max(b))
        .then(|| format!("{} and {} go opposite ways and are worth nearly the same", more.action.code(), less.action.code()))
}
