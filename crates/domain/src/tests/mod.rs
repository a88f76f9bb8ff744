//! Tests of what several modules say together.

mod bills;
mod keyed;
pub(crate) mod random;
