//! Signing in by a link that works once, and staying signed in by a cookie.
//!
//! Opening the link only shows a button: previews in chats and mail open links too, and must not use them up. Only hashes of
//! tokens are stored.

use axum::Form;
use axum::extract::{FromRequestParts, Query, State};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Redirect, Response};
use jiff::SignedDuration;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::error::WebError;
use super::frame::Shell;
use super::templates;
use crate::approve::opened;
use crate::channels::ChannelState;
use crate::clock::Clock;
use crate::config::WebConfig;
use crate::domain::audit::{AuditEntry, BY_COMMAND};
use crate::domain::hand::Hand;
use crate::domain::ids::{PersonId, content_hash};
use crate::domain::policy::Person;
use crate::domain::recommendation::Recommendation;
use crate::pipeline::deliver::stuck::DELIVERY_WARNING;
use crate::pipeline::observe::WARNING;
use crate::pipeline::stop;
use crate::store::{Session, Store, StoreError, UsedLink};

/// The cookie's name. With the prefix a browser takes it from this host over https only, and sends it nowhere else.
const COOKIE_NAME: &str = "reeve_session";
const SECURE_COOKIE_NAME: &str = "__Host-reeve_session";
/// Where one signs out: all that somebody may do who came to look.
pub(super) const SIGN_OUT: &str = "/sign-out";
/// What a mail is about, and so what its links open; beside these only what pages are made of.
const LOOKED_AT: [&str; 5] = ["/cases/", "/digests", "/items/", "/suppliers", "/assets/"];
/// What somebody is told who came to look and went on to another page.
const OTHER_PAGE: &str = "You came by a link in a mail, which opens the queue, cases, digests, items and suppliers. For this page sign in: ask \
                          whoever runs Reeve for a sign-in link, and open it here.";
/// What somebody is told who came to look and pressed a button.
const LOOKS_ONLY: &str =
    "You came by a link in a mail, which lets you look and decide nothing. Sign out, and sign in with a link of your own.";
/// How long a link can be used.
const LINK_MINUTES: i64 = 30;

/// Somebody who is signed in.
pub(super) struct SignedIn {
    pub person: Person,
    pub csrf: String,
    /// What everybody should know about the source.
    pub warning: Option<String>,
    /// Who stopped Reeve, when and why, while it is stopped.
    pub stopped: Option<String>,
    /// How much was done in their name by others, or by command, that they were not told of.
    pub untold: i64,
    /// Whose hand it could be.
    pub hand: Hand,
    /// Did they come by a link in a mail? Then it could be anybody, and nothing is kept in their name.
    pub looks_only: bool,
    pub(super) token_hash: String,
}

impl SignedIn {
    /// Refuses a form that was not made for this session.
    pub(super) fn check(&self, csrf: &str) -> Result<(), WebError> {
        if bool::from(self.csrf.as_bytes().ct_eq(csrf.as_bytes())) {
            return Ok(());
        }
        Err(WebError::Forbidden("The form is not of this session. Open the page again and repeat what you did."))
    }

    /// Keeps that they are shown `shown` from now on. Not of somebody who came to look: how long a person takes to decide is counted from
    /// when they saw it themselves.
    pub(super) async fn opened<'r>(
        &self,
        state: &ChannelState,
        shown: impl IntoIterator<Item = &'r Recommendation>,
    ) -> Result<(), StoreError> {
        if self.looks_only {
            return Ok(());
        }
        opened(&state.store, state.clock.now(), &self.person.id, "web", shown).await
    }
}

/// Whoever is not signed in is sent to the sign-in page.
pub(super) enum NotSignedIn {
    Ask,
    Failed(WebError),
}

impl IntoResponse for NotSignedIn {
    fn into_response(self) -> Response {
        match self {
            Self::Ask => Redirect::to("/sign-in").into_response(),
            Self::Failed(error) => error.into_response(),
        }
    }
}

impl FromRequestParts<ChannelState> for SignedIn {
    type Rejection = NotSignedIn;

    async fn from_request_parts(parts: &mut Parts, state: &ChannelState) -> Result<Self, NotSignedIn> {
        let found = held(state, &parts.headers).await;
        let session = found.map_err(|e| NotSignedIn::Failed(e.into()))?.ok_or(NotSignedIn::Ask)?;
        // Whoever was taken out of the configuration is out at once.
        let person = state.config.people.iter().find(|p| p.id == session.person).ok_or(NotSignedIn::Ask)?;
        // Here, where every page that a person is asked for comes by, so that no form can forget it.
        let path = parts.uri.path();
        if session.looks_only && path != SIGN_OUT {
            if !parts.method.is_safe() {
                return Err(NotSignedIn::Failed(WebError::Forbidden(LOOKS_ONLY)));
            }
            if !is_looked_at(path) {
                return Err(NotSignedIn::Failed(WebError::Forbidden(OTHER_PAGE)));
            }
        }
        let mut warnings = Vec::new();
        if session.looks_only {
            warnings.push("You came by a link in a mail: you can look, and decide nothing until you sign in.".to_owned());
        }
        for setting in [WARNING, DELIVERY_WARNING] {
            let warning = state.store.find_setting(setting).await.map_err(|e| NotSignedIn::Failed(e.into()))?;
            warnings.extend(warning.filter(|warning| !warning.is_empty()));
        }
        let stopped = stop::stopped(&state.store, &state.config).await.map_err(|e| NotSignedIn::Failed(e.into()))?;
        warnings.extend(state.config.warning_of_samples());
        let warning = (!warnings.is_empty()).then(|| warnings.join(" · "));
        let untold = state.store.count_untold(&person.id).await.map_err(|e| NotSignedIn::Failed(e.into()))?;
        Ok(Self {
            person: person.clone(),
            csrf: session.csrf,
            warning,
            stopped: stopped.map(|stopped| stopped.says(&state.config)),
            untold,
            hand: session.hand,
            looks_only: session.looks_only,
            token_hash: session.token_hash,
        })
    }
}

/// The session that a request's cookie holds, where there is one that has not ended.
pub(super) async fn held(state: &ChannelState, headers: &HeaderMap) -> Result<Option<Session>, StoreError> {
    let Some(token) = cookie(headers, &state.config.web) else { return Ok(None) };
    state.store.find_session(&content_hash(&[token]), state.clock.wire()).await
}

/// May somebody who came by a link in a mail open it?
pub(super) fn is_looked_at(path: &str) -> bool {
    path == "/" || LOOKED_AT.iter().any(|start| path.starts_with(start))
}

fn cookie_name(web: &WebConfig) -> &'static str {
    if web.is_secure() { SECURE_COOKIE_NAME } else { COOKIE_NAME }
}

/// The header that sets the cookie for `seconds`, or takes it away.
pub(super) fn set_cookie(web: &WebConfig, secret: &str, seconds: i64) -> String {
    let secure = if web.is_secure() { " Secure;" } else { "" };
    format!("{}={secret}; HttpOnly;{secure} SameSite=Strict; Path=/; Max-Age={seconds}", cookie_name(web))
}

fn cookie<'h>(headers: &'h HeaderMap, web: &WebConfig) -> Option<&'h str> {
    let wanted = cookie_name(web);
    let all = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    all.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == wanted).map(|(_, value)| value)
}

/// 32 random bytes as 64 hex digits.
pub(super) fn token() -> String {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes).expect("the operating system has randomness, or nobody can be signed in safely");
    hex::encode(bytes)
}

/// For what a sign-in link is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkFor {
    /// For a person, by a command. Whoever gave it could use the link first: the person is told.
    Person,
    /// For whoever tries the demo, whose people are made up and need not be told.
    Demo,
}

/// Makes a link by which `person` can sign in once, within half an hour. Whoever has the link is that person: show it to
/// nobody else. Who made it, as the operating system knows them, is logged.
///
/// # Errors
/// When the store can not keep it.
pub async fn sign_in_link(
    store: &Store,
    person: &PersonId,
    clock: &Clock,
    base_url: &str,
    made_for: LinkFor,
) -> Result<String, StoreError> {
    // What lets somebody in holds by the machine's clock; the log counts in business time.
    let (now, made_at) = (clock.now(), clock.wire());
    let until = made_at.checked_add(SignedDuration::from_mins(LINK_MINUTES)).unwrap_or(made_at);
    let token = token();
    let hash = content_hash(&[&token]);
    let mut notices = Vec::new();
    let mut made = entry(now, BY_COMMAND, "person.sign_in_link_made", person);
    BY_COMMAND.clone_into(&mut made.channel);
    // Whoever makes a link can use it: it carries their hand (decision 49). In a demo whoever tries it is everybody.
    let hand = match made_for {
        LinkFor::Person => {
            let what = "a link to sign in as you was made";
            notices.extend(store.told_by_command(&made.channel, person, &["sign-in link", &hash], what, now));
            store.hand_made_by_command()
        }
        LinkFor::Demo => {
            made.detail = json!({ "made_for": "the demo" });
            Hand::Own
        }
    };
    store.insert_sign_in_link(&hash, (person, &hand), made_at, until, &notices, &[store.with_os_user(made)]).await?;
    Ok(format!("{}/sign-in?token={token}", base_url.trim_end_matches('/')))
}

pub(super) fn entry(at: jiff::Timestamp, actor: &str, action: &str, person: &PersonId) -> AuditEntry {
    AuditEntry::by(actor, "web", at, action, format!("person:{person}"))
}

#[derive(Deserialize)]
pub(super) struct TokenForm {
    #[serde(default)]
    token: String,
}

/// `GET /sign-in`: shows the button, or says how to get a link.
pub(super) async fn ask(State(state): State<ChannelState>, Query(query): Query<TokenForm>) -> Result<Response, WebError> {
    if query.token.is_empty() {
        return page(StatusCode::OK, None, None);
    }
    let found = state.store.find_sign_in_link(&content_hash(&[&query.token]), state.clock.wire()).await?;
    if found.is_some() { page(StatusCode::OK, Some(&query.token), None) } else { used_up() }
}

/// `POST /sign-in`: uses the link and starts a session.
pub(super) async fn sign_in(State(state): State<ChannelState>, Form(form): Form<TokenForm>) -> Result<Response, WebError> {
    let now = state.clock.wire();
    // What has ended can not be used any more; here it is forgotten.
    state.store.delete_expired_sessions(now).await?;
    let used = state.store.consume_sign_in_link(&content_hash(&[&form.token]), now).await?;
    // Whoever was taken out of the configuration gets in by no link of before, either.
    let used = used.filter(|link| state.config.people.iter().any(|p| p.id == link.person));
    let Some(UsedLink { person, hand }) = used else { return used_up() };
    let hours = i64::from(state.config.web.session_hours);
    let secret = token();
    let session = Session {
        token_hash: content_hash(&[&secret]),
        person: person.clone(),
        csrf: token(),
        created_at: now,
        expires_at: now.checked_add(SignedDuration::from_hours(hours)).unwrap_or(now),
        hand,
        looks_only: false,
    };
    let entry = entry(state.clock.now(), person.as_str(), "person.signed_in", &person);
    state.store.insert_session(&session, &[entry]).await?;
    let cookie = set_cookie(&state.config.web, &secret, hours * 3600);
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

#[derive(Deserialize)]
pub(super) struct SignOutForm {
    #[serde(default)]
    csrf: String,
}

/// `POST /sign-out`
pub(super) async fn sign_out(
    State(state): State<ChannelState>,
    who: SignedIn,
    Form(form): Form<SignOutForm>,
) -> Result<Response, WebError> {
    who.check(&form.csrf)?;
    let entry = entry(state.clock.now(), who.person.id.as_str(), "person.signed_out", &who.person.id);
    state.store.delete_session(&who.token_hash, &[entry]).await?;
    let cookie = set_cookie(&state.config.web, "", 0);
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/sign-in")).into_response())
}

fn used_up() -> Result<Response, WebError> {
    page(StatusCode::FORBIDDEN, None, Some("This link was used already, or it is too old. Ask for a new one."))
}

fn page(status: StatusCode, token: Option<&str>, problem: Option<&str>) -> Result<Response, WebError> {
    let values = json!({ "shell": Shell::stranger("Sign in"), "token": token, "problem": problem });
    Ok((status, Html(templates::render("sign_in.html", &values)?)).into_response())
}
