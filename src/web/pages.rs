//! The screens that only show: digests, audit log, policy, health.

use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::WebError;
use super::session::SignedIn;
use super::view::{Entry, Shell, moment};
use super::{WebState, templates};
use crate::domain::policy::{Policy, Role};
use crate::render::plain;
use crate::store::{AuditFault, StoredDigest};

/// Digests in the archive's list.
const ARCHIVE: usize = 400;
/// Audit entries on one screen.
const PAGE: i64 = 50;
/// Newest entries that are verified at each view.
const NEWEST: i64 = 1_000;

/// `GET /digests`
pub(super) async fn digests(State(state): State<WebState>, who: SignedIn) -> Result<Html<String>, WebError> {
    let stored = state.store.list_digests(ARCHIVE).await?;
    let day = |s: &StoredDigest| {
        json!({
            "day": s.digest.day.to_string(),
            "cases": s.digest.lines.len(),
            "at_stake": s.digest.at_stake.to_string(),
            "below": s.digest.below.cases,
        })
    };
    let values = json!({
        "shell": Shell::of("Digests", "/digests", &who),
        "currency": state.config.money.currency,
        "days": stored.iter().map(day).collect::<Vec<_>>(),
    });
    Ok(Html(templates::render("digests.html", &values)?))
}

async fn stored(state: &WebState, day: &str) -> Result<StoredDigest, WebError> {
    let day: Date = day.parse().map_err(|_| WebError::NotFound("digest of such a day"))?;
    state.store.find_digest(day).await?.ok_or(WebError::NotFound("digest of that day"))
}

/// `GET /digests/{day}`
pub(super) async fn digest(
    State(state): State<WebState>,
    who: SignedIn,
    Path(day): Path<String>,
) -> Result<Html<String>, WebError> {
    let stored = stored(&state, &day).await?;
    let case = |line: &crate::domain::digest::DigestLine| {
        json!({
            "id": line.case_id.to_string(),
            "place": line.place,
            "headline": plain(&line.headline),
            "subject": plain(&line.subject),
            "at_stake": line.at_stake.to_string(),
        })
    };
    let values = json!({
        "shell": Shell::of(format!("Digest of {}", stored.digest.day), "/digests", &who),
        "day": stored.digest.day.to_string(),
        "currency": plain(&stored.digest.currency),
        "cases": stored.digest.lines.iter().map(case).collect::<Vec<_>>(),
        "text": stored.text,
    });
    Ok(Html(templates::render("digest.html", &values)?))
}

/// `GET /digests/{day}/mail`: the stored e-mail, byte for byte. It has its styles inline, so it gets a policy of its own, in
/// a sandbox in which nothing runs.
pub(super) async fn mail(State(state): State<WebState>, _: SignedIn, Path(day): Path<String>) -> Result<Response, WebError> {
    let policy = "default-src 'none'; style-src 'unsafe-inline'; sandbox; frame-ancestors 'none'; base-uri 'none'; \
                  form-action 'none'";
    let mut response = Html(stored(&state, &day).await?.html).into_response();
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
    State(state): State<WebState>,
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
    entries.reverse();
    let zone = &state.config.calendar.timezone;
    let values = json!({
        "shell": Shell::of("Audit log", "/audit", &who),
        "verified": { "ok": ok, "text": text, "rest": since > 0 },
        "first": before - 1,
        "last": after + 1,
        "entries": entries.iter().map(|e| Entry::of(e, &state.config.people, zone)).collect::<Vec<_>>(),
        "newer": (before <= head).then(|| format!("/audit?before={}", (before + PAGE).min(head + 1))),
        "older": (after > 0).then(|| format!("/audit?before={}", after + 1)),
    });
    Ok(Html(templates::render("audit.html", &values)?))
}

#[derive(Serialize)]
struct TierRow {
    name: &'static str,
    what: String,
    who: String,
}

/// `GET /policy`
pub(super) async fn policy(State(state): State<WebState>, who: SignedIn) -> Result<Html<String>, WebError> {
    let policy = &state.config.policy;
    let person = |p: &crate::domain::policy::Person| {
        json!({
            "name": plain(&p.name),
            "id": p.id,
            "roles": p.roles.iter().map(|r| role(*r)).collect::<Vec<_>>().join(", "),
            "tier": p.tier,
            "you": p.id == who.person.id,
        })
    };
    let values = json!({
        "shell": Shell::of("Approval policy", "/policy", &who),
        "currency": state.config.money.currency,
        "tiers": tiers(policy),
        "rules": rules(policy, state.config.approval.undo_minutes),
        "people": state.config.people.iter().map(person).collect::<Vec<_>>(),
    });
    Ok(Html(templates::render("policy.html", &values)?))
}

fn tiers(policy: &Policy) -> Vec<TierRow> {
    let t = &policy.tiers;
    let row =
        |name, what, signatures: u8, with: &[Role], who: &[Role]| TierRow { name, what, who: takes(signatures, with, who) };
    let codes: Vec<&str> = t.t0.actions.iter().map(|code| code.as_str()).collect();
    vec![
        row("T0", format!("{}: commits nothing", codes.join(", ")), 1, &[], &t.t0.who),
        row("T1", format!("up to {}", t.t1.limit), t.t1.signatures, &t.t1.with, &t.t1.who),
        row("T2", format!("up to {}", t.t2.limit), t.t2.signatures, &t.t2.with, &t.t2.who),
        row("T3", format!("up to {}", t.t3.limit), t.t3.signatures, &t.t3.with, &t.t3.who),
        row("T4", format!("above {}", t.t3.limit), t.t4.signatures, &t.t4.with, &t.t4.who),
    ]
}

fn takes(signatures: u8, with: &[Role], who: &[Role]) -> String {
    let told = |roles: &[Role]| roles.iter().map(|role| role.told()).collect::<Vec<_>>();
    let count = if signatures == 2 { "two different people, each " } else { "" };
    let among = if with.is_empty() { String::new() } else { format!("; {} among them", told(with).join(" and ")) };
    format!("{count}{}{among}", told(who).join(" or "))
}

fn rules(policy: &Policy, undo_minutes: u32) -> Vec<String> {
    let mut rules: Vec<String> =
        policy.rules.iter().map(|rule| format!("{}: {}, {}.", rule.name, rule.when_told(), rule.asks_told())).collect();
    rules.extend([
        "The value is the largest of money committed, written off and claimed.".to_owned(),
        format!(
            "Values on the same item, supplier or approver within {} days count together, so splitting does not lower the tier.",
            policy.cumulative.days
        ),
        "Whoever edited a recommendation, or whose count, receipt or bill it concerns, can not approve it. Running Reeve gives \
         no right to approve, and Reeve itself never approves."
            .to_owned(),
        "An approval holds for exactly what was on the screen. When the facts have moved since, the click is refused and the \
         new state is shown."
            .to_owned(),
        "The first valid decision counts; the same click again is answered the same; a contrary one is refused.".to_owned(),
        format!("A decision can be undone for {undo_minutes} minutes. Nothing leaves Reeve before that."),
        "Silence is not consent: whoever is asked next is told, and what nobody decides expires.".to_owned(),
    ]);
    rules
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::Viewer => "viewer",
        Role::Planner => "planner",
        Role::Approver => "approver",
        Role::Finance => "finance",
        Role::Director => "director",
        Role::Admin => "admin",
    }
}

/// `GET /health`
pub(super) async fn health(State(state): State<WebState>, who: SignedIn) -> Result<Html<String>, WebError> {
    let zone = &state.config.calendar.timezone;
    let newest = state.store.newest_change().await?;
    let stage = |s: &crate::store::JobStatus| {
        json!({
            "stage": plain(&s.stage),
            "ok": s.last_error.is_none(),
            "last_run": moment(s.last_run, zone),
            "last_ok": s.last_ok.map_or_else(|| "never".to_owned(), |at| moment(at, zone)),
            "advanced": s.advanced,
            "error": s.last_error.as_deref().map(plain),
        })
    };
    let values = json!({
        "shell": Shell::of("Health", "/health", &who),
        "lead": newest.map_or_else(
            || "No record has been read yet.".to_owned(),
            |at| format!("The newest record is of {}.", moment(at, zone)),
        ),
        "stages": state.store.list_job_status().await?.iter().map(stage).collect::<Vec<_>>(),
    });
    Ok(Html(templates::render("health.html", &values)?))
}

/// `GET /style.css`
pub(super) async fn style() -> impl IntoResponse {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], templates::STYLE)
}

/// `GET /healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: the store answers and has the right schema.
pub(super) async fn readyz(State(state): State<WebState>) -> (StatusCode, &'static str) {
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
