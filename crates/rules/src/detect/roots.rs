//! Roots: a shortage that waits for an overdue or delayed order is that order's symptom. The order's signal carries the links of
//! its symptoms, so that they fold into its case; each symptom says what it waits for.
//!
//! A shortage that another order relieves earlier is not a symptom: it waits for that one.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::place_fact;
use crate::outlook::Outlook;
use crate::place_key;
use reeve_domain::book::{Book, Place, numeric};
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal};
use reeve_domain::money::Quantity;
use reeve_domain::record::PurchaseLine;

/// Items that an order's headline names; the rest are counted.
const NAMED: usize = 5;

/// Can a signal of this type be what shortages come from?
pub fn is_root(code: T) -> bool {
    matches!(code, T::SOverdue | T::SDelay)
}

/// Is a signal of this type a shortage?
pub fn is_symptom(code: T) -> bool {
    matches!(code, T::IOut | T::ILow)
}

/// What a place that is short waits for, put down while its item is looked at.
#[derive(Clone, Debug)]
pub(super) struct Awaits {
    /// The open line that comes first.
    line: String,
    /// The name of its order.
    order: String,
    /// What a shortage there says of it.
    cause: String,
    /// What the line's signal calls the item that is short.
    label: String,
}

/// What the place of a shortage waits for. Nothing where no order is on its way there.
pub(super) fn awaits(book: &Book, outlook: &Outlook, signal: &Signal) -> Option<(Place, Awaits)> {
    // What is explained asks for nothing, so there is nothing to trace.
    if !is_symptom(signal.code) || signal.explained.is_some() {
        return None;
    }
    let (item, location) = (signal.subject.item.as_ref()?, signal.subject.location.as_ref()?);
    let place = (item.clone(), location.clone());
    let (line, qty) = awaited(book, &place)?;
    // By its number where it has one: five names would not fit on two lines.
    let sku = book.items.get(item).map(|item| item.sku.clone()).filter(|sku| !sku.is_empty());
    let awaits = Awaits {
        line: line.id.clone(),
        order: line.order_name.clone(),
        cause: cause(book, outlook, (line, qty), &place, signal.code),
        label: sku.unwrap_or_else(|| book.item_label(item)),
    };
    Some((place, awaits))
}

/// Gives each root the links of its symptoms, and each symptom the name of its root.
pub(super) fn trace(book: &Book, awaits: &BTreeMap<Place, Awaits>, signals: &mut [Signal]) {
    // Known before any headline changes: a root is found by its lines, not by what it says.
    let roots = lines_of_roots(book, signals);
    let mut short: BTreeMap<usize, BTreeSet<&str>> = BTreeMap::new();
    for at in 0..signals.len() {
        let signal = &signals[at];
        let (Some(item), Some(location)) = (&signal.subject.item, &signal.subject.location) else { continue };
        if !is_symptom(signal.code) || signal.explained.is_some() {
            continue;
        }
        // Only where the place waits for that very line is the late order its cause.
        let (item, location) = (item.clone(), location.clone());
        let link = place_key::shortage(&item, &location);
        let place = (item, location);
        let Some(awaits) = awaits.get(&place) else { continue };
        let Some(root) = roots.get(&awaits.line).copied() else { continue };
        let fact = FactValue::Text(awaits.order.clone());
        let fact = place_fact(book, &place.0, &place.1, "caused_by", "it waits for", fact);
        let symptom = &mut signals[at];
        symptom.headline = format!("{} {}", symptom.headline, awaits.cause);
        symptom.facts.push(fact);
        // The link goes to the root, so that folding finds both in one case.
        if !signals[root].links.contains(&link) {
            signals[root].links.push(link);
        }
        short.entry(root).or_default().insert(&awaits.label);
    }
    for (root, items) in short {
        let named: Vec<&str> = items.iter().take(NAMED).copied().collect();
        let rest = items.len().saturating_sub(NAMED);
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let joined = named.join(", ");
        signals[root].headline = format!("{} Short for want of it: {joined}{more}.", signals[root].headline);
    }
}

/// The signal that is about each overdue or delayed line; of two, the one about the whole order.
fn lines_of_roots(book: &Book, signals: &[Signal]) -> BTreeMap<String, usize> {
    let mut roots = BTreeMap::new();
    for (at, signal) in signals.iter().enumerate().filter(|(_, s)| is_root(s.code) && s.explained.is_none()) {
        let lines = match (&signal.subject.po_line, &signal.subject.order) {
            (Some(line), _) => book.po_lines.get(line).into_iter().collect(),
            (None, Some(order)) => book.lines_of_order(order),
            (None, None) => Vec::new(),
        };
        for line in lines {
            // An overdue order is told as a whole, so its lines lead there and not to the delay of one of them.
            if signal.code == T::SOverdue || !roots.contains_key(&line.id) {
                roots.insert(line.id.clone(), at);
            }
        }
    }
    roots
}

/// The open line that comes first to a place, by when each is to be expected, with what it brings there: of a kit the component.
fn awaited<'b>(book: &'b Book, (item, location): &Place) -> Option<(&'b PurchaseLine, Quantity)> {
    let incoming = book.incoming(item, location);
    let first = incoming.iter().min_by(|a, b| {
        (book.expected_on(a.promised), numeric(&a.po_line)).cmp(&(book.expected_on(b.promised), numeric(&b.po_line)))
    })?;
    Some((book.po_lines.get(&first.po_line)?, first.qty))
}

/// What a symptom says of its root: which order, how late, and whether it would have been enough.
fn cause(book: &Book, outlook: &Outlook, (line, qty): (&PurchaseLine, Quantity), place: &Place, code: T) -> String {
    let due = book.due(line);
    let late = days_between(book.calendar.day_of(line.promised_first), book.today);
    let order = &line.order_name;
    let state = if due >= book.today { format!("now due {due}") } else { format!("{late} days overdue") };
    let there = book.available(&place.0, &place.1).to_f64() + qty.to_f64();
    let days = days_between(book.today, book.expected_on(due)).max(1) as u32;
    // What is out wants anything at all; what runs out wants what is asked for until the order comes.
    let wanted = if code == T::IOut { 0.0 } else { outlook.window(place, 0, days).0 };
    if there > wanted {
        format!("Caused by {order}, {state}.")
    } else {
        format!("It waits for {order}, {state}, which would not have been enough.")
    }
}
