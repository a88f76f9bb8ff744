//! JSON-RPC: `/jsonrpc` with user and key in every question. Odoo 17 and 18 know nothing else; 19 still knows it.
//!
//! The sign-in happens once and is never repeated by itself: a server makes failed ones slow on purpose.

use std::marker::PhantomData;

use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeSeed;
use serde_json::{Value, json};

use super::answer::{Envelope, Said, decode};
use super::error::OdooError;
use super::http::{Answer, Transport};
use super::refusal::{Asked, refusal};
use super::wire::{Call, Wire};

const PATH: &str = "/jsonrpc";

/// What is asked of the server itself, before there is a user. Nothing else ever is.
#[derive(Clone, Copy)]
enum Common {
    Version,
    Authenticate,
    Databases,
}

impl Common {
    fn service_and_method(self) -> (&'static str, &'static str) {
        match self {
            Self::Version => ("common", "version"),
            Self::Authenticate => ("common", "authenticate"),
            Self::Databases => ("db", "list"),
        }
    }
}

/// A signed-in user of a database.
pub(super) struct JsonRpc {
    transport: Transport,
    database: String,
    user: String,
    key: SecretString,
    uid: i64,
}

impl JsonRpc {
    /// Signs in.
    pub(super) async fn sign_in(
        transport: Transport,
        database: &str,
        user: &str,
        key: &SecretString,
    ) -> Result<Self, OdooError> {
        let arguments = json!([database, user, key.expose_secret(), {}]);
        let answer: Value = common(&transport, database, Common::Authenticate, &arguments).await?;
        // A wrong user and a wrong password are both answered by `false`.
        let Some(uid) = answer.as_i64().filter(|uid| *uid > 0) else {
            return Err(OdooError::RefusedLogin { url: transport.shown().to_owned(), who: format!(" of {user:?}") });
        };
        Ok(Self { transport, database: database.to_owned(), user: user.to_owned(), key: key.clone(), uid })
    }
}

/// The version that the server says it is, as it says it: `18.0`.
pub(super) async fn version(transport: &Transport) -> Result<String, OdooError> {
    #[derive(serde::Deserialize)]
    struct About {
        server_version: String,
    }
    let about: About = common(transport, "", Common::Version, &json!([])).await?;
    Ok(about.server_version)
}

/// The databases that the server tells of. Many tell nothing, which is a refusal.
pub(super) async fn databases(transport: &Transport) -> Result<Vec<String>, OdooError> {
    common(transport, "", Common::Databases, &json!([])).await
}

async fn common<T>(transport: &Transport, database: &str, method: Common, arguments: &Value) -> Result<T, OdooError>
where
    T: serde::de::DeserializeOwned,
{
    let (service, name) = method.service_and_method();
    let asked =
        Asked { transport, database, who: String::new(), model: "", what: format!("{service}.{name}"), is_fields: false };
    let answer = transport.post(&asked.what, PATH, HeaderMap::new(), body(service, name, arguments)).await?;
    open(&asked, &answer, PhantomData::<T>)
}

fn body(service: &str, method: &str, arguments: &Value) -> Vec<u8> {
    let params = json!({ "service": service, "method": method, "args": arguments });
    json!({ "jsonrpc": "2.0", "method": "call", "params": params, "id": 1 }).to_string().into_bytes()
}

fn open<S, V>(asked: &Asked<'_>, answer: &Answer, seed: S) -> Result<V, OdooError>
where
    S: for<'de> DeserializeSeed<'de, Value = V>,
{
    if !answer.is_json {
        let detail = format!("HTTP {} with a web page or plain text instead of JSON", answer.status.as_u16());
        return Err(asked.transport.garbled(&asked.what, &detail));
    }
    match decode(&answer.body, Envelope(seed)) {
        Ok(Said::Result(value)) => Ok(value),
        Ok(Said::Fault(fault)) => Err(refusal(asked, &fault)),
        Ok(Said::Nothing) => Err(asked.transport.garbled(&asked.what, "there is no result in it")),
        Err(error) => Err(asked.transport.garbled(&asked.what, &error.to_string())),
    }
}

impl Wire for JsonRpc {
    async fn ask<S, V>(&self, call: &Call, seed: S) -> Result<V, OdooError>
    where
        S: for<'de> DeserializeSeed<'de, Value = V> + Send,
        V: Send,
    {
        // Such a method takes its records as the first argument; the question is about none of them.
        let positional = if call.is_of_records() { json!([[]]) } else { json!([]) };
        let arguments = json!([
            self.database,
            self.uid,
            self.key.expose_secret(),
            call.model(),
            call.method(),
            positional,
            call.arguments(),
        ]);
        let body = body("object", "execute_kw", &arguments);
        let answer = self.transport.post(&call.what(), PATH, HeaderMap::new(), body).await?;
        let asked = Asked {
            transport: &self.transport,
            database: &self.database,
            who: format!(" of {:?}", self.user),
            model: call.model(),
            what: call.what(),
            is_fields: call.is_fields(),
        };
        open(&asked, &answer, seed)
    }

    fn name(&self) -> String {
        format!("{} ({})", self.transport.shown(), self.database)
    }
}
