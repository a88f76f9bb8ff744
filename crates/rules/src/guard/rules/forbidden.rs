//! Forbidden: approval is people's, secrets are nobody's business here, and a letter commits the company to nothing. What people
//! will read is looked at whole, names too.

use super::super::objection::Objection;
use super::super::rule::Rule;
use super::super::text::{Audience, Text, words};
use super::vocabulary::{has_phrase, word_of};

/// Beginnings of words that no field may hold.
const NEVER: &[&str] = &[
    "approv",
    "authoris",
    "authoriz",
    "preapprov",
    "password",
    "passcode",
    "credential",
    "iban",
    "bitcoin",
    "crypto",
    "jailbreak",
    "hundred",
    "thousand",
    "million",
    "billion",
];
/// The same for phrases.
const NEVER_PHRASES: &[&str] = &[
    "bank account",
    "bank accounts",
    "bank detail",
    "bank details",
    "bank data",
    "account number",
    "account detail",
    "account details",
    "sort code",
    "credit card",
    "gift card",
    "gift cards",
    "swift code",
    "routing number",
    "wire transfer",
    "api key",
    "api keys",
    "system prompt",
    "previous instruction",
    "previous instructions",
    "prior instruction",
    "prior instructions",
    "your instructions",
    "sign off",
    "signed off",
    "green light",
    "new account",
    "to the account",
    "developer mode",
    "hidden text",
];
/// Beginnings of words that a letter may not hold besides.
const NEVER_OUTSIDE: &[&str] = &["pay", "paid", "prepay", "prepaid", "refund", "lawsuit", "legal", "penalt"];
/// The same for phrases.
const NEVER_OUTSIDE_PHRASES: &[&str] =
    &["we promise", "i promise", "we guarantee", "i guarantee", "we agree", "we commit", "we accept", "we confirm"];

pub(super) fn check(text: &Text<'_>, objections: &mut Vec<Objection>) {
    let said = words(&text.shown);
    let starts = |stem: &&&str| said.iter().any(|word| word.starts_with(**stem));
    let stands = |phrase: &&&str| has_phrase(&said, phrase);
    let mut found: Vec<&str> = NEVER.iter().filter(starts).copied().collect();
    found.extend(NEVER_PHRASES.iter().filter(stands));
    if text.field.audience == Audience::Outside {
        found.extend(NEVER_OUTSIDE.iter().filter(starts));
        found.extend(NEVER_OUTSIDE_PHRASES.iter().filter(stands));
    }
    objections.extend(found.into_iter().map(|word| word_of(text, Rule::Forbidden, word)));
}
