//! Purchase lines beside what their suppliers usually do: worked examples, each on a book built by hand.

use super::*;
use crate::detect::{habits, matching};
use crate::settings::Models;
use reeve_models::receiving::Detector;

/// What is done with one of a supplier's lines.
#[derive(Clone, Copy)]
struct Done {
    came: i64,
    /// Days after the promise.
    late: i32,
    /// Billed price in cents; agreed are 800.
    cents: i64,
    billed: i64,
}

const AS_ORDERED: Done = Done { came: 100, late: 0, cents: 800, billed: 100 };

fn short(by: i64) -> Done {
    Done { came: 100 - by, billed: 100 - by, ..AS_ORDERED }
}

impl Shop {
    /// A hundred ordered of a supplier on an order of its own, promised so many days from now, and what came of it.
    fn bought(&mut self, supplier: &str, promised: i32, done: Done) -> String {
        let line = self.id();
        self.order(&line, 100, promised - 7, promised).supplier = SupplierId::new(supplier);
        let came = promised + done.late;
        let receipt = self.moved(MoveKind::Receipt, None, Some("2"), done.came, Some(came));
        receipt.po_line = Some(line.clone());
        receipt.document = format!("DC/IN/{line}");
        let bill = records::bill_line(&format!("9{line}"), &line);
        let price = reeve_domain::money::UnitPrice::from_erp(done.cents as f64 / 100.0);
        self.records.push(Record::BillLine(BillLine {
            qty: Quantity::units(done.billed),
            price,
            billed_on: day(came + 1),
            created_at: at(came + 1),
            supplier: SupplierId::new(supplier),
            reference: format!("INV-{line}"),
            bill_name: format!("BILL/{line}"),
            paid: came < -30,
            ..bill
        }));
        line
    }

    /// So many lines, one every fourth day, the last of them 20 days ago.
    fn history(&mut self, supplier: &str, lines: i32, done: impl Fn(i32) -> Done) {
        for nth in 0..lines {
            self.bought(supplier, -20 - 4 * (lines - 1 - nth), done(nth));
        }
    }

    fn judged(&self) -> Vec<Signal> {
        let book = self.book();
        let mut found = receiving::signals(&book, &self.settings);
        found.extend(matching::signals(&book, &self.settings));
        habits::join(&book, &self.settings, &mut found);
        found
    }

    /// What the habits alone have found.
    fn found(&self) -> Vec<Signal> {
        self.judged().into_iter().filter(|signal| signal.is_made_by("receiving-habits")).collect()
    }

    fn by(mut self, detector: Detector) -> Self {
        self.settings.models = Models::default().with_receiving(detector);
        self
    }
}

fn about<'s>(signals: &'s [Signal], line: &str) -> Vec<&'s Signal> {
    signals.iter().filter(|signal| signal.subject.po_line.as_deref() == Some(line)).collect()
}

#[test]
fn two_percent_short_is_quiet_of_a_supplier_that_always_is_and_raised_of_one_that_never_was() {
    for detector in [Detector::unsupervised(), Detector::shipped()] {
        let mut shop = Shop::new().by(detector);
        shop.history("9", 40, |_| short(2));
        shop.history("8", 40, |_| AS_ORDERED);
        let usual: Vec<String> = (0..4).map(|nth| shop.bought("9", -14 + 4 * nth, short(2))).collect();
        let new: Vec<String> = (0..4).map(|nth| shop.bought("8", -14 + 4 * nth, short(2))).collect();
        let found = shop.found();
        assert!(usual.iter().all(|line| about(&found, line).is_empty()), "{found:?}");
        let last = about(&found, &new[3]);
        assert_eq!(last.len(), 1, "{:?}", found.iter().map(|s| &s.headline).collect::<Vec<_>>());
        assert_eq!(last[0].code, T::RShort);
        assert!(last[0].headline.contains("98 of 100") && last[0].headline.contains("supplier"), "{}", last[0].headline);
        assert!(last[0].score >= 0.9);
        // The lines that show it are one case: it is one cause.
        let raised: Vec<&Signal> = found.iter().filter(|s| s.headline.contains("of its last")).collect();
        assert!(raised.iter().all(|s| s.links.iter().any(|link| link == "habit: 8/short")), "{raised:?}");
    }
}

#[test]
fn what_the_habits_find_has_money_actions_and_figures_that_recompute() {
    let mut shop = Shop::new();
    shop.history("8", 40, |_| AS_ORDERED);
    for nth in 0..4 {
        shop.bought("8", -14 + 4 * nth, short(2));
    }
    shop.demand("2", 3.0);
    shop.stock("2", 40);
    let found = shop.found();
    assert!(!found.is_empty());
    for signal in found {
        let assessed = shop.assess_signals(vec![signal.clone()]);
        assert!(has(&assessed, "ACCEPT-VAR") && has(&assessed, "CONTACT"), "{signal:?}");
        let p = signal.score;
        assert!((assessed.rank.p - p.min(0.99)).abs() < 1e-9, "no decisions yet: as sure as the detector is");
    }
}

#[test]
fn four_small_deviations_on_one_line_are_raised_with_what_drove_them() {
    let mut shop = Shop::new();
    // Each is within its tolerance: 3 of 100, 0.4 %, a day, and billed as ordered.
    shop.history("9", 60, |_| AS_ORDERED);
    shop.history("8", 60, |_| AS_ORDERED);
    let line = shop.bought("8", -6, Done { came: 97, late: 1, cents: 803, billed: 100 });
    let judged = shop.judged();
    let said: Vec<String> = about(&judged, &line).iter().map(|s| format!("{} {}", s.detector, s.code)).collect();
    assert_eq!(said.len(), 1, "no rule sees it: {said:?}");
    let found = shop.found();
    let signal = about(&found, &line)[0];
    let drivers: Vec<&str> = signal.drivers.iter().map(|driver| driver.feature.as_str()).collect();
    assert!(drivers.len() >= 3, "{drivers:?}");
    let shares: f64 = signal.drivers.iter().map(|driver| driver.share).sum();
    assert!((shares - 1.0).abs() < 1e-4);
    let assessed = shop.assess_signals(vec![signal.clone()]);
    assert!(has(&assessed, "CONTACT"));
}

#[test]
fn a_supplier_with_two_lines_is_held_against_all_and_the_card_says_so() {
    let mut shop = Shop::new();
    shop.history("9", 60, |_| AS_ORDERED);
    shop.history("8", 2, |_| AS_ORDERED);
    let dear = Done { cents: 812, ..AS_ORDERED };
    let new = shop.bought("8", -6, dear);
    let missing = shop.bought("8", -3, short(40));
    let found = shop.found();
    assert!(about(&found, &new).is_empty(), "of one with two lines nobody knows whether it always does: {found:?}");
    let judged = shop.judged();
    let short = about(&judged, &missing)[0];
    assert_eq!(value(short, "habit_before"), Some(&FactValue::number(3.0, 0)), "what it is compared with is on the card");
    assert!(matches!(value(short, "habit_p"), Some(FactValue::Number(_))), "{short:?}");
}

#[test]
fn a_usual_way_is_explained_where_the_settings_say_so_and_never_dropped() {
    let mut shop = Shop::new();
    // Beyond the tolerance of 5 %.
    shop.history("9", 40, |_| short(8));
    shop.history("8", 40, |nth| if nth % 10 == 0 { short(8) } else { AS_ORDERED });
    let (usual, odd) = (shop.bought("9", -6, short(8)), shop.bought("8", -6, short(8)));
    let of = |shop: &Shop, line: &str| {
        let signals: Vec<Signal> = shop.judged().into_iter().filter(|s| s.code == T::RShort).collect();
        about(&signals, line)[0].clone()
    };
    assert_eq!(of(&shop, &usual).explained, None, "off unless somebody says so");
    shop.settings.detect.explain_usual.insert(T::RShort);
    let reason = of(&shop, &usual).explained.expect("explained");
    assert!(reason.starts_with("this supplier's usual way: as much or more on 40 of its last 40 lines"), "{reason}");
    assert_eq!(of(&shop, &odd).explained, None);
}

#[test]
fn what_a_rule_finds_is_surer_where_it_is_not_the_suppliers_way() {
    let mut shop = Shop::new();
    shop.history("9", 40, |_| short(8));
    shop.history("8", 40, |_| AS_ORDERED);
    let (usual, odd) = (shop.bought("9", -6, short(8)), shop.bought("8", -6, short(8)));
    let judged = shop.judged();
    let p = |line: &str| {
        let signal = about(&judged, line).into_iter().find(|s| s.code == T::RShort).unwrap().clone();
        shop.assess_signals(vec![signal]).rank.p
    };
    assert!(p(&odd) > p(&usual), "{} {}", p(&odd), p(&usual));
    assert!(p(&usual) > 0.4, "beyond tolerance is beyond what was agreed");
}

#[test]
fn an_announced_delay_is_no_odd_day() {
    let shop_with = |told: Option<i32>| {
        let mut shop = Shop::new();
        shop.history("9", 60, |_| AS_ORDERED);
        let line = shop.bought("9", -20, Done { late: 14, ..AS_ORDERED });
        if let Some(told) = told {
            shop.delay(&line, told, -6);
        }
        let book = shop.book();
        let scored = shop.settings.models.receiving.score(habits::reading::records(&book)).unwrap();
        scored.lines.iter().find(|score| score.line == line).unwrap().probability
    };
    let (untold, told, afterwards) = (shop_with(None), shop_with(Some(-22)), shop_with(Some(-3)));
    assert!(told < untold / 2.0, "{told} {untold}");
    assert!((afterwards - untold).abs() < 1e-12, "what is told when it has come explains nothing");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn neither_the_order_of_records_nor_the_number_of_threads_matters(seed in 0_u64..1000, lines in 8_i32..40) {
        let mut shop = Shop::new();
        let odd = |nth: i32| match (seed as i32 + 7 * nth) % 11 {
            0 => short(3),
            1 => Done { cents: 809, ..AS_ORDERED },
            2 => Done { late: 2, ..AS_ORDERED },
            _ => AS_ORDERED,
        };
        shop.history("9", lines, odd);
        shop.history("8", lines, |nth| odd(nth + 3));
        let newest = shop.bought("8", -6, Done { came: 97, late: 1, cents: 803, billed: 100 });
        let said = serde_json::to_string(&shop.judged()).unwrap();
        prop_assert!(said.contains(&newest));
        let mut turned = shop.clone();
        turned.settings.models = Models::default();
        let by = (seed as usize) % turned.records.len();
        turned.records.rotate_left(by);
        turned.records.reverse();
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1 + (seed as usize) % 4).build().unwrap();
        let again = pool.install(|| serde_json::to_string(&turned.judged()).unwrap());
        prop_assert_eq!(said, again);
    }
}
