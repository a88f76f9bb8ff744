//! What was handed over and may have arrived though nobody heard so, at a receiver that knows no key by which what is sent twice is one. It
//! may as well not have arrived, so it is sent again, but seldom: each time could be another copy.
//!
//! How often that was is read from the log, which a restart does not forget.

use serde_json::json;

use super::{Deliver, Delivered};
use crate::ports::Sender;
use crate::store::OutboxRow;

/// How often such a message is sent once more.
const AGAIN: usize = 2;

/// The log's entry of an attempt that may have arrived.
const LOST: &str = "outbox.lost";

/// The log's entry of a person who sends it once more; from then on is counted anew.
pub(super) const REPLAYED: &str = "outbox.replayed";

impl Deliver {
    /// An attempt was lost with all of its message on the way. Answers whether its destination may be sent to any further.
    pub(super) async fn lost(
        &self,
        sender: &dyn Sender,
        row: &OutboxRow,
        said: &str,
        done: &mut Delivered,
    ) -> anyhow::Result<bool> {
        let entry = self.entry(LOST, row, json!({ "attempt": row.attempts, "reason": said }));
        let subject = entry.subject.clone();
        self.store.enqueue(&[], &[entry]).await?;
        let log = self.store.list_audit_of(&subject).await?;
        let of_it = log.iter().rev().map(|logged| &logged.entry).filter(|entry| entry.detail["message"] == row.id.as_str());
        let times = of_it.take_while(|entry| entry.action != REPLAYED).filter(|entry| entry.action == LOST).count();
        let reason = format!("it may have arrived, and nobody knows ({times} times by now); the last time: {said}");
        if times <= AGAIN {
            return self.try_again(sender, row, &reason, None, done).await;
        }
        self.note_failed(sender, row, &reason).await?;
        self.bury(row, &format!("not sent again, for {reason}"), done).await?;
        Ok(true)
    }
}
