//! The queue and single cases.

use axum::extract::{Extension, Path, State};
use axum::{Json, http::StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use super::answers::{CaseFull, CaseList, Wanted};
use super::auth::{self, needs};
use super::cards;
use super::input::Asked;
use super::problem::Problem;
use super::refused::refused;
use crate::approve::opened;
use crate::cards::names::Names;
use crate::channels::ChannelState;
use crate::domain::case::Case;
use crate::domain::exception::ExceptionType;
use crate::domain::ids::CaseId;
use crate::domain::ids::is_id;
use crate::domain::recommendation::Recommendation;
use crate::people::{Bearer, Scope, TokenRefused};
use crate::pipeline::noise::{Muting, drill};
use crate::store::{CaseAfter, CaseSubject};

/// Most cases on a page, and how many where nothing is said.
const PAGE_MAX: u32 = 200;
const PAGE: u32 = 50;
/// Cases read at once while a filter looks for those that fit.
const CHUNK: usize = 200;

/// Which cases.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::channels) struct CasesQuery {
    /// `open` (the default), `latent` (worth nothing so far), `snoozed`, `decided`, `done`, `all`, or `shadow`: what would be shown if
    /// its scope were live.
    state: Option<String>,
    /// Only cases with this type of exception, such as `R-SHORT`.
    r#type: Option<String>,
    /// Only cases about this item of the ERP.
    item: Option<String>,
    /// Only cases about this store or warehouse of the ERP.
    location: Option<String>,
    /// Only cases about this supplier of the ERP.
    supplier: Option<String>,
    /// `true`: also waiting cases that a mute hides.
    muted: Option<bool>,
    /// How many at most: 1 to 200, 50 where nothing is said.
    limit: Option<u32>,
    /// `next` of the page before. A case whose priority changes meanwhile may come twice or be passed over.
    after: Option<String>,
}

/// Which states each filter shows.
const STATES: [(&str, &[&str]); 7] = [
    ("open", &["new", "open"]),
    ("latent", &["latent"]),
    ("snoozed", &["snoozed"]),
    ("decided", &["decided", "verifying"]),
    ("done", &["closed", "resolved_itself", "expired", "merged", "withdrawn"]),
    ("all", &[]),
    ("shadow", &["shadow"]),
];

/// `GET /cases`
pub(in crate::channels) async fn list(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    Asked(query): Asked<CasesQuery>,
) -> Result<Json<CaseList>, Problem> {
    needs(&bearer, &Scope::ReadCases)?;
    let wanted = query.state.as_deref().unwrap_or("open");
    let states = STATES.iter().find(|(name, _)| *name == wanted);
    let states = states.ok_or_else(|| {
        Problem::bad_field("state", format!("{wanted:?} is none of open, latent, snoozed, decided, done, all and shadow"))
    })?;
    let code = query.r#type.as_deref().map(str::parse::<ExceptionType>).transpose();
    let code = code.map_err(|_| {
        Problem::bad_field("type", format!("{:?} is no type of exception", query.r#type.as_deref().unwrap_or_default()))
    })?;
    let limit = query.limit.unwrap_or(PAGE);
    if !(1..=PAGE_MAX).contains(&limit) {
        return Err(Problem::bad_field("limit", format!("{limit} is not 1 to {PAGE_MAX}")));
    }
    let mut after = query.after.as_deref().map(cursor).transpose()?;
    let subject =
        CaseSubject { item: query.item.clone(), location: query.location.clone(), supplier: query.supplier.clone() };
    let limit = limit as usize;
    // As in the queue: what is muted is shown to whoever asks for it.
    let muting = if query.muted == Some(true) {
        Muting::of(&state.store, &state.config, Vec::new()).await?
    } else {
        Muting::load(&state.store, &state.config, state.clock.now()).await?
    };
    let mut found = Vec::new();
    // One more than was asked for tells whether there is a next page.
    while found.len() <= limit {
        // What is muted has no index: pieces are read until enough cases are shown.
        let chunk = state.store.list_cases_about(states.1, code, &subject, after.as_ref(), CHUNK).await?;
        let last = chunk.len() < CHUNK;
        after = chunk.last().map(CaseAfter::of);
        let mutes = muting.hides_each(&state.store, &chunk).await?;
        // A mute hides what waits. What was decided is history and stays to be found.
        let shown = chunk.into_iter().zip(mutes).filter(|(case, mute)| mute.is_none() || !case.state.is_undecided());
        found.extend(shown.map(|(case, _)| case));
        if last {
            break;
        }
    }
    let more = found.len() > limit;
    found.truncate(limit);
    let names = Names::about(&state.store, found.iter().map(|case| &case.subject)).await?;
    Ok(Json(CaseList {
        currency: state.config.rules.money.currency.clone(),
        next: found.last().filter(|_| more).map(|case| written(&CaseAfter::of(case))),
        cases: found.iter().map(|case| cards::line(case, &names)).collect(),
    }))
}

/// `POST /cases/{id}/want`
pub(super) async fn want(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    Path(id): Path<String>,
) -> Result<Json<Wanted>, Problem> {
    needs(&bearer, &Scope::Decide(None))?;
    let person = bearer.person.as_ref().ok_or(TokenRefused::Machine).map_err(auth::refused)?;
    let case = if is_id(&id) { state.store.find_case(&CaseId::new(id)).await? } else { None };
    let case = case.ok_or_else(|| Problem::not_found("such case"))?;
    match state.approvals.want(&case.id, &person.id, "api").await {
        Ok(opened) => {
            // A stage drafts it: without this the caller would wait for its next turn.
            state.hooks.wake();
            Ok(Json(Wanted { case: case.id.to_string(), opened }))
        }
        Err(refusal) => Err(refused(&state, &bearer, refusal).await),
    }
}

/// `GET /cases/{id}`
pub(super) async fn one(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    Path(id): Path<String>,
) -> Result<Json<CaseFull>, Problem> {
    needs(&bearer, &Scope::ReadCases)?;
    let Read { case, all, mut full } = read(&state, &id).await?;
    // Only people open cases. What a service reads was seen by nobody, and it may decide nothing.
    if let Some(person) = &bearer.person {
        let waiting: Vec<&Recommendation> = all.iter().filter(|rec| rec.state.is_waiting()).collect();
        opened(&state.store, state.clock.now(), &person.id, "api", waiting.iter().copied()).await?;
        let previews = state.approvals.preview(&person.id, &case, &waiting).await;
        let previews = match previews {
            Ok(previews) => previews,
            Err(refusal) => return Err(refused(&state, &bearer, refusal).await),
        };
        for (card, preview) in full.cards.iter_mut().filter(|card| card.waiting).zip(previews) {
            card.you = Some(cards::you(preview));
        }
    }
    Ok(Json(full))
}

/// The same for who reads and decides nothing: nobody has opened the case by it, and no card says what its reader may do.
pub(in crate::channels) async fn unopened(state: &ChannelState, bearer: &Bearer, id: &str) -> Result<CaseFull, Problem> {
    needs(bearer, &Scope::ReadCases)?;
    Ok(read(state, id).await?.full)
}

/// A case as it is answered, with what it was made of.
struct Read {
    case: Case,
    /// Those that count, as they are shown while drills wait, the first choice first.
    all: Vec<Recommendation>,
    full: CaseFull,
}

async fn read(state: &ChannelState, id: &str) -> Result<Read, Problem> {
    let case = if is_id(id) { state.store.find_case(&CaseId::new(id)).await? } else { None };
    let case = case.ok_or_else(|| Problem::not_found("such case"))?;
    let drills = state.store.list_drills_of(&case.id).await?;
    // A waiting drill is shown here as on the page: two programs that show two cards would give it away (decision 36).
    let mut all = drill::cards(state.store.list_recommendations(&case.id).await?, &drills);
    all.retain(|(rec, _)| rec.state.counts());
    all.sort_by_key(|(rec, _)| (rec.rank, std::cmp::Reverse(rec.drafted_at)));
    let all: Vec<Recommendation> = all.into_iter().map(|(rec, _)| rec).collect();
    let evidence = match &case.evidence_hash {
        Some(hash) => Some(state.store.get_bundle(&case.id, hash).await?),
        None => state.store.find_latest_bundle(&case.id).await?,
    };
    let names = Names::about(&state.store, [&case.subject]).await?;
    let full = CaseFull {
        currency: state.config.rules.money.currency.clone(),
        case: cards::line(&case, &names),
        cards: all.iter().map(cards::card).collect(),
        evidence: evidence.as_ref().map(|bundle| cards::evidence(bundle, &state.config.odoo)),
    };
    Ok(Read { case, all, full })
}

/// `PRIORITY.OPENED.ID`: where a page ended.
fn written(after: &CaseAfter) -> String {
    // What is not ranked stands behind every amount; its place is written as nothing.
    let priority = after.priority_minor.map_or_else(String::new, |minor| minor.to_string());
    format!("{priority}.{}.{}", after.opened_at.as_millisecond(), after.id)
}

fn cursor(text: &str) -> Result<CaseAfter, Problem> {
    let read = || {
        let (priority, rest) = text.split_once('.')?;
        let (opened, id) = rest.split_once('.')?;
        Some(CaseAfter {
            priority_minor: if priority.is_empty() { None } else { Some(priority.parse().ok()?) },
            opened_at: jiff::Timestamp::from_millisecond(opened.parse().ok()?).ok()?,
            id: CaseId::new(Some(id).filter(|id| is_id(id))?),
        })
    };
    read().ok_or_else(|| {
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", "after is what `next` of the page before says")
            .with("pointer", "after")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_reads_back_and_nothing_else_does() {
        for text in ["89250.1791527400000.c-00ff", ".0.c-1", "-5.-1.case_1"] {
            assert_eq!(written(&cursor(text).unwrap()), text);
        }
        for text in ["", ".", "1.2", "1.2.", "x.2.c", "1.x.c", "1.2.c d", "1.2.'", "9e9.1.c", "1.99999999999999999999.c"] {
            assert!(cursor(text).is_err(), "{text}");
        }
    }
}
