//! Injection into purchase orders: that it does what it says, and nothing else.

use jiff::ToSpan;
use jiff::civil::date;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

fn base() -> Vec<BaseLine> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let line = |at: usize| {
        let promised = date(2025, 1, 1).saturating_add(rng.gen_range(0_i64..600).days());
        let lead = if rng.gen_range(0..4) == 0 { 0 } else { rng.gen_range(10_i64..40) };
        let line = PurchaseLine {
            line: format!("L{at:04}"),
            po: format!("P{:03}", at / 3),
            vendor: format!("V{}", rng.gen_range(0..8)),
            item: format!("I{}", rng.gen_range(0..30)),
            location: format!("W{}", rng.gen_range(0..3)),
            mode: "Truck".to_owned(),
            ordered: promised.saturating_add((-lead).days()),
            promised,
            quantity: f64::from(rng.gen_range(5..500)),
            pack_size: 12.0,
            price: f64::from(rng.gen_range(100..2_000)) / 100.0,
        };
        BaseLine { line, delivered: promised.saturating_add(rng.gen_range(-3_i64..6).days()) }
    };
    (0..1_200).map(line).collect()
}

fn trial(seed: u64) -> Trial {
    inject(&base(), 0.2, seed).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_trial_and_another_gives_another() {
    assert_eq!(trial(3), trial(3));
    assert_ne!(trial(3), trial(4));
}

#[test]
fn exceptions_are_in_the_scored_half_and_of_every_kind() {
    let trial = trial(1);
    let exceptions: Vec<&LineTruth> =
        trial.truth.iter().filter(|truth| matches!(truth.label, Label::Exception(_))).collect();
    assert_eq!((exceptions.len(), trial.truth.iter().filter(|truth| truth.scored).count()), (120, 600));
    assert!(exceptions.iter().all(|truth| truth.scored && truth.magnitude.abs() > 0.0 && truth.impact >= 0.0));
    for kind in ReceivingKind::ALL {
        assert!(exceptions.iter().any(|truth| truth.label == Label::Exception(kind)), "{kind:?}");
    }
    assert_eq!(trial.labels().values().filter(|exception| **exception).count(), 120);
}

#[test]
fn every_line_has_receipts_after_its_order_and_one_bill_after_the_last_of_them() {
    let trial = trial(2);
    assert_eq!(trial.records.bills.len(), 1_200);
    for (line, bill) in trial.records.lines.iter().zip(&trial.records.bills) {
        let receipts: Vec<_> = trial.records.receipts.iter().filter(|receipt| receipt.line == line.line).collect();
        assert!(!receipts.is_empty() && bill.line == line.line);
        assert!(line.ordered < line.promised);
        assert!(receipts.iter().all(|receipt| receipt.date <= bill.date && receipt.quantity >= 0.0));
    }
}

#[test]
fn each_kind_does_what_it_says() {
    let trial = trial(5);
    for ((line, bill), truth) in trial.records.lines.iter().zip(&trial.records.bills).zip(&trial.truth) {
        let Label::Exception(kind) = truth.label else { continue };
        let receipts: Vec<_> = trial.records.receipts.iter().filter(|receipt| receipt.line == line.line).collect();
        let got: f64 = receipts.iter().map(|receipt| receipt.quantity).sum();
        let first = receipts.iter().map(|receipt| receipt.date).min().unwrap();
        match kind {
            ReceivingKind::Short => assert!(got < line.quantity),
            ReceivingKind::Over => assert!(got > line.quantity),
            ReceivingKind::Late => assert!(first > line.promised),
            ReceivingKind::Early => assert!(first < line.promised),
            ReceivingKind::PriceUp | ReceivingKind::PriceDown => assert!((bill.price / line.price - 1.0).abs() > 0.001),
            ReceivingKind::DuplicateReceipt => assert!(receipts.len() >= 2),
            ReceivingKind::WrongUnit => assert!((got - line.quantity).abs() >= 1.0),
            ReceivingKind::BilledNotReceived => assert!(bill.quantity > got),
        }
    }
}

#[test]
fn too_few_lines_are_refused() {
    let refused = inject(&base()[..50], 0.08, 1).unwrap_err();
    assert!(refused.to_string().contains("50 lines"), "{refused}");
}
