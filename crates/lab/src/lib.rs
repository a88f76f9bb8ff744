//! The lab: what machine-learning engineers measure and train with. No store, no network: whoever drives the daemon on a recording
//! stands in `evals`.
//!
//! - [`trial`]: exceptions put into real histories, from files, and how well they are found;
//! - [`own`]: a detector that learns from a history of one's own, by exceptions put into it;
//! - [`detectors`]: the detectors against trials and tables, as the model cards quote them;
//! - [`grade`]: what was injected into a recording, and what counts as having found it;
//! - [`retailer`]: a made-up retailer of any size, record by record, with what was injected into it;
//! - [`simulate`]: decisions played forward, day by day, by code that knows nothing of the rules.

pub mod detectors;
mod draw;
pub mod grade;
pub mod own;
pub mod retailer;
pub mod simulate;
pub mod trial;
pub mod validate;
