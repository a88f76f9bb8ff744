//! What belongs to which company: places, costs, and goods that go from one to the other.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{BUNDLED, World, row_of};
use reeve_domain::money::UnitPrice;
use reeve_domain::record::{Item, MoveKind, Record, RecordKind};
use reeve_ports::Source;

/// A receipt of the recording: `NOR/IN/00001` on line 28.
const RECEIPT: i64 = 139;
/// The transit location of no company, one of the first company's own, and a shelf of it.
const BORDER: i64 = 6;
const OWN_TRANSIT: i64 = 13;
const SHELF: i64 = 39;

/// The rows with the locations of these companies only.
fn rows(companies: &[i64]) -> BTreeMap<&'static str, Vec<Value>> {
    let mut rows = BUNDLED.clone();
    let locations = rows.get_mut("stock.location").unwrap();
    locations.retain(|row| row["company_id"] == false || companies.contains(&row["company_id"][0].as_i64().unwrap()));
    rows
}

/// What a move between two places means, where it follows from these order lines.
async fn meaning(companies: &[i64], ends: (i64, i64), purchase: bool, sale: bool) -> MoveKind {
    let mut world = World::new(&rows(companies), vec![], "USD");
    let mut row = row_of("stock.move", RECEIPT);
    (row["location_id"], row["location_dest_id"]) = (json!(ends.0), json!(ends.1));
    row["purchase_line_id"] = if purchase { row["purchase_line_id"].clone() } else { json!(false) };
    row["sale_line_id"] = if sale { json!(1) } else { json!(false) };
    world.put("stock.move", &row);
    world.read(5_000).await;
    match world.get(RecordKind::Move, &RECEIPT.to_string()) {
        Some(Record::Move(moved)) => moved.kind,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn goods_that_pass_the_border_between_companies_are_delivered_and_received() {
    use MoveKind::{CustomerReturn, Delivery, Receipt, SupplierReturn, Transfer};
    let (into, out) = ((BORDER, SHELF), (SHELF, BORDER));
    let (both, one): (&[i64], &[i64]) = (&[1, 2], &[1]);
    for (companies, ends, purchase, sale, expected) in [
        // Two companies: whatever passes it has left one and reached the other.
        (both, out, false, true, Delivery),
        (both, out, false, false, Delivery),
        (both, into, true, false, Receipt),
        (both, into, false, false, Transfer),
        (both, into, false, true, CustomerReturn),
        (both, out, true, false, SupplierReturn),
        // The other company is not read: what was bought and sold says it.
        (one, out, false, true, Delivery),
        (one, into, true, false, Receipt),
        (one, out, false, false, Transfer),
        (one, into, false, false, Transfer),
        // A company's own transit location is on the way between its own warehouses.
        (both, (SHELF, OWN_TRANSIT), false, true, Transfer),
        (both, (OWN_TRANSIT, SHELF), false, false, Transfer),
        // What fulfils a purchase line is its receipt, wherever it came by.
        (both, (OWN_TRANSIT, SHELF), true, false, Receipt),
    ] {
        let found = meaning(companies, ends, purchase, sale).await;
        assert_eq!(found, expected, "{companies:?} {ends:?} purchase {purchase} sale {sale}");
    }
}

#[tokio::test]
async fn a_place_says_whose_it_is() {
    let mut world = World::new(&BUNDLED, vec![], "USD");
    world.read(5_000).await;
    match world.get(RecordKind::Location, "3") {
        Some(Record::Location(location)) => {
            let told = (location.company.as_deref(), location.company_name.as_str());
            assert_eq!(told, (Some("1"), "My Company (San Francisco)"));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn each_company_has_its_own_cost_in_the_configured_currency() {
    let mut rows = BUNDLED.clone();
    let (dollar, euro) = (rows["res.company"][0]["currency_id"][0].as_i64().unwrap(), 99);
    rows.get_mut("res.company").unwrap().push(json!({"id": 9, "name": "Beta", "currency_id": euro, "parent_id": false}));
    rows.get_mut("res.currency").unwrap().push(json!({"id": euro, "name": "EUR"}));
    let mut world = World::new(&rows, vec![], "USD");
    world.costs(70, &json!([[1, 3.8], [9, 4.0]]));
    world.read(5_000).await;
    let item = |world: &World| -> Item {
        match world.get(RecordKind::Item, "70") {
            Some(Record::Item(item)) => item.clone(),
            other => panic!("{other:?}"),
        }
    };
    // Without a rate the amount has no value, and that is what is said.
    assert_eq!(item(&world).costs, BTreeMap::from([("1".to_owned(), UnitPrice::from_erp(3.8).unwrap())]));
    let gaps = world.source.gaps().await.unwrap();
    let missed = gaps.iter().find(|gap| gap.what == "product.product.id").expect("the rate is missed");
    assert!(missed.why.contains("no rate") && missed.costs.contains("without a value"), "{missed:?}");
    let rate = json!({"id": 1, "name": "2026-01-01", "rate": 1.25, "currency_id": dollar, "company_id": 9});
    world.put("res.currency.rate", &rate);
    world.read(5_000).await;
    assert_eq!(item(&world).cost_in(Some("9")), UnitPrice::from_erp(5.0));
    assert_eq!(item(&world).cost_in(Some("1")), UnitPrice::from_erp(3.8));
    assert!(!world.source.gaps().await.unwrap().iter().any(|gap| gap.why.contains("no rate")));
    // A cost that changes is news of the item.
    world.costs(70, &json!([[1, 3.8], [9, 6.0]]));
    let told = world.read(5_000).await;
    assert!(
        matches!(told.as_slice(), [Record::Item(item)] if item.cost_in(Some("9")) == UnitPrice::from_erp(7.5)),
        "{told:?}"
    );
}
