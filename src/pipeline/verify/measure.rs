//! What happened until the horizon, beside what was predicted (handbook §8 "Outcome").
//!
//! Measured is what the records can tell: days without stock and what they cost at the item's margin, money that came back.
//! Where they can tell nothing, nothing is made up: the measure says so.

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::domain::action::{Action, Candidate};
use crate::domain::book::{Book, Place};
use crate::domain::calendar::{days_between, plus_days};
use crate::domain::case::Case;
use crate::domain::money::Money;
use crate::domain::outcome::Measured;

/// Days before the decision from which usual demand is taken.
const USUAL_DAYS: i32 = 28;

/// Measures a recommendation decided at `since` up to `horizon`. `recapture` is the share of lost sales that comes back.
pub(super) fn of(
    book: &Book,
    case: &Case,
    candidate: &Candidate,
    since: Timestamp,
    horizon: Date,
    recapture: f64,
) -> Measured {
    // Of a plan, what came where all steps of which anything can be told work on one place or one claim. Of several, what each of
    // them avoided can not be told from what was predicted for all together.
    let told: Vec<&Action> = candidate.actions().filter(|action| object(book, case, action).is_some()).collect();
    let objects: BTreeSet<Object> = told.iter().filter_map(|action| object(book, case, action)).collect();
    let (actual_loss, basis) = match objects.len() {
        0 | 1 => {
            let action = told.first().copied().unwrap_or(&candidate.action);
            lost(book, case, action, since, horizon, recapture)
        }
        n => (None, format!("its steps work on {n} places or claims, and the records do not tell them apart")),
    };
    let predicted_loss = candidate.money.loss_now.expected;
    let benefit = actual_loss.map(|actual| predicted_loss - actual - candidate.money.cost);
    Measured { horizon, actual_loss, predicted_loss, benefit, basis }
}

/// What a loss is measured at.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Object {
    Place(Place),
    Bill(String),
    Lines(Vec<String>),
}

/// At what the loss is measured that `action` works against; None where the records tell nothing of it.
fn object(book: &Book, case: &Case, action: &Action) -> Option<Object> {
    match action {
        Action::Claim { bill: Some(bill), .. } => Some(Object::Bill(bill.clone())),
        Action::Claim { lines, .. } => Some(Object::Lines(lines.clone())),
        action => place(book, case, action).map(Object::Place),
    }
}

/// The loss that came where `action` worked against it, and how that is known.
fn lost(
    book: &Book,
    case: &Case,
    action: &Action,
    since: Timestamp,
    horizon: Date,
    recapture: f64,
) -> (Option<Money>, String) {
    match action {
        Action::Claim { bill: Some(bill), value, .. } => {
            let asked: Option<Money> =
                book.bill_lines.values().filter(|line| line.bill_id == *bill).map(|line| Some(line.qty * line.price?)).sum();
            let credited = book.taken_back(bill).map_or(Money::ZERO, |taken| taken.credited);
            // What was credited before is not in the claim.
            let open = asked.map(|asked| Money::from_minor((asked - credited).minor.clamp(0, value.minor)));
            let back = open.map_or(Money::ZERO, |open| *value - open);
            (open, format!("{back} of {value} credited"))
        }
        Action::Claim { lines, value, .. } => {
            let credited: Money = book
                .bill_lines
                .values()
                // Lines of credit notes are kept with quantities below zero.
                .filter(|b| !b.qty.is_positive() && b.created_at > since)
                .filter(|b| b.po_line.as_ref().is_some_and(|l| lines.contains(l)))
                .filter_map(|b| Some(-b.qty * b.price?))
                .sum();
            let open = Money::from_minor((*value - credited).minor.max(0));
            (Some(open), format!("{credited} of {value} credited"))
        }
        action => match place(book, case, action) {
            Some(place) => lost_margin(book, &place, since, horizon, recapture),
            None => (None, "the records do not tell what it came to".to_owned()),
        },
    }
}

/// Where the action was to keep stock available.
fn place(book: &Book, case: &Case, action: &Action) -> Option<Place> {
    let of_case = || case.subject.item.clone().zip(case.subject.location.clone());
    let of_line = |line: &String| {
        let line = book.po_lines.get(line)?;
        // A kit has no stock of its own: it was asked for because of a component.
        let component = || Some(((*book.components(&line.id).first()?.0).clone(), line.location.clone()));
        if book.is_kit(&line.id) { of_case().or_else(component) } else { Some((line.item.clone(), line.location.clone())) }
    };
    match action {
        Action::NewPo { item, destination, .. } | Action::AltSupplier { item, destination, .. } => {
            Some((item.clone(), destination.clone()))
        }
        Action::Transfer { item, to, .. } => Some((item.clone(), to.clone())),
        Action::Expedite { po_line, .. }
        | Action::DeferPo { po_line, .. }
        | Action::CancelPo { po_line, .. }
        | Action::IncreasePo { po_line, .. }
        | Action::SplitShip { po_line, .. } => of_line(po_line),
        Action::Recount { item, location, .. } | Action::AdjustStock { item, location, .. } => {
            Some((item.clone(), location.clone()))
        }
        Action::Contact { .. } | Action::Monitor { .. } | Action::NoAction { .. } | Action::Escalate { .. } => of_case(),
        _ => None,
    }
}

/// Days without stock after the decision, at usual demand and margin, less what customers buy later.
fn lost_margin(book: &Book, place: &Place, since: Timestamp, horizon: Date, recapture: f64) -> (Option<Money>, String) {
    let (item, location) = place;
    let Some(margin) = book.margin(item, location) else {
        return (None, "the item has no margin in the records".to_owned());
    };
    // From the next day on: on the day of the decision nothing could have come yet.
    let start = plus_days(book.calendar.day_of(since), 1);
    let days = (days_between(start, horizon) + 1).max(0) as usize;
    let empty = book.on_hand_by_day(item, location, start).into_iter().take(days).filter(|level| *level <= 0.0).count();
    // Usual is what was wanted before: on a shelf that stayed empty nothing sells, and that would read as nothing wanted.
    let before = plus_days(start, -USUAL_DAYS);
    let usual = book.demand_by_day(item, location, before).into_iter().take(USUAL_DAYS as usize).sum::<f64>()
        / f64::from(USUAL_DAYS);
    let lost = empty as f64 * usual * (1.0 - recapture);
    let margin = margin.to_f64();
    let loss = Money::from_f64((lost * margin).max(0.0));
    (Some(loss), format!("{empty} of {days} days without stock, {usual:.2} units usually wanted a day, margin {margin:.2}"))
}
