//! Cases built by hand: the handbook's vectors, what must hold for any book, and what each family proposes.

mod actions;
mod advice;
mod any_book;
mod bills;
mod decide;
mod frozen;
mod handbook;
mod kit;
mod plans;
mod prices;
mod relief;
mod signed;
mod twice;
mod unsure;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::gathered::Proposal;
use super::*;
use crate::outlook::{DayForecast, Outlook};
use crate::playbook;
use crate::recheck::{failures, recheck};
use crate::settings::Settings;
use reeve_domain::action::MoneySum;
use reeve_domain::book::Book;
use reeve_domain::calendar::Calendar;
use reeve_domain::case::{Case, Lane};
use reeve_domain::exception::{Exception, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{BillLine, Item, PurchaseLine, Record, ReorderRule, SaleLine, StockMove, SupplierPrice};
use reeve_models::formulas;
use reeve_testing::cases;
use reeve_testing::records::{self, at, day};

fn price(p: f64) -> UnitPrice {
    UnitPrice::from_erp(p).unwrap()
}

fn money(text: &str) -> Money {
    Money::from_decimal(text.parse().unwrap())
}

/// A shop with one item (cost 4.00, price 10.00), two places and one supplier, to which tests add what they need.
#[derive(Debug)]
struct Shop {
    records: Vec<Record>,
    outlook: Outlook,
    claimed: BTreeMap<String, String>,
    promised: BTreeMap<reeve_domain::book::Place, Quantity>,
    p: BTreeMap<ExceptionType, f64>,
    settings: Settings,
    /// The day that is looked at, from the first, and what was said of the case before.
    now: i32,
    said: Option<reeve_domain::case::Rank>,
    next: u32,
}

impl Shop {
    fn new() -> Self {
        let mut shop = Self {
            records: Vec::new(),
            outlook: Outlook::default(),
            claimed: BTreeMap::new(),
            promised: BTreeMap::new(),
            p: BTreeMap::new(),
            settings: Settings::defaults(),
            now: 0,
            said: None,
            next: 1000,
        };
        shop.item("1", Some(4.0), Some(10.0));
        for (id, name) in [("1", "Northgate DC"), ("2", "Market Street Store")] {
            shop.records.push(Record::Location(records::location(id, name)));
        }
        shop.records.push(Record::Supplier(records::supplier("9", "Acme")));
        shop
    }

    fn item(&mut self, id: &str, cost: Option<f64>, list: Option<f64>) {
        let item = Item { cost: cost.map(price), list_price: list.map(price), ..records::item(id) };
        self.records.push(Record::Item(item));
    }

    fn id(&mut self) -> String {
        self.next += 1;
        self.next.to_string()
    }

    fn offer(&mut self, lead_days: u32, min_qty: i64, multiple: i64) {
        let id = self.id();
        let terms = records::supplier_price("1");
        let min_qty = Quantity::units(min_qty);
        self.records.push(Record::SupplierPrice(SupplierPrice { id, min_qty, lead_days, ..terms }));
        for location in ["1", "2"] {
            let id = self.id();
            self.records.push(Record::ReorderRule(ReorderRule {
                id,
                item: ItemId::new("1"),
                location: LocationId::new(location),
                min: Quantity::ZERO,
                max: Quantity::ZERO,
                multiple: Quantity::units(multiple),
            }));
        }
    }

    fn moved(&mut self, kind: MoveKind, location: &str, qty: f64, done: Option<i32>) -> &mut StockMove {
        let inward = matches!(kind, MoveKind::Opening | MoveKind::Receipt | MoveKind::CustomerReturn);
        let (from, to) = if inward { (None, Some(location)) } else { (Some(location), None) };
        let id = self.id();
        self.records.push(Record::Move(StockMove {
            qty: Quantity::from_erp(qty.abs()).unwrap(),
            done_at: done.map(at),
            document_id: None,
            ..records::moved(&id, kind, from, to)
        }));
        match self.records.last_mut() {
            Some(Record::Move(m)) => m,
            _ => unreachable!("a move was just pushed"),
        }
    }

    /// Opening stock; a negative one is a delivery of what was never there.
    fn stock(&mut self, location: &str, qty: f64) {
        let kind = if qty < 0.0 { MoveKind::Delivery } else { MoveKind::Opening };
        self.moved(kind, location, qty, Some(-50));
    }

    fn order(&mut self, line: &str, location: &str, qty: i64, promised: i32) {
        self.records.push(Record::PoLine(PurchaseLine {
            location: LocationId::new(location),
            qty: Quantity::units(qty),
            ordered_at: at(promised.min(0) - 10),
            promised_first: at(promised),
            promised: at(promised),
            ..records::po_line(line)
        }));
    }

    fn receipt(&mut self, line: &str, location: &str, qty: i64, done: Option<i32>) {
        self.moved(MoveKind::Receipt, location, qty as f64, done).po_line = Some(line.into());
    }

    fn bill(&mut self, line: &str, qty: i64, unit: f64, due: i32, paid: bool) {
        let id = self.id();
        self.records.push(Record::BillLine(BillLine {
            qty: Quantity::units(qty),
            price: Some(price(unit)),
            billed_on: day(-3),
            due_on: Some(day(due)),
            paid,
            created_at: at(-3),
            ..records::bill_line(&id, line)
        }));
    }

    fn demand(&mut self, location: &str, mean: f64, sigma: f64) {
        let place = (ItemId::new("1"), LocationId::new(location));
        self.outlook.daily.insert(place, vec![DayForecast { mean, sigma }; 60]);
    }

    fn book(&self) -> Book {
        Book::new(at(self.now), Calendar::utc(), self.records.clone())
    }

    fn with<T>(&self, exceptions: &[Exception], work: impl FnOnce(&Scene<'_>) -> T) -> T {
        let book = self.book();
        let case = Case { rank: self.said.clone(), ..cases::case("case-1", exceptions, at(0)) };
        let scene = Scene {
            case: &case,
            exceptions,
            book: &book,
            outlook: &self.outlook,
            p: &self.p,
            claimed: &self.claimed,
            promised: &self.promised,
            settings: &self.settings,
        };
        work(&scene)
    }

    fn assess(&self, exceptions: &[Exception]) -> Assessment {
        self.with(exceptions, |scene| {
            let found = assess(scene);
            sound(scene, &found);
            found
        })
    }
}

fn exception(code: ExceptionType, subject: Subject) -> Exception {
    let days = (day(-7), day(0));
    let signal = Signal::rule("test/1", code, subject, "2026-W45".into(), days, "Something happened".into());
    cases::exception(signal, at(0))
}

fn here(code: ExceptionType, location: &str) -> Exception {
    exception(code, Subject::at(&ItemId::new("1"), &LocationId::new(location)))
}

fn on_line(code: ExceptionType, line: &str, location: &str) -> Exception {
    let mut subject = Subject::at(&ItemId::new("1"), &LocationId::new(location));
    subject.po_line = Some(line.into());
    subject.order = Some(format!("5{line}"));
    subject.supplier = Some(SupplierId::new("9"));
    subject.bill = (code.family() == reeve_domain::exception::Family::Matching).then(|| format!("7{line}"));
    exception(code, subject)
}

fn find<'a>(found: &'a Assessment, code: &str) -> Option<&'a Candidate> {
    found.candidates.iter().find(|c| c.action.code() == code)
}

#[track_caller]
fn must<'a>(found: &'a Assessment, code: &str) -> &'a Candidate {
    find(found, code).unwrap_or_else(|| panic!("{code} is not among {:?}", codes(found)))
}

fn codes(found: &Assessment) -> Vec<&'static str> {
    found.candidates.iter().map(|c| c.action.code()).collect()
}

/// The names of everything in a book.
fn names_of(book: &Book) -> Vec<String> {
    let items = book.items.keys().map(|item| book.item_label(item));
    let places = book.locations.keys().map(|location| book.location_name(location));
    let orders = book.po_lines.values().map(|line| line.order_name.clone());
    let sales = book.sale_lines.values().map(|line| line.order_name.clone());
    let bills = book.bill_lines.values().map(|line| line.bill_name.clone());
    let moves = book.every_move().into_iter().map(|m| m.document.clone());
    items.chain(places).chain(orders).chain(sales).chain(bills).chain(moves).collect()
}

/// What holds for every assessment, whatever the book.
#[track_caller]
fn sound(scene: &Scene<'_>, found: &Assessment) {
    let ids = found.fact_ids();
    assert_eq!(ids.len(), found.facts.len(), "fact ids are unique");
    let nothing = must(found, "NO-ACTION");
    assert_eq!(nothing.money.benefit, Range::default(), "doing nothing is worth nothing");
    let mut whole = Range::default();
    for part in &found.loss_sum {
        assert!(part.cites.iter().all(|c| ids.contains(c)), "{} cites a fact that is not there", part.what);
        assert!(part.amount.low <= part.amount.expected && part.amount.expected <= part.amount.high);
        assert!(part.amount.low >= Money::ZERO);
        whole = gathered::plus(whole, part.amount);
    }
    for (i, c) in found.candidates.iter().enumerate() {
        assert_eq!(c.id, format!("A{}", i + 1));
        assert!(c.cites.iter().all(|id| ids.contains(id)), "{} cites a fact that is not there", c.summary);
        assert!(!c.cites.is_empty());
        assert_eq!(c.money.loss_now, whole, "L0 is the sum of its parts");
        let m = &c.money;
        assert_eq!(*m, MoneySum::new(m.p, m.loss_now, m.loss_after, m.cost, m.regret), "the sum recomputes");
        assert!(failures(&recheck(scene, &c.action)).is_empty(), "{} fails at the click", c.summary);
        assert!(c.latest_date > scene.book.today, "{} had to be done by {}", c.summary, c.latest_date);
        assert_eq!(c.checks, recheck(scene, &c.action), "the same checks run at the click");
    }
    crate::recompute::recomputed::assert_recomputes(found);
    assert!(found.candidates.is_sorted_by(|a, b| a.money.benefit.expected >= b.money.benefit.expected));
    if found.abstain.is_some() {
        must(found, "ESCALATE");
    }
    assert!(found.abstain.is_some() || found.missing.is_empty(), "what is missing is never hidden");
    assert!(found.rank.value.expected >= Money::ZERO && found.rank.priority <= found.rank.value.expected);
    let draft = playbook::draft(scene, found);
    assert_eq!(draft, playbook::draft(scene, found), "the same assessment gives the same words");
    assert_eq!(draft.choices.len(), found.candidates.len());
    for choice in &draft.choices {
        let prose = &choice.prose;
        for text in [&prose.rationale, &prose.risks, &prose.would_change] {
            assert!(!text.is_empty() && !text.contains("{{") && !text.contains("undefined"), "{text}");
        }
        let c = found.candidates.iter().find(|c| c.id == choice.candidate).expect("a draft orders candidates");
        assert_ne!(prose.rationale.trim_end_matches('.'), c.summary, "a template failed: {}", prose.rationale);
        assert!(!prose.rationale.contains("(undefined"), "{}", prose.rationale);
        let first = prose.rationale.split_once(". ").map_or(prose.rationale.as_str(), |(first, _)| first);
        assert!(first.chars().count() <= 150 || c.action.code() == "ESCALATE", "{first}");
        assert!(prose.cites.iter().all(|id| ids.contains(id)));
        let sends = c.actions().any(|action| action.entry().message == reeve_domain::action::Message::Letter);
        assert_eq!(prose.message.is_some(), sends, "{}", c.summary);
        let rec = reeve_domain::recommendation::Recommendation::drafted(
            scene.case.id.clone(),
            1,
            c.clone(),
            prose.clone(),
            String::new(),
            reeve_domain::recommendation::Drafter::Playbook { because: None },
            at(0),
        );
        let evidence = crate::recompute::recomputed::frozen(found);
        // What is at stake in each part stands on the card, too.
        let parts = found.loss_sum.iter().map(|part| part.amount.expected.to_string());
        let names = names_of(scene.book).into_iter().chain(parts);
        let sources = crate::recompute::words::Sources::of(&rec, &evidence, &[], names);
        let nowhere = crate::recompute::words::from_nowhere(&rec, &sources);
        assert!(nowhere.is_empty(), "{}: numbers from nowhere {nowhere:?} in {prose:?}", c.summary);
    }
    if draft.abstain.is_some() {
        let first = found.candidates.iter().find(|c| c.id == draft.choices[0].candidate).expect("named above");
        assert_eq!(first.action.code(), "ESCALATE");
    }
}

/// A store that runs out in three days while the warehouse has plenty and a receipt is eight days away.
fn short_shop() -> Shop {
    let mut shop = Shop::new();
    shop.offer(12, 0, 1);
    shop.stock("1", 500.0);
    shop.stock("2", 60.0);
    shop.order("1", "2", 200, 8);
    shop.receipt("1", "2", 200, None);
    shop.demand("1", 4.0, 2.0);
    shop.demand("2", 12.0, 5.0);
    shop
}
