//! One row of a recorded model, and how its cells are read.
//!
//! Odoo says "empty" with `false`, whatever the field's type; a reference is `[id, name]` or a bare id. Everything else of
//! another type than asked for is an error that names the row: a guess would end in somebody's digest.

use std::fmt;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::error::{RecordingError, RowError};
use crate::domain::money::{Quantity, UnitPrice};

/// A model and the fields that are read of it.
#[derive(Debug)]
pub(super) struct Model {
    /// Odoo's name: `stock.move`.
    pub(super) name: &'static str,
    /// The fields that must be in the recording, `id` among them.
    pub(super) needs: &'static [&'static str],
}

impl Model {
    /// The file's name in the folder.
    pub(super) fn file(&self) -> String {
        format!("{}.json.gz", self.name)
    }
}

/// A cell as Odoo sends it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Cell {
    /// `null`, which Odoo never sends.
    Null,
    /// `false` (empty) or `true`.
    Flag(bool),
    /// Any number. Ids are exact up to 2⁵³.
    Number(f64),
    /// Text, dates, selections.
    Text(String),
    /// A reference or a list of ids.
    List(Vec<Cell>),
    /// An object.
    Object,
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Flag(b) => write!(f, "{b}"),
            Self::Number(n) => write!(f, "{n}"),
            Self::Text(t) => write!(f, "{:?}", t.chars().take(60).collect::<String>()),
            Self::List(cells) => write!(f, "a list of {}", cells.len()),
            Self::Object => f.write_str("an object"),
        }
    }
}

const RECORD_AGAIN: &str = "record the model again";
const CORRECT: &str = "correct it in Odoo and record the model again";

/// A row with the cells that are needed.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) model: &'static Model,
    /// Position in the file, from one.
    pub(super) number: usize,
    /// In the order of `model.needs`.
    pub(super) cells: Vec<Cell>,
}

impl Row {
    fn cell(&self, field: &'static str) -> &Cell {
        let at = self.model.needs.iter().position(|f| *f == field).expect("every field that is read is listed in `needs`");
        &self.cells[at]
    }

    /// An error about a field of this row.
    pub(super) fn wrong(
        &self,
        field: &str,
        expected: impl Into<String>,
        found: &Cell,
        remedy: &'static str,
    ) -> RecordingError {
        let id = match self.cell("id") {
            Cell::Number(n) => format!("{n}"),
            _ => "unreadable".to_owned(),
        };
        RecordingError::Row(Box::new(RowError {
            file: self.model.file(),
            row: self.number,
            id,
            field: field.to_owned(),
            expected: expected.into(),
            found: found.to_string(),
            remedy,
        }))
    }

    fn mistyped(&self, field: &'static str, expected: &str) -> RecordingError {
        self.wrong(field, expected, self.cell(field), RECORD_AGAIN)
    }

    /// A reference to a row that is not in the recording.
    pub(super) fn dangling(&self, field: &'static str, target: &str) -> RecordingError {
        let found = match self.link(field) {
            Ok(Some(id)) => Cell::Number(id as f64),
            _ => self.cell(field).clone(),
        };
        self.wrong(field, format!("the id of a recorded `{target}`"), &found, "record both models again, in one go")
    }

    /// The row's id.
    pub(super) fn id(&self) -> Result<i64, RecordingError> {
        match self.cell("id") {
            Cell::Number(n) if *n >= 1.0 && n.fract() == 0.0 => Ok(*n as i64),
            _ => Err(self.mistyped("id", "a positive whole number")),
        }
    }

    /// A flag.
    pub(super) fn flag(&self, field: &'static str) -> Result<bool, RecordingError> {
        match self.cell(field) {
            Cell::Flag(b) => Ok(*b),
            _ => Err(self.mistyped(field, "true or false")),
        }
    }

    /// Text; empty when there is none.
    pub(super) fn text(&self, field: &'static str) -> Result<String, RecordingError> {
        match self.cell(field) {
            Cell::Text(t) => Ok(t.clone()),
            Cell::Flag(false) => Ok(String::new()),
            _ => Err(self.mistyped(field, "text (or false for none)")),
        }
    }

    /// A number.
    pub(super) fn number(&self, field: &'static str) -> Result<f64, RecordingError> {
        match self.cell(field) {
            Cell::Number(n) if n.is_finite() => Ok(*n),
            _ => Err(self.mistyped(field, "a number")),
        }
    }

    /// A quantity of any sign, in the unit the row is in.
    pub(super) fn quantity(&self, field: &'static str) -> Result<Decimal, RecordingError> {
        let number = self.number(field)?;
        Quantity::from_erp(number).map(|q| q.0).ok_or_else(|| self.mistyped(field, "a quantity of a sane size"))
    }

    /// A quantity that can not be negative.
    pub(super) fn count(&self, field: &'static str) -> Result<Decimal, RecordingError> {
        let quantity = self.quantity(field)?;
        if quantity.is_sign_negative() && !quantity.is_zero() {
            return Err(self.wrong(field, "a quantity of zero or more", self.cell(field), CORRECT));
        }
        Ok(quantity)
    }

    /// A price, zero or more.
    pub(super) fn price(&self, field: &'static str) -> Result<Decimal, RecordingError> {
        let number = self.number(field)?;
        if number < 0.0 {
            return Err(self.wrong(field, "a price of zero or more", self.cell(field), CORRECT));
        }
        UnitPrice::from_erp(number).map(|p| p.0).ok_or_else(|| self.mistyped(field, "a price of a sane size"))
    }

    /// A price less the row's percentage in `discount`.
    pub(super) fn net_price(&self, field: &'static str) -> Result<Decimal, RecordingError> {
        let (price, discount) = (self.price(field)?, self.quantity("discount")?);
        if discount > Decimal::ONE_HUNDRED {
            return Err(self.wrong("discount", "a percentage up to 100", self.cell("discount"), CORRECT));
        }
        Ok(price - price * discount / Decimal::ONE_HUNDRED)
    }

    /// A reference; None when empty.
    pub(super) fn link(&self, field: &'static str) -> Result<Option<i64>, RecordingError> {
        let id = match self.cell(field) {
            Cell::Flag(false) => return Ok(None),
            Cell::List(cells) if cells.len() == 2 => &cells[0],
            cell => cell,
        };
        match id {
            Cell::Number(n) if *n >= 1.0 && n.fract() == 0.0 => Ok(Some(*n as i64)),
            _ => Err(self.mistyped(field, "a reference [id, name] (or false for none)")),
        }
    }

    /// A reference that can not be empty.
    pub(super) fn must_link(&self, field: &'static str) -> Result<i64, RecordingError> {
        self.link(field)?.ok_or_else(|| self.mistyped(field, "a reference [id, name]"))
    }

    /// The name in a reference; empty when it was recorded as a bare id.
    pub(super) fn link_name(&self, field: &'static str) -> String {
        match self.cell(field) {
            Cell::List(cells) => match cells.get(1) {
                Some(Cell::Text(name)) => name.clone(),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }

    /// A list of ids.
    pub(super) fn links(&self, field: &'static str) -> Result<Vec<i64>, RecordingError> {
        let wrong = || self.mistyped(field, "a list of ids");
        let Cell::List(cells) = self.cell(field) else { return Err(wrong()) };
        cells
            .iter()
            .map(|cell| match cell {
                Cell::Number(n) if *n >= 1.0 && n.fract() == 0.0 => Ok(*n as i64),
                _ => Err(wrong()),
            })
            .collect()
    }

    /// A time, UTC.
    pub(super) fn time(&self, field: &'static str) -> Result<Timestamp, RecordingError> {
        self.time_opt(field)?.ok_or_else(|| self.not_a_time(field))
    }

    /// A time, UTC; None when empty.
    pub(super) fn time_opt(&self, field: &'static str) -> Result<Option<Timestamp>, RecordingError> {
        match self.cell(field) {
            Cell::Flag(false) => Ok(None),
            Cell::Text(text) => parse_time(text).map(Some).ok_or_else(|| self.not_a_time(field)),
            _ => Err(self.not_a_time(field)),
        }
    }

    fn not_a_time(&self, field: &'static str) -> RecordingError {
        self.wrong(
            field,
            "a UTC time as `YYYY-MM-DD HH:MM:SS`, without an offset",
            self.cell(field),
            "record the model through Odoo's API, which answers in UTC",
        )
    }

    /// A day, from a date or a time; None when empty.
    pub(super) fn date_opt(&self, field: &'static str) -> Result<Option<Date>, RecordingError> {
        let wrong = || self.mistyped(field, "a day as `YYYY-MM-DD` (or false for none)");
        match self.cell(field) {
            Cell::Flag(false) => Ok(None),
            Cell::Text(text) => match parse_day(text) {
                Some(day) => Ok(Some(day)),
                None => parse_time(text).map(|t| Some(t.to_zoned(TimeZone::UTC).date())).ok_or_else(wrong),
            },
            _ => Err(wrong()),
        }
    }
}

/// `YYYY-MM-DD`, nothing else: a lenient parser would read an offset and shift the day, or drop it and not.
fn parse_day(text: &str) -> Option<Date> {
    has_form(text, b"dddd-dd-dd").then(|| text.parse().ok()).flatten()
}

/// `YYYY-MM-DD HH:MM:SS`, nothing else.
fn parse_time(text: &str) -> Option<Timestamp> {
    if !has_form(text, b"dddd-dd-dd dd:dd:dd") {
        return None;
    }
    let civil: DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}

fn has_form(text: &str, form: &[u8]) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form).all(|(byte, want)| if *want == b'd' { byte.is_ascii_digit() } else { byte == *want })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_odoos_form_of_a_time_is_read() {
        assert_eq!(parse_time("2026-08-03 11:20:00").expect("a time").to_string(), "2026-08-03T11:20:00Z");
        for other in ["2026-08-03T11:20:00", "2026-08-03 11:20:00+09:00", "2026-08-03 11:20", "2026-13-03 11:20:00", ""] {
            assert_eq!(parse_time(other), None, "{other}");
        }
    }
}
