//! A circuit breaker: stops asking a service that keeps failing, and tries it again after a pause.
//!
//! Knows no clock: the time is passed in; after a clock was set back no pause lasts longer than one pause. One trial is let through after each pause; its success closes the breaker.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

/// Opens after a number of failures in a row.
#[derive(Debug)]
pub struct Breaker {
    threshold: u32,
    pause: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    failures: u32,
    open_until: Option<Timestamp>,
}

impl Breaker {
    /// Opens for `pause` after `threshold` failures in a row (at least one).
    pub fn new(threshold: u32, pause: Duration) -> Self {
        Self { threshold: threshold.max(1), pause, state: Mutex::new(State::default()) }
    }

    /// May the service be asked now? Otherwise says how long to wait. After a pause one caller is let through and the next
    /// pause starts, so that a trial which never reports back blocks nobody for longer than that.
    ///
    /// # Errors
    /// The rest of the pause.
    pub fn admit(&self, now: Timestamp) -> Result<(), Duration> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.cap(&mut state, now);
        match state.open_until {
            Some(until) if now < until => Err(Duration::try_from(until.duration_since(now)).unwrap_or_default()),
            Some(_) => {
                state.open_until = Some(self.end_of_pause(now));
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// From when the service may be asked: `now`, or the end of the pause.
    pub fn free_at(&self, now: Timestamp) -> Timestamp {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.cap(&mut state, now);
        state.open_until.map_or(now, |until| until.max(now))
    }

    /// The service answered, whatever it said: it is there.
    pub fn answered(&self) {
        *self.state.lock().unwrap_or_else(PoisonError::into_inner) = State::default();
    }

    /// The service failed in a way that may pass.
    pub fn failed(&self, now: Timestamp) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failures = state.failures.saturating_add(1);
        if state.failures >= self.threshold {
            state.open_until = Some(self.end_of_pause(now));
        }
    }

    /// A pause that ends later than one that began now was begun by a clock that has been set back since.
    fn cap(&self, state: &mut State, now: Timestamp) {
        state.open_until = state.open_until.map(|until| until.min(self.end_of_pause(now)));
    }

    fn end_of_pause(&self, now: Timestamp) -> Timestamp {
        now.checked_add(self.pause).unwrap_or(Timestamp::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn it_opens_after_failures_in_a_row_and_lets_one_trial_through_after_the_pause() {
        let breaker = Breaker::new(2, Duration::from_mins(1));
        breaker.failed(at(0));
        assert_eq!(breaker.admit(at(1)), Ok(()));
        breaker.failed(at(1));
        assert_eq!(breaker.admit(at(11)), Err(Duration::from_secs(50)));
        assert_eq!(breaker.admit(at(61)), Ok(()), "the trial");
        assert!(breaker.admit(at(62)).is_err(), "only one trial");
        breaker.answered();
        assert_eq!(breaker.admit(at(62)), Ok(()));
    }

    #[test]
    fn an_answer_in_between_starts_the_count_again() {
        let breaker = Breaker::new(2, Duration::from_mins(1));
        breaker.failed(at(0));
        breaker.answered();
        breaker.failed(at(1));
        assert_eq!(breaker.admit(at(2)), Ok(()));
    }

    #[test]
    fn a_clock_that_was_set_back_lengthens_no_pause() {
        let breaker = Breaker::new(1, Duration::from_mins(1));
        breaker.failed(at(3_600));
        assert_eq!(breaker.free_at(at(0)), at(60));
        assert_eq!(breaker.admit(at(20)), Err(Duration::from_secs(40)));
        assert_eq!(breaker.admit(at(60)), Ok(()), "the trial");
    }

    #[test]
    fn a_failed_trial_opens_it_for_another_pause() {
        let breaker = Breaker::new(1, Duration::from_mins(1));
        breaker.failed(at(0));
        assert_eq!(breaker.admit(at(60)), Ok(()));
        breaker.failed(at(70));
        assert_eq!(breaker.admit(at(100)), Err(Duration::from_secs(30)));
    }
}
