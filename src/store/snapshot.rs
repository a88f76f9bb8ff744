//! The tables that the log tells of, as they stand at one moment, in pages: for whoever holds one against the other.
//!
//! Everything is read in one transaction that sees one state of the database, so that what is written meanwhile makes no
//! difference between the two. Columns are given beside the bodies that they were taken from.

use sqlx::any::AnyRow;
use sqlx::{Any, AssertSqlSafe, Executor as _, Transaction};

use super::decisions::{self, DecisionRow};
use super::models::{self, KeptModel, KeptValidation, ModelStep};
use super::modes::{self, ModeStep};
use super::writers::{self, KeptProof, WriterStep};
use super::{Backend, Store, StoreError, TokenRow, audit, row, tokens};
use crate::domain::audit::Chained;
use crate::domain::case::Case;
use crate::domain::mute::Mute;
use crate::domain::policy::Delegation;
use crate::domain::recommendation::Recommendation;

/// Rows read at once: memory stays small however long a table is.
const BATCH: i64 = 1_000;

/// One state of the store. Reads only.
pub struct Snapshot {
    tx: Transaction<'static, Any>,
}

/// A body with the columns beside it, as text, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Kept<T> {
    /// The row's id.
    pub id: String,
    /// What the row holds.
    pub body: T,
    /// What the columns say that queries ask for.
    pub columns: Vec<(&'static str, String)>,
}

/// A chat link as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptLink {
    /// Its id.
    pub id: String,
    /// `slack`, `teams`, `email`, the workspace and the user.
    pub chat: (String, String, String),
    /// Whose it is.
    pub person: String,
    /// Does it hold?
    pub verified: bool,
    /// Until when, in milliseconds since 1970.
    pub expires_ms: Option<i64>,
}

impl Store {
    /// The store as it stands now, to read in pages.
    ///
    /// # Errors
    /// When it can not be read.
    pub async fn snapshot(&self) -> Result<Snapshot, StoreError> {
        let mut tx = self.pool.begin().await?;
        // A transaction of SQLite sees one state by itself.
        if self.backend == Backend::Postgres {
            tx.execute("set transaction isolation level repeatable read, read only").await?;
        }
        Ok(Snapshot { tx })
    }
}

impl Snapshot {
    /// The log's entries after number `after`, oldest first; none when there are no more.
    ///
    /// # Errors
    /// When it can not be read, here and below.
    pub async fn audit(&mut self, after: i64) -> Result<Vec<Chained>, StoreError> {
        let rows = sqlx::query(
            "select seq, at, actor, channel, action, subject, content, detail, previous, hash
             from audit_log where seq > $1 order by seq limit $2",
        )
        .bind(after)
        .bind(BATCH)
        .fetch_all(&mut *self.tx)
        .await?;
        rows.iter().map(audit::chained).collect()
    }

    /// Decisions after the id `after`, by id.
    pub async fn decisions(&mut self, after: &str) -> Result<Vec<DecisionRow>, StoreError> {
        let columns = "id, case_id, recommendation_id, person, verb, content_hash, reason, note, value_minor, at, body";
        self.page("decisions", "id", columns, after).await?.iter().map(decisions::decision).collect()
    }

    /// Recommendations after the id `after`, by id.
    pub async fn recommendations(&mut self, after: &str) -> Result<Vec<Kept<Recommendation>>, StoreError> {
        const TABLE: &str = "recommendations";
        let rows = self.page(TABLE, "id", "id, case_id, state, content_hash, value_minor, body", after).await?;
        let kept = |r: &AnyRow| {
            Ok(Kept {
                id: row::get(r, TABLE, "id")?,
                body: row::json(r, TABLE, "body")?,
                columns: vec![
                    ("case", row::get(r, TABLE, "case_id")?),
                    ("state", row::get(r, TABLE, "state")?),
                    ("content", row::get(r, TABLE, "content_hash")?),
                    ("value", row::get::<i64>(r, TABLE, "value_minor")?.to_string()),
                ],
            })
        };
        rows.iter().map(kept).collect()
    }

    /// Cases after the id `after`, by id.
    pub async fn cases(&mut self, after: &str) -> Result<Vec<Kept<Case>>, StoreError> {
        const TABLE: &str = "cases";
        let rows = self.page(TABLE, "id", "id, state, priority_minor, value_minor, body", after).await?;
        let amount = |r: &AnyRow, name| -> Result<String, StoreError> {
            Ok(row::get::<Option<i64>>(r, TABLE, name)?.map_or_else(String::new, |n| n.to_string()))
        };
        let kept = |r: &AnyRow| {
            Ok(Kept {
                id: row::get(r, TABLE, "id")?,
                body: row::json(r, TABLE, "body")?,
                columns: vec![
                    ("state", row::get(r, TABLE, "state")?),
                    ("priority", amount(r, "priority_minor")?),
                    ("value", amount(r, "value_minor")?),
                ],
            })
        };
        rows.iter().map(kept).collect()
    }

    /// Delegations after the id `after`, by id.
    pub async fn delegations(&mut self, after: &str) -> Result<Vec<Kept<Delegation>>, StoreError> {
        const TABLE: &str = "delegations";
        let rows = self.page(TABLE, "id", "id, from_person, to_person, starts, ends, revoked_at, body", after).await?;
        let kept = |r: &AnyRow| {
            Ok(Kept {
                id: row::get(r, TABLE, "id")?,
                body: row::json(r, TABLE, "body")?,
                columns: vec![
                    ("from", row::get(r, TABLE, "from_person")?),
                    ("to", row::get(r, TABLE, "to_person")?),
                    ("starts", row::get(r, TABLE, "starts")?),
                    ("ends", row::get(r, TABLE, "ends")?),
                    ("ended", row::time_opt(r, TABLE, "revoked_at")?.is_some().to_string()),
                ],
            })
        };
        rows.iter().map(kept).collect()
    }

    /// Mutes after the id `after`, by id.
    pub async fn mutes(&mut self, after: &str) -> Result<Vec<Kept<Mute>>, StoreError> {
        const TABLE: &str = "mutes";
        let rows = self.page(TABLE, "id", "id, code, owner, until_day, ended_at, body", after).await?;
        let kept = |r: &AnyRow| {
            Ok(Kept {
                id: row::get(r, TABLE, "id")?,
                body: row::json(r, TABLE, "body")?,
                columns: vec![
                    ("type", row::get(r, TABLE, "code")?),
                    ("owner", row::get(r, TABLE, "owner")?),
                    ("until", row::get(r, TABLE, "until_day")?),
                    ("ended", row::time_opt(r, TABLE, "ended_at")?.is_some().to_string()),
                ],
            })
        };
        rows.iter().map(kept).collect()
    }

    /// Tokens of the API after the id `after`, by id.
    pub async fn tokens(&mut self, after: &str) -> Result<Vec<TokenRow>, StoreError> {
        let columns = "id, hash, name, owner_kind, owner, scopes, created_at, created_by, expires_at, last_used_at, \
                       revoked_at, revoked_by, told_at, hand";
        self.page("api_tokens", "id", columns, after).await?.iter().map(tokens::token).collect()
    }

    /// Chat links after the id `after`, by id.
    pub async fn links(&mut self, after: &str) -> Result<Vec<KeptLink>, StoreError> {
        const TABLE: &str = "identities";
        let columns = "id, channel, tenant, user_id, person, state, expires_at";
        let kept = |r: &AnyRow| {
            Ok(KeptLink {
                id: row::get(r, TABLE, "id")?,
                chat: (row::get(r, TABLE, "channel")?, row::get(r, TABLE, "tenant")?, row::get(r, TABLE, "user_id")?),
                person: row::get(r, TABLE, "person")?,
                verified: row::get::<&str>(r, TABLE, "state")? == "verified",
                expires_ms: row::get(r, TABLE, "expires_at")?,
            })
        };
        self.page(TABLE, "id", columns, after).await?.iter().map(kept).collect()
    }

    /// Who has stopped Reeve, where a stop holds.
    pub async fn stopped_by(&mut self) -> Result<Option<String>, StoreError> {
        let sql = "select stopped_by from stops where resumed_at is null";
        let found = sqlx::query(sql).fetch_optional(&mut *self.tx).await?;
        found.map(|r| row::get(&r, "stops", "stopped_by")).transpose()
    }

    /// What people have set live, in shadow or off, step by step.
    pub async fn mode_steps(&mut self) -> Result<Vec<ModeStep>, StoreError> {
        let sql = "select seq, scope, step, mode, set_by, set_at, reason, hand from modes order by seq";
        sqlx::query(sql).fetch_all(&mut *self.tx).await?.iter().map(modes::step).collect()
    }

    /// What people did with versions of detectors, step by step.
    pub async fn model_steps(&mut self) -> Result<Vec<ModelStep>, StoreError> {
        sqlx::query(models::STEPS).fetch_all(&mut *self.tx).await?.iter().map(models::step).collect()
    }

    /// Versions of detectors, without their parameters.
    pub async fn models(&mut self) -> Result<Vec<KeptModel>, StoreError> {
        let sql = "select name, sheet, added_by, added_at from models order by name";
        sqlx::query(sql).fetch_all(&mut *self.tx).await?.iter().map(models::kept).collect()
    }

    /// What versions of detectors were measured at.
    pub async fn validations(&mut self) -> Result<Vec<KeptValidation>, StoreError> {
        let sql = "select id, passed, body, made_by from model_validations order by id";
        sqlx::query(sql).fetch_all(&mut *self.tx).await?.iter().map(models::validation).collect()
    }

    /// What people and stages did with writers, step by step.
    pub async fn writer_steps(&mut self) -> Result<Vec<WriterStep>, StoreError> {
        sqlx::query(writers::STEPS).fetch_all(&mut *self.tx).await?.iter().map(writers::step).collect()
    }

    /// What writers were found at.
    pub async fn proofs(&mut self) -> Result<Vec<KeptProof>, StoreError> {
        let sql = "select id, passed, body, made_by from writer_proofs order by id";
        sqlx::query(sql).fetch_all(&mut *self.tx).await?.iter().map(writers::proof).collect()
    }

    /// Ids of messages after `after`, each with its body, by id.
    pub async fn messages(&mut self, after: &str) -> Result<Vec<(String, String)>, StoreError> {
        const TABLE: &str = "outbox";
        let kept = |r: &AnyRow| Ok((row::get(r, TABLE, "id")?, row::get(r, TABLE, "body")?));
        self.page(TABLE, "id", "id, body", after).await?.iter().map(kept).collect()
    }

    /// Outcomes after the recommendation `after`: its id and the state that was read.
    pub async fn outcomes(&mut self, after: &str) -> Result<Vec<(String, String)>, StoreError> {
        const TABLE: &str = "outcomes";
        let kept = |r: &AnyRow| Ok((row::get(r, TABLE, "recommendation_id")?, row::get(r, TABLE, "state")?));
        let rows = self.page(TABLE, "recommendation_id", "recommendation_id, state", after).await?;
        rows.iter().map(kept).collect()
    }

    async fn page(
        &mut self,
        table: &'static str,
        key: &'static str,
        columns: &'static str,
        after: &str,
    ) -> Result<Vec<AnyRow>, StoreError> {
        // Safe: the names are constants of this file.
        let sql = AssertSqlSafe(format!("select {columns} from {table} where {key} > $1 order by {key} limit $2"));
        Ok(sqlx::query(sql).bind(after.to_owned()).bind(BATCH).fetch_all(&mut *self.tx).await?)
    }
}
