//! The rules for words that a model wrote: references become figures, every other figure must be a cited fact's.
//!
//! Pure text in, text or objections out. Two views of a field are judged: `shown`, what people will read, and `own`, what is
//! left of it once references, names and candidate ids are taken out: the words that the model alone answers for.

use std::collections::BTreeSet;

use crate::prompts::{CaseFile, clean, is_invisible};
use reeve_domain::action::Candidate;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::ids::FactId;

use super::guard::Objection;

/// Longest name that may stand in prose, in characters.
const NAME_MAX: usize = 80;
/// Fewest letters of a field that says something.
const LETTERS_MIN: usize = 8;

/// What a field is for, and so what it may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// Planner and approver.
    House,
    /// Supplier, carrier or store.
    Outside,
}

/// A field to judge.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    /// Its name, for objections: `A1 rationale`.
    pub(crate) name: &'a str,
    /// Longest text, in characters.
    pub(crate) max: usize,
    /// Who reads it.
    pub(crate) audience: Audience,
    /// The facts that the choice cites itself.
    pub(crate) cites: &'a [FactId],
}

/// A field that stands: its text, and the facts found in it.
#[derive(Debug)]
pub(crate) struct Told {
    /// With references replaced.
    pub(crate) text: String,
    /// Facts referred to by id or by name.
    pub(crate) cites: BTreeSet<FactId>,
}

/// Judges one field and renders its references. Everything wrong with it is added to `objections`; the text returned is used
/// only when there is none.
pub(crate) fn tell(raw: &str, field: Field<'_>, file: &CaseFile<'_>, objections: &mut Vec<Objection>) -> Told {
    let name = || field.name.to_owned();
    if raw.chars().count() > field.max {
        objections.push(Objection::TooLong { field: name(), max: field.max });
        return Told { text: String::new(), cites: BTreeSet::new() };
    }
    if raw.chars().any(|c| is_invisible(c) && c != '\n') {
        objections.push(Objection::Invisible(name()));
    }
    let Rendered { shown, own, mut cites } = render(raw, field, file, objections);
    let own = without_names(own, file, &mut cites);
    let letters = raw.chars().filter(|c| c.is_alphabetic()).count();
    if letters < LETTERS_MIN {
        objections.push(Objection::SaysNothing(name()));
    }
    if own.chars().any(|c| c.is_alphabetic() && !is_latin(c)) {
        objections.push(Objection::NotEnglish(name()));
    }
    check_numbers(&own, field, file, &cites, objections);
    check_links(&shown, &own, field.name, objections);
    check_words(&shown, field, objections);
    let text = if field.audience == Audience::Outside {
        shown.trim().to_owned()
    } else {
        shown.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    Told { text, cites }
}

struct Rendered {
    shown: String,
    own: String,
    cites: BTreeSet<FactId>,
}

/// Replaces `[…]` by what it refers to.
fn render(raw: &str, field: Field<'_>, file: &CaseFile<'_>, objections: &mut Vec<Objection>) -> Rendered {
    let (mut shown, mut own, mut cites) = (String::new(), String::new(), BTreeSet::new());
    let mut rest = raw;
    while let Some(open) = rest.find(['[', ']']) {
        let (before, tail) = rest.split_at(open);
        shown.push_str(before);
        own.push_str(before);
        let inner = tail.strip_prefix('[').and_then(|tail| tail.split_once(']'));
        let Some((reference, mut after)) = inner else {
            objections.push(Objection::UnknownReference { field: field.name.to_owned(), reference: excerpt(tail) });
            rest = &tail[1..];
            continue;
        };
        match resolve(reference.trim(), field, file) {
            Ok(Value { text, fact, percent }) => {
                if !stands_alone(&shown, after) {
                    objections
                        .push(Objection::GluedReference { field: field.name.to_owned(), reference: excerpt(reference) });
                }
                if let Some(unit_after) = after_percent(after) {
                    if percent {
                        after = unit_after;
                    } else {
                        objections
                            .push(Objection::NotPercent { field: field.name.to_owned(), reference: excerpt(reference) });
                    }
                }
                shown.push_str(&text);
                own.push(' ');
                cites.extend(fact);
            }
            Err(objection) => objections.push(objection),
        }
        rest = after;
    }
    shown.push_str(rest);
    own.push_str(rest);
    Rendered { shown, own, cites }
}

struct Value {
    text: String,
    fact: Option<FactId>,
    percent: bool,
}

fn resolve(reference: &str, field: Field<'_>, file: &CaseFile<'_>) -> Result<Value, Objection> {
    let unknown = || Objection::UnknownReference { field: field.name.to_owned(), reference: excerpt(reference) };
    if let Some(fact) = file.bundle.facts.get(&FactId::new(reference)) {
        if matches!(fact.value, FactValue::Text(_)) && name_of(fact).is_none() {
            return Err(Objection::FreeText { field: field.name.to_owned(), fact: excerpt(reference) });
        }
        let percent = matches!(fact.value, FactValue::Percent(_));
        let text = clean(&fact.value.show(), NAME_MAX);
        let text = if fact.third_party { format!("“{text}”") } else { text };
        return Ok(Value { text, fact: Some(fact.id.clone()), percent });
    }
    let (id, part) = reference.split_once('.').ok_or_else(unknown)?;
    let candidate = file.candidates.iter().find(|candidate| candidate.id == id).ok_or_else(unknown)?;
    let (text, money) = part_of(candidate, part).ok_or_else(unknown)?;
    if money && field.audience == Audience::Outside {
        return Err(Objection::TellsMoney { field: field.name.to_owned(), reference: excerpt(reference) });
    }
    Ok(Value { text, fact: None, percent: false })
}

/// A figure of a candidate as people read it, and whether it is our own money.
fn part_of(candidate: &Candidate, part: &str) -> Option<(String, bool)> {
    let money = &candidate.money;
    match part {
        "benefit" => Some((money.benefit.expected.to_string(), true)),
        "cost" => Some((money.cost.to_string(), true)),
        "loss_now" => Some((money.loss_now.expected.to_string(), true)),
        "loss_after" => Some((money.loss_after.expected.to_string(), true)),
        "quantity" => Some((candidate.action.quantity()?.to_string(), false)),
        "latest_date" => Some((candidate.latest_date.to_string(), false)),
        _ => None,
    }
}

/// Nothing before or after may run into the figure or change its sign, its digits or its size.
fn stands_alone(before: &str, after: &str) -> bool {
    let opens = |c: char| c.is_whitespace() || "(“\"'‘$€£".contains(c);
    let closes = |c: char| c.is_whitespace() || ".,;:!?)%”\"'’".contains(c);
    let mut following = after.chars();
    let ends = match (following.next(), following.next()) {
        (None, _) => true,
        (Some('.' | ',' | ':'), Some(next)) => !next.is_numeric() && next != '[',
        (Some(c), _) => closes(c),
    };
    ends && before.chars().next_back().is_none_or(opens)
}

/// What follows a percent sign or the word, where one follows.
fn after_percent(after: &str) -> Option<&str> {
    let trimmed = after.trim_start_matches([' ', '\u{a0}']);
    trimmed.strip_prefix('%').or_else(|| trimmed.strip_prefix("percent"))
}

/// The name that a fact gives something, cleaned: text of the program, or text from outside in a field that holds names.
/// Notes and other free text are not names and can not be quoted.
pub(crate) fn name_of(fact: &Fact) -> Option<String> {
    const NAMES: [&str; 10] = ["name", "label", "sku", "code", "barcode", "reference", "ref", "number", "document", "order"];
    let FactValue::Text(text) = &fact.value else { return None };
    let field = fact.id.as_str().rsplit('/').next().unwrap_or_default();
    if fact.third_party && !NAMES.iter().any(|name| field.ends_with(name)) {
        return None;
    }
    let name = clean(text, NAME_MAX + 1);
    (name.chars().count() <= NAME_MAX).then_some(name)
}

/// Takes out names that facts give (longest first) and candidate ids. A name found is a fact cited.
fn without_names(mut own: String, file: &CaseFile<'_>, cites: &mut BTreeSet<FactId>) -> String {
    let mut names: Vec<(String, &FactId)> =
        file.bundle.facts.values().filter_map(|fact| Some((name_of(fact)?, &fact.id))).collect();
    names.retain(|(name, _)| name.chars().count() >= 3 && name.chars().any(char::is_alphabetic));
    names.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
    for (name, id) in names {
        if let Some(rest) = without(&own, &name) {
            own = rest;
            cites.insert(id.clone());
        }
    }
    for candidate in file.candidates {
        if let Some(rest) = without(&own, &candidate.id) {
            own = rest;
        }
    }
    own
}

/// `text` without `word` where it stands by itself; None when it does not.
fn without(text: &str, word: &str) -> Option<String> {
    if word.is_empty() {
        return None;
    }
    let (mut kept, mut found, mut rest) = (String::with_capacity(text.len()), false, text);
    while let Some(at) = rest.find(word) {
        let after = &rest[at + word.len()..];
        kept.push_str(&rest[..at]);
        let alone = stands_alone(&kept, after);
        // The ellipsis keeps what stood on either side from growing together into one number.
        kept.push_str(if alone { " … " } else { word });
        found |= alone;
        rest = after;
    }
    kept.push_str(rest);
    found.then_some(kept)
}

fn is_latin(c: char) -> bool {
    c.is_ascii() || matches!(u32::from(c), 0xAA | 0xBA | 0xC0..=0x24F | 0x1E00..=0x1EFF)
}

/// Each run of digits must be what a cited fact shows, sign, separators and percent sign included.
fn check_numbers(
    own: &str,
    field: Field<'_>,
    file: &CaseFile<'_>,
    found: &BTreeSet<FactId>,
    objections: &mut Vec<Objection>,
) {
    let shown: Vec<(String, bool)> = field
        .cites
        .iter()
        .chain(found)
        .filter_map(|id| file.bundle.facts.get(id))
        .filter_map(|fact| match &fact.value {
            FactValue::Text(_) => None,
            FactValue::Percent(number) => Some((number.normalize().to_string(), true)),
            other => Some((other.show(), false)),
        })
        .collect();
    for Number { text, glued, percent } in numbers(own) {
        let cited = shown.iter().any(|(value, is_percent)| *value == text && (*is_percent || !percent));
        if glued || !cited {
            objections.push(Objection::FreeNumber { field: field.name.to_owned(), number: excerpt(&text) });
        }
    }
}

/// A number as it stands in text.
pub(crate) struct Number {
    /// Sign, digits and the separators between them.
    pub(crate) text: String,
    /// Runs into a letter, a leading point or a digit of another script: never what a fact shows.
    pub(crate) glued: bool,
    /// Followed by a percent sign or word.
    pub(crate) percent: bool,
}

/// Every number in a text.
pub(crate) fn numbers(text: &str) -> Vec<Number> {
    let chars: Vec<char> = text.chars().collect();
    let digit = |i: usize| chars.get(i).is_some_and(char::is_ascii_digit);
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if !chars[i].is_numeric() {
            i += 1;
            continue;
        }
        let start = i;
        let mut foreign = false;
        while i < chars.len() && (chars[i].is_numeric() || (".,:/-–".contains(chars[i]) && digit(i + 1))) {
            foreign |= chars[i].is_numeric() && !chars[i].is_ascii_digit();
            i += 1;
        }
        let before = start.checked_sub(1).map(|at| chars[at]);
        let signed = before.filter(|c| "-+−–".contains(*c));
        let joined = |c: char| c.is_alphabetic() || "_.,:/^*=×·".contains(c);
        let mut number: String = signed.into_iter().collect();
        number.extend(&chars[start..i]);
        let tail: String = chars[i..].iter().take(12).collect();
        found.push(Number {
            text: number,
            glued: foreign
                || before.is_some_and(joined)
                || chars.get(i).is_some_and(|c| c.is_alphabetic() || "_^*=×·".contains(*c)),
            percent: after_percent(&tail).is_some(),
        });
    }
    found
}

/// No links, addresses or markup: the text goes to a page and into mail.
fn check_links(shown: &str, own: &str, field: &str, objections: &mut Vec<Objection>) {
    let lower = shown.to_lowercase();
    if lower.contains("://") || lower.contains("www.") || lower.contains("mailto:") || shown.contains('@') || has_domain(own)
    {
        objections.push(Objection::Link(field.to_owned()));
    }
    let heading = own.lines().any(|line| line.trim_start().starts_with(['#', '|']));
    if heading
        || shown.contains(['<', '>', '`', '{', '}', '\\'])
        || ["**", "__", "~~", "]("].iter().any(|m| shown.contains(m))
    {
        objections.push(Objection::Markup(field.to_owned()));
    }
}

/// A dot between two letters with at least two more behind it: `evil.example`, but not `e.g.`
fn has_domain(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    chars.windows(4).any(|w| w[0].is_alphanumeric() && w[1] == '.' && w[2].is_alphabetic() && w[3].is_alphabetic())
}

/// Beginnings of words that no field may hold: approval is people's, and secrets are nobody's business here.
const NEVER: [&str; 15] = [
    "approv",
    "authoris",
    "authoriz",
    "preapprov",
    "password",
    "passcode",
    "credential",
    "iban",
    "bitcoin",
    "crypto",
    "jailbreak",
    "hundred",
    "thousand",
    "million",
    "billion",
];
/// The same for phrases.
const NEVER_PHRASES: [&str; 18] = [
    "bank account",
    "bank detail",
    "bank data",
    "account number",
    "account detail",
    "sort code",
    "credit card",
    "gift card",
    "swift code",
    "routing number",
    "wire transfer",
    "api key",
    "system prompt",
    "previous instruction",
    "prior instruction",
    "sign off",
    "signed off",
    "green light",
];
/// Beginnings of words that a message may not hold besides: it commits the company to nothing.
const NEVER_OUTSIDE: [&str; 8] = ["pay", "paid", "prepay", "prepaid", "refund", "lawsuit", "legal", "penalt"];
/// The same for phrases.
const NEVER_OUTSIDE_PHRASES: [&str; 8] =
    ["we promise", "i promise", "we guarantee", "i guarantee", "we agree", "we commit", "we accept", "we confirm"];

fn check_words(shown: &str, field: Field<'_>, objections: &mut Vec<Objection>) {
    let words: Vec<String> =
        shown.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    let line = format!(" {}", words.join(" "));
    let starts = |stem: &&&str| words.iter().any(|word| word.starts_with(**stem));
    let mut found: Vec<&str> = NEVER.iter().filter(starts).copied().collect();
    found.extend(NEVER_PHRASES.iter().filter(|phrase| line.contains(&format!(" {phrase}"))));
    if field.audience == Audience::Outside {
        found.extend(NEVER_OUTSIDE.iter().filter(starts));
        found.extend(NEVER_OUTSIDE_PHRASES.iter().filter(|phrase| line.contains(&format!(" {phrase}"))));
    }
    objections
        .extend(found.into_iter().map(|word| Objection::Forbidden { field: field.name.to_owned(), word: word.to_owned() }));
}

/// A short piece of an answer for an objection: cleaned, so that what comes back to the model is no instruction either.
pub(crate) fn excerpt(text: &str) -> String {
    clean(text, 40)
}
