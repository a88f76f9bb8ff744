//! `reeve mode`: what is live, what is only watched, and what is off.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::audit::BY_COMMAND;
use crate::domain::ids::PersonId;
use crate::domain::mode::{Mode, ModeScope};
use crate::pipeline::modes::{self, Changed, InForce};
use crate::store::{ModeStep, Store};

/// Modes: off, shadow (detected and drafted, and nobody is told or asked) and live, by scope.
#[derive(Debug, Subcommand)]
pub(super) enum ModeCommand {
    /// Show the rules that hold, where each comes from, and how many open exceptions there are of each mode.
    Show,
    /// Set what is done with a scope.
    Set(Set),
}

/// What is set, by whom and why.
#[derive(Debug, Args)]
pub(super) struct Set {
    /// The scope: all, category=NAME, location=NAME, supplier=NAME or type=CODE; several mean what is within all of them.
    #[arg(long = "scope", value_name = "SCOPE", required = true)]
    scope: Vec<String>,
    /// What is done with it from the next look on.
    #[arg(long, value_parser = clap::value_parser!(Mode), required_unless_present = "clear")]
    mode: Option<Mode>,
    /// Take back what was set of this scope: what is configured, or set of more, holds again.
    #[arg(long, conflicts_with = "mode")]
    clear: bool,
    /// Who. To ask less: anybody who decides or administers; off or live: an administrator or an approver of tier 2 or more.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// Why; the audit log keeps it.
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(config: &Config, command: ModeCommand, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    match command {
        ModeCommand::Show => show(config, &store, json).await,
        ModeCommand::Set(args) => set(config, &store, args, json).await,
    }
}

async fn show(config: &Config, store: &Store, json: bool) -> anyhow::Result<Outcome> {
    let InForce { modes, rules, proposed, .. } = modes::in_force(store, config).await?;
    let unknown = modes::unknown_names(store, modes.rules.iter().map(|rule| &rule.scope)).await?;
    let open = store.count_exceptions_by_mode().await?;
    let cases = store.count_cases_in(&["shadow"]).await?;
    let count = |mode| open.get(&mode).copied().unwrap_or(0);
    if json {
        let rules = rules.iter().map(|rule| {
            let set = rule.set.as_ref().map(step);
            json!({ "scope": rule.rule.scope, "mode": rule.rule.mode, "set": set })
        });
        print_json(&json!({
            "rules": rules.collect::<Vec<_>>(),
            "proposed": proposed.iter().map(step).collect::<Vec<_>>(),
            "open_exceptions": { "live": count(Mode::Live), "shadow": count(Mode::Shadow) },
            "shadow_cases": cases,
            "unknown": unknown,
        }))?;
        return Ok(Outcome::Fine);
    }
    for rule in &rules {
        let from = rule.set.as_ref().map_or_else(
            || "configured (modes)".to_owned(),
            |set| format!("set by {} at {}: {}", set.by, set.at, set.reason),
        );
        say!("{:<7} {}   {from}", rule.rule.mode.name(), rule.rule.scope);
    }
    for step in &proposed {
        let wish = step.mode.map_or("as configured", Mode::name);
        say!(
            "PROPOSED {}: {wish}, by {} at {}: {}. A second person confirms it.",
            step.scope,
            step.by,
            step.at,
            step.reason
        );
    }
    for line in &unknown {
        say!("UNKNOWN {line}");
    }
    say!("Open exceptions: {} live, {} in shadow ({cases} cases).", count(Mode::Live), count(Mode::Shadow));
    Ok(Outcome::Fine)
}

fn step(step: &ModeStep) -> Value {
    json!({ "scope": step.scope, "mode": step.mode, "by": step.by, "at": step.at, "reason": step.reason })
}

async fn set(config: &Config, store: &Store, args: Set, json: bool) -> anyhow::Result<Outcome> {
    let clock = open::clock_of(store, config).await?;
    let scope = ModeScope::read(args.scope.iter().map(String::as_str))?;
    let by = PersonId::new(args.person);
    let who = (&by, BY_COMMAND, &store.hand_of_command());
    let mode = args.mode.filter(|_| !args.clear);
    let done = modes::change(store, config, &clock, who, (&scope, mode), &args.reason).await?;
    let (what, made) = match &done {
        Changed::Set(made) => ("set", Some(made)),
        Changed::Proposed(made) => ("proposed", Some(made)),
        Changed::Same => ("same", None),
    };
    if json {
        print_json(&json!({ "done": what, "step": made.map(step) }))?;
        return Ok(Outcome::Fine);
    }
    let wish = mode.map_or("as configured", Mode::name);
    match done {
        Changed::Set(_) => say!("Set: {scope} is {wish} from the next look on. What people have decided goes on."),
        Changed::Proposed(_) => say!(
            "Proposed: {scope} {wish}. A second person, who is signed in by another hand, confirms it on the page under Modes."
        ),
        Changed::Same => say!("It was so already; nothing was changed."),
    }
    Ok(Outcome::Fine)
}
