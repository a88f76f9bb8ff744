//! A chat completion as far as it is needed. Everything else is read over: what an endpoint adds, leaves out or says in
//! another type must not cost the answer. What is needed and says two things is refused.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The whole, or a piece of a stream.
#[derive(Deserialize)]
pub(super) struct Completion {
    pub(super) choices: Option<Vec<Choice>>,
}

/// One answer.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    pub(super) message: Option<Message>,
    /// A piece of the message, in a stream.
    pub(super) delta: Option<Message>,
    /// Of a server that takes a chat for a text to go on with.
    pub(super) text: Loose,
    pub(super) finish_reason: Loose,
    pub(super) error: Option<serde_json::Value>,
}

/// What was said.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Message {
    pub(super) content: Content,
    pub(super) refusal: Loose,
    /// Thoughts, by the two names they go by.
    pub(super) reasoning_content: Loose,
    pub(super) reasoning: Loose,
    pub(super) tool_calls: Option<Vec<ToolCall>>,
    pub(super) function_call: Option<Function>,
}

/// A call of a tool. None is offered; some servers give an answer with a schema in this form.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct ToolCall {
    pub(super) index: Count,
    pub(super) function: Option<Function>,
}

/// Whose arguments are the answer.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Function {
    pub(super) arguments: Option<String>,
}

/// Tokens, by the names they go by.
#[expect(clippy::struct_field_names, reason = "they are the names on the wire")]
#[derive(Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct Usage {
    #[serde(alias = "input_tokens")]
    pub(super) prompt_tokens: Count,
    #[serde(alias = "output_tokens")]
    pub(super) completion_tokens: Count,
    pub(super) total_tokens: Count,
}

/// What stands beside the choices and is read by itself: where it can not be read, the answer still can.
#[derive(Deserialize)]
pub(super) struct UsageOnly {
    pub(super) usage: Option<Usage>,
}

/// The same for an error in the place of an answer.
#[derive(Deserialize)]
pub(super) struct ErrorOnly {
    pub(super) error: Option<serde_json::Value>,
}

/// The text of a message, and what of it are thoughts.
#[derive(Default)]
pub(super) struct Content {
    pub(super) text: String,
    pub(super) thoughts: String,
    pub(super) refused: bool,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Parts;
        impl<'de> Visitor<'de> for Parts {
            type Value = Content;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, a list of parts, or null")
            }

            fn visit_unit<E>(self) -> Result<Content, E> {
                Ok(Content::default())
            }

            fn visit_str<E>(self, text: &str) -> Result<Content, E> {
                Ok(Content { text: text.to_owned(), ..Content::default() })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Content, A::Error> {
                let mut all = Content::default();
                while let Some(part) = parts.next_element::<Part>()? {
                    let text = part.text.0.unwrap_or_default();
                    match part.kind.0.as_deref() {
                        None | Some("text" | "output_text") => all.text.push_str(&text),
                        Some("refusal") => all.refused = true,
                        Some(kind) if kind.contains("thinking") || kind.contains("reasoning") => {
                            // Its name stands for thoughts that lie deeper than is read
                            // here: that there were some is what counts.
                            all.thoughts.push_str(part.kind.0.as_deref().unwrap_or_default());
                            all.thoughts.push_str(&text);
                        }
                        Some(_) => {}
                    }
                }
                Ok(all)
            }
        }
        deserializer.deserialize_any(Parts)
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Part {
    #[serde(rename = "type")]
    kind: Loose,
    text: Loose,
}

/// Text where text stands; anything else counts as nothing.
#[derive(Default)]
pub(super) struct Loose(pub(super) Option<String>);

impl Loose {
    /// The text, if there is any in it.
    pub(super) fn said(&self) -> Option<&str> {
        self.0.as_deref().filter(|text| !text.trim().is_empty())
    }
}

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any(|any: Scalar<'_>| match any {
            Scalar::Text(text) => Loose(Some(text.to_owned())),
            Scalar::Number(_) | Scalar::Other => Loose(None),
        }))
    }
}

/// A whole number where one stands (5, 5.0); anything else, a negative number too, counts as nothing.
#[derive(Clone, Copy, Default)]
pub(super) struct Count(pub(super) Option<u64>);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// Beyond this a float does not count in ones.
        const EXACT: f64 = 9_007_199_254_740_992.0;
        deserializer.deserialize_any(Any(|any: Scalar<'_>| match any {
            Scalar::Number(n) if (0.0..=EXACT).contains(&n) && n.fract() == 0.0 => Count(Some(n as u64)),
            _ => Count(None),
        }))
    }
}

/// What [`Any`] finds.
enum Scalar<'t> {
    Text(&'t str),
    Number(f64),
    Other,
}

/// Takes a value of any type.
struct Any<F>(F);

impl<'de, T, F: FnOnce(Scalar<'_>) -> T> Visitor<'de> for Any<F> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_bool<E>(self, _: bool) -> Result<T, E> {
        Ok(self.0(Scalar::Other))
    }

    fn visit_i64<E>(self, n: i64) -> Result<T, E> {
        Ok(self.0(Scalar::Number(n as f64)))
    }

    fn visit_u64<E>(self, n: u64) -> Result<T, E> {
        Ok(self.0(Scalar::Number(n as f64)))
    }

    fn visit_f64<E>(self, n: f64) -> Result<T, E> {
        Ok(self.0(Scalar::Number(n)))
    }

    fn visit_str<E>(self, text: &str) -> Result<T, E> {
        Ok(self.0(Scalar::Text(text)))
    }

    fn visit_unit<E>(self) -> Result<T, E> {
        Ok(self.0(Scalar::Other))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<T, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(self.0(Scalar::Other))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<T, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self.0(Scalar::Other))
    }
}
