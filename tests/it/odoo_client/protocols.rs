//! Signing in and asking, by JSON-RPC and by JSON-2, and that nothing but reads is ever sent.

use std::collections::BTreeSet;

use reeve::config::OdooProtocol;
use reeve::odoo::live::call::{Domain, Right, Scope, Version};
use reeve::odoo::live::error::OdooError;
use reeve::odoo::rows::cell::Cell;
use reeve_testing::endpoint::Says;
use serde_json::json;

use super::{Fake, KEY, READS, by_day, recorded, rows_of};

#[tokio::test]
async fn an_18_is_signed_in_to_once_and_asked_by_json_rpc() {
    let (fake, server) = Fake::odoo_18().await;
    assert_eq!(server.version(), Version::V18);
    assert_eq!(server.name(), format!("{} (retail)", fake.url));
    fake.set("stock.move.search_read", recorded("18/load_none_many2one_as_id"));
    let rows =
        server.rows(&rows_of("stock.move", &["id", "location_id", "product_id", "picking_id", "gone"])).await.unwrap();
    let [first, ..] = rows.as_slice() else { panic!("{rows:?}") };
    // In the order asked, the id not repeated, what did not come empty.
    let n = Cell::Number;
    assert_eq!(*first, [n(35.0), n(8.0), n(52.0), Cell::Flag(false), Cell::Flag(false)]);
    server.rows(&rows_of("stock.move", &["product_id"])).await.unwrap();
    let asked: Vec<String> = fake.seen().into_iter().map(|seen| seen.asked).collect();
    let expected =
        ["/web/version", "common.version", "common.authenticate", "stock.move.search_read", "stock.move.search_read"];
    assert_eq!(asked, expected);
    let last = fake.last();
    assert_eq!(last.headers["content-type"], "application/json");
    assert_eq!(last.headers["user-agent"], concat!("reeve/", env!("CARGO_PKG_VERSION")));
    assert!(last.headers["accept-encoding"].to_str().unwrap().contains("gzip"));
    assert_eq!(last.body["params"]["args"].as_array().unwrap()[..3], [json!("retail"), json!(2), json!(KEY)]);
    let context = json!({ "active_test": false, "tz": "UTC", "allowed_company_ids": [1, 2] });
    let domain = json!([["id", ">", 7]]);
    let expected =
        json!({ "domain": domain, "fields": ["product_id"], "order": "id", "limit": 500, "load": "", "context": context });
    assert_eq!(*last.arguments(), expected);
}

#[tokio::test]
async fn a_19_is_asked_by_json_2_with_the_key_in_a_header_only() {
    let (fake, server) = Fake::odoo_19().await;
    assert_eq!(server.version(), Version::V19);
    fake.set("stock.move.search_read", recorded("19/search_read_load_none"));
    let rows = server.rows(&rows_of("stock.move", &["picking_id", "product_id"])).await.unwrap();
    assert_eq!(rows[0], [Cell::Number(1.0), Cell::Flag(false), Cell::Number(36.0)]);
    let last = fake.last();
    assert_eq!(last.path, "/json/2/stock.move/search_read");
    assert_eq!(last.headers["content-type"], "application/json");
    assert_eq!(last.headers["authorization"], format!("Bearer {KEY}"));
    assert_eq!(last.headers["x-odoo-database"], "retail");
    assert!(!last.body.to_string().contains(KEY));
    assert_eq!(last.body["load"], "");
}

#[tokio::test]
async fn the_protocol_can_be_chosen_and_json_2_only_where_there_is_one() {
    let replies = [
        ("/web/version", recorded("19/web_version")),
        ("common.authenticate", recorded("19/authenticate_ok")),
        ("stock.move.search_read", recorded("19/jsonrpc_search_read")),
    ];
    let fake = Fake::start(&replies).await;
    let mut config = fake.config();
    config.protocol = OdooProtocol::JsonRpc;
    let server = fake.connect(&config).await.unwrap();
    assert_eq!(server.version(), Version::V19);
    // Names come along where the server does not mind what was asked; the id is what counts.
    let rows = server.rows(&rows_of("stock.move", &["product_id"])).await.unwrap();
    assert_eq!(rows[0][1].id(), Some(36));
    assert_eq!(fake.last().path, "/jsonrpc");

    let fake = Fake::start(&[("common.version", recorded("18/version"))]).await;
    let mut config = fake.config();
    config.protocol = OdooProtocol::Json2;
    assert!(matches!(fake.refusal(&config).await, OdooError::Setting { key: "odoo.protocol", .. }));
}

#[tokio::test]
async fn nothing_but_reads_is_ever_sent() {
    for version in [Version::V18, Version::V19] {
        let (fake, server) = if version == Version::V18 { Fake::odoo_18().await } else { Fake::odoo_19().await };
        let scope = Scope::default();
        // The answers do not matter here.
        drop(server.fields("stock.move").await);
        drop(server.rows(&rows_of("stock.move", &["product_id"])).await);
        drop(server.ids("stock.move", &Domain::all(), 5, &scope).await);
        drop(server.count("stock.move", &Domain::all(), &scope).await);
        drop(server.groups(&by_day("UTC")).await);
        for right in [Right::Read, Right::Create, Right::Write, Right::Unlink] {
            drop(server.may("stock.move", right).await);
        }
        let sent: BTreeSet<String> = fake.seen().into_iter().map(|seen| seen.asked).collect();
        assert!(sent.len() >= 8, "{sent:?}");
        for one in sent {
            let known = one == "/web/version" || READS.contains(&one.rsplit('.').next().unwrap()) || READS.contains(&&*one);
            assert!(known, "{one}");
        }
    }
}

#[tokio::test]
async fn ids_counts_fields_and_rights_are_understood() {
    let (fake, server) = Fake::odoo_18().await;
    let scope = Scope::default();
    fake.set("stock.move.search", recorded("18/search_ids"));
    fake.set("stock.move.search_count", recorded("18/count"));
    fake.set("stock.move.fields_get", recorded("18/fields_get"));
    fake.set("product.product.has_access", recorded("18/has_access_yes"));
    fake.set("stock.move.has_access", recorded("18/has_access_no"));
    assert_eq!(server.ids("stock.move", &Domain::all(), 5, &scope).await.unwrap(), [109, 108, 107, 106, 105]);
    assert_eq!(server.count("stock.move", &Domain::all(), &scope).await, Ok(106));
    let fields = server.fields("stock.move").await.unwrap();
    assert!(fields["product_id"].stored && fields["product_id"].kind == "many2one");
    assert!(!fields["forecast_availability"].stored && !fields["forecast_availability"].searchable);
    assert_eq!(server.may("product.product", Right::Write).await, Ok(true));
    assert_eq!(server.may("stock.move", Right::Write).await, Ok(false));
    // Of no records: the rights of the model as a whole.
    assert_eq!(fake.last().body["params"]["args"][5], json!([[]]));

    let (fake, server) = Fake::odoo_19().await;
    fake.set("stock.move.search", recorded("19/search"));
    fake.set("stock.move.search_count", recorded("19/search_count"));
    fake.set("stock.move.has_access", Says::raw(200, "application/json; charset=utf-8", "false"));
    assert_eq!(server.ids("stock.move", &Domain::all(), 5, &scope).await.unwrap(), [77, 76, 75, 74, 73]);
    assert_eq!(server.count("stock.move", &Domain::all(), &scope).await, Ok(77));
    assert_eq!(server.may("stock.move", Right::Unlink).await, Ok(false));
    assert_eq!(fake.last().body, json!({ "ids": [], "operation": "unlink" }));
}

#[tokio::test]
async fn a_17_is_asked_for_rights_in_its_own_way() {
    let fake = Fake::start(&[
        (
            "common.version",
            Says::raw(200, "application/json", r#"{"jsonrpc":"2.0","id":1,"result":{"server_version":"17.0"}}"#),
        ),
        ("common.authenticate", recorded("18/authenticate_ok")),
        ("stock.move.check_access_rights", recorded("18/has_access_no")),
    ])
    .await;
    let server = fake.connect(&fake.config()).await.unwrap();
    assert_eq!(server.version(), Version::V17);
    assert_eq!(server.may("stock.move", Right::Create).await, Ok(false));
    assert_eq!(*fake.last().arguments(), json!({ "operation": "create", "raise_exception": false }));
}
