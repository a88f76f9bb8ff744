//! Documents that are there twice, and when one of them is reversed.

use super::*;

#[test]
fn a_bill_that_is_there_twice_is_blocked_or_reversed() {
    let mut shop = Shop::new();
    shop.order("3", "2", 100, -5);
    shop.order("4", "2", 100, -5);
    shop.receipt("3", "2", 100, Some(-5));
    shop.bill("3", 100, 8.0, 20, false);
    shop.bill("4", 100, 8.0, 20, false);
    let mut twice = on_line(ExceptionType::FDupBill, "4", "2");
    twice.signal.subject.document = Some("73".into());
    let found = shop.assess(&[twice]);
    assert_eq!(found.rank.at_stake, money("800.00"));
    assert!(matches!(&must(&found, "REVERSE-DOC").action, Action::ReverseDoc { document, duplicate_of }
        if document == "BILL/2026/4" && duplicate_of == "BILL/2026/3"));
    must(&found, "BLOCK-BILL");
}

#[test]
fn the_same_customer_order_twice_is_reversed() {
    let mut shop = Shop::new();
    for (id, name) in [("1", "S00426"), ("2", "S00428")] {
        shop.records.push(Record::SaleLine(SaleLine {
            order_name: name.into(),
            reference: "WEB-1".into(),
            qty: Quantity::units(30),
            ordered_at: at(-1),
            ..records::sale_line(id)
        }));
    }
    let subject =
        Subject { location: Some(LocationId::new("2")), document: Some("S00426,S00428".into()), ..Subject::default() };
    let found = shop.assess(&[exception(ExceptionType::DData, subject)]);
    assert_eq!(found.rank.at_stake, money("120.00"));
    assert_eq!(
        must(&found, "REVERSE-DOC").id,
        "A2",
        "asking first is worth more than reversing blindly: {:?}",
        codes(&found)
    );
}

#[test]
fn a_bill_is_not_reversed_when_it_was_reversed_or_paid_and_the_check_says_what_it_found() {
    let reverse = Action::ReverseDoc { document: "BILL/2026/4".into(), duplicate_of: "BILL/2026/3".into() };
    let twice = || {
        let mut shop = Shop::new();
        for line in ["3", "4"] {
            shop.order(line, "2", 100, -5);
            shop.bill(line, 100, 8.0, 20, false);
        }
        shop
    };
    let said = |shop: &Shop| {
        shop.with(&[], |scene| {
            failures(&recheck(scene, &reverse)).iter().map(|c| format!("{}: {}", c.name, c.detail)).collect::<Vec<_>>()
        })
    };
    let change = |shop: &mut Shop, bill: &str, change: fn(&mut BillLine)| {
        for record in &mut shop.records {
            if let Record::BillLine(b) = record
                && b.bill_id == bill
            {
                change(b);
            }
        }
    };
    assert_eq!(said(&twice()), [""; 0]);
    let mut shop = twice();
    change(&mut shop, "74", |b| b.reversed = true);
    assert_eq!(said(&shop), ["not already reversed: the ERP calls BILL/2026/4 reversed"]);
    let mut shop = twice();
    shop.bill("5", -100, 8.0, 20, false);
    change(&mut shop, "75", |b| b.reverses = Some("74".into()));
    assert_eq!(said(&shop), ["not already reversed: credit note BILL/2026/5 reverses BILL/2026/4"]);
    let mut shop = twice();
    change(&mut shop, "74", |b| b.paid = true);
    assert_eq!(said(&shop), ["not paid: paid: ask for a refund"]);
    let mut shop = twice();
    change(&mut shop, "73", |b| b.reversed = true);
    assert_eq!(said(&shop), ["the other bill stands: the ERP calls BILL/2026/3 reversed"]);
    let mut shop = twice();
    change(&mut shop, "74", |b| b.company = Some("2".into()));
    change(&mut shop, "73", |b| b.company = Some("1".into()));
    assert_eq!(said(&shop).len(), 1, "bills of two companies: {:?}", said(&shop));
}

#[test]
fn a_bill_is_not_reversed_once_what_was_missing_has_come() {
    let mut shop = Shop::new();
    for line in ["3", "4"] {
        shop.order(line, "2", 100, -5);
        shop.bill(line, 100, 8.0, 20, false);
        shop.receipt(line, "2", 100, Some(-1));
    }
    let mut twice = on_line(ExceptionType::FDupBill, "4", "2");
    twice.signal.subject.document = Some("73".into());
    let found = shop.assess(std::slice::from_ref(&twice));
    assert!(find(&found, "REVERSE-DOC").is_none() && find(&found, "BLOCK-BILL").is_none());
    assert_eq!(found.rank.at_stake, Money::ZERO);
    let reverse = Action::ReverseDoc { document: "BILL/2026/4".into(), duplicate_of: "BILL/2026/3".into() };
    let failed =
        shop.with(&[twice], |scene| failures(&recheck(scene, &reverse)).iter().map(|c| c.name.clone()).collect::<Vec<_>>());
    assert_eq!(failed, ["it still repeats the other"]);
}

#[test]
fn the_pair_that_is_reversed_by_name_is_that_of_the_cases_company() {
    let mut shop = Shop::new();
    for (line, company, name) in [("3", "1", "3"), ("4", "1", "4"), ("5", "2", "3"), ("6", "2", "4")] {
        shop.order(line, "2", 100, -5);
        shop.bill(line, 100, 8.0, 20, company == "1");
        let [.., Record::BillLine(bill)] = shop.records.as_mut_slice() else { panic!("a bill was just pushed") };
        (bill.company, bill.bill_name) = (Some(company.into()), format!("BILL/2026/{name}"));
    }
    let reverse = Action::ReverseDoc { document: "BILL/2026/4".into(), duplicate_of: "BILL/2026/3".into() };
    let failed = |line: &str| {
        let twice = on_line(ExceptionType::FDupBill, line, "2");
        shop.with(&[twice], |scene| failures(&recheck(scene, &reverse)).iter().map(|c| c.name.clone()).collect::<Vec<_>>())
    };
    assert_eq!(failed("6"), [""; 0]);
    assert_eq!(failed("4"), ["not paid"]);
}

#[test]
fn what_the_bill_check_counts_of_a_doubtful_repeat_is_not_counted_again() {
    let mut shop = Shop::new();
    shop.order("3", "2", 100, 10);
    shop.receipt("3", "2", 50, Some(-4));
    shop.receipt("3", "2", 50, None);
    for (id, due) in [("73", 20), ("74", 2)] {
        shop.bill("3", 50, 8.0, due, false);
        let [.., Record::BillLine(bill)] = shop.records.as_mut_slice() else { panic!("a bill was just pushed") };
        (bill.bill_id, bill.bill_name, bill.reference) = (id.into(), format!("BILL/2026/{id}"), String::new());
    }
    let mut twice = on_line(ExceptionType::FDupBill, "3", "2");
    (twice.signal.subject.bill, twice.signal.subject.document) = (Some("74".into()), Some("73".into()));
    let billed = on_line(ExceptionType::FQty, "3", "2");
    for exceptions in [vec![twice.clone()], vec![twice.clone(), billed.clone()], vec![billed, twice]] {
        let found = shop.assess(&exceptions);
        assert_eq!(found.rank.at_stake, money("400.00"), "{:?}", found.loss_sum);
        assert!(find(&found, "REVERSE-DOC").is_none(), "a suspicion is not enough");
    }
}

#[test]
fn what_was_paid_twice_is_claimed_back() {
    let mut shop = Shop::new();
    shop.order("3", "2", 100, -5);
    shop.receipt("3", "2", 100, Some(-5));
    shop.bill("3", 100, 8.0, 20, true);
    shop.bill("3", 100, 8.0, 20, true);
    let [.., Record::BillLine(second)] = shop.records.as_mut_slice() else { panic!("a bill was just pushed") };
    (second.bill_id, second.bill_name) = ("74".into(), "BILL/2026/4".into());
    let mut twice = on_line(ExceptionType::FDupBill, "4", "2");
    twice.signal.subject.document = Some("73".into());
    let found = shop.assess(&[twice]);
    assert_eq!(must(&found, "CLAIM").value, money("800.00"));
    assert!(find(&found, "BLOCK-BILL").is_none() && find(&found, "REVERSE-DOC").is_none());
    must(&found, "CONTACT");
}

#[test]
fn a_fall_of_demand_and_too_much_stock_are_one_excess() {
    let mut shop = Shop::new();
    shop.offer(14, 0, 1);
    shop.stock("2", 300.0);
    shop.order("1", "2", 50, 20);
    shop.receipt("1", "2", 50, None);
    shop.demand("2", 2.0, 1.0);
    let (over, collapse) = (here(ExceptionType::IOver, "2"), here(ExceptionType::DCollapse, "2"));
    let saved = |exceptions: &[Exception]| {
        let found = shop.assess(exceptions);
        let excess = found.loss_sum.iter().filter(|part| part.what.starts_with("holding cost")).count();
        let cancel = must(&found, "CANCEL-PO");
        (excess, (cancel.money.loss_now.expected - cancel.money.loss_after.expected).minor)
    };
    let alone = saved(std::slice::from_ref(&over));
    assert_eq!(alone.0, 1);
    // Whichever comes first: fifty fewer of one excess is what cancelling them saves.
    assert_eq!(saved(&[over.clone(), collapse.clone()]), alone);
    assert_eq!(saved(&[collapse, over]), alone);
}
