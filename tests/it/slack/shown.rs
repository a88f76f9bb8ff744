//! What is shown in the channel and when: once, in place, and not what nobody is to see.

use std::time::Duration;

use jiff::Timestamp;
use reeve::config::Config;
use reeve::domain::case::{Case, CaseState};
use reeve::domain::decision::RecommendationState;
use reeve::domain::ids::{CaseId, PersonId};
use reeve::domain::mode::Mode;
use reeve::domain::outbox::OutboxKind;
use reeve::domain::recommendation::Recommendation;
use reeve::pipeline::stop;
use reeve::store::{Drill, OutboxState};

use super::bench::{ARI, Bench};
use crate::support::databases::databases;

/// Moves the world's case.
async fn moved(bench: &Bench, state: CaseState) {
    let store = &bench.world.store;
    let case = store.get_case(&bench.world.case.id).await.unwrap();
    let entry = reeve::domain::audit::AuditEntry::by_stage(
        "detect",
        bench.world.clock.now(),
        "case.moved",
        format!("case:{}", case.id),
    );
    let next = Case { state, version: case.version + 1, ..case.clone() };
    store.advance_case(&next, case.version, &[entry]).await.unwrap();
}

#[tokio::test]
async fn a_case_is_put_up_once_and_what_does_not_change_is_not_sent_again() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    assert!(card.shown().contains("https://reeve.example.com/cases/c-00112233aabbccdd"));
    // Cases without a recommendation wait for theirs.
    assert_eq!(bench.cards().len(), 1);
    for _ in 0..3 {
        bench.show().await;
    }
    assert_eq!((bench.cards()[0].updates, bench.slack.calls("chat.postMessage").len()), (0, 1));
    let row = bench.world.store.find_showing("slack", &format!("case:{}", bench.world.case.id)).await.unwrap().unwrap();
    let reference = row.receipt.unwrap().reference.unwrap();
    assert!(reference.starts_with(&format!("{}/{}/F00000001.", card.channel, card.ts)), "{reference}");
    let sent = bench.world.store.list_audit_of(&format!("outbox:{}", row.id)).await.unwrap();
    assert_eq!(sent.last().unwrap().entry.action, "outbox.sent");
}

#[tokio::test]
async fn as_many_stand_there_as_a_digest_has_lines_and_the_next_comes_when_one_is_done() {
    let bench = Bench::on(databases().await.remove(0), |config| config.rules.ranking.capacity = 1).await;
    let store = &bench.world.store;
    let next = store.get_case(&CaseId::new("c-2")).await.unwrap();
    let drafted = Recommendation { case_id: next.id.clone(), ..bench.world.recommendations[0].clone() };
    let drafted = Recommendation { id: reeve::domain::ids::RecommendationId::new("r-next"), ..drafted };
    let bundle = store.get_bundle(&bench.world.case.id, &drafted.evidence_hash).await.unwrap();
    let bundle = reeve::domain::evidence::Bundle { case_id: next.id.clone(), ..bundle };
    let hash = store.insert_bundle(&bundle).await.unwrap();
    let drafted = Recommendation { evidence_hash: hash.clone(), ..drafted };
    let of_next = Case { version: next.version + 1, evidence_hash: Some(hash), ..next.clone() };
    let entry = reeve::domain::audit::AuditEntry::by_stage(
        "approve",
        bench.world.clock.now(),
        "case.queued",
        format!("case:{}", next.id),
    );
    store.replace_recommendations(&of_next, next.version, &[drafted], &[entry]).await.unwrap();
    let up = || bench.slack.posted().into_iter().map(|p| p.metadata["event_payload"]["shows"].clone()).collect::<Vec<_>>();
    bench.show().await;
    assert_eq!(up(), [format!("case:{}", bench.world.case.id)], "the more pressing one");
    moved(&bench, CaseState::Closed).await;
    bench.show().await;
    assert_eq!(up(), [format!("case:{}", bench.world.case.id), "case:c-2".to_owned()]);
}

#[tokio::test]
async fn what_ends_without_a_decision_is_shown_as_ended() {
    let bench = Bench::new().await;
    bench.card().await;
    moved(&bench, CaseState::Withdrawn { to: Mode::Shadow }).await;
    let card = bench.card().await;
    assert!(card.shown().contains("withdrawn") && card.buttons("reeve/").is_empty(), "{}", card.shown());
    moved(&bench, CaseState::Open).await;
    let back = bench.card().await;
    assert_eq!((back.updates, back.buttons("reeve/approve").is_empty()), (2, false), "it has come back, in place");
}

#[tokio::test]
async fn what_is_in_shadow_or_latent_or_muted_is_not_put_up() {
    for state in [CaseState::Shadow, CaseState::Latent] {
        let bench = Bench::new().await;
        moved(&bench, state).await;
        bench.show().await;
        assert!(bench.slack.posted().is_empty());
    }
}

#[tokio::test]
async fn a_case_with_a_drill_in_it_is_not_put_up_and_one_that_is_up_stays_as_it_is() {
    for is_up in [false, true] {
        let bench = Bench::new().await;
        if is_up {
            bench.card().await;
        }
        let store = &bench.world.store;
        let original = bench.world.recommendations[0].clone();
        let wrong = Recommendation {
            id: reeve::domain::ids::RecommendationId::new("r-wrong"),
            state: RecommendationState::Queued,
            ..original.clone()
        };
        let drill = Drill {
            recommendation_id: wrong.id.clone(),
            case_id: original.case_id.clone(),
            instead_of: original.id.clone(),
            day: "2026-10-09".parse().unwrap(),
            field: "quantity".into(),
            what: "it said 400".into(),
            planted_at: bench.world.clock.now(),
            end: None,
        };
        let entry = reeve::domain::audit::AuditEntry::by_stage(
            "noise",
            drill.planted_at,
            "recommendation.queued",
            "recommendation:r-wrong".to_owned(),
        );
        store.plant_drill(&wrong, &drill, &[entry]).await.unwrap();
        bench.show().await;
        assert_eq!((bench.cards().len(), bench.slack.calls("chat.update").len()), (usize::from(is_up), 0));
        assert!(bench.slack.posted().iter().all(|posted| !posted.shown().contains("r-wrong")));
        let entry = reeve::domain::audit::AuditEntry::by_stage(
            "noise",
            drill.planted_at,
            "drill.withdrawn",
            "recommendation:r-wrong".to_owned(),
        );
        store.withdraw_drill(&drill, drill.planted_at, &[entry]).await.unwrap();
        let card = bench.card().await;
        assert!(!card.buttons("reeve/approve").is_empty(), "when it is over, the case is shown");
    }
}

#[tokio::test]
async fn while_reeve_is_stopped_nothing_leaves_and_clicks_count() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let (store, config, clock) = (&bench.world.store, &bench.world.state.config, &bench.world.clock);
    let by = PersonId::new("ari");
    stop::stop(store, config, clock, (&by, "web"), "wrong prices").await.unwrap();
    bench.interact(&bench.slack.press(ARI, &card, "reeve/approve")).await;
    assert_eq!(bench.state_of_first().await, "approved", "people may decide");
    bench.show().await;
    assert_eq!(bench.cards()[0].updates, 0);
    stop::resume(store, config, clock, (&by, "web"), "").await.unwrap();
    assert!(bench.card().await.shown().contains("approved by Ari Approver"));
}

#[tokio::test]
async fn a_new_card_waits_for_the_end_of_quiet_hours_and_a_change_does_not() {
    let bench = Bench::new().await;
    bench.world.clock.set("2026-10-09T21:30:00Z".parse().unwrap());
    bench.show().await;
    assert!(bench.slack.posted().is_empty(), "nobody is disturbed on a Friday evening");
    let waits = bench.world.store.list_outbox(OutboxState::Pending).await.unwrap();
    assert_eq!(
        waits.iter().filter(|row| row.kind == OutboxKind::Card).map(|row| row.due_at).next(),
        Some("2026-10-12T07:00:00Z".parse().unwrap())
    );
    bench.world.clock.set("2026-10-12T07:00:00Z".parse().unwrap());
    let card = bench.card().await;
    bench.world.clock.set("2026-10-12T21:00:00Z".parse().unwrap());
    moved(&bench, CaseState::ResolvedItself).await;
    assert_eq!((bench.card().await.ts, bench.cards()[0].updates), (card.ts, 1), "a change makes no noise");
}

#[tokio::test]
async fn a_demo_has_no_quiet_hours_and_its_clicks_go_by_the_machines_clock() {
    let now: Timestamp = "2026-10-31T15:30:00Z".parse().unwrap();
    let replay = reeve::clock::Clock::standing_at(now)
        .with_wire(reeve::clock::Clock::standing_at("2026-11-28T23:00:00Z".parse().unwrap()));
    assert!(replay.is_replay() && replay.wire() > replay.now());
}

#[tokio::test]
async fn whoever_is_asked_next_is_told_under_the_card_once() {
    let bench = Bench::new().await;
    let card = bench.card().await;
    let now = bench.world.clock.now();
    let detail = serde_json::json!({ "level": 1, "told": ["ari", "dan"], "waiting_hours": 9 });
    let subject = format!("case:{}", bench.world.case.id);
    let entry = reeve::domain::audit::AuditEntry::by_stage("approve", now, "case.escalated", subject).with(detail);
    bench.world.store.append_audit(&[entry]).await.unwrap();
    bench.show().await;
    bench.show().await;
    let said = bench.slack.posted().pop().unwrap();
    assert!(said.text.starts_with("<@UARI> 40 of 100 units") && said.text.contains("since 9 hours"), "{}", said.text);
    assert_eq!(bench.slack.posted().len(), 2, "once; who is not linked is told on the page");
    let asked = bench.slack.calls("chat.postMessage").pop().unwrap();
    assert_eq!((&asked["thread_ts"], &asked["reply_broadcast"]), (&card.ts.as_str().into(), &true.into()));
}

#[tokio::test]
async fn of_a_case_whose_card_is_not_up_they_are_told_by_itself() {
    for db in databases().await {
        let bench = Bench::on(db, |config: &mut Config| config.rules.ranking.capacity = 0).await;
        bench.show().await;
        assert!(bench.cards().is_empty(), "there is room for no card");
        let now = bench.world.clock.now();
        let detail = serde_json::json!({ "level": 1, "told": ["ari"], "waiting_hours": 9 });
        let subject = format!("case:{}", bench.world.case.id);
        let entry = reeve::domain::audit::AuditEntry::by_stage("approve", now, "case.escalated", subject).with(detail);
        bench.world.store.append_audit(&[entry]).await.unwrap();
        bench.show().await;
        bench.show().await;
        let said: Vec<_> = bench.slack.posted().into_iter().filter(|p| p.text.contains("since 9 hours")).collect();
        assert_eq!(said.len(), 1);
        assert!(said[0].text.starts_with("<@UARI> "), "{}", said[0].text);
        let asked = bench.slack.calls("chat.postMessage").pop().unwrap();
        assert!(asked["thread_ts"].is_null(), "there is no card for it to stand under");
    }
}

#[tokio::test]
async fn a_planners_own_digest_goes_to_them_and_everybodys_does_not() {
    let with_planner = |config: &mut Config| {
        let text = "[[planners]]\nperson = \"ari\"\nfallback = true\n";
        config.planners = Config::of_table("a test", text.parse().unwrap()).unwrap().planners;
        config.planners[0].to = vec!["slack:UARI".to_owned()];
        config.slack.planners = vec!["UARI".to_owned()];
    };
    for db in databases().await {
        let bench = Bench::on(db, with_planner).await;
        bench.world.clock.set("2026-10-08T09:00:00Z".parse().unwrap());
        let store = &bench.world.store;
        let mut own = store.list_digests(1).await.unwrap().remove(0);
        let planner = reeve::domain::digest::DigestOf { id: PersonId::new("ari"), name: "Ari Approver".to_owned() };
        own.digest.planner = Some(planner);
        let entry = reeve::domain::audit::AuditEntry::by_stage("notify", own.made_at, "digest.made", "digest".to_owned());
        store.put_digest(&own, &entry).await.unwrap();
        for _ in 0..3 {
            bench.show().await;
        }
        let shown = |shows: &str| {
            let all = bench.slack.posted().into_iter();
            all.filter(|p| p.metadata["event_payload"]["shows"] == shows).collect::<Vec<_>>()
        };
        let (everybodys, own) = (shown("digest:2026-10-08"), shown("digest:2026-10-08:ari"));
        assert_eq!((everybodys.len(), own.len()), (1, 1));
        assert_eq!((&*everybodys[0].channel, &*own[0].channel), ("C2EAF21CB2", "DUARI"));
        assert!(own[0].shown().contains("Ari Approver: 1 case worth deciding"), "{}", own[0].shown());
    }
}

#[tokio::test]
async fn the_digest_is_shown_once_for_each_destination_and_day() {
    for db in databases().await {
        let bench = Bench::on(db, |config: &mut Config| config.slack.digest = vec!["channel".into(), "UARI".into()]).await;
        bench.world.clock.set("2026-10-08T09:00:00Z".parse().unwrap());
        for _ in 0..3 {
            bench.show().await;
        }
        let digests: Vec<_> = bench
            .slack
            .posted()
            .into_iter()
            .filter(|p| p.metadata["event_payload"]["shows"] == "digest:2026-10-08")
            .collect();
        let mut channels: Vec<&str> = digests.iter().map(|digest| &*digest.channel).collect();
        channels.sort_unstable();
        assert_eq!(channels, ["C2EAF21CB2", "DUARI"]);
        assert!(
            digests[0].shown().contains("1 case worth deciding") && !digests[0].shown().contains("<script>"),
            "{}",
            digests[0].shown()
        );
        bench.later(Duration::from_hours(3));
        bench.show().await;
        assert_eq!(bench.slack.posted().len(), digests.len() + bench.cards().len());
    }
}
