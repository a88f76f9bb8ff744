//! PROMO-CHANGE: a promotion that ends on another day (handbook §5).

use crate::assess::checks::{Checks, not_past};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// PROMO-CHANGE.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::PromoChange { promotion, item, new_to } = action else { return };
    let book = scene.book;
    let running = book.promotion(promotion).filter(|p| &p.item == item && p.to >= book.today);
    let shown = running.map_or_else(|| promotion.clone(), |p| format!("{} to {}", p.from, p.to));
    c.hard("promotion is running or planned", running.is_some(), shown);
    not_past(scene, c, "last day is not past", *new_to);
}
