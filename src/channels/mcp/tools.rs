//! The closed list of what an assistant may ask, each answered by what answers the API.

use axum::extract::{Extension, Path, State};
use rmcp::model::{JsonObject, Tool, ToolAnnotations};
use schemars::{JsonSchema, schema_for};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::fence::fenced;
use crate::channels::ChannelState;
use crate::channels::api::cases::{self, CasesQuery};
use crate::channels::api::input::Asked;
use crate::channels::api::problem::Problem;
use crate::channels::api::reads::{self, DigestQuery, KpiQuery};
use crate::people::Bearer;

/// Every tool there is, with the scope that it takes.
pub const TOOLS: [(&str, &str); 7] = [
    ("whoami", ""),
    ("queue", "read:cases"),
    ("case", "read:cases"),
    ("evidence", "read:cases"),
    ("digests", "read:digests"),
    ("digest", "read:digests"),
    ("figures", "read:kpi"),
];

/// Nothing is asked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Which case.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneCase {
    /// Its id, as `queue` and `digest` say it.
    case: String,
}

/// Which day.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OneDay {
    /// Such as 2026-10-31; `digests` lists the days.
    day: String,
}

/// The tools as a client is told of them.
pub(super) fn all() -> Vec<Tool> {
    TOOLS.iter().map(|(name, scope)| described(name, scope)).collect()
}

fn described(name: &'static str, scope: &str) -> Tool {
    let (said, schema) = match name {
        "whoami" => ("Whose token this is, and what it may read.", schema::<Nothing>()),
        "queue" => (
            "Cases that wait for a decision, or those in another state, by priority: what happened, what is at stake, until when.",
            schema::<CasesQuery>(),
        ),
        "case" => (
            "One case with every recommendation: what to do, why, what it is worth and by which checks. It can be decided on Reeve's \
             page only.",
            schema::<OneCase>(),
        ),
        "evidence" => {
            ("The frozen facts that a case rests on, each with its record, and what was missing.", schema::<OneCase>())
        }
        "digests" => ("The days there are digests of, newest first.", schema::<Nothing>()),
        "digest" => ("The digest of a day: the cases above the line as they were sent.", schema::<OneDay>()),
        _ => {
            ("Figures of the work over a period, each with its formula and what it was counted from.", schema::<KpiQuery>())
        }
    };
    let takes = if scope.is_empty() { String::new() } else { format!(" Takes a token with {scope}.") };
    // Clients ask their person before a tool that may change something: none of these does.
    Tool::new(name, format!("{said}{takes}"), schema)
        .with_annotations(ToolAnnotations::new().read_only(true).destructive(false).idempotent(true).open_world(false))
}

fn schema<T: JsonSchema>() -> JsonObject {
    match schema_for!(T).to_value() {
        Value::Object(schema) => schema,
        _ => JsonObject::new(),
    }
}

/// Answers a call, or says what is wrong with it.
pub(super) async fn call(state: &ChannelState, bearer: Bearer, name: &str, arguments: JsonObject) -> Result<String, String> {
    let answer = answer(State(state.clone()), Extension(bearer), name, arguments).await?;
    serde_json::to_string_pretty(&fenced(answer)).map_err(|error| error.to_string())
}

async fn answer(
    state: State<ChannelState>,
    bearer: Extension<Bearer>,
    name: &str,
    arguments: JsonObject,
) -> Result<Value, String> {
    match name {
        "whoami" => {
            let Nothing {} = read(arguments)?;
            value(Ok(reads::me(bearer).await))
        }
        "queue" => value(cases::list(state, bearer, Asked(read(arguments)?)).await),
        "case" => {
            let OneCase { case } = read(arguments)?;
            let mut all = value(cases::unopened(&state.0, &bearer.0, &case).await.map(axum::Json))?;
            // The facts have a tool of their own: they are many.
            all.as_object_mut().map(|all| all.remove("evidence"));
            Ok(all)
        }
        "evidence" => {
            let OneCase { case } = read(arguments)?;
            let full = cases::unopened(&state.0, &bearer.0, &case).await;
            value(full.map(|full| axum::Json(json!({ "case": full.case.id, "evidence": full.evidence }))))
        }
        "digests" => {
            let Nothing {} = read(arguments)?;
            value(reads::digests(state, bearer, Asked(DigestQuery::default())).await)
        }
        "digest" => {
            let OneDay { day } = read(arguments)?;
            let mut all = value(reads::digest(state, bearer, Path(day), Asked(DigestQuery::default())).await)?;
            // The same once more as text for a chat.
            all.as_object_mut().map(|all| all.remove("markdown"));
            Ok(all)
        }
        "figures" => value(reads::kpi(state, bearer, Asked(read(arguments)?)).await),
        _ => {
            let names: Vec<&str> = TOOLS.iter().map(|(name, _)| *name).collect();
            Err(format!("There is no such tool; there are {}.", names.join(", ")))
        }
    }
}

fn read<T: DeserializeOwned>(arguments: JsonObject) -> Result<T, String> {
    serde_json::from_value(Value::Object(arguments)).map_err(|error| format!("The arguments can not be taken: {error}."))
}

fn value<T: serde::Serialize>(answer: Result<axum::Json<T>, Problem>) -> Result<Value, String> {
    let axum::Json(answer) = answer.map_err(|problem| problem.said().to_owned())?;
    serde_json::to_value(answer).map_err(|error| error.to_string())
}
