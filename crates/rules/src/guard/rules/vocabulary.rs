//! Words and phrases of a rule, looked for in a text.

use super::super::objection::Objection;
use super::super::rule::Rule;
use super::super::text::{Text, words};

/// Objects to each of the words, and each of the phrases, that stands whole in the model's own words.
pub(super) fn refuse(text: &Text<'_>, rule: Rule, forbidden: &[&str], phrases: &[&str], objections: &mut Vec<Objection>) {
    let own = text.words();
    let mut found: Vec<&str> = forbidden.iter().copied().filter(|word| own.iter().any(|said| said == word)).collect();
    found.extend(phrases.iter().copied().filter(|phrase| has_phrase(&own, phrase)));
    objections.extend(found.into_iter().map(|word| word_of(text, rule, word)));
}

/// Do these words stand there one after the other?
pub(super) fn has_phrase(own: &[String], phrase: &str) -> bool {
    let phrase = words(phrase);
    !phrase.is_empty() && own.windows(phrase.len()).any(|some| some == phrase)
}

/// The objection to a word.
pub(super) fn word_of(text: &Text<'_>, rule: Rule, word: &str) -> Objection {
    Objection::Word { rule, field: text.name(), word: word.to_owned() }
}
