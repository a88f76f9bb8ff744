//! Hard checks of the catalogue's rarer actions (handbook §5): the ones that change parameters, prices and master data, or
//! take another way to the same goods.

use rust_decimal::Decimal;

use super::checks::{Checks, known_place, new_po, not_past, open_line};
use crate::scene::Scene;
use reeve_domain::action::Action;
use reeve_domain::calendar::plus_days;
use reeve_domain::master;
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, StockMove};

/// A parameter may move by this share of its old value at most; more is for human judgement.
const PARAM_SHARE: Decimal = Decimal::from_parts(5, 0, 0, false, 1);
/// Days in which two counts of a place count as two of the same stock.
const COUNT_DAYS: i32 = 14;
/// Largest reduction of a price, in percent.
const PERCENT_MOST: f64 = 90.0;

/// Adds the checks of an action that is one of these.
pub(super) fn check(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    // Each family knows its own actions, and an action is in one of them only.
    orders(scene, c, action);
    stock(scene, c, action);
    data(scene, c, action);
    prices(scene, c, action);
}

/// Other ways to the same goods: more of a line, a part of it sooner, another supplier, another customer's units.
fn orders(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let book = scene.book;
    match action {
        Action::IncreasePo { po_line, ordered, quantity } => {
            let Some(line) = open_line(scene, c, po_line, Quantity::units(0).max(book.open_quantity(po_line))) else {
                return;
            };
            // The ERP takes a new total, not a difference: on a line that has changed it would order something else.
            c.hard("line as still read", line.qty == *ordered, format!("{} ordered, {ordered} when computed", line.qty));
            let ahead = book.calendar.day_of(line.promised) > book.today;
            c.hard("promise is still ahead", ahead, line.promised.to_string());
            let multiple = book.rule(&line.item, &line.location).map_or(Quantity::units(1), |r| r.multiple);
            whole_packs(c, *quantity, multiple);
        }
        Action::SplitShip { po_line, quantity, date_now, date_rest } => {
            let open = book.open_quantity(po_line);
            let Some(line) = open_line(scene, c, po_line, *quantity) else { return };
            c.hard("something is left for later", *quantity < open, format!("{quantity} < {open}"));
            not_past(scene, c, "first date is not past", *date_now);
            c.hard("the rest comes later", date_rest > date_now, format!("{date_rest} > {date_now}"));
            let multiple = book.rule(&line.item, &line.location).map_or(Quantity::units(1), |r| r.multiple);
            whole_packs(c, *quantity, multiple);
        }
        Action::AltSupplier { item, supplier, quantity, price, need_date, destination, instead_of } => {
            let place = (item.clone(), destination.clone());
            new_po(scene, c, &place, supplier, *quantity, *price, *need_date);
            // It pays only where the late line is real and would come later than what is ordered instead.
            let line = book.po_lines.get(instead_of).filter(|l| l.confirmed);
            let other = line.is_some_and(|l| &l.supplier != supplier);
            c.hard("another supplier than the late one", other, book.supplier_name(supplier));
            let late = line.map(|l| book.expected_on(book.calendar.day_of(l.promised)));
            let sooner = late.is_some_and(|late| *need_date < late);
            let shown = late.map_or_else(|| "the line is not open".to_owned(), |late| format!("{need_date} < {late}"));
            c.hard("arrives before the main source", sooner, shown);
        }
        Action::Reallocate { item, location, from_line, to_line, quantity } => {
            known_place(scene, c, item, location);
            // Only what has not left can be given to another, and nobody is given more than they wait for.
            let waits = |line: &String| -> Quantity {
                let open = |m: &&StockMove| m.kind == MoveKind::Delivery && m.done_at.is_none() && &m.item == item;
                book.moves_of_sale_line(line).into_iter().filter(open).map(|m| m.qty).sum()
            };
            let (gives, takes) = (waits(from_line), waits(to_line));
            let fits = quantity.is_positive() && *quantity <= gives && *quantity <= takes;
            c.hard("both orders wait for it", fits, format!("{quantity} ≤ {gives} and {takes}"));
        }
        _ => {}
    }
}

/// What the ERP goes by: parameters, forecasts, marked days, master data.
fn data(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let book = scene.book;
    match action {
        Action::AdjustParam { param, record, old, new, .. } => {
            let (record, field) = param.field(record);
            still(scene, c, &record, field, &old.to_string());
            let room = (old.0 * PARAM_SHARE).abs();
            let fits = (new.0 - old.0).abs() <= room && !new.0.is_sign_negative();
            c.hard("change within 50 % of the old value", fits, format!("{old} to {new}"));
        }
        Action::ForecastFix { item, location, from, to, new, .. } => {
            known_place(scene, c, item, location);
            c.hard("period is in order", to >= from, format!("{from} to {to}"));
            not_past(scene, c, "end of the period is not past", *to);
            c.hard("forecast is not negative", !new.0.is_sign_negative(), new.to_string());
        }
        Action::MarkEvent { item, location, from, to, .. } => {
            known_place(scene, c, item, location);
            let past = to >= from && *to <= book.today;
            c.hard("dates are in the past", past, format!("{from} to {to}, today is {}", book.today));
        }
        Action::FixMaster { record, field, old, new, source } => {
            still(scene, c, record, field, old);
            c.hard("something changes", old != new, format!("{old} to {new}"));
            c.hard("source is cited", !source.trim().is_empty(), source.clone());
        }
        _ => {}
    }
}

/// What is on the shelf: put right, held back, sent back.
fn stock(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let book = scene.book;
    match action {
        Action::AdjustStock { item, location, difference, .. } => {
            known_place(scene, c, item, location);
            c.hard("there is a difference", !difference.0.is_zero(), difference.to_string());
            // One count may be the mistake that it corrects; two hands that agree hardly are.
            let since = plus_days(book.today, -COUNT_DAYS);
            let counted =
                |m: &&StockMove| m.kind == MoveKind::Count && m.done_at.is_some_and(|at| book.calendar.day_of(at) >= since);
            let counters: std::collections::BTreeSet<_> =
                book.moves_at(item, location).into_iter().filter(counted).filter_map(|m| m.entered_by.as_deref()).collect();
            c.hard("two people have counted", counters.len() >= 2, format!("{} in {COUNT_DAYS} days", counters.len()));
        }
        Action::HoldQc { document, item, location, quantity, until, .. } => {
            known_place(scene, c, item, location);
            let on_hand = book.on_shelf(item, location);
            c.hard("quantity is on hand", quantity.is_positive() && *quantity <= on_hand, format!("{quantity} ≤ {on_hand}"));
            let known = book.moves_of_document(document).any(|m| m.kind == MoveKind::Receipt);
            c.hard("receipt is known", known, document.clone());
            not_past(scene, c, "end of holding is not past", *until);
        }
        Action::Return { receipt, item, location, supplier, quantity, .. } => {
            // A supplier takes back what it brought, and only what nobody waits for can go.
            let came: Quantity = book
                .moves_of_document(receipt)
                .filter(|m| m.kind == MoveKind::Receipt && m.done_at.is_some() && &m.item == item)
                .filter(|m| m.partner.as_deref().is_none_or(|p| p == supplier.as_str()))
                .map(|m| m.qty)
                .sum();
            c.hard("received from this supplier", *quantity <= came, format!("{quantity} ≤ {came} in {receipt}"));
            let free = book.available(item, location);
            c.hard("free on hand", quantity.is_positive() && *quantity <= free, format!("{quantity} ≤ {free}"));
        }
        _ => {}
    }
}

/// Promotions and reduced prices.
fn prices(scene: &Scene<'_>, c: &mut Checks, action: &Action) {
    let book = scene.book;
    match action {
        Action::PromoChange { promotion, item, new_to } => {
            let running = book.promotion(promotion).filter(|p| &p.item == item && p.to >= book.today);
            let shown = running.map_or_else(|| promotion.clone(), |p| format!("{} to {}", p.from, p.to));
            c.hard("promotion is running or planned", running.is_some(), shown);
            not_past(scene, c, "last day is not past", *new_to);
        }
        Action::Markdown { item, percent, from, to } => {
            let known = book.items.get(item);
            // A price holds in every company, so the dearest cost must still be covered.
            let kept = known.and_then(|i| Some((i.list_price?.0, i.dearest_cost()?.0)));
            let share = Decimal::from_f64_retain((1.0 - percent / 100.0).max(0.0)).unwrap_or(Decimal::ZERO);
            let above = kept.is_some_and(|(price, cost)| price * share >= cost);
            c.hard("price stays above cost", above, format!("{percent:.1} % off"));
            c.hard("a reduction", *percent > 0.0 && *percent <= PERCENT_MOST, format!("{percent:.1} %"));
            let reduced = book.promotions(item).iter().any(|p| p.from <= *from && *from <= p.to);
            c.hard("not marked down already", !reduced, from.to_string());
            not_past(scene, c, "first day is not past", *from);
            c.hard("period is in order", to >= from, format!("{from} to {to}"));
        }
        // The others have their checks beside the assessments that compute them.
        _ => {}
    }
}

fn whole_packs(c: &mut Checks, quantity: Quantity, multiple: Quantity) {
    let whole = quantity.is_positive() && (multiple.0 <= Decimal::ZERO || (quantity.0 % multiple.0).is_zero());
    c.hard("quantity is a pack multiple", whole, format!("{quantity}, packs of {multiple}"));
}

fn still(scene: &Scene<'_>, c: &mut Checks, record: &reeve_domain::record::RecordRef, field: &str, old: &str) {
    let now = master::field(scene.book, record, field);
    let shown = now.clone().unwrap_or_else(|| "nothing".to_owned());
    c.hard("old value as still read", now.as_deref() == Some(old), format!("{record} {field} says {shown}"));
}
