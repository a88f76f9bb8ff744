//! A language model that has earned its words: by the door that people use, a proof and two of them.

use jiff::Timestamp;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::hand::Hand;
use reeve::domain::ids::{CaseId, PersonId};
use reeve::domain::writer::{DraftEnd, DraftGrade, GradedDraft, Proof};
use reeve::pipeline::writers;
use reeve::store::Store;

/// The moment at which a demo of the bundled recording stands.
const DEMO: &str = "2026-10-31T15:30:00Z";

/// Lets people see the words of the model that `environment` names, in the demo's store at `url`, which is made where it is not there.
pub(crate) async fn earn_words(url: &str, environment: &[(&str, String)]) {
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let config = Config::load_from(None, &environment).expect("the environment is a configuration");
    let store = Store::open_and_migrate(url).await.expect("the store opens");
    let at: Timestamp = DEMO.parse().expect("a moment");
    // As the demo itself says it, so that the store is one that it goes on with.
    store.put_setting("demo.stands_at", &format!("{at} {at}")).await.expect("it is written");
    promoted(&store, &config, &Clock::standing_at(at)).await;
    store.close().await;
}

/// Keeps `n` drafts of the configured model that people were to see and the guard refused, on the demo's day.
pub(crate) async fn refuse_drafts(url: &str, environment: &[(&str, String)], n: u32) {
    let environment: Vec<(String, String)> =
        environment.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let config = Config::load_from(None, &environment).expect("the environment is a configuration");
    let store = Store::open(url).await.expect("the store is there");
    let at: Timestamp = DEMO.parse().expect("a moment");
    for nth in 0..n {
        let draft = GradedDraft {
            case: CaseId::new(format!("case-of-yesterday-{nth}")),
            evidence_hash: "e".to_owned(),
            writer: config.writer().expect("a model is configured").id(),
            shown: true,
            day: config.rules.calendar.calendar().day_of(at),
            end: DraftEnd::Refused,
            because: "it was not JSON of the schema".to_owned(),
            grade: DraftGrade::default(),
            draft: None,
            tokens: 0,
            at,
        };
        store.add_writer_draft(&draft).await.expect("it is kept");
    }
    store.close().await;
}

/// Keeps a proof of the configured model and has two people promote it.
pub(crate) async fn promoted(store: &Store, config: &Config, clock: &Clock) {
    let writer = config.writer().expect("a model is configured");
    proved(store, config, clock, &[]).await;
    for who in ["ari", "dan"] {
        let by = PersonId::new(who);
        writers::promote(store, config, clock, (&by, "web", &Hand::Own), &writer, "better", None).await.expect("they may");
    }
}

/// Keeps what the configured model was found at: nothing is missing where it has earned its words.
pub(crate) async fn proved(store: &Store, config: &Config, clock: &Clock, missing: &[&str]) {
    let proof = Proof {
        writer: config.writer().expect("a model is configured"),
        suite: "drafts".to_owned(),
        data: "d".to_owned(),
        runs: ("a".to_owned(), "b".to_owned()),
        found: vec!["figures: <i>equal</i>".to_owned()],
        missing: missing.iter().map(|why| (*why).to_owned()).collect(),
        at: clock.now(),
    };
    writers::proved(store, clock, &proof, ("command", "command")).await.expect("it is kept");
}
