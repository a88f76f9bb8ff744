//! A recording of an Odoo server, replayed as a source.
//!
//! A recording is a folder with one `<model>.json.gz` for each model: what `search_read` answered at one moment. From it
//! `rows` makes a feed in which every version of a record stands at the time from which a reader could have seen
//! it, so that replaying day by day has no hindsight.
//!
//! [`Recorded::open`] reads and checks everything before the first page: nothing is ever half loaded. What is simply so in
//! the world (a product without cost, a list price of zero) is a missing value; what can not be understood is an error that
//! names file, row and field. Nothing is converted between currencies, nothing is written.
//!
//! One that was made of a live server (`reeve sync --record`) says in its INDEX.json that its rows are as they were. It is
//! read as the live server is: rows that can not be understood are passed over and become gaps, amounts are converted.

pub mod bundled;
mod company;
mod error;
mod index;
mod reader;
#[cfg(test)]
mod tests;

use std::path::Path;

use async_trait::async_trait;
use jiff::Timestamp;

pub use self::error::RecordingError;
use self::index::Index;
use self::reader::{AsTheyWere, Reader};
use crate::live::source::gaps_of;
pub use crate::rows::RowError;
use crate::rows::{Care, Currencies, Feed, Masters, Rates, Rows, span_of_business};
use reeve_domain::record::Observed;
use reeve_ports::{Gap, Page, PortError, Source};

/// A recording, checked and ordered.
#[derive(Debug)]
pub struct Recorded {
    hash: String,
    feed: Vec<Observed>,
    span: Option<(Timestamp, Timestamp)>,
    gaps: Vec<Gap>,
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
        let index = Index::read(dir)?;
        let mut reader = Reader::new(dir);
        let (feed, problems) = if index.is_as_it_was()? {
            let care = Care::lenient();
            let mut rows = AsTheyWere::new(&mut reader, &care);
            let rates = Rates::read(&mut rows, currency, index.home)?;
            let (masters, mut feed) = translate(&mut rows, Currencies::Rates(rates), &care)?;
            let mark = reader.mark();
            if !read_lots(&masters, &mut AsTheyWere::new(&mut reader, &care), &mut feed)? {
                reader.reset(mark);
            }
            (feed, care.into_problems())
        } else {
            let only = Currencies::Only(company::currency(&mut reader, currency)?);
            let (masters, mut feed) = translate(&mut reader, only, &Care::Strict)?;
            let mark = reader.mark();
            if !read_lots(&masters, &mut reader, &mut feed)? {
                reader.reset(mark);
            }
            (feed, Vec::new())
        };
        let feed = feed.sorted();
        Ok(Self { hash: reader.content_hash(), span: span_of_business(&feed), feed, gaps: gaps_of(problems) })
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

fn translate<R: Rows>(rows: &mut R, currencies: Currencies, care: &Care) -> Result<(Masters, Feed), R::Error> {
    let mut feed = Feed::default();
    let masters = Masters::read(rows, currencies, care, &mut feed)?;
    let suppliers = masters.read_terms(rows, care, &mut feed)?;
    masters.read_documents(rows, suppliers, care, &mut feed)?;
    Ok((masters, feed))
}

/// Reads the lots and what is on the shelves of them. Is there any? A recording without any is the one that it was before lots
/// were read, and a store that was filled from it goes on.
fn read_lots<R: Rows>(masters: &Masters, rows: &mut R, feed: &mut Feed) -> Result<bool, R::Error> {
    let items = masters.read_lots(rows, feed)?;
    if !items.is_empty() {
        masters.read_lot_stock(rows, &items, feed)?;
    }
    Ok(!items.is_empty())
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

    async fn gaps(&self) -> Result<Vec<Gap>, PortError> {
        Ok(self.gaps.clone())
    }
}
