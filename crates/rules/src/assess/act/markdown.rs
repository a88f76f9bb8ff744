//! MARKDOWN: a lower price for some days (handbook §5).

use rust_decimal::Decimal;

use crate::assess::checks::{Checks, not_past};
use crate::assess::gathered::{Gathered, Left, Proposal, item_ref, places_with_forecast, range, units};
use crate::assess::projection::Z90;
use crate::scene::Scene;
use reeve_domain::action::{Action, Range};
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::money::Money;
use reeve_domain::workings::{Change, Made, Surplus};
use reeve_models::formulas;

use std::collections::BTreeMap;

/// Reductions that are compared, in percent.
const PERCENTS: [f64; 4] = [10.0, 20.0, 30.0, 40.0];
/// Days for which a price is reduced.
const DAYS: i32 = 28;
/// Days of cover from which stock that is in the house is more than what sells by itself in good time.
const SLOW_DAYS: f64 = 180.0;

/// What a reduction does in its days.
struct Cut {
    percent: f64,
    /// Units that sell at it here, and of them because of it.
    sold: f64,
    more: f64,
    off: f64,
    left: Range,
    given: Money,
}

/// Units of an item that sell in the days of a reduction at its other places. A price holds at all of them, in every company: there
/// it is given away on what sells anyway.
fn sold_elsewhere(scene: &Scene<'_>, place: &Place) -> f64 {
    let others = places_with_forecast(scene, &place.0).filter(|other| *other != place);
    others.map(|other| scene.outlook.per_day(other).0 * f64::from(DAYS)).sum()
}

/// Reduces the price of what lies in the house and sells too slowly (`shelf` units), by as much as saves most. What is on order is
/// no part of it: that can be sent away. It ends a part of the loss under `key`, which is that of `surplus`; where nobody has
/// counted that yet, it is counted. `before` is the demand of a day before it fell.
pub(in crate::assess) fn reduce(
    gathered: &mut Gathered<'_>,
    place: &Place,
    key: &str,
    shelf: f64,
    surplus: &Surplus,
    before: f64,
) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = place;
    let daily = surplus.daily;
    // A price is reduced once, whatever else lies too long: the first place that is worth it has what sells at the others.
    let reduced = |of: &Proposal| matches!(&of.action, Action::Markdown { item: other, .. } if other == item);
    if gathered.proposals.iter().any(reduced) {
        return;
    }
    if shelf < 1.0 || before <= daily || shelf < SLOW_DAYS * daily {
        return;
    }
    let Some(list) = book.items.get(item).and_then(|i| i.list_price) else { return };
    let Some(cost_each) = gathered.cost(item) else { return };
    let (rate, rate_cite) = gathered.holding(item);
    let t0 = if daily > 0.0 { surplus.target / daily } else { 0.0 };
    let held = |left: f64, mu: f64| formulas::excess_cost(left.max(0.0), mu, surplus.cost.to_f64(), rate, t0);
    let doubt = Z90 * surplus.sigma / 28.0_f64.sqrt();
    let loss = |left: f64| range(held(left, daily + doubt), held(left, daily), held(left, (daily - doubt).max(0.0)));
    let amount = loss(surplus.units);
    let restores = scene.settings.costs.markdown_restores;
    let days = f64::from(DAYS);
    let elsewhere = sold_elsewhere(scene, place);
    let cut = |percent: f64| {
        // A reduction brings back demand that was there before, never more: in
        // a straight line up to the share that brings all of it.
        let back = if restores > 0.0 { (percent / restores).min(1.0) } else { 1.0 };
        let more = ((before - daily) * back * days).min(shelf);
        let sold = daily * days + more;
        let off = list.to_f64() * percent / 100.0;
        Cut { percent, sold, more, off, left: loss(surplus.units - more), given: Money::from_f64((sold + elsewhere) * off) }
    };
    // The check refuses a price below cost, so such a reduction is not compared in the first place.
    let above_cost = |percent: &f64| list.to_f64() * (1.0 - percent / 100.0) >= surplus.cost.to_f64();
    let worth = |cut: &Cut| amount.expected - cut.left.expected - cut.given;
    let best = PERCENTS.into_iter().filter(above_cost).map(cut).max_by_key(|cut| (worth(cut), -cut.given.minor));
    // Where no reduction brings back what it gives away there is nothing to decide, and nothing that could be avoided.
    let Some(cut) = best.filter(|cut| worth(cut) > Money::ZERO) else { return };
    let label = "holding cost of what lies here too long";
    let mut cites = vec![
        cost_each.cite,
        rate_cite,
        gathered.item_fact(item, "list_price", "list price", FactValue::Price(list)),
        gathered.place_fact(item, location, "target", "needed", units(surplus.target)),
        gathered.place_fact(item, location, "daily", "expected demand per day", units(daily)),
        gathered.place_fact(item, location, "level_before", "demand per day before", units(before)),
        gathered.place_fact(item, location, "shelf_excess", "in the house beyond the need", units(shelf)),
    ];
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    if !gathered.parts.contains_key(key) {
        cites.push(gathered.place_fact(item, location, "shelf_cost", label, FactValue::Money(amount.expected)));
        gathered.lose_by(key, format!("{label}: {name}"), amount, cites.clone(), Made::Excess(surplus.clone()));
    }
    let usual = before * days;
    let regret = Money::from_f64((usual + elsewhere) * cut.off);
    let source = item_ref(item);
    cites.extend([
        gathered.place_fact(item, location, "markdown_sold", "sells at the lower price", units(cut.sold)),
        gathered.place_fact(item, location, "markdown_more", "of it because of the price", units(cut.more)),
        gathered.place_fact(item, location, "markdown_elsewhere", "sells meanwhile elsewhere than", units(elsewhere)),
        gathered.place_fact(item, location, "markdown_percent", "reduction", FactValue::percent(cut.percent)),
        gathered.place_fact(item, location, "cost_markdown", "reduction on what sells", FactValue::Money(cut.given)),
        gathered.place_fact(item, location, "regret_markdown", "reduction on the usual demand", FactValue::Money(regret)),
        gathered.assume(source, "restores", "reduction that brings all of the demand back (setting)", restores / 100.0),
    ]);
    let (from, to) = (gathered.tomorrow(), plus_days(gathered.tomorrow(), DAYS - 1));
    gathered.proposals.push(Proposal {
        action: Action::Markdown { item: item.clone(), percent: cut.percent, from, to },
        summary: format!("Reduce the price of {} by {:.0} % from {from} to {to}.", book.item_label(item), cut.percent),
        then: Vec::new(),
        after: BTreeMap::from([(key.to_owned(), Left::Amount(cut.left))]),
        cost: cut.given,
        regret,
        value: cut.given,
        latest: gathered.today_plus(14),
        cites,
        change: Some(Change::Reduced {
            surplus: surplus.clone(),
            more: cut.more,
            sold: cut.sold,
            off: cut.off,
            before: usual,
            elsewhere,
        }),
    });
}

/// Largest reduction of a price, in percent.
const PERCENT_MOST: f64 = 90.0;

/// MARKDOWN.
pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let Action::Markdown { item, percent, from, to } = action else { return };
    let book = scene.book;
    let known = book.items.get(item);
    // A price holds in every company, so the dearest cost must still be covered.
    let kept = known.and_then(|i| Some((i.list_price?.0, i.dearest_cost()?.0)));
    let share = Decimal::from_f64_retain((1.0 - percent / 100.0).max(0.0)).unwrap_or(Decimal::ZERO);
    let above = kept.is_some_and(|(price, cost)| price * share >= cost);
    c.hard("price stays above cost", above, format!("{percent:.1} % off"));
    c.hard("a reduction", *percent > 0.0 && *percent <= PERCENT_MOST, format!("{percent:.1} %"));
    // Two reductions of one item at one time add up to a price that nobody meant.
    let reduced = book.promotions(item).iter().any(|p| p.from <= *from && *from <= p.to);
    c.hard("not marked down already", !reduced, from.to_string());
    not_past(scene, c, "first day is not past", *from);
    c.hard("period is in order", to >= from, format!("{from} to {to}"));
    // Its money is that of so many days: each day more gives away what nobody has counted.
    let days = days_between(*from, *to) + 1;
    c.hard("no longer than its money was computed for", days <= DAYS, format!("{days} ≤ {DAYS} days"));
}
