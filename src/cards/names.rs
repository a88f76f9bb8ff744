//! What everybody is shown in the same way: names of records and people, states, reasons, moments.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::plain;
use crate::domain::case::{CaseState, Lane};
use crate::domain::decision::RejectReason;
use crate::domain::evidence::Bundle;
use crate::domain::exception::{ExceptionType, Subject};
use crate::domain::ids::PersonId;
use crate::domain::policy::Person;
use crate::domain::record::{RecordKind, RecordRef};
use crate::rules::place_key;
use crate::store::{Store, StoreError};

/// An exception type for people.
#[derive(Clone, Debug, Serialize)]
pub struct Code {
    code: &'static str,
    name: &'static str,
}

impl Code {
    pub fn of(code: ExceptionType) -> Self {
        Self { code: code.code(), name: code.name() }
    }
}

/// Names of records, for people.
#[derive(Clone, Debug, Default)]
pub struct Names(pub BTreeMap<RecordRef, String>);

impl Names {
    /// Those of the records that `subjects` are about, and of no others.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn about<'s>(store: &Store, subjects: impl IntoIterator<Item = &'s Subject>) -> Result<Self, StoreError> {
        let mut records = BTreeSet::new();
        for subject in subjects {
            records.extend(subject.item.iter().map(|id| RecordRef::new(RecordKind::Item, id.as_str())));
            records.extend(subject.location.iter().map(|id| RecordRef::new(RecordKind::Location, id.as_str())));
            records.extend(subject.supplier.iter().map(|id| RecordRef::new(RecordKind::Supplier, id.as_str())));
        }
        Ok(Self(store.list_names_of(&records).await?))
    }

    /// The same with those of the records that the facts of a bundle are about, and of the places in its workings.
    ///
    /// # Errors
    /// When the store can not be read.
    pub async fn and_of(mut self, store: &Store, bundle: &Bundle) -> Result<Self, StoreError> {
        let mut records: BTreeSet<RecordRef> = bundle.facts.values().map(|fact| fact.source.clone()).collect();
        let places = bundle.workings.iter().flat_map(|workings| workings.shortages.keys());
        for (item, location) in places.filter_map(|place| place_key::ids(place)) {
            records.insert(RecordRef::new(RecordKind::Item, item.as_str()));
            records.insert(RecordRef::new(RecordKind::Location, location.as_str()));
        }
        records.retain(|record| !self.0.contains_key(record));
        self.0.extend(store.list_names_of(&records).await?);
        Ok(self)
    }

    /// The item, the place, the supplier, and the documents, as far as they are set.
    pub fn subject(&self, subject: &Subject) -> String {
        let named = |kind, id: &str, what: &str| {
            let name = self.0.get(&RecordRef::new(kind, id)).map(|n| plain(n)).filter(|n| !n.is_empty());
            name.unwrap_or_else(|| format!("{what} {}", plain(id)))
        };
        let mut parts = Vec::new();
        if let Some(item) = &subject.item {
            parts.push(named(RecordKind::Item, item.as_str(), "item"));
        }
        if let Some(location) = &subject.location {
            parts.push(named(RecordKind::Location, location.as_str(), "location"));
        }
        if let Some(supplier) = &subject.supplier {
            parts.push(named(RecordKind::Supplier, supplier.as_str(), "supplier"));
        }
        // The headline has orders and bills by name; their bare ids help only where nothing else is said.
        if parts.is_empty() {
            for (what, id) in [("order", &subject.order), ("line", &subject.po_line), ("bill", &subject.bill)] {
                parts.extend(id.as_ref().map(|id| format!("{what} {}", plain(id))));
            }
        }
        if let Some(document) = subject.document.as_ref().filter(|_| subject.bill.is_none()) {
            parts.push(plain(document));
        }
        parts.join(" · ")
    }
}

/// A case's state for people.
pub fn state_text(state: &CaseState) -> String {
    match state {
        CaseState::New | CaseState::Open => "to be decided".to_owned(),
        CaseState::Latent => "worth nothing so far".to_owned(),
        CaseState::Snoozed { until, .. } => format!("snoozed until {until}"),
        CaseState::Decided => "decided".to_owned(),
        CaseState::Verifying => "handed off, being verified".to_owned(),
        CaseState::Closed => "closed".to_owned(),
        CaseState::ResolvedItself => "resolved by itself".to_owned(),
        CaseState::Expired => "expired".to_owned(),
        CaseState::Merged { .. } => "merged into another case".to_owned(),
        CaseState::Shadow => "in shadow: nobody is asked".to_owned(),
        CaseState::ShadowOver { to: None } => "over, in shadow".to_owned(),
        CaseState::ShadowOver { to: Some(to) } => format!("was in shadow until its scope was {to}"),
        CaseState::Withdrawn { to } => format!("withdrawn: its scope was taken to {to}"),
    }
}

/// Why a case stands before others that are worth more.
pub fn lane_mark(lane: Lane) -> Option<&'static str> {
    match lane {
        Lane::BillDue => Some("bill due"),
        Lane::KeyItem => Some("key item"),
        Lane::Ordinary => None,
    }
}

/// A reason for refusing, for people.
pub fn reason_text(reason: RejectReason) -> &'static str {
    match reason {
        RejectReason::NotReal => "There is no problem",
        RejectReason::RealButWrongAction => "Real, but not what to do about it",
        RejectReason::AlreadyHandled => "Already handled",
        RejectReason::WrongQuantity => "Wrong quantity",
        RejectReason::WrongDate => "Wrong date",
        RejectReason::WrongSupplierOrLocation => "Wrong supplier or location",
        RejectReason::NotWorthIt => "Not worth it",
        RejectReason::MissingContext => "Something Reeve does not know",
        RejectReason::Policy => "Against a policy",
        RejectReason::Duplicate => "Same as another case",
    }
}

/// A moment in the business calendar's time zone, to the minute.
pub fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// The name of a person; Reeve itself, with the stage; or what else stands in the audit log.
pub fn actor_name(actor: &str, people: &[Person]) -> String {
    if let Some(person) = people.iter().find(|p| p.id.as_str() == actor) {
        return plain(&person.name);
    }
    actor.strip_prefix("stage:").map_or_else(|| plain(actor), |stage| format!("Reeve ({})", plain(stage)))
}

/// The names of people, in the order given.
pub fn people_names(ids: &[PersonId], people: &[Person]) -> String {
    ids.iter().map(|id| actor_name(id.as_str(), people)).collect::<Vec<_>>().join(" and ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::{ItemId, LocationId};

    #[test]
    fn a_subject_without_names_shows_its_ids() {
        let subject = Subject { order: Some("P00042".to_owned()), ..Subject::at(&ItemId::new("75"), &LocationId::new("3")) };
        let mut names = Names::default();
        names.0.insert(RecordRef::new(RecordKind::Item, "75"), "AC-006 Beans".to_owned());
        assert_eq!(names.subject(&subject), "AC-006 Beans · location 3");
        let order = Subject { order: Some("42".to_owned()), ..Subject::default() };
        assert_eq!(names.subject(&order), "order 42");
    }
}
