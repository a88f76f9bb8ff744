//! The facts of a shortage as a card shows them.

use super::gathered::{Gathered, line_ref, units};
use super::projection::{self, Projection, Shortage};
use super::shortage::waits_share;
use crate::detect::shortage::open_field;
use reeve_domain::action::Range;
use reeve_domain::book::Place;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::FactId;
use reeve_domain::money::Quantity;
use reeve_domain::record::{RecordKind, RecordRef};

/// The facts of those who wait: how many units, how many such customers cancelled before, and what that costs.
pub(super) fn waiting_facts(
    gathered: &mut Gathered<'_>,
    place: &Place,
    now: &Projection,
    waited: Range,
    cites: &[FactId],
) -> Vec<FactId> {
    let (item, location) = place;
    let waits = gathered.scene.book.waits();
    let count = |n: u32| FactValue::Quantity(Quantity::units(i64::from(n)));
    let mut own = cites.to_vec();
    own.extend([
        gathered.place_fact(item, location, "waited_for", "waited for and not there", units(now.waiting)),
        gathered.item_fact(item, "waits", "deliveries that customers waited for, all items", count(waits.all)),
        gathered.item_fact(item, "waits_cancelled", "of them cancelled", count(waits.cancelled)),
        gathered.item_fact(
            item,
            "waits_share",
            "share of waiting customers who cancel",
            FactValue::percent(waits_share(gathered.scene) * 100.0),
        ),
    ]);
    let label = "expected lost margin on those who wait";
    own.push(gathered.place_fact(item, location, "waiting_margin", label, FactValue::Money(waited.expected)));
    own
}

/// The facts of a projected window.
pub(super) fn window_facts(
    gathered: &mut Gathered<'_>,
    place: &Place,
    now: &Projection,
    found: &Shortage,
    field: &str,
) -> Vec<FactId> {
    let (item, location) = place;
    let book = gathered.scene.book;
    // First what the window was computed from, then what it came to, so that a reader can follow it line by line.
    let mut cites = vec![
        gathered.place_fact(item, location, "on_hand", "on hand", FactValue::Quantity(book.on_hand(item, location))),
        gathered.place_fact(
            item,
            location,
            "waiting",
            "waited for by customers",
            FactValue::Quantity(book.waiting(item, location)),
        ),
        gathered.place_fact(item, location, "available", "available", FactValue::Quantity(book.available(item, location))),
        gathered.place_fact(
            item,
            location,
            &format!("{field}_days"),
            "days in the window",
            FactValue::days(f64::from(found.days)),
        ),
        gathered.place_fact(item, location, &format!("{field}_demand"), "expected demand in the window", units(found.mu)),
        gathered.place_fact(item, location, &format!("{field}_sigma"), "deviation of that demand", units(found.sigma)),
        gathered.place_fact(item, location, &format!("{field}_supply"), "supply in the window", units(found.supply)),
        gathered.place_fact(item, location, &format!("{field}_units"), "expected units short", units(found.units)),
    ];
    // Tills sell before they post: without this line what is available would not follow from what is on hand.
    let unposted = book.unposted(item, location);
    if !unposted.is_zero() {
        let label = "sold at the tills, not yet posted";
        cites.push(gathered.place_fact(item, location, "unposted", label, FactValue::Quantity(unposted)));
    }
    let incoming = book.incoming(item, location);
    for arrival in &now.arrivals {
        let Some(line) = book.po_lines.get(&arrival.po_line) else { continue };
        if let Some(open) = incoming.iter().find(|i| i.po_line == arrival.po_line) {
            let label = format!("still to come on {}", line.order_name);
            let field = open_field(book, &line.id, item);
            cites.push(gathered.fact(line_ref(&line.id), &field, &label, FactValue::Quantity(open.qty)));
        }
        let label = format!("promised on {}", line.order_name);
        let promised = FactValue::Date(book.calendar.day_of(line.promised));
        cites.push(gathered.fact(line_ref(&line.id), "promised", &label, promised));
        // A later date that the supplier announced is what the projection goes by, so it is shown beside the promise.
        if let Some(announced) = book.announced(&line.id) {
            let source = RecordRef::new(RecordKind::Notice, announced.notice.clone());
            let label = format!("announced for {}", line.order_name);
            cites.push(gathered.fact(source, &format!("new_date@{}", line.id), &label, FactValue::Date(announced.date)));
        }
        if !arrival.firm {
            let expected = FactValue::Date(plus_days(book.today, projection::in_days(arrival.day)));
            cites.push(gathered.fact(line_ref(&line.id), "expected", "assumed receipt, the promise has passed", expected));
        }
    }
    cites
}
