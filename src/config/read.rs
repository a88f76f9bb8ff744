//! Reading values: TOML texts put over each other, the environment, secrets from files, and the types of single values.

use secrecy::{ExposeSecret, SecretString};
use toml::{Table, Value};

use super::ConfigError;

pub(super) fn read_secret(key: &str, path: &str, into: &mut SecretString) -> Result<(), ConfigError> {
    if path.is_empty() || !into.expose_secret().is_empty() {
        return Ok(());
    }
    let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Key {
        key: key.to_owned(),
        origin: path.to_owned(),
        message: format!("the file can not be read: {source}"),
    })?;
    if text.trim().is_empty() {
        // Without it a door that the operator meant to lock would stand open.
        let message = "the file is empty; write the secret into it, or leave the key empty".to_owned();
        return Err(ConfigError::Key { key: key.to_owned(), origin: path.to_owned(), message });
    }
    *into = SecretString::from(text.trim().to_owned());
    Ok(())
}

pub(super) fn parse(origin: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse::<Table>().map_err(|error| {
        // The parser's own text is a drawing of several lines.
        let line = 1 + error.span().and_then(|s| text.get(..s.start)).map_or(0, |t| t.matches('\n').count());
        let message = format!("line {line}: {}", error.message().trim().replace('\n', ", "));
        ConfigError::Syntax { origin: origin.to_owned(), message }
    })
}

/// Sections as what they configure; an error names the key.
pub(super) fn read<T: serde::de::DeserializeOwned>(origin: &str, table: Table) -> Result<T, ConfigError> {
    serde_path_to_error::deserialize(Value::Table(table)).map_err(|error| ConfigError::Key {
        key: error.path().to_string(),
        origin: origin.to_owned(),
        message: error.into_inner().to_string().trim().replace('\n', " "),
    })
}

pub(super) fn merge(into: &mut Table, from: Table) {
    for (key, value) in from {
        match (into.get_mut(&key), value) {
            (Some(Value::Table(old)), Value::Table(new)) => merge(old, new),
            // A list is taken whole: of two put together nobody could say what is in force.
            (_, value) => {
                into.insert(key, value);
            }
        }
    }
}

/// Sets one key from the environment, in the type that the default has.
pub(super) fn set(table: &mut Table, section: &str, key: &str, name: &str, text: &str) -> Result<(), ConfigError> {
    let bad = |message: String| ConfigError::Key {
        key: format!("{section}.{key}"),
        origin: format!("the environment variable {name}"),
        message,
    };
    let Some(Value::Table(keys)) = table.get_mut(section) else {
        return Err(bad(format!("there is no section [{section}]; config/default.toml lists them all")));
    };
    let Some(old) = keys.get(key) else {
        return Err(bad("there is no such key; config/default.toml lists them all".to_owned()));
    };
    let value = match old {
        Value::String(_) => Value::String(text.to_owned()),
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| bad(format!("{text:?} is not a whole number")))?),
        Value::Float(_) => Value::Float(text.parse().map_err(|_| bad(format!("{text:?} is not a number")))?),
        Value::Array(_) => Value::Array(
            text.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| Value::String(s.to_owned())).collect(),
        ),
        _ => return Err(bad("can not be set by the environment".to_owned())),
    };
    keys.insert(key.to_owned(), value);
    Ok(())
}
