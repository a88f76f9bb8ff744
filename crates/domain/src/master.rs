//! Master data by name: what a field of a record says now, for actions that change it and for reading back whether they did.

use super::ids::ItemId;
use super::record::{RecordKind, RecordRef};
use super::supply::Supply;

/// What the field of a record says, as text; None where there is no such record, no such field, or nothing in it.
///
/// Fields: `cost`, `list_price`, `unit`, `category` of an item; `lead_days`, `price`, `min_qty` of a supplier's price; `min`,
/// `max`, `multiple` of a reorder rule.
pub fn field(book: &Supply, record: &RecordRef, field: &str) -> Option<String> {
    match record.kind {
        RecordKind::Item => {
            let item = book.items.get(&ItemId::new(record.id.clone()))?;
            match field {
                "cost" => item.cost.map(|c| c.to_string()),
                "list_price" => item.list_price.map(|p| p.to_string()),
                "unit" => Some(item.unit.clone()),
                "category" => Some(item.category.clone()),
                _ => None,
            }
        }
        RecordKind::SupplierPrice => {
            let price = book.supplier_price(&record.id)?;
            match field {
                "lead_days" => Some(price.lead_days.to_string()),
                "price" => price.price.map(|p| p.to_string()),
                "min_qty" => Some(price.min_qty.to_string()),
                _ => None,
            }
        }
        RecordKind::ReorderRule => {
            let rule = book.rule_by_id(&record.id)?;
            match field {
                "min" => Some(rule.min.to_string()),
                "max" => Some(rule.max.to_string()),
                "multiple" => Some(rule.multiple.to_string()),
                _ => None,
            }
        }
        _ => None,
    }
}
