//! Proposals to mute on a real store, approved and rejected by the very same clicks as any other.

use std::sync::Arc;

use super::*;
use crate::approve::{Approvals, DecisionAnswer, DecisionRefused, DecisionRequest, Verb};
use crate::domain::decision::{DecisionVerb, RejectReason};
use crate::domain::digest::{BelowLine, Digest, DigestLine};
use crate::domain::exception::{Exception, ExceptionState, Signal};
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::models::formulas::wilson;
use crate::pipeline::noise::figures;
use crate::pipeline::recheck::{Promised, Recheck};
use crate::store::{DecisionRow, OutboxState, StoredDigest};

fn start() -> Timestamp {
    "2026-10-08T08:00:00Z".parse().unwrap()
}

/// The checks of proposals, as at the click.
struct Own(Store, Arc<Config>, Clock);

#[async_trait::async_trait]
impl Recheck for Own {
    async fn recheck(&self, _: &Case, steps: &[&Action]) -> anyhow::Result<Vec<Vec<Check>>> {
        Ok(vec![checks(&self.0, &self.1, &self.2, steps[0]).await?])
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

struct Bench {
    control: NoiseControl,
    approvals: Approvals,
}

impl Bench {
    /// Twelve short receipts of supplier 9 and two of supplier 8 were shown; `rejected` of the first were not real.
    async fn new(rejected: usize) -> Self {
        let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
        let (config, clock) = (Arc::new(Config::load_from(None, &[]).unwrap()), Clock::standing_at(start()));
        let recheck: Arc<dyn Recheck> = Arc::new(Own(store.clone(), config.clone(), clock.clone()));
        let approvals = Approvals {
            store: store.clone(),
            config: config.clone(),
            clock: clock.clone(),
            recheck: recheck.clone(),
            turn: Arc::default(),
        };
        let it = Self { control: NoiseControl { store, config, clock, recheck }, approvals };
        let ids: Vec<String> = (0..14).map(|n| format!("case-{n}")).collect();
        for (n, id) in ids.iter().enumerate() {
            // The two of the other supplier keep the narrower scope from being the same as all of the type.
            it.case(id, if n < 12 { "9" } else { "8" }, n < rejected).await;
        }
        it.digest("2026-10-07", &ids).await;
        it
    }

    async fn case(&self, id: &str, supplier: &str, rejected: bool) {
        let store = &self.control.store;
        let day = "2026-10-07".parse().unwrap();
        let subject =
            Subject { supplier: Some(SupplierId::new(supplier)), ..Subject::at(&ItemId::new(id), &LocationId::new("3")) };
        let signal = Signal::rule("receiving/1", ExceptionType::RShort, subject, id.into(), (day, day), "short".into());
        let (first_seen, last_seen) = (start(), start());
        let found = Exception {
            id: signal.exception_id(),
            signal,
            state: ExceptionState::Open,
            first_seen,
            last_seen,
            misses: 0,
            mode: crate::domain::mode::Mode::Live,
        };
        // Only for the shape of a case: what it is about is put in below.
        let noisy =
            Noisy { code: ExceptionType::RShort, scope: MuteScope::All, noise: figures::Noise::of(0, 0), cases: vec![] };
        let mut case = super::case(CaseId::new(id), &noisy, "short".into(), "e1".into(), day, day, start());
        case.links = vec![format!("line:{id}")];
        case.exceptions = vec![found.id.clone()];
        case.subject = found.signal.subject.clone();
        case.rank.as_mut().unwrap().at_stake = Money::from_minor(2_000);
        store.save_detection(&[found], &[(case.clone(), None)], &[], &[], None).await.unwrap();
        let candidate = Candidate {
            id: "A1".into(),
            action: Action::NoAction { reason: String::new() },
            summary: String::new(),
            money: MoneySum::nothing(1.0, Range::default()),
            value: Money::ZERO,
            latest_date: day,
            checks: vec![],
            cites: vec![],
            then: vec![],
        };
        let drafter = Drafter::Playbook { because: None };
        let mut rec =
            Recommendation::drafted(case.id.clone(), 1, candidate, Prose::default(), "e1".into(), drafter, start());
        rec.state = State::Queued;
        let state = if rejected { CaseState::Closed } else { CaseState::Open };
        let case = Case { version: 2, state, ..case };
        store.replace_recommendations(&case, 1, std::slice::from_ref(&rec), &[]).await.unwrap();
        if rejected {
            let row = DecisionRow {
                id: format!("d-{id}"),
                case_id: case.id.clone(),
                recommendation_id: rec.id.clone(),
                person: PersonId::new("pia"),
                verb: DecisionVerb::Reject,
                content_hash: rec.content_hash(),
                reason: Some(RejectReason::NotReal),
                note: String::new(),
                value: Money::ZERO,
                at: start(),
                body: serde_json::Value::Null,
            };
            store.advance(Change { decision: Some(&row), ..Change::default() }).await.unwrap();
        }
    }

    async fn digest(&self, day: &str, cases: &[String]) {
        let day = day.parse().unwrap();
        let line = |(n, id): (usize, &String)| DigestLine {
            case_id: CaseId::new(id.clone()),
            place: u32::try_from(n).unwrap() + 1,
            codes: vec![],
            headline: String::new(),
            subject: String::new(),
            at_stake: Money::ZERO,
            value: Range::default(),
            priority: Money::ZERO,
            p: 0.5,
            deadline: day,
            slack_days: 1.0,
            wait_cost: Money::ZERO,
            lane: Lane::Ordinary,
            action: String::new(),
            recommendation: String::new(),
            why: String::new(),
            alternatives: vec![],
            note: None,
            sampled: false,
            new: false,
        };
        let digest = Digest {
            day,
            planner: None,
            as_of: start(),
            unread: Vec::new(),
            currency: "USD".into(),
            lines: cases.iter().enumerate().map(line).collect(),
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
        let made = entry("digest.made", format!("digest:{day}"), String::new(), json!({}), start());
        self.control.store.put_digest(&stored, &made).await.unwrap();
    }

    /// Puts other money at stake in a case.
    async fn worth(&self, id: &str, at_stake: i64) {
        let mut case = self.control.store.get_case(&CaseId::new(id)).await.unwrap();
        case.rank.as_mut().unwrap().at_stake = Money::from_minor(at_stake);
        let seen = case.version;
        case.version += 1;
        self.control.store.advance_case(&case, seen, &[]).await.unwrap();
    }

    /// The proposal that waits, where there is one.
    async fn proposal(&self) -> Option<(Case, Recommendation)> {
        let cases = self.control.store.list_cases(CaseState::UNDECIDED).await.unwrap();
        let mut all = cases.into_iter().filter(Case::is_mute_proposal);
        let case = all.next()?;
        assert!(all.next().is_none(), "one at a time");
        let recs = self.control.store.list_recommendations(&case.id).await.unwrap();
        Some((case, recs.into_iter().map(|(r, _)| r).find(|r| r.state.is_waiting()).unwrap()))
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

    fn day(&self, day: &str) {
        self.control.clock.set(format!("{day}T08:00:00Z").parse().unwrap());
    }
}

#[tokio::test]
async fn what_is_noisy_is_proposed_once_with_every_decision_cited_and_nothing_is_muted_by_it() {
    let bench = Bench::new(11).await;
    let store = &bench.control.store;
    assert_eq!(propose(&bench.control).await.unwrap(), 1);
    let (case, rec) = bench.proposal().await.unwrap();
    assert!(store.list_mutes().await.unwrap().is_empty(), "Reeve proposes, people mute");
    let until = "2026-11-07".parse().unwrap();
    // The last open one of supplier 9 is what it would hide: 20.00.
    let (exception, scope) = (ExceptionType::RShort, "supplier:9".parse().unwrap());
    assert_eq!(rec.candidate.action, Action::Mute { exception, scope, until, hides: Money::from_minor(2_000) });
    assert!(case.headline.contains("11 of 12"), "{}", case.headline);
    // Whoever verifies the card counts the decisions and computes the interval anew.
    let bundle = store.get_bundle(&case.id, &rec.evidence_hash).await.unwrap();
    assert_eq!(bundle.hash(), rec.evidence_hash);
    let report = crate::reports::audit::card::verify(store, &bench.control.config, &rec.id).await.unwrap();
    let wrong: Vec<_> = report.lines.iter().filter(|l| l.verdict != crate::rules::recompute::Verdict::Agrees).collect();
    assert!(wrong.is_empty() && report.lines.len() > 10, "{wrong:?}");
    let value = |field: &str| bundle.facts[&FactId(format!("decision:R-SHORT@supplier:9/{field}"))].value.show();
    let cited = bundle.facts.keys().filter(|id| id.as_str().ends_with("/not_real")).count();
    assert_eq!((value("shown"), value("rejected"), cited), ("12".into(), "11".into(), 11));
    assert_eq!(value("low"), FactValue::number(wilson(11, 12, 1.959_964).0, 4).show());
    for id in bundle.facts.keys().filter(|id| id.as_str().ends_with("/not_real")) {
        let decision = id.as_str().strip_prefix("decision:").unwrap().strip_suffix("/not_real").unwrap();
        assert!(store.find_decision(decision).await.unwrap().is_some(), "{id}");
    }
    // Neither on the same day nor on the next, while it waits.
    assert_eq!(propose(&bench.control).await.unwrap(), 0);
    bench.day("2026-10-09");
    assert_eq!(propose(&bench.control).await.unwrap(), 0);
    store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn an_approval_mutes_in_the_same_step_and_an_undo_ends_it_and_nothing_is_ever_sent() {
    let bench = Bench::new(11).await;
    let store = &bench.control.store;
    propose(&bench.control).await.unwrap();
    let (case, rec) = bench.proposal().await.unwrap();
    let answer = bench.decide("k1", "pia", &rec, Verb::Approve).await.unwrap();
    assert!(answer.said.contains("R-SHORT is muted for supplier:9 until 2026-11-07"), "{}", answer.said);
    let made = store.list_mutes().await.unwrap().remove(0);
    assert_eq!((made.owner.as_str(), made.is_live("2026-10-09".parse().unwrap())), ("pia", true));
    let hidden = store.get_case(&CaseId::new("case-11")).await.unwrap();
    let hides = async || {
        let muting = Muting::load(store, &bench.control.config, bench.control.clock.now()).await.unwrap();
        muting.hides(store, &hidden).await.unwrap().is_some()
    };
    assert!(hides().await);
    assert_eq!(settle(&bench.control).await.unwrap(), 0, "the undo window is open");

    bench.decide("k2", "pia", &rec, Verb::Undo).await.unwrap();
    assert!(!hides().await && store.list_mutes().await.unwrap()[0].ended.is_some());
    let log: Vec<String> =
        store.list_audit_of(&format!("mute:{}", made.id)).await.unwrap().into_iter().map(|e| e.entry.action).collect();
    assert_eq!(log, ["mute.made", "mute.ended"]);

    bench.control.clock.set(start() + SignedDuration::from_mins(1));
    bench.decide("k3", "ari", &rec, Verb::Approve).await.unwrap();
    assert!(hides().await);
    // The second approval's window is over, the five minutes counted from the first minute on.
    bench.control.clock.set(start() + SignedDuration::from_mins(6));
    assert_eq!(settle(&bench.control).await.unwrap(), 1);
    assert_eq!(store.get_case(&case.id).await.unwrap().state, CaseState::Closed);
    let done = store.get_recommendation(&rec.id).await.unwrap().0;
    assert_eq!(done.state.name(), "carried_out");
    // Not even cancelled: a mute is carried out here, and no message was ever made for it.
    for state in [OutboxState::Pending, OutboxState::Sent, OutboxState::Dead, OutboxState::Cancelled] {
        assert!(store.list_outbox(state).await.unwrap().is_empty());
    }
    store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn what_was_rejected_is_not_proposed_again_on_the_same_cases() {
    let bench = Bench::new(12).await;
    propose(&bench.control).await.unwrap();
    let (case, rec) = bench.proposal().await.unwrap();
    bench.decide("k1", "pia", &rec, Verb::Reject { reason: RejectReason::Policy, note: String::new() }).await.unwrap();
    assert_eq!(bench.control.store.get_case(&case.id).await.unwrap().state, CaseState::Closed);
    assert!(bench.control.store.list_mutes().await.unwrap().is_empty());
    // The next day, later, and after the mute itself would have ended.
    for day in ["2026-10-09", "2026-10-20", "2026-11-20"] {
        bench.day(day);
        assert_eq!(propose(&bench.control).await.unwrap(), 0, "{day}");
    }
    // Ten new ones are another question.
    let ids: Vec<String> = (20..30).map(|n| format!("case-{n}")).collect();
    for id in &ids {
        bench.case(id, "9", true).await;
    }
    bench.digest("2026-11-21", &ids).await;
    bench.day("2026-11-22");
    assert_eq!(propose(&bench.control).await.unwrap(), 1);
}

#[tokio::test]
async fn too_few_or_too_mixed_is_not_proposed_and_a_viewer_can_not_approve() {
    // Eight of twelve is most of them, and still too few to be sure of: it is the low end of the interval that counts.
    for rejected in [0, 8] {
        let bench = Bench::new(rejected).await;
        assert_eq!(propose(&bench.control).await.unwrap(), 0, "{rejected} of 12");
    }
    let mut bench = Bench::new(11).await;
    let mut config = (*bench.control.config).clone();
    let (id, name, roles) = (PersonId::new("vic"), "Vic".to_owned(), vec![crate::domain::policy::Role::Viewer]);
    config.people.push(crate::domain::policy::Person {
        id,
        name,
        roles,
        tier: 4,
        erp_user: String::new(),
        scopes: crate::domain::policy::Scopes::default(),
        limit: None,
    });
    bench.approvals.config = Arc::new(config);
    propose(&bench.control).await.unwrap();
    let (_, rec) = bench.proposal().await.unwrap();
    let refused = bench.decide("k1", "vic", &rec, Verb::Approve).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::MayNotSign(_)), "{refused}");
    // Somebody mutes the same by hand meanwhile: the click finds that out.
    let request = crate::pipeline::noise::MuteRequest {
        person: PersonId::new("ari"),
        channel: "web".into(),
        code: ExceptionType::RShort,
        scope: "supplier:9".parse().unwrap(),
        until: "2026-10-20".parse().unwrap(),
        reason: "known".into(),
    };
    let NoiseControl { store, config, clock, .. } = &bench.control;
    crate::pipeline::noise::mute(store, config, clock, &request).await.unwrap();
    let refused = bench.decide("k2", "pia", &rec, Verb::Approve).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::ChecksFailed(_)), "{refused}");
}

#[tokio::test]
async fn a_proposal_that_nobody_answers_ends_with_its_day() {
    let bench = Bench::new(11).await;
    propose(&bench.control).await.unwrap();
    let (case, rec) = bench.proposal().await.unwrap();
    bench.day("2026-11-06");
    assert_eq!(settle(&bench.control).await.unwrap(), 0);
    bench.day("2026-11-07");
    assert_eq!(settle(&bench.control).await.unwrap(), 1);
    assert_eq!(bench.control.store.get_case(&case.id).await.unwrap().state, CaseState::Expired);
    assert_eq!(bench.control.store.get_recommendation(&rec.id).await.unwrap().0.state.name(), "expired");
    assert!(bench.control.store.list_mutes().await.unwrap().is_empty(), "silence mutes nothing");
}

#[tokio::test]
async fn the_figures_by_detector_count_each_case_once_and_no_drill() {
    let bench = Bench::new(11).await;
    let ids: Vec<String> = (0..14).map(|n| format!("case-{n}")).collect();
    bench.digest("2026-10-08", &ids).await;
    let all = figures::by_detector(&bench.control.store, "2026-10-08".parse().unwrap(), 30).await.unwrap();
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].detector.as_str(), all[0].noise.shown, all[0].noise.rejected), ("receiving/1", 14, 11));
    let none = figures::by_detector(&bench.control.store, "2026-12-08".parse().unwrap(), 30).await.unwrap();
    assert!(none.is_empty());
}

#[tokio::test]
async fn a_proposal_is_judged_by_what_it_hides_at_the_click_and_by_what_its_approver_hides_already() {
    // The card says 20.00. What came in since makes it 1,820.00.
    let bench = Bench::new(11).await;
    propose(&bench.control).await.unwrap();
    let (_, rec) = bench.proposal().await.unwrap();
    for n in 20..22 {
        bench.case(&format!("case-{n}"), "9", false).await;
        bench.worth(&format!("case-{n}"), 90_000).await;
    }
    let refused = bench.decide("k1", "pia", &rec, Verb::Approve).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::MayNotSign(_)), "{refused}");
    assert!(bench.control.store.list_mutes().await.unwrap().is_empty());

    // The card says 20.00, and the approver hides 990.00 of another supplier already.
    let bench = Bench::new(11).await;
    propose(&bench.control).await.unwrap();
    let (_, rec) = bench.proposal().await.unwrap();
    bench.case("case-20", "8", false).await;
    bench.worth("case-20", 99_000).await;
    let request = crate::pipeline::noise::MuteRequest {
        person: PersonId::new("pia"),
        channel: "web".into(),
        code: ExceptionType::RShort,
        scope: "item:case-20".parse().unwrap(),
        until: "2026-10-20".parse().unwrap(),
        reason: "known".into(),
    };
    let NoiseControl { store, config, clock, .. } = &bench.control;
    crate::pipeline::noise::mute(store, config, clock, &request).await.unwrap();
    let refused = bench.decide("k1", "pia", &rec, Verb::Approve).await.unwrap_err();
    assert!(matches!(refused, DecisionRefused::MayNotSign(_)), "{refused}");
    bench.decide("k2", "ari", &rec, Verb::Approve).await.unwrap();
    assert_eq!(store.list_mutes().await.unwrap().len(), 2);
}
