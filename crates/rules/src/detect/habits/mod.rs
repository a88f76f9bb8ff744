//! Purchase lines beside what their suppliers usually do: short, late, dear or billed otherwise than this supplier's way.
//!
//! Tolerances are the same for everybody. A supplier that is always 2 % short is within them and no news; one that never was is
//! news from the first time on, and no tolerance sees it. Every complete line is scored once for the records there are
//! (`reeve_models::receiving`), by what was known on the day on which it was complete, and that is used in three ways:
//!
//! - *found*: what no rule says becomes a signal where the detector is sure of the line, or where the supplier's newest deliveries
//!   are another habit than the one before (`own`);
//! - *usual*: what a rule says and is this supplier's way is explained, for the types that the settings name (`usual`);
//! - *sure*: what a rule says carries the detector's probability, which enters the case's (`assess`).
//!
//! Sure enough is whoever is wrong once in so many times at most as a planner allows (`detect.false_share`). It is asked of each
//! line by itself, on the day on which it was complete, with nothing that came later. Rules stay certain: nothing here takes a
//! signal of theirs away.

mod own;
pub(super) mod reading;
mod told;
mod usual;
mod words;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use reeve_domain::book::Book;
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal};
use reeve_domain::habit::{Habit, KEPT, NEWEST, is_off};
use reeve_domain::record::{PurchaseLine, RecordKind};
use reeve_models::control::drift::{DaySeen, receiving as drift};
use reeve_models::receiving::{Features, LineScore, ReceivingKind, Scored};

use super::facts::{fact, record};
use crate::settings::Settings;
pub(crate) use own::DETECTOR;
pub use reading::records;
pub(crate) use told::{facts_of, probability_of, run, run_facts_of, shown};

/// Days that are counted again at each look.
const WATCHED_DAYS: i32 = 7;

/// Adds to what the rules found in receiving and matching what the suppliers' habits say of it, and of what no rule sees. Answers how
/// the lines that were complete on the last days, and what was said of them, were distributed.
pub(super) fn join(book: &Book, settings: &Settings, found: &mut Vec<Signal>) -> BTreeMap<Date, DaySeen> {
    let Some(lines) = Lines::of(book, settings) else { return BTreeMap::new() };
    let mut ruled: BTreeMap<String, Vec<T>> = BTreeMap::new();
    for signal in found.iter_mut() {
        let about: Vec<&str> = match (&signal.subject.po_line, &signal.subject.order) {
            (Some(line), _) => vec![line],
            (None, Some(order)) => book.lines_of_order(order).iter().map(|line| line.id.as_str()).collect(),
            (None, None) => Vec::new(),
        };
        for line in &about {
            ruled.entry((*line).to_owned()).or_default().push(signal.code);
        }
        let judged: Vec<Option<Judged<'_>>> = about.iter().map(|line| lines.judged(line)).collect();
        if settings.detect.explain_usual.contains(&signal.code) {
            signal.explained = usual::reason(signal.code, &judged);
        }
        // The detector asks whether a line is odd by itself. Of an order that came late as a whole, or whose own price is off, it says
        // nothing.
        let line = judged.iter().flatten().next().filter(|_| signal.subject.po_line.is_some());
        if let Some((line, kind)) = line.and_then(|line| Some((line, kind_of(signal, line)?))) {
            let habit = line.habit(kind);
            signal.facts.extend(line.facts(book, facts_of(&habit, line.probability())));
            signal.habit = Some(Box::new(habit));
        }
    }
    for line in lines.newest(settings.detect.keep(settings.detect.claim_days)) {
        let said = ruled.get(&line.line.id).map_or(&[][..], Vec::as_slice);
        found.extend(own::signal(book, settings, &line, said));
    }
    seen(&lines)
}

/// Counts the lines that were complete within [`WATCHED_DAYS`]: bills and late receipts still change a day that is over.
fn seen(lines: &Lines<'_>) -> BTreeMap<Date, DaySeen> {
    let mut days: BTreeMap<Date, DaySeen> = BTreeMap::new();
    for line in lines.newest(WATCHED_DAYS) {
        let (day, f) = (days.entry(line.score.complete).or_default(), &line.score.features);
        day.add(&drift::SHORT, (f.short - f.over) as f32);
        day.add(&drift::DAYS, f.days as f32);
        day.add(&drift::PRICE, f.price as f32);
        day.add(&drift::PROBABILITY, line.score.probability as f32);
    }
    days
}

/// The kind of deviation that a rule's signal of a line is about; None of what hangs on no supplier's habit.
fn kind_of(signal: &Signal, line: &Judged<'_>) -> Option<ReceivingKind> {
    use ReceivingKind as K;
    match signal.code {
        T::RShort => Some(K::Short),
        T::ROver => Some(K::Over),
        T::RUom => Some(K::WrongUnit),
        T::FQty => Some(K::BilledNotReceived),
        // The price of an order is compared with a list, not with what the supplier does.
        T::FPrice if signal.subject.bill.is_none() => None,
        T::FPrice if line.score.features.price < 0.0 => Some(K::PriceDown),
        T::FPrice => Some(K::PriceUp),
        _ => None,
    }
}

/// Every complete line, with what is said of it.
struct Lines<'b> {
    book: &'b Book,
    scored: Arc<Scored>,
    version: &'b str,
    /// By vendor, in the order in which its lines were complete: where each is scored.
    of_vendor: BTreeMap<String, Vec<usize>>,
    /// By line: the vendor, and where the line is among the vendor's.
    at: BTreeMap<&'b str, (String, usize)>,
}

impl<'b> Lines<'b> {
    fn of(book: &'b Book, settings: &'b Settings) -> Option<Self> {
        let scorer = &settings.models.receiving;
        // A record that makes no sense (a quantity that is no number) would be a fault of ours: the rules have their say all the same.
        let scored = scorer.score(reading::records(book)).ok()?;
        let mut lines = Self {
            book,
            scored: Arc::clone(&scored),
            version: scorer.version(),
            of_vendor: BTreeMap::new(),
            at: BTreeMap::new(),
        };
        for (place, score) in scored.lines.iter().enumerate() {
            let Some(line) = book.po_lines.get(&score.line) else { continue };
            let vendor = reading::vendor(book, line);
            let own = lines.of_vendor.entry(vendor.clone()).or_default();
            lines.at.insert(line.id.as_str(), (vendor, own.len()));
            own.push(place);
        }
        Some(lines)
    }

    fn judged(&self, line: &str) -> Option<Judged<'_>> {
        let (vendor, nth) = self.at.get(line)?;
        let own = self.of_vendor.get(vendor)?;
        let score = &self.scored.lines[own[*nth]];
        Some(Judged { line: self.book.po_lines.get(line)?, score, lines: self, earlier: &own[..*nth] })
    }

    /// The share of all suppliers' deliveries before a day that were off to the side of a kind. One in twenty while there are none.
    fn usual(&self, kind: ReceivingKind, day: Date) -> f64 {
        let (mut off, mut all) = (1.0, 20.0);
        for own in self.of_vendor.values() {
            let mut last: Option<(Date, bool)> = None;
            for score in own.iter().map(|at| &self.scored.lines[*at]).take_while(|score| score.complete < day) {
                let is = is_off(round(side(kind, &score.features)));
                match &mut last {
                    Some((day, was)) if *day == score.complete => {
                        off += f64::from(is && !*was);
                        *was |= is;
                    }
                    _ => {
                        all += 1.0;
                        off += f64::from(is);
                        last = Some((score.complete, is));
                    }
                }
            }
        }
        round(off / all)
    }

    /// The lines that were complete within so many days, in the order of their ids.
    fn newest(&self, days: i32) -> impl Iterator<Item = Judged<'_>> {
        let lines = self.at.keys().filter_map(|line| self.judged(line));
        lines.filter(move |line| days_between(line.score.complete, self.book.today) <= days)
    }
}

/// A complete line with what is said of it.
struct Judged<'l> {
    line: &'l PurchaseLine,
    score: &'l LineScore,
    lines: &'l Lines<'l>,
    /// Where the vendor's lines are scored that were complete before.
    earlier: &'l [usize],
}

impl Judged<'_> {
    /// The probability that the line is an exception, as its fact shows it.
    fn probability(&self) -> f64 {
        shown(self.score.probability)
    }

    /// The line beside its supplier's habit, by how far both are off to the side of a kind.
    fn habit(&self, kind: ReceivingKind) -> Habit {
        Habit { usual: self.lines.usual(kind, self.score.complete), ..self.own_habit(kind) }
    }

    /// The same where the line is off to that side, and where the supplier's newest deliveries may be another habit at all: what is
    /// usual of all suppliers is dear to count.
    fn run_habit(&self, kind: ReceivingKind, sure: impl Fn(f64) -> bool) -> Option<Habit> {
        if !is_off(side(kind, &self.score.features)) {
            return None;
        }
        let habit = self.own_habit(kind);
        // The rarer it is elsewhere the surer it is a change: as sure as it can be.
        sure(run(&habit)).then(|| Habit { usual: self.lines.usual(kind, self.score.complete), ..habit })
    }

    fn own_habit(&self, kind: ReceivingKind) -> Habit {
        let off = |score: &LineScore| round(side(kind, &score.features));
        // What is complete on the same day was not known on the day before: it is no habit yet, but the same delivery.
        let earlier = || self.earlier.iter().map(|at| &self.lines.scored.lines[*at]);
        let mut before: Vec<f64> = earlier().filter(|other| other.complete < self.score.complete).map(off).collect();
        before.drain(..before.len().saturating_sub(KEPT));
        let mut deliveries: Vec<(Date, f64)> = Vec::new();
        for score in earlier().chain([self.score]) {
            match deliveries.last_mut() {
                Some((day, most)) if *day == score.complete => *most = most.max(off(score)),
                _ => deliveries.push((score.complete, off(score))),
            }
        }
        deliveries.drain(..deliveries.len().saturating_sub(KEPT + NEWEST));
        Habit {
            line: self.line.id.clone(),
            detector: self.lines.version.to_owned(),
            kind: kind.name().to_owned(),
            features: self.score.features.values(),
            off: off(self.score),
            before,
            deliveries: deliveries.into_iter().map(|(_, off)| off).collect(),
            usual: 0.0,
        }
    }

    /// What is said of the line, as facts of it.
    fn facts(&self, book: &Book, said: Vec<(String, &'static str, FactValue)>) -> Vec<Fact> {
        let of_line = |(field, label, value): (String, &str, FactValue)| {
            fact(book, record(RecordKind::PoLine, &self.line.id), &field, label, value)
        };
        said.into_iter().map(of_line).collect()
    }
}

fn round(x: f64) -> f64 {
    (x * 1e6).round() / 1e6
}

/// How far a line is off to the side of a kind: a share, or days.
fn side(kind: ReceivingKind, f: &Features) -> f64 {
    use ReceivingKind as K;
    match kind {
        K::Short => f.short - f.over,
        K::Over | K::DuplicateReceipt => f.over - f.short,
        K::Late => f.days,
        K::Early => -f.days,
        K::PriceUp => f.price.exp_m1(),
        K::PriceDown => -f.price.exp_m1(),
        K::WrongUnit => f.received_ordered.abs(),
        K::BilledNotReceived => f.billed_received.exp_m1(),
    }
}
