//! `reeve case`: what a case rests on, and what has changed in it.

use anyhow::Context;
use clap::Subcommand;
use serde::Serialize;

use super::{Outcome, decide, open, print_json};
use crate::config::Config;
use crate::domain::evidence::{Bundle, Fact, FactChange};
use crate::domain::ids::CaseId;
use crate::store::Store;

/// Looking at cases.
#[derive(Debug, Subcommand)]
pub(super) enum Cases {
    /// Show a case with its recommendations and money; `--evidence` shows each fact with its record, and where Odoo shows that.
    Show {
        /// The case's id; `reeve queue list --all` lists them.
        case: String,
        /// The facts instead, each with the record that it cites.
        #[arg(long)]
        evidence: bool,
        /// Of the facts only what has changed since this version of the evidence: the one that a card named when you looked.
        #[arg(long, value_name = "VERSION", requires = "evidence")]
        since: Option<u32>,
    },
}

/// Evidence as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    evidence: &'a Bundle,
    hash: String,
    /// By the facts' ids, where Odoo shows the records that they cite.
    links: std::collections::BTreeMap<&'a str, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    changes: Option<Vec<FactChange<'a>>>,
}

pub(super) async fn run(config: &Config, command: Cases, json: bool) -> anyhow::Result<Outcome> {
    let Cases::Show { case, evidence, since } = command;
    let (store, id) = (open::store(config).await?, CaseId::new(case));
    if !evidence {
        return decide::show(config, &store, &id, None, json).await;
    }
    // A case that does not exist is told as that, and not as one without evidence.
    store.get_case(&id).await?;
    let bundle = store.find_latest_bundle(&id).await?.with_context(|| {
        format!("case {id} has no evidence yet: facts are frozen when it is drafted; `reeve queue want {id}` asks for that")
    })?;
    let earlier = match since {
        Some(version) => Some(earlier(&store, &bundle, version).await?),
        None => None,
    };
    if json {
        let link = |fact: &Fact| config.odoo.link_to(&fact.source);
        let links = bundle.facts.iter().filter_map(|(id, fact)| Some((id.as_str(), link(fact)?))).collect();
        let changes = earlier.as_ref().map(|earlier| bundle.changes_since(earlier));
        print_json(&Shown { evidence: &bundle, hash: bundle.hash(), links, changes })?;
        return Ok(Outcome::Fine);
    }
    say!("Evidence of {id}, version {}, as of {}, hash {}", bundle.version, bundle.as_of, &bundle.hash()[..16]);
    match &earlier {
        Some(earlier) => say_changes(config, &bundle, earlier),
        None => bundle.facts.values().for_each(|fact| say_fact(config, " ", fact)),
    }
    for missing in &bundle.missing {
        say!("  missing: {}, needed for {}", missing.what, missing.blocks);
    }
    Ok(Outcome::Fine)
}

async fn earlier(store: &Store, newest: &Bundle, version: u32) -> anyhow::Result<Bundle> {
    let found = store.find_bundle_version(&newest.case_id, version).await?;
    found.with_context(|| {
        format!(
            "--since: case {} has no version {version} of its evidence; the newest is {}",
            newest.case_id, newest.version
        )
    })
}

fn say_changes(config: &Config, bundle: &Bundle, earlier: &Bundle) {
    let changes = bundle.changes_since(earlier);
    if changes.is_empty() {
        say!("Nothing in it has changed since version {}, which was as of {}.", earlier.version, earlier.as_of);
    }
    for change in changes {
        match change {
            FactChange::New { now } => say_fact(config, "+", now),
            FactChange::Gone { then } => say_fact(config, "-", then),
            FactChange::Moved { then, now } => {
                say!("~ {:<34} {:<34} {} -> {} {}", now.id, now.label, then.value.show(), now.value.show(), now.unit);
            }
        }
    }
}

fn say_fact(config: &Config, mark: &str, fact: &Fact) {
    let outside = if fact.third_party { "  (text from outside)" } else { "" };
    say!("{mark} {:<34} {:<34} {} {}{outside}", fact.id, fact.label, fact.value.show(), fact.unit);
    say!("      {} as of {}  {}", fact.source, fact.as_of, config.odoo.link_to(&fact.source).unwrap_or_default());
}
