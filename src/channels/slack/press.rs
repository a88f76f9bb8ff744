//! Buttons of Slack: what stands in them, and what is read from one that was pressed.

use crate::channels::chat::heard::{Press, Wish};
use crate::domain::decision::DecisionVerb;

/// Before the names of our buttons.
const OURS: &str = "reeve/";

/// What a button's value may hold, in bytes.
const VALUE_MAX: usize = 2_000;

/// The name of a button: different for each of a message.
pub(super) fn action_id(press: &Press) -> String {
    format!("{OURS}{}/{}", press.verb, press.recommendation).chars().take(255).collect()
}

/// What a button says when it is pressed.
pub(super) fn value(press: &Press) -> String {
    serde_json::to_string(press).expect("texts and a number are plain values")
}

/// What was pressed; None for a button that only opens an address, or that is none of ours.
pub(super) fn read(action_id: &str, value: &str) -> Option<Wish> {
    if !action_id.starts_with(OURS) || value.len() > VALUE_MAX {
        return None;
    }
    wish(serde_json::from_str(value).ok()?)
}

/// What pressing a button asks for: a form, where one is to be filled in first.
fn wish(press: Press) -> Option<Wish> {
    if press.verb == Press::WHY {
        return Some(Wish::Open(press));
    }
    match DecisionVerb::asked(&press.verb)? {
        DecisionVerb::Approve | DecisionVerb::Undo | DecisionVerb::Return => {
            Some(Wish::Decide { press, fields: std::collections::BTreeMap::new() })
        }
        DecisionVerb::Edit | DecisionVerb::Reject | DecisionVerb::Snooze | DecisionVerb::Forward => Some(Wish::Open(press)),
        DecisionVerb::Merge | DecisionVerb::Drill => None,
    }
}
