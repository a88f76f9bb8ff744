//! Who gets a message when, and what becomes of it.

use std::time::Duration;

use tokio::task::JoinSet;

use crate::domain::ids::CaseId;
use crate::domain::outbox::OutboxKind;
use crate::ports::Receipt;
use crate::store::testing::{at, entry, on_each, on_each_left_at};
use crate::store::{Change, NewOutbox, OutboxRow, OutboxState, Store, StoreError, Unsent};

const LEASE: Duration = Duration::from_mins(1);

fn message(id: &str, due: i64) -> NewOutbox {
    let body = format!(r#"{{"case":"{}"}}"#, CaseId::new(id));
    NewOutbox {
        id: id.to_owned(),
        kind: OutboxKind::Approved,
        channel: "webhook".to_owned(),
        body,
        created_at: at(0),
        due_at: at(due),
        lane: String::new(),
        about: String::new(),
        step: 1,
        expires_at: None,
        shows: String::new(),
    }
}

fn of_case(id: &str, case: &str, due: i64) -> NewOutbox {
    NewOutbox { lane: case.to_owned(), expires_at: Some(at(5_000)), ..message(id, due) }
}

async fn discard(store: &Store, id: &str, reason: &str, now: i64) -> Result<(), StoreError> {
    let row = store.find_outbox(id).await.unwrap().unwrap();
    let (unsent, entries) = (Unsent::Discarded { row: &row, reason, at: at(now) }, [entry("outbox.discarded")]);
    store.advance(Change { unsent: Some(unsent), entries: &entries, ..Change::default() }).await
}

async fn claimed(store: &Store, now: i64) -> Vec<String> {
    store.claim_due(at(now), 10, LEASE).await.unwrap().into_iter().map(|r| r.id).collect()
}

#[tokio::test]
async fn a_later_message_of_a_case_waits_for_the_earlier_one_and_other_cases_do_not() {
    on_each(|store| async move {
        // Put in in this order; the later one of case 1 is due first.
        for message in [of_case("z", "1", 50), of_case("a", "1", 0), of_case("m", "2", 0)] {
            store.enqueue(&[message], &[]).await.unwrap();
        }
        assert_eq!(claimed(&store, 10).await, ["m"], "its predecessor is not even due");
        assert_eq!(store.next_due_to("webhook", &OutboxKind::ALL).await.unwrap(), Some(at(50)));
        assert_eq!(claimed(&store, 60).await, ["z"]);
        assert!(claimed(&store, 60).await.is_empty(), "being sent is not acknowledged");
        let row = store.find_outbox("z").await.unwrap().unwrap();
        store.mark_retry(&row, at(500), "500").await.unwrap();
        assert!(claimed(&store, 499).await.is_empty(), "it failed, so the later one goes on waiting");
        let row = store.claim_due_to("webhook", &OutboxKind::ALL, at(500), LEASE).await.unwrap().unwrap();
        store.mark_dead(&row, at(501), "given up", &[]).await.unwrap();
        assert_eq!(claimed(&store, 502).await, ["a"], "given up, it holds nobody up");
        let row = store.find_outbox("a").await.unwrap().unwrap();
        store.mark_sent(&row, at(503), &Receipt::unnamed(at(503)), &[]).await.unwrap();
        let late = store.replay_dead("z", at(504), &[]).await;
        assert!(matches!(late, Err(StoreError::NotFound { .. })), "a later one has left: {late:?}");
        discard(&store, "z", "done by phone", 505).await.unwrap();
        assert!(store.list_dead().await.unwrap().is_empty());
        let row = store.find_outbox("z").await.unwrap().unwrap();
        assert_eq!((row.state, row.last_error.as_deref()), (OutboxState::Discarded, Some("done by phone")));
    })
    .await;
}

#[tokio::test]
async fn messages_of_the_last_release_are_given_their_kinds() {
    let of_type = |name: &str| format!(r#"{{"data":{{"note":"\"type\":\"x\""}},"id":"m","type":"reeve.{name}.v1"}}"#);
    let left = [
        ("a", of_type("recommendation.approved"), OutboxKind::Approved),
        ("b", of_type("recommendation.not_seen"), OutboxKind::NotSeen),
        ("c", of_type("delivery.stuck"), OutboxKind::Stuck),
        ("d", of_type("audit.anchor"), OutboxKind::Anchor),
        // What is none of ours has to be held against the log, and so does not leave.
        ("e", "{}".to_owned(), OutboxKind::Approved),
        // What an approval says in words makes it nothing else.
        ("f", of_type("recommendation.approved").replace('x', "reeve.audit.anchor.v1"), OutboxKind::Approved),
    ];
    on_each_left_at(10, |store| {
        let left = left.clone();
        async move {
            for (id, body, _) in &left {
                sqlx::query("insert into outbox (id, channel, body, created_at, due_at) values ($1, 'webhook', $2, 0, 0)")
                    .bind(*id)
                    .bind(body.as_str())
                    .execute(&store.pool)
                    .await
                    .unwrap();
            }
            store.migrate().await.unwrap();
            for (id, body, kind) in left {
                let row = store.find_outbox(id).await.unwrap().unwrap();
                assert_eq!((row.kind, row.body), (kind, body), "{id}");
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_message_is_of_the_kind_that_it_was_put_in_as_whatever_its_body_says() {
    on_each(|store| async move {
        for kind in OutboxKind::ALL {
            store.enqueue(&[NewOutbox { kind, ..message(kind.name(), 0) }], &[]).await.unwrap();
        }
        for row in store.claim_due(at(0), 10, LEASE).await.unwrap() {
            assert_eq!(row.kind.name(), row.id);
        }
    })
    .await;
}

#[tokio::test]
async fn each_sender_gets_its_kinds_and_what_has_no_known_kind_goes_with_approvals() {
    on_each(|store| async move {
        let about = |id: &str, kind| NewOutbox { kind, ..message(id, 7) };
        store.enqueue(&[about("a", OutboxKind::Approved), about("s", OutboxKind::Stuck)], &[]).await.unwrap();
        store.enqueue(&[about("x", OutboxKind::Approved)], &[]).await.unwrap();
        sqlx::query("update outbox set kind = 'of a later release' where id = 'x'").execute(&store.pool).await.unwrap();
        let nobody: &[OutboxKind] = &[];
        let [approved, stuck, anchor] = [OutboxKind::Approved, OutboxKind::Stuck, OutboxKind::Anchor].map(|kind| [kind]);
        for (kinds, waits) in [(nobody, false), (&anchor, false), (&approved, true), (&stuck, true)] {
            assert_eq!(store.list_waiting_channels(kinds).await.unwrap().is_empty(), !waits, "{kinds:?}");
            assert_eq!(store.next_due_to("webhook", kinds).await.unwrap(), waits.then(|| at(7)), "{kinds:?}");
        }
        let mut claimed = Vec::new();
        for kinds in [&stuck, &stuck, &approved, &approved, &approved] {
            claimed.push(store.claim_due_to("webhook", kinds, at(7), LEASE).await.unwrap().map(|row| row.id));
        }
        assert_eq!(claimed, [Some("s".to_owned()), None, Some("a".to_owned()), Some("x".to_owned()), None]);
    })
    .await;
}

#[tokio::test]
async fn only_what_nobody_is_sending_can_be_discarded_or_has_expired() {
    on_each(|store| async move {
        store.enqueue(&[of_case("a", "1", 0), message("b", 0)], &[]).await.unwrap();
        assert!(store.list_expired(at(4_999), 10).await.unwrap().is_empty());
        assert_eq!(store.list_expired(at(5_000), 10).await.unwrap()[0].id, "a");
        assert_eq!(claimed(&store, 5_000).await, ["a", "b"]);
        assert!(store.list_expired(at(5_000), 10).await.unwrap().is_empty());
        let sending = discard(&store, "b", "no", 5_000).await;
        assert!(matches!(sending, Err(StoreError::NotFound { .. })), "{sending:?}");
        discard(&store, "b", "no", 65_000).await.unwrap();
        assert!(matches!(discard(&store, "b", "no", 65_000).await, Err(StoreError::NotFound { .. })));
        assert_eq!(store.list_waiting_channels(&OutboxKind::ALL).await.unwrap(), ["webhook"]);
    })
    .await;
}

#[tokio::test]
async fn a_message_leaves_when_it_is_due_and_once() {
    on_each(|store| async move {
        store.enqueue(&[message("b", 100), message("a", 100), message("c", 900)], &[]).await.unwrap();
        store.enqueue(&[message("a", 0)], &[]).await.unwrap();
        assert_eq!(store.next_due().await.unwrap(), Some(at(100)));
        assert!(store.claim_due(at(99), 10, LEASE).await.unwrap().is_empty());
        let claimed = store.claim_due(at(100), 10, LEASE).await.unwrap();
        assert_eq!(claimed.iter().map(|r| r.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
        assert!(store.claim_due(at(100), 10, LEASE).await.unwrap().is_empty(), "leased");
        let receipt = Receipt { reference: Some("exec-7".to_owned()), at: at(9_000) };
        store.mark_sent(&claimed[0], at(101), &receipt, &[entry("message.sent")]).await.unwrap();
        let sent = store.list_outbox(OutboxState::Sent).await.unwrap();
        assert_eq!((sent[0].receipt.as_ref(), store.list_arrived(9).await.unwrap()), (Some(&receipt), sent.clone()));
        assert_eq!((sent[0].id.as_str(), sent[0].sent_at, sent[0].attempts), ("a", Some(at(101)), 1));
        assert_eq!(store.list_outbox(OutboxState::Pending).await.unwrap().len(), 2);
        assert_eq!(store.next_due().await.unwrap(), Some(at(900)));
    })
    .await;
}

#[tokio::test]
async fn what_a_killed_process_was_sending_comes_back_and_its_late_answer_is_refused() {
    on_each(|store| async move {
        store.enqueue(&[message("a", 0)], &[]).await.unwrap();
        let first = store.claim_due(at(0), 1, LEASE).await.unwrap().remove(0);
        assert!(store.claim_due(at(59_999), 1, LEASE).await.unwrap().is_empty());
        let second = store.claim_due(at(60_000), 1, LEASE).await.unwrap().remove(0);
        assert_eq!(second.attempts, 2);
        assert!(matches!(store.mark_retry(&first, at(70_000), "late").await, Err(StoreError::Conflict)));
        assert!(!store.still_has(&first).await.unwrap(), "so it does not send it either");
        store.mark_retry(&second, at(70_000), "503").await.unwrap();
        let row = store.find_outbox("a").await.unwrap().unwrap();
        assert_eq!((row.due_at, row.last_error.as_deref(), row.lease_until), (at(70_000), Some("503"), None));
    })
    .await;
}

#[tokio::test]
async fn what_was_taken_out_and_not_tried_is_as_it_was() {
    on_each(|store| async move {
        store.enqueue(&[message("a", 0)], &[]).await.unwrap();
        let first = store.claim_due(at(0), 1, LEASE).await.unwrap().remove(0);
        store.put_back(&first).await.unwrap();
        assert!(matches!(store.put_back(&first).await, Err(StoreError::Conflict)), "it is not ours any more");
        let row = store.find_outbox("a").await.unwrap().unwrap();
        assert_eq!((row.attempts, row.lease_until, row.due_at), (0, None, at(0)));
        assert_eq!(store.claim_due(at(0), 1, LEASE).await.unwrap()[0].attempts, 1);
    })
    .await;
}

#[tokio::test]
async fn a_message_can_be_taken_back_until_somebody_takes_it_out() {
    on_each(|store| async move {
        store.enqueue(&[message("a", 0), message("b", 0)], &[]).await.unwrap();
        assert!(store.cancel("a", &[entry("undone")]).await.unwrap());
        assert!(!store.cancel("a", &[entry("undone")]).await.unwrap(), "only once");
        let claimed = store.claim_due(at(0), 10, LEASE).await.unwrap();
        assert_eq!(claimed.len(), 1);
        assert!(!store.cancel("b", &[entry("undone")]).await.unwrap());
        store.mark_retry(&claimed[0], at(5), "timed out").await.unwrap();
        assert!(!store.cancel("b", &[entry("undone")]).await.unwrap(), "it may have arrived");
        assert_eq!(store.verify_audit().await.unwrap().0, 1);
    })
    .await;
}

#[tokio::test]
async fn taking_back_and_taking_out_at_once_never_both_succeed() {
    on_each(|store| async move {
        for round in 0..20 {
            let id = format!("m{round}");
            store.enqueue(&[message(&id, 0)], &[]).await.unwrap();
            let (a, b) = (store.clone(), store.clone());
            let cancelling = id.clone();
            let (cancelled, claimed) = tokio::join!(a.cancel(&cancelling, &[]), b.claim_due(at(0), 10, LEASE));
            let (cancelled, claimed) = (cancelled.unwrap(), claimed.unwrap());
            assert_eq!(cancelled, claimed.is_empty(), "round {round}: exactly one of them has it");
        }
    })
    .await;
}

#[tokio::test]
async fn two_who_take_out_at_once_never_get_the_same() {
    on_each(|store| async move {
        let messages: Vec<NewOutbox> = (0..30).map(|i| message(&format!("m{i:02}"), i)).collect();
        store.enqueue(&messages, &[]).await.unwrap();
        let mut takers = JoinSet::new();
        for _ in 0..3 {
            let store = store.clone();
            takers.spawn(async move {
                let mut mine = Vec::new();
                for _ in 0..10 {
                    mine.extend(store.claim_due(at(100), 3, LEASE).await.unwrap());
                }
                mine
            });
        }
        let mut taken: Vec<String> = takers.join_all().await.into_iter().flatten().map(|r| r.id).collect();
        taken.sort();
        assert_eq!(taken, messages.iter().map(|m| m.id.clone()).collect::<Vec<_>>());
    })
    .await;
}

async fn kill(store: &Store, id: &str) {
    store.enqueue(&[message(id, 0)], &[]).await.unwrap();
    let row = store.claim_due(at(0), 1, LEASE).await.unwrap().remove(0);
    store.mark_dead(&row, at(7), "410 gone", &[entry("message.given_up")]).await.unwrap();
}

#[tokio::test]
async fn a_dead_letter_keeps_its_reason_and_can_be_sent_again() {
    on_each(|store| async move {
        kill(&store, "a").await;
        let dead = store.list_dead().await.unwrap();
        assert_eq!((dead[0].reason.as_str(), dead[0].died_at), ("410 gone", at(7)));
        assert_eq!(store.next_due().await.unwrap(), None);
        store.replay_dead("a", at(8), &[entry("message.replayed")]).await.unwrap();
        assert!(store.list_dead().await.unwrap().is_empty());
        assert_eq!(store.claim_due(at(8), 1, LEASE).await.unwrap()[0].attempts, 1);
        let again = store.replay_dead("a", at(9), &[]).await;
        assert!(matches!(again, Err(StoreError::NotFound { .. })), "{again:?}");
    })
    .await;
}

#[tokio::test]
async fn what_has_expired_is_a_dead_letter_for_good_and_a_step_that_fails_leaves_it_alone() {
    on_each(|store| async move {
        store.enqueue(&[of_case("a", "1", 0)], &[]).await.unwrap();
        assert_eq!(claimed(&store, 0).await, ["a"]);
        let seen = store.find_outbox("a").await.unwrap().unwrap();
        store.mark_dead(&seen, at(10), "410 gone", &[]).await.unwrap();
        store.replay_dead("a", at(4_999), &[]).await.unwrap();
        let expire = async |row: &OutboxRow| {
            let unsent = Unsent::Expired { row, reason: "too late", at: at(5_000) };
            store.advance(Change { unsent: Some(unsent), ..Change::default() }).await
        };
        let stale = expire(&seen).await;
        assert!(matches!(stale, Err(StoreError::Conflict)), "it was moved since: {stale:?}");
        let row = store.find_outbox("a").await.unwrap().unwrap();
        assert_eq!(row.state, OutboxState::Pending);
        expire(&row).await.unwrap();
        let late = store.replay_dead("a", at(5_000), &[]).await;
        assert!(matches!(late, Err(StoreError::NotFound { .. })), "{late:?}");
        assert_eq!(store.list_dead().await.unwrap()[0].reason, "too late");
        discard(&store, "a", "done by phone", 5_001).await.unwrap();
        assert!(store.list_dead().await.unwrap().is_empty());
    })
    .await;
}
