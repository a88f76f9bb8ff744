//! TRANSFER: stock from the locations that can spare most (handbook §5).

use crate::assess::checks::{Checks, known_place, not_past};
use crate::assess::gathered::{self, Gathered, Proposal, units};
use crate::assess::projection::{self, Projection, in_days};
use crate::assess::shortage::{self, Short};
use crate::assess::{frozen, working};
use crate::place_key;
use crate::scene::Scene;
use jiff::civil::Date;
use reeve_domain::action::Action;
use reeve_domain::book::Place;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::workings::{self, Change};
use reeve_models::formulas;

/// Donors offered at most.
const DONORS: usize = 2;

/// What giving units away adds to a donor's own loss, in the margin that they bring where they go. The donor is named as
/// workings name it.
pub(in crate::assess) fn donor_risk(scene: &Scene<'_>, from: &str, quantity: f64, margin: f64) -> Money {
    let Some(donor) = place_key::ids(from) else { return Money::ZERO };
    // Looked at until the donor's next receipt: what it lacks after that it could have ordered.
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
pub(in crate::assess) fn transfers(gathered: &mut Gathered<'_>, short: &Short) {
    let scene = gathered.scene;
    let (item, to) = &short.place;
    for (spare, donor) in donors(gathered, item, to).into_iter().take(DONORS) {
        // What would arrive when the missing units come anyway saves nothing.
        let days = arrivals_before(scene, &donor.1, to, short.relief());
        let Some(&day) = days.first() else { continue };
        let moved = Quantity::floor_units(short.need(scene, day).min(spare.units));
        if moved >= Quantity::units(1) {
            let proposal = one(gathered, short, &donor, moved, "");
            gathered.proposals.extend(proposal);
        }
    }
}

/// The same move of fewer units, beside others that fill the place, too.
pub(in crate::assess) fn besides(
    gathered: &mut Gathered<'_>,
    short: &Short,
    from: &LocationId,
    moved: Quantity,
) -> Option<Proposal> {
    one(gathered, short, &(short.place.0.clone(), from.clone()), moved, "besides_")
}

/// A move of so many units. `kind` tells its facts from those of another move on the same lane.
fn one(gathered: &mut Gathered<'_>, short: &Short, donor: &Place, moved: Quantity, kind: &str) -> Option<Proposal> {
    let scene = gathered.scene;
    let (item, to) = &short.place;
    let costs = &scene.settings.costs;
    let from = &donor.1;
    let spare = projection::spare(scene, donor);
    let days = arrivals_before(scene, from, to, short.relief());
    let (&day, later) = days.split_first()?;
    let quantity = moved.to_f64();
    let own = Projection::now(scene, donor);
    let change = Change::Moved {
        place: frozen::name(&short.place),
        from: frozen::name(donor),
        quantity,
        day: Some(day),
        later: later.to_vec(),
    };
    // The donor may run out because of it: that is a part of what remains, not of what it costs.
    let risk = donor_risk(scene, &frozen::name(donor), quantity, short.margin);
    let on_lane = |field: &str| format!("{kind}{field}@{from}-{to}");
    let per_unit = |q: f64| Money::from_f64(costs.transfer_per_unit.to_f64() * q);
    let cost = costs.transfer_fixed + per_unit(quantity);
    // If nobody asks for them there, about half of them have to go back.
    let regret = costs.transfer_fixed + per_unit(quantity / 2.0);
    // People see a proposal in the morning and decide during the day: the lorry of today has left by then.
    let (ship_on, arrives) = working::trip(scene, from, to, gathered.tomorrow());
    let summary = format!(
        "Move {moved} units of {} from {} to {}, shipping {ship_on}.",
        scene.book.item_label(item),
        scene.book.location_name(from),
        scene.book.location_name(to),
    );
    let relief = plus_days(scene.book.today, in_days(short.relief()));
    // Relief by an overdue receipt is a guess and not a promise. The card must not show the two under one name.
    let (relief_field, relief_label) = if short.now.arrivals.iter().any(|a| a.day == short.relief() && !a.firm) {
        ("relief_assumed", "what is missing is assumed to come anyway")
    } else {
        ("relief", "what is missing comes anyway")
    };
    let cites = vec![
        gathered.place_fact(item, from, "available", "available", FactValue::Quantity(scene.book.available(item, from))),
        gathered.place_fact(item, from, "own_days", "days until its next receipt", FactValue::days(f64::from(spare.days))),
        gathered.place_fact(item, from, "own_daily", "own demand per day", units(spare.daily)),
        gathered.place_fact(item, from, "own_safety", "own safety stock", units(spare.safety)),
        gathered.place_fact(item, from, "transferable", "can be spared", units(spare.units)),
        gathered.item_fact(item, &on_lane("moved"), "to be moved", FactValue::Quantity(moved)),
        gathered.item_fact(item, &on_lane("arrives"), "arrives", FactValue::Date(arrives)),
        gathered.place_fact(item, to, relief_field, relief_label, FactValue::Date(relief)),
        gathered.item_fact(item, &on_lane("cost_transfer"), "cost of the transfer", FactValue::Money(cost)),
        gathered.item_fact(item, &on_lane("regret_transfer"), "cost of moving half of it back", FactValue::Money(regret)),
        gathered.item_fact(item, &on_lane("risk_transfer"), "added lost margin of the donor", FactValue::Money(risk)),
    ];
    // Frozen whole, so that whoever checks the card can compute what the donor could spare.
    let promised = scene.promised.get(donor).map_or(0.0, |q| q.to_f64());
    let frozen_donor = workings::Donor {
        available: spare.available,
        promised,
        days: spare.days,
        daily: spare.daily,
        sigma: scene.outlook.per_day(donor).1,
        receipts: frozen::receipts(&own),
    };
    gathered.workings.donors.insert(frozen::name(donor), frozen_donor);
    frozen::forecast(gathered, donor, spare.days);
    // The last day on which a shipment still arrives before relief.
    let latest = gathered.today_plus(in_days(1 + later.len() as u32));
    Some(Proposal {
        action: Action::Transfer { item: item.clone(), from: from.clone(), to: to.clone(), quantity: moved, ship_on },
        summary,
        then: Vec::new(),
        after: short.after(scene, &change),
        cost,
        regret,
        value: cost,
        latest,
        cites,
        change: Some(change),
    })
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
    // Shops that are served first keep their stock: they give only where nobody else can.
    let served = |place: &Place| scene.settings.priority.of_location(scene.book, &place.1);
    donors.sort_by(|a, b| {
        let by_class = served(&b.1).cmp(&served(&a.1));
        by_class.then_with(|| b.0.units.total_cmp(&a.0.units)).then_with(|| a.1.cmp(&b.1))
    });
    donors
}

pub(in crate::assess) fn check(
    scene: &Scene<'_>,
    c: &mut Checks,
    item: &ItemId,
    from: &LocationId,
    to: &LocationId,
    quantity: Quantity,
    ship_on: Date,
) {
    let book = scene.book;
    known_place(scene, c, item, from);
    known_place(scene, c, item, to);
    c.hard("lane has two ends", from != to, format!("{} to {}", book.location_name(from), book.location_name(to)));
    // Stock of another company is another company's property: moving it is a sale, with an invoice and a tax.
    let owners = [from, to].map(|l| book.company_of(l).map_or_else(|| "no company".to_owned(), |c| book.company_label(c)));
    let detail = if owners[0] == owners[1] { owners[0].clone() } else { owners.join(" to ") };
    c.hard("companies may transfer", book.may_transfer(from, to), detail);
    c.hard("receiver carries the item", book.carries(item, to), book.location_name(to));
    let spare = Quantity::floor_units(projection::spare(scene, &(item.clone(), from.clone())).units);
    let fits = quantity.is_positive() && quantity <= spare;
    c.hard("quantity ≤ transferable", fits, format!("{quantity} ≤ {spare}"));
    // Between draft and click another case may have come to need the same units.
    let owner = gathered::needed_elsewhere(scene, item, from);
    let detail = owner.map_or_else(|| "no other case".to_owned(), |o| format!("short in {o}"));
    c.hard("donor is not short itself", owner.is_none(), detail);
    not_past(scene, c, "shipping date is not past", ship_on);
    let arrives = working::trip(scene, from, to, ship_on).1;
    let place = (item.clone(), to.clone());
    let need = crate::assess::needs(scene).get(&place).copied().unwrap_or_default();
    // Relief is computed anew: a receipt that was booked meanwhile can make the trip useless.
    let relief = plus_days(book.today, projection::in_days(shortage::relief(scene, &place, need)));
    c.hard("arrives before what is missing comes anyway", arrives < relief, format!("{arrives} < {relief}"));
    let promotion = book.promotions_at(item, from).find(|p| p.to >= book.today && p.from <= plus_days(book.today, 14));
    let detail = promotion.map_or_else(|| "none".to_owned(), |p| format!("from {} to {}", p.from, p.to));
    c.soft("no promotion within 14 days", promotion.is_none(), detail);
}
