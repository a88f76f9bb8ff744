//! ALT-SUPPLIER: the same goods from somebody else, where a line comes too late (handbook §5).

use crate::assess::act::new_po;
use crate::assess::checks::Checks;
use crate::scene::Scene;
use reeve_domain::action::Action;

/// ALT-SUPPLIER.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::AltSupplier { item, supplier, quantity, price, need_date, destination, instead_of } = action else { return };
    let book = scene.book;
    let place = (item.clone(), destination.clone());
    new_po::check(scene, c, &place, supplier, *quantity, *price, *need_date);
    // It pays only where the late line is real and would come later than what is ordered instead.
    let line = book.po_lines.get(instead_of).filter(|l| l.confirmed);
    let other = line.is_some_and(|l| &l.supplier != supplier);
    c.hard("another supplier than the late one", other, book.supplier_name(supplier));
    let late = line.map(|l| book.expected_on(book.calendar.day_of(l.promised)));
    let sooner = late.is_some_and(|late| *need_date < late);
    let shown = late.map_or_else(|| "the line is not open".to_owned(), |late| format!("{need_date} < {late}"));
    c.hard("arrives before the main source", sooner, shown);
}
