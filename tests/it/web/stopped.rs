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
