//! How odd is a day's demand, given only the days before it?
//!
//! For each day of a series: a baseline (weekday profile × level), the probability of what came under it, and whether
//! days in a row or the level as a whole departed from it. A day's score looks at that day as the observation and at
//! earlier days to learn from, never at later ones, so a replayed past gives the scores that were given then.
//!
//! What is learned leaves out censored, promoted and blocked days, single days far above the rest, and the days of a level
//! shift until it has lasted [`DemandParams::confirm_days`]: from then on the new level is the baseline.
//! It does not fill in what was not sold on censored days, and does not know why something is odd.

mod baseline;
pub mod detector;
mod floor;
mod outliers;
mod outlook;
mod packed;
pub mod panel;
mod params;
mod profile;
pub mod review;
mod runs;
mod screen;
pub mod seen;
mod shift;
mod span;
mod sums;
mod tail;
mod tails;
pub mod train;
mod verdict;
pub mod watch;

#[cfg(test)]
mod equality;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod simulation;

use jiff::civil::Date;

use self::baseline::{Baseline, History};
use self::runs::Past;
use self::shift::Found;
use self::tail::Demand;
use super::formulas::{DemandClass, tracking_signal};

pub use self::outlook::{Uplift, project, promo_uplift};
pub use self::params::{DemandParams, DemandParamsError};
pub use self::shift::Shift;

/// How much wider the deviation is made while too little is learned to judge a day.
const WARMUP_WIDENING: f64 = 2.0;

/// Demand of one item at one place (or summed over places), one entry for each day from `first` on, without holes.
/// A flag that is missing at the end of its list is false.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The first day.
    pub first: Date,
    /// Units sold, in the stock unit. Negative ones (returns) count as none.
    pub units: Vec<f64>,
    /// The item could not be sold, or not all day: what was sold is less than what was asked for.
    pub censored: Vec<bool>,
    /// On promotion.
    pub promo: Vec<bool>,
    /// To be left out: delisted, a known one-off, faulty data. Never called odd.
    pub blocked: Vec<bool>,
}

/// How odd one day is. A probability of 1 says nothing against "as usual".
///
/// While fewer than [`DemandParams::warmup_days`] clean days are behind the day, and on blocked days, every probability
/// is 1 and there is no shift; `expected` is then the mean of what there is and `sigma` twice as wide as it comes out.
/// With `learned_days` 0 the expected demand is not zero but unknown.
#[derive(Clone, Debug, PartialEq)]
pub struct DayScore {
    /// The day.
    pub day: Date,
    /// Units sold.
    pub actual: f64,
    /// Units to expect without a promotion.
    pub expected: f64,
    /// Deviation of one day's demand around `expected`, doubt about the baseline included.
    pub sigma: f64,
    /// Mean units a day over a whole week, the part of `expected` that is not the weekday's.
    pub level: f64,
    /// The weekday's share of `expected`: 1 is an average day.
    pub weekday_factor: f64,
    /// How the item was asked for over the window.
    pub class: Option<DemandClass>,
    /// Clean days behind this one that the profile was learned from.
    pub learned_days: usize,
    /// P(demand >= actual). On a promotion it compares with a day without one: see `promo`.
    pub p_high: f64,
    /// P(demand <= actual); 1 on a censored day, of which low sales say nothing.
    pub p_low: f64,
    /// Clean days in a row, up to this one, below expectation.
    pub low_run: u32,
    /// P(sum over that run <= what was sold), from two days on; corrected for looking at runs of any length.
    pub p_low_run: f64,
    /// Days in a row without a sale, censored and blocked ones not counted.
    pub zero_run: u32,
    /// P(as many days without a sale), by chance and by the item's own gaps, whichever is larger.
    pub p_zero_run: f64,
    /// Days without a sale that 99 of 100 of the item's own gaps do not exceed.
    pub zero_run_usual_p99: f64,
    /// Clean days in a row, up to this one, above expectation.
    pub high_run: u32,
    /// P(sum over that run >= what was sold), corrected as `p_low_run`.
    pub p_high_run: f64,
    /// The likeliest change of level, if one is likely at all (`report_p`).
    pub shift: Option<Shift>,
    /// Σ (actual - expected) ÷ mean absolute error over the last clean days; beyond ±4 is worth a look.
    pub tracking_signal: f64,
    /// As in the series.
    pub promo: bool,
    /// As in the series.
    pub censored: bool,
}

/// Scores every day of a series, in order. `params` are taken as they are: [`DemandParams::check`] them where they are read.
pub fn score_series(series: &Series, params: &DemandParams) -> Vec<DayScore> {
    score_days_of(series, params, |_| true)
}

/// The same, judging only the days that `judged` says, by their number in the series. The others are learned from, which costs less
/// than half of it: what was expected of them and how long runs are is as [`score_series`] has it, but their probabilities are 1, and
/// they have no shift, no usual gap and no tracking signal. What is judged comes to the same bits.
pub fn score_days_of(series: &Series, params: &DemandParams, judged: impl Fn(usize) -> bool) -> Vec<DayScore> {
    let mut history = History::new(series);
    let mut past = Past::default();
    let mut scores = Vec::with_capacity(series.units.len());
    for today in 0..series.units.len() {
        let baseline = history.fit(today, params);
        let judged = judged(today);
        let mut score = score_day(&history, today, &baseline, &mut past, params, judged);
        if baseline.learned_days >= params.warmup_days && !is_set(&series.blocked, today) {
            // Of a day that is not judged it matters only whether the change is clear enough to be held back from learning.
            let most = if judged { params.report_p } else { params.alert_p };
            let found = shift::find(&history, today, &baseline.factors, params, most);
            if let Some(found) = &found {
                learn_about_shift(&mut history, today, &baseline, found, params);
            }
            score.shift = found.filter(|_| judged).map(|found| found.shift);
        }
        scores.push(score);
    }
    scores
}

fn score_day(
    history: &History<'_>,
    today: usize,
    baseline: &Baseline,
    past: &mut Past,
    params: &DemandParams,
    judged: bool,
) -> DayScore {
    let series = history.series;
    let (censored, promo) = (is_set(&series.censored, today), is_set(&series.promo, today));
    // A day that is closed, missing or not yet launched is no day of little demand.
    let usable = !is_set(&series.blocked, today) && series.units[today].is_finite();
    let warm = baseline.learned_days >= params.warmup_days;
    let weekday = history.weekday(today);
    let alone = baseline.day(weekday);
    let demand = Demand { variance: alone.variance + alone.mean * alone.mean * baseline.level_variance, ..alone };
    let units = if usable { history.units(today) } else { 0.0 };

    past.push(history, today, baseline, alone, warm, usable && !censored);
    let odd = judged && warm && usable;
    let when = |judged: bool, p: &mut dyn FnMut() -> f64| if judged { p() } else { 1.0 };
    DayScore {
        day: history.date(today),
        actual: series.units[today],
        expected: demand.mean,
        sigma: demand.variance.sqrt() * if warm { 1.0 } else { WARMUP_WIDENING },
        level: baseline.level,
        weekday_factor: baseline.factors[weekday],
        class: baseline.class,
        learned_days: baseline.learned_days,
        p_high: when(odd, &mut || demand.at_least(units)),
        // Without stock little is sold, whatever was wanted: only the upper tail still says something.
        p_low: when(odd && !censored, &mut || demand.at_most(units)),
        low_run: past.run_days(false),
        p_low_run: when(odd, &mut || past.p_run(false)),
        zero_run: past.zero_days(),
        p_zero_run: when(odd, &mut || past.p_zero_run()),
        zero_run_usual_p99: if judged { past.usual_gap() } else { 0.0 },
        high_run: past.run_days(true),
        p_high_run: when(odd, &mut || past.p_run(true)),
        shift: None,
        tracking_signal: if judged { tracking_signal(past.errors(params.tracking_days)) } else { 0.0 },
        promo,
        censored,
    }
}

/// Holds back the days of a likely shift from learning; once it has lasted, makes it the level to learn from.
fn learn_about_shift(history: &mut History<'_>, today: usize, baseline: &Baseline, found: &Found, params: &DemandParams) {
    let (shift, start) = (&found.shift, found.start);
    if shift.p >= params.alert_p || (start <= history.learn_from && history.learn_from > 0) {
        return;
    }
    match shift::lasting_since(history, today, shift, &baseline.factors, params) {
        // A level that already follows the change needs no second beginning.
        Some(since) if (baseline.level - shift.before).abs() < 2.0 * (baseline.level - shift.after).abs() => {
            history.learn_from = since;
            history.hold(since, today, false);
        }
        Some(_) => {}
        None => history.hold(start, today, true),
    }
}

/// A flag that is missing is false.
fn is_set(flags: &[bool], day: usize) -> bool {
    flags.get(day).copied().unwrap_or(false)
}
