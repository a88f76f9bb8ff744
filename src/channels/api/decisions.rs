//! `POST /decisions`: the same as a click on the page, bound to content, made as the person whose token it is.
//!
//! The idempotency key is the caller's own name for one decision: sent again with the same content it is answered the same,
//! with another it is refused. Keys of different people can not meet.

use axum::Json;
use axum::extract::{Extension, State};
use axum::http::{HeaderMap, StatusCode};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Deserialize;

use super::answers::Decided;
use super::auth;
use super::input::Sent;
use super::problem::Problem;
use super::refused::refused;
use crate::approve::{Ask, Loose, Unclear};
use crate::channels::ChannelState;
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::ids::{RecommendationId, content_hash, is_id};
use crate::people::Bearer;
use crate::store::StoreError;

/// The header that names a decision.
const KEY: &str = "idempotency-key";
/// Longest key.
const KEY_MAX: usize = 200;
/// Longest note, as on the page.
const NOTE_MAX: usize = 500;

/// A decision. Who decides is not in it: that is whose token it is.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DecisionBody {
    /// On which recommendation.
    recommendation: String,
    /// `content_hash` of the card that was decided on.
    content_hash: String,
    /// What is decided.
    decision: Decision,
}

/// What is decided.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(tag = "verb", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Decision {
    /// Do it.
    Approve {},
    /// Put it forward with another quantity or date; somebody else has to approve that.
    Edit {
        /// Of a plan of several steps, which one, from 1; the first where nothing is said.
        #[serde(default)]
        step: Option<u32>,
        /// The new quantity, as decimal digits.
        quantity: Option<String>,
        /// The new day, such as 2026-10-31.
        date: Option<String>,
    },
    /// Do not do it.
    Reject {
        /// Why: one of the codes that the page offers, such as `not-worth-it`.
        reason: String,
        /// In words, up to 500 letters.
        #[serde(default)]
        note: String,
    },
    /// Ask again on that day, or earlier when something else holds.
    Snooze {
        /// The day, such as 2026-10-31.
        until: String,
        /// What ends it earlier; where nothing is said, that the case's value grew much.
        #[serde(default)]
        wake: Wake,
    },
    /// Ask somebody else by name.
    Forward {
        /// The person's id.
        to: String,
        /// In words, up to 500 letters.
        #[serde(default)]
        note: String,
    },
    /// Give it back to whoever passed it on.
    Return {
        /// In words, up to 500 letters.
        #[serde(default)]
        note: String,
    },
    /// The case is the same as another: fold it into that one.
    Merge {
        /// The other case's id.
        into: String,
    },
    /// Take one's own decision back.
    Undo {},
}

/// What ends a snooze before its day does.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(tag = "when", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Wake {
    /// The case's value rose by a fifth and 50.00.
    Grew {},
    /// The case's value rose above this.
    ValueAbove {
        /// In hundredths of the currency.
        value_minor: i64,
    },
    /// Another type of exception joined the case, or its type changed.
    StageChanged {},
}

impl Default for Wake {
    fn default() -> Self {
        Self::Grew {}
    }
}

impl Decision {
    fn verb(&self) -> DecisionVerb {
        match self {
            Self::Approve {} => DecisionVerb::Approve,
            Self::Edit { .. } => DecisionVerb::Edit,
            Self::Reject { .. } => DecisionVerb::Reject,
            Self::Snooze { .. } => DecisionVerb::Snooze,
            Self::Forward { .. } => DecisionVerb::Forward,
            Self::Return { .. } => DecisionVerb::Return,
            Self::Merge { .. } => DecisionVerb::Merge,
            Self::Undo {} => DecisionVerb::Undo,
        }
    }

    /// What is asked, in loose fields: those of other verbs stay empty.
    fn loose(self) -> Loose {
        let of = Loose { verb: self.verb().name().to_owned(), ..Loose::default() };
        match self {
            Self::Approve {} | Self::Undo {} => of,
            Self::Edit { step, quantity, date } => {
                let step = step.map_or_else(String::new, |number| number.to_string());
                Loose { step, quantity, date, ..of }
            }
            Self::Reject { reason, note } => Loose { reason, note, ..of },
            Self::Snooze { until, wake } => {
                let (wake, above) = match wake {
                    Wake::Grew {} => ("grew", String::new()),
                    // The loose form is the page's, in which people type whole units.
                    Wake::ValueAbove { value_minor } => ("above", Decimal::new(value_minor, 2).to_string()),
                    Wake::StageChanged {} => ("stage", String::new()),
                };
                Loose { until, wake: wake.to_owned(), above, ..of }
            }
            Self::Forward { to, note } => Loose { note, to, ..of },
            Self::Return { note } => Loose { note, ..of },
            Self::Merge { into } => Loose { into, ..of },
        }
    }
}

/// What can not be read, by the field that it stands in.
fn unclear(what: Unclear) -> Problem {
    match what {
        Unclear::Quantity(text) => {
            Problem::bad_field("decision.quantity", format!("{text:?} is no quantity such as \"12.5\""))
        }
        Unclear::Step(..) => Problem::bad_field("decision.step", what.to_string()),
        Unclear::Reason(reason) => {
            let codes = RejectReason::ALL.map(RejectReason::code).join(", ");
            Problem::bad_field("decision.reason", format!("{reason:?} is no reason; there are {codes}"))
        }
        Unclear::Day { field, text } => {
            Problem::bad_field(&format!("decision.{field}"), format!("{text:?} is no day such as 2026-10-31"))
        }
        Unclear::Case(into) => Problem::bad_field("decision.into", format!("{into:?} is no case")),
        Unclear::Nobody => Problem::bad_field("decision.to", "it names nobody".to_owned()),
        Unclear::Above(_) => Problem::bad_field("decision.wake.value_minor", "it is below zero".to_owned()),
        Unclear::Verb(_) | Unclear::Wake(_) => Problem::bad_field("decision.verb", what.to_string()),
    }
}

/// A note that is too long is refused, not cut: nobody looks at what a machine wrote before it is kept.
fn ensure_short(note: &str) -> Result<(), Problem> {
    if note.chars().count() > NOTE_MAX {
        return Err(Problem::bad_field("decision.note", format!("a note has at most {NOTE_MAX} letters")));
    }
    Ok(())
}

/// `POST /decisions`
pub(super) async fn decide(
    State(state): State<ChannelState>,
    Extension(bearer): Extension<Bearer>,
    headers: HeaderMap,
    Sent(body): Sent<DecisionBody>,
) -> Result<Json<Decided>, Problem> {
    // First whose decision it would be: a machine's token is refused before anything is looked up for it.
    let person = bearer.decider(body.decision.verb()).map_err(auth::refused)?;
    let key = key(&headers)?;
    if !is_id(&body.recommendation) {
        return Err(Problem::not_found("such recommendation"));
    }
    let id = RecommendationId::new(body.recommendation.clone());
    let (rec, _) = state.store.get_recommendation(&id).await.map_err(|error| match error {
        StoreError::NotFound { .. } => Problem::not_found("such recommendation"),
        error => error.into(),
    })?;
    let loose = Loose {
        recommendation: body.recommendation,
        content_hash: body.content_hash,
        key: content_hash(&["api", person.id.as_str(), key]),
        ..body.decision.loose()
    };
    ensure_short(&loose.note)?;
    // With what is proposed: which steps there are, and what can be edited in them, hangs on it.
    let ask = Ask::parse(loose, "api", Some(&rec.candidate)).map_err(unclear)?;
    // With the hand that made the token. Made by a command, it may be the hand of another signature, too (decision 49).
    let request = ask.by(&person.id, bearer.hand.clone());
    match state.approvals.decide(&request).await {
        Ok(answer) => Ok(Json(Decided {
            recommendation: answer.recommendation_id.to_string(),
            state: answer.state,
            tier: answer.tier.map(|tier| tier.to_string()),
            counted_minor: answer.counted.minor,
            needs_second: answer.needs_second,
            undo_until: answer.undo_until.map(|at| at.to_string()),
            said: answer.said,
            at: answer.at.to_string(),
        })),
        Err(refusal) => Err(refused(&state, &bearer, refusal).await),
    }
}

/// The caller's name for this decision.
fn key(headers: &HeaderMap) -> Result<&str, Problem> {
    let mut all = headers.get_all(KEY).iter();
    let (first, second) = (all.next(), all.next());
    let text = first.filter(|_| second.is_none()).and_then(|value| value.to_str().ok()).unwrap_or_default().trim();
    // The draft standard writes it as a quoted string, most callers write it bare: both are the same key.
    let bare = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    if bare.is_empty() || bare.len() > KEY_MAX || !bare.bytes().all(|b| b.is_ascii_graphic()) {
        let text = "Send one header Idempotency-Key of 1 to 200 letters, made anew for each decision and sent again with each \
                    retry of it.";
        return Err(Problem::new(StatusCode::BAD_REQUEST, "idempotency-key-missing", text));
    }
    Ok(bare)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::sample::Sample;

    #[test]
    fn what_decides_can_be_given_as_a_scope_under_the_name_of_the_log() {
        let sample = Sample::made_up();
        let plan = &sample.file().candidates[0];
        let reject = Decision::Reject { reason: "not-real".to_owned(), note: String::new() };
        for decision in [
            Decision::Approve {},
            Decision::Edit { step: None, quantity: None, date: None },
            reject,
            Decision::Snooze { until: "2026-10-31".to_owned(), wake: Wake::default() },
            Decision::Forward { to: "ari".to_owned(), note: String::new() },
            Decision::Return { note: String::new() },
            Decision::Merge { into: "c-1".to_owned() },
            Decision::Undo {},
        ] {
            let verb = decision.verb();
            assert_eq!(Ask::parse(decision.loose(), "api", Some(plan)).unwrap().verb.kind(), verb);
        }
    }

    #[test]
    fn an_unknown_field_is_refused_in_every_verb() {
        for decision in [
            r#"{"verb":"approve"}"#,
            r#"{"verb":"undo"}"#,
            r#"{"verb":"edit","quantity":"1"}"#,
            r#"{"verb":"reject","reason":"not-real"}"#,
            r#"{"verb":"snooze","until":"2026-10-31"}"#,
            r#"{"verb":"forward","to":"fay"}"#,
            r#"{"verb":"return","note":""}"#,
            r#"{"verb":"merge","into":"c-1"}"#,
        ] {
            let body = format!(r#"{{"recommendation":"r","content_hash":"h","decision":{decision}}}"#);
            assert!(serde_json::from_str::<DecisionBody>(&body).is_ok(), "{body}");
            let inside = body.replace("\"}}", "\",\"person\":\"ari\"}}");
            assert!(inside != body && serde_json::from_str::<DecisionBody>(&inside).is_err(), "{inside}");
            let outside = body.replacen('{', r#"{"person":"ari","#, 1);
            assert!(serde_json::from_str::<DecisionBody>(&outside).is_err(), "{outside}");
        }
    }
}
