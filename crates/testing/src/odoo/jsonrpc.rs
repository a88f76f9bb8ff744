//! `/jsonrpc`: the services `common`, `db` and `object`.

use serde_json::{Map, Value, json};

use super::Version;
use super::access::User;
use super::calls::{self, Answer, Args};
use super::fail::Fail;
use super::server::{Asked, Reply, version_info};
use super::state::State;

/// What a body asks for, for the traffic and the faults.
pub(super) fn asked(body: &[u8]) -> Asked {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let params = &body["params"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let service = text(&params["service"]);
    let method = text(&params["method"]);
    if service != "object" {
        return Asked { service, model: String::new(), method, args: Value::Null };
    }
    let args = params["args"].as_array().map(Vec::as_slice).unwrap_or_default();
    Asked {
        service,
        model: args.get(3).map(text).unwrap_or_default(),
        method: args.get(4).map(text).unwrap_or_default(),
        args: Value::Array(args.get(5..).unwrap_or_default().to_vec()),
    }
}

pub(super) fn answer(state: &mut State, body: &[u8]) -> Reply {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Reply::html(400, "Invalid JSON data") };
    let Some(request) = body.as_object() else { return Reply::html(400, "Invalid JSON-RPC data") };
    let id = request.get("id").cloned().unwrap_or(Value::Null);
    match dispatch(state, request.get("params").unwrap_or(&Value::Null)) {
        Ok(Answer::Nothing) => Reply::json(200, json!({"jsonrpc": "2.0", "id": id}).to_string().into_bytes()),
        Ok(Answer::Json(result)) => {
            let mut out = format!("{{\"jsonrpc\": \"2.0\", \"id\": {id}, \"result\": ").into_bytes();
            out.extend_from_slice(&result);
            out.push(b'}');
            Reply::json(200, out)
        }
        Err(fail) => Reply::json(200, fail.json_rpc(state.version, &id).to_string().into_bytes()),
    }
}

fn json_answer(value: &Value) -> Answer {
    Answer::Json(value.to_string().into_bytes())
}

fn dispatch(state: &mut State, params: &Value) -> Result<Answer, Fail> {
    let lacking: Vec<&str> = ["service", "method", "args"].into_iter().filter(|name| params.get(name).is_none()).collect();
    if !lacking.is_empty() {
        let named: Vec<String> = lacking.iter().map(|name| format!("'{name}'")).collect();
        let named = match named.as_slice() {
            [one] => one.clone(),
            [one, two] => format!("{one} and {two}"),
            _ => format!("{}, and {}", named[..2].join(", "), named[2]),
        };
        let (count, s) = (lacking.len(), if lacking.len() == 1 { "" } else { "s" });
        return Err(Fail::kind(format!("RPC.jsonrpc() missing {count} required positional argument{s}: {named}")));
    }
    let method = params["method"].as_str().unwrap_or_default();
    let args = params["args"].as_array().map(Vec::as_slice).unwrap_or_default();
    match (params["service"].as_str().unwrap_or_default(), method) {
        ("common", "version") => Ok(json_answer(&version_info(state.version))),
        ("common", "authenticate" | "login") => {
            let text = |at: usize| args.get(at).and_then(Value::as_str).unwrap_or_default();
            database(state, text(0))?;
            // A wrong password is no error in this protocol: the answer is `false`.
            let user = state.users.iter().find(|user| user.login == text(1) && user.opens(text(2)));
            Ok(json_answer(&user.map_or(Value::Bool(false), |user| json!(user.uid))))
        }
        ("common" | "db", "server_version") => Ok(json_answer(&version_info(state.version)["server_version"])),
        ("db", "list") if !state.lists_databases => Err(Fail::denied()),
        ("db", "list") => Ok(json_answer(&json!([state.database]))),
        ("db", "db_exist") => Ok(json_answer(&json!(args.first().and_then(Value::as_str) == Some(&state.database)))),
        ("object", "execute_kw" | "execute") => object(state, method, args),
        ("common" | "db" | "object", other) => Err(Fail::kind(format!("Method not available {other}"))),
        (other, _) => Err(Fail::key(other)),
    }
}

fn database(state: &State, name: &str) -> Result<(), Fail> {
    if name == state.database { Ok(()) } else { Err(Fail::no_database(name)) }
}

/// Who asks. What is wrong with a user that is no number or is not there is said otherwise than what is wrong with a secret.
fn user(state: &State, uid: &Value, secret: &Value) -> Result<User, Fail> {
    let Some(uid) = uid.as_i64() else { return Err(Fail::denied()) };
    let user = state.users.iter().find(|user| user.uid == uid);
    let user = user.ok_or_else(|| Fail::missing("res.users", uid, uid))?;
    if user.opens(secret.as_str().unwrap_or_default()) { Ok(user.clone()) } else { Err(Fail::denied()) }
}

fn object(state: &mut State, how: &str, args: &[Value]) -> Result<Answer, Fail> {
    let [database_name, uid, secret, model, method, rest @ ..] = args else {
        return Err(Fail::value(format!("not enough values to unpack (expected 5, got {})", args.len())));
    };
    database(state, database_name.as_str().unwrap_or_default())?;
    let user = user(state, uid, secret)?;
    let (model, method) = (model.as_str().unwrap_or_default(), method.as_str().unwrap_or_default());
    if !state.schema.contains_key(model) {
        return Err(Fail::user(format!("Object {model} doesn't exist")));
    }
    if method.starts_with('_') || (method == "check_access" && state.version == Version::V19) {
        let shown = if state.version == Version::V19 { format!("'{model}.{method}'") } else { method.to_owned() };
        return Err(Fail::access(format!("Private methods (such as {shown}) cannot be called remotely.")));
    }
    if !calls::knows(state.version, method) {
        return Err(Fail::attribute(match state.version {
            Version::V19 => format!("The method '{model}.{method}' does not exist"),
            _ => format!("The method '{method}' does not exist on the model '{model}'"),
        }));
    }
    let empty = Map::new();
    // `execute` takes its arguments one by one and knows no names.
    let (positional, named) = if how == "execute" {
        (rest, &empty)
    } else {
        let positional = rest.first().and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        (positional, rest.get(1).and_then(Value::as_object).unwrap_or(&empty))
    };
    let args = Args::bind(method, positional, named.clone())?;
    calls::call(state, &user, model, method, &args)
}
