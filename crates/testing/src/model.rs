//! What a language model's endpoint says, in the dialect that most of them speak.

use serde_json::{Value, json};

use crate::endpoint::{Endpoint, Says};

/// Where questions go, below the address of an [`Endpoint`].
pub const BASE: &str = "/v1";

/// A chat completion with this content.
pub fn completion(content: impl Into<Value>) -> Value {
    json!({
        "id": "c-1", "object": "chat.completion", "created": 1_793_460_600, "model": "stub-1",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": content.into() }, "finish_reason": "stop" }],
        "usage": { "prompt_tokens": 2000, "completion_tokens": 200, "total_tokens": 2200 }
    })
}

/// Starts an endpoint that goes through `steps`, one for each question; where a step is nothing it never answers.
///
/// # Panics
/// The endpoint's task, where it is asked more often than there are steps: the question is then not answered.
pub async fn scripted(steps: Vec<impl Into<Option<Says>>>) -> Endpoint {
    let steps: Vec<Option<Says>> = steps.into_iter().map(Into::into).collect();
    Endpoint::start(move |asked| {
        let step = steps.get(asked.before).cloned().expect("the script has a step for each call");
        async move { if step.is_some() { step } else { std::future::pending().await } }
    })
    .await
}
