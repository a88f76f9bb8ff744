//! Buttons of Slack: what stands in them, and what is read from one that was pressed.

use crate::channels::chat::heard::{Press, Wish};

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
    serde_json::from_str::<Press>(value).ok()?.wish()
}
