//! HOLD-QC: what came in a receipt out of sale until it is inspected (handbook §5).

use crate::assess::checks::{Checks, known_place, not_past};
use crate::assess::gathered::{Gathered, Proposal, item_ref, line_ref};
use crate::scene::Scene;
use reeve_domain::action::{Action, Range};
use reeve_domain::book::Place;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{MoveKind, PurchaseLine, RecordRef};
use reeve_domain::workings::Change;
use reeve_models::formulas;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;

/// Days in which goods that are held are inspected.
const HELD_DAYS: i32 = 7;

/// What is to be held, and what for.
pub(in crate::assess) struct Held<'h> {
    pub document: &'h str,
    pub place: &'h Place,
    pub quantity: Quantity,
    pub reason: &'h str,
    pub key: &'h str,
    /// Share of the loss under the key that remains.
    pub left: f64,
    pub source: RecordRef,
}

/// Takes goods of a receipt out of sale until they are inspected.
pub(in crate::assess) fn hold(gathered: &mut Gathered<'_>, held: &Held<'_>) {
    let scene = gathered.scene;
    let book = scene.book;
    let Held { document, place, reason, key, left, ref source, .. } = *held;
    let (item, location) = place;
    // What has been sold since can not be held any more.
    let shelf = book.on_shelf(item, location);
    let quantity = held.quantity.min(shelf);
    if !quantity.is_positive() {
        return;
    }
    let until = gathered.today_plus(HELD_DAYS);
    // Without prices nothing can be said to be missed; that is no reason not to hold them.
    let margin = book.margin(item, location).map_or(0.0, |margin| margin.to_f64().max(0.0));
    let recapture = scene.settings.money.recapture;
    let daily = scene.outlook.per_day(place).0;
    let days = f64::from(HELD_DAYS);
    // Other stock of the item goes on selling meanwhile; only what it does not cover is missed.
    let free = (book.available(item, location) - quantity).to_f64().max(0.0);
    // If nothing is wrong with them, what would have sold of them meanwhile is missed.
    let missed = (daily * days - free).clamp(0.0, quantity.to_f64());
    let regret = Money::from_f64(formulas::lost_margin(missed, margin, recapture));
    let cost = scene.settings.costs.hold;
    let change = Change::Held { quantity: quantity.to_f64(), days, daily, free, margin };
    let cites = vec![
        gathered.fact(source.clone(), "hold_quantity", "to be held", FactValue::Quantity(quantity)),
        gathered.fact(source.clone(), "cost_hold", "cost of holding and inspecting (setting)", FactValue::Money(cost)),
        gathered.fact(source.clone(), "regret_hold", "margin missed while they are held", FactValue::Money(regret)),
        gathered.assume(
            source.clone(),
            &format!("hold_left_{:.0}", left * 100.0),
            "share of the loss that remains with them held",
            left,
        ),
    ];
    let summary = format!(
        "Hold {quantity} units of {} from {document} at {} until {until}: {reason}.",
        book.item_label(item),
        book.location_name(location),
    );
    let (item, location) = place.clone();
    gathered.proposals.push(Proposal {
        action: Action::HoldQc { document: document.to_owned(), item, location, quantity, until, reason: reason.to_owned() },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(&[key.to_owned()], left),
        cost,
        regret,
        value: Money::ZERO,
        latest: gathered.today_plus(3),
        cites,
        change: Some(change),
    });
}

/// The rest of a delivery of which `bad` units were unfit: as likely as those to be, as far as nobody has seen it yet (`unseen`).
pub(in crate::assess) fn rest_of(
    gathered: &mut Gathered<'_>,
    line: &PurchaseLine,
    place: &Place,
    bad: Quantity,
    (unseen, reason): (f64, &str),
) {
    let scene = gathered.scene;
    let book = scene.book;
    let Some(receipt) = book.receipts(&line.id).last().copied() else { return };
    let document = receipt.document.clone();
    let came = receipt.qty;
    // Goods that went back are gone; of the others only those that are still here can be looked at.
    let rest = (came - bad).min(book.on_shelf(&place.0, &place.1));
    if !rest.is_positive() || !bad.is_positive() {
        return;
    }
    // Two reasons to doubt one delivery are one doubt.
    let key = format!("quality:{}@{}", place.0, place.1);
    if gathered.parts.contains_key(&key) || book.cost(&place.0, &place.1).is_none() {
        return;
    }
    let Some(cost) = gathered.cost(&place.0) else { return };
    // Kept at the precision that its fact shows, so that the product can be made again.
    let share = Decimal::ONE.min(bad.0 / came.0).round_dp(3);
    let unfit = Decimal::from_f64(unseen).unwrap_or_default() * share;
    let source = line_ref(&line.id);
    let percent = FactValue::percent(rust_decimal::prelude::ToPrimitive::to_f64(&share).unwrap_or(0.0) * 100.0);
    let value = rest * cost.price;
    let amount = Money::from_decimal(Decimal::new(value.minor, 2) * unfit);
    let cites = vec![
        cost.cite,
        gathered.fact(source.clone(), "rest", "of the same delivery and still here", FactValue::Quantity(rest)),
        gathered.fact(source.clone(), "rest_value", "the same at cost", FactValue::Money(value)),
        gathered.fact(source.clone(), "unfit_share", "share of the delivery that was unfit", percent),
        gathered.assume(source.clone(), "unseen", "share of such faults that nobody has seen yet", unseen),
        gathered.fact(source.clone(), "unfit_value", "expected value of what is unfit of it", FactValue::Money(amount)),
    ];
    let name = format!("{} at {}", book.item_label(&place.0), book.location_name(&place.1));
    gathered.lose(&key, format!("unfit goods of the same delivery: {name}"), Range::certain(amount), cites);
    let left = scene.settings.left.hold;
    hold(
        gathered,
        &Held { document: &document, place, quantity: rest, reason, key: &key, left, source: item_ref(&place.0) },
    );
}

/// HOLD-QC.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::HoldQc { document, item, location, quantity, until, .. } = action else { return };
    let book = scene.book;
    known_place(scene, c, item, location);
    let on_hand = book.on_shelf(item, location);
    c.hard("quantity is on hand", quantity.is_positive() && *quantity <= on_hand, format!("{quantity} ≤ {on_hand}"));
    let known = book.moves_of_document(document).any(|m| m.kind == MoveKind::Receipt);
    c.hard("receipt is known", known, document.clone());
    not_past(scene, c, "end of holding is not past", *until);
    // What is missed meanwhile is reckoned for so many days.
    let last = plus_days(book.today, HELD_DAYS);
    c.hard("no longer than its money was computed for", *until <= last, format!("{until} ≤ {last}"));
}
