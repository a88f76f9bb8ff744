//! A limit on how much is sent: so many at once, and so many a second over time.
//!
//! Knows no clock: the time is passed in. A clock that was set back gives nothing and takes nothing, and time is counted from
//! the new one on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// A bucket that fills by the second and is emptied message by message.
#[derive(Debug)]
pub struct Bucket {
    per_second: f64,
    burst: f64,
    state: Mutex<Level>,
}

#[derive(Clone, Copy, Debug)]
struct Level {
    tokens: f64,
    at: Option<Timestamp>,
}

impl Bucket {
    /// At most `burst` at once and `per_second` over time; both above zero. It starts full.
    pub fn new(per_second: f64, burst: u32) -> Self {
        let burst = f64::from(burst.max(1));
        Self { per_second: per_second.max(f64::MIN_POSITIVE), burst, state: Mutex::new(Level { tokens: burst, at: None }) }
    }

    /// From when one more may be sent: `now`, or when the next one is due.
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        let tokens = self.level(now).tokens;
        if tokens >= 1.0 {
            return now;
        }
        let wait = Duration::try_from_secs_f64((1.0 - tokens) / self.per_second).unwrap_or(Duration::MAX);
        // A millisecond more than rounding could take away.
        now.checked_add(wait).and_then(|at| at.checked_add(Duration::from_millis(1))).unwrap_or(Timestamp::MAX)
    }

    /// One is being sent at `now`.
    pub fn take(&self, now: Timestamp) {
        self.level(now);
        self.state.lock().unwrap_or_else(PoisonError::into_inner).tokens -= 1.0;
    }

    /// The level at `now`, kept: what was looked at is the reference from then on.
    fn level(&self, now: Timestamp) -> Level {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let level = *state;
        let passed = level.at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0));
        let tokens = (level.tokens + passed * self.per_second).min(self.burst);
        // Also backwards: or nothing would be given until a clock that was set back has caught up.
        *state = Level { tokens, at: Some(now) };
        *state
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millisecond(1_760_000_000_000 + ms).unwrap()
    }

    #[test]
    fn a_burst_passes_and_then_one_for_each_gap() {
        let bucket = Bucket::new(2.0, 3);
        for _ in 0..3 {
            assert_eq!(bucket.free_at(at(0)), at(0));
            bucket.take(at(0));
        }
        assert_eq!(bucket.free_at(at(0)), at(501));
        assert_eq!(bucket.free_at(at(501)), at(501));
        bucket.take(at(501));
        assert!(bucket.free_at(at(501)) > at(900));
        assert_eq!(bucket.free_at(at(60_000)), at(60_000));
    }

    #[test]
    fn a_clock_that_was_set_back_neither_fills_nor_blocks() {
        let bucket = Bucket::new(1.0, 1);
        bucket.take(at(3_600_000));
        // An hour back: nothing is given for it, and the next one is due a second later by the new clock.
        assert_eq!(bucket.free_at(at(0)), at(1_001));
        assert_eq!(bucket.free_at(at(500)), at(1_001));
        assert_eq!(bucket.free_at(at(1_001)), at(1_001));
        bucket.take(at(1_001));
        assert_eq!(bucket.free_at(at(1_001)), at(2_002));
    }

    proptest! {
        #[test]
        fn whoever_waits_for_free_at_never_sends_more_than_the_limit(
            rate in 1u32..20, burst in 1u32..10, pauses in prop::collection::vec(0i64..500, 1..100),
        ) {
            let bucket = Bucket::new(f64::from(rate), burst);
            let (mut now, mut sent) = (at(0), Vec::new());
            for pause in pauses {
                now = bucket.free_at(now.checked_add(Duration::from_millis(pause as u64)).unwrap());
                bucket.take(now);
                sent.push(now);
            }
            for (i, from) in sent.iter().enumerate() {
                for (n, to) in sent[i..].iter().enumerate() {
                    let allowed = f64::from(burst) + to.duration_since(*from).as_secs_f64() * f64::from(rate);
                    prop_assert!((n + 1) as f64 <= allowed + 0.01, "{n} {allowed}");
                }
            }
        }
    }
}
