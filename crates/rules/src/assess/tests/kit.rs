//! Kits on their way (an order line whose product comes as its components), what is paid for without an order, and what a
//! promotion leaves over in one company.

use super::*;
use crate::recompute::recomputed::assert_recomputes;

/// Item 1 runs out in five days and comes in eight, in kits of four of it and one of item 2, at 40.00 each.
fn kits_on_their_way() -> Shop {
    let mut shop = Shop::new();
    shop.offer(12, 0, 1);
    shop.stock("2", 60.0);
    shop.demand("2", 12.0, 5.0);
    shop.order("1", "2", 50, 8);
    let Some(Record::PoLine(line)) = shop.records.last_mut() else { panic!("an order was just pushed") };
    (line.item, line.kit, line.price) = (ItemId::new("77"), Some("Gift set".into()), Some(price(40.0)));
    for (item, asked) in [("1", 200), ("2", 50)] {
        shop.receipt("1", "2", asked, None);
        let Some(Record::Move(m)) = shop.records.last_mut() else { panic!("a move was just pushed") };
        (m.item, m.asked) = (ItemId::new(item), Some(Quantity::units(asked)));
    }
    shop
}

#[test]
fn a_component_that_runs_out_is_hurried_by_whole_kits_at_their_price() {
    let shop = kits_on_their_way();
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    let sooner = must(&found, "EXPEDITE");
    let Action::Expedite { po_line, quantity, new_date, surcharge_max } = &sooner.action else { panic!("{sooner:?}") };
    assert_eq!((po_line.as_str(), *new_date), ("1", day(5)));
    // 54 units are needed to cover nine shortages in ten: of four in a kit that is fourteen kits.
    assert_eq!(*quantity, Quantity::units(14));
    let costs = &shop.settings.costs;
    let rate = (*quantity * price(40.0)).to_f64() * costs.expedite_rate;
    assert_eq!(*surcharge_max, costs.expedite_fixed + Money::from_f64(rate));
    assert!(
        sooner.summary.contains("kits of Gift set, with 4 of AC-001 Kitchen scale each, on P0001"),
        "{}",
        sooner.summary
    );
    assert!(sooner.money.benefit.expected > Money::ZERO);
    assert_recomputes(&found);
}

#[test]
fn a_kit_is_not_hurried_for_a_component_that_is_here_nor_beyond_what_is_open() {
    // Item 2 is what is short here, and all of it has come.
    let mut shop = kits_on_their_way();
    shop.with(&[here(ExceptionType::ILow, "2")], |scene| {
        let ask = |kits: i64| Action::Expedite {
            po_line: "1".into(),
            quantity: Quantity::units(kits),
            new_date: day(5),
            surcharge_max: money("1.00"),
        };
        assert!(failures(&checks_of(scene, &ask(20))).is_empty(), "{:?}", failures(&checks_of(scene, &ask(20))));
        let checks = checks_of(scene, &ask(51));
        let why = failures(&checks);
        assert!(why.iter().any(|check| check.name == "quantity ≤ open quantity"), "{why:?}");
    });
    for record in &mut shop.records {
        if let Record::Move(m) = record
            && m.item == ItemId::new("1")
            && m.po_line.is_some()
        {
            m.done_at = Some(m.created_at);
        }
    }
    let found = shop.assess(&[here(ExceptionType::ILow, "2")]);
    assert!(find(&found, "EXPEDITE").is_none(), "its own are here already");
}

/// A freight bill that was paid twice, with one number.
fn freight_paid_twice() -> (Shop, Exception) {
    let mut shop = Shop::new();
    for line in ["3", "4"] {
        shop.bill(line, 1, 85.0, 20, true);
        let Some(Record::BillLine(bill)) = shop.records.last_mut() else { panic!("a bill was just pushed") };
        (bill.po_line, bill.item) = (None, None);
    }
    let mut twice = on_line(ExceptionType::FDupBill, "4", "2");
    (twice.signal.subject.order, twice.signal.subject.po_line) = (None, None);
    (twice.signal.subject.item, twice.signal.subject.location) = (None, None);
    twice.signal.subject.document = Some("73".into());
    (shop, twice)
}

#[test]
fn what_was_paid_twice_without_an_order_is_claimed_back_by_its_bill() {
    let (shop, twice) = freight_paid_twice();
    let found = shop.assess(std::slice::from_ref(&twice));
    let claim = must(&found, "CLAIM");
    let Action::Claim { bill, lines, value, .. } = &claim.action else { panic!("{claim:?}") };
    assert_eq!((bill.as_deref(), lines.len(), *value), (Some("74"), 0, money("85.00")));
    assert_eq!(claim.action.quantity(), None, "it is asked back as a whole");
    shop.with(&[twice], |scene| {
        let draft = crate::playbook::draft(scene, &found);
        let choice = draft.choices.iter().find(|choice| choice.candidate == claim.id).unwrap();
        assert!(choice.prose.rationale.contains("Acme owes 85.00 USD on bill BILL/2026/4"), "{}", choice.prose.rationale);
        let message = choice.prose.message.as_deref().unwrap();
        assert!(message.contains("your bill that we keep as BILL/2026/4 and claim 85.00 USD back"), "{message}");
    });
}

#[test]
fn a_claim_for_a_bill_holds_only_while_it_is_paid_doubled_and_not_credited() {
    type Change = fn(&mut BillLine);
    let refused = |id: &str, change: Change, value: &str, supplier: &str| -> Vec<String> {
        let (mut shop, twice) = freight_paid_twice();
        for record in &mut shop.records {
            if let Record::BillLine(line) = record
                && line.bill_id == id
            {
                change(line);
            }
        }
        let claim = Action::Claim {
            supplier: SupplierId::new(supplier),
            lines: Vec::new(),
            quantity: Quantity::ZERO,
            value: money(value),
            basis: "billed and paid twice".into(),
            bill: Some("74".into()),
        };
        shop.with(&[twice], |scene| {
            failures(&checks_of(scene, &claim)).into_iter().map(|check| check.name.clone()).collect()
        })
    };
    assert_eq!(refused("74", |_| {}, "85.00", "9"), [""; 0]);
    assert_eq!(refused("74", |_| {}, "85.00", "8"), ["bill is the supplier's"]);
    assert_eq!(refused("74", |_| {}, "85.01", "9"), ["value is owed and not yet credited"]);
    assert!(refused("74", |line| line.paid = false, "85.00", "9").contains(&"bill is paid".to_owned()));
    assert!(refused("74", |line| line.reversed = true, "85.00", "9").contains(&"bill is paid".to_owned()));
    let another = |line: &mut BillLine| line.price = Some(price(31.0));
    assert!(refused("73", another, "85.00", "9").contains(&"it repeats another that stands".to_owned()));
    assert!(refused("73", |line| line.reversed = true, "85.00", "9").contains(&"it repeats another that stands".to_owned()));
}

#[test]
fn what_a_promotion_leaves_over_costs_each_company_its_own() {
    let mut shop = short_shop();
    shop.stock("2", -55.0);
    for record in &mut shop.records {
        match record {
            Record::Location(location) => location.company = Some(location.id.to_string()),
            Record::Item(item) => {
                let own = [("1".to_owned(), price(3.0)), ("2".to_owned(), price(7.0))];
                item.costs = own.into();
            }
            _ => {}
        }
    }
    let at_stake = |company: &str| {
        let subject = Subject { item: Some(ItemId::new("1")), document: Some("pricelist-1".into()), ..Subject::default() };
        let mut weak = exception(ExceptionType::DPromoUnder, subject);
        let source = RecordRef::new(RecordKind::Location, company);
        weak.signal.facts.push(Fact::new(
            source,
            "company",
            "company",
            FactValue::Text(company.into()),
            jiff::Timestamp::UNIX_EPOCH,
        ));
        let found = shop.assess(&[weak]);
        let costs: Vec<String> =
            found.facts.iter().filter(|f| f.id.as_str() == "item:1/cost").map(|f| f.value.show()).collect();
        let parts: Vec<String> = found.loss_sum.iter().map(|part| part.what.clone()).collect();
        (costs, parts)
    };
    let (costs, parts) = at_stake("2");
    assert_eq!(costs, ["7.00"]);
    assert!(parts.iter().all(|part| part.contains("Market Street Store")), "{parts:?}");
    let (costs, parts) = at_stake("1");
    assert_eq!(costs, ["3.00"]);
    assert!(parts.iter().all(|part| part.contains("Northgate DC")), "{parts:?}");
}
