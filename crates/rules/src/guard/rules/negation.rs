//! Negation: that something is not so is as much a claim as that it is.

use super::super::objection::Objection;
use super::super::rule::Rule;
use super::super::text::Text;
use super::vocabulary::{self, word_of};

const WORDS: &[&str] = &[
    "no",
    "not",
    "nor",
    "neither",
    "never",
    "none",
    "nothing",
    "nobody",
    "nowhere",
    "cannot",
    "cant",
    "dont",
    "doesnt",
    "didnt",
    "isnt",
    "arent",
    "wasnt",
    "werent",
    "wont",
    "wouldnt",
    "couldnt",
    "shouldnt",
    "hasnt",
    "havent",
    "hadnt",
    "without",
    "unable",
    "impossible",
    "unavailable",
    "unnecessary",
    "lack",
    "lacks",
    "lacking",
    "fail",
    "fails",
    "failed",
    "hardly",
    "barely",
    "scarcely",
    "unlikely",
    "absent",
];
const PHRASES: &[&str] = &["free of", "out of the question", "by no means", "out of stock"];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    vocabulary::refuse(text, Rule::Negation, WORDS, PHRASES, objections);
    let own = text.words();
    if let Some(word) = own.iter().find(|word| word.ends_with("n't")) {
        objections.push(word_of(text, Rule::Negation, &crate::prose::excerpt(word)));
    }
}
