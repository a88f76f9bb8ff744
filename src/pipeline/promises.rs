//! What transfers of other cases take from a donor, so that no two cases are given the same units.

use std::collections::BTreeMap;

use crate::domain::action::{Action, Candidate};
use crate::domain::book::Place;
use crate::domain::decision::RecommendationState;
use crate::domain::ids::CaseId;
use crate::domain::money::Quantity;
use crate::rules::assess::Assessment;
use crate::store::Store;

/// Donors' units that transfers claim, by case: two open recommendations may not claim the same stock (handbook §5).
#[derive(Debug, Default)]
pub struct Promises(Vec<(CaseId, Place, Quantity)>);

impl Promises {
    /// Those that a person has signed or approved and that the ERP does not show yet.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn firm(store: &Store) -> anyhow::Result<Self> {
        let signed = store
            .list_recommendations_in(&["signed", "forwarded", "escalated", "approved", "approved_with_edit", "handed_off"])
            .await?;
        // What is wrong on purpose promises nothing.
        let drills = store.drill_recommendations().await?;
        let mut firm = Self::default();
        for (rec, _) in signed.iter().filter(|(r, _)| !drills.contains(&r.id)) {
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

    /// The same with whatever else waits for a decision as its case's first choice.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn proposed(store: &Store) -> anyhow::Result<Self> {
        let mut all = Self::firm(store).await?;
        let drills = store.drill_recommendations().await?;
        for (rec, _) in store.list_recommendations_in(&["queued"]).await? {
            if rec.rank == 1 && !drills.contains(&rec.id) && all.0.iter().all(|(owner, ..)| *owner != rec.case_id) {
                all.add_all(&rec.case_id, &rec.candidate);
            }
        }
        Ok(all)
    }

    /// Adds what a case's best action would take, unless the case has a promise already.
    pub(super) fn first_choice(&mut self, case: &CaseId, assessment: &Assessment) {
        let best =
            assessment.candidates.first().filter(|c| assessment.abstain.is_none() && c.money.benefit.expected.minor > 0);
        if let Some(best) = best.filter(|_| self.0.iter().all(|(owner, ..)| owner != case)) {
            self.add_all(case, best);
        }
    }

    /// Adds what every step of a plan takes.
    fn add_all(&mut self, case: &CaseId, plan: &Candidate) {
        plan.actions().for_each(|action| self.add(case, action));
    }

    pub(super) fn add(&mut self, case: &CaseId, action: &Action) {
        let taken = taken_from(action).map(|(donor, quantity)| (case.clone(), donor, quantity));
        self.0.extend(taken);
    }

    /// What is promised to other cases than `case`, by donor.
    pub fn to_others(&self, case: &CaseId) -> BTreeMap<Place, Quantity> {
        let mut sums = BTreeMap::new();
        for (_, donor, quantity) in self.0.iter().filter(|(owner, ..)| owner != case) {
            *sums.entry(donor.clone()).or_insert(Quantity::ZERO) += *quantity;
        }
        sums
    }
}

/// The donor that an action takes units from, and how many.
pub(super) fn taken_from(action: &Action) -> Option<(Place, Quantity)> {
    let Action::Transfer { item, from, quantity, .. } = action else { return None };
    Some(((item.clone(), from.clone()), *quantity))
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
