//! The world as it is: missing prices, other units and currencies, what was cancelled.

use super::*;

fn find<T>(recorded: &Recorded, pick: impl Fn(&Record) -> Option<T>) -> Vec<T> {
    recorded.feed.iter().filter_map(|o| pick(&o.record)).collect()
}

#[test]
fn a_missing_cost_or_price_is_a_value_not_an_error() {
    let copy = Copy::new();
    copy.edit("stock.valuation.layer", |rows| rows.retain(|r| r["product_id"][0] != 70));
    copy.edit("product.product", |rows| rows[0]["standard_price"] = json!(0.0));
    copy.edit("product.template", |rows| rows[0]["list_price"] = json!(0.0));
    let recorded = copy.open().unwrap();
    let items = find(&recorded, |r| if let Record::Item(i) = r { (i.id.as_str() == "70").then(|| i.clone()) } else { None });
    assert_eq!(items.len(), 1);
    assert_eq!((items[0].cost, items[0].list_price), (None, None));
}

#[test]
fn other_units_are_converted_and_other_currencies_are_missing_prices() {
    let copy = Copy::new();
    add_unit(&copy, 77, "Dozens", 1, 1.0 / 12.0);
    copy.edit("purchase.order.line", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 28).unwrap();
        row["product_uom"] = json!([77, "Dozens"]);
        row["product_qty"] = json!(16.0);
        row["price_unit"] = json!(45.6);
    });
    copy.edit("product.supplierinfo", |rows| rows[0]["currency_id"] = json!([125, "EUR"]));
    let recorded = copy.open().unwrap();
    let lines = find(&recorded, |r| if let Record::PoLine(l) = r { (l.id == "28").then(|| l.clone()) } else { None });
    assert_eq!((lines[0].qty.to_string().as_str(), lines[0].price.unwrap().to_string().as_str()), ("192", "3.80"));
    let prices =
        find(&recorded, |r| if let Record::SupplierPrice(p) = r { (p.id == "31").then_some(p.price) } else { None });
    assert_eq!(prices, [None]);
}

#[test]
fn orders_that_bind_nobody_are_drafts_and_cancelled_ones_are_unconfirmed() {
    let copy = Copy::new();
    copy.edit("purchase.order", |rows| {
        for row in rows.iter_mut() {
            if row["name"] == "P00085" {
                row["state"] = json!("cancel");
            } else if row["name"] == "P00084" {
                row["state"] = json!("draft");
                row["date_approve"] = json!(false);
            }
        }
    });
    copy.edit("sale.order", |rows| rows[0]["state"] = json!("draft"));
    let recorded = copy.open().unwrap();
    let confirmed = |name: &'static str| {
        find(
            &recorded,
            move |r| if let Record::PoLine(l) = r { (l.order_name == name).then_some(l.confirmed) } else { None },
        )
    };
    let drafts = find(&recorded, |r| {
        if let Record::PoLine(l) = r { (l.order_name == "P00084").then_some((l.draft, l.confirmed)) } else { None }
    });
    assert!(!drafts.is_empty() && drafts.iter().all(|found| *found == (true, false)));
    let versions = confirmed("P00085");
    assert_eq!(versions.iter().filter(|c| **c).count(), versions.iter().filter(|c| !**c).count());
    assert!(!versions.is_empty());
    let first = rows("sale.order")[0]["id"].to_string();
    assert!(
        find(&recorded, |r| if let Record::SaleLine(l) = r { (l.order_id == first).then_some(()) } else { None }).is_empty()
    );
}

#[test]
fn a_cancelled_move_is_a_plan_for_nothing_and_a_paid_bill_is_paid_from_its_last_change() {
    let copy = Copy::new();
    copy.edit("stock.move", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 4394).unwrap();
        row["state"] = json!("cancel");
        row["write_date"] = json!("2026-10-12 09:00:00");
    });
    copy.edit("account.move", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 25).unwrap();
        row["payment_state"] = json!("paid");
        row["write_date"] = json!("2026-09-09 09:00:00");
    });
    let recorded = copy.open().unwrap();
    let plans: Vec<_> = recorded.feed.iter().filter(|o| o.record.key().to_string() == "move:4394").collect();
    let quantity = |o: &Observed| if let Record::Move(m) = &o.record { (m.qty.to_string(), m.done_at) } else { panic!() };
    assert_eq!(plans.iter().map(|o| quantity(o)).collect::<Vec<_>>(), [("42".to_owned(), None), ("0".to_owned(), None)]);
    assert_eq!(plans[1].changed_at, stamp("2026-10-12 09:00:00"));
    let bills: Vec<_> = recorded.feed.iter().filter(|o| o.record.key().to_string() == "bill_line:58").collect();
    let paid = |o: &Observed| if let Record::BillLine(b) = &o.record { b.paid } else { panic!() };
    assert_eq!(
        bills.iter().map(|o| (o.changed_at.to_string(), paid(o))).collect::<Vec<_>>(),
        [("2026-08-10T16:10:00Z".to_owned(), false), ("2026-09-09T09:00:00Z".to_owned(), true),]
    );
}

#[test]
fn a_line_planned_later_than_its_order_is_no_rewritten_promise() {
    let copy = Copy::new();
    copy.edit("purchase.order.line", |rows| {
        let row = rows.iter_mut().find(|r| r["id"] == 28).unwrap();
        row["date_planned"] = json!("2026-08-19 12:00:00");
    });
    let recorded = copy.open().unwrap();
    let promises = find(&recorded, |r| {
        if let Record::PoLine(l) = r { (l.id == "28").then_some((l.promised_first, l.promised)) } else { None }
    });
    assert_eq!(promises, [(stamp("2026-08-19 12:00:00"), stamp("2026-08-19 12:00:00"))]);
}

#[test]
fn moves_between_warehouses_are_transfers_and_inside_one_are_nothing() {
    let copy = Copy::new();
    let warehouses = rows("stock.warehouse");
    let shelf = |at: usize| warehouses[at]["lot_stock_id"].clone();
    let id_of = |at: usize| warehouses[at]["id"].to_string();
    let counts: Vec<String> =
        rows("stock.move").iter().filter(|r| r["name"] == "Cycle count").map(|r| r["id"].to_string()).take(2).collect();
    let transferred: i64 = counts[0].parse().unwrap();
    copy.edit("stock.move", |rows| {
        for row in rows.iter_mut().filter(|r| counts.contains(&r["id"].to_string())) {
            row["is_inventory"] = json!(false);
            row["location_id"] = shelf(0);
            row["location_dest_id"] = if row["id"] == transferred { shelf(1) } else { shelf(0) };
        }
    });
    let recorded = copy.open().unwrap();
    let moves = find(&recorded, |r| if let Record::Move(m) = r { counts.contains(&m.id).then(|| m.clone()) } else { None });
    assert!(moves.iter().any(|m| m.done_at.is_some()));
    for movement in moves {
        let ends = (movement.from.map(|l| l.to_string()), movement.to.map(|l| l.to_string()));
        assert_eq!((movement.id, movement.kind), (counts[0].clone(), MoveKind::Transfer));
        assert_eq!(ends, (Some(id_of(0)), Some(id_of(1))));
    }
}
