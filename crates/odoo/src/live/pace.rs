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
use jiff::tz::TimeZone;
use tokio::time::{Instant, sleep};

use super::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Right, Scope, Server, Version};
use super::error::OdooError;
use crate::rows::cell::Cell;
use reeve_domain::wall::{WallSpan, WallTime};
use reeve_http::bucket::Bucket;

/// Lets requests through one after the other, so many in a second, and counts them.
#[derive(Debug)]
pub struct Pace {
    bucket: Bucket,
    /// From when its moments are counted: by a clock that only goes forward.
    start: Instant,
    requests: AtomicU64,
}

impl Pace {
    /// At most `per_second` requests in a second; zero or less: as many as are asked.
    pub fn new(per_second: f64) -> Self {
        let per_second = if per_second > 0.0 { per_second } else { f64::INFINITY };
        Self { bucket: Bucket::new(per_second, 1), start: Instant::now(), requests: AtomicU64::new(0) }
    }

    /// Waits until a request may go.
    pub async fn turn(&self) {
        self.requests.fetch_add(1, Ordering::Relaxed);
        let now = Timestamp::UNIX_EPOCH + self.start.elapsed();
        let wait = self.bucket.take(now).duration_since(now);
        sleep(Duration::try_from(wait).unwrap_or_default()).await;
    }

    /// Requests so far.
    pub fn requests(&self) -> u64 {
        self.requests.load(Ordering::Relaxed)
    }
}

/// Hours of the day in which a server is left alone.
#[derive(Clone, Debug)]
pub struct Quiet {
    hours: WallSpan,
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
        // "8:00" is as good as "08:00".
        let digits = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let number = |text: &str| text.parse::<u16>().ok().filter(|_| digits(text));
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let (hour, minute) = (number(hour)?, number(minute).filter(|minute| *minute < 60)?);
            WallTime::from_minutes(hour * 60 + minute).filter(|time| time.minutes() < 1_440)
        };
        let both = text.split_once('-').and_then(|(from, to)| Some(WallSpan { from: time(from)?, to: time(to)? }));
        match both {
            Some(hours) if hours.from != hours.to => Ok(Some(Self { hours, zone: zone.clone() })),
            _ => Err(QuietError { text: text.to_owned() }),
        }
    }

    /// Until when it is quiet at `now`; None where it is not.
    pub fn over_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.hours.end_at(now, &self.zone)
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

    #[test]
    fn quiet_hours_are_those_of_the_place() {
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let over_at = |text: &str, now: &str| {
            let quiet = Quiet::parse(text, &zone).unwrap().unwrap();
            quiet.over_at(now.parse().unwrap()).map(|at| at.to_string())
        };
        for text in ["08:00-10:30", " 8:00 - 10:30 ", "8:0-10:30"] {
            assert_eq!(over_at(text, "2026-07-01T05:59:59Z"), None);
            assert_eq!(over_at(text, "2026-07-01T06:00:00Z").as_deref(), Some("2026-07-01T08:30:00Z"));
        }
        assert_eq!(over_at("22:00-06:00", "2026-01-01T22:00:00Z").as_deref(), Some("2026-01-02T05:00:00Z"));
    }

    #[test]
    fn what_is_not_hours_is_refused() {
        for bad in ["8", "08:00", "08:00-08:00", "25:00-26:00", "08:00-24:00", "08:00-ten", "08-10", ":30-6:00", "8:+5-9:00"]
        {
            let error = Quiet::parse(bad, &TimeZone::UTC).unwrap_err();
            assert!(error.to_string().contains("odoo.quiet_hours"), "{error}");
        }
        assert!(Quiet::parse(" ", &TimeZone::UTC).unwrap().is_none());
    }
}
