//! ALT-SUPPLIER: the same goods from somebody else, where a line comes too late (handbook §5).

use std::collections::BTreeSet;

use crate::assess::act::new_po::{self, BEYOND, Order};
use crate::assess::checks::Checks;
use crate::assess::frozen;
use crate::assess::gathered::{Gathered, Proposal, half, item_ref, line_ref};
use crate::assess::projection::{self, Arrival, in_days};
use crate::assess::shortage::Short;
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::book::numeric;
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{PurchaseLine, RecordKind, RecordRef, SupplierPrice};
use reeve_domain::workings::Change;
use reeve_models::formulas;
use rust_decimal::Decimal;
use rust_decimal::prelude::FromPrimitive as _;

/// The line is later than it was promised first: put off, or past its day.
fn is_late(scene: &Scene<'_>, arrival: &Arrival, line: &PurchaseLine) -> bool {
    !arrival.firm || scene.book.due(line) > scene.book.calendar.day_of(line.promised_first)
}

/// What another supplier would bring.
struct Other<'b> {
    offer: &'b SupplierPrice,
    price: UnitPrice,
    quantity: Quantity,
    need: f64,
    day: u32,
    sd: f64,
}

/// How dear another supplier may be: so much beyond the price of the line.
fn limit(scene: &Scene<'_>, price: UnitPrice) -> UnitPrice {
    let share = Decimal::from_f64(scene.settings.costs.alternative_percent).unwrap_or_default() / Decimal::ONE_HUNDRED;
    UnitPrice(price.0 * (Decimal::ONE + share))
}

/// Orders what is missing from the fastest other supplier of the price list, if that comes before the late line does.
pub(in crate::assess) fn alternatives(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &short.place;
    let late = short.now.arrivals.iter().find_map(|arrival| {
        let line = book.po_lines.get(&arrival.po_line).filter(|line| line.item == *item)?;
        is_late(scene, arrival, line).then_some((arrival, line))
    });
    let Some((arrival, line)) = late else { return };
    // Without the price of the late line nobody can say how much dearer the other one is.
    let Some(main) = line.price else { return };
    let most = limit(scene, main);
    // Of each other supplier the price break that what is missing reaches, and no other: the cheapest may be one for many times as much.
    let of = |supplier: &SupplierId| {
        let lead = projection::lead_time(book, &short.place, supplier)?;
        let day = (lead.days.ceil() as u32).max(1) + 1;
        if day >= arrival.day.min(short.relief()) {
            return None;
        }
        // No more than is missing until the late line comes: it comes all the same.
        let need = short.need(scene, day);
        let (offer, quantity) = projection::ordered_by(book, &short.place, supplier, need)?;
        let price = offer.price.filter(|price| price.0 <= most.0)?;
        quantity.is_positive().then_some(Other { offer, price, quantity, need, day, sd: lead.sd })
    };
    let offers = book.supplier_prices_at(item, location, book.today).into_iter();
    let others: BTreeSet<&SupplierId> = offers.map(|offer| &offer.supplier).filter(|s| **s != line.supplier).collect();
    let found = others
        .into_iter()
        .filter_map(of)
        .min_by(|a, b| (a.day, a.price.0, numeric(&a.offer.id)).cmp(&(b.day, b.price.0, numeric(&b.offer.id))));
    let Some(Other { offer, price, quantity, need, day, sd }) = found else { return };
    let Some(cost_each) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    let dearer = UnitPrice((price.0 - main.0).max(Decimal::ZERO));
    let target = projection::levels(scene, &short.place, &offer.supplier).map_or(0.0, |levels| levels.up_to);
    let beyond = projection::beyond(scene, &short.place, quantity.to_f64() - need, target, cost_each.price);
    let cost_beyond = projection::held(scene, beyond.as_ref());
    let cost = scene.settings.costs.order_fixed + quantity * dearer + cost_beyond;
    let held = formulas::holding_cost(quantity.to_f64(), cost_each.price.to_f64(), rate, 365.0);
    let regret = half(Money::from_f64(held));
    let value = quantity * price;
    let change = Change::Ordered {
        place: frozen::name(&short.place),
        quantity: quantity.to_f64(),
        day,
        sd,
        cost: cost_each.price,
        dearer: Some(dearer),
        supplier: None,
        beyond,
    };
    let need_date = gathered.today_plus(in_days(day));
    let listed = RecordRef::new(RecordKind::SupplierPrice, offer.id.clone());
    let due = FactValue::Date(book.due(line));
    let order = scene.settings.costs.order_fixed;
    let mut cites = vec![
        cost_each.cite,
        rate_cite,
        gathered.fact(listed.clone(), "price", "the other supplier's price", FactValue::Price(price)),
        gathered.fact(listed.clone(), "min_qty", "least order", FactValue::Quantity(offer.min_qty)),
        gathered.fact(line_ref(&line.id), "price", &format!("price on {}", line.order_name), FactValue::Price(main)),
        gathered.fact(line_ref(&line.id), "due", &format!("{} is due now", line.order_name), due),
        gathered.fact(listed.clone(), "alt_quantity", "to be ordered", FactValue::Quantity(quantity)),
        gathered.fact(listed.clone(), "alt_date", "comes on", FactValue::Date(need_date)),
        gathered.fact(listed.clone(), "alt_value", "value of the order", FactValue::Money(value)),
        gathered.fact(item_ref(item), "cost_order", "cost of an order (setting)", FactValue::Money(order)),
        gathered.fact(listed.clone(), "regret_alt", "holding it for half a year", FactValue::Money(regret)),
    ];
    if cost_beyond > Money::ZERO {
        cites.push(gathered.fact(listed, "cost_beyond", BEYOND, FactValue::Money(cost_beyond)));
    }
    let summary = format!(
        "Order {quantity} units of {} for {} from {} at {price}, needed by {need_date}: {} of {} is late.",
        book.item_label(item),
        book.location_name(location),
        book.supplier_name(&offer.supplier),
        line.order_name,
        book.supplier_name(&line.supplier),
    );
    gathered.proposals.push(Proposal {
        action: Action::AltSupplier {
            item: item.clone(),
            supplier: offer.supplier.clone(),
            quantity,
            price,
            need_date,
            destination: location.clone(),
            instead_of: line.id.clone(),
        },
        summary,
        then: Vec::new(),
        after: short.after(scene, &change),
        cost,
        regret,
        value,
        // Decided later it would arrive on the day of relief, and save nothing.
        latest: gathered.today_plus(in_days(short.relief()) - in_days(day)),
        cites,
        change: Some(change),
    });
}

/// ALT-SUPPLIER.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::AltSupplier { item, supplier, quantity, price, need_date, destination, instead_of } = action else { return };
    let book = scene.book;
    let place = (item.clone(), destination.clone());
    let (place, need_date, late) = (&place, *need_date, Some(instead_of.as_str()));
    new_po::check(scene, c, &Order { place, supplier, quantity: *quantity, price: *price, need_date, late });
    // It pays only where the late line is real and would come later than what is ordered instead.
    let line = book.po_lines.get(instead_of).filter(|l| l.confirmed);
    let other = line.is_some_and(|l| &l.supplier != supplier);
    c.hard("another supplier than the late one", other, book.supplier_name(supplier));
    let late = line.map(|l| book.expected_on(book.due(l)));
    let sooner = late.is_some_and(|late| need_date < late);
    let shown = late.map_or_else(|| "the line is not open".to_owned(), |late| format!("{need_date} < {late}"));
    c.hard("arrives before the main source", sooner, shown);
    let main = line.and_then(|line| line.price);
    let within = main.is_some_and(|main| price.0 <= limit(scene, main).0);
    let shown = main.map_or_else(|| "its price is not known".to_owned(), |main| format!("{price} ≤ {}", limit(scene, main)));
    c.hard("price is within the limit", within, shown);
}
