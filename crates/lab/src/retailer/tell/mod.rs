//! A life as records: what a live source would have told of it by the morning after the last day.
//!
//! As there, sums by month reach over the whole history and say what was shipped; single orders and moves of the days of detail
//! stand beside them, and the stated level is what both leave.

mod masters;
mod orders;
mod sales;
mod sums;

use jiff::Timestamp;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::record::{MoveKind, Observed, Record, StockMove};

pub(super) use self::masters::masters;
use super::injected::{Kind, Plan, Truth};
use super::life::Life;
use super::{Retailer, Told};

/// Room for the ids of an item's records: two for each day of detail at each location, what fills stores beside them.
const ROOM: u64 = 1_000_000;

/// Tells of one item.
struct Teller<'a> {
    retailer: &'a Retailer,
    plan: &'a Plan,
    item: ItemId,
    told: Told,
    /// How many ids were given.
    given: u64,
}

/// Everything that is told of an item.
pub(super) fn item(retailer: &Retailer, plan: &Plan, life: &Life) -> Told {
    let series = u32::try_from(life.series.len()).unwrap_or(u32::MAX);
    let told = Told { series, ..Told::default() };
    let mut teller = Teller { retailer, plan, item: ItemId::new(plan.item.to_string()), told, given: 0 };
    teller.catalogue();
    teller.terms(life);
    teller.openings(life);
    teller.orders(life);
    teller.transfers(life);
    for series in &life.series {
        teller.sales(series);
        teller.sums(series);
    }
    teller.told
}

impl Teller<'_> {
    fn tell(&mut self, changed_at: Timestamp, record: Record) {
        self.told.moves += u32::from(matches!(record, Record::Move(_)));
        self.told.observed.push(Observed { changed_at, record });
    }

    /// The next id of this item's records.
    fn id(&mut self) -> u64 {
        self.given += 1;
        u64::from(self.plan.item) * ROOM + self.given
    }

    /// A truth about a place, or about the item everywhere.
    fn truth(&self, kind: Kind, location: Option<u32>, (from, to): (i32, i32)) -> Truth {
        Truth {
            kind,
            codes: kind.codes().iter().map(|code| (*code).to_owned()).collect(),
            item: self.item.to_string(),
            location: location.map(|location| location.to_string()),
            order: None,
            po_line: None,
            bill: None,
            promotion: None,
            from: self.retailer.date(from),
            to: self.retailer.date(to),
        }
    }

    /// A move that was done at once, of which nothing else is known.
    fn moved(&mut self, kind: MoveKind, ends: (Option<u32>, Option<u32>), qty: i64, at: Timestamp) -> StockMove {
        StockMove {
            id: self.id().to_string(),
            kind,
            item: self.item.clone(),
            from: ends.0.map(location),
            to: ends.1.map(location),
            qty: Quantity::units(qty),
            created_at: at,
            scheduled_at: None,
            done_at: Some(at),
            document: String::new(),
            document_id: None,
            origin: String::new(),
            po_line: None,
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: None,
            reason: String::new(),
        }
    }
}

fn location(number: u32) -> LocationId {
    LocationId::new(number.to_string())
}

fn price(cents: i64) -> Option<UnitPrice> {
    UnitPrice::from_erp(cents as f64 / 100.0)
}
