//! The first reading of a stream, and the reading again when something else is asked for: all rows within the bounds, by id.

use std::collections::BTreeMap;

use super::super::call::Domain;
use super::super::progress::{Doing, Meter};
use super::position::{Mark, Phase};
use super::schema::{Answer, STAMP, stamp_of};
use super::{Halt, Pulled, Puller, Turn};
use crate::rows::cell::Cell;
use reeve_ports::MirrorRow;

impl Puller {
    /// Reads on from where it was, to the end.
    pub(super) async fn load(&self, turn: &mut Turn, pulled: &mut Pulled) -> Result<(), Halt> {
        let Phase::Load { mut last, mut mark } = turn.position.phase else { return Ok(()) };
        if mark.is_none() {
            // Before the first page: what is written while pages are read is stamped later, or within the overlap.
            mark = self.newest(turn).await?;
        }
        let model = turn.stream.model;
        let rest = turn.bounded.domain().and("id", ">", last);
        let total = self.patiently(|| self.server.count(model, &rest, &self.scope)).await?;
        let mut meter = Meter::new(model, Doing::Loading, Some(total));
        loop {
            let domain = turn.bounded.domain().and("id", ">", last);
            let mut ask = self.question(model, domain, &turn.schema.asked, "id");
            let (rows, _) = self.page(&mut ask, &mut turn.position.page).await?;
            pulled.rows_read += rows.len() as u64;
            // Only an empty page is the end: a short one may be short for other reasons.
            if rows.is_empty() {
                turn.position.phase = match mark {
                    Some(mark) => Phase::Follow { mark },
                    None if turn.schema.stamped() => Phase::Load { last: 0, mark: None },
                    None => Phase::Unstamped,
                };
                turn.position.first_seen = turn.stream.first_seen.iter().map(|name| (*name).to_owned()).collect();
                self.keep(turn, &[], &[], pulled).await?;
                self.tell(&meter, true);
                return Ok(());
            }
            let answers = self.ascending(turn, rows, last)?;
            meter.add(answers.len());
            let known = if turn.stream.first_seen.is_empty() { BTreeMap::new() } else { self.known(turn, &answers).await? };
            // Fields of which the first value counts keep it, though the row is read again.
            let rows: Vec<MirrorRow> = answers.iter().map(|answer| turn.row(answer, &known)).collect();
            last = answers.last().map_or(last, |answer| answer.id);
            turn.position.top = turn.position.top.max(last);
            turn.position.phase = Phase::Load { last, mark };
            // Page and position in one transaction: a kill loses nothing and repeats one page at most.
            self.keep(turn, &rows, &[], pulled).await?;
            self.tell(&meter, false);
        }
    }

    /// The mark of the newest stamp of a model; None where nothing is stamped.
    async fn newest(&self, turn: &Turn) -> Result<Option<Mark>, Halt> {
        if !turn.schema.stamped() {
            return Ok(None);
        }
        let stamped = Domain::all().and(STAMP, "!=", false);
        let ask = self.question(turn.stream.model, stamped, &[STAMP.to_owned()], "write_date desc, id desc");
        let rows = self.patiently(|| self.server.rows(&ask)).await?;
        let Some(cell) = rows.first().and_then(|row| row.get(1)) else { return Ok(None) };
        let stamp = stamp_of(cell).map_err(|()| self.garbled(turn.stream.model, format!("the newest {STAMP} is {cell}")))?;
        Ok(stamp.map(|stamp| Mark::new(stamp, self.now())))
    }

    /// A page's rows, whose ids must ascend from above `last`: else some would be skipped or the reading never end.
    pub(super) fn ascending(&self, turn: &Turn, rows: Vec<Vec<Cell>>, mut last: i64) -> Result<Vec<Answer>, Halt> {
        let answers = self.answers(turn, rows)?;
        for answer in &answers {
            if answer.id <= last {
                let detail = format!("id {} comes after id {last}, asked for in ascending order", answer.id);
                return Err(self.garbled(turn.stream.model, detail));
            }
            last = answer.id;
        }
        Ok(answers)
    }

    /// Rows as they were answered.
    pub(super) fn answers(&self, turn: &Turn, rows: Vec<Vec<Cell>>) -> Result<Vec<Answer>, Halt> {
        let answers: Result<Vec<Answer>, String> = rows.into_iter().map(|cells| turn.schema.answer(cells)).collect();
        answers.map_err(|detail| self.garbled(turn.stream.model, detail))
    }

    /// The kept rows of these ids.
    pub(super) async fn known(&self, turn: &Turn, answers: &[Answer]) -> Result<BTreeMap<i64, MirrorRow>, Halt> {
        let ids: Vec<i64> = answers.iter().map(|answer| answer.id).collect();
        let rows = self.mirror.rows(turn.stream.model, &ids).await?;
        Ok(rows.into_iter().map(|row| (row.id, row)).collect())
    }
}

impl Turn {
    /// A row as it is kept.
    pub(super) fn row(&self, answer: &Answer, known: &BTreeMap<i64, MirrorRow>) -> MirrorRow {
        let carry = self.position.first_seen == self.stream.first_seen;
        self.schema.keep(answer, known.get(&answer.id), carry)
    }
}
