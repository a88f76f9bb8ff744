//! The models that rules are given. They are settings of a kind: chosen outside, the same for every look, named in what they say.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use reeve_domain::model::{ModelKind, ModelName};
use reeve_models::demand::detector::Detector as DemandDetector;
use reeve_models::receiving::{Detector as ReceivingDetector, Scorer};

/// A detector of demand with its version.
pub struct DemandModel {
    detector: DemandDetector,
    version: String,
}

impl DemandModel {
    /// A detector, whose version is computed once.
    pub fn new(detector: DemandDetector) -> Self {
        Self { version: detector.version(), detector }
    }

    /// The detector.
    pub fn detector(&self) -> &DemandDetector {
        &self.detector
    }

    /// [`DemandDetector::version`].
    pub fn version(&self) -> &str {
        &self.version
    }
}

impl fmt::Debug for DemandModel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemandModel").field("version", &self.version).finish_non_exhaustive()
    }
}

/// The versions that are in force, and those of receiving that were: what they said is judged again by them.
#[derive(Clone, Debug)]
pub struct Models {
    /// Judges series of demand.
    pub demand: Arc<DemandModel>,
    /// Judges purchase lines beside their suppliers' habits.
    pub receiving: Arc<Scorer>,
    earlier: BTreeMap<String, Arc<ReceivingDetector>>,
}

impl Models {
    /// With these in force.
    pub fn new(demand: Arc<DemandModel>, receiving: Arc<Scorer>) -> Self {
        Self { demand, receiving, earlier: BTreeMap::new() }
    }

    /// With another detector of receiving.
    #[must_use]
    pub fn with_receiving(self, detector: ReceivingDetector) -> Self {
        Self { receiving: Arc::new(Scorer::new(detector)), ..self }
    }

    /// With another detector of demand.
    #[must_use]
    pub fn with_demand(self, detector: DemandDetector) -> Self {
        Self { demand: Arc::new(DemandModel::new(detector)), ..self }
    }

    /// With detectors of receiving that were in force before.
    #[must_use]
    pub fn knowing(mut self, earlier: impl IntoIterator<Item = ReceivingDetector>) -> Self {
        self.earlier.extend(earlier.into_iter().map(|detector| (detector.version(), Arc::new(detector))));
        self
    }

    /// The version in force of a kind.
    pub fn name(&self, kind: ModelKind) -> ModelName {
        let version = match kind {
            ModelKind::Demand => self.demand.version(),
            ModelKind::Receiving => self.receiving.version(),
        };
        ModelName { kind, version: version.to_owned() }
    }

    /// The detector of receiving of a version, in force or not.
    pub fn receiving_of(&self, version: &str) -> Option<&ReceivingDetector> {
        let in_force = (self.receiving.version() == version).then(|| self.receiving.detector());
        in_force.or_else(|| self.earlier.get(version).map(Arc::as_ref))
    }
}

impl Default for Models {
    /// Those that the program begins with: of demand the one that was trained, of receiving the one that needs no training.
    fn default() -> Self {
        let receiving = Arc::new(Scorer::new(ReceivingDetector::unsupervised()));
        Self::new(program::demand(), receiving).knowing([ReceivingDetector::unsupervised(), ReceivingDetector::shipped()])
    }
}

/// What comes with the program.
pub mod program {
    use std::sync::{Arc, OnceLock};

    use reeve_models::demand::detector::Detector;

    use super::DemandModel;

    /// The trained detector of demand. Its version takes as long to compute as it takes to write it down, so that is done once.
    pub fn demand() -> Arc<DemandModel> {
        static DEMAND: OnceLock<Arc<DemandModel>> = OnceLock::new();
        Arc::clone(DEMAND.get_or_init(|| Arc::new(DemandModel::new(Detector::shipped().clone()))))
    }
}
