//! A server that is asked again when it fails in passing: a few times, with growing pauses that never meet those of others
//! exactly. A pause that the server asks for is kept; one that is long is left to the caller, who has other things to do.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Right, Scope, Server, Version};
use super::error::OdooError;
use crate::rows::cell::Cell;
use reeve_http::retry::Retries;

/// How often a question is put, and how long is waited here.
const RETRIES: Retries = Retries { attempts: 4, first: Duration::from_millis(500), longest: Duration::from_mins(1) };

/// Waits.
#[async_trait]
pub trait Sleeper: Send + Sync {
    /// For as long as it says.
    async fn sleep(&self, pause: Duration);
}

/// Waits in real time.
#[derive(Clone, Copy, Debug)]
pub struct RealSleep;

#[async_trait]
impl Sleeper for RealSleep {
    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

/// A server, asked patiently.
pub struct Patient {
    inner: Arc<dyn Server>,
    sleeper: Arc<dyn Sleeper>,
    jitter: Mutex<ChaCha8Rng>,
}

impl Patient {
    /// Around `inner`. `seed` sets the pauses' small differences: another one for each process that asks the same server.
    pub fn new(inner: Arc<dyn Server>, sleeper: Arc<dyn Sleeper>, seed: u64) -> Self {
        Self { inner, sleeper, jitter: Mutex::new(ChaCha8Rng::seed_from_u64(seed)) }
    }

    /// How long to wait after a failed attempt (the first is 1), or nothing if it is not to be tried again.
    fn pause(&self, error: &OdooError, attempt: u32) -> Option<Duration> {
        if !error.is_transient() {
            return None;
        }
        let chance = self.jitter.lock().unwrap_or_else(PoisonError::into_inner).gen_range(0.0..1.0);
        // "At once" is an answer of a server that is overwhelmed: it gets our pause all the same.
        let asked = error.asked_pause().filter(|asked| !asked.is_zero());
        RETRIES.pause(attempt, asked, chance)
    }

    async fn again<T, F>(&self, ask: impl Fn() -> F + Send) -> Result<T, OdooError>
    where
        F: Future<Output = Result<T, OdooError>> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            let error = match ask().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            // Not every error passes: a refused sign-in is never put again by itself.
            let Some(pause) = self.pause(&error, attempt) else { return Err(error) };
            tracing::debug!(%error, attempt, pause_ms = pause.as_millis(), "Odoo is asked again");
            self.sleeper.sleep(pause).await;
            attempt += 1;
        }
    }
}

#[async_trait]
impl Server for Patient {
    fn version(&self) -> Version {
        self.inner.version()
    }

    fn name(&self) -> String {
        self.inner.name()
    }

    async fn fields(&self, model: &str) -> Result<BTreeMap<String, FieldInfo>, OdooError> {
        self.again(|| self.inner.fields(model)).await
    }

    async fn rows(&self, ask: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError> {
        self.again(|| self.inner.rows(ask)).await
    }

    async fn ids(&self, model: &str, domain: &Domain, limit: usize, scope: &Scope) -> Result<Vec<i64>, OdooError> {
        self.again(|| self.inner.ids(model, domain, limit, scope)).await
    }

    async fn count(&self, model: &str, domain: &Domain, scope: &Scope) -> Result<u64, OdooError> {
        self.again(|| self.inner.count(model, domain, scope)).await
    }

    async fn groups(&self, ask: &ReadGroups) -> Result<Vec<Group>, OdooError> {
        self.again(|| self.inner.groups(ask)).await
    }

    async fn may(&self, model: &str, right: Right) -> Result<bool, OdooError> {
        self.again(|| self.inner.may(model, right)).await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Answers with its errors, then counts rows.
    struct Moody {
        errors: Vec<OdooError>,
        asked: AtomicUsize,
    }

    #[async_trait]
    impl Server for Moody {
        fn version(&self) -> Version {
            Version::V18
        }

        fn name(&self) -> String {
            "moody".to_owned()
        }

        async fn fields(&self, _: &str) -> Result<BTreeMap<String, FieldInfo>, OdooError> {
            panic!("not asked here")
        }

        async fn rows(&self, _: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError> {
            panic!("not asked here")
        }

        async fn ids(&self, _: &str, _: &Domain, _: usize, _: &Scope) -> Result<Vec<i64>, OdooError> {
            panic!("not asked here")
        }

        async fn count(&self, _: &str, _: &Domain, _: &Scope) -> Result<u64, OdooError> {
            let at = self.asked.fetch_add(1, Ordering::SeqCst);
            self.errors.get(at).map_or(Ok(7), |error| Err(error.clone()))
        }

        async fn groups(&self, _: &ReadGroups) -> Result<Vec<Group>, OdooError> {
            panic!("not asked here")
        }

        async fn may(&self, _: &str, _: Right) -> Result<bool, OdooError> {
            panic!("not asked here")
        }
    }

    fn busy(retry_after: Option<Duration>) -> OdooError {
        OdooError::Busy { url: "http://x".to_owned(), detail: "HTTP 429".to_owned(), retry_after }
    }

    fn gone() -> OdooError {
        OdooError::Unreachable { url: "http://x".to_owned(), detail: "refused".to_owned() }
    }

    /// Keeps how long it was to wait.
    #[derive(Default)]
    struct Naps(Mutex<Vec<Duration>>);

    #[async_trait]
    impl Sleeper for Naps {
        async fn sleep(&self, pause: Duration) {
            self.0.lock().unwrap().push(pause);
        }
    }

    /// The answer, how often it was asked, and the pauses between.
    async fn count(errors: Vec<OdooError>, seed: u64) -> (Result<u64, OdooError>, usize, Vec<Duration>) {
        let moody = Arc::new(Moody { errors, asked: AtomicUsize::new(0) });
        let naps = Arc::new(Naps::default());
        let patient = Patient::new(Arc::clone(&moody) as _, Arc::clone(&naps) as _, seed);
        let answer = patient.count("a.b", &Domain::all(), &Scope::default()).await;
        let pauses = naps.0.lock().unwrap().clone();
        (answer, moody.asked.load(Ordering::SeqCst), pauses)
    }

    #[tokio::test]
    async fn what_fails_in_passing_is_asked_again_with_growing_pauses() {
        let errors = vec![gone(), busy(None), gone()];
        let (answer, asked, pauses) = count(errors.clone(), 1).await;
        assert_eq!((answer, asked), (Ok(7), 4));
        for (pause, plain) in pauses.iter().zip([1, 2, 4]) {
            let plain = RETRIES.first * plain;
            assert!(*pause >= plain && *pause <= plain.mul_f64(1.5), "{pause:?}");
        }
        assert_eq!(pauses.len(), 3);
        assert_ne!(count(errors, 2).await.2, pauses, "another process waits a little differently");
    }

    #[tokio::test]
    async fn patience_ends() {
        let (answer, asked, pauses) = count(vec![gone(); 9], 1).await;
        assert_eq!((answer, asked, pauses.len()), (Err(gone()), 4, 3));
    }

    #[tokio::test]
    async fn a_pause_that_the_server_asks_for_is_kept() {
        let asked_for = Duration::from_secs(20);
        let (answer, asked, pauses) = count(vec![busy(Some(asked_for))], 1).await;
        assert_eq!((answer, asked, pauses.len()), (Ok(7), 2, 1));
        assert!(pauses[0] >= asked_for && pauses[0] <= asked_for.mul_f64(1.5), "{pauses:?}");
    }

    #[tokio::test]
    async fn a_long_pause_is_the_callers_and_a_refusal_is_not_asked_again() {
        let long = busy(Some(Duration::from_mins(10)));
        assert_eq!(count(vec![long.clone()], 1).await, (Err(long), 1, Vec::new()));
        let refused = OdooError::RefusedLogin { url: "http://x".to_owned(), who: String::new() };
        assert_eq!(count(vec![refused.clone()], 1).await, (Err(refused), 1, Vec::new()));
    }
}
