//! `reeve outbox`: what is stuck and why, and what a person may do about it. Nothing is sent from here: a running `reeve serve`
//! does that.

use std::sync::Arc;

use clap::Subcommand;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::ids::PersonId;
use crate::pipeline::deliver::Deliver;
use crate::pipeline::deliver::stuck::{self, Arrived, Held, Picture, picture};
use crate::pipeline::publish::wire::Outward;
use crate::ports::Senders;

/// Most messages that are listed of those that have arrived.
const ARRIVED: usize = 50;

/// Deliveries.
#[derive(Debug, Subcommand)]
pub(super) enum Outbox {
    /// List deliveries that wait, and those that failed for good.
    List,
    /// List those that failed for good, with their reasons.
    Dead,
    /// List what arrived last, with what its receiver calls it.
    Arrived,
    /// Say how each destination is doing; exit with 2 when one is down.
    Status,
    /// Send a dead letter again.
    Replay {
        /// The message's id.
        id: String,
        /// Who orders it, as in [[people]]; the audit log keeps the name.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// Take a message out for good: it is never sent, and what was approved counts as not carried out.
    Discard {
        /// The message's id.
        id: String,
        /// Who orders it, as in [[people]].
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
        /// Why; the audit log keeps it.
        #[arg(long)]
        reason: String,
    },
    /// Print the JSON Schema of a type of event that leaves.
    Schema {
        /// The type, such as reeve.recommendation.approved.v1.
        #[arg(value_parser = outward)]
        kind: Outward,
    },
    /// Send again to a destination that said it was gone.
    Enable {
        /// The destination's name.
        destination: String,
        /// Who orders it, as in [[people]].
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
}

fn outward(name: &str) -> Result<Outward, String> {
    let all = || Outward::ALL.map(Outward::name).join(", ");
    Outward::named(name).ok_or_else(|| format!("there is no such type; choose one of {}", all()))
}

pub(super) async fn run(config: Config, command: Outbox, json: bool) -> anyhow::Result<Outcome> {
    // Before any store is opened: whoever writes a receiver has none.
    if let Outbox::Schema { kind } = command {
        print_json(&kind.schema())?;
        return Ok(Outcome::Fine);
    }
    let store = open::store(&config).await?;
    let clock = open::clock_of(&store, &config).await?;
    let deliver = Deliver { store, config: Arc::new(config), clock, senders: Senders::default() };
    let seen = picture(&deliver.store, &deliver.config, deliver.clock.now()).await?;
    match command {
        Outbox::List => list(&seen, &seen.held.iter().collect::<Vec<_>>(), json)?,
        Outbox::Dead => list(&seen, &seen.held.iter().filter(|held| held.dead).collect::<Vec<_>>(), json)?,
        Outbox::Arrived => arrived(&stuck::arrived(&deliver.store, ARRIVED).await?, json)?,
        Outbox::Status => {
            status(&seen, json)?;
            // For whatever watches it: a stop, or a destination that is down, is no success (decision 62).
            if seen.stopped.is_some() || seen.destinations.iter().any(|d| d.down) {
                return Ok(Outcome::CheckFailed);
            }
        }
        Outbox::Replay { id, person } => {
            deliver.replay(&id, &PersonId::new(person), "cli").await?;
            say!("{id} is in the outbox again; a running `reeve serve` sends it.");
        }
        Outbox::Discard { id, person, reason } => {
            deliver.discard(&id, &reason, &PersonId::new(person), "cli").await?;
            say!("{id} is discarded; it is never sent. Where an approval waited for it, it counts as not carried out.");
        }
        Outbox::Enable { destination, person } => {
            deliver.enable(&destination, &PersonId::new(person)).await?;
            say!("{destination} is enabled; a running `reeve serve` sends what waits for it.");
        }
        Outbox::Schema { .. } => {}
    }
    Ok(Outcome::Fine)
}

fn list(seen: &Picture, held: &[&Held], json: bool) -> anyhow::Result<()> {
    let count = |dead: bool| seen.held.iter().filter(|h| h.dead == dead).count();
    if json {
        return print_json(&held);
    }
    for one in held {
        let state = if one.dead { "dead   " } else { "waiting" };
        let case = if one.case.is_empty() { "no case" } else { one.case.as_str() };
        let what = one.kind.words();
        say!("{state} {} to {}, {what}, {case}, since {}: {}", one.id, one.destination, one.since, one.why);
    }
    say!("{} waiting, {} dead", count(false), count(true));
    Ok(())
}

fn arrived(arrived: &[Arrived], json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(&arrived);
    }
    for one in arrived {
        let case = if one.case.is_empty() { "no case" } else { one.case.as_str() };
        let at = one.at.map_or_else(String::new, |at| format!(", at {at}"));
        let called = one.reference.as_ref().map_or_else(String::new, |name| format!(", there called {name}"));
        say!("{} to {}, {}, {case}{at}{called}", one.id, one.destination, one.kind.words());
    }
    say!("{} arrived last", arrived.len());
    Ok(())
}

fn status(seen: &Picture, json: bool) -> anyhow::Result<()> {
    if json {
        return print_json(seen);
    }
    if let Some(stopped) = &seen.stopped {
        say!("STOPPED {stopped}");
    }
    for one in &seen.destinations {
        let state = if one.down { "DOWN" } else { "ok  " };
        say!("{state} {:<14} {} waiting, {} dead: {}", one.name, one.waiting, one.dead, one.says);
    }
    if seen.destinations.is_empty() {
        say!("No destination is configured, and nothing waits.");
    }
    for missed in &seen.unseen {
        say!("Approved, {} since {}: {} (case {})", missed.why, missed.since, missed.summary, missed.case);
    }
    Ok(())
}
