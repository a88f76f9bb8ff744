//! Measures of scores of purchase-order lines.

use std::collections::BTreeMap;

use serde::Serialize;

use super::{area_under_roc, average_precision, share, tie};
use crate::trial::receiving::{Label, LineTruth};

/// How well a detector found the exceptions among the scored lines. Shares are from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReceivingMeasures {
    /// Lines counted.
    pub lines: usize,
    /// Exceptions among them.
    pub exceptions: usize,
    /// Average precision.
    pub ap: f64,
    /// Area under the ROC curve.
    pub auroc: f64,
    /// Exceptions among the first 20, 50 and 100.
    pub precision_at: BTreeMap<usize, f64>,
    /// Exceptions among as many lines as there are exceptions.
    pub r_precision: f64,
    /// Exceptions found in the first twentieth of the lines.
    pub recall_at_5_percent: f64,
    /// The same, by money at stake.
    pub impact_recall_at_5_percent: f64,
    /// Exceptions above the score that one in a hundred ordinary lines exceeds.
    pub recall_at_1_percent_false: f64,
    /// The same by kind.
    pub recall_by_kind: BTreeMap<&'static str, f64>,
    /// Ordinary lines that a notice explains, and the share of them in the first twentieth.
    pub notice_lines: usize,
    /// See [`ReceivingMeasures::notice_lines`]; none where there are no such lines.
    pub notice_share_at_5_percent: Option<f64>,
}

/// Measures `scores`, one for each line of `truth` in its order; a NaN is no score and ranks last.
///
/// # Panics
/// When there are more or fewer scores than lines.
pub fn receiving(truth: &[LineTruth], scores: &[f64]) -> ReceivingMeasures {
    /// Scores of lines that have none.
    const NONE: f64 = -1e18;
    assert_eq!(truth.len(), scores.len(), "a score for each line");
    let counted: Vec<usize> =
        (0..truth.len()).filter(|at| truth[*at].scored && truth[*at].label != Label::NotCounted).collect();
    let score = |at: usize| if scores[at].is_nan() { NONE } else { scores[at] };
    let is_exception = |at: usize| matches!(truth[at].label, Label::Exception(_));
    let values: Vec<f64> = counted.iter().map(|at| score(*at)).collect();
    let positive: Vec<bool> = counted.iter().map(|at| is_exception(*at)).collect();
    let mut order = counted.clone();
    order.sort_unstable_by(|&a, &b| score(b).total_cmp(&score(a)).then_with(|| tie(a).cmp(&tie(b))));
    let exceptions = positive.iter().filter(|positive| **positive).count();
    let hits = |first: usize| order.iter().take(first).filter(|at| is_exception(**at)).count();
    // What of the money would be found by whoever looks at one line in twenty.
    let twentieth = counted.len() / 20;
    let top = &order[..twentieth.max(1).min(order.len())];
    let impact = |lines: &[usize]| lines.iter().map(|at| truth[*at].impact).sum::<f64>();
    // The score that one in a hundred ordinary lines passes.
    let limit = upper(counted.iter().copied().filter(|at| !is_exception(*at)).map(score).collect(), 0.99);
    let mut by_kind: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    let mut found = 0;
    for &at in &counted {
        if let Label::Exception(kind) = truth[at].label {
            let above = usize::from(score(at) > limit);
            let counts = by_kind.entry(kind.name()).or_default();
            *counts = (counts.0 + above, counts.1 + 1);
            found += above;
        }
    }
    let explained = |at: &&usize| truth[**at].notice && !is_exception(**at);
    let notice_lines = counted.iter().filter(explained).count();
    let notices_on_top = order[..twentieth].iter().filter(explained).count();
    ReceivingMeasures {
        lines: counted.len(),
        exceptions,
        ap: average_precision(&values, &positive),
        auroc: area_under_roc(&values, &positive),
        precision_at: [20, 50, 100].into_iter().map(|first| (first, share(hits(first), first.min(order.len())))).collect(),
        r_precision: share(hits(exceptions), exceptions),
        recall_at_5_percent: share(hits(top.len()), exceptions),
        impact_recall_at_5_percent: impact(top) / impact(&counted).max(1e-9),
        recall_at_1_percent_false: share(found, exceptions),
        recall_by_kind: by_kind.into_iter().map(|(kind, (found, all))| (kind, share(found, all))).collect(),
        notice_lines,
        notice_share_at_5_percent: (notice_lines > 0).then(|| share(notices_on_top, notice_lines)),
    }
}

/// The value that a share `p` of the values does not exceed, between two of them in proportion.
fn upper(mut values: Vec<f64>, p: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    let Some(last) = values.len().checked_sub(1) else { return f64::NEG_INFINITY };
    let at = p * last as f64;
    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
    low + (high - low) * at.fract()
}
