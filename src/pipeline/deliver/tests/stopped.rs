//! A stop: nothing leaves, to the last moment, what expires ends as ever, and what waited leaves once.

use super::*;
use crate::pipeline::stop;

async fn stop_it(deliver: &Deliver) {
    let by = (&PersonId::new("pia"), "web");
    let (_, is_new) = stop::stop(&deliver.store, &deliver.config, &deliver.clock, by, "wrong prices").await.unwrap();
    assert!(is_new);
}

async fn resume(deliver: &Deliver) {
    let by = (&PersonId::new("ari"), "web");
    stop::resume(&deliver.store, &deliver.config, &deliver.clock, by, "prices are right").await.unwrap();
}

#[tokio::test]
async fn what_is_due_waits_untouched_while_reeve_is_stopped_and_leaves_once_after_it() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, id) = approved(&url, 3).await;
    stop_it(&deliver).await;
    bench.later(60);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
    assert_eq!(deliver.due_in().await, None, "it looks by its period and not again and again");
    let waiting = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
    assert_eq!((waiting.len(), waiting[0].attempts, receiver.got().len()), (1, 0, 0));
    let seen = stuck::picture(&bench.it.store, &deliver.config, bench.it.clock.now()).await.unwrap();
    assert!(seen.stopped.as_ref().is_some_and(|said| said.contains("Pia") && said.contains("wrong prices")), "{seen:?}");
    assert!(!seen.destinations[0].down, "a destination is not to blame for a stop");
    assert!(seen.held[0].why.contains("stopped"), "{seen:?}");
    resume(&deliver).await;
    let seen = stuck::picture(&bench.it.store, &deliver.config, bench.it.clock.now()).await.unwrap();
    assert!(seen.stopped.is_none() && !seen.destinations[0].down, "{seen:?}");
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
    assert_eq!((receiver.got().len(), bench.state(&id).await.as_str()), (1, "handed_off"));
}

#[tokio::test]
async fn a_stop_between_taking_a_message_out_and_sending_it_holds_it_back() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, _) = approved(&url, 3).await;
    bench.later(5);
    let now = bench.it.clock.now();
    let row = deliver.store.claim_due_to(WEBHOOK, &OutboxKind::ALL, now, Duration::from_mins(1)).await.unwrap().unwrap();
    stop_it(&deliver).await;
    let sender = deliver.senders.of(row.kind).unwrap();
    let mut done = Delivered::default();
    assert!(!deliver.send(sender, &row, &mut done).await.unwrap(), "nothing more is sent there");
    let row = deliver.store.find_outbox(&row.id).await.unwrap().unwrap();
    assert_eq!((row.attempts, row.lease_until, row.state), (0, None, OutboxState::Pending), "it was not tried");
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn a_file_stops_too_and_no_command_takes_it_away() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, _) = approved(&url, 3).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("stop");
    let mut config = (*deliver.config).clone();
    config.safety.stop_file.clone_from(&file);
    let deliver = Deliver { config: Arc::new(config), ..deliver };
    bench.later(5);
    std::fs::write(&file, "").unwrap();
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
    let by = (&PersonId::new("ari"), "web");
    let done = stop::resume(&deliver.store, &deliver.config, &deliver.clock, by, "").await.unwrap();
    assert_eq!(done.ended, None);
    assert!(done.file.is_some_and(|file| file.says().contains("remove the file")));
    // Where its folder can not be looked into, nobody can say that it is not there.
    std::fs::remove_file(&file).unwrap();
    std::fs::write(folder.path().join("no-folder"), "").unwrap();
    let mut config = (*deliver.config).clone();
    config.safety.stop_file = folder.path().join("no-folder/stop");
    let unsure = Deliver { config: Arc::new(config), ..deliver.clone() };
    assert_eq!(unsure.run_once().await.unwrap(), delivered(0, 0, 0));
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn what_expires_while_reeve_is_stopped_ends_as_ever_and_the_fallback_is_told_nothing() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, id) = approved(&url, 3).await;
    let mut config = (*deliver.config).clone();
    config.delivery.fallback = "phone".to_owned();
    let deliver = Deliver { config: Arc::new(config), ..deliver };
    deliver
        .store
        .disable_destination(
            WEBHOOK,
            bench.it.clock.now(),
            "410",
            &deliver.destination_entry("destination.disabled", WEBHOOK, json!({})),
        )
        .await
        .unwrap();
    stop_it(&deliver).await;
    bench.later(60 * 24 * 30);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 1));
    assert_eq!(bench.state(&id).await, "not_carried_out");
    assert!(deliver.store.list_outbox(OutboxState::Pending).await.unwrap().is_empty(), "nobody is told of an outage");
    assert!(receiver.got().is_empty());
}
