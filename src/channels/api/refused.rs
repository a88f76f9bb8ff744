//! Why a decision was not taken, as a problem document: each reason has its code, and a stale one brings the newest card.

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::cards;
use super::problem::Problem;
use crate::approve::DecisionRefused;
use crate::channels::ChannelState;
use crate::domain::ids::RecommendationId;
use crate::domain::policy::{Refusal, may_turn_down};
use crate::people::{Bearer, Scope};

/// The problem that a refusal is.
///
/// A card is shown only to who may read cases: a right to decide what one has read elsewhere is none to read here.
pub(super) async fn refused(state: &ChannelState, bearer: &Bearer, refusal: DecisionRefused) -> Problem {
    let said = refusal.to_string();
    let (status, code) = kind(&refusal);
    let problem = Problem::new(status, code, said);
    match refusal {
        DecisionRefused::FactsChanged { moved, newest } => {
            let problem = problem.with("moved", moved);
            if may_see_cards(bearer) { problem.with("newest", newest_card(state, newest.as_ref()).await) } else { problem }
        }
        DecisionRefused::ChecksFailed(failed) => {
            let failed: Vec<_> = failed.iter().map(cards::check).collect();
            problem.with("checks", json!(failed))
        }
        DecisionRefused::AlreadyDecided { who, at, .. } => {
            problem.with("decided_by", who).with("decided_at", at.to_string())
        }
        DecisionRefused::MayNotSign(refused) => problem.with("could", refused.could),
        DecisionRefused::Busy => problem.again_after(1),
        DecisionRefused::Failed(error) => {
            tracing::error!(error = format!("{error:#}"), "a decision could not be kept");
            let text = "The decision could not be kept, and nothing was changed; send it again with the same key";
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text).again_after(5)
        }
        _ => problem,
    }
}

fn kind(refusal: &DecisionRefused) -> (StatusCode, &'static str) {
    match refusal {
        DecisionRefused::UnknownPerson(_) => (StatusCode::FORBIDDEN, "person-unknown"),
        DecisionRefused::UnknownRecommendation(_) => (StatusCode::NOT_FOUND, "not-found"),
        DecisionRefused::FactsChanged { .. } => (StatusCode::CONFLICT, "facts-changed"),
        DecisionRefused::ChecksFailed(_) => (StatusCode::CONFLICT, "checks-failed"),
        DecisionRefused::NotAllowed(refusal) => (StatusCode::FORBIDDEN, not_allowed(refusal)),
        DecisionRefused::MayNotSign(refused) => (StatusCode::FORBIDDEN, not_allowed(&refused.because)),
        DecisionRefused::OneHand { .. } => (StatusCode::FORBIDDEN, "one-hand"),
        DecisionRefused::AlreadyDecided { .. } => (StatusCode::CONFLICT, "already-decided"),
        DecisionRefused::Transition(_) | DecisionRefused::Case(_) => (StatusCode::CONFLICT, "wrong-state"),
        DecisionRefused::BadEdit(_) => (StatusCode::UNPROCESSABLE_ENTITY, "edit-refused"),
        DecisionRefused::BadRequest(_) | DecisionRefused::Nowhere(_) | DecisionRefused::MixedBatch { .. } => {
            (StatusCode::UNPROCESSABLE_ENTITY, "decision-refused")
        }
        DecisionRefused::KeyReused => (StatusCode::CONFLICT, "idempotency-key-reused"),
        DecisionRefused::Leaving => (StatusCode::CONFLICT, "already-left"),
        DecisionRefused::NotLive(_) => (StatusCode::CONFLICT, "not-live"),
        DecisionRefused::Busy => (StatusCode::CONFLICT, "busy"),
        DecisionRefused::Failed(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
    }
}

fn not_allowed(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Machine(_) => "machine-never-approves",
        Refusal::Role { .. } => "role-missing",
        Refusal::TierTooLow { .. } => "tier-too-low",
        Refusal::NotPermitted(_) => "not-permitted",
        Refusal::AboveOwnLimit { .. } => "above-own-limit",
        Refusal::OutOfScope { .. } => "out-of-scope",
        Refusal::Touched(_) => "separation-of-duties",
        Refusal::SamePerson(_) => "second-person-needed",
        Refusal::FirstNoLonger(_) => "first-signature-lapsed",
        Refusal::Pair { .. } => "pair-incomplete",
    }
}

/// May the bearer be shown a card as people who decide see it? Others are shown no drill as if it were real.
fn may_see_cards(bearer: &Bearer) -> bool {
    bearer.may(&Scope::ReadCases).is_ok() && bearer.person.as_ref().is_some_and(|person| may_turn_down(person).is_ok())
}

/// The card that holds now; null where nothing is proposed on the new facts yet.
async fn newest_card(state: &ChannelState, newest: Option<&RecommendationId>) -> Value {
    let Some(id) = newest else { return Value::Null };
    match state.store.get_recommendation(id).await {
        Ok((rec, _)) => json!(cards::card(&rec)),
        Err(error) => {
            tracing::warn!(error = &error as &dyn std::error::Error, "the newest card could not be read");
            Value::Null
        }
    }
}
