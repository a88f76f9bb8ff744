//! `reeve eval export` and `import`: suites as JSON lines for Inspect and promptfoo.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Context;
use clap::{Args, ValueEnum};
use jiff::tz::TimeZone;

use crate::cli::{Outcome, terminal};
use crate::clock::Clock;
use crate::evals::suite::{self, How};
use crate::rules::prompts::DraftPrompt;
use crate::suites::attempt::Attempt;
use crate::suites::exchange::{self, Question};
use crate::suites::suite::{DrafterKind, Suite};

/// Whose form.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Form {
    /// For Inspect's json_dataset.
    Inspect,
    /// For promptfoo's tests.
    Promptfoo,
}

/// What is written, and for whom.
#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// The suite's folder.
    suite: PathBuf,
    /// Whose form.
    #[arg(long, value_enum)]
    form: Form,
    /// The file to write; to the terminal when left out.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// What is read.
#[derive(Debug, Args)]
pub(in crate::cli) struct Import {
    /// The file of JSON lines.
    file: PathBuf,
    /// The suite's folder to write scenarios into.
    #[arg(long, value_name = "DIR")]
    suite: PathBuf,
}

pub(super) async fn export(args: &Export) -> anyhow::Result<Outcome> {
    let suite = Suite::read(&args.suite)?;
    // Every case is put to a model that answers nothing: so its questions are what a model would be asked, word for word.
    let how = How {
        tags: Vec::new(),
        repeats: 1,
        prompt: Arc::new(DraftPrompt::shipped()),
        drafter: Some(DrafterKind::Model),
        recorder: None,
        today: Clock::System.wire().to_zoned(TimeZone::UTC).date(),
        done: BTreeMap::new(),
    };
    let form = match args.form {
        Form::Inspect => exchange::Form::Inspect,
        Form::Promptfoo => exchange::Form::Promptfoo,
    };
    let mut lines = String::new();
    for made in suite::run(&suite, &how, |_| Ok(())).await? {
        let question = made.attempt.as_ref().and_then(|attempt| question(attempt, &suite, made.at));
        let line = exchange::line(form, &suite.scenarios[made.at], question.as_ref())?;
        lines.push_str(&line.to_string());
        lines.push('\n');
    }
    match &args.out {
        None => terminal::block(&lines),
        Some(path) => {
            let mut file = std::fs::File::create(path).with_context(|| format!("can not make {}", path.display()))?;
            file.write_all(lines.as_bytes()).with_context(|| format!("can not write {}", path.display()))?;
            say!("{} scenarios are in {}.", suite.scenarios.len(), path.display());
        }
    }
    Ok(Outcome::Fine)
}

/// What a model was asked first about what a scenario is about.
fn question(attempt: &Attempt, suite: &Suite, at: usize) -> Option<Question> {
    let call = attempt.calls.first()?;
    let about = attempt.about(suite.scenarios[at].spec.kind)?;
    let candidates =
        about.recommendations.iter().map(|rec| (rec.candidate.id.clone(), rec.candidate.action.code().to_owned()));
    Some(Question {
        system: call.system.clone(),
        user: call.user.clone(),
        schema: call.schema.clone(),
        candidates: candidates.collect(),
    })
}

pub(super) fn import(args: &Import) -> anyhow::Result<Outcome> {
    let text = std::fs::read_to_string(&args.file).with_context(|| format!("can not read {}", args.file.display()))?;
    let written = exchange::import(&text, &args.suite)?;
    // What was written has to be a suite still: its faults are said now.
    let suite = Suite::read(&args.suite)?;
    say!("{} scenarios were written into {}, which has {} now.", written.len(), suite.name, suite.scenarios.len());
    Ok(Outcome::Fine)
}
