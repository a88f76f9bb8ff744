//! How much is recorded: which warehouses, and how far back.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use jiff::{SignedDuration, Timestamp};

use super::{RecordError, cell, link, stream, text};
use crate::live::streams::Stream;
use crate::rows::cell::Cell;

/// What somebody wants to have recorded; empty: everything that was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Codes of warehouses.
    pub warehouses: Vec<String>,
    /// Days back from now.
    pub days: Option<u32>,
}

impl Scope {
    /// Of several words, each of which says something else.
    ///
    /// # Errors
    /// Which word is not understood.
    pub fn of(words: &[String]) -> Result<Self, RecordError> {
        let mut all = Self::default();
        for word in words {
            let Self { warehouses, days } = word.parse()?;
            all.warehouses.extend(warehouses);
            all.days = days.or(all.days);
        }
        Ok(all)
    }
}

impl FromStr for Scope {
    type Err = RecordError;

    fn from_str(word: &str) -> Result<Self, RecordError> {
        match word.split_once('=') {
            Some(("warehouses", codes)) if codes.split(',').all(|code| !code.trim().is_empty()) => {
                let warehouses = codes.split(',').map(|code| code.trim().to_owned()).collect();
                Ok(Self { warehouses, days: None })
            }
            Some(("days", days)) => match days.parse() {
                Ok(days @ 1..) => Ok(Self { warehouses: Vec::new(), days: Some(days) }),
                _ => Err(RecordError::Scope(format!("--scope days={days}: expected a number of days, from 1 on"))),
            },
            _ => {
                let message = format!("--scope {word}: expected warehouses=CODE,CODE or days=N");
                Err(RecordError::Scope(message))
            }
        }
    }
}

/// The scope, with the ids of this server.
pub(super) struct Within {
    /// None: all.
    pub(super) warehouses: Option<BTreeSet<i64>>,
    /// From when on.
    pub(super) since: Option<Timestamp>,
    since_day: String,
    /// The warehouse of each stock location and of each type of transfers.
    of_location: BTreeMap<i64, i64>,
    of_type: BTreeMap<i64, i64>,
}

impl Within {
    pub(super) fn new(
        scope: &Scope,
        rows: &BTreeMap<&'static str, Vec<Vec<Cell>>>,
        now: Timestamp,
    ) -> Result<Self, RecordError> {
        let of = |model: &str| -> BTreeMap<i64, i64> {
            let stream = stream(model);
            let rows = rows.get(model).into_iter().flatten();
            rows.filter_map(|cells| Some((link(stream, cells, "id")?, link(stream, cells, "warehouse_id")?))).collect()
        };
        let since = scope.days.map(|days| {
            let at = now.checked_sub(SignedDuration::from_hours(24 * i64::from(days))).unwrap_or(Timestamp::UNIX_EPOCH);
            // At the start of a day, since documents are dated by days.
            Timestamp::from_second(at.as_second().div_euclid(86_400) * 86_400).unwrap_or(at)
        });
        Ok(Self {
            warehouses: warehouses(scope, rows)?,
            since,
            since_day: since.map(|at| at.strftime("%Y-%m-%d").to_string()).unwrap_or_default(),
            of_location: of("stock.location"),
            of_type: of("stock.picking.type"),
        })
    }

    /// Is anything left out?
    pub(super) fn is_all(&self) -> bool {
        self.warehouses.is_none() && self.since.is_none()
    }

    /// Is a day or time within it? Odoo's times are ordered like their text.
    pub(super) fn is_recent(&self, time: &str) -> bool {
        time >= self.since_day.as_str()
    }

    /// Is a warehouse within it?
    pub(super) fn has(&self, warehouse: Option<i64>) -> bool {
        let Some(wanted) = &self.warehouses else { return true };
        warehouse.is_some_and(|id| wanted.contains(&id))
    }

    /// Is the warehouse of a stock location within it?
    pub(super) fn has_location(&self, location: Option<i64>) -> bool {
        self.has(location.and_then(|id| self.of_location.get(&id).copied()))
    }

    /// Is the warehouse of a type of transfers within it?
    pub(super) fn has_type(&self, kind: Option<i64>) -> bool {
        self.has(kind.and_then(|id| self.of_type.get(&id).copied()))
    }

    /// A row of master data as it is recorded; None where it is not.
    pub(super) fn master(&self, stream: &Stream, cells: &[Cell]) -> Option<Vec<Cell>> {
        let warehouse = match stream.model {
            "stock.warehouse" => link(stream, cells, "id"),
            "stock.warehouse.orderpoint" | "stock.picking.type" | "stock.location" => link(stream, cells, "warehouse_id"),
            _ => return Some(cells.to_vec()),
        };
        if self.has(warehouse) {
            return Some(cells.to_vec());
        }
        // Goods go to and come from other warehouses as from the outside: their places are nobody's.
        (stream.model == "stock.location").then(|| {
            let mut cells = cells.to_vec();
            if let Some(at) = stream.position("warehouse_id").filter(|at| *at < cells.len()) {
                cells[at] = Cell::Flag(false);
            }
            cells
        })
    }

    /// Is a movement recorded?
    pub(super) fn has_move(&self, stream: &Stream, cells: &[Cell]) -> bool {
        let closed = matches!(text(stream, cells, "state"), "done" | "cancel");
        let recent = !closed || self.is_recent(text(stream, cells, "date"));
        let ends = ["location_id", "location_dest_id"];
        recent
            && (self.warehouses.is_none() || ends.iter().any(|end| self.has_location(link(stream, cells, end))))
            && cell(stream, cells, "id").is_some()
    }
}

fn warehouses(scope: &Scope, rows: &BTreeMap<&'static str, Vec<Vec<Cell>>>) -> Result<Option<BTreeSet<i64>>, RecordError> {
    if scope.warehouses.is_empty() {
        return Ok(None);
    }
    let stream = stream("stock.warehouse");
    let codes: BTreeMap<&str, i64> = rows
        .get(stream.model)
        .into_iter()
        .flatten()
        .filter_map(|cells| Some((text(stream, cells, "code"), link(stream, cells, "id")?)))
        .collect();
    let find = |code: &String| {
        codes.get(code.as_str()).copied().ok_or_else(|| {
            let there: Vec<&str> = codes.keys().copied().collect();
            RecordError::Scope(format!("--scope warehouses: there is no {code:?}, only {}", there.join(", ")))
        })
    };
    scope.warehouses.iter().map(find).collect::<Result<_, _>>().map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_a_scope_are_understood_or_refused() {
        let words = |words: &[&str]| Scope::of(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>());
        let scope = words(&["warehouses=NOR, PAR", "days=30"]).unwrap();
        assert_eq!(scope, Scope { warehouses: vec!["NOR".to_owned(), "PAR".to_owned()], days: Some(30) });
        for wrong in ["days=0", "days=x", "warehouses=", "warehouses=A,", "items=SKU-1", "30"] {
            assert!(words(&[wrong]).is_err(), "{wrong}");
        }
    }
}
