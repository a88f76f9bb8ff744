//! Everything of a book that is not sales: who and what there is, what was ordered, received and billed, what is in stock, which
//! terms hold, what was announced. It crosses items, is small beside sales, and is held whole.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::ahead::Habits;
use super::announced::Announced;
use super::bill::{TakenBack, by_note, taken_back};
use super::book::{Place, numeric};
use super::calendar::Calendar;
use super::carried::{CarriedRule, Touched};
use super::ids::{ItemId, LocationId, SupplierId};
use super::keyed::Keyed;
use super::lot::{Lot, LotStock};
use super::notice::Notice;
use super::record::{
    BillLine, Item, Location, Promotion, PurchaseLine, Record, ReorderRule, StockLevel, StockMove, Supplier, SupplierPrice,
};
use super::repeat::Repeats;
use super::table::Table;
use super::working::Weekdays;

/// Records of the supply as they come in, before they are put in order.
#[derive(Default)]
pub(super) struct SupplyRows {
    items: BTreeMap<ItemId, Item>,
    locations: BTreeMap<LocationId, Location>,
    suppliers: BTreeMap<SupplierId, Supplier>,
    po_lines: Vec<PurchaseLine>,
    draft_lines: Vec<PurchaseLine>,
    moves: Vec<StockMove>,
    bill_lines: Vec<BillLine>,
    notices: BTreeMap<String, Notice>,
    stock_levels: BTreeMap<Place, StockLevel>,
    lots: BTreeMap<ItemId, Vec<Lot>>,
    lot_stocks: BTreeMap<Place, LotStock>,
    supplier_prices: BTreeMap<ItemId, Vec<SupplierPrice>>,
    rules: BTreeMap<Place, ReorderRule>,
    promotions: BTreeMap<ItemId, Vec<Promotion>>,
}

/// What a book has beside sales; every [book](super::book::Book) of a time shares it.
#[derive(Clone, Debug)]
pub struct Supply {
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
    pub(super) calendars: BTreeMap<LocationId, Calendar>,
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
    /// Stock moves by id: all but what customers took and brought back, which is sales.
    pub supply_moves: Table<StockMove>,
    /// Bill lines by id.
    pub bill_lines: Table<BillLine>,
    /// What was announced, by id.
    pub notices: BTreeMap<String, Notice>,
    /// Stock as the ERP states it, where it does.
    pub stock_levels: BTreeMap<Place, StockLevel>,
    pub(super) lots: BTreeMap<ItemId, Vec<Lot>>,
    pub(super) lot_stocks: BTreeMap<Place, LotStock>,
    pub(super) supplier_prices: BTreeMap<ItemId, Vec<SupplierPrice>>,
    pub(super) rules: BTreeMap<Place, ReorderRule>,
    pub(super) promotions: BTreeMap<ItemId, Vec<Promotion>>,
    pub(super) receiving_days: BTreeMap<LocationId, Weekdays>,
    pub(super) keyed: Keyed,
    /// Names of kits that are no items themselves.
    pub(super) kit_names: BTreeMap<ItemId, String>,
    pub(super) announced: BTreeMap<String, Announced>,
    pub(super) taken_back: BTreeMap<String, TakenBack>,
    /// By credit note: the bills that it takes back.
    pub(super) bills_of_note: BTreeMap<String, Vec<String>>,
    pub(super) repeats: OnceLock<Repeats>,
    pub(super) habits: OnceLock<Habits>,
    /// The last day on which each place was ordered for, and on which a channel offered it from there.
    pub(super) ordered: Touched,
    pub(super) offered: Touched,
    pub(super) trade: Vec<Vec<String>>,
    pub(super) carried_rule: CarriedRule,
    /// From when all single sale lines are read, where somebody said so.
    pub(super) whole_from: Option<Date>,
}

impl SupplyRows {
    pub(super) fn add(&mut self, record: Record, now: Timestamp) {
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
            // Drafts bind nobody, so they are kept where no sum of what is on order can meet them.
            Record::PoLine(r) if r.draft => self.draft_lines.push(r),
            Record::PoLine(r) => self.po_lines.push(r),
            Record::Move(r) => self.moves.push(r),
            Record::BillLine(r) => self.bill_lines.push(r),
            Record::StockLevel(r) => {
                self.stock_levels.insert((r.item.clone(), r.location.clone()), r);
            }
            Record::Lot(r) => self.lots.entry(r.item.clone()).or_default().push(r),
            Record::LotStock(r) => {
                self.lot_stocks.insert((r.item.clone(), r.location.clone()), r);
            }
            // What came in after the book was read is not in it, whenever it was written down.
            Record::Notice(r) if r.received_at > now => {}
            Record::Notice(r) => {
                self.notices.insert(r.id.clone(), r);
            }
            // Sales stand in the book itself; the store drops what is gone.
            Record::SaleLine(_) | Record::DemandMonth(_) | Record::Gone(_) => {}
        }
    }
}

impl Supply {
    pub(super) fn of(as_of: Timestamp, now: Timestamp, calendar: Calendar, rows: SupplyRows) -> Self {
        let today = calendar.day_of(now);
        let mut supply = Self {
            as_of,
            today,
            closed: calendar.closed_at(as_of),
            calendar,
            calendars: BTreeMap::new(),
            items: rows.items,
            locations: rows.locations,
            suppliers: rows.suppliers,
            po_lines: Table::of(rows.po_lines),
            draft_lines: Table::of(rows.draft_lines),
            supply_moves: Table::of(rows.moves),
            bill_lines: Table::of(rows.bill_lines),
            notices: rows.notices,
            stock_levels: rows.stock_levels,
            lots: rows.lots,
            lot_stocks: rows.lot_stocks,
            supplier_prices: rows.supplier_prices,
            rules: rows.rules,
            promotions: rows.promotions,
            receiving_days: BTreeMap::new(),
            keyed: Keyed::default(),
            kit_names: BTreeMap::new(),
            announced: BTreeMap::new(),
            taken_back: BTreeMap::new(),
            bills_of_note: BTreeMap::new(),
            repeats: OnceLock::new(),
            habits: OnceLock::new(),
            ordered: Touched::default(),
            offered: Touched::default(),
            trade: Vec::new(),
            carried_rule: CarriedRule::default(),
            whole_from: None,
        };
        // Indexes first: what is announced, taken back and learned below asks them.
        supply.index();
        supply.announced = supply.newest_dates();
        supply.taken_back = taken_back(&supply);
        supply.bills_of_note = by_note(&supply.taken_back);
        supply.receiving_days = supply.learn_receiving_days();
        supply
    }

    fn index(&mut self) {
        for line in self.po_lines.values() {
            if let Some(name) = &line.kit {
                self.kit_names.insert(line.item.clone(), name.clone());
            }
        }
        for prices in self.supplier_prices.values_mut() {
            // The ERP tries a supplier's prices in this order.
            prices.sort_by(|a, b| (a.sequence, numeric(&a.id)).cmp(&(b.sequence, numeric(&b.id))));
        }
        for lots in self.lots.values_mut() {
            lots.sort_by(|a, b| numeric(&a.id).cmp(&numeric(&b.id)));
        }
        for promotions in self.promotions.values_mut() {
            promotions.sort_by(|a, b| (a.from, &a.id).cmp(&(b.from, &b.id)));
        }
        // These are looked at for each item, so they are gathered once for all.
        self.ordered = self.touched_by_lines();
        self.offered = self.touched_by_offers();
        self.keyed = Keyed::of(self);
    }

    /// Does the ERP state levels of stock?
    pub fn has_levels(&self) -> bool {
        !self.stock_levels.is_empty()
    }

    pub(super) fn set_zones(&mut self, zones: &BTreeMap<String, TimeZone>) {
        // Codes are unique within a company only: what names its company goes first.
        let of_company = |l: &Location| zones.iter().find(|(key, _)| l.is_named_with_company(key)).map(|(_, zone)| zone);
        let zone = |l: &Location| {
            let timezone = of_company(l).or_else(|| zones.get(&l.code))?.clone();
            Some((l.id.clone(), Calendar { timezone, cut_off_hour: self.calendar.cut_off_hour }))
        };
        self.calendars = self.locations.values().filter_map(zone).collect();
        self.receiving_days = self.learn_receiving_days();
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
}
