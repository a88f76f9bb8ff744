//! HOLD-QC: what came in a receipt out of sale until it is inspected (handbook §5).

use crate::assess::checks::{Checks, known_place, not_past};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::record::MoveKind;

/// HOLD-QC.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::HoldQc { document, item, location, quantity, until, .. } = action else { return };
    let book = scene.book;
    known_place(scene, c, item, location);
    let on_hand = book.on_shelf(item, location);
    c.hard("quantity is on hand", quantity.is_positive() && *quantity <= on_hand, format!("{quantity} ≤ {on_hand}"));
    let known = book.moves_of_document(document).any(|m| m.kind == MoveKind::Receipt);
    c.hard("receipt is known", known, document.clone());
    not_past(scene, c, "end of holding is not past", *until);
}
