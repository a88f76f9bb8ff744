//! Tills, kits and settled orders on a live server, against an account that is kept beside it: what was wanted of each item in
//! each shop on each day, what is free to sell, and what the detectors say of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::book::Book;
use reeve::domain::exception::{Exception, ExceptionState, ExceptionType};
use reeve::domain::ids::{ItemId, LocationId};
use reeve::domain::money::Quantity;
use reeve::domain::record::Record;
use reeve::odoo::live;
use reeve::odoo::live::progress::Silent;
use reeve::ports::{Gap, Ports, Senders, Source as _};
use reeve::store::{Store, Which};

use reeve_testing::odoo::tills::{DOZEN, Retail};
use reeve_testing::odoo::{FakeOdoo, Seed, Version};

const VERSIONS: [Version; 3] = [Version::V17, Version::V18, Version::V19];

fn is_open(exception: &Exception) -> bool {
    exception.state != ExceptionState::Resolved
}

/// A retailer on a server, and what reads it.
struct Shop {
    fake: FakeOdoo,
    retail: Retail,
    config: Config,
    store: Store,
}

impl Shop {
    /// Beans, so many of which come to the first place on a day, and a set of two of them, which is made of them as it is sold.
    fn stocks_beans_and_a_set(&mut self, beans: f64, on: &str) -> (i64, i64) {
        let Self { fake, retail, .. } = self;
        let bean = Retail::product(fake, "Beans", "stored");
        let set = Retail::product(fake, "Set", "consu");
        retail.kit(fake, set, 1.0, &[(bean, 2.0, 1)]);
        retail.receive(fake, bean, 1, beans, on);
        (bean, set)
    }

    async fn new(version: Version) -> Self {
        let fake = FakeOdoo::start(Seed::Empty, version).await;
        let retail = Retail::open(&fake, 2);
        let mut config = Config::load_from(None, &[]).expect("the defaults load");
        config.odoo.url = fake.url();
        config.odoo.database = fake.database();
        config.odoo.user = fake.user();
        config.odoo.api_key = fake.key().into();
        config.odoo.requests_per_second = 0.0;
        let store = Store::open_and_migrate("sqlite::memory:").await.expect("the store opens");
        Self { fake, retail, config, store }
    }

    /// Reads the server, looks at what is there, and tells the book and what can not be read.
    async fn look(&self, when: &str) -> (Book, Vec<Gap>) {
        let now: Timestamp = format!("{}:00Z", when.replace(' ', "T")).parse().expect("a time");
        self.fake.set_now(now);
        let clock = Clock::standing_at(now);
        let setup = live::Setup {
            odoo: self.config.odoo.clone(),
            calendar: self.config.rules.calendar.calendar(),
            currency: self.config.rules.money.currency.clone(),
            mirror: Arc::new(self.store.clone()),
            clock: clock.clone(),
            progress: Arc::new(Silent),
        };
        let source = Arc::new(live::open(setup).await.expect("the server opens").source);
        let ports = Ports { source: Arc::clone(&source) as _, model: None, senders: Senders::default() };
        let app = App::new(Arc::new(self.config.clone()), self.store.clone(), ports, clock);
        app.run_until_idle().await.expect("the stages come to rest");
        assert!(self.fake.writes_seen().is_empty());
        let records = self.store.load_records().await.expect("the store answers");
        let gaps = source.gaps().await.expect("the store answers");
        let book = Book::new(now, self.config.rules.calendar.calendar(), records);
        (book.with_detail_days(self.config.odoo.detail_days), gaps)
    }

    async fn exceptions(&self) -> Vec<Exception> {
        self.store.list_exceptions(Which::All).await.expect("the store answers")
    }

    /// Of an item in a shop, what kinds of exceptions are open.
    async fn kinds(&self, item: i64, shop: i64) -> Vec<ExceptionType> {
        let here = |e: &Exception| {
            is_open(e)
                && e.signal.subject.item == Some(ItemId::new(item.to_string()))
                && e.signal.subject.location == Some(LocationId::new(shop.to_string()))
        };
        self.exceptions().await.iter().filter(|e| here(e)).map(|e| e.signal.code).collect()
    }

    /// The wanted of every day in November up to yesterday, as the account has it, is what the book says.
    #[track_caller]
    fn assert_wanted(&self, book: &Book, items: &[i64], what: &str) {
        let from = "2026-11-01".parse().expect("a day");
        for item in items {
            for shop in [1, 2] {
                let (id, location) = (ItemId::new(item.to_string()), LocationId::new(shop.to_string()));
                let told = book.demand_by_day(&id, &location, from);
                let days = book.days_from(from, &location);
                assert_eq!(told.len(), days.len());
                let told: BTreeMap<_, _> = days.into_iter().zip(told).filter(|(_, units)| *units != 0.0).collect();
                let mut wanted = self.retail.wanted.get(&(*item, shop)).cloned().unwrap_or_default();
                wanted.retain(|day, units| *units != 0.0 && *day < book.today);
                assert_eq!(told, wanted, "{what}: item {item} in shop {shop}");
            }
        }
    }

    #[track_caller]
    fn assert_free(book: &Book, item: i64, shop: i64, free: f64) {
        let (item, location) = (ItemId::new(item.to_string()), LocationId::new(shop.to_string()));
        assert_eq!(Some(book.available(&item, &location)), Quantity::from_erp(free), "free of {item} in shop {shop}");
    }
}

#[tokio::test]
async fn a_kit_is_demand_of_its_components_on_the_day_it_was_rung_up_or_ordered() {
    for version in VERSIONS {
        for at_closing in [true, false] {
            let mut shop = Shop::new(version).await;
            let Shop { fake, retail, .. } = &mut shop;
            let bean = Retail::product(fake, "Beans", "stored");
            let cup = Retail::product(fake, "Cup", "stored");
            let wrap = Retail::product(fake, "Wrapping", "service");
            let set = Retail::product(fake, "Set", "stored");
            let hamper = Retail::product(fake, "Hamper", "consu");
            // Four sets are eight beans and a dozen cups; a hamper is two sets and a bean.
            retail.kit(fake, set, 4.0, &[(bean, 8.0, 1), (cup, 1.0, DOZEN), (wrap, 4.0, 1)]);
            retail.kit(fake, hamper, 1.0, &[(set, 2.0, 1), (bean, 1.0, 1)]);
            for place in [1, 2] {
                retail.receive(fake, bean, place, 900.0, "2026-11-01 08:00");
                retail.receive(fake, cup, place, 900.0, "2026-11-01 08:00");
            }
            for day in 2..=18 {
                let session = retail.session(fake, 1, at_closing, &format!("2026-11-{day:02} 08:00"));
                retail.ring(fake, session, &[(set, 5.0), (bean, 1.0)], &format!("2026-11-{day:02} 10:00"));
                retail.ring(fake, session, &[(hamper, 1.0)], &format!("2026-11-{day:02} 18:00"));
                if day % 5 == 0 {
                    retail.ring(fake, session, &[(set, -1.0)], &format!("2026-11-{day:02} 19:00"));
                }
                // Booked in the night.
                retail.close(fake, session, &format!("2026-11-{:02} 01:00", day + 1));
                let order = retail.order(fake, 2, &[(set, 3.0), (cup, 2.0)], &format!("2026-11-{day:02} 11:00"));
                if day < 17 {
                    retail.deliver(fake, order, &format!("2026-11-{:02} 09:00", day + 2));
                }
            }
            let what = format!("{version:?}, at closing: {at_closing}");
            let (book, gaps) = shop.look("2026-11-20 06:30").await;
            assert!(!gaps.iter().any(|gap| gap.what.starts_with("mrp") || gap.what.starts_with("pos")), "{gaps:?}");
            shop.assert_wanted(&book, &[bean, cup, set, hamper], &what);
            let wanted = &shop.retail.wanted[&(bean, 1)];
            assert_eq!(wanted.values().map(|units| units.round() as i64).max(), Some(16), "5 × 2 + 1 + 2 × 2 + 1");
            for place in [1, 2] {
                assert_eq!(shop.kinds(set, place).await, [], "{what}: a kit is no stock of its own");
                let waiting = book.waiting(&ItemId::new(cup.to_string()), &LocationId::new(place.to_string()));
                let shelf = shop.retail.shelf[&(cup, place)];
                Shop::assert_free(&book, cup, place, shelf - waiting.to_f64());
            }
            let level = |r: &Record| matches!(r, Record::StockLevel(l) if l.item.as_str() == set.to_string());
            let records = shop.store.load_records().await.expect("the store answers");
            assert!(!records.iter().any(level));
        }
    }
}

#[tokio::test]
async fn a_kit_that_was_made_up_otherwise_counts_as_it_left() {
    for version in VERSIONS {
        let mut shop = Shop::new(version).await;
        let (bean, set) = shop.stocks_beans_and_a_set(900.0, "2026-11-01 08:00");
        let Shop { fake, retail, .. } = &mut shop;
        for day in 2..=18 {
            if day == 10 {
                retail.change_kit(fake, set, "2026-11-10 06:00", 3.0);
            }
            let session = retail.session(fake, 1, true, &format!("2026-11-{day:02} 08:00"));
            retail.ring(fake, session, &[(set, 5.0), (bean, 1.0)], &format!("2026-11-{day:02} 10:00"));
            retail.close(fake, session, &format!("2026-11-{day:02} 20:00"));
        }
        let (book, _) = shop.look("2026-11-20 06:30").await;
        shop.assert_wanted(&book, &[bean, set], &format!("{version:?}"));
        assert_eq!(shop.retail.wanted[&(bean, 1)].values().copied().collect::<Vec<_>>()[7..9], [11.0, 16.0]);

        // A kit on an order counts as it was made up when it was ordered.
        let Shop { fake, retail, .. } = &mut shop;
        retail.order(fake, 2, &[(set, 4.0)], "2026-11-20 07:00");
        let lines = |records: &[Record]| -> Vec<(String, Quantity)> {
            let line = |r: &Record| if let Record::SaleLine(l) = r { Some((l.item.to_string(), l.qty)) } else { None };
            records.iter().filter_map(line).collect()
        };
        shop.look("2026-11-20 07:30").await;
        let records = shop.store.load_records().await.expect("the store answers");
        assert_eq!(lines(&records), [(bean.to_string(), Quantity::units(12))]);
        let Shop { fake, retail, .. } = &mut shop;
        retail.change_kit(fake, set, "2026-11-20 07:40", 2.0);
        retail.order(fake, 2, &[(set, 5.0)], "2026-11-20 07:50");
        shop.look("2026-11-20 08:30").await;
        let records = shop.store.load_records().await.expect("the store answers");
        let both = [12, 10].map(|units| (bean.to_string(), Quantity::units(units)));
        assert_eq!(lines(&records), both);
        let bom = *shop.fake.rows("mrp.bom").keys().next().expect("a bill");
        shop.fake.archive("mrp.bom", bom);
        shop.look("2026-11-20 09:30").await;
        let records = shop.store.load_records().await.expect("the store answers");
        assert_eq!(lines(&records), both, "no kit any more, and what was ordered of it left as it was");
    }
}

/// The lines of customers' orders that are told: their item and quantity.
async fn lines_told(shop: &Shop) -> Vec<(String, Quantity)> {
    let line = |r: &Record| if let Record::SaleLine(l) = r { Some((l.item.to_string(), l.qty)) } else { None };
    shop.store.load_records().await.expect("the store answers").iter().filter_map(line).collect()
}

#[tokio::test]
async fn an_order_that_is_read_after_its_kit_was_changed_counts_by_the_bill_of_its_day() {
    for version in VERSIONS {
        let mut shop = Shop::new(version).await;
        let Shop { fake, retail, .. } = &mut shop;
        let bean = Retail::product(fake, "Beans", "stored");
        let cup = Retail::product(fake, "Cup", "stored");
        let set = Retail::product(fake, "Set", "consu");
        let hamper = Retail::product(fake, "Hamper", "consu");
        let bill = retail.kit(fake, set, 1.0, &[(bean, 2.0, 1), (cup, 1.0, 1)]);
        retail.receive(fake, bean, 2, 900.0, "2026-11-01 08:00");
        shop.look("2026-11-03 06:00").await;
        // Nobody looks for a week; meanwhile an order comes in, then the bill changes, twice, and a hamper becomes a kit.
        let Shop { fake, retail, .. } = &mut shop;
        retail.order(fake, 2, &[(set, 5.0)], "2026-11-04 09:00");
        retail.change_kit(fake, set, "2026-11-05 08:00", 3.0);
        retail.order(fake, 2, &[(set, 7.0)], "2026-11-06 09:00");
        retail.kit(fake, hamper, 1.0, &[(bean, 9.0, 1)]);
        shop.look("2026-11-10 06:00").await;
        let of = |lines: &[(String, Quantity)], item: i64| -> Vec<String> {
            lines.iter().filter(|(told, _)| *told == item.to_string()).map(|(_, qty)| qty.to_string()).collect()
        };
        let told = lines_told(&shop).await;
        assert_eq!((of(&told, bean), of(&told, cup)), (vec!["10".into(), "21".into()], vec!["5".into(), "7".into()]));
        // What is taken off the shelf by moves says the same: nothing waits twice.
        let (book, _) = shop.look("2026-11-10 07:00").await;
        assert_eq!(book.waiting(&ItemId::new(bean.to_string()), &LocationId::new("2")).to_string(), "31", "{version:?}");

        // A line is deleted from the bill, which leaves no time behind: orders from before the look are as they were.
        let cup_line =
            shop.fake.rows("mrp.bom.line").into_iter().find(|(_, row)| row["product_id"] == serde_json::json!(cup));
        shop.fake.unlink("mrp.bom.line", cup_line.expect("a line").0);
        shop.look("2026-11-12 06:00").await;
        assert_eq!(lines_told(&shop).await, told, "{version:?}, bill {bill}");
    }
}

#[tokio::test]
async fn an_order_from_before_the_first_look_counts_by_the_bill_as_it_was_read_first() {
    // What the bill was in between nobody can say. It stays so, whatever becomes of the bill.
    let mut shop = Shop::new(Version::V18).await;
    let Shop { fake, retail, .. } = &mut shop;
    let bean = Retail::product(fake, "Beans", "stored");
    let set = Retail::product(fake, "Set", "consu");
    retail.kit(fake, set, 1.0, &[(bean, 2.0, 1)]);
    retail.order(fake, 2, &[(set, 5.0)], "2026-11-04 09:00");
    retail.change_kit(fake, set, "2026-11-05 08:00", 3.0);
    shop.look("2026-11-06 06:00").await;
    assert_eq!(lines_told(&shop).await, [(bean.to_string(), Quantity::units(15))]);
    let Shop { fake, retail, .. } = &mut shop;
    retail.change_kit(fake, set, "2026-11-07 08:00", 4.0);
    shop.look("2026-11-08 06:00").await;
    assert_eq!(lines_told(&shop).await, [(bean.to_string(), Quantity::units(15))]);
}

#[tokio::test]
async fn bills_of_material_are_read_once_for_a_look() {
    let mut shop = Shop::new(Version::V18).await;
    let Shop { fake, retail, .. } = &mut shop;
    let bean = Retail::product(fake, "Beans", "stored");
    let set = Retail::product(fake, "Set", "consu");
    retail.kit(fake, set, 1.0, &[(bean, 2.0, 1)]);
    for when in ["2026-11-04 06:00", "2026-11-04 12:00"] {
        shop.fake.forget_traffic();
        shop.look(when).await;
        let asked = |model: &str| {
            let reads = shop.fake.traffic().into_iter().filter(|call| call.model == model && call.method == "search_read");
            reads.count()
        };
        assert_eq!((asked("mrp.bom"), asked("mrp.bom.line")), (1, 1), "at {when}");
    }
}

#[tokio::test]
async fn what_is_rung_up_and_is_no_goods_is_nothing_and_a_combo_is_its_choices() {
    for version in VERSIONS {
        for at_closing in [true, false] {
            let mut shop = Shop::new(version).await;
            let Shop { fake, retail, .. } = &mut shop;
            let bean = Retail::product(fake, "Beans", "stored");
            let cup = Retail::product(fake, "Cup", "stored");
            let set = Retail::product(fake, "Set", "consu");
            retail.kit(fake, set, 1.0, &[(bean, 2.0, 1)]);
            let tip = Retail::product(fake, "Tips", "service");
            let card = Retail::product(fake, "Gift card", "service");
            let discount = Retail::product(fake, "Discount", "service");
            // Up to 17 the head of a combo is a product of which no stock is kept.
            let menu = Retail::product(fake, "Menu", if version == Version::V17 { "consu" } else { "combo" });
            fake.write("pos.config", 1, &serde_json::json!({"tip_product_id": tip}));
            retail.receive(fake, bean, 1, 900.0, "2026-11-01 08:00");
            retail.receive(fake, cup, 1, 900.0, "2026-11-01 08:00");
            for day in 2..=18 {
                let session = retail.session(fake, 1, at_closing, &format!("2026-11-{day:02} 08:00"));
                let at = |hour: u8| format!("2026-11-{day:02} {hour:02}:00");
                // A menu: its head, and what was chosen, one of the choices a kit.
                retail.ring_with(fake, session, &[(cup, 1.0), (set, 2.0)], &[(menu, 1.0)], &at(9));
                retail.ring_with(fake, session, &[(bean, 3.0)], &[(tip, 1.0), (discount, 1.0)], &at(10));
                // A gift card is sold, and another pays.
                retail.ring_with(fake, session, &[(bean, 1.0)], &[(card, 1.0), (card, -1.0)], &at(11));
                if day % 3 == 0 {
                    // Brought back, the kit as a whole.
                    retail.ring_with(fake, session, &[(set, -1.0), (cup, -1.0)], &[(menu, -1.0)], &at(15));
                }
                retail.close(fake, session, &format!("2026-11-{day:02} 20:00"));
            }
            let (book, gaps) = shop.look("2026-11-20 06:30").await;
            assert!(!gaps.iter().any(|gap| gap.what.starts_with("pos") || gap.what.starts_with("mrp")), "{gaps:?}");
            let what = format!("{version:?}, at closing: {at_closing}");
            shop.assert_wanted(&book, &[bean, cup, set, tip, card, discount, menu], &what);
            assert_eq!(
                shop.retail.wanted[&(bean, 1)].values().map(|units| units.round() as i64).max(),
                Some(8),
                "2 × 2 + 3 + 1"
            );
            for item in [tip, card, discount, menu, set] {
                assert_eq!(shop.kinds(item, 1).await, [], "{what}");
            }
            Shop::assert_free(&book, cup, 1, shop.retail.shelf[&(cup, 1)]);
        }
    }
}

#[tokio::test]
async fn a_bill_for_some_variants_is_taken_apart_for_each_of_them() {
    for version in VERSIONS {
        let mut shop = Shop::new(version).await;
        let Shop { fake, retail, .. } = &mut shop;
        let bean = Retail::product(fake, "Beans", "stored");
        let wool = Retail::product(fake, "Wool", "stored");
        let silk = Retail::product(fake, "Silk", "stored");
        let warm = Retail::product(fake, "Box, warm", "consu");
        let (with_wool, with_silk) = (Retail::value(fake, 900), Retail::value(fake, 900));
        let fine = Retail::variant(fake, warm, "Box, fine", with_silk);
        fake.write("product.product", warm, &serde_json::json!({"product_template_attribute_value_ids": [with_wool]}));
        let parts = [(bean, 2.0, None), (wool, 1.0, Some(with_wool)), (silk, 3.0, Some(with_silk))];
        retail.kit_of_variants(fake, warm, &[(warm, with_wool), (fine, with_silk)], &parts);
        for item in [bean, wool, silk] {
            retail.receive(fake, item, 1, 900.0, "2026-11-01 08:00");
        }
        for day in 2..=18 {
            let session = retail.session(fake, 1, true, &format!("2026-11-{day:02} 08:00"));
            retail.ring(fake, session, &[(warm, 2.0), (fine, 1.0)], &format!("2026-11-{day:02} 10:00"));
            retail.close(fake, session, &format!("2026-11-{day:02} 20:00"));
            retail.order(fake, 2, &[(fine, 2.0)], &format!("2026-11-{day:02} 11:00"));
        }
        let (book, _) = shop.look("2026-11-20 06:30").await;
        shop.assert_wanted(&book, &[bean, wool, silk, warm, fine], &format!("{version:?}"));
        assert_eq!(shop.retail.wanted[&(silk, 1)].values().copied().collect::<Vec<_>>(), [3.0; 17]);
        assert_eq!(shop.retail.wanted.get(&(wool, 2)), None);
    }
}

#[tokio::test]
async fn what_is_delivered_later_or_booked_with_its_invoice_is_not_waiting_for_the_session_to_close() {
    for version in VERSIONS {
        let (mut shop, bean) = a_shop_that_sells_ten_a_day(version).await;
        let Shop { fake, retail, .. } = &mut shop;
        let session = retail.session(fake, 1, true, "2026-11-21 08:00");
        retail.ring(fake, session, &[(bean, 4.0)], "2026-11-21 09:00");
        retail.ring_invoiced(fake, session, &[(bean, 6.0)], "2026-11-21 09:30");
        let later = retail.ring_to_deliver(fake, session, &[(bean, 5.0)], "2026-11-21 10:00");
        let (book, _) = shop.look("2026-11-21 12:00").await;
        let (item, place) = (ItemId::new(bean.to_string()), LocationId::new("1"));
        assert_eq!(book.on_hand(&item, &place), Quantity::units(34), "the invoiced are booked");
        assert_eq!(book.unposted(&item, &place), Quantity::units(4), "{version:?}");
        let Shop { fake, retail, .. } = &mut shop;
        retail.close(fake, session, "2026-11-21 20:00");
        retail.deliver(fake, later, "2026-11-23 09:00");
        let (book, _) = shop.look("2026-11-24 06:30").await;
        assert_eq!(book.on_hand(&item, &place), Quantity::units(25));
        assert_eq!(book.unposted(&item, &place), Quantity::ZERO);
        // Wanted on the day it was paid, not when it left.
        shop.assert_wanted(&book, &[bean], &format!("{version:?}"));
        assert_eq!(shop.retail.wanted[&(bean, 1)].values().last().copied(), Some(15.0));
    }
}

#[tokio::test]
async fn a_session_that_is_open_over_the_end_of_a_month_leaves_no_stock_behind_that_was_sold() {
    for version in VERSIONS {
        for counted in [false, true] {
            let mut shop = Shop::new(version).await;
            let (bean, set) = shop.stocks_beans_and_a_set(40.0, "2026-10-30 08:00");
            let Shop { fake, retail, .. } = &mut shop;
            // Opened for the last evening, closed two days later: thirty-eight of forty are sold, two are left.
            let session = retail.session(fake, 1, true, "2026-10-31 18:00");
            retail.ring(fake, session, &[(bean, 8.0), (set, 16.0)], "2026-10-31 20:00");
            retail.ring(fake, session, &[(bean, -2.0)], "2026-10-31 20:30");
            if counted {
                retail.count(fake, bean, 1, 2.0, "2026-10-31 21:00");
            }
            let (item, place) = (ItemId::new(bean.to_string()), LocationId::new("1"));
            let from = "2026-10-29".parse().expect("a day");
            let what = format!("{version:?}, counted: {counted}");
            shop.look("2026-10-31 22:00").await;
            let (book, _) = shop.look("2026-11-01 12:00").await;
            assert_eq!(book.on_hand_by_day(&item, &place, from), [0.0, 40.0, 2.0], "{what}, while it is open");
            shop.retail.close(&shop.fake, session, "2026-11-02 20:00");
            shop.retail.receive(&shop.fake, bean, 1, 10.0, "2026-11-03 08:00");
            let (book, _) = shop.look("2026-11-04 06:30").await;
            let levels = book.on_hand_by_day(&item, &place, from);
            assert_eq!(levels[..3], [0.0, 40.0, 2.0], "{what}: {levels:?}");
            // Read anew from the beginning: the same.
            let again = Shop { store: Store::open_and_migrate("sqlite::memory:").await.expect("it opens"), ..shop };
            let (book, _) = again.look("2026-11-04 06:30").await;
            assert_eq!(book.on_hand_by_day(&item, &place, from), levels, "{what}, read anew");
        }
    }
}

#[tokio::test]
async fn where_bills_may_not_be_read_components_count_as_they_are_booked_and_that_is_said() {
    let mut shop = Shop::new(Version::V18).await;
    let (bean, set) = shop.stocks_beans_and_a_set(900.0, "2026-11-01 08:00");
    let Shop { fake, retail, .. } = &mut shop;
    for day in 2..=18 {
        let session = retail.session(fake, 1, true, &format!("2026-11-{day:02} 08:00"));
        retail.ring(fake, session, &[(set, 5.0), (bean, 1.0)], &format!("2026-11-{day:02} 10:00"));
        retail.close(fake, session, &format!("2026-11-{day:02} 20:00"));
    }
    shop.fake.set_right("mrp.bom", "read", false);
    let (book, gaps) = shop.look("2026-11-20 06:30").await;
    assert!(gaps.iter().any(|gap| gap.what == "mrp.bom"), "{gaps:?}");
    shop.assert_wanted(&book, &[bean, set], "blind");
}

#[tokio::test]
async fn an_order_that_is_settled_at_a_till_counts_once() {
    for version in VERSIONS {
        for at_closing in [true, false] {
            let mut shop = Shop::new(version).await;
            let (bean, set) = shop.stocks_beans_and_a_set(900.0, "2026-11-01 08:00");
            let Shop { fake, retail, .. } = &mut shop;
            for day in 2..=18 {
                let order = retail.order(fake, 1, &[(bean, 8.0), (set, 1.0)], &format!("2026-11-{day:02} 09:00"));
                let session = retail.session(fake, 1, at_closing, &format!("2026-11-{day:02} 09:30"));
                retail.pay_down(fake, session, order, &format!("2026-11-{day:02} 10:00"));
                // Taken the same day, or on the next but one with something more.
                retail.settle(fake, session, order, &format!("2026-11-{day:02} 12:00"));
                retail.ring(fake, session, &[(bean, 1.0)], &format!("2026-11-{day:02} 12:05"));
                retail.close(fake, session, &format!("2026-11-{day:02} 20:00"));
            }
            let what = format!("{version:?}, at closing: {at_closing}");
            let (book, _) = shop.look("2026-11-20 06:30").await;
            shop.assert_wanted(&book, &[bean, set], &what);
            assert!(shop.retail.wanted[&(bean, 1)].values().all(|units| (units - 11.0).abs() < 1e-9));
            Shop::assert_free(&book, bean, 1, 900.0 - 17.0 * 11.0);
            // By sums alone, as of days for which no lines are read: what left, once as well.
            let months: Vec<_> = book.demand_months.values().flatten().collect();
            let [month] = months.as_slice() else { panic!("{months:?}") };
            assert!(month.sold.values().all(|units| *units == Quantity::units(11)), "{what}: {month:?}");
            assert!(month.tills.values().all(|units| *units == Quantity::units(1)), "{what}: {month:?}");
        }
    }
}

/// Twenty days of ten a day, and forty on the shelf on the last morning.
async fn a_shop_that_sells_ten_a_day(version: Version) -> (Shop, i64) {
    let mut shop = Shop::new(version).await;
    let Shop { fake, retail, .. } = &mut shop;
    let bean = Retail::product(fake, "Beans", "stored");
    retail.receive(fake, bean, 1, 240.0, "2026-10-31 08:00");
    for day in 1..=20 {
        let session = retail.session(fake, 1, true, &format!("2026-11-{day:02} 08:00"));
        retail.ring(fake, session, &[(bean, 10.0)], &format!("2026-11-{day:02} 10:00"));
        retail.close(fake, session, &format!("2026-11-{day:02} 20:00"));
    }
    (shop, bean)
}

#[tokio::test]
async fn what_an_open_session_has_sold_is_missed_before_it_closes_and_is_no_count_difference_after() {
    for version in VERSIONS {
        let (mut shop, bean) = a_shop_that_sells_ten_a_day(version).await;
        let set = Retail::product(&shop.fake, "Set", "consu");
        let Shop { fake, retail, .. } = &mut shop;
        retail.kit(fake, set, 1.0, &[(bean, 2.0, 1)]);
        let session = retail.session(fake, 1, true, "2026-11-21 08:00");
        retail.ring(fake, session, &[(bean, 10.0), (set, 14.0)], "2026-11-21 09:00");
        let (book, _) = shop.look("2026-11-21 12:00").await;
        let (item, place) = (ItemId::new(bean.to_string()), LocationId::new("1"));
        assert_eq!(book.on_hand(&item, &place), Quantity::units(40));
        assert_eq!(book.unposted(&item, &place), Quantity::units(38));
        Shop::assert_free(&book, bean, 1, 2.0);
        assert!(shop.kinds(bean, 1).await.contains(&ExceptionType::ILow), "{version:?}: {:?}", shop.kinds(bean, 1).await);
        let Shop { fake, retail, .. } = &mut shop;
        retail.ring(fake, session, &[(bean, 2.0)], "2026-11-21 13:00");
        let (book, _) = shop.look("2026-11-21 14:00").await;
        Shop::assert_free(&book, bean, 1, 0.0);
        assert_eq!(book.on_hand_by_day(&item, &place, "2026-11-20".parse().unwrap()), [40.0], "at yesterday's close");
        let found = shop.exceptions().await;
        let out = found.iter().find(|e| is_open(e) && e.signal.code == ExceptionType::IOut).expect("it is out");
        assert!(out.signal.headline.contains("40 on the books, 40 sold at the tills and not yet posted"), "{out:?}");
        let fact = out.signal.facts.iter().find(|fact| fact.id.as_str().contains("/unposted")).expect("a fact says it");
        assert_eq!(fact.value.show(), "40");

        // Something came back, then it closes: nothing more to be said, and nothing is a difference.
        let Shop { fake, retail, .. } = &mut shop;
        retail.ring(fake, session, &[(bean, -1.0)], "2026-11-21 15:00");
        retail.close(fake, session, "2026-11-21 20:00");
        let (book, _) = shop.look("2026-11-21 21:00").await;
        assert_eq!(book.on_hand(&item, &place), Quantity::units(1));
        assert_eq!(book.unposted(&item, &place), Quantity::ZERO);
        let kinds = shop.kinds(bean, 1).await;
        assert!(!kinds.contains(&ExceptionType::ICount) && !kinds.contains(&ExceptionType::INeg), "{kinds:?}");
        let (book, _) = shop.look("2026-11-22 06:30").await;
        shop.assert_wanted(&book, &[bean, set], &format!("{version:?}"));
    }
}

#[tokio::test]
async fn a_count_in_the_middle_of_a_session_finds_only_what_is_not_there() {
    for (found, differs) in [(2.0, false), (1.0, false), (0.0, false), (-20.0, true)] {
        let (mut shop, bean) = a_shop_that_sells_ten_a_day(Version::V18).await;
        let Shop { fake, retail, .. } = &mut shop;
        let more = if found < 0.0 { 60.0 } else { 0.0 };
        retail.receive(fake, bean, 1, 60.0 + more, "2026-11-21 07:00");
        let session = retail.session(fake, 1, true, "2026-11-21 08:00");
        retail.ring(fake, session, &[(bean, 38.0)], "2026-11-21 09:00");
        let shelf = 62.0 + more;
        // Somebody counts: `found` is how the shelf differs from what it should hold.
        let counted = if differs { shelf + found } else { shelf };
        retail.count(fake, bean, 1, counted, "2026-11-21 11:00");
        retail.ring(fake, session, &[(bean, found.max(0.0))], "2026-11-21 11:30");
        let (book, _) = shop.look("2026-11-21 12:00").await;
        Shop::assert_free(&book, bean, 1, counted - found.max(0.0));
        let kinds = shop.kinds(bean, 1).await;
        assert_eq!(kinds.contains(&ExceptionType::ICount), differs, "{found}: {kinds:?}");
        // When it closes, the books have the thirty-eight off twice. The count was right all the same.
        shop.retail.close(&shop.fake, session, "2026-11-21 20:00");
        shop.look("2026-11-21 21:00").await;
        let kinds = shop.kinds(bean, 1).await;
        assert_eq!(kinds.contains(&ExceptionType::ICount), differs, "{found}: {kinds:?}");
        let count = shop.exceptions().await.into_iter().find(|e| e.signal.code == ExceptionType::ICount);
        if let Some(count) = count {
            assert!(count.signal.headline.contains("20 fewer"), "{}", count.signal.headline);
        }
    }
}

#[tokio::test]
async fn tills_that_may_not_be_read_are_gaps_and_no_failures() {
    for (model, costs) in [
        ("pos.session", "what open sessions have sold"),
        ("pos.order", "what open sessions have sold"),
        ("pos.order.line", "count twice"),
        ("report.pos.order", "on the day their stock is booked"),
    ] {
        let (mut shop, bean) = a_shop_that_sells_ten_a_day(Version::V18).await;
        let session = shop.retail.session(&shop.fake, 1, true, "2026-11-21 08:00");
        shop.retail.ring(&shop.fake, session, &[(bean, 38.0)], "2026-11-21 09:00");
        shop.fake.set_right(model, "read", false);
        let (book, gaps) = shop.look("2026-11-21 12:00").await;
        let gap = gaps.iter().find(|gap| gap.what == model).expect("a gap");
        assert!(gap.costs.contains(costs), "{gap:?}");
        assert_eq!(book.on_hand(&ItemId::new(bean.to_string()), &LocationId::new("1")), Quantity::units(40));
        shop.assert_wanted(&book, &[bean], model);
    }
}
