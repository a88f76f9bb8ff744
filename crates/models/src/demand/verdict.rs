//! What kind of exception a day's evidence speaks for.
//!
//! The kinds compete by their likelihood ratios: a unit slip or a double entry must explain the number itself, a lasting
//! change needs days behind it, and what remains is a spike or a collapse.

use serde::{Deserialize, Serialize};

use super::watch::{FEATURE_COUNT, at};

/// What may have happened to a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A day or two far above what was to be expected (D-SPIKE).
    Spike,
    /// Days far below it (D-COLLAPSE).
    Collapse,
    /// Nothing sold while the system says that there is stock (I-PHANTOM).
    Phantom,
    /// A lasting change upwards (D-SHIFT).
    LevelUp,
    /// A lasting change downwards (D-SHIFT).
    LevelDown,
    /// Entered in a smaller unit than the stock unit: a multiple of a pack (D-DATA).
    UnitMultiple,
    /// Entered in a larger unit: a part of what was sold (D-DATA).
    UnitPart,
    /// Entered twice (D-DATA).
    Duplicate,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Spike,
        Self::Collapse,
        Self::Phantom,
        Self::LevelUp,
        Self::LevelDown,
        Self::UnitMultiple,
        Self::UnitPart,
        Self::Duplicate,
    ];

    /// The code of the handbook's exception type.
    pub fn code(self) -> &'static str {
        match self {
            Self::Spike => "D-SPIKE",
            Self::Collapse => "D-COLLAPSE",
            Self::Phantom => "I-PHANTOM",
            Self::LevelUp | Self::LevelDown => "D-SHIFT",
            Self::UnitMultiple | Self::UnitPart | Self::Duplicate => "D-DATA",
        }
    }

    /// The likeliest kind by rule, given that the day is odd. `row` are the features of the day.
    pub(super) fn guess(row: &[f32; FEATURE_COUNT]) -> Self {
        let best = |from: usize, count: usize| row[from..from + count].iter().copied().fold(f32::MIN, f32::max);
        let low = row[at::DEVIATION] < 0.0;
        let lasting = row[at::WINDOW_14].abs() > row[at::WINDOW_3].abs() && row[at::WINDOW_7].abs() > 3.0;
        if low {
            let silent = row[at::SILENT_DAYS];
            if silent >= 2.0 {
                return Self::Phantom;
            }
            if best(at::PART, 3) > 6.0 && best(at::PART, 3) > row[at::LEVEL_20] {
                return Self::UnitPart;
            }
            return if lasting { Self::LevelDown } else { Self::Collapse };
        }
        if best(at::MULTIPLE, 3) > 5.0 && row[at::RATIO] > 1.4 {
            return Self::UnitMultiple;
        }
        if lasting && row[at::YESTERDAY] > 0.3 {
            return Self::LevelUp;
        }
        if best(at::TWICE, 2) > 1.6 && row[at::RATIO] < 1.3 { Self::Duplicate } else { Self::Spike }
    }
}
