//! What a decision changes, worked out before anything is written. Pure: the store takes the whole plan or none of it.

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::Clicked;
use super::request::{DecisionAnswer, DecisionRefused, DecisionRequest};
use crate::domain::action::Action;
use crate::domain::audit::AuditEntry;
use crate::domain::case::Case;
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::{Event, RecommendationState as State, RejectReason, WakeCondition};
use crate::domain::detail::{self, Detail as _};
use crate::domain::ids::{PersonId, content_hash};
use crate::domain::money::Money;
use crate::domain::policy::{Ruling, Signer};
use crate::domain::recommendation::{Drafter, Recommendation};
use crate::pipeline::publish::{self, Approval, Terms};
use crate::store::{About, NewOutbox, Notice};

/// Everything one decision changes.
pub(super) struct Plan {
    /// The recommendation clicked on, as it was.
    pub(super) on: Recommendation,
    /// Recommendations in their new state, with the version read.
    pub(super) changed: Vec<(Recommendation, i64)>,
    /// A new one, from an edit.
    pub(super) added: Option<Recommendation>,
    /// The case in its new state; its version is the one read.
    pub(super) case: Case,
    /// What is to leave when the undo window has passed: a message for each step.
    pub(super) outbox: Vec<NewOutbox>,
    /// Outbox rows that must not leave.
    pub(super) cancel: Vec<String>,
    /// The case that takes this one in, in its new state, with the version read.
    pub(super) other_case: Option<(Case, i64)>,
    /// Whom to tell.
    pub(super) notices: Vec<Notice>,
    pub(super) entries: Vec<AuditEntry>,
    /// How many decisions there were when the limits were added up, where they were.
    pub(super) decisions_seen: Option<i64>,
    /// How many mutes there were when it was weighed, and how many of them had been ended, where it mutes.
    pub(super) mutes_seen: Option<(i64, i64)>,
    /// How many delegations there were when it was judged, and how many of them had been ended.
    pub(super) delegations_seen: Option<(i64, i64)>,
    /// The item and the supplier that each step of what is approved counts by, as the records say.
    pub(super) about: Vec<About>,
    /// For whom the decision was made, nearest first, where somebody stood in.
    pub(super) on_behalf_of: Vec<PersonId>,
    pub(super) answer: DecisionAnswer,
}

impl Plan {
    /// What every decision has.
    pub(super) fn of(
        on: Recommendation,
        changed: Vec<(Recommendation, i64)>,
        case: Case,
        entries: Vec<AuditEntry>,
        answer: DecisionAnswer,
    ) -> Self {
        Self {
            on,
            changed,
            added: None,
            case,
            outbox: Vec::new(),
            cancel: Vec::new(),
            other_case: None,
            notices: Vec::new(),
            entries,
            decisions_seen: None,
            mutes_seen: None,
            delegations_seen: None,
            about: Vec::new(),
            on_behalf_of: Vec::new(),
            answer,
        }
    }
}

/// By which rules an approval was judged.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub(super) ruling: &'a Ruling,
    pub(super) signer: &'a Signer,
    pub(super) policy_version: &'a str,
    /// On which each step leaves, in order.
    pub(super) terms: &'a [Terms],
}

/// A person signs: the first of two signatures, or the approval itself.
///
/// Siblings stay as they are until the undo window has passed, so that an undo restores the case exactly; nobody can approve
/// them meanwhile, since the case is decided.
pub(super) fn approve(
    request: &DecisionRequest,
    clicked: Clicked,
    event: Event,
    judged: Judged<'_>,
    window: SignedDuration,
    now: Timestamp,
) -> Result<Plan, DecisionRefused> {
    let Clicked { rec, seen, siblings, mut case, .. } = clicked;
    let same_facts = |r: &Recommendation| r.evidence_hash == rec.evidence_hash;
    if siblings.iter().any(|(r, _)| same_facts(r) && is_released(&r.state)) {
        return Err(DecisionRefused::BadRequest("another proposal of this case is approved already".to_owned()));
    }
    let on = rec.clone();
    let tier = judged.ruling.tier;
    let mut rec = rec;
    rec.state = rec.state.after(event, now)?;
    let leaves = now.checked_add(window).unwrap_or(Timestamp::MAX);
    // Two steps on one thing would each pass their checks, and one trace in the ERP would count for both.
    if let Some(why) = rec.candidate.clash() {
        return Err(DecisionRefused::BadRequest(format!(
            "a plan of {} can not be approved: {why}; reject it",
            rec.candidate.codes()
        )));
    }
    // What could only leave after it has expired would be acknowledged and never arrive.
    if let Some(until) = judged.terms.iter().map(|terms| terms.expires_at).min()
        && rec.candidate.action.is_for_the_outside()
        && until <= leaves
    {
        return Err(DecisionRefused::BadRequest(format!(
            "it can be carried out until {until} only, and would leave after that; do it by hand, and reject it as already handled"
        )));
    }
    let by = match &rec.state {
        State::Approved { by, .. } | State::ApprovedWithEdit { by, .. } => Some(by.clone()),
        _ => None,
    };
    // The first of two signatures decides nothing: the case stays open and no message is made.
    let mut outbox = Vec::new();
    let said = if let Some(by) = &by {
        case.state = case.state.after(CaseEvent::Approve)?;
        let approval = Approval { by, at: now, tier: judged.ruling.tier, policy_version: judged.policy_version };
        outbox = publish::events_for(&rec, &case, approval, judged.terms, leaves);
        let steps = rec.candidate.step_count();
        let what = if steps > 1 { format!("All {steps} steps leave") } else { "It leaves".to_owned() };
        format!("Approved ({tier}). {what} at {leaves}; until then it can be undone.")
    } else {
        format!("Signed. {tier} takes a second person; nothing leaves before.")
    };
    // What leaves must be this, byte for byte.
    let mut messages = outbox.iter().map(|message| detail::Approved {
        outbox: Some(message.id.clone()),
        body: Some(content_hash(&[&message.body])),
        then: Vec::new(),
    });
    let first = messages.next().unwrap_or_default();
    let on_behalf_of: Vec<PersonId> = judged.signer.on_behalf_of.iter().map(|p| p.id.clone()).collect();
    let detail = detail::Approval {
        case: Some(case.id.clone()),
        evidence: rec.evidence_hash.clone(),
        action: Some(rec.candidate.action.clone()),
        then_actions: rec.candidate.then.iter().map(|step| step.action.clone()).collect(),
        value: Some(rec.candidate.value),
        counted: Some(judged.ruling.counted),
        tier: Some(tier),
        because: judged.ruling.because.clone(),
        on_behalf_of: Some(on_behalf_of.clone()),
        policy: judged.policy_version.to_owned(),
        by: by.clone(),
        outbox: first.outbox,
        body: first.body,
        then: messages.collect(),
    };
    let name = if by.is_some() { "recommendation.approved" } else { "recommendation.signed" };
    let answer = DecisionAnswer {
        recommendation_id: rec.id.clone(),
        state: rec.state.name().to_owned(),
        tier: Some(tier),
        because: judged.ruling.because.clone(),
        counted: judged.ruling.counted,
        needs_second: by.is_none(),
        undo_until: by.is_some().then_some(leaves),
        said,
        at: now,
    };
    let entries = vec![entry(request, name, &on, detail.to_json(), now)];
    Ok(Plan { outbox, on_behalf_of, ..Plan::of(on, vec![(rec, seen)], case, entries, answer) })
}

/// A person changes quantity or dates: the old content can no longer be approved, the new one waits for somebody else.
pub(super) fn edit(
    request: &DecisionRequest,
    clicked: Clicked,
    mut edited: Recommendation,
    step: u32,
    changes: &[String],
    now: Timestamp,
) -> Result<Plan, DecisionRefused> {
    let Clicked { rec, seen, mut case, .. } = clicked;
    let on = rec.clone();
    if !rec.state.is_before_people() {
        return Err(DecisionRefused::BadEdit(format!("it is {} and can not be edited", rec.state.name().replace('_', " "))));
    }
    // A new recommendation in place of a changed one, so that a click on the old content finds it gone.
    let mut old = rec;
    old.state = old.state.after(Event::Supersede, now)?;
    // Its hard checks were made a moment ago, for this click; it need not wait for the stage that queues.
    edited.state = edited.state.after(Event::Check, now)?.after(Event::Queue, now)?;
    case.state = case.state.after(CaseEvent::Propose)?;
    let detail = detail::Edit {
        case: Some(case.id.clone()),
        evidence: on.evidence_hash.clone(),
        step: (step > 1).then_some(step),
        from: on.candidate.step(step).map(|step| step.action.clone()),
        to: edited.candidate.step(step).map(|step| step.action.clone()),
        changes: changes.to_vec(),
        new: Some(edited.id.clone()),
        new_content: Some(edited.content_hash()),
        value: Some(edited.candidate.value),
    };
    let answer = DecisionAnswer {
        recommendation_id: edited.id.clone(),
        state: edited.state.name().to_owned(),
        tier: None,
        because: Vec::new(),
        counted: Money::ZERO,
        needs_second: true,
        undo_until: None,
        said: format!("Changed: {}. Somebody else has to approve it now.", changes.join(", ")),
        at: now,
    };
    let entries = vec![entry(request, "recommendation.edited", &on, detail.to_json(), now)];
    Ok(Plan { added: Some(edited), ..Plan::of(on, vec![(old, seen)], case, entries, answer) })
}

/// A person refuses this action, or the whole case when the reason says so.
pub(super) fn reject(
    request: &DecisionRequest,
    clicked: Clicked,
    reason: RejectReason,
    note: &str,
    window: SignedDuration,
    now: Timestamp,
) -> Result<Plan, DecisionRefused> {
    // The one reason that says nothing without words.
    if reason == RejectReason::MissingContext && note.trim().is_empty() {
        return Err(DecisionRefused::BadRequest("say what context is missing".into()));
    }
    let Clicked { rec, seen, siblings, mut case, hidden } = clicked;
    let on = rec.clone();
    let event = Event::Reject { by: request.person.clone(), reason };
    let mut changed = Vec::new();
    let mut left = 0;
    for (mut other, seen) in siblings {
        if reason.closes_case() && other.state.is_waiting() {
            other.state = other.state.after(event.clone(), now)?;
            changed.push((other, seen));
        } else if other.state.is_waiting() && !hidden.contains(&other.id) {
            // A drill and what it stands for count as the one that is shown.
            left += 1;
        }
    }
    let mut rec = rec;
    rec.state = rec.state.after(event, now)?;
    changed.insert(0, (rec, seen));
    let closes = left == 0;
    if closes {
        case.state = case.state.after(CaseEvent::Refuse)?;
    }
    let detail = detail::Rejection {
        case: Some(case.id.clone()),
        evidence: on.evidence_hash.clone(),
        reason: Some(reason),
        note: note.to_owned(),
        closes_case: closes,
        rejected: changed.iter().map(|(r, _)| r.id.clone()).collect(),
    };
    let undo_until = now.checked_add(window).ok();
    let said = if closes {
        "Rejected; the case is closed.".to_owned()
    } else {
        format!("Rejected; {left} other proposals of the case stay.")
    };
    let answer = answer(&changed[0].0, undo_until, said, now);
    let entries = vec![entry(request, "recommendation.rejected", &on, detail.to_json(), now)];
    Ok(Plan::of(on, changed, case, entries, answer))
}

/// A person puts the case off: everything of it that waits.
pub(super) fn snooze(
    request: &DecisionRequest,
    clicked: Clicked,
    until: Date,
    wake: WakeCondition,
    now: Timestamp,
) -> Result<Plan, DecisionRefused> {
    let Clicked { rec, seen, siblings, mut case, .. } = clicked;
    let on = rec.clone();
    let event = Event::Snooze { by: request.person.clone(), until, wake };
    let mut changed = Vec::new();
    for (mut other, seen) in std::iter::once((rec, seen)).chain(siblings) {
        if other.id == on.id || other.state.is_waiting() {
            other.state = other.state.after(event.clone(), now)?;
            changed.push((other, seen));
        }
    }
    // What it is worth and holds today: "has it grown" and "has it changed its stage" are asked beside this.
    let value_then = case.rank.as_ref().map_or(Money::ZERO, |r| r.value.expected);
    let codes_then = case.codes.clone();
    case.state = case.state.after(CaseEvent::Snooze { until, wake, value_then, codes_then })?;
    let detail = json!({ "case": case.id, "until": until, "wake": wake, "value_then": value_then });
    let answer = answer(&changed[0].0, None, format!("Put off until {until}."), now);
    let entries = vec![entry(request, "recommendation.snoozed", &on, detail, now)];
    Ok(Plan::of(on, changed, case, entries, answer))
}

/// A person takes back a decision: the case is as it was before it.
pub(super) fn undo(
    request: &DecisionRequest,
    clicked: Clicked,
    window: SignedDuration,
    now: Timestamp,
) -> Result<Plan, DecisionRefused> {
    let Clicked { rec, seen, siblings, mut case, .. } = clicked;
    let on = rec.clone();
    // Another proposal of the case is approved and on its way: what is taken back now must not open the case beside it.
    if decided(&on.state).is_none_or(|(_, what, _)| what == "rejected")
        && siblings.iter().any(|(r, _)| is_released(&r.state))
    {
        return Err(DecisionRefused::BadRequest(
            "another proposal of this case is approved; undo that first, while it can be".to_owned(),
        ));
    }
    let event = Event::Undo { by: request.person.clone(), window };
    let cancel = match &on.state {
        State::Approved { at, .. } | State::ApprovedWithEdit { at, .. } => publish::message_ids(&on, *at),
        _ => Vec::new(),
    };
    let mut rec = rec;
    rec.state = rec.state.after(event.clone(), now)?;
    let mut changed = vec![(rec, seen)];
    for (mut other, seen) in siblings {
        // One click may have rejected or put off all that the case proposed; then all of it comes back.
        if same_click(&on.state, &other.state) {
            other.state = other.state.after(event.clone(), now)?;
            changed.push((other, seen));
        }
    }
    // A case that has gone another way since (it resolved itself, it was merged) stays where it is.
    case.state = case.state.after(CaseEvent::Undo)?;
    let detail = detail::Undo {
        case: Some(case.id.clone()),
        undone: on.state.name().to_owned(),
        outbox: cancel.first().cloned(),
        then_outbox: cancel.iter().skip(1).cloned().collect(),
        back: changed.iter().map(|(r, _)| r.id.clone()).collect(),
    };
    let answer = answer(&changed[0].0, None, "Undone; it waits for a decision again.".to_owned(), now);
    let entries = vec![entry(request, "recommendation.undone", &on, detail.to_json(), now)];
    Ok(Plan { cancel, ..Plan::of(on, changed, case, entries, answer) })
}

/// Approved, with or without having left: whatever else the case proposes is off the table.
pub(super) fn is_released(state: &State) -> bool {
    matches!(
        state,
        State::Approved { .. }
            | State::ApprovedWithEdit { .. }
            | State::HandedOff
            | State::CarriedOut
            | State::Partly
            | State::NotCarriedOut
    )
}

/// Did one click bring both there? A rejection can close a whole case, and a snooze always puts all of it off.
fn same_click(one: &State, other: &State) -> bool {
    match (one, other) {
        (State::Rejected { at, by, .. }, State::Rejected { at: then, by: who, .. }) => at == then && by == who,
        (State::Snoozed { .. }, State::Snoozed { .. }) => true,
        _ => false,
    }
}

pub(super) fn answer(rec: &Recommendation, undo_until: Option<Timestamp>, said: String, now: Timestamp) -> DecisionAnswer {
    DecisionAnswer {
        recommendation_id: rec.id.clone(),
        state: rec.state.name().to_owned(),
        tier: None,
        because: Vec::new(),
        counted: Money::ZERO,
        needs_second: false,
        undo_until,
        said,
        at: now,
    }
}

pub(super) fn entry(
    request: &DecisionRequest,
    action: &str,
    on: &Recommendation,
    detail: Value,
    now: Timestamp,
) -> AuditEntry {
    AuditEntry::by(request.person.as_str(), &request.channel, now, action, format!("recommendation:{}", on.id))
        .on(on.content_hash())
        .with(detail)
}

/// A person's approval of this content, edited or not.
pub(super) fn approval(rec: &Recommendation, by: PersonId, on_behalf_of: Vec<PersonId>, needs_second: bool) -> Event {
    match &rec.drafter {
        Drafter::Edited { .. } => {
            Event::ApproveEdited { by, on_behalf_of, needs_second, action: Box::new(rec.candidate.action.clone()) }
        }
        Drafter::Playbook { .. } | Drafter::Model { .. } => Event::Approve { by, on_behalf_of, needs_second },
    }
}

/// Who decided, what and when, as far as the state tells.
pub(super) fn decided(state: &State) -> Option<(Vec<PersonId>, &'static str, Timestamp)> {
    match state {
        State::Approved { by, at, .. } => Some((by.clone(), "approved", *at)),
        State::ApprovedWithEdit { by, at, .. } => Some((by.clone(), "approved the edited version of", *at)),
        State::Rejected { by, at, .. } => Some((vec![by.clone()], "rejected", *at)),
        _ => None,
    }
}

/// Item and supplier that an action of a case is about: what its value counts together with.
pub(super) fn about(case: &Case, action: &Action) -> About {
    let (item, supplier) = (action.item(), action.supplier());
    About {
        item: item.or(case.subject.item.as_ref()).cloned(),
        supplier: supplier.or(case.subject.supplier.as_ref()).cloned(),
    }
}
