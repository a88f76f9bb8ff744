//! What holds for any case on any book.

use super::*;

/// Every type on a subject that names everything.
fn any_exception() -> impl Strategy<Value = Exception> {
    (0..ExceptionType::ALL.len(), prop::bool::ANY).prop_map(|(i, document)| {
        let mut e = on_line(ExceptionType::ALL[i], "3", "2");
        e.signal.subject.bill = Some("73".into());
        e.signal.subject.document = document.then(|| "73".to_owned());
        e
    })
}

prop_compose! {
    fn any_shop()(
        stock in (-80.0..400.0_f64, -80.0..400.0_f64),
        demand in (0.0..30.0_f64, 0.0..12.0_f64, 0.0..30.0_f64, 0.0..12.0_f64),
        order in (1_i64..300, -10_i32..15, 0_i64..320),
        bill in (0_i64..300, 0.0..12.0_f64, -5_i32..40, prop::bool::ANY),
        offer in prop::option::of((1_u32..25, 0_i64..80, 0_i64..30)),
        prices in (prop::option::of(0.01..9.0_f64), prop::option::of(0.01..20.0_f64)),
        forecast in prop::bool::ANY,
    ) -> Shop {
        let mut shop = Shop::new();
        shop.item("1", prices.0, prices.1);
        if let Some((lead, moq, multiple)) = offer {
            shop.offer(lead, moq, multiple);
        }
        shop.stock("1", stock.0.round());
        shop.stock("2", stock.1.round());
        shop.order("3", "2", order.0, order.1);
        shop.order("2", "1", order.0, order.1 + 3);
        shop.receipt("2", "1", order.0, None);
        if order.2 > 0 {
            shop.receipt("3", "2", order.2, Some(-1));
        }
        if order.2 < order.0 {
            shop.receipt("3", "2", order.0 - order.2, None);
        }
        shop.bill("3", bill.0, bill.1, bill.2, bill.3);
        shop.moved(MoveKind::Count, "2", 7.0, Some(-2));
        shop.moved(MoveKind::Scrap, "2", 9.0, Some(-2));
        shop.moved(MoveKind::CustomerReturn, "2", 3.0, Some(-1));
        if forecast {
            shop.demand("1", demand.0, demand.1);
            shop.demand("2", demand.2, demand.3);
        }
        shop
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_case_on_any_book_is_sound(shop in any_shop(), exceptions in prop::collection::vec(any_exception(), 0..4)) {
        let found = shop.assess(&exceptions);
        prop_assert_eq!(&found, &shop.assess(&exceptions), "the same scene gives the same assessment");
        for c in &found.candidates {
            match &c.action {
                Action::Transfer { item, from, quantity, .. } => {
                    let spare = shop.with(&exceptions, |scene| projection::spare(scene, &(item.clone(), from.clone())));
                    prop_assert!(quantity.to_f64() <= spare.units && quantity.is_positive());
                    prop_assert!(quantity.0.fract().is_zero());
                }
                Action::NewPo { item, destination, quantity, .. } => {
                    let book = shop.book();
                    let moq = projection::offer(&book, &(item.clone(), destination.clone())).map_or(Quantity::ZERO, |o| o.min_qty);
                    prop_assert!(*quantity >= moq);
                    let multiple = book.rule(item, destination).map_or(Quantity::units(1), |r| r.multiple);
                    prop_assert!(multiple.is_zero() || (quantity.0 % multiple.0).is_zero());
                }
                _ => {}
            }
        }
    }

    #[test]
    fn the_union_is_never_more_than_the_sum(shop in any_shop(), exceptions in prop::collection::vec(any_exception(), 2..4)) {
        let whole = shop.assess(&exceptions).rank.at_stake;
        let single: Money = exceptions.iter().map(|e| shop.assess(std::slice::from_ref(e)).rank.at_stake).sum();
        prop_assert!(whole <= single, "{whole} is more than {single}");
    }
}
