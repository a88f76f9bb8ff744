//! What a digest shows, and in which order.

use super::order::*;
use super::*;
use crate::config::Config;
use crate::domain::action::Range;
use crate::domain::case::Case;
use crate::domain::case::{Lane, Rank};
use crate::rules::settings::RankingConfig;

const DAY: &str = "2026-10-09";

fn ranked(id: &str, worth: i64, at_stake: i64, lane: Lane) -> Ranked {
    let expected = Money::from_minor(worth);
    let rank = Rank {
        lane,
        p: 0.9,
        value: Range { low: expected, expected, high: expected },
        at_stake: Money::from_minor(at_stake),
        deadline: DAY.parse().unwrap(),
        slack_days: 1.0,
        perishing: 1.0,
        priority: expected,
        wait_cost: Money::ZERO,
        hangs_on: None,
        unknown: false,
    };
    let case = Case {
        headline: format!("case {id}."),
        rank: Some(rank.clone()),
        ..reeve_testing::cases::case(id, &[], Timestamp::UNIX_EPOCH)
    };
    Ranked { case, damped: rank.priority, rank, recommendations: vec![] }
}

fn ranking(capacity: usize) -> RankingConfig {
    RankingConfig { capacity, ..Config::load_from(None, &[]).unwrap().rules.ranking }
}

#[test]
fn only_what_is_worth_a_decision_is_above_the_line() {
    let all = [
        ranked("due", 2500, 0, Lane::BillDue),
        ranked("a", 1000, 2000, Lane::Ordinary),
        ranked("b", 999, 2000, Lane::Ordinary),
        ranked("c", 0, 800, Lane::Ordinary),
    ];
    let (straight, sampled) = above(&all, &ranking(15), DAY.parse().unwrap());
    assert_eq!(straight, BTreeSet::from([0, 1]));
    assert_eq!(sampled.len(), 1, "one of the rest is drawn");
    assert!(sampled.is_disjoint(&straight));
    assert_eq!(above(&all[..2], &ranking(15), DAY.parse().unwrap()).1, BTreeSet::new(), "nothing is left to draw from");
    assert_eq!(above(&all[..2], &ranking(1), DAY.parse().unwrap()).0.len(), 1, "the line holds");
}

#[test]
fn a_lane_does_not_lift_what_is_worth_little() {
    let ranking = ranking(15);
    let due = |worth: i64| {
        let mut entry = ranked("due", worth, worth, Lane::BillDue);
        entry.rank.lane = lane(&entry.rank, &ranking);
        entry
    };
    let first = |worth: i64| {
        let mut all = [due(worth), ranked("a", 32_600, 40_000, Lane::Ordinary)];
        all.sort_by_key(order);
        all[0].case.id.to_string()
    };
    assert_eq!((first(2000), first(2499), first(2500)), ("a".into(), "a".into(), "due".into()));
    assert!(is_worth_deciding(&due(2000).rank, &ranking), "it is worth a line of its own");
    assert!(!is_worth_deciding(&due(900).rank, &ranking));
}

#[test]
fn a_case_keeps_its_priority_until_it_moved_by_a_fifth_or_its_slack_crossed_a_day() {
    let book = Book::new(Timestamp::UNIX_EPOCH, crate::domain::calendar::Calendar::utc(), []);
    let entry = ranked("a", 10_000, 0, Lane::Ordinary);
    let old = line(&book, &entry, 1, false, true);
    let now = |priority: i64, slack_days: f64| {
        let rank = Rank { priority: Money::from_minor(priority), slack_days, ..entry.rank.clone() };
        stable(&old, &rank).minor
    };
    assert_eq!(now(12_000, 1.0), 10_000, "a fifth is not more than a fifth");
    assert_eq!(now(12_001, 1.0), 12_001);
    assert_eq!(now(8_000, 1.0), 10_000);
    assert_eq!(now(7_999, 1.0), 7_999);
    assert_eq!(now(10_500, 1.9), 10_000, "the same whole day");
    assert_eq!(now(10_500, 0.9), 10_500, "a day was crossed");
    assert_eq!(now(10_500, 2.0), 10_500);
}

#[test]
fn equal_ones_with_a_doubtful_low_end_stand_below_and_lanes_above_money() {
    let mut doubtful = ranked("a", 500, 900, Lane::Ordinary);
    doubtful.rank.value.low = Money::ZERO;
    let mut all = [
        doubtful,
        ranked("b", 500, 900, Lane::Ordinary),
        ranked("c", 2500, 2500, Lane::KeyItem),
        ranked("d", 2500, 2500, Lane::BillDue),
    ];
    all.sort_by_key(order);
    let ids: Vec<&str> = all.iter().map(|r| r.case.id.as_str()).collect();
    assert_eq!(ids, ["d", "c", "b", "a"]);
}

#[test]
fn the_random_place_is_marked_the_same_for_everybody_and_another_on_another_day() {
    let mut all = vec![ranked("top", 9000, 9000, Lane::Ordinary)];
    all.extend((0..40).map(|n| ranked(&format!("low-{n}"), 0, 700, Lane::Ordinary)));
    let drawn = |day: &str| above(&all, &ranking(15), day.parse().unwrap()).1;
    assert_eq!(drawn(DAY), drawn(DAY));
    let days: BTreeSet<_> = (1..=20).map(|d| drawn(&format!("2026-10-{d:02}"))).collect();
    assert!(days.len() > 10, "it is not always the same case: {days:?}");
    let book = Book::new(Timestamp::UNIX_EPOCH, crate::domain::calendar::Calendar::utc(), []);
    let at = *drawn(DAY).first().unwrap();
    assert!(line(&book, &all[at], 2, true, false).sampled, "its line says so, and the estimate of what is missed reads it");
}

#[test]
fn where_nothing_below_is_worth_anything_the_largest_is_told_by_what_is_at_stake() {
    let (b, c) = (ranked("b", 0, 700, Lane::Ordinary), ranked("c", 0, 800, Lane::Ordinary));
    let account = account(&[&b, &c]);
    assert_eq!(account.largest.as_deref(), Some("case c (at stake 8.00)"));
    assert_eq!((account.cases, account.value), (2, Money::ZERO));
}

#[test]
fn a_reason_is_whole_sentences_that_fit() {
    let first = "Riverside can spare 5.5 units; moving them saves 12.00.";
    assert_eq!(reason(&format!("{first} It is short.")), format!("{first} It is short."));
    assert_eq!(reason(&format!("{first} {}", "Long ".repeat(60))), first);
    let long = "word ".repeat(60);
    assert_eq!(reason(&long), long.trim());
}
