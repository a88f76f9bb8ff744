//! Which facts each figure of a money sum rests on, so that under a figure stands what it uses and nothing else.
//!
//! What is at stake is made of parts, and the workings name the fact that says each. What is cited by one action and not by the others
//! is about that action: its cost, its regret, or what it leaves. Everything else that is cited is what those figures were computed
//! from in turn.

use std::collections::{BTreeMap, BTreeSet};

use super::sums::Cite;
use crate::domain::action::Candidate;
use crate::domain::evidence::Bundle;
use crate::domain::ids::FactId;

/// The facts under each figure.
#[derive(Default)]
pub struct Uses {
    /// Under the probability.
    pub p: Vec<Cite>,
    /// Under the loss if nothing is done.
    pub loss_now: Vec<Cite>,
    /// Under the loss that remains.
    pub loss_after: Vec<Cite>,
    /// Under what the action costs.
    pub cost: Vec<Cite>,
    /// Under what a false alarm would cost.
    pub regret: Vec<Cite>,
    /// What the loss was computed from.
    pub inputs: Vec<Cite>,
}

/// What a fact says something about, by how the rules name it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum About {
    P,
    Cost,
    Regret,
    Rest,
}

fn about(id: &FactId) -> About {
    let field = id.as_str().rsplit_once('/').map_or("", |(_, field)| field);
    match field {
        "p_real" => About::P,
        _ if field.starts_with("cost_") => About::Cost,
        _ if field.starts_with("regret_") || field.starts_with("risk_") => About::Regret,
        _ => About::Rest,
    }
}

/// Sorts what a candidate cites. `shared` is what every action of the case cites; `cites` are the facts that there are.
pub(super) fn uses(
    candidate: &Candidate,
    bundle: Option<&Bundle>,
    shared: &BTreeSet<&FactId>,
    cites: &BTreeMap<&str, Cite>,
) -> Uses {
    let workings = bundle.and_then(|bundle| bundle.workings.as_deref());
    let parts: BTreeSet<&FactId> =
        workings.iter().flat_map(|workings| workings.parts.values()).filter_map(|part| part.fact.as_ref()).collect();
    let mut uses = Uses::default();
    let mut seen = BTreeSet::new();
    for id in candidate.cites.iter().filter(|id| seen.insert(*id)) {
        let Some(cite) = cites.get(id.as_str()).cloned() else { continue };
        // Of a single action nothing is shared, so nothing can be told apart by it.
        let own = !shared.is_empty() && !shared.contains(id);
        let place = match about(id) {
            About::P => &mut uses.p,
            About::Cost => &mut uses.cost,
            About::Regret => &mut uses.regret,
            About::Rest if parts.contains(id) => &mut uses.loss_now,
            About::Rest if own => &mut uses.loss_after,
            About::Rest => &mut uses.inputs,
        };
        place.push(cite);
    }
    // Evidence without workings does not say which of its facts are the loss: they stand under it, as they did.
    if parts.is_empty() {
        uses.loss_now.append(&mut uses.inputs);
    }
    uses
}

/// What all of some candidates cite; nothing where there is but one, for then nothing tells its own from the rest.
pub(super) fn shared<'c>(mut all: impl Iterator<Item = &'c Candidate>) -> BTreeSet<&'c FactId> {
    let Some(first) = all.next() else { return BTreeSet::new() };
    let mut shared: BTreeSet<&FactId> = first.cites.iter().collect();
    let mut others = 0;
    for candidate in all {
        let cites: BTreeSet<&FactId> = candidate.cites.iter().collect();
        shared.retain(|id| cites.contains(id));
        others += 1;
    }
    if others == 0 { BTreeSet::new() } else { shared }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{Action, MoneySum, Range};
    use crate::domain::money::Money;

    fn candidate(cites: &[&str]) -> Candidate {
        Candidate {
            id: "A1".into(),
            action: Action::NoAction { reason: String::new() },
            summary: String::new(),
            money: MoneySum::nothing(0.9, Range::default()),
            value: Money::ZERO,
            latest_date: "2026-10-10".parse().unwrap(),
            checks: vec![],
            cites: cites.iter().map(|id| FactId::new(*id)).collect(),
            then: vec![],
        }
    }

    #[test]
    fn under_a_figure_stands_what_it_uses() {
        let loss = ["case:c/p_real", "item:75/lost_margin@3", "item:75/shortage_units@3"];
        let own = ["item:75/transferable@1", "item:75/cost_transfer@1-3", "item:75/risk_transfer@1-3"];
        let all: Vec<&str> = loss.into_iter().chain(own).chain([loss[0]]).collect();
        let (transfer, nothing) = (candidate(&all), candidate(&loss));
        let cite = |id: &&'static str| (*id, Cite { anchor: String::new(), label: (*id).to_owned(), value: String::new() });
        let cites: BTreeMap<&str, Cite> = loss.iter().chain(&own).map(cite).collect();
        let shared = shared([&transfer, &nothing].into_iter());
        let names = |cites: &[Cite]| cites.iter().map(|cite| cite.label.clone()).collect::<Vec<_>>();
        let found = uses(&transfer, None, &shared, &cites);
        assert_eq!((names(&found.p), names(&found.cost)), (vec![loss[0].to_owned()], vec![own[1].to_owned()]));
        assert_eq!((names(&found.loss_after), names(&found.regret)), (vec![own[0].to_owned()], vec![own[2].to_owned()]));
        assert_eq!(names(&found.loss_now), [loss[1], loss[2]], "without workings, what is left");
        assert!(found.inputs.is_empty());

        let mut workings = crate::domain::workings::Workings::default();
        let part =
            crate::domain::workings::Part { fact: Some(FactId::new(loss[1])), made: crate::domain::workings::Made::Certain };
        workings.parts.insert("lost:75@3".into(), part);
        let bundle = Bundle {
            case_id: crate::domain::ids::CaseId::new("c"),
            version: 1,
            as_of: jiff::Timestamp::UNIX_EPOCH,
            facts: BTreeMap::new(),
            missing: vec![],
            workings: Some(Box::new(workings)),
        };
        let found = uses(&transfer, Some(&bundle), &shared, &cites);
        assert_eq!((names(&found.loss_now), names(&found.inputs)), (vec![loss[1].to_owned()], vec![loss[2].to_owned()]));
    }

    #[test]
    fn of_one_action_alone_nothing_is_told_apart() {
        assert!(shared([&candidate(&["item:75/cost"])].into_iter()).is_empty());
        let (a, b) = (candidate(&["a/x", "a/y"]), candidate(&["a/y", "a/z"]));
        assert_eq!(shared([&a, &b].into_iter()), BTreeSet::from([&FactId::new("a/y")]));
    }
}
