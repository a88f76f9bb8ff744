//! Hostile and odd shapes of events (docs/SHAPES.md, "Events"): each with the lines it comes to, or why it is kept out.

use serde_json::{Value, json};

use super::super::*;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::money::{Money, Quantity, UnitPrice};
use crate::domain::notice::NoticeLine;
use crate::domain::packs::{ItemKeys, Pack, SupplierKeys};
use crate::domain::record::{Item, MoveKind, PurchaseLine, StockMove, Supplier, SupplierPrice};

fn now() -> Timestamp {
    "2026-10-05T09:00:00Z".parse().unwrap()
}

fn pack(name: &str, barcode: &str, qty: i64) -> Pack {
    Pack { name: name.into(), barcode: barcode.into(), qty: Quantity::units(qty) }
}

fn item(id: &str, sku: &str, unit: &str, barcode: &str, packs: &[Pack]) -> Record {
    let archived = sku == "OLD" && id == "40";
    Record::Item(Item {
        id: ItemId::new(id),
        sku: sku.into(),
        name: format!("Thing {id}"),
        category: String::new(),
        unit: unit.into(),
        cost: None,
        list_price: None,
        sellable: !archived,
        delisted_at: archived.then(now),
        costs: std::collections::BTreeMap::new(),
        keys: ItemKeys { barcode: barcode.into(), packs: packs.to_vec() },
    })
}

fn ordered(id: &str, order: (&str, &str), (supplier, company): (&str, &str), item: &str, qty: i64) -> PurchaseLine {
    PurchaseLine {
        id: id.into(),
        order_id: order.0.into(),
        order_name: order.1.into(),
        supplier: SupplierId::new(supplier),
        item: ItemId::new(item),
        location: LocationId::new("3"),
        qty: Quantity::units(qty),
        price: Some(UnitPrice(2.into())),
        foreign: None,
        company: Some(company.into()),
        ordered_at: now(),
        promised_first: now(),
        promised: now(),
        confirmed: true,
        draft: false,
        pack: None,
        to_customer: false,
        kits_received: None,
        kit: None,
    }
}

fn called(supplier: &str, item: &str, code: &str, name: &str, pack: Option<Pack>) -> Record {
    Record::SupplierPrice(SupplierPrice {
        id: format!("{supplier}-{item}-{code}"),
        supplier: SupplierId::new(supplier),
        item: ItemId::new(item),
        price: None,
        foreign: None,
        company: None,
        min_qty: Quantity::ZERO,
        lead_days: 1,
        valid_from: None,
        valid_to: None,
        sequence: 1,
        keys: SupplierKeys { code: code.into(), name: name.into(), pack },
    })
}

fn received(line: &str, item: &str, qty: i64) -> Record {
    Record::Move(StockMove {
        id: format!("m{line}"),
        kind: MoveKind::Receipt,
        item: ItemId::new(item),
        from: None,
        to: Some(LocationId::new("3")),
        qty: Quantity::units(qty),
        created_at: "2026-10-01T00:00:00Z".parse().unwrap(),
        scheduled_at: None,
        done_at: Some("2026-10-02T10:00:00Z".parse().unwrap()),
        document: "IN/1".into(),
        document_id: None,
        origin: String::new(),
        po_line: Some(line.into()),
        sale_line: None,
        partner: None,
        deadline: None,
        returns: None,
        to_replace: false,
        asked: None,
        owner: None,
        entered_by: None,
        reason: String::new(),
    })
}

const CASE_OF_12: &str = "14006381333938";

fn world() -> Vec<Record> {
    let supplier = |id: &str, name: &str| Record::Supplier(Supplier { id: SupplierId::new(id), name: name.into() });
    let line = Record::PoLine;
    let mine = ("9", "1");
    let two = ("51", "P00051");
    vec![
        supplier("9", "Verde Imports"),
        supplier("12", "Homestead"),
        // Named like another one.
        supplier("13", "Homestead"),
        item("10", "AC-010", "Units", "4006381333931", &[pack("Carton 12", "50000000000012", 12), pack("Pallet", "", 480)]),
        item("11", "AC-011", "Units", "036000291452", &[]),
        item("12", "AC-012", "kg", "", &[]),
        // Two with one SKU and one barcode, kept in different units; below, two more of which one is archived, though
        // ordered.
        item("13", "TWIN", "Units", "2000000000015", &[pack("Box", "", 6), pack("Case", "", 24)]),
        item("14", "TWIN", "Dozens", "2000000000015", &[]),
        item("40", "OLD", "Units", "", &[]),
        item("41", "OLD", "Units", "", &[]),
        // Our SKU of it is what a supplier calls another item.
        item("50", "V-77", "Pack of 6", "", &[]),
        called("9", "11", "V-77", "Tea towel, linen", Some(pack("Karton", "", 20))),
        called("12", "10", "V-77", "", None),
        called("9", "13", "", "", Some(pack("Dozens", "", 12))),
        // Two lines of one item and one quantity: nothing but the order in which they stand tells them apart.
        line(ordered("100", two, mine, "11", 60)),
        line(ordered("101", two, mine, "11", 60)),
        line(ordered("102", two, mine, "10", 24)),
        line(ordered("103", two, mine, "12", 5)),
        line(ordered("104", two, mine, "13", 48)),
        line(ordered("105", two, mine, "40", 7)),
        line(ordered("106", two, mine, "50", 3)),
        // Ordered in cases that hold another number than the item's own case.
        line(PurchaseLine { pack: Some(pack("Case", "", 10)), ..ordered("110", ("52", "P00052"), mine, "13", 50) }),
        // Two companies, and two suppliers, number alike.
        line(ordered("200", ("85", "P00085"), mine, "10", 90)),
        line(ordered("201", ("85", "P00085"), mine, "12", 48)),
        line(ordered("300", ("88", "P00085"), ("12", "2"), "11", 96)),
        // Cancelled; still a draft; and all of it here already.
        line(PurchaseLine { confirmed: false, ..ordered("400", ("90", "P00090"), mine, "10", 5) }),
        line(PurchaseLine { confirmed: false, draft: true, ..ordered("410", ("91", "P00091"), mine, "10", 5) }),
        line(ordered("420", ("92", "P00092"), mine, "10", 5)),
        received("420", "10", 5),
    ]
}

fn heard(kind: &str, data: &Value, speaks_for: Option<&str>) -> Result<Vec<NoticeContent>, Fault> {
    let (known, supplier) = (Known::of(world()), speaks_for.map(SupplierId::new));
    let against = Against { known: &known, supplier: supplier.as_ref(), currency: "USD", received_at: now() };
    let body = json!({ "type": kind, "timestamp": "2026-10-05T08:30:00Z", "data": data }).to_string();
    meaning(&read(&body)?, &against)
}

/// `line:quantity` of each line, with the item where it is on none of ours.
fn shown(contents: &[NoticeContent]) -> String {
    let line = |l: &NoticeLine| {
        let item = || l.item.as_ref().map_or_else(|| "charge".to_owned(), |i| format!("item {i}"));
        let qty = l.qty.map_or_else(|| "all".to_owned(), |q| q.to_string());
        format!("{}:{qty}", l.po_line.clone().unwrap_or_else(item))
    };
    match &contents[0] {
        NoticeContent::SupplierDelay { lines, .. }
        | NoticeContent::OrderConfirmation { lines }
        | NoticeContent::ShipNotice { lines, .. }
        | NoticeContent::ReceiptAdvice { lines, .. }
        | NoticeContent::Invoice { lines, .. }
        | NoticeContent::CreditNote { lines, .. } => lines.iter().map(line).collect::<Vec<_>>().join(" "),
        NoticeContent::ChannelStock { item, published, .. } => format!("item {item}:{published}"),
        other => panic!("{other:?}"),
    }
}

/// Holds an event against what it must come to: lines, or with `!` before it a part of the reason.
fn check(name: &str, kind: &str, data: &Value, speaks_for: Option<&str>, wanted: &str) {
    let outcome = heard(kind, data, speaks_for);
    match (wanted.strip_prefix('!'), &outcome) {
        (Some(part), Err(fault)) => assert!(fault.reason().contains(part), "{name}: {}", fault.reason()),
        (None, Ok(contents)) => assert_eq!(shown(contents), wanted, "{name}"),
        _ => panic!("{name}: {outcome:?} instead of {wanted}"),
    }
}

fn goods(order: &str, lines: &Value) -> Value {
    json!({ "shipment": "S1", "shipped_on": "2026-10-04", "order": order, "lines": lines })
}

#[test]
fn orders_are_told_apart_by_more_than_their_name() {
    let delay = |more: Value| {
        let mut data = json!({ "order": "P00085", "new_date": "2026-10-20" });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        data
    };
    let both =
        "!data.order: order P00085 may be P00085 of Verde Imports (supplier 9), company 1, order_id 85; P00085 of Homestead";
    for (name, more, speaks_for, wanted) in [
        ("a name alone", json!({}), None, both),
        ("the hook of one", json!({}), Some("12"), "300:all"),
        ("the hook of the other", json!({}), Some("9"), "200:all 201:all"),
        ("the hook of neither", json!({}), Some("13"), "!order P00085 is of another supplier than 13"),
        ("the supplier by id", json!({ "supplier": 12 }), None, "300:all"),
        ("the supplier by name", json!({ "supplier": "verde imports" }), None, "200:all 201:all"),
        (
            "a name that two suppliers bear",
            json!({ "supplier": "Homestead" }),
            None,
            "!data.supplier: supplier Homestead may be",
        ),
        (
            "a supplier that has none",
            json!({ "supplier": 13 }),
            None,
            "!there is no order P00085 of Homestead (supplier 13) (yet), only",
        ),
        ("a name of its own at its own hook", json!({ "supplier": "HOMESTEAD LTD" }), Some("12"), "300:all"),
        ("the company", json!({ "company": 2 }), None, "300:all"),
        ("no such company", json!({ "company": "7" }), None, "!there is no order P00085 of company 7 (yet)"),
        ("our id", json!({ "order_id": 88 }), None, "300:all"),
        ("our id of another", json!({ "order_id": 51 }), None, "!order_id 51 is P00051, not P00085"),
        ("an item of one", json!({ "lines": [{ "sku": "AC-012" }] }), None, "201:all"),
        ("items of both", json!({ "lines": [{ "sku": "AC-012" }, { "sku": "AC-011" }] }), None, "!may be P00085 of"),
        ("a line of one", json!({ "lines": [{ "line": 300 }] }), None, "300:all"),
        ("an item of neither", json!({ "lines": [{ "sku": "OLD" }] }), None, "!may be P00085 of"),
    ] {
        check(name, "supplier.delay.v1", &delay(more), speaks_for, wanted);
    }
    let by_line = json!({ "new_date": "2026-10-20", "lines": [{ "line": 300, "sku": "AC-011" }] });
    check("a line and its item without an order", "supplier.delay.v1", &by_line, None, "300:all");
    let counter = json!({ "new_date": "2026-10-20", "lines": [{ "line": 300 }] });
    check("a number without anything", "supplier.delay.v1", &counter, None, "!order: missing");
    check("the same of another supplier", "supplier.delay.v1", &counter, Some("9"), "!of another supplier than 9");
}

#[test]
fn orders_that_nothing_can_be_said_of_say_so() {
    for (order, wanted) in [
        ("P00090", "!order P00090 is cancelled"),
        ("P00091", "!order P00091 is still a draft"),
        ("P00092", "!all of it on order P00092 came before this was said (last on 2026-10-02)"),
    ] {
        check(order, "supplier.delay.v1", &json!({ "order": order, "new_date": "2026-10-20" }), None, wanted);
    }
    check(
        "shipped though cancelled",
        "ship.notice.v1",
        &goods("P00090", &json!([{ "sku": "AC-010", "qty": 5 }])),
        None,
        "!cancelled",
    );
}

#[test]
fn each_line_of_ours_is_used_once_and_sums_are_spread() {
    for (name, lines, wanted) in [
        ("two of one quantity", json!([{ "sku": "AC-011", "qty": 60 }, { "sku": "AC-011", "qty": 60 }]), "100:60 101:60"),
        ("their sum", json!([{ "sku": "AC-011", "qty": 120 }]), "100:60 101:60"),
        (
            "three for two",
            json!([{ "sku": "AC-011", "qty": 40 }, { "sku": "AC-011", "qty": 40 }, { "sku": "AC-011", "qty": 40 }]),
            "100:40 100:20 101:20 101:40",
        ),
        ("a part", json!([{ "sku": "AC-011", "qty": 70 }]), "100:60 101:10"),
        ("too many", json!([{ "sku": "AC-011", "qty": 130 }]), "100:60 101:70"),
        ("several for one", json!([{ "sku": "AC-010", "qty": 10 }, { "sku": "AC-010", "qty": 14 }]), "102:10 102:14"),
        ("by our id", json!([{ "line": 101, "qty": 60 }, { "sku": "AC-011", "qty": 60 }]), "101:60 100:60"),
        ("by place", json!([{ "line": 2, "sku": "AC-011", "qty": 50 }]), "101:50"),
        ("a counter of packages", json!([{ "line": 1, "sku": "AC-012", "qty": 5 }]), "103:5"),
        (
            "one that is not on the order",
            json!([{ "sku": "AC-011", "qty": 60 }, { "item_id": 41, "qty": 2 }]),
            "100:60 item 41:2",
        ),
        (
            "only what is not on the order",
            json!([{ "item_id": 41, "qty": 2 }]),
            "!none of them is on the order that is named",
        ),
        (
            "one of two unknown",
            json!([{ "sku": "AC-011", "qty": 60 }, { "sku": "NEW", "qty": 2 }]),
            "!data.lines[1]: item NEW is not known (yet); P00051 has",
        ),
        ("one of zero", json!([{ "sku": "AC-011", "qty": 60 }, { "sku": "AC-010", "qty": 0 }]), "100:60"),
        ("all of zero", json!([{ "sku": "AC-011", "qty": 0 }]), "!nothing of any line is shipped"),
        (
            "less than can be counted",
            json!([{ "sku": "AC-011", "qty": 0.004 }]),
            "!0.004 is less than can be counted in Units",
        ),
        ("grams of what is weighed", json!([{ "sku": "AC-012", "qty": 4, "unit": "GRM" }]), "103:0.004"),
        ("below zero", json!([{ "sku": "AC-011", "qty": -3 }]), "!-3 is below zero"),
    ] {
        check(name, "ship.notice.v1", &goods("P00051", &lines), None, wanted);
    }
    let delay = |lines: Value| json!({ "order": "P00051", "new_date": "2026-10-20", "lines": lines });
    let twice = json!([{ "sku": "AC-011", "date": "2026-10-21" }, { "sku": "AC-011" }, { "sku": "AC-011" }]);
    for (name, lines, wanted) in [
        ("an item is all its lines", json!([{ "sku": "AC-011" }]), "100:all 101:all"),
        ("named twice, for two", json!([{ "sku": "AC-011" }, { "sku": "AC-011" }]), "100:all 101:all"),
        ("named thrice, for two", twice, "!may be any of several lines of its item"),
        ("not on the order", json!([{ "item_id": 41 }]), "!item OLD Thing 41 is not on the order (yet); P00051 has"),
        ("nothing late", json!([{ "sku": "AC-011", "qty": 0 }]), "!nothing of any line is late"),
    ] {
        check(name, "supplier.delay.v1", &delay(lines), None, wanted);
    }
    let none = json!({ "order": "P00051", "lines": [{ "sku": "AC-010", "qty": 0 }] });
    check("a line that will not come", "order.confirmation.v1", &none, None, "102:0");
}

#[test]
fn items_are_found_by_every_code_or_their_candidates_are_named() {
    for (name, line, wanted) in [
        ("GTIN-13", json!({ "gtin": "4006381333931" }), "102:6"),
        ("GTIN-14 of the piece", json!({ "gtin": "04006381333931" }), "102:6"),
        ("UPC as EAN", json!({ "gtin": "0036000291452" }), "100:6"),
        ("UPC as a number", json!({ "gtin": 36_000_291_452_u64 }), "100:6"),
        ("with its identifier", json!({ "gtin": "(01) 0003 6000 2914 52" }), "100:6"),
        ("a GTIN as SKU", json!({ "sku": "4006381333931" }), "102:6"),
        ("a case's barcode", json!({ "gtin": "50000000000012", "qty": 2 }), "102:24"),
        ("a case we do not know", json!({ "gtin": CASE_OF_12 }), "!it names a package of AC-010 Thing 10"),
        (
            "and the item beside it",
            json!({ "gtin": CASE_OF_12, "sku": "AC-010" }),
            "!is not known (it has Carton 12 of 12, Pallet of 480)",
        ),
        (
            "and what it holds",
            json!({ "gtin": CASE_OF_12, "sku": "AC-010", "unit": "CS", "pack_qty": 12, "qty": 2 }),
            "102:24",
        ),
        ("a wrong check digit", json!({ "gtin": "4006381333932" }), "!its check digit is wrong"),
        ("the supplier's code", json!({ "supplier_code": "v-77" }), "100:6"),
        ("the supplier's code as ours, which another item has", json!({ "sku": "V-77" }), "106:6"),
        ("the supplier's name", json!({ "description": "tea towel, LINEN" }), "100:6"),
        ("other words", json!({ "description": "towels" }), "!item towels is not known"),
        ("a barcode of two, one on the order", json!({ "gtin": "2000000000015" }), "104:6"),
        ("an SKU of two, one on the order", json!({ "sku": "TWIN" }), "104:6"),
        ("an archived one on the order", json!({ "sku": "OLD" }), "105:6"),
        ("two codes, two items", json!({ "sku": "AC-010", "gtin": "036000291452" }), "!sku and gtin name different items"),
        ("one of two codes unknown", json!({ "sku": "AC-010", "supplier_code": "?" }), "102:6"),
    ] {
        let mut line = line;
        line.as_object_mut().unwrap().entry("qty").or_insert(json!(6));
        check(name, "ship.notice.v1", &goods("P00051", &json!([line])), None, wanted);
    }
    let offered = |item: Value| json!({ "channel": "Web", "items": [item] });
    for (name, item, wanted) in [
        (
            "of two",
            json!({ "sku": "TWIN", "published": 1 }),
            "!item TWIN may be TWIN Thing 13 (item 13); TWIN Thing 14 (item 14)",
        ),
        ("of two, one archived", json!({ "sku": "OLD", "published": 1 }), "item 41:1"),
        ("by the case", json!({ "gtin": "50000000000012", "published": 2 }), "item 10:24"),
    ] {
        check(name, "channel.stock.v1", &offered(item), None, wanted);
    }
}

#[test]
fn units_convert_or_say_what_is_missing() {
    for (name, order, line, wanted) in [
        ("pieces", "P00051", json!({ "sku": "AC-011", "qty": 60, "unit": "EA" }), "100:60"),
        ("dozens", "P00051", json!({ "sku": "AC-011", "qty": 5, "unit": "DZN" }), "100:60"),
        ("our own word", "P00051", json!({ "sku": "AC-011", "qty": 60, "unit": "units" }), "100:60"),
        ("kilograms", "P00051", json!({ "sku": "AC-012", "qty": 5, "unit": "KGM" }), "103:5"),
        ("pounds", "P00051", json!({ "sku": "AC-012", "qty": 10, "unit": "LBR" }), "103:4.5359"),
        (
            "pieces of what is weighed",
            "P00051",
            json!({ "sku": "AC-012", "qty": 5, "unit": "EA" }),
            "!how many kg of AC-012 Thing 12 one EA is, is not known",
        ),
        ("cases as they are kept", "P00051", json!({ "sku": "AC-010", "qty": 2, "unit": "CS" }), "102:24"),
        ("the same by its code of 21", "P00051", json!({ "sku": "AC-010", "qty": 2, "unit": "XCT" }), "102:24"),
        ("a pallet", "P00051", json!({ "sku": "AC-010", "qty": 1, "unit": "PF" }), "102:480"),
        ("by our name of it", "P00051", json!({ "sku": "AC-010", "qty": 2, "unit": "carton 12" }), "102:24"),
        ("as the supplier sells it", "P00051", json!({ "sku": "AC-011", "qty": 3, "unit": "CT" }), "100:60"),
        (
            "no pallet is known",
            "P00051",
            json!({ "sku": "AC-011", "qty": 3, "unit": "XPX" }),
            "!one XPX is, is not known (it has Karton of 20)",
        ),
        (
            "boxes and cases are one sort",
            "P00051",
            json!({ "sku": "TWIN", "qty": 2, "unit": "CS" }),
            "!one CS may be 6 Units; 24 Units",
        ),
        ("the sender settles it", "P00051", json!({ "sku": "TWIN", "qty": 2, "unit": "CS", "pack_qty": 24 }), "104:48"),
        ("as it was ordered", "P00052", json!({ "sku": "TWIN", "qty": 5, "unit": "CS" }), "110:50"),
        (
            "the sender says otherwise",
            "P00051",
            json!({ "sku": "AC-010", "qty": 2, "unit": "CS", "pack_qty": 10 }),
            "!one CS holds 12 Units here, but pack_qty says 10",
        ),
        (
            "pack_qty without unit",
            "P00051",
            json!({ "sku": "AC-010", "qty": 2, "pack_qty": 12 }),
            "!data.lines[0].unit: missing",
        ),
        (
            "a unit of nobody",
            "P00051",
            json!({ "sku": "AC-010", "qty": 2, "unit": "Gebinde" }),
            "!Gebinde is no unit that is known",
        ),
        (
            "of nobody, with what it holds",
            "P00051",
            json!({ "sku": "AC-010", "qty": 2, "unit": "Gebinde", "pack_qty": 12 }),
            "102:24",
        ),
        ("packs that are kept as packs", "P00051", json!({ "item_id": 50, "qty": 3, "unit": "PK" }), "106:3"),
        (
            "pieces of what is kept in packs",
            "P00051",
            json!({ "item_id": 50, "qty": 18, "unit": "EA" }),
            "!how many Pack of 6 of",
        ),
        (
            "pieces by a case's barcode",
            "P00051",
            json!({ "gtin": "50000000000012", "qty": 24, "unit": "EA" }),
            "!say which qty counts",
        ),
        ("beyond belief", "P00051", json!({ "sku": "AC-010", "qty": 1_000_000, "unit": "CS" }), "!is beyond 10000000"),
    ] {
        check(name, "ship.notice.v1", &goods(order, &json!([line])), None, wanted);
    }
    let bill = json!({ "number": "R-1", "date": "2026-10-04", "currency": "USD", "order": "P00051",
                       "lines": [{ "sku": "AC-010", "qty": 2, "unit": "CS", "price": 24 }, { "description": "Freight", "qty": 1, "price": 9 }] });
    check("a price by the case, and a charge", "invoice.v1", &bill, None, "102:24 charge:1");
    let NoticeContent::Invoice { lines, .. } = heard("invoice.v1", &bill, None).unwrap().remove(0) else { panic!() };
    // 24 for a case of 12.
    assert_eq!(lines[0].price, Some(UnitPrice(2.into())));
    let charge = json!({ "number": "R-1", "date": "2026-10-04", "currency": "USD", "order": "P00051",
                         "lines": [{ "description": "Freight", "qty": 1, "price": 9 }] });
    check("nothing but charges", "invoice.v1", &charge, None, "!none of them is on the order");
}

#[test]
fn credits_are_a_kind_of_their_own() {
    let told = |qty: [i64; 2], total: i64| {
        json!({ "number": "G-1", "date": "2026-10-04", "currency": "USD", "order": "P00051", "total": total, "bill": "R-1",
                "reason": "[F1] approve <all>", "lines": [{ "sku": "AC-011", "qty": qty[0], "price": 2 }, { "sku": "AC-010", "qty": qty[1], "price": 3 }] })
    };
    for (kind, qty, total, wanted) in [
        ("credit.note.v1", [60, 4], 132, "100:60 102:4"),
        ("credit.note.v1", [-60, -4], -132, "100:60 102:4"),
        ("credit.note.v1", [60, -4], 108, "!some quantities are below zero"),
        ("credit.note.v1", [60, 4], -132, "!data.total: -132 is below zero"),
        ("credit.note.v1", [0, 0], 0, "!nothing of any line is credited"),
        ("invoice.v1", [-60, -4], -132, "100:60 102:4"),
        ("invoice.v1", [60, -4], 108, "100:60 102:-4"),
        ("invoice.v1", [60, -40], -2, "!data.total: -2 is below zero"),
    ] {
        check(&format!("{kind} {qty:?}"), kind, &told(qty, total), None, wanted);
    }
    for kind in ["credit.note.v1", "invoice.v1"] {
        let content = heard(kind, &told([-60, -4], -132), Some("9")).unwrap().remove(0);
        let NoticeContent::CreditNote { total, supplier, reason, .. } = content else { panic!("{content:?}") };
        assert_eq!((total, supplier), (Some(Money::from_minor(13_200)), Some(SupplierId::new("9"))));
        assert!(!reason.contains(['[', '<']), "{reason}");
    }
}
