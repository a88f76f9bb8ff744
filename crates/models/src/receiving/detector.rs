//! Turns the features of a line into a score, a probability and a kind.

use super::features::Features;
use super::kind::ReceivingKind;
use super::records::{ReceivingError, Records};

/// How features are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Detector {}

/// What is said of one line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineScore {
    /// The line's identity.
    pub line: String,
    /// The higher the odder; only the order matters.
    pub score: f64,
    /// Probability that the line is an exception.
    pub probability: f64,
    /// The likeliest kind, if it is one.
    pub kind: ReceivingKind,
    /// The features that speak most for it, the strongest first: name and value.
    pub drivers: Vec<(&'static str, f64)>,
}

/// How often a line is an exception of each kind, before it is looked at.
const PRIOR: f64 = 0.08 / 9.0;

impl Detector {
    /// The detector that needs no labels: the likelihood of each kind of exception against the vendor's habit.
    pub fn unsupervised() -> Self {
        Detector {}
    }
}

/// Log-likelihood ratio of each kind, in the order of [`ReceivingKind::ALL`].
fn likeness(f: &Features) -> [f64; 9] {
    let floor = -6.0;
    let present = |is: bool, x: f64| if is { x.max(floor) } else { floor };
    // More billed than came explains the short as well: the bill is what to act on.
    let unreceived = f.unreceived_odds.max(f.short_odds) + 1.0;
    [
        present(f.short > 0.0, f.short_odds + f.billing_odds.max(0.0)),
        present(f.over > 0.0, f.over_odds),
        present(f.late_odds != 0.0, f.late_odds),
        present(f.early_odds != 0.0, f.early_odds),
        present(f.price > 0.0, f.price_odds),
        present(f.price < 0.0, f.price_odds),
        present(f.equal_parts > 0.0 && f.duplicate_odds > 0.0, f.duplicate_odds + 12.0),
        present(f.unit_odds > 0.0, f.unit_odds + 12.0),
        present(f.unreceived_odds != 0.0, unreceived),
    ]
}

/// Scores every line that something came of, in the order in which they were complete.
///
/// # Errors
/// [`ReceivingError::Number`] and [`ReceivingError::Twice`] for records that make no sense.
pub fn score(records: &Records, _detector: &Detector) -> Result<Vec<LineScore>, ReceivingError> {
    let found = super::features(records)?;
    Ok(found
        .into_iter()
        .map(|(at, f)| {
            let like = likeness(&f);
            let total: f64 = like.iter().map(|l| PRIOR * l.exp()).sum();
            let best = (0..9).max_by(|a, b| like[*a].total_cmp(&like[*b])).unwrap_or(0);
            LineScore {
                line: records.lines[at].line.clone(),
                score: total.ln(),
                probability: total / (1.0 + total),
                kind: ReceivingKind::ALL[best],
                drivers: Vec::new(),
            }
        })
        .collect())
}
