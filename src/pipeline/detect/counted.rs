//! What the counts of a place have said: whether the last one agreed with the books, and how many found stock missing.
//!
//! An ERP writes a count that agreed as a correction of nothing. A place may be counted bin by bin: what one person counts there
//! on one day is one count.

use jiff::Timestamp;
use jiff::civil::Date;

use crate::config::Config;
use crate::domain::book::{Book, Place, signed};
use crate::domain::calendar::days_between;
use crate::domain::money::Quantity;
use crate::domain::record::MoveKind;

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

/// The counts of a place, oldest first.
pub fn counts(book: &Book, (item, location): &Place) -> Vec<Counted> {
    let moves = book.moves_at(item, location);
    let done = || moves.iter().filter(|m| m.done_at.is_some());
    // Where the ERP states the stock, what is known of the moves may begin late.
    let mut level = book.on_hand(item, location) - done().map(|m| signed(m, location)).sum::<Quantity>();
    let mut counts: Vec<Counted> = Vec::new();
    for m in done() {
        let change = signed(m, location);
        if let Some(at) = m.done_at.filter(|_| m.kind == MoveKind::Count) {
            let day = book.calendar.day_of(at);
            match counts.last_mut().filter(|c| c.day == day && c.by == m.entered_by) {
                Some(same) => {
                    same.off += change;
                    same.at = same.at.max(at);
                }
                None => counts.push(Counted { day, at, by: m.entered_by.clone(), off: change, before: level }),
            }
        }
        level += change;
    }
    counts
}

/// Does a count agree with the books: within the tolerance of class A, the narrowest (handbook §3.5)?
pub fn agrees(book: &Book, config: &Config, place: &Place, count: &Counted) -> bool {
    let set = &config.tolerances;
    let off = count.off.abs();
    let share = count.before.to_f64().abs() * set.count_percent / 100.0;
    let value = book.items.get(&place.0).and_then(|item| item.cost).map(|cost| off * cost);
    off.to_f64() <= set.count_units.max(share) || value.is_some_and(|value| value <= set.count_value)
}

/// The last count of a place, if it agreed with the books and came after `event`: on a later day, or by somebody else.
pub fn agreed_since(book: &Book, config: &Config, place: &Place, event: &Event) -> Option<Counted> {
    let last = counts(book, place).pop()?;
    let later =
        book.calendar.day_of(event.at) < last.day || (event.at < last.at && last.by.is_some() && last.by != event.by);
    (later && agrees(book, config, place, &last)).then_some(last)
}

/// The counts of a place within the last `days` days.
pub fn counts_within(book: &Book, place: &Place, days: i32) -> Vec<Counted> {
    counts(book, place).into_iter().filter(|count| days_between(count.day, book.today) <= days).collect()
}

/// Did a count find stock missing?
pub fn loses(book: &Book, config: &Config, place: &Place, count: &Counted) -> bool {
    !count.off.is_positive() && !agrees(book, config, place, count)
}

/// Counts that found stock missing among all that were made, for people.
pub fn in_words(losing: usize, all: usize) -> String {
    if losing >= all { format!("{losing} counts in a row") } else { format!("{losing} of {all} counts") }
}
