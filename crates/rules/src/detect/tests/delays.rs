//! Dates that are announced or rewritten later than the goods are needed: S-DELAY.

use super::*;

/// Fifty in stock at ten a day; three hundred are promised for the fifth day and the stock is gone on the sixth.
fn delayed_shop() -> Shop {
    let mut shop = Shop::new();
    shop.stock("1", 400);
    shop.stock("2", 50);
    shop.demand("1", 1.0);
    shop.demand("2", 10.0);
    shop.open_order("1", -10, 5);
    shop
}

#[test]
fn a_delay_beyond_the_need_is_raised_with_its_notice() {
    let mut shop = delayed_shop();
    shop.quiet(T::SDelay);
    shop.delay("1", -1, 10);
    let signal = shop.must(T::SDelay);
    assert_eq!(signal.subject.key(), "i=1 l=2 s=9 o=51 p=1");
    assert_eq!(links(&signal), ["timing:51", "shortage:1@2"]);
    assert_eq!(value(&signal, "wanted_from@2"), Some(&FactValue::Date(day(6))));
    let said = signal.facts.iter().find(|f| f.id.as_str().ends_with("/new_date@1")).unwrap();
    assert_eq!((said.value.clone(), said.source.to_string().starts_with("notice:acme/")), (FactValue::Date(day(10)), true));
    assert!(!said.third_party, "a date that was checked is a fact");
    let reason = signal.facts.iter().find(|f| f.label == "reason given").unwrap();
    assert!(reason.third_party, "why is the supplier's word");
    assert!(signal.headline.starts_with("Acme announced 2026-11-12 instead of 2026-11-07 for P0001"), "{}", signal.headline);
}

#[test]
fn a_delay_that_the_stock_outlasts_is_quiet() {
    let mut shop = delayed_shop();
    shop.delay("1", -1, 10);
    shop.stock("2", 500);
    shop.quiet(T::SDelay);
}

#[test]
fn a_delay_within_the_tolerance_is_quiet() {
    let mut shop = delayed_shop();
    shop.outlook = Outlook::default();
    shop.delay("1", -1, 6);
    shop.quiet(T::SDelay);
    shop.delay("1", -1, 7);
    shop.must(T::SDelay);
}

#[test]
fn the_newest_word_on_a_date_stands() {
    let mut shop = delayed_shop();
    shop.delay("1", -2, 20);
    shop.delay("1", -1, 5);
    shop.quiet(T::SDelay);
    assert_eq!(shop.book().due(&shop.book().po_lines["1"]), day(5));
    // A confirmation with a later date is a delay, too.
    let mut line = told_of("1");
    line.date = Some(day(12));
    shop.notice(at(0), NoticeContent::OrderConfirmation { lines: vec![line] });
    assert_eq!(value(&shop.must(T::SDelay), "due"), Some(&FactValue::Date(day(12))));
}

#[test]
fn a_clock_that_runs_ahead_does_not_win_for_ever() {
    let mut shop = delayed_shop();
    shop.delay("1", -2, 20).occurred_at = at(300);
    shop.delay("1", -1, 5);
    shop.quiet(T::SDelay);
}

#[test]
fn a_message_about_another_order_item_or_supplier_counts_for_nothing() {
    let about = |change: fn(&mut NoticeLine)| {
        let mut shop = delayed_shop();
        let mut line = told_of("1");
        change(&mut line);
        let content = NoticeContent::SupplierDelay { lines: vec![line], new_date: day(10), reason: String::new() };
        shop.notice(at(-1), content);
        shop
    };
    about(|line| line.order = "PO 00-99".into()).quiet(T::SDelay);
    about(|line| line.item = Some(ItemId::new("2"))).quiet(T::SDelay);
    about(|line| line.po_line = Some("404".into())).quiet(T::SDelay);
    // The same order as others write it.
    about(|line| line.order = "p-0001".into()).must(T::SDelay);
    let mut two = delayed_shop();
    two.order("2", 60, -10, 5).supplier = SupplierId::new("8");
    two.receipt("2", 60, None);
    let lines = vec![told_of("1"), told_of("2")];
    two.notice(at(-1), NoticeContent::SupplierDelay { lines, new_date: day(10), reason: String::new() });
    two.quiet(T::SDelay);
}

#[test]
fn a_notice_that_has_not_come_in_is_not_known() {
    let mut shop = delayed_shop();
    shop.delay("1", -1, 10).received_at = at(1);
    shop.quiet(T::SDelay);
    assert!(shop.book().notices.is_empty());
}

#[test]
fn what_has_been_received_is_not_late_any_more() {
    let mut shop = delayed_shop();
    shop.records.retain(|r| !matches!(r, Record::Move(m) if m.po_line.is_some()));
    shop.delay("1", -3, 10);
    shop.receipt("1", 60, Some(-1));
    shop.quiet(T::SDelay);
}

#[test]
fn a_promise_that_was_rewritten_is_a_delay_without_a_notice() {
    let mut shop = delayed_shop();
    shop.records.retain(|r| !matches!(r, Record::PoLine(_)));
    shop.order("1", 60, -10, 5).promised = at(12);
    let signal = shop.must(T::SDelay);
    assert!(signal.headline.contains("is now promised for 2026-11-14 instead of 2026-11-07"), "{}", signal.headline);
}

#[test]
fn a_new_date_that_has_passed_as_well_is_overdue_and_no_longer_a_delay() {
    let mut shop = delayed_shop();
    shop.records.retain(|r| !matches!(r, Record::PoLine(_)));
    shop.order("1", 60, -20, -9);
    shop.delay("1", -8, -1);
    shop.quiet(T::SDelay);
    shop.must(T::SOverdue);
}

#[test]
fn an_announced_date_moves_the_relief_and_an_earlier_one_does_not() {
    let mut shop = delayed_shop();
    let relief = |shop: &Shop| shop.book().relief(&ItemId::new("1"), &LocationId::new("2"), 21).0;
    shop.delay("1", -2, 3);
    assert_eq!(relief(&shop), day(5));
    shop.quiet(T::ILow);
    shop.delay("1", -1, 10);
    assert_eq!(relief(&shop), day(10));
    shop.must(T::ILow);
}

#[test]
fn a_part_on_its_way_says_nothing_of_the_rest() {
    let mut shop = delayed_shop();
    shop.delay("1", -2, 10);
    for (qty, due) in [(20, 10), (300, 5)] {
        let notice = shop.ship("S1", "1", qty, -1);
        if let NoticeContent::ShipNotice { expected_on, .. } = &mut notice.content {
            *expected_on = Some(day(4));
        }
        assert_eq!(shop.book().due(&shop.book().po_lines["1"]), day(due), "{qty}");
    }
}

#[test]
fn a_delay_an_overdue_order_and_the_shortage_are_one_case() {
    let mut shop = delayed_shop();
    shop.records.retain(|r| !matches!(r, Record::PoLine(_)));
    shop.order("1", 60, -10, -3);
    shop.delay("1", -1, 10);
    for code in [T::SDelay, T::SOverdue, T::ILow] {
        shop.must(code);
    }
    assert_eq!(shop.cases().len(), 1, "{:?}", shop.cases());
}

#[test]
fn a_delay_costs_what_the_shortage_costs_and_is_counted_once() {
    let mut shop = delayed_shop();
    shop.delay("1", -1, 10);
    let alone = shop.assess(&[T::SDelay]);
    // Ten days at ten a day from fifty: fifty are short, at 6.00 and a fifth bought later.
    let lost = alone.rank.at_stake.to_f64();
    assert!((lost - 50.0 * 6.0 * 0.8).abs() < 12.0, "{lost}");
    assert_eq!(shop.assess(&[T::SDelay, T::ILow]).rank.at_stake, alone.rank.at_stake);
    assert!(has(&alone, "TRANSFER") && has(&alone, "EXPEDITE") && has(&alone, "MONITOR"), "{:?}", alone.candidates);
    assert_eq!(alone.abstain, None);
    let forward = alone.candidates.iter().find_map(|c| match &c.action {
        Action::Expedite { new_date, .. } => Some(*new_date),
        _ => None,
    });
    assert!(forward.is_some_and(|date| date < day(10)), "{forward:?}");
    let cited =
        FactId::new(format!("{}/new_date@1", shop.book().notices.keys().next().map(|id| format!("notice:{id}")).unwrap()));
    assert!(alone.loss_sum[0].cites.contains(&cited), "the loss rests on the announced date");
}
