//! An overdue order and all that waits for it are one case.

use super::*;

/// An order of five items to the store, promised for `promised`: each item has stock for `stock` days of its demand of 6.
fn order_of_five(promised: i32, stock: i64) -> Shop {
    let mut shop = Shop::new();
    for n in 1..=5 {
        let item = ItemId::new(n.to_string());
        if n > 2 {
            shop.records.push(Record::Item(records::item(&n.to_string())));
        }
        let place = (item.clone(), LocationId::new("2"));
        shop.outlook.daily.insert(place, vec![DayForecast { mean: 6.0, sigma: 2.0 }; 60]);
        let m = shop.moved(MoveKind::Opening, None, Some("2"), stock * 6, Some(-50));
        m.item = item.clone();
        let line = shop.order(&n.to_string(), 120, promised - 10, promised);
        (line.order_id, line.order_name, line.item) = ("57".into(), "P00075".into(), item.clone());
        let m = shop.moved(MoveKind::Receipt, None, Some("2"), 120, None);
        (m.item, m.po_line) = (item, Some(n.to_string()));
    }
    shop
}

fn assessed(shop: &Shop, signals: Vec<Signal>) -> (Case, Assessment) {
    let folded = fold(at(0), signals.clone(), Vec::new(), Vec::new());
    let case = folded.cases[0].0.clone();
    let exceptions = crate::scene::open_exceptions(signals.into_iter().map(exception).collect(), &case);
    let found = shop.with(&case, &exceptions, assess);
    crate::recompute::recomputed::assert_recomputes(&found);
    (case, found)
}

#[test]
fn an_overdue_order_with_five_items_out_is_one_case() {
    let mut shop = order_of_five(-6, 0);
    // The warehouse could help with two of them.
    for item in ["1", "2"] {
        let place = (ItemId::new(item), LocationId::new("1"));
        shop.outlook.daily.insert(place, vec![DayForecast { mean: 0.5, sigma: 0.2 }; 60]);
        shop.moved(MoveKind::Opening, None, Some("1"), 200, Some(-50)).item = ItemId::new(item);
    }
    let seen = shop.seen();
    let cases = shop.cases();
    assert_eq!(cases.len(), 1, "{:?}", cases.iter().map(|c| &c.headline).collect::<Vec<_>>());
    let imbalances = seen.iter().filter(|s| s.code == T::IImbal).count();
    assert_eq!(cases[0].exceptions.len(), 6 + imbalances);
    assert_eq!(cases[0].codes[..2], [T::SOverdue, T::IOut]);
    assert_eq!(
        cases[0].headline,
        "P00075 from Acme to Market Street Store is 6 days overdue: promised 2026-10-27, 600 units on 5 lines still open. \
         Short for want of it: AC-001, AC-002, AC-003, AC-004, AC-005."
    );
    for symptom in seen.iter().filter(|s| s.code == T::IOut) {
        assert!(symptom.headline.ends_with("Caused by P00075, 6 days overdue."), "{}", symptom.headline);
        assert!(symptom.facts.iter().any(|f| f.value.show() == "P00075"));
    }
    let (_, whole) = assessed(&shop, seen.clone());
    let alone = |signal: &Signal| assessed(&shop, vec![signal.clone()]).1.rank.at_stake;
    let (root, symptoms): (Vec<&Signal>, Vec<&Signal>) = seen.iter().partition(|s| s.code == T::SOverdue);
    let sum: Money = symptoms.iter().filter(|s| s.code == T::IOut).map(|s| alone(s)).sum();
    assert_eq!(whole.rank.at_stake, sum, "the union: a lost unit counts once");
    assert!(alone(root[0]) > Money::ZERO && whole.rank.at_stake >= alone(root[0]));
    // What helps most is one plan: both shelves, and the supplier asked beside.
    let plan = &whole.candidates[0];
    assert!(plan.is_plan() && plan.codes().ends_with("CONTACT"), "{}", plan.codes());
    let codes: Vec<&str> = whole.candidates.iter().filter(|c| !c.is_plan()).map(|c| c.action.code()).collect();
    let transfers = whole.candidates.iter().filter_map(|c| match &c.action {
        Action::Transfer { item, .. } => Some(item.as_str().to_owned()),
        _ => None,
    });
    assert_eq!(transfers.collect::<std::collections::BTreeSet<_>>().len(), 2, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == "CONTACT").count(), 1, "{codes:?}");
    assert!(!codes.contains(&"EXPEDITE"), "{codes:?}");
}

#[test]
fn shortages_keep_their_cases_while_the_order_is_on_time() {
    let shop = order_of_five(6, 0);
    assert_eq!(shop.cases().len(), 5);
    assert!(shop.seen().iter().all(|s| !s.headline.contains("P00075,")), "nothing is its fault");
}

#[test]
fn what_another_order_relieves_earlier_and_what_would_be_short_anyway_say_so() {
    let mut shop = order_of_five(-6, 0);
    // Item 1 comes on another order tomorrow; customers wait for more of item 2 than the overdue order brings.
    let line = shop.order("31", 60, -9, 1);
    line.item = ItemId::new("1");
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), 60, None);
    m.po_line = Some("31".into());
    let m = shop.moved(MoveKind::Delivery, Some("2"), None, 150, None);
    m.item = ItemId::new("2");
    let cases = shop.cases();
    assert_eq!(cases.len(), 2, "{:?}", cases.iter().map(|c| &c.headline).collect::<Vec<_>>());
    let seen = shop.seen();
    let of = |item: &str| seen.iter().find(|s| s.code == T::IOut && s.subject.item == Some(ItemId::new(item))).unwrap();
    assert!(!of("1").headline.contains("P00075,"), "{}", of("1").headline);
    assert!(of("2").headline.ends_with("P00075, 6 days overdue, which would not have been enough."), "{}", of("2").headline);
}
