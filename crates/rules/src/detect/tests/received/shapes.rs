//! The table of shapes, each with the codes that are raised.

use super::*;

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
