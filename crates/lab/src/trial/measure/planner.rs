//! What a planner gets to see who reads the same number of alarms every day.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::demand::{Board, State};
use super::{share, tie};
use crate::trial::demand::{EventKind, Scope};
use reeve_models::formulas::median;

/// Days for which a series stays quiet after an alarm.
const QUIET: usize = 7;

/// What a planner saw. Shares are from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannerMeasures {
    /// Alarms read a day.
    pub k: usize,
    /// Alarms that found an exception, of those that did or were false.
    pub precision: f64,
    /// What an oracle reaches that names every exception on its first day and fills up at random.
    pub precision_ceiling: f64,
    /// Exceptions found.
    pub recall: f64,
    /// What the oracle finds.
    pub recall_ceiling: f64,
    /// Exceptions found, by units at stake.
    pub impact_recall: f64,
    /// False alarms per 1,000 series-days.
    pub false_per_1000: f64,
    /// False alarms that had a reason on record.
    pub explained_share_of_false: f64,
    /// Days from the first day of an exception to its alarm, on average; none when nothing was found.
    pub latency_mean: Option<f64>,
    /// The same, in the middle.
    pub latency_median: Option<f64>,
    /// Exceptions found, by kind.
    pub recall_by_kind: BTreeMap<&'static str, f64>,
    /// Promotions and known stock-outs that were alarmed, as shares; alarms on holidays and closures, as counts.
    pub explained_alarmed: BTreeMap<String, f64>,
}

#[derive(Default)]
struct Seen {
    /// Exceptions found, and after how many days.
    found: BTreeMap<usize, usize>,
    wrong: usize,
    wrong_explained: usize,
    /// Explained events that were alarmed, with the series.
    explained: BTreeSet<(usize, usize)>,
}

fn read(board: &Board<'_>, scores: &[f64], k: usize) -> Seen {
    let mut seen = Seen::default();
    let mut last: Vec<Option<usize>> = vec![None; board.series];
    for day in 0..board.days {
        let at = |series: usize| series * board.days + day;
        let ready = |series: &usize| last[*series].is_none_or(|last| day - last > QUIET);
        let mut order: Vec<usize> = (0..board.series).filter(ready).collect();
        order.sort_unstable_by(|&a, &b| scores[at(b)].total_cmp(&scores[at(a)]).then_with(|| tie(at(a)).cmp(&tie(at(b)))));
        for series in order.into_iter().take(k).filter(|series| scores[at(*series)] > f64::NEG_INFINITY) {
            last[series] = Some(day);
            match board.state(series, day) {
                State::Exception(event) => {
                    let since = day + board.trial.eval_from - board.trial.events[event].from;
                    seen.found.entry(event).or_insert(since);
                }
                State::Ordinary => seen.wrong += 1,
                State::Explained(event) => {
                    seen.wrong += 1;
                    seen.wrong_explained += 1;
                    seen.explained.insert((event, series));
                }
                State::NotCounted => {}
            }
        }
    }
    seen
}

/// The planner who reads `k` alarms a day.
pub(super) fn planner(board: &Board<'_>, k: usize) -> PlannerMeasures {
    let events = &board.trial.events;
    let exceptions = board.exceptions();
    // The most that anybody could find with so many alarms a day: each exception known on its first day.
    let mut oracle = vec![0.0; board.scores.len()];
    for &at in &exceptions {
        if let Scope::Series(series) = events[at].scope {
            oracle[series * board.days + events[at].from - board.trial.eval_from] = 1.0;
        }
    }
    let (seen, best) = (read(board, &board.scores, k), read(board, &oracle, k));
    let precision = |seen: &Seen| share(seen.found.len(), (seen.found.len() + seen.wrong).max(1));
    let latencies: Vec<f64> = seen.found.values().map(|days| *days as f64).collect();
    let impact = |at: &mut dyn Iterator<Item = &usize>| at.map(|at| events[*at].impact).sum::<f64>();
    let of = |kind: EventKind| move |at: &&usize| events[**at].kind == kind;
    let mut recall_by_kind = BTreeMap::new();
    let mut explained_alarmed = BTreeMap::new();
    for kind in EventKind::ALL {
        let all: Vec<usize> = (0..events.len()).filter(|at| events[*at].kind == kind).collect();
        let alarmed: Vec<usize> =
            seen.explained.iter().map(|(event, _)| *event).filter(|at| events[*at].kind == kind).collect();
        let distinct = alarmed.iter().collect::<BTreeSet<_>>().len();
        match kind {
            _ if !kind.is_explained() && !all.is_empty() => {
                recall_by_kind.insert(kind.name(), share(seen.found.keys().filter(of(kind)).count(), all.len()));
            }
            // The whole chain has them at once, so alarms are counted here and not the share of days that raised one.
            EventKind::Holiday | EventKind::Closure => {
                explained_alarmed.insert(format!("{}_alarms", kind.name()), alarmed.len() as f64);
            }
            _ if kind.is_explained() && !all.is_empty() => {
                explained_alarmed.insert(kind.name().to_owned(), share(distinct, all.len()));
            }
            _ => {}
        }
    }
    PlannerMeasures {
        k,
        precision: precision(&seen),
        precision_ceiling: precision(&best),
        recall: share(seen.found.len(), exceptions.len()),
        recall_ceiling: share(best.found.len(), exceptions.len()),
        impact_recall: impact(&mut seen.found.keys()) / impact(&mut exceptions.iter()).max(1.0),
        false_per_1000: board.per_1000(seen.wrong),
        explained_share_of_false: share(seen.wrong_explained, seen.wrong.max(1)),
        latency_mean: (!latencies.is_empty()).then(|| latencies.iter().sum::<f64>() / latencies.len() as f64),
        latency_median: median(&latencies),
        recall_by_kind,
        explained_alarmed,
    }
}
