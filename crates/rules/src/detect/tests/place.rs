//! Where an item is not carried nothing is missing, and what is another company's is out of reach: whole books, looked at by
//! every detector.

use super::*;
use crate::detect::{Seen, look};
use reeve_domain::record::{Promotion, SaleLine};

/// Days of history.
const DAYS: i32 = 70;

/// Three places, of one company unless said otherwise.
struct Shop {
    records: Vec<Record>,
    next: u32,
}

impl Shop {
    fn new(companies: [Option<&str>; 3]) -> Self {
        let mut shop = Self { records: Vec::new(), next: 0 };
        for (id, company) in ["1", "2", "3"].into_iter().zip(companies) {
            let company = company.map(str::to_owned);
            let place = Location { company, ..records::location(id, &format!("Store {id}")) };
            shop.records.push(Record::Location(place));
        }
        shop.records.push(Record::Supplier(records::supplier("9", "Acme")));
        shop
    }

    fn item(&mut self, id: &str) {
        self.records.push(Record::Item(records::item(id)));
        self.records.push(Record::SupplierPrice(records::supplier_price(id)));
    }

    fn moved(&mut self, kind: MoveKind, item: &str, location: &str, qty: i64, done: i32) {
        self.next += 1;
        let (from, to) = if kind == MoveKind::Delivery { (Some(location), None) } else { (None, Some(location)) };
        self.records.push(Record::Move(StockMove {
            item: ItemId::new(item),
            qty: Quantity::units(qty),
            created_at: at(done),
            done_at: Some(at(done)),
            ..records::moved(&self.next.to_string(), kind, from, to)
        }));
    }

    /// So many a day are sold and shipped at a place, out of a stock that ends at `left`.
    fn sells(&mut self, item: &str, location: &str, daily: i64, left: i64) {
        self.moved(MoveKind::Opening, item, location, i64::from(DAYS) * daily + left, -DAYS - 1);
        for offset in -DAYS..0 {
            self.next += 1;
            self.records.push(Record::SaleLine(SaleLine {
                customer: self.next.to_string(),
                item: ItemId::new(item),
                location: LocationId::new(location),
                qty: Quantity::units(daily),
                ordered_at: at(offset),
                ..records::sale_line(&format!("s{}", self.next))
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
        let promotion = records::promotion("pricelist-1", "scale", day(-8), day(3));
        let company = company.map(str::to_owned);
        shop.records.push(Record::Promotion(Promotion { percent: 30.0, company, ..promotion }));
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
