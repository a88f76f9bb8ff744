//! Fills the fake with the bundled recording of an Odoo 18: the same rows under this version's names.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cell::{Cell, DAY, Kind, SECOND};
use super::schema::name_in;
use super::state::{CREATED, ID, State, WRITTEN, within_second};

/// Where the recording is.
pub(super) const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../evals/recordings/odoo-18-retailer");

#[derive(Deserialize)]
struct File {
    model: String,
    fields: Vec<String>,
    rows: Vec<Map<String, Value>>,
}

/// Reads every model of the recording that this version has. The clock shows the minute after the last change.
pub(super) fn seed(state: &mut State) {
    let mut paths: Vec<_> = fs::read_dir(Path::new(FOLDER)).expect("the recording is there").collect();
    paths.sort_by_key(|entry| entry.as_ref().expect("the recording's folder can be read").path());
    let mut newest = 0;
    for entry in paths {
        let path = entry.expect("the recording's folder can be read").path();
        if !path.to_string_lossy().ends_with(".json.gz") || path.ends_with("truth_demand.json.gz") {
            continue;
        }
        let file = fs::File::open(&path).expect("the recording can be opened");
        let file: File = serde_json::from_reader(std::io::BufReader::new(GzDecoder::new(file)))
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        if state.schema.contains_key(&file.model) {
            newest = newest.max(model(state, &file));
        }
    }
    state.now = newest + 60 * SECOND;
    missing(state);
    if state.version == super::Version::V19 {
        as_nineteen(state);
    }
}

fn model(state: &mut State, file: &File) -> i64 {
    let model = file.model.as_str();
    let mut columns = Vec::new();
    for name in &file.fields {
        // The recording is of an 18: another version may lack the field.
        let Some(here) = name_in(&state.schema, state.version, model, name) else { continue };
        let field = state.field(model, &here);
        let place = state.table_mut(model).column(&field);
        columns.push((name.as_str(), place, field));
    }
    let mut newest = 0;
    for values in &file.rows {
        let mut row = state.table_mut(model).blank();
        for (name, place, field) in &columns {
            let value = values.get(*name).unwrap_or(&Value::Null);
            if let (Kind::Many2one, Some([id, Value::String(shown)])) = (field.kind, value.as_array().map(Vec::as_slice))
                && let (Some(id), Some(relation)) = (id.as_i64(), field.relation.clone())
            {
                state.names.entry((relation, id)).or_insert_with(|| Arc::from(shown.as_str()));
            }
            row[*place] = Cell::from_json(field, value);
        }
        // The recording knows whole seconds; PostgreSQL has microseconds.
        for place in [CREATED, WRITTEN] {
            match &mut row[place] {
                Cell::Time(at) => *at = within_second(*at),
                other => *other = Cell::Time(0),
            }
        }
        if let Cell::Time(at) = row[WRITTEN] {
            newest = newest.max(at);
        }
        debug_assert!(row[ID].int().is_some(), "{model} has a row without id");
        state.table_mut(model).put(row);
    }
    newest
}

/// Moves everything, the clock too, by whole days: for programs that go by the machine's clock.
pub(super) fn move_days(state: &mut State, days: i64) {
    for model in state.models().collect::<Vec<_>>() {
        for id in state.ids(&model) {
            let table = state.table_mut(&model);
            let mut row = table.take(id).expect("the id was just listed");
            for (cell, field) in row.iter_mut().zip(&table.columns) {
                match cell {
                    Cell::Time(at) => *at += days * DAY,
                    Cell::Text(text) if field.kind == Kind::Date => {
                        let day: jiff::civil::Date = text.parse().expect("a date field holds a date");
                        *cell = Cell::Text(Arc::from((day + jiff::Span::new().days(days)).to_string()));
                    }
                    _ => {}
                }
            }
            table.put(row);
        }
    }
    state.now += days * DAY;
}

/// What the recording left out and its rows refer to.
fn missing(state: &mut State) {
    let currency = state.names.iter().find(|((model, _), _)| model == "res.currency");
    let (id, name) = currency.map_or((1, Arc::from("USD")), |((_, id), name)| (*id, name.clone()));
    let stamp = state.now;
    state.create_as(
        "res.currency",
        id,
        stamp,
        &json!({"name": &*name, "rate": 1.0, "symbol": "$", "rounding": 0.01, "decimal_places": 2}),
    );
    let rate = json!({"name": "2026-01-01", "rate": 1.0, "currency_id": id, "company_id": 1});
    state.create_as("res.currency.rate", 1, stamp, &rate);
    let user =
        json!({"name": "Reader", "login": "reader", "tz": "UTC", "lang": "en_US", "company_id": 1, "company_ids": [1]});
    state.create_as("res.users", 9, stamp, &user);
}

/// What 19 keeps in other fields.
fn as_nineteen(state: &mut State) {
    for id in state.ids("uom.uom") {
        state.write("uom.uom", id, &json!({"relative_factor": 1.0, "factor": 1.0, "relative_uom_id": false}));
    }
}
