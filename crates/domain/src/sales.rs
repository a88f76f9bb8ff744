//! What customers ordered, took and brought back: the layer of a [book](super::book::Book) that is read item by item, and the
//! few things that have to be known of all of it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::book::{Book, Place};
use super::days::day_of;
use super::ids::LocationId;
use super::record::{DemandMonth, MoveKind, Record, SaleLine, StockMove};
use super::supply::Supply;
use super::table::Table;
use super::waits::Waits;
use super::working::{Weekdays, worked_weekdays};

/// Does a move belong to the sales? What goes to a customer or comes back from one, unless a purchase brought it: that belongs
/// to its order.
pub fn is_sale(m: &StockMove) -> bool {
    matches!(m.kind, MoveKind::Delivery | MoveKind::CustomerReturn) && m.po_line.is_none()
}

/// Does a record belong to the sales?
pub fn is_sale_record(record: &Record) -> bool {
    match record {
        Record::SaleLine(_) | Record::DemandMonth(_) => true,
        Record::Move(m) => is_sale(m),
        _ => false,
    }
}

/// Records of sales as they come in, before they are put in order.
#[derive(Default)]
pub(super) struct SalesRows {
    lines: Vec<SaleLine>,
    months: BTreeMap<Place, Vec<DemandMonth>>,
    moves: Vec<StockMove>,
}

impl SalesRows {
    /// Takes what is a sale and gives back what is not.
    pub(super) fn take(&mut self, record: Record) -> Option<Record> {
        match record {
            Record::SaleLine(r) => self.lines.push(r),
            Record::DemandMonth(r) => self.months.entry((r.item.clone(), r.location.clone())).or_default().push(r),
            Record::Move(r) if is_sale(&r) => self.moves.push(r),
            other => return Some(other),
        }
        None
    }

    pub(super) fn into_tables(self) -> (Table<SaleLine>, Table<StockMove>, BTreeMap<Place, Vec<DemandMonth>>) {
        let mut months = self.months;
        for of_place in months.values_mut() {
            of_place.sort_by_key(|m| m.month);
        }
        (Table::of(self.lines), Table::of(self.moves), months)
    }
}

/// What has to be known of everybody's sales to judge those of one item.
#[derive(Clone, Debug, Default)]
pub(super) struct AllSales {
    /// The first day on which anything was ordered or moved, opening stock aside.
    pub(super) first_day: Option<Date>,
    /// From when all single sale lines are known.
    pub(super) lines_from: Option<Date>,
    pub(super) has_months: bool,
    pub(super) waits: Waits,
    pub(super) working_days: BTreeMap<LocationId, Weekdays>,
}

/// The same while it is summed, book by book of some items each. The order makes no difference.
#[derive(Clone, Debug, Default)]
pub struct SalesSums {
    first_summed: Option<Date>,
    first_line: Option<Timestamp>,
    first_move: Option<Timestamp>,
    has_months: bool,
    waits: Waits,
    /// Days on which something was sold, taken or brought back.
    active: BTreeMap<LocationId, BTreeSet<Date>>,
}

fn earliest<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    one.into_iter().chain(other).min()
}

impl SalesSums {
    /// Adds the sales of a book.
    pub fn add(&mut self, book: &Book) {
        let first = |m: &DemandMonth| Some(day_of(m, *m.sold.keys().chain(m.returned.keys()).min()?));
        let summed = book.demand_months.values().flatten().filter_map(first).min();
        let line = book.sale_lines.values().map(|line| line.ordered_at).min();
        let moved = book.sold.values().filter_map(|m| m.done_at).min();
        let mut active = std::mem::take(&mut self.active);
        for line in book.sale_lines.values() {
            mark(&mut active, book, &line.location, line.ordered_at);
        }
        mark_moves(&mut active, book, book.sold.values());
        self.merge(Self {
            first_summed: summed,
            first_line: line,
            first_move: moved,
            has_months: !book.demand_months.is_empty(),
            waits: Waits::of(&book.calendar, book.sold.values()),
            active,
        });
    }

    /// Adds what was summed elsewhere.
    pub fn merge(&mut self, other: Self) {
        self.first_summed = earliest(self.first_summed, other.first_summed);
        self.first_line = earliest(self.first_line, other.first_line);
        self.first_move = earliest(self.first_move, other.first_move);
        self.has_months |= other.has_months;
        self.waits = self.waits.and(other.waits);
        for (location, days) in other.active {
            self.active.entry(location).or_default().extend(days);
        }
    }

    /// What it comes to, with what the supply adds.
    pub(super) fn settled(&self, supply: &Supply) -> AllSales {
        let moves = || supply.supply_moves.values();
        let moved = moves().filter(|m| m.kind != MoveKind::Opening).filter_map(|m| m.done_at).min();
        let first = [self.first_line, self.first_move, moved].into_iter().flatten().min();
        let first_day = self.first_summed.or_else(|| first.map(|at| supply.calendar.day_of(at)));
        let line = self.first_line.map(|at| supply.calendar.day_of(at));
        let mut active = self.active.clone();
        mark_moves(&mut active, supply, moves());
        AllSales {
            first_day,
            lines_from: line.map(|line| supply.whole_from.map_or(line, |whole| line.max(whole))),
            has_months: self.has_months,
            waits: self.waits.and(Waits::of(&supply.calendar, moves())),
            working_days: worked_weekdays(active, supply.today),
        }
    }
}

fn mark(active: &mut BTreeMap<LocationId, BTreeSet<Date>>, supply: &Supply, location: &LocationId, at: Timestamp) {
    let day = supply.calendar_of(location).day_of(at);
    match active.get_mut(location) {
        Some(days) => {
            days.insert(day);
        }
        None => {
            active.insert(location.clone(), BTreeSet::from([day]));
        }
    }
}

fn mark_moves<'m>(
    active: &mut BTreeMap<LocationId, BTreeSet<Date>>,
    supply: &Supply,
    moves: impl Iterator<Item = &'m StockMove>,
) {
    for m in moves {
        let Some(at) = m.done_at else { continue };
        for place in m.from.iter().chain(&m.to) {
            mark(active, supply, place, at);
        }
    }
}
