//! Evals: the same App on recorded ports, graded.

pub mod recording;
mod truth;
