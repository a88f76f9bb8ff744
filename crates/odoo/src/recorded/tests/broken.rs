//! Copies that are cut off, damaged or of another shape: each is refused in words that name the place.

use super::*;

/// Breaks one row and gives the message.
fn broken_row(model: &str, change: impl FnOnce(&mut Value)) -> String {
    let copy = Copy::new();
    copy.edit(model, |rows| change(&mut rows[1]));
    copy.refused()
}

fn assert_says(message: &str, parts: &[&str]) {
    for part in parts {
        assert!(message.contains(part), "{part:?} is not in: {message}");
    }
}

#[test]
fn a_missing_file_is_named_with_the_remedy() {
    let copy = Copy::new();
    std::fs::remove_file(copy.path("stock.move")).unwrap();
    assert_says(&copy.refused(), &["stock.move.json.gz is missing", "incomplete", "copy the whole folder again"]);
}

#[test]
fn a_cut_off_file_is_refused() {
    let copy = Copy::new();
    let whole = std::fs::read(copy.path("stock.move")).unwrap();
    for length in [whole.len() / 2, whole.len() - 4, 0] {
        std::fs::write(copy.path("stock.move"), &whole[..length]).unwrap();
        assert_says(&copy.refused(), &["stock.move.json.gz is cut off or damaged", "copy it again"]);
    }
}

#[test]
fn a_damaged_checksum_is_noticed() {
    let copy = Copy::new();
    let mut whole = std::fs::read(copy.path("stock.scrap")).unwrap();
    let at = whole.len() - 6;
    whole[at] ^= 0xff;
    std::fs::write(copy.path("stock.scrap"), whole).unwrap();
    assert_says(&copy.refused(), &["stock.scrap.json.gz is cut off or damaged"]);
}

#[test]
fn malformed_json_is_refused_with_its_place() {
    let copy = Copy::new();
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\",\n \"fields\": [\"id\", }");
    assert_says(&copy.refused(), &["uom.uom.json.gz, line 2, column 19: not the JSON", "(expected value)"]);
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\", \"fields\": [\"id\"");
    assert_says(&copy.refused(), &["uom.uom.json.gz is cut off"]);
}

#[test]
fn a_file_of_another_model_or_shape_is_refused() {
    let copy = Copy::new();
    copy.edit_file("uom.uom", |file| file["model"] = json!("uom.category"));
    assert_says(&copy.refused(), &["uom.uom.json.gz: it holds the model `uom.category`"]);
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\", \"rows\": []}");
    assert_says(&copy.refused(), &["uom.uom.json.gz", "`fields` is missing or stands after `rows`"]);
    pack(&copy.path("uom.uom"), "{\"model\": \"uom.uom\"}");
    assert_says(&copy.refused(), &["it has no `rows`"]);
    pack(&copy.path("uom.uom"), "[]");
    assert_says(&copy.refused(), &["uom.uom.json.gz, line 1", "an object with model, fields and rows"]);
}

#[test]
fn a_field_that_was_not_recorded_is_named() {
    let copy = Copy::new();
    copy.edit_file("sale.order", |file| file["fields"].as_array_mut().unwrap().retain(|f| f != "date_order"));
    assert_says(&copy.refused(), &["sale.order.json.gz", "`date_order` is needed", "record `sale.order` again"]);
}

#[test]
fn a_row_without_a_needed_field_is_named() {
    let message = broken_row("sale.order", |row| {
        row.as_object_mut().unwrap().remove("date_order");
    });
    assert_says(&message, &["sale.order.json.gz, row 2", "`date_order`", "a value in every row"]);
}

#[test]
fn a_field_outside_the_header_is_named() {
    let message = broken_row("sale.order", |row| row["x_margin"] = json!(3));
    assert_says(&message, &["sale.order.json.gz, row 2", "`x_margin`", "only fields of the file's list", "found 3"]);
}

#[test]
fn a_value_of_the_wrong_type_is_named() {
    let message = broken_row("stock.move", |row| row["quantity"] = json!("many"));
    assert_says(&message, &["stock.move.json.gz, row 2 (id 80), field `quantity`", "expected a number", "found \"many\""]);
    let message = broken_row("stock.move", |row| row["product_id"] = json!(null));
    assert_says(&message, &["row 2 (id 80), field `product_id`", "a reference [id, name]", "found null"]);
}

#[test]
fn a_negative_price_or_quantity_is_refused() {
    let message = broken_row("purchase.order.line", |row| row["price_unit"] = json!(-3.8));
    assert_says(&message, &["purchase.order.line.json.gz, row 2", "`price_unit`", "a price of zero or more", "found -3.8"]);
    let message = broken_row("stock.move", |row| row["quantity"] = json!(-1.0));
    assert_says(&message, &["stock.move.json.gz", "a quantity of zero or more", "correct it in Odoo"]);
}

#[test]
fn an_unknown_unit_is_refused() {
    let message = broken_row("sale.order.line", |row| row["product_uom"] = json!([77, "Bushel"]));
    assert_says(&message, &["sale.order.line.json.gz, row 2", "`product_uom`", "a recorded `uom.uom`", "found 77"]);
}

#[test]
fn a_unit_of_another_category_is_refused() {
    let copy = Copy::new();
    add_unit(&copy, 77, "kg", 2, 1.0);
    copy.edit("sale.order.line", |rows| rows[1]["product_uom"] = json!([77, "kg"]));
    assert_says(&copy.refused(), &["`product_uom`", "converts to the product's stock unit `Units`", "found \"kg\""]);
}

#[test]
fn a_time_in_another_form_is_refused() {
    for time in ["2026-08-03T11:20:00", "2026-08-03 11:20:00+09:00", "03/08/2026", "2026-08-32 11:20:00"] {
        let message = broken_row("sale.order", |row| row["date_order"] = json!(time));
        assert_says(
            &message,
            &["sale.order.json.gz, row 2", "`date_order`", "`YYYY-MM-DD HH:MM:SS`, without an offset", time],
        );
    }
}

#[test]
fn a_reference_to_what_was_not_recorded_is_refused() {
    for (model, field, target) in [
        ("sale.order.line", "order_id", "sale.order"),
        ("purchase.order.line", "order_id", "purchase.order"),
        ("account.move.line", "move_id", "account.move"),
        ("account.move.line", "purchase_line_id", "purchase.order.line"),
        ("stock.move", "product_id", "product.product"),
        ("stock.move", "location_id", "stock.location"),
        ("stock.move", "picking_id", "stock.picking"),
        ("stock.move", "sale_line_id", "sale.order.line"),
        ("product.supplierinfo", "partner_id", "res.partner"),
    ] {
        let message = broken_row(model, |row| row[field] = json!([999_999, "Gone"]));
        assert_says(&message, &[model, "row 2", field, &format!("a recorded `{target}`"), "999999", "record both"]);
    }
}

#[test]
fn a_repeated_id_is_refused() {
    let message = broken_row("stock.move", |row| row["id"] = json!(79));
    assert_says(&message, &["stock.move.json.gz, row 2 (id 79), field `id`", "no earlier row"]);
}

#[test]
fn another_currency_than_the_configured_one_is_refused() {
    let error = Recorded::open(&folder(), "EUR").expect_err("the company keeps its books in dollars").to_string();
    assert_says(&error, &["the company's currency is USD", "says EUR", "set `money.currency` to \"USD\""]);
}
