//! Memory: what was decided on like cases and how it ended, and what others wrote, found by numbers and by meaning.
//!
//! The store keeps what is remembered (`store/memories`); an index finds the nearest of it and can be thrown away. What comes back
//! are facts of a case's evidence, marked as what they are: they move no figure, and no action stands on them alone. What people
//! decide today is remembered from tomorrow on, as it moves probabilities from tomorrow on: a click on one card changes no other.

mod in_process;
mod notes;
mod recall;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::Mutex;

pub use self::in_process::InProcess;
pub use self::notes::Concerned;
pub use self::recall::{Asked, Recalled};
pub use self::told::{LikeCase, ended_words, like_cases, told};

use crate::domain::ids::content_hash;
use crate::ports::{Embedder, PortError, VectorIndex};
use crate::store::{Memory, MemoryChange, Store, StoreError};

/// Changes that an index is told at once.
const BATCH: usize = 500;

/// Vectors of words that are kept in this process, by content: a case that is drafted again is asked for in the same words.
const KEPT: usize = 10_000;

/// What is remembered, with what finds it.
pub struct Memories {
    store: Store,
    index: Arc<dyn VectorIndex>,
    embedder: Option<Arc<dyn Embedder>>,
    kept: Mutex<BTreeMap<String, Vec<f32>>>,
}

/// Why memory answers nothing.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The store could not be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index or what makes vectors of words did not answer.
    #[error(transparent)]
    Port(#[from] PortError),
}

/// How an index stands beside the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexState {
    /// The index, and what it says of itself.
    pub index: String,
    /// What makes vectors of words; None where numbers alone count.
    pub model: Option<String>,
    /// How many points it holds.
    pub points: usize,
    /// Up to which change it holds all.
    pub holds: i64,
    /// The last change in the store.
    pub last: i64,
}

impl Memories {
    /// Memory on a store, found by `index`, with words by `embedder` where there is one.
    pub fn new(store: Store, index: Arc<dyn VectorIndex>, embedder: Option<Arc<dyn Embedder>>) -> Self {
        Self { store, index, embedder, kept: Mutex::default() }
    }

    /// Memory on a store, found in this process and by its numbers alone.
    pub fn by_numbers(store: Store) -> Self {
        Self::new(store, Arc::new(InProcess::default()), None)
    }

    /// The same on another door of the same store, with the same index.
    #[must_use]
    pub fn on(&self, store: Store) -> Self {
        Self::new(store, Arc::clone(&self.index), self.embedder.clone())
    }

    /// Tells the index what it does not hold yet. Killed in between, it goes on where it was: the same told twice is the same.
    ///
    /// # Errors
    /// The store's or the index's.
    pub async fn tell_index(&self) -> Result<usize, MemoryError> {
        let model = self.model().unwrap_or_default();
        let mut told = 0;
        loop {
            // The index says itself how far it is: one that was restored or emptied begins where it stands.
            let changes = self.store.list_memory_changes(self.index.position().await?, BATCH, &model).await?;
            let Some(last) = changes.last().map(MemoryChange::seq) else { return Ok(told) };
            told += changes.len();
            let (mut points, mut gone) = (Vec::new(), Vec::new());
            for change in changes {
                match change {
                    MemoryChange::Put(point) => points.push(*point),
                    MemoryChange::Gone { id, .. } => gone.push(id),
                }
            }
            if !points.is_empty() {
                self.index.put(&points).await?;
            }
            if !gone.is_empty() {
                self.index.forget(&gone).await?;
            }
            // Last: killed before, the same is told once more, which changes nothing.
            self.index.hold_up_to(last).await?;
        }
    }

    /// Empties the index and tells it everything again.
    ///
    /// # Errors
    /// The store's or the index's.
    pub async fn tell_index_anew(&self) -> Result<usize, MemoryError> {
        self.index.clear().await?;
        self.tell_index().await
    }

    /// Forgets what happened before `until`, in the store and in the index.
    ///
    /// # Errors
    /// The store's or the index's. What the store has forgotten the index is told of later.
    pub async fn forget_before(&self, until: Timestamp) -> Result<usize, MemoryError> {
        let gone = self.store.forget_before(until).await?;
        if gone > 0 {
            self.tell_index().await?;
        }
        Ok(gone)
    }

    /// How the index stands beside the store.
    ///
    /// # Errors
    /// The store's or the index's.
    pub async fn index_state(&self) -> Result<IndexState, MemoryError> {
        Ok(IndexState {
            index: self.index.check().await?,
            model: self.model(),
            points: self.index.count().await?,
            holds: self.index.position().await?,
            last: self.store.last_memory_change().await?,
        })
    }

    /// Has words that no model or another one has read read by this one, at most `limit`. Answers how many.
    ///
    /// # Errors
    /// The store's or the model's.
    pub async fn read_words(&self, limit: usize) -> Result<usize, MemoryError> {
        let Some(embedder) = &self.embedder else { return Ok(0) };
        let model = embedder.name();
        let unread = self.store.list_memories_not_of(&model, limit).await?;
        if unread.is_empty() {
            return Ok(0);
        }
        let words: Vec<String> = unread.iter().map(|memory| memory.what.words.clone()).collect();
        let vectors = embedder.embed(&words).await?;
        let read = unread.into_iter().zip(vectors);
        let read: Vec<Memory> = read.map(|(memory, text)| Memory { text, model: model.clone(), ..memory }).collect();
        Ok(self.store.remember(&read, None).await?)
    }

    /// The model that makes vectors of words, where there is one.
    pub fn model(&self) -> Option<String> {
        self.embedder.as_ref().map(|embedder| embedder.name())
    }

    /// The vectors of these words; None where nothing makes any.
    async fn vectors(&self, words: &[String]) -> Result<Option<Vec<Vec<f32>>>, PortError> {
        let Some(embedder) = &self.embedder else { return Ok(None) };
        let keys: Vec<String> = words.iter().map(|words| content_hash(&[&embedder.name(), words])).collect();
        let mut kept = self.kept.lock().await;
        let unknown: Vec<usize> = (0..words.len()).filter(|&at| !kept.contains_key(&keys[at])).collect();
        let asked: Vec<String> = unknown.iter().map(|&at| words[at].clone()).collect();
        if !asked.is_empty() {
            let made = embedder.embed(&asked).await?;
            // Not a cache of what is used most: where it is full it is begun anew, which costs a moment and bounds the memory.
            if kept.len() + made.len() > KEPT {
                kept.clear();
            }
            kept.extend(unknown.iter().map(|&at| keys[at].clone()).zip(made));
        }
        let found: Option<Vec<Vec<f32>>> = keys.iter().map(|key| kept.get(key).cloned()).collect();
        // Emptied in between: those that were known are made again.
        match found {
            Some(found) => Ok(Some(found)),
            None => Ok(Some(embedder.embed(words).await?)),
        }
    }
}
