//! The last weeks added up once for all spans of a day: the sums of a span are then the difference of two of them.

use super::baseline::{History, LOOKED_AT_DAYS};

/// Days after the start of the longest span, its first included.
const SPAN_DAYS: usize = 28;
/// A difference of sums is as good as a sum of its own while it is not a smaller share than this of them.
const SHARE_MIN: f64 = 1e-4;

/// What is added up of days that may be learned from.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Before {
    pub(super) levels: f64,
    pub(super) level_squares: f64,
    pub(super) unit_squares: f64,
    /// Of units and factor.
    pub(super) products: f64,
    pub(super) factors: f64,
    pub(super) factor_squares: f64,
}

/// What is added up of the last clean days.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct After {
    pub(super) levels: f64,
    pub(super) units: f64,
    pub(super) factors: f64,
    pub(super) factor_squares: f64,
    /// Most units on a day, and on another.
    pub(super) top: f64,
    pub(super) second: f64,
}

/// The sums of one day.
pub(super) struct Sums {
    /// The day's number in its list from which on it is added up.
    base: usize,
    before: [Before; LOOKED_AT_DAYS + 1],
    all: Before,
    /// The largest level of all days that may be learned from.
    pub(super) top: f64,
    after: [After; SPAN_DAYS + 1],
    pub(super) factor_min: f64,
}

impl Sums {
    pub(super) fn of(history: &History<'_>, today: usize, factors: &[f64; 7]) -> Self {
        let range = history.learnable_range((today + 1).saturating_sub(LOOKED_AT_DAYS), today);
        let factor_min = factors.iter().copied().fold(f64::INFINITY, f64::min);
        let mut sums = Self {
            base: range.start,
            before: [Before::default(); LOOKED_AT_DAYS + 1],
            all: Before::default(),
            top: 0.0,
            after: [After::default(); SPAN_DAYS + 1],
            factor_min,
        };
        let days = history.learned(range);
        let of_days = days.units.iter().zip(days.levels).zip(days.weekdays);
        // Running sums: those of any span are a difference of two.
        for (((&units, &level), &weekday), into) in of_days.zip(&mut sums.before[1..]) {
            sums.all.add(units, level, factors[usize::from(weekday)]);
            *into = sums.all;
            sums.top = if level > sums.top { level } else { sums.top };
        }
        // From today backwards, for every span ends today.
        let days = history.clean_part((today + 1).saturating_sub(SPAN_DAYS), today + 1);
        let of_days = days.units.iter().zip(days.levels).zip(days.weekdays).rev();
        let mut all = After::default();
        for (((&units, &level), &weekday), into) in of_days.zip(&mut sums.after[1..]) {
            all.add(units, level, factors[usize::from(weekday)]);
            *into = all;
        }
        sums
    }

    /// The sums over the days with these numbers in the list of those that may be learned from. None where later digits of
    /// larger sums are all that is left of them.
    pub(super) fn before(&self, days: std::ops::Range<usize>) -> Option<Before> {
        let (from, to) = (self.before[days.start - self.base], self.before[days.end - self.base]);
        let sums = Before {
            levels: to.levels - from.levels,
            level_squares: to.level_squares - from.level_squares,
            unit_squares: to.unit_squares - from.unit_squares,
            products: to.products - from.products,
            factors: to.factors - from.factors,
            factor_squares: to.factor_squares - from.factor_squares,
        };
        self.is_enough(&sums).then_some(sums)
    }

    /// Whether something but last digits is left of sums that were made from larger ones.
    pub(super) fn is_enough(&self, sums: &Before) -> bool {
        let enough = |of: f64, all: f64| of >= SHARE_MIN * all;
        enough(sums.levels, self.all.levels)
            && enough(sums.level_squares, self.all.level_squares)
            && enough(sums.unit_squares, self.all.unit_squares)
    }

    /// The sums over the last `days` clean days.
    pub(super) fn after(&self, days: usize) -> After {
        self.after[days]
    }
}

impl Before {
    fn add(&mut self, units: f64, level: f64, factor: f64) {
        self.levels += level;
        self.level_squares += level * level;
        self.unit_squares += units * units;
        self.products += units * factor;
        self.factors += factor;
        self.factor_squares += factor * factor;
    }

    pub(super) fn remove(&mut self, units: f64, level: f64, factor: f64) {
        self.levels -= level;
        self.level_squares -= level * level;
        self.unit_squares -= units * units;
        self.products -= units * factor;
        self.factors -= factor;
        self.factor_squares -= factor * factor;
    }
}

impl After {
    fn add(&mut self, units: f64, level: f64, factor: f64) {
        self.levels += level;
        self.units += units;
        self.factors += factor;
        self.factor_squares += factor * factor;
        let (more, less) = if units > self.top { (units, self.top) } else { (self.top, units) };
        self.top = more;
        self.second = if less > self.second { less } else { self.second };
    }
}
