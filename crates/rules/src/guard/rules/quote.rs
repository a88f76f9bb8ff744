//! Quote: a model does not say again what somebody outside wrote. Whoever puts words into a note would have them in a letter of ours.

use std::collections::BTreeSet;

use reeve_domain::evidence::FactValue;

use super::super::objection::Objection;
use super::super::text::{Text, words};
use super::reference;
use crate::prompts::CaseFile;
use crate::prose::{excerpt, name_of};

/// Words in a row that are a quote: fewer are how anybody talks of the same thing. A text that is shorter counts whole.
const ROW: usize = 4;

pub(in crate::guard) fn check(text: &Text<'_>, file: &CaseFile<'_>, objections: &mut Vec<Objection>) {
    let own = text.words();
    for fact in file.bundle.facts.values().filter(|fact| fact.third_party && name_of(fact).is_none()) {
        let FactValue::Text(written) = &fact.value else { continue };
        // Of the model's words names are taken out, so they are here: with a name between them they are still a quote.
        let written = words(&reference::nameless(written, file));
        let row = ROW.min(written.len());
        // One word alone is nobody's.
        if row < 2 {
            continue;
        }
        let rows: BTreeSet<&[String]> = written.windows(row).collect();
        if own.windows(row).any(|said| rows.contains(said)) {
            objections.push(Objection::FreeText { field: text.name(), fact: excerpt(fact.id.as_str()) });
        }
    }
}
