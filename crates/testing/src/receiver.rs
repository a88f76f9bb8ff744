//! A receiver of signed messages, as a retailer would write one: it verifies, and answers what it is told to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use standardwebhooks::Webhook;

use crate::endpoint::{Asked, Endpoint, Says};

/// A secret for tests.
pub const SECRET: &str = "whsec_aG9sZG91dC1zZWNyZXQtMzItYnl0ZXMtbG9uZyEhISE=";

/// Is a call signed by `secret`? Its time is not looked at: the library holds it against the clock on the wall, and a test's
/// clock stands.
pub fn is_signed(call: &Asked, secret: &str) -> bool {
    let signed = || {
        let at = call.header("webhook-timestamp").parse().ok()?;
        Webhook::new(secret).ok()?.sign(call.header("webhook-id"), at, &call.body).ok()
    };
    signed().is_some_and(|signed| signed == call.header("webhook-signature"))
}

/// A running receiver. It ends when dropped.
#[derive(Debug)]
pub struct Receiver {
    endpoint: Endpoint,
    got: Arc<Mutex<Vec<(String, String)>>>,
    minds_time: Arc<AtomicBool>,
}

impl Receiver {
    /// Starts one that knows [`SECRET`] and answers `answers` in turn, then 200. What is not signed it refuses with 401.
    pub async fn start(answers: &[u16]) -> Self {
        let (got, minds_time) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<AtomicBool>::default());
        let answers: Mutex<Vec<u16>> = Mutex::new(answers.iter().rev().copied().collect());
        let (keep, minds) = (Arc::clone(&got), Arc::clone(&minds_time));
        let endpoint = Endpoint::start(move |call| {
            let in_time = || Webhook::new(SECRET).is_ok_and(|key| key.verify(&call.body, &call.headers).is_ok());
            let status = if !is_signed(&call, SECRET) || (minds.load(Ordering::SeqCst) && !in_time()) {
                401
            } else {
                answers.lock().unwrap_or_else(PoisonError::into_inner).pop().unwrap_or(200)
            };
            if (200..300).contains(&status) {
                let message = (call.header("webhook-id").to_owned(), call.text().to_owned());
                keep.lock().unwrap_or_else(PoisonError::into_inner).push(message);
            }
            std::future::ready(Some(Says::status(status)))
        });
        Self { endpoint: endpoint.await, got, minds_time }
    }

    /// Where it is sent to.
    pub fn url(&self) -> String {
        format!("{}/", self.endpoint.url)
    }

    /// From now on it holds a signature's time against the clock on the wall, as receivers do.
    pub fn mind_the_time(&self) {
        self.minds_time.store(true, Ordering::SeqCst);
    }

    /// What it took: ids and bodies.
    pub fn got(&self) -> Vec<(String, String)> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
