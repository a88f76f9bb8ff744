//! Goods that come at another price than the one by which their margin is reckoned (F-COST; handbook §4.3): the supplier bills what
//! was agreed, and the cost in the ERP says something else.

use std::collections::BTreeMap;

use super::facts::{fact, record};
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days, quarter};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{PurchaseLine, RecordKind};

const DETECTOR: &str = "cost-rules/1";

/// How far the cost may be off, as a share of it: average costs move with every receipt.
const SHARE: f64 = 0.1;
/// What the difference must come to over the goods that came.
const LEAST: Money = Money::from_minor(5_000);

/// F-COST: one for an item and a location, for the newest line that came.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let mut newest: BTreeMap<(&ItemId, &LocationId), (jiff::Timestamp, &PurchaseLine)> = BTreeMap::new();
    for line in book.po_lines.values().filter(|line| line.confirmed && !line.to_customer) {
        // An average cost moves with every receipt, so only the newest line that came is held against it.
        let Some(at) = book.receipts(&line.id).last().and_then(|m| m.done_at) else { continue };
        let slot = newest.entry((&line.item, &line.location)).or_insert((at, line));
        if at > slot.0 {
            *slot = (at, line);
        }
    }
    newest.into_values().filter_map(|(at, line)| variance(book, settings, at, line)).collect()
}

fn variance(book: &Book, settings: &Settings, at: jiff::Timestamp, line: &PurchaseLine) -> Option<Signal> {
    let day = book.calendar.day_of(at);
    // A kit has no cost of its own that its components would not have.
    if days_between(day, book.today) > settings.detect.keep(settings.detect.claim_days) || book.is_kit(&line.id) {
        return None;
    }
    let (price, cost) = (line.price?, book.cost(&line.item, &line.location)?);
    // What is above the price list is another matter, and the supplier's.
    let agreed = book.list_entry(line).and_then(|listed| book.list_price(line, listed))?;
    let off = UnitPrice(price.0 - cost.0);
    let received: Quantity = book.received(&line.id);
    let value = received * off;
    if (price.to_f64() - agreed.to_f64()).abs() > 0.005 * agreed.to_f64()
        || off.to_f64().abs() <= SHARE * cost.to_f64()
        || value.abs() < LEAST
    {
        return None;
    }
    let words = if value > Money::ZERO { "more" } else { "less" };
    let list = book.items.get(&line.item)?.list_price?;
    let margin = UnitPrice(list.0 - price.0);
    let headline = format!(
        "{} came at {price} with {}, its cost in the books is {cost}: {} {words} for {received} units; {margin} of {list} are left as margin.",
        book.item_label(&line.item),
        line.order_name,
        value.abs()
    );
    let source = || record(RecordKind::PoLine, &line.id);
    let facts = [
        fact(book, source(), "price", "order price", FactValue::Price(price)),
        fact(book, source(), "received", "received", FactValue::Quantity(received)),
        fact(book, source(), "cost_variance", "beyond the cost in the books", FactValue::Money(value)),
        fact(book, record(RecordKind::Item, line.item.as_str()), "cost", "unit cost", FactValue::Price(cost)),
    ];
    let subject = Subject {
        supplier: Some(line.supplier.clone()),
        po_line: Some(line.id.clone()),
        order: Some(line.order_id.clone()),
        ..Subject::at(&line.item, &line.location)
    };
    let signal = Signal::rule(DETECTOR, T::FCost, subject, quarter(day), (day, day), headline)
        .opens_until(plus_days(day, settings.detect.claim_days));
    Some(signal.link(format!("cost:{}@{}", line.item, line.location)).with(facts))
}
