//! Identities. Newtypes, so that an item can not be passed where a location is meant.
//!
//! Ids of ERP records are the ERP's own numbers as text. Ids that Reeve makes are derived from content (SHA-256), never
//! drawn at random: the same inputs give the same ids, and so the same digest, byte for byte.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Wraps an id that is already known to be one.
            pub fn new(id: impl Into<String>) -> Self {
                Self(id.into())
            }

            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/** A sellable product (Odoo: `product.product`). */ ItemId);
id!(/** A place that holds stock: a store, warehouse or web shop (Odoo: `stock.warehouse`). */ LocationId);
id!(/** A supplier (Odoo: `res.partner`). */ SupplierId);
id!(/** An exception: the hash of its fingerprint. */ ExceptionId);
id!(/** A case: the hash of the fingerprint of the exception that opened it. */ CaseId);
id!(/** A recommendation: the hash of its content. */ RecommendationId);
id!(/** A fact in an evidence bundle, for example `po_line:183/price`. */ FactId);
id!(/** A person who plans or approves. */ PersonId);

/// The first `len` hex digits of the SHA-256 of `parts`, each closed by a unit separator so that
/// `["ab", "c"]` and `["a", "bc"]` differ.
pub fn content_id(prefix: &str, parts: &[&str], len: usize) -> String {
    format!("{prefix}{}", &content_hash(parts)[..len.min(64)])
}

/// The SHA-256 of `parts` as 64 hex digits, each part closed by a unit separator.
pub fn content_hash(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.as_bytes());
        hasher.update([0x1f]);
    }
    hex::encode(hasher.finalize())
}

/// Ids that Reeve makes hold nothing but these characters.
pub fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 80 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_kept_apart_in_a_content_id() {
        assert_ne!(content_id("x", &["ab", "c"], 12), content_id("x", &["a", "bc"], 12));
        assert_eq!(content_id("case-", &["a"], 12).len(), 17);
    }

    #[test]
    fn only_ids_of_our_own_become_addresses() {
        assert!(is_id("c-00ff") && !is_id("../x") && !is_id("a b") && !is_id(""));
    }
}
