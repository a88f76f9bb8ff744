//! A recording of an Odoo server, replayed as a source.
//!
//! A recording is a folder with one `<model>.json.gz` for each model: what `search_read` answered at one moment. From it
//! the adapter makes a feed in which every version of a record stands at the time from which a reader could have seen it,
//! so that replaying day by day has no hindsight. The visibility rules stand where they are applied: `catalog` (items),
//! `places`, `terms` (suppliers, prices, rules), `promotions`, `sales`, `purchases`, `moves`, `bills`.
//!
//! [`Recorded::open`] reads and checks everything before the first page: nothing is ever half loaded. What is simply so in
//! the world (a product without cost, a list price of zero) is a missing value; what can not be understood is an error that
//! names file, row and field. Nothing is converted between currencies, nothing is written.

mod bills;
mod catalog;
mod error;
mod feed;
mod moves;
mod pickings;
mod places;
mod promotions;
mod purchases;
mod reader;
mod row;
mod sales;
mod terms;
#[cfg(test)]
mod tests;

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::error::{RecordingError, RowError};
use self::feed::Feed;
use self::reader::Reader;
use crate::domain::record::Observed;
use crate::ports::{Page, PortError, Source};

/// A recording, checked and ordered.
#[derive(Debug)]
pub struct Recorded {
    hash: String,
    feed: Vec<Observed>,
    span: Option<(Timestamp, Timestamp)>,
}

/// Why a cursor was refused.
#[derive(Debug, thiserror::Error)]
enum CursorError {
    #[error("this store was filled from another recording ({found}, not {wanted}); use a new store")]
    OtherRecording { found: String, wanted: String },
    #[error("the cursor {0:?} is not one of a recording; use a new store")]
    Unreadable(String),
}

impl Recorded {
    /// Reads the recording in the folder `dir` of a company whose currency is `currency` (ISO 4217).
    ///
    /// # Errors
    /// The first thing that is missing or can not be understood, with what to do about it.
    pub fn open(dir: &Path, currency: &str) -> Result<Self, RecordingError> {
        if !dir.is_dir() {
            return Err(RecordingError::NoFolder);
        }
        let mut reader = Reader::new(dir);
        let mut feed = Feed::default();
        let catalog = catalog::Catalog::read(&mut reader, currency, &mut feed)?;
        let places = places::Places::read(&mut reader, &mut feed)?;
        let mut suppliers = terms::Suppliers::read(&mut reader)?;
        terms::read_supplier_prices(&mut reader, &catalog, &mut suppliers, &mut feed)?;
        terms::read_reorder_rules(&mut reader, &catalog, &places, &mut feed)?;
        promotions::read_pricelists(&mut reader, &catalog, &mut feed)?;
        promotions::read_loyalty(&mut reader, &catalog, &mut feed)?;
        let pickings = pickings::Pickings::read(&mut reader)?;
        let purchases = purchases::Purchases::read(&mut reader, &catalog, &places, &mut suppliers, &pickings)?;
        let sale_lines = sales::read(&mut reader, &catalog, &places, &mut feed)?;
        let context = moves::Context {
            catalog: &catalog,
            places: &places,
            pickings: &pickings,
            purchases: &purchases,
            sale_lines: &sale_lines,
        };
        let first_receipt = moves::read(&mut reader, &context, &mut feed)?;
        bills::read(&mut reader, &catalog, &mut suppliers, &purchases, &mut feed)?;
        purchases.tell(&first_receipt, &mut feed);
        suppliers.tell(&mut feed);
        let feed = feed.sorted();
        Ok(Self { hash: reader.content_hash(), span: feed::span_of_business(&feed), feed })
    }

    /// Where in the feed a cursor stands.
    fn position(&self, cursor: Option<&str>) -> Result<usize, CursorError> {
        let Some(cursor) = cursor else { return Ok(0) };
        let unreadable = || CursorError::Unreadable(cursor.to_owned());
        let (hash, position) = cursor.split_once(':').ok_or_else(unreadable)?;
        if hash != self.hash {
            return Err(CursorError::OtherRecording { found: hash.to_owned(), wanted: self.hash.clone() });
        }
        position.parse().ok().filter(|position| *position <= self.feed.len()).ok_or_else(unreadable)
    }
}

#[async_trait]
impl Source for Recorded {
    fn identity(&self) -> String {
        format!("recording:{}", self.hash)
    }

    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError> {
        let start = self
            .position(cursor)
            .map_err(|error| PortError::Permanent { service: "the recording", source: Box::new(error) })?;
        let rest = &self.feed[start..];
        let visible = rest.partition_point(|o| o.changed_at <= until);
        // A page of nothing with more to come would be asked for again for ever.
        let taken = visible.min(limit.max(1));
        Ok(Page {
            observed: rest[..taken].to_vec(),
            next: format!("{}:{}", self.hash, start + taken),
            more: taken < visible,
        })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.span
    }
}
