//! What the figures of a case were computed from, put down so that they can be computed again by somebody else
//! (`reeve_domain::workings`). It only puts down: nothing here computes a figure.

use std::fmt::Write as _;

use super::gathered::{Gathered, Left, Proposal};
use super::projection::Projection;
use super::rank::{self, Age};
use crate::place_key;
use crate::scene::Scene;
use reeve_domain::action::{Action, Candidate};
use reeve_domain::book::Place;
use reeve_domain::evidence::FactValue;
use reeve_domain::habit::Habit;
use reeve_domain::ids::content_id;
use reeve_domain::money::Money;
use reeve_domain::workings::{Effect, Forecast, Made, Part, Receipt, Settings, Workings};

/// A place as workings name it.
pub(super) fn name(place: &Place) -> String {
    place_key::of(&place.0, &place.1)
}

/// What a habit is called among the workings.
pub(super) fn habit_key(habit: &Habit) -> String {
    format!("{}/{}", habit.line, habit.kind)
}

/// The receipts of a projection.
pub(super) fn receipts(projection: &Projection) -> Vec<Receipt> {
    let arrivals = projection.arrivals.iter();
    arrivals.map(|a| Receipt { line: a.po_line.clone(), day: a.day, quantity: a.qty, sd: a.sd }).collect()
}

/// Keeps the forecast of a place for as many days as its figures look ahead.
pub(super) fn forecast(gathered: &mut Gathered<'_>, place: &Place, days: u32) {
    let course: Vec<_> = gathered.scene.outlook.course(place).take(days as usize).collect();
    let frozen = gathered.workings.forecasts.entry(name(place)).or_default();
    // Several figures look ahead by different spans: the longest holds the others.
    if frozen.course.len() < course.len() {
        *frozen = Forecast::of(course.iter().map(|day| (day.mean, day.sigma)));
    }
}

/// What each proposal changes. What it does to stock and receipts is taken out of it.
pub(super) fn effects(gathered: &Gathered<'_>, proposals: &mut [Proposal]) -> Vec<(Vec<Action>, Effect)> {
    let effect = |proposal: &mut Proposal| {
        let mut effect =
            Effect { code: proposal.action.code().to_owned(), change: proposal.change.take(), ..Effect::default() };
        for (key, left) in proposal.after.iter().filter(|(key, _)| gathered.parts.contains_key(*key)) {
            match left {
                Left::Share(share) => {
                    effect.shares.insert(key.clone(), *share);
                }
                Left::Amount(_) => effect.changed.push(key.clone()),
            }
        }
        (proposal.actions(), effect)
    };
    proposals.iter_mut().map(effect).collect()
}

/// The workings of a case whose candidates have their ids.
pub(super) fn freeze(
    gathered: &mut Gathered<'_>,
    candidates: &[Candidate],
    mut effects: Vec<(Vec<Action>, Effect)>,
    ages: &[Age],
) -> Workings {
    let mut workings = std::mem::take(&mut gathered.workings);
    workings.settings = settings(gathered.scene);
    let habits = gathered.scene.exceptions.iter().filter_map(|e| e.signal.habit.as_deref());
    workings.habits = habits.map(|habit| (habit_key(habit), habit.clone())).collect();
    // Elsewhere the probability is that of the types, which decisions say and no evidence holds.
    if !workings.habits.is_empty() {
        workings.odds = super::odds(gathered.scene);
    }
    for (key, part) in &gathered.parts {
        let expected = part.amount.expected;
        // A part whose amount stands in a fact is proved by that fact; another has to carry its amount itself.
        let says = |id: &&reeve_domain::ids::FactId| {
            let value = gathered.facts.get(*id).map(|fact| &fact.value);
            matches!(value, Some(FactValue::Money(amount)) if (*amount).max(Money::ZERO) == expected)
        };
        let fact = part.cites.iter().find(says).cloned();
        let sure = if fact.is_some() { Made::Certain } else { Made::Amount(expected) };
        workings.parts.insert(key.clone(), Part { fact, made: part.made.clone().unwrap_or(sure) });
    }
    // All that came out, as one text to hash: evidence is new when a figure
    // moves by a cent, not when a forecast's fifth decimal does.
    let mut figures = String::new();
    for (key, part) in &gathered.parts {
        let _ = writeln!(figures, "{key} {:?}", part.amount);
    }
    for candidate in candidates {
        // What a hard check refused has an effect and no candidate.
        let Some(at) = effects.iter().position(|(actions, _)| actions.iter().eq(candidate.actions())) else { continue };
        let (_, mut effect) = effects.swap_remove(at);
        let age = rank::age_of(ages, candidate);
        effect.ends = age.is_some_and(|age| age.ends);
        let waits = age.map(|age| (age.next, age.keeps));
        let quantity = candidate.action.quantity();
        let (id, code, money, value) = (&candidate.id, &effect.code, &candidate.money, candidate.value);
        let _ = writeln!(figures, "{id} {code} {money:?} {value:?} {quantity:?} {waits:?}");
        workings.options.insert(candidate.id.clone(), effect);
    }
    workings.figures = content_id("", &[&figures], 16);
    workings
}

fn settings(scene: &Scene<'_>) -> Settings {
    let (ranking, detect, money, costs) =
        (&scene.settings.ranking, &scene.settings.detect, &scene.settings.money, &scene.settings.costs);
    Settings {
        lambda: ranking.lambda,
        digest_days: ranking.digest_days,
        approval_days: ranking.approval_days,
        service_level: detect.service_level,
        horizon_days: detect.horizon_days,
        recapture: money.recapture,
        holding_rate: money.holding_rate,
        transfer_fixed: costs.transfer_fixed,
        transfer_per_unit: costs.transfer_per_unit,
        transfer_days: costs.transfer_days,
        expedite_fixed: costs.expedite_fixed,
        expedite_rate: costs.expedite_rate,
        order_fixed: costs.order_fixed,
        change_fixed: costs.change_fixed,
        recount: costs.recount,
        contact: costs.contact,
        paperwork: costs.paperwork,
        split_fixed: costs.split_fixed,
        return_fixed: costs.return_fixed,
        return_per_unit: costs.return_per_unit,
        hold: costs.hold,
        promotion_change: costs.promotion_change,
    }
}
