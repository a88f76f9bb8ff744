//! Forms for a chat: what has to be filled in for a decision, and the arithmetic behind a recommendation. Plain values; each chat
//! draws them in its own way.

use super::card::Card;
use super::names::{actor_name, reason_text};
use super::plain;
use super::steps::editable;
use super::sums::{SumLine, sum_lines};
use super::uses::Uses;
use crate::approve::Preview;
use crate::cards::sums::Cite;
use crate::config::Config;
use crate::domain::case::Case;
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::evidence::Bundle;
use crate::domain::ids::{FactId, PersonId};
use crate::domain::policy::may_turn_down;
use crate::domain::recommendation::Recommendation;
use jiff::civil::Date;

/// A form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChatForm {
    /// What it is for, in at most 24 characters.
    pub title: &'static str,
    /// What its button says, in at most 24 characters; None where there is nothing to send.
    pub submit: Option<&'static str>,
    /// What stands above the fields, a paragraph each.
    pub lines: Vec<String>,
    /// What is to be filled in.
    pub fields: Vec<Field>,
    /// Where the whole is to be read.
    pub link: Option<String>,
}

/// Something to fill in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Its name, as in [`crate::approve::Loose`].
    pub name: &'static str,
    /// What it asks for.
    pub label: String,
    /// How.
    pub kind: FieldKind,
    /// What it says before anybody has changed it.
    pub value: Option<String>,
    /// May it stay empty?
    pub optional: bool,
}

/// How something is filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldKind {
    /// In a few words, at most so many characters.
    Words(usize),
    /// A number.
    Number,
    /// A day.
    Day,
    /// One of these: what is meant, and what it is called.
    Choice(Vec<(String, String)>),
}

/// What a form is made of.
pub struct FormParts<'a> {
    /// The case.
    pub case: &'a Case,
    /// What is decided on.
    pub rec: &'a Recommendation,
    /// What it rests on.
    pub evidence: Option<&'a Bundle>,
    /// What the viewer could do with it; None where that is not known.
    pub preview: Option<&'a Preview>,
    /// Who asks for the form.
    pub viewer: &'a PersonId,
    /// People, currency.
    pub config: &'a Config,
    /// Today, in business time.
    pub today: Date,
    /// The case's page.
    pub link: Option<String>,
}

impl ChatForm {
    /// The form for a verb; None for one that needs none.
    pub fn of(verb: DecisionVerb, parts: &FormParts<'_>) -> Option<Self> {
        let card = Card::of(parts.rec);
        let lines = vec![plain(&parts.case.headline), format!("{}: {}", card.codes, card.summary)];
        let form = |title, submit, fields| Self { title, submit: Some(submit), lines, fields, link: parts.link.clone() };
        let note = |label: &str| Field {
            name: "note",
            label: label.to_owned(),
            kind: FieldKind::Words(500),
            value: None,
            optional: true,
        };
        Some(match verb {
            DecisionVerb::Edit => form("Change it", "Propose", edit_fields(&card)),
            DecisionVerb::Reject => {
                let reasons = RejectReason::ALL.map(|reason| (reason.code().to_owned(), reason_text(reason).to_owned()));
                let reason = Field {
                    name: "reason",
                    label: "Why not?".to_owned(),
                    kind: FieldKind::Choice(reasons.to_vec()),
                    value: None,
                    optional: false,
                };
                form("Reject", "Reject", vec![reason, note("In a few words")])
            }
            DecisionVerb::Snooze => {
                let until = Field {
                    name: "until",
                    label: "Ask again on".to_owned(),
                    kind: FieldKind::Day,
                    value: Some(parts.today.tomorrow().unwrap_or(parts.today).to_string()),
                    optional: false,
                };
                let wakes = [("grew", "or when it is worth a fifth more"), ("stage", "or when something else is wrong too")];
                let wake = Field {
                    name: "wake",
                    label: "Or earlier".to_owned(),
                    kind: FieldKind::Choice(wakes.map(|(code, text)| (code.to_owned(), text.to_owned())).to_vec()),
                    value: Some("grew".to_owned()),
                    optional: false,
                };
                form("Put it off", "Put off", vec![until, wake])
            }
            DecisionVerb::Forward => {
                let people = &parts.config.people;
                // Only who could do something about it is asked.
                let others = people.iter().filter(|p| p.id != *parts.viewer && may_turn_down(p).is_ok());
                let to = Field {
                    name: "to",
                    label: "Whom do you ask?".to_owned(),
                    kind: FieldKind::Choice(others.map(|p| (p.id.to_string(), actor_name(p.id.as_str(), people))).collect()),
                    value: None,
                    optional: false,
                };
                form("Ask somebody", "Ask", vec![to, note("What do you want to know?")])
            }
            DecisionVerb::Approve
            | DecisionVerb::Return
            | DecisionVerb::Merge
            | DecisionVerb::Undo
            | DecisionVerb::Drill => return None,
        })
    }

    /// Why something is proposed: its reasons, and its money line by line with the facts that the figures rest on.
    pub fn why(parts: &FormParts<'_>) -> Self {
        let card = Card::of(parts.rec);
        let fact = |id: &FactId| parts.evidence.and_then(|bundle| bundle.facts.get(id)).filter(|fact| !fact.third_party);
        let cites: Vec<Cite> = card
            .cites
            .iter()
            .filter_map(fact)
            .map(|fact| Cite {
                anchor: String::new(),
                label: plain(&fact.label),
                value: format!("{} {}", plain(&fact.value.show()), plain(&fact.unit)).trim().to_owned(),
            })
            .collect();
        let mut lines = vec![format!("{}: {}", card.codes, card.summary), card.rationale.clone()];
        if !card.risks.is_empty() {
            lines.push(format!("What could go wrong: {}", card.risks));
        }
        if !card.would_change.is_empty() {
            lines.push(format!("What would change this: {}", card.would_change));
        }
        lines.extend(card.claims.iter().map(|claim| format!("The model's reason, computed: {}", claim.words)));
        if !card.question.is_empty() {
            lines.push(format!("The model asks: {}", card.question));
        }
        lines.extend(parts.preview.map(takes));
        // Without what each figure cites: a chat has nothing to link to, so the facts follow below.
        lines.extend(sum_lines(&parts.rec.candidate, &Uses::default(), parts.case).iter().map(SumLine::said));
        lines.extend(cites.iter().map(|cite| format!("Fact: {} = {}", cite.label, cite.value)));
        lines.retain(|line| !line.trim().is_empty());
        Self { title: "Why", submit: None, lines, fields: Vec::new(), link: parts.link.clone() }
    }
}

/// What it takes, and whether the viewer can give it.
pub(super) fn takes(preview: &Preview) -> String {
    let tier = preview.tier;
    if let Some(why_not) = &preview.why_not {
        return format!("You can not approve it: {}.", plain(why_not));
    }
    let who = preview.acting_for.as_ref().map_or_else(String::new, |name| format!(" for {}", plain(name)));
    let then = if preview.needs_second { "; somebody else has to sign too" } else { "" };
    format!("It is {tier}: you can approve it{who}{then}.")
}

/// The fields of an edit. Of a plan the step is chosen too: what is typed is about that one.
fn edit_fields(card: &Card) -> Vec<Field> {
    let steps: Vec<_> = card.steps.iter().filter_map(|step| Some((step, editable(step)?))).collect();
    let mut fields = Vec::new();
    if let [(_, _), _, ..] = steps.as_slice() {
        fields.push(Field {
            name: "step",
            label: "Which step?".to_owned(),
            kind: FieldKind::Choice(
                steps
                    .iter()
                    .map(|(step, _)| (step.number.to_string(), format!("{}. {}", step.number, step.summary)))
                    .collect(),
            ),
            value: steps.first().map(|(step, _)| step.number.to_string()),
            optional: false,
        });
    } else if let [(step, _)] = steps.as_slice()
        && step.number > 1
    {
        // Only a later step can be changed: its number has to come back with the form all the same.
        fields.push(Field {
            name: "step",
            label: "Step".to_owned(),
            kind: FieldKind::Choice(vec![(step.number.to_string(), format!("{}. {}", step.number, step.summary))]),
            value: Some(step.number.to_string()),
            optional: false,
        });
    }
    // What a field says already holds for one step only; where there are several it is typed anew.
    let one = steps.len() == 1;
    let quantity = steps.iter().find_map(|(_, edit)| edit.quantity.clone());
    if let Some(quantity) = quantity {
        fields.push(Field {
            name: "quantity",
            label: "Quantity".to_owned(),
            kind: FieldKind::Number,
            value: one.then_some(quantity),
            optional: !one,
        });
    }
    if let Some((date, label)) = steps.iter().find_map(|(_, edit)| Some((edit.date.clone()?, edit.date_label))) {
        fields.push(Field {
            name: "date",
            label: label.to_owned(),
            kind: FieldKind::Day,
            value: one.then_some(date),
            optional: !one,
        });
    }
    fields
}
