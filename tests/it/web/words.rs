//! Whose words people see, on the page Health: where a model stands, and the second person who confirms that people see its words.

use reeve::config::Config;
use reeve::domain::hand::Hand;
use reeve::domain::ids::PersonId;
use reeve::pipeline::writers::{self, State};

use super::http::Visitor;
use super::world::World;
use crate::support::earned::proved;

/// Confirms what waits, as a visitor's page does.
async fn confirm(visitor: &Visitor<'_>, writer: &str, reason: &str) -> (u16, String) {
    let page = visitor.get("/health").await.body;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let answer = visitor.post("/words", &[("csrf", csrf.as_str()), ("name", writer), ("reason", reason)]).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn a_second_person_confirms_on_the_page_that_people_see_a_models_words() {
    let settings = [("REEVE_MODEL__BASE_URL", "http://127.0.0.1:9/v1"), ("REEVE_MODEL__NAME", "<b>stub</b>")];
    let environment: Vec<(String, String)> =
        settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let world = World::of(Config::load_from(None, &environment).unwrap()).await;
    let (store, config, clock) = (&world.store, &world.state.config, &world.clock);
    let writer = config.writer().unwrap();
    let (pia, ari, dan) = (
        Visitor::sign_in(&world, "pia").await,
        Visitor::sign_in(&world, "ari").await,
        Visitor::sign_in(&world, "dan").await,
    );
    let page = pia.get("/health").await.body;
    assert!(
        page.contains("candidate</span> People see the playbook&#x27;s words") || page.contains("People see the playbook"),
        "{page}"
    );
    assert!(page.contains("&lt;b&gt;stub") && !page.contains("<b>stub"), "{page}");
    let (status, body) = confirm(&dan, &writer.id(), "better").await;
    assert!(status == 409 && body.contains("was not held against the playbook"), "{body}");

    proved(store, config, clock, &[]).await;
    let by = PersonId::new("ari");
    let done = writers::promote(store, config, clock, (&by, "web", &Hand::Own), &writer, "reads <i>better</i>").await;
    assert!(matches!(done, Ok(writers::Changed::Proposed(_))), "{done:?}");
    let (own, other) = (ari.get("/health").await.body, dan.get("/health").await.body);
    assert!(own.contains("reads &lt;i&gt;better") && !own.contains("<button>Confirm"), "{own}");
    assert!(other.contains("<button>Confirm"), "{other}");
    let (status, body) = confirm(&pia, &writer.id(), "so do I").await;
    assert!(status == 409 && body.contains("may not change whose words people see"), "{body}");
    let (status, body) = confirm(&dan, "w-another", "so do I").await;
    assert!(status == 409 && body.contains("another model is configured by now"), "{body}");
    assert_eq!(confirm(&dan, &writer.id(), "so do I").await.0, 303);
    assert_eq!(writers::stand(store, &writer).await.unwrap().state, State::Earned);
    assert!(dan.get("/health").await.body.contains("People see its words"));
    let bad = dan.post("/words", &[("csrf", "no"), ("name", "x"), ("reason", "y")]).await;
    assert_eq!(bad.status, 403, "{}", bad.body);
}

#[tokio::test]
async fn without_a_model_the_page_says_nothing_of_words() {
    let world = World::new().await;
    let page = Visitor::sign_in(&world, "dan").await.get("/health").await.body;
    assert!(!page.contains("words-h"), "{page}");
}
