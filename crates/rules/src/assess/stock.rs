//! Stock: what the books say and the house does not: counts, shrink, less than nothing, ghosts, scrap, returns, and the same
//! customer order twice (handbook §4.4, §4.1).

use std::collections::BTreeSet;

use crate::role::Role;
use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::detect::counted::{self as counts, Event};
use reeve_domain::action::{Action, Range};
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::FactId;
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{MoveKind, RecordKind, RecordRef, SaleLine, StockMove};
use reeve_domain::workings::{Change, Made};
use reeve_models::formulas;

use super::act::{adjust_stock, hold_qc};
use super::counted;
use super::doubled;
use super::gathered::{Gathered, Proposal, Question, item_ref, place_of, range, scaled, units};
use super::matching;
use super::receiving::{UNSEEN, false_stock, newest_receipt};
use super::surplus::level_change;

/// Probability that a count that differs is itself wrong: only then does counting again save the write-off.
const MISCOUNT: f64 = 0.35;
/// Days into which losses that repeat are carried on.
const SHRINK_DAYS: f64 = 28.0;
/// How often a demand collapse with stock in the books is a ghost rather than a real fall.
pub(super) const GHOST_SHARE: f64 = 0.3;
/// Days for which a ghost is expected to stay undetected.
const GHOST_DAYS: f64 = 14.0;
/// Days until a count that was asked for finds it.
const GHOST_FOUND_DAYS: f64 = 1.0;
/// Days after a supplier's receipt in which scrap or returns may be its fault.
const SUPPLIER_FAULT_DAYS: i32 = 14;
/// The basis of a claim for goods that were scrapped or came back from customers.
pub(super) const BASIS_QUALITY: &str = "goods unfit soon after delivery";

/// The counts of a place since a day, each with what it found beyond what the tills had sold and not posted yet.
pub(super) fn counts_since<'b>(book: &'b Book, (item, location): &Place, from: Date) -> Vec<(&'b StockMove, Quantity)> {
    let moves = book.moves_at(item, location);
    let lines = counts::lines(book, item, location, &moves).into_iter().map(|(m, off, _)| (m, off));
    lines.filter(|(m, _)| m.done_at.is_some_and(|at| book.calendar.day_of(at) >= from)).collect()
}

/// Days in which what counts found missing got lost: from the first count to the last, and before the first as long as between two
/// of them on average. A week at least. It does not grow while nothing is counted.
fn days_of_losses(book: &Book, losses: &[(&StockMove, Quantity)]) -> f64 {
    let day = |m: &StockMove| m.done_at.map(|at| book.calendar.day_of(at));
    let between = match (losses.first().and_then(|(m, _)| day(m)), losses.last().and_then(|(m, _)| day(m))) {
        (Some(first), Some(last)) => f64::from(days_between(first, last)),
        _ => 0.0,
    };
    let counts = losses.len() as f64;
    if counts < 2.0 { 7.0 } else { (between * counts / (counts - 1.0)).round().max(7.0) }
}

/// Done moves of one kind at a place, from the first day of what the signal describes.
fn moves_since(gathered: &Gathered<'_>, exception: &Exception, place: &Place, kind: MoveKind) -> Vec<StockMove> {
    let book = gathered.scene.book;
    let since = |at: jiff::Timestamp| book.calendar.day_of(at) >= exception.signal.from;
    let wanted = |m: &&StockMove| m.kind == kind && m.done_at.is_some_and(since);
    book.moves_at(&place.0, &place.1).into_iter().filter(wanted).cloned().collect()
}

/// A move as an event that a later count can settle.
pub(super) fn event_of(m: &StockMove) -> Option<Event> {
    Some(Event { at: m.done_at?, by: m.entered_by.clone() })
}

/// The last moment before what an exception describes began.
fn exception_start(book: &Book, exception: &Exception) -> jiff::Timestamp {
    book.calendar.close_of(plus_days(exception.signal.from, -1))
}

fn stock_key(place: &Place) -> String {
    format!("stock:{}@{}", place.0, place.1)
}

/// A count that differs from the books.
pub(super) fn count(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let counts = counts_since(gathered.scene.book, &place, exception.signal.from);
    let difference: Quantity = counts.iter().map(|(_, off)| *off).sum();
    let Some((last, _)) = counts.last().copied() else {
        gathered.miss(format!("the count of {}", gathered.scene.book.item_label(&place.0)), "the write-off");
        return;
    };
    // The detector cites the count that it found odd; later counts may lie beside it.
    let cited = |m: &&StockMove| {
        let mut sources = exception.signal.facts.iter().map(|fact| &fact.source);
        sources.any(|source| source.kind == RecordKind::Move && source.id == m.id)
    };
    let odd = counts.iter().map(|(m, _)| *m).find(cited).unwrap_or(last);
    let Some(cost) = gathered.cost(&place.0) else { return };
    let written_off = difference.abs() * cost.price;
    let source = RecordRef::new(RecordKind::Move, last.id.clone());
    let (explained, _) = doubled::explained(gathered.scene, &place, exception.signal.from);
    if explained.is_positive() && explained >= difference.abs() {
        // What a receipt had booked in too much the count has put right: it is not to be counted again.
        gathered.fact(source.clone(), "difference", "count less book", FactValue::Quantity(difference));
        gathered.fact(source, "explained", "booked in too much before", FactValue::Quantity(explained));
        return;
    }
    let avoidable = scaled(Range::certain(written_off), MISCOUNT);
    let mut cites = vec![
        cost.cite,
        gathered.fact(source.clone(), "difference", "count less book", FactValue::Quantity(difference)),
        gathered.fact(source.clone(), "write_off", "write-off value", FactValue::Money(written_off)),
    ];
    if let Some(count) = event_of(odd).and_then(|event| counted::agreed(gathered, &place, &event)) {
        // The difference stands: a third count would save nothing.
        if !gathered.proposals.iter().any(|p| matches!(p.action, Action::Escalate { .. })) {
            gathered.escalate(&format!("why the books were off; {} since", counted::in_words(&count)), "inventory control");
        }
        return;
    }
    cites.extend([
        gathered.assume(source.clone(), "miscount", "probability that the count is wrong", MISCOUNT),
        gathered.fact(
            source,
            "write_off_at_stake",
            "write-off that a recount may save",
            FactValue::Money(avoidable.expected),
        ),
    ]);
    let name = format!("{} at {}", gathered.scene.book.item_label(&place.0), gathered.scene.book.location_name(&place.1));
    gathered.lose(&stock_key(&place), format!("write-off if the count is wrong: {name}"), avoidable, cites);
    if counted::investigate(gathered, &place, &stock_key(&place)) {
        return;
    }
    // Two that agree can be posted at once; one count alone is counted again by somebody else.
    adjust_stock::posts(gathered, &place, &stock_key(&place));
    gathered.recount(&place.0, &place.1, &[stock_key(&place)], 0.1, last.entered_by.clone());
    gathered.escalate("why the count differs from the books", "inventory control");
}

/// Losses that repeat on one subject, carried on for four weeks.
pub(super) fn shrink(gathered: &mut Gathered<'_>, exception: &Exception) {
    let book = gathered.scene.book;
    let subject = &exception.signal.subject;
    let from = exception.signal.from;
    let mut places: BTreeSet<Place> = BTreeSet::new();
    let day = |m: &StockMove| m.done_at.map(|at| book.calendar.day_of(at));
    // Every detector names a place; without one it is about all of them.
    let moves = match (&subject.item, &subject.location) {
        (Some(item), Some(location)) => book.moves_at(item, location),
        _ => book.every_move(),
    };
    for m in moves.into_iter().filter(|m| m.kind == MoveKind::Count && day(m).is_some_and(|d| d >= from)) {
        let Some(at) = &m.from else { continue };
        let same_item = subject.item.as_ref().is_none_or(|i| *i == m.item);
        if same_item && subject.location.as_ref().is_none_or(|l| l == at) {
            places.insert((m.item.clone(), at.clone()));
        }
    }
    // A surplus found in a count is no loss, and does not make up for one elsewhere.
    let losses = |place: &Place| -> Vec<(&StockMove, Quantity)> {
        counts_since(book, place, from).into_iter().filter(|(_, off)| off.0 < Decimal::ZERO).collect()
    };
    let mut largest: Option<(Money, Place, Option<String>)> = None;
    let mut all_keys = Vec::new();
    for place in places {
        let found = losses(&place);
        let Some(by) = found.last().map(|(m, _)| m.entered_by.clone()) else { continue };
        let quantity: Quantity = found.iter().map(|(_, off)| off.abs()).sum();
        let days = days_of_losses(book, &found);
        let Some(cost) = gathered.cost(&place.0) else { continue };
        let value = quantity * cost.price;
        // What is gone is gone: at stake is that it goes on as fast as it did.
        let ahead = value.to_f64() * SHRINK_DAYS / days;
        let amount = range(ahead * 0.5, ahead, ahead * 1.5);
        let cites = vec![
            cost.cite,
            gathered.place_fact(&place.0, &place.1, "shrink", "missing in counts", FactValue::Quantity(quantity)),
            gathered.place_fact(&place.0, &place.1, "shrink_value", "write-offs at cost", FactValue::Money(value)),
            gathered.place_fact(&place.0, &place.1, "shrink_days", "days they fell in", FactValue::days(days)),
            gathered.place_fact(
                &place.0,
                &place.1,
                "shrink_ahead",
                "the same over the next 28 days",
                FactValue::Money(amount.expected),
            ),
        ];
        let name = format!("{} at {}", book.item_label(&place.0), book.location_name(&place.1));
        let what = format!("losses that go on for four weeks: {name}");
        gathered.lose_by(&stock_key(&place), what, amount, cites, Made::Repeated { value, days });
        all_keys.push(stock_key(&place));
        if largest.as_ref().is_none_or(|(most, ..)| amount.expected > *most) {
            largest = Some((amount.expected, place, by));
        }
    }
    // One place is looked into, the one that loses most; what is found there tells about the others.
    let Some((_, place, by)) = largest else {
        return gathered.escalate("why goods go missing again and again", "loss prevention (restricted)");
    };
    let own = stock_key(&place);
    if counted::investigate(gathered, &place, &own) {
        return;
    }
    let settled =
        losses(&place).last().and_then(|(m, _)| event_of(m)).and_then(|event| counted::agreed(gathered, &place, &event));
    let why = if let Some(count) = settled {
        format!("why goods went missing again and again; {} since", counted::in_words(&count))
    } else {
        // Finding out at one place tells something about the cluster, but not all of it.
        gathered.recount(&place.0, &place.1, &[own], 0.6, by);
        "why goods go missing again and again".to_owned()
    };
    gathered.escalate(&why, "loss prevention (restricted)");
}

/// Less than nothing in the books.
pub(super) fn negative(gathered: &mut Gathered<'_>, exception: &Exception) {
    let Some(place) = place_of(exception) else { return };
    let book = gathered.scene.book;
    let below = (-book.on_hand(&place.0, &place.1)).max(Quantity::ZERO);
    let cite =
        gathered.place_fact(&place.0, &place.1, "on_hand", "on hand", FactValue::Quantity(book.on_hand(&place.0, &place.1)));
    let why = "stock below nothing";
    let source = item_ref(&place.0);
    let Some(key) = false_stock(gathered, &place, below, why, source.clone()) else { return };
    if let Some(part) = gathered.parts.get_mut(&key) {
        part.cites.push(cite);
    }
    adjust_stock::posts(gathered, &place, &key);
    let keys = [key];
    // A count settles what was posted before it. What went below nothing after the count is open again.
    let moved = book.moves_at(&place.0, &place.1).into_iter().rfind(|m| m.done_at.is_some() && m.kind != MoveKind::Count);
    if moved.and_then(event_of).and_then(|event| counted::agreed(gathered, &place, &event)).is_none() {
        gathered.recount(&place.0, &place.1, &keys, 0.2, None);
    }
    gathered.contact(&Question {
        role: Role::Warehouse,
        partner: place.1.as_str(),
        about: &format!("{}: which postings took its stock below nothing", book.item_label(&place.0)),
        keys: &keys,
        left: 0.5,
        latest: gathered.today_plus(7),
        source,
    });
}

/// Stock in the books that nobody can buy. `share` is how likely that is the cause, where it is one of several.
pub(super) fn phantom(gathered: &mut Gathered<'_>, exception: &Exception, share: f64) {
    let Some(place) = place_of(exception) else { return };
    let (item, location) = &place;
    let scene = gathered.scene;
    let Some((margin, mut cites)) = gathered.margin(item) else { return };
    let (recapture, recapture_cite) = gathered.recapture(item);
    // A count that agreed while nobody bought has found it in the house: it is no ghost, or it lies where nobody sees it.
    let silent = Event { at: exception_start(scene.book, exception), by: None };
    let there = counted::agreed(gathered, &place, &silent);
    if there.is_some() && share < 1.0 {
        return;
    }
    let before = level_change(scene.book, exception, &place).0;
    // The forecast may have learned from the silence already.
    let daily = scene.outlook.per_day(&place).0.max(before);
    let lost = |days: f64, recapture: f64| share * formulas::lost_margin(daily * days, margin, recapture.clamp(0.0, 1.0));
    // The ends: half or one and a half times as long undetected, with the doubt about recapture on top.
    let over =
        |days: f64| range(lost(days, recapture + 0.1) / 2.0, lost(days, recapture), lost(days, recapture - 0.1) * 1.5);
    let amount = over(GHOST_DAYS);
    cites.push(recapture_cite);
    cites.push(gathered.place_fact(
        item,
        location,
        "on_hand",
        "on hand",
        FactValue::Quantity(scene.book.on_hand(item, location)),
    ));
    cites.push(gathered.place_fact(item, location, "usual_daily", "usual demand per day", units(daily)));
    cites.push(gathered.assume(item_ref(item), "ghost", "probability that nobody can buy it (assumed)", share));
    cites.push(gathered.place_fact(item, location, "ghost_days", "days undetected (assumed)", FactValue::days(GHOST_DAYS)));
    let label = "lost margin while nobody can buy it";
    cites.push(gathered.place_fact(item, location, "ghost_margin", label, FactValue::Money(amount.expected)));
    let [key, ..] = super::shortage::keys(&place);
    let name = format!("{} at {}", scene.book.item_label(item), scene.book.location_name(location));
    let made = Made::Ghost { daily, days: GHOST_DAYS, share, margin };
    gathered.lose_by(&key, format!("{label}: {name}"), amount, cites, made);
    if let Some(count) = there {
        gathered.contact(&Question {
            role: Role::Store,
            partner: location.as_str(),
            about: &format!("{}: can customers see and buy it; {}", scene.book.item_label(item), counted::in_words(&count)),
            keys: &[key],
            left: gathered.scene.settings.left.question_shelf,
            latest: gathered.today_plus(7),
            source: item_ref(item),
        });
    } else {
        let counter = moves_since(gathered, exception, &place, MoveKind::Count).last().and_then(|m| m.entered_by.clone());
        gathered.recount(item, location, &[key], GHOST_FOUND_DAYS / GHOST_DAYS, counter);
    }
    gathered.watch.get_or_insert_with(|| format!("{name} sells again"));
}

/// Goods that were thrown away, or that customers brought back.
pub(super) fn spoiled(gathered: &mut Gathered<'_>, exception: &Exception, kind: MoveKind) {
    let Some(place) = place_of(exception) else { return };
    let book = gathered.scene.book;
    let mut moves = moves_since(gathered, exception, &place, kind);
    // What came later is another matter.
    moves.retain(|m| m.done_at.is_some_and(|at| book.calendar.day_of(at) <= exception.signal.to));
    let named = exception.signal.subject.document.as_ref();
    let own: Vec<&StockMove> = moves.iter().filter(|m| named.is_none_or(|d| *d == m.document)).collect();
    let taken = if own.is_empty() { moves.iter().collect() } else { own };
    let Some(last) = taken.last() else {
        gathered.miss(format!("the moves of {}", book.item_label(&place.0)), "their value");
        return;
    };
    let quantity: Quantity = taken.iter().map(|m| m.qty).sum();
    let source = RecordRef::new(RecordKind::Move, last.id.clone());
    let why = if kind == MoveKind::Scrap { "scrapped" } else { "returned by customers" };
    let Some(key) = false_stock(gathered, &place, quantity, why, source.clone()) else { return };
    let keys = [key];
    // Who brings goods back without a word may simply not have wanted them: that says nothing about their quality.
    let says_why = kind == MoveKind::Scrap || taken.iter().any(|m| !m.reason.trim().is_empty());
    if says_why
        && let Some(at) = taken.first().and_then(|m| m.done_at)
        && let Some(line) = newest_receipt(gathered, &place, at, SUPPLIER_FAULT_DAYS)
        && let Some(price) = line.price
    {
        let claimed = quantity.min(book.arrived(&line.id));
        gathered.fact(super::gathered::line_ref(&line.id), "price", "agreed price", FactValue::Price(price));
        let value = claimed * price;
        let left = if kind == MoveKind::Scrap {
            gathered.scene.settings.left.claim_scrap
        } else {
            gathered.scene.settings.left.claim_quality
        };
        let fault = matching::Fault { quantity: claimed, value, basis: BASIS_QUALITY, left };
        matching::claim(gathered, line, &fault, &keys);
        // Of what broke here nothing says that the rest is unfit.
        if kind == MoveKind::CustomerReturn {
            hold_qc::rest_of(gathered, line, &place, claimed, (UNSEEN, "customers bring it back"));
        }
    }
    gathered.contact(&Question {
        role: Role::Warehouse,
        partner: place.1.as_str(),
        about: &format!("{}: why {quantity} units were {why}", book.item_label(&place.0)),
        keys: &keys,
        left: 0.8,
        latest: gathered.today_plus(7),
        source,
    });
    let name = book.item_label(&place.0);
    gathered.watch.get_or_insert_with(|| format!("more units of {name} are {why}"));
}

/// The same customer order entered twice.
pub(super) fn doubled_order(gathered: &mut Gathered<'_>, exception: &Exception) {
    let book = gathered.scene.book;
    let Some(document) = &exception.signal.subject.document else { return };
    // The detector names both orders, the one that is repeated first.
    let mut names = document.split(',').map(str::trim).filter(|n| !n.is_empty());
    let (Some(first), Some(second)) = (names.next(), names.next()) else {
        gathered.miss(format!("the two orders of {document}"), "the value of the duplicate");
        return;
    };
    let lines: Vec<SaleLine> = book.sales_named(second).into_iter().cloned().collect();
    let Some(head) = lines.first() else {
        gathered.miss(format!("order {second}"), "the value of the duplicate");
        return;
    };
    let mut cites: Vec<FactId> = Vec::new();
    let mut value = Decimal::ZERO;
    for line in &lines {
        // Without one cost the sum would say too little, and the case be ordered by it.
        let Some(cost) = gathered.cost(&line.item) else { return };
        value += line.qty.0 * cost.price.0;
        let source = RecordRef::new(RecordKind::SaleLine, line.id.clone());
        let label = format!("ordered on {second}: {}", book.item_label(&line.item));
        cites.push(cost.cite);
        cites.push(gathered.fact(source, "qty", &label, FactValue::Quantity(line.qty)));
    }
    let amount = Money::from_decimal(value);
    let source = RecordRef::new(RecordKind::SaleLine, head.id.clone());
    cites.push(gathered.fact(source.clone(), "duplicate_value", "goods tied up by the duplicate", FactValue::Money(amount)));
    let keys = [format!("order:{second}")];
    gathered.lose(&keys[0], format!("goods of {second}, which repeats {first}"), Range::certain(amount), cites);
    let cost = gathered.scene.settings.costs.paperwork;
    let own = vec![
        gathered.fact(source.clone(), "cost_paperwork", "cost of the paperwork (setting)", FactValue::Money(cost)),
        gathered.assume(source.clone(), "reverse_left", "share that remains after a reversal", 0.02),
    ];
    // Taking back an order that was meant loses its margin.
    let sold = |l: &SaleLine| Some((l.qty.to_f64(), book.margin(&l.item, &l.location)?.to_f64()));
    let sold: Vec<(f64, f64)> = lines.iter().filter_map(sold).collect();
    let margin: f64 = sold.iter().map(|(quantity, margin)| quantity * margin).sum();
    let after = Gathered::leaving(&keys, 0.02);
    gathered.proposals.push(Proposal {
        action: Action::ReverseDoc { document: second.to_owned(), duplicate_of: first.to_owned() },
        summary: format!("Reverse customer order {second}, which repeats {first}."),
        then: Vec::new(),
        after,
        cost,
        regret: Money::from_f64(margin.max(0.0)),
        value: amount,
        latest: next_shipping(gathered, &lines),
        cites: own,
        change: Some(Change::TakenBack(sold)),
    });
    gathered.contact(&Question {
        role: Role::SalesTeam,
        partner: "sales team",
        about: &format!("orders {first} and {second}: did the customer mean both"),
        keys: &keys,
        left: 0.2,
        latest: next_shipping(gathered, &lines),
        source,
    });
}

/// Until the goods leave; a week where that is not planned.
fn next_shipping(gathered: &Gathered<'_>, lines: &[SaleLine]) -> Date {
    let book = gathered.scene.book;
    lines
        .iter()
        .flat_map(|l| book.moves_at(&l.item, &l.location))
        .filter(|m| m.done_at.is_none() && m.sale_line.as_ref().is_some_and(|s| lines.iter().any(|l| l.id == *s)))
        .filter_map(|m| m.deadline)
        .map(|at| book.calendar.day_of(at))
        .min()
        .unwrap_or_else(|| gathered.today_plus(7))
        .max(gathered.tomorrow())
}
