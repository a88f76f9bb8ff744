//! The real program on a made-up retailer, for chats that people decide in while it is killed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::ids::PersonId;
use reeve::people::{By, ChatChannel, ChatUser, Identities};
use reeve::store::Store;
use tempfile::TempDir;

use crate::support::binary::{Process, reeve, started};
use crate::support::databases::{TestDb, databases};

/// The morning after the last day of the retailer's records.
const STANDS_AT: &str = "2026-10-09T06:10:00Z";

/// How long anything may take before it counts as stuck.
const STUCK: Duration = Duration::from_mins(4);

/// Waits until something is there.
pub(crate) async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < STUCK, "{what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// A retailer of twelve items in a store, and the settings that the program is started with.
pub(crate) struct Installed {
    pub(crate) store: Store,
    pub(crate) config: Arc<Config>,
    file: String,
    log: PathBuf,
    _folder: TempDir,
    _db: TestDb,
}

impl Installed {
    /// With `chat`, a chat's own section of the settings, and `user` of `tenant` there linked to the director.
    pub(crate) async fn with(chat: &str, channel: ChatChannel, tenant: &str, user: &str) -> Self {
        let (db, folder) = (databases().await.remove(0), tempfile::tempdir().unwrap());
        let file = folder.path().join("reeve.toml");
        let url = db.store_url();
        let common = "[web]\nlisten = \"127.0.0.1:0\"\n[worker]\nperiod = \"200ms\"\nlease = \"2s\"\n";
        std::fs::write(&file, format!("[store]\nurl = \"{url}\"\n{common}{chat}")).unwrap();
        let store = Store::open_and_migrate(&url).await.unwrap();
        let size = ["--items", "12", "--locations", "3", "--days", "100", "--injected", "0.3", "--seed", "5"];
        reeve(&[&["--store", &url, "lab", "retailer"], size.as_slice()].concat(), &[]).fine();
        store.put_setting("demo.stands_at", &format!("{STANDS_AT} {}", Clock::System.now())).await.unwrap();

        let config = Arc::new(Config::load_from(Some(&file), &[]).unwrap());
        let identities = Identities { store: store.clone(), config: config.clone(), clock: Clock::System };
        let code = identities.invite(&PersonId::new("dan"), channel, By { actor: "dan", channel: "web" }).await;
        identities.confirm(&ChatUser::new(channel, tenant, user).unwrap(), &code.unwrap().code).await.unwrap();
        let (file, log) = (file.to_str().unwrap().to_owned(), folder.path().join("reeve.log"));
        Self { store, config, file, log, _folder: folder, _db: db }
    }

    /// Starts the program.
    pub(crate) fn serve(&self) -> Process {
        started(&["--config", &self.file, "serve"], &self.log)
    }

    /// Each recommendation was decided at most once, and the log says what the tables say.
    pub(crate) async fn is_sound(&self) {
        let decisions = self.store.list_decisions(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        let mut about: Vec<_> = decisions.iter().map(|decision| decision.recommendation_id.clone()).collect();
        about.sort();
        about.dedup();
        assert_eq!(about.len(), decisions.len(), "each is decided at most once");
        self.store.verify_audit().await.unwrap();
    }
}
