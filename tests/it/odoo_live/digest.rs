//! A live server that holds the rows of the recording gives the recording's digest.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::digest::Digest;
use reeve::domain::record::Record;
use reeve::odoo::live;
use reeve::odoo::live::progress::Silent;
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Ports, Senders, Source};
use reeve::store::Store;
use serde_json::Value;

use crate::support::databases::databases;
use reeve_testing::odoo::{FakeOdoo, Seed, Version};

fn config() -> Config {
    let mut config = Config::load_from(None, &[]).expect("the defaults load");
    // Small cases too: the more lines there are, the more is compared.
    config.rules.ranking.least_value = reeve::domain::money::Money::ZERO;
    config
}

async fn digest(config: Config, store: &Store, source: Arc<dyn Source>, at: Timestamp) -> Digest {
    let day = config.rules.calendar.calendar().day_of(at);
    let ports = Ports { source, model: None, senders: Senders::default() };
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
        calendar: config.rules.calendar.calendar(),
        currency: config.rules.money.currency.clone(),
        mirror: Arc::new(store.clone()),
        clock: Clock::standing_at(at),
        progress: Arc::new(Silent),
    };
    let opened = live::open(setup).await.expect("the server opens");
    assert_eq!(opened.may_write, Some(Vec::new()));
    let digest = digest(config, &store, Arc::new(opened.source), at).await;
    (store, digest)
}

/// A digest without what can not be the same: what is not read is said of servers only, and the log's head names the hashes of
/// another source.
fn comparable(digest: &Digest) -> Digest {
    Digest { health: Vec::new(), audit_head: (0, String::new()), ..digest.clone() }
}

/// Records as JSON by their keys.
async fn records(store: &Store) -> BTreeMap<String, Value> {
    let records = store.load_records().await.expect("the store answers");
    let json = |record: &Record| serde_json::to_value(record).expect("records are JSON");
    records.iter().map(|record| (format!("{:?}", record.key()), json(record))).collect()
}

/// In which fields records differ, with the values.
fn differing(ours: &Value, theirs: &Value, at: &str, into: &mut BTreeMap<String, Vec<(Value, Value)>>) {
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            for name in a.keys().chain(b.keys().filter(|name| !a.contains_key(*name))) {
                let one = |of: &serde_json::Map<String, Value>| of.get(name).cloned().unwrap_or_default();
                differing(&one(a), &one(b), &format!("{at}.{name}"), into);
            }
        }
        (a, b) if a == b => {}
        (a, b) => into.entry(at.to_owned()).or_default().push((a.clone(), b.clone())),
    }
}

#[tokio::test]
async fn a_live_server_gives_the_digest_of_the_recording() {
    let folder = Path::new("evals/recordings/odoo-18-retailer");
    let recording = Recorded::open(folder, "USD").expect("the bundled recording opens");
    let (_, last) = recording.span().expect("things happened");
    let store = Store::open_and_migrate("sqlite::memory:").await.expect("the store opens");
    let recorded = digest(config(), &store, Arc::new(recording), last).await;
    assert!(recorded.lines.len() > 10, "there is something to compare");
    let told = records(&store).await;
    for (nth, version) in [Version::V18, Version::V17, Version::V19].into_iter().enumerate() {
        let odoo = FakeOdoo::start(Seed::Recording, version).await;
        // Another source needs another store.
        let databases = databases().await;
        let database = &databases[nth % databases.len()];
        let (store, digest) = live(&odoo, &database.store_url(), last).await;
        let what = format!("{version:?} on {}", database.kind());
        // Line by line first: a whole digest is hard to read.
        for (ours, theirs) in digest.lines.iter().zip(&recorded.lines) {
            assert_eq!(ours, theirs, "{what}");
        }
        assert_eq!(comparable(&digest), comparable(&recorded), "{what}");
        assert!(
            matches!(digest.health.as_slice(), [only] if only.starts_with("Not read: stock.lot.expiration_date ")),
            "{what}: {:#?}",
            digest.health
        );
        assert!(odoo.writes_seen().is_empty());

        let ours = records(&store).await;
        let missing: Vec<&String> = told.keys().filter(|key| !ours.contains_key(*key)).collect();
        assert!(missing.is_empty(), "{what}: {missing:#?}");
        let more: BTreeSet<&str> = ours
            .iter()
            .filter(|(key, _)| !told.contains_key(*key))
            .filter_map(|(_, record)| record["record"].as_str())
            .collect();
        let mut differences = BTreeMap::new();
        for (key, record) in &told {
            differing(&ours[key], record, record["record"].as_str().expect("a kind"), &mut differences);
        }
        // Sums and levels are told by servers only.
        assert_eq!(more, BTreeSet::from(["demand_month", "stock_level"]), "{what}");
        // A server says what it takes an item to cost, to the cent; of a recording it is worked out from the stock's layers.
        // Names of promotions are those of price lists, which the recording has as references show them.
        // 19 has no multiples at reorder rules, and the words of a count in another field, which the recording lacks.
        let fields: Vec<&str> = differences.keys().map(String::as_str).collect();
        let expected: &[&str] = match version {
            Version::V19 => &["item.cost", "move.reason", "promotion.name", "reorder_rule.multiple"],
            _ => &["item.cost", "promotion.name"],
        };
        assert_eq!(fields, expected, "{what}: {differences:#?}");
        let money = |value: &Value| value.as_str().expect("money is text").parse::<f64>().expect("a number");
        for (ours, theirs) in &differences["item.cost"] {
            assert!((money(ours) - money(theirs)).abs() < 0.011, "{what}: {ours} instead of {theirs}");
        }
        for (ours, theirs) in &differences["promotion.name"] {
            let (ours, theirs) = (ours.as_str().expect("text"), theirs.as_str().expect("text"));
            assert!(theirs.starts_with(ours), "{what}: {ours} instead of {theirs}");
        }
        store.close().await;
    }
}
