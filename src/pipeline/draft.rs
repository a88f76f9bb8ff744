//! Case → evidence → candidates → recommendations.
//!
//! The evidence is frozen and hashed first; candidates are computed from the same book; then the model, where there is one,
//! may put them in another order and explain them, and the playbook does where there is none, it fails, or it is over
//! budget. What the facts still support is left as it is: a recommendation changes only when its content does.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use async_trait::async_trait;

use super::assess::{Assessment, assess};
use super::desk::Laid;
use super::model_draft::{ModelOutcome, draft_with_model};
use super::view::CaseView;
use super::{Context as Stages, Progress, Stage, playbook};
use crate::domain::action::{Action, Candidate};
use crate::domain::audit::AuditEntry;
use crate::domain::case::{Case, CaseState};
use crate::domain::draft::Draft;
use crate::domain::evidence::{Bundle, Fact};
use crate::domain::exception::{Exception, ExceptionState};
use crate::domain::ids::FactId;
use crate::domain::recommendation::{Drafter, Prose, Recommendation};

/// Recommendations shown for a case at most: more are not read.
const RECOMMENDATIONS: usize = 6;

/// Evidence, candidates and words for every case that waits for people.
pub struct Drafting(pub Stages);

#[async_trait]
impl Stage for Drafting {
    fn name(&self) -> &'static str {
        "draft"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, desk, .. } = &self.0;
        let cases = store.list_cases(CaseState::UNDECIDED).await?;
        if cases.is_empty() {
            return Ok(Progress::Idle);
        }
        let laid = desk.lay_out().await?;
        let claimed: BTreeMap<String, String> =
            store.list_links().await?.into_iter().map(|(link, case)| (link, case.to_string())).collect();
        let mut changed = 0;
        for case in cases {
            // One bad case must not keep the others from being drafted.
            match self.draft(&case, &laid, &claimed).await {
                Ok(true) => changed += 1,
                Ok(false) => {}
                Err(error) => tracing::error!(case.id = %case.id, "Could not draft case {}: {error:#}", case.id),
            }
        }
        Ok(if changed == 0 { Progress::Idle } else { Progress::Advanced(changed) })
    }
}

impl Drafting {
    async fn draft(&self, case: &Case, laid: &Laid, claimed: &BTreeMap<String, String>) -> anyhow::Result<bool> {
        let Stages { store, config, clock, .. } = &self.0;
        let exceptions = open_exceptions(store.list_case_exceptions(&case.id).await?, case);
        let view = CaseView {
            case,
            exceptions: &exceptions,
            book: &laid.book,
            outlook: &laid.seen.outlook,
            p: &laid.p,
            claimed,
            config,
        };
        let assessment = assess(&view);
        let latest = store.find_latest_bundle(&case.id).await?;
        let bundle = bundle(case, &exceptions, &assessment, laid, latest.as_ref());
        let hash = bundle.hash();
        let current = store.list_recommendations(&case.id).await?;
        let mut next = case.clone();
        next.rank = Some(assessment.rank.clone());
        next.state = CaseState::Open;
        next.evidence_hash = Some(hash.clone());
        let standing = current.iter().filter(|(r, _)| is_undecided(r)).collect::<Vec<_>>();
        let same = !standing.is_empty() && standing.iter().all(|(r, _)| r.evidence_hash == hash);
        if same && same_candidates(&standing, &assessment) {
            if next.rank == case.rank && next.state == case.state {
                return Ok(false);
            }
            next.version = case.version + 1;
            next.updated_at = clock.now();
            store.advance_case(&next, case.version, &[]).await.context("updating a case's rank")?;
            return Ok(true);
        }
        store.insert_bundle(&bundle).await.context("freezing the evidence")?;
        let (draft, drafter) = self.words(&view, &assessment, &bundle).await?;
        let recommendations = self.recommend(&view, &assessment, draft, &drafter, &hash);
        next.version = case.version + 1;
        next.updated_at = clock.now();
        let entry = AuditEntry {
            at: clock.now(),
            actor: "stage:draft".to_owned(),
            channel: "stage".to_owned(),
            action: "case.drafted".to_owned(),
            subject: format!("case:{}", case.id),
            content: hash,
            detail: serde_json::json!({ "recommendations": recommendations.len(), "drafter": drafter_name(&drafter) }),
        };
        store
            .replace_recommendations(&next, case.version, &recommendations, &[entry])
            .await
            .context("storing recommendations")?;
        Ok(true)
    }

    async fn words(
        &self,
        view: &CaseView<'_>,
        assessment: &Assessment,
        bundle: &Bundle,
    ) -> anyhow::Result<(Draft, Drafter)> {
        let Some(model) = &self.0.ports.model else {
            return Ok((playbook::draft(view, assessment), Drafter::Playbook { because: None }));
        };
        let because = if assessment.abstain.is_some() {
            // What the rules give to a human is not for a model to decide.
            Some("the rules ask for human judgement".to_owned())
        } else if !self.within_budget().await? {
            Some(format!("the day's {} model calls are used up", self.0.config.model.calls_per_day))
        } else {
            match draft_with_model(model.as_ref(), view, &assessment.candidates, bundle).await {
                ModelOutcome::Drafted { draft, drafter } => return Ok((draft, drafter)),
                ModelOutcome::GaveUp { because, .. } => Some(because),
            }
        };
        Ok((playbook::draft(view, assessment), Drafter::Playbook { because }))
    }

    /// Counts a call against the day's budget before it is made: a crash in the middle has spent it.
    async fn within_budget(&self) -> anyhow::Result<bool> {
        let Stages { store, config, clock, .. } = &self.0;
        let key = format!("model.calls.{}", config.calendar.calendar().day_of(clock.now()));
        let spent: u32 = store.find_setting(&key).await?.and_then(|n| n.parse().ok()).unwrap_or(0);
        if spent >= config.model.calls_per_day {
            return Ok(false);
        }
        store.put_setting(&key, &(spent + 1).to_string()).await?;
        Ok(true)
    }

    fn recommend(
        &self,
        view: &CaseView<'_>,
        assessment: &Assessment,
        draft: Draft,
        drafter: &Drafter,
        evidence_hash: &str,
    ) -> Vec<Recommendation> {
        // What the drafter left out follows in computed order, in the playbook's words: nothing is hidden by not naming it.
        let rest = playbook::draft(view, assessment).choices;
        let mut order: Vec<(&Candidate, Prose)> = Vec::new();
        for choice in draft.choices.into_iter().chain(rest) {
            let known = |(candidate, _): &(&Candidate, Prose)| candidate.id == choice.candidate;
            if order.iter().any(known) {
                continue;
            }
            order.extend(assessment.candidates.iter().find(|c| c.id == choice.candidate).map(|c| (c, choice.prose.clone())));
        }
        if let Some(why) = &draft.abstain {
            // A drafter that sees no clear action hands over: that comes first, where the case allows it.
            order.sort_by_key(|(candidate, _)| !matches!(candidate.action, Action::Escalate { .. }));
            if let Some((_, prose)) = order.first_mut()
                && !prose.rationale.contains(why.as_str())
            {
                prose.rationale = format!("{why} {}", prose.rationale).trim().to_owned();
            }
        }
        let now = self.0.clock.now();
        let number = |i: usize| u32::try_from(i + 1).unwrap_or(u32::MAX);
        order
            .into_iter()
            .take(RECOMMENDATIONS)
            .enumerate()
            .map(|(i, (candidate, prose))| {
                Recommendation::drafted(
                    view.case.id.clone(),
                    number(i),
                    candidate.clone(),
                    prose,
                    evidence_hash.to_owned(),
                    drafter.clone(),
                    now,
                )
            })
            .collect()
    }
}

/// A case's open exceptions, the one that leads the case first.
pub fn open_exceptions(all: Vec<Exception>, case: &Case) -> Vec<Exception> {
    let mut open: Vec<Exception> = all.into_iter().filter(|e| e.state == ExceptionState::Open).collect();
    let place = |e: &Exception| case.codes.iter().position(|c| *c == e.signal.code).unwrap_or(usize::MAX);
    open.sort_by_key(|e| (place(e), e.id.clone()));
    open
}

fn bundle(case: &Case, exceptions: &[Exception], assessment: &Assessment, laid: &Laid, latest: Option<&Bundle>) -> Bundle {
    let mut facts: BTreeMap<FactId, Fact> = BTreeMap::new();
    for fact in exceptions.iter().flat_map(|e| &e.signal.facts).chain(&assessment.facts) {
        facts.insert(fact.id.clone(), fact.clone());
    }
    let missing: BTreeSet<_> =
        exceptions.iter().flat_map(|e| &e.signal.missing).chain(&assessment.missing).cloned().collect();
    Bundle {
        case_id: case.id.clone(),
        version: latest.map_or(1, |b| b.version + 1),
        as_of: laid.book.as_of,
        facts,
        missing: missing.into_iter().collect(),
    }
}

fn is_undecided(recommendation: &Recommendation) -> bool {
    matches!(recommendation.state.name(), "drafted" | "checked" | "queued" | "snoozed" | "signed")
}

fn same_candidates(standing: &[&(Recommendation, i64)], assessment: &Assessment) -> bool {
    let stored: Vec<&Candidate> = standing.iter().map(|(r, _)| &r.candidate).collect();
    let wanted = assessment.candidates.len().min(RECOMMENDATIONS);
    stored.len() >= wanted && stored.iter().all(|c| assessment.candidates.contains(c))
}

fn drafter_name(drafter: &Drafter) -> String {
    match drafter {
        Drafter::Playbook { because: None } => "playbook".to_owned(),
        Drafter::Playbook { because: Some(why) } => format!("playbook, because {why}"),
        Drafter::Model { name, .. } => format!("model {name}"),
        Drafter::Edited { .. } => "people".to_owned(),
    }
}
