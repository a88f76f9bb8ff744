//! Who stands behind a chat user: links that wait for their proof, links that hold, and links that have ended.
//!
//! Invariants: a link holds only after a proof; one chat user is one person and a person has one chat user in each tenant
//! (the database's own indexes say so too); a code is compared in constant time, a guess is counted before it is compared,
//! and a row never goes away. Every step is written with its audit entries or not at all.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{Any, Transaction};
use subtle::ConstantTimeEq as _;

use super::identity_rows::{CodeOutcome, CodeTry, IdentityRow, IdentityState, Proof};
use super::{Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;
use crate::domain::hand::Hand;
use crate::domain::ids::PersonId;

const COLUMNS: &str = "id, channel, tenant, user_id, person, state, made_at, made_by, code_id, attempts, confirm_by, \
                       verified_at, verified_by, expires_at, ended_at, ended_by, ended_why, told_at, hand";
const TABLE: &str = "identities";

/// A query text around the columns of a link.
macro_rules! select {
    ($rest:literal) => {
        sqlx::query(sqlx::AssertSqlSafe(format!(concat!("select {} from identities ", $rest), COLUMNS)))
    };
}

impl Store {
    /// Keeps a link that waits for its proof. Others of the same person and channel that still wait are ended by it.
    ///
    /// # Errors
    /// [`StoreError::Duplicate`] when there is one with this id or code.
    pub async fn insert_identity(&self, new: &IdentityRow, entries: &[AuditEntry]) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        // Of two codes only the newer fits. A code does not end a link that waits for a yes on the page, nor the other way
        // round.
        sqlx::query(
            "update identities set state = 'revoked', code_hash = null, ended_at = $1, ended_by = $2, ended_why = 'replaced'
             where person = $3 and channel = $4 and state = 'pending' and (code_id is null) = ($5 = '')",
        )
        .bind(row::ms(new.made_at))
        .bind(row::clean(&new.made_by))
        .bind(new.person.as_str())
        .bind(new.channel.as_str())
        .bind(new.code_id.clone().unwrap_or_default())
        .execute(&mut *tx)
        .await?;
        let done = sqlx::query(
            "insert into identities
                 (id, channel, tenant, user_id, person, state, made_at, made_by, code_id, code_hash, confirm_by, told_at, hand)
             values ($1, $2, $3, $4, $5, 'pending', $6, $7, $8, $9, $10, $11, $12)
             on conflict do nothing",
        )
        .bind(new.id.as_str())
        .bind(new.channel.as_str())
        .bind(new.tenant.as_str())
        .bind(new.user_id.as_str())
        .bind(new.person.as_str())
        .bind(row::ms(new.made_at))
        .bind(row::clean(&new.made_by))
        .bind(new.code_id.clone())
        .bind(new.code_hash.clone())
        .bind(row::ms(new.confirm_by))
        .bind(new.told_at.map(row::ms))
        .bind(row::clean(&new.hand.recorded()))
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() == 0 {
            return Err(StoreError::Duplicate);
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// Tries a code: counts the try first, then compares, and binds the chat user where it fits. `entries` makes the audit
    /// entries of what came of it.
    pub async fn try_identity_code(
        &self,
        code: CodeTry<'_>,
        entries: impl FnOnce(&CodeOutcome) -> Vec<AuditEntry> + Send,
    ) -> Result<CodeOutcome, StoreError> {
        let mut tx = self.begin().await?;
        let outcome = outcome_of(&mut tx, code).await?;
        audit::append(&mut tx, &entries(&outcome)).await?;
        tx.commit().await?;
        Ok(outcome)
    }

    /// Proves a link that names its chat user already. Answers it and those that it ended.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no such link of `person` waits for proof at `proof.at`.
    pub async fn verify_identity(
        &self,
        id: &str,
        person: &PersonId,
        proof: Proof<'_>,
        entries: impl FnOnce(&IdentityRow, &[IdentityRow]) -> Vec<AuditEntry> + Send,
    ) -> Result<IdentityRow, StoreError> {
        let mut tx = self.begin().await?;
        let found = select!("where id = $1 and person = $2 and state = 'pending' and code_id is null and confirm_by > $3")
            .bind(id)
            .bind(person.as_str())
            .bind(row::ms(proof.at))
            .fetch_optional(&mut *tx)
            .await?;
        let missing = || StoreError::NotFound { what: "link that waits for you", id: id.to_owned() };
        let waiting = identity(&found.ok_or_else(missing)?)?;
        let (row, ended) = bind(&mut tx, waiting, proof).await?;
        audit::append(&mut tx, &entries(&row, &ended)).await?;
        tx.commit().await?;
        Ok(row)
    }

    /// Ends a link that waits or holds.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when there is none, or it has ended.
    pub async fn end_identity(
        &self,
        id: &str,
        at: Timestamp,
        by: &str,
        why: &str,
        entries: &[AuditEntry],
    ) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        let ended = sqlx::query(
            "update identities set state = 'revoked', code_hash = null, ended_at = $1, ended_by = $2, ended_why = $3,
                 told_at = case when person = $2 then $1 else null end
             where id = $4 and state <> 'revoked'",
        )
        .bind(row::ms(at))
        .bind(row::clean(by))
        .bind(row::clean(why))
        .bind(id)
        .execute(&mut *tx)
        .await?;
        if ended.rows_affected() == 0 {
            return Err(StoreError::NotFound { what: "link that still holds", id: id.to_owned() });
        }
        audit::append(&mut tx, entries).await?;
        Ok(tx.commit().await?)
    }

    /// The newest link of a chat user that was ever proved: the one that holds, else the last that did.
    pub async fn find_identity_of(
        &self,
        channel: &str,
        tenant: &str,
        user_id: &str,
    ) -> Result<Option<IdentityRow>, StoreError> {
        let found = select!(
            "where channel = $1 and tenant = $2 and user_id = $3 and verified_at is not null
             order by case when state = 'verified' then 0 else 1 end, verified_at desc, id limit 1"
        )
        .bind(channel)
        .bind(tenant)
        .bind(user_id)
        .fetch_optional(&self.pool)
        .await?;
        found.map(|r| identity(&r)).transpose()
    }

    /// A link.
    ///
    /// # Errors
    /// [`StoreError::NotFound`].
    pub async fn get_identity(&self, id: &str) -> Result<IdentityRow, StoreError> {
        let found = select!("where id = $1").bind(id).fetch_optional(&self.pool).await?;
        identity(&found.ok_or_else(|| StoreError::NotFound { what: "link", id: id.to_owned() })?)
    }

    /// The links of a person, or of everybody, newest first.
    pub async fn list_identities(&self, person: Option<&PersonId>) -> Result<Vec<IdentityRow>, StoreError> {
        let rows = match person {
            Some(person) => select!("where person = $1 order by made_at desc, id").bind(person.as_str().to_owned()),
            None => select!("order by made_at desc, id"),
        };
        rows.fetch_all(&self.pool).await?.iter().map(identity).collect()
    }

    /// How many things were done in a person's name that they have not said to have seen: to their links and tokens, and
    /// whatever was done by command.
    pub async fn count_untold(&self, person: &PersonId) -> Result<i64, StoreError> {
        let found = sqlx::query(
            "select 'all' as id,
                 (select count(*) from identities where person = $1 and told_at is null)
                 + (select count(*) from api_tokens where owner_kind = 'person' and owner = $1 and told_at is null)
                 + (select count(*) from notices where kind = 'by_command' and person = $1 and seen_at is null) as n",
        )
        .bind(person.as_str())
        .fetch_one(&self.pool)
        .await?;
        row::get(&found, TABLE, "n")
    }

    /// Notes that a person has been told of everything up to `now`.
    pub async fn mark_told(&self, person: &PersonId, now: Timestamp) -> Result<(), StoreError> {
        let mut tx = self.begin().await?;
        for statement in [
            "update identities set told_at = $1 where person = $2 and told_at is null",
            "update api_tokens set told_at = $1 where owner_kind = 'person' and owner = $2 and told_at is null",
            "update notices set seen_at = $1 where kind = 'by_command' and person = $2 and seen_at is null",
        ] {
            sqlx::query(statement).bind(row::ms(now)).bind(person.as_str()).execute(&mut *tx).await?;
        }
        Ok(tx.commit().await?)
    }
}

async fn outcome_of(tx: &mut Transaction<'_, Any>, code: CodeTry<'_>) -> Result<CodeOutcome, StoreError> {
    let tries = count_try(tx, code).await?;
    // Counted for the chat user over all links: else the few guesses of one link after the other would add up to many.
    if tries > code.tries_max {
        return Ok(CodeOutcome::TooMany(tries == code.tries_max + 1));
    }
    // The try is counted in the statement that finds the link, so that many at once are not compared more often.
    let found = sqlx::query(
        "update identities set attempts = attempts + 1
         where code_id = $1 and channel = $2 and state = 'pending' and attempts < $3 and confirm_by > $4
         returning id, attempts, person, code_hash",
    )
    .bind(code.code_id)
    .bind(code.channel)
    .bind(code.tries_max)
    .bind(row::ms(code.now))
    .fetch_all(&mut **tx)
    .await?;
    let Some(found) = found.first() else { return Ok(CodeOutcome::Wrong(None)) };
    let (id, attempts): (String, i64) = (row::get(found, TABLE, "id")?, row::get(found, TABLE, "attempts")?);
    let person = PersonId(row::get(found, TABLE, "person")?);
    let kept: Option<String> = row::get(found, TABLE, "code_hash")?;
    if !bool::from(kept.unwrap_or_default().as_bytes().ct_eq(code.code_hash.as_bytes())) {
        let left = code.tries_max - attempts;
        if left == 0 {
            end(tx, &id, code.now, None, "", "too many wrong codes").await?;
        }
        return Ok(CodeOutcome::Wrong(Some((person, left))));
    }
    let waiting = select!("where id = $1").bind(id).fetch_one(&mut **tx).await?;
    let (tenant, user_id) = (code.tenant.to_owned(), code.user_id.to_owned());
    let waiting = IdentityRow { tenant, user_id, ..identity(&waiting)? };
    let by = waiting.person.as_str().to_owned();
    let (row, ended) = bind(tx, waiting, Proof { by: &by, at: code.now, expires_at: code.expires_at, hand: None }).await?;
    // Whoever came to the right code was mistyping; those slips count no more.
    sqlx::query("delete from identity_tries where channel = $1 and tenant = $2 and user_id = $3")
        .bind(code.channel)
        .bind(code.tenant)
        .bind(code.user_id)
        .execute(&mut **tx)
        .await?;
    Ok(CodeOutcome::Fits(Box::new(row), ended))
}

/// Counts a try of a chat user. Answers how many it has made since the window's start.
async fn count_try(tx: &mut Transaction<'_, Any>, code: CodeTry<'_>) -> Result<i64, StoreError> {
    let counted = sqlx::query(
        "insert into identity_tries (channel, tenant, user_id, since, tries) values ($1, $2, $3, $4, 1)
         on conflict (channel, tenant, user_id) do update set
             tries = case when identity_tries.since <= $5 then 1 else identity_tries.tries + 1 end,
             since = case when identity_tries.since <= $5 then $4 else identity_tries.since end
         returning channel, tries",
    )
    .bind(code.channel)
    .bind(code.tenant)
    .bind(code.user_id)
    .bind(row::ms(code.now))
    .bind(row::ms(code.window_start))
    .fetch_one(&mut **tx)
    .await?;
    row::get(&counted, "identity_tries", "tries")
}

/// Makes a waiting link hold, and ends what it replaces: the chat user's link to anybody, and the person's link to another
/// user of the same tenant.
async fn bind(
    tx: &mut Transaction<'_, Any>,
    waiting: IdentityRow,
    proof: Proof<'_>,
) -> Result<(IdentityRow, Vec<IdentityRow>), StoreError> {
    let replaced =
        select!("where channel = $1 and tenant = $2 and state = 'verified' and (user_id = $3 or person = $4) order by id")
            .bind(waiting.channel.clone())
            .bind(waiting.tenant.clone())
            .bind(waiting.user_id.clone())
            .bind(waiting.person.as_str().to_owned())
            .fetch_all(&mut **tx)
            .await?;
    let replaced = replaced.iter().map(identity).collect::<Result<Vec<_>, _>>()?;
    // Whoever did not ask for the new link does not know either what it ended.
    let own = waiting.made_by == waiting.person.as_str();
    for old in &replaced {
        let told = own && old.person == waiting.person;
        end(tx, &old.id, proof.at, told.then_some(proof.at), proof.by, "replaced").await?;
    }
    let told = own.then(|| row::ms(proof.at));
    // A command that named the chat user may have named its own: the person's yes does not make that hand theirs.
    let hand = proof.hand.filter(|_| !matches!(waiting.hand, Hand::MadeByCommand(_)));
    let done = sqlx::query(
        "update identities set state = 'verified', tenant = $1, user_id = $2, verified_at = $3, verified_by = $4,
             expires_at = $5, code_hash = null, told_at = $6, hand = coalesce($8, hand)
         where id = $7 and state = 'pending'",
    )
    .bind(waiting.tenant.clone())
    .bind(waiting.user_id.clone())
    .bind(row::ms(proof.at))
    .bind(row::clean(proof.by))
    .bind(row::ms(proof.expires_at))
    .bind(told)
    .bind(waiting.id.clone())
    .bind(hand.map(|hand| row::clean(&hand.recorded())))
    .execute(&mut **tx)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::Conflict);
    }
    let row = select!("where id = $1").bind(waiting.id).fetch_one(&mut **tx).await?;
    Ok((identity(&row)?, replaced))
}

async fn end(
    tx: &mut Transaction<'_, Any>,
    id: &str,
    at: Timestamp,
    told_at: Option<Timestamp>,
    by: &str,
    why: &str,
) -> Result<(), StoreError> {
    sqlx::query(
        "update identities set state = 'revoked', code_hash = null, ended_at = $1, ended_by = $2, ended_why = $3,
             told_at = $4
         where id = $5 and state <> 'revoked'",
    )
    .bind(row::ms(at))
    .bind(by)
    .bind(why)
    .bind(told_at.map(row::ms))
    .bind(id)
    .execute(&mut **tx)
    .await?;
    Ok(())
}

fn identity(r: &AnyRow) -> Result<IdentityRow, StoreError> {
    let state: String = row::get(r, TABLE, "state")?;
    let unknown = || row::corrupt(r, TABLE, "state", format!("{state:?} is no state").into());
    Ok(IdentityRow {
        id: row::get(r, TABLE, "id")?,
        channel: row::get(r, TABLE, "channel")?,
        tenant: row::get(r, TABLE, "tenant")?,
        user_id: row::get(r, TABLE, "user_id")?,
        person: PersonId(row::get(r, TABLE, "person")?),
        state: IdentityState::named(&state).ok_or_else(unknown)?,
        made_at: row::time(r, TABLE, "made_at")?,
        made_by: row::get(r, TABLE, "made_by")?,
        code_id: row::get(r, TABLE, "code_id")?,
        // Nobody but the trial of a code has a use for it.
        code_hash: None,
        attempts: row::get(r, TABLE, "attempts")?,
        confirm_by: row::time(r, TABLE, "confirm_by")?,
        verified_at: row::time_opt(r, TABLE, "verified_at")?,
        verified_by: row::get(r, TABLE, "verified_by")?,
        expires_at: row::time_opt(r, TABLE, "expires_at")?,
        ended_at: row::time_opt(r, TABLE, "ended_at")?,
        ended_by: row::get(r, TABLE, "ended_by")?,
        ended_why: row::get(r, TABLE, "ended_why")?,
        told_at: row::time_opt(r, TABLE, "told_at")?,
        hand: row::hand(r, TABLE)?,
    })
}
