//! Suites: a folder with `suite.toml` and a folder for each scenario.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::Date;
use reeve_domain::ids::content_hash;
use serde::Deserialize;

use crate::scenario::{Scenario, SuiteFault, parse};
use crate::world::World;

/// The text of `suite.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuiteSpec {
    /// What it is for, in a sentence.
    pub about: String,
    /// Who answers for it.
    pub owner: String,
    /// When its scenarios are looked at, where they say nothing else.
    pub as_of: Timestamp,
    /// Who drafts: the playbook alone, or a language model on cassettes.
    #[serde(default)]
    pub drafter: DrafterKind,
    /// What a run must reach.
    pub gates: Gates,
    /// Limits of a run of one scenario.
    #[serde(default)]
    pub limits: Limits,
    /// Scenarios that come out now so and now otherwise: they do not stop anybody until a day.
    #[serde(default)]
    pub quarantine: Vec<Quarantine>,
    /// The world that all scenarios share.
    #[serde(default)]
    pub world: World,
}

/// Who drafts in a suite.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DrafterKind {
    /// The playbook alone.
    #[default]
    Playbook,
    /// A language model on cassettes.
    Model,
}

/// What a run must reach.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Gates {
    /// Least share of scenarios in which every hard grader passes.
    pub pass_rate: f64,
    /// Least mean of the order's quality where a scenario says what cases are worth.
    #[serde(default)]
    pub ndcg: f64,
    /// Least share of a scenario's repeats that pass, all of them together (pass^k).
    #[serde(default)]
    pub pass_hat_k: f64,
}

/// Limits of a run of one scenario.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Most seconds; beyond them a run has failed.
    pub seconds: u64,
    /// Most calls of a language model.
    pub calls: u32,
    /// Most records that a scenario may hold.
    pub records: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { seconds: 120, calls: 20, records: 60_000 }
    }
}

/// A scenario that does not stop anybody for a while.
#[derive(Clone, Debug, Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
pub struct Quarantine {
    /// Its folder's name.
    pub scenario: String,
    /// Why.
    pub reason: String,
    /// The last day on which it holds.
    pub until: Date,
}

/// A suite as it was read.
#[derive(Clone, Debug)]
pub struct Suite {
    /// Its folder's name.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What it is.
    pub spec: SuiteSpec,
    /// Its scenarios, by name.
    pub scenarios: Vec<Scenario>,
    /// The hash of all of its scenarios: what a baseline was accepted on.
    pub data_hash: String,
}

impl Suite {
    /// Reads a suite's folder.
    ///
    /// # Errors
    /// The first file that can not be used, with its line.
    pub fn read(folder: &Path) -> Result<Self, SuiteFault> {
        let path = folder.join("suite.toml");
        let text = std::fs::read_to_string(&path)
            .map_err(|error| SuiteFault::new(&path, 1, format!("can not be read: {error}; is it a suite's folder?")))?;
        let spec: SuiteSpec = parse(&path, &text)?;
        let mut folders = Vec::new();
        let listed = std::fs::read_dir(folder).map_err(|error| SuiteFault::new(folder, 1, error))?;
        for entry in listed {
            let entry = entry.map_err(|error| SuiteFault::new(folder, 1, error))?.path();
            // With one file of the two it is a scenario that lacks the other, and that has to be told.
            if entry.join("scenario.toml").is_file() || entry.join("expected.toml").is_file() {
                folders.push(entry);
            }
        }
        // A folder lists its entries in any order, and the hash of the suite's data hangs on it.
        folders.sort();
        let read = |folder: &PathBuf| Scenario::read(folder, &spec.world, spec.as_of, &text);
        let scenarios = folders.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        for kept in &spec.quarantine {
            if !scenarios.iter().any(|scenario| scenario.id == kept.scenario) {
                let line = text.lines().position(|line| line.contains(&kept.scenario)).map_or(1, |at| at + 1);
                return Err(SuiteFault::new(&path, line, format!("there is no scenario {:?} to keep apart", kept.scenario)));
            }
        }
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        let hashes: Vec<&str> = scenarios.iter().flat_map(|s| [s.id.as_str(), s.hash.as_str()]).collect();
        let data_hash = content_hash(&hashes);
        Ok(Self { name, folder: folder.to_owned(), spec, scenarios, data_hash })
    }

    /// The quarantine of a scenario that still holds on `today`.
    pub fn quarantined(&self, scenario: &str, today: Date) -> Option<&Quarantine> {
        self.spec.quarantine.iter().find(|kept| kept.scenario == scenario && today <= kept.until)
    }

    /// The scenario of a name.
    pub fn scenario(&self, id: &str) -> Option<&Scenario> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }
}
