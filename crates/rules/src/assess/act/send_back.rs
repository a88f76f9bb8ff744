//! RETURN: goods of a receipt back to the supplier (handbook §5).

use crate::assess::checks::Checks;
use crate::assess::gathered::{Gathered, Proposal};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{MoveKind, RecordRef};
use reeve_domain::workings::Change;

/// What goes back, and what for.
pub(in crate::assess) struct Back<'b> {
    pub receipt: &'b str,
    pub place: &'b Place,
    pub supplier: &'b SupplierId,
    pub quantity: Quantity,
    /// What the supplier credits, where that is known.
    pub price: Option<UnitPrice>,
    pub reason: &'b str,
    pub key: &'b str,
    /// Share of the loss under the key that remains.
    pub left: f64,
    pub source: RecordRef,
}

/// Sends goods of a receipt back, as far as nobody waits for them.
pub(in crate::assess) fn send(gathered: &mut Gathered<'_>, back: &Back<'_>) {
    let scene = gathered.scene;
    let book = scene.book;
    let Back { receipt, place, supplier, reason, key, left, ref source, .. } = *back;
    let (item, location) = place;
    // Reserved units stay: somebody has been promised them.
    let quantity = Quantity::floor_units(back.quantity.min(book.available(item, location)).to_f64());
    if !quantity.is_positive() {
        return;
    }
    // What leaves is worth what it was bought at, or what it costs: who signs it signs for that. Without either nobody can say how
    // much leaves, and nothing is proposed.
    let Some(price) = back.price.or_else(|| gathered.cost(item).map(|cost| cost.price)) else { return };
    let costs = &scene.settings.costs;
    let cost = costs.return_fixed + Money::from_f64(costs.return_per_unit.to_f64() * quantity.to_f64());
    // Sent back by mistake they have to be ordered again.
    let regret = costs.order_fixed;
    let value = quantity * price;
    let cites = vec![
        gathered.fact(source.clone(), "back_quantity", "to be sent back", FactValue::Quantity(quantity)),
        gathered.fact(source.clone(), "back_value", "value of what goes back", FactValue::Money(value)),
        gathered.fact(source.clone(), "cost_return", "cost of sending them back", FactValue::Money(cost)),
        gathered.fact(source.clone(), "cost_order", "cost of an order (setting)", FactValue::Money(regret)),
        gathered.assume(
            source.clone(),
            &format!("return_left_{:.0}", left * 100.0),
            "share of the loss that remains after sending them back",
            left,
        ),
    ];
    let summary = format!(
        "Send {quantity} units of {} from {receipt} back to {}: {reason}.",
        book.item_label(item),
        book.supplier_name(supplier),
    );
    gathered.proposals.push(Proposal {
        action: Action::Return {
            receipt: receipt.to_owned(),
            item: item.clone(),
            location: location.clone(),
            supplier: supplier.clone(),
            quantity,
            reason: reason.to_owned(),
        },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(&[key.to_owned()], left),
        cost,
        regret,
        value,
        latest: gathered.today_plus(14),
        cites,
        change: Some(Change::SentBack { quantity: quantity.to_f64(), price: Some(price) }),
    });
}

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
