//! The short commands: digest, migrate, sign-in links.

use anyhow::Context;
use clap::Args;
use jiff::civil::Date;

use super::{Format, Outcome, open, print_json, terminal};
use crate::channels::web;
use crate::config::Config;
use crate::domain::ids::PersonId;
use crate::store::Store;

/// Which digest, in which form.
#[derive(Debug, Args)]
pub(super) struct DigestArgs {
    /// The business day; the newest when left out.
    #[arg(long)]
    day: Option<Date>,
    /// A planner's own, by their id in [[people]]; everybody's when left out.
    #[arg(long, value_name = "PERSON")]
    planner: Option<String>,
    /// In which form.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

pub(super) async fn migrate(config: &Config) -> anyhow::Result<Outcome> {
    let store = Store::open(&config.store.url).await?;
    let before = store.schema_version().await?;
    store.migrate().await?;
    let after = store.schema_version().await?.unwrap_or(0);
    match before {
        Some(before) if before == after => say!("{} is up to date at schema {after}.", store.url()),
        _ => say!("{} is now at schema {after}.", store.url()),
    }
    Ok(Outcome::Fine)
}

pub(super) async fn digest(config: &Config, args: &DigestArgs, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(config).await?;
    let whose = args.planner.as_deref().unwrap_or_default();
    anyhow::ensure!(
        whose.is_empty() || config.planner(whose).is_some(),
        "{whose:?} is no planner; planners are named under [[planners]] in the configuration"
    );
    let of = if whose.is_empty() { String::new() } else { format!(" for {whose}") };
    let kept = if let Some(day) = args.day {
        let found = store.find_digest_of(whose, day).await?;
        found.with_context(|| format!("there is no digest of {day}{of} in {}", store.url()))?
    } else {
        let newest = match whose {
            "" => store.list_digests(1).await?,
            planner => store.list_digests_of(&PersonId::new(planner), 1).await?,
        };
        newest.into_iter().next().with_context(|| {
            format!("there is no digest{of} in {} yet; run `reeve demo`, or let `reeve serve` make one", store.url())
        })?
    };
    match (json, args.format) {
        (true, _) => return print_json(&kept.digest).map(|()| Outcome::Fine),
        (false, Format::Text) => terminal::block(&kept.text),
        (false, Format::Markdown) => terminal::block(&kept.markdown),
        (false, Format::Html) => terminal::block(&kept.html),
    }
    say!("");
    Ok(Outcome::Fine)
}

pub(super) async fn sign_in(config: &Config, person: &str) -> anyhow::Result<Outcome> {
    let id = PersonId::new(person);
    anyhow::ensure!(
        config.people.iter().any(|p| p.id == id),
        "there is no person {person:?} in the configuration; add them under [[people]]"
    );
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    say!("{}", web::sign_in_link(&store, &id, &clock, &config.web.address(), web::LinkFor::Person).await?);
    Ok(Outcome::Fine)
}
