//! `reeve eval accept`: makes a run the baseline of its suite, signed by whoever accepts it; `reeve eval key` makes what signs.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use jiff::tz::TimeZone;

use super::kept_run;
use crate::cli::Outcome;
use crate::clock::Clock;
use crate::suites::baseline::{Baseline, FILE, Signers, new_key, public_of, unhex};
use crate::suites::suite::Suite;

/// What is accepted, and by whom.
#[derive(Debug, Args)]
pub(in crate::cli) struct Accept {
    /// The run: its run.json or folder.
    run: PathBuf,
    /// The suite's folder.
    #[arg(long, value_name = "DIR")]
    suite: PathBuf,
    /// Who accepts it, as signers.toml names them.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The file of the key that `reeve eval key` made.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The commit that ran it.
    #[arg(long, value_name = "HASH")]
    commit: String,
    /// Why it is accepted, in a sentence.
    #[arg(long, value_name = "WORDS")]
    because: String,
    /// Who may accept baselines.
    #[arg(long, value_name = "FILE", default_value = "evals/signers.toml")]
    signers: PathBuf,
}

/// Where the key is left.
#[derive(Debug, Args)]
pub(in crate::cli) struct Key {
    /// The file to make; it must not be there yet.
    file: PathBuf,
}

pub(super) fn run(args: &Accept) -> anyhow::Result<Outcome> {
    let suite = Suite::read(&args.suite)?;
    let run = kept_run(&args.run)?;
    anyhow::ensure!(run.suite == suite.name, "the run is of suite {}, not {}", run.suite, suite.name);
    anyhow::ensure!(!run.partial, "only a part of the suite was run; accept a whole run");
    anyhow::ensure!(run.data == suite.data_hash, "the suite has changed since it was run: run it again");
    let stops = run.stops(&suite.spec.gates);
    if let Some(stop) = stops.first() {
        say!("The run is stopped by {}: {}. What does not pass its gates is no baseline.", stop.gate, stop.why);
        return Ok(Outcome::CheckFailed);
    }
    let text = std::fs::read_to_string(&args.key).with_context(|| format!("can not read {}", args.key.display()))?;
    let key = unhex(&text).with_context(|| format!("{} is no key of `reeve eval key`", args.key.display()))?;
    let baseline = Baseline {
        commit: args.commit.clone(),
        by: args.by.clone(),
        on: Clock::System.wire().to_zoned(TimeZone::UTC).date(),
        words: args.because.clone(),
        run,
        signature: String::new(),
    };
    let signed = baseline.sign(&key)?;
    let public = public_of(&key)?;
    // Held to the list at once: a signature of somebody who is not on it would stop whoever compares next.
    signed.verify(&Signers::read(&args.signers)?).with_context(|| {
        format!("list yourself in {}: [[signer]] name = {:?}, public = \"{public}\"", args.signers.display(), args.by)
    })?;
    let path = args.suite.join(FILE);
    let text = serde_json::to_string_pretty(&signed).context("a baseline is plain data")? + "\n";
    std::fs::write(&path, text).with_context(|| format!("can not write {}", path.display()))?;
    say!("{} scenarios are the baseline of {} now, accepted by {}.", signed.run.by_scenario().len(), suite.name, args.by);
    Ok(Outcome::Fine)
}

pub(super) fn key(args: &Key) -> anyhow::Result<Outcome> {
    let (private, public) = new_key()?;
    write_secret(&args.file, &crate::suites::baseline::hex(&private))?;
    say!("The key is in {}; keep it to yourself. Its public half, for evals/signers.toml:", args.file.display());
    say!("public = \"{public}\"");
    Ok(Outcome::Fine)
}

/// A file that only its owner reads, and that was not there before.
fn write_secret(path: &Path, text: &str) -> anyhow::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file =
        options.open(path).with_context(|| format!("can not make {}; it must not be there yet", path.display()))?;
    file.write_all(text.as_bytes()).with_context(|| format!("can not write {}", path.display()))
}
