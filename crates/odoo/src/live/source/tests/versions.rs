//! Versions of Odoo, currencies, companies.

use super::*;

#[tokio::test]
async fn the_shapes_of_17_and_19_say_the_same() {
    let mut plain = World::bundled();
    plain.read(5000).await;
    let mut seventeen = BUNDLED.clone();
    for row in seventeen.get_mut("product.template").unwrap() {
        row["type"] = json!(if row["is_storable"] == json!(true) { "product" } else { "service" });
        row["is_storable"] = Value::Null;
    }
    let mut world = World::new(&seventeen, vec![], "USD");
    world.read(5000).await;
    assert!(world.records == plain.records);

    let mut nineteen = BUNDLED.clone();
    let without = [
        ("product.template", "uom_po_id"),
        ("stock.location", "scrap_location"),
        ("stock.move", "scrapped"),
        ("uom.uom", "category_id"),
    ];
    for (model, field) in without {
        for row in nineteen.get_mut(model).unwrap() {
            row[field] = Value::Null;
        }
    }
    // A dozen is made of units: it holds 12 of them.
    nineteen.get_mut("uom.uom").unwrap().push(json!({"id": 77, "name": "Dozens", "factor": 12.0, "relative_uom_id": 1}));
    for row in nineteen.get_mut("purchase.order.line").unwrap().iter_mut().filter(|row| row["id"] == 28) {
        row["product_uom"] = json!([77, "Dozens"]);
        row["product_qty"] = json!(16.0);
        row["price_unit"] = json!(45.6);
    }
    for row in nineteen.get_mut("product.supplierinfo").unwrap().iter_mut().filter(|row| row["id"] == 31) {
        row["product_uom"] = json!([77, "Dozens"]);
        row["price"] = json!(45.6);
    }
    for row in nineteen.get_mut("stock.warehouse.orderpoint").unwrap().iter_mut().filter(|row| row["id"] == 5) {
        row["qty_multiple"] = Value::Null;
        row["replenishment_uom_id"] = json!([77, "Dozens"]);
    }
    let mut world = World::new(&nineteen, vec![], "USD");
    world.read(5000).await;
    let Some(Record::PoLine(line)) = world.get(RecordKind::PoLine, "28") else { panic!() };
    assert_eq!((line.qty.to_string().as_str(), line.price.unwrap().to_string().as_str()), ("192", "3.80"));
    let Some(Record::SupplierPrice(price)) = world.get(RecordKind::SupplierPrice, "31") else { panic!() };
    assert_eq!(price.price.unwrap().to_string(), "3.80");
    let Some(Record::ReorderRule(rule)) = world.get(RecordKind::ReorderRule, "5") else { panic!() };
    assert_eq!(rule.multiple.to_string(), "12");
    let moves = |world: &World| world.records.values().filter(|record| matches!(record, Record::Move(_))).count();
    assert_eq!(moves(&world), moves(&plain));
}

#[tokio::test]
async fn barcodes_packages_and_suppliers_codes_come_with_items_and_terms() {
    let mut world = World::bundled();
    world.read(5000).await;
    let keys = |world: &World| match world.get(RecordKind::Item, "70") {
        Some(Record::Item(item)) => item.keys.clone(),
        other => panic!("{other:?}"),
    };
    let packs = |world: &World| -> Vec<String> {
        keys(world).packs.iter().map(|p| format!("{} {} {}", p.name, p.qty, p.barcode)).collect()
    };
    assert_eq!((keys(&world).barcode.as_str(), packs(&world)), ("4000000000000", vec![]));
    let Some(Record::SupplierPrice(price)) = world.get(RecordKind::SupplierPrice, "31") else { panic!() };
    assert_eq!((price.keys.code.as_str(), price.keys.pack.as_ref()), ("V0000", None));
    let packaging = |id: i64, qty: f64| json!({"id": id, "name": "Carton", "product_id": 70, "qty": qty, "barcode": "600"});
    world.put("product.packaging", &packaging(1, 12.0));
    world.put("product.packaging", &packaging(2, 0.0));
    world.read(10).await;
    assert_eq!(packs(&world), ["Carton 12 600"], "a package of nothing says nothing");
    // From 19 on a package is a unit.
    world.put("uom.uom", &json!({"id": 77, "name": "Pack of 6", "factor": 6.0, "category_id": false, "relative_uom_id": 1}));
    world.put("product.uom", &json!({"id": 1, "product_id": 70, "uom_id": 77, "barcode": "700"}));
    world.read(10).await;
    assert_eq!(packs(&world), ["Carton 12 600", "Pack of 6 6 700"]);
    world.remove("product.packaging", 1);
    world.read(10).await;
    assert_eq!(packs(&world), ["Pack of 6 6 700"]);
}

#[tokio::test]
async fn other_currencies_are_converted_at_the_documents_day() {
    let mut rows = BUNDLED.clone();
    rows.get_mut("res.currency").unwrap().push(json!({"id": 125, "name": "EUR"}));
    let order = row_of("purchase.order.line", 28)["order_id"][0].clone();
    for row in rows.get_mut("purchase.order").unwrap().iter_mut().filter(|row| row["id"] == order) {
        row["currency_id"] = json!([125, "EUR"]);
        row["date_order"] = json!("2026-08-05 08:00:00");
    }
    let mut world = World::new(&rows, vec![], "USD");
    world.read(5000).await;
    let price = |world: &World| match world.get(RecordKind::PoLine, "28") {
        Some(Record::PoLine(line)) => line.price.map(|price| price.to_string()),
        other => panic!("{other:?}"),
    };
    assert_eq!(price(&world), None);
    let gaps = world.source.gaps().await.unwrap();
    assert!(
        gaps.iter().any(|gap| gap.what == "purchase.order.currency_id" && gap.why.contains("no rate to the configured one"))
    );
    // One dollar is 0.8 euro on the day, and 0.5 later; another company's rate is nobody else's.
    let rate = |id: i64, day: &str, rate: f64, company: Value| json!({"id": id, "name": day, "currency_id": 125, "rate": rate, "company_id": company});
    world.put("res.currency.rate", &rate(1, "2026-08-01", 0.8, json!(false)));
    world.put("res.currency.rate", &rate(2, "2026-08-06", 0.5, json!(false)));
    world.put("res.currency.rate", &rate(3, "2026-08-02", 0.1, json!(9)));
    world.read(10).await;
    assert_eq!(price(&world).as_deref(), Some("4.75"));
    assert_eq!(world.source.gaps().await.unwrap(), []);
    // A company's own rate goes before everybody's.
    let company = BUNDLED["res.company"][0]["id"].clone();
    world.put("res.currency.rate", &rate(4, "2026-08-02", 0.4, company));
    let mut again = World::of(Arc::clone(&world.mirror), vec![], "USD");
    again.read(5000).await;
    assert_eq!(price(&again).as_deref(), Some("9.50"));
    // And where the company's currency is not the configured one, all is converted.
    let mut euros = World::of(Arc::clone(&world.mirror), vec![], "EUR");
    euros.read(5000).await;
    assert_eq!(price(&euros).as_deref(), Some("3.80"));
    let list = |world: &World| match world.get(RecordKind::Item, "70") {
        Some(Record::Item(Item { list_price, .. })) => list_price.unwrap().to_f64(),
        other => panic!("{other:?}"),
    };
    assert!((list(&euros) - list(&again) * 0.4).abs() < 1e-9);
}

#[tokio::test]
async fn rows_of_other_companies_are_not_told() {
    let mut rows = BUNDLED.clone();
    let order = rows.get_mut("purchase.order").unwrap().iter_mut().find(|row| row["id"] == 84).unwrap();
    order["company_id"] = json!([2, "Another"]);
    for row in rows.get_mut("purchase.order.line").unwrap().iter_mut().filter(|row| row["order_id"][0] == 84) {
        row["company_id"] = json!([2, "Another"]);
    }
    let mut all = World::new(&rows, vec![], "USD");
    all.read(5000).await;
    let mut one = World::new(&rows, vec![1], "USD");
    one.read(5000).await;
    let missing: Vec<&Record> =
        all.records.iter().filter(|(key, _)| !one.records.contains_key(key)).map(|(_, record)| record).collect();
    assert!(!missing.is_empty());
    assert!(missing.iter().all(|record| matches!(record, Record::PoLine(line) if line.order_id == "84")), "{missing:?}");
    assert_eq!(one.source.gaps().await.unwrap(), []);
}
