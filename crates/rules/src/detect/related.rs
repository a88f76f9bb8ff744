//! What other signals say together: demand that falls where a neighbour of its group rises (D-CANNIBAL), and an item that is short
//! and that only the supplier who is late sells (S-SINGLE; handbook §4.1, §4.5). They join the cases of those signals and raise
//! none of their own.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::facts::{fact, place_fact, record};
use super::gather::Overview;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, quarter};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::record::{PurchaseLine, RecordKind};

const DETECTOR: &str = "relation-rules/1";

/// Days by which one may begin before or after the other.
const APART_DAYS: i32 = 7;

/// Everything that the signals of a look have to say together.
pub(super) fn signals(book: &Book, overview: &Overview, signals: &[Signal]) -> Vec<Signal> {
    let mut found = cannibals(book, signals);
    found.extend(single_sources(book, overview, signals));
    found
}

/// Demand that falls.
fn falls(signal: &Signal) -> bool {
    signal.code == T::DCollapse || (signal.code == T::DShift && signal.period == "down")
}

/// Demand that rises.
fn rises(signal: &Signal) -> bool {
    matches!(signal.code, T::DSpike | T::DPromoOver) || (signal.code == T::DShift && signal.period == "up")
}

/// What rises, where (nowhere in particular: everywhere) and since when.
type Rise<'a> = (&'a ItemId, Option<&'a LocationId>, Date);

fn cannibals(book: &Book, signals: &[Signal]) -> Vec<Signal> {
    // What rises, by where and in which group of goods; a promotion may rise everywhere.
    let mut rising: BTreeMap<&str, Vec<Rise<'_>>> = BTreeMap::new();
    for signal in signals.iter().filter(|signal| rises(signal)) {
        let Some(item) = signal.subject.item.as_ref().and_then(|id| book.items.get(id)) else { continue };
        rising.entry(&item.category).or_default().push((&item.id, signal.subject.location.as_ref(), signal.from));
    }
    let mut found = Vec::new();
    for signal in signals.iter().filter(|signal| falls(signal) && signal.explained.is_none()) {
        let (Some(item), Some(location)) = (&signal.subject.item, &signal.subject.location) else { continue };
        // A group is the only relation between items that records know.
        let Some(category) = book.items.get(item).map(|item| item.category.as_str()).filter(|c| !c.is_empty()) else {
            continue;
        };
        let near = |from: Date| days_between(from, signal.from).abs() <= APART_DAYS;
        let with = rising
            .get(category)
            .into_iter()
            .flatten()
            .find(|(other, at, from)| *other != item && at.is_none_or(|at| at == location) && near(*from));
        let Some((other, ..)) = with else { continue };
        let headline = format!(
            "{} at {} falls as {} of the same group rises.",
            book.item_label(item),
            book.location_name(location),
            book.item_label(other)
        );
        let name =
            fact(book, record(RecordKind::Item, other.as_str()), "name", "rises", FactValue::Text(book.item_label(other)));
        let group = FactValue::Text(category.to_owned());
        let facts = [name.from_outside(), place_fact(book, item, location, "group", "group of goods", group)];
        let days = (signal.from, signal.to);
        let subject = Subject::at(item, location);
        let both = Signal::rule(DETECTOR, T::DCannibal, subject, signal.period.clone(), days, headline);
        // It has the links of the fall, so both are told in one case.
        found.push(Signal { links: signal.links.clone(), ..both }.with(facts));
    }
    found
}

/// S-SINGLE: an A item that runs short of an order that is late, and that nobody else sells.
fn single_sources(book: &Book, overview: &Overview, signals: &[Signal]) -> Vec<Signal> {
    let short: BTreeSet<(&ItemId, &LocationId)> = signals
        .iter()
        .filter(|s| matches!(s.code, T::IOut | T::ILow) && s.explained.is_none())
        .filter_map(|s| Some((s.subject.item.as_ref()?, s.subject.location.as_ref()?)))
        .collect();
    let mut found = BTreeMap::new();
    for root in signals.iter().filter(|s| matches!(s.code, T::SOverdue | T::SDelay) && s.explained.is_none()) {
        let lines: Vec<&PurchaseLine> = match (&root.subject.po_line, &root.subject.order) {
            (Some(line), _) => book.po_lines.get(line).into_iter().collect(),
            (None, Some(order)) => book.lines_of_order(order),
            (None, None) => Vec::new(),
        };
        for line in lines.into_iter().filter(|line| short.contains(&(&line.item, &line.location))) {
            let class = overview.classes.at(book, &line.item, &line.location);
            let offers = book.supplier_prices_at(&line.item, &line.location, book.today);
            let sources: BTreeSet<&SupplierId> = offers.iter().map(|offer| &offer.supplier).collect();
            if class != Some('A') || sources.len() != 1 || !sources.contains(&line.supplier) {
                continue;
            }
            let supplier = book.supplier_name(&line.supplier);
            let headline = format!(
                "{supplier} is late with {}, an A item, and nobody else is listed who sells it.",
                book.item_label(&line.item)
            );
            let source = record(RecordKind::PoLine, &line.id);
            let facts = [fact(book, source, "order", "order", FactValue::Text(line.order_name.clone()))];
            let subject = Subject { supplier: Some(line.supplier.clone()), ..Subject::at(&line.item, &line.location) };
            let days = (root.from, root.to);
            let signal = Signal::rule(DETECTOR, T::SSingle, subject, quarter(book.today), days, headline);
            let signal = Signal { links: root.links.clone(), ..signal }.with(facts);
            // Two late lines of one item and place are one exposure.
            found.entry(signal.fingerprint()).or_insert(signal);
        }
    }
    found.into_values().collect()
}
