//! `reeve words`: whose words people see, the playbook's or a language model's that has earned its own.

mod drafts;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use self::drafts::Drafts;
use super::eval::{HeldRuns, Runs};
use super::{Outcome, open, print_json};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::audit::BY_COMMAND;
use crate::domain::calendar::plus_days;
use crate::domain::ids::PersonId;
use crate::domain::writer::{GradedDraft, Proof, Writer};
use crate::pipeline::writers::{self, Changed, Stand, State, Tally, drift};
use crate::store::{DraftCount, Store, WriterStep};

/// What can be done with a language model's words.
#[derive(Debug, Subcommand)]
pub(super) enum Words {
    /// Say where the configured model stands, what it drafted day by day, and what was done with it.
    Status,
    /// Hold the configured model beside the playbook, by a run of a suite of each, and keep what was found. Exit code 2 when it has not
    /// earned its words; where it had before, people see the playbook again.
    Prove(Runs),
    /// Let people see the configured model's words, in the name of a person; where two may, a second one confirms it on the page.
    Promote(Wish),
    /// Let people see the playbook again, or withdraw what waits for a second person.
    TakeBack(Wish),
    /// List what the configured model drafted in shadow of late; with --out, beside the playbook's for `reeve eval votes`.
    Drafts(Drafts),
}

/// Who, and why.
#[derive(Debug, Args)]
pub(super) struct Wish {
    /// Who: whoever the policy names under [detectors].
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// Why; the audit log keeps it.
    #[arg(long)]
    reason: String,
}

pub(super) async fn run(config: &Config, command: Words, json: bool) -> anyhow::Result<Outcome> {
    let writer = config.writer();
    if writer.is_none() && matches!(command, Words::Status) {
        if json {
            print_json(&json!({ "writer": Value::Null, "people_see": "playbook" }))?;
        } else {
            say!("No model is configured: people see the playbook.");
        }
        return Ok(Outcome::Fine);
    }
    let writer = writer.context("no model is configured: set model.base_url and model.name, then it can earn its words")?;
    match command {
        Words::Status => status(config, &writer, json).await,
        Words::Prove(runs) => prove(config, writer, &runs, json).await,
        Words::Promote(wish) => {
            let (store, clock) = at_work(config).await?;
            let (by, hand) = (PersonId::new(wish.person), store.hand_of_command());
            let who = (&by, BY_COMMAND, &hand);
            let done = writers::promote(&store, config, &clock, who, &writer, &wish.reason, None).await?;
            say_change(&writer, &done, json)
        }
        Words::TakeBack(wish) => {
            let (store, clock) = at_work(config).await?;
            let (by, hand) = (PersonId::new(wish.person), store.hand_of_command());
            let who = (&by, BY_COMMAND, &hand);
            let done = writers::take_back(&store, config, &clock, who, &writer, &wish.reason).await?;
            say_change(&writer, &done, json)
        }
        Words::Drafts(args) => drafts::run(config, &writer, &args, json).await,
    }
}

async fn at_work(config: &Config) -> anyhow::Result<(Store, Clock)> {
    let store = open::store(config).await?;
    let clock = open::clock_of(&store, config).await?;
    Ok((store, clock))
}

/// A writer's whole standing, for people and machines.
struct Shown {
    stand: Stand,
    counts: Vec<DraftCount>,
    late: Vec<GradedDraft>,
}

async fn shown(config: &Config, writer: &Writer) -> anyhow::Result<(Store, Shown)> {
    let store = open::store_to_read(config).await?;
    let clock = open::clock_of(&store, config).await?;
    let stand = writers::stand(&store, writer).await?;
    let today = config.rules.calendar.calendar().day_of(clock.now());
    let counts = store.count_writer_drafts(&writer.id(), plus_days(today, 1)).await?;
    let late = drift::of_late(&store, config, &clock, &stand).await?;
    Ok((store, Shown { stand, counts, late }))
}

async fn status(config: &Config, writer: &Writer, json: bool) -> anyhow::Result<Outcome> {
    let (store, Shown { stand, counts, late }) = shown(config, writer).await?;
    let newest = store.list_proofs(&writer.id()).await?.into_iter().next();
    let steps: Vec<WriterStep> =
        store.list_writer_steps().await?.into_iter().filter(|step| step.writer == writer.id()).collect();
    let people_see = if stand.state == State::Earned { "model" } else { "playbook" };
    let unfit = drift::unfit(&late);
    if json {
        print_json(&json!({
            "writer": writer, "id": writer.id(), "state": stand.state, "people_see": people_see, "proposed": stand.proposed.as_ref().map(step_json),
            "days": counts, "unfit": unfit, "newest_proof": newest.map(|kept| kept.proof), "steps": steps.iter().map(step_json).collect::<Vec<_>>(),
        }))?;
        return Ok(Outcome::Fine);
    }
    say!("{writer}: {}. People see the {people_see}'s words.", stand.state.name());
    let mut days: Vec<_> = counts.iter().map(|count| count.day).collect();
    days.dedup();
    for day in days {
        let of_day: Vec<DraftCount> = counts.iter().filter(|count| count.day == day).cloned().collect();
        for (shown, place) in [(false, "in shadow"), (true, "before people")] {
            let Tally { drafts, passed, unanswered } = Tally::of(&of_day, shown);
            if drafts > 0 {
                say!("  {day} {place}: {drafts} drafts, {passed} passed the guard, {unanswered} without an answer");
            }
        }
    }
    let (tokens, agree, pairs, regrets) = late.iter().fold((0_u64, 0, 0, 0), |(tokens, agree, pairs, regrets), draft| {
        let grade = draft.grade;
        (tokens + draft.tokens, agree + grade.agree, pairs + grade.pairs, regrets + u32::from(grade.regrets()))
    });
    say!(
        "  Of late ({} drafts, {tokens} tokens): {agree} of {pairs} pairs in the computed order, {regrets} first choices worth more than a \
         tenth less than the best.",
        late.len()
    );
    if let Some(why) = unfit {
        say!("  TOO BAD: {why}.");
    }
    match newest {
        None => say!("  Not held beside the playbook yet: `reeve words prove`."),
        Some(kept) => {
            let verdict = if kept.passed { "passed" } else { "did not pass" };
            say!("  It {verdict} beside the playbook on {} at {}:", kept.proof.suite, kept.proof.at);
            for line in &kept.proof.found {
                say!("    {line}");
            }
            for line in &kept.proof.missing {
                say!("    MISSING {line}");
            }
        }
    }
    for step in &steps {
        say!("  {} by {} at {}", writers::told(writer, step), step.by, step.at);
    }
    if let Some(step) = &stand.proposed {
        say!("PROPOSED by {}: {}. A second person confirms it on the page under Health.", step.by, step.reason);
    }
    Ok(Outcome::Fine)
}

fn step_json(step: &WriterStep) -> Value {
    json!({ "step": step.change.name(), "by": step.by, "at": step.at, "reason": step.reason, "proof": step.proof })
}

async fn prove(config: &Config, writer: Writer, runs: &Runs, json: bool) -> anyhow::Result<Outcome> {
    let HeldRuns { suite, playbook, model, standing } = runs.held()?;
    anyhow::ensure!(
        model.prompt == writer.prompt,
        "the model's run is of prompt {} ({:.8}), configured is {} ({:.8}); run the suite with the configured one",
        model.prompt_version,
        model.prompt,
        writer.prompt_version,
        writer.prompt
    );
    let asked = model.asked();
    let own = writer.asked();
    let its_own = !asked.is_empty() && asked.iter().all(|other| *other == own);
    let whose = if asked.is_empty() {
        "nobody who is named".to_owned()
    } else {
        asked.into_iter().collect::<Vec<_>>().join(" and ")
    };
    anyhow::ensure!(
        its_own || standing.missing.iter().any(|why| why.starts_with("no answer")),
        "the run's answers are of {whose}, configured is {own}; record the suite anew (`reeve eval run --record`)"
    );
    let (store, clock) = at_work(config).await?;
    let proof = Proof {
        writer,
        suite: suite.name,
        data: suite.data_hash,
        runs: (playbook.hash(), model.hash()),
        found: standing.found(),
        missing: standing.missing,
        at: clock.now(),
    };
    // One that failed is kept, too: it takes back what an earlier one gave.
    let (id, back) = writers::proved(&store, &clock, &proof, (BY_COMMAND, BY_COMMAND)).await?;
    if json {
        print_json(&json!({ "id": id, "passed": proof.passed(), "taken_back": back, "proof": proof }))?;
    } else {
        let verdict = if proof.passed() { "has earned its words" } else { "has not earned its words" };
        say!("{} {verdict} on {}.", proof.writer, proof.suite);
        for line in &proof.found {
            say!("  {line}");
        }
        for line in &proof.missing {
            say!("  MISSING {line}");
        }
        if back {
            say!("It had earned them before: people see the playbook from the next draft on.");
        } else if proof.passed() {
            say!("A person may promote it: reeve words promote --as PERSON --reason WORDS.");
        }
    }
    Ok(if proof.passed() { Outcome::Fine } else { Outcome::CheckFailed })
}

fn say_change(writer: &Writer, done: &Changed, json: bool) -> anyhow::Result<Outcome> {
    let (what, made) = match done {
        Changed::Done(made) => ("done", Some(made)),
        Changed::Proposed(made) => ("proposed", Some(made)),
        Changed::Same => ("same", None),
    };
    if json {
        print_json(&json!({ "done": what, "step": made.map(step_json) }))?;
        return Ok(Outcome::Fine);
    }
    match done {
        Changed::Done(made) => {
            say!("{}. So it is from the next draft on; what people have begun on goes on.", writers::told(writer, made));
        }
        Changed::Proposed(_) => {
            say!("Proposed. A second person, who is signed in by another hand, confirms it on the page under Health.");
        }
        Changed::Same => say!("It is so already; nothing was changed."),
    }
    Ok(Outcome::Fine)
}
