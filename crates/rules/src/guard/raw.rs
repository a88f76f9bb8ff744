//! JSON as it stands, and its fields by name and type. What does not fit is said by us: a parser's words hold pieces of the
//! reply, and change with the parser.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::objection::Shape;
use crate::prose::excerpt;

/// A value. Of an object every field is kept, also one that is there twice: `serde_json::Value` would keep the last.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum Raw {
    Object(Fields),
    List(Vec<Raw>),
    Plain(Value),
}

/// The fields of an object, in their order.
#[derive(Debug)]
pub(super) struct Fields(Vec<(String, Raw)>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct All;
        impl<'de> Visitor<'de> for All {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut all = Vec::new();
                while let Some(field) = map.next_entry()? {
                    all.push(field);
                }
                Ok(Fields(all))
            }
        }
        deserializer.deserialize_map(All)
    }
}

/// One field that was asked for.
pub(super) struct Field {
    pub(super) name: &'static str,
    pub(super) value: Raw,
}

/// The fields of these names: each once, and no other.
pub(super) fn fields<const N: usize>(raw: Raw, names: [&'static str; N]) -> Result<[Field; N], Shape> {
    let Raw::Object(Fields(all)) = raw else {
        return Err(Shape::Type { field: "choices", wanted: "a list of objects" });
    };
    let mut found = [const { None }; N];
    for (name, value) in all {
        let Some(at) = names.iter().position(|known| *known == name) else {
            return Err(Shape::NotAsked(excerpt(&name)));
        };
        if found[at].replace(value).is_some() {
            return Err(Shape::Twice(names[at]));
        }
    }
    if let Some(at) = found.iter().position(Option::is_none) {
        return Err(Shape::Missing(names[at]));
    }
    let mut names = names.into_iter();
    Ok(found.map(|value| Field {
        name: names.next().expect("there are as many names as values"),
        value: value.expect("none is missing, as was just looked up"),
    }))
}

impl Field {
    pub(super) fn flag(self) -> Result<bool, Shape> {
        match self.value {
            Raw::Plain(Value::Bool(flag)) => Ok(flag),
            _ => Err(self.is_not("true or false")),
        }
    }

    pub(super) fn text(self) -> Result<String, Shape> {
        match self.value {
            Raw::Plain(Value::String(text)) => Ok(text),
            _ => Err(self.is_not("text")),
        }
    }

    pub(super) fn list(self) -> Result<Vec<Raw>, Shape> {
        match self.value {
            Raw::List(all) => Ok(all),
            _ => Err(self.is_not("a list")),
        }
    }

    /// A whole number of percent: `60`, `60.0` or `"60"`, which all say the same. `0.6` may be six tenths of a percent or
    /// sixty, and so may `1.0` be one or a hundred: what may be either is asked for again.
    pub(super) fn percent(self) -> Result<i64, Shape> {
        match &self.value {
            Raw::Plain(Value::Number(number)) => {
                // Of whole numbers any is taken: whether it is a percentage is said by whoever judges it.
                let whole = number.as_i64().or(number.as_u64().map(|_| i64::MAX));
                let written = number.as_f64().filter(|n| n.fract() == 0.0 && *n > 1.0 && *n <= 100.0).map(|n| n as i64);
                whole.or(written).ok_or(Shape::NotWhole(self.name))
            }
            Raw::Plain(Value::String(text)) => {
                let number = text.trim().trim_end_matches('%').trim_end();
                let is_whole = !number.is_empty() && number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit());
                let parsed = if is_whole { number.parse().ok() } else { None };
                parsed.ok_or(Shape::NotWhole(self.name))
            }
            _ => Err(self.is_not("a whole number from 0 to 100")),
        }
    }

    fn is_not(&self, wanted: &'static str) -> Shape {
        Shape::Type { field: self.name, wanted }
    }
}
