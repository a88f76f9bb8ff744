//! The bundled recording as a whole, and small broken copies of it.

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

fn keys(kind: RecordKind) -> BTreeSet<String> {
    BUNDLED.feed.iter().map(|o| o.record.key()).filter(|key| key.kind == kind).map(|key| key.id).collect()
}

// ---- the bundled recording ----

#[test]
fn every_family_of_the_bundled_recording_is_there() {
    let counts: BTreeMap<RecordKind, usize> = [
        RecordKind::Item,
        RecordKind::Location,
        RecordKind::Supplier,
        RecordKind::SupplierPrice,
        RecordKind::ReorderRule,
        RecordKind::Promotion,
        RecordKind::SaleLine,
        RecordKind::PoLine,
        RecordKind::Move,
        RecordKind::BillLine,
    ]
    .into_iter()
    .map(|kind| (kind, keys(kind).len()))
    .collect();
    // 5,209 sale lines less 15 reward lines; every one of 5,759 moves has a meaning.
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [20, 3, 4, 22, 60, 3, 5194, 352, 5759, 310]);
    let orders: BTreeSet<&str> = all!(PoLine: PurchaseLine).map(|(_, line)| line.order_id.as_str()).collect();
    assert_eq!(orders.len(), 72);
}

#[test]
fn the_feed_is_ordered_and_names_nothing_before_it_was_told() {
    let mut told: BTreeSet<(RecordKind, String)> = BTreeSet::new();
    let mut last = (Timestamp::MIN, RecordKind::Item);
    for observed in &BUNDLED.feed {
        let key = observed.record.key();
        assert!(last <= (observed.changed_at, key.kind), "{key} at {}", observed.changed_at);
        last = (observed.changed_at, key.kind);
        let item = match &observed.record {
            Record::SaleLine(r) => Some(&r.item),
            Record::PoLine(r) => Some(&r.item),
            Record::Move(r) => Some(&r.item),
            Record::Promotion(r) => Some(&r.item),
            Record::ReorderRule(r) => Some(&r.item),
            Record::SupplierPrice(r) => Some(&r.item),
            Record::BillLine(r) => r.item.as_ref(),
            Record::Item(_) | Record::Location(_) | Record::Supplier(_) | Record::Notice(_) | Record::Gone(_) => None,
            Record::StockLevel(r) => Some(&r.item),
            Record::DemandMonth(r) => Some(&r.item),
        };
        if let Some(item) = item {
            assert!(told.contains(&(RecordKind::Item, item.to_string())), "{key} before its item");
        }
        if let Record::Move(r) = &observed.record
            && let Some(line) = &r.po_line
        {
            assert!(told.contains(&(RecordKind::PoLine, line.clone())), "{key} before its purchase line");
        }
        told.insert((key.kind, key.id));
    }
}

#[test]
fn no_record_is_visible_before_it_was_entered() {
    for (kind, model) in [
        (RecordKind::Item, "product.product"),
        (RecordKind::SaleLine, "sale.order.line"),
        (RecordKind::PoLine, "purchase.order.line"),
        (RecordKind::Move, "stock.move"),
        (RecordKind::BillLine, "account.move.line"),
        (RecordKind::ReorderRule, "stock.warehouse.orderpoint"),
    ] {
        let created: BTreeMap<String, Timestamp> =
            rows(model).iter().map(|r| (r["id"].to_string(), stamp(r["create_date"].as_str().unwrap()))).collect();
        let mut seen = 0;
        for observed in BUNDLED.feed.iter().filter(|o| o.record.key().kind == kind) {
            assert!(observed.changed_at >= created[&observed.record.key().id], "{}", observed.record.key());
            seen += 1;
        }
        assert!(seen > 0, "{model}");
    }
}

#[test]
fn nothing_is_told_done_before_it_was_done() {
    for (at, movement) in all!(Move: StockMove) {
        assert!(movement.done_at.is_none_or(|done| done <= at), "{}", movement.id);
        assert!(movement.created_at <= at, "{}", movement.id);
    }
}

#[test]
fn demand_is_counted_on_the_day_of_the_order() {
    let item = all!(Item: Item).find(|(_, item)| item.sku == "AC-001").unwrap().1.id.clone();
    let north = all!(Location: Location).find(|(_, location)| location.code == "NOR").unwrap().1.id.clone();
    let demand: Decimal = all!(SaleLine: SaleLine)
        .filter(|(_, line)| line.item == item && line.location == north)
        .filter(|(_, line)| line.ordered_at.to_zoned(TimeZone::UTC).date().to_string() == "2026-08-03")
        .map(|(_, line)| line.qty.0)
        .sum();
    assert_eq!(demand, Decimal::from(7));
}

#[test]
fn done_moves_add_up_to_what_odoo_says_is_on_hand() {
    let mut on_hand: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for (_, movement) in all!(Move: StockMove).filter(|(_, movement)| movement.done_at.is_some()) {
        for (location, sign) in [(&movement.from, -Decimal::ONE), (&movement.to, Decimal::ONE)] {
            if let Some(location) = location {
                *on_hand.entry((movement.item.to_string(), location.to_string())).or_default() += sign * movement.qty.0;
            }
        }
    }
    let warehouse: BTreeMap<i64, i64> = rows("stock.location")
        .iter()
        .filter(|r| r["usage"] == "internal" && r["warehouse_id"].is_array())
        .map(|r| (r["id"].as_i64().unwrap(), r["warehouse_id"][0].as_i64().unwrap()))
        .collect();
    let mut quants: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for quant in rows("stock.quant") {
        if let Some(warehouse) = warehouse.get(&quant["location_id"][0].as_i64().unwrap()) {
            let key = (quant["product_id"][0].to_string(), warehouse.to_string());
            *quants.entry(key).or_default() += Decimal::try_from(quant["quantity"].as_f64().unwrap()).unwrap();
        }
    }
    on_hand.retain(|_, quantity| !quantity.is_zero());
    quants.retain(|_, quantity| !quantity.is_zero());
    assert!(quants.len() > 50);
    assert_eq!(on_hand, quants);
}

#[test]
fn every_kind_of_move_is_recognised() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (_, movement) in all!(Move: StockMove).filter(|(_, movement)| movement.done_at.is_some()) {
        *kinds.entry(format!("{:?}", movement.kind)).or_default() += 1;
    }
    let expected = [
        ("Count", 79),
        ("CustomerReturn", 24),
        ("Delivery", 5201),
        ("Opening", 60),
        ("Receipt", 328),
        ("Scrap", 27),
        ("SupplierReturn", 1),
    ];
    assert_eq!(kinds, expected.into_iter().map(|(kind, n)| (kind.to_owned(), n)).collect());
    assert!(all!(Move: StockMove).filter(|(_, m)| m.kind == MoveKind::Scrap).all(|(_, m)| !m.reason.is_empty()));
}

#[test]
fn a_rewritten_promise_keeps_its_first_date_until_the_receipt_proves_the_new_one() {
    let rewritten: BTreeSet<&str> = all!(PoLine: PurchaseLine)
        .filter(|(_, line)| line.promised != line.promised_first)
        .map(|(_, line)| line.order_name.as_str())
        .collect();
    assert_eq!(rewritten, BTreeSet::from(["P00051"]));
    let versions: Vec<_> = all!(PoLine: PurchaseLine).filter(|(_, line)| line.id == "203").collect();
    let promises: Vec<_> = versions.iter().map(|(at, line)| (at.to_string(), line.promised.to_string())).collect();
    assert_eq!(
        promises,
        [
            ("2026-09-15T08:16:00Z".to_owned(), "2026-09-28T12:00:00Z".to_owned()),
            ("2026-10-08T10:22:00Z".to_owned(), "2026-10-08T12:00:00Z".to_owned()),
        ]
    );
    assert!(versions.iter().all(|(_, line)| line.promised_first == stamp("2026-09-28 12:00:00")));
    let (_, planned) = all!(Move: StockMove).find(|(_, m)| m.po_line.as_deref() == Some("203")).unwrap();
    assert_eq!((planned.done_at, planned.deadline), (None, Some(stamp("2026-09-28 12:00:00"))));
}

#[test]
fn the_planned_receipt_of_a_line_is_what_was_ordered_even_where_a_backorder_took_the_rest() {
    let ordered: BTreeMap<&str, Decimal> =
        all!(PoLine: PurchaseLine).map(|(_, line)| (line.id.as_str(), line.qty.0)).collect();
    let mut first_plan: BTreeMap<&str, Decimal> = BTreeMap::new();
    for (_, movement) in all!(Move: StockMove).filter(|(_, m)| m.kind == MoveKind::Receipt && m.done_at.is_none()) {
        first_plan.entry(movement.po_line.as_deref().unwrap()).or_insert(movement.qty.0);
    }
    assert_eq!(first_plan, ordered);
}

#[test]
fn a_delivery_that_moved_on_into_a_backorder_was_in_the_first_document_before() {
    // A document's name is given with its picking: none may be told before the picking was made.
    let pickings: BTreeMap<String, Timestamp> =
        rows("stock.picking").iter().map(|r| (r["id"].to_string(), stamp(r["create_date"].as_str().unwrap()))).collect();
    let mut moved_on = 0;
    let mut documents: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, movement) in all!(Move: StockMove) {
        let Some(document) = &movement.document_id else { continue };
        assert!(at >= pickings[document], "{} in {}", movement.id, movement.document);
        let before = documents.insert(&movement.id, document);
        moved_on += usize::from(before.is_some_and(|before| before != document));
    }
    assert!(moved_on > 0);
}

#[test]
fn cost_follows_the_valuation_and_a_delisting_is_told_when_it_happened() {
    let versions: Vec<_> = all!(Item: Item).filter(|(_, item)| item.sku == "AC-001").collect();
    assert_eq!((versions[0].0, versions[0].1.cost), (stamp("2026-07-31 00:00:04"), None));
    assert_eq!(versions[1].1.cost.unwrap().to_string(), "3.80");
    let delisted: Vec<_> = all!(Item: Item).filter(|(_, item)| !item.sellable).collect();
    assert!(delisted.iter().all(|(_, item)| item.name == "CR2032 cells 6-pack"));
    assert_eq!(delisted[0].0, stamp("2026-10-22 07:30:00"));
    assert_eq!(delisted[0].1.delisted_at, Some(delisted[0].0));
}

#[test]
fn the_running_average_ends_at_odoos_own_cost() {
    let mut ours: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for (_, item) in all!(Item: Item) {
        let (cost, versions) = ours.entry(item.id.as_str()).or_default();
        (*cost, *versions) = (item.cost.map_or(0.0, reeve_domain::money::UnitPrice::to_f64), *versions + 1);
    }
    for product in rows("product.product") {
        if let Some((cost, _)) = ours.get(product["id"].to_string().as_str()) {
            let odoo = product["standard_price"].as_f64().unwrap();
            assert!((cost - odoo).abs() < 0.0101, "{} {cost} {odoo}", product["default_code"]);
        }
    }
    assert!(ours.values().any(|(_, versions)| *versions > 3), "no cost ever moved");
    assert!(ours.values().all(|(_, versions)| *versions < 60), "cost flutters");
}

#[test]
fn promotions_are_known_from_their_entry_and_last_whole_days() {
    let told: Vec<String> =
        all!(Promotion: Promotion).map(|(at, p)| format!("{at} {} {}..{} {}%", p.id, p.from, p.to, p.percent)).collect();
    assert_eq!(
        told,
        [
            "2026-08-29T07:30:00Z pricelist-1 2026-09-02..2026-09-08 25%",
            "2026-09-21T07:30:00Z loyalty-5-82 2026-09-22..2026-09-26 10%",
            "2026-09-30T07:30:00Z pricelist-2 2026-10-04..2026-10-10 20%",
        ]
    );
}

#[test]
fn terms_and_bills_are_read_in_full() {
    let (_, price) = all!(SupplierPrice: SupplierPrice).find(|(_, p)| p.id == "31").unwrap();
    assert_eq!((price.price.unwrap().to_string().as_str(), price.lead_days), ("3.80", 6));
    let (_, rule) = all!(ReorderRule: ReorderRule).find(|(_, r)| r.id == "5").unwrap();
    assert_eq!((rule.min.to_string(), rule.max.to_string(), rule.multiple.to_string()).0, "230");
    assert_eq!((rule.max.to_string().as_str(), rule.multiple.to_string().as_str()), ("432", "6"));
    let (at, bill) = all!(BillLine: BillLine).find(|(_, b)| b.id == "58").unwrap();
    assert_eq!(at, stamp("2026-08-10 16:10:00"));
    assert_eq!((bill.reference.as_str(), bill.origin.as_str(), bill.po_line.as_deref()), ("LIN-4016", "P00016", Some("28")));
    assert_eq!((bill.qty.to_string().as_str(), bill.price.unwrap().to_string().as_str()), ("192", "3.80"));
    assert!(!bill.paid);
}

// ---- paging ----

#[tokio::test]
async fn small_pages_hold_the_same_as_one_large_page() {
    let until = stamp("2026-08-10 12:00:00");
    let whole = BUNDLED.read(None, until, usize::MAX).await.unwrap();
    assert!(!whole.more && whole.observed.iter().all(|o| o.changed_at <= until));
    let (mut cursor, mut pages) = (None, Vec::new());
    loop {
        let page = BUNDLED.read(cursor.as_deref(), until, 7).await.unwrap();
        assert!(page.observed.len() <= 7);
        pages.extend(page.observed);
        cursor = Some(page.next);
        if !page.more {
            break;
        }
    }
    assert_eq!(pages, whole.observed);
    // The next day goes on where this one ended.
    let rest = BUNDLED.read(cursor.as_deref(), Timestamp::MAX, usize::MAX).await.unwrap();
    assert_eq!(pages.len() + rest.observed.len(), BUNDLED.feed.len());
    assert!(rest.observed[0].changed_at > until);
}

#[tokio::test]
async fn the_cursor_of_another_recording_is_refused_with_the_remedy() {
    for (cursor, says) in [
        ("0123456789abcdef:5", "use a new store"),
        ("rubbish", "use a new store"),
        (&format!("{}:99999999", BUNDLED.hash), "is not one"),
    ] {
        match BUNDLED.read(Some(cursor), Timestamp::MAX, 1).await {
            Err(PortError::Permanent { source, .. }) => assert!(source.to_string().contains(says), "{source}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_span_is_that_of_business() {
    let (first, last) = BUNDLED.span().unwrap();
    assert_eq!((first, last), (stamp("2026-08-02 08:00:04"), stamp("2026-10-31 15:30:02")));
}

#[test]
fn the_identity_is_that_of_the_content() {
    let copy = Copy::new();
    assert_eq!(copy.open().unwrap().identity(), BUNDLED.identity());
    copy.edit("res.partner", |rows| rows[0]["name"] = json!("Somebody else"));
    assert_ne!(copy.open().unwrap().identity(), BUNDLED.identity());
}

// ---- broken copies ----

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

/// Breaks one row and gives the message.
fn broken_row(model: &str, change: impl FnOnce(&mut Value)) -> String {
    let copy = Copy::new();
    copy.edit(model, |rows| change(&mut rows[1]));
    copy.refused()
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn a_missing_file_is_named_with_the_remedy() {
    let copy = Copy::new();
    std::fs::remove_file(copy.path("stock.move")).unwrap();
    assert_says(&copy.refused(), &["stock.move.json.gz is missing", "incomplete", "copy the whole folder again"]);
}

#[test]
fn a_cut_off_file_is_refused() {
    let copy = Copy::new();
    let whole = std::fs::read(copy.path("stock.move")).unwrap();
    for length in [whole.len() / 2, whole.len() - 4, 0] {
        std::fs::write(copy.path("stock.move"), &whole[..length]).unwrap();
        assert_says(&copy.refused(), &["stock.move.json.gz is cut off or damaged", "copy it again"]);
    }
}

#[test]
fn a_damaged_checksum_is_noticed() {
    let copy = Copy::new();
    let mut whole = std::fs::read(copy.path("stock.scrap")).unwrap();
    let at = whole.len() - 6;
    whole[at] ^= 0xff;
    std::fs::write(copy.path("stock.scrap"), whole).unwrap();
    assert_says(&copy.refused(), &["stock.scrap.json.gz is cut off or damaged"]);
}

#[test]
fn malformed_json_is_refused_with_its_place() {
    let copy = Copy::new();
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\",\n \"fields\": [\"id\", }");
    assert_says(&copy.refused(), &["uom.uom.json.gz, line 2, column 19: not the JSON", "(expected value)"]);
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\", \"fields\": [\"id\"");
    assert_says(&copy.refused(), &["uom.uom.json.gz is cut off"]);
}

#[test]
fn a_file_of_another_model_or_shape_is_refused() {
    let copy = Copy::new();
    copy.edit_file("uom.uom", |file| file["model"] = json!("uom.category"));
    assert_says(&copy.refused(), &["uom.uom.json.gz: it holds the model `uom.category`"]);
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\", \"rows\": []}");
    assert_says(&copy.refused(), &["uom.uom.json.gz", "`fields` is missing or stands after `rows`"]);
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\"}");
    assert_says(&copy.refused(), &["it has no `rows`"]);
    pack(&copy.path("uom.uom"), "[]");
    assert_says(&copy.refused(), &["uom.uom.json.gz, line 1", "an object with model, fields and rows"]);
}

#[test]
fn a_field_that_was_not_recorded_is_named() {
    let copy = Copy::new();
    copy.edit_file("sale.order", |file| file["fields"].as_array_mut().unwrap().retain(|f| f != "date_order"));
    assert_says(&copy.refused(), &["sale.order.json.gz", "`date_order` is needed", "record `sale.order` again"]);
}

#[test]
fn a_row_without_a_needed_field_is_named() {
    let message = broken_row("sale.order", |row| {
        row.as_object_mut().unwrap().remove("date_order");
    });
    assert_says(&message, &["sale.order.json.gz, row 2", "`date_order`", "a value in every row"]);
}

#[test]
fn a_field_outside_the_header_is_named() {
    let message = broken_row("sale.order", |row| row["x_margin"] = json!(3));
    assert_says(&message, &["sale.order.json.gz, row 2", "`x_margin`", "only fields of the file's list", "found 3"]);
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    let message = broken_row("stock.move", |row| row["quantity"] = json!("many"));
    assert_says(&message, &["stock.move.json.gz, row 2 (id 80), field `quantity`", "expected a number", "found \"many\""]);
    let message = broken_row("stock.move", |row| row["product_id"] = json!(null));
    assert_says(&message, &["row 2 (id 80), field `product_id`", "a reference [id, name]", "found null"]);
}

#[test]
fn a_negative_price_or_quantity_is_refused() {
    let message = broken_row("purchase.order.line", |row| row["price_unit"] = json!(-3.8));
    assert_says(&message, &["purchase.order.line.json.gz, row 2", "`price_unit`", "a price of zero or more", "found -3.8"]);
    let message = broken_row("stock.move", |row| row["quantity"] = json!(-1.0));
    assert_says(&message, &["stock.move.json.gz", "a quantity of zero or more", "correct it in Odoo"]);
}

#[test]
fn an_unknown_unit_is_refused() {
    let message = broken_row("sale.order.line", |row| row["product_uom"] = json!([77, "Bushel"]));
    assert_says(&message, &["sale.order.line.json.gz, row 2", "`product_uom`", "a recorded `uom.uom`", "found 77"]);
}

#[test]
fn a_unit_of_another_category_is_refused() {
    let copy = Copy::new();
    add_unit(&copy, 77, "kg", 2, 1.0);
    copy.edit("sale.order.line", |rows| rows[1]["product_uom"] = json!([77, "kg"]));
    assert_says(&copy.refused(), &["`product_uom`", "converts to the product's stock unit `Units`", "found \"kg\""]);
}

#[test]
fn a_time_in_another_form_is_refused() {
    for time in ["2026-08-03T11:20:00", "2026-08-03 11:20:00+09:00", "03/08/2026", "2026-08-32 11:20:00"] {
        let message = broken_row("sale.order", |row| row["date_order"] = json!(time));
        assert_says(
            &message,
            &["sale.order.json.gz, row 2", "`date_order`", "`YYYY-MM-DD HH:MM:SS`, without an offset", time],
        );
    }
}

#[test]
fn a_reference_to_what_was_not_recorded_is_refused() {
    for (model, field, target) in [
        ("sale.order.line", "order_id", "sale.order"),
        ("purchase.order.line", "order_id", "purchase.order"),
        ("account.move.line", "move_id", "account.move"),
        ("account.move.line", "purchase_line_id", "purchase.order.line"),
        ("stock.move", "product_id", "product.product"),
        ("stock.move", "location_id", "stock.location"),
        ("stock.move", "picking_id", "stock.picking"),
        ("stock.move", "sale_line_id", "sale.order.line"),
        ("product.supplierinfo", "partner_id", "res.partner"),
    ] {
        let message = broken_row(model, |row| row[field] = json!([999_999, "Gone"]));
        assert_says(&message, &[model, "row 2", field, &format!("a recorded `{target}`"), "999999", "record both"]);
    }
}

#[test]
fn a_repeated_id_is_refused() {
    let message = broken_row("stock.move", |row| row["id"] = json!(79));
    assert_says(&message, &["stock.move.json.gz, row 2 (id 79), field `id`", "no earlier row"]);
}

#[test]
fn another_currency_than_the_configured_one_is_refused() {
    let error = Recorded::open(&folder(), "EUR").expect_err("the company keeps its books in dollars").to_string();
    assert_says(&error, &["the company's currency is USD", "says EUR", "set `money.currency` to \"USD\""]);
}

// ---- the world as it is ----

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

fn find<T>(recorded: &Recorded, pick: impl Fn(&Record) -> Option<T>) -> Vec<T> {
    recorded.feed.iter().filter_map(|o| pick(&o.record)).collect()
}

#[test]
fn a_missing_cost_or_price_is_a_value_not_an_error() {
    let copy = Copy::new();
    copy.edit("stock.valuation.layer", |rows| rows.retain(|r| r["product_id"][0] != 70));
    copy.edit("product.product", |rows| rows[0]["standard_price"] = json!(0.0));
    copy.edit("product.template", |rows| rows[0]["list_price"] = json!(0.0));
    let recorded = copy.open().unwrap();
    let items = find(&recorded, |r| if let Record::Item(i) = r { (i.id.as_str() == "70").then(|| i.clone()) } else { None });
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].cost, items[0].list_price), (None, None));
}

#[test]
fn other_units_are_converted_and_other_currencies_are_missing_prices() {
    let copy = Copy::new();
    add_unit(&copy, 77, "Dozens", 1, 1.0 / 12.0);
    copy.edit("purchase.order.line", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 28).unwrap();
        row["product_uom"] = json!([77, "Dozens"]);
        row["product_qty"] = json!(16.0);
        row["price_unit"] = json!(45.6);
    });
    copy.edit("product.supplierinfo", |rows| rows[0]["currency_id"] = json!([125, "EUR"]));
    let recorded = copy.open().unwrap();
    let lines = find(&recorded, |r| if let Record::PoLine(l) = r { (l.id == "28").then(|| l.clone()) } else { None });
    assert_eq!((lines[0].qty.to_string().as_str(), lines[0].price.unwrap().to_string().as_str()), ("192", "3.80"));
    let prices =
        find(&recorded, |r| if let Record::SupplierPrice(p) = r { (p.id == "31").then_some(p.price) } else { None });
    assert_eq!(prices, [None]);
}

#[test]
fn orders_that_bind_nobody_are_drafts_and_cancelled_ones_are_unconfirmed() {
    let copy = Copy::new();
    copy.edit("purchase.order", |rows| {
        for row in rows.iter_mut() {
            if row["name"] == "P00085" {
                row["state"] = json!("cancel");
            } else if row["name"] == "P00084" {
                row["state"] = json!("draft");
                row["date_approve"] = json!(false);
            }
        }
    });
    copy.edit("sale.order", |rows| rows[0]["state"] = json!("draft"));
    let recorded = copy.open().unwrap();
    let confirmed = |name: &'static str| {
        find(
            &recorded,
            move |r| if let Record::PoLine(l) = r { (l.order_name == name).then_some(l.confirmed) } else { None },
        )
    };
    let drafts = find(&recorded, |r| {
        if let Record::PoLine(l) = r { (l.order_name == "P00084").then_some((l.draft, l.confirmed)) } else { None }
    });
    assert!(!drafts.is_empty() && drafts.iter().all(|found| *found == (true, false)));
    let versions = confirmed("P00085");
    assert_eq!(versions.iter().filter(|c| **c).count(), versions.iter().filter(|c| !**c).count());
    assert!(!versions.is_empty());
    let first = rows("sale.order")[0]["id"].to_string();
    assert!(
        find(&recorded, |r| if let Record::SaleLine(l) = r { (l.order_id == first).then_some(()) } else { None }).is_empty()
    );
}

#[test]
fn a_cancelled_move_is_a_plan_for_nothing_and_a_paid_bill_is_paid_from_its_last_change() {
    let copy = Copy::new();
    copy.edit("stock.move", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 4394).unwrap();
        row["state"] = json!("cancel");
        row["write_date"] = json!("2026-10-12 09:00:00");
    });
    copy.edit("account.move", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 25).unwrap();
        row["payment_state"] = json!("paid");
        row["write_date"] = json!("2026-09-09 09:00:00");
    });
    let recorded = copy.open().unwrap();
    let plans: Vec<_> = recorded.feed.iter().filter(|o| o.record.key().to_string() == "move:4394").collect();
    let quantity = |o: &Observed| if let Record::Move(m) = &o.record { (m.qty.to_string(), m.done_at) } else { panic!() };
    assert_eq!(plans.iter().map(|o| quantity(o)).collect::<Vec<_>>(), [("42".to_owned(), None), ("0".to_owned(), None)]);
    assert_eq!(plans[1].changed_at, stamp("2026-10-12 09:00:00"));
    let bills: Vec<_> = recorded.feed.iter().filter(|o| o.record.key().to_string() == "bill_line:58").collect();
    let paid = |o: &Observed| if let Record::BillLine(b) = &o.record { b.paid } else { panic!() };
    assert_eq!(
        bills.iter().map(|o| (o.changed_at.to_string(), paid(o))).collect::<Vec<_>>(),
        [("2026-08-10T16:10:00Z".to_owned(), false), ("2026-09-09T09:00:00Z".to_owned(), true),]
    );
}

#[test]
fn a_line_planned_later_than_its_order_is_no_rewritten_promise() {
    let copy = Copy::new();
    copy.edit("purchase.order.line", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 28).unwrap();
        row["date_planned"] = json!("2026-08-19 12:00:00");
    });
    let recorded = copy.open().unwrap();
    let promises = find(&recorded, |r| {
        if let Record::PoLine(l) = r { (l.id == "28").then_some((l.promised_first, l.promised)) } else { None }
    });
    assert_eq!(promises, [(stamp("2026-08-19 12:00:00"), stamp("2026-08-19 12:00:00"))]);
}

#[test]
fn moves_between_warehouses_are_transfers_and_inside_one_are_nothing() {
    let copy = Copy::new();
    let warehouses = rows("stock.warehouse");
    let shelf = |at: usize| warehouses[at]["lot_stock_id"].clone();
    let id_of = |at: usize| warehouses[at]["id"].to_string();
    let counts: Vec<String> =
        rows("stock.move").iter().filter(|r| r["name"] == "Cycle count").map(|r| r["id"].to_string()).take(2).collect();
    let transferred: i64 = counts[0].parse().unwrap();
    copy.edit("stock.move", |rows| {
        for row in rows.iter_mut().filter(|r| counts.contains(&r["id"].to_string())) {
            row["is_inventory"] = json!(false);
            row["location_id"] = shelf(0);
            row["location_dest_id"] = if row["id"] == transferred { shelf(1) } else { shelf(0) };
        }
    });
    let recorded = copy.open().unwrap();
    let moves = find(&recorded, |r| if let Record::Move(m) = r { counts.contains(&m.id).then(|| m.clone()) } else { None });
    assert!(moves.iter().any(|m| m.done_at.is_some()));
    for movement in moves {
        let ends = (movement.from.map(|l| l.to_string()), movement.to.map(|l| l.to_string()));
        assert_eq!((movement.id, movement.kind), (counts[0].clone(), MoveKind::Transfer));
        assert_eq!(ends, (Some(id_of(0)), Some(id_of(1))));
    }
}
