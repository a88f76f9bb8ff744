//! What a collection's vectors are, and so what it is called. Vectors of two models are never in one collection.

use qdrant_client::qdrant::{Distance, VectorParams, VectorsConfig, vectors_config};

use reeve_domain::ids::{content_id, is_id};
use reeve_domain::words;
use reeve_ports::Space;

use crate::error::QdrantError;

/// Part of a collection's name: counts up when what stands in payloads changes, so that older collections are left and a new one
/// is filled.
const LAYOUT: &str = "1";

/// Which vectors are kept: who made them, and how many numbers each has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shape {
    /// The embedder's name, as [`reeve_ports::Embedder::name`] says it; empty where there is none.
    pub embedder: String,
    /// Numbers of a vector of words; 0 where nothing makes them.
    pub text: usize,
    /// Numbers of a vector of figures.
    pub profile: usize,
}

impl Shape {
    /// How many numbers a vector of this space has.
    pub fn numbers(&self, space: Space) -> usize {
        match space {
            Space::Text => self.text,
            Space::Profile => self.profile,
        }
    }

    /// The spaces that have vectors.
    fn spaces(&self) -> impl Iterator<Item = Space> {
        Space::ALL.into_iter().filter(|space| self.numbers(*space) > 0)
    }

    /// The collection for vectors of this shape: `reeve_memory_4f1c…`.
    ///
    /// # Errors
    /// When `prefix` can not begin a collection's name, or there are no vectors at all.
    pub(crate) fn collection(&self, prefix: &str) -> Result<String, QdrantError> {
        if !is_id(prefix) || prefix.len() > 60 {
            return Err(QdrantError::Setting {
                key: "memory.qdrant.collection",
                message: "use 1 to 60 letters, digits, `-` and `_`".to_owned(),
            });
        }
        if self.spaces().next().is_none() {
            return Err(QdrantError::Setting {
                key: "memory.qdrant",
                message: format!("neither `{}` nor anything else makes vectors", words::plain(&self.embedder)),
            });
        }
        let parts = [LAYOUT, &self.embedder, &self.text.to_string(), &self.profile.to_string()];
        Ok(content_id(&format!("{prefix}_"), &parts, 12))
    }

    /// Is `name` a collection that an index with this prefix made, for whatever shape?
    pub(crate) fn is_ours(prefix: &str, name: &str) -> bool {
        let hash = name.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_'));
        hash.is_some_and(|hash| hash.len() == 12 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()))
    }

    /// What a collection is made with.
    pub(crate) fn vectors(&self) -> VectorsConfig {
        let params = |space: Space| {
            let size = self.numbers(space) as u64;
            (space.name().to_owned(), VectorParams { size, distance: Distance::Cosine.into(), ..VectorParams::default() })
        };
        let map = self.spaces().map(params).collect();
        VectorsConfig { config: Some(vectors_config::Config::ParamsMap(qdrant_client::qdrant::VectorParamsMap { map })) }
    }

    /// What differs in a collection that is there: one that somebody else made, or changed by hand. Answers nothing where it fits.
    pub(crate) fn differs(&self, found: Option<&VectorsConfig>) -> Option<String> {
        let Some(vectors_config::Config::ParamsMap(found)) = found.and_then(|found| found.config.as_ref()) else {
            return Some("it has no named vectors".to_owned());
        };
        self.spaces().find_map(|space| {
            let (name, expected) = (space.name(), self.numbers(space) as u64);
            match found.map.get(name) {
                None => Some(format!("it has no vector `{name}`")),
                Some(params) if params.size != expected => {
                    Some(format!("its vector `{name}` has {} numbers, not {expected}", params.size))
                }
                Some(params) if params.distance() != Distance::Cosine => {
                    Some(format!("its vector `{name}` is not compared by cosine"))
                }
                Some(_) => None,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(embedder: &str, text: usize) -> Shape {
        Shape { embedder: embedder.to_owned(), text, profile: 12 }
    }

    #[test]
    fn every_model_and_length_has_a_collection_of_its_own() {
        let name = shape("minilm", 384).collection("memory").unwrap();
        assert_eq!(name, shape("minilm", 384).collection("memory").unwrap());
        assert_ne!(name, shape("minilm", 512).collection("memory").unwrap());
        assert_ne!(name, shape("e5", 384).collection("memory").unwrap());
        assert!(Shape::is_ours("memory", &name));
        assert!(!Shape::is_ours("mem", &name) && !Shape::is_ours("memory", "memory_of_others"));
    }

    #[test]
    fn a_name_that_is_no_prefix_is_refused_with_its_key() {
        for prefix in ["", "a b", "a/b", &"x".repeat(61)] {
            let error = shape("minilm", 384).collection(prefix).unwrap_err();
            assert!(error.to_string().contains("memory.qdrant.collection"), "{error}");
        }
        assert!(Shape { embedder: String::new(), text: 0, profile: 0 }.collection("memory").is_err());
    }

    #[test]
    fn without_an_embedder_there_are_figures_only() {
        let figures = shape("", 0);
        let Some(vectors_config::Config::ParamsMap(made)) = figures.vectors().config else { panic!("it has named vectors") };
        assert_eq!(made.map.keys().collect::<Vec<_>>(), ["profile"]);
        assert_ne!(figures.collection("memory").unwrap(), shape("minilm", 384).collection("memory").unwrap());
    }

    #[test]
    fn a_collection_of_another_length_says_which() {
        let (mine, other) = (shape("minilm", 384), shape("minilm", 512));
        assert_eq!(mine.differs(Some(&mine.vectors())), None);
        assert_eq!(mine.differs(Some(&other.vectors())).unwrap(), "its vector `text` has 512 numbers, not 384");
        assert!(mine.differs(None).unwrap().contains("no named vectors"));
    }
}
