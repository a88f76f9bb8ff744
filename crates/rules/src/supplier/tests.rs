//! A supplier's figures on a book built by hand.

use super::*;
use reeve_domain::calendar::Calendar;
use reeve_domain::record::{MoveKind, Record, StockMove};
use reeve_testing::records::{self, at, day};

/// Four orders of a hundred: in time, three days late, ten short, and one that is open and overdue.
fn book() -> Book {
    let mut all = vec![
        Record::Item(records::item("1")),
        Record::Location(records::location("2", "Market Street Store")),
        Record::Supplier(records::supplier("9", "Acme Trading")),
        Record::Supplier(records::supplier("8", "Acme Tools")),
        Record::SupplierPrice(records::supplier_price("1")),
    ];
    for (id, promised, came, units, price) in [
        ("1", -40, Some(-40), 100, 8.0),
        ("2", -30, Some(-27), 100, 8.0),
        ("3", -20, Some(-20), 90, 8.5),
        ("4", -5, None, 100, 8.5),
    ] {
        all.push(Record::PoLine(PurchaseLine {
            ordered_at: at(promised - 7),
            promised_first: at(promised),
            promised: at(promised),
            price: UnitPrice::from_erp(price),
            ..records::po_line(id)
        }));
        let of = records::moved(&format!("5{id}"), MoveKind::Receipt, None, Some("2"));
        all.push(Record::Move(StockMove {
            qty: Quantity::units(units),
            done_at: came.map(at),
            po_line: Some(id.into()),
            ..of
        }));
    }
    all.push(Record::BillLine(records::bill_line("1", "1")));
    Book::new(at(0), Calendar::utc(), all)
}

#[test]
fn a_supplier_in_figures() {
    let found = summaries(&book(), &Settings::defaults(), &SupplierId::new("9"));
    let [it] = found.as_slice() else { panic!("one company, one summary") };
    assert_eq!((it.all.good, it.all.lines, it.all.percent), (1, 4, Some(25.0)));
    assert_eq!(it.lateness, Spread { n: 3, mean: Some(1.0), sd: Some(1.73) });
    assert_eq!(it.lead_time, Spread { n: 3, mean: Some(8.0), sd: Some(1.73) });
    assert_eq!(it.quantity, Spread { n: 3, mean: Some(-3.33), sd: Some(5.77) });
    let money = |text: &str| Money::from_decimal(text.parse().unwrap());
    assert_eq!(it.open, Counted { lines: 1, value: money("850.00") });
    assert_eq!(it.overdue, it.open);
    assert_eq!(it.unbilled, Counted { lines: 2, value: money("1565.00") });
    assert_eq!(it.disputed, Counted::default());
    let [price] = it.prices.as_slice() else { panic!("{:?}", it.prices) };
    let steps: Vec<(Date, &str)> = price.steps.iter().map(|(day, order, _)| (*day, order.as_str())).collect();
    assert_eq!(steps, [(day(-47), "P0001"), (day(-27), "P0003")]);
    assert_eq!(price.listed, UnitPrice::from_erp(4.0));
}

#[test]
fn a_supplier_is_found_by_its_id_its_name_or_a_part_of_it() {
    let book = book();
    let ids = |name: &str| named(&book, name).iter().map(ToString::to_string).collect::<Vec<_>>();
    assert_eq!(ids("9"), ["9"]);
    assert_eq!(ids("acme tools"), ["8"]);
    assert_eq!(ids("ACME"), ["8", "9"]);
    assert!(ids("Borealis").is_empty());
    assert!(summaries(&book, &Settings::defaults(), &SupplierId::new("8")).is_empty(), "nothing was ever ordered there");
}
