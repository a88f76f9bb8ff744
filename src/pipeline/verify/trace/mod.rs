//! Which trace an action leaves in the ERP, and whether it is there (handbook §5, "read-back"). It never assumes: what leaves
//! a trace counts as done only when the trace is seen.

mod bills;
mod orders;
mod stock;
#[cfg(test)]
mod tests;

use jiff::Timestamp;

use crate::domain::action::Action;
use crate::domain::book::Book;
use crate::domain::calendar::days_between;
use crate::domain::master;
use crate::domain::money::Quantity;
use crate::domain::record::PromotionSource;

/// A quantity within this share of the recommended one is the recommended one (handbook §5, NEW-PO read-back).
const QUANTITY_BAND: f64 = 0.10;

/// A price reduction within this many percentage points is the recommended one.
const PERCENT_BAND: f64 = 1.0;

/// What was found of an action.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    /// Nothing yet.
    Nothing,
    /// A part of it; what was seen.
    Partly(String),
    /// All of it; what was seen.
    Wholly(String),
    /// The ERP has no place where it would show: handing it off is all there is to see.
    Unseen,
    /// It shows only from a day on that has not come.
    TooEarly,
}

impl Trace {
    fn of(done: bool, seen: impl FnOnce() -> String) -> Self {
        if done { Self::Wholly(seen()) } else { Self::Nothing }
    }

    fn quantity(found: Quantity, wanted: Quantity, seen: &str) -> Self {
        if !found.is_positive() {
            Self::Nothing
        } else if found.to_f64() >= wanted.to_f64() * (1.0 - QUANTITY_BAND) {
            Self::Wholly(format!("{found} units: {seen}"))
        } else {
            Self::Partly(format!("{found} of {wanted} units: {seen}"))
        }
    }
}

/// Looks for the trace of `action` since it was decided.
pub(super) fn of(book: &Book, action: &Action, since: Timestamp) -> Trace {
    match action {
        Action::NewPo { item, supplier, quantity, destination, .. }
        | Action::AltSupplier { item, supplier, quantity, destination, .. } => {
            orders::ordered(book, item, supplier, destination, *quantity, since)
        }
        Action::IncreasePo { po_line, ordered, quantity } => orders::increased(book, po_line, *ordered, *quantity),
        Action::SplitShip { po_line, quantity, .. } => orders::split(book, po_line, *quantity, since),
        Action::Transfer { item, from, to, quantity, .. } => stock::transferred(book, item, from, to, *quantity, since),
        Action::Reallocate { to_line, quantity, .. } => stock::reallocated(book, to_line, *quantity, since),
        Action::Recount { item, location, .. } => stock::recounted(book, item, location, since),
        Action::AdjustStock { item, location, difference, .. } => stock::adjusted(book, item, location, *difference, since),
        Action::HoldQc { item, location, quantity, .. } => stock::held(book, item, location, *quantity, since),
        Action::Return { item, location, quantity, .. } => stock::sent_back(book, item, location, *quantity, since),
        Action::Expedite { po_line, new_date, .. } => orders::promise(book, po_line, |day| day <= *new_date),
        Action::DeferPo { po_line, new_date, .. } => orders::promise(book, po_line, |day| day >= *new_date),
        Action::CancelPo { po_line, quantity } => orders::cancelled(book, po_line, *quantity),
        Action::AdjustParam { param, record, new, .. } => {
            let (record, field) = param.field(record);
            let now = master::field(book, &record, field);
            Trace::of(now.as_deref() == Some(new.to_string().as_str()), || format!("{record} {field} says {new}"))
        }
        Action::FixMaster { record, field, new, .. } => {
            let now = master::field(book, record, field);
            Trace::of(now.as_deref() == Some(new.as_str()), || format!("{record} {field} says {new}"))
        }
        Action::PromoChange { promotion, new_to, .. } => match book.promotion(promotion) {
            None => Trace::Wholly("the promotion is gone from the ERP".to_owned()),
            Some(p) => Trace::of(p.to == *new_to, || format!("the promotion ends on {}", p.to)),
        },
        Action::Markdown { item, percent, from, .. } => {
            let found = book.promotions(item).iter().find(|p| {
                p.source == PromotionSource::Pricelist
                    && days_between(*from, p.from).abs() <= 1
                    && (p.percent - percent).abs() <= PERCENT_BAND
            });
            found.map_or(Trace::Nothing, |p| Trace::Wholly(format!("{:.1} % off from {} to {}", p.percent, p.from, p.to)))
        }
        Action::Claim { bill: Some(bill), .. } => bills::claimed_of_bill(book, bill),
        Action::Claim { supplier, lines, .. } => bills::claimed(book, supplier, lines, since),
        Action::BlockBill { bill, .. } => bills::blocked(book, bill, since),
        Action::AcceptVar { document, .. } => bills::accepted(book, document),
        Action::ReverseDoc { document, .. } => bills::reversed(book, document, since),
        // Nothing of these is kept where a reader sees it: notes, questions, decisions to wait.
        Action::ForecastFix { .. }
        | Action::MarkEvent { .. }
        | Action::Contact { .. }
        | Action::Monitor { .. }
        | Action::NoAction { .. }
        | Action::Escalate { .. }
        | Action::Mute { .. } => Trace::Unseen,
    }
}
