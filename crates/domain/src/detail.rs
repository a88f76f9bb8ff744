//! What entries of the audit log keep beside who did what, where Reeve itself reads it back: to hold the tables against the
//! log, to send only what was approved, to tell why something never left.
//!
//! Whoever writes such an entry and whoever reads it use the same type, so that a field can not be renamed on one side only. An
//! entry may hold more than its type says (whose hand it was, the operating system's user), and one of an earlier release may
//! hold less: what is missing reads as absent. Entries that are only shown are told from their JSON as it is.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::action::Action;
use super::audit::AuditEntry;
use super::decision::RejectReason;
use super::ids::{CaseId, PersonId, RecommendationId};
use super::money::Money;
use super::policy::Tier;

/// A detail that is read back.
pub trait Detail: Serialize + for<'de> Deserialize<'de> + Default {
    /// The detail as the log keeps it.
    fn to_json(&self) -> Value {
        serde_json::to_value(self).expect("details have no maps with keys that are not text")
    }

    /// What an entry says. One that says something else says nothing: it was not written by whoever writes these.
    fn of(entry: &AuditEntry) -> Self {
        Self::deserialize(&entry.detail).unwrap_or_default()
    }
}

/// Of `recommendation.approved` and `recommendation.signed`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Approval {
    /// Of which case.
    pub case: Option<CaseId>,
    /// The hash of the evidence that it rests on.
    pub evidence: String,
    /// What was approved; of a plan, its first step.
    pub action: Option<Action>,
    /// Of a plan, its further steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then_actions: Vec<Action>,
    /// What it commits, writes off or claims.
    pub value: Option<Money>,
    /// What the limits were compared with.
    pub counted: Option<Money>,
    /// The tier that it took.
    pub tier: Option<Tier>,
    /// Every rule that mattered, in words.
    pub because: Vec<String>,
    /// For whom, nearest first, where somebody stood in.
    pub on_behalf_of: Option<Vec<PersonId>>,
    /// The version of the policy that it was judged by.
    pub policy: String,
    /// Who signed, first one first, once it is approved; none of a first signature.
    pub by: Option<Vec<PersonId>>,
    /// The message that it makes; of a plan, that of its first step.
    pub outbox: Option<String>,
    /// The hash of that message's body: what leaves must be this, byte for byte.
    pub body: Option<String>,
    /// Of a plan, the messages of its further steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Approved>,
}

/// The part of an [`Approval`] that a message is held against before it leaves. Read by itself, so that nothing else that an
/// approval says can come between it and what it approved.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Approved {
    /// The message that it makes.
    pub outbox: Option<String>,
    /// The hash of that message's body.
    pub body: Option<String>,
    /// Of a plan, the messages of its further steps.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then: Vec<Self>,
}

impl Approved {
    /// Every message that the approval makes, with the hash of its body.
    pub fn messages(&self) -> impl Iterator<Item = (&str, &str)> {
        let all = std::iter::once(self).chain(&self.then);
        all.filter_map(|one| Some((one.outbox.as_deref()?, one.body.as_deref()?)))
    }
}

/// The part of an [`Edit`] that says which recommendation came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Became {
    /// The recommendation that took its place.
    pub new: Option<RecommendationId>,
}

/// Of `recommendation.edited`, which stands under the recommendation that was edited.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Edit {
    /// Of which case.
    pub case: Option<CaseId>,
    /// The hash of the evidence that it rests on.
    pub evidence: String,
    /// Which step of a plan, from 1; the first where it does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub step: Option<u32>,
    /// What it said.
    pub from: Option<Action>,
    /// What it says now.
    pub to: Option<Action>,
    /// What changed, in words.
    pub changes: Vec<String>,
    /// The recommendation that took its place.
    pub new: Option<RecommendationId>,
    /// The hash of what that one says.
    pub new_content: Option<String>,
    /// What the new one commits, writes off or claims.
    pub value: Option<Money>,
}

/// Of `recommendation.rejected`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rejection {
    /// Of which case.
    pub case: Option<CaseId>,
    /// The hash of the evidence that it rests on.
    pub evidence: String,
    /// Why.
    pub reason: Option<RejectReason>,
    /// What was written beside it. Text from outside.
    pub note: String,
    /// Did it close the case?
    pub closes_case: bool,
    /// All that it rejected, the one that was clicked on first.
    pub rejected: Vec<RecommendationId>,
}

/// Of `recommendation.undone` by a person.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Undo {
    /// Of which case.
    pub case: Option<CaseId>,
    /// The state that was taken back, by name.
    pub undone: String,
    /// The message that does not leave for it; of a plan, that of its first step.
    pub outbox: Option<String>,
    /// Of a plan, the messages of its further steps, which do not leave either.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub then_outbox: Vec<String>,
    /// All that wait again.
    pub back: Vec<RecommendationId>,
}

/// Of `recommendation.handed_off`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct HandedOff {
    /// Of which case.
    pub case: Option<CaseId>,
    /// To which destination.
    pub to: String,
    /// The message that left.
    pub message: String,
    /// What else the case proposed.
    pub superseded: Vec<RecommendationId>,
}

/// Of `recommendation.not_sent`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct NotSent {
    /// Of which case.
    pub case: Option<CaseId>,
    /// The message that does not leave.
    pub message: String,
    /// Why, in words for people.
    pub because: Option<String>,
    /// What else the case proposed.
    pub superseded: Vec<RecommendationId>,
}

/// The log's entry of a step of a plan that was settled.
pub const STEP_SETTLED: &str = "recommendation.step_settled";

/// Of [`STEP_SETTLED`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct StepSettled {
    /// Of which case.
    pub case: Option<CaseId>,
    /// Which step, from 1.
    pub step: u32,
    /// The name of the state that it is in now.
    pub state: String,
    /// By what that is known, in words for people.
    pub seen: String,
}

impl Detail for StepSettled {}
impl Detail for Approval {}
impl Detail for Approved {}
impl Detail for Became {}
impl Detail for Edit {}
impl Detail for Rejection {}
impl Detail for Undo {}
impl Detail for HandedOff {}
impl Detail for NotSent {}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn entry(detail: Value) -> AuditEntry {
        AuditEntry {
            at: jiff::Timestamp::UNIX_EPOCH,
            actor: "ada".to_owned(),
            channel: "web".to_owned(),
            action: "recommendation.approved".to_owned(),
            subject: "recommendation:r-1".to_owned(),
            content: String::new(),
            detail,
        }
    }

    /// What somebody approved leaves, whatever later releases make of the rest of the entry.
    #[test]
    fn what_is_held_against_a_message_needs_nothing_else_of_its_entry() {
        let odd = json!({ "action": {"code": "UNHEARD-OF"}, "tier": 7, "outbox": "msg_1", "body": "abc", "new": "r-2" });
        let approved = Approved { outbox: Some("msg_1".to_owned()), body: Some("abc".to_owned()), then: Vec::new() };
        assert_eq!(Approved::of(&entry(odd.clone())), approved);
        assert_eq!(Became::of(&entry(odd)).new, Some(RecommendationId::new("r-2")));
    }

    /// As the release before wrote them.
    #[test]
    fn details_of_the_last_release_are_read_and_written_as_they_were() {
        let approval = json!({
            "case": "c-1", "evidence": "e1", "action": {"code": "NO-ACTION", "reason": "none"}, "value": 1200,
            "counted": 2400, "tier": "T2", "because": ["value above 1,000.00"], "on_behalf_of": [], "policy": "p1",
            "by": ["ada", "bob"], "outbox": "msg_1", "body": "abc",
        });
        assert_eq!(Approval::of(&entry(approval.clone())).to_json(), approval);
        let signed = json!({
            "case": "c-1", "evidence": "e1", "action": {"code": "NO-ACTION", "reason": "none"}, "value": 1200,
            "counted": 2400, "tier": "T3", "because": [], "on_behalf_of": ["dan"], "policy": "p1",
            "by": null, "outbox": null, "body": null,
        });
        assert_eq!(Approval::of(&entry(signed.clone())).to_json(), signed);
        let rejection = json!({
            "case": "c-1", "evidence": "e1", "reason": "wrong-supplier-or-location", "note": "", "closes_case": false,
            "rejected": ["r-1"],
        });
        assert_eq!(Rejection::of(&entry(rejection.clone())).to_json(), rejection);
        let undo = json!({ "case": "c-1", "undone": "approved", "outbox": "msg_1", "back": ["r-1"] });
        assert_eq!(Undo::of(&entry(undo.clone())).to_json(), undo);
        let left = json!({ "case": "c-1", "to": "webhook", "message": "msg_1", "superseded": ["r-2"] });
        assert_eq!(HandedOff::of(&entry(left.clone())).to_json(), left);
        let unsent = json!({ "case": "c-1", "message": "msg_1", "because": "done by phone", "superseded": [] });
        assert_eq!(NotSent::of(&entry(unsent.clone())).to_json(), unsent);
    }

    #[test]
    fn more_and_less_than_the_type_says_can_be_read_and_what_is_none_of_it_says_nothing() {
        let more = json!({ "because": "late", "hand": "own", "os_user": "eve" });
        assert_eq!(NotSent::of(&entry(more)).because.as_deref(), Some("late"));
        assert_eq!(NotSent::of(&entry(json!(null))), NotSent::default());
        assert_eq!(NotSent::of(&entry(json!({ "because": 7 }))), NotSent::default());
    }
}
