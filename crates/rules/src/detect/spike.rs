//! D-SPIKE: a day far above the usual (handbook §4.1).

use super::demand::{DETECTOR, SPIKE_UNITS, day_facts};
use super::facts::{fact, record};
use super::series::{BULK_TIMES, Bulk};
use crate::place_key;
use crate::settings::Settings;
use reeve_domain::book::{Book, Place};
use reeve_domain::calendar::iso_week;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::record::RecordKind;
use reeve_models::demand::DayScore;

/// D-SPIKE: a day far above the usual. `bulk` is the day's bulk order, `bonus` how much weaker a p is enough, where
/// others agree.
pub(super) fn spike(
    book: &Book,
    settings: &Settings,
    place: &Place,
    score: &DayScore,
    bulk: Option<&Bulk>,
    bonus: f64,
) -> Option<Signal> {
    let limit = settings.detect.spike_p * bonus;
    let promotion = book.promotion_on(&place.0, &place.1, score.day);
    // A bulk order is left out of what is usual and so of the tail: it has to be far above by itself.
    let odd = score.p_high <= limit || bulk.is_some_and(|_| score.actual > BULK_TIMES * score.expected.max(1.0));
    if !odd || score.actual < score.expected + SPIKE_UNITS {
        return None;
    }
    let (item, location) = place;
    // Of a day that still runs it can only become more.
    let so_far = if score.day > book.closed_at(location) { " so far" } else { "" };
    let headline = format!(
        "{} at {} sold {} on {}{so_far}, {:.1} times the usual {:.1}.",
        book.item_label(item),
        book.location_name(location),
        score.actual,
        score.day,
        score.actual / score.expected.max(0.1),
        score.expected
    );
    let subject = Subject::at(item, location);
    let mut signal = Signal::rule(DETECTOR, T::DSpike, subject, iso_week(score.day), (score.day, score.day), headline)
        .link(format!("demand:{item}@{location}"))
        .link(place_key::shortage(item, location))
        .with(day_facts(book, place, score));
    if let Some(Bulk { line, order, qty }) = bulk {
        signal.explained = Some(format!("one order of one customer, {order}, took {qty}"));
        let source = record(RecordKind::SaleLine, line);
        signal = signal.with([fact(book, source, "qty", "in one order", FactValue::Quantity(*qty))]);
    } else if let Some(promotion) = promotion {
        // Promotions are judged over their run, by D-PROMO-OVER and D-PROMO-UNDER.
        signal.explained = Some(format!("on promotion: {} % off until {}", promotion.percent, promotion.to));
    }
    Some(signal)
}
