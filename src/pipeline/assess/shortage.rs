//! Shortages: what is lost while a place has too little (handbook §3.4). What brings more, or brings it sooner, is in
//! `replenish`.
//!
//! The loss has two parts. `lost:item@loc` runs until the first receipt or until an order placed today would arrive,
//! whichever is earlier. `unordered:item@loc` is what waiting until the usual next order adds; it counts only where an order
//! is due now (the position is below the reorder point), and only a new order saves it.

use std::collections::BTreeMap;

use crate::domain::action::Range;
use crate::domain::book::Place;
use crate::domain::calendar::plus_days;
use crate::domain::evidence::FactValue;
use crate::domain::ids::FactId;
use crate::domain::money::Money;
use crate::domain::record::{RecordKind, RecordRef};
use crate::domain::workings::{self, Made};
use crate::models::formulas;
use crate::pipeline::view::CaseView;

use super::desk::{Desk, Left, line_ref, range, units};
use super::frozen;
use super::next_order;
use super::projection::{self, Projection, Shortage, Z90};
use super::replenish;

/// By how much the share of recaptured sales may be off either way (handbook §6 rule 3).
const RECAPTURE_DOUBT: f64 = 0.1;
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
            // The next order is placed by the ERP's minimum and in the shop's rhythm, and comes a lead time later.
            let last = (until + next_order::days_to_next_order(view, place, supplier)).min(horizon);
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

    /// The stake with the stock and receipts it was taken on, as it is frozen.
    fn frozen(&self, now: &Projection) -> workings::Stake {
        workings::Stake {
            margin: self.margin,
            cap: Some(self.cap).filter(|cap| cap.is_finite()),
            until: self.until,
            until_sd: self.until_sd,
            unordered: self.unordered,
            supply: now.supply,
            receipts: frozen::receipts(now),
        }
    }

    /// Days that any of its windows looks at, with late receipts.
    fn days(&self, view: &CaseView<'_>, now: &Projection) -> u32 {
        let last = self.unordered.unwrap_or(0).max(self.until).max(view.config.costs.transfer_days + 1);
        let latest = now.arrivals.iter().map(|a| a.sd).fold(self.until_sd, f64::max);
        last + latest.ceil() as u32
    }

    pub(super) fn money(&self, shortage: &Shortage) -> Range {
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

/// What a line's coming `days` later than expected adds to the loss at its place, with the shortage as it is. None where the
/// money is unknown.
pub(super) fn added_by_slip(
    desk: &mut Desk<'_>,
    place: &Place,
    po_line: &str,
    days: u32,
) -> Option<(Range, workings::Stake)> {
    let view = desk.view;
    let margin = view.book.items.get(&place.0)?.margin()?.to_f64().max(0.0);
    let now = Projection::now(view, place);
    let arrival = now.arrivals.iter().find(|a| a.po_line == po_line)?;
    let stake = Stake::of(view, place, margin, Need { cap: Some(arrival.qty), reorder: false });
    let (lost, _) = stake.loss(view, &now);
    let (slipped, _) = stake.loss(view, &now.with_moved(po_line, arrival.qty, arrival.day + days));
    frozen::forecast(desk, place, stake.days(view, &now));
    Some((beyond(slipped, lost), stake.frozen(&now)))
}

/// The keys of the two parts at a place.
pub(super) fn keys(place: &Place) -> [String; 2] {
    [format!("lost:{}@{}", place.0, place.1), format!("unordered:{}@{}", place.0, place.1)]
}

/// One place's stake with everything its actions need.
pub(super) struct Short<'p> {
    pub place: &'p Place,
    pub stake: Stake,
    pub now: Projection,
    pub lost: Range,
    more: Range,
    worst: Shortage,
    pub margin: f64,
}

impl Short<'_> {
    pub(super) fn after(&self, view: &CaseView<'_>, projection: &Projection) -> BTreeMap<String, Left> {
        let (lost, more) = self.stake.loss(view, projection);
        let [lost_key, more_key] = keys(self.place);
        BTreeMap::from([
            (lost_key, Left::Amount(at_most(lost, self.lost))),
            (more_key, Left::Amount(at_most(more, self.more))),
        ])
    }

    /// Days until relief comes by itself: the first receipt, or an order placed now.
    pub(super) fn relief(&self) -> u32 {
        self.now.arrivals.iter().map(|a| a.day).fold(self.stake.until, u32::min)
    }

    /// Days until which the loss is counted.
    pub(super) fn until(&self) -> u32 {
        self.stake.unordered.unwrap_or(self.stake.until)
    }

    /// Whole units that cover the worst window nine times in ten.
    pub(super) fn need(&self) -> f64 {
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
    let at = frozen::name(place);
    frozen::forecast(desk, place, stake.days(view, &now));
    desk.workings.shortages.insert(at.clone(), stake.frozen(&now));
    let mut lost_cites = cites.clone();
    lost_cites.push(lost_cite);
    desk.lose_by(&lost_key, format!("lost margin on {name}"), lost, lost_cites, Made::Lost { place: at.clone() });
    if let Some(second) = second.as_ref().filter(|_| more.expected > Money::ZERO) {
        let mut more_cites = cites;
        more_cites.extend(lay_out(desk, place, &now, second, "unordered"));
        // It is a sum on the assumption that nobody orders before: it says so.
        let label = "lost margin that waiting for the next usual order adds";
        more_cites.push(desk.place_fact(item, location, "unordered_margin", label, FactValue::Money(more.expected)));
        let next = projection::offer(view.book, item)
            .map(|offer| next_order::days_to_next_order(view, place, &offer.supplier))
            .map(|days| plus_days(view.book.today, projection::in_days(days)));
        let assumed = next.map_or_else(String::new, |day| format!(" if nobody orders before {day}"));
        if let Some(day) = next {
            let label = "next order in the shop's rhythm, below the ERP's minimum where it has one";
            more_cites.push(desk.place_fact(item, location, "next_order", label, FactValue::Date(day)));
        }
        desk.lose_by(&more_key, format!("{label}{assumed}: {name}"), more, more_cites, Made::Unordered { place: at });
    }
    let worst = second.filter(|s| s.units > first.units).unwrap_or(first);
    let short = Short { place, stake, now, lost, more, worst, margin };
    if worst.units >= LEAST_UNITS {
        replenish::transfers(desk, &short);
        replenish::expedites(desk, &short);
    }
    if need.reorder {
        replenish::new_order(desk, &short);
    }
    replenish::questions(desk, &short);
    if desk.watch.is_none() {
        // Above the safety stock nothing is wrong yet.
        let available = view.book.available(item, location).to_f64();
        let safety = projection::offer(view.book, item)
            .and_then(|o| projection::levels(view, place, &o.supplier))
            .map_or(0.0, |l| l.safety.min(available).max(0.0).floor());
        desk.place_fact(item, location, "watch_level", "safety stock to watch", units(safety));
        desk.watch = Some(format!("available stock of {name} falls below {safety:.0} or a promised receipt moves"));
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
        if let Some(announced) = book.announced(&line.id) {
            let source = RecordRef::new(RecordKind::Notice, announced.notice.clone());
            let label = format!("announced for {}", line.order_name);
            cites.push(desk.fact(source, &format!("new_date@{}", line.id), &label, FactValue::Date(announced.date)));
        }
        if !arrival.firm {
            let expected = FactValue::Date(plus_days(book.today, projection::in_days(arrival.day)));
            cites.push(desk.fact(line_ref(&line.id), "expected", "assumed receipt, the promise has passed", expected));
        }
    }
    cites
}
