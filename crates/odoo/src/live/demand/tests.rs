//! Sums against worked examples, a simulation by brute force, cuts at any request and later edits.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::DemandReader;
use super::double::{
    AUCKLAND, AUCKLAND_STOCK, COUNTS, CUSTOMER, DOZEN, Kept, Moved, NORTH, NORTH_SHELF, NORTH_STOCK, Rung, SUPPLIER, UNIT,
    World, at, settings, shared,
};
use crate::live::call::Version;
use crate::live::levels::LevelReader;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{DemandMonth, Record, RecordKind, RecordRef};
use reeve_ports::clock::Clock;

const NOW: &str = "2026-11-23T10:00:00Z";

fn reader(world: &Arc<World>, kept: &Arc<Kept>) -> DemandReader {
    let (odoo, calendar) = settings();
    DemandReader::new(Arc::clone(world) as _, Arc::clone(kept) as _, Clock::standing_at(at(NOW)), &odoo, &calendar, vec![])
}

fn levels(world: &Arc<World>, kept: &Arc<Kept>) -> LevelReader {
    let (odoo, calendar) = settings();
    LevelReader::new(Arc::clone(world) as _, Arc::clone(kept) as _, Clock::standing_at(at(NOW)), &odoo, &calendar, vec![])
}

fn moved(product: i64, from: i64, to: i64, when: &str, quantity: i64) -> Moved {
    let at = at(when);
    Moved { product, unit: UNIT, from, to, at, quantity, written: at, done: true, of_till: false }
}

fn month(kept: &Kept, product: i64, warehouse: i64, month: &str) -> Option<DemandMonth> {
    let key = RecordRef::new(RecordKind::DemandMonth, format!("{product}/{warehouse}/{month}"));
    match kept.all().remove(&key) {
        Some(Record::DemandMonth(month)) => Some(month),
        _ => None,
    }
}

fn days(sums: &[(u8, i64)]) -> BTreeMap<u8, Quantity> {
    sums.iter().map(|(day, units)| (*day, Quantity::units(*units))).collect()
}

async fn read_once(world: World) -> Arc<Kept> {
    let (world, kept) = shared(world);
    reader(&world, &kept).refresh(at(NOW)).await.unwrap();
    kept
}

#[tokio::test]
async fn a_day_begins_at_midnight_of_the_warehouse_also_when_clocks_change_and_months_end() {
    let world = World::new(Version::V18, 1);
    // Berlin: the clocks went back on 25 October; before it midnight was 22:00Z, after it 23:00Z.
    for when in ["2026-10-24T21:59:59Z", "2026-10-24T22:00:00Z", "2026-10-25T22:59:59Z", "2026-10-25T23:00:00Z"] {
        world.push(moved(1, NORTH_STOCK, CUSTOMER, when, 1));
    }
    // Its month ends at 23:00Z, Auckland's (13 hours ahead) at 11:00Z; there the clocks went forward on 27 September.
    for when in ["2026-10-31T10:59:59Z", "2026-10-31T11:00:00Z", "2026-10-31T22:59:59Z", "2026-10-31T23:00:00Z"] {
        world.push(moved(1, NORTH_STOCK, CUSTOMER, when, 1));
        world.push(moved(1, AUCKLAND_STOCK, CUSTOMER, when, 1));
    }
    for when in ["2026-09-26T11:59:59Z", "2026-09-26T12:00:00Z", "2026-09-27T10:59:59Z", "2026-09-27T11:00:00Z"] {
        world.push(moved(1, AUCKLAND_STOCK, CUSTOMER, when, 1));
    }
    let kept = read_once(world).await;
    assert_eq!(month(&kept, 1, NORTH, "2026-10").unwrap().sold, days(&[(24, 1), (25, 2), (26, 1), (31, 3)]));
    assert_eq!(month(&kept, 1, NORTH, "2026-11").unwrap().sold, days(&[(1, 1)]));
    assert_eq!(month(&kept, 1, AUCKLAND, "2026-10").unwrap().sold, days(&[(31, 1)]));
    assert_eq!(month(&kept, 1, AUCKLAND, "2026-11").unwrap().sold, days(&[(1, 3)]));
    assert_eq!(month(&kept, 1, AUCKLAND, "2026-09").unwrap().sold, days(&[(26, 1), (27, 2), (28, 1)]));
}

#[tokio::test]
async fn returns_stand_on_the_day_they_come_back_and_units_are_converted_in_every_version() {
    for version in [Version::V17, Version::V18, Version::V19] {
        let world = World::new(version, 1);
        world.push(moved(1, SUPPLIER, NORTH_STOCK, "2026-11-02T10:00:00Z", 50));
        world.push(Moved { unit: DOZEN, ..moved(1, NORTH_STOCK, CUSTOMER, "2026-11-03T10:00:00Z", 2) });
        world.push(moved(1, NORTH_STOCK, CUSTOMER, "2026-11-03T12:00:00Z", 3));
        world.push(moved(1, CUSTOMER, NORTH_STOCK, "2026-11-05T10:00:00Z", 4));
        // Within the warehouse nothing is sold and nothing leaves.
        world.push(moved(1, NORTH_STOCK, NORTH_SHELF, "2026-11-06T10:00:00Z", 9));
        let kept = read_once(world).await;
        let month = month(&kept, 1, NORTH, "2026-11").unwrap();
        assert_eq!(month.sold, days(&[(3, 27)]), "{version:?}");
        assert_eq!(month.returned, days(&[(5, 4)]));
        assert_eq!(month.closing, Quantity::units(27));
        assert_eq!(month.out, [1].into(), "only before the goods came");
        assert_eq!(kept.all().len(), 1);
    }
}

#[tokio::test]
async fn what_tills_sell_counts_when_it_was_rung_up_and_not_again_when_the_session_is_booked() {
    let world = World::new(Version::V18, 1);
    world.push(moved(1, SUPPLIER, NORTH_STOCK, "2026-11-02T10:00:00Z", 50));
    for (when, quantity) in [("2026-11-03T18:00:00Z", 5), ("2026-11-03T19:00:00Z", -2), ("2026-11-04T18:00:00Z", 7)] {
        let at = at(when);
        world.rung.lock().unwrap().push(Rung { product: 1, at, quantity, written: at });
    }
    // The session is closed a day later: one picking takes twelve, one brings two back. A delivery goes out beside them.
    let of_till = |from, to, quantity| Moved { of_till: true, ..moved(1, from, to, "2026-11-05T08:00:00Z", quantity) };
    world.push(of_till(NORTH_STOCK, CUSTOMER, 12));
    world.push(of_till(CUSTOMER, NORTH_STOCK, 2));
    world.push(moved(1, NORTH_STOCK, CUSTOMER, "2026-11-05T09:00:00Z", 6));
    let moves = world.moves.lock().unwrap().clone();
    let (world, kept) = shared(world);
    assert_eq!(reader(&world, &kept).refresh(at(NOW)).await.unwrap(), []);
    let found = month(&kept, 1, NORTH, "2026-11").unwrap();
    assert_eq!(found.sold, days(&[(3, 5), (4, 7), (5, 6)]));
    assert_eq!(found.returned, days(&[(3, 2)]));
    assert_eq!(found.tills, days(&[(3, 3), (4, 7)]));
    assert_eq!(found.closing, Quantity::units(34), "the shelves follow their moves");

    // Where the lines can not be read, the pickings are what is known, and that is said.
    let mut blind = World::new(Version::V18, 1);
    blind.tills = false;
    *blind.moves.lock().unwrap() = moves;
    let (blind, kept) = shared(blind);
    let gaps = reader(&blind, &kept).refresh(at(NOW)).await.unwrap();
    assert_eq!(gaps.iter().map(|g| g.what.as_str()).collect::<Vec<_>>(), ["report.pos.order"]);
    let found = month(&kept, 1, NORTH, "2026-11").unwrap();
    assert_eq!((found.sold, found.returned, found.tills), (days(&[(5, 18)]), days(&[(5, 2)]), days(&[])));
}

#[tokio::test]
async fn the_piece_that_is_asked_for_shrinks_until_answers_are_short_enough() {
    let world = World::new(Version::V18, 60);
    for product in 1..=60 {
        for day in 1..=20 {
            world.push(moved(product, NORTH_STOCK, CUSTOMER, &format!("2026-11-{day:02}T10:00:00Z"), 1));
        }
    }
    let (world, kept) = shared(world);
    let (mut odoo, calendar) = settings();
    (odoo.page_max, odoo.history_days) = (100, 20);
    let clock = Clock::standing_at(at(NOW));
    let reader = DemandReader::new(Arc::clone(&world) as _, Arc::clone(&kept) as _, clock, &odoo, &calendar, vec![]);
    // Forty products of twenty days each are too much, and so are twenty and ten.
    reader.refresh(at(NOW)).await.unwrap();
    assert_eq!(kept.all().len(), 60);
    assert_eq!(reader.asking.chunk(), 5);
    world.longest.store(0, Ordering::SeqCst);
    reader.refresh(at(NOW) + SignedDuration::from_hours(1)).await.unwrap();
    assert_eq!(world.longest.load(Ordering::SeqCst), 100);
    assert_eq!(reader.asking.chunk(), 5);
}

#[tokio::test]
async fn a_month_that_nothing_is_left_of_is_dropped_and_so_is_a_level() {
    let world = World::new(Version::V18, 2);
    world.push(moved(1, SUPPLIER, NORTH_STOCK, "2026-11-02T10:00:00Z", 5));
    world.push(moved(2, SUPPLIER, NORTH_STOCK, "2026-11-02T10:00:00Z", 5));
    let (world, kept) = shared(world);
    let (demand, stock) = (reader(&world, &kept), levels(&world, &kept));
    demand.refresh(at(NOW)).await.unwrap();
    stock.refresh(at(NOW)).await.unwrap();
    assert_eq!(kept.all().len(), 4);
    let later = at(NOW) + SignedDuration::from_hours(1);
    {
        let mut moves = world.moves.lock().unwrap();
        moves[0].done = false;
        moves[0].written = later;
    }
    // Another one leaves in a new move, and Odoo deletes the empty quant.
    world.push(Moved { written: later, ..moved(2, NORTH_STOCK, CUSTOMER, "2026-11-23T10:30:00Z", 5) });
    demand.refresh(later).await.unwrap();
    stock.refresh(later).await.unwrap();
    let left: Vec<String> = kept.all().keys().map(ToString::to_string).collect();
    // The first product was taken back without a trace in its quants: only reading all again finds that.
    assert_eq!(left, ["stock_level:1/1", "demand_month:2/1/2026-11"]);
    stock.refresh(later + SignedDuration::from_hours(25)).await.unwrap();
    let left: Vec<String> = kept.all().keys().map(ToString::to_string).collect();
    assert_eq!(left, ["demand_month:2/1/2026-11"]);
}

/// An item at a place, its lots with units, and units of no lot.
type Told = (String, Vec<(String, i64)>, i64);

#[tokio::test]
async fn how_much_of_a_lot_is_where_is_told_until_nothing_of_it_is_left() {
    let world = World::new(Version::V18, 2);
    world.push(moved(1, SUPPLIER, NORTH_STOCK, "2026-11-02T10:00:00Z", 5));
    world.push(moved(1, SUPPLIER, NORTH_SHELF, "2026-11-02T10:00:00Z", 2));
    world.push(moved(2, SUPPLIER, NORTH_STOCK, "2026-11-02T10:00:00Z", 5));
    world.lots.lock().unwrap().insert((1, NORTH_STOCK), 501);
    let (world, kept) = shared(world);
    let stock = levels(&world, &kept);
    stock.refresh(at(NOW)).await.unwrap();
    let lots = |kept: &Kept| -> Vec<Told> {
        let all = kept.all().into_values();
        let of = |record| if let Record::LotStock(stock) = record { Some(stock) } else { None };
        let units = |quantity: Quantity| quantity.to_f64() as i64;
        let told = all.filter_map(of).map(|stock| {
            let lots = stock.lots.iter().map(|(lot, qty)| (lot.clone(), units(*qty))).collect();
            (format!("{}@{}", stock.item, stock.location), lots, units(stock.without))
        });
        told.collect()
    };
    assert_eq!(
        lots(&kept),
        [("1@1".to_owned(), vec![("501".to_owned(), 5)], 2)],
        "the other has none, and is not spoken of"
    );
    let later = at(NOW) + SignedDuration::from_hours(1);
    world.push(Moved { written: later, ..moved(1, NORTH_STOCK, CUSTOMER, "2026-11-23T10:30:00Z", 5) });
    stock.refresh(later).await.unwrap();
    assert_eq!(lots(&kept), [], "what is sold out is gone");
}

#[tokio::test]
async fn a_cut_off_hour_and_a_zone_that_is_none_are_said() {
    let (world, kept) = shared(World::new(Version::V18, 1));
    let (mut odoo, mut calendar) = settings();
    odoo.time_zones = vec!["AKL=Pacific/Nowhere".to_owned(), "XXX=Pacific/Auckland".to_owned()];
    calendar.cut_off_hour = 22;
    let clock = Clock::standing_at(at(NOW));
    let reader = DemandReader::new(world as _, kept as _, clock, &odoo, &calendar, vec![]);
    let gaps = reader.refresh(at(NOW)).await.unwrap();
    let what: Vec<&str> = gaps.iter().map(|g| g.what.as_str()).collect();
    assert_eq!(
        what,
        ["calendar.cut_off_hour", "odoo.time_zones: AKL=Pacific/Nowhere", "odoo.time_zones: XXX=Pacific/Auckland"]
    );
}

/// The same by brute force: each move and each line on its own, each level from the beginning of time.
fn brute_force(world: &World) -> BTreeMap<RecordRef, Record> {
    let mut found = BTreeMap::new();
    let oldest: Date = "2026-08-01".parse().unwrap();
    for product in 1..=world.products {
        for (warehouse, shelves, zone) in [
            (NORTH, &[NORTH_STOCK, NORTH_SHELF][..], TimeZone::get("Europe/Berlin").unwrap()),
            (AUCKLAND, &[AUCKLAND_STOCK][..], TimeZone::get("Pacific/Auckland").unwrap()),
        ] {
            let day_of = |at: Timestamp| at.to_zoned(zone.clone()).date();
            let mut month = oldest;
            while month <= "2026-11-01".parse().unwrap() {
                let mut record = DemandMonth {
                    item: ItemId::new(product.to_string()),
                    location: LocationId::new(warehouse.to_string()),
                    month,
                    sold: BTreeMap::new(),
                    returned: BTreeMap::new(),
                    tills: BTreeMap::new(),
                    settled: BTreeMap::new(),
                    unposted: BTreeMap::new(),
                    out: [].into(),
                    closing: Quantity::ZERO,
                    unposted_at_close: Quantity::ZERO,
                    counted_ahead: BTreeMap::new(),
                };
                let mut quiet = true;
                let note = |sums: &mut BTreeMap<u8, Quantity>, day: Date, units: i64| {
                    if day.first_of_month() == month {
                        *sums.entry(day.day() as u8).or_default() += Quantity::units(units);
                    }
                };
                let mut net: BTreeMap<Date, i64> = BTreeMap::new();
                for m in world.moves.lock().unwrap().iter().filter(|m| m.done && m.product == product) {
                    let units = if m.unit == DOZEN { m.quantity * 12 } else { m.quantity };
                    let (from, to) = (shelves.contains(&m.from), shelves.contains(&m.to));
                    if from && m.to == CUSTOMER && !m.of_till {
                        note(&mut record.sold, day_of(m.at), units);
                    }
                    if to && m.from == CUSTOMER && !m.of_till {
                        note(&mut record.returned, day_of(m.at), units);
                    }
                    if from != to {
                        *net.entry(day_of(m.at)).or_default() += if to { units } else { -units };
                    }
                }
                for line in world.rung.lock().unwrap().iter().filter(|l| warehouse == NORTH && l.product == product) {
                    note(&mut record.tills, day_of(line.at), line.quantity);
                    let sums = if line.quantity > 0 { &mut record.sold } else { &mut record.returned };
                    note(sums, day_of(line.at), line.quantity.abs());
                }
                for sums in [&mut record.sold, &mut record.returned, &mut record.tills] {
                    sums.retain(|_, quantity| !quantity.is_zero());
                    quiet &= sums.is_empty();
                }
                let level = |on: Date| net.iter().filter(|(day, _)| **day <= on).map(|(_, units)| units).sum::<i64>();
                for number in 1..=month.days_in_month() {
                    let day = Date::new(month.year(), month.month(), number).unwrap();
                    quiet &= net.get(&day).is_none_or(|units| *units == 0);
                    if level(day) <= 0 {
                        record.out.insert(number as u8);
                    }
                }
                record.closing = Quantity::units(level(month.last_of_month()));
                if !quiet {
                    let record = Record::DemandMonth(record);
                    found.insert(record.key(), record);
                }
                month = super::month_after(month);
            }
        }
    }
    found
}

/// A random move or till line: what it is, where in time, how many.
type Drawn = (u8, i64, u32, i64, bool);

fn drawn(count: usize) -> impl Strategy<Value = Vec<Drawn>> {
    // Minutes before now: up to 115 days, so that some lie before the history that is read.
    prop::collection::vec((0..11_u8, 1..=3_i64, 0..115 * 24 * 60_u32, 1..=20_i64, prop::bool::weighted(0.2)), 0..count)
}

fn put(world: &World, drawn: &[Drawn], written: Option<Timestamp>) {
    for (kind, product, minutes, quantity, dozen) in drawn {
        let at = at(NOW) - SignedDuration::from_mins(i64::from(*minutes));
        let written = written.unwrap_or(at).max(at);
        let (from, to) = match kind {
            0 => (SUPPLIER, NORTH_STOCK),
            1 => (SUPPLIER, AUCKLAND_STOCK),
            2 | 3 | 9 => (NORTH_STOCK, CUSTOMER),
            4 => (AUCKLAND_STOCK, CUSTOMER),
            5 => (CUSTOMER, NORTH_SHELF),
            6 => (NORTH_STOCK, AUCKLAND_STOCK),
            7 => (COUNTS, AUCKLAND_STOCK),
            8 => (NORTH_STOCK, NORTH_SHELF),
            _ => (CUSTOMER, NORTH_STOCK),
        };
        let (of_till, unit) = (*kind >= 9, if *dozen && *kind < 9 { DOZEN } else { UNIT });
        world.push(Moved { product: *product, unit, from, to, at, quantity: *quantity, written, done: true, of_till });
        if of_till {
            let rung_at = at - SignedDuration::from_mins(i64::from(*minutes % 600));
            let quantity = if *kind == 9 { *quantity } else { -*quantity };
            world.rung.lock().unwrap().push(Rung { product: *product, at: rung_at, quantity, written });
        }
    }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().expect("a runtime").block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn sums_levels_and_days_without_stock_are_those_of_a_brute_force_simulation(moves in drawn(60), newer in any::<bool>()) {
        let world = World::new(if newer { Version::V19 } else { Version::V18 }, 3);
        put(&world, &moves, None);
        let expected = brute_force(&world);
        let kept = run(read_once(world));
        prop_assert_eq!(kept.all(), expected);
    }

    #[test]
    fn a_load_that_is_cut_off_at_any_requests_ends_with_the_same_records(
        moves in drawn(30), cuts in prop::collection::btree_set(1..90_usize, 0..6)
    ) {
        let world = World::new(Version::V18, 3);
        put(&world, &moves, None);
        let expected = brute_force(&world);
        *world.fails.lock().unwrap() = cuts;
        let (world, kept) = shared(world);
        run(async {
            // Each time the process starts anew.
            while reader(&world, &kept).refresh(at(NOW)).await.is_err() {}
        });
        prop_assert_eq!(kept.all(), expected);
    }

    #[test]
    fn what_was_written_later_leads_to_the_records_of_a_load_from_the_beginning(
        before in drawn(40), after in drawn(12), edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4_u8, 1..20_i64), 0..8)
    ) {
        let world = World::new(Version::V18, 3);
        put(&world, &before, None);
        let (world, kept) = shared(world);
        let demand = reader(&world, &kept);
        run(demand.refresh(at(NOW))).unwrap();
        // Also a transaction that began before the load and ended after it.
        put(&world, &after, Some(at(NOW) - SignedDuration::from_mins(14)));
        let later = at(NOW) + SignedDuration::from_mins(30);
        let mut dated_on = false;
        for (index, kind, number) in edits {
            let mut moves = world.moves.lock().unwrap();
            if moves.is_empty() {
                break;
            }
            let moved = index.get_mut(moves.as_mut_slice());
            moved.written = later;
            match kind {
                0 => moved.quantity = number,
                1 => moved.done = false,
                2 => moved.at -= SignedDuration::from_hours(number * 40),
                _ => {
                    moved.at = (moved.at + SignedDuration::from_hours(number * 40)).min(at(NOW));
                    dated_on = true;
                }
            }
        }
        run(demand.refresh(later)).unwrap();
        // A move that was dated into a later month is found when the months are looked at again: all within six looks.
        for look in 0..(if dated_on { 6 } else { 0 }) {
            run(demand.refresh(later + SignedDuration::from_mins(look))).unwrap();
        }
        prop_assert_eq!(kept.all(), brute_force(&world));
    }
}
