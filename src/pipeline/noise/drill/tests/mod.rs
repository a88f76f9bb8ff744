//! Drills on a real store: planted, answered, and never let out.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::approve::{Approvals, DecisionAnswer, DecisionRefused, DecisionRequest, Verb};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::action::{Check, MoneySum, Range};
use crate::domain::case::Rank;
use crate::domain::decision::{DecisionVerb, RejectReason, WakeCondition};
use crate::domain::digest::{BelowLine, Digest};
use crate::domain::exception::Subject;
use crate::domain::ids::{ItemId, PersonId};
use crate::domain::outbox::OutboxKind;
use crate::domain::recommendation::Prose;
use crate::pipeline::promises::Promises;
use crate::pipeline::recheck::Promised;
use crate::store::{Change, DrillCounts, DrillResult, NewOutbox, OutboxState, Store, StoredDigest};

mod shown;

/// Up to 100 units are free at the donor.
struct Free;

#[async_trait::async_trait]
impl Recheck for Free {
    async fn recheck(&self, _: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>> {
        let check = |action: &&Action| {
            let asked = action.quantity().unwrap_or(Quantity::ZERO);
            // Twelve times two, three and five pass, and ten times does not: a drill that a check would catch tests nobody.
            let passed = asked <= Quantity::units(100);
            let name = "quantity ≤ free quantity".to_owned();
            vec![Check { name, detail: format!("{asked} ≤ 100"), passed, hard: true }]
        };
        Ok(steps.iter().map(check).collect())
    }

    async fn facts(&self, _: &Case, _: &Action) -> anyhow::Result<crate::domain::policy::Facts> {
        Ok(crate::domain::policy::Facts::default())
    }

    async fn moved(&self, _: &Case, _: &Recommendation) -> anyhow::Result<Vec<String>> {
        Ok(Vec::new())
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
        Ok(Vec::new())
    }
}

fn start() -> Timestamp {
    "2026-10-08T08:00:00Z".parse().unwrap()
}

fn today() -> Date {
    "2026-10-08".parse().unwrap()
}

struct Bench {
    control: NoiseControl,
    approvals: Approvals,
}

impl Bench {
    /// One queued case in today's digest, and drills in every case that can take one.
    async fn new(share: &str) -> Self {
        let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
        let mut config = Config::load_from(None, &[]).unwrap();
        config.rules.policy.drills.share = share.parse().unwrap();
        let (config, clock) = (Arc::new(config), Clock::standing_at(start()));
        let recheck: Arc<dyn Recheck> = Arc::new(Free);
        let approvals = Approvals {
            store: store.clone(),
            config: config.clone(),
            clock: clock.clone(),
            recheck: recheck.clone(),
            turn: Arc::default(),
        };
        let it = Self { control: NoiseControl { store, config, clock, recheck }, approvals };
        it.case("case-1").await;
        // A drill is planted only in what people were shown today.
        it.digest(&[line("case-1")]).await;
        it
    }

    async fn case(&self, id: &str) {
        let store = &self.control.store;
        let case = Case {
            id: CaseId::new(id),
            version: 1,
            state: CaseState::Open,
            exceptions: vec![],
            codes: vec![],
            subject: Subject::at(&ItemId::new("7"), &LocationId::new("2")),
            links: vec![],
            headline: "48 of 60 came".into(),
            rank: Some(rank()),
            evidence_hash: None,
            owner: None,
            wanted: false,
            opened_at: start(),
            updated_at: start(),
        };
        store.save_detection(&[], &[(case.clone(), None)], &[], &[], None).await.unwrap();
        let mut case = Case { version: 2, evidence_hash: Some("e1".into()), ..case };
        case.updated_at = start();
        // Two, so that one can be answered while the drill stands in the other's place.
        let recs: Vec<Recommendation> = [(12, 1), (6, 2)]
            .into_iter()
            .map(|(units, rank)| {
                let drafter = Drafter::Playbook { because: None };
                let prose = Prose { rationale: format!("{units} units are short."), ..Prose::default() };
                let mut rec =
                    Recommendation::drafted(case.id.clone(), rank, candidate(units), prose, "e1".into(), drafter, start());
                rec.state = State::Queued;
                rec
            })
            .collect();
        store.replace_recommendations(&case, 1, &recs, &[]).await.unwrap();
    }

    async fn digest(&self, lines: &[DigestLine]) {
        let digest = Digest {
            day: today(),
            planner: None,
            as_of: start(),
            unread: Vec::new(),
            currency: "USD".into(),
            lines: lines.to_vec(),
            below: BelowLine::default(),
            planners: vec![],
            explained: vec![],
            at_stake: Money::ZERO,
            noise: vec![],
            decided: vec![],
            drafted_by: "playbook".into(),
            health: vec![],
            audit_head: (0, String::new()),
        };
        let (text, markdown, html) = (String::new(), String::new(), String::new());
        let stored = StoredDigest { digest, text, markdown, html, made_at: start() };
        let entry = entry("digest.made", "stage:notify", &self.recs("case-1").await[0], json!({}), start());
        self.control.store.put_digest(&stored, &entry).await.unwrap();
    }

    async fn recs(&self, case: &str) -> Vec<Recommendation> {
        let all = self.control.store.list_recommendations(&CaseId::new(case)).await.unwrap();
        all.into_iter().map(|(r, _)| r).collect()
    }

    async fn planted(&self) -> Recommendation {
        assert_eq!(plant(&self.control).await.unwrap(), 1);
        let drill = self.control.store.list_drills().await.unwrap().remove(0);
        self.control.store.get_recommendation(&drill.recommendation_id).await.unwrap().0
    }

    async fn decide(
        &self,
        key: &str,
        person: &str,
        rec: &Recommendation,
        verb: Verb,
    ) -> Result<DecisionAnswer, DecisionRefused> {
        let request = DecisionRequest {
            idempotency_key: key.into(),
            person: PersonId::new(person),
            channel: "web".into(),
            hand: crate::domain::hand::Hand::Own,
            recommendation_id: rec.id.clone(),
            content_hash: rec.content_hash(),
            verb,
        };
        self.approvals.decide(&request).await
    }

    async fn state(&self, rec: &Recommendation) -> String {
        self.control.store.get_recommendation(&rec.id).await.unwrap().0.state.name().to_owned()
    }

    async fn counts(&self) -> DrillCounts {
        self.control.store.drill_counts(Timestamp::UNIX_EPOCH, Timestamp::MAX).await.unwrap()
    }

    /// Nothing left, nothing counts, the case waits as before with what was really proposed.
    async fn nothing_followed(&self) {
        let store = &self.control.store;
        for state in [OutboxState::Pending, OutboxState::Sent, OutboxState::Cancelled, OutboxState::Dead] {
            assert!(store.list_outbox(state).await.unwrap().is_empty());
        }
        assert!(store.decided_values(Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
        assert!(Promises::firm(store).await.unwrap().to_others(&CaseId::new("other")).is_empty());
        let case = store.get_case(&CaseId::new("case-1")).await.unwrap();
        assert_eq!(case.state, CaseState::Open);
        let recs = self.recs("case-1").await;
        let first: Vec<_> = recs.iter().filter(|r| r.state == State::Queued).map(|r| r.rank).collect();
        assert_eq!(first, [1, 2]);
        store.verify_audit().await.unwrap();
    }
}

fn rank() -> Rank {
    Rank {
        lane: Lane::Ordinary,
        p: 0.9,
        value: Range::certain(Money::from_minor(9_000)),
        at_stake: Money::from_minor(12_000),
        deadline: "2026-10-12".parse().unwrap(),
        wait_cost: Money::ZERO,
        hangs_on: None,
        unknown: false,
        slack_days: 3.0,
        perishing: 0.3,
        priority: Money::from_minor(5_000),
    }
}

fn candidate(units: i64) -> Candidate {
    let loss = |amount: i64| Range::certain(Money::from_minor(amount));
    Candidate {
        id: "A1".into(),
        action: Action::Transfer {
            item: ItemId::new("7"),
            from: LocationId::new("1"),
            to: LocationId::new("2"),
            quantity: Quantity::units(units),
            ship_on: "2026-10-09".parse().unwrap(),
        },
        summary: format!("Move {units} units from Central to Riverside, shipping on 2026-10-09"),
        money: MoneySum::new(1.0, loss(9_000), loss(0), Money::ZERO, Money::ZERO),
        value: Money::from_minor(units * 720),
        latest_date: "2026-10-12".parse().unwrap(),
        checks: vec![],
        cites: vec![],
        then: vec![],
    }
}

fn line(case: &str) -> DigestLine {
    let rank = rank();
    DigestLine {
        case_id: CaseId::new(case),
        place: 1,
        codes: vec![],
        headline: String::new(),
        subject: String::new(),
        at_stake: rank.at_stake,
        value: rank.value,
        priority: rank.priority,
        p: rank.p,
        deadline: rank.deadline,
        wait_cost: Money::ZERO,
        slack_days: rank.slack_days,
        lane: rank.lane,
        action: String::new(),
        recommendation: String::new(),
        why: String::new(),
        alternatives: vec![],
        note: None,
        sampled: false,
        new: false,
    }
}

#[tokio::test]
async fn a_drill_passes_every_check_and_is_contradicted_by_what_stands_beside_it() {
    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    let real = bench.recs("case-1").await.into_iter().find(|r| r.rank == 1 && r.id != wrong.id).unwrap();
    let drill = bench.control.store.find_drill(&wrong.id).await.unwrap().unwrap();
    assert!(wrong.candidate.checks.iter().all(|c| c.passed), "{:?}", wrong.candidate.checks);
    assert_ne!(wrong.candidate.action, real.candidate.action);
    assert_ne!(wrong.candidate.summary, real.candidate.summary);
    // Everything else on the card is that of the true one, and so contradicts it.
    assert_eq!(
        (&wrong.prose, &wrong.candidate.money, &wrong.evidence_hash),
        (&real.prose, &real.candidate.money, &real.evidence_hash)
    );
    assert_eq!((wrong.rank, &wrong.drafter, wrong.drafted_at), (real.rank, &real.drafter, real.drafted_at));
    assert!(!drill.what.is_empty() && drill.end.is_none());
    // In the log it looks like any other that is queued, and on the card nothing tells.
    let log = bench.control.store.list_audit_of(&format!("recommendation:{}", wrong.id)).await.unwrap();
    assert_eq!(log[0].entry.action, "recommendation.queued");
    let said = format!("{} {:?} {:?}", serde_json::to_string(&wrong).unwrap(), log[0].entry.detail, log[0].entry.actor);
    assert!(!said.to_lowercase().contains("drill"), "{said}");
    // The same again plants no second one.
    assert_eq!(plant(&bench.control).await.unwrap(), 0);
}

#[tokio::test]
async fn a_drill_that_is_approved_is_revealed_and_nothing_follows() {
    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    let answer = bench.decide("k1", "ari", &wrong, Verb::Approve).await.unwrap();
    assert!(answer.is_drill() && answer.said.contains("This was a drill") && answer.undo_until.is_none(), "{answer:?}");
    assert_eq!(bench.decide("k1", "ari", &wrong, Verb::Approve).await.unwrap(), answer, "the same click, the same answer");
    assert_eq!(bench.state(&wrong).await, "superseded");
    assert_eq!(bench.counts().await, DrillCounts { answered: 1, caught: 0, accepted: 1 });
    bench.nothing_followed().await;
    let late = bench.decide("k2", "fay", &wrong, Verb::Approve).await.unwrap_err().to_string();
    assert!(late.contains("Ari Approver") && late.contains("drill (accepted)"), "{late}");
    assert!(bench.decide("k3", "ari", &wrong, Verb::Undo).await.is_err());
    assert_eq!(bench.counts().await.answered, 1);
    // What is really proposed can be decided at once, and limits start from nothing.
    let real = bench.recs("case-1").await.into_iter().find(|r| r.rank == 1 && r.state == State::Queued).unwrap();
    let real = bench.decide("k4", "ari", &real, Verb::Approve).await.unwrap();
    // Twelve at 7.20: nothing of what the drill was worth is in it.
    assert_eq!((real.state.as_str(), real.counted), ("approved", Money::from_minor(8_640)));
    let kept = bench.control.store.find_decision("k1").await.unwrap().unwrap();
    assert_eq!((kept.verb, kept.value), (DecisionVerb::Drill, Money::ZERO));
}

#[tokio::test]
async fn a_drill_that_is_turned_down_or_mended_is_caught() {
    for reason in [RejectReason::WrongQuantity, RejectReason::NotReal] {
        let bench = Bench::new("1").await;
        let wrong = bench.planted().await;
        let answer = bench.decide("k1", "ari", &wrong, Verb::Reject { reason, note: String::new() }).await.unwrap();
        assert!(answer.is_drill() && answer.said.contains("You noticed"), "{answer:?}");
        assert_eq!(bench.counts().await, DrillCounts { answered: 1, caught: 1, accepted: 0 });
        bench.nothing_followed().await;
    }
    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    let field = bench.control.store.list_drills().await.unwrap()[0].field.clone();
    let mut mended = wrong.candidate.action.clone();
    *mended.quantity_mut().unwrap() = Quantity::units(11);
    let answer = bench.decide("k1", "ari", &wrong, Verb::Edit { step: 1, action: Box::new(mended) }).await.unwrap();
    assert!(answer.is_drill());
    // What was wrong is drawn: another quantity mends only where it was the quantity.
    let caught = u32::from(field == "quantity");
    assert_eq!(bench.counts().await, DrillCounts { answered: 1, caught, accepted: 1 - caught });
    bench.nothing_followed().await;
}

#[tokio::test]
async fn whoever_may_not_approve_the_real_one_may_not_answer_the_drill() {
    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    let refused = bench.decide("k1", "pia", &wrong, Verb::Approve).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::MayNotSign(_)), "{refused}");
    assert_eq!(bench.counts().await.answered, 0);
    assert_eq!(bench.state(&wrong).await, "queued");
}

#[tokio::test]
async fn the_outbox_takes_no_drill_and_no_mute_whoever_asks() {
    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    let store = &bench.control.store;
    let message = |body: serde_json::Value| NewOutbox {
        id: "m1".into(),
        kind: OutboxKind::Approved,
        channel: "webhook".into(),
        body: body.to_string(),
        created_at: start(),
        due_at: start(),
        lane: String::new(),
        about: String::new(),
        step: 1,
        expires_at: None,
        shows: String::new(),
    };
    let data = json!({ "data": { "recommendation_id": wrong.id, "action": wrong.candidate.action } });
    // Of no drill, but an action that is carried out here and by nobody else.
    let mute = json!({ "data": { "recommendation_id": "r-0", "action": { "code": "MUTE" } } });
    for body in [data, mute] {
        let refused = store.enqueue(&[message(body.clone())], &[]).await.unwrap_err();
        assert!(matches!(refused, StoreError::NotForSending { .. }), "{refused}");
        let outbox = [message(body)];
        let refused = store.advance(Change { outbox: &outbox, ..Change::default() }).await.unwrap_err();
        assert!(matches!(refused, StoreError::NotForSending { .. }), "{refused}");
    }
    // Also after it was answered.
    bench.decide("k1", "ari", &wrong, Verb::Approve).await.unwrap();
    let late = message(json!({ "data": { "recommendation_id": wrong.id } }));
    assert!(store.enqueue(&[late], &[]).await.is_err());
    bench.nothing_followed().await;
}

#[tokio::test]
async fn a_drill_is_taken_back_when_its_day_is_over_or_its_case_is_answered_another_way() {
    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    assert_eq!(withdraw(&bench.control).await.unwrap(), 0, "it stands");
    // The next day has a digest of its own.
    bench.control.clock.set(start() + SignedDuration::from_hours(24));
    assert_eq!(withdraw(&bench.control).await.unwrap(), 1);
    assert_eq!(withdraw(&bench.control).await.unwrap(), 0);
    assert_eq!(bench.state(&wrong).await, "superseded");
    assert_eq!(bench.counts().await, DrillCounts::default(), "it says nothing");
    bench.nothing_followed().await;

    let bench = Bench::new("1").await;
    let wrong = bench.planted().await;
    let other = bench.recs("case-1").await.into_iter().find(|r| r.rank == 2).unwrap();
    bench.decide("k1", "ari", &other, Verb::Approve).await.unwrap();
    assert_eq!(withdraw(&bench.control).await.unwrap(), 1);
    assert_eq!(bench.state(&wrong).await, "superseded");
    let ends: BTreeMap<_, _> =
        bench.control.store.list_drills().await.unwrap().into_iter().map(|d| (d.recommendation_id, d.end)).collect();
    assert_eq!(ends[&wrong.id].as_ref().unwrap().0, DrillResult::Withdrawn);
    // The other one really left.
    assert_eq!(bench.control.store.list_outbox(OutboxState::Pending).await.unwrap().len(), 1);
}

#[tokio::test]
async fn there_are_no_drills_unless_asked_for_nor_where_one_could_cost_something() {
    assert_eq!(plant(&Bench::new("0").await.control).await.unwrap(), 0);
    // Less than a day to spare, a lane of its own, and one that is shown to measure what is missed.
    let pressing = DigestLine { slack_days: 0.9, ..line("case-1") };
    let due = DigestLine { lane: Lane::BillDue, ..line("case-1") };
    let sampled = DigestLine { sampled: true, ..line("case-1") };
    for line in [pressing, due, sampled] {
        assert!(!may_take_one(&line));
    }
    assert!(may_take_one(&line("case-1")));
    // About the share that was asked for, and the same draw however often it is asked.
    let drawn =
        |share: f64| (0..10_000).filter(|n| is_drawn("key", today(), &CaseId::new(format!("case-{n}")), share)).count();
    // About a hundred of ten thousand.
    assert!((60..150).contains(&drawn(0.01)), "{}", drawn(0.01));
    assert_eq!((drawn(0.0), drawn(1.0), drawn(0.01)), (0, 10_000, drawn(0.01)));
    // Somebody has begun with the case: it is left alone.
    let bench = Bench::new("1").await;
    let first = bench.recs("case-1").await.remove(0);
    bench.decide("k1", "pia", &first, Verb::Reject { reason: RejectReason::WrongDate, note: String::new() }).await.unwrap();
    let second = bench.recs("case-1").await.remove(1);
    let until = "2026-10-10".parse().unwrap();
    bench.decide("k2", "pia", &second, Verb::Snooze { until, wake: WakeCondition::Grew }).await.unwrap();
    assert_eq!(plant(&bench.control).await.unwrap(), 0);
}

#[test]
fn each_kind_of_drill_shows_what_is_wrong_in_the_summary() {
    let case = |rank| Case {
        id: CaseId::new("case-1"),
        version: 1,
        state: CaseState::Open,
        exceptions: vec![],
        codes: vec![],
        subject: Subject::default(),
        links: vec![],
        headline: String::new(),
        rank,
        evidence_hash: None,
        owner: None,
        wanted: false,
        opened_at: start(),
        updated_at: start(),
    };
    let places = [("1", "Central"), ("2", "Riverside"), ("3", "Harbour")].map(|(id, n)| (LocationId::new(id), n.to_owned()));
    let all = variants(&candidate(12), &case(Some(rank())), &places);
    let mut told: Vec<(&str, &str)> = all.iter().map(|v| (v.field, v.candidate.summary.as_str())).collect();
    told.sort_unstable();
    assert_eq!(
        told,
        [
            ("date", "Move 12 units from Central to Riverside, shipping on 2026-10-19"),
            ("place", "Move 12 units from Central to Harbour, shipping on 2026-10-09"),
            ("quantity", "Move 120 units from Central to Riverside, shipping on 2026-10-09"),
            ("quantity", "Move 24 units from Central to Riverside, shipping on 2026-10-09"),
            ("quantity", "Move 36 units from Central to Riverside, shipping on 2026-10-09"),
            ("quantity", "Move 60 units from Central to Riverside, shipping on 2026-10-09"),
        ]
    );
    let values: Vec<i64> = all.iter().filter(|v| v.field == "quantity").map(|v| v.candidate.value.minor).collect();
    assert_eq!(values, [86_400, 43_200, 25_920, 17_280], "what limits are compared with grows with it");
    // Only whole numbers and words: neither part of another number nor of an SKU.
    assert_eq!(replaced("Order 12.5 units, not 12", "12", "36").as_deref(), Some("Order 12.5 units, not 36"));
    assert_eq!(replaced("Order AC-12 and 12", "12", "36").as_deref(), Some("Order AC-12 and 36"));
    assert_eq!(replaced("Order AC-12x", "12", "36"), None);
}
