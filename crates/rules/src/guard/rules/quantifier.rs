//! Quantifier: all, none, only, usually: how many of something, without counting it.

use super::super::objection::Objection;
use super::super::rule::Rule;
use super::super::text::Text;
use super::vocabulary;

const WORDS: &[&str] = &[
    "only",
    "all",
    "every",
    "each",
    "everything",
    "everyone",
    "everybody",
    "everywhere",
    "both",
    "either",
    "sole",
    "solely",
    "exclusively",
    "merely",
    "entire",
    "entirely",
    "whole",
    "wholly",
    "complete",
    "completely",
    "full",
    "fully",
    "total",
    "totally",
    "always",
    "usually",
    "normally",
    "typically",
    "generally",
    "often",
    "frequently",
    "sometimes",
    "rarely",
    "seldom",
    "mostly",
    "mainly",
    "largely",
    "nearly",
    "almost",
    "approximately",
    "roughly",
    "many",
    "few",
    "several",
    "some",
    "enough",
    "sufficient",
    "sufficiently",
    "insufficient",
    "plenty",
    "majority",
    "minority",
    "certain",
    "certainly",
];
const PHRASES: &[&str] = &["other options", "other option", "any other", "else is", "a lot"];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    vocabulary::refuse(text, Rule::Quantifier, WORDS, PHRASES, objections);
}
