//! MARK-EVENT: history that is not to be learned from (handbook §5). A note: the ERP has no place for it.

use crate::assess::checks::{Checks, known_place};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// MARK-EVENT.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::MarkEvent { item, location, from, to, .. } = action else { return };
    let book = scene.book;
    known_place(scene, c, item, location);
    let past = to >= from && *to <= book.today;
    c.hard("dates are in the past", past, format!("{from} to {to}, today is {}", book.today));
}
