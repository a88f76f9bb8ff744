//! Numbers only: the arithmetic of the field and the detectors built on it. No clock, no vendor, no store, no files.
//!
//! - [`formulas`]: one function for one formula of inventory control, ranking and calibration;
//! - [`boost`]: gradient boosted trees, for what has been labelled;
//! - [`control`]: from scores to probabilities and promises;
//! - [`demand`]: what a day's demand should have been, and how odd what came is;
//! - [`forest`]: an isolation forest, for rows in which no single number is odd;
//! - [`receiving`]: how odd a line of an order is by what came and was billed, against its own vendor's habits.
//!
//! Each takes plain `f64`, arrays and dates and gives the same answer for the same input, byte for byte. What a number
//! means for a case, and what to do about it, is decided elsewhere.

pub mod boost;
pub mod control;
pub mod demand;
pub mod forest;
pub mod formulas;
pub mod receiving;
