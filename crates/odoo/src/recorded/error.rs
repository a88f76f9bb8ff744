//! Why a recording was refused. Every message says where (file, row, field), what is wrong and what to do about it.

use std::path::PathBuf;

use crate::rows::RowError;

/// A recording that can not be used. Nothing of it has been loaded.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// There is nothing to look into.
    #[error("there is no such folder; set source.recording (or REEVE_SOURCE__RECORDING) to one that holds a recording")]
    NoFolder,
    /// It was not written to its end.
    #[error("the recording was not written to its end; record it again")]
    Incomplete,
    /// A model's file is not there.
    #[error("{} is missing: the recording is incomplete; copy the whole folder again, or record `{model}` again", path.display())]
    Missing {
        /// The file that was looked for.
        path: PathBuf,
        /// The model it should hold.
        model: &'static str,
    },
    /// The file is there but can not be read from disk.
    #[error("{} can not be read; check that it is a file and that this user may read it", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The compressed file ends early or fails its checksum.
    #[error("{file} is cut off or damaged ({detail}); copy it again from where the recording was made")]
    Damaged {
        /// The file.
        file: String,
        /// What was met.
        detail: String,
    },
    /// The content is not the JSON a recording holds.
    #[error("{file}, line {line}, column {column}: not the JSON of a recording ({detail}); record the model again")]
    Malformed {
        /// The file.
        file: String,
        /// Line in the unpacked text, from one.
        line: usize,
        /// Column in it, from one.
        column: usize,
        /// What was met.
        detail: String,
    },
    /// The file's head does not describe its rows.
    #[error("{file}: {detail}; record the model again")]
    Header {
        /// The file.
        file: String,
        /// What is wrong.
        detail: String,
    },
    /// A field that is needed was not recorded.
    #[error("{file}: the field `{field}` is needed but was not recorded; record `{model}` again with this field")]
    FieldNotRecorded {
        /// The file.
        file: String,
        /// Its model.
        model: &'static str,
        /// The field.
        field: &'static str,
    },
    /// One row is wrong.
    #[error(transparent)]
    Row(Box<RowError>),
    /// The recording was made in a company with another currency than the one that is configured.
    #[error(
        "{file}: the company's currency is {found}, but the configuration says {configured}; set `money.currency` to \"{found}\""
    )]
    Currency {
        /// The file.
        file: String,
        /// The company's.
        found: String,
        /// The configured one.
        configured: String,
    },
}

impl From<RowError> for RecordingError {
    fn from(error: RowError) -> Self {
        Self::Row(Box::new(error))
    }
}
