//! Bills that differ from what was ordered or received.

use super::*;

#[test]
fn a_paid_bill_is_claimed_not_blocked_and_a_credited_one_neither() {
    let mut shop = Shop::new();
    shop.order("3", "2", 100, -5);
    shop.receipt("3", "2", 92, Some(-5));
    shop.bill("3", 100, 8.0, 20, true);
    let found = shop.assess(&[on_line(ExceptionType::FQty, "3", "2")]);
    assert!(find(&found, "BLOCK-BILL").is_none());
    assert_eq!(must(&found, "CLAIM").id, "A1");
    shop.bill("3", -8, 8.0, 20, true);
    let credited = shop.assess(&[on_line(ExceptionType::FQty, "3", "2")]);
    assert!(find(&credited, "CLAIM").is_none());
    assert_eq!(credited.rank.at_stake, Money::ZERO);
}

#[test]
fn a_disputed_bill_that_is_due_jumps_the_queue() {
    let mut shop = Shop::new();
    shop.order("3", "2", 100, -5);
    shop.receipt("3", "2", 92, Some(-5));
    shop.bill("3", 100, 8.0, 3, false);
    assert_eq!(shop.assess(&[on_line(ExceptionType::FQty, "3", "2")]).rank.lane, Lane::BillDue);
    shop.settings.ranking.key_items.insert("AC-001".into());
    assert_eq!(shop.assess(&[here(ExceptionType::ICount, "2")]).rank.lane, Lane::KeyItem);
}

#[test]
fn a_price_that_was_ordered_is_owed_though_it_is_above_the_list() {
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    shop.order("3", "2", 100, -5);
    shop.receipt("3", "2", 100, Some(-5));
    shop.bill("3", 100, 8.0, 20, false);
    let mut ordered = on_line(ExceptionType::FPrice, "3", "2");
    ordered.signal.subject.bill = None;
    let found = shop.assess(std::slice::from_ref(&ordered));
    // Ordered at 8.00 and billed so, listed at 4.00.
    assert_eq!(found.rank.at_stake, money("400.00"));
    assert!(find(&found, "BLOCK-BILL").is_none() && find(&found, "CLAIM").is_none(), "{:?}", codes(&found));
    let ask = must(&found, "CONTACT");
    assert!(ask.id == "A1" && ask.summary.contains("above the price list"), "{}", ask.summary);
    assert_eq!(ask.money.loss_after.expected, money("320.00"), "a credit for it is goodwill");
    assert!(must(&found, "ACCEPT-VAR").summary.contains("400.00"));
    // What the bill asks beyond the order is held back, and no more.
    shop.bill("3", 10, 9.0, 20, false);
    let dearer = shop.assess(&[ordered, on_line(ExceptionType::FPrice, "3", "2")]);
    assert_eq!(must(&dearer, "BLOCK-BILL").value, money("10.00"));
}

#[test]
fn what_is_billed_before_it_comes_is_held_back_once_it_is_late_and_never_called_not_owed() {
    let shop = |promised: i32, due: i32| {
        let mut shop = Shop::new();
        shop.order("3", "2", 240, promised);
        shop.receipt("3", "2", 120, Some(-4));
        shop.receipt("3", "2", 120, None);
        shop.bill("3", 240, 8.0, due, false);
        shop
    };
    let billed = [on_line(ExceptionType::FQty, "3", "2")];
    let on_its_way = shop(4, 26).assess(&billed);
    assert!(find(&on_its_way, "BLOCK-BILL").is_none() && on_its_way.rank.at_stake == Money::ZERO);
    for (promised, due, at_stake, says) in [(-4, 26, "960.00", "overdue"), (4, 2, "96.00", "before it comes")] {
        let shop = shop(promised, due);
        let found = shop.assess(&billed);
        let block = must(&found, "BLOCK-BILL");
        assert_eq!((block.value, found.rank.at_stake), (money("960.00"), money(at_stake)));
        assert!(block.summary.contains("until the goods have come"), "{}", block.summary);
        assert!(find(&found, "CLAIM").is_none(), "what is still to come is no claim");
        assert!(found.loss_sum.iter().any(|p| p.what.contains(says)), "{:?}", found.loss_sum);
        shop.with(&billed, |scene| {
            let draft = playbook::draft(scene, &found);
            let words: Vec<String> = draft.choices.iter().map(|c| c.prose.rationale.clone()).collect();
            assert!(words.iter().all(|w| !w.contains("not owed")), "{words:?}");
        });
    }
}

#[test]
fn an_order_above_the_price_list_can_only_be_asked_about_before_it_is_billed() {
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    shop.order("3", "2", 100, -1);
    shop.receipt("3", "2", 100, Some(-1));
    let mut ordered = on_line(ExceptionType::FPrice, "3", "2");
    ordered.signal.subject.bill = None;
    let found = shop.assess(&[ordered]);
    assert_eq!(found.rank.at_stake, money("400.00"));
    assert_eq!(must(&found, "CONTACT").id, "A1");
    assert!(found.rank.slack_days > 0.0, "an unpaid price can still be put right");
    assert!(find(&found, "BLOCK-BILL").is_none());
}

#[test]
fn a_price_in_our_favour_loses_nothing() {
    let mut shop = Shop::new();
    shop.order("3", "2", 100, -5);
    shop.receipt("3", "2", 100, Some(-5));
    shop.bill("3", 100, 7.0, 20, false);
    let found = shop.assess(&[on_line(ExceptionType::FPrice, "3", "2")]);
    assert_eq!((found.rank.at_stake, found.rank.value.expected), (Money::ZERO, Money::ZERO));
    assert!(find(&found, "BLOCK-BILL").is_none() && find(&found, "CLAIM").is_none());
    assert!(must(&found, "ACCEPT-VAR").summary.contains("asks 100.00 less than was agreed"));
}
