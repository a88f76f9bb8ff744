//! What a page or a digest does not show it does not read: in a store where the other rows are damaged, they stay as they were.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use axum::http::header::{CONTENT_TYPE, COOKIE, HOST, SET_COOKIE};
use jiff::Timestamp;
use tower::ServiceExt as _;

use super::App;
use crate::channels::router;
use crate::channels::web::{LinkFor, sign_in_link};
use crate::clock::Clock;
use crate::config::Config;
use crate::domain::case::{Case, CaseState};
use crate::domain::decision::RecommendationState;
use crate::domain::digest::Digest;
use crate::domain::exception::ExceptionType;
use crate::domain::ids::PersonId;
use crate::domain::record::{Observed, Record};
use crate::pipeline::Progress;
use crate::ports::{Page, PortError, Ports, Senders, Source};
use crate::store::Store;
use crate::store::testing::{at, case_of, moved, on_each, recommendation};

/// As many cases as fit on the screen, and half as many again.
const CASES: i64 = 450;
const ON_THE_PAGE: i64 = 60;

/// Two items, told at once.
struct TwoItems;

#[async_trait]
impl Source for TwoItems {
    fn identity(&self) -> String {
        "two items".to_owned()
    }

    async fn read(&self, cursor: Option<&str>, _: Timestamp, _: usize) -> Result<Page, PortError> {
        let item = |id: &str| Observed { changed_at: at(0), record: Record::Item(reeve_testing::records::item(id)) };
        let observed = if cursor.is_none() { vec![item("75"), item("76")] } else { Vec::new() };
        Ok(Page { observed, next: "1".to_owned(), more: false })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        None
    }
}

fn app(store: &Store, config: Config, now: Timestamp) -> App {
    let ports = Ports { source: Arc::new(TwoItems), model: None, senders: Senders::default() };
    App::new(Arc::new(config), store.clone(), ports, Clock::standing_at(now))
}

async fn run(app: &App, names: &[&str]) {
    for stage in app.stages().iter().filter(|stage| names.contains(&stage.name())) {
        while stage.run_once().await.unwrap() != Progress::Idle {}
    }
}

async fn filled(app: &App) {
    run(app, &["observe", "detect"]).await;
    let store = &app.context.store;
    for n in 0..CASES {
        let (case, exceptions) = case_of(&format!("case-{n:03}"), &[ExceptionType::RShort], 100_000 - n);
        store.save_detection(&exceptions, &[(case.clone(), None)], &[], &[], None).await.unwrap();
        // Two, for only the first one is on the list.
        let recs: Vec<_> = (1..=2).map(|rank| recommendation(&case, rank, RecommendationState::Queued)).collect();
        let next = Case { version: 2, ..moved(&case, CaseState::Open) };
        store.replace_recommendations(&next, 1, &recs, &[]).await.unwrap();
    }
}

async fn sign_in(pages: &Router, store: &Store, clock: &Clock) -> String {
    let link = sign_in_link(store, &PersonId::new("pia"), clock, "http://localhost", LinkFor::Demo).await.unwrap();
    let token = link.split_once('?').unwrap().1.to_owned();
    let request =
        Request::post("/sign-in").header(HOST, "localhost").header(CONTENT_TYPE, "application/x-www-form-urlencoded");
    let answer = pages.clone().oneshot(request.body(Body::from(token)).unwrap()).await.unwrap();
    answer.headers()[SET_COOKIE].to_str().unwrap().split(';').next().unwrap().to_owned()
}

async fn get(pages: &Router, path: &str, cookie: &str) -> String {
    let request = Request::get(path).header(HOST, "localhost").header(COOKIE, cookie).body(Body::empty()).unwrap();
    let answer = pages.clone().oneshot(request).await.unwrap();
    let status = answer.status();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let body = String::from_utf8(body.to_vec()).unwrap();
    assert!(status.is_success(), "{path}: {status}\n{body}");
    body
}

#[tokio::test]
async fn what_is_not_on_a_page_is_not_read_for_it() {
    on_each(|store| async move {
        let app = app(&store, Config::load_from(None, &[]).unwrap(), at(0));
        filled(&app).await;
        let pages = router(app.web());
        let cookie = sign_in(&pages, &store, &app.context.clock).await;
        let picked = recommendation(&case_of("case-007", &[], 0).0, 1, RecommendationState::Queued).id;
        let paths =
            ["/".to_owned(), "/?type=R-SHORT".to_owned(), "/?state=all".to_owned(), format!("/batch?pick-{picked}=on"), "/cases/case-007".to_owned()];
        let mut before = Vec::new();
        for path in &paths {
            before.push(get(&pages, path, &cookie).await);
        }
        assert!(before[0].contains(&format!("1 to {ON_THE_PAGE} of {CASES}")));
        assert!(before[0].contains("case-059") && !before[0].contains("case-060"));
        // What the pages have no use for is damaged past reading: whoever reads it all the same fails.
        let behind = format!("'case-{ON_THE_PAGE:03}'");
        for damage in [
            format!("update cases set body = '{{}}' where id >= {behind}"),
            format!("update recommendations set body = '{{}}' where case_id >= {behind}"),
            "update recommendations set body = '{}' where rank > 1 and case_id <> 'case-007'".to_owned(),
            format!(
                "update exceptions set body = '{{}}' where id in (select exception_id from case_exceptions where case_id >= {behind})"
            ),
            // The item that no case is about.
            "update records set body = '{}' where id = '76'".to_owned(),
        ] {
            store.past_reeve(&damage).await;
        }
        for (path, before) in paths.iter().zip(before) {
            assert_eq!(get(&pages, path, &cookie).await, before, "{path}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_gets_no_line_is_read_for_its_place_only_and_what_is_over_not_at_all() {
    on_each(|store| async move {
        let mut config = Config::load_from(None, &[]).unwrap();
        // A place at random would show, and so read, what is below the line.
        config.rules.ranking.sample_places = 0;
        let day = config.rules.calendar.calendar().day_of(at(0));
        let app = app(&store, config.clone(), config.rules.calendar.digest_by(day));
        filled(&app).await;
        let (closed, exceptions) = case_of("case-over", &[ExceptionType::RLate], 1);
        store.save_detection(&exceptions, &[(closed.clone(), None)], &[], &[], None).await.unwrap();
        let over = recommendation(&closed, 1, RecommendationState::Expired);
        store.replace_recommendations(&moved(&closed, CaseState::Closed), 1, &[over], &[]).await.unwrap();
        run(&app, &["notify"]).await;
        let before = store.find_digest(day).await.unwrap().expect("it is due").digest;
        assert_eq!((before.lines.len(), before.below.cases), (15, 435));
        let last = before.lines.last().unwrap().case_id.clone();
        for damage in [
            "update cases set body = '{}' where state = 'closed'".to_owned(),
            "update recommendations set body = '{}' where case_id = 'case-over'".to_owned(),
            format!("update recommendations set body = '{{}}' where rank > 1 and case_id > '{last}'"),
            "update exceptions set body = '{}'".to_owned(),
            // Not damage: so that it is made again.
            "delete from digests".to_owned(),
        ] {
            store.past_reeve(&damage).await;
        }
        run(&app, &["notify"]).await;
        let again = store.find_digest(day).await.unwrap().expect("it is made again").digest;
        // Only the log has gone on, by the entry of the first one.
        assert_eq!(again, Digest { audit_head: again.audit_head.clone(), ..before });
    })
    .await;
}
