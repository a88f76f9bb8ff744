//! Odoo's rows → domain records: one translation for a recording and for a live server.
//!
//! From rows the translation makes a feed in which every version of a record stands at the time from which a reader could
//! have seen it, so that replaying day by day has no hindsight. The visibility rules stand where they are applied:
//! `catalog` (items), `places`, `terms` (suppliers, prices, rules), `promotions`, `sales`, `purchases`, `moves`, `bills`.
//!
//! Where rows come from is behind `Rows`; what happens to one that can not be understood is decided there: a recording is
//! refused as a whole, a live reading leaves the row out and counts it (`Care`). What is simply so in the world (a product
//! without cost, a list price of zero) is a missing value. Nothing is written.

mod bills;
mod care;
mod catalog;
pub mod cell;
mod currency;
mod feed;
mod lots;
mod moves;
mod packaging;
mod pickings;
mod places;
mod promotions;
mod purchases;
mod row;
mod sales;
mod terms;
mod units;

pub use self::care::RowError;
pub(crate) use self::care::{Care, Problem};
pub(crate) use self::catalog::{COMPANY_COSTS, Catalog};
pub(crate) use self::currency::{Currencies, RATES, Rates};
pub(crate) use self::feed::{Feed, span_of_business};
pub(crate) use self::places::Places;
pub(crate) use self::purchases::FIRST_PLANNED;
pub(crate) use self::row::{Model, Row};
pub(crate) use self::terms::Partners;

use self::pickings::Pickings;
use self::purchases::Purchases;
use self::terms::Suppliers;
use crate::kits::Kits;

/// Where rows come from.
pub(crate) trait Rows {
    /// Why they can not be told.
    type Error;

    /// Tells a model's rows to `each`. What happens after an error of `each` is the source's to decide.
    fn each(&mut self, model: &'static Model, each: impl FnMut(&Row) -> Result<(), RowError>) -> Result<(), Self::Error>;

    /// As [`Rows::each`], of a model that need not be there.
    fn each_if_any(
        &mut self,
        model: &'static Model,
        each: impl FnMut(&Row) -> Result<(), RowError>,
    ) -> Result<(), Self::Error> {
        self.each(model, each)
    }
}

/// What all documents refer to.
pub(crate) struct Masters {
    pub(crate) catalog: Catalog,
    pub(crate) places: Places,
    pub(crate) partners: Partners,
    /// What is sold by one name and shipped as several; no kits in a recording.
    pub(crate) kits: Kits,
}

impl Masters {
    /// Reads the master data, and puts items and locations on the feed.
    pub(crate) fn read<R: Rows>(
        rows: &mut R,
        currencies: Currencies,
        care: &Care,
        feed: &mut Feed,
    ) -> Result<Self, R::Error> {
        let catalog = Catalog::read(rows, currencies, care, feed)?;
        let places = Places::read(rows, &catalog, feed)?;
        let partners = Partners::read(rows)?;
        Ok(Self { catalog, places, partners, kits: Kits::default() })
    }

    /// Puts prices, rules and promotions on the feed, and gives back which suppliers they name.
    pub(crate) fn read_terms<R: Rows>(&self, rows: &mut R, care: &Care, feed: &mut Feed) -> Result<Suppliers<'_>, R::Error> {
        let mut suppliers = Suppliers::new(&self.partners);
        terms::read_supplier_prices(rows, &self.catalog, care, &mut suppliers, feed)?;
        terms::read_reorder_rules(rows, &self.catalog, &self.places, feed)?;
        promotions::read_pricelists(rows, &self.catalog, care, feed)?;
        promotions::read_loyalty(rows, &self.catalog, feed)?;
        Ok(suppliers)
    }

    /// Puts orders, movements, bills and the suppliers that they name on the feed.
    pub(crate) fn read_documents<R: Rows>(
        &self,
        rows: &mut R,
        mut suppliers: Suppliers<'_>,
        care: &Care,
        feed: &mut Feed,
    ) -> Result<(), R::Error> {
        // In the order in which they refer to each other. Orders are told behind the moves, which say when a new promise was
        // there.
        let pickings = Pickings::read(rows)?;
        let purchases = Purchases::read(rows, self, care, &mut suppliers, &pickings)?;
        let sale_lines = sales::read(rows, self, care, feed)?;
        let context =
            moves::Context { masters: self, care, pickings: &pickings, purchases: &purchases, sale_lines: &sale_lines };
        let fulfilled = moves::read(rows, &context, feed)?;
        bills::read(rows, self, care, &mut suppliers, &purchases, feed)?;
        purchases.tell(&fulfilled, feed);
        suppliers.tell(feed);
        Ok(())
    }

    /// Nobody named yet.
    pub(crate) fn no_suppliers(&self) -> Suppliers<'_> {
        Suppliers::new(&self.partners)
    }
}

/// The models that are read, each with its fields.
#[cfg(test)]
pub(crate) fn models() -> Vec<(&'static str, Vec<&'static str>)> {
    let all: [&Model; 32] = [
        &bills::BILL,
        &bills::LINE,
        &catalog::CATEGORY,
        &catalog::TEMPLATE,
        &catalog::PRODUCT,
        &catalog::LAYER,
        &packaging::PACKAGING,
        &packaging::UNIT_BARCODE,
        &currency::CURRENCY,
        &currency::COMPANY,
        &currency::RATE,
        &lots::LOT,
        &lots::QUANT,
        &moves::SCRAP,
        &moves::MOVE,
        &pickings::PICKING,
        &places::WAREHOUSE,
        &places::LOCATION,
        &places::PICKING_TYPE,
        &promotions::PRICELIST_ITEM,
        &promotions::PRICELIST,
        &promotions::PROGRAM,
        &promotions::RULE,
        &promotions::REWARD,
        &purchases::ORDER,
        &purchases::LINE,
        &sales::ORDER,
        &sales::LINE,
        &terms::PARTNER,
        &terms::SUPPLIERINFO,
        &terms::ORDERPOINT,
        &units::UOM,
    ];
    all.iter().map(|model| (model.name, model.fields().collect())).collect()
}
