//! EXPEDITE: an open line sooner, for a surcharge (handbook §5).

use crate::assess::checks::{Checks, open_line};
use crate::assess::gathered::{Gathered, Proposal, line_ref};
use crate::assess::projection::{self, in_days};
use crate::assess::shortage::{self, Short};
use crate::assess::{frozen, needs, places_served, probability};
use crate::scene::Scene;
use jiff::civil::Date;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::workings::Change;
use rust_decimal::prelude::ToPrimitive;

/// Open lines offered for expediting at most.
const LINES: usize = 2;

/// Brings open lines forward that are not due before a transfer would arrive.
pub(in crate::assess) fn expedites(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let costs = &scene.settings.costs;
    // What is overdue is owed already: nobody pays a surcharge for it, and asking when it comes goes first.
    let due_later: Vec<_> =
        short.now.arrivals.iter().filter(|a| a.firm && a.day > costs.transfer_days).take(LINES).collect();
    for arrival in due_later {
        let Some(line) = scene.book.po_lines.get(&arrival.po_line) else { continue };
        let Some((_, new_date)) = projection::earliest_expedite(scene, line) else { continue };
        // The days on which it would come if it were decided today, tomorrow and so on, while that is sooner than otherwise.
        let sooner = |wait: &u32| {
            let day = projection::expedited(scene, arrival.day, *wait);
            (day < arrival.day.min(short.relief())).then_some(day)
        };
        let days: Vec<u32> = (0..arrival.day).map_while(|wait| sooner(&wait)).collect();
        let Some((&day, later)) = days.split_first() else { continue };
        let Some(price) = line.price else {
            gathered.miss(format!("price of {} on {}", scene.book.item_label(&line.item), line.order_name), "the surcharge");
            continue;
        };
        // A kit is asked for as a whole, and helps by what it holds of the item.
        let per = scene.book.per_unit(&line.id, &short.place.0).to_f64().filter(|per| *per > 0.0).unwrap_or(1.0);
        let quantity = scene.book.open_quantity(&line.id).min(Quantity::ceil_units(short.need(scene, day) / per));
        if !quantity.is_positive() {
            continue;
        }
        let is_kit = scene.book.is_kit(&line.id);
        let change = Change::Sooner {
            place: frozen::name(&short.place),
            line: line.id.clone(),
            quantity: (quantity.to_f64() * per).min(arrival.qty),
            kits: is_kit.then(|| quantity.to_f64()),
            day,
            later: later.to_vec(),
            price,
            refused: None,
        };
        // A surcharge is agreed as a share of the goods' value; the fixed part is the work of arranging it.
        let cost = costs.expedite_fixed + Money::from_f64((quantity * price).to_f64() * costs.expedite_rate);
        let label = scene.book.item_label(&line.item);
        let what = if is_kit {
            format!(
                "{quantity} kits of {label}, with {} of {} each,",
                Quantity::from_erp(per).unwrap_or_default(),
                scene.book.item_label(&short.place.0)
            )
        } else {
            format!("{quantity} units of {label}")
        };
        let summary = format!(
            "Ask {} to bring {what} on {} forward to {new_date}, surcharge at most {cost}.",
            scene.book.supplier_name(&line.supplier),
            line.order_name,
        );
        let source = line_ref(&line.id);
        let mut cites = vec![
            gathered.fact(source.clone(), "price", &format!("price on {}", line.order_name), FactValue::Price(price)),
            gathered.fact(source.clone(), "expedite_quantity", "to be brought forward", FactValue::Quantity(quantity)),
            gathered.fact(source.clone(), "expedite_date", "earliest date if expedited", FactValue::Date(new_date)),
            gathered.fact(source, "cost_expedite", "cost of expediting", FactValue::Money(cost)),
        ];
        if is_kit {
            let label = format!("of {} in each kit", scene.book.item_label(&short.place.0));
            let each = FactValue::Quantity(Quantity::from_erp(per).unwrap_or_default());
            cites.push(gathered.fact(line_ref(&line.id), &format!("per_kit@{}", short.place.0), &label, each));
        }
        let latest = gathered.today_plus(in_days(1 + later.len() as u32));
        gathered.proposals.push(Proposal {
            action: Action::Expedite { po_line: line.id.clone(), quantity, new_date, surcharge_max: cost },
            summary,
            then: Vec::new(),
            after: short.after(scene, &change),
            cost,
            // Goods that come sooner for nothing are goods that were ordered
            // anyway: beyond the surcharge nothing is spoiled.
            regret: Money::ZERO,
            value: cost,
            latest,
            cites,
            change: Some(change),
        });
    }
}

pub(in crate::assess) fn check(
    scene: &Scene<'_>,
    c: &mut Checks,
    po_line: &str,
    quantity: Quantity,
    new_date: Date,
    surcharge: Money,
) {
    let Some(line) = open_line(scene, c, po_line, quantity) else { return };
    let earliest = projection::earliest_expedite(scene, line);
    let feasible = earliest.is_some_and(|(_, day)| new_date >= day) && new_date > scene.book.today;
    let shown = earliest.map_or_else(|| "no receipt is planned".to_owned(), |(_, day)| format!("{new_date} ≥ {day}"));
    c.hard("new date can be reached", feasible, shown);
    let sooner =
        earliest.is_some_and(|(day, _)| days_between(scene.book.today, new_date) < i32::try_from(day).unwrap_or(i32::MAX));
    c.hard("new date is sooner than expected", sooner, new_date.to_string());
    let promised = scene.book.due(line);
    let owed = promised <= scene.book.today;
    let detail = format!("{surcharge}, promised for {promised}");
    c.hard("no surcharge on what is overdue", !owed || surcharge <= Money::ZERO, detail);
    let day = days_between(scene.book.today, new_date).max(0) as u32;
    let needs = needs(scene);
    let saved = |(place, units): &(Place, f64)| {
        let need = needs.get(place).copied().unwrap_or_default();
        // Of a kit a component may be here already, which comes no sooner.
        let to_come = projection::arrivals(scene.book, place).iter().filter(|a| a.po_line == po_line).map(|a| a.qty).sum();
        shortage::saved_by_expediting(scene, place, need, po_line, units.min(to_come), day).unwrap_or(0.0)
    };
    let served = places_served(scene.book, line, quantity.to_f64());
    // Computed again and not read off the card: since it was drafted
    // another receipt may have made the shortage smaller.
    let benefit = Money::from_f64(served.iter().map(saved).sum::<f64>() * probability(scene));
    c.hard("surcharge < benefit", surcharge < benefit, format!("{surcharge} < {benefit}"));
}
