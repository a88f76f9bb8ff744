//! FORECAST-FIX: a forecast as the evidence has it (handbook §5). The ERP keeps none that is read: a note for whoever does.

use crate::assess::checks::{Checks, known_place, not_past};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// FORECAST-FIX.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::ForecastFix { item, location, from, to, new, .. } = action else { return };
    known_place(scene, c, item, location);
    c.hard("period is in order", to >= from, format!("{from} to {to}"));
    not_past(scene, c, "end of the period is not past", *to);
    c.hard("forecast is not negative", !new.0.is_sign_negative(), new.to_string());
}
