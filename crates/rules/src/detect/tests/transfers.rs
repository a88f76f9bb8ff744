//! Transfers that do not leave or do not arrive: T-LATE.

use super::*;

fn lane_shop() -> Shop {
    let mut shop = Shop::new();
    shop.stock("1", 200);
    shop.stock("2", 5);
    shop.demand("1", 1.0);
    shop.demand("2", 4.0);
    shop
}

#[test]
fn goods_that_left_and_did_not_arrive_are_raised() {
    let mut shop = lane_shop();
    shop.transit(-5, None);
    let signal = shop.must(T::TLate);
    assert_eq!(signal.subject.key(), "i=1 l=2 d=NOR/OUT/1");
    assert_eq!(links(&signal), ["transfer:NOR/OUT/1", "shortage:1@2"]);
    assert_eq!((value(&signal, "qty"), value(&signal, "due")), (Some(&units(20)), Some(&FactValue::Date(day(-4)))));
    assert!(signal.headline.contains("left on 2026-10-28 and has not arrived"), "{}", signal.headline);
    shop.must(T::ILow);
    let with_both = shop.cases().into_iter().filter(|c| c.codes.contains(&T::TLate)).collect::<Vec<_>>();
    assert!(with_both[0].codes.contains(&T::ILow), "{with_both:?}");
}

#[test]
fn what_is_within_its_time_or_has_arrived_is_quiet() {
    let mut young = lane_shop();
    young.transit(-2, None);
    young.quiet(T::TLate);
    let mut there = lane_shop();
    there.transit(-5, Some(-4));
    there.quiet(T::TLate);
    // Booked in under another document.
    let mut other = lane_shop();
    other.transit(-5, Some(-4));
    for record in &mut other.records {
        if let Record::Move(m) = record
            && m.document == "MKT/IN/1"
        {
            m.origin = "by hand".into();
        }
    }
    other.quiet(T::TLate);
}

#[test]
fn a_lane_that_takes_long_is_given_its_own_time() {
    let mut shop = lane_shop();
    for left in [-50, -40, -30] {
        shop.transit(left, Some(left + 6));
    }
    shop.transit(-5, None);
    shop.quiet(T::TLate);
    let mut shop = lane_shop();
    for left in [-50, -40, -30] {
        shop.transit(left, Some(left + 2));
    }
    shop.transit(-5, None);
    let signal = shop.must(T::TLate);
    assert_eq!(
        (value(&signal, "lane_days"), value(&signal, "lane_n")),
        (Some(&FactValue::days(2.0)), Some(&FactValue::number(3.0, 0)))
    );
}

#[test]
fn a_transfer_that_should_have_left_is_raised_and_manufacturing_is_not() {
    let mut shop = lane_shop();
    shop.moved(MoveKind::Transfer, Some("1"), Some("2"), 20, None).scheduled_at = Some(at(-3));
    assert!(shop.must(T::TLate).headline.contains("has not left: planned for 2026-10-30"));
    let mut soon = lane_shop();
    soon.moved(MoveKind::Transfer, Some("1"), Some("2"), 20, None).scheduled_at = Some(at(2));
    soon.quiet(T::TLate);
    let mut made = lane_shop();
    made.moved(MoveKind::Transfer, Some("1"), None, 20, Some(-9)).document_id = None;
    made.quiet(T::TLate);
    // A picking into transit with no receiving leg at all.
    let mut lost = lane_shop();
    lost.moved(MoveKind::Transfer, Some("1"), None, 20, Some(-9));
    assert_eq!(lost.must(T::TLate).subject.location, Some(LocationId::new("1")));
}

#[test]
fn the_carriers_newest_word_counts_at_once() {
    let mut shop = lane_shop();
    shop.transit(-1, None);
    shop.quiet(T::TLate);
    shop.carrier("nor/out/1", CarrierState::Lost, None, -1);
    assert!(shop.must(T::TLate).headline.contains("the carrier reports it lost"));
    shop.carrier("NOR/OUT/1", CarrierState::InTransit, None, 0);
    shop.quiet(T::TLate);
    let mut delayed = lane_shop();
    delayed.transit(-1, None);
    delayed.carrier("MKT/IN/1", CarrierState::Delayed, Some(0), 0);
    delayed.quiet(T::TLate);
    delayed.carrier("MKT/IN/1", CarrierState::Delayed, Some(4), 0);
    delayed.must(T::TLate);
    let mut unseen = lane_shop();
    unseen.transit(-1, None);
    unseen.carrier("NOR/OUT/1", CarrierState::Lost, None, 1);
    unseen.quiet(T::TLate);
}

#[test]
fn received_and_not_booked_in_is_not_lost() {
    let mut shop = lane_shop();
    shop.transit(-5, None);
    shop.carrier("NOR/OUT/1", CarrierState::Delivered, None, -3);
    shop.quiet(T::TLate);
    let mut counted = lane_shop();
    counted.transit(-5, None);
    counted.moved(MoveKind::Count, None, Some("2"), 20, Some(-1));
    let why = counted.must(T::TLate).explained;
    assert_eq!(why.as_deref(), Some("a count at Market Street Store has found 20 since: received, not booked in"));
}

#[test]
fn an_overdue_transfer_costs_the_receivers_sales_and_a_share_of_the_goods() {
    let mut shop = lane_shop();
    let price = SupplierPrice { lead_days: 6, ..records::supplier_price("1") };
    shop.records.push(Record::SupplierPrice(price));
    shop.transit(-5, None);
    let found = shop.assess(&[T::TLate]);
    let part = |what: &str| found.loss_sum.iter().find(|p| p.what.starts_with(what)).unwrap().amount.expected;
    // Twenty at 4.00, one in five not found again.
    assert_eq!(part("goods that may be lost"), money("16.00"));
    // Six days at four from five: no more than the twenty that are missing.
    let lost = part("lost margin on").to_f64();
    assert!((lost - 19.0 * 6.0 * 0.8).abs() < 5.0, "{lost}");
    assert!(has(&found, "CONTACT") && has(&found, "RECOUNT") && has(&found, "TRANSFER"), "{:?}", found.candidates);
    assert_eq!(
        shop.assess(&[T::TLate, T::ILow]).loss_sum.iter().filter(|p| p.what.starts_with("lost margin on")).count(),
        1
    );
    shop.carrier("NOR/OUT/1", CarrierState::Lost, None, 0);
    let lost = shop.assess(&[T::TLate]);
    assert!(lost.loss_sum.iter().any(|p| p.amount.expected == money("72.00")), "{:?}", lost.loss_sum);
    assert!(has(&lost, "ESCALATE") && !has(&lost, "RECOUNT"));
}
