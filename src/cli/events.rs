//! `reeve events`: what partners and other systems sent, why some of it is not understood, and how to have it looked at anew.

use anyhow::Context;
use clap::{Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::{Outcome, open, print_json};
use crate::config::{Config, HookKind};
use crate::domain::audit::AuditEntry;
use crate::domain::event::EventType;
use crate::domain::text::{clean, is_invisible};
use crate::store::{EventRow, EventState, Store, StoreError};

/// Most events that are replayed at once.
const REPLAY_MAX: usize = 10_000;

/// What can be done with events. None of it changes what a sender said.
#[derive(Debug, Subcommand)]
pub(super) enum Events {
    /// List events, newest first.
    List {
        /// Only those in this state.
        #[arg(long, value_enum)]
        state: Option<State>,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: usize,
    },
    /// Print an event with the sender's words.
    Show {
        /// The event's id: SOURCE/ID.
        id: String,
    },
    /// Put events back to be looked at anew.
    Replay {
        /// The event's id: SOURCE/ID.
        #[arg(required_unless_present = "all_quarantined", conflicts_with = "all_quarantined")]
        id: Option<String>,
        /// All that are in quarantine.
        #[arg(long)]
        all_quarantined: bool,
    },
    /// List the senders that are configured, and what came from each.
    Sources,
    /// Print the JSON Schema of a type of event.
    Schema {
        /// The type, such as supplier.delay.v1.
        #[arg(value_parser = event_type)]
        kind: EventType,
    },
}

/// States, as on the command line.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum State {
    /// Kept, not yet looked at.
    Received,
    /// Its notices are among the records.
    Understood,
    /// Not understood.
    Quarantined,
}

impl From<State> for EventState {
    fn from(state: State) -> Self {
        match state {
            State::Received => Self::Received,
            State::Understood => Self::Understood,
            State::Quarantined => Self::Quarantined,
        }
    }
}

fn event_type(name: &str) -> Result<EventType, String> {
    let known = || format!("there is no such type; known are {}", EventType::ALL.map(EventType::name).join(", "));
    EventType::named(name).ok_or_else(known)
}

pub(super) async fn run(config: &Config, command: Events, json: bool) -> anyhow::Result<Outcome> {
    // Before any store is opened: whoever writes a sender has none.
    if let Events::Schema { kind } = command {
        print_json(&kind.schema())?;
        return Ok(Outcome::Fine);
    }
    let store = open::store(config).await?;
    match command {
        Events::List { state, limit } => {
            let events = store.list_events(state.map(EventState::from), limit.clamp(1, REPLAY_MAX)).await?;
            if json {
                print_json(&events.iter().map(told).collect::<Vec<_>>())?;
            } else {
                events.iter().for_each(line);
                say!("{} events", events.len());
            }
        }
        Events::Show { id } => {
            let event = store.get_event(&id).await?;
            if json {
                let mut told = told(&event);
                told["body"] = event.body.into();
                print_json(&told)?;
            } else {
                line(&event);
                super::terminal::block(&format!("{}\n", body(&event)));
            }
        }
        Events::Replay { id: Some(id), .. } => {
            replay(&store, config, &id).await?;
            say!("{id} is looked at anew by a running `reeve serve`.");
        }
        Events::Replay { id: None, .. } => {
            let events = store.list_events(Some(EventState::Quarantined), REPLAY_MAX).await?;
            let mut count = 0;
            // A body that is forgotten by now can not be understood any better.
            for event in events.iter().filter(|event| !event.body.is_empty()) {
                replay(&store, config, &event.id).await?;
                count += 1;
            }
            say!("{count} events are looked at anew by a running `reeve serve`.");
        }
        Events::Sources => sources(config, &store, json).await?,
        Events::Schema { .. } => {}
    }
    Ok(Outcome::Fine)
}

async fn replay(store: &Store, config: &Config, id: &str) -> anyhow::Result<()> {
    let entry =
        AuditEntry::by("cli", "cli", open::clock_of(store, config).await?.now(), "event.replayed", format!("event:{id}"));
    match store.replay_event(id, &entry).await {
        Err(StoreError::Conflict) => {
            let days = config.events.keep_days;
            anyhow::bail!(
                "event {id:?} can not be replayed: its words were forgotten after {days} days, or it is just being looked at"
            )
        }
        other => other.with_context(|| format!("replaying event {id:?}")),
    }
}

async fn sources(config: &Config, store: &Store, json: bool) -> anyhow::Result<()> {
    let (counts, calls) = (store.count_events().await?, store.list_hook_calls().await?);
    let of = |name: &str, state| counts.get(&(name.to_owned(), state)).copied().unwrap_or(0);
    let rows = config.hooks.iter().map(|hook| {
        let called = calls.get(&hook.name);
        json!({
            "name": hook.name,
            "kind": if hook.kind == HookKind::Odoo { "odoo" } else { "events" },
            "secrets": hook.signing_keys().len() + hook.path_secrets().len(),
            "received": of(&hook.name, EventState::Received),
            "understood": of(&hook.name, EventState::Understood),
            "quarantined": of(&hook.name, EventState::Quarantined),
            "calls": called.map_or(0, |c| c.0),
            "last_call": called.map(|c| c.1),
        })
    });
    let rows: Vec<Value> = rows.collect();
    if json {
        return print_json(&rows);
    }
    for r in &rows {
        let name = r["name"].as_str().unwrap_or_default();
        if r["kind"] == "odoo" {
            let last = r["last_call"].as_str().unwrap_or("never");
            say!("{name:<20} odoo   {} calls, last {last}; {} secrets", r["calls"], r["secrets"]);
        } else {
            say!(
                "{name:<20} events {} waiting, {} understood, {} in quarantine; {} secrets",
                r["received"],
                r["understood"],
                r["quarantined"],
                r["secrets"]
            );
        }
    }
    say!("{} senders; docs/EVENTS.md says how to add one", rows.len());
    Ok(())
}

fn line(event: &EventRow) {
    let kind = event.kind.as_deref().unwrap_or("-");
    let reason = event.reason.as_deref().unwrap_or_default();
    let again = event.retry_at.map_or_else(String::new, |at| format!(" (looked at again from {at})"));
    say!("{} {:<11} {kind:<21} {} {reason}{again}", event.received_at, event.state.name(), event.id);
}

fn told(event: &EventRow) -> Value {
    json!({
        "id": event.id,
        "source": event.source,
        "received_at": event.received_at,
        "type": event.kind,
        "state": event.state.name(),
        "reason": event.reason,
        "tries": event.tries,
        "tried_at": event.tried_at,
        "retry_at": event.retry_at,
    })
}

/// The sender's words for a terminal: JSON is laid out anew, and letters that can not be seen are written as their numbers, so
/// that nothing in it can move the cursor or hide; what is no JSON is cleaned.
fn body(event: &EventRow) -> String {
    if event.body.is_empty() {
        return "(its words are forgotten)".to_owned();
    }
    let Ok(value) = serde_json::from_str::<Value>(&event.body) else { return clean(&event.body, 4_000) };
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    let hidden = |c: char| c != '\n' && is_invisible(c);
    text.chars().map(|c| if hidden(c) { c.escape_unicode().to_string() } else { c.to_string() }).collect()
}
