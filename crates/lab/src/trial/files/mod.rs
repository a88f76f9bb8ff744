//! Trials on disk: folders and base files as CSV, plain or gzipped.
//!
//! Columns are found by their names in the first line; a line that can not be read is an error with file and number, never
//! left out. Memory: all rows of a file, about 50 bytes for each day of a series.

mod demand;
mod receiving;
mod table;

use std::io::Read as _;
use std::path::Path;

use serde::de::DeserializeOwned;

pub use self::demand::{
    read_demand, read_demand_base, read_demand_folder, read_demand_scores, read_demand_trial, write_demand_alarms,
    write_demand_scores,
};
pub use self::npz::read_npz;
pub use self::numbers::{Numbers, read_numbers};
pub use self::receiving::{
    read_receiving_base, read_receiving_folder, read_receiving_scores, read_receiving_trial, write_receiving_scores,
};

use super::TrialError;

mod npz;
mod numbers;

/// Reads a small JSON file.
fn read_json<T: DeserializeOwned>(file: &Path) -> Result<T, TrialError> {
    /// More than any such file has.
    const BYTES_MAX: u64 = 1 << 20;
    let mut text = String::new();
    let read = table::open(file)?.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|source| TrialError::Read { file: file.to_owned(), source })?;
    serde_json::from_str(&text).map_err(|error| TrialError::File { file: file.to_owned(), what: error.to_string() })
}
