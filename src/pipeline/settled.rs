//! What cases came to when they were drafted last, so that a case on which nothing has changed is not judged again: a click on
//! one case must not cost what all the others cost.
//!
//! It is a memory of the process and no truth: without it everything is judged anew, with the same result.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Weak};

use super::moment::Moment;
use crate::domain::book::{Book, Place};
use crate::domain::case::{Case, Rank};
use crate::domain::exception::ExceptionType;
use crate::domain::ids::{CaseId, ItemId, SupplierId};
use crate::domain::money::Quantity;
use crate::rules::detect::gather::Overview;
use crate::rules::place_key;
use crate::store::{Changed, Store, StoreError};

/// What cases came to in one moment.
#[derive(Default)]
pub(super) struct Settled {
    /// What was known of the whole company, how probable each type was, and how often records had changed.
    overview: Weak<Overview>,
    p: BTreeMap<ExceptionType, f64>,
    changes: i64,
    cases: BTreeMap<CaseId, Known>,
    /// Evidence of which no writer is asked for a draft in shadow.
    passed_over: BTreeSet<(CaseId, String)>,
}

/// What is known of a case.
#[derive(Clone)]
pub(super) struct Known {
    version: i64,
    /// The items that it is about, and who supplies them.
    pub(super) items: BTreeSet<ItemId>,
    suppliers: BTreeSet<SupplierId>,
    /// What it was judged on alone, and what that came to.
    alone: u64,
    pub(super) rank: Rank,
    /// What it was drafted on after others, where that changed nothing, and what it promises its donors.
    after_others: Option<(u64, Vec<(Place, Quantity)>)>,
}

/// Who writes what people read of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Asks {
    /// The playbook: no model is configured, or it has not earned its words.
    Playbook,
    /// A model, but not of this case: it is far below the line.
    BelowLine,
    /// A model may be asked.
    Model,
}

/// Everything beside the moment and the case itself that a case is judged on. `written`: how often its exceptions and its
/// proposals have been.
pub(super) fn inputs(
    items: &BTreeSet<ItemId>,
    promised: &BTreeMap<Place, Quantity>,
    claimed: &BTreeMap<String, String>,
    written: (i64, i64),
    asks: Asks,
) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (place, quantity) in promised {
        (place, quantity.0).hash(&mut hasher);
    }
    // Who counts the loss of another item's shortage makes no difference to this case.
    for item in items {
        for key in [place_key::shortages_of(item), place_key::idle_ones_of(item)] {
            let own = claimed.range(key.clone()..).take_while(|(link, _)| link.starts_with(&key));
            own.for_each(|claim| claim.hash(&mut hasher));
        }
    }
    (written, asks).hash(&mut hasher);
    hasher.finish()
}

impl Settled {
    /// Forgets what was found on other grounds; where this moment continues the one of before, only of what has changed since.
    pub(super) async fn turn_to(&mut self, store: &Store, moment: &Moment) -> Result<(), StoreError> {
        let overview = Arc::downgrade(&moment.seen.overview);
        if Weak::ptr_eq(&self.overview, &overview) && self.p == moment.p {
            let Changed { items, suppliers, everything } = store.list_changed_since(self.changes).await?;
            let untouched = |known: &Known| known.items.is_disjoint(&items) && known.suppliers.is_disjoint(&suppliers);
            self.cases.retain(|_, known| !everything && untouched(known));
        } else {
            self.cases.clear();
            self.passed_over.clear();
        }
        (self.overview, self.p, self.changes) = (overview, moment.p.clone(), moment.changes());
        Ok(())
    }

    /// What is known of a case as it is.
    pub(super) fn of(&self, case: &Case) -> Option<&Known> {
        self.cases.get(&case.id).filter(|known| known.version == case.version)
    }

    /// The rank of a case that is judged alone on the same as before.
    pub(super) fn rank_alone(&self, case: &Case, on: u64) -> Option<&Rank> {
        self.of(case).filter(|known| known.alone == on).map(|known| &known.rank)
    }

    /// What a case promises that is drafted after others on the same as before, which changed nothing then.
    pub(super) fn unchanged(&self, case: &Case, on: u64) -> Option<&[(Place, Quantity)]> {
        let (known, promises) = self.of(case)?.after_others.as_ref()?;
        (*known == on).then_some(promises.as_slice())
    }

    /// Remembers what a case came to alone.
    pub(super) fn judged(&mut self, book: &Book, case: &Case, items: BTreeSet<ItemId>, alone: u64, rank: Rank) {
        let after_others = self.of(case).and_then(|known| known.after_others.clone());
        // Suppliers as well as items: a price or a lead time that moves is a change of no item, and changes what a case is
        // worth.
        let lines = items.iter().flat_map(|item| book.lines_of_item(item)).map(|line| &line.supplier);
        let prices = items.iter().flat_map(|item| book.supplier_prices(item, book.today)).map(|price| &price.supplier);
        let suppliers = lines.chain(prices).chain(&case.subject.supplier).cloned().collect();
        let known = Known { version: case.version, items, suppliers, alone, rank, after_others };
        self.cases.insert(case.id.clone(), known);
    }

    /// Remembers that a case was drafted anew: it has moved on by that, and is worth alone what it was.
    pub(super) fn drafted(&mut self, case: &Case) {
        if let Some(known) = self.cases.get_mut(&case.id).filter(|known| known.version == case.version) {
            known.version += 1;
            known.after_others = None;
        }
    }

    /// Remembers on what a case was drafted without being changed by it.
    pub(super) fn left_unchanged(&mut self, case: &Case, on: u64, promises: Vec<(Place, Quantity)>) {
        if let Some(known) = self.cases.get_mut(&case.id).filter(|known| known.version == case.version) {
            known.after_others = Some((on, promises));
        }
    }

    /// Remembers that a case is for people to judge on this evidence, so that no writer is asked of it.
    pub(super) fn pass_over(&mut self, case: &CaseId, evidence_hash: &str) {
        self.passed_over.insert((case.clone(), evidence_hash.to_owned()));
    }

    /// Is it known that no writer is asked of a case on this evidence?
    pub(super) fn is_passed_over(&self, case: &CaseId, evidence_hash: &str) -> bool {
        self.passed_over.contains(&(case.clone(), evidence_hash.to_owned()))
    }
}
