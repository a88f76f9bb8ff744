//! Demand with injected exceptions.
//!
//! What is injected keeps the noise of the days it falls on: less is a binomial thinning of what was sold, more is a
//! Poisson count on top. An exception changes only its own series; an explained event says so in its context (promotion
//! with a price cut, known stock-out, holiday, closure) and must not be alarmed.

mod event;
mod inject;
mod plan;

use crate::demand::panel::Panel;

pub use self::event::{Event, EventKind, Scope};
pub use self::inject::inject;
pub use self::plan::{Plan, Track};

/// A panel with what was injected into it.
#[derive(Clone, Debug, PartialEq)]
pub struct Trial {
    /// Demand, exceptions and explained events in it.
    pub panel: Panel,
    /// Index of the first day to score; nothing was injected before.
    pub eval_from: usize,
    /// What was injected. No two exceptions or explained events of single series overlap.
    pub events: Vec<Event>,
    /// Alarms a day that planners read, for [`super::measure::demand`].
    pub ks: Vec<usize>,
}

#[cfg(test)]
mod tests;
