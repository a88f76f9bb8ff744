//! One person with the run of the machine and two names: on the page, in a batch and by the API.

use std::collections::BTreeMap;
use std::sync::Arc;

use reeve::channels::web::{LinkFor, sign_in_link};
use reeve::config::Config;
use reeve::domain::ids::PersonId;
use reeve::domain::recommendation::Recommendation;
use reeve::people::{By, Identities};
use reeve::store::TokenOwner;
use serde_json::json;

use super::http::{Visitor, send};
use super::world::World;

/// Somebody who came by a link that `user` of the machine made by command.
async fn by_link<'w>(world: &'w World, user: &str, person: &str) -> Visitor<'w> {
    let store = world.store.clone().opened_by(user);
    let link = sign_in_link(&store, &PersonId::new(person), &world.clock, &world.base, LinkFor::Person).await.unwrap();
    Visitor::come_by(world, &link).await
}

/// Decides by the API with a token that `user` made by command.
async fn by_token(world: &World, user: &str, person: &str, on: &Recommendation) -> (u16, String) {
    let config = Arc::new(Config::load_from(None, &[]).unwrap());
    let ids = Identities { store: world.store.clone().opened_by(user), config, clock: world.clock.clone() };
    let (owner, scopes) = (TokenOwner::Person(person.to_owned()), ["decide".parse().unwrap()]);
    let made = ids.new_token(owner, "test", &scopes, 30, By { actor: "cli", channel: "cli" }).await.unwrap();
    let bearer = format!("Bearer {}", made.shown);
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json"), ("Idempotency-Key", person)];
    let body = json!({ "recommendation": on.id, "content_hash": on.content_hash(), "decision": { "verb": "approve" } });
    let answer = send(world, "POST", "/api/v1/decisions", &headers, &body.to_string()).await;
    (answer.status, answer.body)
}

#[tokio::test]
async fn one_user_of_the_machine_does_not_approve_what_they_edited_under_another_name() {
    const EVE: &str = "eve (uid 1001)";
    let world = World::new().await;
    let pia = by_link(&world, EVE, "pia").await;
    let edited = pia.decide(&pia.form("edit").await, &[("quantity", "30"), ("date", "2026-10-09")]).await;
    assert_eq!(edited.status, 303, "{}", edited.body);
    let all = world.store.list_recommendations(&world.case.id).await.unwrap();
    let edited =
        all.into_iter().map(|(rec, _)| rec).find(|rec| rec.state.is_waiting() && rec.id != world.recommendations[1].id);
    let edited = edited.unwrap();
    assert!(edited.candidate.summary.contains("30"), "{edited:?}");

    let ari = by_link(&world, EVE, "ari").await;
    let refused = ari.decide(&ari.form("approve").await, &[]).await;
    assert!(refused.status != 303 && refused.body.contains("could be one person with two names"), "{}", refused.body);
    let page = ari.get(&format!("/batch?pick-{}=on", edited.id)).await.body;
    let form = fields(&page);
    let answer = ari.post("/batch", &form.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect::<Vec<_>>()).await;
    assert!(answer.body.contains("could be one person with two names"), "{}", answer.body);
    let (status, said) = by_token(&world, EVE, "ari", &edited).await;
    assert!(status >= 400 && said.contains("could be one person with two names"), "{status} {said}");
    assert!(world.store.get_recommendation(&edited.id).await.unwrap().0.state.is_waiting());

    // Another user of the machine is another hand.
    let (status, said) = by_token(&world, "ari (uid 1002)", "ari", &edited).await;
    assert_eq!(status, 200, "{said}");
}

/// The hidden fields of the page's form to approve.
fn fields(page: &str) -> BTreeMap<String, String> {
    let form = page.split("<form ").find(|f| f.contains("value=\"approve\"")).unwrap_or_else(|| panic!("{page}"));
    let inputs = form.split("</form>").next().unwrap().split("<input type=\"hidden\" name=\"").skip(1);
    let mut fields: BTreeMap<String, String> =
        inputs.map(|i| i.split('"').collect::<Vec<_>>()).map(|p| (p[0].to_owned(), p[2].to_owned())).collect();
    fields.insert("verb".to_owned(), "approve".to_owned());
    fields
}
