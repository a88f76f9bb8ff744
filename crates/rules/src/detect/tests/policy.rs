//! Matters of policy: overstock, reorder rules, least orders, suppliers' performance (I-OVER, D-EOL, D-CENSORED, S-PARAM, S-MOQ, S-OTIF).

use super::*;
use reeve_domain::record::{ReorderRule, SaleLine};

impl Shop {
    fn terms(&mut self, min_qty: i64) {
        self.records.push(Record::SupplierPrice(SupplierPrice {
            min_qty: Quantity::units(min_qty),
            ..records::supplier_price("1")
        }));
    }

    fn ruled(&mut self, location: &str, min: i64, max: i64) {
        self.records.push(Record::ReorderRule(ReorderRule {
            id: format!("rule-{location}"),
            item: ItemId::new("1"),
            location: LocationId::new(location),
            min: Quantity::units(min),
            max: Quantity::units(max),
            multiple: Quantity::units(1),
        }));
    }

    /// Customers have ordered it, so that it is an A item.
    fn sold(&mut self) {
        self.records.push(Record::SaleLine(SaleLine { ordered_at: at(-30), ..records::sale_line("77") }));
    }
}

fn bought_too_much(units: i64) -> Shop {
    let mut shop = Shop::new();
    shop.terms(0);
    shop.moved(MoveKind::Opening, None, Some("2"), units, Some(-90));
    shop.demand("2", 2.0);
    shop
}

#[test]
fn a_year_of_stock_is_too_much_and_an_order_on_top_can_be_cancelled() {
    let mut shop = bought_too_much(600);
    shop.open_order("1", -5, 20);
    let signal = shop.one(T::IOver);
    assert!(
        signal.headline.starts_with(
            "AC-001 Kitchen scale at Market Street Store is overstocked: 600 free and 300 on order, 450 days of it"
        ),
        "{}",
        signal.headline
    );
    assert_eq!(signal.period, "over 2026-Q4");
    let found = shop.assess_signals(vec![signal]);
    assert_eq!(found.loss_sum.len(), 1);
    assert!(found.candidates.iter().any(|c| c.action.code() == "CANCEL-PO" && c.money.benefit.expected > Money::ZERO));
    assert_eq!(found.candidates[0].action.code(), "CANCEL-PO", "{}", found.candidates[0].summary);
}

#[test]
fn of_a_place_that_sends_on_nothing_says_what_is_too_much() {
    let mut shop = bought_too_much(1_000);
    shop.demand("2", 0.0);
    shop.terms(24);
    shop.open_order("1", -5, 20);
    let signal = shop.one(T::IOver);
    let (case, exceptions) = (case_of(&signal), [exception(signal.clone())]);
    let found = shop.assess_signals(vec![signal]);
    let cancel =
        found.candidates.iter().find(|c| c.action.code() == "CANCEL-PO").expect("it can be cancelled").action.clone();
    let fails = |shop: &Shop| shop.with(&case, &exceptions, |scene| failures(&recheck(scene, &cancel)).len());
    assert_eq!(fails(&shop), 0);
    // A store was sent some of it: what comes is for the stores.
    shop.moved(MoveKind::Transfer, Some("2"), Some("1"), 60, Some(-20));
    shop.silent(T::IOver);
    assert_eq!(fails(&shop), 1, "nor is an order cancelled that a card of before says to cancel");
    // What was sent back to where it came from, or long ago, is nobody's demand.
    for edit in [|m: &mut StockMove| m.returns = Some("x".into()), |m: &mut StockMove| m.done_at = Some(at(-130))] {
        let mut shop = bought_too_much(1_000);
        edit(shop.moved(MoveKind::Transfer, Some("2"), Some("1"), 60, Some(-20)));
        shop.one(T::IOver);
    }
    // Neither does its rule, nor a least order: both are measured by sales alone.
    let moq = |sent: bool| {
        let mut shop = Shop::new();
        shop.terms(400);
        shop.stock("2", 3);
        shop.demand("2", 2.0);
        if sent {
            shop.moved(MoveKind::Transfer, Some("2"), Some("1"), 1, Some(-20));
        }
        shop
    };
    moq(false).one(T::SMoq);
    moq(true).silent(T::SMoq);
}

#[test]
fn what_a_rule_a_promotion_or_a_launch_asks_for_is_not_too_much() {
    bought_too_much(60).silent(T::IOver);
    let mut ruled = bought_too_much(600);
    ruled.ruled("2", 100, 400);
    ruled.silent(T::IOver);
    let mut promoted = bought_too_much(600);
    promoted.records.push(Record::Promotion(records::promotion("p1", "1", day(20), day(30))));
    promoted.silent(T::IOver);
    assert!(promoted.looked().iter().any(|s| s.code == T::IOver && s.explained.is_some()), "said, and explained");
    let mut launch = Shop::new();
    launch.terms(0);
    launch.moved(MoveKind::Opening, None, Some("2"), 600, Some(-20));
    launch.demand("2", 2.0);
    launch.silent(T::IOver);
}

#[test]
fn what_nobody_has_bought_for_four_months_is_dead() {
    let mut shop = Shop::new();
    shop.terms(0);
    shop.moved(MoveKind::Opening, None, Some("2"), 50, Some(-200));
    // Something else was sold then: so long ago is known.
    shop.records.push(Record::SaleLine(SaleLine {
        item: ItemId::new("2"),
        ordered_at: at(-190),
        ..records::sale_line("76")
    }));
    shop.demand("2", 0.0);
    let signal = shop.one(T::IOver);
    assert_eq!(
        signal.headline,
        "AC-001 Kitchen scale at Market Street Store has not sold for 120 days: 50 lie there, 200.00 at cost."
    );
    assert_eq!(signal.period, "dead 2026-Q4");
    // Three years of holding it, and nothing that pays among what can be done: a person judges.
    let found = shop.assess_signals(vec![signal]);
    assert_eq!(found.loss_sum[0].amount.expected, money("150.00"));
    assert!(has(&found, "ESCALATE"));
    // Somebody bought one last month.
    let mut slow = Shop::new();
    slow.terms(0);
    slow.moved(MoveKind::Opening, None, Some("2"), 26, Some(-200));
    slow.demand("2", 0.1);
    slow.sold();
    slow.silent(T::IOver);
}

#[test]
fn a_minimum_below_the_demand_of_the_lead_time_is_raised_with_what_a_cycle_loses() {
    let mut shop = Shop::new();
    shop.terms(0);
    shop.ruled("2", 20, 200);
    shop.stock("2", 100);
    shop.demand("2", 8.0);
    let signal = shop.one(T::SParam);
    assert_eq!(
        signal.headline,
        "AC-001 Kitchen scale at Market Street Store is reordered at 20, and 56 are sold in the 7 days that an order takes."
    );
    assert_eq!(signal.period, "low 2026-Q4");
    let found = shop.assess_signals(vec![signal]);
    assert!(found.loss_sum[0].amount.expected > money("100.00"), "{:?}", found.loss_sum);
    // From 20 to more than 30 is more than half: that is for a person.
    assert!(!has(&found, "ADJUST-PARAM") && has(&found, "ESCALATE"));
    let mut near = Shop::new();
    near.terms(0);
    near.ruled("2", 41, 200);
    near.stock("2", 100);
    near.demand("2", 8.0);
    // It has been sold for a month: days enough to know.
    near.sold();
    near.settings.detect.service_level = 0.5;
    let found = near.assess_signals(vec![near.one(T::SParam)]);
    assert!(
        found.candidates.iter().any(|c| c.action.code() == "ADJUST-PARAM"),
        "{:?}",
        found.candidates.iter().map(|c| &c.summary).collect::<Vec<_>>()
    );
}

#[test]
fn a_rule_that_contradicts_itself_or_that_an_a_item_lacks_is_said() {
    let mut crossed = Shop::new();
    crossed.terms(0);
    crossed.ruled("2", 90, 40);
    crossed.stock("2", 100);
    crossed.demand("2", 2.0);
    assert!(crossed.one(T::SParam).headline.ends_with("has a minimum of 90 above its maximum of 40."));
    let mut missing = Shop::new();
    missing.terms(0);
    missing.ruled("1", 60, 120);
    missing.stock("1", 100);
    missing.stock("2", 100);
    missing.demand("1", 2.0);
    missing.demand("2", 8.0);
    missing.sold();
    let signal = missing.one(T::SParam);
    assert!(signal.headline.contains("has no reorder rule; other places"), "{}", signal.headline);
    missing.assess_signals(vec![signal]);
}

#[test]
fn a_rule_that_fits_and_a_rule_of_what_nobody_buys_are_silent() {
    let mut shop = Shop::new();
    shop.terms(0);
    shop.ruled("2", 60, 200);
    shop.stock("2", 100);
    shop.demand("2", 8.0);
    shop.silent(T::SParam);
    let mut unsold = Shop::new();
    unsold.terms(0);
    unsold.ruled("2", 90, 40);
    unsold.stock("2", 10);
    unsold.demand("2", 0.0);
    unsold.silent(T::SParam);
}

#[test]
fn a_least_order_of_half_a_year_is_a_conflict_and_a_pallet_that_sells_is_none() {
    let mut shop = Shop::new();
    shop.terms(400);
    shop.stock("2", 3);
    shop.demand("2", 2.0);
    let signal = shop.one(T::SMoq);
    assert!(signal.headline.contains("Acme takes orders from 400 on"), "{}", signal.headline);
    let found = shop.assess_signals(vec![signal]);
    // What only ordering would leave over is no loss of waiting.
    assert!(found.loss_sum.is_empty(), "{:?}", found.loss_sum);
    assert!(found.candidates.iter().any(|c| c.summary.contains("a smaller least order")));
    let mut sells = Shop::new();
    sells.terms(100);
    sells.stock("2", 3);
    sells.demand("2", 4.0);
    sells.silent(T::SMoq);
}

/// Lines of a supplier that came in time, and the newest ones so many days late.
fn supplied(late: i32) -> Shop {
    let mut shop = Shop::new();
    for n in 0..34 {
        let promised = -160 + 4 * n;
        let line = format!("{}", 100 + n);
        shop.order(&line, 100, promised - 7, promised);
        shop.receipt(&line, 100, Some(promised + if n >= 24 && n % 2 == 0 { late } else { 0 }));
    }
    shop
}

#[test]
fn a_supplier_that_was_in_time_and_is_not_any_more_is_asked() {
    let signal = supplied(5).one(T::SOtif);
    assert_eq!(
        signal.headline,
        "Acme delivered 50 % of its last 10 lines in time and in full, 100 % of 24 before: 5 late, 0 short."
    );
    assert_eq!(links(&signal), ["leadtime:9"]);
    let found = supplied(5).assess_signals(vec![signal]);
    assert!(found.loss_sum.is_empty() && has(&found, "CONTACT"), "what it costs is counted where it costs");
}

#[test]
fn a_supplier_within_its_tolerance_is_silent() {
    supplied(1).silent(T::SOtif);
    supplied(0).silent(T::SOtif);
}

#[test]
fn what_is_left_of_a_delisted_item_is_said_and_its_orders_are_cancelled() {
    let ended = |shop: &mut Shop| {
        for record in &mut shop.records {
            if let Record::Item(item) = record
                && item.id == ItemId::new("1")
            {
                (item.sellable, item.delisted_at) = (false, Some(at(-12)));
            }
        }
    };
    let mut shop = bought_too_much(40);
    shop.demand("2", 0.0);
    shop.open_order("1", -5, 20);
    shop.silent(T::DEol);
    ended(&mut shop);
    let signal = shop.one(T::DEol);
    assert_eq!(
        signal.headline,
        "AC-001 Kitchen scale is not sold since 2026-10-21: 40 are left at Market Street Store and 300 are on order, 1,360.00 at cost."
    );
    let found = shop.assess_signals(vec![signal]);
    assert_eq!(found.candidates[0].action.code(), "CANCEL-PO", "{}", found.candidates[0].summary);
    // Nothing is forecast where nothing was ever sold: that nobody will buy it is known all the same.
    let mut unsold = Shop::new();
    unsold.moved(MoveKind::Opening, None, Some("2"), 40, Some(-90));
    unsold.open_order("1", -5, 20);
    ended(&mut unsold);
    let found = unsold.assess_signals(vec![unsold.one(T::DEol)]);
    assert_eq!(found.candidates[0].action.code(), "CANCEL-PO", "{}", found.candidates[0].summary);
    // One delisting is one decision.
    shop.stock("1", 100);
    let all = shop.looked_as(T::DEol);
    assert_eq!(all.len(), 2);
    assert!(all[0].headline.ends_with("400.00 at cost; 1,760.00 at 2 places in all."), "{}", all[0].headline);
    assert_eq!(fold(at(0), all.clone(), Vec::new(), Vec::new()).cases.len(), 1);
    let found = shop.assess_signals(all);
    assert_eq!(found.loss_sum.len(), 2, "what lies at each place");
    assert!(has(&found, "CANCEL-PO"));
    let mut little = bought_too_much(20);
    ended(&mut little);
    little.silent(T::DEol);
}

#[test]
fn weeks_without_stock_are_no_weeks_without_demand() {
    let out = |days: i32| {
        let mut shop = Shop::new();
        shop.demand("2", 10.0);
        shop.moved(MoveKind::Opening, None, Some("2"), 50, Some(-60));
        shop.moved(MoveKind::Delivery, Some("2"), None, 50, Some(-20));
        shop.moved(MoveKind::Receipt, None, Some("2"), 300, Some(-20 + days));
        shop.sold();
        shop
    };
    let signal = out(12).one(T::DCensored);
    assert!(signal.headline.contains("was out of stock on"), "{}", signal.headline);
    assert_eq!(signal.period, "2026-Q4");
    let found = out(12).assess_signals(vec![signal]);
    assert!(found.loss_sum.is_empty() && has(&found, "ESCALATE"), "what was not sold is gone");
    out(3).silent(T::DCensored);
}

#[test]
fn one_cycle_is_counted_by_the_rule_that_does_not_fit_and_not_by_the_lead_time_too() {
    let shop = |min: i64| {
        let mut shop = Shop::new();
        shop.terms(0);
        shop.ruled("2", min, 200);
        shop.stock("2", 100);
        shop.demand("2", 8.0);
        for n in 0..4 {
            let (line, ordered) = (format!("{n}"), -40 + 6 * n);
            shop.order(&line, 10, ordered, ordered + 7);
            shop.receipt(&line, 10, Some(ordered + 14));
        }
        shop
    };
    let cycles = |shop: &Shop| {
        let book = shop.book();
        let mut signals = shop.looked_as(T::SParam);
        signals.extend(supply::signals(&book, &shop.settings));
        supply::leave_cycles(&book, &mut signals);
        assert_eq!(fold(at(0), signals.clone(), Vec::new(), Vec::new()).cases.len(), signals.len());
        let counted = |signal: Signal| {
            let found = shop.assess_signals(vec![signal]);
            found.loss_sum.iter().filter(|part| part.what.contains("one cycle")).count()
        };
        signals.into_iter().map(|signal| (signal.code, counted(signal))).collect::<Vec<_>>()
    };
    // A minimum that is far too low for the listed days already: how much more the real ones ask for is of the same cycle.
    assert_eq!(cycles(&shop(20)), [(T::SParam, 1), (T::SLtShift, 0)]);
    // One that fits the listed days is short only for the days beyond them.
    assert_eq!(cycles(&shop(80)), [(T::SLtShift, 1)]);
}

/// The case that a signal opens.
fn case_of(signal: &Signal) -> Case {
    fold(at(0), vec![signal.clone()], Vec::new(), Vec::new()).cases.remove(0).0
}
