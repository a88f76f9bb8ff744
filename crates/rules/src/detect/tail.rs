//! What is kept of a series once it is scored: enough for whatever is said of its last days, however long its history is.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::demand::AGREEMENT_BONUS;
use super::level::usual_before;
use super::series::Bulk;
use crate::settings::DetectConfig;
use reeve_domain::money::Quantity;
use reeve_models::demand::DayScore;

/// Newest days that a spike is looked for on.
pub(super) const NEWS_DAYS: usize = 2;

/// Newest scores that are kept: a week, which projections are read off.
pub(super) const LAST_SCORES: usize = 7;

/// What the forest and the judges see of a day.
pub(super) type Row = [f64; 8];

/// Sold and usual over some days in a row.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct RunSums {
    pub(super) sold: f64,
    pub(super) usual: f64,
}

impl RunSums {
    /// Of the last days of scores.
    fn of(scores: &[DayScore], days: u32) -> Self {
        let run = &scores[scores.len().saturating_sub(days as usize)..];
        Self { sold: run.iter().map(|s| s.actual).sum(), usual: run.iter().map(|s| s.expected).sum() }
    }
}

/// The end of a scored series.
#[derive(Clone, Debug)]
pub(super) struct Tail {
    /// Days that were scored.
    pub(super) days: usize,
    /// The newest scores, oldest first.
    pub(super) last: Vec<DayScore>,
    /// What the judges see of the newest day and of the one before.
    rows: [Option<Row>; NEWS_DAYS],
    /// How the item sold elsewhere on the newest day: ln of actual by expected.
    pub(super) elsewhere: Option<f64>,
    /// The days up to the newest without a sale.
    pub(super) silent: RunSums,
    /// The days up to the newest below expectation.
    pub(super) low: RunSums,
    /// Mean demand a day six to eight weeks ago.
    pub(super) long_ago: Option<f64>,
    /// The day that still runs, where something was sold on it: judged as if it were over, so only what is already beyond a
    /// whole day counts against it.
    pub(super) running: Option<DayScore>,
    /// Bulk orders of these days.
    bulk: BTreeMap<Date, Bulk>,
    /// On hand now.
    pub(super) on_hand: Quantity,
}

impl Tail {
    /// The end of `scores`. `row` is what the judges see of a day, by its number.
    pub(super) fn of(
        scores: &[DayScore],
        running: Option<DayScore>,
        elsewhere: Option<f64>,
        mut bulk: BTreeMap<Date, Bulk>,
        on_hand: Quantity,
        row: impl Fn(usize) -> Option<Row>,
    ) -> Self {
        let newest = scores.last();
        // Sums of runs are taken while all scores are there: of a series only a week is kept.
        let run = |days: fn(&DayScore) -> u32| newest.map_or_else(RunSums::default, |s| RunSums::of(scores, days(s)));
        let last = scores[scores.len().saturating_sub(LAST_SCORES)..].to_vec();
        bulk.retain(|day, _| last.iter().chain(&running).any(|score| score.day == *day));
        Self {
            days: scores.len(),
            rows: std::array::from_fn(|back| row(scores.len().checked_sub(back + 1)?)),
            elsewhere,
            silent: run(|s| s.zero_run),
            low: run(|s| s.low_run),
            long_ago: usual_before(scores),
            last,
            running,
            bulk,
            on_hand,
        }
    }

    /// The score of a day, `back` days before the newest, with what the judges see of it.
    pub(super) fn day(&self, back: usize) -> Option<(&DayScore, &Row)> {
        let score = self.last.get(self.last.len().checked_sub(back + 1)?)?;
        Some((score, self.rows.get(back)?.as_ref()?))
    }

    /// May anything be said of its last days, if all that may agree does? Most series are as they always are.
    pub(super) fn may_speak(&self, settings: &DetectConfig) -> bool {
        let (spike, collapse, shift) =
            (AGREEMENT_BONUS * settings.spike_p, AGREEMENT_BONUS * settings.collapse_p, AGREEMENT_BONUS * settings.shift_p);
        let runs = |score: &DayScore| score.p_zero_run <= collapse || score.p_low_run <= collapse;
        let shifts = |score: &DayScore| score.shift.as_ref().is_some_and(|found| found.p <= shift);
        let newest = self.last.last();
        let news = self.last.iter().rev().take(NEWS_DAYS);
        self.running.is_some()
            || !self.bulk.is_empty()
            || news.into_iter().any(|score| score.p_high <= spike)
            || newest.is_some_and(|score| runs(score) || shifts(score))
    }

    /// The bulk order of one of these days.
    pub(super) fn bulk_on(&self, day: Date) -> Option<&Bulk> {
        self.bulk.get(&day)
    }
}
