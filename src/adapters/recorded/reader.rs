//! Streams a recorded model row by row: `{model, domain, fields, context, rows}`, gzipped.
//!
//! Never more than one row is held, and of it only the cells that are needed. The head must come before the rows, so that
//! each row can be checked against the list of recorded fields.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use sha2::{Digest, Sha256};

use super::error::RecordingError;
use super::row::{Cell, Model, Row};

/// Reads the models of one folder and remembers what they held.
pub(super) struct Reader<'a> {
    dir: &'a Path,
    hasher: Sha256,
}

impl<'a> Reader<'a> {
    /// Reads from `dir`.
    pub(super) fn new(dir: &'a Path) -> Self {
        Self { dir, hasher: Sha256::new() }
    }

    /// Streams `model`'s rows, in the order of the file, to `each`. The first error ends it.
    pub(super) fn rows(
        &mut self,
        model: &'static Model,
        mut each: impl FnMut(Row) -> Result<(), RecordingError>,
    ) -> Result<(), RecordingError> {
        let mut ids = BTreeSet::new();
        let each = |row: Row| {
            if !ids.insert(row.id()?) {
                return Err(row.wrong(
                    "id",
                    "an id that no earlier row has",
                    &Cell::Number(row.id()? as f64),
                    "record the model again",
                ));
            }
            each(row)
        };
        let path = self.dir.join(model.file());
        let packed = std::fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => RecordingError::Missing { path: path.clone(), model: model.name },
            _ => RecordingError::Unreadable { path: path.clone(), source },
        })?;
        self.hasher.update(model.name.as_bytes());
        self.hasher.update([0x1f]);
        self.hasher.update((packed.len() as u64).to_be_bytes());
        self.hasher.update(&packed);
        read_model(model, BufReader::with_capacity(1 << 16, GzDecoder::new(packed.as_slice())), each)
    }

    /// The hash of everything read so far: 16 hex digits, names one recording among the few that a person has.
    pub(super) fn content_hash(self) -> String {
        let mut hash = hex::encode(self.hasher.finalize());
        hash.truncate(16);
        hash
    }
}

fn read_model<R: Read, F>(model: &'static Model, text: R, each: F) -> Result<(), RecordingError>
where
    F: FnMut(Row) -> Result<(), RecordingError>,
{
    let mut stopped = None;
    let mut json = serde_json::Deserializer::from_reader(text);
    let file = FileSeed { model, each, stopped: &mut stopped };
    // `end` reads on to the end of the compressed stream, and so checks its checksum.
    let outcome = file.deserialize(&mut json).and_then(|()| json.end());
    if let Some(error) = stopped {
        return Err(error);
    }
    outcome.map_err(|error| {
        let file = model.file();
        if error.is_io() {
            RecordingError::Damaged { file, detail: error.to_string() }
        } else if error.is_eof() {
            RecordingError::Damaged { file, detail: format!("its text ends too early: {error}") }
        } else {
            let place = format!(" at line {} column {}", error.line(), error.column());
            let detail = error.to_string().replace(&place, "");
            RecordingError::Malformed { file, line: error.line(), column: error.column(), detail }
        }
    })
}

/// The whole file. `stopped` carries our own error past serde, whose errors are only text.
struct FileSeed<'a, F> {
    model: &'static Model,
    each: F,
    stopped: &'a mut Option<RecordingError>,
}

impl<'de, F: FnMut(Row) -> Result<(), RecordingError>> DeserializeSeed<'de> for FileSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, F: FnMut(Row) -> Result<(), RecordingError>> Visitor<'de> for FileSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with model, fields and rows")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        let mut slots = None;
        let mut read = false;
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "model" => {
                    let name: String = map.next_value()?;
                    if name != self.model.name {
                        return Err(stop(self.stopped, header(self.model, format!("it holds the model `{name}`"))));
                    }
                }
                "fields" => {
                    let fields: Vec<String> = map.next_value()?;
                    slots = Some(slots_of(self.model, &fields).map_err(|error| stop(self.stopped, error))?);
                }
                "rows" => {
                    let Some(slots) = &slots else {
                        let detail = "the list `fields` is missing or stands after `rows`".to_owned();
                        return Err(stop(self.stopped, header(self.model, detail)));
                    };
                    map.next_value_seed(RowsSeed { model: self.model, slots, each: &mut self.each, stopped: self.stopped })?;
                    read = true;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        if read { Ok(()) } else { Err(stop(self.stopped, header(self.model, "it has no `rows`".to_owned()))) }
    }
}

/// Where the cell of each recorded field goes; None for those that are not needed.
type Slots = BTreeMap<String, Option<usize>>;

fn slots_of(model: &'static Model, fields: &[String]) -> Result<Slots, RecordingError> {
    let mut slots: Slots = fields.iter().map(|field| (field.clone(), None)).collect();
    // Odoo answers the id whether it was asked for or not.
    slots.insert("id".to_owned(), None);
    for (at, field) in model.needs.iter().enumerate() {
        match slots.get_mut(*field) {
            Some(slot) => *slot = Some(at),
            None => return Err(RecordingError::FieldNotRecorded { file: model.file(), model: model.name, field }),
        }
    }
    Ok(slots)
}

fn header(model: &'static Model, detail: String) -> RecordingError {
    RecordingError::Header { file: model.file(), detail }
}

fn stop<E: serde::de::Error>(slot: &mut Option<RecordingError>, error: RecordingError) -> E {
    let text = E::custom(&error);
    *slot = Some(error);
    text
}

struct RowsSeed<'a, F> {
    model: &'static Model,
    slots: &'a Slots,
    each: &'a mut F,
    stopped: &'a mut Option<RecordingError>,
}

impl<'de, F: FnMut(Row) -> Result<(), RecordingError>> DeserializeSeed<'de> for RowsSeed<'_, F> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, F: FnMut(Row) -> Result<(), RecordingError>> Visitor<'de> for RowsSeed<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a list of rows")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let mut number = 0;
        loop {
            number += 1;
            let seed = RowSeed { model: self.model, slots: self.slots, number, stopped: self.stopped };
            let Some(row) = seq.next_element_seed(seed)? else { return Ok(()) };
            (self.each)(row).map_err(|error| stop(self.stopped, error))?;
        }
    }
}

struct RowSeed<'a> {
    model: &'static Model,
    slots: &'a Slots,
    number: usize,
    stopped: &'a mut Option<RecordingError>,
}

impl<'de> DeserializeSeed<'de> for RowSeed<'_> {
    type Value = Row;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Row, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for RowSeed<'_> {
    type Value = Row;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "row {} as an object", self.number)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row, A::Error> {
        let mut row = Row { model: self.model, number: self.number, cells: vec![Cell::Null; self.model.needs.len()] };
        let mut seen = vec![false; self.model.needs.len()];
        while let Some(field) = map.next_key::<String>()? {
            match self.slots.get(field.as_str()) {
                Some(Some(at)) => {
                    row.cells[*at] = map.next_value_seed(CellSeed)?;
                    seen[*at] = true;
                }
                Some(None) => {
                    map.next_value::<IgnoredAny>()?;
                }
                None => {
                    let cell = map.next_value_seed(CellSeed)?;
                    let expected = "only fields of the file's list `fields`";
                    return Err(stop(self.stopped, row.wrong(&field, expected, &cell, "record the model again")));
                }
            }
        }
        if let Some(at) = seen.iter().position(|seen| !seen) {
            let missing = Cell::Text("no such field".to_owned());
            let error = row.wrong(self.model.needs[at], "a value in every row", &missing, "record the model again");
            return Err(stop(self.stopped, error));
        }
        Ok(row)
    }
}

#[derive(Clone, Copy)]
struct CellSeed;

impl<'de> DeserializeSeed<'de> for CellSeed {
    type Value = Cell;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Cell, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for CellSeed {
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
        while let Some(cell) = seq.next_element_seed(CellSeed)? {
            cells.push(cell);
        }
        Ok(Cell::List(cells))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Cell, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Cell::Object)
    }
}
