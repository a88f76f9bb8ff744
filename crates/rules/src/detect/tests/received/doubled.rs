//! A receipt that was booked twice: how much of it is still on the books.

use super::*;

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
    let checks = shop.with(&case, &[], |scene| checks_of(scene, &action));
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
    let seen = crate::detect::look(&shop.book(), &shop.settings);
    let count = seen.signals.iter().find(|s| s.code == T::ICount).unwrap();
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
}
