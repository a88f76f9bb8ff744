//! Tells refusals apart: by status first, then by what the body names. Every endpoint words them differently and may change
//! its words; what is not recognised is "refused" with its status.

use serde_json::Value;

use super::wire::Refusal;
use crate::ports::ModelError;

/// What a refusal says, in small letters, wherever its endpoint puts it; never what it echoes of the request.
pub(super) struct Words {
    /// The parameter that it names, where it has a place for one: `max_tokens`, `messages[0].role`.
    pub(super) param: String,
    text: String,
}

impl Words {
    pub(super) fn of(refusal: &Refusal) -> Self {
        let Ok(json) = serde_json::from_str::<Value>(&refusal.body) else {
            return Self { param: String::new(), text: refusal.body.to_lowercase() };
        };
        // One endpoint wraps its error into a list.
        let top = json.get(0).unwrap_or(&json);
        let error = &top["error"];
        let mut said = Vec::new();
        for value in
            [error, &error["message"], &error["code"], &error["type"], &error["status"], &top["message"], &top["detail"]]
        {
            said.extend(value.as_str().map(str::to_owned));
        }
        // Validators name the place of each fault.
        for fault in top["detail"].as_array().into_iter().flatten() {
            said.extend(fault["msg"].as_str().map(str::to_owned));
            let place = fault["loc"].as_array().into_iter().flatten().filter_map(Value::as_str);
            said.push(place.collect::<Vec<_>>().join("."));
        }
        // A router keeps the words of whoever it asked inside.
        said.extend(error["metadata"]["raw"].as_str().map(str::to_owned));
        if said.is_empty() {
            said.push(refusal.body.clone());
        }
        let param = error["param"].as_str().unwrap_or_default().to_lowercase();
        Self { param, text: said.join(" ").to_lowercase() }
    }

    /// The same with nothing but the parameter.
    pub(super) fn only_param(&self) -> Self {
        Self { param: self.param.clone(), text: self.param.clone() }
    }

    /// Does it name the word, as a word of its own?
    pub(super) fn name(&self, word: &str) -> bool {
        let is_part = |c: char| c.is_alphanumeric() || c == '_';
        let found = |text: &str| {
            text.match_indices(word)
                .any(|(at, _)| !text[..at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
        };
        found(&self.param) || found(&self.text)
    }

    /// Does it say any of these, be it as part of a word?
    pub(super) fn say(&self, any: &[&str]) -> bool {
        any.iter().any(|part| self.text.contains(part))
    }
}

/// The error that a refusal stands for, and whether to ask again within the same call.
pub(super) fn judge(refusal: &Refusal, words: &Words) -> (ModelError, bool) {
    let Refusal { status, retry_after, .. } = *refusal;
    // "Too many requests" also means "no money left", and waiting does not help against that.
    if status == 402
        || words.say(&["insufficient_quota", "insufficient balance", "insufficient credit", "exceeded_current_quota"])
    {
        return (ModelError::Quota(status), false);
    }
    match status {
        429 => (ModelError::Busy { status, retry_after }, true),
        408 | 425 | 500..=599 => (ModelError::Down { status, retry_after }, true),
        300..=399 => (ModelError::Elsewhere(status), false),
        _ => (refused(status, words), false),
    }
}

fn refused(status: u16, words: &Words) -> ModelError {
    // Words before the status: one endpoint answers 400 to a wrong key, another to what its filter withholds.
    if status == 401 || words.say(&["invalid_api_key", "api key not valid", "invalid api key", "incorrect api key"]) {
        return ModelError::Key(status);
    }
    if words.say(&["content_filter", "content_policy", "content management policy", "responsibleaipolicy"]) {
        return ModelError::Filtered;
    }
    if is_too_long(words) || status == 413 {
        return ModelError::TooLong(status);
    }
    if is_beyond_limit(words) {
        return ModelError::Limit(status);
    }
    if names_no_model(words) {
        return ModelError::NoModel(status);
    }
    match status {
        // A page is of somebody in between.
        403 if !words.say(&["<html", "<!doctype"]) => ModelError::Key(status),
        404 | 405 => ModelError::NoPath(status),
        _ => ModelError::Refused(status),
    }
}

/// Is it about the length of the prompt?
pub(super) fn is_too_long(words: &Words) -> bool {
    words.say(&[
        "context_length",
        "context length",
        "context window",
        "context size",
        "prompt is too long",
        "too many input tokens",
    ])
}

/// Is it about the size of the limit, and not about its name? Under another name it might be taken for none.
fn is_beyond_limit(words: &Words) -> bool {
    let named = words.name("max_tokens") || words.name("max_completion_tokens");
    named && words.say(&["too large", "at most", "less than", "must be <", "<=", "greater than the maximum", "out of range"])
}

/// Is it about the name of the model?
pub(super) fn names_no_model(words: &Words) -> bool {
    let model = words.name("model") || words.name("models");
    words.say(&["model_not_found", "deploymentnotfound", "no models loaded", "model not exist"])
        || (model
            && words.say(&[
                "not found",
                "does not exist",
                "not a valid model",
                "invalid model",
                "unknown model",
                "not loaded",
            ]))
}

/// Is it about something that no other form of the request would change?
pub(super) fn is_final(refusal: &Refusal, words: &Words) -> bool {
    matches!(
        judge(refusal, words).0,
        ModelError::Key(_)
            | ModelError::Quota(_)
            | ModelError::Filtered
            | ModelError::TooLong(_)
            | ModelError::Limit(_)
            | ModelError::NoModel(_)
    )
}
