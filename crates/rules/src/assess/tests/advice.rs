//! What is not advised: a price for goods that nobody holds, a surcharge on what is owed, a count after one that agreed.

use super::*;
use crate::recompute::recomputed::assert_recomputes;
use reeve_domain::action::Param;

/// Four orders for the store, each ordered ten days before its promise and received `late` days after it.
fn late_orders(late: i32) -> Shop {
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    shop.demand("2", 12.0, 5.0);
    shop.stock("2", 900.0);
    // Six of before, in time: a parameter is changed on ten observations.
    for (n, promised) in (30..36).zip((-85..).step_by(7)) {
        let line = n.to_string();
        shop.order(&line, "2", 84, promised);
        shop.receipt(&line, "2", 84, Some(promised));
    }
    for (line, promised) in [("3", -36), ("4", -29), ("5", -22), ("6", -15)] {
        shop.order(line, "2", 84, promised);
        shop.receipt(line, "2", 84, Some(promised + late));
    }
    shop
}

fn minimum(shop: &mut Shop, min: i64) {
    for record in &mut shop.records {
        if let Record::ReorderRule(rule) = record {
            rule.min = Quantity::units(min);
            rule.max = Quantity::units(min * 2);
        }
    }
}

fn shift() -> Exception {
    let mut shift = on_line(ExceptionType::SLtShift, "3", "2");
    shift.signal.subject = Subject { supplier: shift.signal.subject.supplier.clone(), ..Subject::default() };
    shift
}

#[test]
fn a_longer_lead_time_costs_what_one_cycle_loses_at_the_protection_in_force() {
    let found = late_orders(4).assess(&[shift()]);
    // Reordered for 10 days, received after 14: all four alike, so the lead time itself is not in doubt.
    let z = formulas::normal_quantile(0.95);
    let point = |days: f64| {
        let (mu, sigma) = formulas::lead_time_demand(12.0, 5.0, days, 0.0);
        formulas::reorder_point(mu, formulas::safety_stock(z, sigma))
    };
    let (mu, sigma) = formulas::lead_time_demand(12.0, 5.0, 14.0, 0.0);
    let short = formulas::late_reorder_shortage(mu, sigma, point(10.0), point(14.0));
    let lost = Money::from_f64(formulas::lost_margin(short, 6.0, 0.2));
    assert_eq!(found.rank.at_stake, lost, "no yearly holding cost in it");
    assert!(found.loss_sum[0].what.starts_with("lost margin of one cycle, reordered for 10 days"));
    let cure = must(&found, "ADJUST-PARAM");
    let (old, new) = (Quantity::units(10), Quantity::units(14));
    assert!(
        matches!(&cure.action, Action::AdjustParam { param: Param::LeadDays, old: o, new: n, .. } if (*o, *n) == (old, new))
    );
    // Orders come every seven days: the extra units are held for that long.
    let held = Money::from_f64(formulas::holding_cost(point(14.0) - point(10.0), 4.0, 0.25, 7.0));
    assert_eq!((cure.money.cost, cure.money.regret), (held, held));
    assert_eq!(cure.id, "A1");
    assert_recomputes(&found);
}

#[test]
fn where_the_erps_minimum_covers_the_longer_lead_time_nothing_is_at_stake() {
    let mut shop = late_orders(4);
    minimum(&mut shop, 260);
    let found = shop.assess(&[shift()]);
    assert_eq!(found.rank.at_stake, Money::ZERO, "{:?}", found.loss_sum);
    assert_eq!(found.rank.value.expected, Money::ZERO);
    assert_ne!(found.candidates[0].action.code(), "CONTACT", "a question about nothing is not first");
    minimum(&mut shop, 150);
    let found = shop.assess(&[shift()]);
    assert!(found.rank.at_stake > Money::ZERO);
    let raised = must(&found, "ADJUST-PARAM");
    assert!(raised.summary.starts_with("Raise the reorder minimum of AC-001"), "{}", raised.summary);
    assert_recomputes(&found);
}

#[test]
fn goods_that_are_not_here_cost_nothing_to_hold() {
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    shop.demand("2", 12.0, 5.0);
    shop.stock("2", 900.0);
    shop.order("3", "2", 100, -8);
    shop.receipt("3", "2", 100, Some(-2));
    shop.order("4", "2", 100, -3);
    shop.receipt("4", "2", 100, None);
    let mut overdue = on_line(ExceptionType::SOverdue, "4", "2");
    overdue.signal.subject.po_line = None;
    for exceptions in [vec![overdue], vec![on_line(ExceptionType::RLate, "3", "2")]] {
        let found = shop.assess(&exceptions);
        assert_eq!(found.rank.at_stake, Money::ZERO, "{:?}", found.loss_sum);
        let asked = must(&found, "CONTACT");
        assert_eq!(asked.money.benefit.expected, money("-4.00"));
        assert_ne!(asked.id, "A1");
        assert_recomputes(&found);
    }
}

#[test]
fn what_is_overdue_is_asked_for_and_not_paid_for_again() {
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    shop.demand("2", 12.0, 5.0);
    shop.stock("2", 20.0);
    shop.order("4", "2", 200, -6);
    shop.receipt("4", "2", 200, None);
    let exceptions = [on_line(ExceptionType::SOverdue, "4", "2"), here(ExceptionType::ILow, "2")];
    let found = shop.assess(&exceptions);
    assert!(find(&found, "EXPEDITE").is_none(), "{:?}", codes(&found));
    assert!(must(&found, "CONTACT").money.benefit.expected > Money::ZERO);
    shop.with(&exceptions, |scene| {
        let (po_line, quantity, new_date) = ("4".to_owned(), Quantity::units(50), day(3));
        let paid = Action::Expedite { po_line, quantity, new_date, surcharge_max: money("1.00") };
        assert!(failures(&checks_of(scene, &paid)).iter().any(|why| why.name.contains("no surcharge on what is overdue")));
    });
    assert_recomputes(&found);
}

/// Counts of the store: the difference that each found, and on which day.
fn counted(shop: &mut Shop, counts: &[(f64, i32)]) -> String {
    let mut first = String::new();
    for (lost, day) in counts {
        let id = shop.moved(MoveKind::Count, "2", *lost, Some(*day)).id.clone();
        if first.is_empty() {
            first = id;
        }
    }
    first
}

fn count(id: &str) -> Exception {
    let mut count = here(ExceptionType::ICount, "2");
    count.signal.period = format!("count {id}");
    let source = RecordRef::new(RecordKind::Move, id);
    count.signal.facts =
        vec![Fact::new(source, "done_on", "counted on", FactValue::Date(day(-1)), jiff::Timestamp::UNIX_EPOCH)];
    count
}

#[test]
fn a_count_that_agreed_since_ends_the_counting() {
    let mut shop = Shop::new();
    shop.stock("2", 100.0);
    let id = counted(&mut shop, &[(30.0, -5)]);
    assert!(find(&shop.assess(&[count(&id)]), "RECOUNT").is_some());
    // Odoo writes a count that agreed as a correction of nothing.
    counted(&mut shop, &[(0.0, -1)]);
    let found = shop.assess(&[count(&id)]);
    assert!(find(&found, "RECOUNT").is_none());
    assert_eq!(found.rank.at_stake, Money::ZERO, "the difference stands");
    let asked = must(&found, "ESCALATE");
    assert!(asked.summary.contains("a count of 2026-11-01 agreed with the books (70 found)"), "{}", asked.summary);
    assert_recomputes(&found);
}

#[test]
fn another_bin_counted_by_the_same_person_on_the_day_is_the_same_count() {
    let mut shop = Shop::new();
    shop.stock("2", 100.0);
    let id = counted(&mut shop, &[(30.0, -1), (0.0, -1)]);
    assert!(find(&shop.assess(&[count(&id)]), "RECOUNT").is_some());
    let again = shop.moved(MoveKind::Count, "2", 0.0, Some(-1));
    again.entered_by = Some("8".into());
    again.done_at = again.done_at.map(|at| at + jiff::SignedDuration::from_hours(1));
    assert!(find(&shop.assess(&[count(&id)]), "RECOUNT").is_none(), "somebody else has found the same");
}

#[test]
fn the_fourth_shrinking_count_is_looked_into() {
    let mut shop = Shop::new();
    shop.stock("2", 200.0);
    let id = counted(&mut shop, &[(12.0, -22), (11.0, -15), (10.0, -8)]);
    let mut shrink = here(ExceptionType::IShrink, "2");
    shrink.signal.from = day(-22);
    let three = shop.assess(&[shrink.clone(), count(&id)]);
    assert!(find(&three, "RECOUNT").is_some(), "{:?}", codes(&three));
    counted(&mut shop, &[(9.0, -1)]);
    let found = shop.assess(&[shrink.clone(), count(&id)]);
    assert!(find(&found, "RECOUNT").is_none(), "{:?}", codes(&found));
    let asked = &found.candidates[0];
    assert!(
        matches!(&asked.action, Action::Escalate { unclear, to } if to == "loss prevention (restricted)"
            && unclear.starts_with("why 4 counts in a row of AC-001") && unclear.ends_with("42 units in all, 168.00 at cost")),
        "{}",
        asked.summary
    );
    assert!(asked.money.benefit.expected > Money::ZERO, "it stands above the line by what it can save");
    assert_eq!(codes(&found).iter().filter(|code| **code == "ESCALATE").count(), 1);
    assert_recomputes(&found);
    // One that agreed in between does not explain the others.
    counted(&mut shop, &[(0.0, -12)]);
    let found = shop.assess(&[shrink]);
    assert!(find(&found, "RECOUNT").is_none());
    assert!(must(&found, "ESCALATE").summary.contains("why 4 of 5 counts"), "{}", must(&found, "ESCALATE").summary);
}

#[test]
fn a_unit_slip_that_a_count_has_refuted_is_no_loss() {
    let mut shop = Shop::new();
    shop.demand("2", 12.0, 5.0);
    shop.order("4", "2", 10, -6);
    shop.receipt("4", "2", 120, Some(-5));
    assert!(shop.assess(&[on_line(ExceptionType::RUom, "4", "2")]).rank.at_stake > Money::ZERO);
    counted(&mut shop, &[(0.0, -2)]);
    let found = shop.assess(&[on_line(ExceptionType::RUom, "4", "2")]);
    assert!(find(&found, "RECOUNT").is_none());
    assert_eq!(found.rank.at_stake, Money::ZERO);
}

#[test]
fn a_sum_that_waits_for_the_next_order_says_until_when() {
    let mut shop = Shop::new();
    shop.offer(5, 0, 1);
    shop.stock("2", 10.0);
    shop.demand("2", 12.0, 5.0);
    let waits = |shop: &Shop| {
        let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
        assert_recomputes(&found);
        found.loss_sum.iter().find(|p| p.what.starts_with("lost margin that waiting")).map(|p| p.what.clone())
    };
    // No rhythm known, no minimum: a week.
    assert!(waits(&shop).unwrap().contains("if nobody orders before 2026-11-09"), "{:?}", waits(&shop));
    // Every seven days, last four days ago.
    for (line, ordered) in [("3", -18), ("4", -11), ("5", -4)] {
        shop.order(line, "2", 84, ordered + 10);
        if let Some(Record::PoLine(line)) = shop.records.last_mut() {
            line.ordered_at = reeve_domain::calendar::Calendar::utc().close_of(day(ordered));
        }
        shop.receipt(line, "2", 84, Some(-1));
        shop.moved(MoveKind::Delivery, "2", 84.0, Some(0));
    }
    assert!(waits(&shop).unwrap().contains("if nobody orders before 2026-11-05"), "{:?}", waits(&shop));
}
