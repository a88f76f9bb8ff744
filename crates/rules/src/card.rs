//! A recommendation as people are shown it, wherever they are: page, API and digest take their words from here, and so does
//! whatever comes after them. It holds what the recommendation says, in words that are safe to show; what its reader may do with
//! it stands beside it.

use jiff::civil::Date;

use reeve_domain::action::{Action, Check, MoneySum};
use reeve_domain::claim::Claim;
use reeve_domain::decision::RecommendationState;
use reeve_domain::ids::{FactId, RecommendationId};
use reeve_domain::money::Money;
use reeve_domain::recommendation::{Drafter, Recommendation};
use reeve_domain::words::plain;

/// What can be decided: a plan, with why, what it is worth and what it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct Card {
    /// Which recommendation.
    pub id: RecommendationId,
    /// What a decision binds to.
    pub content_hash: String,
    /// 1 is the first choice.
    pub rank: u32,
    /// Where it stands.
    pub state: RecommendationState,
    /// What is to be done, in order: one step or more.
    pub steps: Vec<CardStep>,
    /// The codes of all steps: `TRANSFER`, or `TRANSFER + CONTACT`.
    pub codes: String,
    /// What is to be done, in one line.
    pub summary: String,
    /// Why.
    pub rationale: String,
    /// What could go wrong.
    pub risks: String,
    /// What would change the drafter's mind.
    pub would_change: String,
    /// The reasons that a model picked: each was computed, and is worded by the program.
    pub claims: Vec<Claim>,
    /// What a model asks whoever decides; empty where it asks nothing.
    pub question: String,
    /// A draft message, as it would be sent.
    pub message: Option<String>,
    /// Whose words these are.
    pub drafter: Drafter,
    /// What all steps together are worth.
    pub money: MoneySum,
    /// What limits are compared with.
    pub value: Money,
    /// The last day on which it still works.
    pub latest_date: Date,
    /// The facts its figures come from.
    pub cites: Vec<FactId>,
    /// The evidence that it was drafted on.
    pub evidence_hash: String,
}

/// One step of it.
#[derive(Clone, Debug, PartialEq)]
pub struct CardStep {
    /// Which one, from 1.
    pub number: u32,
    /// What to do.
    pub action: Action,
    /// The sentence that says so.
    pub summary: String,
    /// Checks made of it.
    pub checks: Vec<Check>,
}

impl Card {
    /// The card of a recommendation.
    pub fn of(rec: &Recommendation) -> Self {
        let candidate = &rec.candidate;
        let steps = candidate.steps().map(|step| CardStep {
            number: step.number,
            action: step.action.clone(),
            summary: plain(step.summary),
            checks: step.checks.to_vec(),
        });
        Self {
            id: rec.id.clone(),
            content_hash: rec.content_hash(),
            rank: rec.rank,
            state: rec.state.clone(),
            steps: steps.collect(),
            codes: candidate.codes(),
            summary: plain(&candidate.told()),
            rationale: plain(&rec.prose.rationale),
            risks: plain(&rec.prose.risks),
            would_change: plain(&rec.prose.would_change),
            claims: rec.prose.claims.iter().map(shown).collect(),
            question: plain(&rec.prose.question),
            message: rec.prose.message.clone(),
            drafter: rec.drafter.clone(),
            money: candidate.money.clone(),
            value: candidate.value,
            latest_date: candidate.latest_date,
            cites: candidate.cites.clone(),
            evidence_hash: rec.evidence_hash.clone(),
        }
    }

    /// Has it more than one step?
    pub fn is_plan(&self) -> bool {
        self.steps.len() > 1
    }
}

/// A claim with its sentence made safe to show: labels of facts stand in it, and names in those.
fn shown(claim: &Claim) -> Claim {
    Claim { words: plain(&claim.words), ..claim.clone() }
}
