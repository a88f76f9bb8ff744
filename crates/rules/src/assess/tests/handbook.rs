//! The handbook's examples, to the cent.

use super::*;

#[test]
fn a_shortage_is_priced_as_in_the_handbook() {
    // §11 vector 3 with a margin of 6.00 instead of 7.50; lateness is unknown, so the receipt may be a day off: E 36.1842.
    let found = short_shop().assess(&[here(ExceptionType::ILow, "2")]);
    let expected = formulas::lost_margin(36.1842, 6.0, 0.2);
    let lost = &found.loss_sum[0].amount;
    assert!((lost.expected.to_f64() - expected).abs() < 0.02, "{lost:?} is not about {expected:.2}");
    assert!(lost.low < lost.expected && lost.expected < lost.high);
}

#[test]
fn a_transfer_covers_nine_shortages_in_ten_and_never_empties_the_donor() {
    let found = short_shop().assess(&[here(ExceptionType::ILow, "2")]);
    let transfer = must(&found, "TRANSFER");
    assert_eq!(transfer.id, "A1");
    // It arrives in two days; what is asked for until then is no use of it.
    assert_eq!(transfer.action.quantity(), Some(Quantity::units(58)));
    assert_eq!(
        transfer.summary,
        "Move 58 units of AC-001 Kitchen scale from Northgate DC to Market Street Store, shipping 2026-11-03."
    );
    // 15.00 + 58 × 0.10, and moving half of it back.
    assert_eq!((transfer.money.cost, transfer.money.regret), (money("20.80"), money("17.90")));
    // The receipt comes in eight days; the van needs one, and what arrives with the receipt is no help.
    assert_eq!(transfer.latest_date, day(6));
    assert!(found.rank.value.expected == transfer.money.benefit.expected);
    // Out on the sixth day, two days from the decision to the shelf; a day before that a tenth is lost.
    assert_eq!(found.rank.deadline, day(2));
    let expedite = must(&found, "EXPEDITE");
    assert!(expedite.money.benefit.expected < transfer.money.benefit.expected);
    assert!(find(&found, "NEW-PO").is_none(), "200 units on order cover the need");
}

#[test]
fn net_benefit_orders_actions_as_in_the_handbook() {
    // §11 vector 5: transfer, expedite, nothing, new order.
    let shop = Shop::new();
    let exceptions = [here(ExceptionType::ILow, "2")];
    shop.with(&exceptions, |scene| {
        let mut gathered = Gathered::new(scene);
        gathered.lose("lost", "lost margin".into(), Range::certain(money("216.15")), Vec::new());
        let cite = gathered.fact(lead_record(scene), "p_real", "p", FactValue::number(0.8, 4));
        let action = |name: &str| Action::NoAction { reason: name.to_owned() };
        let proposal = |name: &str, left: &str, cost: &str, regret: &str| Proposal {
            after: BTreeMap::from([("lost".to_owned(), gathered::Left::Amount(Range::certain(money(left))))]),
            cost: money(cost),
            regret: money(regret),
            ..Proposal::idle(action(name), name.to_owned(), day(3))
        };
        let mut candidates: Vec<Candidate> = [
            proposal("new order", "216.15", "12", "40"),
            Proposal::idle(action("nothing"), "nothing".into(), day(9)),
            proposal("expedite", "3.37", "60", "0"),
            proposal("transfer", "23.20", "25", "6"),
        ]
        .into_iter()
        .filter_map(|p| rank::candidate(&gathered, 0.8, &cite, p))
        .collect();
        rank::order(&mut candidates);
        let shown: Vec<_> = candidates.iter().map(|c| (c.summary.as_str(), c.money.benefit.expected.to_string())).collect();
        let wanted = [("transfer", "128.16"), ("expedite", "110.22"), ("nothing", "0.00"), ("new order", "-20.00")];
        assert_eq!(shown, wanted.map(|(name, benefit)| (name, benefit.to_owned())));
        // §11 vector 6: slack of three days (half a day goes to the approval), λ 0.25.
        let rank = rank::rank(scene, 0.8, money("216.15"), &candidates, &[]);
        assert!((rank.slack_days - 2.5).abs() < 1e-9 && (rank.perishing - 0.4).abs() < 1e-9);
        assert_eq!(rank.priority.to_string(), "70.49");
    });
}

#[test]
fn priority_is_that_of_the_handbook() {
    // §11 vector 6, through the ranking: V 60, slack 1 day, perishes whole.
    let mut shop = Shop::new();
    shop.settings.ranking.approval_days = 0.0;
    for (value, days, wanted) in
        [("128.16", 3, "64.08"), ("104.00", 6, "39.00"), ("900.00", 20, "258.75"), ("60.00", 1, "60.00")]
    {
        shop.with(&[here(ExceptionType::ILow, "2")], |scene| {
            let mut gathered = Gathered::new(scene);
            gathered.lose("lost", "lost".into(), Range::certain(money(value)), Vec::new());
            let cite = gathered.fact(lead_record(scene), "p_real", "p", FactValue::number(1.0, 4));
            let mut saved = Proposal::idle(Action::NoAction { reason: "x".into() }, "x".into(), day(days));
            saved.after = Gathered::leaving(&["lost".to_owned()], 0.0);
            let candidates: Vec<_> = rank::candidate(&gathered, 1.0, &cite, saved).into_iter().collect();
            assert_eq!(rank::rank(scene, 1.0, money(value), &candidates, &[]).priority, money(wanted));
        });
    }
}

#[test]
fn three_way_match_is_exact_and_one_case() {
    // §11 vector 7: ordered 100 at 8.00, received 92, billed 100 at 8.40: 64.00 and 40.00.
    let mut shop = Shop::new();
    shop.offer(10, 0, 1);
    shop.stock("2", 500.0);
    shop.demand("2", 1.0, 0.5);
    shop.order("3", "2", 100, -5);
    shop.receipt("3", "2", 92, Some(-5));
    shop.bill("3", 100, 8.4, 20, false);
    let all = [ExceptionType::RShort, ExceptionType::FQty, ExceptionType::FPrice].map(|code| on_line(code, "3", "2"));
    let found = shop.assess(&all);
    assert_eq!(found.abstain, None);
    assert_eq!(found.rank.at_stake, money("104.00"));
    let block = must(&found, "BLOCK-BILL");
    assert_eq!(block.id, "A1");
    assert!(
        matches!(&block.action, Action::BlockBill { disputed, bill, .. } if *disputed == money("104.00") && bill == "73")
    );
    let claim = must(&found, "CLAIM");
    assert!(matches!(&claim.action, Action::Claim { value, quantity, .. }
        if *value == money("104.00") && *quantity == Quantity::units(8)));
    assert_eq!(claim.latest_date, day(27));
    assert_eq!(must(&found, "ACCEPT-VAR").money.benefit.expected, Money::ZERO);
    // The short receipt and the bill for what did not come are the same 64.00.
    let alone = shop.assess(&all[..1]);
    assert_eq!(alone.rank.at_stake, money("64.00"));
}

#[test]
fn what_a_donor_can_spare_is_the_handbooks() {
    // §11 vector 10: 150 available, 4 a day, next receipt in 12 days, safety stock 20 → 82.
    let mut shop = Shop::new();
    shop.stock("1", 150.0);
    shop.order("1", "1", 50, 12);
    shop.receipt("1", "1", 50, None);
    let sigma = 20.0 / (formulas::normal_quantile(0.95) * 12.0_f64.sqrt());
    shop.demand("1", 4.0, sigma);
    let spare = shop.with(&[], |scene| projection::spare(scene, &(ItemId::new("1"), LocationId::new("1"))));
    assert!((spare.safety - 20.0).abs() < 1e-6 && spare.days == 12);
    assert!((spare.units - 82.0).abs() < 1.0 + 1e-9);
}
