//! Surplus: demand has fallen, a promotion sells less than planned. What is on order beyond the need costs money to hold
//! (handbook §3.4, excess cost), and can be pushed back or cancelled.

use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::role::Role;
use reeve_domain::action::{Action, Range};
use reeve_domain::announced::Incoming;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::FactId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{PurchaseLine, RecordRef};
use reeve_domain::workings::{Change, Made, Surplus};
use reeve_models::formulas;

use super::checks;
use super::gathered::{Gathered, Left, Proposal, Question, line_ref, range, units};
use super::projection::{self, Z90};

/// Days after a promotion's end until which its stock may still sell.
const AFTER_PROMOTION_DAYS: i32 = 14;
/// A line is pushed back by at least and at most this many days.
const DEFER_DAYS: (f64, f64) = (7.0, 60.0);
/// Share of a promotion's leftover that remains after asking the store whether price and display are live.
const LEFT_AFTER_CONTACT: f64 = 0.7;
/// Days before the signal from which the usual demand is read.
const USUAL_DAYS: i32 = 28;

/// Mean daily demand in the four weeks before the deviation, and since it began.
pub(super) fn level_change(book: &Book, exception: &Exception, place: &Place) -> (f64, f64) {
    let from = plus_days(exception.signal.from, -USUAL_DAYS);
    let days = book.demand_by_day(&place.0, &place.1, from);
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

/// Assesses one place for which demand has fallen. `promotion` says that the target is what a promotion and two weeks after
/// it still sell, instead of the order-up-to level.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception, place: &Place, promotion: bool) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = place;
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    // Without a forecast nothing says what is too much.
    if !scene.outlook.daily.contains_key(place) {
        gathered.miss(format!("demand forecast of {name}"), "the excess");
        return;
    }
    let Some(cost) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    let (mu_d, sigma_d) = scene.outlook.per_day(place);
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
    let on_order: f64 = book.incoming(item, location).iter().map(|i| i.qty.to_f64()).sum();
    let excess = (position - target).max(0.0);
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
        gathered.place_fact(item, location, "on_order", "on order", units(on_order)),
        gathered.place_fact(item, location, "target", "needed", units(target)),
        gathered.place_fact(item, location, "daily", "expected demand per day", units(mu_d)),
        gathered.place_fact(item, location, "excess", "excess that can be avoided", units(avoidable)),
    ];
    let label = "holding cost of the excess";
    cites.push(gathered.place_fact(item, location, "excess_cost", label, FactValue::Money(amount.expected)));
    let surplus = Surplus { units: avoidable, daily: mu_d, sigma: sigma_d, cost: cost.price, target };
    let made = Made::Excess(surplus.clone());
    gathered.lose_by(&key(place), format!("{label}: {name}"), amount, cites.clone(), made);
    if avoidable >= 1.0 {
        let (before, _) = level_change(book, exception, place);
        changes(gathered, place, &surplus, before, &loss, &cites);
    }
    // A promotion that nobody sees sells nothing: the store can look at once.
    if promotion {
        let source = super::gathered::item_ref(item);
        gathered.contact(&Question {
            role: Role::Store,
            partner: location.as_str(),
            about: &format!("the promotion on {}: is the reduced price live and the goods displayed", book.item_label(item)),
            keys: &[key(place)],
            left: LEFT_AFTER_CONTACT,
            latest: gathered.today_plus(7),
            source,
        });
    }
    if gathered.watch.is_none() {
        gathered.watch = Some(format!("demand for {name} stays below what it was"));
    }
}

/// Pushes back or cancels what is on order beyond the need, latest promise first.
pub(super) fn changes(
    gathered: &mut Gathered<'_>,
    place: &Place,
    surplus: &Surplus,
    before: f64,
    loss: &dyn Fn(f64) -> Range,
    cites: &[FactId],
) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = place;
    let (avoidable, mu_d) = (surplus.units, surplus.daily);
    let costs = &scene.settings.costs;
    let margin = gathered.margin(item).map_or(0.0, |m| m.0);
    let (recapture, _) = gathered.recapture(item);
    let review = projection::offer(book, place).map_or(7.0, |o| projection::review_days(book, &o.supplier, location));
    // The order that comes last is the easiest to change, and the least missed.
    let Some(incoming) = book.incoming(item, location).into_iter().next_back() else { return };
    // Of a kit no component can be sent away alone.
    let Some(line) = book.po_lines.get(&incoming.po_line).filter(|line| line.item == *item) else { return };
    let quantity = Quantity::floor_units(avoidable).min(incoming.qty);
    if !quantity.is_positive() || incoming.promised <= gathered.tomorrow() {
        return;
    }
    // If demand had not fallen, what was sent away would be missed until the next usual order.
    let missed = formulas::lost_margin(quantity.to_f64().min(before * review), margin, recapture);
    let less = |later: Option<u32>| Change::Less {
        surplus: surplus.clone(),
        quantity: quantity.to_f64(),
        later,
        price: line.price,
        before,
        review,
        margin,
    };
    let source = line_ref(&line.id);
    let name = format!("{quantity} units of {} on {}", book.item_label(item), line.order_name);
    let mut shared = cites.to_vec();
    shared.push(gathered.fact(source.clone(), "surplus", "units beyond the need", FactValue::Quantity(quantity)));
    let promised = FactValue::Date(incoming.promised);
    shared.push(gathered.fact(source.clone(), "promised", &format!("promised on {}", line.order_name), promised));
    shared.push(gathered.fact(
        source.clone(),
        "cost_change",
        "cost of a change (setting)",
        FactValue::Money(costs.change_fixed),
    ));
    let order = Order { line, incoming: &incoming, quantity, name: &name, missed, source };
    cancel(gathered, place, &order, loss(avoidable - quantity.to_f64()), &shared, less(None));
    defer(gathered, place, &order, (avoidable, mu_d), loss(avoidable), shared, less);
}

/// What is on order beyond the need.
struct Order<'o> {
    line: &'o PurchaseLine,
    incoming: &'o Incoming,
    quantity: Quantity,
    /// The units and the order, for people.
    name: &'o str,
    /// Margin missed until the next order if demand had not fallen.
    missed: f64,
    source: RecordRef,
}

impl Order<'_> {
    fn value(&self) -> Money {
        self.line.price.map_or(Money::ZERO, |price| self.quantity * price)
    }

    /// The last day on which a supplier can usually still change it.
    fn latest(&self, gathered: &Gathered<'_>) -> Date {
        plus_days(self.incoming.promised, -2).max(gathered.tomorrow())
    }
}

/// Sends it away: then `kept` is what is still held too long.
fn cancel(gathered: &mut Gathered<'_>, place: &Place, it: &Order<'_>, kept: Range, shared: &[FactId], change: Change) {
    let scene = gathered.scene;
    let costs = &scene.settings.costs;
    // If it was needed after all, it is ordered again, and comes a usual order later.
    let regret = costs.order_fixed + Money::from_f64(it.missed);
    let label = "ordering again, and margin missed meanwhile";
    let mut cites = shared.to_vec();
    cites.push(gathered.fact(it.source.clone(), "regret_cancel", label, FactValue::Money(regret)));
    gathered.proposals.push(Proposal {
        action: Action::CancelPo { po_line: it.line.id.clone(), quantity: it.quantity },
        summary: format!("Cancel {} from {}.", it.name, scene.book.supplier_name(&it.line.supplier)),
        after: BTreeMap::from([(key(place), Left::Amount(kept))]),
        cost: costs.change_fixed,
        regret,
        value: it.value(),
        latest: it.latest(gathered),
        cites,
        change: Some(change),
    });
}

/// Pushes it back by as many days as the excess lasts, but never so far that the safety stock goes. What is held is `all` less
/// the days that it comes later.
fn defer(
    gathered: &mut Gathered<'_>,
    place: &Place,
    it: &Order<'_>,
    (avoidable, daily): (f64, f64),
    all: Range,
    mut cites: Vec<FactId>,
    change: impl Fn(Option<u32>) -> Change,
) {
    let scene = gathered.scene;
    let costs = &scene.settings.costs;
    let wanted = if daily > 0.0 { (avoidable / daily).clamp(DEFER_DAYS.0, DEFER_DAYS.1) } else { DEFER_DAYS.1 };
    let date = |days: i32| plus_days(it.incoming.promised, days);
    let units = it.quantity.to_f64();
    // The longest delay that keeps the safety stock.
    let Some(days) = (DEFER_DAYS.0 as i32..=wanted.round() as i32)
        .rev()
        .find(|&d| checks::covered_until(scene, place, Some(&it.line.id), units, date(d)).0)
    else {
        return;
    };
    let new_date = date(days);
    let saved = gathered.cost(&place.0).map_or(0.0, |c| {
        formulas::holding_cost(units, c.price.to_f64(), scene.settings.money.holding_rate, f64::from(days))
    });
    let left = |m: Money| (m - Money::from_f64(saved)).max(Money::ZERO);
    let after = Range { low: left(all.low), expected: left(all.expected), high: left(all.high) };
    // If it was needed after all, the old date is asked for again.
    let regret = costs.change_fixed + Money::from_f64(it.missed);
    cites.push(gathered.fact(it.source.clone(), "defer_to", "pushed back to", FactValue::Date(new_date)));
    let label = "restoring the date, and margin missed meanwhile";
    cites.push(gathered.fact(it.source.clone(), "regret_defer", label, FactValue::Money(regret)));
    gathered.proposals.push(Proposal {
        action: Action::DeferPo { po_line: it.line.id.clone(), quantity: it.quantity, new_date },
        summary: format!("Push {} from {} back to {new_date}.", it.name, scene.book.supplier_name(&it.line.supplier)),
        after: BTreeMap::from([(key(place), Left::Amount(after))]),
        cost: costs.change_fixed,
        regret,
        value: it.value(),
        latest: it.latest(gathered),
        cites,
        change: Some(change(u32::try_from(days).ok())),
    });
}
