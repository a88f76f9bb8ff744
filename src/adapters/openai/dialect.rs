//! How an endpoint wants to be asked. Each takes most of what the others take, and refuses the rest: the request starts in
//! its fullest form, and what is refused by name is left out, one thing at a time.
//!
//! The form that was taken last is remembered while the process runs. It is not kept beyond: finding it again costs a few
//! refusals, which cost nothing, and a server that was updated is asked in full again.

use serde_json::{Value, json};

use super::refusal::{Words, is_final};
use super::wire::Refusal;
use crate::ports::ModelRequest;

/// The same question gives the same answer, as far as the endpoint can.
pub(super) const SEED: i64 = 7;
/// Most forms that are tried for one question.
pub(super) const FORMS_MAX: usize = 8;

/// A form of request.
#[expect(clippy::struct_excessive_bools, reason = "each is one thing that an endpoint takes or not")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    limit: Limit,
    temperature: bool,
    seed: bool,
    shape: Shape,
    /// Are rules and case one message?
    one_message: bool,
    /// Is the answer's form told in words too?
    told: bool,
}

/// The name of the limit of tokens. There is no form without one: what an answer may cost is not the endpoint's to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Tokens,
    CompletionTokens,
}

impl Limit {
    fn name(self) -> &'static str {
        match self {
            Self::Tokens => "max_tokens",
            Self::CompletionTokens => "max_completion_tokens",
        }
    }
}

/// What holds the answer to its form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Shape {
    Strict,
    Schema,
    Object,
    /// The prompt alone.
    Words,
}

impl Form {
    /// Everything that Reeve would like.
    pub(super) const FULL: Self =
        Self { limit: Limit::Tokens, temperature: true, seed: true, shape: Shape::Strict, one_message: false, told: false };

    /// The same form, with the answer's form in words.
    pub(super) fn telling(self) -> Self {
        Self { told: true, ..self }
    }

    /// Is the answer's form told in words because it was not kept?
    pub(super) fn is_telling(self) -> bool {
        self.told
    }

    /// The request's body.
    pub(super) fn body(self, request: &ModelRequest, model: &str, tokens_max: u32) -> Value {
        // Where no schema goes along, the form has to be told in words.
        let told = self.told || self.shape >= Shape::Object;
        let system =
            if told { format!("{}\n\n{}", request.system.trim_end(), request.form) } else { request.system.clone() };
        // Some models, and templates of some servers, know no message of the system.
        let messages = if self.one_message {
            json!([{ "role": "user", "content": format!("{system}\n\n{}", request.user) }])
        } else {
            json!([{ "role": "system", "content": system }, { "role": "user", "content": request.user }])
        };
        let mut body = json!({ "model": model, "messages": messages, self.limit.name(): tokens_max });
        // As far as an endpoint can, the same question is to have the same answer.
        if self.temperature {
            body["temperature"] = json!(0.0);
        }
        if self.seed {
            body["seed"] = json!(SEED);
        }
        let mut schema = json!({ "name": request.schema_name, "schema": request.schema });
        match self.shape {
            Shape::Strict => {
                schema["strict"] = json!(true);
                body["response_format"] = json!({ "type": "json_schema", "json_schema": schema });
            }
            Shape::Schema => body["response_format"] = json!({ "type": "json_schema", "json_schema": schema }),
            Shape::Object => body["response_format"] = json!({ "type": "json_object" }),
            Shape::Words => {}
        }
        body
    }

    /// The form to ask in after a refusal of this one, none of `tried`; None when the refusal is about something else.
    pub(super) fn after(self, refusal: &Refusal, words: &Words, tried: &[Self]) -> Option<Self> {
        if !matches!(refusal.status, 400 | 404 | 422) || is_final(refusal, words) || tried.len() >= FORMS_MAX {
            return None;
        }
        let steps: [fn(Self, &Words) -> Option<Self>; 5] =
            [Self::other_limit, Self::no_temperature, Self::no_seed, Self::one_message, Self::looser];
        let untried = |form: &Self| !tried.contains(form);
        let by = |words: &Words| steps.iter().filter_map(|step| step(self, words)).find(untried);
        // The parameter that stands in its own place counts before what else the words may name.
        if let Some(next) = by(&words.only_param()).or_else(|| by(words)) {
            return Some(next);
        }
        // Nothing is named: the barest form shows whether the form was the matter. A wrong path is not a matter of form.
        let bare = Self { temperature: false, seed: false, shape: Shape::Words, ..self };
        Some(bare).filter(untried).filter(|_| refusal.status != 404)
    }

    fn other_limit(self, words: &Words) -> Option<Self> {
        // Endpoints differ in which of the two names they take, and refuse the other one by name.
        let other = match self.limit {
            Limit::Tokens => Limit::CompletionTokens,
            Limit::CompletionTokens => Limit::Tokens,
        };
        words.name(self.limit.name()).then_some(Self { limit: other, ..self })
    }

    fn no_temperature(self, words: &Words) -> Option<Self> {
        (self.temperature && words.name("temperature")).then_some(Self { temperature: false, ..self })
    }

    fn no_seed(self, words: &Words) -> Option<Self> {
        (self.seed && words.name("seed")).then_some(Self { seed: false, ..self })
    }

    fn one_message(self, words: &Words) -> Option<Self> {
        let about = words.name("role") || words.name("roles");
        let named = about && (words.name("system") || words.say(&["alternate"]));
        (!self.one_message && named).then_some(Self { one_message: true, ..self })
    }

    fn looser(self, words: &Words) -> Option<Self> {
        const NAMES: [&str; 9] = [
            "response_format",
            "json_schema",
            "json_object",
            "json mode",
            "schema",
            "grammar",
            "guided",
            "structured output",
            "output_config",
        ];
        let strict = words.name("strict");
        if !strict && !words.say(&NAMES) {
            return None;
        }
        // One step at a time, from what binds the answer most: each is tried before the next is given up.
        let shape = match self.shape {
            Shape::Strict if strict => Shape::Schema,
            Shape::Strict | Shape::Schema => Shape::Object,
            Shape::Object => Shape::Words,
            Shape::Words => return None,
        };
        Some(Self { shape, ..self })
    }
}

impl std::fmt::Display for Form {
    /// What is asked otherwise than in full: `max_completion_tokens, no temperature, json_object`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut parts = vec![self.limit.name()];
        parts.extend((!self.temperature).then_some("no temperature"));
        parts.extend((!self.seed).then_some("no seed"));
        parts.push(match self.shape {
            Shape::Strict => "json_schema",
            Shape::Schema => "json_schema without strict",
            Shape::Object => "json_object",
            Shape::Words => "no response_format",
        });
        parts.extend(self.one_message.then_some("one message"));
        parts.extend((self.told || self.shape >= Shape::Object).then_some("the schema in the prompt"));
        f.write_str(&parts.join(", "))
    }
}
