//! Modes in folding: what is live is folded as if nothing else were there, and what is in shadow apart from it.
//!
//! Every exception is of the mode that its scope has now. One whose scope has another mode than before leaves the undecided case
//! that held it and has a case opened where it has come to. What people have decided goes on as it was.

use std::collections::{BTreeMap, BTreeSet};

use super::returns::Returns;
use super::{Folded, Look, fold_side};
use reeve_domain::case::{Case, CaseState};
use reeve_domain::exception::{Exception, ExceptionState, Signal};
use reeve_domain::ids::ExceptionId;
use reeve_domain::mode::Mode;

/// What is folded together, and what it has to do with the rest.
#[derive(Debug, Default)]
pub(super) struct Side {
    /// The mode of all of it.
    pub(super) mode: Mode,
    /// What came here from an undecided case of another mode.
    pub(super) moved: BTreeSet<ExceptionId>,
    /// What came here in any way. A case of it has the occasion in its id: it may have had one in this mode at this moment already.
    came: BTreeSet<ExceptionId>,
    /// What leaves undecided cases of this mode, and to where.
    leaves: BTreeMap<ExceptionId, Mode>,
    /// Names the rules under which something moved.
    occasion: String,
}

impl Side {
    /// A case without what has another mode now. A decided one keeps what was decided on.
    pub(super) fn without_what_leaves(&self, case: &Case) -> Case {
        let mut case = case.clone();
        if case.state.may_grow() {
            case.exceptions.retain(|id| !self.leaves.contains_key(id));
        }
        case
    }

    /// Where what a case held has gone, where it held something that left.
    pub(super) fn emptied(&self, before: &[ExceptionId]) -> Option<(Mode, Vec<ExceptionId>)> {
        let gone: Vec<ExceptionId> = before.iter().filter(|id| self.leaves.contains_key(*id)).cloned().collect();
        let to = gone.iter().filter_map(|id| self.leaves.get(id)).max().copied()?;
        Some((to, gone))
    }

    /// What the id of a case is made of beside its beginning: one exception may open several in the same moment.
    pub(super) fn names(&self, id: &ExceptionId) -> Vec<&str> {
        let shadow = (self.mode == Mode::Shadow).then_some("shadow");
        let moved = self.came.contains(id).then_some(self.occasion.as_str());
        shadow.into_iter().chain(moved).collect()
    }

    /// Is it what nobody is told of whatever becomes of it?
    pub(super) fn is_shadow(&self) -> bool {
        self.mode == Mode::Shadow
    }

    /// The state of a new case.
    pub(super) fn opens_in(&self) -> CaseState {
        if self.is_shadow() { CaseState::Shadow } else { CaseState::New }
    }
}

/// Folds each mode by itself. `mode_of` says where a signal is now; `occasion` names the rules that say so.
///
/// Where everything is and was live, it is [`super::fold_after`].
pub fn fold_in_modes(
    mode_of: &dyn Fn(&Signal) -> Mode,
    occasion: &str,
    (returns, look): (&Returns, &Look),
    signals: Vec<Signal>,
    known: Vec<Exception>,
    cases: Vec<Case>,
) -> Folded {
    let mut parted: BTreeMap<Mode, Vec<Signal>> = BTreeMap::new();
    // Where each is now, and whether it is out of the ordinary.
    let mut now: BTreeMap<ExceptionId, (Mode, bool)> = BTreeMap::new();
    for signal in signals {
        let mode = mode_of(&signal);
        now.insert(signal.exception_id(), (mode, signal.explained.is_none()));
        parted.entry(mode).or_default().push(signal);
    }
    let held = held(&cases, look);
    let mut sides: BTreeMap<Mode, (Side, Vec<Exception>, Vec<Case>)> = BTreeMap::new();
    for mode in [Mode::Shadow, Mode::Live] {
        let side = Side { mode, occasion: occasion.to_owned(), ..Side::default() };
        sides.insert(mode, (side, Vec::new(), Vec::new()));
    }
    let mut ended = Vec::new();
    for mut exception in known {
        let seen = now.get(&exception.id).copied();
        let mode = match seen {
            Some((mode, _)) => mode,
            // What is over is asked for when it is seen again.
            None if exception.state == ExceptionState::Resolved => exception.mode,
            None => mode_of(&exception.signal),
        };
        let was = std::mem::replace(&mut exception.mode, mode);
        let waits = held.get(&exception.id).map(|(in_time, _)| *in_time);
        // By the case that holds it, where one waits: an undo brings a case back when its exceptions have moved already.
        let elsewhere = held.get(&exception.id).and_then(|(_, sides)| sides.iter().find(|side| **side != mode)).copied();
        let before = elsewhere.unwrap_or(was);
        if before == mode {
            // What is off and resolved stays as it is.
            if let Some((_, known, _)) = sides.get_mut(&mode) {
                known.push(exception);
            }
            continue;
        }
        if waits.is_some()
            && let Some((side, ..)) = sides.get_mut(&before)
        {
            side.leaves.insert(exception.id.clone(), mode);
        }
        let Some((side, known, _)) = sides.get_mut(&mode) else {
            if exception.state != ExceptionState::Resolved {
                // What a decision was taken on stays open, so that it gets no second case when its scope is live again.
                if waits.is_some() || exception.state == ExceptionState::Explained {
                    exception.state = ExceptionState::Resolved;
                }
                ended.push(exception);
            }
            continue;
        };
        side.came.insert(exception.id.clone());
        match waits {
            Some(true) if seen.is_some_and(|(_, is_odd)| is_odd) => {
                side.moved.insert(exception.id.clone());
            }
            // Whatever is not there now begins anew when it is seen again, and so gets a case.
            Some(_) => {
                exception.state = ExceptionState::Resolved;
                ended.push(exception.clone());
            }
            None => {}
        }
        known.push(exception);
    }
    for case in cases {
        let mode = if case.state.is_shadow() { Mode::Shadow } else { Mode::Live };
        if let Some((_, _, of)) = sides.get_mut(&mode) {
            of.push(case);
        }
    }
    let mut folded = Folded { all_seen: true, ..Folded::default() };
    // Live first: what it says stands in the log as it would alone.
    for (mode, (side, known, cases)) in sides.into_iter().rev() {
        let signals = parted.remove(&mode).unwrap_or_default();
        let one = fold_side(side, returns, look, signals, known, cases);
        folded.exceptions.extend(one.exceptions);
        folded.cases.extend(one.cases);
        folded.gone.extend(one.gone);
        folded.entries.extend(one.entries);
        folded.all_seen &= one.all_seen;
    }
    // What was written anew above is newer than what was ended here.
    ended.retain(|exception| !folded.exceptions.iter().any(|other| other.id == exception.id));
    folded.exceptions.extend(ended);
    folded
}

/// Whatever an undecided case holds, whether that could still be decided in time, and the modes of the cases that hold it.
fn held(cases: &[Case], look: &Look) -> BTreeMap<ExceptionId, (bool, BTreeSet<Mode>)> {
    let today = look.calendar.day_of(look.at);
    let in_time = |case: &Case| case.rank.as_ref().is_none_or(|rank| rank.deadline > today);
    let pending = cases.iter().filter(|case| case.state.may_grow());
    let mut held: BTreeMap<ExceptionId, (bool, BTreeSet<Mode>)> = BTreeMap::new();
    for case in pending {
        let side = if case.state.is_shadow() { Mode::Shadow } else { Mode::Live };
        for id in &case.exceptions {
            let (could_be, sides) = held.entry(id.clone()).or_default();
            *could_be |= in_time(case);
            sides.insert(side);
        }
    }
    held
}

#[cfg(test)]
mod tests {
    use super::super::tests::{at, rank, signal, that_matter};
    use super::*;
    use reeve_domain::audit::AuditEntry;
    use reeve_domain::calendar::Calendar;
    use reeve_domain::case_life::CaseEvent;
    use reeve_domain::exception::ExceptionType as T;
    use reeve_domain::ids::{CaseId, ItemId};

    /// What was folded, as a store would keep it.
    #[derive(Clone, Debug, Default, PartialEq)]
    struct Kept {
        exceptions: BTreeMap<ExceptionId, Exception>,
        cases: BTreeMap<CaseId, Case>,
        entries: Vec<AuditEntry>,
        before: Option<jiff::Timestamp>,
    }

    impl Kept {
        fn look(&self, day: i64) -> Look {
            let (calendar, calendars) = (Calendar::utc(), BTreeMap::new());
            Look { at: at(day), calendar, calendars, read_up_to: at(day), before: self.before }
        }

        fn open(&self) -> (Vec<Exception>, Vec<Case>) {
            let open = |case: &&Case| case.state.is_live() || case.state == CaseState::Shadow;
            (self.exceptions.values().cloned().collect(), self.cases.values().filter(open).cloned().collect())
        }

        /// As the store would, with every new case drafted.
        fn keep(&mut self, day: i64, folded: Folded) {
            self.before = Some(at(day));
            assert!(folded.gone.is_empty(), "every case was drafted");
            self.exceptions.extend(folded.exceptions.into_iter().map(|e| (e.id.clone(), e)));
            for (case, seen) in folded.cases {
                let before = self.cases.insert(case.id.clone(), case);
                assert_eq!(before.map(|case| case.version), seen, "a case is opened once and changed from what it was");
            }
            self.entries.extend(folded.entries);
            for case in self.cases.values_mut().filter(|case| case.state == CaseState::New) {
                case.state = CaseState::Open;
            }
        }

        fn fold(&mut self, modes: impl Fn(&str) -> Mode, occasion: &str, day: i64, signals: Vec<Signal>) {
            let (known, cases) = self.open();
            let mode_of = |signal: &Signal| modes(signal.subject.item.as_ref().map_or("", ItemId::as_str));
            let look = self.look(day);
            let returns = Returns::default();
            let of_few = that_matter(&known, &signals, &cases);
            let of_few = fold_in_modes(&mode_of, occasion, (&returns, &look), signals.clone(), of_few, cases.clone());
            let folded = fold_in_modes(&mode_of, occasion, (&returns, &look), signals, known, cases);
            assert_eq!(format!("{of_few:?}"), format!("{folded:?}"), "nothing comes of what the store leaves out");
            self.keep(day, folded);
        }

        fn fold_plain(&mut self, day: i64, signals: Vec<Signal>) {
            let (known, cases) = self.open();
            let folded = super::super::fold_after(&Returns::default(), &self.look(day), signals, known, cases);
            self.keep(day, folded);
        }

        /// What of it is live.
        fn live(mut self) -> Self {
            self.exceptions.retain(|_, exception| exception.mode.is_live());
            self.cases.retain(|_, case| !case.state.is_shadow());
            let shadow = |entry: &AuditEntry| entry.action.contains("shadow") || entry.action == "case.took_in";
            let live: Vec<String> = self.cases.keys().map(|id| format!("case:{id}")).collect();
            self.entries.retain(|entry| !shadow(entry) || live.contains(&entry.subject));
            self
        }

        fn states(&self) -> Vec<&'static str> {
            let mut names: Vec<_> = self.cases.values().map(|case| case.state.name()).collect();
            names.sort_unstable();
            names
        }

        fn actions(&self) -> Vec<&str> {
            self.entries.iter().map(|entry| &*entry.action).collect()
        }
    }

    fn short() -> Vec<Signal> {
        vec![signal(T::IOut, "1", "shortage:1@3")]
    }

    proptest::proptest! {
        #[test]
        fn what_is_live_is_folded_as_if_shadow_and_off_were_not_there(
            days in proptest::collection::vec(proptest::collection::vec((0_usize..6, 0_u8..6, 0_u8..4, 0_u8..4), 0..9), 1..7),
        ) {
            const CODES: [T; 6] = [T::IOut, T::SOverdue, T::IShrink, T::DReturn, T::RShort, T::ILow];
            let mode = |item: &str| match item {
                "0" | "1" => Mode::Shadow,
                "2" => Mode::Off,
                _ => Mode::Live,
            };
            let (mut all, mut live) = (Kept::default(), Kept::default());
            for (day, seen) in (0_i64..).zip(days) {
                // Links are shared between all of them: nothing may cross.
                let signals = seen.into_iter().map(|(code, item, one, other)| {
                    let signal = signal(CODES[code], &item.to_string(), &format!("shortage:{one}@3"));
                    signal.link(format!("books:{other}@3"))
                });
                let signals: Vec<Signal> = signals.collect();
                let of_live = |signal: &&Signal| mode(signal.subject.item.as_ref().unwrap().as_str()).is_live();
                live.fold_plain(day, signals.iter().filter(of_live).cloned().collect());
                all.fold(mode, "rules", day, signals);
                proptest::prop_assert_eq!(&all.clone().live(), &live);
                let shadow: Vec<&Case> = all.cases.values().filter(|case| case.state.is_shadow()).collect();
                for exception in shadow.iter().flat_map(|case| &case.exceptions) {
                    proptest::prop_assert_eq!(all.exceptions[exception].mode, Mode::Shadow);
                }
            }
        }
    }

    #[test]
    fn what_stands_in_shadow_has_a_live_case_when_its_scope_is_live() {
        let mut kept = Kept::default();
        kept.fold(|_| Mode::Shadow, "1", 1, short());
        assert_eq!(kept.states(), ["shadow"]);
        // The same look again: only the modes are others.
        kept.fold(|_| Mode::Live, "2", 1, short());
        assert_eq!(kept.states(), ["open", "shadow_over"]);
        // Its opening is told when it is drafted.
        assert_eq!(kept.actions(), ["case.shadowed", "case.shadow_over"]);
        assert_eq!(kept.entries[1].detail["because"], "its scope is live now");
        // And back, and live again, all in one moment.
        kept.fold(|_| Mode::Shadow, "3", 1, short());
        kept.fold(|_| Mode::Live, "4", 1, short());
        assert_eq!(kept.states(), ["open", "shadow_over", "shadow_over", "withdrawn"]);
        kept.fold(|_| Mode::Live, "4", 2, short());
        assert_eq!(kept.cases.len(), 4, "the same again changes nothing");
    }

    #[test]
    fn what_is_put_off_or_undecided_is_withdrawn_and_what_was_decided_goes_on() {
        for (event, ends) in [(None, "withdrawn"), (Some(CaseEvent::Approve), "decided")] {
            let mut kept = Kept::default();
            kept.fold(|_| Mode::Live, "1", 1, short());
            for case in kept.cases.values_mut() {
                case.rank = Some(rank(at(9).to_zoned(jiff::tz::TimeZone::UTC).date(), 100));
                if let Some(event) = event.clone() {
                    case.state = case.state.clone().after(event).unwrap();
                }
            }
            kept.fold(|_| Mode::Off, "2", 1, short());
            assert_eq!(kept.states(), [ends]);
            let exception = kept.exceptions.values().next().unwrap();
            let over = exception.state == ExceptionState::Resolved;
            assert_eq!((over, exception.mode), (ends == "withdrawn", Mode::Off));
            kept.fold(|_| Mode::Off, "2", 2, short());
            assert_eq!(kept.cases.len(), 1);
            // Live again: what was off begins anew.
            kept.fold(|_| Mode::Live, "3", 3, short());
            assert_eq!(kept.cases.len(), if ends == "decided" { 1 } else { 2 }, "a case that goes on holds it");
        }
    }

    #[test]
    fn what_an_undo_brings_back_goes_where_its_scope_has_gone_meanwhile() {
        for (mode, states) in [(Mode::Shadow, &["shadow", "withdrawn"][..]), (Mode::Off, &["withdrawn"])] {
            let mut kept = Kept::default();
            kept.fold(|_| Mode::Live, "1", 1, short());
            let first = kept.cases.keys().next().unwrap().clone();
            let moved = |kept: &mut Kept, event: CaseEvent| {
                let case = kept.cases.get_mut(&first).unwrap();
                case.state = case.state.clone().after(event).unwrap();
            };
            moved(&mut kept, CaseEvent::Approve);
            kept.fold(|_| mode, "2", 2, short());
            assert_eq!(kept.cases[&first].state, CaseState::Decided, "what was decided goes on");
            moved(&mut kept, CaseEvent::Undo);
            kept.fold(|_| mode, "2", 3, short());
            assert_eq!(kept.states(), states);
            assert!(!kept.actions().contains(&"case.resolved_itself"), "nothing went away: {:?}", kept.actions());
        }
    }

    #[test]
    fn a_case_that_keeps_something_live_stays_without_what_is_not() {
        let both = || vec![signal(T::IOut, "1", "shortage:1@3"), signal(T::DSpike, "2", "shortage:1@3")];
        let mut kept = Kept::default();
        kept.fold(|_| Mode::Live, "1", 1, both());
        assert_eq!(kept.cases.len(), 1);
        let second = |item: &str| if item == "2" { Mode::Shadow } else { Mode::Live };
        kept.fold(second, "2", 1, both());
        assert_eq!(kept.states(), ["open", "shadow"]);
        assert!(kept.cases.values().all(|case| case.exceptions.len() == 1), "{:?}", kept.cases);
        assert_eq!(kept.cases.values().find(|case| case.state == CaseState::Open).unwrap().codes, [T::IOut]);
    }
}
