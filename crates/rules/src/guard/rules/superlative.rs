//! Superlative: that something is the most of its kind is said of it beside all others, which only the arithmetic has seen.

use super::super::objection::Objection;
use super::super::rule::Rule;
use super::super::text::Text;
use super::vocabulary::{self, word_of};

const WORDS: &[&str] = &[
    "best",
    "worst",
    "most",
    "least",
    "optimal",
    "optimum",
    "ideal",
    "perfect",
    "maximum",
    "minimum",
    "maximal",
    "minimal",
    "utmost",
    "foremost",
    "main",
    "primary",
    "principal",
    "chief",
    "top",
    "ultimate",
    "superior",
    "inferior",
    "leading",
    "favourite",
];
/// Words that end as superlatives do and are none.
const NOT_ONE: &[&str] = &[
    "request", "interest", "test", "retest", "rest", "west", "forest", "harvest", "invest", "manifest", "honest", "guest",
    "nest", "suggest", "protest", "contest", "chest", "digest", "earnest", "modest", "priest", "quest", "arrest", "inquest",
    "attest", "detest", "ingest", "pest", "vest", "crest", "latest's",
];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    vocabulary::refuse(text, Rule::Superlative, WORDS, &[], objections);
    let own = text.words();
    let is_one = |word: &&String| word.ends_with("est") && !NOT_ONE.contains(&word.as_str());
    let listed = |word: &&String| WORDS.contains(&word.as_str());
    objections.extend(
        own.iter()
            .filter(is_one)
            .filter(|word| !listed(word))
            .map(|word| word_of(text, Rule::Superlative, &crate::prose::excerpt(word))),
    );
}
