//! A case's evidence: put together, held against what people have before them, frozen and hashed.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;

use super::super::answered::{Answered, is_asked, is_undecided, keep_workings, same_facts};
use super::super::scenes::CaseFacts;
use super::Stages;
use super::order::as_read_back;
use super::round::{Assessed, Round};
use crate::domain::action::Candidate;
use crate::domain::case::Case;
use crate::domain::case_life::CaseEvent;
use crate::domain::evidence::{Bundle, Fact, FactChange};
use crate::domain::ids::FactId;
use crate::domain::policy::Policy;
use crate::domain::recommendation::Recommendation;
use crate::rules::assess::{Assessment, RECOMMENDATIONS};
use crate::rules::scene::Scene;

/// A case with its evidence frozen: all that words may be written of.
pub(in crate::pipeline) struct Enriched {
    /// The case's own facts, of which its scene is made.
    pub(in crate::pipeline) facts: CaseFacts,
    /// What could be done, with its money.
    pub(in crate::pipeline) assessment: Assessment,
    /// The evidence, as it is in the store.
    pub(in crate::pipeline) bundle: Bundle,
    /// Its hash.
    pub(in crate::pipeline) hash: String,
    /// The case as it will be once it is drafted: with its rank, its state and this evidence.
    pub(in crate::pipeline) next: Case,
    /// What the case proposes so far, drills left out.
    current: Vec<(Recommendation, i64)>,
    /// Evidence that says the same to the last fact.
    same: BTreeSet<String>,
}

impl Enriched {
    /// What people have answered on this evidence.
    pub(in crate::pipeline) fn answered(&self) -> Answered<'_> {
        Answered::on(&self.hash, &self.same, &self.current)
    }
}

/// What a case's turn found.
pub(in crate::pipeline) enum Found {
    /// Everything that people have before them stands.
    Unchanged,
    /// Only its rank has moved, and was written.
    Ranked,
    /// It has evidence that is to be drafted.
    Frozen(Box<Enriched>),
}

impl Round<'_> {
    /// Puts a case's evidence together, and freezes it where anything that people would read of it is another. `is_stale`: must this
    /// proposal be written anew, though its evidence stands?
    ///
    /// # Errors
    /// Says what could not be read or written; a case that moved on meanwhile is [`crate::store::StoreError::Conflict`].
    pub(in crate::pipeline) async fn freeze(
        &mut self,
        assessed: Assessed,
        is_stale: impl Fn(&Recommendation) -> bool,
    ) -> anyhow::Result<Found> {
        let _measured = self.enriching.meter.begin();
        let Stages { store, config, clock, .. } = &self.enriching.stages;
        let Assessed { facts, assessment, on, best } = assessed;
        let case = &facts.case;
        let latest = store.find_latest_bundle(&case.id).await?;
        let bundle = self.bundle(&facts, &assessment, latest.as_ref()).await?;
        let hash = bundle.hash();
        let mut current = store.list_recommendations(&case.id).await?;
        // A card that is wrong on purpose is no draft: it is neither replaced nor taken for what the case proposes.
        let drills = store.drill_recommendations().await?;
        current.retain(|(r, _)| !drills.contains(&r.id));
        let mut next = case.clone();
        next.rank = Some(as_read_back(&assessment.rank)?);
        next.state = next.state.after(CaseEvent::Propose)?;
        next.evidence_hash = Some(hash.clone());
        let same = same_facts(store, &bundle, &hash, &current).await?;
        let policy = &config.rules.policy;
        // The same evidence and the same choices: only the rank may have moved, and what people have begun on stands.
        if stands(&current, &Answered::on(&hash, &same, &current), &hash, &assessment, policy, is_stale) {
            if next.rank == case.rank && next.state == case.state {
                self.settled.left_unchanged(case, on, best);
                return Ok(Found::Unchanged);
            }
            next.version = case.version + 1;
            next.updated_at = clock.now();
            store.advance_case(&next, case.version, &[]).await.context("updating a case's rank")?;
            return Ok(Found::Ranked);
        }
        // Before the words are asked for, so that a model is shown what the card will cite, whatever comes in meanwhile.
        store.insert_bundle(&bundle).await.context("freezing the evidence")?;
        self.enriching.meter.count(usize::from(tell(case, &bundle, &hash, latest.as_ref())));
        Ok(Found::Frozen(Box::new(Enriched { facts, assessment, bundle, hash, next, current, same })))
    }

    /// The evidence of a case as it is now, with what memory adds to it.
    async fn bundle(&self, facts: &CaseFacts, assessment: &Assessment, latest: Option<&Bundle>) -> anyhow::Result<Bundle> {
        let scene = self.scenes.scene(facts);
        let mut bundle = of_records(&scene, assessment, latest);
        for fact in self.enriching.remembered(&scene, latest).await? {
            bundle.facts.insert(fact.id.clone(), fact);
        }
        if let Some(latest) = latest {
            keep_workings(&mut bundle, latest);
        }
        Ok(bundle)
    }
}

/// What the records say: the facts of the exceptions and of what could be done, what is missing, and what figures were computed from.
fn of_records(scene: &Scene<'_>, assessment: &Assessment, latest: Option<&Bundle>) -> Bundle {
    let Scene { case, exceptions, book, .. } = scene;
    let mut facts: BTreeMap<FactId, Fact> = BTreeMap::new();
    for fact in exceptions.iter().flat_map(|e| &e.signal.facts).chain(&assessment.facts) {
        facts.insert(fact.id.clone(), fact.clone());
    }
    let missing: BTreeSet<_> =
        exceptions.iter().flat_map(|e| &e.signal.missing).chain(&assessment.missing).cloned().collect();
    Bundle {
        case_id: case.id.clone(),
        version: latest.map_or(1, |b| b.version + 1),
        as_of: book.as_of,
        facts,
        missing: missing.into_iter().collect(),
        workings: Some(Box::new(assessment.workings.clone())),
    }
}

/// Does what people have before them stand? It was drafted on this evidence, it still is what is best, and none of it is to be written
/// anew that nobody has begun on.
fn stands(
    current: &[(Recommendation, i64)],
    answered: &Answered<'_>,
    hash: &str,
    assessment: &Assessment,
    policy: &Policy,
    is_stale: impl Fn(&Recommendation) -> bool,
) -> bool {
    let undecided: Vec<&Recommendation> = current.iter().map(|(r, _)| r).filter(|r| is_undecided(r)).collect();
    let is_held = |r: &Recommendation| answered.held.contains(&r);
    if undecided.is_empty() || undecided.iter().any(|r| r.evidence_hash != hash || (is_stale(r) && !is_held(r))) {
        return false;
    }
    let stored: Vec<&Candidate> = undecided.into_iter().filter(|r| !is_held(r)).map(|r| &r.candidate).collect();
    let asked = |c: &&Candidate| is_asked(c, answered, policy);
    let wanted = assessment.candidates.iter().filter(asked).count().min(RECOMMENDATIONS);
    stored.len() >= wanted && stored.iter().all(|c| assessment.candidates.contains(c))
}

/// Logs how the evidence came to be what it is. Answers whether it is new to the store.
fn tell(case: &Case, bundle: &Bundle, hash: &str, latest: Option<&Bundle>) -> bool {
    let (id, version) = (&case.id, bundle.version);
    let Some(latest) = latest else {
        tracing::debug!(case.id = %id, "Case {id} has its first evidence");
        return true;
    };
    if latest.hash() == hash {
        if case.evidence_hash.as_deref() != Some(hash) {
            // A process ended between the two, or people stopped Reeve meanwhile.
            tracing::info!(case.id = %id, "Version {} of the evidence of case {id} was frozen and not drafted; it is now", latest.version);
        }
        return false;
    }
    let (mut new, mut gone, mut other) = (0, 0, 0);
    for change in bundle.changes_since(latest) {
        match change {
            FactChange::New { .. } => new += 1,
            FactChange::Gone { .. } => gone += 1,
            FactChange::Moved { .. } => other += 1,
        }
    }
    tracing::debug!(case.id = %id, "Evidence of case {id} is version {version} now: {new} facts new, {other} changed, {gone} gone");
    true
}
