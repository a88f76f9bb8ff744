//! People decide on the bundled recording: the queue fills, their clicks count, and every stage comes to rest after them.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use jiff::SignedDuration;
use reeve::app::App;
use reeve::approve::{DecisionAnswer, DecisionRefused, DecisionRequest, Verb};
use reeve::config::Config;
use reeve::domain::action::{Action, Range};
use reeve::domain::audit::AuditEntry;
use reeve::domain::calendar::plus_days;
use reeve::domain::case::{Case, CaseState};
use reeve::domain::decision::{RejectReason, WakeCondition};
use reeve::domain::ids::PersonId;
use reeve::domain::money::{Money, Quantity};
use reeve::domain::outbox::OutboxKind;
use reeve::domain::recommendation::Recommendation;
use reeve::ports::{Outgoing, PortError, Receipt, Sender, Senders};
use reeve::store::{Report, Reported};

use crate::audit::tables_agree;
use crate::support::databases::{TestDb, databases};
use crate::support::shop::{at_the_end, bundled};

/// Reeve at the end of the recording, everything found and drafted.
async fn drafted(db: &TestDb, senders: Senders) -> App {
    let app = at_the_end(bundled(), &db.store_url(), Config::load_from(None, &[]).unwrap(), senders).await;
    rest(&app).await;
    app
}

/// Runs the stages until nothing moves. A stage that never does is a failure and no endless test.
async fn rest(app: &App) {
    tokio::time::timeout(Duration::from_mins(4), app.run_until_idle()).await.expect("the stages come to rest").unwrap();
}

async fn click(app: &App, key: &str, who: &str, on: &Recommendation, verb: Verb) -> Result<DecisionAnswer, DecisionRefused> {
    let request = DecisionRequest {
        idempotency_key: key.to_owned(),
        person: PersonId::new(who),
        channel: "web".to_owned(),
        hand: reeve::domain::hand::Hand::Own,
        recommendation_id: on.id.clone(),
        content_hash: on.content_hash(),
        verb,
    };
    app.approvals.decide(&request).await
}

async fn queued(app: &App) -> Vec<Recommendation> {
    let recs = app.context.store.list_recommendations_in(&["queued"]).await.unwrap();
    recs.into_iter().map(|(rec, _)| rec).collect()
}

fn one_less(action: &Action) -> Option<Action> {
    let mut edited = action.clone();
    match &mut edited {
        Action::Transfer { quantity, .. } | Action::CancelPo { quantity, .. } | Action::Expedite { quantity, .. }
            if *quantity > Quantity::units(1) =>
        {
            *quantity -= Quantity::units(1);
            Some(edited)
        }
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn decisions_on_the_recording_count_and_stay_counted() {
    for db in databases().await {
        let app = drafted(&db, Senders::default()).await;
        decide_all(&app).await;
        app.context.store.close().await;
    }
}

async fn decide_all(app: &App) {
    let store = &app.context.store;
    let all = queued(app).await;
    assert!(all.len() > 20, "only {} recommendations are queued", all.len());
    for dropped in store.list_recommendations_in(&["superseded"]).await.unwrap() {
        let log = store.list_audit_of(&format!("recommendation:{}", dropped.0.id)).await.unwrap();
        assert!(!log.iter().any(|e| e.entry.detail.to_string().contains("a hard check failed")), "{log:?}");
    }

    // A refused action stays refused, and the stages do not go round in circles over it.
    let refused = all.iter().find(|r| r.candidate.action.code() == "CONTACT").expect("somebody can be asked");
    let verb = Verb::Reject { reason: RejectReason::RealButWrongAction, note: String::new() };
    click(app, "reject", "pia", refused, verb).await.unwrap();
    rest(app).await;
    let again = |r: &&Recommendation| r.case_id == refused.case_id && r.candidate.action == refused.candidate.action;
    assert!(!queued(app).await.iter().any(|r| again(&r)), "what was refused was proposed again");

    // Nobody else's card changed under their hands.
    let now = queued(app).await;
    assert!(all.iter().filter(|r| r.case_id != refused.case_id).all(|r| now.iter().any(|n| n.id == r.id)));

    // An edit waits for somebody else, and is still there when they come.
    let mut edited = None;
    for (n, rec) in now.iter().enumerate().filter(|(_, r)| r.case_id != refused.case_id) {
        if let Some(action) = one_less(&rec.candidate.action) {
            let verb = Verb::Edit { step: 1, action: Box::new(action) };
            if let Ok(answer) = click(app, &format!("edit-{n}"), "pia", rec, verb).await {
                edited = Some(answer.recommendation_id);
                break;
            }
        }
    }
    let edited = edited.expect("some quantity can be lowered by one");
    rest(app).await;
    let (rec, _) = store.get_recommendation(&edited).await.unwrap();
    assert_eq!(rec.state.name(), "queued");
    let answer = click(app, "approve", "dan", &rec, Verb::Approve).await.unwrap();
    rest(app).await;
    let (rec, _) = store.get_recommendation(&edited).await.unwrap();
    assert_eq!((rec.state.name(), &*answer.state), (&*answer.state, rec.state.name()));
    store.verify_audit().await.unwrap();
    tables_agree(store).await;
}

/// A receiver that is down until it is brought up, and counts what it gets.
#[derive(Default)]
struct Receiver {
    up: Mutex<bool>,
    got: Mutex<Vec<Outgoing>>,
}

#[async_trait]
impl Sender for Receiver {
    fn name(&self) -> &'static str {
        "the receiver"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::ALL
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        if *self.up.lock().unwrap() {
            self.got.lock().unwrap().push(message.clone());
            return Ok(Receipt::unnamed(message.at));
        }
        Err(PortError::Transient { service: "the receiver", retry_after: None, source: "it is down".into() })
    }

    fn knows(&self, destination: &str) -> bool {
        destination == "webhook"
    }

    fn free_at(&self, _: &str, now: jiff::Timestamp) -> jiff::Timestamp {
        now
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_has_its_day_from_when_it_was_told_and_not_from_the_decision() {
    let db = databases().await.remove(0);
    let receiver = Arc::new(Receiver::default());
    let app = drafted(&db, Senders::only(Arc::clone(&receiver) as Arc<dyn Sender>)).await;
    let all = queued(&app).await;
    let rec = all.iter().find(|r| r.candidate.action.code() == "TRANSFER").expect("goods can be moved");
    click(&app, "approve", "ari", rec, Verb::Approve).await.unwrap();
    let later = |hours: i64| app.context.clock.set(app.context.clock.now() + SignedDuration::from_hours(hours));
    let state = async || app.context.store.get_recommendation(&rec.id).await.unwrap().0.state.name();
    later(25);
    rest(&app).await;
    assert_eq!((state().await, receiver.got.lock().unwrap().len()), ("approved", 0), "the receiver is down");
    *receiver.up.lock().unwrap() = true;
    later(9);
    rest(&app).await;
    assert_eq!((state().await, receiver.got.lock().unwrap().len()), ("handed_off", 1));
    later(25);
    rest(&app).await;
    assert_eq!((state().await, receiver.got.lock().unwrap().len()), ("not_carried_out", 2));
    let told = receiver.got.lock().unwrap()[1].body.clone();
    assert!(told.contains("reeve.recommendation.not_seen.v1") && told.contains(rec.id.as_str()), "{told}");
    later(25);
    rest(&app).await;
    assert_eq!(receiver.got.lock().unwrap().len(), 2, "its executor is told once");
    let seen = reeve::pipeline::deliver::stuck::picture(&app.context.store, &app.context.config, app.context.clock.now());
    assert_eq!(seen.await.unwrap().unseen[0].case, rec.case_id.as_str());
    app.context.store.verify_audit().await.unwrap();
    tables_agree(&app.context.store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_its_executor_took_back_is_put_before_people_again() {
    let db = databases().await.remove(0);
    let receiver = Arc::new(Receiver { up: Mutex::new(true), ..Receiver::default() });
    let app = drafted(&db, Senders::only(Arc::clone(&receiver) as Arc<dyn Sender>)).await;
    let store = &app.context.store;
    let all = queued(&app).await;
    let rec = all.iter().find(|r| r.candidate.action.code() == "TRANSFER").expect("goods can be moved");
    click(&app, "approve", "ari", rec, Verb::Approve).await.unwrap();
    app.context.clock.set(app.context.clock.now() + SignedDuration::from_hours(1));
    rest(&app).await;
    let told = |state| Report {
        id: format!("webhook/{state:?}"),
        message_id: receiver.got.lock().unwrap()[0].id.clone(),
        destination: "webhook".to_owned(),
        state,
        note: String::new(),
        reference: String::new(),
        said_at: None,
        received_at: app.context.clock.now(),
    };
    let entry = AuditEntry {
        at: app.context.clock.now(),
        actor: "destination:webhook".to_owned(),
        channel: "webhook".to_owned(),
        action: "recommendation.reported".to_owned(),
        subject: format!("recommendation:{}", rec.id),
        content: String::new(),
        detail: serde_json::json!({}),
    };
    let before = store.get_case(&rec.case_id).await.unwrap();
    let again = async || {
        let live = store.list_cases(CaseState::LIVE).await.unwrap();
        live.into_iter().any(|case| case.id != before.id && case.exceptions.iter().any(|e| before.exceptions.contains(e)))
    };
    assert!(!again().await, "what was handed off has its time");
    store.keep_report(&told(Reported::Undone), "hash", &entry).await.unwrap();
    rest(&app).await;
    assert_eq!(store.get_recommendation(&rec.id).await.unwrap().0.state.name(), "undone");
    assert_eq!(store.get_case(&rec.case_id).await.unwrap().state.name(), "closed");
    // The records are looked at when they change, and on each new day.
    app.context.clock.set(app.context.clock.now() + SignedDuration::from_hours(24));
    rest(&app).await;
    assert!(again().await, "nobody would ever hear of it again");
    tables_agree(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_that_was_put_off_wakes_when_the_records_say_that_it_has_grown() {
    for db in databases().await {
        let app = drafted(&db, Senders::default()).await;
        let store = &app.context.store;
        let worth = |case: &Case| case.rank.as_ref().unwrap().value.expected;
        let all = queued(&app).await;
        let mut large = None;
        for rec in &all {
            let case = store.get_case(&rec.case_id).await.unwrap();
            if worth(&case) > Money::from_minor(20_000) {
                large = Some((case, rec.clone()));
            }
        }
        let (mut case, rec) = large.expect("some case is worth more than 200");
        // As it was some days ago, when somebody put it off.
        let now_worth = worth(&case);
        let seen = case.version;
        case.version += 1;
        case.rank.as_mut().unwrap().value = Range::certain(Money::from_minor(1_000));
        store.advance_case(&case, seen, &[]).await.unwrap();
        let until = plus_days(app.context.config.rules.calendar.calendar().day_of(app.context.clock.now()), 1);
        let verb = Verb::Snooze { until, wake: WakeCondition::Grew };
        click(&app, "snooze", "pia", &rec, verb).await.unwrap();
        rest(&app).await;
        let case = store.get_case(&case.id).await.unwrap();
        assert_eq!((case.state.name(), worth(&case)), ("open", now_worth));
        tables_agree(store).await;
        app.context.store.close().await;
    }
}
