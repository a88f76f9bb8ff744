//! A stop on the page: every screen says it, whoever looks; the queue stays as it was.

use reeve::config::Config;
use reeve::domain::ids::PersonId;
use reeve::pipeline::stop;

use super::http::{Visitor, send};
use super::world::World;

#[tokio::test]
async fn every_screen_says_who_stopped_reeve_and_why_until_somebody_ends_it() {
    let world = World::new().await;
    let config = Config::load_from(None, &[]).unwrap();
    let (pia, ari) = (Visitor::sign_in(&world, "pia").await, Visitor::sign_in(&world, "ari").await);
    let metric = async || send(&world, "GET", "/metrics", &[], "").await.body.contains("\nreeve_stopped 1\n");
    assert!(!pia.get("/").await.body.contains("Reeve is stopped") && !metric().await);
    let by = PersonId::new("pia");
    stop::stop(&world.store, &config, &world.clock, (&by, "web"), "wrong <b>prices</b>").await.unwrap();
    let case = pia.case();
    for path in ["/", &case, "/digests", "/kpi", "/mutes", "/outbox", "/audit", "/policy", "/health", "/me"] {
        let page = ari.get(path).await.body;
        let says = "Pia Planner stopped it at 2026-10-09 06:30 UTC: wrong &lt;b&gt;prices&lt;";
        assert!(page.contains("<strong>Stopped.</strong> Reeve is stopped") && page.contains(says), "{path}: {page}");
    }
    assert!(metric().await);
    assert!(!send(&world, "GET", "/sign-in", &[], "").await.body.contains("Stopped"), "strangers are told nothing");
    // A decision is taken as ever.
    assert_eq!(ari.decide(&ari.form("approve").await, &[]).await.status, 303);
    let end = PersonId::new("ari");
    stop::resume(&world.store, &config, &world.clock, (&end, "web"), "").await.unwrap();
    assert!(!pia.get("/").await.body.contains("Reeve is stopped") && !metric().await);
}

#[tokio::test]
async fn whoever_decides_stops_reeve_on_the_page_and_fewer_let_it_go_on() {
    let world = World::new().await;
    let config = Config::load_from(None, &[]).unwrap();
    let (pia, ari) = (Visitor::sign_in(&world, "pia").await, Visitor::sign_in(&world, "ari").await);
    let holds = async || stop::stopped(&world.store, &config).await.unwrap().is_some();
    let csrf = async |visitor: &Visitor<'_>| {
        let page = visitor.get("/stop").await.body;
        page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let token = csrf(&pia).await;
    assert_eq!(pia.post("/stop", &[("csrf", "made up"), ("reason", "x")]).await.status, 403);
    let silent = pia.post("/stop", &[("csrf", &token), ("reason", " ")]).await;
    assert!(silent.status == 409 && silent.body.contains("say why") && !holds().await, "{}", silent.body);
    assert_eq!(pia.post("/stop", &[("csrf", &token), ("reason", "wrong <prices>")]).await.status, 303);
    assert!(holds().await);
    let page = pia.get("/stop").await.body;
    assert!(page.contains("By Pia Planner, ") && page.contains("wrong &lt;prices&gt;"), "{page}");
    assert!(!page.contains("action=\"/stop\"") && !page.contains("action=\"/stop/end\""), "a planner ends no stop: {page}");
    let refused = pia.post("/stop/end", &[("csrf", &token)]).await;
    assert!(refused.status == 409 && refused.body.contains("may not let things leave again") && holds().await);
    assert!(ari.get("/stop").await.body.contains("action=\"/stop/end\""));
    let token = csrf(&ari).await;
    assert_eq!(ari.post("/stop/end", &[("csrf", &token), ("reason", "prices are right")]).await.status, 303);
    assert!(!holds().await && ari.get("/stop").await.body.contains("Stop it now"));
    // Once more from an old page ends nothing and says so on the page.
    assert_eq!(ari.post("/stop/end", &[("csrf", &token)]).await.status, 303);
}
