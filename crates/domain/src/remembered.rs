//! What is remembered: cases that people decided, and what others wrote, kept so that a like case later can be shown them.
//!
//! Memory shows; it never decides, and it moves no figure. What comes back is a fact that says what it is, and no action stands
//! on it alone.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::decision::RejectReason;
use super::exception::{ExceptionType, Subject};
use super::ids::{CaseId, ItemId, SupplierId, content_id};
use super::money::Money;

/// What a memory is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemoryKind {
    /// A case that somebody decided.
    Case,
    /// What was said of a promotion. Text from outside.
    Promotion,
    /// What a supplier wrote. Text from outside.
    SupplierNote,
    /// What a planner wrote beside a decision. Text from outside.
    PlannerNote,
}

impl MemoryKind {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Case, Self::Promotion, Self::SupplierNote, Self::PlannerNote];

    /// The name in the store and in indexes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Case => "case",
            Self::Promotion => "promotion",
            Self::SupplierNote => "supplier_note",
            Self::PlannerNote => "planner_note",
        }
    }

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// Did somebody outside of Reeve write it?
    pub fn is_from_outside(self) -> bool {
        self != Self::Case
    }
}

/// One thing that is remembered, without the vectors by which it is found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Remembered {
    /// What it is of.
    pub kind: MemoryKind,
    /// The company whose it is (the ERP's id); empty where the ERP tells of none. Nobody is ever shown another company's.
    pub company: String,
    /// What it is about.
    pub subject: Subject,
    /// The types of a case's exceptions, the leading one first; none of a note.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<ExceptionType>,
    /// The case that it is, or was written beside.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<CaseId>,
    /// The notice in which it was told, of what others wrote (its id).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<String>,
    /// When it happened.
    pub at: Timestamp,
    /// What is found by its meaning: cleaned, short, and without names of people.
    pub words: String,
    /// How a case was decided and ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

impl Remembered {
    /// The id: the same thing has the same one, whatever is learnt of it later.
    pub fn id(&self) -> String {
        let what = self.case.as_ref().map_or_else(|| self.words.clone(), ToString::to_string);
        let note = if self.kind.is_from_outside() { self.words.as_str() } else { "" };
        content_id("m-", &[self.kind.name(), &self.company, &what, &self.subject.key(), note], 20)
    }

    /// What words of others are about, as [`about_supplier`], [`about_item`] or [`about_case`] say it. Nothing of a case: cases
    /// are found by what they are like.
    pub fn about(&self) -> String {
        let Subject { supplier, item, .. } = &self.subject;
        let about = match self.kind {
            MemoryKind::Case => None,
            MemoryKind::SupplierNote => supplier.as_ref().map(about_supplier),
            MemoryKind::Promotion => item.as_ref().map(about_item),
            MemoryKind::PlannerNote => self.case.as_ref().map(about_case),
        };
        about.unwrap_or_default()
    }
}

/// Words of or on a supplier.
pub fn about_supplier(supplier: &SupplierId) -> String {
    format!("supplier:{supplier}")
}

/// Words on an item.
pub fn about_item(item: &ItemId) -> String {
    format!("item:{item}")
}

/// Words beside a case's decision.
pub fn about_case(case: &CaseId) -> String {
    format!("case:{case}")
}

/// How a case was decided, and what came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ended {
    /// What was decided.
    pub verdict: Verdict,
    /// The codes of the actions that were decided on: `TRANSFER`.
    pub actions: String,
    /// What was measured of it beside what was expected, once its horizon was over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub measured: Option<Money>,
}

/// What was decided on a case, and whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// Approved; whether it was done is not known yet, or nobody can tell.
    Approved,
    /// Approved, and the ERP shows that it was done, at least in part.
    Done,
    /// Approved, and it was not done.
    NotDone,
    /// Turned down.
    Rejected {
        /// Why.
        reason: RejectReason,
    },
}

impl Verdict {
    /// Is it known how it ended?
    pub fn is_known(self) -> bool {
        self != Self::Approved
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_reads_back_by_its_name() {
        for kind in MemoryKind::ALL {
            assert_eq!(MemoryKind::named(kind.name()), Some(kind));
            assert_eq!(serde_json::to_value(kind).unwrap(), kind.name());
        }
    }

    #[test]
    fn a_case_keeps_its_id_when_more_is_known_of_it_and_two_notes_of_one_case_are_two() {
        let case = |words: &str, kind| Remembered {
            kind,
            company: String::new(),
            subject: Subject::default(),
            codes: vec![],
            case: Some(CaseId::new("case-1")),
            notice: None,
            at: Timestamp::UNIX_EPOCH,
            words: words.to_owned(),
            ended: None,
        };
        assert_eq!(case("short", MemoryKind::Case).id(), case("short by 8", MemoryKind::Case).id());
        assert_ne!(case("one", MemoryKind::PlannerNote).id(), case("other", MemoryKind::PlannerNote).id());
        let elsewhere = Remembered { company: "2".to_owned(), ..case("short", MemoryKind::Case) };
        assert_ne!(elsewhere.id(), case("short", MemoryKind::Case).id());
    }
}
