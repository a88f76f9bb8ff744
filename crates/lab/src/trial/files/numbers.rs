//! Tables of numbers as CSV.

use std::path::Path;

use csv::StringRecord;
use ndarray::Array2;

use super::table;
use crate::trial::TrialError;

/// Columns that say what a row is and are no feature.
const LABELS: [&str; 2] = ["label", "y"];

/// A table of features.
#[derive(Clone, Debug, PartialEq)]
pub struct Numbers {
    /// The features, a row for each line; NaN where there is nothing.
    pub rows: Array2<f64>,
    /// Their names.
    pub names: Vec<String>,
    /// What the column `label` or `y` says, where there is one: it is no feature.
    pub labels: Option<(String, Vec<bool>)>,
}

/// Reads a table of numbers with a header line, plain or gzipped; an empty field is missing. A column called `label` or `y`
/// is no feature.
///
/// # Errors
/// A line with another number of fields than the header, or with something that is no number.
pub fn read_numbers(file: &Path) -> Result<Numbers, TrialError> {
    let wrong = |line, what: String| TrialError::Line { file: file.to_owned(), line, what };
    let mut reader = csv::ReaderBuilder::new().from_reader(table::open(file)?);
    let header = reader.headers().map_err(|error| table::unreadable(file, error))?.clone();
    // Spreadsheets put a byte order mark before the first name.
    let names: Vec<String> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim().to_owned()).collect();
    let label = names.iter().position(|name| LABELS.contains(&name.as_str()));
    let (mut values, mut labels, mut count) = (Vec::new(), Vec::new(), 0);
    let mut record = StringRecord::new();
    while reader.read_record(&mut record).map_err(|error| table::unreadable(file, error))? {
        let line = record.position().map_or(0, csv::Position::line);
        count += 1;
        for (at, (text, name)) in record.iter().zip(&names).enumerate() {
            let number = match text.trim() {
                "" => f64::NAN,
                text => match text.parse::<f64>() {
                    Ok(number) if !number.is_infinite() => number,
                    _ => {
                        return Err(wrong(
                            line,
                            format!("{name} is {text:?}, but must be a number, or empty where there is none"),
                        ));
                    }
                },
            };
            if label == Some(at) {
                labels.push(number > 0.0);
            } else {
                values.push(number);
            }
        }
    }
    let features = names.len() - usize::from(label.is_some());
    if count == 0 || features == 0 {
        let what = "it has no rows or no columns to score; give a header line and a line of numbers for each row".to_owned();
        return Err(TrialError::File { file: file.to_owned(), what });
    }
    let rows = Array2::from_shape_vec((count, features), values).expect("every line has as many fields as the header");
    let labels = label.map(|at| (names[at].clone(), labels));
    let names = names.into_iter().enumerate().filter(|(at, _)| Some(*at) != label).map(|(_, name)| name).collect();
    Ok(Numbers { rows, names, labels })
}
