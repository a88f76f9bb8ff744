//! What finance has no matching documents for: F-UNMATCHED, F-UNBILLED, F-COST.

use super::super::matching;
use super::*;
use crate::claims::{Claims, Ground, Refusal};
use crate::recompute::recomputed::frozen;
use reeve_domain::money::UnitPrice;

impl Shop {
    /// A bill of 50 of item 1 at 8.00 that names no order, entered long enough ago to have been matched.
    fn bill_of(&mut self, id: &str, edit: impl FnOnce(&mut BillLine)) {
        let line = records::bill_line(id, id);
        let mut line = BillLine { qty: Quantity::units(50), po_line: None, created_at: at(-2), ..line };
        edit(&mut line);
        self.records.push(Record::BillLine(line));
    }
}

#[test]
fn a_bill_for_goods_without_an_order_is_kept_unpaid_until_it_is_found() {
    let mut shop = Shop::new();
    shop.bill_of("1", |_| {});
    let signal = shop.one(T::FUnmatched);
    assert_eq!(signal.headline, "Acme billed 400.00 on BILL/2026/1, and there is no order or receipt.");
    assert_eq!((signal.period.as_str(), links(&signal)), ("bill", vec!["bill:71"]));
    let found = shop.assess_signals(vec![signal]);
    // 400.00, of which three in ten are not owed.
    assert_eq!(found.loss_sum[0].amount.expected, money("120.00"));
    assert!(
        found
            .candidates
            .iter()
            .any(|c| c.summary == "Keep 400.00 of bill BILL/2026/1 from Acme unpaid until its order is found.")
    );
    assert!(has(&found, "CONTACT"));
}

#[test]
fn the_order_that_a_bill_fits_is_named_and_takes_from_what_is_at_stake() {
    let mut shop = Shop::new();
    shop.order("1", 50, -20, -10);
    shop.receipt("1", 50, Some(-10));
    shop.bill_of("1", |_| {});
    let signal = shop.one(T::FUnmatched);
    assert!(signal.headline.ends_with("; it may be for P0001, which fits by 80 %."), "{}", signal.headline);
    let found = shop.assess_signals(vec![signal]);
    assert_eq!(found.loss_sum[0].amount.expected, money("24.00"));
    assert!(found.candidates.iter().any(|c| c.summary.contains("is it for our order P0001")));
}

#[test]
fn an_order_that_a_bill_names_is_asked_about_and_moves_no_money() {
    for (origin, reference) in [("P0001", "INV-1"), ("", "your order P0001")] {
        let named = |shop: &mut Shop| {
            shop.bill_of("1", |line| (line.origin, line.reference) = (origin.into(), reference.into()));
            shop.one(T::FUnmatched)
        };
        // Nothing of what it bills was received with the order that it names.
        let mut shop = Shop::new();
        shop.order("1", 10, -20, -10);
        let signal = named(&mut shop);
        assert!(
            signal.headline.ends_with("; it names P0001, and nothing like it came that is not billed."),
            "{}",
            signal.headline
        );
        let found = shop.assess_signals(vec![signal]);
        assert_eq!(found.loss_sum[0].amount.expected, money("120.00"), "as if it named none");
        assert!(found.candidates.iter().any(|c| c.summary.contains("is it for our order P0001")));
        // Where goods answer for it, which order it names changes nothing either.
        shop.order("2", 50, -20, -10);
        shop.receipt("2", 50, Some(-10));
        let signal = shop.one(T::FUnmatched);
        assert!(signal.headline.ends_with("; it names P0001, and what came and is not billed fits by 80 %."));
        assert_eq!(shop.assess_signals(vec![signal]).loss_sum[0].amount.expected, money("24.00"));
    }
}

#[test]
fn a_bill_that_repeats_another_is_one_exception() {
    let mut shop = Shop::new();
    shop.bill_of("1", |_| {});
    shop.bill_of("2", |_| {});
    assert_eq!(shop.book().repeats().len(), 1, "the same number and amount");
    assert_eq!(shop.one(T::FUnmatched).subject.bill.as_deref(), Some("71"));
}

#[test]
fn what_is_still_being_matched_consigned_or_usual_without_orders_is_silent() {
    let mut young = Shop::new();
    young.bill_of("1", |line| line.created_at = at(-1));
    young.silent(T::FUnmatched);
    let mut consigned = Shop::new();
    let came = consigned.moved(MoveKind::Receipt, None, Some("2"), 80, Some(-40));
    (came.owner, came.partner) = (Some("9".into()), Some("9".into()));
    consigned.bill_of("1", |_| {});
    consigned.silent(T::FUnmatched);
    // From a baker nothing was ever ordered, and the bills were paid.
    let paid = |shop: &mut Shop| {
        shop.bill_of("1", |line| (line.paid, line.billed_on, line.created_at) = (true, day(-40), at(-40)));
        shop.bill_of("2", |line| line.reference = "INV-2".into());
    };
    let mut usual = Shop::new();
    paid(&mut usual);
    usual.silent(T::FUnmatched);
    let mut ordered = Shop::new();
    ordered.order("9", 10, -200, -190);
    paid(&mut ordered);
    assert_eq!(ordered.one(T::FUnmatched).subject.bill.as_deref(), Some("72"));
}

#[test]
fn goods_that_came_without_an_order_are_said_beside_their_bill() {
    let mut shop = Shop::new();
    shop.moved(MoveKind::Receipt, None, Some("2"), 50, Some(-5)).partner = Some("9".into());
    shop.bill_of("1", |_| {});
    let signal = shop.one(T::FUnmatched);
    assert!(signal.headline.contains("and there is no order, though 50 of AC-001 Kitchen scale came with DOC/"));
    let found = shop.assess_signals(vec![signal]);
    let reason = |c: &reeve_domain::action::Candidate| match &c.action {
        Action::BlockBill { reason, .. } => Some(reason.clone()),
        _ => None,
    };
    assert_eq!(found.candidates.iter().find_map(reason).as_deref(), Some("no order for it"));
    // What somebody else brought is none.
    let mut other = Shop::new();
    other.moved(MoveKind::Receipt, None, Some("2"), 50, Some(-5)).partner = Some("8".into());
    other.bill_of("1", |_| {});
    assert!(other.one(T::FUnmatched).headline.contains("no order or receipt"));
}

#[test]
fn rent_freight_paid_bills_and_credit_notes_are_silent() {
    let mut rent = Shop::new();
    rent.bill_of("1", |line| line.item = None);
    rent.silent(T::FUnmatched);
    let mut paid = Shop::new();
    paid.bill_of("1", |line| line.paid = true);
    paid.silent(T::FUnmatched);
    let mut credit = Shop::new();
    credit.bill_of("1", |line| line.qty = Quantity::units(-50));
    credit.silent(T::FUnmatched);
    // Freight beside goods that have an order.
    let mut freight = Shop::new();
    freight.order("1", 100, -20, -10);
    freight.receipt("1", 100, Some(-10));
    freight.records.push(Record::BillLine(records::bill_line("1", "1")));
    freight.bill_of("2", |line| {
        line.bill_id = "71".into();
        line.item = None;
    });
    freight.silent(T::FUnmatched);
    // Freight on a bill of its own, from somebody who sells goods to us too.
    let mut text = Shop::new();
    text.order("1", 100, -20, -10);
    text.bill_of("2", |line| line.item = None);
    text.silent(T::FUnmatched);
}

#[test]
fn what_came_long_ago_and_nobody_billed_is_asked_for_once_a_quarter() {
    let mut shop = Shop::new();
    for (line, qty) in [("1", 100), ("2", 20)] {
        shop.order(line, qty, -60, -45);
        shop.receipt(line, qty, Some(-45));
    }
    // Who has no bill here at all has them kept elsewhere.
    shop.silent(T::FUnbilled);
    shop.order("3", 100, -60, -45);
    shop.receipt("3", 100, Some(-45));
    shop.records.push(Record::BillLine(records::bill_line("1", "3")));
    let signal = shop.one(T::FUnbilled);
    assert_eq!(signal.headline, "Acme has not billed 960.00 of what came more than 30 days ago: P0001, P0002.");
    assert_eq!(signal.period, "2026-Q4");
    let found = shop.assess_signals(vec![signal]);
    assert_eq!(found.loss_sum[0].amount.expected, money("9.60"), "owed it is anyway: one in a hundred is billed wrong");
    assert!(found.candidates.iter().any(|c| c.summary.contains("please send the bills")));
}

#[test]
fn what_is_billed_young_small_or_somebody_elses_is_silent() {
    let came = |qty: i64, day: i32| {
        let mut shop = Shop::new();
        shop.order("1", qty, day - 20, day);
        shop.receipt("1", qty, Some(day));
        shop
    };
    came(100, -20).silent(T::FUnbilled);
    came(10, -45).silent(T::FUnbilled);
    let mut billed = came(100, -45);
    billed.records.push(Record::BillLine(records::bill_line("1", "1")));
    billed.silent(T::FUnbilled);
    let mut consigned = came(100, -45);
    for record in &mut consigned.records {
        if let Record::Move(m) = record {
            m.owner = Some("9".into());
        }
    }
    consigned.silent(T::FUnbilled);
}

#[test]
fn goods_that_come_at_another_price_than_their_cost_are_said_once_a_quarter() {
    let bought = |listed: f64| {
        let mut shop = Shop::new();
        let price = reeve_domain::money::UnitPrice::from_erp(listed);
        shop.records.push(Record::SupplierPrice(SupplierPrice { price, ..records::supplier_price("1") }));
        shop.order("1", 100, -10, -2).price = price;
        shop.receipt("1", 100, Some(-2));
        shop
    };
    let signal = bought(5.2).one(T::FCost);
    assert_eq!(
        signal.headline,
        "AC-001 Kitchen scale came at 5.20 with P0001, its cost in the books is 4.00: 120.00 more for 100 units; 4.80 of 10.00 are left as margin."
    );
    let found = bought(5.2).assess_signals(vec![signal]);
    assert!(found.loss_sum.is_empty() && has(&found, "ESCALATE"));
    bought(4.2).silent(T::FCost);
    // Above the price list it is the supplier's matter.
    let mut dear = bought(4.0);
    for record in &mut dear.records {
        if let Record::PoLine(line) = record {
            line.price = reeve_domain::money::UnitPrice::from_erp(5.2);
        }
    }
    dear.silent(T::FCost);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn no_price_is_said_to_be_billed_that_was_not(
        listed in 100_i64..2_000, ordered in 100_i64..2_000, asked in prop::option::of(100_i64..2_000),
    ) {
        let price = |cents: i64| Some(UnitPrice(rust_decimal::Decimal::new(cents, 2)));
        let mut shop = Shop::new();
        shop.records.push(Record::SupplierPrice(SupplierPrice { price: price(listed), ..records::supplier_price("1") }));
        shop.order("1", 50, -20, 5).price = price(ordered);
        if let Some(asked) = asked {
            shop.receipt("1", 50, Some(-3));
            let bill = BillLine { qty: Quantity::units(50), price: price(asked), ..records::bill_line("1", "1") };
            shop.records.push(Record::BillLine(bill));
        }
        let signals = matching::signals(&shop.book(), &shop.settings);
        prop_assert!(asked.is_some() || (listed - ordered).abs() * 50 <= 1_000 || !signals.is_empty());
        if !signals.is_empty() {
            let found = shop.assess_signals(signals);
            let bundle = frozen(&found);
            let claims = Claims::of(&Ground::new(&found.candidates, &bundle, "USD"));
            for kind in ["price_above_agreed", "price_below_agreed", "price_as_agreed"] {
                let of_order = claims.get(&format!("case.{kind}.po_line:1"));
                prop_assert_eq!(of_order, Err(Refusal::Undecided), "an order's price is not billed");
            }
            let said = |kind: &str| claims.get(&format!("case.{kind}.bill_line:1")).is_ok();
            prop_assert!(!said("price_above_agreed") || asked.is_some_and(|asked| asked > ordered));
            prop_assert!(!said("price_below_agreed") || asked.is_some_and(|asked| asked < ordered));
            prop_assert!(!said("price_as_agreed") || asked == Some(ordered));
        }
    }
}
