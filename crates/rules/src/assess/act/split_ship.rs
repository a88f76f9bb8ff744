//! SPLIT-SHIP: what is needed of an open line now, the rest as it is promised (handbook §5).

use crate::assess::checks::{Checks, not_past, open_line, whole_packs};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::money::Quantity;

/// SPLIT-SHIP.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::SplitShip { po_line, quantity, date_now, date_rest } = action else { return };
    let book = scene.book;
    let open = book.open_quantity(po_line);
    let Some(line) = open_line(scene, c, po_line, *quantity) else { return };
    c.hard("something is left for later", *quantity < open, format!("{quantity} < {open}"));
    not_past(scene, c, "first date is not past", *date_now);
    c.hard("the rest comes later", date_rest > date_now, format!("{date_rest} > {date_now}"));
    let multiple = book.rule(&line.item, &line.location).map_or(Quantity::units(1), |r| r.multiple);
    whole_packs(c, *quantity, multiple);
}
