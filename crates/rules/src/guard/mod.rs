//! The guard: nothing that a model wrote goes further unless it holds here.
//!
//! A reply is text of unknown intent. It becomes a [`Draft`] only when it has the asked shape, chooses only what was computed,
//! gives as reasons only claims that the evidence decides to be true, and asserts nothing in words of its own: those are
//! questions, and in letters requests. Otherwise every objection is listed, each with its rule, for one round of repair. Pure:
//! the same reply on the same case is judged the same way.

mod answer;
mod objection;
mod raw;
mod rule;
mod rules;
#[cfg(test)]
mod tests;
mod text;

use crate::prompts::CaseFile;
use reeve_domain::action::Action;
use reeve_domain::draft::{Choice, Draft};
use reeve_domain::ids::FactId;
use reeve_domain::recommendation::Prose;

use self::answer::{AnswerChoice, Found, find};
use self::rules::{abstention, claims, confidence, mark, partner};
use self::text::{Audience, Field, tell};
use crate::claims::Claims;

pub use self::objection::{Objection, Shape};
pub use self::rule::Rule;

/// Longest reply that is looked at, in bytes, thoughts not counted.
const REPLY_MAX: usize = 32 * 1024;
/// Longest fields, in characters as the model wrote them.
const QUESTION_MAX: usize = 200;
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

/// Turns a reply into a draft: its order, the claims in the program's words, its questions and letters with their references filled
/// in. Why, risks and what would change it are empty: they are the arithmetic's ([`Draft::under`]).
///
/// # Errors
/// All objections, at least one.
pub fn check(reply: &Reply, file: &CaseFile<'_>) -> Result<Draft, Vec<Objection>> {
    if reply.truncated {
        return Err(vec![answer::cut_short(reply)]);
    }
    let Found { said, answer } = find(reply).map_err(|objection| vec![objection])?;
    let mut objections = Vec::new();
    mark::check(said, &answer, &file.canary(), &mut objections);
    let count = answer.choices.len();
    if count > CHOICES_MAX || (count == 0 && !answer.abstain) {
        objections.push(Objection::ChoiceCount(count));
    }
    abstention::check(&answer, &mut objections);
    let abstain = answer.abstain.then(|| question("abstain_question", &answer.abstain_question, file, &mut objections).0);
    let claims = file.claims();
    let choices = answer.choices.iter().take(CHOICES_MAX).enumerate();
    let choices = choices.map(|(at, choice)| judge(at, choice, file, &claims, &mut objections)).collect();
    let draft = Draft { choices, abstain };
    if let Err(faults) = draft.check(file.candidates, file.bundle) {
        objections.extend(faults.into_iter().map(Objection::from));
    }
    if objections.is_empty() { Ok(draft) } else { Err(objections) }
}

/// A question to whoever decides, and the facts in it. It may be left out.
fn question(name: &str, text: &str, file: &CaseFile<'_>, objections: &mut Vec<Objection>) -> (String, Vec<FactId>) {
    if text.trim().is_empty() {
        return (String::new(), Vec::new());
    }
    let told = tell(text, Field { name, max: QUESTION_MAX, audience: Audience::House }, file, objections);
    (told.text, told.cites)
}

fn judge(at: usize, choice: &AnswerChoice, file: &CaseFile<'_>, claims: &Claims, objections: &mut Vec<Objection>) -> Choice {
    let candidate = file.candidates.iter().find(|c| c.id == choice.candidate);
    // An id that is none of the case's may be any text: people are not shown it.
    let id = candidate.map_or_else(|| format!("choice {}", at + 1), |known| known.id.clone());
    let confidence_percent = confidence::check(choice.confidence_percent, objections);
    let claims = claims::check(&id, &choice.claims, claims, objections);
    let (question, asked) = question(&format!("{id} question"), &choice.question, file, objections);
    // A letter for an action that sends none is left out: nobody would get it, and the rest of the answer is still good.
    let wanted = !choice.message.trim().is_empty() && candidate.is_none_or(|c| c.actions().any(Action::sends_message));
    let name = format!("{id} message");
    let letter = wanted.then(|| {
        let field = Field { name: &name, max: MESSAGE_MAX, audience: Audience::Outside };
        tell(&choice.message, field, file, objections)
    });
    if let (Some(told), Some(candidate)) = (&letter, candidate) {
        partner::check(&told.text, candidate, &name, file, objections);
    }
    let mut cites: Vec<FactId> = Vec::new();
    let written = letter.iter().flat_map(|told| &told.cites);
    for fact in claims.iter().flat_map(|claim| &claim.cites).chain(&asked).chain(written) {
        if !cites.contains(fact) {
            cites.push(fact.clone());
        }
    }
    // A name in a text is no support. What the choice rests on are its claims, and text from outside decides none.
    if cites.iter().filter_map(|id| file.bundle.facts.get(id)).all(|fact| fact.third_party) {
        cites.clear();
    }
    let message = letter.map(|told| told.text);
    Choice {
        candidate: choice.candidate.clone(),
        confidence_percent,
        prose: Prose { claims, question, message, cites, ..Prose::default() },
    }
}
