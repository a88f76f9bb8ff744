//! Mark: the mark around the data says nothing, so an answer that holds it has been talked into repeating its prompt.

use super::super::answer::Answer;
use super::super::objection::Objection;

pub(in crate::guard) fn check(raw: &str, answer: &Answer, canary: &str, objections: &mut Vec<Objection>) {
    let secret = squashed(canary.rsplit('-').next().unwrap_or(canary));
    let backwards: String = secret.chars().rev().collect();
    // Against escapes such as `\u006d` the decoded fields are looked at besides the raw text; against letters that are spread
    // or turned round, what is left of them.
    let holds = |text: &str| {
        let text = squashed(text);
        text.contains(&secret) || text.contains(&backwards)
    };
    let texts = answer
        .choices
        .iter()
        .flat_map(|choice| [&choice.candidate, &choice.question, &choice.message].into_iter().chain(&choice.claims));
    if holds(raw) || holds(&answer.abstain_question) || texts.into_iter().any(|text| holds(text)) {
        objections.push(Objection::Canary);
    }
}

/// The letters and digits of a text.
fn squashed(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}
