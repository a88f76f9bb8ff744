//! Following a stream: what changed since the mark.
//!
//! One request is enough for what usually changed: it asks for the newest first, so its first rows say up to where the
//! server's clock was. Where that is not everything, the same rows are read by pages in the order of ids.

use std::collections::BTreeSet;

use serde_json::json;

use super::super::call::{Domain, odoo_time};
use super::super::progress::{Doing, Meter};
use super::position::{Mark, Phase, Window};
use super::schema::{Answer, STAMP, kept_stamp};
use super::{Halt, Pulled, Puller, Turn};
use reeve_ports::MirrorRow;

/// What a page shows of the server's clock: stamps that were not known.
#[derive(Clone, Copy, Debug, Default)]
struct Fresh {
    newest: Option<i64>,
    oldest: Option<i64>,
}

impl Puller {
    /// One pass over what changed, or the rest of one that was not finished.
    pub(super) async fn follow(&self, turn: &mut Turn, pulled: &mut Pulled) -> Result<(), Halt> {
        let mut meter = Meter::new(turn.stream.model, Doing::Following, None);
        let window = match turn.position.phase.clone() {
            Phase::Window(window) => window,
            Phase::Follow { mark } => match self.glance(turn, mark, &mut meter, pulled).await? {
                Some(window) => window,
                None => return Ok(()),
            },
            Phase::Load { .. } | Phase::Unstamped => return Ok(()),
        };
        self.by_pages(turn, window, &mut meter, pulled).await
    }

    /// Asks for everything since the mark at once. Some where it is too much and has to be read by pages.
    async fn glance(
        &self,
        turn: &mut Turn,
        mark: Mark,
        meter: &mut Meter,
        pulled: &mut Pulled,
    ) -> Result<Option<Window>, Halt> {
        // Further back than the overlap where a row came that was older than expected.
        let from = turn.position.reach.unwrap_or(i64::MAX).min(mark.from(self.overlap()));
        let (above, start) = (turn.position.top, self.now());
        let domain = since(turn, from, above);
        let mut ask = self.question(turn.stream.model, domain, &turn.schema.asked, "write_date desc, id desc");
        let (rows, limit) = self.page(&mut ask, &mut turn.position.page).await?;
        let seen_at = self.now();
        pulled.rows_read += rows.len() as u64;
        let full = rows.len() >= limit;
        let mut window = Window { mark, from, above, last: 0, start, seen_at, fresh: None, behind: None };
        let answers = self.answers(turn, rows)?;
        let (rows, fresh) = self.admit(turn, &answers, &window).await?;
        window.fresh = fresh.newest;
        // More than fits into one answer: the newest came first, so the rest can only be read by pages of ids.
        if full {
            return Ok(Some(window));
        }
        meter.add(answers.len());
        self.ends(turn, &window, &answers, fresh);
        self.keep(turn, &rows, &[], pulled).await?;
        self.tell(meter, true);
        Ok(None)
    }

    async fn by_pages(
        &self,
        turn: &mut Turn,
        mut window: Window,
        meter: &mut Meter,
        pulled: &mut Pulled,
    ) -> Result<(), Halt> {
        loop {
            let domain = since(turn, window.from, window.above).and("id", ">", window.last);
            let mut ask = self.question(turn.stream.model, domain, &turn.schema.asked, "id");
            let (rows, limit) = self.page(&mut ask, &mut turn.position.page).await?;
            pulled.rows_read += rows.len() as u64;
            let full = rows.len() >= limit;
            let answers = self.ascending(turn, rows, window.last)?;
            meter.add(answers.len());
            let (rows, fresh) = self.admit(turn, &answers, &window).await?;
            window.last = answers.last().map_or(window.last, |answer| answer.id);
            // A row that is stamped before what was asked for: the next look has to begin there.
            window.behind = earlier(window.behind, fresh.oldest.filter(|oldest| *oldest < window.from));
            if full {
                turn.position.top = turn.position.top.max(window.last);
                turn.position.phase = Phase::Window(window.clone());
            } else {
                // The newest stamp is the one of the beginning: what was written since may lie behind the pages.
                let fresh = Fresh { newest: window.fresh, oldest: window.behind };
                self.ends(turn, &window, &answers, fresh);
            }
            self.keep(turn, &rows, &[], pulled).await?;
            self.tell(meter, !full);
            if !full {
                return Ok(());
            }
        }
    }

    /// Moves the position behind a whole pass.
    fn ends(&self, turn: &mut Turn, window: &Window, answers: &[Answer], fresh: Fresh) {
        let position = &mut turn.position;
        position.top = answers.iter().map(|answer| answer.id).fold(position.top, i64::max);
        position.reach = fresh.oldest.filter(|oldest| *oldest < window.from);
        if let Some(oldest) = position.reach {
            tracing::warn!(
                stream = turn.stream.model,
                seconds = window.from - oldest,
                "a row came that is older than what was asked for (the server's clock went back, or somebody worked for very \
                 long): the next look begins there; if it happens often, make odoo.overlap longer"
            );
        }
        let mark = window.mark.after(fresh.newest, window.start, window.seen_at, self.overlap());
        position.phase = Phase::Follow { mark };
    }

    /// The rows of a page that are to be kept because they are known or within the bounds, less those that are the same as
    /// the kept ones; and what the page shows of the server's clock.
    async fn admit(&self, turn: &Turn, answers: &[Answer], window: &Window) -> Result<(Vec<MirrorRow>, Fresh), Halt> {
        let known = self.known(turn, answers).await?;
        let unknown: Vec<i64> = answers.iter().map(|a| a.id).filter(|id| !known.contains_key(id)).collect();
        let within: BTreeSet<i64> = match &turn.bounded.extent {
            Some(extent) if !unknown.is_empty() => {
                self.among(turn.stream.model, extent.clone(), &unknown).await?.into_iter().collect()
            }
            _ => unknown.into_iter().collect(),
        };
        let mut fresh = Fresh::default();
        let mut rows = Vec::new();
        for answer in answers {
            let kept = known.get(&answer.id);
            let is_fresh = match kept {
                Some(kept) => kept_stamp(kept) != answer.stamp,
                // Rows outside the bounds are never kept: they must not be new every time.
                None => answer.id > window.above || answer.stamp > Some(window.mark.newest),
            };
            if let Some(stamp) = answer.stamp.filter(|_| is_fresh) {
                fresh.newest = fresh.newest.max(Some(stamp));
                fresh.oldest = earlier(fresh.oldest, Some(stamp));
            }
            if kept.is_some() || within.contains(&answer.id) {
                let row = turn.row(answer, &known);
                if kept != Some(&row) {
                    rows.push(row);
                }
            }
        }
        Ok((rows, fresh))
    }
}

fn earlier(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    one.into_iter().chain(other).min()
}

/// Rows stamped from `from` on, and rows with ids above `above` whatever their stamp.
fn since(turn: &Turn, from: i64, above: i64) -> Domain {
    let from = jiff::Timestamp::from_second(from).unwrap_or(jiff::Timestamp::MIN);
    turn.bounded.only.clone().and_either((STAMP, ">=", json!(odoo_time(from))), ("id", ">", json!(above)))
}
