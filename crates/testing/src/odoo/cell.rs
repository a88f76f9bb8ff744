//! A value in a row of the fake: compact in memory, written as Odoo writes it.

use std::sync::Arc;

use serde_json::Value;

use super::schema::FieldDef;

/// Microseconds in a day.
pub(super) const DAY: i64 = 86_400_000_000;
/// Microseconds in a second.
pub(super) const SECOND: i64 = 1_000_000;

/// How a field's values are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Integer,
    Float,
    Boolean,
    /// `char`, `text`, `html`, `selection`.
    Text,
    Date,
    Datetime,
    Many2one,
    /// `one2many` and `many2many`.
    Many,
    /// Anything else, kept as it is.
    Json,
}

impl Kind {
    /// Of Odoo's name for a type.
    pub fn of(name: &str) -> Self {
        match name {
            "integer" => Self::Integer,
            "float" | "monetary" => Self::Float,
            "boolean" => Self::Boolean,
            "char" | "text" | "html" | "selection" => Self::Text,
            "date" => Self::Date,
            "datetime" => Self::Datetime,
            "many2one" => Self::Many2one,
            "one2many" | "many2many" => Self::Many,
            _ => Self::Json,
        }
    }

    /// What stands in a field that nobody filled.
    pub fn empty(self) -> Cell {
        match self {
            Self::Integer => Cell::Int(0),
            Self::Float => Cell::Float(0.0),
            Self::Many => Cell::Ids(Arc::from([])),
            _ => Cell::False,
        }
    }
}

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Empty, or no.
    False,
    True,
    /// A number, or the id of a reference.
    Int(i64),
    Float(f64),
    /// Text, a selection or a date.
    Text(Arc<str>),
    /// Microseconds since 1970, UTC. Answers show whole seconds.
    Time(i64),
    Ids(Arc<[i64]>),
    Json(Arc<Value>),
}

impl Cell {
    pub fn text(text: &str) -> Self {
        Self::Text(Arc::from(text))
    }

    /// Empty in the sense of a domain that compares with `false`.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::False => true,
            Self::Int(n) => *n == 0,
            Self::Float(n) => *n == 0.0,
            Self::Ids(ids) => ids.is_empty(),
            _ => false,
        }
    }

    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            _ => None,
        }
    }

    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Int(n) => Some(*n as f64),
            Self::Float(n) => Some(*n),
            _ => None,
        }
    }

    /// Reads a value as a test, a recording or a call of `create` gives it.
    ///
    /// # Panics
    /// When the value can not stand in such a field: the test is wrong then.
    pub fn from_json(field: &FieldDef, value: &Value) -> Self {
        let kind = field.kind;
        match (kind, value) {
            (Kind::Json, Value::Bool(false)) => Self::False,
            (Kind::Json, other) => Self::Json(Arc::new(other.clone())),
            (_, Value::Null | Value::Bool(false)) => kind.empty(),
            (Kind::Boolean, Value::Bool(true)) => Self::True,
            (Kind::Integer | Kind::Many2one, Value::Number(n)) => Self::Int(n.as_f64().expect("a number") as i64),
            (Kind::Float, Value::Number(n)) => Self::Float(n.as_f64().expect("a number")),
            (Kind::Many2one, Value::Array(pair)) if pair.len() == 2 => {
                Self::Int(pair[0].as_i64().expect("a reference begins with an id"))
            }
            (Kind::Many, Value::Array(ids)) => Self::Ids(ids.iter().map(|id| id.as_i64().expect("an id")).collect()),
            (Kind::Datetime, Value::String(text)) => {
                Self::Time(parse_time(text).unwrap_or_else(|| panic!("{text:?} is no datetime ({})", field.name)))
            }
            (Kind::Text | Kind::Date, Value::String(text)) => Self::text(text),
            (_, other) => panic!("{other} can not stand in {} ({})", field.name, field.kind_name),
        }
    }

    /// As Odoo writes it where references are bare ids.
    pub fn to_json(&self) -> Value {
        match self {
            Self::False => Value::Bool(false),
            Self::True => Value::Bool(true),
            Self::Int(n) => Value::from(*n),
            Self::Float(n) => Value::from(*n),
            Self::Text(text) => Value::from(&**text),
            Self::Time(at) => Value::from(time_text(*at)),
            Self::Ids(ids) => Value::from(ids.to_vec()),
            Self::Json(value) => (**value).clone(),
        }
    }

    /// Appends it as JSON.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::False => out.extend_from_slice(b"false"),
            Self::True => out.extend_from_slice(b"true"),
            Self::Int(n) => write_json(out, n),
            Self::Float(n) => write_json(out, n),
            Self::Text(text) => write_json(out, &**text),
            Self::Time(at) => {
                out.push(b'"');
                out.extend_from_slice(&time_bytes(*at));
                out.push(b'"');
            }
            Self::Ids(ids) => {
                out.push(b'[');
                for (nth, id) in ids.iter().enumerate() {
                    if nth > 0 {
                        out.extend_from_slice(b", ");
                    }
                    write_json(out, id);
                }
                out.push(b']');
            }
            Self::Json(value) => write_json(out, &**value),
        }
    }
}

/// Appends anything as JSON.
pub(super) fn write_json<T: serde::Serialize + ?Sized>(out: &mut Vec<u8>, value: &T) {
    serde_json::to_writer(out, value).expect("what is written has names for keys and memory does not refuse");
}

/// Days since 1970-01-01 of a day of the Gregorian calendar (Hinnant, "chrono-compatible low-level date algorithms").
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of days since 1970-01-01: the inverse of [`days_of`].
pub(super) fn civil_of(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let years = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * years + years / 4 - years / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (years + era * 400 + i64::from(month <= 2), month, day)
}

fn time_bytes(at: i64) -> [u8; 19] {
    let (year, month, day) = civil_of(at.div_euclid(DAY));
    let second = at.rem_euclid(DAY) / SECOND;
    let mut text = *b"0000-00-00 00:00:00";
    let mut two = |at: usize, value: i64| {
        text[at] = b'0' + (value / 10 % 10) as u8;
        text[at + 1] = b'0' + (value % 10) as u8;
    };
    two(0, year / 100);
    two(2, year % 100);
    two(5, month);
    two(8, day);
    two(11, second / 3600);
    two(14, second / 60 % 60);
    two(17, second % 60);
    text
}

/// `YYYY-MM-DD HH:MM:SS`: whole seconds, as Odoo shows them.
pub(super) fn time_text(at: i64) -> String {
    String::from_utf8_lossy(&time_bytes(at)).into_owned()
}

/// `YYYY-MM-DD`.
pub(super) fn date_text(days: i64) -> String {
    time_text(days * DAY)[..10].to_owned()
}

/// Days since 1970-01-01 of `YYYY-MM-DD`.
pub(super) fn parse_date(text: &str) -> Option<i64> {
    let bytes = text.as_bytes();
    if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
        return None;
    }
    let (year, month, day) = (text[..4].parse().ok()?, text[5..7].parse().ok()?, text[8..].parse().ok()?);
    let days = days_of(year, month, day);
    (civil_of(days) == (year, month, day)).then_some(days)
}

/// A datetime as domains take it: a blank or `T` in the middle, a fraction or none; `Z` and offsets are dropped without a
/// word, as PostgreSQL drops them for a column without time zone. A date is its midnight.
pub(super) fn parse_time(text: &str) -> Option<i64> {
    if !text.is_ascii() || text.len() < 10 {
        return None;
    }
    let days = parse_date(&text[..10])?;
    let rest = &text[10..];
    if rest.is_empty() {
        return Some(days * DAY);
    }
    if rest.len() < 9 || !matches!(rest.as_bytes()[0], b' ' | b'T') {
        return None;
    }
    let (hour, minute, second): (i64, i64, i64) =
        (rest[1..3].parse().ok()?, rest[4..6].parse().ok()?, rest[7..9].parse().ok()?);
    if hour > 23 || minute > 59 || second > 59 || &rest[3..4] != ":" || &rest[6..7] != ":" {
        return None;
    }
    let mut micros = 0;
    if let Some(fraction) = rest[9..].strip_prefix('.') {
        let digits: String = fraction.chars().take_while(char::is_ascii_digit).take(6).collect();
        micros = format!("{digits:0<6}").parse().ok()?;
    }
    Some(days * DAY + (hour * 3600 + minute * 60 + second) * SECOND + micros)
}
