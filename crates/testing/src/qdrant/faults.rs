//! What goes wrong on demand, and what was asked meanwhile.

use qdrant_client::qdrant::{QueryPoints, UpsertPoints};
use tokio::sync::Notify;
use tonic::metadata::MetadataMap;
use tonic::{Code, Status};

use super::shelf::Shelf;

/// What every call but the one for the version runs into.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It answers this, in these words.
    Says(Code, &'static str),
    /// The same, with the seconds after which it may be asked again.
    Busy(u64),
    /// It never answers.
    Hangs,
}

/// Where an upsert stands still for good: whoever asked is killed meanwhile, or the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halt {
    /// At the upsert with this number, counted from now on; 0 is the next one.
    pub upsert: usize,
    /// Has it been applied by then?
    pub applied: bool,
}

/// Faults, and what was asked.
#[derive(Debug, Default)]
pub(super) struct Faults {
    pub(super) fault: Option<Fault>,
    pub(super) halt: Option<Halt>,
    pub(super) api_key: Option<String>,
    pub(super) version: Option<String>,
    pub(super) calls: Vec<&'static str>,
    pub(super) queries: Vec<QueryPoints>,
    pub(super) upserts: Vec<UpsertPoints>,
}

impl Shelf {
    /// From now on every call runs into this, or into nothing.
    pub fn fail(&self, fault: Option<Fault>) {
        self.faults().fault = fault;
    }

    /// From now on it asks for this key.
    pub fn ask_for_key(&self, key: &str) {
        self.faults().api_key = Some(key.to_owned());
    }

    /// From now on it says that it is of this version.
    pub fn be_version(&self, version: &str) {
        self.faults().version = Some(version.to_owned());
    }

    /// An upsert will stand still.
    pub fn halt(&self, halt: Halt) {
        self.faults().halt = Some(halt);
    }

    /// Waits until an upsert stands still.
    pub async fn halted(&self) {
        self.halted.notified().await;
    }

    /// The names of all calls, in their order, as in the protocol: `Points/Upsert`.
    pub fn calls(&self) -> Vec<&'static str> {
        self.faults().calls.clone()
    }

    /// All searches.
    pub fn queries(&self) -> Vec<QueryPoints> {
        self.faults().queries.clone()
    }

    /// All upserts that came, applied or not.
    pub fn upserts(&self) -> Vec<UpsertPoints> {
        self.faults().upserts.clone()
    }

    /// The version that it says.
    pub(super) fn version(&self) -> String {
        self.faults().version.clone().unwrap_or_else(|| "1.15.4".to_owned())
    }

    /// Before each call: notes it, and runs into what was set.
    pub(super) async fn enter(&self, call: &'static str, metadata: &MetadataMap) -> Result<(), Status> {
        let (fault, wanted) = {
            let mut faults = self.faults();
            faults.calls.push(call);
            (faults.fault.clone(), faults.api_key.clone())
        };
        if let Some(wanted) = wanted {
            match metadata.get("api-key") {
                None => return Err(Status::unauthenticated("Must provide an API key or an Authorization bearer token")),
                Some(key) if key.as_bytes() != wanted.as_bytes() => {
                    return Err(Status::permission_denied("Invalid API key or JWT"));
                }
                Some(_) => {}
            }
        }
        match fault {
            None => Ok(()),
            Some(Fault::Says(code, words)) => Err(Status::new(code, words)),
            Some(Fault::Busy(seconds)) => {
                let mut status = Status::resource_exhausted("Rate limiting exceeded: Write rate limit exceeded");
                status.metadata_mut().insert("retry-after", seconds.into());
                Err(status)
            }
            Some(Fault::Hangs) => std::future::pending().await,
        }
    }

    /// Does this upsert stand still, and is it applied before? Counts down.
    pub(super) fn halts(&self) -> Option<bool> {
        let mut faults = self.faults();
        let halt = faults.halt.as_mut()?;
        if halt.upsert > 0 {
            halt.upsert -= 1;
            return None;
        }
        let applied = halt.applied;
        faults.halt = None;
        Some(applied)
    }

    /// Stands still for good, and says so to whoever waits for it.
    pub(super) async fn stand_still(&self) -> Status {
        self.halted.notify_one();
        std::future::pending().await
    }
}

/// Tells that an upsert stands still.
pub(super) type Halted = Notify;
