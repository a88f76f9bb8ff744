//! The bundled recording as a whole, and small broken copies of it.

mod broken;
mod bundled;
mod lots;
mod oddities;
mod paging;
mod received;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use jiff::tz::TimeZone;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use reeve_domain::record::{
    BillLine, Item, Location, MoveKind, Promotion, PurchaseLine, Record, RecordKind, ReorderRule, SaleLine, StockMove,
    SupplierPrice,
};

static BUNDLED: LazyLock<Recorded> =
    LazyLock::new(|| Recorded::open(&folder(), "USD").expect("the bundled recording is complete"));

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evals/recordings/odoo-18-retailer")
}

fn unpack(path: &Path) -> Value {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).unwrap()).read_to_string(&mut text).unwrap();
    serde_json::from_str(&text).unwrap()
}

fn pack(path: &Path, text: &str) {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(text.as_bytes()).unwrap();
    std::fs::write(path, gz.finish().unwrap()).unwrap();
}

fn rows(model: &str) -> Vec<Value> {
    unpack(&folder().join(format!("{model}.json.gz")))["rows"].as_array().unwrap().clone()
}

fn stamp(text: &str) -> Timestamp {
    format!("{}Z", text.replace(' ', "T")).parse().unwrap()
}

fn of<'a, T: 'a>(pick: impl Fn(&'a Record) -> Option<&'a T> + 'a) -> impl Iterator<Item = (Timestamp, &'a T)> {
    BUNDLED.feed.iter().filter_map(move |o| Some((o.changed_at, pick(&o.record)?)))
}

macro_rules! all {
    ($kind:ident: $type:ty) => {
        of::<$type>(|record| if let Record::$kind(inner) = record { Some(inner) } else { None })
    };
}
use all;

fn keys(kind: RecordKind) -> BTreeSet<String> {
    BUNDLED.feed.iter().map(|o| o.record.key()).filter(|key| key.kind == kind).map(|key| key.id).collect()
}

/// A copy of the recording to break.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        for entry in std::fs::read_dir(folder()).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".json.gz") && !name.starts_with("truth") {
                std::fs::copy(&path, dir.path().join(name)).unwrap();
            }
        }
        Self(dir)
    }

    fn path(&self, model: &str) -> PathBuf {
        self.0.path().join(format!("{model}.json.gz"))
    }

    fn open(&self) -> Result<Recorded, RecordingError> {
        Recorded::open(self.0.path(), "USD")
    }

    fn edit_file(&self, model: &str, change: impl FnOnce(&mut Value)) {
        let mut file = unpack(&self.path(model));
        change(&mut file);
        // serde_json orders keys by name: "fields" still stands before "rows".
        pack(&self.path(model), &file.to_string());
    }

    fn edit(&self, model: &str, change: impl FnOnce(&mut Vec<Value>)) {
        self.edit_file(model, |file| change(file["rows"].as_array_mut().unwrap()));
    }

    fn refused(&self) -> String {
        self.open().expect_err("a broken recording must be refused").to_string()
    }
}

fn add_unit(copy: &Copy, id: i64, name: &str, category: i64, factor: f64) {
    copy.edit("uom.uom", |rows| {
        let mut unit = rows[0].clone();
        unit["id"] = json!(id);
        unit["name"] = json!(name);
        unit["category_id"] = json!([category, "Category"]);
        unit["factor"] = json!(factor);
        rows.push(unit);
    });
}
