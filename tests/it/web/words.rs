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
    let shown = page.split("name=\"proof\" value=\"").nth(1).map_or("", |rest| rest.split('"').next().unwrap());
    let fields = [("csrf", csrf.as_str()), ("name", writer), ("proof", shown), ("reason", reason)];
    let answer = visitor.post("/words", &fields).await;
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
    let done = writers::promote(store, config, clock, (&by, "web", &Hand::Own), &writer, "reads <i>better</i>", None).await;
    assert!(matches!(done, Ok(writers::Changed::Proposed(_))), "{done:?}");
    let (own, other) = (ari.get("/health").await.body, dan.get("/health").await.body);
    assert!(own.contains("reads &lt;i&gt;better") && !own.contains("<button>Confirm"), "{own}");
    assert!(other.contains("<button>Confirm"), "{other}");
    // Both see what is signed: the suite, its scenarios and what was found.
    for part in ["<strong>drafts</strong>", "<code>d</code>", "figures: <i>equal</i>"] {
        let part = part.replace("<i>equal</i>", "&lt;i&gt;equal&lt;/i&gt;");
        assert!(own.contains(&part) && other.contains(&part), "{part}: {other}");
    }
    // Another proof meanwhile: what Dan has on the screen is signed by nobody.
    let csrf = other.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let shown = other.split("name=\"proof\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    clock.set(clock.now().checked_add(jiff::SignedDuration::from_mins(1)).unwrap());
    proved(store, config, clock, &[]).await;
    let id = writer.id();
    let late = [("csrf", csrf), ("name", id.as_str()), ("proof", shown), ("reason", "so do I")];
    let late = dan.post("/words", &late).await;
    assert!(late.status == 409 && late.body.contains("not the newest proof"), "{}", late.body);
    assert!(!late.body.contains("<button>Confirm"), "{}", late.body);
    let done = writers::promote(store, config, clock, (&by, "web", &Hand::Own), &writer, "still better", None).await;
    assert!(matches!(done, Ok(writers::Changed::Proposed(_))), "{done:?}");
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
