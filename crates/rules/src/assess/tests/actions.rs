//! Each of the rarer actions in a world where it is the best answer, with its quantities, days and money; every figure is
//! recomputed from what is frozen.

use super::*;
use crate::recompute::recomputed::assert_recomputes;
use reeve_domain::action::Param;

/// The first candidate, which must be of this code, with every figure recomputed.
#[track_caller]
pub(super) fn best<'a>(found: &'a Assessment, code: &str) -> &'a Candidate {
    assert_recomputes(found);
    let of = |c: &Candidate| format!("{} {}", c.action.code(), c.money.benefit.expected);
    let all: Vec<String> = found.candidates.iter().map(of).collect();
    assert_eq!(found.candidates[0].action.code(), code, "{all:?} {:?}", found.abstain);
    assert!(found.candidates[0].money.benefit.expected > Money::ZERO, "{all:?}");
    &found.candidates[0]
}

/// What the store sold on a day so long ago.
pub(super) fn sold(shop: &mut Shop, units: i64, ago: i32) {
    let id = shop.id();
    shop.records.push(Record::SaleLine(SaleLine {
        location: LocationId::new("2"),
        qty: Quantity::units(units),
        ordered_at: at(-ago),
        ..records::sale_line(&id)
    }));
}

/// A line of the store, ordered on a day and promised for another, with all of it to come.
fn on_order(shop: &mut Shop, line: &str, qty: i64, ordered: i32, promised: i32) {
    shop.order(line, "2", qty, promised);
    if let Some(Record::PoLine(line)) = shop.records.last_mut() {
        line.ordered_at = at(ordered);
    }
    shop.receipt(line, "2", qty, None);
}

#[test]
fn a_line_that_comes_in_time_and_is_too_small_is_raised() {
    let mut shop = Shop::new();
    shop.offer(12, 0, 6);
    shop.stock("2", 110.0);
    shop.demand("2", 12.0, 3.0);
    on_order(&mut shop, "7", 24, -2, 10);
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    let raise = best(&found, "INCREASE-PO");
    let Action::IncreasePo { po_line, ordered, quantity } = &raise.action else { panic!("{raise:?}") };
    assert_eq!((po_line.as_str(), *ordered), ("7", Quantity::units(24)));
    // Enough until the next usual order could be here, twenty days at 12 less 110 and 24, in packs of six: no more.
    assert!((quantity.0 % Quantity::units(6).0).is_zero() && *quantity <= Quantity::units(120), "{quantity}");
    assert!(find(&found, "NEW-PO").is_some(), "{:?}", codes(&found));
}

#[test]
fn a_line_that_is_nearly_here_is_raised_no_more() {
    let mut shop = Shop::new();
    shop.offer(12, 0, 6);
    shop.stock("2", 40.0);
    shop.demand("2", 12.0, 3.0);
    on_order(&mut shop, "7", 24, -9, 3);
    assert!(find(&shop.assess(&[here(ExceptionType::ILow, "2")]), "INCREASE-PO").is_none());
}

/// A line of 120 that was promised for day 4 and is put off to day 12; what is there lasts three days.
fn put_off() -> Shop {
    let mut shop = Shop::new();
    shop.offer(14, 0, 12);
    shop.stock("2", 40.0);
    shop.demand("2", 12.0, 3.0);
    on_order(&mut shop, "7", 240, -10, 4);
    if let Some(Record::PoLine(line)) = shop.records.iter_mut().rev().find(|r| matches!(r, Record::PoLine(_))) {
        line.promised = at(12);
    }
    shop
}

#[test]
fn of_a_line_that_is_put_off_what_is_ready_comes_first() {
    let mut shop = put_off();
    // Dear to expedite: a surcharge on each unit.
    shop.settings.costs.expedite_rate = 0.9;
    let found = shop.assess(&[on_line(ExceptionType::SDelay, "7", "2")]);
    let split = best(&found, "SPLIT-SHIP");
    let Action::SplitShip { quantity, date_now, date_rest, .. } = &split.action else { panic!("{split:?}") };
    assert_eq!((*date_now, *date_rest), (day(4), day(12)), "on the day that was promised first");
    assert!(*quantity < Quantity::units(240) && (quantity.0 % Quantity::units(12).0).is_zero(), "{quantity}");
    assert_eq!(split.money.cost, shop.settings.costs.split_fixed);
    // Half of such requests find nothing to send: only half of what it would save counts.
    shop.settings.left.split = 0.0;
    let sure = shop.assess(&[on_line(ExceptionType::SDelay, "7", "2")]);
    let saved = |c: &Candidate| (c.money.loss_now.expected - c.money.loss_after.expected).to_f64();
    let ratio = saved(split) / saved(must(&sure, "SPLIT-SHIP"));
    assert!((ratio - 0.5).abs() < 0.01, "{ratio}");
}

#[test]
fn what_a_late_line_leaves_missing_is_bought_elsewhere() {
    let mut shop = put_off();
    shop.settings.costs.expedite_rate = 0.9;
    // Below what a supplier of two days asks to be reordered at.
    shop.moved(MoveKind::Scrap, "2", 15.0, Some(-1));
    shop.records.push(Record::Supplier(records::supplier("8", "Swift")));
    let terms = records::supplier_price("1");
    let swift = SupplierPrice { id: "88".into(), supplier: SupplierId::new("8"), lead_days: 2, sequence: 5, ..terms };
    shop.records.push(Record::SupplierPrice(swift.clone()));
    let found = shop.assess(&[on_line(ExceptionType::SDelay, "7", "2")]);
    let other = best(&found, "ALT-SUPPLIER");
    let Action::AltSupplier { supplier, quantity, need_date, instead_of, price: asked, .. } = &other.action else {
        panic!()
    };
    assert_eq!((supplier.as_str(), instead_of.as_str(), *need_date), ("8", "7", day(3)));
    // From day 3 to day 12 at 12 a day, with some doubt: what is missing, not what the level would ask for.
    let units = quantity.to_f64();
    assert!((96.0..=144.0).contains(&units), "{units}");
    assert_eq!(other.value, *quantity * *asked);
    // One that asks many times as much is not offered, whatever it would save.
    shop.records.retain(|r| !matches!(r, Record::SupplierPrice(p) if p.id == "88"));
    let dear = 50.0;
    shop.records.push(Record::SupplierPrice(SupplierPrice { price: Some(price(dear)), ..swift }));
    assert!(find(&shop.assess(&[on_line(ExceptionType::SDelay, "7", "2")]), "ALT-SUPPLIER").is_none());
}

#[test]
fn who_can_not_wait_is_served_before_who_can() {
    let mut shop = Shop::new();
    shop.offer(20, 0, 1);
    shop.stock("2", 40.0);
    shop.demand("2", 0.01, 0.01);
    on_order(&mut shop, "7", 100, -12, 8);
    // The first to order is planned for day 20, the second for tomorrow; there is enough for one of them.
    let mut ordered = |line: &str, since: i32, due: i32| {
        shop.records.push(Record::SaleLine(SaleLine {
            location: LocationId::new("2"),
            qty: Quantity::units(40),
            ordered_at: at(since),
            order_name: format!("S{line}"),
            ..records::sale_line(line)
        }));
        let out = shop.moved(MoveKind::Delivery, "2", 40.0, None);
        (out.sale_line, out.deadline) = (Some(line.into()), Some(at(due)));
    };
    ordered("70", -6, 20);
    ordered("71", -2, 1);
    let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
    let first = best(&found, "REALLOCATE");
    let Action::Reallocate { from_line, to_line, quantity, .. } = &first.action else { panic!() };
    assert_eq!((from_line.as_str(), to_line.as_str(), *quantity), ("70", "71", Quantity::units(40)));
    assert_eq!(
        first.money.loss_after.expected,
        found.loss_sum.iter().filter(|p| !p.what.contains("wait")).map(|p| p.amount.expected).sum()
    );
    // Where nothing comes before the other's day its promise would be broken.
    shop.records.retain(|r| !matches!(r, Record::PoLine(_)) && !matches!(r, Record::Move(m) if m.po_line.is_some()));
    assert!(find(&shop.assess(&[here(ExceptionType::IOut, "2")]), "REALLOCATE").is_none());
}

/// Twelve a day for four weeks, then twenty-four for `days`.
pub(super) fn risen(days: i32) -> (Shop, Exception) {
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    shop.stock("2", 3000.0);
    shop.demand("2", 24.0, 5.0);
    for ago in 1..=days + 28 {
        sold(&mut shop, if ago <= days { 24 } else { 12 }, ago);
    }
    for (n, ordered) in (0..10).zip((-90..).step_by(7)) {
        let line = format!("9{n}");
        shop.order(&line, "2", 84, ordered + 10);
        if let Some(Record::PoLine(line)) = shop.records.last_mut() {
            line.ordered_at = at(ordered);
        }
        shop.receipt(&line, "2", 84, Some(ordered + 10));
    }
    let mut shift = here(ExceptionType::DShift, "2");
    shift.signal.from = day(-days);
    shift.signal.period = "up".into();
    (shop, shift)
}

#[test]
fn a_minimum_that_a_higher_level_has_outgrown_is_raised() {
    let (mut shop, shift) = risen(14);
    for record in &mut shop.records {
        if let Record::ReorderRule(rule) = record {
            (rule.min, rule.max) = (Quantity::units(190), Quantity::units(400));
        }
    }
    let found = shop.assess(std::slice::from_ref(&shift));
    let raise = best(&found, "ADJUST-PARAM");
    let Action::AdjustParam { param, old, new, .. } = &raise.action else { panic!() };
    assert_eq!((*param, *old), (Param::ReorderPoint, Quantity::units(190)));
    assert!((240.0..=285.0).contains(&new.to_f64()), "ten days at 24 and a safety stock: {new}");
    // Fewer than ten days say too little.
    let (mut shop, shift) = risen(9);
    for record in &mut shop.records {
        if let Record::ReorderRule(rule) = record {
            (rule.min, rule.max) = (Quantity::units(190), Quantity::units(400));
        }
    }
    assert!(find(&shop.assess(&[shift]), "ADJUST-PARAM").is_none());
}

#[test]
fn without_a_rule_it_is_the_forecast_that_is_raised() {
    let (shop, shift) = risen(14);
    let found = shop.assess(&[shift]);
    let fix = best(&found, "FORECAST-FIX");
    let Action::ForecastFix { old, new, from, to, .. } = &fix.action else { panic!() };
    assert_eq!((*from, *to), (day(1), day(28)));
    assert!((old.to_f64() - 336.0).abs() < 2.0 && (new.to_f64() - 672.0).abs() < 26.0, "{old} → {new}");
}

#[test]
fn one_large_day_is_marked_and_not_learned() {
    let mut shop = Shop::new();
    shop.offer(20, 0, 1);
    shop.stock("2", 9000.0);
    shop.demand("2", 4.0, 2.0);
    for ago in 1..=40 {
        sold(&mut shop, if ago == 4 { 900 } else { 4 }, ago);
    }
    let mut spike = here(ExceptionType::DSpike, "2");
    (spike.signal.from, spike.signal.to) = (day(-4), day(-4));
    let found = shop.assess(std::slice::from_ref(&spike));
    let mark = best(&found, "MARK-EVENT");
    assert!(matches!(&mark.action, Action::MarkEvent { from, to, .. } if (*from, *to) == (day(-4), day(-4))), "{mark:?}");
    // As long as the days after it are so few that the place may have been shut on them, it may be the first of a new level.
    for ago in [0, -1, -2, -3] {
        (spike.signal.from, spike.signal.to) = (day(ago), day(ago));
        assert!(find(&shop.assess(std::slice::from_ref(&spike)), "MARK-EVENT").is_none(), "{ago}");
    }
}

#[test]
fn a_difference_is_posted_once_two_people_agree_on_it() {
    let mut shop = Shop::new();
    shop.stock("2", 100.0);
    let mut counted = |by: &str, missing: f64| {
        let count = shop.moved(MoveKind::Count, "2", missing, None);
        (count.entered_by, count.created_at) = (Some(by.into()), at(-2));
    };
    counted("7", 30.0);
    counted("8", 30.0);
    let mut below = here(ExceptionType::INeg, "2");
    below.signal.from = day(-7);
    let post = |shop: &Shop| {
        let place = (ItemId::new("1"), LocationId::new("2"));
        shop.with(std::slice::from_ref(&below), |scene| {
            let mut gathered = gathered::Gathered::new(scene);
            act::adjust_stock::posts(&mut gathered, &place, "stock:1@2");
            gathered.proposals.pop().map(|p| (checks_of(scene, &p.action), p.action, p.value))
        })
    };
    let (checks, action, value) = post(&shop).expect("two agree");
    assert!(matches!(&action, Action::AdjustStock { difference, .. } if *difference == Quantity::units(-30)), "{action:?}");
    assert_eq!(value, money("120.00"));
    assert!(failures(&checks).is_empty(), "{checks:?}");
    // Two counts of one person are one person's word, and two that differ are no agreement.
    for (by, missing) in [("7", 30.0), ("8", 29.0)] {
        let mut shop = Shop::new();
        shop.stock("2", 100.0);
        for (by, missing) in [("7", 30.0), (by, missing)] {
            let count = shop.moved(MoveKind::Count, "2", missing, None);
            (count.entered_by, count.created_at) = (Some(by.into()), at(-2));
        }
        assert!(post(&shop).is_none(), "{by} {missing}");
    }
}

#[test]
fn stock_below_nothing_after_two_agreeing_counts_is_put_right() {
    let mut shop = Shop::new();
    shop.stock("2", 100.0);
    for (by, off, ago) in [("7", 100.0, -4), ("8", 0.0, -3)] {
        shop.moved(MoveKind::Count, "2", off, Some(ago)).entered_by = Some(by.into());
    }
    // Deliveries of before the counts, booked after them.
    shop.moved(MoveKind::Delivery, "2", 40.0, Some(-2));
    let found = shop.assess(&[here(ExceptionType::INeg, "2")]);
    let post = best(&found, "ADJUST-STOCK");
    assert!(matches!(&post.action, Action::AdjustStock { difference, .. } if *difference == Quantity::units(40)));
    assert_eq!(post.value, money("160.00"));
}

/// A delivery of 80 to the store that nobody ordered.
fn unordered(sold_a_day: f64) -> (Shop, Exception) {
    let mut shop = Shop::new();
    shop.stock("2", 300.0);
    shop.demand("2", sold_a_day, 1.0);
    let came = shop.moved(MoveKind::Receipt, "2", 80.0, Some(-1));
    (came.document, came.partner, came.po_line) = ("IN/77".into(), Some("9".into()), None);
    let mut subject = Subject::at(&ItemId::new("1"), &LocationId::new("2"));
    subject.document = Some("IN/77".into());
    (shop, exception(ExceptionType::RUnplanned, subject))
}

#[test]
fn what_nobody_ordered_is_held_before_it_is_sent_back() {
    let (shop, unplanned) = unordered(2.0);
    let found = shop.assess(&[unplanned]);
    let hold = best(&found, "HOLD-QC");
    let Action::HoldQc { document, quantity, until, .. } = &hold.action else { panic!() };
    assert_eq!((document.as_str(), *quantity, *until), ("IN/77", Quantity::units(80), day(7)));
    assert_eq!(hold.money.regret, Money::ZERO, "300 others are there");
    assert!(must(&found, "RETURN").money.benefit.expected > Money::ZERO);
}

#[test]
fn what_is_held_and_needed_costs_the_margin_of_the_days() {
    let mut shop = unordered(20.0).0;
    shop.records.retain(|r| !matches!(r, Record::Move(m) if m.kind == MoveKind::Opening));
    let found = shop.assess(&[unordered(20.0).1]);
    // 80 in all, 20 a day, seven days: all of them are missed.
    let lost = Money::from_f64(formulas::lost_margin(80.0, 6.0, 0.2));
    assert_eq!(must(&found, "HOLD-QC").money.regret, lost);
    assert_recomputes(&found);
}

#[test]
fn the_rest_of_a_bad_delivery_is_held() {
    let mut shop = Shop::new();
    shop.order("7", "2", 600, -3);
    shop.receipt("7", "2", 600, Some(-3));
    let came = shop.next.to_string();
    let back = shop.moved(MoveKind::SupplierReturn, "2", 200.0, Some(-1));
    (back.po_line, back.returns) = (Some("7".into()), Some(came));
    shop.bill("7", 600, 5.0, 20, false);
    let found = shop.assess(&[on_line(ExceptionType::RDamage, "7", "2")]);
    assert_recomputes(&found);
    let hold = must(&found, "HOLD-QC");
    // 400 are left of 600 of which a third was unfit; three in ten such faults are seen late: 400 × 4.00 × 33.3 % × 30 %.
    let unfit = found.loss_sum.iter().find(|part| part.what.starts_with("unfit goods")).expect("a part of its own");
    assert_eq!(unfit.amount.expected, money("159.84"));
    assert!(hold.money.benefit.expected > Money::ZERO, "{}", hold.money.benefit.expected);
}

#[test]
fn an_over_delivery_that_nobody_needs_goes_back() {
    let mut shop = Shop::new();
    shop.item("1", Some(40.0), Some(100.0));
    shop.demand("2", 0.5, 0.5);
    shop.order("7", "2", 60, -2);
    shop.receipt("7", "2", 200, Some(-2));
    let found = shop.assess(&[on_line(ExceptionType::ROver, "7", "2")]);
    let back = best(&found, "RETURN");
    let Action::Return { quantity, receipt, .. } = &back.action else { panic!() };
    assert_eq!((*quantity, receipt.is_empty()), (Quantity::units(140), false));
    assert_eq!(back.money.cost, money("48.00"), "freight: 20.00 and 0.20 for each");
}

#[test]
fn a_cost_that_is_missing_is_entered_as_it_was_bought() {
    let mut shop = Shop::new();
    shop.records.retain(|r| !matches!(r, Record::Item(_)));
    shop.item("1", None, Some(10.0));
    shop.order("7", "2", 60, -5);
    shop.receipt("7", "2", 60, Some(-5));
    let subject = Subject { item: Some(ItemId::new("1")), ..Subject::default() };
    let found = shop.assess(&[exception(ExceptionType::MMaster, subject)]);
    assert_recomputes(&found);
    let fix = must(&found, "FIX-MASTER");
    let Action::FixMaster { field, old, source, .. } = &fix.action else { panic!() };
    assert_eq!((field.as_str(), old.as_str(), source.as_str()), ("cost", "", "po_line:7"));
    assert!(found.abstain.is_some(), "until then no money can be said, and a person is asked");
    let rest: Vec<_> = codes(&found).into_iter().filter(|code| *code != "ESCALATE").collect();
    assert_eq!(rest[0], "FIX-MASTER", "{rest:?}");
}
