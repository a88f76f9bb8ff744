//! Markup: plain text, so that nothing of it is more than words wherever it is shown.

use super::super::objection::Objection;
use super::super::text::Text;

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    let heading = text.own.lines().any(|line| line.trim_start().starts_with(['#', '|']));
    if heading
        || text.shown.contains(['<', '>', '`', '{', '}', '\\'])
        || ["**", "__", "~~", "]("].iter().any(|mark| text.shown.contains(mark))
    {
        objections.push(Objection::Markup(text.name()));
    }
}
