//! Are the right cases shown? Noise, precision, what is missed, and whether the order was the right one.

use std::collections::{BTreeMap, BTreeSet};

use super::handled::{handled, labels, measured, shown};
use super::rows::Rows;
use super::{Definition, Group, Kpi, Part, Period, Unit};
use crate::config::Config;
use crate::domain::decision::RejectReason;
use crate::domain::ids::CaseId;
use crate::models::formulas::{ndcg, precision_at_k, value_capture};

/// Random places that must have been judged before anything is said about what is missed.
const LEAST_SAMPLED: usize = 5;
/// Measured cases that a digest must hold before its order is judged.
const LEAST_ORDERED: usize = 3;

const fn definition(id: &'static str, name: &'static str, formula: &'static str, unit: Unit) -> Definition {
    Definition { id, group: Group::Ranking, name, formula, unit }
}

const PRECISION: Definition = definition(
    "precision_at_k",
    "Precision at K",
    "confirmed cases among the first K ÷ lines among the first K",
    Unit::Share,
);
const RECALL: Definition = definition(
    "recall_estimated",
    "Recall (estimated)",
    "lines confirmed ÷ (lines confirmed + cases below the line × share of random places confirmed), summed over the digests",
    Unit::Share,
);
const CAPTURE: Definition = definition(
    "value_capture_at_k",
    "Value capture at K",
    "Σ true value of the K shown ÷ Σ true value of the best K in hindsight, mean over digests",
    Unit::Share,
);
const NDCG: Definition = definition(
    "ndcg_at_k",
    "NDCG at K",
    "Σ gain ÷ log₂(place + 1), over the same for the best order, mean over digests",
    Unit::Number,
);
const NOISE: Definition =
    definition("alert_noise", "Alert noise", "cases shown and rejected as not real ÷ cases shown", Unit::Share);
const NOISE_DETECTOR: Definition = definition(
    "alert_noise_by_detector",
    "Alert noise by detector",
    "the same for the cases that each detector raised",
    Unit::Share,
);
const COMPRESSION: Definition = definition("compression", "Compression", "exceptions detected ÷ cases shown", Unit::Number);

pub(super) fn all(rows: &Rows, config: &Config, period: Period) -> Vec<Kpi> {
    let mut kpis = vec![precision(rows, config.rules.ranking.capacity), recall(rows)];
    kpis.extend(order(rows, config.rules.ranking.capacity));
    kpis.extend(noise(rows));
    kpis.push(compression(rows, period));
    kpis
}

fn precision(rows: &Rows, k: usize) -> Kpi {
    let real = labels(rows);
    let (mut confirmed, mut judged, mut lines) = (0.0, 0, 0);
    for (digest, _) in &rows.digests {
        let first: Vec<_> = digest.lines.iter().filter(|l| !l.sampled).take(k).collect();
        lines += first.len();
        let said: Vec<bool> = first.iter().filter_map(|l| real.get(&l.case_id).copied()).collect();
        judged += said.len();
        confirmed += precision_at_k(&said, k).unwrap_or(0.0) * said.len() as f64;
    }
    let basis = format!("{judged} of {lines} lines among the first {k} were judged; the others count as not confirmed");
    let of_those = Part { name: "of those that were judged".into(), value: confirmed / judged.max(1) as f64, n: judged };
    PRECISION.of((judged > 0).then(|| confirmed / lines as f64), lines, basis).with_parts(vec![of_those])
}

/// The random places say how many of those below the line are worth something.
fn recall(rows: &Rows) -> Kpi {
    let real = labels(rows);
    let sampled: BTreeSet<&CaseId> =
        rows.digests.iter().flat_map(|(d, _)| &d.lines).filter(|l| l.sampled).map(|l| &l.case_id).collect();
    let said: Vec<bool> = sampled.iter().filter_map(|id| real.get(*id).copied()).collect();
    if said.len() < LEAST_SAMPLED {
        return RECALL.without(format!(
            "{} of {} random places were judged; it takes {LEAST_SAMPLED} to say what is missed",
            said.len(),
            sampled.len()
        ));
    }
    let found = said.iter().filter(|real| **real).count();
    let share = found as f64 / said.len() as f64;
    // Both sides digest by digest: who is below the line on ten days was not shown on ten days.
    let below: f64 = rows.digests.iter().map(|(d, _)| f64::from(d.below.cases)).sum();
    let lines = rows.digests.iter().flat_map(|(d, _)| &d.lines);
    let confirmed = lines.filter(|l| real.get(&l.case_id) == Some(&true)).count() as f64;
    let missed = share * below;
    let basis = format!(
        "{found} of {} random places confirmed; in {} digests {confirmed} lines confirmed and {below} cases below the line",
        said.len(),
        rows.digests.len()
    );
    let whole = confirmed + missed;
    RECALL.of((whole > 0.0).then(|| confirmed / whole), said.len(), basis)
}

/// True value: what was measured to be gained at the horizon; cases whose value nobody measured are left out.
fn order(rows: &Rows, k: usize) -> [Kpi; 2] {
    let mut gained: BTreeMap<&CaseId, f64> = BTreeMap::new();
    for h in handled(rows).iter().filter(|h| h.is_done(rows)) {
        if let Some(found) = measured(rows, h.rec) {
            // What turned out to cost more than it saved was worth nothing to show, and not less than nothing.
            gained.insert(&h.rec.case_id, found.benefit.max(0.0));
        }
    }
    let (mut captures, mut gains, mut cases) = (Vec::new(), Vec::new(), 0);
    for (digest, _) in &rows.digests {
        let values: Vec<f64> = digest.lines.iter().filter_map(|l| gained.get(&l.case_id).copied()).collect();
        if values.len() < LEAST_ORDERED {
            continue;
        }
        cases += values.len();
        // With as many places as cases any order would capture everything.
        captures.extend(value_capture(&values, k.min(values.len().div_ceil(2))));
        gains.extend(ndcg(&values, k));
    }
    let mean = |values: &[f64]| (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64);
    let basis = format!(
        "{} digests with at least {LEAST_ORDERED} cases measured at their horizon, {cases} cases in them; value capture at half of \
         them",
        gains.len()
    );
    [CAPTURE.of(mean(&captures), captures.len(), basis.clone()), NDCG.of(mean(&gains), gains.len(), basis)]
}

fn noise(rows: &Rows) -> [Kpi; 2] {
    let all = shown(rows);
    let unreal: BTreeSet<&CaseId> =
        handled(rows).iter().filter(|h| h.reason == Some(RejectReason::NotReal)).map(|h| &h.rec.case_id).collect();
    let mut by_type: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let mut by_detector: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for id in all.keys() {
        let Some(case) = rows.cases.get(*id) else { continue };
        let bad = usize::from(unreal.contains(id));
        if let Some(code) = case.codes.first() {
            let entry = by_type.entry(code.to_string()).or_default();
            *entry = (entry.0 + bad, entry.1 + 1);
        }
        let detectors: BTreeSet<&str> =
            case.exceptions.iter().filter_map(|id| rows.exceptions.get(id)).map(|e| e.signal.detector.as_str()).collect();
        for detector in detectors {
            let entry = by_detector.entry(detector.to_owned()).or_default();
            *entry = (entry.0 + bad, entry.1 + 1);
        }
    }
    let parts = |by: BTreeMap<String, (usize, usize)>| -> Vec<Part> {
        by.into_iter().map(|(name, (bad, n))| Part { name, value: bad as f64 / n as f64, n }).collect()
    };
    let bad = all.keys().filter(|id| unreal.contains(*id)).count();
    let decided: BTreeSet<&CaseId> =
        handled(rows).iter().map(|h| &h.rec.case_id).filter(|id| all.contains_key(id)).collect();
    let basis = format!("{} cases shown, {} of them decided, {bad} rejected as not real", all.len(), decided.len());
    if decided.is_empty() {
        // Nobody has looked: silence is no praise.
        return [NOISE.without(basis.clone()), NOISE_DETECTOR.without(basis)];
    }
    [
        NOISE.share(bad, all.len(), basis.clone()).with_parts(parts(by_type)),
        NOISE_DETECTOR
            .share(bad, all.len(), format!("{basis}; a case that two detectors raised counts for both"))
            .with_parts(parts(by_detector)),
    ]
}

fn compression(rows: &Rows, period: Period) -> Kpi {
    let found = rows.exceptions.values().filter(|e| period.holds(rows.calendar.day_of(e.first_seen))).count();
    let cases = shown(rows).len();
    let basis = format!("{found} exceptions first seen in the period, {cases} cases shown");
    COMPRESSION.of((cases > 0).then(|| found as f64 / cases as f64), cases, basis)
}
