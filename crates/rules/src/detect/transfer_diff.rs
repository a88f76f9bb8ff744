//! Transfers of which another quantity came than left (T-DIFF; handbook §4.6).

use super::facts::{fact, record};
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, RecordKind};
use reeve_domain::transit::Difference;
use rust_decimal::Decimal;

const DETECTOR: &str = "transfer-rules/1";

/// T-DIFF for each transfer that has ended in the last days with a difference.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    book.differences().iter().filter_map(|difference| signal(book, settings, difference)).collect()
}

fn signal(book: &Book, settings: &Settings, difference: &Difference<'_>) -> Option<Signal> {
    let Difference { out, left: sent, into, came } = difference;
    let off = difference.off();
    let day = book.calendar.day_of(into.done_at?);
    let (from, to) = (out.from.as_ref()?, into.to.as_ref()?);
    if days_between(day, book.today) > settings.detect.keep(settings.detect.event_days)
        || off.abs().to_f64() < settings.tolerances.count_units
    {
        return None;
    }
    let (label, left, at) = (book.item_label(&out.item), book.location_name(from), book.location_name(to));
    let words = if off.is_positive() { "more" } else { "fewer" };
    let slip = pack_of(book, difference).map_or_else(String::new, |pack| format!("; a pack holds {pack}"));
    let headline = format!(
        "{came} of {label} came to {at} with {}, {} had left {left}: {} {words}{slip}.",
        into.document,
        sent,
        off.abs()
    );
    let of = |id: &str, field: &str, label: &str, value| fact(book, record(RecordKind::Move, id), field, label, value);
    let facts = [
        of(&out.id, "shipped", &format!("left {left}"), FactValue::Quantity(*sent)),
        of(&out.id, "came", &format!("came to {at}"), FactValue::Quantity(*came)),
        of(&out.id, "off", "difference", FactValue::Quantity(off)),
        of(&into.id, "arrived_on", "arrived", FactValue::Date(day)),
    ];
    let subject = Subject { document: Some(into.document.clone()), ..Subject::at(&out.item, to) };
    let mut signal = Signal::rule(DETECTOR, T::TDiff, subject, format!("transfer {}", out.id), (day, day), headline)
        .opens_until(plus_days(day, settings.detect.event_days));
    signal.explained = settled_by_count(book, difference);
    Some(signal.link(format!("transfer:{}", out.document)).link(format!("books:{}@{to}", out.item)).with(facts))
}

/// The pack by which what came and what left differ, where it is one: somebody counted cartons for pieces.
fn pack_of(book: &Book, difference: &Difference<'_>) -> Option<Decimal> {
    let (came, left) = (difference.came.0, difference.left.0);
    let (small, large) = (came.min(left), came.max(left));
    let packs = book.items.get(&difference.out.item).into_iter().flat_map(|item| &item.keys.packs);
    packs.map(|pack| pack.qty.0).find(|pack| *pack > Decimal::ONE && small * pack == large)
}

/// A count at the receiver has found or missed as many since: the books are right again.
fn settled_by_count(book: &Book, difference: &Difference<'_>) -> Option<String> {
    let (to, came_at) = (difference.into.to.as_ref()?, difference.into.done_at?);
    let wanted = -difference.off();
    let counted: Quantity = book
        .supply_moves_at(&difference.out.item, to)
        .into_iter()
        .filter(|m| m.kind == MoveKind::Count && m.done_at.is_some_and(|at| at > came_at))
        .map(|m| if m.to.as_ref() == Some(to) { m.qty } else { -m.qty })
        .sum();
    (!counted.is_zero() && counted == wanted).then(|| format!("a count at {} has found it since", book.location_name(to)))
}
