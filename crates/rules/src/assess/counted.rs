//! What counts have settled already: a count is not asked for again after one that agreed with the books, and what counts find
//! missing again and again is looked into instead.

use crate::detect::counted::{self, Counted, Event};
use crate::detect::stock::SHRINK_DAYS;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::evidence::FactValue;
use reeve_domain::money::{Money, Quantity};

use super::gathered::{Gathered, Proposal, item_ref};

/// So many counts of a cluster that found stock missing say what one more would: nothing new.
const ENOUGH: usize = 4;

/// The count that has agreed with the books at a place since `event`, laid out.
pub(super) fn agreed(gathered: &mut Gathered<'_>, place: &Place, event: &Event) -> Option<Counted> {
    let scene = gathered.scene;
    let count = counted::agreed_since(scene.book, scene.settings, place, event)?;
    let (item, location) = place;
    gathered.place_fact(item, location, "count_agreed", "a count agreed with the books on", FactValue::Date(count.day));
    gathered.place_fact(item, location, "count_found", "found by that count", FactValue::Quantity(count.found()));
    Some(count)
}

/// What a count that agreed has said, for people.
pub(super) fn in_words(count: &Counted) -> String {
    format!("a count of {} agreed with the books ({} found)", count.day, count.found())
}

/// Looks into losses that counts have found again and again. Says whether there are so many that counting again is no answer.
pub(super) fn investigate(gathered: &mut Gathered<'_>, place: &Place, key: &str) -> bool {
    let scene = gathered.scene;
    let (item, location) = place;
    let all = counted::counts_within(scene.book, place, SHRINK_DAYS);
    let losing: Vec<&Counted> =
        all.iter().filter(|count| counted::loses(scene.book, scene.settings, place, count)).collect();
    if losing.len() < ENOUGH {
        return false;
    }
    let first = losing.first().map_or(scene.book.today, |count| count.day);
    // Counts that agreed are told beside those that did not: "four of five" reads otherwise than "four of twenty".
    let made = all.iter().filter(|count| count.day >= first).count();
    let units: Quantity = losing.iter().map(|count| count.off.abs()).sum();
    let value = scene.book.cost(item, location).map(|cost| units * cost);
    let label = "counts that found stock missing";
    gathered.place_fact(item, location, "losing_counts", label, FactValue::number(losing.len() as f64, 0));
    gathered.place_fact(item, location, "losing_units", "missing in these counts", FactValue::Quantity(units));
    if let Some(value) = value {
        gathered.place_fact(item, location, "losing_value", "the same at cost", FactValue::Money(value));
    }
    let worth = value.map_or_else(String::new, |value| format!(", {value} at cost"));
    let unclear = format!(
        "why {} of {} at {} found stock missing since {first}, {units} units in all{worth}",
        counted::in_words(losing.len(), made),
        scene.book.item_label(item),
        scene.book.location_name(location),
    );
    let to = "loss prevention (restricted)".to_owned();
    let summary = format!("Ask {to} to look into it: {unclear}. Another count would only find the next loss.");
    let cost = scene.settings.costs.paperwork;
    let cites = vec![
        gathered.fact(item_ref(item), "cost_paperwork", "cost of the paperwork (setting)", FactValue::Money(cost)),
        gathered.assume(
            item_ref(item),
            "escalate_left_50",
            "share of such losses that goes on",
            gathered.scene.settings.left.investigation,
        ),
    ];
    // Looking into it stops a part of what goes on; what is gone already does not come back.
    let after = Gathered::leaving(&[key.to_owned()], gathered.scene.settings.left.investigation);
    gathered.proposals.push(Proposal {
        action: Action::Escalate { unclear, to },
        summary,
        then: Vec::new(),
        after,
        cost,
        regret: Money::ZERO,
        value: Money::ZERO,
        latest: gathered.today_plus(7),
        cites,
        change: None,
    });
    true
}
