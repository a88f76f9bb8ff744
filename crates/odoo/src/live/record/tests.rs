//! Recordings of a mirror that holds the bundled recording's rows, opened again.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use flate2::read::GzDecoder;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::Notify;

use super::table::{TABLE, Treat, treat};
use super::*;
use crate::live::source::tests::{BUNDLED, MemoryMirror, mirror_row};
use crate::recorded::{Recorded, RecordingError};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, Observed, Record, RecordKind, RecordRef, StockMove};
use reeve_ports::{MirrorChange, MirrorRow, Source};

const MARKER: &str = "Zq Marker ";

type World = BTreeMap<&'static str, Vec<Value>>;

fn mirror(rows: &World) -> MemoryMirror {
    let mirror = MemoryMirror::default();
    for (model, rows) in rows {
        for row in rows.iter().filter(|_| stream_of(model).is_some()) {
            mirror.put(model, mirror_row(model, row), now());
        }
    }
    mirror
}

fn now() -> Timestamp {
    "2026-11-01T00:00:00Z".parse().unwrap()
}

fn recorder<'a>(mirror: &'a dyn Mirror, scope: &'a Scope, levels: Option<&'a [StockLevel]>) -> Recorder<'a> {
    Recorder { mirror, levels, companies: &[], currency: "USD", now: now(), plain: false, scope, key: [7; 32] }
}

/// The last versions of all records.
async fn records(recorded: &Recorded) -> BTreeMap<RecordRef, Record> {
    let page = recorded.read(None, Timestamp::MAX, usize::MAX).await.unwrap();
    page.observed.into_iter().map(|Observed { record, .. }| (record.key(), record)).collect()
}

fn bundled_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../evals/recordings/odoo-18-retailer")
}

fn unpacked(dir: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            let mut text = String::new();
            let mut file = std::fs::File::open(&path).unwrap();
            if path.extension().is_some_and(|e| e == "gz") {
                GzDecoder::new(file).read_to_string(&mut text).unwrap();
            } else {
                file.read_to_string(&mut text).unwrap();
            }
            (name, text)
        })
        .collect()
}

/// What moved in and out, by item and location.
fn sums(records: &BTreeMap<RecordRef, Record>) -> BTreeMap<(ItemId, LocationId), Decimal> {
    let mut sums = BTreeMap::new();
    for moved in moves(records).filter(|moved| moved.done_at.is_some()) {
        for (end, quantity) in [(&moved.from, -moved.qty.0), (&moved.to, moved.qty.0)] {
            if let Some(end) = end {
                *sums.entry((moved.item.clone(), end.clone())).or_insert(Decimal::ZERO) += quantity;
            }
        }
    }
    sums.retain(|_, sum: &mut Decimal| !sum.is_zero());
    sums
}

fn moves(records: &BTreeMap<RecordRef, Record>) -> impl Iterator<Item = &StockMove> {
    records.values().filter_map(|record| if let Record::Move(moved) = record { Some(moved) } else { None })
}

/// As it is but for what stays at home, and for costs, which a live server has only as they are today.
fn disguised(mut record: Record) -> Record {
    let gone = String::new;
    match &mut record {
        Record::Item(r) => r.cost = None,
        // A supplier's own code of an item is marked like names: it says who the supplier is.
        Record::SupplierPrice(r) => (r.keys.code, r.keys.name) = (gone(), gone()),
        Record::Supplier(r) => r.name = format!("Supplier {}", r.id),
        Record::Location(r) => r.company_name = gone(),
        // A recording has them in references, a server in the lists themselves.
        Record::Promotion(r) => r.name = gone(),
        Record::SaleLine(r) => r.reference = gone(),
        Record::Move(r) => {
            let named = r.document.contains('/') && !r.document.starts_with("SP/");
            (r.document, r.reason, r.entered_by) = (if named { r.document.clone() } else { gone() }, gone(), None);
            // A customer's reference stands behind the order's name: then all of it is marked.
            if r.origin.starts_with("x-") || r.origin.contains(" - ") {
                r.origin = gone();
            }
        }
        Record::BillLine(r) => (r.reference, r.entered_by) = (gone(), None),
        _ => {}
    }
    record
}

#[tokio::test]
async fn a_recording_of_the_bundled_rows_gives_the_same_records_but_for_names() {
    let (dir, mirror) = (TempDir::new().unwrap(), mirror(&BUNDLED));
    let folder = dir.path().join("shop");
    let summary = recorder(&mirror, &Scope::default(), None).record(&folder).await.unwrap();
    assert_eq!((summary.opening_stock, summary.rows["stock.move"]), (0, 5759));
    let theirs = records(&Recorded::open(&bundled_folder(), "USD").unwrap()).await;
    let recorded = Recorded::open(&folder, "USD").unwrap();
    assert_eq!(recorded.gaps().await.unwrap(), []);
    let ours = records(&recorded).await;
    assert_eq!(ours.keys().collect::<Vec<_>>(), theirs.keys().collect::<Vec<_>>());
    for (key, record) in theirs {
        assert_eq!(disguised(ours[&key].clone()), disguised(record), "{key}");
    }
    // Origins that name documents stay, and equal references stay equal.
    assert!(moves(&ours).any(|moved| moved.origin.starts_with("P00")));
    let reasons: std::collections::BTreeSet<&str> =
        moves(&ours).filter(|m| m.kind == MoveKind::Scrap).map(|m| m.reason.as_str()).collect();
    assert!(reasons.len() < 6 && reasons.iter().all(|reason| reason.starts_with("x-")), "{reasons:?}");
    assert!(moves(&ours).any(|moved| moved.kind == MoveKind::Opening));
}

#[tokio::test]
async fn no_text_that_is_not_known_to_be_safe_is_in_any_file() {
    let mut rows = BUNDLED.clone();
    let (mut planted, mut kept) = (0, Vec::new());
    for (model, rows) in &mut rows {
        let Some(stream) = stream_of(model) else { continue };
        let fields: Vec<&str> = stream.fields.iter().map(|field| field.name).collect();
        for (number, row) in rows.iter_mut().enumerate() {
            for field in &fields {
                let is_name = matches!(treat(model, field), Some(Treat::Name | Treat::Document));
                // What is empty in the data may hold something elsewhere, so every other row has text everywhere.
                let is_text = row[*field].is_string() || (number % 2 == 1 && row[*field].is_null());
                let is_free = matches!(treat(model, field), Some(Treat::Secret | Treat::Origin | Treat::Partner)) || is_text;
                if is_name && model == &"purchase.order" {
                    row[*field] = json!(format!("{MARKER}order {number}"));
                    planted += 1;
                } else if is_name {
                    kept.push(row[*field].as_str().unwrap_or_default().to_owned());
                } else if is_free || row[*field].as_array().is_some_and(|pair| pair.len() == 2 && number % 3 == 0) {
                    row[*field] = json!(format!("{MARKER}{model} {field} {number}"));
                    planted += 1;
                }
            }
        }
    }
    assert!(planted > 10_000, "{planted}");
    let (dir, mirror) = (TempDir::new().unwrap(), mirror(&rows));
    let folder = dir.path().join("shop");
    recorder(&mirror, &Scope::default(), None).record(&folder).await.unwrap();
    let files = unpacked(&folder);
    assert_eq!(files.len(), TABLE.len() + UNREAD.len() + 2);
    for (name, text) in &files {
        assert!(!text.contains(MARKER.trim()) && !text.contains("Lindqvist") && !text.contains("Mitchell"), "{name}");
    }
    // And in plain nothing is changed: the same look finds them.
    let scope = Scope::default();
    let mut plain = recorder(&mirror, &scope, None);
    plain.plain = true;
    let open = dir.path().join("open");
    plain.record(&open).await.unwrap();
    assert!(unpacked(&open)["sale.order.json.gz"].contains(MARKER));
    assert!(kept.iter().any(|name| !name.is_empty() && files["product.template.json.gz"].contains(name)));
}

#[tokio::test]
async fn every_model_and_field_that_the_translation_reads_is_in_a_recording() {
    let (dir, mirror) = (TempDir::new().unwrap(), MemoryMirror::default());
    let folder = dir.path().join("shop");
    recorder(&mirror, &Scope::default(), None).record(&folder).await.unwrap();
    let files = unpacked(&folder);
    // Stock by lot is asked for as sums, and a recording of our own has none.
    for (model, fields) in crate::rows::models().into_iter().filter(|(model, _)| *model != "stock.quant") {
        let file: Value = serde_json::from_str(&files[&format!("{model}.json.gz")]).unwrap();
        for field in fields {
            assert!(file["fields"].as_array().unwrap().contains(&json!(field)), "{model}.{field}");
        }
    }
    // A server with nothing in it is nothing wrong.
    assert_eq!(records(&Recorded::open(&folder, "USD").unwrap()).await, BTreeMap::new());
}

/// Half of what the moves say is there, and one item that never moved.
fn some_levels(records: &BTreeMap<RecordRef, Record>) -> Vec<StockLevel> {
    let sums = sums(records);
    let level = |(at, ((item, location), sum)): (usize, ((ItemId, LocationId), Decimal))| StockLevel {
        item,
        location,
        on_hand: Quantity(sum + Decimal::from(at as i64 - 20)),
        reserved: Quantity::ZERO,
        unposted: Quantity::ZERO,
    };
    sums.into_iter().enumerate().map(level).filter(|level| !level.on_hand.is_zero()).collect()
}

fn stated(levels: &[StockLevel]) -> BTreeMap<(ItemId, LocationId), Decimal> {
    levels.iter().map(|level| ((level.item.clone(), level.location.clone()), level.on_hand.0)).collect()
}

#[tokio::test]
async fn opening_stock_makes_the_sum_of_movements_the_stock_that_is_stated() {
    let theirs = records(&Recorded::open(&bundled_folder(), "USD").unwrap()).await;
    let mut levels = some_levels(&theirs);
    // What is not stated is not there.
    levels.remove(0);
    let (dir, mirror) = (TempDir::new().unwrap(), mirror(&BUNDLED));
    for (name, scope) in [("all", Scope::default()), ("month", Scope { warehouses: Vec::new(), days: Some(30) })] {
        let folder = dir.path().join(name);
        let summary = recorder(&mirror, &scope, Some(&levels)).record(&folder).await.unwrap();
        let recorded = Recorded::open(&folder, "USD").unwrap();
        let ours = records(&recorded).await;
        assert_eq!(sums(&ours), stated(&levels), "{name}");
        let largest = BUNDLED["stock.move"].iter().map(|row| row["id"].as_i64().unwrap()).max().unwrap();
        let added: Vec<&StockMove> = moves(&ours).filter(|m| m.id.parse::<i64>().unwrap() > largest).collect();
        assert_eq!(added.len() as u64, summary.opening_stock);
        let earliest = moves(&ours).filter_map(|m| m.done_at).min();
        for moved in added {
            assert_eq!((moved.kind, moved.done_at), (MoveKind::Opening, earliest), "{}", moved.id);
        }
    }
}

#[tokio::test]
async fn a_scope_leaves_out_other_warehouses_and_older_days_but_not_what_is_open() {
    let theirs = records(&Recorded::open(&bundled_folder(), "USD").unwrap()).await;
    let levels = some_levels(&theirs);
    let (dir, mirror) = (TempDir::new().unwrap(), mirror(&BUNDLED));
    let folder = dir.path().join("north");
    let scope = Scope { warehouses: vec!["NOR".to_owned()], days: Some(30) };
    recorder(&mirror, &scope, Some(&levels)).record(&folder).await.unwrap();
    let recorded = Recorded::open(&folder, "USD").unwrap();
    let ours = records(&recorded).await;
    let places: Vec<&RecordRef> = ours.keys().filter(|key| key.kind == RecordKind::Location).collect();
    assert_eq!(places.len(), 1);
    let north = LocationId::new(places[0].id.clone());
    let mut wanted = stated(&levels);
    wanted.retain(|(_, location), _| *location == north);
    assert_eq!(sums(&ours), wanted);
    let since: Timestamp = "2026-10-01T23:59:59Z".parse().unwrap();
    assert!(moves(&ours).all(|moved| moved.done_at.is_none_or(|at| at >= since)));
    let open = |records: &BTreeMap<RecordRef, Record>| {
        let open = moves(records).filter(|m| m.done_at.is_none() && !m.qty.is_zero());
        open.filter(|m| m.from.as_ref() == Some(&north) || m.to.as_ref() == Some(&north)).count()
    };
    assert_eq!(open(&ours), open(&theirs));
    for record in ours.values() {
        match record {
            Record::PoLine(line) => assert_eq!(line.location, north),
            Record::SaleLine(line) => assert_eq!(line.location, north),
            _ => {}
        }
    }
    assert!(ours.keys().any(|key| key.kind == RecordKind::BillLine));
    let refused = Scope { warehouses: vec!["XX".to_owned()], days: None };
    let error = recorder(&mirror, &refused, Some(&levels)).record(&dir.path().join("no")).await.unwrap_err();
    assert!(error.to_string().contains("NOR"), "{error}");
    let month = Scope { warehouses: Vec::new(), days: Some(30) };
    let error = recorder(&mirror, &month, None).record(&dir.path().join("no")).await.unwrap_err();
    assert!(matches!(error, RecordError::NoLevels));
    assert!(!dir.path().join("no").exists() && !dir.path().join("no.partial").exists());
}

#[tokio::test]
async fn rows_that_refer_to_nothing_become_gaps_and_rates_are_used() {
    let mut rows = BUNDLED.clone();
    rows.get_mut("stock.move").unwrap()[0]["product_id"] = json!([99_999, "gone"]);
    rows.get_mut("purchase.order.line").unwrap()[0]["order_id"] = json!([99_998, "gone"]);
    // An order in euros, at two dollars.
    let order = rows["purchase.order"].iter().position(|order| order["state"] == "purchase").unwrap();
    rows.get_mut("purchase.order").unwrap()[order]["currency_id"] = json!([77, "EUR"]);
    let order = rows["purchase.order"][order]["id"].clone();
    rows.get_mut("res.currency").unwrap().push(json!({"id": 77, "name": "EUR"}));
    rows.insert(
        "res.currency.rate",
        vec![json!({"id": 1, "name": "2020-01-01", "currency_id": 77, "rate": 0.5, "company_id": false})],
    );
    let (dir, mirror) = (TempDir::new().unwrap(), mirror(&rows));
    let folder = dir.path().join("shop");
    recorder(&mirror, &Scope::default(), None).record(&folder).await.unwrap();
    let recorded = Recorded::open(&folder, "USD").unwrap();
    let what: Vec<String> = recorded.gaps().await.unwrap().into_iter().map(|gap| gap.to_string()).collect();
    assert!(what.iter().any(|gap| gap.contains("stock.move.product_id") && gap.contains("1 row names")), "{what:?}");
    assert!(what.iter().any(|gap| gap.contains("purchase.order.line.order_id")), "{what:?}");
    let theirs = records(&Recorded::open(&bundled_folder(), "USD").unwrap()).await;
    let ours = records(&recorded).await;
    let mut seen = 0;
    for (key, record) in &ours {
        let (Record::PoLine(ours), Some(Record::PoLine(theirs))) = (record, theirs.get(key)) else { continue };
        if order == json!(ours.order_id.parse::<i64>().unwrap()) {
            assert_eq!(ours.price.unwrap().0, theirs.price.unwrap().0 * Decimal::TWO, "{key}");
            seen += 1;
        }
    }
    assert!(seen > 0);
}

/// A mirror that stops answering.
struct Stopping {
    inside: MemoryMirror,
    left: AtomicUsize,
    stopped: Notify,
    fails: bool,
}

impl Stopping {
    async fn step(&self) -> Result<(), BoxError> {
        if self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok() {
            return Ok(());
        }
        if self.fails {
            return Err("the disk is gone".into());
        }
        self.stopped.notify_one();
        std::future::pending().await
    }
}

#[async_trait]
impl Mirror for Stopping {
    async fn position(&self, stream: &str) -> Result<Option<String>, BoxError> {
        self.inside.position(stream).await
    }

    async fn keep(&self, _: &str, _: &[MirrorRow], _: &[i64], _: &str, _: Timestamp) -> Result<u64, BoxError> {
        panic!("a recording is only read")
    }

    async fn keep_records(&self, _: &str, _: &[Observed], _: &str, _: Timestamp) -> Result<u64, BoxError> {
        panic!("a recording is only read")
    }

    async fn ids(&self, stream: &str, after: i64, limit: usize) -> Result<Vec<i64>, BoxError> {
        self.step().await?;
        self.inside.ids(stream, after, limit).await
    }

    async fn changes(&self, after: i64, limit: usize) -> Result<Vec<MirrorChange>, BoxError> {
        self.inside.changes(after, limit).await
    }

    async fn rows(&self, stream: &str, ids: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        self.inside.rows(stream, ids).await
    }

    async fn linked(&self, stream: &str, link: usize, targets: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        self.inside.linked(stream, link, targets).await
    }

    async fn all(&self, stream: &str) -> Result<Vec<MirrorRow>, BoxError> {
        self.inside.all(stream).await
    }
}

#[tokio::test]
async fn a_recording_that_was_stopped_half_way_is_none_and_gives_way_to_the_next() {
    let dir = TempDir::new().unwrap();
    let (folder, partial) = (dir.path().join("shop"), dir.path().join("shop.partial"));
    for steps in [0, 12, 20, 30] {
        let stopping =
            Stopping { inside: mirror(&BUNDLED), left: AtomicUsize::new(steps), stopped: Notify::new(), fails: false };
        let scope = Scope::default();
        let recorder = recorder(&stopping, &scope, None);
        tokio::select! {
            biased;
            _ = recorder.record(&folder) => panic!("it went through after {steps} steps"),
            () = stopping.stopped.notified() => {}
        }
        assert!(!folder.exists());
        assert!(matches!(Recorded::open(&partial, "USD"), Err(RecordingError::Incomplete)), "{steps}");
    }
    let scope = Scope::default();
    let failing = Stopping { inside: mirror(&BUNDLED), left: AtomicUsize::new(5), stopped: Notify::new(), fails: true };
    assert!(matches!(recorder(&failing, &scope, None).record(&folder).await, Err(RecordError::Mirror(_))));
    assert!(!folder.exists() && !partial.exists());
    recorder(&failing.inside, &scope, None).record(&folder).await.unwrap();
    assert!(folder.exists() && !partial.exists());
    // What is there is never written over, and what is not ours not removed.
    let taken = recorder(&failing.inside, &scope, None).record(&folder).await;
    assert!(matches!(taken, Err(RecordError::Taken(_))));
    let other = dir.path().join("other.partial");
    std::fs::create_dir(&other).unwrap();
    std::fs::write(other.join("thesis.txt"), "mine").unwrap();
    let taken = recorder(&failing.inside, &scope, None).record(&dir.path().join("other")).await;
    assert!(matches!(taken, Err(RecordError::Taken(_))));
    assert!(other.join("thesis.txt").exists());
}
