//! `reeve policy`: the approval policy as a document, and its holes.

use clap::Subcommand;

use super::{Outcome, open, print_json, terminal};
use crate::config::Config;
use crate::domain::policy::{Severity, lint, show};

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
            let document = show(&config.rules.policy, &config.people);
            if json {
                print_json(&document)?;
            } else {
                terminal::block(&document.markdown());
            }
            Ok(Outcome::Fine)
        }
        Policy::Lint => {
            let delegations = open::store(config).await?.list_delegations().await?;
            let findings = lint(&config.rules.policy, &config.people, &delegations);
            if json {
                print_json(&findings)?;
            } else {
                for finding in &findings {
                    say!("{finding}");
                }
                say!(
                    "{} in policy {}",
                    crate::render::count(findings.len(), "finding", "findings"),
                    config.rules.policy.version()
                );
            }
            // What is only worth a look is no failure.
            let hole = findings.iter().any(|finding| finding.severity == Severity::Error);
            Ok(if hole { Outcome::CheckFailed } else { Outcome::Fine })
        }
    }
}
