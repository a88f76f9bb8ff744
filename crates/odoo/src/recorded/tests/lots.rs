//! Lots of a recording, and what of them stood on the shelves when it was made.

use super::*;
use reeve_domain::record::{Lot, LotStock};

/// The recording with two lots of an item: one with a day on which it expires, of which some is on a shelf.
fn with_lots() -> Copy {
    let copy = Copy::new();
    copy.edit_file("stock.lot", |file| {
        file["fields"].as_array_mut().unwrap().push(json!("expiration_date"));
        let lot = |id: i64, expires: Value| {
            json!({"id": id, "name": format!("L{id}"), "product_id": [70, "Paper"], "create_date": "2026-10-20 08:00:00",
                "expiration_date": expires})
        };
        *file["rows"].as_array_mut().unwrap() = vec![lot(1, json!("2026-11-09 10:00:00")), lot(2, json!(false))];
    });
    copy.edit("stock.quant", |rows| {
        let quant = rows.iter_mut().find(|r| r["id"] == 70).unwrap();
        quant["lot_id"] = json!([1, "L1"]);
        let mut other = quant.clone();
        (other["id"], other["lot_id"], other["quantity"]) = (json!(90_001), json!(false), json!(4.0));
        rows.push(other);
    });
    copy
}

#[test]
fn lots_are_told_from_their_entry_and_what_is_on_the_shelf_from_its_last_change() {
    let recorded = with_lots().open().unwrap();
    let lots: Vec<(Timestamp, &Lot)> = recorded
        .feed
        .iter()
        .filter_map(|o| if let Record::Lot(lot) = &o.record { Some((o.changed_at, lot)) } else { None })
        .collect();
    assert_eq!(lots.len(), 2);
    assert_eq!(lots[0].0, stamp("2026-10-20 08:00:00"));
    assert_eq!((lots[0].1.expires_at, lots[1].1.expires_at), (Some(stamp("2026-11-09 10:00:00")), None));
    let stocks: Vec<(Timestamp, &LotStock)> = recorded
        .feed
        .iter()
        .filter_map(|o| if let Record::LotStock(stock) = &o.record { Some((o.changed_at, stock)) } else { None })
        .collect();
    let north = stocks.iter().find(|(_, stock)| stock.location.as_str() == "3").unwrap();
    assert_eq!(north.0, stamp("2026-10-31 15:30:00"));
    assert_eq!(north.1.lots.iter().map(|(lot, qty)| (lot.as_str(), qty.to_f64())).collect::<Vec<_>>(), [("1", 211.0)]);
    assert_eq!(north.1.without.to_string(), "4");
}

#[test]
fn a_recording_without_lots_is_the_one_that_it_was() {
    let copy = Copy::new();
    let before = copy.open().unwrap().hash;
    copy.edit("stock.quant", |rows| rows.truncate(1));
    assert_eq!(copy.open().unwrap().hash, before, "what nobody reads does not make it another");
    assert_ne!(with_lots().open().unwrap().hash, before);
}
