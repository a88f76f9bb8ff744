//! What changes no loss: watching, doing nothing, asking for judgement.

use reeve_domain::action::{Action, Candidate};

use super::gathered::{Gathered, Proposal};
use super::rank::{self, Age};

/// Days for which an action that is never too late is offered.
const OPEN_END_DAYS: i32 = 21;

/// Watching, doing nothing and asking for judgement: none of them changes the loss.
pub(super) fn actions(
    gathered: &Gathered<'_>,
    candidates: &[Candidate],
    ages: &[Age],
    abstain: Option<&str>,
) -> Vec<Proposal> {
    let mut idle = Vec::new();
    // Closing a case is never too late, but an open card must end some day.
    let open_end = gathered.today_plus(OPEN_END_DAYS);
    if let (Some(condition), Some(until)) = (&gathered.watch, rank::watch_until(gathered, candidates, ages)) {
        idle.push(Proposal::idle(
            Action::Monitor { condition: condition.clone(), until },
            format!("Watch until {until} whether {condition}."),
            until,
        ));
    }
    // What a detector found unclear names who knows; where only the figures do not decide, a planner does.
    let to = || gathered.unclear.as_ref().map_or("planner", |(_, to)| to.as_str()).to_owned();
    let unclear = abstain.map(str::to_owned).or_else(|| gathered.unclear.as_ref().map(|(what, _)| what.clone()));
    if let Some(unclear) = unclear {
        let to = to();
        let summary = format!("Ask {to} to judge: {unclear}.");
        idle.push(Proposal::idle(Action::Escalate { unclear, to }, summary, open_end));
    }
    // Doing nothing is always an answer: people must be able to close a case with a reason.
    let reason = if gathered.parts.values().any(|p| p.amount.expected.minor > 0) {
        "no action is worth its cost"
    } else {
        "nothing is at stake"
    };
    idle.push(Proposal::idle(
        Action::NoAction { reason: reason.into() },
        "Do nothing and close the case with an explanation.".into(),
        open_end,
    ));
    idle
}
