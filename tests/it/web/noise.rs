//! Muting and deciding several at once, over real HTTP.

use std::collections::BTreeMap;

use reeve::domain::action::{Action, Candidate, MoneySum, Range};
use reeve::domain::audit::AuditEntry;
use reeve::domain::case::Case;
use reeve::domain::claim::{Claim, ClaimKind};
use reeve::domain::decision::RecommendationState;
use reeve::domain::evidence::{Bundle, Fact, FactValue};
use reeve::domain::ids::{CaseId, RecommendationId};
use reeve::domain::money::Money;
use reeve::domain::recommendation::{Drafter, Prose, Recommendation};
use reeve::domain::record::{RecordKind, RecordRef};
use reeve::store::Drill;

use super::http::Visitor;
use super::world::{EVIL, World, now};

/// The hidden fields of the first form on a page that holds `mark`.
fn fields(page: &str, mark: &str) -> BTreeMap<String, String> {
    let form = page.split("<form ").skip(1).map(|f| f.split("</form>").next().unwrap()).find(|f| f.contains(mark));
    let form = form.unwrap_or_else(|| panic!("no form with {mark} on\n{page}"));
    let inputs = form.split("<input type=\"hidden\" name=\"").skip(1);
    inputs.map(|i| i.split('"').collect::<Vec<_>>()).map(|p| (p[0].to_owned(), p[2].to_owned())).collect()
}

fn pairs(fields: &BTreeMap<String, String>) -> Vec<(&str, &str)> {
    fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect()
}

#[tokio::test]
async fn a_muted_type_leaves_the_queue_is_listed_with_its_owner_and_comes_back() {
    let world = World::new().await;
    let pia = Visitor::sign_in(&world, "pia").await;
    let over = "112 came where 100 were ordered";
    assert!(pia.get("/").await.body.contains(over));
    let page = pia.get("/mutes").await.body;
    assert!(page.contains("Nothing is muted"), "{page}");
    let csrf = fields(&page, "action=\"/mutes\"")["csrf"].clone();
    let form = [("code", "R-OVER"), ("scope", "all"), ("until", "2026-10-20"), ("reason", "the scale counts the pallet")];
    let refused = pia.post("/mutes", &[&form[..], &[("csrf", "wrong")]].concat()).await;
    assert_eq!(refused.status, 403);
    assert!(world.store.list_mutes().await.unwrap().is_empty());
    let all = [&form[..], &[("csrf", csrf.as_str())]].concat();
    for _ in 0..2 {
        // Sent twice, it is one mute.
        let answer = pia.post("/mutes", &all).await;
        assert_eq!((answer.status, answer.header("location")), (303, "/mutes?done=muted"));
    }
    assert_eq!(world.store.list_mutes().await.unwrap().len(), 1);
    let queue = pia.get("/").await.body;
    assert!(
        !queue.contains(over) && queue.contains("Muted: 1 case worth 33.00: R-OVER for all by Pia Planner until 2026-10-20"),
        "{queue}"
    );
    assert!(pia.get("/?state=muted").await.body.contains(over), "it can be looked at");
    let page = pia.get("/mutes").await.body;
    assert!(page.contains("the scale counts the pallet") && page.contains("1 case"), "{page}");

    for (code, until, why) in
        [("R-OVER", "2026-10-21", "muted already"), ("F-PRICE", "2027-10-20", "is no day to mute until")]
    {
        let form = [("code", code), ("scope", "all"), ("until", until), ("reason", "x"), ("csrf", csrf.as_str())];
        let answer = pia.post("/mutes", &form).await;
        assert!((400..500).contains(&answer.status) && answer.body.contains(why), "{}", answer.body);
    }
    let end = fields(&page, "action=\"/mutes/end\"");
    assert_eq!(pia.post("/mutes/end", &pairs(&end)).await.header("location"), "/mutes?done=ended");
    assert!(pia.get("/").await.body.contains(over));
    world.store.verify_audit().await.unwrap();
}

/// A queued recommendation to watch, for a case that has none.
async fn watched(world: &World, id: &str) -> Recommendation {
    let case = world.store.get_case(&CaseId::new(id)).await.unwrap();
    let fact = Fact::new(RecordRef::new(RecordKind::Item, "75"), "cost", "unit cost", FactValue::Text("7.20".into()), now());
    let facts = [(fact.id.clone(), fact)].into();
    let bundle = Bundle { case_id: case.id.clone(), version: 1, as_of: now(), facts, missing: vec![], workings: None };
    let hash = world.store.insert_bundle(&bundle).await.unwrap();
    let candidate = Candidate {
        id: "A1".into(),
        action: Action::Monitor { condition: "the count".into(), until: "2026-10-20".parse().unwrap() },
        summary: format!("Watch {id} until 2026-10-20"),
        money: MoneySum::nothing(1.0, Range::default()),
        value: Money::ZERO,
        latest_date: "2026-10-20".parse().unwrap(),
        checks: vec![],
        cites: vec![],
        then: vec![],
    };
    let drafter = Drafter::Playbook { because: None };
    let claim = Claim {
        id: "A1.worth".to_owned(),
        kind: ClaimKind::ALL[0],
        words: format!("It costs nothing to watch {id}."),
        cites: vec![],
    };
    let prose = Prose { claims: vec![claim], question: format!("Is {id} to be counted first?"), ..Prose::default() };
    let mut rec = Recommendation::drafted(case.id.clone(), 1, candidate, prose, hash.clone(), drafter, now());
    rec.state = RecommendationState::Queued;
    let case = Case { version: case.version + 1, evidence_hash: Some(hash), ..case };
    world.store.replace_recommendations(&case, case.version - 1, std::slice::from_ref(&rec), &[]).await.unwrap();
    rec
}

async fn state(world: &World, id: &RecommendationId) -> &'static str {
    world.store.get_recommendation(id).await.unwrap().0.state.name()
}

#[tokio::test]
async fn several_are_decided_together_after_each_was_shown_and_what_fails_is_listed() {
    let world = World::new().await;
    let pia = Visitor::sign_in(&world, "pia").await;
    let (two, three, four) = (watched(&world, "c-2").await, watched(&world, "c-3").await, watched(&world, "c-4").await);
    let queue = pia.get("/").await.body;
    for rec in [&two, &three, &four] {
        assert!(queue.contains(&format!("name=\"pick-{}\"", rec.id)), "each can be picked");
    }
    let other = &world.recommendations[0];
    let path =
        format!("/batch?pick-{}=on&pick-{}=on&pick-{}=on&pick-{}=on&pick-r-none=on", two.id, three.id, four.id, other.id);
    let page = pia.get(&path).await.body;
    // Two groups: one kind of action and one tier each.
    assert!(page.contains("MONITOR, T0") && page.contains("TRANSFER, T1") && page.contains("2 groups"), "{page}");
    assert!(page.contains("Watch c-3 until 2026-10-20") && page.contains("can no longer be decided"), "{page}");
    assert!(page.contains("Not by you:"), "pia may not approve a transfer");
    // Whatever a signature is bound to is on the page: reasons, question, message and risks too.
    for words in [
        "It costs nothing to watch c-3.",
        "The model asks: Is c-3 to be counted first?",
        "<details><summary>Draft message</summary><blockquote>Dear colleagues,",
        "What could go wrong: If the supplier delivers the rest tomorrow",
        "What would change this: A confirmed delivery before 2026-10-11.",
    ] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(!page.contains(EVIL), "{page}");
    assert_eq!(state(&world, &two.id).await, "queued", "looking decides nothing");

    let group = page.split("<section").find(|s| s.contains("MONITOR, T0")).unwrap();
    let mut form = fields(group, "value=\"approve\"");
    assert_eq!(form.keys().filter(|k| k.starts_with("content-")).count(), 3);
    // What was shown of the last one is not what stands there now.
    let stale = form.keys().find(|k| k.contains(four.id.as_str()) && k.starts_with("content-")).unwrap().clone();
    form.insert(stale, "0".repeat(64));
    let mut forged = form.clone();
    forged.insert("csrf".into(), "wrong".into());
    assert_eq!(pia.post("/batch", &pairs(&forged)).await.status, 403);
    let first = pia.post("/batch", &pairs(&form)).await;
    assert!(first.body.contains("Approve: 2 of 3 done") && first.body.contains("the facts changed since"), "{}", first.body);
    assert_eq!(
        (state(&world, &two.id).await, state(&world, &three.id).await, state(&world, &four.id).await),
        ("approved", "approved", "queued")
    );
    let seen = world.store.list_views_of_decided(jiff::Timestamp::MIN).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|v| (v.person.as_str(), v.channel.as_str(), v.recommendation_id.clone())).collect();
    let shown = [&two, &three].map(|rec| ("pia", "web", rec.id.clone()));
    assert!(seen.len() == 2 && shown.iter().all(|one| seen.contains(one)), "they were opened there: {seen:?}");
    let decisions = world.store.count_decisions().await.unwrap();
    let again = pia.post("/batch", &pairs(&form)).await;
    assert!(again.body.contains("Approve: 2 of 3 done"), "{}", again.body);
    assert_eq!(world.store.count_decisions().await.unwrap(), decisions, "sent twice, it is decided once");

    // One click takes back what can be taken back.
    let undo = fields(&first.body, "value=\"undo\"");
    let undo: Vec<(&str, &str)> = pairs(&undo).into_iter().chain([("verb", "undo")]).collect();
    for _ in 0..2 {
        let undone = pia.post("/batch", &undo).await;
        assert!(undone.body.contains("Undo: 2 of 2 done"), "{}", undone.body);
    }
    assert_eq!((state(&world, &two.id).await, state(&world, &three.id).await), ("queued", "queued"));
    world.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn several_are_rejected_with_one_reason_and_without_one_nothing_happens() {
    let world = World::new().await;
    let pia = Visitor::sign_in(&world, "pia").await;
    let (three, four) = (watched(&world, "c-3").await, watched(&world, "c-4").await);
    let page = pia.get(&format!("/batch?pick-{}=on&pick-{}=on", three.id, four.id)).await.body;
    let form = fields(&page, "value=\"reject\"");
    assert_eq!(pia.post("/batch", &pairs(&form)).await.status, 400);
    assert_eq!(state(&world, &three.id).await, "queued");
    let reason: Vec<(&str, &str)> = pairs(&form).into_iter().chain([("reason", "not-real"), ("note", "scale")]).collect();
    let done = pia.post("/batch", &reason).await;
    assert!(done.body.contains("Reject: 2 of 2 done"), "{}", done.body);
    assert_eq!((state(&world, &three.id).await, state(&world, &four.id).await), ("rejected", "rejected"));
    let empty = pia.post("/batch", &[("csrf", form["csrf"].as_str()), ("verb", "approve")]).await;
    assert_eq!(empty.status, 400);
}

#[tokio::test]
async fn no_screen_tells_a_waiting_drill_from_what_it_stands_for() {
    let world = World::new().await;
    let store = &world.store;
    let queued = |rec: &Recommendation| AuditEntry {
        at: now(),
        actor: "stage:approve".to_owned(),
        channel: "stage".to_owned(),
        action: "recommendation.queued".to_owned(),
        subject: format!("recommendation:{}", rec.id),
        content: rec.content_hash(),
        detail: serde_json::json!({ "case": rec.case_id, "evidence": rec.evidence_hash, "rank": rec.rank }),
    };
    let real = world.recommendations.iter().min_by_key(|r| r.rank).unwrap();
    store.append_audit(&world.recommendations.iter().map(queued).collect::<Vec<_>>()).await.unwrap();
    let mut candidate = real.candidate.clone();
    candidate.summary = "Something that the facts contradict".to_owned();
    let (words, evidence, drafter) = (real.prose.clone(), real.evidence_hash.clone(), real.drafter.clone());
    let mut wrong =
        Recommendation::drafted(real.case_id.clone(), real.rank, candidate, words, evidence, drafter, real.drafted_at);
    wrong.state = RecommendationState::Queued;
    let drill = Drill {
        recommendation_id: wrong.id.clone(),
        case_id: wrong.case_id.clone(),
        instead_of: real.id.clone(),
        day: "2026-10-09".parse().unwrap(),
        field: "quantity".to_owned(),
        what: "it said something else.".to_owned(),
        planted_at: now(),
        end: None,
    };
    store.plant_drill(&wrong, &drill, &[queued(&wrong)]).await.unwrap();
    let ari = Visitor::sign_in(&world, "ari").await;
    for screen in [format!("/cases/{}", real.case_id), "/audit".to_owned(), "/".to_owned()] {
        let page = ari.get(&screen).await.body;
        assert!(!page.contains(real.id.as_str()), "{screen} names what is hidden\n{page}");
        assert!(!page.contains("recommendation queued"), "{screen}\n{page}");
        assert!(screen == "/audit" || page.contains("Something that the facts contradict"), "{screen}\n{page}");
    }
    assert!(store.list_audit(0, 1_000).await.unwrap().iter().any(|e| e.entry.subject.ends_with(real.id.as_str())));
}
