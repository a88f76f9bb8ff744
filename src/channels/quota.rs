//! How often somebody may come in one minute: callers of the API by token, senders of events by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

/// Counts by whole minutes of the clock, so that whoever has too many can be told when the next minute begins.
#[derive(Clone, Debug)]
pub(super) struct Quota {
    pub(super) per_minute: u32,
    counts: Arc<Mutex<(i64, BTreeMap<String, u32>)>>,
}

impl Quota {
    /// So many of each in a minute.
    pub(super) fn new(per_minute: u32) -> Self {
        Self { per_minute, counts: Arc::default() }
    }

    /// Counts one more of `who`. Answers for how many seconds it has to wait where it has too many.
    pub(super) fn too_many(&self, who: &str, now: Timestamp) -> Option<i64> {
        let minute = now.as_second().div_euclid(60);
        // Counts are whole after every step, so a panic elsewhere leaves nothing half-done in them.
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody who read the clock in the minute before, and came here after it had turned, counts with those of this one. A
        // clock that is further back than that was set back.
        if minute > counts.0 || minute < counts.0 - 1 {
            *counts = (minute, BTreeMap::new());
        }
        let count = counts.1.entry(who.to_owned()).or_default();
        *count = count.saturating_add(1);
        (*count > self.per_minute).then(|| 60 - now.as_second().rem_euclid(60))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_number_in_each_minute() {
        let quota = Quota::new(3);
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        for _ in 0..3 {
            assert_eq!(quota.too_many("a", at(120)), None);
        }
        assert_eq!(quota.too_many("a", at(150)), Some(30));
        assert_eq!(quota.too_many("b", at(150)), None);
        assert_eq!(quota.too_many("a", at(180)), None);
        assert!(quota.too_many("b", at(179)).is_none(), "one that read the clock before the minute turned");
        for _ in 0..2 {
            assert_eq!(quota.too_many("a", at(180)), None);
        }
        assert_eq!(quota.too_many("a", at(180)), Some(60), "it has taken nothing from the others");
        assert_eq!(quota.too_many("a", at(0)), None, "a clock that was set back begins a minute of its own");
    }
}
