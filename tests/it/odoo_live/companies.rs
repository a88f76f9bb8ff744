//! Two companies on one server, with names alike and a currency each: nothing of one is told as the other's, and nothing
//! crosses between them unless somebody said that it may.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::action::Action;
use reeve::domain::book::Book;
use reeve::domain::exception::{ExceptionType as T, Signal};
use reeve::domain::ids::{ItemId, LocationId};
use reeve::domain::money::UnitPrice;
use reeve::domain::record::MoveKind;
use reeve::odoo::live;
use reeve::odoo::live::progress::Silent;
use reeve::ports::{Ports, Senders, Source};
use reeve::rules::detect::look;
use reeve::store::{Store, Which};

use crate::support::databases::databases;
use reeve_testing::odoo::companies::{
    ALPHA_MAIN, BETA_BILL, BETA_FROM_ALPHA, BETA_MAIN, KETTLE, LOCAL, NEVER, RECEIVED, SHIPPED,
};
use reeve_testing::odoo::{FakeOdoo, Seed, Version};

/// The evening of the server's last day.
fn evening() -> Timestamp {
    "2026-11-01T18:00:00Z".parse().expect("a time")
}

fn config(odoo: &FakeOdoo, more: &[(&str, &str)]) -> Config {
    let more: Vec<(String, String)> = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let mut config = Config::load_from(None, &more).expect("the settings load");
    config.odoo.url = odoo.url();
    config.odoo.database = odoo.database();
    config.odoo.user = odoo.user();
    config.odoo.api_key = odoo.key().into();
    config.odoo.requests_per_second = 0.0;
    config
}

/// Reads the server into a store, runs every stage, and gives the book of that evening.
async fn read(config: &Config, store: &Store) -> (Book, Vec<String>) {
    let at = evening();
    let setup = live::Setup {
        odoo: config.odoo.clone(),
        calendar: config.rules.calendar.calendar(),
        currency: config.rules.money.currency.clone(),
        mirror: Arc::new(store.clone()),
        clock: Clock::standing_at(at),
        progress: Arc::new(Silent),
    };
    let opened = live::open(setup).await.expect("the server opens");
    let source: Arc<dyn Source> = Arc::new(opened.source);
    let ports = Ports { source: Arc::clone(&source), model: None, senders: Senders::default() };
    let app = App::new(Arc::new(config.clone()), store.clone(), ports, Clock::standing_at(at));
    app.run_until_idle().await.expect("the stages come to rest");
    let records = store.load_records().await.expect("the store answers");
    let book = Book::new(at, config.rules.calendar.calendar(), records).with_detail_days(config.odoo.detail_days);
    let gaps = source.gaps().await.expect("the gaps are told");
    (config.rules.settled(book), gaps.into_iter().map(|gap| format!("{}: {}. {}", gap.what, gap.why, gap.costs)).collect())
}

fn item(id: i64) -> ItemId {
    ItemId::new(id.to_string())
}

fn place(id: i64) -> LocationId {
    LocationId::new(id.to_string())
}

fn of(signals: &[Signal], code: T) -> Vec<&Signal> {
    signals.iter().filter(|signal| signal.code == code && signal.explained.is_none()).collect()
}

#[tokio::test]
async fn two_companies_with_names_alike_and_a_currency_each_stay_apart() {
    for db in databases().await {
        let odoo = FakeOdoo::start(Seed::Companies, Version::V18).await;
        let config = config(&odoo, &[]);
        let store = Store::open_and_migrate(&db.store_url()).await.expect("the store opens");
        let (book, gaps) = read(&config, &store).await;
        let what = db.kind();

        // Places and costs are each company's own; money is in the configured currency.
        let beta = &book.locations[&place(BETA_MAIN)];
        assert_eq!((beta.company.as_deref(), beta.company_name.as_str()), (Some("2"), "Beta GmbH"), "{what}");
        assert_eq!(book.cost(&item(KETTLE), &place(ALPHA_MAIN)), UnitPrice::from_erp(8.0), "{what}");
        assert_eq!(book.cost(&item(KETTLE), &place(BETA_MAIN)), UnitPrice::from_erp(12.5), "{what}: 10 euros");
        assert_eq!(book.margin(&item(KETTLE), &place(BETA_MAIN)), UnitPrice::from_erp(7.5), "{what}");
        let line = &book.po_lines[&BETA_FROM_ALPHA.to_string()];
        assert_eq!((line.price, line.company.as_deref()), (UnitPrice::from_erp(16.5), Some("2")), "{what}");

        // What nobody ever had is carried nowhere, and what one store has, only there.
        let carried: BTreeSet<(ItemId, LocationId)> = book.places().into_iter().collect();
        let expected = [(KETTLE, ALPHA_MAIN), (LOCAL, ALPHA_MAIN), (KETTLE, BETA_MAIN)].map(|(i, l)| (item(i), place(l)));
        assert_eq!(carried, BTreeSet::from(expected), "{what}");

        // Goods sold by one to the other have left the one and are received by the other.
        let moved = |id: i64| book.find_move(&id.to_string()).unwrap();
        assert_eq!((moved(SHIPPED).kind, moved(RECEIVED).kind), (MoveKind::Delivery, MoveKind::Receipt), "{what}");
        assert_eq!(book.received(&line.id), line.qty, "{what}");
        assert_eq!(book.passages(), [], "{what}: nothing is under way");

        // Beta has run out; Alpha's stock is not its. Northwind is late for Beta only.
        let signals = look(&book, &config.rules).signals;
        let outs = of(&signals, T::IOut);
        assert_eq!(outs.len(), 1, "{what}: {outs:#?}");
        assert_eq!(outs[0].subject.location, Some(place(BETA_MAIN)), "{what}");
        assert!(of(&signals, T::IImbal).is_empty() && of(&signals, T::TLate).is_empty(), "{what}");
        let shifts = of(&signals, T::SLtShift);
        assert_eq!(shifts.len(), 1, "{what}: {shifts:#?}");
        assert!(shifts[0].headline.contains("(for Beta GmbH)"), "{what}: {}", shifts[0].headline);
        assert!(signals.iter().all(|signal| signal.subject.item != Some(item(NEVER))), "{what}");

        // A bill for what was received is not held back, and no transfer is proposed.
        let open = store.list_exceptions(Which::Live).await.expect("the store answers");
        assert!(!open.is_empty(), "{what}");
        for case in store.list_cases(&[]).await.expect("the store answers") {
            for (found, _) in store.list_recommendations(&case.id).await.expect("the store answers") {
                let action = &found.candidate.action;
                let held = matches!(action, Action::BlockBill { bill, .. } if *bill == BETA_BILL.to_string());
                assert!(!matches!(action, Action::Transfer { .. }) && !held, "{what}: {action:?}");
            }
        }

        // A bill in yen has no value, and it is said what that costs.
        let rate = gaps.iter().find(|gap| gap.starts_with("account.move.currency_id")).expect("the rate is missed");
        assert!(rate.contains("without a value") && rate.contains("no rate"), "{what}: {rate}");
        assert!(!gaps.iter().any(|gap| gap.contains("nothing is known")), "{what}: {gaps:#?}");
        assert!(odoo.writes_seen().is_empty());
        store.close().await;
    }
}

#[tokio::test]
async fn where_an_inter_company_rule_says_so_the_others_stock_can_help() {
    let odoo = FakeOdoo::start(Seed::Companies, Version::V19).await;
    let config = config(
        &odoo,
        &[
            ("REEVE_COMPANIES__TRANSFERS", "alpha ltd=Beta GmbH"),
            ("REEVE_CALENDAR__CLOSED_DAYS", "WH=2026-12-24,Beta GmbH/WH=2026-12-25"),
        ],
    );
    let store = Store::open_and_migrate("sqlite::memory:").await.expect("the store opens");
    let (book, _) = read(&config, &store).await;
    let signals = look(&book, &config.rules).signals;
    let spare = of(&signals, T::IImbal);
    assert_eq!(spare.len(), 1, "{spare:#?}");
    assert_eq!(spare[0].subject.location, Some(place(BETA_MAIN)));
    // A code that both companies have means neither, and it is said what to write.
    let gaps = reeve::pipeline::observe::gaps(&store).await.expect("the store answers");
    let unclear: Vec<&str> = gaps.iter().filter(|g| g.what.starts_with("calendar")).map(|g| g.why.as_str()).collect();
    assert_eq!(unclear, ["2 locations have this code; write \"Alpha Ltd/WH\" or \"Beta GmbH/WH\""], "{gaps:#?}");
    let off = |id: i64| config.rules.calendar.closed_days.of(&book, &place(id)).len();
    assert_eq!((off(ALPHA_MAIN), off(BETA_MAIN)), (0, 1));
    store.close().await;
}

#[tokio::test]
async fn the_time_zone_of_a_company_that_is_not_read_is_no_mistake() {
    let odoo = FakeOdoo::start(Seed::Companies, Version::V18).await;
    odoo.with(|state| {
        let values = serde_json::json!({"code": "OSA"});
        state.write("stock.warehouse", BETA_MAIN, &values);
    });
    let zones = "OSA=Asia/Tokyo,NOR=Europe/Oslo,Alpha Ltd/WH=Europe/London,XXX=Europe/Oslo";
    let mut config = config(&odoo, &[("REEVE_ODOO__TIME_ZONES", zones)]);
    config.odoo.companies = vec!["Alpha Ltd".to_owned()];
    let store = Store::open_and_migrate("sqlite::memory:").await.expect("the store opens");
    let (book, gaps) = read(&config, &store).await;
    let zones: Vec<&String> = gaps.iter().filter(|gap| gap.starts_with("odoo.time_zones")).collect();
    assert_eq!(zones.len(), 1, "{zones:#?}");
    assert!(zones[0].contains("XXX") && zones[0].contains("no warehouse that can be read"), "{zones:#?}");
    // Of one company the book is as ever: its cost stands for all.
    assert_eq!(book.items[&item(KETTLE)].costs.len(), 0);
    assert_eq!(book.cost(&item(KETTLE), &place(ALPHA_MAIN)), UnitPrice::from_erp(8.0));
    store.close().await;
}
