//! A forest as JSON text, with a version and a checksum.
//!
//! Numbers are written as text: Rust reads its own shortest form back to the last bit, so a forest that was read scores
//! exactly as the one that was written. The checksum finds accidents and careless edits; it is no signature.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{ForestError, IsolationForest};

/// The layout that is written and the only one that is read.
pub(super) const VERSION: u64 = 1;

#[derive(Serialize)]
struct Written<'a> {
    version: u64,
    sha256: String,
    forest: &'a IsolationForest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(rename = "version")]
    _version: u64,
    sha256: String,
    forest: IsolationForest,
}

/// Read first, for another version may look different in all else.
#[derive(Deserialize)]
struct Head {
    version: u64,
}

impl IsolationForest {
    /// The forest as JSON. The same forest gives the same text.
    pub fn to_json(&self) -> String {
        let written = Written { version: VERSION, sha256: self.checksum(), forest: self };
        serde_json::to_string(&written).expect("a forest is made of lists, names and numbers, which JSON has")
    }

    /// Reads what [`IsolationForest::to_json`] wrote.
    ///
    /// # Errors
    /// [`ForestError::Version`] of another layout, [`ForestError::Checksum`] when it was changed since, and
    /// [`ForestError::Unreadable`] when it is no forest at all.
    pub fn from_json(text: &str) -> Result<Self, ForestError> {
        let unreadable = |error: serde_json::Error| ForestError::Unreadable(error.into());
        let Head { version } = serde_json::from_str(text).map_err(unreadable)?;
        if version != VERSION {
            return Err(ForestError::Version(version));
        }
        let Read { sha256, forest, .. } = serde_json::from_str(text).map_err(unreadable)?;
        if sha256 != forest.checksum() {
            return Err(ForestError::Checksum);
        }
        let sound = !forest.trees.is_empty()
            && forest.sample >= 2
            && forest.centres.len() == forest.features
            && forest.trees.iter().all(|tree| tree.is_sound(forest.features));
        if sound { Ok(forest) } else { Err(ForestError::Unreadable("its trees do not hang together".into())) }
    }

    /// Over the forest as it is written, so that spaces and line ends do not matter.
    fn checksum(&self) -> String {
        let text = serde_json::to_string(self).expect("a forest is made of lists, names and numbers, which JSON has");
        hex::encode(Sha256::digest(text.as_bytes()))
    }
}

/// A number as text, to the last bit.
pub(super) mod exact {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's `with` passes a reference")]
    pub(in super::super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|_| D::Error::custom(format_args!("{text:?} is no number")))
    }
}

/// Numbers as text, to the last bit.
pub(super) mod exact_all {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(in super::super) fn serialize<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(values.iter().map(f64::to_string))
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| text.parse().map_err(|_| D::Error::custom(format_args!("{text:?} is no number")))).collect()
    }
}
