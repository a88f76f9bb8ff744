//! Holds a version of a detector to the test beside the one that runs: on a shop's own records, with exceptions put into them that
//! neither was trained on.
//!
//! Of demand the last days are kept for it: what learns from a shop's history learns from the days before
//! ([`HELD_OUT_DAYS`]). Passing is to be no worse than what runs, within what trials scatter, and to keep the promise no worse.

use std::collections::BTreeMap;

use reeve_domain::ids::content_hash;
use reeve_models::demand::detector::Detector as DemandDetector;
use reeve_models::demand::panel::Panel;
use reeve_models::receiving::{Detector as ReceivingDetector, Records, score};

use crate::detectors::RECEIVING_RATE;
use crate::trial::demand::{Plan, Track, inject};
use crate::trial::measure::{self, ReceivingMeasures};
use crate::trial::receiving::{BaseLine, inject as inject_receiving};
use crate::trial::{TrialError, causal, contest};

/// A sum, and of how many.
type Mean = (f64, u32);

/// Newest days of demand that nothing learns from which is to be validated.
pub const HELD_OUT_DAYS: usize = 28;

/// Days before them that it takes to know what is usual.
const WARMUP_DAYS: usize = 28;

/// How much lower the average precision may be: what three trials scatter by.
const AP_WITHIN: f64 = 0.01;

/// How much higher the share of false alarms may be than that of the one that runs, where it is above the promise.
const FALSE_WITHIN: f64 = 0.02;

/// How much less may be found.
const RECALL_WITHIN: f64 = 0.02;

/// What was measured of a version and of the one beside it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// On what, in words.
    pub on: String,
    /// Hash of it.
    pub data_hash: String,
    /// By name of the measure: the version's, and the other's. A mean over the trials.
    pub measures: BTreeMap<String, (f64, f64)>,
    /// What it failed.
    pub failed: Vec<String>,
}

impl Judged {
    fn pair(&self, name: &str) -> Option<(f64, f64)> {
        self.measures.get(name).copied()
    }

    /// It may be as low as the other's less `within`.
    fn not_lower(&mut self, name: &str, within: f64) {
        if let Some((own, other)) = self.pair(name)
            && own < other - within
        {
            self.failed.push(format!("{name} {own:.3}, and what runs has {other:.3}"));
        }
    }
}

/// Of demand: on the last days of `panel`.
///
/// # Errors
/// [`TrialError::Plan`] where there are too few days, or nothing sells enough to put exceptions into.
pub fn demand(
    panel: &Panel,
    (version, beside): (&DemandDetector, &DemandDetector),
    (seeds, share): (&[u64], f64),
    mut watch: impl FnMut(&str),
) -> Result<Judged, TrialError> {
    let days = panel.days().len();
    if days < HELD_OUT_DAYS + WARMUP_DAYS {
        let least = HELD_OUT_DAYS + WARMUP_DAYS;
        return Err(TrialError::Plan(format!("{days} days are too few to validate on: it takes {least}")));
    }
    // Into the days that learning leaves out, so neither version has learned from what it is asked about.
    let plan = Plan::like(Track::Fresh, panel.keys().len(), days - HELD_OUT_DAYS..days);
    let mut sums: BTreeMap<String, (Mean, Mean)> = BTreeMap::new();
    for seed in seeds {
        let trial = inject(panel, &plan, *seed)?;
        for (is_version, detector) in [(true, version), (false, beside)] {
            watch(&format!("trial {seed}, {}", if is_version { "the version" } else { "what runs" }));
            let scores = contest::score_panel(detector, &trial.panel, trial.eval_from);
            let measured = measure::demand(&trial, scores.view());
            let promise = causal::promise(detector, &trial, scores.view(), share);
            let planner = measured.planners.last();
            let explained = planner.and_then(|planner| planner.explained_alarmed.get("promo_lift").copied());
            for (name, value) in [
                ("average precision", Some(measured.ap)),
                ("promotions alarmed", explained),
                // Alarm by alarm, since what is promised is the share of false ones among those that people get.
                ("false share, alarm by alarm", promise.and_then(|promise| promise.realised)),
                ("found under the promise", promise.map(|promise| promise.recall)),
            ] {
                let Some(value) = value.filter(|value| value.is_finite()) else { continue };
                let (own, other) = sums.entry(name.to_owned()).or_default();
                let sum = if is_version { own } else { other };
                *sum = (sum.0 + value, sum.1 + 1);
            }
        }
    }
    // A measure that one of the two does not have (no alarm was raised) compares with nothing.
    let mean = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
    let pair = |(name, (own, other)): (String, _)| Some((name, (mean(own)?, mean(other)?)));
    let mut judged = Judged {
        on: format!("the last {HELD_OUT_DAYS} of {days} days of {} series until {}", panel.keys().len(), last_day(panel)),
        data_hash: panel_hash(panel),
        measures: sums.into_iter().filter_map(pair).collect(),
        failed: Vec::new(),
    };
    judged.not_lower("average precision", AP_WITHIN);
    // What runs may break the promise too on these records: then the version need not keep it, but must not be worse.
    if let Some((own, other)) = judged.pair("false share, alarm by alarm")
        && own > share.max(other + FALSE_WITHIN)
    {
        judged.failed.push(format!("of its alarms {own:.3} are false where {share} is promised, of what runs {other:.3}"));
    }
    if let Some((own, other)) = judged.pair("promotions alarmed")
        && own > other + 2.0 * FALSE_WITHIN
    {
        judged.failed.push(format!("it alarms {own:.3} of the promotions, what runs {other:.3}"));
    }
    Ok(judged)
}

/// Of receiving: on the complete lines of `records`, with habits and exceptions drawn into them.
///
/// # Errors
/// [`TrialError::Plan`] with fewer than a hundred complete lines.
pub fn receiving(
    records: &Records,
    (version, beside): (&ReceivingDetector, &ReceivingDetector),
    seeds: &[u64],
    mut watch: impl FnMut(&str),
) -> Result<Judged, TrialError> {
    let base = base_of(records);
    let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
    for seed in seeds {
        let trial = inject_receiving(&base, RECEIVING_RATE, *seed)?;
        let mut measure = |what: &str, detector: &ReceivingDetector| -> Result<ReceivingMeasures, TrialError> {
            watch(&format!("trial {seed}, {what}"));
            let scored = score(&trial.records, detector).map_err(|error| TrialError::Plan(error.to_string()))?;
            let by_line: BTreeMap<&str, f64> = scored.iter().map(|line| (line.line.as_str(), line.score)).collect();
            let of = |line: &str| by_line.get(line).copied().unwrap_or(f64::NAN);
            let scores: Vec<f64> = trial.records.lines.iter().map(|line| of(&line.line)).collect();
            Ok(measure::receiving(&trial.truth, &scores))
        };
        let (own, other) = (measure("the version", version)?, measure("what runs", beside)?);
        for (name, own, other) in [
            ("average precision", own.ap, other.ap),
            ("found at 1 % false alarms", own.recall_at_1_percent_false, other.recall_at_1_percent_false),
        ] {
            let sum = sums.entry(name.to_owned()).or_default();
            *sum = (sum.0 + own, sum.1 + other);
        }
    }
    let many = seeds.len().max(1) as f64;
    let mut judged = Judged {
        on: format!("{} complete purchase lines, with exceptions put into the later half", base.len()),
        data_hash: base_hash(&base),
        measures: sums.into_iter().map(|(name, (own, other))| (name, (own / many, other / many))).collect(),
        failed: Vec::new(),
    };
    judged.not_lower("average precision", AP_WITHIN);
    judged.not_lower("found at 1 % false alarms", RECALL_WITHIN);
    Ok(judged)
}

/// The complete lines with the day they came.
fn base_of(records: &Records) -> Vec<BaseLine> {
    let mut came: BTreeMap<&str, jiff::civil::Date> = BTreeMap::new();
    for receipt in &records.receipts {
        let last = came.entry(receipt.line.as_str()).or_insert(receipt.date);
        *last = (*last).max(receipt.date);
    }
    let complete = |line: &reeve_models::receiving::PurchaseLine| {
        Some(BaseLine { line: line.clone(), delivered: *came.get(line.line.as_str())? })
    };
    records.lines.iter().filter_map(complete).collect()
}

fn last_day(panel: &Panel) -> String {
    panel.days().last().map_or_else(String::new, ToString::to_string)
}

/// A hash of everything in a panel: the same history has the same.
pub fn panel_hash(panel: &Panel) -> String {
    let mut parts: Vec<String> = panel.days().iter().map(ToString::to_string).collect();
    for (at, key) in panel.keys().iter().enumerate() {
        let cells: Vec<String> = panel.series(at).iter().map(|cell| format!("{cell:?}")).collect();
        let cells: Vec<&str> = cells.iter().map(String::as_str).collect();
        parts.push(content_hash(&[&[key.location.as_str(), key.item.as_str()][..], &cells[..]].concat()));
    }
    content_hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

fn base_hash(base: &[BaseLine]) -> String {
    let parts: Vec<String> = base.iter().map(|line| format!("{line:?}")).collect();
    content_hash(&parts.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A hash of everything in records of receiving.
pub fn records_hash(records: &Records) -> String {
    base_hash(&base_of(records))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::trial::files;

    fn trial(name: &str) -> std::path::PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/trial").join(name)
    }

    #[test]
    fn of_demand_a_version_is_no_worse_than_itself_and_the_untrained_one_is_worse_than_the_trained() {
        let (panel, _) = files::read_demand_folder(&trial("demand")).unwrap();
        let (trained, plain) = (DemandDetector::shipped(), DemandDetector::unsupervised());
        let judge = |version, beside| demand(&panel, (version, beside), (&[1, 2], 0.1), |_| ()).unwrap();
        let same = judge(trained, trained);
        assert_eq!(same.failed, [""; 0]);
        assert!(same.measures.values().all(|(own, other)| (own - other).abs() < 1e-12), "{same:?}");
        assert!(same.measures.contains_key("found under the promise"), "{same:?}");
        assert_eq!(same, judge(trained, trained), "the same history and seeds measure the same");
        let worse = judge(&plain, trained);
        assert!(worse.failed.iter().any(|what| what.starts_with("average precision")), "{worse:?}");
        let short = panel.until(40).unwrap();
        let error = demand(&short, (trained, trained), (&[1], 0.1), |_| ()).unwrap_err().to_string();
        assert!(error.contains("40 days are too few to validate on: it takes 56"), "{error}");
    }

    #[test]
    fn of_receiving_it_is_judged_on_the_lines_that_are_complete() {
        let records = files::read_receiving_folder(&trial("receiving")).unwrap();
        let (trained, plain) = (ReceivingDetector::shipped(), ReceivingDetector::unsupervised());
        let judged = receiving(&records, (&trained, &plain), &[1, 2], |_| ()).unwrap();
        let (own, other) = judged.measures["average precision"];
        assert!(own > 0.5 && other > 0.3 && judged.on.contains("complete purchase lines"), "{judged:?}");
        let few = Records { lines: records.lines[..50].to_vec(), ..records };
        assert!(receiving(&few, (&trained, &plain), &[1], |_| ()).is_err());
    }

    #[test]
    fn another_cell_is_another_history() {
        let (panel, _) = files::read_demand_folder(&trial("demand")).unwrap();
        let mut other = panel.clone();
        other.series_mut(3)[7].units += 1.0;
        assert_ne!(panel_hash(&panel), panel_hash(&other));
    }
}
