//! Finds out what answers at the configured address, and signs in: once, without trying again.
//!
//! The connection that comes back asks each question once. [`super::patient`] asks again where that helps.

use std::sync::Arc;

use secrecy::ExposeSecret;
use serde::Deserialize;

use super::call::{Server, Version};
use super::client::Client;
use super::error::OdooError;
use super::http::Transport;
use super::json2::Json2;
use super::jsonrpc::{self, JsonRpc};
use crate::settings::{OdooConfig, OdooProtocol};
use reeve_ports::clock::Clock;

/// Signs in to the configured server.
///
/// # Errors
/// [`OdooError::Setting`] where the configuration has to be completed first; else what is wrong with server, version,
/// database or sign-in.
pub async fn connect(config: &OdooConfig, clock: &Clock) -> Result<Arc<dyn Server>, OdooError> {
    let transport = Transport::new(config, clock.clone())?;
    if transport.is_open() {
        tracing::warn!(url = transport.shown(), "the key goes to Odoo without encryption: set an https address in odoo.url");
    }
    if config.api_key.expose_secret().is_empty() {
        return Err(unset("odoo.api_key", "it is empty: set REEVE_ODOO__API_KEY, or odoo.api_key_file"));
    }
    // The version is asked before anything else: it says which way the sign-in has to go.
    let version = version(&transport).await?;
    let json2 = match config.protocol {
        OdooProtocol::Auto => version >= Version::V19,
        OdooProtocol::Json2 if version < Version::V19 => {
            return Err(unset("odoo.protocol", "json2 is not known before Odoo 19: set it to auto"));
        }
        OdooProtocol::Json2 => true,
        OdooProtocol::JsonRpc => false,
    };
    // The key says whose it is over JSON-2; over JSON-RPC nobody can sign in without a login.
    if !json2 && config.user.is_empty() {
        return Err(unset("odoo.user", "it is empty: set the login of the reading user"));
    }
    let database = match config.database.trim() {
        "" => only_database(&transport).await?,
        named => named.to_owned(),
    };
    Ok(if json2 {
        Arc::new(Client::new(Json2::sign_in(transport, &database, &config.api_key).await?, version))
    } else {
        Arc::new(Client::new(JsonRpc::sign_in(transport, &database, &config.user, &config.api_key).await?, version))
    })
}

fn unset(key: &'static str, message: &str) -> OdooError {
    OdooError::Setting { key, message: message.to_owned() }
}

async fn version(transport: &Transport) -> Result<Version, OdooError> {
    let said = match asked_by_web(transport).await? {
        Some(said) => said,
        // Before 19 there is only this way to ask.
        None => jsonrpc::version(transport).await.map_err(|error| match error {
            OdooError::Garbled { url, .. } => {
                OdooError::Unreachable { url, detail: "what answers there is not Odoo".to_owned() }
            }
            error => error,
        })?,
    };
    let version = understood(&said)
        .ok_or_else(|| OdooError::Unsupported { url: transport.shown().to_owned(), version: transport.clean(&said) })?;
    if major(&said).is_some_and(|major| major > 19) {
        tracing::warn!(
            version = transport.clean(&said),
            "this Odoo is newer than those Reeve was tried with: it is read as a 19"
        );
    }
    Ok(version)
}

/// `/web/version`, which 19 has and older ones answer by a page.
async fn asked_by_web(transport: &Transport) -> Result<Option<String>, OdooError> {
    #[derive(Deserialize)]
    struct Said {
        version: String,
    }
    match transport.get("version", "/web/version").await {
        Ok(answer) if answer.status.is_success() && answer.is_json => {
            Ok(serde_json::from_slice::<Said>(&answer.body).ok().map(|said| said.version))
        }
        // Older servers answer by a page. A redirect of the whole server shows at the next question.
        Ok(_) | Err(OdooError::Garbled { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// The number in `18.0`, `saas~18.2` and `19.0+e`.
fn major(said: &str) -> Option<u32> {
    let number: String = said.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    number.parse().ok()
}

fn understood(said: &str) -> Option<Version> {
    match major(said)? {
        0..=16 => None,
        17 => Some(Version::V17),
        18 => Some(Version::V18),
        _ => Some(Version::V19),
    }
}

async fn only_database(transport: &Transport) -> Result<String, OdooError> {
    let found = match jsonrpc::databases(transport).await {
        Ok(found) => found,
        Err(error) if error.is_transient() => return Err(error),
        Err(_) => return Err(unset("odoo.database", "it is empty, and the server does not tell which databases it has")),
    };
    match found.as_slice() {
        [only] => Ok(only.clone()),
        [] => Err(unset("odoo.database", "the server has none yet")),
        several => {
            let names = transport.clean(&several.join(", "));
            Err(unset("odoo.database", &format!("it is empty, and the server has several: set one of {names}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_understood_however_it_is_written() {
        assert_eq!(understood("17.0-20240101"), Some(Version::V17));
        assert_eq!(understood("18.0"), Some(Version::V18));
        assert_eq!(understood("saas~18.3+e"), Some(Version::V18));
        assert_eq!(understood("19.0+e"), Some(Version::V19));
        assert_eq!(understood("21.1a1"), Some(Version::V19));
        assert_eq!(understood("16.0"), None);
        assert_eq!(understood("9.0c"), None);
        assert_eq!(understood("nonsense"), None);
    }
}
