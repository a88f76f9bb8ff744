//! Looking at the pages by a link in a mail. The session that it opens is one of its own kind: it sees what its person sees, and no form takes
//! anything from it. As with a sign-in link the address only shows a button, for previews open links too. Whoever is signed in already stays
//! so.

use axum::Form;
use axum::extract::{Query, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::WebError;
use super::frame::Shell;
use super::session::{entry, held, set_cookie, token};
use super::templates;
use crate::channels::ChannelState;
use crate::channels::mail::look::{self, Look};
use crate::domain::hand::Hand;
use crate::domain::ids::{PersonId, content_hash};
use crate::store::Session;

/// What a link carries.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
pub(super) struct Carried {
    p: String,
    u: String,
    k: String,
    to: String,
}

impl Carried {
    /// What it proves, where it was made here, still holds, and is of somebody who is still there.
    async fn proves(&self, state: &ChannelState) -> Result<Option<Look>, WebError> {
        let key = look::key(&state.store).await?;
        let stamp = state.store.look_stamp(&PersonId::new(self.p.as_str())).await?;
        let proved = Look::read(&key, &self.p, &stamp, (&self.u, &self.k), state.clock.wire());
        Ok(proved.filter(|look| state.config.people.iter().any(|person| person.id == look.person)))
    }

    /// The page that it leads to; the queue where that is none of ours.
    fn page(&self) -> &str {
        if look::is_page(&self.to) { &self.to } else { "/" }
    }
}

/// `GET /look`: shows the button, or says why there is none.
pub(super) async fn ask(State(state): State<ChannelState>, Query(carried): Query<Carried>) -> Result<Response, WebError> {
    match carried.proves(&state).await? {
        Some(_) => page(StatusCode::OK, Some(&carried)),
        None => page(StatusCode::FORBIDDEN, None),
    }
}

/// `POST /look`: starts a session that looks, and goes to the page. It ends when the link does.
///
/// Who is signed in as its person already sees what the link lets see: they stay signed in, and go there.
pub(super) async fn begin(
    State(state): State<ChannelState>,
    headers: HeaderMap,
    Form(carried): Form<Carried>,
) -> Result<Response, WebError> {
    let Some(Look { person, until, .. }) = carried.proves(&state).await? else { return page(StatusCode::FORBIDDEN, None) };
    if held(&state, &headers).await?.is_some_and(|session| !session.looks_only && session.person == person) {
        return Ok(Redirect::to(carried.page()).into_response());
    }
    let now = state.clock.wire();
    state.store.delete_expired_sessions(now).await?;
    let secret = token();
    let session = Session {
        token_hash: content_hash(&[&secret]),
        person: person.clone(),
        csrf: token(),
        created_at: now,
        expires_at: until,
        // Mails are forwarded and read along: it could be anybody's.
        hand: Hand::MadeByCommand(String::new()),
        looks_only: true,
    };
    let entry = entry(state.clock.now(), person.as_str(), "person.looks", &person);
    state.store.insert_session(&session, &[entry]).await?;
    let cookie = set_cookie(&state.config.web, &secret, until.duration_since(now).as_secs());
    Ok(([(SET_COOKIE, cookie)], Redirect::to(carried.page())).into_response())
}

fn page(status: StatusCode, carried: Option<&Carried>) -> Result<Response, WebError> {
    let values = json!({ "shell": Shell::stranger("Look"), "carried": carried });
    Ok((status, Html(templates::render("look.html", &values)?)).into_response())
}
