//! DEFER-PO and CANCEL-PO: what is on order beyond the need, later or not at all (handbook §5).

use std::collections::BTreeMap;

use crate::assess::checks::{Checks, covered_until, open_line};
use crate::assess::gathered::{Gathered, Left, Proposal, line_ref};
use crate::assess::projection;
use crate::assess::surplus::key;
use crate::detect::excess::sends_on;
use crate::scene::Scene;
use jiff::civil::Date;
use reeve_domain::action::{Action, Range};
use reeve_domain::announced::Incoming;
use reeve_domain::book::Place;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::FactId;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{PurchaseLine, RecordRef};
use reeve_domain::workings::{Change, Surplus};
use reeve_models::formulas;

/// A line is pushed back by at least and at most this many days.
const DEFER_DAYS: (f64, f64) = (7.0, 60.0);

/// Pushes back or cancels what is on order beyond the need, latest promise first.
pub(in crate::assess) fn changes(
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
    // An item without a margin can still be held too long. Its regret
    // is then said too low, and the missing price is told.
    let margin = gathered.margin(item).map_or(0.0, |m| m.0);
    let (recapture, _) = gathered.recapture(item);
    // Where nobody sells it any more there is no rhythm to go by; a week is the usual one.
    let review = projection::offer(book, place).map_or(7.0, |o| projection::review_days(book, &o.supplier, location));
    // The order that comes last is the easiest to change, and the least missed.
    let Some(incoming) = book.incoming(item, location).into_iter().next_back() else { return };
    // Of a kit no component can be sent away alone.
    let Some(line) = book.po_lines.get(&incoming.po_line).filter(|line| line.item == *item) else { return };
    let quantity = Quantity::floor_units(avoidable).min(incoming.qty);
    // What comes tomorrow is on a lorry today.
    if !quantity.is_positive() || incoming.promised <= gathered.tomorrow() {
        return;
    }
    // If demand had not fallen, what was sent away would be missed until the next usual order.
    let missed = formulas::lost_margin(quantity.to_f64().min(before * review), margin, recapture);
    // A line without a price in the company's currency is worth what its goods cost: nothing that leaves is worth nothing.
    let each = line.price.unwrap_or(surplus.cost);
    let less = |later: Option<u32>| Change::Less {
        surplus: surplus.clone(),
        quantity: quantity.to_f64(),
        later,
        price: Some(each),
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
    let order = Order { line, incoming: &incoming, quantity, each, name: &name, missed, source };
    cancel(gathered, place, &order, loss(avoidable - quantity.to_f64()), &shared, less(None));
    defer(gathered, place, &order, (avoidable, mu_d), loss(avoidable), shared, less);
}

/// What is on order beyond the need.
struct Order<'o> {
    line: &'o PurchaseLine,
    incoming: &'o Incoming,
    quantity: Quantity,
    /// What one of them is worth.
    each: UnitPrice,
    /// The units and the order, for people.
    name: &'o str,
    /// Margin missed until the next order if demand had not fallen.
    missed: f64,
    source: RecordRef,
}

impl Order<'_> {
    fn value(&self) -> Money {
        self.quantity * self.each
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
        then: Vec::new(),
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
    // A few days are not worth asking a supplier for, and beyond two months the line is better cancelled.
    let wanted = if daily > 0.0 { (avoidable / daily).clamp(DEFER_DAYS.0, DEFER_DAYS.1) } else { DEFER_DAYS.1 };
    let date = |days: i32| plus_days(it.incoming.promised, days);
    let units = it.quantity.to_f64();
    // The longest delay that keeps the safety stock.
    let Some(days) = (DEFER_DAYS.0 as i32..=wanted.round() as i32)
        .rev()
        .find(|&d| covered_until(scene, place, Some(&it.line.id), units, date(d)).0)
    else {
        return;
    };
    let new_date = date(days);
    // Pushing back saves the holding of these days and no more: the goods still come.
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
        then: Vec::new(),
        after: BTreeMap::from([(key(place), Left::Amount(after))]),
        cost: costs.change_fixed,
        regret,
        value: it.value(),
        latest: it.latest(gathered),
        cites,
        change: Some(change(u32::try_from(days).ok())),
    });
}

/// Defer (with a date) or cancel (without).
pub(in crate::assess) fn check(
    scene: &Scene<'_>,
    c: &mut Checks,
    po_line: &str,
    quantity: Quantity,
    new_date: Option<Date>,
) {
    let Some(line) = open_line(scene, c, po_line, quantity) else { return };
    let book = scene.book;
    let place = (line.item.clone(), line.location.clone());
    let promised = book.due(line);
    c.hard("promise is still ahead", promised > book.today, format!("{promised}, today is {}", book.today));
    if let Some(day) = new_date {
        c.hard("new date is later", day > promised, format!("{day} > {promised}"));
    }
    let lead = projection::lead_time(book, &place, &line.supplier).map_or(0, |l| l.days.ceil() as i32);
    // What is cancelled can be had again after a lead time at the earliest.
    let until = new_date.unwrap_or_else(|| plus_days(promised.max(book.today), lead));
    // What is not sold any more is wanted by nobody; what a place sends on no forecast says.
    let sold = book.items.get(&line.item).is_none_or(|item| item.sellable);
    let sends = sold && sends_on(book, scene.settings, &line.item, &line.location);
    let forecast = (scene.outlook.daily.contains_key(&place) || !sold) && !sends;
    let (covered, lowest, safety) = covered_until(scene, &place, Some(po_line), quantity.to_f64(), until);
    let unknown = if sends { "; what it sends on is not known" } else { "" };
    let detail = format!("{lowest:.1} ≥ {safety:.1} until {until}{unknown}");
    c.hard("projected stock ≥ safety stock", covered && forecast, detail);
    // Units that customers have ordered are promised to people: no forecast may send them away.
    let waiting = book.waiting(&line.item, &line.location);
    let supply = book.on_shelf(&line.item, &line.location)
        + book.incoming(&line.item, &line.location).iter().map(|i| i.qty).sum::<Quantity>()
        - quantity;
    c.hard("no customer waits for it", waiting <= supply, format!("{waiting} ≤ {supply}"));
}
