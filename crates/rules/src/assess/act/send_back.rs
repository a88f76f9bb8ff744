//! RETURN: goods of a receipt back to the supplier (handbook §5).

use crate::assess::checks::Checks;
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::money::Quantity;
use reeve_domain::record::MoveKind;

/// RETURN.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::Return { receipt, item, location, supplier, quantity, .. } = action else { return };
    let book = scene.book;
    // A supplier takes back what it brought, and only what nobody waits for can go.
    let came: Quantity = book
        .moves_of_document(receipt)
        .filter(|m| m.kind == MoveKind::Receipt && m.done_at.is_some() && &m.item == item)
        .filter(|m| m.partner.as_deref().is_none_or(|p| p == supplier.as_str()))
        .map(|m| m.qty)
        .sum();
    c.hard("received from this supplier", *quantity <= came, format!("{quantity} ≤ {came} in {receipt}"));
    let free = book.available(item, location);
    c.hard("free on hand", quantity.is_positive() && *quantity <= free, format!("{quantity} ≤ {free}"));
}
