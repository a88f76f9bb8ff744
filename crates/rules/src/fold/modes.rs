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
    /// What leaves undecided cases of this mode, and to where.
    leaves: BTreeMap<ExceptionId, Mode>,
    /// Names the rules under which something moved.
    occasion: String,
}

impl Side {
    /// A case without what has another mode now. A decided one keeps what was decided on.
    pub(super) fn without_what_leaves(&self, case: &Case) -> Case {
        let mut case = case.clone();
        if case.state.is_pending() {
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
        let moved = self.moved.contains(id).then_some(self.occasion.as_str());
        shadow.into_iter().chain(moved).collect()
    }

    /// The state of a new case.
    pub(super) fn opens_in(&self) -> CaseState {
        if self.mode == Mode::Shadow { CaseState::Shadow } else { CaseState::New }
    }

    /// What the log calls its opening.
    pub(super) fn opening(&self) -> &'static str {
        if self.mode == Mode::Shadow { "case.shadowed" } else { "case.opened" }
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
    let mut now: BTreeMap<ExceptionId, Mode> = BTreeMap::new();
    for signal in signals {
        let mode = mode_of(&signal);
        now.insert(signal.exception_id(), mode);
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
        let is_seen = now.contains_key(&exception.id);
        let mode = now.get(&exception.id).copied().unwrap_or_else(|| mode_of(&exception.signal));
        let before = std::mem::replace(&mut exception.mode, mode);
        let waits = held.get(&exception.id).copied();
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
                exception.state = ExceptionState::Resolved;
                ended.push(exception);
            }
            continue;
        };
        match waits {
            Some(true) if is_seen => {
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
        folded.entries.extend(one.entries);
        folded.all_seen &= one.all_seen;
    }
    // What was written anew above is newer than what was ended here.
    ended.retain(|exception| !folded.exceptions.iter().any(|other| other.id == exception.id));
    folded.exceptions.extend(ended);
    folded
}

/// Whatever an undecided case holds, and whether that could still be decided in time.
fn held(cases: &[Case], look: &Look) -> BTreeMap<ExceptionId, bool> {
    let today = look.calendar.day_of(look.at);
    let in_time = |case: &Case| case.rank.as_ref().is_none_or(|rank| rank.deadline > today);
    let pending = cases.iter().filter(|case| case.state.is_pending());
    pending.flat_map(|case| case.exceptions.iter().map(move |id| (id.clone(), in_time(case)))).collect()
}
