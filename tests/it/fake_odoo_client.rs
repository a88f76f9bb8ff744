//! Reeve's own client reads the fake Odoo: the three versions give the same rows, sums and rights, however they are asked,
//! and nothing but reads is sent.

#![expect(clippy::unwrap_used, reason = "what a test stands on may fail it")]

use std::sync::Arc;

use jiff::Timestamp;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::odoo::live::call::{Domain, Group, ReadGroups, ReadRows, Right, Scope, Server};
use reeve::odoo::live::connect::connect;
use reeve::odoo::live::error::OdooError;
use reeve::odoo::rows::cell::Cell;

use reeve_testing::odoo::{FakeOdoo, Seed, Version};

async fn signed_in(fake: &FakeOdoo) -> Result<Arc<dyn Server>, OdooError> {
    let mut config = Config::load_from(None, &[]).unwrap().odoo;
    config.url = fake.url();
    config.database = fake.database();
    config.user = fake.user();
    config.api_key = fake.key().into();
    connect(&config, &Clock::standing_at(Timestamp::UNIX_EPOCH)).await
}

/// What was delivered, by product and month, and the first rows of it.
async fn read(server: &dyn Server) -> (Vec<Vec<Cell>>, Vec<Group>, u64) {
    let delivered = Domain::all().and("state", "=", "done").and("location_dest_id.usage", "=", "customer");
    let fields = ["product_id", "quantity", "date", "product_uom", "write_date"];
    let rows = ReadRows {
        model: "stock.move".to_owned(),
        domain: delivered.clone(),
        fields: fields.map(str::to_owned).to_vec(),
        order: "id",
        limit: 300,
        scope: Scope::default(),
    };
    let groups = ReadGroups {
        model: "stock.move".to_owned(),
        domain: delivered.clone(),
        by: vec!["product_id".to_owned(), "date:day".to_owned()],
        sums: vec!["quantity".to_owned()],
        scope: Scope { companies: vec![1], time_zone: Some("Asia/Tokyo".to_owned()) },
    };
    let count = server.count("stock.move", &delivered, &Scope::default()).await.unwrap();
    (server.rows(&rows).await.unwrap(), server.groups(&groups).await.unwrap(), count)
}

#[tokio::test]
async fn three_versions_read_alike() {
    let mut first = None;
    for version in [Version::V17, Version::V18, Version::V19] {
        let fake = FakeOdoo::start(Seed::Recording, version).await;
        let server = signed_in(&fake).await.unwrap();
        let answer = read(&*server).await;
        assert_eq!(answer.0.len(), 300);
        assert!(answer.1.len() > 500, "{} groups", answer.1.len());
        assert_eq!(answer.1.iter().map(|group| group.count).sum::<u64>(), answer.2, "every row is in a group");
        let first = first.get_or_insert_with(|| answer.clone());
        assert!(*first == answer, "{version:?} answers otherwise");
        assert!(server.may("stock.move", Right::Read).await.unwrap());
        assert!(!server.may("stock.move", Right::Write).await.unwrap());
        fake.set_right("stock.move", "write", true);
        assert!(server.may("stock.move", Right::Write).await.unwrap());
        let fields = server.fields("stock.move").await.unwrap();
        assert!(fields["date"].stored && !fields["forecast_availability"].searchable);
        assert!(fake.writes_seen().is_empty(), "{:?}", fake.writes_seen());
        assert!(fake.traffic().len() >= 7, "the traffic is kept");
    }
}

#[tokio::test]
async fn what_is_missing_is_named() {
    for version in [Version::V18, Version::V19] {
        let fake = FakeOdoo::start(Seed::Recording, version).await;
        let server = signed_in(&fake).await.unwrap();
        let all = Domain::all();
        let scope = Scope::default();
        fake.set_right("stock.scrap", "read", false);
        let error = server.count("stock.scrap", &all, &scope).await.unwrap_err();
        assert!(matches!(&error, OdooError::AccessDenied { model, .. } if model == "stock.scrap"), "{error}");
        assert!(!error.to_string().contains("/opt/odoo"), "a traceback is shown: {error}");
        let error = server.count("pos.order", &all, &scope).await.unwrap_err();
        assert!(matches!(&error, OdooError::UnknownModel { model } if model == "pos.order"), "{error}");
        fake.install_point_of_sale();
        assert_eq!(server.count("pos.order", &all, &scope).await.unwrap(), 0);
        let error = server.ids("stock.move", &all.and("nope", "=", 1), 10, &scope).await.unwrap_err();
        assert!(error.to_string().contains("nope"), "{error}");
        fake.set_key_valid(false);
        let error = server.count("stock.move", &Domain::all(), &scope).await.unwrap_err();
        assert!(matches!(error, OdooError::RefusedLogin { .. }), "{error}");
    }
}
