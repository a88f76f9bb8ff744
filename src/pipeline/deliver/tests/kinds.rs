//! Which sender a message leaves by.

use std::sync::Mutex;

use super::*;
use crate::pipeline::publish;
use crate::pipeline::publish::wire;

/// Takes what it is sent of one kind.
struct Taking(&'static [OutboxKind], Mutex<Vec<OutboxKind>>);

#[async_trait::async_trait]
impl Sender for Taking {
    fn name(&self) -> &'static str {
        "taking"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        self.0
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        self.1.lock().unwrap().push(message.kind);
        Ok(Receipt::unnamed(message.at))
    }

    fn knows(&self, destination: &str) -> bool {
        destination == WEBHOOK
    }

    fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
        now
    }
}

#[tokio::test]
async fn each_kind_goes_to_its_sender_and_one_that_nobody_sends_waits() {
    let (bench, deliver, _) = approved("http://127.0.0.1:9/", 3).await;
    let now = bench.it.clock.now();
    let told = wire::Stuck {
        idempotency_key: String::new(),
        destination: "wms".to_owned(),
        since: now,
        says: "fails".to_owned(),
        waiting: 1,
        dead: 0,
    };
    bench.it.store.enqueue(&[publish::stuck(told, WEBHOOK, now)], &[]).await.unwrap();
    bench.later(5);
    let of = |kinds| Arc::new(Taking(kinds, Mutex::default()));
    let (approvals, notices) = (of(&[OutboxKind::Approved]), of(&[OutboxKind::Stuck]));
    let one = Senders::only(Arc::clone(&approvals) as Arc<dyn Sender>);
    let deliver = Deliver { senders: one, ..deliver };
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!(deliver.due_in().await, None, "what waits has no sender, so nothing is due");
    let rows = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
    // No attempt is used up: it would otherwise be given up while nobody is there to send it.
    assert_eq!((rows.len(), rows[0].kind, rows[0].attempts), (1, OutboxKind::Stuck, 0));
    let both = Senders::new(vec![Arc::clone(&approvals) as Arc<dyn Sender>, Arc::clone(&notices) as _]).unwrap();
    let deliver = Deliver { senders: both, ..deliver };
    assert_eq!(deliver.due_in().await, Some(Duration::ZERO));
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    let got = |taking: &Taking| taking.1.lock().unwrap().clone();
    assert_eq!((got(&approvals), got(&notices)), (vec![OutboxKind::Approved], vec![OutboxKind::Stuck]));
}
