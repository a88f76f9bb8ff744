//! Partner: a letter tells its receiver nothing about other suppliers (handbook §5, CONTACT).

use reeve_domain::action::{Action, Candidate};
use reeve_domain::ids::SupplierId;
use reeve_domain::record::RecordKind;

use super::super::objection::Objection;
use crate::prompts::CaseFile;
use crate::prose::{excerpt, name_of};

pub(in crate::guard) fn check(
    text: &str,
    candidate: &Candidate,
    field: &str,
    file: &CaseFile<'_>,
    objections: &mut Vec<Objection>,
) {
    let supplier = file.subject.supplier.as_ref().map(SupplierId::as_str);
    // One message goes out with a plan: it is for whoever the first of its steps that sends one writes to.
    let sends = candidate.step(candidate.step_of_message()).map_or(&candidate.action, |step| step.action);
    let receiver: Option<&str> = match sends {
        Action::NewPo { supplier, .. } | Action::Claim { supplier, .. } => Some(supplier.as_str()),
        Action::Expedite { .. } | Action::DeferPo { .. } | Action::CancelPo { .. } => supplier,
        Action::Contact { partner, .. } => Some(partner.as_str()),
        _ => None,
    };
    let lower = text.to_lowercase();
    for fact in file.bundle.facts.values().filter(|fact| fact.source.kind == RecordKind::Supplier) {
        let Some(name) = name_of(fact).filter(|name| name.chars().count() >= 3) else { continue };
        let is_receiver = receiver.is_some_and(|r| r == fact.source.id || r.eq_ignore_ascii_case(&name));
        if !is_receiver && lower.contains(&name.to_lowercase()) {
            objections.push(Objection::NamesPartner { field: field.to_owned(), fact: excerpt(fact.id.as_str()) });
        }
    }
}
