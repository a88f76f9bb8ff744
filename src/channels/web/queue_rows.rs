//! A case as one row of a list: in the queue, and on the pages of items and suppliers.

use serde::Serialize;

use super::batch_page::{PICK, waits};
use crate::cards::names::{Code, Names, lane_mark, state_text};
use crate::cards::plain;
use crate::domain::case::{Case, Rank};
use crate::domain::digest::DigestLine;
use crate::domain::recommendation::Recommendation;
use crate::render::left_to_decide;

/// What a row shows.
#[derive(Serialize)]
pub(super) struct Row {
    id: String,
    place: Option<u32>,
    headline: String,
    subject: String,
    codes: Vec<Code>,
    state: &'static str,
    state_text: String,
    marks: Vec<&'static str>,
    at_stake: Option<String>,
    worth: String,
    left: String,
    urgent: bool,
    action: String,
    recommendation: String,
    /// The box by which it is picked for deciding several, where it waits for a decision.
    pick: Option<String>,
}

/// The row of a case: with its line of the newest digest, where it has one, and with what can be done first.
pub(super) fn row(case: &Case, line: Option<&DigestLine>, first: Option<&Recommendation>, names: &Names) -> Row {
    let rank: Option<&Rank> = case.rank.as_ref();
    let mut marks: Vec<&'static str> = rank.iter().filter_map(|r| lane_mark(r.lane)).collect();
    if case.is_mute_proposal() {
        marks.push("proposal");
    }
    if line.is_some_and(|line| line.sampled) {
        marks.push("random check");
    }
    if line.is_some_and(|line| line.new) {
        marks.push("new");
    }
    Row {
        id: case.id.to_string(),
        place: line.map(|line| line.place),
        headline: plain(&case.headline),
        subject: names.subject(&case.subject),
        codes: case.codes.iter().map(|c| Code::of(*c)).collect(),
        state: case.state.name(),
        state_text: state_text(&case.state),
        marks,
        at_stake: rank.map(|r| r.at_stake.to_string()),
        worth: rank.map_or_else(String::new, |r| r.value.expected.to_string()),
        left: rank.map_or_else(String::new, |r| left_to_decide(r.slack_days, r.value.expected)),
        // Less than a day: by tomorrow's digest it is too late.
        urgent: rank.is_some_and(|r| r.slack_days < 1.0),
        action: first.map(|r| r.candidate.codes()).unwrap_or_default(),
        pick: first.filter(|r| waits(&r.state)).map(|r| format!("{PICK}{}", r.id)),
        recommendation: first.map_or_else(String::new, |r| plain(&r.candidate.told())),
    }
}
