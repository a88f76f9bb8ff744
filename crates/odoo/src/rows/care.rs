//! What is wrong with a row, and what becomes of it.

use std::cell::RefCell;

/// What is wrong with one row.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{model}.json.gz, row {row} (id {id}), field `{field}`: expected {expected}, found {found}; {remedy}")]
pub struct RowError {
    /// The model.
    pub model: &'static str,
    /// Which row, from one.
    pub row: usize,
    /// The row's id, where it could be read.
    pub id: Box<str>,
    /// The field.
    pub field: Box<str>,
    /// The model that the field refers to, where the row it names is not there.
    pub target: Option<&'static str>,
    /// What should be there.
    pub expected: Box<str>,
    /// What is there.
    pub found: Box<str>,
    /// What to do.
    pub remedy: &'static str,
}

/// Something that was passed over in a row.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    /// The model.
    pub(crate) model: &'static str,
    /// The field.
    pub(crate) field: String,
    /// The model that the field refers to, where the row it names is not there.
    pub(crate) target: Option<&'static str>,
    /// What should be there.
    pub(crate) expected: String,
    /// The row.
    pub(crate) id: i64,
}

/// How rows are treated that can not be understood.
#[derive(Debug)]
pub(crate) enum Care {
    /// The first one ends everything: a recording is whole or of no use.
    Strict,
    /// Each is passed over, wholly or in part, and kept here: a live server is as it is.
    Lenient(RefCell<Vec<Problem>>),
}

impl Care {
    /// Passes over what is wrong.
    pub(crate) fn lenient() -> Self {
        Self::Lenient(RefCell::default())
    }

    /// Is the first error the last?
    pub(crate) fn is_strict(&self) -> bool {
        matches!(self, Self::Strict)
    }

    /// The value, or another one in its place where errors are passed over.
    pub(crate) fn or<T>(&self, value: Result<T, RowError>, instead: T) -> Result<T, RowError> {
        match (value, self) {
            (Err(error), Self::Lenient(_)) => {
                self.pass_over(error);
                Ok(instead)
            }
            (value, _) => value,
        }
    }

    /// Remembers what was passed over; nothing where nothing is.
    pub(crate) fn pass_over(&self, error: RowError) {
        if let Self::Lenient(problems) = self {
            let RowError { model, field, target, expected, id, .. } = error;
            let (field, expected) = (field.into_string(), expected.into_string());
            problems.borrow_mut().push(Problem { model, field, target, expected, id: id.parse().unwrap_or(0) });
        }
    }

    /// What was passed over.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        match self {
            Self::Strict => Vec::new(),
            Self::Lenient(problems) => problems.into_inner(),
        }
    }
}
