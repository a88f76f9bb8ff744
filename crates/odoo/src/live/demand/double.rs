//! A small Odoo for the tests of sums: it holds moves and till lines, and really filters and groups them, by days of the zone
//! that is asked for. Quants are what its done moves add up to. And a mirror in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use crate::live::call::{Domain, FieldInfo, Group, ReadGroups, ReadRows, Right, Scope, Server, Version, odoo_time};
use crate::live::error::OdooError;
use crate::rows::cell::Cell;
use crate::settings::{OdooConfig, defaults};
use reeve_domain::calendar::Calendar;
use reeve_domain::record::{Observed, Record, RecordRef};
use reeve_ports::{BoxError, Mirror, MirrorChange, MirrorRow};

type Row = Map<String, Value>;

pub(in crate::live) const NORTH: i64 = 1;
pub(in crate::live) const AUCKLAND: i64 = 2;
pub(in crate::live) const SUPPLIER: i64 = 4;
pub(in crate::live) const CUSTOMER: i64 = 5;
pub(in crate::live) const NORTH_STOCK: i64 = 8;
pub(in crate::live) const NORTH_SHELF: i64 = 9;
pub(in crate::live) const AUCKLAND_STOCK: i64 = 12;
pub(in crate::live) const COUNTS: i64 = 14;
pub(in crate::live) const UNIT: i64 = 1;
pub(in crate::live) const DOZEN: i64 = 2;

/// A move in the double.
#[derive(Clone, Debug)]
pub(in crate::live) struct Moved {
    pub(in crate::live) product: i64,
    pub(in crate::live) unit: i64,
    pub(in crate::live) from: i64,
    pub(in crate::live) to: i64,
    pub(in crate::live) at: Timestamp,
    pub(in crate::live) quantity: i64,
    pub(in crate::live) written: Timestamp,
    pub(in crate::live) done: bool,
    pub(in crate::live) of_till: bool,
}

/// A line of a till's order: below zero what was brought back.
#[derive(Clone, Debug)]
pub(in crate::live) struct Rung {
    pub(in crate::live) product: i64,
    pub(in crate::live) at: Timestamp,
    pub(in crate::live) quantity: i64,
    pub(in crate::live) written: Timestamp,
}

/// The double.
pub(in crate::live) struct World {
    pub(in crate::live) version: Version,
    pub(in crate::live) products: i64,
    pub(in crate::live) moves: Mutex<Vec<Moved>>,
    pub(in crate::live) rung: Mutex<Vec<Rung>>,
    /// The lot of a product on a shelf, where it has one.
    pub(in crate::live) lots: Mutex<BTreeMap<(i64, i64), i64>>,
    /// May the tills' report be read?
    pub(in crate::live) tills: bool,
    /// Counted requests that fail, once each.
    pub(in crate::live) fails: Mutex<BTreeSet<usize>>,
    pub(in crate::live) asked: AtomicUsize,
    /// The longest answer in groups.
    pub(in crate::live) longest: AtomicUsize,
}

impl World {
    pub(in crate::live) fn new(version: Version, products: i64) -> Self {
        Self {
            version,
            products,
            moves: Mutex::default(),
            rung: Mutex::default(),
            lots: Mutex::default(),
            tills: true,
            fails: Mutex::default(),
            asked: AtomicUsize::new(0),
            longest: AtomicUsize::new(0),
        }
    }

    pub(in crate::live) fn push(&self, moved: Moved) {
        self.moves.lock().unwrap().push(moved);
    }

    fn tick(&self) -> Result<(), OdooError> {
        let count = self.asked.fetch_add(1, Ordering::SeqCst) + 1;
        if self.fails.lock().unwrap().remove(&count) {
            return Err(OdooError::Unreachable { url: self.name(), detail: "cut off".to_owned() });
        }
        Ok(())
    }

    fn table(&self, model: &str) -> Result<Vec<Row>, OdooError> {
        // Up to 18 a unit's factor says how many of it make the reference, from 19 on how many references make one.
        let dozen = if self.version < Version::V19 { 1.0 / 12.0 } else { 12.0 };
        let rows = match model {
            "stock.warehouse" => json!([
                {"id": NORTH, "code": "NOR", "company_id": 1},
                {"id": AUCKLAND, "code": "AKL", "company_id": 1},
            ]),
            "stock.location" => json!([
                {"id": SUPPLIER, "usage": "supplier", "warehouse_id": false},
                {"id": CUSTOMER, "usage": "customer", "warehouse_id": false},
                {"id": NORTH_STOCK, "usage": "internal", "warehouse_id": NORTH},
                {"id": NORTH_SHELF, "usage": "internal", "warehouse_id": NORTH},
                {"id": AUCKLAND_STOCK, "usage": "internal", "warehouse_id": AUCKLAND},
                {"id": COUNTS, "usage": "inventory", "warehouse_id": false},
            ]),
            "uom.uom" => json!([{"id": UNIT, "factor": 1.0}, {"id": DOZEN, "factor": dozen}]),
            "product.product" => (1..=self.products)
                .map(|id| json!({"id": id, "uom_id": UNIT, "product_tmpl_id.is_storable": true}))
                .collect(),
            "product.template" => json!([{"id": 1, "is_storable": true}]),
            "stock.picking" => json!([{"id": 1, "pos_session_id": false}]),
            "stock.picking.type" => json!([{"id": 21, "warehouse_id": NORTH}]),
            "pos.config" if self.tills => json!([{"id": 31, "picking_type_id": 21}]),
            "report.pos.order" if self.tills => self.rung.lock().unwrap().iter().map(rung).collect(),
            // What was rung up is booked with each order, and settles nobody's order.
            "pos.session" => json!([{"id": 41, "config_id": 31, "state": "closed", "start_at": "2026-01-01 00:00:00",
                "stop_at": "2026-01-01 12:00:00", "update_stock_at_closing": false}]),
            "pos.order" => json!([{"id": 51, "state": "done", "session_id": 41, "shipping_date": false, "picking_ids": [61],
                "write_date": "2026-11-01 00:00:00"}]),
            "pos.order.line" => json!([{"id": 71, "product_id": 1, "qty": 1, "order_id": 51, "sale_order_line_id": false,
                "order_id.date_order": "2026-11-01 00:00:00", "order_id.state": "done",
                "order_id.session_id.config_id": 31}]),
            "pos.config" | "report.pos.order" => {
                return Err(OdooError::AccessDenied { model: model.to_owned(), groups: String::new() });
            }
            "stock.move" => self.moves.lock().unwrap().iter().map(moved).collect(),
            "stock.quant" => self.quants(),
            "stock.lot" => self.lots.lock().unwrap().values().map(|lot| json!({"id": lot, "name": "L"})).collect(),
            _ => return Err(OdooError::UnknownModel { model: model.to_owned() }),
        };
        let Value::Array(rows) = rows else { unreachable!("tables are lists") };
        Ok(rows.into_iter().map(|row| if let Value::Object(row) = row { row } else { unreachable!("of rows") }).collect())
    }

    fn quants(&self) -> Value {
        let mut held: BTreeMap<(i64, i64), (i64, Timestamp)> = BTreeMap::new();
        for m in self.moves.lock().unwrap().iter().filter(|m| m.done) {
            let quantity = if m.unit == DOZEN { m.quantity * 12 } else { m.quantity };
            for (location, change) in [(m.from, -quantity), (m.to, quantity)] {
                let slot = held.entry((m.product, location)).or_insert((0, m.written));
                *slot = (slot.0 + change, slot.1.max(m.written));
            }
        }
        let lots = self.lots.lock().unwrap();
        let lot = |place: &(i64, i64)| lots.get(place).map_or(json!(false), |lot| json!(lot));
        // What is empty is deleted.
        let row = |((product, location), (quantity, written)): ((i64, i64), (i64, Timestamp))| {
            (quantity != 0).then(|| {
                json!({"id": 1, "product_id": product, "location_id": location, "quantity": quantity,
                    "lot_id": lot(&(product, location)), "reserved_quantity": 0, "write_date": odoo_time(written)})
            })
        };
        held.into_iter().filter_map(row).collect()
    }
}

fn moved(m: &Moved) -> Value {
    json!({"id": 1, "is_inventory": m.from == COUNTS || m.to == COUNTS, "product_id": m.product, "product_uom": m.unit, "location_id": m.from, "location_dest_id": m.to,
        "date": odoo_time(m.at), "quantity": m.quantity, "write_date": odoo_time(m.written),
        "state": if m.done { "done" } else { "cancel" },
        "picking_id.pos_session_id": if m.of_till { json!(41) } else { json!(false) }})
}

fn rung(line: &Rung) -> Value {
    json!({"id": 1, "product_id": line.product, "config_id": 31, "date": odoo_time(line.at), "product_qty": line.quantity,
        "state": "done", "order_id.write_date": odoo_time(line.written), "session_id.update_stock_at_closing": false,
        "session_id.state": "closed", "order_id.shipping_date": false, "order_id.picking_ids": 61})
}

/// Is a row one that the domain means? Panics where the domain is not understood.
fn meant(row: &Row, domain: &Domain) -> bool {
    let Value::Array(terms) = domain.to_json() else { unreachable!("a domain is a list") };
    let mut terms = terms.iter();
    let mut all = true;
    while let Some(term) = terms.next() {
        all &= holds(row, term, &mut terms);
    }
    all
}

fn holds<'t>(row: &Row, term: &Value, rest: &mut impl Iterator<Item = &'t Value>) -> bool {
    if term == "|" {
        let one = holds(row, rest.next().expect("a term"), rest);
        let other = holds(row, rest.next().expect("a term"), rest);
        return one || other;
    }
    let (field, operator, wanted) = (term[0].as_str().expect("a field"), term[1].as_str().expect("an operator"), &term[2]);
    let value = row.get(field).unwrap_or_else(|| panic!("no field {field}"));
    let order = || match (value, wanted) {
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => a.as_f64().expect("a number").total_cmp(&b.as_f64().expect("a number")),
    };
    match operator {
        "=" => value == wanted,
        "!=" => value != wanted,
        "in" => wanted.as_array().expect("a list").contains(value),
        "<" => order().is_lt(),
        "<=" => order().is_le(),
        ">" => order().is_gt(),
        ">=" => order().is_ge(),
        other => panic!("operator {other}"),
    }
}

fn cell(value: &Value) -> Cell {
    serde_json::from_value(value.clone()).expect("a cell")
}

#[async_trait]
impl Server for World {
    fn version(&self) -> Version {
        self.version
    }

    fn name(&self) -> String {
        "https://erp.example.com (retail)".to_owned()
    }

    async fn fields(&self, model: &str) -> Result<BTreeMap<String, FieldInfo>, OdooError> {
        self.tick()?;
        let rows = self.table(model)?;
        let info = || FieldInfo { kind: "any".to_owned(), stored: true, searchable: true };
        Ok(rows.iter().flat_map(|row| row.keys().map(|key| (key.clone(), info()))).collect())
    }

    async fn rows(&self, ask: &ReadRows) -> Result<Vec<Vec<Cell>>, OdooError> {
        self.tick()?;
        let mut rows: Vec<Row> = self.table(&ask.model)?.into_iter().filter(|row| meant(row, &ask.domain)).collect();
        rows.sort_by_key(|row| row["id"].as_i64());
        let read =
            |row: &Row| std::iter::once("id").chain(ask.fields.iter().map(String::as_str)).map(|f| cell(&row[f])).collect();
        Ok(rows.iter().take(ask.limit).map(read).collect())
    }

    async fn ids(&self, _: &str, _: &Domain, _: usize, _: &Scope) -> Result<Vec<i64>, OdooError> {
        unreachable!("sums ask for no ids")
    }

    async fn count(&self, _: &str, _: &Domain, _: &Scope) -> Result<u64, OdooError> {
        unreachable!("sums count nothing")
    }

    async fn groups(&self, ask: &ReadGroups) -> Result<Vec<Group>, OdooError> {
        self.tick()?;
        let zone = TimeZone::get(ask.scope.time_zone.as_deref().unwrap_or("UTC")).unwrap();
        let mut groups: BTreeMap<String, Group> = BTreeMap::new();
        for row in self.table(&ask.model)?.iter().filter(|row| meant(row, &ask.domain)) {
            let key = |by: &String| match by.split_once(':') {
                None => cell(&row[by.as_str()]),
                Some((field, "day")) => {
                    let at: DateTime = row[field].as_str().unwrap().parse().unwrap();
                    let at = at.to_zoned(TimeZone::UTC).unwrap().timestamp();
                    Cell::Text(at.to_zoned(zone.clone()).date().to_string())
                }
                Some((_, other)) => panic!("granularity {other}"),
            };
            let keys: Vec<Cell> = ask.by.iter().map(key).collect();
            let group = groups.entry(format!("{keys:?}")).or_insert_with(|| Group {
                keys: keys.clone(),
                sums: vec![0.0; ask.sums.len()],
                count: 0,
            });
            group.count += 1;
            for (sum, field) in group.sums.iter_mut().zip(&ask.sums) {
                *sum += row[field.as_str()].as_f64().unwrap();
            }
        }
        self.longest.fetch_max(groups.len(), Ordering::SeqCst);
        Ok(groups.into_values().collect())
    }

    async fn may(&self, _: &str, _: Right) -> Result<bool, OdooError> {
        Ok(true)
    }
}

/// A mirror that holds records and positions in memory.
#[derive(Default)]
pub(in crate::live) struct Kept {
    pub(in crate::live) records: Mutex<BTreeMap<RecordRef, Record>>,
    positions: Mutex<BTreeMap<String, String>>,
}

impl Kept {
    pub(in crate::live) fn all(&self) -> BTreeMap<RecordRef, Record> {
        self.records.lock().unwrap().clone()
    }
}

#[async_trait]
impl Mirror for Kept {
    async fn position(&self, stream: &str) -> Result<Option<String>, BoxError> {
        Ok(self.positions.lock().unwrap().get(stream).cloned())
    }

    async fn keep(&self, stream: &str, rows: &[MirrorRow], _: &[i64], at: &str, _: Timestamp) -> Result<u64, BoxError> {
        assert!(rows.is_empty(), "without manufacturing there are no kits, and sums keep no rows");
        self.positions.lock().unwrap().insert(stream.to_owned(), at.to_owned());
        Ok(0)
    }

    async fn keep_records(&self, stream: &str, records: &[Observed], position: &str, _: Timestamp) -> Result<u64, BoxError> {
        let mut kept = self.records.lock().unwrap();
        for observed in records {
            match &observed.record {
                Record::Gone(key) => drop(kept.remove(key)),
                record => drop(kept.insert(record.key(), record.clone())),
            }
        }
        self.positions.lock().unwrap().insert(stream.to_owned(), position.to_owned());
        Ok(records.len() as u64)
    }

    async fn ids(&self, _: &str, _: i64, _: usize) -> Result<Vec<i64>, BoxError> {
        unreachable!("sums keep no rows")
    }

    async fn changes(&self, _: i64, _: usize) -> Result<Vec<MirrorChange>, BoxError> {
        unreachable!("sums keep no rows")
    }

    async fn rows(&self, _: &str, _: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        unreachable!("sums keep no rows")
    }

    async fn linked(&self, _: &str, _: usize, _: &[i64]) -> Result<Vec<MirrorRow>, BoxError> {
        unreachable!("sums keep no rows")
    }

    async fn all(&self, _: &str) -> Result<Vec<MirrorRow>, BoxError> {
        unreachable!("sums keep no rows")
    }
}

/// A configuration with 95 days of history, Berlin's calendar and a warehouse in Auckland.
pub(in crate::live) fn settings() -> (OdooConfig, Calendar) {
    let time_zones = vec!["AKL=Pacific/Auckland".to_owned()];
    let odoo = OdooConfig { history_days: 95, time_zones, ..defaults() };
    (odoo, Calendar { timezone: TimeZone::get("Europe/Berlin").expect("a zone"), ..Calendar::utc() })
}

pub(in crate::live) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(in crate::live) fn shared(world: World) -> (Arc<World>, Arc<Kept>) {
    (Arc::new(world), Arc::default())
}
