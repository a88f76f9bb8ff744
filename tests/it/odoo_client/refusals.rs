//! What a server refuses, told apart.

use reeve::odoo::live::call::Version;
use reeve::odoo::live::error::OdooError;
use reeve_testing::endpoint::Says;
use serde_json::json;

use super::{Fake, KEY, recorded, rows_of, told};

#[tokio::test]
async fn what_json_rpc_refuses_is_told_apart() {
    let (fake, server) = Fake::odoo_18().await;
    let login = OdooError::RefusedLogin { url: fake.url.clone(), who: " of \"reeve\"".to_owned() };
    let field = OdooError::UnknownField { model: "res.partner".to_owned(), field: "no_such_field".to_owned() };
    for (file, expected) in [
        ("execute_wrong_password", login.clone()),
        ("inactive_user", login.clone()),
        ("unknown_uid", login),
        ("unknown_model", OdooError::UnknownModel { model: "stock.move".to_owned() }),
        ("unknown_field_in_read", field.clone()),
        ("unknown_field_in_domain", field.clone()),
        ("unknown_field_in_order", field),
        ("execute_unknown_database", OdooError::WrongDatabase { url: fake.url.clone(), database: "retail".to_owned() }),
    ] {
        assert_eq!(told(&fake, &*server, recorded(&format!("18/{file}"))).await, expected, "{file}");
    }
    for file in ["domain_bad_operator", "domain_bad_datetime", "bad_arguments", "company_not_allowed", "unknown_method"] {
        let error = told(&fake, &*server, recorded(&format!("18/{file}"))).await;
        assert!(matches!(error, OdooError::Server { .. }), "{file}: {error:?}");
        assert!(!error.is_transient() && !error.to_string().contains('\n'), "{file}: {error}");
    }
}

#[tokio::test]
async fn a_refused_model_is_named_with_the_groups_that_grant_it() {
    let (fake, server) = Fake::odoo_18().await;
    let denied = |model: &str, groups: &str| OdooError::AccessDenied { model: model.to_owned(), groups: groups.to_owned() };
    let granted = ": it is granted to Administration/Access Rights";
    assert_eq!(told(&fake, &*server, recorded("18/access_denied_model")).await, denied("ir.model.access", granted));
    let granted = ": it is granted to Invoicing/Invoicing, Sales/User: Own Documents Only, \
                   Technical/Show Accounting Features - Readonly";
    assert_eq!(told(&fake, &*server, recorded("18/access_denied_by_one_field")).await, denied("sale.order.option", granted));
    let granted = ": its field value is granted to 'Inventory / Administrator'";
    assert_eq!(told(&fake, &*server, recorded("18/access_denied_field_group")).await, denied("stock.quant", granted));

    let (fake, server) = Fake::odoo_19().await;
    let granted = ": it is granted to Role / Administrator";
    assert_eq!(told(&fake, &*server, recorded("19/reader_unreadable_model")).await, denied("ir.config_parameter", granted));
    let granted = ": its field value is granted to 'Inventory / Administrator'";
    assert_eq!(told(&fake, &*server, recorded("19/field_denied")).await, denied("stock.quant", granted));
}

#[tokio::test]
async fn a_model_that_may_not_be_read_has_no_fields() {
    let (fake, server) = Fake::odoo_18().await;
    // Odoo tells the fields of models that may not be read, too.
    fake.set("stock.move.fields_get", recorded("18/fields_get"));
    fake.set("stock.move.search", recorded("18/access_denied_model"));
    assert!(matches!(server.fields("stock.move").await, Err(OdooError::AccessDenied { .. })));
    fake.set("stock.move.fields_get", recorded("18/unknown_model"));
    assert!(matches!(server.fields("stock.move").await, Err(OdooError::UnknownModel { .. })));
}

#[tokio::test]
async fn what_json_2_refuses_is_told_apart() {
    let (fake, server) = Fake::odoo_19().await;
    let login = OdooError::RefusedLogin { url: fake.url.clone(), who: String::new() };
    let field = OdooError::UnknownField { model: "stock.move".to_owned(), field: "nope".to_owned() };
    for (file, expected) in [
        ("err_bad_key", login.clone()),
        ("err_no_auth", login),
        ("err_unknown_model", OdooError::UnknownModel { model: "stock.move".to_owned() }),
        ("err_unknown_field", field.clone()),
        ("err_unknown_field_domain", field.clone()),
        ("err_unknown_field_order", field),
    ] {
        assert_eq!(told(&fake, &*server, recorded(&format!("19/{file}"))).await, expected, "{file}");
    }
    for file in ["err_bad_domain", "err_nonstored_domain", "err_not_json", "err_unknown_method", "err_bad_argument"] {
        let error = told(&fake, &*server, recorded(&format!("19/{file}"))).await;
        assert!(matches!(error, OdooError::Server { .. }), "{file}: {error:?}");
    }
    let error = told(&fake, &*server, recorded("19/err_wrong_content_type")).await;
    assert!(matches!(error, OdooError::Garbled { .. }), "{error:?}");
}

#[tokio::test]
async fn a_sign_in_that_fails_says_why_and_is_tried_once() {
    let fake = Fake::start(&[
        ("common.version", recorded("18/version")),
        ("common.authenticate", recorded("18/authenticate_wrong_password")),
    ])
    .await;
    let error = fake.refusal(&fake.config()).await;
    assert!(matches!(error, OdooError::RefusedLogin { .. }) && !error.is_transient(), "{error:?}");
    assert_eq!(fake.seen().iter().filter(|seen| seen.asked == "common.authenticate").count(), 1);
    fake.set("common.authenticate", recorded("18/login_unknown_database"));
    let wrong = OdooError::WrongDatabase { url: fake.url.clone(), database: "retail".to_owned() };
    assert_eq!(fake.refusal(&fake.config()).await, wrong);

    let fake =
        Fake::start(&[("/web/version", recorded("19/web_version")), ("res.users.context_get", recorded("19/err_bad_key"))])
            .await;
    assert!(matches!(fake.refusal(&fake.config()).await, OdooError::RefusedLogin { .. }));
    fake.set("res.users.context_get", recorded("19/wrong_database"));
    assert!(matches!(fake.refusal(&fake.config()).await, OdooError::WrongDatabase { .. }));
}

#[tokio::test]
async fn an_empty_database_is_found_where_there_is_only_one() {
    let fake = Fake::start(&[
        ("common.version", recorded("18/version")),
        ("common.authenticate", recorded("18/authenticate_ok")),
        ("db.list", recorded("18/db_list")),
    ])
    .await;
    let mut config = fake.config();
    config.database = String::new();
    let several = fake.refusal(&config).await.to_string();
    assert!(several.starts_with("odoo.database") && several.contains("retail, retail19, retail_pristine"), "{several}");
    fake.set("db.list", Says::raw(200, "application/json", r#"{"jsonrpc":"2.0","id":1,"result":["only"]}"#));
    assert_eq!(fake.connect(&config).await.unwrap().name(), format!("{} (only)", fake.url));
    assert_eq!(fake.last().body["params"]["args"][0], "only");
    // Most servers on the internet do not tell.
    fake.set("db.list", recorded("18/execute_wrong_password"));
    assert!(matches!(fake.refusal(&config).await, OdooError::Setting { key: "odoo.database", .. }));
}

#[tokio::test]
async fn versions_that_are_not_spoken_are_refused_and_newer_ones_read_as_19() {
    let said =
        |version: &str| Says::json(200, &json!({ "jsonrpc": "2.0", "id": 1, "result": { "server_version": version } }));
    let fake = Fake::start(&[("common.version", said("16.0"))]).await;
    let error = fake.refusal(&fake.config()).await;
    assert_eq!(error, OdooError::Unsupported { url: fake.url.clone(), version: "16.0".to_owned() });
    assert!(error.to_string().contains("17, 18 and 19"));
    fake.set("common.version", said("20.0"));
    fake.set("res.users.context_get", recorded("19/context_get"));
    assert_eq!(fake.connect(&fake.config()).await.unwrap().version(), Version::V19);
}

#[tokio::test]
async fn no_recorded_refusal_shows_a_traceback_or_the_key() {
    let folder = |version: &str| format!("{}/tests/odoo-answers/{version}", env!("CARGO_MANIFEST_DIR"));
    let mut errors = 0;
    for version in ["18", "19"] {
        let (fake, server) = if version == "18" { Fake::odoo_18().await } else { Fake::odoo_19().await };
        let mut files: Vec<_> = std::fs::read_dir(folder(version)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let mut reply = recorded(&format!("{version}/{name}"));
            // A server that repeats what it was sent: the key stands in every message.
            let text = String::from_utf8(reply.body).unwrap();
            reply.body = text.replace(r#""message":""#, &format!(r#""message":"{KEY} "#)).into_bytes();
            fake.set("stock.move.search_read", reply);
            let Err(error) = server.rows(&rows_of("stock.move", &["product_id"])).await else { continue };
            let shown = format!("{error} {error:?}");
            assert!(!shown.contains(KEY), "{name}: {shown}");
            assert!(!shown.contains("Traceback") && !shown.contains("/opt/odoo"), "{name}: {shown}");
            assert!(error.to_string().chars().count() < 1000, "{name}: {shown}");
            errors += 1;
        }
    }
    assert!(errors > 30, "{errors}");
}
