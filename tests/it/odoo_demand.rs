//! Demand and stock levels, summed over HTTP by a server that holds the bundled recording, against what the recording says
//! move by move.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::book::Book;
use reeve::domain::record::{MoveKind, Record, RecordRef};
use reeve::odoo::live::connect::connect;
use reeve::odoo::live::demand::DemandReader;
use reeve::odoo::live::levels::LevelReader;
use reeve::odoo::recorded::Recorded;
use reeve::ports::Source as _;
use reeve::store::Store;
use serde_json::json;

use crate::support::databases::databases;
use reeve_testing::odoo::{FakeOdoo, Seed, Version};

fn config(fake: &FakeOdoo) -> Config {
    let mut config = Config::load_from(None, &[]).expect("the defaults load");
    config.odoo.url = fake.url();
    config.odoo.database = fake.database();
    config.odoo.user = fake.user();
    config.odoo.api_key = fake.key().into();
    config.odoo.requests_per_second = 0.0;
    config
}

/// The newest version of everything in the recording.
async fn recorded() -> Vec<Record> {
    let source = Recorded::open(Path::new("evals/recordings/odoo-18-retailer"), "USD").expect("the recording opens");
    let page = source.read(None, Timestamp::MAX, usize::MAX).await.expect("it can be read");
    let newest: BTreeMap<RecordRef, Record> = page.observed.into_iter().map(|o| (o.record.key(), o.record)).collect();
    newest.into_values().collect()
}

async fn refresh(config: &Config, store: &Arc<Store>, now: Timestamp) {
    let clock = Clock::standing_at(now);
    let server = connect(&config.odoo, &clock).await.expect("the fake lets the reader in");
    let mirror = || Arc::clone(store) as _;
    let demand = DemandReader::new(
        Arc::clone(&server),
        mirror(),
        clock.clone(),
        &config.odoo,
        &config.rules.calendar.calendar(),
        Vec::new(),
    );
    assert_eq!(demand.refresh(now).await.expect("demand is read"), []);
    let levels = LevelReader::new(server, mirror(), clock, &config.odoo, &config.rules.calendar.calendar(), Vec::new());
    levels.refresh(now).await.expect("levels are read");
}

#[tokio::test]
async fn sums_over_http_say_what_the_recording_says_move_by_move() {
    let records = recorded().await;
    for version in [Version::V18, Version::V19] {
        let fake = FakeOdoo::start(Seed::Recording, version).await;
        let config = config(&fake);
        let database = databases().await.remove(0);
        let store = Arc::new(Store::open_and_migrate(&database.store_url()).await.expect("the store opens"));
        let now = fake.now();
        refresh(&config, &store, now).await;
        let summed = store.load_records().await.expect("the store answers");
        assert!(summed.iter().all(|r| matches!(r, Record::DemandMonth(_) | Record::StockLevel(_))));

        let calendar = config.rules.calendar.calendar();
        let masters = records.iter().filter(|r| matches!(r, Record::Item(_) | Record::Location(_))).cloned();
        // At the close of the day, so that all that happened counts.
        let at = calendar.close_of(calendar.day_of(now));
        let told = Book::new(at, calendar.clone(), masters.chain(summed));
        let truth = Book::new(at, calendar.clone(), records.clone());
        let from = truth.first_day().expect("things happened");
        let mut sold = 0.0;
        for (item, location) in truth.places() {
            assert_eq!(told.on_hand(&item, &location), truth.on_hand(&item, &location), "{item} at {location}");
            let mut wanted = vec![0.0; truth.days_from(from, &location).len()];
            for m in truth.moves_at(&item, &location) {
                let sign = match m.kind {
                    MoveKind::Delivery => 1.0,
                    MoveKind::CustomerReturn => -1.0,
                    _ => continue,
                };
                let Some(done) = m.done_at else { continue };
                let day =
                    truth.days_from(from, &location).iter().position(|day| *day == calendar.day_of(done)).expect("a day");
                wanted[day] += sign * m.qty.to_f64();
            }
            sold += wanted.iter().sum::<f64>();
            assert_eq!(told.demand_by_day(&item, &location, from), wanted, "{item} at {location}");
            let out: Vec<bool> = truth.on_hand_by_day(&item, &location, from).iter().map(|level| *level <= 0.0).collect();
            assert_eq!(told.out_by_day(&item, &location, from), out, "{item} at {location}");
        }
        assert!(sold > 1000.0, "{sold}");

        // A delivery, and nothing is read but what it is about.
        let before = store.load_records().await.expect("the store answers");
        let of = |records: &[Record], kind: fn(&Record) -> bool| records.iter().filter(|r| kind(r)).count();
        fake.advance(std::time::Duration::from_mins(1));
        let done = fake.rows("stock.move");
        let done = done.values().find(|row| row["state"] == json!("done")).expect("a done move");
        let product = done["product_id"].clone();
        let shelf = fake.rows("stock.warehouse").values().next().expect("a warehouse")["lot_stock_id"].clone();
        let customer = fake.rows("stock.location");
        let customer = *customer.iter().find(|(_, row)| row["usage"] == json!("customer")).expect("customers").0;
        let stamp = reeve::odoo::live::call::odoo_time(fake.now());
        fake.create(
            "stock.move",
            &json!({"product_id": product, "product_uom": done["product_uom"], "location_id": shelf,
                "location_dest_id": customer, "state": "done", "quantity": 7.0, "product_uom_qty": 7.0, "date": stamp}),
        );
        let quants = fake.rows("stock.quant");
        let held = quants.iter().find(|(_, row)| row["product_id"] == product && row["location_id"] == shelf);
        let (quant, held) = held.expect("some are there");
        let left = held["quantity"].as_f64().expect("a quantity") - 7.0;
        fake.write("stock.quant", *quant, &json!({"quantity": left}));
        refresh(&config, &store, fake.now()).await;
        let after = store.load_records().await.expect("the store answers");
        let months = |r: &Record| matches!(r, Record::DemandMonth(_));
        let changed: Vec<&Record> = after.iter().filter(|r| months(r) && !before.contains(r)).collect();
        assert_eq!(changed.len(), 1, "{changed:?}");
        assert!(of(&after, months) - of(&before, months) <= 1);
        store.close().await;
    }
}
