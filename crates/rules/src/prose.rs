//! Pieces of text: the numbers in it, the names that facts give, a short excerpt.

use crate::prompts::clean;
use reeve_domain::evidence::{Fact, FactValue};

/// Longest name that may stand in prose, in characters.
pub(crate) const NAME_MAX: usize = 80;

/// The name that a fact gives something, cleaned: text of the program, or text from outside in a field that holds names.
/// Notes and other free text are not names and can not be quoted.
pub(crate) fn name_of(fact: &Fact) -> Option<String> {
    const NAMES: [&str; 10] = ["name", "label", "sku", "code", "barcode", "reference", "ref", "number", "document", "order"];
    let FactValue::Text(text) = &fact.value else { return None };
    let field = fact.id.as_str().rsplit('/').next().unwrap_or_default();
    if fact.third_party && !NAMES.iter().any(|name| field.ends_with(name)) {
        return None;
    }
    let name = clean(text, NAME_MAX + 1);
    (name.chars().count() <= NAME_MAX).then_some(name)
}

/// Every number in a text as it stands there: sign, digits of any script and the separators between them.
pub(crate) fn numbers(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if !chars[i].is_numeric() {
            i += 1;
            continue;
        }
        let start = i;
        while i < chars.len() && (chars[i].is_numeric() || (".,:/-–".contains(chars[i]) && digit(i + 1))) {
            i += 1;
        }
        let before = start.checked_sub(1).map(|at| chars[at]);
        let mut number: String = before.filter(|c| "-+−–".contains(*c)).into_iter().collect();
        number.extend(&chars[start..i]);
        found.push(number);
    }
    found
}

/// A short piece of an answer for an objection: cleaned, so that what comes back to the model is no instruction either.
pub(crate) fn excerpt(text: &str) -> String {
    clean(text, 40)
}
