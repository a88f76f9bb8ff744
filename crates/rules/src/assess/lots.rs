//! Lots: what is lost when they expire, and who can still sell them or take them back (handbook §4.2, §4.4).

use crate::detect::lots::{LeftOver, left_over};
use crate::role::Role;
use reeve_domain::action::Range;
use reeve_domain::book::Place;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::{FactId, LocationId};
use reeve_domain::lot::HeldLot;
use reeve_domain::record::{RecordKind, RecordRef};
use reeve_domain::workings::Made;

use super::gathered::{Gathered, Question, place_of, range, units};
use super::projection::Z90;

/// Share of what would expire that is lost after a store was asked to sell it first, and at a lower price near its day.
const LEFT_AFTER_SELLING: f64 = 0.6;
/// The same of what has expired: little of it can be given away or is taken back.
const LEFT_WHEN_EXPIRED: f64 = 0.9;
/// Share that remains after asking the supplier of a lot that came with too little life.
const LEFT_AFTER_CONTACT: f64 = 0.5;

/// The part of the loss that a lot is at a location.
fn key(lot: &str, location: &LocationId) -> String {
    format!("stale:lot-{lot}@{location}")
}

/// The lot that an exception cites.
fn lot_of(exception: &Exception) -> Option<&str> {
    exception.signal.facts.iter().map(|fact| &fact.source).find(|s| s.kind == RecordKind::Lot).map(|s| s.id.as_str())
}

/// What of a lot at a place will be left when it expires.
fn left_of<'b>(gathered: &Gathered<'b>, place: &Place, lot: &str) -> Option<(HeldLot<'b>, LeftOver)> {
    let scene = gathered.scene;
    let all = left_over(scene.book, scene.settings, scene.outlook, &place.0, &place.1);
    all.into_iter().find(|(held, _)| held.lot.id == lot)
}

/// Units at a place that are counted as a write-off when they expire: nobody holds them any longer than that (handbook §3.4).
pub(super) fn written_off(gathered: &Gathered<'_>, place: &Place) -> f64 {
    let scene = gathered.scene;
    let all = left_over(scene.book, scene.settings, scene.outlook, &place.0, &place.1);
    let counted = |held: &HeldLot<'_>| gathered.parts.contains_key(&key(&held.lot.id, &place.1));
    all.into_iter().filter(|(held, _)| counted(held)).map(|(_, left)| left.units).sum()
}

/// Counts what will be left of a lot, at cost. Gives back the part's key with what it cites.
fn count(gathered: &mut Gathered<'_>, place: &Place, held: &HeldLot<'_>, left: LeftOver) -> Option<(String, Vec<FactId>)> {
    let (item, location) = place;
    let book = gathered.scene.book;
    let cost = gathered.cost(item)?;
    let price = cost.price.to_f64();
    let LeftOver { supply, mu, sigma, before, units: expected } = left;
    // Sold that much less or more: the ends are where nine in ten lie.
    let at = |z: f64| ((supply - mu - z * sigma).max(0.0).max(before) - before).min(held.qty.to_f64());
    let amount = range(at(Z90) * price, expected * price, at(-Z90) * price);
    let source = RecordRef::new(RecordKind::Lot, held.lot.id.clone());
    let here = |field: &str| format!("{field}@{location}");
    let cites = vec![
        cost.cite,
        gathered.fact(source.clone(), &here("stale_supply"), "of it and of what expires before", units(supply)),
        gathered.fact(source.clone(), &here("stale_demand"), "expected to be sold until then", units(mu)),
        gathered.fact(source.clone(), &here("stale_sigma"), "deviation of that demand", units(sigma)),
        gathered.fact(source.clone(), &here("stale_before"), "left of what expires before", units(before)),
        gathered.fact(source.clone(), &here("stale_units"), "left of the lot when it expires", units(expected)),
        gathered.fact(source, &here("stale_cost"), "the same at cost", FactValue::Money(amount.expected)),
    ];
    let key = key(&held.lot.id, location);
    let what = format!("write-off at expiry: {} at {}", book.item_label(item), book.location_name(location));
    let made = Made::Stale { supply, mu, sigma, before, most: held.qty.to_f64(), cost: cost.price };
    gathered.lose_by(&key, what, amount, cites.clone(), made);
    Some((key, cites))
}

/// A lot of which something will be left when it expires: the store can sell it first and cheaper, as long as it sells at all.
pub(super) fn stale(gathered: &mut Gathered<'_>, exception: &Exception) {
    let (Some(place), Some(lot)) = (place_of(exception), lot_of(exception)) else { return };
    let Some((held, left)) = left_of(gathered, &place, lot) else { return };
    let book = gathered.scene.book;
    let Some((key, _)) = count(gathered, &place, &held, left) else { return };
    let label = book.item_label(&place.0);
    let over = held.expires_on <= book.today;
    let (about, left, latest) = if over {
        let about = format!("{label}: lot {} is past its day, take it off the shelf and say who takes it", held.lot.name);
        (about, LEFT_WHEN_EXPIRED, gathered.tomorrow())
    } else {
        let about =
            format!("{label}: sell lot {} first, and cheaper before it expires on {}", held.lot.name, held.expires_on);
        (about, LEFT_AFTER_SELLING, plus_days(held.expires_on, -1))
    };
    gathered.contact(&Question {
        role: Role::Store,
        partner: place.1.as_str(),
        about: &about,
        keys: &[key],
        left,
        latest,
        source: RecordRef::new(RecordKind::Lot, held.lot.id.clone()),
    });
    gathered.watch.get_or_insert_with(|| format!("lot {} of {label} sells faster than expected", held.lot.name));
}

/// A lot that came with too little life: what will be left of it is what is lost by that, and its supplier is asked.
pub(super) fn faulty(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let Some(lot) = lot_of(exception) else {
        // Goods without a lot: the warehouse knows which lots they are of, and no money hangs on it by itself.
        return gathered.escalate("which lots the goods without one belong to", "warehouse");
    };
    // Short-lived goods that will all be sold in time lose nothing; the supplier is asked in any case.
    let left = left_of(gathered, &place, lot).filter(|(_, left)| left.units >= 1.0);
    let counted = left.and_then(|(held, left)| count(gathered, &place, &held, left));
    let book = gathered.scene.book;
    let name = book.lots_of(&place.0).iter().find(|known| known.id == lot).map_or("", |lot| lot.name.as_str());
    let about = format!("lot {name} of {}: it came with too little shelf life", book.item_label(&place.0));
    let keys: Vec<String> = counted.into_iter().map(|(key, _)| key).collect();
    let source = RecordRef::new(RecordKind::Lot, lot);
    match exception.signal.subject.supplier.as_ref().filter(|supplier| book.suppliers.contains_key(*supplier)) {
        Some(supplier) => gathered.contact(&Question {
            role: Role::Supplier,
            partner: supplier.as_str(),
            about: &about,
            keys: &keys,
            left: LEFT_AFTER_CONTACT,
            latest: gathered.today_plus(gathered.scene.settings.detect.claim_days),
            source,
        }),
        None => gathered.escalate(&about, "warehouse"),
    }
    let certain = gathered.lost(keys.first().map_or("", String::as_str));
    if certain == Range::default() {
        gathered.watch.get_or_insert_with(|| format!("lot {name} is sold before it expires"));
    }
}
