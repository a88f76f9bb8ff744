//! INDEX.json: what a recording says of itself. Only a recording that was made of a live server says what matters here.

use std::path::Path;

use serde::Deserialize;

use super::error::RecordingError;
use crate::live::record::AS_THEY_WERE;

const FILE: &str = "INDEX.json";

/// What is read of it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Index {
    /// How rows are to be taken; None: they are whole.
    rows: Option<String>,
    /// Was it written to its end?
    complete: Option<bool>,
    /// The company of rows that name none.
    pub(super) home: Option<i64>,
}

impl Index {
    /// Reads it; a folder without one says nothing.
    pub(super) fn read(dir: &Path) -> Result<Self, RecordingError> {
        let path = dir.join(FILE);
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(RecordingError::Unreadable { path, source }),
        };
        let index: Self = serde_json::from_slice(&text).map_err(|error| header(format!("it is damaged ({error})")))?;
        if index.complete == Some(false) {
            return Err(RecordingError::Incomplete);
        }
        Ok(index)
    }

    /// Are the rows as they were on a live server?
    pub(super) fn is_as_it_was(&self) -> Result<bool, RecordingError> {
        match self.rows.as_deref() {
            None => Ok(false),
            Some(AS_THEY_WERE) => Ok(true),
            Some(other) => Err(header(format!("it says that rows are {other:?}, which this version does not know"))),
        }
    }
}

fn header(detail: String) -> RecordingError {
    RecordingError::Header { file: FILE.to_owned(), detail }
}
