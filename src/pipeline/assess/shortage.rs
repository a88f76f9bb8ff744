//! Shortages: what is lost while a place has too little, and what brings more or brings it sooner (handbook §3.4, §5).
//!
//! The loss has two parts. `lost:item@loc` runs until the first receipt or until an order placed today would arrive,
//! whichever is earlier. `unordered:item@loc` is what waiting until the usual next order adds; it counts only where an order
//! is due now (the position is below the reorder point), and only a new order saves it.

use std::collections::BTreeMap;

use crate::domain::action::{Action, Range};
use crate::domain::book::Place;
use crate::domain::calendar::plus_days;
use crate::domain::evidence::FactValue;
use crate::domain::ids::FactId;
use crate::domain::money::{Money, Quantity};
use crate::domain::record::{RecordKind, RecordRef};
use crate::models::formulas;
use crate::pipeline::view::CaseView;

use super::desk::{Desk, Left, Proposal, Question, half, item_ref, line_ref, plus, range, units};
use super::projection::{self, Projection, Shortage, Z90};

/// Share of an overdue delivery's loss that remains after asking the supplier: three in ten answers bring it forward.
const LEFT_AFTER_CONTACT: f64 = 0.7;
/// By how much the share of recaptured sales may be off either way (handbook §6 rule 3).
const RECAPTURE_DOUBT: f64 = 0.1;
/// Donors offered at most.
const DONORS: usize = 2;
/// Open lines offered for expediting at most.
const LINES: usize = 2;
/// A shortage below this many units is none.
const LEAST_UNITS: f64 = 0.05;

/// Why a place is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Need {
    /// The shortage can not be more than this many units (those a supplier still owes).
    pub cap: Option<f64>,
    /// Is ordering more an answer?
    pub reorder: bool,
}

/// What a shortage at a place costs, as a function of the projection.
pub(super) struct Stake {
    margin: f64,
    recapture: f64,
    cap: f64,
    until: u32,
    until_sd: f64,
    /// The day until which not ordering is counted, where an order is due.
    unordered: Option<u32>,
}

impl Stake {
    /// The stake at a place. None where the book lacks what the money needs.
    pub(super) fn of(view: &CaseView<'_>, place: &Place, margin: f64, need: Need) -> Self {
        let book = view.book;
        let horizon = view.config.detect.horizon_days.max(1);
        let supplier = projection::offer(book, &place.0).map(|o| o.supplier.clone());
        let lead = supplier.as_ref().and_then(|s| projection::lead_time(book, &place.0, s));
        let until = lead.as_ref().map_or(horizon, |l| (l.days.ceil() as u32).clamp(1, horizon));
        let unordered = supplier.as_ref().filter(|_| need.reorder).and_then(|supplier| {
            let levels = projection::levels(view, place, supplier)?;
            let due = projection::position(book, place) < levels.reorder;
            let last = (until + projection::review_days(book, supplier, &place.1).round() as u32).min(horizon);
            (due && last > until).then_some(last)
        });
        Self {
            margin,
            recapture: view.config.money.recapture,
            cap: need.cap.unwrap_or(f64::INFINITY),
            until,
            until_sd: lead.map_or(0.0, |l| l.sd),
            unordered,
        }
    }

    fn money(&self, shortage: &Shortage) -> Range {
        let lost =
            |units: f64, recapture: f64| formulas::lost_margin(units.min(self.cap), self.margin, recapture.clamp(0.0, 1.0));
        range(
            lost(shortage.low, self.recapture + RECAPTURE_DOUBT),
            lost(shortage.units, self.recapture),
            lost(shortage.high, self.recapture - RECAPTURE_DOUBT),
        )
    }

    fn first(&self, view: &CaseView<'_>, projection: &Projection) -> Shortage {
        projection.shortage(view, self.until, self.until_sd)
    }

    fn second(&self, view: &CaseView<'_>, projection: &Projection) -> Option<Shortage> {
        self.unordered.map(|until| projection.shortage(view, until, 0.0))
    }

    /// The loss until an order could arrive, and what not ordering adds.
    pub(super) fn loss(&self, view: &CaseView<'_>, projection: &Projection) -> (Range, Range) {
        let lost = self.money(&self.first(view, projection));
        let more = self.second(view, projection).map_or_else(Range::default, |s| beyond(self.money(&s), lost));
        (lost, more)
    }
}

/// What `all` has more than `part`, end by end.
fn beyond(all: Range, part: Range) -> Range {
    let more = |a: Money, b: Money| (a - b).max(Money::ZERO);
    Range { low: more(all.low, part.low), expected: more(all.expected, part.expected), high: more(all.high, part.high) }
}

fn at_most(range: Range, limit: Range) -> Range {
    Range { low: range.low.min(limit.low), expected: range.expected.min(limit.expected), high: range.high.min(limit.high) }
}

/// What bringing `quantity` of an open line forward to `day` days from today saves, before p. None where the money is
/// unknown.
pub(super) fn saved_by_expediting(
    view: &CaseView<'_>,
    place: &Place,
    need: Need,
    po_line: &str,
    quantity: f64,
    day: u32,
) -> Option<f64> {
    let margin = view.book.items.get(&place.0)?.margin()?.to_f64().max(0.0);
    let stake = Stake::of(view, place, margin, need);
    let now = Projection::now(view, place);
    let (lost, more) = stake.loss(view, &now);
    let (lost_after, more_after) = stake.loss(view, &now.with_moved(po_line, quantity, day));
    Some((lost.expected + more.expected - lost_after.expected - more_after.expected).to_f64())
}

/// The keys of the two parts at a place.
pub(super) fn keys(place: &Place) -> [String; 2] {
    [format!("lost:{}@{}", place.0, place.1), format!("unordered:{}@{}", place.0, place.1)]
}

/// One place's stake with everything its actions need.
struct Short<'p> {
    place: &'p Place,
    stake: Stake,
    now: Projection,
    lost: Range,
    more: Range,
    worst: Shortage,
    out_day: Option<u32>,
    margin: f64,
}

impl Short<'_> {
    fn after(&self, view: &CaseView<'_>, projection: &Projection) -> BTreeMap<String, Left> {
        let (lost, more) = self.stake.loss(view, projection);
        let [lost_key, more_key] = keys(self.place);
        BTreeMap::from([
            (lost_key, Left::Amount(at_most(lost, self.lost))),
            (more_key, Left::Amount(at_most(more, self.more))),
        ])
    }

    /// Days until it runs out; the end of the worst window where the mean never reaches it.
    fn days_left(&self) -> u32 {
        self.out_day.unwrap_or(self.worst.days)
    }

    /// Whole units that cover the worst window nine times in ten.
    fn need(&self) -> f64 {
        let units = (self.worst.mu + Z90 * self.worst.sigma - self.worst.supply).max(self.worst.units);
        units.min(self.stake.cap.max(1.0)).ceil()
    }
}

/// Assesses one place: its loss and the actions against it.
pub(super) fn assess(desk: &mut Desk<'_>, place: &Place, need: Need) {
    let (item, location) = place;
    let view = desk.view;
    let [lost_key, more_key] = keys(place);
    if let Some(owner) = desk.owned_elsewhere(item, location) {
        let note = FactValue::Text(format!("counted in {owner}"));
        let cite = desk.place_fact(item, location, "counted_elsewhere", "loss of this shortage", note);
        desk.lose(&lost_key, "lost margin, counted in another case".into(), Range::default(), vec![cite]);
        return;
    }
    if !view.outlook.daily.contains_key(place) {
        let what = format!("demand forecast of {} at {}", view.book.item_label(item), view.book.location_name(location));
        desk.miss(what, "the expected shortage");
        return;
    }
    let Some((margin, mut cites)) = desk.margin(item) else { return };
    cites.push(desk.recapture(item).1);
    let stake = Stake::of(view, place, margin, need);
    let now = Projection::now(view, place);
    let first = stake.first(view, &now);
    let second = stake.second(view, &now);
    cites.extend(lay_out(desk, place, &now, &first, "shortage"));
    let (lost, more) = stake.loss(view, &now);
    let lost_cite = desk.place_fact(item, location, "lost_margin", "expected lost margin", FactValue::Money(lost.expected));
    let name = format!("{} at {}", view.book.item_label(item), view.book.location_name(location));
    let mut lost_cites = cites.clone();
    lost_cites.push(lost_cite);
    desk.lose(&lost_key, format!("lost margin on {name}"), lost, lost_cites);
    if let Some(second) = second.as_ref().filter(|_| more.expected > Money::ZERO) {
        let mut more_cites = cites;
        more_cites.extend(lay_out(desk, place, &now, second, "unordered"));
        let label = "lost margin that waiting for the next usual order adds";
        more_cites.push(desk.place_fact(item, location, "unordered_margin", label, FactValue::Money(more.expected)));
        desk.lose(&more_key, format!("{label}: {name}"), more, more_cites);
    }
    let worst = second.filter(|s| s.units > first.units).unwrap_or(first);
    let out_day = now.stock_out_day(view, worst.days.max(1));
    let short = Short { place, stake, now, lost, more, worst, out_day, margin };
    if worst.units >= LEAST_UNITS {
        transfers(desk, &short);
        expedites(desk, &short);
    }
    if need.reorder {
        new_order(desk, &short);
    }
    questions(desk, &short);
    if desk.watch.is_none() {
        let available = view.book.available(item, location);
        desk.watch = Some(format!("available stock of {name} falls below {available} or a promised receipt moves"));
    }
}

/// The facts of a projected window.
fn lay_out(desk: &mut Desk<'_>, place: &Place, now: &Projection, found: &Shortage, field: &str) -> Vec<FactId> {
    let (item, location) = place;
    let book = desk.view.book;
    let mut cites = vec![
        desk.place_fact(item, location, "on_hand", "on hand", FactValue::Quantity(book.on_hand(item, location))),
        desk.place_fact(
            item,
            location,
            "waiting",
            "waited for by customers",
            FactValue::Quantity(book.waiting(item, location)),
        ),
        desk.place_fact(item, location, "available", "available", FactValue::Quantity(book.available(item, location))),
        desk.place_fact(
            item,
            location,
            &format!("{field}_days"),
            "days in the window",
            FactValue::days(f64::from(found.days)),
        ),
        desk.place_fact(item, location, &format!("{field}_demand"), "expected demand in the window", units(found.mu)),
        desk.place_fact(item, location, &format!("{field}_sigma"), "deviation of that demand", units(found.sigma)),
        desk.place_fact(item, location, &format!("{field}_supply"), "supply in the window", units(found.supply)),
        desk.place_fact(item, location, &format!("{field}_units"), "expected units short", units(found.units)),
    ];
    for arrival in &now.arrivals {
        let Some(line) = book.po_lines.get(&arrival.po_line) else { continue };
        let label = format!("still to come on {}", line.order_name);
        cites.push(desk.fact(line_ref(&line.id), "open", &label, FactValue::Quantity(book.open_quantity(&line.id))));
        let label = format!("promised on {}", line.order_name);
        let promised = FactValue::Date(book.calendar.day_of(line.promised));
        cites.push(desk.fact(line_ref(&line.id), "promised", &label, promised));
        if !arrival.firm {
            let expected = FactValue::Date(plus_days(book.today, arrival.day as i32));
            cites.push(desk.fact(line_ref(&line.id), "expected", "assumed receipt, the promise has passed", expected));
        }
    }
    cites
}

fn transfers(desk: &mut Desk<'_>, short: &Short<'_>) {
    let view = desk.view;
    let (item, to) = short.place;
    let costs = &view.config.costs;
    let mut donors: Vec<(projection::Spare, Place)> = view
        .book
        .locations
        .keys()
        .filter(|l| *l != to && desk.owned_elsewhere(item, l).is_none())
        .map(|l| (item.clone(), l.clone()))
        .map(|donor| (projection::spare(view, &donor), donor))
        .filter(|(spare, _)| spare.units >= 1.0)
        .collect();
    donors.sort_by(|a, b| b.0.units.total_cmp(&a.0.units).then_with(|| a.1.cmp(&b.1)));
    for (spare, donor) in donors.into_iter().take(DONORS) {
        let moved = Quantity::floor_units(short.need().min(spare.units));
        let quantity = moved.to_f64();
        if quantity < 1.0 {
            continue;
        }
        let from = &donor.1;
        let helped = short.now.with_supply(short.now.supply + quantity);
        // Customers who already wait can be served by what arrives; only those who come while it is on its way are lost.
        let transit = short.now.with_supply(short.now.supply.max(0.0)).shortage(view, costs.transfer_days, 0.0);
        let own = Projection::now(view, &donor);
        let risk = own.with_supply(own.supply - quantity).shortage(view, spare.days, 0.0).units
            - own.shortage(view, spare.days, 0.0).units;
        let risk = Money::from_f64(formulas::lost_margin(risk.max(0.0), short.margin, view.config.money.recapture));
        let on_lane = |field: &str| format!("{field}@{from}-{to}");
        let mut after = short.after(view, &helped);
        let [lost_key, _] = keys(short.place);
        let in_transit = short.stake.money(&transit);
        if let Some(Left::Amount(left)) = after.get_mut(&lost_key) {
            let at_least = |a: Money, b: Money, most: Money| a.max(b).min(most);
            *left = Range {
                low: at_least(left.low, in_transit.low, short.lost.low),
                expected: at_least(left.expected, in_transit.expected, short.lost.expected),
                high: at_least(left.high, in_transit.high, short.lost.high),
            };
            *left = plus(*left, Range::certain(risk));
        }
        let per_unit = |q: f64| Money::from_f64(costs.transfer_per_unit.to_f64() * q);
        let cost = costs.transfer_fixed + per_unit(quantity);
        let regret = costs.transfer_fixed + per_unit(quantity / 2.0);
        let ship_on = view.book.today;
        let summary = format!(
            "Move {moved} units of {} from {} to {}, shipping {ship_on}.",
            view.book.item_label(item),
            view.book.location_name(from),
            view.book.location_name(to),
        );
        let cites = vec![
            desk.place_fact(item, from, "available", "available", FactValue::Quantity(view.book.available(item, from))),
            desk.place_fact(item, from, "own_days", "days until its next receipt", FactValue::days(f64::from(spare.days))),
            desk.place_fact(item, from, "own_daily", "own demand per day", units(spare.daily)),
            desk.place_fact(item, from, "own_safety", "own safety stock", units(spare.safety)),
            desk.place_fact(item, from, "transferable", "can be spared", units(spare.units)),
            desk.item_fact(item, &on_lane("moved"), "to be moved", FactValue::Quantity(moved)),
            desk.item_fact(item, &on_lane("cost_transfer"), "cost of the transfer", FactValue::Money(cost)),
            desk.item_fact(item, &on_lane("regret_transfer"), "cost of moving half of it back", FactValue::Money(regret)),
            desk.item_fact(item, &on_lane("risk_transfer"), "added lost margin of the donor", FactValue::Money(risk)),
        ];
        let latest = desk.from_today(short.days_left() as i32 - costs.transfer_days as i32);
        desk.proposals.push(Proposal {
            action: Action::Transfer { item: item.clone(), from: from.clone(), to: to.clone(), quantity: moved, ship_on },
            summary,
            after,
            cost,
            regret,
            value: cost,
            latest,
            cites,
        });
    }
}

fn expedites(desk: &mut Desk<'_>, short: &Short<'_>) {
    let view = desk.view;
    let costs = &view.config.costs;
    let due_later: Vec<_> = short.now.arrivals.iter().filter(|a| a.day > costs.transfer_days).take(LINES).collect();
    for arrival in due_later {
        let Some(line) = view.book.po_lines.get(&arrival.po_line) else { continue };
        let Some((_, new_date)) = projection::earliest_expedite(view, line) else { continue };
        let day = crate::domain::calendar::days_between(view.book.today, new_date).max(1) as u32;
        if day >= arrival.day {
            continue;
        }
        let Some(price) = line.price else {
            desk.miss(format!("price of {} on {}", view.book.item_label(&line.item), line.order_name), "the surcharge");
            continue;
        };
        let quantity = view.book.open_quantity(&line.id).min(Quantity::ceil_units(short.need()));
        let after = short.after(view, &short.now.with_moved(&line.id, quantity.to_f64(), day));
        let cost = costs.expedite_fixed + Money::from_f64((quantity * price).to_f64() * costs.expedite_rate);
        let summary = format!(
            "Ask {} to bring {quantity} units of {} on {} forward to {new_date}, surcharge at most {cost}.",
            view.book.supplier_name(&line.supplier),
            view.book.item_label(&line.item),
            line.order_name,
        );
        let source = line_ref(&line.id);
        let cites = vec![
            desk.fact(source.clone(), "price", &format!("price on {}", line.order_name), FactValue::Price(price)),
            desk.fact(source.clone(), "expedite_quantity", "to be brought forward", FactValue::Quantity(quantity)),
            desk.fact(source.clone(), "expedite_date", "earliest date if expedited", FactValue::Date(new_date)),
            desk.fact(source, "cost_expedite", "cost of expediting", FactValue::Money(cost)),
        ];
        let latest = desk.from_today((arrival.day as i32 - 2).min(short.days_left() as i32));
        desk.proposals.push(Proposal {
            action: Action::Expedite { po_line: line.id.clone(), quantity, new_date, surcharge_max: cost },
            summary,
            after,
            cost,
            regret: Money::ZERO,
            value: cost,
            latest,
            cites,
        });
    }
}

fn new_order(desk: &mut Desk<'_>, short: &Short<'_>) {
    let view = desk.view;
    let book = view.book;
    let (item, location) = short.place;
    let Some(offer) = projection::offer(book, item) else {
        desk.miss(format!("supplier with a valid price for {}", book.item_label(item)), "a purchase order");
        return;
    };
    let Some(price) = offer.price else {
        desk.miss(format!("supplier price of {}", book.item_label(item)), "the value of a purchase order");
        return;
    };
    let Some(lead) = projection::lead_time(book, item, &offer.supplier) else { return };
    let Some(levels) = projection::levels(view, short.place, &offer.supplier) else { return };
    let position = projection::position(book, short.place);
    let multiple = book.rule(item, location).map_or(1.0, |r| r.multiple.to_f64());
    let need = formulas::order_quantity(levels.up_to, position, offer.min_qty.to_f64(), multiple);
    let quantity = Quantity::ceil_units(need);
    if !quantity.is_positive() {
        return;
    }
    let day = (lead.days.ceil() as u32).max(1);
    let need_date = desk.from_today(day as i32);
    let after = short.after(view, &short.now.with_arrival(day, quantity.to_f64(), lead.sd));
    let Some(cost_each) = desk.cost(item) else { return };
    let (rate, rate_cite) = desk.holding(item);
    let held = formulas::holding_cost(quantity.to_f64(), cost_each.price.to_f64(), rate, 365.0);
    let regret = half(Money::from_f64(held));
    let cost = view.config.costs.order_fixed;
    let value = quantity * price;
    let summary = format!(
        "Order {quantity} units of {} for {} from {} at {price}, needed by {need_date}.",
        book.item_label(item),
        book.location_name(location),
        book.supplier_name(&offer.supplier),
    );
    let listed = RecordRef::new(RecordKind::SupplierPrice, offer.id.clone());
    let cites = vec![
        cost_each.cite,
        rate_cite,
        desk.fact(listed.clone(), "price", "supplier price", FactValue::Price(price)),
        desk.fact(listed, "min_qty", "least order", FactValue::Quantity(offer.min_qty)),
        desk.place_fact(item, location, "position", "available and on order", units(position)),
        desk.place_fact(item, location, "up_to", "order-up-to level", units(levels.up_to)),
        desk.place_fact(item, location, "reorder_point", "reorder point", units(levels.reorder)),
        desk.place_fact(item, location, "order_quantity", "to be ordered", FactValue::Quantity(quantity)),
        desk.place_fact(item, location, "order_value", "value of the order", FactValue::Money(value)),
        desk.item_fact(item, &format!("lead_time@{}", offer.supplier), "lead time of an order", FactValue::days(lead.days)),
        desk.place_fact(item, location, "regret_order", "holding it for half a year", FactValue::Money(regret)),
        desk.fact(item_ref(item), "cost_order", "cost of an order (setting)", FactValue::Money(cost)),
    ];
    let latest = desk.from_today(short.days_left() as i32 - day as i32);
    desk.proposals.push(Proposal {
        action: Action::NewPo {
            item: item.clone(),
            supplier: offer.supplier.clone(),
            quantity,
            price,
            need_date,
            destination: location.clone(),
        },
        summary,
        after,
        cost,
        regret,
        value,
        latest,
        cites,
    });
}

/// Asks after what is overdue.
fn questions(desk: &mut Desk<'_>, short: &Short<'_>) {
    for arrival in short.now.arrivals.iter().filter(|a| !a.firm) {
        ask_overdue(desk, &arrival.po_line, &keys(short.place));
    }
}

/// Asks the supplier of an overdue line when the rest will arrive. Lines of one order make one question.
pub(super) fn ask_overdue(desk: &mut Desk<'_>, po_line: &str, keys: &[String]) {
    let book = desk.view.book;
    let Some(line) = book.po_lines.get(po_line) else { return };
    let about = format!("order {}, which is past its promised day: when will the rest arrive", line.order_name);
    desk.contact(Question {
        role: "supplier",
        partner: line.supplier.as_str(),
        about: &about,
        keys,
        left: LEFT_AFTER_CONTACT,
        latest: desk.answer_by(),
        source: line_ref(po_line),
    });
}
