//! Lots that will not be sold before they expire, and lots that came too old: I-STALE, R-LOT.

use super::*;
use reeve_domain::action::Candidate;
use reeve_domain::record::{Lot, LotStock};

impl Shop {
    /// A lot that came and expires on these days, whether anything of it is left or not.
    fn lot(&mut self, id: &str, came: i32, expires: Option<i32>) {
        let (item, name) = (ItemId::new("1"), format!("L{id}"));
        let lot = Lot { id: id.into(), item, name, expires_at: expires.map(at), created_at: at(came) };
        self.records.push(Record::Lot(lot));
    }

    /// A receipt on the day on which the newest lot was entered.
    fn came_in(&mut self, qty: i64) {
        self.moved(MoveKind::Receipt, None, Some("2"), qty, Some(-2));
    }

    /// What of the lots is at the store.
    fn held(&mut self, lots: &[(&str, i64)], without: i64) {
        let total = lots.iter().map(|(_, n)| n).sum::<i64>() + without;
        self.stock("2", total);
        self.records.push(Record::LotStock(LotStock {
            item: ItemId::new("1"),
            location: LocationId::new("2"),
            lots: lots.iter().map(|(id, n)| ((*id).to_owned(), Quantity::units(*n))).collect(),
            without: Quantity::units(without),
        }));
    }
}

fn question(found: &Assessment) -> &Candidate {
    found.candidates.iter().find(|c| matches!(c.action, Action::Contact { .. })).expect("somebody is asked")
}

#[test]
fn what_expires_before_it_is_sold_is_raised_with_what_will_be_left() {
    let mut shop = Shop::new();
    shop.lot("31", -11, Some(3));
    shop.held(&[("31", 28)], 0);
    shop.demand("2", 3.0);
    let signal = shop.one(T::IStale);
    assert_eq!(
        signal.headline,
        "28 of AC-001 Kitchen scale at Market Street Store expire on 2026-11-05, in 3 days (lot L31); about 22 will be left."
    );
    assert_eq!(signal.period, "lot 31");
    assert_eq!(links(&signal), ["surplus:1@2", "lot:31"]);
    // Two whole days are left to sell it: 28 − 6, and a little for the doubt.
    let found = shop.assess_signals(vec![signal]);
    assert_eq!(found.loss_sum.len(), 1);
    let lost = found.loss_sum[0].amount;
    assert!(money("88.00") <= lost.expected && lost.expected <= money("88.20"), "{lost:?}");
    assert!(lost.low < lost.expected && lost.expected < lost.high);
    let asked = question(&found);
    assert!(asked.summary.contains("sell lot L31 first, and cheaper before it expires on 2026-11-05"), "{}", asked.summary);
    assert_eq!(asked.latest_date, day(2), "the day before it expires");
    assert!(found.rank.value.expected > money("20.00"), "{:?}", found.rank);
}

#[test]
fn what_sells_in_time_or_expires_far_ahead_is_silent() {
    let mut shop = Shop::new();
    shop.lot("31", -11, Some(4));
    shop.held(&[("31", 28)], 0);
    shop.demand("2", 15.0);
    shop.silent(T::IStale);
    let mut far = Shop::new();
    far.lot("31", -11, Some(90));
    far.held(&[("31", 28)], 0);
    far.silent(T::IStale);
    let mut undated = Shop::new();
    undated.lot("31", -11, None);
    undated.held(&[("31", 28)], 0);
    undated.silent(T::IStale);
}

#[test]
fn what_expires_first_is_sold_first_and_each_lot_has_its_own_rest() {
    let mut shop = Shop::new();
    shop.lot("31", -20, Some(5));
    shop.lot("32", -10, Some(11));
    shop.held(&[("31", 50), ("32", 30)], 0);
    shop.demand("2", 6.0);
    let found = shop.looked_as(T::IStale);
    let left: Vec<f64> = found
        .iter()
        .map(|s| {
            let FactValue::Quantity(q) = value(s, "stale_units@2").expect("a figure") else { panic!("units") };
            q.to_f64()
        })
        .collect();
    // Of the first 50 − 24 go to waste; then 6 more days sell 36 of the 30: nothing more is lost.
    assert_eq!(left.len(), 1, "{found:?}");
    assert!((left[0] - 26.0).abs() < 0.2, "{left:?}");
}

#[test]
fn what_is_past_its_day_is_said_so_and_is_asked_after_at_once() {
    let mut shop = Shop::new();
    shop.lot("31", -20, Some(-1));
    shop.held(&[("31", 9)], 0);
    shop.demand("2", 6.0);
    let signal = shop.one(T::IStale);
    assert!(signal.headline.starts_with("9 of AC-001 Kitchen scale at Market Street Store are past their day"));
    let found = shop.assess_signals(vec![signal]);
    assert_eq!(found.loss_sum[0].amount.expected, money("36.00"), "all of it, at cost");
    assert!(question(&found).summary.contains("take it off the shelf"));
}

#[test]
fn lots_that_were_entered_without_a_receipt_came_nobody_knows_when() {
    let entered = |receipts: usize| {
        let mut shop = Shop::new();
        usual_lots(&mut shop);
        for _ in 0..receipts {
            shop.came_in(10);
        }
        shop.lot("14", -2, Some(16));
        shop.held(&[("14", 10)], 0);
        shop.demand("2", 3.0);
        shop
    };
    entered(0).silent(T::RLot);
    entered(1).one(T::RLot);
    // Of two nobody knows by which it came.
    entered(2).silent(T::RLot);
}

#[test]
fn what_a_place_sends_on_is_no_rest_of_its_lots_until_it_has_expired() {
    let shop = |sent: bool, expires: i32| {
        let mut shop = Shop::new();
        shop.lot("31", -20, Some(expires));
        shop.held(&[("31", 90)], 0);
        shop.demand("2", 0.0);
        if sent {
            shop.moved(MoveKind::Transfer, Some("2"), Some("1"), 30, Some(-5));
        }
        shop
    };
    shop(false, 30).one(T::IStale);
    shop(true, 30).silent(T::IStale);
    shop(true, -1).one(T::IStale);
}

#[test]
fn what_is_written_off_is_not_held_as_well() {
    let mut shop = Shop::new();
    shop.records.push(Record::SupplierPrice(records::supplier_price("1")));
    shop.moved(MoveKind::Opening, None, Some("2"), 1, Some(-90));
    shop.lot("31", -40, Some(30));
    shop.lot("32", -40, Some(300));
    shop.held(&[("31", 100), ("32", 300)], 0);
    shop.demand("2", 1.0);
    let (stale, over) = (shop.one(T::IStale), shop.one(T::IOver));
    let excess = |signals: Vec<Signal>| {
        let found = shop.assess_signals(signals);
        let of = |field: &str| {
            let fact = found.facts.iter().find(|fact| fact.id.as_str() == format!("item:1/{field}"));
            match fact.map(|fact| &fact.value) {
                Some(FactValue::Quantity(units)) => units.to_f64(),
                _ => 0.0,
            }
        };
        (of("excess@2"), of("written_off@2"))
    };
    let (alone, _) = excess(vec![over.clone()]);
    // Also where the stock is looked at first.
    for signals in [vec![stale.clone(), over.clone()], vec![over, stale]] {
        let (rest, written_off) = excess(signals);
        assert!((70.0..73.0).contains(&written_off), "{written_off}");
        assert!((alone - rest - written_off).abs() < 0.02, "{alone} {rest} {written_off}");
    }
}

/// Lots that came with sixty days to live each.
fn usual_lots(shop: &mut Shop) {
    for (id, came) in [("11", -90), ("12", -70), ("13", -50)] {
        shop.lot(id, came, Some(came + 60));
    }
}

#[test]
fn a_lot_that_comes_with_too_little_life_is_its_suppliers_fault() {
    let mut shop = Shop::new();
    usual_lots(&mut shop);
    shop.order("1", 100, -10, -2);
    shop.receipt("1", 100, Some(-2));
    shop.lot("14", -2, Some(16));
    shop.held(&[("14", 100)], 0);
    shop.demand("2", 3.0);
    let signal = shop.one(T::RLot);
    assert_eq!(
        signal.headline,
        "Lot L14 of AC-001 Kitchen scale came on 2026-10-31 with 18 days to live, 60 are usual: it expires on 2026-11-18."
    );
    assert_eq!(signal.subject.supplier, Some(SupplierId::new("9")));
    assert_eq!(signal.opens_until, Some(day(12)));
    // One lot, one decision: what will be left of it is what it costs.
    let both = vec![signal, shop.one(T::IStale)];
    let found = shop.assess_signals(both);
    assert_eq!(found.loss_sum.len(), 1, "the same units are counted once");
    assert!(found.candidates.iter().any(|c| c.summary.contains("too little shelf life")));
    assert_eq!(shop.with_cases(), 1);
}

#[test]
fn a_lot_with_enough_life_or_without_others_to_compare_is_silent() {
    let mut shop = Shop::new();
    usual_lots(&mut shop);
    shop.came_in(10);
    shop.lot("14", -2, Some(43));
    shop.held(&[("14", 10)], 0);
    shop.demand("2", 3.0);
    shop.silent(T::RLot);
    let mut first = Shop::new();
    first.came_in(10);
    first.lot("14", -2, Some(16));
    first.held(&[("14", 10)], 0);
    first.demand("2", 3.0);
    first.silent(T::RLot);
    let mut sold = Shop::new();
    usual_lots(&mut sold);
    sold.came_in(10);
    sold.lot("14", -2, Some(16));
    sold.silent(T::RLot);
}

#[test]
fn a_date_that_was_written_the_other_way_round_is_said_to_be_one() {
    let mut shop = Shop::new();
    usual_lots(&mut shop);
    shop.came_in(10);
    // Came on 31 October and expires on 11 December, was entered as 12 November.
    shop.lot("14", -2, Some(10));
    shop.held(&[("14", 10)], 0);
    shop.demand("2", 3.0);
    let words = shop.one(T::RLot).headline;
    assert!(words.ends_with("it expires on 2026-11-12; day and month may be swapped (2026-12-11)."), "{words}");
}

#[test]
fn goods_without_a_lot_beside_others_that_have_one_are_asked_after() {
    let mut shop = Shop::new();
    shop.lot("31", -11, Some(50));
    shop.held(&[("31", 20)], 6);
    shop.demand("2", 3.0);
    let signal = shop.one(T::RLot);
    assert_eq!(signal.headline, "6 of AC-001 Kitchen scale at Market Street Store have no lot, all else there has one.");
    let found = shop.assess_signals(vec![signal]);
    assert!(has(&found, "ESCALATE") && found.loss_sum.is_empty(), "nobody knows what it costs");
    let mut all = Shop::new();
    all.lot("31", -11, Some(50));
    all.held(&[("31", 20)], 1);
    all.demand("2", 3.0);
    all.silent(T::RLot);
}

impl Shop {
    /// How many cases everything that is judged folds into.
    fn with_cases(&self) -> usize {
        fold(at(0), self.looked(), Vec::new(), Vec::new()).cases.len()
    }
}
