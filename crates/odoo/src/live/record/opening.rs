//! Movements of opening stock, so that the sum of a recording's movements is the stock that Odoo states.
//!
//! What moved is told by the translation itself, page by page, so that both count alike. The added movements stand just
//! before the first day from which on everything is recorded: what was delivered before is read only as sums.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::scope::Within;
use super::veil::OPENING;
use super::{Recorder, cell, link, stream, text};
use crate::live::source::live::{Live, Tables};
use crate::rows::cell::Cell;
use crate::rows::{Care, Currencies, Feed, Masters, Rates};
use reeve_domain::record::Record;

const MOVE: &str = "stock.move";

type Place = (i64, i64);

/// What moved, and what is there.
pub(super) struct Openings<'a> {
    recorder: &'a Recorder<'a>,
    masters: Masters,
    levels: Option<BTreeMap<Place, Decimal>>,
    sums: BTreeMap<Place, Decimal>,
    /// The day of the first movement that was done.
    first: Option<Date>,
    from: Option<Timestamp>,
    /// The largest id of a movement.
    largest: i64,
    /// Where counts come from.
    inventory: i64,
    /// Where stock lies, by warehouse.
    shelves: BTreeMap<i64, i64>,
    /// Unit and time of entry of each product.
    products: BTreeMap<i64, (Cell, String)>,
}

impl<'a> Openings<'a> {
    /// Nothing moved yet. `from`: from when on everything is recorded, where that is bounded. Where there is no location
    /// that counts come from, one is added to `rows`.
    pub(super) fn new(
        recorder: &'a Recorder<'a>,
        tables: &Tables,
        rows: &mut BTreeMap<&'static str, Vec<Vec<Cell>>>,
        from: Option<Timestamp>,
    ) -> Self {
        let care = Care::lenient();
        let mut live = Live::new(tables, recorder.companies, &care);
        let read = Rates::read(&mut live, recorder.currency, recorder.companies.first().copied())
            .and_then(|rates| Masters::read(&mut live, Currencies::Rates(rates), &care, &mut Feed::default()));
        // A lenient reading of rows in memory can not fail: what is not understood is passed over.
        let masters = match read {
            Ok(masters) => masters,
            Err(never) => match never {},
        };
        let levels = recorder.levels.map(|levels| {
            let place = |item: &str, location: &str| Some((item.parse().ok()?, location.parse().ok()?));
            let levels = levels.iter();
            levels.filter_map(|l| Some((place(l.item.as_str(), l.location.as_str())?, l.on_hand.0))).collect()
        });
        let inventory = inventory(rows);
        Self {
            recorder,
            masters,
            levels,
            sums: BTreeMap::new(),
            first: None,
            from,
            largest: 0,
            inventory,
            shelves: shelves(rows),
            products: products(rows),
        }
    }

    /// There is a movement of this id.
    pub(super) fn see_id(&mut self, id: i64) {
        self.largest = self.largest.max(id);
    }

    /// These movements are recorded.
    pub(super) fn see(&mut self, moves: &[Vec<Cell>]) {
        let stream = stream(MOVE);
        let mut tables = Tables::default();
        // Opening stock stands before the first day on which anything was done; plans move no stock.
        for cells in moves {
            if text(stream, cells, "state") == "done" {
                let day = text(stream, cells, "date").get(..10).and_then(|day| day.parse().ok());
                self.first = [self.first, day].into_iter().flatten().min();
            }
            if let Some(id) = link(stream, cells, "id") {
                tables.put(MOVE, id, cells.clone());
            }
        }
        let (care, mut feed) = (Care::lenient(), Feed::default());
        let mut live = Live::new(&tables, self.recorder.companies, &care);
        match self.masters.read_documents(&mut live, self.masters.no_suppliers(), &care, &mut feed) {
            Ok(()) => {}
            Err(never) => match never {},
        }
        // The last version of each move is what was done; earlier ones are plans.
        for record in feed.into_last_versions().into_values() {
            let Record::Move(moved) = record else { continue };
            let (Some(_), Ok(item)) = (moved.done_at, moved.item.as_str().parse()) else { continue };
            for (end, quantity) in [(moved.from, -moved.qty.0), (moved.to, moved.qty.0)] {
                if let Some(warehouse) = end.and_then(|end| end.as_str().parse().ok()) {
                    *self.sums.entry((item, warehouse)).or_default() += quantity;
                }
            }
        }
    }

    /// The movements that are missing.
    pub(super) fn rows(&self, within: &Within) -> Vec<Vec<Cell>> {
        let Some(levels) = &self.levels else { return Vec::new() };
        let at = self.at();
        // Also places that only moved: nothing may be left there now.
        let places: BTreeSet<Place> = levels.keys().chain(self.sums.keys()).copied().collect();
        let mut rows = Vec::new();
        for (product, warehouse) in places {
            let of = |amounts: &BTreeMap<Place, Decimal>| amounts.get(&(product, warehouse)).copied().unwrap_or_default();
            let missing = (of(levels) - of(&self.sums)).round_dp(4);
            let (Some((unit, entered)), Some(shelf)) = (self.products.get(&product), self.shelves.get(&warehouse)) else {
                continue;
            };
            // What lies outside of the recorded warehouses moves nothing inside.
            if missing.is_zero() || !within.has(Some(warehouse)) {
                continue;
            }
            let id = self.largest + 1 + rows.len() as i64;
            rows.push(self.row(id, product, unit, *shelf, missing, entered.as_str().max(&at)));
        }
        rows
    }

    /// Just before the first day from which on everything is recorded, as Odoo writes it.
    fn at(&self) -> String {
        let first = self.first.and_then(|day| TimeZone::UTC.to_timestamp(day.at(0, 0, 0, 0)).ok());
        let from = [self.from, first].into_iter().flatten().max().unwrap_or(self.recorder.now);
        let at = from.checked_sub(SignedDuration::from_secs(1)).unwrap_or(from);
        at.strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    fn row(&self, id: i64, product: i64, unit: &Cell, shelf: i64, missing: Decimal, at: &str) -> Vec<Cell> {
        let number = |id: i64| Cell::Number(id as f64);
        let words = |text: &str| Cell::Text(text.to_owned());
        let quantity = Cell::Number(missing.abs().to_f64().unwrap_or_default());
        // What the movements brought too much of is taken off again.
        let (source, target) = if missing.is_sign_negative() { (shelf, self.inventory) } else { (self.inventory, shelf) };
        let of = |field: &str| match field {
            "id" => number(id),
            "product_id" => number(product),
            "product_uom" => unit.clone(),
            "product_uom_qty" | "quantity" => quantity.clone(),
            "state" => words("done"),
            "location_id" => number(source),
            "location_dest_id" => number(target),
            "is_inventory" => Cell::Flag(true),
            "name" | "reference" => words(OPENING),
            "date" | "create_date" | "write_date" => words(at),
            _ => Cell::Flag(false),
        };
        stream(MOVE).fields.iter().map(|field| of(field.name)).collect()
    }
}

/// The location that counts come from.
fn inventory(rows: &mut BTreeMap<&'static str, Vec<Vec<Cell>>>) -> i64 {
    let stream = stream("stock.location");
    let all = rows.entry(stream.model).or_default();
    let is_one = |cells: &&Vec<Cell>| {
        text(stream, cells, "usage") == "inventory"
            && cell(stream, cells, "scrap_location") != Some(&Cell::Flag(true))
            && link(stream, cells, "warehouse_id").is_none()
    };
    if let Some(id) = all.iter().filter(is_one).find_map(|cells| link(stream, cells, "id")) {
        return id;
    }
    let id = 1 + all.iter().filter_map(|cells| link(stream, cells, "id")).max().unwrap_or_default();
    let of = |field: &str| match field {
        "id" => Cell::Number(id as f64),
        "usage" => Cell::Text("inventory".to_owned()),
        _ => Cell::Flag(false),
    };
    all.push(stream.fields.iter().map(|field| of(field.name)).collect());
    id
}

/// A stock location of each warehouse: the oldest.
fn shelves(rows: &BTreeMap<&'static str, Vec<Vec<Cell>>>) -> BTreeMap<i64, i64> {
    let stream = stream("stock.location");
    let mut shelves = BTreeMap::new();
    for cells in rows.get(stream.model).into_iter().flatten() {
        let is_shelf =
            text(stream, cells, "usage") == "internal" && cell(stream, cells, "scrap_location") != Some(&Cell::Flag(true));
        if let (true, Some(id), Some(warehouse)) = (is_shelf, link(stream, cells, "id"), link(stream, cells, "warehouse_id"))
        {
            shelves.entry(warehouse).or_insert(id);
        }
    }
    shelves
}

fn products(rows: &BTreeMap<&'static str, Vec<Vec<Cell>>>) -> BTreeMap<i64, (Cell, String)> {
    let (templates, products) = (stream("product.template"), stream("product.product"));
    let of = |model: &str| rows.get(model).into_iter().flatten();
    let units: BTreeMap<i64, Cell> = of(templates.model)
        .filter_map(|cells| Some((link(templates, cells, "id")?, cell(templates, cells, "uom_id")?.clone())))
        .collect();
    of(products.model)
        .filter_map(|cells| {
            let unit = units.get(&link(products, cells, "product_tmpl_id")?)?.clone();
            Some((link(products, cells, "id")?, (unit, text(products, cells, "create_date").to_owned())))
        })
        .collect()
}
