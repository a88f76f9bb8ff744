//! The folder of a recording on the disk: nothing half written is ever taken for a recording.
//!
//! Everything is written into a folder beside it, whose INDEX.json says that it is not complete; when all is on the disk the
//! folder gets its name.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};
use serde_json::{Value, json};

use super::RecordError;
use crate::rows::cell::Cell;

/// What INDEX.json says of rows that nobody has made whole: they are read as those of a live server.
pub(crate) const AS_THEY_WERE: &str = "as they were";

/// A recording in the making.
pub(super) struct Folder {
    dir: PathBuf,
    part: PathBuf,
    models: Vec<Value>,
}

impl Folder {
    /// Begins a recording that will be `dir`, which must not exist or be empty.
    pub(super) fn begin(dir: &Path) -> Result<Self, RecordError> {
        let name = dir.file_name().ok_or_else(|| RecordError::Taken(dir.to_owned()))?;
        if !is_free(dir)? {
            return Err(RecordError::Taken(dir.to_owned()));
        }
        let mut part = name.to_owned();
        part.push(".partial");
        let part = dir.with_file_name(part);
        if !is_free(&part)? {
            // Of an earlier try; anything else is not ours to remove.
            if !is_partial(&part) {
                return Err(RecordError::Taken(part));
            }
            std::fs::remove_dir_all(&part).map_err(|source| RecordError::file(&part, source))?;
        }
        std::fs::create_dir_all(&part).map_err(|source| RecordError::file(&part, source))?;
        // What it holds is the ERP's: for its owner alone.
        #[cfg(unix)]
        std::fs::set_permissions(&part, std::os::unix::fs::PermissionsExt::from_mode(0o700))
            .map_err(|source| RecordError::file(&part, source))?;
        let begun = Self { dir: dir.to_owned(), part, models: Vec::new() };
        begun.write("INDEX.json", &json!({"rows": AS_THEY_WERE, "complete": false}).to_string())?;
        Ok(begun)
    }

    /// Begins the file of a model.
    pub(super) fn model(&self, model: &'static str, fields: Vec<String>) -> Result<ModelFile, RecordError> {
        let path = self.part.join(format!("{model}.json.gz"));
        let file = File::create_new(&path).map_err(|source| RecordError::file(&path, source))?;
        let mut file =
            ModelFile { out: GzEncoder::new(BufWriter::new(file), Compression::default()), path, model, fields, rows: 0 };
        let names = serde_json::to_string(&file.fields).expect("names");
        // Which rows were asked for stands in INDEX.json, for all models at once.
        let head = format!("{{\"model\":\"{model}\",\"domain\":[],\"fields\":{names},\"context\":{{}},\"rows\":[");
        file.put(head.as_bytes())?;
        Ok(file)
    }

    /// The file of a model is whole.
    pub(super) fn close(&mut self, file: ModelFile) -> Result<(), RecordError> {
        self.models.push(file.close()?);
        Ok(())
    }

    /// All models are written: gives the recording its name.
    pub(super) fn finish(&mut self, mut index: Value, readme: &str) -> Result<(), RecordError> {
        index["complete"] = json!(true);
        index["models"] = Value::Array(std::mem::take(&mut self.models));
        self.write("README.md", readme)?;
        self.write("INDEX.json.new", &serde_json::to_string_pretty(&index).expect("plain values"))?;
        let (new, old) = (self.part.join("INDEX.json.new"), self.part.join("INDEX.json"));
        std::fs::rename(&new, &old).map_err(|source| RecordError::file(&old, source))?;
        sync(&self.part)?;
        // An empty folder of that name gives way.
        std::fs::rename(&self.part, &self.dir).map_err(|source| RecordError::file(&self.dir, source))?;
        match self.dir.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync(parent),
            _ => Ok(()),
        }
    }

    /// Takes back what was begun.
    pub(super) fn give_up(&self) {
        if let Err(error) = std::fs::remove_dir_all(&self.part) {
            tracing::warn!("{} can not be removed: {error}", self.part.display());
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), RecordError> {
        let path = self.part.join(name);
        let written = File::create(&path).and_then(|mut file| {
            file.write_all(text.as_bytes())?;
            file.sync_all()
        });
        written.map_err(|source| RecordError::file(&path, source))
    }
}

/// The file of a model, row by row.
pub(super) struct ModelFile {
    out: GzEncoder<BufWriter<File>>,
    path: PathBuf,
    model: &'static str,
    fields: Vec<String>,
    rows: u64,
}

impl ModelFile {
    /// Adds a row, its cells in the order of the fields.
    pub(super) fn row(&mut self, cells: &[Cell]) -> Result<(), RecordError> {
        let row = serde_json::to_vec(&Row { fields: &self.fields, cells }).expect("cells are plain values");
        self.put(if self.rows == 0 { b"\n" } else { b",\n" })?;
        self.put(&row)?;
        self.rows += 1;
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), RecordError> {
        self.out.write_all(bytes).map_err(|source| RecordError::file(&self.path, source))
    }

    fn close(mut self) -> Result<Value, RecordError> {
        self.put(b"\n]}\n")?;
        let Self { out, path, model, fields, rows } = self;
        let written = out.finish().and_then(|buffer| {
            let file = buffer.into_inner()?;
            file.sync_all()?;
            Ok(file.metadata()?.len())
        });
        let bytes = written.map_err(|source| RecordError::file(&path, source))?;
        Ok(json!({"model": model, "rows": rows, "fields": fields.len(), "bytes_gz": bytes}))
    }
}

struct Row<'a> {
    fields: &'a [String],
    cells: &'a [Cell],
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.fields.len()))?;
        for (field, cell) in self.fields.iter().zip(self.cells) {
            map.serialize_entry(field, cell)?;
        }
        map.end()
    }
}

/// Is nothing there?
fn is_free(path: &Path) -> Result<bool, RecordError> {
    match std::fs::read_dir(path) {
        Ok(mut entries) => Ok(entries.next().is_none()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
        Err(source) => Err(RecordError::file(path, source)),
    }
}

/// Is it what a recording that was not finished leaves?
fn is_partial(path: &Path) -> bool {
    let index = std::fs::read(path.join("INDEX.json")).ok();
    let index = index.and_then(|text| serde_json::from_slice::<Value>(&text).ok());
    index.is_some_and(|index| index["rows"] == AS_THEY_WERE)
}

fn sync(folder: &Path) -> Result<(), RecordError> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(|source| RecordError::file(folder, source))
}
