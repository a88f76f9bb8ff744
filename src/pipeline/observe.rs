//! The source → records, from a cursor. Each page and the cursor behind it are stored in one transaction, so a kill at any
//! page loses nothing and reads nothing twice.
//!
//! A live source is first asked to bring in what has changed. Where that fails, nothing of it is told: the records stay as
//! they were at the last look that ended well, which is a whole story, only an older one, and the digest says how old.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Context as Stages, Progress, Stage};
use crate::ports::{Gap, PortError};
use crate::store::{Store, StoreError};

/// Under which key the store knows that more is known to be there than has been read.
const BEHIND: &str = "observe.behind";

/// Under which key the store keeps when the source was last looked at with success.
const LOOKED_AT: &str = "source.looked_at";

/// Under which key the store keeps what the source can not tell.
const GAPS: &str = "source.gaps";

/// Under which key the store keeps what everybody should know about the source; empty or not there when there is nothing.
pub const WARNING: &str = "source.warning";

/// Least time between two looks at a live source, however many hints come.
const HINT_REST: SignedDuration = SignedDuration::from_secs(5);

/// Has everything been read that was visible at the last look? Half of a story is none: nothing is judged before.
pub(super) async fn is_abreast(store: &Store) -> Result<bool, StoreError> {
    Ok(store.find_setting(BEHIND).await?.as_deref() == Some("no"))
}

/// When the source was last looked at with success; None before the first time.
///
/// # Errors
/// The store's, or a setting that is damaged.
pub async fn looked_at(store: &Store) -> anyhow::Result<Option<Timestamp>> {
    let Some(text) = store.find_setting(LOOKED_AT).await? else { return Ok(None) };
    Ok(Some(text.parse().with_context(|| format!("the store's setting {LOOKED_AT} is damaged"))?))
}

/// What the source could not tell at the last look, in order.
///
/// # Errors
/// The store's, or a setting that is damaged.
pub async fn gaps(store: &Store) -> anyhow::Result<Vec<Gap>> {
    let Some(text) = store.find_setting(GAPS).await? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).with_context(|| format!("the store's setting {GAPS} is damaged"))
}

/// Somebody's word that the source has changed. It is never taken as a fact: it only makes the next look come sooner.
#[derive(Debug, Default)]
pub struct Hint(AtomicBool);

impl Hint {
    /// Says that there may be something new.
    pub fn give(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Reads what has become visible up to now.
pub struct Observe {
    stages: Stages,
    last: Mutex<Option<Look>>,
}

/// The last look of this process.
#[derive(Clone, Copy, Debug)]
struct Look {
    at: Timestamp,
    /// Did it bring in everything? Until one has, nothing is told.
    whole: bool,
}

impl Observe {
    /// The stage.
    pub fn new(stages: Stages) -> Self {
        Self { stages, last: Mutex::new(None) }
    }

    /// Is it time to look at the source again? It is once for each period, sooner where there is a hint.
    fn is_due(&self, now: Timestamp) -> bool {
        let Stages { config, hint, .. } = &self.stages;
        let mut last = self.looked();
        let period = SignedDuration::try_from(config.worker.period).unwrap_or(SignedDuration::MAX);
        let due = last.is_none_or(|last| {
            let rest = now.duration_since(last.at);
            rest >= period || (rest >= HINT_REST && hint.0.swap(false, Ordering::AcqRel))
        });
        if due {
            *last = Some(Look { at: now, whole: false });
        }
        due
    }

    fn looked(&self) -> std::sync::MutexGuard<'_, Option<Look>> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    async fn keep_gaps(&self) -> anyhow::Result<()> {
        let gaps =
            serde_json::to_string(&self.stages.ports.source.gaps().await?).context("writing down what is not read")?;
        Ok(self.stages.store.put_setting(GAPS, &gaps).await?)
    }

    async fn page(&self, now: Timestamp) -> anyhow::Result<usize> {
        let Stages { store, config, ports, .. } = &self.stages;
        let source = ports.source.identity();
        let cursor = store.find_cursor(&source).await?;
        let page = ports
            .source
            .read(cursor.as_deref(), now, config.source.page)
            .await
            .with_context(|| format!("reading records from {source}"))?;
        // A live source can have changes that come to no record: the cursor moves all the same.
        let is_new = cursor.as_ref().is_some_and(|cursor| *cursor != page.next);
        if page.observed.is_empty() && !page.more && !is_new {
            return Ok(0);
        }
        // Said before the page is stored and taken back after the last one: killed in between, it stays said.
        if page.more {
            store.put_setting(BEHIND, "yes").await?;
        }
        store.apply_page(&source, &page, now).await.context("storing a page of records")?;
        if !page.more {
            // What can not be told of what was brought in shows only when it is put together.
            self.keep_gaps().await?;
            store.put_setting(BEHIND, "no").await?;
        }
        Ok(page.observed.len().max(1))
    }
}

#[async_trait]
impl Stage for Observe {
    fn name(&self) -> &'static str {
        "observe"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, ports, clock, .. } = &self.stages;
        let now = clock.now();
        if self.is_due(now) {
            let source = ports.source.identity();
            match ports.source.refresh(now).await {
                Ok(()) => {}
                // Half of what has changed is not told: the records stay as they were.
                Err(PortError::Resting { until, .. }) => {
                    tracing::debug!(%until, "The source is left alone");
                    return Ok(Progress::Idle);
                }
                Err(error) => return Err(error).with_context(|| format!("looking for changes in {source}")),
            }
            self.keep_gaps().await?;
            store.put_setting(LOOKED_AT, &now.to_string()).await?;
            *self.looked() = Some(Look { at: now, whole: true });
        }
        if !self.looked().is_some_and(|look| look.whole) {
            return Ok(Progress::Idle);
        }
        // Not the time from before the look: what came in since is part of it.
        Ok(match self.page(clock.now()).await? {
            0 => Progress::Idle,
            read => Progress::Advanced(read),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::AtomicU32;

    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::ids::LocationId;
    use crate::domain::record::{Location, Observed, Record};
    use crate::pipeline::desk::Desk;
    use crate::ports::{Page, PortError, Ports, Source};

    /// A live server with one shop, which answers only while it is up.
    #[derive(Default)]
    struct Live {
        down: AtomicBool,
        looks: AtomicU32,
    }

    #[async_trait]
    impl Source for Live {
        fn identity(&self) -> String {
            "live".to_owned()
        }

        async fn refresh(&self, _: Timestamp) -> Result<(), PortError> {
            self.looks.fetch_add(1, Ordering::SeqCst);
            if self.down.load(Ordering::SeqCst) {
                return Err(PortError::Transient { service: "Odoo", retry_after: None, source: "no route to host".into() });
            }
            Ok(())
        }

        async fn read(&self, cursor: Option<&str>, until: Timestamp, _: usize) -> Result<Page, PortError> {
            let shop = Location {
                id: LocationId::new("1"),
                code: "NOR".into(),
                name: "North".into(),
                company: None,
                company_name: String::new(),
            };
            let observed = match cursor {
                None => vec![Observed { changed_at: until, record: Record::Location(shop) }],
                Some(_) => Vec::new(),
            };
            Ok(Page { observed, next: "1".to_owned(), more: false })
        }

        fn span(&self) -> Option<(Timestamp, Timestamp)> {
            None
        }

        async fn gaps(&self) -> Result<Vec<Gap>, PortError> {
            let gap = |what: &str| Gap { what: what.into(), why: "access refused".into(), costs: "promotions".into() };
            Ok(vec![gap("loyalty.program")])
        }
    }

    async fn watched() -> (Arc<Live>, Clock, Observe, Stages, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_and_migrate(&format!("sqlite:{}", folder.path().join("r.db").display())).await.unwrap();
        let config = Arc::new(Config::load_from(None, &[]).unwrap());
        let clock = Clock::standing_at("2026-10-08T12:00:00Z".parse().unwrap());
        let live = Arc::new(Live::default());
        let ports = Ports { source: live.clone(), model: None, webhook: None };
        let desk = Arc::new(Desk::new(store.clone(), Arc::clone(&config), clock.clone()));
        let stages = Stages { store, config, ports, clock: clock.clone(), desk, hint: Arc::default() };
        (live, clock, Observe::new(stages.clone()), stages, folder)
    }

    #[tokio::test]
    async fn while_the_source_is_down_nothing_is_told_and_how_old_the_records_are_is_known() {
        let (live, clock, observe, stages, _folder) = watched().await;
        live.down.store(true, Ordering::SeqCst);
        assert!(observe.run_once().await.is_err());
        assert_eq!(stages.store.count_records().await.unwrap().len(), 0);
        assert_eq!(looked_at(&stages.store).await.unwrap(), None);
        live.down.store(false, Ordering::SeqCst);
        // Half of what changed may have come in before it failed: that is not told either.
        assert_eq!(observe.run_once().await.unwrap(), Progress::Idle);
        assert_eq!(stages.store.count_records().await.unwrap().len(), 0);
        let later = Observe::new(stages.clone());
        assert_eq!(later.run_once().await.unwrap(), Progress::Advanced(1));
        assert_eq!(looked_at(&stages.store).await.unwrap(), Some(clock.now()));
        assert_eq!(gaps(&stages.store).await.unwrap().len(), 1);
        assert!(is_abreast(&stages.store).await.unwrap());
    }

    #[tokio::test]
    async fn a_live_source_is_looked_at_once_for_a_period_and_sooner_on_a_hint() {
        let (live, _, observe, stages, _folder) = watched().await;
        for _ in 0..3 {
            observe.run_once().await.unwrap();
        }
        assert_eq!(live.looks.load(Ordering::SeqCst), 1);
        let at = |seconds: i64| stages.clock.now() + SignedDuration::from_secs(seconds);
        assert!(!observe.is_due(at(6)));
        for _ in 0..1000 {
            stages.hint.give();
        }
        assert!(!observe.is_due(at(1)), "a server is not asked again at once, whoever says so");
        assert!(observe.is_due(at(6)));
        assert!(!observe.is_due(at(12)), "a thousand hints are one");
        assert!(observe.is_due(at(66)));
    }
}
