//! Noise: what people are not to be shown, how noisy detectors are, and drills that show whether cards are read.
//!
//! Only people mute; Reeve proposes. What is muted is found, drafted and counted as before. Nothing here changes a figure of
//! a case.

pub mod mutes;

pub use mutes::{MuteRefused, MuteRequest, Muting, mute, unmute};
