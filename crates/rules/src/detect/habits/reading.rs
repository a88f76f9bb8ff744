//! The supply of a book as the receiving detector reads it: one line, one promise, what came and what was billed.
//!
//! Everything is told in the numbers that cards have: what is kept beyond the order or was never brought, as the receiving rules
//! count it; the first promise; what the supplier asks for, bills that repeat another left out.

use reeve_domain::book::Book;
use reeve_domain::calendar::days_between;
use reeve_domain::money::Quantity;
use reeve_domain::record::{BillLine, PurchaseLine};
use reeve_models::receiving::{Bill, Notice, NoticeKind, PurchaseLine as Line, Receipt, Records};

use crate::detect::receiving::difference;

/// Everything that was ordered, with what came of the lines that are complete. Of a line that something is still to come on
/// nobody knows yet whether it will be short.
pub fn records(book: &Book) -> Records {
    let mut records = Records::default();
    for order in book.orders() {
        let lines: Vec<&PurchaseLine> = book.lines_of_order(order).into_iter().filter(|l| l.confirmed).collect();
        for line in &lines {
            if line.qty.is_positive() {
                add(&mut records, book, line, &lines);
            }
        }
    }
    records
}

fn add(records: &mut Records, book: &Book, line: &PurchaseLine, lines: &[&PurchaseLine]) {
    let calendar = book.calendar_of(&line.location);
    let promised = calendar.day_of(line.promised_first);
    let (agreed, asked) = prices(book, line);
    records.lines.push(Line {
        line: line.id.clone(),
        po: line.order_id.clone(),
        vendor: vendor(book, line),
        item: line.item.to_string(),
        location: line.location.to_string(),
        // Odoo does not say by which way goods come.
        mode: String::new(),
        ordered: calendar.day_of(line.ordered_at),
        promised,
        quantity: line.qty.to_f64(),
        pack_size: pack(book, line),
        price: agreed,
    });
    let came = came(book, line, lines);
    if came.is_empty() || book.open_quantity(&line.id).is_positive() {
        return;
    }
    // A delay explains what it was told before the goods came, and told of a later day than was promised.
    let first = came.iter().map(|receipt| receipt.date).min().unwrap_or(promised);
    let told_on = |notice: &str| book.notices.get(notice).map(|notice| book.told_on(notice));
    if let Some(announced) = book.announced(&line.id)
        && announced.date > promised
        && told_on(&announced.notice).is_some_and(|told| told <= first)
    {
        records.notices.push(Notice {
            kind: NoticeKind::Delay,
            vendor: None,
            location: None,
            line: Some(line.id.clone()),
            from: promised,
            to: promised,
            value: f64::from(days_between(promised, announced.date)),
        });
    }
    records.receipts.extend(came);
    records.bills.extend(asked);
}

/// Units in a pack of the item: the one that was ordered in, else the item's own; 0 where none is known.
fn pack(book: &Book, line: &PurchaseLine) -> f64 {
    let of_item = || book.items.get(&line.item)?.keys.packs.first();
    line.pack.as_ref().or_else(of_item).map_or(0.0, |pack| number(pack.qty))
}

/// Who delivers: companies have their suppliers each for themselves.
pub(super) fn vendor(book: &Book, line: &PurchaseLine) -> String {
    format!("{} {}", book.company_of(&line.location).unwrap_or_default(), line.supplier)
}

/// What came, by document, as it counts against the order: what was taken out again of a surplus is no surplus, and what another
/// line of the order lacks is its.
fn came(book: &Book, line: &PurchaseLine, lines: &[&PurchaseLine]) -> Vec<Receipt> {
    let first = book.receipts(&line.id).into_iter().filter(|m| m.returns.is_none()).collect();
    let calendar = book.calendar_of(&line.location);
    let day = |at| calendar.day_of(at);
    let mut came: Vec<Receipt> = book
        .deliveries(&line.id, first)
        .into_iter()
        .filter_map(|(m, qty)| Some(Receipt { line: line.id.clone(), date: day(m.done_at?), quantity: number(qty) }))
        .collect();
    let sum: f64 = came.iter().map(|receipt| receipt.quantity).sum();
    let even = (sum - line.qty.to_f64()).abs() < 1e-9;
    let counts = if even { sum } else { difference(book, line, lines).came.to_f64().max(0.0) };
    // What is too much is taken off the last receipt first: those before it were still within the order.
    let mut beyond = sum - counts;
    for receipt in came.iter_mut().rev() {
        let less = beyond.min(receipt.quantity);
        if beyond > 1e-9 {
            receipt.quantity -= less;
            beyond -= less;
        }
    }
    if let Some(last) = came.last_mut().filter(|_| beyond < -1e-9) {
        last.quantity -= beyond;
    }
    came
}

fn number(qty: Quantity) -> f64 {
    qty.to_f64().max(0.0)
}

/// The agreed price of a unit and the bill, all bills of the line in one. Prices are compared in the currency in which they were
/// agreed; one that is not known is taken as agreed.
fn prices(book: &Book, line: &PurchaseLine) -> (f64, Option<Bill>) {
    let asked = book.asked(&line.id);
    let currency = line.foreign.as_ref().map(|f| f.currency.as_str());
    let foreign = |bill: &BillLine| bill.foreign.as_ref().filter(|f| Some(f.currency.as_str()) == currency).map(|f| f.price);
    // In the company's currency the rate would look like a price that has moved.
    let abroad = currency.is_some() && !asked.is_empty() && asked.iter().all(|bill| foreign(bill).is_some());
    let agreed = if abroad { line.foreign.as_ref().map(|f| f.price) } else { line.price };
    let price = |bill: &BillLine| if abroad { foreign(bill) } else { bill.price };
    let agreed = agreed.map_or(0.0, |price| price.to_f64().max(0.0));
    let bills: Vec<&BillLine> = asked.iter().copied().filter(|bill| bill.qty.is_positive()).collect();
    let Some(last) = bills.iter().map(|bill| bill.billed_on).max() else { return (agreed, None) };
    let billed: Quantity = asked.iter().map(|bill| bill.qty).sum();
    let units: f64 = bills.iter().map(|bill| bill.qty.to_f64()).sum();
    let value: Option<f64> = bills.iter().map(|bill| Some(bill.qty.to_f64() * price(bill)?.to_f64().max(0.0))).sum();
    let asked = value.filter(|_| units > 0.0).map_or(agreed, |value| value / units);
    // A bill may be dated ahead; the line is complete when it is there.
    let date = last.min(book.today);
    (agreed, Some(Bill { line: line.id.clone(), date, quantity: number(billed), price: asked }))
}
