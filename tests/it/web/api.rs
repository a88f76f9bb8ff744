//! `/api/v1` over real HTTP: who gets in, what they see, and that a decision is made once and by nobody else.

use std::sync::Arc;

use reeve::config::Config;
use reeve::domain::decision::RecommendationState;
use reeve::domain::ids::PersonId;
use reeve::people::{By, Identities, Scope};
use reeve::store::TokenOwner;
use serde_json::{Value, json};

use super::http::{Answer, Visitor, send};
use super::world::{World, now};

const ADMIN: By<'_> = By { actor: "cli", channel: "cli" };

fn identities(world: &World) -> Identities {
    let config = Arc::new(Config::load_from(None, &[]).unwrap());
    Identities { store: world.store.clone(), config, clock: world.clock.clone() }
}

pub(super) async fn token_of(world: &World, owner: TokenOwner, scopes: &[&str]) -> String {
    let scopes: Vec<Scope> = scopes.iter().map(|s| s.parse().unwrap()).collect();
    identities(world).new_token(owner, "test", &scopes, 30, ADMIN).await.unwrap().shown
}

pub(super) async fn token(world: &World, person: &str, scopes: &[&str]) -> String {
    token_of(world, TokenOwner::Person(person.to_owned()), scopes).await
}

pub(super) async fn get(world: &World, path: &str, token: &str) -> Answer {
    let bearer = format!("Bearer {token}");
    send(world, "GET", &format!("/api/v1{path}"), &[("Authorization", &bearer), ("Host", "gateway.example")], "").await
}

pub(super) async fn post(world: &World, token: &str, key: &str, body: &Value) -> Answer {
    let bearer = format!("Bearer {token}");
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json"), ("Idempotency-Key", key)];
    send(world, "POST", "/api/v1/decisions", &headers, &body.to_string()).await
}

pub(super) fn read(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
}

/// The code of a problem, after checking that the answer is one.
fn problem(answer: &Answer) -> String {
    assert_eq!(answer.header("content-type"), "application/problem+json", "{}", answer.body);
    assert_eq!(answer.header("cache-control"), "no-store");
    let document = read(answer);
    assert_eq!(document["status"], answer.status, "{document}");
    assert!(!document["title"].as_str().unwrap().is_empty() && !document["detail"].as_str().unwrap().is_empty());
    document["type"].as_str().unwrap().strip_prefix("urn:reeve:problem:").unwrap().to_owned()
}

fn refused(answer: &Answer) -> (u16, String) {
    (answer.status, problem(answer))
}

/// A decision on the world's recommendation `index`.
fn body(world: &World, index: usize, decision: &Value) -> Value {
    let rec = &world.recommendations[index];
    json!({ "recommendation": rec.id, "content_hash": rec.content_hash(), "decision": decision })
}

async fn state_of(world: &World, index: usize) -> RecommendationState {
    world.store.get_recommendation(&world.recommendations[index].id).await.unwrap().0.state
}

async fn decisions(world: &World) -> usize {
    world.store.list_decisions(jiff::Timestamp::MIN).await.unwrap().len()
}

#[tokio::test]
async fn what_a_mute_hides_is_listed_only_to_who_asks_for_it() {
    let world = World::new().await;
    let token = token(&world, "ari", &["read:cases"]).await;
    let listed = async |query: &str| {
        let answer = get(&world, &format!("/cases{query}"), &token).await;
        read(&answer)["cases"].as_array().unwrap().iter().any(|case| case["id"] == "c-4")
    };
    assert!(listed("").await && listed("?muted=true").await);
    let pia = Visitor::sign_in(&world, "pia").await;
    let page = pia.get("/mutes").await.body;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let form =
        [("csrf", csrf), ("code", "R-OVER"), ("scope", "all"), ("until", "2026-10-20"), ("reason", "the scale counts it")];
    assert_eq!(pia.post("/mutes", &form).await.status, 303);
    assert!(!listed("").await && !listed("?state=all").await && !listed("?muted=false&type=R-OVER").await);
    assert!(listed("?muted=true").await && listed("?state=all&muted=true&type=R-OVER").await);
    assert_eq!(get(&world, "/cases?muted=perhaps", &token).await.status, 422);
    // Whoever knows it can read it.
    assert_eq!(get(&world, "/cases/c-4", &token).await.status, 200);
}

#[tokio::test]
async fn what_a_person_reads_by_their_token_is_opened_by_them() {
    let world = World::new().await;
    let ari = token(&world, "ari", &["read:cases", "decide"]).await;
    let board = token_of(&world, TokenOwner::Service("board".to_owned()), &["read:cases"]).await;
    let path = format!("/cases/{}", world.case.id);
    for reader in [&board, &ari, &ari] {
        assert_eq!(get(&world, &path, reader).await.status, 200);
    }
    assert_eq!(post(&world, &ari, "k", &body(&world, 0, &json!({ "verb": "approve" }))).await.status, 200);
    let views = world.store.list_views_of_decided(jiff::Timestamp::MIN).await.unwrap();
    let seen: Vec<_> = views.iter().map(|v| (v.person.as_str(), v.channel.as_str(), v.content_hash.clone())).collect();
    assert_eq!(seen, [("ari", "api", world.recommendations[0].content_hash())]);
}

const READS: [&str; 6] =
    ["/cases", "/cases/c-00112233aabbccdd", "/digests", "/digests/2026-10-08", "/audit", "/kpi?from=2026-10-01"];

#[tokio::test]
async fn nobody_gets_in_without_a_token_that_can_be_used() {
    let world = World::new().await;
    let good = token(&world, "ari", &["read:cases", "read:digests", "read:audit"]).await;
    for path in READS.iter().chain(&["/me", "/nothing"]) {
        let none = send(&world, "GET", &format!("/api/v1{path}"), &[], "").await;
        assert_eq!(refused(&none), (401, "not-authenticated".to_owned()), "{path}");
        assert!(none.header("www-authenticate").starts_with("Bearer"));
    }
    for header in ["Basic YTpi", "Bearer", "Bearer ", "Bearer reeve_0", &good, &format!("bearer  {good}")] {
        let answer = send(&world, "GET", "/api/v1/me", &[("Authorization", header)], "").await;
        assert_eq!(refused(&answer), (401, "not-authenticated".to_owned()), "{header}");
    }
    let twice = format!("Bearer {good}");
    let twice = send(&world, "GET", "/api/v1/me", &[("Authorization", &twice), ("Authorization", &twice)], "").await;
    assert_eq!(refused(&twice), (400, "bad-request".to_owned()));
    assert_eq!(get(&world, "/me", &good).await.status, 200);

    let id = good.split('_').nth(1).unwrap();
    identities(&world).revoke_token(id, None, ADMIN).await.unwrap();
    assert_eq!(refused(&get(&world, "/cases", &good).await), (401, "token-revoked".to_owned()));
    let old = token(&world, "ari", &["read:cases"]).await;
    world.clock.set(now().checked_add(jiff::SignedDuration::from_hours(24 * 30)).unwrap());
    assert_eq!(refused(&get(&world, "/cases", &old).await), (401, "token-expired".to_owned()));
}

#[tokio::test]
async fn whoever_leaves_the_configuration_leaves_with_their_tokens() {
    let mut config = Config::load_from(None, &[]).unwrap();
    config.people.retain(|p| p.id.as_str() != "ari");
    let world = World::of(config).await;
    let gone = token(&world, "ari", &["read:cases", "decide"]).await;
    assert_eq!(refused(&get(&world, "/cases", &gone).await), (401, "token-owner-gone".to_owned()));
    let answer = post(&world, &gone, "k", &body(&world, 0, &json!({ "verb": "approve" }))).await;
    assert_eq!(refused(&answer), (401, "token-owner-gone".to_owned()));
}

#[tokio::test]
async fn a_token_in_an_address_is_refused_even_beside_a_good_one() {
    let world = World::new().await;
    let good = token(&world, "ari", &["read:cases"]).await;
    for query in [format!("?access_token={good}"), format!("?x={good}"), "?Token=x".to_owned(), format!("?{good}")] {
        for path in ["/cases", "/me"] {
            let answer = get(&world, &format!("{path}{query}"), &good).await;
            assert_eq!(refused(&answer), (400, "token-in-address".to_owned()), "{query}");
        }
    }
}

#[tokio::test]
async fn a_cookie_means_nothing_to_the_api_and_a_token_nothing_to_the_pages() {
    let world = World::new().await;
    let link = world.link("ari").await;
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let signed = send(&world, "POST", "/sign-in", &[form], &format!("token={}", link.split_once("token=").unwrap().1)).await;
    let cookie = signed.header("set-cookie").split(';').next().unwrap().to_owned();
    for path in READS {
        let answer = send(&world, "GET", &format!("/api/v1{path}"), &[("Cookie", &cookie)], "").await;
        assert_eq!(refused(&answer), (401, "not-authenticated".to_owned()));
    }
    let decision = body(&world, 0, &json!({ "verb": "approve" })).to_string();
    let headers = [("Cookie", cookie.as_str()), ("Content-Type", "application/json"), ("Idempotency-Key", "k")];
    assert_eq!(send(&world, "POST", "/api/v1/decisions", &headers, &decision).await.status, 401);
    let bearer = format!("Bearer {}", token(&world, "ari", &["read:cases", "decide"]).await);
    for path in ["/", "/audit", "/me", "/cases/c-00112233aabbccdd"] {
        let answer = send(&world, "GET", path, &[("Authorization", &bearer)], "").await;
        assert_eq!((answer.status, answer.header("location")), (303, "/sign-in"), "{path}");
    }
    assert_eq!(decisions(&world).await, 0);
}

#[tokio::test]
async fn a_token_sees_what_its_scopes_say_and_nothing_else() {
    let world = World::new().await;
    let scopes = ["read:cases", "read:cases", "read:digests", "read:digests", "read:audit", "read:kpi"];
    for (path, needed) in READS.into_iter().zip(scopes) {
        for scope in ["read:cases", "read:digests", "read:audit", "read:kpi", "decide"] {
            let answer = get(&world, path, &token(&world, "pia", &[scope]).await).await;
            if scope == needed {
                assert_eq!(answer.status, 200, "{path} {scope}: {}", answer.body);
            } else {
                assert_eq!(refused(&answer), (403, "scope-missing".to_owned()), "{path} {scope}");
                assert!(answer.body.contains(needed), "{}", answer.body);
            }
        }
    }
    let reader = token(&world, "ari", &["read:cases", "decide:reject"]).await;
    let answer = post(&world, &reader, "k", &body(&world, 0, &json!({ "verb": "approve" }))).await;
    assert_eq!(refused(&answer), (403, "scope-missing".to_owned()));
    let reject = json!({ "verb": "reject", "reason": "not-worth-it" });
    assert_eq!(post(&world, &reader, "k", &body(&world, 0, &reject)).await.status, 200);
}

#[tokio::test]
async fn a_case_is_shown_with_what_a_decision_needs() {
    let world = World::new().await;
    let token = token(&world, "ari", &["read:cases", "read:digests", "read:audit"]).await;
    let me = read(&get(&world, "/me", &token).await);
    assert_eq!((&me["id"], &me["kind"], &me["tier"]), (&json!("ari"), &json!("person"), &json!(2)));
    assert_eq!(me["roles"], json!(["planner", "approver"]));

    let list = read(&get(&world, "/cases", &token).await);
    let ids: Vec<&str> = list["cases"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["c-00112233aabbccdd", "c-2", "c-3", "c-4"]);
    assert_eq!((&list["currency"], list.get("next")), (&json!("USD"), Some(&Value::Null)));
    let first = &list["cases"][0];
    assert_eq!((&first["value"]["expected_minor"], &first["subject"]["item"]), (&json!(89_250), &json!("75")));

    let case = read(&get(&world, "/cases/c-00112233aabbccdd", &token).await);
    let cards = case["cards"].as_array().unwrap();
    assert_eq!(cards.len(), world.recommendations.len());
    for (card, rec) in cards.iter().zip(&world.recommendations) {
        assert_eq!(card["content_hash"], rec.content_hash());
        assert_eq!((&card["recommendation"], &card["waiting"]), (&json!(rec.id), &json!(true)));
    }
    assert_eq!(cards[0]["action"], "TRANSFER");
    let you = &cards[0]["you"];
    assert_eq!((&you["tier"], &you["may_approve"], &you["why_not"]), (&json!("T1"), &json!(true), &Value::Null));
    let parameters = json!({ "item": "75", "from": "1", "to": "3", "quantity": "40", "ship_on": "2026-10-09" });
    assert_eq!(cards[0]["parameters"], parameters);
    let facts = case["evidence"]["facts"].as_array().unwrap();
    assert!(facts.iter().any(|f| f["third_party"] == true) && facts.len() == 6);
    assert_eq!(case["evidence"]["hash"].as_str(), world.case.evidence_hash.as_deref());

    let days = read(&get(&world, "/digests", &token).await);
    assert_eq!(days["days"], json!(["2026-10-08"]));
    assert_eq!(read(&get(&world, "/digests/2026-10-08", &token).await)["lines"][0]["case"], "c-00112233aabbccdd");
    for path in ["/cases/c-none", "/cases/..%2f", "/digests/2026-01-01", "/digests/yesterday", "/nothing"] {
        assert_eq!(refused(&get(&world, path, &token).await), (404, "not-found".to_owned()), "{path}");
    }
    let wrong = send(&world, "DELETE", "/api/v1/cases", &[("Authorization", &format!("Bearer {token}"))], "").await;
    assert_eq!(refused(&wrong), (405, "wrong-method".to_owned()));
}

#[tokio::test]
async fn the_queue_comes_page_by_page_and_filtered() {
    let world = World::new().await;
    let token = token(&world, "pia", &["read:cases", "read:audit"]).await;
    let (mut seen, mut next) = (Vec::new(), String::new());
    for _ in 0..10 {
        let page = read(&get(&world, &format!("/cases?state=all&limit=1{next}"), &token).await);
        seen.extend(page["cases"].as_array().unwrap().iter().map(|c| c["id"].as_str().unwrap().to_owned()));
        let Some(after) = page["next"].as_str() else { break };
        next = format!("&after={after}");
    }
    assert_eq!(seen, ["c-00112233aabbccdd", "c-2", "c-3", "c-4"]);
    for (query, count) in [
        ("?type=F-PRICE", 1),
        ("?type=F-PRICE&supplier=9", 1),
        ("?location=1", 2),
        ("?item=75&location=3", 1),
        ("?item=none", 0),
        ("?state=done", 0),
        ("?state=snoozed", 0),
    ] {
        let page = read(&get(&world, &format!("/cases{query}"), &token).await);
        assert_eq!(page["cases"].as_array().unwrap().len(), count, "{query}");
    }
    for query in ["?state=x", "?type=X-1", "?limit=0", "?limit=201", "?limit=-1", "?after=1", "?page=2", "?limit=1&limit=2"]
    {
        let answer = get(&world, &format!("/cases{query}"), &token).await;
        assert_eq!(refused(&answer), (422, "bad-field".to_owned()), "{query}");
    }
    let (mut entries, mut after) = (0, 0);
    while let Some(next) = {
        let page = read(&get(&world, &format!("/audit?limit=2&after={after}"), &token).await);
        entries += page["entries"].as_array().unwrap().len();
        page["next"].as_i64()
    } {
        after = next;
    }
    let head = world.store.audit_head().await.unwrap();
    assert_eq!(i64::try_from(entries).unwrap(), head.0);
}

#[tokio::test]
async fn a_decision_is_made_once_as_the_person_whose_token_it_is() {
    let world = World::new().await;
    let ari = token(&world, "ari", &["decide"]).await;
    let approve = body(&world, 0, &json!({ "verb": "approve" }));
    let first = post(&world, &ari, "order-1", &approve).await;
    assert_eq!(first.status, 200, "{}", first.body);
    let told = read(&first);
    assert_eq!((&told["state"], &told["tier"], &told["needs_second"]), (&json!("approved"), &json!("T1"), &json!(false)));
    // Again, bare and as the draft standard writes it: the same answer, byte for byte, also after the world has moved on.
    world.clock.set(now().checked_add(jiff::SignedDuration::from_hours(2)).unwrap());
    for key in ["order-1", "\"order-1\""] {
        let again = post(&world, &ari, key, &approve).await;
        assert_eq!((again.status, &again.body), (200, &first.body));
    }
    for other in
        [body(&world, 0, &json!({ "verb": "reject", "reason": "not-real" })), body(&world, 1, &json!({ "verb": "approve" }))]
    {
        let answer = post(&world, &ari, "order-1", &other).await;
        assert_eq!(refused(&answer), (409, "idempotency-key-reused".to_owned()));
    }
    assert_eq!(decisions(&world).await, 1);
    let RecommendationState::Approved { by, .. } = state_of(&world, 0).await else { panic!("not approved") };
    assert_eq!(by, [PersonId::new("ari")]);
    let log = world.store.list_audit_of(&format!("recommendation:{}", world.recommendations[0].id)).await.unwrap();
    let approved = log.iter().find(|e| e.entry.action == "recommendation.approved").unwrap();
    assert_eq!((approved.entry.actor.as_str(), approved.entry.channel.as_str()), ("ari", "api"));
    // The same key of another person is another key.
    let fay = token(&world, "fay", &["decide"]).await;
    let answer = post(&world, &fay, "order-1", &approve).await;
    assert_eq!(refused(&answer), (409, "already-decided".to_owned()));
    world.store.verify_audit().await.unwrap();
}

#[tokio::test]
async fn of_the_same_decisions_at_once_one_is_made_and_all_are_answered_the_same() {
    let world = World::new().await;
    let ari = token(&world, "ari", &["decide"]).await;
    let approve = body(&world, 0, &json!({ "verb": "approve" }));
    let post = || post(&world, &ari, "once", &approve);
    let (a, b, c, d) = tokio::join!(post(), post(), post(), post());
    for answer in [&b, &c, &d] {
        assert_eq!((answer.status, &answer.body), (200, &a.body));
    }
    assert_eq!((a.status, decisions(&world).await), (200, 1));
    assert_eq!(world.store.list_outbox(reeve::store::OutboxState::Pending).await.unwrap().len(), 1);
}

#[tokio::test]
async fn of_two_decisions_under_one_key_at_once_one_is_made_and_the_other_refused() {
    let world = World::new().await;
    let ari = token(&world, "ari", &["decide"]).await;
    let (approve, reject) = (json!({ "verb": "approve" }), json!({ "verb": "reject", "reason": "policy" }));
    let (one, two) = (body(&world, 0, &approve), body(&world, 0, &reject));
    let (a, b) = tokio::join!(post(&world, &ari, "once", &one), post(&world, &ari, "once", &two));
    let mut statuses = [a.status, b.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", a.body, b.body);
    let lost = if a.status == 409 { &a } else { &b };
    assert_eq!(problem(lost), "idempotency-key-reused");
    assert_eq!(decisions(&world).await, 1);
}

#[tokio::test]
async fn a_right_to_decide_alone_shows_no_card() {
    let mut config = Config::load_from(None, &[]).unwrap();
    let vic = reeve::domain::policy::Person {
        roles: vec![reeve::domain::policy::Role::Viewer],
        ..reeve::domain::policy::Person::gone(PersonId::new("vic"))
    };
    config.people.push(vic);
    let world = World::of(config.clone()).await;
    let ids = Identities { config: Arc::new(config), ..identities(&world) };
    let vic = TokenOwner::Person("vic".to_owned());
    let scopes: Vec<Scope> = ["decide", "read:cases"].iter().map(|s| s.parse().unwrap()).collect();
    let vic = ids.new_token(vic, "test", &scopes, 30, ADMIN).await.unwrap().shown;
    let ari = token(&world, "ari", &["decide:approve", "read:digests"]).await;
    let mut stale = body(&world, 1, &json!({ "verb": "approve" }));
    stale["content_hash"] = json!("0".repeat(64));
    for (who, token) in [("without the scope", ari), ("without a role that decides", vic)] {
        let answer = post(&world, &token, "k", &stale).await;
        assert_eq!(refused(&answer), (409, "facts-changed".to_owned()), "{who}");
        assert!(read(&answer).get("newest").is_none(), "{who}: {}", answer.body);
        let hash = world.recommendations[0].content_hash();
        assert!(!answer.body.contains(&hash), "{who}: what one could decide with: {}", answer.body);
    }
}

#[tokio::test]
async fn a_stale_decision_brings_the_card_that_holds_now() {
    let world = World::new().await;
    let ari = token(&world, "ari", &["decide", "read:cases"]).await;
    let mut stale = body(&world, 1, &json!({ "verb": "approve" }));
    stale["content_hash"] = json!("0".repeat(64));
    let answer = post(&world, &ari, "k", &stale).await;
    assert_eq!(refused(&answer), (409, "facts-changed".to_owned()));
    let newest = read(&answer)["newest"].clone();
    assert_eq!(newest["recommendation"], json!(world.recommendations[0].id));
    assert_eq!(newest["content_hash"], world.recommendations[0].content_hash());
    // The refused click has used nothing up: with the card that was sent back it goes.
    let fresh = json!({
        "recommendation": newest["recommendation"],
        "content_hash": newest["content_hash"],
        "decision": { "verb": "approve" },
    });
    assert_eq!(post(&world, &ari, "k", &fresh).await.status, 200);
}

#[tokio::test]
async fn the_policy_holds_for_programs_as_for_people() {
    let world = World::new().await;
    let approve = body(&world, 0, &json!({ "verb": "approve" }));
    let pia = token(&world, "pia", &["decide"]).await;
    assert_eq!(refused(&post(&world, &pia, "k", &approve).await), (403, "role-missing".to_owned()));
    let edit = body(&world, 0, &json!({ "verb": "edit", "quantity": "30" }));
    let ari = token(&world, "ari", &["decide"]).await;
    let edited = post(&world, &ari, "e", &edit).await;
    assert_eq!(edited.status, 200, "{}", edited.body);
    let new = read(&edited)["recommendation"].as_str().unwrap().to_owned();
    let (rec, _) = world.store.get_recommendation(&reeve::domain::ids::RecommendationId::new(new)).await.unwrap();
    let own = json!({
        "recommendation": rec.id, "content_hash": rec.content_hash(), "decision": { "verb": "approve" },
    });
    assert_eq!(refused(&post(&world, &ari, "o", &own).await), (403, "separation-of-duties".to_owned()));
    assert_eq!(decisions(&world).await, 1);
}

#[tokio::test]
async fn whoever_looks_after_another_part_of_the_business_sees_it_and_is_told_why_they_can_not_decide() {
    let mut config = Config::load_from(None, &[]).unwrap();
    for person in config.people.iter_mut().filter(|p| p.id.as_str() == "ari") {
        person.scopes.locations = vec!["NOR".to_owned()];
    }
    let world = World::of(config).await;
    let ari = token(&world, "ari", &["read:cases", "decide"]).await;
    assert_eq!(read(&get(&world, "/me", &ari).await)["decides_for"], "location NOR");
    let case = read(&get(&world, "/cases/c-00112233aabbccdd", &ari).await);
    let you = &case["cards"][0]["you"];
    assert_eq!((&you["may_approve"], &you["may_turn_down"]), (&json!(false), &json!(true)));
    assert!(you["why_not"].as_str().unwrap().contains("decides for location NOR"), "{you}");
    let answer = post(&world, &ari, "k", &body(&world, 0, &json!({ "verb": "approve" }))).await;
    assert_eq!(refused(&answer), (403, "out-of-scope".to_owned()));
    assert!(read(&answer)["could"].as_array().unwrap().iter().any(|who| who == "Fay Finance"), "{}", answer.body);
    let page = Visitor::sign_in(&world, "ari").await;
    let shown = page.get("/cases/c-00112233aabbccdd").await.body;
    assert!(shown.contains("You can not approve it: Ari Approver decides for location NOR"), "{shown}");
    assert!(page.get("/me").await.body.contains("up to T2 for location NOR"));
    assert_eq!(decisions(&world).await, 0);
}

#[tokio::test]
async fn a_machine_never_decides_whatever_it_says() {
    let world = World::new().await;
    let service = TokenOwner::Service("ari".to_owned());
    let machine = token_of(&world, service, &["read:kpi", "read:cases"]).await;
    for decision in [
        json!({ "verb": "approve" }),
        json!({ "verb": "undo" }),
        json!({ "verb": "reject", "reason": "policy" }),
        json!({ "verb": "snooze", "until": "2026-10-12" }),
        json!({ "verb": "forward", "to": "fay" }),
    ] {
        let answer = post(&world, &machine, "k", &body(&world, 0, &decision)).await;
        assert_eq!(refused(&answer), (403, "machine-never-approves".to_owned()), "{decision}");
    }
    let me = read(&get(&world, "/me", &machine).await);
    assert_eq!((&me["kind"], &me["id"], &me["tier"]), (&json!("service"), &json!("service:ari"), &Value::Null));
    assert_eq!(decisions(&world).await, 0);
}

#[tokio::test]
async fn nobody_decides_as_somebody_else_by_saying_so() {
    let world = World::new().await;
    let pia = token(&world, "pia", &["decide"]).await;
    let honest = body(&world, 0, &json!({ "verb": "approve" }));
    for (field, value) in [
        ("person", json!("dan")),
        ("channel", json!("web")),
        ("acting_for", json!("dan")),
        ("idempotency_key", json!("x")),
        ("tier", json!(0)),
    ] {
        let mut outside = honest.clone();
        outside[field] = value.clone();
        let mut inside = honest.clone();
        inside["decision"][field] = value;
        for forged in [outside, inside] {
            let answer = post(&world, &pia, "k", &forged).await;
            assert_eq!(refused(&answer), (422, "bad-field".to_owned()), "{forged}");
        }
    }
    let bearer = format!("Bearer {pia}");
    for header in ["X-Forwarded-User", "X-Remote-User", "From"] {
        let headers = [
            ("Authorization", bearer.as_str()),
            ("Content-Type", "application/json"),
            ("Idempotency-Key", "k"),
            (header, "dan"),
        ];
        let answer = send(&world, "POST", "/api/v1/decisions", &headers, &honest.to_string()).await;
        assert_eq!(refused(&answer), (403, "role-missing".to_owned()), "{header}");
    }
    assert_eq!(decisions(&world).await, 0);
}

#[tokio::test]
async fn what_can_not_be_read_is_refused_with_its_place() {
    let world = World::new().await;
    let ari = token(&world, "ari", &["decide"]).await;
    let bearer = format!("Bearer {ari}");
    let raw = async |kind: &str, body: &str| {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind), ("Idempotency-Key", "k")];
        send(&world, "POST", "/api/v1/decisions", &headers, body).await
    };
    let good = body(&world, 0, &json!({ "verb": "approve" })).to_string();
    for kind in ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx"] {
        assert_eq!(refused(&raw(kind, &good).await), (415, "wrong-content-type".to_owned()), "{kind}");
    }
    for broken in ["", "{", &format!("{good}{good}")] {
        assert_eq!(raw("application/json", broken).await.status, 400, "{broken}");
    }
    let large = good.replacen('{', &format!("{{{}", " ".repeat(16 * 1024)), 1);
    assert_eq!(refused(&raw("application/json", &large).await), (413, "too-large".to_owned()));
    for (decision, pointer) in [
        (json!({ "verb": "explode" }), "decision"),
        (json!({ "verb": "reject" }), "decision"),
        (json!({ "verb": "reject", "reason": "because" }), "decision.reason"),
        (json!({ "verb": "reject", "reason": "policy", "note": "x".repeat(501) }), "decision.note"),
        (json!({ "verb": "snooze", "until": "tomorrow" }), "decision.until"),
        (json!({ "verb": "snooze", "until": "2026-10-12", "wake": { "when": "never" } }), "decision"),
        (json!({ "verb": "edit", "quantity": "many" }), "decision.quantity"),
        (json!({ "verb": "edit", "quantity": 30 }), "decision"),
        (json!({ "verb": "merge", "into": "../x" }), "decision.into"),
        (json!(null), "decision"),
    ] {
        let answer = post(&world, &ari, "k", &body(&world, 0, &decision)).await;
        assert_eq!(refused(&answer), (422, "bad-field".to_owned()), "{decision}: {}", answer.body);
        assert!(read(&answer)["pointer"].as_str().unwrap().starts_with(pointer), "{decision}: {}", answer.body);
    }
    for key in ["", " ", "a b", "\"\"", &"k".repeat(201)] {
        let answer = post(&world, &ari, key, &body(&world, 0, &json!({ "verb": "approve" }))).await;
        assert_eq!(refused(&answer), (400, "idempotency-key-missing".to_owned()), "{key:?}");
    }
    let mut unknown = body(&world, 0, &json!({ "verb": "approve" }));
    unknown["recommendation"] = json!("r-none");
    assert_eq!(refused(&post(&world, &ari, "k", &unknown).await), (404, "not-found".to_owned()));
    assert_eq!(decisions(&world).await, 0);
}

#[tokio::test]
async fn a_token_that_asks_too_much_is_told_when_to_go_on() {
    let mut config = Config::load_from(None, &[]).unwrap();
    config.api.per_minute = 3;
    let world = World::of(config).await;
    let (one, other) = (token(&world, "ari", &["read:kpi"]).await, token(&world, "ari", &["read:kpi"]).await);
    for _ in 0..3 {
        assert_eq!(get(&world, "/me", &one).await.status, 200);
    }
    let answer = get(&world, "/me", &one).await;
    assert_eq!(refused(&answer), (429, "too-many-requests".to_owned()));
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(get(&world, "/me", &other).await.status, 200);
    world.clock.set(now() + jiff::SignedDuration::from_secs(60));
    assert_eq!(get(&world, "/me", &one).await.status, 200);
}

#[tokio::test]
async fn the_document_is_served_to_everybody() {
    let world = World::new().await;
    let answer = send(&world, "GET", "/api/v1/openapi.json", &[], "").await;
    assert_eq!((answer.status, &read(&answer)), (200, &reeve::channels::api_document()));
}
