//! Whose words people see: the playbook's, until a language model has earned its own.
//!
//! A writer (endpoint, model and prompt together) is a candidate: what it drafts is kept and graded in shadow. When its run of a suite
//! was better than the playbook's, people may promote it, and then its drafts are what people read. Where its drafts get worse it is
//! taken back by itself: that decides nothing about any case, it only puts the playbook in its place.
//!
//! Where a writer stands is read from the store each time it is asked for; nothing remembers it.

mod change;
pub mod drift;
#[cfg(test)]
mod tests;

use jiff::civil::Date;
use serde::Serialize;

pub use self::change::{Changed, promote, proved, take_back, taken_back_by_stage, told};
use crate::config::Config;
use crate::domain::calendar::Calendar;
use crate::domain::words::{cut, plain};
use crate::domain::writer::{DraftEnd, Writer};
use crate::store::{DraftCount, Store, StoreError, WriterChange, WriterStep};

/// Longest reason that a digest's head repeats, in characters.
const REASON_CHARS: usize = 160;

/// Where a writer stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It drafts in shadow, and people see the playbook.
    Candidate,
    /// People see its words.
    Earned,
    /// It had earned its words, and people see the playbook again.
    TakenBack,
}

impl State {
    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Earned => "earned",
            Self::TakenBack => "taken back",
        }
    }
}

/// A writer with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stand {
    /// Who.
    pub writer: Writer,
    /// Where it stands.
    pub state: State,
    /// The step that brought it there; None while nobody has done anything.
    pub since: Option<WriterStep>,
    /// What waits for a second person.
    pub proposed: Option<WriterStep>,
    /// The number of the last step of any writer.
    last: i64,
}

/// Where a writer stands now.
///
/// # Errors
/// The store's.
pub async fn stand(store: &Store, writer: &Writer) -> Result<Stand, StoreError> {
    let steps = store.list_writer_steps().await?;
    let last = steps.last().map_or(0, |step| step.seq);
    let mut found = Stand { writer: writer.clone(), state: State::Candidate, since: None, proposed: None, last };
    let id = writer.id();
    for step in steps.into_iter().filter(|step| step.writer == id) {
        // Whatever is done later makes an older proposal void.
        found.proposed = None;
        match step.change {
            WriterChange::Proposed => found.proposed = Some(step),
            WriterChange::Promoted => (found.state, found.since) = (State::Earned, Some(step)),
            // A proposal that is withdrawn leaves a candidate what it was.
            WriterChange::TakenBack if found.state == State::Candidate => {}
            WriterChange::TakenBack => (found.state, found.since) = (State::TakenBack, Some(step)),
        }
    }
    Ok(found)
}

/// Where the configured writer stands; None where no model is configured.
///
/// # Errors
/// The store's.
pub async fn configured(store: &Store, config: &Config) -> Result<Option<Stand>, StoreError> {
    match config.writer() {
        Some(writer) => stand(store, &writer).await.map(Some),
        None => Ok(None),
    }
}

/// Drafts of a writer, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Made.
    pub drafts: u32,
    /// Of them, let through by the guard.
    pub passed: u32,
    /// Of them, without an answer.
    pub unanswered: u32,
}

impl Tally {
    /// Of those in shadow, or of those before people.
    pub fn of(counts: &[DraftCount], shown: bool) -> Self {
        let mut tally = Self::default();
        for count in counts.iter().filter(|count| count.shown == shown) {
            tally.drafts += count.drafts;
            match count.end {
                DraftEnd::Passed => tally.passed += count.drafts,
                DraftEnd::Unanswered => tally.unanswered += count.drafts,
                DraftEnd::Refused => {}
            }
        }
        tally
    }

    /// In words: `41 drafts in shadow, 38 passed the guard`.
    fn in_shadow(self) -> String {
        match self.drafts {
            0 => "no draft in shadow yet".to_owned(),
            n => {
                let drafts = if n == 1 { "draft" } else { "drafts" };
                format!("{n} {drafts} in shadow, {} passed the guard", self.passed)
            }
        }
    }
}

impl Stand {
    /// Why people see the playbook though a model is configured, with what it has done in shadow before the day `before`; None where
    /// people see its words. Only whole days are counted: the day's own drafts may still be coming in.
    ///
    /// # Errors
    /// The store's.
    pub async fn why_playbook(
        &self,
        store: &Store,
        before: Date,
        calendar: &Calendar,
    ) -> Result<Option<String>, StoreError> {
        let state = match (self.state, &self.since) {
            (State::Earned, _) => return Ok(None),
            (State::TakenBack, Some(step)) => {
                let day = calendar.day_of(step.at);
                format!("was taken back on {day} ({})", cut(&plain(&step.reason), REASON_CHARS))
            }
            (State::Candidate | State::TakenBack, _) => "is a candidate".to_owned(),
        };
        let tally = Tally::of(&store.count_writer_drafts(&self.writer.id(), before).await?, false);
        Ok(Some(format!("model {} {state}: {}", plain(&self.writer.model), tally.in_shadow())))
    }
}
