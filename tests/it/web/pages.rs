//! The pages as a planner uses them daily, over real HTTP: filters, pages of items and suppliers, assets, sizes.

use reeve::domain::exception::ExceptionType;
use reeve::domain::ids::PersonId;
use reeve::domain::mute::{Mute, MuteScope};
use reeve::store::NewMute;

use super::http::{Visitor, send};
use super::world::{World, today};

/// Largest answer of a page at first sight, with what it loads.
const LARGEST: usize = 150_000;

#[tokio::test]
async fn style_and_script_have_addresses_of_their_content_and_may_be_kept() {
    let world = World::new().await;
    let page = send(&world, "GET", "/sign-in", &[], "").await.body;
    let links: Vec<&str> = page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(links.len(), 2, "{page}");
    for link in links {
        let asset = send(&world, "GET", link, &[], "").await;
        assert_eq!((asset.status, asset.header("cache-control")), (200, "public, max-age=31536000, immutable"), "{link}");
        let kind =
            if link.rsplit('.').next() == Some("js") { "text/javascript; charset=utf-8" } else { "text/css; charset=utf-8" };
        assert_eq!((asset.header("content-type"), asset.header("x-content-type-options")), (kind, "nosniff"));
    }
    assert_eq!(send(&world, "GET", "/assets/reeve.000000000000.js", &[], "").await.status, 404);
}

#[tokio::test]
async fn the_queue_is_filtered_by_what_cases_are_about() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let listed = async |query: &str| {
        let page = ari.get(&format!("/?{query}")).await;
        assert_eq!(page.status, 200, "{query}");
        let cases: Vec<String> = page
            .body
            .split("<h3><a href=\"/cases/")
            .skip(1)
            .map(|part| part.split('"').next().unwrap().trim_start_matches("c-").to_owned())
            .collect();
        cases.join(" ")
    };
    for (query, cases) in [
        ("", "00112233aabbccdd 2 3 4"),
        ("supplier=9", "2"),
        ("place=3", "00112233aabbccdd"),
        ("place=1", "3 4"),
        ("item=75&place=1&type=I-COUNT", "3"),
        ("text=espresso", "00112233aabbccdd 3 4"),
        ("text=NORDIC+bill", "2"),
        ("owner=-", "00112233aabbccdd 2 3 4"),
        ("owner=ari", ""),
        ("sort=newest", "00112233aabbccdd 2 3 4"),
        ("sort=stake", "00112233aabbccdd 2 3 4"),
        ("page=2", ""),
        ("page=none&sort=none&state=none&type=none", "00112233aabbccdd 2 3 4"),
    ] {
        assert_eq!(listed(query).await, cases, "{query}");
    }
    let page = ari.get("/?text=%3Cscript%3Ealert(7)%3C/script%3E").await.body;
    assert!(page.contains("value=\"&lt;script&gt;") && page.contains("Nothing needs a decision."), "{page}");
}

#[tokio::test]
async fn kept_filters_are_each_persons_own_and_bounded() {
    let world = World::new().await;
    let (ari, pia) = (Visitor::sign_in(&world, "ari").await, Visitor::sign_in(&world, "pia").await);
    let csrf = async |who: &Visitor<'_>| {
        let page = who.get("/me").await.body;
        page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
    };
    let (of_ari, of_pia) = (csrf(&ari).await, csrf(&pia).await);
    let keep = async |csrf: &str, name: &str, query: &str| {
        ari.post("/saved", &[("csrf", csrf), ("name", name), ("query", query)]).await
    };
    assert_eq!(keep(&of_pia, "mine", "supplier=9").await.status, 403);
    assert_eq!(keep(&of_ari, " ", "supplier=9").await.status, 400);
    let kept = keep(&of_ari, "Nordic", "supplier=9&evil=1&page=7").await;
    assert_eq!((kept.status, kept.header("location")), (303, "/?supplier=9"));
    assert_eq!(keep(&of_ari, "Nordic", "supplier=9&sort=stake").await.status, 303, "the same name keeps the newer one");
    let page = ari.get("/").await.body;
    assert_eq!(page.matches(">Nordic</a>").count(), 1);
    assert!(page.contains("<a href=\"/?supplier=9&amp;sort=stake\">Nordic</a>"), "{page}");
    assert!(!pia.get("/").await.body.contains("Nordic</a>"));
    for n in 1..20 {
        assert_eq!(keep(&of_ari, &format!("n{n}"), "state=all").await.status, 303);
    }
    assert_eq!(keep(&of_ari, "one more", "state=all").await.status, 400);
    let id = page.split("action=\"/saved/forget\"").nth(1).unwrap().split("name=\"id\" value=\"").nth(1).unwrap();
    let id = id.split('"').next().unwrap();
    assert_eq!(pia.post("/saved/forget", &[("csrf", &of_pia), ("id", id)]).await.status, 303);
    assert!(ari.get("/").await.body.contains(">Nordic</a>"), "nobody forgets for another");
    assert_eq!(ari.post("/saved/forget", &[("csrf", &of_ari), ("id", id)]).await.status, 303);
    assert!(!ari.get("/").await.body.contains(">Nordic</a>"));
}

#[tokio::test]
async fn an_item_and_a_supplier_have_pages_with_what_is_open_on_them() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let item = ari.get("/items/75").await;
    assert_eq!(item.status, 200, "{}", item.body);
    for part in ["AC-006 Espresso Beans", "/cases/c-00112233aabbccdd", "/cases/c-4", "7.20", "14.90", "item:75"] {
        assert!(item.body.contains(part), "{part} in {}", item.body);
    }
    assert!(!item.body.contains("/cases/c-2\""), "it is about a bill");
    // What is muted is not listed here either.
    let (owner, until) = (PersonId::new("pia"), "2026-10-20".parse().unwrap());
    let mute = Mute::new(ExceptionType::ROver, MuteScope::All, owner, "known".into(), world.clock.now(), until);
    world.store.insert_mute(&NewMute { mute: &mute, today: today(), seen: None }, &[]).await.unwrap();
    let item = ari.get("/items/75").await.body;
    assert!(item.contains("/cases/c-00112233aabbccdd") && !item.contains("/cases/c-4"), "{item}");
    let supplier = ari.get("/suppliers/9").await;
    assert_eq!(supplier.status, 200, "{}", supplier.body);
    assert!(supplier.body.contains("Nordic Coffee Traders") && supplier.body.contains("/cases/c-2\""));
    assert!(supplier.body.contains("not enough data") && supplier.body.contains("Supplier OTIF"), "no line was due yet");
    let list = ari.get("/suppliers?text=nordic").await.body;
    assert!(list.contains("<a href=\"/suppliers/9\">Nordic Coffee Traders</a>"), "{list}");
    assert!(ari.get("/suppliers?text=zzz&page=4").await.body.contains("There is none."));
    for gone in ["/items/76", "/suppliers/10", "/items/%3Cscript%3E"] {
        assert_eq!(ari.get(gone).await.status, 404, "{gone}");
    }
    let case = ari.get("/cases/c-2").await.body;
    assert!(case.contains("href=\"/suppliers/9\"") && case.contains("Ordered 100, received 60, billed 100."), "{case}");
}

#[tokio::test]
async fn no_first_sight_is_large() {
    let world = World::new().await;
    let ari = Visitor::sign_in(&world, "ari").await;
    let page = ari.get("/").await.body;
    let mut all = page.len();
    for link in page.split('"').filter(|part| part.starts_with("/assets/")) {
        all += ari.get(link).await.body.len();
    }
    // Rows are much alike, and there are at most sixty below the line and a digest's above it.
    let row = page.split("<li><div class=\"place").nth(1).unwrap().split("</div></li>").next().unwrap().len();
    assert!(all + 75 * (row + 80) < LARGEST, "{all} and {row} for each of 75 rows");
    let case = ari.get(&ari.case()).await.body.len();
    assert!(case < LARGEST, "{case}");
}
