//! Number: a model writes no figure, neither in digits nor in words. It refers to one, and the program writes it.

use super::super::objection::Objection;
use super::super::rule::Rule;
use super::super::text::Text;
use super::vocabulary;
use crate::prose::{excerpt, numbers};

/// Numbers as words, and words that make one of what stands beside them.
const WORDS: &[&str] = &[
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
    "thirty",
    "forty",
    "fifty",
    "sixty",
    "seventy",
    "eighty",
    "ninety",
    "hundred",
    "hundreds",
    "thousand",
    "thousands",
    "million",
    "millions",
    "billion",
    "dozen",
    "dozens",
    "half",
    "third",
    "quarter",
    "double",
    "triple",
    "twice",
    "thrice",
];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    for number in numbers(&text.own) {
        objections.push(Objection::FreeNumber { field: text.name(), number: excerpt(&number) });
    }
    vocabulary::refuse(text, Rule::Number, WORDS, &[], objections);
}
