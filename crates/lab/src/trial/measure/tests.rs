//! Measures against worked cases and against the reference implementation.

use std::path::PathBuf;

use ndarray::{Array2, Axis};
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::trial::files;

fn folder(name: &str) -> PathBuf {
    [env!("CARGO_MANIFEST_DIR"), "tests/trial", name].iter().collect()
}

fn expected(name: &str) -> Value {
    serde_json::from_str(&std::fs::read_to_string(folder(name).join("expected.json")).unwrap()).unwrap()
}

/// What another program measured, rounded to `digits`.
fn agrees(what: &str, ours: f64, theirs: &Value, digits: i32) {
    let theirs = theirs.as_f64().unwrap_or_else(|| panic!("{what} is no number"));
    assert!((ours - theirs).abs() <= 0.51 * 10.0_f64.powi(-digits), "{what}: {ours} here, {theirs} there");
}

#[test]
fn demand_is_measured_as_the_published_scorer_does() {
    let trial = files::read_demand_trial(&folder("demand")).unwrap();
    let scores = files::read_demand_scores(&folder("demand").join("scores.csv"), &trial.panel).unwrap();
    let scores = scores.slice_axis(Axis(1), (trial.eval_from..).into());
    let (ours, theirs) = (demand(&trial, scores), expected("demand"));
    assert_eq!(theirs["events"], ours.events);
    agrees("ap", ours.ap, &theirs["ap"], 4);
    agrees("at 50", ours.false_per_1000_at_recall_50.unwrap(), &theirs["fa_per_1000_at_recall50"], 3);
    agrees("at 80", ours.false_per_1000_at_recall_80.unwrap(), &theirs["fa_per_1000_at_recall80"], 3);
    agrees("cell ap", ours.cell_ap, &theirs["cell_aucpr"], 4);
    agrees("cell auroc", ours.cell_auroc, &theirs["cell_auroc"], 4);
    for planner in &ours.planners {
        let theirs = &theirs[format!("k{}", planner.k)];
        agrees("precision", planner.precision, &theirs["precision"], 4);
        agrees("recall", planner.recall, &theirs["recall"], 4);
        agrees("impact", planner.impact_recall, &theirs["impact_recall"], 4);
        agrees("false", planner.false_per_1000, &theirs["fa_per_1000"], 3);
        agrees("explained", planner.explained_share_of_false, &theirs["explained_share_of_fa"], 4);
        agrees("latency", planner.latency_mean.unwrap(), &theirs["latency_mean"], 2);
        agrees("median", planner.latency_median.unwrap(), &theirs["latency_median"], 2);
        // The oracle fills up at random, and every program has its own lot.
        assert!((planner.recall_ceiling - theirs["recall_ceiling"].as_f64().unwrap()).abs() < 0.15);
        for (kind, recall) in &planner.recall_by_kind {
            agrees(kind, *recall, &theirs["recall_by_type"][kind], 3);
        }
        assert_eq!(planner.explained_alarmed.len(), theirs["explained_alarmed"].as_object().unwrap().len());
        for (kind, alarmed) in &planner.explained_alarmed {
            agrees(kind, *alarmed, &theirs["explained_alarmed"][kind], 3);
        }
    }
}

#[test]
fn receiving_is_measured_as_the_published_scorer_does() {
    let trial = files::read_receiving_trial(&folder("receiving")).unwrap();
    let scores = files::read_receiving_scores(&folder("receiving").join("scores.csv"), &trial.records).unwrap();
    let (ours, theirs) = (receiving(&trial.truth, &scores), expected("receiving"));
    assert_eq!((&theirs["lines"], &theirs["positives"]), (&ours.lines.into(), &ours.exceptions.into()));
    agrees("ap", ours.ap, &theirs["ap"], 4);
    agrees("auroc", ours.auroc, &theirs["auroc"], 4);
    for (first, precision) in &ours.precision_at {
        agrees("precision", *precision, &theirs[format!("p@{first}")], 4);
    }
    agrees("r", ours.r_precision, &theirs["r_precision"], 4);
    agrees("5 %", ours.recall_at_5_percent, &theirs["recall@5%"], 4);
    agrees("impact", ours.impact_recall_at_5_percent, &theirs["impact_recall@5%"], 4);
    agrees("1 %", ours.recall_at_1_percent_false, &theirs["recall_at_1pct_false_alarms"], 4);
    agrees("notices", ours.notice_share_at_5_percent.unwrap(), &theirs["notice_share_alarmed_at_5%"], 4);
    for (kind, recall) in &ours.recall_by_kind {
        agrees(kind, *recall, &theirs["recall_by_type_at_1pct"][kind], 3);
    }
}

#[test]
fn an_oracle_finds_all_and_silence_finds_nothing() {
    let trial = files::read_demand_trial(&folder("demand")).unwrap();
    let shape = (trial.panel.keys().len(), trial.panel.days().len() - trial.eval_from);
    let mut oracle = Array2::from_elem(shape, 0.0_f32);
    for event in &trial.events {
        if let crate::trial::demand::Scope::Series(series) = event.scope
            && !event.kind.is_explained()
        {
            oracle[[series, event.from - trial.eval_from]] = 1.0;
        }
    }
    let best = demand(&trial, oracle.view());
    assert!((best.ap - 1.0).abs() < 1e-12);
    assert_eq!(best.false_per_1000_at_recall_80, Some(0.0));
    assert!(best.planners.iter().all(|planner| (planner.recall - planner.recall_ceiling).abs() < 1e-12));
    let silent = demand(&trial, Array2::from_elem(shape, f32::NAN).view());
    assert!(silent.ap.abs() < 1e-12);
    assert_eq!((silent.false_per_1000_at_recall_50, silent.planners[0].latency_mean), (None, None));
}

#[test]
fn rankings_by_hand_come_out_as_on_paper() {
    let check = |scores: &[f64], positive: &[bool], ap: f64, auroc: f64| {
        assert!((average_precision(scores, positive) - ap).abs() < 1e-12);
        assert!((area_under_roc(scores, positive) - auroc).abs() < 1e-12);
    };
    check(&[4.0, 3.0, 2.0, 1.0], &[true, false, true, false], 5.0 / 6.0, 0.75);
    check(&[1.0, 1.0, 1.0, 1.0], &[true, false, true, false], 0.5, 0.5);
    check(&[f64::NAN, 1.0], &[true, false], 0.5, 0.0);
    assert!(average_precision(&[1.0], &[false]).is_nan() && area_under_roc(&[1.0], &[true]).is_nan());
}

proptest! {
    #[test]
    fn the_area_is_the_chance_to_stand_above(rows in prop::collection::vec((0..6_i8, any::<bool>()), 2..60)) {
        let (scores, positive): (Vec<f64>, Vec<bool>) = rows.iter().map(|(score, positive)| (f64::from(*score), *positive)).unzip();
        let of = |kind: bool| scores.iter().zip(&positive).filter(move |(_, positive)| **positive == kind).map(|(score, _)| *score);
        let pairs = of(true).count() * of(false).count();
        prop_assume!(pairs > 0);
        let wins: f64 = of(true).flat_map(|up| of(false).map(move |down| match up.total_cmp(&down) {
            std::cmp::Ordering::Greater => 1.0,
            std::cmp::Ordering::Equal => 0.5,
            std::cmp::Ordering::Less => 0.0,
        })).sum();
        prop_assert!((area_under_roc(&scores, &positive) - wins / pairs as f64).abs() < 1e-9);
    }
}
