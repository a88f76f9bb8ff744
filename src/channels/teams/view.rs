//! How a card stands for one person: what they may do, and what they can take back. It is the card that everybody sees with their own part
//! added; nothing is decided and nothing kept.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::Context as _;
use serde_json::Value;

use super::cards::{Own, draw_own};
use super::{lookers, reply};
use crate::approve::Preview;
use crate::cards::chat::Content;
use crate::channels::ChannelState;
use crate::channels::chat::act::{identities, sentence};
use crate::channels::chat::heard::Press;
use crate::channels::chat::tell::message_in;
use crate::config::TEAMS;
use crate::domain::case::Case;
use crate::domain::decision::{DecisionVerb, RecommendationState as State};
use crate::domain::ids::{CaseId, PersonId, RecommendationId, is_id};
use crate::domain::recommendation::Recommendation;
use crate::people::{ChatChannel, ChatUser, IdentityRefused};
use crate::store::StoreError;

/// How long it waits for what the policy says: without it the card is shown as everybody sees it.
const LOOK: Duration = Duration::from_millis(800);

/// The answer to whoever's app asks how a card stands for them. `about` is `case:…` or `recommendation:…`.
///
/// # Errors
/// When the store can not be read.
pub(super) async fn answer(state: &ChannelState, user: &str, about: &str) -> anyhow::Result<Value> {
    let who = match ChatUser::new(ChatChannel::Teams, &state.config.teams.tenant, user) {
        Ok(who) => who,
        Err(refused) => return Ok(reply::error(403, "Forbidden", &sentence(&refused.to_string()))),
    };
    let linked = match identities(state).linked(&who, state.clock.wire()).await {
        Ok(linked) => linked,
        Err(IdentityRefused::Store(error)) => return Err(error.into()),
        Err(refused) => {
            tracing::info!(user = who.subject(), "A card is not shown anew: {refused}");
            return Ok(reply::error(403, "Forbidden", &sentence(&refused.to_string())));
        }
    };
    let unknown = || reply::error(400, "BadRequest", "Reeve knows nothing of this card; look for a newer one.");
    let Some(id) = case_of(state, about).await? else { return Ok(unknown()) };
    // From the card that was put in last: what one person sees must not differ from what everybody sees.
    let shown = state.store.find_showing(TEAMS, &format!("case:{id}")).await?;
    let Some(message) = shown.as_ref().and_then(message_in) else { return Ok(unknown()) };
    let (Content::Card(card), Some(case)) = (message.data, state.store.find_case(&id).await?) else { return Ok(unknown()) };
    let mut recommendations = Vec::new();
    for offer in &card.actions {
        let rec = RecommendationId::new(offer.recommendation.clone());
        recommendations.push(state.store.get_recommendation(&rec).await.context("reading what a card shows")?);
    }
    let own = own(state, &linked.person, &case, &recommendations).await;
    let lookers = lookers(&state.store, &state.config.teams.tenant, &state.clock).await?;
    Ok(reply::card(&draw_own(&card, message.chart.as_deref(), &lookers, &own)))
}

/// The case that is meant; None where there is none.
async fn case_of(state: &ChannelState, about: &str) -> anyhow::Result<Option<CaseId>> {
    match about.split_once(':') {
        Some(("case", id)) if is_id(id) => Ok(Some(CaseId::new(id))),
        Some(("recommendation", id)) if is_id(id) => {
            match state.store.get_recommendation(&RecommendationId::new(id)).await {
                Ok((rec, _)) => Ok(Some(rec.case_id)),
                Err(StoreError::NotFound { .. }) => Ok(None),
                Err(error) => Err(error.into()),
            }
        }
        _ => Ok(None),
    }
}

async fn own(state: &ChannelState, person: &PersonId, case: &Case, recommendations: &[(Recommendation, i64)]) -> Own {
    let mut own = Own::default();
    let now = state.clock.now();
    for (rec, version) in recommendations {
        let decided = match &rec.state {
            State::Approved { by, .. } | State::ApprovedWithEdit { by, .. } => by.contains(person),
            State::Rejected { by, .. } => by == person,
            _ => false,
        };
        if decided && state.approvals.undo_until(rec).is_some_and(|until| until > now) {
            own.undo = Some(Press {
                verb: DecisionVerb::Undo.name().to_owned(),
                recommendation: rec.id.to_string(),
                content_hash: rec.content_hash(),
                version: *version,
            });
            own.said.push("This is your decision. You can still take it back.".to_owned());
        }
    }
    let waiting: Vec<&Recommendation> =
        recommendations.iter().map(|(rec, _)| rec).filter(|rec| rec.state.is_before_people()).collect();
    let preview = state.approvals.preview(person, case, &waiting);
    // The card is there without it.
    let previews: Vec<Preview> = tokio::time::timeout(LOOK, preview).await.ok().and_then(Result::ok).unwrap_or_default();
    let not = waiting.iter().zip(&previews).filter(|(_, preview)| !preview.may_approve);
    own.not = not.map(|(rec, _)| rec.id.to_string()).collect::<BTreeSet<_>>();
    if let Some(why) = previews.first().and_then(|preview| preview.why_not.as_deref()) {
        own.said.push(sentence(&format!("you can not approve the first choice: {}", crate::cards::plain(why))));
    }
    own
}
