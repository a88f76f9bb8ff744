//! The evidence on a day: how odd it and the days before it are, and how well each kind of fault would explain them.
//!
//! Every feature is free of units and of the item's size, so that what is learned on one shop's series holds for another's.

use super::counts::Count;
use super::series::{Expected, Open, RING, SeriesState};

/// What is known of a day beside its own series.
#[derive(Clone, Copy, Debug)]
pub(super) struct Around {
    pub(super) location: f64,
    pub(super) chain: f64,
    /// ln of sold ÷ expected of the same item elsewhere today, shrunk to 0.
    pub(super) item: f64,
    /// Share of the location's series that are far above and far below expectation today.
    pub(super) high_share: f64,
    pub(super) low_share: f64,
}

/// Levels that are compared with the expected one: `times` as much from some day on.
const LEVELS: [f64; 6] = [0.06, 0.2, 0.45, 1.6, 2.4, 4.0];
/// Factors of a unit slip.
const UNITS: [f64; 4] = [24.0, 12.0, 10.0, 6.0];
/// One day can say this much (natural logarithm) for or against a hypothesis.
const DAY_MOST: f64 = 9.0;

/// Evidence that runs on from day to day.
#[derive(Clone, Debug, Default)]
pub(super) struct Runs {
    /// Page's sums of log likelihood ratios for each of [`LEVELS`].
    pages: [f64; LEVELS.len()],
    silent: f64,
    silent_days: u32,
    low: f64,
    high: f64,
    twice: [f64; 3],
    multiple: [[f64; UNITS.len()]; 3],
    part: [[f64; UNITS.len()]; 3],
}

/// Names of the features, in order.
pub const FEATURES: [&str; FEATURE_COUNT] = [
    "surprise upwards",
    "surprise downwards",
    "deviation",
    "ratio to expected",
    "silent days' surprise",
    "low days' surprise",
    "high days' surprise",
    "level at 6 %",
    "level at 20 %",
    "level at 45 %",
    "level at 160 %",
    "level at 240 %",
    "level at 400 %",
    "window of 2",
    "window of 3",
    "window of 5",
    "window of 7",
    "window of 10",
    "window of 14",
    "window of 21",
    "window of 28",
    "ratio over 2",
    "ratio over 3",
    "ratio over 5",
    "ratio over 7",
    "ratio over 14",
    "ratio over 28",
    "ramp of 10",
    "ramp of 18",
    "ramp of 28",
    "entered twice, one day",
    "entered twice, two days",
    "multiple of a pack, one day",
    "multiple of a pack, two days",
    "multiple of a pack, three days",
    "part of a pack, one day",
    "part of a pack, two days",
    "part of a pack, three days",
    "best multiple",
    "expected units",
    "spread",
    "location today",
    "chain today",
    "item elsewhere today",
    "location's high share",
    "location's low share",
    "availability",
    "availability of the last days",
    "promotion",
    "days into the promotion",
    "days since the promotion",
    "discount",
    "holiday",
    "usual surprise upwards",
    "usual surprise downwards",
    "greatest surprise upwards",
    "greatest surprise downwards",
    "greatest silence",
    "level now to slow level",
    "level now to four weeks ago",
    "deviation 1 day ago",
    "deviation 2 days ago",
    "deviation 3 days ago",
    "deviation 4 days ago",
    "deviation 5 days ago",
    "deviation 6 days ago",
    "deviation a week ago",
    "silent days",
    "days learned",
    "share of silent days",
    "weekday's share",
    "offer's effect",
    "units of the last three days to the three before",
    "units to a week ago",
];
/// Number of features.
pub const FEATURE_COUNT: usize = 74;

/// Places of the features that others than the trees look at; a test holds them to [`FEATURES`].
pub(in super::super) mod at {
    pub(in super::super::super) const HIGH: usize = 0;
    pub(in super::super::super) const DEVIATION: usize = 2;
    pub(in super::super::super) const RATIO: usize = 3;
    pub(in super::super::super) const LEVEL_6: usize = 7;
    pub(in super::super::super) const LEVEL_20: usize = 8;
    pub(in super::super::super) const WINDOW_3: usize = 14;
    pub(in super::super::super) const WINDOW_7: usize = 16;
    pub(in super::super::super) const WINDOW_14: usize = 18;
    pub(in super::super::super) const TWICE: usize = 30;
    pub(in super::super::super) const MULTIPLE: usize = 32;
    pub(in super::super::super) const PART: usize = 35;
    pub(in super::super::super) const YESTERDAY: usize = 60;
    pub(in super::super::super) const SILENT_DAYS: usize = 67;
}

/// A day's own numbers, computed once.
pub(super) struct Today<'a> {
    pub(super) expected: &'a Expected,
    pub(super) count: Count,
    pub(super) day: Open,
    pub(super) around: Around,
    pub(super) availability: f64,
    pub(super) promo: bool,
    pub(super) holiday: bool,
}

impl Runs {
    /// Takes in an open day.
    pub(super) fn add(&mut self, today: &Today<'_>) {
        let (day, count) = (&today.day, today.count);
        for (page, times) in self.pages.iter_mut().zip(LEVELS) {
            // A day without stock sold little for that reason: it speaks for
            // no lower level, but may still speak for a higher one.
            if !day.judged && times < 1.0 {
                continue;
            }
            *page = (*page + count.ln_ratio(day.units, times).clamp(-DAY_MOST, DAY_MOST)).clamp(0.0, 60.0);
        }
        if day.units <= 0.0 && day.judged {
            self.silent -= 0.35 * count.ln_none();
            self.silent_days += 1;
        } else {
            (self.silent, self.silent_days) = (0.0, 0);
        }
        self.low = if day.z < -0.8 && day.judged { self.low + day.low } else { 0.0 };
        self.high = if day.z > 0.8 { self.high + day.high } else { 0.0 };

        let whole = day.units >= 2.0 && day.units.fract() == 0.0;
        let here = count.ln_pmf(day.units);
        // Entered twice, what was sold is an even number: an odd one speaks against it.
        let twice = if whole && day.units % 2.0 == 0.0 {
            count.ln_pmf(day.units / 2.0) - here + std::f64::consts::LN_2
        } else {
            -6.0
        };
        self.twice = [twice, (self.twice[0] + twice).max(-6.0), 0.0];
        let multiple: [f64; UNITS.len()] = UNITS.map(|k| {
            if day.units <= 0.0 {
                -1.0
            } else if day.units % k == 0.0 {
                // In packs of k only each k-th number can be sold; any other speaks against it.
                (count.ln_pmf(day.units / k) - here + k.ln()).clamp(-8.0, 40.0)
            } else {
                -8.0
            }
        });
        let few = day.judged && day.units < 0.5 * day.mean;
        // What was booked in packs lost its remainder: anything from k
        // times as much up to the next pack may have been sold.
        let part: [f64; UNITS.len()] = UNITS.map(|k| {
            if !few || k > 12.0 {
                return -4.0;
            }
            let range = count.between(day.units * k, day.units * k + k - 1.0);
            (range.max(1e-12).ln() - here).clamp(-8.0, 40.0)
        });
        // The same fault on two or three days in a row, by the same pack:
        // each length adds today to one day less as of yesterday.
        let before = (self.multiple, self.part);
        self.multiple[0] = multiple;
        self.part[0] = part;
        for length in 1..3 {
            for k in 0..UNITS.len() {
                self.multiple[length][k] = (before.0[length - 1][k] + multiple[k]).max(-8.0);
                self.part[length][k] = (before.1[length - 1][k] + part[k]).max(-8.0);
            }
        }
    }
}

/// Sums over the newest open days against the level before them.
struct Windows {
    z: [f64; RING],
    ratio: [f64; RING],
    ramp: [f64; RING],
}

impl Windows {
    fn of(state: &SeriesState) -> Self {
        let mut windows = Self { z: [0.0; RING], ratio: [0.0; RING], ramp: [0.0; RING] };
        let (mut units, mut shape, mut spread) = (0.0, 0.0, 0.0);
        // Sums weighted by age, to give those of a ramp by subtraction.
        let (mut aged_units, mut aged_shape, mut square_shape, mut cross) = (0.0, 0.0, 0.0, 0.0);
        for back in 0..state.filled {
            let day = state.past(back);
            let level = day.level.max(0.05);
            let (one, age) = (day.mean / level, back as f64);
            // What sold well in spite of little stock may count upwards; what sold badly then says nothing.
            let judged = day.judged || day.units > day.mean;
            if judged {
                units += day.units;
                shape += one;
                spread += one * day.spread;
                aged_units += age * day.units;
                aged_shape += age * one;
                cross += age * one * day.spread;
                square_shape += age * age * one * day.spread;
            }
            let mean = (shape * level).max(0.02);
            // The level itself is known to about a thirtieth of the spread.
            let doubt = 0.035 * day.spread / level + 0.002;
            windows.z[back] = (units - mean) / (spread * level + mean * mean * doubt).max(0.3).sqrt();
            windows.ratio[back] = ((units + 0.7) / (mean + 0.7)).ln();
            // A ramp over the window: weight 1 today, falling to 0 at its far end.
            let length = age + 1.0;
            let top = units - aged_units / length - level * (shape - aged_shape / length);
            let variance = level * (spread - 2.0 * cross / length + square_shape / (length * length));
            let mean = level * (shape - aged_shape / length);
            windows.ramp[back] = top / (variance + mean * mean * doubt).max(0.3).sqrt();
        }
        // What is older than the series is as its oldest day.
        if let Some(last) = state.filled.checked_sub(1) {
            for back in state.filled..RING {
                windows.z[back] = windows.z[last];
                windows.ratio[back] = windows.ratio[last];
                windows.ramp[back] = windows.ramp[last];
            }
        }
        windows
    }
}

fn most(values: &[f64]) -> f64 {
    values.iter().copied().fold(f64::NEG_INFINITY, f64::max)
}

/// The features of today. `state` has today in its ring and its runs, and has not learned from it yet.
pub(super) fn features(state: &SeriesState, today: &Today<'_>, out: &mut [f32]) {
    let (runs, day, around) = (&state.runs, &today.day, &today.around);
    let windows = Windows::of(state);
    let back = |days: usize| if days < state.filled { state.past(days).z.clamp(-6.0, 8.0) } else { 0.0 };
    let units = |from: usize, to: usize| (from..to.min(state.filled)).map(|b| state.past(b).units).sum::<f64>();
    let promo_days = (0..state.filled).take_while(|b| state.past(*b).promo).count();
    let since_promo = (0..state.filled).take_while(|b| !state.past(*b).promo).count();
    let stocked = (1..state.filled.min(6)).filter(|b| state.past(*b).judged).count();
    let silent = (0..state.filled).filter(|b| state.past(*b).units <= 0.0).count();
    let best = (0..UNITS.len()).max_by(|a, b| runs.multiple[0][*a].total_cmp(&runs.multiple[0][*b])).unwrap_or(0);
    let oldest = state.filled.saturating_sub(1).min(27);
    // In the order of `FEATURES`: trained trees read them by place, so a new one makes another version.
    let values: [f64; FEATURE_COUNT] = [
        day.high,
        if day.judged { day.low } else { 0.0 },
        day.z.clamp(-10.0, 40.0),
        ((day.units + 0.5) / (day.mean + 0.5)).ln(),
        runs.silent,
        runs.low,
        runs.high,
        runs.pages[0],
        runs.pages[1],
        runs.pages[2],
        runs.pages[3],
        runs.pages[4],
        runs.pages[5],
        windows.z[1],
        windows.z[2],
        windows.z[4],
        windows.z[6],
        windows.z[9],
        windows.z[13],
        windows.z[20],
        windows.z[27],
        windows.ratio[1],
        windows.ratio[2],
        windows.ratio[4],
        windows.ratio[6],
        windows.ratio[13],
        windows.ratio[27],
        windows.ramp[9],
        windows.ramp[17],
        windows.ramp[27],
        runs.twice[0].clamp(-6.0, 30.0),
        runs.twice[1].clamp(-6.0, 30.0),
        most(&runs.multiple[0]),
        most(&runs.multiple[1]),
        most(&runs.multiple[2]),
        most(&runs.part[0]),
        most(&runs.part[1]),
        most(&runs.part[2]),
        if runs.multiple[0][best] > 0.0 { UNITS[best] } else { 0.0 },
        day.mean.max(0.01).ln(),
        day.spread,
        around.location.ln(),
        around.chain.ln(),
        around.item,
        around.high_share,
        around.low_share,
        today.availability,
        stocked as f64 / 5.0,
        f64::from(u8::from(today.promo)),
        promo_days as f64,
        since_promo as f64,
        f64::from(today.expected.discount),
        f64::from(u8::from(today.holiday)),
        state.usual_high,
        state.usual_low,
        state.most_high,
        state.most_low,
        state.most_silent,
        (state.level / state.slow).ln(),
        (state.level / state.past(oldest).level.max(0.05)).ln(),
        back(1),
        back(2),
        back(3),
        back(4),
        back(5),
        back(6),
        back(7),
        f64::from(runs.silent_days),
        f64::from(state.learned.min(120)),
        silent as f64 / state.filled.max(1) as f64,
        today.expected.weekday.ln(),
        today.expected.offer.ln(),
        ((units(0, 3) + 1.0) / (units(3, 6) + 1.0)).ln(),
        ((day.units + 1.0) / (if state.filled > 7 { state.past(7).units } else { day.mean } + 1.0)).ln(),
    ];
    for (slot, value) in out.iter_mut().zip(values) {
        *slot = value as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_that_are_named_are_where_their_names_are() {
        let named = [
            (at::HIGH, "surprise upwards"),
            (at::DEVIATION, "deviation"),
            (at::RATIO, "ratio to expected"),
            (at::LEVEL_6, "level at 6 %"),
            (at::LEVEL_20, "level at 20 %"),
            (at::WINDOW_3, "window of 3"),
            (at::WINDOW_7, "window of 7"),
            (at::WINDOW_14, "window of 14"),
            (at::TWICE, "entered twice, one day"),
            (at::MULTIPLE, "multiple of a pack, one day"),
            (at::PART, "part of a pack, one day"),
            (at::YESTERDAY, "deviation 1 day ago"),
            (at::SILENT_DAYS, "silent days"),
        ];
        for (place, name) in named {
            assert_eq!(FEATURES[place], name);
        }
    }
}
