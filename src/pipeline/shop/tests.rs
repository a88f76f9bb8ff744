//! A shop whose sales do not all fit into memory, in a real store: what is looked at again is what has changed, and what is seen
//! is what a look at everything sees.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{Config as Cases, TestRunner};

use crate::clock::Clock;
use crate::config::Config;
use crate::domain::ids::ItemId;
use crate::domain::money::Quantity;
use crate::domain::record::{MoveKind, Observed, Record, StockMove};
use crate::lab::retailer::{Retailer, Shape};
use crate::pipeline::moment::{BeingRead, Moment, Moments};
use crate::ports::Page;
use crate::store::Store;

fn retailer(seed: u64) -> Retailer {
    let until = "2026-10-08".parse().unwrap();
    // Two edits are about four items at most, which is few enough of them for a look again.
    let shape = Shape { items: 24, locations: 3, days: 100, detail_days: 28, listed: 0.9, injected: 0.3, seed, until };
    Retailer::new(shape).unwrap()
}

/// The configuration of a shop of which `records` sales fit into memory.
fn config(records: u64) -> Arc<Config> {
    let memory = ("REEVE_DETECT__SALES_IN_MEMORY".to_owned(), records.to_string());
    Arc::new(Config::load_from(None, &[memory]).unwrap())
}

async fn read(store: &Store, observed: Vec<Observed>, at: Timestamp) {
    store.begin_look("erp", &["records"], at).await.unwrap();
    let page = Page { observed, next: at.to_string(), more: false };
    store.apply_page("erp", &page, at).await.unwrap();
    store.end_look("erp", at).await.unwrap();
    store.put_setting("observe.behind", "no").await.unwrap();
}

/// Everything seen beside demand, which is judged once a day over all items, without the time of reading.
fn seen(moment: &Moment) -> Vec<String> {
    let once_a_day = ["demand-forest", "promotion-band", "feed-gaps"];
    let signals = moment.seen.signals.iter().filter(|s| !once_a_day.iter().any(|detector| s.is_made_by(detector)));
    let timeless = |signal: &crate::domain::exception::Signal| {
        let mut signal = signal.clone();
        // A look again reads what has changed later than the rest.
        signal.facts.iter_mut().for_each(|fact| fact.as_of = Timestamp::UNIX_EPOCH);
        serde_json::to_string(&signal).unwrap()
    };
    signals.map(timeless).collect()
}

/// What happens to a record between two looks.
#[derive(Clone, Debug)]
enum Edit {
    /// The ERP states another level.
    Level { nth: usize, units: i64 },
    /// An order line is promised later, and for another quantity.
    Order { nth: usize, days: i64, units: i64 },
    /// It is counted.
    Count { nth: usize, units: i64 },
    /// A move is deleted.
    Gone { nth: usize },
    /// An order line is for another item.
    Other { nth: usize, item: u32 },
}

fn edit() -> impl Strategy<Value = Edit> {
    let nth = || 0_usize..10_000;
    prop_oneof![
        (nth(), 0_i64..40).prop_map(|(nth, units)| Edit::Level { nth, units }),
        (nth(), 0_i64..20, 1_i64..90).prop_map(|(nth, days, units)| Edit::Order { nth, days, units }),
        (nth(), 1_i64..30).prop_map(|(nth, units)| Edit::Count { nth, units }),
        nth().prop_map(|nth| Edit::Gone { nth }),
        (nth(), 1_u32..25).prop_map(|(nth, item)| Edit::Other { nth, item }),
    ]
}

impl Edit {
    fn of(&self, records: &[Observed], at: Timestamp) -> Option<Observed> {
        let levels = || records.iter().filter_map(|o| if let Record::StockLevel(r) = &o.record { Some(r) } else { None });
        let lines = || records.iter().filter_map(|o| if let Record::PoLine(r) = &o.record { Some(r) } else { None });
        let nth = |nth: usize, len: usize| nth.checked_rem(len);
        let record = match self {
            Self::Level { nth: n, units } => {
                let mut level = levels().nth(nth(*n, levels().count())?)?.clone();
                level.on_hand = Quantity::units(*units);
                Record::StockLevel(level)
            }
            Self::Order { nth: n, days, units } => {
                let mut line = lines().nth(nth(*n, lines().count())?)?.clone();
                line.promised += SignedDuration::from_hours(24 * days);
                line.qty = Quantity::units(*units);
                Record::PoLine(line)
            }
            Self::Count { nth: n, units } => {
                let level = levels().nth(nth(*n, levels().count())?)?;
                let id = format!("count-{n}");
                let moved = reeve_testing::records::moved(&id, MoveKind::Count, Some(level.location.as_str()), None);
                let when = at - SignedDuration::from_hours(30);
                let (item, qty) = (level.item.clone(), Quantity::units(*units));
                Record::Move(StockMove { item, qty, created_at: when, done_at: Some(when), ..moved })
            }
            Self::Other { nth: n, item } => {
                let mut line = lines().nth(nth(*n, lines().count())?)?.clone();
                line.item = levels().nth(nth(*item as usize, levels().count())?)?.item.clone();
                Record::PoLine(line)
            }
            Self::Gone { nth: n } => {
                let receipts =
                    || records.iter().filter(|o| matches!(&o.record, Record::Move(m) if m.kind == MoveKind::Receipt));
                Record::Gone(receipts().nth(nth(*n, receipts().count())?)?.record.key())
            }
        };
        Some(Observed { changed_at: at, record })
    }
}

async fn a_look_again_sees_what_a_look_at_all_sees(seed: u64, edits: &[Vec<Edit>]) {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_and_migrate(&format!("sqlite:{}", folder.path().join("r.db").display())).await.unwrap();
    let retailer = retailer(seed);
    let mut records = retailer.masters();
    records.extend((1..=retailer.shape().items).flat_map(|item| retailer.item(item).observed));
    let mut at = retailer.read_at();
    let clock = Clock::standing_at(at);
    let moments = |config| Moments::new(store.clone(), config, clock.clone());
    read(&store, records.clone(), at).await;
    // Nothing fits into memory, so what is looked at again goes by parts.
    let parted = moments(config(0));
    let mut before = parted.now().await.unwrap();
    assert!(!before.is_whole());
    for edits in edits {
        // So little that what was seen of everything still stands.
        at += SignedDuration::from_mins(3);
        clock.set(at);
        read(&store, edits.iter().filter_map(|edit| edit.of(&records, at)).collect(), at).await;
        let again = parted.now().await.unwrap();
        let everything = moments(config(0)).now().await.unwrap();
        assert!(Arc::ptr_eq(&again.seen.overview, &before.seen.overview), "it is no look at everything");
        assert!(!Arc::ptr_eq(&everything.seen.overview, &before.seen.overview));
        assert_eq!(seen(&again), seen(&everything));
        let whole = moments(config(1_000_000)).now().await.unwrap();
        assert!(whole.is_whole());
        assert_eq!(seen(&again), seen(&whole));
        for item in whole.book.items.keys() {
            let part = again.book_of(&store, &BTreeSet::from([item.clone()])).await.unwrap();
            for location in whole.book.locations.keys() {
                assert_eq!(part.available(item, location), whole.book.available(item, location));
                assert_eq!(part.incoming(item, location), whole.book.incoming(item, location));
            }
        }
        before = again;
    }
}

#[test]
fn what_is_looked_at_again_is_seen_as_if_all_were() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let edits = prop::collection::vec(prop::collection::vec(edit(), 0..3), 1..4);
    // Each of them builds a store and looks several times at all of it.
    let mut runner = TestRunner::new(Cases::with_cases(8));
    runner
        .run(&(0_u64..1000, edits), |(seed, edits)| {
            runtime.block_on(a_look_again_sees_what_a_look_at_all_sees(seed, &edits));
            Ok(())
        })
        .unwrap();
}

#[tokio::test]
async fn half_of_a_look_holds_up_only_what_it_has_changed() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_and_migrate(&format!("sqlite:{}", folder.path().join("r.db").display())).await.unwrap();
    let retailer = retailer(1);
    let told = |item: u32| retailer.item(item).observed;
    let at = retailer.read_at();
    read(&store, retailer.masters().into_iter().chain((1..=24).flat_map(told)).collect(), at).await;
    let moments = Moments::new(store.clone(), config(0), Clock::standing_at(at));
    let moment = moments.now().await.unwrap();
    let level = told(3).into_iter().find_map(|o| if let Record::StockLevel(r) = o.record { Some(r) } else { None });
    let mut level = level.expect("an item is in stock somewhere");
    level.on_hand = Quantity::units(77);
    let (touched, other) = (level.item.clone(), ItemId::new("none"));
    store.begin_look("erp", &["records"], at).await.unwrap();
    let observed = vec![Observed { changed_at: at, record: Record::StockLevel(level) }];
    // More is to come, and the look has not ended: what is read until then may contradict itself.
    store.apply_page("erp", &Page { observed, next: "half".to_owned(), more: true }, at).await.unwrap();
    moment.book_of(&store, &BTreeSet::from([other])).await.expect("nothing of it has changed");
    let refused = moment.book_of(&store, &BTreeSet::from([touched])).await.unwrap_err();
    assert!(refused.downcast_ref::<BeingRead>().is_some(), "{refused}");
}
