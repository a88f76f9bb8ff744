//! One pass over an item: the series of all places that carry it are scored together, what others need of them is taken, and
//! the scores are dropped. So memory holds the histories of the items in work, not of all.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::panel::{self, Cells};
use super::promotion::Promoted;
use super::series::{Bulk, Ground};
use super::tail::{Row, Tail};
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_models::demand::{DayScore, DemandParams, Series, score_series};

/// A place whose demand is scored.
pub(super) struct Scored {
    pub(super) place: Place,
    pub(super) series: Series,
    pub(super) scores: Vec<DayScore>,
    running: Option<DayScore>,
    bulk: BTreeMap<Date, Bulk>,
}

/// What is kept of an item.
#[derive(Default)]
pub(super) struct Kept {
    /// The ends of its series, by place.
    pub(super) tails: Vec<(Place, Tail)>,
    /// Places at which it was never wanted: nothing is expected there, and nothing that it does is odd.
    pub(super) unsold: Vec<Place>,
    /// What the forest learns from, place after place, oldest day first.
    pub(super) rows: Vec<Row>,
    /// What the trained detector sees, by place.
    pub(super) cells: Vec<Cells>,
    /// What its promotions have shown.
    pub(super) promoted: Promoted,
}

/// Scores a series to its last day and, where enough was sold, the day that still runs.
fn score(series: &Series, with_running_day: Option<Series>, params: &DemandParams) -> (Vec<DayScore>, Option<DayScore>) {
    // What a day comes to does not hang on later ones, so one pass serves both.
    match with_running_day {
        Some(longer) => {
            let mut scores = score_series(&longer, params);
            let running = scores.pop();
            (scores, running)
        }
        None => (score_series(series, params), None),
    }
}

/// The scores of one place, read off the book anew.
pub(super) fn scores_of(ground: &Ground<'_>, place: &Place, params: &DemandParams) -> Vec<DayScore> {
    let shelf = ground.book.shelf(&place.0, &place.1, ground.first);
    let (series, _) = ground.series(place, &shelf);
    if is_wanted(&series) { score_series(&series, params) } else { Vec::new() }
}

fn is_wanted(series: &Series) -> bool {
    series.units.iter().any(|units| *units > 0.0)
}

/// Looks at an item at all `places` that carry it. `days` are those of the trained detector's panel.
pub(super) fn look_at(
    ground: &Ground<'_>,
    settings: &Settings,
    params: &DemandParams,
    days: &[Date],
    places: &[Place],
) -> Kept {
    let mut kept = Kept::default();
    let mut scored: Vec<Scored> = Vec::with_capacity(places.len());
    for place in places {
        let shelf = ground.book.shelf(&place.0, &place.1, ground.first);
        let (series, bulk) = ground.series(place, &shelf);
        kept.cells.extend(panel::cells(ground, place, &shelf, &series.promo, days));
        if is_wanted(&series) {
            let longer = ground.with_running_day(place, &shelf, &series);
            let (scores, running) = score(&series, longer, params);
            scored.push(Scored { place: place.clone(), series, scores, running, bulk });
        } else {
            kept.unsold.push(place.clone());
        }
    }
    kept.promoted = Promoted::of(ground.book, settings, &places[0].0, &scored);
    let neighbours = Neighbours::of(ground.book, &scored);
    for (own, Scored { place, scores, running, bulk, .. }) in scored.iter().enumerate() {
        let row = |at: usize| Some(row(scores.get(at)?, neighbours.ratio(own, at)));
        // A day is never judged by a forest that has seen it.
        let (known, warm) = (scores.len().saturating_sub(2), settings.detect.warmup_days as usize);
        for (at, score) in scores.iter().enumerate().take(known).skip(warm) {
            if !score.promo && !score.censored {
                kept.rows.extend(row(at));
            }
        }
        let elsewhere = scores.len().checked_sub(1).and_then(|at| neighbours.ratio(own, at));
        kept.tails.push((place.clone(), Tail::of(scores, running.clone(), elsewhere, bulk.clone(), row)));
    }
    kept
}

/// What the forest and the judges see of a day.
fn row(score: &DayScore, elsewhere: Option<f64>) -> Row {
    let surprise = |p: f64| -p.max(1e-12).log10();
    [
        surprise(score.p_high),
        surprise(score.p_low_run),
        surprise(score.p_high_run),
        surprise(score.p_zero_run),
        score.shift.as_ref().map_or(0.0, |s| surprise(s.p)),
        score.tracking_signal,
        ((score.actual + 1.0) / (score.expected + 1.0)).ln(),
        elsewhere.unwrap_or(0.0),
    ]
}

/// What an item sold, and should have sold, at each place by day: packed, for every day of every place asks all others.
struct Neighbours<'b> {
    /// Whose each place is, where the ERP tells.
    companies: Vec<Option<&'b str>>,
    days: Vec<Vec<(f64, f64)>>,
}

impl<'b> Neighbours<'b> {
    fn of(book: &'b Book, scored: &[Scored]) -> Self {
        let sold = |scored: &Scored| scored.scores.iter().map(|s| (s.actual, s.expected)).collect();
        Self {
            companies: scored.iter().map(|scored| book.company_of(&scored.place.1)).collect(),
            days: scored.iter().map(sold).collect(),
        }
    }

    /// How the item sold at the company's other places on a day: ln of actual by expected. None where it is sold at no other.
    fn ratio(&self, own: usize, at: usize) -> Option<f64> {
        let (mut actual, mut expected, mut others) = (0.0, 0.0, false);
        for (other, days) in self.days.iter().enumerate() {
            if let Some((sold, usual)) = days.get(at)
                && other != own
                && self.companies[other] == self.companies[own]
            {
                others = true;
                actual += sold;
                expected += usual;
            }
        }
        others.then(|| ((actual + 1.0) / (expected + 1.0_f64)).ln())
    }
}
