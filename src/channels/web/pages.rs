//! The screens that only show: digests, audit log.

use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use jiff::civil::Date;
use serde::Deserialize;
use serde_json::json;

use super::error::WebError;
use super::frame::Shell;
use super::session::SignedIn;
use super::templates;
use crate::cards::entry::{Entry, told};
use crate::cards::names::actor_name;
use crate::cards::plain;
use crate::channels::ChannelState;
use crate::domain::ids::PersonId;
use crate::domain::policy::may_turn_down;
use crate::render;
use crate::store::{AuditFault, StoredDigest};

/// Digests in the archive's list.
const ARCHIVE: usize = 400;
/// Audit entries on one screen.
const PAGE: i64 = 50;
/// Newest entries that are verified at each view.
const NEWEST: i64 = 1_000;

/// Whose digests: a planner's own, or everybody's.
#[derive(Deserialize)]
pub(super) struct Of {
    of: Option<String>,
}

impl Of {
    /// The planner's id; everybody's where it is empty. Where nothing is said a planner sees their own.
    fn whose<'a>(&'a self, state: &'a ChannelState, who: &'a SignedIn) -> &'a str {
        let own = || state.config.planner(who.person.id.as_str()).map_or("", |planner| planner.person.as_str());
        self.of.as_deref().unwrap_or_else(own)
    }
}

/// `GET /digests`
pub(super) async fn digests(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(of): Query<Of>,
) -> Result<Html<String>, WebError> {
    let whose = of.whose(&state, &who);
    let stored = match whose {
        "" => state.store.list_digests(ARCHIVE).await?,
        planner => state.store.list_digests_of(&PersonId::new(planner), ARCHIVE).await?,
    };
    let day = |s: &StoredDigest| {
        json!({
            "day": s.digest.day.to_string(),
            "page": render::page_of(&s.digest),
            "cases": s.digest.lines.len(),
            "at_stake": s.digest.at_stake.to_string(),
            "below": s.digest.below.cases,
        })
    };
    let values = json!({
        "shell": Shell::of("Digests", "/digests", &who),
        "currency": state.config.rules.money.currency,
        "editions": editions(&state, whose),
        "days": stored.iter().map(day).collect::<Vec<_>>(),
    });
    Ok(Html(templates::render("digests.html", &values)?))
}

/// Everybody's digests and each planner's, with where they are listed; none where there are no planners.
fn editions(state: &ChannelState, shown: &str) -> Vec<serde_json::Value> {
    let edition = |whose: &str, name: &str| json!({ "name": plain(name), "page": format!("/digests?of={whose}"), "shown": whose == shown });
    let planners = state.config.planners.iter().map(|planner| {
        let id = planner.person.as_str();
        edition(id, &actor_name(id, &state.config.people))
    });
    let all = (!state.config.planners.is_empty()).then(|| edition("", "Everybody"));
    all.into_iter().chain(planners).collect()
}

async fn stored(state: &ChannelState, day: &str, whose: &str) -> Result<StoredDigest, WebError> {
    let day: Date = day.parse().map_err(|_| WebError::NotFound("digest of such a day"))?;
    state.store.find_digest_of(whose, day).await?.ok_or(WebError::NotFound("digest of that day"))
}

/// `GET /digests/{day}`: everybody's, or with `of` a planner's own.
pub(super) async fn digest(
    State(state): State<ChannelState>,
    who: SignedIn,
    Path(day): Path<String>,
    Query(of): Query<Of>,
) -> Result<Html<String>, WebError> {
    let stored = stored(&state, &day, of.of.as_deref().unwrap_or_default()).await?;
    let case = |line: &crate::domain::digest::DigestLine| {
        json!({
            "id": line.case_id.to_string(),
            "place": line.place,
            "headline": plain(&line.headline),
            "subject": plain(&line.subject),
            "at_stake": line.at_stake.to_string(),
        })
    };
    let planner = stored.digest.planner.as_ref();
    let values = json!({
        "shell": Shell::of(format!("Digest of {}", stored.digest.day), "/digests", &who),
        "day": stored.digest.day.to_string(),
        "planner": planner.map(|planner| plain(&planner.name)),
        "mail": match planner {
            None => format!("/digests/{day}/mail"),
            Some(planner) => format!("/digests/{day}/mail?of={}", planner.id),
        },
        "currency": plain(&stored.digest.currency),
        "cases": stored.digest.lines.iter().map(case).collect::<Vec<_>>(),
        "text": stored.text,
    });
    Ok(Html(templates::render("digest.html", &values)?))
}

/// `GET /digests/{day}/mail`: the stored e-mail, byte for byte. It has its styles inline, so it gets a policy of its own, in
/// a sandbox in which nothing runs.
pub(super) async fn mail(
    State(state): State<ChannelState>,
    _: SignedIn,
    Path(day): Path<String>,
    Query(of): Query<Of>,
) -> Result<Response, WebError> {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'; base-uri 'none'; \
                  form-action 'none'";
    let mut response = Html(stored(&state, &day, of.of.as_deref().unwrap_or_default()).await?.html).into_response();
    response.headers_mut().insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy));
    Ok(response)
}

#[derive(Deserialize)]
pub(super) struct Before {
    before: Option<i64>,
    whole: Option<u8>,
}

/// `GET /audit`
pub(super) async fn audit(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(query): Query<Before>,
) -> Result<Html<String>, WebError> {
    let head = state.store.audit_head().await?.0;
    // The whole log on request only: a page must not take longer the longer Reeve runs.
    let whole = query.whole == Some(1);
    let since = if whole { 0 } else { (head - NEWEST).max(0) };
    let (ok, text) = match state.store.verify_audit_after(since).await {
        Ok((0, _)) => (true, "The log is empty.".to_owned()),
        Ok((seq, hash)) if since == 0 => {
            (true, format!("Verified just now: all {seq} entries are as they were written. Head {hash}."))
        }
        Ok((seq, hash)) => {
            let newest = seq - since;
            (true, format!("Verified just now: the newest {newest} of {seq} entries are as they were written. Head {hash}."))
        }
        Err(AuditFault::Store(error)) => return Err(error.into()),
        Err(fault) => (false, format!("The log is not as it was written: {fault}. Whoever runs Reeve has to look at it.")),
    };
    let before = query.before.unwrap_or(head + 1).clamp(1, head + 1);
    let after = (before - 1 - PAGE).max(0);
    let mut entries = state.store.list_audit(after, before - 1 - after).await?;
    // Whoever decides is shown nothing that would tell a drill from a true card (docs/AUDIT.md).
    let reduced = may_turn_down(&who.person).is_ok();
    if reduced {
        entries = told(&state.store, entries).await?;
    }
    entries.reverse();
    let zone = &state.config.rules.calendar.timezone;
    let values = json!({
        "shell": Shell::of("Audit log", "/audit", &who),
        "reduced": reduced,
        "verified": { "ok": ok, "text": text, "rest": since > 0 },
        "first": before - 1,
        "last": after + 1,
        "entries": entries.iter().map(|e| Entry::of(e, &state.config.people, zone)).collect::<Vec<_>>(),
        "newer": (before <= head).then(|| format!("/audit?before={}", (before + PAGE).min(head + 1))),
        "older": (after > 0).then(|| format!("/audit?before={}", after + 1)),
    });
    Ok(Html(templates::render("audit.html", &values)?))
}

/// The header by which `reeve doctor` knows that it is Reeve who has the page's address.
pub const VERSION_HEADER: &str = "x-reeve-version";

/// `GET /healthz`: the process answers, and says which version it is.
pub(super) async fn healthz() -> ([(&'static str, &'static str); 1], &'static str) {
    ([(VERSION_HEADER, env!("CARGO_PKG_VERSION"))], "ok\n")
}

/// `GET /readyz`: the store answers and has the right schema.
pub(super) async fn readyz(State(state): State<ChannelState>) -> (StatusCode, &'static str) {
    match state.store.is_migrated().await {
        Ok(true) => (StatusCode::OK, "ready\n"),
        Ok(false) => (StatusCode::SERVICE_UNAVAILABLE, "the store is not migrated\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the store does not answer\n"),
    }
}

/// Every other address.
pub(super) async fn nothing_here() -> WebError {
    WebError::NotFound("page")
}
