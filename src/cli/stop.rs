//! `reeve stop` and `reeve resume`: nothing is drafted and nothing leaves, from one command to the other.

use clap::Args;
use serde_json::json;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::audit::BY_COMMAND;
use crate::domain::ids::PersonId;
use crate::pipeline::stop;

/// Who stops, and why.
#[derive(Debug, Args)]
pub(super) struct Stop {
    /// Who stops: anybody in [[people]] who decides or administers. The audit log keeps the name.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// Why: everybody reads it on every page.
    #[arg(long)]
    reason: String,
}

/// Who lets things leave again.
#[derive(Debug, Args)]
pub(super) struct Resume {
    /// Who: an administrator, or an approver of tier 2 or more. The audit log keeps the name.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// Why; the audit log keeps it.
    #[arg(long, default_value = "")]
    reason: String,
}

pub(super) async fn stop(config: &Config, args: Stop, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    let by = PersonId::new(args.person);
    let (holds, is_new) = stop::stop(&store, config, &clock, (&by, BY_COMMAND), &args.reason).await?;
    if json {
        print_json(&json!({ "stopped": true, "by_this": is_new, "by": holds.by, "at": holds.at, "reason": holds.reason }))?;
        return Ok(Outcome::Fine);
    }
    if is_new {
        say!(
            "Stopped: nothing is drafted, no language model is asked and nothing leaves, in any process on {}.",
            store.url()
        );
        say!("A message that was on its way at this moment may still arrive. Reading, the queue and decisions go on.");
        say!("`reeve resume --as NAME` ends it.");
    } else {
        say!("It was stopped already, by {} at {}: {}. That stop stands.", holds.by, holds.at, holds.reason);
    }
    Ok(Outcome::Fine)
}

pub(super) async fn resume(config: &Config, args: Resume, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    let by = PersonId::new(args.person);
    let done = stop::resume(&store, config, &clock, (&by, BY_COMMAND), &args.reason).await?;
    if json {
        print_json(&json!({
            "stopped": done.file.is_some(),
            "ended": done.ended.is_some(),
            "file": done.file.as_ref().map(|file| file.path.display().to_string()),
        }))?;
    } else {
        match &done.ended {
            Some(stop) => say!("The stop by {} of {} has ended ({}).", stop.by, stop.at, stop.reason),
            None => say!("Nobody has stopped Reeve, so there is nothing to end."),
        }
        match &done.file {
            Some(file) => say!("It is still stopped. {}", file.says()),
            None if done.ended.is_some() => {
                say!("A running `reeve serve` sends what waits and drafts what is new, by its next look.");
            }
            None => {}
        }
    }
    // Whoever wanted Reeve to go on has to know that it does not.
    Ok(if done.file.is_some() { Outcome::CheckFailed } else { Outcome::Fine })
}
