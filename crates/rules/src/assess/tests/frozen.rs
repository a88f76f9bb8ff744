//! What is frozen with a card gives every figure again, and whatever is changed in it is found.

use serde_json::Value;

use super::*;
use crate::recompute::recomputed::{frozen, lines, wrong};
use reeve_domain::evidence::Bundle;

/// The bundle with the leaf at `pointer` of its workings changed.
fn tampered(bundle: &Bundle, pointer: &str, change: impl Fn(&Value) -> Value) -> Bundle {
    let mut body = serde_json::to_value(bundle).unwrap();
    let leaf = body["workings"].pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer} is not in the workings"));
    *leaf = change(leaf);
    serde_json::from_value(body).unwrap()
}

/// Every number in a value, by its pointer.
fn numbers(value: &Value, at: &str, found: &mut Vec<String>) {
    match value {
        Value::Number(_) => found.push(at.to_owned()),
        Value::Array(all) => all.iter().enumerate().for_each(|(i, v)| numbers(v, &format!("{at}/{i}"), found)),
        Value::Object(all) => {
            for (key, v) in all {
                let key = key.replace('~', "~0").replace('/', "~1");
                numbers(v, &format!("{at}/{key}"), found);
            }
        }
        _ => {}
    }
}

fn all_numbers(bundle: &Bundle) -> Vec<String> {
    let mut found = Vec::new();
    numbers(&serde_json::to_value(&bundle.workings).unwrap(), "", &mut found);
    found
}

/// Another number of the same kind.
fn other(number: &Value) -> Value {
    match number.as_u64() {
        Some(whole) => (whole + 1).into(),
        None => (number.as_f64().unwrap() * 1.5 + 3.0).into(),
    }
}

/// The figures that a change of `pointer` to `to` makes wrong.
fn found(assessed: &Assessment, pointer: &str, to: impl Into<Value>) -> Vec<String> {
    let to = to.into();
    let bundle = tampered(&frozen(assessed), pointer, |was| {
        assert_ne!(*was, to, "{pointer} is changed");
        to.clone()
    });
    wrong(assessed, &bundle)
}

#[track_caller]
fn assert_found(assessed: &Assessment, pointer: &str, to: impl Into<Value>, figure: &str) {
    let found = found(assessed, pointer, to);
    assert!(found.iter().any(|line| line.contains(figure)), "{pointer} must make {figure} wrong: {found:#?}");
}

fn collapsed() -> Assessment {
    let mut shop = Shop::new();
    shop.offer(7, 0, 1);
    shop.stock("2", 300.0);
    shop.order("1", "2", 400, 6);
    shop.receipt("1", "2", 400, None);
    shop.demand("2", 2.0, 1.0);
    shop.assess(&[here(ExceptionType::DCollapse, "2")])
}

#[test]
fn every_number_that_is_frozen_is_under_the_hash() {
    for assessed in [short_shop().assess(&[here(ExceptionType::ILow, "2")]), collapsed()] {
        let bundle = frozen(&assessed);
        let all = all_numbers(&bundle);
        assert!(all.len() > 40, "{}", all.len());
        for pointer in all {
            let changed = tampered(&bundle, &pointer, other);
            assert_ne!(changed.hash(), bundle.hash(), "{pointer}");
            assert_eq!(changed.facts_hash(), bundle.facts_hash());
        }
    }
}

#[test]
fn a_changed_input_of_a_shortage_makes_its_figures_wrong() {
    let short = short_shop().assess(&[here(ExceptionType::ILow, "2")]);
    let transfer = &find_id(&short, "TRANSFER");
    let expedite = &find_id(&short, "EXPEDITE");
    for (pointer, to, figure) in [
        ("/shortages/1@2/supply", Value::from(59.0), "item:1/lost_margin@2"),
        ("/shortages/1@2/supply", 59.0.into(), "item:1/shortage_supply@2"),
        ("/shortages/1@2/margin", 6.01.into(), "margin of a unit at 1@2"),
        ("/shortages/1@2/margin", 6.01.into(), "L₀, low to high"),
        ("/shortages/1@2/until", 8.into(), "L₀, low to high"),
        ("/shortages/1@2/receipts/0/quantity", 10.0.into(), "item:1/lost_margin@2"),
        ("/shortages/1@2/receipts/0/day", 6.into(), "item:1/shortage_days@2"),
        ("/shortages/1@2/receipts/0/sd", 2.5.into(), "L₀, low to high"),
        ("/forecasts/1@2/days/0/0", 12.1.into(), "item:1/shortage_demand@2"),
        ("/forecasts/1@2/days/0/1", 5.1.into(), "L₀, low to high"),
        ("/settings/recapture", 0.21.into(), "assumed_recapture"),
        ("/settings/recapture", 0.21.into(), "L₀, low to high"),
        ("/donors/1@1/available", 61.0.into(), "transferable"),
        ("/donors/1@1/promised", 40.0.into(), "transferable"),
        (format!("/options/{transfer}/change/moved/quantity").as_str(), 50.0.into(), "Lₐ"),
        (format!("/options/{transfer}/change/moved/quantity").as_str(), 50.0.into(), "quantity"),
        (format!("/options/{transfer}/change/moved/from").as_str(), "1@2".into(), "place"),
        (format!("/options/{expedite}/change/sooner/day").as_str(), 7.into(), "Lₐ"),
        (format!("/options/{expedite}/change/sooner/quantity").as_str(), 2.0.into(), "C: "),
        ("/settings/transfer_fixed", 1.into(), "C: "),
        ("/settings/transfer_per_unit", 99.into(), "G: "),
        ("/settings/expedite_rate", 0.5.into(), "C: "),
    ] {
        assert_found(&short, pointer, to, figure);
    }
}

/// The id of the first candidate with a code.
fn find_id(assessed: &Assessment, code: &str) -> String {
    let found = assessed.candidates.iter().find(|c| c.action.code() == code);
    found.unwrap_or_else(|| panic!("{code} is not among {:?}", assessed.candidates)).id.clone()
}

#[test]
fn a_changed_input_of_a_surplus_or_an_order_makes_its_figures_wrong() {
    let surplus = collapsed();
    let less = format!("/options/{}/change/less", find_id(&surplus, "CANCEL-PO"));
    let later = format!("/options/{}/change/less/later", find_id(&surplus, "DEFER-PO"));
    for (pointer, to, figure) in [
        ("/parts/excess:1@2/made/excess/units".to_owned(), Value::from(10.0), "excess_cost"),
        ("/parts/excess:1@2/made/excess/sigma".to_owned(), 9.0.into(), "L₀, low to high"),
        (format!("{less}/surplus/units"), 500.0.into(), "Lₐ"),
        (format!("{less}/quantity"), 3.0.into(), "quantity"),
        (format!("{less}/price"), "0.5".into(), "value for limits"),
        ("/settings/order_fixed".to_owned(), 1.into(), "G: "),
        (later, 8.into(), "Lₐ"),
        ("/settings/change_fixed".to_owned(), 1.into(), "C: "),
        ("/settings/holding_rate".to_owned(), 0.5.into(), "excess_cost"),
    ] {
        assert_found(&surplus, &pointer, to, figure);
    }
    let mut shop = Shop::new();
    shop.offer(5, 50, 24);
    shop.stock("2", 10.0);
    shop.demand("2", 12.0, 5.0);
    let short = shop.assess(&[here(ExceptionType::IOut, "2")]);
    let order = format!("/options/{}/change/ordered", find_id(&short, "NEW-PO"));
    for (pointer, to, figure) in [
        (format!("{order}/quantity"), Value::from(1.0), "Lₐ"),
        (format!("{order}/cost"), "9.5".into(), "G: "),
        ("/settings/order_fixed".to_owned(), 1.into(), "C: "),
        ("/shortages/1@2/unordered".to_owned(), 6.into(), "unordered"),
    ] {
        assert_found(&short, &pointer, to, figure);
    }
}

#[test]
fn a_share_must_be_one_that_the_card_says() {
    let mut shop = Shop::new();
    shop.stock("2", 40.0);
    shop.demand("2", 3.0, 1.0);
    let ghost = shop.assess(&[here(ExceptionType::IPhantom, "2")]);
    let share = format!("/options/{}/shares/lost:1@2", find_id(&ghost, "RECOUNT"));
    assert_found(&ghost, &share, 0.5, "share of lost:1@2 that remains");
    assert_found(&ghost, &share, 0.5, "Lₐ");
    assert_found(&ghost, "/parts/lost:1@2/made/ghost/days", 13.0, "ghost_margin");
    assert_found(&ghost, "/settings/recount", 1, "C: ");
}

/// Changes one stated figure by so much.
type Tamper = fn(&mut Candidate, Money);

#[test]
fn a_stated_figure_that_is_off_by_a_cent_is_found() {
    let cent = Money::from_minor(1);
    let assessed = short_shop().assess(&[here(ExceptionType::ILow, "2")]);
    let bundle = frozen(&assessed);
    let changes: [(&str, Tamper); 7] = [
        ("L₀, low to high", |c, cent| c.money.loss_now.low += cent),
        ("L₀, low to high", |c, cent| c.money.loss_now.high = c.money.loss_now.high - cent),
        ("Lₐ", |c, cent| c.money.loss_after.low += cent),
        ("Lₐ", |c, cent| c.money.loss_after.expected = c.money.loss_after.expected - cent),
        ("C", |c, cent| c.money.cost += cent),
        ("G", |c, cent| c.money.regret += cent),
        ("value for limits", |c, cent| c.value += cent),
    ];
    for (figure, change) in changes {
        let mut forged = assessed.clone();
        forged.candidates.retain(|c| c.action.code() == "TRANSFER");
        assert!(!forged.candidates.is_empty() && wrong(&forged, &bundle).is_empty());
        forged.candidates.iter_mut().for_each(|c| change(c, cent));
        let wrong = lines(&forged, &bundle).into_iter().filter(|(_, l)| l.verdict == crate::recompute::Verdict::Differs);
        let wrong: Vec<String> = wrong.map(|(_, line)| line.figure).collect();
        assert!(wrong.iter().any(|w| w == figure), "{figure}: {wrong:?}");
    }
}

#[test]
fn what_other_cases_were_promised_is_part_of_what_a_donor_can_spare() {
    let mut shop = short_shop();
    shop.promised.insert((ItemId::new("1"), LocationId::new("1")), Quantity::units(100));
    let assessed = shop.assess(&[here(ExceptionType::ILow, "2")]);
    let donor = &assessed.workings.donors["1@1"];
    assert!((donor.promised - 100.0).abs() < f64::EPSILON);
    assert!(lines(&assessed, &frozen(&assessed)).iter().any(|(_, l)| l.figure == "item:1/transferable@1"));
}
