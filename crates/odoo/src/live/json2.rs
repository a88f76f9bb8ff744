//! JSON-2: `POST /json/2/<model>/<method>` with the key as bearer. Odoo 19 and later.

use std::marker::PhantomData;

use reqwest::StatusCode;
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeSeed;
use serde_json::{Map, Value, json};

use super::answer::{Fault, decode};
use super::error::OdooError;
use super::http::Transport;
use super::refusal::{Asked, refusal};
use super::wire::{Call, Wire};

/// Says which database is meant, where a server has several.
const DATABASE: HeaderName = HeaderName::from_static("x-odoo-database");

/// A user's key to a database.
pub(super) struct Json2 {
    transport: Transport,
    database: String,
    headers: HeaderMap,
}

impl Json2 {
    /// Tries the key.
    pub(super) async fn sign_in(transport: Transport, database: &str, key: &SecretString) -> Result<Self, OdooError> {
        let setting = |key: &'static str| {
            move |_| OdooError::Setting { key, message: "it holds signs that no header can carry".to_owned() }
        };
        let bearer = format!("Bearer {}", key.expose_secret());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(setting("odoo.api_key"))?;
        // Marked, so that no log of headers writes it.
        bearer.set_sensitive(true);
        let named = HeaderValue::from_str(database).map_err(setting("odoo.database"))?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, bearer), (DATABASE, named)]);
        let server = Self { transport, database: database.to_owned(), headers };
        // A harmless question, as only an answer shows that the key is good.
        let call = Call::who();
        let who = server.ask(&call, PhantomData::<Map<String, Value>>).await?;
        if who.get("uid").and_then(Value::as_i64).is_none() {
            return Err(server.transport.garbled(&call.what(), "it names no user"));
        }
        Ok(server)
    }
}

impl Wire for Json2 {
    async fn ask<S, V>(&self, call: &Call, seed: S) -> Result<V, OdooError>
    where
        S: for<'de> DeserializeSeed<'de, Value = V> + Send,
        V: Send,
    {
        let path = format!("/json/2/{}/{}", call.model(), call.method());
        let mut arguments = call.arguments().clone();
        // A method of records is called on none of them: such a question is about the model, and still has to name its ids.
        if call.is_of_records() {
            arguments.insert("ids".to_owned(), json!([]));
        }
        let body = Value::Object(arguments).to_string().into_bytes();
        let answer = self.transport.post(&call.what(), &path, self.headers.clone(), body).await?;
        let asked = Asked {
            transport: &self.transport,
            database: &self.database,
            who: String::new(),
            model: call.model(),
            what: call.what(),
            is_fields: call.is_fields(),
        };
        let status = answer.status;
        // A gateway's page comes with any status, so it is told apart before the status is read.
        if !answer.is_json {
            // Without a database there is no such path, and the server says so with a page.
            if status == StatusCode::NOT_FOUND {
                let (url, database) = (self.transport.shown().to_owned(), self.database.clone());
                return Err(OdooError::WrongDatabase { url, database });
            }
            let detail = format!("HTTP {} with a web page or plain text instead of JSON", status.as_u16());
            return Err(self.transport.garbled(&asked.what, &detail));
        }
        let garbled = |error: serde_json::Error| self.transport.garbled(&asked.what, &error.to_string());
        if status.is_success() {
            return decode(&answer.body, seed).map_err(garbled);
        }
        let fault = decode(&answer.body, PhantomData::<Fault>).map_err(garbled)?;
        // Here the key alone says who asks; there is no name to be shown.
        if status == StatusCode::UNAUTHORIZED {
            return Err(OdooError::RefusedLogin { url: self.transport.shown().to_owned(), who: String::new() });
        }
        Err(refusal(&asked, &fault))
    }

    fn name(&self) -> String {
        format!("{} ({})", self.transport.shown(), self.database)
    }
}
