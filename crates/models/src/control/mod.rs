//! From scores to promises: how likely an alarm is right, and how many may be wrong.
//!
//! - [`conformal`]: p-values against scores of the past, right for any detector as long as the usual stays the usual;
//! - [`calibration`]: a score's probability, learned where the truth was known;
//! - [`discovery`]: which alarms to raise so that at most a given share of them is false;
//! - [`alarms`]: one alarm for one event: what follows it closely is the same;
//! - [`drift`]: whether what comes in, or what comes out, is still what it was.
//!
//! A promise holds under the assumption it names. None of it looks at what an alarm is worth.

pub mod alarms;
pub mod calibration;
pub mod conformal;
pub mod discovery;
pub mod drift;
