//! A text that the model wrote itself, before the rules for texts.
//!
//! Pure text in, text or objections out. Two views of a field are judged: `shown`, what people will read, and `own`, what is
//! left of it once references, names and candidate ids are taken out: the words that the model alone answers for.

use crate::prompts::CaseFile;
use reeve_domain::ids::FactId;

use super::objection::Objection;
use super::rules;
use super::rules::reference::{self, Filled};

/// What a field is for, and so what it may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Audience {
    /// Planner and approver.
    House,
    /// Supplier, carrier or store.
    Outside,
}

/// A field to judge.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    /// Its name, for objections: `A1 question`.
    pub(super) name: &'a str,
    /// Longest text, in characters.
    pub(super) max: usize,
    /// Who reads it.
    pub(super) audience: Audience,
}

/// A text as the rules see it.
#[derive(Debug)]
pub(super) struct Text<'a> {
    pub(super) field: Field<'a>,
    /// As it was written.
    pub(super) raw: &'a str,
    /// As people will read it.
    pub(super) shown: String,
    /// Without references and names: `…` stands in the place of each.
    pub(super) own: String,
}

impl Text<'_> {
    /// The field's name, to own.
    pub(super) fn name(&self) -> String {
        self.field.name.to_owned()
    }

    /// Its own words in lower case.
    pub(super) fn words(&self) -> Vec<String> {
        words(&self.own)
    }
}

/// The words of a text in lower case. An apostrophe belongs to its word.
pub(super) fn words(text: &str) -> Vec<String> {
    let straight = text.to_lowercase().replace(['’', '‘', 'ʼ', '`'], "'");
    let all = straight.split(|c: char| !(c.is_alphanumeric() || c == '\'')).map(|word| word.trim_matches('\''));
    all.filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// A field that stands: its text, and the facts found in it.
#[derive(Debug)]
pub(super) struct Told {
    /// With references replaced.
    pub(super) text: String,
    /// Facts referred to by id or by name.
    pub(super) cites: Vec<FactId>,
}

/// Judges one field and fills in its references. Everything wrong with it is added to `objections`; the text returned is used
/// only when there is none.
pub(super) fn tell(raw: &str, field: Field<'_>, file: &CaseFile<'_>, objections: &mut Vec<Objection>) -> Told {
    if rules::length::is_too_long(raw, field, objections) {
        return Told { text: String::new(), cites: Vec::new() };
    }
    let Filled { shown, own, cites } = reference::fill(raw, field, file, objections);
    let text = Text { field, raw, shown, own };
    for rule in rules::OF_TEXTS {
        rule(&text, objections);
    }
    rules::quote::check(&text, file, objections);
    let shown = text.shown;
    let text = if field.audience == Audience::Outside {
        shown.trim().to_owned()
    } else {
        shown.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    Told { text, cites }
}
