//! Case → evidence → candidates → recommendations.
//!
//! The evidence is frozen and hashed first; candidates are computed from the same book; then the model, where there is one,
//! may put them in another order and explain them, and the playbook does where there is none, it fails, or it is over
//! budget. What the facts still support is left as it is: a recommendation changes only when its content does.
//!
//! Every case is judged, for the order needs its money. What no decision would gain anything for stays latent, and costs nothing more:
//! no evidence, no words, no entry in the log. A model is asked only for what can come above the line, or what somebody wants. While
//! it has not earned its words (`writers`), people get the playbook's, and its drafts are made beside them (`shadow`).

mod alone;
mod recommend;
mod shadow;
mod words;

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use anyhow::Context;
use async_trait::async_trait;
use tokio::sync::Mutex;

use self::shadow::Beside;
use self::words::{Written, below_line, drafter_name};
use super::answered::{Answered, is_undecided, keep_workings, same_facts};
use super::context::Context as Stages;
use super::moment::BeingRead;
use super::observe::may_look;
use super::promises::{Promises, first_choice};
use super::scenes::{Scenes, claims};
use super::settled::{Asks, Settled, inputs};
use super::{Progress, Stage, stop, want, writers};
use crate::domain::action::Candidate;
use crate::domain::audit::AuditEntry;
use crate::domain::case::{Case, CaseState, Lane, Rank};
use crate::domain::case_life::CaseEvent;
use crate::domain::evidence::{Bundle, Fact};
use crate::domain::ids::{CaseId, FactId};
use crate::domain::policy::Policy;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::domain::text::clean;
use crate::domain::words::with_causes;
use crate::memory::MemoryError;
use crate::rules::assess::{Assessment, RECOMMENDATIONS, assess};
use crate::rules::scene::Scene;
use crate::store::{SET_ASIDE, States, StoreError};

/// How many times as many cases as a digest has lines may a model be asked for, from the first in the order: what is just below the
/// line today may stand above it tomorrow.
const LINES_ASKED: usize = 2;

/// Why memory does not answer, for the digest: a setting, empty while it does.
pub(super) const AWAY: &str = "memory.away";
/// Longest reason, in characters.
const AWAY_MAX: usize = 200;

/// Evidence, candidates and words for every case that waits for people.
pub struct Drafting {
    stages: Stages,
    settled: Mutex<Settled>,
}

impl Drafting {
    /// With nothing drafted yet.
    pub fn new(stages: Stages) -> Self {
        Self { stages, settled: Mutex::default() }
    }
}

#[async_trait]
impl Stage for Drafting {
    fn name(&self) -> &'static str {
        "draft"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, config, moments, .. } = &self.stages;
        let mut cases = store.list_cases(CaseState::JUDGED).await?;
        let mut asleep = store.list_cases(&["snoozed"]).await?;
        // A proposal about Reeve's own list rests on decisions, not on records.
        cases.retain(|case| !case.is_mute_proposal());
        asleep.retain(|case| !case.is_mute_proposal());
        if (cases.is_empty() && asleep.is_empty()) || self.is_stopped().await? {
            return Ok(Progress::Idle);
        }
        // What was drafted on the last whole story stands until there is a newer one.
        if !may_look(&self.stages).await? {
            return Ok(Progress::Idle);
        }
        let moment = moments.now().await?;
        let links = store.list_links().await?;
        let (proposals, exceptions) = (store.count_proposals().await?, store.count_case_exceptions().await?);
        let written = |case: &Case| {
            let count = |of: &BTreeMap<CaseId, i64>| of.get(&case.id).copied().unwrap_or(0);
            (count(&exceptions), count(&proposals))
        };
        let mut promises = Promises::firm(store).await?;
        // Told once for all cases. Where the index does not answer, each case is drafted without it, and the digest says so.
        if config.memory.enabled {
            let away = match self.stages.memories.tell_index().await {
                Ok(_) => String::new(),
                Err(MemoryError::Port(error)) => clean(&with_causes(&error), AWAY_MAX),
                Err(error) => return Err(error).context("telling the index of memory what is new"),
            };
            if store.find_setting(AWAY).await?.unwrap_or_default() != away {
                store.put_setting(AWAY, &away).await?;
            }
        }
        let mut settled = self.settled.lock().await;
        settled.turn_to(store, &moment).await?;
        // Judged alone first: who ranks better is served first from a donor that two cases want. What is worth nothing even if
        // every donor gave is worth nothing, and needs no stock itself: that hangs on no other case.
        let (mut order, mut idle, mut changed) = (Vec::new(), BTreeSet::new(), 0);
        let mut scenes = Scenes { moment, config: Arc::clone(config), claimed: claims(&links, |_| true) };
        let exceptions_written: Vec<i64> = cases.iter().map(|case| written(case).0).collect();
        let being_read = self.judge_alone(&mut settled, &scenes, &promises, &cases, &exceptions_written).await?;
        for case in cases.into_iter().filter(|case| !being_read.contains(&case.id)) {
            let Some(rank) = settled.of(&case).map(|known| known.rank.clone()) else { continue };
            if rank.value.expected.minor <= 0 && !rank.unknown {
                idle.insert(case.id.clone());
                // It promises nothing and is promised nothing, so it needs no turn after others.
                if rank.lane == Lane::Ordinary && case.is_untold() {
                    changed += usize::from(self.stay_latent(&mut settled, case, &rank).await?);
                    continue;
                }
            }
            // What is in shadow comes last, and gets none of what live cases are promised.
            order.push((case.state.is_shadow(), rank.lane, Reverse(rank.priority), case));
        }
        order.sort_by(|a, b| (a.0, a.1, a.2, &a.3.id).cmp(&(b.0, b.1, b.2, &b.3.id)));
        scenes.claimed = claims(&links, |case| idle.contains(case));
        let asked = config.rules.ranking.capacity.saturating_mul(LINES_ASKED);
        let mut writer = self.writer().await?;
        let (mut in_shadow, mut beside) = (None, Vec::new());
        for (place, (is_shadow, .., case)) in order.into_iter().enumerate() {
            let promises = if is_shadow { in_shadow.get_or_insert_with(|| promises.clone()) } else { &mut promises };
            // Asked before each case: a long run must not go on because it began before the stop.
            if self.is_stopped().await? {
                break;
            }
            // Those that were drafted before it have been promised their donors' units by now.
            let Some(items) = settled.of(&case).map(|known| known.items.clone()) else { continue };
            let promised = promises.to_others_on(&case.id, &items);
            let is_near = place < asked || case.wanted;
            if is_near && matches!(writer, Writer::People(Some(_))) {
                // Asked anew before each draft, as a stop is: its last one may have cost it its words.
                writer = self.writer().await?;
            }
            let asks = writer.asks(is_near);
            if is_near && !is_shadow && matches!(writer, Writer::Shadow(_)) {
                beside.push(Beside { case: case.id.clone(), promised: promised.clone() });
            }
            let on = inputs(&items, &promised, &scenes.claimed, written(&case), asks);
            if let Some(known) = settled.unchanged(&case, on) {
                promises.promise(&case.id, known.to_vec());
                continue;
            }
            let facts = match scenes.read(store, &case, promised.clone()).await {
                Err(error) if is_being_read(&error) => continue,
                facts => facts?,
            };
            let assessment = assess(&scenes.scene(&facts));
            let best = first_choice(&assessment);
            promises.promise(&case.id, best.clone());
            // One bad case must not keep the others from being drafted.
            match self.draft(&scenes.scene(&facts), &assessment, asks, &writer).await {
                Ok(Drafted::Anew(proposals)) => {
                    // The next look would find what it has just written: it need not read the sales for that.
                    let (exceptions, before) = written(&case);
                    let on = inputs(&items, &promised, &scenes.claimed, (exceptions, proposals.unwrap_or(before)), asks);
                    settled.drafted(&case);
                    settled.left_unchanged(&Case { version: case.version + 1, ..case }, on, best);
                    changed += 1;
                }
                Ok(Drafted::Unchanged) => settled.left_unchanged(&case, on, best),
                Ok(Drafted::Stopped) => break,
                // Another stage or a click was first. It wakes this one, which then looks at the case as it is now.
                Err(error) if lost_race(&error) => {
                    tracing::debug!(case.id = %case.id, "Case {} moved on meanwhile", case.id);
                }
                Err(error) => tracing::error!(case.id = %case.id, "Could not draft case {}: {error:#}", case.id),
            }
        }
        // What people read is written: only then a candidate is asked, so that nobody waits for words that nobody sees.
        if let Writer::Shadow(stand) = &writer {
            changed += self.draft_beside(&mut settled, &scenes, stand, beside).await?;
        }
        for case in asleep {
            let facts = match scenes.read(store, &case, promises.to_others(&case.id)).await {
                Err(error) if is_being_read(&error) => continue,
                facts => facts?,
            };
            let rank = as_read_back(&assess(&scenes.scene(&facts)).rank)?;
            changed += usize::from(self.rank_asleep(case, rank).await?);
        }
        Ok(if changed == 0 { Progress::Idle } else { Progress::Advanced(changed) })
    }
}

/// Which language model there is, and who reads what it writes.
enum Writer {
    /// None.
    None,
    /// People do: it has earned its words. None beside it is a bench's, which plays what was written down.
    People(Option<writers::Stand>),
    /// Nobody does yet.
    Shadow(writers::Stand),
}

impl Writer {
    /// Who writes what people read of a case that is near the line, or is not.
    fn asks(&self, is_near: bool) -> Asks {
        match self {
            Self::People(_) if is_near => Asks::Model,
            Self::People(_) => Asks::BelowLine,
            Self::Shadow(_) | Self::None => Asks::Playbook,
        }
    }
}

/// What drafting a case came to.
enum Drafted {
    /// Something of it was written; how often its proposals have changed by then, where they did.
    Anew(Option<i64>),
    /// It stands as it was.
    Unchanged,
    /// People stopped Reeve while the words were written: it waits for its draft as before.
    Stopped,
}

fn is_being_read(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.downcast_ref::<BeingRead>().is_some())
}

/// A rank as it will read back: some decimals do not parse to the number that wrote them, and a rank that never equals the
/// stored one would be stored for ever.
fn as_read_back(rank: &Rank) -> anyhow::Result<Rank> {
    let written = serde_json::to_string(rank).context("writing a rank")?;
    serde_json::from_str(&written).context("reading a rank back")
}

impl Drafting {
    async fn is_stopped(&self) -> Result<bool, StoreError> {
        Ok(stop::stopped(&self.stages.store, &self.stages.config).await?.is_some())
    }

    /// Which language model there is, and who reads what it writes: asked at each run, for people may have changed it.
    async fn writer(&self) -> Result<Writer, StoreError> {
        let Stages { store, config, ports, .. } = &self.stages;
        if ports.model.is_none() {
            return Ok(Writer::None);
        }
        Ok(match writers::configured(store, config).await? {
            Some(stand) if stand.state != writers::State::Earned => Writer::Shadow(stand),
            earned => Writer::People(earned),
        })
    }

    /// What a case that was put off is worth now: nothing is drafted for it, but whoever said "until it has grown" must find
    /// out when it has.
    async fn rank_asleep(&self, case: Case, rank: Rank) -> anyhow::Result<bool> {
        if case.rank.as_ref() == Some(&rank) {
            return Ok(false);
        }
        let next = Case { rank: Some(rank), version: case.version + 1, updated_at: self.stages.clock.now(), ..case.clone() };
        match self.stages.store.advance_case(&next, case.version, &[]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error).context("updating the rank of a case that was put off"),
        }
    }

    /// Leaves a case latent that no decision would gain anything for, with what it is worth now. Answers whether that is new.
    async fn stay_latent(&self, settled: &mut Settled, case: Case, rank: &Rank) -> anyhow::Result<bool> {
        let rank = as_read_back(rank)?;
        let state = case.state.clone().after(CaseEvent::StayLatent)?;
        if case.rank.as_ref() == Some(&rank) && case.state == state {
            return Ok(false);
        }
        let now = self.stages.clock.now();
        let next = Case { rank: Some(rank), state, version: case.version + 1, updated_at: now, ..case.clone() };
        match self.stages.store.advance_case(&next, case.version, &[]).await {
            Ok(()) => settled.drafted(&case),
            Err(StoreError::Conflict) => return Ok(false),
            Err(error) => return Err(error).context("keeping what a latent case is worth"),
        }
        Ok(true)
    }

    /// Drafts a case anew, where anything that people would read of it is another.
    async fn draft(
        &self,
        scene: &Scene<'_>,
        assessment: &Assessment,
        asks: Asks,
        writer: &Writer,
    ) -> anyhow::Result<Drafted> {
        let Stages { store, clock, .. } = &self.stages;
        let case = scene.case;
        let latest = store.find_latest_bundle(&case.id).await?;
        let mut bundle = bundle(scene, assessment, latest.as_ref());
        for fact in self.remembered(scene, latest.as_ref()).await? {
            bundle.facts.insert(fact.id.clone(), fact);
        }
        if let Some(latest) = &latest {
            keep_workings(&mut bundle, latest);
        }
        let hash = bundle.hash();
        // What was set aside says nothing any more, and there is more of it every day.
        let mut current = store.list_recommendations_of(&[&case.id], States::NotIn(SET_ASIDE)).await?;
        // A card that is wrong on purpose is no draft: it is neither replaced nor taken for what the case proposes.
        let drills = store.drill_recommendations().await?;
        current.retain(|(r, _)| !drills.contains(&r.id));
        let mut next = case.clone();
        next.rank = Some(as_read_back(&assessment.rank)?);
        next.state = next.state.after(CaseEvent::Propose)?;
        next.evidence_hash = Some(hash.clone());
        let undecided = current.iter().filter(|(r, _)| is_undecided(r)).collect::<Vec<_>>();
        let facts = same_facts(store, &bundle, &hash, &current).await?;
        let answered = Answered::on(&hash, &facts, &current);
        let below =
            |r: &Recommendation| matches!(&r.drafter, Drafter::Playbook { because: Some(why) } if *why == below_line());
        // Words of a model that has not earned them, or no longer, or that is configured no more, are written anew by the playbook, where
        // nobody has begun on them.
        let is_read = matches!(writer, Writer::People(_));
        let unearned = |r: &Recommendation| matches!(r.drafter, Drafter::Model { .. }) && !is_read;
        let anew = |r: &Recommendation| (asks == Asks::Model && below(r)) || unearned(r);
        let same = !undecided.is_empty()
            && undecided.iter().all(|(r, _)| r.evidence_hash == hash)
            && !undecided.iter().any(|(r, _)| anew(r) && !answered.held.contains(&r));
        // The same evidence and the same choices: only the rank may have moved, and what people have begun on stands.
        if same && same_candidates(&undecided, &answered, assessment, &self.stages.config.rules.policy) {
            if next.rank == case.rank && next.state == case.state {
                return Ok(Drafted::Unchanged);
            }
            next.version = case.version + 1;
            next.updated_at = clock.now();
            store.advance_case(&next, case.version, &[]).await.context("updating a case's rank")?;
            return Ok(Drafted::Anew(None));
        }
        // Before the words are asked for, so that a model is shown what the card will cite, whatever comes in meanwhile.
        store.insert_bundle(&bundle).await.context("freezing the evidence")?;
        let policy = &self.stages.config.rules.policy;
        let shown = first_of(assessment, |candidate| is_asked(candidate, &answered, policy));
        let written = self.words(scene, assessment, &shown, &bundle, asks).await?;
        // A model may take long to answer. What it wrote while people stopped Reeve is not shown to anybody.
        if self.is_stopped().await? {
            return Ok(Drafted::Stopped);
        }
        let mut detail = serde_json::json!({ "drafter": drafter_name(&written.drafter) });
        if let Some(told) = written.told() {
            detail["model"] = told;
        }
        let Written { draft, drafter, end } = written;
        let recommendations = self.recommend(scene, assessment, &answered, draft, &drafter, &hash);
        detail["recommendations"] = recommendations.len().into();
        next.version = case.version + 1;
        next.updated_at = clock.now();
        let opened = case.is_untold().then(|| {
            // Latent, it was before nobody: people are reminded of it by how long it has been before them.
            if case.state == CaseState::Latent {
                next.opened_at = clock.now();
            }
            let first = scene.exceptions.first().map(|exception| exception.signal.fingerprint());
            AuditEntry::by_stage("draft", clock.now(), want::OPENED, want::subject(case))
                .with(serde_json::json!({ "exception": first }))
        });
        let entry =
            AuditEntry::by_stage("draft", clock.now(), "case.drafted", format!("case:{}", case.id)).on(hash).with(detail);
        let proposals = store
            .replace_recommendations(
                &next,
                case.version,
                &recommendations,
                &opened.into_iter().chain([entry]).collect::<Vec<_>>(),
            )
            .await
            .context("storing recommendations")?;
        if let (Writer::People(Some(stand)), Some(end)) = (writer, end) {
            self.grade_shown(stand, scene, &shown, &bundle.hash(), end).await?;
        }
        Ok(Drafted::Anew(Some(proposals)))
    }
}

fn bundle(scene: &Scene<'_>, assessment: &Assessment, latest: Option<&Bundle>) -> Bundle {
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

fn lost_race(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Conflict)))
}

/// The candidates that people are shown, of those that may be: a model chooses among these, and compares with no other.
fn first_of(assessment: &Assessment, may_be: impl Fn(&Candidate) -> bool) -> Vec<Candidate> {
    assessment.candidates.iter().filter(|candidate| may_be(candidate)).take(RECOMMENDATIONS).cloned().collect()
}

/// Is it put before people at all? Nobody is asked what the policy does not permit, what they have answered, or a plan whose
/// steps can not stand together: the queue would set it aside, and it would be drafted again for ever.
fn is_asked(candidate: &Candidate, answered: &Answered<'_>, policy: &Policy) -> bool {
    policy.permits_all(candidate.actions()) && candidate.clash().is_none() && !answered.is_answered(candidate)
}

fn same_candidates(
    undecided: &[&(Recommendation, i64)],
    answered: &Answered<'_>,
    assessment: &Assessment,
    policy: &Policy,
) -> bool {
    let asked = |c: &&Candidate| is_asked(c, answered, policy);
    let stored: Vec<&Candidate> =
        undecided.iter().filter(|(r, _)| !answered.held.contains(&r)).map(|(r, _)| &r.candidate).collect();
    let wanted = assessment.candidates.iter().filter(asked).count().min(RECOMMENDATIONS);
    stored.len() >= wanted && stored.iter().all(|c| assessment.candidates.contains(c))
}

#[cfg(test)]
mod tests;
