//! The scores as they were first written, day by day from the whole window: slow, plain, and what the fast ones must equal
//! bit for bit.

mod baseline;
mod runs;
mod shift;

use self::baseline::{Baseline, History};
use self::runs::Past;
use self::shift::Found;
use super::{DayScore, DemandParams, Series, Shift, WARMUP_WIDENING, is_set};
use crate::demand::tail::Demand;
use crate::formulas::tracking_signal;

/// Scores every day of a series, in order. `params` are taken as they are: [`DemandParams::check`] them where they are read.
pub(super) fn score_series(series: &Series, params: &DemandParams) -> Vec<DayScore> {
    let mut history = History::new(series);
    let mut past = Past::default();
    let mut scores = Vec::with_capacity(series.units.len());
    for today in 0..series.units.len() {
        let baseline = history.fit(today, params);
        let mut score = score_day(&history, today, &baseline, &mut past, params);
        if baseline.learned_days >= params.warmup_days && !is_set(&series.blocked, today) {
            let found = shift::find(&history, today, &baseline.factors, params);
            if let Some(found) = &found {
                learn_about_shift(&mut history, today, &baseline, found, params);
            }
            score.shift = found.map(|found| found.shift);
        }
        scores.push(score);
    }
    scores
}

fn score_day(history: &History<'_>, today: usize, baseline: &Baseline, past: &mut Past, params: &DemandParams) -> DayScore {
    let series = history.series;
    let (censored, promo) = (is_set(&series.censored, today), is_set(&series.promo, today));
    let usable = !is_set(&series.blocked, today) && series.units[today].is_finite();
    let warm = baseline.learned_days >= params.warmup_days;
    let weekday = history.weekday(today);
    let alone = baseline.day(weekday);
    let demand = Demand { variance: alone.variance + alone.mean * alone.mean * baseline.level_variance, ..alone };
    let units = if usable { history.units(today) } else { 0.0 };

    past.push(history, today, baseline, alone, warm, usable && !censored);
    let (low, high, zero) = (past.run(false), past.run(true), past.zero_run());
    let judged = warm && usable;
    let when = |judged: bool, p: f64| if judged { p } else { 1.0 };
    DayScore {
        day: history.date(today),
        actual: series.units[today],
        expected: demand.mean,
        sigma: demand.variance.sqrt() * if warm { 1.0 } else { WARMUP_WIDENING },
        level: baseline.level,
        weekday_factor: baseline.factors[weekday],
        class: baseline.class,
        learned_days: baseline.learned_days,
        p_high: when(judged, demand.at_least(units)),
        p_low: when(judged && !censored, demand.at_most(units)),
        low_run: low.days,
        p_low_run: when(judged, low.p),
        zero_run: zero.days,
        p_zero_run: when(judged, zero.p),
        zero_run_usual_p99: past.usual_gap(),
        high_run: high.days,
        p_high_run: when(judged, high.p),
        shift: None,
        tracking_signal: tracking_signal(past.errors(params.tracking_days)),
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
            history.held[since..=today].fill(false);
        }
        Some(_) => {}
        None => history.held[start..=today].fill(true),
    }
}
