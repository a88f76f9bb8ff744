//! What stands between a client and a server: pages, pauses, redirects, zipped and huge answers, cut connections.

use std::io::Write as _;
use std::time::Duration;

use jiff::Timestamp;
use reeve::clock::Clock;
use reeve::odoo::live::connect::connect;
use reeve::odoo::live::error::OdooError;
use reeve::odoo::rows::cell::Cell;
use reeve_testing::endpoint::Says;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;

use super::{Fake, config, recorded, rows_of, told};

#[tokio::test]
async fn what_is_not_odoo_is_said_to_be_none() {
    let fake = Fake::start(&[]).await;
    let error = fake.refusal(&fake.config()).await;
    assert!(matches!(&error, OdooError::Unreachable { detail, .. } if detail.contains("not Odoo")), "{error:?}");
    for missing in ["odoo.api_key", "odoo.user"] {
        let mut config = fake.config();
        fake.set("common.version", recorded("18/version"));
        if missing == "odoo.user" {
            config.user = String::new();
        } else {
            config.api_key = String::new().into();
        }
        assert!(fake.refusal(&config).await.to_string().starts_with(missing));
    }
}

#[tokio::test]
async fn a_server_that_asks_for_a_pause_is_busy() {
    let (fake, server) = Fake::odoo_18().await;
    for (status, wait) in [(429, Some(7)), (502, None), (503, Some(30)), (504, None)] {
        let page = Says::raw(status, "text/html", "<h1>later</h1>");
        let reply = wait.map_or(page.clone(), |seconds: u64| page.clone().with("Retry-After", &seconds.to_string()));
        let error = told(&fake, &*server, reply).await;
        let OdooError::Busy { retry_after, .. } = &error else { panic!("{status}: {error:?}") };
        assert_eq!(*retry_after, wait.map(Duration::from_secs));
    }
    // The server's own database has trouble that passes.
    let data = json!({ "name": "psycopg2.OperationalError", "message": "server closed the connection unexpectedly\n" });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "error": { "code": 200, "message": "Odoo Server Error", "data": data } });
    let error = told(&fake, &*server, Says::json(200, &body)).await;
    assert!(matches!(error, OdooError::Busy { .. }), "{error:?}");
}

#[tokio::test]
async fn what_no_odoo_says_is_garbled() {
    let (fake, server) = Fake::odoo_18().await;
    let json = "application/json; charset=utf-8";
    for (why, reply) in [
        ("a sign-in page", Says::raw(200, "text/html; charset=utf-8", "<form action=\"/web/login\">")),
        ("an error page", Says::raw(500, "text/html", "<h1>Internal Server Error</h1>")),
        ("nothing", Says::raw(200, json, "")),
        ("an early end", Says::raw(200, json, r#"{"jsonrpc": "2.0", "id": 1, "result": [{"id": 1, "product_"#)),
        ("more behind the end", Says::raw(200, json, r#"{"jsonrpc": "2.0", "id": 1, "result": []} oops"#)),
        ("no result", recorded("18/method_returning_none")),
        ("another kind of result", recorded("18/count")),
        ("a row without id", Says::raw(200, json, r#"{"result": [{"product_id": 5}]}"#)),
        ("a bare list", Says::raw(200, json, "[]")),
    ] {
        let error = told(&fake, &*server, reply).await;
        assert!(matches!(error, OdooError::Garbled { .. }) && error.is_transient(), "{why}: {error:?}");
    }
}

#[tokio::test]
async fn a_redirect_is_named_and_never_followed() {
    let elsewhere = Fake::start(&[]).await;
    let (fake, server) = Fake::odoo_19().await;
    for status in [301, 302, 307, 308] {
        let reply = Says::raw(status, "text/html", "").with("Location", &format!("{}/json/2/x/y", elsewhere.url));
        let error = told(&fake, &*server, reply).await;
        assert!(matches!(&error, OdooError::Unreachable { detail, .. } if detail.contains(&elsewhere.url)), "{error:?}");
    }
    assert!(elsewhere.seen().is_empty());
}

#[tokio::test]
async fn a_zipped_answer_is_understood() {
    let (fake, server) = Fake::odoo_19().await;
    let mut reply = recorded("19/search_read_load_none");
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    zip.write_all(&reply.body).unwrap();
    reply.body = zip.finish().unwrap();
    fake.set("stock.move.search_read", reply.with("Content-Encoding", "gzip"));
    assert_eq!(server.rows(&rows_of("stock.move", &["product_id"])).await.unwrap().len(), 3);
}

#[tokio::test]
async fn twenty_thousand_rows_are_one_answer() {
    let (fake, server) = Fake::odoo_18().await;
    let row = |id: u32| json!({ "id": id, "product_id": id % 7 + 1, "note": format!("row {id}"), "tags": [1, 2, 3] });
    let body = json!({ "jsonrpc": "2.0", "id": 1, "result": (1..=20_000).map(row).collect::<Vec<_>>() });
    fake.set("stock.move.search_read", Says::json(200, &body));
    let rows = server.rows(&rows_of("stock.move", &["tags", "product_id"])).await.unwrap();
    assert_eq!(rows.len(), 20_000);
    let tags = Cell::List(vec![Cell::Number(1.0), Cell::Number(2.0), Cell::Number(3.0)]);
    assert_eq!(rows[19_999], [Cell::Number(20_000.0), tags, Cell::Number(f64::from(20_000 % 7 + 1))]);
}

/// Answers the version, then whatever `then` says to whoever asks for more.
async fn raw(then: &'static str) -> (String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let mut running = JoinSet::new();
    running.spawn(async move {
        for turn in 0.. {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 64 * 1024];
            let read = stream.read(&mut request).await.unwrap();
            assert!(read > 0);
            let version = r#"{"version": "19.0", "version_info": [19, 0, 0, "final", 0, ""]}"#;
            let first = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{version}",
                version.len(),
            );
            stream.write_all(if turn == 0 { first.as_bytes() } else { then.as_bytes() }).await.unwrap();
            stream.shutdown().await.unwrap();
        }
    });
    (url, running)
}

#[tokio::test]
async fn a_connection_that_is_cut_is_an_error_that_passes() {
    let cut = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 5000\r\n\r\n{\"uid\": 2, \"la";
    let (url, _running) = raw(cut).await;
    let error = connect(&config(&url), &Clock::standing_at(Timestamp::UNIX_EPOCH)).await.err().unwrap();
    assert!(matches!(&error, OdooError::Garbled { detail, .. } if detail.contains("14 bytes")), "{error:?}");
    let (url, _running) = raw("").await;
    let error = connect(&config(&url), &Clock::standing_at(Timestamp::UNIX_EPOCH)).await.err().unwrap();
    assert!(matches!(error, OdooError::Unreachable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_server_that_hangs_or_is_not_there_is_unreachable() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&format!("http://{}", listener.local_addr().unwrap()));
    config.timeout = Duration::from_millis(200);
    let clock = Clock::standing_at(Timestamp::UNIX_EPOCH);
    let error = connect(&config, &clock).await.err().unwrap();
    assert!(matches!(&error, OdooError::Unreachable { detail, .. } if detail.contains("0.2 s")), "{error:?}");
    drop(listener);
    let error = connect(&config, &clock).await.err().unwrap();
    assert!(matches!(error, OdooError::Unreachable { .. }) && error.is_transient(), "{error:?}");
}
