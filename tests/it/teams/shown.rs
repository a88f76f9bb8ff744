//! What is shown and when: once, in place, to whom it is meant for.

use std::time::Duration;

use reeve::config::Config;
use reeve::domain::audit::AuditEntry;
use reeve::domain::ids::PersonId;
use reeve::pipeline::stop;
use reeve::store::OutboxState;
use reeve_testing::teams::{CHANNEL, Fault};

use super::bench::{ARI, Bench, EVE, FAY};
use crate::support::databases::databases;

#[tokio::test]
async fn a_case_is_put_up_once_and_what_does_not_change_is_not_sent_again() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    assert!(card.shown().contains("https://reeve.example.com/cases/c-00112233aabbccdd"));
    assert!(!card.activity["summary"].as_str().unwrap().is_empty());
    for _ in 0..3 {
        bench.show().await;
    }
    assert_eq!((bench.cards()[0].updates, bench.teams.calls("begin").len()), (0, 1));
    let shows = format!("case:{}", bench.world.case.id);
    let row = bench.world.store.find_showing("teams", &shows).await.unwrap().unwrap();
    assert_eq!(row.receipt.unwrap().reference.unwrap(), format!("{CHANNEL};messageid={}/{}", card.id, card.id));
}

#[tokio::test]
async fn while_reeve_is_stopped_nothing_leaves_and_presses_count() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let (store, config, clock) = (&bench.world.store, &bench.world.state.config, &bench.world.clock);
    let by = PersonId::new("ari");
    stop::stop(store, config, clock, (&by, "web"), "wrong prices").await.unwrap();
    bench.press(ARI, &card, "reeve.approve", &[]).await;
    assert_eq!(bench.state_of_first().await, "approved", "people may decide");
    bench.show().await;
    assert_eq!(bench.cards()[0].updates, 0);
    stop::resume(store, config, clock, (&by, "web"), "").await.unwrap();
    assert!(bench.card().await.shown().contains("approved by Ari Approver"));
}

#[tokio::test]
async fn whoever_is_asked_next_is_told_under_the_card_once() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let detail = serde_json::json!({ "level": 1, "told": ["ari", "dan"], "waiting_hours": 9 });
    let subject = format!("case:{}", bench.world.case.id);
    let now = bench.world.clock.now();
    let entry = AuditEntry::by_stage("approve", now, "case.escalated", subject).with(detail);
    bench.world.store.append_audit(&[entry]).await.unwrap();
    bench.show().await;
    bench.show().await;
    let said = bench.teams.posted().pop().unwrap();
    assert_eq!(said.conversation, card.conversation, "in the thread of the card");
    assert!(said.shown().contains("40 of 100 units") && said.shown().contains("since 9 hours"), "{}", said.shown());
    let entities = said.card()["msteams"]["entities"].as_array().unwrap();
    assert_eq!(entities.len(), 1, "who is not linked is told on the page");
    assert_eq!((&entities[0]["mentioned"]["id"], &entities[0]["text"]), (&ARI.into(), &"<at>Ari Approver</at>".into()));
    assert_eq!(said.card()["body"][0]["text"], "<at>Ari Approver</at>");
    assert_eq!(bench.teams.posted().len(), 2, "once");
}

#[tokio::test]
async fn the_digest_is_shown_once_for_each_destination_and_day() {
    for db in databases().await {
        let bench = Bench::on(db, |config: &mut Config, _| {
            config.teams.digest = vec!["channel".into(), FAY.into(), EVE.into()];
        })
        .await;
        // Fay has spoken to the bot; with Eve it begins a conversation.
        bench.tell_bot(&bench.teams.install(FAY, true)).await;
        bench.world.clock.set("2026-10-08T09:00:00Z".parse().unwrap());
        for _ in 0..3 {
            bench.show().await;
        }
        let is_digest = |posted: &reeve_testing::teams::Posted| posted.shown().contains("Reeve, 2026-10-08");
        let digests: Vec<_> = bench.teams.posted().into_iter().filter(is_digest).collect();
        let mut wheres: Vec<&str> = digests.iter().map(|digest| digest.conversation.split(';').next().unwrap()).collect();
        wheres.sort_unstable();
        assert_eq!(wheres, [CHANNEL, "a:talk-1", "a:talk-2"]);
        assert!(digests[0].shown().contains("1 case worth deciding"), "{}", digests[0].shown());
        assert_eq!(bench.teams.calls("begin").len(), 3, "a card, a digest, and a conversation");
        bench.later(Duration::from_hours(3));
        bench.show().await;
        assert_eq!(bench.teams.posted().iter().filter(|posted| is_digest(posted)).count(), 3);
    }
}

#[tokio::test]
async fn a_workflow_gets_the_digest_without_buttons_and_its_address_is_told_to_nobody() {
    let db = databases().await.remove(0);
    let bench = Bench::on(db, |config: &mut Config, _| {
        config.teams.digest = vec![];
        let token = config.teams.token_url.clone();
        let host = token.split("/{tenant}").next().unwrap();
        config.teams.workflow_url = secrecy::SecretString::from(format!("{host}/workflow/s3cr3t-path?sig=s3cr3t"));
    })
    .await;
    bench.world.clock.set("2026-10-08T09:00:00Z".parse().unwrap());
    bench.teams.fail("workflow", Fault::Drop);
    bench.teams.fail("workflow", Fault::Status(502));
    bench.show().await;
    let waits = bench.world.store.list_outbox(OutboxState::Pending).await.unwrap();
    let error = waits.iter().find(|row| row.channel == "teams:workflow").unwrap().last_error.clone().unwrap();
    assert!(!error.contains("s3cr3t"), "{error}");
    for _ in 0..3 {
        bench.later(Duration::from_mins(6));
        bench.show().await;
    }
    let posted = bench.teams.calls("workflow");
    assert_eq!(posted.len(), 3, "once it was taken, nothing more");
    let card = &posted[2]["attachments"][0]["content"];
    assert!(card.to_string().contains("1 case worth deciding") && !card.to_string().contains("Action.Execute"), "{card}");
    assert!(card.to_string().contains("https://reeve.example.com/cases/"), "it leads to the page");
}
