//! Many decisions by one click: each judged singly, what fails is listed, the rest goes through.
//!
//! Approvals are of one kind of action and one tier, so that a long list can not hide something else. Rejections and undos
//! release nothing, so any may stand together; but a batch is of one verb.

use super::{Approvals, DecisionAnswer, DecisionRefused, DecisionRequest, Verb};
use crate::domain::ids::RecommendationId;
use crate::domain::money::Money;

/// Most of one batch: a list that nobody can read is not read.
pub const BATCH_MAX: usize = 50;

/// What came of a batch.
#[derive(Debug)]
pub struct BatchAnswer {
    /// The value of what was approved or signed, all together.
    pub sum: Money,
    /// What went through, in the order asked.
    pub done: Vec<DecisionAnswer>,
    /// What did not, each with its own reason.
    pub refused: Vec<BatchFailure>,
}

/// One of a batch that did not go through.
#[derive(Debug)]
pub struct BatchFailure {
    /// Which one.
    pub recommendation_id: RecommendationId,
    /// Why.
    pub because: DecisionRefused,
}

impl Approvals {
    /// Decides several at once. The first one sets the verb; of approvals it also sets the action and the tier. What differs
    /// is refused, and so is whatever a single click would be refused for. Each one approved counts towards the limits of
    /// the next, so the tier may rise on the way, and what has then outgrown it is refused too. The same batch again is
    /// answered the same.
    pub async fn decide_batch(&self, requests: Vec<DecisionRequest>) -> BatchAnswer {
        let mut answer = BatchAnswer { sum: Money::ZERO, done: Vec::new(), refused: Vec::new() };
        let verb = requests.first().map(|r| r.verb.clone());
        // Action and tier are set by the first that is judged at all: the one that stands first may be refused.
        let mut first: Option<String> = None;
        for (place, request) in requests.into_iter().enumerate() {
            let result = match &verb {
                _ if place >= BATCH_MAX => Err(too_many()),
                Some(verb) => self.one_of_batch(&request, verb, &mut first).await,
                None => continue,
            };
            match result {
                Ok((done, value)) => {
                    answer.sum += value;
                    answer.done.push(done);
                }
                Err(because) => {
                    answer.refused.push(BatchFailure { recommendation_id: request.recommendation_id, because });
                }
            }
        }
        answer
    }

    async fn one_of_batch(
        &self,
        request: &DecisionRequest,
        verb: &Verb,
        first: &mut Option<String>,
    ) -> Result<(DecisionAnswer, Money), DecisionRefused> {
        let taken = match verb {
            Verb::Approve => "approvals only",
            Verb::Reject { .. } => "rejections of one reason only",
            Verb::Undo => "undos only",
            _ => return Err(bad(format!("a batch approves, rejects or undoes; it does not {}", verb.kind()))),
        };
        if request.verb != *verb {
            return Err(bad(format!("this batch takes {taken}, not {}", request.verb.kind())));
        }
        if *verb != Verb::Approve {
            return Ok((self.decide(request).await?, Money::ZERO));
        }
        let clicked = self.clicked(request).await?;
        let value = clicked.rec.candidate.value;
        // Before anything is judged: of a batch that is sent again, what it released itself would count with it now and
        // might raise its tier.
        if let Some(answer) = self.answered_before(request).await? {
            let value = released(&answer, value);
            return Ok((answer, value));
        }
        let now = self.clock.now();
        let (person, grounds) = (self.person(&request.person)?, self.grounds(now).await?);
        let judgement = self.judgement(&grounds, person, &clicked.case, &clicked.rec, &[], now).await?;
        let found = format!("{} {}", clicked.rec.candidate.codes(), judgement.ruling.tier);
        let first = first.get_or_insert_with(|| found.clone());
        if *first != found {
            return Err(DecisionRefused::MixedBatch { first: first.clone(), found });
        }
        let answer = self.decide(request).await?;
        let value = released(&answer, value);
        Ok((answer, value))
    }
}

/// What an answer released: a drill released nothing.
fn released(answer: &DecisionAnswer, value: Money) -> Money {
    if answer.is_drill() { Money::ZERO } else { value }
}

fn bad(why: String) -> DecisionRefused {
    DecisionRefused::BadRequest(why)
}

fn too_many() -> DecisionRefused {
    bad(format!("a batch takes at most {BATCH_MAX}; decide this one with the next"))
}
