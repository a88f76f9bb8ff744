//! The clicks of a morning: each goes through the one door of decisions, as any click does, and may be refused there.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::hindsight::{Cause, Hindsight};
use super::rule::Rule;
use crate::app::App;
use crate::approve::{DecisionAnswer, DecisionRefused, DecisionRequest, Verb};
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::RejectReason;
use crate::domain::hand::Hand;
use crate::domain::ids::{CaseId, PersonId, RecommendationId, content_hash};
use crate::domain::money::Money;
use crate::domain::recommendation::Recommendation;
use crate::store::{Store, StoredDigest};

/// What a case was decided on, and why it was there.
pub(super) struct Decided {
    pub(super) day: Date,
    pub(super) recommendation: RecommendationId,
    /// The leading type of its case: what memory finds like cases within.
    pub(super) code: String,
    /// What was proposed, by the codes of its steps.
    pub(super) actions: String,
    pub(super) approved: bool,
    pub(super) causes: BTreeSet<Cause>,
}

/// What was decided so far, by case, and what the door refused, by why.
#[derive(Default)]
pub(super) struct Clicks {
    pub(super) decided: BTreeMap<CaseId, Decided>,
    /// Decisions, each case as often as it was decided.
    pub(super) approved: u32,
    pub(super) rejected: u32,
    pub(super) by_two: u32,
    /// Lines that the rule left, because what was proposed first was worth nothing.
    pub(super) left: u32,
    pub(super) refused: BTreeMap<String, u32>,
}

/// What waits for people first of a case.
pub(super) async fn first_choice(store: &Store, case: &Case) -> anyhow::Result<Option<Recommendation>> {
    let all = store.list_recommendations(&case.id).await?.into_iter().map(|(rec, _)| rec);
    let waiting = all.filter(|r| r.state.is_waiting() && case.evidence_hash.as_deref() == Some(r.evidence_hash.as_str()));
    Ok(waiting.min_by_key(|rec| rec.rank))
}

impl Clicks {
    /// Decides a morning's digest by the rule.
    pub(super) async fn decide(
        &mut self,
        app: &App,
        hindsight: &Hindsight,
        rule: Rule,
        digest: &StoredDigest,
    ) -> anyhow::Result<()> {
        let store = app.store();
        let mut left = rule.a_day;
        for line in &digest.digest.lines {
            if left == 0 {
                break;
            }
            let case = store.get_case(&line.case_id).await?;
            if !matches!(case.state, CaseState::Open) {
                continue;
            }
            let Some(rec) = first_choice(store, &case).await? else { continue };
            let causes = hindsight.causes(store, &case).await?;
            let approves = !causes.is_empty();
            if approves && rec.candidate.money.benefit.expected <= Money::ZERO {
                self.left += 1;
                continue;
            }
            let people = if approves { self.sign(app, &rec).await? } else { self.turn_down(app, &rec).await? };
            if people == 0 {
                continue;
            }
            left -= 1;
            self.approved += u32::from(approves);
            self.rejected += u32::from(!approves);
            self.by_two += u32::from(people > 1);
            let decided = Decided {
                day: digest.digest.day,
                recommendation: rec.id.clone(),
                code: case.codes.first().map_or_else(String::new, |code| code.code().to_owned()),
                actions: rec.candidate.codes(),
                approved: approves,
                causes,
            };
            self.decided.insert(case.id, decided);
        }
        Ok(())
    }

    /// Signs as whoever of the configuration may, in its order, until nobody is missing. Answers how many did; none where it was refused.
    async fn sign(&mut self, app: &App, rec: &Recommendation) -> anyhow::Result<u32> {
        let mut signed = 0;
        for person in &app.context.config.people {
            match click(app, rec, &person.id, Verb::Approve).await {
                Ok(answer) => {
                    signed += 1;
                    if !answer.needs_second {
                        return Ok(signed);
                    }
                }
                Err(DecisionRefused::MayNotSign(_) | DecisionRefused::NotAllowed(_)) => {}
                Err(refused) => return self.note(refused),
            }
        }
        let missing = if signed == 0 { "nobody may sign it" } else { "a second signature is missing" };
        *self.refused.entry(missing.to_owned()).or_default() += 1;
        Ok(0)
    }

    async fn turn_down(&mut self, app: &App, rec: &Recommendation) -> anyhow::Result<u32> {
        let Some(person) = app.context.config.people.first() else { return Ok(0) };
        let note = "We looked: there is nothing of the kind.".to_owned();
        match click(app, rec, &person.id, Verb::Reject { reason: RejectReason::NotReal, note }).await {
            Ok(_) => Ok(1),
            Err(refused) => self.note(refused),
        }
    }

    fn note(&mut self, refused: DecisionRefused) -> anyhow::Result<u32> {
        let why = match refused {
            DecisionRefused::FactsChanged { .. } => "the facts changed since it was drafted",
            DecisionRefused::ChecksFailed(_) => "a hard check failed on the records of the click",
            DecisionRefused::NotLive(_) => "its scope is not live",
            // Anything else is a fault of the replay, and would make its figures worth nothing.
            other => return Err(other.into()),
        };
        *self.refused.entry(why.to_owned()).or_default() += 1;
        Ok(0)
    }
}

async fn click(app: &App, rec: &Recommendation, person: &PersonId, verb: Verb) -> Result<DecisionAnswer, DecisionRefused> {
    let content = rec.content_hash();
    let request = DecisionRequest {
        idempotency_key: content_hash(&["replay", person.as_str(), rec.id.as_str(), verb.kind().name(), &content]),
        person: person.clone(),
        channel: "replay".to_owned(),
        hand: Hand::Own,
        recommendation_id: rec.id.clone(),
        content_hash: content,
        verb,
    };
    app.approvals.decide(&request).await
}
