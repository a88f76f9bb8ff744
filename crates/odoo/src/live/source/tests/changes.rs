//! One change at a time: what it tells, and what it leaves alone.

use super::*;

#[tokio::test]
async fn a_change_tells_what_it_touches_and_nothing_else() {
    let mut world = World::bundled();
    world.read(5000).await;
    let mut line = row_of("purchase.order.line", 28);
    let order = line["order_id"][0].as_i64().unwrap();
    let siblings: BTreeSet<String> = BUNDLED["purchase.order.line"]
        .iter()
        .filter(|row| row["order_id"][0] == order)
        .map(|row| format!("po_line:{}", row["id"]))
        .collect();
    line["product_qty"] = json!(1000.0);
    world.put("purchase.order.line", &line);
    let told = world.read(10).await;
    let supplier = keys(&told).into_iter().filter(|key| key.starts_with("supplier:")).count();
    let lines: BTreeSet<String> = keys(&told).into_iter().filter(|key| !key.starts_with("supplier:")).collect();
    assert_eq!((lines, supplier), (siblings, 1));
    let Some(Record::PoLine(PurchaseLine { qty, .. })) = world.get(RecordKind::PoLine, "28") else { panic!() };
    assert_eq!(qty.to_string(), "1000");

    let mut product = row_of("product.product", 70);
    product["default_code"] = json!("AC-001-NEW");
    world.put("product.product", &product);
    assert_eq!(keys(&world.read(10).await), ["item:70"]);

    let mut partner = row_of("res.partner", 44);
    partner["name"] = json!("Other name");
    world.put("res.partner", &partner);
    let told = keys(&world.read(10).await);
    assert!(told.iter().all(|key| key == "supplier:44"), "{told:?}");
    assert_eq!(world.read(10).await, []);
}

#[tokio::test]
async fn a_picking_tells_its_moves_and_an_order_its_lines() {
    let mut world = World::bundled();
    world.read(5000).await;
    let movement = BUNDLED["stock.move"].iter().find(|row| row["picking_id"].is_array() && row["sale_line_id"].is_array());
    let mut picking = row_of("stock.picking", movement.unwrap()["picking_id"][0].as_i64().unwrap());
    let moves = BUNDLED["stock.move"].iter().filter(|row| row["picking_id"][0] == picking["id"]).count();
    picking["name"] = json!("NOR/OUT/RENAMED");
    world.put("stock.picking", &picking);
    let told = world.read(10).await;
    assert_eq!(told.len(), moves);
    assert!(told.iter().all(|r| matches!(r, Record::Move(StockMove { document, .. }) if document == "NOR/OUT/RENAMED")));

    let mut sale = row_of("sale.order", 25);
    let lines = BUNDLED["sale.order.line"].iter().filter(|row| row["order_id"][0] == 25).count();
    sale["state"] = json!("cancel");
    world.put("sale.order", &sale);
    let told = keys(&world.read(10).await);
    assert_eq!(told.len(), lines);
    assert!(told.iter().all(|key| key.starts_with("-sale_line:")), "{told:?}");
}

#[tokio::test]
async fn what_is_deleted_is_gone_under_every_name_it_had() {
    let mut rows = BUNDLED.clone();
    // A second variant: the template's price now counts for two.
    let price = row_of("product.supplierinfo", 31);
    let template = price["product_tmpl_id"][0].clone();
    let products = rows.get_mut("product.product").unwrap();
    let mut variant = products.iter().find(|row| row["product_tmpl_id"][0] == template).unwrap().clone();
    let first = variant["id"].clone();
    variant["id"] = json!(900);
    products.push(variant.clone());
    let mut world = World::new(&rows, vec![], "USD");
    world.read(500).await;
    assert!(world.get(RecordKind::SupplierPrice, &format!("31-{first}")).is_some());
    assert!(world.get(RecordKind::SupplierPrice, "31-900").is_some());
    assert!(world.get(RecordKind::SupplierPrice, "31").is_none());

    // Another process reads on: what the first one told is known all the same.
    let mut later = World::of(Arc::clone(&world.mirror), vec![], "USD");
    (later.cursor, later.records, later.minutes) = (world.cursor.clone(), world.records.clone(), world.minutes);
    later.remove("product.product", 900);
    later.read(10).await;
    assert!(later.get(RecordKind::SupplierPrice, "31").is_some());
    assert!(later.get(RecordKind::SupplierPrice, "31-900").is_none());
    assert!(later.get(RecordKind::SupplierPrice, &format!("31-{first}")).is_none());
    assert!(later.get(RecordKind::Item, "900").is_none());

    for (model, id, kind) in [
        ("product.supplierinfo", 31, RecordKind::SupplierPrice),
        ("stock.warehouse.orderpoint", 5, RecordKind::ReorderRule),
        ("purchase.order.line", 28, RecordKind::PoLine),
        ("stock.move", 80, RecordKind::Move),
        ("account.move.line", 58, RecordKind::BillLine),
        ("sale.order.line", BUNDLED["sale.order.line"][0]["id"].as_i64().unwrap(), RecordKind::SaleLine),
    ] {
        assert!(later.get(kind, &id.to_string()).is_some(), "{model}");
        later.remove(model, id);
        later.read(10).await;
        assert!(later.get(kind, &id.to_string()).is_none(), "{model}");
    }
    later.remove("product.pricelist.item", 1);
    later.read(10).await;
    assert!(later.get(RecordKind::Promotion, "pricelist-1").is_none());
}

#[tokio::test]
async fn a_row_that_came_before_what_it_names_is_told_when_that_comes() {
    let mut rows = BUNDLED.clone();
    let product = rows.get_mut("product.product").unwrap().remove(0);
    let mut world = World::new(&rows, vec![], "USD");
    world.read(800).await;
    let gaps = world.source.gaps().await.unwrap();
    assert!(gaps.iter().any(|gap| gap.what == "stock.move.product_id" && gap.why.contains("product.product")), "{gaps:?}");
    world.put("product.product", &product);
    world.read(800).await;
    let mut whole = World::bundled();
    whole.read(800).await;
    assert!(world.records == whole.records);
    assert_eq!(world.source.gaps().await.unwrap(), []);
}

#[tokio::test]
async fn the_first_promise_seen_is_kept_and_a_draft_is_no_order() {
    let mut world = World::bundled();
    let mut line = row_of("purchase.order.line", 28);
    line["first date_planned"] = line["date_planned"].clone();
    line["date_planned"] = json!("2026-12-24 12:00:00");
    world.put("purchase.order.line", &line);
    let mut order = row_of("purchase.order", 84);
    order["state"] = json!("sent");
    order["date_approve"] = json!(false);
    world.put("purchase.order", &order);
    world.read(1000).await;
    let Some(Record::PoLine(line)) = world.get(RecordKind::PoLine, "28") else { panic!() };
    assert_eq!(line.promised.to_string(), "2026-12-24T12:00:00Z");
    assert!(line.promised_first < line.promised);
    let drafts: Vec<&PurchaseLine> = world
        .records
        .values()
        .filter_map(|record| if let Record::PoLine(line) = record { Some(line) } else { None })
        .filter(|line| line.order_id == "84")
        .collect();
    assert!(!drafts.is_empty() && drafts.iter().all(|line| line.draft && !line.confirmed));
}
