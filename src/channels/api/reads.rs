//! What is only read: who the caller is, digests, the audit log, figures.

use axum::Json;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use jiff::civil::Date;
use schemars::JsonSchema;
use serde::Deserialize;

use super::answers::{AuditEntry, AuditList, Digest, DigestLine, DigestList, Head, Kpi, Kpis, Me};
use super::auth::needs;
use super::cards::range;
use super::input::Asked;
use super::problem::Problem;
use crate::cards::entry::told;
use crate::channels::ChannelState;
use crate::domain::ids::PersonId;
use crate::domain::policy::may_turn_down;
use crate::people::{Bearer, Scope};
use crate::reports::kpi::Period;

/// Days in the list of digests.
const DAYS: usize = 400;
/// Most entries of the audit log on a page, and how many where nothing is said.
const ENTRIES_MAX: i64 = 1_000;
const ENTRIES: i64 = 100;

/// `GET /me`
pub(in crate::channels) async fn me(Extension(bearer): Extension<Bearer>) -> Json<Me> {
    let person = bearer.person.as_ref();
    Json(Me {
        kind: if person.is_some() { "person" } else { "service" },
        name: person.map(|p| p.name.clone()),
        roles: person.iter().flat_map(|p| &p.roles).map(|r| r.name().to_owned()).collect(),
        tier: person.map(|p| p.tier),
        decides_for: person.map(|p| p.scopes.told()),
        scopes: bearer.scopes.iter().map(ToString::to_string).collect(),
        token: bearer.token,
        id: bearer.actor,
    })
}

/// Whose digests.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::channels) struct DigestQuery {
    /// The planner whose own they are, by their id; everybody's where nothing is said.
    planner: Option<String>,
}

/// `GET /digests`
pub(in crate::channels) async fn digests(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    Asked(query): Asked<DigestQuery>,
) -> Result<Json<DigestList>, Problem> {
    needs(&bearer, &Scope::ReadDigests)?;
    let stored = match &query.planner {
        None => state.store.list_digests(DAYS).await?,
        Some(planner) => state.store.list_digests_of(&PersonId::new(planner.as_str()), DAYS).await?,
    };
    Ok(Json(DigestList { days: stored.iter().map(|s| s.digest.day.to_string()).collect() }))
}

/// `GET /digests/{day}`
pub(in crate::channels) async fn digest(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    Path(day): Path<String>,
    Asked(query): Asked<DigestQuery>,
) -> Result<Json<Digest>, Problem> {
    needs(&bearer, &Scope::ReadDigests)?;
    let day: Date = day.parse().map_err(|_| Problem::not_found("digest of such a day"))?;
    // Everybody's digest is kept under no name.
    let whose = query.planner.as_deref().unwrap_or_default();
    let stored = state.store.find_digest_of(whose, day).await?.ok_or_else(|| Problem::not_found("digest of that day"))?;
    let digest = stored.digest;
    let line = |line: &crate::domain::digest::DigestLine| DigestLine {
        case: line.case_id.to_string(),
        place: line.place,
        types: line.codes.clone(),
        headline: line.headline.clone(),
        subject: line.subject.clone(),
        at_stake_minor: line.at_stake.minor,
        value: range(line.value),
        deadline: line.deadline.to_string(),
        action: line.action.clone(),
        recommendation: line.recommendation.clone(),
    };
    Ok(Json(Digest {
        day: digest.day.to_string(),
        as_of: digest.as_of.to_string(),
        currency: digest.currency.clone(),
        lines: digest.lines.iter().map(line).collect(),
        below_cases: digest.below.cases,
        below_value_minor: digest.below.value.minor,
        at_stake_minor: digest.at_stake.minor,
        drafted_by: digest.drafted_by,
        health: digest.unread.into_iter().chain(digest.health).collect(),
        audit_head: Head { seq: digest.audit_head.0, hash: digest.audit_head.1 },
        markdown: stored.markdown,
    }))
}

/// Which entries.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct AuditQuery {
    /// Only entries behind this number.
    after: Option<i64>,
    /// How many at most: 1 to 1000, 100 where nothing is said.
    limit: Option<i64>,
}

/// `GET /audit`
pub(super) async fn audit(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    Asked(query): Asked<AuditQuery>,
) -> Result<Json<AuditList>, Problem> {
    needs(&bearer, &Scope::ReadAudit)?;
    let limit = query.limit.unwrap_or(ENTRIES);
    if !(1..=ENTRIES_MAX).contains(&limit) {
        return Err(Problem::bad_field("limit", format!("{limit} is not 1 to {ENTRIES_MAX}")));
    }
    let mut chained = state.store.list_audit(query.after.unwrap_or(0), limit).await?;
    let (seq, hash) = state.store.audit_head().await?;
    // Before entries are left out: the next page begins behind what was read, not behind what is shown.
    let full = i64::try_from(chained.len()).is_ok_and(|n| n == limit);
    let next = chained.last().map(|e| e.seq).filter(|_| full);
    // Whoever decides is told what the page tells them.
    if bearer.person.as_ref().is_some_and(|person| may_turn_down(person).is_ok()) {
        chained = told(&state.store, chained).await?;
    }
    let entry = |e: crate::domain::audit::Chained| AuditEntry {
        seq: e.seq,
        at: e.entry.at.to_string(),
        actor: e.entry.actor,
        channel: e.entry.channel,
        action: e.entry.action,
        subject: e.entry.subject,
        content: e.entry.content,
        detail: e.entry.detail,
        previous: e.previous,
        hash: e.hash,
    };
    Ok(Json(AuditList { entries: chained.into_iter().map(entry).collect(), next, head: Head { seq, hash } }))
}

/// Which days.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::channels) struct KpiQuery {
    /// First day, such as 2026-10-01; where nothing is said, four weeks up to the last.
    from: Option<String>,
    /// Last day; where nothing is said, today.
    to: Option<String>,
}

/// `GET /kpi`
pub(in crate::channels) async fn kpi(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    Asked(query): Asked<KpiQuery>,
) -> Result<Json<Kpis>, Problem> {
    needs(&bearer, &Scope::ReadKpi)?;
    let day = |pointer: &str, text: Option<String>| {
        let read = |text: String| text.parse::<Date>().map_err(|_| format!("{text:?} is no day such as 2026-10-31"));
        text.map(read).transpose().map_err(|why| Problem::bad_field(pointer, why))
    };
    let period = Period::of(day("from", query.from)?, day("to", query.to)?, state.figures.today())
        .map_err(|error| Problem::bad_field("from", error.to_string()))?;
    let report = state.figures.of(period).await.map_err(|error| {
        tracing::error!(error = format!("{error:#}"), "the figures could not be computed for the API");
        let text = "The figures could not be computed; whoever runs Reeve finds the reason in its log.";
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", text).again_after(5)
    })?;
    let figure = |kpi: &crate::reports::kpi::Kpi| Kpi {
        id: kpi.id,
        name: kpi.name,
        formula: kpi.formula,
        value: kpi.value,
        shown: kpi.shown(),
        n: kpi.n,
        thin: kpi.is_thin(),
        basis: kpi.basis.clone(),
    };
    Ok(Json(Kpis {
        from: report.period.from.to_string(),
        to: report.period.to.to_string(),
        scope: report.scope.clone(),
        currency: report.currency.clone(),
        figures: report.kpis.iter().map(figure).collect(),
    }))
}
