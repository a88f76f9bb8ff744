//! The source → records, from a cursor. Each page and the cursor behind it are stored in one transaction, so a kill at any
//! page loses nothing and reads nothing twice.
//!
//! A live source is first asked to bring in what has changed. Where that fails, nothing of it is told by pages: the records
//! stay as they were at the last look that ended well, which is a whole story, only an older one, and the digest says how
//! old. Sums are told while they are brought in; until the look has ended well the records then are half of a story, and
//! nothing is judged by them.
//!
//! A look that ended well moves the watermark of the source's streams (`watermark`) to the moment at which it began.

use std::sync::Mutex;

use anyhow::Context;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::context::Context as Stages;
use super::watermark::{BEHIND, Reading, is_abreast, why_not};
use super::{Progress, Stage};
use crate::domain::record::{Location, Record, RecordKind};
use crate::ports::{Gap, PortError};
use crate::store::{Store, StoreError};

/// Under which key the store keeps what the source can not tell.
const GAPS: &str = "source.gaps";

/// Under which key the store keeps what everybody should know about the source; empty or not there when there is nothing.
pub const WARNING: &str = "source.warning";

/// Least time between two looks at a live source, however many hints come.
const HINT_REST: SignedDuration = SignedDuration::from_secs(5);

/// May this business day be looked at? Not on half of a story, and not before a look that began on it has ended well: the
/// days before would not be whole, and what nobody has read yet would look like nothing having happened.
pub(super) async fn may_look(stages: &Stages) -> Result<bool, StoreError> {
    let calendar = stages.config.rules.calendar.calendar();
    let day = calendar.day_of(stages.clock.now());
    Ok(is_abreast(&stages.store).await? && Reading::load(&stages.store).await?.covers_days_before(day, &calendar))
}

/// What the source could not tell at the last look, in order.
///
/// # Errors
/// The store's, or a setting that is damaged.
pub async fn gaps(store: &Store) -> anyhow::Result<Vec<Gap>> {
    let Some(text) = store.find_setting(GAPS).await? else { return Ok(Vec::new()) };
    serde_json::from_str(&text).with_context(|| format!("the store's setting {GAPS} is damaged"))
}

/// Reads what has become visible up to now.
pub struct Observe {
    stages: Stages,
    last: Mutex<Option<Look>>,
}

/// The last look of this process.
#[derive(Clone, Copy, Debug)]
struct Look {
    /// When it was tried last, by the machine's clock: looks are spaced by it.
    at: Timestamp,
    /// When it began, in business time.
    began: Timestamp,
    /// How far it came.
    came: Came,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Came {
    /// It has not ended, or failed: nothing is told.
    Nowhere,
    /// Everything was brought in, and is being told.
    In,
    /// Everything was told.
    Through,
}

impl Observe {
    /// The stage.
    pub fn new(stages: Stages) -> Self {
        Self { stages, last: Mutex::new(None) }
    }

    /// Is it time to look at the source again? It is once for each period, sooner where there is a hint, and when the hour of
    /// the digest has come: it is to know of what was done just before.
    fn is_due(&self, at: Timestamp) -> bool {
        let Stages { config, hint, clock, .. } = &self.stages;
        let now = clock.now();
        let mut last = self.looked();
        let period = SignedDuration::try_from(config.worker.period).unwrap_or(SignedDuration::MAX);
        let digest = config.rules.calendar.digest_at(config.rules.calendar.calendar().day_of(now));
        let due = last.is_none_or(|last| {
            let rest = at.duration_since(last.at);
            // Asked last, so that a hint is used up only by the look that it brings about.
            let wanted = || (last.began < digest && digest <= now) || hint.take();
            rest >= period || (rest >= HINT_REST && wanted())
        });
        if due {
            *last = Some(Look { at, began: now, came: Came::Nowhere });
        }
        due
    }

    fn looked(&self) -> std::sync::MutexGuard<'_, Option<Look>> {
        self.last.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn came(&self, came: Came) {
        let at = self.stages.clock.wire();
        if let Some(look) = &mut *self.looked() {
            // A look that took long rests the others for as long as a short one: they want to judge what it brought.
            (look.at, look.came) = (look.at.max(at), came);
        }
    }

    async fn keep_gaps(&self) -> anyhow::Result<()> {
        let Stages { store, ports, config, .. } = &self.stages;
        let mut gaps = ports.source.gaps().await?;
        let locations = store.load_records_of(&[RecordKind::Location]).await?.into_iter();
        let locations: Vec<Location> = locations
            .filter_map(|record| if let Record::Location(location) = record { Some(location) } else { None })
            .collect();
        let unclear = config.rules.calendar.unclear(&locations).into_iter().chain(config.rules.priority.unclear(&locations));
        gaps.extend(unclear.map(|(what, why)| Gap { what, why, costs: "the entry counts for no location".to_owned() }));
        let gaps = serde_json::to_string(&gaps).context("writing down what is not read")?;
        Ok(store.put_setting(GAPS, &gaps).await?)
    }

    /// Lets the source bring in what has changed. Answers whether everything came in.
    async fn look(&self, began: Timestamp) -> anyhow::Result<bool> {
        let Stages { store, ports, .. } = &self.stages;
        let (source, streams) = (ports.source.identity(), ports.source.streams());
        let names: Vec<&str> = streams.iter().map(|stream| stream.name).collect();
        // What the watermark moves to when it ends well is when it began: only what was visible then has surely been read.
        store.begin_look(&source, &names, began).await?;
        let tells_meanwhile = streams.iter().any(|stream| !stream.paged);
        let before = (is_abreast(store).await?, store.count_told_changes().await?);
        // Said before anything can come in and taken back when all has: killed in between, it stays said.
        if tells_meanwhile && before.0 {
            store.put_setting(BEHIND, "yes").await?;
        }
        let Err(error) = ports.source.refresh(began).await else {
            self.keep_gaps().await?;
            self.came(Came::In);
            return Ok(true);
        };
        self.came(Came::Nowhere);
        // Some streams may have come in whole before it failed, and are as far as that.
        let read = ports.source.brought_in().await?;
        store.fail_look(&source, began, &why_not(&error), &read).await?;
        // Where nothing came in, the story is the old one, and whole.
        if tells_meanwhile && before.0 && store.count_told_changes().await? == before.1 {
            store.put_setting(BEHIND, "no").await?;
        }
        match error {
            PortError::Resting { until, .. } => {
                tracing::debug!(%until, "The source is left alone");
                Ok(false)
            }
            error => Err(error).with_context(|| format!("looking for changes in {source}")),
        }
    }

    /// Tells a page. After the last one the look is over: Answers None then, where there was nothing to tell.
    async fn page(&self, look: Look, now: Timestamp) -> anyhow::Result<Option<usize>> {
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
        let is_nothing = page.observed.is_empty() && !page.more && !is_new;
        if is_nothing && look.came == Came::Through {
            return Ok(None);
        }
        // Said before the page is stored and taken back after the last one: killed in between, it stays said.
        if page.more {
            store.put_setting(BEHIND, "yes").await?;
        }
        if !is_nothing {
            store.apply_page(&source, &page, now).await.context("storing a page of records")?;
        }
        if !page.more {
            if !is_nothing {
                // What can not be told of what was brought in shows only when it is put together.
                self.keep_gaps().await?;
            }
            store.end_look(&source, look.began).await?;
            store.put_setting(BEHIND, "no").await?;
            self.came(Came::Through);
        }
        // A look that brought nothing counts as one: others may have waited for it.
        Ok(Some(if is_nothing { 0 } else { page.observed.len().max(1) }))
    }
}

#[async_trait]
impl Stage for Observe {
    fn name(&self) -> &'static str {
        "observe"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let clock = &self.stages.clock;
        if self.is_due(clock.wire()) {
            let began = self.looked().map_or_else(|| clock.now(), |look| look.began);
            if !self.look(began).await? {
                return Ok(Progress::Idle);
            }
        }
        let Some(look) = self.looked().filter(|look| look.came != Came::Nowhere) else { return Ok(Progress::Idle) };
        // Not the time from before the look: what came in since is part of it.
        Ok(self.page(look, clock.now()).await?.map_or(Progress::Idle, Progress::Advanced))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

    use super::super::watermark::looked_at;
    use super::*;
    use crate::clock::Clock;
    use crate::config::Config;
    use crate::domain::record::{Observed, Record};
    use crate::pipeline::moment::Moments;
    use crate::ports::{Page, PortError, Ports, Senders, Source};

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
            let shop = reeve_testing::records::location("1", "North");
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
        let ports = Ports { source: live.clone(), model: None, senders: Senders::default() };
        let moments = Arc::new(Moments::new(store.clone(), Arc::clone(&config), clock.clone()));
        let memories = Arc::new(crate::memory::Memories::by_numbers(store.clone()));
        let stages = Stages { store, config, ports, clock: clock.clone(), moments, memories, hint: Arc::default() };
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
        let marks = stages.store.list_watermarks().await.unwrap();
        assert_eq!((marks.len(), marks[0].failing.as_ref()), (1, None), "it is not down any more");
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
