//! Ways on which goods come for a purchase line, as Odoo writes them: purchase line 28 (192 of item 70, received by move 139 into
//! Northgate DC) of the bundled recording, written otherwise.

use super::*;
use reeve_domain::book::Book;
use reeve_domain::calendar::Calendar;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;

const LINE: &str = "28";

fn book(copy: &Copy) -> Book {
    let recorded = copy.open().unwrap_or_else(|error| panic!("{error}"));
    let at = recorded.feed.last().unwrap().changed_at;
    let newest: BTreeMap<_, _> = recorded.feed.iter().map(|o| (o.record.key(), o.record.clone())).collect();
    Book::new(at, Calendar::utc(), newest.into_values())
}

fn change(copy: &Copy, model: &str, id: i64, fields: &Value) {
    copy.edit(model, |rows| {
        let row = rows.iter_mut().find(|row| row["id"] == id).unwrap();
        for (field, value) in fields.as_object().unwrap() {
            row[field] = value.clone();
        }
    });
}

/// The receipt becomes one of two components: two of item 71 and one of item 72 make one of item 70.
fn as_components(copy: &Copy, first: [f64; 2], second: [f64; 2]) {
    copy.edit("stock.move", |rows| {
        let at = rows.iter().position(|row| row["id"] == 139).unwrap();
        for (id, item, [asked, came]) in [(139, 71, first), (90_001, 72, second)] {
            let mut row = rows[at].clone();
            row["id"] = json!(id);
            row["product_id"] = json!([item, "a component"]);
            row["bom_line_id"] = json!([7, "a line of the recipe"]);
            row["product_uom_qty"] = json!(asked);
            row["quantity"] = json!(came);
            if id == 139 { rows[at] = row } else { rows.push(row) }
        }
    });
}

fn stock_location(copy: &Copy, id: i64, usage: &str, warehouse: Value) {
    copy.edit("stock.location", |rows| {
        let mut row = rows[0].clone();
        row["id"] = json!(id);
        row["usage"] = json!(usage);
        row["warehouse_id"] = warehouse;
        rows.push(row);
    });
}

/// Name, what is changed, ordered and received of the line, and how many more of item 70 Northgate DC has than before.
type Way = (&'static str, fn(&Copy), [i64; 2], i64);

const WAYS: &[Way] = &[
    ("from the supplier", |_| {}, [192, 192], 0),
    (
        "ordered by the dozen",
        |c| {
            add_unit(c, 77, "Dozen", 1, 1.0 / 12.0);
            change(c, "purchase.order.line", 28, &json!({"product_uom": [77, "Dozen"], "product_qty": 16.0}));
        },
        [192, 192],
        0,
    ),
    (
        "out of transit, from a sister company",
        |c| change(c, "stock.move", 139, &json!({"location_id": [6, "Transit"]})),
        [192, 192],
        0,
    ),
    (
        "from a subcontractor's location",
        |c| {
            stock_location(c, 90, "internal", json!(false));
            change(c, "stock.move", 139, &json!({"location_id": [90, "Subcontracting"]}));
        },
        [192, 192],
        0,
    ),
    ("from production", |c| change(c, "stock.move", 139, &json!({"location_id": [15, "Production"]})), [192, 192], 0),
    ("straight into scrap", |c| change(c, "stock.move", 139, &json!({"location_dest_id": [16, "Scrap"]})), [192, 192], -192),
    (
        "into the entrance of two steps",
        |c| change(c, "stock.move", 139, &json!({"location_dest_id": [40, "NOR/Input"]})),
        [192, 192],
        0,
    ),
    (
        "straight to a customer",
        |c| {
            change(c, "stock.picking.type", 23, &json!({"code": "dropship", "warehouse_id": false}));
            change(c, "stock.move", 139, &json!({"location_dest_id": [5, "Customers"]}));
        },
        [192, 192],
        -192,
    ),
    (
        "straight to a customer and back to the supplier",
        |c| {
            change(c, "stock.picking.type", 23, &json!({"code": "dropship", "warehouse_id": false}));
            change(c, "stock.move", 139, &json!({"location_dest_id": [5, "Customers"]}));
            c.edit("stock.move", |rows| {
                let mut back = rows.iter().find(|row| row["id"] == 139).unwrap().clone();
                back["id"] = json!(90_001);
                back["location_id"] = json!([5, "Customers"]);
                back["location_dest_id"] = json!([4, "Vendors"]);
                back["origin_returned_move_id"] = json!([139, "x"]);
                back["to_refund"] = json!(true);
                rows.push(back);
            });
        },
        [192, 0],
        -192,
    ),
    (
        "back to a sister company",
        |c| {
            change(c, "stock.move", 139, &json!({"location_id": [6, "Transit"]}));
            c.edit("stock.move", |rows| {
                let mut back = rows.iter().find(|row| row["id"] == 139).unwrap().clone();
                back["id"] = json!(90_001);
                back["location_id"] = json!([39, "NOR/Stock"]);
                back["location_dest_id"] = json!([6, "Transit"]);
                back["origin_returned_move_id"] = json!([139, "x"]);
                back["quantity"] = json!(12.0);
                rows.push(back);
            });
        },
        [192, 180],
        -12,
    ),
    (
        "a line that sends goods back",
        |c| {
            change(c, "purchase.order.line", 28, &json!({"product_qty": -192.0}));
            change(c, "stock.move", 139, &json!({"location_id": [39, "NOR/Stock"], "location_dest_id": [4, "Vendors"]}));
        },
        [-192, -192],
        -384,
    ),
    ("a kit of which stock is kept", |c| as_components(c, [384.0, 384.0], [192.0, 192.0]), [192, 192], -192),
    ("a kit, one component short", |c| as_components(c, [384.0, 200.0], [192.0, 192.0]), [192, 100], -192),
    (
        "a kit whose documents ask for what came only",
        |c| {
            as_components(c, [200.0, 200.0], [100.0, 100.0]);
            change(c, "purchase.order.line", 28, &json!({"qty_received": 100.0}));
        },
        [192, 100],
        -192,
    ),
    (
        "a kit of which no stock is kept",
        |c| {
            change(c, "purchase.order.line", 28, &json!({"product_id": [90, "a kit"]}));
            as_components(c, [384.0, 384.0], [192.0, 192.0]);
        },
        [192, 192],
        -192,
    ),
];

#[test]
fn goods_come_for_a_purchase_line_on_many_ways() {
    let place = (ItemId::new("70"), LocationId::new("3"));
    let usual = book(&Copy::new()).on_hand(&place.0, &place.1);
    let mut wrong = Vec::new();
    for (name, edit, [ordered, received], stock) in WAYS {
        let copy = Copy::new();
        edit(&copy);
        let book = book(&copy);
        let line = book.po_lines.get(LINE).unwrap_or_else(|| panic!("{name}: the line is not told"));
        let found = (line.qty, book.received(LINE), book.on_hand(&place.0, &place.1) - usual);
        let wanted = (Quantity::units(*ordered), Quantity::units(*received), Quantity::units(*stock));
        if found != wanted || !book.open_quantity(LINE).is_zero() {
            wrong.push(format!("{name}: {found:?}, wanted {wanted:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_kit_that_is_no_item_has_a_name_and_a_service_is_no_line() {
    let copy = Copy::new();
    change(&copy, "purchase.order.line", 28, &json!({"product_id": [90, "a kit"]}));
    change(&copy, "stock.move", 139, &json!({"purchase_line_id": false}));
    assert!(!book(&copy).po_lines.contains_key(LINE), "nothing comes for a service");
    change(&copy, "stock.move", 139, &json!({"purchase_line_id": [28, "x"]}));
    let book = book(&copy);
    let line = &book.po_lines[LINE];
    assert!(book.is_kit(LINE) && !book.items.contains_key(&line.item));
    assert_eq!(book.item_label(&line.item), "10% on Glass food jar 1.5 l");
}

#[test]
fn a_down_payment_orders_nothing() {
    let copy = Copy::new();
    change(&copy, "stock.move", 139, &json!({"purchase_line_id": false}));
    let down = json!({"product_id": false, "product_uom": false, "is_downpayment": true});
    change(&copy, "purchase.order.line", 28, &down);
    assert!(!book(&copy).po_lines.contains_key(LINE));
}

#[test]
fn what_is_on_consignment_names_its_owner_and_a_return_says_whether_it_is_to_be_replaced() {
    let copy = Copy::new();
    change(&copy, "stock.picking", 21, &json!({"owner_id": [44, "Lindqvist Stationery"]}));
    copy.edit("stock.move", |rows| {
        for (id, refund) in [(90_001, false), (90_002, true)] {
            let mut back = rows.iter().find(|row| row["id"] == 139).unwrap().clone();
            back["id"] = json!(id);
            back["location_id"] = json!([39, "NOR/Stock"]);
            back["location_dest_id"] = json!([4, "Vendors"]);
            back["origin_returned_move_id"] = json!([139, "x"]);
            back["to_refund"] = json!(refund);
            back["quantity"] = json!(12.0);
            rows.push(back);
        }
    });
    let book = book(&copy);
    let moved = |id: &str| book.find_move(id).unwrap();
    assert_eq!(moved("139").owner.as_deref(), Some("44"));
    assert!(moved("90001").to_replace && !moved("90002").to_replace && !moved("139").to_replace);
    // Twelve are owed in goods, twelve in money.
    let line = &book.po_lines[LINE];
    let figures = [book.received(LINE), book.away(LINE), book.billable(line)].map(|q| q.to_string());
    assert_eq!(figures, ["168", "24", "180"]);
}

#[test]
fn a_plan_for_components_is_not_of_the_kit() {
    let copy = Copy::new();
    as_components(&copy, [384.0, 0.0], [192.0, 0.0]);
    copy.edit("stock.move", |rows| {
        for row in rows.iter_mut().filter(|row| row["id"] == 139 || row["id"] == 90_001) {
            row["state"] = json!("assigned");
        }
    });
    let book = book(&copy);
    assert_eq!(book.open_quantity(LINE), Quantity::units(192));
    let coming = |item: &str| -> Quantity {
        let lines = book.incoming(&ItemId::new(item), &LocationId::new("3")).into_iter();
        lines.filter(|i| i.po_line == LINE).map(|i| i.qty).sum()
    };
    assert_eq!(["70", "71", "72"].map(|item| coming(item).to_string()), ["0", "384", "192"]);
}
