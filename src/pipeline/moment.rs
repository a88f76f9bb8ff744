//! A moment is the book of now and what the detectors see in it, computed once and shared by every stage, by the
//! check at the click and by the charts.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use anyhow::Context;
use jiff::Timestamp;
use jiff::civil::Date;
use tokio::sync::Mutex;

use super::registry::Registry;
use super::shop::{LookedAt, Shop};
use super::watermark;
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::exception::ExceptionType;
use crate::domain::ids::{CaseId, ItemId};
use crate::models::formulas::beta_binomial_p;
use crate::rules::detect::Seen;
use crate::rules::detect::classes::Classes;
use crate::rules::settings::Settings;
use crate::store::{Store, not_undone};

/// Weight of a type's prior, as a number of decisions: the prior speaks for as much as ten of them.
const PRIOR_WEIGHT: f64 = 10.0;

/// Decided cases that are in memory together: there are more of them every day.
const LABELLED: usize = 500;

/// Books of some items that a moment keeps, and of how many items each may be.
const RECENT: usize = 64;
const RECENT_ITEMS: usize = 20;

/// Why there is no moment to judge by.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the source is being read; nothing is judged by the half that has come in. Try again when the reading has ended")]
pub struct BeingRead;

impl BeingRead {
    /// Is it why something could not be done? Then it passes by itself.
    pub fn is_why(error: &anyhow::Error) -> bool {
        error.chain().any(<dyn std::error::Error + 'static>::is::<Self>)
    }
}

/// The book of a moment with everything computed from it.
pub struct Moment {
    /// The supply, and what is summed of all sales. The sales themselves are in it only where all of them are kept in memory:
    /// whoever asks for those asks [`Moment::book_of`].
    pub book: Arc<Book>,
    /// What the detectors saw.
    pub seen: Seen,
    /// Probability that an exception of a type is real.
    pub p: BTreeMap<ExceptionType, f64>,
    /// Has the book all sales?
    whole: bool,
    /// How often records had changed when it was read.
    changes: i64,
    /// Which detectors looked.
    models: String,
    /// The books that were laid out last, with the items whose sales they have: proposals of one case follow each other.
    recent: std::sync::Mutex<VecDeque<(BTreeSet<ItemId>, Arc<Book>)>>,
}

impl Moment {
    /// ABC class of each item, by company.
    pub fn classes(&self) -> &Classes {
        &self.seen.overview.classes
    }

    /// How often records had changed when it was read.
    pub(super) fn changes(&self) -> i64 {
        self.changes
    }

    /// Has its book the sales of all items?
    pub fn is_whole(&self) -> bool {
        self.whole
    }

    /// The book of the moment with the sales of these items at least.
    ///
    /// # Errors
    /// Says what could not be read, or [`BeingRead`] where the source has told more of these items since: half of it is nothing
    /// to judge by. Of other items it may have told what it wants.
    pub async fn book_of(&self, store: &Store, items: &BTreeSet<ItemId>) -> anyhow::Result<Arc<Book>> {
        if self.whole || items.is_empty() {
            return Ok(Arc::clone(&self.book));
        }
        let known = self.recent.lock().ok().and_then(|recent| {
            let (_, book) = recent.iter().find(|(of, _)| of == items)?;
            Some(Arc::clone(book))
        });
        let book = match known {
            Some(book) => book,
            None => self.lay_out(store, items).await?,
        };
        // Asked last, so that what came in while the sales were loaded counts.
        anyhow::ensure!(!store.has_changed_since(self.changes, items).await?, BeingRead);
        Ok(book)
    }

    async fn lay_out(&self, store: &Store, items: &BTreeSet<ItemId>) -> anyhow::Result<Arc<Book>> {
        let bodies = store.load_sales_of(items).await.context("loading sales")?;
        let (book, of) = (Arc::clone(&self.book), items.clone());
        let laid_out = tokio::task::spawn_blocking(move || anyhow::Ok(book.with_sales_of(&of, bodies.read()?)));
        let book = Arc::new(laid_out.await.context("laying out the sales of a case")??);
        // Few items' sales are small; all of them are what is not to be kept.
        if items.len() <= RECENT_ITEMS
            && let Ok(mut recent) = self.recent.lock()
        {
            recent.push_front((items.clone(), Arc::clone(&book)));
            recent.truncate(RECENT);
        }
        Ok(book)
    }

    /// The book of the moment with all sales, in memory for as long as it is used: for figures that go over all of them.
    ///
    /// # Errors
    /// As [`Moment::book_of`].
    pub async fn whole_book(&self, store: &Store) -> anyhow::Result<Arc<Book>> {
        self.book_of(store, &self.book.items.keys().cloned().collect()).await
    }
}

/// Says of which records and which day a moment is: the day, the last day and the last hour that were read to their end, how
/// often records have changed, how many decisions there are to learn from, and which detectors run.
type Key = (Date, Option<(Date, i64)>, i64, i64, String);

/// How much of the records' story is there.
enum Story {
    /// Everything up to the last look, or as much as there is of the first.
    Whole,
    /// Half of a look has come in: this is the whole story of before.
    Before(Arc<Moment>),
    /// Half of a look has come in, and there is no moment from before it.
    Half,
}

/// Computes the moment when it is asked for and keeps it until the records or the day change.
pub struct Moments {
    store: Store,
    config: Arc<Config>,
    clock: Clock,
    models: Arc<Registry>,
    last: Mutex<Option<(Key, Arc<Moment>)>>,
}

impl Moments {
    /// With no moment computed yet.
    pub fn new(store: Store, config: Arc<Config>, clock: Clock) -> Self {
        let models = Arc::new(Registry::new(store.clone(), Arc::clone(&config)));
        Self { store, config, clock, models, last: Mutex::new(None) }
    }

    /// Which detectors look.
    pub fn registry(&self) -> &Arc<Registry> {
        &self.models
    }

    /// The store that moments are of.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The settings that they are looked at with.
    pub fn settings(&self) -> &Settings {
        &self.config.rules
    }

    /// The book of this business day; while half of a look has come in, the one from before it.
    ///
    /// # Errors
    /// Says what could not be read, or that half of a look is all there is: nothing may be judged by it.
    pub async fn now(&self) -> anyhow::Result<Arc<Moment>> {
        self.compute(false).await
    }

    /// The same for whoever wants names and addresses only, which are right in half of a story, too.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn now_or_half(&self) -> anyhow::Result<Arc<Moment>> {
        self.compute(true).await
    }

    async fn compute(&self, half_will_do: bool) -> anyhow::Result<Arc<Moment>> {
        let calendar = self.config.rules.calendar.calendar();
        // Counted before it is asked what time it is: what is told in between is in the book and counts as told since.
        let changes = self.store.count_record_changes().await?;
        let now = self.clock.now();
        // What people decide today moves p tomorrow: otherwise every click would change the figures under every other card
        // of its type, and the next click on one of them would be refused.
        let today = calendar.day_of(now);
        let learnt = self.store.count_decisions_before(calendar.begin_of(today)).await?;
        let read_up_to = watermark::looked_at(&self.store).await?;
        let closed = read_up_to.map(|at| (calendar.closed_at(at), at.as_second().div_euclid(3600)));
        let running = self.models.now().await?;
        let key = (today, closed, changes, learnt, running.key.clone());
        let mut last = self.last.lock().await;
        let mut half = match self.story(last.as_ref(), &key).await? {
            Story::Before(moment) => return Ok(moment),
            Story::Half => true,
            Story::Whole => false,
        };
        anyhow::ensure!(half_will_do || !half, BeingRead);
        if let Some((at, moment)) = &*last
            && *at == key
        {
            return Ok(Arc::clone(moment));
        }
        // Facts are as old as the last whole look at the records, not as the moment of the click.
        let read = match read_up_to {
            Some(at) => Some(at),
            None => self.store.newest_change().await?,
        };
        let as_of = read.map_or(now, |at| at.min(now));
        let shop = Shop { store: &self.store, config: &running.config, as_of, now };
        // What another detector said of the rest is not taken over.
        let before = last.as_ref().map(|(_, moment)| moment).filter(|moment| !moment.whole && moment.models == running.key);
        let again = match before {
            Some(before) => {
                let changed = self.store.list_changed_since(before.changes).await?;
                shop.look_again((&before.book, &before.seen), &changed).await?
            }
            None => None,
        };
        let looked = match again {
            Some(looked) => looked,
            None => shop.look().await?,
        };
        // The next look may have begun while they were loaded. Of a shop that is read in parts it stands in its place all the same:
        // whatever was told meanwhile is marked as changed since, so it is looked at again, and nobody decides on it before.
        match self.story(last.as_ref(), &key).await? {
            Story::Before(moment) if looked.whole => return Ok(moment),
            Story::Half | Story::Before(_) => half = true,
            Story::Whole => {}
        }
        anyhow::ensure!(half_will_do || !half || !looked.whole, BeingRead);
        // Not taken from the moment before: a case that was decided may have another leading type by now, and what a process has in
        // memory must not decide what its digest says.
        let p = self.probabilities(calendar.begin_of(today)).await?;
        let LookedAt { book, seen, whole } = looked;
        let models = running.key.clone();
        let moment = Moment { book: Arc::new(book), seen, p, whole, changes, models, recent: std::sync::Mutex::default() };
        let moment = Arc::new(moment);
        if !half || !moment.whole {
            *last = Some((key, Arc::clone(&moment)));
        }
        anyhow::ensure!(half_will_do || !half, BeingRead);
        Ok(moment)
    }

    /// How much of the story is there for `key`. Before the first whole look there is no earlier story to go by.
    async fn story(&self, last: Option<&(Key, Arc<Moment>)>, key: &Key) -> anyhow::Result<Story> {
        if watermark::is_abreast(&self.store).await? {
            return Ok(Story::Whole);
        }
        let ever_whole = key.1.is_some();
        let will_do = |at: &Key| if ever_whole { at.1.is_some() } else { at.0 == key.0 };
        Ok(match last.filter(|(at, _)| will_do(at)) {
            Some((_, moment)) => Story::Before(Arc::clone(moment)),
            None if ever_whole => Story::Half,
            None => Story::Whole,
        })
    }

    /// Beta-binomial p by type: the prior, moved by what people decided before a time (handbook §7). "Real, but another action" confirms
    /// the detector; only "not real" speaks against it.
    async fn probabilities(&self, until: Timestamp) -> anyhow::Result<BTreeMap<ExceptionType, f64>> {
        let decisions = self.store.list_verdicts_before(until).await.context("reading what was decided")?;
        let mut counts: BTreeMap<ExceptionType, (u32, u32)> = BTreeMap::new();
        // One label for each case, the last one given: two signatures, or two refused actions of one case, say it once.
        let mut labels: BTreeMap<&CaseId, bool> = BTreeMap::new();
        for decision in not_undone(decisions.iter()) {
            let real = match decision.verb {
                DecisionVerb::Approve | DecisionVerb::Edit => true,
                DecisionVerb::Reject => decision.reason != Some(RejectReason::NotReal),
                _ => continue,
            };
            labels.insert(&decision.case_id, real);
        }
        let labelled: Vec<&CaseId> = labels.keys().copied().collect();
        for some in labelled.chunks(LABELLED) {
            for (id, case) in self.store.list_cases_of(some).await.context("reading the cases that were decided")? {
                // That a detector may be silenced says nothing about whether what it finds is real.
                let code = case.codes.first().filter(|_| !case.is_mute_proposal());
                if let (Some(code), Some(real)) = (code, labels.get(&id)) {
                    let (confirmed, shown) = counts.entry(*code).or_default();
                    *confirmed += u32::from(*real);
                    *shown += 1;
                }
            }
        }
        let p = ExceptionType::ALL.iter().map(|code| {
            let (confirmed, shown) = counts.get(code).copied().unwrap_or_default();
            let (alpha, beta) = (code.prior() * PRIOR_WEIGHT, (1.0 - code.prior()) * PRIOR_WEIGHT);
            (*code, beta_binomial_p(confirmed, shown, alpha, beta))
        });
        Ok(p.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{PersonId, RecommendationId};
    use crate::domain::money::Money;
    use crate::store::DecisionRow;

    fn row(id: &str, person: &str, verb: DecisionVerb) -> DecisionRow {
        DecisionRow {
            id: id.to_owned(),
            case_id: CaseId::new("case-1"),
            recommendation_id: RecommendationId::new("r-1"),
            person: PersonId::new(person),
            verb,
            content_hash: String::new(),
            reason: None,
            note: String::new(),
            value: Money::ZERO,
            at: Timestamp::UNIX_EPOCH,
            body: serde_json::Value::Null,
        }
    }

    #[tokio::test]
    async fn half_of_a_look_makes_no_moment_and_a_whole_one_lasts_over_the_day() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open_and_migrate(&format!("sqlite:{}", folder.path().join("r.db").display())).await.unwrap();
        let clock = Clock::standing_at("2026-10-08T12:00:00Z".parse().unwrap());
        let moments = || Moments::new(store.clone(), Arc::new(Config::load_from(None, &[]).unwrap()), clock.clone());
        store.begin_look("erp", &["records"], clock.now()).await.unwrap();
        let first = moments();
        first.now().await.expect("of the first look there is as much as there is");
        store.end_look("erp", clock.now()).await.unwrap();
        store.put_setting("observe.behind", "yes").await.unwrap();
        for started_anew in [first, moments()] {
            let Err(error) = started_anew.now().await else { panic!("half of a story") };
            assert!(error.to_string().starts_with("the source is being read"), "{error}");
            started_anew.now_or_half().await.unwrap();
            assert!(started_anew.now().await.is_err(), "half of it is not kept");
        }
        store.put_setting("observe.behind", "no").await.unwrap();
        let whole = moments();
        let moment = whole.now().await.unwrap();
        store.put_setting("observe.behind", "yes").await.unwrap();
        clock.set("2026-10-09T00:05:00Z".parse().unwrap());
        assert!(Arc::ptr_eq(&whole.now().await.unwrap(), &moment));
    }

    #[test]
    fn what_was_undone_teaches_nothing() {
        use DecisionVerb::{Approve, Reject, Undo};
        let rows = [row("1", "ada", Approve), row("2", "bob", Approve), row("3", "ada", Undo), row("4", "ada", Reject)];
        let ids: Vec<&str> = not_undone(rows.iter()).iter().map(|d| d.id.as_str()).collect();
        assert_eq!(ids, ["2", "4"]);
    }
}
