//! What names in events can mean: items, suppliers, locations and purchase lines, by id and by what people call them.

use std::collections::BTreeMap;

use crate::domain::book::numeric;
use crate::domain::event::wire::Name;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::record::{PurchaseLine, Record, RecordKind};
use crate::store::{Store, StoreError};

/// The records that events speak of.
#[derive(Debug, Default)]
pub(super) struct Known {
    items: BTreeMap<ItemId, String>,
    skus: BTreeMap<String, Vec<ItemId>>,
    suppliers: BTreeMap<String, Vec<SupplierId>>,
    locations: BTreeMap<String, LocationId>,
    orders: BTreeMap<String, Vec<PurchaseLine>>,
}

impl Known {
    /// Reads them from the store.
    pub(super) async fn load(store: &Store) -> Result<Self, StoreError> {
        let kinds = [RecordKind::Item, RecordKind::Supplier, RecordKind::Location, RecordKind::PoLine];
        Ok(Self::of(store.load_records_of(&kinds).await?))
    }

    pub(super) fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut known = Self::default();
        for record in records {
            match record {
                Record::Item(r) => {
                    if !r.sku.is_empty() {
                        known.skus.entry(folded(&r.sku)).or_default().push(r.id.clone());
                    }
                    let label = r.label();
                    known.items.insert(r.id, label);
                }
                Record::Supplier(r) => {
                    known.suppliers.entry(id_of(r.id.as_str())).or_default().push(r.id.clone());
                    known.suppliers.entry(folded(&r.name)).or_default().push(r.id);
                }
                Record::Location(r) => {
                    known.locations.insert(id_of(r.id.as_str()), r.id.clone());
                    known.locations.insert(folded(&r.code), r.id);
                }
                Record::PoLine(r) => known.orders.entry(folded(&r.order_name)).or_default().push(r),
                _ => {}
            }
        }
        for lines in known.orders.values_mut() {
            lines.sort_by(|a, b| numeric(&a.id).cmp(&numeric(&b.id)));
        }
        known
    }

    /// The lines of an order by its name, by id; None when there is no such order.
    pub(super) fn order(&self, name: &Name) -> Option<&[PurchaseLine]> {
        self.orders.get(&folded(&name.0)).map(Vec::as_slice)
    }

    /// The item of an id.
    pub(super) fn item(&self, id: &Name) -> Option<ItemId> {
        self.items.get_key_value(&ItemId::new(id.0.as_str())).map(|(id, _)| id.clone())
    }

    /// The one item that has this SKU (or GTIN as its SKU); None when there is none or several.
    pub(super) fn sku(&self, sku: &Name) -> Option<ItemId> {
        match self.skus.get(&folded(&sku.0)).map(Vec::as_slice) {
            Some([item]) => Some(item.clone()),
            _ => None,
        }
    }

    /// `AC-006 Espresso beans 1 kg`.
    pub(super) fn label(&self, item: &ItemId) -> &str {
        self.items.get(item).map_or("", String::as_str)
    }

    /// The one supplier of this id or name.
    pub(super) fn supplier(&self, name: &Name) -> Option<SupplierId> {
        let found = self.suppliers.get(&id_of(&name.0)).or_else(|| self.suppliers.get(&folded(&name.0)));
        match found.map(Vec::as_slice) {
            Some([supplier]) => Some(supplier.clone()),
            _ => None,
        }
    }

    /// The location of this id or code.
    pub(super) fn location(&self, name: &Name) -> Option<LocationId> {
        self.locations.get(&id_of(&name.0)).or_else(|| self.locations.get(&folded(&name.0))).cloned()
    }
}

/// Names are compared without regard to case.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// Ids stand beside names under a sign that no name has: a supplier called "12" is not the one with id 12.
fn id_of(id: &str) -> String {
    format!("\u{1f}{id}")
}
