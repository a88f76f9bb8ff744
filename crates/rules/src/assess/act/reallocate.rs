//! REALLOCATE: the customer first who can not wait (handbook §5).

use crate::assess::checks::{Checks, known_place};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, StockMove};

/// REALLOCATE.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::Reallocate { item, location, from_line, to_line, quantity } = action else { return };
    let book = scene.book;
    known_place(scene, c, item, location);
    // Only what has not left can be given to another, and nobody is given more than they wait for.
    let waits = |line: &String| -> Quantity {
        let open = |m: &&StockMove| m.kind == MoveKind::Delivery && m.done_at.is_none() && &m.item == item;
        book.moves_of_sale_line(line).into_iter().filter(open).map(|m| m.qty).sum()
    };
    let (gives, takes) = (waits(from_line), waits(to_line));
    let fits = quantity.is_positive() && *quantity <= gives && *quantity <= takes;
    c.hard("both orders wait for it", fits, format!("{quantity} ≤ {gives} and {takes}"));
}
