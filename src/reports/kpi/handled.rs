//! What people made of recommendations and cases: the common ground of most figures.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::rows::Rows;
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::ids::{CaseId, PersonId};
use crate::domain::recommendation::{Drafter, Recommendation};

/// States that an approval leads to.
const ACCEPTED: [&str; 7] =
    ["approved", "approved_with_edit", "handed_off", "carried_out", "partly", "not_carried_out", "undone"];

/// A recommendation that somebody decided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handled<'r> {
    pub rec: &'r Recommendation,
    /// Approved, and not rejected.
    pub accepted: bool,
    /// Why not.
    pub reason: Option<RejectReason>,
    /// When the last signature or the rejection was given.
    pub at: Timestamp,
    /// Whose it was.
    pub by: &'r PersonId,
    /// The content that was decided on.
    pub content: &'r str,
}

impl Handled<'_> {
    /// Approved, and seen done at least in part: only then can what followed be its doing.
    pub(super) fn is_done(&self, rows: &Rows) -> bool {
        self.accepted && matches!(self.rec.state.name(), "carried_out" | "partly") && !self.nobody_can_tell(rows)
    }

    /// It was handed off to an executor that does not report, and leaves no trace: whether it was done is not known.
    pub(super) fn nobody_can_tell(&self, rows: &Rows) -> bool {
        rows.outcomes.get(&self.rec.id).is_some_and(|outcome| outcome.found.nobody_can_tell)
    }

    /// Did people change it before it was approved?
    pub(super) fn is_edited(&self) -> bool {
        matches!(self.rec.drafter, Drafter::Edited { .. })
    }
}

/// Each recommendation that was approved or rejected in the period, once, by its last standing decision. A first of two
/// signatures decides nothing yet.
pub(super) fn handled(rows: &Rows) -> Vec<Handled<'_>> {
    let mut last = BTreeMap::new();
    for decision in rows.decisions.iter().filter(|d| matches!(d.verb, DecisionVerb::Approve | DecisionVerb::Reject)) {
        // They come oldest first, so the last one stays.
        last.insert(&decision.recommendation_id, decision);
    }
    let decided = last.into_iter().filter_map(|(id, decision)| {
        let rec = rows.recommendations.get(id)?;
        let state = rec.state.name();
        // By the click and by the state: a first signature is an approval by its verb, and nothing is decided yet.
        let accepted = decision.verb == DecisionVerb::Approve && ACCEPTED.contains(&state);
        let rejected = decision.verb == DecisionVerb::Reject && state == "rejected";
        (accepted || rejected).then_some(Handled {
            rec,
            accepted,
            reason: decision.reason.filter(|_| rejected),
            at: decision.at,
            by: &decision.person,
            content: &decision.content_hash,
        })
    });
    let mut decided: Vec<Handled<'_>> = decided.collect();
    decided.sort_by(|a, b| (a.at, &a.rec.id).cmp(&(b.at, &b.rec.id)));
    decided
}

/// Was the case real? By the last decision on it: an approval, and every reason but "there is no problem", says yes. What
/// says nothing about it (missing context, policy, a duplicate) is no label. What was measured at the horizon is none either: a
/// loss that did not come may never have been ahead.
pub(super) fn labels(rows: &Rows) -> BTreeMap<&CaseId, bool> {
    let mut labels = BTreeMap::new();
    for decision in handled(rows) {
        let real = match decision.reason {
            Some(RejectReason::NotReal) => Some(false),
            Some(RejectReason::MissingContext | RejectReason::Policy | RejectReason::Duplicate) => None,
            None | Some(_) => Some(true),
        };
        if let Some(real) = real {
            labels.insert(&decision.rec.case_id, real);
        }
    }
    labels
}

/// Cases shown in a digest of the period, with the moment of the first digest that ever showed them.
pub(super) fn shown(rows: &Rows) -> BTreeMap<&CaseId, Timestamp> {
    let mut shown = BTreeMap::new();
    for (digest, made) in &rows.digests {
        for line in &digest.lines {
            shown.entry(&line.case_id).or_insert_with(|| rows.shown_before.get(&line.case_id).copied().unwrap_or(*made));
        }
    }
    shown
}

/// What a measured outcome says: the loss that was expected without the action, the loss that came, and the benefit.
pub(super) struct Measured {
    pub predicted: f64,
    pub actual: f64,
    pub benefit: f64,
}

/// What was measured of a recommendation at its horizon, in units of the currency; None where it was not, or the records can
/// not tell.
pub(super) fn measured(rows: &Rows, rec: &Recommendation) -> Option<Measured> {
    let measured = rows.outcomes.get(&rec.id)?.found.measured.as_ref()?;
    Some(Measured {
        predicted: measured.predicted_loss.to_f64(),
        actual: measured.actual_loss?.to_f64(),
        benefit: measured.benefit?.to_f64(),
    })
}
