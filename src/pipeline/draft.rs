//! Case → evidence → candidates → recommendations.
//!
//! The evidence is frozen and hashed first; candidates are computed from the same book; then the model, where there is one,
//! may put them in another order and explain them, and the playbook does where there is none, it fails, or it is over
//! budget. What the facts still support is left as it is: a recommendation changes only when its content does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Context;
use async_trait::async_trait;

use super::desk::Laid;
use super::model_draft::{ModelOutcome, draft_with_model};
use super::observe::may_look;
use super::standing::{Answered, is_undecided, same_facts, stand_by};
use super::{Context as Stages, Progress, Stage};
use crate::domain::action::{Action, Candidate};
use crate::domain::audit::AuditEntry;
use crate::domain::book::Place;
use crate::domain::case::{Case, CaseState, Rank};
use crate::domain::case_life::CaseEvent;
use crate::domain::decision::RecommendationState;
use crate::domain::draft::Draft;
use crate::domain::evidence::{Bundle, Fact};
use crate::domain::exception::Exception;
use crate::domain::ids::{CaseId, FactId};
use crate::domain::money::Quantity;
use crate::domain::policy::{ActionCode, Policy};
use crate::domain::recommendation::{Drafter, Prose, Recommendation};
use crate::ports::{LanguageModel, ModelError, ModelReply, ModelRequest};
use crate::rules::assess::{Assessment, RECOMMENDATIONS, assess};
use crate::rules::playbook;
use crate::rules::scene::{Scene, open_exceptions};
use crate::store::{Store, StoreError};

/// Evidence, candidates and words for every case that waits for people.
pub struct Drafting(pub Stages);

#[async_trait]
impl Stage for Drafting {
    fn name(&self) -> &'static str {
        "draft"
    }

    async fn run_once(&self) -> anyhow::Result<Progress> {
        let Stages { store, desk, .. } = &self.0;
        let mut cases = store.list_cases(CaseState::UNDECIDED).await?;
        let mut asleep = store.list_cases(&["snoozed"]).await?;
        // A proposal about Reeve's own list rests on decisions, not on records.
        cases.retain(|case| !case.is_mute_proposal());
        asleep.retain(|case| !case.is_mute_proposal());
        if cases.is_empty() && asleep.is_empty() {
            return Ok(Progress::Idle);
        }
        // What was drafted on the last whole story stands until there is a newer one.
        if !may_look(&self.0).await? {
            return Ok(Progress::Idle);
        }
        let laid = desk.lay_out().await?;
        let links = store.list_links().await?;
        let mut promises = Promises::firm(store).await?;
        // Judged alone first: who ranks better is served first from a donor that two cases want. What is worth nothing even if
        // every donor gave is worth nothing, and needs no stock itself: that hangs on no other case.
        let (mut order, mut idle) = (Vec::new(), BTreeSet::new());
        let claimed = claims(&links, |_| true);
        for case in cases {
            let exceptions = open_exceptions(store.list_case_exceptions(&case.id).await?, &case);
            let promised = promises.to_others(&case.id);
            let rank = assess(&self.view(&case, &exceptions, &laid, &claimed, &promised)).rank;
            if rank.value.expected.minor <= 0 && !rank.unknown {
                idle.insert(case.id.clone());
            }
            order.push((rank.lane, Reverse(rank.priority), case, exceptions));
        }
        order.sort_by(|a, b| (a.0, a.1, &a.2.id).cmp(&(b.0, b.1, &b.2.id)));
        let claimed = claims(&links, |case| idle.contains(case));
        let mut changed = 0;
        for (.., case, exceptions) in order {
            let promised = promises.to_others(&case.id);
            let view = self.view(&case, &exceptions, &laid, &claimed, &promised);
            let assessment = assess(&view);
            promises.first_choice(&case.id, &assessment);
            // One bad case must not keep the others from being drafted.
            match self.draft(&view, &assessment, &laid).await {
                Ok(true) => changed += 1,
                Ok(false) => {}
                // Another stage or a click was first. It wakes this one, which then looks at the case as it is now.
                Err(error) if lost_race(&error) => {
                    tracing::debug!(case.id = %case.id, "Case {} moved on meanwhile", case.id);
                }
                Err(error) => tracing::error!(case.id = %case.id, "Could not draft case {}: {error:#}", case.id),
            }
        }
        for case in asleep {
            let exceptions = open_exceptions(store.list_case_exceptions(&case.id).await?, &case);
            let promised = promises.to_others(&case.id);
            let rank = as_read_back(&assess(&self.view(&case, &exceptions, &laid, &claimed, &promised)).rank)?;
            changed += usize::from(self.rank_asleep(case, rank).await?);
        }
        Ok(if changed == 0 { Progress::Idle } else { Progress::Advanced(changed) })
    }
}

/// Which case owns what, with `idle:75@3` beside `shortage:75@3` where that case needs no stock.
fn claims(links: &BTreeMap<String, CaseId>, idle: impl Fn(&CaseId) -> bool) -> BTreeMap<String, String> {
    let places = links.iter().filter(|(_, case)| idle(case));
    let places = places.filter_map(|(link, case)| Some((format!("idle:{}", link.strip_prefix("shortage:")?), case)));
    let owned = links.iter().map(|(link, case)| (link.clone(), case));
    owned.chain(places).map(|(link, case)| (link, case.to_string())).collect()
}

/// A rank as it will read back: some decimals do not parse to the number that wrote them, and a rank that never equals the
/// stored one would be stored for ever.
fn as_read_back(rank: &Rank) -> anyhow::Result<Rank> {
    let written = serde_json::to_string(rank).context("writing a rank")?;
    serde_json::from_str(&written).context("reading a rank back")
}

impl Drafting {
    /// What a case that was put off is worth now: nothing is drafted for it, but whoever said "until it has grown" must find
    /// out when it has.
    async fn rank_asleep(&self, case: Case, rank: Rank) -> anyhow::Result<bool> {
        if case.rank.as_ref() == Some(&rank) {
            return Ok(false);
        }
        let next = Case { rank: Some(rank), version: case.version + 1, updated_at: self.0.clock.now(), ..case.clone() };
        match self.0.store.advance_case(&next, case.version, &[]).await {
            Ok(()) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error).context("updating the rank of a case that was put off"),
        }
    }

    fn view<'v>(
        &'v self,
        case: &'v Case,
        exceptions: &'v [Exception],
        laid: &'v Laid,
        claimed: &'v BTreeMap<String, String>,
        promised: &'v BTreeMap<Place, Quantity>,
    ) -> Scene<'v> {
        let config = &self.0.config;
        Scene {
            case,
            exceptions,
            book: &laid.book,
            outlook: &laid.seen.outlook,
            p: &laid.p,
            claimed,
            promised,
            settings: &config.rules,
        }
    }

    async fn draft(&self, view: &Scene<'_>, assessment: &Assessment, laid: &Laid) -> anyhow::Result<bool> {
        let Stages { store, clock, .. } = &self.0;
        let case = view.case;
        let latest = store.find_latest_bundle(&case.id).await?;
        let mut bundle = bundle(case, view.exceptions, assessment, laid, latest.as_ref());
        if let Some(latest) = &latest {
            stand_by(&mut bundle, latest);
        }
        let hash = bundle.hash();
        let mut current = store.list_recommendations(&case.id).await?;
        let drills = store.drill_recommendations().await?;
        current.retain(|(r, _)| !drills.contains(&r.id));
        let mut next = case.clone();
        next.rank = Some(as_read_back(&assessment.rank)?);
        next.state = next.state.after(CaseEvent::Propose)?;
        next.evidence_hash = Some(hash.clone());
        let standing = current.iter().filter(|(r, _)| is_undecided(r)).collect::<Vec<_>>();
        let same = !standing.is_empty() && standing.iter().all(|(r, _)| r.evidence_hash == hash);
        let facts = same_facts(store, &bundle, &hash, &current).await?;
        let answered = Answered::on(&hash, &facts, &current);
        if same && same_candidates(&standing, &answered, assessment, &self.0.config.rules.policy) {
            if next.rank == case.rank && next.state == case.state {
                return Ok(false);
            }
            next.version = case.version + 1;
            next.updated_at = clock.now();
            store.advance_case(&next, case.version, &[]).await.context("updating a case's rank")?;
            return Ok(true);
        }
        store.insert_bundle(&bundle).await.context("freezing the evidence")?;
        let (draft, drafter) = self.words(view, assessment, &bundle).await?;
        let recommendations = self.recommend(view, assessment, &answered, draft, &drafter, &hash);
        next.version = case.version + 1;
        next.updated_at = clock.now();
        let entry = AuditEntry {
            at: clock.now(),
            actor: "stage:draft".to_owned(),
            channel: "stage".to_owned(),
            action: "case.drafted".to_owned(),
            subject: format!("case:{}", case.id),
            content: hash,
            detail: serde_json::json!({ "recommendations": recommendations.len(), "drafter": drafter_name(&drafter) }),
        };
        store
            .replace_recommendations(&next, case.version, &recommendations, &[entry])
            .await
            .context("storing recommendations")?;
        Ok(true)
    }

    async fn words(&self, view: &Scene<'_>, assessment: &Assessment, bundle: &Bundle) -> anyhow::Result<(Draft, Drafter)> {
        let Some(model) = &self.0.ports.model else {
            return Ok((playbook::draft(view, assessment), Drafter::Playbook { because: None }));
        };
        let because = if assessment.abstain.is_some() {
            // What the rules give to a human is not for a model to decide.
            Some("the rules ask for human judgement".to_owned())
        } else if self.calls_spent().await? >= self.0.config.model.calls_per_day {
            Some(ModelError::UsedUp(self.0.config.model.calls_per_day).to_string())
        } else {
            let metered = Metered { drafting: self, model: model.as_ref() };
            // What the policy does not let a model see is not told it, and so not cited by it.
            let mut sight = Bundle { workings: None, ..bundle.clone() };
            sight.facts.retain(|_, fact| self.0.config.rules.policy.model.shows(fact));
            match draft_with_model(&metered, view, &assessment.candidates, &sight).await {
                ModelOutcome::Drafted { draft, drafter, .. } => return Ok((draft, drafter)),
                ModelOutcome::GaveUp { because, .. } => Some(because.to_string()),
            }
        };
        Ok((playbook::draft(view, assessment), Drafter::Playbook { because }))
    }

    /// Under which key the calls of this day are counted: the machine's, since they are paid by it.
    fn calls_key(&self) -> String {
        let Stages { config, clock, .. } = &self.0;
        format!("model.calls.{}", config.rules.calendar.calendar().day_of(clock.wire()))
    }

    async fn calls_spent(&self) -> Result<u32, StoreError> {
        Ok(self.0.store.find_setting(&self.calls_key()).await?.and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    fn recommend(
        &self,
        view: &Scene<'_>,
        assessment: &Assessment,
        answered: &Answered<'_>,
        draft: Draft,
        drafter: &Drafter,
        evidence_hash: &str,
    ) -> Vec<Recommendation> {
        // What the drafter left out follows in computed order, in the playbook's words: nothing is hidden by not naming it.
        let rest = playbook::draft(view, assessment).choices;
        let mut order: Vec<(&Candidate, Prose)> = Vec::new();
        for choice in draft.choices.into_iter().chain(rest) {
            let known = |(candidate, _): &(&Candidate, Prose)| candidate.id == choice.candidate;
            if order.iter().any(known) {
                continue;
            }
            order.extend(assessment.candidates.iter().find(|c| c.id == choice.candidate).map(|c| (c, choice.prose.clone())));
        }
        if let Some(why) = &draft.abstain {
            // A drafter that sees no clear action hands over: that comes first, where the case allows it.
            order.sort_by_key(|(candidate, _)| !matches!(candidate.action, Action::Escalate { .. }));
            if let Some((_, prose)) = order.first_mut()
                && !prose.rationale.contains(why.as_str())
            {
                prose.rationale.insert_str(0, &format!("{why} "));
                prose.rationale.truncate(prose.rationale.trim_end().len());
            }
        }
        let policy = &self.0.config.rules.policy;
        order.retain(|(candidate, _)| {
            policy.permits(ActionCode::of(&candidate.action)) && !answered.gone.contains(&&candidate.action)
        });
        let now = self.0.clock.now();
        let number = |i: usize| u32::try_from(i + 1).unwrap_or(u32::MAX);
        order
            .into_iter()
            .take(RECOMMENDATIONS)
            .enumerate()
            .map(|(i, (candidate, prose))| {
                Recommendation::drafted(
                    view.case.id.clone(),
                    number(i),
                    candidate.clone(),
                    prose,
                    evidence_hash.to_owned(),
                    drafter.clone(),
                    now,
                )
            })
            .chain(answered.held.iter().map(|&kept| kept.clone()))
            .collect()
    }
}

/// The model with its budget: each call, a repair too, is counted before it is made. A crash in the middle has spent it.
struct Metered<'a> {
    drafting: &'a Drafting,
    model: &'a dyn LanguageModel,
}

#[async_trait]
impl LanguageModel for Metered<'_> {
    fn name(&self) -> String {
        self.model.name()
    }

    async fn complete(&self, request: &ModelRequest) -> Result<ModelReply, ModelError> {
        let unkept = |error: StoreError| {
            tracing::error!("The count of model calls can not be kept: {error}");
            ModelError::Uncounted
        };
        let Stages { store, config, .. } = &self.drafting.0;
        let spent = self.drafting.calls_spent().await.map_err(unkept)?;
        if spent >= config.model.calls_per_day {
            return Err(ModelError::UsedUp(config.model.calls_per_day));
        }
        store.put_setting(&self.drafting.calls_key(), &(spent + 1).to_string()).await.map_err(unkept)?;
        self.model.complete(request).await
    }

    fn tell_form(&self) {
        self.model.tell_form();
    }

    fn dialect(&self) -> String {
        self.model.dialect()
    }
}

/// Donors' units that transfers claim, by case: two open recommendations may not claim the same stock (handbook §5).
#[derive(Debug, Default)]
pub struct Promises(Vec<(CaseId, Place, Quantity)>);

impl Promises {
    /// Those that a person has signed or approved and that the ERP does not show yet.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn firm(store: &Store) -> anyhow::Result<Self> {
        let signed = store
            .list_recommendations_in(&["signed", "forwarded", "escalated", "approved", "approved_with_edit", "handed_off"])
            .await?;
        // What is wrong on purpose promises nothing.
        let drills = store.drill_recommendations().await?;
        let mut firm = Self::default();
        for (rec, _) in signed.iter().filter(|(r, _)| !drills.contains(&r.id)) {
            let action = match &rec.state {
                RecommendationState::ApprovedWithEdit { edited, .. } => edited,
                _ => &rec.candidate.action,
            };
            firm.add(&rec.case_id, action);
        }
        Ok(firm)
    }

    /// The same with whatever else waits for a decision as its case's first choice.
    ///
    /// # Errors
    /// Says what could not be read.
    pub async fn proposed(store: &Store) -> anyhow::Result<Self> {
        let mut all = Self::firm(store).await?;
        let drills = store.drill_recommendations().await?;
        for (rec, _) in store.list_recommendations_in(&["queued"]).await? {
            if rec.rank == 1 && !drills.contains(&rec.id) && all.0.iter().all(|(owner, ..)| *owner != rec.case_id) {
                all.add(&rec.case_id, &rec.candidate.action);
            }
        }
        Ok(all)
    }

    /// Adds what a case's best action would take, unless the case has a promise already.
    fn first_choice(&mut self, case: &CaseId, assessment: &Assessment) {
        let best =
            assessment.candidates.first().filter(|c| assessment.abstain.is_none() && c.money.benefit.expected.minor > 0);
        if let Some(best) = best.filter(|_| self.0.iter().all(|(owner, ..)| owner != case)) {
            self.add(case, &best.action);
        }
    }

    fn add(&mut self, case: &CaseId, action: &Action) {
        if let Action::Transfer { item, from, quantity, .. } = action {
            self.0.push((case.clone(), (item.clone(), from.clone()), *quantity));
        }
    }

    /// What is promised to other cases than `case`, by donor.
    pub fn to_others(&self, case: &CaseId) -> BTreeMap<Place, Quantity> {
        let mut sums = BTreeMap::new();
        for (_, donor, quantity) in self.0.iter().filter(|(owner, ..)| owner != case) {
            *sums.entry(donor.clone()).or_insert(Quantity::ZERO) += *quantity;
        }
        sums
    }
}

fn bundle(case: &Case, exceptions: &[Exception], assessment: &Assessment, laid: &Laid, latest: Option<&Bundle>) -> Bundle {
    let mut facts: BTreeMap<FactId, Fact> = BTreeMap::new();
    for fact in exceptions.iter().flat_map(|e| &e.signal.facts).chain(&assessment.facts) {
        facts.insert(fact.id.clone(), fact.clone());
    }
    let missing: BTreeSet<_> =
        exceptions.iter().flat_map(|e| &e.signal.missing).chain(&assessment.missing).cloned().collect();
    Bundle {
        case_id: case.id.clone(),
        version: latest.map_or(1, |b| b.version + 1),
        as_of: laid.book.as_of,
        facts,
        missing: missing.into_iter().collect(),
        workings: Some(Box::new(assessment.workings.clone())),
    }
}

fn lost_race(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| matches!(cause.downcast_ref::<StoreError>(), Some(StoreError::Conflict)))
}

fn same_candidates(
    standing: &[&(Recommendation, i64)],
    answered: &Answered<'_>,
    assessment: &Assessment,
    policy: &Policy,
) -> bool {
    let asked = |c: &&Candidate| policy.permits(ActionCode::of(&c.action)) && !answered.gone.contains(&&c.action);
    let stored: Vec<&Candidate> =
        standing.iter().filter(|(r, _)| !answered.held.contains(&r)).map(|(r, _)| &r.candidate).collect();
    let wanted = assessment.candidates.iter().filter(asked).count().min(RECOMMENDATIONS);
    stored.len() >= wanted && stored.iter().all(|c| assessment.candidates.contains(c))
}

fn drafter_name(drafter: &Drafter) -> String {
    match drafter {
        Drafter::Playbook { because: None } => "playbook".to_owned(),
        Drafter::Playbook { because: Some(why) } => format!("playbook, because {why}"),
        Drafter::Model { name, .. } => format!("model {name}"),
        Drafter::Edited { .. } => "people".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::action::{MoneySum, Range};
    use crate::domain::decision::{Before, RejectReason};
    use crate::domain::ids::{CaseId, PersonId};
    use crate::domain::money::Money;
    use jiff::Timestamp;

    fn candidate(reason: &str) -> Candidate {
        Candidate {
            id: reason.to_owned(),
            action: Action::NoAction { reason: reason.to_owned() },
            summary: String::new(),
            money: MoneySum::nothing(1.0, Range::default()),
            value: Money::ZERO,
            latest_date: "2026-10-09".parse().unwrap(),
            checks: vec![],
            cites: vec![],
        }
    }

    fn proposed(reason: &str, evidence: &str, state: RecommendationState, drafter: Drafter) -> (Recommendation, i64) {
        let mut rec = Recommendation::drafted(
            CaseId::new("case-1"),
            1,
            candidate(reason),
            Prose::default(),
            evidence.to_owned(),
            drafter,
            Timestamp::UNIX_EPOCH,
        );
        rec.state = state;
        (rec, 1)
    }

    #[test]
    fn a_donors_units_are_promised_to_one_case_and_not_to_itself() {
        let (item, from) = (crate::domain::ids::ItemId::new("7"), crate::domain::ids::LocationId::new("1"));
        let transfer = |units: i64| Action::Transfer {
            item: item.clone(),
            from: from.clone(),
            to: crate::domain::ids::LocationId::new("2"),
            quantity: Quantity::units(units),
            ship_on: "2026-10-09".parse().unwrap(),
        };
        let mut promises = Promises::default();
        promises.add(&CaseId::new("a"), &transfer(20));
        promises.add(&CaseId::new("b"), &transfer(5));
        promises.add(&CaseId::new("c"), &candidate("x").action);
        let donor = (item.clone(), from.clone());
        let left = |case: &str| promises.to_others(&CaseId::new(case)).get(&donor).copied().unwrap_or(Quantity::ZERO);
        assert_eq!((left("a"), left("b"), left("c")), (Quantity::units(5), Quantity::units(20), Quantity::units(25)));
    }

    #[test]
    fn what_people_answered_is_not_asked_again_while_its_evidence_stands() {
        use RecommendationState as S;
        let by = PersonId::new("ada");
        let playbook = || Drafter::Playbook { because: None };
        let at = Timestamp::UNIX_EPOCH;
        let queued = proposed("a", "e1", S::Queued, playbook());
        let first = queued.0.id.clone();
        let was = Box::new(candidate("d").action);
        let current = [
            queued,
            proposed(
                "b",
                "e1",
                S::Rejected { by: by.clone(), at, reason: RejectReason::WrongDate, before: Before::default() },
                playbook(),
            ),
            proposed("c", "e1", S::Signed { by: by.clone(), on_behalf_of: vec![], at }, playbook()),
            proposed("e", "e1", S::Queued, Drafter::Edited { editors: vec![by.clone()], first, was }),
            proposed(
                "f",
                "e0",
                S::Rejected { by, at, reason: RejectReason::WrongDate, before: Before::default() },
                playbook(),
            ),
        ];
        let answered = Answered::on("e1", &BTreeSet::from(["e1".to_owned()]), &current);
        let codes = |actions: &[&Action]| actions.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>().join(" ");
        for (reason, gone) in [("a", false), ("b", true), ("c", true), ("d", true), ("e", true), ("f", false)] {
            assert_eq!(answered.gone.contains(&&candidate(reason).action), gone, "{reason}: {}", codes(&answered.gone));
        }
        assert_eq!(answered.held.len(), 2);
    }
}
