//! Sums by day: a day is the zone's, by either protocol.

use reeve::odoo::live::call::Group;
use reeve::odoo::rows::cell::Cell;
use serde_json::json;

use super::{Fake, by_day, recorded};

fn day(day: &str, sum: f64, count: u64) -> Group {
    Group { keys: vec![Cell::Text(day.to_owned())], sums: vec![sum], count }
}

#[tokio::test]
async fn the_day_of_a_group_is_the_zones_day_whatever_its_label_says() {
    let (fake, server) = Fake::odoo_18().await;
    fake.set("stock.move.read_group", recorded("18/by_day_with_tz"));
    let groups = server.groups(&by_day("Asia/Tokyo")).await.unwrap();
    assert_eq!(groups, [day("2026-11-09", 5.0, 1), day("2026-11-16", 3.0, 1), day("2026-11-23", 2011.0, 55)]);
    let last = fake.last();
    let asked = last.arguments();
    assert_eq!(asked["context"]["tz"], "Asia/Tokyo");
    assert_eq!((&asked["lazy"], &asked["fields"]), (&json!(false), &json!(["quantity:sum"])));

    // Auckland's day begins before that of UTC: 2025-12-03 11:00 there is the fourth.
    fake.set("stock.move.read_group", recorded("18/groups_auckland"));
    let mut ask = by_day("Pacific/Auckland");
    ask.by = ["product_id", "location_id", "date:day"].map(str::to_owned).to_vec();
    let groups = server.groups(&ask).await.unwrap();
    let first = Group {
        keys: vec![Cell::Number(96.0), Cell::Number(39.0), Cell::Text("2025-12-04".to_owned())],
        sums: vec![1390.0],
        count: 1,
    };
    assert_eq!(groups[0], first);
}

#[tokio::test]
async fn a_19_groups_by_its_own_method_and_means_the_same() {
    let (fake, server) = Fake::odoo_19().await;
    fake.set("stock.move.formatted_read_group", recorded("19/formatted_read_group"));
    let groups = server.groups(&by_day("UTC")).await.unwrap();
    assert_eq!(groups[..2], [day("2024-11-23", 110.0, 1), day("2024-12-23", 120.0, 1)]);
    fake.set("stock.move.formatted_read_group", recorded("19/groups_auckland"));
    let mut ask = by_day("Pacific/Auckland");
    ask.by = ["product_id", "location_id", "date:day"].map(str::to_owned).to_vec();
    let groups = server.groups(&ask).await.unwrap();
    // 2025-11-25 11:00 in UTC.
    let keys = vec![Cell::Number(170.0), Cell::Number(2.0), Cell::Text("2025-11-26".to_owned())];
    assert_eq!(groups[0], Group { keys, sums: vec![2.0], count: 1 });
    fake.set("stock.move.formatted_read_group", recorded("19/formatted_read_group"));
    server.groups(&by_day("UTC")).await.unwrap();
    let last = fake.last();
    assert_eq!(last.body["aggregates"], json!(["quantity:sum", "__count"]));
    assert_eq!(last.body["groupby"], json!(["date:day"]));
}
