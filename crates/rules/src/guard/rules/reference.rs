//! Reference: what stands in brackets names a fact or a figure of a candidate, which the program writes in its place, with its
//! unit. A name that is written out is a reference to whoever is called so. Names from outside stand in quotes.

use std::collections::BTreeSet;

use reeve_domain::action::Candidate;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::ids::FactId;

use super::super::objection::Objection;
use super::super::text::Field;
use super::{money, unit};
use crate::prompts::{CaseFile, clean};
use crate::prose::{NAME_MAX, excerpt, name_of};

/// Shortest name that is looked for in a text, in characters.
const NAME_MIN: usize = 3;

/// A text with its references filled in.
pub(in crate::guard) struct Filled {
    /// As people will read it.
    pub(in crate::guard) shown: String,
    /// `…` in the place of each reference.
    pub(in crate::guard) own: String,
    /// The facts referred to.
    pub(in crate::guard) cites: Vec<FactId>,
}

struct Value {
    text: String,
    unit: String,
    fact: Option<FactId>,
}

/// Replaces `[…]`, names and ids of candidates by what they refer to.
pub(in crate::guard) fn fill(raw: &str, field: Field<'_>, file: &CaseFile<'_>, objections: &mut Vec<Objection>) -> Filled {
    let raw = with_names_referred_to(raw, file);
    // `own` is what the model wrote itself: rules of words are asked
    // of that alone, since a fact may say whatever it says.
    let (mut shown, mut own, mut cites) = (String::new(), String::new(), BTreeSet::new());
    let mut rest = raw.as_str();
    while let Some(open) = rest.find(['[', ']']) {
        let (before, tail) = rest.split_at(open);
        shown.push_str(before);
        own.push_str(before);
        let inner = tail.strip_prefix('[').and_then(|tail| tail.split_once(']'));
        let Some((reference, mut after)) = inner else {
            objections.push(Objection::UnknownReference { field: field.name.to_owned(), reference: excerpt(tail) });
            // One bracket is enough to object to; what follows is read on, so that all faults are told at once.
            rest = &tail[1..];
            continue;
        };
        match resolve(reference.trim(), field, file) {
            Ok(Value { text, unit, fact }) => {
                // "-[A1.cost]" or "1[A1.quantity]" would be another figure than the one referred to.
                if !stands_alone(&shown, after) {
                    objections
                        .push(Objection::GluedReference { field: field.name.to_owned(), reference: excerpt(reference) });
                }
                match unit::behind(after, &unit, reference, field) {
                    Ok(behind) => after = behind,
                    Err(objection) => objections.push(objection),
                }
                shown.push_str(&text);
                if !unit.is_empty() && unit != "%" {
                    shown.push(' ');
                    shown.push_str(&unit);
                }
                own.push('…');
                cites.extend(fact);
            }
            Err(objection) => objections.push(objection),
        }
        rest = after;
    }
    shown.push_str(rest);
    own.push_str(rest);
    Filled { shown, own, cites: cites.into_iter().collect() }
}

fn resolve(reference: &str, field: Field<'_>, file: &CaseFile<'_>) -> Result<Value, Objection> {
    let unknown = || Objection::UnknownReference { field: field.name.to_owned(), reference: excerpt(reference) };
    if let Some(fact) = file.bundle.facts.get(&FactId::new(reference)) {
        return of_fact(fact, file)
            .ok_or_else(|| Objection::FreeText { field: field.name.to_owned(), fact: excerpt(reference) });
    }
    if let Some(candidate) = file.candidates.iter().find(|candidate| candidate.id == reference) {
        return Ok(Value { text: candidate.id.clone(), unit: String::new(), fact: None });
    }
    let (id, part) = reference.split_once('.').ok_or_else(unknown)?;
    let candidate = file.candidates.iter().find(|candidate| candidate.id == id).ok_or_else(unknown)?;
    let (text, unit, ours) = part_of(candidate, part, file.currency).ok_or_else(unknown)?;
    if ours {
        money::check(reference, field)?;
    }
    Ok(Value { text, unit, fact: None })
}

/// A fact as it stands in a text; nothing where it is free text of somebody outside.
fn of_fact(fact: &Fact, file: &CaseFile<'_>) -> Option<Value> {
    if matches!(fact.value, FactValue::Text(_)) && name_of(fact).is_none() {
        return None;
    }
    let text = clean(&fact.value.show(), NAME_MAX);
    let text = if fact.third_party { format!("“{}”", text.replace(['“', '”', '"'], "'")) } else { text };
    let unit = match &fact.value {
        FactValue::Percent(_) => "%".to_owned(),
        FactValue::Money(_) | FactValue::Price(_) if fact.unit.is_empty() => file.currency.to_owned(),
        FactValue::Date(_) | FactValue::Text(_) => String::new(),
        _ => fact.unit.clone(),
    };
    Some(Value { text, unit, fact: Some(fact.id.clone()) })
}

/// A figure of a candidate with its unit, and whether it is our own money.
fn part_of(candidate: &Candidate, part: &str, currency: &str) -> Option<(String, String, bool)> {
    let money = &candidate.money;
    let ours = |amount: reeve_domain::money::Money| Some((amount.to_string(), currency.to_owned(), true));
    match part {
        "benefit" => ours(money.benefit.expected),
        "cost" => ours(money.cost),
        "loss_now" => ours(money.loss_now.expected),
        "loss_after" => ours(money.loss_after.expected),
        "quantity" => Some((candidate.action.quantity()?.to_string(), "units".to_owned(), false)),
        "latest_date" => Some((candidate.latest_date.to_string(), String::new(), false)),
        _ => None,
    }
}

/// Nothing before or after may run into the figure or change its sign, its digits or its size.
fn stands_alone(before: &str, after: &str) -> bool {
    let opens = |c: char| c.is_whitespace() || "(“\"'‘".contains(c);
    let closes = |c: char| c.is_whitespace() || ".,;:!?)%”\"'’".contains(c);
    let mut following = after.chars();
    let ends = match (following.next(), following.next()) {
        (None, _) => true,
        (Some('.' | ',' | ':'), Some(next)) => !next.is_numeric() && next != '[',
        (Some(c), _) => closes(c),
    };
    ends && before.chars().next_back().is_none_or(opens)
}

/// The text with names that facts give (longest first) and ids of candidates as references.
fn with_names_referred_to(raw: &str, file: &CaseFile<'_>) -> String {
    let mut names: Vec<(String, String)> = file
        .bundle
        .facts
        .values()
        .filter_map(|fact| Some((name_of(fact)?, fact.id.to_string())))
        .filter(|(name, _)| name.chars().count() >= NAME_MIN && name.chars().any(char::is_alphabetic))
        .collect();
    names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    names.extend(file.candidates.iter().map(|candidate| (candidate.id.clone(), candidate.id.clone())));
    let mut text = raw.to_owned();
    for (name, id) in names {
        text = referred(&text, &name, &id);
    }
    text
}

/// A text without the names that facts give, and without what stands in brackets.
pub(super) fn nameless(text: &str, file: &CaseFile<'_>) -> String {
    let referred = with_names_referred_to(text, file);
    let pieces = referred.split('[').enumerate();
    // What follows a bracket that never closes is kept: it is no reference.
    let outside = pieces.map(|(at, piece)| match piece.split_once(']') {
        Some((_, behind)) if at > 0 => behind,
        _ => piece,
    });
    outside.collect::<Vec<_>>().join(" ")
}

/// `text` with `[id]` for each `name` that stands by itself outside of brackets. Quotes of the model's around it go.
fn referred(text: &str, name: &str, id: &str) -> String {
    const QUOTES: [char; 5] = ['"', '“', '”', '\'', '’'];
    let (mut kept, mut rest) = (String::with_capacity(text.len()), text);
    while let Some(at) = rest.find(name) {
        let (before, after) = (&rest[..at], &rest[at + name.len()..]);
        kept.push_str(before);
        let inside = kept.rfind('[').is_some_and(|open| !kept[open..].contains(']'));
        if inside || !stands_alone(&kept, after) {
            kept.push_str(name);
            rest = after;
            continue;
        }
        let quoted = kept.ends_with(QUOTES) && after.starts_with(QUOTES);
        if quoted {
            kept.pop();
        }
        kept.extend(["[", id, "]"]);
        rest = if quoted { after.trim_start_matches(QUOTES) } else { after };
    }
    kept.push_str(rest);
    kept
}
