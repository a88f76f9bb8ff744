//! Customers' orders that wait though they need not: O-LATE, O-SHORTPICK, I-RESERVE.

use super::*;
use reeve_domain::record::SaleLine;

impl Shop {
    /// A delivery from the store that has not left, entered and promised on these days.
    fn waits(&mut self, qty: i64, entered: i32, promised: Option<i32>) -> &mut StockMove {
        let m = self.moved(MoveKind::Delivery, Some("2"), None, qty, None);
        m.created_at = at(entered);
        m.deadline = promised.map(at);
        m
    }
}

#[test]
fn orders_past_their_day_whose_goods_are_there_are_asked_after() {
    let mut shop = Shop::new();
    shop.stock("2", 100);
    shop.demand("2", 3.0);
    shop.waits(10, -6, Some(-4));
    shop.waits(5, -3, Some(-2));
    let signal = shop.one(T::OLate);
    assert_eq!(
        signal.headline,
        "2 customer orders of AC-001 Kitchen scale at Market Street Store are past their day, 15 units, the oldest since 2026-10-29; 100 are there."
    );
    assert_eq!(links(&signal), ["shortage:1@2"]);
    let found = shop.assess_signals(vec![signal]);
    // 15 × 6.00, of which one in ten cancels.
    assert_eq!(found.loss_sum[0].amount.expected, money("9.00"));
    assert!(found.candidates.iter().any(|c| c.summary.contains("the goods are there, when do they leave")));
}

#[test]
fn orders_that_are_not_due_or_wait_for_stock_are_no_case_of_their_own() {
    let mut shop = Shop::new();
    shop.stock("2", 100);
    shop.demand("2", 3.0);
    shop.waits(10, -6, Some(3));
    shop.waits(5, -3, None);
    shop.silent(T::OLate);
    // What is not there is late, too: it shares the shortage's case, and its loss is counted there.
    let mut out = Shop::new();
    out.records.push(Record::SupplierPrice(records::supplier_price("1")));
    out.demand("2", 3.0);
    out.moved(MoveKind::Opening, None, Some("2"), 4, Some(-50));
    out.moved(MoveKind::Delivery, Some("2"), None, 4, Some(-5));
    out.waits(10, -6, Some(-4));
    let both = vec![out.must(T::IOut), out.one(T::OLate)];
    assert_eq!(fold(at(0), both.clone(), Vec::new(), Vec::new()).cases.len(), 1);
    let found = out.assess_signals(both);
    assert!(found.loss_sum.iter().all(|part| !part.what.starts_with("margin of those who cancel")), "{:?}", found.loss_sum);
}

/// Ten were ordered; seven were picked though the books said that a hundred were there.
fn picked_short(stock: i64) -> Shop {
    let mut shop = Shop::new();
    shop.stock("2", stock);
    shop.demand("2", 3.0);
    shop.records.push(Record::SaleLine(SaleLine {
        qty: Quantity::units(10),
        ordered_at: at(-3),
        ..records::sale_line("50")
    }));
    let picked = shop.moved(MoveKind::Delivery, Some("2"), None, 7, Some(-2));
    (picked.sale_line, picked.created_at) = (Some("50".into()), at(-3));
    let rest = shop.waits(3, -2, None);
    rest.sale_line = Some("50".into());
    shop
}

#[test]
fn a_rest_that_was_left_though_the_books_have_it_is_looked_for() {
    let shop = picked_short(100);
    let signal = shop.one(T::OShortPick);
    assert!(signal.headline.contains("7 of AC-001 Kitchen scale were picked"), "{}", signal.headline);
    assert!(signal.headline.ends_with("3 were left, and the books say they are there."));
    let found = shop.assess_signals(vec![signal]);
    assert!(has(&found, "RECOUNT") && has(&found, "CONTACT"));
    assert!(found.rank.value.expected > Money::ZERO);
}

#[test]
fn a_rest_that_waits_for_stock_is_no_short_pick() {
    picked_short(7).silent(T::OShortPick);
}

#[test]
fn goods_that_old_orders_keep_are_freed_for_those_who_want_them() {
    let mut shop = Shop::new();
    shop.stock("2", 30);
    shop.demand("2", 4.0);
    shop.waits(30, -25, Some(-20));
    let signal = shop.one(T::IReserve);
    assert!(
        signal.headline.starts_with("30 of AC-001 Kitchen scale at Market Street Store are kept for 1 orders"),
        "{}",
        signal.headline
    );
    let found = shop.assess_signals(vec![signal]);
    assert!(found.loss_sum.iter().any(|p| p.what.starts_with("margin of what others would buy")), "{:?}", found.loss_sum);
    assert!(found.candidates.iter().any(|c| c.summary.contains("do the orders still stand")));
}

#[test]
fn what_old_orders_keep_is_no_second_loss_beside_the_shortage() {
    let mut shop = Shop::new();
    shop.records.push(Record::SupplierPrice(records::supplier_price("1")));
    shop.stock("2", 40);
    shop.demand("2", 5.0);
    shop.waits(40, -25, None);
    let (out, kept) = (shop.must(T::IOut), shop.one(T::IReserve));
    let alone = shop.assess_signals(vec![out.clone()]);
    let both = shop.assess_signals(vec![out, kept]);
    assert_eq!(both.loss_sum, alone.loss_sum, "whoever finds nothing is lost once");
    let asked = both.candidates.iter().find(|c| c.summary.contains("do the orders still stand")).expect("asked");
    assert!(asked.money.loss_after.expected < asked.money.loss_now.expected, "{asked:?}");
}

#[test]
fn what_is_made_to_order_or_young_or_free_keeps_nothing_from_anybody() {
    let shop = |entered: i32, promised: Option<i32>, stock: i64| {
        let mut shop = Shop::new();
        shop.stock("2", stock);
        shop.demand("2", 4.0);
        shop.waits(30, entered, promised);
        shop
    };
    shop(-25, Some(10), 30).silent(T::IReserve);
    shop(-3, None, 30).silent(T::IReserve);
    shop(-25, None, 60).silent(T::IReserve);
    shop(-25, None, 20).silent(T::IReserve);
}

/// A store that sells one at a time, and one customer who asks for forty of the forty-five that are there.
fn one_large_order(stock: i64, units: i64) -> Shop {
    let mut shop = Shop::new();
    shop.records.push(Record::SupplierPrice(records::supplier_price("1")));
    shop.stock("2", stock);
    shop.demand("2", 3.0);
    for n in 0..12 {
        let line = SaleLine { ordered_at: at(-20 + n), ..records::sale_line(&format!("7{n}")) };
        shop.records.push(Record::SaleLine(line));
    }
    let line = SaleLine { qty: Quantity::units(units), ordered_at: at(-1), ..records::sale_line("50") };
    shop.records.push(Record::SaleLine(line));
    shop.waits(units, -1, Some(2)).sale_line = Some("50".into());
    shop
}

#[test]
fn an_order_that_takes_what_all_others_want_is_asked_about() {
    let shop = one_large_order(45, 40);
    let signal = shop.one(T::DBulk);
    assert!(
        signal
            .headline
            .starts_with("S50 asks for 40 of AC-001 Kitchen scale at Market Street Store, 1 are usual: 5 would be free"),
        "{}",
        signal.headline
    );
    assert_eq!(links(&signal), ["shortage:1@2"]);
    let found = shop.assess_signals(vec![signal]);
    assert!(
        found.loss_sum.iter().any(|part| part.what.starts_with("lost margin")),
        "what the others lose: {:?}",
        found.loss_sum
    );
    assert!(found.candidates.iter().any(|c| c.summary.contains("is the quantity meant")));
    assert!(one_large_order(45, 10).looked_as(T::DBulk).is_empty(), "ten are not so many that anybody lacks them");
    one_large_order(400, 40).silent(T::DBulk);
    assert!(one_large_order(105, 100).one(T::DBulk).headline.ends_with("it is 100 times the usual, perhaps a slip."));
}
