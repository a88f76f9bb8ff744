//! Judging an approving click: which tier it takes, who may sign, and whether it still stands on the facts.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::plan::{self, Plan};
use super::{Approvals, DecisionRefused, DecisionRequest, Scene, failed};
use crate::domain::action::Action;
use crate::domain::case::Case;
use crate::domain::decision::Signature;
use crate::domain::ids::PersonId;
use crate::domain::money::Money;
use crate::domain::policy::{Person, Tier, may_decide, tier_of};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::publish::Terms;

impl Approvals {
    pub(super) async fn approve(
        &self,
        request: &DecisionRequest,
        person: &Person,
        scene: Scene,
        now: Timestamp,
    ) -> Result<Plan, DecisionRefused> {
        let action = &scene.rec.candidate.action;
        let mut signed = Vec::new();
        if let Some(Signature { by, .. }) = &scene.rec.state.first_signature() {
            // Who has left the configuration since keeps their signature, but no role that could complete a pair.
            let gone =
                || Person { id: by.clone(), name: by.to_string(), roles: Vec::new(), tier: 0, erp_user: String::new() };
            signed.push(self.person(by).cloned().unwrap_or_else(|_| gone()));
        }
        // Before the sum is read: whatever is decided afterwards, in whichever process, makes this judgement void.
        let decisions_seen = self.store.count_decisions().await.map_err(failed)?;
        let signers: Vec<PersonId> = signed.iter().map(|p| p.id.clone()).chain([person.id.clone()]).collect();
        let (tier, counted) = self.tier(&scene.case, &scene.rec, &signers, now).await?;
        let touched = self.touched(&scene).await?;
        let standing = may_decide(person, tier, &signed, &touched)?;
        let moved = self.recheck.moved(&scene.case, &scene.rec).await.map_err(DecisionRefused::Failed)?;
        if !moved.is_empty() {
            let newest = scene.newest().map(|r| r.id.clone()).filter(|id| *id != scene.rec.id);
            return Err(DecisionRefused::FactsChanged { moved, newest });
        }
        self.checks_hold(&scene.case, action).await?;
        let event = plan::approval(&scene.rec, person.id.clone(), None, standing.needs_second);
        let version = self.config.approval.limits().policy_version();
        let unit = match plan::about(&scene.case, action).0 {
            Some(item) => self.store.find_unit(&item).await.map_err(failed)?.unwrap_or_default(),
            None => String::new(),
        };
        let terms = Terms::of(&self.config, &scene.rec, unit);
        let judged = plan::Judged { tier, counted, policy_version: &version, terms: &terms };
        let mut plan = plan::approve(request, scene, event, judged, self.undo_window(), now)?;
        plan.decisions_seen = Some(decisions_seen);
        Ok(plan)
    }

    /// The tier of a recommendation if `signers` sign it, and the amount that was compared with the limits: its own value and
    /// whatever was approved in the last `cumulative_days` for the same item or supplier or by one of the signers.
    pub(crate) async fn tier(
        &self,
        case: &Case,
        rec: &Recommendation,
        signers: &[PersonId],
        now: Timestamp,
    ) -> Result<(Tier, Money), DecisionRefused> {
        let days = SignedDuration::from_hours(24 * i64::from(self.config.approval.cumulative_days));
        let since = now.checked_sub(days).unwrap_or(Timestamp::MIN);
        let (item, supplier) = plan::about(case, &rec.candidate.action);
        let is_claim = matches!(rec.candidate.action, Action::Claim { .. });
        let (mut before, mut claims) = (Money::ZERO, Money::ZERO);
        // One recommendation counts once, however many signed it.
        let mut counted = BTreeSet::from([rec.id.clone()]);
        for earlier in self.store.decided_values(since).await.map_err(failed)? {
            let same_item = item.is_some() && earlier.item == item;
            let same_supplier = supplier.is_some() && earlier.supplier == supplier;
            if !(same_item || same_supplier || signers.contains(&earlier.person))
                || !counted.insert(earlier.recommendation_id.clone())
            {
                continue;
            }
            before += earlier.value;
            if is_claim {
                let (other, _) = self.store.get_recommendation(&earlier.recommendation_id).await.map_err(failed)?;
                if matches!(other.candidate.action, Action::Claim { .. }) {
                    claims += earlier.value;
                }
            }
        }
        let limits = self.config.approval.limits();
        let value = rec.candidate.value;
        let mut tier = tier_of(&rec.candidate.action, value, before, &limits);
        // A claim that was split is as large as the parts together, against the claims' own limit too.
        if is_claim && value + claims > limits.claim_tier3 {
            tier = tier.max(Tier::T3);
        }
        Ok((tier, value + before))
    }
}
