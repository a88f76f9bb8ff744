//! Which trace an action leaves in the ERP, and whether it is there (handbook §5, "read-back"). It never assumes: what leaves
//! a trace counts as done only when the trace is seen.

use std::collections::BTreeSet;

use jiff::Timestamp;

use crate::domain::action::Action;
use crate::domain::bill::TakenBack;
use crate::domain::book::Book;
use crate::domain::calendar::days_between;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::master;
use crate::domain::money::Quantity;
use crate::domain::record::{MoveKind, PromotionSource, PurchaseLine, StockMove};

/// A quantity within this share of the recommended one is the recommended one (handbook §5, NEW-PO read-back).
const QUANTITY_BAND: f64 = 0.10;

/// A price reduction within this many percentage points is the recommended one.
const PERCENT_BAND: f64 = 1.0;

/// What was found of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// Nothing yet.
    Nothing,
    /// A part of it; what was seen.
    Partly(String),
    /// All of it; what was seen.
    Wholly(String),
    /// The ERP has no place where it would show: handing it off is all there is to see.
    Unseen,
    /// It shows only from a day on that has not come.
    TooEarly,
}

impl Trace {
    fn of(done: bool, seen: impl FnOnce() -> String) -> Self {
        if done { Self::Wholly(seen()) } else { Self::Nothing }
    }

    fn quantity(found: Quantity, wanted: Quantity, seen: &str) -> Self {
        if !found.is_positive() {
            Self::Nothing
        } else if found.to_f64() >= wanted.to_f64() * (1.0 - QUANTITY_BAND) {
            Self::Wholly(format!("{found} units: {seen}"))
        } else {
            Self::Partly(format!("{found} of {wanted} units: {seen}"))
        }
    }
}

/// Looks for the trace of `action` since it was decided.
pub(super) fn of(book: &Book, action: &Action, since: Timestamp) -> Trace {
    match action {
        Action::NewPo { item, supplier, quantity, destination, .. }
        | Action::AltSupplier { item, supplier, quantity, destination, .. } => {
            let (found, orders) = ordered(book, item, supplier, destination, since);
            Trace::quantity(found, *quantity, &orders)
        }
        Action::IncreasePo { po_line, ordered, quantity } => match book.po_lines.get(po_line) {
            Some(line) => Trace::quantity(line.qty - *ordered, *quantity, &format!("added to {}", line.order_name)),
            None => Trace::Nothing,
        },
        Action::SplitShip { po_line, quantity, .. } => split(book, po_line, *quantity, since),
        Action::Transfer { item, from, to, quantity, .. } => transferred(book, item, from, to, *quantity, since),
        Action::Reallocate { to_line, quantity, .. } => {
            let served = |m: &&StockMove| m.kind == MoveKind::Delivery && m.done_at.is_some_and(|at| at > since);
            let served: Quantity = book.moves_of_sale_line(to_line).into_iter().filter(served).map(|m| m.qty).sum();
            Trace::quantity(served, *quantity, "delivered on the order that was to be served first")
        }
        Action::Recount { item, location, .. } => match counts(book, item, location, since).last() {
            Some(count) => Trace::Wholly(format!("count {}", count.document)),
            None => Trace::Nothing,
        },
        Action::AdjustStock { item, location, difference, .. } => {
            let posted: Quantity = counts(book, item, location, since)
                .iter()
                .map(|m| if m.to.as_ref() == Some(location) { m.qty } else { -m.qty })
                .sum();
            // Both signs turned, so that a loss is compared as a find is.
            let (posted, wanted) = if difference.is_positive() { (posted, *difference) } else { (-posted, -*difference) };
            Trace::quantity(posted, wanted, "posted by a count")
        }
        Action::HoldQc { item, location, quantity, .. } => {
            let left = |m: &&StockMove| {
                m.kind == MoveKind::Transfer && m.created_at > since && m.from.as_ref() == Some(location) && m.to.is_none()
            };
            let held: Quantity = book.moves_at(item, location).into_iter().filter(left).map(|m| m.qty).sum();
            Trace::quantity(held, *quantity, "moved out of the saleable stock")
        }
        Action::Return { item, location, quantity, .. } => {
            let back = |m: &&StockMove| m.kind == MoveKind::SupplierReturn && m.created_at > since;
            let back: Vec<&StockMove> = book.moves_at(item, location).into_iter().filter(back).collect();
            let names: Vec<&str> = back.iter().map(|m| m.document.as_str()).collect();
            Trace::quantity(back.iter().map(|m| m.qty).sum(), *quantity, &format!("sent back in {}", names.join(", ")))
        }
        Action::Expedite { po_line, new_date, .. } => promise(book, po_line, |day| day <= *new_date),
        Action::DeferPo { po_line, new_date, .. } => promise(book, po_line, |day| day >= *new_date),
        Action::CancelPo { po_line, quantity } => cancelled(book, po_line, *quantity),
        Action::AdjustParam { param, record, new, .. } => {
            let (record, field) = param.field(record);
            let now = master::field(book, &record, field);
            Trace::of(now.as_deref() == Some(new.to_string().as_str()), || format!("{record} {field} says {new}"))
        }
        Action::FixMaster { record, field, new, .. } => {
            let now = master::field(book, record, field);
            Trace::of(now.as_deref() == Some(new.as_str()), || format!("{record} {field} says {new}"))
        }
        Action::PromoChange { promotion, new_to, .. } => match book.promotion(promotion) {
            None => Trace::Wholly("the promotion is gone from the ERP".to_owned()),
            Some(p) => Trace::of(p.to == *new_to, || format!("the promotion ends on {}", p.to)),
        },
        Action::Markdown { item, percent, from, .. } => {
            let found = book.promotions(item).iter().find(|p| {
                p.source == PromotionSource::Pricelist
                    && days_between(*from, p.from).abs() <= 1
                    && (p.percent - percent).abs() <= PERCENT_BAND
            });
            found.map_or(Trace::Nothing, |p| Trace::Wholly(format!("{:.1} % off from {} to {}", p.percent, p.from, p.to)))
        }
        Action::Claim { bill: Some(bill), .. } => match book.taken_back(bill) {
            None => Trace::Nothing,
            Some(taken) if taken.whole => Trace::Wholly(taken.words()),
            Some(taken) => Trace::Partly(taken.words()),
        },
        Action::Claim { supplier, lines, .. } => {
            let credit = book.bill_lines.values().find(|b| {
                &b.supplier == supplier
                    && !b.qty.is_positive()
                    && b.created_at > since
                    && b.po_line.as_ref().is_some_and(|l| lines.contains(l))
            });
            credit.map_or(Trace::Nothing, |b| Trace::Wholly(format!("credit note {}", b.bill_name)))
        }
        Action::BlockBill { bill, .. } => {
            let lines: Vec<_> = book.bill_lines.values().filter(|b| b.bill_name == *bill || b.bill_id == *bill).collect();
            let taken = lines.iter().find_map(|b| book.taken_back(&b.bill_id).filter(|taken| taken.whole));
            match lines.as_slice() {
                [] => Trace::Nothing,
                _ if taken.is_some() => Trace::Wholly(format!(
                    "{bill} was taken back unpaid: {}",
                    taken.map(TakenBack::words).unwrap_or_default()
                )),
                lines if lines.iter().any(|b| !book.is_unpaid(b)) => Trace::Nothing,
                // A bill that is not due yet is unpaid anyhow: it was held only when its day has passed.
                lines => match lines.iter().filter_map(|b| b.due_on).max() {
                    Some(due) if due < book.today => Trace::Wholly(format!("{bill} was due on {due} and is unpaid")),
                    None if book.calendar.day_of(since) < book.today => Trace::Wholly(format!("{bill} is unpaid")),
                    _ => Trace::TooEarly,
                },
            }
        }
        Action::AcceptVar { document, .. } => accepted(book, document),
        Action::ReverseDoc { document, .. } => reversed(book, document, since),
        // Nothing of these is kept where a reader sees it: notes, questions, decisions to wait.
        Action::ForecastFix { .. }
        | Action::MarkEvent { .. }
        | Action::Contact { .. }
        | Action::Monitor { .. }
        | Action::NoAction { .. }
        | Action::Escalate { .. }
        | Action::Mute { .. } => Trace::Unseen,
    }
}

/// Ordered since, drafts included: the executor's flow makes drafts that a buyer confirms.
fn ordered(
    book: &Book,
    item: &ItemId,
    supplier: &SupplierId,
    destination: &LocationId,
    since: Timestamp,
) -> (Quantity, String) {
    let drafts = book.draft_lines.values().filter(|l| &l.item == item && &l.location == destination);
    let confirmed = book.po_lines_at(item, destination).into_iter().filter(|l| l.confirmed);
    let lines: Vec<&PurchaseLine> =
        confirmed.chain(drafts).filter(|l| l.ordered_at > since && &l.supplier == supplier).collect();
    let names: BTreeSet<&str> = lines.iter().map(|l| l.order_name.as_str()).collect();
    let names: Vec<&str> = names.into_iter().collect();
    (lines.iter().map(|l| l.qty).sum(), format!("ordered in {}", names.join(", ")))
}

/// Direct moves, and legs by way of a transit location: what left for it counts, and so does what is planned to arrive.
fn transferred(
    book: &Book,
    item: &ItemId,
    from: &LocationId,
    to: &LocationId,
    quantity: Quantity,
    since: Timestamp,
) -> Trace {
    let since_then = |m: &&StockMove| m.kind == MoveKind::Transfer && m.created_at > since;
    let arrives: Vec<&StockMove> =
        book.moves_at(item, to).into_iter().filter(since_then).filter(|m| m.to.as_ref() == Some(to)).collect();
    let direct: Quantity = arrives.iter().filter(|m| m.from.as_ref() == Some(from)).map(|m| m.qty).sum();
    let by_way: Quantity = arrives.iter().filter(|m| m.from.is_none()).map(|m| m.qty).sum();
    let left: Quantity = book
        .moves_at(item, from)
        .into_iter()
        .filter(since_then)
        .filter(|m| m.from.as_ref() == Some(from) && m.to.is_none())
        .map(|m| m.qty)
        .sum();
    Trace::quantity(direct + by_way.min(left), quantity, "moved or on the way")
}

fn counts<'b>(book: &'b Book, item: &ItemId, location: &LocationId, since: Timestamp) -> Vec<&'b StockMove> {
    let counted = |m: &&StockMove| m.kind == MoveKind::Count && m.created_at > since;
    book.moves_at(item, location).into_iter().filter(counted).collect()
}

fn promise(book: &Book, po_line: &str, kept: impl Fn(jiff::civil::Date) -> bool) -> Trace {
    let Some(line) = book.po_lines.get(po_line) else { return Trace::Nothing };
    let promised = book.calendar.day_of(line.promised);
    Trace::of(kept(promised), || format!("{} is promised for {promised}", line.order_name))
}

fn split(book: &Book, po_line: &str, now: Quantity, since: Timestamp) -> Trace {
    let receipts: Vec<&StockMove> =
        book.moves_of_po_line(po_line).into_iter().filter(|m| m.kind == MoveKind::Receipt).collect();
    let came: Quantity = receipts.iter().filter(|m| m.done_at.is_some_and(|at| at > since)).map(|m| m.qty).sum();
    if came.is_positive() {
        return Trace::quantity(came, now, "received of the first part");
    }
    let days: BTreeSet<_> = receipts
        .iter()
        .filter(|m| m.done_at.is_none())
        .filter_map(|m| m.deadline.or(m.scheduled_at))
        .map(|at| book.calendar.day_of(at))
        .collect();
    Trace::of(days.len() >= 2, || "the line has two receipts on two days".to_owned())
}

fn cancelled(book: &Book, po_line: &str, quantity: Quantity) -> Trace {
    let Some(line) = book.po_lines.get(po_line) else {
        return Trace::Wholly("the line is gone from the ERP".to_owned());
    };
    let open = book.open_quantity(po_line);
    if !line.confirmed || open.is_zero() {
        return Trace::Wholly(format!("{} has nothing to come", line.order_name));
    }
    if open < quantity { Trace::Partly(format!("{open} units are still to come")) } else { Trace::Nothing }
}

/// The line is closed (nothing to come), or the bill is released (paid).
fn accepted(book: &Book, document: &str) -> Trace {
    let bills: Vec<_> = book.bill_lines.values().filter(|b| b.bill_name == document || b.bill_id == document).collect();
    if !bills.is_empty() {
        return Trace::of(bills.iter().all(|b| b.paid), || format!("{document} is released"));
    }
    let lines: Vec<&PurchaseLine> =
        book.po_lines.values().filter(|l| l.order_name == document || l.id == document).collect();
    if lines.is_empty() {
        // A count or a receipt: accepting it changes nothing that could be read.
        return Trace::Unseen;
    }
    Trace::of(lines.iter().all(|l| book.open_quantity(&l.id).is_zero()), || format!("{document} has nothing to come"))
}

/// A receipt is reversed by a return, a bill by a credit note, an order by its cancellation.
fn reversed(book: &Book, document: &str, since: Timestamp) -> Trace {
    let returned = |m: &&StockMove| {
        let takes_back = matches!(m.kind, MoveKind::SupplierReturn | MoveKind::CustomerReturn);
        let original = m.returns.as_ref().and_then(|id| book.find_move(id));
        let names_it = m.origin.contains(document) || original.is_some_and(|original| original.document == document);
        takes_back && m.created_at > since && names_it
    };
    if let Some(m) = book.every_move().into_iter().find(returned) {
        return Trace::Wholly(format!("return {}", m.document));
    }
    // That it stood when the reversal was approved is a hard check: whatever took it back came since.
    let bills: BTreeSet<&str> = book
        .bill_lines
        .values()
        .filter(|b| b.bill_name == document || b.bill_id == document)
        .map(|b| b.bill_id.as_str())
        .collect();
    if let Some(taken) = bills.into_iter().find_map(|bill| book.taken_back(bill)) {
        return if taken.whole { Trace::Wholly(taken.words()) } else { Trace::Partly(taken.words()) };
    }
    // It was there when the reversal was approved (a hard check): what is called so nowhere any more was cancelled.
    let sold: Vec<_> = book.sale_lines.values().filter(|l| l.order_name == document).collect();
    let known = book.every_move().into_iter().any(|m| m.document == document && !m.qty.is_zero())
        || book.bill_lines.values().any(|b| b.bill_name == document);
    let withdrawn = |line: &str| {
        let deliveries = book.moves_of_sale_line(line);
        !deliveries.is_empty() && deliveries.iter().all(|m| m.done_at.is_none() && m.qty.is_zero())
    };
    Trace::of(!known && sold.iter().all(|l| withdrawn(&l.id)), || format!("{document} is cancelled"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::domain::action::Param;
    use crate::domain::money::{Money, UnitPrice};
    use crate::domain::record::{
        BillLine, Item, Promotion, Record, RecordKind, RecordRef, ReorderRule, SaleLine, SupplierPrice,
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
        StockMove {
            id: id.to_owned(),
            kind,
            item: item(),
            from: from.map(place),
            to: to.map(place),
            qty: units(qty),
            created_at: time(made),
            scheduled_at: None,
            done_at: None,
            document: format!("DOC/{id}"),
            document_id: None,
            origin: String::new(),
            po_line: None,
            sale_line: None,
            partner: None,
            deadline: None,
            returns: None,
            to_replace: false,
            asked: None,
            owner: None,
            entered_by: None,
            reason: String::new(),
        }
    }

    fn line(id: &str, supplier: &str, qty: i64, ordered: u32) -> PurchaseLine {
        PurchaseLine {
            id: id.to_owned(),
            order_id: id.to_owned(),
            order_name: format!("P{id}"),
            supplier: SupplierId::new(supplier),
            item: item(),
            location: place("1"),
            qty: units(qty),
            price: None,
            foreign: None,
            company: None,
            ordered_at: time(ordered),
            promised_first: time(20),
            promised: time(20),
            confirmed: true,
            draft: false,
            pack: None,
            to_customer: false,
            kits_received: None,
            kit: None,
        }
    }

    fn bill(id: &str, qty: i64, made: u32) -> BillLine {
        BillLine {
            id: id.to_owned(),
            bill_id: id.to_owned(),
            bill_name: format!("BILL/{id}"),
            reference: String::new(),
            origin: String::new(),
            supplier: SupplierId::new("9"),
            po_line: Some("1".to_owned()),
            item: Some(item()),
            qty: units(qty),
            price: None,
            billed_on: day(9),
            due_on: None,
            paid: false,
            created_at: time(made),
            foreign: None,
            company: None,
            partly: false,
            reversed: false,
            entered_by: None,
            reverses: None,
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
        let cancel = Action::CancelPo { po_line: "1".into(), quantity: units(100) };
        assert_eq!(read(&cancel, [with(100), open(100)]), Trace::Nothing);
        assert!(is_partly(&read(&cancel, [with(100), open(60)])));
        assert!(is_wholly(&read(&cancel, [with(100)])));
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
        assert!(is_partly(&read(&split, [order(), receipt("1", 20, 12, Some(11)), receipt("2", 80, 20, None)])));
        assert!(is_wholly(&read(&split, [order(), receipt("1", 40, 12, Some(11)), receipt("2", 60, 20, None)])));
    }

    #[test]
    fn a_transfer_is_seen_direct_or_by_way_of_transit() {
        let transfer =
            Action::Transfer { item: item(), from: place("1"), to: place("2"), quantity: units(40), ship_on: day(9) };
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
        let by_text = BillLine { reference: "Reversal of: BILL/1".into(), ..bill("2", -4, 9) };
        assert!(is_wholly(&read(
            &reverse("BILL/1"),
            [Record::BillLine(bill("1", 4, 1)), Record::BillLine(by_text.clone())]
        )));
        let by_state = BillLine { reversed: true, ..bill("1", 4, 1) };
        assert!(is_wholly(&read(&reverse("BILL/1"), [Record::BillLine(by_state)])));
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
}
