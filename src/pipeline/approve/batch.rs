//! Many approvals by one click: one kind of action, one tier, each judged singly.

use super::{Approvals, DecisionAnswer, DecisionRefused, DecisionRequest, Verb};
use crate::domain::ids::RecommendationId;
use crate::domain::money::Money;

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
    /// Approves several at once. The first one sets the action and the tier; what differs is refused, and so is whatever a
    /// single click would be refused for. Each one approved counts towards the limits of the next, so the tier may rise on
    /// the way, and what has then outgrown it is refused too.
    pub async fn decide_batch(&self, requests: Vec<DecisionRequest>) -> BatchAnswer {
        let mut answer = BatchAnswer { sum: Money::ZERO, done: Vec::new(), refused: Vec::new() };
        let mut first: Option<String> = None;
        for request in requests {
            match self.one_of_batch(&request, &mut first).await {
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
        first: &mut Option<String>,
    ) -> Result<(DecisionAnswer, Money), DecisionRefused> {
        if request.verb != Verb::Approve {
            return Err(DecisionRefused::BadRequest(format!("a batch takes approvals only, not {}", request.verb.name())));
        }
        let scene = self.scene(request).await?;
        let value = scene.rec.candidate.value;
        if let Some(answer) = self.answered_before(request).await? {
            return Ok((answer, value));
        }
        let now = self.clock.now();
        let (person, grounds) = (self.person(&request.person)?, self.grounds(now).await?);
        let judgement = self.judgement(&grounds, person, &scene.case, &scene.rec, &[], now).await?;
        let found = format!("{} {}", scene.rec.candidate.action.code(), judgement.ruling.tier);
        let first = first.get_or_insert_with(|| found.clone());
        if *first != found {
            return Err(DecisionRefused::MixedBatch { first: first.clone(), found });
        }
        Ok((self.decide(request).await?, value))
    }
}
