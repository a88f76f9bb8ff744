//! Link: the text goes to a page and into mail, where an address is something to click.

use super::super::objection::Objection;
use super::super::text::Text;

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    let lower = text.shown.to_lowercase();
    let marks = ["://", "www.", "mailto:", "tel:", "javascript:", "data:"];
    if marks.iter().any(|mark| lower.contains(mark)) || text.shown.contains('@') || has_domain(&text.own) {
        objections.push(Objection::Link(text.name()));
    }
}

/// A dot between two letters with at least two more behind it: `evil.example`, but not `e.g.`
fn has_domain(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(4).any(|w| w[0].is_alphanumeric() && w[1] == '.' && w[2].is_alphabetic() && w[3].is_alphabetic())
}
