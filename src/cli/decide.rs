//! `reeve queue`: what waits for people, and deciding it from the shell. The same rules hold as on the page: a decision is
//! bound to the content that was shown, by its hash.

use anyhow::Context;
use clap::Subcommand;
use jiff::civil::Date;
use serde::Serialize;

use super::{Outcome, open, print_json};
use crate::approve::{DecisionRequest, Verb, opened};
use crate::config::Config;
use crate::domain::action::Action;
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::{RejectReason, WakeCondition};
use crate::domain::ids::{CaseId, PersonId, RecommendationId};
use crate::domain::money::{Money, Quantity};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::{Muting, drill, mutes};
use crate::store::Store;

/// Looking at the queue and deciding.
#[derive(Debug, Subcommand)]
pub(super) enum Queue {
    /// List the cases that wait, best first.
    List {
        /// Every case, decided and closed ones too.
        #[arg(long)]
        all: bool,
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
    RejectReason::ALL.into_iter().find(|r| r.code() == text).ok_or_else(|| {
        let all: Vec<&str> = RejectReason::ALL.iter().map(|r| r.code()).collect();
        format!("not a reason; one of {}", all.join(", "))
    })
}

pub(super) async fn run(config: Config, command: Queue, json: bool) -> anyhow::Result<Outcome> {
    let store = open::store(&config).await?;
    match command {
        Queue::List { all } => list(&config, &store, all, json).await,
        Queue::Show { case, person } => show(&config, &store, &CaseId::new(case), person, json).await,
        Queue::Approve { what } => decide(config, store, what, |_| Ok(Verb::Approve), json).await,
        Queue::Reject { what, reason, note } => {
            decide(config, store, what, |_| Ok(Verb::Reject { reason, note }), json).await
        }
        Queue::Batch(batch) => super::batch::run(config, store, batch, json).await,
        Queue::Forward { what, to, note } => {
            decide(config, store, what, |_| Ok(Verb::Forward { to: PersonId::new(to), note }), json).await
        }
        Queue::Return { what, note } => decide(config, store, what, |_| Ok(Verb::Return { note }), json).await,
        Queue::Merge { what, into } => {
            decide(config, store, what, |_| Ok(Verb::Merge { into: CaseId::new(into) }), json).await
        }
        Queue::Snooze { what, until, above, stage } => {
            let wake = match above {
                Some(value) => WakeCondition::ValueAbove { value: Money::from_decimal(value) },
                None if stage => WakeCondition::StageChanged,
                None => WakeCondition::Grew,
            };
            decide(config, store, what, |_| Ok(Verb::Snooze { until, wake }), json).await
        }
        Queue::Undo { what } => decide(config, store, what, |_| Ok(Verb::Undo), json).await,
        Queue::Edit { what, quantity, date } => {
            let edit = |old: &Action| {
                let mut action = old.clone();
                if let Some(text) = &quantity {
                    set_quantity(&mut action, text)?;
                }
                if let Some(day) = date {
                    set_date(&mut action, day)?;
                }
                Ok(Verb::Edit { action: Box::new(action) })
            };
            decide(config, store, what, edit, json).await
        }
    }
}

fn set_quantity(action: &mut Action, text: &str) -> anyhow::Result<()> {
    let new: rust_decimal::Decimal =
        text.parse().map_err(|_| anyhow::anyhow!("--quantity: {text:?} is not a number of stock units"))?;
    let code = action.code();
    // A claim's value follows its quantity, so its quantity is edited on the page, which shows both.
    match action.quantity_mut() {
        Some(quantity) if code != "CLAIM" => *quantity = Quantity(new),
        _ => anyhow::bail!("--quantity: a {code} has no quantity that could be edited"),
    }
    Ok(())
}

fn set_date(action: &mut Action, day: Date) -> anyhow::Result<()> {
    let code = action.code();
    let Some((_, date)) = action.date_mut() else { anyhow::bail!("--date: a {code} has no date that could be edited") };
    *date = day;
    Ok(())
}

async fn list(config: &Config, store: &Store, all: bool, json: bool) -> anyhow::Result<Outcome> {
    let mut cases = store.list_cases(if all { &[] } else { CaseState::UNDECIDED }).await?;
    let mut muted = None;
    if !all {
        let now = open::clock_of(store, config).await?.now();
        let muting = Muting::load(store, config, now).await?;
        let hidden = mutes::hidden_of(store, &muting, cases.iter()).await?;
        muted = mutes::account(config, &hidden);
        let hidden: Vec<CaseId> = hidden.iter().map(|(case, _)| case.id.clone()).collect();
        cases.retain(|case| !hidden.contains(&case.id));
    }
    if json {
        print_json(&cases)?;
        return Ok(Outcome::Fine);
    }
    for case in &cases {
        let codes: Vec<&str> = case.codes.iter().map(|c| c.code()).collect();
        let (worth, by) =
            case.rank.as_ref().map_or_else(Default::default, |r| (r.value.expected.to_string(), r.deadline.to_string()));
        say!("{} {:<10} {worth:>12} {by:<10} {:<24} {}", case.id, case.state.name(), codes.join(","), case.headline);
    }
    if let Some(muted) = muted {
        say!("{muted}");
    }
    say!("{} cases", cases.len());
    Ok(Outcome::Fine)
}

/// A case as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    case: &'a Case,
    recommendations: Vec<&'a Recommendation>,
    evidence: Option<&'a crate::domain::evidence::Bundle>,
}

async fn show(config: &Config, store: &Store, id: &CaseId, person: Option<String>, json: bool) -> anyhow::Result<Outcome> {
    let case = store.get_case(id).await?;
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

async fn decide(
    config: Config,
    store: Store,
    what: What,
    verb: impl FnOnce(&Action) -> anyhow::Result<Verb>,
    json: bool,
) -> anyhow::Result<Outcome> {
    let (recommendation, version) = store.get_recommendation(&RecommendationId::new(what.recommendation)).await?;
    let content = recommendation.content_hash();
    anyhow::ensure!(
        what.content.len() >= 12 && content.starts_with(&what.content),
        "--content does not match what this recommendation says; read it again with `reeve queue show {}`",
        recommendation.case_id
    );
    let verb = verb(&recommendation.candidate.action)?;
    let key = crate::domain::ids::content_hash(&[
        "cli",
        &what.person,
        recommendation.id.as_str(),
        &content,
        &version.to_string(),
        &serde_json::to_string(&verb)?,
    ]);
    let hand = store.hand_of_command();
    let app = open::app_on(config, store).await?;
    let request = DecisionRequest {
        idempotency_key: key,
        person: PersonId::new(what.person),
        channel: "cli".to_owned(),
        hand,
        recommendation_id: recommendation.id.clone(),
        content_hash: content,
        verb,
    };
    let answer = app.approvals.decide(&request).await?;
    if json {
        print_json(&answer)?;
    } else {
        say!("{}", answer.said);
    }
    Ok(Outcome::Fine)
}
