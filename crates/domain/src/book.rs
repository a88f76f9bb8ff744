//! The book: all records as they stood at one time, indexed the way the work asks for them.
//!
//! It answers questions of fact (how much is on hand, what is open, what was wanted on which day) and judges nothing.
//! What was not yet visible at `as_of` is not in it, so whatever is computed from it can not look ahead.
//!
//! It has two layers. The [supply](Supply) is what crosses items and is small: orders, receipts, bills, stock, terms, notices.
//! It is there whole, and shared. What customers order, take and bring back is large and hardly crosses items: a book has it
//! of some items only, or of all ([`Book::with_sales_of`]). What has to be known of everybody's sales all the same, such as the
//! first day or the working days of a location, is summed beforehand (`AllSales`). So the book of one item answers all
//! questions about that item as the book of everything would.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::calendar::{Calendar, plus_days};
use super::carried::CarriedRule;
use super::ids::{ItemId, LocationId};
use super::keyed::KeyedSales;
use super::money::Quantity;
use super::record::{DemandMonth, MoveKind, Record, SaleLine, StockMove};
use super::sales::{AllSales, SalesRows, SalesSums};
use super::supply::{Supply, SupplyRows};
use super::table::Table;
use super::waits::Waits;
use super::working::Weekdays;

/// An item at a location.
pub type Place = (ItemId, LocationId);

/// Records at one time: the supply of everything, and the sales of some items or of all.
#[derive(Clone, Debug)]
pub struct Book {
    supply: Arc<Supply>,
    all: Arc<AllSales>,
    /// Sale lines by id, of the book's items.
    pub sale_lines: Table<SaleLine>,
    /// Demand by month, oldest first, where it was summed in the ERP, of the book's items.
    pub demand_months: BTreeMap<Place, Vec<DemandMonth>>,
    /// What customers took and brought back, of the book's items.
    pub(super) sold: Table<StockMove>,
    pub(super) keyed_sales: KeyedSales,
    pub(super) carried: BTreeSet<Place>,
}

impl Deref for Book {
    type Target = Supply;

    fn deref(&self) -> &Supply {
        &self.supply
    }
}

impl Book {
    /// Indexes `records` as they stood at `as_of`, which is also the time it is.
    pub fn new(as_of: Timestamp, calendar: Calendar, records: impl IntoIterator<Item = Record>) -> Self {
        Self::looked_at(as_of, as_of, calendar, records)
    }

    /// Indexes `records` that were read up to `as_of` and are looked at at `now`. What was announced has a feed of its own:
    /// it is in the book up to `now`.
    pub fn looked_at(
        as_of: Timestamp,
        now: Timestamp,
        calendar: Calendar,
        records: impl IntoIterator<Item = Record>,
    ) -> Self {
        // A move may be told of twice and mean supply first and sales then, so moves are sorted out when all are known.
        let (mut supply, mut sales) = (SupplyRows::default(), SalesRows::default());
        let mut moves = Vec::new();
        for record in records {
            match record {
                Record::Move(r) => moves.push(r),
                record => {
                    if let Some(record) = sales.take(record) {
                        supply.add(record, now);
                    }
                }
            }
        }
        // Of a move that is there twice the last one stands, whichever layer it belongs to.
        for record in Table::of(moves).into_rows().map(Record::Move) {
            if let Some(record) = sales.take(record) {
                supply.add(record, now);
            }
        }
        let book = Self::of_supply(Arc::new(Supply::of(as_of, now, calendar, supply)));
        let items = book.items.keys().cloned().collect();
        book.with_rows(&items, sales).with_own_sums()
    }

    /// A book without any sales.
    fn of_supply(supply: Arc<Supply>) -> Self {
        Self {
            supply,
            all: Arc::default(),
            sale_lines: Table::default(),
            demand_months: BTreeMap::new(),
            sold: Table::default(),
            keyed_sales: KeyedSales::default(),
            carried: BTreeSet::new(),
        }
    }

    /// The book with the sales of `items`, in place of whatever sales it has: `records` are all that there are of these items'
    /// sale lines, months, deliveries and customers' returns. What is summed of all sales stays as it is.
    #[must_use]
    pub fn with_sales_of(&self, items: &BTreeSet<ItemId>, records: impl IntoIterator<Item = Record>) -> Self {
        let mut sales = SalesRows::default();
        for record in records {
            // Whatever is no sale stands in the supply.
            let _supply = sales.take(record);
        }
        let book = Self { all: Arc::clone(&self.all), ..Self::of_supply(Arc::clone(&self.supply)) };
        book.with_rows(items, sales)
    }

    fn with_rows(mut self, items: &BTreeSet<ItemId>, sales: SalesRows) -> Self {
        (self.sale_lines, self.sold, self.demand_months) = sales.into_tables();
        self.keyed_sales = KeyedSales::of(&self.sale_lines, &self.sold);
        self.carried = self.find_carried(items);
        self
    }

    /// The book with what is summed of all sales.
    #[must_use]
    pub fn with_sums(mut self, sums: &SalesSums) -> Self {
        self.all = Arc::new(sums.settled(&self.supply));
        self
    }

    /// The book with what was summed of all sales for another book.
    #[must_use]
    pub fn with_sums_of(mut self, other: &Self) -> Self {
        self.all = Arc::clone(&other.all);
        self
    }

    /// The book of all sales, with what they sum to.
    fn with_own_sums(self) -> Self {
        let mut sums = SalesSums::default();
        sums.add(&self);
        self.with_sums(&sums)
    }

    /// The book with other settings of its supply.
    fn with_supply(mut self, change: impl FnOnce(&mut Supply)) -> Self {
        change(Arc::make_mut(&mut self.supply));
        self
    }

    /// The first day on which anything was ordered or moved, opening stock aside. Where demand was summed, the first day with
    /// any: what is older is there only as far as it is still open.
    pub fn first_day(&self) -> Option<Date> {
        self.all.first_day
    }

    /// From when all single sale lines are known; None where there are none.
    pub fn lines_whole_from(&self) -> Option<Date> {
        self.all.lines_from
    }

    /// Is there any sale line at all, of whatever item?
    pub fn has_sale_lines(&self) -> bool {
        self.all.lines_from.is_some()
    }

    /// Was demand summed in the ERP, of whatever item?
    pub fn has_months(&self) -> bool {
        self.all.has_months
    }

    /// Are all single sale lines of a day read? Of older days only those that were still open are.
    pub fn detail_is_whole_on(&self, day: Date) -> bool {
        self.whole_from.is_none_or(|from| day >= from)
    }

    /// What customers took and brought back, of the book's items.
    pub fn sold_moves(&self) -> impl Iterator<Item = &StockMove> {
        self.sold.values()
    }

    /// Was an item ever sold or moved?
    pub fn is_used(&self, item: &ItemId) -> bool {
        self.locations_of_sales(item).next().is_some() || !self.locations_of_moves(item).is_empty()
    }

    /// Deliveries that customers had to wait for.
    pub fn waits(&self) -> Waits {
        self.all.waits
    }

    /// The weekdays on which locations work, where the records tell.
    pub fn working_days(&self) -> &BTreeMap<LocationId, Weekdays> {
        &self.all.working_days
    }

    /// Says of how many days up to today all single sale lines are read; the few that are older were still open. Without it
    /// they count from the first on.
    #[must_use]
    pub fn with_detail_days(self, days: u32) -> Self {
        let whole = plus_days(self.today, 1 - i32::try_from(days).unwrap_or(i32::MAX));
        let mut book = self.with_supply(|supply| supply.whole_from = Some(whole));
        let all = Arc::make_mut(&mut book.all);
        all.lines_from = all.lines_from.map(|from| from.max(whole));
        book
    }

    /// Says in which zones locations lie that are not in the business calendar's, by the location's code. A code that no
    /// location has is passed over: whoever configured it is told where the zones are read.
    #[must_use]
    pub fn with_zones(self, zones: &BTreeMap<String, TimeZone>) -> Self {
        // Which weekdays are worked on hangs on where a day begins.
        self.with_supply(|supply| supply.set_zones(zones)).with_own_sums()
    }

    /// Says which companies may transfer goods among each other: each entry names those that may, by name or by the ERP's id.
    #[must_use]
    pub fn with_trade(self, groups: &[Vec<String>]) -> Self {
        self.with_supply(|supply| supply.trade = groups.to_vec())
    }

    /// Says by what a location carries an item. Without it the usual rule holds.
    #[must_use]
    pub fn with_carried(self, rule: &CarriedRule) -> Self {
        let mut book = self.with_supply(|supply| supply.carried_rule = rule.clone());
        let items = book.items.keys().cloned().collect();
        book.carried = book.find_carried(&items);
        book
    }

    /// On hand now (OH): what the ERP states, and nothing where it states levels but none of this place; else what done moves
    /// add up to. Can be negative, as in the ERP.
    pub fn on_hand(&self, item: &ItemId, location: &LocationId) -> Quantity {
        if self.has_levels() {
            let level = self.stock_levels.get(&(item.clone(), location.clone()));
            return level.map_or(Quantity::ZERO, |level| level.on_hand);
        }
        self.moves_at(item, location).iter().filter(|m| m.done_at.is_some()).map(|m| signed(m, location)).sum()
    }

    /// Ordered by customers, confirmed, and not yet shipped: what is promised from the stock, or waits for it.
    pub fn waiting(&self, item: &ItemId, location: &LocationId) -> Quantity {
        self.moves_at(item, location)
            .iter()
            .filter(|m| m.kind == MoveKind::Delivery && m.done_at.is_none() && m.from.as_ref() == Some(location))
            .map(|m| m.qty)
            .sum()
    }

    /// Free to sell or to move: on the shelf less what customers wait for. Negative when they wait for more than there is.
    pub fn available(&self, item: &ItemId, location: &LocationId) -> Quantity {
        self.on_shelf(item, location) - self.waiting(item, location)
    }
}

/// A move's effect on a location's stock.
pub fn signed(m: &StockMove, location: &LocationId) -> Quantity {
    let arrives = if m.to.as_ref() == Some(location) { m.qty } else { Quantity::ZERO };
    let leaves = if m.from.as_ref() == Some(location) { m.qty } else { Quantity::ZERO };
    arrives - leaves
}

/// Sorts the ERP's numeric ids as numbers, and others behind them as text.
pub fn numeric(id: &str) -> (u64, &str) {
    (id.parse().unwrap_or(u64::MAX), id)
}
