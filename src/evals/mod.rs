//! Evals: the same App on recorded ports, graded by [`crate::lab`]; scenarios of suites, graded by [`crate::suites`]; and made-up
//! retailers to measure with.

pub mod backtest;
pub mod decided;
pub mod promote;
pub mod recording;
pub mod retailer;
pub mod suite;
