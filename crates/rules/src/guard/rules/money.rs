//! Money: what an action is worth to us, costs us or loses us is not told to whoever gets a letter.

use super::super::objection::Objection;
use super::super::text::{Audience, Field};
use crate::prose::excerpt;

/// Objects to a figure of ours in a letter.
pub(super) fn check(reference: &str, field: Field<'_>) -> Result<(), Objection> {
    if field.audience == Audience::House {
        return Ok(());
    }
    Err(Objection::TellsMoney { field: field.name.to_owned(), reference: excerpt(reference) })
}
