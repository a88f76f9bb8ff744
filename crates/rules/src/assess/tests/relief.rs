//! Where goods can come from: neighbours and what they have promised, new orders, orders on their way.

use super::*;

#[test]
fn a_loss_that_another_case_counts_is_not_counted_again() {
    let mut shop = short_shop();
    shop.claimed.insert("shortage:1@2".into(), "case-9".into());
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    assert_eq!(found.rank.at_stake, Money::ZERO);
    assert!(find(&found, "TRANSFER").is_none());
    assert!(found.facts.iter().any(|f| f.value.show() == "counted in case-9"));
    shop.claimed.insert("shortage:1@2".into(), "case-1".into());
    assert!(shop.assess(&[here(ExceptionType::ILow, "2")]).rank.at_stake > Money::ZERO);
}

#[test]
fn a_donor_that_is_short_in_another_case_gives_nothing() {
    let mut shop = short_shop();
    shop.claimed.insert("shortage:1@1".into(), "case-9".into());
    assert!(find(&shop.assess(&[here(ExceptionType::ILow, "2")]), "TRANSFER").is_none());
}

#[test]
fn an_order_is_offered_when_nothing_is_on_its_way() {
    let mut shop = Shop::new();
    shop.offer(5, 50, 24);
    shop.stock("2", 10.0);
    shop.demand("2", 12.0, 5.0);
    let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
    let order = must(&found, "NEW-PO");
    let quantity = order.action.quantity().unwrap().to_f64();
    assert!(quantity >= 50.0 && (quantity % 24.0).abs() < 1e-9);
    assert!(order.money.benefit.expected > Money::ZERO, "{:?}", order.money);
    assert_eq!(order.value, order.action.quantity().unwrap() * price(4.0));
    assert!(found.loss_sum.iter().any(|p| p.what.starts_with("lost margin that waiting")));
}

#[test]
fn an_overdue_order_is_asked_after_once() {
    let mut shop = short_shop();
    shop.records.retain(|r| !matches!(r, Record::PoLine(l) if l.id == "1"));
    shop.order("1", "2", 200, -4);
    let mut whole = on_line(ExceptionType::SOverdue, "1", "2");
    whole.signal.subject.po_line = None;
    let found = shop.assess(&[whole, here(ExceptionType::ILow, "2")]);
    assert_eq!(codes(&found).iter().filter(|c| **c == "CONTACT").count(), 1);
    assert!(found.facts.iter().any(|f| f.label.contains("promise has passed")));
}

#[test]
fn what_is_no_longer_wanted_is_pushed_back_or_cancelled() {
    let mut shop = Shop::new();
    shop.offer(7, 0, 1);
    shop.stock("2", 300.0);
    shop.order("1", "2", 400, 6);
    shop.receipt("1", "2", 400, None);
    shop.demand("2", 2.0, 1.0);
    let found = shop.assess(&[here(ExceptionType::DCollapse, "2")]);
    let defer = must(&found, "DEFER-PO");
    assert!(defer.money.loss_after.expected < defer.money.loss_now.expected);
    let cancel = must(&found, "CANCEL-PO");
    assert_eq!(cancel.action.quantity(), Some(Quantity::units(400)));
    assert!(must(&found, "RECOUNT").money.loss_after.expected <= cancel.money.loss_now.expected);
}

#[test]
fn an_edit_beyond_what_the_donor_can_spare_is_refused() {
    let shop = short_shop();
    let exceptions = [here(ExceptionType::ILow, "2")];
    let found = shop.assess(&exceptions);
    let Action::Transfer { item, from, to, ship_on, .. } = must(&found, "TRANSFER").action.clone() else {
        unreachable!("TRANSFER is a transfer")
    };
    let edited = |quantity: i64| Action::Transfer {
        item: item.clone(),
        from: from.clone(),
        to: to.clone(),
        quantity: Quantity::units(quantity),
        ship_on,
    };
    shop.with(&exceptions, |scene| {
        assert!(failures(&recheck(scene, &edited(61))).is_empty());
        let checks = recheck(scene, &edited(480));
        assert_eq!(failures(&checks)[0].name, "quantity ≤ transferable");
        assert!(!failures(&recheck(scene, &edited(0))).is_empty());
    });
}

#[test]
fn nothing_starts_before_tomorrow_and_what_still_helps_is_not_past() {
    // Out of stock, and relief is three days away: shipping tomorrow is the last chance, and it is one.
    let mut shop = short_shop();
    shop.records.retain(|r| !matches!(r, Record::PoLine(l) if l.id == "1"));
    shop.order("1", "2", 200, 3);
    shop.stock("2", -60.0);
    let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
    let transfer = must(&found, "TRANSFER");
    assert!(matches!(&transfer.action, Action::Transfer { ship_on, .. } if *ship_on == day(1)));
    assert_eq!(transfer.latest_date, day(1));
    assert_eq!((found.rank.deadline, found.rank.value.expected > Money::ZERO), (day(0), true), "{:?}", found.rank);
}

#[test]
fn what_a_donor_has_promised_to_another_case_can_not_be_moved_again() {
    let mut shop = short_shop();
    let all = shop.with(&[], |scene| projection::spare(scene, &(ItemId::new("1"), LocationId::new("1"))).units);
    shop.promised.insert((ItemId::new("1"), LocationId::new("1")), Quantity::units(all as i64 - 10));
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    assert_eq!(must(&found, "TRANSFER").action.quantity(), Some(Quantity::units(10)));
    shop.promised.insert((ItemId::new("1"), LocationId::new("1")), Quantity::units(all as i64));
    assert!(find(&shop.assess(&[here(ExceptionType::ILow, "2")]), "TRANSFER").is_none());
}

#[test]
fn a_promotion_is_looked_at_wherever_it_sells() {
    let mut shop = short_shop();
    shop.stock("2", -55.0);
    let subject = Subject { item: Some(ItemId::new("1")), document: Some("pricelist-1".into()), ..Subject::default() };
    let over = shop.assess(&[exception(ExceptionType::DPromoOver, subject.clone())]);
    assert_eq!(must(&over, "TRANSFER").id, "A1");
    let under = shop.assess(&[exception(ExceptionType::DPromoUnder, subject)]);
    assert!(codes(&under).contains(&"CONTACT") && under.rank.at_stake > Money::ZERO);
}
