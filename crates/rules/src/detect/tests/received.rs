//! Shapes in which goods come on a purchase line and go back, each with what is said about it (docs/SHAPES.md, "Received").

use super::*;
use crate::assess::checks_of;
use crate::detect::matching;
use reeve_domain::exception::Subject;

/// Purchase line 1 asks Acme for 100 of item 1 at 8.00, promised five days ago.
fn ordered(shop: &mut Shop, qty: i64) -> &mut PurchaseLine {
    shop.order("1", qty, -20, -5)
}

fn came(shop: &mut Shop, qty: i64, day: i32) -> String {
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), qty, Some(day));
    m.po_line = Some("1".into());
    m.id.clone()
}

/// Goes back of the move `of`.
fn back(shop: &mut Shop, qty: i64, day: i32, of: &str, to_replace: bool) -> String {
    let m = shop.moved(MoveKind::SupplierReturn, Some("2"), None, qty, Some(day));
    (m.po_line, m.returns, m.to_replace) = (Some("1".into()), Some(of.into()), to_replace);
    m.id.clone()
}

/// Comes in the place of the return `of`.
fn replaced(shop: &mut Shop, qty: i64, day: i32, of: &str) {
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), qty, Some(day));
    (m.po_line, m.returns) = (Some("1".into()), Some(of.into()));
}

fn billed(shop: &mut Shop, bill: &str, qty: i64) {
    let id = shop.id();
    shop.records.push(Record::BillLine(BillLine {
        id,
        bill_id: bill.into(),
        bill_name: format!("BILL/{bill}"),
        reference: format!("INV-{bill}"),
        origin: String::new(),
        supplier: SupplierId::new("9"),
        po_line: Some("1".into()),
        item: Some(ItemId::new("1")),
        qty: Quantity::units(qty),
        price: UnitPrice::from_erp(8.0),
        billed_on: day(-1),
        due_on: Some(day(20)),
        foreign: None,
        company: None,
        paid: false,
        partly: false,
        reversed: false,
        created_at: at(-1),
        entered_by: None,
        reverses: None,
    }));
}

/// A component of the kit on line 1.
fn component(shop: &mut Shop, item: &str, asked: i64, qty: i64, done: Option<i32>) {
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), qty, done);
    (m.item, m.po_line, m.asked) = (ItemId::new(item), Some("1".into()), Some(Quantity::units(asked)));
    m.document = "MKT/IN/1".into();
}

fn counted(shop: &mut Shop, qty: i64, day: i32) {
    // A count that agreed is booked too, with nothing.
    let (from, to) = if qty > 0 { (None, Some("2")) } else { (Some("2"), None) };
    shop.moved(MoveKind::Count, from, to, qty.abs(), Some(day));
}

/// Receipts, returns and bills: what is said of them, in order of code.
fn said(shop: &Shop) -> Vec<T> {
    let (book, settings) = (shop.book(), &shop.settings);
    let mut signals = receiving::signals(&book, settings);
    signals.extend(matching::signals(&book, settings));
    signals.extend(asn::signals(&book, settings));
    let mut codes: Vec<T> = signals.into_iter().map(|s| s.code).collect();
    codes.sort();
    codes
}

type Shape = (&'static str, fn(&mut Shop), &'static [T]);

const SHAPES: &[Shape] = &[
    (
        "all came",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            billed(s, "7", 100);
        },
        &[],
    ),
    (
        "exchanged, no refund",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            let gone = back(s, 36, -4, &first, true);
            replaced(s, 36, -2, &gone);
            billed(s, "7", 100);
        },
        &[T::RDamage],
    ),
    (
        "exchanged, both moves marked to be refunded",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            let gone = back(s, 36, -4, &first, false);
            replaced(s, 36, -2, &gone);
            billed(s, "7", 100);
        },
        &[T::RDamage],
    ),
    (
        "exchanged, the replacement names the order only",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            back(s, 36, -4, &first, true);
            came(s, 36, -2);
            billed(s, "7", 100);
        },
        &[T::RDamage],
    ),
    (
        "exchanged, the moves name what they take back only",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            let gone = back(s, 36, -4, &first, true);
            replaced(s, 36, -2, &gone);
            for record in &mut s.records {
                if let Record::Move(m) = record
                    && m.returns.is_some()
                {
                    m.po_line = None;
                }
            }
        },
        &[T::RDamage],
    ),
    (
        "exchanged on the day it came",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            let gone = back(s, 100, -5, &first, true);
            replaced(s, 100, -5, &gone);
        },
        &[T::RDamage],
    ),
    (
        "more came in the place of it than had gone back",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            let gone = back(s, 30, -4, &first, true);
            replaced(s, 50, -2, &gone);
        },
        &[T::ROver, T::RDamage],
    ),
    (
        "exchanged, and billed again",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            let gone = back(s, 36, -4, &first, true);
            replaced(s, 36, -2, &gone);
            billed(s, "7", 100);
            billed(s, "8", 36);
        },
        &[T::RDamage, T::FQty],
    ),
    (
        "gone back to be replaced, and not here yet",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            back(s, 36, -4, &first, true);
            billed(s, "7", 100);
        },
        &[T::RDamage],
    ),
    (
        "gone back to be credited, and billed in full",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            back(s, 36, -4, &first, false);
            billed(s, "7", 100);
        },
        &[T::RDamage, T::FQty],
    ),
    (
        "gone back and credited",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            back(s, 36, -4, &first, false);
            billed(s, "7", 100);
            billed(s, "8", -36);
        },
        &[T::RDamage],
    ),
    (
        "too much came and the surplus went back",
        |s| {
            ordered(s, 100);
            let first = came(s, 130, -5);
            back(s, 30, -4, &first, false);
            billed(s, "7", 100);
        },
        &[T::RDamage],
    ),
    (
        "too much came",
        |s| {
            ordered(s, 100);
            came(s, 130, -5);
        },
        &[T::ROver],
    ),
    (
        "ten times as much came",
        |s| {
            ordered(s, 100);
            came(s, 1000, -5);
        },
        &[T::RUom],
    ),
    (
        "nine tenths went back: no slip of the unit",
        |s| {
            ordered(s, 100);
            let first = came(s, 100, -5);
            back(s, 90, -4, &first, false);
        },
        &[T::RDamage],
    ),
    (
        "too little came, the rest is closed",
        |s| {
            ordered(s, 100);
            came(s, 60, -5);
        },
        &[T::RShort],
    ),
    (
        "too little came and some of it went back",
        |s| {
            ordered(s, 100);
            let first = came(s, 60, -5);
            back(s, 10, -4, &first, false);
        },
        &[T::RShort, T::RDamage],
    ),
    (
        "the rest came later, in a backorder",
        |s| {
            ordered(s, 100);
            came(s, 60, -5);
            came(s, 40, -1);
        },
        &[],
    ),
    (
        "some of it was scrapped as it came",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            s.moved(MoveKind::Scrap, Some("2"), None, 20, Some(-5));
        },
        &[],
    ),
    (
        "a kit came whole",
        |s| {
            ordered(s, 10);
            component(s, "2", 40, 40, Some(-5));
            component(s, "3", 10, 10, Some(-5));
            billed(s, "7", 10);
        },
        &[],
    ),
    (
        "of a kit one component is short",
        |s| {
            ordered(s, 10);
            component(s, "2", 40, 24, Some(-5));
            component(s, "3", 10, 10, Some(-5));
            billed(s, "7", 10);
        },
        &[T::RShort, T::FQty],
    ),
    (
        "of a kit the rest came in a backorder",
        |s| {
            ordered(s, 10);
            component(s, "2", 24, 24, Some(-5));
            component(s, "3", 6, 6, Some(-5));
            component(s, "2", 16, 16, Some(-1));
            component(s, "3", 4, 4, Some(-1));
            billed(s, "7", 10);
        },
        &[],
    ),
    (
        "of a kit too many came",
        |s| {
            ordered(s, 10);
            component(s, "2", 40, 60, Some(-5));
            component(s, "3", 10, 15, Some(-5));
        },
        &[T::ROver],
    ),
    (
        "straight to a customer",
        |s| {
            ordered(s, 100).to_customer = true;
            s.moved(MoveKind::Receipt, None, None, 100, Some(-5)).po_line = Some("1".into());
            billed(s, "7", 100);
        },
        &[],
    ),
    (
        "straight to a customer, too little",
        |s| {
            ordered(s, 100).to_customer = true;
            s.moved(MoveKind::Receipt, None, None, 50, Some(-5)).po_line = Some("1".into());
            billed(s, "7", 100);
        },
        &[T::RShort, T::FQty],
    ),
    (
        "on consignment, ordered",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            if let Some(Record::Move(m)) = s.records.last_mut() {
                m.owner = Some("9".into());
            }
        },
        &[],
    ),
    (
        "on consignment, without an order",
        |s| {
            s.moved(MoveKind::Receipt, None, Some("2"), 500, Some(-1)).owner = Some("9".into());
        },
        &[],
    ),
    (
        "without an order",
        |s| {
            s.moved(MoveKind::Receipt, None, Some("2"), 500, Some(-1));
        },
        &[T::RUnplanned],
    ),
    (
        "in the place of a return that is too old to be known",
        |s| {
            s.moved(MoveKind::Receipt, None, Some("2"), 5, Some(-1)).returns = Some("1".into());
        },
        &[],
    ),
    (
        "a line that sends goods back",
        |s| {
            ordered(s, -10);
            s.moved(MoveKind::SupplierReturn, Some("2"), None, 10, Some(-5)).po_line = Some("1".into());
            billed(s, "7", -10);
        },
        &[],
    ),
    (
        "free goods on a line of their own, booked in with the others",
        |s| {
            ordered(s, 120);
            let free = s.order("2", 12, -20, -5);
            (free.order_id, free.order_name, free.price) = ("51".into(), "P0001".into(), None);
            came(s, 132, -5);
            billed(s, "7", 120);
        },
        &[],
    ),
    (
        "one line of an item has what is still on its way for the other",
        |s| {
            ordered(s, 100);
            let later = s.order("2", 100, -20, 9);
            (later.order_id, later.order_name) = ("51".into(), "P0001".into());
            s.receipt("2", 100, None);
            came(s, 150, -5);
        },
        &[T::ROver],
    ),
    (
        "booked in twice",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            came(s, 100, -5);
            billed(s, "7", 100);
        },
        &[T::RDup],
    ),
    (
        "booked in twice, and taken back",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            let second = came(s, 100, -5);
            back(s, 100, -2, &second, false);
            billed(s, "7", 100);
        },
        &[T::RDamage],
    ),
    (
        "booked in twice, and counted out",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            came(s, 100, -5);
            counted(s, -100, -2);
            billed(s, "7", 100);
        },
        &[],
    ),
    (
        "booked in twice, counted out, and the count undone",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            came(s, 100, -5);
            counted(s, -100, -3);
            counted(s, 100, -2);
        },
        &[T::RDup],
    ),
    (
        "booked in twice, counted out, and billed twice",
        |s| {
            ordered(s, 100);
            came(s, 100, -5);
            came(s, 100, -5);
            counted(s, -100, -2);
            billed(s, "7", 100);
            billed(s, "8", 50);
        },
        &[T::RDup],
    ),
];

#[test]
fn each_shape_in_which_goods_come_and_go_back_is_read_as_what_it_is() {
    let mut wrong = Vec::new();
    for (name, build, wanted) in SHAPES {
        let mut shop = Shop::new();
        build(&mut shop);
        let found = said(&shop);
        if found != *wanted {
            wrong.push(format!("{name}: {found:?}, wanted {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_was_exchanged_and_billed_again_is_owed_back_at_the_orders_price() {
    let mut shop = Shop::new();
    ordered(&mut shop, 100);
    let first = came(&mut shop, 100, -5);
    let gone = back(&mut shop, 36, -4, &first, true);
    replaced(&mut shop, 36, -2, &gone);
    billed(&mut shop, "7", 100);
    billed(&mut shop, "8", 36);
    let signals = matching::signals(&shop.book(), &shop.settings);
    assert_eq!(value(&signals[0], "quantity_variance"), Some(&FactValue::Money(money("288.00"))));
    assert_eq!(value(&signals[0], "received"), Some(&units(100)));
    assert_eq!(value(&signals[0], "replaced"), Some(&units(36)));
    let damage = shop.must(T::RDamage);
    assert!(damage.headline.ends_with("; 36 came in their place."), "{}", damage.headline);
}

#[test]
fn too_little_that_partly_went_back_is_short_by_what_never_came() {
    let mut shop = Shop::new();
    ordered(&mut shop, 100);
    let first = came(&mut shop, 60, -5);
    back(&mut shop, 10, -4, &first, false);
    let short = shop.must(T::RShort);
    assert!(short.headline.contains("delivered 60 of 100") && short.headline.contains("40 short"), "{}", short.headline);
}

#[test]
fn components_of_a_kit_are_on_their_way_and_the_kit_is_not() {
    let mut shop = Shop::new();
    shop.order("1", 10, -20, 5);
    component(&mut shop, "2", 40, 40, None);
    component(&mut shop, "3", 10, 10, Some(-1));
    let book = shop.book();
    let coming =
        |item: &str| -> Quantity { book.incoming(&ItemId::new(item), &LocationId::new("2")).iter().map(|i| i.qty).sum() };
    assert_eq!([coming("1"), coming("2"), coming("3")].map(|q| q.to_string()), ["0", "40", "0"]);
    assert_eq!(book.open_quantity("1"), Quantity::units(10));
    assert_eq!(book.received("1"), Quantity::ZERO);
}

#[test]
fn what_goes_straight_to_a_customer_is_not_on_its_way_to_us() {
    let mut shop = Shop::new();
    shop.open_order("1", -20, 5);
    assert_eq!(shop.book().incoming(&ItemId::new("1"), &LocationId::new("2")).len(), 1);
    if let Some(Record::PoLine(line)) = shop.records.iter_mut().find(|r| matches!(r, Record::PoLine(_))) {
        line.to_customer = true;
    }
    let book = shop.book();
    assert!(book.incoming(&ItemId::new("1"), &LocationId::new("2")).is_empty());
    assert_eq!(book.open_quantity("1"), Quantity::units(300));
}

/// A hundred booked in twice.
fn doubled() -> Shop {
    let mut shop = Shop::new();
    ordered(&mut shop, 100);
    came(&mut shop, 100, -5);
    came(&mut shop, 100, -5);
    shop.demand("2", 10.0);
    shop
}

/// The same, of which `taken` were scrapped three days later.
fn scrapped(taken: i64) -> Shop {
    let mut shop = doubled();
    shop.moved(MoveKind::Scrap, Some("2"), None, taken, Some(-2));
    shop
}

/// The hard check of a reversal of the second receipt, whoever asks for it.
fn is_still_there(shop: &Shop) -> bool {
    let book = shop.book();
    let receipts: Vec<&str> = book.receipts("1").iter().map(|m| m.document.as_str()).collect();
    let action = Action::ReverseDoc { document: receipts[1].into(), duplicate_of: receipts[0].into() };
    let days = (day(-5), day(-5));
    let signal = Signal::rule("test/1", T::RDup, Subject::default(), "receipt".into(), days, "Twice".into());
    let case = fold(at(0), vec![signal], Vec::new(), Vec::new()).cases.remove(0).0;
    let scene = Scene {
        case: &case,
        exceptions: &[],
        book: &book,
        outlook: &shop.outlook,
        p: &BTreeMap::new(),
        claimed: &BTreeMap::new(),
        promised: &BTreeMap::new(),
        settings: &shop.settings,
    };
    let checks = checks_of(&scene, &action);
    checks.iter().find(|c| c.hard && c.name == "surplus still on the books").unwrap().passed
}

#[test]
fn a_doubled_receipt_is_reversed_while_all_of_it_is_on_the_books() {
    // Of a hundred a loss of two is a matter of its own.
    for (shop, stake) in [(doubled(), "400.00"), (scrapped(2), "392.00")] {
        let found = shop.assess(&[T::RDup]);
        assert!(has(&found, "REVERSE-DOC") && has(&found, "RECOUNT"));
        assert_eq!(found.rank.at_stake, money(stake));
        assert!(is_still_there(&shop));
    }
}

#[test]
fn what_was_taken_off_the_books_is_not_taken_off_again() {
    let shop = scrapped(60);
    let part = shop.assess(&[T::RDup]);
    assert!(!has(&part, "REVERSE-DOC") && has(&part, "RECOUNT"), "{:?}", part.candidates);
    assert_eq!(part.rank.at_stake, money("160.00"), "forty are left at 4.00");
    assert!(part.rank.p < doubled().assess(&[T::RDup]).rank.p, "it is no more certain than before");
    let headline = shop.must(T::RDup).headline;
    assert!(headline.ends_with("60 of them were taken off the books again, 40 are still there."), "{headline}");
    assert!(!is_still_there(&shop) && !is_still_there(&scrapped(100)));
}

#[test]
fn a_count_lowers_what_is_thought_of_a_doubled_receipt_also_where_it_left_the_goods() {
    let before = doubled().assess(&[T::RDup]).rank.p;
    for off in [0, -30] {
        let mut shop = doubled();
        counted(&mut shop, off, -2);
        let found = shop.assess(&[T::RDup]);
        assert!(found.rank.p < before / 2.0, "{off}: {} after {before}", found.rank.p);
    }
    let mut shop = doubled();
    counted(&mut shop, -100, -2);
    shop.quiet(T::RDup);
    assert!(!is_still_there(&shop));
}

#[test]
fn a_count_that_took_a_doubled_receipt_out_is_neither_reversed_nor_repeated() {
    let before = doubled();
    let mut shop = doubled();
    counted(&mut shop, -100, -2);
    let days = (day(-2), day(-2));
    let place = Subject::at(&ItemId::new("1"), &LocationId::new("2"));
    let count = Signal::rule("test/1", T::ICount, place, "count".into(), days, "A hundred fewer".into());
    // The exception of the receipt lasts until it has not been seen twice.
    let found = shop.assess_signals(vec![before.must(T::RDup), count]);
    assert!(!has(&found, "REVERSE-DOC") && !has(&found, "RECOUNT"), "{:?}", found.candidates);
    assert_eq!(found.rank.at_stake, Money::ZERO);
    assert!(found.rank.p < before.assess(&[T::RDup]).rank.p, "p falls when a count took it out");
    let signals = crate::detect::stock::signals(&shop.book(), &shop.settings);
    let count = signals.iter().find(|s| s.code == T::ICount).unwrap();
    assert!(count.headline.ends_with("had booked in 100 too many."), "{}", count.headline);
}

#[test]
fn a_scrap_or_a_return_without_an_order_takes_out_too_and_what_came_before_does_not() {
    for kind in [MoveKind::Scrap, MoveKind::SupplierReturn] {
        let mut shop = doubled();
        shop.moved(kind, Some("2"), None, 30, Some(-7));
        assert_eq!(left(&shop), Quantity::units(100));
        shop.moved(kind, Some("2"), None, 30, Some(-1));
        assert_eq!(left(&shop), Quantity::units(70), "{kind:?}");
    }
}

fn left(shop: &Shop) -> Quantity {
    let book = shop.book();
    let second = book.receipts("1")[1].document.clone();
    book.surplus_of(&second).iter().map(reeve_domain::surplus::Surplus::left).sum()
}

#[test]
fn a_return_without_a_reason_claims_nothing_about_quality() {
    for (reason, claims) in [("", false), ("  ", false), ("mouldy", true)] {
        let mut shop = Shop::new();
        ordered(&mut shop, 100);
        came(&mut shop, 100, -5);
        shop.moved(MoveKind::CustomerReturn, None, Some("2"), 60, Some(-1)).reason = reason.into();
        let place = Subject::at(&ItemId::new("1"), &LocationId::new("2"));
        let signal = Signal::rule("test/1", T::DReturn, place, "week".into(), (day(-1), day(-1)), "Sixty back".into());
        let found = shop.assess_signals(vec![signal]);
        assert_eq!(has(&found, "CLAIM"), claims, "{reason:?}");
    }
    // What went back to the supplier is claimed as what it is.
    let mut shop = Shop::new();
    ordered(&mut shop, 100);
    let first = came(&mut shop, 100, -5);
    back(&mut shop, 36, -4, &first, true);
    assert!(!has(&shop.assess(&[T::RDamage]), "CLAIM"), "nobody has billed it");
    billed(&mut shop, "7", 100);
    let found = shop.assess(&[T::RDamage]);
    let basis = found.candidates.iter().find_map(|c| match &c.action {
        Action::Claim { basis, .. } => Some(basis.as_str()),
        _ => None,
    });
    assert_eq!(basis, Some("sent back to the supplier"));
}

proptest! {
    #[test]
    fn no_surplus_is_taken_out_twice_and_none_appears(counts in prop::collection::vec((-80_i64..80, -4_i32..0), 0..6)) {
        let mut shop = doubled();
        for (qty, day) in &counts {
            if *qty != 0 {
                counted(&mut shop, *qty, *day);
            }
        }
        let left = left(&shop);
        let down: i64 = counts.iter().map(|(qty, _)| (-qty).max(0)).sum();
        prop_assert!(left <= Quantity::units(100) && left >= Quantity::units((100 - down).max(0)));
    }

    #[test]
    fn what_is_kept_is_what_came_less_what_went_back(first in 1_i64..200, gone in 0_i64..200, again in 0_i64..200, replace: bool) {
        let mut shop = Shop::new();
        ordered(&mut shop, 100);
        let receipt = came(&mut shop, first, -5);
        let gone = gone.min(first);
        let sent = back(&mut shop, gone, -4, &receipt, replace);
        replaced(&mut shop, again, -2, &sent);
        let book = shop.book();
        let line = &book.po_lines["1"];
        prop_assert_eq!(book.received("1"), Quantity::units(first - gone + again));
        prop_assert_eq!(book.arrived("1") - book.sent_back("1"), book.received("1"));
        prop_assert_eq!(book.delivered("1") - book.away("1"), book.received("1"));
        prop_assert_eq!(book.delivered("1") + book.replaced("1"), book.arrived("1"));
        prop_assert!(book.billable(line) >= book.received("1"));
        prop_assert!(book.billable(line) <= book.received("1").max(line.qty));
        prop_assert!(book.excess(line).is_zero() || book.missing(line).is_zero());
    }
}
