//! Plans: steps that are one thing to decide (handbook §5, combination rules). Two donors fill a place that neither could; several
//! places that lack goods of one order are served by one lorry of a lane, and by one order to a supplier; the supplier of what is
//! overdue is asked beside. A plan has one net benefit, and each missing unit is brought once.

use std::collections::{BTreeMap, BTreeSet};

use super::act::transfer;
use super::checks;
use super::frozen;
use super::gathered::{Gathered, Left, Proposal};
use super::rank;
use crate::place_key;
use reeve_domain::action::Action;
use reeve_domain::ids::LocationId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::workings::Change;

/// Steps of a plan at most: more are not read as one decision.
const STEPS: usize = 4;

/// Adds the best plan to what is proposed, if it is worth more than every single step by at least the cost of a question.
pub(super) fn join(gathered: &mut Gathered<'_>, p: f64, proposals: &mut Vec<Proposal>) {
    let worth = |gathered: &Gathered<'_>, of: &Proposal| rank::money_of(gathered, p, of, &of.after).benefit.expected;
    // Checks are dear: they are made of what could be a step, and only where there are two.
    if proposals.iter().filter(|of| is_step(of)).take(2).count() < 2 {
        return;
    }
    let pool: Vec<Proposal> = proposals.iter().filter(|of| is_step(of) && is_legal(gathered, of)).cloned().collect();
    let first = pool.iter().max_by(|a, b| (worth(gathered, a), &b.summary).cmp(&(worth(gathered, b), &a.summary)));
    // A plan grows from a step that pays by itself: two that both lose money are no answer together.
    let Some(first) = first.filter(|first| worth(gathered, first) > Money::ZERO).cloned() else { return };
    let least = gathered.scene.settings.costs.contact;
    let (mut best, mut steps) = (worth(gathered, &first), vec![first]);
    while steps.len() < STEPS {
        // Greedy, the best next step each time: all subsets would be
        // fifteen projections for each case and day (decision 117).
        let mut next: Vec<(Money, Vec<Proposal>, Proposal)> = Vec::new();
        for step in &pool {
            let Some(step) = beside(gathered, &steps, step) else { continue };
            let all: Vec<Proposal> = steps.iter().cloned().chain([step]).collect();
            let plan = together(gathered, &all);
            let value = worth(gathered, &plan);
            // A step that adds less than a question costs is not worth the reading.
            if value >= best + least {
                next.push((value, all, plan));
            }
        }
        next.sort_by(|a, b| (b.0, &a.2.summary, a.2.then.len()).cmp(&(a.0, &b.2.summary, b.2.then.len())));
        // Checks are made from the best down and stop at the first legal
        // plan, since each one is a projection of its own.
        let Some((value, all, _)) = next.into_iter().find(|(.., plan)| is_legal(gathered, plan)) else { break };
        (best, steps) = (value, all);
    }
    if steps.len() < 2 {
        return;
    }
    // What brings goods is read first; a question stands beside it.
    steps.sort_by_key(|step| matches!(step.action, Action::Contact { .. }));
    let plan = together(gathered, &steps);
    // A single step that does nearly as well is the simpler thing to decide.
    let nearly = |of: &Proposal| worth(gathered, of) + least > best && is_legal(gathered, of);
    if !proposals.iter().any(nearly) {
        proposals.push(plan);
    }
}

fn is_legal(gathered: &Gathered<'_>, proposal: &Proposal) -> bool {
    let checks = checks::of_steps(gathered.scene, &proposal.actions());
    proposal.latest > gathered.scene.book.today && checks.iter().all(|checks| checks::legal(checks))
}

/// Is it a step that may stand beside others: stock from elsewhere, an order, or a question about a shortage?
fn is_step(proposal: &Proposal) -> bool {
    let kind = matches!(proposal.action, Action::Transfer { .. } | Action::NewPo { .. } | Action::Contact { .. });
    kind && proposal.change.as_ref().is_some_and(Change::is_timed)
}

/// The places whose shortage a step works on.
fn places(gathered: &Gathered<'_>, proposal: &Proposal) -> BTreeSet<String> {
    let subjects = proposal.after.keys().filter_map(|key| place_key::subject_of(key));
    subjects.filter(|place| gathered.shorts.contains_key(*place)).map(str::to_owned).collect()
}

/// The step as it stands beside the others, with no more units than they leave missing; None where it can not.
fn beside(gathered: &mut Gathered<'_>, steps: &[Proposal], step: &Proposal) -> Option<Proposal> {
    let own = places(gathered, step);
    let asks = |of: &Proposal| matches!(of.action, Action::Contact { .. });
    if asks(step) {
        // One question, and one that is about every place of the plan: its answer helps nowhere else.
        let all = steps.iter().all(|other| !asks(other) && places(gathered, other).is_subset(&own));
        return all.then(|| step.clone());
    }
    if steps.iter().any(|other| asks(other) && !own.is_subset(&places(gathered, other))) {
        return None;
    }
    // From here on the step brings goods, and those are of one place.
    let place = own.first()?;
    let there: Vec<&Proposal> =
        steps.iter().filter(|other| !asks(other) && places(gathered, other).contains(place)).collect();
    if there.is_empty() {
        return Some(step.clone());
    }
    // A unit is brought once: what is missing beyond what others bring, and only from another shelf.
    let short = gathered.shorts.get(place)?.clone();
    let Action::Transfer { from, quantity, .. } = &step.action else { return None };
    let brings = |other: &&Proposal| match &other.action {
        Action::Transfer { from: donor, quantity, .. } if donor != from => Some(*quantity),
        _ => None,
    };
    let brought: Quantity = there.iter().map(brings).sum::<Option<Quantity>>()?;
    let day = step.change.as_ref()?.day_after(0)?;
    let missing = Quantity::floor_units(short.need(gathered.scene, day)) - brought;
    let moved = (*quantity).min(missing);
    let from: LocationId = from.clone();
    if moved < Quantity::units(1) {
        return None;
    }
    if moved == *quantity {
        return Some(step.clone());
    }
    transfer::besides(gathered, &short, &from, moved)
}

/// The steps as one plan: each place is projected with all of them, and what they share is paid for once.
fn together(gathered: &Gathered<'_>, steps: &[Proposal]) -> Proposal {
    let scene = gathered.scene;
    let costs = &scene.settings.costs;
    let (mut cost, mut regret, mut commits) = (Money::ZERO, Money::ZERO, Money::ZERO);
    let mut shared: BTreeSet<(&str, &str)> = BTreeSet::new();
    let mut changes = Vec::new();
    for step in steps {
        (cost, regret) = (cost + step.cost, regret + step.regret);
        let mut change = step.change.clone();
        match &step.action {
            // One lorry drives the lane: the second transfer on it pays for its units only, and so does its way back.
            Action::Transfer { from, to, .. } if !shared.insert((from.as_str(), to.as_str())) => {
                (cost, regret) = (cost - costs.transfer_fixed, regret - costs.transfer_fixed);
            }
            Action::NewPo { supplier, destination, quantity, price, .. } => {
                // Limits judge the plan by what all its orders commit, so that
                // splitting an order over places lowers no tier.
                commits += *quantity * *price;
                if !shared.insert((supplier.as_str(), destination.as_str())) {
                    cost = cost - costs.order_fixed;
                }
                if let Some(Change::Ordered { supplier: of, .. }) = &mut change {
                    *of = Some(supplier.to_string());
                }
            }
            _ => {}
        }
        changes.extend(change);
    }
    let change = Change::Together(changes);
    // Each step's own remainder was computed without the others. What is
    // projected is replaced by the projection with all of them.
    let mut after: BTreeMap<String, Left> = BTreeMap::new();
    for (key, left) in steps.iter().flat_map(|step| &step.after) {
        after.entry(key.clone()).or_insert(*left);
    }
    let all: BTreeSet<String> = steps.iter().flat_map(|step| places(gathered, step)).collect();
    for short in all.iter().filter_map(|place| gathered.shorts.get(place)) {
        debug_assert!(all.contains(&frozen::name(&short.place)));
        for (key, left) in short.after(scene, &change) {
            // A part that a step changes only by a share is as that share leaves it.
            if matches!(after.get(&key), Some(Left::Amount(_))) {
                after.insert(key, left);
            }
        }
    }
    let mut cites = Vec::new();
    for cite in steps.iter().flat_map(|step| &step.cites) {
        if !cites.contains(cite) {
            cites.push(cite.clone());
        }
    }
    let then = steps.iter().skip(1).map(|step| (step.action.clone(), step.summary.clone())).collect();
    // A plan is decided as one, so the step that can wait least sets the day.
    let latest = steps.iter().map(|step| step.latest).min().unwrap_or(scene.book.today);
    let first = &steps[0];
    Proposal {
        action: first.action.clone(),
        summary: first.summary.clone(),
        then,
        after,
        cost,
        regret,
        value: commits.max(cost),
        latest,
        cites,
        change: Some(change),
    }
}
