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
    // First of all, so that no part of a secret is taken for something else.
    let said = asked.transport.redact(&fault.message);
    let message = asked.transport.clean(&said);
    let url = asked.transport.shown().to_owned();
    let login = || OdooError::RefusedLogin { url: asked.transport.shown().to_owned(), who: asked.who.clone() };
    let exception = fault.name.rsplit('.').next().unwrap_or_default();
    if names_no_database(&said) {
        return OdooError::WrongDatabase { url, database: asked.transport.clean(asked.database) };
    }
    match exception {
        "AccessDenied" | "Unauthorized" | "SessionExpiredException" => return login(),
        // The user that signed in is not there any more.
        "MissingError" if said.contains("res.users(") => return login(),
        "AccessError" if !said.contains("unauthorized or invalid companies") => {
            let model = between(&said, " (", ") records").or_else(|| model_in_brackets(&said));
            let model = asked.transport.clean(model.unwrap_or(asked.model));
            return OdooError::AccessDenied { model, groups: asked.transport.clean(&granted_to(&said)) };
        }
        "UserError" | "NotFound" | "KeyError" if !asked.model.is_empty() => {
            // `Object x doesn't exist` (17, 18; translated), `the model 'x' does not exist` (19).
            let named = message.starts_with("Object ") || message.starts_with("the model ");
            if named || asked.is_fields {
                return OdooError::UnknownModel { model: asked.model.to_owned() };
            }
        }
        "ValueError" => {
            if let Some((model, field)) = unknown_field(&message) {
                return OdooError::UnknownField { model: model.unwrap_or(asked.model).to_owned(), field: field.to_owned() };
            }
        }
        _ => {}
    }
    // A lock or a broken connection inside the server passes by itself, whatever it was about.
    if is_passing(&fault.name) {
        return OdooError::Busy { url, detail: asked.transport.quote(&message), retry_after: None };
    }
    let message = if message.is_empty() { &fault.name } else { &message };
    OdooError::Server { what: asked.what.clone(), message: asked.transport.quote(message) }
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
    // 19 says it of one field on a line of its own.
    if let (Some(field), Some(groups)) =
        (between(message, "the field \"", "\""), message.split("allowed for groups ").nth(1))
    {
        return format!(": its field {field} is granted to {}", groups.lines().next().unwrap_or_default());
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

/// Model and field in `Invalid field 'x' on model 'm'`, `Invalid field 'x' on 'm'` and `Invalid field m.x in …`.
fn unknown_field(message: &str) -> Option<(Option<&str>, &str)> {
    let rest = message.strip_prefix("Invalid field ")?;
    if let Some(quoted) = rest.strip_prefix('\'') {
        let (field, behind) = quoted.split_once('\'')?;
        return Some((between(behind, "'", "'"), field));
    }
    let token = rest.split_whitespace().next()?;
    Some(token.rsplit_once('.').map_or((None, token), |(model, field)| (Some(model), field)))
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> Option<&'t str> {
    let from = text.find(start)? + start.len();
    text[from..].find(end).map(|to| &text[from..from + to])
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use proptest::prelude::*;

    use super::*;
    use reeve_ports::clock::Clock;

    fn error_of(key: &str, name: &str, message: &str, is_fields: bool) -> OdooError {
        let mut config = crate::settings::defaults();
        config.url = "http://127.0.0.1:8069".to_owned();
        config.api_key = key.to_owned().into();
        let transport = Transport::new(&config, Clock::standing_at(Timestamp::UNIX_EPOCH)).unwrap();
        let (model, what) = ("stock.move", "stock.move.search_read".to_owned());
        let asked =
            Asked { transport: &transport, database: "retail", who: " of \"reeve\"".to_owned(), model, what, is_fields };
        refusal(&asked, &Fault { name: name.to_owned(), message: message.to_owned() })
    }

    #[test]
    fn what_a_translated_server_says_is_told_apart_by_the_exception() {
        let denied =
            error_of("k3y-k3y", "odoo.exceptions.AccessError", "Vous n'êtes pas autorisé à accéder (stock.quant)", false);
        assert_eq!(denied, OdooError::AccessDenied { model: "stock.quant".to_owned(), groups: String::new() });
        let unknown = error_of("k3y-k3y", "odoo.exceptions.UserError", "L'objet stock.move n'existe pas", true);
        assert_eq!(unknown, OdooError::UnknownModel { model: "stock.move".to_owned() });
    }

    #[test]
    fn the_records_that_a_rule_refuses_are_not_taken_for_groups() {
        let message =
            "Sorry, Reeve (id=8) doesn't have 'read' access to:\n- Stock Move (stock.move)\n\nBlame the rules:\n- one";
        let denied = error_of("k3y-k3y", "odoo.exceptions.AccessError", message, false);
        assert_eq!(denied, OdooError::AccessDenied { model: "stock.move".to_owned(), groups: String::new() });
    }

    proptest! {
        #[test]
        fn no_error_ever_shows_the_key(
            key in "[!-~]{8,40}",
            name in prop::sample::select(vec![
                "odoo.exceptions.AccessDenied", "odoo.exceptions.AccessError", "odoo.exceptions.UserError",
                "odoo.exceptions.MissingError", "builtins.ValueError", "builtins.KeyError", "psycopg2.OperationalError",
                "psycopg2.errors.InvalidDatetimeFormat", "werkzeug.exceptions.NotFound", "",
            ]),
            start in prop::sample::select(vec![
                "", "Invalid field ", "Invalid field '", "Object ", "database \"x\" does not exist ", "You may not (",
                "allowed for the following groups:\n\t- ", "Fields:\n- value (allowed for groups '",
            ]),
            end in "[ -~\\n]{0,500}",
            is_fields: bool,
        ) {
            let error = error_of(&key, name, &format!("{start}{key}{end}"), is_fields);
            // What Reeve says itself may hold any short text by chance.
            let own = error_of(&key, name, &format!("{start}***{end}"), is_fields);
            prop_assert_eq!(error.to_string(), own.to_string());
            prop_assert_eq!(format!("{error:?}"), format!("{own:?}"));
        }
    }
}
