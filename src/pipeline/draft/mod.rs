//! Evidence → recommendations, in words.
//!
//! A case's evidence is frozen and its candidates are computed before it comes here (`enrich`). Then the model, where there is one, may
//! put them in another order and explain them, and the playbook does where there is none, it fails, or it is over budget. What the
//! facts still support is left as it is: a recommendation changes only when its content does.
//!
//! A model is asked only for what can come above the line, or what somebody wants. While it has not earned its words (`writers`),
//! people get the playbook's, and its drafts are made beside them (`shadow`).

mod recommend;
mod shadow;
mod words;

use anyhow::Context;
use async_trait::async_trait;

use self::shadow::Beside;
use self::words::{Written, below_line, drafter_name};
use super::answered::is_asked;
use super::context::Context as Stages;
use super::enrich::{Enriched, Enriching, Found, Round};
use super::figures::StageFigures;
use super::settled::Asks;
use super::{Progress, Stage, stop, want, writers};
use crate::domain::action::Candidate;
use crate::domain::audit::AuditEntry;
use crate::domain::case::CaseState;
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::rules::assess::{Assessment, RECOMMENDATIONS};
use crate::store::StoreError;

/// How many times as many cases as a digest has lines may a model be asked for, from the first in the order: what is just below the
/// line today may stand above it tomorrow.
const LINES_ASKED: usize = 2;

/// Words for every case that waits for people, of the evidence that it is given first.
pub struct Drafting {
    stages: Stages,
    enriching: Enriching,
}

impl Drafting {
    /// With nothing drafted yet.
    pub fn new(stages: Stages) -> Self {
        Self { enriching: Enriching::new(stages.clone()), stages }
    }
}

#[async_trait]
impl Stage for Drafting {
    fn name(&self) -> &'static str {
        "draft"
    }

    /// What evidence took is its own line.
    fn parts(&self) -> Vec<StageFigures> {
        vec![self.enriching.figures()]
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Some(mut round) = self.enriching.begin().await? else { return Ok(Progress::Idle) };
        let asked = self.stages.config.rules.ranking.capacity.saturating_mul(LINES_ASKED);
        let mut writer = self.writer().await?;
        let (mut drafted, mut beside) = (0, Vec::new());
        for (place, turn) in round.take_turns().into_iter().enumerate() {
            // Asked before each case: a long run must not go on because it began before the stop.
            if self.is_stopped().await? {
                break;
            }
            let case = &turn.case;
            // Those before it have been promised their donors' units by now.
            let Some(promised) = round.promised_before(&turn) else { continue };
            let is_near = place < asked || case.wanted;
            if is_near && matches!(writer, Writer::People(Some(_))) {
                // Asked anew before each draft, as a stop is: its last one may have cost it its words.
                writer = self.writer().await?;
            }
            let asks = writer.asks(is_near);
            if is_near && !turn.is_shadow && matches!(writer, Writer::Shadow(_)) {
                beside.push(Beside { case: case.id.clone(), promised: promised.clone() });
            }
            let Some(assessed) = round.assess(&turn, promised, asks).await? else { continue };
            // One bad case must not keep the others from being drafted.
            let outcome = match round.freeze(assessed, |rec| writer.is_stale(rec, asks)).await {
                Ok(Found::Unchanged) => continue,
                Ok(Found::Ranked) => Ok(Drafted::Anew),
                Ok(Found::Frozen(enriched)) => self.draft(&round, &enriched, asks, &writer).await,
                Err(error) => Err(error),
            };
            match outcome {
                Ok(Drafted::Anew) => {
                    round.settled.drafted(case);
                    drafted += 1;
                }
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
            drafted += self.draft_beside(&mut round, stand, beside).await?;
        }
        let moved = drafted + round.moved + round.rank_asleep().await?;
        Ok(if moved == 0 { Progress::Idle } else { Progress::Advanced(moved) })
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

    /// Must a proposal be written anew, though its evidence stands? A model may be asked of what was far below the line; and words of
    /// a model that has not earned them, or no longer, or that is configured no more, become the playbook's.
    fn is_stale(&self, rec: &Recommendation, asks: Asks) -> bool {
        match &rec.drafter {
            Drafter::Playbook { because: Some(why) } => asks == Asks::Model && *why == below_line(),
            Drafter::Model { .. } => !matches!(self, Self::People(_)),
            _ => false,
        }
    }
}

/// What drafting a case came to.
enum Drafted {
    /// Something of it was written.
    Anew,
    /// People stopped Reeve while the words were written: it waits for its draft as before.
    Stopped,
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

    /// Writes what people read of a case, of its frozen evidence.
    async fn draft(&self, round: &Round<'_>, enriched: &Enriched, asks: Asks, writer: &Writer) -> anyhow::Result<Drafted> {
        let Stages { store, config, clock, .. } = &self.stages;
        let Enriched { assessment, bundle, hash, .. } = enriched;
        let (scene, answered) = (round.scene(&enriched.facts), enriched.answered());
        let case = scene.case;
        let policy = &config.rules.policy;
        let shown = first_of(assessment, |candidate| is_asked(candidate, &answered, policy));
        let written = self.words(&scene, assessment, &shown, bundle, asks).await?;
        // A model may take long to answer. What it wrote while people stopped Reeve is not shown to anybody.
        if self.is_stopped().await? {
            return Ok(Drafted::Stopped);
        }
        let mut detail = serde_json::json!({ "drafter": drafter_name(&written.drafter) });
        if let Some(told) = written.told() {
            detail["model"] = told;
        }
        let Written { draft, drafter, end } = written;
        let recommendations = self.recommend(&scene, assessment, &answered, draft, &drafter, hash);
        detail["recommendations"] = recommendations.len().into();
        let mut next = enriched.next.clone();
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
        let entry = AuditEntry::by_stage("draft", clock.now(), "case.drafted", format!("case:{}", case.id));
        let entry = entry.on(hash.clone()).with(detail);
        let entries: Vec<AuditEntry> = opened.into_iter().chain([entry]).collect();
        let stored = store.replace_recommendations(&next, case.version, &recommendations, &entries).await;
        stored.context("storing recommendations")?;
        if let (Writer::People(Some(stand)), Some(end)) = (writer, end) {
            self.grade_shown(stand, &scene, &shown, hash, end).await?;
        }
        Ok(Drafted::Anew)
    }
}

fn lost_race(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Conflict)))
}

/// The candidates that people are shown, of those that may be: a model chooses among these, and compares with no other.
fn first_of(assessment: &Assessment, may_be: impl Fn(&Candidate) -> bool) -> Vec<Candidate> {
    assessment.candidates.iter().filter(|candidate| may_be(candidate)).take(RECOMMENDATIONS).cloned().collect()
}

#[cfg(test)]
mod tests;
