//! Abstention: who hands a case over says what has to be answered first, and who does not asks nothing of the kind.

use super::super::answer::Answer;
use super::super::objection::Objection;

pub(in crate::guard) fn check(answer: &Answer, objections: &mut Vec<Objection>) {
    let asks = !answer.abstain_question.trim().is_empty();
    if answer.abstain != asks {
        objections.push(Objection::Abstention);
    }
}
