//! Remember: what was decided up to yesterday, and what others wrote, kept so that a like case is shown it.
//!
//! Once a business day: what people decide today is remembered tomorrow, so that no click changes another card's evidence on the
//! same day. Killed in between, it begins that day anew: the same remembered twice is the same.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::context::Context;
use super::{Progress, Stage, stop};
use crate::domain::book::Book;
use crate::domain::case::Case;
use crate::domain::decision::{DecisionVerb, RecommendationState as State};
use crate::domain::exception::{Exception, Subject};
use crate::domain::notice::{Notice, NoticeContent};
use crate::domain::policy::Person;
use crate::domain::record::{Record, RecordKind};
use crate::domain::remembered::{Ended, MemoryKind, Remembered, Verdict};
use crate::domain::text::clean;
use crate::domain::words::with_causes;
use crate::memory::Memories;
use crate::rules::likeness;
use crate::store::{DecisionRow, Memory, not_undone};

/// Up to when decisions and outcomes have been remembered: a setting, in milliseconds since 1970.
const READ_UP_TO: &str = "memory.read_up_to";

/// Memories that are kept in one transaction.
const BATCH: usize = 200;

/// Longest note that is remembered, in characters: what a prompt shows of outside text.
const NOTE_MAX: usize = crate::rules::prompts::OUTSIDE_MAX;

/// What a person of the configuration is called in what is remembered.
const SOMEBODY: &str = "a colleague";

/// Keeps what was decided and what was written.
pub struct Remember(pub Context);

#[async_trait]
impl Stage for Remember {
    fn name(&self) -> &'static str {
        "remember"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Context { store, config, clock, moments, memories, .. } = &self.0;
        if !config.memory.enabled {
            return Ok(Progress::Idle);
        }
        let calendar = config.rules.calendar.calendar();
        let now = clock.now();
        let day = calendar.begin_of(calendar.day_of(now));
        let read = store.find_setting(READ_UP_TO).await?.and_then(|ms| ms.parse().ok());
        let read = read.and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut changed = 0;
        if read < day {
            // Only what items, places and suppliers are called and whose they are is asked of the book.
            let moment = moments.now_or_half().await?;
            let mut found = self.decided(&moment.book, read, day).await?;
            found.extend(self.written(&moment.book, read, day).await?);
            let done = day.as_millisecond().to_string();
            // The mark of how far it was read comes with the last of them.
            let mut rest = found.chunks(BATCH).peekable();
            while let Some(some) = rest.next() {
                let last = rest.peek().is_none();
                changed += store.remember(some, last.then_some((READ_UP_TO, &done))).await?;
            }
            if found.is_empty() {
                store.put_setting(READ_UP_TO, &done).await?;
            }
            let keep = SignedDuration::from_hours(24 * i64::from(config.memory.keep_days));
            // Also where nothing new was found: what is older than may be kept has to go.
            let until = day.checked_sub(keep).unwrap_or(Timestamp::UNIX_EPOCH);
            changed += store.forget_before(until).await?;
        }
        // A model may stand outside of the house: while people have stopped Reeve none is asked.
        if stop::stopped(store, config).await?.is_none() {
            changed += self.put_into_vectors(memories).await?;
        }
        Ok(if changed == 0 { Progress::Idle } else { Progress::Advanced(changed) })
    }
}

impl Remember {
    /// The cases that were decided, or read back, in this time.
    async fn decided(&self, book: &Book, from: Timestamp, until: Timestamp) -> anyhow::Result<Vec<Memory>> {
        let store = &self.0.store;
        let mut found = Vec::new();
        for id in store.list_cases_decided_between(from, until).await? {
            let case = store.get_case(&id).await?;
            // What is proposed of Reeve's own list is like nothing that goes wrong in a shop.
            if case.is_mute_proposal() {
                continue;
            }
            let decisions = store.list_decisions_of(&id).await?;
            // What was decided today is left for tomorrow, also where the case was picked for an earlier decision.
            let standing = not_undone(decisions.iter().filter(|decision| decision.at < until));
            let exceptions = exceptions_of(&case, store.list_case_exceptions(&id).await?);
            let Some(company) = likeness::company_of(book, &exceptions) else { continue };
            let before = found.len();
            if let Some((at, ended)) = self.ended(&standing, until).await? {
                let what = Remembered {
                    kind: MemoryKind::Case,
                    company: company.clone(),
                    subject: case.subject.clone(),
                    codes: exceptions.iter().map(|exception| exception.signal.code).collect(),
                    case: Some(id.clone()),
                    notice: None,
                    at,
                    words: likeness::words(&exceptions),
                    ended: Some(ended),
                };
                found.push(Memory { profile: likeness::profile(&exceptions), ..unread(what, until) });
            }
            let noted = standing.iter().filter(|decision| !decision.note.trim().is_empty());
            found.extend(noted.map(|decision| {
                let what = Remembered {
                    kind: MemoryKind::PlannerNote,
                    company: company.clone(),
                    subject: case.subject.clone(),
                    codes: case.codes.clone(),
                    case: Some(id.clone()),
                    notice: None,
                    at: decision.at,
                    words: without_names(&clean(&decision.note, NOTE_MAX), &self.0.config.people),
                    ended: None,
                };
                unread(what, until)
            }));
            // What was taken back after the day on which it was remembered is no memory any more.
            let left = found[before..].iter().map(|memory| memory.what.id()).collect();
            store.forget_of(&id, &left).await?;
        }
        Ok(found)
    }

    /// How a case was decided and ended, with when it was decided; None while nothing is, or a second signature is missing.
    async fn ended(&self, standing: &[&DecisionRow], until: Timestamp) -> anyhow::Result<Option<(Timestamp, Ended)>> {
        let decides = |decision: &&&DecisionRow| matches!(decision.verb, DecisionVerb::Approve | DecisionVerb::Reject);
        let Some(decision) = standing.iter().rev().find(decides) else { return Ok(None) };
        let store = &self.0.store;
        let (rec, _) = store.get_recommendation(&decision.recommendation_id).await?;
        let actions = rec.candidate.codes();
        if let (DecisionVerb::Reject, Some(reason)) = (decision.verb, decision.reason) {
            return Ok(Some((decision.at, Ended { verdict: Verdict::Rejected { reason }, actions, measured: None })));
        }
        // What was read back today counts from tomorrow on, too.
        let outcome = store.find_outcome(&rec.id).await?.filter(|outcome| outcome.at < until);
        let verdict = match (&rec.state, outcome.as_ref().map(|outcome| &outcome.state)) {
            (State::Signed { .. } | State::Forwarded { .. } | State::Escalated { .. }, _) => return Ok(None),
            (_, Some(State::CarriedOut | State::Partly)) => Verdict::Done,
            (_, Some(State::NotCarriedOut | State::Undone)) => Verdict::NotDone,
            _ => Verdict::Approved,
        };
        let measured = outcome.and_then(|outcome| outcome.found.measured).and_then(|measured| measured.benefit);
        Ok(Some((decision.at, Ended { verdict, actions, measured })))
    }

    /// What suppliers wrote and what was said of promotions in this time. Where there are several companies nobody knows whose
    /// such a note is, and it is not remembered.
    async fn written(&self, book: &Book, from: Timestamp, until: Timestamp) -> anyhow::Result<Vec<Memory>> {
        if book.has_several_companies() {
            return Ok(Vec::new());
        }
        let records = self.0.store.load_records_of(&[RecordKind::Notice]).await?;
        let notices = records.into_iter().filter_map(|record| match record {
            Record::Notice(notice) => Some(notice),
            _ => None,
        });
        let new = notices.filter(|notice| (from..until).contains(&notice.received_at));
        Ok(new.filter_map(|notice| note(&notice, &self.0.config.people)).map(|what| unread(what, until)).collect())
    }

    /// Has the words of what was remembered read by the model, a batch at a time. One that does not answer is asked again later:
    /// until then numbers alone find those cases.
    async fn put_into_vectors(&self, memories: &Arc<Memories>) -> anyhow::Result<usize> {
        match memories.read_words(BATCH).await {
            Ok(read) => Ok(read),
            Err(crate::memory::MemoryError::Port(error)) => {
                tracing::warn!("Words of what is remembered were not read: {}", with_causes(&error));
                Ok(0)
            }
            Err(error) => Err(error).context("reading the words of what is remembered"),
        }
    }
}

/// The exceptions of a case, the leading one first, whether they still hold or not.
fn exceptions_of(case: &Case, mut exceptions: Vec<Exception>) -> Vec<Exception> {
    let place = |exception: &Exception| case.exceptions.iter().position(|id| *id == exception.id);
    exceptions.sort_by_key(|exception| place(exception).unwrap_or(usize::MAX));
    exceptions
}

/// Before its words were read by a model.
fn unread(what: Remembered, known_at: Timestamp) -> Memory {
    // A moment before the day on which it may be shown first, so that "known before the day" is true of it.
    let known_at = known_at.checked_sub(SignedDuration::from_millis(1)).unwrap_or(known_at);
    Memory { what, known_at, text: Vec::new(), model: String::new(), profile: Vec::new() }
}

/// What a notice says in words of its own, where it does.
fn note(notice: &Notice, people: &[Person]) -> Option<Remembered> {
    let (kind, subject, text) = match &notice.content {
        NoticeContent::SupplierNote { supplier, text } => {
            (MemoryKind::SupplierNote, Subject { supplier: Some(supplier.clone()), ..Subject::default() }, text.clone())
        }
        NoticeContent::PromotionBrief { name, item, text, .. } => {
            let subject = Subject { item: Some(item.clone()), ..Subject::default() };
            (MemoryKind::Promotion, subject, format!("{name}. {text}"))
        }
        _ => return None,
    };
    let words = without_names(&clean(&text, NOTE_MAX), people);
    let remembered = |words| Remembered {
        kind,
        company: String::new(),
        subject,
        codes: Vec::new(),
        case: None,
        notice: Some(notice.id.clone()),
        at: notice.told_at(),
        words,
        ended: None,
    };
    (!words.trim().is_empty()).then(|| remembered(words))
}

/// Text in which nobody of the configuration stands by name.
fn without_names(text: &str, people: &[Person]) -> String {
    let mut text = text.to_owned();
    for person in people {
        for name in std::iter::once(person.name.as_str()).chain(person.name.split_whitespace()) {
            // Shorter ones are parts of other words.
            if name.chars().count() >= 3 {
                text = text.replace(name, SOMEBODY);
            }
        }
    }
    text
}
