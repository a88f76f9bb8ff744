//! CSV with named columns, plain or gzipped, read line by line.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use csv::StringRecord;
use flate2::read::MultiGzDecoder;
use jiff::civil::Date;

use crate::trial::TrialError;

/// A line of a table.
pub(super) struct Row<'a> {
    file: &'a Path,
    columns: &'a [&'static str],
    places: &'a [usize],
    record: &'a StringRecord,
    line: u64,
}

/// Opens a file; one that ends in `.gz` is unpacked.
pub(super) fn open(file: &Path) -> Result<Box<dyn Read>, TrialError> {
    let opened = File::open(file).map_err(|source| TrialError::Read { file: file.to_owned(), source })?;
    let packed = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz"));
    Ok(if packed { Box::new(MultiGzDecoder::new(opened)) } else { Box::new(opened) })
}

/// Tells `each` every line of a file. `columns` are found by the header, in any order; others are not looked at.
pub(super) fn rows(
    file: &Path,
    columns: &'static [&'static str],
    mut each: impl FnMut(&Row<'_>) -> Result<(), TrialError>,
) -> Result<(), TrialError> {
    let mut reader = csv::ReaderBuilder::new().from_reader(open(file)?);
    let header = reader.headers().map_err(|error| unreadable(file, error))?.clone();
    let places = columns.iter().map(|column| {
        let place = header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == *column);
        let lacking =
            || TrialError::Column { file: file.to_owned(), column: (*column).to_owned(), wanted: columns.join(", ") };
        place.ok_or_else(lacking)
    });
    let places: Vec<usize> = places.collect::<Result<_, _>>()?;
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| unreadable(file, error))? {
        let line = record.position().map_or(0, csv::Position::line);
        each(&Row { file, columns, places: &places, record: &record, line })?;
    }
    Ok(())
}

/// An error of the CSV reader, by the line where it came up.
pub(super) fn unreadable(file: &Path, error: csv::Error) -> TrialError {
    let line = error.position().map_or(1, csv::Position::line);
    let file = PathBuf::from(file);
    match error.into_kind() {
        csv::ErrorKind::Io(source) => TrialError::Read { file, source },
        csv::ErrorKind::Utf8 { .. } => {
            TrialError::Line { file, line, what: "it is not UTF-8 text; save the file as UTF-8".to_owned() }
        }
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
            TrialError::Line { file, line, what: format!("it has {len} fields where the header has {expected_len}") }
        }
        other => TrialError::Line { file, line, what: format!("it is no CSV: {other:?}") },
    }
}

impl Row<'_> {
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// An error about this line.
    pub(super) fn error(&self, what: impl Into<String>) -> TrialError {
        TrialError::Line { file: self.file.to_owned(), line: self.line, what: what.into() }
    }

    pub(super) fn text(&self, column: usize) -> &str {
        self.record.get(self.places[column]).unwrap_or("").trim()
    }

    /// A text that must not be empty.
    pub(super) fn name(&self, column: usize) -> Result<&str, TrialError> {
        match self.text(column) {
            "" => Err(self.error(format!("{} is empty", self.columns[column]))),
            text => Ok(text),
        }
    }

    /// A finite number; `None` where there is nothing.
    pub(super) fn number_or_none(&self, column: usize) -> Result<Option<f64>, TrialError> {
        match self.text(column) {
            "" => Ok(None),
            text => match text.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Some(number)),
                _ => Err(self.error(format!("{} is {text:?}, but must be a number", self.columns[column]))),
            },
        }
    }

    /// A finite number.
    pub(super) fn number(&self, column: usize) -> Result<f64, TrialError> {
        self.number_or_none(column)?
            .ok_or_else(|| self.error(format!("{} is empty, but must be a number", self.columns[column])))
    }

    /// A number of at least 0; nothing is 0.
    pub(super) fn amount(&self, column: usize) -> Result<f64, TrialError> {
        match self.number_or_none(column)?.unwrap_or(0.0) {
            amount if amount >= 0.0 => Ok(amount),
            amount => Err(self.error(format!("{} is {amount}, but must be 0 or more", self.columns[column]))),
        }
    }

    /// 0 or 1; nothing is `otherwise`.
    pub(super) fn flag(&self, column: usize, otherwise: bool) -> Result<bool, TrialError> {
        match self.text(column) {
            "" => Ok(otherwise),
            "0" | "0.0" => Ok(false),
            "1" | "1.0" => Ok(true),
            text => Err(self.error(format!("{} is {text:?}, but must be 0 or 1", self.columns[column]))),
        }
    }

    pub(super) fn date(&self, column: usize) -> Result<Date, TrialError> {
        self.date_or_none(column)?.ok_or_else(|| self.error(format!("{} is empty, but must be a day", self.columns[column])))
    }

    pub(super) fn date_or_none(&self, column: usize) -> Result<Option<Date>, TrialError> {
        match self.text(column) {
            "" => Ok(None),
            // A moment has a day only where its time zone is known, which a table does not say.
            text if text.parse::<Date>().is_ok() && text.len() > "2026-03-31".len() => Err(self.error(format!(
                "{} is {text:?}, a moment, but must be a day: write the day alone, such as {}",
                self.columns[column],
                text.parse::<Date>().map_or_else(|_| String::new(), |day| day.to_string()),
            ))),
            text => match text.parse() {
                Ok(date) => Ok(Some(date)),
                Err(_) => {
                    Err(self.error(format!("{} is {text:?}, but must be a day such as 2026-03-31", self.columns[column])))
                }
            },
        }
    }
}
