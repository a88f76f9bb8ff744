//! What signals say together: D-CANNIBAL, S-SINGLE; and what came in place of what was ordered: R-SUBST.

use super::super::related;
use super::*;
use reeve_domain::exception::Subject;

fn signal(code: T, item: &str, period: &str) -> Signal {
    let subject = Subject::at(&ItemId::new(item), &LocationId::new("2"));
    let place = format!("demand:{item}@2");
    Signal::rule("test/1", code, subject, period.to_owned(), (day(-5), day(0)), "It moved.".to_owned()).link(place)
}

#[test]
fn a_fall_beside_a_neighbour_that_rises_joins_its_case() {
    let book = Shop::new().book();
    let both = |codes: [(T, &str); 2]| {
        let signals = [signal(codes[0].0, "1", codes[0].1), signal(codes[1].0, "2", codes[1].1)];
        related::signals(&book, &Overview::default(), &signals)
    };
    let found = both([(T::DShift, "down"), (T::DSpike, "2026-W45")]);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].headline,
        "AC-001 Kitchen scale at Market Street Store falls as AC-002 Kitchen scale of the same group rises."
    );
    assert_eq!((found[0].code, links(&found[0])), (T::DCannibal, vec!["demand:1@2"]));
    // Both fall: that is traffic, not a neighbour.
    assert!(both([(T::DShift, "down"), (T::DCollapse, "2026-W45")]).is_empty());
    assert!(both([(T::DShift, "up"), (T::DSpike, "2026-W45")]).is_empty());
}

#[test]
fn a_late_order_that_nobody_else_could_fill_says_so() {
    let mut shop = Shop::new();
    shop.records.push(Record::SupplierPrice(records::supplier_price("1")));
    shop.records.push(Record::SaleLine(records::sale_line("77")));
    shop.stock("2", 2);
    shop.demand("2", 8.0);
    shop.open_order("1", -20, -6);
    let said = |shop: &Shop| {
        let book = shop.book();
        related::signals(&book, &Overview::of(&book, &shop.settings, Gathered::of(&book)), &shop.seen())
    };
    let found = said(&shop);
    assert_eq!(found.len(), 1, "{:?}", shop.codes());
    assert_eq!(
        found[0].headline,
        "Acme is late with AC-001 Kitchen scale, an A item, and nobody else is listed who sells it."
    );
    let all: Vec<Signal> = shop.seen().into_iter().chain(found).collect();
    let cases = fold(at(0), all, Vec::new(), Vec::new()).cases;
    assert_eq!(cases.len(), 1, "it is a part of the late order's case");
    let other = SupplierPrice { id: "price-8".into(), supplier: SupplierId::new("8"), ..records::supplier_price("1") };
    shop.records.push(Record::SupplierPrice(other));
    assert!(said(&shop).is_empty(), "somebody else sells it");
}

#[test]
fn as_many_of_another_item_as_are_missing_came_in_their_place() {
    let mut shop = Shop::new();
    shop.order("1", 30, -12, -2);
    let came = shop.moved(MoveKind::Receipt, None, Some("2"), 30, Some(-2));
    (came.item, came.origin, came.partner) = (ItemId::new("2"), "P0001".into(), Some("9".into()));
    let signal = shop.must(T::RSubst);
    assert!(signal.headline.ends_with("where 30 of AC-001 Kitchen scale were ordered on P0001."), "{}", signal.headline);
    assert!(links(&signal).contains(&"line:1"));
    shop.quiet(T::RUnplanned);
    let found = shop.assess(&[T::RSubst]);
    assert!(has(&found, "CONTACT") && has(&found, "RECOUNT"));
    // Another quantity, or no order: nobody says that it stands for anything.
    let mut other = Shop::new();
    other.order("1", 30, -12, -2);
    let came = other.moved(MoveKind::Receipt, None, Some("2"), 7, Some(-2));
    (came.item, came.origin) = (ItemId::new("2"), "P0001".into());
    other.quiet(T::RSubst);
    other.must(T::RUnplanned);
}
