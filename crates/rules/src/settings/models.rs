//! The models that rules are given. They are settings of a kind: chosen outside, the same for every look, named in what they say.

use std::sync::Arc;

use reeve_models::receiving::{Detector, Scorer};

/// Detectors that were chosen for this shop.
#[derive(Clone, Debug)]
pub struct Models {
    /// Judges purchase lines beside their suppliers' habits.
    pub receiving: Arc<Scorer>,
}

impl Models {
    /// With this detector of receiving.
    pub fn with_receiving(detector: Detector) -> Self {
        Self { receiving: Arc::new(Scorer::new(detector)) }
    }
}

impl Default for Models {
    /// What needs no training.
    fn default() -> Self {
        Self::with_receiving(Detector::unsupervised())
    }
}
