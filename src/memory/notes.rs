//! What others wrote that belongs to a case: the supplier's last messages, what was said of the item's promotions, what planners
//! noted beside the decisions on like cases.
//!
//! Whose words they are decides what is shown, then how new they are and, where a model of meaning is there, how near to the case.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::recall::{NEW, NEW_DAYS};
use super::{Memories, MemoryError};
use crate::domain::evidence::{Fact, FactValue, WROTE};
use crate::domain::exception::Exception;
use crate::domain::ids::{CaseId, ItemId, SupplierId};
use crate::domain::record::{RecordKind, RecordRef};
use crate::domain::remembered::{MemoryKind, Remembered, about_case, about_item, about_supplier};
use crate::domain::supply::Supply;
use crate::rules::likeness::{self, cosine};
use crate::store::Memory;

/// Older words are not shown: what a supplier wrote a quarter ago says nothing of today's delivery.
const DAYS: i64 = 90;
/// Of each supplier, item and like case so many of the newest are looked at, and so many shown.
const LOOKED_AT: usize = 12;
const SHOWN: usize = 2;

/// Whose words belong to a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Concerned {
    suppliers: BTreeSet<SupplierId>,
    items: BTreeSet<ItemId>,
}

impl Concerned {
    /// By the exceptions of a case: the suppliers that they name or whose lines they are about, of a place the one it buys from first.
    pub fn of(supply: &Supply, exceptions: &[Exception]) -> Self {
        let mut concerned = Self::default();
        for exception in exceptions {
            let subject = &exception.signal.subject;
            let line = subject.po_line.as_ref().and_then(|line| supply.po_lines.get(line));
            let lines = subject.order.iter().flat_map(|order| supply.lines_of_order(order)).chain(line);
            for line in lines {
                concerned.suppliers.insert(line.supplier.clone());
            }
            concerned.suppliers.extend(subject.supplier.clone());
            concerned.items.extend(subject.item.clone().or_else(|| line.map(|line| line.item.clone())));
            if let (Some(item), Some(location), true) = (&subject.item, &subject.location, subject.supplier.is_none()) {
                let first = supply.supplier_prices_at(item, location, supply.today).into_iter().next();
                concerned.suppliers.extend(first.map(|price| price.supplier.clone()));
            }
        }
        concerned
    }
}

impl Memories {
    /// What others wrote that belongs to a case, as facts: text from outside, each with where it stands. `like`: the like cases that are
    /// shown.
    ///
    /// # Errors
    /// The store's or the model's.
    pub async fn notes(
        &self,
        exceptions: &[Exception],
        concerned: &Concerned,
        like: &[CaseId],
        company: &str,
        known_before: Timestamp,
    ) -> Result<Vec<Fact>, MemoryError> {
        let since = known_before.checked_sub(SignedDuration::from_hours(24 * DAYS)).unwrap_or(Timestamp::UNIX_EPOCH);
        let about = concerned.suppliers.iter().map(about_supplier);
        let about = about.chain(concerned.items.iter().map(about_item)).chain(like.iter().map(about_case));
        let mut facts = Vec::new();
        let mut words = None;
        for about in about {
            let mut notes = self.store.list_notes(company, &about, (since, known_before), LOOKED_AT).await?;
            if notes.len() > SHOWN {
                // The model is asked only where there are more notes than are shown, and once for the case.
                if words.is_none() {
                    let made = self.vectors(&[likeness::words(exceptions)]).await?;
                    words = Some(made.and_then(|made| made.into_iter().next()).unwrap_or_default());
                }
                self.nearest_first(&mut notes, words.as_deref().unwrap_or_default(), known_before);
                notes.truncate(SHOWN);
            }
            facts.extend((1..).zip(&notes).filter_map(|(number, note)| fact(&note.what, number)));
        }
        Ok(facts)
    }

    /// Puts notes in the order of how near they are to some words, a little for being new; they come newest first, which holds between equals
    /// and where there is nothing to compare by.
    fn nearest_first(&self, notes: &mut [Memory], words: &[f32], now: Timestamp) {
        let model = self.model();
        let place = |note: &Memory| {
            let comparable = !words.is_empty() && model.as_ref() == Some(&note.model);
            let near = if comparable { cosine(&note.text, words) } else { 0.0 };
            let days = (now.as_second() - note.what.at.as_second()).max(0) / 86_400;
            #[expect(clippy::cast_precision_loss, reason = "days of a quarter")]
            let new = NEW * (-(days as f32) / NEW_DAYS).exp();
            // To the hundredth, as the last digits of vectors differ from machine to machine and the order must not.
            ((near + new) * 100.0).round()
        };
        notes.sort_by(|a, b| place(b).total_cmp(&place(a)));
    }
}

/// A note as a fact, `number` being which of those about the same, from 1; None for what is none. A notice holds one, beside a case there may be several.
fn fact(note: &Remembered, number: usize) -> Option<Fact> {
    let of_case = if number == 1 { "note".to_owned() } else { format!("note_{number}") };
    let (source, field, label) = match (note.kind, &note.notice, &note.case) {
        (MemoryKind::SupplierNote, Some(notice), _) => {
            (RecordRef::new(RecordKind::Notice, notice.clone()), WROTE, "the supplier wrote")
        }
        (MemoryKind::Promotion, Some(notice), _) => {
            (RecordRef::new(RecordKind::Notice, notice.clone()), WROTE, "was said of a promotion")
        }
        (MemoryKind::PlannerNote, _, Some(case)) => {
            (RecordRef::new(RecordKind::Case, case.to_string()), of_case.as_str(), "was noted beside the like case")
        }
        _ => return None,
    };
    Some(Fact::new(source, field, label, FactValue::Text(note.words.clone()), note.at).from_outside())
}
