//! Transfers that should have arrived, or left, by now (T-LATE; handbook §4.6).

use std::collections::BTreeMap;

use crate::place_key;
use jiff::civil::Date;

use super::facts::{fact, record};
use crate::settings::Settings;
use reeve_domain::announced::CarrierWords;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::LocationId;
use reeve_domain::money::Quantity;
use reeve_domain::notice::CarrierState;
use reeve_domain::record::{MoveKind, RecordKind};
use reeve_domain::transit::Passage;
use reeve_models::formulas::quantile;

const DETECTOR: &str = "transfer-rules/1";

/// Finished transfers on a lane from which its own time is taken.
const LANE_LEAST: usize = 3;
/// Share of a lane's transfers that have arrived after its time.
const LANE_SHARE: f64 = 0.9;

/// T-LATE for every transfer that is not over.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let (lanes, carriers) = (book.lanes(), book.carriers());
    book.passages().iter().filter_map(|passage| late(book, settings, passage, &lanes, &carriers)).collect()
}

/// Days that finished transfers took, by lane.
type Lanes<'b> = BTreeMap<(&'b LocationId, &'b LocationId), Vec<f64>>;

/// The days a lane takes: nine in ten of its own transfers, where there are enough, else the configured days.
fn lane_days(settings: &Settings, passage: &Passage, lanes: &Lanes<'_>) -> (i32, usize) {
    let ends = passage.from.as_ref().zip(passage.to.as_ref());
    let taken = ends.and_then(|ends| lanes.get(&ends)).map_or(&[][..], Vec::as_slice);
    let own = if taken.len() >= LANE_LEAST { quantile(taken, LANE_SHARE) } else { None };
    (own.map_or(settings.costs.transfer_days as i32, |days| days.ceil() as i32), taken.len())
}

fn late(
    book: &Book,
    settings: &Settings,
    passage: &Passage,
    lanes: &Lanes<'_>,
    carriers: &CarrierWords<'_>,
) -> Option<Signal> {
    // A date that somebody planned is a wish; how long the lane has taken before is a fact, so it goes first.
    let (lane, n) = lane_days(settings, passage, lanes);
    let shipped = passage.shipped_at.map(|at| book.calendar.day_of(at));
    let planned = passage.planned_at.map(|at| book.calendar.day_of(at));
    // What has not left can not be on its way for too long: of that only the plan says when it should be there.
    let due = shipped.map(|day| plus_days(day, lane)).or(planned)?;
    let carrier = carriers.newest(&passage.documents);
    let overdue = days_between(due, book.today);
    let past = overdue > settings.tolerances.late_days;
    // The carrier knows more than the calendar, but only of what it has said.
    let fires = match &carrier {
        Some((_, CarrierState::Lost | CarrierState::Damaged, _)) => true,
        Some((_, CarrierState::Delayed, expected)) => past || expected.is_none_or(|day| day > due),
        // It is there and has to be booked in; only if nobody does so, something is wrong.
        Some((notice, CarrierState::Delivered, _)) => {
            past && days_between(book.told_on(notice), book.today) > settings.detect.event_days
        }
        Some((_, CarrierState::PickedUp | CarrierState::InTransit, _)) | None => past,
    };
    if !fires {
        return None;
    }
    let name = |l: &LocationId| book.location_name(l);
    let way = match (&passage.from, &passage.to) {
        (Some(from), Some(to)) => format!("from {} to {}", name(from), name(to)),
        (Some(from), None) => format!("from {}", name(from)),
        (None, Some(to)) => format!("to {}", name(to)),
        (None, None) => "between locations".to_owned(),
    };
    let what = format!("{} of {} {way} with {}", passage.qty, book.item_label(&passage.item), passage.document());
    let report = carrier.as_ref().and_then(|(_, state, _)| word(*state));
    let headline = match (shipped, report) {
        (_, Some(report)) => format!("{what}: the carrier reports it {report}; due {due}."),
        (Some(day), None) => format!("{what} left on {day} and has not arrived: due {due}, {overdue} days ago."),
        (None, None) => format!("{what} has not left: planned for {due}, {overdue} days ago."),
    };
    let source = || record(RecordKind::Move, &passage.id);
    let mut facts = vec![
        fact(book, source(), "qty", "not arrived", FactValue::Quantity(passage.qty)),
        fact(book, source(), "due", "due", FactValue::Date(due)),
        fact(book, source(), "overdue_days", "days after it was due", FactValue::days(f64::from(overdue))),
    ];
    if let Some(day) = shipped {
        facts.push(fact(book, source(), "shipped_on", "shipped", FactValue::Date(day)));
        facts.push(fact(book, source(), "lane_days", "days the lane takes", FactValue::days(f64::from(lane))));
        facts.push(fact(book, source(), "lane_n", "finished transfers on the lane", FactValue::number(n as f64, 0)));
    }
    if let Some((notice, state, expected)) = &carrier {
        let source = || record(RecordKind::Notice, &notice.id);
        let state = FactValue::Text(word(*state).unwrap_or("on its way").to_owned());
        facts.push(fact(book, source(), "carrier_status", "the carrier reports it", state));
        facts.push(fact(book, source(), "told_on", "reported on", FactValue::Date(book.told_on(notice))));
        if let Some(day) = expected {
            facts.push(fact(book, source(), "expected_on", "expected by the carrier", FactValue::Date(*day)));
        }
    }
    let subject = Subject {
        item: Some(passage.item.clone()),
        // Whoever waits for the goods is asked first; a shipment into nowhere is its sender's.
        location: passage.to.clone().or_else(|| passage.from.clone()),
        document: Some(passage.document().to_owned()),
        ..Subject::default()
    };
    let days = (shipped.unwrap_or(due).min(book.today), book.today);
    let mut signal = Signal::rule(DETECTOR, T::TLate, subject, format!("transfer {}", passage.id), days, headline);
    // Goods that a later count found are there: only the paper is late.
    signal.explained = found_by_count(book, passage, shipped);
    signal = signal.link(format!("transfer:{}", passage.document()));
    // What runs out at its end waits for it: one decision ends both.
    if let Some(to) = &passage.to {
        signal = signal.link(place_key::shortage(&passage.item, to));
    }
    Some(signal.with(facts))
}

/// What a carrier's status says of goods that are not there.
fn word(state: CarrierState) -> Option<&'static str> {
    match state {
        CarrierState::Delayed => Some("delayed"),
        CarrierState::Lost => Some("lost"),
        CarrierState::Damaged => Some("damaged"),
        CarrierState::Delivered => Some("delivered, though nobody has booked it in"),
        CarrierState::PickedUp | CarrierState::InTransit => None,
    }
}

/// Received and not posted: a count at the receiver has found as many since.
fn found_by_count(book: &Book, passage: &Passage, shipped: Option<Date>) -> Option<String> {
    let (to, shipped) = (passage.to.as_ref()?, shipped?);
    let found: Quantity = book
        .moves_at(&passage.item, to)
        .into_iter()
        .filter(|m| m.kind == MoveKind::Count && m.to.as_ref() == Some(to))
        .filter(|m| m.done_at.is_some_and(|at| book.calendar.day_of(at) > shipped))
        .map(|m| m.qty)
        .sum();
    // Fewer than were sent may be a count's usual difference; only all of them say that the goods are there.
    (found >= passage.qty)
        .then(|| format!("a count at {} has found {found} since: received, not booked in", book.location_name(to)))
}
