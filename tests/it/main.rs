//! The integration tests: one binary, a module for each feature.
//!
//! What they share is in `support`: a fresh database of each kind and a real browser. `tidy` looks at the tree itself.

mod decisions;
mod killed;
mod recording;
mod support;
mod tidy;
mod web;
