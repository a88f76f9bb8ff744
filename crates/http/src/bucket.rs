//! A limit on how much is sent: so many at once, and so many a second over time.
//!
//! Knows no clock: the time is passed in, of the machine's clock or of one that only goes forward. A clock that was set back
//! gives nothing and takes nothing, and time is counted from the new one on.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// Longest time from one to the next: a rate so low that it never comes is one a year.
const STEP_MAX: Duration = Duration::from_hours(365 * 24);

/// A bucket that fills by the second and is emptied message by message.
///
/// It keeps one moment, when it will be full again, in whole nanoseconds: no number that has to be rounded.
#[derive(Debug)]
pub struct Bucket {
    /// In which time one more fits in; zero: there is no limit.
    step: SignedDuration,
    /// How long before it is full again one may be taken: the time in which all but one of a burst fit in.
    ahead: SignedDuration,
    state: Mutex<Option<State>>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// When it will be full again.
    full_at: Timestamp,
    /// When it was looked at last.
    seen: Timestamp,
}

impl Bucket {
    /// At most `burst` at once (at least one) and `per_second` over time, without a limit where that is infinite. It starts
    /// full.
    pub fn new(per_second: f64, burst: u32) -> Self {
        let step = Duration::try_from_secs_f64(1.0 / per_second.max(f64::MIN_POSITIVE)).unwrap_or(STEP_MAX).min(STEP_MAX);
        let step = SignedDuration::try_from(step).expect("at most a year");
        let ahead = i32::try_from(burst.max(1) - 1).unwrap_or(i32::MAX);
        Self { step, ahead: step.saturating_mul(ahead), state: Mutex::new(None) }
    }

    /// From when one more may be sent: `now`, or the first whole millisecond at which the next one is due (the precision in
    /// which moments are kept, and none is sent early).
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        let at = self.with(now, |full_at| free(*full_at, self.ahead, now));
        let early = at.duration_since(Timestamp::UNIX_EPOCH).subsec_nanos().rem_euclid(1_000_000);
        if at == now || early == 0 {
            return at;
        }
        at.checked_add(SignedDuration::from_nanos(i64::from(1_000_000 - early))).unwrap_or(Timestamp::MAX)
    }

    /// One is being sent at `now`. Answers from when it may go: whoever waits for that has a place in the queue.
    pub fn take(&self, now: Timestamp) -> Timestamp {
        self.with(now, |full_at| {
            let at = free(*full_at, self.ahead, now);
            *full_at = (*full_at).max(now).checked_add(self.step).unwrap_or(Timestamp::MAX);
            at
        })
    }

    /// Works on the moment at which it is full again, as it is at `now`: what was looked at is the reference from then on.
    fn with<T>(&self, now: Timestamp, work: impl FnOnce(&mut Timestamp) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut full_at = state.map_or(now, |state| {
            // What is missing is missing by the new clock too, or nothing would be given until it has caught up.
            let back = state.seen.duration_since(now).max(SignedDuration::ZERO);
            state.full_at.checked_sub(back).unwrap_or(now)
        });
        let done = work(&mut full_at);
        *state = Some(State { full_at, seen: now });
        done
    }
}

fn free(full_at: Timestamp, ahead: SignedDuration, now: Timestamp) -> Timestamp {
    full_at.checked_sub(ahead).map_or(now, |at| at.max(now))
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
        assert_eq!(bucket.free_at(at(0)), at(500));
        assert_eq!(bucket.free_at(at(500)), at(500));
        bucket.take(at(500));
        assert_eq!(bucket.free_at(at(500)), at(1_000));
        assert_eq!(bucket.free_at(at(60_000)), at(60_000));
    }

    #[test]
    fn whoever_takes_before_it_is_free_queues() {
        let bucket = Bucket::new(10.0, 1);
        let places: Vec<_> = (0..4).map(|_| bucket.take(at(0))).collect();
        assert_eq!(places, [at(0), at(100), at(200), at(300)]);
        assert_eq!(bucket.take(at(60_000)), at(60_000));
        assert_eq!(bucket.take(at(60_000)), at(60_100), "a rest saves up no more than the burst");
    }

    #[test]
    fn nothing_is_free_early_where_the_rate_is_no_whole_number_of_milliseconds() {
        let bucket = Bucket::new(3.0, 1);
        bucket.take(at(0));
        assert_eq!(bucket.free_at(at(0)), at(334));
    }

    #[test]
    fn a_rate_beyond_measure_is_no_limit_and_none_at_all_is_one_a_year() {
        for without in [f64::INFINITY, f64::MAX] {
            let bucket = Bucket::new(without, u32::MAX);
            assert!((0..1_000).all(|_| bucket.take(at(0)) == at(0)));
        }
        for never in [0.0, -1.0, f64::NAN] {
            let bucket = Bucket::new(never, 1);
            bucket.take(at(0));
            assert_eq!(bucket.free_at(at(0)), at(365 * 86_400_000));
        }
    }

    #[test]
    fn a_clock_that_was_set_back_neither_fills_nor_blocks() {
        let bucket = Bucket::new(1.0, 1);
        bucket.take(at(3_600_000));
        // An hour back: nothing is given for it, and the next one is due a second later by the new clock.
        assert_eq!(bucket.free_at(at(0)), at(1_000));
        assert_eq!(bucket.free_at(at(500)), at(1_000));
        assert_eq!(bucket.free_at(at(1_000)), at(1_000));
        bucket.take(at(1_000));
        assert_eq!(bucket.free_at(at(1_000)), at(2_000));
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
                prop_assert_eq!(bucket.take(now), now);
                sent.push(now);
            }
            for (i, from) in sent.iter().enumerate() {
                for (n, to) in sent[i..].iter().enumerate() {
                    let allowed = f64::from(burst) + to.duration_since(*from).as_secs_f64() * f64::from(rate);
                    prop_assert!((n + 1) as f64 <= allowed + 1e-6, "{n} {allowed}");
                }
            }
        }
    }
}
