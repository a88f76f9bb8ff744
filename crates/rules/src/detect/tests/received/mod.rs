//! Shapes in which goods come on a purchase line and go back, each with what is said about it (docs/SHAPES.md, "Received").

mod doubled;
mod shapes;

use super::*;
use crate::assess::checks_of;
use crate::detect::matching;
use reeve_domain::exception::Subject;

/// Purchase line 1 asks Acme for 100 of item 1 at 8.00, promised five days ago.
fn ordered(shop: &mut Shop, qty: i64) -> &mut PurchaseLine {
    shop.order("1", qty, -20, -5)
}

fn came(shop: &mut Shop, qty: i64, day: i32) -> String {
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), qty, Some(day));
    m.po_line = Some("1".into());
    m.id.clone()
}

/// Goes back of the move `of`.
fn back(shop: &mut Shop, qty: i64, day: i32, of: &str, to_replace: bool) -> String {
    let m = shop.moved(MoveKind::SupplierReturn, Some("2"), None, qty, Some(day));
    (m.po_line, m.returns, m.to_replace) = (Some("1".into()), Some(of.into()), to_replace);
    m.id.clone()
}

/// Comes in the place of the return `of`.
fn replaced(shop: &mut Shop, qty: i64, day: i32, of: &str) {
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), qty, Some(day));
    (m.po_line, m.returns) = (Some("1".into()), Some(of.into()));
}

fn billed(shop: &mut Shop, bill: &str, qty: i64) {
    let line = records::bill_line(&shop.id(), "1");
    shop.records.push(Record::BillLine(BillLine {
        bill_id: bill.into(),
        bill_name: format!("BILL/{bill}"),
        reference: format!("INV-{bill}"),
        qty: Quantity::units(qty),
        ..line
    }));
}

/// A component of the kit on line 1.
fn component(shop: &mut Shop, item: &str, asked: i64, qty: i64, done: Option<i32>) {
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), qty, done);
    (m.item, m.po_line, m.asked) = (ItemId::new(item), Some("1".into()), Some(Quantity::units(asked)));
    m.document = "MKT/IN/1".into();
}

fn counted(shop: &mut Shop, qty: i64, day: i32) {
    // A count that agreed is booked too, with nothing.
    let (from, to) = if qty > 0 { (None, Some("2")) } else { (Some("2"), None) };
    shop.moved(MoveKind::Count, from, to, qty.abs(), Some(day));
}

#[test]
fn what_was_exchanged_and_billed_again_is_owed_back_at_the_orders_price() {
    let mut shop = Shop::new();
    ordered(&mut shop, 100);
    let first = came(&mut shop, 100, -5);
    let gone = back(&mut shop, 36, -4, &first, true);
    replaced(&mut shop, 36, -2, &gone);
    billed(&mut shop, "7", 100);
    billed(&mut shop, "8", 36);
    let signals = matching::signals(&shop.book(), &shop.settings);
    assert_eq!(value(&signals[0], "quantity_variance"), Some(&FactValue::Money(money("288.00"))));
    assert_eq!(value(&signals[0], "received"), Some(&units(100)));
    assert_eq!(value(&signals[0], "replaced"), Some(&units(36)));
    let damage = shop.must(T::RDamage);
    assert!(damage.headline.ends_with("; 36 came in their place."), "{}", damage.headline);
}

#[test]
fn too_little_that_partly_went_back_is_short_by_what_never_came() {
    let mut shop = Shop::new();
    ordered(&mut shop, 100);
    let first = came(&mut shop, 60, -5);
    back(&mut shop, 10, -4, &first, false);
    let short = shop.must(T::RShort);
    assert!(short.headline.contains("delivered 60 of 100") && short.headline.contains("40 short"), "{}", short.headline);
}

#[test]
fn components_of_a_kit_are_on_their_way_and_the_kit_is_not() {
    let mut shop = Shop::new();
    shop.order("1", 10, -20, 5);
    component(&mut shop, "2", 40, 40, None);
    component(&mut shop, "3", 10, 10, Some(-1));
    let book = shop.book();
    let coming =
        |item: &str| -> Quantity { book.incoming(&ItemId::new(item), &LocationId::new("2")).iter().map(|i| i.qty).sum() };
    assert_eq!([coming("1"), coming("2"), coming("3")].map(|q| q.to_string()), ["0", "40", "0"]);
    assert_eq!(book.open_quantity("1"), Quantity::units(10));
    assert_eq!(book.received("1"), Quantity::ZERO);
}

#[test]
fn what_goes_straight_to_a_customer_is_not_on_its_way_to_us() {
    let mut shop = Shop::new();
    shop.open_order("1", -20, 5);
    assert_eq!(shop.book().incoming(&ItemId::new("1"), &LocationId::new("2")).len(), 1);
    if let Some(Record::PoLine(line)) = shop.records.iter_mut().find(|r| matches!(r, Record::PoLine(_))) {
        line.to_customer = true;
    }
    let book = shop.book();
    assert!(book.incoming(&ItemId::new("1"), &LocationId::new("2")).is_empty());
    assert_eq!(book.open_quantity("1"), Quantity::units(300));
}

#[test]
fn a_return_without_a_reason_claims_nothing_about_quality() {
    for (reason, claims) in [("", false), ("  ", false), ("mouldy", true)] {
        let mut shop = Shop::new();
        ordered(&mut shop, 100);
        came(&mut shop, 100, -5);
        shop.moved(MoveKind::CustomerReturn, None, Some("2"), 60, Some(-1)).reason = reason.into();
        let place = Subject::at(&ItemId::new("1"), &LocationId::new("2"));
        let signal = Signal::rule("test/1", T::DReturn, place, "week".into(), (day(-1), day(-1)), "Sixty back".into());
        let found = shop.assess_signals(vec![signal]);
        assert_eq!(has(&found, "CLAIM"), claims, "{reason:?}");
    }
    // What went back to the supplier is claimed as what it is.
    let mut shop = Shop::new();
    ordered(&mut shop, 100);
    let first = came(&mut shop, 100, -5);
    back(&mut shop, 36, -4, &first, true);
    assert!(!has(&shop.assess(&[T::RDamage]), "CLAIM"), "nobody has billed it");
    billed(&mut shop, "7", 100);
    let found = shop.assess(&[T::RDamage]);
    let basis = found.candidates.iter().find_map(|c| match &c.action {
        Action::Claim { basis, .. } => Some(basis.as_str()),
        _ => None,
    });
    assert_eq!(basis, Some("sent back to the supplier"));
}

proptest! {
    #[test]
    fn what_is_kept_is_what_came_less_what_went_back(first in 1_i64..200, gone in 0_i64..200, again in 0_i64..200, replace: bool) {
        let mut shop = Shop::new();
        ordered(&mut shop, 100);
        let receipt = came(&mut shop, first, -5);
        let gone = gone.min(first);
        let sent = back(&mut shop, gone, -4, &receipt, replace);
        replaced(&mut shop, again, -2, &sent);
        let book = shop.book();
        let line = &book.po_lines["1"];
        prop_assert_eq!(book.received("1"), Quantity::units(first - gone + again));
        prop_assert_eq!(book.arrived("1") - book.sent_back("1"), book.received("1"));
        prop_assert_eq!(book.delivered("1") - book.away("1"), book.received("1"));
        prop_assert_eq!(book.delivered("1") + book.replaced("1"), book.arrived("1"));
        prop_assert!(book.billable(line) >= book.received("1"));
        prop_assert!(book.billable(line) <= book.received("1").max(line.qty));
        prop_assert!(book.excess(line).is_zero() || book.missing(line).is_zero());
    }
}
