//! What a server does not have, does not show or has in an odd state is a line for people and stops nothing.

use serde_json::{Value, json};

use super::Shop;
use reeve_testing::odoo::Version;

/// The lines about what is not read: of `sync`, of `doctor` and of the digest. They have to be the same.
async fn gaps(shop: &Shop) -> Vec<String> {
    let text = |values: &Value| -> Vec<String> {
        let all = values.as_array().expect("a list").iter().map(|line| line.as_str().expect("text").to_owned());
        all.filter(|line| line.starts_with("Not read:")).collect()
    };
    // What can not be told of the rows is known when they were put together: the second look says it for certain.
    shop.json(&["sync"]);
    let of_sync: Vec<String> = text(&shop.json(&["sync"])["not_read"]);
    let doctor = shop.json(&["doctor"]);
    let coverage = doctor.as_array().expect("findings").iter().filter(|f| f["what"] == "coverage");
    assert_eq!(text(&coverage.map(|f| f["says"].clone()).collect()), of_sync, "doctor");
    let (serving, _) = shop.served_a_digest(&[]).await;
    assert_eq!(serving.stopped_by("TERM"), Some(0));
    assert_eq!(text(&shop.json(&["digest"])["health"]), of_sync, "the digest");
    of_sync
}

#[track_caller]
fn assert_names(gaps: &[String], parts: &[&str]) {
    for part in parts {
        assert!(gaps.iter().any(|line| line.contains(part)), "{part}: {gaps:#?}");
    }
}

#[tokio::test]
async fn a_plain_server_without_promotions_and_tills_says_what_is_not_seen() {
    let shop = Shop::new(Version::V18).await;
    let moves = shop.odoo.rows("stock.move").len();
    shop.odoo.with(|state| {
        for model in ["loyalty.program", "loyalty.rule", "loyalty.reward"] {
            state.remove_model(model);
        }
    });
    shop.odoo.set_right("stock.scrap", "read", false);
    let gaps = gaps(&shop).await;
    assert_names(&gaps, &["Not read: loyalty.program", "Not read: stock.scrap"]);
    assert!(!gaps.iter().any(|line| line.contains("pos.")), "nobody misses tills that are not there: {gaps:#?}");
    // Scraps are told without their reasons.
    let told = shop.json(&["sync"])["records"]["move"].as_u64().expect("a count");
    assert_eq!(usize::try_from(told).expect("few"), moves);
    assert!(gaps.iter().all(|line| line.contains("; not seen for it: ")), "{gaps:#?}");
}

#[tokio::test]
async fn a_field_that_is_gone_is_a_line_before_and_after_the_first_sync() {
    let shop = Shop::new(Version::V18).await;
    shop.odoo.with(|state| state.remove_field("product.product", "standard_price"));
    let first = shop.json(&["sync"]);
    assert!(first["not_read"].to_string().contains("product.product.standard_price"), "{first}");
    shop.odoo.with(|state| state.remove_field("purchase.order.line", "price_unit"));
    shop.odoo.with(|state| state.remove_field("stock.picking", "scheduled_date"));
    let names = gaps(&shop).await;
    assert_names(
        &names,
        &[
            "Not read: product.product.standard_price (",
            "Not read: purchase.order.line.price_unit (",
            "stock.picking.scheduled_date",
        ],
    );
}

/// What real databases hold: leftovers and odd values.
#[tokio::test]
async fn odd_rows_are_read_or_left_out_and_stop_nothing() {
    for version in [Version::V18, Version::V19] {
        let shop = Shop::new(version).await;
        let odoo = &shop.odoo;
        let products: Vec<i64> = odoo.rows("product.product").into_keys().collect();
        odoo.archive("product.product", products[0]);
        odoo.archive("product.template", odoo.rows("product.template").into_keys().next().expect("a template"));
        odoo.write("product.product", products[1], &json!({"standard_price": 0.0}));
        let (quant, _) = odoo.rows("stock.quant").pop_first().expect("a quant");
        odoo.write("stock.quant", quant, &json!({"quantity": -7.0, "reserved_quantity": 0.0}));
        // A bill for something that nobody ordered.
        let (line, _) = odoo.rows("account.move.line").pop_first().expect("a line of a bill");
        odoo.write("account.move.line", line, &json!({"purchase_line_id": false}));
        // A reference to what is not there any more, and a product that nothing is known of.
        let (order, _) = odoo.rows("purchase.order.line").pop_first().expect("a line of an order");
        odoo.write("purchase.order.line", order, &json!({"product_id": 999_999}));
        odoo.unlink("product.supplierinfo", odoo.rows("product.supplierinfo").into_keys().next().expect("a price"));
        // Names are data.
        odoo.write("product.product", products[2], &json!({"default_code": "'; drop table records; --"}));
        odoo.write("res.partner", odoo.rows("res.partner").into_keys().next().expect("a partner"), &json!({"name": ""}));
        let said = gaps(&shop).await;
        assert_names(&said, &["Not read: purchase.order.line.product_id (1 row names what can not be used"]);
        let counts = shop.json(&["sync"])["records"].clone();
        assert!(counts["item"].as_i64().is_some_and(|n| n >= products.len() as i64 - 2), "{counts}");
        shop.run(&["audit", "verify"]).fine();
    }
}
