//! From proposals to candidates, and from candidates to the case's place in the order (handbook §6, §7).

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use crate::place_key;
use crate::scene::Scene;
use reeve_domain::action::{Action, Candidate, Direction, MoneySum, Range, Step};
use reeve_domain::calendar::{days_between, plus_days, plus_working_days};
use reeve_domain::case::{HangsOn, Lane, Rank};
use reeve_domain::ids::FactId;
use reeve_domain::money::{Money, Quantity};
use reeve_models::formulas;

use super::checks;
use super::frozen;
use super::gathered::{Gathered, Left, Proposal, plus};
use super::projection::in_days;
use super::shortage::Short;

/// Below this probability nothing is suggested (handbook §7).
const LEAST_P: f64 = 0.30;
/// Share of its value that an action must keep while its decision waits.
const KEPT: f64 = 0.9;
/// Opposite actions this close in worth are a call for a person.
const CLOSE: f64 = 0.05;
/// Working days before its due date in which a disputed bill jumps the queue.
const BILL_LANE_DAYS: u32 = 3;

/// L₀: the sum over parts, each of which is counted once.
pub(super) fn loss_now(gathered: &Gathered<'_>) -> Range {
    gathered.parts.values().fold(Range::default(), |sum, part| plus(sum, part.amount))
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
        // It helps both losses only while it helps the one that can wait less.
        same.latest = same.latest.min(proposal.latest);
        same.change = same.change.take().or(proposal.change);
        same.cites.extend(proposal.cites);
    }
    merged
}

/// Prices one proposal, checks it, and lets it through if no hard check fails.
pub(super) fn candidate(gathered: &Gathered<'_>, p: f64, p_cite: &FactId, proposal: Proposal) -> Option<Candidate> {
    let mut checked = checks::of_steps(gathered.scene, &proposal.actions()).into_iter();
    let checks = checked.next()?;
    let then: Vec<Step> = proposal
        .then
        .iter()
        .zip(checked)
        .map(|((action, summary), checks)| Step { action: action.clone(), summary: summary.clone(), checks })
        .collect();
    let legal = checks::legal(&checks) && then.iter().all(|step| checks::legal(&step.checks));
    // What had to be done by today can not be done tomorrow morning.
    if !legal || proposal.latest <= gathered.scene.book.today {
        return None;
    }
    let money = money_of(gathered, p, &proposal, &proposal.after);
    let mut seen = BTreeSet::new();
    // L₀ stands in every candidate's sum, so the facts behind it are cited by each.
    let loss_cites = gathered.parts.values().flat_map(|part| part.cites.iter().cloned());
    let cites = std::iter::once(p_cite.clone())
        .chain(proposal.cites)
        .chain(loss_cites)
        .filter(|cite| gathered.facts.contains_key(cite) && seen.insert(cite.clone()))
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
        then,
    })
}

/// What waiting does to an action.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Age {
    actions: Vec<Action>,
    /// What it is worth if it is decided at the next digest.
    pub next: Money,
    /// Days for which its decision can wait: of what works on a shortage. Other actions say the last day themselves.
    pub keeps: Option<u32>,
    /// Is it too late for it at the next digest? Of other actions.
    pub ends: bool,
    /// The shortage that it works on, where there is one.
    place: Option<String>,
}

/// The age of a candidate.
pub(super) fn age_of<'a>(ages: &'a [Age], candidate: &Candidate) -> Option<&'a Age> {
    ages.iter().find(|age| age.actions.iter().eq(candidate.actions()))
}

/// Whole days until the next digest.
fn next_digest(scene: &Scene<'_>) -> u32 {
    (scene.settings.ranking.digest_days.round() as u32).max(1)
}

/// What waiting does to each proposal: a shortage is projected again with the decision a day later, and another; everything else
/// is worth the same until its last day.
pub(super) fn ages(gathered: &Gathered<'_>, p: f64, proposals: &[Proposal]) -> Vec<Age> {
    proposals.iter().map(|proposal| age(gathered, p, proposal)).collect()
}

fn age(gathered: &Gathered<'_>, p: f64, proposal: &Proposal) -> Age {
    let (scene, actions) = (gathered.scene, proposal.actions());
    let wait = next_digest(scene);
    // Only the losses of a shortage grow by the day, and only for a change whose effect has a day.
    let places: BTreeSet<&str> = proposal.after.keys().filter_map(|key| place_key::subject_of(key)).collect();
    let shorts: Vec<&Short> = places.iter().filter_map(|place| gathered.shorts.get(*place)).collect();
    let Some(change) = proposal.change.as_ref().filter(|change| change.is_timed() && !shorts.is_empty()) else {
        // Until its last day everything else is worth the same, and afterwards nothing.
        let ends = days_between(scene.book.today, proposal.latest) <= wait as i32;
        let now = money_of(gathered, p, proposal, &proposal.after).benefit.expected;
        return Age { actions, next: if ends { Money::ZERO } else { now }, keeps: None, ends, place: None };
    };
    // What a donor loses by it does not hang on the day, and is dear to compute: once for all days.
    let risks: Vec<Money> = shorts.iter().map(|short| short.donor_risk(scene, change)).collect();
    let decided = |wait: u32| {
        let mut after = proposal.after.clone();
        for (short, risk) in shorts.iter().zip(&risks) {
            for (key, left) in short.by_key(short.left(scene, change, wait, *risk)) {
                // What it does not change, or only by a share, is as it was.
                if matches!(proposal.after.get(&key), Some(Left::Amount(_))) {
                    after.insert(key, left);
                }
            }
        }
        money_of(gathered, p, proposal, &after).benefit.expected
    };
    // Worth by day of the decision, as far as the losses are counted: from it follow how long it can wait and what a day costs.
    let horizon = shorts.iter().map(|short| short.until()).max().unwrap_or(wait).max(wait);
    let values: Vec<f64> = (0..=horizon).map(|wait| decided(wait).to_f64()).collect();
    let lead = change.day_after(0).unwrap_or(0);
    // The most urgent of its places decides.
    let most_urgent = shorts.iter().map(|short| (short.days_to_decide(scene, lead), *short)).min_by_key(|(days, _)| *days);
    let keeps = most_urgent.as_ref().map(|(days, _)| formulas::keeps_value(&values, KEPT).min(*days));
    let place = most_urgent.map(|(_, short)| frozen::name(&short.place));
    Age { actions, next: decided(wait), keeps, ends: false, place }
}

/// The money of a proposal that leaves `after` of the losses.
pub(super) fn money_of(gathered: &Gathered<'_>, p: f64, proposal: &Proposal, after: &BTreeMap<String, Left>) -> MoneySum {
    let left = gathered.parts.iter().fold(Range::default(), |sum, (key, part)| {
        plus(sum, after.get(key).map_or(part.amount, |left| left.of(part.amount)))
    });
    MoneySum::new(p, loss_now(gathered), left, proposal.cost, proposal.regret)
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

/// The day until which watching is safe: the day before the best action has to be decided. None when that is too soon.
pub(super) fn watch_until(gathered: &Gathered<'_>, candidates: &[Candidate], ages: &[Age]) -> Option<Date> {
    let today = gathered.scene.book.today;
    // Where nothing pays, watching is safe for a week.
    let days = best(candidates).map_or(7, |best| {
        let last = days_between(today, best.latest_date);
        age_of(ages, best).and_then(|age| age.keeps).map_or(last, |keeps| last.min(in_days(keeps))) - 1
    });
    (days > 0).then(|| gathered.today_plus(days.min(7)))
}

/// The ranking figures of the case.
pub(super) fn rank(scene: &Scene<'_>, p: f64, at_stake: Money, candidates: &[Candidate], ages: &[Age]) -> Rank {
    let ranking = &scene.settings.ranking;
    let today = scene.book.today;
    let best = best(candidates);
    let age = best.and_then(|best| age_of(ages, best));
    let keeps = age.and_then(|age| age.keeps);
    // The case is worth what its best action is worth, and is due when that is. Without one there is nothing to be late for.
    let (value, due) = match best {
        Some(c) => (c.money.benefit, keeps.map_or(c.latest_date, |days| plus_days(today, in_days(days)))),
        None => (Range::default(), candidates.iter().map(|c| c.latest_date).max().unwrap_or(today)),
    };
    let hangs_on = hangs_on(scene, best, age);
    let deadline = held(scene, due, hangs_on.as_ref());
    let slack_days = f64::from(days_between(today, deadline)) - ranking.approval_days;
    // Where the days of the loss are known, a day's wait is computed; elsewhere the slack has to stand for it.
    let exact = best.is_some_and(|best| keeps.is_some() || is_dated(&best.action));
    // Waiting may leave another action the best one: what counts is the best of the next digest.
    let next = candidates.iter().filter_map(|c| Some(age_of(ages, c)?.next)).max().unwrap_or_default();
    let next = next.clamp(Money::ZERO, value.expected.max(Money::ZERO));
    let (perishing, wait_cost) = if exact {
        (formulas::perished_share(value.expected.to_f64(), next.to_f64()), value.expected - next)
    } else {
        // A deadline that is kept so that it does not run away makes nothing perish.
        let slack = f64::from(days_between(today, due)) - ranking.approval_days;
        (formulas::perishing_share(slack, ranking.digest_days), Money::ZERO)
    };
    let priority = Money::from_f64(formulas::priority(value.expected.to_f64(), ranking.lambda, perishing));
    let lane = lane(scene, candidates);
    Rank { lane, p, value, at_stake, deadline, slack_days, perishing, priority, wait_cost, hangs_on, unknown: false }
}

/// Is what it is worth fixed until a day that is written down (a bill is due, a claim window ends)?
pub(crate) fn is_dated(action: &Action) -> bool {
    action.entry().dated
}

/// What the deadline hangs on. A day that is written down hangs on nothing: it moves only when it is written anew.
fn hangs_on(scene: &Scene<'_>, best: Option<&Candidate>, age: Option<&Age>) -> Option<HangsOn> {
    let best = best.filter(|best| !is_dated(&best.action))?;
    let Some(place) = age.and_then(|age| age.place.as_ref()) else {
        let (available, position) = (Quantity::ZERO, Quantity::ZERO);
        return Some(HangsOn { what: best.action.code().to_owned(), available, position });
    };
    let (item, location) = place_key::ids(place)?;
    let available = scene.book.available(&item, &location);
    let on_order: Quantity = scene.book.incoming(&item, &location).iter().map(|i| i.qty).sum();
    Some(HangsOn { what: place.clone(), available, position: available + on_order })
}

/// The deadline, never later than it was said before while what it hangs on is no better: a day without news is a day less.
/// It is never before today.
fn held(scene: &Scene<'_>, due: Date, hangs_on: Option<&HangsOn>) -> Date {
    let before = scene.case.rank.as_ref().and_then(|rank| Some((rank.deadline, rank.hangs_on.as_ref()?)));
    match (before, hangs_on) {
        (Some((earlier, was)), Some(now)) if now.is_no_better_than(was) => due.min(earlier).max(scene.book.today),
        _ => due.max(scene.book.today),
    }
}

/// A disputed unpaid bill that is due soon goes first, then the items the configuration names.
fn lane(scene: &Scene<'_>, candidates: &[Candidate]) -> Lane {
    let soon = plus_working_days(scene.book.today, BILL_LANE_DAYS);
    let due = |bill: &str| {
        super::matching::lines_of_bill(scene.book, bill)
            .iter()
            .any(|l| scene.book.is_unpaid(l) && l.due_on.is_some_and(|d| d <= soon))
    };
    if candidates.iter().any(|c| matches!(&c.action, Action::BlockBill { bill, .. } if due(bill))) {
        return Lane::BillDue;
    }
    let keys = &scene.settings.ranking.key_items;
    let items = scene.exceptions.iter().filter_map(|e| e.signal.subject.item.as_ref());
    if items.filter_map(|i| scene.book.items.get(i)).any(|i| keys.contains(&i.sku)) { Lane::KeyItem } else { Lane::Ordinary }
}

/// Why nothing should be suggested (handbook §7), the first reason that holds.
pub(super) fn abstention(gathered: &Gathered<'_>, p: f64, candidates: &[Candidate]) -> Option<String> {
    if let Some(missing) = gathered.missing.first() {
        return Some(format!("{} is missing; it blocks {}", missing.what, missing.blocks));
    }
    if p < LEAST_P {
        return Some(format!("the probability that this is real is {p:.2}, below {LEAST_P:.2}"));
    }
    // Whoever writes a note to us must not be able to make us act by it alone.
    let from_outside: Vec<bool> =
        gathered.scene.exceptions.iter().flat_map(|e| &e.signal.facts).map(|f| f.third_party).collect();
    if !from_outside.is_empty() && from_outside.iter().all(|t| *t) {
        return Some("the only evidence is text that somebody outside wrote".into());
    }
    opposite(candidates)
}

/// Two good actions within five percent that go opposite ways.
fn opposite(candidates: &[Candidate]) -> Option<String> {
    let top =
        |way: Direction| candidates.iter().find(|c| c.action.direction() == way && c.money.benefit.expected > Money::ZERO);
    // Buying more and cancelling are answers to contrary forecasts.
    // Nearly the same worth says that the figures do not decide.
    let (more, less) = (top(Direction::More)?, top(Direction::Less)?);
    let (a, b) = (more.money.benefit.expected.to_f64(), less.money.benefit.expected.to_f64());
    ((a - b).abs() <= CLOSE * a.max(b))
        .then(|| format!("{} and {} go opposite ways and are worth nearly the same", more.action.code(), less.action.code()))
}
