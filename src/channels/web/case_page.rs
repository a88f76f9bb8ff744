//! One case, and the clicks on it.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};

use super::error::WebError;
use super::frame::{Choice, Shell};
use super::session::SignedIn;
use super::templates;
use crate::approve::{Ask, DecisionRefused, Loose};
use crate::cards::case::{CaseParts, CaseView, in_order};
use crate::cards::names::{Names, actor_name, moment, reason_text};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::audit::Chained;
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::RejectReason;
use crate::domain::ids::{CaseId, RecommendationId, content_hash, is_id};
use crate::domain::policy::may_turn_down;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::drill;
use crate::reports::audit::card;
use crate::store::{Drill, DrillResult};

#[derive(Serialize)]
struct Page {
    shell: Shell,
    #[serde(flatten)]
    view: CaseView,
    reasons: Vec<Choice>,
    /// Whom the viewer may ask by name.
    askable: Vec<Choice>,
    /// Drills of the case that were answered.
    drills: Vec<String>,
    refused: Option<String>,
    done: Option<&'static str>,
    /// Is it latent, and may the viewer ask for recommendations?
    latent: bool,
    may_want: bool,
    /// Is it about to be drafted because somebody asked?
    wanted: bool,
    /// What recomputing the shown card came to; whether everything agreed.
    recomputed: Option<(String, bool)>,
}

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    done: String,
}

/// What every form on the page sends.
#[derive(Deserialize)]
pub(super) struct Click {
    #[serde(default)]
    csrf: String,
    recommendation: String,
    content_hash: String,
    key: String,
    verb: String,
    #[serde(default)]
    step: String,
    #[serde(default)]
    quantity: String,
    #[serde(default)]
    date: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    note: String,
    #[serde(default)]
    until: String,
    #[serde(default)]
    wake: String,
    #[serde(default)]
    above: String,
    #[serde(default)]
    to: String,
    #[serde(default)]
    into: String,
}

impl Click {
    /// What the form asks for, as it was filled in.
    fn loose(self) -> Loose {
        // What was typed is part of the click: the same form with another reason is another click.
        // Of a plan also its step; a form without one makes the key that it always made.
        let verb = if self.step.is_empty() { self.verb.clone() } else { format!("{} step {}", self.verb, self.step) };
        let key = content_hash(&[
            &self.key,
            &verb,
            &self.quantity,
            &self.date,
            &self.reason,
            &self.note,
            &self.until,
            &self.wake,
            &self.above,
            &self.to,
            &self.into,
        ]);
        let typed = |text: String| Some(text).filter(|text| !text.trim().is_empty());
        Loose {
            recommendation: self.recommendation,
            content_hash: self.content_hash,
            key,
            verb: self.verb,
            step: self.step,
            quantity: typed(self.quantity),
            date: typed(self.date),
            reason: self.reason,
            // As much of it as is kept.
            note: self.note.chars().take(500).collect(),
            until: self.until,
            wake: self.wake,
            above: self.above,
            to: self.to,
            into: self.into,
        }
    }
}

/// `GET /cases/{id}`
pub(super) async fn show(
    State(state): State<ChannelState>,
    who: SignedIn,
    Path(id): Path<String>,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, WebError> {
    let case = case_of(&state, &id).await?;
    let drills = state.store.list_drills_of(&case.id).await?;
    let all = drill::cards(state.store.list_recommendations(&case.id).await?, &drills);
    who.opened(&state, all.iter().map(|(rec, _)| rec)).await?;
    let done = (shown.done == "1").then_some("Your decision is kept.");
    Ok(Html(page(&state, &who, &case, None, done).await?))
}

/// `POST /cases/{id}/decide`
pub(super) async fn decide(
    State(state): State<ChannelState>,
    who: SignedIn,
    Path(id): Path<String>,
    form: Result<Form<Click>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(click) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&click.csrf)?;
    let case = case_of(&state, &id).await?;
    let rec = state.store.get_recommendation(&RecommendationId::new(click.recommendation.clone())).await?.0;
    if rec.case_id != case.id {
        return Err(WebError::NotFound("such recommendation in this case"));
    }
    let request = match Ask::parse(click.loose(), "web", Some(&rec.candidate)) {
        Ok(ask) => ask.by(&who.person.id, who.hand.clone()),
        Err(unclear) => {
            return refused(&state, &who, &case, StatusCode::BAD_REQUEST, &unclear.to_string()).await;
        }
    };
    match state.approvals.decide(&request).await {
        // The page tells what it was.
        Ok(answer) if answer.is_drill() => Ok(Redirect::to(&format!("/cases/{}", case.id)).into_response()),
        Ok(_) => Ok(Redirect::to(&format!("/cases/{}?done=1", case.id)).into_response()),
        Err(refusal) => {
            let status = match &refusal {
                DecisionRefused::NotAllowed(_)
                | DecisionRefused::MayNotSign(_)
                | DecisionRefused::OneHand { .. }
                | DecisionRefused::UnknownPerson(_) => StatusCode::FORBIDDEN,
                DecisionRefused::BadEdit(_) | DecisionRefused::BadRequest(_) => StatusCode::BAD_REQUEST,
                DecisionRefused::Failed(error) => {
                    tracing::error!(error = format!("{error:#}"), "a decision could not be kept");
                    StatusCode::SERVICE_UNAVAILABLE
                }
                _ => StatusCode::CONFLICT,
            };
            refused(&state, &who, &case, status, &refusal.to_string()).await
        }
    }
}

/// What asking for recommendations sends.
#[derive(Deserialize)]
pub(super) struct Wanting {
    #[serde(default)]
    csrf: String,
}

/// `POST /cases/{id}/want`
pub(super) async fn want(
    State(state): State<ChannelState>,
    who: SignedIn,
    Path(id): Path<String>,
    form: Result<Form<Wanting>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let case = case_of(&state, &id).await?;
    match state.approvals.want(&case.id, &who.person.id, "web").await {
        Ok(_) => {
            // Who asked waits for it.
            state.hooks.wake();
            Ok(Redirect::to(&format!("/cases/{}", case.id)).into_response())
        }
        Err(DecisionRefused::Failed(error)) => {
            tracing::error!(error = format!("{error:#}"), "a case could not be opened");
            refused(&state, &who, &case, StatusCode::SERVICE_UNAVAILABLE, "it could not be kept; try again").await
        }
        Err(refusal) => refused(&state, &who, &case, StatusCode::FORBIDDEN, &refusal.to_string()).await,
    }
}

async fn case_of(state: &ChannelState, id: &str) -> Result<Case, WebError> {
    if !is_id(id) {
        return Err(WebError::NotFound("such case"));
    }
    state.store.find_case(&CaseId::new(id)).await?.ok_or(WebError::NotFound("such case"))
}

/// The page as it is now, with the reason why the click changed nothing.
async fn refused(
    state: &ChannelState,
    who: &SignedIn,
    case: &Case,
    status: StatusCode,
    why: &str,
) -> Result<Response, WebError> {
    let case = state.store.get_case(&case.id).await?;
    Ok((status, Html(page(state, who, &case, Some(why), None).await?)).into_response())
}

async fn page(
    state: &ChannelState,
    who: &SignedIn,
    case: &Case,
    refused: Option<&str>,
    done: Option<&'static str>,
) -> Result<String, WebError> {
    let all = state.store.list_recommendations(&case.id).await?;
    // While a drill waits it stands here in place of the first choice, and the log below leaves out what tells of it.
    let drills = state.store.list_drills_of(&case.id).await?;
    let recommendations = in_order(&drill::cards(all.clone(), &drills));
    let exceptions = state.store.list_case_exceptions(&case.id).await?;
    let evidence = match &case.evidence_hash {
        Some(hash) => Some(state.store.get_bundle(&case.id, hash).await?),
        None => state.store.find_latest_bundle(&case.id).await?,
    };
    // The chart stands where the evidence does: picture and figures tell of one moment.
    let as_of = evidence.as_ref().map_or_else(|| state.clock.now(), |bundle| bundle.as_of);
    let chart = state.charts.chart(&case.subject, as_of).await;
    let flow = state.charts.flow(&case.subject).await;
    let mut names = Names::about(&state.store, [&case.subject]).await?;
    if let Some(bundle) = &evidence {
        names = names.and_of(&state.store, bundle).await?;
    }
    let history = history(state, case, &all, &drills).await?;
    let waiting: Vec<&Recommendation> = recommendations.iter().map(|(r, _)| r).filter(|r| r.state.is_waiting()).collect();
    let previews = state.approvals.preview(&who.person.id, case, &waiting).await.map_err(WebError::judged)?;
    let previews = waiting.iter().map(|r| r.id.clone()).zip(previews).collect();
    let view = CaseView::of(&CaseParts {
        previews: &previews,
        case,
        exceptions: &exceptions,
        evidence: evidence.as_ref(),
        recommendations: &recommendations,
        history: &history,
        chart: chart.as_ref(),
        flow: flow.as_ref(),
        names: &names,
        config: &state.config,
        viewer: &who.person,
        csrf: &who.csrf,
        now: state.clock.now(),
    });
    // At each view the figures of the first choice are computed again, by code that shares nothing with the drafting.
    let recomputed = match recommendations.first() {
        Some((rec, _)) => match card::verify(&state.store, &state.config, told_of(&drills, &rec.id)).await {
            Ok(report) => Some((report.sentence(), report.holds())),
            Err(error) => {
                tracing::error!(error = format!("{error:#}"), "a card could not be recomputed");
                Some(("The figures could not be recomputed just now.".to_owned(), false))
            }
        },
        None => None,
    };
    let reason = |r: RejectReason| Choice { value: r.code().to_owned(), name: reason_text(r).to_owned(), chosen: false };
    let values = Page {
        shell: Shell::of(case.headline.as_str(), "/cases", who),
        view,
        reasons: RejectReason::ALL.into_iter().map(reason).collect(),
        askable: askable(state, who),
        drills: drills.iter().filter_map(|d| drill_text(d, state)).collect(),
        refused: refused.map(str::to_owned),
        done,
        latent: case.state == CaseState::Latent,
        may_want: may_turn_down(&who.person).is_ok(),
        wanted: case.state == CaseState::New && case.wanted,
        recomputed,
    };
    Ok(templates::render("case.html", &values)?)
}

/// The card that is recomputed: where a drill waits in its place, the true one, so that the page does not give the drill away.
fn told_of<'r>(drills: &'r [Drill], shown: &'r RecommendationId) -> &'r RecommendationId {
    let waits = drills.iter().find(|d| d.end.is_none() && d.recommendation_id == *shown);
    waits.map_or(shown, |drill| &drill.instead_of)
}

/// A drill that somebody answered, in words; nothing of one that waits.
fn drill_text(drill: &Drill, state: &ChannelState) -> Option<String> {
    let (result, person, at) = drill.end.as_ref().filter(|(result, ..)| *result != DrillResult::Withdrawn)?;
    let who = person.as_ref().map_or_else(String::new, |p| actor_name(p.as_str(), &state.config.people));
    let did = if *result == DrillResult::Caught { "noticed" } else { "approved it" };
    let at = moment(*at, &state.config.rules.calendar.timezone);
    Some(format!("A drill stood here: {} {who} {did} on {at}. Nothing followed from it.", plain(&drill.what)))
}

/// What was done to the case and to its recommendations, oldest first, and nothing by which a waiting drill could be known.
async fn history(
    state: &ChannelState,
    case: &Case,
    all: &[(Recommendation, i64)],
    drills: &[Drill],
) -> Result<Vec<Chained>, WebError> {
    let mut history = state.store.list_audit_of(&format!("case:{}", case.id)).await?;
    for (rec, _) in all {
        history.extend(state.store.list_audit_of(&format!("recommendation:{}", rec.id)).await?);
    }
    history.sort_by_key(|entry| entry.seq);
    Ok(drill::told(history, all, drills))
}

/// Everybody else who decides anything.
fn askable(state: &ChannelState, who: &SignedIn) -> Vec<Choice> {
    let others = state.config.people.iter().filter(|p| p.id != who.person.id && may_turn_down(p).is_ok());
    others.map(|p| Choice { value: p.id.to_string(), name: plain(&p.name), chosen: false }).collect()
}
