//! Trials: exceptions of known kind put into real histories, and how well a detector finds them.
//!
//! - [`files`]: folders and base files of a trial as CSV;
//! - [`demand`], [`receiving`]: histories with injected exceptions, and with explained events that only look alike;
//! - [`contest`]: a detector against a trial, a forest against a labelled table;
//! - [`measure`]: ranking, false alarms, and what a planner who reads so many alarms a day gets to see.
//!
//! A detector under trial is causal: the score of a day or line uses what was known by then. The truth is for measuring
//! and, in self-training, for labels of what was injected there; it never enters a score. The same base, plan and seed give
//! the same trial on any machine. This is the one place of this package that reads files.

pub mod causal;
pub mod contest;
pub mod demand;
pub mod files;
pub mod measure;
pub mod receiving;

use std::path::PathBuf;

/// Why a trial could not be read or made.
#[derive(Debug, thiserror::Error)]
pub enum TrialError {
    /// A file that can not be opened or read.
    #[error("can not read {}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that lacks a column.
    #[error("{}: there is no column {column:?}; the first line must name {wanted}", file.display())]
    Column {
        /// The file.
        file: PathBuf,
        /// The column.
        column: String,
        /// All that are read.
        wanted: String,
    },
    /// A line that can not be read.
    #[error("{}, line {line}: {what}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Its number, the header being 1.
        line: u64,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A file that is not what it should be as a whole.
    #[error("{}: {what}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong, and what would be right.
        what: String,
    },
    /// A history that can not hold what was asked for.
    #[error("no trial can be made: {0}")]
    Plan(String),
}
