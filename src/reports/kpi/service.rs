//! Stock and service: was there something to sell, was it where it was wanted, are the books right?
//!
//! From the book alone. Stock of past days is what stood on hand at their close: reservations of the past are not kept, so
//! available stock is known for today only.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::handled::{handled, labels, measured};
use super::rows::Rows;
use super::{Definition, Group, Kpi, Part, Period, Unit};
use crate::config::Config;
use crate::domain::action::{Action, Candidate};
use crate::domain::book::{Book, Place};
use crate::domain::calendar::{days_between, plus_days};
use crate::domain::exception::ExceptionType;
use crate::domain::record::{MoveKind, StockMove};
use crate::rules::detect::gather::Overview;
use crate::rules::detect::scores_since;

/// Days in which moved units should sell, and in which moving them back says that it was for nothing (handbook §10).
const TRANSFER_DAYS: i32 = 30;
/// Days after the order's day in which a unit that was in stock leaves.
const PICK_DAYS: i32 = 1;

const fn definition(id: &'static str, name: &'static str, formula: &'static str) -> Definition {
    Definition { id, group: Group::Service, name, formula, unit: Unit::Share }
}

const CYCLES: Definition =
    definition("service_level_cycle", "Service level (cycle)", "replenishment cycles without stock-out ÷ cycles");
const FILL: Definition = definition("fill_rate_units", "Fill rate (units)", "units served from stock ÷ units demanded");
const OUT: Definition = definition(
    "stockout_rate",
    "Stock-out rate",
    "item-location-days with nothing in stock and demand expected ÷ item-location-days with demand expected",
);
const SHELF: Definition = definition(
    "on_shelf_proxy",
    "On-shelf proxy",
    "1 − (stock-out + confirmed phantom item-days) ÷ item-days with demand expected",
);
const ACCURACY: Definition =
    definition("count_accuracy_lines", "Inventory accuracy (lines)", "count lines within tolerance ÷ count lines");
const VALUE_ACCURACY: Definition =
    definition("count_accuracy_value", "Inventory accuracy (value)", "1 − Σ abs(variance value) ÷ Σ book value");
const EXCESS: Definition = definition("excess_share", "Excess share", "value above the order-up-to level ÷ stock value");
const TRANSFER_MONEY: Definition = Definition {
    unit: Unit::Number,
    ..definition(
        "transfer_efficiency",
        "Transfer efficiency",
        "Σ lost margin avoided by transfers, measured at the horizon ÷ Σ their cost",
    )
};
const TRANSFER_SOLD: Definition = definition(
    "transfer_sold_30d",
    "Transferred and sold",
    "units transferred that sold at the receiver within 30 days ÷ units transferred",
);
const TRANSFER_BACK: Definition =
    definition("transfer_reversed_30d", "Transfers reversed", "transfers moved back within 30 days ÷ transfers");

pub(super) fn all(book: &Book, overview: &Overview, rows: &Rows, config: &Config, period: Period) -> Vec<Kpi> {
    let (out, shelf) = stockouts(book, overview, rows, config, period);
    let mut kpis = vec![cycles(book, period), fill(book, period), out, shelf];
    kpis.extend(accuracy(book, config, period));
    kpis.push(excess(book));
    kpis.extend(transfers(book, rows, period));
    kpis
}

/// The period as far as the book knows its days.
fn known(book: &Book, period: Period) -> Option<(Date, Date)> {
    let from = period.from.max(book.first_day()?);
    let to = period.to.min(book.closed);
    (from <= to).then_some((from, to))
}

/// A place's stock at the close of each day from `from` to `to`.
fn levels(book: &Book, place: &Place, from: Date, to: Date) -> Vec<f64> {
    let days = (days_between(from, to) + 1).max(0) as usize;
    book.on_hand_by_day(&place.0, &place.1, from).into_iter().take(days).collect()
}

fn day_done(book: &Book, m: &StockMove) -> Option<Date> {
    m.done_at.map(|at| book.calendar.day_of(at))
}

/// A cycle is the time between two receipts of an item at a location, supplier's and transferred ones alike.
fn cycles(book: &Book, period: Period) -> Kpi {
    let Some((from, to)) = known(book, period) else { return CYCLES.without("the book has no days of the period") };
    let (mut whole, mut clean) = (0, 0);
    for place in book.places() {
        let moves = book.moves_at(&place.0, &place.1);
        let comes =
            |m: &&&StockMove| matches!(m.kind, MoveKind::Receipt | MoveKind::Transfer) && m.to.as_ref() == Some(&place.1);
        let mut days: Vec<Date> = moves.iter().filter(comes).filter_map(|m| day_done(book, m)).collect();
        days.sort_unstable();
        // Two deliveries on one day fill the place once.
        days.dedup();
        let stock = levels(book, &place, from, to);
        // Whole cycles only: of one that began before the period its first days are not in the stock that was read.
        for pair in days.windows(2).filter(|pair| pair[1] >= from && pair[1] <= to && pair[0] >= from) {
            let (start, end) = (days_between(from, pair[0]) as usize, days_between(from, pair[1]) as usize);
            whole += 1;
            // The day of the next receipt belongs to the next cycle.
            clean += usize::from(stock.get(start..end).is_some_and(|days| days.iter().all(|level| *level > 0.0)));
        }
    }
    CYCLES.share(clean, whole, format!("{whole} cycles between two receipts of an item at a location, both in the period"))
}

/// A unit is served from stock when it leaves on the day it was ordered or the next.
fn fill(book: &Book, period: Period) -> Kpi {
    let Some((from, to)) = known(book, period) else { return FILL.without("the book has no days of the period") };
    // What was ordered yesterday may still leave today.
    let to = to.min(plus_days(book.today, -PICK_DAYS));
    let (mut demanded, mut served, mut lines) = (0.0, 0.0, 0);
    for line in book.sale_lines.values().filter(|l| l.qty.is_positive()) {
        let day = book.calendar.day_of(line.ordered_at);
        if day < from || day > to {
            continue;
        }
        let left: f64 = book
            .moves_of_sale_line(&line.id)
            .into_iter()
            .filter(|m| m.kind == MoveKind::Delivery)
            .filter(|m| day_done(book, m).is_some_and(|done| done <= plus_days(day, PICK_DAYS)))
            .map(|m| m.qty.to_f64())
            .sum();
        lines += 1;
        demanded += line.qty.to_f64();
        // What left beyond one order does not make up for what is missing on another.
        served += left.min(line.qty.to_f64());
    }
    let basis = format!("{demanded:.0} units on {lines} customers' order lines; served when shipped within {PICK_DAYS} day");
    FILL.of((demanded > 0.0).then(|| served / demanded), lines, basis)
}

fn stockouts(book: &Book, overview: &Overview, rows: &Rows, config: &Config, period: Period) -> (Kpi, Kpi) {
    let missing = "no day of the period has an expected demand";
    let Some(((from, to), first)) = known(book, period).zip(book.first_day()) else {
        return (OUT.without(missing), SHELF.without(missing));
    };
    let not_there = phantom_days(rows);
    let (mut days, mut out, mut phantom) = (0, 0, 0);
    let mut by_place: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for place in book.places() {
        // An empty place that nobody was going to ask is no stock-out.
        let wanted: Vec<Date> = scores_since(book, &config.rules, overview, &place, first)
            .into_iter()
            .filter(|s| s.learned_days > 0 && s.expected > 0.0 && s.day >= from && s.day <= to)
            .map(|s| s.day)
            .collect();
        if wanted.is_empty() {
            continue;
        }
        let stock = levels(book, &place, from, to);
        let is_out = |day: &Date| stock.get(days_between(from, *day) as usize).is_some_and(|level| *level <= 0.0);
        let (gone, there): (Vec<Date>, Vec<Date>) = wanted.iter().partition(|day| is_out(day));
        let empty = gone.len();
        days += wanted.len();
        out += empty;
        // A day on which the books are empty too is counted already.
        phantom += not_there.get(&place).map_or(0, |gaps| there.iter().filter(|day| gaps.contains(day)).count());
        let entry = by_place.entry(book.location_name(&place.1)).or_default();
        entry.0 += empty;
        entry.1 += wanted.len();
    }
    let parts = by_place.into_iter().map(|(name, (empty, n))| Part { name, value: empty as f64 / n as f64, n }).collect();
    let basis = format!("{days} item-location-days with expected demand, stock on hand at their close");
    let shelf = (days > 0).then(|| 1.0 - (out + phantom) as f64 / days as f64);
    (
        OUT.share(out, days, basis.clone()).with_parts(parts),
        SHELF.of(shelf, days, format!("{basis}; {phantom} of them with stock that was confirmed as not there")),
    )
}

/// Days on which stock was in a place's books that people confirmed nobody could buy, each once.
fn phantom_days(rows: &Rows) -> BTreeMap<Place, BTreeSet<Date>> {
    let real = labels(rows);
    let confirmed = rows.cases.values().filter(|case| real.get(&case.id) == Some(&true)).flat_map(|case| &case.exceptions);
    let mut days: BTreeMap<Place, BTreeSet<Date>> = BTreeMap::new();
    for signal in confirmed.filter_map(|id| rows.exceptions.get(id)).map(|e| &e.signal) {
        let Some(place) = signal.subject.item.clone().zip(signal.subject.location.clone()) else { continue };
        if signal.code == ExceptionType::IPhantom {
            let long = days_between(signal.from, signal.to).max(0);
            days.entry(place).or_default().extend((0..=long).map(|day| plus_days(signal.from, day)));
        }
    }
    days
}

fn accuracy(book: &Book, config: &Config, period: Period) -> Vec<Kpi> {
    let counts: Vec<&StockMove> = book
        .every_move()
        .into_iter()
        .filter(|m| m.kind == MoveKind::Count && day_done(book, m).is_some_and(|day| period.holds(day)))
        .collect();
    let cost = |m: &StockMove| book.cost(&m.item, m.from.as_ref().or(m.to.as_ref())?);
    let tolerances = &config.rules.tolerances;
    // Without a cost it is not known to be small, so it counts by its units alone.
    let small = counts.iter().filter(|m| {
        let value = cost(m).map_or(f64::INFINITY, |c| m.qty.to_f64().abs() * c.to_f64());
        m.qty.to_f64().abs() <= tolerances.count_units || value <= tolerances.count_value.to_f64()
    });
    let lines = ACCURACY.without(format!(
        "a count that agrees leaves no move in Odoo, so the lines counted are not known; {} differed, {} of them within \
         tolerance",
        counts.len(),
        small.count()
    ));
    let variance: f64 = counts.iter().filter_map(|m| Some(m.qty.to_f64().abs() * cost(m)?.to_f64())).sum();
    let stock = stock_value(book);
    let basis = format!("{} counts that differ, worth {variance:.2}; stock at cost today {stock:.2}", counts.len());
    vec![lines, VALUE_ACCURACY.of((stock > 0.0).then(|| 1.0 - variance / stock), book.items.len(), basis)]
}

fn stock_value(book: &Book) -> f64 {
    let value = |(item, location): &Place| {
        Some(book.on_hand(item, location).to_f64().max(0.0) * book.cost(item, location)?.to_f64())
    };
    book.places().iter().filter_map(value).sum()
}

/// What is in stock and on order above the ERP's own order-up-to level.
fn excess(book: &Book) -> Kpi {
    let (mut above, mut value, mut n) = (0.0, 0.0, 0);
    for (item, location) in book.places() {
        let cost = book.cost(&item, &location);
        let (Some(rule), Some(cost)) = (book.rule(&item, &location), cost) else { continue };
        let stock = book.on_hand(&item, &location).to_f64().max(0.0);
        let coming: f64 = book.incoming(&item, &location).iter().map(|i| i.qty.to_f64()).sum();
        let beyond = (book.available(&item, &location).to_f64() + coming - rule.max.to_f64()).max(0.0);
        n += 1;
        value += stock * cost.to_f64();
        // What is only on its way is no stock yet.
        above += beyond.min(stock) * cost.to_f64();
    }
    let basis = format!("{n} places with a reorder rule, today; available and on order above the rule's maximum, at cost");
    EXCESS.of((value > 0.0).then(|| above / value), n, basis)
}

fn transfers(book: &Book, rows: &Rows, period: Period) -> Vec<Kpi> {
    // What a transfer beside other steps brought can not be told from what the plan brought.
    let transfers_only = |plan: &Candidate| plan.actions().all(|action| matches!(action, Action::Transfer { .. }));
    let approved = handled(rows).into_iter().filter(|h| h.is_done(rows) && transfers_only(&h.rec.candidate));
    let (mut avoided, mut cost, mut n) = (0.0, 0.0, 0);
    for done in approved {
        if let Some(found) = measured(rows, done.rec) {
            n += 1;
            avoided += found.predicted - found.actual;
            cost += done.rec.candidate.money.cost.to_f64();
        }
    }
    let money = TRANSFER_MONEY.of(
        (cost > 0.0).then(|| avoided / cost),
        n,
        format!("{n} approved transfers that were carried out, measured at their horizon"),
    );
    // Thirty days must have passed, or what may still sell counts as unsold.
    let last = plus_days(book.today, -TRANSFER_DAYS);
    let mut done: Vec<(&StockMove, Date)> = book
        .every_move()
        .into_iter()
        .filter(|m| m.kind == MoveKind::Transfer)
        .filter_map(|m| Some((m, day_done(book, m)?)))
        .filter(|(_, day)| period.holds(*day) && *day <= last)
        .collect();
    done.sort_by(|a, b| (a.1, &a.0.id).cmp(&(b.1, &b.0.id)));
    let (mut moved, mut sold, mut back) = (0.0, 0.0, 0);
    // What one transfer has sold, another one to the same place can not have sold too: the earlier one goes first.
    let mut taken: BTreeMap<(Place, Date), f64> = BTreeMap::new();
    for (m, day) in &done {
        let (Some(from), Some(to)) = (&m.from, &m.to) else { continue };
        let after = book.demand_by_day(&m.item, to, plus_days(*day, 1));
        let mut left = m.qty.to_f64();
        moved += left;
        for (units, later) in after.iter().take(TRANSFER_DAYS as usize).zip(1..) {
            let used = taken.entry(((m.item.clone(), to.clone()), plus_days(*day, later))).or_default();
            let sells = (units.max(0.0) - *used).clamp(0.0, left);
            *used += sells;
            left -= sells;
            sold += sells;
        }
        let returned = |other: &&StockMove| {
            other.kind == MoveKind::Transfer
                && other.from.as_ref() == Some(to)
                && other.to.as_ref() == Some(from)
                && day_done(book, other).is_some_and(|back| back > *day && back <= plus_days(*day, TRANSFER_DAYS))
        };
        back += usize::from(book.moves_at(&m.item, to).iter().any(returned));
    }
    let basis = format!("{} transfers that are at least {TRANSFER_DAYS} days old", done.len());
    let told = format!("{basis}, {moved:.0} units; a unit counts as sold when as many were wanted there");
    vec![
        money,
        TRANSFER_SOLD.of((moved > 0.0).then(|| sold / moved), done.len(), told),
        TRANSFER_BACK.share(back, done.len(), basis),
    ]
}
