//! What is read of an Odoo server, and how the versions differ: the one table.
//!
//! A stream is a model with the fields that Reeve needs, under the names that Odoo 18 gives them: whatever a server calls
//! them, the cells of a row stand in this order. A field that a server does not have is filled with its `absent` cell and is
//! a gap, not an error. The table itself is [`STREAMS`].

use serde_json::{Value, json};

use super::call::{Domain, Version};
use crate::rows::cell::Cell;

mod documents;
mod master;
mod table;

pub use table::STREAMS;

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

/// What a field is compared with, in a form that can stand in a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Against {
    /// `true` or `false` (which is also "nothing").
    Flag(bool),
    /// A number.
    Number(i64),
    /// A word.
    Text(&'static str),
    /// One of several words, for `in` and `not in`.
    Words(&'static [&'static str]),
}

impl Against {
    /// As a domain takes it.
    pub fn to_json(self) -> Value {
        match self {
            Self::Flag(flag) => json!(flag),
            Self::Number(number) => json!(number),
            Self::Text(text) => json!(text),
            Self::Words(words) => json!(words),
        }
    }
}

/// A condition on rows. The field may lead over references (`order_id.state`); its names are the same in every version.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Term {
    /// Which field.
    pub field: &'static str,
    /// Odoo's operator: `=`, `!=`, `>`, `in`, `not in`.
    pub operator: &'static str,
    /// With what.
    pub value: Against,
}

impl Term {
    /// `(field, operator, value)`, as [`Domain::and_either`] takes it.
    pub fn to_parts(self) -> (&'static str, &'static str, Value) {
        (self.field, self.operator, self.value.to_json())
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
    /// Rows are read only where all of these hold, at every look. They do not change in a row's life.
    pub only: &'static [Term],
    /// And only where at least one of these holds (at most two); empty: no such condition.
    pub either: &'static [Term],
    /// The field by whose time a document is old; empty for master data.
    pub dated_by: &'static str,
    /// A document for which all of these hold is still open: it is read however old it is. Empty: none is.
    pub open: &'static [Term],
    /// Among documents, those for which one of these holds (at most two) are as many as [`Extent::Detail`]: unless they are
    /// open they are read only as far back as `odoo.detail_days`.
    pub detail: &'static [Term],
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

    /// Where the first value seen of a field stands, behind the fields.
    pub fn first_seen_position(&self, field: &str) -> Option<usize> {
        self.first_seen.iter().position(|f| *f == field).map(|at| self.fields.len() + at)
    }

    /// Which of a row's links a field is.
    pub fn link(&self, field: &str) -> Option<usize> {
        self.links.iter().position(|f| *f == field)
    }

    /// The condition that holds for every row of the stream, whatever its age.
    pub fn domain(&self) -> Domain {
        let mut domain = Domain::all();
        for term in self.only {
            let (field, operator, value) = term.to_parts();
            domain = domain.and(field, operator, value);
        }
        match self.either {
            [] => domain,
            [one] => domain.and(one.field, one.operator, one.value.to_json()),
            [one, other, ..] => domain.and_either(one.to_parts(), other.to_parts()),
        }
    }
}

/// The stream of a model.
pub fn stream_of(model: &str) -> Option<&'static Stream> {
    STREAMS.iter().find(|stream| stream.model == model)
}
