//! MARKDOWN: a lower price for some days (handbook §5).

use rust_decimal::Decimal;

use crate::assess::checks::{Checks, not_past};
use crate::scene::Scene;
use reeve_domain::action::Action;

/// Largest reduction of a price, in percent.
const PERCENT_MOST: f64 = 90.0;

/// MARKDOWN.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::Markdown { item, percent, from, to } = action else { return };
    let book = scene.book;
    let known = book.items.get(item);
    // A price holds in every company, so the dearest cost must still be covered.
    let kept = known.and_then(|i| Some((i.list_price?.0, i.dearest_cost()?.0)));
    let share = Decimal::from_f64_retain((1.0 - percent / 100.0).max(0.0)).unwrap_or(Decimal::ZERO);
    let above = kept.is_some_and(|(price, cost)| price * share >= cost);
    c.hard("price stays above cost", above, format!("{percent:.1} % off"));
    c.hard("a reduction", *percent > 0.0 && *percent <= PERCENT_MOST, format!("{percent:.1} %"));
    let reduced = book.promotions(item).iter().any(|p| p.from <= *from && *from <= p.to);
    c.hard("not marked down already", !reduced, from.to_string());
    not_past(scene, c, "first day is not past", *from);
    c.hard("period is in order", to >= from, format!("{from} to {to}"));
}
