//! What is announced, offered and on its way, through the whole App: six types from records to the morning's list.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use reeve::app::App;
use reeve::clock::Clock;
use reeve::config::Config;
use reeve::domain::exception::ExceptionType as T;
use reeve::domain::ids::{ItemId, LocationId};
use reeve::domain::money::{Quantity, UnitPrice};
use reeve::domain::notice::{Notice, NoticeContent, NoticeLine};
use reeve::domain::record::{Item, MoveKind, Observed, PurchaseLine, Record, SaleLine, StockMove, SupplierPrice};
use reeve::ports::{Page, PortError, Ports, Senders, Source};
use reeve::store::{Store, Which};
use reeve_testing::records::{self, at, day};

const WANTED: [T; 6] = [T::SDelay, T::SUnconf, T::RAsn, T::OOversell, T::OSync, T::TLate];

/// The App looks at eight in the evening of day 0.
fn now() -> Timestamp {
    at(0) + SignedDuration::from_hours(8)
}

/// A shop with five items, each in a trouble of its own.
#[derive(Clone, Default)]
struct Shop {
    observed: Vec<Observed>,
    next: u32,
}

impl Shop {
    fn tell(&mut self, changed_at: Timestamp, record: Record) {
        self.observed.push(Observed { changed_at, record });
    }

    fn id(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    fn moved(
        &mut self,
        item: &str,
        kind: MoveKind,
        ends: (Option<&str>, Option<&str>),
        qty: i64,
        done: Option<i32>,
    ) -> StockMove {
        let id = self.id();
        StockMove {
            item: ItemId::new(item),
            qty: Quantity::units(qty),
            created_at: done.map_or(at(-9), at),
            done_at: done.map(at),
            ..records::moved(&id, kind, ends.0, ends.1)
        }
    }

    /// An item that sells five a day at the store, where `stock` is left today.
    fn item(&mut self, item: &str, stock: i64) {
        let sells = Item { list_price: UnitPrice::from_erp(12.0), ..records::item(item) };
        self.tell(at(-80), Record::Item(sells));
        let comes = SupplierPrice { lead_days: 14, ..records::supplier_price(item) };
        self.tell(at(-80), Record::SupplierPrice(comes));
        let opening = self.moved(item, MoveKind::Opening, (None, Some("2")), stock + 5 * 60, Some(-70));
        self.tell(at(-70), Record::Move(opening));
        for offset in -60..0 {
            let id = self.id();
            let sold = SaleLine {
                item: ItemId::new(item),
                qty: Quantity::units(5),
                price: UnitPrice::from_erp(12.0),
                ordered_at: at(offset),
                ..records::sale_line(&id)
            };
            self.tell(at(offset), Record::SaleLine(sold));
            let shipped = StockMove {
                sale_line: Some(id),
                ..self.moved(item, MoveKind::Delivery, (Some("2"), None), 5, Some(offset))
            };
            self.tell(at(offset), Record::Move(shipped));
        }
    }

    fn order(&mut self, line: &str, item: &str, qty: i64, (ordered, promised): (i32, i32), received: &[(i64, i32)]) {
        let asked = PurchaseLine {
            item: ItemId::new(item),
            qty: Quantity::units(qty),
            price: UnitPrice::from_erp(4.0),
            ordered_at: at(ordered),
            promised_first: at(promised),
            promised: at(promised),
            ..records::po_line(line)
        };
        self.tell(at(ordered), Record::PoLine(asked));
        let done = received.iter().map(|(qty, on)| (*qty, Some(*on)));
        let open = [(qty, None)].into_iter().filter(|_| received.is_empty());
        for (qty, done) in done.chain(open).collect::<Vec<_>>() {
            let receipt = StockMove {
                po_line: Some(line.to_owned()),
                ..self.moved(item, MoveKind::Receipt, (None, Some("2")), qty, done)
            };
            self.tell(done.map_or(at(ordered), at), Record::Move(receipt));
        }
    }

    fn notice(&mut self, told: Timestamp, content: NoticeContent) {
        let id = format!("acme/{}", self.id());
        self.tell(told, Record::Notice(Notice { id, source: "acme".into(), occurred_at: told, received_at: told, content }));
    }

    fn with_troubles() -> Self {
        let mut shop = Self::default();
        for (id, name) in [("1", "Northgate DC"), ("2", "Market Street Store")] {
            shop.tell(at(-80), Record::Location(records::location(id, name)));
        }
        shop.tell(at(-80), Record::Supplier(records::supplier("9", "Acme")));
        // Comes later than the stock lasts.
        shop.item("1", 30);
        shop.order("11", "1", 100, (-8, 4), &[]);
        let (lines, reason) = (vec![about("11", "1", None)], "Port strike".to_owned());
        shop.notice(at(-1), NoticeContent::SupplierDelay { lines, new_date: day(12), reason });
        // Is not confirmed, as its like always was.
        shop.item("2", 20);
        for (i, line) in ["21", "22", "23", "24"].into_iter().enumerate() {
            let ordered = -58 + 6 * i as i32;
            shop.order(line, "2", 1, (ordered, ordered + 10), &[(1, ordered + 10)]);
            let lines = vec![about(line, "2", None)];
            shop.notice(at(ordered + 1), NoticeContent::OrderConfirmation { lines });
        }
        shop.order("25", "2", 100, (-9, 4), &[]);
        // Came short of what was announced.
        shop.item("3", 150);
        shop.order("31", "3", 100, (-15, -1), &[(90, -1)]);
        let content = NoticeContent::ShipNotice {
            shipment: "ASN-7".into(),
            shipped_on: day(-3),
            expected_on: None,
            packages: None,
            lines: vec![about("31", "3", Some(100))],
            replaces: None,
        };
        shop.notice(at(-3), content);
        // Is offered five times over.
        shop.item("4", 12);
        let content = NoticeContent::ChannelStock {
            channel: "Web shop".into(),
            item: ItemId::new("4"),
            location: Some(LocationId::new("2")),
            published: Quantity::units(60),
        };
        shop.notice(now() - SignedDuration::from_hours(1), content);
        // Left the warehouse, and has not been seen since.
        shop.item("5", 10);
        let opening = shop.moved("5", MoveKind::Opening, (None, Some("1")), 200, Some(-70));
        shop.tell(at(-70), Record::Move(opening));
        for (ends, done) in [((Some("1"), None), Some(-6)), ((None, Some("2")), None)] {
            let leg = StockMove {
                origin: "OP/0001".into(),
                created_at: at(-7),
                ..shop.moved("5", MoveKind::Transfer, ends, 40, done)
            };
            shop.tell(done.map_or(at(-7), at), Record::Move(leg));
        }
        shop.observed.sort_by_key(|o| o.changed_at);
        shop
    }
}

fn about(line: &str, item: &str, qty: Option<i64>) -> NoticeLine {
    NoticeLine {
        po_line: Some(line.into()),
        order: format!("P000{line}"),
        item: Some(ItemId::new(item)),
        item_text: String::new(),
        qty: qty.map(Quantity::units),
        price: None,
        date: None,
        lot: String::new(),
    }
}

#[async_trait]
impl Source for Shop {
    fn identity(&self) -> String {
        "a shop made up".into()
    }

    async fn read(&self, cursor: Option<&str>, until: Timestamp, limit: usize) -> Result<Page, PortError> {
        let start: usize = cursor.map_or(0, |c| c.parse().expect("our own cursor"));
        let visible = self.observed.partition_point(|o| o.changed_at <= until).max(start);
        let end = visible.min(start + limit);
        Ok(Page { observed: self.observed[start..end].to_vec(), next: end.to_string(), more: end < visible })
    }

    fn span(&self) -> Option<(Timestamp, Timestamp)> {
        Some((at(-80), now()))
    }
}

#[tokio::test]
async fn what_is_announced_offered_and_on_its_way_reaches_the_digest_with_something_to_do() {
    let store = Store::open_and_migrate("sqlite::memory:").await.unwrap();
    let mut config = Config::load_from(None, &[]).unwrap();
    // Small troubles too: what they are worth is not what is looked at.
    config.rules.ranking.least_value = reeve::domain::money::Money::ZERO;
    let config = Arc::new(config);
    let ports = Ports { source: Arc::new(Shop::with_troubles()), model: None, senders: Senders::default() };
    let app = App::new(config, store.clone(), ports, Clock::standing_at(now()));
    app.run_until_idle().await.unwrap();

    let seen: BTreeSet<T> = store.list_exceptions(Which::All).await.unwrap().into_iter().map(|e| e.signal.code).collect();
    for code in WANTED {
        assert!(seen.contains(&code), "{code} is not among {seen:?}");
    }
    let digest = store.find_digest(day(0)).await.unwrap().expect("the day has a digest");
    for code in WANTED {
        let line = digest.digest.lines.iter().find(|l| l.codes.iter().any(|c| c == code.code()));
        let line = line.unwrap_or_else(|| panic!("{code} is in no line:\n{}", digest.text));
        assert!(!line.action.is_empty() && line.action != "NO-ACTION", "{code}: {line:?}");
        assert!(digest.text.contains(code.code()), "{}", digest.text);
        let standing = store.list_recommendations(&line.case_id).await.unwrap();
        assert!(!standing.is_empty(), "{code} has nothing to decide");
        assert!(standing.iter().all(|(r, _)| !r.prose.rationale.contains("Port strike")), "a supplier's words stay facts");
    }
    // Delay and shortage, both of a channel's troubles: one root cause, one case.
    let together =
        |a: &str, b: &str| digest.digest.lines.iter().any(|l| [a, b].iter().all(|c| l.codes.iter().any(|x| x == c)));
    assert!(together("O-OVERSELL", "O-SYNC") && together("S-DELAY", "I-LOW"), "{}", digest.text);
}
