//! How far a purchase line is from what its supplier usually does, with what that was computed from.

use serde::{Deserialize, Serialize};

/// Lines of a supplier that are kept to compare a line with.
pub const KEPT: usize = 60;

/// Newest lines of a supplier that say what it does just now, the line in question among them.
pub const RECENT: usize = 6;

/// Below this a line is not off: prices are kept at four decimals, and weights at three.
const LEAST: f64 = 5e-4;

/// What a detector of habits says of a purchase line. Inputs only: whatever people are shown is computed from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Habit {
    /// The purchase line.
    pub line: String,
    /// The detector: its name, and the beginning of a hash of its parameters.
    pub detector: String,
    /// What the line is off by most: `short`, `price_up`.
    pub kind: String,
    /// What the line was judged by, in the detector's order.
    pub features: Vec<f64>,
    /// How odd the line was in combination among its company's earlier lines, where that was asked: a p-value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub together: Option<f64>,
    /// How far the line is off by its kind: a share of what was ordered or agreed, or days.
    pub off: f64,
    /// The same of the supplier's lines that were complete before it, oldest first, [`KEPT`] at most. Below zero is off to the
    /// other side.
    pub before: Vec<f64>,
}

impl Habit {
    /// How many of the earlier lines were off as far or further.
    pub fn as_far(&self) -> usize {
        let least = self.off.max(LEAST);
        self.before.iter().filter(|off| **off >= least - 1e-9).count()
    }

    /// How many of the supplier's last lines were off to this side at all, this one among them, and how many they are.
    pub fn recent(&self) -> (usize, usize) {
        let before = &self.before[self.before.len().saturating_sub(RECENT - 1)..];
        let off = before.iter().chain([&self.off]).filter(|off| **off >= LEAST).count();
        (off, before.len() + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habit(off: f64, before: &[f64]) -> Habit {
        let (line, detector, kind) = ("1".to_owned(), "unsupervised-0".to_owned(), "short".to_owned());
        Habit { line, detector, kind, features: Vec::new(), together: None, off, before: before.to_vec() }
    }

    #[test]
    fn lines_as_far_off_and_the_last_ones_are_counted() {
        let habit = habit(0.02, &[0.0, 0.02, 0.05, -0.3, 0.01, 0.0, 0.0]);
        assert_eq!(habit.as_far(), 2);
        assert_eq!(habit.recent(), (3, 6), "0.05, 0.01 and the line itself");
    }

    #[test]
    fn a_first_line_has_nothing_before_it() {
        let habit = habit(0.02, &[]);
        assert_eq!((habit.as_far(), habit.recent()), (0, (1, 1)));
    }
}
