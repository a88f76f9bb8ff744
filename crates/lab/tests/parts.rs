//! A shop that is looked at some items at a time shows what it shows as a whole: byte for byte, however it is divided and in
//! whatever order the company's sums are gathered.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;
use proptest::sample::subsequence;
use reeve_domain::book::Book;
use reeve_domain::calendar::Calendar;
use reeve_domain::ids::ItemId;
use reeve_domain::record::Record;
use reeve_domain::sales::is_sale_record;
use reeve_lab::retailer::{Retailer, Shape};
use reeve_rules::detect::gather::{Gathered, Overview};
use reeve_rules::detect::{Looked, Seen, look};
use reeve_rules::settings::Settings;

fn records(retailer: &Retailer) -> Vec<Record> {
    let items = (1..=retailer.shape().items).flat_map(|item| retailer.item(item).observed);
    retailer.masters().into_iter().chain(items).map(|observed| observed.record).collect()
}

fn whole(retailer: &Retailer, records: Vec<Record>, settings: &Settings) -> (Book, Seen) {
    let book = settings.settled(Book::new(retailer.read_at(), Calendar::utc(), records));
    let seen = look(&book, settings);
    (book, seen)
}

/// Looks with the sales of no more items in memory than each part has.
fn in_parts(retailer: &Retailer, records: Vec<Record>, parts: &[BTreeSet<ItemId>], settings: &Settings) -> (Book, Seen) {
    let (sales, supply): (Vec<Record>, Vec<Record>) = records.into_iter().partition(is_sale_record);
    let book = settings.settled(Book::new(retailer.read_at(), Calendar::utc(), supply));
    let of = |items: &BTreeSet<ItemId>| -> Vec<Record> {
        let own = |record: &&Record| match record {
            Record::SaleLine(r) => items.contains(&r.item),
            Record::DemandMonth(r) => items.contains(&r.item),
            Record::Move(r) => items.contains(&r.item),
            _ => false,
        };
        sales.iter().filter(own).cloned().collect()
    };
    let mut gathered = Gathered::default();
    for items in parts.iter().rev() {
        gathered.merge(Gathered::of(&book.with_sales_of(items, of(items))));
    }
    let book = book.with_sums(&gathered.sums);
    let overview = Overview::of(&book, settings, gathered);
    let mut looked = Looked::default();
    for items in parts {
        looked.at_items(&book.with_sales_of(items, of(items)), settings, &overview, items);
    }
    let seen = looked.finish(&book, settings, Arc::new(overview));
    (book, seen)
}

fn bytes(seen: &Seen) -> Vec<String> {
    seen.signals.iter().map(|signal| serde_json::to_string(signal).expect("signals are JSON")).collect()
}

/// The items in order, cut before each of these places.
fn cut(book: &Book, at: &[usize]) -> Vec<BTreeSet<ItemId>> {
    let mut parts = vec![BTreeSet::new()];
    for (place, item) in book.items.keys().enumerate() {
        if at.contains(&place) {
            parts.push(BTreeSet::new());
        }
        if let Some(part) = parts.last_mut() {
            part.insert(item.clone());
        }
    }
    parts
}

fn shape(seed: u64, detail_days: u32) -> Shape {
    let until = "2026-10-08".parse().expect("a date");
    Shape { items: 24, locations: 4, days: 120, detail_days, listed: 0.8, injected: 0.3, seed, until }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn a_shop_shows_the_same_however_it_is_divided(
        seed in 0_u64..1000,
        detail_days in prop_oneof![Just(28), Just(120)],
        at in subsequence((1..24).collect::<Vec<usize>>(), 0..24),
    ) {
        let retailer = Retailer::new(shape(seed, detail_days)).expect("a shape within bounds");
        let (records, settings) = (records(&retailer), Settings::defaults());
        let (book, seen) = whole(&retailer, records.clone(), &settings);
        prop_assert!(!seen.signals.is_empty(), "a shop with nothing odd shows nothing");
        let (base, parted) = in_parts(&retailer, records.clone(), &cut(&book, &at), &settings);
        prop_assert_eq!(bytes(&parted), bytes(&seen));
        prop_assert_eq!(&parted.outlook.daily, &seen.outlook.daily);
        prop_assert_eq!(&parted.outlook.rest, &seen.outlook.rest);
        // The book of a few items knows of the whole what the whole does.
        prop_assert_eq!(base.first_day(), book.first_day());
        prop_assert_eq!(base.lines_whole_from(), book.lines_whole_from());
        prop_assert_eq!(base.waits(), book.waits());
        prop_assert_eq!(base.working_days(), book.working_days());
    }

    #[test]
    fn the_book_of_an_item_answers_as_the_book_of_all(seed in 0_u64..1000, nth in 0_usize..24) {
        let retailer = Retailer::new(shape(seed, 28)).expect("a shape within bounds");
        let (records, settings) = (records(&retailer), Settings::defaults());
        let (book, _) = whole(&retailer, records.clone(), &settings);
        let item = book.items.keys().nth(nth).expect("one of the items").clone();
        let items = BTreeSet::from([item.clone()]);
        let own = |record: &Record| match record {
            Record::SaleLine(r) => r.item == item,
            Record::DemandMonth(r) => r.item == item,
            Record::Move(r) => r.item == item,
            _ => false,
        };
        let part = book.with_sales_of(&items, records.into_iter().filter(own));
        let carriers = book.carriers_of(&item);
        prop_assert_eq!(part.places(), carriers.iter().map(|l| (item.clone(), l.clone())).collect::<Vec<_>>());
        prop_assert_eq!(part.stocked_at(&item), book.stocked_at(&item));
        let first = book.first_day().expect("a first day");
        for location in book.locations.keys() {
            prop_assert_eq!(part.on_hand(&item, location), book.on_hand(&item, location));
            prop_assert_eq!(part.available(&item, location), book.available(&item, location));
            prop_assert_eq!(part.moves_at(&item, location), book.moves_at(&item, location));
            prop_assert_eq!(part.demand_by_day(&item, location, first), book.demand_by_day(&item, location, first));
            prop_assert_eq!(part.out_by_day(&item, location, first), book.out_by_day(&item, location, first));
        }
    }
}
