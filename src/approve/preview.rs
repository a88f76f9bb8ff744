//! What a person could do with a recommendation as things stand, and why not. For people to read before they click; what
//! counts is the click, which is judged anew.

use super::judge::Judgement;
use super::{Approvals, DecisionRefused};
use crate::domain::case::Case;
use crate::domain::ids::PersonId;
use crate::domain::policy::{Tier, may_turn_down};
use crate::domain::recommendation::Recommendation;
use crate::rules::edit;

/// What the policy says to one person about one recommendation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preview {
    /// What it takes if this person signs.
    pub tier: Tier,
    /// May they sign it?
    pub may_approve: bool,
    /// May they edit, reject, put it off or pass it on?
    pub may_turn_down: bool,
    /// For whom they would sign, where not for themselves: "Fay Finance".
    pub acting_for: Option<String>,
    /// Would somebody else still have to sign after them?
    pub needs_second: bool,
    /// Why they may not sign, and who could.
    pub why_not: Option<String>,
}

impl Approvals {
    /// What the policy says to `person` about each of `recommendations` of a case, in their order. Hard checks and the facts
    /// of the moment are not looked at.
    ///
    /// # Errors
    /// [`DecisionRefused::UnknownPerson`]; [`DecisionRefused::Failed`] when the records can not be read.
    pub async fn preview(
        &self,
        person: &PersonId,
        case: &Case,
        recommendations: &[&Recommendation],
    ) -> Result<Vec<Preview>, DecisionRefused> {
        let (person, now) = (self.person(person)?, self.clock.now());
        // Before the decisions of days are read, which nobody's card would need.
        if recommendations.is_empty() {
            return Ok(Vec::new());
        }
        let grounds = self.grounds(now).await?;
        let concerned = self.recheck.concerned(case).await.map_err(DecisionRefused::Failed)?;
        let mut previews = Vec::new();
        for rec in recommendations {
            // The same that the click will look at, or the page would offer what the click refuses.
            let touched = [edit::editors(rec), &concerned].concat();
            let Judgement { ruling, standing, .. } = self.judgement(&grounds, person, case, rec, &touched, now).await?;
            let may_turn_down = may_turn_down(person).is_ok();
            let tier = ruling.tier;
            previews.push(match standing {
                Ok((signer, standing)) => Preview {
                    tier,
                    may_approve: true,
                    may_turn_down,
                    acting_for: signer.on_behalf_of.last().map(|p| p.name.clone()),
                    needs_second: standing.needs_second,
                    why_not: None,
                },
                Err(refused) => Preview {
                    tier,
                    may_approve: false,
                    may_turn_down,
                    acting_for: None,
                    needs_second: false,
                    why_not: Some(refused.to_string()),
                },
            });
        }
        Ok(previews)
    }
}
