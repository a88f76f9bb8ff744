//! FORECAST-FIX: a forecast as the evidence has it (handbook §5). The ERP keeps none that is read: a note for whoever does.

use crate::assess::checks::{Checks, known_place, not_past};
use crate::assess::gathered::{Gathered, Proposal};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::money::{Money, Quantity};

/// Days for which a corrected forecast holds: then it is looked at again.
const DAYS: i32 = 28;

/// Raises the forecast from the level of before to the one since.
pub(in crate::assess) fn raise(
    gathered: &mut Gathered<'_>,
    exception: &Exception,
    place: &Place,
    (before, after): (f64, f64),
    keys: &[String],
) {
    let scene = gathered.scene;
    let (item, location) = place;
    let (from, to) = (gathered.tomorrow(), gathered.today_plus(DAYS));
    // A forecast is kept in whole units for a period, so it is told in the form in which people enter it.
    let over = |daily: f64| Quantity::ceil_units(daily * f64::from(DAYS));
    let (old, new) = (over(before), over(after));
    let left = scene.settings.left.forecast;
    let cost = scene.settings.costs.contact;
    let cites = vec![
        gathered.place_fact(
            item,
            location,
            "forecast_old",
            "in four weeks at the level of before",
            FactValue::Quantity(old),
        ),
        gathered.place_fact(item, location, "forecast_new", "in four weeks at the level since", FactValue::Quantity(new)),
        gathered.item_fact(item, "cost_contact", "cost of a question (setting)", FactValue::Money(cost)),
        gathered.assume(
            crate::assess::gathered::item_ref(item),
            "forecast_left",
            "share of the loss that remains with the forecast corrected (setting)",
            left,
        ),
    ];
    let name = format!("{} at {}", scene.book.item_label(item), scene.book.location_name(location));
    let reason = format!("the level has changed since {}", exception.signal.from);
    let summary = format!("Raise the forecast of {name} from {old} to {new} units, {from} to {to}.");
    let (item, location) = place.clone();
    gathered.proposals.push(Proposal {
        action: Action::ForecastFix { item, location, from, to, old, new, reason },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(keys, left),
        cost,
        regret: cost,
        value: Money::ZERO,
        latest: gathered.today_plus(7),
        cites,
        change: None,
    });
}

/// FORECAST-FIX.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::ForecastFix { item, location, from, to, new, .. } = action else { return };
    known_place(scene, c, item, location);
    c.hard("period is in order", to >= from, format!("{from} to {to}"));
    not_past(scene, c, "end of the period is not past", *to);
    c.hard("forecast is not negative", !new.0.is_sign_negative(), new.to_string());
}
