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
use crate::live::record::AS_THEY_WERE;
use crate::rows::cell::Cell;
use crate::rows::{Care, Model, Row, RowError, Rows};

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

    /// What was read so far, to go back to.
    pub(super) fn mark(&self) -> Sha256 {
        self.hasher.clone()
    }

    /// Counts as read only what was read when the mark was made.
    pub(super) fn reset(&mut self, mark: Sha256) {
        self.hasher = mark;
    }

    /// Was the model recorded?
    fn has(&self, model: &Model) -> bool {
        self.dir.join(file_of(model)).exists()
    }

    /// Streams `model`'s rows, in the order of the file, to `each`. The first error ends it.
    pub(super) fn rows(
        &mut self,
        model: &'static Model,
        mut each: impl FnMut(&Row) -> Result<(), RowError>,
    ) -> Result<(), RecordingError> {
        // A row twice would count its goods twice, and no later step could see it.
        let mut ids = BTreeSet::new();
        let mut each = |row: &Row| {
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
        let path = self.dir.join(file_of(model));
        let packed = std::fs::read(&path).map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => RecordingError::Missing { path: path.clone(), model: model.name },
            _ => RecordingError::Unreadable { path: path.clone(), source },
        })?;
        // Model and length go into the hash beside the bytes: the same bytes divided otherwise are another recording.
        self.hasher.update(model.name.as_bytes());
        self.hasher.update([0x1f]);
        self.hasher.update((packed.len() as u64).to_be_bytes());
        self.hasher.update(&packed);
        read_model(model, BufReader::with_capacity(1 << 16, GzDecoder::new(packed.as_slice())), &mut each)
    }

    /// The hash of everything read so far: 16 hex digits, names one recording among the few that a person has.
    pub(super) fn content_hash(self) -> String {
        let mut hash = hex::encode(self.hasher.finalize());
        hash.truncate(16);
        hash
    }
}

impl Rows for Reader<'_> {
    type Error = RecordingError;

    fn each(&mut self, model: &'static Model, each: impl FnMut(&Row) -> Result<(), RowError>) -> Result<(), RecordingError> {
        self.rows(model, each)
    }

    fn each_if_any(
        &mut self,
        model: &'static Model,
        each: impl FnMut(&Row) -> Result<(), RowError>,
    ) -> Result<(), RecordingError> {
        if self.has(model) { self.rows(model, each) } else { Ok(()) }
    }
}

/// The rows of a recording that was made of a live server: what can not be understood is passed over.
pub(super) struct AsTheyWere<'r, 'a, 'c> {
    reader: &'r mut Reader<'a>,
    care: &'c Care,
}

impl<'r, 'a, 'c> AsTheyWere<'r, 'a, 'c> {
    /// The reader's rows. `care` keeps in mind what is passed over.
    pub(super) fn new(reader: &'r mut Reader<'a>, care: &'c Care) -> Self {
        // The same files read otherwise say something else.
        reader.hasher.update(AS_THEY_WERE.as_bytes());
        Self { reader, care }
    }
}

impl Rows for AsTheyWere<'_, '_, '_> {
    type Error = RecordingError;

    fn each(
        &mut self,
        model: &'static Model,
        mut each: impl FnMut(&Row) -> Result<(), RowError>,
    ) -> Result<(), RecordingError> {
        let care = self.care;
        self.reader.rows(model, |row| {
            if let Err(error) = each(row) {
                care.pass_over(error);
            }
            Ok(())
        })
    }

    fn each_if_any(
        &mut self,
        model: &'static Model,
        each: impl FnMut(&Row) -> Result<(), RowError>,
    ) -> Result<(), RecordingError> {
        if self.reader.has(model) { self.each(model, each) } else { Ok(()) }
    }
}

/// The file's name in the folder.
fn file_of(model: &Model) -> String {
    format!("{}.json.gz", model.name)
}

/// What each row is given to. Not a parameter of the types below: the parser would be compiled anew for every caller.
type Each<'a> = &'a mut dyn FnMut(&Row) -> Result<(), RowError>;

fn read_model(model: &'static Model, text: impl Read, each: Each<'_>) -> Result<(), RecordingError> {
    // What a row is refused for is told in our words; the parser would only say where it stopped.
    let mut stopped = None;
    let mut json = serde_json::Deserializer::from_reader(text);
    let file = FileSeed { model, each, stopped: &mut stopped };
    // `end` reads on to the end of the compressed stream, and so checks its checksum.
    let outcome = file.deserialize(&mut json).and_then(|()| json.end());
    if let Some(error) = stopped {
        return Err(error);
    }
    outcome.map_err(|error| {
        let file = file_of(model);
        if error.is_io() {
            RecordingError::Damaged { file, detail: error.to_string() }
        } else if error.is_eof() {
            RecordingError::Damaged { file, detail: format!("its text ends too early: {error}") }
        } else {
            // Where it lies is told beside the sentence, so it is taken out of it.
            let place = format!(" at line {} column {}", error.line(), error.column());
            let detail = error.to_string().replace(&place, "");
            RecordingError::Malformed { file, line: error.line(), column: error.column(), detail }
        }
    })
}

/// The whole file. `stopped` carries our own error past serde, whose errors are only text.
struct FileSeed<'a> {
    model: &'static Model,
    each: Each<'a>,
    stopped: &'a mut Option<RecordingError>,
}

impl<'de> DeserializeSeed<'de> for FileSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for FileSeed<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an object with model, fields and rows")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
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
                    map.next_value_seed(RowsSeed { model: self.model, slots, each: self.each, stopped: self.stopped })?;
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
    for (at, field) in model.fields().enumerate() {
        match slots.get_mut(field) {
            Some(slot) => *slot = Some(at),
            None if model.optional.contains(&field) => {}
            None => return Err(RecordingError::FieldNotRecorded { file: file_of(model), model: model.name, field }),
        }
    }
    Ok(slots)
}

fn header(model: &'static Model, detail: String) -> RecordingError {
    RecordingError::Header { file: file_of(model), detail }
}

fn stop<E: serde::de::Error>(slot: &mut Option<RecordingError>, error: impl Into<RecordingError>) -> E {
    let error = error.into();
    let text = E::custom(&error);
    *slot = Some(error);
    text
}

struct RowsSeed<'a> {
    model: &'static Model,
    slots: &'a Slots,
    each: Each<'a>,
    stopped: &'a mut Option<RecordingError>,
}

impl<'de> DeserializeSeed<'de> for RowsSeed<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for RowsSeed<'_> {
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
            (self.each)(&row).map_err(|error| stop(self.stopped, error))?;
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
        let width = self.model.fields().count();
        let mut row = Row { model: self.model, number: self.number, cells: vec![Cell::Flag(false); width] };
        let mut seen = vec![false; width];
        while let Some(field) = map.next_key::<String>()? {
            match self.slots.get(field.as_str()) {
                Some(Some(at)) => {
                    row.cells[*at] = map.next_value()?;
                    seen[*at] = true;
                }
                Some(None) => {
                    map.next_value::<IgnoredAny>()?;
                }
                None => {
                    let cell = map.next_value()?;
                    let expected = "only fields of the file's list `fields`";
                    return Err(stop(self.stopped, row.wrong(&field, expected, &cell, "record the model again")));
                }
            }
        }
        // Only fields that nothing can do without are asked for; others have the value of an empty cell.
        if let Some(at) = seen[..self.model.needs.len()].iter().position(|seen| !seen) {
            let missing = Cell::Text("no such field".to_owned());
            let error = row.wrong(self.model.needs[at], "a value in every row", &missing, "record the model again");
            return Err(stop(self.stopped, error));
        }
        Ok(row)
    }
}
