//! CLAIM: what the supplier owes for what came, or did not (handbook §5).

use crate::assess::bills::{self, BASIS_TWICE};
use crate::assess::checks::Checks;
use crate::assess::matching::{self, BASIS_BILL, CLAIM_DAYS};
use crate::assess::receiving::{self, BASIS_RETURN};
use crate::assess::three_way::three_way;
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::PurchaseLine;

/// Claims below this are not worth the relationship (handbook §5).
const CLAIM_LEAST: Money = Money::from_minor(2_500);

/// CLAIM, for lines of orders or for a bill that has no order.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::Claim { supplier, lines, quantity, value, basis, bill } = action else { return };
    let Some(bill) = bill else { return of_lines(scene, c, supplier, lines, *quantity, *value, basis) };
    bills::claim_back(scene, c, supplier, bill, *value);
    c.hard("no lines beside the bill", lines.is_empty(), format!("{} lines", lines.len()));
    worth_a_claim(c, *value);
}

fn of_lines(
    scene: &Scene<'_>,
    c: &mut Checks,
    supplier: &SupplierId,
    ids: &[String],
    quantity: Quantity,
    value: Money,
    basis: &str,
) {
    let book = scene.book;
    let lines: Vec<&PurchaseLine> = ids.iter().filter_map(|id| book.po_lines.get(id)).collect();
    let theirs = !ids.is_empty() && lines.len() == ids.len() && lines.iter().all(|l| &l.supplier == supplier);
    c.hard("lines are the supplier's", theirs, format!("{} of {} lines", lines.len(), ids.len()));
    // A claim shows what came. Without a receipt nothing says that it was less, or worse, than what was billed.
    let evidence = lines.iter().all(|l| !book.receipts(&l.id).is_empty());
    c.hard("there is a receipt", evidence, format!("{} lines", lines.len()));
    // The window is asked for again at the click: a card that waited over a weekend may have missed it.
    let until = matching::claim_until(book, &lines);
    let open = until.is_some_and(|day| book.today <= day);
    let detail = until.map_or_else(|| "nothing came".to_owned(), |d| format!("until {d}, {CLAIM_DAYS} days"));
    c.hard("claim window is open", open, detail);
    let owed: Money = if basis == BASIS_BILL {
        // What is still to come is not owed to us, and a price that was ordered is owed to them. What was booked in twice looks
        // received: the bill check alone finds nothing wrong with a bill for it.
        let over = |l: &&PurchaseLine| {
            three_way(book, scene.settings, l).map_or(Money::ZERO, |w| {
                w.never.max(bills::received_twice(scene, l)).max(Money::ZERO) + w.price_variance.max(Money::ZERO)
            })
        };
        lines.iter().map(over).sum()
    } else if basis == BASIS_TWICE {
        bills::paid_twice(book, ids)
    } else {
        // Also of what went back again, as far as somebody asks money for it.
        let units = |l: &PurchaseLine| match basis {
            BASIS_RETURN => quantity.min(book.arrived(&l.id)).min(receiving::billed_beyond(book, l)),
            _ => quantity.min(book.arrived(&l.id)),
        };
        let most = |l: &&PurchaseLine| l.price.map_or(Money::ZERO, |p| units(l) * p);
        lines.iter().map(most).sum()
    };
    // Credit notes are bills with a negative quantity, so what is already credited is no longer owed.
    c.hard("value is owed and not yet credited", value > Money::ZERO && value <= owed, format!("{value} ≤ {owed}"));
    worth_a_claim(c, value);
}

fn worth_a_claim(c: &mut Checks, value: Money) {
    c.soft("worth a claim", value >= CLAIM_LEAST, format!("{value} ≥ {CLAIM_LEAST}"));
}
