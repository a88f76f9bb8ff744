//! `reeve eval votes …`: people's votes on two drafts side by side, on a page or in the terminal.
//!
//! What stands above is drawn by the pair's hash, and who drafted is not said. A vote is written down under the name of whoever
//! started the command; no program votes.

mod page;

use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::tz::TimeZone;

use crate::cli::Outcome;
use crate::clock::Clock;
use crate::suites::votes::{Choice, Draft, Pair, VOTES_MIN, Vote, pairs, read};

/// What is done with votes.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Votes {
    /// Ask for votes in the terminal.
    Ask(Asked),
    /// Ask for votes on a page of this machine, until stopped.
    Page(page::Page),
    /// Say how many votes there are, and of whom.
    Count {
        /// The file of votes.
        #[arg(long, value_name = "FILE", default_value = "evals/votes.jsonl")]
        votes: PathBuf,
    },
}

/// Which drafts, and who votes.
#[derive(Debug, Args)]
pub(in crate::cli) struct Asked {
    /// The first run's folder of `reeve eval run --out`, with drafts.jsonl.
    #[arg(long, value_name = "DIR")]
    first: PathBuf,
    /// The second run's.
    #[arg(long, value_name = "DIR")]
    second: PathBuf,
    /// Your name.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The file that takes the votes.
    #[arg(long, value_name = "FILE", default_value = "evals/votes.jsonl")]
    votes: PathBuf,
}

impl Asked {
    /// Pairs on which this person has not voted.
    fn open(&self) -> anyhow::Result<Vec<Pair>> {
        let drafts = |folder: &Path| -> anyhow::Result<Vec<Draft>> {
            let file = folder.join("drafts.jsonl");
            anyhow::ensure!(file.is_file(), "{} is not there; `reeve eval run --out DIR` writes it", file.display());
            read(&file)
        };
        let voted: Vec<Vote> = read(&self.votes)?;
        let mut open = pairs(&drafts(&self.first)?, &drafts(&self.second)?);
        open.retain(|pair| !voted.iter().any(|vote| vote.pair == pair.id && vote.by == self.by));
        Ok(open)
    }

    /// Writes a vote down.
    fn keep(&self, pair: &Pair, choice: Choice, words: &str) -> anyhow::Result<()> {
        let vote = Vote {
            pair: pair.id.clone(),
            scenario: pair.first.scenario.clone(),
            by: self.by.clone(),
            on: Clock::System.wire().to_zoned(TimeZone::UTC).date(),
            choice,
            words: words.trim().to_owned(),
        };
        let line = serde_json::to_string(&vote).context("a vote is plain data")?;
        // Only added to: one file has the votes of several people.
        let mut file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.votes)
            .with_context(|| format!("can not write {}", self.votes.display()))?;
        file.write_all(format!("{line}\n").as_bytes()).context("writing a vote down")
    }
}

pub(super) async fn run(command: &Votes) -> anyhow::Result<Outcome> {
    match command {
        Votes::Ask(asked) => ask(asked),
        Votes::Page(page) => page::serve(page).await,
        Votes::Count { votes } => {
            let all: Vec<Vote> = read(votes)?;
            let mut by: Vec<&str> = all.iter().map(|vote| vote.by.as_str()).collect();
            by.sort_unstable();
            by.dedup();
            say!("{} votes of {} people; a judging model is compared with them from {VOTES_MIN} on.", all.len(), by.len());
            Ok(Outcome::Fine)
        }
    }
}

fn ask(asked: &Asked) -> anyhow::Result<Outcome> {
    let open = asked.open()?;
    let mut input = std::io::stdin().lock().lines();
    let mut kept = 0;
    for pair in &open {
        let (upper, lower) = if pair.is_swapped() { (&pair.second, &pair.first) } else { (&pair.first, &pair.second) };
        say!("\n{}", pair.first.headline);
        for (mark, draft) in [("u", upper), ("l", lower)] {
            say!("  ({mark}) {}", draft.action);
            say!("      {}", draft.rationale);
            say!("      Risks: {}", draft.risks);
            if !draft.message.is_empty() {
                say!("      Message: {}", draft.message);
            }
        }
        say!("Which would you rather be given? u (upper), l (lower), s (the same), q (stop):");
        let choice = loop {
            // The terminal was closed: what was voted until then is kept.
            let Some(line) = input.next() else { return Ok(Outcome::Fine) };
            match line.context("reading your answer")?.trim() {
                "u" => break Some(pair.choice(true)),
                "l" => break Some(pair.choice(false)),
                "s" => break Some(Choice::Same),
                "q" => break None,
                _ => say!("u, l, s or q:"),
            }
        };
        let Some(choice) = choice else { break };
        asked.keep(pair, choice, "")?;
        kept += 1;
    }
    say!("{kept} votes were written down, {} pairs are left.", open.len() - kept);
    Ok(Outcome::Fine)
}
