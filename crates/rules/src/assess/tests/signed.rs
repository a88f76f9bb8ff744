//! What a signature rests on: what an action is worth for limits, what it may promise, and that the figures of a card are those of its
//! action.

use super::actions::{best, risen};
use super::*;
use crate::claims::{Claims, Ground};
use crate::recompute::recomputed::{frozen, lines, wrong};
use reeve_domain::action::Param;
use reeve_domain::workings::{Change, Made};

fn checks_failed(shop: &Shop, exceptions: &[Exception], action: &Action) -> Vec<String> {
    shop.with(exceptions, |scene| failures(&recheck(scene, action)).into_iter().map(|check| check.name.clone()).collect())
}

#[test]
fn goods_without_a_price_leave_at_what_they_cost() {
    let mut shop = Shop::new();
    shop.item("1", Some(200.0), Some(400.0));
    shop.stock("2", 300.0);
    shop.demand("2", 2.0, 1.0);
    let came = shop.moved(MoveKind::Receipt, "2", 150.0, Some(-1));
    (came.document, came.partner, came.po_line) = ("IN/77".into(), Some("9".into()), None);
    let mut subject = Subject::at(&ItemId::new("1"), &LocationId::new("2"));
    subject.document = Some("IN/77".into());
    let found = shop.assess(&[exception(ExceptionType::RUnplanned, subject)]);
    assert_eq!(must(&found, "RETURN").value, money("30000.00"));
}

#[test]
fn what_is_sent_away_of_a_line_without_a_price_is_worth_its_cost() {
    let mut shop = Shop::new();
    shop.offer(7, 0, 1);
    shop.stock("2", 300.0);
    shop.order("1", "2", 400, 6);
    if let Some(Record::PoLine(line)) = shop.records.last_mut() {
        line.price = None;
    }
    shop.receipt("1", "2", 400, None);
    shop.demand("2", 2.0, 1.0);
    let found = shop.assess(&[here(ExceptionType::DCollapse, "2")]);
    let cancel = must(&found, "CANCEL-PO");
    let Action::CancelPo { quantity, .. } = &cancel.action else { panic!() };
    assert_eq!(cancel.value, *quantity * price(4.0));
}

#[test]
fn a_price_break_is_taken_only_where_the_need_reaches_it() {
    let quantity_of = |breaks: &[(i64, f64)]| {
        let mut shop = Shop::new();
        shop.stock("2", 40.0);
        shop.demand("2", 12.0, 3.0);
        for (n, (least, asked)) in breaks.iter().enumerate() {
            let terms = records::supplier_price("1");
            let (id, min_qty) = (format!("{}", 90 + n), Quantity::units(*least));
            shop.records.push(Record::SupplierPrice(SupplierPrice { id, min_qty, price: Some(price(*asked)), ..terms }));
        }
        let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
        let Action::NewPo { quantity, price, .. } = must(&found, "NEW-PO").action.clone() else { panic!() };
        (quantity, price.to_f64())
    };
    let (small, paid) = quantity_of(&[(1, 4.0)]);
    assert!(small < Quantity::units(400), "{small}");
    // The break for many is listed first, or is the cheaper one: it is no reason to order five hundred.
    assert_eq!(quantity_of(&[(500, 3.5), (1, 4.0)]), (small, paid));
    assert_eq!(quantity_of(&[(1, 4.0), (500, 3.5)]), (small, paid));
    // One that the need reaches is what is paid.
    assert_eq!(quantity_of(&[(1, 4.0), (50, 3.5)]), (small, 3.5));
    // Where none is reached the least there is.
    assert_eq!(quantity_of(&[(900, 3.0), (500, 3.5)]), (Quantity::units(500), 3.5));
}

#[test]
fn another_supplier_is_asked_for_what_is_missing_and_not_for_its_largest_break() {
    let mut shop = Shop::new();
    shop.offer(14, 0, 1);
    shop.stock("2", 25.0);
    shop.demand("2", 12.0, 3.0);
    shop.order("7", "2", 240, 4);
    if let Some(Record::PoLine(line)) = shop.records.last_mut() {
        line.promised = at(12);
    }
    shop.receipt("7", "2", 240, None);
    shop.records.push(Record::Supplier(records::supplier("8", "Swift")));
    for (id, least, asked) in [("88", 1, 4.0), ("89", 500, 3.6)] {
        let terms =
            SupplierPrice { supplier: SupplierId::new("8"), lead_days: 2, sequence: 5, ..records::supplier_price("1") };
        let (min_qty, asked) = (Quantity::units(least), Some(price(asked)));
        shop.records.push(Record::SupplierPrice(SupplierPrice { id: id.into(), min_qty, price: asked, ..terms }));
    }
    let found = shop.assess(&[on_line(ExceptionType::SDelay, "7", "2")]);
    let Action::AltSupplier { quantity, price: paid, .. } = &must(&found, "ALT-SUPPLIER").action else { panic!() };
    assert!(*quantity < Quantity::units(200), "{quantity}");
    assert!((paid.to_f64() - 4.0).abs() < 1e-9, "{paid}");
}

#[test]
fn an_order_pays_for_what_its_least_quantity_leaves_over() {
    let order = |least: i64| {
        let mut shop = Shop::new();
        shop.item("1", Some(9.0), Some(20.0));
        shop.offer(5, least, 1);
        shop.stock("2", 3.0);
        shop.demand("2", 2.0, 1.0);
        let found = shop.assess(&[here(ExceptionType::ILow, "2"), here(ExceptionType::SMoq, "2")]);
        let costs = shop.settings.costs.order_fixed;
        let order = must(&found, "NEW-PO").clone();
        let Action::NewPo { quantity, .. } = &order.action else { panic!() };
        (order.money.cost - costs, order.money.loss_now, *quantity)
    };
    let (nothing, loss, need) = order(0);
    assert_eq!(nothing, Money::ZERO);
    let (held, same, quantity) = order(500);
    assert_eq!((quantity, loss), (Quantity::units(500), same), "not ordering loses nothing by it");
    let over = 500.0 - need.to_f64();
    // It begins to sell after what is needed, and lies here until the last of it is sold; four years at most.
    let least = formulas::excess_cost(over, 2.0, 9.0, 0.25, 0.0);
    assert!(held.to_f64() > least && least > 300.0, "{held} {least}");
}

/// A level of demand that has doubled, reordered at 190 still.
fn outgrown(max: i64) -> (Shop, Exception) {
    let (mut shop, shift) = risen(14);
    for record in &mut shop.records {
        if let Record::ReorderRule(rule) = record {
            (rule.min, rule.max) = (Quantity::units(190), Quantity::units(max));
        }
    }
    (shop, shift)
}

#[test]
fn a_rule_is_worth_what_it_makes_the_erp_order_and_stays_below_its_maximum() {
    let raised = |max: i64| {
        let (mut shop, shift) = outgrown(max);
        shop.item("1", Some(200.0), Some(600.0));
        shop.assess(&[shift])
    };
    let found = raised(400);
    let raise = must(&found, "ADJUST-PARAM");
    let Action::AdjustParam { param: Param::ReorderPoint, old, new, .. } = &raise.action else { panic!() };
    assert_eq!(raise.value, (*new - *old) * price(200.0));
    assert!(raise.value > money("10000.00"), "{}", raise.value);
    // A minimum above the maximum is no rule: nothing is proposed, and a person is asked.
    let found = raised(200);
    assert!(find(&found, "ADJUST-PARAM").is_none());
    must(&found, "ESCALATE");
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    let rule = shop.records.iter_mut().find_map(|r| match r {
        Record::ReorderRule(rule) => Some(rule),
        _ => None,
    });
    let rule = rule.unwrap();
    (rule.min, rule.max) = (Quantity::units(100), Quantity::units(120));
    let (record, min, max) = (rule.id.clone(), rule.min, rule.max);
    let name = "minimum is not above the maximum".to_owned();
    for (param, old, new, fails) in [
        (Param::ReorderPoint, min, 120, false),
        (Param::ReorderPoint, min, 121, true),
        (Param::OrderUpTo, max, 100, false),
        (Param::OrderUpTo, max, 99, true),
    ] {
        let action = Action::AdjustParam { param, record: record.clone(), old, new: Quantity::units(new), until: None };
        assert_eq!(checks_failed(&shop, &[], &action).contains(&name), fails, "{param:?} {new}");
    }
}

/// One customer is served and planned for day 20, another waits for tomorrow; so many come on day 8, and a third waits for so many.
fn waited_for(comes: i64, third: i64) -> Shop {
    let mut shop = Shop::new();
    shop.offer(20, 0, 1);
    shop.stock("2", 40.0);
    shop.demand("2", 0.01, 0.01);
    shop.order("7", "2", comes, 8);
    shop.receipt("7", "2", comes, None);
    for (line, units, since, due) in [("70", 40, -6, 20), ("71", 40, -2, 1), ("72", third, -1, 12)] {
        shop.records.push(Record::SaleLine(SaleLine {
            location: LocationId::new("2"),
            qty: Quantity::units(units),
            ordered_at: at(since),
            order_name: format!("S{line}"),
            ..records::sale_line(line)
        }));
        let out = shop.moved(MoveKind::Delivery, "2", units as f64, None);
        (out.sale_line, out.deadline) = (Some(line.into()), Some(at(due)));
    }
    shop
}

#[test]
fn nobody_gives_what_will_not_come_again_in_time() {
    let give = |from: &str, to: &str, quantity: i64| Action::Reallocate {
        item: ItemId::new("1"),
        location: LocationId::new("2"),
        from_line: from.into(),
        to_line: to.into(),
        quantity: Quantity::units(quantity),
    };
    let out = [here(ExceptionType::IOut, "2")];
    let gives = |comes: i64, third: i64| {
        let failed = checks_failed(&waited_for(comes, third), &out, &give("70", "71", 40));
        assert!(failed.iter().all(|check| check == "promise of who gives is kept"), "{failed:?}");
        failed.is_empty()
    };
    assert!(gives(100, 60), "forty for who gives, sixty for the third");
    assert!(!gives(10, 1), "ten are no forty");
    assert!(!gives(100, 61), "the third waits for what would be given back");
    let more = waited_for(200, 60).assess(&out);
    assert!(
        matches!(must(&more, "REALLOCATE").action, Action::Reallocate { quantity, .. } if quantity == Quantity::units(40))
    );
    // What is not there can not be given, whatever is asked for in its place.
    let failed = checks_failed(&waited_for(500, 1), &out, &give("71", "70", 1));
    assert!(failed.contains(&"what is given is there".to_owned()), "{failed:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn of_weighed_goods_only_what_comes_is_on_order(grams in 1_i64..40_000, coming in prop::option::of(1_i64..4_000)) {
        let mut shop = Shop::new();
        shop.offer(9, 0, 1);
        shop.stock("2", grams as f64 / 1_000.0);
        shop.demand("2", 12.0, 3.0);
        if let Some(coming) = coming {
            let quantity = Quantity(rust_decimal::Decimal::new(coming, 3));
            shop.order("1", "2", 1, 4);
            shop.receipt("1", "2", 1, None);
            for record in &mut shop.records {
                match record {
                    Record::PoLine(line) => line.qty = quantity,
                    Record::Move(m) if m.po_line.is_some() => m.qty = quantity,
                    _ => {}
                }
            }
        }
        let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
        prop_assert!(find(&found, "NEW-PO").is_some(), "{:?}", codes(&found));
        let bundle = frozen(&found);
        let claims = Claims::of(&Ground::new(&found.candidates, &bundle, "USD"));
        prop_assert_eq!(claims.get("case.on_order.1@2").is_ok(), coming.is_some());
        prop_assert_eq!(claims.get("case.nothing_on_order.1@2").is_ok(), coming.is_none());
    }
}

/// The figures of the first candidate with a code that are not right once the assessment's actions are changed.
fn found_wrong(assessed: &Assessment, change: impl Fn(&mut Candidate)) -> Vec<String> {
    let bundle = frozen(assessed);
    let mut forged = assessed.clone();
    forged.candidates.iter_mut().for_each(change);
    assert!(wrong(assessed, &bundle).is_empty());
    let differs = lines(&forged, &bundle).into_iter().filter(|(_, l)| l.verdict == crate::recompute::Verdict::Differs);
    differs.map(|(_, line)| line.figure).collect()
}

#[test]
fn every_step_of_a_plan_is_the_one_that_was_computed() {
    let mut shop = Shop::new();
    shop.records.push(Record::Location(records::location("3", "Park Lane Store")));
    shop.offer(12, 0, 1);
    shop.stock("2", 10.0);
    shop.demand("2", 12.0, 3.0);
    for donor in ["1", "3"] {
        shop.stock(donor, 120.0);
        shop.demand(donor, 4.0, 1.0);
    }
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    assert!(found.candidates[0].is_plan());
    let more = found_wrong(&found, |c| {
        if let Some(step) = c.then.first_mut()
            && let Some(quantity) = step.action.quantity_mut()
        {
            *quantity += Quantity::units(1);
        }
    });
    assert!(more.contains(&"step 2: quantity".to_owned()), "{more:?}");
    let elsewhere = found_wrong(&found, |c| {
        if let Some(Action::Transfer { to, .. }) = c.then.first_mut().map(|step| &mut step.action) {
            *to = LocationId::new("1");
        }
    });
    assert!(elsewhere.contains(&"step 2: place".to_owned()), "{elsewhere:?}");
    let fewer = found_wrong(&found, |c| {
        c.then.pop();
    });
    assert!(fewer.contains(&"steps".to_owned()), "{fewer:?}");
}

#[test]
fn a_parameter_is_raised_by_what_its_money_was_computed_with() {
    let (shop, shift) = outgrown(400);
    let found = shop.assess(&[shift]);
    best(&found, "ADJUST-PARAM");
    let more = found_wrong(&found, |c| {
        if let Action::AdjustParam { new, .. } = &mut c.action {
            *new += Quantity::units(1);
        }
    });
    assert!(more.contains(&"new value".to_owned()), "{more:?}");
}

#[test]
fn what_is_sent_away_is_of_the_stock_that_is_at_stake() {
    let mut shop = Shop::new();
    shop.offer(7, 0, 1);
    shop.stock("2", 300.0);
    shop.order("1", "2", 400, 6);
    shop.receipt("1", "2", 400, None);
    shop.demand("2", 2.0, 1.0);
    // Two estimates of one place: what lies here counts for one of them, and not for the other.
    let fallen = here(ExceptionType::DCollapse, "2");
    let found = shop.assess(&[fallen.clone(), here(ExceptionType::IOver, "2")]);
    for effect in found.workings.options.values() {
        if let Some(Change::Less { surplus, .. }) = &effect.change {
            assert!(effect.changed.iter().all(|key| found.workings.parts[key].made == Made::Excess(surplus.clone())));
        }
    }
    must(&found, "CANCEL-PO");
    let one = shop.assess(&[fallen]);
    let mut bundle = frozen(&one);
    let workings = bundle.workings.as_mut().unwrap();
    for effect in workings.options.values_mut() {
        if let Some(Change::Less { surplus, .. }) = &mut effect.change {
            surplus.target += 1.0;
        }
    }
    let figures = wrong(&one, &bundle);
    assert!(figures.iter().any(|line| line.contains("stock beyond the need, excess:1@2")), "{figures:#?}");
}
