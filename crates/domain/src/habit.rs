//! How far a purchase line is from what its supplier usually does, with what that was computed from.

use serde::{Deserialize, Serialize};

/// Lines, and deliveries, of a supplier that are kept to compare with.
pub const KEPT: usize = 60;

/// Newest deliveries of a supplier that say what it does just now, the one in question among them.
pub const NEWEST: usize = 6;

/// Below this nothing is off: prices are kept at four decimals, and weights at three.
const LEAST: f64 = 5e-4;

/// What is said of a purchase line beside its supplier's habit. Inputs only: whatever people are shown is computed from them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Habit {
    /// The purchase line.
    pub line: String,
    /// The detector: its name, and the beginning of a hash of its parameters.
    pub detector: String,
    /// The side to which the line is compared: `short`, `price_up`.
    pub kind: String,
    /// What the line was judged by, in the detector's order.
    pub features: Vec<f64>,
    /// How far the line is off to the side of its kind: a share of what was ordered or agreed, or days.
    pub off: f64,
    /// The same of the supplier's lines that were complete on days before, oldest first, [`KEPT`] at most. Below zero is off to the
    /// other side.
    pub before: Vec<f64>,
    /// The same of the supplier's deliveries, oldest first, the line's own as the last: of each its line that was off the most.
    pub deliveries: Vec<f64>,
    /// The share of all suppliers' earlier deliveries that were off to this side.
    pub usual: f64,
}

/// How many of some deliveries were off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Off {
    /// Were off.
    pub off: u32,
    /// Of so many.
    pub of: u32,
}

/// Is it off at all?
pub fn is_off(off: f64) -> bool {
    off >= LEAST
}

impl Habit {
    /// How many of the earlier lines were off as far or further.
    pub fn as_far(&self) -> usize {
        let least = self.off.max(LEAST);
        self.before.iter().filter(|off| **off >= least - 1e-9).count()
    }

    /// How many of the newest deliveries were off to this side, and how many of those before.
    pub fn runs(&self) -> (Off, Off) {
        let (before, newest) = self.deliveries.split_at(self.deliveries.len().saturating_sub(NEWEST));
        let count = |of: &[f64]| Off { off: of.iter().filter(|off| is_off(**off)).count() as u32, of: of.len() as u32 };
        (count(newest), count(before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn habit(off: f64, before: &[f64], deliveries: &[f64]) -> Habit {
        let (line, detector, kind) = ("1".to_owned(), "unsupervised-0".to_owned(), "short".to_owned());
        let (before, deliveries) = (before.to_vec(), deliveries.to_vec());
        Habit { line, detector, kind, features: Vec::new(), off, before, deliveries, usual: 0.1 }
    }

    #[test]
    fn lines_as_far_off_and_newest_deliveries_are_counted() {
        let habit = habit(0.02, &[0.0, 0.02, 0.05, -0.3, 0.01], &[0.0, 0.1, 0.0, 0.0, 0.02, 0.0, 0.01, 0.02]);
        assert_eq!(habit.as_far(), 2);
        assert_eq!(habit.runs(), (Off { off: 3, of: 6 }, Off { off: 1, of: 2 }));
    }

    #[test]
    fn a_first_line_has_nothing_before_it() {
        let habit = habit(0.02, &[], &[0.02]);
        assert_eq!((habit.as_far(), habit.runs()), (0, (Off { off: 1, of: 1 }, Off { off: 0, of: 0 })));
    }
}
