//! A server that is away: at the first start there is nothing to go on with; later there is.

use std::net::TcpStream;

use serde_json::json;

use super::{Shop, browser, failed, page, server, sign_in, until};
use reeve_testing::odoo::Version;

/// A port on which nobody answers now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("there are free ports");
    listener.local_addr().expect("it is bound").port()
}

#[tokio::test]
async fn at_the_first_start_it_is_an_error_that_says_what_to_check() {
    let shop = Shop::new(Version::V18).await;
    let nowhere = format!("http://127.0.0.1:{}", free_port());
    for command in ["sync", "serve"] {
        let said = failed(&shop.run_with(&[command], &[("REEVE_ODOO__URL", &nowhere)]));
        assert!(said.contains(&nowhere) && said.contains("can not be reached") && said.contains("check odoo.url"), "{said}");
    }
    assert_eq!(shop.odoo.faults().requests(), 0);
    assert!(shop.run(&["digest"]).error().contains("no digest"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_server_may_be_away_and_come_back() {
    let port = free_port();
    let mut shop = Shop::on(port, Version::V18).await;
    shop.run(&["sync"]).fine();
    let store = shop.store().await;
    let marks = async || store.list_watermarks().await.expect("the store answers");
    let looked = async || marks().await.iter().map(|mark| mark.looked_at).min().flatten();
    let first = looked().await.expect("it was read");
    // Another one at another address keeps the settings of the test together while this one is away.
    let url = shop.odoo.url();
    let at_its_address = [("REEVE_ODOO__URL", url.as_str())];
    shop.odoo = server(0, Version::V18).await;
    until("nobody at its address", async || TcpStream::connect(("127.0.0.1", port)).is_err()).await;

    // Nothing was synced: a script has to see that.
    assert!(failed(&shop.run_with(&["sync"], &at_its_address)).contains("can not be reached"));
    let (serving, said) = shop.serve(&at_its_address);
    let http = browser();
    let (base, cookie) = sign_in(&shop, &http, &said).await;
    assert!(page(&http, &base, "/", &cookie).await.contains("Ari Approver"));
    until("a line about it on the page", async || {
        page(&http, &base, "/health", &cookie).await.contains("can not be reached")
    })
    .await;
    let health = page(&http, &base, "/health", &cookie).await;
    assert!(health.contains("The newest record is of"), "{health}");
    assert_eq!(looked().await, Some(first), "how old the records are is known");
    assert!(marks().await.iter().all(|mark| mark.failing_since.is_some_and(|since| since > first)));

    shop.odoo = server(port, Version::V18).await;
    let (template, _) = shop.odoo.rows("product.template").pop_first().expect("a product");
    shop.odoo.advance(std::time::Duration::from_hours(1));
    shop.odoo.write("product.template", template, &json!({"name": "Back again"}));
    until("news", async || {
        let records = store.load_records().await.expect("the store answers");
        records.iter().any(|record| format!("{record:?}").contains("Back again"))
    })
    .await;
    until("a later watermark", async || looked().await > Some(first)).await;
    assert!(marks().await.iter().all(|mark| mark.failing_since.is_none()));
    until("a healthy page", async || !page(&http, &base, "/health", &cookie).await.contains("can not be reached")).await;
    assert_eq!(serving.stopped_by("TERM"), Some(0));
    store.close().await;
}
