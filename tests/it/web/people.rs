//! What people do with one another on the page: ask by name, give back, stand in, read the policy.

use reeve::domain::decision::RecommendationState;

use super::http::Visitor;
use super::world::{World, today};

#[tokio::test]
async fn somebody_is_asked_by_name_sees_it_in_their_queue_and_gives_it_back() {
    let world = World::new().await;
    let (pia, ari) = (Visitor::sign_in(&world, "pia").await, Visitor::sign_in(&world, "ari").await);
    let form = pia.form("forward").await;
    assert_eq!(pia.decide(&form, &[("to", "")]).await.status, 400);
    assert_eq!(pia.decide(&form, &[("to", "nobody")]).await.status, 409);
    assert_eq!(pia.decide(&form, &[("to", "ari"), ("note", "is <b>this</b> right?")]).await.status, 303);
    let queue = ari.get("/").await.body;
    assert!(queue.contains("Pia Planner asks you to decide") && queue.contains("is &lt;b&gt;this&lt;"), "{queue}");
    let page = ari.get(&ari.case()).await.body;
    assert!(page.contains("passed on to Ari Approver by Pia Planner") && page.contains(r#"value="return""#), "{page}");
    assert_eq!(ari.decide(&ari.form("return").await, &[("note", "ask the store")]).await.status, 303);
    let (rec, _) = world.store.get_recommendation(&world.recommendations[0].id).await.unwrap();
    assert_eq!(rec.state, RecommendationState::Queued);
    let told = pia.get("/").await.body;
    assert!(told.contains("gave this back") && told.contains("ask the store"), "{told}");
    // What was seen is gone from the page; somebody else's can not be waved away.
    let id = told.split("/notices/").nth(1).and_then(|rest| rest.split('/').next()).unwrap().to_owned();
    for (who, left) in [(&ari, true), (&pia, false)] {
        let csrf = who.form("reject").await["csrf"].clone();
        assert_eq!(who.post(&format!("/notices/{id}/seen"), &[("csrf", &csrf)]).await.status, 303);
        assert_eq!(pia.get("/").await.body.contains("gave this back"), left);
    }
}

#[tokio::test]
async fn the_policy_is_written_out_and_rights_are_lent_for_some_days() {
    let world = World::new().await;
    let (pia, ari) = (Visitor::sign_in(&world, "pia").await, Visitor::sign_in(&world, "ari").await);
    let page = ari.get("/policy").await.body;
    for words in ["What the AI may recommend", "Separation of duties", "Silence is not consent", "Nobody stands in"] {
        assert!(page.contains(words), "{words}: {page}");
    }
    let csrf = ari.form("approve").await["csrf"].clone();
    let (from, until) = (today().to_string(), today().tomorrow().unwrap().to_string());
    let lend = |csrf: &str, to: &str| {
        let fields = [("csrf", csrf), ("to", to), ("from", &from), ("until", &until), ("reason", "on leave")];
        fields.map(|(key, value)| (key.to_owned(), value.to_owned()))
    };
    for (csrf, to, status) in [("wrong", "pia", 403), (csrf.as_str(), "ari", 400), (&csrf, "pia", 303)] {
        let fields = lend(csrf, to);
        let fields: Vec<(&str, &str)> = fields.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        assert_eq!(ari.post("/policy/stand-ins", &fields).await.status, status, "{to}");
    }
    assert!(pia.get("/").await.body.contains("You stand in for Ari Approver"));
    let approved = pia.decide(&pia.form("approve").await, &[]).await;
    assert_eq!(approved.status, 303, "{}", approved.body);
    let page = pia.get("/policy").await.body;
    assert!(page.contains("Pia Planner</th><td>Ari Approver"), "{page}");
}
