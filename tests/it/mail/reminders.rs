//! Who is reminded of a case or asked next hears of it by mail too, as the log says: once for each step, and only while it is so.

use std::time::Duration;

use reeve::domain::audit::AuditEntry;
use reeve::domain::case::{Case, CaseState};
use reeve::domain::exception::ExceptionType;
use reeve::domain::ids::PersonId;
use reeve::domain::mute::{Mute, MuteScope};
use reeve::store::{NewMute, OutboxState};

use super::bench::Bench;
use crate::support::databases::databases;

#[tokio::test]
async fn whoever_was_told_and_has_an_address_gets_a_letter_for_each_step() {
    for db in databases().await {
        let bench = Bench::on(db, "").await;
        bench.waits("case.reminded", &["pia", "fay"], 26).await;
        assert_eq!(bench.send().await.sent, 1, "Fay has no address");
        let letter = bench.mailbox("pia").remove(0);
        let subject = letter.header("Subject");
        assert!(subject.contains("waits for a decision since 26 hours"), "{subject}");
        let words = letter.words();
        assert!(words.contains("At stake USD") && words.contains("Nothing is decided by waiting"), "{words}");
        assert!(words.contains("Look at it: https://reeve.example.com/look?"), "{words}");
        assert!(words.contains(&format!("cases%2F{}", bench.world.case.id)), "{words}");
        bench.waits("case.escalated", &["pia", "ari"], 50).await;
        bench.send().await;
        bench.try_again(3).await;
        assert_eq!((bench.mailbox("pia").len(), bench.mailbox("ari").len()), (2, 1));
        assert_eq!(bench.smtp.arrived().len(), 3);
    }
}

#[tokio::test]
async fn nobody_is_reminded_of_what_is_over() {
    let bench = Bench::new().await;
    bench.waits("case.reminded", &["pia"], 26).await;
    bench.write().await;
    assert_eq!(bench.count(OutboxState::Pending).await, 1);
    let (store, case) = (&bench.world.store, &bench.world.case);
    let case = store.get_case(&case.id).await.unwrap();
    let next = Case { state: CaseState::ResolvedItself, version: case.version + 1, ..case.clone() };
    let entry = AuditEntry::by_stage("detect", bench.world.clock.now(), "case.resolved", format!("case:{}", case.id));
    store.advance_case(&next, case.version, &[entry]).await.unwrap();
    bench.send().await;
    assert!(bench.smtp.arrived().is_empty(), "it was over before the letter left");
    bench.waits("case.reminded", &["pia"], 30).await;
    bench.send().await;
    assert!(bench.smtp.arrived().is_empty(), "and nothing more is written about it");
    assert_eq!(bench.count(OutboxState::Pending).await, 0);
}

#[tokio::test]
async fn what_was_muted_while_the_letter_waited_is_no_ones_concern_in_the_morning() {
    let bench = Bench::new().await;
    bench.later(Duration::from_hours(14));
    let (store, clock) = (&bench.world.store, &bench.world.clock);
    let detail = serde_json::json!({ "level": 1, "told": ["dan"], "waiting_hours": 26 });
    let entry = AuditEntry::by_stage("approve", clock.now(), "case.reminded", "case:c-4".to_owned()).with(detail);
    store.enqueue(&[], &[entry]).await.unwrap();
    bench.send().await;
    assert_eq!(bench.count(OutboxState::Pending).await, 1, "it waits for the morning");
    let (owner, until) = (PersonId::new("pia"), "2026-10-20".parse().unwrap());
    let mute = Mute::new(ExceptionType::ROver, MuteScope::All, owner, "known".into(), clock.now(), until);
    let today = "2026-10-09".parse().unwrap();
    store.insert_mute(&NewMute { mute: &mute, today, seen: None }, &[]).await.unwrap();
    bench.later(Duration::from_hours(60));
    bench.send().await;
    assert!(bench.smtp.arrived().is_empty(), "it was muted before the letter left");
    assert_eq!((bench.count(OutboxState::Pending).await, bench.count(OutboxState::Dead).await), (0, 0));
}

#[tokio::test]
async fn at_night_nobody_is_reminded() {
    let bench = Bench::new().await;
    bench.later(Duration::from_hours(14));
    bench.waits("case.escalated", &["dan"], 26).await;
    bench.send().await;
    assert!(bench.smtp.arrived().is_empty());
    // It is Friday evening: nobody is disturbed before Monday.
    bench.later(Duration::from_hours(60));
    bench.send().await;
    assert_eq!(bench.mailbox("dan").len(), 1);
}
