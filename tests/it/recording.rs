//! The whole App on the bundled recording: the digest is the same bytes on either database, however often it is made, and
//! whatever comes after its day.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::odoo::recorded::Recorded;
use reeve::ports::{Page, PortError, Ports, Senders, Source};
use reeve::store::{Store, StoredDigest};

use crate::support::databases::databases;

fn config() -> Arc<Config> {
    Arc::new(Config::load_from(None, &[]).expect("the defaults load"))
}

fn recording() -> Recorded {
    Recorded::open(Path::new("evals/recordings/odoo-18-retailer"), "USD").expect("the bundled recording opens")
}

fn ports(source: impl Source + 'static) -> Ports {
    Ports { source: Arc::new(source), model: None, senders: Senders::default() }
}

async fn digest_at(url: &str, source: impl Source + 'static, at: Timestamp) -> StoredDigest {
    let store = Store::open_and_migrate(url).await.expect("the store opens");
    let app = App::new(config(), store.clone(), ports(source), Clock::standing_at(at));
    app.run_until_idle().await.expect("the stages come to rest");
    let day = config().rules.calendar.calendar().day_of(at);
    let kept = store.find_digest(day).await.expect("the store answers").expect("the day has a digest");
    store.close().await;
    kept
}

#[tokio::test]
async fn the_same_records_give_the_same_digest_on_every_database_and_every_time() {
    let (_, last) = recording().span().expect("things happened");
    for database in databases().await {
        let first = digest_at(&database.store_url(), recording(), last).await;
        insta::assert_snapshot!("digest_of_the_last_day", first.text);
        let again = digest_at(&database.store_url(), recording(), last).await;
        assert_eq!(again, first, "a second run on {} changed the digest", database.kind());
    }
}

#[tokio::test]
async fn a_second_run_does_nothing() {
    let (_, last) = recording().span().expect("things happened");
    for database in databases().await {
        digest_at(&database.store_url(), recording(), last).await;
        let store = Store::open_and_migrate(&database.store_url()).await.expect("the store opens");
        let before = store.verify_audit().await.expect("the chain holds");
        let app = App::new(config(), store.clone(), ports(recording()), Clock::standing_at(last));
        app.run_until_idle().await.expect("the stages come to rest");
        assert_eq!(
            store.verify_audit().await.expect("the chain holds"),
            before,
            "a second run on {} left traces",
            database.kind()
        );
    }
}

/// The recording as it was at a moment: whatever came later is not in it.
struct CutOff {
    whole: Recorded,
    at: Timestamp,
}

#[async_trait]
impl Source for CutOff {
    fn identity(&self) -> String {
        self.whole.identity()
    }

    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError> {
        self.whole.read(cursor, until.min(self.at), limit).await
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        self.whole.span()
    }
}

#[tokio::test]
async fn what_comes_later_changes_no_earlier_digest() {
    let day = "2026-10-08".parse().expect("a date");
    let at = config().rules.calendar.calendar().close_of(day);
    let with_future = digest_at("sqlite::memory:", recording(), at).await;
    let without = digest_at("sqlite::memory:", CutOff { whole: recording(), at }, at).await;
    assert_eq!(with_future.text, without.text);
    assert!(with_future.digest.lines.iter().any(|l| l.codes.iter().any(|c| c == "I-OUT")), "the day has stock-outs to show");
}

#[test]
fn the_readme_shows_the_digest_that_the_demo_prints() {
    let readme = std::fs::read_to_string("README.md").expect("the README is there");
    let snapshot = std::fs::read_to_string("tests/it/snapshots/it__recording__digest_of_the_last_day.snap")
        .expect("the golden digest is there");
    let shown =
        readme.split("```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the README shows a digest");
    for line in shown.lines().filter(|l| !l.trim().is_empty() && !l.starts_with('…')) {
        assert!(snapshot.lines().any(|l| l == line), "the README shows a line that the digest has no more: {line:?}");
    }
}
