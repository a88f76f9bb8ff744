//! What is asked of the tenant over HTTP: tokens, keys, and what the bot says in conversations.

use std::sync::Mutex;

use axum::http::Method;
use serde_json::{Value, json};

use super::limits::check_activity;
use super::{APP_ID, BOT, Fault, ISSUER, Posted, SECRET, State, TENANT, lock};
use crate::endpoint::{Asked, Says};

/// How it is answered.
pub(super) enum Said {
    Now(Says),
    Nothing,
    Never,
}

/// What was done, or the status and the word for no.
type Done = Result<(u16, Value), (u16, &'static str)>;

pub(super) fn answer(state: &Mutex<State>, asked: &Asked) -> Said {
    let mut state = lock(state);
    let parts: Vec<&str> = asked.path.split('/').skip(1).collect();
    let call = match (&asked.method, parts.as_slice()) {
        (&Method::POST, [_, "oauth2", "v2.0", "token"]) => "token",
        (&Method::GET, ["v1", ".well-known", "openidconfiguration"]) => "metadata",
        (&Method::GET, ["v1", ".well-known", "keys"]) => "keys",
        (&Method::POST, ["emea", "v3", "conversations"]) => "begin",
        (&Method::POST, ["emea", "v3", "conversations", _, "activities"]) => "post",
        (&Method::PUT, ["emea", "v3", "conversations", _, "activities", _]) => "put",
        (&Method::POST, ["workflow", ..]) => "workflow",
        _ => "other",
    };
    let body = serde_json::from_slice(&asked.body).unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&asked.body)));
    state.calls.push((call.to_owned(), body.clone()));
    let fault = state.faults.get_mut(call).and_then(std::collections::VecDeque::pop_front);
    match fault {
        Some(Fault::TooMany(seconds)) => {
            let says = Says::json(429, &json!({ "error": { "code": "TooManyRequests" } }));
            return Said::Now(seconds.iter().fold(says, |says, seconds| says.with("retry-after", &seconds.to_string())));
        }
        Some(Fault::Status(status)) => return Said::Now(Says::raw(status, "text/html", "<html>oops</html>")),
        Some(Fault::Says(status, word)) => return Said::Now(refusal(call, status, word)),
        Some(Fault::Drop) => return Said::Nothing,
        Some(Fault::Hang) => return Said::Never,
        Some(Fault::LoseAnswer) | None => {}
    }
    let done = match call {
        "token" => give_token(&mut state, &parts, &body),
        "metadata" => Ok((200, metadata(&state))),
        "keys" => Ok((200, json!({ "keys": state.told.iter().map(|signer| signer.told()).collect::<Vec<_>>() }))),
        "workflow" => workflow(&state, &body),
        "other" => Err((404, "NotFound")),
        _ => speak(&mut state, call, &parts, asked, &body),
    };
    // What was asked is done; only its answer is lost.
    if fault == Some(Fault::LoseAnswer) {
        return Said::Nothing;
    }
    Said::Now(match done {
        // The webhook of a workflow answers with nothing.
        Ok((202, _)) => Says::status(202),
        Ok((status, body)) => Says::json(status, &body),
        Err((status, word)) => refusal(call, status, word),
    })
}

fn refusal(call: &str, status: u16, word: &str) -> Says {
    if call == "token" {
        return Says::json(status, &json!({ "error": word, "error_description": "AADSTS7000215: made up" }));
    }
    Says::json(status, &json!({ "error": { "code": word, "message": "made up" } }))
}

fn metadata(state: &State) -> Value {
    json!({
        "issuer": ISSUER,
        "authorization_endpoint": "https://invalid.botframework.com",
        "jwks_uri": format!("{}/v1/.well-known/keys", state.url),
        "id_token_signing_alg_values_supported": ["RS256"],
    })
}

fn give_token(state: &mut State, parts: &[&str], body: &Value) -> Done {
    let form = body.as_str().unwrap_or_default();
    let field = |name: &str| {
        let mut fields = form_urlencoded::parse(form.as_bytes());
        fields.find(|(key, _)| key == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
    };
    if parts.first() != Some(&TENANT) {
        return Err((400, "invalid_request"));
    }
    if field("client_id") != APP_ID {
        return Err((400, "unauthorized_client"));
    }
    if field("client_secret") != SECRET {
        return Err((401, "invalid_client"));
    }
    let asks = (field("grant_type"), field("scope"));
    if asks != ("client_credentials".to_owned(), "https://api.botframework.com/.default".to_owned()) {
        return Err((400, "invalid_scope"));
    }
    state.count += 1;
    let token = format!("opaque-{}", state.count);
    state.tokens.insert(token.clone());
    Ok((200, json!({ "token_type": "Bearer", "expires_in": 3_599, "ext_expires_in": 3_599, "access_token": token })))
}

fn workflow(state: &State, body: &Value) -> Done {
    if body.to_string().len() > state.bytes_max.min(28 * 1024) {
        return Err((413, "RequestEntityTooLarge"));
    }
    check_activity(body).map_err(|_| (400, "InvalidCard"))?;
    Ok((202, Value::Null))
}

fn speak(state: &mut State, call: &str, parts: &[&str], asked: &Asked, body: &Value) -> Done {
    let token = asked.header("authorization").strip_prefix("Bearer ").unwrap_or_default();
    if !state.tokens.contains(token) {
        return Err((401, "Unauthorized"));
    }
    let activity = if call == "begin" { &body["activity"] } else { body };
    if activity.is_object() {
        if asked.body.len() > state.bytes_max {
            return Err((413, "MessageSizeTooBig"));
        }
        check_activity(activity).map_err(|_| (400, "BadSyntax"))?;
    }
    state.count += 1;
    let id = format!("{}", 1_795_409_308_000 + state.count);
    match (call, parts) {
        ("begin", _) if body["isGroup"] == true => {
            let channel = body["channelData"]["channel"]["id"].as_str().unwrap_or_default();
            is_in(state, channel)?;
            if body["bot"]["id"] != BOT || body["tenantId"] != TENANT {
                return Err((400, "BadArgument"));
            }
            let conversation = format!("{channel};messageid={id}");
            put_up(state, &conversation, &id, activity);
            Ok((201, json!({ "id": conversation, "activityId": id })))
        }
        ("begin", _) => {
            let with =
                body["members"][0]["id"].as_str().filter(|_| body["tenantId"] == TENANT).ok_or((400, "BadArgument"))?;
            let known = state.talks.iter().find(|(_, person)| *person == with).map(|(talk, _)| talk.clone());
            // The same two have one conversation, however often it is begun.
            let talk = known.unwrap_or_else(|| format!("a:talk-{}", state.talks.len() + 1));
            state.talks.insert(talk.clone(), with.to_owned());
            Ok((201, json!({ "id": talk })))
        }
        ("post", [_, _, _, conversation, _]) => {
            is_in(state, conversation)?;
            put_up(state, conversation, &id, activity);
            Ok((201, json!({ "id": id })))
        }
        ("put", [_, _, _, conversation, _, id]) => {
            is_in(state, conversation)?;
            let found = state.posted.iter_mut().find(|posted| posted.id == *id && posted.conversation == *conversation);
            let posted = found.ok_or((404, "ActivityNotFoundInConversation"))?;
            posted.activity = activity.clone();
            posted.updates += 1;
            Ok((200, json!({ "id": id })))
        }
        _ => Err((404, "NotFound")),
    }
}

fn put_up(state: &mut State, conversation: &str, id: &str, activity: &Value) {
    let (conversation, id) = (conversation.to_owned(), id.to_owned());
    state.posted.push(Posted { conversation, id, activity: activity.clone(), updates: 0 });
}

/// Is the bot in a conversation?
fn is_in(state: &State, conversation: &str) -> Result<(), (u16, &'static str)> {
    if conversation.starts_with("19:") {
        let known = conversation.contains("@thread.tacv2") && !conversation.contains("nowhere");
        return match (known, state.is_in_team) {
            (false, _) => Err((404, "ConversationNotFound")),
            (true, false) => Err((403, "BotNotInConversationRoster")),
            (true, true) => Ok(()),
        };
    }
    if state.talks.contains_key(conversation) { Ok(()) } else { Err((404, "ConversationNotFound")) }
}
