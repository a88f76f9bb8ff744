//! A scenario's records as a source: read in the order in which a reader could have seen them, and never ahead of the clock.

use async_trait::async_trait;
use jiff::Timestamp;

use crate::domain::record::Observed;
use crate::ports::{Page, PortError, Source};

/// Records that were written down.
pub(super) struct Rows {
    name: String,
    observed: Vec<Observed>,
}

impl Rows {
    /// The records of the scenario `name`, in order.
    pub(super) fn new(name: &str, observed: Vec<Observed>) -> Self {
        Self { name: name.to_owned(), observed }
    }
}

#[async_trait]
impl Source for Rows {
    fn identity(&self) -> String {
        format!("scenario:{}", self.name)
    }

    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError> {
        let start = match cursor {
            None => 0,
            Some(cursor) => cursor
                .parse::<usize>()
                .map_err(|error| PortError::Permanent { service: "the scenario", source: Box::new(error) })?,
        };
        let rest = self.observed.get(start..).unwrap_or_default();
        let visible = rest.partition_point(|observed| observed.changed_at <= until);
        let taken = visible.min(limit.max(1));
        Ok(Page { observed: rest[..taken].to_vec(), next: (start + taken).to_string(), more: taken < visible })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((self.observed.first()?.changed_at, self.observed.last()?.changed_at))
    }
}
