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

/// Stock at the store that hardly sells any more, at 6.00 for 10.00.
fn slow() -> Shop {
    let mut shop = Shop::new();
    shop.records.retain(|r| !matches!(r, Record::Item(_)));
    shop.item("1", Some(6.0), Some(10.0));
    shop.offer(10, 0, 1);
    shop.stock("2", 900.0);
    shop.demand("2", 0.3, 0.4);
    for ago in 8..=36 {
        sold(&mut shop, 6, ago);
    }
    shop.moved(MoveKind::Count, "2", 0.0, Some(-1));
    shop
}

#[test]
fn a_price_is_reduced_at_every_place_of_the_item() {
    let fallen = [here(ExceptionType::DCollapse, "2")];
    let alone = slow().assess(&fallen);
    let alone = must(&alone, "MARKDOWN");
    let Action::Markdown { percent, .. } = alone.action else { panic!() };
    // One more place that sells one in ten days: 2.8 units in four weeks, each for so much less, whether the alarm is true or not.
    let mut shop = slow();
    shop.demand("1", 0.1, 0.1);
    let found = shop.assess(&fallen);
    assert_recomputes(&found);
    let beside = must(&found, "MARKDOWN");
    assert!(matches!(beside.action, Action::Markdown { percent: same, .. } if (same - percent).abs() < 1e-9));
    let given = Money::from_f64(2.8 * percent / 10.0);
    let close = |more: Money| (more - given).abs() <= Money::from_minor(1);
    assert!(close(beside.money.cost - alone.money.cost), "{} {} {given}", beside.money.cost, alone.money.cost);
    assert!(close(beside.money.regret - alone.money.regret), "{} {}", beside.money.regret, alone.money.regret);
    assert_eq!(beside.value, beside.money.cost);
    // Thirty-nine places that sell two a day give away more than the one brings back.
    shop.demand("1", 78.0, 9.0);
    assert!(find(&shop.assess(&fallen), "MARKDOWN").is_none());
}

#[test]
fn what_there_is_enough_of_is_missed_for_certain_when_a_promotion_ends() {
    let (mut shop, over) = promoted(ExceptionType::DPromoOver, 4.0);
    shop.offer(30, 0, 1);
    shop.stock("2", 120.0);
    shop.demand("2", 40.0, 6.0);
    let setting = shop.settings.costs.promotion_change;
    let alone = shop.assess(std::slice::from_ref(&over));
    assert_eq!(must(&alone, "PROMO-CHANGE").money.cost, setting, "nobody could buy what is not there");
    // The other place has enough: three quarters of 40 a day for twelve days at 4.00 less.
    shop.stock("1", 9000.0);
    shop.demand("1", 40.0, 6.0);
    let found = shop.assess(std::slice::from_ref(&over));
    let end = must(&found, "PROMO-CHANGE");
    assert_eq!((end.money.cost, end.value), (setting + money("1440.00"), end.money.cost));
    assert_eq!(end.money.regret, must(&alone, "PROMO-CHANGE").money.regret, "what is certain is no regret besides");
    assert_recomputes(&found);
}

/// The places are two companies', and the exception is the store's.
fn two_companies(shop: &mut Shop, weak: &mut Exception) {
    for record in &mut shop.records {
        if let Record::Location(location) = record {
            location.company = Some(location.id.to_string());
        }
    }
    let source = RecordRef::new(RecordKind::Location, "2");
    let company = FactValue::Text("2".into());
    weak.signal.facts.push(Fact::new(source, "company", "company", company, jiff::Timestamp::UNIX_EPOCH));
}

#[test]
fn a_promotion_ends_for_the_other_companies_as_well() {
    let (mut shop, mut over) = promoted(ExceptionType::DPromoOver, 4.0);
    two_companies(&mut shop, &mut over);
    shop.offer(30, 0, 1);
    shop.stock("2", 120.0);
    shop.demand("2", 40.0, 6.0);
    shop.demand("1", 40.0, 6.0);
    let setting = shop.settings.costs.promotion_change;
    let found = shop.assess(&[over]);
    assert_eq!(must(&found, "PROMO-CHANGE").money.cost, setting + money("1440.00"));
    let (mut shop, mut under) = promoted(ExceptionType::DPromoUnder, 1.05);
    two_companies(&mut shop, &mut under);
    shop.stock("2", 500.0);
    shop.demand("2", 20.0, 4.0);
    shop.demand("1", 50.0, 4.0);
    let found = shop.assess(std::slice::from_ref(&under));
    // 600 in twelve days at 4.00, in place of 240 at 6.00.
    assert_eq!(must(&found, "PROMO-CHANGE").money.cost, setting + money("960.00"));
    // One that is the store's company's alone ends for nobody else.
    for record in &mut shop.records {
        if let Record::Promotion(promotion) = record {
            promotion.company = Some("2".into());
        }
    }
    assert_eq!(must(&shop.assess(&[under]), "PROMO-CHANGE").money.cost, setting);
}

#[test]
fn no_date_is_edited_beyond_what_its_money_was_computed_for() {
    let (shop, over) = promoted(ExceptionType::DPromoOver, 4.0);
    let fails = |action: Action| -> Vec<String> {
        shop.with(std::slice::from_ref(&over), |scene| {
            failures(&recheck(scene, &action)).into_iter().map(|check| check.name.clone()).collect()
        })
    };
    let end = |new_to| Action::PromoChange { promotion: "pricelist-4".into(), item: ItemId::new("1"), new_to };
    assert_eq!(fails(end(day(5))), [""; 0]);
    for later in [day(14), day(379)] {
        assert_eq!(fails(end(later)), ["it ends sooner than it would"], "{later}");
    }
    let cut = |to| Action::Markdown { item: ItemId::new("1"), percent: 20.0, from: day(15), to };
    assert_eq!(fails(cut(day(42))), [""; 0], "four weeks");
    for longer in [day(43), day(379)] {
        assert_eq!(fails(cut(longer)), ["no longer than its money was computed for"], "{longer}");
    }
}
