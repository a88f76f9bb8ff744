//! Too much: stock and orders far beyond what will be sold in any reasonable time, and what nobody has bought for long (I-OVER;
//! handbook §4.4). A matter of policy: once a quarter for a place, and only where the goods are worth it.

use jiff::civil::Date;

use super::facts::place_fact;
use super::lots::surplus_link;
use super::stocking::Stocking;
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days, quarter};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{Exception, ExceptionType as T, Signal, Subject};
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::MoveKind;

const DETECTOR: &str = "excess-rules/1";

/// How the period of what nobody buys any more begins.
const DEAD: &str = "dead";

/// Is it about goods that nobody has bought for long?
pub fn is_of_the_dead(exception: &Exception) -> bool {
    exception.signal.code == T::IOver && exception.signal.period.starts_with(DEAD)
}

/// Days for which a place must have had the item before its stock can be called too much: until then it is a launch.
const YOUNG_DAYS: i32 = 56;
/// Days ahead in which a promotion that is to begin is a reason to have more.
const BUILD_DAYS: i32 = 45;

/// Has a place sent the item on in the days in which what nobody buys is called dead? Then its demand is what other places ask of it,
/// or what is made of it, and no forecast says that: nothing is known to be too much there.
pub fn sends_on(book: &Book, settings: &Settings, item: &ItemId, location: &LocationId) -> bool {
    book.sent_on(item, location, plus_days(book.today, -settings.detect.dead_days)).is_positive()
}

/// I-OVER for each place of an item.
pub(super) fn signals_of(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId) -> Vec<Signal> {
    // What is delisted is at its end: that is another matter.
    if !book.items.get(item).is_some_and(|item| item.sellable) {
        return Vec::new();
    }
    book.carriers_of(item).iter().filter_map(|location| over(book, settings, outlook, item, location)).collect()
}

fn over(book: &Book, settings: &Settings, outlook: &Outlook, item: &ItemId, location: &LocationId) -> Option<Signal> {
    let on_shelf = book.on_shelf(item, location);
    let cost = book.cost(item, location)?;
    // Most places have no more on the shelf than is worth speaking of, and nothing else of them needs to be asked.
    let on_order: Quantity = book.incoming(item, location).iter().map(|i| i.qty).sum();
    if (on_shelf + on_order) * cost < settings.detect.policy_value {
        return None;
    }
    let moves = book.moves_at(item, location);
    let since = moves.iter().find_map(|m| m.done_at).map(|at| book.calendar.day_of(at))?;
    if days_between(since, book.today) < YOUNG_DAYS {
        return None;
    }
    let (label, at) = (book.item_label(item), book.location_name(location));
    let last_came = moves.iter().filter(|m| m.to.as_ref() == Some(location)).filter(|m| m.kind != MoveKind::CustomerReturn);
    let last_came = last_came.filter_map(|m| m.done_at).max().map(|at| book.calendar.day_of(at));
    let dead = is_dead(book, settings, item, location, last_came);
    // Without a supplier or a forecast nobody knows how much would do.
    let stocking = Stocking::of(book, settings, outlook, item, location)?;
    let free = book.available(item, location);
    let position = (free + on_order).to_f64();
    let target = if dead { 0.0 } else { stocking.most };
    let excess = position - target;
    let worth = Money::from_f64(excess.max(0.0) * cost.to_f64());
    // A level that is a little too high sells off by itself. It has to be many times too much, and worth a word.
    let far = position > settings.detect.over_factor * target;
    if !far || excess < 1.0 || worth < settings.detect.policy_value {
        return None;
    }
    let headline = if dead {
        format!(
            "{label} at {at} has not sold for {} days: {on_shelf} lie there, {worth} at cost.",
            settings.detect.dead_days
        )
    } else {
        let order = if on_order.is_positive() { format!(" and {on_order} on order") } else { String::new() };
        let cover = if stocking.daily > 0.0 {
            format!("{:.0} days of it", position / stocking.daily)
        } else {
            "nothing is expected to be sold".to_owned()
        };
        format!("{label} at {at} is overstocked: {free} free{order}, {cover}; {target:.0} would do, {worth} are beyond.")
    };
    let number = |value: f64| FactValue::Quantity(Quantity(FactValue::rounded(value, 2)));
    let mut facts = vec![
        place_fact(book, item, location, "on_hand", "on hand", FactValue::Quantity(book.on_hand(item, location))),
        place_fact(book, item, location, "over_position", "free and on order", number(position)),
        place_fact(book, item, location, "over_target", "would do", number(target)),
        place_fact(book, item, location, "over_worth", "beyond that, at cost", FactValue::Money(worth)),
    ];
    if let Some(day) = last_came {
        facts.push(place_fact(book, item, location, "last_came", "came in last", FactValue::Date(day)));
    }
    let kind = if dead { DEAD } else { "over" };
    // Overstock is a matter of policy: one that is turned down comes
    // back with the next quarter, not with the next day.
    let period = format!("{kind} {}", quarter(book.today));
    let days = (book.today, book.today);
    let mut signal = Signal::rule(DETECTOR, T::IOver, Subject::at(item, location), period, days, headline);
    let soon = |from: Date, to: Date| to >= book.today && from <= plus_days(book.today, BUILD_DAYS);
    if let Some(promotion) = book.promotions_at(item, location).find(|p| soon(p.from, p.to)) {
        signal.explained = Some(format!("a promotion runs from {} to {}", promotion.from, promotion.to));
    }
    // Whatever leaves too much at a place is one decision: demand that fell, a lot that expires, an order too many.
    let place = format!("{item}@{location}");
    Some(signal.link(surplus_link(item, location)).link(format!("demand:{place}")).with(facts))
}

/// Has nobody bought it for so long that nobody will, though it was there all the time? What is younger than that, or came in
/// since, is not dead.
fn is_dead(book: &Book, settings: &Settings, item: &ItemId, location: &LocationId, last_came: Option<Date>) -> bool {
    let from = plus_days(book.today, -settings.detect.dead_days);
    // Records that begin later than that say nothing of what sold before them.
    let known = book.first_day().is_some_and(|first| first <= from);
    known && last_came.is_some_and(|day| day < from) && book.demand_by_day(item, location, from).iter().all(|d| *d <= 0.0)
}
