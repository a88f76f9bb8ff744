//! Where an item is not carried nothing is missing, and what is another company's is out of reach: whole books, looked at by
//! every detector.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::detect::{Seen, look};
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{Calendar, plus_days};
use reeve_domain::exception::ExceptionType as T;
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::record::{
    Item, Location, MoveKind, Promotion, PromotionSource, Record, SaleLine, StockMove, Supplier, SupplierPrice,
};

/// Days of history.
const DAYS: i32 = 70;

fn day(offset: i32) -> Date {
    plus_days("2026-11-02".parse().unwrap(), offset)
}

fn at(offset: i32) -> Timestamp {
    day(offset).at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

/// Three places, of one company unless said otherwise.
struct Shop {
    records: Vec<Record>,
    next: u32,
}

impl Shop {
    fn new(companies: [Option<&str>; 3]) -> Self {
        let mut shop = Self { records: Vec::new(), next: 0 };
        for (id, company) in ["1", "2", "3"].into_iter().zip(companies) {
            shop.records.push(Record::Location(Location {
                id: LocationId::new(id),
                code: format!("L{id}"),
                name: format!("Store {id}"),
                company: company.map(str::to_owned),
                company_name: String::new(),
            }));
        }
        shop.records.push(Record::Supplier(Supplier { id: SupplierId::new("9"), name: "Acme".into() }));
        shop
    }

    fn item(&mut self, id: &str) {
        self.records.push(Record::Item(Item {
            id: ItemId::new(id),
            sku: id.to_owned(),
            name: format!("Item {id}"),
            category: String::new(),
            unit: "Units".into(),
            cost: UnitPrice::from_erp(4.0),
            costs: std::collections::BTreeMap::new(),
            list_price: UnitPrice::from_erp(10.0),
            sellable: true,
            delisted_at: None,
            keys: reeve_domain::packs::ItemKeys::default(),
        }));
        self.records.push(Record::SupplierPrice(SupplierPrice {
            id: format!("price-{id}"),
            supplier: SupplierId::new("9"),
            item: ItemId::new(id),
            price: UnitPrice::from_erp(4.0),
            foreign: None,
            company: None,
            min_qty: Quantity::ZERO,
            lead_days: 7,
            valid_from: None,
            valid_to: None,
            sequence: 1,
            keys: reeve_domain::packs::SupplierKeys::default(),
        }));
    }

    fn moved(&mut self, kind: MoveKind, item: &str, location: &str, qty: i64, done: i32) {
        self.next += 1;
        let (here, leaves) = (Some(LocationId::new(location)), kind == MoveKind::Delivery);
        self.records.push(Record::Move(StockMove {
            id: self.next.to_string(),
            kind,
            item: ItemId::new(item),
            from: here.clone().filter(|_| leaves),
            to: here.filter(|_| !leaves),
            qty: Quantity::units(qty),
            created_at: at(done),
            scheduled_at: None,
            done_at: Some(at(done)),
            document: String::new(),
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

    /// So many a day are sold and shipped at a place, out of a stock that ends at `left`.
    fn sells(&mut self, item: &str, location: &str, daily: i64, left: i64) {
        self.moved(MoveKind::Opening, item, location, i64::from(DAYS) * daily + left, -DAYS - 1);
        for offset in -DAYS..0 {
            self.next += 1;
            let id = format!("s{}", self.next);
            self.records.push(Record::SaleLine(SaleLine {
                order_id: id.clone(),
                order_name: id.clone(),
                id,
                customer: self.next.to_string(),
                reference: String::new(),
                item: ItemId::new(item),
                location: LocationId::new(location),
                qty: Quantity::units(daily),
                price: UnitPrice::from_erp(10.0),
                ordered_at: at(offset),
            }));
            self.moved(MoveKind::Delivery, item, location, daily, offset);
        }
    }

    fn look(&self, set: &str) -> (Book, Seen) {
        let settings = Settings::with(set).unwrap();
        let book = settings.settled(Book::new(at(0), Calendar::utc(), self.records.clone()));
        let seen = look(&book, &settings);
        (book, seen)
    }

    /// What the detectors say about stock, such as `I-OUT local@1`, sorted.
    fn said(&self, set: &str) -> Vec<String> {
        let stock = [T::IOut, T::ILow, T::IImbal];
        let (_, seen) = self.look(set);
        let told = seen.signals.iter().filter(|signal| stock.contains(&signal.code)).map(|signal| {
            let (item, location) = (signal.subject.item.as_ref().unwrap(), signal.subject.location.as_ref().unwrap());
            format!("{} {item}@{location}", signal.code)
        });
        let mut told: Vec<String> = told.collect();
        told.sort();
        told
    }
}

const ONE: [Option<&str>; 3] = [Some("1"); 3];

#[test]
fn forty_items_that_nobody_ever_had_are_missing_nowhere() {
    let mut shop = Shop::new(ONE);
    shop.item("usual");
    shop.sells("usual", "1", 2, 500);
    for nth in 0..40 {
        shop.item(&format!("SO-{nth:03}"));
    }
    let (book, seen) = shop.look("");
    assert_eq!(book.places().len(), 1);
    assert!(seen.signals.iter().all(|signal| signal.subject.item != Some(ItemId::new("SO-022"))), "{:#?}", seen.signals);
    assert_eq!(shop.said(""), Vec::<String>::new());
}

#[test]
fn a_warehouse_that_is_not_used_lacks_nothing() {
    let mut shop = Shop::new(ONE);
    for nth in 0..19 {
        let item = format!("i{nth:02}");
        shop.item(&item);
        shop.sells(&item, "1", 2, 300);
        shop.sells(&item, "2", 1, 300);
    }
    assert_eq!(shop.said(""), Vec::<String>::new());
}

#[test]
fn an_item_of_one_store_is_out_of_stock_there_only() {
    let mut shop = Shop::new(ONE);
    shop.item("local");
    shop.sells("local", "1", 2, 0);
    assert_eq!(shop.said(""), ["I-OUT local@1"]);
}

#[test]
fn what_was_stocked_and_never_sold_has_no_forecast_and_does_not_run_out() {
    let mut shop = Shop::new(ONE);
    shop.item("usual");
    shop.sells("usual", "1", 2, 500);
    shop.item("display");
    shop.moved(MoveKind::Receipt, "display", "2", 3, -40);
    shop.moved(MoveKind::Count, "display", "3", -1, -10);
    let mut gone = Shop { records: shop.records.clone(), next: shop.next };
    // Taken out again: nothing is there, and nobody ever wanted any.
    gone.moved(MoveKind::Count, "display", "2", -3, -20);
    for shop in [shop, gone] {
        let (book, seen) = shop.look("");
        let place = (ItemId::new("display"), LocationId::new("2"));
        assert!(book.carries(&place.0, &place.1));
        let days = &seen.outlook.daily[&place];
        assert!(days.len() > 28 && days.iter().all(|day| day.mean <= 0.0 && day.sigma <= 0.0));
        assert_eq!(shop.said(""), Vec::<String>::new());
    }
}

#[test]
fn a_neighbour_with_stock_helps_whether_it_sells_the_item_or_not() {
    let mut shop = Shop::new(ONE);
    shop.item("local");
    shop.sells("local", "1", 2, 0);
    shop.moved(MoveKind::Receipt, "local", "2", 40, -40);
    let expected = ["I-IMBAL local@1", "I-OUT local@1"];
    assert_eq!(shop.said(""), expected);
    // Also where only what was sold counts as carried.
    assert_eq!(shop.said("[detect]\ncarried_by = [\"sale\"]"), expected);
}

#[test]
fn stock_of_another_company_is_no_help_unless_the_companies_trade() {
    let mut shop = Shop::new([Some("1"), Some("2"), Some("1")]);
    shop.item("local");
    shop.sells("local", "1", 2, 0);
    shop.sells("local", "2", 1, 400);
    assert_eq!(shop.said(""), ["I-OUT local@1"]);
    assert_eq!(shop.said("[companies]\ntransfers = [\"1=2\"]"), ["I-IMBAL local@1", "I-OUT local@1"]);
}

#[test]
fn classes_are_each_companys_own() {
    let mut shop = Shop::new([Some("1"), Some("2"), Some("1")]);
    for item in ["big", "small"] {
        shop.item(item);
    }
    shop.sells("big", "1", 40, 100);
    shop.sells("small", "1", 1, 100);
    shop.sells("small", "2", 1, 100);
    let (book, _) = shop.look("");
    let classes = crate::detect::classes::Classes::new(&book);
    let at = |item: &str, location: &str| classes.at(&book, &ItemId::new(item), &LocationId::new(location));
    assert_eq!((at("big", "1"), at("small", "1"), at("small", "2")), (Some('A'), Some('C'), Some('A')));
    assert_eq!(at("small", "3"), Some('C'), "the third store is the first company's");
    assert_eq!(classes.strictest(&book, &ItemId::new("small"), &[]), Some('A'));
}

#[test]
fn a_promotion_is_looked_at_in_each_company_that_runs_it_and_nowhere_else() {
    let shop = |company: Option<&str>| {
        let mut shop = Shop::new([Some("1"), Some("2"), Some("2")]);
        shop.item("scale");
        for location in ["1", "2", "3"] {
            shop.sells("scale", location, 6, 300);
        }
        // Nobody buys more for it.
        shop.records.push(Record::Promotion(Promotion {
            id: "pricelist-1".into(),
            source: PromotionSource::Pricelist,
            item: ItemId::new("scale"),
            name: "Autumn".into(),
            from: day(-8),
            to: day(3),
            percent: 30.0,
            company: company.map(str::to_owned),
        }));
        let (book, seen) = shop.look("");
        let on = |location: &str| book.promotion_on(&ItemId::new("scale"), &LocationId::new(location), day(-1)).is_some();
        let weak = seen.signals.iter().filter(|signal| signal.code == T::DPromoUnder);
        let told: Vec<(String, bool)> =
            weak.map(|s| (s.period.clone(), s.facts.iter().any(|f| f.source.to_string() == "location:2"))).collect();
        (told, ["1", "2", "3"].map(on))
    };
    let told = |of: &[(&str, bool)]| of.iter().map(|(period, cited)| ((*period).to_owned(), *cited)).collect::<Vec<_>>();
    let (everywhere, own) = (shop(None), shop(Some("2")));
    assert_eq!(everywhere.0, told(&[("pricelist-1, company 1", false), ("pricelist-1, company 2", true)]));
    assert_eq!(everywhere.1, [true; 3]);
    assert_eq!(own.0, told(&[("pricelist-1, company 2", true)]));
    assert_eq!(own.1, [false, true, true]);
}
