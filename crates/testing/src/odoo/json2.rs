//! `/json/2/<model>/<method>`: Odoo 19's API. A bearer key, named arguments, a bare result, real HTTP codes.

use axum::http::{HeaderMap, Method, header};
use serde_json::{Map, Value};

use super::access::User;
use super::calls::{self, Answer, Args};
use super::fail::Fail;
use super::server::{Asked, Reply, is_json};
use super::state::State;

/// What is shown where nothing says which of several databases is meant, or one that is not there.
const NO_DATABASE: &str = "<!DOCTYPE html>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n<p>No database is selected and the \
    requested URL was not found in the server-wide controllers.</p>\n<p>Please verify the hostname, <a \
    href=/web/login>login</a> and try again.</p>\n\n<!-- Alternatively, use the X-Odoo-Database header. -->\n";

fn parts(path: &str) -> (&str, &str) {
    let rest = path.strip_prefix("/json/2/").unwrap_or_default();
    rest.split_once('/').unwrap_or((rest, ""))
}

/// What a request asks for, for the traffic and the faults.
pub(super) fn asked(path: &str, body: &[u8]) -> Asked {
    let (model, method) = parts(path);
    Asked {
        service: "json/2".to_owned(),
        model: model.to_owned(),
        method: method.to_owned(),
        args: serde_json::from_slice(body).unwrap_or_default(),
    }
}

pub(super) fn answer(state: &mut State, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Reply {
    if method == Method::POST && !is_json(headers) {
        let reply = Reply::wrong_type(415, "/json/2/&lt;__model__&gt;/&lt;__method__&gt;", "json2");
        return Reply { extra: vec![("Accept", "application/json".to_owned())], ..reply };
    }
    match dispatch(state, method, path, headers, body) {
        Ok(Answer::Json(result)) => Reply::json(200, result),
        Ok(Answer::Nothing) => Reply::json(200, b"null".to_vec()),
        Err(fail) if fail.message == NO_DATABASE => Reply::html(404, NO_DATABASE),
        Err(fail) => {
            let mut reply = Reply::json(fail.status, fail.data().to_string().into_bytes());
            if fail.status == 401 {
                reply.extra.push(("WWW-Authenticate", "Bearer ".to_owned()));
            }
            reply
        }
    }
}

fn user(state: &State, headers: &HeaderMap) -> Result<User, Fail> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let given = text(header::AUTHORIZATION.as_str()).and_then(|value| value.split_once(' '));
    let given = given.filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    let Some((_, key)) = given else {
        return Err(Fail::unauthorized("User not authenticated, use an API Key with a Bearer Authorization header."));
    };
    // A password is no key here.
    let user = state.users.iter().find(|user| user.key_valid && user.key == key.trim());
    user.cloned().ok_or_else(|| Fail::unauthorized("Invalid apikey"))
}

fn dispatch(state: &mut State, method: &Method, path: &str, headers: &HeaderMap, body: &[u8]) -> Result<Answer, Fail> {
    let database = headers.get("X-Odoo-Database").and_then(|value| value.to_str().ok());
    // A server of one database knows which is meant; one of several has to be told.
    if database.map_or(state.many_databases, |name| name != state.database) {
        return Err(Fail::not_found(NO_DATABASE));
    }
    if method != Method::POST {
        return Err(Fail::not_found("Did you mean POST /json/2/<model>/<method>?"));
    }
    let user = user(state, headers)?;
    let body: Map<String, Value> = match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => body,
        Ok(_) => Map::new(),
        Err(_) => {
            return Err(Fail::bad_request(
                "could not parse the body as json: Expecting property name enclosed in double quotes: line 1 column 2 (char 1)",
            ));
        }
    };
    let (model, name) = parts(path);
    if !state.schema.contains_key(model) {
        return Err(Fail::not_found(format!("the model '{model}' does not exist")));
    }
    if name.starts_with('_') || name == "check_access" {
        return Err(Fail::access(format!("Private methods (such as '{model}.{name}') cannot be called remotely.")));
    }
    if !calls::knows(state.version, name) {
        return Err(Fail::not_found(format!("The method '{model}.{name}' does not exist")));
    }
    let needed: &[&str] = match name {
        "write" => &["vals"],
        "create" => &["vals_list"],
        "has_access" | "check_access" => &["operation"],
        "search" | "search_count" => &["domain"],
        "read_group" => &["domain", "fields", "groupby"],
        _ => &[],
    };
    if let Some(lacking) = needed.iter().find(|needed| !body.contains_key(**needed)) {
        return Err(Fail::unprocessable(format!("missing a required argument: '{lacking}'")));
    }
    // Odoo's own `search_read` takes any further argument and passes it on.
    if let Some(odd) = Args::odd(name, &body).filter(|_| name != "search_read") {
        return Err(Fail::unprocessable(format!("got an unexpected keyword argument '{odd}'")));
    }
    let args = Args::bind(name, &[], body)?;
    calls::call(state, &user, model, name, &args)
}
