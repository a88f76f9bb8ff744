//! Reeve on a live Odoo, from the server with state to the digest, the page and the exit code.
//!
//! The program goes by the machine's clock, so its server's rows are moved: what was recorded ends yesterday.

mod away;
mod barrier;
mod companies;
mod digest;
mod faults;
mod missing;
mod reads;

use std::path::Path;
use std::time::Duration;

use reeve::clock::Clock;
use reeve::store::Store;
use serde_json::Value;

use crate::support::binary::{Ended, Running, reeve};
use reeve_testing::odoo::{FakeOdoo, Seed, Version};

/// Far longer than anything here takes: a test that waits for what never comes has failed.
const PATIENCE: Duration = Duration::from_mins(2);

/// A server and a store of its own.
struct Shop {
    odoo: FakeOdoo,
    home: tempfile::TempDir,
}

impl Shop {
    /// A retailer whose last day was yesterday.
    async fn new(version: Version) -> Self {
        Self::on(0, version).await
    }

    async fn on(port: u16, version: Version) -> Self {
        Self { odoo: server(port, version).await, home: tempfile::tempdir().expect("a folder can be made") }
    }

    fn store_url(&self) -> String {
        store_in(self.home.path())
    }

    async fn store(&self) -> Store {
        Store::open_and_migrate(&self.store_url()).await.expect("the store opens")
    }

    /// The environment that a person sets to read this server.
    fn environment(&self, more: &[(&str, &str)]) -> Vec<(String, String)> {
        let own = [
            ("REEVE_ODOO__URL", self.odoo.url()),
            ("REEVE_ODOO__DATABASE", self.odoo.database()),
            ("REEVE_ODOO__USER", self.odoo.user()),
            ("REEVE_ODOO__API_KEY", self.odoo.key()),
            ("REEVE_ODOO__REQUESTS_PER_SECOND", "0".to_owned()),
            ("REEVE_CALENDAR__DIGEST_HOUR", "0".to_owned()),
            ("REEVE_STORE__URL", self.store_url()),
            ("REEVE_WEB__LISTEN", "127.0.0.1:0".to_owned()),
            ("REEVE_WORKER__PERIOD", "100ms".to_owned()),
        ];
        let mut all: Vec<(String, String)> = own.map(|(name, value)| (name.to_owned(), value)).into();
        for (name, value) in more {
            all.retain(|(there, _)| there != name);
            all.push(((*name).to_owned(), (*value).to_owned()));
        }
        all
    }

    fn run_with(&self, args: &[&str], more: &[(&str, &str)]) -> Ended {
        let environment = self.environment(more);
        let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        reeve(args, &environment)
    }

    fn run(&self, args: &[&str]) -> Ended {
        self.run_with(args, &[])
    }

    /// What a command prints with `--json`, when it ends well.
    #[track_caller]
    fn json(&self, args: &[&str]) -> Value {
        let ended = self.run(&[&["--json"], args].concat());
        assert_eq!(ended.code, Some(0), "{args:?}: {ended:?}");
        serde_json::from_str(&ended.out).expect("it prints JSON")
    }

    /// A `reeve serve` that has said where its page is, and what it said.
    fn serve(&self, more: &[(&str, &str)]) -> (Running, String) {
        let environment = self.environment(more);
        let environment: Vec<(&str, &str)> = environment.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let mut serving = Running::start(&["serve"], &environment);
        let said = serving.said_until("Stop with Ctrl-C.");
        (serving, said)
    }

    /// Runs `reeve serve` until the day's digest is made, and what it said about its page.
    async fn served_a_digest(&self, more: &[(&str, &str)]) -> (Running, String) {
        let (serving, said) = self.serve(more);
        let store = self.store().await;
        until("a digest", async || !store.list_digests(1).await.expect("the store answers").is_empty()).await;
        store.close().await;
        (serving, said)
    }
}

/// The error of a command that failed: its last line. A daemon's log may stand before it.
#[track_caller]
fn failed(ended: &Ended) -> String {
    assert_eq!(ended.code, Some(1), "{ended:?}");
    let last = ended.err.lines().last().and_then(|line| line.strip_prefix("error: "));
    last.unwrap_or_else(|| panic!("{ended:?}")).to_owned()
}

fn store_in(folder: &Path) -> String {
    format!("sqlite:{}", folder.join("reeve.db").display())
}

/// The recorded retailer without customers, up to yesterday: what is left is read in a moment and has its bills.
async fn server(port: u16, version: Version) -> FakeOdoo {
    let odoo = FakeOdoo::start_on(port, Seed::Recording, version).await;
    odoo.with(|state| {
        for model in ["sale.order.line", "sale.order", "stock.valuation.layer", "stock.move.line"] {
            for id in state.ids(model) {
                state.unlink(model, id);
            }
        }
        for (id, row) in state.rows("stock.move") {
            if row.get("sale_line_id").is_some_and(|line| line.as_i64().is_some_and(|line| line > 0)) {
                state.unlink("stock.move", id);
            }
        }
    });
    let day = |at: jiff::Timestamp| at.as_second().div_euclid(86_400);
    odoo.move_days(day(Clock::System.now()) - 1 - day(odoo.now()));
    odoo
}

/// Waits for something that another process does.
async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.unwrap_or_else(|_| panic!("there is never {what}"));
}

/// Signs Ari in on the page that `serve` said it serves; the page's address and the cookie. The link is asked for by command:
/// what a daemon says is kept in journals, and no link is in it.
async fn sign_in(shop: &Shop, http: &reqwest::Client, said: &str) -> (String, String) {
    let base = said.split_once("The queue is at ").and_then(|(_, rest)| rest.split(". ").next()).expect("an address");
    assert!(!said.contains("token=") && said.contains("`reeve sign-in PERSON`"), "{said}");
    let link = shop.run(&["sign-in", "ari"]);
    let token = link.out.trim().split_once("?token=").unwrap_or_else(|| panic!("{link:?}")).1.to_owned();
    let form = http.post(format!("{base}/sign-in")).header("content-type", "application/x-www-form-urlencoded");
    let answer = form.body(format!("token={token}")).header("origin", base).send().await.expect("the page answers");
    let cookie = answer.headers()["set-cookie"].to_str().expect("text").split(';').next().expect("a value").to_owned();
    (base.to_owned(), cookie)
}

async fn page(http: &reqwest::Client, base: &str, path: &str, cookie: &str) -> String {
    let answer = http.get(format!("{base}{path}")).header("cookie", cookie).send().await.expect("the page answers");
    assert!(answer.status().is_success(), "{path}: {}", answer.status());
    answer.text().await.expect("it is text")
}

fn browser() -> reqwest::Client {
    reeve::http::client(Duration::from_secs(20)).expect("a client can be made")
}
