//! The links in a letter: they let its reader look at the pages for a while, and decide nothing, whatever is pressed.

use std::time::Duration;

use super::bench::Bench;
use crate::support::databases::databases;
use crate::web::http::{Answer, Visitor, send};

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// The link to the case in Dan's letter, without the address of the page.
async fn link(bench: &Bench) -> String {
    bench.make(None, |_| {}).await;
    bench.send().await;
    let words = bench.mailbox("dan").remove(0).words();
    let link = words.lines().find_map(|line| line.trim().strip_prefix("1. https://reeve.example.com"));
    link.unwrap_or_else(|| panic!("no link in\n{words}")).to_owned()
}

/// Presses the button behind a link. Answers the cookie.
async fn press(bench: &Bench, link: &str) -> (Answer, String) {
    let fields = link.split_once('?').unwrap().1;
    let answer = send(&bench.world, "POST", "/look", &[FORM], fields).await;
    let cookie = answer.header("set-cookie").split(';').next().unwrap_or_default().to_owned();
    (answer, cookie)
}

#[tokio::test]
async fn a_link_shows_the_case_and_decides_nothing() {
    for db in databases().await {
        let bench = Bench::on(db, "").await;
        let link = link(&bench).await;
        let asked = send(&bench.world, "GET", &link, &[], "").await;
        assert_eq!(asked.status, 200);
        assert!(asked.header("set-cookie").is_empty(), "a preview that opens it begins nothing");
        assert!(asked.body.contains("action=\"/look\""), "{}", asked.body);
        let (answer, cookie) = press(&bench, &link).await;
        let case = format!("/cases/{}", bench.world.case.id);
        assert_eq!((answer.status, answer.header("location")), (303, case.as_str()));
        let page = send(&bench.world, "GET", &case, &[("Cookie", &cookie)], "").await;
        assert_eq!(page.status, 200);
        assert!(page.body.contains("you can look, and decide nothing"), "the page says so");
        // The form is whole, its key is the session's own, and still nothing is taken.
        let csrf = page.body.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
        let rec = &bench.world.recommendations[0];
        let fields = format!(
            "csrf={csrf}&verb=approve&recommendation={}&content_hash={}&version=1&key=k1",
            rec.id,
            rec.content_hash()
        );
        let headers = [("Cookie", cookie.as_str()), FORM];
        let posts = ["/decide", "/want"].map(|what| format!("{case}{what}"));
        let others = ["/batch", "/modes", "/mutes", "/mutes/end", "/stop", "/models", "/me", "/policy/stand-ins"];
        for path in posts.iter().map(String::as_str).chain(others) {
            let refused = send(&bench.world, "POST", path, &headers, &fields).await;
            assert_eq!(refused.status, 403, "{path}");
            assert!(refused.body.contains("decide nothing"), "{path}: {}", refused.body);
        }
        let (rec, _) = bench.world.store.get_recommendation(&rec.id).await.unwrap();
        assert_eq!(rec.state.name(), "queued");
        assert!(bench.world.store.list_decisions(jiff::Timestamp::UNIX_EPOCH).await.unwrap().is_empty());
        // They may go.
        let out = send(&bench.world, "POST", "/sign-out", &headers, &format!("csrf={csrf}")).await;
        assert_eq!(out.status, 303);
        let gone = send(&bench.world, "GET", &case, &[("Cookie", &cookie)], "").await;
        assert_eq!((gone.status, gone.header("location")), (303, "/sign-in"));
    }
}

#[tokio::test]
async fn who_looks_has_not_seen_it_in_the_name_of_its_person() {
    for db in databases().await {
        let bench = Bench::on(db, "").await;
        let link = link(&bench).await;
        let (_, cookie) = press(&bench, &link).await;
        let case = format!("/cases/{}", bench.world.case.id);
        assert_eq!(send(&bench.world, "GET", &case, &[("Cookie", &cookie)], "").await.status, 200);
        bench.later(Duration::from_hours(1));
        let ari = Visitor::sign_in(&bench.world, "ari").await;
        let form = ari.form("reject").await;
        assert_eq!(ari.decide(&form, &[("reason", "wrong-quantity")]).await.status, 303);
        let views = bench.world.store.list_views_of_decided(jiff::Timestamp::UNIX_EPOCH).await.unwrap();
        let seen_by: Vec<&str> = views.iter().map(|view| view.person.as_str()).collect();
        assert!(seen_by.contains(&"ari") && !seen_by.contains(&"dan"), "{seen_by:?}");
    }
}

#[tokio::test]
async fn whoever_is_signed_in_stays_so() {
    let bench = Bench::new().await;
    let link = link(&bench).await;
    let fields = link.split_once('?').unwrap().1;
    let case = format!("/cases/{}", bench.world.case.id);
    let dan = Visitor::sign_in(&bench.world, "dan").await;
    let answer = send(&bench.world, "POST", "/look", &[("Cookie", &dan.cookie), FORM], fields).await;
    assert_eq!((answer.status, answer.header("location")), (303, case.as_str()));
    assert!(answer.header("set-cookie").is_empty(), "the session that they have is left as it is");
    assert!(!dan.get("/me").await.body.contains("you can look, and decide nothing"));
    // Somebody else's session does not show what Dan sees.
    let ari = Visitor::sign_in(&bench.world, "ari").await;
    let answer = send(&bench.world, "POST", "/look", &[("Cookie", &ari.cookie), FORM], fields).await;
    assert!(!answer.header("set-cookie").is_empty());
}

#[tokio::test]
async fn it_opens_what_a_mail_is_about_and_says_how_to_come_to_the_rest() {
    let bench = Bench::new().await;
    let (_, cookie) = press(&bench, &link(&bench).await).await;
    let case = format!("/cases/{}", bench.world.case.id);
    for path in
        [case.as_str(), "/", "/?state=all", "/digests", "/digests/2026-10-09", "/items/75", "/suppliers", "/suppliers/9"]
    {
        let page = send(&bench.world, "GET", path, &[("Cookie", &cookie)], "").await;
        assert_eq!(page.status, 200, "{path}");
        assert!(!page.body.contains("href=\"/kpi\""), "{path} leads to nothing that is not opened");
    }
    for path in ["/me", "/kpi", "/outbox", "/audit", "/policy", "/health", "/modes", "/mutes", "/stop", "/batch"] {
        let page = send(&bench.world, "GET", path, &[("Cookie", &cookie)], "").await;
        assert_eq!(page.status, 403, "{path}");
        assert!(page.body.contains("sign-in link"), "{path}: {}", page.body);
    }
}

#[tokio::test]
async fn whoever_ends_their_other_sessions_ends_the_links_in_their_mails() {
    for db in databases().await {
        let bench = Bench::on(db, "").await;
        let link = link(&bench).await;
        let (_, cookie) = press(&bench, &link).await;
        let (_, again) = press(&bench, &link).await;
        let looks = |cookie: String| {
            let world = &bench.world;
            async move { send(world, "GET", "/", &[("Cookie", &cookie)], "").await.status }
        };
        assert_eq!((looks(cookie).await, looks(again.clone()).await), (303, 200), "one looks at a time");
        let dan = Visitor::sign_in(&bench.world, "dan").await;
        let page = dan.get("/me").await.body;
        let csrf = page.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        assert_eq!(dan.post("/me", &[("csrf", &csrf), ("do", "sessions"), ("id", "")]).await.status, 200);
        assert_eq!(looks(again).await, 303);
        assert_eq!(send(&bench.world, "GET", &link, &[], "").await.status, 403);
        assert_eq!(press(&bench, &link).await.0.status, 403);
        // The next mail has links that hold.
        bench.waits("case.reminded", &["dan"], 26).await;
        bench.send().await;
        let words = bench.mailbox("dan").pop().unwrap().words();
        let newer = words.lines().find_map(|line| line.strip_prefix("Look at it: https://reeve.example.com")).unwrap();
        assert_eq!(press(&bench, newer).await.0.status, 303);
    }
}

#[tokio::test]
async fn a_link_ends_and_so_does_what_it_began() {
    let bench = Bench::new().await;
    let link = link(&bench).await;
    let (_, cookie) = press(&bench, &link).await;
    bench.later(Duration::from_hours(25));
    let late = send(&bench.world, "GET", &link, &[], "").await;
    assert_eq!(late.status, 403);
    assert!(late.body.contains("too old"), "{}", late.body);
    assert_eq!(press(&bench, &link).await.0.status, 403);
    let page = send(&bench.world, "GET", "/", &[("Cookie", &cookie)], "").await;
    assert_eq!((page.status, page.header("location")), (303, "/sign-in"));
}

#[tokio::test]
async fn a_link_that_somebody_changed_is_none() {
    let bench = Bench::new().await;
    let link = link(&bench).await;
    for changed in [link.replace("p=dan", "p=ari"), link.replace("&u=1", "&u=2"), link.replace("&k=", "&k=00")] {
        assert_ne!(changed, link);
        let (answer, cookie) = press(&bench, &changed).await;
        assert_eq!((answer.status, cookie.as_str()), (403, ""), "{changed}");
    }
    let (to, _) = link.split_once("&to=").unwrap();
    let (answer, _) = press(&bench, &format!("{to}&to=https%3A%2F%2Fevil.example%2F")).await;
    assert_eq!((answer.status, answer.header("location")), (303, "/"), "it leads to no other place");
}

#[tokio::test]
async fn where_that_is_not_wanted_links_lead_to_the_sign_in() {
    let bench = Bench::on(databases().await.remove(0), "link_hours = 0\n").await;
    bench.make(None, |_| {}).await;
    bench.send().await;
    let words = bench.mailbox("dan").remove(0).words();
    assert!(words.contains(&format!("https://reeve.example.com/cases/{}", bench.world.case.id)), "{words}");
    assert!(!words.contains("/look?"), "{words}");
}
