//! What the counts of a place have said: whether the last one agreed with the books, and how many found stock missing.
//!
//! An ERP writes a count that agreed as a correction of nothing. A place may be counted bin by bin: what one person counts there
//! on one day is one count.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;

use crate::settings::Settings;
use reeve_domain::book::{Book, Place, signed};
use reeve_domain::calendar::days_between;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, StockMove};

/// A count of a place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// On which day.
    pub day: Date,
    /// When its last line was booked.
    pub at: Timestamp,
    /// Who entered it (pseudonym).
    pub by: Option<String>,
    /// Counted less book.
    pub off: Quantity,
    /// In the books before.
    pub before: Quantity,
}

impl Counted {
    /// Units that were found.
    pub fn found(&self) -> Quantity {
        self.before + self.off
    }
}

/// What has to be later than it for a count to say anything about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// When it happened.
    pub at: Timestamp,
    /// Who entered it.
    pub by: Option<String>,
}

/// The counts of a place: the move, the difference, and the book just before.
///
/// What the tills had sold by then and booked later was missing in the books alone: of what was found missing on that day so
/// much is no difference, and the book is taken to have had it off already.
pub(crate) fn lines<'a>(
    book: &Book,
    item: &ItemId,
    location: &LocationId,
    moves: &[&'a StockMove],
) -> Vec<(&'a StockMove, Quantity, Quantity)> {
    let mut level = Quantity::ZERO;
    let mut lines = Vec::new();
    let mut explained: BTreeMap<Date, Quantity> = BTreeMap::new();
    for (m, done) in moves.iter().filter_map(|m| Some((m, m.done_at?))) {
        let change = signed(m, location);
        if m.kind == MoveKind::Count {
            let day = book.calendar_of(location).day_of(done);
            let left = explained.entry(day).or_insert_with(|| book.unposted_when_counted(item, location, day));
            let at_tills = (-change).min(*left).max(Quantity::ZERO);
            *left -= at_tills;
            lines.push((*m, change + at_tills, level - at_tills));
        }
        level += change;
    }
    lines
}

/// The counts of a place, oldest first.
pub fn counts(book: &Book, (item, location): &Place) -> Vec<Counted> {
    let moves = book.moves_at(item, location);
    let done = moves.iter().filter(|m| m.done_at.is_some());
    // Where the ERP states the stock, what is known of the moves may begin late.
    let opening = book.on_hand(item, location) - done.map(|m| signed(m, location)).sum::<Quantity>();
    let mut counts: Vec<Counted> = Vec::new();
    for (m, off, before) in lines(book, item, location, &moves) {
        let Some(at) = m.done_at else { continue };
        let day = book.calendar.day_of(at);
        match counts.last_mut().filter(|c| c.day == day && c.by == m.entered_by) {
            Some(same) => {
                same.off += off;
                // What the tills had sold by this line too was off the books before.
                same.before -= off - signed(m, location);
                same.at = same.at.max(at);
            }
            None => counts.push(Counted { day, at, by: m.entered_by.clone(), off, before: opening + before }),
        }
    }
    counts
}

/// Does a count agree with the books: within the tolerance of class A, the narrowest (handbook §3.5)?
pub fn agrees(book: &Book, settings: &Settings, place: &Place, count: &Counted) -> bool {
    let set = &settings.tolerances;
    let off = count.off.abs();
    let share = count.before.to_f64().abs() * set.count_percent / 100.0;
    let value = book.cost(&place.0, &place.1).map(|cost| off * cost);
    off.to_f64() <= set.count_units.max(share) || value.is_some_and(|value| value <= set.count_value)
}

/// The last count of a place, if it agreed with the books and came after `event`: on a later day, or by somebody else.
pub fn agreed_since(book: &Book, settings: &Settings, place: &Place, event: &Event) -> Option<Counted> {
    let last = counts(book, place).pop()?;
    let later =
        book.calendar.day_of(event.at) < last.day || (event.at < last.at && last.by.is_some() && last.by != event.by);
    (later && agrees(book, settings, place, &last)).then_some(last)
}

/// The counts of a place within the last `days` days.
pub fn counts_within(book: &Book, place: &Place, days: i32) -> Vec<Counted> {
    counts(book, place).into_iter().filter(|count| days_between(count.day, book.today) <= days).collect()
}

/// Did a count find stock missing?
pub fn loses(book: &Book, settings: &Settings, place: &Place, count: &Counted) -> bool {
    !count.off.is_positive() && !agrees(book, settings, place, count)
}

/// Counts that found stock missing among all that were made, for people.
pub fn in_words(losing: usize, all: usize) -> String {
    if losing >= all { format!("{losing} counts in a row") } else { format!("{losing} of {all} counts") }
}
