//! Language: English letters. A letter that looks like another, or carries a mark, would get a word past the rules for words;
//! names of the case may have any.

use super::super::objection::Objection;
use super::super::text::Text;

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    if text.own.chars().any(|c| c.is_alphabetic() && !c.is_ascii()) {
        objections.push(Objection::NotEnglish(text.name()));
    }
}
