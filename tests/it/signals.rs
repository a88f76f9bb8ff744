//! The demo as a person runs it: it says where its page is, its links work once, and Ctrl-C or a request to terminate ends
//! it well and soon.

use std::time::{Duration, Instant};

use reeve::store::Store;
use reqwest::StatusCode;

use super::support::binary::Running;

/// Far below the time that stages are given to drain, far above what an idle program needs.
const SOON: Duration = Duration::from_secs(10);

/// The program's clock would not do: this is how long a person waits.
async fn ended_soon(demo: Running, signal: &'static str) {
    let asked = Instant::now();
    let code = tokio::task::spawn_blocking(move || demo.stopped_by(signal)).await.expect("waiting does not panic");
    assert_eq!(code, Some(0), "after SIG{signal}");
    assert!(asked.elapsed() < SOON, "SIG{signal} took {:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_serves_its_page_until_it_is_told_to_stop() {
    let home = tempfile::tempdir().unwrap();
    let args = ["demo", "--dir", home.path().to_str().unwrap(), "--listen", "127.0.0.1:0"].map(ToOwned::to_owned);
    let http = reeve::http::client(SOON).unwrap();
    let mut digests = Vec::new();
    // The second time everything is in the store already.
    for signal in ["INT", "TERM"] {
        let again = args.clone();
        let start = move || {
            let mut demo = Running::start(&again, &[]);
            let said = demo.said_until("Stop with Ctrl-C.");
            (demo, said)
        };
        let (demo, said) = tokio::task::spawn_blocking(start).await.unwrap();
        let (digest, rest) = said.split_once("The queue is at ").unwrap();
        digests.push(digest.to_owned());
        let base = rest.split(". ").next().unwrap();
        let healthz = http.get(format!("{base}/healthz")).send().await.unwrap();
        assert_eq!(healthz.status(), StatusCode::OK, "{}", healthz.text().await.unwrap());
        let link = said.lines().find_map(|line| line.trim().strip_prefix("Ari Approver")).unwrap().trim();
        let (page, token) = link.split_once("?token=").unwrap();
        // Looking at the link uses nothing up: previews do.
        assert_eq!(http.get(link).send().await.unwrap().status(), StatusCode::OK);
        let sign_in = || async {
            let body = format!("token={token}");
            let form = http.post(page).header("content-type", "application/x-www-form-urlencoded").body(body);
            form.header("origin", base).send().await.unwrap()
        };
        let first = sign_in().await;
        assert_eq!(first.status(), StatusCode::SEE_OTHER, "{}", first.text().await.unwrap());
        let cookie = first.headers()["set-cookie"].to_str().unwrap().split(';').next().unwrap().to_owned();
        let queue = http.get(format!("{base}/")).header("cookie", cookie).send().await.unwrap();
        let text = queue.text().await.unwrap();
        assert!(text.contains("Ari Approver"), "{text}");
        let second = sign_in().await;
        assert!(second.headers().get("set-cookie").is_none(), "the link worked twice");
        ended_soon(demo, signal).await;
    }
    assert_eq!(digests[0], digests[1]);
    // What the page shows is the day that was printed: serving it does not begin another.
    let store = Store::open(&format!("sqlite:{}", home.path().join("reeve.db").display())).await.unwrap();
    assert_eq!(store.list_digests(10).await.unwrap().len(), 1);
}
