//! Adapters: what fills the ports beside Odoo. Here, and only here, vendors are known by name.
//!
//! [`minilm`] makes vectors of words by the model that the program brings along; [`openai`] asks any OpenAI-compatible endpoint; [`webhook`] tells the destinations of approved recommendations, each behind its
//! own breaker and bucket.

pub mod minilm;
pub mod openai;
pub mod webhook;
