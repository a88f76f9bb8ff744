//! When the mail server is slow, away or says no, and when a process dies in the middle: nothing is lost, every mailbox keeps a letter once,
//! and what will never be taken is a dead letter with the reason.

use std::time::Duration;

use reeve::domain::ids::PersonId;
use reeve::pipeline::{Progress, Stage as _};
use reeve::store::OutboxState;
use reeve_testing::smtp::{CA_FILE, Fault, Smtp, Verb, Way};

use super::bench::{Bench, settings, stages};
use super::digest::PLANNERS;
use crate::support::databases::databases;

/// How the server may fail for a while.
const PASSING: [(Verb, Fault); 16] = [
    (Verb::Connect, Fault::Drop),
    (Verb::Connect, Fault::Hang),
    (Verb::Connect, Fault::Says("421 4.3.2 closing")),
    (Verb::Mail, Fault::Says("451 4.3.0 try later")),
    (Verb::Mail, Fault::Drop),
    (Verb::Rcpt, Fault::Says("450 4.2.0 greylisted, come back")),
    (Verb::Rcpt, Fault::Says("421 4.3.2 closing")),
    (Verb::Rcpt, Fault::Hang),
    (Verb::Data, Fault::Says("452 4.3.1 no room")),
    (Verb::Data, Fault::Drop),
    (Verb::Letter, Fault::Says("451 4.3.0 try later")),
    (Verb::Letter, Fault::Drop),
    (Verb::Letter, Fault::Hang),
    (Verb::Letter, Fault::LoseAnswer),
    (Verb::Rcpt, Fault::LoseAnswer),
    (Verb::Connect, Fault::LoseAnswer),
];

#[tokio::test]
async fn what_passes_is_tried_again_and_kept_once() {
    for (verb, fault) in PASSING {
        let bench = Bench::new().await;
        bench.make(None, |_| {}).await;
        bench.smtp.fail(verb, fault);
        bench.send().await;
        bench.try_again(2).await;
        assert_eq!((bench.mailbox("dan").len(), bench.smtp.faults_left()), (1, 0), "{verb:?} {fault:?}");
        assert_eq!(bench.count(OutboxState::Dead).await, 0, "{verb:?} {fault:?}");
        assert_eq!(bench.count(OutboxState::Sent).await, 1, "{verb:?} {fault:?}");
    }
}

#[tokio::test]
async fn a_letter_whose_answer_was_lost_comes_again_byte_for_byte() {
    for db in databases().await {
        let bench = Bench::on(db, "").await;
        bench.make(None, |_| {}).await;
        bench.smtp.fail(Verb::Letter, Fault::LoseAnswer);
        bench.send().await;
        bench.try_again(1).await;
        let arrived = bench.smtp.arrived();
        assert_eq!(arrived.len(), 2);
        assert_eq!(arrived[0], arrived[1], "a mailbox knows it by its Message-ID, and it is the same");
        assert!(arrived[0].header("Message-ID").starts_with("<reeve-"), "{}", arrived[0].header("Message-ID"));
        assert_eq!(bench.mailbox("dan").len(), 1);
    }
}

#[tokio::test]
async fn a_server_that_takes_letters_and_never_says_so_gets_three_at_most() {
    for db in databases().await {
        let smtp = Smtp::start().await;
        let text = settings(&smtp, "").replace("letter_timeout = \"4s\"", "letter_timeout = \"300ms\"");
        let bench = Bench::of(db, smtp, &text).await;
        bench.make(None, |_| {}).await;
        // A harmless failure between does not make anybody forget how often it may have arrived.
        bench.smtp.fail(Verb::Rcpt, Fault::Says("450 4.2.0 greylisted, come back"));
        for _ in 0..20 {
            bench.smtp.fail(Verb::Letter, Fault::Late(Duration::from_hours(1)));
        }
        bench.send().await;
        bench.try_again(8).await;
        assert_eq!(bench.smtp.arrived().len(), 3);
        assert_eq!(bench.count(OutboxState::Pending).await, 0);
        let dead = bench.world.store.list_outbox(OutboxState::Dead).await.unwrap();
        let why = dead[0].last_error.as_deref().unwrap();
        assert!(why.contains("may have arrived"), "{why}");
        let log = bench.world.store.list_audit_of(&format!("outbox:{}", dead[0].id)).await.unwrap();
        assert_eq!(log.iter().filter(|entry| entry.entry.action == "outbox.lost").count(), 3);
        // Whoever finds that it did not arrive sends it again, and is counted anew.
        bench.deliver.replay(&dead[0].id, &PersonId::new("ari"), "web").await.unwrap();
        bench.try_again(1).await;
        assert_eq!(bench.smtp.arrived().len(), 4);
        bench.smtp.recover();
        bench.try_again(2).await;
        assert_eq!((bench.smtp.arrived().len(), bench.count(OutboxState::Sent).await), (5, 1));
    }
}

#[tokio::test]
async fn a_server_that_looks_through_a_letter_for_long_is_waited_for() {
    let bench = Bench::new().await;
    bench.make(None, |_| {}).await;
    // Longer than all steps before the letter have together.
    bench.smtp.fail(Verb::Letter, Fault::Late(Duration::from_millis(2_500)));
    let done = bench.send().await;
    assert_eq!((done.sent, done.retried, bench.smtp.arrived().len()), (1, 0, 1));
}

#[tokio::test]
async fn what_is_lost_before_the_letter_has_not_arrived_and_is_tried_as_often_as_it_takes() {
    let bench = Bench::new().await;
    bench.make(None, |_| {}).await;
    for verb in [Verb::Mail, Verb::Rcpt, Verb::Data] {
        for _ in 0..2 {
            bench.smtp.fail(verb, Fault::Drop);
        }
    }
    bench.send().await;
    bench.try_again(8).await;
    assert_eq!((bench.smtp.arrived().len(), bench.smtp.faults_left()), (1, 0));
    assert_eq!(bench.count(OutboxState::Dead).await, 0);
}

#[tokio::test]
async fn whatever_is_killed_when_the_digest_is_kept_once() {
    for db in databases().await {
        let bench = Bench::on(db, "").await;
        bench.make(None, |_| {}).await;
        // Killed before anything was put in: another process writes it. Killed after: it is there, and is not written again.
        bench.write().await;
        let (tell, deliver) = stages(&bench.world);
        assert_eq!(tell.run_once().await.unwrap(), Progress::Idle);
        assert_eq!(bench.count(OutboxState::Pending).await, 1);
        // Killed while it was being sent: it was taken out, and whoever did it is gone.
        let kinds = deliver.senders.all()[0].kinds();
        let now = bench.world.clock.now();
        let lease = Duration::from_mins(1);
        assert!(bench.world.store.claim_due_to("mail:dan", kinds, now, lease).await.unwrap().is_some());
        deliver.run_once().await.unwrap();
        assert!(bench.smtp.arrived().is_empty(), "somebody may still be at it");
        // Killed when it had arrived and before that was written down.
        bench.later(Duration::from_secs(61));
        bench.smtp.fail(Verb::Letter, Fault::LoseAnswer);
        deliver.run_once().await.unwrap();
        bench.try_again(2).await;
        assert_eq!((bench.mailbox("dan").len(), bench.smtp.arrived().len()), (1, 2));
        assert_eq!(bench.count(OutboxState::Sent).await, 1);
        bench.try_again(2).await;
        assert_eq!(bench.smtp.arrived().len(), 2, "what has arrived for sure is not sent again");
    }
}

#[tokio::test]
async fn an_address_that_is_not_taken_is_a_dead_letter_with_the_reason_and_holds_up_nobody() {
    for db in databases().await {
        let bench = Bench::on(db, PLANNERS).await;
        bench.smtp.knows("pia@example.com", false);
        bench.make(Some("pia"), |_| {}).await;
        bench.make(Some("ari"), |_| {}).await;
        bench.make(None, |_| {}).await;
        let done = bench.send().await;
        assert_eq!((done.sent, done.dead), (2, 1));
        let dead = bench.world.store.list_outbox(OutboxState::Dead).await.unwrap();
        let why = dead[0].last_error.as_deref().unwrap();
        assert!(why.contains("550") && why.contains("no such mailbox") && why.contains("mail.people"), "{why}");
        let log = bench.world.store.list_audit_of(&format!("outbox:{}", dead[0].id)).await.unwrap();
        assert!(log.iter().any(|entry| entry.entry.action == "outbox.dead"));
        // Once the address is right it is sent by whoever looks after the outbox.
        bench.smtp.knows("pia@example.com", true);
        bench.deliver.replay(&dead[0].id, &PersonId::new("ari"), "web").await.unwrap();
        bench.send().await;
        assert_eq!(bench.mailbox("pia").len(), 1);
    }
}

#[tokio::test]
async fn a_letter_that_will_never_be_taken_is_a_dead_letter() {
    for (verb, says) in [(Verb::Data, "554 5.7.1 not from you"), (Verb::Letter, "552 5.3.4 too large")] {
        let bench = Bench::new().await;
        bench.make(None, |_| {}).await;
        bench.smtp.fail(verb, Fault::Says(says));
        assert_eq!(bench.send().await.dead, 1, "{says}");
        let dead = bench.world.store.list_outbox(OutboxState::Dead).await.unwrap();
        let why = dead[0].last_error.as_deref().unwrap();
        assert!(why.contains(&says[..3]) && why.contains("not taken"), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_was_down_for_an_hour_gets_everything_once_and_in_order() {
    for db in databases().await {
        let bench = Bench::on(db, "attempts = 1000\n").await;
        for _ in 0..500 {
            bench.smtp.fail(Verb::Connect, Fault::Drop);
        }
        bench.make(None, |_| {}).await;
        bench.send().await;
        // While it is down two steps are taken about a case.
        for (n, action) in ["case.reminded", "case.escalated"].into_iter().enumerate() {
            bench.waits(action, &["dan"], 20 + n).await;
            bench.later(Duration::from_mins(20));
            bench.send().await;
        }
        bench.later(Duration::from_mins(20));
        bench.send().await;
        assert!(bench.smtp.arrived().is_empty());
        let tried = 500 - bench.smtp.faults_left();
        assert!(tried < 60, "a server that is down is left alone for a while: {tried} connections in an hour");
        bench.smtp.recover();
        bench.try_again(4).await;
        let subjects: Vec<String> = bench.smtp.arrived().iter().map(|letter| letter.header("Subject")).collect();
        assert_eq!(subjects.len(), 3, "{subjects:?}");
        assert!(subjects[0].contains("1 case worth deciding"), "{subjects:?}");
        assert!(subjects[1].contains("since 20 hours") && subjects[2].contains("since 21 hours"), "{subjects:?}");
        assert_eq!(bench.count(OutboxState::Dead).await, 0);
    }
}

#[tokio::test]
async fn what_nobody_gets_through_waits_until_somebody_has_done_something() {
    for (says, named) in [
        ((Verb::Connect, "554 5.7.1 no service for you"), "mail.server"),
        ((Verb::Mail, "550 5.7.60 not as this sender"), "mail.from"),
        ((Verb::Mail, "530 5.7.0 sign in first"), "mail.user"),
    ] {
        let bench = Bench::new().await;
        bench.make(None, |_| {}).await;
        bench.smtp.fail(says.0, Fault::Says(says.1));
        bench.send().await;
        bench.try_again(3).await;
        assert_eq!(bench.smtp.connections(), 1, "{says:?}: nothing more is tried");
        let state = bench.world.store.list_destinations().await.unwrap().remove(0);
        let why = state.disabled_why.unwrap();
        assert!(why.contains(named) && why.contains("reeve outbox enable mail:dan"), "{why}");
        bench.deliver.enable("mail:dan", &PersonId::new("ari")).await.unwrap();
        bench.send().await;
        assert_eq!(bench.mailbox("dan").len(), 1, "{says:?}: nothing was lost");
    }
}

#[tokio::test]
async fn a_password_that_is_wrong_is_never_told() {
    let bench = Bench::on(databases().await.remove(0), "user = \"reeve\"\npassword = \"0ld-s3cr3t\"\n").await;
    bench.smtp.ask_for("reeve", "new");
    bench.make(None, |_| {}).await;
    bench.send().await;
    let state = bench.world.store.list_destinations().await.unwrap().remove(0);
    let why = state.disabled_why.unwrap();
    assert!(why.contains("535") && why.contains("mail.password") && !why.contains("0ld"), "{why}");
    let log = format!("{:?}", bench.world.store.list_audit(0, 1_000).await.unwrap());
    assert!(!log.contains("0ld-s3cr3t"));
}

/// A bench with a server that is reached another way, as which `tls` the settings say.
async fn by(way: Way, tls: &str, more: &str) -> Bench {
    let smtp = Smtp::start_by(way).await;
    smtp.ask_for("reeve", "s3cr3t");
    let more = format!("user = \"reeve\"\npassword = \"s3cr3t\"\n{more}");
    let text = settings(&smtp, &more).replace("tls = \"none\"", &format!("tls = \"{tls}\""));
    Bench::of(databases().await.remove(0), smtp, &text).await
}

#[tokio::test]
async fn on_a_way_that_is_closed_to_others_the_letter_arrives() {
    let ca = format!("ca_file = \"{CA_FILE}\"\n");
    for (way, tls) in [(Way::Starttls, "starttls"), (Way::Tls, "tls")] {
        let bench = by(way, tls, &ca).await;
        bench.make(None, |_| {}).await;
        bench.send().await;
        let letter = bench.mailbox("dan").remove(0);
        assert!(letter.encrypted && letter.user == "reeve", "{tls}");
    }
}

#[tokio::test]
async fn a_certificate_that_nobody_believes_is_not_spoken_to() {
    for (way, tls) in [(Way::Starttls, "starttls"), (Way::Tls, "tls")] {
        let bench = by(way, tls, "").await;
        bench.make(None, |_| {}).await;
        bench.send().await;
        bench.try_again(2).await;
        assert!(bench.smtp.arrived().is_empty(), "{tls}");
        let waits = bench.world.store.list_outbox(OutboxState::Pending).await.unwrap();
        let why = waits[0].last_error.clone().unwrap();
        assert!(why.contains("certificate") || why.contains("UnknownIssuer"), "{why}");
    }
}

#[tokio::test]
async fn a_server_that_can_be_listened_to_is_told_nothing() {
    let bench = by(Way::Open, "starttls", "").await;
    bench.make(None, |_| {}).await;
    bench.send().await;
    assert!(bench.smtp.arrived().is_empty());
    let why = bench.world.store.list_destinations().await.unwrap().remove(0).disabled_why.unwrap();
    assert!(why.contains("STARTTLS") && why.contains("mail.tls"), "{why}");
}
