//! Suppliers: lines delivered in full and on time (handbook §3.2).

use std::collections::BTreeMap;

use super::{Definition, Group, Kpi, Part, Period, Unit};
use crate::config::Config;
use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::record::PurchaseLine;

const OTIF: Definition = Definition {
    id: "supplier_otif",
    group: Group::Suppliers,
    name: "Supplier OTIF",
    formula: "lines received in full and on time ÷ lines due",
    unit: Unit::Share,
};
const FILL: Definition = Definition {
    id: "supplier_fill_rate",
    group: Group::Suppliers,
    name: "Supplier fill rate",
    formula: "units received by the due day ÷ units due",
    unit: Unit::Share,
};

pub(super) fn all(book: &Book, config: &Config, period: Period) -> Vec<Kpi> {
    of_lines(book, config, period, book.po_lines.values())
}

/// The figures of some order lines: of all of them, or of one supplier's.
pub(super) fn of_lines<'b>(
    book: &'b Book,
    config: &Config,
    period: Period,
    all: impl IntoIterator<Item = &'b PurchaseLine>,
) -> Vec<Kpi> {
    let tolerances = &config.rules.tolerances;
    let mut by_supplier: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    let (mut lines, mut good, mut due_units, mut came_units) = (0, 0, 0.0, 0.0);
    for line in all.into_iter().filter(|l| l.confirmed && l.qty.is_positive()) {
        let due = book.calendar.day_of(line.promised_first);
        let by = plus_days(due, tolerances.late_days);
        // A line is due when its tolerance has passed: before, it may still be on time.
        if !period.holds(due) || by > book.today {
            continue;
        }
        let received = |until| -> f64 {
            // What came in place of a return was delivered before.
            let came = book.receipts(&line.id).into_iter().filter(|m| m.returns.is_none());
            let came = came.filter(|m| m.done_at.is_some_and(|at| book.calendar.day_of(at) <= until)).collect();
            book.deliveries(&line.id, came).into_iter().map(|(_, qty)| qty.to_f64()).sum()
        };
        let wanted = line.qty.to_f64();
        let short = (wanted - received(by)).max(0.0);
        let full = short <= tolerances.quantity_units || short <= wanted * tolerances.quantity_percent / 100.0;
        lines += 1;
        good += usize::from(full);
        due_units += wanted;
        // By the very day, and what came too much on one line does not fill another.
        came_units += received(due).min(wanted);
        let entry = by_supplier.entry(book.supplier_name(&line.supplier)).or_default();
        entry.0 += usize::from(full);
        entry.1 += 1;
    }
    let parts = by_supplier.into_iter().map(|(name, (good, n))| Part { name, value: good as f64 / n as f64, n }).collect();
    let basis = format!(
        "{lines} order lines whose first promise fell in the period; day of receipt, up to {} day late, short by at most {} % or \
         {} units",
        tolerances.late_days, tolerances.quantity_percent, tolerances.quantity_units
    );
    vec![
        OTIF.share(good, lines, basis).with_parts(parts),
        FILL.of(
            (due_units > 0.0).then(|| came_units / due_units),
            lines,
            format!("{due_units:.0} units on {lines} lines, no tolerance"),
        ),
    ]
}
