//! What executors report of hand-offs, each report kept as it came before it is acknowledged. The newest counts.

use jiff::Timestamp;
use sqlx::AssertSqlSafe;
use sqlx::any::AnyRow;

use super::outbox::{COLUMNS, outbox_row};
use super::{Kept, OutboxRow, Store, StoreError, audit, row};
use crate::domain::audit::AuditEntry;

/// What became of a hand-off, in the executor's word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reported {
    /// It is there and will be looked at.
    Accepted,
    /// Done.
    CarriedOut,
    /// Done in part.
    Partly,
    /// Not done and not going to be.
    NotCarriedOut,
    /// Done and taken back.
    Undone,
}

impl Reported {
    /// Every one.
    pub const ALL: [Self; 5] = [Self::Accepted, Self::CarriedOut, Self::Partly, Self::NotCarriedOut, Self::Undone];

    /// The name in the store and on the wire.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::CarriedOut => "carried_out",
            Self::Partly => "partly",
            Self::NotCarriedOut => "not_carried_out",
            Self::Undone => "undone",
        }
    }
}

/// An executor's report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// `<destination>/<the id of its call>`.
    pub id: String,
    /// The message that it is about.
    pub message_id: String,
    /// Who says so.
    pub destination: String,
    /// What.
    pub state: Reported,
    /// In words. Text from outside: shown, never obeyed.
    pub note: String,
    /// The executor's own number for it: an order, a ticket. Text from outside.
    pub reference: String,
    /// When it happened, by the executor's clock.
    pub said_at: Option<Timestamp>,
    /// When it came.
    pub received_at: Timestamp,
}

const TABLE: &str = "hand_off_reports";

impl Store {
    /// Keeps a report with its audit entry. `hash` is that of the call's body: the same id with another one is another report.
    pub async fn keep_report(&self, report: &Report, hash: &str, entry: &AuditEntry) -> Result<Kept, StoreError> {
        let mut tx = self.begin().await?;
        let done = sqlx::query(
            "insert into hand_off_reports
                 (id, message_id, destination, state, note, reference, said_at, received_at, hash, seq)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9,
                 (select coalesce(max(e.seq), 0) + 1 from hand_off_reports e where e.message_id = $2))
             on conflict (id) do nothing",
        )
        .bind(report.id.as_str())
        .bind(report.message_id.as_str())
        .bind(report.destination.as_str())
        .bind(report.state.name())
        .bind(row::clean(&report.note))
        .bind(row::clean(&report.reference))
        .bind(report.said_at.map(row::ms))
        .bind(row::ms(report.received_at))
        .bind(hash)
        .execute(&mut *tx)
        .await?;
        if done.rows_affected() > 0 {
            audit::append(&mut tx, std::slice::from_ref(entry)).await?;
            tx.commit().await?;
            return Ok(Kept::New);
        }
        // It came before. A call that is repeated is answered alike; one that says something else under the same id is told
        // apart.
        let there = sqlx::query("select id, message_id, hash from hand_off_reports where id = $1")
            .bind(report.id.as_str())
            .fetch_one(&mut *tx)
            .await?;
        let same = row::get::<&str>(&there, TABLE, "hash")? == hash
            && row::get::<&str>(&there, TABLE, "message_id")? == report.message_id;
        Ok(if same { Kept::Same } else { Kept::Other })
    }

    /// The reports of a recommendation's hand-offs, message by message, of each in the order in which they came: a clock that was
    /// set back in between does not turn them round.
    pub async fn list_reports_about(&self, recommendation: &str) -> Result<Vec<Report>, StoreError> {
        let rows = sqlx::query(
            "select r.id, r.message_id, r.destination, r.state, r.note, r.reference, r.said_at, r.received_at
             from hand_off_reports r join outbox o on o.id = r.message_id
             where o.about = $1 order by o.created_at, o.seq, o.id, r.seq, r.id",
        )
        .bind(recommendation)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(report).collect()
    }

    /// Messages that an executor has reported on while they count as not delivered: their acknowledgement was lost. One that was
    /// discarded meanwhile had arrived too.
    pub async fn list_reported_unsent(&self, now: Timestamp) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "select {COLUMNS}
             from outbox
             where state in ('pending', 'dead', 'discarded') and attempts > 0 and (lease_until is null or lease_until <= $1)
               and exists (select r.id from hand_off_reports r where r.message_id = outbox.id)
             order by created_at, id",
        )))
        .bind(row::ms(now))
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(outbox_row).collect()
    }

    /// The messages about a recommendation, oldest first.
    pub async fn list_outbox_about(&self, recommendation: &str) -> Result<Vec<OutboxRow>, StoreError> {
        let rows = sqlx::query(AssertSqlSafe(format!(
            "select {COLUMNS}
             from outbox where about = $1 order by created_at, step, seq, id",
        )))
        .bind(recommendation)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(outbox_row).collect()
    }
}

fn report(r: &AnyRow) -> Result<Report, StoreError> {
    let name: &str = row::get(r, TABLE, "state")?;
    let state = Reported::ALL.into_iter().find(|s| s.name() == name);
    Ok(Report {
        id: row::get(r, TABLE, "id")?,
        message_id: row::get(r, TABLE, "message_id")?,
        destination: row::get(r, TABLE, "destination")?,
        state: state.ok_or_else(|| row::corrupt(r, TABLE, "state", format!("{name:?} is no state").into()))?,
        note: row::get(r, TABLE, "note")?,
        reference: row::get(r, TABLE, "reference")?,
        said_at: row::time_opt(r, TABLE, "said_at")?,
        received_at: row::time(r, TABLE, "received_at")?,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Report, Reported};
    use crate::domain::outbox::OutboxKind;
    use crate::store::testing::{at, entry, on_each};
    use crate::store::{Kept, NewOutbox};

    fn said(id: &str, state: Reported) -> Report {
        Report {
            id: format!("webhook/{id}"),
            message_id: "m1".to_owned(),
            destination: "webhook".to_owned(),
            state,
            note: "as agreed \0".to_owned(),
            reference: "P00051".to_owned(),
            said_at: Some(at(5)),
            received_at: at(10),
        }
    }

    #[tokio::test]
    async fn a_report_is_kept_once_with_its_entry_and_another_under_its_id_is_told_apart() {
        on_each(|store| async move {
            let message = NewOutbox {
                id: "m1".to_owned(),
                kind: OutboxKind::Approved,
                channel: "webhook".to_owned(),
                body: "{}".to_owned(),
                created_at: at(0),
                due_at: at(0),
                lane: "case-1".to_owned(),
                about: "r-1".to_owned(),
                step: 1,
                expires_at: None,
                shows: String::new(),
            };
            store.enqueue(&[message], &[]).await.unwrap();
            let log = entry("hand_off.reported");
            let keep = async |id: &str, state, hash: &str| store.keep_report(&said(id, state), hash, &log).await.unwrap();
            assert_eq!(keep("1", Reported::Accepted, "h1").await, Kept::New);
            assert_eq!(keep("1", Reported::Accepted, "h1").await, Kept::Same);
            assert_eq!(keep("1", Reported::CarriedOut, "h2").await, Kept::Other);
            assert_eq!(keep("2", Reported::CarriedOut, "h2").await, Kept::New);
            let all = store.list_reports_about("r-1").await.unwrap();
            assert_eq!(all.iter().map(|r| r.state).collect::<Vec<_>>(), [Reported::Accepted, Reported::CarriedOut]);
            assert_eq!((all[0].note.as_str(), all[0].said_at), ("as agreed \u{fffd}", Some(at(5))));
            assert_eq!(store.verify_audit().await.unwrap().0, 2);
            // The clock was set back before the last one came.
            let last = Report { received_at: at(1), ..said("3", Reported::Undone) };
            assert_eq!(store.keep_report(&last, "h3", &log).await.unwrap(), Kept::New);
            let all = store.list_reports_about("r-1").await.unwrap();
            assert_eq!(all.last().unwrap().state, Reported::Undone);

            assert!(store.list_reported_unsent(at(10)).await.unwrap().is_empty(), "it was never sent");
            let row = store.claim_due(at(10), 1, Duration::from_millis(5)).await.unwrap().remove(0);
            assert!(store.list_reported_unsent(at(11)).await.unwrap().is_empty(), "it is being sent");
            assert_eq!(store.list_reported_unsent(at(15)).await.unwrap(), [row]);
        })
        .await;
    }
}
