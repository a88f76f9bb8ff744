//! Plans: what several steps are worth together, and that each unit and each lorry counts once.

use super::*;
use crate::recompute::recomputed::assert_recomputes;

fn item_two(shop: &mut Shop) {
    shop.item("2", Some(4.0), Some(10.0));
    let terms = SupplierPrice { id: "52".into(), lead_days: 12, ..records::supplier_price("2") };
    shop.records.push(Record::SupplierPrice(terms));
    for (location, stock, mean) in [("1", 500.0, 4.0), ("2", 20.0, 12.0)] {
        shop.stock(location, stock);
        if let Some(Record::Move(moved)) = shop.records.last_mut() {
            moved.item = ItemId::new("2");
        }
        let place = (ItemId::new("2"), LocationId::new(location));
        shop.outlook.daily.insert(place, vec![DayForecast { mean, sigma: 2.0 }; 60]);
    }
}

/// A store that is nearly out, and two others that can spare some each.
fn two_donors() -> Shop {
    let mut shop = Shop::new();
    shop.records.push(Record::Location(records::location("3", "Park Lane Store")));
    shop.offer(12, 0, 1);
    shop.stock("2", 10.0);
    shop.demand("2", 12.0, 3.0);
    for donor in ["1", "3"] {
        shop.stock(donor, 120.0);
        shop.demand(donor, 4.0, 1.0);
    }
    shop
}

fn moves(candidate: &Candidate) -> Vec<(String, Quantity)> {
    let of = |action: &Action| match action {
        Action::Transfer { from, quantity, .. } => Some((from.to_string(), *quantity)),
        _ => None,
    };
    candidate.actions().filter_map(of).collect()
}

#[test]
fn two_donors_fill_what_neither_could() {
    let shop = two_donors();
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    assert_recomputes(&found);
    let plan = &found.candidates[0];
    let moved = moves(plan);
    assert_eq!(moved.iter().map(|(from, _)| from.as_str()).collect::<Vec<_>>(), ["1", "3"], "{}", plan.told());
    assert!(plan.clash().is_none());
    let alone = found.candidates.iter().filter(|c| !c.is_plan()).map(|c| c.money.benefit.expected).max().unwrap();
    assert!(plan.money.benefit.expected > alone, "{} {alone}", plan.money.benefit.expected);
    // Both lanes are paid for; the value for limits is what it costs.
    let units: Quantity = moved.iter().map(|(_, quantity)| *quantity).sum();
    let cost = money("30.00") + Money::from_f64(units.to_f64() * 0.1);
    assert_eq!((plan.money.cost, plan.value), (cost, cost));
    for step in plan.steps() {
        assert!(step.checks.iter().all(|check| check.passed || !check.hard), "{}", step.summary);
    }
}

#[test]
fn a_plan_brings_no_more_than_is_missing() {
    let mut shop = two_donors();
    // Missing until an order could be here are twelve days at 12 less 10, and nine times in ten no more than 48 besides.
    for donor in ["1", "3"] {
        shop.stock(donor, 40.0);
    }
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    let plan = &found.candidates[0];
    let units: Quantity = moves(plan).iter().map(|(_, quantity)| *quantity).sum();
    assert!(moves(plan).len() == 2 && units <= Quantity::units(182), "{units}: {}", plan.told());
    // With half the doubt to cover, less is moved.
    shop.settings.costs.cover = 0.5;
    let less = shop.assess(&[here(ExceptionType::ILow, "2")]);
    let fewer: Quantity = moves(&less.candidates[0]).iter().map(|(_, quantity)| *quantity).sum();
    assert!(fewer < units, "{fewer} {units}");
}

#[test]
fn what_goes_one_lane_shares_a_lorry() {
    let mut shop = Shop::new();
    shop.offer(12, 0, 1);
    shop.stock("1", 500.0);
    shop.stock("2", 20.0);
    shop.demand("1", 4.0, 2.0);
    shop.demand("2", 12.0, 2.0);
    item_two(&mut shop);
    let other = exception(ExceptionType::ILow, Subject::at(&ItemId::new("2"), &LocationId::new("2")));
    let found = shop.assess(&[here(ExceptionType::ILow, "2"), other]);
    assert_recomputes(&found);
    let plan = &found.candidates[0];
    let moved = moves(plan);
    assert_eq!(moved.len(), 2, "{}", plan.told());
    let units: Quantity = moved.iter().map(|(_, quantity)| *quantity).sum();
    assert_eq!(plan.money.cost, money("15.00") + Money::from_f64(units.to_f64() * 0.1), "one lorry");
}

#[test]
fn one_step_that_is_enough_is_no_plan() {
    let found = short_shop().assess(&[here(ExceptionType::ILow, "2")]);
    assert!(!found.candidates[0].is_plan(), "{}", found.candidates[0].told());
}
