//! What has to be known of the whole company before single items can be looked at.
//!
//! It is gathered from the sales of some items at a time, in any order, and is small whatever the history: sums, counts, and of
//! orders with several lines a key each. Whoever looks at an item later is given the [`Overview`] that it comes to, so that the
//! look at one item finds what the look at all of them would.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::classes::{Classes, SoldValue};
use super::feed::{FeedRows, Feeds};
use super::stock::{Chain, came_back};
use crate::settings::Settings;
use jiff::Timestamp;
use jiff::civil::Date;
use reeve_domain::book::Book;
use reeve_domain::ids::LocationId;
use reeve_domain::money::Quantity;
use reeve_domain::record::SaleLine;
use reeve_domain::sales::SalesSums;

/// Orders from which the hours of a location's day are known.
const HOURS_LINES: u32 = 50;

/// What is known of the whole company.
#[derive(Clone, Debug, Default)]
pub struct Overview {
    /// What has not come in.
    pub feeds: Feeds,
    /// How much of its company's value each item makes.
    pub classes: Classes,
    /// Orders that are another order once more, by the hashes of their ids.
    pub(super) twins: BTreeSet<u64>,
    /// Both orders of each such pair, likewise.
    pub(super) twinned: BTreeSet<u64>,
    /// Units in the orders that have several lines, likewise.
    pub(super) order_units: BTreeMap<u64, f64>,
    /// The share of a day's demand that is still to come at each location, read off the hours at which its orders came in. Not
    /// for locations with few orders by the hour: there the clock alone says.
    pub(super) left_of_day: BTreeMap<LocationId, f64>,
    /// What is usual over the whole chain.
    pub(super) chain: Chain,
    /// How many places carry an item, over all items.
    pub(super) places: usize,
    /// Up to when the records were read that it was gathered from.
    pub as_of: Timestamp,
}

/// The same while it is gathered.
#[derive(Clone, Debug, Default)]
pub struct Gathered {
    /// What the book has to know of all sales.
    pub sums: SalesSums,
    rows: FeedRows,
    sold: SoldValue,
    /// By the hash of the order's id.
    orders: BTreeMap<u64, OrderSum>,
    /// By location: order lines, and those that came in later in their day than it is now.
    hours: BTreeMap<LocationId, (u32, u32)>,
    back: Quantity,
    places: usize,
}

/// A customer's order, as far as it has been seen. There are as many as a retailer has orders, so it holds numbers only.
#[derive(Clone, Copy, Debug)]
struct OrderSum {
    /// When it was ordered, from where it is to be served and by whom it was ordered, the latter two by their hashes.
    about: (Timestamp, u64, u64),
    lines: u32,
    units: Quantity,
    /// The sum of what its lines hash to: the same for the same lines in any order.
    content: u64,
}

/// The beginning of a text's hash: of a million texts two are the same once in forty million times.
pub(super) fn hash_of(text: &str) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&Sha256::digest(text)[..8]);
    u64::from_be_bytes(first)
}

impl OrderSum {
    fn of(line: &SaleLine) -> Self {
        Self {
            about: (line.ordered_at, hash_of(line.location.as_str()), hash_of(&line.customer)),
            lines: 1,
            units: line.qty,
            content: hash_of(&format!("{}x{}", line.item, line.qty)),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            // Lines of one order say the same; where they do not, the earliest speaks.
            about: self.about.min(other.about),
            lines: self.lines + other.lines,
            units: self.units + other.units,
            content: self.content.wrapping_add(other.content),
        }
    }
}

fn add_order(orders: &mut BTreeMap<u64, OrderSum>, order: u64, sum: OrderSum) {
    orders.entry(order).and_modify(|known| *known = known.and(sum)).or_insert(sum);
}

impl Gathered {
    /// What the sales of a book add.
    pub fn of(book: &Book) -> Self {
        let mut gathered = Self { places: book.places().len(), ..Self::default() };
        gathered.sums.add(book);
        gathered.rows.add(book);
        gathered.sold.add(book);
        gathered.back = came_back(book, book.sold_moves());
        let now: BTreeMap<&LocationId, f64> =
            book.locations.keys().map(|l| (l, book.calendar_of(l).left_of_day(book.as_of))).collect();
        for line in book.sale_lines.values() {
            add_order(&mut gathered.orders, hash_of(&line.order_id), OrderSum::of(line));
            let Some(left) = now.get(&line.location) else { continue };
            let later = book.calendar_of(&line.location).left_of_day(line.ordered_at) < *left;
            let (all, after) = gathered.hours.entry(line.location.clone()).or_default();
            *all += 1;
            *after += u32::from(later);
        }
        gathered
    }

    /// Adds what was gathered of other items.
    pub fn merge(&mut self, other: Self) {
        self.sums.merge(other.sums);
        self.rows.merge(other.rows);
        self.sold.merge(other.sold);
        self.back += other.back;
        self.places += other.places;
        for (id, sum) in other.orders {
            add_order(&mut self.orders, id, sum);
        }
        for (location, (all, after)) in other.hours {
            let sum = self.hours.entry(location).or_default();
            *sum = (sum.0 + all, sum.1 + after);
        }
    }
}

impl Overview {
    /// What was gathered of all items comes to. `book` has the sums of all sales; of the sales themselves it needs none.
    pub fn of(book: &Book, settings: &Settings, gathered: Gathered) -> Self {
        let mut overview = Self {
            feeds: Feeds::of_rows(book, &settings.calendar.closed_days, gathered.rows),
            classes: gathered.sold.classes(book),
            chain: Chain::of(book, gathered.back, gathered.places),
            places: gathered.places,
            as_of: book.as_of,
            ..Self::default()
        };
        let known = gathered.hours.into_iter().filter(|(_, (all, _))| *all >= HOURS_LINES);
        overview.left_of_day = known.map(|(location, (all, after))| (location, f64::from(after) / f64::from(all))).collect();
        overview.find_twins(book, &gathered.orders);
        let several = gathered.orders.into_iter().filter(|(_, order)| order.lines > 1);
        overview.order_units = several.map(|(id, order)| (id, order.units.to_f64())).collect();
        overview
    }

    /// Orders of one customer on one day with the same lines: the later ones are probably the first, entered again. One line
    /// alone proves little: people do order the same thing twice.
    fn find_twins(&mut self, book: &Book, orders: &BTreeMap<u64, OrderSum>) {
        type Same = (u64, u64, Date, u32, u64);
        let mut same: BTreeMap<Same, Vec<(Timestamp, u64)>> = BTreeMap::new();
        for (id, order) in orders.iter().filter(|(_, order)| order.lines > 1) {
            let (at, location, customer) = order.about;
            let key = (customer, location, book.calendar.day_of(at), order.lines, order.content);
            same.entry(key).or_default().push((at, *id));
        }
        for mut alike in same.into_values().filter(|alike| alike.len() > 1) {
            alike.sort_unstable();
            self.twinned.extend(alike.iter().map(|(_, id)| *id));
            self.twins.extend(alike.into_iter().skip(1).map(|(_, id)| id));
        }
    }
}
