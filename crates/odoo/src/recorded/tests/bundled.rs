//! The bundled recording, read whole.

use super::*;

#[test]
fn every_family_of_the_bundled_recording_is_there() {
    let counts: BTreeMap<RecordKind, usize> = [
        RecordKind::Item,
        RecordKind::Location,
        RecordKind::Supplier,
        RecordKind::SupplierPrice,
        RecordKind::ReorderRule,
        RecordKind::Promotion,
        RecordKind::SaleLine,
        RecordKind::PoLine,
        RecordKind::Move,
        RecordKind::BillLine,
    ]
    .into_iter()
    .map(|kind| (kind, keys(kind).len()))
    .collect();
    // 5,209 sale lines less 15 reward lines; every one of 5,759 moves has a meaning.
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [20, 3, 4, 22, 60, 3, 5194, 352, 5759, 310]);
    let orders: BTreeSet<&str> = all!(PoLine: PurchaseLine).map(|(_, line)| line.order_id.as_str()).collect();
    assert_eq!(orders.len(), 72);
}

#[test]
fn the_feed_is_ordered_and_names_nothing_before_it_was_told() {
    let mut told: BTreeSet<(RecordKind, String)> = BTreeSet::new();
    let mut last = (Timestamp::MIN, RecordKind::Item);
    for observed in &BUNDLED.feed {
        let key = observed.record.key();
        assert!(last <= (observed.changed_at, key.kind), "{key} at {}", observed.changed_at);
        last = (observed.changed_at, key.kind);
        let item = match &observed.record {
            Record::SaleLine(r) => Some(&r.item),
            Record::PoLine(r) => Some(&r.item),
            Record::Move(r) => Some(&r.item),
            Record::Promotion(r) => Some(&r.item),
            Record::ReorderRule(r) => Some(&r.item),
            Record::SupplierPrice(r) => Some(&r.item),
            Record::BillLine(r) => r.item.as_ref(),
            Record::Item(_) | Record::Location(_) | Record::Supplier(_) | Record::Notice(_) | Record::Gone(_) => None,
            Record::StockLevel(r) => Some(&r.item),
            Record::DemandMonth(r) => Some(&r.item),
            Record::Lot(r) => Some(&r.item),
            Record::LotStock(r) => Some(&r.item),
        };
        if let Some(item) = item {
            assert!(told.contains(&(RecordKind::Item, item.to_string())), "{key} before its item");
        }
        if let Record::Move(r) = &observed.record
            && let Some(line) = &r.po_line
        {
            assert!(told.contains(&(RecordKind::PoLine, line.clone())), "{key} before its purchase line");
        }
        told.insert((key.kind, key.id));
    }
}

#[test]
fn no_record_is_visible_before_it_was_entered() {
    for (kind, model) in [
        (RecordKind::Item, "product.product"),
        (RecordKind::SaleLine, "sale.order.line"),
        (RecordKind::PoLine, "purchase.order.line"),
        (RecordKind::Move, "stock.move"),
        (RecordKind::BillLine, "account.move.line"),
        (RecordKind::ReorderRule, "stock.warehouse.orderpoint"),
    ] {
        let created: BTreeMap<String, Timestamp> =
            rows(model).iter().map(|r| (r["id"].to_string(), stamp(r["create_date"].as_str().unwrap()))).collect();
        let mut seen = 0;
        for observed in BUNDLED.feed.iter().filter(|o| o.record.key().kind == kind) {
            assert!(observed.changed_at >= created[&observed.record.key().id], "{}", observed.record.key());
            seen += 1;
        }
        assert!(seen > 0, "{model}");
    }
}

#[test]
fn nothing_is_told_done_before_it_was_done() {
    for (at, movement) in all!(Move: StockMove) {
        assert!(movement.done_at.is_none_or(|done| done <= at), "{}", movement.id);
        assert!(movement.created_at <= at, "{}", movement.id);
    }
}

#[test]
fn demand_is_counted_on_the_day_of_the_order() {
    let item = all!(Item: Item).find(|(_, item)| item.sku == "AC-001").unwrap().1.id.clone();
    let north = all!(Location: Location).find(|(_, location)| location.code == "NOR").unwrap().1.id.clone();
    let demand: Decimal = all!(SaleLine: SaleLine)
        .filter(|(_, line)| line.item == item && line.location == north)
        .filter(|(_, line)| line.ordered_at.to_zoned(TimeZone::UTC).date().to_string() == "2026-08-03")
        .map(|(_, line)| line.qty.0)
        .sum();
    assert_eq!(demand, Decimal::from(7));
}

#[test]
fn done_moves_add_up_to_what_odoo_says_is_on_hand() {
    let mut on_hand: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for (_, movement) in all!(Move: StockMove).filter(|(_, movement)| movement.done_at.is_some()) {
        for (location, sign) in [(&movement.from, -Decimal::ONE), (&movement.to, Decimal::ONE)] {
            if let Some(location) = location {
                *on_hand.entry((movement.item.to_string(), location.to_string())).or_default() += sign * movement.qty.0;
            }
        }
    }
    let warehouse: BTreeMap<i64, i64> = rows("stock.location")
        .iter()
        .filter(|r| r["usage"] == "internal" && r["warehouse_id"].is_array())
        .map(|r| (r["id"].as_i64().unwrap(), r["warehouse_id"][0].as_i64().unwrap()))
        .collect();
    let mut quants: BTreeMap<(String, String), Decimal> = BTreeMap::new();
    for quant in rows("stock.quant") {
        if let Some(warehouse) = warehouse.get(&quant["location_id"][0].as_i64().unwrap()) {
            let key = (quant["product_id"][0].to_string(), warehouse.to_string());
            *quants.entry(key).or_default() += Decimal::try_from(quant["quantity"].as_f64().unwrap()).unwrap();
        }
    }
    on_hand.retain(|_, quantity| !quantity.is_zero());
    quants.retain(|_, quantity| !quantity.is_zero());
    assert!(quants.len() > 50);
    assert_eq!(on_hand, quants);
}

#[test]
fn every_kind_of_move_is_recognised() {
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for (_, movement) in all!(Move: StockMove).filter(|(_, movement)| movement.done_at.is_some()) {
        *kinds.entry(format!("{:?}", movement.kind)).or_default() += 1;
    }
    let expected = [
        ("Count", 79),
        ("CustomerReturn", 24),
        ("Delivery", 5201),
        ("Opening", 60),
        ("Receipt", 328),
        ("Scrap", 27),
        ("SupplierReturn", 1),
    ];
    assert_eq!(kinds, expected.into_iter().map(|(kind, n)| (kind.to_owned(), n)).collect());
    assert!(all!(Move: StockMove).filter(|(_, m)| m.kind == MoveKind::Scrap).all(|(_, m)| !m.reason.is_empty()));
}

#[test]
fn a_rewritten_promise_keeps_its_first_date_until_the_receipt_proves_the_new_one() {
    let rewritten: BTreeSet<&str> = all!(PoLine: PurchaseLine)
        .filter(|(_, line)| line.promised != line.promised_first)
        .map(|(_, line)| line.order_name.as_str())
        .collect();
    assert_eq!(rewritten, BTreeSet::from(["P00051"]));
    let versions: Vec<_> = all!(PoLine: PurchaseLine).filter(|(_, line)| line.id == "203").collect();
    let promises: Vec<_> = versions.iter().map(|(at, line)| (at.to_string(), line.promised.to_string())).collect();
    assert_eq!(
        promises,
        [
            ("2026-09-15T08:16:00Z".to_owned(), "2026-09-28T12:00:00Z".to_owned()),
            ("2026-10-08T10:22:00Z".to_owned(), "2026-10-08T12:00:00Z".to_owned()),
        ]
    );
    assert!(versions.iter().all(|(_, line)| line.promised_first == stamp("2026-09-28 12:00:00")));
    let (_, planned) = all!(Move: StockMove).find(|(_, m)| m.po_line.as_deref() == Some("203")).unwrap();
    assert_eq!((planned.done_at, planned.deadline), (None, Some(stamp("2026-09-28 12:00:00"))));
}

#[test]
fn the_planned_receipt_of_a_line_is_what_was_ordered_even_where_a_backorder_took_the_rest() {
    let ordered: BTreeMap<&str, Decimal> =
        all!(PoLine: PurchaseLine).map(|(_, line)| (line.id.as_str(), line.qty.0)).collect();
    let mut first_plan: BTreeMap<&str, Decimal> = BTreeMap::new();
    for (_, movement) in all!(Move: StockMove).filter(|(_, m)| m.kind == MoveKind::Receipt && m.done_at.is_none()) {
        first_plan.entry(movement.po_line.as_deref().unwrap()).or_insert(movement.qty.0);
    }
    assert_eq!(first_plan, ordered);
}

#[test]
fn a_delivery_that_moved_on_into_a_backorder_was_in_the_first_document_before() {
    // A document's name is given with its picking: none may be told before the picking was made.
    let pickings: BTreeMap<String, Timestamp> =
        rows("stock.picking").iter().map(|r| (r["id"].to_string(), stamp(r["create_date"].as_str().unwrap()))).collect();
    let mut moved_on = 0;
    let mut documents: BTreeMap<&str, &str> = BTreeMap::new();
    for (at, movement) in all!(Move: StockMove) {
        let Some(document) = &movement.document_id else { continue };
        assert!(at >= pickings[document], "{} in {}", movement.id, movement.document);
        let before = documents.insert(&movement.id, document);
        moved_on += usize::from(before.is_some_and(|before| before != document));
    }
    assert!(moved_on > 0);
}

#[test]
fn cost_follows_the_valuation_and_a_delisting_is_told_when_it_happened() {
    let versions: Vec<_> = all!(Item: Item).filter(|(_, item)| item.sku == "AC-001").collect();
    assert_eq!((versions[0].0, versions[0].1.cost), (stamp("2026-07-31 00:00:04"), None));
    assert_eq!(versions[1].1.cost.unwrap().to_string(), "3.80");
    let delisted: Vec<_> = all!(Item: Item).filter(|(_, item)| !item.sellable).collect();
    assert!(delisted.iter().all(|(_, item)| item.name == "CR2032 cells 6-pack"));
    assert_eq!(delisted[0].0, stamp("2026-10-22 07:30:00"));
    assert_eq!(delisted[0].1.delisted_at, Some(delisted[0].0));
}

#[test]
fn the_running_average_ends_at_odoos_own_cost() {
    let mut ours: BTreeMap<&str, (f64, usize)> = BTreeMap::new();
    for (_, item) in all!(Item: Item) {
        let (cost, versions) = ours.entry(item.id.as_str()).or_default();
        (*cost, *versions) = (item.cost.map_or(0.0, reeve_domain::money::UnitPrice::to_f64), *versions + 1);
    }
    for product in rows("product.product") {
        if let Some((cost, _)) = ours.get(product["id"].to_string().as_str()) {
            let odoo = product["standard_price"].as_f64().unwrap();
            assert!((cost - odoo).abs() < 0.0101, "{} {cost} {odoo}", product["default_code"]);
        }
    }
    assert!(ours.values().any(|(_, versions)| *versions > 3), "no cost ever moved");
    assert!(ours.values().all(|(_, versions)| *versions < 60), "cost flutters");
}

#[test]
fn promotions_are_known_from_their_entry_and_last_whole_days() {
    let told: Vec<String> =
        all!(Promotion: Promotion).map(|(at, p)| format!("{at} {} {}..{} {}%", p.id, p.from, p.to, p.percent)).collect();
    assert_eq!(
        told,
        [
            "2026-08-29T07:30:00Z pricelist-1 2026-09-02..2026-09-08 25%",
            "2026-09-21T07:30:00Z loyalty-5-82 2026-09-22..2026-09-26 10%",
            "2026-09-30T07:30:00Z pricelist-2 2026-10-04..2026-10-10 20%",
        ]
    );
}

#[test]
fn terms_and_bills_are_read_in_full() {
    let (_, price) = all!(SupplierPrice: SupplierPrice).find(|(_, p)| p.id == "31").unwrap();
    assert_eq!((price.price.unwrap().to_string().as_str(), price.lead_days), ("3.80", 6));
    let (_, rule) = all!(ReorderRule: ReorderRule).find(|(_, r)| r.id == "5").unwrap();
    assert_eq!((rule.min.to_string(), rule.max.to_string(), rule.multiple.to_string()).0, "230");
    assert_eq!((rule.max.to_string().as_str(), rule.multiple.to_string().as_str()), ("432", "6"));
    let (at, bill) = all!(BillLine: BillLine).find(|(_, b)| b.id == "58").unwrap();
    assert_eq!(at, stamp("2026-08-10 16:10:00"));
    assert_eq!((bill.reference.as_str(), bill.origin.as_str(), bill.po_line.as_deref()), ("LIN-4016", "P00016", Some("28")));
    assert_eq!((bill.qty.to_string().as_str(), bill.price.unwrap().to_string().as_str()), ("192", "3.80"));
    assert!(!bill.paid);
}
