//! Demand: series from the book, scores from the models, and a typed verdict on what is odd (handbook §4.1).
//!
//! The statistics decide how unlikely a day or a run is; the isolation forest over all series says which days are odd in
//! combination, and the trained detector how likely an alarm is right, each with what made it say so. What a business reason explains (a promotion within its plan, one
//! customer's bulk order, a delisting) is recorded as explained, not alarmed.

use std::collections::BTreeMap;

use super::facts::{fact, place_fact, record};
use super::feed::Feeds;
use super::forest::Forest;
use super::opinion::Opinion;
use super::promotion::planned_uplift;
use super::series::{running_day, series_of};
use super::spike::spike;
use super::stock;
use crate::outlook::{DayForecast, Outlook};
use crate::settings::Settings;
use jiff::civil::Date;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, iso_week, plus_days};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::LocationId;
use reeve_domain::record::RecordKind;
use reeve_models::demand::{DayScore, DemandParams, Series, project, score_series};

pub(super) const DETECTOR: &str = "demand-forest/1";

/// How much weaker a p the agreement of the forest or of the trained detector makes good.
const AGREEMENT_BONUS: f64 = 10.0;

/// A day this many units above the usual at least is a spike: below it a rare item's second sale would be one.
pub(super) const SPIKE_UNITS: f64 = 3.0;

/// Orders from which the hours of a location's day are known.
const HOURS_LINES: u32 = 50;

/// Days at the end of the projections.
const OUTLOOK_DAYS: u32 = 92;

/// Days after which a shift is no longer news: by then the baseline has taken it up.
const SHIFT_NEWS_DAYS: u32 = 35;

/// A level within this share of what it was six to eight weeks ago, before whatever came between, is a return to normal.
const RETURN_SHARE: f64 = 0.35;

/// The days before today that are six to eight weeks ago.
const LONG_AGO_DAYS: std::ops::Range<usize> = 42..56;

/// The scored history of every place.
pub struct Demand {
    pub(super) series: BTreeMap<Place, Series>,
    pub(super) scores: BTreeMap<Place, Vec<DayScore>>,
    pub(super) promo_ratio: BTreeMap<Place, f64>,
    /// What has not come in.
    feeds: Feeds,
    /// The day that still runs, where something was sold on it: judged as if it were over, so only what is already beyond a
    /// whole day counts against it.
    running: BTreeMap<Place, DayScore>,
    /// The last day that is over at any location.
    newest: Date,
    /// Whose each location is, where the ERP tells.
    companies: BTreeMap<LocationId, String>,
}

impl Demand {
    fn empty(newest: Date, feeds: Feeds) -> Self {
        let (series, scores, promo_ratio, running, companies) = Default::default();
        Self { series, scores, promo_ratio, feeds, running, newest, companies }
    }
}

/// Scores every series of the book.
pub fn score(book: &Book, config: &Settings, feeds: &Feeds) -> Demand {
    use rayon::prelude::*;
    let params = DemandParams {
        window_days: config.detect.window_days as usize,
        warmup_days: config.detect.warmup_days as usize,
        ..DemandParams::default()
    };
    let twins = stock::twin_order_ids(book, i32::MAX);
    let Some(first) = book.first_day() else {
        return Demand::empty(book.closed, feeds.clone());
    };
    let series: BTreeMap<Place, Series> =
        book.places().into_iter().map(|place| (place.clone(), series_of(book, &place, first, &twins, feeds))).collect();
    // What never sold somewhere has no baseline there: nothing is expected, and nothing that it does is odd.
    let scores: BTreeMap<Place, Vec<DayScore>> = series
        .par_iter()
        .filter(|(_, series)| series.units.iter().any(|units| *units > 0.0))
        .map(|(place, series)| (place.clone(), score_series(series, &params)))
        .collect::<Vec<_>>()
        .into_iter()
        .collect();
    let running = series
        .par_iter()
        .filter(|(place, _)| scores.contains_key(*place))
        .filter_map(|(place, series)| Some((place.clone(), running_day(book, place, series, &twins, &params)?)))
        .collect::<Vec<_>>();
    let newest = book.days_anywhere(first).last().copied().unwrap_or(book.closed);
    let companies = book.locations.values().filter_map(|l| Some((l.id.clone(), l.company.clone()?))).collect();
    let running = running.into_iter().collect();
    Demand { series, scores, running, companies, ..Demand::empty(newest, feeds.clone()) }
}

/// Who may agree with the statistics: then a weaker p is enough.
struct Judges {
    forest: Forest,
    opinion: Opinion,
}

impl Judges {
    /// How much weaker a p is enough for a place `back` days before the newest.
    fn bonus(&self, place: &Place, back: usize, row: &[f64; 8]) -> f64 {
        if self.forest.is_rare(row) || self.opinion.agrees(place, back) { AGREEMENT_BONUS } else { 1.0 }
    }

    /// Adds a score and what drove it: the trained detector's where it agrees, else the forest's.
    fn explain(&self, mut signal: Signal, place: &Place, back: usize, row: &[f64; 8]) -> Signal {
        match self.opinion.view(place, back).filter(|view| !view.drivers.is_empty()) {
            Some(view) => {
                signal.score = view.probability;
                signal.drivers.clone_from(&view.drivers);
                signal
            }
            None => self.forest.explain(signal, row),
        }
    }
}

/// A lasting change of level, and which way it went.
struct Shifted {
    signal: Signal,
    /// Is less wanted than before?
    fallen: bool,
}

impl Demand {
    /// The forecast of every place, promotions that are known in advance included.
    pub fn outlook(&self, book: &Book, config: &Settings) -> Outlook {
        let left = left_of_day(book);
        let mut outlook = Outlook::default();
        for place in self.series.keys().filter(|place| !self.scores.contains_key(*place)) {
            outlook.daily.insert(place.clone(), vec![DayForecast::default(); OUTLOOK_DAYS as usize]);
        }
        for (place, scores) in &self.scores {
            let sellable = book.items.get(&place.0).is_some_and(|i| i.sellable);
            let from = plus_days(book.closed_at(&place.1), 1);
            // Days that have begun and are not over: none at a day's close, one in the morning, two far west of the calendar.
            let begun = usize::try_from(days_between(from, book.today) + 1).unwrap_or(0);
            let days = OUTLOOK_DAYS + u32::try_from(begun).unwrap_or(0);
            let mut daily: Vec<DayForecast> =
                project(scores, from, days).into_iter().map(|(mean, sigma)| DayForecast::rounded(mean, sigma)).collect();
            for (ahead, day) in daily.iter_mut().enumerate() {
                if !sellable {
                    *day = DayForecast::default();
                } else if let Some(promotion) = book.promotion_on(&place.0, &place.1, plus_days(from, ahead as i32)) {
                    // What the promotion has shown so far is a better guide than its plan.
                    let lift = self.promo_ratio.get(place).copied().unwrap_or_else(|| planned_uplift(config, promotion));
                    *day = DayForecast::rounded(day.mean * lift, day.sigma * lift);
                }
            }
            if let Some(running) = daily.first_mut().filter(|_| begun > 0) {
                let left = left.get(&place.1).copied().unwrap_or_else(|| book.calendar_of(&place.1).left_of_day(book.as_of));
                // What is still to come of a day varies as what comes on it: by its root.
                *running = DayForecast::rounded(running.mean * left, running.sigma * left.sqrt());
            }
            let rest = daily.drain(..begun.min(daily.len())).fold(DayForecast::default(), DayForecast::and);
            if rest != DayForecast::default() {
                outlook.rest.insert(place.clone(), rest);
            }
            outlook.daily.insert(place.clone(), daily);
        }
        outlook
    }

    /// The scored days of a place.
    pub fn scores(&self, place: &Place) -> &[DayScore] {
        self.scores.get(place).map_or(&[], Vec::as_slice)
    }

    /// Everything that demand has to say on the book's day.
    pub fn signals(&mut self, book: &Book, config: &Settings) -> Vec<Signal> {
        let mut found = self.promotions(book, config);
        let Some(forest) = Forest::fit(self, book, config) else { return found };
        let judges = Judges { forest, opinion: Opinion::of(book, &self.feeds, config.detect.false_share) };
        for place in book.places() {
            found.extend(self.verdict(book, config, &judges, &place));
        }
        share_roots(book, &mut found);
        found
    }

    /// How the same item sells at the company's other places on a day: ln of actual by expected. None where it is sold at no
    /// other.
    fn neighbours_ratio(&self, place: &Place, at: usize) -> Option<f64> {
        // Places stand in the order of their items.
        let first = (place.0.clone(), LocationId::new(""));
        let mine = self.companies.get(&place.1);
        let others = self.scores.range(first..).take_while(|(p, _)| p.0 == place.0);
        let others = others.filter(|(p, _)| p.1 != place.1 && self.companies.get(&p.1) == mine);
        let days: Vec<&DayScore> = others.filter_map(|(_, scores)| scores.get(at)).collect();
        let (actual, expected) = days.iter().fold((0.0, 0.0), |(a, e), s| (a + s.actual, e + s.expected));
        (!days.is_empty()).then(|| ((actual + 1.0) / (expected + 1.0_f64)).ln())
    }

    pub(super) fn features(&self, place: &Place, at: usize) -> Option<[f64; 8]> {
        let score = self.scores.get(place)?.get(at)?;
        let surprise = |p: f64| -p.max(1e-12).log10();
        Some([
            surprise(score.p_high),
            surprise(score.p_low_run),
            surprise(score.p_high_run),
            surprise(score.p_zero_run),
            score.shift.as_ref().map_or(0.0, |s| surprise(s.p)),
            score.tracking_signal,
            ((score.actual + 1.0) / (score.expected + 1.0)).ln(),
            self.neighbours_ratio(place, at).unwrap_or(0.0),
        ])
    }

    fn verdict(&self, book: &Book, config: &Settings, judges: &Judges, place: &Place) -> Vec<Signal> {
        let mut found = Vec::new();
        let scores = self.scores(place);
        let delisted = book.items.get(&place.0).is_some_and(|i| !i.sellable);
        if delisted {
            found.extend(delisting(book, scores, place));
            return found;
        }
        // What is already above a whole day's upper bound is certain, however much of the day is left.
        if let Some(running) = self.running.get(place) {
            found.extend(spike(book, config, place, running, 1.0));
        }
        // A spike stays worth a look for a day after; older ones are history.
        for back in 0..2_usize {
            let Some(at) = scores.len().checked_sub(back + 1) else { continue };
            let Some(row) = self.features(place, at) else { continue };
            let back = self.back(&scores[at]);
            let signal = spike(book, config, place, &scores[at], judges.bonus(place, back, &row));
            found.extend(signal.map(|signal| judges.explain(signal, place, back, &row)));
        }
        let Some(at) = scores.len().checked_sub(1) else { return found };
        let falling = self.collapse(book, config, judges, place, at);
        let shifted = self.shift(book, config, judges, place, at);
        // A run that is still young is a collapse; once it has lasted it is a shift. Both at once would be one thing twice.
        match (falling, shifted) {
            (Some(collapse), Some(Shifted { signal: shift, fallen: true })) => {
                let lasting = days_between(shift.from, book.closed) >= 10 && collapse.code == T::DCollapse;
                found.push(if lasting { shift } else { collapse });
            }
            (collapse, shift) => found.extend(collapse.into_iter().chain(shift.map(|shift| shift.signal))),
        }
        found
    }

    /// How many days before the newest one anywhere a scored day lies.
    fn back(&self, score: &DayScore) -> usize {
        usize::try_from(days_between(score.day, self.newest)).unwrap_or(0)
    }

    fn collapse(&self, book: &Book, config: &Settings, judges: &Judges, place: &Place, at: usize) -> Option<Signal> {
        let score = self.scores(place).get(at)?;
        let row = self.features(place, at)?;
        let back = self.back(score);
        let limit = config.detect.collapse_p * judges.bonus(place, back, &row);
        let (item, location) = place;
        let silent =
            score.zero_run >= 2 && f64::from(score.zero_run) > score.zero_run_usual_p99 && score.p_zero_run <= limit;
        let low = score.low_run >= 2 && score.p_low_run <= limit;
        if !(silent || low) {
            return None;
        }
        let run = if silent { score.zero_run } else { score.low_run };
        let from = plus_days(score.day, 1 - run as i32);
        let on_hand = book.on_hand(item, location);
        let sells_elsewhere = self.neighbours_ratio(place, at).is_some_and(|ratio| ratio > -0.7);
        let phantom = silent && on_hand.is_positive() && sells_elsewhere;
        let sold: f64 = self.scores(place)[at + 1 - run as usize..=at].iter().map(|s| s.actual).sum();
        let usual: f64 = self.scores(place)[at + 1 - run as usize..=at].iter().map(|s| s.expected).sum();
        let (code, headline) = if phantom {
            let words = format!(
                "{} at {} has not sold for {run} days while the books say {on_hand} are there and other locations sell it.",
                book.item_label(item),
                book.location_name(location)
            );
            (T::IPhantom, words)
        } else {
            let words = format!(
                "{} at {} sold {sold} in the last {run} days, {usual:.0} would be usual.",
                book.item_label(item),
                book.location_name(location)
            );
            (T::DCollapse, words)
        };
        let signal = Signal::rule(DETECTOR, code, Subject::at(item, location), iso_week(from), (from, score.day), headline)
            .link(format!("demand:{item}@{location}"))
            .with(day_facts(book, place, score))
            .with([
                place_fact(book, item, location, "run_days", "days in a row", FactValue::days(f64::from(run))),
                place_fact(book, item, location, "run_sold", "sold in the run", FactValue::number(sold, 1)),
                place_fact(book, item, location, "run_usual", "usual in the run", FactValue::number(usual, 1)),
                place_fact(book, item, location, "on_hand", "on hand", FactValue::Quantity(on_hand)),
            ]);
        Some(judges.explain(signal, place, back, &row))
    }

    fn shift(&self, book: &Book, config: &Settings, judges: &Judges, place: &Place, at: usize) -> Option<Shifted> {
        let score = self.scores(place).get(at)?;
        let shift = score.shift.as_ref()?;
        let row = self.features(place, at)?;
        let back = self.back(score);
        let limit = config.detect.shift_p * judges.bonus(place, back, &row);
        if shift.p > limit || shift.days > SHIFT_NEWS_DAYS || (shift.ratio > 0.75 && shift.ratio < 1.33) {
            return None;
        }
        let (item, location) = place;
        let up = shift.ratio > 1.0;
        let headline = format!(
            "Demand for {} at {} has {} since {}: {:.1} a day, {:.1} before.",
            book.item_label(item),
            book.location_name(location),
            if up { "risen" } else { "fallen" },
            shift.since,
            shift.after,
            shift.before
        );
        let mut signal = Signal::rule(
            DETECTOR,
            T::DShift,
            Subject::at(item, location),
            if up { "up" } else { "down" }.to_owned(),
            (shift.since, score.day),
            headline,
        )
        .link(format!("demand:{item}@{location}"))
        .with(day_facts(book, place, score))
        .with([
            place_fact(book, item, location, "shift_since", "since", FactValue::Date(shift.since)),
            place_fact(book, item, location, "shift_before", "a day before", FactValue::number(shift.before, 2)),
            place_fact(book, item, location, "shift_after", "a day since", FactValue::number(shift.after, 2)),
            place_fact(
                book,
                item,
                location,
                "tracking_signal",
                "tracking signal",
                FactValue::number(score.tracking_signal, 1),
            ),
        ]);
        if up {
            signal = signal.link(format!("shortage:{item}@{location}"));
            let units: Vec<f64> = self.scores(place).iter().map(|s| s.actual).collect();
            if let Some(long_ago) = usual_before(&units).filter(|usual| is_return(*usual, shift.after)) {
                signal.explained = Some(format!("back to the usual: {long_ago:.1} a day were sold six to eight weeks ago"));
            }
        }
        Some(Shifted { signal: judges.explain(signal, place, back, &row), fallen: !up })
    }
}

/// The share of a day's demand that is still to come at each location, read off the hours at which its orders came in. Not for
/// locations with few orders by the hour: there the clock alone says.
fn left_of_day(book: &Book) -> BTreeMap<LocationId, f64> {
    let now: BTreeMap<&LocationId, f64> =
        book.locations.keys().map(|l| (l, book.calendar_of(l).left_of_day(book.as_of))).collect();
    let mut counted: BTreeMap<LocationId, (u32, u32)> = BTreeMap::new();
    for line in book.sale_lines.values() {
        let Some(left) = now.get(&line.location) else { continue };
        let (all, later) = counted.entry(line.location.clone()).or_default();
        *all += 1;
        *later += u32::from(book.calendar_of(&line.location).left_of_day(line.ordered_at) < *left);
    }
    let known = counted.into_iter().filter(|(_, (all, _))| *all >= HOURS_LINES);
    known.map(|(location, (all, later))| (location, f64::from(later) / f64::from(all))).collect()
}

/// Mean demand a day six to eight weeks ago. None where the series is younger.
fn usual_before(units: &[f64]) -> Option<f64> {
    let from = units.len().checked_sub(LONG_AGO_DAYS.end)?;
    let days = &units[from..from + LONG_AGO_DAYS.len()];
    Some(days.iter().sum::<f64>() / days.len() as f64)
}

fn is_return(usual: f64, after: f64) -> bool {
    usual > 0.0 && (after / usual - 1.0).abs() <= RETURN_SHARE
}

fn delisting(book: &Book, scores: &[DayScore], place: &Place) -> Option<Signal> {
    let since = book.calendar.day_of(book.items.get(&place.0)?.delisted_at?);
    if days_between(since, book.today) > 7 || scores.len() < 14 {
        return None;
    }
    let headline = format!("{} at {} has stopped selling.", book.item_label(&place.0), book.location_name(&place.1));
    let mut signal = Signal::rule(
        DETECTOR,
        T::DCollapse,
        Subject::at(&place.0, &place.1),
        iso_week(since),
        (since, book.today),
        headline,
    )
    .link(format!("demand:{}@{}", place.0, place.1));
    let since_fact =
        fact(book, record(RecordKind::Item, place.0.as_str()), "delisted_on", "delisted", FactValue::Date(since));
    signal.explained = Some(format!("delisted since {since}"));
    Some(signal.with([since_fact]))
}

pub(super) fn day_facts(book: &Book, place: &Place, score: &DayScore) -> Vec<Fact> {
    let (item, location) = place;
    let of =
        |field: &str, label: &str, value| place_fact(book, item, location, &format!("{field}:{}", score.day), label, value);
    vec![
        of("sold", "sold that day", FactValue::number(score.actual, 1)),
        of("expected", "usual for that day", FactValue::number(score.expected, 2)),
    ]
}

/// One cause for a whole company: the same type on the same item at two or more of its locations in one week is one case.
fn share_roots(book: &Book, signals: &mut [Signal]) {
    let mut places: BTreeMap<(T, String), usize> = BTreeMap::new();
    let several = book.companies().len() > 1;
    let key = |s: &Signal| {
        let company = s.subject.location.as_ref().and_then(|l| book.company_of(l)).filter(|_| several);
        let company = company.map_or_else(String::new, |company| format!(" company {company}"));
        s.subject.item.as_ref().map(|item| (s.code, format!("{item} {}{company}", s.period)))
    };
    for signal in signals.iter().filter(|s| s.explained.is_none()) {
        if let Some(key) = key(signal) {
            *places.entry(key).or_default() += usize::from(signal.subject.location.is_some());
        }
    }
    for signal in signals.iter_mut() {
        let Some((code, about)) = key(signal) else { continue };
        if places.get(&(code, about.clone())).is_some_and(|n| *n >= 2) {
            signal.links.push(format!("chain:{code} {about}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rise_back_to_the_level_of_six_weeks_ago_is_a_return() {
        let mut units = vec![5.0; 14];
        units.extend(vec![0.5; 42]);
        let usual = usual_before(&units).unwrap();
        assert!((usual - 5.0).abs() < 1e-9);
        assert!(is_return(usual, 6.7) && is_return(usual, 3.3));
        assert!(!is_return(usual, 7.0) && !is_return(usual, 3.0) && !is_return(0.0, 0.0));
        assert_eq!(usual_before(&units[..55]), None, "too young to say");
    }
}
