//! RECOUNT: a second count, by somebody else (handbook §5).

use crate::assess::checks::{Checks, known_place, not_past};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// RECOUNT.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::Recount { item, location, deadline, not_by } = action else { return };
    known_place(scene, c, item, location);
    not_past(scene, c, "deadline is not past", *deadline);
    let who = not_by.as_deref().unwrap_or("nobody is excluded");
    c.soft("somebody else counts", not_by.is_some(), who.to_owned());
}
