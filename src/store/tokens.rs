//! API tokens. Only the hash of a token's secret is kept; a row stays when the token has ended.

use jiff::{SignedDuration, Timestamp};
use sqlx::any::AnyRow;

use super::{Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;

/// Uses within this time of the one that was noted last are not noted: a read need not be a write.
const USE_NOTED: SignedDuration = SignedDuration::from_secs(60);

/// Who a token is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenOwner {
    /// A person, by id.
    Person(String),
    /// A machine, by name. It never decides.
    Service(String),
}

impl TokenOwner {
    /// `person` or `service`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Person(_) => "person",
            Self::Service(_) => "service",
        }
    }

    /// The id or name.
    pub fn name(&self) -> &str {
        match self {
            Self::Person(name) | Self::Service(name) => name,
        }
    }
}

/// A token as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// The public part, by which it is found.
    pub id: String,
    /// The hash of the secret part.
    pub hash: String,
    /// What it is for.
    pub name: String,
    /// Whose it is.
    pub owner: TokenOwner,
    /// What it may be used for, by name.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// By whom.
    pub created_by: String,
    /// Whose hand could use it.
    pub hand: Hand,
    /// Until when it can be used.
    pub expires_at: Timestamp,
    /// When it was last used, to the minute.
    pub last_used_at: Option<Timestamp>,
    /// When it was taken back.
    pub revoked_at: Option<Timestamp>,
    /// By whom.
    pub revoked_by: String,
    /// When its owner was told, where somebody else made it or took it back.
    pub told_at: Option<Timestamp>,
}

const TABLE: &str = "api_tokens";

impl Store {
    /// Keeps a token.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when there is one with this id.
    pub async fn insert_token(&self, token: &TokenRow, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into api_tokens
                 (id, hash, name, owner_kind, owner, scopes, created_at, created_by, expires_at, told_at, hand)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
             on conflict (id) do nothing",
        )
        .bind(token.id.as_str())
        .bind(token.hash.as_str())
        .bind(row::clean(&token.name))
        .bind(token.owner.kind())
        .bind(token.owner.name())
        .bind(token.scopes.join(" "))
        .bind(row::ms(token.created_at))
        .bind(row::clean(&token.created_by))
        .bind(row::ms(token.expires_at))
        .bind(token.told_at.map(row::ms))
        .bind(row::clean(&token.hand.recorded()))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Duplicate);
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// The token with this public part, whether it can still be used or not.
    pub async fn find_token(&self, id: &str) -> Result<Option<TokenRow>, StoreError> {
        let found = sqlx::query(
            "select id, hash, name, owner_kind, owner, scopes, created_at, created_by, expires_at, last_used_at,
                 revoked_at, revoked_by, told_at, hand
             from api_tokens where id = $1",
        )
        .bind(id)
        .fetch_optional(&self.pool)
        .await?;
        found.map(|r| token(&r)).transpose()
    }

    /// All tokens, newest first, those that have ended too.
    pub async fn list_tokens(&self) -> Result<Vec<TokenRow>, StoreError> {
        let rows = sqlx::query(
            "select id, hash, name, owner_kind, owner, scopes, created_at, created_by, expires_at, last_used_at,
                 revoked_at, revoked_by, told_at, hand
             from api_tokens order by created_at desc, id",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(token).collect()
    }

    /// Notes that a token was used, at most once a minute.
    pub async fn touch_token(&self, token: &TokenRow, now: Timestamp) -> Result<(), StoreError> {
        let noted = now.checked_sub(USE_NOTED).unwrap_or(Timestamp::MIN);
        if token.last_used_at.is_some_and(|at| at > noted) {
            return Ok(());
        }
        sqlx::query("update api_tokens set last_used_at = $1 where id = $2 and coalesce(last_used_at, 0) < $1")
            .bind(row::ms(now))
            .bind(token.id.as_str())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Takes a token back. Nothing that was done with it changes.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, or it was taken back before.
    pub async fn revoke_token(&self, id: &str, at: Timestamp, by: &str, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "update api_tokens set revoked_at = $1, revoked_by = $2,
                 told_at = case when owner = $2 then $1 else null end
             where id = $3 and revoked_at is null",
        )
        .bind(row::ms(at))
        .bind(row::clean(by))
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "token that can still be used", id: id.to_owned() });
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }
}

pub(super) fn token(r: &AnyRow) -> Result<TokenRow, StoreError> {
    let (kind, owner): (String, String) = (row::get(r, TABLE, "owner_kind")?, row::get(r, TABLE, "owner")?);
    let owner = match kind.as_str() {
        "person" => TokenOwner::Person(owner),
        "service" => TokenOwner::Service(owner),
        _ => return Err(row::corrupt(r, TABLE, "owner_kind", format!("{kind:?} is neither person nor service").into())),
    };
    let scopes: String = row::get(r, TABLE, "scopes")?;
    Ok(TokenRow {
        id: row::get(r, TABLE, "id")?,
        hash: row::get(r, TABLE, "hash")?,
        name: row::get(r, TABLE, "name")?,
        owner,
        scopes: scopes.split_ascii_whitespace().map(str::to_owned).collect(),
        created_at: row::time(r, TABLE, "created_at")?,
        created_by: row::get(r, TABLE, "created_by")?,
        expires_at: row::time(r, TABLE, "expires_at")?,
        last_used_at: row::time_opt(r, TABLE, "last_used_at")?,
        revoked_at: row::time_opt(r, TABLE, "revoked_at")?,
        revoked_by: row::get(r, TABLE, "revoked_by")?,
        told_at: row::time_opt(r, TABLE, "told_at")?,
        hand: row::hand(r, TABLE)?,
    })
}
