//! The kill switch on the bundled recording: people stop Reeve, decide, and restart it; nothing is drafted and nothing leaves until
//! somebody lets it go on, and then it does, once. And `reeve run`, which does what there is to do.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reeve::app::App;
use reeve::approve::{DecisionRequest, Verb};
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::hand::Hand;
use reeve::domain::ids::PersonId;
use reeve::domain::outbox::OutboxKind;
use reeve::domain::recommendation::Recommendation;
use reeve::odoo::recorded::Recorded;
use reeve::pipeline::deliver::stuck::picture;
use reeve::pipeline::stop;
use reeve::ports::{
    LanguageModel, ModelError, ModelReply, ModelRequest, Outgoing, PortError, Ports, Receipt, Sender, Senders, Source,
};
use reeve::store::{OutboxState, Store};
use serde_json::Value;

use crate::audit::tables_agree;
use crate::support::binary::reeve;
use crate::support::databases::databases;

/// Takes everything, and remembers it.
#[derive(Default)]
struct Receiver(Mutex<Vec<String>>);

#[async_trait]
impl Sender for Receiver {
    fn name(&self) -> &'static str {
        "the receiver"
    }

    fn kinds(&self) -> &'static [OutboxKind] {
        &OutboxKind::ALL
    }

    async fn send(&self, message: &Outgoing) -> Result<Receipt, PortError> {
        self.0.lock().unwrap().push(message.id.clone());
        Ok(Receipt::unnamed(message.at))
    }

    fn knows(&self, destination: &str) -> bool {
        destination == "webhook"
    }

    fn free_at(&self, _: &str, now: Timestamp) -> Timestamp {
        now
    }
}

/// A model during whose first answer people stop Reeve; it never writes anything.
struct Stopping {
    url: String,
    clock: Clock,
    asked: AtomicUsize,
}

#[async_trait]
impl LanguageModel for Stopping {
    fn name(&self) -> String {
        "stopping".to_owned()
    }

    async fn complete(&self, _: &ModelRequest) -> Result<ModelReply, ModelError> {
        if self.asked.fetch_add(1, Ordering::SeqCst) == 0 {
            let store = Store::open_and_migrate(&self.url).await.unwrap();
            let config = Config::load_from(None, &[]).unwrap();
            stop::stop(&store, &config, &self.clock, (&PersonId::new("pia"), "web"), "now").await.unwrap();
            store.close().await;
        }
        Err(ModelError::Down { status: 503, retry_after: None })
    }
}

/// A process on the store.
async fn started(url: &str, source: &Arc<Recorded>, receiver: &Arc<Receiver>, clock: &Clock) -> App {
    started_with(url, source, receiver, clock, None).await
}

async fn started_with(
    url: &str,
    source: &Arc<Recorded>,
    receiver: &Arc<Receiver>,
    clock: &Clock,
    model: Option<Arc<dyn LanguageModel>>,
) -> App {
    let store = Store::open_and_migrate(url).await.unwrap();
    let ports = Ports {
        source: Arc::clone(source) as Arc<dyn Source>,
        model,
        senders: Senders::only(Arc::clone(receiver) as Arc<dyn Sender>),
    };
    App::new(Arc::new(Config::load_from(None, &[]).unwrap()), store, ports, clock.clone())
}

async fn drafted(app: &App) -> usize {
    app.context.store.list_audit(0, 100_000).await.unwrap().iter().filter(|e| e.entry.action == "case.drafted").count()
}

async fn undrafted(app: &App) -> usize {
    app.context.store.list_cases(&["new"]).await.unwrap().len()
}

async fn transfer(app: &App) -> Recommendation {
    let all = app.context.store.list_recommendations_in(&["queued"]).await.unwrap();
    all.into_iter().map(|(rec, _)| rec).find(|rec| rec.candidate.action.code() == "TRANSFER").expect("goods can be moved")
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_drafted_and_nothing_leaves_from_stop_to_resume() {
    let config = Config::load_from(None, &[]).unwrap();
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join(&config.source.recording);
    let source = Arc::new(Recorded::open(&recording, &config.rules.money.currency).unwrap());
    let last = source.span().unwrap().1;
    for db in databases().await {
        let url = db.store_url();
        let (receiver, clock) = (Arc::new(Receiver::default()), Clock::standing_at(last - SignedDuration::from_hours(24)));
        let got = || receiver.0.lock().unwrap().clone();
        let app = started(&url, &source, &receiver, &clock).await;
        app.run_until_idle().await.unwrap();
        let before = drafted(&app).await;
        let [pia, ari] = ["pia", "ari"].map(PersonId::new);
        stop::stop(&app.context.store, &config, &clock, (&pia, "web"), "the price list is wrong").await.unwrap();

        // People decide on, and are answered; their messages wait.
        let rec = transfer(&app).await;
        let request = DecisionRequest {
            idempotency_key: "approve".to_owned(),
            person: ari.clone(),
            channel: "web".to_owned(),
            hand: Hand::Own,
            recommendation_id: rec.id.clone(),
            content_hash: rec.content_hash(),
            verb: Verb::Approve,
        };
        assert_eq!(app.approvals.decide(&request).await.unwrap().state, "approved");
        clock.set(last);
        app.run_until_idle().await.unwrap();
        let found = undrafted(&app).await;
        assert!(found > 0, "the day after brought nothing new, so this shows nothing");
        assert_eq!((got(), drafted(&app).await), (vec![], before));
        let waiting = app.context.store.list_outbox(OutboxState::Pending).await.unwrap();
        assert_eq!((waiting.len(), waiting[0].attempts), (1, 0));

        // Another process, later on the same store: it is stopped all the same.
        app.context.store.close().await;
        let app = started(&url, &source, &receiver, &clock).await;
        let store = &app.context.store;
        app.run_until_idle().await.unwrap();
        assert_eq!((got(), drafted(&app).await, undrafted(&app).await), (vec![], before, found));
        let health = &store.list_digests(1).await.unwrap()[0].digest.health;
        assert!(health.iter().any(|line| line.contains("Pia Planner stopped it")), "{health:?}");
        let said = picture(store, &config, clock.now()).await.unwrap().stopped.unwrap();
        assert!(said.contains("the price list is wrong"), "{said}");

        let refused = stop::resume(store, &config, &clock, (&pia, "web"), "").await.unwrap_err().to_string();
        assert!(refused.contains("an approver of tier 2"), "{refused}");
        stop::resume(store, &config, &clock, (&ari, "web"), "it is right again").await.unwrap();
        app.run_until_idle().await.unwrap();
        assert_eq!((got(), undrafted(&app).await), (vec![waiting[0].id.clone()], 0), "it leaves, and the rest is drafted");
        assert!(drafted(&app).await > before);
        app.run_until_idle().await.unwrap();
        assert_eq!(got().len(), 1, "once");
        store.verify_audit().await.unwrap();
        tables_agree(store).await;
        store.close().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_case_whose_words_were_being_written_at_the_stop_is_drafted_once_reeve_goes_on() {
    let config = Config::load_from(None, &[]).unwrap();
    let recording = Path::new(env!("CARGO_MANIFEST_DIR")).join(&config.source.recording);
    let source = Arc::new(Recorded::open(&recording, &config.rules.money.currency).unwrap());
    let clock = Clock::standing_at(source.span().unwrap().1);
    for db in databases().await {
        let url = db.store_url();
        let model = Arc::new(Stopping { url: url.clone(), clock: clock.clone(), asked: AtomicUsize::new(0) });
        let receiver = Arc::new(Receiver::default());
        let app = started_with(&url, &source, &receiver, &clock, Some(Arc::clone(&model) as Arc<dyn LanguageModel>)).await;
        let store = &app.context.store;
        app.run_until_idle().await.unwrap();
        let waiting = undrafted(&app).await;
        assert!(waiting > 0 && model.asked.load(Ordering::SeqCst) > 0, "{waiting} cases wait");
        // The same process goes on, at the same time and on the same records: it must not hold the case to be done.
        stop::resume(store, &config, &clock, (&PersonId::new("ari"), "web"), "").await.unwrap();
        app.run_until_idle().await.unwrap();
        assert_eq!(undrafted(&app).await, 0);
        store.close().await;
    }
}

#[test]
fn a_run_says_what_each_stage_did_and_took_and_makes_the_digest_of_the_demo() {
    let home = tempfile::tempdir().unwrap();
    let store = format!("sqlite:{}", home.path().join("reeve.db").display());
    let dir = home.path().join("demo");
    let demo = reeve(&["demo", "--once", "--dir", dir.to_str().unwrap()], &[]).fine();
    let made = format!("sqlite:{}", dir.join("reeve.db").display());
    let made: Value = serde_json::from_str(&reeve(&["--json", "--store", &made, "digest"], &[]).fine()).unwrap();
    let at = made["as_of"].as_str().unwrap();
    let on = |args: &[&str]| reeve(&[&["--store", &store], args].concat(), &[]);
    let ran: Value = serde_json::from_str(&on(&["--json", "run", "--at", at]).fine()).unwrap();
    assert_eq!((&ran["at"], &ran["stopped"], &ran["failed"]), (&at.into(), &Value::Null, &serde_json::json!([])));
    let stages = ran["stages"].as_array().unwrap();
    let names: Vec<&str> = stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "observe",
            "understand",
            "detect",
            "remember",
            "enrich",
            "draft",
            "approve",
            "notify",
            "anchor",
            "noise",
            "deliver",
            "verify"
        ]
    );
    for stage in ["observe", "detect", "enrich", "draft", "approve", "notify"] {
        let figures = stages.iter().find(|figures| figures["stage"] == stage).unwrap();
        assert!(figures["advanced"].as_u64().unwrap() > 0 && figures["seconds"].as_f64().unwrap() > 0.0, "{figures}");
        if cfg!(target_os = "linux") {
            assert!(figures["peak_memory_bytes"].as_u64().unwrap() > 1_000_000, "{figures}");
            assert!(figures["cpu_seconds"].is_f64(), "{figures}");
        }
    }
    let again = on(&["run", "--at", at]).fine();
    assert_eq!(again.lines().filter(|line| line.contains("nothing to do")).count(), 12, "{again}");
    let last = again.lines().last().unwrap();
    assert!(last.starts_with("Nothing is left to do at ") && last.contains("after 1 round: "), "{again}");

    let digest = on(&["digest"]).fine();
    let lines = |text: &str| {
        text.lines().filter(|l| !l.is_empty() && !l.starts_with("The store is")).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines(&digest), lines(&demo), "same records, same settings, same bytes");

    // By command: stopped, said everywhere, and ended.
    let stop = ["stop", "--as", "pia", "--reason", "the price list is wrong"];
    assert!(on(&stop).fine().starts_with("Stopped: nothing is drafted"));
    assert!(on(&[&stop[..3], &["--reason", "again"]].concat()).fine().contains("stopped already, by pia"));
    let status = on(&["outbox", "status"]);
    assert_eq!(status.code, Some(2));
    assert!(
        status.out.starts_with("STOPPED Reeve is stopped") && status.out.contains("the price list is wrong"),
        "{status:?}"
    );
    let doctor = on(&["doctor"]).out;
    assert!(doctor.lines().any(|l| l.starts_with("FAULT stop") && l.contains("Pia Planner")), "{doctor}");
    assert!(doctor.contains("not asked: while Reeve is stopped"), "{doctor}");
    assert!(on(&["run", "--at", at]).fine().starts_with("Reeve is stopped: "));
    assert!(!on(&["queue", "list"]).fine().is_empty(), "the queue stays readable");
    assert!(on(&["resume", "--as", "pia"]).error().contains("an approver of tier 2"));
    assert!(on(&["resume", "--as", "ari", "--reason", "mended"]).fine().contains("has ended"));
    assert!(on(&["resume", "--as", "ari"]).fine().contains("Nobody has stopped Reeve"));
    // By a file, which no command takes away.
    let file = home.path().join("stop");
    std::fs::write(&file, "").unwrap();
    let by_file = [("REEVE_SAFETY__STOP_FILE", file.to_str().unwrap())];
    let resumed = reeve(&["--store", &store, "resume", "--as", "ari"], &by_file);
    assert_eq!(resumed.code, Some(2));
    assert!(resumed.out.contains("remove the file"), "{resumed:?}");
}
