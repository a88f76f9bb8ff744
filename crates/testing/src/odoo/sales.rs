//! Deliveries to customers of a large retailer, computed when they are asked for: items × locations × days of them would not
//! fit into memory, and they must not, because the server is not what is measured.
//!
//! A sale's id says what it is: days first, then items, then locations. So ids, dates and stamps all rise together. On
//! about every fourth day an item sells at a location.

use std::ops::Range;

use super::cell::{Cell, DAY};
use super::schema::FieldDef;

/// The computed rows of `stock.move`.
#[derive(Debug)]
pub struct Sales {
    /// Id of the first row that could be.
    pub first: i64,
    pub items: i64,
    pub places: i64,
    pub days: i64,
    /// Midnight of the first day, microseconds since 1970.
    pub start: i64,
    pub seed: u64,
    /// Ids of the products, of the stock locations and of the customers' location; ascending.
    pub products: Vec<i64>,
    pub stocks: Vec<i64>,
    pub customers: i64,
    pub warehouses: Vec<i64>,
    pub out_types: Vec<i64>,
    pub unit: i64,
    pub company: i64,
}

/// Which of them are looked at.
#[derive(Clone, Debug)]
pub struct Window {
    pub ids: Range<i64>,
    /// Positions of items and of locations, ascending; `None` for all.
    pub items: Option<Vec<i64>>,
    pub places: Option<Vec<i64>>,
}

impl Sales {
    fn slots(&self) -> i64 {
        self.items * self.places
    }

    /// The id after the last.
    pub fn end(&self) -> i64 {
        self.first + self.slots() * self.days
    }

    pub fn every(&self) -> Window {
        Window { ids: self.first..self.end(), items: None, places: None }
    }

    fn chance(&self, id: i64) -> u64 {
        // SplitMix64's finaliser.
        let mut x = (id as u64).wrapping_add(self.seed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        x ^ (x >> 31)
    }

    /// Is there a sale with this id?
    pub fn holds(&self, id: i64) -> bool {
        (self.first..self.end()).contains(&id) && self.chance(id).trailing_zeros() >= 2
    }

    /// When the sale with this id happened.
    pub fn at(&self, id: i64) -> i64 {
        let slot = id - self.first;
        let (day, rest) = (slot / self.slots(), slot % self.slots());
        self.start + day * DAY + rest * (DAY / self.slots())
    }

    /// The first id that happens at or after a time.
    pub fn id_from(&self, at: i64) -> i64 {
        let step = DAY / self.slots();
        let since = at.saturating_sub(self.start).clamp(0, self.days * DAY);
        let (day, rest) = (since / DAY, since % DAY);
        self.first + day * self.slots() + ((rest + step - 1) / step).min(self.slots())
    }

    /// Ids in a window, ascending.
    pub fn ids(&self, window: Window) -> impl Iterator<Item = i64> + '_ {
        let range = window.ids.start.max(self.first)..window.ids.end.min(self.end());
        let items = window.items.unwrap_or_else(|| (0..self.items).collect());
        let places = window.places.unwrap_or_else(|| (0..self.places).collect());
        let empty = range.is_empty();
        let first_day = (range.start - self.first) / self.slots();
        let last_day = if empty { first_day } else { (range.end - 1 - self.first) / self.slots() + 1 };
        let offsets: Vec<i64> =
            items.iter().flat_map(|item| places.iter().map(move |place| item * self.places + place)).collect();
        (first_day..last_day).flat_map(move |day| {
            let base = self.first + day * self.slots();
            let from = offsets.partition_point(|offset| base + offset < range.start);
            let to = offsets.partition_point(|offset| base + offset < range.end);
            let offsets = offsets[from..to.max(from)].to_vec();
            offsets.into_iter().map(move |offset| base + offset).filter(|id| self.chance(*id).trailing_zeros() >= 2)
        })
    }

    /// Is it a time of the sale?
    pub fn is_dated(field: &FieldDef) -> bool {
        ["create_date", "write_date", "date", "date_deadline"].contains(&field.name.as_str())
    }

    /// Does it differ between sales, apart from ids and times?
    pub fn differs(field: &FieldDef) -> bool {
        let fields =
            ["product_id", "location_id", "warehouse_id", "picking_type_id", "quantity", "product_uom_qty", "product_qty"];
        fields.contains(&field.name.as_str())
    }

    /// What stands in a field of the sale.
    pub fn cell(&self, id: i64, _place: usize, field: &FieldDef) -> Cell {
        let rest = (id - self.first) % self.slots();
        let (item, place) = ((rest / self.places) as usize, (rest % self.places) as usize);
        let quantity = 1.0 + ((self.chance(id) >> 8) % 4) as f64;
        match field.name.as_str() {
            "id" => Cell::Int(id),
            "create_date" | "write_date" | "date" | "date_deadline" => Cell::Time(self.at(id)),
            "state" => Cell::text("done"),
            "name" | "reference" | "display_name" => Cell::text("WH/OUT"),
            "priority" => Cell::text("0"),
            "procure_method" => Cell::text("make_to_stock"),
            "picking_code" => Cell::text("outgoing"),
            "product_id" => Cell::Int(self.products[item]),
            "location_id" => Cell::Int(self.stocks[place]),
            "location_dest_id" => Cell::Int(self.customers),
            "warehouse_id" => Cell::Int(self.warehouses[place]),
            "picking_type_id" => Cell::Int(self.out_types[place]),
            "product_uom" | "product_uom_id" => Cell::Int(self.unit),
            "company_id" => Cell::Int(self.company),
            "quantity" | "product_uom_qty" | "product_qty" => Cell::Float(quantity),
            "sequence" => Cell::Int(10),
            "picked" => Cell::True,
            _ => field.kind.empty(),
        }
    }
}
