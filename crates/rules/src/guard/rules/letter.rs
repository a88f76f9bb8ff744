//! Letter: what goes to somebody outside greets, asks, requests and thanks. It states nothing: a statement to a supplier would be
//! the company's word, and what it needs to know of the case stands in the figures that the program writes.

use super::super::objection::Objection;
use super::super::text::{Audience, Text, words};
use super::question::is_question;
use crate::prose::excerpt;

const GREETINGS: &[&str] = &["dear", "hello", "hi", "good morning", "good day"];
const COURTESIES: &[&str] = &[
    "thank you",
    "thanks",
    "many thanks",
    "kind regards",
    "with kind regards",
    "regards",
    "yours sincerely",
    "yours faithfully",
    "sincerely",
];
/// Words of a greeting or a courtesy at most: behind more of them something else is said.
const COURTESY_WORDS: usize = 7;
const REQUESTS: &[&str] = &["please", "kindly", "could you please"];
/// What is stated in the form of a request: "please note that …".
const STATES: &[&str] = &[
    "note",
    "remember",
    "understand",
    "know",
    "be",
    "accept",
    "consider",
    "regard",
    "treat",
    "find",
    "that",
    "because",
    "since",
    "as",
    "although",
    "given",
    "considering",
    "while",
];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    if text.field.audience != Audience::Outside {
        return;
    }
    let said = sentences(&text.own);
    let wrong = said.iter().filter(|sentence| !stands(sentence));
    objections.extend(wrong.map(|sentence| Objection::NotALetter { field: text.name(), sentence: excerpt(sentence) }));
    if !said.iter().any(|sentence| is_request(sentence) || is_question(sentence)) {
        objections.push(Objection::NotALetter { field: text.name(), sentence: excerpt(&text.own) });
    }
}

/// The sentences of a letter. What follows a greeting on its line is a sentence of its own.
fn sentences(own: &str) -> Vec<String> {
    let mut found = Vec::new();
    for line in own.lines() {
        let mut rest = line.trim();
        if opens_with(rest, GREETINGS)
            && let Some((greeting, behind)) = rest.split_once(',')
        {
            found.push(greeting.to_owned());
            rest = behind;
        }
        found.extend(rest.split_inclusive(['.', '?', '!', ';', ':']).map(str::to_owned));
    }
    found.retain(|sentence| sentence.chars().any(|c| c.is_alphanumeric() || c == '?'));
    found
}

fn stands(sentence: &str) -> bool {
    let short = words(sentence).len() <= COURTESY_WORDS;
    is_request(sentence) || is_question(sentence) || (short && opens_with(sentence, GREETINGS)) || is_courtesy(sentence)
}

/// A courtesy is one alone: "thank you for agreeing" would be a statement.
fn is_courtesy(sentence: &str) -> bool {
    let said = words(sentence);
    let helps = ["for", "your", "help", "in", "advance", "very", "much", "the", "reply", "answer", "a", "quick", "and"];
    let begins = COURTESIES.iter().map(|courtesy| words(courtesy)).find(|courtesy| said.starts_with(courtesy));
    begins.is_some_and(|courtesy| said[courtesy.len()..].iter().all(|word| helps.contains(&word.as_str())))
}

fn is_request(sentence: &str) -> bool {
    opens_with(sentence, REQUESTS) && !words(sentence).iter().any(|word| STATES.contains(&word.as_str()))
}

fn opens_with(sentence: &str, openings: &[&str]) -> bool {
    let said = words(sentence);
    openings.iter().any(|opening| said.starts_with(&words(opening)))
}
