//! Shipments that come otherwise than they were announced: R-ASN.

use super::*;

/// A hundred were ordered and announced two days ago.
fn announced_shop() -> Shop {
    let mut shop = Shop::new();
    shop.stock("2", 100);
    shop.demand("2", 1.0);
    shop.order("1", 100, -20, -1);
    shop.ship("S1", "1", 100, -2);
    shop
}

#[test]
fn less_than_was_announced_is_raised_once_goods_have_come() {
    let mut shop = announced_shop();
    shop.quiet(T::RAsn);
    shop.receipt("1", 92, Some(-1));
    let signal = shop.must(T::RAsn);
    assert_eq!(signal.subject.key(), "i=1 l=2 s=9 o=51 p=1 d=S1");
    assert_eq!(links(&signal), ["line:1"]);
    assert_eq!((value(&signal, "told@1"), value(&signal, "received_since")), (Some(&units(100)), Some(&units(92))));
    assert!(signal.headline.ends_with("with S1, 92 came: 8 fewer."), "{}", signal.headline);
    shop.must(T::RShort);
    assert_eq!(shop.cases().len(), 1, "the short receipt is the same case");
}

#[test]
fn what_came_as_announced_is_quiet() {
    let mut shop = announced_shop();
    shop.receipt("1", 60, Some(-1));
    shop.receipt("1", 40, Some(0));
    shop.quiet(T::RAsn);
}

#[test]
fn receipts_before_the_notice_are_of_another_shipment() {
    let mut shop = announced_shop();
    shop.receipt("1", 30, Some(-3));
    shop.quiet(T::RAsn);
}

#[test]
fn a_notice_that_was_replaced_is_not_held_against_the_receipt() {
    let mut shop = announced_shop();
    let notice = shop.ship("S2", "1", 92, -2);
    if let NoticeContent::ShipNotice { replaces, .. } = &mut notice.content {
        *replaces = Some("S1".into());
    }
    shop.receipt("1", 92, Some(-1));
    shop.quiet(T::RAsn);
    // The same shipment told again is a correction, too.
    let mut shop = announced_shop();
    shop.receipt("1", 92, Some(-1));
    shop.ship("S1", "1", 92, -2).received_at = at(-1);
    shop.quiet(T::RAsn);
    // What comes in later is not known yet.
    let mut shop = announced_shop();
    shop.receipt("1", 92, Some(-1));
    shop.ship("S1", "1", 92, -2).received_at = at(1);
    shop.must(T::RAsn);
}

#[test]
fn the_second_shipment_of_a_line_is_not_missing_while_it_is_on_its_way() {
    let mut shop = Shop::new();
    shop.order("1", 100, -20, 4);
    shop.ship("S1", "1", 60, -4);
    shop.ship("S2", "1", 40, -3);
    shop.receipt("1", 60, Some(-2));
    shop.quiet(T::RAsn);
    shop.receipt("1", 35, Some(-1));
    let signal = shop.must(T::RAsn);
    assert_eq!((value(&signal, "told@1"), value(&signal, "received_since")), (Some(&units(40)), Some(&units(35))));
}

proptest! {
    #[test]
    fn shipments_that_come_as_announced_are_quiet_at_every_moment(
        parts in prop::collection::vec(1_i64..60, 1..5),
        came in 0_usize..5,
        at_once in any::<bool>(),
    ) {
        let mut shop = Shop::new();
        shop.order("1", parts.iter().sum(), -30, 4);
        for (i, part) in parts.iter().enumerate() {
            shop.ship(&format!("S{i}"), "1", *part, -20 + i as i32);
        }
        let come = &parts[..came.min(parts.len())];
        if at_once && !come.is_empty() {
            shop.receipt("1", come.iter().sum(), Some(-5));
        } else {
            for (i, part) in come.iter().enumerate() {
                shop.receipt("1", *part, Some(-10 + i as i32));
            }
        }
        prop_assert_eq!(shop.book().mismatches(), vec![]);
    }

    #[test]
    fn a_single_shipment_differs_by_exactly_what_is_missing_or_too_much(told in 1_i64..90, came in 1_i64..90) {
        let mut shop = Shop::new();
        shop.order("1", 100, -20, -1);
        shop.ship("S1", "1", told, -2);
        shop.receipt("1", came, Some(-1));
        let off: Vec<Quantity> = shop.book().mismatches().iter().map(|m| m.received - m.told).collect();
        let wanted = if told == came { vec![] } else { vec![Quantity::units(came - told)] };
        prop_assert_eq!(off, wanted);
    }
}

#[test]
fn lines_of_one_item_on_an_order_are_held_against_notices_together() {
    let shop = |received: i64| {
        let mut shop = Shop::new();
        shop.order("1", 60, -20, 4);
        let other = shop.order("2", 60, -20, 4);
        (other.order_id, other.order_name) = ("51".into(), "P0001".into());
        // All of it is put on one of the lines, as a notice may be that was understood before lines were used once.
        shop.ship("S1", "1", 120, -4);
        shop.receipt("1", 60, Some(-1));
        shop.receipt("2", received, Some(-1));
        shop
    };
    shop(60).quiet(T::RAsn);
    let signal = shop(50).must(T::RAsn);
    assert_eq!((value(&signal, "told@1"), value(&signal, "received_since")), (Some(&units(120)), Some(&units(110))));
}

#[test]
fn an_item_that_nobody_announced_and_one_that_nobody_ordered_are_found() {
    let mut shop = announced_shop();
    shop.receipt("1", 100, Some(-1));
    let other = shop.order("2", 12, -20, -1);
    (other.order_id, other.order_name, other.item) = ("51".into(), "P0001".into(), ItemId::new("2"));
    let m = shop.moved(MoveKind::Receipt, None, Some("2"), 12, Some(-1));
    (m.po_line, m.item) = (Some("2".into()), ItemId::new("2"));
    shop.quiet(T::RAsn);
    let document = shop.records.iter().find_map(|r| match r {
        Record::Move(m) if m.po_line.as_deref() == Some("1") => Some(m.document.clone()),
        _ => None,
    });
    if let Some(Record::Move(m)) = shop.records.last_mut() {
        m.document = document.unwrap();
    }
    let signal = shop.must(T::RAsn);
    assert!(signal.headline.starts_with("Acme announced no AC-002"), "{}", signal.headline);

    let mut shop = announced_shop();
    let stranger = NoticeLine { po_line: None, item: Some(ItemId::new("2")), qty: Some(Quantity::units(5)), ..told_of("1") };
    if let Some(Record::Notice(Notice { content: NoticeContent::ShipNotice { lines, .. }, .. })) = shop.records.last_mut() {
        lines.push(stranger);
    }
    shop.quiet(T::RAsn);
    shop.receipt("1", 100, Some(-1));
    let signal = shop.must(T::RAsn);
    assert!(signal.headline.ends_with("with S1, which P0001 does not have."), "{}", signal.headline);
    assert!(has(&shop.assess(&[T::RAsn]), "CONTACT"));
}

#[test]
fn what_the_receiving_warehouse_tells_is_held_against_the_books() {
    let mut shop = announced_shop();
    shop.receipt("1", 100, Some(-1));
    shop.advise("1", 100, "", -1);
    shop.quiet(T::RAsn);
    shop.advise("1", 90, "", 0);
    let signal = shop.must(T::RAsn);
    assert!(signal.headline.starts_with("The receiving warehouse told of 90"), "{}", signal.headline);
}

#[test]
fn another_lot_than_announced_is_found_where_both_sides_name_lots() {
    let mut shop = announced_shop();
    if let Some(Record::Notice(Notice { content: NoticeContent::ShipNotice { lines, .. }, .. })) = shop.records.last_mut() {
        lines[0].lot = "L-1".into();
    }
    shop.receipt("1", 100, Some(-1));
    shop.advise("1", 100, "L-1", -1);
    shop.quiet(T::RAsn);
    shop.advise("1", 100, "L-2", 0);
    let signal = shop.must(T::RAsn);
    assert!(signal.headline.contains("in another lot"), "{}", signal.headline);
    assert!(signal.facts.iter().filter(|f| f.label.starts_with("lot ")).all(|f| f.third_party));
}

#[test]
fn what_did_not_come_is_worth_its_price_and_is_the_bills_difference_once_billed() {
    let mut shop = announced_shop();
    shop.receipt("1", 92, Some(-1));
    let found = shop.assess(&[T::RAsn]);
    assert_eq!(found.rank.at_stake, money("64.00"));
    assert!(has(&found, "CONTACT") && has(&found, "RECOUNT") && !has(&found, "CLAIM"));
    shop.records.push(Record::BillLine(records::bill_line("77", "1")));
    let billed = shop.assess(&[T::RAsn, T::RShort]);
    assert_eq!(billed.rank.at_stake, money("64.00"), "the same eight units");
    assert!(has(&billed, "CLAIM") && has(&billed, "BLOCK-BILL"));
}
