//! Customers' orders that wait though they need not (handbook §4.4, §4.6). Where the goods are not there the shortage counts what
//! is lost; here is what is lost while they are.

use crate::detect::fulfil::{is_late, open_deliveries, stuck};
use crate::place_key;
use crate::role::Role;
use reeve_domain::action::Range;
use reeve_domain::book::Place;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{MoveKind, StockMove};
use reeve_models::formulas;

use super::gathered::{Gathered, Question, item_ref, place_of};
use super::shortage;
use super::stock;

/// Share of what late orders lose that remains after asking the warehouse why they do not leave.
const LEFT_AFTER_ASKING: f64 = 0.3;
/// The same of what reserved goods keep from others: some of the old orders still stand.
const LEFT_AFTER_FREEING: f64 = 0.4;
/// Share of what others lose to a bulk order that remains after asking whether it can come in parts.
const LEFT_OF_BULK: f64 = 0.6;
/// Days in which goods that are kept for nobody would have been sold to others.
const BLOCKED_DAYS: f64 = 7.0;

fn sum(moves: &[&StockMove]) -> Quantity {
    moves.iter().map(|m| m.qty).sum()
}

/// Counts the margin of so many units by how likely those who wait for them cancel.
fn lose_waiting(gathered: &mut Gathered<'_>, place: &Place, late: Quantity) -> Option<String> {
    let (item, location) = place;
    let (margin, mut cites) = gathered.margin(item)?;
    // As it is shown, so that the sum comes out again.
    let share = (shortage::waits_share(gathered.scene) * 1_000.0).round() / 1_000.0;
    let lost = Money::from_f64(late.to_f64() * margin * share);
    let label = "margin of those who cancel while they wait";
    cites.extend([
        gathered.place_fact(item, location, "late_there", "past their day though they are there", FactValue::Quantity(late)),
        gathered.place_fact(item, location, "late_share", "share that cancels", FactValue::percent(share * 100.0)),
        gathered.place_fact(item, location, "late_margin", label, FactValue::Money(lost)),
    ]);
    let book = gathered.scene.book;
    let key = format!("late:{item}@{location}");
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    gathered.lose(&key, format!("{label}: {name}"), Range::certain(lost), cites);
    Some(key)
}

/// Orders past their day. What is there and does not leave is asked after; what is not there waits with the shortage.
pub(super) fn late(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let scene = gathered.scene;
    let (book, (item, location)) = (scene.book, &place);
    let open = open_deliveries(book, item, location);
    let late: Vec<&StockMove> = open.into_iter().filter(|m| is_late(book, scene.settings, m)).collect();
    // What is not on the shelf can not leave: that part is a shortage and counted there.
    let there = sum(&late).min(book.on_shelf(item, location).max(Quantity::ZERO));
    let name = book.item_label(item);
    gathered.watch.get_or_insert_with(|| format!("the late orders of {name} leave"));
    if !there.is_positive() {
        return;
    }
    let keys: Vec<String> = lose_waiting(gathered, &place, there).into_iter().collect();
    let documents: Vec<&str> = late.iter().take(3).map(|m| m.document.as_str()).collect();
    gathered.contact(&Question {
        role: Role::Warehouse,
        partner: location.as_str(),
        about: &format!("{name}: {} are past their day and the goods are there, when do they leave", documents.join(", ")),
        keys: &keys,
        left: LEFT_AFTER_ASKING,
        latest: gathered.today_plus(3),
        source: item_ref(item),
    });
}

/// Less was picked than the books say is there: the rest of the order, and whether the books are right at all.
pub(super) fn short_pick(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let book = gathered.scene.book;
    let (item, location) = &place;
    // As a ghost in the books, as far as that is likely; counting finds it.
    stock::phantom(gathered, exception, stock::GHOST_SHARE);
    let rest = open_deliveries(book, item, location);
    // The rest of a short pick is another move of the same sale line: the document that was picked leads to it.
    let of_pick = |m: &&&StockMove| {
        let line = m.sale_line.as_deref().unwrap_or_default();
        book.moves_of_sale_line(line).iter().any(|done| {
            done.kind == MoveKind::Delivery && exception.signal.subject.document.as_deref() == Some(done.document.as_str())
        })
    };
    let left: Vec<&StockMove> = rest.iter().filter(of_pick).copied().collect();
    let keys: Vec<String> = lose_waiting(gathered, &place, sum(&left)).into_iter().collect();
    let name = book.item_label(item);
    gathered.contact(&Question {
        role: Role::Warehouse,
        partner: location.as_str(),
        about: &format!("{name}: the books say that it is there, why was less picked"),
        keys: &keys,
        left: LEFT_AFTER_ASKING,
        latest: gathered.today_plus(3),
        source: item_ref(item),
    });
}

/// Goods that old orders keep: what others would have bought of them.
pub(super) fn reserved(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let scene = gathered.scene;
    let (book, (item, location)) = (scene.book, &place);
    let open = open_deliveries(book, item, location);
    let kept = sum(&stuck(book, scene.settings, &open)).min(book.on_shelf(item, location));
    if !kept.is_positive() {
        return;
    }
    let name = format!("{} at {}", book.item_label(item), book.location_name(location));
    let ask = |gathered: &mut Gathered<'_>, keys: &[String], left: f64| {
        gathered.contact(&Question {
            role: Role::SalesTeam,
            partner: "sales team",
            about: &format!("{name}: do the orders still stand that keep {kept} and do not take them"),
            keys,
            left,
            latest: gathered.today_plus(7),
            source: item_ref(item),
        });
    };
    // Where the shortage counts what others want in vain, those who are kept from buying are among them: what is freed serves as
    // many of them as it can.
    let keys = shortage::keys(&place);
    if gathered.parts.contains_key(&keys[0]) {
        let short = gathered.shorts.get(&place_key::of(item, location));
        let served = short.map_or(0.0, |short| (kept.to_f64() / short.missing_in_all().max(1.0)).min(1.0));
        return ask(gathered, &keys, 1.0 - (1.0 - LEFT_AFTER_FREEING) * served);
    }
    let Some((margin, mut cites)) = gathered.margin(item) else { return };
    let (recapture, recapture_cite) = gathered.recapture(item);
    let daily = scene.outlook.per_day(&place).0;
    // Nobody is kept from buying what nobody would have bought: no more than a week's demand counts.
    let blocked = kept.to_f64().min(daily * BLOCKED_DAYS);
    let lost = Money::from_f64(formulas::lost_margin(blocked, margin, recapture));
    let label = "margin of what others would buy of it";
    cites.extend([
        recapture_cite,
        gathered.place_fact(item, location, "kept", "kept for orders that do not move", FactValue::Quantity(kept)),
        gathered.place_fact(item, location, "blocked", "of it, wanted by others in a week", super::gathered::units(blocked)),
        gathered.place_fact(item, location, "blocked_margin", label, FactValue::Money(lost)),
    ]);
    let key = format!("blocked:{item}@{location}");
    gathered.lose(&key, format!("{label}: {name}"), Range::certain(lost), cites);
    ask(gathered, &[key], LEFT_AFTER_FREEING);
}

/// A customer's order that takes what others want: the shortage of the others is counted as one, and whoever sold it knows whether
/// it is meant so.
pub(super) fn bulk(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let order = exception.signal.subject.document.clone().unwrap_or_default();
    let keys = shortage::keys(&place);
    gathered.contact(&Question {
        role: Role::SalesTeam,
        partner: "sales team",
        about: &format!("order {order}: is the quantity meant, and can it come in parts"),
        keys: &keys,
        left: LEFT_OF_BULK,
        latest: gathered.today_plus(3),
        source: item_ref(&place.0),
    });
}
