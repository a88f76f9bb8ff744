//! Folding: signals into exceptions by fingerprint, exceptions into cases by root cause (handbook §1, §8). Pure.
//!
//! A new signal with a known fingerprint updates its exception and leaves the case's notes, owner and snooze alone. Two
//! exceptions that share a link share a root cause and so a case. An exception resolves itself when its condition has been
//! false for two looks in a row, a case when all its exceptions have. A look is one at the source that ended well; looking
//! again at what one look brought is no second one.
//!
//! Missing data are another matter: what was last seen on a day that had not been read to its close, and is gone now that it
//! has, was born of what was not there yet. It is over at once, and so is a fault of the data (D-DATA).
//!
//! A case that people have not been told of leaves no trace when it goes: the log has nothing of it, and what it held passes to
//! another case or is over.

mod joined;
mod links;
pub mod modes;
pub mod returns;
mod telling;

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use self::links::{Linked, case_links, link, of_links};
use self::modes::Side;
use self::returns::Returns;
use self::telling::is_run;
use crate::detect::roots::is_root;
use reeve_domain::audit::AuditEntry;
use reeve_domain::calendar::Calendar;
use reeve_domain::case::{Case, CaseState};
use reeve_domain::exception::{Exception, ExceptionState, ExceptionType as T, Signal};
use reeve_domain::ids::{CaseId, ExceptionId, LocationId, content_id};

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
    /// Cases that nobody was told of and that are gone, with the version they were read at.
    pub gone: Vec<(CaseId, i64)>,
    /// One entry for each case that people were told of and that ended or took another in.
    pub entries: Vec<AuditEntry>,
    /// Was every open exception seen? Then the same signals again change nothing.
    pub all_seen: bool,
}

/// Folds `signals` seen at `now` into what is known, with everything read up to then. `live` are the cases that are not over;
/// `known` all exceptions.
pub fn fold(now: Timestamp, signals: Vec<Signal>, known: Vec<Exception>, live: Vec<Case>) -> Folded {
    let (calendar, calendars) = (Calendar::utc(), BTreeMap::new());
    let look = Look { at: now, calendar, calendars, read_up_to: now, before: None };
    fold_after(&Returns::default(), &look, signals, known, live)
}

/// The same after people turned some down: what they did not want to see opens no case, unless it has grown.
pub fn fold_after(returns: &Returns, look: &Look, signals: Vec<Signal>, known: Vec<Exception>, live: Vec<Case>) -> Folded {
    fold_side(Side::default(), returns, look, signals, known, live)
}

/// Folds what is of one mode, with the exceptions and cases of that mode only.
fn fold_side(
    side: Side,
    returns: &Returns,
    look: &Look,
    signals: Vec<Signal>,
    known: Vec<Exception>,
    live: Vec<Case>,
) -> Folded {
    let mut work = Work::new(look, side, known, live);
    work.quiet.clone_from(&returns.quiet);
    work.signed.clone_from(&returns.signed);
    let mut signals: Vec<Signal> = signals.into_iter().filter(|signal| work.is_news_or_waits(signal)).collect();
    signals.sort_by_cached_key(Signal::fingerprint);
    let seen: BTreeSet<ExceptionId> = signals.iter().map(Signal::exception_id).collect();
    let mut fresh: Vec<ExceptionId> = signals.into_iter().filter_map(|signal| work.see(signal)).collect();
    // Looking again at what one look brought is no second look: only a new one lets exceptions end.
    if look.is_new() {
        work.miss(&seen, look);
    }
    // What has come back without having been away (it has only grown) is not new, and needs a case all the same.
    let back = returns.back.iter().chain(work.side.moved.iter().filter(|id| !returns.back.contains(*id)));
    let grown = back.filter(|id| seen.contains(id) && !work.case_of.contains_key(id));
    let grown: Vec<ExceptionId> = grown.filter(|id| !fresh.contains(id)).cloned().collect();
    fresh.extend(grown);
    // Roots first: their symptoms join them, and open no case of their own.
    fresh.sort_by_key(|id| !is_root(work.exceptions[id].signal.code));
    work.know_cases();
    for id in fresh {
        work.place(&id);
    }
    // Only now is it known which cases there are: roots take in what waits for them, and what has nothing left ends.
    work.gather_symptoms();
    work.close_over();
    let all_seen = work.exceptions.values().all(|e| e.state != ExceptionState::Open || seen.contains(&e.id));
    Folded { all_seen, ..work.finish() }
}

struct Work {
    now: Timestamp,
    calendar: Calendar,
    /// Of which mode all of it is, and what comes from another or goes there.
    side: Side,
    exceptions: BTreeMap<ExceptionId, Exception>,
    changed: BTreeSet<ExceptionId>,
    cases: BTreeMap<CaseId, (Case, Option<Case>)>,
    case_of: BTreeMap<ExceptionId, CaseId>,
    /// Cases of runs of losses or returns, by the links that they were written with.
    runs: Linked,
    /// Cases by the exceptions that they hold, and by the links of those that are open.
    holding: BTreeMap<ExceptionId, BTreeSet<CaseId>>,
    linked: Linked,
    /// What people turned down and what is not worth much more since: it may join a case, but opens none.
    quiet: BTreeSet<ExceptionId>,
    /// Cases of which somebody has signed something: they stay by themselves.
    signed: BTreeSet<CaseId>,
    gone: Vec<(CaseId, i64)>,
    entries: Vec<AuditEntry>,
}

impl Work {
    fn new(look: &Look, side: Side, known: Vec<Exception>, live: Vec<Case>) -> Self {
        let left: Vec<Case> = live.iter().map(|case| side.without_what_leaves(case)).collect();
        let before = live;
        let live = left;
        let mut case_of = BTreeMap::new();
        let mut runs = Linked::new();
        for case in &live {
            for id in &case.exceptions {
                case_of.insert(id.clone(), case.id.clone());
            }
            if case.codes.iter().any(|code| is_run(*code)) {
                link(&mut runs, &case.links, &case.id);
            }
        }
        Self {
            now: look.at,
            calendar: look.calendar.clone(),
            changed: side.moved.clone(),
            side,
            exceptions: known.into_iter().map(|e| (e.id.clone(), e)).collect(),
            cases: live.into_iter().zip(before).map(|(case, before)| (case.id.clone(), (case, Some(before)))).collect(),
            case_of,
            runs,
            holding: BTreeMap::new(),
            linked: Linked::new(),
            quiet: BTreeSet::new(),
            signed: BTreeSet::new(),
            gone: Vec::new(),
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
        // It waited in another mode.
        if self.side.moved.contains(&id) {
            return true;
        }
        let is_open = self.exceptions.get(&id).is_some_and(|e| e.state == ExceptionState::Open);
        let own = self.case_of.get(&id).and_then(|case| self.cases.get(case)).map(|(case, _)| case).filter(|_| is_open);
        // A run of losses or returns is named by its beginning. Where that leaves the window the run has another name, and its case
        // is the one that it shares a link with.
        let same = |case: &&Case| is_run(signal.code) && case.codes.contains(&signal.code) && case.state.may_grow();
        let linked = || of_links(&self.runs, &signal.links).into_iter().filter_map(|id| self.cases.get(id));
        #[cfg(test)]
        assert_eq!(linked().map(|(case, _)| &case.id).collect::<Vec<_>>(), self.runs_by_scan(signal));
        let case = own.or_else(|| linked().map(|(case, _)| case).find(same));
        case.is_some_and(|case| match case.state {
            CaseState::Snoozed { .. } => true,
            _ => case.state.may_grow() && case.rank.as_ref().is_some_and(|rank| rank.deadline > today),
        })
    }

    /// Takes a signal in. Gives the exception's id when it needs a case: it is new, or has come back.
    fn see(&mut self, signal: Signal) -> Option<ExceptionId> {
        let id = signal.exception_id();
        let state = if signal.explained.is_some() { ExceptionState::Explained } else { ExceptionState::Open };
        let before = self.exceptions.get(&id).map(|e| e.state);
        // What was over and is seen again begins anew; what changes between open and explained has been there all the time.
        let first_seen = match (self.exceptions.get(&id), before) {
            (Some(old), Some(ExceptionState::Open | ExceptionState::Explained)) => old.first_seen,
            _ => self.now,
        };
        let exception =
            Exception { id: id.clone(), signal, state, first_seen, last_seen: self.now, misses: 0, mode: self.side.mode };
        // That it was seen again a minute later is nothing to be written down.
        if self.exceptions.get(&id).is_none_or(|old| self.differ(old, &exception)) {
            self.changed.insert(id.clone());
        }
        self.exceptions.insert(id.clone(), exception);
        (state == ExceptionState::Open && before != Some(ExceptionState::Open)).then_some(id)
    }

    fn differ(&self, old: &Exception, new: &Exception) -> bool {
        let day = |e: &Exception| self.calendar.day_of(e.last_seen);
        old.signal != new.signal
            || old.state != new.state
            || old.mode != new.mode
            || old.misses != new.misses
            || day(old) != day(new)
    }

    /// Counts a miss for every open exception without a signal.
    fn miss(&mut self, seen: &BTreeSet<ExceptionId>, look: &Look) {
        for (id, exception) in &mut self.exceptions {
            if exception.state == ExceptionState::Open && !seen.contains(id) {
                // Records come late and in pieces: one look without it may be such a piece, two are not.
                let was_seen = exception.misses == 0;
                exception.misses += 1;
                if exception.misses >= MISSES || (was_seen && look.fills_in(&exception.signal)) {
                    exception.state = ExceptionState::Resolved;
                }
                self.changed.insert(id.clone());
            }
        }
    }

    /// Puts down which cases there are by what they hold, before exceptions are placed: from now on no state changes.
    fn know_cases(&mut self) {
        for (case, _) in self.cases.values() {
            for id in &case.exceptions {
                self.holding.entry(id.clone()).or_default().insert(case.id.clone());
            }
            link(&mut self.linked, &case_links(case, &self.exceptions), &case.id);
        }
    }

    /// The same for a case that has come to hold an exception.
    fn hold(&mut self, case: &CaseId, id: &ExceptionId) {
        self.holding.entry(id.clone()).or_default().insert(case.clone());
        if let Some(exception) = self.exceptions.get(id).filter(|e| e.state == ExceptionState::Open) {
            link(&mut self.linked, &exception.signal.links, case);
        }
    }

    /// Finds or opens the case of an exception.
    fn place(&mut self, id: &ExceptionId) {
        let exception = &self.exceptions[id];
        let mut candidates = of_links(&self.linked, &exception.signal.links);
        candidates.extend(self.holding.get(id).into_iter().flatten());
        // The oldest of several: its owner, notes and reminders have been there longest.
        let found = candidates
            .into_iter()
            .filter_map(|id| self.cases.get(id))
            .map(|(case, _)| case)
            .filter(|case| case.state.may_grow())
            // An overdue order is not hidden in what somebody has put off, nor added to what is half signed.
            .filter(|case| exception.signal.code != T::SOverdue || self.takes_in(case))
            .min_by_key(|case| (case.opened_at, case.id.clone()))
            .map(|case| case.id.clone());
        #[cfg(test)]
        assert_eq!(found, self.found_by_scan(id));
        if let Some(case_id) = found {
            self.case_of.insert(id.clone(), case_id.clone());
            if let Some((case, _)) = self.cases.get_mut(&case_id)
                && !case.exceptions.contains(id)
            {
                case.exceptions.push(id.clone());
                self.hold(&case_id, id);
            }
            return;
        }
        // It may be told of in another's case, but people have said that it deserves none.
        if self.quiet.contains(id) {
            return;
        }
        let signal = &exception.signal;
        // The moment is in the id, so that what comes back after years is another case than the one of then.
        let opened = self.now.as_millisecond().to_string();
        let fingerprint = signal.fingerprint();
        let mut named = vec![fingerprint.as_str(), opened.as_str()];
        named.extend(self.side.names(id));
        let case_id = CaseId(content_id("case-", &named, 12));
        let case = Case {
            id: case_id.clone(),
            version: 1,
            state: self.side.opens_in(),
            exceptions: vec![id.clone()],
            codes: vec![signal.code],
            subject: signal.subject.clone(),
            links: signal.links.clone(),
            headline: signal.headline.clone(),
            rank: None,
            evidence_hash: None,
            owner: None,
            wanted: false,
            opened_at: self.now,
            updated_at: self.now,
        };
        // What is live is untold until it is drafted.
        if self.side.is_shadow() {
            let mut detail = serde_json::json!({ "exception": fingerprint });
            if self.side.moved.contains(id) {
                detail["because"] = format!("its scope is {} now", self.side.mode).into();
            }
            self.entries.push(entry(self.now, "case.shadowed", &case, detail));
        }
        self.case_of.insert(id.clone(), case_id.clone());
        self.hold(&case_id, id);
        self.cases.insert(case_id, (case, None));
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
            gone: self.gone,
            entries: self.entries,
            ..Folded::default()
        }
    }
}

fn entry(now: Timestamp, action: &str, case: &Case, detail: serde_json::Value) -> AuditEntry {
    AuditEntry::by_stage("detect", now, action, format!("case:{}", case.id)).with(detail)
}

#[cfg(test)]
mod tests;
