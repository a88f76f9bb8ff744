//! What stock will do at a place if nothing is done: receipts to come, lead times, the deepest shortage, what a donor can
//! spare. Used by the assessment and by the hard checks, so that both judge the same projection.
//!
//! A receipt is usable from the day after it arrives: its own day still counts as exposed.

use jiff::civil::Date;

use crate::scene::Scene;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::ids::{LocationId, SupplierId};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{PurchaseLine, SupplierPrice};
use reeve_domain::workings::Surplus;
use reeve_models::formulas;

/// Observations at which an item's own lead time weighs as much as its supplier's (handbook §3.2).
const SHRINK_K: f64 = 5.0;
/// Lead-time deviation as a share of the lead time where fewer than two receipts are known.
const UNKNOWN_LEAD_SD: f64 = 0.25;
/// Days between two orders to a supplier where fewer than three orders are known.
const REVIEW_DAYS: f64 = 7.0;
/// Standard normal deviate of the 90th percentile.
pub(super) const Z90: f64 = 1.281_6;

/// How long an order takes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct LeadTime {
    /// Mean days from order to receipt.
    pub days: f64,
    /// Its deviation.
    pub sd: f64,
    /// Receipts of this item behind it.
    pub n: usize,
}

/// A receipt to come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Arrival {
    pub po_line: String,
    /// Days from today.
    pub day: u32,
    pub qty: f64,
    /// Deviation of the day.
    pub sd: f64,
    /// Is the promise still ahead?
    pub firm: bool,
}

/// Stock and receipts of a place, as they are or as an action would make them.
#[derive(Clone, Debug)]
pub(super) struct Projection {
    pub place: Place,
    /// Free units: for those who have not asked yet.
    pub supply: f64,
    /// Units that customers have ordered and that are not there. What arrives is theirs first.
    pub waiting: f64,
    pub arrivals: Vec<Arrival>,
}

/// The deepest expected shortage up to a day.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Shortage {
    /// Expected units short.
    pub units: f64,
    /// At the 10th percentile of demand, with the receipt early.
    pub low: f64,
    /// At the 90th percentile of demand, with the receipt late.
    pub high: f64,
    /// Days of the window that makes it.
    pub days: u32,
    /// Mean demand in it.
    pub mu: f64,
    /// Deviation, lead-time doubt included.
    pub sigma: f64,
    /// Units to serve it from.
    pub supply: f64,
}

impl Projection {
    /// The place as it is in the book.
    pub(super) fn now(scene: &Scene<'_>, place: &Place) -> Self {
        let available = scene.book.available(&place.0, &place.1).to_f64();
        // What the books lack beyond what is waited for is their own fault: nobody is lost by it, but what comes fills it.
        let waiting = (-available).clamp(0.0, scene.book.waiting(&place.0, &place.1).to_f64().max(0.0));
        Self { place: place.clone(), supply: available + waiting, waiting, arrivals: arrivals(scene.book, place) }
    }

    /// The same with one more receipt.
    pub(super) fn with_arrival(&self, day: u32, qty: f64, sd: f64) -> Self {
        let mut changed = self.clone();
        changed.arrivals.push(Arrival { po_line: String::new(), day, qty, sd, firm: true });
        changed.arrivals.sort_by_key(|a| a.day);
        changed
    }

    /// The same with `qty` of a line's receipt on another day.
    pub(super) fn with_moved(&self, po_line: &str, qty: f64, day: u32) -> Self {
        let mut changed = self.clone();
        // The rest of the line still comes on its own day, so a part of it can be brought forward alone.
        for arrival in changed.arrivals.iter_mut().filter(|a| a.po_line == po_line) {
            arrival.qty -= qty.min(arrival.qty);
        }
        changed.arrivals.retain(|a| a.qty > 0.0);
        changed.with_arrival(day, qty, 0.0)
    }

    /// The same with other stock.
    pub(super) fn with_supply(&self, supply: f64) -> Self {
        Self { supply, ..self.clone() }
    }

    /// Is nothing left for whoever asks next?
    pub(super) fn is_out(&self) -> bool {
        self.supply - self.waiting <= 0.0
    }

    /// The first receipt, or day `until`: the day on which those who wait are served if nobody does anything.
    pub(super) fn first_arrival(&self, until: u32) -> u32 {
        self.arrivals.iter().map(|a| a.day).fold(until, u32::min)
    }

    /// Units that are waited for, each by the share of its wait until day `relief` that is over when it is served.
    pub(super) fn waited(&self, relief: u32) -> f64 {
        let (mut left, mut sum) = (self.waiting, 0.0);
        for arrival in &self.arrivals {
            let served = arrival.qty.clamp(0.0, left);
            sum += served * formulas::waited_share(f64::from(arrival.day), f64::from(relief));
            left -= served;
        }
        sum + left
    }

    /// The day on which demand has used up what is free and what has come by then; None where it does not within `days`.
    pub(super) fn run_out(&self, scene: &Scene<'_>, days: u32) -> Option<u32> {
        (1..=days).find(|&day| scene.outlook.window(&self.place, 0, day).0 > self.free_by(day) + 1e-9)
    }

    /// Free units to serve the days up to `day` from: those who wait are served first.
    fn free_by(&self, day: u32) -> f64 {
        let came: f64 = self.arrivals.iter().filter(|a| a.day < day).map(|a| a.qty).sum();
        self.supply + (came - self.waiting).max(0.0)
    }

    /// Units short at the end of the worst window up to day `until`: each window ends with a receipt or with `until`.
    pub(super) fn shortage(&self, scene: &Scene<'_>, until: u32, until_sd: f64) -> Shortage {
        let mut ends: Vec<(u32, f64)> = self.arrivals.iter().filter(|a| a.day <= until).map(|a| (a.day, a.sd)).collect();
        ends.push((until, until_sd));
        // Each receipt ends a window: what is missing is deepest just before
        // goods come, and what was lost then is not made good after.
        let mut worst = Shortage { supply: self.supply, ..Shortage::default() };
        for (day, sd) in ends {
            let found = self.window(scene, day, sd);
            if found.units > worst.units {
                worst = found;
            }
        }
        worst
    }

    /// The window from now to the close of day `day`.
    fn window(&self, scene: &Scene<'_>, day: u32, sd: f64) -> Shortage {
        let supply = self.free_by(day);
        let (mu, demand_sigma) = scene.outlook.window(&self.place, 0, day);
        // A receipt that may come days later lengthens the window by as much demand.
        let per_day = if day > 0 { mu / f64::from(day) } else { 0.0 };
        let sigma = (demand_sigma.powi(2) + (per_day * sd).powi(2)).sqrt();
        let at = |shift: f64, z: f64| {
            let days = (f64::from(day) + shift).round().max(0.0) as u32;
            let (mu, sigma) = scene.outlook.window(&self.place, 0, days);
            ((mu + z * sigma).max(0.0) - supply).max(0.0)
        };
        Shortage {
            units: formulas::expected_shortage(mu, sigma, supply),
            low: at(-sd, -Z90),
            high: at(sd, Z90),
            days: day,
            mu,
            sigma,
            supply,
        }
    }
}

/// Days as the calendar counts them.
pub(super) fn in_days(days: u32) -> i32 {
    i32::try_from(days).unwrap_or(i32::MAX)
}

/// The deviate of the configured service level.
pub(super) fn service_z(scene: &Scene<'_>) -> f64 {
    formulas::normal_quantile(scene.settings.detect.service_level)
}

/// The supplier's offer an order for a place would go by: valid today for its company, the preferred first.
pub(super) fn offer<'b>(book: &'b Book, place: &Place) -> Option<&'b SupplierPrice> {
    book.supplier_prices_at(&place.0, &place.1, book.today).into_iter().next()
}

/// The step of a supplier's price list by which an order of `need` units in whole packs goes, and the quantity that it then comes to.
pub(super) fn ordered_by<'b>(
    book: &'b Book,
    place: &Place,
    supplier: &SupplierId,
    need: f64,
) -> Option<(&'b SupplierPrice, Quantity)> {
    let multiple = book.rule(&place.0, &place.1).map_or(1.0, |rule| rule.multiple.to_f64());
    let packs = |least: f64| Quantity::ceil_units(formulas::order_quantity(need, 0.0, least, multiple));
    let step = book.price_step(place, supplier, packs(0.0))?;
    Some((step, packs(step.min_qty.to_f64())))
}

/// What an order brings beyond the need where that is a unit or more: what a least order or a whole pack leaves over lies here only
/// because it is ordered. `target` is what sells before it does.
pub(super) fn beyond(scene: &Scene<'_>, place: &Place, units: f64, target: f64, cost: UnitPrice) -> Option<Surplus> {
    let (daily, sigma) = scene.outlook.per_day(place);
    (units >= 1.0).then_some(Surplus { units, daily, sigma, cost, target })
}

/// What holding it costs (handbook §3.4).
pub(super) fn held(scene: &Scene<'_>, beyond: Option<&Surplus>) -> Money {
    let cost = |of: &Surplus| {
        let t0 = if of.daily > 0.0 { of.target / of.daily } else { 0.0 };
        formulas::excess_cost(of.units, of.daily, of.cost.to_f64(), scene.settings.money.holding_rate, t0)
    };
    Money::from_f64(beyond.map_or(0.0, cost))
}

/// Days from order to first receipt, for lines that have one.
fn observed_days(book: &Book, line: &PurchaseLine) -> Option<f64> {
    let first = book.receipts(&line.id).first().and_then(|m| m.done_at)?;
    let ordered = book.calendar.day_of(line.ordered_at);
    Some(f64::from(days_between(ordered, book.calendar.day_of(first)).max(0)))
}

/// Lead time of an item from a supplier: its receipts shrunk to the supplier's mean, else the days on the price list. What
/// the supplier does for another company says nothing about this one.
pub(super) fn lead_time(book: &Book, place: &Place, supplier: &SupplierId) -> Option<LeadTime> {
    let (item, location) = place;
    let mut own = Vec::new();
    let mut all = Vec::new();
    let ours = |l: &&PurchaseLine| l.confirmed && book.same_company(&l.location, location);
    for line in book.lines_of_supplier(supplier).into_iter().filter(ours) {
        if let Some(days) = observed_days(book, line) {
            all.push(days);
            if &line.item == item {
                own.push(days);
            }
        }
    }
    let listed = book.supplier_prices_at(item, location, book.today).into_iter().find(|p| &p.supplier == supplier);
    // Nothing received yet: the price list is all there is, with a doubt that is set.
    if all.is_empty() {
        let days = f64::from(listed?.lead_days);
        return Some(LeadTime { days, sd: UNKNOWN_LEAD_SD * days, n: 0 });
    }
    let (pooled, pooled_sd) = formulas::mean_sd(&all);
    let mean = if own.is_empty() { pooled } else { formulas::mean_sd(&own).0 };
    let days = formulas::shrunk_mean(own.len() as f64, mean, SHRINK_K, pooled);
    Some(LeadTime { days, sd: pooled_sd.unwrap_or(UNKNOWN_LEAD_SD * days), n: own.len() })
}

/// Mean and deviation of a supplier's days after the first promise to the company of a location; (0, 1) where fewer than two
/// receipts are known.
pub(super) fn lateness(book: &Book, supplier: &SupplierId, location: &LocationId) -> (f64, f64) {
    let late: Vec<f64> = book
        .lines_of_supplier(supplier)
        .into_iter()
        .filter(|l| book.same_company(&l.location, location))
        .filter_map(|l| {
            let first = book.receipts(&l.id).first().and_then(|m| m.done_at)?;
            Some(f64::from(days_between(book.calendar.day_of(l.promised_first), book.calendar.day_of(first))))
        })
        .collect();
    match formulas::mean_sd(&late) {
        (mean, Some(sd)) => (mean, sd),
        _ => (0.0, 1.0),
    }
}

/// Receipts to come at a place, on the days the book expects them. A promise that has passed is no promise: not firm.
pub(super) fn arrivals(book: &Book, place: &Place) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = book
        .incoming(&place.0, &place.1)
        .into_iter()
        .map(|i| {
            let late = book.po_lines.get(&i.po_line).map_or((0.0, 1.0), |l| lateness(book, &l.supplier, &l.location));
            let firm = i.promised > book.today;
            // Tomorrow at the earliest: what should have come today and did not is not on the shelf today.
            let day = days_between(book.today, book.expected_on(i.promised)).max(1) as u32;
            Arrival { po_line: i.po_line, day, qty: i.qty.to_f64(), sd: late.1, firm }
        })
        .collect();
    arrivals.sort_by_key(|a| a.day);
    arrivals
}

/// Days between two orders from a supplier to a location: the median gap, held to 1 to 14 days.
pub(super) fn review_days(book: &Book, supplier: &SupplierId, location: &LocationId) -> f64 {
    let mut days: Vec<Date> = book
        .lines_of_supplier(supplier)
        .into_iter()
        .filter(|l| &l.location == location && l.confirmed)
        .map(|l| book.calendar.day_of(l.ordered_at))
        .collect();
    days.sort();
    // Two orders of one day are one opportunity to order.
    days.dedup();
    let gaps: Vec<f64> = days.windows(2).map(|w| f64::from(days_between(w[0], w[1]))).collect();
    if gaps.len() < 2 { REVIEW_DAYS } else { formulas::median(&gaps).unwrap_or(REVIEW_DAYS).clamp(1.0, 14.0) }
}

/// The order-up-to level at a place, and the reorder point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Levels {
    pub up_to: f64,
    pub reorder: f64,
    pub safety: f64,
    pub mu_d: f64,
}

/// Levels from the outlook, lead time and review period. None where no supplier's lead time is known.
pub(super) fn levels(scene: &Scene<'_>, place: &Place, supplier: &SupplierId) -> Option<Levels> {
    let lead = lead_time(scene.book, place, supplier)?;
    let review = review_days(scene.book, supplier, &place.1);
    let (mu_d, sigma_d) = scene.outlook.per_day(place);
    let z = service_z(scene);
    // The level has to last until the order after next arrives, the
    // reorder point only until the next: two windows, two doubts.
    let (_, sigma) = formulas::protection_demand(mu_d, sigma_d, lead.days, lead.sd, review);
    let safety = formulas::safety_stock(z, sigma);
    let (mu_ltd, sigma_ltd) = formulas::lead_time_demand(mu_d, sigma_d, lead.days, lead.sd);
    Some(Levels {
        up_to: formulas::order_up_to(mu_d, lead.days, review, safety),
        reorder: formulas::reorder_point(mu_ltd, formulas::safety_stock(z, sigma_ltd)),
        safety,
        mu_d,
    })
}

/// All that is on order, exactly.
pub(super) fn on_order(book: &Book, place: &Place) -> Quantity {
    book.incoming(&place.0, &place.1).iter().map(|i| i.qty).sum()
}

/// Available plus all that is on order.
pub(super) fn position(book: &Book, place: &Place) -> f64 {
    (book.available(&place.0, &place.1) + on_order(book, place)).to_f64()
}

/// What a donor needs itself, and what it can spare.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Spare {
    /// Whole units it can give.
    pub units: f64,
    pub available: f64,
    /// Days until its own next receipt, or until an order placed today would arrive.
    pub days: u32,
    pub daily: f64,
    pub safety: f64,
}

/// What `place` can spare. Nothing where its demand is not forecast: what is unknown is not spare. Where the item is not carried
/// nobody will ask for it.
pub(super) fn spare(scene: &Scene<'_>, place: &Place) -> Spare {
    if !scene.outlook.daily.contains_key(place) && scene.book.carries(&place.0, &place.1) {
        return Spare::default();
    }
    let book = scene.book;
    let available = book.available(&place.0, &place.1).to_f64();
    // Only a firm receipt refills the donor: what is overdue may not come, and would empty its shelf.
    let next = arrivals(book, place).iter().find(|a| a.firm).map(|a| a.day);
    let days = next
        .or_else(|| {
            let lead = lead_time(book, place, &offer(book, place)?.supplier)?;
            Some(lead.days.ceil() as u32)
        })
        .unwrap_or(scene.settings.detect.horizon_days)
        .max(1);
    let (daily, sigma_d) = scene.outlook.per_day(place);
    let safety = formulas::safety_stock(service_z(scene), formulas::window_sigma(f64::from(days), sigma_d, daily, 0.0));
    // What other cases have been promised is gone, whatever the books still say.
    let promised = scene.promised.get(place).map_or(0.0, |q| q.to_f64());
    let units = formulas::transferable(available - promised, daily, f64::from(days), safety).floor();
    Spare { units, available, days, daily, safety }
}

/// The earliest day an open line can be brought forward to: the configured share of the remaining time is saved at most. A kit
/// comes as its components, all on one day.
pub(super) fn earliest_expedite(scene: &Scene<'_>, line: &PurchaseLine) -> Option<(u32, Date)> {
    let components = scene.book.components(&line.id).into_iter().map(|(item, _)| item);
    let places = components.chain([&line.item]).map(|item| (item.clone(), line.location.clone()));
    let arrival = places.flat_map(|place| arrivals(scene.book, &place)).find(|a| a.po_line == line.id)?;
    Some((arrival.day, plus_days(scene.book.today, in_days(expedited(scene, arrival.day, 0)))))
}

/// The day to which a receipt on day `arrival` can be brought forward if that is decided `wait` days from now: the supplier
/// hears of it the day after, and only what is left of the time then can be shortened.
pub(super) fn expedited(scene: &Scene<'_>, arrival: u32, wait: u32) -> u32 {
    let left = f64::from(arrival.saturating_sub(1 + wait));
    wait + 1 + (left * (1.0 - scene.settings.costs.expedite_saves)).ceil() as u32
}
