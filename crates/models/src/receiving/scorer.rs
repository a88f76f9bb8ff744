//! A detector that remembers what it scored last: the same records are not scored twice.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::detector::{Detector, LineScore, score};
use super::records::{ReceivingError, Records};

/// A detector at work in one process.
pub struct Scorer {
    detector: Detector,
    version: String,
    last: Mutex<Option<Arc<Scored>>>,
}

/// Records with what the detector says of each line that is complete.
#[derive(Debug)]
pub struct Scored {
    records: Records,
    /// In the order in which the lines were complete.
    pub lines: Vec<LineScore>,
}

impl Scorer {
    /// A detector that has scored nothing yet.
    pub fn new(detector: Detector) -> Self {
        Self { version: detector.version(), detector, last: Mutex::new(None) }
    }

    /// The detector.
    pub fn detector(&self) -> &Detector {
        &self.detector
    }

    /// [`Detector::version`].
    pub fn version(&self) -> &str {
        &self.version
    }

    /// What the detector says of records; the same as before where they are the same as before.
    ///
    /// # Errors
    /// As [`score`].
    pub fn score(&self, records: Records) -> Result<Arc<Scored>, ReceivingError> {
        // Whoever panicked while holding it left the old value or the new one, which are both whole.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = last.as_ref().filter(|last| last.records == records) {
            return Ok(Arc::clone(last));
        }
        let lines = score(&records, &self.detector)?;
        let scored = Arc::new(Scored { records, lines });
        *last = Some(Arc::clone(&scored));
        Ok(scored)
    }
}

impl fmt::Debug for Scorer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scorer").field("version", &self.version).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_records_are_scored_once() {
        let scorer = Scorer::new(Detector::unsupervised());
        let first = scorer.score(Records::default()).unwrap();
        assert!(Arc::ptr_eq(&first, &scorer.score(Records::default()).unwrap()));
        assert!(scorer.version().starts_with("unsupervised-"));
    }
}
