//! Which items a case is about: what it is judged on are the sales of these, and no others.

use std::collections::BTreeSet;

use crate::detect::Seen;
use crate::place_key;
use reeve_domain::action::Action;
use reeve_domain::case::Case;
use reeve_domain::exception::{Exception, ExceptionType as T, Subject};
use reeve_domain::ids::{ItemId, SupplierId};
use reeve_domain::record::{BillLine, PurchaseLine, RecordKind, RecordRef};
use reeve_domain::supply::Supply;

/// The items of a case: of its subjects, of the orders, bills and receipts that these name, of the shortages that it stands
/// for, and of the records that its facts cite.
pub fn of_case(supply: &Supply, seen: &Seen, case: &Case, exceptions: &[Exception]) -> BTreeSet<ItemId> {
    let mut scope = Scope { supply, seen, items: BTreeSet::new() };
    scope.subject(&case.subject);
    for exception in exceptions {
        let signal = &exception.signal;
        scope.subject(&signal.subject);
        // Where a supplier delivers later than before, all that it sells may run short.
        if let (T::SLtShift, Some(supplier)) = (signal.code, &signal.subject.supplier) {
            scope.supplier(supplier);
        }
        for fact in &signal.facts {
            scope.record(&fact.source);
        }
        for link in &signal.links {
            scope.link(link);
        }
    }
    for link in &case.links {
        scope.link(link);
    }
    scope.items
}

/// The items of an action.
pub fn of_action(supply: &Supply, seen: &Seen, action: &Action) -> BTreeSet<ItemId> {
    let mut scope = Scope { supply, seen, items: BTreeSet::new() };
    scope.items.extend(action.item().cloned());
    match action {
        Action::Expedite { po_line, .. }
        | Action::DeferPo { po_line, .. }
        | Action::CancelPo { po_line, .. }
        | Action::IncreasePo { po_line, .. }
        | Action::SplitShip { po_line, .. }
        | Action::AltSupplier { instead_of: po_line, .. } => scope.line_id(po_line),
        Action::Claim { lines, .. } => {
            for line in lines {
                scope.line_id(line);
            }
        }
        Action::ReverseDoc { document, .. } | Action::AcceptVar { document, .. } => scope.document(document),
        _ => {}
    }
    scope.items
}

struct Scope<'s> {
    supply: &'s Supply,
    seen: &'s Seen,
    items: BTreeSet<ItemId>,
}

impl Scope<'_> {
    fn subject(&mut self, subject: &Subject) {
        let Subject { item, po_line, order, bill, document, .. } = subject;
        self.items.extend(item.clone());
        if let Some(line) = po_line {
            self.line_id(line);
        }
        for line in order.iter().flat_map(|order| self.supply.lines_of_order(order)) {
            self.line(line);
        }
        for line in bill.iter().flat_map(|bill| self.supply.lines_of_bill(bill)) {
            self.bill_line(line);
        }
        // Several can be named in one.
        for name in document.iter().flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty()) {
            self.document(name);
        }
    }

    fn line_id(&mut self, id: &str) {
        if let Some(line) = self.supply.po_lines.get(id) {
            self.line(line);
        }
    }

    /// A kit comes as its components.
    fn line(&mut self, line: &PurchaseLine) {
        self.items.insert(line.item.clone());
        self.items.extend(self.supply.moves_of_po_line(&line.id).into_iter().map(|m| m.item.clone()));
    }

    fn bill_line(&mut self, line: &BillLine) {
        self.items.extend(line.item.clone());
        if let Some(id) = &line.po_line {
            self.line_id(id);
        }
    }

    fn document(&mut self, name: &str) {
        let supply = self.supply;
        for line in supply.lines_named(name) {
            self.line(line);
        }
        for line in supply.bill_lines_named(name) {
            self.bill_line(line);
        }
        self.items.extend(supply.supply_moves_of_document(name).into_iter().map(|m| m.item.clone()));
        self.items.extend(self.seen.twin_items(name).cloned());
    }

    fn supplier(&mut self, supplier: &SupplierId) {
        for line in self.supply.lines_of_supplier(supplier) {
            self.line(line);
        }
    }

    fn record(&mut self, record: &RecordRef) {
        let (supply, id) = (self.supply, &record.id);
        match record.kind {
            RecordKind::Item => {
                self.items.insert(ItemId::new(id.clone()));
            }
            RecordKind::PoLine => self.line_id(id),
            RecordKind::BillLine => {
                if let Some(line) = supply.bill_lines.get(id) {
                    self.bill_line(line);
                }
            }
            RecordKind::Move => self.items.extend(supply.supply_moves.get(id).map(|m| m.item.clone())),
            _ => {}
        }
    }

    fn link(&mut self, link: &str) {
        if place_key::is_shortage(link)
            && let Some((item, _)) = place_key::subject_of(link).and_then(place_key::ids)
        {
            self.items.insert(item);
        }
    }
}
