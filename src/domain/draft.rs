//! A draft: the order a drafter puts a case's candidates in, and its words for each.
//!
//! Playbook and language model both make one; from here on nobody needs to know which.

use serde::{Deserialize, Serialize};

use super::recommendation::Prose;

/// An order over candidates, with words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Draft {
    /// Best first. Candidates left out keep their computed order behind these.
    pub choices: Vec<Choice>,
    /// Why no action is suggested: the first recommendation becomes ESCALATE.
    pub abstain: Option<String>,
}

/// One candidate with its words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The candidate's id within the case: `A1`.
    pub candidate: String,
    /// How sure the drafter is, in percent. Shown beside p, never in its place.
    pub confidence_percent: u8,
    /// The words.
    pub prose: Prose,
}
