//! Comparing ids and stamps of all rows, kept and served: what was deleted, what came or changed unseen.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::super::call::Domain;
use super::super::error::OdooError;
use super::super::progress::{Doing, Meter};
use super::position::Phase;
use super::schema::{STAMP, kept_stamp, stamp_of};
use super::{Halt, Pulled, Puller, Turn};
use crate::rows::cell::Cell;
use reeve_ports::MirrorRow;

/// So many rows do not all vanish in a day: when none answers, something else is wrong.
const ALL_GONE_MAX: usize = 100;

/// Rows of a stretch of ids that have to be read, and those that are gone.
#[derive(Debug, Default)]
struct Found {
    wanted: Vec<i64>,
    gone: Vec<i64>,
}

impl Puller {
    /// Compares what is due to be compared, from where it was.
    pub(super) async fn sweep(&self, turn: &mut Turn, until: Timestamp, pulled: &mut Pulled) -> Result<(), Halt> {
        let every = i64::try_from(self.settings.sweep_every.as_millis()).unwrap_or(i64::MAX);
        let due = turn.position.sweep.is_some() || until.as_millisecond() - turn.position.swept_at >= every;
        // A stream that is being loaded has everything still before it; comparing it would ask for all rows twice.
        if !due || matches!(turn.position.phase, Phase::Load { .. }) {
            return Ok(());
        }
        let model = turn.stream.model;
        let mut meter = Meter::new(model, Doing::Sweeping, None);
        let mut last = turn.position.sweep.unwrap_or(0);
        let fields = if turn.schema.whole { turn.schema.asked.clone() } else { vec![STAMP.to_owned()] };
        loop {
            let domain = turn.bounded.domain().and("id", ">", last);
            let mut ask = self.question(model, domain, &fields, "id");
            let (rows, _) = self.page(&mut ask, &mut turn.position.sweep_page).await?;
            pulled.rows_read += rows.len() as u64;
            let served = self.served(turn, &rows, last)?;
            let most = served.len().max(ask.limit);
            // As many as were served: both lists are walked over the same stretch of ids.
            let mut kept = self.mirror.ids(model, last, most).await?;
            if served.is_empty() && last == 0 && kept.len() > ALL_GONE_MAX {
                // Left as it is: what can not be seen is not deleted.
                return Err(Halt::Odoo(OdooError::AccessDenied { model: model.to_owned(), groups: hidden(kept.len()) }));
            }
            // As far as both are known.
            let end = served.last_key_value().map_or(i64::MAX, |(id, _)| *id);
            let end = if kept.len() == most { end.min(kept[most - 1]) } else { end };
            kept.retain(|id| *id <= end);
            let through = end == i64::MAX;
            let found = self.compare(turn, &served, &kept, end).await?;
            let rows = self.read_again(turn, &found.wanted, pulled).await?;
            meter.add(kept.len());
            if through {
                turn.position.sweep = None;
                // What something else had asked for has been read again by now.
                turn.position.outside = false;
                turn.position.swept_at = until.as_millisecond();
            } else {
                last = end;
                turn.position.sweep = Some(end);
            }
            self.keep(turn, &rows, &found.gone, pulled).await?;
            self.tell(&meter, through);
            if through {
                return Ok(());
            }
        }
    }

    /// Ids and stamps of a page.
    fn served(&self, turn: &Turn, rows: &[Vec<Cell>], mut last: i64) -> Result<BTreeMap<i64, Option<i64>>, Halt> {
        let mut served = BTreeMap::new();
        for row in rows {
            let id = row.first().and_then(Cell::id).filter(|id| *id > last);
            let stamp = if turn.schema.whole { Ok(None) } else { row.get(1).map_or(Err(()), stamp_of) };
            let (Some(id), Ok(stamp)) = (id, stamp) else {
                return Err(self.garbled(turn.stream.model, format!("ids and stamps after id {last} are not in order")));
            };
            served.insert(id, stamp);
            last = id;
        }
        Ok(served)
    }

    /// What is not the same in a stretch of ids.
    async fn compare(
        &self,
        turn: &Turn,
        served: &BTreeMap<i64, Option<i64>>,
        kept: &[i64],
        end: i64,
    ) -> Result<Found, Halt> {
        let model = turn.stream.model;
        let stamps: BTreeMap<i64, Option<i64>> =
            self.mirror.rows(model, kept).await?.iter().map(|row| (row.id, kept_stamp(row))).collect();
        let mut found = Found::default();
        let differs = |id: &i64, stamp: &Option<i64>| turn.schema.whole || stamps.get(id) != Some(stamp);
        found.wanted.extend(served.range(..=end).filter(|(id, stamp)| differs(id, stamp)).map(|(id, _)| *id));
        let missing: Vec<i64> = stamps.keys().filter(|id| !served.contains_key(id)).copied().collect();
        if missing.is_empty() {
            return Ok(found);
        }
        // They may only have left the bounds: now they are asked for by nothing but their ids.
        let fields = if turn.schema.stamped() { vec![STAMP.to_owned()] } else { turn.schema.asked.clone() };
        let mut ask = self.question(model, Domain::all().and("id", "in", missing.clone()), &fields, "id");
        ask.limit = missing.len();
        let rows = self.patiently(|| self.server.rows(&ask)).await?;
        let mut there = BTreeMap::new();
        for row in &rows {
            there.insert(row.first().and_then(Cell::id), row.get(1).and_then(|cell| stamp_of(cell).ok()).flatten());
        }
        for id in missing {
            match there.get(&Some(id)) {
                None => found.gone.push(id),
                Some(stamp) if turn.position.outside || differs(&id, stamp) => found.wanted.push(id),
                Some(_) => {}
            }
        }
        Ok(found)
    }

    /// Reads rows by their ids. Those that are the same as the kept ones are left out.
    async fn read_again(&self, turn: &Turn, ids: &[i64], pulled: &mut Pulled) -> Result<Vec<MirrorRow>, Halt> {
        let mut rows = Vec::new();
        for ids in ids.chunks(turn.position.page.max(1)) {
            let domain = Domain::all().and("id", "in", ids.to_vec());
            let mut ask = self.question(turn.stream.model, domain, &turn.schema.asked, "id");
            ask.limit = ids.len();
            let cells = self.patiently(|| self.server.rows(&ask)).await?;
            pulled.rows_read += cells.len() as u64;
            let answers = self.answers(turn, cells)?;
            let known = self.known(turn, &answers).await?;
            rows.extend(answers.iter().map(|a| turn.row(a, &known)).filter(|row| known.get(&row.id) != Some(row)));
        }
        // Rows that an ordinary look should have seen: many of them say that the overlap is too short.
        if !turn.schema.whole && !turn.position.outside && !rows.is_empty() {
            pulled.rows_found_late += rows.len() as u64;
            tracing::info!(stream = turn.stream.model, rows = rows.len(), "found by comparing stamps");
        }
        Ok(rows)
    }
}

fn hidden(rows: usize) -> String {
    format!(": none of more than {} known rows answers", rows.min(ALL_GONE_MAX))
}
