//! A world as an ERP would tell it: who delivers and how long that took before, what lies where, what is ordered, billed and counted.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::domain::book::Place;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::money::{Quantity, UnitPrice};
use crate::domain::packs::{ItemKeys, SupplierKeys};
use crate::domain::record::{
    BillLine, Item, Location, MoveKind, PurchaseLine, Record, ReorderRule, SaleLine, StockLevel, StockMove, Supplier,
    SupplierPrice,
};
use crate::lab::simulate::world::{self, Bill, Count, Demand, HORIZON, Otherwise, Shelf, World};
use crate::rules::outlook::{DayForecast, Outlook};

/// The item, the place that a world is about, and the number of the first donor's.
pub(super) const ITEM: &str = "1";
pub(super) const HERE: &str = "2";
pub(super) const DONORS: usize = 3;
/// The usual supplier, another one, and who billed or brought too much.
pub(super) const MAIN: &str = "9";
const OTHER: &str = "8";
pub(super) const BILLER: &str = "7";
/// What ids of open lines begin with, the line that is billed or came too much, and the number of the bill in question.
pub(super) const LINE: &str = "90";
pub(super) const BILLED: &str = "50";
pub(super) const LATER: &str = "2";
/// An item that is ordered beside the other, so that the shop's rhythm of ordering is known.
const BESIDE: &str = "77";
/// Deviates of earlier lead times: they have the mean and the deviation that the world says.
const EARLIER: [f64; 12] = [0.54, -1.18, 0.11, -0.32, 1.72, -0.86, 0.32, -0.11, 1.18, -1.72, 0.86, -0.54];

/// So many days from the day on which the book is read.
pub(super) fn day(offset: i32) -> Date {
    date(2026, 11, 2).saturating_add(offset.days())
}

/// Noon of that day.
pub(super) fn at(offset: i32) -> Timestamp {
    day(offset).at(12, 0, 0, 0).to_zoned(TimeZone::UTC).map_or(Timestamp::UNIX_EPOCH, |noon| noon.timestamp())
}

/// The id of a line's order, and of a bill by its number.
pub(super) fn order_id(line: &str) -> String {
    format!("5{line}")
}
pub(super) fn bill_id(number: &str) -> String {
    format!("70{number}")
}

fn price(p: f64) -> Option<UnitPrice> {
    UnitPrice::from_erp(p)
}

fn units(q: f64) -> Quantity {
    Quantity::from_erp(q).unwrap_or_default()
}

/// The demand that is to be expected is the world's own.
pub(super) fn outlook(world: &World) -> Outlook {
    let mut outlook = Outlook::default();
    let Some(shelf) = &world.shelf else { return outlook };
    let mut says = |place: Place, on: &dyn Fn(usize) -> Demand| {
        let days = (0..2 * HORIZON).map(|day| DayForecast::rounded(on(day).mean, on(day).sd()));
        outlook.daily.insert(place, days.collect());
    };
    says((ItemId::new(ITEM), LocationId::new(HERE)), &|day| shelf.demand_on(day));
    for (number, donor) in shelf.donors.iter().enumerate() {
        says((ItemId::new(ITEM), LocationId::new((DONORS + number).to_string())), &|_| donor.demand);
    }
    outlook
}

/// All records of a world.
pub(super) fn of(world: &World) -> Vec<Record> {
    let mut told = Told { records: Vec::new(), next: 1000 };
    let cost = world.shelf.as_ref().map(|s| s.cost).or(world.count.map(|c| c.cost)).or(world.bill.map(|b| b.agreed));
    let list = world.shelf.as_ref().map_or(cost.unwrap_or(1.0) * 2.0, |shelf| shelf.price);
    for item in [ITEM, BESIDE] {
        told.item(item, cost.unwrap_or(1.0), list);
    }
    told.location(HERE, "Market Street Store");
    for (id, name) in [(MAIN, "Acme"), (OTHER, "Brook"), (BILLER, "Crane")] {
        told.records.push(Record::Supplier(Supplier { id: SupplierId::new(id), name: name.to_owned() }));
    }
    if let Some(shelf) = &world.shelf {
        told.shelf(shelf);
    }
    if let Some(bill) = &world.bill {
        told.billed(bill);
    }
    if let Some(count) = &world.count {
        told.counted(count);
    }
    told.records
}

struct Told {
    records: Vec<Record>,
    next: u32,
}

impl Told {
    fn id(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    fn item(&mut self, id: &str, cost: f64, list: f64) {
        self.records.push(Record::Item(Item {
            id: ItemId::new(id),
            sku: format!("AC-{id:0>3}"),
            name: "Kitchen scale".to_owned(),
            category: "Kitchen".to_owned(),
            unit: "Units".to_owned(),
            cost: price(cost),
            costs: Default::default(),
            list_price: price(list),
            sellable: true,
            delisted_at: None,
            keys: ItemKeys::default(),
        }));
    }

    fn location(&mut self, id: &str, name: &str) {
        let (id, code) = (LocationId::new(id), format!("L{id}"));
        self.records.push(Record::Location(Location {
            id,
            code,
            name: name.to_owned(),
            company: None,
            company_name: String::new(),
        }));
    }

    fn shelf(&mut self, shelf: &Shelf) {
        self.level(HERE, shelf.on_hand);
        let pack = units(shelf.supplier.pack);
        let id = self.id();
        let (item, location) = (ItemId::new(ITEM), LocationId::new(HERE));
        let (min, max) = (Quantity::ZERO, Quantity::ZERO);
        self.records.push(Record::ReorderRule(ReorderRule { id, item, location, min, max, multiple: pack }));
        self.terms(MAIN, 1, &shelf.supplier);
        self.rhythm(&shelf.supplier);
        if let Some(other) = &shelf.other {
            self.terms(OTHER, 2, other);
            for (number, deviate) in EARLIER.iter().enumerate() {
                self.came_earlier(OTHER, other, -200 + 9 * number as i32, *deviate);
            }
        }
        // Ordered with what else was ordered there on the last such day.
        let ordered = shelf.supplier.next_review as i32 - shelf.supplier.review as i32;
        for (number, line) in shelf.lines.iter().enumerate() {
            let id = format!("{LINE}{number}");
            let days = (ordered.min(line.first - 1), line.first, line.promised);
            self.order(&id, MAIN, ITEM, HERE, (line.qty, line.price), days);
            self.receipt(&id, HERE, line.qty, None);
        }
        for (number, donor) in shelf.donors.iter().enumerate() {
            let location = (DONORS + number).to_string();
            self.location(&location, &format!("Store {location}"));
            self.level(&location, donor.on_hand);
            if let Some((day, qty)) = donor.next {
                let id = format!("8{location}");
                self.order(&id, MAIN, ITEM, &location, (qty, shelf.cost), (-5, day as i32, day as i32));
                self.receipt(&id, &location, qty, None);
            }
        }
        if shelf.over > 0.0 {
            let ordered = (shelf.demand.mean * 7.0).ceil();
            self.order(BILLED, BILLER, ITEM, HERE, (ordered, shelf.cost), (-12, -2, -2));
            self.receipt(BILLED, HERE, ordered + shelf.over, Some(-2));
        }
        if let Otherwise::Demand(before) = shelf.otherwise {
            // Where nothing fell it sold before as it sells now.
            let before = if shelf.ghosts > 0.0 { before } else { shelf.demand.mean };
            self.sales(before, shelf.demand.mean);
        }
    }

    fn level(&mut self, location: &str, on_hand: f64) {
        let (item, location) = (ItemId::new(ITEM), LocationId::new(location));
        let (reserved, unposted) = (Quantity::ZERO, Quantity::ZERO);
        self.records.push(Record::StockLevel(StockLevel { item, location, on_hand: units(on_hand), reserved, unposted }));
    }

    fn terms(&mut self, supplier: &str, sequence: i64, of: &world::Supplier) {
        self.records.push(Record::SupplierPrice(SupplierPrice {
            id: format!("price-{supplier}"),
            supplier: SupplierId::new(supplier),
            item: ItemId::new(ITEM),
            price: price(of.price),
            foreign: None,
            company: None,
            min_qty: units(of.least),
            lead_days: of.lead as u32,
            valid_from: None,
            valid_to: None,
            sequence: sequence.try_into().unwrap_or_default(),
            keys: SupplierKeys::default(),
        }));
    }

    /// Orders in the shop's rhythm: those of the item have come, the newest are of something else.
    fn rhythm(&mut self, of: &world::Supplier) {
        let mut turn = of.next_review as i32 - of.review as i32;
        let slowest = (of.lead + 2.0 * of.lead_sd).ceil() as i32;
        while turn + slowest >= 0 {
            let id = self.id();
            self.order(&id, MAIN, BESIDE, HERE, (10.0, of.price), (turn, turn + of.lead as i32, turn + of.lead as i32));
            turn -= of.review as i32;
        }
        // The gap between the newest two tells the rhythm, too.
        let id = self.id();
        let last = of.next_review as i32 - of.review as i32;
        self.order(&id, MAIN, BESIDE, HERE, (10.0, of.price), (last, last + of.lead as i32, last + of.lead as i32));
        for (number, deviate) in EARLIER.iter().enumerate() {
            self.came_earlier(MAIN, of, turn - of.review as i32 * number as i32, *deviate);
        }
    }

    fn came_earlier(&mut self, supplier: &str, of: &world::Supplier, ordered: i32, deviate: f64) {
        let id = self.id();
        let promised = ordered + of.lead as i32;
        self.order(&id, supplier, ITEM, HERE, (10.0, of.price), (ordered, promised, promised));
        self.receipt(&id, HERE, 10.0, Some(ordered + (of.lead + of.lead_sd * deviate).round() as i32));
    }

    fn order(
        &mut self,
        id: &str,
        supplier: &str,
        item: &str,
        location: &str,
        (qty, unit): (f64, f64),
        days: (i32, i32, i32),
    ) {
        let (ordered, first, promised) = days;
        self.records.push(Record::PoLine(PurchaseLine {
            id: id.to_owned(),
            order_id: order_id(id),
            order_name: format!("P{id:0>5}"),
            supplier: SupplierId::new(supplier),
            item: ItemId::new(item),
            location: LocationId::new(location),
            qty: units(qty),
            price: price(unit),
            foreign: None,
            company: None,
            ordered_at: at(ordered),
            promised_first: at(first),
            promised: at(promised),
            confirmed: true,
            draft: false,
            pack: None,
            to_customer: false,
            kits_received: None,
            kit: None,
        }));
    }

    fn receipt(&mut self, line: &str, to: &str, qty: f64, done: Option<i32>) {
        self.moved(MoveKind::Receipt, (None, Some(to)), qty, done);
        if let Some(Record::Move(last)) = self.records.last_mut() {
            last.po_line = Some(line.to_owned());
            if done.is_some() && line == BILLED {
                last.partner = Some(BILLER.to_owned());
            }
        }
    }

    fn moved(&mut self, kind: MoveKind, (from, to): (Option<&str>, Option<&str>), qty: f64, done: Option<i32>) {
        let id = self.id();
        self.records.push(Record::Move(StockMove {
            document: format!("DOC/{id}"),
            document_id: Some(id.clone()),
            id,
            kind,
            item: ItemId::new(ITEM),
            from: from.map(LocationId::new),
            to: to.map(LocationId::new),
            qty: units(qty),
            created_at: at(-60),
            scheduled_at: None,
            done_at: done.map(at),
            origin: String::new(),
            po_line: None,
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: Some("7".to_owned()),
            reason: String::new(),
        }));
    }

    /// Sold in the weeks before, and in the last one.
    fn sales(&mut self, before: f64, since: f64) {
        let mut owed = 0.0;
        for offset in -60..0 {
            owed += if offset < -7 { before } else { since };
            let qty = f64::floor(owed);
            owed -= qty;
            let id = self.id();
            self.records.push(Record::SaleLine(SaleLine {
                order_id: id.clone(),
                order_name: format!("S{id}"),
                id,
                customer: "5".to_owned(),
                reference: String::new(),
                item: ItemId::new(ITEM),
                location: LocationId::new(HERE),
                qty: units(qty),
                price: price(1.0),
                ordered_at: at(offset),
            }));
        }
    }

    fn billed(&mut self, bill: &Bill) {
        let ordered = bill.billed;
        self.order(BILLED, BILLER, ITEM, HERE, (ordered, bill.agreed), (-15, -5, -5));
        self.receipt(BILLED, HERE, bill.came, Some(-5));
        if bill.why == world::Why::Twice {
            self.bill("1", bill, -4, true);
        }
        self.bill(LATER, bill, -3, bill.paid);
    }

    fn bill(&mut self, number: &str, bill: &Bill, billed: i32, paid: bool) {
        let id = self.id();
        self.records.push(Record::BillLine(BillLine {
            id,
            bill_id: bill_id(number),
            bill_name: format!("BILL/2026/{number}"),
            reference: "INV-4711".to_owned(),
            origin: String::new(),
            supplier: SupplierId::new(BILLER),
            po_line: Some(BILLED.to_owned()),
            item: Some(ItemId::new(ITEM)),
            qty: units(bill.billed),
            price: price(bill.asked),
            billed_on: day(billed),
            due_on: Some(day(bill.due)),
            foreign: None,
            company: None,
            paid,
            partly: false,
            reversed: false,
            created_at: at(billed),
            entered_by: None,
            reverses: None,
        }));
    }

    fn counted(&mut self, count: &Count) {
        self.moved(MoveKind::Opening, (None, Some(HERE)), count.book, Some(-50));
        self.moved(MoveKind::Count, (Some(HERE), None), count.book - count.found, Some(-1));
    }
}
