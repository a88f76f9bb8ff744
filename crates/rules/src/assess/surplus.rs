//! Surplus: demand has fallen, a promotion sells less than planned. What is on order beyond the need costs money to hold
//! (handbook §3.4, excess cost), and can be pushed back or cancelled.

use crate::role::Role;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::workings::{Change, Made, Surplus};
use reeve_models::formulas;

use super::gathered::{Gathered, Question, range, units};
use super::lots;
use super::projection::{self, Z90};
use crate::detect::excess::sends_on;

/// Days after a promotion's end until which its stock may still sell.
const AFTER_PROMOTION_DAYS: i32 = 14;

/// Days before the signal from which the usual demand is read.
const USUAL_DAYS: i32 = 28;

/// Mean daily demand in the four weeks before the deviation, and since it began.
pub(super) fn level_change(book: &Book, exception: &Exception, place: &Place) -> (f64, f64) {
    let from = plus_days(exception.signal.from, -USUAL_DAYS);
    let days = book.demand_by_day(&place.0, &place.1, from);
    // A young item has fewer days: what there is counts as before, and nothing is known since.
    let split = (USUAL_DAYS as usize).min(days.len());
    let mean = |part: &[f64]| if part.is_empty() { 0.0 } else { part.iter().sum::<f64>() / part.len() as f64 };
    let before = mean(&days[..split]);
    let since = if split < days.len() { mean(&days[split..]) } else { before };
    (before, since)
}

/// The key of the part at a place.
pub(super) fn key(place: &Place) -> String {
    format!("excess:{}@{}", place.0, place.1)
}

/// Leaves out what was computed on another surplus than the one that is at stake. Of two estimates of one place the larger stands:
/// what takes less of the smaller one would be credited with the difference.
pub(super) fn retain_at_stake(gathered: &mut Gathered<'_>) {
    let parts = &gathered.parts;
    gathered.proposals.retain(|proposal| {
        let Some(Change::Less { surplus, .. } | Change::Reduced { surplus, .. }) = &proposal.change else { return true };
        let at_stake = |key: &String| {
            let made = parts.get(key).and_then(|part| part.made.as_ref());
            matches!(made, Some(Made::Excess(of)) if of == surplus)
        };
        proposal.after.keys().all(at_stake)
    });
}

/// Assesses one place for which demand has fallen. `promotion` says that the target is what a promotion and two weeks after
/// it still sell, instead of the order-up-to level.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception, place: &Place, promotion: bool) {
    // What another exception has counted of the place is the same stock: counted again with another need, what its actions
    // leave of the loss would be taken from a loss that is not theirs.
    if !gathered.parts.contains_key(&key(place)) {
        count(gathered, exception, place, promotion);
    }
    let (scene, (item, location)) = (gathered.scene, place);
    // A promotion that nobody sees sells nothing: the store can look at once.
    if promotion && gathered.parts.contains_key(&key(place)) {
        let label = scene.book.item_label(item);
        gathered.contact(&Question {
            role: Role::Store,
            partner: location.as_str(),
            about: &format!("the promotion on {label}: is the reduced price live and the goods displayed"),
            keys: &[key(place)],
            left: scene.settings.left.question_promotion,
            latest: gathered.today_plus(7),
            source: super::gathered::item_ref(item),
        });
    }
}

/// Counts the surplus of a place, and proposes what can be done about it.
fn count(gathered: &mut Gathered<'_>, exception: &Exception, place: &Place, promotion: bool) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = place;
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    // What it sells is not all that is wanted of it there.
    if sends_on(book, scene.settings, item, location) {
        let from = plus_days(book.today, -scene.settings.detect.dead_days);
        let sent = FactValue::Quantity(book.sent_on(item, location, from));
        gathered.place_fact(item, location, "sent_on", &format!("sent on since {from}, which no forecast says,"), sent);
        gathered.watch.get_or_insert_with(|| format!("demand for {name} stays below what it was"));
        return;
    }
    // Without a forecast nothing says what is too much.
    if !scene.outlook.daily.contains_key(place) {
        gathered.miss(format!("demand forecast of {name}"), "the excess");
        return;
    }
    let Some(cost) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    let (mu_d, sigma_d) = scene.outlook.per_day(place);
    // After its end a promotion's goods still sell for a while, at the full price.
    let target = if promotion {
        let end =
            book.promotions_at(item, location).filter(|p| p.from <= book.today).map(|p| p.to).max().unwrap_or(book.today);
        let days = (days_between(book.today, end) + AFTER_PROMOTION_DAYS).max(0) as u32;
        scene.outlook.window(place, 0, days).0
    } else {
        let supplier = projection::offer(book, place).map(|o| o.supplier.clone());
        match supplier.and_then(|s| projection::levels(scene, place, &s)) {
            Some(levels) => levels.up_to,
            None => mu_d * f64::from(scene.settings.detect.horizon_days),
        }
    };
    let position = projection::position(book, place);
    let coming = projection::on_order(book, place);
    let on_order = coming.to_f64();
    // What is written off at its expiry is held no longer.
    let written_off = lots::written_off(gathered, place);
    let excess = (position - written_off - target).max(0.0);
    // What is in the house stays, whatever is decided; only what is on order can be avoided. A promotion's leftover counts
    // whole, because asking the store can still sell it.
    let avoidable = if promotion { excess } else { excess.min(on_order) };
    // Until the needed units are sold, those beyond them only lie there.
    let t0 = if mu_d > 0.0 { target / mu_d } else { 0.0 };
    let price = cost.price.to_f64();
    let held = |excess: f64, mu: f64| formulas::excess_cost(excess.max(0.0), mu, price, rate, t0);
    // The mean of four weeks is itself uncertain: the ends are where demand is that much more or less.
    let doubt = Z90 * sigma_d / 28.0_f64.sqrt();
    let loss = |excess: f64| range(held(excess, mu_d + doubt), held(excess, mu_d), held(excess, (mu_d - doubt).max(0.0)));
    let amount = loss(avoidable);
    let mut cites = vec![
        cost.cite,
        rate_cite,
        gathered.place_fact(item, location, "position", "available and on order", units(position)),
        gathered.place_fact(item, location, "on_order", "on order", FactValue::Quantity(coming)),
        gathered.place_fact(item, location, "target", "needed", units(target)),
        gathered.place_fact(item, location, "daily", "expected demand per day", units(mu_d)),
        gathered.place_fact(item, location, "excess", "excess that can be avoided", units(avoidable)),
    ];
    let label = "holding cost of the excess";
    cites.push(gathered.place_fact(item, location, "excess_cost", label, FactValue::Money(amount.expected)));
    if written_off > 0.0 {
        let label = "of it written off when it expires";
        cites.push(gathered.place_fact(item, location, "written_off", label, units(written_off)));
    }
    let surplus = Surplus { units: avoidable, daily: mu_d, sigma: sigma_d, cost: cost.price, target };
    let made = Made::Excess(surplus.clone());
    gathered.lose_by(&key(place), format!("{label}: {name}"), amount, cites.clone(), made);
    let (before, _) = level_change(book, exception, place);
    // What lies in the house already can only be sold: for less, where that brings more than keeping it.
    if !promotion {
        let shelf = Surplus { units: (excess - avoidable).max(0.0), ..surplus.clone() };
        let key = format!("shelf:{item}@{location}");
        super::act::markdown::reduce(gathered, place, &key, shelf.units, &shelf, before);
    }
    // Nobody sends away a part of a unit.
    if avoidable >= 1.0 {
        super::act::less::changes(gathered, place, &surplus, before, &loss, &cites);
    }
    gathered.watch.get_or_insert_with(|| format!("demand for {name} stays below what it was"));
}
