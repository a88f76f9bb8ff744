//! The figures of the moment, for whoever asks: read and computed when they are asked for, and kept for a minute, so that a
//! page that is loaded again and a collector that asks often cost little.

use std::sync::Arc;

use anyhow::Context;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::{Period, Report, read, report};
use crate::clock::Clock;
use crate::config::Config;
use crate::pipeline::moment::Moments;
use crate::store::Store;

/// How long figures are as good as new.
const FRESH: SignedDuration = SignedDuration::from_secs(60);

/// Computes figures.
pub struct Figures {
    store: Store,
    config: Arc<Config>,
    clock: Clock,
    moments: Arc<Moments>,
    kept: Mutex<Option<(Period, Timestamp, Arc<Report>)>>,
}

impl Figures {
    /// Figures of this store, with the book of the moment.
    pub fn new(store: Store, config: Arc<Config>, clock: Clock, moments: Arc<Moments>) -> Self {
        Self { store, config, clock, moments, kept: Mutex::new(None) }
    }

    /// The business day of this moment.
    pub fn today(&self) -> jiff::civil::Date {
        self.config.rules.calendar.calendar().day_of(self.clock.now())
    }

    /// The figures of a period.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn of(&self, period: Period) -> anyhow::Result<Arc<Report>> {
        let now = self.clock.now();
        // Held while it is computed: whoever asks meanwhile gets the same.
        let mut kept = self.kept.lock().await;
        // Figures from a time that has not come yet are none: the clock was set back.
        if let Some((of, at, report)) = &*kept
            && *of == period
            && now.duration_since(*at) < FRESH
            && now >= *at
        {
            return Ok(Arc::clone(report));
        }
        let moment = self.moments.now().await.context("computing the moment")?;
        let rows = read(&self.store, &self.config, period, now).await?;
        let config = Arc::clone(&self.config);
        let book = moment.whole_book(&self.store).await.context("reading all sales")?;
        let computed = tokio::task::spawn_blocking(move || report(&rows, &book, &moment.seen.overview, &config, period));
        let report = Arc::new(computed.await.context("computing the figures")?);
        *kept = Some((period, now, Arc::clone(&report)));
        Ok(report)
    }
}
