//! Decisions on a real store with a made-up case.

mod clicks;
mod edits;
mod judged_anew;
mod passed_on;
mod plans;
mod signatures;
mod time;
mod undone;

use std::sync::Mutex;

use tempfile::TempDir;

use super::*;
use crate::domain::action::{Candidate, MoneySum, Range};
use crate::domain::case::CaseState;
use crate::domain::decision::{RejectReason, TransitionError, WakeCondition};
use crate::domain::exception::Subject;
use crate::domain::hand::Hand;
use crate::domain::ids::{CaseId, ItemId, LocationId, RecommendationId};
use crate::domain::money::{Money, Quantity};
use crate::domain::policy::{self, Named, Refusal, Refused, Role, Tier};
use crate::domain::recommendation::{Drafter, Prose};
use crate::pipeline::recheck::Promised;
use crate::store::OutboxState;

/// Something that happens between reading and writing.
enum Meanwhile {
    Clicks(DecisionRequest),
    EndsDelegation(String, PersonId),
}

/// A check of this moment that can be made to fail, and people it says are concerned.
#[derive(Default)]
struct Facts {
    /// What somebody else does by another process while a click is being judged.
    meanwhile: Mutex<Option<(Approvals, Meanwhile)>>,
    /// The suppliers that the records name for every action.
    suppliers: Mutex<Option<Vec<Named>>>,
    broken: Mutex<Option<&'static str>>,
    concerned: Mutex<Vec<PersonId>>,
    moved: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl Recheck for Facts {
    async fn recheck(&self, _: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>> {
        let other = self.meanwhile.lock().unwrap().take();
        match other {
            Some((process, Meanwhile::Clicks(click))) => drop(process.decide(&click).await.unwrap()),
            Some((process, Meanwhile::EndsDelegation(id, by))) => process.end_delegation(&id, &by, "web").await.unwrap(),
            None => {}
        }
        let broken = self.broken.lock().unwrap();
        let check = |action: &&Action| Check {
            name: "quantity ≤ free quantity".into(),
            detail: broken.unwrap_or("40 ≤ 60").into(),
            // A transfer of 40 as it is drafted passes, and an edit can go above what is free.
            passed: broken.is_none() && action.quantity().is_none_or(|q| q <= Quantity::units(60)),
            hard: true,
        };
        Ok(steps.iter().map(|action| vec![check(action)]).collect())
    }

    async fn facts(&self, _: &Case, _: &Action) -> anyhow::Result<policy::Facts> {
        let suppliers = self.suppliers.lock().unwrap().clone();
        Ok(policy::Facts { suppliers, ..policy::Facts::default() })
    }

    async fn moved(&self, _: &Case, _: &Recommendation) -> anyhow::Result<Vec<String>> {
        Ok(self.moved.lock().unwrap().clone())
    }

    async fn promised(&self, _: &Case) -> anyhow::Result<Promised> {
        Ok(Promised::default())
    }

    async fn mode(&self, _: &Case) -> anyhow::Result<crate::domain::mode::Mode> {
        Ok(crate::domain::mode::Mode::Live)
    }

    async fn owner(&self, _: &Case) -> anyhow::Result<Option<PersonId>> {
        Ok(None)
    }

    async fn concerned(&self, _: &Case) -> anyhow::Result<Vec<PersonId>> {
        Ok(self.concerned.lock().unwrap().clone())
    }
}

fn start() -> Timestamp {
    "2026-10-08T08:00:00Z".parse().unwrap()
}

pub(crate) struct Bench {
    _folder: Option<TempDir>,
    url: String,
    pub(crate) it: Approvals,
    facts: Arc<Facts>,
    keys: Mutex<u32>,
}

fn transfer(item: &str, units: i64) -> Action {
    Action::Transfer {
        item: ItemId::new(item),
        from: LocationId::new("1"),
        to: LocationId::new("2"),
        quantity: Quantity::units(units),
        ship_on: "2026-10-09".parse().unwrap(),
    }
}

fn candidate(action: Action, value: i64, benefit: i64) -> Candidate {
    let loss = |amount: i64| Range::certain(Money::from_minor(amount));
    Candidate {
        id: "A1".into(),
        summary: format!("Do {}", action.code()),
        action,
        money: MoneySum::new(1.0, loss(benefit), loss(0), Money::ZERO, Money::ZERO),
        value: Money::from_minor(value * 100),
        latest_date: "2026-10-12".parse().unwrap(),
        checks: vec![],
        cites: vec![],
        then: vec![],
    }
}

async fn with_case(store: &Store, id: &str, actions: Vec<(Action, i64)>) -> Vec<Recommendation> {
    with_linked_case(store, id, vec![], actions).await
}

async fn with_linked_case(store: &Store, id: &str, links: Vec<String>, actions: Vec<(Action, i64)>) -> Vec<Recommendation> {
    let case = Case {
        id: CaseId::new(id),
        version: 1,
        state: CaseState::Open,
        exceptions: vec![],
        codes: vec![],
        subject: Subject::default(),
        links,
        headline: "48 of 60 came".into(),
        rank: None,
        evidence_hash: None,
        owner: None,
        wanted: false,
        opened_at: start(),
        updated_at: start(),
    };
    store.save_detection(&[], &[(case, None)], &[], &[], None).await.unwrap();
    on_evidence(store, id, "e1", actions).await
}

/// Drafts `actions` for a case on new evidence.
async fn on_evidence(store: &Store, id: &str, evidence: &str, actions: Vec<(Action, i64)>) -> Vec<Recommendation> {
    let mut case = store.get_case(&CaseId::new(id)).await.unwrap();
    case.evidence_hash = Some(evidence.into());
    case.version += 1;
    let recs: Vec<Recommendation> = (1u32..)
        .zip(actions)
        .map(|(rank, (action, value))| {
            // Everything else gains the same, so that expiry has a sum to tell as lost.
            let benefit = if action.code() == "NO-ACTION" { 0 } else { 10_000 };
            let drafter = Drafter::Playbook { because: None };
            let candidate = candidate(action, value, benefit);
            Recommendation::drafted(case.id.clone(), rank, candidate, Prose::default(), evidence.into(), drafter, start())
        })
        .collect();
    store.replace_recommendations(&case, case.version - 1, &recs, &[]).await.unwrap();
    recs
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("reeve.db").display());
        let store = Store::open_and_migrate(&url).await.unwrap();
        Self { _folder: Some(folder), ..Self::on(store) }
    }

    /// A bench on a store that somebody else opened.
    pub(crate) fn on(store: Store) -> Self {
        let mut config = Config::load_from(None, &[]).unwrap();
        // "system" may approve by its role, so that what refuses it is that it is no human being.
        for (id, role) in [("adm", Role::Admin), ("system", Role::Approver)] {
            let (id, name) = (PersonId::new(id), id.to_owned());
            config.people.push(Person { name, roles: vec![role], tier: 4, ..Person::gone(id) });
        }
        let facts = Arc::new(Facts::default());
        let recheck: Arc<dyn Recheck> = Arc::clone(&facts) as _;
        let url = store.url().to_owned();
        let it =
            Approvals { store, config: Arc::new(config), clock: Clock::standing_at(start()), recheck, turn: Arc::default() };
        Self { _folder: None, url, it, facts, keys: Mutex::new(0) }
    }

    /// A bench with one queued case: a transfer worth `value`, another one, and doing nothing.
    pub(crate) async fn queued(value: i64) -> (Self, Vec<Recommendation>) {
        let bench = Self::new().await;
        let recs = bench.case("case-1", "7", value).await;
        (bench, recs)
    }

    /// The same in a store of any database.
    pub(super) async fn queued_in(store: Store, value: i64) -> (Self, Vec<Recommendation>) {
        let bench = Self::on(store);
        let recs = bench.case("case-1", "7", value).await;
        (bench, recs)
    }

    pub(crate) async fn case(&self, id: &str, item: &str, value: i64) -> Vec<Recommendation> {
        let nothing = Action::NoAction { reason: "seasonal".into() };
        let actions = vec![(transfer(item, 40), value), (transfer(item, 20), value), (nothing, 0)];
        let recs = with_case(&self.it.store, id, actions).await;
        // All three are queued: none of them is withheld, and none goes through without people.
        assert_eq!(self.it.submit().await.unwrap(), 3);
        recs
    }

    pub(super) fn click(&self, person: &str, rec: &Recommendation, verb: Verb) -> DecisionRequest {
        let mut keys = self.keys.lock().unwrap();
        *keys += 1;
        DecisionRequest {
            idempotency_key: format!("key-{keys}"),
            person: PersonId::new(person),
            channel: "web".into(),
            hand: Hand::Own,
            recommendation_id: rec.id.clone(),
            content_hash: rec.content_hash(),
            verb,
        }
    }

    pub(crate) async fn decide(
        &self,
        person: &str,
        rec: &Recommendation,
        verb: Verb,
    ) -> Result<DecisionAnswer, DecisionRefused> {
        self.it.decide(&self.click(person, rec, verb)).await
    }

    pub(crate) async fn approve(&self, person: &str, rec: &Recommendation) -> Result<DecisionAnswer, DecisionRefused> {
        self.decide(person, rec, Verb::Approve).await
    }

    pub(crate) fn later(&self, minutes: i64) {
        let now = self.it.clock.now();
        self.it.clock.set(now + SignedDuration::from_mins(minutes));
    }

    pub(crate) async fn state(&self, id: &RecommendationId) -> String {
        self.it.store.get_recommendation(id).await.unwrap().0.state.name().to_owned()
    }

    pub(crate) async fn case_state(&self, id: &str) -> String {
        self.it.store.get_case(&CaseId::new(id)).await.unwrap().state.name().to_owned()
    }

    pub(crate) async fn pending(&self) -> usize {
        self.it.store.list_outbox(OutboxState::Pending).await.unwrap().len()
    }

    /// Everything that a refused click must leave as it is.
    pub(super) async fn snapshot(&self) -> String {
        let store = &self.it.store;
        let recs = store.list_recommendations_in(&[]).await.unwrap();
        let cases = store.list_cases(&[]).await.unwrap();
        let decisions = store.list_decisions(Timestamp::UNIX_EPOCH).await.unwrap();
        format!("{recs:?} {cases:?} {decisions:?} {} {:?}", self.pending().await, store.audit_head().await.unwrap())
    }
}

fn reject(reason: RejectReason) -> Verb {
    Verb::Reject { reason, note: String::new() }
}

fn forward(to: &str) -> Verb {
    Verb::Forward { to: PersonId::new(to), note: "you know this supplier".into() }
}
