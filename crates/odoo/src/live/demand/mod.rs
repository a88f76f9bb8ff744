//! Demand, summed where the data is: done moves to customers and sales at the tills, by product, warehouse and day, with the
//! days that closed without stock.
//!
//! The first load goes month by month, the newest first, some products at a time. Then only what was written since the last
//! look is read again, from the month that it is about to now, and with every look one piece of what is old, so that in time
//! everything is looked at twice: a move that was dated into another month, or whose transaction took longer than the
//! overlap, is found so. A piece is kept together with the position, and the same sums make the same records whenever they
//! are read, so it does not matter where a look was cut off. What is held in memory grows with the number of products
//! and warehouses, not with the history.
//!
//! It knows no single order: what was wanted but not shipped is not seen here.

mod asking;
mod ground;
mod month;
mod read;
mod tills;
mod zones;

#[cfg(test)]
pub(super) mod double;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub(super) use self::asking::{Asking, Product};
pub(super) use self::ground::{End, Ground};
pub(super) use self::read::{Levels, on_shelves, stirred};
use self::read::{closing_levels, month_after, month_sums, touched};
pub(super) use self::tills::{open_products, unposted};
use super::call::Server;
use super::error::OdooError;
use crate::settings::OdooConfig;
use reeve_domain::calendar::Calendar;
use reeve_domain::calendar::plus_days;
use reeve_domain::money::Quantity;
use reeve_domain::record::{Observed, Record, RecordKind, RecordRef};
use reeve_ports::clock::Clock;
use reeve_ports::{BoxError, Gap, Mirror, PortError};

/// The stream's name in the mirror.
const STREAM: &str = "demand";

/// Of which shape positions are; one of another shape begins again.
const POSITION: u32 = 2;

/// Why sums could not be brought in.
#[derive(Debug, thiserror::Error)]
pub enum SumsError {
    /// The server did not answer.
    #[error(transparent)]
    Odoo(#[from] OdooError),
    /// They could not be kept.
    #[error("what was summed could not be kept")]
    Mirror(#[source] BoxError),
}

impl From<SumsError> for PortError {
    fn from(error: SumsError) -> Self {
        match error {
            SumsError::Odoo(error) => error.into(),
            SumsError::Mirror(source) => Self::Transient { service: "the store", retry_after: None, source },
        }
    }
}

/// Up to where demand was read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Position {
    shape: u32,
    /// Which days the sums are by ([`Ground::fingerprint`]).
    zones: String,
    /// What was written before is known.
    since: Timestamp,
    /// The oldest month that is read, by its first day.
    oldest: Date,
    /// The next piece of the first load; None when it is done.
    load: Option<Piece>,
    /// Were there no records when the load began? Then there is nothing to drop.
    fresh: bool,
    /// The next piece to be looked at again.
    again: Piece,
}

/// Some products of a month.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Piece {
    /// By its first day.
    month: Date,
    /// The products above this id.
    after: i64,
}

/// What products had on the shelves when a month closed: product → (month, warehouse → quantity).
type Running = BTreeMap<i64, (Date, BTreeMap<i64, Quantity>)>;

/// Reads demand into the mirror.
pub struct DemandReader {
    asking: Asking,
    mirror: Arc<dyn Mirror>,
    odoo: OdooConfig,
    calendar: Calendar,
}

impl DemandReader {
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

    /// Brings in what changed up to `until`. Answers what can not be summed right. What was brought in before an error stays.
    ///
    /// # Errors
    /// [`SumsError::Odoo`] where the server does not answer, [`SumsError::Mirror`] where the store does not keep.
    pub async fn refresh(&self, until: Timestamp) -> Result<Vec<Gap>, SumsError> {
        let ground = self.ground().await?;
        self.refresh_on(&ground, until).await
    }

    /// What the sums of one look stand on.
    pub(super) async fn ground(&self) -> Result<Ground, SumsError> {
        Ok(Ground::read(&self.asking, &self.odoo, &self.calendar).await?)
    }

    /// [`Self::refresh`] on ground that was read already.
    pub(super) async fn refresh_on(&self, ground: &Ground, until: Timestamp) -> Result<Vec<Gap>, SumsError> {
        if let Some(kits) = &ground.kits {
            kits.save(&*self.mirror, until).await.map_err(SumsError::Mirror)?;
        }
        let newest = newest_month(ground, until);
        let wanted =
            plus_days(newest_day(until), -i32::try_from(self.odoo.history_days).unwrap_or(i32::MAX)).first_of_month();
        let mut at = self.position(ground, newest, wanted, until).await?;
        if wanted < at.oldest && at.load.is_none() {
            at.load = Some(Piece { month: month_before(at.oldest), after: 0 });
            at.oldest = wanted;
        }
        let mut running = Running::new();
        while let Some(piece) = at.load {
            self.load(ground, newest, piece, &mut at, &mut running, until).await?;
        }
        self.follow(ground, newest, &at, until).await?;
        self.look_again(ground, newest, wanted, &mut at, until).await?;
        Ok(ground.gaps.iter().cloned().collect())
    }

    async fn position(&self, ground: &Ground, newest: Date, wanted: Date, until: Timestamp) -> Result<Position, SumsError> {
        let kept = self.mirror.position(STREAM).await.map_err(SumsError::Mirror)?;
        let known: Option<Position> = kept.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let zones = ground.fingerprint();
        Ok(match known {
            Some(position) if position.shape == POSITION && position.zones == zones => position,
            _ => {
                let first = Piece { month: newest, after: 0 };
                let (oldest, load) = (wanted, Some(first));
                Position { shape: POSITION, zones, since: until, oldest, load, fresh: kept.is_none(), again: first }
            }
        })
    }

    /// One piece of the first load.
    async fn load(
        &self,
        ground: &Ground,
        newest: Date,
        piece: Piece,
        at: &mut Position,
        running: &mut Running,
        until: Timestamp,
    ) -> Result<(), SumsError> {
        let limit = self.asking.chunk();
        let products = self.asking.products(piece.after, limit).await?;
        let records = self.read_month(ground, newest, &products, piece.month, running, !at.fresh, until).await?;
        at.load = next_piece(piece, &products, limit).or_else(|| {
            let month = month_before(piece.month);
            (month >= at.oldest).then_some(Piece { month, after: 0 })
        });
        self.keep(&records, at, until).await?;
        self.asking.settle(products.len() >= limit);
        Ok(())
    }

    /// Reads again what was written since the last look.
    async fn follow(&self, ground: &Ground, newest: Date, at: &Position, until: Timestamp) -> Result<(), SumsError> {
        let overlap = jiff::SignedDuration::try_from(self.odoo.overlap).unwrap_or_default();
        let since = at.since.checked_sub(overlap).unwrap_or(at.since);
        let mut by_month: BTreeMap<Date, Vec<i64>> = BTreeMap::new();
        for (product, month) in touched(&self.asking, ground, since, until).await? {
            by_month.entry(month.clamp(at.oldest, newest)).or_default().push(product);
        }
        self.asking.settle(false);
        for (from, ids) in by_month {
            let mut rest = ids.as_slice();
            while !rest.is_empty() {
                let (some, others) = rest.split_at(self.asking.chunk().min(rest.len()));
                let products = self.asking.products_of(some).await?;
                let (mut month, mut running) = (newest, Running::new());
                while month >= from && !products.is_empty() {
                    let records = self.read_month(ground, newest, &products, month, &mut running, true, until).await?;
                    self.keep(&records, at, until).await?;
                    month = month_before(month);
                }
                self.asking.settle(!others.is_empty());
                rest = others;
            }
        }
        Ok(())
    }

    /// Looks at one piece again, and drops what has become older than what is wanted. With it the look is done: the position
    /// moves on to `until`.
    async fn look_again(
        &self,
        ground: &Ground,
        newest: Date,
        wanted: Date,
        at: &mut Position,
        until: Timestamp,
    ) -> Result<(), SumsError> {
        let piece = at.again;
        let limit = self.asking.chunk();
        let products = self.asking.products(piece.after, limit).await?;
        let records = if piece.month < wanted {
            products.iter().flat_map(|p| gone(ground, p.id, piece.month, until)).collect()
        } else {
            self.read_month(ground, newest, &products, piece.month, &mut Running::new(), true, until).await?
        };
        at.again = next_piece(piece, &products, limit).unwrap_or_else(|| {
            let month = month_before(piece.month);
            if month >= at.oldest {
                return Piece { month, after: 0 };
            }
            if piece.month < wanted {
                at.oldest = month_after(piece.month);
            }
            Piece { month: newest, after: 0 }
        });
        at.since = until;
        self.keep(&records, at, until).await?;
        self.asking.settle(products.len() >= limit);
        Ok(())
    }

    /// The records of some products in a month; with `drop`, also that there is none where nothing happened.
    #[expect(clippy::too_many_arguments, reason = "a month of some products, and what is known of it")]
    async fn read_month(
        &self,
        ground: &Ground,
        newest: Date,
        products: &[Product],
        month: Date,
        running: &mut Running,
        drop: bool,
        until: Timestamp,
    ) -> Result<Vec<Observed>, SumsError> {
        if products.is_empty() {
            return Ok(Vec::new());
        }
        let is_known = |p: &Product| running.get(&p.id).is_some_and(|(of, _)| *of == month);
        if !products.iter().all(is_known) {
            let levels = closing_levels(&self.asking, ground, products, month, month >= newest).await?;
            running.extend(products.iter().map(|p| (p.id, (month, BTreeMap::new()))));
            for ((product, warehouse), quantity) in levels {
                running.entry(product).or_insert_with(|| (month, BTreeMap::new())).1.insert(warehouse, quantity);
            }
        }
        let sums = month_sums(&self.asking, ground, products, month).await?;
        let mut found = BTreeMap::new();
        for ((product, warehouse), days) in &sums {
            let levels = &mut running.entry(*product).or_insert_with(|| (month, BTreeMap::new())).1;
            let level = levels.entry(*warehouse).or_default();
            if let Some(record) = month::record((*product, *warehouse), month, days, *level) {
                let record = Record::DemandMonth(record);
                found.insert(record.key(), Observed { changed_at: until, record });
            }
            *level = month::opening(days, *level);
        }
        for product in products {
            if let Some((of, levels)) = running.get_mut(&product.id) {
                *of = month_before(month);
                levels.retain(|_, level| !level.is_zero());
            }
            if drop {
                for observed in gone(ground, product.id, month, until) {
                    found.entry(observed.record.key()).or_insert(observed);
                }
            }
        }
        Ok(found.into_values().collect())
    }

    async fn keep(&self, records: &[Observed], at: &Position, until: Timestamp) -> Result<(), SumsError> {
        let position = serde_json::to_string(at).map_err(|error| SumsError::Mirror(Box::new(error)))?;
        self.mirror.keep_records(STREAM, records, &position, until).await.map_err(SumsError::Mirror)?;
        Ok(())
    }
}

/// That there is no record of a product in a month, at any warehouse.
fn gone(ground: &Ground, product: i64, month: Date, at: Timestamp) -> impl Iterator<Item = Observed> {
    let month = format!("{:04}-{:02}", month.year(), month.month());
    ground.zones.iter().flat_map(|zone| zone.warehouses.iter()).map(move |warehouse| {
        let key = RecordRef::new(RecordKind::DemandMonth, format!("{product}/{warehouse}/{month}"));
        Observed { changed_at: at, record: Record::Gone(key) }
    })
}

/// The next products of the same month; None behind the last.
fn next_piece(piece: Piece, products: &[Product], limit: usize) -> Option<Piece> {
    products.last().filter(|_| products.len() >= limit).map(|last| Piece { after: last.id, ..piece })
}

fn newest_day(until: Timestamp) -> Date {
    until.to_zoned(jiff::tz::TimeZone::UTC).date()
}

/// The latest month that has begun anywhere.
fn newest_month(ground: &Ground, until: Timestamp) -> Date {
    let here = ground.zones.iter().map(|zone| zone.month_of(until)).max();
    here.unwrap_or_else(|| newest_day(until).first_of_month())
}

fn month_before(month: Date) -> Date {
    month.first_of_month().yesterday().map_or(Date::MIN, Date::first_of_month)
}
