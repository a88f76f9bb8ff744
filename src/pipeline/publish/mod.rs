//! The events that tell the outside: CloudEvents 1.0 envelopes in JSON.
//!
//! A body is made once, in the transaction of what it tells, and never again: what was approved is what leaves. Each step of an
//! approved recommendation goes to one destination, as two executors would do it twice. Signing and headers are the sender's.

mod action;
#[cfg(test)]
mod tests;
pub mod wire;

use jiff::Timestamp;
use serde_json::Value;

pub use self::action::plain_name;
use self::wire::{Approved, NotSeen, Outward, PlanStep, Stuck, Subject, Worth};
use crate::config::{Config, WEBHOOK};
use crate::domain::action::{Action, StepRef};
use crate::domain::case::Case;
use crate::domain::ids::{CaseId, PersonId, RecommendationId, content_id};
use crate::domain::outbox::OutboxKind;
use crate::domain::policy::Tier;
use crate::domain::recommendation::Recommendation;
use crate::store::NewOutbox;

/// The destination of what no other one takes.
pub const CHANNEL: &str = WEBHOOK;

/// The type of an approved recommendation's event.
pub const APPROVED: &str = "reeve.recommendation.approved.v1";

/// A complete approval.
#[derive(Clone, Copy, Debug)]
pub struct Approval<'a> {
    /// Who signed, in order.
    pub by: &'a [PersonId],
    /// When the last of them did.
    pub at: Timestamp,
    /// The tier it took.
    pub tier: Tier,
    /// The rules and limits it was judged by.
    pub policy_version: &'a str,
}

/// What an event needs that the recommendation itself does not say.
#[derive(Clone, Debug)]
pub struct Terms {
    /// ISO 4217.
    pub currency: String,
    /// The name of the item's stock unit; empty where there is no item.
    pub unit: String,
    /// Where the page is: `https://reeve.example.com`.
    pub page: String,
    /// Which destination it goes to.
    pub channel: String,
    /// Until when it may be carried out.
    pub expires_at: Timestamp,
}

impl Terms {
    /// The terms of the step of a recommendation that does `action`, about an item that is counted in `unit`.
    pub fn of(config: &Config, recommendation: &Recommendation, action: &Action, unit: String) -> Self {
        Self {
            currency: config.rules.money.currency.clone(),
            unit,
            page: config.web.address(),
            channel: config.route(action.code()).to_owned(),
            expires_at: config.rules.calendar.calendar().close_of(recommendation.candidate.latest_date),
        }
    }
}

/// The ids of the messages about this content approved at `at`, one for each step in order: the receiver's idempotency keys. The
/// same approval always has the same ids; one that was undone and given again has others.
pub fn message_ids(recommendation: &Recommendation, at: Timestamp) -> Vec<String> {
    let (content, at) = (recommendation.content_hash(), at.as_millisecond().to_string());
    let id = |number: u32| match number {
        1 => content_id("msg_", &[&content, &at], 32),
        _ => content_id("msg_", &[&content, &at, &format!("step {number}")], 32),
    };
    recommendation.candidate.steps().map(|step| id(step.number)).collect()
}

/// The outbox rows for an approval, one for each step with its `terms`; they may leave from `due_at` on, when the undo window
/// has passed. None for what Reeve does itself: nobody outside is told to do it.
pub fn events_for(
    recommendation: &Recommendation,
    case: &Case,
    approval: Approval<'_>,
    terms: &[Terms],
    due_at: Timestamp,
) -> Vec<NewOutbox> {
    let ids = message_ids(recommendation, approval.at);
    let steps = recommendation.candidate.steps().zip(ids).zip(terms);
    steps.filter_map(|((step, id), terms)| event_for(recommendation, case, approval, (step, id), terms, due_at)).collect()
}

fn event_for(
    recommendation: &Recommendation,
    case: &Case,
    approval: Approval<'_>,
    (step, id): (StepRef<'_>, String),
    terms: &Terms,
    due_at: Timestamp,
) -> Option<NewOutbox> {
    let candidate = &recommendation.candidate;
    let cash = |amount| action::cash(amount, terms);
    let about = &case.subject;
    let data = Approved {
        idempotency_key: id.clone(),
        case_id: case.id.to_string(),
        case_link: link(&terms.page, &case.id),
        recommendation_id: recommendation.id.to_string(),
        content_hash: recommendation.content_hash(),
        evidence_hash: recommendation.evidence_hash.clone(),
        plan: candidate.is_plan().then(|| PlanStep { step: step.number, of: candidate.step_count() }),
        action: action::act(step.action, terms)?,
        action_name: plain_name(step.action).to_owned(),
        summary: step.summary.to_owned(),
        reason: recommendation.prose.rationale.clone(),
        // It was written to one receiver, and no other is told what it says.
        message: recommendation.prose.message.clone().filter(|_| step.number == candidate.step_of_message()),
        subject: Subject {
            item: about.item.as_ref().map(ToString::to_string),
            location: about.location.as_ref().map(ToString::to_string),
            supplier: about.supplier.as_ref().map(ToString::to_string),
            po_line: about.po_line.clone(),
            document: about.document.clone(),
        },
        value: cash(candidate.value),
        worth: Worth {
            benefit_low: cash(candidate.money.benefit.low),
            benefit: cash(candidate.money.benefit.expected),
            benefit_high: cash(candidate.money.benefit.high),
            cost: cash(candidate.money.cost),
            regret: cash(candidate.money.regret),
        },
        conditions: action::conditions(step.checks),
        latest_date: candidate.latest_date,
        expires_at: terms.expires_at,
        approved_by: approval.by.iter().map(ToString::to_string).collect(),
        approved_at: approval.at,
        tier: approval.tier.to_string(),
        policy_version: approval.policy_version.to_owned(),
        citations: candidate.cites.iter().map(ToString::to_string).collect(),
    };
    let subject = format!("recommendation/{}", recommendation.id);
    Some(NewOutbox {
        body: Outward::Approved.body(&id, &subject, approval.at, &data),
        id,
        kind: OutboxKind::Approved,
        channel: terms.channel.clone(),
        created_at: approval.at,
        due_at,
        // Messages of one case leave in order: nothing about it overtakes what was decided before.
        lane: case.id.to_string(),
        about: recommendation.id.to_string(),
        step: step.number,
        expires_at: Some(terms.expires_at),
        shows: String::new(),
    })
}

/// Tells the executor, once for each hand-off, that the ERP shows nothing of it.
pub fn not_seen(
    recommendation: &Recommendation,
    step: StepRef<'_>,
    hand_off: &str,
    channel: &str,
    page: &str,
    left: Timestamp,
    now: Timestamp,
) -> NewOutbox {
    let id = content_id("msg_", &[hand_off, "not seen"], 32);
    let data = NotSeen {
        idempotency_key: id.clone(),
        hand_off: hand_off.to_owned(),
        case_id: recommendation.case_id.to_string(),
        case_link: link(page, &recommendation.case_id),
        recommendation_id: recommendation.id.to_string(),
        action: step.action.code().to_owned(),
        summary: step.summary.to_owned(),
        handed_off_at: left,
    };
    let subject = format!("recommendation/{}", recommendation.id);
    NewOutbox {
        body: Outward::NotSeen.body(&id, &subject, now, &data),
        id,
        kind: OutboxKind::NotSeen,
        channel: channel.to_owned(),
        created_at: now,
        due_at: now,
        lane: recommendation.case_id.to_string(),
        about: recommendation.id.to_string(),
        step: step.number,
        expires_at: None,
        shows: String::new(),
    }
}

/// Tells the fallback, once for each outage, that a destination can not be reached.
pub fn stuck(told: Stuck, to: &str, now: Timestamp) -> NewOutbox {
    let id = content_id("msg_", &[&told.destination, &told.since.to_string(), "stuck"], 32);
    let subject = format!("destination/{}", told.destination);
    let data = Stuck { idempotency_key: id.clone(), ..told };
    NewOutbox {
        body: Outward::Stuck.body(&id, &subject, now, &data),
        id,
        kind: OutboxKind::Stuck,
        channel: to.to_owned(),
        created_at: now,
        due_at: now,
        lane: String::new(),
        about: String::new(),
        step: 1,
        expires_at: None,
        shows: String::new(),
    }
}

fn link(page: &str, case: &CaseId) -> String {
    format!("{page}/cases/{case}")
}

/// What a body made here says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The message's id.
    pub id: String,
    /// Of which type.
    pub kind: Outward,
    /// Which recommendation it is about; none for a notice about a destination.
    pub recommendation_id: Option<RecommendationId>,
    /// What was approved, of an approval.
    pub content_hash: Option<String>,
    /// Which message it is about, of one that says that nothing is seen of it.
    pub hand_off: Option<String>,
}

impl Envelope {
    /// Reads a body. None when it is none of ours.
    pub fn read(body: &str) -> Option<Self> {
        let event: Value = serde_json::from_str(body).ok()?;
        let text = |field: &str| event["data"][field].as_str().map(str::to_owned);
        let read = Self {
            id: event["id"].as_str()?.to_owned(),
            kind: Outward::named(event["type"].as_str()?)?,
            recommendation_id: text("recommendation_id").map(RecommendationId::new),
            content_hash: text("content_hash"),
            hand_off: text("hand_off"),
        };
        let whole = match read.kind {
            Outward::Approved => read.recommendation_id.is_some() && read.content_hash.is_some(),
            Outward::NotSeen => read.recommendation_id.is_some(),
            Outward::Stuck => true,
        };
        whole.then_some(read)
    }
}
