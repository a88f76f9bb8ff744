//! How well scores find what was injected.
//!
//! Higher scores come first; ties stand in a random order that is always the same, so that nobody wins by them. A NaN is no
//! score: such a row is never alarmed.

mod demand;
mod planner;
mod ranking;
mod receiving;

pub use self::demand::{DemandMeasures, demand};
pub use self::planner::PlannerMeasures;
pub use self::ranking::{area_under_roc, average_precision};
pub use self::receiving::{ReceivingMeasures, receiving};

/// A number that puts ties in order: random to look at, and the same every time (splitmix64).
fn tie(at: usize) -> u64 {
    let mut z = (at as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// The share that `part` is of `whole`; 0 of nothing.
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[cfg(test)]
mod tests;
