//! The [`Recheck`] that runs: looks again at the moment of a decision, on the records as they are then.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;

use super::modes;
use super::moment::Moments;
use super::noise::{propose, weight};
use super::promises::{Promises, taken_from};
use super::recheck::{Promised, Recheck};
use super::scenes::Scenes;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::{Action, Check};
use crate::domain::case::Case;
use crate::domain::exception::{Exception, ExceptionState};
use crate::domain::ids::{ItemId, PersonId};
use crate::domain::mode::Mode;
use crate::domain::money::Quantity;
use crate::domain::policy::Facts;
use crate::domain::recommendation::Recommendation;
use crate::rules::concerned::entered_by;
use crate::rules::place_key;
use crate::rules::policy_facts;
use crate::rules::recheck::{moved, recheck};
use crate::rules::scope;
use crate::store::Store;

/// The second look of every queue and click: at the records for what goes outside, at the decisions for Reeve's own list.
pub struct RecheckOnRecords {
    /// Cases, their exceptions, what was promised.
    pub store: Store,
    /// The rules' settings, and people with their names in the ERP.
    pub config: Arc<Config>,
    /// When it is.
    pub clock: Clock,
    /// The book of this moment.
    pub moments: Arc<Moments>,
}

#[async_trait]
impl Recheck for RecheckOnRecords {
    async fn recheck(&self, case: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>> {
        // What Reeve does itself stands alone.
        if let [action] = steps
            && !action.is_for_the_outside()
        {
            return Ok(vec![propose::checks(&self.store, &self.config, &self.clock, action).await?]);
        }
        let (scenes, items, exceptions) = self.scenes(case).await?;
        let mut promised = Promises::firm_on(&self.store, &items).await?.to_others(&case.id);
        let mut facts = scenes.facts(&self.store, case.clone(), exceptions, promised.clone()).await?;
        let mut checks = Vec::new();
        for action in steps {
            checks.push(recheck(&scenes.scene(&facts), action));
            // What one step takes from a donor is not there for the next.
            if let Some((donor, quantity)) = taken_from(action) {
                *promised.entry(donor).or_insert(Quantity::ZERO) += quantity;
                facts = facts.with_promised(promised.clone());
            }
        }
        Ok(checks)
    }

    async fn moved(&self, case: &Case, recommendation: &Recommendation) -> anyhow::Result<Vec<String>> {
        // Its facts are decisions: no record moves them, and its checks look at them again.
        if !recommendation.candidate.action.is_for_the_outside() {
            return Ok(Vec::new());
        }
        let frozen = self.store.get_bundle(&case.id, &recommendation.evidence_hash).await?;
        let (scenes, items, exceptions) = self.scenes(case).await?;
        let Promised { firm, proposed } = self.promised_on(case, &items).await?;
        // Read twice, with what others merely propose and without: a fact has moved only if it reads otherwise both times.
        let same = firm == proposed;
        let facts = scenes.facts(&self.store, case.clone(), exceptions, firm).await?;
        let with_proposed = facts.clone().with_promised(proposed);
        let mut readings = vec![scenes.scene(&facts)];
        // Where nobody else proposes to take anything, the second reading is the first.
        if !same {
            readings.push(scenes.scene(&with_proposed));
        }
        Ok(moved(&readings, &scenes.moment.seen.signals, &frozen, recommendation))
    }

    async fn promised(&self, case: &Case) -> anyhow::Result<Promised> {
        let moment = self.moments.now().await?;
        let exceptions = self.store.list_case_exceptions(&case.id).await?;
        self.promised_on(case, &scope::of_case(&moment.book, &moment.seen, case, &exceptions)).await
    }

    async fn facts(&self, case: &Case, action: &Action) -> anyhow::Result<Facts> {
        if !action.is_for_the_outside() {
            return Ok(weight::facts_of(&self.store, action).await?);
        }
        let moment = self.moments.now().await?;
        Ok(policy_facts::of(&moment.book, moment.classes(), case, action))
    }

    async fn owner(&self, case: &Case) -> anyhow::Result<Option<PersonId>> {
        let Some(ownership) = self.config.ownership() else { return Ok(None) };
        let moment = self.moments.now_or_half().await?;
        Ok(Some(ownership.of_case(&moment.book, case).clone()))
    }

    async fn concerned(&self, case: &Case) -> anyhow::Result<Vec<PersonId>> {
        let moment = self.moments.now().await?;
        let exceptions = self.store.list_case_exceptions(&case.id).await?;
        let hands = entered_by(&moment.book, case, &exceptions);
        let people = self.config.people.iter().filter(|p| hands.contains(p.erp_user.as_str()));
        Ok(people.map(|p| p.id.clone()).collect())
    }

    async fn mode(&self, case: &Case) -> anyhow::Result<Mode> {
        let modes = modes::in_force(&self.store, &self.config).await?.modes;
        // A proposal about Reeve's own list is of no scope.
        if modes.are_all_live() || case.is_mute_proposal() {
            return Ok(Mode::Live);
        }
        let moment = self.moments.now().await?;
        let exceptions = self.store.list_case_exceptions(&case.id).await?;
        let open = exceptions.iter().filter(|exception| exception.state == ExceptionState::Open);
        let of = open.map(|exception| modes.of(&modes::whereabouts(&moment.book, &exception.signal)));
        Ok(of.max().unwrap_or_default())
    }
}

impl RecheckOnRecords {
    async fn promised_on(&self, case: &Case, items: &BTreeSet<ItemId>) -> anyhow::Result<Promised> {
        let firm = Promises::firm_on(&self.store, items).await?.to_others(&case.id);
        let proposed = Promises::proposed_on(&self.store, items).await?.to_others(&case.id);
        Ok(Promised { firm, proposed })
    }

    /// The scenes of this moment for one case, with what each case that it meets was found to be worth when it was drafted last;
    /// the case's items and exceptions beside it. Nothing is read but what the case is about.
    async fn scenes(&self, case: &Case) -> anyhow::Result<(Scenes, BTreeSet<ItemId>, Vec<Exception>)> {
        let moment = self.moments.now().await?;
        let exceptions = self.store.list_case_exceptions(&case.id).await?;
        let items = scope::of_case(&moment.book, &moment.seen, case, &exceptions);
        // Of all claims only those on shortages of the case's own items: the rest can not change what it is judged on.
        let places = items.iter().flat_map(|item| moment.book.locations.keys().map(move |location| (item, location)));
        let links: Vec<String> = places.map(|(item, location)| place_key::shortage(item, location)).collect();
        let claimed = self.store.list_claims_on(&links).await?;
        Ok((Scenes { moment, config: Arc::clone(&self.config), claimed }, items, exceptions))
    }
}
