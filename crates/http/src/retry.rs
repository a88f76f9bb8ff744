//! When something is asked again: the pause that a server asks for, and the pauses of our own that grow.
//!
//! Knows no clock and does not sleep: the time and the chance are passed in, and whoever asks does the waiting, since each has
//! something else to look at in between (a smaller page, another form of the question, quiet hours).

use std::time::Duration;

use jiff::Timestamp;
use reqwest::header::{HeaderMap, RETRY_AFTER};

/// How long `Retry-After` asks to wait at `now`: seconds, or a date. A date that has passed is no wait at all; nobody can ask
/// for more than `longest`. None where there is no such header, or it says neither.
pub fn retry_after(headers: &HeaderMap, now: Timestamp, longest: Duration) -> Option<Duration> {
    let said = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = if let Ok(seconds) = said.parse() {
        Duration::from_secs(seconds)
    } else {
        let until = jiff::fmt::rfc2822::parse(said).ok()?.timestamp();
        Duration::try_from(until.duration_since(now)).unwrap_or_default()
    };
    Some(asked.min(longest))
}

/// How often one question is put, and how long the pauses between are.
#[derive(Clone, Copy, Debug)]
pub struct Retries {
    /// Attempts in all.
    pub attempts: u32,
    /// The first pause; each further one is twice as long.
    pub first: Duration,
    /// Longest pause that is waited for. Where the server asks for a longer one, the caller is told: it has other things to do.
    pub longest: Duration,
}

impl Retries {
    /// The pause after so many attempts that failed in passing; None where the question is not put again. What the server asked
    /// for counts in place of ours, nothing included. `chance` (0 to 1) makes it up to half as long again, so that those who failed together
    /// do not come back together.
    pub fn pause(&self, failed: u32, asked: Option<Duration>, chance: f64) -> Option<Duration> {
        if failed >= self.attempts {
            return None;
        }
        let doubled = 2_u32.saturating_pow(failed.saturating_sub(1));
        let pause = asked.unwrap_or_else(|| self.first.saturating_mul(doubled));
        let spread = || pause.mul_f64(1.0 + chance.clamp(0.0, 1.0) / 2.0);
        // Never shorter than what was asked for, and never longer than anybody wants to wait.
        (pause <= self.longest).then(|| spread().min(self.longest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);
    const RETRIES: Retries = Retries { attempts: 4, first: Duration::from_millis(500), longest: Duration::from_secs(20) };

    fn asked(said: &'static str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([(RETRY_AFTER, said.parse().unwrap())]);
        retry_after(&headers, "2026-11-23T08:00:00Z".parse().unwrap(), HOUR)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_has_a_limit() {
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked(" 0 "), Some(Duration::ZERO));
        assert_eq!(asked("Mon, 23 Nov 2026 08:02:00 GMT"), Some(Duration::from_mins(2)));
        assert_eq!(asked("Mon, 23 Nov 2026 07:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(asked("999999999"), Some(HOUR));
        assert_eq!(asked("Tue, 23 Nov 2027 08:00:00 GMT"), Some(HOUR));
        for neither in ["soon", "-1", "1.5", ""] {
            assert_eq!(asked(neither), None, "{neither}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH, HOUR), None);
    }

    #[test]
    fn pauses_double_and_end() {
        let pauses: Vec<_> = (1..=4).map(|failed| RETRIES.pause(failed, None, 0.0)).collect();
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(pauses, [ms(500), ms(1_000), ms(2_000), None]);
        assert_eq!(RETRIES.pause(1, None, 1.0), ms(750));
        let many = Retries { attempts: u32::MAX, ..RETRIES };
        assert_eq!(many.pause(100, None, 0.0), None, "longer than is waited for");
    }

    #[test]
    fn what_the_server_asks_for_counts_unless_it_is_long() {
        assert_eq!(RETRIES.pause(3, Some(Duration::from_secs(20)), 0.0), Some(Duration::from_secs(20)));
        assert_eq!(RETRIES.pause(1, Some(Duration::ZERO), 1.0), Some(Duration::ZERO));
        assert_eq!(RETRIES.pause(1, Some(Duration::from_secs(21)), 0.0), None);
    }
}
