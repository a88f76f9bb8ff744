//! A server's rows in a mirror in memory, told as records.

mod company;

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

// ---- a mirror in memory ----

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

// ---- rows ----

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
        let source = OdooSource::new(told, Arc::clone(&mirror) as Arc<dyn Mirror>, Vec::new());
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

// ---- the same as the recording ----

#[tokio::test]
async fn rows_in_the_mirror_give_the_same_records_as_the_recording_they_come_from() {
    let recorded = Recorded::open(&folder(), "USD").unwrap();
    let page = Source::read(&recorded, None, Timestamp::MAX, usize::MAX).await.unwrap();
    let mut last: BTreeMap<RecordRef, Record> = page.observed.into_iter().map(|o| (o.record.key(), o.record)).collect();
    let mut world = World::bundled();
    world.read(1000).await;
    assert_eq!(last.keys().collect::<Vec<_>>(), world.records.keys().collect::<Vec<_>>());
    let mut other_costs = 0;
    for (key, record) in &mut last {
        let live = &world.records[key];
        match (&mut *record, live) {
            // The recording follows the valuation to two decimals, a live server tells the product's cost of today.
            (Record::Item(a), Record::Item(b)) => {
                other_costs += usize::from(a.cost != b.cost);
                let (Some(ours), Some(theirs)) = (a.cost, b.cost) else { panic!("{key} has no cost") };
                assert!((ours.to_f64() - theirs.to_f64()).abs() < 0.011, "{key}: {ours} {theirs}");
                a.cost = b.cost;
            }
            // References in the mirror are bare: the list's own name stands for the one in the reference.
            (Record::Promotion(a), Record::Promotion(b)) => a.name.clone_from(&b.name),
            _ => {}
        }
        assert_eq!(record, live);
    }
    assert!(other_costs <= 20, "{other_costs} items have another cost");
    assert_eq!(world.source.gaps().await.unwrap(), []);
}

#[tokio::test]
async fn pages_of_any_size_give_the_same_and_a_page_that_was_lost_is_told_again() {
    let mut whole = World::bundled();
    whole.read(usize::MAX).await;
    let mut small = World::bundled();
    // The first page is lost: nobody stores what it says.
    small.source.read(None, at(100_000), 37).await.unwrap();
    small.read(37).await;
    assert!(small.records == whole.records);
    assert_eq!(small.read(37).await, []);
}

#[tokio::test]
async fn nothing_newer_than_asked_is_told() {
    let mut world = World::bundled();
    world.put("purchase.order", &row_of("purchase.order", 51));
    let page = world.source.read(None, at(-1), 10).await.unwrap();
    assert_eq!((page.observed.len(), page.more), (0, false));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3))]

    #[test]
    fn the_order_in_which_rows_came_does_not_matter(seed in any::<u64>(), limit in 50_usize..4000) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mut plain = World::bundled();
            let mut state = seed;
            let mut order = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                state >> 20
            };
            let mut shuffled = World::of(Arc::new(plain.mirror.shuffled(&mut order)), vec![], "USD");
            plain.read(5000).await;
            shuffled.read(limit).await;
            assert!(plain.records == shuffled.records);
        });
    }
}

// ---- one change at a time ----

#[tokio::test]
async fn a_change_tells_what_it_touches_and_nothing_else() {
    let mut world = World::bundled();
    world.read(5000).await;
    let mut line = row_of("purchase.order.line", 28);
    let order = line["order_id"][0].as_i64().unwrap();
    let siblings: BTreeSet<String> = BUNDLED["purchase.order.line"]
        .iter()
        .filter(|row| row["order_id"][0] == order)
        .map(|row| format!("po_line:{}", row["id"]))
        .collect();
    line["product_qty"] = json!(1000.0);
    world.put("purchase.order.line", &line);
    let told = world.read(10).await;
    let supplier = keys(&told).into_iter().filter(|key| key.starts_with("supplier:")).count();
    let lines: BTreeSet<String> = keys(&told).into_iter().filter(|key| !key.starts_with("supplier:")).collect();
    assert_eq!((lines, supplier), (siblings, 1));
    let Some(Record::PoLine(PurchaseLine { qty, .. })) = world.get(RecordKind::PoLine, "28") else { panic!() };
    assert_eq!(qty.to_string(), "1000");

    let mut product = row_of("product.product", 70);
    product["default_code"] = json!("AC-001-NEW");
    world.put("product.product", &product);
    assert_eq!(keys(&world.read(10).await), ["item:70"]);

    let mut partner = row_of("res.partner", 44);
    partner["name"] = json!("Other name");
    world.put("res.partner", &partner);
    let told = keys(&world.read(10).await);
    assert!(told.iter().all(|key| key == "supplier:44"), "{told:?}");
    assert_eq!(world.read(10).await, []);
}

#[tokio::test]
async fn a_picking_tells_its_moves_and_an_order_its_lines() {
    let mut world = World::bundled();
    world.read(5000).await;
    let movement = BUNDLED["stock.move"].iter().find(|row| row["picking_id"].is_array() && row["sale_line_id"].is_array());
    let mut picking = row_of("stock.picking", movement.unwrap()["picking_id"][0].as_i64().unwrap());
    let moves = BUNDLED["stock.move"].iter().filter(|row| row["picking_id"][0] == picking["id"]).count();
    picking["name"] = json!("NOR/OUT/RENAMED");
    world.put("stock.picking", &picking);
    let told = world.read(10).await;
    assert_eq!(told.len(), moves);
    assert!(told.iter().all(|r| matches!(r, Record::Move(StockMove { document, .. }) if document == "NOR/OUT/RENAMED")));

    let mut sale = row_of("sale.order", 25);
    let lines = BUNDLED["sale.order.line"].iter().filter(|row| row["order_id"][0] == 25).count();
    sale["state"] = json!("cancel");
    world.put("sale.order", &sale);
    let told = keys(&world.read(10).await);
    assert_eq!(told.len(), lines);
    assert!(told.iter().all(|key| key.starts_with("-sale_line:")), "{told:?}");
}

#[tokio::test]
async fn what_is_deleted_is_gone_under_every_name_it_had() {
    let mut rows = BUNDLED.clone();
    // A second variant: the template's price now counts for two.
    let price = row_of("product.supplierinfo", 31);
    let template = price["product_tmpl_id"][0].clone();
    let products = rows.get_mut("product.product").unwrap();
    let mut variant = products.iter().find(|row| row["product_tmpl_id"][0] == template).unwrap().clone();
    let first = variant["id"].clone();
    variant["id"] = json!(900);
    products.push(variant.clone());
    let mut world = World::new(&rows, vec![], "USD");
    world.read(500).await;
    assert!(world.get(RecordKind::SupplierPrice, &format!("31-{first}")).is_some());
    assert!(world.get(RecordKind::SupplierPrice, "31-900").is_some());
    assert!(world.get(RecordKind::SupplierPrice, "31").is_none());

    // Another process reads on: what the first one told is known all the same.
    let mut later = World::of(Arc::clone(&world.mirror), vec![], "USD");
    (later.cursor, later.records, later.minutes) = (world.cursor.clone(), world.records.clone(), world.minutes);
    later.remove("product.product", 900);
    later.read(10).await;
    assert!(later.get(RecordKind::SupplierPrice, "31").is_some());
    assert!(later.get(RecordKind::SupplierPrice, "31-900").is_none());
    assert!(later.get(RecordKind::SupplierPrice, &format!("31-{first}")).is_none());
    assert!(later.get(RecordKind::Item, "900").is_none());

    for (model, id, kind) in [
        ("product.supplierinfo", 31, RecordKind::SupplierPrice),
        ("stock.warehouse.orderpoint", 5, RecordKind::ReorderRule),
        ("purchase.order.line", 28, RecordKind::PoLine),
        ("stock.move", 80, RecordKind::Move),
        ("account.move.line", 58, RecordKind::BillLine),
        ("sale.order.line", BUNDLED["sale.order.line"][0]["id"].as_i64().unwrap(), RecordKind::SaleLine),
    ] {
        assert!(later.get(kind, &id.to_string()).is_some(), "{model}");
        later.remove(model, id);
        later.read(10).await;
        assert!(later.get(kind, &id.to_string()).is_none(), "{model}");
    }
    later.remove("product.pricelist.item", 1);
    later.read(10).await;
    assert!(later.get(RecordKind::Promotion, "pricelist-1").is_none());
}

#[tokio::test]
async fn a_row_that_came_before_what_it_names_is_told_when_that_comes() {
    let mut rows = BUNDLED.clone();
    let product = rows.get_mut("product.product").unwrap().remove(0);
    let mut world = World::new(&rows, vec![], "USD");
    world.read(800).await;
    let gaps = world.source.gaps().await.unwrap();
    assert!(gaps.iter().any(|gap| gap.what == "stock.move.product_id" && gap.why.contains("product.product")), "{gaps:?}");
    world.put("product.product", &product);
    world.read(800).await;
    let mut whole = World::bundled();
    whole.read(800).await;
    assert!(world.records == whole.records);
    assert_eq!(world.source.gaps().await.unwrap(), []);
}

#[tokio::test]
async fn the_first_promise_seen_is_kept_and_a_draft_is_no_order() {
    let mut world = World::bundled();
    let mut line = row_of("purchase.order.line", 28);
    line["first date_planned"] = line["date_planned"].clone();
    line["date_planned"] = json!("2026-12-24 12:00:00");
    world.put("purchase.order.line", &line);
    let mut order = row_of("purchase.order", 84);
    order["state"] = json!("sent");
    order["date_approve"] = json!(false);
    world.put("purchase.order", &order);
    world.read(1000).await;
    let Some(Record::PoLine(line)) = world.get(RecordKind::PoLine, "28") else { panic!() };
    assert_eq!(line.promised.to_string(), "2026-12-24T12:00:00Z");
    assert!(line.promised_first < line.promised);
    let drafts: Vec<&PurchaseLine> = world
        .records
        .values()
        .filter_map(|record| if let Record::PoLine(line) = record { Some(line) } else { None })
        .filter(|line| line.order_id == "84")
        .collect();
    assert!(!drafts.is_empty() && drafts.iter().all(|line| line.draft && !line.confirmed));
}

// ---- versions, currencies, companies ----

#[tokio::test]
async fn the_shapes_of_17_and_19_say_the_same() {
    let mut plain = World::bundled();
    plain.read(5000).await;
    let mut seventeen = BUNDLED.clone();
    for row in seventeen.get_mut("product.template").unwrap() {
        row["type"] = json!(if row["is_storable"] == json!(true) { "product" } else { "service" });
        row["is_storable"] = Value::Null;
    }
    let mut world = World::new(&seventeen, vec![], "USD");
    world.read(5000).await;
    assert!(world.records == plain.records);

    let mut nineteen = BUNDLED.clone();
    let without = [
        ("product.template", "uom_po_id"),
        ("stock.location", "scrap_location"),
        ("stock.move", "scrapped"),
        ("uom.uom", "category_id"),
    ];
    for (model, field) in without {
        for row in nineteen.get_mut(model).unwrap() {
            row[field] = Value::Null;
        }
    }
    // A dozen is made of units: it holds 12 of them.
    nineteen.get_mut("uom.uom").unwrap().push(json!({"id": 77, "name": "Dozens", "factor": 12.0, "relative_uom_id": 1}));
    for row in nineteen.get_mut("purchase.order.line").unwrap().iter_mut().filter(|row| row["id"] == 28) {
        row["product_uom"] = json!([77, "Dozens"]);
        row["product_qty"] = json!(16.0);
        row["price_unit"] = json!(45.6);
    }
    for row in nineteen.get_mut("product.supplierinfo").unwrap().iter_mut().filter(|row| row["id"] == 31) {
        row["product_uom"] = json!([77, "Dozens"]);
        row["price"] = json!(45.6);
    }
    for row in nineteen.get_mut("stock.warehouse.orderpoint").unwrap().iter_mut().filter(|row| row["id"] == 5) {
        row["qty_multiple"] = Value::Null;
        row["replenishment_uom_id"] = json!([77, "Dozens"]);
    }
    let mut world = World::new(&nineteen, vec![], "USD");
    world.read(5000).await;
    let Some(Record::PoLine(line)) = world.get(RecordKind::PoLine, "28") else { panic!() };
    assert_eq!((line.qty.to_string().as_str(), line.price.unwrap().to_string().as_str()), ("192", "3.80"));
    let Some(Record::SupplierPrice(price)) = world.get(RecordKind::SupplierPrice, "31") else { panic!() };
    assert_eq!(price.price.unwrap().to_string(), "3.80");
    let Some(Record::ReorderRule(rule)) = world.get(RecordKind::ReorderRule, "5") else { panic!() };
    assert_eq!(rule.multiple.to_string(), "12");
    let moves = |world: &World| world.records.values().filter(|record| matches!(record, Record::Move(_))).count();
    assert_eq!(moves(&world), moves(&plain));
}

#[tokio::test]
async fn barcodes_packages_and_suppliers_codes_come_with_items_and_terms() {
    let mut world = World::bundled();
    world.read(5000).await;
    let keys = |world: &World| match world.get(RecordKind::Item, "70") {
        Some(Record::Item(item)) => item.keys.clone(),
        other => panic!("{other:?}"),
    };
    let packs = |world: &World| -> Vec<String> {
        keys(world).packs.iter().map(|p| format!("{} {} {}", p.name, p.qty, p.barcode)).collect()
    };
    assert_eq!((keys(&world).barcode.as_str(), packs(&world)), ("4000000000000", vec![]));
    let Some(Record::SupplierPrice(price)) = world.get(RecordKind::SupplierPrice, "31") else { panic!() };
    assert_eq!((price.keys.code.as_str(), price.keys.pack.as_ref()), ("V0000", None));
    let packaging = |id: i64, qty: f64| json!({"id": id, "name": "Carton", "product_id": 70, "qty": qty, "barcode": "600"});
    world.put("product.packaging", &packaging(1, 12.0));
    world.put("product.packaging", &packaging(2, 0.0));
    world.read(10).await;
    assert_eq!(packs(&world), ["Carton 12 600"], "a package of nothing says nothing");
    // From 19 on a package is a unit.
    world.put("uom.uom", &json!({"id": 77, "name": "Pack of 6", "factor": 6.0, "category_id": false, "relative_uom_id": 1}));
    world.put("product.uom", &json!({"id": 1, "product_id": 70, "uom_id": 77, "barcode": "700"}));
    world.read(10).await;
    assert_eq!(packs(&world), ["Carton 12 600", "Pack of 6 6 700"]);
    world.remove("product.packaging", 1);
    world.read(10).await;
    assert_eq!(packs(&world), ["Pack of 6 6 700"]);
}

#[tokio::test]
async fn other_currencies_are_converted_at_the_documents_day() {
    let mut rows = BUNDLED.clone();
    rows.get_mut("res.currency").unwrap().push(json!({"id": 125, "name": "EUR"}));
    let order = row_of("purchase.order.line", 28)["order_id"][0].clone();
    for row in rows.get_mut("purchase.order").unwrap().iter_mut().filter(|row| row["id"] == order) {
        row["currency_id"] = json!([125, "EUR"]);
        row["date_order"] = json!("2026-08-05 08:00:00");
    }
    let mut world = World::new(&rows, vec![], "USD");
    world.read(5000).await;
    let price = |world: &World| match world.get(RecordKind::PoLine, "28") {
        Some(Record::PoLine(line)) => line.price.map(|price| price.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(price(&world), None);
    let gaps = world.source.gaps().await.unwrap();
    assert!(
        gaps.iter().any(|gap| gap.what == "purchase.order.currency_id" && gap.why.contains("no rate to the configured one"))
    );
    // One dollar is 0.8 euro on the day, and 0.5 later; another company's rate is nobody else's.
    let rate = |id: i64, day: &str, rate: f64, company: Value| json!({"id": id, "name": day, "currency_id": 125, "rate": rate, "company_id": company});
    world.put("res.currency.rate", &rate(1, "2026-08-01", 0.8, json!(false)));
    world.put("res.currency.rate", &rate(2, "2026-08-06", 0.5, json!(false)));
    world.put("res.currency.rate", &rate(3, "2026-08-02", 0.1, json!(9)));
    world.read(10).await;
    assert_eq!(price(&world).as_deref(), Some("4.75"));
    assert_eq!(world.source.gaps().await.unwrap(), []);
    // A company's own rate goes before everybody's.
    let company = BUNDLED["res.company"][0]["id"].clone();
    world.put("res.currency.rate", &rate(4, "2026-08-02", 0.4, company));
    let mut again = World::of(Arc::clone(&world.mirror), vec![], "USD");
    again.read(5000).await;
    assert_eq!(price(&again).as_deref(), Some("9.50"));
    // And where the company's currency is not the configured one, all is converted.
    let mut euros = World::of(Arc::clone(&world.mirror), vec![], "EUR");
    euros.read(5000).await;
    assert_eq!(price(&euros).as_deref(), Some("3.80"));
    let list = |world: &World| match world.get(RecordKind::Item, "70") {
        Some(Record::Item(Item { list_price, .. })) => list_price.unwrap().to_f64(),
        other => panic!("{other:?}"),
    };
    assert!((list(&euros) - list(&again) * 0.4).abs() < 1e-9);
}

#[tokio::test]
async fn rows_of_other_companies_are_not_told() {
    let mut rows = BUNDLED.clone();
    let order = rows.get_mut("purchase.order").unwrap().iter_mut().find(|row| row["id"] == 84).unwrap();
    order["company_id"] = json!([2, "Another"]);
    for row in rows.get_mut("purchase.order.line").unwrap().iter_mut().filter(|row| row["order_id"][0] == 84) {
        row["company_id"] = json!([2, "Another"]);
    }
    let mut all = World::new(&rows, vec![], "USD");
    all.read(5000).await;
    let mut one = World::new(&rows, vec![1], "USD");
    one.read(5000).await;
    let missing: Vec<&Record> =
        all.records.iter().filter(|(key, _)| !one.records.contains_key(key)).map(|(_, record)| record).collect();
    assert!(!missing.is_empty());
    assert!(missing.iter().all(|record| matches!(record, Record::PoLine(line) if line.order_id == "84")), "{missing:?}");
    assert_eq!(one.source.gaps().await.unwrap(), []);
}

// ---- the world as it is ----

#[tokio::test]
async fn what_can_not_be_understood_is_left_out_and_counted() {
    let mut rows = BUNDLED.clone();
    let mut change = |model: &'static str, id: i64, field: &str, value: Value| {
        let row = rows.get_mut(model).unwrap().iter_mut().find(|row| row["id"] == id).unwrap();
        row[field] = value;
    };
    change("stock.move", 80, "location_id", json!(99_999));
    change("stock.move", 79, "quantity", json!(-3.0));
    change("stock.location", 2, "usage", json!("moon"));
    change("purchase.order.line", 28, "price_unit", json!(-1.0));
    change("product.product", 70, "standard_price", json!(-5.0));
    change("account.move.line", 58, "purchase_line_id", json!(77_777));
    let mut world = World::new(&rows, vec![], "USD");
    world.read(1000).await;
    assert!(world.get(RecordKind::Move, "80").is_none() && world.get(RecordKind::Move, "79").is_none());
    assert!(world.get(RecordKind::PoLine, "28").is_none());
    let Some(Record::BillLine(bill)) = world.get(RecordKind::BillLine, "58") else { panic!() };
    assert_eq!(bill.po_line.as_deref(), Some("77777"));
    let Some(Record::Item(item)) = world.get(RecordKind::Item, "70") else { panic!() };
    assert_eq!(item.cost, None);
    let gaps: Vec<String> =
        world.source.gaps().await.unwrap().into_iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect();
    for (what, why) in [
        ("stock.move.location_id", "1 row names what can not be used or read of stock.location (such as id 80)"),
        ("stock.move.quantity", "1 row is not understood (such as id 79): expected a quantity of zero or more"),
        ("stock.location.usage", "(such as id 2): expected internal, transit"),
        ("purchase.order.line.price_unit", "expected a price of zero or more"),
        ("product.product.standard_price", "(such as id 70)"),
    ] {
        assert!(gaps.iter().any(|gap| gap.starts_with(what) && gap.contains(why)), "{what}: {gaps:#?}");
    }
    // Another process knows them too, and what is deleted is no gap.
    let mut later = World::of(Arc::clone(&world.mirror), vec![], "USD");
    (later.cursor, later.records) = (world.cursor.clone(), world.records.clone());
    later.remove("stock.move", 80);
    later.read(10).await;
    let left = later.source.gaps().await.unwrap();
    assert!(left.iter().any(|gap| gap.what == "stock.move.quantity"), "{left:#?}");
    assert!(left.iter().all(|gap| gap.what != "stock.move.location_id" || !gap.why.contains("id 80")), "{left:#?}");
}

fn any_cell() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(false)),
        Just(json!(true)),
        Just(json!(null)),
        (-3_i64..200).prop_map(|n| json!(n)),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| json!(n)),
        Just(json!(1e308)),
        Just(json!(-1e-308)),
        Just(json!([])),
        Just(json!([1, 2, 3])),
        Just(json!({"a": 1})),
        Just(json!("2026-08-05 08:00:00")),
        Just(json!("9999-12-31 23:59:59")),
        Just(json!("0001-01-01")),
        Just(json!("done")),
        Just(json!("purchase")),
        ".{0,12}".prop_map(|text| json!(text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_cell_makes_the_reading_fail(
        spoilt in prop::collection::vec((0_usize..STREAMS.len(), 0_usize..40, 1_usize..30, any_cell()), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mirror = Arc::new(MemoryMirror::default());
            for stream in STREAMS {
                for row in BUNDLED.get(stream.model).into_iter().flatten().take(60) {
                    mirror.put(stream.model, mirror_row(stream.model, row), at(0));
                }
            }
            for (stream, row, field, value) in spoilt {
                let stream = &STREAMS[stream];
                let rows = mirror.select(|of, _| of == stream.model);
                let Some(row) = rows.get(row % rows.len().max(1)) else { continue };
                let Ok(mut cells) = serde_json::from_str::<Vec<Value>>(&row.body) else { continue };
                let width = cells.len();
                cells[field % width] = value;
                let body = if field == 29 { "no list".to_owned() } else { Value::Array(cells).to_string() };
                mirror.put(stream.model, MirrorRow { body, ..row.clone() }, at(1));
            }
            let mut world = World::of(mirror, vec![1], "USD");
            world.read(333).await;
            world.source.gaps().await.unwrap();
        });
    }
}

#[test]
fn everything_the_translation_needs_is_in_the_table_of_streams() {
    // What only a recording holds.
    let known = ["sale.order.line.is_reward_line"];
    for (model, fields) in crate::rows::models() {
        let Some(stream) = stream_of(model) else {
            assert_eq!(model, "stock.valuation.layer");
            continue;
        };
        for field in fields {
            let pseudo = [crate::rows::FIRST_PLANNED, crate::rows::COMPANY_COSTS];
            let there = stream.position(field).is_some() || pseudo.contains(&field);
            assert!(there || known.contains(&format!("{model}.{field}").as_str()), "{model}.{field}");
        }
    }
}
