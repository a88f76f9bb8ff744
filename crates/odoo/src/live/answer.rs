//! Understands answers. Rows are decoded as they are read, cell by cell, straight into the order in which their fields were
//! asked: a page of 20,000 rows never becomes a tree of maps.

use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::call::{FieldInfo, Group, ReadGroups};
use crate::rows::cell::Cell;

/// What the server says about something that went wrong, as far as it is ever read: not its traceback.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Fault {
    /// The exception's name: `odoo.exceptions.AccessError`.
    #[serde(default)]
    pub(super) name: String,
    /// What it says to people.
    #[serde(default)]
    pub(super) message: String,
}

/// Reads a whole text as one JSON value.
pub(super) fn decode<S, V>(body: &[u8], seed: S) -> Result<V, serde_json::Error>
where
    S: for<'de> DeserializeSeed<'de, Value = V>,
{
    let mut reader = serde_json::Deserializer::from_slice(body);
    let value = seed.deserialize(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// What stands in a JSON-RPC envelope.
pub(super) enum Said<V> {
    /// An answer.
    Result(V),
    /// A refusal.
    Fault(Fault),
    /// Neither: the method returned nothing.
    Nothing,
}

/// Opens a JSON-RPC envelope and reads the result in it.
pub(super) struct Envelope<S>(pub(super) S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Envelope<S> {
    type Value = Said<S::Value>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, S: DeserializeSeed<'de>> Visitor<'de> for Envelope<S> {
    type Value = Said<S::Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON-RPC answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        #[derive(Deserialize)]
        struct RpcError {
            #[serde(default)]
            message: String,
            data: Option<Fault>,
        }
        let mut seed = Some(self.0);
        let mut said = Said::Nothing;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "result" => {
                    // Which of two would be the answer nobody could say.
                    let seed = seed.take().ok_or_else(|| A::Error::custom("two results"))?;
                    said = Said::Result(map.next_value_seed(seed)?);
                }
                "error" => {
                    let error: RpcError = map.next_value()?;
                    said = Said::Fault(error.data.unwrap_or(Fault { name: String::new(), message: error.message }));
                }
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        Ok(said)
    }
}

/// Reads rows into cells: the id, then the asked fields (`id` among them is not repeated). A field that does not come is
/// empty; one that was not asked is skipped.
pub(super) struct Rows<'a> {
    fields: Vec<&'a str>,
}

impl<'a> Rows<'a> {
    /// For these fields.
    pub(super) fn of(fields: &'a [String]) -> Self {
        let asked = fields.iter().map(String::as_str).filter(|field| *field != "id");
        Self { fields: std::iter::once("id").chain(asked).collect() }
    }
}

impl<'de> DeserializeSeed<'de> for Rows<'_> {
    type Value = Vec<Vec<Cell>>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Rows<'_> {
    type Value = Vec<Vec<Cell>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut rows = Vec::new();
        while let Some(row) = seq.next_element_seed(Row(&self.fields))? {
            rows.push(row);
        }
        Ok(rows)
    }
}

struct Row<'a>(&'a [&'a str]);

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = Vec<Cell>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = Vec<Cell>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut cells = vec![Cell::Flag(false); self.0.len()];
        // Cells mostly come in the order in which they were asked for, so the next one is tried first.
        let mut guess = 0;
        while let Some(found) = map.next_key_seed(Key { fields: self.0, guess })? {
            match found {
                Some(at) => {
                    cells[at] = map.next_value()?;
                    guess = at + 1;
                }
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        // A row that can not be named can not be kept.
        if cells[0].id().is_none() {
            return Err(A::Error::custom("a row has no id"));
        }
        Ok(cells)
    }
}

/// Finds a key's place without keeping its text. Odoo answers in the order asked, so the next place is tried first.
struct Key<'a> {
    fields: &'a [&'a str],
    guess: usize,
}

impl<'de> DeserializeSeed<'de> for Key<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for Key<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E: serde::de::Error>(self, key: &str) -> Result<Self::Value, E> {
        if self.fields.get(self.guess) == Some(&key) {
            return Ok(Some(self.guess));
        }
        Ok(self.fields.iter().position(|field| *field == key))
    }
}

/// Reads what the fields of a model are.
pub(super) fn fields() -> impl for<'de> DeserializeSeed<'de, Value = BTreeMap<String, RawField>> + Send {
    PhantomData::<BTreeMap<String, RawField>>
}

/// A field, as the server describes it. What it does not say is taken for the worse.
#[derive(Debug, Deserialize)]
pub(super) struct RawField {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    store: bool,
    #[serde(default)]
    searchable: bool,
}

impl From<RawField> for FieldInfo {
    fn from(raw: RawField) -> Self {
        Self { kind: raw.kind, stored: raw.store, searchable: raw.searchable }
    }
}

/// Reads groups, whichever of the two methods made them.
pub(super) struct Groups<'a> {
    ask: &'a ReadGroups,
    zone: TimeZone,
}

impl<'a> Groups<'a> {
    /// Of this question. A zone that is not known is UTC, as Odoo takes it.
    pub(super) fn of(ask: &'a ReadGroups) -> Self {
        let zone = ask.scope.time_zone.as_deref().and_then(|name| TimeZone::get(name).ok()).unwrap_or(TimeZone::UTC);
        Self { ask, zone }
    }

    fn group(&self, said: &Map<String, Value>) -> Result<Group, String> {
        let count = said.get("__count").and_then(Value::as_u64).ok_or("a group has no count")?;
        let keys: Result<Vec<Cell>, String> = self.ask.by.iter().map(|by| self.key(by, said)).collect();
        let sums = self.ask.sums.iter().map(|field| sum(field, said)).collect::<Result<Vec<f64>, String>>()?;
        Ok(Group { keys: keys?, sums, count })
    }

    fn key(&self, by: &str, said: &Map<String, Value>) -> Result<Cell, String> {
        let value = said.get(by).ok_or_else(|| format!("a group has no {by}"))?;
        if by.contains(':') {
            return self.day(by, value, said);
        }
        Ok(match value {
            Value::Bool(flag) => Cell::Flag(*flag),
            Value::Null => Cell::Flag(false),
            Value::Number(number) => Cell::Number(number.as_f64().unwrap_or_default()),
            Value::String(text) => Cell::Text(text.clone()),
            // A reference is `[id, name]` here, whatever is asked: only the id is wanted.
            Value::Array(pair) => match pair.first().and_then(Value::as_i64) {
                Some(id) => Cell::Number(id as f64),
                None => return Err(format!("{by} of a group is a list without an id")),
            },
            Value::Object(_) => return Err(format!("{by} of a group is an object")),
        })
    }

    /// The day that a group stands for.
    ///
    /// The label (`23 Nov 2024`) is text in the user's language, so the day comes from the group's bounds: `read_group` gives
    /// them in `__range`, `formatted_read_group` gives the first beside the label. Both are UTC where the field has a time:
    /// the zone's midnight, or an hour off it where a clock change falls on midnight. A day has 23 to 25 hours, so twelve
    /// hours later it is the same day in the zone, whatever the clocks did.
    fn day(&self, by: &str, value: &Value, said: &Map<String, Value>) -> Result<Cell, String> {
        let range = said.get("__range").and_then(|ranges| ranges.get(by));
        let start = match (range, value) {
            (_, Value::Bool(false) | Value::Null) => return Ok(Cell::Flag(false)),
            (Some(range), _) => range.get("from").and_then(Value::as_str),
            (None, Value::Array(pair)) => pair.first().and_then(Value::as_str),
            (None, _) => None,
        };
        let start = start.ok_or_else(|| format!("{by} of a group has no bounds"))?;
        let bad = |_| format!("{start:?}, where {by} of a group starts, is no date");
        if start.len() == "2024-11-23".len() {
            let day: jiff::civil::Date = start.parse().map_err(bad)?;
            return Ok(Cell::Text(day.to_string()));
        }
        let start: DateTime = start.parse().map_err(bad)?;
        let noon: Timestamp = start
            .to_zoned(TimeZone::UTC)
            .and_then(|at| at.timestamp().checked_add(SignedDuration::from_hours(12)))
            .map_err(|_| format!("{by} of a group is out of range"))?;
        Ok(Cell::Text(noon.to_zoned(self.zone.clone()).date().to_string()))
    }
}

/// `read_group` names a sum by its field, `formatted_read_group` by field and `:sum`. Nothing to add up is zero.
fn sum(field: &str, said: &Map<String, Value>) -> Result<f64, String> {
    match said.get(&format!("{field}:sum")).or_else(|| said.get(field)) {
        Some(Value::Number(number)) => Ok(number.as_f64().unwrap_or_default()),
        Some(Value::Bool(false) | Value::Null) => Ok(0.0),
        Some(_) => Err(format!("the sum of {field} is no number")),
        None => Err(format!("a group has no sum of {field}")),
    }
}

impl<'de> DeserializeSeed<'de> for Groups<'_> {
    type Value = Vec<Group>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Groups<'_> {
    type Value = Vec<Group>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of groups")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        let mut groups = Vec::new();
        while let Some(said) = seq.next_element::<Map<String, Value>>()? {
            groups.push(self.group(&said).map_err(A::Error::custom)?);
        }
        Ok(groups)
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::Date;
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::call::{Domain, Scope};
    use super::*;

    fn by_day(zone: Option<&str>) -> ReadGroups {
        ReadGroups {
            model: "stock.move".to_owned(),
            domain: Domain::all(),
            by: vec!["date:day".to_owned()],
            sums: vec!["quantity".to_owned()],
            scope: Scope { companies: Vec::new(), time_zone: zone.map(str::to_owned) },
        }
    }

    fn day_of(zone: Option<&str>, group: &Value) -> Result<Cell, String> {
        let text = json!([group]).to_string();
        let groups = decode(text.as_bytes(), Groups::of(&by_day(zone))).map_err(|e| e.to_string())?;
        Ok(groups[0].keys[0].clone())
    }

    fn text(day: &str) -> Cell {
        Cell::Text(day.to_owned())
    }

    #[test]
    fn a_day_is_read_from_its_bounds_in_either_form_and_for_dates_without_a_time() {
        let old = json!({ "date:day": "4 déc. 2025", "__count": 1, "quantity": 2.0,
            "__range": { "date:day": { "from": "2025-12-03 11:00:00", "to": "2025-12-04 11:00:00" } } });
        assert_eq!(day_of(Some("Pacific/Auckland"), &old), Ok(text("2025-12-04")));
        let new = json!({ "date:day": ["2025-12-03 11:00:00", "4 déc. 2025"], "__count": 1, "quantity:sum": 2.0 });
        assert_eq!(day_of(Some("Pacific/Auckland"), &new), Ok(text("2025-12-04")));
        // A field without a time has its day as it is, wherever.
        let date = json!({ "date:day": ["2025-12-03", "3 déc. 2025"], "__count": 1, "quantity:sum": false });
        assert_eq!(day_of(Some("Pacific/Auckland"), &date), Ok(text("2025-12-03")));
        let none = json!({ "date:day": false, "__count": 1, "quantity": 2.0, "__range": { "date:day": false } });
        assert_eq!(day_of(None, &none), Ok(Cell::Flag(false)));
    }

    #[test]
    fn a_group_that_lacks_what_was_asked_is_an_error_not_a_zero() {
        for broken in [
            json!({ "date:day": false, "quantity": 2.0 }),
            json!({ "__count": 1, "quantity": 2.0 }),
            json!({ "date:day": false, "__count": 1 }),
            json!({ "date:day": "04 Dec 2025", "__count": 1, "quantity": 2.0 }),
            json!({ "date:day": ["soon", "soon"], "__count": 1, "quantity": 2.0 }),
            json!({ "date:day": false, "__count": 1, "quantity": "two" }),
        ] {
            assert!(day_of(None, &broken).is_err(), "{broken}");
        }
    }

    proptest! {
        /// Odoo finds a day's start with a library that, where the clock change falls on midnight, may be an hour off.
        #[test]
        fn every_day_of_every_zone_is_found_again(days in 0_i64..15_000, zone in 0_usize..7, off in -1_i64..=1) {
            let names = ["Pacific/Auckland", "America/Santiago", "Asia/Beirut", "America/Havana", "Australia/Lord_Howe",
                "Pacific/Kiritimati", "UTC"];
            let date = Date::constant(1990, 1, 1).saturating_add(jiff::Span::new().days(days));
            let start = date.to_zoned(TimeZone::get(names[zone]).unwrap()).unwrap().timestamp() + SignedDuration::from_hours(off);
            let from = start.strftime("%Y-%m-%d %H:%M:%S").to_string();
            let group = json!({ "date:day": [from, "label"], "__count": 1, "quantity:sum": 1.0 });
            prop_assert_eq!(day_of(Some(names[zone]), &group), Ok(text(&date.to_string())));
        }

        /// Cells stand where their fields were asked, in whatever order they come and whatever else comes with them.
        #[test]
        fn cells_stand_in_the_order_asked(
            order in Just((0..6).collect::<Vec<usize>>()).prop_shuffle(),
            present in proptest::collection::vec(any::<bool>(), 6),
        ) {
            let fields: Vec<String> = (0..6).map(|n| format!("f{n}")).collect();
            let mut row = vec![r#""other": {"deep": [1, {"id": 99}]}"#.to_owned()];
            for n in order {
                if present[n] {
                    row.push(format!(r#""f{n}": {}"#, n * 10));
                }
            }
            row.push(r#""id": 7"#.to_owned());
            let body = format!("[{{{}}}]", row.join(","));
            let rows = decode(body.as_bytes(), Rows::of(&fields)).unwrap();
            let expected: Vec<Cell> = std::iter::once(Cell::Number(7.0))
                .chain((0..6).map(|n| if present[n] { Cell::Number((n * 10) as f64) } else { Cell::Flag(false) }))
                .collect();
            prop_assert_eq!(&rows[0], &expected);
        }

        /// No text, however broken, is more than an error.
        #[test]
        fn nothing_that_is_sent_makes_it_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
            drop(decode(&body, Envelope(Rows::of(&["a".to_owned()]))));
            drop(decode(&body, Groups::of(&by_day(None))));
        }
    }
}
