//! Receiving: what came against what was ordered, by purchase line and by order (handbook §4.2, tolerances §3.5).
//!
//! Tolerances apply to the sum over all receipts of a line, not receipt by receipt. A duplicate or a slip of the unit is
//! looked for before an over- or under-delivery is claimed.

use std::collections::BTreeMap;

use crate::place_key;
use jiff::civil::Date;

use super::facts::{fact, line_facts, record};
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, PurchaseLine, RecordKind, StockMove};
use reeve_domain::surplus::{self, Surplus};

const DETECTOR: &str = "receiving-rules/1";

/// Ratios between received and ordered that point to a slip of the unit: packs, and decimal shifts (handbook §2.2).
const PACK_FACTORS: [f64; 8] = [6.0, 10.0, 12.0, 24.0, 48.0, 100.0, 144.0, 1000.0];

/// Everything that receiving has to say on the book's day.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let mut found = Vec::new();
    for order in book.orders() {
        let lines: Vec<&PurchaseLine> = book.lines_of_order(order).into_iter().filter(|l| l.confirmed).collect();
        if lines.is_empty() {
            continue;
        }
        found.extend(timing(book, settings, &lines));
        let twins = twin_receipts(book, settings, &lines);
        found.extend(twins.as_ref().and_then(|twins| duplicate_receipt(book, settings, &lines, twins)));
        let doubled = twins.is_some();
        for line in &lines {
            found.extend(quantity(book, settings, line, &lines, doubled));
        }
    }
    found.extend(book.supply_moves.values().filter_map(|m| unplanned(book, settings, m)));
    found.extend(book.supply_moves.values().filter_map(|m| sent_back(book, settings, m)));
    found
}

pub(super) fn subject_of_order(line: &PurchaseLine) -> Subject {
    Subject {
        order: Some(line.order_id.clone()),
        supplier: Some(line.supplier.clone()),
        location: Some(line.location.clone()),
        ..Subject::default()
    }
}

pub(super) fn subject_of_line(line: &PurchaseLine) -> Subject {
    Subject { item: Some(line.item.clone()), po_line: Some(line.id.clone()), ..subject_of_order(line) }
}

/// The day on which the first goods of an order came.
fn first_receipt(book: &Book, lines: &[&PurchaseLine]) -> Option<Date> {
    lines.iter().flat_map(|l| book.receipts(&l.id)).filter_map(|m| m.done_at).min().map(|at| {
        let calendar = lines.first().map_or(&book.calendar, |line| book.calendar_of(&line.location));
        calendar.day_of(at)
    })
}

/// R-LATE, R-EARLY and S-OVERDUE: an order against its first promise. A promise that was rewritten later does not make an
/// order punctual, so the first one counts.
fn timing(book: &Book, settings: &Settings, lines: &[&PurchaseLine]) -> Option<Signal> {
    // Told once for the order, by its first line: its supplier is asked once.
    let first = lines[0];
    let promised = book.calendar_of(&first.location).day_of(lines.iter().map(|l| l.promised_first).min()?);
    let supplier = book.supplier_name(&first.supplier);
    let place = book.location_name(&first.location);
    let order = &first.order_name;
    let link = format!("timing:{}", first.order_id);
    let promise =
        fact(book, record(RecordKind::PoLine, &first.id), "promised_first", "first promise", FactValue::Date(promised));
    let received = first_receipt(book, lines);
    let working = settings.calendar.working_days.of(book, &first.location);
    let ended = received.unwrap_or(book.today);
    let days = days_between(promised, ended);
    // Days on which nobody books goods in there make nothing late.
    let is_late = book.days_late(&first.location, promised, ended, working) > settings.tolerances.late_days;
    let off = FactValue::days(f64::from(days));
    let days_off = fact(book, record(RecordKind::PoLine, &first.id), "days_off", "days after the promise", off);
    if let Some(received) = received {
        // When it came is a question of trust in the supplier, and soon no news; what has not come stays one.
        if days_between(received, book.today) > settings.detect.event_days {
            return None;
        }
        let (code, words) = if is_late {
            (T::RLate, format!("{days} days late"))
        } else if -days > settings.tolerances.early_days {
            (T::REarly, format!("{} days early", -days))
        } else {
            return None;
        };
        let headline = format!("{order} from {supplier} came to {place} {words}: promised {promised}, received {received}.");
        let facts = [
            promise,
            fact(book, record(RecordKind::PoLine, &first.id), "received_on", "first receipt", FactValue::Date(received)),
            days_off,
        ];
        let signal =
            Signal::rule(DETECTOR, code, subject_of_order(first), "receipt".to_owned(), (promised, received), headline);
        return Some(signal.link(link).with(facts));
    }
    let open: Quantity = lines.iter().map(|l| book.open_quantity(&l.id)).sum();
    if !is_late || !open.is_positive() {
        return None;
    }
    let headline = format!(
        "{order} from {supplier} to {place} is {days} days overdue: promised {promised}, {open} units on {} lines still open.",
        lines.len()
    );
    let facts = [
        promise,
        fact(book, record(RecordKind::PoLine, &first.id), "open_total", "open on the order", FactValue::Quantity(open)),
        days_off,
    ];
    let signal =
        Signal::rule(DETECTOR, T::SOverdue, subject_of_order(first), "promise".to_owned(), (promised, book.today), headline);
    Some(signal.link(link).with(facts))
}

/// Two receipts of one order with the same lines and quantities within a day, together more than was ordered.
struct Twins<'b> {
    first: &'b str,
    second: &'b str,
    moves: Vec<&'b StockMove>,
    day: Date,
}

fn twin_receipts<'b>(book: &'b Book, settings: &Settings, lines: &[&'b PurchaseLine]) -> Option<Twins<'b>> {
    let mut documents: BTreeMap<&str, Vec<&StockMove>> = BTreeMap::new();
    for line in lines {
        // What comes in place of a return repeats its receipt, and is none.
        for m in book.receipts(&line.id).into_iter().filter(|m| m.returns.is_none()) {
            documents.entry(m.document.as_str()).or_default().push(m);
        }
    }
    let mut receipts: Vec<(&str, Vec<&StockMove>)> = documents.into_iter().collect();
    receipts.sort_by_key(|(name, moves)| (moves.iter().filter_map(|m| m.done_at).min(), *name));
    for (i, (first, first_moves)) in receipts.iter().enumerate() {
        for (second, second_moves) in &receipts[i + 1..] {
            // The same line, item and quantity: a second part delivery would
            // bring what is still missing, which is seldom just as much.
            let same = |a: &StockMove, b: &StockMove| (&a.po_line, &a.item, a.qty) == (&b.po_line, &b.item, b.qty);
            let twins: Vec<&StockMove> = second_moves
                .iter()
                .copied()
                .filter(|b| b.qty.is_positive() && first_moves.iter().any(|a| same(a, b)))
                .collect();
            let beyond = twins.iter().all(|m| {
                m.po_line.as_ref().and_then(|id| book.po_lines.get(id)).is_some_and(|l| book.excess(l).is_positive())
            });
            let (Some(at), Some(before)) = (second_moves[0].done_at, first_moves[0].done_at) else { continue };
            let day = book.calendar.day_of(at);
            let apart = days_between(book.calendar.day_of(before), day);
            // A receipt that brings anything else besides, or leaves no line with too much, is a delivery of its own.
            if twins.len() < second_moves.len() || twins.is_empty() || !beyond || apart > 1 {
                continue;
            }
            if days_between(day, book.today) > settings.detect.keep(settings.detect.claim_days) {
                continue;
            }
            return Some(Twins { first, second, moves: twins, day });
        }
    }
    None
}

/// R-DUP: a receipt that repeats another, while what it put on the books is still there or somebody is billed for it. What
/// counts, returns and scraps took out since is nobody's to take out again.
fn duplicate_receipt(book: &Book, settings: &Settings, lines: &[&PurchaseLine], twins: &Twins<'_>) -> Option<Signal> {
    let Twins { first, second, moves, day } = twins;
    let line = lines[0];
    let surplus = book.surplus_of(second);
    let left: Quantity = surplus.iter().map(Surplus::left).sum();
    let gone: Quantity = surplus.iter().map(Surplus::gone).sum();
    // Straight to a customer, nothing is booked in anywhere.
    let nowhere = surplus.is_empty();
    let billed = || surplus::lines_of(&surplus).into_iter().any(|line| book.billed_twice(line, &surplus).is_positive());
    if !left.is_positive() && !nowhere && !billed() {
        return None;
    }
    let total: Quantity = moves.iter().map(|m| m.qty).sum();
    let since = if !gone.is_positive() {
        String::new()
    } else if left.is_positive() {
        format!(", {gone} of them were taken off the books again, {left} are still there")
    } else {
        "; they were taken off the books again, and are billed all the same".to_owned()
    };
    let headline = format!(
        "{second} repeats {first} of {} from {}: {total} units on {} lines were booked in a second time{since}.",
        line.order_name,
        book.supplier_name(&line.supplier),
        moves.len()
    );
    let subject = Subject { document: Some((*second).to_owned()), ..subject_of_order(line) };
    let mut signal = Signal::rule(DETECTOR, T::RDup, subject, "receipt".to_owned(), (*day, *day), headline)
        .opens_until(plus_days(*day, settings.detect.claim_days));
    for m in moves {
        signal = signal.link(format!("books:{}@{}", m.item, line.location)).with([fact(
            book,
            record(RecordKind::Move, &m.id),
            "qty",
            &format!("booked again, {}", book.item_label(&m.item)),
            FactValue::Quantity(m.qty),
        )]);
    }
    Some(signal.link(format!("receipt:{}", line.order_id)))
}

/// R-SHORT, R-OVER and R-UOM: a line's receipts together against what was ordered.
fn quantity(
    book: &Book,
    settings: &Settings,
    line: &PurchaseLine,
    lines: &[&PurchaseLine],
    doubled: bool,
) -> Option<Signal> {
    let first = first_receipt(book, lines)?;
    let Difference { off, came } = difference(book, line, lines);
    let last = book.receipts(&line.id).iter().filter_map(|m| m.done_at).max().map(|at| book.calendar.day_of(at));
    let off = off.to_f64();
    let within = off.abs() <= settings.tolerances.quantity_units
        || off.abs() <= line.qty.to_f64() * settings.tolerances.quantity_percent / 100.0;
    let open = book.open_quantity(&line.id);
    // Due is what had its whole day: on the promised day itself the rest can still come.
    let due = book.closed_at(&line.location) >= book.calendar.day_of(line.promised_first);
    let age = days_between(last.unwrap_or(first), book.today);
    // What is open stays a question. What is closed is looked at
    // while a claim can be made, or while a case of it waits.
    let recent = open.is_positive() || age <= settings.detect.keep(settings.detect.claim_days);
    if within || !line.qty.is_positive() || !recent {
        return None;
    }
    let item = book.item_label(&line.item);
    let supplier = book.supplier_name(&line.supplier);
    let (order, ordered) = (&line.order_name, line.qty);
    let ratio = came.to_f64() / ordered.to_f64();
    // A ratio of a usual pack speaks of a wrong unit, not of goods: then stock is wrong, and the supplier owes nothing.
    let slip = PACK_FACTORS.iter().find(|f| near(ratio, **f) || near(ratio, 1.0 / **f));
    let (code, headline) = if let Some(factor) = slip.filter(|_| came.is_positive() && !doubled) {
        let words =
            format!("{order} {item}: {came} received for {ordered} ordered, a ratio of {factor}: a unit slip is likely.");
        (T::RUom, words)
    } else if off > 0.0 {
        // What came twice has a case of its own, which counts it.
        if doubled {
            return None;
        }
        let more = came - ordered;
        (T::ROver, format!("{supplier} delivered {came} of {item} for {ordered} ordered on {order}: {more} too many."))
    } else {
        if !due && open.is_positive() {
            return None;
        }
        let rest = if open.is_positive() { format!("{open} still open") } else { "the order line is closed".to_owned() };
        let short = ordered - came;
        (T::RShort, format!("{supplier} delivered {came} of {ordered} {item} on {order}: {short} short, {rest}."))
    };
    let mut signal =
        Signal::rule(DETECTOR, code, subject_of_line(line), "line".to_owned(), (first, last.unwrap_or(first)), headline)
            .link(format!("line:{}", line.id))
            .with(line_facts(book, line));
    if !open.is_positive() {
        signal = signal.opens_until(plus_days(last.unwrap_or(first), settings.detect.claim_days));
    }
    // What is still to come may run the place out: the shortage and the order are one case then.
    if code == T::RShort && open.is_positive() {
        signal = signal.link(place_key::shortage(&line.item, &line.location));
    }
    Some(signal)
}

/// How far a line is from what was ordered.
pub(super) struct Difference {
    /// Too much where positive, too little where negative.
    off: Quantity,
    /// What was brought: of too much what is kept, of too little also what went back, which is another matter.
    pub(super) came: Quantity,
}

/// What a line has too much another line of the order may have too little, where both are of one item: free goods are a line of
/// their own, and are booked in with the others. While that line still waits for its goods it waits for its own.
pub(super) fn difference(book: &Book, line: &PurchaseLine, lines: &[&PurchaseLine]) -> Difference {
    let beside = || lines.iter().filter(|l| l.id != line.id && l.item == line.item && l.qty.is_positive());
    let (excess, missing) = (book.excess(line), book.missing(line));
    let waits = |l: &PurchaseLine| {
        book.open_quantity(&l.id).is_positive() && book.closed_at(&l.location) < book.calendar.day_of(l.promised_first)
    };
    let lacks: Quantity = beside().filter(|l| !waits(l)).map(|l| book.missing(l)).sum();
    let has: Quantity = beside().map(|l| book.excess(l)).sum();
    let off = if excess.is_positive() { excess - excess.min(lacks) } else { missing.min(has) - missing };
    Difference { off, came: line.qty + off }
}

fn near(ratio: f64, factor: f64) -> bool {
    (ratio / factor - 1.0).abs() <= 0.01
}

/// R-UNPLANNED: goods from a supplier without an order line; R-SUBST where they came in place of goods that were ordered.
fn unplanned(book: &Book, settings: &Settings, m: &StockMove) -> Option<Signal> {
    let day = book.calendar.day_of(m.done_at?);
    // What comes in place of a return belongs to it, and what is somebody else's was never bought.
    let expected = book.line_of(m).is_some() || m.returns.is_some() || m.owner.is_some();
    if m.kind != MoveKind::Receipt
        || expected
        || days_between(day, book.today) > settings.detect.keep(settings.detect.claim_days)
    {
        return None;
    }
    let to = m.to.as_ref()?;
    let instead = replaced_line(book, settings, m);
    let (label, at) = (book.item_label(&m.item), book.location_name(to));
    let headline = match instead {
        None => format!("{} of {label} came to {at} with {} but stands on no order.", m.qty, m.document),
        Some(line) => format!(
            "{} of {label} came to {at} with {}, where {} of {} were ordered on {}.",
            m.qty,
            m.document,
            book.missing(line),
            book.item_label(&line.item),
            line.order_name
        ),
    };
    let subject = Subject { document: Some(m.document.clone()), ..Subject::at(&m.item, to) };
    let source = record(RecordKind::Move, &m.id);
    let facts = [
        fact(book, source.clone(), "qty", "received without order", FactValue::Quantity(m.qty)),
        fact(book, source, "done_on", "received", FactValue::Date(day)),
    ];
    let code = if instead.is_some() { T::RSubst } else { T::RUnplanned };
    let signal = Signal::rule(DETECTOR, code, subject, "receipt".to_owned(), (day, day), headline)
        .opens_until(plus_days(day, settings.detect.claim_days))
        .link(format!("unplanned:{}", m.id))
        .with(facts);
    // What is missing of the ordered goods and what came instead is one decision.
    Some(match instead {
        Some(line) => signal.link(format!("line:{}", line.id)).with(line_facts(book, line)),
        None => signal,
    })
}

/// The line of the order that a receipt belongs to of which as many are missing as came of another item with it.
fn replaced_line<'b>(book: &'b Book, settings: &Settings, m: &StockMove) -> Option<&'b PurchaseLine> {
    let beside = book.supply_moves_of_document(&m.document).into_iter().filter_map(|other| book.line_of(other));
    // Where nothing else of the receipt has a line, its origin may still name the order.
    let named = book.lines_named(&m.origin).into_iter().map(|line| line.id.as_str());
    let order = beside.chain(named).find_map(|line| book.po_lines.get(line)).map(|line| line.order_id.as_str())?;
    let near = |line: &&&PurchaseLine| {
        let missing = book.missing(line);
        let off = (missing - m.qty).abs().to_f64();
        line.item != m.item && missing.is_positive() && off <= settings.tolerances.quantity_units
    };
    let lines = book.lines_of_order(order);
    let mut fits = lines.iter().filter(near);
    let first = fits.next().copied()?;
    // Two that fit say nothing of which is meant.
    fits.next().is_none().then_some(first)
}

/// R-DAMAGE: goods sent back to the supplier.
fn sent_back(book: &Book, settings: &Settings, m: &StockMove) -> Option<Signal> {
    let day = book.calendar.day_of(m.done_at?);
    if m.kind != MoveKind::SupplierReturn || days_between(day, book.today) > settings.detect.keep(settings.detect.claim_days)
    {
        return None;
    }
    // An order that sends goods back says so itself, price and all.
    let line = book.po_lines.get(book.line_of(m)?).filter(|line| line.qty.is_positive())?;
    let replaced: Quantity = book
        .receipts(&line.id)
        .into_iter()
        .filter(|receipt| receipt.returns.as_ref() == Some(&m.id))
        .map(|receipt| receipt.qty)
        .sum();
    let since = if replaced.is_positive() { format!("; {replaced} came in their place") } else { String::new() };
    let headline = format!(
        "{} of {} from {} went back to the supplier ({}, {}){since}.",
        m.qty,
        book.item_label(&m.item),
        book.supplier_name(&line.supplier),
        m.document,
        line.order_name
    );
    let subject = Subject { document: Some(m.document.clone()), ..subject_of_line(line) };
    let returned = fact(book, record(RecordKind::Move, &m.id), "qty", "sent back", FactValue::Quantity(m.qty));
    let signal = Signal::rule(DETECTOR, T::RDamage, subject, "return".to_owned(), (day, day), headline)
        .opens_until(plus_days(day, settings.detect.claim_days));
    Some(signal.link(format!("line:{}", line.id)).with(line_facts(book, line)).with([returned]))
}
