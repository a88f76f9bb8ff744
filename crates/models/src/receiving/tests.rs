//! A small world of vendors with habits, in which single lines are made odd.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::{Date, date};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

const START: Date = date(2024, 1, 1);

fn on(day: i64) -> Date {
    START.saturating_add(day.days())
}

/// Lines of `vendors` vendors, each with its own habits of price, quantity and days; ten lines an order.
fn world(vendors: usize, lines: usize, seed: u64) -> Records {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut records = Records::default();
    for vendor in 0..vendors {
        let jitter = [0.0, 0.002, 0.02][vendor % 3];
        let short = [0.0, 0.3][vendor % 2];
        let late = [0_i64, 7][(vendor / 2) % 2];
        let mut shipped = 0;
        for at in 0..lines {
            let line = format!("v{vendor}-{at}");
            let promised = 20 + 3 * (at / 3) as i64;
            if at % 3 == 0 {
                shipped = promised + if rng.gen_bool(0.3) { rng.gen_range(0..=late) } else { 0 };
            }
            let quantity = f64::from(rng.gen_range(20_u32..2000));
            let price = f64::from(rng.gen_range(100_u32..9000)) / 100.0;
            let missing = if rng.gen_bool(short) { (quantity * rng.gen_range(0.0..0.02)).round() } else { 0.0 };
            let billed = (price * (1.0 + jitter * rng.gen_range(-1.7..1.7)) * 1e4).round() / 1e4;
            records.lines.push(PurchaseLine {
                line: line.clone(),
                po: format!("{vendor}/{}", at / 10),
                vendor: format!("vendor {vendor}"),
                item: format!("item {}", at % 7),
                location: format!("place {}", at % 2),
                mode: "road".to_owned(),
                ordered: on(promised - 15),
                promised: on(promised),
                quantity,
                pack_size: 24.0,
                price,
            });
            records.receipts.push(Receipt { line: line.clone(), date: on(shipped), quantity: quantity - missing });
            records.bills.push(Bill { line, date: on(shipped + 4), quantity: quantity - missing, price: billed });
        }
    }
    records
}

/// The place of a line in the list, which is also that of its receipt and its bill.
fn place(records: &Records, line: &str) -> usize {
    records.lines.iter().position(|l| l.line == line).unwrap()
}

fn features_of(records: &Records, line: &str) -> Features {
    let at = place(records, line);
    features(records).unwrap().into_iter().find(|(found, _)| *found == at).unwrap().1
}

/// Something done to a line's receipt and bill.
type Change = fn(&PurchaseLine, &mut Receipt, &mut Bill);

/// The score of a line by likeness, after something was done to its row of each list.
fn told(line: &str, change: impl Fn(&PurchaseLine, &mut Receipt, &mut Bill)) -> (LineScore, f64) {
    let mut records = world(6, 60, 3);
    let at = place(&records, line);
    change(&records.lines[at], &mut records.receipts[at], &mut records.bills[at]);
    let scores = score(&records, &Detector::unsupervised()).unwrap();
    let above = scores.iter().filter(|s| s.score > scores.iter().find(|s| s.line == line).unwrap().score).count();
    (scores.into_iter().find(|s| s.line == line).unwrap(), above as f64)
}

#[test]
fn a_price_off_by_a_percent_is_odd_for_an_exact_vendor_and_usual_for_a_loose_one() {
    let (exact, above) = told("v0-50", |line, _, bill| bill.price = line.price * 1.012);
    assert_eq!((exact.kind, above), (ReceivingKind::PriceUp, 0.0));
    let (loose, _) = told("v2-50", |line, _, bill| bill.price = line.price * 1.012);
    assert!(loose.probability < 0.1 * exact.probability, "{loose:?} against {exact:?}");
    let (down, _) = told("v0-50", |line, _, bill| bill.price = line.price * 0.97);
    assert_eq!((down.kind, down.kind.code()), (ReceivingKind::PriceDown, "F-PRICE"));
}

#[test]
fn each_kind_of_exception_is_called_by_its_name() {
    let kinds: [(ReceivingKind, Change); 6] = [
        (ReceivingKind::Short, |line, receipt, bill| {
            receipt.quantity = (line.quantity * 0.8).floor();
            bill.quantity = receipt.quantity;
        }),
        (ReceivingKind::Over, |line, receipt, bill| {
            receipt.quantity = (line.quantity * 1.2).ceil();
            bill.quantity = receipt.quantity;
        }),
        (ReceivingKind::Late, |line, receipt, bill| {
            receipt.date = line.promised.saturating_add(26.days());
            bill.date = receipt.date;
        }),
        (ReceivingKind::Early, |line, receipt, bill| {
            receipt.date = line.promised.saturating_add((-9).days());
            bill.date = receipt.date;
        }),
        (ReceivingKind::WrongUnit, |line, receipt, bill| {
            receipt.quantity = line.quantity * 24.0;
            bill.quantity = line.quantity;
        }),
        (ReceivingKind::BilledNotReceived, |line, receipt, bill| {
            receipt.quantity = (line.quantity * 0.8).floor();
            bill.quantity = line.quantity;
        }),
    ];
    for (kind, change) in kinds {
        let (found, above) = told("v0-50", change);
        assert_eq!(found.kind, kind);
        assert!(above < 3.0 && !found.drivers.is_empty(), "{above} lines are above {found:?}");
    }
}

#[test]
fn a_receipt_entered_twice_is_told_from_a_delivery_in_halves() {
    let mut records = world(6, 60, 3);
    let (twice, halves) = (place(&records, "v0-50"), place(&records, "v0-51"));
    let again = records.receipts[twice].clone();
    records.receipts.push(again);
    let half = (records.lines[halves].quantity / 2.0).floor();
    records.lines[halves].quantity = 2.0 * half;
    records.receipts[halves].quantity = half;
    records.receipts.push(records.receipts[halves].clone());
    records.bills[halves].quantity = 2.0 * half;
    let scores = score(&records, &Detector::unsupervised()).unwrap();
    let of = |line: &str| scores.iter().find(|s| s.line == line).unwrap();
    assert_eq!(of("v0-50").kind, ReceivingKind::DuplicateReceipt);
    assert!(of("v0-50").probability > 0.9 && of("v0-51").probability < 0.5, "{:?}", of("v0-51"));
}

#[test]
fn what_a_notice_explains_is_taken_off() {
    let mut records = world(6, 60, 3);
    let at = place(&records, "v0-50");
    let line = records.lines[at].clone();
    let bonus = (line.quantity * 0.125).floor();
    records.bills[at].price = line.price * 1.08;
    records.bills[at].quantity = line.quantity;
    records.receipts[at].quantity = line.quantity + bonus;
    records.receipts[at].date = line.promised.saturating_add(22.days());
    records.bills[at].date = records.receipts[at].date;
    let odd = features_of(&records, "v0-50");
    assert!(odd.price > 0.07 && odd.over > 0.1 && odd.days > 20.0);
    let notice = |kind, value| Notice {
        kind,
        vendor: None,
        location: None,
        line: None,
        from: line.promised,
        to: line.promised,
        value,
    };
    records.notices = vec![
        notice(NoticeKind::PriceChange, 0.08),
        notice(NoticeKind::Bonus, 0.125),
        notice(NoticeKind::Delay, 20.0),
        Notice { vendor: Some("another".to_owned()), ..notice(NoticeKind::PriceChange, 0.5) },
    ];
    let explained = features_of(&records, "v0-50");
    assert!(explained.price.abs() < 1e-3 && explained.over == 0.0 && explained.days == 0.0, "{explained:?}");
}

#[test]
fn a_late_shipment_is_less_odd_than_a_late_line_of_a_punctual_one() {
    let mut records = world(6, 60, 3);
    let group = [place(&records, "v0-51"), place(&records, "v0-52"), place(&records, "v0-53")];
    let late = records.lines[group[0]].promised.saturating_add(11.days());
    records.receipts[group[0]].date = late;
    records.bills[group[0]].date = late.saturating_add(4.days());
    let alone = features_of(&records, "v0-51").late_odds;
    for at in group {
        records.receipts[at].date = late;
        records.bills[at].date = late.saturating_add(4.days());
    }
    let together = features_of(&records, "v0-51").late_odds;
    assert!(together < alone - 2.0, "{together} against {alone}");
}

#[test]
fn goods_that_are_weighed_are_not_rounded_to_whole_units() {
    let (told_whole, _) = told("v0-50", |line, receipt, bill| {
        receipt.quantity = line.quantity - 0.4;
        bill.quantity = receipt.quantity;
    });
    assert!(told_whole.kind == ReceivingKind::Short && told_whole.score > -3.0, "{told_whole:?}");
    let mut records = world(6, 60, 3);
    for ((line, receipt), bill) in records.lines.iter_mut().zip(&mut records.receipts).zip(&mut records.bills) {
        line.quantity /= 1000.0;
        receipt.quantity /= 1000.0;
        bill.quantity /= 1000.0;
    }
    let (grams, kilos) = (features_of(&world(6, 60, 3), "v1-50"), features_of(&records, "v1-50"));
    assert!((grams.short_odds - kilos.short_odds).abs() < 1e-6, "{} and {}", grams.short_odds, kilos.short_odds);
}

#[test]
fn what_is_free_or_nothing_at_all_does_not_stop_the_rest() {
    let mut records = world(6, 60, 3);
    let usual = score(&records, &Detector::unsupervised()).unwrap();
    let (free, given, none) = (place(&records, "v0-50"), place(&records, "v0-51"), place(&records, "v0-52"));
    (records.lines[free].price, records.bills[free].price) = (0.0, 0.0);
    (records.lines[given].price, records.bills[given].price) = (0.0, 8.0);
    records.lines[none].quantity = 0.0;
    let scores = score(&records, &Detector::unsupervised()).unwrap();
    let of = |line: &str| scores.iter().find(|s| s.line == line);
    assert!(scores.iter().chain(&score(&records, &Detector::shipped()).unwrap()).all(|s| s.score.is_finite()));
    let before = usual.iter().find(|s| s.line == "v0-50").unwrap().probability;
    assert!(of("v0-50").unwrap().probability < before + 0.05, "{:?}, before {before}", of("v0-50"));
    assert!(of("v0-52").is_none());
    assert_eq!(of("v0-51").unwrap().kind, ReceivingKind::PriceUp);
}

#[test]
fn a_notice_of_any_number_is_survived() {
    let records = world(1, 12, 1);
    for value in [f64::MAX, -f64::MAX, f64::NAN, f64::INFINITY, -1.0, 1e9] {
        for kind in [NoticeKind::PriceChange, NoticeKind::Bonus, NoticeKind::Delay] {
            let mut records = records.clone();
            records.notices =
                vec![Notice { kind, vendor: None, location: None, line: None, from: on(0), to: on(900), value }];
            let scores = score(&records, &Detector::shipped()).unwrap();
            assert!(scores.iter().all(|s| s.score.is_finite()), "{kind:?} of {value}");
        }
    }
}

#[test]
fn records_that_make_no_sense_are_refused_and_stray_rows_left_out() {
    assert!(features(&Records::default()).unwrap().is_empty());
    let mut records = world(1, 5, 1);
    records.receipts.push(Receipt { line: "nowhere".to_owned(), date: START, quantity: 3.0 });
    assert_eq!(features(&records).unwrap().len(), 5);
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        let mut records = records.clone();
        records.lines[2].quantity = bad;
        assert!(matches!(features(&records), Err(ReceivingError::Number { line, .. }) if line == "v0-2"));
    }
    records.bills[1].price = f64::NAN;
    assert!(matches!(features(&records), Err(ReceivingError::Number { field: "price billed", .. })));
    records.bills[1].price = 1.0;
    records.lines.push(records.lines[0].clone());
    assert!(matches!(features(&records), Err(ReceivingError::Twice(line)) if line == "v0-0"));
}

#[test]
fn a_line_is_scored_once_something_came_of_it() {
    let mut records = world(1, 5, 1);
    records.receipts.retain(|receipt| receipt.line != "v0-1" && receipt.line != "v0-3");
    records.bills.retain(|bill| bill.line != "v0-3");
    let scores = score(&records, &Detector::unsupervised()).unwrap();
    let lines: Vec<&str> = scores.iter().map(|s| s.line.as_str()).collect();
    assert_eq!(lines.len(), 4);
    assert!(lines.contains(&"v0-1") && !lines.contains(&"v0-3"));
    assert!(scores.iter().all(|s| s.score.is_finite() && (0.0..=1.0).contains(&s.probability)));
}

/// A world in which every ninth line is short by a quarter or dearer by a tenth, with its labels.
fn labelled(seed: u64) -> (Records, BTreeMap<String, bool>) {
    let mut records = world(8, 60, seed);
    let mut labels = BTreeMap::new();
    for at in 0..records.lines.len() {
        let odd = at % 9 == 8;
        if odd && at % 2 == 0 {
            records.bills[at].price *= 1.1;
        } else if odd {
            records.receipts[at].quantity = (records.lines[at].quantity * 0.75).floor();
            records.bills[at].quantity = records.receipts[at].quantity;
        }
        labels.insert(records.lines[at].line.clone(), odd);
    }
    (records, labels)
}

#[test]
fn a_detector_trained_on_some_lines_finds_the_odd_ones_among_others() {
    let (records, labels) = labelled(1);
    let detector = Detector::train(&[Labelled { records: &records, labels: &labels }], 7).unwrap();
    assert_eq!(detector, Detector::train(&[Labelled { records: &records, labels: &labels }], 7).unwrap());
    let (others, truth) = labelled(2);
    let mut scores = score(&others, &detector).unwrap();
    scores.sort_by(|a, b| b.score.total_cmp(&a.score));
    let wanted = truth.values().filter(|odd| **odd).count();
    let found = scores[..wanted].iter().filter(|s| truth[&s.line]).count();
    assert!(found * 10 >= wanted * 9, "{found} of {wanted}");
    let sum: f64 = scores.iter().map(|s| s.probability).sum();
    assert!((sum / wanted as f64 - 1.0).abs() < 0.35, "{sum} expected of {wanted}");
    assert!(scores[..5].iter().all(|s| !s.drivers.is_empty()));

    let text = detector.to_json().unwrap();
    assert_eq!(Detector::from_json(&text).unwrap(), detector);
    assert!(Detector::unsupervised().to_json().is_none());
    let changed = |from: &str, to: &str| Detector::from_json(&text.replacen(from, to, 1));
    assert!(matches!(changed("\"version\":1", "\"version\":2"), Err(ReceivingError::Version { found: 2, .. })));
    assert!(matches!(changed("\"calibration\":[", "\"calibration\":[1"), Err(ReceivingError::Checksum)));
    assert!(matches!(changed("{", "["), Err(ReceivingError::Unreadable(_))));
    assert!(Detector::from_json(&text[..text.len() / 2]).is_err());
}

#[test]
fn the_shipped_detector_can_be_read_and_finds_the_odd_lines_of_a_world_it_has_not_seen() {
    let (records, truth) = labelled(3);
    let mut scores = score(&records, &Detector::shipped()).unwrap();
    scores.sort_by(|a, b| b.score.total_cmp(&a.score));
    let wanted = truth.values().filter(|odd| **odd).count();
    let found = scores[..wanted].iter().filter(|s| truth[&s.line]).count();
    assert!(found * 10 >= wanted * 8, "{found} of {wanted}");
}

#[test]
fn training_wants_both_exceptions_and_ordinary_lines() {
    let (records, mut labels) = labelled(1);
    labels.retain(|_, odd| !*odd);
    let none = Detector::train(&[Labelled { records: &records, labels: &labels }], 1);
    assert!(matches!(none, Err(ReceivingError::TooLittle { exceptions: 0, .. })));
    assert!(matches!(Detector::train(&[], 1), Err(ReceivingError::TooLittle { ordinary: 0, .. })));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_that_is_dated_later_changes_what_is_told_of_a_line(seed in 0_u64..1000, pick in 0_usize..120, days in 1_i64..30) {
        let records = world(3, 40, seed);
        let line = &records.lines[pick];
        let bill = records.bills[pick].date;
        let before = features_of(&records, &line.line);
        let mut changed = records.clone();
        for receipt in changed.receipts.iter_mut().filter(|receipt| receipt.date > bill) {
            receipt.date = receipt.date.saturating_add(days.days());
            receipt.quantity *= 3.0;
        }
        for other in changed.bills.iter_mut().filter(|other| other.date > bill) {
            other.date = other.date.saturating_add(days.days());
            other.price *= 2.0;
            other.quantity += 5.0;
        }
        for other in changed.lines.iter_mut().filter(|other| other.ordered > bill) {
            other.promised = other.promised.saturating_add(days.days());
            other.quantity *= 2.0;
        }
        prop_assert_eq!(features_of(&changed, &line.line), before);
    }

    #[test]
    fn what_vendors_are_called_and_what_money_is_counted_in_does_not_matter(seed in 0_u64..1000, scale in 2_u32..50) {
        let records = world(4, 30, seed);
        let mut renamed = records.clone();
        for line in &mut renamed.lines {
            line.vendor = format!("{}'", line.vendor);
            line.item = format!("new {}", line.item);
        }
        prop_assert_eq!(features(&renamed).unwrap(), features(&records).unwrap());
        // Prices in another currency: the step of a price is another share of it, all else is the same.
        let mut dearer = records.clone();
        for (line, bill) in dearer.lines.iter_mut().zip(&mut dearer.bills) {
            line.price *= f64::from(scale);
            bill.price *= f64::from(scale);
        }
        let (before, after) = (features(&records).unwrap(), features(&dearer).unwrap());
        for ((_, a), (_, b)) in before.iter().zip(&after) {
            prop_assert!((a.price - b.price).abs() < 1e-9);
            prop_assert!((a.late_odds - b.late_odds).abs() < 1e-9);
        }
    }
}
