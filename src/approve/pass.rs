//! Passing a recommendation on to somebody by name, and giving it back. Neither decides anything: whoever else may decide
//! still may.

use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::plan::{self, Plan};
use super::{Approvals, Clicked, DecisionRefused, DecisionRequest};
use crate::domain::decision::{Event, RecommendationState as State};
use crate::domain::ids::PersonId;
use crate::domain::policy::{Person, may_turn_down};
use crate::domain::recommendation::Recommendation;
use crate::store::{Notice, NoticeKind};

impl Approvals {
    /// Asks `to` by name. Refused where they could not decide anything at all.
    pub(super) async fn forward(
        &self,
        request: &DecisionRequest,
        clicked: Clicked,
        to: &PersonId,
        note: &str,
        now: Timestamp,
    ) -> Result<Plan, DecisionRefused> {
        let whom = self.person(to).map_err(|_| {
            DecisionRefused::Nowhere(format!("there is no person {to:?} in the configuration; ask somebody who is"))
        })?;
        if let Err(refusal) = may_turn_down(whom) {
            return Err(DecisionRefused::Nowhere(format!("it would be stuck there: {refusal}")));
        }
        let touched = self.touched(&clicked).await?;
        if touched.contains(to) {
            let who = &whom.name;
            return Err(DecisionRefused::Nowhere(format!(
                "{who} changed this recommendation, or it is about their own count or receipt; ask somebody else"
            )));
        }
        let from = self.name_of(&request.person);
        let day = self.today(now);
        passed(request, clicked, whom, &from, note, (now, day))
    }
}

fn passed(
    request: &DecisionRequest,
    clicked: Clicked,
    to: &Person,
    from: &str,
    note: &str,
    (now, day): (Timestamp, Date),
) -> Result<Plan, DecisionRefused> {
    let Clicked { rec, seen, case, .. } = clicked;
    let on = rec.clone();
    let mut rec = rec;
    rec.state = rec.state.after(Event::Forward { by: request.person.clone(), to: to.id.clone() }, now)?;
    let detail = json!({ "case": case.id, "to": to.id, "note": note });
    let answer = plan::answer(&rec, None, format!("Passed on to {}. Whoever else may decide still may.", to.name), now);
    let entries = vec![plan::entry(request, "recommendation.forwarded", &on, detail, now)];
    let said = told(&format!("{from} asks you to decide"), &rec.candidate.told(), note);
    let notice = Notice::new(&to.id, NoticeKind::Forwarded, &occasion(&rec, request, &day.to_string()), said, now)
        .about(&case.id, Some(&rec.id));
    Ok(Plan { notices: vec![notice], ..Plan::of(on, vec![(rec, seen)], case, entries, answer) })
}

/// Gives it back to whoever passed it on.
pub(super) fn give_back(
    request: &DecisionRequest,
    clicked: Clicked,
    note: &str,
    person: &Person,
    (now, day): (Timestamp, Date),
) -> Result<Plan, DecisionRefused> {
    let Clicked { rec, seen, case, .. } = clicked;
    let on = rec.clone();
    let mut rec = rec;
    // Before the state moves on, for afterwards it does not say any more who passed it on.
    let from = match &rec.state {
        State::Forwarded { via, .. } => via.last().cloned(),
        _ => None,
    };
    rec.state = rec.state.after(Event::Return { by: request.person.clone() }, now)?;
    let detail = json!({ "case": case.id, "to": from, "note": note });
    let answer = plan::answer(&rec, None, "Given back; it waits for a decision again.".to_owned(), now);
    let entries = vec![plan::entry(request, "recommendation.returned", &on, detail, now)];
    let said = told(&format!("{} gave this back", person.name), &rec.candidate.told(), note);
    let notices = from.iter().map(|to| {
        Notice::new(to, NoticeKind::Returned, &occasion(&rec, request, &day.to_string()), said.clone(), now)
            .about(&case.id, Some(&rec.id))
    });
    let notices = notices.collect();
    Ok(Plan { notices, ..Plan::of(on, vec![(rec, seen)], case, entries, answer) })
}

/// What tells a notice from others of its kind: passing on, taking back and passing on again on one day is one to be told of.
fn occasion<'o>(rec: &'o Recommendation, request: &'o DecisionRequest, day: &'o str) -> [&'o str; 3] {
    [rec.id.as_str(), request.person.as_str(), day]
}

fn told(what: &str, summary: &str, note: &str) -> String {
    if note.trim().is_empty() { format!("{what}: {summary}") } else { format!("{what}: {summary} They write: {note}") }
}
