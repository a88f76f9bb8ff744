//! `reeve prompts …`: which prompts there are, how they read filled in, what changed, and giving a change its version.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand, ValueEnum};
use jiff::tz::TimeZone;

use super::{Outcome, print_json, terminal};
use crate::clock::Clock;
use crate::rules::prompts::{CardChange, DraftPrompt, FILES, draft_request, semver};
use crate::rules::sample::Sample;

/// What is done with prompts.
#[derive(Debug, Subcommand)]
pub(super) enum Prompts {
    /// List the prompts with version, owner and hash; exits with 2 where files changed without a version.
    List(Which),
    /// Print a prompt as a model is told it, on a small made-up case.
    Render(Which),
    /// Compare another version's files with the shipped ones, line by line.
    Diff {
        /// Folder of the other version.
        folder: PathBuf,
    },
    /// Print the hash of a prompt's files.
    Hash(Which),
    /// Give the files of a folder a version of their own, with what it changes.
    Bump(Bump),
}

/// Which version.
#[derive(Debug, Args)]
pub(super) struct Which {
    /// Folder of another version; the shipped one when left out.
    #[arg(long, value_name = "DIR")]
    prompt: Option<PathBuf>,
}

/// What a new version is.
#[derive(Debug, Args)]
pub(super) struct Bump {
    /// The prompt's folder.
    folder: PathBuf,
    /// How much changes: what is asked for or allowed (major), how it is told (minor), spelling (patch).
    #[arg(long, value_enum)]
    part: Part,
    /// What it changes, in a sentence.
    #[arg(long, value_name = "WORDS")]
    words: String,
}

/// Which of the three numbers counts up.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Part {
    /// What is asked for or allowed.
    Major,
    /// How it is told.
    Minor,
    /// Spelling.
    Patch,
}

impl Which {
    fn read(&self) -> anyhow::Result<DraftPrompt> {
        match &self.prompt {
            Some(folder) => DraftPrompt::read(folder).with_context(|| folder.display().to_string()),
            None => Ok(DraftPrompt::shipped()),
        }
    }
}

pub(super) fn run(command: &Prompts, json: bool) -> anyhow::Result<Outcome> {
    match command {
        Prompts::List(which) => list(&which.read()?, json),
        Prompts::Render(which) => {
            let prompt = which.read()?;
            let mut sample = Sample::made_up();
            sample.prompt = prompt;
            let told = draft_request(&sample.file(), &[]).context("the prompt can not be filled in")?;
            terminal::block(&format!("{}\n\n{}\n\n{}\n", told.system, told.user, told.form));
            Ok(Outcome::Fine)
        }
        Prompts::Diff { folder } => {
            let other = DraftPrompt::read(folder).with_context(|| folder.display().to_string())?;
            let text = difference(&DraftPrompt::shipped(), &other);
            terminal::block(if text.is_empty() { "The files are the same.\n" } else { &text });
            Ok(Outcome::Fine)
        }
        Prompts::Hash(which) => {
            say!("{}", which.read()?.hash());
            Ok(Outcome::Fine)
        }
        Prompts::Bump(args) => bump(args),
    }
}

fn list(prompt: &DraftPrompt, json: bool) -> anyhow::Result<Outcome> {
    let (card, versioned) = (prompt.card(), prompt.is_as_versioned());
    if json {
        print_json(&serde_json::json!({ "card": card, "hash": prompt.hash(), "as_versioned": versioned }))?;
    } else {
        say!("{} {} of {}, {}", card.name, card.version, card.owner, prompt.hash());
        for change in &card.change {
            say!("  {} {}: {}", change.version, change.on, change.words);
        }
        if !versioned {
            say!("  Its files are not those of {}: give them a version with `reeve prompts bump`.", card.version);
        }
    }
    Ok(if versioned { Outcome::Fine } else { Outcome::CheckFailed })
}

/// Lines that only one of two versions has, file by file. A line that moved is shown in both.
fn difference(ours: &DraftPrompt, other: &DraftPrompt) -> String {
    let mut out = String::new();
    for ((file, before), after) in FILES.iter().zip(ours.texts()).zip(other.texts()) {
        if before == after {
            continue;
        }
        let _ = writeln!(out, "--- {file}");
        let (old, new): (Vec<&str>, Vec<&str>) = (before.lines().collect(), after.lines().collect());
        for (mark, line) in lines(&old, &new) {
            if mark != ' ' {
                let _ = writeln!(out, "{mark} {line}");
            }
        }
    }
    out
}

/// The longest common lines of two texts, with what is around them: `-` only before, `+` only after.
fn lines<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<(char, &'a str)> {
    // Prompts are some dozens of lines: the plain table is enough.
    let mut common = vec![vec![0_usize; new.len() + 1]; old.len() + 1];
    for i in (0..old.len()).rev() {
        for j in (0..new.len()).rev() {
            common[i][j] = if old[i] == new[j] { common[i + 1][j + 1] + 1 } else { common[i + 1][j].max(common[i][j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        if i < old.len() && j < new.len() && old[i] == new[j] {
            out.push((' ', old[i]));
            (i, j) = (i + 1, j + 1);
        } else if j >= new.len() || (i < old.len() && common[i + 1][j] >= common[i][j + 1]) {
            out.push(('-', old[i]));
            i += 1;
        } else {
            out.push(('+', new[j]));
            j += 1;
        }
    }
    out
}

fn bump(args: &Bump) -> anyhow::Result<Outcome> {
    let prompt = DraftPrompt::read(&args.folder).with_context(|| args.folder.display().to_string())?;
    let mut card = prompt.card().clone();
    if prompt.is_as_versioned() {
        say!("The files are those of {}: there is nothing to give a version.", card.version);
        return Ok(Outcome::CheckFailed);
    }
    let (major, minor, patch) = semver(&card.version).context("the version was read before")?;
    let (major, minor, patch) = match args.part {
        Part::Major => (major + 1, 0, 0),
        Part::Minor => (major, minor + 1, 0),
        Part::Patch => (major, minor, patch + 1),
    };
    card.version = format!("{major}.{minor}.{patch}");
    let on = Clock::System.wire().to_zoned(TimeZone::UTC).date();
    let change = CardChange { version: card.version.clone(), on, hash: prompt.hash().to_owned(), words: args.words.clone() };
    card.change.insert(0, change);
    write_card(&args.folder.join("prompt.toml"), &toml::to_string(&card).context("a card is plain data")?)?;
    say!("{} is {} now. Run its evals: `reeve eval run --prompt {}`.", card.name, card.version, args.folder.display());
    Ok(Outcome::Fine)
}

fn write_card(path: &Path, text: &str) -> anyhow::Result<()> {
    let head = "# Which version of the prompt these files are, who answers for it, and what each version changed. `reeve prompts bump` adds\n# one; a test and `reeve prompts list` say where the files differ from the newest version's hash.\n";
    std::fs::write(path, format!("{head}{text}")).with_context(|| format!("can not write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_what_was_taken_and_what_was_added() {
        let found = lines(&["a", "b", "c"], &["a", "x", "c", "d"]);
        assert_eq!(found, [(' ', "a"), ('-', "b"), ('+', "x"), (' ', "c"), ('+', "d")]);
        assert_eq!(difference(&DraftPrompt::shipped(), &DraftPrompt::shipped()), "");
    }
}
