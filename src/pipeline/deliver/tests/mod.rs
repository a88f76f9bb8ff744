//! Deliveries to a receiver as a retailer would write one, on a real store.

mod ended;
mod kinds;
mod stopped;
mod unseen;

use reeve_testing::endpoint::{Endpoint, Says};
use reeve_testing::receiver::{Receiver, SECRET};
use secrecy::SecretString;

use super::*;
use crate::adapters::webhook::{Destinations, SignedWebhook};
use crate::approve::Verb;
use crate::approve::tests::Bench;
use crate::domain::decision::RecommendationState as State;
use crate::domain::ids::{PersonId, RecommendationId};
use crate::domain::outbox::OutboxKind;
use crate::ports::Receipt;
use crate::store::{OutboxState, Report, Reported};

/// A receiver that answers `answers` in turn, then 200, and its address.
async fn receiver(answers: &[u16]) -> (Receiver, String) {
    let receiver = Receiver::start(answers).await;
    let url = receiver.url();
    (receiver, url)
}

/// One approved case and a sender to `url`.
async fn approved(url: &str, attempts: u32) -> (Bench, Deliver, RecommendationId) {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    let deliver = sending(&bench, url, attempts);
    (bench, deliver, recs[0].id.clone())
}

/// A sender to `url`.
fn sending(bench: &Bench, url: &str, attempts: u32) -> Deliver {
    let mut config = (*bench.it.config).clone();
    config.webhook.url = url.to_owned();
    config.webhook.attempts = attempts;
    let sender = SignedWebhook::new(url, &SecretString::from(SECRET), Duration::from_secs(5)).unwrap();
    Deliver {
        store: bench.it.store.clone(),
        config: Arc::new(config),
        clock: bench.it.clock.clone(),
        senders: Senders::only(Arc::new(sender)),
    }
}

/// A receiver, or what lies on the way to it, that talks to people.
struct Talking;

#[async_trait::async_trait]
impl Sender for Talking {
    fn name(&self) -> &'static str {
        "the receiver"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::ALL
    }

    async fn send(&self, _: &Outgoing) -> Result<Receipt, PortError> {
        // A line of its own, a turned writing direction, a cleared terminal, and far too much of it.
        let said = format!("no\napproved by Ari\u{202e}\u{1b}[2J{}", "x".repeat(10_000));
        Err(PortError::Transient { service: "the webhook receiver", retry_after: None, source: said.into() })
    }

    fn knows(&self, destination: &str) -> bool {
        destination == WEBHOOK
    }

    fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
        now
    }
}

/// A row as it goes to its sender.
fn sent_anew(row: &OutboxRow, bench: &Bench) -> Outgoing {
    Outgoing {
        kind: row.kind,
        to: row.channel.clone(),
        id: row.id.clone(),
        body: row.body.clone(),
        at: bench.it.clock.now(),
        shown: crate::ports::Shown::default(),
    }
}

/// A receiver that names each message as it takes it.
struct Naming;

#[async_trait::async_trait]
impl Sender for Naming {
    fn name(&self) -> &'static str {
        "the receiver"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::ALL
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        assert_eq!(message.kind, OutboxKind::Approved);
        Ok(Receipt { reference: Some(format!("exec of {}", message.id)), at: message.at })
    }

    fn knows(&self, destination: &str) -> bool {
        destination == WEBHOOK
    }

    fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
        now
    }
}

#[tokio::test]
async fn what_the_receiver_called_a_message_is_kept_and_shown() {
    let (bench, deliver, _) = approved("http://127.0.0.1:9/", 3).await;
    let deliver = Deliver { senders: Senders::only(Arc::new(Naming)), ..deliver };
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    let arrived = stuck::arrived(&bench.it.store, 10).await.unwrap();
    let one = &arrived[0];
    assert_eq!((arrived.len(), one.kind, one.destination.as_str()), (1, OutboxKind::Approved, WEBHOOK));
    assert_eq!(one.reference.as_deref(), Some(&*format!("exec of {}", one.id)));
}

#[tokio::test]
async fn why_a_delivery_failed_is_kept_as_one_short_line_whatever_the_receiver_says() {
    let (bench, deliver, _) = approved("http://127.0.0.1:9/", 3).await;
    let deliver = Deliver { senders: Senders::only(Arc::new(Talking)), ..deliver };
    bench.later(5);
    deliver.run_once().await.unwrap();
    let states = bench.it.store.list_destinations().await.unwrap();
    let kept = states[0].last_error.clone().unwrap();
    assert!(kept.starts_with("the webhook receiver: no approved by Ari[2Jxxx"), "{kept}");
    assert!(kept.chars().count() < 350 && !kept.contains(['\n', '\u{1b}', '\u{202e}']), "{kept}");
}

fn delivered(sent: usize, retried: usize, dead: usize) -> Delivered {
    Delivered { sent, retried, dead }
}

#[tokio::test]
async fn an_approval_leaves_once_after_its_undo_window_and_its_case_is_watched_from_then_on() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, id) = approved(&url, 3).await;
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "the undo window is open");
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
    let got = receiver.got();
    assert_eq!(got.len(), 1);
    assert!(got[0].1.contains(id.as_str()) && got[0].1.contains(&got[0].0));
    assert_eq!((bench.state(&id).await, bench.case_state("case-1").await), ("handed_off".into(), "verifying".into()));
    let (rec, _) = bench.it.store.get_recommendation(&id).await.unwrap();
    let others = bench.it.store.list_recommendations(&rec.case_id).await.unwrap();
    assert!(others.iter().all(|(r, _)| r.id == id || r.state == State::Superseded));
    let error = bench.decide("ari", &rec, Verb::Undo).await.unwrap_err().to_string();
    assert!(error.contains("handed off"), "{error}");
    let error = bench.approve("fay", &others[1].0).await.unwrap_err().to_string();
    assert!(error.contains("ari") || error.contains("Ari"), "{error}");
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn what_a_demo_sends_is_signed_with_the_machines_time_so_that_a_receiver_takes_it() {
    let (receiver, url) = receiver(&[]).await;
    // Most receivers refuse a signature that is minutes old, and a recording's time is years off.
    receiver.mind_the_time();
    let (bench, mut deliver, _) = approved(&url, 9).await;
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0), "signed with the recording's time");
    assert!(receiver.got().is_empty());
    deliver.clock = bench.it.clock.clone().with_wire(Clock::System);
    bench.later(60);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn a_pause_by_the_machines_clock_is_as_long_by_the_recordings() {
    let (receiver, url) = receiver(&[502]).await;
    let (bench, mut deliver, _) = approved(&url, 9).await;
    let mut config = (*deliver.config).clone();
    config.webhook.secret = SecretString::from(SECRET);
    config.delivery.breaker_failures = 1;
    config.delivery.breaker_pause = Duration::from_hours(1);
    deliver.senders = Senders::only(Arc::new(Destinations::new(&config.all_destinations(), &config.delivery).ok().unwrap()));
    // The senders pause by this clock, and rows are due by the other one: they are two and a half years apart.
    let wire = Clock::standing_at(bench.it.clock.now() + jiff::SignedDuration::from_hours(24 * 900));
    deliver.clock = bench.it.clock.clone().with_wire(wire.clone());
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0));
    assert_eq!(deliver.due_in().await, Some(Duration::from_hours(1)), "not years");
    let state = deliver.store.list_destinations().await.unwrap().remove(0);
    assert_eq!(state.resting_until, Some(bench.it.clock.now() + jiff::SignedDuration::from_hours(1)));
    bench.later(60);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "its clock says that no time has passed");
    wire.set(wire.now() + jiff::SignedDuration::from_hours(1));
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn an_undone_approval_never_leaves() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, id) = approved(&url, 3).await;
    let (rec, _) = bench.it.store.get_recommendation(&id).await.unwrap();
    bench.decide("ari", &rec, Verb::Undo).await.unwrap();
    bench.later(60);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn what_was_changed_between_the_approval_and_the_door_never_leaves() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, id) = approved(&url, 3).await;
    let row = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap().remove(0);
    // Past Reeve, in the table: the log has the hash of what was approved, and that is compared before it leaves.
    let forged = row.body.replacen("\"amount\":\"40\"", "\"amount\":\"4000\"", 1);
    assert_ne!(forged, row.body, "the quantity is in {}", row.body);
    bench.it.store.rewrite_outbox_body(&row.id, &forged).await;
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 1));
    assert!(receiver.got().is_empty());
    let dead = bench.it.store.list_dead().await.unwrap();
    assert!(dead[0].reason.contains("not what was approved"), "{dead:?}");
    assert_ne!(bench.state(&id).await, "handed_off");
}

#[tokio::test]
async fn what_is_not_taken_is_tried_again_then_dead_then_replayed_as_it_was() {
    let (receiver, url) = receiver(&[502, 500]).await;
    let (bench, deliver, id) = approved(&url, 2).await;
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0));
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "its gap has not passed");
    assert_eq!(bench.state(&id).await, "approved");
    let row = &bench.it.store.list_outbox(OutboxState::Pending).await.unwrap()[0];
    assert!(row.last_error.as_ref().unwrap().contains("502"), "{row:?}");
    bench.later(1);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 1));
    let dead = bench.it.store.list_dead().await.unwrap();
    assert!(dead[0].reason.contains("given up after 2 attempts") && dead[0].reason.contains("500"), "{dead:?}");
    let (ari, stage) = (PersonId::new("ari"), PersonId::new("stage:deliver"));
    assert!(deliver.replay("msg_none", &ari, "cli").await.is_err());
    let nobody = deliver.replay(&dead[0].id, &stage, "cli").await.unwrap_err().to_string();
    assert!(nobody.contains("there is no person \"stage:deliver\""), "{nobody}");
    deliver.replay(&dead[0].id, &ari, "cli").await.unwrap();
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    // Byte for byte under the same id, so that a receiver that did take it knows it again.
    assert_eq!(receiver.got(), [(row.id.clone(), row.body.clone())]);
    assert_eq!(bench.state(&id).await, "handed_off");
    assert!(bench.it.store.list_dead().await.unwrap().is_empty());
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn a_receiver_that_is_gone_is_not_asked_again_until_somebody_says_so_and_nothing_is_lost() {
    let (receiver, url) = receiver(&[410]).await;
    let (bench, deliver, id) = approved(&url, 9).await;
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0));
    for _ in 0..3 {
        bench.later(60);
        assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "it is not asked");
    }
    let seen = stuck::picture(&deliver.store, &deliver.config, deliver.clock.now()).await.unwrap();
    assert!(seen.destinations[0].down && seen.destinations[0].says.contains("410"), "{seen:?}");
    assert_eq!((seen.held.len(), seen.held[0].why.as_str()), (1, "webhook is disabled"));
    let warning = bench.it.store.find_setting(stuck::DELIVERY_WARNING).await.unwrap().unwrap();
    assert!(warning.contains("webhook"), "{warning}");
    assert!(deliver.enable("webhook", &PersonId::new("nobody")).await.is_err());
    deliver.enable("webhook", &PersonId::new("ari")).await.unwrap();
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!((bench.state(&id).await.as_str(), receiver.got().len()), ("handed_off", 1));
    assert_eq!(bench.it.store.find_setting(stuck::DELIVERY_WARNING).await.unwrap().unwrap(), "");
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn what_nobody_took_before_its_expiry_is_given_up_and_the_reason_says_whether_it_may_have_arrived() {
    let (receiver, url) = receiver(&[502]).await;
    let (bench, deliver, id) = approved(&url, 9).await;
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0));
    let expiry = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap()[0].expires_at.unwrap();
    // Its first attempt got an answer that says nothing of whether it was taken.
    deliver.clock.set(expiry);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 1));
    let dead = bench.it.store.list_dead().await.unwrap().remove(0);
    assert!(dead.reason.contains("expired") && dead.reason.contains("may have arrived"), "{dead:?}");
    // What expired is refused again, by an operator's hand as well: the facts it was approved on are over.
    let refused = format!("{:#}", deliver.replay(&dead.id, &PersonId::new("ari"), "cli").await.unwrap_err());
    assert!(refused.contains("expired"), "{refused}");
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "it is given up once");
    assert_eq!((bench.state(&id).await.as_str(), receiver.got().len()), ("not_carried_out", 0));
    let dan = PersonId::new("dan");
    assert!(deliver.discard(&dead.id, "  ", &dan, "cli").await.is_err(), "a reason is needed");
    assert!(deliver.discard(&dead.id, "no", &PersonId::new("nobody"), "cli").await.is_err());
    deliver.discard(&dead.id, "done by phone", &dan, "cli").await.unwrap();
    let log = bench.it.store.list_audit_of(&format!("recommendation:{id}")).await.unwrap();
    let last = &log.last().unwrap().entry;
    assert_eq!((last.action.as_str(), last.actor.as_str()), ("outbox.discarded", "dan"));
    assert_eq!(last.detail["reason"], "done by phone");
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn while_another_process_has_its_turn_nothing_is_sent() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, _) = approved(&url, 3).await;
    bench.later(5);
    let (store, now) = (&bench.it.store, deliver.clock.now());
    // A little more than a minute: it runs out within the two by which the clock moves below.
    assert!(store.try_lease("deliver:webhook", "another", now, Duration::from_secs(70)).await.unwrap());
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0));
    assert!(receiver.got().is_empty());
    bench.later(2);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0), "its turn ran out");
    assert!(store.try_lease("deliver:webhook", "another", deliver.clock.now(), Duration::from_secs(1)).await.unwrap());
}

/// Two destinations: one that fails, and the fallback.
#[tokio::test]
async fn the_fallback_is_told_once_of_an_outage() {
    let (bad, bad_url) = receiver(&[502; 9]).await;
    let (good, good_url) = receiver(&[]).await;
    let (bench, mut deliver, _) = approved(&bad_url, 9).await;
    let text = format!(
        "[webhook]\nurl = \"{bad_url}\"\nsecret = \"{SECRET}\"\n[delivery]\nfallback = \"ops\"\nbreaker_failures = 2\n\
         [[destinations]]\nname = \"ops\"\nurl = \"{good_url}\"\nsecret = \"{SECRET}\"\n"
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reeve.toml");
    std::fs::write(&file, text).unwrap();
    let config = Config::load_from(Some(&file), &[]).unwrap();
    deliver.senders = Senders::only(Arc::new(Destinations::new(&config.all_destinations(), &config.delivery).unwrap()));
    deliver.config = Arc::new(config);
    bench.later(5);
    // More turns than it takes to see an outage: the rest of them must tell nothing.
    for _ in 0..6 {
        deliver.run_once().await.unwrap();
        bench.later(1);
    }
    let got = good.got();
    assert_eq!(got.len(), 1, "once for the outage");
    let said: Value = serde_json::from_str(&got[0].1).unwrap();
    assert_eq!(
        (said["type"].as_str(), said["data"]["destination"].as_str()),
        (Some("reeve.delivery.stuck.v1"), Some("webhook"))
    );
    assert!(said["data"]["says"].as_str().unwrap().contains("502"), "{said}");
    assert!(bad.got().is_empty());
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn a_destination_that_does_not_answer_holds_up_no_other() {
    // It takes what it is sent and says nothing until it is told to.
    let release = Arc::new(tokio::sync::Notify::new());
    let hangs = release.clone();
    let slow = Endpoint::start(move |_| {
        let hangs = hangs.clone();
        async move {
            hangs.notified().await;
            Some(Says::status(200))
        }
    })
    .await;
    let got = Arc::new(tokio::sync::Notify::new());
    let tells = got.clone();
    let fast = Endpoint::start(move |_| {
        tells.notify_one();
        std::future::ready(Some(Says::status(200)))
    })
    .await;
    let urls = [&slow, &fast].map(|endpoint| format!("{}/", endpoint.url));
    let (bench, mut deliver, _) = approved(&urls[0], 9).await;
    let text = format!(
        "[webhook]\nurl = \"{}\"\nsecret = \"{SECRET}\"\ntimeout = \"10m\"\n\
         [[destinations]]\nname = \"wms\"\nurl = \"{}\"\nsecret = \"{SECRET}\"\n",
        urls[0], urls[1]
    );
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("reeve.toml");
    std::fs::write(&file, text).unwrap();
    let config = Config::load_from(Some(&file), &[]).unwrap();
    deliver.senders = Senders::only(Arc::new(Destinations::new(&config.all_destinations(), &config.delivery).unwrap()));
    deliver.config = Arc::new(config);
    bench.later(5);
    let store = &bench.it.store;
    let (seq, hash) = store.audit_head().await.unwrap();
    // An anchor needs no approval, so it is the shortest way to something due for the second one.
    let anchor = crate::pipeline::anchors::Anchor { at: deliver.clock.now(), seq, hash };
    let message = crate::pipeline::anchors::message(&anchor, "wms");
    store.enqueue(&[message], &[]).await.unwrap();
    // "webhook" comes before "wms": one after the other, nothing would come to the second before the first has answered.
    let when_it_came = async {
        got.notified().await;
        release.notify_one();
    };
    let (done, ()) = tokio::join!(deliver.run_once(), when_it_came);
    assert_eq!((done.unwrap(), fast.asked().len()), (delivered(2, 0, 0), 1));
    store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn what_an_executor_reports_on_has_arrived_even_if_it_never_said_so() {
    let (receiver, url) = receiver(&[500]).await;
    let (bench, deliver, id) = approved(&url, 9).await;
    bench.later(5);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 1, 0));
    let row = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap().remove(0);
    let report = Report {
        id: "webhook/1".into(),
        message_id: row.id.clone(),
        destination: "webhook".into(),
        state: Reported::Accepted,
        note: String::new(),
        reference: String::new(),
        said_at: None,
        received_at: deliver.clock.now(),
    };
    let entry = deliver.entry("hand_off.reported", &row, json!({}));
    bench.it.store.keep_report(&report, "h", &entry).await.unwrap();
    bench.later(60);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert!(receiver.got().is_empty(), "it is not sent again");
    assert_eq!(bench.state(&id).await, "handed_off");
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn without_a_receiver_nothing_is_attempted_and_nothing_is_lost() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, _) = approved(&url, 1).await;
    bench.later(5);
    let unset = Deliver { senders: Senders::default(), ..deliver.clone() };
    assert_eq!(unset.run_once().await.unwrap(), delivered(0, 0, 0));
    let rows = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
    assert_eq!(rows[0].attempts, 0);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn a_sender_that_died_before_it_could_write_sends_the_same_again() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, id) = approved(&url, 3).await;
    bench.later(5);
    // Taken out, sent, handed off; then the process dies before the row is marked.
    let row = bench.it.store.claim_due(bench.it.clock.now(), 1, Duration::from_mins(1)).await.unwrap().remove(0);
    let message = sent_anew(&row, &bench);
    deliver.senders.of(row.kind).unwrap().send(&message).await.unwrap();
    deliver.hand_off(&row, &id).await.unwrap();
    assert_eq!(deliver.run_once().await.unwrap(), delivered(0, 0, 0), "the lease holds");
    bench.later(2);
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 0));
    let got = receiver.got();
    assert_eq!(got.len(), 2);
    assert_eq!(got[0], got[1]);
    assert_eq!(bench.it.store.list_outbox(OutboxState::Sent).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_row_without_a_standing_approval_is_not_sent() {
    let (receiver, url) = receiver(&[]).await;
    let (bench, deliver, id) = approved(&url, 3).await;
    bench.later(5);
    let row = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap().remove(0);
    let (other, _) = bench.it.store.list_recommendations_in(&["queued"]).await.unwrap().remove(0);
    let forged = |name: &str, channel: &str, body: String| crate::store::NewOutbox {
        id: name.to_owned(),
        kind: row.kind,
        channel: channel.to_owned(),
        body,
        created_at: row.created_at,
        due_at: row.due_at,
        lane: String::new(),
        about: String::new(),
        step: 1,
        expires_at: None,
        shows: String::new(),
    };
    let rows = [
        // Under another id than in its body; of a proposal that nobody approved; of nothing; to nobody that is configured.
        forged("msg_a", "webhook", row.body.clone()),
        forged("msg_b", "webhook", row.body.replace(id.as_str(), other.id.as_str())),
        forged("msg_c", "webhook", "{}".to_owned()),
        forged("msg_d", "pigeon", row.body.clone()),
    ];
    bench.it.store.enqueue(&rows, &[]).await.unwrap();
    // Nor does one that says it is of a kind that nobody has to approve.
    for (kind, id) in [(OutboxKind::Anchor, "msg_e"), (OutboxKind::Stuck, "msg_f"), (OutboxKind::NotSeen, "msg_g")] {
        let body = row.body.replace(&row.id, id);
        let other = crate::store::NewOutbox { kind, ..forged(id, "webhook", body) };
        bench.it.store.enqueue(&[other], &[]).await.unwrap();
    }
    assert_eq!(deliver.run_once().await.unwrap(), delivered(1, 0, 7));
    assert_eq!(receiver.got(), [(row.id, row.body)]);
}

#[test]
fn gaps_grow_to_about_a_day_in_all_and_messages_do_not_march_in_step() {
    let config = Config::load_from(None, &[]).unwrap().delivery;
    let (first, longest) = (config.first_gap, config.longest_gap);
    let gap = |id: &str, attempt| gap(id, attempt, first, longest);
    let gaps: Vec<Duration> = (1..10).map(|attempt| gap("msg_1", attempt)).collect();
    assert!(gaps.windows(2).all(|w| w[0] < w[1] || w[0] > longest / 2), "{gaps:?}");
    let all: Duration = gaps.iter().sum();
    assert!(all > Duration::from_hours(12) && all < Duration::from_hours(30), "{all:?}");
    assert_ne!(gap("msg_1", 1), gap("msg_2", 1));
    assert_eq!(gap("msg_1", 3), gap("msg_1", 3));
    assert!(gap("msg_1", i64::MAX) <= longest.mul_f64(1.2));
}
