//! A server's rows in a mirror in memory, told as records.

mod changes;
mod company;
mod oddities;
mod recording;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex as StdMutex};

use flate2::read::GzDecoder;
use jiff::SignedDuration;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::live::streams::STREAMS;
use crate::recorded::Recorded;
use reeve_domain::record::{Item, PurchaseLine, StockMove};
use reeve_ports::MirrorRow;

#[derive(Clone, Debug)]
struct Kept {
    row: MirrorRow,
    seq: i64,
    gone: bool,
    at: Timestamp,
}

#[derive(Debug, Default)]
struct Memory {
    seq: i64,
    rows: BTreeMap<(String, i64), Kept>,
    positions: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(in crate::live) struct MemoryMirror(StdMutex<Memory>);

impl MemoryMirror {
    pub(in crate::live) fn put(&self, stream: &str, row: MirrorRow, at: Timestamp) {
        let mut memory = self.0.lock().unwrap();
        let key = (stream.to_owned(), row.id);
        if memory.rows.get(&key).is_some_and(|kept| kept.row == row && !kept.gone) {
            return;
        }
        memory.seq += 1;
        let seq = memory.seq;
        memory.rows.insert(key, Kept { row, seq, gone: false, at });
    }

    fn remove(&self, stream: &str, id: i64, at: Timestamp) {
        let mut memory = self.0.lock().unwrap();
        memory.seq += 1;
        let seq = memory.seq;
        let kept = memory.rows.get_mut(&(stream.to_owned(), id)).unwrap();
        (kept.gone, kept.seq, kept.at) = (true, seq, at);
    }

    /// The same rows, changed in another order.
    fn shuffled(&self, order: &mut impl FnMut() -> u64) -> Self {
        let memory = self.0.lock().unwrap();
        let mut rows: Vec<_> = memory.rows.iter().map(|(key, kept)| (order(), key.clone(), kept.clone())).collect();
        rows.sort_by_key(|(at, key, _)| (*at, key.clone()));
        let numbered = (1..).zip(rows).map(|(seq, (_, key, kept))| (key, Kept { seq, ..kept }));
        let rows: BTreeMap<_, _> = numbered.collect();
        Self(StdMutex::new(Memory { seq: rows.len() as i64, rows, positions: BTreeMap::new() }))
    }

    fn select(&self, wanted: impl Fn(&str, &MirrorRow) -> bool) -> Vec<MirrorRow> {
        let memory = self.0.lock().unwrap();
        let found = memory.rows.iter().filter(|((stream, _), kept)| !kept.gone && wanted(stream, &kept.row));
        found.map(|(_, kept)| kept.row.clone()).collect()
    }
}

#[async_trait]
impl Mirror for MemoryMirror {
    async fn position(&self, stream: &str) -> Result<Option<String>, BoxError> {
        Ok(self.0.lock().unwrap().positions.get(stream).cloned())
    }

    async fn keep(
        &self,
        stream: &str,
        rows: &[MirrorRow],
        gone: &[i64],
        position: &str,
        at: Timestamp,
    ) -> Result<u64, BoxError> {
        for row in rows {
            self.put(stream, row.clone(), at);
        }
        for id in gone {
            self.remove(stream, *id, at);
        }
        self.0.lock().unwrap().positions.insert(stream.to_owned(), position.to_owned());
        Ok(rows.len() as u64)
    }

    async fn keep_records(&self, _: &str, _: &[Observed], _: &str, _: Timestamp) -> Result<u64, BoxError> {
        panic!("the source keeps no sums")
    }

    async fn ids(&self, stream: &str, after: i64, limit: usize) -> Result<Vec<i64>, BoxError> {
        let rows = self.select(|of, row| of == stream && row.id > after);
        Ok(rows.iter().map(|row| row.id).take(limit).collect())
    }

    async fn changes(&self, after: i64, limit: usize) -> Result<Vec<MirrorChange>, BoxError> {
        let memory = self.0.lock().unwrap();
        let later = memory.rows.iter().filter(|(_, kept)| kept.seq > after);
        let mut changes: Vec<MirrorChange> = later
            .map(|((stream, id), kept)| MirrorChange {
                seq: kept.seq,
                stream: stream.clone(),
                id: *id,
                gone: kept.gone,
                read_at: kept.at,
            })
            .collect();
        changes.sort_by_key(|change| change.seq);
        changes.truncate(limit);
        Ok(changes)
    }

    async fn rows(&self, stream: &str, ids: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        let ids: BTreeSet<i64> = ids.iter().copied().collect();
        Ok(self.select(|of, row| of == stream && ids.contains(&row.id)))
    }

    async fn linked(&self, stream: &str, link: usize, targets: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        let targets: BTreeSet<i64> = targets.iter().copied().collect();
        Ok(self.select(|of, row| of == stream && row.links[link].is_some_and(|id| targets.contains(&id))))
    }

    async fn all(&self, stream: &str) -> Result<Vec<MirrorRow>, BoxError> {
        Ok(self.select(|of, _| of == stream))
    }
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evals/recordings/odoo-18-retailer")
}

/// The rows of the bundled recording, by model, as objects.
pub(in crate::live) static BUNDLED: LazyLock<BTreeMap<&'static str, Vec<Value>>> = LazyLock::new(|| {
    let mut all: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for stream in STREAMS {
        let Ok(file) = std::fs::File::open(folder().join(format!("{}.json.gz", stream.model))) else { continue };
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).unwrap();
        let mut file: Value = serde_json::from_str(&text).unwrap();
        all.insert(stream.model, serde_json::from_value(file["rows"].take()).unwrap());
    }
    let currency = all["res.company"][0]["currency_id"].clone();
    all.insert("res.currency", vec![json!({"id": currency[0], "name": "USD"})]);
    all
});

pub(in crate::live) fn mirror_row(model: &str, row: &Value) -> MirrorRow {
    let stream = stream_of(model).unwrap();
    let cell = |name: &str, absent: Option<Value>| match &row[name] {
        Value::Null => absent.unwrap_or(json!(false)),
        // References come bare.
        Value::Array(pair) if pair.len() == 2 && pair[1].is_string() => pair[0].clone(),
        value => value.clone(),
    };
    let mut cells: Vec<Value> = stream
        .fields
        .iter()
        .map(|field| cell(field.name, field.absent.cell().map(|cell| serde_json::to_value(cell).unwrap())))
        .collect();
    cells.extend(stream.first_seen.iter().map(|name| match &row[format!("first {name}")] {
        Value::Null => row[*name].clone(),
        seen => seen.clone(),
    }));
    let mut links = [None; 3];
    for (link, name) in links.iter_mut().zip(stream.links) {
        *link = cells[stream.position(name).unwrap()].as_i64();
    }
    MirrorRow { id: row["id"].as_i64().unwrap(), body: Value::Array(cells).to_string(), links }
}

fn at(minutes: i64) -> Timestamp {
    "2026-11-01T00:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_mins(minutes)
}

/// A world of rows that can be changed.
pub(super) struct World {
    mirror: Arc<MemoryMirror>,
    pub(super) source: OdooSource,
    cursor: Option<String>,
    pub(super) records: BTreeMap<RecordRef, Record>,
    minutes: i64,
}

impl World {
    pub(super) fn new(rows: &BTreeMap<&'static str, Vec<Value>>, companies: Vec<i64>, currency: &str) -> Self {
        let mirror = Arc::new(MemoryMirror::default());
        for stream in STREAMS {
            for row in rows.get(stream.model).into_iter().flatten() {
                mirror.put(stream.model, mirror_row(stream.model, row), at(0));
            }
        }
        Self::of(mirror, companies, currency)
    }

    fn of(mirror: Arc<MemoryMirror>, companies: Vec<i64>, currency: &str) -> Self {
        let told = Told { name: "https://erp.example.com (shop)".to_owned(), companies, currency: currency.to_owned() };
        let source = OdooSource::new(told, Arc::clone(&mirror) as Arc<dyn Mirror>, None);
        Self { mirror, source, cursor: None, records: BTreeMap::new(), minutes: 0 }
    }

    fn bundled() -> Self {
        Self::new(&BUNDLED, vec![], "USD")
    }

    /// What each company pays for a product.
    pub(super) fn costs(&mut self, product: i64, costs: &Value) {
        self.minutes += 1;
        let row = MirrorRow { id: product, body: json!([product, costs]).to_string(), links: [None; 3] };
        self.mirror.put(crate::live::costs::COSTS, row, at(self.minutes));
    }

    pub(super) fn put(&mut self, model: &str, row: &Value) {
        self.minutes += 1;
        self.mirror.put(model, mirror_row(model, row), at(self.minutes));
    }

    pub(super) fn remove(&mut self, model: &str, id: i64) {
        self.minutes += 1;
        self.mirror.remove(model, id, at(self.minutes));
    }

    /// Reads to the end and gives back what was told.
    pub(super) async fn read(&mut self, limit: usize) -> Vec<Record> {
        let mut told = Vec::new();
        loop {
            let page = self.source.read(self.cursor.as_deref(), at(100_000), limit).await.unwrap();
            self.cursor = Some(page.next);
            for observed in page.observed {
                match &observed.record {
                    Record::Gone(key) => self.records.remove(key),
                    record => self.records.insert(record.key(), record.clone()),
                };
                told.push(observed.record);
            }
            if !page.more {
                return told;
            }
        }
    }

    pub(super) fn get(&self, kind: RecordKind, id: &str) -> Option<&Record> {
        self.records.get(&RecordRef::new(kind, id))
    }
}

pub(super) fn row_of(model: &str, id: i64) -> Value {
    BUNDLED[model].iter().find(|row| row["id"] == id).unwrap().clone()
}

fn keys(records: &[Record]) -> Vec<String> {
    records
        .iter()
        .map(|record| format!("{}{}", if matches!(record, Record::Gone(_)) { "-" } else { "" }, record.key()))
        .collect()
}

#[test]
fn everything_the_translation_needs_is_in_the_table_of_streams() {
    // What only a recording holds.
    let known = ["sale.order.line.is_reward_line"];
    for (model, fields) in crate::rows::models() {
        let Some(stream) = stream_of(model) else {
            // Stock by lot is asked for as sums (`live/lots`).
            assert!(["stock.valuation.layer", "stock.quant"].contains(&model), "{model}");
            continue;
        };
        for field in fields {
            let pseudo = [crate::rows::FIRST_PLANNED, crate::rows::COMPANY_COSTS];
            let there = stream.position(field).is_some() || pseudo.contains(&field);
            assert!(there || known.contains(&format!("{model}.{field}").as_str()), "{model}.{field}");
        }
    }
}
