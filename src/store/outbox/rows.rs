//! A message in the outbox, as it is put in and as it is kept.

use jiff::Timestamp;
use sqlx::any::AnyRow;

use crate::domain::outbox::OutboxKind;
use crate::ports::Receipt;
use crate::store::{StoreError, row};

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewOutbox {
    /// The receiver's idempotency key; the same id twice is one message.
    pub id: String,
    /// What it is.
    pub kind: OutboxKind,
    /// To where: `webhook`.
    pub channel: String,
    /// The body, byte for byte.
    pub body: String,
    /// When it was decided to send it.
    pub created_at: Timestamp,
    /// Not before this: the end of the undo window.
    pub due_at: Timestamp,
    /// What it is in order with: its case. Empty: with nothing.
    pub lane: String,
    /// The recommendation that it is about; empty where it is about none.
    pub about: String,
    /// Which step of that recommendation, from 1.
    pub step: u32,
    /// Not after this: it would be carried out too late.
    pub expires_at: Option<Timestamp>,
    /// Of what a chat shows: what it shows, of which only the newest state is worth showing. Empty for everything else.
    pub shows: String,
}

/// Where a message stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// To be sent, or being sent.
    Pending,
    /// Acknowledged by the receiver.
    Sent,
    /// Given up; see the dead letters.
    Dead,
    /// Taken back before it left.
    Cancelled,
    /// Discarded by a person, with a reason.
    Discarded,
}

impl OutboxState {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Pending, Self::Sent, Self::Dead, Self::Cancelled, Self::Discarded];

    /// The name in the store.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Sent => "sent",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }

    /// The state of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxRow {
    /// The receiver's idempotency key.
    pub id: String,
    /// What it is.
    pub kind: OutboxKind,
    /// To where.
    pub channel: String,
    /// The body, byte for byte.
    pub body: String,
    /// When it was decided to send it.
    pub created_at: Timestamp,
    /// Not before this.
    pub due_at: Timestamp,
    /// How often it was taken out to be sent, this time included.
    pub attempts: i64,
    /// Where it stands.
    pub state: OutboxState,
    /// Why the attempt before failed.
    pub last_error: Option<String>,
    /// When it was acknowledged.
    pub sent_at: Option<Timestamp>,
    /// Until when somebody is sending it.
    pub lease_until: Option<Timestamp>,
    /// What it is in order with; empty: with nothing.
    pub lane: String,
    /// The recommendation that it is about; empty where it is about none.
    pub about: String,
    /// Which step of that recommendation, from 1.
    pub step: u32,
    /// Not after this.
    pub expires_at: Option<Timestamp>,
    /// Of what a chat shows: what it shows; empty for everything else.
    pub shows: String,
    /// Its receiver's acknowledgement; none of what was only reported on, or was sent before receipts were kept.
    pub receipt: Option<Receipt>,
}

pub(super) const TABLE: &str = "outbox";

/// What [`outbox_row`] reads, for every query that it is read from.
pub(in crate::store) const COLUMNS: &str = "id, kind, channel, body, created_at, due_at, attempts, state, last_error, sent_at, lease_until, \
                                  lane, about, step, expires_at, shows, receipt, receipt_at";

/// Reads a message.
pub(in crate::store) fn outbox_row(r: &AnyRow) -> Result<OutboxRow, StoreError> {
    let (kind, state): (&str, &str) = (row::get(r, TABLE, "kind")?, row::get(r, TABLE, "state")?);
    let unknown = |column, found: &str| row::corrupt(r, TABLE, column, format!("{found:?} is no {column}").into());
    Ok(OutboxRow {
        id: row::get(r, TABLE, "id")?,
        // What has no kind that we know is held to what an approval is held to: it leaves only where the log approved it, and is
        // given up otherwise. An error here would stop everything behind it.
        kind: OutboxKind::named(kind).unwrap_or(OutboxKind::Approved),
        channel: row::get(r, TABLE, "channel")?,
        body: row::get(r, TABLE, "body")?,
        created_at: row::time(r, TABLE, "created_at")?,
        due_at: row::time(r, TABLE, "due_at")?,
        attempts: row::get(r, TABLE, "attempts")?,
        state: OutboxState::named(state).ok_or_else(|| unknown("state", state))?,
        last_error: row::get(r, TABLE, "last_error")?,
        sent_at: row::time_opt(r, TABLE, "sent_at")?,
        lease_until: row::time_opt(r, TABLE, "lease_until")?,
        lane: row::get(r, TABLE, "lane")?,
        about: row::get(r, TABLE, "about")?,
        step: u32::try_from(row::get::<i64>(r, TABLE, "step")?)
            .map_err(|error| row::corrupt(r, TABLE, "step", error.into()))?,
        expires_at: row::time_opt(r, TABLE, "expires_at")?,
        shows: row::get(r, TABLE, "shows")?,
        receipt: match row::time_opt(r, TABLE, "receipt_at")? {
            Some(at) => Some(Receipt { reference: row::get(r, TABLE, "receipt")?, at }),
            None => None,
        },
    })
}
