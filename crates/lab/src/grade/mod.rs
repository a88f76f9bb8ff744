//! Grading a replay: was what happened found, and was what was found there?

pub mod low_stock;
pub mod truth;
