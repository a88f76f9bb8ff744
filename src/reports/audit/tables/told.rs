//! What the log says of each thing in the end: read once from the first entry to the last, a few words kept for each.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

use super::detectors::Detectors;
use super::writers::Writers;
use crate::domain::action::Action;
use crate::domain::audit::{AuditEntry, Chained};
use crate::domain::decision::DecisionVerb;
use crate::domain::detail::{self, Detail as _};
use crate::domain::ids::{PersonId, RecommendationId};

/// A decision as the log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) seq: i64,
    pub(super) recommendation: String,
    pub(super) at: Timestamp,
    pub(super) verb: DecisionVerb,
    pub(super) person: String,
    pub(super) content: String,
    pub(super) case: String,
    pub(super) reason: String,
    pub(super) note: String,
    /// What an approval counts, in minor units; None where the log does not say it.
    pub(super) value: Option<i64>,
    pub(super) on_behalf_of: Option<Vec<PersonId>>,
}

/// Where a recommendation stands by the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Stand {
    /// Nobody has decided it.
    #[default]
    Waiting,
    Snoozed,
    /// Set aside, or its time is over.
    Ended,
    Approved(Vec<String>),
    Rejected(String),
    /// A state after the approval, by its name.
    After(String),
}

/// What the log says of a recommendation.
#[derive(Clone, Debug, Default)]
pub(super) struct OfRecommendation {
    pub(super) stand: Stand,
    /// Whose signature waits for a second one.
    pub(super) signed: Option<String>,
    /// The hash of what it says.
    pub(super) content: Option<String>,
    /// What it is worth, in minor units, where an approval said it.
    pub(super) value: Option<i64>,
    pub(super) seq: i64,
}

/// Something that was made and may have been ended.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) seq: i64,
    pub(super) actor: String,
    pub(super) detail: Value,
    pub(super) ended: bool,
}

/// Everything that tables can be held against.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) decisions: Vec<Decided>,
    pub(super) recommendations: BTreeMap<String, OfRecommendation>,
    /// Cases: where they stand, and the entry that says so.
    pub(super) cases: BTreeMap<String, (&'static str, i64)>,
    pub(super) delegations: BTreeMap<String, Made>,
    pub(super) mutes: BTreeMap<String, Made>,
    pub(super) tokens: BTreeMap<String, Made>,
    /// Chat users and people who are linked: until when, and the entry that says so.
    pub(super) links: BTreeMap<(String, String), (Option<Timestamp>, i64)>,
    /// Messages that approvals made, with the hash of their bodies.
    pub(super) messages: BTreeMap<String, (String, i64)>,
    /// The last word on whether Reeve is stopped: who stopped it, or None where somebody ended that; and the entry that says so.
    pub(super) stop: Option<(Option<String>, i64)>,
    /// Steps of modes, each as its row should say it, and the entry that says so.
    pub(super) modes: BTreeMap<i64, (String, i64)>,
    /// What was done with versions of detectors.
    pub(super) detectors: Detectors,
    /// What was done with writers.
    pub(super) writers: Writers,
    of_case: BTreeMap<String, BTreeSet<String>>,
}

/// The state of a case that waits for people, new or in the queue.
pub(super) const UNDECIDED: &str = "undecided";

impl Told {
    /// Takes in the next entry.
    pub(super) fn hear(&mut self, chained: &Chained) {
        let (seq, entry) = (chained.seq, &chained.entry);
        let Some((kind, id)) = entry.subject.split_once(':') else { return };
        match kind {
            "recommendation" => self.recommendation(seq, id, entry),
            "case" => self.case(seq, id, entry),
            "delegation" => made(&mut self.delegations, seq, id, entry, "delegation.made"),
            "mute" => made(&mut self.mutes, seq, id, entry, "mute.made"),
            "token" => made(&mut self.tokens, seq, id, entry, "token.made"),
            "work" if entry.action == "work.stopped" => self.stop = Some((Some(entry.actor.clone()), seq)),
            "work" if entry.action == "work.resumed" => self.stop = Some((None, seq)),
            "person" => self.link(seq, id, entry),
            "model" => self.detectors.hear(seq, id, entry),
            "writer" => self.writers.hear(seq, id, entry),
            "mode" => {
                if let Some(step) = entry.detail["seq"].as_i64() {
                    self.modes.insert(step, (mode_step(entry), seq));
                }
            }
            _ => {}
        }
    }

    fn recommendation(&mut self, seq: i64, id: &str, entry: &AuditEntry) {
        let action = entry.action.as_str();
        // What is said of its messages stands under its name too, with their content.
        if !action.starts_with("recommendation.") && !action.starts_with("drill.") {
            return;
        }
        let by_stage = entry.is_by_stage();
        let case = text(&entry.detail, "case").to_owned();
        if let Some(verb) = verb_of(action).filter(|_| !by_stage) {
            self.decided(seq, id, verb, &case, entry);
        }
        let one = self.recommendations.entry(id.to_owned()).or_default();
        one.seq = seq;
        if !entry.content.is_empty() {
            one.content = Some(entry.content.clone());
        }
        if !case.is_empty() {
            self.of_case.entry(case.clone()).or_default().insert(id.to_owned());
        }
        match action {
            // It may have been set aside and come back, and then it begins without a signature.
            "recommendation.queued" => *one = OfRecommendation { stand: Stand::Waiting, signed: None, ..one.clone() },
            "recommendation.signed" => one.signed = Some(entry.actor.clone()),
            "recommendation.approved" => {
                let approval = detail::Approval::of(entry);
                one.stand = Stand::Approved(approval.by.into_iter().flatten().map(|by| by.0).collect());
                one.value = approval.value.map(|value| value.minor);
                for (message, body) in detail::Approved::of(entry).messages() {
                    self.messages.insert(message.to_owned(), (body.to_owned(), seq));
                }
                self.case_moves(&case, seq, |_| Some("decided"));
            }
            "recommendation.edited" => {
                one.stand = Stand::Ended;
                let edit = detail::Edit::of(entry);
                let new = edit.new.map(|new| new.0).unwrap_or_default();
                let content = Some(edit.new_content.unwrap_or_default());
                self.of_case.entry(case).or_default().insert(new.clone());
                let edited = OfRecommendation { content, seq, ..OfRecommendation::default() };
                self.recommendations.insert(new, edited);
            }
            "recommendation.rejected" => {
                let rejection = detail::Rejection::of(entry);
                for id in rejection.rejected.into_iter().map(|one| one.0).chain([id.to_owned()]) {
                    let one = self.recommendations.entry(id).or_default();
                    (one.stand, one.seq) = (Stand::Rejected(entry.actor.clone()), seq);
                }
                if rejection.closes_case {
                    self.case_moves(&case, seq, |_| Some("closed"));
                }
            }
            "recommendation.snoozed" => {
                one.stand = Stand::Snoozed;
                one.signed = None;
                // Everything of the case that waits is put off with it, and keeps no signature.
                for other in self.of_case.get(&case).cloned().unwrap_or_default() {
                    let one = self.recommendations.entry(other).or_default();
                    if one.stand == Stand::Waiting {
                        (one.stand, one.signed, one.seq) = (Stand::Snoozed, None, seq);
                    }
                }
                self.case_moves(&case, seq, |_| Some("snoozed"));
            }
            // By a stage it is the executor who took back what was done; by a person, a decision that is taken back.
            "recommendation.undone" if by_stage => self.settled(id, seq, "undone", &case),
            "recommendation.undone" => {
                for id in detail::Undo::of(entry).back.into_iter().map(|one| one.0).chain([id.to_owned()]) {
                    let one = self.recommendations.entry(id).or_default();
                    // A rejection that is taken back leaves the signature that stood before it.
                    let was_rejected = matches!(one.stand, Stand::Rejected(_));
                    (one.stand, one.seq) = (Stand::Waiting, seq);
                    if !was_rejected && one.signed.as_ref() == Some(&entry.actor) {
                        one.signed = None;
                    }
                }
                self.case_moves(&case, seq, |was| matches!(was, "decided" | "closed" | "snoozed").then_some(UNDECIDED));
            }
            "recommendation.superseded" | "drill.caught" | "drill.accepted" | "drill.withdrawn" => one.stand = Stand::Ended,
            "recommendation.expired" => {
                one.stand = Stand::Ended;
                self.case_moves(&case, seq, |_| Some("expired"));
            }
            "recommendation.handed_off" => {
                one.stand = Stand::After("handed_off".to_owned());
                self.superseded(detail::HandedOff::of(entry).superseded, seq);
                // As the stages do it: a case that has gone another way meanwhile stays there.
                self.case_moves(&case, seq, |was| (was == "decided").then_some("verifying"));
            }
            "recommendation.not_sent" => {
                self.superseded(detail::NotSent::of(entry).superseded, seq);
                self.settled(id, seq, "not_carried_out", &case);
            }
            "recommendation.carried_out" | "recommendation.partly" | "recommendation.not_carried_out" => {
                self.settled(id, seq, &action["recommendation.".len()..], &case);
            }
            _ => {}
        }
    }

    fn decided(&mut self, seq: i64, id: &str, verb: DecisionVerb, case: &str, entry: &AuditEntry) {
        let said = &entry.detail;
        // Only of an approval does it say what it counts; one of a mute counts nothing.
        let approval = if verb == DecisionVerb::Approve { detail::Approval::of(entry) } else { detail::Approval::default() };
        let mutes = matches!(approval.action, Some(Action::Mute { .. }));
        self.decisions.push(Decided {
            seq,
            recommendation: id.to_owned(),
            at: entry.at,
            verb,
            person: entry.actor.clone(),
            content: entry.content.clone(),
            case: case.to_owned(),
            reason: text(said, "reason").to_owned(),
            note: text(said, "note").to_owned(),
            value: if mutes { Some(0) } else { approval.value.map(|value| value.minor) },
            on_behalf_of: approval.on_behalf_of,
        });
    }

    fn case(&mut self, seq: i64, id: &str, entry: &AuditEntry) {
        let listed = list(&entry.detail, "recommendations");
        match entry.action.as_str() {
            "case.opened" => {
                self.cases.insert(id.to_owned(), (UNDECIDED, seq));
            }
            "case.shadowed" => {
                self.cases.insert(id.to_owned(), ("shadow", seq));
            }
            "case.shadow_over" => self.case_moves(id, seq, |_| Some("shadow_over")),
            "case.withdrawn" => self.case_moves(id, seq, |_| Some("withdrawn")),
            "case.woken" => {
                for one in listed {
                    let one = self.recommendations.entry(one).or_default();
                    (one.stand, one.seq) = (Stand::Waiting, seq);
                }
                self.case_moves(id, seq, |_| Some(UNDECIDED));
            }
            "case.expired" => {
                self.ended(&listed, seq);
                self.case_moves(id, seq, |_| Some("expired"));
            }
            // It only takes off what still waited. Where the case stands was told before.
            "case.cleared" => self.ended(&listed, seq),
            "case.resolved_itself" => self.case_moves(id, seq, |_| Some("resolved_itself")),
            "case.merged" => {
                let superseded = list(&entry.detail, "superseded");
                if let (true, Some(on)) = (!entry.is_by_stage(), superseded.first()) {
                    self.decided(seq, on, DecisionVerb::Merge, id, entry);
                }
                self.ended(&superseded, seq);
                self.case_moves(id, seq, |_| Some("merged"));
            }
            _ => {}
        }
    }

    /// What became of it is known, which closes its case.
    fn settled(&mut self, id: &str, seq: i64, state: &str, case: &str) {
        let one = self.recommendations.entry(id.to_owned()).or_default();
        (one.stand, one.seq) = (Stand::After(state.to_owned()), seq);
        self.case_moves(case, seq, |was| matches!(was, "decided" | "verifying").then_some("closed"));
    }

    fn superseded(&mut self, ids: Vec<RecommendationId>, seq: i64) {
        let ids: Vec<String> = ids.into_iter().map(|id| id.0).collect();
        self.ended(&ids, seq);
    }

    fn ended(&mut self, ids: &[String], seq: i64) {
        for id in ids {
            let one = self.recommendations.entry(id.clone()).or_default();
            (one.stand, one.seq) = (Stand::Ended, seq);
        }
    }

    fn case_moves(&mut self, id: &str, seq: i64, to: impl Fn(&str) -> Option<&'static str>) {
        if let Some(case) = self.cases.get_mut(id)
            && let Some(state) = to(case.0)
        {
            *case = (state, seq);
        }
    }

    fn link(&mut self, seq: i64, person: &str, entry: &AuditEntry) {
        let key = (text(&entry.detail, "chat").to_owned(), person.to_owned());
        match entry.action.as_str() {
            "identity.linked" => {
                let until = text(&entry.detail, "until").parse().ok();
                self.links.insert(key, (until, seq));
            }
            // One that a new link of the same chat to the same person replaced is told after that one, which holds.
            "identity.unlinked"
                if entry.detail["was"] != "pending" && entry.detail["replaced_for"].as_str() != Some(person) =>
            {
                self.links.remove(&key);
            }
            _ => {}
        }
    }
}

/// A step of a mode as its row says it.
fn mode_step(entry: &AuditEntry) -> String {
    let said = |key| text(&entry.detail, key);
    super::rights::step_in_words(&entry.detail["scope"], said("step"), said("mode"), &entry.actor, said("reason"))
}

fn made(all: &mut BTreeMap<String, Made>, seq: i64, id: &str, entry: &AuditEntry, begins: &str) {
    if entry.action == begins {
        let one = Made { seq, actor: entry.actor.clone(), detail: entry.detail.clone(), ended: false };
        all.insert(id.to_owned(), one);
    } else if let Some(one) = all.get_mut(id)
        && matches!(entry.action.as_str(), "delegation.ended" | "mute.ended" | "token.revoked")
    {
        one.ended = true;
        one.seq = seq;
    }
}

/// The verb under which a click is kept that the log names so.
fn verb_of(action: &str) -> Option<DecisionVerb> {
    Some(match action {
        "recommendation.approved" | "recommendation.signed" => DecisionVerb::Approve,
        "recommendation.edited" => DecisionVerb::Edit,
        "recommendation.rejected" => DecisionVerb::Reject,
        "recommendation.snoozed" => DecisionVerb::Snooze,
        "recommendation.forwarded" => DecisionVerb::Forward,
        "recommendation.returned" => DecisionVerb::Return,
        "recommendation.undone" => DecisionVerb::Undo,
        "drill.caught" | "drill.accepted" => DecisionVerb::Drill,
        _ => return None,
    })
}

fn text<'v>(detail: &'v Value, key: &str) -> &'v str {
    detail[key].as_str().unwrap_or_default()
}

fn list(detail: &Value, key: &str) -> Vec<String> {
    detail[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}
