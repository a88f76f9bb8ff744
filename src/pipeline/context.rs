//! What every stage has at hand.

use std::sync::Arc;

use super::moment::Moments;
use super::registry::Registry;
use super::watermark::Hint;
use crate::clock::Clock;
use crate::config::Config;
use crate::memory::Memories;
use crate::ports::Ports;
use crate::store::Store;

/// What every stage has at hand.
#[derive(Clone)]
pub struct Context {
    /// The store.
    pub store: Store,
    /// The settings.
    pub config: Arc<Config>,
    /// The ways out of the process.
    pub ports: Ports,
    /// The time.
    pub clock: Clock,
    /// The book of this moment.
    pub moments: Arc<Moments>,
    /// What was decided on like cases.
    pub memories: Arc<Memories>,
    /// Whether somebody said that the source has changed.
    pub hint: Arc<Hint>,
}

impl Context {
    /// Which detectors run: the same that the moments are looked at with.
    pub fn models(&self) -> &Registry {
        self.moments.registry()
    }
}
