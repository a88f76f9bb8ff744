//! What is read of an Odoo server, and how the versions differ: the one table.
//!
//! A stream is a model with the fields that Reeve needs, under the names that Odoo 18 gives them: whatever a server calls
//! them, the cells of a row stand in this order. A field that a server does not have is filled with its `absent` cell and is
//! a gap, not an error.

use super::call::Version;
use super::cell::Cell;

/// What a row is for, which says how much of a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// Master data: read whole.
    Master,
    /// Documents: read as far back as `odoo.history_days`; what is still open is read however old it is.
    Documents,
    /// Documents with customers, of which there are very many: read as far back as `odoo.detail_days`; what is older is read
    /// as sums by day.
    Detail,
}

/// What stands in a cell whose field a server does not have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Absent {
    /// `false`: empty, or no.
    Empty,
    /// `true`.
    True,
    /// Zero.
    Zero,
    /// One.
    One,
    /// No ids.
    NoIds,
    /// Nothing can stand there: without the field the stream can not be read.
    Never,
}

impl Absent {
    /// The cell.
    pub fn cell(self) -> Option<Cell> {
        match self {
            Self::Empty => Some(Cell::Flag(false)),
            Self::True => Some(Cell::Flag(true)),
            Self::Zero => Some(Cell::Number(0.0)),
            Self::One => Some(Cell::Number(1.0)),
            Self::NoIds => Some(Cell::List(Vec::new())),
            Self::Never => None,
        }
    }
}

/// A field of a stream.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Odoo 18's name.
    pub name: &'static str,
    /// What it is called from a version on, where it was renamed.
    pub renamed: Option<(Version, &'static str)>,
    /// What stands there where it is missing.
    pub absent: Absent,
    /// What is not seen without it, for people; empty where nothing is lost (it is only gone because nothing needs it).
    pub costs: &'static str,
}

impl Field {
    /// The field's name on a server of `version`.
    pub fn name_on(&self, version: Version) -> &'static str {
        match self.renamed {
            Some((from, name)) if version >= from => name,
            _ => self.name,
        }
    }
}

/// A model that is read.
#[derive(Debug)]
pub struct Stream {
    /// Odoo's model.
    pub model: &'static str,
    /// The fields, `id` first.
    pub fields: &'static [Field],
    /// Names of up to three of the fields by which rows are looked for.
    pub links: &'static [&'static str],
    /// How much of it is read.
    pub extent: Extent,
    /// What is not seen without it, for people.
    pub costs: &'static str,
    /// The versions that have it.
    pub versions: std::ops::RangeInclusive<Version>,
    /// Fields whose first value seen is kept behind the others, in this order: what is rewritten there is lost in Odoo.
    pub first_seen: &'static [&'static str],
}

impl Stream {
    /// Where a field's cell stands.
    pub fn position(&self, field: &str) -> Option<usize> {
        self.fields.iter().position(|f| f.name == field)
    }
}
