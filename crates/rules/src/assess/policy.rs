//! Policy: what a wrong reorder rule loses in a cycle, and who can take less than a least order (handbook §4.5).

use crate::role::Role;
use reeve_domain::action::Param;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::money::Quantity;
use reeve_domain::record::{RecordKind, RecordRef};
use reeve_domain::workings::Made;
use reeve_models::formulas;

use super::act::adjust_param::{Cure, adjust};
use super::gathered::{Gathered, Question, item_ref, place_of, range, units};
use super::projection;

/// A cycle is at most so many days long: longer ones come of a level that hardly anything sells from.
const CYCLE_DAYS_MOST: f64 = 365.0;

/// A reorder rule that does not fit the demand. At stake is what one cycle loses at the minimum in force beside the same at the
/// reorder point that demand and lead time ask for; what the cure costs to hold is its cost, not the stake.
pub(super) fn parameter(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &place;
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let rule = book.rule(item, location).cloned();
    ask(gathered, exception, &name);
    let crossed = rule.as_ref().is_some_and(|rule| rule.max.is_positive() && rule.min > rule.max);
    // What an order comes to under a rule that contradicts itself nobody knows.
    if crossed {
        return;
    }
    let Some(supplier) = projection::offer(book, &place).map(|offer| offer.supplier.clone()) else { return };
    let Some(lead) = projection::lead_time(book, &place, &supplier) else { return };
    let Some((margin, mut cites)) = gathered.margin(item) else { return };
    let (recapture, recapture_cite) = gathered.recapture(item);
    let (daily, sigma) = scene.outlook.per_day(&place);
    let (mu, sd) = formulas::lead_time_demand(daily, sigma, lead.days, lead.sd);
    let needed = formulas::reorder_point(mu, formulas::safety_stock(projection::service_z(scene), sd));
    let in_force = rule.as_ref().map_or(0.0, |rule| rule.min.to_f64());
    let short = formulas::late_reorder_shortage(mu, sd, in_force, needed);
    let lost = formulas::lost_margin(short, margin, recapture);
    // One cycle may pass without a shortage or bring twice the mean: the range says so.
    let amount = range(0.0, lost, 2.0 * lost);
    let label = "margin lost in one cycle by the rule";
    cites.extend([
        recapture_cite,
        gathered.place_fact(item, location, "param_lead", "lead time of its orders", FactValue::days(lead.days)),
        gathered.place_fact(item, location, "protection", "the ERP's reorder minimum", units(in_force)),
        gathered.place_fact(item, location, "protection_needed", "reorder point that it should have", units(needed)),
        gathered.place_fact(item, location, "cycle_demand", "expected demand in that lead time", units(mu)),
        gathered.place_fact(item, location, "cycle_sigma", "deviation of that demand", units(sd)),
        gathered.place_fact(item, location, "cycle_short", "units short in one cycle because of it", units(short)),
        gathered.place_fact(item, location, "cycle_loss", label, FactValue::Money(amount.expected)),
    ]);
    let key = format!("policy:{item}@{location}");
    let made = Made::Rule { daily, sigma, lead: lead.days, lead_sd: lead.sd, in_force, margin };
    gathered.lose_by(&key, format!("{label}: {name}"), amount, cites, made);
    // A minimum that is too high loses no sales: what it holds too much is an excess, and counted there.
    let Some(rule) = rule.filter(|_| needed > in_force) else { return };
    let review = projection::review_days(book, &supplier, location);
    let gap = (rule.max - rule.min).to_f64();
    // A cycle is as long as one order lasts, but nobody orders more often than in the shop's rhythm.
    let cycle = if daily > 0.0 { (gap / daily).clamp(review, CYCLE_DAYS_MOST) } else { CYCLE_DAYS_MOST };
    let Some(cost_each) = gathered.cost(item) else { return };
    adjust(
        gathered,
        Cure {
            place: &place,
            param: Param::ReorderPoint,
            record: rule.id.clone(),
            old: rule.min,
            new: Quantity::ceil_units(needed),
            more: vec![(needed - in_force, cost_each.price, cycle)],
            keys: &[key],
            cycle,
        },
    );
}

fn ask(gathered: &mut Gathered<'_>, exception: &Exception, name: &str) {
    let source = match exception.signal.facts.iter().find(|fact| fact.source.kind == RecordKind::ReorderRule) {
        Some(fact) => fact.source.clone(),
        None => exception.signal.subject.item.as_ref().map_or_else(|| RecordRef::new(RecordKind::Item, ""), item_ref),
    };
    gathered.contact(&Question {
        role: Role::DataOwner,
        partner: "data owner",
        about: &format!("the reorder rule of {name}: which minimum and maximum should it have"),
        // The answer changes the rule and no loss by itself, so the question claims none.
        keys: &[],
        left: 1.0,
        latest: gathered.today_plus(14),
        source,
    });
    gathered.escalate(&format!("which reorder rule {name} should have"), "purchasing (master data)");
    gathered.watch.get_or_insert_with(|| format!("the next orders of {name} come in time all the same"));
}

/// A least order that is far more than is needed. What holding the rest costs is lost only by ordering, so it is a cost of the order
/// (NEW-PO) and no loss of doing nothing: here is only asked who can take a smaller one.
pub(super) fn minimum(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &place;
    let Some(offer) = projection::offer(book, &place) else { return };
    let Some(levels) = projection::levels(scene, &place, &offer.supplier) else { return };
    let position = projection::position(book, &place);
    let need = levels.up_to - position;
    let Some((offer, order)) = projection::ordered_by(book, &place, &offer.supplier, need) else { return };
    let over = order.to_f64() - need;
    if need <= 0.0 || over < 1.0 {
        return;
    }
    let listed = RecordRef::new(RecordKind::SupplierPrice, offer.id.clone());
    gathered.fact(listed.clone(), "min_qty", "least order", FactValue::Quantity(offer.min_qty));
    gathered.place_fact(item, location, "moq_position", "available and on order", units(position));
    gathered.place_fact(item, location, "up_to", "order-up-to level", units(levels.up_to));
    gathered.place_fact(item, location, "moq_over", "ordered beyond the need", units(over));
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: offer.supplier.as_str(),
        about: &format!("{}: a smaller least order, or one together with other items", book.item_label(item)),
        keys: &[],
        left: 1.0,
        latest: gathered.today_plus(7),
        source: listed,
    });
}
