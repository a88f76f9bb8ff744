//! Rows that can not be understood.

use super::*;

#[tokio::test]
async fn what_can_not_be_understood_is_left_out_and_counted() {
    let mut rows = BUNDLED.clone();
    let mut change = |model: &'static str, id: i64, field: &str, value: Value| {
        let row = rows.get_mut(model).unwrap().iter_mut().find(|row| row["id"] == id).unwrap();
        row[field] = value;
    };
    change("stock.move", 80, "location_id", json!(99_999));
    change("stock.move", 79, "quantity", json!(-3.0));
    change("stock.location", 2, "usage", json!("moon"));
    change("purchase.order.line", 28, "price_unit", json!(-1.0));
    change("product.product", 70, "standard_price", json!(-5.0));
    change("account.move.line", 58, "purchase_line_id", json!(77_777));
    let mut world = World::new(&rows, vec![], "USD");
    world.read(1000).await;
    assert!(world.get(RecordKind::Move, "80").is_none() && world.get(RecordKind::Move, "79").is_none());
    assert!(world.get(RecordKind::PoLine, "28").is_none());
    let Some(Record::BillLine(bill)) = world.get(RecordKind::BillLine, "58") else { panic!() };
    assert_eq!(bill.po_line.as_deref(), Some("77777"));
    let Some(Record::Item(item)) = world.get(RecordKind::Item, "70") else { panic!() };
    assert_eq!(item.cost, None);
    let gaps: Vec<String> =
        world.source.gaps().await.unwrap().into_iter().map(|gap| format!("{}: {}", gap.what, gap.why)).collect();
    for (what, why) in [
        ("stock.move.location_id", "1 row names what can not be used or read of stock.location (such as id 80)"),
        ("stock.move.quantity", "1 row is not understood (such as id 79): expected a quantity of zero or more"),
        ("stock.location.usage", "(such as id 2): expected internal, transit"),
        ("purchase.order.line.price_unit", "expected a price of zero or more"),
        ("product.product.standard_price", "(such as id 70)"),
    ] {
        assert!(gaps.iter().any(|gap| gap.starts_with(what) && gap.contains(why)), "{what}: {gaps:#?}");
    }
    // Another process knows them too, and what is deleted is no gap.
    let mut later = World::of(Arc::clone(&world.mirror), vec![], "USD");
    (later.cursor, later.records) = (world.cursor.clone(), world.records.clone());
    later.remove("stock.move", 80);
    later.read(10).await;
    let left = later.source.gaps().await.unwrap();
    assert!(left.iter().any(|gap| gap.what == "stock.move.quantity"), "{left:#?}");
    assert!(left.iter().all(|gap| gap.what != "stock.move.location_id" || !gap.why.contains("id 80")), "{left:#?}");
}

fn any_cell() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(json!(false)),
        Just(json!(true)),
        Just(json!(null)),
        (-3_i64..200).prop_map(|n| json!(n)),
        any::<f64>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| json!(n)),
        Just(json!(1e308)),
        Just(json!(-1e-308)),
        Just(json!([])),
        Just(json!([1, 2, 3])),
        Just(json!({"a": 1})),
        Just(json!("2026-08-05 08:00:00")),
        Just(json!("9999-12-31 23:59:59")),
        Just(json!("0001-01-01")),
        Just(json!("done")),
        Just(json!("purchase")),
        ".{0,12}".prop_map(|text| json!(text)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_cell_makes_the_reading_fail(
        spoilt in prop::collection::vec((0_usize..STREAMS.len(), 0_usize..40, 1_usize..30, any_cell()), 1..60)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let mirror = Arc::new(MemoryMirror::default());
            for stream in STREAMS {
                for row in BUNDLED.get(stream.model).into_iter().flatten().take(60) {
                    mirror.put(stream.model, mirror_row(stream.model, row), at(0));
                }
            }
            for (stream, row, field, value) in spoilt {
                let stream = &STREAMS[stream];
                let rows = mirror.select(|of, _| of == stream.model);
                let Some(row) = rows.get(row % rows.len().max(1)) else { continue };
                let Ok(mut cells) = serde_json::from_str::<Vec<Value>>(&row.body) else { continue };
                let width = cells.len();
                cells[field % width] = value;
                let body = if field == 29 { "no list".to_owned() } else { Value::Array(cells).to_string() };
                mirror.put(stream.model, MirrorRow { body, ..row.clone() }, at(1));
            }
            let mut world = World::of(mirror, vec![1], "USD");
            world.read(333).await;
            world.source.gaps().await.unwrap();
        });
    }
}
