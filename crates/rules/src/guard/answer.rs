//! Finds the one answer in a reply, and reads it strictly.
//!
//! How it is wrapped does not matter: thoughts before it, a code fence, a polite sentence. What is in it does: keys that were
//! not asked for, a key twice, or two answers that differ are refused, for nobody can say which of them was meant.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, Visitor};

use super::objection::{Objection, Shape};
use super::{REPLY_MAX, Reply};
use crate::prompts::clean;

/// Most beginnings of an object that are tried: prose with more braces is no answer.
const OPENINGS_MAX: usize = 200;

/// How thoughts begin and end, by the habits of models. Some servers swallow the beginning.
const THOUGHTS: [(&str, &str); 8] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
];
/// How models of the harmony format mark what is what: `<|channel|>final<|message|>…`.
const CHANNEL: &str = "<|channel|>";
const MESSAGE: &str = "<|message|>";

/// The answer as the schema asks for it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) abstain: bool,
    pub(super) abstain_reason: String,
    pub(super) choices: Vec<AnswerChoice>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AnswerChoice {
    pub(super) candidate: String,
    #[serde(deserialize_with = "percent")]
    pub(super) confidence_percent: i64,
    pub(super) rationale: String,
    pub(super) risks: String,
    pub(super) would_change: String,
    pub(super) message: String,
    pub(super) cites: Vec<String>,
}

/// A reply without its thoughts, and the answer in it.
#[derive(Debug)]
pub(super) struct Found<'t> {
    /// Everything but the thoughts.
    pub(super) said: &'t str,
    pub(super) answer: Answer,
}

/// Finds and reads the answer.
///
/// # Errors
/// Why there is none.
pub(super) fn find(reply: &Reply) -> Result<Found<'_>, Objection> {
    let whole = trimmed(reply);
    if whole.len() <= REPLY_MAX
        && let Ok(answer) = serde_json::from_str(whole)
    {
        return Ok(Found { said: whole, answer });
    }
    let said = without_thoughts(whole);
    if said.is_empty() {
        return Err(if whole.is_empty() && !reply.thought { Objection::Empty } else { Objection::OnlyThought });
    }
    if said.len() > REPLY_MAX {
        return Err(Objection::TooMuch);
    }
    let answer = read(object_in(said)?)?;
    Ok(Found { said, answer })
}

/// What to say of a reply that reached the limit of tokens: whether thinking took them all.
pub(super) fn cut_short(reply: &Reply) -> Objection {
    let whole = trimmed(reply);
    let only_thought = if whole.is_empty() { reply.thought } else { without_thoughts(whole).is_empty() };
    if only_thought { Objection::OnlyThought } else { Objection::Truncated }
}

fn trimmed(reply: &Reply) -> &str {
    reply.text.trim_start_matches('\u{feff}').trim()
}

fn read(object: &str) -> Result<Answer, Objection> {
    serde_json::from_str(object).map_err(|error| {
        let said = error.to_string();
        let kind = if said.starts_with("missing field") {
            "it was not JSON of the schema (a field is missing)"
        } else if said.starts_with("unknown field") {
            "it was not JSON of the schema (it has a field that was not asked for)"
        } else if said.starts_with("duplicate field") {
            "it was not JSON of the schema (it has a field twice)"
        } else if said.starts_with(NOT_WHOLE) {
            "it was not JSON of the schema (a confidence is no whole number)"
        } else {
            "it was not JSON of the schema (a field has another type)"
        };
        // The parser's words may hold pieces of the reply.
        Objection::Shape(Shape::Other { kind, said: clean(&said, 160) })
    })
}

/// What stands behind the thoughts. Without an end they have no answer behind them.
fn without_thoughts(text: &str) -> &str {
    if let Some(at) = text.rfind(CHANNEL) {
        let (channel, rest) = text[at + CHANNEL.len()..].split_once(MESSAGE).unwrap_or_default();
        let is_final = channel.trim_start().starts_with("final");
        let end = ["<|return|>", "<|end|>", "<|call|>"].iter().filter_map(|mark| rest.find(mark)).min();
        return if is_final { rest[..end.unwrap_or(rest.len())].trim() } else { "" };
    }
    for (begin, end) in THOUGHTS {
        if let Some(at) = text.rfind(end) {
            return text[at + end.len()..].trim();
        }
        if text.starts_with(begin) {
            return "";
        }
    }
    text
}

/// The one JSON object in a text. The same object twice is one.
fn object_in(text: &str) -> Result<&str, Objection> {
    let (mut found, mut from, mut openings): (Option<&str>, usize, usize) = (None, 0, 0);
    while let Some(at) = text[from..].find('{').map(|at| from + at) {
        openings += 1;
        if openings > OPENINGS_MAX {
            return Err(Objection::Shape(Shape::NoObject));
        }
        let mut objects = serde_json::Deserializer::from_str(&text[at..]).into_iter::<IgnoredAny>();
        if let Some(Ok(_)) = objects.next() {
            let object = &text[at..at + objects.byte_offset()];
            if found.is_some_and(|other| other != object) {
                return Err(Objection::Shape(Shape::Several));
            }
            found = Some(object);
            from = at + object.len();
        } else {
            from = at + 1;
        }
    }
    found.ok_or(Objection::Shape(Shape::NoObject))
}

/// What [`percent`] says first of a number that it does not take.
const NOT_WHOLE: &str = "confidence_percent is not a whole number";

/// A whole number of percent: `60`, `60.0` or `"60"`, which all say the same. `0.6` may be six tenths of a percent or sixty, and
/// so may `1.0` be one or a hundred: what may be either is asked for again.
fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    struct Percent;
    impl Visitor<'_> for Percent {
        type Value = i64;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a whole number from 0 to 100")
        }

        fn visit_i64<E>(self, n: i64) -> Result<i64, E> {
            Ok(n)
        }

        fn visit_u64<E>(self, n: u64) -> Result<i64, E> {
            Ok(i64::try_from(n).unwrap_or(i64::MAX))
        }

        fn visit_f64<E: serde::de::Error>(self, n: f64) -> Result<i64, E> {
            if n.fract() == 0.0 && n > 1.0 && n <= 100.0 {
                return Ok(n as i64);
            }
            Err(E::custom(format!("{NOT_WHOLE} from 0 to 100")))
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<i64, E> {
            let number = text.trim().trim_end_matches('%').trim_end();
            let is_whole = !number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
            let parsed = if is_whole { number.parse().ok() } else { None };
            parsed.ok_or_else(|| E::custom(format!("{NOT_WHOLE} from 0 to 100")))
        }
    }
    deserializer.deserialize_any(Percent)
}
