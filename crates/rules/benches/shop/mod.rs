//! A made-up retailer for the benches: what sells, comes in, is billed, scrapped and counted, with something odd here and there.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reeve_domain::calendar::plus_days;
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::record::{
    BillLine, Item, Location, MoveKind, Promotion, PromotionSource, PurchaseLine, Record, ReorderRule, SaleLine, StockMove,
    Supplier, SupplierPrice,
};

/// Items that one supplier sells.
const RANGE: usize = 20;

/// Companies that the locations belong to.
const COMPANIES: usize = 2;

/// A day of the shop's story.
pub(crate) fn day(at: usize) -> Date {
    plus_days(jiff::civil::date(2026, 6, 1), i32::try_from(at).expect("a story has few days"))
}

fn at(number: usize, hour: usize) -> Timestamp {
    format!("{}T{hour:02}:00:00Z", day(number)).parse().expect("a day and an hour")
}

/// Everything that the shop's ERP says at the close of the last day.
pub(crate) fn records(items: usize, locations: usize, days: usize) -> Vec<Record> {
    let mut shop = Shop { rng: ChaCha8Rng::seed_from_u64(7), records: Vec::new(), ids: 0, days };
    for place in 0..locations {
        shop.records.push(Record::Location(Location {
            id: location(place),
            code: format!("L{place}"),
            name: format!("Store {place}"),
            company: Some((place % COMPANIES + 1).to_string()),
            company_name: format!("Company {}", place % COMPANIES + 1),
        }));
    }
    for supplier in 0..items.div_ceil(RANGE) {
        let id = SupplierId::new(supplier.to_string());
        shop.records.push(Record::Supplier(Supplier { id, name: format!("Supplier {supplier}") }));
    }
    for number in 0..items {
        shop.item(number);
        for place in 0..locations {
            shop.place(number, place);
        }
    }
    shop.records
}

fn location(place: usize) -> LocationId {
    LocationId::new((place + 1).to_string())
}

struct Shop {
    rng: ChaCha8Rng,
    records: Vec<Record>,
    ids: usize,
    days: usize,
}

impl Shop {
    fn id(&mut self) -> String {
        self.ids += 1;
        self.ids.to_string()
    }

    fn item(&mut self, number: usize) {
        let (item, price) = (ItemId::new((number + 1).to_string()), 2.0 + (number % 37) as f64);
        self.records.push(Record::Item(Item {
            id: item.clone(),
            sku: format!("I-{number:04}"),
            name: format!("Item {number}"),
            category: format!("Category {}", number % 9),
            unit: "Units".to_owned(),
            cost: UnitPrice::from_erp(price * 0.6),
            costs: BTreeMap::new(),
            list_price: UnitPrice::from_erp(price),
            sellable: number % 97 != 96,
            delisted_at: (number % 97 == 96).then(|| at(self.days - 4, 12)),
            keys: reeve_domain::packs::ItemKeys::default(),
        }));
        let id = self.id();
        self.records.push(Record::SupplierPrice(SupplierPrice {
            id,
            supplier: SupplierId::new((number / RANGE).to_string()),
            item: item.clone(),
            price: UnitPrice::from_erp(price * 0.6),
            foreign: None,
            company: None,
            min_qty: Quantity::ZERO,
            lead_days: 7,
            valid_from: None,
            valid_to: None,
            sequence: 1,
            keys: reeve_domain::packs::SupplierKeys::default(),
        }));
        if number % 10 == 3 {
            let (from, to) = (day(self.days - 14), day(self.days - 2));
            let (id, source, name) = (self.id(), PromotionSource::Pricelist, "Ten days".to_owned());
            self.records.push(Record::Promotion(Promotion {
                id,
                source,
                item,
                name,
                from,
                to,
                percent: 20.0,
                company: None,
            }));
        }
    }

    /// The story of an item at a location: it sells at its own pace, is ordered every fortnight and sometimes comes late.
    fn place(&mut self, number: usize, place: usize) {
        let pace = self.rng.gen_range(0.05..0.5) * if number.is_multiple_of(5) { 4.0 } else { 1.0 };
        let (rises, stops) = (self.rng.gen_ratio(1, 60), self.rng.gen_ratio(1, 60));
        self.moved(number, MoveKind::Opening, (None, Some(place)), 30 + (pace * 40.0) as i64, 0);
        for today in 0..self.days {
            let changed = today + 12 > self.days;
            let pace = match (changed && rises, changed && stops) {
                (true, _) => pace * 4.0,
                (_, true) => 0.0,
                _ => pace * if today % 7 == 5 { 1.8 } else { 0.9 },
            };
            let mut left = self.rng.gen_range(0.0..2.0) * pace;
            while self.rng.r#gen::<f64>() < left {
                left -= 1.0;
                let units = if self.rng.gen_ratio(1, 400) { 25 } else { self.rng.gen_range(1..4) };
                self.sold(number, place, units, today);
            }
            if today % 14 == (number + place) % 14 {
                self.ordered(number, place, (pace * 20.0) as i64 + 2, today);
            }
            if self.rng.gen_ratio(1, 900) {
                let kind = if self.rng.gen_ratio(1, 2) { MoveKind::Scrap } else { MoveKind::Count };
                let units = self.rng.gen_range(1..9);
                self.moved(number, kind, (Some(place), None), units, today);
            }
            if self.rng.gen_ratio(1, 600) {
                self.moved(number, MoveKind::CustomerReturn, (None, Some(place)), 1, today);
            }
        }
        let (id, item) = (self.id(), ItemId::new((number + 1).to_string()));
        let (min, max, multiple) = (Quantity::units(4), Quantity::units(20), Quantity::units(1));
        self.records.push(Record::ReorderRule(ReorderRule { id, item, location: location(place), min, max, multiple }));
    }

    fn sold(&mut self, number: usize, place: usize, units: i64, today: usize) {
        let id = self.id();
        let hour = 8 + self.ids % 12;
        self.records.push(Record::SaleLine(SaleLine {
            id: id.clone(),
            order_id: format!("{}", self.ids / 3),
            order_name: format!("S{}", self.ids / 3),
            customer: (self.ids % 50).to_string(),
            reference: String::new(),
            item: ItemId::new((number + 1).to_string()),
            location: location(place),
            qty: Quantity::units(units),
            price: UnitPrice::from_erp(2.0 + (number % 37) as f64),
            ordered_at: at(today, hour),
        }));
        self.moved(number, MoveKind::Delivery, (Some(place), None), units, today);
        if let Some(Record::Move(m)) = self.records.last_mut() {
            m.sale_line = Some(id);
        }
    }

    fn ordered(&mut self, number: usize, place: usize, units: i64, today: usize) {
        let (id, supplier) = (self.id(), SupplierId::new((number / RANGE).to_string()));
        let item = ItemId::new((number + 1).to_string());
        // One order of a supplier for a location and day.
        let order = format!("{}{place:03}{today:03}", number / RANGE + 1);
        let price = UnitPrice::from_erp((2.0 + (number % 37) as f64) * 0.6);
        self.records.push(Record::PoLine(PurchaseLine {
            id: id.clone(),
            order_id: order.clone(),
            order_name: format!("P{order}"),
            supplier: supplier.clone(),
            item: item.clone(),
            location: location(place),
            qty: Quantity::units(units),
            price,
            foreign: None,
            company: None,
            ordered_at: at(today, 9),
            promised_first: at(today + 7, 12),
            promised: at(today + 7, 12),
            confirmed: true,
            draft: false,
            pack: None,
            to_customer: false,
            kits_received: None,
            kit: None,
        }));
        let comes = today + 7 + if self.rng.gen_ratio(1, 12) { 6 } else { 0 };
        let short = i64::from(self.rng.gen_ratio(1, 40));
        self.moved(number, MoveKind::Receipt, (None, Some(place)), units - short, comes.min(self.days - 1));
        if let Some(Record::Move(m)) = self.records.last_mut() {
            m.po_line = Some(id.clone());
            m.document = format!("IN/{order}");
            m.deadline = Some(at(today + 7, 12));
            m.done_at = m.done_at.filter(|_| comes < self.days);
        }
        if comes < self.days {
            let (bill, twice) = (self.id(), self.rng.gen_ratio(1, 500));
            for copy in 0..=usize::from(twice) {
                let line = self.id();
                self.records.push(Record::BillLine(BillLine {
                    id: line,
                    bill_id: format!("{bill}{copy}"),
                    bill_name: format!("BILL/{bill}{copy}"),
                    reference: format!("R-{bill}"),
                    origin: format!("P{order}"),
                    supplier: supplier.clone(),
                    po_line: Some(id.clone()),
                    item: Some(item.clone()),
                    qty: Quantity::units(units),
                    price,
                    billed_on: day(comes),
                    due_on: Some(day(comes + 30)),
                    foreign: None,
                    company: None,
                    paid: false,
                    partly: false,
                    reversed: false,
                    created_at: at(comes, 15),
                    entered_by: None,
                    reverses: None,
                }));
            }
        }
    }

    fn moved(
        &mut self,
        number: usize,
        kind: MoveKind,
        (from, to): (Option<usize>, Option<usize>),
        units: i64,
        today: usize,
    ) {
        let id = self.id();
        let when = at(today, 20);
        self.records.push(Record::Move(StockMove {
            document: format!("M/{id}"),
            id,
            kind,
            item: ItemId::new((number + 1).to_string()),
            from: from.map(location),
            to: to.map(location),
            qty: Quantity::units(units),
            created_at: when,
            scheduled_at: None,
            done_at: Some(when),
            document_id: None,
            origin: String::new(),
            po_line: None,
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: None,
            reason: String::new(),
        }));
    }
}
