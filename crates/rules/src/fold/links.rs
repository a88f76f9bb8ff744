//! Cases by what links them: an order line, a place, a document. A signal joins the case that has a link of its own.

use std::collections::{BTreeMap, BTreeSet};

use reeve_domain::case::Case;
use reeve_domain::exception::{Exception, ExceptionState};
use reeve_domain::ids::{CaseId, ExceptionId};

/// Cases by the links that they have.
pub(super) type Linked = BTreeMap<String, BTreeSet<CaseId>>;

pub(super) fn link<'l>(linked: &mut Linked, links: impl IntoIterator<Item = &'l String>, case: &CaseId) {
    for link in links {
        linked.entry(link.clone()).or_default().insert(case.clone());
    }
}

/// The cases that have some of the links, in the order of their ids.
pub(super) fn of_links<'c, 'l>(linked: &'c Linked, links: impl IntoIterator<Item = &'l String>) -> BTreeSet<&'c CaseId> {
    links.into_iter().filter_map(|link| linked.get(link)).flatten().collect()
}

/// The links of a case's open exceptions, as they are now: a signal may have gained one since the case was written.
pub(super) fn case_links(case: &Case, exceptions: &BTreeMap<ExceptionId, Exception>) -> BTreeSet<String> {
    case.exceptions
        .iter()
        .filter_map(|id| exceptions.get(id))
        .filter(|e| e.state == ExceptionState::Open)
        .flat_map(|e| e.signal.links.iter().cloned())
        .collect()
}
