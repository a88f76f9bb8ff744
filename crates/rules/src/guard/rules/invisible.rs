//! Invisible: nothing is said between the letters.

use super::super::objection::Objection;
use super::super::text::Text;
use crate::prompts::is_invisible;

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    if text.raw.chars().any(|c| is_invisible(c) && c != '\n') {
        objections.push(Objection::Invisible(text.name()));
    }
}
