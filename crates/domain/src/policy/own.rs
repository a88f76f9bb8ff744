//! What is held against a person's own limit: what they and those they stand in for released, and what counts together by item
//! or supplier whoever released it.
//!
//! The tier of what two people sign counts what either of them released; the limit of one does not. Else a pair of whom one
//! released much this week could complete nothing, however little the other did.

use serde::{Deserialize, Serialize};

use super::document::Policy;
use super::judge::Ruling;
use super::sign::Signer;
use crate::ids::PersonId;
use crate::money::Money;

/// What counts for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shares {
    /// Its own value, and what counts with it by item or supplier: for everybody.
    pub(super) for_all: Money,
    /// What else was released in the window, each recommendation once.
    pub(super) released: Vec<Released>,
}

/// A recommendation that counts only for who released it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Released {
    pub(super) value: Money,
    /// Whose hands signed it.
    pub(super) by: Vec<PersonId>,
    /// For whom they did.
    pub(super) on_behalf_of: Vec<PersonId>,
}

impl Policy {
    /// What a signer's own limit is compared with.
    pub fn counted_for(&self, ruling: &Ruling, signer: &Signer) -> Money {
        let theirs = |released: &&Released| {
            let hand = released.by.contains(&signer.person.id);
            let chained = signer.on_behalf_of.iter().any(|p| released.by.contains(&p.id))
                || signer.everybody().any(|p| released.on_behalf_of.contains(&p.id));
            (self.cumulative.approver && hand) || (self.cumulative.chain && chained)
        };
        let mut counted = ruling.shares.for_all;
        for released in ruling.shares.released.iter().filter(theirs) {
            counted += released.value;
        }
        counted
    }
}
