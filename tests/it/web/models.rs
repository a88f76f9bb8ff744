//! Detectors on the page Health: which run, and the second person who confirms that another one does.

use std::collections::BTreeMap;

use reeve::domain::model::{ModelKind, ModelName, Validation};
use reeve::pipeline::registry::{self, program};

use super::http::Visitor;
use super::world::{World, now};

/// Asks that a version runs, as a visitor's page does.
async fn promote(visitor: &Visitor<'_>, name: &ModelName, reason: &str) -> (u16, String) {
    let page = visitor.get("/health").await.body;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let name = name.to_string();
    let fields = [("csrf", csrf.as_str()), ("name", name.as_str()), ("reason", reason)];
    let answer = visitor.post("/models", &fields).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn one_asks_for_another_detector_and_a_second_person_confirms_it_on_the_page() {
    let world = World::new().await;
    let (pia, ari, dan) = (
        Visitor::sign_in(&world, "pia").await,
        Visitor::sign_in(&world, "ari").await,
        Visitor::sign_in(&world, "dan").await,
    );
    let running = registry::in_force(&world.store, &world.state.config).await.unwrap();
    let runs = running.models().name(ModelKind::Receiving);
    let name = program::names().into_iter().find(|name| name.kind == ModelKind::Receiving && *name != runs).unwrap();
    // As a page writes a slash in text.
    let page = ari.get("/health").await.body;
    assert!(page.contains(&runs.to_string()) && !page.contains(&name.to_string()), "{page}");

    let (status, body) = promote(&ari, &name, "better").await;
    assert!(status == 409 && body.contains("has not been held against"), "{body}");
    let validation = Validation {
        model: name.clone(),
        beside: runs.clone(),
        on: "400 lines".to_owned(),
        data_hash: "ab".to_owned(),
        seeds: vec![1],
        measures: BTreeMap::new(),
        failed: Vec::new(),
        at: now(),
    };
    registry::validated(&world.store, &validation, "command", "command").await.unwrap();
    let (status, body) = promote(&pia, &name, "better").await;
    assert!(status == 409 && body.contains("may not change which detector runs"), "{body}");
    assert_eq!(promote(&ari, &name, "finds <b>more</b>").await.0, 303);
    let (own, other) = (ari.get("/health").await.body, dan.get("/health").await.body);
    assert!(own.contains("Waiting for a second person") && own.contains("finds &lt;b&gt;more"), "{own}");
    assert!(!own.contains("<button>Confirm") && other.contains("<button>Confirm"), "{other}");
    assert_eq!(promote(&dan, &name, "confirmed").await.0, 303);
    let running = registry::in_force(&world.store, &world.state.config).await.unwrap();
    assert_eq!(running.models().name(ModelKind::Receiving), name);
    assert!(!dan.get("/health").await.body.contains("Waiting for a second person"));
    let bad = dan.post("/models", &[("csrf", "no"), ("name", "x"), ("reason", "y")]).await;
    assert_eq!(bad.status, 403, "{}", bad.body);
}
