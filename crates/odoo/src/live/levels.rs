//! Stock as Odoo states it: on hand and reserved by product and warehouse, summed over shelves, lots and owners.
//!
//! At first, and then every `odoo.sweep_every`, all products are read, some at a time; in between those whose stock was
//! written or moved. Odoo deletes what has become empty, so of a product that is read every warehouse is told: the level, or
//! that there is none, which means nothing is there.
//!
//! What open sessions of tills have sold is still on the books where stock is booked when they close. It is told with the
//! level, anew at every look, until it is booked.
//!
//! Of products that have lots it is told, too, how much of each lot is where (`lots`); what a lot is and when it expires its own row
//! says.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::call::Server;
use super::demand::{Asking, Ground, Levels, Product, SumsError, on_shelves, open_products, stirred, unposted};
use super::lots;
use crate::settings::OdooConfig;
use reeve_domain::calendar::Calendar;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::record::{Observed, Record, RecordKind, RecordRef, StockLevel};
use reeve_ports::Mirror;
use reeve_ports::clock::Clock;

/// The stream's name in the mirror.
const STREAM: &str = "levels";

/// Of which shape positions are; one of another shape begins again.
const POSITION: u32 = 1;

/// Up to where levels were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    shape: u32,
    /// What was written before is known.
    since: Timestamp,
    /// When all were begun to be read the last time.
    swept: Timestamp,
    /// While all are read: the products above this id are still to come.
    after: Option<i64>,
    /// Products of which something was sold and not booked at the last look.
    #[serde(default)]
    unposted: BTreeSet<i64>,
    /// Products of which lots were on the shelves when they were read last.
    #[serde(default)]
    lotted: BTreeSet<i64>,
}

/// Reads stock levels into the mirror.
pub struct LevelReader {
    asking: Asking,
    mirror: Arc<dyn Mirror>,
    odoo: OdooConfig,
    calendar: Calendar,
}

impl LevelReader {
    /// A reader of `companies` (by id; empty: all that the user sees).
    pub fn new(
        server: Arc<dyn Server>,
        mirror: Arc<dyn Mirror>,
        clock: Clock,
        odoo: &OdooConfig,
        calendar: &Calendar,
        companies: Vec<i64>,
    ) -> Self {
        let asking = Asking::new(server, clock, odoo, companies);
        Self { asking, mirror, odoo: odoo.clone(), calendar: calendar.clone() }
    }

    /// Brings in what changed up to `until`. What was brought in before an error stays.
    ///
    /// # Errors
    /// [`SumsError::Odoo`] where the server does not answer, [`SumsError::Mirror`] where the store does not keep.
    pub async fn refresh(&self, until: Timestamp) -> Result<(), SumsError> {
        let ground = Ground::read(&self.asking, &self.odoo, &self.calendar).await?;
        self.refresh_on(&ground, until).await
    }

    /// [`Self::refresh`] on ground that was read already: that of the look.
    pub(super) async fn refresh_on(&self, ground: &Ground, until: Timestamp) -> Result<(), SumsError> {
        let kept = self.mirror.position(STREAM).await.map_err(SumsError::Mirror)?;
        let known = kept.and_then(|text| serde_json::from_str::<Position>(&text).ok()).filter(|p| p.shape == POSITION);
        let first = Position {
            shape: POSITION,
            since: until,
            swept: until,
            after: Some(0),
            unposted: BTreeSet::new(),
            lotted: BTreeSet::new(),
        };
        let mut at = known.unwrap_or(first);
        if at.after.is_none() && until.duration_since(at.swept) >= span(self.odoo.sweep_every) {
            // What is written while all are read is read again behind it.
            (at.since, at.swept, at.after) = (until, until, Some(0));
        }
        // What is sold and not booked moves no stock in Odoo, so no stamp would bring these products into the look.
        let open = open_products(&self.asking, ground).await?;
        let has_lots = lots::has_any(&self.asking).await? || !at.lotted.is_empty();
        // What was unbooked may have been booked, or taken back, without a trace in what is read below.
        let again: BTreeSet<i64> = at.unposted.union(&open).copied().collect();
        at.unposted.extend(&open);
        while let Some(after) = at.after {
            let limit = self.asking.chunk();
            let products = self.asking.products(after, limit).await?;
            let mut records = self.read(ground, &products, &open, until).await?;
            if has_lots {
                records.extend(lots::read(&self.asking, ground, &products, &mut at.lotted, until).await?);
            }
            // Before it is written: a look that is killed goes on behind the last piece that was kept with its records.
            at.after = products.last().filter(|_| products.len() >= limit).map(|last| last.id);
            self.keep(&records, &at, until).await?;
            self.asking.settle(at.after.is_some());
        }
        let since = at.since.checked_sub(span(self.odoo.overlap)).unwrap_or(at.since);
        let mut stirred = stirred(&self.asking, since).await?;
        stirred.extend(again);
        let ids: Vec<i64> = stirred.into_iter().collect();
        self.asking.settle(false);
        let mut rest = ids.as_slice();
        while !rest.is_empty() {
            let (some, others) = rest.split_at(self.asking.chunk().min(rest.len()));
            let products = self.asking.products_of(some).await?;
            let mut records = self.read(ground, &products, &open, until).await?;
            if has_lots {
                records.extend(lots::read(&self.asking, ground, &products, &mut at.lotted, until).await?);
            }
            self.keep(&records, &at, until).await?;
            self.asking.settle(!others.is_empty());
            rest = others;
        }
        (at.since, at.unposted) = (until, open);
        self.keep(&[], &at, until).await
    }

    async fn read(
        &self,
        ground: &Ground,
        products: &[Product],
        open: &BTreeSet<i64>,
        at: Timestamp,
    ) -> Result<Vec<Observed>, SumsError> {
        if products.is_empty() {
            return Ok(Vec::new());
        }
        let levels = on_shelves(&self.asking, ground, products).await?;
        // After the levels: what is booked in between must not be taken off twice.
        let unposted = if products.iter().any(|product| open.contains(&product.id)) {
            unposted(&self.asking, ground, products).await?
        } else {
            Levels::new()
        };
        let mut records = Vec::new();
        for product in products {
            for warehouse in ground.zones.iter().flat_map(|zone| &zone.warehouses) {
                let (item, location) = (ItemId::new(product.id.to_string()), LocationId::new(warehouse.to_string()));
                let place = (product.id, *warehouse);
                let (on_hand, reserved) = levels.get(&place).copied().unwrap_or_default();
                let unposted = unposted.get(&place).copied().unwrap_or_default();
                let record = if [on_hand, reserved, unposted].iter().all(|quantity| quantity.is_zero()) {
                    Record::Gone(RecordRef::new(RecordKind::StockLevel, format!("{item}/{location}")))
                } else {
                    Record::StockLevel(StockLevel { item, location, on_hand, reserved, unposted })
                };
                records.push(Observed { changed_at: at, record });
            }
        }
        Ok(records)
    }

    async fn keep(&self, records: &[Observed], at: &Position, until: Timestamp) -> Result<(), SumsError> {
        let position = serde_json::to_string(at).map_err(|error| SumsError::Mirror(Box::new(error)))?;
        self.mirror.keep_records(STREAM, records, &position, until).await.map_err(SumsError::Mirror)?;
        Ok(())
    }
}

fn span(duration: std::time::Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap_or(SignedDuration::MAX)
}
