//! INCREASE-PO: more on an open line that comes in time (handbook §5).

use crate::assess::act::new_po::BEYOND;
use crate::assess::checks::{Checks, open_line, whole_packs};
use crate::assess::frozen;
use crate::assess::gathered::{Gathered, Proposal, half, line_ref};
use crate::assess::projection::{self, in_days};
use crate::assess::shortage::Short;
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::PurchaseLine;
use reeve_domain::workings::Change;
use reeve_models::formulas;

/// A line can be raised while this share of its lead time is still to come: later it has been picked, or shipped.
const FREEZE_SHARE: f64 = 0.5;

/// The last day on which a line can be raised.
fn freeze(scene: &Scene<'_>, line: &PurchaseLine) -> jiff::civil::Date {
    let book = scene.book;
    let place = (line.item.clone(), line.location.clone());
    let lead = projection::lead_time(book, &place, &line.supplier).map_or(0.0, |lead| lead.days);
    plus_days(book.due(line), -((lead * FREEZE_SHARE).ceil() as i32).max(1))
}

/// Raises the first line that comes and is not enough, where it still can be raised.
pub(in crate::assess) fn increases(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &short.place;
    // What comes on the day of relief or later does not help before it.
    let Some(arrival) = short.now.arrivals.iter().find(|a| a.firm && a.day < short.until()) else { return };
    // A kit's components can not be raised alone.
    let Some(line) = book.po_lines.get(&arrival.po_line).filter(|line| line.item == *item) else { return };
    // A line without a price has no value to hold a limit against, and a line that is being picked can not be raised.
    let last = days_between(book.today, freeze(scene, line));
    let (Some(price), true) = (line.price, last > 0) else { return };
    let multiple = book.rule(item, location).map_or(1.0, |rule| rule.multiple.to_f64());
    let need = short.need_of_order(scene, arrival.day);
    let quantity = Quantity::ceil_units(formulas::order_quantity(need, 0.0, 0.0, multiple));
    if !quantity.is_positive() {
        return;
    }
    let Some(cost_each) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    let target = projection::levels(scene, &short.place, &line.supplier).map_or(0.0, |levels| levels.up_to);
    let beyond = projection::beyond(scene, &short.place, quantity.to_f64() - need, target, cost_each.price);
    let cost_beyond = projection::held(scene, beyond.as_ref());
    let change = Change::Raised {
        place: frozen::name(&short.place),
        line: line.id.clone(),
        quantity: quantity.to_f64(),
        day: arrival.day,
        sd: arrival.sd,
        // Raised on any day until the freeze it comes with the line: waiting costs nothing before that day.
        later: vec![arrival.day; usize::try_from(last - 1).unwrap_or(0)],
        cost: cost_each.price,
        price,
        beyond,
    };
    let change_fixed = scene.settings.costs.change_fixed;
    let cost = change_fixed + cost_beyond;
    // If it was not needed, it lies there as an order more would.
    let held = formulas::holding_cost(quantity.to_f64(), cost_each.price.to_f64(), rate, 365.0);
    let regret = half(Money::from_f64(held));
    let value = quantity * price;
    let source = line_ref(&line.id);
    let comes = plus_days(book.today, in_days(arrival.day));
    let mut cites = vec![
        cost_each.cite,
        rate_cite,
        gathered.fact(source.clone(), "price", &format!("price on {}", line.order_name), FactValue::Price(price)),
        gathered.fact(source.clone(), "qty", "ordered", FactValue::Quantity(line.qty)),
        gathered.fact(source.clone(), "raise_quantity", "to be added", FactValue::Quantity(quantity)),
        gathered.fact(source.clone(), "raise_comes", "comes on", FactValue::Date(comes)),
        gathered.fact(source.clone(), "cost_change", "cost of a change (setting)", FactValue::Money(change_fixed)),
        gathered.fact(source.clone(), "raise_value", "value of what is added", FactValue::Money(value)),
        gathered.fact(source.clone(), "regret_raise", "holding it for half a year", FactValue::Money(regret)),
    ];
    if cost_beyond > Money::ZERO {
        cites.push(gathered.fact(source, "cost_beyond", BEYOND, FactValue::Money(cost_beyond)));
    }
    let summary = format!(
        "Raise {} of {} on {} by {quantity} units, coming {comes}.",
        book.item_label(item),
        book.supplier_name(&line.supplier),
        line.order_name,
    );
    let latest = plus_days(book.today, last);
    gathered.proposals.push(Proposal {
        action: Action::IncreasePo { po_line: line.id.clone(), ordered: line.qty, quantity },
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

/// INCREASE-PO.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::IncreasePo { po_line, ordered, quantity } = action else { return };
    let book = scene.book;
    let Some(line) = open_line(scene, c, po_line, Quantity::units(0).max(book.open_quantity(po_line))) else {
        return;
    };
    // The ERP takes a new total, not a difference: on a line that has changed it would order something else.
    c.hard("line as still read", line.qty == *ordered, format!("{} ordered, {ordered} when computed", line.qty));
    let last = freeze(scene, line);
    c.hard("line can still be raised", last > book.today, format!("until {last}, today is {}", book.today));
    let multiple = book.rule(&line.item, &line.location).map_or(Quantity::units(1), |r| r.multiple);
    whole_packs(c, *quantity, multiple);
}
