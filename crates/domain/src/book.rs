//! The book: all records as they stood at one time, indexed the way the work asks for them.
//!
//! It answers questions of fact (how much is on hand, what is open, what was wanted on which day) and judges nothing.
//! What was not yet visible at `as_of` is not in it, so whatever is computed from it can not look ahead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::ahead::Habits;
use super::announced::Announced;
use super::bill::{TakenBack, by_note, taken_back};
use super::calendar::{Calendar, plus_days};
use super::carried::CarriedRule;
use super::days::day_of;
use super::ids::{ItemId, LocationId, SupplierId};
use super::keyed::Keyed;
use super::money::Quantity;
use super::notice::Notice;
use super::record::{
    BillLine, DemandMonth, Item, Location, MoveKind, Promotion, PurchaseLine, Record, ReorderRule, SaleLine, StockLevel,
    StockMove, Supplier, SupplierPrice,
};
use super::repeat::Repeats;
use super::table::Table;
use super::waits::Waits;
use super::working::Weekdays;

/// An item at a location.
pub type Place = (ItemId, LocationId);

/// Records as they come in, before they are put in order.
#[derive(Default)]
struct Rows {
    po_lines: Vec<PurchaseLine>,
    draft_lines: Vec<PurchaseLine>,
    moves: Vec<StockMove>,
    bill_lines: Vec<BillLine>,
    sale_lines: Vec<SaleLine>,
}

/// All records at one time.
#[derive(Clone, Debug)]
pub struct Book {
    /// The records were read up to here.
    pub as_of: Timestamp,
    /// The business day it is: it may have hardly begun, and be a later one than that of `as_of`, where nobody has read since.
    pub today: Date,
    /// The last business day that was over at `as_of`. Demand, levels and runs end with it: a day that still runs says
    /// nothing yet about how much is sold in a day.
    pub closed: Date,
    /// The business calendar.
    pub calendar: Calendar,
    /// Calendars of the locations whose days begin and end at another hour than the business calendar's.
    calendars: BTreeMap<LocationId, Calendar>,
    /// Items by id.
    pub items: BTreeMap<ItemId, Item>,
    /// Locations by id.
    pub locations: BTreeMap<LocationId, Location>,
    /// Suppliers by id.
    pub suppliers: BTreeMap<SupplierId, Supplier>,
    /// Purchase lines by id.
    pub po_lines: Table<PurchaseLine>,
    /// Lines of orders that are still drafts, by id: they bind nobody and bring nothing.
    pub draft_lines: Table<PurchaseLine>,
    /// Stock moves by id.
    pub moves: Table<StockMove>,
    /// Bill lines by id.
    pub bill_lines: Table<BillLine>,
    /// Sale lines by id.
    pub sale_lines: Table<SaleLine>,
    /// What was announced, by id.
    pub notices: BTreeMap<String, Notice>,
    /// Stock as the ERP states it, where it does.
    pub stock_levels: BTreeMap<Place, StockLevel>,
    /// Demand by month, oldest first, where it was summed in the ERP.
    pub demand_months: BTreeMap<Place, Vec<DemandMonth>>,
    /// Deliveries that customers had to wait for.
    pub waits: Waits,
    /// The weekdays on which locations work, where the records tell.
    pub working_days: BTreeMap<LocationId, Weekdays>,
    pub(super) receiving_days: BTreeMap<LocationId, Weekdays>,
    /// From when all single sale lines are known; None where there are none.
    pub(super) detail_from: Option<Date>,
    first_day: Option<Date>,
    pub(super) supplier_prices: BTreeMap<ItemId, Vec<SupplierPrice>>,
    pub(super) rules: BTreeMap<Place, ReorderRule>,
    pub(super) promotions: BTreeMap<ItemId, Vec<Promotion>>,
    pub(super) keyed: Keyed,
    /// Names of kits that are no items themselves.
    kit_names: BTreeMap<ItemId, String>,
    pub(super) announced: BTreeMap<String, Announced>,
    pub(super) taken_back: BTreeMap<String, TakenBack>,
    /// By credit note: the bills that it takes back.
    pub(super) bills_of_note: BTreeMap<String, Vec<String>>,
    pub(super) repeats: OnceLock<Repeats>,
    pub(super) habits: OnceLock<Habits>,
    pub(super) carried: BTreeSet<Place>,
    pub(super) trade: Vec<Vec<String>>,
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
        let today = calendar.day_of(now);
        let mut book = Self {
            as_of,
            today,
            closed: calendar.closed_at(as_of),
            calendar,
            calendars: BTreeMap::new(),
            items: BTreeMap::new(),
            locations: BTreeMap::new(),
            suppliers: BTreeMap::new(),
            po_lines: Table::default(),
            draft_lines: Table::default(),
            moves: Table::default(),
            bill_lines: Table::default(),
            sale_lines: Table::default(),
            notices: BTreeMap::new(),
            stock_levels: BTreeMap::new(),
            demand_months: BTreeMap::new(),
            waits: Waits::default(),
            working_days: BTreeMap::new(),
            receiving_days: BTreeMap::new(),
            detail_from: None,
            first_day: None,
            supplier_prices: BTreeMap::new(),
            rules: BTreeMap::new(),
            promotions: BTreeMap::new(),
            keyed: Keyed::default(),
            kit_names: BTreeMap::new(),
            announced: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            bills_of_note: BTreeMap::new(),
            repeats: OnceLock::new(),
            habits: OnceLock::new(),
            carried: BTreeSet::new(),
            trade: Vec::new(),
        };
        let mut rows = Rows::default();
        for record in records {
            book.add(record, now, &mut rows);
        }
        book.po_lines = Table::of(rows.po_lines);
        book.draft_lines = Table::of(rows.draft_lines);
        book.moves = Table::of(rows.moves);
        book.bill_lines = Table::of(rows.bill_lines);
        book.sale_lines = Table::of(rows.sale_lines);
        book.index();
        book.detail_from = book.sale_lines.values().map(|line| line.ordered_at).min().map(|at| book.calendar.day_of(at));
        book.first_day = book.find_first_day();
        book.announced = book.newest_dates();
        book.taken_back = taken_back(&book);
        book.bills_of_note = by_note(&book.taken_back);
        book.carried = book.find_carried(&CarriedRule::default());
        book.waits = book.count_waits();
        book.working_days = book.learn_working_days();
        book.receiving_days = book.learn_receiving_days();
        book
    }

    fn add(&mut self, record: Record, now: Timestamp, rows: &mut Rows) {
        match record {
            Record::Item(r) => {
                self.items.insert(r.id.clone(), r);
            }
            Record::Location(r) => {
                self.locations.insert(r.id.clone(), r);
            }
            Record::Supplier(r) => {
                self.suppliers.insert(r.id.clone(), r);
            }
            Record::SupplierPrice(r) => self.supplier_prices.entry(r.item.clone()).or_default().push(r),
            Record::ReorderRule(r) => {
                self.rules.insert((r.item.clone(), r.location.clone()), r);
            }
            Record::Promotion(r) => self.promotions.entry(r.item.clone()).or_default().push(r),
            Record::SaleLine(r) => rows.sale_lines.push(r),
            Record::PoLine(r) if r.draft => rows.draft_lines.push(r),
            Record::PoLine(r) => rows.po_lines.push(r),
            Record::Move(r) => rows.moves.push(r),
            Record::BillLine(r) => rows.bill_lines.push(r),
            Record::StockLevel(r) => {
                self.stock_levels.insert((r.item.clone(), r.location.clone()), r);
            }
            Record::DemandMonth(r) => {
                self.demand_months.entry((r.item.clone(), r.location.clone())).or_default().push(r);
            }
            // What came in after the book was read is not in it, whenever it was written down.
            Record::Notice(r) if r.received_at > now => {}
            Record::Notice(r) => {
                self.notices.insert(r.id.clone(), r);
            }
            // The store drops what is gone.
            Record::Gone(_) => {}
        }
    }

    fn index(&mut self) {
        for line in self.po_lines.values() {
            if let Some(name) = &line.kit {
                self.kit_names.insert(line.item.clone(), name.clone());
            }
        }
        for prices in self.supplier_prices.values_mut() {
            prices.sort_by(|a, b| (a.sequence, numeric(&a.id)).cmp(&(b.sequence, numeric(&b.id))));
        }
        for months in self.demand_months.values_mut() {
            months.sort_by_key(|m| m.month);
        }
        for promotions in self.promotions.values_mut() {
            promotions.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        }
        self.keyed = Keyed::of(self);
    }

    /// The first day on which anything was ordered or moved, opening stock aside. Where demand was summed, the first day with
    /// any: what is older is there only as far as it is still open.
    pub fn first_day(&self) -> Option<Date> {
        self.first_day
    }

    fn find_first_day(&self) -> Option<Date> {
        let first = |m: &DemandMonth| Some(day_of(m, *m.sold.keys().chain(m.returned.keys()).min()?));
        let summed = self.demand_months.values().flatten().filter_map(first).min();
        let sales = self.sale_lines.values().map(|s| s.ordered_at);
        let moves = self.moves.values().filter(|m| m.kind != MoveKind::Opening).filter_map(|m| m.done_at);
        summed.or_else(|| sales.chain(moves).min().map(|at| self.calendar.day_of(at)))
    }

    /// Says of how many days up to today all single sale lines are read; the few that are older were still open. Without it
    /// they count from the first on.
    #[must_use]
    pub fn with_detail_days(mut self, days: u32) -> Self {
        let whole = plus_days(self.today, 1 - i32::try_from(days).unwrap_or(i32::MAX));
        self.detail_from = self.detail_from.map(|from| from.max(whole));
        self
    }

    /// Says in which zones locations lie that are not in the business calendar's, by the location's code. A code that no
    /// location has is passed over: whoever configured it is told where the zones are read.
    #[must_use]
    pub fn with_zones(mut self, zones: &BTreeMap<String, TimeZone>) -> Self {
        // Codes are unique within a company only: what names its company goes first.
        let of_company = |l: &Location| zones.iter().find(|(key, _)| l.is_named_with_company(key)).map(|(_, zone)| zone);
        let zone = |l: &Location| {
            let timezone = of_company(l).or_else(|| zones.get(&l.code))?.clone();
            Some((l.id.clone(), Calendar { timezone, cut_off_hour: self.calendar.cut_off_hour }))
        };
        self.calendars = self.locations.values().filter_map(zone).collect();
        // Which weekdays are worked on hangs on where a day begins.
        self.working_days = self.learn_working_days();
        self.receiving_days = self.learn_receiving_days();
        self
    }

    /// The calendar of a location: in its zone its days begin and end.
    pub fn calendar_of(&self, location: &LocationId) -> &Calendar {
        self.calendars.get(location).unwrap_or(&self.calendar)
    }

    /// The last business day that was over at a location when the records were read.
    pub fn closed_at(&self, location: &LocationId) -> Date {
        self.calendars.get(location).map_or(self.closed, |calendar| calendar.closed_at(self.as_of))
    }

    /// `AC-006 Espresso beans 1 kg`; the bare id of what is no item and was not ordered as a kit either.
    pub fn item_label(&self, item: &ItemId) -> String {
        let kit = || self.kit_names.get(item).cloned().unwrap_or_else(|| format!("item {item}"));
        self.items.get(item).map_or_else(kit, Item::label)
    }

    /// The location's name.
    pub fn location_name(&self, location: &LocationId) -> String {
        self.locations.get(location).map_or_else(|| format!("location {location}"), |l| l.name.clone())
    }

    /// The supplier's name.
    pub fn supplier_name(&self, supplier: &SupplierId) -> String {
        self.suppliers.get(supplier).map_or_else(|| format!("supplier {supplier}"), |s| s.name.clone())
    }

    /// On hand now (OH): what the ERP states, and nothing where it states levels but none of this place; else what done moves
    /// add up to. Can be negative, as in the ERP.
    pub fn on_hand(&self, item: &ItemId, location: &LocationId) -> Quantity {
        if !self.stock_levels.is_empty() {
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
