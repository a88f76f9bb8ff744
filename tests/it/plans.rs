//! A plan of two steps on the bundled recording, from the queue to the ERP: drafted by nobody yet, so it is put there by the test.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::SignedDuration;
use reeve::app::App;
use reeve::approve::{DecisionRequest, Verb};
use reeve::config::Config;
use reeve::domain::action::{Action, Candidate, Step};
use reeve::domain::audit::AuditEntry;
use reeve::domain::decision::RecommendationState as State;
use reeve::domain::ids::PersonId;
use reeve::domain::outbox::OutboxKind;
use reeve::domain::outcome::StepFound;
use reeve::domain::recommendation::Recommendation;
use reeve::domain::record::{MoveKind, Observed, Record, StockMove};
use reeve::pipeline::context::Context;
use reeve::pipeline::deliver::Deliver;
use reeve::ports::{Outgoing, Page, PortError, Receipt, Sender, Senders};
use reeve::store::{OutboxState, Report, Reported};

use crate::audit::tables_agree;
use crate::support::databases::{TestDb, databases};
use crate::support::shop::{at_the_end, bundled};

/// A warehouse's system that takes transfers, and a webhook that takes everything else. Each takes what it is sent while it is up.
#[derive(Default)]
struct Executors {
    got: Mutex<Vec<Outgoing>>,
    down: Mutex<Vec<&'static str>>,
}

#[async_trait]
impl Sender for Executors {
    fn name(&self) -> &'static str {
        "the executors"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::ALL
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        if self.down.lock().unwrap().iter().any(|down| *down == message.to) {
            return Err(PortError::Transient { service: "the receiver", retry_after: None, source: "it is down".into() });
        }
        self.got.lock().unwrap().push(message.clone());
        Ok(Receipt::unnamed(message.at))
    }

    fn knows(&self, destination: &str) -> bool {
        matches!(destination, "webhook" | "wms")
    }

    fn free_at(&self, _: &str, now: jiff::Timestamp) -> jiff::Timestamp {
        now
    }
}

impl Executors {
    /// What was sent, by destination and type.
    fn got(&self) -> Vec<(String, String)> {
        let kind = |message: &Outgoing| (message.to.clone(), format!("{:?}", message.kind));
        self.got.lock().unwrap().iter().map(kind).collect()
    }
}

struct Bench {
    app: App,
    executors: Arc<Executors>,
    /// A transfer, and a question beside it.
    plan: Recommendation,
}

impl Bench {
    async fn on(db: &TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("reeve.toml");
        let secret = "whsec_aG9sZG91dC1zZWNyZXQtMzItYnl0ZXMtbG9uZyEhISE=";
        let text = format!(
            "[webhook]\nurl = \"http://127.0.0.1:9/\"\nsecret = \"{secret}\"\nreports = true\n[[destinations]]\nname = \"wms\"\n\
             url = \"http://127.0.0.1:9/\"\nsecret = \"{secret}\"\nactions = [\"TRANSFER\"]\n"
        );
        std::fs::write(&file, text).unwrap();
        let config = Config::load_from(Some(&file), &[]).unwrap();
        let executors = Arc::new(Executors::default());
        let senders = Senders::only(Arc::clone(&executors) as Arc<dyn Sender>);
        let app = at_the_end(bundled(), &db.store_url(), config, senders).await;
        app.run_until_idle().await.unwrap();
        let plan = planned(&app).await;
        Self { app, executors, plan }
    }

    async fn decide(&self, key: &str, who: &str, verb: Verb) {
        let request = DecisionRequest {
            idempotency_key: key.to_owned(),
            person: PersonId::new(who),
            channel: "web".to_owned(),
            hand: reeve::domain::hand::Hand::Own,
            recommendation_id: self.plan.id.clone(),
            content_hash: self.plan.content_hash(),
            verb,
        };
        self.app.approvals.decide(&request).await.unwrap();
    }

    /// What an operator has at hand.
    fn deliver(&self) -> Deliver {
        let Context { store, config, clock, .. } = self.app.context.clone();
        Deliver { store, config, clock, senders: Senders::default() }
    }

    async fn later(&self, hours: i64) {
        self.app.context.clock.set(self.app.context.clock.now() + SignedDuration::from_hours(hours));
        self.app.run_until_idle().await.unwrap();
    }

    async fn state(&self) -> &'static str {
        self.app.context.store.get_recommendation(&self.plan.id).await.unwrap().0.state.name()
    }

    async fn steps(&self) -> Vec<StepFound> {
        let found = self.app.context.store.find_outcome(&self.plan.id).await.unwrap();
        found.map(|outcome| outcome.found.steps).unwrap_or_default()
    }

    async fn entries(&self, action: &str) -> usize {
        let log = self.app.context.store.list_audit_of(&format!("recommendation:{}", self.plan.id)).await.unwrap();
        log.iter().filter(|e| e.entry.action == action).count()
    }

    /// What an executor says of the message that it got.
    async fn report(&self, to: &str, state: Reported) {
        let message = self.executors.got.lock().unwrap().iter().find(|m| m.to == to).unwrap().id.clone();
        let now = self.app.context.clock.now();
        let report = Report {
            id: format!("{to}/{state:?}"),
            message_id: message,
            destination: to.to_owned(),
            state,
            note: String::new(),
            reference: String::new(),
            said_at: None,
            received_at: now,
        };
        let subject = format!("recommendation:{}", self.plan.id);
        let entry = AuditEntry::by(&format!("destination:{to}"), to, now, "hand_off.reported", subject);
        self.app.context.store.keep_report(&report, to, &entry).await.unwrap();
        self.app.run_until_idle().await.unwrap();
    }

    /// The goods arrive where the plan's first step sends them, in the ERP's records.
    async fn goods_arrive(&self) {
        let Action::Transfer { item, from, to, quantity, .. } = &self.plan.candidate.action else { panic!("goods move") };
        let now = self.app.context.clock.now();
        let record = Record::Move(StockMove {
            id: "moved-by-plan".to_owned(),
            item: item.clone(),
            from: Some(from.clone()),
            to: Some(to.clone()),
            qty: *quantity,
            kind: MoveKind::Transfer,
            document: "INT/9".to_owned(),
            created_at: now,
            scheduled_at: None,
            done_at: Some(now),
            document_id: None,
            origin: String::new(),
            po_line: None,
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: None,
            reason: String::new(),
        });
        let store = &self.app.context.store;
        let source = self.app.context.ports.source.identity();
        let cursor = store.find_cursor(&source).await.unwrap().unwrap_or_default();
        let page = Page { observed: vec![Observed { record, changed_at: now }], next: cursor, more: false };
        store.apply_page(&source, &page, now).await.unwrap();
        self.app.run_until_idle().await.unwrap();
    }
}

/// Puts a plan in the place of a case's proposals: the transfer that was proposed, and a question to its supplier.
async fn planned(app: &App) -> Recommendation {
    let store = &app.context.store;
    let queued = store.list_recommendations_in(&["queued"]).await.unwrap();
    let (transfer, _) = queued.iter().find(|(r, _)| r.candidate.action.code() == "TRANSFER").expect("goods can be moved");
    let (question, _) = queued.iter().find(|(r, _)| r.candidate.action.code() == "CONTACT").expect("somebody can be asked");
    let then = vec![Step {
        action: question.candidate.action.clone(),
        summary: question.candidate.summary.clone(),
        checks: vec![],
    }];
    let mut case = store.get_case(&transfer.case_id).await.unwrap();
    let (prose, evidence, drafter) = (transfer.prose.clone(), transfer.evidence_hash.clone(), transfer.drafter.clone());
    let candidate = Candidate { then, ..transfer.candidate.clone() };
    let plan = Recommendation::drafted(case.id.clone(), 1, candidate, prose, evidence, drafter, transfer.drafted_at);
    let seen = case.version;
    case.version += 1;
    store.replace_recommendations(&case, seen, std::slice::from_ref(&plan), &[]).await.unwrap();
    app.approvals.submit().await.unwrap();
    let (plan, _) = store.get_recommendation(&plan.id).await.unwrap();
    assert_eq!(plan.state, State::Queued, "its steps pass their checks");
    plan
}

#[tokio::test(flavor = "multi_thread")]
async fn each_step_goes_to_its_executor_and_is_read_back_by_itself_and_the_plan_is_done_when_all_are() {
    for db in databases().await {
        let bench = Bench::on(&db).await;
        bench.decide("approve", "ari", Verb::Approve).await;
        *bench.executors.down.lock().unwrap() = vec!["webhook"];
        bench.later(1).await;
        let pair = |to: &str, kind: &str| (to.to_owned(), kind.to_owned());
        assert_eq!(bench.executors.got(), [pair("wms", "Approved")], "the other one is down");
        assert_eq!((bench.state().await, bench.entries("recommendation.handed_off").await), ("handed_off", 1));
        assert_eq!(bench.entries("recommendation.step_handed_off").await, 0);

        bench.executors.down.lock().unwrap().clear();
        bench.later(9).await;
        assert_eq!(bench.executors.got(), [pair("wms", "Approved"), pair("webhook", "Approved")]);
        assert_eq!(bench.entries("recommendation.step_handed_off").await, 1);

        // The question leaves no trace: its executor's word is all there is. The goods are another step.
        bench.report("webhook", Reported::CarriedOut).await;
        assert_eq!((bench.state().await, bench.steps().await.len()), ("handed_off", 2), "one step of two is not the plan");
        bench.later(25).await;
        assert_eq!(bench.state().await, "partly", "nothing is seen of the goods");
        let steps = bench.steps().await;
        assert_eq!((&steps[0].state, &steps[1].state), (&State::NotCarriedOut, &State::CarriedOut));
        let last = bench.executors.got.lock().unwrap().last().unwrap().clone();
        assert_eq!((&*last.to, format!("{:?}", last.kind)), ("wms", "NotSeen".to_owned()), "who was to move them is asked");
        assert!(last.body.contains(&steps[0].message), "{}", last.body);
        let told = bench.executors.got().len();

        bench.goods_arrive().await;
        assert_eq!(bench.state().await, "carried_out", "{:?}", bench.steps().await);
        bench.later(25).await;
        assert_eq!(bench.executors.got().len(), told, "nothing is told twice");

        // One step that its executor takes back leaves the other.
        bench.report("webhook", Reported::Undone).await;
        assert_eq!(bench.state().await, "partly");
        let store = &bench.app.context.store;
        store.verify_audit().await.unwrap();
        tables_agree(store).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_is_discarded_ends_alone_and_the_approval_ends_with_the_last() {
    for db in databases().await {
        let bench = Bench::on(&db).await;
        bench.decide("approve", "ari", Verb::Approve).await;
        *bench.executors.down.lock().unwrap() = vec!["webhook", "wms"];
        bench.later(1).await;
        let store = &bench.app.context.store;
        let rows = store.list_outbox_about(bench.plan.id.as_str()).await.unwrap();
        let dan = PersonId::new("dan");
        bench.deliver().discard(&rows[1].id, "asked by phone", &dan, "web").await.unwrap();
        assert_eq!(bench.state().await, "approved", "the goods may still move");
        bench.executors.down.lock().unwrap().clear();
        bench.later(9).await;
        assert_eq!((bench.state().await, bench.executors.got().len()), ("handed_off", 1));
        let steps = bench.steps().await;
        assert_eq!(steps.iter().map(|step| step.step).collect::<Vec<_>>(), [1, 2]);
        assert!(steps[1].seen.contains("asked by phone"), "{steps:?}");
        bench.goods_arrive().await;
        assert_eq!(bench.state().await, "partly", "one was done, and the other never left");
        tables_agree(store).await;
        store.close().await;
    }
    let db = databases().await.remove(0);
    let bench = Bench::on(&db).await;
    bench.decide("approve", "ari", Verb::Approve).await;
    *bench.executors.down.lock().unwrap() = vec!["webhook", "wms"];
    bench.later(1).await;
    let store = &bench.app.context.store;
    let dan = PersonId::new("dan");
    for (n, row) in store.list_outbox_about(bench.plan.id.as_str()).await.unwrap().into_iter().enumerate() {
        bench.deliver().discard(&row.id, "done by hand", &dan, "web").await.unwrap();
        assert_eq!(bench.state().await, ["approved", "not_carried_out"][n]);
    }
    let rows = store.list_outbox(OutboxState::Pending).await.unwrap();
    assert!(rows.iter().all(|row| row.about != bench.plan.id.as_str()));
    tables_agree(store).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_erp_shows_of_a_step_counts_though_it_never_left_and_so_does_a_report_that_comes_late() {
    let db = databases().await.remove(0);
    let bench = Bench::on(&db).await;
    bench.decide("approve", "ari", Verb::Approve).await;
    *bench.executors.down.lock().unwrap() = vec!["wms"];
    bench.later(1).await;
    let store = &bench.app.context.store;
    let rows = store.list_outbox_about(bench.plan.id.as_str()).await.unwrap();
    bench.deliver().discard(&rows[0].id, "done by phone", &PersonId::new("dan"), "web").await.unwrap();
    bench.report("webhook", Reported::CarriedOut).await;
    assert_eq!(bench.state().await, "partly", "{:?}", bench.steps().await);
    let told = store.list_notices(&PersonId::new("ari")).await.unwrap();
    assert!(told.iter().any(|notice| notice.said.contains("done by phone")), "who approved it is told: {told:?}");
    let seen = reeve::pipeline::deliver::stuck::picture(store, &bench.app.context.config, bench.app.context.clock.now());
    let unseen = seen.await.unwrap().unseen;
    assert!(unseen.iter().any(|one| one.summary == bench.plan.candidate.summary), "and the outbox page says so");
    bench.goods_arrive().await;
    assert_eq!(bench.state().await, "carried_out", "somebody moved them: {:?}", bench.steps().await);
    tables_agree(store).await;

    // Both were given up, and then one of the executors says that it had arrived.
    let db = databases().await.remove(0);
    let bench = Bench::on(&db).await;
    bench.decide("approve", "ari", Verb::Approve).await;
    *bench.executors.down.lock().unwrap() = vec!["webhook", "wms"];
    bench.later(1).await;
    let store = &bench.app.context.store;
    let rows = store.list_outbox_about(bench.plan.id.as_str()).await.unwrap();
    for row in &rows {
        bench.deliver().discard(&row.id, "too late", &PersonId::new("dan"), "web").await.unwrap();
    }
    assert_eq!(bench.state().await, "not_carried_out");
    bench.later(1).await;
    bench.executors.got.lock().unwrap().push(Outgoing {
        kind: rows[1].kind,
        to: "webhook".to_owned(),
        id: rows[1].id.clone(),
        body: rows[1].body.clone(),
        at: bench.app.context.clock.now(),
        shown: reeve::ports::Shown::default(),
    });
    bench.report("webhook", Reported::NotCarriedOut).await;
    assert_eq!(bench.state().await, "not_carried_out", "{:?}", bench.steps().await);
    let outcome = store.find_outcome(&bench.plan.id).await.unwrap().unwrap();
    assert!(outcome.found.not_sent.is_none(), "one of them had arrived");
    tables_agree(store).await;
}
