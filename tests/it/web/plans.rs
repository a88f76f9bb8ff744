//! A plan of several steps on the page and over the API: every step is shown with its checks, one click is for all of them, and
//! an edit names the step that it changes.

use fantoccini::Locator;
use reeve::domain::action::{Candidate, Step};
use reeve::domain::recommendation::Recommendation;
use serde_json::{Value, json};

use super::api;
use super::flows::signed_in;
use super::http::Visitor;
use super::world::World;
use crate::support::browser::Browser;

/// The world's case with a plan in the place of what was proposed: its first proposal, and what its last one asks.
async fn planned() -> (World, Recommendation) {
    let world = World::new().await;
    let first = world.recommendations[0].clone();
    let other = world.recommendations.iter().rfind(|r| r.candidate.action.date().is_some()).unwrap();
    let then = vec![Step {
        action: other.candidate.action.clone(),
        summary: other.candidate.summary.clone(),
        checks: other.candidate.checks.clone(),
    }];
    let mut case = world.store.get_case(&world.case.id).await.unwrap();
    let candidate = Candidate { then, ..first.candidate };
    let (prose, evidence) = (first.prose, first.evidence_hash);
    let mut plan = Recommendation::drafted(first.case_id, 1, candidate, prose, evidence, first.drafter, first.drafted_at);
    plan.state = first.state;
    let seen = case.version;
    case.version += 1;
    world.store.replace_recommendations(&case, seen, std::slice::from_ref(&plan), &[]).await.unwrap();
    (world, plan)
}

#[tokio::test]
async fn the_page_shows_every_step_and_edits_the_one_that_is_named() {
    let (world, plan) = Box::pin(planned()).await;
    let pia = Visitor::sign_in(&world, "pia").await;
    let page = pia.get(&pia.case()).await.body;
    assert!(page.contains(&format!("{}: a plan of 2 steps", plan.candidate.codes())), "{page}");
    for step in plan.candidate.steps() {
        assert!(page.contains(step.summary), "{}", step.summary);
    }
    assert!(page.contains("One approval is for all steps"));
    let mut form = pia.form("edit").await;
    assert_eq!(form["step"], "1", "the first form is the first step's");
    form.insert("step".to_owned(), "2".to_owned());
    let day = "2026-10-10";
    let answer = pia.decide(&form, &[("date", day)]).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let all = world.store.list_recommendations(&world.case.id).await.unwrap();
    let (edited, _) = all.iter().find(|(r, _)| r.state.is_waiting()).unwrap();
    let dates: Vec<_> = edited.candidate.actions().filter_map(|action| Some(action.date()?.1.to_string())).collect();
    assert_eq!(dates.last().map(String::as_str), Some(day));
    assert_eq!(edited.candidate.action, plan.candidate.action, "the other step is as it was");
    form.insert("step".to_owned(), "7".to_owned());
    let none = pia.decide(&form, &[("date", day)]).await;
    assert!(none.status == 400 && none.body.contains("is no step of this plan"), "{} {}", none.status, none.body);
}

#[tokio::test]
async fn a_program_reads_all_steps_and_one_decision_is_for_all_of_them() {
    let (world, plan) = Box::pin(planned()).await;
    let token = api::token(&world, "ari", &["read:cases", "decide:approve"]).await;
    let case: Value = api::read(&api::get(&world, &format!("/cases/{}", world.case.id), &token).await);
    let card = &case["cards"][0];
    let steps = card["steps"].as_array().unwrap();
    assert_eq!(steps.iter().map(|step| &step["step"]).collect::<Vec<_>>(), [&json!(1), &json!(2)]);
    for (step, of) in steps.iter().zip(plan.candidate.steps()) {
        assert_eq!((&step["action"], &step["summary"]), (&json!(of.action.code()), &json!(of.summary)));
    }
    let body = json!({
        "recommendation": plan.id, "content_hash": plan.content_hash(), "decision": { "verb": "approve" },
    });
    let answer = api::read(&api::post(&world, &token, "k1", &body).await);
    assert_eq!(answer["state"], "approved", "{answer}");
    let rows = world.store.list_outbox_about(plan.id.as_str()).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.step).collect::<Vec<_>>(), [1, 2]);
}

#[tokio::test]
async fn an_approver_reads_both_steps_in_a_browser_and_approves_them_with_one_click() {
    let Some(browser) = Browser::start().await else { return };
    let (world, plan) = Box::pin(planned()).await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    page.wait().for_element(Locator::Css(".queue h3 a")).await.unwrap().click().await.unwrap();
    let card = page.wait().for_element(Locator::Css("article.first")).await.unwrap().text().await.unwrap();
    for step in plan.candidate.steps() {
        assert!(card.contains(step.summary), "{card}");
    }
    let approve = page.wait().for_element(Locator::XPath("//button[normalize-space()='Approve']")).await.unwrap();
    approve.click().await.unwrap();
    page.wait().for_element(Locator::Css("main [role=status]")).await.unwrap();
    let rows = world.store.list_outbox_about(plan.id.as_str()).await.unwrap();
    assert_eq!(rows.len(), 2, "a message for each step");
}
