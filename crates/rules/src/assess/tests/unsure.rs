//! Where a person has to look first: a count, a missing cost, a doubtful alarm, opposite actions.

use super::*;

#[test]
fn a_unit_slip_is_counted_before_anything_else() {
    // §11 vector 13: ordered 6,000, received 60,000: the unit first, not an over-delivery.
    let mut shop = Shop::new();
    shop.order("4", "1", 6000, -2);
    shop.receipt("4", "1", 60_000, Some(-2));
    let found = shop.assess(&[on_line(ExceptionType::RUom, "4", "1")]);
    assert_eq!(found.rank.at_stake, money("216000.00"));
    assert_eq!(must(&found, "RECOUNT").id, "A1");
    assert!(matches!(&must(&found, "RECOUNT").action, Action::Recount { not_by: Some(by), .. } if by == "7"));
    assert!(find(&found, "CLAIM").is_none() && find(&found, "ACCEPT-VAR").is_none());
}

#[test]
fn a_missing_cost_is_said_and_nothing_is_suggested() {
    let mut shop = short_shop();
    shop.item("1", None, Some(10.0));
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    assert_eq!(found.missing[0].what, "unit cost of AC-001 Kitchen scale");
    assert!(found.abstain.as_ref().is_some_and(|why| why.contains("unit cost")));
    assert_eq!(found.rank.value, Range::default());
}

#[test]
fn a_doubtful_alarm_is_left_to_a_person() {
    let mut shop = short_shop();
    shop.p.insert(ExceptionType::ILow, 0.2);
    assert!(shop.assess(&[here(ExceptionType::ILow, "2")]).abstain.is_some_and(|why| why.contains("below 0.30")));
}

#[test]
fn a_ghost_is_found_by_counting() {
    let mut shop = Shop::new();
    shop.stock("2", 40.0);
    shop.demand("2", 3.0, 1.0);
    let found = shop.assess(&[here(ExceptionType::IPhantom, "2")]);
    // 14 days × 3 × 6.00 × 0.8; one day of it remains.
    let recount = must(&found, "RECOUNT");
    assert_eq!((recount.money.loss_now.expected, recount.money.loss_after.expected), (money("201.60"), money("14.40")));
}

#[test]
fn opposite_actions_worth_nearly_the_same_are_left_to_a_person() {
    let shop = Shop::new();
    shop.with(&[here(ExceptionType::DShift, "2")], |scene| {
        let mut gathered = Gathered::new(scene);
        gathered.lose("lost", "lost".into(), Range::certain(money("100.00")), Vec::new());
        let candidate = |action: Action, benefit: &str| {
            let left = Range::certain(money("100.00") - money(benefit));
            Candidate {
                id: "A1".into(),
                summary: action.code().into(),
                money: MoneySum::new(1.0, Range::certain(money("100.00")), left, Money::ZERO, Money::ZERO),
                value: Money::ZERO,
                latest_date: day(3),
                checks: Vec::new(),
                cites: Vec::new(),
                action,
                then: vec![],
            }
        };
        let (po_line, quantity) = ("1".to_owned(), Quantity::units(5));
        let sooner = Action::Expedite { po_line: po_line.clone(), quantity, new_date: day(2), surcharge_max: Money::ZERO };
        let less = Action::CancelPo { po_line, quantity };
        let close = [candidate(sooner.clone(), "50.00"), candidate(less.clone(), "48.00")];
        assert!(rank::abstention(&gathered, 0.8, &close).is_some_and(|why| why.contains("opposite")));
        let far = [candidate(sooner, "50.00"), candidate(less, "30.00")];
        assert_eq!(rank::abstention(&gathered, 0.8, &far), None);
    });
}
