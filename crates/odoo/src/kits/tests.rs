//! Which bill counts for a product, and what is remembered of one that changed.

use std::collections::BTreeMap;

use super::*;

fn at(day: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + day * 86_400).unwrap()
}

fn part(product: i64, quantity: f64) -> Part {
    Part { line: 100 + product, product, quantity }
}

fn kit(company: Option<i64>, since: i64, parts: &[Part]) -> Kit {
    Kit { company, since: at(since), began: None, parts: parts.to_vec(), earlier: Vec::new() }
}

/// Product 9, as it was read at looks on these days.
fn looks(read: &[(i64, &[Kit])]) -> Kits {
    let mut kept: Option<BTreeMap<i64, Vec<Kit>>> = None;
    for (day, kits) in read {
        let read = kits.iter().fold(BTreeMap::<i64, Vec<Kit>>::new(), |mut all, kit| {
            all.entry(9).or_default().push(kit.clone());
            all
        });
        kept = Some(following(&read, kept.as_ref(), at(*day)));
    }
    Kits::new(kept.unwrap())
}

fn made_of(kits: &Kits, company: i64, day: i64) -> Vec<(i64, f64)> {
    let parts = kits.parts_at(9, Some(company), at(day)).unwrap_or_default();
    parts.iter().map(|part| (part.product, part.quantity)).collect()
}

#[test]
fn an_order_counts_by_the_bill_of_its_day() {
    let (two, three) = (kit(None, 1, &[part(5, 2.0)]), kit(None, 10, &[part(5, 3.0)]));
    let kits = looks(&[(5, &[two]), (12, std::slice::from_ref(&three)), (20, std::slice::from_ref(&three)), (30, &[])]);
    // Older than what was read first: as it was read first.
    for (day, wanted) in [(0, 2.0), (5, 2.0), (9, 2.0), (10, 3.0), (25, 3.0)] {
        assert_eq!(made_of(&kits, 1, day), [(5, wanted)], "{day}");
    }
    assert_eq!(made_of(&kits, 1, 30), [], "the bill is archived");
    assert_eq!(kits.parts(9, Some(1)), None);
    let later = following(&BTreeMap::new(), Some(&kits.of), at(40));
    assert_eq!(later, kits.of, "nothing new is nothing to be told");
}

#[test]
fn what_is_written_without_a_change_begins_nothing_and_a_line_that_is_deleted_ends_with_the_look() {
    let whole = kit(None, 1, &[part(5, 2.0), part(6, 1.0)]);
    let touched = kit(None, 8, &[part(5, 2.0), part(6, 1.0)]);
    // The other line is as old as ever.
    let less = kit(None, 8, &[part(5, 2.0)]);
    let kits = looks(&[(5, &[whole]), (9, &[touched]), (12, &[less])]);
    assert_eq!(kits.of[&9][0].earlier.len(), 1);
    assert_eq!(made_of(&kits, 1, 11), [(5, 2.0), (6, 1.0)]);
    assert_eq!(made_of(&kits, 1, 12), [(5, 2.0)]);
}

#[test]
fn what_became_a_kit_was_none_before_and_a_companys_own_bill_goes_before_the_shared_one_since_it_is_there() {
    let kits = looks(&[(5, &[]), (12, &[kit(None, 10, &[part(5, 3.0)])])]);
    assert_eq!(made_of(&kits, 1, 9), []);
    assert_eq!(made_of(&kits, 1, 10), [(5, 3.0)]);

    let shared = kit(None, 1, &[part(5, 2.0)]);
    let own = kit(Some(2), 10, &[part(6, 1.0)]);
    let kits =
        looks(&[(5, std::slice::from_ref(&shared)), (12, &[shared.clone(), own]), (20, std::slice::from_ref(&shared))]);
    assert_eq!([9, 10, 25].map(|day| made_of(&kits, 2, day)), [[(5, 2.0)], [(6, 1.0)], [(5, 2.0)]]);
    assert_eq!(made_of(&kits, 1, 15), [(5, 2.0)]);
}
