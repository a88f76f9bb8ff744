//! Finding what is like something: what makes vectors of words, and what finds the nearest ones.
//!
//! The store keeps what is remembered, with its vectors. An index is a copy of them that can be thrown away and filled anew; it
//! answers with ids, and whoever asks reads the rest in the store.

use async_trait::async_trait;
use reeve_domain::remembered::MemoryKind;

use crate::PortError;

/// By what two things are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Space {
    /// By what their words mean: vectors of an [`Embedder`].
    Text,
    /// By their numbers: what kind of exception, how large, how dear, at what stock.
    Profile,
}

impl Space {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Text, Self::Profile];

    /// The vector's name in an index.
    pub fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Profile => "profile",
        }
    }
}

/// Something remembered, as an index keeps it. Vectors have length one; one that has none is empty, and is found in the other
/// space only.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The id in the store, where letters, digits and `-` are all that stands in it.
    pub id: String,
    /// Counts changes of memories: a later one has a higher number.
    pub seq: i64,
    /// Whose it is; empty where there are no companies.
    pub company: String,
    /// What it is of.
    pub kind: MemoryKind,
    /// The types of a case's exceptions, by code.
    pub codes: Vec<String>,
    /// The item, the supplier and the place that it is about.
    pub item: Option<String>,
    /// See `item`.
    pub supplier: Option<String>,
    /// See `item`.
    pub location: Option<String>,
    /// From when it may be shown: milliseconds since 1970. What was not known then is not shown of then.
    pub known_at: i64,
    /// By its words.
    pub text: Vec<f32>,
    /// By its numbers.
    pub profile: Vec<f32>,
}

impl Point {
    /// Its vector in a space.
    pub fn vector(&self, space: Space) -> &[f32] {
        match space {
            Space::Text => &self.text,
            Space::Profile => &self.profile,
        }
    }
}

/// What is asked of an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// Of this company and no other: there is no way to ask of all.
    pub company: String,
    /// Of these kinds; none finds nothing.
    pub kinds: Vec<MemoryKind>,
    /// With at least one of these types, where any are named.
    pub codes: Vec<String>,
    /// About this supplier, where one is named.
    pub supplier: Option<String>,
    /// Known before this moment, in milliseconds since 1970.
    pub known_before: i64,
    /// By what.
    pub space: Space,
    /// Near to this, of length one.
    pub vector: Vec<f32>,
    /// At most so many.
    pub limit: usize,
}

/// What was found, with the cosine of the angle to what was asked for: 1 for the same, around 0 for nothing in common.
#[derive(Clone, Debug, PartialEq)]
pub struct Near {
    /// Which.
    pub id: String,
    /// How near.
    pub score: f32,
}

/// Finds the nearest of many vectors, exactly: two indexes that hold the same answer the same, but for the last digits of scores.
#[async_trait]
pub trait VectorIndex: Send + Sync {
    /// What it is called, with where it is: `in process`, `qdrant at https://…`.
    fn name(&self) -> String;

    /// Is it there, of a version that works, and do its vectors have the right length? Answers what it holds, for people.
    async fn check(&self) -> Result<String, PortError>;

    /// The number of the last change that it holds all changes up to; 0 where it holds nothing or does not know.
    async fn position(&self) -> Result<i64, PortError>;

    /// Keeps points, each in place of the one of the same id; the same twice is the same once.
    async fn put(&self, points: &[Point]) -> Result<(), PortError>;

    /// Forgets points. One that is not there is forgotten.
    async fn forget(&self, ids: &[String]) -> Result<(), PortError>;

    /// Remembers that it holds all changes up to this one. Comes after [`VectorIndex::put`] and [`VectorIndex::forget`] of them.
    async fn hold_up_to(&self, seq: i64) -> Result<(), PortError>;

    /// The nearest, nearest first, by id where two are as near.
    async fn nearest(&self, asked: &Nearest) -> Result<Vec<Near>, PortError>;

    /// How many points it holds.
    async fn count(&self) -> Result<usize, PortError>;

    /// Forgets everything, so that it is filled anew.
    async fn clear(&self) -> Result<(), PortError>;
}

/// Makes vectors of words. The same words give the same vector.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// The model, with a mark of its weights where they are known: vectors of two names are never compared.
    fn name(&self) -> String;

    /// The vectors of these texts, in their order, each of length one and all with the same number of components.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Vec<f32>>, PortError>;
}
