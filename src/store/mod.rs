//! What Reeve keeps, in SQLite or PostgreSQL: one file for each family of tables, one SQL text for both databases.
//!
//! Invariants: what is acknowledged is on the disk; a change and its audit entry are written both or neither; whoever
//! changes a case or recommendation names the version it saw, and the second of two loses with
//! [`StoreError::Conflict`]; the audit log only grows.
//!
//! It does not decide anything: what may follow what is the domain's business.

mod audit;
mod case_pages;
mod cases;
mod change;
mod changed;
mod chat_inbox;
mod dead_letters;
mod decisions;
mod delegations;
mod destinations;
mod digests;
mod drills;
mod duty;
mod error;
mod events;
mod evidence;
mod exceptions;
mod guards;
mod hand_offs;
mod health;
mod identities;
mod identity_rows;
mod jobs;
mod memories;
mod migrate;
mod mirror;
mod model_days;
mod models;
mod modes;
mod mutes;
mod names;
mod notices;
mod open;
mod outbox;
mod outcomes;
mod recommendations;
mod records;
mod row;
mod sessions;
mod settings;
mod snapshot;
mod stops;
mod teams;
#[cfg(test)]
pub(crate) mod testing;
mod tokens;
mod views;
mod watermarks;
mod writers;

pub use audit::AuditFault;
pub use case_pages::CaseAfter;
pub use change::Change;
pub use changed::Changed;
pub use chat_inbox::ChatRow;
pub use dead_letters::{DeadLetter, Unsent};
pub use decisions::{About, Circumstances, DecidedValue, DecisionRow, not_undone};
pub use destinations::DestinationState;
pub use digests::StoredDigest;
pub use drills::{Drill, DrillCounts, DrillEnd, DrillResult};
pub use duty::{Duty, Fence, OnDuty, Process};
pub use error::StoreError;
pub use events::{EventRow, EventState, Kept, NewEvent, Settled};
pub use exceptions::Which;
pub use hand_offs::{Report, Reported};
pub use identity_rows::{CodeOutcome, CodeTry, IdentityRow, IdentityState, Proof};
pub use jobs::JobStatus;
pub use memories::{Memory, MemoryChange};
pub use model_days::ModelDay;
pub use models::{KeptModel, KeptValidation, ModelChange, ModelStep};
pub use modes::{ModeStep, Step};
pub use mutes::{MuteEnd, NewMute};
pub use notices::{Notice, NoticeKind};
pub use outbox::{NewOutbox, OutboxRow, OutboxState, Place};
pub use outcomes::Outcome;
pub use recommendations::{SET_ASIDE, States};
pub use records::Bodies;
pub use sessions::{Session, UsedLink};
pub use snapshot::{Kept as KeptRow, KeptLink, Snapshot};
pub use stops::Stop;
pub use teams::{TeamsConversation, TeamsKind};
pub use tokens::{TokenOwner, TokenRow};
pub use views::View;
pub use watermarks::Watermark;
pub use writers::{DraftCount, KeptProof, WriterChange, WriterStep};

use std::sync::Arc;

use sqlx::{Any, AnyPool, Transaction};

use crate::domain::audit::{AuditEntry, BY_COMMAND};
use crate::domain::hand::Hand;

/// Which database it is. SQL is the same for both; how a transaction begins is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Backend {
    Sqlite,
    Postgres,
}

/// The store. Cheap to clone: clones share their connections.
#[derive(Clone, Debug)]
pub struct Store {
    pool: AnyPool,
    backend: Backend,
    shown: String,
    /// Who of the operating system's users gives commands through it.
    os_user: Option<Arc<str>>,
    /// Whether this process may still do the work that is written through it; None where anybody may.
    fence: Option<Fence>,
}

impl Store {
    /// The url it was opened with, without a password.
    pub fn url(&self) -> &str {
        &self.shown
    }

    /// The same store in the hands of a command: whoever started it, as the operating system knows them, is logged beside what
    /// is done by command, whatever name the command gives.
    #[must_use]
    pub fn opened_by(mut self, os_user: &str) -> Self {
        self.os_user = Some(os_user.into());
        self
    }

    /// The operating system's user who gives commands, in words.
    fn os_user(&self) -> &str {
        self.os_user.as_deref().unwrap_or("an unknown user")
    }

    /// The hand of whoever gives commands through it.
    pub(crate) fn hand_of_command(&self) -> Hand {
        Hand::Command(self.os_user().to_owned())
    }

    /// The hand of whoever comes in by what a command through it made.
    pub(crate) fn hand_made_by_command(&self) -> Hand {
        Hand::MadeByCommand(self.os_user().to_owned())
    }

    /// Puts the operating system's user into the detail of an entry of something done by command.
    pub(crate) fn with_os_user(&self, mut entry: AuditEntry) -> AuditEntry {
        if entry.channel == BY_COMMAND
            && let Some(os_user) = &self.os_user
            && let Some(detail) = entry.detail.as_object_mut()
        {
            detail.insert("os_user".to_owned(), os_user.as_ref().into());
        }
        entry
    }

    /// Begins a transaction that will write. Where the connection turns out to be lost, another one is taken, once: nothing
    /// of the work has been done yet. How it ends is in [`health`]. Through a store with a fence it begins only while this process
    /// is on duty, and nobody else comes on duty before it has ended.
    async fn begin(&self) -> Result<Transaction<'static, Any>, StoreError> {
        let mut tx = match self.begin_once().await {
            Err(error) if health::is_lost(&error) => self.begin_once().await?,
            begun => begun?,
        };
        if let Some(fence) = &self.fence {
            fence.check(&mut tx, self.backend).await?;
        }
        Ok(tx)
    }

    /// SQLite takes the write lock at once: a transaction that reads first and writes later could otherwise be refused
    /// half-way, however long it waited.
    async fn begin_once(&self) -> Result<Transaction<'static, Any>, sqlx::Error> {
        match self.backend {
            Backend::Sqlite => self.pool.begin_with("begin immediate").await,
            Backend::Postgres => self.pool.begin().await,
        }
    }

    /// Closes all connections; what was acknowledged is safe without it.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}
