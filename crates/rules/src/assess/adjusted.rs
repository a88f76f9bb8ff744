//! Stock that was corrected: transfers of which another quantity came than left, and adjustments unlike all others (handbook §4.4,
//! §4.6).

use crate::detect::counted::Event;
use crate::role::Role;
use reeve_domain::action::Range;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::record::{RecordKind, RecordRef, StockMove};

use super::counted;
use super::gathered::{Gathered, Question, place_of, scaled};
use super::stock::event_of;

/// Share of a transfer's difference that remains after a count at the receiver.
const LEFT_AFTER_COUNT: f64 = 0.5;
/// Share that remains after asking both ends.
const LEFT_AFTER_CONTACT: f64 = 0.6;
/// How often an adjustment that is unlike all others is wrong.
const WRONG: f64 = 0.35;
/// Share of that which remains after somebody else counted.
const LEFT_AFTER_RECOUNT: f64 = 0.1;

/// The move that an exception cites first.
fn moved<'b>(gathered: &Gathered<'b>, exception: &Exception) -> Option<&'b StockMove> {
    let cited = exception.signal.facts.iter().map(|fact| &fact.source).find(|s| s.kind == RecordKind::Move)?;
    gathered.scene.book.supply_moves.get(&cited.id)
}

/// Another quantity came than left.
pub(super) fn transfer_difference(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let book = gathered.scene.book;
    let found = moved(gathered, exception).and_then(|m| book.difference(&m.id));
    let Some(found) = found else { return };
    let Some(cost) = gathered.cost(&place.0) else { return };
    let source = RecordRef::new(RecordKind::Move, found.out.id.clone());
    let value = found.off().abs() * cost.price;
    let cites = vec![
        cost.cite,
        gathered.fact(source.clone(), "off_units", "units of the difference", FactValue::Quantity(found.off().abs())),
        gathered.fact(source.clone(), "off_value", "the same at cost", FactValue::Money(value)),
    ];
    let key = format!("transfer:{}/difference", found.out.id);
    let name = format!("{} at {}", book.item_label(&place.0), book.location_name(&place.1));
    gathered.lose(&key, format!("difference of a transfer: {name}"), Range::certain(value), cites);
    let keys = [key];
    let booked = Event { at: found.into.done_at.unwrap_or(found.into.created_at), by: found.into.entered_by.clone() };
    // A count that agreed since says that as many are there as the receipt says: then the sender's books are wrong, or the road is.
    if counted::agreed(gathered, &place, &booked).is_none() {
        gathered.recount(&place.0, &place.1, &keys, LEFT_AFTER_COUNT, found.into.entered_by.clone());
    }
    // Either end may have miscounted: the receiver counts again, the sender is asked.
    if let Some(from) = &found.out.from {
        gathered.contact(&Question {
            role: Role::Warehouse,
            partner: from.as_str(),
            about: &format!(
                "{} of {}: {} were booked out, {} came",
                found.out.document,
                book.item_label(&place.0),
                found.left,
                found.came
            ),
            keys: &keys,
            left: LEFT_AFTER_CONTACT,
            latest: gathered.today_plus(7),
            source,
        });
    }
}

/// An adjustment that is unlike all others: how likely it is wrong, times what it is worth.
pub(super) fn adjustment(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let Some(m) = moved(gathered, exception) else { return };
    let Some(cost) = gathered.cost(&place.0) else { return };
    let value = m.qty * cost.price;
    let at_stake = scaled(Range::certain(value), WRONG);
    let source = RecordRef::new(RecordKind::Move, m.id.clone());
    let cites = vec![
        cost.cite,
        gathered.fact(source.clone(), "qty", "adjusted", FactValue::Quantity(m.qty)),
        gathered.fact(source.clone(), "adjusted_value", "the same at cost", FactValue::Money(value)),
        gathered.assume(source.clone(), "wrong", "probability that the adjustment is wrong", WRONG),
        gathered.fact(source, "adjusted_at_stake", "what a recount may save", FactValue::Money(at_stake.expected)),
    ];
    let book = gathered.scene.book;
    let name = format!("{} at {}", book.item_label(&place.0), book.location_name(&place.1));
    // A count that differs from the books is the same write-off: it is counted once.
    let key = format!("stock:{}@{}", place.0, place.1);
    gathered.lose(&key, format!("write-off if the adjustment is wrong: {name}"), at_stake, cites);
    let settled = event_of(m).and_then(|event| counted::agreed(gathered, &place, &event));
    if settled.is_none() {
        gathered.recount(&place.0, &place.1, &[key], LEFT_AFTER_RECOUNT, m.entered_by.clone());
    }
    gathered.escalate("why this adjustment was made", "inventory control (restricted)");
}
