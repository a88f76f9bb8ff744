//! Folding: signals into exceptions by fingerprint, exceptions into cases by root cause (handbook §1, §8). Pure.
//!
//! A new signal with a known fingerprint updates its exception and leaves the case's notes, owner and snooze alone. Two
//! exceptions that share a link share a root cause and so a case. An exception resolves itself when its condition has been
//! false for two looks in a row, a case when all its exceptions have. A look is one at the source that ended well; looking
//! again at what one look brought is no second one.
//!
//! Missing data are another matter: what was last seen on a day that had not been read to its close, and is gone now that it
//! has, was born of what was not there yet. It is over at once, and so is a fault of the data (D-DATA).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::roots::{is_root, is_symptom};
use super::turned_down::TurnedDown;
use crate::domain::audit::AuditEntry;
use crate::domain::calendar::Calendar;
use crate::domain::case::{Case, CaseState};
use crate::domain::case_life::CaseEvent;
use crate::domain::exception::{Exception, ExceptionState, ExceptionType as T, Signal};
use crate::domain::ids::{CaseId, ExceptionId, LocationId, content_id};

/// Looks in a row without its condition after which an exception is over.
const MISSES: u32 = 2;

/// When and on what the detectors have looked.
#[derive(Clone, Debug)]
pub struct Look {
    /// When.
    pub at: Timestamp,
    /// In which days.
    pub calendar: Calendar,
    /// In which days of their own locations count that are listed.
    pub calendars: BTreeMap<LocationId, Calendar>,
    /// Up to where the records were read.
    pub read_up_to: Timestamp,
    /// Up to where they were read when the detectors looked before; None the first time.
    pub before: Option<Timestamp>,
}

impl Look {
    /// Has the source been read since the detectors looked before? Only then what is gone has been looked for anew.
    fn is_new(&self) -> bool {
        self.before != Some(self.read_up_to)
    }

    /// Could an exception that was seen the last time rest on what had not been read yet, and has been now?
    fn fills_in(&self, signal: &Signal) -> bool {
        let own = signal.subject.location.as_ref().and_then(|location| self.calendars.get(location));
        let close = own.unwrap_or(&self.calendar).close_of(signal.to);
        signal.code == T::DData || self.before.is_some_and(|before| before < close && close <= self.read_up_to)
    }
}

/// What folding changed, to be written in one transaction.
#[derive(Debug, Default)]
pub struct Folded {
    /// New and changed exceptions.
    pub exceptions: Vec<Exception>,
    /// New (no version) and changed cases with the version they were read at.
    pub cases: Vec<(Case, Option<i64>)>,
    /// One entry for each case that was opened or ended.
    pub entries: Vec<AuditEntry>,
    /// Was every open exception seen? Then the same signals again change nothing.
    pub all_seen: bool,
}

/// Folds `signals` seen at `now` into what is known, with everything read up to then. `live` are the cases that are not over;
/// `known` all exceptions.
pub fn fold(now: Timestamp, signals: Vec<Signal>, known: Vec<Exception>, live: Vec<Case>) -> Folded {
    let (calendar, calendars) = (Calendar::utc(), BTreeMap::new());
    let look = Look { at: now, calendar, calendars, read_up_to: now, before: None };
    fold_after(&TurnedDown::default(), &look, signals, known, live)
}

/// The same after people turned some down: what they did not want to see opens no case, unless it has grown.
pub fn fold_after(
    turned_down: &TurnedDown,
    look: &Look,
    signals: Vec<Signal>,
    known: Vec<Exception>,
    live: Vec<Case>,
) -> Folded {
    let mut work = Work::new(look, known, live);
    work.quiet.clone_from(&turned_down.quiet);
    work.signed.clone_from(&turned_down.signed);
    let mut signals: Vec<Signal> = signals.into_iter().filter(|signal| work.is_news_or_waits(signal)).collect();
    signals.sort_by_key(Signal::fingerprint);
    let seen: BTreeSet<ExceptionId> = signals.iter().map(Signal::exception_id).collect();
    let mut fresh: Vec<ExceptionId> = signals.into_iter().filter_map(|signal| work.see(signal)).collect();
    if look.is_new() {
        work.miss(&seen, look);
    }
    let grown = turned_down.back.iter().filter(|id| seen.contains(id) && !work.case_of.contains_key(id));
    let grown: Vec<ExceptionId> = grown.filter(|id| !fresh.contains(id)).cloned().collect();
    fresh.extend(grown);
    // Roots first: their symptoms join them, and open no case of their own.
    fresh.sort_by_key(|id| !is_root(work.exceptions[id].signal.code));
    for id in fresh {
        work.place(&id);
    }
    work.gather_symptoms();
    work.close_over();
    let all_seen = work.exceptions.values().all(|e| e.state != ExceptionState::Open || seen.contains(&e.id));
    Folded { all_seen, ..work.finish() }
}

struct Work {
    now: Timestamp,
    calendar: Calendar,
    exceptions: BTreeMap<ExceptionId, Exception>,
    changed: BTreeSet<ExceptionId>,
    cases: BTreeMap<CaseId, (Case, Option<Case>)>,
    case_of: BTreeMap<ExceptionId, CaseId>,
    /// What people turned down and what is not worth much more since: it may join a case, but opens none.
    quiet: BTreeSet<ExceptionId>,
    /// Cases of which somebody has signed something: they stay by themselves.
    signed: BTreeSet<CaseId>,
    entries: Vec<AuditEntry>,
}

impl Work {
    fn new(look: &Look, known: Vec<Exception>, live: Vec<Case>) -> Self {
        let mut case_of = BTreeMap::new();
        for case in &live {
            for id in &case.exceptions {
                case_of.insert(id.clone(), case.id.clone());
            }
        }
        Self {
            now: look.at,
            calendar: look.calendar.clone(),
            exceptions: known.into_iter().map(|e| (e.id.clone(), e)).collect(),
            changed: BTreeSet::new(),
            cases: live.into_iter().map(|case| (case.id.clone(), (case.clone(), Some(case)))).collect(),
            case_of,
            quiet: BTreeSet::new(),
            signed: BTreeSet::new(),
            entries: Vec::new(),
        }
    }

    /// Is it recent enough to open a case, or has it one that waits for a decision that can still be made in time? What is put off
    /// waits in any case.
    fn is_news_or_waits(&self, signal: &Signal) -> bool {
        let today = self.calendar.day_of(self.now);
        if signal.opens_until.is_none_or(|last| today <= last) {
            return true;
        }
        let id = signal.exception_id();
        let is_open = self.exceptions.get(&id).is_some_and(|e| e.state == ExceptionState::Open);
        let own = self.case_of.get(&id).and_then(|case| self.cases.get(case)).map(|(case, _)| case).filter(|_| is_open);
        // A run of losses or returns is named by its beginning. Where that leaves the window the run has another name, and its case
        // is the one that it shares a link with.
        let same = |case: &&Case| {
            matches!(signal.code, T::IShrink | T::DReturn)
                && case.codes.contains(&signal.code)
                && case.state.is_undecided()
                && signal.links.iter().any(|link| case.links.contains(link))
        };
        let case = own.or_else(|| self.cases.values().map(|(case, _)| case).find(same));
        case.is_some_and(|case| match case.state {
            CaseState::Snoozed { .. } => true,
            _ => case.state.is_undecided() && case.rank.as_ref().is_some_and(|rank| rank.deadline > today),
        })
    }

    /// Takes a signal in. Gives the exception's id when it needs a case: it is new, or has come back.
    fn see(&mut self, signal: Signal) -> Option<ExceptionId> {
        let id = signal.exception_id();
        let state = if signal.explained.is_some() { ExceptionState::Explained } else { ExceptionState::Open };
        let before = self.exceptions.get(&id).map(|e| e.state);
        let first_seen = match (self.exceptions.get(&id), before) {
            (Some(old), Some(ExceptionState::Open | ExceptionState::Explained)) => old.first_seen,
            _ => self.now,
        };
        let exception = Exception { id: id.clone(), signal, state, first_seen, last_seen: self.now, misses: 0 };
        // That it was seen again a minute later is nothing to be written down.
        if self.exceptions.get(&id).is_none_or(|old| self.differ(old, &exception)) {
            self.changed.insert(id.clone());
        }
        self.exceptions.insert(id.clone(), exception);
        (state == ExceptionState::Open && before != Some(ExceptionState::Open)).then_some(id)
    }

    fn differ(&self, old: &Exception, new: &Exception) -> bool {
        let day = |e: &Exception| self.calendar.day_of(e.last_seen);
        old.signal != new.signal || old.state != new.state || old.misses != new.misses || day(old) != day(new)
    }

    /// Counts a miss for every open exception without a signal.
    fn miss(&mut self, seen: &BTreeSet<ExceptionId>, look: &Look) {
        for (id, exception) in &mut self.exceptions {
            if exception.state == ExceptionState::Open && !seen.contains(id) {
                let was_seen = exception.misses == 0;
                exception.misses += 1;
                if exception.misses >= MISSES || (was_seen && look.fills_in(&exception.signal)) {
                    exception.state = ExceptionState::Resolved;
                }
                self.changed.insert(id.clone());
            }
        }
    }

    /// Finds or opens the case of an exception.
    fn place(&mut self, id: &ExceptionId) {
        let exception = &self.exceptions[id];
        let joins =
            |case: &Case| exception.signal.links.iter().any(|link| case_links(case, &self.exceptions).contains(link));
        let found = self
            .cases
            .values()
            .map(|(case, _)| case)
            .filter(|case| case.state.is_undecided() && (case.exceptions.contains(id) || joins(case)))
            // An overdue order is not hidden in what somebody has put off, nor added to what is half signed.
            .filter(|case| exception.signal.code != T::SOverdue || self.takes_in(case))
            .min_by_key(|case| (case.opened_at, case.id.clone()))
            .map(|case| case.id.clone());
        if let Some(case_id) = found {
            self.case_of.insert(id.clone(), case_id.clone());
            if let Some((case, _)) = self.cases.get_mut(&case_id)
                && !case.exceptions.contains(id)
            {
                case.exceptions.push(id.clone());
            }
            return;
        }
        if self.quiet.contains(id) {
            return;
        }
        let signal = &exception.signal;
        let opened = self.now.as_millisecond().to_string();
        let case_id = CaseId(content_id("case-", &[&signal.fingerprint(), &opened], 12));
        let case = Case {
            id: case_id.clone(),
            version: 1,
            state: CaseState::New,
            exceptions: vec![id.clone()],
            codes: vec![signal.code],
            subject: signal.subject.clone(),
            links: signal.links.clone(),
            headline: signal.headline.clone(),
            rank: None,
            evidence_hash: None,
            owner: None,
            opened_at: self.now,
            updated_at: self.now,
        };
        self.entries.push(entry(self.now, "case.opened", &case, serde_json::json!({ "exception": signal.fingerprint() })));
        self.case_of.insert(id.clone(), case_id.clone());
        self.cases.insert(case_id, (case, None));
    }

    /// Takes the cases of symptoms into the case of their root, so that one decision ends them all. What somebody has put off,
    /// signed or decided stays where it is, and so does what has a root of its own.
    fn gather_symptoms(&mut self) {
        let mut roots: Vec<(Timestamp, CaseId)> = self
            .cases
            .values()
            .filter(|(case, _)| self.takes_in(case) && !self.root_links(case).is_empty())
            .map(|(case, _)| (case.opened_at, case.id.clone()))
            .collect();
        roots.sort();
        for (_, root) in roots {
            let links = self.root_links(&self.cases[&root].0);
            let joins = |case: &Case| {
                self.takes_in(case)
                    && case.id != root
                    && self.root_links(case).is_empty()
                    && !case_links(case, &self.exceptions).is_disjoint(&links)
            };
            let symptoms: Vec<CaseId> =
                self.cases.values().map(|(case, _)| case).filter(|case| joins(case)).map(|case| case.id.clone()).collect();
            for symptom in symptoms {
                self.merge(&symptom, &root);
            }
        }
    }

    /// Does a case wait, and has nobody signed anything of it? Only then can it be folded with another.
    fn takes_in(&self, case: &Case) -> bool {
        matches!(case.state, CaseState::New | CaseState::Open) && !self.signed.contains(&case.id)
    }

    /// The shortages that roots in a case stand for.
    fn root_links(&self, case: &Case) -> BTreeSet<String> {
        case.exceptions
            .iter()
            .filter_map(|id| self.exceptions.get(id))
            .filter(|e| e.state == ExceptionState::Open && is_root(e.signal.code))
            .flat_map(|e| e.signal.links.iter().filter(|link| link.starts_with("shortage:")).cloned())
            .collect()
    }

    fn merge(&mut self, from: &CaseId, into: &CaseId) {
        let Some((case, _)) = self.cases.get_mut(from) else { return };
        let Ok(merged) = case.state.clone().after(CaseEvent::Merge { into: into.clone() }) else { return };
        case.state = merged;
        let moved = case.exceptions.clone();
        let detail = serde_json::json!({ "into": into, "exceptions": moved, "because": "the order that it waits for" });
        self.entries.push(entry(self.now, "case.merged", case, detail));
        let Some((root, _)) = self.cases.get_mut(into) else { return };
        for id in moved {
            if !root.exceptions.contains(&id) {
                root.exceptions.push(id.clone());
            }
            self.case_of.insert(id, into.clone());
        }
        self.entries.push(entry(self.now, "case.took_in", root, serde_json::json!({ "from": from })));
    }

    /// Brings every case up to date with its exceptions, and ends those that have none left.
    fn close_over(&mut self) {
        for (case, _) in self.cases.values_mut() {
            if matches!(case.state, CaseState::Merged { .. }) {
                continue;
            }
            let open: Vec<&Exception> = case
                .exceptions
                .iter()
                .filter_map(|id| self.exceptions.get(id))
                .filter(|e| e.state == ExceptionState::Open)
                .collect();
            if open.is_empty() {
                if let Ok(resolved) = case.state.clone().after(CaseEvent::Resolve) {
                    case.state = resolved;
                    self.entries.push(entry(self.now, "case.resolved_itself", case, serde_json::json!({})));
                }
                continue;
            }
            let mut telling: Vec<&Exception> = open.clone();
            let symptoms: BTreeSet<&String> =
                open.iter().filter(|e| is_symptom(e.signal.code)).flat_map(|e| &e.signal.links).collect();
            let carries =
                |e: &Exception| is_root(e.signal.code) && e.signal.links.iter().any(|link| symptoms.contains(link));
            telling.sort_by_key(|e| {
                let rank = if carries(e) { telling_rank(T::IOut) } else { telling_rank(e.signal.code) };
                (rank, !is_root(e.signal.code), e.first_seen, e.id.clone())
            });
            let mut codes: Vec<T> = Vec::new();
            for exception in &telling {
                if !codes.contains(&exception.signal.code) {
                    codes.push(exception.signal.code);
                }
            }
            case.codes = codes;
            case.subject = telling[0].signal.subject.clone();
            case.headline = telling[0].signal.headline.clone();
            let links: BTreeSet<String> = open.iter().flat_map(|e| e.signal.links.iter().cloned()).collect();
            // A decided case counts no losses that came after the decision: whoever runs short now has a case of its own.
            let counted = |link: &String| case.state.is_undecided() || case.links.contains(link);
            case.links = links.into_iter().filter(counted).collect();
        }
    }

    fn finish(self) -> Folded {
        let now = self.now;
        let cases = self
            .cases
            .into_values()
            .filter_map(|(mut case, before)| match before {
                None => Some((case, None)),
                Some(before) if before == case => None,
                Some(before) => {
                    case.version = before.version + 1;
                    case.updated_at = now;
                    Some((case, Some(before.version)))
                }
            })
            .collect();
        let mut exceptions = self.exceptions;
        Folded {
            exceptions: self.changed.iter().filter_map(|id| exceptions.remove(id)).collect(),
            cases,
            entries: self.entries,
            ..Folded::default()
        }
    }
}

/// The links of a case's open exceptions, as they are now: a signal may have gained one since the case was written.
fn case_links(case: &Case, exceptions: &BTreeMap<ExceptionId, Exception>) -> BTreeSet<String> {
    case.exceptions
        .iter()
        .filter_map(|id| exceptions.get(id))
        .filter(|e| e.state == ExceptionState::Open)
        .flat_map(|e| e.signal.links.iter().cloned())
        .collect()
}

/// Which exception of a case leads: what is being decided before what caused it, certain before likely. An order that
/// shortages wait for leads them: it is what is decided on.
fn telling_rank(code: T) -> u8 {
    match code {
        T::MMaster | T::DData => 0,
        T::RDup | T::RUom | T::FDupBill => 1,
        T::IOut => 2,
        T::RShort | T::FQty | T::FPrice | T::ROver | T::RDamage | T::RUnplanned | T::RAsn => 3,
        T::ILow | T::OOversell => 4,
        T::SDelay | T::SOverdue | T::TLate | T::SUnconf | T::RLate | T::REarly | T::SLtShift => 5,
        T::IShrink | T::INeg | T::IPhantom | T::OSync => 6,
        T::ICount | T::IScrap | T::DReturn => 7,
        T::DPromoOver | T::DPromoUnder | T::DSpike | T::DCollapse | T::DShift => 8,
        T::IImbal => 9,
    }
}

fn entry(now: Timestamp, action: &str, case: &Case, detail: serde_json::Value) -> AuditEntry {
    AuditEntry {
        at: now,
        actor: "stage:detect".to_owned(),
        channel: "stage".to_owned(),
        action: action.to_owned(),
        subject: format!("case:{}", case.id),
        content: String::new(),
        detail,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::exception::Subject;
    use crate::domain::ids::ItemId;

    fn at(day: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + day * 86_400).unwrap()
    }

    fn signal(code: T, item: &str, link: &str) -> Signal {
        let day = "2026-10-01".parse().unwrap();
        let subject = Subject::at(&ItemId::new(item), &LocationId::new("3"));
        Signal::rule("test/1", code, subject, "p".to_owned(), (day, day), format!("{code} {item}")).link(link.to_owned())
    }

    /// Keeps what was folded, as the store would.
    #[derive(Default)]
    struct Kept {
        exceptions: BTreeMap<ExceptionId, Exception>,
        cases: BTreeMap<CaseId, Case>,
        before: Option<Timestamp>,
        calendars: BTreeMap<LocationId, Calendar>,
    }

    impl Kept {
        fn fold(&mut self, day: i64, signals: Vec<Signal>) -> Folded {
            self.fold_after(&TurnedDown::default(), day, signals)
        }

        fn fold_after(&mut self, turned_down: &TurnedDown, day: i64, signals: Vec<Signal>) -> Folded {
            self.fold_read_up_to(turned_down, at(day), at(day), signals)
        }

        fn fold_read_up_to(
            &mut self,
            turned_down: &TurnedDown,
            now: Timestamp,
            read_up_to: Timestamp,
            signals: Vec<Signal>,
        ) -> Folded {
            let live = self.cases.values().filter(|c| c.state.is_live()).cloned().collect();
            let known = self.exceptions.values().cloned().collect();
            let calendars = self.calendars.clone();
            let look = Look { at: now, calendar: Calendar::utc(), calendars, read_up_to, before: self.before };
            let folded = fold_after(turned_down, &look, signals, known, live);
            self.before = Some(read_up_to);
            self.exceptions.extend(folded.exceptions.iter().map(|e| (e.id.clone(), e.clone())));
            self.cases.extend(folded.cases.iter().map(|(c, _)| (c.id.clone(), c.clone())));
            folded
        }
    }

    #[test]
    fn what_waits_for_a_decision_does_not_go_away_because_it_is_old() {
        let (today, old) = (Calendar::utc().day_of(at(10)), || {
            vec![signal(T::RDup, "1", "receipt:1").opens_until(Calendar::utc().day_of(at(2)))]
        });
        let mut kept = Kept::default();
        kept.fold(10, old());
        assert!(kept.cases.is_empty(), "long ago is no news");
        let case = |kept: &Kept| kept.cases.values().next().unwrap().clone();
        let decide_by = |kept: &mut Kept, day: jiff::civil::Date| {
            let rank = crate::store::testing::rank(day, 100);
            kept.cases.values_mut().next().unwrap().rank = Some(rank);
        };
        for (days_left, is_live) in [(3, true), (0, false)] {
            let mut kept = Kept::default();
            kept.fold(1, old());
            decide_by(&mut kept, crate::domain::calendar::plus_days(today, days_left));
            for day in 9..=11 {
                kept.fold(day, old());
            }
            assert_eq!(case(&kept).state.is_live(), is_live, "{days_left} days left");
            // What is put right goes at once, however much time there is.
            kept.fold(12, vec![]);
            kept.fold(13, vec![]);
            assert!(!case(&kept).state.is_live());
        }
    }

    #[test]
    fn what_repeats_keeps_its_case_when_its_head_leaves_the_window() {
        let day = |n: i64| Calendar::utc().day_of(at(n));
        let shrink = |since: &str| {
            let signal = signal(T::IShrink, "1", "books:1@3").opens_until(day(2));
            vec![Signal { period: format!("since {since}"), ..signal }]
        };
        let mut kept = Kept::default();
        kept.fold(1, shrink("W40"));
        kept.cases.values_mut().next().unwrap().rank = Some(crate::store::testing::rank(day(30), 100));
        for n in 3..=8 {
            kept.fold(n, shrink(if n < 5 { "W40" } else { "W41" }));
        }
        assert_eq!(kept.cases.values().filter(|case| case.state.is_live()).count(), 1, "{:?}", kept.cases);
        assert_eq!(kept.cases.len(), 1);
    }

    #[test]
    fn one_root_cause_is_one_case() {
        let mut kept = Kept::default();
        kept.fold(
            0,
            vec![
                signal(T::DSpike, "1", "shortage:1@3"),
                signal(T::ILow, "1", "shortage:1@3"),
                signal(T::ILow, "2", "shortage:2@3"),
            ],
        );
        assert_eq!(kept.cases.len(), 2);
        let both = kept.cases.values().find(|c| c.exceptions.len() == 2).unwrap();
        assert_eq!(both.codes, [T::ILow, T::DSpike]);
    }

    #[test]
    fn the_same_signals_again_change_no_case() {
        let mut kept = Kept::default();
        kept.fold(0, vec![signal(T::ILow, "1", "shortage:1@3")]);
        let again = kept.fold(1, vec![signal(T::ILow, "1", "shortage:1@3")]);
        assert!(again.cases.is_empty() && again.entries.is_empty() && again.all_seen);
    }

    #[test]
    fn an_exception_that_stands_is_written_once_a_day() {
        let mut kept = Kept::default();
        let same = || vec![signal(T::ILow, "1", "shortage:1@3")];
        let none = TurnedDown::default();
        let later = |minutes: i64| at(0) + jiff::SignedDuration::from_mins(minutes);
        assert_eq!(kept.fold(0, same()).exceptions.len(), 1);
        assert!(kept.fold_read_up_to(&none, later(1), later(1), same()).exceptions.is_empty());
        let missed = kept.fold_read_up_to(&none, later(2), later(2), vec![]);
        assert_eq!((missed.exceptions[0].misses, missed.all_seen), (1, false));
        assert_eq!(kept.fold_read_up_to(&none, later(3), later(3), same()).exceptions[0].misses, 0);
        assert_eq!(kept.fold(1, same()).exceptions[0].last_seen, at(1), "on which day it was seen is known");
    }

    #[test]
    fn a_case_resolves_itself_after_two_reads_without_its_condition() {
        let mut kept = Kept::default();
        kept.fold(0, vec![signal(T::ILow, "1", "shortage:1@3")]);
        assert!(kept.fold(1, vec![]).cases.is_empty());
        kept.fold(2, vec![]);
        assert_eq!(kept.cases.values().next().unwrap().state, CaseState::ResolvedItself);
        kept.fold(9, vec![signal(T::ILow, "1", "shortage:1@3")]);
        assert_eq!(kept.cases.len(), 2, "what comes back is a new case");
    }

    #[test]
    fn looking_again_at_what_one_look_brought_is_no_second_look() {
        let mut kept = Kept::default();
        kept.fold(0, vec![signal(T::ILow, "1", "shortage:1@3")]);
        let none = TurnedDown::default();
        for minute in 0..5 {
            kept.fold_read_up_to(&none, at(1) + jiff::SignedDuration::from_mins(minute), at(1), vec![]);
        }
        assert_eq!(kept.exceptions.values().next().unwrap().misses, 1, "an event came, and nobody read the source");
        kept.fold_read_up_to(&none, at(2), at(2), vec![]);
        assert_eq!(kept.exceptions.values().next().unwrap().state, ExceptionState::Resolved);
    }

    #[test]
    fn what_missing_data_made_is_over_when_they_come() {
        // Seen on the evening of the day that it tells of; gone when the day has been read to its close.
        let (evening, night) = ("2026-10-01T18:00:00Z".parse().unwrap(), "2026-10-02T00:05:00Z".parse().unwrap());
        let none = TurnedDown::default();
        let state = |kept: &Kept| kept.exceptions.values().next().unwrap().state;
        let mut kept = Kept::default();
        kept.fold_read_up_to(&none, evening, evening, vec![signal(T::DCollapse, "1", "demand:1@3")]);
        kept.fold_read_up_to(&none, night, night, vec![]);
        assert_eq!(state(&kept), ExceptionState::Resolved);
        assert_eq!(kept.cases.values().next().unwrap().state, CaseState::ResolvedItself);
        // Seen when the day was whole, it takes two looks as ever; so it does while the day has not been read to its close.
        let mut kept = Kept::default();
        kept.fold_read_up_to(&none, night, night, vec![signal(T::DCollapse, "1", "demand:1@3")]);
        kept.fold_read_up_to(&none, at(30), at(30), vec![]);
        assert_eq!(state(&kept), ExceptionState::Open);
        let mut kept = Kept::default();
        kept.fold_read_up_to(&none, evening, evening, vec![signal(T::IOut, "1", "shortage:1@3")]);
        let later = evening + jiff::SignedDuration::from_mins(1);
        kept.fold_read_up_to(&none, later, later, vec![]);
        assert_eq!(state(&kept), ExceptionState::Open);
        // A day closes where the thing is: in New York this one has not.
        let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
        let mut kept = Kept::default();
        kept.calendars.insert(LocationId::new("3"), Calendar { timezone: zone, cut_off_hour: 24 });
        kept.fold_read_up_to(&none, evening, evening, vec![signal(T::DCollapse, "1", "demand:1@3")]);
        kept.fold_read_up_to(&none, night, night, vec![]);
        assert_eq!(state(&kept), ExceptionState::Open);
        // A fault of the data itself is over with the data.
        let mut kept = Kept::default();
        kept.fold(30, vec![signal(T::DData, "1", "data:1@3")]);
        kept.fold(31, vec![]);
        assert_eq!(state(&kept), ExceptionState::Resolved);
    }

    #[test]
    fn a_rejected_case_does_not_come_back_while_its_exception_lasts() {
        let mut kept = Kept::default();
        kept.fold(0, vec![signal(T::FPrice, "1", "line:7")]);
        kept.cases.values_mut().for_each(|c| c.state = CaseState::Closed);
        kept.fold(1, vec![signal(T::FPrice, "1", "line:7")]);
        assert_eq!(kept.cases.len(), 1);
    }

    #[test]
    fn what_was_turned_down_and_was_away_comes_back_only_when_it_has_grown() {
        let again = || vec![signal(T::FPrice, "1", "line:7")];
        let id = again()[0].exception_id();
        let mut kept = Kept::default();
        kept.fold(0, again());
        kept.cases.values_mut().for_each(|c| c.state = CaseState::Closed);
        // Its condition is away for two reads, and there again.
        kept.fold(1, vec![]);
        kept.fold(2, vec![]);
        assert_eq!(kept.exceptions[&id].state, ExceptionState::Resolved);
        let quiet = TurnedDown { quiet: BTreeSet::from([id.clone()]), ..TurnedDown::default() };
        for day in 3..6 {
            kept.fold_after(&quiet, day, again());
        }
        assert_eq!(kept.cases.len(), 1, "nobody is asked the same again");
        assert_eq!(kept.exceptions[&id].state, ExceptionState::Open, "it is found all the same");
        let grown = TurnedDown { back: BTreeSet::from([id.clone()]), ..TurnedDown::default() };
        kept.fold_after(&grown, 6, again());
        kept.fold_after(&grown, 7, again());
        assert_eq!(kept.cases.len(), 2, "it is asked once, although it was there all the time");
        // Another stage of the same trouble is another exception.
        kept.cases.values_mut().for_each(|c| c.state = CaseState::Closed);
        kept.fold_after(&quiet, 8, vec![signal(T::FPrice, "1", "line:7"), signal(T::FDupBill, "1", "line:7")]);
        assert_eq!(kept.cases.len(), 3);
    }

    /// An overdue order with its symptoms: each is short at its own place.
    fn overdue(items: &[&str]) -> Signal {
        let links = items.iter().map(|item| format!("shortage:{item}@3"));
        links.fold(signal(T::SOverdue, "order", "timing:75"), Signal::link)
    }

    fn out(item: &str) -> Signal {
        signal(T::IOut, item, &format!("shortage:{item}@3"))
    }

    #[test]
    fn an_overdue_order_is_one_case_with_what_is_short_for_want_of_it() {
        let mut kept = Kept::default();
        let folded = kept.fold(0, vec![overdue(&["1", "2", "4"]), out("1"), out("2"), out("4"), out("5")]);
        assert_eq!(kept.cases.len(), 2, "item 5 waits for something else");
        assert_eq!(folded.entries.len(), 2, "no case is opened to be merged at once");
        let root = kept.cases.values().find(|c| c.exceptions.len() == 4).unwrap();
        assert_eq!((root.codes.as_slice(), root.headline.as_str()), ([T::SOverdue, T::IOut].as_slice(), "S-OVERDUE order"));
    }

    #[test]
    fn symptoms_that_had_a_case_join_the_root_and_decided_ones_stay() {
        let mut kept = Kept::default();
        let all = || vec![out("1"), out("2"), out("4"), out("5"), out("6")];
        kept.fold(0, all());
        let case_of = |kept: &Kept, item: &str| {
            kept.cases.values().find(|c| c.exceptions.contains(&out(item).exception_id())).unwrap().id.clone()
        };
        let (decided, signed, asleep) = (case_of(&kept, "4"), case_of(&kept, "5"), case_of(&kept, "6"));
        kept.cases.get_mut(&decided).unwrap().state = CaseState::Decided;
        let until = "2026-10-20".parse().unwrap();
        let (value_then, wake) = (crate::domain::money::Money::ZERO, crate::domain::decision::WakeCondition::Grew);
        let put_off = CaseState::Snoozed { until, value_then, wake, codes_then: vec![T::IOut] };
        kept.cases.get_mut(&asleep).unwrap().state = put_off.clone();
        let known = TurnedDown { signed: BTreeSet::from([signed.clone()]), ..TurnedDown::default() };
        let now = || [vec![overdue(&["1", "2", "4", "5", "6"])], all()].concat();
        kept.fold_after(&known, 1, now());
        let waiting: Vec<&Case> = kept.cases.values().filter(|c| c.state == CaseState::New).collect();
        assert_eq!(waiting.len(), 2, "the root's and the signed one");
        let root = waiting.iter().find(|c| c.codes.contains(&T::SOverdue)).unwrap();
        assert_eq!(root.exceptions.len(), 3);
        assert_eq!(kept.cases[&decided].state, CaseState::Decided);
        assert_eq!(kept.cases[&asleep].state, put_off);
        let merged =
            kept.cases.values().filter(|c| matches!(&c.state, CaseState::Merged { into } if *into == root.id)).count();
        assert_eq!(merged, 1, "the root joined the older of the two cases and took the other in");
        let again = kept.fold_after(&known, 2, now());
        assert!(again.cases.is_empty() && again.entries.is_empty(), "{:?}", again.entries);
    }

    #[test]
    fn what_runs_short_after_the_root_was_decided_has_a_case_of_its_own() {
        let mut kept = Kept::default();
        kept.fold(0, vec![overdue(&["1"]), out("1")]);
        kept.cases.values_mut().for_each(|c| c.state = CaseState::Decided);
        kept.fold(1, vec![overdue(&["1", "2"]), out("1"), out("2")]);
        assert_eq!(kept.cases.len(), 2);
        let root = kept.cases.values().find(|c| c.state == CaseState::Decided).unwrap();
        assert!(!root.links.contains(&"shortage:2@3".to_owned()), "what it does not decide it does not count");
    }

    #[test]
    fn an_explained_signal_opens_no_case() {
        let mut kept = Kept::default();
        let mut explained = signal(T::DSpike, "1", "demand:1@3");
        explained.explained = Some("on promotion".to_owned());
        kept.fold(0, vec![explained]);
        assert!(kept.cases.is_empty() && kept.exceptions.len() == 1);
    }
}
