//! Changed copies of the bundled recording, read as a live server's rows are.

use std::io::{Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tempfile::TempDir;

const BUNDLED: &str = "evals/recordings/odoo-18-retailer";

fn unpack(path: &Path) -> Value {
    let mut text = String::new();
    GzDecoder::new(std::fs::File::open(path).expect("a model")).read_to_string(&mut text).expect("it unpacks");
    serde_json::from_str(&text).expect("it is JSON")
}

/// The first row of a model in the bundled recording: a row to make others like it.
pub(crate) fn first_row(model: &str) -> Value {
    unpack(&Path::new(BUNDLED).join(format!("{model}.json.gz")))["rows"][0].clone()
}

fn pack(path: &Path, model: &Value) {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(model.to_string().as_bytes()).expect("it packs");
    std::fs::write(path, packed.finish().expect("it packs")).expect("it is written");
}

/// The bundled recording with a case's rows: `{model: [{"added": row} | {"changed": id, "to": {field: value}}]}`.
pub(crate) fn with_case(case: &str) -> TempDir {
    let text = std::fs::read_to_string(Path::new("tests/cases").join(case)).expect("the case is there");
    with_rows(&serde_json::from_str(&text).expect("it is JSON"))
}

/// The bundled recording with rows.
pub(crate) fn with_rows(changes: &Value) -> TempDir {
    let dir = TempDir::new().expect("a folder");
    for entry in std::fs::read_dir(BUNDLED).expect("the recording is there") {
        let path = entry.expect("a file").path();
        std::fs::copy(&path, dir.path().join(path.file_name().expect("a name"))).expect("it copies");
    }
    let index = dir.path().join("INDEX.json");
    let mut text: Value = serde_json::from_str(&std::fs::read_to_string(&index).expect("an index")).expect("it is JSON");
    for (key, value) in [("rows", json!("as they were")), ("complete", json!(true)), ("home", json!(1))] {
        text[key] = value;
    }
    std::fs::write(&index, text.to_string()).expect("it is written");
    for (model, fields, rows) in [
        ("res.currency", json!(["id", "name"]), json!([{"id": 1, "name": "USD"}])),
        ("res.currency.rate", json!(["id", "name", "currency_id", "rate", "company_id"]), json!([])),
    ] {
        let whole = json!({"model": model, "domain": [], "fields": fields, "context": {}, "rows": rows});
        pack(&dir.path().join(format!("{model}.json.gz")), &whole);
    }
    for (model, changes) in changes.as_object().expect("models") {
        let path = dir.path().join(format!("{model}.json.gz"));
        let mut whole = unpack(&path);
        let rows = whole["rows"].as_array_mut().expect("rows");
        for change in changes.as_array().expect("changes") {
            if let Some(added) = change.get("added") {
                rows.push(added.clone());
                continue;
            }
            let row = rows.iter_mut().find(|row| row["id"] == change["changed"]).expect("the row is there");
            for (field, value) in change["to"].as_object().expect("fields") {
                row[field] = value.clone();
            }
        }
        pack(&path, &whole);
    }
    dir
}
