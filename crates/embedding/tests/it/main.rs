//! The embedding model as its users see it: held to a second implementation, to itself, and to questions of retail.

mod reference;
mod retail;
mod same_bytes;

use std::sync::LazyLock;

use reeve_embedding::MiniLm;

/// Loaded once for all tests, as in the program.
static MODEL: LazyLock<MiniLm> = LazyLock::new(|| MiniLm::load().expect("the program's own weights are the model's"));

/// The cosine of two vectors of length 1.
fn cosine(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
