//! `reeve eval promote`: makes a scenario of a real decision, for a person to read before it is kept.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use crate::cli::{Outcome, open};
use crate::config::Config;
use crate::evals::promote;
use crate::suites::suite::Suite;

/// Which decision, and where to.
#[derive(Debug, Args)]
pub(in crate::cli) struct Promote {
    /// The decision's key.
    decision: String,
    /// The suite's folder.
    #[arg(long, value_name = "DIR")]
    suite: PathBuf,
    /// The scenario's folder name: NNN_slug.
    #[arg(long, value_name = "NAME")]
    name: String,
}

pub(super) async fn run(config: &Config, args: &Promote) -> anyhow::Result<Outcome> {
    // It becomes a folder's name, which must not lead elsewhere.
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    anyhow::ensure!(!args.name.is_empty() && args.name.chars().all(plain), "--name {:?}: write NNN_slug", args.name);
    let store = open::store(config).await?;
    let made = promote::promote(&store, &args.decision).await?;
    let folder = args.suite.join(&args.name);
    anyhow::ensure!(!folder.exists(), "{} is there already", folder.display());
    std::fs::create_dir_all(&folder).with_context(|| format!("can not make {}", folder.display()))?;
    for (name, text) in
        [("scenario.toml", &made.scenario), ("expected.toml", &made.expected), ("records.jsonl", &made.records)]
    {
        let path = folder.join(name);
        std::fs::write(&path, text).with_context(|| format!("can not write {}", path.display()))?;
    }
    // Read back at once: what can not be read would stop every later run of the suite.
    let suite = Suite::read(&args.suite)?;
    say!("{} is in {} now, which has {} scenarios.", args.name, suite.name, suite.scenarios.len());
    if made.younger > 0 {
        say!("{} records are younger than the evidence and were left out.", made.younger);
    }
    say!(
        "Read it before you keep it: quantities, prices and days are as they were; what is expected is what a person decided."
    );
    say!("`reeve eval explain {} --suite {}` shows what comes of it.", args.name, args.suite.display());
    Ok(Outcome::Fine)
}
