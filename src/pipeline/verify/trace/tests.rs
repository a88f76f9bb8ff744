//! What is seen of each action, and that nothing from before the decision is.

use reeve_testing::records;

use super::*;
use crate::config::Config;
use crate::domain::action::Param;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::money::{Money, UnitPrice};
use crate::domain::record::{
    BillLine, Item, MoveKind, Promotion, PurchaseLine, Record, RecordKind, RecordRef, ReorderRule, SaleLine, StockMove,
    SupplierPrice,
};

const DECIDED: &str = "2026-10-08T12:00:00Z";

fn time(day: u32) -> Timestamp {
    format!("2026-10-{day:02}T15:00:00Z").parse().unwrap()
}

fn day(day: u32) -> jiff::civil::Date {
    format!("2026-10-{day:02}").parse().unwrap()
}

fn units(n: i64) -> Quantity {
    Quantity::units(n)
}

fn place(id: &str) -> LocationId {
    LocationId::new(id)
}

fn item() -> ItemId {
    ItemId::new("7")
}

fn moved(id: &str, kind: MoveKind, from: Option<&str>, to: Option<&str>, qty: i64, made: u32) -> StockMove {
    StockMove { item: item(), qty: units(qty), created_at: time(made), ..records::moved(id, kind, from, to) }
}

fn line(id: &str, supplier: &str, qty: i64, ordered: u32) -> PurchaseLine {
    let (supplier, promised) = (SupplierId::new(supplier), time(20));
    PurchaseLine {
        supplier,
        item: item(),
        location: place("1"),
        qty: units(qty),
        ordered_at: time(ordered),
        promised_first: promised,
        promised,
        ..records::po_line(id)
    }
}

fn bill(id: &str, qty: i64, made: u32) -> BillLine {
    BillLine {
        bill_id: id.to_owned(),
        bill_name: format!("BILL/{id}"),
        reference: String::new(),
        item: Some(item()),
        qty: units(qty),
        price: None,
        billed_on: day(9),
        due_on: None,
        created_at: time(made),
        ..records::bill_line(id, "1")
    }
}
fn read(action: &Action, records: impl IntoIterator<Item = Record>) -> Trace {
    let calendar = Config::load_from(None, &[]).unwrap().rules.calendar.calendar();
    of(&Book::new(time(12), calendar, records), action, DECIDED.parse().unwrap())
}

fn is_wholly(trace: &Trace) -> bool {
    matches!(trace, Trace::Wholly(_))
}

fn is_partly(trace: &Trace) -> bool {
    matches!(trace, Trace::Partly(_))
}

/// Nothing in an empty book and before the decision; partly and wholly after it.
fn assert_grows(action: &Action, record: impl Fn(i64, u32) -> Record, wanted: i64) {
    assert_eq!(read(action, [record(wanted, 7)]), Trace::Nothing, "{}: what was there before is not it", action.code());
    assert_eq!(read(action, []), Trace::Nothing, "{}", action.code());
    assert!(is_partly(&read(action, [record(wanted / 2, 9)])), "{}", action.code());
    assert!(is_wholly(&read(action, [record(wanted, 9)])), "{}", action.code());
    // Ninety-five of a hundred, as packs may make it.
    assert!(is_wholly(&read(action, [record(wanted * 19 / 20, 9)])), "{}: ten percent is near enough", action.code());
}

#[test]
fn an_order_is_seen_as_a_draft_or_confirmed_from_the_same_supplier_only() {
    let new_po = Action::NewPo {
        item: item(),
        supplier: SupplierId::new("9"),
        quantity: units(40),
        price: UnitPrice(2.into()),
        need_date: day(20),
        destination: place("1"),
    };
    assert_grows(&new_po, |qty, made| Record::PoLine(line("1", "9", qty, made)), 40);
    let draft = |qty, made| PurchaseLine { draft: true, confirmed: false, ..line("1", "9", qty, made) };
    assert_grows(&new_po, |qty, made| Record::PoLine(draft(qty, made)), 40);
    assert_eq!(read(&new_po, [Record::PoLine(line("1", "8", 40, 9))]), Trace::Nothing);
    let other = Action::AltSupplier {
        item: item(),
        supplier: SupplierId::new("8"),
        quantity: units(40),
        price: UnitPrice(2.into()),
        need_date: day(20),
        destination: place("1"),
        instead_of: "1".into(),
    };
    assert_grows(&other, |qty, made| Record::PoLine(line("2", "8", qty, made)), 40);
}

#[test]
fn a_lines_quantity_and_promise_are_read_back() {
    let more = Action::IncreasePo { po_line: "1".into(), ordered: units(100), quantity: units(40) };
    let with = |qty| Record::PoLine(line("1", "9", qty, 1));
    assert_eq!(read(&more, [with(100)]), Trace::Nothing);
    assert!(is_partly(&read(&more, [with(110)])));
    assert!(is_wholly(&read(&more, [with(140)])));
    let promised = |d| Record::PoLine(PurchaseLine { promised: time(d), ..line("1", "9", 100, 1) });
    let sooner =
        Action::Expedite { po_line: "1".into(), quantity: units(100), new_date: day(15), surcharge_max: Money::ZERO };
    assert_eq!(read(&sooner, [promised(20)]), Trace::Nothing);
    assert!(is_wholly(&read(&sooner, [promised(14)])));
    let later = Action::DeferPo { po_line: "1".into(), quantity: units(100), new_date: day(28) };
    assert_eq!(read(&later, [promised(20)]), Trace::Nothing);
    assert!(is_wholly(&read(&later, [promised(28)])));
    let open = |qty| {
        let mut m = moved("1", MoveKind::Receipt, None, Some("1"), qty, 1);
        m.po_line = Some("1".into());
        Record::Move(m)
    };
    // The line may keep its quantity: an ERP cancels by closing the receipts that were still to come.
    let cancel = Action::CancelPo { po_line: "1".into(), quantity: units(100) };
    assert_eq!(read(&cancel, [with(100), open(100)]), Trace::Nothing);
    assert!(is_partly(&read(&cancel, [with(100), open(60)])));
    assert!(is_wholly(&read(&cancel, [with(100)])));
    // Nor does the line have to be there: some ERPs delete what is cancelled.
    assert!(is_wholly(&read(&cancel, [])));
}

#[test]
fn a_split_is_two_receipts_or_the_first_part_come() {
    let split = Action::SplitShip { po_line: "1".into(), quantity: units(40), date_now: day(12), date_rest: day(20) };
    let receipt = |id: &str, qty, due: u32, done: Option<u32>| {
        let mut m = moved(id, MoveKind::Receipt, None, Some("1"), qty, 1);
        (m.po_line, m.deadline, m.done_at) = (Some("1".into()), Some(time(due)), done.map(time));
        Record::Move(m)
    };
    let order = || Record::PoLine(line("1", "9", 100, 1));
    assert_eq!(read(&split, [order(), receipt("1", 100, 20, None)]), Trace::Nothing);
    assert!(is_wholly(&read(&split, [order(), receipt("1", 40, 12, None), receipt("2", 60, 20, None)])));
    // Half of what was to come first has come, and the rest is due as it always was.
    assert!(is_partly(&read(&split, [order(), receipt("1", 20, 12, Some(11)), receipt("2", 80, 20, None)])));
    assert!(is_wholly(&read(&split, [order(), receipt("1", 40, 12, Some(11)), receipt("2", 60, 20, None)])));
}

#[test]
fn a_transfer_is_seen_direct_or_by_way_of_transit() {
    let transfer = Action::Transfer { item: item(), from: place("1"), to: place("2"), quantity: units(40), ship_on: day(9) };
    let direct = |qty, made| Record::Move(moved("1", MoveKind::Transfer, Some("1"), Some("2"), qty, made));
    assert_grows(&transfer, direct, 40);
    let out = moved("1", MoveKind::Transfer, Some("1"), None, 40, 9);
    let into = moved("2", MoveKind::Transfer, None, Some("2"), 40, 9);
    assert_eq!(read(&transfer, [Record::Move(out.clone())]), Trace::Nothing, "it may go anywhere");
    assert!(is_wholly(&read(&transfer, [Record::Move(out), Record::Move(into)])));
    let elsewhere = moved("1", MoveKind::Transfer, Some("3"), Some("2"), 40, 9);
    assert_eq!(read(&transfer, [Record::Move(elsewhere)]), Trace::Nothing);
}

#[test]
fn counts_returns_and_what_is_held_are_seen_as_moves() {
    let recount = Action::Recount { item: item(), location: place("1"), deadline: day(12), not_by: None };
    // Out of the place: what a count finds missing leaves it.
    let count = |qty, made| Record::Move(moved("1", MoveKind::Count, Some("1"), None, qty, made));
    assert_eq!(read(&recount, [count(4, 7)]), Trace::Nothing);
    assert!(is_wholly(&read(&recount, [count(0, 9)])), "a count without a difference is one too");
    let lost = Action::AdjustStock { item: item(), location: place("1"), difference: units(-10), reason: String::new() };
    assert_grows(&lost, count, 10);
    let found = Record::Move(moved("1", MoveKind::Count, None, Some("1"), 10, 9));
    assert_eq!(read(&lost, [found]), Trace::Nothing, "the other sign is another thing");
    let back = Action::Return {
        receipt: "IN/1".into(),
        item: item(),
        location: place("1"),
        supplier: SupplierId::new("9"),
        quantity: units(20),
        reason: String::new(),
    };
    assert_grows(&back, |qty, made| Record::Move(moved("1", MoveKind::SupplierReturn, Some("1"), None, qty, made)), 20);
    let hold = Action::HoldQc {
        document: "IN/1".into(),
        item: item(),
        location: place("1"),
        quantity: units(20),
        until: day(20),
        reason: String::new(),
    };
    assert_grows(&hold, |qty, made| Record::Move(moved("1", MoveKind::Transfer, Some("1"), None, qty, made)), 20);
    let first = Action::Reallocate {
        item: item(),
        location: place("1"),
        from_line: "5".into(),
        to_line: "6".into(),
        quantity: units(20),
    };
    let served = |qty, made| {
        let mut m = moved("1", MoveKind::Delivery, Some("1"), None, qty, 1);
        (m.sale_line, m.done_at) = (Some("6".into()), Some(time(made)));
        Record::Move(m)
    };
    assert_grows(&first, served, 20);
}

#[test]
fn master_data_promotions_and_prices_are_read_back() {
    let rule = |min: i64| {
        Record::ReorderRule(ReorderRule {
            id: "3".into(),
            item: item(),
            location: place("1"),
            min: units(min),
            max: units(90),
            multiple: units(1),
        })
    };
    let (old, new) = (units(20), units(25));
    let raise = Action::AdjustParam { param: Param::ReorderPoint, record: "3".into(), old, new, until: None };
    assert_eq!(read(&raise, [rule(20)]), Trace::Nothing);
    assert!(is_wholly(&read(&raise, [rule(25)])));
    let price = |lead_days| {
        Record::SupplierPrice(SupplierPrice {
            id: "4".into(),
            supplier: SupplierId::new("9"),
            item: item(),
            price: None,
            foreign: None,
            company: None,
            min_qty: units(1),
            lead_days,
            valid_from: None,
            valid_to: None,
            sequence: 1,
            keys: crate::domain::packs::SupplierKeys::default(),
        })
    };
    let lead = Action::AdjustParam { param: Param::LeadDays, record: "4".into(), old, new, until: None };
    assert_eq!(read(&lead, [price(20)]), Trace::Nothing);
    assert!(is_wholly(&read(&lead, [price(25)])));
    let goods = |cost: Option<i64>| {
        Record::Item(Item {
            id: item(),
            sku: String::new(),
            name: "x".into(),
            category: String::new(),
            unit: "Units".into(),
            cost: cost.map(|c| UnitPrice(c.into())),
            list_price: None,
            sellable: true,
            delisted_at: None,
            keys: crate::domain::packs::ItemKeys::default(),
            costs: std::collections::BTreeMap::new(),
        })
    };
    let fix = Action::FixMaster {
        record: RecordRef::new(RecordKind::Item, "7"),
        field: "cost".into(),
        old: String::new(),
        new: UnitPrice(4.into()).to_string(),
        source: "bill_line:1".into(),
    };
    assert_eq!(read(&fix, [goods(None)]), Trace::Nothing);
    assert!(is_wholly(&read(&fix, [goods(Some(4))])));
    let promotion = |to: u32, percent| {
        Record::Promotion(Promotion {
            id: "pricelist-1".into(),
            source: PromotionSource::Pricelist,
            item: item(),
            name: "x".into(),
            from: day(9),
            to: day(to),
            percent,
            company: None,
        })
    };
    let shorten = Action::PromoChange { promotion: "pricelist-1".into(), item: item(), new_to: day(12) };
    assert_eq!(read(&shorten, [promotion(20, 10.0)]), Trace::Nothing);
    assert!(is_wholly(&read(&shorten, [promotion(12, 10.0)])));
    assert!(is_wholly(&read(&shorten, [])));
    let markdown = Action::Markdown { item: item(), percent: 30.0, from: day(9), to: day(20) };
    assert_eq!(read(&markdown, [promotion(20, 10.0)]), Trace::Nothing);
    assert!(is_wholly(&read(&markdown, [promotion(20, 30.0)])));
}

#[test]
fn claims_bills_and_reversals_are_seen_in_the_books() {
    let claim = Action::Claim {
        supplier: SupplierId::new("9"),
        lines: vec!["1".into()],
        quantity: units(4),
        value: Money::from_minor(100),
        basis: String::new(),
        bill: None,
    };
    assert_eq!(read(&claim, [Record::BillLine(bill("1", -4, 7))]), Trace::Nothing);
    assert_eq!(read(&claim, [Record::BillLine(bill("1", 4, 9))]), Trace::Nothing);
    assert!(is_wholly(&read(&claim, [Record::BillLine(bill("1", -4, 9))])));
    let block = Action::BlockBill { bill: "BILL/1".into(), disputed: Money::ZERO, reason: String::new() };
    assert!(is_wholly(&read(&block, [Record::BillLine(bill("1", 4, 1))])));
    let paid = BillLine { paid: true, ..bill("1", 4, 1) };
    assert_eq!(read(&block, [Record::BillLine(paid.clone())]), Trace::Nothing);
    let accept = Action::AcceptVar { document: "BILL/1".into(), variance: Money::ZERO, reason: String::new() };
    assert_eq!(read(&accept, [Record::BillLine(bill("1", 4, 1))]), Trace::Nothing);
    assert!(is_wholly(&read(&accept, [Record::BillLine(paid)])));
    let reverse = |document: &str| Action::ReverseDoc { document: document.into(), duplicate_of: "other".into() };
    let credit = BillLine { reverses: Some("1".into()), ..bill("2", -4, 9) };
    assert_eq!(read(&reverse("BILL/1"), [Record::BillLine(bill("1", 4, 1))]), Trace::Nothing);
    assert!(is_wholly(&read(&reverse("BILL/1"), [Record::BillLine(bill("1", 4, 1)), Record::BillLine(credit)])));
    // An ERP links a reversal by its record, by the text of its reference, or says it on the bill itself.
    let by_text = BillLine { reference: "Reversal of: BILL/1".into(), ..bill("2", -4, 9) };
    assert!(is_wholly(&read(&reverse("BILL/1"), [Record::BillLine(bill("1", 4, 1)), Record::BillLine(by_text.clone())])));
    let by_state = BillLine { reversed: true, ..bill("1", 4, 1) };
    assert!(is_wholly(&read(&reverse("BILL/1"), [Record::BillLine(by_state)])));
    // A credit of one of the four.
    let part = BillLine { reverses: Some("1".into()), price: Some(UnitPrice(2.into())), ..bill("2", -1, 9) };
    let priced = BillLine { price: Some(UnitPrice(2.into())), ..bill("1", 4, 1) };
    assert!(is_partly(&read(&reverse("BILL/1"), [Record::BillLine(priced), Record::BillLine(part)])));
    assert!(is_wholly(&read(&block, [Record::BillLine(bill("1", 4, 1)), Record::BillLine(by_text)])), "it was not paid");
    let receipt = moved("1", MoveKind::Receipt, None, Some("1"), 4, 1);
    let mut back = moved("2", MoveKind::SupplierReturn, Some("1"), None, 4, 9);
    back.returns = Some("1".into());
    assert_eq!(read(&reverse("DOC/1"), [Record::Move(receipt.clone())]), Trace::Nothing);
    assert!(is_wholly(&read(&reverse("DOC/1"), [Record::Move(receipt), Record::Move(back)])));
    let sold = SaleLine {
        id: "5".into(),
        order_id: "5".into(),
        order_name: "S5".into(),
        customer: "c".into(),
        reference: String::new(),
        item: item(),
        location: place("1"),
        qty: units(4),
        price: None,
        ordered_at: time(1),
    };
    // It is there, and no delivery of it came to nothing: it stands.
    assert_eq!(read(&reverse("S5"), [Record::SaleLine(sold)]), Trace::Nothing);
    assert!(is_wholly(&read(&reverse("S5"), [])), "a cancelled order is no record any more");
}

#[test]
fn what_leaves_no_trace_is_not_waited_for() {
    for action in [
        Action::MarkEvent { item: item(), location: place("1"), from: day(1), to: day(2), reason: String::new() },
        Action::Contact { role: "supplier".into(), partner: "9".into(), about: "x".into(), answer_by: day(9) },
        Action::Monitor { condition: "x".into(), until: day(9) },
    ] {
        assert_eq!(read(&action, []), Trace::Unseen, "{}", action.code());
    }
}
