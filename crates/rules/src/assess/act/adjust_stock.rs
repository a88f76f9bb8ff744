//! ADJUST-STOCK: what two people have counted, posted (handbook §5).

use std::collections::BTreeSet;

use crate::assess::checks::{Checks, known_place};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::calendar::plus_days;
use reeve_domain::record::{MoveKind, StockMove};

/// Days in which two counts of a place count as two of the same stock.
const COUNT_DAYS: i32 = 14;

/// ADJUST-STOCK.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::AdjustStock { item, location, difference, .. } = action else { return };
    let book = scene.book;
    known_place(scene, c, item, location);
    c.hard("there is a difference", !difference.0.is_zero(), difference.to_string());
    // One count may be the mistake that it corrects; two hands that agree hardly are.
    let since = plus_days(book.today, -COUNT_DAYS);
    let counted =
        |m: &&StockMove| m.kind == MoveKind::Count && m.done_at.is_some_and(|at| book.calendar.day_of(at) >= since);
    let counters: BTreeSet<_> =
        book.moves_at(item, location).into_iter().filter(counted).filter_map(|m| m.entered_by.as_deref()).collect();
    c.hard("two people have counted", counters.len() >= 2, format!("{} in {COUNT_DAYS} days", counters.len()));
}
