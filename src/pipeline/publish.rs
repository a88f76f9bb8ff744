//! The event that tells the outside about an approved recommendation: a CloudEvents 1.0 envelope in JSON.
//!
//! The body is made once, in the transaction of the approval, and never again: what was approved is what leaves. Signing and
//! headers are the sender's.

use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::domain::case::Case;
use crate::domain::ids::{PersonId, RecommendationId, content_id};
use crate::domain::money::Money;
use crate::domain::policy::Tier;
use crate::domain::recommendation::Recommendation;
use crate::store::NewOutbox;

/// The outbox channel of approved recommendations.
pub const CHANNEL: &str = "webhook";

/// The event's type; it changes when the meaning of a field does.
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

/// The id of the message about this content approved at `at`: the receiver's idempotency key. The same approval always has
/// the same id; one that was undone and given again is another.
pub fn message_id(recommendation: &Recommendation, at: Timestamp) -> String {
    content_id("msg_", &[&recommendation.content_hash(), &at.as_millisecond().to_string()], 32)
}

/// The outbox row for an approval; it may leave from `due_at` on, when the undo window has passed.
pub fn event_for(
    recommendation: &Recommendation,
    case: &Case,
    approval: Approval<'_>,
    currency: &str,
    due_at: Timestamp,
) -> NewOutbox {
    let id = message_id(recommendation, approval.at);
    let event = json!({
        "specversion": "1.0",
        "id": id,
        "source": "reeve",
        "type": APPROVED,
        "subject": format!("recommendation/{}", recommendation.id),
        "time": approval.at.to_string(),
        "datacontenttype": "application/json",
        "data": {
            "case_id": case.id,
            "recommendation_id": recommendation.id,
            "content_hash": recommendation.content_hash(),
            "evidence_hash": recommendation.evidence_hash,
            "action": recommendation.candidate.action,
            "summary": recommendation.candidate.summary,
            "value": plain(recommendation.candidate.value),
            "currency": currency,
            "approved_by": approval.by,
            "approved_at": approval.at.to_string(),
            "tier": approval.tier,
            "policy_version": approval.policy_version,
        },
    });
    NewOutbox { id, channel: CHANNEL.to_owned(), body: event.to_string(), created_at: approval.at, due_at }
}

/// An amount as a decimal text without grouping: `1234.50`.
fn plain(amount: Money) -> String {
    Decimal::new(amount.minor, 2).to_string()
}

/// What a body of [`event_for`] says it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The message's id.
    pub id: String,
    /// Which recommendation was approved.
    pub recommendation_id: RecommendationId,
    /// With which content.
    pub content_hash: String,
}

impl Envelope {
    /// Reads a body. None when it is none of [`event_for`]'s.
    pub fn read(body: &str) -> Option<Self> {
        let event: Value = serde_json::from_str(body).ok()?;
        Some(Self {
            id: event["id"].as_str()?.to_owned(),
            recommendation_id: RecommendationId::new(event["data"]["recommendation_id"].as_str()?),
            content_hash: event["data"]["content_hash"].as_str()?.to_owned(),
        })
    }
}
