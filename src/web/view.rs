//! What every screen shows in the same way: the frame around it, names, times, amounts. No business number is made here.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::session::SignedIn;
use crate::domain::audit::Chained;
use crate::domain::case::{CaseState, Lane};
use crate::domain::decision::RejectReason;
use crate::domain::exception::{ExceptionType, Subject};
use crate::domain::ids::PersonId;
use crate::domain::policy::Person;
use crate::domain::record::{RecordKind, RecordRef};
use crate::render::plain;

/// The frame: title, who is signed in, where one can go.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Shell {
    title: String,
    person: Option<String>,
    csrf: String,
    /// What everybody should know before they decide.
    warning: Option<String>,
    /// Whether somebody else changed how they sign in or act, and they have not looked yet.
    untold: bool,
    links: Vec<Link>,
}

#[derive(Clone, Debug, Serialize)]
struct Link {
    href: &'static str,
    name: &'static str,
    here: bool,
}

const LINKS: [(&str, &str); 8] = [
    ("/", "Queue"),
    ("/digests", "Digests"),
    ("/kpi", "Figures"),
    ("/mutes", "Mutes"),
    ("/outbox", "Outbox"),
    ("/audit", "Audit"),
    ("/policy", "Policy"),
    ("/health", "Health"),
];

impl Shell {
    /// For somebody who is signed in; `here` is the path of the screen.
    pub(super) fn of(title: impl Into<String>, here: &str, who: &SignedIn) -> Self {
        let link = |(href, name)| Link { href, name, here: href == here };
        Self {
            title: plain(&title.into()),
            person: Some(plain(&who.person.name)),
            csrf: who.csrf.clone(),
            warning: who.warning.as_deref().map(plain),
            untold: who.untold > 0,
            links: LINKS.into_iter().map(link).collect(),
        }
    }

    /// For somebody who is not.
    pub(super) fn stranger(title: impl Into<String>) -> Self {
        Self {
            title: plain(&title.into()),
            person: None,
            csrf: String::new(),
            warning: None,
            untold: false,
            links: Vec::new(),
        }
    }
}

/// An exception type for people.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Code {
    code: &'static str,
    name: &'static str,
}

impl Code {
    pub(super) fn of(code: ExceptionType) -> Self {
        Self { code: code.code(), name: code.name() }
    }
}

/// A choice in a select.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Choice {
    pub value: String,
    pub name: String,
    pub chosen: bool,
}

/// Names of records, for people.
#[derive(Clone, Debug, Default)]
pub(super) struct Names(pub BTreeMap<RecordRef, String>);

impl Names {
    /// The item, the place, the supplier, and the documents, as far as they are set.
    pub(super) fn subject(&self, subject: &Subject) -> String {
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
pub(super) fn state_text(state: &CaseState) -> String {
    match state {
        CaseState::New | CaseState::Open => "to be decided".to_owned(),
        CaseState::Snoozed { until, .. } => format!("snoozed until {until}"),
        CaseState::Decided => "decided".to_owned(),
        CaseState::Verifying => "handed off, being verified".to_owned(),
        CaseState::Closed => "closed".to_owned(),
        CaseState::ResolvedItself => "resolved by itself".to_owned(),
        CaseState::Expired => "expired".to_owned(),
        CaseState::Merged { .. } => "merged into another case".to_owned(),
    }
}

/// Why a case stands before others that are worth more.
pub(super) fn lane_mark(lane: Lane) -> Option<&'static str> {
    match lane {
        Lane::BillDue => Some("bill due"),
        Lane::KeyItem => Some("key item"),
        Lane::Ordinary => None,
    }
}

/// A reason for refusing, for people.
pub(super) fn reason_text(reason: RejectReason) -> &'static str {
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
pub(super) fn moment(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// The name of a person; Reeve itself, with the stage; or what else stands in the audit log.
pub(super) fn actor_name(actor: &str, people: &[Person]) -> String {
    if let Some(person) = people.iter().find(|p| p.id.as_str() == actor) {
        return plain(&person.name);
    }
    actor.strip_prefix("stage:").map_or_else(|| plain(actor), |stage| format!("Reeve ({})", plain(stage)))
}

/// The names of people, in the order given.
pub(super) fn people_names(ids: &[PersonId], people: &[Person]) -> String {
    ids.iter().map(|id| actor_name(id.as_str(), people)).collect::<Vec<_>>().join(" and ")
}

/// An audit entry, ready to be shown.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Entry {
    pub seq: i64,
    pub at: String,
    pub actor: String,
    pub channel: String,
    pub action: String,
    pub subject: String,
    pub href: Option<String>,
    pub detail: String,
    pub hash: String,
    pub short: String,
}

impl Entry {
    pub(super) fn of(chained: &Chained, people: &[Person], zone: &TimeZone) -> Self {
        let entry = &chained.entry;
        Self {
            seq: chained.seq,
            at: moment(entry.at, zone),
            actor: actor_name(&entry.actor, people),
            channel: plain(&entry.channel),
            action: plain(&entry.action).replace(['_', '.'], " "),
            subject: plain(&entry.subject),
            href: entry.subject.strip_prefix("case:").filter(|id| is_id(id)).map(|id| format!("/cases/{id}")),
            detail: detail_text(&entry.detail),
            hash: chained.hash.clone(),
            short: chained.hash.chars().take(12).collect(),
        }
    }
}

/// Ids that Reeve makes hold nothing but these characters.
pub(super) fn is_id(id: &str) -> bool {
    !id.is_empty() && id.len() <= 80 && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

/// A JSON object in words: `reason: not-real, note: …`.
fn detail_text(detail: &serde_json::Value) -> String {
    match detail {
        serde_json::Value::Object(map) => map
            .iter()
            .filter(|(_, value)| !value.is_null() && value.as_str() != Some(""))
            .map(|(key, value)| format!("{}: {}", plain(key).replace('_', " "), detail_text(value)))
            .collect::<Vec<_>>()
            .join(", "),
        serde_json::Value::Array(all) => all.iter().map(detail_text).collect::<Vec<_>>().join(", "),
        serde_json::Value::String(text) => plain(text),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
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

    #[test]
    fn details_read_as_words() {
        let detail = serde_json::json!({ "note": "", "reason": "not-real", "sizes": [1, 2], "none": null });
        assert_eq!(detail_text(&detail), "reason: not-real, sizes: 1, 2");
    }

    #[test]
    fn only_ids_of_our_own_become_addresses() {
        assert!(is_id("c-00ff") && !is_id("../x") && !is_id("a b") && !is_id(""));
    }
}
