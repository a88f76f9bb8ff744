//! Files: asked for, uploaded by an address of their own, completed, and shown by messages.

use serde_json::{Value, json};

use super::methods::{Done, Said, next_fault};
use super::{Fault, State, Uploaded};
use crate::endpoint::{Asked, Says};

/// The fields of a form.
pub(super) fn fields(asked: &Asked) -> Value {
    form_urlencoded::parse(&asked.body).map(|(name, value)| (name.into_owned(), Value::from(value.into_owned()))).collect()
}

fn may(state: &State) -> Result<(), &'static str> {
    if state.scopes.split(',').any(|scope| scope == "files:write") { Ok(()) } else { Err("missing_scope") }
}

/// Says where a file is to be uploaded to.
pub(super) fn begin(state: &mut State, arguments: &Value, host: &str) -> Done {
    may(state)?;
    let length = arguments["length"].as_str().and_then(|length| length.parse().ok());
    let length = length.filter(|length| *length > 0 && arguments["filename"].is_string()).ok_or("invalid_arguments")?;
    let id = format!("F{:08}", state.files.len() + 1);
    state.files.push(Uploaded { id: id.clone(), length, ..Uploaded::default() });
    Ok(json!({ "upload_url": format!("http://{host}/upload/v1/{id}"), "file_id": id }))
}

/// Takes the bytes.
pub(super) fn take(state: &mut State, id: &str, asked: &Asked) -> Said {
    state.calls.push(("upload".to_owned(), json!({ "file": id })));
    match next_fault(state, "upload") {
        Some(Fault::TooMany(seconds)) => {
            let says = Says::status(429);
            return Said::Now(seconds.iter().fold(says, |says, seconds| says.with("retry-after", &seconds.to_string())));
        }
        Some(Fault::Status(status)) => return Said::Now(Says::status(status)),
        Some(Fault::Hang) => return Said::Never,
        Some(_) => return Said::Nothing,
        None => {}
    }
    // The address is the secret: a token has no business there.
    if !asked.header("authorization").is_empty() {
        return Said::Now(Says::status(403));
    }
    match state.files.iter_mut().find(|file| file.id == id && file.length == asked.body.len()) {
        Some(file) => {
            file.bytes = asked.body.to_vec();
            Said::Now(Says::raw(200, "text/plain", format!("OK - {}", asked.body.len())))
        }
        None => Said::Now(Says::status(400)),
    }
}

/// Completes uploads.
pub(super) fn complete(state: &mut State, arguments: &Value) -> Done {
    may(state)?;
    let files: Vec<Value> =
        arguments["files"].as_str().and_then(|files| serde_json::from_str(files).ok()).ok_or("invalid_arguments")?;
    for asked in &files {
        let file = state.files.iter_mut().find(|file| asked["id"] == *file.id && !file.bytes.is_empty());
        let file = file.ok_or("file_not_found")?;
        asked["title"].as_str().unwrap_or_default().clone_into(&mut file.title);
        file.complete = true;
    }
    Ok(json!({ "files": files }))
}

/// May a message show the files that it names?
pub(super) fn shown(state: &mut State, blocks: &[Value]) -> Result<(), &'static str> {
    let mut named = blocks.iter().filter_map(|block| block["slack_file"]["id"].as_str()).peekable();
    if named.peek().is_some() && state.looks > 0 {
        state.looks -= 1;
        return Err("invalid_blocks");
    }
    let is_there = |id: &str| state.files.iter().any(|file| file.id == id && file.complete);
    if named.all(is_there) { Ok(()) } else { Err("invalid_blocks") }
}
