//! What came against what was announced to come (R-ASN; handbook §4.2). Exact: a notice has no tolerance (§3.5).

use super::facts::{fact, line_facts, record};
use super::receiving::subject_of_line;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::record::RecordKind;
use reeve_domain::shipped::{Mismatch, Stranger, Teller};

const DETECTOR: &str = "ship-notice-rules/1";

/// R-ASN for every line that differs from its notices.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let recent = |day| days_between(day, book.today) <= settings.detect.keep(settings.detect.claim_days);
    let mut found: Vec<Signal> =
        book.mismatches().iter().filter(|m| recent(m.days.1)).filter_map(|m| mismatch(book, settings, m)).collect();
    found.extend(book.strangers().iter().filter(|s| recent(s.day)).filter_map(|s| stranger(book, settings, s)));
    found
}

fn mismatch(book: &Book, settings: &Settings, found: &Mismatch) -> Option<Signal> {
    let line = book.po_lines.get(&found.po_line)?;
    let (item, order) = (book.item_label(&line.item), &line.order_name);
    let supplier = book.supplier_name(&line.supplier);
    let who = match found.teller {
        Teller::Supplier => format!("{supplier} announced"),
        Teller::Warehouse => "The receiving warehouse told of".to_owned(),
    };
    let Mismatch { told, received, .. } = found;
    let headline = if told == received {
        format!("{item} on {order} from {supplier} came in another lot than it was announced.")
    } else if told.0.is_zero() {
        format!("{supplier} announced no {item} with {}, {received} came on {order}.", found.shipment)
    } else if received < told {
        format!("{who} {told} of {item} on {order} with {}, {received} came: {} fewer.", found.shipment, *told - *received)
    } else {
        format!("{who} {told} of {item} on {order} with {}, {received} came: {} more.", found.shipment, *received - *told)
    };
    let notice = found.notices.last()?;
    let source = || record(RecordKind::Notice, notice);
    let mut facts = line_facts(book, line);
    facts.push(fact(book, source(), &format!("told@{}", line.id), "announced", FactValue::Quantity(*told)));
    let label = "booked in after the notice";
    facts.push(fact(book, record(RecordKind::PoLine, &line.id), "received_since", label, FactValue::Quantity(*received)));
    if let Some(notice) = book.notices.get(notice) {
        facts.push(fact(book, source(), "told_on", "announced on", FactValue::Date(book.told_on(notice))));
    }
    if let Some((sent, came)) = &found.lots {
        for (field, label, lot) in [("lot_sent", "lot announced", sent), ("lot_came", "lot received", came)] {
            let lot = FactValue::Text(lot.clone());
            facts.push(fact(book, source(), &format!("{field}@{}", line.id), label, lot).from_outside());
        }
    }
    let subject = Subject { document: Some(found.shipment.clone()), ..subject_of_line(line) };
    let signal = Signal::rule(DETECTOR, T::RAsn, subject, "notice".to_owned(), found.days, headline)
        .opens_until(plus_days(found.days.1, settings.detect.claim_days));
    Some(signal.link(format!("line:{}", line.id)).with(facts))
}

fn stranger(book: &Book, settings: &Settings, found: &Stranger) -> Option<Signal> {
    let beside = book.po_lines.get(&found.beside)?;
    let headline = format!(
        "{} announced {} of {} with {}, which {} does not have.",
        book.supplier_name(&beside.supplier),
        found.told,
        book.item_label(&found.item),
        found.shipment,
        beside.order_name
    );
    let subject = Subject {
        item: Some(found.item.clone()),
        document: Some(found.shipment.clone()),
        ..super::receiving::subject_of_order(beside)
    };
    let announced = FactValue::Quantity(found.told);
    let field = format!("stranger@{}", found.item);
    let facts = [
        fact(book, record(RecordKind::Notice, &found.notice), &field, "announced beside the order", announced),
        fact(
            book,
            record(RecordKind::PoLine, &beside.id),
            "qty",
            "ordered of another item",
            FactValue::Quantity(beside.qty),
        ),
    ];
    let signal = Signal::rule(DETECTOR, T::RAsn, subject, "notice".to_owned(), (found.day, found.day), headline)
        .opens_until(plus_days(found.day, settings.detect.claim_days));
    Some(signal.link(format!("receipt:{}", beside.order_id)).with(facts))
}
