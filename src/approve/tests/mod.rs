//! Decisions on a real store with a made-up case.

mod judged_anew;

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
        opened_at: start(),
        updated_at: start(),
    };
    store.save_detection(&[], &[(case, None)], &[], None).await.unwrap();
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
        for (id, role) in [("adm", Role::Admin), ("system", Role::Approver)] {
            let (id, name) = (PersonId::new(id), id.to_owned());
            config.people.push(Person { name, roles: vec![role], tier: 4, ..Person::gone(id) });
        }
        let facts = Arc::new(Facts::default());
        let recheck: Arc<dyn Recheck> = Arc::clone(&facts) as _;
        let url = store.url().to_owned();
        let it = Approvals { store, config: Arc::new(config), clock: Clock::standing_at(start()), recheck };
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

mod plans;

fn reject(reason: RejectReason) -> Verb {
    Verb::Reject { reason, note: String::new() }
}

#[tokio::test]
async fn an_approval_decides_the_case_and_waits_in_the_outbox_until_the_undo_window_has_passed() {
    let (bench, recs) = Bench::queued(500).await;
    let answer = bench.approve("ari", &recs[0]).await.unwrap();
    assert_eq!((answer.tier, answer.needs_second, &*answer.state), (Some(Tier::T1), false, "approved"));
    let due = start() + SignedDuration::from_mins(5);
    assert_eq!(answer.undo_until, Some(due));
    assert_eq!(bench.case_state("case-1").await, "decided");
    let rows = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].due_at, due);
    let event: serde_json::Value = serde_json::from_str(&rows[0].body).unwrap();
    assert_eq!(event["specversion"], "1.0");
    assert_eq!(event["id"], *rows[0].id);
    assert_eq!(event["type"], "reeve.recommendation.approved.v1");
    assert_eq!(event["data"]["content_hash"], recs[0].content_hash());
    assert_eq!(event["data"]["action"]["parameters"]["quantity"]["amount"], "40");
    assert_eq!(event["data"]["value"]["amount"], "500.00");
    assert_eq!(event["data"]["approved_by"], serde_json::json!(["ari"]));
    let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
    let last = &log.last().unwrap().entry;
    assert_eq!((&*last.action, &*last.actor, &*last.content), ("recommendation.approved", "ari", &*recs[0].content_hash()));
    assert_eq!(last.detail["policy"], bench.it.config.rules.policy.version());
    assert_eq!(last.detail["tier"], "T1");
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn the_same_click_is_answered_the_same_and_a_contrary_one_is_told_who_was_first() {
    let (bench, recs) = Bench::queued(500).await;
    let click = bench.click("ari", &recs[0], Verb::Approve);
    let first = bench.it.decide(&click).await.unwrap();
    bench.later(1);
    let before = bench.snapshot().await;
    assert_eq!(bench.it.decide(&click).await.unwrap(), first);
    let again = bench.approve("ari", &recs[0]).await.unwrap();
    assert_eq!((again.at, &*again.state), (first.at, "approved"));
    for (rec, verb, told) in [
        (&recs[0], reject(RejectReason::NotReal), "Ari Approver approved this at 2026-10-08T08:00:00Z"),
        (&recs[0], Verb::Approve, "Ari Approver approved this"),
        (&recs[1], Verb::Approve, "Ari Approver approved TRANSFER of this case"),
    ] {
        let error = bench.decide("fay", rec, verb).await.unwrap_err().to_string();
        assert!(error.contains(told), "{error}");
    }
    assert_eq!(bench.snapshot().await, before);
}

#[tokio::test]
async fn an_idempotency_key_is_for_one_click_only() {
    let (bench, recs) = Bench::queued(500).await;
    let click = bench.click("ari", &recs[0], Verb::Approve);
    bench.it.decide(&click).await.unwrap();
    for other in [
        DecisionRequest { verb: reject(RejectReason::Policy), ..click.clone() },
        DecisionRequest { person: PersonId::new("fay"), ..click.clone() },
        DecisionRequest { recommendation_id: recs[1].id.clone(), ..click.clone() },
    ] {
        assert!(matches!(bench.it.decide(&other).await, Err(DecisionRefused::KeyReused)), "{other:?}");
    }
}

#[tokio::test]
async fn of_clicks_at_the_same_moment_on_one_case_exactly_one_counts() {
    let (bench, recs) = Bench::queued(500).await;
    let clicks = [
        bench.click("ari", &recs[0], Verb::Approve),
        bench.click("fay", &recs[1], Verb::Approve),
        bench.click("dan", &recs[0], reject(RejectReason::NotReal)),
        bench.click("dan", &recs[1], Verb::Approve),
    ];
    let [a, b, c, d] = &clicks;
    let all = tokio::join!(bench.it.decide(a), bench.it.decide(b), bench.it.decide(c), bench.it.decide(d));
    let mut won = 0;
    for one in [all.0, all.1, all.2, all.3] {
        match one {
            Ok(_) => won += 1,
            Err(error) => assert!(matches!(error, DecisionRefused::AlreadyDecided { .. }), "{error}"),
        }
    }
    assert_eq!(won, 1);
    assert!(bench.pending().await <= 1);
    assert_eq!(bench.it.store.list_decisions(Timestamp::UNIX_EPOCH).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_click_on_other_content_or_on_old_evidence_is_refused_with_the_new_card() {
    let (bench, recs) = Bench::queued(500).await;
    let mut click = bench.click("ari", &recs[0], Verb::Approve);
    click.content_hash = "0".repeat(64);
    match bench.it.decide(&click).await {
        Err(DecisionRefused::FactsChanged { moved: _, newest }) => assert_eq!(newest, Some(recs[0].id.clone())),
        other => panic!("{other:?}"),
    }
    let new = on_evidence(&bench.it.store, "case-1", "e2", vec![(transfer("7", 30), 400)]).await;
    bench.it.submit().await.unwrap();
    let before = bench.snapshot().await;
    for verb in [Verb::Approve, reject(RejectReason::NotReal)] {
        match bench.decide("ari", &recs[0], verb).await {
            Err(DecisionRefused::FactsChanged { moved: _, newest }) => assert_eq!(newest, Some(new[0].id.clone())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(bench.snapshot().await, before);
    bench.approve("ari", &new[0]).await.unwrap();
}

#[tokio::test]
async fn evidence_that_moved_without_a_new_card_refuses_too() {
    let (bench, recs) = Bench::queued(500).await;
    let mut case = bench.it.store.get_case(&CaseId::new("case-1")).await.unwrap();
    case.evidence_hash = Some("e2".into());
    case.version += 1;
    bench.it.store.advance_case(&case, case.version - 1, &[]).await.unwrap();
    let error = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::FactsChanged { moved: _, newest: None }), "{error}");
}

#[tokio::test]
async fn a_hard_check_that_fails_at_the_click_refuses_it_and_is_named() {
    let (bench, recs) = Bench::queued(500).await;
    *bench.facts.broken.lock().unwrap() = Some("40 > 12");
    let before = bench.snapshot().await;
    let error = bench.approve("ari", &recs[0]).await.unwrap_err().to_string();
    assert_eq!(error, "it can not be done any more: quantity ≤ free quantity (40 > 12)");
    assert_eq!(bench.snapshot().await, before);
    // To say no, nothing needs to be possible.
    bench.decide("ari", &recs[0], reject(RejectReason::RealButWrongAction)).await.unwrap();
}

#[tokio::test]
async fn a_hard_check_that_fails_at_the_queue_keeps_it_out() {
    let bench = Bench::new().await;
    *bench.facts.broken.lock().unwrap() = Some("40 > 12");
    let recs = with_case(&bench.it.store, "case-1", vec![(transfer("7", 40), 500)]).await;
    assert_eq!(bench.it.submit().await.unwrap(), 0);
    assert_eq!(bench.state(&recs[0].id).await, "superseded");
    let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
    assert_eq!(log[0].entry.detail["failed"][0]["detail"], "40 > 12");
}

#[tokio::test]
async fn tier_three_takes_two_people_one_of_finance() {
    let (bench, recs) = Bench::queued(20_000).await;
    let answer = bench.approve("ari", &recs[0]).await.unwrap();
    assert!(answer.needs_second && answer.tier == Some(Tier::T3));
    assert_eq!((bench.state(&recs[0].id).await, bench.pending().await), ("signed".into(), 0));
    assert_eq!(bench.case_state("case-1").await, "open");
    // The same person again adds nothing; a director is not finance.
    assert!(bench.approve("ari", &recs[0]).await.unwrap().needs_second);
    let error = bench.approve("dan", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::MayNotSign(Refused { because: Refusal::Pair { .. }, .. })), "{error}");
    let answer = bench.approve("fay", &recs[0]).await.unwrap();
    assert!(!answer.needs_second);
    let (rec, _) = bench.it.store.get_recommendation(&recs[0].id).await.unwrap();
    assert!(matches!(&rec.state, State::Approved { by, .. } if by.len() == 2));
    assert_eq!(bench.pending().await, 1);
}

#[tokio::test]
async fn a_signature_can_be_withdrawn_until_the_second_is_there() {
    let (bench, recs) = Bench::queued(20_000).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.later(60);
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    assert_eq!(bench.state(&recs[0].id).await, "queued");
    assert!(bench.approve("fay", &recs[0]).await.unwrap().needs_second);
}

#[tokio::test]
async fn whoever_may_not_decide_is_refused_and_nothing_changes() {
    let (bench, recs) = Bench::queued(5_000).await;
    let before = bench.snapshot().await;
    for (person, expected) in [
        ("adm", "being an administrator"),
        ("pia", "takes an approver"),
        ("system", "the system never approves"),
        ("stage:draft", "no person \"stage:draft\""),
        ("eve", "no person \"eve\""),
    ] {
        let error = bench.approve(person, &recs[0]).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{person}: {error}");
    }
    assert!(matches!(
        bench.decide("adm", &recs[0], reject(RejectReason::NotReal)).await,
        Err(DecisionRefused::NotAllowed(_))
    ));
    assert_eq!(bench.snapshot().await, before);
}

#[tokio::test]
async fn whose_count_or_receipt_it_concerns_can_not_approve_it() {
    let (bench, recs) = Bench::queued(500).await;
    bench.facts.concerned.lock().unwrap().push(PersonId::new("ari"));
    let error = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(_), .. })), "{error}");
    bench.approve("fay", &recs[0]).await.unwrap();
}

#[tokio::test]
async fn a_first_signature_does_not_count_once_its_signer_is_concerned() {
    let (bench, recs) = Bench::queued(20_000).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.facts.concerned.lock().unwrap().push(PersonId::new("ari"));
    let error = bench.approve("fay", &recs[0]).await.unwrap_err();
    assert!(
        matches!(&error, DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(who), .. }) if who == "Ari Approver"),
        "{error}"
    );
    // Ari can take it back, and then another pair can do it.
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    assert!(bench.approve("fay", &recs[0]).await.unwrap().needs_second);
    assert!(!bench.approve("dan", &recs[0]).await.unwrap().needs_second);
}

#[tokio::test]
async fn splitting_an_order_does_not_lower_its_tier() {
    let mut bench = Bench::new().await;
    let mut config = (*bench.it.config).clone();
    config.rules.policy.cumulative.days = 2;
    bench.it.config = Arc::new(config);
    let mut tiers = Vec::new();
    for n in 0..4 {
        // The same item, and each time somebody whose own approvals do not count: only the item adds up.
        let recs = bench.case(&format!("case-{n}"), "7", 400).await;
        let person = ["ari", "fay", "dan", "dan"][n];
        tiers.push(bench.approve(person, &recs[0]).await.unwrap().tier.unwrap());
    }
    assert_eq!(tiers, [Tier::T1, Tier::T1, Tier::T2, Tier::T2]);
    let recs = bench.case("case-9", "8", 400).await;
    assert_eq!(bench.approve("fay", &recs[0]).await.unwrap().tier, Some(Tier::T1), "another item, another chain");
    bench.later(3 * 24 * 60);
    let recs = bench.case("case-5", "7", 400).await;
    assert_eq!(bench.approve("ari", &recs[0]).await.unwrap().tier, Some(Tier::T1), "after the window");
}

#[tokio::test]
async fn two_approvals_at_once_can_not_pass_a_limit_that_they_break_together() {
    let bench = Bench::new().await;
    let mine = bench.case("case-1", "7", 600).await;
    let theirs = bench.case("case-2", "7", 600).await;
    let store = Store::open(&bench.url).await.unwrap();
    let facts = Arc::new(Facts::default()) as Arc<dyn Recheck>;
    let process = Approvals { store, recheck: facts, ..bench.it.clone() };
    // The other one is committed after the sum for mine was read, and before mine is written.
    *bench.facts.meanwhile.lock().unwrap() =
        Some((process, Meanwhile::Clicks(bench.click("fay", &theirs[0], Verb::Approve))));
    let answer = bench.approve("ari", &mine[0]).await.unwrap();
    assert_eq!((answer.tier, answer.counted), (Some(Tier::T2), Money::from_minor(120_000)));
    assert_eq!(bench.pending().await, 2);
    bench.it.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn an_edit_that_raises_the_value_takes_the_approver_of_the_new_value() {
    let (bench, recs) = Bench::queued(8_000).await;
    let edit = Verb::Edit { step: 1, action: Box::new(transfer("7", 60)) };
    let answer = bench.decide("pia", &recs[0], edit).await.unwrap();
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    assert_eq!(edited.candidate.value, Money::from_minor(1_200_000));
    let answer = bench.approve("ari", &edited).await.unwrap();
    assert!(answer.needs_second && answer.tier == Some(Tier::T3), "12,000 takes two people");
    assert!(matches!(bench.approve("dan", &edited).await, Err(DecisionRefused::MayNotSign(_))), "one of finance");
    assert!(!bench.approve("fay", &edited).await.unwrap().needs_second);
}

#[tokio::test]
async fn a_case_that_is_signed_once_still_runs_out_of_time() {
    let (bench, recs) = Bench::queued(20_000).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.later(5 * 24 * 60);
    assert_eq!(bench.it.remind_and_expire().await.unwrap().expired, 1);
    assert_eq!(bench.state(&recs[0].id).await, "expired");
    assert!(bench.approve("fay", &recs[0]).await.is_err());
    assert_eq!(bench.pending().await, 0);
}

#[tokio::test]
async fn a_clock_that_goes_back_releases_nothing_early() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.later(-24 * 60);
    let now = bench.it.clock.now();
    assert!(bench.it.store.claim_due(now, 9, std::time::Duration::from_mins(1)).await.unwrap().is_empty());
    assert_eq!(bench.it.remind_and_expire().await.unwrap(), Sweep::default());
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    assert_eq!(bench.pending().await, 0);
}

#[tokio::test]
async fn an_edit_waits_for_somebody_else_and_keeps_both_versions() {
    let (bench, recs) = Bench::queued(500).await;
    let edit = |units| Verb::Edit { step: 1, action: Box::new(transfer("7", units)) };
    let too_much = bench.decide("ari", &recs[0], edit(80)).await.unwrap_err();
    assert!(matches!(too_much, DecisionRefused::ChecksFailed(_)), "{too_much}");
    let other = Verb::Edit { step: 1, action: Box::new(transfer("8", 40)) };
    assert!(matches!(bench.decide("ari", &recs[0], other).await, Err(DecisionRefused::BadEdit(_))));

    let answer = bench.decide("ari", &recs[0], edit(60)).await.unwrap();
    assert_ne!(answer.recommendation_id, recs[0].id);
    assert_eq!(bench.state(&recs[0].id).await, "superseded");
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    assert_eq!((edited.rank, edited.candidate.value), (1, Money::from_minor(75_000)));
    assert!(edited.candidate.summary.starts_with("Changed by Ari Approver on"), "{}", edited.candidate.summary);
    assert!(matches!(&edited.drafter, Drafter::Edited { was, .. } if **was == recs[0].candidate.action));
    let error = bench.approve("ari", &edited).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(_), .. })), "{error}");

    // Another edit on top does not launder the first one.
    let answer = bench.decide("dan", &edited, edit(50)).await.unwrap();
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    for person in ["ari", "dan"] {
        assert!(matches!(
            bench.approve(person, &edited).await,
            Err(DecisionRefused::MayNotSign(Refused { because: Refusal::Touched(_), .. }))
        ));
    }
    assert_eq!(bench.approve("fay", &edited).await.unwrap().state, "approved_with_edit");
    let rows = bench.it.store.list_outbox(OutboxState::Pending).await.unwrap();
    assert!(rows[0].body.contains(r#""quantity":{"amount":"50""#), "{}", rows[0].body);
}

#[tokio::test]
async fn an_undo_inside_the_window_restores_the_case_and_nothing_leaves() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    let error = bench.decide("fay", &recs[0], Verb::Undo).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::Transition(TransitionError::NotYours { .. })), "{error}");
    bench.later(4);
    let undo = bench.click("ari", &recs[0], Verb::Undo);
    let answer = bench.it.decide(&undo).await.unwrap();
    assert_eq!(bench.it.decide(&undo).await.unwrap(), answer);
    assert_eq!((bench.pending().await, bench.case_state("case-1").await), (0, "open".into()));
    for rec in &recs {
        assert_eq!(bench.state(&rec.id).await, "queued");
    }
    // It can be approved anew, and that leaves under a new id.
    bench.approve("fay", &recs[0]).await.unwrap();
    assert_eq!(bench.pending().await, 1);
    assert_eq!(bench.it.store.list_outbox(OutboxState::Cancelled).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_undo_after_the_window_or_once_it_is_leaving_is_refused() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    bench.later(5);
    let error = bench.decide("ari", &recs[0], Verb::Undo).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::Transition(TransitionError::WindowClosed { .. })), "{error}");
    // A sender whose clock runs ahead has taken it out already: the outbox has the last word.
    let other = bench.case("case-2", "9", 500).await;
    bench.approve("ari", &other[0]).await.unwrap();
    let ahead = bench.it.clock.now() + SignedDuration::from_mins(6);
    assert_eq!(bench.it.store.claim_due(ahead, 9, std::time::Duration::from_mins(1)).await.unwrap().len(), 2);
    let before = bench.snapshot().await;
    assert!(matches!(bench.decide("ari", &other[0], Verb::Undo).await, Err(DecisionRefused::Leaving)));
    assert_eq!(bench.snapshot().await, before);
}

#[tokio::test]
async fn a_rejection_is_of_the_action_or_of_the_whole_case_as_its_reason_says() {
    let (bench, recs) = Bench::queued(500).await;
    bench.decide("pia", &recs[0], reject(RejectReason::WrongQuantity)).await.unwrap();
    assert_eq!((bench.state(&recs[1].id).await, bench.case_state("case-1").await), ("queued".into(), "open".into()));
    assert!(matches!(
        bench.decide("pia", &recs[1], reject(RejectReason::MissingContext)).await,
        Err(DecisionRefused::BadRequest(_))
    ));
    bench.later(1);
    bench.decide("pia", &recs[1], reject(RejectReason::NotReal)).await.unwrap();
    assert_eq!((bench.state(&recs[2].id).await, bench.case_state("case-1").await), ("rejected".into(), "closed".into()));
    bench.decide("pia", &recs[1], Verb::Undo).await.unwrap();
    let states = [bench.state(&recs[0].id).await, bench.state(&recs[1].id).await, bench.state(&recs[2].id).await];
    assert_eq!(states, ["rejected", "queued", "queued"]);
    assert_eq!(bench.case_state("case-1").await, "open");
}

#[tokio::test]
async fn rejecting_the_last_proposal_closes_the_case() {
    let (bench, recs) = Bench::queued(500).await;
    for rec in &recs {
        assert_ne!(bench.case_state("case-1").await, "closed");
        bench.decide("pia", rec, reject(RejectReason::RealButWrongAction)).await.unwrap();
    }
    assert_eq!(bench.case_state("case-1").await, "closed");
}

#[tokio::test]
async fn a_snooze_puts_the_case_off_and_passes_nothing() {
    let (bench, recs) = Bench::queued(500).await;
    let until = |day: &str| Verb::Snooze { until: day.parse().unwrap(), wake: WakeCondition::Grew };
    for day in ["2026-10-08", "2026-10-01", "2027-10-08"] {
        assert!(matches!(bench.decide("pia", &recs[0], until(day)).await, Err(DecisionRefused::BadRequest(_))), "{day}");
    }
    bench.decide("pia", &recs[0], until("2026-10-10")).await.unwrap();
    assert_eq!((bench.state(&recs[1].id).await, bench.case_state("case-1").await), ("snoozed".into(), "snoozed".into()));
    let error = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(error, DecisionRefused::Transition(_)), "{error}");
    bench.later(24 * 60);
    assert_eq!(bench.it.remind_and_expire().await.unwrap(), Sweep::default());
    bench.later(24 * 60);
    assert_eq!(bench.it.remind_and_expire().await.unwrap().woken, 1);
    bench.approve("ari", &recs[0]).await.unwrap();
}

#[tokio::test]
async fn silence_reminds_then_escalates_then_expires_and_never_approves() {
    let (bench, recs) = Bench::queued(500).await;
    let mut told = Vec::new();
    for _ in 0..14 {
        bench.later(12 * 60);
        let sweep = bench.it.remind_and_expire().await.unwrap();
        told.push((sweep.reminded, sweep.escalated, sweep.expired));
    }
    let mut expected = vec![(0, 0, 0); 14];
    // Thursday 08:00 on: eight working hours are over in the evening, when nobody is disturbed; sixteen on Friday afternoon,
    // and then it is the weekend.
    expected[1] = (1, 0, 0);
    expected[7] = (0, 1, 0);
    // The last useful day is the 12th; the 13th begins after nine half days.
    expected[9] = (0, 0, 1);
    assert_eq!(told, expected);
    assert_eq!((bench.state(&recs[0].id).await, bench.case_state("case-1").await), ("expired".into(), "expired".into()));
    assert_eq!(bench.pending().await, 0);
    let log = bench.it.store.list_audit_of("case:case-1").await.unwrap();
    let told = |action: &str| log.iter().find(|e| e.entry.action == action).unwrap().entry.detail["told"].to_string();
    assert_eq!(
        (told("case.reminded"), told("case.escalated")),
        (r#"["ari","pia"]"#.into(), r#"["ari","dan","fay"]"#.into())
    );
    assert_eq!(log.last().unwrap().entry.detail["lost_to_waiting"], 10_000);
    assert!(bench.approve("ari", &recs[0]).await.is_err());
}

#[tokio::test]
async fn the_other_proposals_leave_the_queue_when_the_undo_window_has_passed() {
    let (bench, recs) = Bench::queued(500).await;
    bench.approve("ari", &recs[0]).await.unwrap();
    assert_eq!(bench.it.remind_and_expire().await.unwrap().cleared, 0);
    bench.later(5);
    assert_eq!(bench.it.remind_and_expire().await.unwrap().cleared, 1);
    assert_eq!(bench.state(&recs[1].id).await, "superseded");
    assert_eq!(bench.state(&recs[0].id).await, "approved");
}

#[tokio::test]
async fn a_batch_takes_one_action_and_tier_and_lists_failures_singly() {
    let bench = Bench::new().await;
    let first = bench.case("case-1", "1", 300).await;
    let second = bench.case("case-2", "2", 300).await;
    let large = bench.case("case-3", "3", 3_000).await;
    let third = bench.case("case-4", "4", 600).await;
    let mut stale = bench.click("ari", &second[1], Verb::Approve);
    stale.content_hash = String::new();
    let batch = vec![
        bench.click("ari", &first[0], Verb::Approve),
        stale,
        bench.click("ari", &second[0], Verb::Approve),
        bench.click("ari", &large[0], Verb::Approve),
        bench.click("ari", &first[2], Verb::Approve),
        // Alone it would be T1; after the others it is not.
        bench.click("ari", &third[0], Verb::Approve),
        bench.click("ari", &third[1], reject(RejectReason::NotReal)),
    ];
    let answer = bench.it.decide_batch(batch).await;
    assert_eq!((answer.done.len(), answer.sum), (2, Money::from_minor(60_000)));
    let why: Vec<String> = answer.refused.iter().map(|f| f.because.to_string()).collect();
    assert_eq!(why.len(), 5);
    assert!(why[0].contains("facts changed"), "{why:?}");
    assert!(why[1].contains("TRANSFER T2") && why[1].contains("TRANSFER T1"), "{why:?}");
    assert!(why[2].contains("NO-ACTION T0"), "{why:?}");
    assert!(why[3].contains("TRANSFER T2"), "{why:?}");
    assert!(why[4].contains("approvals only"), "{why:?}");
}

#[tokio::test]
async fn a_decision_that_was_cut_off_before_its_commit_leaves_no_trace_and_can_be_repeated() {
    let (bench, recs) = Bench::queued(500).await;
    let before = bench.snapshot().await;
    let click = bench.click("ari", &recs[0], Verb::Approve);
    let mut cut_short = 0;
    // Dropped at each of its waiting points in turn, as a kill would, until it gets through.
    for polls in 1.. {
        let mut decision = Box::pin(bench.it.decide(&click));
        let finished = cut_off(&mut decision, polls).await;
        drop(decision);
        if finished {
            break;
        }
        let other = Store::open(&bench.url).await.unwrap();
        // The database may still be finishing what was cut off: look until two looks agree.
        let (kept, after) = loop {
            let kept = other.find_decision(&click.idempotency_key).await.unwrap().is_some();
            let after = bench.snapshot().await;
            if other.find_decision(&click.idempotency_key).await.unwrap().is_some() == kept {
                break (kept, after);
            }
        };
        other.close().await;
        if kept {
            // Committed, but the answer did not arrive: all of it is there.
            assert_eq!((bench.pending().await, bench.case_state("case-1").await), (1, "decided".into()));
        } else {
            assert_eq!(after, before, "half of it was written after {polls} steps");
            cut_short += 1;
        }
    }
    assert!(cut_short > 5, "it was cut off {cut_short} times only");
    let answer = bench.it.decide(&click).await.unwrap();
    assert_eq!(answer.state, "approved");
    assert_eq!(bench.pending().await, 1);
    bench.it.store.verify_audit().await.unwrap();
}

/// Drives `work` through at most `polls` steps; true when it finished.
async fn cut_off<F: Future + Unpin>(work: &mut F, polls: usize) -> bool {
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        std::pin::Pin::new(&mut *work).poll(context).map(|_| true)
    })
    .await
}

fn forward(to: &str) -> Verb {
    Verb::Forward { to: PersonId::new(to), note: "you know this supplier".into() }
}

fn give_back() -> Verb {
    Verb::Return { note: String::new() }
}

#[tokio::test]
async fn what_is_passed_on_asks_somebody_by_name_and_locks_nobody_out() {
    let (bench, recs) = Bench::queued(500).await;
    let before = bench.snapshot().await;
    for nobody in ["eve", "adm"] {
        let refused = bench.decide("pia", &recs[0], forward(nobody)).await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::Nowhere(_)), "{refused}");
    }
    bench.facts.concerned.lock().unwrap().push(PersonId::new("fay"));
    let refused = bench.decide("pia", &recs[0], forward("fay")).await.unwrap_err().to_string();
    assert!(refused.contains("own count or receipt"), "{refused}");
    assert_eq!(bench.snapshot().await, before);

    let answer = bench.decide("pia", &recs[0], forward("ari")).await.unwrap();
    assert_eq!(answer.state, "forwarded");
    let told = bench.it.store.list_notices(&PersonId::new("ari")).await.unwrap();
    assert!(told[0].said.contains("Pia Planner asks you") && told[0].said.contains("you know this supplier"), "{told:?}");
    // Only whom it is with gives it back; the one who passed it on may take that back.
    let refused = bench.decide("dan", &recs[0], give_back()).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::Transition(TransitionError::NotWithYou { .. })), "{refused}");
    bench.decide("ari", &recs[0], give_back()).await.unwrap();
    assert_eq!(bench.state(&recs[0].id).await, "queued");
    assert!(bench.it.store.list_notices(&PersonId::new("pia")).await.unwrap()[0].said.contains("gave this back"));

    bench.decide("pia", &recs[0], forward("ari")).await.unwrap();
    let answer = bench.approve("dan", &recs[0]).await.unwrap();
    assert_eq!((answer.state.as_str(), bench.pending().await), ("approved", 1));
    assert!(bench.it.store.list_notices(&PersonId::new("ari")).await.unwrap().is_empty(), "it waits no more");
}

#[tokio::test]
async fn the_first_signature_stays_while_the_second_is_asked_for_by_name() {
    let (bench, recs) = Bench::queued(20_000).await;
    assert!(bench.approve("dan", &recs[0]).await.unwrap().needs_second);
    bench.decide("dan", &recs[0], forward("fay")).await.unwrap();
    let again = bench.approve("dan", &recs[0]).await.unwrap();
    assert!(again.needs_second, "one person's two signatures are one");
    let answer = bench.approve("fay", &recs[0]).await.unwrap();
    assert_eq!((answer.state.as_str(), bench.pending().await), ("approved", 1));
}

#[tokio::test]
async fn a_click_on_facts_that_read_otherwise_by_now_is_refused_with_what_moved() {
    let (bench, recs) = Bench::queued(500).await;
    let before = bench.snapshot().await;
    bench.facts.moved.lock().unwrap().push("on hand: 40 then, 12 now".into());
    let refused = bench.approve("ari", &recs[0]).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::FactsChanged { .. }));
    assert!(refused.to_string().contains("on hand: 40 then, 12 now"), "{refused}");
    assert_eq!(bench.snapshot().await, before);
    bench.facts.moved.lock().unwrap().clear();
    assert_eq!(bench.approve("ari", &recs[0]).await.unwrap().state, "approved");
}

#[tokio::test]
async fn a_case_is_folded_into_another_once_and_only_while_both_wait() {
    let (bench, recs) = Bench::queued(500).await;
    let others = bench.case("case-2", "8", 500).await;
    let into = |id: &str| Verb::Merge { into: CaseId::new(id) };
    for nowhere in ["case-1", "case-9"] {
        let refused = bench.decide("pia", &recs[0], into(nowhere)).await.unwrap_err();
        assert!(matches!(refused, DecisionRefused::Nowhere(_)), "{refused}");
    }
    let version = bench.it.store.get_case(&CaseId::new("case-2")).await.unwrap().version;
    bench.decide("pia", &recs[0], into("case-2")).await.unwrap();
    assert_eq!(bench.case_state("case-1").await, "merged");
    for rec in &recs {
        assert_eq!(bench.state(&rec.id).await, "superseded");
        assert!(bench.approve("ari", rec).await.is_err(), "what was folded away can not be approved");
    }
    assert_eq!(bench.it.store.get_case(&CaseId::new("case-2")).await.unwrap().version, version + 1);
    assert_eq!(bench.state(&others[0].id).await, "queued");
    // A signature is somebody's word: it is not swept away by a merge.
    let (bench, recs) = Bench::queued(20_000).await;
    bench.case("case-2", "8", 500).await;
    bench.approve("dan", &recs[0]).await.unwrap();
    let refused = bench.decide("pia", &recs[1], into("case-2")).await.unwrap_err().to_string();
    assert!(refused.contains("somebody has signed"), "{refused}");
}

#[tokio::test]
async fn a_snooze_ends_when_its_condition_holds_and_not_before() {
    let (bench, recs) = Bench::queued(500).await;
    let wake = WakeCondition::ValueAbove { value: Money::from_minor(90_000) };
    let verb = Verb::Snooze { until: "2026-10-12".parse().unwrap(), wake };
    bench.decide("pia", &recs[0], verb).await.unwrap();
    assert_eq!(bench.it.remind_and_expire().await.unwrap().woken, 0);
    let mut case = bench.it.store.get_case(&CaseId::new("case-1")).await.unwrap();
    for (value, woken) in [(90_000, 0), (90_001, 1)] {
        case.version += 1;
        case.rank = Some(rank(value));
        bench.it.store.advance_case(&case, case.version - 1, &[]).await.unwrap();
        assert_eq!(bench.it.remind_and_expire().await.unwrap().woken, woken, "{value}");
    }
    assert_eq!(bench.state(&recs[0].id).await, "queued");
}

fn rank(value: i64) -> crate::domain::case::Rank {
    let range = Range::certain(Money::from_minor(value));
    crate::domain::case::Rank {
        lane: crate::domain::case::Lane::Ordinary,
        p: 1.0,
        value: range,
        at_stake: range.expected,
        deadline: "2026-10-20".parse().unwrap(),
        wait_cost: Money::ZERO,
        hangs_on: None,
        unknown: false,
        slack_days: 5.0,
        perishing: 0.5,
        priority: range.expected,
    }
}

#[tokio::test]
async fn taking_back_a_rejection_does_not_open_a_case_that_is_approved() {
    let (bench, recs) = Bench::queued(500).await;
    let wrong = Verb::Reject { reason: RejectReason::RealButWrongAction, note: String::new() };
    bench.decide("pia", &recs[1], wrong).await.unwrap();
    bench.approve("ari", &recs[0]).await.unwrap();
    let before = bench.snapshot().await;
    let refused = bench.decide("pia", &recs[1], Verb::Undo).await.unwrap_err().to_string();
    assert!(refused.contains("another proposal of this case is approved"), "{refused}");
    assert!(bench.approve("dan", &recs[1]).await.is_err());
    assert_eq!((bench.snapshot().await, bench.pending().await), (before, 1));
    // Taken back in order, everything is as it was.
    bench.decide("ari", &recs[0], Verb::Undo).await.unwrap();
    bench.decide("pia", &recs[1], Verb::Undo).await.unwrap();
    assert_eq!((bench.case_state("case-1").await, bench.pending().await), ("open".into(), 0));
}

#[tokio::test]
async fn what_was_passed_on_is_superseded_like_everything_else_when_the_facts_move() {
    let (bench, recs) = Bench::queued(500).await;
    bench.decide("pia", &recs[0], forward("ari")).await.unwrap();
    let new = on_evidence(&bench.it.store, "case-1", "e2", vec![(transfer("7", 30), 500)]).await;
    assert_eq!(bench.state(&recs[0].id).await, "superseded");
    bench.it.submit().await.unwrap();
    bench.approve("ari", &new[0]).await.unwrap();
}

#[tokio::test]
async fn an_edit_does_not_lower_what_fixed_parts_are_worth() {
    let bench = Bench::new().await;
    let recs = bench.case("case-1", "7", 1_500).await;
    let fewer = Verb::Edit { step: 1, action: Box::new(transfer("7", 10)) };
    let answer = bench.decide("pia", &recs[0], fewer).await.unwrap();
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    assert_eq!(edited.candidate.value, recs[0].candidate.value, "a quarter of the units is not a quarter of the van");
    let answer = bench.approve("ari", &edited).await.unwrap();
    assert_eq!(answer.tier, Some(Tier::T2));
}

#[tokio::test]
async fn what_could_only_leave_after_its_last_day_is_not_acknowledged() {
    let (bench, recs) = Bench::queued(500).await;
    let to_midnight = SignedDuration::from_hours(4 * 24 + 16) - SignedDuration::from_mins(3);
    bench.it.clock.set(start() + to_midnight);
    let refused = bench.approve("ari", &recs[0]).await.unwrap_err().to_string();
    assert!(refused.contains("would leave after that"), "{refused}");
    assert_eq!(bench.pending().await, 0);
}

#[tokio::test]
async fn who_stands_in_signs_with_the_other_s_rights_and_both_names_are_in_the_log() {
    let (bench, recs) = Bench::queued(500).await;
    let (ari, pia) = (PersonId::new("ari"), PersonId::new("pia"));
    let day = |text: &str| text.parse::<Date>().unwrap();
    assert!(bench.approve("pia", &recs[0]).await.is_err(), "a planner for themself does not");
    let made = bench.it.delegate(&ari, &pia, (day("2026-10-08"), day("2026-10-10")), "on leave", "web").await.unwrap();
    assert!(bench.it.store.list_notices(&pia).await.unwrap()[0].said.contains("You stand in for Ari Approver"));
    // Separation of duties holds for both.
    bench.facts.concerned.lock().unwrap().push(ari.clone());
    assert!(bench.approve("pia", &recs[0]).await.is_err());
    bench.facts.concerned.lock().unwrap().clear();
    assert_eq!(bench.approve("pia", &recs[0]).await.unwrap().state, "approved");
    let log = bench.it.store.list_audit_of(&format!("recommendation:{}", recs[0].id)).await.unwrap();
    let last = &log.last().unwrap().entry;
    assert_eq!((last.actor.as_str(), last.detail["on_behalf_of"].to_string()), ("pia", r#"["ari"]"#.to_owned()));
    // Ended, it holds no more; and nobody else could have ended it.
    assert!(bench.it.end_delegation(&made.id, &PersonId::new("dan"), "web").await.is_err());
    bench.it.end_delegation(&made.id, &ari, "web").await.unwrap();
    let recs = bench.case("case-2", "8", 500).await;
    assert!(bench.approve("pia", &recs[0]).await.is_err());
}

#[tokio::test]
async fn passing_on_again_and_again_tells_once_a_day() {
    let (bench, recs) = Bench::queued(500).await;
    let (fay, ari) = (PersonId::new("fay"), PersonId::new("ari"));
    let forward = || Verb::Forward { to: fay.clone(), note: String::new() };
    let told = async |who: &PersonId| bench.it.store.list_notices(who).await.unwrap().len();
    for _ in 0..3 {
        bench.decide("ari", &recs[0], forward()).await.unwrap();
        bench.later(1);
        bench.decide("fay", &recs[0], Verb::Return { note: String::new() }).await.unwrap();
        bench.later(1);
    }
    assert_eq!((told(&fay).await, told(&ari).await), (1, 1), "one that it was passed on, one that it came back");
    // Somebody else who asks, something else that is asked, and another day are to be told of.
    bench.decide("pia", &recs[0], forward()).await.unwrap();
    bench.decide("fay", &recs[0], Verb::Return { note: String::new() }).await.unwrap();
    assert_eq!(told(&fay).await, 2);
    bench.decide("ari", &recs[1], forward()).await.unwrap();
    assert_eq!(told(&fay).await, 3);
    bench.later(24 * 60);
    bench.decide("ari", &recs[0], forward()).await.unwrap();
    assert_eq!(told(&fay).await, 4);
}

#[tokio::test]
async fn the_same_rights_are_not_given_twice_for_the_same_days() {
    let (bench, _) = Bench::queued(500).await;
    let day = |text: &str| text.parse::<Date>().unwrap();
    let (ari, fay, dan) = (PersonId::new("ari"), PersonId::new("fay"), PersonId::new("dan"));
    let give = async |from: &PersonId, to: &PersonId, starts: &str, ends: &str| {
        bench.it.delegate(from, to, (day(starts), day(ends)), "on leave", "web").await
    };
    let made = give(&ari, &fay, "2026-10-08", "2026-10-10").await.unwrap();
    let before = bench.snapshot().await;
    for (starts, ends) in [("2026-10-08", "2026-10-10"), ("2026-10-10", "2026-10-12"), ("2026-10-09", "2026-10-09")] {
        bench.later(1);
        let refused = give(&ari, &fay, starts, ends).await.unwrap_err().to_string();
        assert!(refused.contains("stands in for ari from 2026-10-08 to 2026-10-10 already"), "{refused}");
    }
    assert_eq!(bench.snapshot().await, before);
    give(&ari, &fay, "2026-10-11", "2026-10-12").await.unwrap();
    give(&ari, &dan, "2026-10-08", "2026-10-10").await.unwrap();
    // What was ended is in nobody's way; what is over is no longer read.
    bench.it.end_delegation(&made.id, &ari, "web").await.unwrap();
    give(&ari, &fay, "2026-10-08", "2026-10-10").await.unwrap();
    assert_eq!(bench.it.standing_in().await.unwrap().len(), 3);
    bench.later(24 * 60 * 4);
    assert_eq!(bench.it.standing_in().await.unwrap().len(), 1);
    assert!(bench.it.end_delegation(&made.id, &ari, "web").await.is_err(), "there is nothing to end any more");
}
