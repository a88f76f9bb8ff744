//! Evals: the same App on recorded ports, graded; and the detectors alone, against trials.

pub mod detectors;
pub mod low_stock;
pub mod recording;
mod truth;
