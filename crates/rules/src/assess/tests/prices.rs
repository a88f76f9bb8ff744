//! Promotions that end sooner, and prices that are reduced: where each is the best answer, and where not.

use super::actions::{best, sold};
use super::*;
use crate::recompute::recomputed::assert_recomputes;
use reeve_domain::calendar::plus_days;
use reeve_domain::record::{Promotion, PromotionSource};

/// A promotion of 20 % that began six days ago and runs for two more weeks, with what it sells.
fn promoted(code: ExceptionType, uplift: f64) -> (Shop, Exception) {
    let mut shop = Shop::new();
    shop.records.push(Record::Promotion(Promotion {
        id: "pricelist-4".into(),
        source: PromotionSource::Pricelist,
        item: ItemId::new("1"),
        name: "Autumn".into(),
        from: day(-6),
        to: day(14),
        percent: 20.0,
        company: None,
    }));
    let mut subject = Subject { item: Some(ItemId::new("1")), document: Some("pricelist-4".into()), ..Subject::default() };
    subject.location = None;
    let mut promotion = exception(code, subject);
    (promotion.signal.from, promotion.signal.to) = (day(-6), day(-1));
    let source = || RecordRef::new(RecordKind::Promotion, "pricelist-4");
    let number = |field: &str, value: f64| {
        Fact::new(source(), field, field, FactValue::number(value, 2), jiff::Timestamp::UNIX_EPOCH)
    };
    promotion.signal.facts = vec![
        number("baseline", 120.0),
        number("uplift", uplift),
        number("planned_uplift", 2.5),
        Fact::new(source(), "to", "last day", FactValue::Date(day(14)), jiff::Timestamp::UNIX_EPOCH),
    ];
    (shop, promotion)
}

#[test]
fn a_promotion_that_sells_nothing_more_ends_sooner() {
    let (mut shop, under) = promoted(ExceptionType::DPromoUnder, 1.05);
    shop.stock("2", 500.0);
    shop.demand("2", 20.0, 4.0);
    let found = shop.assess(&[under]);
    let end = best(&found, "PROMO-CHANGE");
    assert!(matches!(&end.action, Action::PromoChange { new_to, .. } if *new_to == day(2)), "two days' notice: {end:?}");
    // 20 a day without it at 6.00; 21 at 4.00 with it: 36.00 a day for 14 days, of which two are left.
    let given = found.loss_sum.iter().find(|part| part.what.starts_with("reduction given away")).expect("a part");
    assert_eq!(given.amount.expected, money("504.00"));
}

#[test]
fn a_promotion_that_sells_out_ends_before_the_shelf_is_empty() {
    let (mut shop, over) = promoted(ExceptionType::DPromoOver, 4.0);
    shop.offer(30, 0, 1);
    shop.stock("2", 120.0);
    shop.demand("2", 40.0, 6.0);
    let found = shop.assess(&[over]);
    assert_recomputes(&found);
    let end = must(&found, "PROMO-CHANGE");
    assert!(end.money.loss_after.expected < end.money.loss_now.expected);
    assert!(end.money.benefit.expected > Money::ZERO, "{:?}", end.money);
}

#[test]
fn stock_that_nobody_buys_any_more_is_sold_for_less() {
    let mut shop = Shop::new();
    shop.records.retain(|r| !matches!(r, Record::Item(_)));
    shop.item("1", Some(6.0), Some(10.0));
    shop.offer(10, 0, 1);
    shop.stock("2", 900.0);
    shop.demand("2", 0.3, 0.4);
    for ago in 8..=36 {
        sold(&mut shop, 6, ago);
    }
    // It has been counted: it is there, and no ghost.
    shop.moved(MoveKind::Count, "2", 0.0, Some(-1));
    let found = shop.assess(&[here(ExceptionType::DCollapse, "2")]);
    let cut = best(&found, "MARKDOWN");
    let Action::Markdown { percent, from, to, .. } = &cut.action else { panic!() };
    assert_eq!((*from, *to), (day(1), plus_days(day(1), 27)));
    assert!(*percent <= 40.0, "not below cost: {percent}");
    assert_eq!(cut.value, cut.money.cost);
    // Where the place has too much by its levels as well, it is one excess, and what is reduced is a part of it.
    let both = shop.assess(&[here(ExceptionType::DCollapse, "2"), here(ExceptionType::IOver, "2")]);
    assert_eq!(both.loss_sum.iter().filter(|part| part.what.starts_with("holding cost")).count(), 1);
    let cut = best(&both, "MARKDOWN");
    assert!(cut.money.loss_after.expected < cut.money.loss_now.expected && cut.money.loss_after.expected > Money::ZERO);
    // What sells in good time by itself is not sold for less.
    shop.demand("2", 5.0, 0.4);
    assert!(find(&shop.assess(&[here(ExceptionType::DCollapse, "2")]), "MARKDOWN").is_none());
}
