//! MARK-EVENT: history that is not to be learned from (handbook §5). A note: the ERP has no place for it.

use crate::assess::checks::{Checks, known_place};
use crate::assess::gathered::{Gathered, Proposal, item_ref, range, units};
use crate::assess::projection::{self, Z90};
use crate::assess::surplus::level_change;
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::money::Money;
use reeve_domain::workings::{Made, Surplus};
use reeve_models::formulas;

/// Days whose mean the next orders go by.
const LEARNED_DAYS: f64 = 28.0;
/// Days without another spike after which it is taken for a single event: of three in a row a place that shuts on weekends sells
/// on one at least, and a place that shuts on Sundays on two.
const QUIET_DAYS: i32 = 3;

/// A spike that is over: what orders would learn from it is held for nothing, unless it is marked.
pub(in crate::assess) fn marks(gathered: &mut Gathered<'_>, exception: &Exception, place: &Place) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = place;
    let (from, to) = (exception.signal.from, exception.signal.to);
    let key = format!("event:{item}@{location}");
    // A spike whose last day is the last one that has closed may still
    // go on: then it is demand, and no event that is over.
    if gathered.parts.contains_key(&key)
        || days_between(to, book.closed) < QUIET_DAYS
        || !scene.outlook.daily.contains_key(place)
    {
        return;
    }
    let (before, _) = level_change(book, exception, place);
    let days = f64::from(days_between(from, to) + 1);
    let spiked: f64 = book.demand_by_day(item, location, from).iter().take(days as usize).sum();
    let rest = book.demand_by_day(item, location, plus_days(to, 1));
    // Without a day since, nothing speaks against the level of before.
    let since = if rest.is_empty() { before } else { rest.iter().sum::<f64>() / rest.len() as f64 };
    // What still sells more than before is no single event.
    if before <= 0.0 || since > before * 1.5 {
        return;
    }
    let Some(offer) = projection::offer(book, place) else { return };
    let Some(levels) = projection::levels(scene, place, &offer.supplier) else { return };
    let Some(lead) = projection::lead_time(book, place, &offer.supplier) else { return };
    let Some(cost_each) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    let review = projection::review_days(book, &offer.supplier, location);
    // The mean of four weeks carries it into every day that an order is to cover.
    let more = ((spiked - before * days) / LEARNED_DAYS * (lead.days + review)).max(0.0);
    let sigma = scene.outlook.per_day(place).1;
    let surplus = Surplus { units: more, daily: before, sigma, cost: cost_each.price, target: levels.up_to };
    let t0 = levels.up_to / before;
    let held = |mu: f64| formulas::excess_cost(more, mu, cost_each.price.to_f64(), rate, t0);
    // How long the units would lie depends on the usual demand, which is
    // itself a mean of these days: its error makes the range.
    let doubt = Z90 * sigma / LEARNED_DAYS.sqrt();
    let amount = range(held(before + doubt), held(before), held((before - doubt).max(0.0)));
    let cost = scene.settings.costs.contact;
    // A note costs somebody's time. Where it saves less than a question costs, the planner is not asked for it.
    if amount.expected <= cost {
        return;
    }
    let cites = vec![
        cost_each.cite,
        rate_cite,
        gathered.place_fact(item, location, "event_sold", "sold in the event", units(spiked)),
        gathered.place_fact(item, location, "level_before", "demand per day before", units(before)),
        gathered.place_fact(item, location, "event_more", "units that orders would learn from it", units(more)),
        gathered.place_fact(item, location, "event_cost", "holding cost of these units", FactValue::Money(amount.expected)),
    ];
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let what = format!("holding cost of what orders learn from the event: {name}");
    gathered.lose_by(&key, what, amount, cites.clone(), Made::Excess(surplus));
    let mut cites = cites;
    cites.push(gathered.item_fact(item, "cost_contact", "cost of a question (setting)", FactValue::Money(cost)));
    cites.push(gathered.assume(item_ref(item), "event_left_0", "share of it that remains with the event marked", 0.0));
    let when = if from == to { format!("on {from}") } else { format!("from {from} to {to}") };
    let sold = units(spiked).show();
    let summary = format!("Mark the {sold} units that {name} sold {when} as a one-off event.");
    let reason = "one event, not the usual demand".to_owned();
    let (item, location) = place.clone();
    gathered.proposals.push(Proposal {
        action: Action::MarkEvent { item, location, from, to, reason },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(&[key], 0.0),
        cost,
        regret: cost,
        value: Money::ZERO,
        latest: gathered.today_plus(7),
        cites,
        change: None,
    });
}

/// MARK-EVENT.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::MarkEvent { item, location, from, to, .. } = action else { return };
    let book = scene.book;
    known_place(scene, c, item, location);
    let past = to >= from && *to <= book.today;
    c.hard("dates are in the past", past, format!("{from} to {to}, today is {}", book.today));
}
