//! What names in events can mean: items, suppliers, locations, orders and shipments, by id and by what people call them.
//! Every name leads to all that bear it; which of them is meant is settled elsewhere.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::domain::book::numeric;
use crate::domain::event::wire::Name;
use crate::domain::event::{EventType, Fault};
use crate::domain::gtin;
use crate::domain::ids::{ItemId, LocationId, SupplierId};
use crate::domain::notice::NoticeContent;
use crate::domain::packs::Pack;
use crate::domain::record::{Item, MoveKind, PurchaseLine, Record, RecordKind, StockMove};
use crate::store::{Store, StoreError};

/// An order with its lines, by id.
#[derive(Debug)]
pub(super) struct Order {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) supplier: SupplierId,
    pub(super) company: Option<String>,
    pub(super) lines: Vec<PurchaseLine>,
}

impl Order {
    /// Has it a line of this item?
    pub(super) fn has(&self, item: &ItemId) -> bool {
        self.lines.iter().any(|l| l.item == *item)
    }
}

/// What came of a purchase line.
#[derive(Clone, Copy, Debug, Default)]
struct Came {
    last: Option<Timestamp>,
    open: bool,
}

/// The records that events speak of.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) items: BTreeMap<ItemId, Item>,
    skus: BTreeMap<String, Vec<ItemId>>,
    /// Of pieces (no pack) and of packages.
    barcodes: BTreeMap<String, Vec<(ItemId, Option<Pack>)>>,
    /// What suppliers call items, by code and by name.
    theirs: BTreeMap<String, BTreeSet<(SupplierId, ItemId)>>,
    /// In what suppliers sell them.
    sold_in: BTreeMap<(SupplierId, ItemId), Vec<Pack>>,
    /// What our items are called, in full.
    titles: BTreeMap<String, Vec<ItemId>>,
    suppliers: BTreeMap<String, BTreeSet<SupplierId>>,
    supplier_names: BTreeMap<SupplierId, String>,
    locations: BTreeMap<String, BTreeSet<LocationId>>,
    orders: BTreeMap<String, Order>,
    order_names: BTreeMap<String, BTreeSet<String>>,
    order_of_line: BTreeMap<String, String>,
    /// The lines that ship notices of a shipment name.
    shipments: BTreeMap<String, BTreeSet<String>>,
    came: BTreeMap<String, Came>,
}

impl Known {
    /// Reads from the store what events of these types speak of.
    pub(super) async fn load(store: &Store, types: &BTreeSet<EventType>) -> Result<Self, StoreError> {
        use RecordKind::{Location, Move, Notice, PoLine, Supplier, SupplierPrice};
        let mut kinds = vec![RecordKind::Item, Supplier, SupplierPrice, Location, PoLine];
        // There are very many of these, and few events ask for them.
        if types.contains(&EventType::SupplierDelay) {
            kinds.push(Move);
        }
        if types.contains(&EventType::ReceiptAdvice) {
            kinds.push(Notice);
        }
        Ok(Self::of(store.load_records_of(&kinds).await?))
    }

    pub(super) fn of(records: impl IntoIterator<Item = Record>) -> Self {
        let mut known = Self::default();
        for record in records {
            match record {
                Record::Item(r) => known.add_item(r),
                Record::Supplier(r) => {
                    // In one index by id and by name: a sender says either. Several may bear one name.
                    known.suppliers.entry(id_of(r.id.as_str())).or_default().insert(r.id.clone());
                    known.suppliers.entry(folded(&r.name)).or_default().insert(r.id.clone());
                    known.supplier_names.insert(r.id, r.name);
                }
                Record::SupplierPrice(r) => {
                    // A supplier that has no word of its own for an item must not be found by saying nothing.
                    for word in [&r.keys.code, &r.keys.name].into_iter().filter(|word| !word.is_empty()) {
                        known.theirs.entry(folded(word)).or_default().insert((r.supplier.clone(), r.item.clone()));
                    }
                    known.sold_in.entry((r.supplier, r.item)).or_default().extend(r.keys.pack);
                }
                Record::Location(r) => {
                    known.locations.entry(id_of(r.id.as_str())).or_default().insert(r.id.clone());
                    known.locations.entry(folded(&r.code)).or_default().insert(r.id);
                }
                Record::PoLine(r) => known.add_line(r),
                Record::Move(r) => known.add_move(&r),
                Record::Notice(r) => {
                    if let NoticeContent::ShipNotice { shipment, lines, .. } = r.content {
                        let lines = lines.into_iter().filter_map(|l| l.po_line);
                        known.shipments.entry(loose(&shipment)).or_default().extend(lines);
                    }
                }
                _ => {}
            }
        }
        // What a sender calls line 2 may be the second on the order, and lines stand there by their ids.
        for order in known.orders.values_mut() {
            order.lines.sort_by(|a, b| numeric(&a.id).cmp(&numeric(&b.id)));
        }
        known
    }

    fn add_item(&mut self, item: Item) {
        if !item.sku.is_empty() {
            self.skus.entry(folded(&item.sku)).or_default().push(item.id.clone());
        }
        // Where an item has no SKU both are one text, and it must not be found twice under it.
        for title in BTreeSet::from([folded(&item.name), folded(&item.label())]) {
            self.titles.entry(title).or_default().push(item.id.clone());
        }
        let pieces = (item.keys.barcode.as_str(), None);
        for (barcode, pack) in [pieces].into_iter().chain(item.keys.packs.iter().map(|p| (p.barcode.as_str(), Some(p)))) {
            let words = [Some(folded(barcode)), gtin::key(barcode)].into_iter().flatten().filter(|word| !word.is_empty());
            for word in words.collect::<BTreeSet<_>>() {
                self.barcodes.entry(word).or_default().push((item.id.clone(), pack.cloned()));
            }
        }
        self.items.insert(item.id.clone(), item);
    }

    fn add_line(&mut self, line: PurchaseLine) {
        for name in BTreeSet::from([folded(&line.order_name), loose(&line.order_name)]) {
            self.order_names.entry(name).or_default().insert(line.order_id.clone());
        }
        self.order_of_line.insert(line.id.clone(), line.order_id.clone());
        let order = self.orders.entry(line.order_id.clone()).or_insert_with(|| Order {
            id: line.order_id.clone(),
            name: line.order_name.clone(),
            supplier: line.supplier.clone(),
            company: line.company.clone(),
            lines: Vec::new(),
        });
        order.lines.push(line);
    }

    fn add_move(&mut self, moved: &StockMove) {
        let Some(line) = moved.po_line.as_ref().filter(|_| moved.kind == MoveKind::Receipt) else { return };
        let came = self.came.entry(line.clone()).or_default();
        came.last = came.last.max(moved.done_at);
        came.open |= moved.done_at.is_none();
    }

    /// The orders of a name: as it is written, else as others write it.
    pub(super) fn orders_named(&self, name: &Name) -> Vec<&Order> {
        let loosely = Some(loose(&name.0)).filter(|key| !key.is_empty());
        let ids = self.order_names.get(&folded(&name.0)).or_else(|| self.order_names.get(&loosely?));
        ids.into_iter().flatten().filter_map(|id| self.orders.get(id)).collect()
    }

    /// The order of an id.
    pub(super) fn order_with(&self, id: &str) -> Option<&Order> {
        self.orders.get(id)
    }

    /// The order that has this line.
    pub(super) fn order_of_line(&self, line: &str) -> Option<&Order> {
        self.orders.get(self.order_of_line.get(line)?)
    }

    /// The purchase lines that ship notices of a shipment name.
    pub(super) fn lines_of_shipment(&self, shipment: &Name) -> impl Iterator<Item = &str> {
        self.shipments.get(&loose(&shipment.0)).into_iter().flatten().map(String::as_str)
    }

    /// When the last of a line came, where that was before `at` and nothing of it is still to come.
    pub(super) fn closed_before(&self, line: &str, at: Timestamp) -> Option<Timestamp> {
        let came = self.came.get(line).filter(|came| !came.open)?;
        came.last.filter(|last| *last < at)
    }

    /// Items that have this SKU.
    pub(super) fn with_sku(&self, sku: &str) -> &[ItemId] {
        self.skus.get(&folded(sku)).map(Vec::as_slice).unwrap_or_default()
    }

    /// Items and packages that have this barcode, as it is written or as a GTIN.
    pub(super) fn with_barcode(&self, barcode: &str) -> Vec<&(ItemId, Option<Pack>)> {
        let words: BTreeSet<_> = [Some(folded(barcode)), gtin::key(barcode)].into_iter().flatten().collect();
        let mut found: Vec<&(ItemId, Option<Pack>)> = Vec::new();
        for one in words.iter().filter_map(|word| self.barcodes.get(word)).flatten() {
            if !found.contains(&one) {
                found.push(one);
            }
        }
        found
    }

    /// Items that a supplier, or any, calls so.
    pub(super) fn called(&self, word: &str, by: Option<&SupplierId>) -> Vec<ItemId> {
        let all = self.theirs.get(&folded(word)).into_iter().flatten();
        all.filter(|(supplier, _)| by.is_none_or(|by| by == supplier)).map(|(_, item)| item.clone()).collect()
    }

    /// Items of this name.
    pub(super) fn titled(&self, title: &str) -> &[ItemId] {
        self.titles.get(&folded(title)).map(Vec::as_slice).unwrap_or_default()
    }

    /// In what a supplier sells an item.
    pub(super) fn sold_in(&self, supplier: &SupplierId, item: &ItemId) -> &[Pack] {
        self.sold_in.get(&(supplier.clone(), item.clone())).map(Vec::as_slice).unwrap_or_default()
    }

    /// `AC-006 Espresso beans 1 kg`.
    pub(super) fn label(&self, item: &ItemId) -> String {
        self.items.get(item).map(Item::label).unwrap_or_default()
    }

    /// `Verde Imports (supplier 9)`.
    pub(super) fn supplier_label(&self, supplier: &SupplierId) -> String {
        let name = self.supplier_names.get(supplier).map_or("", String::as_str);
        format!("{name} (supplier {supplier})").trim_start().to_owned()
    }

    /// The supplier of this id or name.
    ///
    /// # Errors
    /// There is none (yet), or there are several.
    pub(super) fn supplier(&self, path: &str, name: &Name) -> Result<SupplierId, Fault> {
        let found = self.suppliers.get(&id_of(&name.0)).or_else(|| self.suppliers.get(&folded(&name.0)));
        let found: Vec<&SupplierId> = found.into_iter().flatten().collect();
        match found.as_slice() {
            [] => Err(Fault::unknown(path, "supplier", &name.0)),
            [supplier] => Ok((*supplier).clone()),
            several => {
                let shown: Vec<String> = several.iter().map(|s| self.supplier_label(s)).collect();
                Err(Fault::ambiguous(path, "supplier", &name.0, &shown, "its id"))
            }
        }
    }

    /// The location of this id or code.
    ///
    /// # Errors
    /// There is none (yet), or there are several.
    pub(super) fn location(&self, path: &str, name: &Name) -> Result<LocationId, Fault> {
        let found = self.locations.get(&id_of(&name.0)).or_else(|| self.locations.get(&folded(&name.0)));
        let found: Vec<&LocationId> = found.into_iter().flatten().collect();
        match found.as_slice() {
            [] => Err(Fault::unknown(path, "location", &name.0)),
            [location] => Ok((*location).clone()),
            several => {
                let shown: Vec<String> = several.iter().map(|l| format!("location {l}")).collect();
                Err(Fault::ambiguous(path, "location", &name.0, &shown, "its id"))
            }
        }
    }
}

/// Names are compared without regard to case.
fn folded(name: &str) -> String {
    name.trim().to_lowercase()
}

/// And where that finds nothing, by their letters and digits: senders differ in blanks and dashes.
fn loose(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Ids stand beside names under a sign that no name has: a supplier called "12" is not the one with id 12.
fn id_of(id: &str) -> String {
    format!("\u{1f}{id}")
}
