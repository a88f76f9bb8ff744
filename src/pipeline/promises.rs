//! What transfers of other cases take from a donor, so that no two cases are given the same units.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::action::{Action, Candidate};
use crate::domain::book::Place;
use crate::domain::decision::RecommendationState;
use crate::domain::ids::{CaseId, ItemId, LocationId};
use crate::domain::money::Quantity;
use crate::domain::recommendation::Recommendation;
use crate::rules::assess::Assessment;
use crate::store::{Store, StoreError};

/// States in which a recommendation's units are promised.
const FIRM: &[&str] = &["signed", "forwarded", "escalated", "approved", "approved_with_edit", "handed_off"];

/// Items, or cases, that one statement names.
const NAMED: usize = 400;

/// Donors' units that transfers claim, by case: two open recommendations may not claim the same stock (handbook §5).
#[derive(Clone, Debug, Default)]
pub struct Promises {
    by_donor: BTreeMap<Place, Vec<(CaseId, Quantity)>>,
    /// Cases that have a promise.
    owners: BTreeSet<CaseId>,
}

impl Promises {
    /// Those that a person has signed or approved and that the ERP does not show yet.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn firm(store: &Store) -> anyhow::Result<Self> {
        let signed = store.list_recommendations_in(FIRM).await?;
        Self::standing(store, signed.into_iter().map(|(rec, _)| rec)).await
    }

    /// The same as far as they take units of these items.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn firm_on(store: &Store, items: &BTreeSet<ItemId>) -> anyhow::Result<Self> {
        let firm = takers(store, FIRM, items, &[]).await?;
        Self::standing(store, firm).await
    }

    /// What these promise as far as they are not done or lost.
    async fn standing(store: &Store, signed: impl IntoIterator<Item = Recommendation>) -> anyhow::Result<Self> {
        // What is wrong on purpose promises nothing.
        let drills = store.drill_recommendations().await?;
        let mut firm = Self::default();
        for rec in signed.into_iter().filter(|r| !drills.contains(&r.id)) {
            // A step of a plan that has moved its goods, or never will, needs no more of the donor.
            let found = if rec.candidate.is_plan() { store.find_outcome(&rec.id).await? } else { None };
            let found = found.map(|outcome| outcome.found.steps).unwrap_or_default();
            let settled = |step: u32| found.iter().any(|f| f.step == step && f.state != RecommendationState::HandedOff);
            for step in rec.candidate.steps().filter(|step| !settled(step.number)) {
                firm.add(&rec.case_id, step.action);
            }
        }
        Ok(firm)
    }

    /// The firm ones with whatever else waits for a decision as its case's first choice, as far as they take units of these items.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn proposed_on(store: &Store, items: &BTreeSet<ItemId>) -> anyhow::Result<Self> {
        let drills = store.drill_recommendations().await?;
        let mut queued = takers(store, &["queued"], items, &[]).await?;
        // What stands below it is proposed instead of it, and takes nothing beside it.
        queued.retain(|rec| rec.rank == 1 && !drills.contains(&rec.id));
        // A case that has a firm promise, of whatever item, makes no other.
        let cases: Vec<&CaseId> = queued.iter().map(|rec| &rec.case_id).collect();
        let firm = takers(store, FIRM, items, &cases).await?;
        let mut all = Self::standing(store, firm).await?;
        for rec in queued {
            if !all.owners.contains(&rec.case_id) {
                all.add_all(&rec.case_id, &rec.candidate);
            }
        }
        Ok(all)
    }

    /// Adds what a case would take as its first choice, unless the case has a promise already.
    pub(super) fn promise(&mut self, case: &CaseId, best: Vec<(Place, Quantity)>) {
        if !self.owners.contains(case) {
            for (donor, quantity) in best {
                self.put(case, donor, quantity);
            }
        }
    }

    /// Adds what every step of a plan takes.
    fn add_all(&mut self, case: &CaseId, plan: &Candidate) {
        plan.actions().for_each(|action| self.add(case, action));
    }

    pub(super) fn add(&mut self, case: &CaseId, action: &Action) {
        if let Some((donor, quantity)) = taken_from(action) {
            self.put(case, donor, quantity);
        }
    }

    fn put(&mut self, case: &CaseId, donor: Place, quantity: Quantity) {
        self.by_donor.entry(donor).or_default().push((case.clone(), quantity));
        self.owners.insert(case.clone());
    }

    /// What is promised to other cases than `case`, by donor.
    pub fn to_others(&self, case: &CaseId) -> BTreeMap<Place, Quantity> {
        sums(self.by_donor.iter(), case)
    }

    /// The same of the donors of some items.
    pub fn to_others_on(&self, case: &CaseId, items: &BTreeSet<ItemId>) -> BTreeMap<Place, Quantity> {
        let of = |item: &ItemId| {
            let item = item.clone();
            // No place's id sorts before the empty one: the range begins with the item's first donor.
            let from = (item.clone(), LocationId::new(""));
            self.by_donor.range(from..).take_while(move |((of, _), _)| *of == item)
        };
        sums(items.iter().flat_map(of), case)
    }
}

fn sums<'p>(
    promises: impl Iterator<Item = (&'p Place, &'p Vec<(CaseId, Quantity)>)>,
    case: &CaseId,
) -> BTreeMap<Place, Quantity> {
    let to_others = |promised: &[(CaseId, Quantity)]| {
        let mut others = promised.iter().filter(|(owner, _)| owner != case).map(|(_, quantity)| *quantity).peekable();
        others.peek().is_some().then(|| others.sum())
    };
    promises.filter_map(|(donor, promised)| Some((donor.clone(), to_others(promised)?))).collect()
}

/// What a case takes of its donors as its first choice: of the best action, if that is worth anything.
pub(super) fn first_choice(assessment: &Assessment) -> Vec<(Place, Quantity)> {
    let best = assessment.candidates.first();
    let best = best.filter(|c| assessment.abstain.is_none() && c.money.benefit.expected.minor > 0);
    best.into_iter().flat_map(Candidate::actions).filter_map(taken_from).collect()
}

/// The recommendations that take units of these items, or of anything in these cases, each once.
async fn takers(
    store: &Store,
    states: &[&str],
    items: &BTreeSet<ItemId>,
    cases: &[&CaseId],
) -> Result<Vec<Recommendation>, StoreError> {
    let items: Vec<&ItemId> = items.iter().collect();
    let mut found = BTreeMap::new();
    for some in items.chunks(NAMED) {
        for rec in store.list_takers(states, some, &[]).await? {
            found.insert(rec.id.clone(), rec);
        }
    }
    for some in cases.chunks(NAMED) {
        for rec in store.list_takers(states, &[], some).await? {
            found.insert(rec.id.clone(), rec);
        }
    }
    Ok(found.into_values().collect())
}

/// The donor that an action takes units from, and how many.
pub(super) fn taken_from(action: &Action) -> Option<(Place, Quantity)> {
    let (item, from, quantity) = action.donor()?;
    Some(((item.clone(), from.clone()), quantity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ItemId, LocationId};

    #[test]
    fn a_donors_units_are_promised_to_one_case_and_not_to_itself() {
        let (item, from) = (ItemId::new("7"), LocationId::new("1"));
        let transfer = |units: i64| Action::Transfer {
            item: item.clone(),
            from: from.clone(),
            to: LocationId::new("2"),
            quantity: Quantity::units(units),
            ship_on: "2026-10-09".parse().unwrap(),
        };
        let mut promises = Promises::default();
        promises.add(&CaseId::new("a"), &transfer(20));
        promises.add(&CaseId::new("b"), &transfer(5));
        promises.add(&CaseId::new("c"), &Action::NoAction { reason: "x".to_owned() });
        let donor = (item.clone(), from.clone());
        let left = |case: &str| promises.to_others(&CaseId::new(case)).get(&donor).copied().unwrap_or(Quantity::ZERO);
        assert_eq!((left("a"), left("b"), left("c")), (Quantity::units(5), Quantity::units(20), Quantity::units(25)));
    }
}
