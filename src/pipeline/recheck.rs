//! Recheck: the checks of any action, edited or not, on the book as it is now (handbook §5: when drafted, again when queued,
//! again when the approver clicks).
//!
//! The assessment runs the same functions, so a candidate that was stored passed them on the book it was drafted on.

use crate::domain::action::{Action, Check};

use super::assess;
use super::view::CaseView;

/// All checks of `action`, hard ones first. The action is legal when every hard one passed.
pub fn recheck(view: &CaseView<'_>, action: &Action) -> Vec<Check> {
    assess::checks_of(view, action)
}

/// The hard checks that failed: why an action may not go on.
pub fn failures(checks: &[Check]) -> Vec<&Check> {
    checks.iter().filter(|c| c.hard && !c.passed).collect()
}
