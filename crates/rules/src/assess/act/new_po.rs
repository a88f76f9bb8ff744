//! NEW-PO: up to the level, where an order is due (handbook §5).

use crate::assess::checks::{Checks, known_place, not_past};
use crate::assess::frozen;
use crate::assess::gathered::{Gathered, Proposal, half, item_ref, units};
use crate::assess::next_order;
use crate::assess::projection::{self, in_days};
use crate::assess::shortage::Short;
use crate::scene::Scene;
use jiff::civil::Date;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::{ItemId, SupplierId};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{RecordKind, RecordRef};
use reeve_domain::workings::Change;
use reeve_models::formulas;
use rust_decimal::Decimal;

/// A first order above this many times the computed need gets a warning.
const UNUSUAL_ORDER: f64 = 2.0;

/// What is said of the cost of what an order brings beyond the need.
pub(in crate::assess) const BEYOND: &str = "holding what is ordered beyond the need";

fn misses_price(gathered: &mut Gathered<'_>, item: &ItemId) {
    let label = gathered.scene.book.item_label(item);
    gathered.miss(format!("supplier price of {label}"), "the value of a purchase order");
}

/// Orders up to the level, where an order is due.
pub(in crate::assess) fn new_order(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &short.place;
    let Some(offer) = projection::offer(book, &short.place) else {
        gathered.miss(format!("supplier with a valid price for {}", book.item_label(item)), "a purchase order");
        return;
    };
    if offer.price.is_none() {
        return misses_price(gathered, item);
    }
    let Some(lead) = projection::lead_time(book, &short.place, &offer.supplier) else { return };
    let Some(levels) = projection::levels(scene, &short.place, &offer.supplier) else { return };
    // Above the reorder point the usual rhythm is early enough, and an order more would be stock too much.
    let position = projection::position(book, &short.place);
    if position >= levels.reorder {
        return;
    }
    // Up to the level, in whole packs, by the price break that this reaches, and no less than the supplier delivers.
    let need = levels.up_to - position;
    let Some((offer, quantity)) = projection::ordered_by(book, &short.place, &offer.supplier, need) else { return };
    let Some(price) = offer.price else { return misses_price(gathered, item) };
    if !quantity.is_positive() {
        return;
    }
    // Ordered tomorrow at the earliest.
    let day = (lead.days.ceil() as u32).max(1) + 1;
    let need_date = gathered.today_plus(in_days(day));
    let Some(cost_each) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    // If it was not needed, it lies there until demand has caught up: half a year of holding it.
    let held = formulas::holding_cost(quantity.to_f64(), cost_each.price.to_f64(), rate, 365.0);
    let regret = half(Money::from_f64(held));
    let order = scene.settings.costs.order_fixed;
    let beyond = projection::beyond(scene, &short.place, quantity.to_f64() - need, levels.up_to, cost_each.price);
    let cost_beyond = projection::held(scene, beyond.as_ref());
    let cost = order + cost_beyond;
    let value = quantity * price;
    let summary = format!(
        "Order {quantity} units of {} for {} from {} at {price}, needed by {need_date}.",
        book.item_label(item),
        book.location_name(location),
        book.supplier_name(&offer.supplier),
    );
    let listed = RecordRef::new(RecordKind::SupplierPrice, offer.id.clone());
    let mut cites = vec![
        cost_each.cite,
        rate_cite,
        gathered.fact(listed.clone(), "price", "supplier price", FactValue::Price(price)),
        gathered.fact(listed, "min_qty", "least order", FactValue::Quantity(offer.min_qty)),
        gathered.place_fact(
            item,
            location,
            "on_order",
            "on order",
            FactValue::Quantity(projection::on_order(book, &short.place)),
        ),
        gathered.place_fact(item, location, "position", "available and on order", units(position)),
        gathered.place_fact(item, location, "up_to", "order-up-to level", units(levels.up_to)),
        gathered.place_fact(item, location, "reorder_point", "reorder point", units(levels.reorder)),
        gathered.place_fact(item, location, "order_quantity", "to be ordered", FactValue::Quantity(quantity)),
        gathered.place_fact(item, location, "order_value", "value of the order", FactValue::Money(value)),
        gathered.item_fact(
            item,
            &format!("lead_time@{}", offer.supplier),
            "lead time of an order",
            FactValue::days(lead.days),
        ),
        gathered.place_fact(item, location, "regret_order", "holding it for half a year", FactValue::Money(regret)),
        gathered.fact(item_ref(item), "cost_order", "cost of an order (setting)", FactValue::Money(order)),
    ];
    if cost_beyond > Money::ZERO {
        cites.push(gathered.place_fact(item, location, "cost_beyond", BEYOND, FactValue::Money(cost_beyond)));
    }
    // What is lost until an order arrives can not be saved by it; each day of waiting adds to the rest.
    let latest = gathered.today_plus(in_days(short.until()) - in_days(day));
    // `change` is what the audit projects again, so it has every number that the shortage was computed with.
    let change = Change::Ordered {
        place: frozen::name(&short.place),
        quantity: quantity.to_f64(),
        day,
        sd: lead.sd,
        cost: cost_each.price,
        dearer: None,
        supplier: None,
        beyond,
    };
    gathered.proposals.push(Proposal {
        action: Action::NewPo {
            item: item.clone(),
            supplier: offer.supplier.clone(),
            quantity,
            price,
            need_date,
            destination: location.clone(),
        },
        summary,
        then: Vec::new(),
        after: short.after(scene, &change),
        cost,
        regret,
        value,
        latest,
        cites,
        change: Some(change),
    });
}

/// A purchase order as it is checked.
pub(in crate::assess) struct Order<'o> {
    pub place: &'o Place,
    pub supplier: &'o SupplierId,
    pub quantity: Quantity,
    pub price: UnitPrice,
    pub need_date: Date,
    /// The line that comes too late and is not counted on, where it is ordered for want of one.
    pub late: Option<&'o str>,
}

/// NEW-PO.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, order: &Order<'_>) {
    let Order { place, supplier, quantity, price, need_date, late } = *order;
    let book = scene.book;
    let (item, destination) = place;
    known_place(scene, c, item, destination);
    let sold = book.items.get(item).is_some_and(|i| i.sellable);
    c.hard("item is not ending", sold, book.item_label(item));
    let offers: Vec<_> =
        book.supplier_prices_at(item, destination, book.today).into_iter().filter(|p| &p.supplier == supplier).collect();
    let known = book.suppliers.contains_key(supplier) && !offers.is_empty();
    c.hard("supplier is approved for the item", known, book.supplier_name(supplier));
    // Two price breaks may ask the same: the smaller one holds for both.
    let listed = offers.iter().filter(|o| o.price == Some(price)).min_by_key(|o| o.min_qty);
    c.hard("price is valid today", listed.is_some(), format!("{price} on {}", book.today));
    let moq = listed.or(offers.first()).map_or(Quantity::ZERO, |o| o.min_qty);
    c.hard("quantity ≥ minimum order", quantity.is_positive() && quantity >= moq, format!("{quantity} ≥ {moq}"));
    let multiple = book.rule(item, destination).map_or(Quantity::units(1), |r| r.multiple);
    let whole = multiple.0 <= Decimal::ZERO || (quantity.0 % multiple.0).is_zero();
    c.hard("quantity is a pack multiple", whole, format!("{quantity}, packs of {multiple}"));
    let levels = projection::levels(scene, place, supplier);
    let up_to = levels.map_or(0.0, |l| l.up_to);
    // Goods that are late are still on order. Counted here they would always
    // cover the need, and nothing could be bought in their place.
    let late: f64 = book
        .incoming(item, destination)
        .iter()
        .filter(|incoming| Some(incoming.po_line.as_str()) == late)
        .map(|incoming| incoming.qty.to_f64())
        .sum();
    let position = projection::position(book, place) - late;
    let reorder = levels.map_or(0.0, |l| l.reorder);
    c.hard("no open order covers the need", position < reorder, format!("{position:.1} < {reorder:.1}"));
    not_past(scene, c, "need date is not past", need_date);
    // Only a warning: people may know of a demand that no record shows. It catches a slip of a digit.
    let computed = formulas::order_quantity(up_to, position, moq.to_f64(), multiple.to_f64());
    let usual = quantity.to_f64() <= UNUSUAL_ORDER * computed.max(1.0);
    c.soft("quantity is not above twice the need", usual, format!("{quantity}, need {computed:.0}"));
    // A minimum that was passed and ordered nothing is a rule that does not work: whoever orders should know.
    if let Some(rule) = book.rule(item, destination).filter(|rule| rule.min.is_positive()) {
        let detail = format!("minimum {}, {position:.0} there and on order", rule.min);
        c.soft("the ERP's rule has ordered", !next_order::is_passed_over(scene, place, rule.min.to_f64()), detail);
    }
    let lead = projection::lead_time(book, place, supplier).map_or(0, |l| l.days.ceil() as i32);
    let soon = plus_days(book.today, lead);
    c.soft("need date leaves the lead time", need_date >= soon, format!("{need_date} ≥ {soon}"));
}
