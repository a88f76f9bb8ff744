//! Everything that speaks to the outside: each module fills a port, and only here are vendors known.

pub mod breaker;
pub mod http;
pub mod openai;
