//! Unit: a figure is written with its unit, and no other stands behind it: six days are not six units, nor six percent.

use super::super::objection::Objection;
use super::super::text::Field;
use crate::prose::excerpt;

/// Words and signs that make a figure one of something.
const UNITS: [&[&str]; 8] = [
    &["%", "percent", "per cent"],
    &["units", "unit", "pieces", "piece", "pcs", "items"],
    &["days", "day"],
    &["weeks", "week", "months", "month", "years", "year", "hours", "hour", "minutes"],
    &["EUR", "euro", "euros", "€"],
    &["USD", "dollar", "dollars", "$"],
    &["GBP", "pounds", "£", "CHF", "francs", "JPY", "yen", "cents"],
    &["kg", "g", "grams", "tonnes", "litres", "l", "cartons", "boxes", "pallets", "packs", "kits", "cases", "times", "x"],
];

/// What stands behind a figure, without its own unit where that is repeated.
///
/// # Errors
/// Where it is another unit.
pub(super) fn behind<'t>(after: &'t str, unit: &str, reference: &str, field: Field<'_>) -> Result<&'t str, Objection> {
    let trimmed = after.trim_start_matches([' ', '\u{a0}']);
    let is_whole = |word: &str| {
        let next = trimmed[word.len()..].chars().next();
        !word.chars().all(char::is_alphabetic) || next.is_none_or(|c| !c.is_alphanumeric())
    };
    let begins =
        |word: &&&str| trimmed.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word)) && is_whole(word);
    let Some((alike, word)) =
        UNITS.iter().find_map(|alike| Some((alike, alike.iter().filter(begins).max_by_key(|w| w.len())?)))
    else {
        return Ok(after);
    };
    if !unit.is_empty() && alike.iter().any(|same| same.eq_ignore_ascii_case(unit)) {
        return Ok(&trimmed[word.len()..]);
    }
    Err(Objection::WrongUnit { field: field.name.to_owned(), reference: excerpt(reference) })
}
