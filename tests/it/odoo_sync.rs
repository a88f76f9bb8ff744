//! The pull over HTTP, from the server with state into real databases: while rows are edited, requests fail and the pull is
//! broken off anywhere, the mirror ends as the server is.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::future::{Future, poll_fn};
use std::os::unix::process::ExitStatusExt as _;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::odoo::live::call::{ReadRows, Scope, Server};
use reeve::odoo::live::connect::connect;
use reeve::odoo::live::pull::{Puller, Settings};
use reeve::odoo::live::streams::{STREAMS, Stream};
use reeve::odoo::rows::cell::Cell;
use reeve::ports::Mirror;
use reeve::store::Store;
use serde_json::{Value, json};

use crate::support::databases::databases;
use reeve_testing::odoo::{FakeOdoo, Fault, Seed, Transaction, Version};

/// Models that are edited, each with a field that anybody may write.
const EDITED: [(&str, &str); 6] = [
    ("product.template", "name"),
    ("purchase.order.line", "product_qty"),
    ("stock.move", "origin"),
    ("stock.picking", "scheduled_date"),
    ("product.supplierinfo", "delay"),
    ("account.move", "ref"),
];

struct Setting {
    odoo: FakeOdoo,
    server: Arc<dyn Server>,
    store: Arc<Store>,
    clock: Clock,
}

impl Setting {
    async fn new(version: Version, store: Store) -> Self {
        let odoo = FakeOdoo::start(Seed::Recording, version).await;
        let mut config = Config::load_from(None, &[]).unwrap().odoo;
        config.url = odoo.url();
        config.database = odoo.database();
        config.user = odoo.user();
        config.api_key = odoo.key().into();
        let clock = Clock::standing_at(odoo.now());
        let server = connect(&config, &clock).await.unwrap();
        Self { odoo, server, store: Arc::new(store), clock }
    }

    fn puller(&self, page_max: usize) -> Puller {
        let mut settings = Settings::new(&Config::load_from(None, &[]).unwrap().odoo, &jiff::tz::TimeZone::UTC).unwrap();
        settings.page_max = page_max;
        settings.requests_per_second = 0.0;
        settings.patience = Duration::from_millis(1);
        // Everything that the recording holds.
        (settings.history_days, settings.detail_days) = (5_000, 5_000);
        let mirror: Arc<dyn Mirror> = Arc::clone(&self.store) as Arc<dyn Mirror>;
        Puller::new(Arc::clone(&self.server), mirror, self.clock.clone(), settings, Scope::default())
    }

    fn pass(&self, seconds: i64) {
        self.clock.set(self.clock.now() + SignedDuration::from_secs(seconds));
        self.odoo.advance(Duration::from_secs(seconds.unsigned_abs()));
    }

    /// A pull that is dropped after so many steps, wherever it is then.
    async fn broken_off(&self, page_max: usize, steps: u32) {
        let puller = self.puller(page_max);
        let mut pull = pin!(puller.pull(STREAMS, self.clock.now()));
        let mut left = steps;
        poll_fn(|context| {
            left = left.saturating_sub(1);
            match pull.as_mut().poll(context) {
                Poll::Pending if left > 0 => Poll::Pending,
                // An error ends a cycle like a kill does.
                _ => Poll::Ready(()),
            }
        })
        .await;
    }

    async fn pull(&self) -> reeve::odoo::live::pull::Pulled {
        self.puller(5_000).pull(STREAMS, self.clock.now()).await.unwrap()
    }

    /// What the server tells of a stream, asked in one go and without the pull's help.
    async fn told(&self, stream: &Stream) -> BTreeMap<i64, Vec<Cell>> {
        let there = self.server.fields(stream.model).await.unwrap();
        let version = self.server.version();
        let name = |nth: usize| {
            let field = &stream.fields[nth];
            [field.name_on(version), field.name].into_iter().find(|name| there.contains_key(*name))
        };
        let asked: Vec<&str> = (1..stream.fields.len()).filter_map(name).chain(["write_date"]).collect();
        let ask = ReadRows {
            model: stream.model.to_owned(),
            domain: stream.domain(),
            fields: asked.iter().copied().map(str::to_owned).collect::<BTreeSet<_>>().into_iter().collect(),
            order: "id",
            limit: 100_000,
            scope: Scope::default(),
        };
        let cell = |row: &[Cell], name: &str| row[1 + ask.fields.iter().position(|f| f == name).unwrap()].clone();
        let rows = self.server.rows(&ask).await.unwrap();
        rows.iter()
            .map(|row| {
                let mut cells = vec![row[0].clone()];
                for (nth, field) in stream.fields.iter().enumerate().skip(1) {
                    cells.push(name(nth).map_or_else(|| field.absent.cell().unwrap(), |name| cell(row, name)));
                }
                cells.push(cell(row, "write_date"));
                (row[0].id().unwrap(), cells)
            })
            .collect()
    }

    /// What is not the same in the mirror, first values left out: they are what no server tells.
    async fn differences(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        let gaps: BTreeSet<String> = Puller::gaps(&*self.store).await.unwrap().into_iter().map(|gap| gap.what).collect();
        for stream in STREAMS.iter().filter(|s| s.versions.contains(&self.server.version()) && !gaps.contains(s.model)) {
            let told = self.told(stream).await;
            let kept = self.store.all(stream.model).await.unwrap();
            if told.keys().ne(kept.iter().map(|row| &row.id)) {
                wrong.push(format!("{}: {} rows are kept of {}", stream.model, kept.len(), told.len()));
            }
            for row in kept {
                let mut cells: Vec<Cell> = serde_json::from_str(&row.body).unwrap();
                let stamp = cells.pop().unwrap();
                cells.truncate(stream.fields.len());
                cells.push(stamp);
                let body = serde_json::to_string(&cells).unwrap();
                let expected = told.get(&row.id).map(|cells| serde_json::to_string(cells).unwrap());
                if expected.as_ref() != Some(&body) {
                    wrong.push(format!("{} {}: {body} instead of {expected:?}", stream.model, row.id));
                }
            }
        }
        wrong
    }

    /// Somebody works.
    fn edit(&self, rng: &mut ChaCha8Rng, slow: &mut Vec<Transaction>) {
        let (model, field) = EDITED[rng.gen_range(0..EDITED.len())];
        let ids: Vec<i64> = self.odoo.rows(model).into_keys().collect();
        let id = ids[rng.gen_range(0..ids.len())];
        let value: Value = match field {
            "product_qty" | "delay" => json!(rng.gen_range(1..50)),
            "scheduled_date" => json!(format!("2026-10-{:02} 08:00:00", rng.gen_range(1..29))),
            _ => json!(format!("edited {}", rng.r#gen::<u16>())),
        };
        let values = json!({ field: value });
        match rng.gen_range(0..10) {
            0 if model == "product.supplierinfo" => self.odoo.unlink(model, id),
            1 if model == "product.template" => self.odoo.archive(model, id),
            2 => {
                let mut transaction = self.odoo.begin();
                transaction.write(model, id, values);
                slow.push(transaction);
            }
            3 => {
                for id in ids.iter().step_by(7) {
                    self.odoo.write(model, *id, &values);
                }
            }
            _ => self.odoo.write(model, id, &values),
        }
    }
}

#[tokio::test]
async fn edits_faults_and_kills_leave_the_mirror_as_the_server_is() {
    for (nth, db) in databases().await.into_iter().enumerate() {
        let version = if nth % 2 == 0 { Version::V18 } else { Version::V19 };
        let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
        let setting = Setting::new(version, store).await;
        let mut rng = ChaCha8Rng::seed_from_u64(20_261_008);
        let mut slow = Vec::new();
        for round in 0..25 {
            for _ in 0..rng.gen_range(0..6) {
                setting.edit(&mut rng, &mut slow);
            }
            // No transaction is longer than the overlap.
            if round % 5 == 4 || rng.gen_bool(0.3) {
                slow.drain(..).for_each(|transaction| setting.odoo.commit(transaction));
            }
            let faults = [Fault::BadGateway, Fault::Cut, Fault::Truncated, Fault::TooMany(None), Fault::Unavailable(None)];
            for _ in 0..rng.gen_range(0..3) {
                setting.odoo.faults().at(rng.gen_range(1..60), faults[rng.gen_range(0..faults.len())]);
            }
            setting.broken_off(rng.gen_range(100..3_000), 20 + round * rng.gen_range(1..40)).await;
            setting.pass(rng.gen_range(0..100));
        }
        setting.odoo.faults().clear();
        slow.drain(..).for_each(|transaction| setting.odoo.commit(transaction));
        setting.pass(86_401);
        setting.pull().await;
        setting.pass(86_401);
        setting.pull().await;
        let wrong = setting.differences().await;
        assert!(wrong.is_empty(), "{}: {:#?}", db.kind(), &wrong[..wrong.len().min(10)]);
        assert!(setting.odoo.writes_seen().is_empty(), "only reads are sent");
        let again = setting.pull().await;
        assert_eq!((again.rows_changed, again.rows_found_late), (0, 0));
    }
}

#[tokio::test]
async fn a_model_without_access_and_a_hidden_field_are_gaps_and_nothing_else() {
    for db in databases().await {
        let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
        let setting = Setting::new(Version::V18, store).await;
        setting.odoo.set_right("stock.scrap", "read", false);
        setting.odoo.hide_field("product.product", "standard_price");
        let pulled = setting.pull().await;
        let what: Vec<&str> = pulled.gaps.iter().map(|gap| gap.what.as_str()).collect();
        assert!(what.contains(&"stock.scrap") && what.contains(&"product.product.standard_price"), "{:#?}", pulled.gaps);
        assert!(pulled.gaps.iter().all(|gap| !gap.costs.is_empty() && !gap.why.is_empty()), "{:#?}", pulled.gaps);
        assert!(!setting.store.all("stock.move").await.unwrap().is_empty());
        assert!(pulled.rows_changed > 1_000, "{pulled:?}");
    }
}

/// Steady work costs little: what is not new is not read again.
#[tokio::test]
async fn a_look_at_a_server_on_which_nothing_happens_reads_nothing() {
    let db = databases().await.remove(0);
    let store = Store::open_and_migrate(&db.store_url()).await.unwrap();
    let setting = Setting::new(Version::V19, store).await;
    let first = setting.pull().await;
    assert!(first.rows_read >= first.rows_changed && first.rows_changed > 1_000, "{first:?}");
    setting.pass(3_600);
    setting.pull().await;
    setting.pass(60);
    let third = setting.pull().await;
    assert_eq!((third.rows_read, third.rows_changed), (0, 0), "{third:?}");
    assert!(setting.clock.now() > Timestamp::UNIX_EPOCH);
}

/// Times that the program is killed.
const KILLS: usize = 100;

#[expect(clippy::disallowed_methods, reason = "the program is started as its users start it")]
fn sync(setting: &Setting, store: &str) -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_reeve"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).args(["--store", store, "sync"]).stdin(std::process::Stdio::null());
    let odoo = [
        ("URL", setting.odoo.url()),
        ("DATABASE", setting.odoo.database()),
        ("USER", setting.odoo.user()),
        ("API_KEY", setting.odoo.key()),
        ("REQUESTS_PER_SECOND", "0".to_owned()),
        ("PAGE_MAX", "400".to_owned()),
        ("HISTORY_DAYS", "5000".to_owned()),
        ("DETAIL_DAYS", "5000".to_owned()),
        // Every cycle compares what it has, so that what is deleted is found without waiting for a day.
        ("SWEEP_EVERY", "1ms".to_owned()),
    ];
    command.envs(odoo.map(|(key, value)| (format!("REEVE_ODOO__{key}"), value)));
    command
}

#[tokio::test]
async fn a_sync_killed_a_hundred_times_ends_with_the_servers_rows_byte_for_byte() {
    let db = databases().await.remove(0);
    let url = db.store_url();
    let store = Store::open_and_migrate(&url).await.unwrap();
    let setting = Setting::new(Version::V18, store).await;
    let mut rng = ChaCha8Rng::seed_from_u64(100);
    let (mut runs, mut killed, mut slow) = (0, 0, Vec::new());
    // A run that comes to its end before it is hit does not count.
    while killed < KILLS {
        runs += 1;
        assert!(runs <= 5 * KILLS, "after {runs} runs only {killed} were killed");
        let before = setting.odoo.faults().requests();
        let until = before + rng.gen_range(1..120);
        let mut child = sync(&setting, &url)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .expect("the program can be started");
        while setting.odoo.faults().requests() < until && child.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        child.kill().unwrap();
        killed += usize::from(child.wait().unwrap().signal() == Some(9));
        setting.edit(&mut rng, &mut slow);
        slow.drain(..).for_each(|transaction| setting.odoo.commit(transaction));
    }
    let ended = sync(&setting, &url).output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    let wrong = setting.differences().await;
    assert!(wrong.is_empty(), "{:#?}", &wrong[..wrong.len().min(10)]);
    assert!(setting.odoo.writes_seen().is_empty(), "only reads are sent");
}
