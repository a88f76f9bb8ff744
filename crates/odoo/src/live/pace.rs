//! Politeness: how often a server is asked, and when it is left alone.
//!
//! A [`Pace`] is shared by everything that asks one server, so that the limit holds for all of it together. Quiet hours are
//! looked up by whoever asks, who then stops for the day's rest instead of waiting in the middle of something.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::Time;
use jiff::tz::TimeZone;
use tokio::sync::Mutex;
use tokio::time::{Instant, sleep_until};

use super::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Right, Scope, Server, Version};
use super::error::OdooError;
use crate::rows::cell::Cell;

/// Lets requests through one after the other, so many in a second, and counts them.
#[derive(Debug)]
pub struct Pace {
    /// Time from one request to the next.
    step: Duration,
    /// When the next one may go.
    next: Mutex<Option<Instant>>,
    requests: AtomicU64,
}

impl Pace {
    /// At most `per_second` requests in a second; zero or less: as many as are asked.
    pub fn new(per_second: f64) -> Self {
        let step = if per_second > 0.0 {
            Duration::try_from_secs_f64(1.0 / per_second).unwrap_or(Duration::MAX)
        } else {
            Duration::ZERO
        };
        // A rate so low that it never comes is a day.
        Self { step: step.min(Duration::from_hours(24)), next: Mutex::new(None), requests: AtomicU64::new(0) }
    }

    /// Waits until a request may go.
    pub async fn turn(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        if self.step.is_zero() {
            return;
        }
        let at = {
            let mut next = self.next.lock().await;
            let at = next.map_or_else(Instant::now, |at| at.max(Instant::now()));
            *next = Some(at + self.step);
            at
        };
        sleep_until(at).await;
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Hours of the day in which a server is left alone.
#[derive(Clone, Debug)]
pub struct Quiet {
    from: Time,
    until: Time,
    zone: TimeZone,
}

/// Why quiet hours are not understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("odoo.quiet_hours is {text:?}; write it as \"HH:MM-HH:MM\", such as \"08:00-10:30\", or leave it empty")]
pub struct QuietError {
    text: String,
}

impl Quiet {
    /// Reads `HH:MM-HH:MM` in a time zone; hours that end before they begin go over midnight. Nothing: no quiet hours.
    pub fn parse(text: &str, zone: &TimeZone) -> Result<Option<Self>, QuietError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
        };
        let both = text.split_once('-').and_then(|(from, until)| Some((time(from)?, time(until)?)));
        match both {
            Some((from, until)) if from != until => Ok(Some(Self { from, until, zone: zone.clone() })),
            _ => Err(QuietError { text: text.to_owned() }),
        }
    }

    /// Until when it is quiet at `now`; None where it is not.
    pub fn over_at(&self, now: Timestamp) -> Option<Timestamp> {
        let here = now.to_zoned(self.zone.clone());
        let time = here.time();
        let inside = if self.from < self.until {
            self.from <= time && time < self.until
        } else {
            time >= self.from || time < self.until
        };
        if !inside {
            return None;
        }
        let day = if time < self.until { here.date() } else { here.date().tomorrow().ok()? };
        // Never in the past: an hour that the clocks skip ends when they have.
        day.to_datetime(self.until).to_zoned(self.zone.clone()).ok().map(|end| end.timestamp().max(now))
    }
}

/// A server that is asked no faster than agreed.
pub struct Paced {
    server: Arc<dyn Server>,
    pace: Arc<Pace>,
}

impl Paced {
    /// Asks `server` at the pace.
    pub fn new(server: Arc<dyn Server>, pace: Arc<Pace>) -> Self {
        Self { server, pace }
    }
}

#[async_trait]
impl Server for Paced {
    fn version(&self) -> Version {
        self.server.version()
    }

    fn name(&self) -> String {
        self.server.name()
    }

    async fn fields(&self, model: &str) -> Result<BTreeMap<String, FieldInfo>, OdooError> {
        self.pace.turn().await;
        self.server.fields(model).await
    }

    async fn rows(&self, ask: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError> {
        self.pace.turn().await;
        self.server.rows(ask).await
    }

    async fn ids(&self, model: &str, domain: &Domain, limit: usize, scope: &Scope) -> Result<Vec<i64>, OdooError> {
        self.pace.turn().await;
        self.server.ids(model, domain, limit, scope).await
    }

    async fn count(&self, model: &str, domain: &Domain, scope: &Scope) -> Result<u64, OdooError> {
        self.pace.turn().await;
        self.server.count(model, domain, scope).await
    }

    async fn groups(&self, ask: &ReadGroups) -> Result<Vec<Group>, OdooError> {
        self.pace.turn().await;
        self.server.groups(ask).await
    }

    async fn may(&self, model: &str, right: Right) -> Result<bool, OdooError> {
        self.pace.turn().await;
        self.server.may(model, right).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn requests_go_no_faster_than_agreed() {
        let pace = Pace::new(10.0);
        let start = Instant::now();
        for _ in 0..21 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed().as_millis(), 2_000);
        assert_eq!(pace.requests(), 21);
        tokio::time::advance(Duration::from_mins(1)).await;
        let start = Instant::now();
        pace.turn().await;
        pace.turn().await;
        assert_eq!(start.elapsed().as_millis(), 100, "a rest saves up no burst");
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_limit_nobody_waits() {
        let (pace, start) = (Pace::new(0.0), Instant::now());
        for _ in 0..1_000 {
            pace.turn().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
    }

    fn over_at(text: &str, now: &str) -> Option<String> {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let quiet = Quiet::parse(text, &zone).unwrap().unwrap();
        quiet.over_at(now.parse().unwrap()).map(|at| at.to_string())
    }

    #[test]
    fn quiet_hours_are_those_of_the_wall_clock() {
        assert_eq!(over_at("08:00-10:30", "2026-07-01T05:59:59Z"), None);
        assert_eq!(over_at("08:00-10:30", "2026-07-01T06:00:00Z").as_deref(), Some("2026-07-01T08:30:00Z"));
        assert_eq!(over_at("08:00-10:30", "2026-01-01T09:29:59Z").as_deref(), Some("2026-01-01T09:30:00Z"));
        assert_eq!(over_at("08:00-10:30", "2026-01-01T09:30:00Z"), None);
    }

    #[test]
    fn quiet_hours_may_go_over_midnight() {
        assert_eq!(over_at("22:00-06:00", "2026-01-01T22:00:00Z").as_deref(), Some("2026-01-02T05:00:00Z"));
        assert_eq!(over_at("22:00-06:00", "2026-01-02T03:00:00Z").as_deref(), Some("2026-01-02T05:00:00Z"));
        assert_eq!(over_at("22:00-06:00", "2026-01-02T12:00:00Z"), None);
    }

    #[test]
    fn what_is_not_hours_is_refused() {
        for bad in ["8", "08:00", "08:00-08:00", "25:00-26:00", "08:00-ten", "08-10"] {
            let error = Quiet::parse(bad, &TimeZone::UTC).unwrap_err();
            assert!(error.to_string().contains("odoo.quiet_hours"), "{error}");
        }
        assert!(Quiet::parse(" ", &TimeZone::UTC).unwrap().is_none());
    }
}
