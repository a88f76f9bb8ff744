//! Taking out what is due, and when that is.

use std::time::Duration;

use jiff::Timestamp;
use sqlx::AssertSqlSafe;

use super::rows::{COLUMNS, OutboxRow, TABLE, outbox_row};
use crate::domain::outbox::OutboxKind;
use crate::store::{Store, StoreError, row};

impl Store {
    /// Takes out at most `limit` messages that are due, oldest first, and leases them: nobody else gets them before
    /// `lease_for` has passed.
    pub async fn claim_due(&self, now: Timestamp, limit: usize, lease_for: Duration) -> Result<Vec<OutboxRow>, StoreError> {
        self.claim("", &OutboxKind::ALL, now, limit, lease_for).await
    }

    /// Takes out the message of `kinds` to `channel` that has been due for longest, in the same way.
    pub async fn claim_due_to(
        &self,
        channel: &str,
        kinds: &[OutboxKind],
        now: Timestamp,
        lease_for: Duration,
    ) -> Result<Option<OutboxRow>, StoreError> {
        Ok(self.claim(channel, kinds, now, 1, lease_for).await?.pop())
    }

    async fn claim(
        &self,
        channel: &str,
        kinds: &[OutboxKind],
        now: Timestamp,
        limit: usize,
        lease_for: Duration,
    ) -> Result<Vec<OutboxRow>, StoreError> {
        let until = row::ms(now).saturating_add(i64::try_from(lease_for.as_millis()).unwrap_or(i64::MAX));
        let of_kinds = of_kinds(kinds);
        // The conditions stand twice because PostgreSQL looks again only at the outer ones after it waited for a row.
        let rows = sqlx::query(AssertSqlSafe(format!(
            "update outbox set lease_until = $1, attempts = attempts + 1
             where id in (
                 select o.id from outbox o
                 where o.state = 'pending' and o.due_at <= $2 and (o.lease_until is null or o.lease_until <= $2)
                   and ($4 = '' or o.channel = $4) and {of_kinds}
                   and not exists (
                       select e.id from outbox e
                       where e.channel = o.channel and e.lane = o.lane and e.lane <> '' and e.seq < o.seq
                         and e.state = 'pending'
                   )
                 order by o.due_at, o.id limit $3
             )
             and state = 'pending' and due_at <= $2 and (lease_until is null or lease_until <= $2)
             returning {COLUMNS}",
        )))
        .bind(until)
        .bind(row::ms(now))
        .bind(row::count(limit))
        .bind(channel)
        .fetch_all(&self.pool)
        .await?;
        let mut claimed = rows.iter().map(outbox_row).collect::<Result<Vec<_>, _>>()?;
        // What an update returns comes in no order.
        claimed.sort_by(|a, b| (a.due_at, &a.id).cmp(&(b.due_at, &b.id)));
        Ok(claimed)
    }

    /// Is a message that was taken out still in the hands of whoever took it? Each time it is taken out it has another attempt's
    /// number, and once it was settled it does not wait any more.
    pub async fn still_has(&self, row: &OutboxRow) -> Result<bool, StoreError> {
        let found = sqlx::query("select id from outbox where id = $1 and attempts = $2 and state = 'pending'")
            .bind(row.id.as_str())
            .bind(row.attempts)
            .fetch_optional(&self.pool)
            .await?;
        Ok(found.is_some())
    }

    /// From when a message of `kinds` to `channel` can be taken out; None when none waits that is not behind another one.
    pub async fn next_due_to(&self, channel: &str, kinds: &[OutboxKind]) -> Result<Option<Timestamp>, StoreError> {
        let next = sqlx::query(AssertSqlSafe(format!(
            "select 'next' as id, min(case when o.lease_until > o.due_at then o.lease_until else o.due_at end) as due_at
             from outbox o
             where o.state = 'pending' and o.channel = $1 and {}
               and not exists (
                   select e.id from outbox e
                   where e.channel = o.channel and e.lane = o.lane and e.lane <> '' and e.seq < o.seq
                     and e.state = 'pending'
               )",
            of_kinds(kinds)
        )))
        .bind(channel)
        .fetch_one(&self.pool)
        .await?;
        row::time_opt(&next, TABLE, "due_at")
    }

    /// Destinations to which something of `kinds` waits, by name.
    pub async fn list_waiting_channels(&self, kinds: &[OutboxKind]) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "select distinct o.channel as id from outbox o where o.state = 'pending' and {} order by o.channel",
            of_kinds(kinds)
        )))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(|r| row::get(r, TABLE, "id")).collect()
    }

    /// When the next message can be taken out; None when none waits.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let next = sqlx::query(
            "select 'next' as id, min(case when lease_until > due_at then lease_until else due_at end) as due_at
             from outbox where state = 'pending'",
        )
        .fetch_one(&self.pool)
        .await?;
        row::time_opt(&next, TABLE, "due_at")
    }
}

/// The condition that a row `o` is of one of `kinds`. A kind that we do not know counts as an approval, as it does where a row is
/// read ([`outbox_row`]).
fn of_kinds(kinds: &[OutboxKind]) -> String {
    // Safe: these names are our own, and of letters.
    let list = |kinds: &[OutboxKind]| kinds.iter().map(|kind| format!("'{}'", kind.name())).collect::<Vec<_>>().join(", ");
    let known = format!("case when o.kind in ({}) then o.kind else 'approved' end", list(&OutboxKind::ALL));
    if kinds.is_empty() { "1 = 0".to_owned() } else { format!("({known}) in ({})", list(kinds)) }
}
