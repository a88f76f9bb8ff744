//! Recheck: the checks of any action, edited or not, on the book as it is now (handbook §5: when drafted, again when queued,
//! again when the approver clicks).
//!
//! The assessment runs the same functions, so a candidate that was stored passed them on the book it was drafted on.

use std::collections::{BTreeMap, BTreeSet};

use super::assess;
use super::view::CaseView;
use crate::domain::action::{Action, Check};
use crate::domain::evidence::{Bundle, Fact};
use crate::domain::exception::Signal;
use crate::domain::ids::FactId;
use crate::domain::recommendation::Recommendation;

/// All checks of `action`, hard ones first. The action is legal when every hard one passed.
pub fn recheck(view: &CaseView<'_>, action: &Action) -> Vec<Check> {
    assess::checks_of(view, action)
}

/// What of the facts that a recommendation cites reads otherwise by now: "on hand: 40 then, 12 now".
///
/// Some facts depend on which other cases wait in this moment (whose transfer takes the same donor's units first), and a
/// click must not be refused for that: so a fact has moved only if it reads otherwise in each of `views`, which see the same
/// book with and without what others merely propose. `signals` is what the detectors see in it.
pub fn moved(views: &[CaseView<'_>], signals: &[Signal], frozen: &Bundle, recommendation: &Recommendation) -> Vec<String> {
    let cited: BTreeSet<&FactId> = recommendation.candidate.cites.iter().chain(&recommendation.prose.cites).collect();
    let now: Vec<BTreeMap<FactId, Fact>> = views.iter().map(|view| facts_of(view, signals)).collect();
    let reads = |id: &FactId| now.iter().filter_map(|facts| facts.get(id)).collect::<Vec<_>>();
    let said = views.iter().flat_map(|view| view.exceptions).flat_map(|e| &e.signal.facts);
    let signalled: BTreeSet<&FactId> = said.map(|fact| &fact.id).collect();
    let mut moved = Vec::new();
    for then in cited.into_iter().filter_map(|id| frozen.facts.get(id)) {
        let fresh = reads(&then.id);
        match fresh.first() {
            Some(one) if fresh.iter().all(|fact| fact.value != then.value) => {
                moved.push(format!("{}: {} then, {} now", then.label, then.value.show(), one.value.show()));
            }
            // What a detector said and no detector says any more: the problem itself may have gone.
            None if signalled.contains(&then.id) => {
                moved.push(format!("{}: {} then, no longer seen", then.label, then.value.show()));
            }
            _ => {}
        }
    }
    moved
}

fn facts_of(view: &CaseView<'_>, signals: &[Signal]) -> BTreeMap<FactId, Fact> {
    let own: BTreeSet<String> = view.exceptions.iter().map(|e| e.signal.fingerprint()).collect();
    let seen = signals.iter().filter(|s| own.contains(&s.fingerprint())).flat_map(|s| s.facts.clone());
    seen.chain(assess::assess(view).facts).map(|fact| (fact.id.clone(), fact)).collect()
}

/// The hard checks that failed: why an action may not go on.
pub fn failures(checks: &[Check]) -> Vec<&Check> {
    checks.iter().filter(|c| c.hard && !c.passed).collect()
}
