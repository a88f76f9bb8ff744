//! The stages between a record and a recommendation.

#[cfg(test)]
pub(crate) mod draft_sample;
pub mod guard;
pub mod model_draft;
pub mod prose;
