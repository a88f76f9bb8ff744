//! Judging an approving click: what the recommendation takes under the policy, whether this person may give it, and whether
//! it still stands on the facts.

use jiff::{SignedDuration, Timestamp};

use super::plan::{self, Plan};
use super::{Approvals, Clicked, DecisionRefused, DecisionRequest, failed};
use crate::domain::action::Action;
use crate::domain::case::Case;
use crate::domain::decision::{RecommendationState as State, Signature};
use crate::domain::ids::{PersonId, SupplierId};
use crate::domain::money::Money;
use crate::domain::mute::Mute;
use crate::domain::policy::{
    ActionCode, Attempt, Delegation, Earlier, Facts, Person, Question, QuestionStep, Refusal, Refused, Ruling, Signer,
    Standing, acting_for, may_turn_down,
};
use crate::domain::recommendation::Recommendation;
use crate::pipeline::noise::weight;
use crate::pipeline::publish::Terms;
use crate::pipeline::recheck::Promised;
use crate::store::About;

/// What was found out about one signature on one recommendation.
pub(crate) struct Judgement {
    /// What it takes.
    pub(crate) ruling: Ruling,
    /// In which capacity the person may give it, or why they may not.
    pub(crate) standing: Result<(Signer, Standing), Refused>,
    /// The item and the supplier that each of its steps counts together with, where it is about one.
    pub(crate) about: Vec<About>,
}

/// What rulings rest on, read once for each click or page.
pub(crate) struct Grounds {
    /// Those that hold today or later.
    delegations: Vec<Delegation>,
    /// How many there ever were when they were read, and how many of them had been ended.
    delegations_seen: (i64, i64),
    earlier: Vec<Earlier>,
}

/// What the records say of what is to be approved. Whether it holds is answered only to who may approve it.
pub(super) struct Looked {
    /// What others were promised then: what was decided since may take the same stock.
    promised: Promised,
    touched: Vec<PersonId>,
    moved: Result<Vec<String>, DecisionRefused>,
    checks: Result<(), DecisionRefused>,
    terms: Vec<Terms>,
}

impl Approvals {
    /// Looks at the records for an approval.
    pub(super) async fn look(&self, clicked: &Clicked) -> Result<Looked, DecisionRefused> {
        // Before the rest: what is promised while the records are read shows as a difference in the click's turn.
        let promised = self.recheck.promised(&clicked.case).await.map_err(DecisionRefused::Failed)?;
        let touched = self.touched(clicked).await?;
        let moved = self.recheck.moved(&clicked.case, &clicked.rec).await.map_err(DecisionRefused::Failed);
        let actions: Vec<&Action> = clicked.rec.candidate.actions().collect();
        let checks = self.checks_hold(&clicked.case, &actions).await.map(drop);
        let mut terms = Vec::new();
        for action in actions {
            let unit = self.unit_of(&clicked.case, action).await?;
            terms.push(Terms::of(&self.config, &clicked.rec, action, unit));
        }
        Ok(Looked { promised, touched, moved, checks, terms })
    }

    pub(super) async fn approve(
        &self,
        request: &DecisionRequest,
        person: &Person,
        clicked: Clicked,
        looked: Looked,
        now: Timestamp,
    ) -> Result<Plan, DecisionRefused> {
        // Before the sums are read: whatever is decided afterwards, in whichever process, makes this judgement void.
        let decisions_seen = self.store.count_decisions().await.map_err(failed)?;
        // What was approved meanwhile is promised what it takes. Where that is of what this one takes, too, what is left is looked
        // at again; the others of fifty who click at once do not wait for it.
        let promised = self.recheck.promised(&clicked.case).await.map_err(DecisionRefused::Failed)?;
        let looked = if looked.promised == promised { looked } else { self.look(&clicked).await? };
        // Asked before, and again in the click's turn: its scope may have been set in shadow while it waited.
        self.refuse_unless_live(&clicked.case).await?;
        let mutes_seen = self.store.mutes_seen().await.map_err(failed)?;
        let grounds = self.grounds(now).await?;
        let Looked { touched, moved, checks, terms, .. } = looked;
        let Judgement { ruling, standing, about } =
            self.judgement(&grounds, person, &clicked.case, &clicked.rec, &touched, now).await?;
        // Who may not sign is told that, and not what the records say.
        let (signer, standing) = standing.map_err(DecisionRefused::MayNotSign)?;
        self.refuse_one_hand(request, &clicked).await?;
        let moved = moved?;
        if !moved.is_empty() {
            let newest = clicked.newest().map(|r| r.id.clone()).filter(|id| *id != clicked.rec.id);
            return Err(DecisionRefused::FactsChanged { moved, newest });
        }
        checks?;
        let on_behalf_of: Vec<PersonId> = signer.on_behalf_of.iter().map(|p| p.id.clone()).collect();
        let event = plan::approval(&clicked.rec, person.id.clone(), on_behalf_of, standing.needs_second);
        let version = self.config.rules.policy.version();
        let judged = plan::Judged { ruling: &ruling, signer: &signer, policy_version: &version, terms: &terms };
        let mut plan = plan::approve(request, clicked, event, judged, self.undo_window(), now)?;
        plan.decisions_seen = Some(decisions_seen);
        plan.mutes_seen = Some(mutes_seen);
        plan.delegations_seen = Some(grounds.delegations_seen);
        plan.about = about;
        Ok(plan)
    }

    /// Reads what rulings rest on: who stands in for whom, and what was released in the policy's window.
    pub(crate) async fn grounds(&self, now: Timestamp) -> Result<Grounds, DecisionRefused> {
        let days = SignedDuration::from_hours(24 * i64::from(self.config.rules.policy.cumulative.days));
        let since = now.checked_sub(days).unwrap_or(Timestamp::MIN);
        // Counted first: one that comes in between makes the judgement void and not wrong.
        let delegations_seen = self.store.count_delegations().await.map_err(failed)?;
        let delegations = self.store.list_delegations_from(self.today(now)).await.map_err(failed)?;
        let values = self.store.decided_values(since).await.map_err(failed)?;
        let earlier = values.into_iter().map(|value| Earlier {
            recommendation: value.recommendation_id,
            at: value.at,
            action: ActionCode::named(&value.action),
            value: value.value,
            item: value.about.item,
            supplier: value.about.supplier,
            by: value.person,
            on_behalf_of: value.on_behalf_of,
        });
        Ok(Grounds { delegations, delegations_seen, earlier: earlier.collect() })
    }

    /// What a recommendation takes if `person` signs it, and whether they may: for themselves where that is enough, else for
    /// whom they stand in.
    pub(crate) async fn judgement(
        &self,
        grounds: &Grounds,
        person: &Person,
        case: &Case,
        rec: &Recommendation,
        touched: &[PersonId],
        now: Timestamp,
    ) -> Result<Judgement, DecisionRefused> {
        let policy = &self.config.rules.policy;
        let facts = self.facts_of(case, rec).await?;
        let signed: Vec<Signer> = rec.state.first_signature().iter().map(|first| self.signer(first)).collect();
        let about = abouts(case, rec, &facts);
        let mut first_refusal = None;
        for signer in self.capacities(grounds, person, now) {
            // For each capacity anew: what a mute weighs, and what counts towards a limit, hang on who signs and for whom.
            let value = self.value_of(rec, &signed, &signer, now).await?;
            let ruling = self.ruling(grounds, case, rec, value, &facts, &signed, &signer, now);
            let attempt = Attempt { signer: &signer, ruling: &ruling, facts: &facts, signed: &signed, touched_by: touched };
            match policy.may_sign(&attempt) {
                Ok(standing) => return Ok(Judgement { ruling, standing: Ok((signer, standing)), about }),
                // The refusal that counts is the one for themselves.
                Err(because) if first_refusal.is_none() => {
                    let could = policy.who_could(&attempt, &self.everybody(grounds, now));
                    first_refusal = Some((ruling, Refused { because, could }));
                }
                Err(_) => {}
            }
        }
        let (ruling, refused) = first_refusal.ok_or_else(|| DecisionRefused::UnknownPerson(person.id.to_string()))?;
        Ok(Judgement { ruling, standing: Err(refused), about })
    }

    #[expect(clippy::too_many_arguments, reason = "what a ruling rests on, read by its callers once for several rulings")]
    fn ruling(
        &self,
        grounds: &Grounds,
        case: &Case,
        rec: &Recommendation,
        value: Money,
        facts: &[Facts],
        signed: &[Signer],
        signer: &Signer,
        now: Timestamp,
    ) -> Ruling {
        let about = abouts(case, rec, facts);
        let steps: Vec<QuestionStep<'_>> = (rec.candidate.actions().zip(&about).zip(facts))
            .map(|((action, about), facts)| QuestionStep {
                action: ActionCode::of(action),
                item: about.item.as_ref(),
                supplier: about.supplier.as_ref(),
                facts,
            })
            .collect();
        // The tier of a pair counts what both of them released, and those they stand in for.
        let all = || signed.iter().chain([signer]);
        let signers: Vec<PersonId> = all().map(|s| s.person.id.clone()).collect();
        let on_behalf_of: Vec<PersonId> = all().flat_map(|s| &s.on_behalf_of).map(|p| p.id.clone()).collect();
        self.config.rules.policy.judge(&Question {
            id: &rec.id,
            steps: &steps,
            value,
            signers: &signers,
            on_behalf_of: &on_behalf_of,
            earlier: &grounds.earlier,
            now,
        })
    }

    /// Who could give the signature that is missing now, and in which capacity.
    pub(super) async fn missing_signature(
        &self,
        grounds: &Grounds,
        case: &Case,
        rec: &Recommendation,
        now: Timestamp,
    ) -> Result<(Ruling, Vec<Facts>, Vec<Signer>), DecisionRefused> {
        let facts = self.facts_of(case, rec).await?;
        let signed: Vec<Signer> = rec.state.first_signature().iter().map(|first| self.signer(first)).collect();
        // Nobody in particular: what it takes whoever signs.
        let nobody = Signer::own(Person::gone(PersonId::new("stage:approve")));
        let value = self.value_of(rec, &signed, &nobody, now).await?;
        Ok((self.ruling(grounds, case, rec, value, &facts, &signed, &nobody, now), facts, signed))
    }

    /// What rules ask about each step.
    async fn facts_of(&self, case: &Case, rec: &Recommendation) -> Result<Vec<Facts>, DecisionRefused> {
        let mut facts = Vec::new();
        for action in rec.candidate.actions() {
            facts.push(self.recheck.facts(case, action).await.map_err(DecisionRefused::Failed)?);
        }
        Ok(facts)
    }

    /// What limits are compared with. Of a mute it is what it weighs at this moment, with all that those who sign have muted,
    /// and never less than what the card says that it hides.
    async fn value_of(
        &self,
        rec: &Recommendation,
        signed: &[Signer],
        signer: &Signer,
        now: Timestamp,
    ) -> Result<Money, DecisionRefused> {
        let Action::Mute { exception, scope, until, hides } = &rec.candidate.action else { return Ok(rec.candidate.value) };
        let owner = signer.person.id.clone();
        let mute = Mute::new(*exception, scope.clone(), owner, rec.candidate.summary.clone(), now, *until);
        let owners: Vec<&PersonId> = signed.iter().chain([signer]).map(|s| &s.person.id).collect();
        let weight = weight::weigh(&self.store, &self.config, &owners, &mute, now).await.map_err(failed)?;
        Ok(weight.counted().max(*hides).max(rec.candidate.value))
    }

    /// May this person put a recommendation out of sight: reject it, put it off, fold its case into another? That releases
    /// nothing, so it takes no tier; but it hides what others look after, so it takes the scope. Whoever was asked by name may.
    pub(super) async fn may_put_away(
        &self,
        person: &Person,
        clicked: &Clicked,
        now: Timestamp,
    ) -> Result<(), DecisionRefused> {
        may_turn_down(person)?;
        let asked = matches!(&clicked.rec.state, State::Forwarded { to, .. } if *to == person.id);
        // What Reeve proposes about its own list lies in nobody's part of the business.
        if asked || person.scopes.is_everything() || clicked.case.is_mute_proposal() {
            return Ok(());
        }
        let grounds = self.grounds(now).await?;
        let facts = self.facts_of(&clicked.case, &clicked.rec).await?;
        if self.capacities(&grounds, person, now).iter().any(|signer| signer.authority().scopes.hold_all(&facts)) {
            return Ok(());
        }
        Err(Refusal::OutOfScope { who: person.name.clone(), scope: person.scopes.told() }.into())
    }

    /// Everything a person may sign as today: for themselves first.
    fn capacities(&self, grounds: &Grounds, person: &Person, now: Timestamp) -> Vec<Signer> {
        let Grounds { delegations, .. } = grounds;
        acting_for(&person.id, delegations, &self.config.people, &self.config.rules.policy, self.today(now))
    }

    /// Everybody in every capacity they have today.
    pub(super) fn everybody(&self, grounds: &Grounds, now: Timestamp) -> Vec<Signer> {
        self.config.people.iter().flat_map(|person| self.capacities(grounds, person, now)).collect()
    }

    /// Who gave a signature. Who has left the configuration since keeps it, but has no role that could complete a pair.
    fn signer(&self, signature: &Signature) -> Signer {
        let person = |id: &PersonId| self.person(id).cloned().unwrap_or_else(|_| Person::gone(id.clone()));
        Signer { person: person(&signature.by), on_behalf_of: signature.on_behalf_of.iter().map(person).collect() }
    }
}

/// Item and supplier that each step of a recommendation counts together with others by. An order line names them only through
/// the records: cancelling lines of one supplier one by one is still cancelling with one supplier.
fn abouts(case: &Case, rec: &Recommendation, facts: &[Facts]) -> Vec<About> {
    let about = |(action, facts): (&Action, &Facts)| {
        let of_line = facts.item.clone().filter(|_| action.item().is_none());
        let About { item, supplier } = plan::about(case, action);
        let of_records = || facts.suppliers.iter().flatten().next().map(|named| SupplierId::new(named.id.clone()));
        About { item: of_line.or(item), supplier: supplier.or_else(of_records) }
    };
    rec.candidate.actions().zip(facts).map(about).collect()
}
