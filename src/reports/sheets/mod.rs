//! What the records say of one item and of one supplier, for whoever looks one up: stock, orders on their way, terms, punctuality.
//!
//! Pure functions over the book of the moment, which answer by its indexes: what is asked of one item or supplier costs what it
//! has, not what the shop has. No figure is made here that the records or the figures of the work (`kpi`) do not carry; each row
//! names the record it comes from.

mod item;
mod supplier;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Context;
use jiff::civil::Date;

use crate::config::Config;
use crate::domain::calendar::days_between;
use crate::domain::ids::{ItemId, SupplierId};
use crate::domain::money::{Money, Quantity, UnitPrice};
use crate::domain::record::{PurchaseLine, RecordKind, RecordRef};
use crate::domain::supply::Supply;
use crate::pipeline::moment::Moments;
use crate::store::Store;

pub use self::item::{ItemSheet, PlaceRow, TermsRow, item_sheet};
pub use self::supplier::{SupplierRow, SupplierSheet, supplier_sheet};

/// Order lines that one sheet lists: those due first. How many there are is said beside it.
pub const LINES: usize = 50;

/// An order line on its way.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenLine {
    /// The line.
    pub record: RecordRef,
    /// The order's name.
    pub order: String,
    /// From whom; text from outside.
    pub supplier: (SupplierId, String),
    /// What; text from outside.
    pub item: (ItemId, String),
    /// To where; text from outside.
    pub place: String,
    /// Ordered, in stock units.
    pub ordered: Quantity,
    /// Still to come, in stock units.
    pub open: Quantity,
    /// What is still to come at the order's price; None where that is not known.
    pub value: Option<Money>,
    /// Promised now, or announced where that is later.
    pub due: Date,
    /// Days since it was due, where it was.
    pub late: Option<i32>,
}

/// Lines on their way, those due first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OpenLines {
    /// At most [`LINES`] of them.
    pub lines: Vec<OpenLine>,
    /// How many there are.
    pub of: usize,
    /// What is still to come of all, at the orders' prices.
    pub value: Money,
    /// How many of all have no price that is known, and are not in the value.
    pub unpriced: usize,
    /// How many of all were due before today.
    pub late: usize,
}

impl OpenLines {
    /// Those of `lines` of which something is to come.
    fn of<'b>(book: &'b Supply, lines: impl IntoIterator<Item = &'b PurchaseLine>) -> Self {
        let mut open: Vec<OpenLine> = lines
            .into_iter()
            .filter(|line| line.confirmed && line.qty.is_positive())
            .filter_map(|line| OpenLine::of(book, line))
            .collect();
        open.sort_by(|a, b| (a.due, &a.record).cmp(&(b.due, &b.record)));
        let mut all = Self {
            of: open.len(),
            value: open.iter().filter_map(|line| line.value).sum(),
            unpriced: open.iter().filter(|line| line.value.is_none()).count(),
            late: open.iter().filter(|line| line.late.is_some()).count(),
            lines: open,
        };
        // Only now: how many there are and what they come to is said of all.
        all.lines.truncate(LINES);
        all
    }
}

impl OpenLine {
    fn of(book: &Supply, line: &PurchaseLine) -> Option<Self> {
        let open = Some(book.open_quantity(&line.id)).filter(|open| open.is_positive())?;
        let due = book.due(line);
        let days = days_between(due, book.today);
        Some(Self {
            record: RecordRef::new(RecordKind::PoLine, line.id.as_str()),
            order: line.order_name.clone(),
            supplier: (line.supplier.clone(), book.supplier_name(&line.supplier)),
            item: (line.item.clone(), book.item_label(&line.item)),
            place: book.location_name(&line.location),
            ordered: line.qty,
            open,
            value: line.price.map(|price| open * price),
            due,
            late: (days > 0).then_some(days),
        })
    }
}

/// Looks items and suppliers up in the book of the moment.
pub struct Sheets {
    store: Store,
    config: Arc<Config>,
    moments: Arc<Moments>,
}

impl Sheets {
    /// Of this store.
    pub fn new(store: Store, config: Arc<Config>, moments: Arc<Moments>) -> Self {
        Self { store, config, moments }
    }

    /// What there is of an item; None where no record knows it.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn item(&self, id: &ItemId) -> anyhow::Result<Option<ItemSheet>> {
        let moment = self.moments.now().await.context("computing the moment")?;
        let book = moment.book_of(&self.store, &BTreeSet::from([id.clone()])).await.context("reading the item's sales")?;
        Ok(item_sheet(&book, id))
    }

    /// What there is of a supplier; None where no record knows it.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn supplier(&self, id: &SupplierId) -> anyhow::Result<Option<SupplierSheet>> {
        let moment = self.moments.now().await.context("computing the moment")?;
        Ok(supplier_sheet(&moment.book, &self.config, id))
    }

    /// Suppliers whose names hold `text`, by name, `skip` passed over and at most `limit`; and how many there are.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn suppliers(&self, text: &str, skip: usize, limit: usize) -> anyhow::Result<(Vec<SupplierRow>, usize)> {
        let moment = self.moments.now().await.context("computing the moment")?;
        Ok(supplier::rows(&moment.book, text, skip, limit))
    }
}

/// Units at a price; None where there is no price.
fn at_price(units: Quantity, price: Option<UnitPrice>) -> Option<Money> {
    price.map(|price| units * price)
}
