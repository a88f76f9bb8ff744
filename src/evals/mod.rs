//! Evals: the same App on recorded ports, graded by [`crate::lab`].

pub mod recording;
