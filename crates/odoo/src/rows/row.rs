//! One row of a model, and how its cells are read.
//!
//! Odoo says "empty" with `false`, whatever the field's type; a reference is `[id, name]` or a bare id. Everything else of
//! another type than asked for is an error that names the row: a guess would end in somebody's digest.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use rust_decimal::Decimal;

use super::care::RowError;
use crate::rows::cell::Cell;
use reeve_domain::money::{Quantity, UnitPrice};

/// A model and the fields that are read of it.
#[derive(Debug)]
pub(crate) struct Model {
    /// Odoo's name: `stock.move`.
    pub(crate) name: &'static str,
    /// The fields that must be there, `id` among them.
    pub(crate) needs: &'static [&'static str],
    /// Fields that may be missing, and are empty then.
    pub(crate) optional: &'static [&'static str],
}

impl Model {
    /// The fields in the order of a row's cells.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.needs.iter().chain(self.optional).copied()
    }
}

/// No quantity or price of a retailer is larger, and exact decimals hold products of two such numbers.
const SANE: f64 = 1e11;
const RECORD_AGAIN: &str = "record the model again";
const CORRECT: &str = "correct it in Odoo and record the model again";

/// A row with the cells that are needed.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) model: &'static Model,
    /// Position among its model's rows, from one.
    pub(crate) number: usize,
    /// In the order of `model.fields()`.
    pub(crate) cells: Vec<Cell>,
}

impl Row {
    fn cell(&self, field: &'static str) -> &Cell {
        let at = self.model.fields().position(|f| f == field).expect("every field that is read is listed in the model");
        self.cells.get(at).unwrap_or(&Cell::Flag(false))
    }

    /// An error about a field of this row.
    pub(crate) fn wrong(&self, field: &str, expected: impl Into<String>, found: &Cell, remedy: &'static str) -> RowError {
        let id = match self.cell("id") {
            Cell::Number(n) => format!("{n}"),
            _ => "unreadable".to_owned(),
        };
        RowError {
            model: self.model.name,
            row: self.number,
            id: id.into(),
            field: field.into(),
            target: None,
            expected: expected.into().into(),
            found: found.to_string().into(),
            remedy,
        }
    }

    fn mistyped(&self, field: &'static str, expected: &str) -> RowError {
        self.wrong(field, expected, self.cell(field), RECORD_AGAIN)
    }

    /// A reference to a row that is not in the recording.
    pub(crate) fn dangling(&self, field: &'static str, target: &'static str) -> RowError {
        let found = match self.link(field) {
            Ok(Some(id)) => Cell::Number(id as f64),
            _ => self.cell(field).clone(),
        };
        let expected = format!("the id of a recorded `{target}`");
        let target = target.split(' ').next().unwrap_or(target);
        RowError { target: Some(target), ..self.wrong(field, expected, &found, "record both models again, in one go") }
    }

    /// The row's id.
    pub(crate) fn id(&self) -> Result<i64, RowError> {
        match self.cell("id") {
            Cell::Number(n) if *n >= 1.0 && n.fract() == 0.0 => Ok(*n as i64),
            _ => Err(self.mistyped("id", "a positive whole number")),
        }
    }

    /// A flag.
    pub(crate) fn flag(&self, field: &'static str) -> Result<bool, RowError> {
        match self.cell(field) {
            Cell::Flag(b) => Ok(*b),
            _ => Err(self.mistyped(field, "true or false")),
        }
    }

    /// Text; empty when there is none.
    pub(crate) fn text(&self, field: &'static str) -> Result<String, RowError> {
        match self.cell(field) {
            Cell::Text(t) => Ok(t.clone()),
            Cell::Flag(false) => Ok(String::new()),
            _ => Err(self.mistyped(field, "text (or false for none)")),
        }
    }

    /// A number.
    pub(crate) fn number(&self, field: &'static str) -> Result<f64, RowError> {
        match self.cell(field) {
            Cell::Number(n) if n.is_finite() => Ok(*n),
            _ => Err(self.mistyped(field, "a number")),
        }
    }

    /// A number that leaves room for reckoning.
    fn sane(&self, field: &'static str, expected: &str) -> Result<f64, RowError> {
        let number = self.number(field)?;
        if number.abs() < SANE { Ok(number) } else { Err(self.mistyped(field, expected)) }
    }

    /// A quantity of any sign, in the unit the row is in.
    pub(crate) fn quantity(&self, field: &'static str) -> Result<Decimal, RowError> {
        let number = self.sane(field, "a quantity of a sane size")?;
        Quantity::from_erp(number).map(|q| q.0).ok_or_else(|| self.mistyped(field, "a quantity of a sane size"))
    }

    /// A quantity that can not be negative.
    pub(crate) fn count(&self, field: &'static str) -> Result<Decimal, RowError> {
        let quantity = self.quantity(field)?;
        if quantity.is_sign_negative() && !quantity.is_zero() {
            return Err(self.wrong(field, "a quantity of zero or more", self.cell(field), CORRECT));
        }
        Ok(quantity)
    }

    /// A price, zero or more.
    pub(crate) fn price(&self, field: &'static str) -> Result<Decimal, RowError> {
        let number = self.sane(field, "a price of a sane size")?;
        if number < 0.0 {
            return Err(self.wrong(field, "a price of zero or more", self.cell(field), CORRECT));
        }
        UnitPrice::from_erp(number).map(|p| p.0).ok_or_else(|| self.mistyped(field, "a price of a sane size"))
    }

    /// A price less the row's percentage in `discount`.
    pub(crate) fn net_price(&self, field: &'static str) -> Result<Decimal, RowError> {
        let (price, discount) = (self.price(field)?, self.quantity("discount")?);
        if discount > Decimal::ONE_HUNDRED || discount < -Decimal::ONE_THOUSAND {
            return Err(self.wrong("discount", "a percentage up to 100", self.cell("discount"), CORRECT));
        }
        Ok(price - price * discount / Decimal::ONE_HUNDRED)
    }

    /// A reference; None when empty.
    pub(crate) fn link(&self, field: &'static str) -> Result<Option<i64>, RowError> {
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
    pub(crate) fn must_link(&self, field: &'static str) -> Result<i64, RowError> {
        self.link(field)?.ok_or_else(|| self.mistyped(field, "a reference [id, name]"))
    }

    /// The name in a reference; empty when it was recorded as a bare id.
    pub(crate) fn link_name(&self, field: &'static str) -> String {
        match self.cell(field) {
            Cell::List(cells) => match cells.get(1) {
                Some(Cell::Text(name)) => name.clone(),
                _ => String::new(),
            },
            _ => String::new(),
        }
    }

    /// The company that the row belongs to; None where it belongs to all, or where nobody asked.
    pub(crate) fn company(&self) -> Option<i64> {
        if self.model.fields().any(|field| field == "company_id") { self.link("company_id").ok().flatten() } else { None }
    }

    /// A list of pairs of an id and a number; empty when there is none.
    pub(crate) fn pairs(&self, field: &'static str) -> Result<Vec<(i64, f64)>, RowError> {
        let wrong = || self.mistyped(field, "a list of pairs [id, number]");
        let cells = match self.cell(field) {
            Cell::Flag(false) => return Ok(Vec::new()),
            Cell::List(cells) => cells,
            _ => return Err(wrong()),
        };
        let pair = |cell: &Cell| match cell {
            Cell::List(pair) => match pair.as_slice() {
                [id, Cell::Number(number)] if number.is_finite() => Some((id.id()?, *number)),
                _ => None,
            },
            _ => None,
        };
        cells.iter().map(|cell| pair(cell).ok_or_else(wrong)).collect()
    }

    /// A number as a price, zero or more; `field` is where it stands.
    pub(crate) fn price_of(&self, field: &'static str, number: f64) -> Result<Decimal, RowError> {
        let price = Some(number).filter(|number| (0.0..SANE).contains(number)).and_then(UnitPrice::from_erp);
        price.map(|price| price.0).ok_or_else(|| self.mistyped(field, "prices of zero or more"))
    }

    /// A list of ids.
    pub(crate) fn links(&self, field: &'static str) -> Result<Vec<i64>, RowError> {
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
    pub(crate) fn time(&self, field: &'static str) -> Result<Timestamp, RowError> {
        self.time_opt(field)?.ok_or_else(|| self.not_a_time(field))
    }

    /// A time, UTC; None when empty.
    pub(crate) fn time_opt(&self, field: &'static str) -> Result<Option<Timestamp>, RowError> {
        match self.cell(field) {
            Cell::Flag(false) => Ok(None),
            Cell::Text(text) => parse_time(text).map(Some).ok_or_else(|| self.not_a_time(field)),
            _ => Err(self.not_a_time(field)),
        }
    }

    fn not_a_time(&self, field: &'static str) -> RowError {
        self.wrong(
            field,
            "a UTC time as `YYYY-MM-DD HH:MM:SS`, without an offset",
            self.cell(field),
            "record the model through Odoo's API, which answers in UTC",
        )
    }

    /// A day, from a date or a time; None when empty.
    pub(crate) fn date_opt(&self, field: &'static str) -> Result<Option<Date>, RowError> {
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
