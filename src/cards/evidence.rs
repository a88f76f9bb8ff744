//! The evidence of a case in groups, so that a page shows what there is and unfolds what is looked for.

use serde::Serialize;

use super::names::{Names, moment};
use super::plain;
use crate::config::Config;
use crate::domain::evidence::{Bundle, Fact, FactValue};
use crate::domain::record::RecordKind;

/// Facts up to which nothing is folded: they fit on a screen.
const FEW: usize = 8;

/// A fact as it is shown.
#[derive(Serialize)]
pub(super) struct FactView {
    anchor: String,
    id: String,
    label: String,
    /// The name of the item, place or supplier that it is said of, where it has one.
    of: String,
    value: String,
    unit: String,
    words: bool,
    as_of: String,
    source: String,
    /// Where Odoo shows the record, if it does.
    link: Option<String>,
    third_party: bool,
}

/// Facts of one kind.
#[derive(Serialize)]
pub(super) struct FactGroup {
    title: &'static str,
    /// Stands unfolded.
    open: bool,
    /// Is any of it text from outside? That is said before it is unfolded.
    third_party: bool,
    facts: Vec<FactView>,
}

/// The groups in the order in which they are shown: first what happened, then what it was measured by.
const GROUPS: [&str; 8] = [
    "Orders and receipts",
    "Bills",
    "Stock and demand",
    "Items and prices",
    "Suppliers and terms",
    "What others announced",
    "Assumed and set",
    "Decided here before",
];

/// In which group a fact stands.
fn group_of(fact: &Fact) -> usize {
    let field = fact.id.as_str().rsplit_once('/').map_or("", |(_, field)| field);
    if field.starts_with("assumed_") || field.starts_with("cost_") {
        return 6;
    }
    match fact.source.kind {
        RecordKind::PoLine | RecordKind::Move => 0,
        RecordKind::BillLine => 1,
        RecordKind::StockLevel
        | RecordKind::Lot
        | RecordKind::LotStock
        | RecordKind::DemandMonth
        | RecordKind::SaleLine
        | RecordKind::Location => 2,
        // What is said of an item at a place is its stock; of the item alone, what it is and costs.
        RecordKind::Item if field.contains('@') => 2,
        RecordKind::Item | RecordKind::Promotion => 3,
        RecordKind::Supplier | RecordKind::SupplierPrice | RecordKind::ReorderRule => 4,
        RecordKind::Notice => 5,
        RecordKind::Decision | RecordKind::Case => 7,
    }
}

/// Every fact of a bundle, in groups.
pub(super) fn groups(bundle: &Bundle, names: &Names, config: &Config) -> Vec<FactGroup> {
    let mut groups: Vec<FactGroup> = GROUPS
        .into_iter()
        .map(|title| FactGroup { title, open: bundle.facts.len() <= FEW, third_party: false, facts: Vec::new() })
        .collect();
    for (index, fact) in bundle.facts.values().enumerate() {
        let group = &mut groups[group_of(fact)];
        group.third_party |= fact.third_party;
        group.facts.push(view(index, fact, names, config));
    }
    groups.retain(|group| !group.facts.is_empty());
    groups
}

/// The name by which a link leads to a fact.
pub(super) fn anchor(index: usize) -> String {
    format!("fact-{}", index + 1)
}

fn view(index: usize, fact: &Fact, names: &Names, config: &Config) -> FactView {
    FactView {
        anchor: anchor(index),
        id: fact.id.to_string(),
        label: plain(&fact.label),
        of: names.0.get(&fact.source).map_or_else(String::new, |name| plain(name)),
        value: plain(&fact.value.show()),
        unit: plain(&fact.unit),
        words: matches!(fact.value, FactValue::Text(_)),
        as_of: moment(fact.as_of, &config.rules.calendar.timezone),
        source: plain(&fact.source.to_string()),
        link: config.odoo.link_to(&fact.source),
        third_party: fact.third_party,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::record::RecordRef;

    #[test]
    fn what_is_assumed_stands_apart_from_what_was_read() {
        let group = |kind, field: &str| {
            GROUPS[group_of(&Fact::new(
                RecordRef::new(kind, "7"),
                field,
                "",
                FactValue::number(1.0, 0),
                jiff::Timestamp::UNIX_EPOCH,
            ))]
        };
        assert_eq!(group(RecordKind::PoLine, "qty"), "Orders and receipts");
        assert_eq!(group(RecordKind::PoLine, "assumed_contact_left"), "Assumed and set");
        assert_eq!(group(RecordKind::Item, "cost_recount"), "Assumed and set");
        assert_eq!(group(RecordKind::Item, "cost"), "Items and prices");
        assert_eq!(group(RecordKind::Item, "on_hand@3"), "Stock and demand");
    }
}
