//! What helps a place that has too little: stock from elsewhere, an open line sooner, a new order, a question about what is
//! overdue (handbook §5).

use rust_decimal::prelude::ToPrimitive;

use crate::place_key;
use crate::role::Role;
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{RecordKind, RecordRef};
use reeve_domain::workings::{self, Change};
use reeve_models::formulas;

use super::frozen;
use super::gathered::{Gathered, Proposal, Question, half, item_ref, line_ref, units};
use super::projection::{self, Projection, in_days};
use super::shortage::{Short, keys};
use super::working;

/// Share of an overdue delivery's loss that remains after asking the supplier: three in ten answers bring it forward.
const LEFT_AFTER_CONTACT: f64 = 0.7;
/// Donors offered at most.
const DONORS: usize = 2;
/// Open lines offered for expediting at most.
const LINES: usize = 2;

/// What giving units away adds to a donor's own loss, in the margin that they bring where they go. The donor is named as
/// workings name it.
pub(super) fn donor_risk(scene: &Scene<'_>, from: &str, quantity: f64, margin: f64) -> Money {
    let Some(donor) = place_key::ids(from) else { return Money::ZERO };
    let days = projection::spare(scene, &donor).days;
    let own = Projection::now(scene, &donor);
    let short = |stock: &Projection| stock.shortage(scene, days, 0.0).units;
    let more = short(&own.with_supply(own.supply - quantity)) - short(&own);
    Money::from_f64(formulas::lost_margin(more.max(0.0), margin, scene.settings.money.recapture))
}

/// The days on which a transfer arrives, decided today, tomorrow and so on, as long as it arrives before day `relief`.
fn arrivals_before(scene: &Scene<'_>, from: &LocationId, to: &LocationId, relief: u32) -> Vec<u32> {
    let day = |wait: u32| working::trip(scene, from, to, plus_days(scene.book.today, in_days(wait + 1))).1;
    let days = (0..relief).map(|wait| days_between(scene.book.today, day(wait)).max(1) as u32);
    days.take_while(|day| *day < relief).collect()
}

/// Moves stock from the locations that can spare most, if it arrives before what is missing comes anyway.
pub(super) fn transfers(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let (item, to) = &short.place;
    let costs = &scene.settings.costs;
    for (spare, donor) in donors(gathered, item, to).into_iter().take(DONORS) {
        let from = &donor.1;
        // What would arrive when the missing units come anyway saves nothing.
        let days = arrivals_before(scene, from, to, short.relief());
        let Some((&day, later)) = days.split_first() else { continue };
        let moved = Quantity::floor_units(short.need(scene, day).min(spare.units));
        let quantity = moved.to_f64();
        if quantity < 1.0 {
            continue;
        }
        let own = Projection::now(scene, &donor);
        let change = Change::Moved {
            place: frozen::name(&short.place),
            from: frozen::name(&donor),
            quantity,
            day: Some(day),
            later: later.to_vec(),
        };
        // The donor may run out because of it: that is a part of what remains, not of what it costs.
        let risk = donor_risk(scene, &frozen::name(&donor), quantity, short.margin);
        let on_lane = |field: &str| format!("{field}@{from}-{to}");
        let per_unit = |q: f64| Money::from_f64(costs.transfer_per_unit.to_f64() * q);
        let cost = costs.transfer_fixed + per_unit(quantity);
        // If nobody asks for them there, about half of them have to go back.
        let regret = costs.transfer_fixed + per_unit(quantity / 2.0);
        let (ship_on, arrives) = working::trip(scene, from, to, gathered.tomorrow());
        let summary = format!(
            "Move {moved} units of {} from {} to {}, shipping {ship_on}.",
            scene.book.item_label(item),
            scene.book.location_name(from),
            scene.book.location_name(to),
        );
        let relief = plus_days(scene.book.today, in_days(short.relief()));
        let (relief_field, relief_label) = if short.now.arrivals.iter().any(|a| a.day == short.relief() && !a.firm) {
            ("relief_assumed", "what is missing is assumed to come anyway")
        } else {
            ("relief", "what is missing comes anyway")
        };
        let cites = vec![
            gathered.place_fact(item, from, "available", "available", FactValue::Quantity(scene.book.available(item, from))),
            gathered.place_fact(
                item,
                from,
                "own_days",
                "days until its next receipt",
                FactValue::days(f64::from(spare.days)),
            ),
            gathered.place_fact(item, from, "own_daily", "own demand per day", units(spare.daily)),
            gathered.place_fact(item, from, "own_safety", "own safety stock", units(spare.safety)),
            gathered.place_fact(item, from, "transferable", "can be spared", units(spare.units)),
            gathered.item_fact(item, &on_lane("moved"), "to be moved", FactValue::Quantity(moved)),
            gathered.item_fact(item, &on_lane("arrives"), "arrives", FactValue::Date(arrives)),
            gathered.place_fact(item, to, relief_field, relief_label, FactValue::Date(relief)),
            gathered.item_fact(item, &on_lane("cost_transfer"), "cost of the transfer", FactValue::Money(cost)),
            gathered.item_fact(
                item,
                &on_lane("regret_transfer"),
                "cost of moving half of it back",
                FactValue::Money(regret),
            ),
            gathered.item_fact(item, &on_lane("risk_transfer"), "added lost margin of the donor", FactValue::Money(risk)),
        ];
        // Frozen whole, so that whoever checks the card can compute what the donor could spare.
        let promised = scene.promised.get(&donor).map_or(0.0, |q| q.to_f64());
        let frozen_donor = workings::Donor {
            available: spare.available,
            promised,
            days: spare.days,
            daily: spare.daily,
            sigma: scene.outlook.per_day(&donor).1,
            receipts: frozen::receipts(&own),
        };
        gathered.workings.donors.insert(frozen::name(&donor), frozen_donor);
        frozen::forecast(gathered, &donor, spare.days);
        // The last day on which a shipment still arrives before relief.
        let latest = gathered.today_plus(in_days(1 + later.len() as u32));
        gathered.proposals.push(Proposal {
            action: Action::Transfer { item: item.clone(), from: from.clone(), to: to.clone(), quantity: moved, ship_on },
            summary,
            after: short.after(scene, &change),
            cost,
            regret,
            value: cost,
            latest,
            cites,
            change: Some(change),
        });
    }
}

/// The locations that could spare a unit: those that are served last first, and of them those that can spare most. Where another case needs the stock, there is none to
/// spare, whatever the forecast says.
fn donors(gathered: &Gathered<'_>, item: &ItemId, to: &LocationId) -> Vec<(projection::Spare, Place)> {
    let scene = gathered.scene;
    let mut donors: Vec<(projection::Spare, Place)> = scene
        .book
        .stocked_at(item)
        .into_iter()
        .filter(|l| l != to && scene.book.may_transfer(l, to) && gathered.needed_elsewhere(item, l).is_none())
        .map(|l| (item.clone(), l))
        .map(|donor| (projection::spare(scene, &donor), donor))
        .filter(|(spare, _)| spare.units >= 1.0)
        .collect();
    let served = |place: &Place| scene.settings.priority.of_location(scene.book, &place.1);
    donors.sort_by(|a, b| {
        let by_class = served(&b.1).cmp(&served(&a.1));
        by_class.then_with(|| b.0.units.total_cmp(&a.0.units)).then_with(|| a.1.cmp(&b.1))
    });
    donors
}

/// Brings open lines forward that are not due before a transfer would arrive.
pub(super) fn expedites(gathered: &mut Gathered<'_>, short: &Short) {
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
        };
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
        let cites = vec![
            gathered.fact(source.clone(), "price", &format!("price on {}", line.order_name), FactValue::Price(price)),
            gathered.fact(source.clone(), "expedite_quantity", "to be brought forward", FactValue::Quantity(quantity)),
            gathered.fact(source.clone(), "expedite_date", "earliest date if expedited", FactValue::Date(new_date)),
            gathered.fact(source, "cost_expedite", "cost of expediting", FactValue::Money(cost)),
        ];
        let latest = gathered.today_plus(in_days(1 + later.len() as u32));
        gathered.proposals.push(Proposal {
            action: Action::Expedite { po_line: line.id.clone(), quantity, new_date, surcharge_max: cost },
            summary,
            after: short.after(scene, &change),
            cost,
            regret: Money::ZERO,
            value: cost,
            latest,
            cites,
            change: Some(change),
        });
    }
}

/// Orders up to the level, where an order is due.
pub(super) fn new_order(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let book = scene.book;
    let (item, location) = &short.place;
    let Some(offer) = projection::offer(book, &short.place) else {
        gathered.miss(format!("supplier with a valid price for {}", book.item_label(item)), "a purchase order");
        return;
    };
    let Some(price) = offer.price else {
        gathered.miss(format!("supplier price of {}", book.item_label(item)), "the value of a purchase order");
        return;
    };
    let Some(lead) = projection::lead_time(book, &short.place, &offer.supplier) else { return };
    let Some(levels) = projection::levels(scene, &short.place, &offer.supplier) else { return };
    // Above the reorder point the usual rhythm is early enough, and an order more would be stock too much.
    let position = projection::position(book, &short.place);
    if position >= levels.reorder {
        return;
    }
    let multiple = book.rule(item, location).map_or(1.0, |r| r.multiple.to_f64());
    // Up to the level, in whole packs, and no less than the supplier delivers.
    let need = formulas::order_quantity(levels.up_to, position, offer.min_qty.to_f64(), multiple);
    let quantity = Quantity::ceil_units(need);
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
    let cost = scene.settings.costs.order_fixed;
    let value = quantity * price;
    let summary = format!(
        "Order {quantity} units of {} for {} from {} at {price}, needed by {need_date}.",
        book.item_label(item),
        book.location_name(location),
        book.supplier_name(&offer.supplier),
    );
    let listed = RecordRef::new(RecordKind::SupplierPrice, offer.id.clone());
    let cites = vec![
        cost_each.cite,
        rate_cite,
        gathered.fact(listed.clone(), "price", "supplier price", FactValue::Price(price)),
        gathered.fact(listed, "min_qty", "least order", FactValue::Quantity(offer.min_qty)),
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
        gathered.fact(item_ref(item), "cost_order", "cost of an order (setting)", FactValue::Money(cost)),
    ];
    // What is lost until an order arrives can not be saved by it; each day of waiting adds to the rest.
    let latest = gathered.today_plus(in_days(short.until()) - in_days(day));
    let change = Change::Ordered {
        place: frozen::name(&short.place),
        quantity: quantity.to_f64(),
        day,
        sd: lead.sd,
        cost: cost_each.price,
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
        after: short.after(scene, &change),
        cost,
        regret,
        value,
        latest,
        cites,
        change: Some(change),
    });
}

/// Asks after what is overdue.
pub(super) fn questions(gathered: &mut Gathered<'_>, short: &Short) {
    for arrival in short.now.arrivals.iter().filter(|a| !a.firm) {
        ask_overdue(gathered, &arrival.po_line, &keys(&short.place));
    }
}

/// Asks the supplier of an overdue line when the rest will arrive. Lines of one order make one question.
pub(super) fn ask_overdue(gathered: &mut Gathered<'_>, po_line: &str, keys: &[String]) {
    let book = gathered.scene.book;
    let Some(line) = book.po_lines.get(po_line) else { return };
    let about = format!("order {}, which is past its promised day: when will the rest arrive", line.order_name);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: line.supplier.as_str(),
        about: &about,
        keys,
        left: LEFT_AFTER_CONTACT,
        latest: gathered.answer_by(),
        source: line_ref(po_line),
    });
}
