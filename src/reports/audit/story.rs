//! The whole story of a case in plain words, from the audit log: who did what, when, through what, on which content, under
//! which policy; what it proposed, what was announced about it, and what left for it.

use std::collections::BTreeSet;

use anyhow::Context;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::config::Config;
use crate::domain::audit::Chained;
use crate::domain::detail::{Approved, Detail as _};
use crate::domain::ids::CaseId;
use crate::domain::policy::Person;
use crate::domain::record::RecordKind;
use crate::store::Store;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// Its number in the audit log.
    pub seq: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// Through what.
    pub through: String,
    /// What, in a sentence.
    pub what: String,
    /// The content it was done on; empty where there is none.
    pub content: String,
    /// The version of the policy it was judged by.
    pub policy: Option<String>,
}

/// A message that was to leave.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// The receiver's idempotency key.
    pub id: String,
    /// Where it stands, in words.
    pub state: String,
}

/// Everything that happened to a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Story {
    /// The case.
    pub case: String,
    /// What it is about.
    pub headline: String,
    /// Where it stands.
    pub state: String,
    /// Its exceptions.
    pub exceptions: Vec<String>,
    /// What was announced about it by others, as the evidence holds it.
    pub events: Vec<String>,
    /// What was proposed, and what became of each.
    pub recommendations: Vec<String>,
    /// What was done, oldest first.
    pub steps: Vec<Step>,
    /// What left.
    pub deliveries: Vec<Delivery>,
}

/// Tells the story of a case.
///
/// # Errors
/// When there is no such case, or the store can not be read.
pub async fn tell(store: &Store, config: &Config, id: &CaseId) -> anyhow::Result<Story> {
    let case = store.get_case(id).await.context("reading the case; `reeve queue list` names cases")?;
    let mut exceptions = Vec::new();
    for e in store.list_case_exceptions(id).await.context("reading its exceptions")? {
        exceptions.push(format!("{} {} (first seen {}): {}", e.signal.code, e.id, e.first_seen, e.signal.headline));
    }
    let recommendations = store.list_recommendations(id).await.context("reading its recommendations")?;
    let mut log = store.list_audit_of(&format!("case:{id}")).await.context("reading the audit log")?;
    for (rec, _) in &recommendations {
        log.extend(store.list_audit_of(&format!("recommendation:{}", rec.id)).await.context("reading the audit log")?);
    }
    // By number and not by time: the log's order holds also where a clock was set back.
    log.sort_by_key(|entry| entry.seq);
    let mut messages = BTreeSet::new();
    for entry in &log {
        let of = |key: &str| entry.entry.detail[key].as_str().map(str::to_owned);
        messages.extend(of("outbox").into_iter().chain(of("message")));
        let approved = Approved::of(&entry.entry);
        messages.extend(approved.messages().map(|(message, _)| message.to_owned()));
    }
    let mut deliveries = Vec::new();
    for message in messages {
        let Some(row) = store.find_outbox(&message).await.context("reading the outbox")? else { continue };
        let state = match (row.state.name(), row.sent_at, &row.last_error) {
            ("sent", Some(at), _) => format!("taken by {} at {at}, attempt {}", row.channel, row.attempts),
            ("pending", _, None) => format!("waits for {}, due {}", row.channel, row.due_at),
            (state, _, Some(error)) => format!("{state} ({}, attempt {}): {error}", row.channel, row.attempts),
            (state, ..) => format!("{state} ({})", row.channel),
        };
        deliveries.push(Delivery { id: message, state });
    }
    let mut events = BTreeSet::new();
    // A case may have rested on several bundles, one after the other, and several proposals on each.
    let mut hashes: Vec<&str> = recommendations.iter().map(|(r, _)| r.evidence_hash.as_str()).collect();
    hashes.sort_unstable();
    hashes.dedup();
    for hash in hashes {
        let bundle = store.get_bundle(id, hash).await.context("reading the evidence")?;
        let told = bundle.facts.values().filter(|f| f.source.kind == RecordKind::Notice);
        events.extend(told.map(|f| format!("{}: {} {} (as of {})", f.source, f.label, f.value.show(), f.as_of)));
    }
    let proposed = recommendations.iter().map(|(r, _)| {
        let state = r.state.name().replace('_', " ");
        let (action, worth) = (r.candidate.codes(), r.candidate.money.benefit.expected);
        format!("{} {action}, worth {worth}, {state}: {} [content {}]", r.id, r.candidate.told(), first(&r.content_hash()))
    });
    Ok(Story {
        case: id.to_string(),
        headline: case.headline.clone(),
        state: case.state.name().replace('_', " "),
        exceptions,
        events: events.into_iter().collect(),
        recommendations: proposed.collect(),
        steps: log.iter().map(|entry| step(entry, &config.people)).collect(),
        deliveries,
    })
}

fn first(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}

fn step(chained: &Chained, people: &[Person]) -> Step {
    let entry = &chained.entry;
    let person = people.iter().find(|p| p.id.as_str() == entry.actor).map(|p| p.name.clone());
    let machine = entry.actor.strip_prefix("stage:").map(|stage| format!("Reeve itself ({stage})"));
    Step {
        seq: chained.seq,
        at: entry.at,
        who: person.or(machine).unwrap_or_else(|| entry.actor.clone()),
        through: match entry.channel.as_str() {
            "web" => "the page".to_owned(),
            "cli" => "the command line".to_owned(),
            "stage" => "its own work".to_owned(),
            other => other.to_owned(),
        },
        what: sentence(&entry.action, &entry.subject, &entry.detail),
        content: entry.content.clone(),
        policy: entry.detail["policy"].as_str().map(str::to_owned),
    }
}

/// What was done, in a sentence: the verb, then what the entry says beside it.
fn sentence(action: &str, subject: &str, detail: &Value) -> String {
    let text = |key: &str| detail[key].as_str().filter(|t| !t.is_empty());
    let number = |key: &str| detail[key].as_i64();
    let about = subject.split_once(':').map_or(subject, |(_, id)| id);
    let amount = |key: &str| number(key).map(|minor| crate::domain::money::Money::from_minor(minor).to_string());
    match action {
        "case.opened" => {
            let because = text("because").map(|because| format!(", because: {because}")).unwrap_or_default();
            format!("opened the case on {}{because}", text("exception").unwrap_or("a first exception"))
        }
        "case.shadowed" => format!("opened the case in shadow, on {}", text("exception").unwrap_or("a first exception")),
        "case.withdrawn" => format!("withdrew the case: {}", text("because").unwrap_or("its scope has another mode")),
        "case.shadow_over" => format!("ended the case in shadow: {}", text("because").unwrap_or("its exceptions went away")),
        "recommendation.queued" => {
            let rank = number("rank").map(|rank| format!(", as number {rank}")).unwrap_or_default();
            format!("put {about} before people{rank}")
        }
        "case.drafted" => format!(
            "froze the evidence and drafted {} recommendations by {}",
            number("recommendations").unwrap_or_default(),
            text("drafter").unwrap_or("the playbook")
        ),
        "recommendation.approved" | "recommendation.signed" => {
            let verb = if action.ends_with("signed") { "gave the first of two signatures to" } else { "approved" };
            let tier = text("tier").map(|tier| format!(" in tier {tier}")).unwrap_or_default();
            let value = amount("value").map(|v| format!(", value {v}")).unwrap_or_default();
            let counted = amount("counted").map(|v| format!(", counted with others {v}")).unwrap_or_default();
            format!("{verb} {about}{tier}{value}{counted}")
        }
        "recommendation.rejected" => {
            let note = text("note").map(|note| format!(" (“{note}”)")).unwrap_or_default();
            let closes = if detail["closes_case"] == Value::Bool(true) { "; that closed the case" } else { "" };
            format!("rejected {about} as {}{note}{closes}", text("reason").unwrap_or("unsaid"))
        }
        "recommendation.snoozed" => format!("put {about} off until {}", text("until").unwrap_or("later")),
        "recommendation.undone" => format!("took back that {about} was {}", text("undone").unwrap_or("decided")),
        "recommendation.edited" => {
            let changes: Vec<&str> = detail["changes"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
            format!("changed {about} ({}) into {}", changes.join(", "), text("new").unwrap_or("another"))
        }
        "recommendation.handed_off" => format!("handed {about} off as message {}", text("message").unwrap_or("unknown")),
        "outbox.sent" => format!("delivered {about}, attempt {}", number("attempt").unwrap_or(1)),
        "outbox.lost" => format!("sent {about}, which may have arrived: {}", text("reason").unwrap_or("no reason given")),
        "outbox.dead" => format!("gave up delivering {about}: {}", text("reason").unwrap_or("no reason given")),
        "recommendation.carried_out" | "recommendation.partly" | "recommendation.not_carried_out" => {
            let seen = text("seen").unwrap_or("nothing");
            format!("looked in the ERP for {about}: {} ({seen})", action["recommendation.".len()..].replace('_', " "))
        }
        "outcome.measured" => {
            let measured = &detail["measured"];
            let basis = measured["basis"].as_str().unwrap_or("no basis");
            format!("measured at {} what became of {about}: {basis}", measured["horizon"].as_str().unwrap_or("the horizon"))
        }
        _ => {
            // What has no sentence here is told by its own words, so that nothing is left out of the story.
            let rest: Vec<String> = detail.as_object().into_iter().flatten().filter_map(told).collect();
            let words = action.replace(['.', '_'], " ");
            if rest.is_empty() { format!("{words}: {about}") } else { format!("{words}: {about} ({})", rest.join(", ")) }
        }
    }
}

/// A detail that says something by itself.
fn told((key, value): (&String, &Value)) -> Option<String> {
    // The story is this case's, and its content stands beside each step.
    if matches!(key.as_str(), "case" | "evidence" | "policy") {
        return None;
    }
    let value = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Bool(flag) => flag.to_string(),
        Value::Null | Value::Array(_) | Value::Object(_) => return None,
    };
    Some(format!("{} {value}", key.replace('_', " ")))
}
