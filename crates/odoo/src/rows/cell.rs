//! A cell as Odoo sends it. Odoo says "empty" with `false`, whatever the field's type.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};

/// A value in a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// `null`, which Odoo never sends.
    Null,
    /// `false` (empty) or `true`.
    Flag(bool),
    /// Any number. Ids are exact up to 2⁵³.
    Number(f64),
    /// Text, dates, selections.
    Text(String),
    /// A reference `[id, name]` or a list of ids.
    List(Vec<Cell>),
    /// An object: nothing that is read here holds one, so its content is dropped.
    Object,
}

impl Cell {
    /// A whole number above zero: an id, or the id in a reference.
    pub fn id(&self) -> Option<i64> {
        match self {
            Self::Number(n) if *n >= 1.0 && n.fract() == 0.0 => Some(*n as i64),
            Self::List(cells) if cells.len() == 2 => match &cells[0] {
                Self::Number(n) if *n >= 1.0 && n.fract() == 0.0 => Some(*n as i64),
                _ => None,
            },
            _ => None,
        }
    }
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

impl Serialize for Cell {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null | Self::Object => serializer.serialize_unit(),
            Self::Flag(b) => serializer.serialize_bool(*b),
            // Whole numbers are written whole: `5`, not `5.0`, as Odoo writes ids.
            Self::Number(n) if n.fract() == 0.0 && n.abs() < 9e15 => serializer.serialize_i64(*n as i64),
            Self::Number(n) => serializer.serialize_f64(*n),
            Self::Text(t) => serializer.serialize_str(t),
            Self::List(cells) => serializer.collect_seq(cells),
        }
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(CellVisitor)
    }
}

struct CellVisitor;

impl<'de> Visitor<'de> for CellVisitor {
    type Value = Cell;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: serde::de::Error>(self) -> Result<Cell, E> {
        Ok(Cell::Null)
    }

    fn visit_bool<E: serde::de::Error>(self, flag: bool) -> Result<Cell, E> {
        Ok(Cell::Flag(flag))
    }

    fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<Cell, E> {
        Ok(Cell::Number(number as f64))
    }

    fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<Cell, E> {
        Ok(Cell::Number(number))
    }

    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Cell, E> {
        Ok(Cell::Text(text.to_owned()))
    }

    fn visit_string<E: serde::de::Error>(self, text: String) -> Result<Cell, E> {
        Ok(Cell::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Cell, A::Error> {
        let mut cells = Vec::new();
        while let Some(cell) = seq.next_element()? {
            cells.push(cell);
        }
        Ok(Cell::List(cells))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Object)
    }
}
