//! Orders that nobody confirms: S-UNCONF.

use super::*;

/// Four orders that Acme confirmed, and one of nine days ago that it did not.
fn silent_shop(confirmed: usize) -> Shop {
    let mut shop = Shop::new();
    shop.stock("2", 100);
    shop.demand("2", 10.0);
    for (i, line) in ["1", "2", "3", "4"].into_iter().enumerate() {
        let ordered = -60 + 5 * i as i32;
        shop.order(line, 60, ordered, ordered + 10);
        shop.receipt(line, 60, Some(ordered + 10));
        if i < confirmed {
            shop.confirm(line, ordered + 1);
        }
    }
    // What they brought is sold.
    shop.moved(MoveKind::Delivery, Some("2"), None, 240, Some(-1));
    shop.open_order("7", -9, 10);
    shop
}

#[test]
fn silence_of_a_supplier_that_usually_confirms_is_raised() {
    let signal = silent_shop(4).must(T::SUnconf);
    assert_eq!(signal.subject.key(), "l=2 s=9 o=57");
    assert_eq!(links(&signal), ["timing:57"]);
    assert_eq!(value(&signal, "confirmed_before"), Some(&FactValue::number(4.0, 0)));
    assert_eq!(value(&signal, "silent_days"), Some(&FactValue::days(9.0)));
    // A fifth of the nineteen days of its lead time, which is later than two working days.
    assert_eq!(value(&signal, "confirm_by"), Some(&FactValue::Date(day(-5))));
}

#[test]
fn silence_of_a_supplier_that_seldom_or_never_confirms_says_nothing() {
    silent_shop(0).quiet(T::SUnconf);
    silent_shop(2).quiet(T::SUnconf);
    let mut seldom = silent_shop(3);
    for n in 0..6 {
        let line = format!("8{n}");
        seldom.order(&line, 10, -30 + n, -15);
        seldom.receipt(&line, 10, Some(-15));
    }
    seldom.quiet(T::SUnconf);
}

#[test]
fn an_order_that_was_answered_received_or_is_young_is_not_silent() {
    let mut shop = silent_shop(4);
    shop.confirm("7", -1);
    shop.quiet(T::SUnconf);
    let mut shop = silent_shop(4);
    shop.ship("S1", "7", 60, -1);
    shop.quiet(T::SUnconf);
    let mut shop = silent_shop(4);
    shop.receipt("7", 5, Some(-1));
    shop.quiet(T::SUnconf);
    let mut shop = silent_shop(4);
    let whole = NoticeLine { po_line: None, item: None, order: "p0007".into(), ..told_of("7") };
    shop.notice(at(-1), NoticeContent::OrderConfirmation { lines: vec![whole] });
    shop.quiet(T::SUnconf);
    let mut shop = silent_shop(4);
    shop.confirm("7", -1).received_at = at(2);
    shop.must(T::SUnconf);
    // Ordered on Friday: two working days end on Tuesday.
    let mut shop = silent_shop(4);
    shop.records.retain(|r| !matches!(r, Record::PoLine(l) if l.id == "7"));
    shop.order("7", 60, -3, 2);
    shop.quiet(T::SUnconf);
}

#[test]
fn an_unconfirmed_order_is_asked_after_at_the_price_of_a_slip() {
    let shop = silent_shop(4);
    let found = shop.assess(&[T::SUnconf]);
    assert!(has(&found, "CONTACT") && found.abstain.is_none(), "{:?}", found.candidates);
    // None of four slipped: (0 + 2) ÷ (4 + 10).
    let share = found.facts.iter().find(|f| f.id.as_str() == "supplier:9/slip_share").unwrap();
    assert_eq!(share.value, FactValue::percent(100.0 * 2.0 / 14.0));
    let slip = found.loss_sum.iter().find(|p| p.what.contains("if P0007 slips")).unwrap();
    // A hundred in stock last ten days; seven more days at ten a day would be lost.
    let wanted = 70.0 * 6.0 * 0.8 * 2.0 / 14.0;
    assert!((slip.amount.expected.to_f64() - wanted).abs() < 8.0, "{:?} is not about {wanted:.2}", slip.amount);
}
