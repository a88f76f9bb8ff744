//! How far a doubled receipt, and the count that took it out again, still ask for anything (handbook §4.2, R-DUP).

use jiff::civil::Date;

use crate::scene::Scene;
use reeve_domain::book::Place;
use reeve_domain::exception::{Exception, ExceptionType as T};
use reeve_domain::money::{Money, Quantity};
use reeve_domain::surplus::{self, Surplus};

use super::stock::counts_since;

/// How often goods that a count has left on the books were booked in twice all the same.
const DOUBLED_THOUGH_COUNTED: f64 = 0.1;
/// What remains of the doubt about something that has been put right.
const DOUBT: f64 = 0.05;

/// The share of an exception's probability that what happened since leaves it: all of it but for doubled receipts and the counts
/// that answer them.
pub(super) fn still_real(scene: &Scene<'_>, exception: &Exception) -> f64 {
    let share = match exception.signal.code {
        T::RDup => on_the_books(scene, exception),
        T::ICount => unexplained(scene, exception),
        _ => None,
    };
    share.map_or(1.0, |share| share.clamp(DOUBT, 1.0))
}

/// None without a cost: units and money have no sum.
fn value(scene: &Scene<'_>, surplus: &Surplus, quantity: Quantity) -> Option<f64> {
    let (item, location) = &surplus.place;
    Some((quantity * scene.book.cost(item, location)?).to_f64())
}

/// What is left of a doubled receipt beside what it was: by value, with what was billed for it.
fn on_the_books(scene: &Scene<'_>, exception: &Exception) -> Option<f64> {
    let book = scene.book;
    let surplus = book.surplus_of(exception.signal.subject.document.as_ref()?);
    let (mut left, mut all) = (0.0, 0.0);
    for s in &surplus {
        let sure = if s.counted { DOUBLED_THOUGH_COUNTED } else { 1.0 };
        left += value(scene, s, s.left())? * sure;
        all += value(scene, s, s.booked)?;
    }
    for line in surplus::lines_of(&surplus) {
        let price = book.po_lines.get(line).and_then(|line| line.price);
        let twice = price.map_or(Money::ZERO, |price| book.billed_twice(line, &surplus) * price).to_f64();
        left += twice;
        all += twice;
    }
    (all > 0.0).then(|| left / all)
}

/// The share of the counts at a place that no doubled receipt explains.
fn unexplained(scene: &Scene<'_>, exception: &Exception) -> Option<f64> {
    let subject = &exception.signal.subject;
    let place = (subject.item.clone()?, subject.location.clone()?);
    let (explained, counted) = explained(scene, &place, exception.signal.from);
    (explained.is_positive() && counted.is_positive()).then(|| 1.0 - explained.to_f64() / counted.to_f64())
}

/// What counts at a place took off the books since a day: of it what a receipt had booked in too much, and all.
pub(super) fn explained(scene: &Scene<'_>, place: &Place, since: Date) -> (Quantity, Quantity) {
    let book = scene.book;
    let counts = counts_since(book, place, since).into_iter().filter(|(m, _)| m.from.as_ref() == Some(&place.1));
    let (mut explained, mut counted) = (Quantity::ZERO, Quantity::ZERO);
    for (m, off) in counts {
        counted += off.abs();
        explained += book.answered_by(m).map_or(Quantity::ZERO, |(_, taken)| taken);
    }
    (explained, counted)
}
