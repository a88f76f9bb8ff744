//! Errors as Odoo answers them: the exception's name, its words, a traceback that nobody outside should see.

use serde_json::{Value, json};

use super::Version;

/// An answer that is an error.
#[derive(Clone, Debug)]
pub(super) struct Fail {
    /// `odoo.exceptions.AccessError` and the like.
    pub name: &'static str,
    pub message: String,
    /// The HTTP status under JSON-2.
    pub status: u16,
}

/// Stands in every traceback, so that tests can show that none is ever let through.
pub(super) const SECRET_PATH: &str = "/opt/odoo/odoo/http.py";

impl Fail {
    fn new(name: &'static str, status: u16, message: impl Into<String>) -> Self {
        Self { name, message: message.into(), status }
    }

    pub(super) fn value(message: impl Into<String>) -> Self {
        Self::new("builtins.ValueError", 500, message)
    }

    pub(super) fn kind(message: impl Into<String>) -> Self {
        Self::new("builtins.TypeError", 500, message)
    }

    pub(super) fn attribute(message: impl Into<String>) -> Self {
        Self::new("builtins.AttributeError", 500, message)
    }

    pub(super) fn key(message: impl Into<String>) -> Self {
        Self::new("builtins.KeyError", 500, message)
    }

    pub(super) fn user(message: impl Into<String>) -> Self {
        Self::new("odoo.exceptions.UserError", 422, message)
    }

    pub(super) fn access(message: impl Into<String>) -> Self {
        Self::new("odoo.exceptions.AccessError", 403, message)
    }

    pub(super) fn denied() -> Self {
        Self::new("odoo.exceptions.AccessDenied", 403, "Access Denied")
    }

    pub(super) fn missing(model: &str, id: i64, uid: i64) -> Self {
        let message = format!("Record does not exist or has been deleted.\n(Record: {model}({id},), User: {uid})");
        Self::new("odoo.exceptions.MissingError", 404, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Self {
        Self::new("werkzeug.exceptions.NotFound", 404, message)
    }

    pub(super) fn unauthorized(message: impl Into<String>) -> Self {
        Self::new("werkzeug.exceptions.Unauthorized", 401, message)
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Self {
        Self::new("werkzeug.exceptions.BadRequest", 400, message)
    }

    pub(super) fn unprocessable(message: impl Into<String>) -> Self {
        Self::new("werkzeug.exceptions.UnprocessableEntity", 422, message)
    }

    /// A datetime in a domain that can not be read: by PostgreSQL, or from 19 on by Odoo itself.
    pub(super) fn bad_datetime(version: Version, model: &str, field: &str, operator: &str, value: &str) -> Self {
        let dated = value.len() >= 10 && value.bytes().take(10).all(|byte| byte.is_ascii_digit() || byte == b'-');
        if version == Version::V19 {
            let term = format!("Invalid term '{value}' in expression date: '{value}'");
            return Self::value(if dated { "month must be in 1..12".to_owned() } else { term });
        }
        let table = model.replace('.', "_");
        let shown: String = value.chars().take(9).collect();
        let (name, problem) = if dated {
            ("psycopg2.errors.DatetimeFieldOverflow", "date/time field value out of range")
        } else {
            ("psycopg2.errors.InvalidDatetimeFormat", "invalid input syntax for type timestamp")
        };
        let message = format!(
            "{problem}: \"{value}\"\nLINE 1: ...M \"{table}\" WHERE (\"{table}\".\"{field}\" \
             {operator} '{shown}...\n{:>62}\n",
            "^"
        );
        Self::new(name, 500, message)
    }

    /// PostgreSQL can not read a number that stands in a domain.
    pub(super) fn bad_number(model: &str, field: &str, operator: &str, value: &str) -> Self {
        let table = model.replace('.', "_");
        let message = format!(
            "invalid input syntax for type integer: \"{value}\"\nLINE 1: ...\"id\" FROM \"{table}\" WHERE (\"{table}\".\"{field}\" \
             {operator} '{value}') AND...\n{:>62}\n",
            "^"
        );
        Self::new("psycopg2.errors.InvalidTextRepresentation", 500, message)
    }

    pub(super) fn assertion(message: impl Into<String>) -> Self {
        Self::new("builtins.AssertionError", 500, message)
    }

    pub(super) fn negative_limit() -> Self {
        Self::new("psycopg2.errors.InvalidRowCountInLimitClause", 500, "LIMIT must not be negative\n")
    }

    pub(super) fn no_database(name: &str) -> Self {
        let message =
            format!("connection to server at \"127.0.0.1\", port 5432 failed: FATAL:  database \"{name}\" does not exist\n");
        Self::new("psycopg2.OperationalError", 500, message)
    }

    fn debug(&self) -> String {
        let name = self.name.strip_prefix("builtins.").unwrap_or(self.name);
        format!(
            "Traceback (most recent call last):\n  File \"{SECRET_PATH}\", line 1954, in _transactioning\n    return \
             service_model.retrying(func, env=self.env)\n           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  File \
             \"/opt/odoo/odoo/service/model.py\", line 137, in retrying\n    result = func()\n             ^^^^^^\n{name}: \
             {}\n",
            self.message
        )
    }

    /// The object that tells of the exception: `data` of JSON-RPC, the whole body of JSON-2.
    pub(super) fn data(&self) -> Value {
        let web = self.name.starts_with("werkzeug.");
        let arguments = if web { json!([self.message, self.status]) } else { json!([self.message]) };
        json!({
            "name": self.name,
            "message": self.message,
            "arguments": arguments,
            "context": {},
            "debug": self.debug(),
        })
    }

    /// As JSON-RPC answers it.
    pub(super) fn json_rpc(&self, version: Version, id: &Value) -> Value {
        let code = if version == Version::V19 { 0 } else { 200 };
        json!({
            "jsonrpc": "2.0",
            "id": id,
            "error": {"code": code, "message": "Odoo Server Error", "data": self.data()},
        })
    }
}
