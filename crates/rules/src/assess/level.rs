//! A level of demand that has risen: until the rule, or whoever orders, goes by it, each cycle is short (handbook §4.1, D-SHIFT).

use super::act::adjust_param::{self, Cure};
use super::act::forecast_fix;
use super::gathered::{Gathered, range, units};
use super::projection;
use super::surplus::level_change;
use reeve_domain::action::Param;
use reeve_domain::book::Place;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::money::Quantity;
use reeve_domain::workings::Made;
use reeve_models::formulas;

/// What the next cycle at a place loses while it is reordered for the demand of before, and what ends that: the ERP's rule where
/// it has one, else the forecast that people order by.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception, place: &Place) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = place;
    let key = format!("policy:{item}@{location}");
    // Another exception of the case may have counted the same cycle, and another case the same shortage.
    let told = gathered.parts.contains_key(&key) || gathered.owned_elsewhere(item, location).is_some();
    if told || !scene.outlook.daily.contains_key(place) {
        return;
    }
    let Some(offer) = projection::offer(book, place) else { return };
    let Some(lead) = projection::lead_time(book, place, &offer.supplier) else { return };
    let (before, after) = level_change(book, exception, place);
    // A level that fell leaves too much, not too little.
    if after <= before {
        return;
    }
    let Some((margin, mut cites)) = gathered.margin(item) else { return };
    let Some(cost) = gathered.cost(item) else { return };
    let (recapture, recapture_cite) = gathered.recapture(item);
    cites.push(recapture_cite);
    let sigma = scene.outlook.per_day(place).1;
    // The same doubt and lead time on both sides, so that the difference is what the level alone has changed.
    let point = |daily: f64| {
        let (mu, sd) = formulas::lead_time_demand(daily, sigma, lead.days, lead.sd);
        formulas::reorder_point(mu, formulas::safety_stock(projection::service_z(scene), sd))
    };
    let rule = book.rule(item, location).filter(|rule| rule.min.is_positive());
    let minimum = rule.map(|rule| rule.min.to_f64());
    let in_force = minimum.unwrap_or(point(before));
    // A generous minimum may cover the new level already: then nothing is lost.
    let needed = point(after).max(in_force);
    let (mu, sd) = formulas::lead_time_demand(after, sigma, lead.days, lead.sd);
    let short = formulas::late_reorder_shortage(mu, sd, in_force, needed);
    let lost = formulas::lost_margin(short, margin, recapture);
    // One cycle may end well or badly: a mean over cycles says little of the next one, so the range is wide.
    let amount = range(0.0, lost, 2.0 * lost);
    if amount.expected.minor <= 0 {
        return;
    }
    let label = if rule.is_some() { "the ERP's reorder minimum" } else { "reorder point for the demand of before" };
    cites.extend([
        gathered.place_fact(item, location, "level_before", "demand per day before", units(before)),
        gathered.place_fact(item, location, "level_after", "demand per day since", units(after)),
        gathered.item_fact(
            item,
            &format!("lead_time@{}", offer.supplier),
            "lead time of an order",
            FactValue::days(lead.days),
        ),
        gathered.place_fact(item, location, "protection", label, units(in_force)),
        gathered.place_fact(item, location, "protection_needed", "reorder point for the demand now", units(needed)),
        gathered.place_fact(item, location, "cycle_short", "units short in one cycle because of it", units(short)),
    ]);
    let loss = "margin lost in the next cycle";
    cites.push(gathered.place_fact(item, location, "cycle_loss", loss, FactValue::Money(amount.expected)));
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let lead_days = lead.days;
    let made = Made::Level { before, after, sigma, lead: lead_days, lead_sd: lead.sd, minimum, margin };
    gathered.lose_by(&key, format!("lost margin of the next cycle, reordered as before: {name}"), amount, cites, made);
    let keys = [key];
    let Some(rule) = rule else { return forecast_fix::raise(gathered, exception, place, (before, after), &keys) };
    // More than half as much again is for a person: the level may not be the whole story.
    let new = Quantity::ceil_units(needed);
    let review = projection::review_days(book, &offer.supplier, location);
    let gap = (rule.max - rule.min).to_f64();
    let cycle = if after > 0.0 { (gap / after).max(review) } else { review };
    let more = vec![(needed - in_force, cost.price, cycle)];
    let (param, record) = (Param::ReorderPoint, rule.id.clone());
    adjust_param::adjust(gathered, Cure { place, param, record, old: rule.min, new, more, keys: &keys, cycle });
    if new.0 > rule.min.0 * rust_decimal::Decimal::new(15, 1) || (rule.max.is_positive() && new > rule.max) {
        gathered.escalate("by how much the reorder minimum should rise", "planner");
    }
}
