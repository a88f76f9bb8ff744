//! The guard: nothing that a model wrote goes further unless it holds here.
//!
//! A reply is text of unknown intent. It becomes a [`Draft`] only when it has the asked shape, names only what was computed,
//! and says no figure that is not a fact's; otherwise every objection is listed, for one round of repair. Pure: the same
//! reply on the same case is judged the same way.

mod answer;
mod objection;
mod raw;
#[cfg(test)]
mod tests;

use crate::prompts::CaseFile;
use reeve_domain::action::{Action, Candidate};
use reeve_domain::draft::{Choice, Draft, DraftFault};
use reeve_domain::ids::{FactId, SupplierId};
use reeve_domain::recommendation::Prose;
use reeve_domain::record::RecordKind;

use self::answer::{Answer, AnswerChoice, Found, find};
use super::prose::{Audience, Field, excerpt, name_of, tell};

pub use self::objection::{Objection, Shape};

/// Longest reply that is looked at, in bytes, thoughts not counted.
const REPLY_MAX: usize = 32 * 1024;
/// Longest fields, in characters as the model wrote them.
const RATIONALE_MAX: usize = 800;
const REMARK_MAX: usize = 500;
const MESSAGE_MAX: usize = 1500;
/// Most choices.
const CHOICES_MAX: usize = 3;

/// What came back from a model, as far as it is judged here. Nothing in it is trusted.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The text, which should hold JSON of the asked schema.
    pub text: String,
    /// Was it cut short?
    pub truncated: bool,
    /// Did the model think first, in text that is told apart from the answer?
    pub thought: bool,
}

/// Turns a reply into a draft with its references filled in, or says everything that is wrong with it.
///
/// # Errors
/// All objections, at least one.
pub fn check(reply: &Reply, file: &CaseFile<'_>) -> Result<Draft, Vec<Objection>> {
    if reply.truncated {
        return Err(vec![answer::cut_short(reply)]);
    }
    let Found { said, answer } = find(reply).map_err(|objection| vec![objection])?;
    let mut objections = Vec::new();
    if holds_canary(said, &answer, &file.canary()) {
        objections.push(Objection::Canary);
    }
    let count = answer.choices.len();
    if count > CHOICES_MAX || (count == 0 && !answer.abstain) {
        objections.push(Objection::ChoiceCount(count));
    }
    let abstain = abstention(&answer, file, &mut objections);
    let choices = answer.choices.iter().take(CHOICES_MAX).enumerate();
    let choices = choices.map(|(at, choice)| judge(at, choice, file, &mut objections)).collect();
    let draft = Draft { choices, abstain };
    if let Err(faults) = draft.check(file.candidates, file.bundle) {
        objections.extend(faults.into_iter().map(Objection::from));
    }
    if objections.is_empty() { Ok(draft) } else { Err(objections) }
}

/// Looks at the raw text and, against escapes such as `\u006d`, at the decoded fields.
fn holds_canary(raw: &str, answer: &Answer, canary: &str) -> bool {
    let secret = canary.rsplit('-').next().unwrap_or(canary).to_lowercase();
    let holds = |text: &str| text.to_lowercase().contains(&secret);
    holds(raw)
        || holds(&answer.abstain_reason)
        || answer.choices.iter().any(|choice| {
            [&choice.rationale, &choice.risks, &choice.would_change, &choice.message].into_iter().any(|text| holds(text))
        })
}

fn abstention(answer: &Answer, file: &CaseFile<'_>, objections: &mut Vec<Objection>) -> Option<String> {
    if !answer.abstain {
        if !answer.abstain_reason.trim().is_empty() {
            objections.push(Objection::AbstainReason);
        }
        return None;
    }
    let field = Field { name: "abstain_reason", max: REMARK_MAX, audience: Audience::House, cites: &[] };
    Some(tell(&answer.abstain_reason, field, file, objections).text)
}

fn judge(at: usize, choice: &AnswerChoice, file: &CaseFile<'_>, objections: &mut Vec<Objection>) -> Choice {
    let candidate = file.candidates.iter().find(|c| c.id == choice.candidate);
    // An id that is none of the case's may be any text: people are not shown it.
    let id = candidate.map_or_else(|| format!("choice {}", at + 1), |known| known.id.clone());
    let mut cites: Vec<FactId> = Vec::new();
    for fact in &choice.cites {
        let fact = FactId::new(fact.as_str());
        if !cites.contains(&fact) {
            cites.push(fact);
        }
    }
    if cites.is_empty() {
        objections.push(Objection::NoCites(id.clone()));
    }
    let confidence = u8::try_from(choice.confidence_percent).ok().filter(|percent| *percent <= 100);
    if confidence.is_none() {
        objections.push(Objection::Confidence(choice.confidence_percent));
    }
    let own_cites = cites.clone();
    let mut say = |what: &str, text: &str, max: usize, audience: Audience| {
        let name = format!("{id} {what}");
        let rendered = tell(text, Field { name: &name, max, audience, cites: &own_cites }, file, objections);
        for fact in rendered.cites {
            if !cites.contains(&fact) {
                cites.push(fact);
            }
        }
        rendered.text
    };
    let rationale = say("rationale", &choice.rationale, RATIONALE_MAX, Audience::House);
    let risks = say("risks", &choice.risks, REMARK_MAX, Audience::House);
    let would_change = say("would_change", &choice.would_change, REMARK_MAX, Audience::House);
    // A letter for an action that sends none is left out: nobody would get it, and the rest of the answer is still good.
    let wanted = !choice.message.trim().is_empty() && candidate.is_none_or(|c| c.actions().any(Action::sends_message));
    let message = wanted.then(|| say("message", &choice.message, MESSAGE_MAX, Audience::Outside));
    if let (Some(text), Some(candidate)) = (&message, candidate) {
        check_partners(text, candidate, &format!("{id} message"), file, objections);
    }
    // What the reply cites itself decides about taint: a name found in its words supports nothing.
    if own_cites.iter().any(|fact| file.bundle.facts.contains_key(fact))
        && own_cites.iter().filter_map(|fact| file.bundle.facts.get(fact)).all(|fact| fact.third_party)
        && !cites.iter().filter_map(|fact| file.bundle.facts.get(fact)).all(|fact| fact.third_party)
    {
        objections.push(Objection::Draft(DraftFault::OnlyOutsideText(id)));
    }
    Choice {
        candidate: choice.candidate.clone(),
        confidence_percent: confidence.unwrap_or(0),
        prose: Prose { rationale, risks, would_change, message, cites },
    }
}

/// A message tells its receiver nothing about other suppliers (handbook §5, CONTACT).
fn check_partners(text: &str, candidate: &Candidate, field: &str, file: &CaseFile<'_>, objections: &mut Vec<Objection>) {
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
