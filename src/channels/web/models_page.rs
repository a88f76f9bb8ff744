//! Health: the stages, the detectors with what has drifted, and whose words people see; where a second person confirms a change.

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::error::WebError;
use super::frame::Shell;
use super::session::SignedIn;
use super::templates;
use crate::cards::names::{actor_name, moment};
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::calendar::plus_days;
use crate::domain::model::ModelName;
use crate::pipeline::registry::drift::{self, DetectorDrift};
use crate::pipeline::registry::{self, Changed, InForce};
use crate::pipeline::writers::{self, Stand, Tally};
use crate::store::{JobStatus, ModelStep, WriterStep};
use crate::worker::duty;

#[derive(Deserialize)]
pub(super) struct Shown {
    #[serde(default)]
    done: String,
}

/// What the form sends.
#[derive(Default, Deserialize)]
pub(super) struct Wish {
    #[serde(default)]
    csrf: String,
    /// The version that is to run.
    #[serde(default)]
    name: String,
    #[serde(default)]
    reason: String,
    /// Of words: the proof that was shown.
    #[serde(default)]
    proof: String,
}

/// `GET /health`
pub(super) async fn health(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(shown): Query<Shown>,
) -> Result<Html<String>, WebError> {
    let done = match shown.done.as_str() {
        "done" => Some("It runs from the next look on; what people have decided goes on."),
        "proposed" => Some("Proposed. A second person has to confirm it here."),
        "same" => Some("It runs already; nothing was changed."),
        "words" => Some("People see the model's words from the next draft on."),
        _ => None,
    };
    Ok(Html(page(&state, &who, None, done).await?))
}

/// `POST /models`
pub(super) async fn change(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let name: ModelName = match form.name.parse() {
        Ok(name) => name,
        Err(why) => {
            let why = why.to_string();
            return Ok((StatusCode::BAD_REQUEST, Html(page(&state, &who, Some(&why), None).await?)).into_response());
        }
    };
    let by = (&who.person.id, "web", &who.hand);
    match registry::promote(&state.store, &state.config, &state.clock, by, &name, &form.reason).await {
        Ok(done) => {
            let done = match done {
                Changed::Done(_) => "done",
                Changed::Proposed(_) => "proposed",
                Changed::Same => "same",
            };
            Ok(Redirect::to(&format!("/health?done={done}")).into_response())
        }
        Err(why) => {
            let why = format!("{why:#}");
            Ok((StatusCode::CONFLICT, Html(page(&state, &who, Some(&why), None).await?)).into_response())
        }
    }
}

/// `POST /words`: a second person lets people see the configured model's words, on the proof that the page shows.
pub(super) async fn confirm_words(
    State(state): State<ChannelState>,
    who: SignedIn,
    form: Result<Form<Wish>, FormRejection>,
) -> Result<Response, WebError> {
    let Form(form) = form.map_err(|rejection| WebError::BadRequest(rejection.body_text()))?;
    who.check(&form.csrf)?;
    let config = &state.config;
    // Only the model that is configured now: the page may have been opened while it was another.
    let writer = config.writer().filter(|writer| writer.id() == form.name);
    let done = match &writer {
        Some(writer) => {
            let by = (&who.person.id, "web", &who.hand);
            writers::promote(&state.store, config, &state.clock, by, writer, &form.reason, Some(&form.proof)).await
        }
        None => Err(anyhow::anyhow!("another model is configured by now; look at it and try again")),
    };
    match done {
        Ok(writers::Changed::Proposed(_)) => Ok(Redirect::to("/health?done=proposed").into_response()),
        Ok(_) => Ok(Redirect::to("/health?done=words").into_response()),
        Err(why) => {
            let why = format!("{why:#}");
            Ok((StatusCode::CONFLICT, Html(page(&state, &who, Some(&why), None).await?)).into_response())
        }
    }
}

/// Whose words people see; nothing where no model is configured.
async fn words(state: &ChannelState, who: &SignedIn) -> Result<Value, WebError> {
    let Some(stand) = writers::configured(&state.store, &state.config).await? else { return Ok(Value::Null) };
    let (people, calendar) = (&state.config.people, state.config.rules.calendar.calendar());
    // What is counted ends before the named day: this way today is in it.
    let tomorrow = plus_days(calendar.day_of(state.clock.now()), 1);
    let counts = state.store.count_writer_drafts(&stand.writer.id(), tomorrow).await?;
    let (shadow, shown) = (Tally::of(&counts, false), Tally::of(&counts, true));
    let wish = |step: &WriterStep| {
        json!({
            "by": actor_name(&step.by, people), "at": moment(step.at, &calendar.timezone), "reason": plain(&step.reason),
            "mine": step.by == who.person.id.as_str(),
        })
    };
    Ok(json!({
        "id": stand.writer.id(),
        "name": plain(&stand.writer.to_string()),
        "state": stand.state.name(),
        "well": stand.state != writers::State::TakenBack,
        "people_see": if stand.state == writers::State::Earned { "its words" } else { "the playbook's words" },
        "shadow": shadow,
        "shown": shown,
        "since": stand.since.as_ref().map(wish),
        "proposed": stand.proposed.as_ref().map(wish),
        "proof": proof(state, &stand).await?,
    }))
}

/// The proof that a proposal was made on, as the second person has to see it; nothing where none waits. Where a newer one was kept
/// meanwhile it is signed by nobody.
async fn proof(state: &ChannelState, stand: &Stand) -> Result<Value, WebError> {
    let Some(step) = &stand.proposed else { return Ok(Value::Null) };
    let all = state.store.list_proofs(&stand.writer.id()).await?;
    let is_newest = all.first().is_some_and(|newest| newest.id == step.proof);
    let Some(kept) = all.into_iter().find(|kept| kept.id == step.proof) else { return Ok(Value::Null) };
    let proof = &kept.proof;
    Ok(json!({
        "id": kept.id,
        "is_newest": is_newest,
        "suite": plain(&proof.suite),
        "data": plain(&proof.data),
        "by": actor_name(&kept.by, &state.config.people),
        "at": moment(proof.at, &state.config.rules.calendar.timezone),
        "found": proof.found.iter().map(|line| plain(line)).collect::<Vec<_>>(),
    }))
}

async fn page(state: &ChannelState, who: &SignedIn, refused: Option<&str>, done: Option<&str>) -> Result<String, WebError> {
    let (people, zone) = (&state.config.people, &state.config.rules.calendar.timezone);
    let newest = state.store.newest_change().await?;
    let stage = |s: &JobStatus| {
        json!({
            "stage": plain(&s.stage),
            "ok": s.last_error.is_none(),
            "last_run": moment(s.last_run, zone),
            "last_ok": s.last_ok.map_or_else(|| "never".to_owned(), |at| moment(at, zone)),
            "advanced": s.advanced,
            "error": s.last_error.as_deref().map(plain),
        })
    };
    let work = duty::health(&state.store).await?;
    let now = registry::in_force(&state.store, &state.config).await?;
    let kept = drift::kept(&state.store).await?;
    let wish = |step: &ModelStep| {
        json!({
            "name": step.name.to_string(), "by": actor_name(step.by.as_str(), people), "at": moment(step.at, zone),
            "reason": plain(&step.reason), "mine": step.by == who.person.id,
        })
    };
    let values = json!({
        "shell": Shell::of("Health", "/health", who),
        "refused": refused.map(plain),
        "done": done,
        "work": { "well": work.is_well, "says": plain(&work.says) },
        "lead": newest.map_or_else(
            || "No record has been read yet.".to_owned(),
            |at| format!("The newest record is of {}.", moment(at, zone)),
        ),
        "stages": state.store.list_job_status().await?.iter().map(stage).collect::<Vec<_>>(),
        "detectors": detectors(&now, kept.as_ref().map_or(&[][..], |(_, all)| all)),
        "counted_on": kept.as_ref().map(|(day, _)| day.to_string()),
        "unreadable": now.unreadable.iter().map(|line| plain(line)).collect::<Vec<_>>(),
        "proposed": now.proposed.iter().map(wish).collect::<Vec<_>>(),
        "words": words(state, who).await?,
        "may_promote": registry::may_promote(&state.config, &who.person),
    });
    Ok(templates::render("health.html", &values)?)
}

/// A row for each detector: what runs, what was counted of it, and what is wrong.
fn detectors(now: &InForce, standings: &[DetectorDrift]) -> Vec<Value> {
    let row = |kind| {
        let name = now.models().name(kind);
        let standing = standings.iter().find(|standing| standing.model == name);
        let moved = standing.map_or(&[][..], |standing| &standing.moved);
        let said = |moved: &crate::models::control::drift::Moved| {
            format!("{}: {} (index {:.2})", moved.what, moved.drift.name(), moved.index)
        };
        json!({
            "name": name.to_string(),
            "well": standing.is_none_or(|standing| standing.line().is_none()),
            "moved": moved.iter().map(said).collect::<Vec<_>>(),
            "answered": standing.map(|s| format!("{} of {}", s.answered.rejected, s.answered.shown)),
            "promised": standing.map(|s| s.promised),
            "line": standing.and_then(DetectorDrift::line),
        })
    };
    crate::domain::model::ModelKind::ALL.into_iter().map(row).collect()
}
