//! Reads an answer as endpoints really send it: one JSON object, or a stream nobody asked for; with a byte order mark, blank
//! lines or comments before it.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;
use serde_json::error::Category;

use super::message::{Choice, Completion, Content, Count, ErrorOnly, Loose, Message, Usage, UsageOnly};
use crate::ports::Unread;

/// What a model said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// The answer.
    pub(super) text: String,
    /// Bytes of its thoughts, where they are told apart.
    pub(super) thoughts: usize,
    /// Did it reach the limit of tokens?
    pub(super) truncated: bool,
    /// Tokens of the prompt, of the answer, of both, where the endpoint gives a number.
    pub(super) tokens: [Option<u64>; 3],
}

/// Why there is no answer in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NoAnswer {
    /// An error in its place, as JSON for whoever tells kinds apart, and the status in it.
    Error { status: Option<u16>, body: String },
    /// It can not be read.
    Unread(Unread),
    /// The model would not.
    Declined,
    /// A filter took it.
    Filtered,
}

impl From<Unread> for NoAnswer {
    fn from(unread: Unread) -> Self {
        Self::Unread(unread)
    }
}

/// Finds the answer in a body.
pub(super) fn read(body: &[u8]) -> Result<Said, NoAnswer> {
    // Bytes that are no UTF-8 cost a sign, and not the answer.
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}').trim();
    if text.starts_with('{') {
        return whole(text);
    }
    if text.is_empty() {
        return Err(Unread::Empty.into());
    }
    if text.starts_with('<') {
        return Err(Unread::Page.into());
    }
    if text.lines().any(|line| line.starts_with("data:")) {
        return stream(text);
    }
    // Comments keep a connection alive while the model works.
    let rest = text.trim_start_matches(|c: char| c.is_whitespace());
    let behind = rest.lines().skip_while(|line| line.is_empty() || line.starts_with(':')).collect::<Vec<_>>().join("\n");
    if behind.starts_with('{') { whole(&behind) } else { Err(Unread::NotJson.into()) }
}

fn whole(text: &str) -> Result<Said, NoAnswer> {
    let mut heap = Heap::default();
    heap.add(text)?;
    heap.said()
}

/// Server-sent events: each holds a piece of the answer, or all of it.
fn stream(text: &str) -> Result<Said, NoAnswer> {
    let mut heap = Heap::default();
    for event in text.replace("\r\n", "\n").split("\n\n") {
        let lines: Vec<&str> = event.lines().filter_map(|line| line.strip_prefix("data:")).map(str::trim).collect();
        let data = lines.join("\n");
        // One value over several lines, or, where a server forgets the empty line between events, one on each.
        let pieces = if serde_json::from_str::<IgnoredAny>(&data).is_ok() { vec![data.as_str()] } else { lines };
        for piece in pieces.into_iter().filter(|piece| !matches!(*piece, "" | "[DONE]")) {
            heap.add(piece)?;
        }
    }
    heap.said()
}

/// Pieces of an answer, put together.
#[derive(Default)]
struct Heap {
    choices: usize,
    /// Did any of them hold a message, be it an empty one?
    spoke: bool,
    content: Content,
    refusal: bool,
    reasoning: String,
    text: String,
    calls: BTreeMap<u64, String>,
    finish: Option<String>,
    usage: Option<Usage>,
}

impl Heap {
    fn add(&mut self, json: &str) -> Result<(), NoAnswer> {
        let error = serde_json::from_str::<ErrorOnly>(json).ok().and_then(|only| only.error);
        if let Some(error) = error.filter(is_error) {
            return Err(as_error(&error));
        }
        // Beside the answer: what can not be read of it is missing, no more.
        self.usage = serde_json::from_str::<UsageOnly>(json).ok().and_then(|only| only.usage).or(self.usage);
        let mut reader = serde_json::Deserializer::from_str(json);
        let read: Result<Completion, _> = serde_path_to_error::deserialize(&mut reader);
        let completion = read.map_err(|error| unread(&error))?;
        reader.end().map_err(|_| Unread::NotJson)?;
        let Some(choice) = completion.choices.into_iter().flatten().next() else { return Ok(()) };
        self.choices += 1;
        self.take(choice)
    }

    fn take(&mut self, choice: Choice) -> Result<(), NoAnswer> {
        if let Some(error) = choice.error.filter(is_error) {
            return Err(as_error(&error));
        }
        // One piece of a stream says how it ended, and pieces may follow it.
        self.finish = choice.finish_reason.0.or(self.finish.take());
        self.spoke |= choice.message.is_some() || choice.delta.is_some() || choice.text.0.is_some();
        self.text.push_str(&choice.text.0.unwrap_or_default());
        let Message { content, refusal, reasoning_content, reasoning, tool_calls, function_call } =
            choice.message.or(choice.delta).unwrap_or_default();
        self.content.text.push_str(&content.text);
        self.content.thoughts.push_str(&content.thoughts);
        self.refusal |= content.refused || refusal.said().is_some();
        let thoughts = [reasoning_content, reasoning].into_iter().find_map(|Loose(text)| text.filter(|t| !t.is_empty()));
        self.reasoning.push_str(&thoughts.unwrap_or_default());
        let function = function_call.map(|function| (0, function));
        // A stream sends a call in pieces, each with the call's place; a whole answer may leave the place out.
        let calls = tool_calls.into_iter().flatten().enumerate().filter_map(|(at, call)| {
            let Count(index) = call.index;
            Some((index.unwrap_or(at as u64), call.function?))
        });
        for (index, function) in calls.chain(function) {
            let arguments = function.arguments.unwrap_or_default();
            self.calls.entry(index).or_default().push_str(&arguments);
        }
        Ok(())
    }

    fn said(self) -> Result<Said, NoAnswer> {
        if self.choices == 0 {
            return Err(Unread::Field("choices").into());
        }
        let finish = self.finish.unwrap_or_default().to_lowercase();
        if self.refusal || finish == "refusal" {
            return Err(NoAnswer::Declined);
        }
        if is_filter(&finish) {
            return Err(NoAnswer::Filtered);
        }
        if !self.spoke {
            return Err(Unread::Field("choices[0].message").into());
        }
        let truncated = matches!(finish.as_str(), "length" | "max_tokens" | "model_length" | "max_output_tokens");
        let mut thoughts = self.content.thoughts.len() + self.reasoning.len();
        let is_said = |text: &String| !text.trim().is_empty();
        let text = if is_said(&self.content.text) {
            self.content.text
        } else if self.calls.values().any(&is_said) {
            if self.calls.len() > 1 {
                return Err(Unread::Field("choices[0].message.tool_calls").into());
            }
            self.calls.into_values().collect()
        } else if is_said(&self.text) {
            self.text
        } else if !truncated && is_object(&self.reasoning) {
            // Thoughts are what was weighed, never the answer, with one exception: a server that takes the answer of a model
            // that did not think for its thoughts. Then they are one JSON object and not a word beside it.
            thoughts = 0;
            self.reasoning
        } else {
            String::new()
        };
        let usage = self.usage.unwrap_or_default();
        let tokens = [usage.prompt_tokens.0, usage.completion_tokens.0, usage.total_tokens.0];
        Ok(Said { text, thoughts, truncated, tokens })
    }
}

/// Is a text one JSON object, whole?
fn is_object(text: &str) -> bool {
    text.trim_start().starts_with('{') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn is_filter(finish: &str) -> bool {
    ["content_filter", "content-filter", "safety", "recitation", "prohibited_content", "blocklist", "sensitive", "spii"]
        .contains(&finish)
}

/// `"error": null`, `{}`, `""` and `false` say that there is none.
fn is_error(error: &serde_json::Value) -> bool {
    match error {
        serde_json::Value::Object(fields) => !fields.is_empty(),
        serde_json::Value::String(text) => !text.is_empty(),
        serde_json::Value::Array(all) => !all.is_empty(),
        serde_json::Value::Number(_) => true,
        serde_json::Value::Bool(is) => *is,
        serde_json::Value::Null => false,
    }
}

fn as_error(error: &serde_json::Value) -> NoAnswer {
    let number = |value: &serde_json::Value| value.as_u64().or_else(|| value.as_str()?.parse().ok());
    let status = ["code", "status", "status_code"].iter().find_map(|key| number(error.get(key)?));
    // What is no status of an error is a number of the endpoint's own.
    let status = status.and_then(|n| u16::try_from(n).ok()).filter(|n| (400..600).contains(n));
    NoAnswer::Error { status, body: serde_json::json!({ "error": error }).to_string() }
}

/// Where an answer is not what is needed: a field of ours by name, nothing of theirs.
fn unread(error: &serde_path_to_error::Error<serde_json::Error>) -> Unread {
    match error.inner().classify() {
        Category::Eof => return Unread::Cut,
        Category::Syntax | Category::Io => return Unread::NotJson,
        Category::Data => {}
    }
    let names = error.path().iter().filter_map(|segment| match segment {
        serde_path_to_error::Segment::Map { key } => Some(key.as_str()),
        _ => None,
    });
    // Only names that are known here: a field's name can hold somebody's words, too.
    Unread::Field(match names.collect::<Vec<_>>().as_slice() {
        ["choices", "finish_reason", ..] => "choices[0].finish_reason",
        ["choices", "message", "content", ..] => "choices[0].message.content",
        ["choices", "message", "tool_calls", ..] => "choices[0].message.tool_calls",
        ["choices", "message", "function_call", ..] => "choices[0].message.function_call",
        ["choices", "message", ..] => "choices[0].message",
        ["choices", "delta", ..] => "choices[0].delta",
        _ => "choices",
    })
}
