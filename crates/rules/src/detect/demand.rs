//! Demand: series from the book, scores from the models, and a typed verdict on what is odd (handbook §4.1).
//!
//! The statistics decide how unlikely a day or a run is; the isolation forest over all series says which days are odd in
//! combination, and the trained detector how likely an alarm is right, each with what made it say so. What a business reason
//! explains (a promotion within its plan, one customer's bulk order, a delisting) is recorded as explained, not alarmed.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{fact, place_fact, record};
use super::feed::Feeds;
use super::forest::Forest;
use super::item::{Kept, look_at, scores_of};
use super::level::Turn;
use super::opinion::Opinion;
use super::panel;
use super::promotion::planned_uplift;
use super::series::Ground;
use super::spike::spike;
use super::stock;
use super::tail::{NEWS_DAYS, Row, Tail};
use crate::outlook::{DayForecast, Outlook};
use crate::settings::Settings;
use jiff::civil::Date;
use rayon::prelude::*;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, iso_week, plus_days};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::LocationId;
use reeve_domain::record::RecordKind;
use reeve_models::demand::panel::Panel;
use reeve_models::demand::{DayScore, DemandParams, project};

pub(super) const DETECTOR: &str = "demand-forest/1";

/// How much weaker a p the agreement of the forest or of the trained detector makes good.
const AGREEMENT_BONUS: f64 = 10.0;

/// A day this many units above the usual at least is a spike: below it a rare item's second sale would be one.
pub(super) const SPIKE_UNITS: f64 = 3.0;

/// Orders from which the hours of a location's day are known.
const HOURS_LINES: u32 = 50;

/// Days at the end of the projections.
const OUTLOOK_DAYS: u32 = 92;

/// What demand has shown, place by place: the ends of the scored series, and what all of them together are judged by.
pub struct Demand {
    /// The ends of the series that were ever wanted.
    tails: BTreeMap<Place, Tail>,
    /// Places at which nothing was ever wanted.
    unsold: Vec<Place>,
    promo_ratio: BTreeMap<Place, f64>,
    /// What promotions have to say.
    promotions: Vec<Signal>,
    /// What the forest learns from, until it has.
    rows: Vec<Row>,
    /// What the trained detector sees, until it has.
    panel: Option<Panel>,
    /// What has not come in.
    feeds: Feeds,
    /// The first day of the series. None in an empty book.
    first: Option<Date>,
    /// Orders that are another order once more.
    twins: BTreeSet<String>,
    params: DemandParams,
    /// The last day that is over at any location.
    newest: Date,
}

/// Scores every series of the book, item by item.
pub fn score(book: &Book, settings: &Settings, feeds: &Feeds) -> Demand {
    let params = DemandParams {
        window_days: settings.detect.window_days as usize,
        warmup_days: settings.detect.warmup_days as usize,
        ..DemandParams::default()
    };
    let mut demand = Demand {
        tails: BTreeMap::new(),
        unsold: Vec::new(),
        promo_ratio: BTreeMap::new(),
        promotions: Vec::new(),
        rows: Vec::new(),
        panel: None,
        feeds: feeds.clone(),
        first: book.first_day(),
        // An order that was entered twice was wanted once.
        twins: stock::twin_order_ids(book, i32::MAX),
        params,
        newest: book.closed,
    };
    let Some(first) = demand.first else { return demand };
    let days = book.days_anywhere(first);
    demand.newest = days.last().copied().unwrap_or(book.closed);
    let places = book.places();
    let by_item: Vec<&[Place]> = places.chunk_by(|a, b| a.0 == b.0).collect();
    let ground = Ground::of(book, first, &demand.twins, feeds);
    let look = |places: &&[Place]| look_at(&ground, settings, &demand.params, &days, places);
    let kept: Vec<Kept> = by_item.par_iter().map(look).collect();
    let mut cells = Vec::with_capacity(places.len());
    for mut item in kept {
        demand.tails.extend(item.tails);
        demand.unsold.append(&mut item.unsold);
        demand.rows.append(&mut item.rows);
        demand.promo_ratio.extend(item.promoted.ratios);
        demand.promotions.append(&mut item.promoted.signals);
        cells.append(&mut item.cells);
    }
    demand.panel = panel::assemble(days, cells).ok().flatten();
    demand
}

/// Who may agree with the statistics: then a weaker p is enough.
pub(super) struct Judges {
    forest: Forest,
    opinion: Opinion,
}

impl Judges {
    /// How much weaker a p is enough for a place `back` days before the newest.
    pub(super) fn bonus(&self, place: &Place, back: usize, row: &Row) -> f64 {
        if self.forest.is_rare(row) || self.opinion.agrees(place, back) { AGREEMENT_BONUS } else { 1.0 }
    }

    /// Adds a score and what drove it: the trained detector's where it agrees, else the forest's.
    pub(super) fn explain(&self, mut signal: Signal, place: &Place, back: usize, row: &Row) -> Signal {
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

impl Demand {
    /// The forecast of every place, promotions that are known in advance included.
    pub fn outlook(&self, book: &Book, settings: &Settings) -> Outlook {
        // What remains of a day that has begun is forecast apart from whole days: a receipt tomorrow does not help it.
        let left = left_of_day(book);
        let mut outlook = Outlook::default();
        for place in &self.unsold {
            outlook.daily.insert(place.clone(), vec![DayForecast::default(); OUTLOOK_DAYS as usize]);
        }
        for (place, tail) in &self.tails {
            let sellable = book.items.get(&place.0).is_some_and(|i| i.sellable);
            let from = plus_days(book.closed_at(&place.1), 1);
            // Days that have begun and are not over: none at a day's close, one in the morning, two far west of the calendar.
            let begun = usize::try_from(days_between(from, book.today) + 1).unwrap_or(0);
            let days = OUTLOOK_DAYS + u32::try_from(begun).unwrap_or(0);
            let mut daily: Vec<DayForecast> =
                project(&tail.last, from, days).into_iter().map(|(mean, sigma)| DayForecast::rounded(mean, sigma)).collect();
            for (ahead, day) in daily.iter_mut().enumerate() {
                // What is delisted is wanted by nobody, whatever it sold before.
                if !sellable {
                    *day = DayForecast::default();
                } else if let Some(promotion) = book.promotion_on(&place.0, &place.1, plus_days(from, ahead as i32)) {
                    // What the promotion has shown so far is a better guide than its plan.
                    let lift = self.promo_ratio.get(place).copied().unwrap_or_else(|| planned_uplift(settings, promotion));
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

    /// The scored days of a place, computed anew from the book that was looked at: nobody keeps all of them.
    pub fn scores(&self, book: &Book, place: &Place) -> Vec<DayScore> {
        let Some(first) = self.first.filter(|_| self.tails.contains_key(place)) else { return Vec::new() };
        scores_of(&Ground::of(book, first, &self.twins, &self.feeds), place, &self.params)
    }

    /// Everything that demand has to say on the book's day.
    pub fn signals(&mut self, book: &Book, settings: &Settings) -> Vec<Signal> {
        let mut found = std::mem::take(&mut self.promotions);
        let (rows, panel) = (std::mem::take(&mut self.rows), self.panel.take());
        // The forest learns what is ordinary from all series together, so it is fitted once and asked of each.
        let Some(forest) = Forest::fit(rows, settings) else { return found };
        let judges = Judges { forest, opinion: Opinion::of(panel, settings.detect.false_share) };
        let verdict = |(place, tail): (&Place, &Tail)| self.verdict(book, settings, &judges, place, tail);
        found.extend(self.tails.par_iter().map(verdict).collect::<Vec<_>>().into_iter().flatten());
        share_roots(book, &mut found);
        found
    }

    fn verdict(&self, book: &Book, settings: &Settings, judges: &Judges, place: &Place, tail: &Tail) -> Vec<Signal> {
        let mut found = Vec::new();
        // That sales end with a delisting is meant: it is kept as explained, and nothing else is said of the place.
        let delisted = book.items.get(&place.0).is_some_and(|i| !i.sellable);
        if delisted {
            found.extend(delisting(book, tail, place));
            return found;
        }
        // What is already above a whole day's upper bound is certain, however much of the day is left.
        if let Some(running) = &tail.running {
            found.extend(spike(book, settings, place, running, tail.bulk_on(running.day), 1.0));
        }
        // A spike stays worth a look for a day after; older ones are history.
        for (score, row) in (0..NEWS_DAYS).filter_map(|back| tail.day(back)) {
            let back = self.back(score);
            let bonus = judges.bonus(place, back, row);
            let signal = spike(book, settings, place, score, tail.bulk_on(score.day), bonus);
            found.extend(signal.map(|signal| judges.explain(signal, place, back, row)));
        }
        let falling = self.collapse(book, settings, judges, place, tail);
        let shifted = self.shift(book, settings, judges, place, tail);
        // A run that is still young is a collapse; once it has lasted it is a shift. Both at once would be one thing twice.
        match (falling, shifted) {
            (Some(collapse), Some((shift, Turn::Down))) => {
                let lasting = days_between(shift.from, book.closed) >= 10 && collapse.code == T::DCollapse;
                found.push(if lasting { shift } else { collapse });
            }
            (collapse, shift) => found.extend(collapse.into_iter().chain(shift.map(|(shift, _)| shift))),
        }
        found
    }

    /// How many days before the newest one anywhere a scored day lies.
    pub(super) fn back(&self, score: &DayScore) -> usize {
        usize::try_from(days_between(score.day, self.newest)).unwrap_or(0)
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

fn delisting(book: &Book, tail: &Tail, place: &Place) -> Option<Signal> {
    let since = book.calendar.day_of(book.items.get(&place.0)?.delisted_at?);
    if days_between(since, book.today) > 7 || tail.days < 14 {
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
    let several = book.has_several_companies();
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
