//! The bot's own token: asked for with its secret, kept while it holds, and asked for once however many need it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use reqwest::Client;
use reqwest::header::CONTENT_TYPE;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::sync::Mutex;

use super::api::{CallError, read_json};
use crate::clock::Clock;
use crate::config::TeamsConfig;

/// What the token is for.
const SCOPE: &str = "https://api.botframework.com/.default";

/// How long before its end it is renewed.
const EARLY: Duration = Duration::from_mins(5);

/// Longest life of one that is believed.
const LIFE_MAX: u64 = 24 * 3_600;

#[derive(Clone)]
struct Held {
    token: SecretString,
    until: Timestamp,
}

/// The bot's token. Clones share it.
#[derive(Clone)]
pub struct Tokens {
    client: Client,
    address: String,
    app_id: String,
    secret: SecretString,
    clock: Clock,
    held: Arc<Mutex<Option<Held>>>,
}

impl Tokens {
    /// None yet.
    pub fn new(teams: &TeamsConfig, client: Client, clock: Clock) -> Self {
        let (app_id, secret) = (teams.app_id.clone(), teams.app_secret.clone());
        Self { client, address: teams.token_address(), app_id, secret, clock, held: Arc::default() }
    }

    /// The token that holds now.
    ///
    /// # Errors
    /// [`CallError::NoToken`] where the directory refuses it, else as any call.
    pub async fn token(&self) -> Result<SecretString, CallError> {
        // Held while it is asked for, so that those who come meanwhile get the same one.
        let mut held = self.held.lock().await;
        let now = self.clock.wire();
        let left = |it: &Held| Duration::try_from(it.until.duration_since(now)).unwrap_or_default();
        if let Some(it) = held.as_ref().filter(|it| left(it) > EARLY) {
            return Ok(it.token.clone());
        }
        match self.ask(now).await {
            Ok(new) => Ok(held.insert(new).token.clone()),
            // It still holds for some minutes.
            Err(error) => match held.as_ref().filter(|it| !left(it).is_zero()) {
                Some(old) => Ok(old.token.clone()),
                None => Err(error),
            },
        }
    }

    /// It was refused: the next call asks for another one.
    pub async fn forget(&self, refused: &SecretString) {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|it| it.token.expose_secret() == refused.expose_secret()) {
            *held = None;
        }
    }

    async fn ask(&self, now: Timestamp) -> Result<Held, CallError> {
        let form = form_urlencoded::Serializer::new(String::new())
            .append_pair("grant_type", "client_credentials")
            .append_pair("client_id", &self.app_id)
            .append_pair("client_secret", self.secret.expose_secret())
            .append_pair("scope", SCOPE)
            .finish();
        let request = self.client.post(&self.address).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        let answer = read_json(request, &self.clock).await.map_err(|error| match error {
            CallError::Refused { code, .. } => CallError::NoToken(code),
            other => other,
        })?;
        let token = answer["access_token"].as_str().filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| CallError::Lost("the answer holds no token".to_owned()))?;
        // A token that comes without a time is used this once.
        let seconds = answer["expires_in"].as_u64().unwrap_or_default().min(LIFE_MAX);
        let until = now.checked_add(Duration::from_secs(seconds)).unwrap_or(now);
        Ok(Held { token: SecretString::from(token.to_owned()), until })
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use reeve_testing::teams::{self as tenant, Fault, Teams};

    use super::*;
    use crate::config::Config;

    #[tokio::test]
    async fn it_is_asked_for_once_renewed_early_and_kept_while_it_holds() {
        let teams = Teams::start().await;
        let mut config = Config::load_from(None, &[]).unwrap().teams;
        (config.app_id, config.tenant) = (tenant::APP_ID.to_owned(), tenant::TENANT.to_owned());
        config.app_secret = SecretString::from(tenant::SECRET.to_owned());
        config.token_url = format!("{}/{{tenant}}/oauth2/v2.0/token", teams.host);
        let clock = Clock::standing_at("2026-10-09T06:30:00Z".parse().unwrap());
        let client = crate::http::client(config.timeout).unwrap();
        let tokens = Tokens::new(&config, client, clock.clone());
        let asked = || teams.calls("token").len();
        let (one, two, three) = tokio::join!(tokens.token(), tokens.token(), tokens.token());
        let first = one.unwrap().expose_secret().to_owned();
        assert_eq!((two.unwrap().expose_secret(), three.unwrap().expose_secret()), (&*first, &*first));
        assert_eq!(asked(), 1, "those who come together ask once");
        let later = |minutes: i64| clock.set(clock.now().checked_add(SignedDuration::from_mins(minutes)).unwrap());
        // The double's tokens hold for an hour, and the last five minutes are there to renew them in.
        later(54);
        assert_eq!((tokens.token().await.unwrap().expose_secret(), asked()), (&*first, 1));
        later(1);
        teams.fail("token", Fault::Status(503));
        assert_eq!((tokens.token().await.unwrap().expose_secret(), asked()), (&*first, 2), "it holds for five minutes more");
        let renewed = tokens.token().await.unwrap();
        assert_ne!(renewed.expose_secret(), first);
        tokens.forget(&SecretString::from(first)).await;
        assert_eq!((tokens.token().await.unwrap().expose_secret(), asked()), (renewed.expose_secret(), 3));
        later(120);
        teams.fail("token", Fault::Says(401, "invalid_client"));
        assert!(matches!(tokens.token().await, Err(CallError::NoToken(code)) if code == "invalid_client"));
    }
}
