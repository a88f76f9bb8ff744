//! Fifty people click on the same two hundred cases at once, through two processes on one store: each case is decided exactly
//! once, the chain stays whole, and no limit is passed by splitting or racing.
#![expect(clippy::unwrap_used, reason = "a test that can not go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reeve::approve::{Approvals, DecisionRefused, DecisionRequest, Verb};
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::action::{Action, Candidate, Check, MoneySum, Range};
use reeve::domain::case::{Case, CaseState};
use reeve::domain::decision::{RecommendationState as State, RejectReason};
use reeve::domain::exception::Subject;
use reeve::domain::ids::{ItemId, LocationId, PersonId, RecommendationId};
use reeve::domain::money::{Money, Quantity};
use reeve::domain::policy::{Person, Role};
use reeve::domain::recommendation::{Drafter, Prose, Recommendation};
use reeve::pipeline::recheck::{Promised, Recheck};
use reeve::store::{OutboxState, Store};

use crate::support::databases::databases;

const CASES: usize = 200;
const CLIENTS: usize = 50;
/// Items that the cases are spread over: what counts together.
const ITEMS: usize = 10;
/// Each worth this much: ten of one item one person of tier two may release, the eleventh takes two, one of finance.
const WORTH: i64 = 96_000;

/// Nothing has changed.
struct AllHolds;

#[async_trait]
impl Recheck for AllHolds {
    async fn recheck(&self, _: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>> {
        Ok(steps.iter().map(|_| Vec::new()).collect())
    }

    async fn facts(&self, _: &Case, _: &Action) -> anyhow::Result<reeve::domain::policy::Facts> {
        Ok(reeve::domain::policy::Facts::default())
    }

    async fn moved(&self, _: &Case, _: &Recommendation) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
    }

    async fn promised(&self, _: &Case) -> anyhow::Result<Promised> {
        Ok(Promised::default())
    }

    async fn mode(&self, _: &Case) -> anyhow::Result<reeve::domain::mode::Mode> {
        Ok(reeve::domain::mode::Mode::Live)
    }

    async fn owner(&self, _: &Case) -> anyhow::Result<Option<PersonId>> {
        Ok(None)
    }

    async fn concerned(&self, _: &Case) -> anyhow::Result<Vec<PersonId>> {
        Ok(Vec::new())
    }
}

fn start() -> Timestamp {
    "2026-10-08T08:00:00Z".parse().unwrap()
}

/// Thirty approvers of tier two, ten of finance, ten directors.
fn people() -> Vec<Person> {
    let roles = |n: usize| match n {
        0..30 => (vec![Role::Approver], 2),
        30..40 => (vec![Role::Approver, Role::Finance], 3),
        _ => (vec![Role::Approver, Role::Director], 4),
    };
    let person = |n: usize| {
        let (roles, tier) = roles(n);
        let id = PersonId::new(format!("p{n}"));
        Person { name: id.to_string(), roles, tier, ..Person::gone(id) }
    };
    (0..CLIENTS).map(person).collect()
}

async fn fill(store: &Store) -> Vec<Recommendation> {
    let mut all = Vec::new();
    for n in 0..CASES {
        let mut case = Case {
            state: CaseState::New,
            subject: Subject::at(&ItemId::new((n % ITEMS).to_string()), &LocationId::new("1")),
            ..reeve_testing::cases::case(&format!("case-{n:03}"), &[], start())
        };
        store.save_detection(&[], &[(case.clone(), None)], &[], &[], None).await.unwrap();
        case.version = 2;
        case.evidence_hash = Some("e1".to_owned());
        case.state = CaseState::Open;
        let none = Range::certain(Money::ZERO);
        let candidate = Candidate {
            id: "A1".to_owned(),
            action: Action::Transfer {
                item: ItemId::new((n % ITEMS).to_string()),
                from: LocationId::new("1"),
                to: LocationId::new("2"),
                quantity: Quantity::units(40),
                ship_on: "2026-10-09".parse().unwrap(),
            },
            summary: format!("move 40 for case {n}"),
            money: MoneySum::new(1.0, Range::certain(Money::from_minor(90_000)), none, Money::ZERO, Money::ZERO),
            value: Money::from_minor(WORTH),
            latest_date: "2026-10-20".parse().unwrap(),
            checks: vec![],
            cites: vec![],
            then: vec![],
        };
        let drafter = Drafter::Playbook { because: None };
        let rec =
            Recommendation::drafted(case.id.clone(), 1, candidate, Prose::default(), "e1".to_owned(), drafter, start());
        store.replace_recommendations(&case, 1, std::slice::from_ref(&rec), &[]).await.unwrap();
        all.push(rec);
    }
    all
}

/// One person going through all cases in an order of their own, sometimes twice, until none waits for them.
async fn client(n: usize, approvals: Approvals, recs: Arc<Vec<Recommendation>>) -> usize {
    let mut counted = 0;
    for step in 0..CASES {
        let rec = &recs[(step * 37 + n * 53) % CASES];
        let verb = match (n + step) % 7 {
            0 => Verb::Reject { reason: RejectReason::NotWorthIt, note: String::new() },
            _ => Verb::Approve,
        };
        let request = DecisionRequest {
            idempotency_key: format!("{n}-{step}"),
            person: PersonId::new(format!("p{n}")),
            channel: "web".to_owned(),
            hand: reeve::domain::hand::Hand::Own,
            recommendation_id: rec.id.clone(),
            content_hash: rec.content_hash(),
            verb,
        };
        loop {
            match approvals.decide(&request).await {
                Ok(first) => {
                    counted += 1;
                    // The network lost the answer, and the browser asks again.
                    assert_eq!(approvals.decide(&request).await.unwrap(), first);
                    break;
                }
                Err(DecisionRefused::Busy) => tokio::task::yield_now().await,
                Err(DecisionRefused::Failed(error)) => panic!("{error:#}"),
                Err(_) => break,
            }
        }
    }
    counted
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_people_on_the_same_cases_decide_each_once_and_pass_no_limit() {
    for db in databases().await {
        let mut config = Config::load_from(None, &[]).unwrap();
        config.people = people();
        let config = Arc::new(config);
        let process = |store: Store| Approvals {
            store,
            config: Arc::clone(&config),
            clock: Clock::standing_at(start()),
            recheck: Arc::new(AllHolds),
            turn: Arc::default(),
        };
        let one = process(Store::open_and_migrate(&db.store_url()).await.unwrap());
        let two = process(Store::open_and_migrate(&db.store_url()).await.unwrap());
        let recs = Arc::new(fill(&one.store).await);
        assert_eq!(one.submit().await.unwrap(), CASES);
        let mut clients = tokio::task::JoinSet::new();
        for n in 0..CLIENTS {
            let approvals = if n % 2 == 0 { one.clone() } else { two.clone() };
            clients.spawn(client(n, approvals, Arc::clone(&recs)));
        }
        let answered: usize = clients.join_all().await.into_iter().sum();
        check(&one.store, &recs, answered, db.kind()).await;
        two.store.close().await;
        one.store.close().await;
    }
}

async fn check(store: &Store, recs: &[Recommendation], answered: usize, kind: &str) {
    let (mut approved, mut rejected, mut waiting) = (0, 0, 0);
    for rec in recs {
        let (now, _) = store.get_recommendation(&rec.id).await.unwrap();
        match &now.state {
            State::Approved { by, .. } => {
                approved += 1;
                assert!(by.len() == 1 || by[0] != by[1], "{kind}: one person's two signatures");
            }
            State::Rejected { .. } => rejected += 1,
            State::Signed { .. } | State::Queued => waiting += 1,
            other => panic!("{kind}: {}", other.name()),
        }
    }
    assert_eq!(approved + rejected, CASES, "{kind}: {waiting} wait");
    let decisions = store.list_decisions(Timestamp::UNIX_EPOCH).await.unwrap();
    assert_eq!(decisions.len(), answered, "{kind}: every counted click is one decision, every decision one click");
    let outbox = store.list_outbox(OutboxState::Pending).await.unwrap();
    assert_eq!(outbox.len(), approved, "{kind}: one message for each approval");
    no_limit_is_passed(store, kind).await;
    store.verify_audit().await.unwrap();
}

/// Goes through the log in its order and adds up by item, as the limits do: what one person released alone must have been
/// within their tier at that moment.
async fn no_limit_is_passed(store: &Store, kind: &str) {
    let log = store.list_audit(0, 100_000).await.unwrap();
    let mut released: BTreeMap<String, i64> = BTreeMap::new();
    let mut done: BTreeSet<RecommendationId> = BTreeSet::new();
    let mut alone = 0;
    for entry in log.iter().filter(|e| e.entry.action == "recommendation.approved") {
        let detail = &entry.entry.detail;
        let id = RecommendationId::new(entry.entry.subject.trim_start_matches("recommendation:"));
        assert!(done.insert(id), "{kind}: approved twice");
        let item = detail["action"]["item"].as_str().unwrap().to_owned();
        let by = detail["by"].as_array().unwrap();
        let sum = released.entry(item).or_default();
        *sum += WORTH;
        if by.len() == 1 {
            alone += 1;
            assert!(*sum <= 1_000_000, "{kind}: {} alone released the item's {sum}", by[0]);
        }
    }
    assert!(alone > 0 && released.values().any(|sum| *sum > 500_000), "{kind}: the limits were never near");
}
