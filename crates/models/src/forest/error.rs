//! Why a forest could not be fitted, used or read.

use super::saved;

/// Why a forest could not be fitted, refreshed or read.
#[derive(Debug, thiserror::Error)]
pub enum ForestError {
    /// A parameter is out of range.
    #[error("forest parameter {name} is {value}, but must be from {low} to {high}")]
    Parameter {
        /// The parameter.
        name: &'static str,
        /// What it is.
        value: usize,
        /// The least it may be.
        low: usize,
        /// The most it may be.
        high: usize,
    },
    /// Boxes have sides along the columns, so that only cuts by one column make them.
    #[error(
        "scoring by boxes needs trees that cut by one column at a time: choose another rule, or score by depth or density"
    )]
    BoxedPlanes,
    /// A forest needs at least two rows and one feature to tell anything apart.
    #[error("a forest needs two rows and one feature at least, and got {rows} rows of {features}")]
    TooLittle {
        /// Rows given.
        rows: usize,
        /// Features given.
        features: usize,
    },
    /// Rows of another width than the forest was fitted on.
    #[error("the forest was fitted on rows of {expected} features, and got rows of {got}")]
    Width {
        /// Features of the forest.
        expected: usize,
        /// Features given.
        got: usize,
    },
    /// A value is infinite. Missing ones are NaN.
    #[error("row {row}, feature {feature} is infinite; give a missing value as NaN")]
    Infinite {
        /// Index of the row.
        row: usize,
        /// Index of the feature.
        feature: usize,
    },
    /// A value of a categorical column is no code.
    #[error(
        "row {row}, feature {feature} is {value}, but a category is a whole number from 0 to 16777215, or NaN when missing"
    )]
    Category {
        /// Index of the row.
        row: usize,
        /// Index of the feature.
        feature: usize,
        /// What stands there.
        value: f64,
    },
    /// A categorical column is declared that the rows do not have.
    #[error("feature {feature} is declared categorical, but the rows have {features} features, counted from 0")]
    NoSuchFeature {
        /// Index that was declared.
        feature: usize,
        /// Features of the rows.
        features: usize,
    },
    /// A row's weight is negative, infinite or missing, or no row has any.
    #[error("row {row} has weight {weight}; weights must be finite and not negative, and one at least positive")]
    Weight {
        /// Index of the row.
        row: usize,
        /// Its weight.
        weight: f32,
    },
    /// A saved forest of another version.
    #[error("the saved forest has version {0}, and this program reads version {version}: fit it anew", version = saved::VERSION)]
    Version(u64),
    /// A saved forest that was changed or cut short.
    #[error("the saved forest does not match its checksum: it was changed after it was written")]
    Checksum,
    /// A saved forest that makes no sense.
    #[error("the saved forest can not be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// An error of linfa's own.
    #[error(transparent)]
    Linfa(#[from] linfa::Error),
}
