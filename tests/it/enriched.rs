//! The program, killed between a case's evidence and its words: the store says so, and the next run comes to what a run comes to that
//! nobody killed, the log's hashes included.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use reeve::domain::case::{Case, CaseState};
use reeve::domain::evidence::Bundle;
use reeve::store::Store;
use serde_json::Value;
use sqlx::{AnyConnection, Connection as _};

use crate::support::binary::{reeve, started};
use crate::support::databases::{TestDb, databases};

/// The morning after the last day of the retailer's records.
const AT: &str = "2026-10-09T06:10:00Z";
/// Cases that are drafted before the one at which it is killed.
const BEFORE: i64 = 3;
/// Looks, 20 ms apart, after which it counts as stuck.
const LOOKS: usize = 6_000;

/// A made-up retailer with much to find, in a store of its own.
struct Shop {
    db: TestDb,
    folder: tempfile::TempDir,
}

impl Shop {
    fn of(db: TestDb) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let settings = format!("[store]\nurl = \"{}\"\n[worker]\nlease = \"600ms\"\n", db.store_url());
        std::fs::write(folder.path().join("reeve.toml"), settings).unwrap();
        let shop = Self { db, folder };
        let size = ["--items", "32", "--locations", "3", "--days", "100", "--injected", "0.2", "--seed", "5"];
        let url = shop.db.store_url();
        shop.command(&[&["--store", &url, "lab", "retailer"], size.as_slice()].concat());
        shop
    }

    fn config(&self) -> String {
        self.path("reeve.toml").to_str().unwrap().to_owned()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    #[track_caller]
    fn command(&self, args: &[&str]) -> String {
        let ended = reeve(&[&["--config", &self.config()], args].concat(), &[]);
        assert_eq!(ended.code, Some(0), "{}: {args:?}: {ended:?}", self.db.kind());
        ended.out
    }

    async fn connection(&self) -> AnyConnection {
        sqlx::any::install_default_drivers();
        AnyConnection::connect(&self.db.url).await.unwrap()
    }

    /// From now on the recommendations of the fourth case are never written: whoever writes them stands still.
    async fn stand_still(&self) {
        let is_reached =
            format!("(select count(distinct case_id) from recommendations where case_id <> new.case_id) >= {BEFORE}");
        let make = if self.db.kind() == "postgres" {
            format!(
                "create function stand_still() returns trigger language plpgsql as
                 $$ begin if {is_reached} then perform pg_sleep(3600); end if; return new; end $$;
                 create trigger stands_still before insert on recommendations for each row execute function stand_still()"
            )
        } else {
            format!(
                "create view forever as with recursive f(n) as (select 1 union all select n from f) select n from f;
                 create trigger stands_still before insert on recommendations when {is_reached}
                 begin select count(*) from forever; end"
            )
        };
        let mut connection = self.connection().await;
        sqlx::raw_sql(sqlx::AssertSqlSafe(make)).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    async fn go_on(&self) {
        let mut connection = self.connection().await;
        let undo = if self.db.kind() == "postgres" {
            // The server has not noticed yet that nobody waits for its answer.
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and wait_event = 'PgSleep';
             drop trigger stands_still on recommendations; drop function stand_still"
        } else {
            "drop trigger stands_still; drop view forever"
        };
        sqlx::raw_sql(undo).execute(&mut connection).await.unwrap();
        connection.close().await.unwrap();
    }

    /// Runs the stages, and kills the process once it has frozen the fourth case's evidence.
    async fn run_killed(&self) {
        let log = self.path("reeve.log");
        let process = started(&["--config", &self.config(), "run", "--at", AT], &log);
        let mut connection = self.connection().await;
        let mut frozen = 0;
        for look in 0.. {
            assert!(look < LOOKS, "{}: it froze {frozen}: {}", self.db.kind(), read(&log));
            frozen =
                sqlx::query_scalar("select count(distinct case_id) from evidence").fetch_one(&mut connection).await.unwrap();
            if frozen > BEFORE {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        process.killed();
        connection.close().await.unwrap();
    }

    /// The cases with their newest evidence.
    async fn cases(&self) -> Vec<(Case, Option<Bundle>)> {
        let store = Store::open_and_migrate(&self.db.store_url()).await.unwrap();
        let mut cases = Vec::new();
        for case in store.list_cases(CaseState::JUDGED).await.unwrap() {
            let bundle = store.find_latest_bundle(&case.id).await.unwrap();
            cases.push((case, bundle));
        }
        store.close().await;
        cases
    }

    /// What must be the same to the last byte: the digest, the log with its hashes, the evidence.
    async fn result(&self) -> (String, Value, Vec<(String, Option<(u32, String)>)>) {
        let log = serde_json::from_str(&self.command(&["--json", "audit", "list", "--limit", "10000"])).unwrap();
        let frozen = |bundle: Bundle| (bundle.version, bundle.hash());
        let cases = self.cases().await.into_iter().map(|(case, bundle)| (case.id.to_string(), bundle.map(frozen)));
        (self.command(&["digest"]), log, cases.collect())
    }
}

fn read(log: &Path) -> String {
    std::fs::read_to_string(log).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_killed_between_evidence_and_words_is_gone_on_from() {
    for (whole, killed) in databases().await.into_iter().zip(databases().await) {
        let (whole, killed) = (Shop::of(whole), Shop::of(killed));
        whole.command(&["run", "--at", AT]);
        let kind = killed.db.kind();
        killed.stand_still().await;
        killed.run_killed().await;
        let left: Vec<Bundle> = killed
            .cases()
            .await
            .into_iter()
            .filter_map(|(case, bundle)| bundle.filter(|bundle| case.evidence_hash != Some(bundle.hash())))
            .collect();
        assert_eq!(left.len(), 1, "{kind}: the store says of one case that its evidence is frozen and not drafted");
        killed.go_on().await;
        let ran: Value = serde_json::from_str(&killed.command(&["--json", "run", "--at", AT])).unwrap();
        let figures = |stage: &str| {
            let stages = ran["stages"].as_array().unwrap();
            stages.iter().find(|figures| figures["stage"] == stage).unwrap()["advanced"].as_u64().unwrap()
        };
        assert!(figures("draft") > figures("enrich"), "{kind}: what was frozen is not frozen anew: {ran}");
        let done = killed.cases().await;
        let (case, bundle) = done.iter().find(|(case, _)| case.id == left[0].case_id).unwrap();
        assert_eq!(bundle.as_ref(), Some(&left[0]), "{kind}: the evidence stands as it was frozen");
        assert_eq!(case.evidence_hash, Some(left[0].hash()), "{kind}: and is drafted");
        assert_eq!(killed.result().await, whole.result().await, "{kind}");
    }
}
