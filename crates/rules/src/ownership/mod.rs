//! Whose a case is: each belongs to exactly one planner, so that every case is in somebody's digest and in nobody else's.
//!
//! The rules are asked in their order and the first that holds the case decides; what none holds is the fallback's. Scopes are
//! those of modes (`domain/mode`): a category, a location or its region, a supplier, a type, or several of them at once.

use reeve_domain::book::Book;
use reeve_domain::case::Case;
use reeve_domain::exception::{ExceptionType, Signal, Subject};
use reeve_domain::ids::PersonId;
use reeve_domain::mode::{ModeScope, Whereabouts};
use reeve_domain::record::{Location, PurchaseLine, Supplier};

/// What somebody looks after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerRule {
    /// What.
    pub scope: ModeScope,
    /// Who.
    pub owner: PersonId,
}

/// Who owns what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// The rules, in the order in which they are asked.
    pub rules: Vec<OwnerRule>,
    /// Whose everything else is.
    pub fallback: PersonId,
}

impl Ownership {
    /// Whose something is that is at `places`: of the first rule that holds one of them.
    pub fn owner(&self, places: &[Whereabouts]) -> &PersonId {
        let first = self.rules.iter().find(|rule| places.iter().any(|at| rule.scope.holds(at)));
        first.map_or(&self.fallback, |rule| &rule.owner)
    }

    /// Whose a case is. It goes by what the case is about, with each type that it has.
    pub fn of_case(&self, book: &Book, case: &Case) -> &PersonId {
        let at = |code: &ExceptionType| at(book, &case.subject, *code);
        self.owner(&case.codes.iter().map(at).collect::<Vec<_>>())
    }

    /// Whose something is that no case holds.
    pub fn of_signal(&self, book: &Book, signal: &Signal) -> &PersonId {
        self.owner(&[at(book, &signal.subject, signal.code)])
    }
}

/// Where a subject is, and of an order that names no item the category that all of its lines are in.
fn at(book: &Book, subject: &Subject, code: ExceptionType) -> Whereabouts {
    let mut at = whereabouts(book, subject, code);
    if subject.item.is_none() {
        at.category = common(book, &lines_of(book, subject));
    }
    at
}

/// Where a subject is, by every name: its own place and supplier, else those of its order, else its item's suppliers.
pub fn whereabouts(book: &Book, subject: &Subject, code: ExceptionType) -> Whereabouts {
    let item = subject.item.as_ref().and_then(|item| book.items.get(item));
    let lines = lines_of(book, subject);
    let locations: Vec<_> = match &subject.location {
        Some(location) => vec![location],
        None => lines.iter().map(|line| &line.location).collect(),
    };
    let mut suppliers: Vec<_> = match &subject.supplier {
        Some(supplier) => vec![supplier],
        None => lines.iter().map(|line| &line.supplier).collect(),
    };
    if let (true, Some(item)) = (suppliers.is_empty(), &subject.item) {
        suppliers = book.supplier_prices(item, book.today).into_iter().map(|price| &price.supplier).collect();
    }
    let location = |id| book.locations.get(id).map_or_else(|| vec![id.to_string()], names_of_location);
    let supplier = |id| book.suppliers.get(id).map_or_else(|| vec![id.to_string()], names_of_supplier);
    Whereabouts {
        category: item.map(|item| item.category.clone()),
        locations: locations.into_iter().map(location).collect(),
        suppliers: suppliers.into_iter().map(supplier).collect(),
        code,
    }
}

fn lines_of<'b>(book: &'b Book, subject: &Subject) -> Vec<&'b PurchaseLine> {
    match (&subject.po_line, &subject.order) {
        (Some(line), _) => book.po_lines.get(line).into_iter().collect(),
        (None, Some(order)) => book.lines_of_order(order),
        (None, None) => Vec::new(),
    }
}

/// The longest path of categories that all lines' items are within: what is in two of them is nobody's who has only one.
fn common(book: &Book, lines: &[&PurchaseLine]) -> Option<String> {
    let mut categories = lines.iter().map(|line| book.items.get(&line.item).map(|item| item.category.as_str()));
    let mut shared: Vec<&str> = categories.next()??.split('/').map(str::trim).collect();
    for category in categories {
        let other: Vec<&str> = category?.split('/').map(str::trim).collect();
        let same = shared.iter().zip(&other).take_while(|(one, other)| one == other).count();
        shared.truncate(same);
    }
    (!shared.is_empty()).then(|| shared.join(" / "))
}

/// Everything that a location is called by, its region (the company) included.
pub fn names_of_location(location: &Location) -> Vec<String> {
    let names = [location.id.as_str(), &location.code, &location.name, &location.company_name];
    names.into_iter().filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Everything that a supplier is called by.
pub fn names_of_supplier(supplier: &Supplier) -> Vec<String> {
    vec![supplier.id.to_string(), supplier.name.clone()]
}

#[cfg(test)]
mod tests;
