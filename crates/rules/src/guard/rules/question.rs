//! Question: what a model says to whoever decides, in words of its own, is one question. A question can be idle, and is never
//! false; whatever can be true or false is a claim.

use super::super::objection::Objection;
use super::super::text::{Audience, Text, words};

/// How questions begin.
const OPENINGS: &[&str] = &[
    "is", "are", "was", "were", "has", "have", "had", "do", "does", "did", "can", "could", "will", "would", "shall",
    "should", "may", "might", "must", "who", "whom", "whose", "what", "when", "where", "which", "why", "how", "by", "at",
    "in", "on", "from",
];
/// Of these, the ones that need a question word behind them: "From where …?".
const NEED_ANOTHER: &[&str] = &["by", "at", "in", "on", "from"];
/// Words behind which a question goes on to say something.
const ASSERTS: &[&str] = &[
    "because",
    "since",
    "although",
    "though",
    "whereas",
    "therefore",
    "hence",
    "thus",
    "so",
    "given",
    "considering",
    "obviously",
    "clearly",
    "surely",
    "indeed",
    "actually",
    "really",
    "knowing",
    "that",
    "despite",
    "as",
    "while",
];
/// Marks of another sentence, or of something that is put in.
const MARKS: [char; 14] = ['.', '!', ';', ':', ',', '(', ')', '"', '“', '”', '–', '—', '\n', '|'];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    if text.field.audience == Audience::House && !is_question(&text.own) {
        objections.push(Objection::NotAQuestion(text.name()));
    }
}

/// Is it one question and nothing else?
pub(super) fn is_question(own: &str) -> bool {
    let Some(body) = own.trim().strip_suffix('?') else { return false };
    if body.contains('?') || body.contains(MARKS) {
        return false;
    }
    let said = words(body);
    let opens = match said.first().map(String::as_str) {
        Some(first) if NEED_ANOTHER.contains(&first) => {
            said.get(1).is_some_and(|second| ["what", "when", "where", "which", "whom", "how"].contains(&second.as_str()))
        }
        Some(first) => OPENINGS.contains(&first),
        None => false,
    };
    opens && said.len() > 1 && !said.iter().any(|word| ASSERTS.contains(&word.as_str()))
}
