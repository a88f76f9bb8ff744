//! Finds the one answer in a reply, and reads it strictly.
//!
//! How it is wrapped does not matter: thoughts before it, a code fence, a polite sentence. What is in it does: keys that were
//! not asked for, a key twice, or two answers that differ are refused, for nobody can say which of them was meant.

use serde::de::IgnoredAny;

use super::objection::{Objection, Shape};
use super::raw::{Field, Raw, fields};
use super::{REPLY_MAX, Reply};

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
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) abstain: bool,
    pub(super) abstain_question: String,
    pub(super) choices: Vec<AnswerChoice>,
}

#[derive(Debug)]
pub(super) struct AnswerChoice {
    pub(super) candidate: String,
    pub(super) confidence_percent: i64,
    pub(super) claims: Vec<String>,
    pub(super) question: String,
    pub(super) message: String,
}

impl Answer {
    fn of(raw: Raw) -> Result<Self, Shape> {
        let [abstain, abstain_question, choices] = fields(raw, ["abstain", "abstain_question", "choices"])?;
        Ok(Self {
            abstain: abstain.flag()?,
            abstain_question: abstain_question.text()?,
            choices: choices.list()?.into_iter().map(AnswerChoice::of).collect::<Result<_, _>>()?,
        })
    }
}

impl AnswerChoice {
    fn of(raw: Raw) -> Result<Self, Shape> {
        let names = ["candidate", "confidence_percent", "claims", "question", "message"];
        let [candidate, confidence, claims, question, message] = fields(raw, names)?;
        let claim = |value| Field { name: "claims", value }.text();
        Ok(Self {
            candidate: candidate.text()?,
            confidence_percent: confidence.percent()?,
            claims: claims.list()?.into_iter().map(claim).collect::<Result<_, _>>()?,
            question: question.text()?,
            message: message.text()?,
        })
    }
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
        && let Ok(answer) = read(whole)
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
    let raw: Raw = serde_json::from_str(object).map_err(|_| Objection::Shape(Shape::Unreadable))?;
    Answer::of(raw).map_err(Objection::Shape)
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
