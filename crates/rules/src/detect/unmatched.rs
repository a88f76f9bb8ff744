//! Bills without an order or a receipt (F-UNMATCHED), and receipts without a bill (F-UNBILLED; handbook §4.3): what finance has
//! no matching documents for.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{fact, record};
use crate::settings::Settings;
use reeve_domain::bill::{Bill, ROUNDING};
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, quarter};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, SupplierId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{BillLine, PurchaseLine, RecordKind, StockMove};

const DETECTOR: &str = "unmatched-rules/1";

/// Days before a bill in which an order may have been made that it is for.
const ORDER_DAYS: i32 = 120;
/// Days after which what was never billed is no longer expected to be: there it is for accounts to write off.
const UNBILLED_MOST_DAYS: i32 = 400;
/// How sure an order is whose goods are those of the bill. That a bill names it makes it no surer: what stands on a bill its
/// supplier wrote.
const SAME_GOODS: f64 = 0.8;
/// Days after its entry in which a bill is still being matched by whoever enters bills.
const MATCHING_DAYS: i32 = 2;
/// Lines that are listed; the rest are summed.
const LISTED: usize = 8;

/// Everything that has no counterpart on the book's day.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let bills = book.all_bills();
    // Bills that ask again for what another asked are F-DUPBILL's, whatever order they name: the money is one.
    let repeated: BTreeSet<&str> = book.repeats().iter().map(|repeat| repeat.later.as_str()).collect();
    // Whose bills are kept elsewhere has none here, and is missing none.
    let bills_here: BTreeSet<&SupplierId> = bills.iter().map(|bill| &bill.first.supplier).collect();
    // From whom nothing was ever ordered, and whose bills for goods were paid without, is bought from like that.
    let unordered = |supplier: &&SupplierId| !book.lines_of_supplier(supplier).iter().any(|line| line.confirmed);
    let unordered: BTreeSet<&SupplierId> = bills_here.iter().copied().filter(unordered).collect();
    let paid = |bill: &&Bill<'_>| bill.lines.iter().all(|line| line.paid) && !unmatched_lines(book, bill).is_empty();
    let theirs = bills.iter().filter(|bill| unordered.contains(&bill.first.supplier));
    let usual: BTreeSet<&SupplierId> = theirs.filter(paid).map(|bill| &bill.first.supplier).collect();
    let news = |bill: &&Bill<'_>| !repeated.contains(bill.id) && !usual.contains(&bill.first.supplier);
    let mut found: Vec<Signal> = bills.iter().filter(news).filter_map(|bill| unmatched(book, bill)).collect();
    found.extend(bills_here.into_iter().flat_map(|supplier| unbilled(book, settings, supplier)));
    found
}

/// Does an item lie here that belongs to its supplier? What is sold of it is billed without an order.
fn is_consigned(book: &Book, supplier: &SupplierId, item: &ItemId) -> bool {
    let theirs = |m: &StockMove| [&m.owner, &m.partner].into_iter().flatten().any(|id| id == supplier.as_str());
    book.receipts_of_item(item).any(|m| m.owner.is_some() && theirs(m))
}

/// The lines of a bill that name no order although they bill goods: items that are kept here. Freight and rent, on a bill of their
/// own or beside goods, have no order, and neither have goods on consignment.
pub fn unmatched_lines<'b>(book: &Book, bill: &Bill<'b>) -> Vec<&'b BillLine> {
    let ours = |item: &ItemId| book.items.contains_key(item) && !is_consigned(book, &bill.first.supplier, item);
    let goods = |line: &BillLine| line.item.as_ref().is_some_and(ours);
    bill.lines.iter().filter(|line| line.po_line.is_none() && line.qty.is_positive() && goods(line)).copied().collect()
}

/// What lines ask in the company's currency; None where a price can not be converted.
pub fn asked(lines: &[&BillLine]) -> Option<Money> {
    lines.iter().map(|line| Some(line.qty * line.price?)).sum()
}

/// The order that a bill may be for, and how far goods that came and nobody has billed answer for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Likely {
    /// The order's name: of one that the bill names, else of the one that fits it best.
    pub order: String,
    /// Does the bill name it? That is its supplier's word, and no money hangs on it.
    pub named: bool,
    /// How well the best fitting order fits, whichever the bill names.
    pub fit: f64,
}

/// The order that a bill may be for.
pub fn likely_order(book: &Book, bill: &Bill<'_>, lines: &[&BillLine]) -> Option<Likely> {
    let mut best: Option<(bool, f64, &str)> = None;
    let mut most = 0.0_f64;
    for order in book.orders_of_supplier(&bill.first.supplier) {
        let ordered = book.lines_of_order(order);
        let Some(first) = ordered.first().filter(|line| line.confirmed) else { continue };
        let age = days_between(book.calendar.day_of(first.ordered_at), bill.first.billed_on);
        if !(0..=ORDER_DAYS).contains(&age) {
            continue;
        }
        let named = [&bill.first.origin, &bill.first.reference].into_iter().any(|text| names(text, &first.order_name));
        let fit = SAME_GOODS * same_goods(book, &ordered, lines);
        most = most.max(fit);
        if (named || fit > 0.0) && best.is_none_or(|(before, best, _)| (named, fit) > (before, best)) {
            best = Some((named, fit, first.order_name.as_str()));
        }
    }
    best.map(|(named, _, order)| Likely { order: order.to_owned(), named, fit: most })
}

/// The newest receipt without an order of what lines bill, from the supplier of a bill: then the goods came, and what lacks is the
/// order.
pub fn came_without_order<'b>(book: &'b Book, bill: &Bill<'_>, lines: &[&'b BillLine]) -> Option<&'b StockMove> {
    let theirs = |m: &&StockMove| {
        let age = m.done_at.map(|at| days_between(book.calendar.day_of(at), bill.first.billed_on));
        // Goods may come after their bill, within the same time as an order before it.
        let near = age.is_some_and(|age| age.abs() <= ORDER_DAYS);
        near && m.partner.as_deref() == Some(bill.first.supplier.as_str()) && book.line_of(m).is_none()
    };
    let items: BTreeSet<&ItemId> = lines.iter().filter_map(|line| line.item.as_ref()).collect();
    let came = items.into_iter().flat_map(|item| book.receipts_of_item(item)).filter(theirs);
    came.max_by_key(|m| (m.done_at, &m.id))
}

/// Does a text name an order, as a word of its own?
fn names(text: &str, order: &str) -> bool {
    !order.is_empty() && text.split(|c: char| !c.is_alphanumeric() && c != '/').any(|word| word.eq_ignore_ascii_case(order))
}

/// The share of what lines bill that an order has received and nobody has billed.
fn same_goods(book: &Book, ordered: &[&PurchaseLine], lines: &[&BillLine]) -> f64 {
    let (mut all, mut met) = (0.0, 0.0);
    for line in lines {
        let value = line.qty.to_f64() * line.price.map_or(0.0, reeve_domain::money::UnitPrice::to_f64);
        all += value;
        let open: Quantity =
            ordered.iter().filter(|l| Some(&l.item) == line.item.as_ref()).map(|l| open_to_bill(book, l)).sum();
        if line.qty.is_positive() && open >= line.qty {
            met += value;
        }
    }
    if all > 0.0 { met / all } else { 0.0 }
}

/// Received of a line, kept, ours, and in no bill that stands.
pub fn open_to_bill(book: &Book, line: &PurchaseLine) -> Quantity {
    let receipts = book.receipts(&line.id);
    // Goods on consignment are billed when they are sold.
    if receipts.is_empty() || receipts.iter().all(|m| m.owner.is_some()) {
        return Quantity::ZERO;
    }
    let billed: Quantity = book.bills(&line.id).iter().map(|bill| bill.qty).sum();
    (book.billable(line) - billed).max(Quantity::ZERO)
}

/// F-UNMATCHED: an unpaid bill for goods with lines that no order answers for.
fn unmatched(book: &Book, bill: &Bill<'_>) -> Option<Signal> {
    let first = bill.first;
    let age = days_between(book.calendar.day_of(first.created_at), book.today);
    if bill.is_credit() || !book.is_unpaid(first) || age < MATCHING_DAYS {
        return None;
    }
    let lines = unmatched_lines(book, bill);
    let amount = asked(&lines);
    if lines.is_empty() || amount.is_some_and(|amount| amount <= ROUNDING) {
        return None;
    }
    let supplier = book.supplier_name(&first.supplier);
    let shown = amount.map_or_else(|| "an amount in another currency".to_owned(), |amount| amount.to_string());
    // A bill that answers to an order in part is right in that part.
    let whole = lines.len() == bill.lines.len();
    let came = came_without_order(book, bill, &lines);
    let what = match (came, whole) {
        (Some(m), true) => format!("no order, though {} of {} came with {}", m.qty, book.item_label(&m.item), m.document),
        (None, true) => "no order or receipt".to_owned(),
        (_, false) => format!("no order for {} of its lines", lines.len()),
    };
    let likely = likely_order(book, bill, &lines);
    let perhaps = match &likely {
        Some(Likely { order, named: true, fit }) if *fit > 0.0 => {
            format!("; it names {order}, and what came and is not billed fits by {:.0} %", fit * 100.0)
        }
        Some(Likely { order, named: true, .. }) => {
            format!("; it names {order}, and nothing like it came that is not billed")
        }
        Some(Likely { order, fit, .. }) => format!("; it may be for {order}, which fits by {:.0} %", fit * 100.0),
        None => String::new(),
    };
    let headline = format!("{supplier} billed {shown} on {}, and there is {what}{perhaps}.", first.bill_name);
    let source = || record(RecordKind::BillLine, &first.id);
    let mut facts = vec![
        fact(book, source(), "bill_date", "bill date", FactValue::Date(first.billed_on)),
        fact(book, source(), "reference", "supplier's number", FactValue::Text(first.reference.clone())).from_outside(),
    ];
    facts.extend(amount.map(|amount| fact(book, source(), "unmatched", "billed without order", FactValue::Money(amount))));
    facts.extend(first.due_on.map(|due| fact(book, source(), "due", "bill due", FactValue::Date(due))));
    if let Some(Likely { order, fit, .. }) = likely {
        facts.push(fact(book, source(), "likely_order", "order that it may be for", FactValue::Text(order)));
        facts.push(fact(book, source(), "fit", "how well the likeliest order fits", FactValue::percent(fit * 100.0)));
    }
    let subject = Subject { supplier: Some(first.supplier.clone()), bill: Some(bill.id.to_owned()), ..Subject::default() };
    let days = (first.billed_on, first.billed_on);
    let signal = Signal::rule(DETECTOR, T::FUnmatched, subject, "bill".to_owned(), days, headline);
    Some(signal.link(format!("bill:{}", bill.id)).with(facts))
}

/// What a supplier has delivered and not billed for long, by the company that it delivered to: lines with units and value.
pub fn unbilled_lines<'b>(
    book: &'b Book,
    settings: &Settings,
    supplier: &SupplierId,
) -> BTreeMap<Option<&'b str>, Vec<(&'b PurchaseLine, Quantity, Money)>> {
    let mut of_company: BTreeMap<Option<&str>, Vec<(&PurchaseLine, Quantity, Money)>> = BTreeMap::new();
    for line in book.lines_of_supplier(supplier).into_iter().filter(|line| line.confirmed) {
        let last = book.receipts(&line.id).last().and_then(|m| m.done_at).map(|at| book.calendar.day_of(at));
        let Some(age) = last.map(|day| days_between(day, book.today)) else { continue };
        if !(settings.detect.unbilled_days..=UNBILLED_MOST_DAYS).contains(&age) {
            continue;
        }
        let open = open_to_bill(book, line);
        // Within the tolerance of quantities the rest is a matter of counting, and nobody bills it.
        let Some(price) = line.price.filter(|_| open.to_f64() > settings.tolerances.quantity_units) else { continue };
        of_company.entry(book.company_of(&line.location)).or_default().push((line, open, open * price));
    }
    of_company
}

/// F-UNBILLED: one for each company that a supplier delivers to, once a quarter.
fn unbilled(book: &Book, settings: &Settings, supplier: &SupplierId) -> Vec<Signal> {
    let lines = unbilled_lines(book, settings, supplier);
    lines.iter().filter_map(|(company, lines)| unbilled_signal(book, settings, supplier, *company, lines)).collect()
}

fn unbilled_signal(
    book: &Book,
    settings: &Settings,
    supplier: &SupplierId,
    company: Option<&str>,
    lines: &[(&PurchaseLine, Quantity, Money)],
) -> Option<Signal> {
    let value: Money = lines.iter().map(|(.., value)| *value).sum();
    if value < settings.detect.policy_value {
        return None;
    }
    let orders: BTreeSet<&str> = lines.iter().map(|(line, ..)| line.order_name.as_str()).collect();
    let named: Vec<&str> = orders.iter().take(LISTED).copied().collect();
    let rest = orders.len().saturating_sub(LISTED);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    let headline = format!(
        "{} has not billed {value} of what came more than {} days ago: {}{more}.",
        book.supplier_name(supplier),
        settings.detect.unbilled_days,
        named.join(", ")
    );
    let source = || record(RecordKind::Supplier, supplier.as_str());
    let mut facts = vec![
        fact(book, source(), "unbilled", "received and not billed", FactValue::Money(value)),
        fact(book, source(), "unbilled_lines", "order lines of it", FactValue::number(lines.len() as f64, 0)),
    ];
    for (line, open, value) in lines.iter().take(LISTED) {
        let of = |field: &str, label: &str, value| fact(book, record(RecordKind::PoLine, &line.id), field, label, value);
        facts.push(of("open_to_bill", &format!("not billed of {}", line.order_name), FactValue::Quantity(*open)));
        facts.push(of("unbilled_value", &format!("the same at the price of {}", line.order_name), FactValue::Money(*value)));
        facts.extend(line.price.map(|price| of("price", "order price", FactValue::Price(price))));
    }
    let company = company.filter(|_| book.has_several_companies());
    let quarter = quarter(book.today);
    let period = company.map_or_else(|| quarter.clone(), |company| format!("{quarter}, company {company}"));
    let subject = Subject { supplier: Some(supplier.clone()), ..Subject::default() };
    let signal = Signal::rule(DETECTOR, T::FUnbilled, subject, period.clone(), (book.today, book.today), headline);
    Some(signal.link(format!("unbilled:{supplier}/{period}")).with(facts))
}
