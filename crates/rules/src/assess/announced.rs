//! What was announced, or was not: goods that came other than a notice says, and orders that nobody confirmed (handbook §4.2,
//! §4.5). An announced delay is a shortage, and is priced as one.

use crate::role::Role;
use reeve_domain::action::Range;
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::{FactId, SupplierId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{PurchaseLine, RecordKind, RecordRef};
use reeve_domain::shipped::Mismatch;
use reeve_domain::workings::Made;
use reeve_models::formulas;

use super::gathered::{Gathered, Question, line_ref, scaled};
use super::matching::{self, Disputes};
use super::stock::event_of;
use super::{counted, frozen, lines_of, shortage};

/// How often more was booked in than was announced because it was booked unseen.
const BOOKED_UNSEEN: f64 = 0.35;
/// Orders in ten that slip, where nothing is known of a supplier, as a beta prior with the weight of ten orders.
const SLIP_PRIOR: (f64, f64) = (2.0, 8.0);
/// Days by which an order slips, where none of the supplier's was late yet.
const SLIP_DAYS: f64 = 7.0;

/// Goods that came other than they were announced.
pub(super) fn mismatch(gathered: &mut Gathered<'_>, exception: &Exception, disputes: &mut Disputes) {
    let book = gathered.scene.book;
    let subject = &exception.signal.subject;
    let Some(line) = subject.po_line.as_ref().and_then(|id| book.po_lines.get(id)) else {
        return stranger(gathered, exception);
    };
    let shipment = subject.document.as_deref().unwrap_or_default();
    let found = book.mismatches().into_iter().find(|m| m.po_line == line.id && m.shipment == shipment);
    let Some(found) = found else { return };
    let off = found.received - found.told;
    let mut keys = Vec::new();
    let place = (line.item.clone(), line.location.clone());
    let last = book.receipts(&line.id).last().and_then(|m| event_of(m));
    // A count that agreed after the receipt has settled how many came; only the question to the supplier is left.
    let settled = last.and_then(|event| counted::agreed(gathered, &place, &event));
    if off < Quantity::ZERO {
        keys.extend(fewer(gathered, line, &found, disputes));
    } else if off.is_positive() && settled.is_none() {
        keys.extend(more(gathered, line, off));
    }
    let about = if off.0.is_zero() {
        format!("order {}: the lot that came is not the one announced", line.order_name)
    } else {
        format!("order {}: {} units were announced with {shipment}, {} came", line.order_name, found.told, found.received)
    };
    ask(gathered, line, &about, &keys);
    if !off.0.is_zero() && settled.is_none() {
        let counter = book.receipts(&line.id).last().and_then(|m| m.entered_by.clone());
        gathered.recount(&line.item, &line.location, &keys, gathered.scene.settings.left.recount_announced, counter);
    }
    gathered.watch.get_or_insert_with(|| format!("the rest of {} comes, or a corrected notice", line.order_name));
}

fn ask(gathered: &mut Gathered<'_>, line: &PurchaseLine, about: &str, keys: &[String]) {
    let until = matching::claim_until(gathered.scene.book, &[line]).unwrap_or(gathered.scene.book.today);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: line.supplier.as_str(),
        about,
        keys,
        left: gathered.scene.settings.left.question,
        latest: until,
        source: line_ref(&line.id),
    });
}

/// Announced and not come: what is billed is disputed; what is not billed yet will be. Both are the same units.
fn fewer(gathered: &mut Gathered<'_>, line: &PurchaseLine, found: &Mismatch, disputes: &mut Disputes) -> Option<String> {
    let book = gathered.scene.book;
    // The key of the bill check, so that the units count once whether or not they are billed yet.
    let [key, ..] = matching::keys(&line.id);
    if !book.bills(&line.id).is_empty() {
        disputes.add(gathered, &line.id, true, false);
        return Some(key);
    }
    let Some(price) = line.price else {
        gathered.miss(format!("price of {} in company currency", line.order_name), "the value of what did not come");
        return None;
    };
    let fewer = found.told - found.received;
    let amount = fewer * price;
    let source = line_ref(&line.id);
    let cites = vec![
        gathered.fact(source.clone(), "price", "agreed price", FactValue::Price(price)),
        gathered.fact(source.clone(), "fewer", "announced and not come", FactValue::Quantity(fewer)),
        gathered.fact(source, "fewer_value", "value of what was announced and did not come", FactValue::Money(amount)),
    ];
    let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
    gathered.lose(&key, format!("announced, not come and still to be billed: {name}"), Range::certain(amount), cites);
    Some(key)
}

/// Come and not announced: it may have been booked in unseen. What is beyond the order is an over-delivery and counted there.
fn more(gathered: &mut Gathered<'_>, line: &PurchaseLine, off: Quantity) -> Option<String> {
    let book = gathered.scene.book;
    if book.excess(line).is_positive() {
        return None;
    }
    let cost = gathered.cost(&line.item)?;
    let value = off * cost.price;
    let amount = scaled(Range { high: value, ..Range::certain(value) }, BOOKED_UNSEEN);
    let source = line_ref(&line.id);
    let cites = vec![
        cost.cite,
        gathered.fact(source.clone(), "more", "come and not announced", FactValue::Quantity(off)),
        gathered.assume(source.clone(), "unseen", "share of such receipts that were booked in unseen", BOOKED_UNSEEN),
        gathered.fact(source, "more_value", "expected value of stock that is not there", FactValue::Money(amount.expected)),
    ];
    let key = format!("stock:{}@{}", line.item, line.location);
    let name = format!("{} at {}", book.item_label(&line.item), book.location_name(&line.location));
    gathered.lose(&key, format!("stock booked in and not announced: {name}"), amount, cites);
    Some(key)
}

/// An item that a notice names and the order does not have: nothing is lost yet, somebody has to say what it is.
fn stranger(gathered: &mut Gathered<'_>, exception: &Exception) {
    let subject = &exception.signal.subject;
    let order = subject.order.as_deref().unwrap_or_default();
    let Some(line) = gathered.scene.book.lines_of_order(order).into_iter().next() else { return };
    let item = subject.item.as_ref().map_or_else(String::new, |i| gathered.scene.book.item_label(i));
    let about = format!("order {}: the ship notice names {item}, which was not ordered", line.order_name);
    ask(gathered, line, &about, &[]);
    gathered.watch.get_or_insert_with(|| format!("{item} is booked in, or the notice is corrected"));
}

/// An order that its supplier has not confirmed: what a slip would cost, times the probability of one.
pub(super) fn unconfirmed(gathered: &mut Gathered<'_>, exception: &Exception) {
    let scene = gathered.scene;
    let book = scene.book;
    let lines: Vec<&PurchaseLine> = lines_of(scene, exception).into_iter().filter(|l| l.confirmed).collect();
    let Some(first) = lines.first() else { return };
    let (share, days, slip_cites) = slips(gathered, &first.supplier);
    let mut keys = Vec::new();
    for line in &lines {
        let place = (line.item.clone(), line.location.clone());
        // A shortage that another case owns holds what a slip would add to it.
        if gathered.owned_elsewhere(&line.item, &line.location).is_some() || !scene.outlook.daily.contains_key(&place) {
            continue;
        }
        let Some((_, mut cites)) = gathered.margin(&line.item) else { continue };
        let Some((added, stake)) = shortage::added_by_slip(gathered, &place, &line.id, days) else { continue };
        let amount = scaled(added, share);
        let source = line_ref(&line.id);
        let open = FactValue::Quantity(book.open_quantity(&line.id));
        cites.push(gathered.recapture(&line.item).1);
        cites.extend(slip_cites.iter().cloned());
        cites.push(gathered.fact(source.clone(), "open", &format!("still to come on {}", line.order_name), open));
        cites.push(gathered.fact(source.clone(), "slip_loss", "lost margin if it slips", FactValue::Money(added.expected)));
        cites.push(gathered.fact(
            source,
            "slip_expected",
            "the same times its probability",
            FactValue::Money(amount.expected),
        ));
        let key = format!("slip:{}", line.id);
        let name = format!("{} at {}", book.item_label(&line.item), book.location_name(&line.location));
        let (stake, at) = (Box::new(stake), frozen::name(&place));
        let made = Made::Slip { place: at, stake, line: line.id.clone(), days, share };
        gathered.lose_by(&key, format!("lost margin if {} slips: {name}", line.order_name), amount, cites, made);
        keys.push(key);
    }
    let about = format!("order {}, which is not confirmed: will it come as ordered, and when", first.order_name);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: first.supplier.as_str(),
        about: &about,
        keys: &keys,
        left: gathered.scene.settings.left.question_confirmation,
        latest: gathered.answer_by(),
        source: line_ref(&first.id),
    });
    gathered.watch.get_or_insert_with(|| format!("{} is confirmed or received", first.order_name));
}

/// How often a supplier's lines come later than the tolerance allows, and by how many days, with the facts.
fn slips(gathered: &mut Gathered<'_>, supplier: &SupplierId) -> (f64, u32, Vec<FactId>) {
    let book = gathered.scene.book;
    let allowed = gathered.scene.settings.tolerances.late_days;
    let lateness = |line: &PurchaseLine| {
        let came = book.receipts(&line.id).first().and_then(|m| m.done_at)?;
        Some(days_between(book.calendar.day_of(line.promised_first), book.calendar.day_of(came)))
    };
    let theirs = book.lines_of_supplier(supplier).into_iter();
    let all: Vec<i32> = theirs.filter(|l| l.confirmed).filter_map(lateness).collect();
    let late: Vec<f64> = all.iter().filter(|days| **days > allowed).map(|days| f64::from(*days)).collect();
    // A supplier with few lines is held to the prior: one late line of one does not make the next one late for sure.
    let share = formulas::beta_binomial_p(late.len() as u32, all.len() as u32, SLIP_PRIOR.0, SLIP_PRIOR.1);
    let days = formulas::median(&late).unwrap_or(SLIP_DAYS).ceil();
    let source = RecordRef::new(RecordKind::Supplier, supplier.as_str());
    let cites = vec![
        gathered.fact(source.clone(), "slip_share", "probability of a slip", FactValue::percent(share * 100.0)),
        gathered.fact(source, "slip_days", "days by which an order slips", FactValue::days(days)),
    ];
    (share, days as u32, cites)
}
