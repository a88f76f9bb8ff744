//! Claims on small evidence: each kind where it holds, and where it does not; and every claim again from its own facts.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::{Date, date};
use reeve_domain::action::{Action, Candidate, Check, MoneySum, Range};
use reeve_domain::evidence::{Bundle, Fact, FactValue, Missing};
use reeve_domain::ids::{CaseId, ItemId, LocationId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{RecordKind, RecordRef};

use super::*;

const ITEM: &str = "75";

fn item(field: &str, value: FactValue) -> Fact {
    Fact::new(RecordRef::new(RecordKind::Item, ITEM), field, field, value, Timestamp::UNIX_EPOCH)
}

fn line(field: &str, value: FactValue) -> Fact {
    Fact::new(RecordRef::new(RecordKind::PoLine, "9"), field, field, value, Timestamp::UNIX_EPOCH)
}

fn billed_line(field: &str, value: FactValue) -> Fact {
    Fact::new(RecordRef::new(RecordKind::BillLine, "4"), field, field, value, Timestamp::UNIX_EPOCH)
}

fn units(n: i64) -> FactValue {
    FactValue::Quantity(Quantity::units(n))
}

fn money(minor: i64) -> FactValue {
    FactValue::Money(Money::from_minor(minor))
}

fn bundle(facts: Vec<Fact>, missing: &[&str]) -> Bundle {
    Bundle {
        case_id: CaseId::new("case-1"),
        version: 1,
        as_of: Timestamp::UNIX_EPOCH,
        facts: facts.into_iter().map(|fact| (fact.id.clone(), fact)).collect::<BTreeMap<_, _>>(),
        missing: missing.iter().map(|what| Missing { what: (*what).to_owned(), blocks: "money".to_owned() }).collect(),
        workings: None,
    }
}

/// A candidate that leaves so much of a loss of 100.00, costs so much and can be done until a day of October.
fn candidate(id: &str, action: Action, after: i64, cost: i64, until: i8) -> Candidate {
    let range = |minor: i64| Range::certain(Money::from_minor(minor));
    Candidate {
        id: id.to_owned(),
        action,
        summary: id.to_owned(),
        money: MoneySum::new(1.0, range(10_000), range(after), Money::from_minor(cost), Money::ZERO),
        value: Money::ZERO,
        latest_date: date(2026, 10, until),
        checks: vec![Check { name: "fits".to_owned(), detail: "1 ≤ 2".to_owned(), passed: true, hard: false }],
        cites: Vec::new(),
        then: Vec::new(),
    }
}

fn transfer(quantity: i64) -> Action {
    Action::Transfer {
        item: ItemId::new(ITEM),
        from: LocationId::new("1"),
        to: LocationId::new("3"),
        quantity: Quantity::units(quantity),
        ship_on: date(2026, 10, 2),
    }
}

fn expedite(new_date: Date) -> Action {
    Action::Expedite { po_line: "9".to_owned(), quantity: Quantity::units(5), new_date, surcharge_max: Money::ZERO }
}

fn nothing() -> Action {
    Action::NoAction { reason: "wait".to_owned() }
}

/// What holds of these, and what does not.
fn decided(candidates: &[Candidate], bundle: &Bundle) -> (BTreeSet<String>, BTreeSet<String>) {
    let ground = Ground::new(candidates, bundle, "EUR");
    let claims = Claims::of(&ground);
    let (mut held, mut false_ones) = (BTreeSet::new(), BTreeSet::new());
    for (id, claim) in &claims.decided {
        let Some(claim) = claim else {
            false_ones.insert(id.clone());
            continue;
        };
        held.insert(id.clone());
        // What an auditor has are the claim's own facts.
        assert_eq!(Claims::again(claim, &ground).as_ref(), Ok(claim));
    }
    (held, false_ones)
}

#[track_caller]
fn says(candidates: &[Candidate], facts: Vec<Fact>, held: &[&str], false_ones: &[&str]) {
    let (is, is_not) = decided(candidates, &bundle(facts, &[]));
    for id in held {
        assert!(is.contains(*id), "{id} does not hold: {is:?}");
    }
    for id in false_ones {
        assert!(is_not.contains(*id), "{id} is not false: {is:?} {is_not:?}");
    }
}

#[test]
fn worth_and_alternatives_follow_the_candidates_money() {
    let all = [
        candidate("A1", transfer(5), 2_000, 1_000, 8),
        candidate("A2", expedite(date(2026, 10, 9)), 3_000, 500, 5),
        candidate("A3", nothing(), 10_000, 0, 9),
    ];
    says(
        &all,
        vec![],
        &[
            "A1.worth",
            "A1.lowers_loss",
            "A1.pays_at_worst",
            "A1.best",
            "A1.better_than.A2",
            "A2.worse_than.A1",
            "A2.cheaper_than.A1",
            "A1.leaves_less_than.A2",
            "A1.lasts_longer_than.A2",
            "A3.keeps_loss",
            "A3.costs_nothing",
            "A1.checks_passed",
            "case.nothing_missing",
        ],
        &[
            "A2.best",
            "A1.only_gain",
            "A1.worse_than.A2",
            "A1.cheaper_than.A2",
            "A3.lowers_loss",
            "A1.costs_nothing",
            "A3.pays_at_worst",
            "A1.may_not_pay",
            "A1.check_warns",
            "case.something_missing",
            "A2.lasts_longer_than.A1",
        ],
    );
}

#[test]
fn of_two_that_are_worth_the_same_none_is_the_best() {
    let all = [candidate("A1", transfer(5), 2_000, 0, 8), candidate("A2", expedite(date(2026, 10, 9)), 2_000, 0, 8)];
    says(&all, vec![], &[], &["A1.best", "A2.best", "A1.better_than.A2", "A1.worse_than.A2", "A1.cheaper_than.A2"]);
    let all = [candidate("A1", transfer(5), 2_000, 0, 8), candidate("A2", nothing(), 10_000, 0, 8)];
    says(&all, vec![], &["A1.only_gain", "A1.best"], &["A2.only_gain"]);
}

#[test]
fn a_low_end_below_nothing_is_said() {
    let mut one = candidate("A1", transfer(5), 2_000, 0, 8);
    one.money.benefit.low = Money::from_minor(-1);
    one.checks[0].passed = false;
    says(&[one], vec![], &["A1.may_not_pay", "A1.check_warns"], &["A1.pays_at_worst", "A1.checks_passed"]);
}

#[test]
fn what_is_moved_is_held_against_what_the_donor_spares() {
    let day = |day| FactValue::Date(date(2026, 10, day));
    let facts = |spare: i64, risk: i64, arrives: i8, relief: i8| {
        vec![
            item("transferable@1", units(spare)),
            item("own_daily@1", units(2)),
            item("risk_transfer@1-3", money(risk)),
            item("arrives@1-3", day(arrives)),
            item("relief@3", day(relief)),
        ]
    };
    let all = [candidate("A1", transfer(5), 0, 0, 8), candidate("A2", expedite(date(2026, 10, 9)), 0, 0, 8)];
    let held = ["A1.donor_spares", "A1.donor_safe", "A1.before_relief", "A1.earlier_than.A2"];
    says(&all, facts(5, 0, 4, 9), &held, &["A1.donor_at_risk", "A2.earlier_than.A1"]);
    let held = ["A1.donor_at_risk", "A2.earlier_than.A1"];
    let not = ["A1.donor_spares", "A1.donor_safe", "A1.before_relief", "A1.earlier_than.A2"];
    says(&all, facts(4, 1, 12, 12), &held, &not);
}

#[test]
fn stock_is_what_the_facts_of_the_place_say() {
    let at = |free: i64, waits: i64, wanted: i64, position: i64, risk: f64| {
        vec![
            item("available@3", units(free)),
            item("waiting@3", units(waits)),
            item("window_demand@3", FactValue::number(wanted as f64, 1)),
            item("relief_on@3", FactValue::Date(date(2026, 10, 9))),
            item("on_order@3", units(position - free)),
            item("risk@3", FactValue::percent(risk)),
        ]
    };
    let of = |kind: &str| format!("case.{kind}.75@3");
    let (out, fine) = (
        ["out_of_stock", "customers_wait", "stockout_before_relief", "nothing_on_order", "likely_out"].map(of),
        ["in_stock", "nobody_waits", "relief_before_stockout", "on_order"].map(of),
    );
    let (out, fine): (Vec<&str>, Vec<&str>) =
        (out.iter().map(String::as_str).collect(), fine.iter().map(String::as_str).collect());
    says(&[], at(0, 4, 7, 0, 50.0), &out, &fine);
    says(&[], at(9, 0, 7, 15, 3.0), &fine, &out);
}

#[test]
fn documents_and_days_are_what_their_facts_say() {
    let facts = |came: i64, billed: i64, variance: i64, late: f64| {
        vec![
            line("qty", units(10)),
            line("received", units(came)),
            line("billed", units(billed)),
            billed_line("price_variance", money(variance)),
            line("overdue_days", FactValue::days(late)),
            line("early_days", FactValue::days(late)),
            line("silent_days", FactValue::days(late)),
        ]
    };
    let of = |kind: &str| format!("case.{kind}.po_line:9");
    let price = |kind: &str| format!("case.{kind}.bill_line:4");
    let mut bad = ["received_short", "billed_beyond_receipt", "late", "early", "unanswered"].map(of).to_vec();
    bad.push(price("price_above_agreed"));
    let good = [of("received_whole"), price("price_as_agreed")];
    let as_text = |all: &[String]| all.iter().map(|id| id.clone().leak() as &str).collect::<Vec<&str>>();
    says(&[], facts(8, 10, 5, 2.0), &as_text(&bad), &as_text(&good));
    says(&[], facts(10, 10, 0, 0.0), &as_text(&good), &as_text(&bad));
    says(&[], facts(10, 10, -5, 0.0), &["case.price_below_agreed.bill_line:4"], &["case.price_as_agreed.bill_line:4"]);
}

#[test]
fn what_the_bills_of_a_line_come_to_together_is_no_price() {
    // Forty too much on one bill and forty too little on another.
    let bundle = bundle(vec![line("price_variance", money(0)), line("order_variance", money(4_000))], &[]);
    let claims = Claims::of(&Ground::new(&[], &bundle, "EUR"));
    for kind in ["price_above_agreed", "price_below_agreed", "price_as_agreed"] {
        assert_eq!(claims.get(&format!("case.{kind}.po_line:9")), Err(Refusal::Undecided), "{kind}");
    }
}

#[test]
fn like_cases_are_counted_by_how_they_ended() {
    let like = |case: &str, ended: &str| {
        let source = RecordRef::new(RecordKind::Case, case);
        Fact::new(source, "ended", "like case", FactValue::Text(ended.to_owned()), Timestamp::UNIX_EPOCH)
    };
    let facts =
        vec![like("c1", "approved and carried out: TRANSFER"), like("c2", "rejected: seasonal"), like("c3", "rejected: x")];
    let bundle = bundle(facts, &["unit cost", "a", "b", "c"]);
    let claims = Claims::of(&Ground::new(&[], &bundle, "EUR"));
    assert_eq!(claims.get("case.like_cases").unwrap().words, "Like cases ended so: 1 approved and carried out, 2 rejected.");
    assert_eq!(claims.get("case.something_missing").unwrap().words, "Not everything is known: unit cost; a; b; and more.");
    assert_eq!(claims.get("case.nothing_missing"), Err(Refusal::False));
    assert_eq!(claims.get("case.out_of_stock.75@3"), Err(Refusal::Undecided), "nobody said what is free");
}

#[test]
fn text_from_outside_decides_nothing() {
    let facts = vec![item("available@3", units(0)).from_outside()];
    assert_eq!(decided(&[], &bundle(facts, &[])).0, BTreeSet::from(["case.nothing_missing".to_owned()]));
}

#[test]
fn of_claims_against_others_those_against_the_first_two_are_offered() {
    let all: Vec<Candidate> = (1..=4).map(|n| candidate(&format!("A{n}"), nothing(), 1_000 * n, 0, 8)).collect();
    let bundle = bundle(vec![], &[]);
    let claims = Claims::of(&Ground::new(&all, &bundle, "EUR"));
    let ids = ["A1", "A2", "A3", "A4"];
    let against: Vec<&str> =
        claims.offered("A3", &ids).iter().filter_map(|claim| claim.id.strip_prefix("A3.worse_than.")).collect();
    assert_eq!(against, ["A1", "A2"]);
    assert!(claims.get("A3.better_than.A4").is_ok(), "it is true all the same");
    assert!(claims.offered("A3", &ids).iter().all(|claim| claim.id != "A3.better_than.A4"));
}

#[test]
fn every_kind_is_decided_by_some_test_here() {
    // A kind that no family says is a word without meaning.
    let source = [
        include_str!("worth.rs"),
        include_str!("alternatives.rs"),
        include_str!("arrival.rs"),
        include_str!("donor.rs"),
        include_str!("checks.rs"),
        include_str!("stock.rs"),
        include_str!("supplier.rs"),
        include_str!("documents.rs"),
        include_str!("memory.rs"),
        include_str!("missing.rs"),
    ]
    .concat();
    let here = include_str!("tests.rs");
    for kind in ClaimKind::ALL {
        assert!(source.contains(&format!("ClaimKind::{kind:?},")), "no family decides {kind}");
        assert!(here.contains(kind.code()), "no test decides {kind}");
    }
}
