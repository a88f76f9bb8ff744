//! Brings the rows of a server into the mirror, page by page, so that none is lost.
//!
//! A stream is first *loaded*: by pages in the order of ids, so that a page costs the same at any depth and rows that come
//! meanwhile shift nothing. Then it is *followed*: each cycle asks for the rows stamped since the last. From time to time it
//! is *swept*: the server's ids and stamps are compared with the kept ones. A page and the position behind it are committed
//! together, so a pull that dies anywhere goes on where it was.
//!
//! # Why no row is lost
//!
//! `write_date` is the time at which the writing transaction *began*, in microseconds, told in seconds.
//!
//! 1. *Seconds.* Stamps are compared with `>=` a whole second: all rows of that second answer. Equal stamps lose nothing
//!    because no page ends at a stamp: pages end at ids.
//! 2. *Slow commits.* A change becomes visible after its stamp. A pass therefore begins one `overlap` before the newest stamp
//!    known; only as far as time has passed by our own clock since that stamp was seen, and a whole pass was made since, the
//!    overlap shrinks, never beyond the newest stamp (`position`).
//! 3. *Changes during a pass* may be behind the page that would have shown them. The newest stamp is therefore taken
//!    *before* the first page; what is stamped later is asked for again.
//! 4. *Clocks.* Only stamps that are new to us (a row's stamp is kept with it) move the mark, none beyond our own clock. Rows
//!    with ids never seen are asked for whatever their stamp; one that is older than the pass begins shows a clock that went
//!    back or a very long transaction, and the next pass begins there.
//! 5. *What is left of it*: a row changed by a transaction longer than the overlap, or by a clock that went back while
//!    nothing was created. The sweep reads id and stamp of *every* row and reads again those whose stamp is not the kept one,
//!    so even then a change is late by `sweep_every` at most. The same holds for a database restored from a backup.
//!    One thing remains: two changes of one row in one second, of which the second is committed more than an overlap after
//!    the first was read. Their stamps are told alike; the row is right again at its next change.
//! 6. *Deletions* leave no trace: a kept row that does not answer is asked for by its id alone, without any bounds, and is
//!    gone when it does not answer then. Rows that merely left the bounds are still followed: bounds are asked of unknown
//!    rows only. Where nothing at all answers although much is kept, rights have changed: nothing is gone, and a gap says so.
//! 7. *Other fields, other bounds*: a fingerprint of what is asked is part of the position; when it changes, all is read
//!    again, known rows outside the bounds too.
//!
//! Answers are checked (ids ascend, cells are as many as asked) because a row that is skipped by a strange answer would be
//! lost as silently as any.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use self::bounds::{Bounded, Bounds};
use self::position::{Phase, Position};
use self::schema::Schema;
use super::call::{FieldInfo, Scope, Server};
use super::error::OdooError;
use super::pace::{Pace, Paced, Quiet, QuietError};
use super::progress::{Doing, Meter, Progress, Silent};
use super::streams::Stream;
use crate::settings::OdooConfig;
use reeve_ports::clock::Clock;
use reeve_ports::{BoxError, Gap, Mirror, MirrorRow, PortError};

mod ask;
pub mod bounds;
mod fit;
mod load;
mod position;
mod schema;
mod sweep;
#[cfg(test)]
mod tests;
mod window;

/// Where the mirror keeps the bounds, and the gaps of the last cycle.
const BOUNDS: &str = "odoo/bounds";
const GAPS: &str = "odoo/gaps";

/// How a server is read.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Days of documents.
    pub history_days: u32,
    /// Days of documents with customers.
    pub detail_days: u32,
    /// Most rows of one answer.
    pub page_max: usize,
    /// How long an answer should take.
    pub page_time: Duration,
    /// How far behind the newest change a pass begins.
    pub overlap: Duration,
    /// How often ids and stamps are compared.
    pub sweep_every: Duration,
    /// Most requests in a second; 0: any.
    pub requests_per_second: f64,
    /// When it is left alone.
    pub quiet: Option<Quiet>,
    /// First wait before something is asked again; doubled each time.
    pub patience: Duration,
}

impl Settings {
    /// As configured; quiet hours in a time zone.
    pub fn new(config: &OdooConfig, time_zone: &TimeZone) -> Result<Self, QuietError> {
        Ok(Self {
            history_days: config.history_days,
            detail_days: config.detail_days,
            page_max: config.page_max,
            page_time: config.page_time,
            overlap: config.overlap,
            sweep_every: config.sweep_every,
            requests_per_second: config.requests_per_second,
            quiet: Quiet::parse(&config.quiet_hours, time_zone)?,
            patience: Duration::from_secs(1),
        })
    }
}

/// What a cycle did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pulled {
    /// Rows that were answered.
    pub rows_read: u64,
    /// Rows that came, changed or went in the mirror.
    pub rows_changed: u64,
    /// Rows that are gone.
    pub rows_gone: u64,
    /// Rows that only the comparison of ids and stamps found. More than a few, again and again: the overlap is too short.
    pub rows_found_late: u64,
    /// Questions asked.
    pub requests: u64,
    /// What can not be read, sorted.
    pub gaps: Vec<Gap>,
    /// Until when the server is left alone, where quiet hours ended the cycle early.
    pub paused_until: Option<Timestamp>,
}

/// Why a cycle ended early. What was brought in before stays, and the next goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// The server.
    #[error(transparent)]
    Odoo(#[from] OdooError),
    /// The mirror could not be read or written.
    #[error("the copy of Odoo's rows can not be used")]
    Mirror(#[source] BoxError),
}

impl From<PullError> for PortError {
    fn from(error: PullError) -> Self {
        match error {
            PullError::Odoo(error) => error.into(),
            PullError::Mirror(source) => Self::Transient { service: "the store", retry_after: None, source },
        }
    }
}

/// Why nothing more is asked.
enum Halt {
    Odoo(OdooError),
    Mirror(BoxError),
    Quiet(Timestamp),
}

impl From<BoxError> for Halt {
    fn from(error: BoxError) -> Self {
        Self::Mirror(error)
    }
}

/// The fields of a model, or why it can not be read, and when that was asked (ms).
type KnownFields = (i64, Result<Arc<BTreeMap<String, FieldInfo>>, OdooError>);

/// Pulls.
pub struct Puller {
    server: Arc<dyn Server>,
    mirror: Arc<dyn Mirror>,
    clock: Clock,
    settings: Settings,
    scope: Scope,
    pace: Arc<Pace>,
    progress: Arc<dyn Progress>,
    fields: Mutex<BTreeMap<String, KnownFields>>,
}

/// A stream while it is pulled.
struct Turn {
    stream: &'static Stream,
    schema: Schema,
    bounded: Bounded,
    position: Position,
    /// The position as it is kept.
    kept: String,
}

impl Puller {
    /// Reads `server` into `mirror`, in the light of `scope`.
    pub fn new(server: Arc<dyn Server>, mirror: Arc<dyn Mirror>, clock: Clock, settings: Settings, scope: Scope) -> Self {
        let pace = Arc::new(Pace::new(settings.requests_per_second));
        let fields = Mutex::new(BTreeMap::new());
        Self { server, mirror, clock, settings, scope, pace, progress: Arc::new(Silent), fields }
    }

    /// Tells how far it is.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = progress;
        self
    }

    /// The server, asked at the same pace as the pull: for what else is read of it.
    pub fn paced_server(&self) -> Arc<dyn Server> {
        Arc::new(Paced::new(Arc::clone(&self.server), Arc::clone(&self.pace)))
    }

    /// From when on documents are read. Fixed by the first pull; `until` is its time.
    pub async fn bounds(&self, until: Timestamp) -> Result<Bounds, PullError> {
        let text = self.mirror.position(BOUNDS).await.map_err(PullError::Mirror)?;
        let before: Option<Bounds> = text.as_deref().and_then(|text| serde_json::from_str(text).ok());
        let bounds = Bounds::new(before.clone(), self.settings.history_days, self.settings.detail_days, until);
        if before.as_ref() != Some(&bounds) {
            let text = serde_json::to_string(&bounds).expect("dates and numbers");
            self.mirror.keep(BOUNDS, &[], &[], &text, self.clock.now()).await.map_err(PullError::Mirror)?;
        }
        Ok(bounds)
    }

    /// From when on documents were read into a mirror; None where nothing was.
    pub async fn known_bounds(mirror: &dyn Mirror) -> Result<Option<Bounds>, BoxError> {
        Ok(mirror.position(BOUNDS).await?.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// What could not be read in the last whole cycle.
    pub async fn gaps(mirror: &dyn Mirror) -> Result<Vec<Gap>, BoxError> {
        let text = mirror.position(GAPS).await?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// One cycle over all streams: loads what is not loaded, follows what changed, and sweeps what is due at `until`.
    pub async fn pull(&self, streams: &'static [Stream], until: Timestamp) -> Result<Pulled, PullError> {
        let mut pulled = Pulled::default();
        let requests = self.pace.requests();
        let outcome = self.cycle(streams, until, &mut pulled).await;
        pulled.requests = self.pace.requests() - requests;
        pulled.gaps.sort();
        pulled.gaps.dedup();
        match outcome {
            Ok(()) => {
                let text = serde_json::to_string(&pulled.gaps).expect("gaps are text");
                if self.mirror.position(GAPS).await.map_err(PullError::Mirror)?.as_ref() != Some(&text) {
                    self.mirror.keep(GAPS, &[], &[], &text, self.clock.now()).await.map_err(PullError::Mirror)?;
                }
                Ok(pulled)
            }
            Err(Halt::Quiet(over_at)) => {
                tracing::info!(%over_at, "quiet hours: Odoo is left alone");
                pulled.paused_until = Some(over_at);
                Ok(pulled)
            }
            Err(Halt::Odoo(error)) => Err(PullError::Odoo(error)),
            Err(Halt::Mirror(error)) => Err(PullError::Mirror(error)),
        }
    }

    async fn cycle(&self, streams: &'static [Stream], until: Timestamp, pulled: &mut Pulled) -> Result<(), Halt> {
        let bounds = self.bounds(until).await.map_err(|error| match error {
            PullError::Odoo(error) => Halt::Odoo(error),
            PullError::Mirror(error) => Halt::Mirror(error),
        })?;
        let mut turns = Vec::new();
        // Everybody's changes come first: comparing ids takes longer and is less urgent.
        for stream in streams.iter().filter(|stream| stream.versions.contains(&self.server.version())) {
            turns.extend(self.bring(stream, &bounds, until, pulled).await?);
        }
        for mut turn in turns {
            if let Err(halt) = self.sweep(&mut turn, until, pulled).await {
                pulled.gaps.push(survived(turn.stream, halt)?);
            }
        }
        Ok(())
    }

    /// Loads and follows a stream. None where it can not be read; a gap says why.
    async fn bring(
        &self,
        stream: &'static Stream,
        bounds: &Bounds,
        until: Timestamp,
        pulled: &mut Pulled,
    ) -> Result<Option<Turn>, Halt> {
        let mut tries = 0;
        loop {
            tries += 1;
            let mut turn = match self.fit(stream, bounds, until).await? {
                Ok(turn) => turn,
                Err(gap) => {
                    pulled.gaps.push(gap);
                    return Ok(None);
                }
            };
            match self.load_or_follow(&mut turn, pulled).await {
                Ok(()) => {
                    pulled.gaps.extend(turn.schema.gaps.iter().cloned());
                    return Ok(Some(turn));
                }
                // The server is not what it was said to be: it is asked again what it is, but not for ever.
                Err(Halt::Odoo(error @ OdooError::UnknownField { .. })) if tries < 3 => {
                    tracing::warn!(stream = stream.model, %error, "the fields have changed");
                    self.forget_fields();
                }
                Err(Halt::Odoo(error @ OdooError::AccessDenied { .. })) if tries < 3 => {
                    if !self.leave_out_refused(&mut turn, &error).await? {
                        pulled.gaps.push(gap(stream, &error));
                        return Ok(None);
                    }
                }
                Err(halt) => {
                    pulled.gaps.push(survived(stream, halt)?);
                    return Ok(None);
                }
            }
        }
    }

    async fn load_or_follow(&self, turn: &mut Turn, pulled: &mut Pulled) -> Result<(), Halt> {
        if matches!(turn.position.phase, Phase::Load { .. }) {
            self.load(turn, pulled).await?;
        }
        if matches!(turn.position.phase, Phase::Follow { .. } | Phase::Window(_)) {
            self.follow(turn, pulled).await?;
        }
        Ok(())
    }

    /// Commits rows and position together; nothing at all where nothing is new.
    async fn keep(&self, turn: &mut Turn, rows: &[MirrorRow], gone: &[i64], pulled: &mut Pulled) -> Result<(), Halt> {
        let text = turn.position.text();
        if rows.is_empty() && gone.is_empty() && text == turn.kept {
            return Ok(());
        }
        pulled.rows_changed += self.mirror.keep(turn.stream.model, rows, gone, &text, self.clock.now()).await?;
        pulled.rows_gone += gone.len() as u64;
        turn.kept = text;
        Ok(())
    }

    fn tell(&self, meter: &Meter, over: bool) {
        let step = meter.step(over);
        self.progress.step(&step);
        if !over || step.done == 0 {
            return;
        }
        let rate = step.rate.round() as u64;
        match step.doing {
            // Every look reads the overlap again: no news.
            Doing::Following => tracing::debug!(stream = step.stream, rows = step.done, rows_per_second = rate, "followed"),
            Doing::Loading => tracing::info!(stream = step.stream, rows = step.done, rows_per_second = rate, "read"),
            Doing::Sweeping => tracing::info!(stream = step.stream, rows = step.done, rows_per_second = rate, "compared"),
        }
    }

    fn now(&self) -> i64 {
        self.clock.now().as_millisecond()
    }

    fn overlap(&self) -> i64 {
        i64::try_from(self.settings.overlap.as_secs()).unwrap_or(i64::MAX / 4)
    }
}

/// The gap that an error leaves where the other streams can be read all the same; else the error.
fn survived(stream: &Stream, halt: Halt) -> Result<Gap, Halt> {
    match halt {
        Halt::Odoo(
            error @ (OdooError::AccessDenied { .. }
            | OdooError::UnknownModel { .. }
            | OdooError::UnknownField { .. }
            | OdooError::Server { .. }),
        ) => {
            tracing::warn!(stream = stream.model, %error, "not read");
            Ok(gap(stream, &error))
        }
        halt => Err(halt),
    }
}

fn gap(stream: &Stream, error: &OdooError) -> Gap {
    Gap { what: stream.model.to_owned(), why: error.to_string(), costs: stream.costs.to_owned() }
}
