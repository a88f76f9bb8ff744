//! Tells the server's refusals apart. By the exception's name first, which no translation changes; by its message where that
//! says more (which field, which groups), which a translated server says in its own words.

use super::answer::Fault;
use super::error::OdooError;
use super::http::Transport;

/// Who asked what, for the error's text.
pub(super) struct Asked<'a> {
    /// The way to the server, which knows the secrets.
    pub(super) transport: &'a Transport,
    /// The database.
    pub(super) database: &'a str,
    /// ` of <user>`, or nothing.
    pub(super) who: String,
    /// The model, or nothing for a question to the server itself.
    pub(super) model: &'a str,
    /// For people: `stock.move.search_read`.
    pub(super) what: String,
    /// Was it asked what fields the model has?
    pub(super) is_fields: bool,
}

/// The error that a fault stands for.
pub(super) fn refusal(asked: &Asked<'_>, fault: &Fault) -> OdooError {
    let message = asked.transport.clean(&fault.message);
    let url = asked.transport.shown().to_owned();
    let login = || OdooError::RefusedLogin { url: asked.transport.shown().to_owned(), who: asked.who.clone() };
    let exception = fault.name.rsplit('.').next().unwrap_or_default();
    if names_no_database(&fault.message) {
        return OdooError::WrongDatabase { url, database: asked.transport.clean(asked.database) };
    }
    match exception {
        "AccessDenied" | "Unauthorized" | "SessionExpiredException" => return login(),
        // The user that signed in is not there any more.
        "MissingError" if fault.message.contains("res.users(") => return login(),
        "AccessError" if !fault.message.contains("unauthorized or invalid companies") => {
            let model = between(&fault.message, " (", ") records").or_else(|| model_in_brackets(&fault.message));
            let model = asked.transport.clean(model.unwrap_or(asked.model));
            return OdooError::AccessDenied { model, groups: asked.transport.clean(&granted_to(&fault.message)) };
        }
        "UserError" | "NotFound" | "KeyError" if !asked.model.is_empty() => {
            // `Object x doesn't exist` (17, 18; translated), `the model 'x' does not exist` (19).
            let named = message.starts_with("Object ") || message.starts_with("the model ");
            if named || asked.is_fields {
                return OdooError::UnknownModel { model: asked.model.to_owned() };
            }
        }
        "ValueError" => {
            if let Some(field) = unknown_field(&message, asked.model) {
                return OdooError::UnknownField { model: asked.model.to_owned(), field };
            }
        }
        _ => {}
    }
    if is_passing(&fault.name) {
        return OdooError::Busy { url, detail: message, retry_after: None };
    }
    let message = if message.is_empty() { asked.transport.clean(&fault.name) } else { message };
    OdooError::Server { what: asked.what.clone(), message }
}

/// PostgreSQL's words for a database that is not there.
fn names_no_database(message: &str) -> bool {
    message.contains("database \"") && message.contains("does not exist")
}

/// Trouble of the server's database that passes: restarted, out of connections, two transactions in each other's way.
fn is_passing(name: &str) -> bool {
    const PASSING: &[&str] = &[
        "psycopg2.OperationalError",
        "psycopg2.InterfaceError",
        "psycopg2.pool.PoolError",
        "psycopg2.errors.SerializationFailure",
        "psycopg2.errors.DeadlockDetected",
        "psycopg2.errors.LockNotAvailable",
        "psycopg2.errors.AdminShutdown",
        "psycopg2.errors.QueryCanceled",
        "psycopg2.errors.TooManyConnections",
        "odoo.sql_db.PoolError",
    ];
    PASSING.contains(&name)
}

/// `: it is granted to Inventory/User, …`, from the list of groups in an access error.
fn granted_to(message: &str) -> String {
    let listed: Vec<&str> = message.lines().filter_map(|line| line.trim().strip_prefix("- ")).map(str::trim).collect();
    // A field of the model is refused, not all of it: `- value (allowed for groups 'Inventory / Administrator')`.
    let fields: Vec<String> = listed
        .iter()
        .filter_map(|line| Some((line.split(" (").next()?, between(line, "allowed for groups ", ")")?)))
        .map(|(field, groups)| format!("its field {field} is granted to {groups}"))
        .collect();
    if !fields.is_empty() {
        return format!(": {}", fields.join("; "));
    }
    // A list that a record rule's error carries names records, not groups.
    if listed.is_empty() || !message.contains("groups:") {
        return String::new();
    }
    format!(": it is granted to {}", listed.join(", "))
}

fn model_in_brackets(message: &str) -> Option<&str> {
    let is_model = |word: &&str| word.contains('.') && word.chars().all(|c| c.is_ascii_alphanumeric() || "._".contains(c));
    message.split('(').skip(1).filter_map(|rest| rest.split(')').next()).find(is_model)
}

/// The field in `Invalid field 'x' on 'm'`, `Invalid field m.x in condition …` and their like.
fn unknown_field(message: &str, model: &str) -> Option<String> {
    let rest = message.strip_prefix("Invalid field ")?;
    if let Some(quoted) = rest.strip_prefix('\'') {
        return quoted.split('\'').next().map(str::to_owned);
    }
    let token = rest.split_whitespace().next()?;
    Some(token.strip_prefix(model).and_then(|rest| rest.strip_prefix('.')).unwrap_or(token).to_owned())
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let from = text.find(start)? + start.len();
    text[from..].find(end).map(|to| &text[from..from + to])
}
