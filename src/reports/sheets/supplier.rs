//! One supplier: what is on its way, how punctual it was, what it has billed and waits for.

use super::OpenLines;
use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::ids::SupplierId;
use crate::domain::money::Money;
use crate::domain::record::{RecordKind, RecordRef};
use crate::reports::kpi::{Kpi, Period, supplier_figures};

/// What there is of a supplier.
#[derive(Clone, Debug, PartialEq)]
pub struct SupplierSheet {
    /// The record.
    pub record: RecordRef,
    /// Its name; text from outside.
    pub name: String,
    /// What is on its way.
    pub open: OpenLines,
    /// How punctual it was over the usual period, by the formulas of the figures.
    pub figures: Vec<Kpi>,
    /// The period of those figures.
    pub period: Period,
    /// Bill lines for its orders that stand and are not paid, and what they come to.
    pub unpaid: (usize, Money),
    /// The links of signals that are about it: live cases own them.
    pub links: Vec<String>,
}

/// A supplier in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct SupplierRow {
    /// Which.
    pub id: SupplierId,
    /// Its name; text from outside.
    pub name: String,
    /// Lines on their way.
    pub open: usize,
    /// What they are worth.
    pub value: Money,
    /// How many of them were due before today.
    pub late: usize,
}

/// The sheet of a supplier.
pub fn supplier_sheet(book: &Book, config: &Config, id: &SupplierId) -> Option<SupplierSheet> {
    let name = book.suppliers.get(id)?.name.clone();
    let lines = book.lines_of_supplier(id);
    let unpaid: Vec<Money> = lines
        .iter()
        .flat_map(|line| book.bills(&line.id))
        .filter(|bill| book.is_unpaid(bill))
        .filter_map(|bill| bill.price.map(|price| bill.qty * price))
        .collect();
    let mut links: Vec<String> = lines.iter().rev().take(super::LINES * 4).map(|line| format!("line:{}", line.id)).collect();
    links.extend(book.locations.keys().map(|place| book.delays_key(id, place)));
    links.sort();
    links.dedup();
    let period = Period::of(None, None, book.today).ok()?;
    Some(SupplierSheet {
        record: RecordRef::new(RecordKind::Supplier, id.as_str()),
        name,
        figures: supplier_figures(book, config, period, &lines),
        period,
        unpaid: (unpaid.len(), unpaid.into_iter().sum()),
        open: OpenLines::of(book, lines),
        links,
    })
}

/// Suppliers whose names hold `text`, by name, and how many there are. Lines are counted of those alone that are listed.
pub(super) fn rows(book: &Book, text: &str, skip: usize, limit: usize) -> (Vec<SupplierRow>, usize) {
    let text = text.to_lowercase();
    let mut found: Vec<_> = book.suppliers.values().filter(|s| s.name.to_lowercase().contains(&text)).collect();
    found.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    let of = found.len();
    let row = |supplier: &crate::domain::record::Supplier| {
        let open = OpenLines::of(book, book.lines_of_supplier(&supplier.id));
        SupplierRow {
            id: supplier.id.clone(),
            name: supplier.name.clone(),
            open: open.of,
            value: open.value,
            late: open.late,
        }
    };
    (found.into_iter().skip(skip).take(limit).map(row).collect(), of)
}
