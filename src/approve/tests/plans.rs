//! Plans of several steps: one approval at the tier of their sum, a message for each step, all of it taken back together.

use super::*;
use crate::domain::action::Step;
use crate::domain::ids::SupplierId;
use crate::domain::money::UnitPrice;

fn buy(item: &str, supplier: &str, units: i64) -> Action {
    Action::NewPo {
        item: ItemId::new(item),
        supplier: SupplierId::new(supplier),
        quantity: Quantity::units(units),
        price: UnitPrice(10.into()),
        need_date: "2026-10-12".parse().unwrap(),
        destination: LocationId::new("2"),
    }
}

fn ask() -> Action {
    Action::Contact {
        role: "supplier".into(),
        partner: "9".into(),
        about: "po_line:3".into(),
        answer_by: "2026-10-11".parse().unwrap(),
    }
}

/// A queued plan worth `value` that does all of `actions`, in a case of its own.
async fn plan(bench: &Bench, id: &str, value: i64, actions: Vec<Action>) -> Recommendation {
    let mut actions = actions.into_iter();
    let mut plan = candidate(actions.next().unwrap(), value, 10_000);
    plan.then =
        actions.map(|action| Step { summary: format!("Do {} too", action.code()), action, checks: vec![] }).collect();
    // Only for the case and its evidence: the plan below replaces what is drafted here.
    let drafted = with_case(&bench.it.store, id, vec![(Action::NoAction { reason: "none".into() }, 0)]).await;
    let mut case = bench.it.store.get_case(&CaseId::new(id)).await.unwrap();
    case.version += 1;
    let drafter = Drafter::Playbook { because: None };
    let rec = Recommendation::drafted(
        case.id.clone(),
        1,
        plan,
        Prose { message: Some("Dear warehouse".into()), ..Prose::default() },
        drafted[0].evidence_hash.clone(),
        drafter,
        start(),
    );
    let store = &bench.it.store;
    store.replace_recommendations(&case, case.version - 1, std::slice::from_ref(&rec), &[]).await.unwrap();
    bench.it.submit().await.unwrap();
    rec
}

#[test]
fn a_plan_of_one_step_is_kept_and_hashed_as_before_there_were_plans() {
    let one = candidate(transfer("7", 40), 500, 10_000);
    let kept = serde_json::to_value(&one).unwrap();
    assert!(kept.get("then").is_none(), "{kept}");
    assert_eq!(serde_json::from_value::<Candidate>(kept).unwrap(), one);
    let of = |plan: Candidate| {
        let drafter = Drafter::Playbook { because: None };
        Recommendation::drafted(CaseId::new("c"), 1, plan, Prose::default(), "e1".into(), drafter, start()).content_hash()
    };
    // They differ only in the words of the second step, and those are what somebody reads and approves.
    let two = Candidate { then: vec![Step { action: ask(), summary: "Ask".into(), checks: vec![] }], ..one.clone() };
    let other = Candidate { then: vec![Step { action: ask(), summary: "Ask them".into(), checks: vec![] }], ..one.clone() };
    assert_ne!(of(one), of(two.clone()));
    assert_ne!(of(two), of(other), "every step is what an approval binds to");
}

#[tokio::test]
async fn a_plan_is_approved_once_and_each_step_leaves_as_a_message_of_its_own() {
    let bench = Bench::new().await;
    let rec = plan(&bench, "case-1", 500, vec![transfer("7", 40), ask()]).await;
    let answer = bench.approve("ari", &rec).await.unwrap();
    assert_eq!((answer.tier, &*answer.state), (Some(Tier::T1), "approved"));
    assert!(answer.said.starts_with("Approved (T1). All 2 steps leave at"), "{}", answer.said);
    let rows = bench.it.store.list_outbox_about(rec.id.as_str()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.step).collect::<Vec<_>>(), [1, 2]);
    assert_ne!(rows[0].id, rows[1].id);
    for (row, (step, code)) in rows.iter().zip([(1, "TRANSFER"), (2, "CONTACT")]) {
        let event: serde_json::Value = serde_json::from_str(&row.body).unwrap();
        let data = &event["data"];
        assert_eq!((&event["id"], &data["idempotency_key"]), (&row.id.clone().into(), &row.id.clone().into()));
        assert_eq!(data["plan"], serde_json::json!({ "step": step, "of": 2 }));
        assert_eq!((&data["action"]["code"], &data["value"]["amount"]), (&code.into(), &"500.00".into()));
        assert_eq!(data["content_hash"], rec.content_hash());
        assert_eq!(
            data["message"].as_str(),
            (step == 2).then_some("Dear warehouse"),
            "the letter is of the step that needs one"
        );
    }
    let log = bench.it.store.list_audit_of(&format!("recommendation:{}", rec.id)).await.unwrap();
    let approved = log.iter().filter(|e| e.entry.action == "recommendation.approved").count();
    assert_eq!(approved, 1, "one approval for both");
}

#[tokio::test]
async fn taking_a_plan_back_takes_every_step_back_or_none() {
    let bench = Bench::new().await;
    let rec = plan(&bench, "case-1", 500, vec![transfer("7", 40), ask()]).await;
    bench.approve("ari", &rec).await.unwrap();
    bench.decide("ari", &rec, Verb::Undo).await.unwrap();
    assert_eq!((bench.pending().await, &*bench.state(&rec.id).await), (0, "queued"));
    bench.later(1);
    bench.approve("ari", &rec).await.unwrap();
    let all = bench.it.store.list_outbox_about(rec.id.as_str()).await.unwrap();
    let ids: BTreeSet<&str> = all.iter().map(|row| row.id.as_str()).collect();
    assert_eq!((bench.pending().await, ids.len()), (2, 4), "another approval makes other messages");
    // One of them is on its way: then nothing is taken back.
    bench.later(6);
    let lease = std::time::Duration::from_mins(1);
    bench.it.store.claim_due(bench.it.clock.now(), 1, lease).await.unwrap();
    // Back inside the window, as for a sender whose clock runs ahead: the outbox refuses, not the window.
    bench.it.clock.set(start() + SignedDuration::from_mins(2));
    let before = bench.snapshot().await;
    let late = bench.decide("ari", &rec, Verb::Undo).await;
    assert!(matches!(late, Err(DecisionRefused::Leaving)), "{late:?}");
    assert_eq!(bench.snapshot().await, before);
}

#[tokio::test]
async fn what_an_operator_discarded_does_not_keep_the_rest_from_being_taken_back() {
    let bench = Bench::new().await;
    let rec = plan(&bench, "case-1", 500, vec![transfer("7", 40), ask()]).await;
    bench.approve("ari", &rec).await.unwrap();
    let rows = bench.it.store.list_outbox_about(rec.id.as_str()).await.unwrap();
    let now = bench.it.clock.now();
    let unsent = crate::store::Unsent::Discarded { row: &rows[0], reason: "by phone", at: now };
    bench.it.store.advance(Change { unsent: Some(unsent), ..Change::default() }).await.unwrap();
    bench.decide("ari", &rec, Verb::Undo).await.unwrap();
    assert_eq!((bench.pending().await, &*bench.state(&rec.id).await), (0, "queued"));
}

#[tokio::test]
async fn a_plan_takes_the_tier_of_its_sum_and_what_its_strictest_step_takes() {
    let bench = Bench::new().await;
    let cheap = plan(
        &bench,
        "case-1",
        0,
        vec![
            ask(),
            Action::Recount {
                item: ItemId::new("7"),
                location: LocationId::new("2"),
                deadline: "2026-10-11".parse().unwrap(),
                not_by: None,
            },
        ],
    )
    .await;
    assert_eq!(bench.approve("pia", &cheap).await.unwrap().tier, Some(Tier::T0), "all steps commit nothing");
    // Asking is free and moving 500 is not: free first or last, the whole is what moving takes.
    for (id, steps) in [("case-2", vec![ask(), transfer("8", 40)]), ("case-3", vec![transfer("9", 40), ask()])] {
        let rec = plan(&bench, id, 500, steps).await;
        let refused = bench.approve("pia", &rec).await.unwrap_err().to_string();
        assert!(refused.contains("T1"), "{id}: {refused}");
    }
}

#[tokio::test]
async fn what_a_plan_bought_counts_with_each_of_its_suppliers() {
    let bench = Bench::new().await;
    let rec = plan(&bench, "case-1", 900, vec![buy("7", "9", 40), buy("7", "10", 50)]).await;
    bench.approve("ari", &rec).await.unwrap();
    for (id, supplier) in [("case-2", "9"), ("case-3", "10")] {
        // Another item each time, so that only the supplier can add up.
        let next = plan(&bench, id, 300, vec![buy(id, supplier, 30)]).await;
        let previews = bench.it.preview(&PersonId::new("fay"), &case_of(&bench, id).await, &[&next]).await.unwrap();
        // 300 alone is T1; with the 900 that the plan committed with this supplier it is more.
        assert_eq!(previews[0].tier, Tier::T2, "{supplier}");
    }
    let other = plan(&bench, "case-4", 300, vec![buy("case-4", "11", 30)]).await;
    let previews = bench.it.preview(&PersonId::new("fay"), &case_of(&bench, "case-4").await, &[&other]).await.unwrap();
    assert_eq!(previews[0].tier, Tier::T1, "another supplier's counts alone");
}

async fn case_of(bench: &Bench, id: &str) -> Case {
    bench.it.store.get_case(&CaseId::new(id)).await.unwrap()
}

#[tokio::test]
async fn an_edit_changes_the_step_it_names_and_never_lowers_what_the_plan_counts() {
    let bench = Bench::new().await;
    let rec = plan(&bench, "case-1", 500, vec![ask(), transfer("7", 40)]).await;
    let edit = |step, units| Verb::Edit { step, action: Box::new(transfer("7", units)) };
    let none = bench.decide("pia", &rec, edit(3, 20)).await.unwrap_err().to_string();
    assert!(none.contains("it has 2 steps and no step 3"), "{none}");
    let other = bench.decide("pia", &rec, edit(1, 20)).await.unwrap_err().to_string();
    assert!(other.contains("of CONTACT can be edited"), "{other}");
    let answer = bench.decide("pia", &rec, edit(2, 20)).await.unwrap();
    let (edited, _) = bench.it.store.get_recommendation(&answer.recommendation_id).await.unwrap();
    let plan = &edited.candidate;
    assert_eq!((&plan.action, plan.step(2).unwrap().action), (&ask(), &transfer("7", 20)));
    assert_eq!(plan.value, Money::from_minor(50_000), "fewer units of one step make the whole no smaller");
    assert!(plan.step(2).unwrap().summary.starts_with("Changed by"), "{}", plan.told());
    let own = bench.approve("pia", &edited).await.unwrap_err().to_string();
    assert!(own.contains("changed this recommendation"), "{own}");
    bench.approve("ari", &edited).await.unwrap();
    assert_eq!(bench.pending().await, 2);
    let mut differences = crate::reports::audit::tables::compare(&bench.it.store).await.unwrap();
    // The test itself puts the case there, past the log.
    differences.retain(|difference| difference.row != "case case-1");
    assert!(differences.is_empty(), "{differences:#?}");
}

#[tokio::test]
async fn what_can_not_be_checked_or_told_apart_beside_others_never_comes_before_people() {
    let bench = Bench::new().await;
    let mute = Action::Mute {
        exception: crate::domain::exception::ExceptionType::ALL[0],
        scope: crate::domain::mute::MuteScope::All,
        until: "2026-10-20".parse().unwrap(),
        hides: Money::ZERO,
    };
    let nothing = Action::NoAction { reason: "seasonal".into() };
    for (n, beside) in [mute, nothing, transfer("7", 10), buy("7", "9", 10)].into_iter().enumerate() {
        let steps = vec![transfer("7", 40), buy("7", "9", 20), beside.clone()];
        let rec = plan(&bench, &format!("case-{n}"), 0, steps).await;
        assert_eq!(bench.state(&rec.id).await, "superseded", "{beside:?}");
        assert!(rec.candidate.clash().is_some());
    }
    let other_way = Action::Transfer {
        item: ItemId::new("7"),
        from: LocationId::new("3"),
        to: LocationId::new("2"),
        quantity: Quantity::units(10),
        ship_on: "2026-10-09".parse().unwrap(),
    };
    let rec = plan(&bench, "case-9", 0, vec![transfer("7", 40), other_way]).await;
    assert_eq!(bench.state(&rec.id).await, "queued", "two donors for one place are a plan");
}
