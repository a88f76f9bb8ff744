//! `reeve memory`: what is remembered of what people decided, how it is found, and filling the index anew.

use clap::{Args, Subcommand};
use serde_json::json;

use super::{Outcome, open, print_json};
use crate::app::App;
use crate::config::Config;
use crate::domain::ids::CaseId;
use crate::domain::remembered::MemoryKind;
use crate::memory::{Asked, Recalled};
use crate::rules::likeness::company_of;
use crate::rules::scene::open_exceptions;

/// What people decided on like cases, as it is remembered.
#[derive(Debug, Subcommand)]
pub(super) enum MemoryCommand {
    /// Say how many are remembered, what finds them, and whether the index holds all of them.
    Status,
    /// Find what is remembered: near to some words, or like a case.
    Search(Search),
    /// Empty the index and fill it anew from the store, which keeps everything.
    Reindex,
}

/// What is looked for.
#[derive(Debug, Args)]
pub(super) struct Search {
    /// Words; what is found is near to them in meaning.
    #[arg(required_unless_present = "case", conflicts_with = "case")]
    words: Option<String>,
    /// Like this case, by numbers and words.
    #[arg(long, value_name = "ID")]
    case: Option<String>,
    /// Of this company (the ERP's id); needed where there are several, for nobody is shown another one's.
    #[arg(long, value_name = "ID", default_value = "")]
    company: String,
    /// At most so many.
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: u32,
}

pub(super) async fn run(config: Config, command: MemoryCommand, as_json: bool) -> anyhow::Result<Outcome> {
    anyhow::ensure!(config.memory.enabled, "memory is switched off: set memory.enabled to have it");
    let store = open::store(&config).await?;
    let app = open::app_on(config, store).await?;
    match command {
        MemoryCommand::Status => status(&app, as_json).await,
        MemoryCommand::Search(search) => look_up(&app, &search, as_json).await,
        MemoryCommand::Reindex => {
            let told = app.context.memories.tell_index_anew().await?;
            say!("The index was emptied and told {told} changes anew.");
            Ok(Outcome::Fine)
        }
    }
}

async fn status(app: &App, as_json: bool) -> anyhow::Result<Outcome> {
    let memories = &app.context.memories;
    memories.tell_index().await?;
    let standing = memories.index_state().await?;
    let counted = app.context.store.count_memories().await?;
    if as_json {
        let counts: serde_json::Map<_, _> = counted.iter().map(|(kind, n)| (kind.name().to_owned(), json!(n))).collect();
        print_json(&json!({
            "remembered": counts,
            "index": standing.index,
            "model": standing.model,
            "points": standing.points,
            "holds": standing.holds,
            "last": standing.last,
        }))?;
        return Ok(Outcome::Fine);
    }
    for kind in MemoryKind::ALL {
        let n = counted.iter().find(|(counted, _)| *counted == kind).map_or(0, |(_, n)| *n);
        say!("{:<15} {n}", kind.name());
    }
    say!("index           {}", standing.index);
    say!("words           {}", standing.model.as_deref().unwrap_or("not compared: memory.embedding is \"none\""));
    match standing.last - standing.holds {
        0 => say!("The index holds everything."),
        n => say!("The index lacks the last {n} changes; the next run tells it of them, or `reeve memory reindex`."),
    }
    Ok(Outcome::Fine)
}

async fn look_up(app: &App, search: &Search, as_json: bool) -> anyhow::Result<Outcome> {
    let (memories, limit) = (&app.context.memories, search.limit as usize);
    // First told what was decided since the last run, or that could not be found.
    memories.tell_index().await?;
    let found = match (&search.case, &search.words) {
        (Some(id), _) => like(app, &CaseId::new(id.clone()), limit).await?,
        (None, Some(words)) => {
            anyhow::ensure!(
                memories.model().is_some(),
                "nothing compares words here: set memory.embedding, or name a case with --case, which is found by its numbers"
            );
            memories.search(words, &search.company, &MemoryKind::ALL, app.context.clock.now(), limit).await?
        }
        (None, None) => Vec::new(),
    };
    if as_json {
        let found = found.iter().map(|found| json!({ "alike": found.alike, "remembered": found.memory.what }));
        print_json(&found.collect::<Vec<_>>())?;
        return Ok(Outcome::Fine);
    }
    if found.is_empty() {
        say!("Nothing like it is remembered.");
    }
    for Recalled { memory, alike } in &found {
        let what = &memory.what;
        let case = what.case.as_ref().map_or_else(String::new, |case| format!(" {case}"));
        let ended =
            what.ended.as_ref().map_or_else(String::new, |ended| format!(" · {}", crate::memory::ended_words(ended)));
        say!("{alike:.2}  {}{case}{ended}", what.kind.name());
        say!("      {} · {}", what.at, what.words);
    }
    Ok(Outcome::Fine)
}

async fn like(app: &App, id: &CaseId, limit: usize) -> anyhow::Result<Vec<Recalled>> {
    let store = &app.context.store;
    let case = store.get_case(id).await?;
    let exceptions = open_exceptions(store.list_case_exceptions(id).await?, &case);
    let moment = app.context.moments.now_or_half().await?;
    let Some(company) = company_of(&moment.book, &exceptions) else {
        anyhow::bail!("the places of case {id} do not say whose it is, so nothing is shown beside it");
    };
    let known_before = app.context.clock.now();
    let asked = Asked { case: id, exceptions: &exceptions, company: &company, known_before, limit };
    Ok(app.context.memories.like(&asked).await?)
}
