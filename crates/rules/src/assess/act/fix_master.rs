//! FIX-MASTER: a field of master data as its source of truth says it (handbook §5).

use crate::assess::checks::{Checks, still};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// FIX-MASTER.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::FixMaster { record, field, old, new, source } = action else { return };
    still(scene, c, record, field, old);
    c.hard("something changes", old != new, format!("{old} to {new}"));
    c.hard("source is cited", !source.trim().is_empty(), source.clone());
}
