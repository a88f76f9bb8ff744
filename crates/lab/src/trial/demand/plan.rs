//! How much is injected, and where.

use std::ops::Range;

use super::EventKind;

/// A kind of shop for which amounts are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// Fresh goods by item and store, a quarter of a year.
    Fresh,
    /// An online shop by item, a year.
    Online,
    /// Totals of stores, two and a half years.
    Rossmann,
}

impl Track {
    /// The track of a name: `fresh`, `online`, `rossmann`.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "fresh" => Some(Self::Fresh),
            "online" => Some(Self::Online),
            "rossmann" => Some(Self::Rossmann),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fresh => "fresh",
            Self::Online => "online",
            Self::Rossmann => "rossmann",
        }
    }
}

/// What to inject. Events that find no room after many tries are left out.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Series at most; more are drawn from by lot.
    pub series_max: usize,
    /// Days into which events may fall; what lasts, lasts to their end. The days before are learned from; 35 of them are
    /// looked at to tell a series' usual demand.
    pub window: Range<usize>,
    /// Exceptions wanted, of all kinds together.
    pub exceptions: usize,
    /// Kinds of exceptions and their weights.
    pub mix: Vec<(EventKind, f64)>,
    /// Promotions wanted.
    pub promotions: usize,
    /// Known stock-outs wanted.
    pub stockouts: usize,
    /// Holidays wanted.
    pub holidays: usize,
    /// Closures wanted.
    pub closures: usize,
    /// Alarms a day that planners read.
    pub ks: Vec<usize>,
}

impl Plan {
    /// The plan of a track for a panel of `days` days, scored at the end.
    pub fn track(track: Track, days: usize) -> Self {
        use EventKind as K;
        let (eval_days, series_max, exceptions, promotions, stockouts, closures, ks) = match track {
            Track::Fresh => (42, 1_200, 420, 260, 150, 4, vec![10, 20]),
            Track::Online => (120, 400, 300, 200, 100, 0, vec![5, 10]),
            Track::Rossmann => (182, 200, 130, 0, 40, 6, vec![2, 5]),
        };
        let mix = vec![
            (K::Spike, 0.15),
            (K::Collapse, 0.12),
            (K::LevelUp, 0.08),
            (K::LevelDown, 0.08),
            (K::PhantomZero, 0.17),
            (K::DriftUp, 0.06),
            (K::DriftDown, 0.06),
            (K::UomMult, 0.10),
            (K::UomDiv, 0.08),
            (K::Duplicate, 0.10),
        ];
        let window = days.saturating_sub(eval_days)..days;
        Self { series_max, window, exceptions, mix, promotions, stockouts, holidays: 2, closures, ks }
    }

    /// The plan of a track, as dense for `series` series over `window` as the track's own is; for a shop's own history.
    #[must_use]
    pub fn like(track: Track, series: usize, window: Range<usize>) -> Self {
        let plan = Self::track(track, window.end);
        let (kept, days) = (series.min(plan.series_max), window.len());
        let room = (plan.series_max * plan.window.len().max(1)) as f64;
        let scale = |count: usize| ((count * kept * days) as f64 / room).round() as usize;
        let (exceptions, promotions, stockouts) = (scale(plan.exceptions), scale(plan.promotions), scale(plan.stockouts));
        Self { window, exceptions, promotions, stockouts, ..plan }
    }
}
