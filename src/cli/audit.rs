//! `reeve audit`: the log, and the proof that nobody has touched it.

use clap::Subcommand;

use super::{Outcome, open, print_json};
use crate::config::Config;
use crate::store::AuditFault;

/// What can be done with the audit log. Nothing here can change it.
#[derive(Debug, Subcommand)]
pub(super) enum Audit {
    /// Recompute the chain and name the first broken entry. Exit code 2 when there is one.
    Verify,
    /// Print entries.
    List {
        /// Only entries after this number.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// How many at most.
        #[arg(long, default_value_t = 50)]
        limit: i64,
        /// Only entries about this subject, for example case:case-1a2b.
        #[arg(long)]
        subject: Option<String>,
    },
}

pub(super) async fn run(config: &Config, command: Audit, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    match command {
        Audit::Verify => match store.verify_audit().await {
            Ok((entries, head)) => {
                if json {
                    print_json(&serde_json::json!({ "ok": true, "entries": entries, "head": head }))?;
                } else {
                    say!("The audit log is unbroken: {entries} entries, head {head}.");
                    say!("Compare the head with the one in your last digest to know that nothing was cut off.");
                }
                Ok(Outcome::Fine)
            }
            Err(AuditFault::Store(error)) => Err(error.into()),
            Err(fault) => {
                if json {
                    print_json(&serde_json::json!({ "ok": false, "fault": fault.to_string() }))?;
                } else {
                    say!("The audit log is BROKEN: {fault}.");
                }
                Ok(Outcome::CheckFailed)
            }
        },
        Audit::List { after, limit, subject } => {
            let entries = match subject {
                Some(subject) => store.list_audit_of(&subject).await?,
                None => store.list_audit(after, limit.clamp(1, 10_000)).await?,
            };
            if json {
                print_json(&entries)?;
            } else {
                for e in entries {
                    say!(
                        "{:>6} {} {:<18} {:<28} {} {}",
                        e.seq,
                        e.entry.at,
                        e.entry.actor,
                        e.entry.action,
                        e.entry.subject,
                        e.entry.detail
                    );
                }
            }
            Ok(Outcome::Fine)
        }
    }
}
