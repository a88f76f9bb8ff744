//! `reeve eval detectors`: the detectors alone, against exceptions that were put into real histories and orders, and the
//! forest against labelled tables. What it prints is what the model cards quote.

use std::fmt::Write;
use std::path::Path;

use anyhow::Context;
use serde::Serialize;

use crate::own;
use crate::trial::contest::{self, Promise, TableMeasures};
use crate::trial::demand::{Plan, Track, Trial as DemandTrial, inject};
use crate::trial::files;
use crate::trial::measure::{self, DemandMeasures, ReceivingMeasures};
use crate::trial::receiving::{Trial as ReceivingTrial, inject as inject_receiving};
use reeve_models::demand::detector::Detector as DemandDetector;
use reeve_models::receiving::{self, Detector as ReceivingDetector};

/// Share of scored lines into which exceptions are put.
pub const RECEIVING_RATE: f64 = 0.08;

/// The share of false alarms that is promised.
const PROMISED: f64 = 0.1;

/// A detector of demand and what it is called in the report.
pub struct DemandEntry {
    /// What it is called.
    pub name: String,
    /// The detector.
    pub detector: DemandDetector,
    /// Learns from the days before the first scored one, by exceptions put into them, before it is asked.
    pub learns: bool,
}

/// Everything measured.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Report {
    /// The forest on tables.
    pub tables: Vec<TableMeasures>,
    /// Detectors of demand.
    pub demand: Vec<DemandRow>,
    /// Detectors of receiving.
    pub receiving: Vec<ReceivingRow>,
}

/// A detector of demand on all trials.
#[derive(Clone, Debug, Serialize)]
pub struct DemandRow {
    /// The detector.
    pub detector: String,
    /// The trials: seeds or folders.
    pub trials: Vec<String>,
    /// What was measured in each.
    pub measures: Vec<DemandMeasures>,
    /// What became of the promise in each, where the detector makes one.
    pub promises: Vec<Promise>,
}

/// A detector of receiving on all trials.
#[derive(Clone, Debug, Serialize)]
pub struct ReceivingRow {
    /// The detector.
    pub detector: String,
    /// The trials: seeds or folders.
    pub trials: Vec<String>,
    /// What was measured in each.
    pub measures: Vec<ReceivingMeasures>,
}

/// Measures the forest on every labelled table of a folder: `.npz` with `X` and `y`, or `.csv` with a column `label`.
/// `watch` is told the name of each before it begins.
///
/// # Errors
/// Names the file that can not be read, or has no labels.
pub fn tables(folder: &Path, seeds: &[u64], mut watch: impl FnMut(&str)) -> anyhow::Result<Vec<TableMeasures>> {
    let listed = std::fs::read_dir(folder).with_context(|| format!("can not list {}", folder.display()))?;
    let mut paths = listed.map(|entry| Ok(entry?.path())).collect::<std::io::Result<Vec<_>>>()?;
    let extension = |path: &Path| path.extension().and_then(|extension| extension.to_str()).unwrap_or("").to_owned();
    paths.retain(|path| ["npz", "csv"].contains(&extension(path).as_str()));
    // By name, so that two machines print the same table.
    paths.sort();
    anyhow::ensure!(!paths.is_empty(), "{} holds no .npz and no .csv file", folder.display());
    let mut measured = Vec::new();
    for path in paths {
        let name = path.file_stem().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        watch(&name);
        let table = if extension(&path) == "npz" { files::read_npz(&path)? } else { files::read_numbers(&path)? };
        let (_, labels) =
            table.labels.with_context(|| format!("{}: there is no column label to measure by", path.display()))?;
        measured.push(contest::table(&name, &table.rows, &labels, seeds).with_context(|| format!("scoring {name}"))?);
    }
    Ok(measured)
}

/// The trials of demand that a path stands for: a folder with its truth, or a base file with a seed for each trial.
///
/// # Errors
/// Names what can not be read or made.
pub fn demand_trials(path: &Path, track: Track, seeds: &[u64]) -> anyhow::Result<Vec<(String, DemandTrial)>> {
    if path.is_dir() {
        return Ok(vec![(path.display().to_string(), files::read_demand_trial(path)?)]);
    }
    let base = files::read_demand_base(path)?;
    let plan = Plan::track(track, base.days().len());
    let trial =
        |seed: &u64| Ok((format!("seed {seed}"), inject(&base, &plan, *seed).with_context(|| path.display().to_string())?));
    seeds.iter().map(trial).collect()
}

/// As [`demand_trials`], of purchase orders.
///
/// # Errors
/// Names what can not be read or made.
pub fn receiving_trials(path: &Path, seeds: &[u64]) -> anyhow::Result<Vec<(String, ReceivingTrial)>> {
    if path.is_dir() {
        return Ok(vec![(path.display().to_string(), files::read_receiving_trial(path)?)]);
    }
    let base = files::read_receiving_base(path)?;
    let trial = |seed: &u64| {
        Ok((
            format!("seed {seed}"),
            inject_receiving(&base, RECEIVING_RATE, *seed).with_context(|| path.display().to_string())?,
        ))
    };
    seeds.iter().map(trial).collect()
}

/// Measures detectors of demand on trials. `watch` is told what is being done.
///
/// # Errors
/// What a detector could not learn from.
pub fn demand(
    trials: &[(String, DemandTrial)],
    entries: &[DemandEntry],
    mut watch: impl FnMut(&str),
) -> anyhow::Result<Vec<DemandRow>> {
    let mut rows = Vec::new();
    for entry in entries {
        let mut row =
            DemandRow { detector: entry.name.clone(), trials: Vec::new(), measures: Vec::new(), promises: Vec::new() };
        for (number, (name, trial)) in trials.iter().enumerate() {
            watch(&format!("{}, {name}", entry.name));
            let learnt;
            let mut detector = &entry.detector;
            // It learns from the trial's own days before the first scored one, so nothing that is scored was learned.
            if entry.learns {
                learnt = own::learn(detector, &trial.panel, trial.eval_from, number as u64, |_, _| ())
                    .with_context(|| format!("{name}: learning from the days before the first scored one"))?;
                detector = &learnt;
            }
            let scores = contest::score_panel(detector, &trial.panel, trial.eval_from);
            row.trials.push(name.clone());
            row.measures.push(measure::demand(trial, scores.view()));
            row.promises.extend(contest::promise(detector, trial, scores.view(), PROMISED));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// Measures detectors of receiving on trials. `watch` is told what is being done.
///
/// # Errors
/// Records that make no sense.
pub fn receiving(
    trials: &[(String, ReceivingTrial)],
    entries: &[(String, ReceivingDetector)],
    mut watch: impl FnMut(&str),
) -> anyhow::Result<Vec<ReceivingRow>> {
    let mut rows = Vec::new();
    for (detector_name, detector) in entries {
        let mut row = ReceivingRow { detector: detector_name.clone(), trials: Vec::new(), measures: Vec::new() };
        for (name, trial) in trials {
            watch(&format!("{detector_name}, {name}"));
            let scored = receiving::score(&trial.records, detector).with_context(|| name.clone())?;
            let by_line: std::collections::BTreeMap<&str, f64> =
                scored.iter().map(|line| (line.line.as_str(), line.score)).collect();
            let of = |line: &str| by_line.get(line).copied().unwrap_or(f64::NAN);
            let scores: Vec<f64> = trial.records.lines.iter().map(|line| of(&line.line)).collect();
            row.trials.push(name.clone());
            row.measures.push(measure::receiving(&trial.truth, &scores));
        }
        rows.push(row);
    }
    Ok(rows)
}

/// The mean of what is there; a dash where there is nothing.
fn mean<'a, T: 'a>(of: impl IntoIterator<Item = &'a T>, value: impl Fn(&T) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = of.into_iter().filter_map(value).filter(|value| !value.is_nan()).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"))
}

impl Report {
    /// For people: one table for each part that was measured, means over the trials.
    pub fn text(&self, details: bool) -> String {
        let mut out = String::new();
        self.tables_text(&mut out);
        self.demand_text(&mut out, details);
        self.receiving_text(&mut out, details);
        out
    }

    fn tables_text(&self, out: &mut String) {
        if self.tables.is_empty() {
            return;
        }
        let seeds = self.tables[0].by_seed.len();
        let _ = writeln!(out, "Tables: the forest's one setting, mean of {seeds} seeds, fitted and scored on the same rows");
        let _ = writeln!(out, "  {:<22} {:>6} {:>4} {:>6}  {:>6}  {:>6}", "table", "rows", "cols", "odd", "AUROC", "AP");
        for t in &self.tables {
            let (rows, columns, odd) = (t.rows, t.features, t.anomalies);
            let _ = writeln!(out, "  {:<22} {rows:>6} {columns:>4} {odd:>6}  {:>6.4}  {:>6.4}", t.name, t.auroc, t.ap);
        }
        let (auroc, ap) = (mean(&self.tables, |t| Some(t.auroc)), mean(&self.tables, |t| Some(t.ap)));
        let _ =
            writeln!(out, "  {:<22} {:>6} {:>4} {:>6}  {:>6}  {:>6}\n", "mean", "", "", "", shown(auroc, 4), shown(ap, 4));
    }

    fn demand_text(&self, out: &mut String, details: bool) {
        let Some(first) = self.demand.first() else { return };
        let _ = writeln!(
            out,
            "Demand: {} (AP: lowest to highest; FA: false alarms per 1,000 series-days)",
            first.trials.join(", ")
        );
        let _ = writeln!(
            out,
            "  {:<14} {:>5} {:>13} {:>7} {:>7} {:>6} {:>6} {:>6} {:>7} {:>9} {:>8} {:>7}",
            "detector", "AP", "", "FA@50%", "FA@80%", "P@k", "R@k", "promo", "stock-", "latency", "false at", "recall"
        );
        let _ = writeln!(
            out,
            "  {:<14} {:>5} {:>13} {:>7} {:>7} {:>6} {:>6} {:>6} {:>7} {:>9} {:>8} {:>7}",
            "", "", "", "", "", "", "", "lifts", "outs", "days", "10 %", "there"
        );
        for row in &self.demand {
            let m = &row.measures;
            let last = |value: fn(&measure::PlannerMeasures) -> Option<f64>| mean(m, |m| m.planners.last().and_then(value));
            let alarmed = |kind: &'static str| mean(m, |m| m.planners.last()?.explained_alarmed.get(kind).copied());
            let (low, high) = m.iter().fold((f64::MAX, f64::MIN), |(low, high), m| (low.min(m.ap), high.max(m.ap)));
            let _ = writeln!(
                out,
                "  {:<14} {:>5} {:>13} {:>7} {:>7} {:>6} {:>6} {:>6} {:>7} {:>9} {:>8} {:>7}",
                row.detector,
                shown(mean(m, |m| Some(m.ap)), 3),
                format!("({low:.3}-{high:.3})"),
                shown(mean(m, |m| m.false_per_1000_at_recall_50), 2),
                shown(mean(m, |m| m.false_per_1000_at_recall_80), 2),
                shown(last(|p| Some(p.precision)), 3),
                shown(last(|p| Some(p.recall)), 3),
                shown(alarmed("promo_lift"), 3),
                shown(alarmed("known_stockout"), 3),
                shown(last(|p| p.latency_mean), 1),
                shown(mean(&row.promises, |p| p.realised), 3),
                shown(mean(&row.promises, |p| Some(p.recall)), 3),
            );
        }
        if details {
            for row in &self.demand {
                let _ = writeln!(out, "  {} finds, by kind:", row.detector);
                let kinds = row.measures.first().and_then(|m| m.planners.last()).map(|p| p.recall_by_kind.keys());
                for kind in kinds.into_iter().flatten() {
                    let recall = mean(&row.measures, |m| m.planners.last()?.recall_by_kind.get(kind).copied());
                    let _ = writeln!(out, "    {kind:<14} {:>5}", shown(recall, 3));
                }
            }
        }
        out.push('\n');
    }

    fn receiving_text(&self, out: &mut String, details: bool) {
        let Some(first) = self.receiving.first() else { return };
        let _ = writeln!(out, "Receiving: {}", first.trials.join(", "));
        let _ = writeln!(
            out,
            "  {:<14} {:>5} {:>13} {:>6} {:>6} {:>11} {:>12} {:>9}",
            "detector", "AP", "", "AUROC", "P@100", "R@1% false", "money in 5%", "notices"
        );
        for row in &self.receiving {
            let m = &row.measures;
            let (low, high) = m.iter().fold((f64::MAX, f64::MIN), |(low, high), m| (low.min(m.ap), high.max(m.ap)));
            let _ = writeln!(
                out,
                "  {:<14} {:>5} {:>13} {:>6} {:>6} {:>11} {:>12} {:>9}",
                row.detector,
                shown(mean(m, |m| Some(m.ap)), 3),
                format!("({low:.3}-{high:.3})"),
                shown(mean(m, |m| Some(m.auroc)), 3),
                shown(mean(m, |m| m.precision_at.get(&100).copied()), 3),
                shown(mean(m, |m| Some(m.recall_at_1_percent_false)), 3),
                shown(mean(m, |m| Some(m.impact_recall_at_5_percent)), 3),
                shown(mean(m, |m| m.notice_share_at_5_percent), 3),
            );
        }
        if details {
            for row in &self.receiving {
                let _ = writeln!(out, "  {} finds at 1 % false alarms, by kind:", row.detector);
                for kind in row.measures.first().map(|m| m.recall_by_kind.keys()).into_iter().flatten() {
                    let recall = mean(&row.measures, |m| m.recall_by_kind.get(kind).copied());
                    let _ = writeln!(out, "    {kind:<20} {:>5}", shown(recall, 3));
                }
            }
        }
        out.push('\n');
    }
}
