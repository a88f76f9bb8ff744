//! Folding a case into another that has the same cause. What was proposed for the one is off the table; the other is
//! assessed anew with everything that is wrong in both.

use jiff::Timestamp;
use serde_json::json;

use super::plan::{self, Plan};
use super::{Approvals, Clicked, DecisionRefused, DecisionRequest, failed};
use crate::domain::case::CaseState;
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::ids::CaseId;

impl Approvals {
    /// Folds the case of the recommendation that was clicked on into `into`.
    pub(super) async fn merge(
        &self,
        request: &DecisionRequest,
        clicked: Clicked,
        into: &CaseId,
        now: Timestamp,
    ) -> Result<Plan, DecisionRefused> {
        let Clicked { rec, seen, siblings, mut case, .. } = clicked;
        if *into == case.id {
            return Err(DecisionRefused::Nowhere("a case can not be folded into itself; name the other one".to_owned()));
        }
        let Some(mut other) = self.store.find_case(into).await.map_err(failed)? else {
            return Err(DecisionRefused::Nowhere(format!("there is no case {into}; copy the id from its page")));
        };
        if !other.state.is_undecided() {
            return Err(DecisionRefused::Nowhere(format!(
                "case {into} is {} and takes nothing in any more",
                other.state.name().replace('_', " ")
            )));
        }
        // It may turn out to be worth nothing, and this one would vanish with it.
        if other.is_untold() {
            return Err(DecisionRefused::Nowhere(format!(
                "case {into} has just been found and is not drafted yet; try again in a minute"
            )));
        }
        if let CaseState::Snoozed { until, .. } = &other.state {
            return Err(DecisionRefused::Nowhere(format!(
                "case {into} is put off until {until}, and this one would vanish with it; bring it back first, or fold it into this \
                 one"
            )));
        }
        // A proposal about Reeve's own list rests on decisions, not on records: neither kind can be judged as the other.
        if case.is_mute_proposal() || other.is_mute_proposal() {
            return Err(DecisionRefused::Nowhere(
                "a proposed mute is no case of the business; reject it instead".to_owned(),
            ));
        }
        let on = rec.clone();
        let mut changed = Vec::new();
        for (mut rec, seen) in std::iter::once((rec, seen)).chain(siblings) {
            // A signature is half of a decision. Folding must not throw it away without a word of whoever gave it.
            if rec.state.first_signature().is_some() {
                return Err(DecisionRefused::Nowhere(
                    "somebody has signed a recommendation of this case; decide it, or ask them to withdraw".to_owned(),
                ));
            }
            if rec.id == on.id || rec.state.is_waiting() || matches!(rec.state, State::Drafted | State::Checked) {
                rec.state = rec.state.after(Event::Supersede, now)?;
                changed.push((rec, seen));
            }
        }
        case.state = case.state.after(CaseEvent::Merge { into: into.clone() })?;
        let seen_other = other.version;
        for exception in &case.exceptions {
            if !other.exceptions.contains(exception) {
                other.exceptions.push(exception.clone());
            }
        }
        // A loss is counted by the case that has its link, so the links go with the exceptions.
        for link in &case.links {
            if !other.links.contains(link) {
                other.links.push(link.clone());
            }
        }
        for code in &case.codes {
            if !other.codes.contains(code) {
                other.codes.push(*code);
            }
        }
        other.version += 1;
        other.updated_at = now;
        let detail = json!({
            "case": case.id,
            "into": into,
            "exceptions": case.exceptions,
            "superseded": changed.iter().map(|(r, _)| &r.id).collect::<Vec<_>>(),
        });
        let said = format!("Folded into {into}, which is assessed anew with what is wrong in both.");
        let answer = plan::answer(&changed[0].0, None, said, now);
        // Whoever reads the log of either case finds what became of it.
        let mut taken_in = plan::entry(request, "case.took_in", &on, json!({ "case": into, "from": case.id }), now);
        taken_in.subject = format!("case:{into}");
        let mut merged = plan::entry(request, "case.merged", &on, detail, now);
        merged.subject = format!("case:{}", case.id);
        let entries = vec![merged, taken_in];
        Ok(Plan { other_case: Some((other, seen_other)), ..Plan::of(on, changed, case, entries, answer) })
    }
}
