//! The Web API: what each method does to the workspace, and what it answers.

use std::sync::Mutex;

use serde_json::{Value, json};

use super::files;
use super::limits::{Surface, check, check_view};
use super::{APP, APP_ID, BOT, CHANNEL, ELSEWHERE, Fault, Posted, State, TEAM, lock};
use crate::endpoint::{Asked, Says};

/// How it is answered.
pub(super) enum Said {
    Now(Says),
    Nothing,
    Never,
}

/// What a method did, or its word for no.
pub(super) type Done = Result<Value, &'static str>;

pub(super) fn answer(state: &Mutex<State>, ws: &str, asked: &Asked) -> Said {
    let mut state = lock(state);
    if let Some(id) = asked.path.strip_prefix("/upload/v1/") {
        return files::take(&mut state, id, asked);
    }
    let is_form = asked.header("content-type").starts_with("application/x-www-form-urlencoded");
    let arguments = match () {
        () if asked.body.is_empty() => json!({}),
        () if is_form => files::fields(asked),
        () => asked.json(),
    };
    if asked.path.starts_with("/actions/") {
        state.calls.push(("response_url".to_owned(), arguments.clone()));
        return match next_fault(&mut state, "response_url") {
            Some(Fault::Status(status)) => Said::Now(Says::status(status)),
            Some(_) => Said::Nothing,
            None => {
                state.ephemeral.push(arguments);
                Said::Now(Says::raw(200, "text/plain", "ok"))
            }
        };
    }
    let method = asked.path.strip_prefix("/api/").unwrap_or_default().to_owned();
    state.calls.push((method.clone(), arguments.clone()));
    let fault = next_fault(&mut state, &method);
    match fault {
        Some(Fault::TooMany(seconds)) => {
            let says = Says::json(429, &json!({ "ok": false, "error": "ratelimited" }));
            let says = seconds.iter().fold(says, |says, seconds| says.with("retry-after", &seconds.to_string()));
            return Said::Now(says);
        }
        Some(Fault::Status(status)) => return Said::Now(Says::raw(status, "text/html", "<html>oops</html>")),
        Some(Fault::Says(word)) => return Said::Now(Says::json(200, &json!({ "ok": false, "error": word }))),
        Some(Fault::Drop) => return Said::Nothing,
        Some(Fault::Hang) => return Said::Never,
        Some(Fault::LoseAnswer) | None => {}
    }
    let token = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    // What the methods of files are asked comes as a form and in no other way.
    if method.starts_with("files.") && !is_form {
        return Said::Now(Says::json(200, &json!({ "ok": false, "error": "invalid_arguments" })));
    }
    let wanted = if method == "apps.connections.open" { APP } else { BOT };
    let done =
        if token == wanted { act(&mut state, &method, &arguments, (ws, asked.header("host"))) } else { Err("invalid_auth") };
    // What was asked is done; only its answer is lost.
    if fault == Some(Fault::LoseAnswer) {
        return Said::Nothing;
    }
    let mut body = match done {
        Ok(body) => body,
        Err(word) => json!({ "ok": false, "error": word }),
    };
    if body["ok"].is_null() {
        body["ok"] = true.into();
    }
    let scopes = state.scopes.clone();
    Said::Now(Says::json(200, &body).with("x-oauth-scopes", &scopes))
}

pub(super) fn next_fault(state: &mut State, method: &str) -> Option<Fault> {
    state.faults.get_mut(method).and_then(std::collections::VecDeque::pop_front)
}

fn act(state: &mut State, method: &str, arguments: &Value, (ws, host): (&str, &str)) -> Done {
    let text = |field: &str| arguments[field].as_str().unwrap_or_default().to_owned();
    match method {
        "auth.test" => Ok(json!({ "team_id": TEAM, "user_id": "UBOT", "bot_id": "BBOT", "team": "acme", "user": "reeve" })),
        "apps.connections.open" => {
            state.tickets += 1;
            Ok(json!({ "url": format!("{ws}/link/?ticket={}&app_id={APP_ID}", state.tickets) }))
        }
        "chat.postMessage" => {
            let channel = channel(&text("channel"))?;
            let posted = message(state, channel, arguments)?;
            state.posted.push(posted.clone());
            Ok(told(&posted))
        }
        "chat.update" => {
            let (channel, ts) = (text("channel"), text("ts"));
            let at = state.posted.iter().position(|posted| posted.channel == channel && posted.ts == ts);
            let at = at.ok_or("message_not_found")?;
            let mut changed = message(state, channel, arguments)?;
            let old = &state.posted[at];
            (changed.ts, changed.updates) = (ts, old.updates + 1);
            // Without blocks the old ones stay.
            if arguments["blocks"].is_null() {
                changed.blocks.clone_from(&old.blocks);
            }
            state.posted[at] = changed.clone();
            Ok(told(&changed))
        }
        "files.getUploadURLExternal" => files::begin(state, arguments, host),
        "files.completeUploadExternal" => files::complete(state, arguments),
        "chat.postEphemeral" => {
            channel(&text("channel"))?;
            state.ephemeral.push(arguments.clone());
            Ok(json!({ "message_ts": "1.2" }))
        }
        "conversations.info" => {
            let is_member = channel(&text("channel")).map(|_| true).or_else(|word| match word {
                "not_in_channel" => Ok(false),
                other => Err(other),
            })?;
            Ok(json!({ "channel": { "id": text("channel"), "name": "stock-approvals", "is_member": is_member } }))
        }
        "conversations.open" => Ok(json!({ "channel": { "id": format!("D{}", text("users")) } })),
        "conversations.history" => {
            let channel = text("channel");
            let mut found: Vec<Value> = state
                .posted
                .iter()
                .filter(|posted| posted.channel == channel)
                .map(|posted| {
                    let Posted { ts, text, blocks, metadata, .. } = posted;
                    json!({ "type": "message", "ts": ts, "text": text, "blocks": blocks, "metadata": metadata })
                })
                .collect();
            // Newest first.
            found.reverse();
            Ok(json!({ "messages": found, "has_more": false }))
        }
        "views.open" => {
            // A trigger opens one form and is used up.
            if !state.triggers.remove(&text("trigger_id")) {
                return Err("expired_trigger_id");
            }
            check_view(&arguments["view"]).map_err(|_| "invalid_arguments")?;
            let mut view = arguments["view"].clone();
            view["id"] = format!("V{}", state.views.len() + 1).into();
            state.views.push(view.clone());
            Ok(json!({ "view": view }))
        }
        "views.publish" => {
            check_view(&arguments["view"]).map_err(|_| "invalid_arguments")?;
            state.homes.insert(text("user_id"), arguments["view"].clone());
            Ok(json!({ "view": arguments["view"] }))
        }
        _ => Err("unknown_method"),
    }
}

/// The channel that is meant, where the bot may write in it.
fn channel(name: &str) -> Result<String, &'static str> {
    match name {
        CHANNEL | "stock-approvals" => Ok(CHANNEL.to_owned()),
        ELSEWHERE => Err("not_in_channel"),
        user if user.starts_with('U') => Ok(format!("D{user}")),
        direct if direct.starts_with('D') => Ok(direct.to_owned()),
        _ => Err("channel_not_found"),
    }
}

fn message(state: &mut State, channel: String, arguments: &Value) -> Result<Posted, &'static str> {
    let blocks = arguments["blocks"].as_array().cloned().unwrap_or_default();
    let text = arguments["text"].as_str().unwrap_or_default().to_owned();
    if text.is_empty() && blocks.is_empty() {
        return Err("no_text");
    }
    if text.chars().count() > 40_000 {
        return Err("msg_too_long");
    }
    check(&blocks, Surface::Message).map_err(|_| "invalid_blocks")?;
    files::shown(state, &blocks)?;
    state.now += 1;
    let ts = format!("{}.{:06}", state.now, state.posted.len());
    Ok(Posted { channel, ts, text, blocks, metadata: arguments["metadata"].clone(), updates: 0 })
}

fn told(posted: &Posted) -> Value {
    let Posted { channel, ts, text, blocks, .. } = posted;
    json!({ "channel": channel, "ts": ts, "message": { "type": "message", "ts": ts, "text": text, "blocks": blocks } })
}
