//! Modes on the page: what shadow would have shown, read only; setting, proposing and confirming.

use fantoccini::Locator;
use reeve::domain::case::{Case, CaseState};

use super::flows::signed_in;
use super::http::Visitor;
use super::world::World;
use crate::support::browser::Browser;

/// Sets a mode as a visitor's page does.
async fn set(visitor: &Visitor<'_>, mode: &str, reason: &str) -> u16 {
    let page = visitor.get("/modes").await.body;
    let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let fields = [("csrf", csrf.as_str()), ("type", "R-SHORT"), ("mode", mode), ("reason", reason)];
    visitor.post("/modes", &fields).await.status
}

async fn in_shadow(world: &World) {
    let case = world.store.get_case(&world.case.id).await.unwrap();
    let next = Case { state: CaseState::Shadow, version: case.version + 1, ..case.clone() };
    world.store.advance_case(&next, case.version, &[]).await.unwrap();
}

#[tokio::test]
async fn what_is_in_shadow_has_a_view_of_its_own_and_can_not_be_decided() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let form = ari.form("approve").await;
    assert!(!ari.get("/").await.body.contains("in shadow"), "where everything is live nobody needs it");
    in_shadow(&world).await;
    let refused = ari.decide(&form, &[]).await;
    assert!(refused.status == 409 && refused.body.contains("its scope is shadow"), "{}", refused.body);
    let case = format!("/cases/{}", world.case.id);
    assert!(!ari.get("/").await.body.contains(&case));
    let view = ari.get("/?state=shadow").await.body;
    assert!(view.contains("What shadow would have shown: 1 case") && view.contains("Read only"), "{view}");
    assert!(view.contains(&case) && !view.contains("name=\"pick-"), "{view}");
}

#[tokio::test]
async fn one_proposes_to_go_live_and_a_second_person_confirms_it() {
    let world = World::new().await;
    let (pia, ari, dan) = (
        Visitor::sign_in(&world, "pia").await,
        Visitor::sign_in(&world, "ari").await,
        Visitor::sign_in(&world, "dan").await,
    );
    assert_eq!(set(&pia, "shadow", "a pilot <b>first</b>").await, 303);
    let page = pia.get("/modes").await.body;
    assert!(page.contains("type=R-SHORT") && page.contains("a pilot &lt;b&gt;first"), "{page}");
    assert!(pia.get("/").await.body.contains("Modes: live: everything else · shadow: type=R-SHORT."));
    assert_eq!(set(&pia, "live", "precise").await, 409);
    assert_eq!(set(&ari, "live", "precise").await, 303);
    let (own, other) = (ari.get("/modes").await.body, dan.get("/modes").await.body);
    assert!(
        own.contains("Waiting for a second person") && !own.contains("<button>Confirm") && other.contains("<button>Confirm"),
        "{other}"
    );
    assert_eq!(set(&dan, "live", "confirmed").await, 303);
    assert!(!dan.get("/").await.body.contains("Modes: "));
}

#[tokio::test]
async fn in_a_browser_the_view_of_shadow_says_what_it_is() {
    let Some(browser) = Browser::start().await else { return };
    let world = World::new().await;
    in_shadow(&world).await;
    let page = &browser.client;
    signed_in(page, &world, "ari").await;
    page.goto(&format!("{}/?state=shadow", world.base)).await.unwrap();
    let heading = page.wait().for_element(Locator::Css("h1")).await.unwrap().text().await.unwrap();
    assert_eq!(heading, "What shadow would have shown: 1 case");
    assert!(page.find(Locator::XPath("//button[normalize-space()='Approve']")).await.is_err());
    page.find(Locator::LinkText("Modes")).await.unwrap().click().await.unwrap();
    let heading = page.wait().for_element(Locator::XPath("//h1[normalize-space()='Modes']")).await.unwrap();
    assert_eq!(heading.text().await.unwrap(), "Modes");
}
