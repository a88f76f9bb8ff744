//! How long a decision on a shortage can wait, what a day of waiting costs, who waits, and what comes anyway.

use super::*;

/// What is said of the shop on its day, remembered as what was said before.
fn walk(shop: &mut Shop) -> Rank {
    let rank = shop.assess(&[here(ExceptionType::ILow, "2")]).rank;
    shop.said = Some(rank.clone());
    rank
}

/// The shop a day later, with so many units sold.
fn next_day(shop: &mut Shop, sold: f64) {
    shop.now += 1;
    if sold > 0.0 {
        let now = shop.now;
        shop.moved(MoveKind::Delivery, "2", sold, Some(now));
    }
}

#[test]
fn on_unchanged_facts_the_slack_is_a_day_less_each_day() {
    // Sold as forecast, and nothing sold at all: the same day stands, and one day less is left, until it is for today.
    for sold in [12.0, 0.0] {
        let mut shop = short_shop();
        let first = walk(&mut shop);
        assert_eq!((first.deadline, first.slack_days), (day(2), 1.5));
        for later in 1..=4 {
            next_day(&mut shop, sold);
            let rank = walk(&mut shop);
            if rank.value.expected == Money::ZERO {
                // Where nothing is sold for days the stock lasts until relief: nothing is left to decide.
                assert!(sold == 0.0 && later > 2, "nothing to decide on day {later} with {sold} sold");
                break;
            }
            let left = f64::from((2 - later).max(0)) - 0.5;
            assert_eq!((rank.deadline, rank.slack_days), (day(later.max(2)), left), "{sold} sold, day {later}");
        }
    }
}

#[test]
fn the_deadline_moves_earlier_as_stock_falls_and_later_only_when_there_is_more() {
    let mut shop = short_shop();
    let first = walk(&mut shop);
    next_day(&mut shop, 30.0);
    let second = walk(&mut shop);
    assert!(second.deadline < first.deadline, "{} then {}", first.deadline, second.deadline);
    next_day(&mut shop, 24.0);
    let third = walk(&mut shop);
    assert_eq!((third.deadline, third.slack_days), (day(2), -0.5));
    assert!(third.wait_cost > first.wait_cost, "{} then {}", first.wait_cost, third.wait_cost);
    // Goods come: it may be later again.
    shop.moved(MoveKind::CustomerReturn, "2", 40.0, Some(2));
    let better = shop.assess(&[here(ExceptionType::ILow, "2")]).rank;
    assert!(better.deadline > third.deadline, "{better:?}");
}

#[test]
fn what_is_out_is_for_today_as_long_as_something_can_be_saved() {
    let mut shop = short_shop();
    shop.stock("2", -60.0);
    let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
    let rank = &found.rank;
    assert!(rank.value.expected > Money::ZERO && rank.slack_days <= 0.0, "{rank:?}");
    // Each day of waiting loses about a day's demand: 12 × 6.00 × 0.8, times p.
    let daily = 57.6 * rank.p;
    assert!((rank.wait_cost.to_f64() - daily).abs() < 3.0, "{} is not about {daily}", rank.wait_cost);
    let u = rank.wait_cost.to_f64() / rank.value.expected.to_f64();
    assert!((rank.perishing - u).abs() < 1e-9);
}

/// The receipt may be a day off, which is worth some cents.
#[track_caller]
fn near(amount: Money, about: &str) {
    assert!((amount - money(about)).abs() <= Money::from_minor(5), "{amount} is not about {about}");
}

/// Nothing on the shelf, 12 a day asked for, and a receipt on day `due`.
fn out_until(due: i32) -> Shop {
    let mut shop = Shop::new();
    shop.offer(12, 0, 1);
    shop.stock("1", 500.0);
    shop.order("1", "2", 200, due);
    shop.receipt("1", "2", 200, None);
    shop.demand("1", 4.0, 2.0);
    shop.demand("2", 12.0, 0.0);
    shop
}

#[test]
fn what_arrives_with_relief_saves_nothing_and_is_not_proposed() {
    // Handbook §11 vector 16: shipped tomorrow, there in two days.
    let found = out_until(2).assess(&[here(ExceptionType::IOut, "2")]);
    assert!(find(&found, "TRANSFER").is_none(), "it would arrive together with the receipt");
    let found = out_until(3).assess(&[here(ExceptionType::IOut, "2")]);
    let transfer = must(&found, "TRANSFER");
    near(found.rank.at_stake, "172.80");
    // The day between: twelve units.
    near(transfer.money.loss_now.expected - transfer.money.loss_after.expected, "57.60");
    assert!(transfer.checks.iter().any(|c| c.name == "arrives before what is missing comes anyway" && c.passed));
}

#[test]
fn an_edited_transfer_that_would_come_with_relief_is_refused() {
    let shop = out_until(5);
    let exceptions = [here(ExceptionType::IOut, "2")];
    let Action::Transfer { item, from, to, quantity, .. } = must(&shop.assess(&exceptions), "TRANSFER").action.clone()
    else {
        unreachable!("TRANSFER is a transfer")
    };
    let on = |ship_on| Action::Transfer { item: item.clone(), from: from.clone(), to: to.clone(), quantity, ship_on };
    shop.with(&exceptions, |scene| {
        let fails = |ship_on| checks_of(scene, &on(ship_on)).into_iter().filter(|c| c.hard && !c.passed).count();
        assert_eq!((fails(day(3)), fails(day(4))), (0, 1));
    });
}

#[test]
fn an_answer_after_the_loss_has_ended_is_worth_nothing() {
    // Overdue by one day, so assumed for tomorrow; the answer is asked for in two working days.
    let mut shop = out_until(-1);
    let exceptions = [here(ExceptionType::IOut, "2"), on_line(ExceptionType::SOverdue, "1", "2")];
    let found = shop.assess(&exceptions);
    let asked = must(&found, "CONTACT");
    let of_shortage = |found: &Assessment| {
        let part = found.loss_sum.iter().find(|part| part.what.starts_with("lost margin on"));
        part.map_or(Money::ZERO, |part| part.amount.expected)
    };
    assert!(of_shortage(&found) > Money::ZERO);
    let saved = |c: &Candidate| c.money.loss_now.expected - c.money.loss_after.expected;
    assert!(saved(asked).to_f64() < 0.2 * of_shortage(&found).to_f64(), "{:?}", asked.money);
    // Overdue by eight days, assumed for the eighth: what is lost until the answer is lost, of the rest three tenths are saved.
    shop = out_until(-8);
    let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
    near(saved(must(&found, "CONTACT")), "103.68");
}

#[test]
fn customers_who_wait_are_a_loss_of_their_own() {
    let mut shop = out_until(8);
    shop.moved(MoveKind::Delivery, "2", 10.0, None);
    let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
    let part = |start: &str| found.loss_sum.iter().find(|p| p.what.starts_with(start)).map(|p| p.amount.expected);
    // Nobody has cancelled, and nobody had to wait before: a tenth of 10 × 6.00.
    assert_eq!(part("customers wait for 10: "), Some(money("6.00")));
    near(part("lost margin on").unwrap(), "460.80");
    let transfer = must(&found, "TRANSFER");
    // There in two days of eight: a quarter of the wait is over, and two days' demand is lost.
    near(transfer.money.loss_after.expected, "116.70");
    // Ten who wait, and nine times in ten what is asked for in six days: 72, the receipt a day off.
    assert_eq!(transfer.action.quantity(), Some(Quantity::units(98)));
}

#[test]
fn how_many_of_those_who_wait_cancel_is_learned_from_the_shop() {
    let mut shop = out_until(8);
    shop.moved(MoveKind::Delivery, "2", 10.0, None);
    // Created sixty days ago: each of these was waited for, and two were cancelled.
    for _ in 0..28 {
        shop.moved(MoveKind::Delivery, "1", 1.0, Some(-20));
    }
    for _ in 0..2 {
        shop.moved(MoveKind::Delivery, "1", 0.0, None);
    }
    let found = shop.assess(&[here(ExceptionType::IOut, "2")]);
    // (2 + 20 × 0.10) ÷ (30 + 20) = 0.08.
    let waits = found.facts.iter().find(|f| f.id.as_str() == "item:1/waits_share").map(|f| f.value.show());
    assert_eq!(waits.as_deref(), Some("8 %"));
    let part = found.loss_sum.iter().find(|p| p.what.starts_with("customers wait")).unwrap();
    assert_eq!(part.amount.expected, money("4.80"));
}

#[test]
fn a_bill_perishes_on_its_last_day_and_not_before() {
    let of = |due: i32| {
        let mut shop = Shop::new();
        shop.order("3", "2", 100, -5);
        shop.receipt("3", "2", 92, Some(-5));
        shop.bill("3", 100, 8.0, due, false);
        shop.assess(&[on_line(ExceptionType::FQty, "3", "2")]).rank
    };
    let (far, due) = (of(20), of(1));
    assert_eq!((far.perishing, far.wait_cost), (0.0, Money::ZERO));
    assert_eq!(far.deadline, day(20));
    // Tomorrow it is paid: what remains then is to claim it back.
    assert!(due.perishing > 0.0 && due.wait_cost > Money::ZERO, "{due:?}");
}

#[test]
fn a_donor_is_not_blocked_by_a_case_that_is_worth_nothing() {
    let mut shop = short_shop();
    shop.claimed.insert("shortage:1@1".into(), "case-9".into());
    assert!(find(&shop.assess(&[here(ExceptionType::ILow, "2")]), "TRANSFER").is_none());
    shop.claimed.insert("idle:1@1".into(), "case-9".into());
    must(&shop.assess(&[here(ExceptionType::ILow, "2")]), "TRANSFER");
}

#[test]
fn goods_leave_and_arrive_on_working_days() {
    // Monday: tomorrow nobody works at the donor, and on Thursday nobody at the receiver.
    let mut shop = short_shop();
    let days = "[calendar]\nworking_days = [\"NOR=wed thu fri\", \"MAR=mon tue wed fri\"]";
    shop.settings = crate::settings::Settings::with(days).unwrap();
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    let transfer = must(&found, "TRANSFER");
    assert!(transfer.summary.ends_with("shipping 2026-11-04."), "{}", transfer.summary);
    let arrives = found.facts.iter().find(|f| f.id.as_str().starts_with("item:1/arrives@")).map(|f| f.value.show());
    assert_eq!(arrives.as_deref(), Some("2026-11-06"));
}

#[test]
fn working_days_are_learned_where_the_configuration_says_none() {
    let mut shop = short_shop();
    // 2026-11-02 is a Monday: something happened at the donor on every day but Tuesdays, for nine weeks.
    for back in (1..63).filter(|back| (7 - back % 7) % 7 != 1) {
        shop.moved(MoveKind::Scrap, "1", 0.0, Some(-back));
    }
    let learned = shop.with(&[], |scene| scene.book.working_days().get(&LocationId::new("1")).cloned()).unwrap();
    assert_eq!(learned.into_iter().collect::<Vec<_>>(), [0, 2, 3, 4, 5, 6]);
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    assert!(must(&found, "TRANSFER").summary.ends_with("shipping 2026-11-04."));
}

#[test]
fn an_alarm_is_as_sure_as_its_projection() {
    let p = |score: f64, code: ExceptionType| {
        let mut low = here(ExceptionType::ILow, "2");
        low.signal.score = score;
        short_shop().assess(&[low, here(code, "2")]).rank.p
    };
    let (doubtful, sure) = (p(0.6, ExceptionType::IImbal), p(0.98, ExceptionType::IImbal));
    // Vector 19; stock elsewhere makes it no surer.
    assert!((doubtful - 0.12).abs() < 1e-9 && (sure - 0.74).abs() < 1e-9, "{doubtful} and {sure}");
}
