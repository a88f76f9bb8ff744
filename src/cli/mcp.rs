//! `reeve mcp`: an assistant on this machine, over the process's input and output. `reeve serve` answers others at `/mcp`.
//!
//! What it reads, it reads from a store that refuses to be written; only that its token was used is noted.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use secrecy::SecretString;

use super::{Outcome, open};
use crate::app;
use crate::channels::mcp;
use crate::config::Config;
use crate::people::Identities;

/// By which token it reads.
#[derive(Debug, Args)]
pub(super) struct Mcp {
    /// The file with the token (`reeve token new … --scope read:cases`); nobody else should be able to read it.
    #[arg(long, value_name = "FILE")]
    token_file: PathBuf,
}

pub(super) async fn run(config: Config, args: Mcp) -> anyhow::Result<Outcome> {
    let file = &args.token_file;
    let text = std::fs::read_to_string(file).with_context(|| format!("reading the token in {}", file.display()))?;
    // `reeve token new` says a few words behind it.
    let token = SecretString::from(text.split_whitespace().next().unwrap_or_default().to_owned());
    let written = open::store(&config).await?;
    let clock = open::clock_of(&written, &config).await?;
    let read = open::store_to_read(&config).await?;
    let config = Arc::new(config);
    let identities = Identities { store: written, config: Arc::clone(&config), clock: clock.clone() };
    mcp::over_stdio(app::onlooker(&config, &read, &clock), token, identities).await?;
    Ok(Outcome::Fine)
}
