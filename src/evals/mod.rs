//! Evals: the same App on recorded ports, graded by [`crate::lab`], and made-up retailers to measure with.

pub mod recording;
pub mod retailer;
