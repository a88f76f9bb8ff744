//! `reeve queue`: what waits for people, and deciding it from the shell. The same rules hold as on the page: a decision is
//! bound to the content that was shown, by its hash.

use std::collections::BTreeSet;

use anyhow::Context;
use clap::Subcommand;
use jiff::civil::Date;
use serde::Serialize;

use super::{Outcome, open, print_json};
use crate::approve::{Ask, Loose, Unclear, opened};
use crate::config::Config;
use crate::domain::action::Action;
use crate::domain::audit::BY_COMMAND;
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::ids::{CaseId, PersonId, RecommendationId, content_hash};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::{Muting, drill, mutes};
use crate::pipeline::stop;
use crate::store::Store;

/// Cases of a list that are read at once.
const PAGE: usize = 500;

/// Looking at the queue and deciding.
#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// List the cases that wait, best first.
    List {
        /// Every case, decided and closed ones too.
        #[arg(long, conflicts_with = "latent")]
        all: bool,
        /// Those that by what is known no decision would gain anything for.
        #[arg(long)]
        latent: bool,
    },
    /// Ask for recommendations on a latent case: one that by what is known no decision would gain anything for.
    Want {
        /// The case's id; `queue list --latent` lists them.
        case: String,
        /// Who asks: anybody in [[people]] who decides. The audit log keeps the name.
        #[arg(long = "as", value_name = "PERSON")]
        person: String,
    },
    /// Show a case with its recommendations, money and evidence.
    Show {
        /// The case's id.
        case: String,
        /// Who reads it: a person's id from the configuration. How long their decision takes is counted from now.
        #[arg(long = "as", value_name = "PERSON")]
        person: Option<String>,
    },
    /// Approve a recommendation as it stands.
    Approve {
        #[command(flatten)]
        what: What,
    },
    /// Change quantity or date; somebody else has to approve the result.
    Edit {
        #[command(flatten)]
        what: What,
        /// Of a plan of several steps, which one, from 1.
        #[arg(long)]
        step: Option<u32>,
        /// The new quantity, in stock units.
        #[arg(long)]
        quantity: Option<String>,
        /// The new date.
        #[arg(long)]
        date: Option<Date>,
    },
    /// Reject a recommendation with a reason.
    Reject {
        #[command(flatten)]
        what: What,
        /// not-real, real-but-wrong-action, already-handled, wrong-quantity, wrong-date, wrong-supplier-or-location,
        /// not-worth-it, missing-context, policy or duplicate.
        #[arg(long, value_parser = reason)]
        reason: RejectReason,
        /// Anything worth adding.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Put a recommendation off until a day.
    Snooze {
        #[command(flatten)]
        what: What,
        /// The day on which it comes back at the latest.
        #[arg(long)]
        until: Date,
        /// Back earlier when the case is worth more than this; else when it is worth a fifth and 50.00 more.
        #[arg(long, conflicts_with = "stage")]
        above: Option<rust_decimal::Decimal>,
        /// Back earlier when something else is wrong too.
        #[arg(long)]
        stage: bool,
    },
    /// Ask somebody by name; whoever else may decide still may.
    Forward {
        #[command(flatten)]
        what: What,
        /// Whom to ask.
        #[arg(long)]
        to: String,
        /// What is asked.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Give back what somebody passed on.
    Return {
        #[command(flatten)]
        what: What,
        /// Why.
        #[arg(long, default_value = "")]
        note: String,
    },
    /// Fold the case into another that has the same cause.
    Merge {
        #[command(flatten)]
        what: What,
        /// The other case.
        #[arg(long)]
        into: String,
    },
    /// Take back one's own decision inside the undo window.
    Undo {
        #[command(flatten)]
        what: What,
    },
    /// Decide several at once: approvals of one kind of action and one tier, each checked singly; what fails is listed and
    /// the rest goes through.
    Batch(super::batch::Batch),
}

/// Who decides on what.
#[derive(Debug, clap::Args)]
pub(super) struct What {
    /// The recommendation's id, as `reeve queue show` prints it.
    recommendation: String,
    /// Who decides: a person's id from the configuration.
    #[arg(long = "as", value_name = "PERSON")]
    person: String,
    /// The content that was read, as `reeve queue show` prints it (its first 12 digits are enough).
    #[arg(long, value_name = "HASH")]
    content: String,
}

pub(super) fn reason(text: &str) -> Result<RejectReason, String> {
    RejectReason::coded(text).ok_or_else(|| {
        let all: Vec<&str> = RejectReason::ALL.iter().map(|r| r.code()).collect();
        format!("not a reason; one of {}", all.join(", "))
    })
}

pub(super) async fn run(config: Config, command: Queue, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(&config).await?;
    match command {
        Queue::List { all, latent } => {
            let states = match (all, latent) {
                (true, _) => &[][..],
                (false, true) => &["latent"],
                (false, false) => CaseState::UNDECIDED,
            };
            list(&config, &store, states, json).await
        }
        Queue::Want { case, person } => want(config, store, &CaseId::new(case), &PersonId::new(person), json).await,
        Queue::Show { case, person } => show(&config, &store, &CaseId::new(case), person, json).await,
        Queue::Batch(batch) => super::batch::run(config, store, batch, json).await,
        Queue::Approve { what } => decide(config, store, what, of(DecisionVerb::Approve), json).await,
        Queue::Undo { what } => decide(config, store, what, of(DecisionVerb::Undo), json).await,
        Queue::Reject { what, reason, note } => {
            let loose = Loose { reason: reason.code().to_owned(), note, ..of(DecisionVerb::Reject) };
            decide(config, store, what, loose, json).await
        }
        Queue::Forward { what, to, note } => {
            decide(config, store, what, Loose { note, to, ..of(DecisionVerb::Forward) }, json).await
        }
        Queue::Return { what, note } => decide(config, store, what, Loose { note, ..of(DecisionVerb::Return) }, json).await,
        Queue::Merge { what, into } => decide(config, store, what, Loose { into, ..of(DecisionVerb::Merge) }, json).await,
        Queue::Snooze { what, until, above, stage } => {
            let (wake, above) = match above {
                Some(value) => ("above", value.to_string()),
                None if stage => ("stage", String::new()),
                None => ("grew", String::new()),
            };
            let loose = Loose { until: until.to_string(), wake: wake.to_owned(), above, ..of(DecisionVerb::Snooze) };
            decide(config, store, what, loose, json).await
        }
        Queue::Edit { what, step, quantity, date } => {
            let date = date.map(|day| day.to_string());
            let step = step.map_or_else(String::new, |number| number.to_string());
            decide(config, store, what, Loose { step, quantity, date, ..of(DecisionVerb::Edit) }, json).await
        }
    }
}

/// What a verb is asked with when nothing is said beside it.
fn of(verb: DecisionVerb) -> Loose {
    Loose { verb: verb.name().to_owned(), ..Loose::default() }
}

/// Refuses a flag that the action has nothing for: at the shell nobody sees a form without that field.
fn ensure_editable(action: &Action, loose: &Loose) -> anyhow::Result<()> {
    let (code, mut action) = (action.code(), action.clone());
    // A claim's value follows its quantity, so its quantity is edited on the page, which shows both.
    if loose.quantity.is_some() && (code == "CLAIM" || action.quantity_mut().is_none()) {
        anyhow::bail!("--quantity: a {code} has no quantity that could be edited");
    }
    if loose.date.is_some() && action.date_mut().is_none() {
        anyhow::bail!("--date: a {code} has no date that could be edited");
    }
    Ok(())
}

/// What can not be read, by the flag that it was given with.
fn unclear(what: Unclear) -> anyhow::Error {
    match what {
        Unclear::Quantity(text) => anyhow::anyhow!("--quantity: {text:?} is not a number of stock units"),
        Unclear::Case(_) => anyhow::anyhow!("--into: {what}"),
        Unclear::Nobody => anyhow::anyhow!("--to: {what}"),
        Unclear::Above(_) => anyhow::anyhow!("--above: {what}"),
        Unclear::Step(..) => anyhow::anyhow!("--step: {what}"),
        Unclear::Day { field, .. } => anyhow::anyhow!("--{field}: {what}"),
        Unclear::Verb(_) | Unclear::Reason(_) | Unclear::Wake(_) => what.into(),
    }
}

/// Has a latent case drafted by the next look of whoever drafts.
async fn want(config: Config, store: Store, case: &CaseId, person: &PersonId, json: bool) -> anyhow::Result<Outcome> {
    let app = open::app_on(config, store).await?;
    let opened = app.approvals.want(case, person, BY_COMMAND).await?;
    if json {
        print_json(&serde_json::json!({ "case": case, "opened": opened }))?;
    } else if opened {
        say!("{case} is opened; a running `reeve serve` drafts it by its next look, or `reeve run` now.");
    } else {
        say!("{case} is not latent: `reeve queue show {case}` says where it stands.");
    }
    Ok(Outcome::Fine)
}

/// The cases in any of `states`; none means all.
async fn list(config: &Config, store: &Store, states: &[&str], json: bool) -> anyhow::Result<Outcome> {
    let mut ids = store.list_case_ids(states).await?;
    let mut muted = None;
    // Among all cases nothing is left out: a mute is about what waits.
    if !states.is_empty() {
        let now = open::clock_of(store, config).await?.now();
        let muting = Muting::load(store, config, now).await?;
        let hidden = muting.hidden(store).await?;
        muted = mutes::account(config, &hidden);
        let hidden: BTreeSet<CaseId> = hidden.into_iter().map(|(case, _)| case.id).collect();
        ids.retain(|id| !hidden.contains(id));
    }
    let mut cases = Vec::new();
    // In pieces: how many there are grows with the years.
    for page in ids.chunks(PAGE) {
        let mut found = store.list_cases_of(&page.iter().collect::<Vec<_>>()).await?;
        let page = page.iter().filter_map(|id| found.remove(id));
        if json {
            cases.extend(page);
        } else {
            page.for_each(|case| say_line(&case));
        }
    }
    if json {
        print_json(&cases)?;
        return Ok(Outcome::Fine);
    }
    if let Some(muted) = muted {
        say!("{muted}");
    }
    say!("{} cases", ids.len());
    Ok(Outcome::Fine)
}

/// A case on one line.
fn say_line(case: &Case) {
    let codes: Vec<&str> = case.codes.iter().map(|c| c.code()).collect();
    let (worth, by) =
        case.rank.as_ref().map_or_else(Default::default, |r| (r.value.expected.to_string(), r.deadline.to_string()));
    say!("{} {:<10} {worth:>12} {by:<10} {:<24} {}", case.id, case.state.name(), codes.join(","), case.headline);
}

/// A case as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    case: &'a Case,
    recommendations: Vec<&'a Recommendation>,
    evidence: Option<&'a crate::domain::evidence::Bundle>,
}

/// Shows a case with its recommendations, money and evidence.
pub(super) async fn show(
    config: &Config,
    store: &Store,
    id: &CaseId,
    person: Option<String>,
    json: bool,
) -> anyhow::Result<Outcome> {
    let case = store.get_case(id).await?;
    // As on the page: a waiting drill stands in place of the true card.
    let cards = drill::cards(store.list_recommendations(id).await?, &store.list_drills_of(id).await?);
    let mut recommendations: Vec<Recommendation> =
        cards.into_iter().map(|(r, _)| r).filter(|r| r.state.name() != "superseded").collect();
    recommendations.sort_by_key(|r| r.rank);
    let bundle = store.find_latest_bundle(id).await?;
    if let Some(person) = person {
        let known = config.people.iter().find(|p| p.id.as_str() == person);
        let known = known.with_context(|| format!("--as: there is no person {person:?} in the configuration"))?;
        let now = open::clock_of(store, config).await?.now();
        opened(store, now, &known.id, "cli", &recommendations).await?;
    }
    if json {
        print_json(&Shown { case: &case, recommendations: recommendations.iter().collect(), evidence: bundle.as_ref() })?;
        return Ok(Outcome::Fine);
    }
    say!("{} ({})", case.id, case.state.name());
    say!("{}", case.headline);
    if let Some(rank) = &case.rank {
        say!(
            "worth {} ({} to {}), priority {}, decide by {} ({:.1} days)",
            rank.value.expected,
            rank.value.low,
            rank.value.high,
            rank.priority,
            rank.deadline,
            rank.slack_days
        );
    }
    for r in &recommendations {
        let m = &r.candidate.money;
        say!("\n{}. {} {}  [{}]", r.rank, r.candidate.action.code(), r.candidate.summary, r.state.name());
        for step in r.candidate.steps().skip(1) {
            say!("   step {}: {} {}", step.number, step.action.code(), step.summary);
        }
        // p · (L₀ − Lₐ) − C − (1 − p) · G, as the handbook has it, so that the figure can be checked by hand.
        say!(
            "   {:.4} x ({} - {}) - {} - {:.4} x {} = {}",
            m.p,
            m.loss_now.expected,
            m.loss_after.expected,
            m.cost,
            1.0 - m.p,
            m.regret,
            m.benefit.expected
        );
        say!("   {}", r.prose.rationale);
        for claim in &r.prose.claims {
            say!("   the model's reason, computed: {}", claim.words);
        }
        if !r.prose.question.is_empty() {
            say!("   the model asks: {}", r.prose.question);
        }
        // As many letters of the hash as a decision by command asks for at least.
        say!("   --content {}  {}", &r.content_hash()[..12], r.id);
    }
    if let Some(bundle) = bundle {
        say!("\nEvidence, version {}, as of {}:", bundle.version, bundle.as_of);
        for fact in bundle.facts.values() {
            let outside = if fact.third_party { "  (text from outside)" } else { "" };
            say!("   {:<34} {:<34} {} {}{outside}", fact.id, fact.label, fact.value.show(), fact.unit);
        }
        for missing in &bundle.missing {
            say!("   missing: {}, needed for {}", missing.what, missing.blocks);
        }
    }
    Ok(Outcome::Fine)
}

async fn decide(config: Config, store: Store, what: What, loose: Loose, json: bool) -> anyhow::Result<Outcome> {
    let (recommendation, version) = store.get_recommendation(&RecommendationId::new(what.recommendation)).await?;
    let content = recommendation.content_hash();
    anyhow::ensure!(
        what.content.len() >= 12 && content.starts_with(&what.content),
        "--content does not match what this recommendation says; read it again with `reeve queue show {}`",
        recommendation.case_id
    );
    let candidate = &recommendation.candidate;
    let step = loose.step.parse().ok().and_then(|number| candidate.step(number));
    ensure_editable(step.map_or(&candidate.action, |step| step.action), &loose)?;
    let loose = Loose { recommendation: recommendation.id.to_string(), content_hash: content, ..loose };
    let mut ask = Ask::parse(loose, "cli", Some(candidate)).map_err(unclear)?;
    // The same command on the same version is the same request, and is answered the same.
    ask.key = content_hash(&[
        "cli",
        &what.person,
        recommendation.id.as_str(),
        &ask.content_hash,
        &version.to_string(),
        &serde_json::to_string(&ask.verb)?,
    ]);
    // Two commands are never two people, whatever names they are given (decision 34).
    let hand = store.hand_of_command();
    let app = open::app_on(config, store).await?;
    let request = ask.by(&PersonId::new(what.person), hand);
    let answer = app.approvals.decide(&request).await?;
    if json {
        print_json(&answer)?;
    } else {
        say!("{}", answer.said);
        if let Some(stopped) = stop::stopped(&app.context.store, &app.context.config).await? {
            say!("{} What this would send waits until that ends.", stopped.says(&app.context.config));
        }
    }
    Ok(Outcome::Fine)
}
