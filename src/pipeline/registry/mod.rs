//! Which version of each detector runs: the one that people promoted last, and before that the one that the store began with.
//!
//! A store keeps what it began with, so that another program with other detectors changes nothing by itself: what comes with it
//! can be validated and promoted like any other. A version that this program can not read does not stop the work: what is
//! configured runs in its place, and everybody is told.

mod change;
pub mod drift;
pub mod program;
mod sheet;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use anyhow::Context as _;
use jiff::Timestamp;
use tokio::sync::Mutex;

pub use self::change::{Changed, add, promote, roll_back, told, validated};
pub use self::sheet::sheet_of;
pub use super::promoting::{VALID_DAYS, Who, may_promote, promoters};
use crate::config::Config;
use crate::domain::model::{ModelKind, ModelName};
use crate::models::demand::detector::Detector as DemandDetector;
use crate::models::receiving::{Detector as ReceivingDetector, Scorer};
use crate::rules::settings::{DemandModel, Models};
use crate::store::{ModelChange, ModelStep, Store, StoreError};

/// What runs.
#[derive(Clone, Debug)]
pub struct InForce {
    /// The settings with the detectors that run.
    pub config: Arc<Config>,
    /// Names what runs: it is another whenever a version is.
    pub key: String,
    /// The version of each kind that was promoted or begun with, whether it could be read or not.
    pub names: BTreeMap<ModelKind, ModelName>,
    /// What waits for a second person.
    pub proposed: Vec<ModelStep>,
    /// Of each kind every version that was in force, the first one first; the last is in force.
    pub history: BTreeMap<ModelKind, Vec<ModelName>>,
    /// What could not be read, and what runs in its place: a line for each.
    pub unreadable: Vec<String>,
    /// The number of the last step.
    last: i64,
}

impl InForce {
    /// The detectors that run.
    pub fn models(&self) -> &Models {
        &self.config.rules.models
    }
}

/// Reads what runs.
///
/// # Errors
/// The store's. A version that can not be read is none.
pub async fn in_force(store: &Store, config: &Config) -> Result<InForce, StoreError> {
    let steps = store.list_model_steps().await?;
    let last = steps.last().map_or(0, |step| step.seq);
    let (mut history, mut proposed) = (BTreeMap::new(), Vec::new());
    for kind in ModelKind::ALL {
        let begun = begun(store, config, kind).await?;
        history.insert(kind, vec![begun.unwrap_or_else(|| config.rules.models.name(kind))]);
    }
    for step in steps {
        // Whatever is done to a kind later makes an older proposal void.
        proposed.retain(|old: &ModelStep| old.name.kind != step.name.kind);
        match step.change {
            ModelChange::Proposed => proposed.push(step),
            ModelChange::Promoted | ModelChange::RolledBack => {
                history.entry(step.name.kind).or_default().push(step.name);
            }
        }
    }
    let mut models = config.rules.models.clone();
    let (mut unreadable, mut names, mut earlier) = (Vec::new(), BTreeMap::new(), Vec::new());
    for (kind, versions) in &history {
        let Some(name) = versions.last() else { continue };
        names.insert(*kind, name.clone());
        match load(store, config, name).await? {
            Ok(Loaded::Demand(model)) => models.demand = model,
            Ok(Loaded::Receiving(scorer)) => models.receiving = scorer,
            Err(why) => unreadable.push(format!(
                "The detector {name} can not be used ({why}); {} runs in its place. Promote another version, see `reeve models list`.",
                models.name(*kind)
            )),
        }
        // Cards that an earlier version judged are recomputed by it.
        for name in versions.iter().filter(|name| name.kind == ModelKind::Receiving) {
            if let Ok(Loaded::Receiving(scorer)) = load(store, config, name).await? {
                earlier.push(scorer.detector().clone());
            }
        }
    }
    let models = models.knowing(earlier);
    let running: Vec<String> = ModelKind::ALL.iter().map(|kind| models.name(*kind).to_string()).collect();
    let key = running.join(" ");
    let mut config = config.clone();
    config.rules.models = models;
    Ok(InForce { config: Arc::new(config), key, names, proposed, history, unreadable, last })
}

/// With which version a store began, by what is configured; None before the first look.
async fn begun(store: &Store, config: &Config, kind: ModelKind) -> Result<Option<ModelName>, StoreError> {
    let kept = store.find_setting(&begun_with(config, kind)).await?;
    Ok(kept.and_then(|name| name.parse().ok()).filter(|name: &ModelName| name.kind == kind))
}

/// The setting that keeps it: another choice in the configuration is another beginning.
fn begun_with(config: &Config, kind: ModelKind) -> String {
    let configured = match kind {
        ModelKind::Demand => "trained",
        ModelKind::Receiving => config.rules.detect.receiving_model.as_str(),
    };
    format!("models.begun.{kind}.{configured}")
}

/// A detector that was read.
pub enum Loaded {
    /// Of demand.
    Demand(Arc<DemandModel>),
    /// Of receiving.
    Receiving(Arc<Scorer>),
}

/// Reads a version: one that runs already or comes with the program as it is, any other from the store. The inner error says why
/// it can not be used.
///
/// # Errors
/// The store's.
pub async fn load(store: &Store, config: &Config, name: &ModelName) -> Result<Result<Loaded, String>, StoreError> {
    let configured = &config.rules.models;
    if let Some(found) = program::detector(configured, name) {
        return Ok(Ok(found));
    }
    let text = match store.find_parameters(name).await {
        Ok(Some(text)) => text,
        Ok(None) => return Ok(Err("neither the store nor this program has it".to_owned())),
        Err(StoreError::Corrupt { source, .. }) => return Ok(Err(format!("its parameters are damaged: {source}"))),
        Err(error) => return Err(error),
    };
    // Parameters decide what people are asked. What was written over them past Reeve does not run.
    let sheet = store.find_model(name).await?;
    if sheet.is_none_or(|kept| kept.sheet.sha256 != program::sha256(Some(&text))) {
        return Ok(Err("its parameters do not match their checksum: they were changed".to_owned()));
    }
    Ok(read(name, &text))
}

/// Reads a detector from its parameters, and holds it to its name.
///
/// # Errors
/// Says what is wrong with them.
pub fn read(name: &ModelName, text: &str) -> Result<Loaded, String> {
    let (loaded, version) = match name.kind {
        ModelKind::Demand => {
            let model = DemandModel::new(DemandDetector::from_json(text).map_err(|error| error.to_string())?);
            let version = model.version().to_owned();
            (Loaded::Demand(Arc::new(model)), version)
        }
        ModelKind::Receiving => {
            let scorer = Scorer::new(ReceivingDetector::from_json(text).map_err(|error| error.to_string())?);
            let version = scorer.version().to_owned();
            (Loaded::Receiving(Arc::new(scorer)), version)
        }
    };
    if version == name.version { Ok(loaded) } else { Err(format!("its parameters are those of {version}")) }
}

/// What runs, read when it is asked for and kept until somebody changes it.
pub struct Registry {
    store: Store,
    config: Arc<Config>,
    /// By the number of the last step and what the store began with.
    last: Mutex<Option<(Vec<String>, Arc<InForce>)>>,
}

impl Registry {
    /// Of a store.
    pub fn new(store: Store, config: Arc<Config>) -> Self {
        Self { store, config, last: Mutex::new(None) }
    }

    /// What runs now.
    ///
    /// # Errors
    /// The store's.
    pub async fn now(&self) -> anyhow::Result<Arc<InForce>> {
        let mut last = self.last.lock().await;
        // Asked each time: somebody may have promoted another version through another process.
        let mut key = vec![self.store.last_model_step().await.context("reading the registry")?.to_string()];
        for kind in ModelKind::ALL {
            key.extend(self.store.find_setting(&begun_with(&self.config, kind)).await?);
        }
        if let Some((_, known)) = last.as_ref().filter(|(at, _)| *at == key) {
            return Ok(Arc::clone(known));
        }
        let now = Arc::new(in_force(&self.store, &self.config).await.context("reading the registry of detectors")?);
        *last = Some((key, Arc::clone(&now)));
        Ok(now)
    }
}

/// Keeps in a new store what it begins with, so that it is there when another program comes. Once it is kept nothing changes it.
///
/// # Errors
/// The store's.
pub async fn begin(store: &Store, config: &Config, at: Timestamp) -> Result<(), StoreError> {
    for kind in ModelKind::ALL {
        if begun(store, config, kind).await?.is_some() {
            continue;
        }
        let name = config.rules.models.name(kind);
        // First the version, then that it is the one: whoever is told a name finds it.
        if let Some((sheet, parameters)) = program::sheet(&config.rules.models, &name) {
            store.add_model(&sheet, parameters.as_deref(), (program::BY, at), None).await?;
        }
        store.settle_setting(&begun_with(config, kind), &name.to_string()).await?;
    }
    Ok(())
}
