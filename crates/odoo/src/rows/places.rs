//! Where stock is: warehouses, the stock locations below them, and the operation types that say which warehouse a
//! document belongs to. A warehouse is one of our locations and is visible from its `create_date`.

use std::collections::{BTreeMap, BTreeSet};

use super::Rows;
use super::care::RowError;
use super::catalog::Catalog;
use super::feed::Feed;
use super::row::{Model, Row};
use crate::rows::cell::Cell;
use reeve_domain::ids::LocationId;
use reeve_domain::record::{Location, Record};

pub(super) static WAREHOUSE: Model =
    Model { name: "stock.warehouse", needs: &["id", "code", "name", "create_date"], optional: &["company_id"] };
pub(super) static LOCATION: Model =
    Model { name: "stock.location", needs: &["id", "usage", "warehouse_id", "scrap_location"], optional: &["company_id"] };
pub(super) static PICKING_TYPE: Model =
    Model { name: "stock.picking.type", needs: &["id", "warehouse_id"], optional: &["code", "company_id"] };

/// Odoo's kind of operation that brings goods from a supplier straight to a customer.
const DROP_SHIP: &str = "dropship";

/// What Odoo uses a stock location for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Usage {
    /// Our shelves.
    Internal,
    /// Ours, between two warehouses.
    Transit,
    /// A customer's side.
    Customer,
    /// A supplier's side.
    Supplier,
    /// The other side of a count.
    Inventory,
    /// The other side of manufacturing.
    Production,
    /// A heading: nothing can be there.
    View,
}

/// A stock location.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) usage: Usage,
    /// The warehouse it belongs to.
    pub(super) warehouse: Option<i64>,
    /// Is it where scrap goes?
    pub(super) scrap: bool,
    /// Whose it is; None: of all companies, or nobody asked.
    company: Option<i64>,
}

/// Warehouses, stock locations and operation types.
#[derive(Debug)]
pub(crate) struct Places {
    warehouses: BTreeMap<i64, LocationId>,
    stock_locations: BTreeMap<i64, Place>,
    types: BTreeMap<i64, Type>,
    /// Each company's first warehouse, by which what has none is looked after.
    first_of_company: BTreeMap<Option<i64>, i64>,
    /// The companies that stock locations name.
    companies: BTreeSet<i64>,
}

/// An operation type.
#[derive(Debug)]
struct Type {
    warehouse: Option<i64>,
    company: Option<i64>,
    drop_ship: bool,
}

/// Where an order delivers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Destination {
    /// To a warehouse.
    Warehouse(LocationId),
    /// Straight to a customer; the warehouse is the one that looks after it.
    Customer(LocationId),
}

impl Places {
    /// Reads them and puts the warehouses on the feed.
    pub(super) fn read<R: Rows>(rows: &mut R, catalog: &Catalog, feed: &mut Feed) -> Result<Self, R::Error> {
        let mut all = Self {
            warehouses: BTreeMap::new(),
            stock_locations: BTreeMap::new(),
            types: BTreeMap::new(),
            first_of_company: BTreeMap::new(),
            companies: BTreeSet::new(),
        };
        rows.each(&WAREHOUSE, |row| {
            let id = LocationId::new(row.id()?.to_string());
            let record = Location {
                id: id.clone(),
                code: row.text("code")?,
                name: row.text("name")?,
                company: row.company().map(|company| company.to_string()),
                company_name: catalog.company_name(row),
            };
            feed.push(row.time("create_date")?, Record::Location(record));
            all.warehouses.insert(row.id()?, id);
            // The first warehouse of a company is where documents without one belong; of no company, the first of all.
            for company in [row.company(), None] {
                let first = all.first_of_company.entry(company).or_insert(row.id()?);
                *first = row.id()?.min(*first);
            }
            Ok(())
        })?;
        rows.each(&LOCATION, |row| {
            // A company may have warehouses that are not read: wrong only once an item moves there.
            let warehouse = row.link("warehouse_id")?;
            // Which companies have locations here says whether a transit place is a border between two of them.
            let company = row.company();
            all.companies.extend(company);
            let place = Place { usage: usage(row)?, warehouse, scrap: row.flag("scrap_location")?, company };
            all.stock_locations.insert(row.id()?, place);
            Ok(())
        })?;
        rows.each(&PICKING_TYPE, |row| {
            let drop_ship = row.text("code")? == DROP_SHIP;
            let kind = Type { warehouse: row.link("warehouse_id")?, company: row.company(), drop_ship };
            all.types.insert(row.id()?, kind);
            Ok(())
        })?;
        Ok(all)
    }

    /// The stock location a row names.
    pub(super) fn place(&self, row: &Row, field: &'static str) -> Result<&Place, RowError> {
        self.stock_locations.get(&row.must_link(field)?).ok_or_else(|| row.dangling(field, "stock.location"))
    }

    /// The warehouse a row names, where it names one.
    pub(super) fn warehouse(&self, row: &Row, field: &'static str) -> Result<Option<LocationId>, RowError> {
        let Some(id) = row.link(field)? else { return Ok(None) };
        self.warehouses.get(&id).cloned().map(Some).ok_or_else(|| row.dangling(field, "stock.warehouse"))
    }

    /// Where the operation type that a row names delivers to.
    pub(super) fn destination(&self, row: &Row, field: &'static str) -> Result<Destination, RowError> {
        let kind = self.types.get(&row.must_link(field)?).ok_or_else(|| row.dangling(field, "stock.picking.type"))?;
        let known = |id: &i64| self.warehouses.get(id).cloned();
        if kind.drop_ship {
            let company = kind.company.or_else(|| row.company());
            let first = kind.warehouse.as_ref().or_else(|| self.first_of_company.get(&company));
            if let Some(place) = first.and_then(known) {
                return Ok(Destination::Customer(place));
            }
        }
        let place = kind.warehouse.as_ref().and_then(known);
        place
            .map(Destination::Warehouse)
            .ok_or_else(|| row.dangling(field, "stock.picking.type (with a recorded `stock.warehouse`)"))
    }

    /// Do goods that pass a stock location go to another company, or come from one? Odoo hands them over at a transit location
    /// that belongs to no company. One that belongs to a company is on the way between its own warehouses; so is one of nobody
    /// where there is only one company, unless goods that were bought or sold pass it.
    pub(super) fn is_border(&self, place: &Place, traded: bool) -> bool {
        let several = self.companies.len() > 1;
        place.usage == Usage::Transit && place.company.is_none() && !self.companies.is_empty() && (several || traded)
    }

    /// The location behind a warehouse's id.
    pub(super) fn location(&self, warehouse: i64) -> Option<LocationId> {
        self.warehouses.get(&warehouse).cloned()
    }
}

fn usage(row: &Row) -> Result<Usage, RowError> {
    let usage = row.text("usage")?;
    Ok(match usage.as_str() {
        "internal" => Usage::Internal,
        "transit" => Usage::Transit,
        "customer" => Usage::Customer,
        "supplier" => Usage::Supplier,
        "inventory" => Usage::Inventory,
        "production" => Usage::Production,
        "view" => Usage::View,
        _ => {
            let expected = "internal, transit, customer, supplier, inventory, production or view";
            return Err(row.wrong("usage", expected, &Cell::Text(usage), "record the model from Odoo 18 or 17"));
        }
    })
}
