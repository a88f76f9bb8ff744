//! Memory's index of vectors in a Qdrant server, over gRPC.
//!
//! [`QdrantIndex`] fills the port `VectorIndex`: an alternative to the index in the process, for retailers who run Qdrant
//! already or remember more than one process holds. What is remembered stays in the store; a collection is a copy that can be
//! dropped and filled anew.
//!
//! From the bottom up: `link` reaches the server, `error` says what went wrong with it, [`Shape`] names collections, `point` and
//! `search` translate what goes in and out, `collection` makes a collection and keeps its position, `alias` says which one is in use,
//! `index` puts them together.
//!
//! Invariants, held by `tests/`: no search leaves without a company; a position never claims what is not there.

mod alias;
mod collection;
mod error;
mod index;
mod link;
mod point;
mod search;
mod settings;
mod shape;

pub use self::error::QdrantError;
pub use self::index::QdrantIndex;
pub use self::settings::QdrantConfig;
pub use self::shape::Shape;
