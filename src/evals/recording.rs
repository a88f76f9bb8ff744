//! `reeve eval recording`: replays a recording day by day through the very App that people run, without look-ahead, and
//! scores the cases and digests against what was injected.
//!
//! It is replayed as a shop lives with it: read at a few times of the day, by default in the evening and at the digest's hour,
//! and the digest is made in the morning, when the new day has hardly begun. The same at the end of each finished day, with
//! everything read, is a laboratory's figure and says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::{Date, Time};
use serde::Serialize;

use crate::app::App;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::calendar::{Calendar, plus_days};
use crate::domain::exception::{Exception, ExceptionState, ExceptionType};
use crate::domain::ids::{CaseId, ExceptionId};
use crate::lab::grade::low_stock::{self, Band, Mornings};
use crate::lab::grade::truth::{Truth, ran_out};
use crate::ports::Ports;
use crate::store::{Store, Which};

/// Least share of injected anomalies that must be in a case of the right type.
pub const RECALL_MIN: f64 = 0.95;
/// Least share of the cases above the line that must be real.
pub const PRECISION_MIN: f64 = 0.95;

/// When a replay reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reads {
    /// At these times of each day, in order; the last of them, from the digest's hour on, is the one of the digest.
    Lived(Vec<Time>),
    /// Once a day, at its close, with all that it brought.
    ClosedDays,
}

impl Reads {
    /// The moments at which `day` is read and its digest is made, in order: of a lived day the evening before and the morning.
    pub(super) fn of(&self, calendar: &Calendar, day: Date, digest_hour: u8) -> Vec<Timestamp> {
        let Self::Lived(times) = self else { return vec![calendar.close_of(day)] };
        // Up to the digest's hour a time is this morning's; later ones are of the evening before.
        let (mornings, evenings): (Vec<Time>, Vec<Time>) =
            times.iter().partition(|time| time.hour().unsigned_abs() <= digest_hour);
        let at = |day: Date, time: &Time| day.to_datetime(*time).to_zoned(calendar.timezone.clone()).ok();
        let before = plus_days(day, -1);
        let evenings = evenings.iter().filter_map(|time| at(before, time));
        evenings.chain(mornings.iter().filter_map(|time| at(day, time))).map(|at| at.timestamp()).collect()
    }

    /// For people.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Lived(times) => {
                let times: Vec<String> = times.iter().map(|time| time.strftime("%H:%M").to_string()).collect();
                format!("read at {}, as a shop lives with it", times.join(" and "))
            }
            Self::ClosedDays => "each at the end of a finished day with everything read".to_owned(),
        }
    }
}

/// Least share of the different cases above the line that must be real.
pub const CASES_MIN: f64 = 0.80;
/// Most cases of a fall in demand that nothing explains.
pub const FALLS_MAX: usize = 3;

/// What a replay came to.
#[derive(Clone, Debug, Serialize)]
pub struct Score {
    /// When it was read, for people.
    pub reads: String,
    /// Cases led by D-COLLAPSE, above the line or not, that no event or stock-out explains, with their headline.
    pub false_collapses: Vec<String>,
    /// Days replayed.
    pub days: u32,
    /// Injected anomalies, and how many of them are in a case of the right type.
    pub injected: u32,
    /// Found in a case of the right type.
    pub found: u32,
    /// Found, and in a digest above the line on at least one day.
    pub shown: u32,
    /// Anomalies that no case has, by name and class.
    pub missed: Vec<String>,
    /// Look-alikes with an explanation, and how many of them raised a case.
    pub look_alikes: u32,
    /// Look-alikes that raised a case.
    pub alarmed: Vec<String>,
    /// Cases above the line, summed over all days, and how many of them were real.
    pub lines: u32,
    /// Real ones among them.
    pub lines_real: u32,
    /// Different cases above the line, and how many of them were real.
    pub cases: u32,
    /// Real ones among them.
    pub cases_real: u32,
    /// Different cases above the line that were not real, with their headline.
    pub false_cases: Vec<String>,
    /// By leading type: cases above the line, and real ones.
    pub by_type: BTreeMap<String, (u32, u32)>,
    /// What mornings that said "will run out" came to, by the risk that was projected.
    pub low_stock: Vec<Band>,
}

impl Score {
    /// Share of injected anomalies found.
    pub fn recall(&self) -> f64 {
        f64::from(self.found) / f64::from(self.injected.max(1))
    }

    /// Share of lines above the line that were real.
    pub fn precision(&self) -> f64 {
        f64::from(self.lines_real) / f64::from(self.lines.max(1))
    }

    /// Does it meet the gates?
    pub fn passes(&self) -> bool {
        let cases = f64::from(self.cases_real) / f64::from(self.cases.max(1));
        self.recall() >= RECALL_MIN
            && self.precision() >= PRECISION_MIN
            && cases >= CASES_MIN
            && self.false_collapses.len() <= FALLS_MAX
            && self.alarmed.is_empty()
    }

    /// For people.
    pub fn report(&self, details: bool) -> String {
        let mut out = String::new();
        let percent = |a: u32, b: u32| 100.0 * f64::from(a) / f64::from(b.max(1));
        let _ = writeln!(out, "Replayed {} days, one digest a day, {}.", self.days, self.reads);
        let _ = writeln!(
            out,
            "Found:  {} of {} injected anomalies in a case of the right type ({:.1} %; gate {:.0} %); {} of them above the line.",
            self.found,
            self.injected,
            percent(self.found, self.injected),
            RECALL_MIN * 100.0,
            self.shown
        );
        let _ = writeln!(
            out,
            "Real:   {} of {} lines above the line ({:.1} %; gate {:.0} %); {} of {} different cases ({:.1} %; gate {:.0} %).",
            self.lines_real,
            self.lines,
            percent(self.lines_real, self.lines),
            PRECISION_MIN * 100.0,
            self.cases_real,
            self.cases,
            percent(self.cases_real, self.cases),
            CASES_MIN * 100.0
        );
        let _ = writeln!(
            out,
            "Quiet:  {} of {} look-alikes with an explanation raised no case.",
            self.look_alikes - self.alarmed.len() as u32,
            self.look_alikes
        );
        let _ = writeln!(
            out,
            "Falls:  {} cases of a fall in demand (D-COLLAPSE) that nothing explains.",
            self.false_collapses.len()
        );
        for name in &self.missed {
            let _ = writeln!(out, "  missed  {name}");
        }
        for name in &self.alarmed {
            let _ = writeln!(out, "  alarmed {name}");
        }
        if details {
            for (code, (all, real)) in &self.by_type {
                let _ = writeln!(out, "  {code:<13} {real:>3} real of {all:>3} cases above the line");
            }
            out.push_str(&low_stock::report(&self.low_stock));
            for headline in &self.false_collapses {
                let _ = writeln!(out, "  fell for nothing: {headline}");
            }
            for headline in &self.false_cases {
                let _ = writeln!(out, "  not real: {headline}");
            }
        }
        out
    }
}

/// One occurrence of an exception: it may go away and come back under the same fingerprint.
type Occurrence = (ExceptionId, Timestamp);

fn occurrence(exception: &Exception) -> Occurrence {
    (exception.id.clone(), exception.first_seen)
}

/// What a digest showed of a case on a day: the exceptions that were open then.
struct Shown {
    case: CaseId,
    exceptions: BTreeSet<Occurrence>,
}

/// What is replayed, and how.
pub struct Replay<'a> {
    /// The recording's folder, with its truth.
    pub recording: &'a Path,
    /// When it is read.
    pub reads: Reads,
    /// A folder in which to leave each digest as text.
    pub digests: Option<&'a Path>,
}

/// Replays the recording behind `ports` from its first to its last day and scores it. `on_day` is told of each day.
///
/// # Errors
/// Says what could not be read, run or scored.
pub async fn run(
    config: Arc<Config>,
    store: Store,
    ports: Ports,
    replay: Replay<'_>,
    on_day: impl Fn(u64, u64),
) -> anyhow::Result<Score> {
    let truth = Truth::read(replay.recording)?;
    let calendar = config.rules.calendar.calendar();
    let (first, last) = truth.window;
    let clock = Clock::standing_at(calendar.close_of(plus_days(first, -1)));
    let app = App::new(Arc::clone(&config), store.clone(), ports, clock.clone());
    let mut shown: Vec<Shown> = Vec::new();
    let mut best: BTreeMap<Occurrence, Exception> = BTreeMap::new();
    // What had a case, latent or not, on any day: a latent one leaves nothing behind.
    let mut in_cases: BTreeSet<ExceptionId> = BTreeSet::new();
    let mut mornings = Mornings::default();
    let total = crate::domain::calendar::days_between(first, last) as u64 + 1;
    // What happened on a day is read by the next morning, where it is lived.
    let later = i32::from(replay.reads != Reads::ClosedDays);
    let mut day = plus_days(first, later);
    let mut days = 0;
    while day <= plus_days(last, later) {
        let moments = replay.reads.of(&calendar, day, config.rules.calendar.digest_hour);
        for (at, moment) in moments.iter().copied().enumerate() {
            clock.set(moment);
            app.run_until_idle().await.with_context(|| format!("replaying {day}"))?;
            let all = store.list_exceptions(Which::All).await?;
            let ids: Vec<&ExceptionId> = all.iter().map(|exception| &exception.id).collect();
            in_cases.extend(store.map_exceptions_to_cases(&ids).await?.into_keys());
            mornings.note(&calendar, moment, at + 1 == moments.len(), &all);
            for exception in all {
                if exception.state != ExceptionState::Resolved {
                    best.insert(occurrence(&exception), exception);
                }
            }
        }
        if let Some(kept) = store.find_digest(day).await? {
            if let Some(folder) = replay.digests {
                let file = folder.join(format!("{day}.txt"));
                std::fs::write(&file, &kept.text).with_context(|| format!("can not write {}", file.display()))?;
            }
            // The random place checks what is below the line; nobody says of it that it is real.
            for line in kept.digest.lines.iter().filter(|l| !l.sampled) {
                let all = store.list_case_exceptions(&line.case_id).await?;
                let open = all.into_iter().filter(|e| e.state == ExceptionState::Open).map(|e| occurrence(&e)).collect();
                shown.push(Shown { case: line.case_id.clone(), exceptions: open });
            }
        }
        days += 1;
        on_day(u64::from(days), total);
        day = plus_days(day, 1);
    }
    let book = config.rules.settled(Book::new(clock.now(), calendar, store.load_records().await?));
    let score = score(&store, &truth, &book, (&best, &in_cases), &shown, days).await?;
    Ok(Score { reads: replay.reads.words(), low_stock: mornings.bands(&book, last), ..score })
}

async fn score(
    store: &Store,
    truth: &Truth,
    book: &Book,
    (exceptions, in_cases): (&BTreeMap<Occurrence, Exception>, &BTreeSet<ExceptionId>),
    shown: &[Shown],
    days: u32,
) -> anyhow::Result<Score> {
    let in_cases: Vec<&Exception> = exceptions.values().filter(|e| in_cases.contains(&e.id)).collect();
    let above: BTreeSet<&Occurrence> = shown.iter().flat_map(|s| &s.exceptions).collect();
    let (mut found, mut seen_above, mut missed, mut alarmed) = (0, 0, Vec::new(), Vec::new());
    let (injected, look_alikes): (Vec<_>, Vec<_>) = truth.events.iter().partition(|e| !e.explained);
    for event in &injected {
        let hits: Vec<&&Exception> = in_cases.iter().filter(|e| event.is_found_by(book, e)).collect();
        if hits.is_empty() {
            missed.push(format!("{} {}", event.id, event.class));
        } else {
            found += 1;
            seen_above += u32::from(hits.iter().any(|e| above.contains(&occurrence(e))));
        }
    }
    for event in &look_alikes {
        // What an injected anomaly explains as well is not the look-alike's alarm.
        let alarm = in_cases.iter().find(|e| {
            e.state != ExceptionState::Explained
                && event.is_found_by(book, e)
                && !injected.iter().any(|other| other.is_shown_by(book, e))
        });
        alarmed.extend(alarm.map(|e| format!("{} {}: {}", event.id, event.class, e.signal.headline)));
    }
    // As docs/LIVED.md counts it: about an injected anomaly, or a shortage whose place did run out.
    let real = |id: &Occurrence| {
        exceptions.get(id).is_some_and(|e| ran_out(book, e) || injected.iter().any(|event| event.is_shown_by(book, e)))
    };
    let mut false_collapses: Vec<String> = in_cases
        .iter()
        .filter(|e| e.signal.code == ExceptionType::DCollapse && e.state != ExceptionState::Explained)
        .filter(|e| !real(&occurrence(e)))
        .map(|e| format!("{} {}", book.calendar.day_of(e.first_seen), e.signal.headline))
        .collect();
    false_collapses.sort();
    let mut cases: BTreeMap<&CaseId, bool> = BTreeMap::new();
    let mut lines_real = 0;
    for line in shown {
        let is_real = line.exceptions.iter().any(real);
        lines_real += u32::from(is_real);
        *cases.entry(&line.case).or_insert(false) |= is_real;
    }
    let (mut by_type, mut false_cases): (BTreeMap<String, (u32, u32)>, Vec<String>) = Default::default();
    for (id, is_real) in &cases {
        let case = store.get_case(id).await?;
        let slot = by_type.entry(case.codes.first().map_or_else(String::new, |c| c.code().to_owned())).or_default();
        slot.0 += 1;
        slot.1 += u32::from(*is_real);
        if !is_real {
            false_cases.push(format!("{} {}", book.calendar.day_of(case.opened_at), case.headline));
        }
    }
    false_cases.sort();
    Ok(Score {
        reads: String::new(),
        false_collapses,
        days,
        injected: injected.len() as u32,
        found,
        shown: seen_above,
        missed,
        look_alikes: look_alikes.len() as u32,
        alarmed,
        lines: shown.len() as u32,
        lines_real,
        cases: cases.len() as u32,
        cases_real: cases.values().filter(|real| **real).count() as u32,
        false_cases,
        by_type,
        low_stock: Vec::new(),
    })
}
