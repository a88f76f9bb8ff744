//! Length: what a model says itself is short.

use super::super::objection::Objection;
use super::super::text::Field;

/// Is it too long to be looked at any further?
pub(in crate::guard) fn is_too_long(raw: &str, field: Field<'_>, objections: &mut Vec<Objection>) -> bool {
    let long = raw.chars().count() > field.max;
    if long {
        objections.push(Objection::TooLong { field: field.name.to_owned(), max: field.max });
    }
    long
}
