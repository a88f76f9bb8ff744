//! What fills the ports: one file or folder for each system outside.

pub mod webhook;
