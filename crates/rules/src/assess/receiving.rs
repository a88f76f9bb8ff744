//! Receiving: what came is not what was ordered: too much, too early, too late, twice, in another unit, without an order,
//! damaged (handbook §4.2). Short deliveries are a bill check and a shortage, both found elsewhere; what was received twice has
//! its own file.

use crate::role::Role;
use reeve_domain::action::Range;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{Exception, ExceptionType};
use reeve_domain::ids::{FactId, SupplierId};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::record::{MoveKind, PurchaseLine, RecordKind, RecordRef, StockMove};
use reeve_models::formulas;

use super::act::hold_qc;
use super::act::send_back::{self, Back};
use super::counted;
use super::gathered::{Gathered, Question, item_ref, line_ref};
use super::matching::{self, Disputes};
use super::received_twice;
use super::stock::event_of;

/// Share of the faults of a delivery that nobody has seen yet when a part of it has gone back.
pub(super) const UNSEEN: f64 = 0.3;
/// The basis of a claim for goods that went back. The ERP does not say why: nothing is claimed about their quality.
pub(super) const BASIS_RETURN: &str = "sent back to the supplier";

/// Assesses one receiving exception.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception, disputes: &mut Disputes) {
    let book = gathered.scene.book;
    let subject = &exception.signal.subject;
    let lines: Vec<&PurchaseLine> = match (&subject.po_line, &subject.order) {
        (Some(line), _) => book.po_lines.get(line).into_iter().collect(),
        (None, Some(order)) => book.lines_of_order(order),
        (None, None) => Vec::new(),
    };
    match exception.signal.code {
        ExceptionType::RUnplanned | ExceptionType::RSubst => unplanned(gathered, exception),
        ExceptionType::RDup => received_twice::assess(gathered, exception, disputes),
        code => {
            if lines.is_empty() {
                gathered.miss(format!("purchase order {}", subject.key()), "the value of the deviation");
            }
            let mut early_cost = Money::ZERO;
            for line in &lines {
                match code {
                    ExceptionType::RShort => short(gathered, line, disputes),
                    ExceptionType::ROver => over(gathered, line),
                    ExceptionType::REarly => early_cost += early(gathered, line),
                    ExceptionType::RLate => late(gathered, line),
                    ExceptionType::RUom => unit(gathered, line),
                    ExceptionType::RDamage => damage(gathered, line, disputes),
                    _ => {}
                }
            }
            // An early delivery is accepted once for the order, not once for each line.
            if let Some(line) = lines.first().filter(|_| early_cost > Money::ZERO) {
                let cites = lines.iter().map(|l| FactId::new(format!("po_line:{}/early_cost", l.id))).collect();
                let proposal = matching::accepted(gathered, &line.order_name, early_cost, cites);
                gathered.proposals.push(proposal);
            }
        }
    }
}

/// The line's ordered and received quantities as facts.
fn quantities(gathered: &mut Gathered<'_>, line: &PurchaseLine) -> Vec<FactId> {
    let received = gathered.scene.book.received(&line.id);
    let open = gathered.scene.book.open_quantity(&line.id);
    let source = line_ref(&line.id);
    vec![
        gathered.fact(source.clone(), "qty", "ordered", FactValue::Quantity(line.qty)),
        gathered.fact(source.clone(), "received_total", "received", FactValue::Quantity(received)),
        gathered.fact(source, "open", &format!("still to come on {}", line.order_name), FactValue::Quantity(open)),
    ]
}

fn ask_supplier(gathered: &mut Gathered<'_>, line: &PurchaseLine, about: &str, keys: &[String]) {
    let until = matching::claim_until(gathered.scene.book, &[line])
        .unwrap_or(gathered.scene.book.today)
        .max(gathered.scene.book.today);
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

fn short(gathered: &mut Gathered<'_>, line: &PurchaseLine, disputes: &mut Disputes) {
    let book = gathered.scene.book;
    let cites = quantities(gathered, line);
    let missing = book.missing(line);
    let place = (line.item.clone(), line.location.clone());
    // Billed no more than came: nothing to dispute, only to ask for.
    let owed_nothing =
        super::three_way::three_way(book, gathered.scene.settings, line).is_some_and(|w| w.never + w.ahead <= Money::ZERO);
    if book.bills(&line.id).is_empty() || owed_nothing {
        let variance = line.price.map_or(Money::ZERO, |p| missing * p);
        let mut cites = cites;
        cites.push(gathered.fact(line_ref(&line.id), "short_value", "value of what is short", FactValue::Money(variance)));
        let proposal = matching::accepted(gathered, &line.order_name, variance, cites);
        gathered.proposals.push(proposal);
        if overdue(book, line) && gathered.owned_elsewhere(&line.item, &line.location).is_none() {
            // The shortage asks when the rest of an overdue line comes; the same question twice is one too many.
            return;
        }
        let key = super::shortage::keys(&place);
        let about = format!("order {}: {missing} units are missing, when do they come", line.order_name);
        gathered.contact(&Question {
            role: Role::Supplier,
            partner: line.supplier.as_str(),
            about: &about,
            keys: &key,
            left: gathered.scene.settings.left.question_missing,
            latest: gathered.today_plus(7),
            source: line_ref(&line.id),
        });
    } else {
        disputes.add(gathered, &line.id, true, false);
    }
}

fn over(gathered: &mut Gathered<'_>, line: &PurchaseLine) {
    let book = gathered.scene.book;
    let excess = book.excess(line);
    if book.receipts(&line.id).iter().all(|m| m.owner.is_some()) {
        // Goods on consignment cost their owner.
        quantities(gathered, line);
        return ask_supplier(gathered, line, &format!("order {}: {excess} units more than ordered", line.order_name), &[]);
    }
    let Some(cost) = gathered.cost(&line.item) else { return };
    let (rate, rate_cite) = gathered.holding(&line.item);
    let place = (line.item.clone(), line.location.clone());
    let mu_d = gathered.scene.outlook.per_day(&place).0;
    // What is there beside the excess sells first; until then the excess only lies there.
    let rest = (book.available(&line.item, &line.location) - excess).to_f64().max(0.0);
    let t0 = if mu_d > 0.0 { rest / mu_d } else { 0.0 };
    let held = formulas::excess_cost(excess.to_f64(), mu_d, cost.price.to_f64(), rate, t0);
    let amount = Money::from_f64(held);
    let mut cites = quantities(gathered, line);
    let source = line_ref(&line.id);
    cites.extend([cost.cite, rate_cite]);
    cites.push(gathered.fact(source.clone(), "excess", "received beyond the order", FactValue::Quantity(excess)));
    cites.push(gathered.fact(source.clone(), "excess_cost", "holding cost of the excess", FactValue::Money(amount)));
    let key = format!("excess:{}@{}", line.item, line.location);
    let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
    gathered.lose(&key, format!("holding cost of the over-delivery: {name}"), Range::certain(amount), cites.clone());
    if let Some(price) = line.price {
        let variance = excess * price;
        cites.push(gathered.fact(source, "excess_value", "value of the excess", FactValue::Money(variance)));
        let proposal = matching::accepted(gathered, &line.order_name, variance, cites);
        gathered.proposals.push(proposal);
    }
    if let Some(receipt) = book.receipts(&line.id).last() {
        let (receipt, source) = (receipt.document.clone(), line_ref(&line.id));
        let (price, supplier, left) = (line.price, &line.supplier, gathered.scene.settings.left.send_back);
        let (quantity, reason) = (excess, "more than was ordered");
        let back = Back { receipt: &receipt, place: &place, supplier, quantity, price, reason, key: &key, left, source };
        send_back::send(gathered, &back);
    }
    let about = format!("order {}: {excess} units more than ordered, take them back or credit them", line.order_name);
    ask_supplier(gathered, line, &about, &[key]);
}

/// Counts a line that came early and says what that costs.
fn early(gathered: &mut Gathered<'_>, line: &PurchaseLine) -> Money {
    let book = gathered.scene.book;
    let Some(arrived) = book.receipts(&line.id).first().and_then(|m| m.done_at) else { return Money::ZERO };
    let days = days_between(book.calendar.day_of(arrived), book.calendar.day_of(line.promised_first)).max(0);
    let Some(cost) = gathered.cost(&line.item) else { return Money::ZERO };
    let (rate, rate_cite) = gathered.holding(&line.item);
    let received = book.received(&line.id);
    let held = formulas::holding_cost(received.to_f64(), cost.price.to_f64(), rate, f64::from(days));
    let amount = Money::from_f64(held);
    let mut cites = quantities(gathered, line);
    cites.extend([cost.cite, rate_cite]);
    let source = line_ref(&line.id);
    cites.push(gathered.fact(source.clone(), "early_days", "days early", FactValue::days(f64::from(days))));
    cites.push(gathered.fact(source, "early_cost", "holding cost of the days", FactValue::Money(amount)));
    let key = format!("early:{}", line.id);
    let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
    gathered.lose(&key, format!("holding cost of an early delivery: {name}"), Range::certain(amount), cites);
    ask_supplier(gathered, line, &format!("order {}: deliveries before the promised day", line.order_name), &[key]);
    amount
}

/// A line that came after its promise, whole. What was lost meanwhile is lost, and nothing is held: only what to say of it is
/// left. Where something is still to come, the shortage says what it costs.
fn late(gathered: &mut Gathered<'_>, line: &PurchaseLine) {
    let book = gathered.scene.book;
    let Some(arrived) = book.receipts(&line.id).first().and_then(|m| m.done_at) else { return };
    if book.open_quantity(&line.id).is_positive() {
        return;
    }
    let days = days_between(book.calendar.day_of(line.promised_first), book.calendar.day_of(arrived)).max(0);
    quantities(gathered, line);
    gathered.fact(line_ref(&line.id), "late_days", "days late", FactValue::days(f64::from(days)));
    ask_supplier(gathered, line, &format!("order {}: it came after the promised day", line.order_name), &[]);
    if gathered.watch.is_none() {
        gathered.watch = Some(format!("the next delivery of {} is late again", book.supplier_name(&line.supplier)));
    }
}

/// The loss of stock that is in the books and perhaps not in the house.
pub(super) fn false_stock(
    gathered: &mut Gathered<'_>,
    place: &Place,
    quantity: Quantity,
    why: &str,
    source: RecordRef,
) -> Option<String> {
    let cost = gathered.cost(&place.0)?;
    let amount = quantity.abs() * cost.price;
    let name = format!("{} at {}", gathered.scene.book.item_label(&place.0), gathered.scene.book.location_name(&place.1));
    let cites = vec![
        cost.cite,
        gathered.fact(source.clone(), &format!("doubtful@{}", place.1), why, FactValue::Quantity(quantity.abs())),
        gathered.fact(source, &format!("doubtful_value@{}", place.1), &format!("{why}, at cost"), FactValue::Money(amount)),
    ];
    let key = format!("stock:{}@{}", place.0, place.1);
    gathered.lose(&key, format!("{why}: {name}"), Range::certain(amount), cites);
    Some(key)
}

fn unit(gathered: &mut Gathered<'_>, line: &PurchaseLine) {
    let book = gathered.scene.book;
    quantities(gathered, line);
    // Too much or too little by a pack factor: either way so many
    // units are in the books and perhaps not in the house.
    let difference = if book.excess(line).is_positive() { book.excess(line) } else { -book.missing(line) };
    let place = (line.item.clone(), line.location.clone());
    let about = format!("order {}: in which unit was it delivered", line.order_name);
    let last = book.receipts(&line.id).last().and_then(|m| event_of(m));
    if last.and_then(|event| counted::agreed(gathered, &place, &event)).is_some() {
        // What was booked has been counted: it is there.
        return ask_supplier(gathered, line, &about, &[]);
    }
    let why = "stock that may be in another unit";
    let Some(key) = false_stock(gathered, &place, difference, why, line_ref(&line.id)) else { return };
    let counter = book.receipts(&line.id).last().and_then(|m| m.entered_by.clone());
    gathered.recount(&line.item, &line.location, std::slice::from_ref(&key), gathered.scene.settings.left.recount, counter);
    ask_supplier(gathered, line, &about, &[key]);
}

/// What a receipt brought, as far as it is done.
pub(super) fn receipts_of(gathered: &Gathered<'_>, document: &str) -> Vec<StockMove> {
    let done = |m: &&StockMove| m.kind == MoveKind::Receipt && m.done_at.is_some();
    gathered.scene.book.moves_of_document(document).filter(done).cloned().collect()
}

fn unplanned(gathered: &mut Gathered<'_>, exception: &Exception) {
    let book = gathered.scene.book;
    let subject = &exception.signal.subject;
    let Some(document) = &subject.document else { return };
    let matching_item = |m: &StockMove| subject.item.as_ref().is_none_or(|i| *i == m.item);
    let moves: Vec<StockMove> = receipts_of(gathered, document).into_iter().filter(matching_item).collect();
    if moves.is_empty() {
        gathered.miss(format!("receipt {document}"), "the value of what came without an order");
    }
    for m in &moves {
        let Some(to) = &m.to else { continue };
        let place = (m.item.clone(), to.clone());
        let source = RecordRef::new(RecordKind::Move, m.id.clone());
        let why = "stock received without an order";
        let Some(key) = false_stock(gathered, &place, m.qty, why, source.clone()) else { continue };
        if event_of(m).and_then(|event| counted::agreed(gathered, &place, &event)).is_none() {
            gathered.recount(&m.item, to, std::slice::from_ref(&key), 0.5, m.entered_by.clone());
        }
        // It may simply be kept: an order that was placed by phone has come, and nobody entered it.
        let value = gathered.lost(&key).expected;
        let left = gathered.scene.settings.left.hold_unplanned;
        let reason = "nobody ordered them";
        let held =
            hold_qc::Held { document, place: &place, quantity: m.qty, reason, key: &key, left, source: source.clone() };
        hold_qc::hold(gathered, &held);
        let about = format!("receipt {document}: goods without an order line");
        let supplier = m.partner.clone().filter(|p| book.suppliers.contains_key(&SupplierId::new(p)));
        if let Some(supplier) = supplier.clone().map(SupplierId::new) {
            let left = gathered.scene.settings.left.send_back;
            let (receipt, supplier, quantity, source) = (document.as_str(), &supplier, m.qty, source.clone());
            let back = Back { receipt, place: &place, supplier, quantity, price: None, reason, key: &key, left, source };
            send_back::send(gathered, &back);
        }
        let (role, partner) = supplier.map_or_else(|| (Role::Warehouse, to.as_str().to_owned()), |s| (Role::Supplier, s));
        gathered.contact(&Question {
            role,
            partner: &partner,
            about: &about,
            keys: std::slice::from_ref(&key),
            left: gathered.scene.settings.left.question,
            latest: gathered.today_plus(7),
            source,
        });
        let cites = vec![item_ref(&m.item)].into_iter().map(|r| FactId::new(format!("{r}/cost"))).collect();
        let proposal = matching::accepted(gathered, document, value, cites);
        gathered.proposals.push(proposal);
    }
}

/// Billed beyond what was received and kept: the most that goods which went back can be owed for.
pub(super) fn billed_beyond(book: &Book, line: &PurchaseLine) -> Quantity {
    let billed: Quantity = book.asked(&line.id).iter().map(|bill| bill.qty).sum();
    (billed - book.received(&line.id)).max(Quantity::ZERO)
}

/// Goods that went back: what was not replaced is to be credited, or still to be replaced.
fn damage(gathered: &mut Gathered<'_>, line: &PurchaseLine, disputes: &mut Disputes) {
    let book = gathered.scene.book;
    let mut cites = quantities(gathered, line);
    let source = line_ref(&line.id);
    let label = "sent back and not replaced";
    cites.push(gathered.fact(source.clone(), "away", label, FactValue::Quantity(book.away(&line.id))));
    let place = (line.item.clone(), line.location.clone());
    hold_qc::rest_of(gathered, line, &place, book.sent_back(&line.id), (UNSEEN, "a part of this delivery went back"));
    let billed = !book.bills(&line.id).is_empty();
    if billed {
        disputes.add(gathered, &line.id, true, false);
    }
    // The bill check has what is to be credited; what is to be replaced is billed rightly, and owed in goods.
    let back = if billed { book.billable(line) - book.received(&line.id) } else { book.away(&line.id) };
    let back = back.min(billed_beyond(book, line));
    if !back.is_positive() {
        let away = book.away(&line.id);
        if !billed && away.is_positive() {
            // Nobody asks money for it: only whether goods come in its place.
            ask_supplier(
                gathered,
                line,
                &format!("order {}: {away} units sent back, replacement or credit", line.order_name),
                &[],
            );
        }
        return;
    }
    let Some(price) = line.price else {
        gathered.miss(format!("price of {} in company currency", line.order_name), "the value of what was sent back");
        return;
    };
    let amount = back * price;
    cites.push(gathered.fact(source.clone(), "price", "agreed price", FactValue::Price(price)));
    cites.push(gathered.fact(source.clone(), "sent_back", "sent back", FactValue::Quantity(book.sent_back(&line.id))));
    cites.push(gathered.fact(source.clone(), "back_owed", "billed of what was sent back", FactValue::Quantity(back)));
    cites.push(gathered.fact(source, "damage_value", "value of what was sent back", FactValue::Money(amount)));
    // A loss of its own beside the bill check: goods that went back are owed whether or not the bill is disputed.
    let key = format!("claim:{}", line.id);
    let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
    gathered.lose(&key, format!("sent back: {name}"), Range::certain(amount), cites);
    let fault =
        matching::Fault { quantity: back, value: amount, basis: BASIS_RETURN, left: gathered.scene.settings.left.claim };
    matching::claim(gathered, line, &fault, std::slice::from_ref(&key));
    ask_supplier(
        gathered,
        line,
        &format!("order {}: {back} units sent back, replacement or credit", line.order_name),
        &[key],
    );
}

/// The purchase line of the newest receipt at a place that had come by `at`, at most `within` days before. What came later has
/// nothing to do with it.
pub(super) fn newest_receipt<'b>(
    gathered: &Gathered<'b>,
    place: &Place,
    at: jiff::Timestamp,
    within: i32,
) -> Option<&'b PurchaseLine> {
    let book = gathered.scene.book;
    let day = book.calendar.day_of(at);
    let recent = |m: &&StockMove| {
        m.kind == MoveKind::Receipt
            && m.done_at.is_some_and(|came| came <= at && days_between(book.calendar.day_of(came), day) <= within)
    };
    book.moves_at(&place.0, &place.1)
        .into_iter()
        .rfind(recent)
        .and_then(|m| m.po_line.as_ref())
        .and_then(|l| book.po_lines.get(l))
}

/// Units that lines of an order still owe at a place: the most a shortage there can be blamed on it.
pub(super) fn owed(book: &Book, line: &PurchaseLine) -> f64 {
    let open = book.open_quantity(&line.id).to_f64();
    let never = book.missing(line).to_f64();
    open.max(never)
}

/// Is a line's promise past and something still to come? On the promised day itself it may still come.
pub(super) fn overdue(book: &Book, line: &PurchaseLine) -> bool {
    line.confirmed && book.open_quantity(&line.id).is_positive() && book.due(line) < book.today
}
