//! Every case has exactly one owner, whatever the rules and wherever it is.

use std::collections::BTreeMap;

use proptest::prelude::*;
use reeve_domain::calendar::Calendar;
use reeve_domain::exception::ExceptionType as T;
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::record::{Item, PurchaseLine, Record};
use reeve_testing::{cases, records};

use super::*;

const PEOPLE: [&str; 4] = ["pia", "ari", "fay", "dan"];

fn rule(owner: &str, scope: &str) -> OwnerRule {
    OwnerRule { owner: PersonId::new(owner), scope: ModeScope::read(scope.split(", ")).unwrap() }
}

fn ownership(rules: &[(&str, &str)]) -> Ownership {
    let rules = rules.iter().map(|(owner, scope)| rule(owner, scope)).collect();
    Ownership { rules, fallback: PersonId::new("dan") }
}

/// Two items in two categories of one branch, two places of two regions, two suppliers, and an order that has lines of both.
fn book() -> Book {
    let item = |id: &str, category: &str| Item { category: category.to_owned(), ..records::item(id) };
    let place =
        |id: &str, name: &str, region: &str| Location { company_name: region.to_owned(), ..records::location(id, name) };
    let line = |id: &str, item: &str| PurchaseLine {
        item: ItemId::new(item),
        order_id: "80".to_owned(),
        supplier: SupplierId::new("s1"),
        ..records::po_line(id)
    };
    let all = [
        Record::Item(item("cola", "Food / Drinks / Cold")),
        Record::Item(item("tea", "Food / Drinks / Hot")),
        Record::Location(place("north", "Northgate", "Reeve North")),
        Record::Location(place("south", "Southgate", "Reeve South")),
        Record::Supplier(records::supplier("s1", "Verde")),
        Record::Supplier(records::supplier("s2", "Voltline")),
        Record::PoLine(line("1", "cola")),
        Record::PoLine(line("2", "tea")),
    ];
    Book::new(records::at(0), Calendar::utc(), all)
}

fn case(codes: &[T], subject: Subject) -> Case {
    Case { codes: codes.to_vec(), subject, ..cases::case("case-1", &[], records::at(0)) }
}

fn at_place(item: &str, place: &str) -> Subject {
    Subject::at(&ItemId::new(item), &LocationId::new(place))
}

#[test]
fn the_first_rule_that_holds_a_case_decides_and_what_none_holds_is_the_fallbacks() {
    let own = ownership(&[
        ("pia", "category=Cold"),
        ("ari", "location=Reeve North"),
        ("fay", "supplier=Verde"),
        ("fay", "type=F-DUPBILL"),
    ]);
    let of = |codes: &[T], subject: Subject| own.of_case(&book(), &case(codes, subject)).to_string();
    assert_eq!(of(&[T::ILow], at_place("cola", "north")), "pia", "two rules hold it: the first counts");
    assert_eq!(of(&[T::ILow], at_place("tea", "north")), "ari", "a region is the company that a place belongs to");
    assert_eq!(of(&[T::ILow], at_place("tea", "south")), "dan");
    let of_order = Subject { order: Some("80".into()), ..Subject::default() };
    assert_eq!(of(&[T::SOverdue], of_order.clone()), "fay", "its supplier is that of its lines");
    let branch = ownership(&[("pia", "category=Cold"), ("ari", "category=Drinks")]);
    assert_eq!(
        branch.of_case(&book(), &case(&[T::SOverdue], of_order)).as_str(),
        "ari",
        "all lines are within Drinks, not within Cold"
    );
    assert_eq!(of(&[T::FQty, T::FDupBill], Subject::default()), "fay", "one of its types is enough");
    assert_eq!(of(&[], Subject::default()), "dan", "what is about nothing has an owner too");
}

#[test]
fn an_order_with_a_line_of_an_unknown_item_is_in_no_category() {
    let mut records = vec![Record::Item(Item { category: "Drinks".to_owned(), ..records::item("cola") })];
    for (id, item) in [("1", "cola"), ("2", "gone")] {
        let line = PurchaseLine { item: ItemId::new(item), order_id: "80".to_owned(), ..records::po_line(id) };
        records.push(Record::PoLine(line));
    }
    let book = Book::new(records::at(0), Calendar::utc(), records);
    let subject = Subject { order: Some("80".into()), ..Subject::default() };
    assert_eq!(ownership(&[("pia", "category=Drinks")]).of_case(&book, &case(&[T::SOverdue], subject)).as_str(), "dan");
}

/// A scope that names something, be it there or not.
fn any_scope() -> impl Strategy<Value = ModeScope> {
    let category = proptest::option::of(prop_oneof!["Food", "Drinks", "Hot", "Cold", "None such"]);
    let location = proptest::option::of(prop_oneof!["north", "Southgate", "Reeve North", "nowhere"]);
    let supplier = proptest::option::of(prop_oneof!["Verde", "s2", "nobody"]);
    let code = proptest::option::of(prop_oneof![Just(T::ILow), Just(T::FQty), Just(T::SOverdue)]);
    (category, location, supplier, code).prop_map(|(category, location, supplier, code)| ModeScope {
        category,
        location,
        supplier,
        code,
    })
}

fn any_case() -> impl Strategy<Value = Case> {
    let subject = (
        proptest::option::of(prop_oneof!["cola", "tea", "gone"]),
        proptest::option::of(prop_oneof!["north", "south", "gone"]),
        proptest::option::of(prop_oneof!["s1", "s2"]),
        proptest::option::of(prop_oneof!["80", "81"]),
    );
    let codes = proptest::collection::vec(prop_oneof![Just(T::ILow), Just(T::FQty), Just(T::SOverdue)], 0..3);
    (subject, codes).prop_map(|((item, location, supplier, order), codes)| {
        let subject = Subject {
            item: item.map(ItemId::new),
            location: location.map(LocationId::new),
            supplier: supplier.map(SupplierId::new),
            order,
            ..Subject::default()
        };
        case(&codes, subject)
    })
}

proptest! {
    #[test]
    fn every_case_has_exactly_one_owner(
        scopes in proptest::collection::vec((0..PEOPLE.len(), any_scope()), 0..8),
        cases in proptest::collection::vec(any_case(), 1..12),
        fallback in 0..PEOPLE.len(),
    ) {
        let rules = scopes.into_iter().map(|(who, scope)| OwnerRule { scope, owner: PersonId::new(PEOPLE[who]) }).collect();
        let own = Ownership { rules, fallback: PersonId::new(PEOPLE[fallback]) };
        let book = book();
        // What each of all planners gets, as digests do it: nothing is lost between them and nothing is there twice.
        let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
        for person in PEOPLE {
            let id = PersonId::new(person);
            parts.insert(person, cases.iter().filter(|case| *own.of_case(&book, case) == id).count());
        }
        prop_assert_eq!(parts.values().sum::<usize>(), cases.len());
        for case in &cases {
            let owner = own.of_case(&book, case);
            prop_assert_eq!(owner, own.of_case(&book, case));
            let named = own.rules.iter().any(|rule| rule.owner == *owner) || own.fallback == *owner;
            prop_assert!(named, "{} is somebody whom the rules name", owner);
            // A rule before the one that decided would have decided.
            let places: Vec<_> = case.codes.iter().map(|code| at(&book, &case.subject, *code)).collect();
            let first = own.rules.iter().position(|rule| places.iter().any(|at| rule.scope.holds(at)));
            prop_assert_eq!(owner, first.map_or(&own.fallback, |at| &own.rules[at].owner));
        }
    }
}
