//! Pairs of bills as suppliers send them and people enter them: which of them ask twice for one thing, and how sure that is.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::ahead::{Excess, Habit};
use crate::book::Book;
use crate::calendar::{Calendar, plus_days};
use crate::ids::{ItemId, LocationId, SupplierId};
use crate::money::{Money, Quantity, UnitPrice};
use crate::record::{BillLine, Foreign, Location, MoveKind, PurchaseLine, Record, StockMove};

fn day(offset: i32) -> Date {
    plus_days("2026-11-02".parse().unwrap(), offset)
}

fn at(offset: i32) -> Timestamp {
    day(offset).at(12, 0, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp()
}

fn price(p: f64) -> UnitPrice {
    UnitPrice::from_erp(p).unwrap()
}

/// Orders, receipts and bills of one supplier. Order line 1 is for 96 of item 1 at 6.80.
#[derive(Default)]
struct Shop(Vec<Record>);

impl Shop {
    fn ordered(mut self, line: &str, qty: i64, promised: i32) -> Self {
        self.0.push(Record::PoLine(PurchaseLine {
            id: line.into(),
            order_id: line.into(),
            order_name: format!("P0000{line}"),
            supplier: SupplierId::new("9"),
            item: ItemId::new("1"),
            location: LocationId::new("1"),
            qty: Quantity::units(qty),
            price: Some(price(6.8)),
            foreign: None,
            company: None,
            ordered_at: at(-40),
            promised_first: at(promised),
            promised: at(promised),
            confirmed: true,
            draft: false,
            pack: None,
            to_customer: false,
            kits_received: None,
            kit: None,
        }));
        self
    }

    /// A receipt: done on a day, or planned for one that is ahead.
    fn came(mut self, line: &str, qty: i64, on: i32) -> Self {
        let id = (5000 + self.0.len()).to_string();
        self.0.push(Record::Move(StockMove {
            document: format!("IN/{id}"),
            document_id: None,
            id,
            kind: MoveKind::Receipt,
            item: ItemId::new("1"),
            from: None,
            to: Some(LocationId::new("1")),
            qty: Quantity::units(qty),
            created_at: at(-40),
            scheduled_at: None,
            done_at: (on <= 0).then(|| at(on)),
            origin: String::new(),
            po_line: Some(line.into()),
            sale_line: None,
            partner: None,
            deadline: (on > 0).then(|| at(on)),
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: None,
            reason: String::new(),
        }));
        self
    }

    /// A bill of one line, for an order line or, without one, a charge.
    fn bill(self, id: &str, number: &str, on: i32, line: Option<&str>, qty: i64, unit: f64) -> Self {
        self.with(id, number, on, line, qty, unit, |_| {})
    }

    #[expect(clippy::too_many_arguments, reason = "a row of a table")]
    fn with(
        mut self,
        id: &str,
        number: &str,
        on: i32,
        line: Option<&str>,
        qty: i64,
        unit: f64,
        change: impl FnOnce(&mut BillLine),
    ) -> Self {
        let mut bill = BillLine {
            id: (100 + self.0.len()).to_string(),
            bill_id: id.into(),
            bill_name: format!("BILL/{id}"),
            reference: number.into(),
            origin: line.map(|line| format!("P0000{line}")).unwrap_or_default(),
            supplier: SupplierId::new("9"),
            po_line: line.map(Into::into),
            item: line.map(|_| ItemId::new("1")),
            qty: Quantity::units(qty),
            price: Some(UnitPrice(rust_decimal::Decimal::from_f64_retain(unit).unwrap().round_dp(4))),
            billed_on: day(on),
            due_on: Some(day(on + 30)),
            foreign: None,
            company: Some("1".into()),
            paid: false,
            partly: false,
            reversed: false,
            created_at: at(on),
            entered_by: None,
            reverses: None,
        };
        change(&mut bill);
        self.0.push(Record::BillLine(bill));
        self
    }

    fn book(self) -> Book {
        Book::new(at(0), Calendar::utc(), self.0)
    }
}

/// The order of 96, all of it received.
fn whole() -> Shop {
    Shop::default().ordered("1", 96, -10).came("1", 96, -10)
}

/// The order of 96, of which half came.
fn half() -> Shop {
    Shop::default().ordered("1", 96, 4).came("1", 48, -10).came("1", 48, 4)
}

fn score(shop: Shop) -> f64 {
    let book = shop.book();
    assert!(book.repeats().len() <= 1, "{:?}", book.repeats());
    book.repeats().first().map_or(0.0, |r| r.score)
}

/// Quiet: nobody is asked. Doubtful: asked about at most, at a low p. Sure: held back.
#[track_caller]
fn check(name: &str, shop: Shop, expected: std::ops::RangeInclusive<f64>) {
    let found = score(shop);
    assert!(expected.contains(&found), "{name}: {found}, expected {expected:?}");
}

const QUIET: std::ops::RangeInclusive<f64> = 0.0..=0.0;
const DOUBTFUL: std::ops::RangeInclusive<f64> = 0.2..=0.6;
const SURE: std::ops::RangeInclusive<f64> = 0.9..=1.0;

#[test]
fn what_receipts_cover_is_owed_however_alike_the_bills_are() {
    let parts = || Shop::default().ordered("1", 96, -5).came("1", 48, -5).came("1", 48, -4);
    check(
        "part deliveries, own numbers",
        parts().bill("1", "HW-55011", -5, Some("1"), 48, 6.8).bill("2", "HW-55019", -4, Some("1"), 48, 6.8),
        QUIET,
    );
    check(
        "part deliveries, one number",
        parts().bill("1", "SO-7781", -5, Some("1"), 48, 6.8).bill("2", "SO-7781", -4, Some("1"), 48, 6.8),
        QUIET,
    );
    check(
        "part deliveries, no number",
        parts().bill("1", "", -5, Some("1"), 48, 6.8).bill("2", "", -4, Some("1"), 48, 6.8),
        QUIET,
    );
    check(
        "one bill entered for each of two orders",
        Shop::default()
            .ordered("1", 50, -5)
            .came("1", 50, -5)
            .ordered("2", 50, -5)
            .came("2", 50, -5)
            .bill("1", "HW-1001", -3, Some("1"), 50, 6.8)
            .bill("2", "HW-1001", -3, Some("2"), 50, 6.8),
        QUIET,
    );
    check(
        "a number that comes again next year, both received",
        Shop::default()
            .ordered("1", 50, -400)
            .came("1", 50, -400)
            .ordered("2", 50, -5)
            .came("2", 50, -5)
            .bill("1", "17", -398, Some("1"), 50, 6.8)
            .bill("2", "17", -3, Some("2"), 50, 6.8),
        QUIET,
    );
    check(
        "instalments billed before the rest has come",
        half().bill("1", "HW-1", -8, Some("1"), 48, 6.8).bill("2", "HW-2", -7, Some("1"), 48, 6.8),
        QUIET,
    );
}

#[test]
fn what_was_billed_beyond_the_receipts_with_one_number_is_a_duplicate() {
    for number in ["VER-4043", "VER 4043", "ver4043", "VER-04043", "ver/4043", "VER-4043A", "4043"] {
        check(number, whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("2", number, -8, Some("1"), 96, 6.8), SURE);
    }
    check(
        "months later",
        whole().bill("1", "VER-4043", -200, Some("1"), 96, 6.8).bill("2", "ver 4043", -8, Some("1"), 96, 6.8),
        SURE,
    );
    check(
        "the order's name says nothing, the days do",
        whole().bill("1", "P00001", -9, Some("1"), 96, 6.8).bill("2", "P00001", -8, Some("1"), 96, 6.8),
        SURE,
    );
    check(
        "two numbers, days apart",
        whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("2", "VER-5001", -8, Some("1"), 96, 6.8),
        0.8..=0.9,
    );
    check(
        "two numbers, weeks apart: the quantities speak",
        whole().bill("1", "VER-4043", -29, Some("1"), 96, 6.8).bill("2", "VER-5001", -8, Some("1"), 96, 6.8),
        QUIET,
    );
    check(
        "a cent of rounding",
        whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("2", "VER-4043", -8, Some("1"), 96, 6.8002),
        SURE,
    );
    check(
        "entered by hand, without the order",
        whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("2", "VER 4043", -8, None, 1, 652.8),
        0.7..=1.0,
    );
    check(
        "the other part was received",
        {
            let parts = Shop::default().ordered("1", 96, -9).came("1", 48, -9).came("1", 48, -8);
            parts.bill("1", "A-1", -9, Some("1"), 48, 6.8).bill("2", "A-2", -8, Some("1"), 48, 6.8).bill(
                "3",
                "A-2",
                -7,
                Some("1"),
                48,
                6.8,
            )
        },
        SURE,
    );
    check(
        "with free goods on one of them",
        whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("1", "VER-4043", -9, None, 4, 0.0).bill(
            "2",
            "VER-4043",
            -8,
            Some("1"),
            96,
            6.8,
        ),
        SURE,
    );
    check(
        "another amount",
        whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("2", "VER-4043", -8, Some("1"), 90, 6.8),
        0.8..=0.9,
    );
}

#[test]
fn charges_repeat() {
    let charge = |id: &str, number: &str, on: i32| (id.to_owned(), number.to_owned(), on);
    let shop = |bills: &[(String, String, i32)]| {
        bills.iter().fold(Shop::default(), |shop, (id, number, on)| shop.bill(id, number, *on, None, 1, 85.0))
    };
    check("freight with two numbers", shop(&[charge("1", "F-881", -3), charge("2", "F-902", -1)]), QUIET);
    check("freight without numbers", shop(&[charge("1", "", -3), charge("2", "", -1)]), DOUBTFUL);
    check(
        "freight every week, no numbers",
        shop(&[charge("1", "", -17), charge("2", "", -10), charge("3", "", -3), charge("4", "", -2)]),
        QUIET,
    );
    check("freight with one number", shop(&[charge("1", "F-881", -3), charge("2", "F 881", -1)]), 0.7..=0.9);
    check(
        "rent, the contract's number on each",
        shop(&[
            charge("1", "C-4711", -93),
            charge("2", "C-4711", -62),
            charge("3", "C-4711", -32),
            charge("4", "C-4711", -1),
        ]),
        QUIET,
    );
    check("numbers that start anew each year", shop(&[charge("1", "1", -366), charge("2", "1", -1)]), DOUBTFUL);
    check("two words are no number", shop(&[charge("1", "see mail", -30), charge("2", "see mail", -1)]), QUIET);
}

#[test]
fn what_was_taken_back_is_not_there_twice_whichever_field_says_so() {
    let twice = || whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("2", "VER-4043A", -8, Some("1"), 96, 6.8);
    check("control", twice(), SURE);
    let note = |line: Option<&'static str>, change: fn(&mut BillLine)| {
        twice().with("3", "CN-77", -2, line, -96, 6.8, |b| {
            b.origin = "P00001".into();
            change(b);
        })
    };
    check("by link", note(Some("1"), |b| b.reverses = Some("2".into())), QUIET);
    check("by link, on no order line", note(None, |b| b.reverses = Some("2".into())), QUIET);
    check("by origin", note(None, |b| b.origin = "BILL/2".into()), QUIET);
    check("by text", note(None, |b| b.reference = "Reversal of: BILL/2, entered twice".into()), QUIET);
    check("in another language", note(None, |b| b.reference = "Storno von: BILL/2".into()), QUIET);
    check("by the supplier's number", note(None, |b| b.reference = "credit for ver-4043a".into()), QUIET);
    check("by its lines alone", note(None, |b| b.item = Some(ItemId::new("1"))), QUIET);
    check("the first one was", note(Some("1"), |b| b.reverses = Some("1".into())), QUIET);
    check("another bill was", note(None, |b| b.origin = "BILL/22".into()), SURE);
    check(
        "by its state",
        whole()
            .bill("1", "VER-4043", -9, Some("1"), 96, 6.8)
            .with("2", "VER-4043", -8, Some("1"), 96, 6.8, |b| b.reversed = true),
        QUIET,
    );
    check(
        "refund, then billed again",
        {
            whole()
                .bill("1", "VER-4043", -9, Some("1"), 96, 6.8)
                .with("2", "CN-1", -8, Some("1"), -96, 6.8, |b| b.reverses = Some("1".into()))
                .bill("3", "VER-4043", -7, Some("1"), 96, 6.8)
        },
        QUIET,
    );
    let part = twice().with("3", "CN-77", -2, None, -10, 6.8, |b| b.reverses = Some("2".into())).book();
    let taken = part.taken_back("2").unwrap();
    assert!(!taken.whole && taken.credited == Money::from_minor(6800), "{taken:?}");
    assert!(part.repeats()[0].evidence.iter().any(|e| !e.pro && e.what.contains("credited")));
}

#[test]
fn what_is_taken_off_a_repeat_is_not_taken_off_the_bill_that_it_repeats() {
    let asked = |note_on: &'static str| {
        let shop = whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).bill("2", "VER-4043", -8, Some("1"), 96, 6.8);
        let book = shop.with("3", "CN-77", -2, Some("1"), -48, 6.8, |b| b.reverses = Some(note_on.into())).book();
        assert!(book.repeats()[0].is_taken() && book.repeats()[0].later == "2", "{:?}", book.repeats());
        book.asked("1").into_iter().map(|b| b.qty).sum::<Quantity>()
    };
    assert_eq!(asked("2"), Quantity::units(96));
    assert_eq!(asked("1"), Quantity::units(48), "what is taken off the first one is");
}

#[test]
fn bills_of_two_companies_and_in_two_currencies_are_two_things() {
    let second = |change: fn(&mut BillLine)| {
        whole().bill("1", "VER-4043", -9, Some("1"), 96, 6.8).with("2", "VER-4043", -8, Some("1"), 96, 6.8, change)
    };
    check("control", second(|_| {}), SURE);
    check("another company", second(|b| b.company = Some("2".into())), QUIET);
    check("another supplier", second(|b| b.supplier = SupplierId::new("8")), QUIET);
    let abroad = |currency: &str| Some(Foreign { currency: currency.into(), price: price(6.0) });
    let euros = |rate: f64, currency: &'static str| {
        whole().with("1", "VER-4043", -9, Some("1"), 96, 6.8, |b| b.foreign = abroad("3")).with(
            "2",
            "VER-4043A",
            -8,
            Some("1"),
            96,
            rate,
            |b| b.foreign = abroad(currency),
        )
    };
    check("one amount at the rates of two days", euros(6.9, "3"), SURE);
    check("one figure in two currencies", euros(6.8, "4"), QUIET);
    check(
        "no rate",
        whole().with("1", "VER-4043", -9, Some("1"), 96, 6.8, |b| (b.price, b.foreign) = (None, abroad("3"))).with(
            "2",
            "VER-4043",
            -8,
            Some("1"),
            96,
            6.8,
            |b| (b.price, b.foreign) = (None, abroad("3")),
        ),
        SURE,
    );
}

#[test]
fn down_payments_and_bills_for_nothing_are_no_duplicates() {
    // Half ahead, then the whole less what was paid ahead: both ask for 326.40.
    check(
        "down payment and final bill",
        whole()
            .bill("1", "DP-1", -9, None, 1, 326.4)
            .bill("2", "HW-77", -8, Some("1"), 96, 6.8)
            .bill("2", "HW-77", -8, None, -1, 326.4),
        QUIET,
    );
    check(
        "nothing asked",
        whole().bill("1", "HW-1", -9, Some("1"), 96, 0.0).bill("2", "HW-1", -8, Some("1"), 96, 0.0),
        QUIET,
    );
}

#[test]
fn what_is_paid_twice_is_asked_back_while_that_can_be_done() {
    let paid = |on: i32| {
        whole()
            .bill("1", "VER-4043", on - 1, Some("1"), 96, 6.8)
            .with("2", "VER-4043", on, Some("1"), 96, 6.8, |b| b.paid = true)
    };
    check("last week", paid(-8), SURE);
    check("last year", paid(-250), QUIET);
    let book = paid(-8).book();
    assert!(book.repeats()[0].paid);
    assert_eq!(book.asked("1").len(), 1, "it is no wrong quantity besides");
    let partly = whole()
        .bill("1", "VER-4043", -9, Some("1"), 96, 6.8)
        .with("2", "VER-4043", -8, Some("1"), 96, 6.8, |b| (b.paid, b.partly) = (true, true))
        .with("3", "CN-1", -2, None, -10, 6.8, |b| b.reverses = Some("2".into()))
        .book();
    assert!(!partly.repeats()[0].paid, "a credit note settled the part");
}

#[test]
fn what_is_billed_ahead_is_told_from_what_is_not_owed() {
    let excess = |shop: Shop, billed: i64| {
        let book = shop.book();
        let line = &book.po_lines["1"];
        Excess::of(&book, line, Quantity::units(billed), book.received("1"), 1)
    };
    let table = [
        ("half came, all billed", half(), 96, (48, 48, false)),
        ("billed above the order", half(), 110, (62, 48, false)),
        (
            "the rest is overdue",
            Shop::default()
                .ordered("1", 96, -6)
                .came("1", 48, -6)
                .came("1", 48, -6)
                .0
                .into_iter()
                .map(open)
                .collect::<Vec<_>>()
                .into(),
            96,
            (48, 48, true),
        ),
        ("closed short", Shop::default().ordered("1", 96, -6).came("1", 48, -6), 96, (48, 0, true)),
        ("nothing came yet", Shop::default().ordered("1", 96, 4), 96, (96, 96, false)),
        ("all came", whole(), 96, (0, 0, true)),
    ];
    for (name, shop, billed, (over, outstanding, late)) in table {
        let found = excess(shop, billed);
        assert_eq!(
            (found.over, found.outstanding, found.late),
            (Quantity::units(over), Quantity::units(outstanding), late),
            "{name}"
        );
    }
    let waiting = excess(half(), 96);
    assert!(!waiting.holds_back(Some(day(20)), Habit::default()), "due after the rest has come");
    assert!(waiting.holds_back(Some(day(2)), Habit::default()), "due before");
    assert!(!waiting.holds_back(Some(day(2)), Habit { lines: 4, whole: 3 }), "as agreed");
    assert!(!waiting.holds_back(None, Habit::default()));
}

/// The second receipt of the line is still open.
fn open(record: Record) -> Record {
    match record {
        Record::Move(m) if m.id == "5002" => Record::Move(StockMove { done_at: None, deadline: Some(at(-6)), ..m }),
        other => other,
    }
}

impl From<Vec<Record>> for Shop {
    fn from(records: Vec<Record>) -> Self {
        Self(records)
    }
}

#[test]
fn a_supplier_who_bills_orders_whole_has_a_habit() {
    let mut shop = Shop::default().ordered("1", 96, 4);
    for line in ["2", "3", "4"] {
        shop = shop.ordered(line, 40, -20).came(line, 20, -20).came(line, 20, -10).bill(line, "", -19, Some(line), 40, 6.8);
    }
    let book = shop.book();
    assert_eq!(book.billing_habit(&book.po_lines["1"]), Habit { lines: 3, whole: 3 });
    assert!(book.billing_habit(&book.po_lines["1"]).is_one() && !book.billing_habit(&book.po_lines["2"]).is_one());
}

#[test]
fn what_a_supplier_agreed_with_one_company_says_nothing_of_another() {
    let mut shop = Shop::default().ordered("1", 96, 4);
    for line in ["2", "3", "4", "5"] {
        shop = shop.ordered(line, 40, -20).came(line, 20, -20).came(line, 20, -10).bill(line, "", -19, Some(line), 40, 6.8);
    }
    for record in &mut shop.0 {
        if let Record::PoLine(line) = record
            && line.id != "1"
        {
            line.location = LocationId::new("2");
        }
    }
    for id in ["1", "2"] {
        let (code, name, company) = ("WH".into(), "Main".into(), Some(id.into()));
        shop.0.push(Record::Location(Location {
            id: LocationId::new(id),
            code,
            name,
            company,
            company_name: String::new(),
        }));
    }
    let book = shop.book();
    assert_eq!(book.billing_habit(&book.po_lines["1"]), Habit::default());
    assert_eq!(book.billing_habit(&book.po_lines["2"]), Habit { lines: 3, whole: 3 }, "its own aside");
}
