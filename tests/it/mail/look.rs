//! The links in a letter: they let its reader look at the pages for a while, and decide nothing, whatever is pressed.

use std::time::Duration;

use super::bench::Bench;
use crate::support::databases::databases;
use crate::web::http::{Answer, send};

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
