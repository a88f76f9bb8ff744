//! A live server that holds the rows of the recording gives the recording's digest.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use reeve::adapters::odoo::live;
use reeve::adapters::odoo::progress::Silent;
use reeve::adapters::recorded::Recorded;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::digest::Digest;
use reeve::ports::{Ports, Source};
use reeve::store::Store;

use crate::fake_odoo::{FakeOdoo, Seed, Version};
use crate::support::databases::databases;

fn config() -> Config {
    Config::load_from(None, &[]).expect("the defaults load")
}

async fn digest(config: Config, store: &Store, source: Arc<dyn Source>, at: Timestamp) -> Digest {
    let day = config.calendar.calendar().day_of(at);
    let ports = Ports { source, model: None, webhook: None };
    let app = App::new(Arc::new(config), store.clone(), ports, Clock::standing_at(at));
    app.run_until_idle().await.expect("the stages come to rest");
    store.find_digest(day).await.expect("the store answers").expect("the day has a digest").digest
}

/// What `odoo` gives at a time, with an empty store to begin with.
async fn live(odoo: &FakeOdoo, url: &str, at: Timestamp) -> (Store, Digest) {
    let mut config = config();
    config.odoo.url = odoo.url();
    config.odoo.database = odoo.database();
    config.odoo.user = odoo.user();
    config.odoo.api_key = odoo.key().into();
    config.odoo.requests_per_second = 0.0;
    let store = Store::open_and_migrate(url).await.expect("the store opens");
    let setup = live::Setup {
        odoo: config.odoo.clone(),
        calendar: config.calendar.clone(),
        currency: config.money.currency.clone(),
        mirror: Arc::new(store.clone()),
        clock: Clock::standing_at(at),
        progress: Arc::new(Silent),
    };
    let opened = live::open(setup).await.expect("the server opens");
    assert_eq!(opened.may_write, Some(Vec::new()));
    let digest = digest(config, &store, Arc::new(opened.source), at).await;
    (store, digest)
}

/// What has to be the same, a line each.
fn told(digest: &Digest) -> Vec<String> {
    let line = |l: &reeve::domain::digest::DigestLine| {
        format!(
            "{} {:?} {} | {} | {:?} of {:?} p {:.6} by {} | {} {} | {} | {:?} {:?}",
            l.place,
            l.codes,
            l.headline,
            l.subject,
            l.value,
            l.at_stake,
            l.p,
            l.deadline,
            l.action,
            l.recommendation,
            l.why,
            l.alternatives,
            l.note
        )
    };
    let explained = digest.explained.iter().map(|e| format!("explained {} {} {}", e.code, e.headline, e.reason));
    let below = format!("below {:?}", digest.below);
    digest.lines.iter().map(line).chain(explained).chain([below]).collect()
}

#[tokio::test]
async fn a_live_server_gives_the_digest_of_the_recording() {
    let folder = Path::new("evals/recordings/odoo-18-retailer");
    let recording = Recorded::open(folder, "USD").expect("the bundled recording opens");
    let (_, last) = recording.span().expect("things happened");
    let store = Store::open_and_migrate("sqlite::memory:").await.expect("the store opens");
    let recorded = digest(config(), &store, Arc::new(recording), last).await;
    let counts = store.count_records().await.expect("the store answers");
    for version in [Version::V18, Version::V17, Version::V19] {
        let odoo = FakeOdoo::start(Seed::Recording, version).await;
        let database = databases().await.remove(0);
        let (store, digest) = live(&odoo, &database.store_url(), last).await;
        let there = store.count_records().await.expect("the store answers");
        eprintln!("{version:?}: {there:#?} of {counts:#?}; health {:#?}", digest.health);
        for (a, b) in told(&recorded).iter().zip(told(&digest)) {
            if *a != b {
                eprintln!("- {a}\n+ {b}");
            }
        }
        assert_eq!(told(&digest), told(&recorded), "{version:?}");
        assert!(odoo.writes_seen().is_empty());
    }
}
