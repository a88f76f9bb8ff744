//! Pickings (Odoo's transfer documents) and the chain of backorders between them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Rows;
use super::care::RowError;
use super::row::{Model, Row};

pub(super) static PICKING: Model = Model {
    name: "stock.picking",
    needs: &["id", "name", "backorder_id", "partner_id", "scheduled_date", "create_date"],
    optional: &["owner_id"],
};

/// A document of moves.
#[derive(Debug)]
pub(super) struct Picking {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) partner: Option<i64>,
    /// Whose goods they are, where they are not the company's.
    pub(super) owner: Option<i64>,
    pub(super) created_at: Timestamp,
    /// The picking whose rest this one is.
    backorder_of: Option<i64>,
    scheduled_at: Timestamp,
}

/// All pickings.
pub(super) struct Pickings {
    pickings: BTreeMap<i64, Picking>,
    /// The backorders of each picking.
    rests: BTreeMap<i64, Vec<i64>>,
}

impl Pickings {
    /// Reads them.
    pub(super) fn read<R: Rows>(rows: &mut R) -> Result<Self, R::Error> {
        let mut all = Self { pickings: BTreeMap::new(), rests: BTreeMap::new() };
        rows.each(&PICKING, |row| {
            let picking = Picking {
                id: row.id()?,
                name: row.text("name")?,
                partner: row.link("partner_id")?,
                owner: row.link("owner_id")?,
                created_at: row.time("create_date")?,
                backorder_of: row.link("backorder_id")?,
                scheduled_at: row.time("scheduled_date")?,
            };
            if let Some(first) = picking.backorder_of {
                all.rests.entry(first).or_default().push(picking.id);
            }
            all.pickings.insert(picking.id, picking);
            Ok(())
        })?;
        Ok(all)
    }

    /// The picking a row names, where it names one.
    pub(super) fn named(&self, row: &Row, field: &'static str) -> Result<Option<&Picking>, RowError> {
        let Some(id) = row.link(field)? else { return Ok(None) };
        self.pickings.get(&id).map(Some).ok_or_else(|| row.dangling(field, "stock.picking"))
    }

    /// The picking with this id.
    pub(super) fn get(&self, id: i64) -> Option<&Picking> {
        self.pickings.get(&id)
    }

    /// The backorders made from a picking.
    pub(super) fn backorders(&self, picking: i64) -> &[i64] {
        self.rests.get(&picking).map_or(&[], Vec::as_slice)
    }

    /// For what time the first of these pickings that is no backorder was made.
    pub(super) fn first_schedule(&self, ids: &[i64]) -> Option<Timestamp> {
        let firsts = ids.iter().filter_map(|id| self.pickings.get(id)).filter(|picking| picking.backorder_of.is_none());
        firsts.min_by_key(|picking| picking.id).map(|picking| picking.scheduled_at)
    }

    /// The pickings a move has lain in, oldest first.
    ///
    /// What is not done at all moves on into the backorder *as the same row*: its picking of today may be younger than
    /// itself. It lay in that picking's forerunners before, back to the one that was there when it was entered.
    pub(super) fn stations(&self, picking: &Picking, entered_at: Timestamp) -> Vec<&Picking> {
        let mut stations: Vec<&Picking> = self.pickings.get(&picking.id).into_iter().collect();
        while let Some(last) = stations.last() {
            let earlier = last.backorder_of.filter(|_| last.created_at > entered_at);
            match earlier.and_then(|id| self.pickings.get(&id)) {
                // A chain that bites its tail would never end.
                Some(earlier) if stations.iter().all(|seen| seen.id != earlier.id) => stations.push(earlier),
                _ => break,
            }
        }
        stations.reverse();
        stations
    }
}
