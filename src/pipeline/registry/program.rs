//! The detectors that come with the program, with their sheets: the first version of each is what a new store begins with.

use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Loaded;
use crate::domain::model::{ModelKind, ModelName, ModelSheet, Recipe};
use crate::models::receiving::{Detector as ReceivingDetector, Scorer};
use crate::rules::settings::{Models, program};

/// Who added what came with the program.
pub const BY: &str = "reeve";

const DEMAND_CARD: &str = include_str!("../../../models/demand.md");
const RECEIVING_CARD: &str = include_str!("../../../models/receiving.md");

/// The detector of a name where the program has it; what is configured first, for it is read already.
pub(super) fn detector(configured: &Models, name: &ModelName) -> Option<Loaded> {
    match name.kind {
        ModelKind::Demand => {
            let known = [Arc::clone(&configured.demand), program::demand()];
            known.into_iter().find(|model| model.version() == name.version).map(Loaded::Demand)
        }
        ModelKind::Receiving => {
            if configured.receiving.version() == name.version {
                return Some(Loaded::Receiving(Arc::clone(&configured.receiving)));
            }
            let known = configured.receiving_of(&name.version)?;
            Some(Loaded::Receiving(Arc::new(Scorer::new(known.clone()))))
        }
    }
}

/// The sheet and the parameters of a version that the program has.
pub fn sheet(configured: &Models, name: &ModelName) -> Option<(ModelSheet, Option<String>)> {
    let parameters = match detector(configured, name)? {
        Loaded::Demand(model) => model.detector().to_json(),
        Loaded::Receiving(scorer) => scorer.detector().to_json(),
    };
    let card = match name.kind {
        ModelKind::Demand => DEMAND_CARD,
        ModelKind::Receiving => RECEIVING_CARD,
    };
    let trained_on = if parameters.is_some() { "public histories, see the card" } else { "nothing: it needs no training" };
    let recipe =
        Recipe { trained_on: trained_on.to_owned(), program: env!("CARGO_PKG_VERSION").to_owned(), ..Recipe::default() };
    let sha256 = sha256(parameters.as_deref());
    Some((ModelSheet { name: name.clone(), recipe, card: card.to_owned(), sha256 }, parameters))
}

/// The hash of parameters as a sheet keeps it.
pub fn sha256(parameters: Option<&str>) -> String {
    hex::encode(Sha256::digest(parameters.unwrap_or_default()))
}

/// The names of all that come with the program.
pub fn names() -> Vec<ModelName> {
    let receiving = [ReceivingDetector::unsupervised(), ReceivingDetector::shipped()];
    let name = |kind, version: &str| ModelName { kind, version: version.to_owned() };
    std::iter::once(name(ModelKind::Demand, program::demand().version()))
        .chain(receiving.iter().map(|detector| name(ModelKind::Receiving, &detector.version())))
        .collect()
}
