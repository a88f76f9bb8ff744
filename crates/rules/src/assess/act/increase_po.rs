//! INCREASE-PO: more on an open line that comes in time (handbook §5).

use crate::assess::checks::{Checks, open_line, whole_packs};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::money::Quantity;

/// INCREASE-PO.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::IncreasePo { po_line, ordered, quantity } = action else { return };
    let book = scene.book;
    let Some(line) = open_line(scene, c, po_line, Quantity::units(0).max(book.open_quantity(po_line))) else {
        return;
    };
    // The ERP takes a new total, not a difference: on a line that has changed it would order something else.
    c.hard("line as still read", line.qty == *ordered, format!("{} ordered, {ordered} when computed", line.qty));
    let ahead = book.calendar.day_of(line.promised) > book.today;
    c.hard("promise is still ahead", ahead, line.promised.to_string());
    let multiple = book.rule(&line.item, &line.location).map_or(Quantity::units(1), |r| r.multiple);
    whole_packs(c, *quantity, multiple);
}
