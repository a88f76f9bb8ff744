//! Demand: series from the book, scores from the models, and a typed verdict on what is odd (handbook §4.1).
//!
//! The statistics decide how unlikely a day or a run is; the isolation forest over all series says which days are odd in
//! combination, and the trained detector how likely an alarm is right, each with what made it say so. What a business reason
//! explains (a promotion within its plan, one customer's bulk order, a delisting) is recorded as explained, not alarmed.

use std::collections::BTreeMap;

use super::facts::{fact, place_fact, record};
use super::forest::Forest;
use super::level::Turn;
use super::opinion::Opinion;
use super::spike::spike;
use super::tail::{NEWS_DAYS, Row, Tail};
use crate::settings::Settings;
use jiff::civil::Date;
use rayon::prelude::*;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, iso_week};
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::record::RecordKind;
use reeve_models::control::drift::DaySeen;
use reeve_models::demand::panel::Panel;
use reeve_models::demand::{DayScore, DemandParams};

/// The detector where only the forest could be asked; behind the same name stands the version of the trained one where that was.
pub(super) const DETECTOR: &str = "demand-forest/1";

const NAME: &str = "demand-forest";

/// How much weaker a p the agreement of the forest or of the trained detector makes good.
pub(super) const AGREEMENT_BONUS: f64 = 10.0;

/// A day this many units above the usual at least is a spike: below it a rare item's second sale would be one.
pub(super) const SPIKE_UNITS: f64 = 3.0;

/// What demand has shown, place by place: the ends of the scored series, and what all of them together are judged by.
pub(super) struct Demand {
    /// The ends of the series of which something may be said.
    pub(super) tails: BTreeMap<Place, Tail>,
    /// What promotions have to say.
    pub(super) promotions: Vec<Signal>,
    /// What the forest learns from.
    pub(super) rows: Vec<Row>,
    /// What the trained detector sees.
    pub(super) panel: Option<Panel>,
    /// The last day that is over at any location.
    pub(super) newest: Date,
}

/// How series are scored.
pub(super) fn params(settings: &Settings) -> DemandParams {
    DemandParams {
        window_days: settings.detect.window_days as usize,
        warmup_days: settings.detect.warmup_days as usize,
        ..DemandParams::default()
    }
}

/// Who may agree with the statistics: then a weaker p is enough.
pub(super) struct Judges {
    forest: Forest,
    opinion: Opinion,
    /// What the detector is called that both make up.
    detector: String,
}

impl Judges {
    /// How much weaker a p is enough for a place `back` days before the newest.
    pub(super) fn bonus(&self, place: &Place, back: usize, row: &Row) -> f64 {
        if self.forest.is_rare(row) || self.opinion.agrees(place, back) { AGREEMENT_BONUS } else { 1.0 }
    }

    /// Adds a score and what drove it: the trained detector's where it agrees, else the forest's.
    pub(super) fn explain(&self, mut signal: Signal, place: &Place, back: usize, row: &Row) -> Signal {
        // Also where it does not agree it was asked, and another version might have.
        if self.opinion.view(place, back).is_some() {
            signal.detector.clone_from(&self.detector);
        }
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
    /// Everything that demand has to say on the book's day, and how what the trained detector saw of the last days was distributed.
    pub(super) fn signals(mut self, book: &Book, settings: &Settings) -> (Vec<Signal>, BTreeMap<Date, DaySeen>) {
        let mut found = std::mem::take(&mut self.promotions);
        let (rows, panel) = (std::mem::take(&mut self.rows), self.panel.take());
        // The forest learns what is ordinary from all series together, so it is fitted once and asked of each.
        let Some(forest) = Forest::fit(rows, settings) else { return (found, BTreeMap::new()) };
        let model = &settings.models.demand;
        let judges = Judges {
            forest,
            opinion: Opinion::of(panel, model, settings.detect.false_share),
            detector: format!("{NAME}/{}", model.version()),
        };
        let verdict = |(place, tail): (&Place, &Tail)| self.verdict(book, settings, &judges, place, tail);
        found.extend(self.tails.par_iter().map(verdict).collect::<Vec<_>>().into_iter().flatten());
        share_roots(book, &mut found);
        (found, judges.opinion.seen)
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
            // An exception without a place (a promotion) is of the whole chain already, and makes no second place.
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
