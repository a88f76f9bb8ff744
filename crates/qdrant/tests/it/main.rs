//! The index against a Qdrant server: the double of `reeve-testing`, and a real one where `QDRANT_URL` names it.

mod alias;
mod anew;
mod contract;
mod failing;
mod killed;
mod support;
