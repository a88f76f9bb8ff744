//! `reeve policy`: the approval policy as a document, and its holes.

use clap::Subcommand;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::domain::policy::{lint, show};

/// Looking at the policy. It is changed in its file, by people.
#[derive(Debug, Subcommand)]
pub(super) enum Policy {
    /// Find holes: limits that splitting passes, scopes that nobody may approve, circles. Exit code 2 when there is one.
    Lint,
    /// Write it out for people: what may be recommended, what a language model may see, what needs whom.
    Show,
}

pub(super) async fn run(config: &Config, command: Policy, json: bool) -> anyhow::Result<Outcome> {
    match command {
        Policy::Show => {
            let document = show(&config.policy, &config.people);
            if json {
                print_json(&document)?;
            } else {
                put!("{}", document.markdown);
            }
            Ok(Outcome::Fine)
        }
        Policy::Lint => {
            // A store that is not there yet holds no delegations; looking at the policy must not make one.
            let delegations = match open::existing_store(config).await? {
                Some(store) => store.list_delegations().await?,
                None => Vec::new(),
            };
            let findings = lint(&config.policy, &config.people, &delegations);
            if json {
                print_json(&findings)?;
            } else {
                for finding in &findings {
                    say!("{}: {}\n    {}\n    {}", finding.severity, finding.place, finding.what, finding.fix);
                }
                say!("{} holes in policy {}", findings.len(), config.policy.version());
            }
            Ok(if findings.is_empty() { Outcome::Fine } else { Outcome::CheckFailed })
        }
    }
}
