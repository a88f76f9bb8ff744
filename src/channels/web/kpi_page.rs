//! The figures: a page for people, and `/metrics` for collectors.

use std::fmt::Write as _;

use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use jiff::civil::Date;
use secrecy::ExposeSecret;
use serde::Deserialize;
use serde_json::json;
use subtle::ConstantTimeEq;

use super::error::WebError;
use super::frame::Shell;
use super::session::SignedIn;
use super::templates;
use crate::channels::ChannelState;
use crate::pipeline::moment::BeingRead;
use crate::pipeline::stop;
use crate::ports::is_loopback;
use crate::reports::kpi::{Group, Kpi, Period, Report, USUAL_DAYS};

/// The version of the text that Prometheus reads.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

#[derive(Deserialize)]
pub(super) struct Days {
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
}

/// `GET /kpi`
pub(super) async fn show(
    State(state): State<ChannelState>,
    who: SignedIn,
    Query(days): Query<Days>,
) -> Result<Html<String>, WebError> {
    let day = |text: &str| -> Result<Option<Date>, WebError> {
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| WebError::BadRequest(format!("{text:?} is not a day such as 2026-10-31")))
    };
    let period = Period::of(day(&days.from)?, day(&days.to)?, state.figures.today())
        .map_err(|error| WebError::BadRequest(error.to_string()))?;
    let report = state.figures.of(period).await.map_err(WebError::work)?;
    let group = |group: Group| {
        let kpis: Vec<_> = report.kpis.iter().filter(|kpi| kpi.group == group).map(view).collect();
        json!({ "title": group.title(), "id": format!("{group:?}").to_lowercase(), "kpis": kpis })
    };
    let pair = |pair: &crate::reports::kpi::Pair| {
        let kpis: Vec<_> = pair.ids.iter().filter_map(|id| report.find(id)).map(view).collect();
        json!({ "why": pair.why, "kpis": kpis })
    };
    let values = json!({
        "shell": Shell::of("Figures", "/kpi", &who),
        "from": period.from.to_string(),
        "to": period.to.to_string(),
        "scope": report.scope,
        "currency": report.currency,
        "groups": Group::ALL.map(group),
        "pairs": report.pairs.iter().map(pair).collect::<Vec<_>>(),
    });
    Ok(Html(templates::render("kpi.html", &values)?))
}

fn view(kpi: &Kpi) -> serde_json::Value {
    let part =
        |part: &crate::reports::kpi::Part| json!({ "name": part.name, "shown": kpi.unit.show(part.value), "n": part.n });
    json!({
        "id": kpi.id,
        "name": kpi.name,
        "formula": kpi.formula,
        "shown": kpi.shown(),
        "known": kpi.value.is_some(),
        "few": kpi.is_thin(),
        "n": kpi.n,
        "basis": kpi.basis,
        "parts": kpi.parts.iter().map(part).collect::<Vec<_>>(),
    })
}

/// `GET /metrics`: where a token is set, for whoever sends it and nobody else, from wherever they come; else for this machine,
/// where the page is open to it alone, and for who is signed in.
pub(super) async fn metrics(State(state): State<ChannelState>, request: Request) -> Response {
    let refused = |how: &'static str| (StatusCode::UNAUTHORIZED, [(WWW_AUTHENTICATE, "Bearer")], how).into_response();
    if !state.config.kpi.metrics_token.expose_secret().is_empty() {
        if !has_token(&state, request.headers()) {
            return refused("send the token of kpi.metrics_token as Authorization: Bearer\n");
        }
    } else if !is_loopback(&state.config.web.listen) {
        let (mut parts, _) = request.into_parts();
        if SignedIn::from_request_parts(&mut parts, &state).await.is_err() {
            return refused("sign in, or set kpi.metrics_token and send it as Authorization: Bearer\n");
        }
    }
    match text(&state).await {
        Ok(text) => ([(CONTENT_TYPE, METRICS_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "metrics could not be read");
            (StatusCode::SERVICE_UNAVAILABLE, "the metrics could not be read; see Reeve's log\n").into_response()
        }
    }
}

fn has_token(state: &ChannelState, headers: &HeaderMap) -> bool {
    let token = state.config.kpi.metrics_token.expose_secret();
    let sent = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(|v| v.strip_prefix("Bearer "));
    !token.is_empty() && sent.is_some_and(|sent| bool::from(sent.as_bytes().ct_eq(token.as_bytes())))
}

/// Metrics as text: a family's help and type once, then its samples.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, help: &str) -> &mut Self {
        // Writing to a string does not fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} gauge");
        self
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) -> &mut Self {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
        self
    }
}

async fn text(state: &ChannelState) -> anyhow::Result<String> {
    let store = &state.store;
    let now = state.clock.now();
    let mut out = Exposition::default();
    out.family("reeve_info", "Which Reeve this is.").sample("reeve_info", &[("version", env!("CARGO_PKG_VERSION"))], 1.0);
    out.family("reeve_stopped", "1 while people have stopped drafting and delivering.");
    let stopped = stop::stopped(store, &state.config).await?.is_some();
    out.sample("reeve_stopped", &[], f64::from(u8::from(stopped)));
    out.family("reeve_cases", "Cases by state.");
    for (case, count) in store.count_cases().await? {
        out.sample("reeve_cases", &[("state", &case)], count as f64);
    }
    out.family("reeve_recommendations", "Recommendations by state; queued ones wait for people.");
    for (name, count) in store.count_recommendations().await? {
        out.sample("reeve_recommendations", &[("state", &name)], count as f64);
    }
    out.family("reeve_outbox", "Messages by state; pending ones are to be sent, dead ones were given up.");
    let mut outbox = store.count_outbox().await?;
    // Alarms are set on these two: a state that nothing is in has to be there as zero.
    for name in ["pending", "dead"] {
        outbox.entry(name.to_owned()).or_insert(0);
    }
    for (name, count) in outbox {
        out.sample("reeve_outbox", &[("state", &name)], count as f64);
    }
    let late = store.next_due().await?.map_or(0.0, |due| now.duration_since(due).as_secs_f64().max(0.0));
    out.family("reeve_outbox_late_seconds", "How long the oldest pending message has been due.");
    out.sample("reeve_outbox_late_seconds", &[], late);
    let stages = store.list_job_status().await?;
    out.family("reeve_stage_last_ok_timestamp_seconds", "When each stage last ran without an error.");
    for stage in &stages {
        let at = stage.last_ok.map_or(0.0, |at| at.as_second() as f64);
        out.sample("reeve_stage_last_ok_timestamp_seconds", &[("stage", &stage.stage)], at);
    }
    out.family("reeve_stage_failing", "1 where a stage's last run ended with an error.");
    for stage in &stages {
        out.sample("reeve_stage_failing", &[("stage", &stage.stage)], f64::from(u8::from(stage.last_error.is_some())));
    }
    out.family("reeve_audit_entries", "Entries of the audit log.");
    out.sample("reeve_audit_entries", &[], store.audit_head().await?.0 as f64);
    out.family("reeve_audit_guards_missing", "Guards of the audit log that were taken away from the database.");
    out.sample("reeve_audit_guards_missing", &[], store.missing_guards().await?.len() as f64);
    let newest = store.newest_change().await?.map_or(0.0, |at| at.as_second() as f64);
    out.family("reeve_newest_record_timestamp_seconds", "The newest change that was read from the ERP.");
    out.sample("reeve_newest_record_timestamp_seconds", &[], newest);
    let today = state.figures.today();
    match state.figures.of(Period::of(None, None, today)?).await {
        Ok(report) => kpis(&mut out, &report),
        // What is wrong meanwhile is in the other figures.
        Err(error) if error.is::<BeingRead>() => {}
        Err(error) => return Err(error),
    }
    Ok(out.0)
}

fn kpis(out: &mut Exposition, report: &Report) {
    let help = format!("A figure of the last {USUAL_DAYS} days (docs/KPI.md); absent where there is not enough data.");
    out.family("reeve_kpi", &help);
    let unit =
        |kpi: &Kpi| serde_json::to_value(kpi.unit).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    for kpi in &report.kpis {
        if let Some(value) = kpi.value {
            out.sample("reeve_kpi", &[("id", kpi.id), ("unit", &unit(kpi))], value);
        }
    }
    out.family("reeve_kpi_records", "How many records stand behind each figure.");
    for kpi in &report.kpis {
        out.sample("reeve_kpi_records", &[("id", kpi.id)], kpi.n as f64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_written_as_prometheus_reads_them() {
        let mut out = Exposition::default();
        out.family("reeve_x", "What it is.").sample("reeve_x", &[], 1.5).sample("reeve_x", &[("a", "q\"\\\n")], 2.0);
        assert_eq!(out.0, "# HELP reeve_x What it is.\n# TYPE reeve_x gauge\nreeve_x 1.5\nreeve_x{a=\"q\\\"\\\\\\n\"} 2\n");
    }
}
