//! Overstock: what lies beyond the need and what more of it is on order (handbook §3.4, excess cost). A whole excess is counted,
//! also what is in the house: what can be done about that is another action than pushing an order back.

use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{Exception, ExceptionType as T};
use reeve_domain::money::Quantity;
use reeve_domain::workings::{Made, Surplus};
use reeve_models::formulas;

use super::act::less::changes;
use super::act::markdown::reduce;
use super::gathered::{Gathered, place_of, range, units};
use super::lots;
use super::projection::{self, Z90};
use super::surplus::{key, level_change};
use crate::detect::excess::is_of_the_dead;

/// Counts what holding the excess costs, and proposes what can be pushed back or cancelled of it.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &place;
    let Some(cost) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    let (mu_d, sigma_d) = scene.outlook.per_day(&place);
    let supplier = projection::offer(book, &place).map(|offer| {
        // The smallest order that it takes, not the quantity of a price break.
        let least = book.price_step(&place, &offer.supplier, Quantity::ZERO).unwrap_or(offer).min_qty;
        (offer.supplier.clone(), least.to_f64())
    });
    let levels = supplier.as_ref().and_then(|(supplier, _)| projection::levels(scene, &place, supplier));
    let ruled = book.rule(item, location).map_or(0.0, |rule| rule.max.to_f64().max(rule.min.to_f64()));
    let least = supplier.as_ref().map_or(0.0, |(_, least)| *least);
    // Nothing that nobody buys is needed.
    let target =
        if mu_d > 0.0 { levels.map_or(ruled, |levels| levels.up_to.max(ruled).max(levels.reorder + least)) } else { 0.0 };
    let position = projection::position(book, &place);
    // What is written off at its expiry is held no longer.
    let written_off = lots::written_off(gathered, &place);
    let excess = (position - written_off - target).max(0.0);
    let t0 = if mu_d > 0.0 { target / mu_d } else { 0.0 };
    let price = cost.price.to_f64();
    let held = |excess: f64, mu: f64| formulas::excess_cost(excess.max(0.0), mu, price, rate, t0);
    let doubt = Z90 * sigma_d / 28.0_f64.sqrt();
    let loss = |excess: f64| range(held(excess, mu_d + doubt), held(excess, mu_d), held(excess, (mu_d - doubt).max(0.0)));
    let amount = loss(excess);
    let label = "holding cost of the excess";
    let coming = projection::on_order(book, &place);
    let on_order = coming.to_f64();
    let mut cites = vec![
        cost.cite,
        rate_cite,
        gathered.place_fact(item, location, "position", "available and on order", units(position)),
        gathered.place_fact(item, location, "on_order", "on order", FactValue::Quantity(coming)),
        gathered.place_fact(item, location, "target", "needed", units(target)),
        gathered.place_fact(item, location, "daily", "expected demand per day", units(mu_d)),
        gathered.place_fact(item, location, "excess", "beyond the need", units(excess)),
        gathered.place_fact(item, location, "excess_cost", label, FactValue::Money(amount.expected)),
    ];
    if written_off > 0.0 {
        let label = "of it written off when it expires";
        cites.push(gathered.place_fact(item, location, "written_off", label, units(written_off)));
    }
    let surplus = Surplus { units: excess, daily: mu_d, sigma: sigma_d, cost: cost.price, target };
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let key = key(&place);
    gathered.lose_by(&key, format!("{label}: {name}"), amount, cites.clone(), Made::Excess(surplus.clone()));
    // Where demand has fallen, what it was before is what is missed if that is not so, and what a lower price may bring back.
    let fell = |e: &&Exception| matches!(e.signal.code, T::DCollapse | T::DShift) && place_of(e).as_ref() == Some(&place);
    let fallen = scene.exceptions.iter().find(fell);
    let (before, _) = level_change(book, fallen.unwrap_or(exception), &place);
    if fallen.is_some() {
        reduce(gathered, &place, &key, (excess - on_order).max(0.0), &surplus, before);
    }
    if excess >= 1.0 && on_order > 0.0 {
        changes(gathered, &place, &surplus, before, &loss, &cites);
    }
    // What sells, however slowly, or is at its end leaves nothing to decide but what pays: where nothing does, nobody is asked.
    if is_of_the_dead(exception) {
        gathered.escalate(&format!("what to do with the excess of {name}"), "category manager");
    }
    gathered.watch.get_or_insert_with(|| format!("the excess of {name} goes down"));
}
