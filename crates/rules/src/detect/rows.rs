//! What the forest learns from: days as rows of features, no more of them than it takes to know what is ordinary.
//!
//! A small shop's rows are all kept. Of a large one's each is kept or left out by a number drawn from its place and day alone, so
//! which ones stay does not hang on how the shop was divided, nor on the order in which its parts came.

use super::tail::Row;
use jiff::civil::Date;
use reeve_domain::book::Place;
use sha2::{Digest, Sha256};

/// Rows that are kept at most: a hundred trees of 256 rows each draw far fewer, and one odd day in 400 is told from them with
/// room to spare.
const ROWS_MAX: usize = 100_000;

/// Rows, each with the number that was drawn for it.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    rows: Vec<(u64, Row)>,
    /// Only rows are kept whose number has so many zeros at its end.
    zeros: u32,
}

/// Draws the numbers of a place's days.
pub(super) struct Draw(u64);

impl Draw {
    pub(super) fn of((item, location): &Place) -> Self {
        let hash = Sha256::digest(format!("{item}@{location}"));
        let mut first = [0; 8];
        first.copy_from_slice(&hash[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// The day's number (SplitMix64's last step over place and day).
    fn on(&self, day: Date) -> u64 {
        let ordinal = i64::from(day.year()) * 366 + i64::from(day.day_of_year());
        let mut mixed = self.0.wrapping_add(ordinal.unsigned_abs().wrapping_mul(0x9e37_79b9_7f4a_7c15));
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

impl Rows {
    /// None yet, for a shop that has so many days in all: where they are more than are kept, most are left out from the start, and
    /// need not be judged.
    pub(super) fn of_so_many(days: usize) -> Self {
        let zeros = days.div_ceil(ROWS_MAX).max(1).next_power_of_two().trailing_zeros();
        Self { rows: Vec::new(), zeros }
    }

    /// Is the row of a day kept?
    pub(super) fn take(&self, draw: &Draw, day: Date) -> bool {
        draw.on(day).trailing_zeros() >= self.zeros
    }

    /// Adds the row of a day.
    pub(super) fn push(&mut self, draw: &Draw, day: Date, row: Row) {
        let number = draw.on(day);
        if number.trailing_zeros() >= self.zeros {
            self.rows.push((number, row));
        }
    }

    /// Adds those of items that come after these.
    pub(super) fn append(&mut self, mut other: Self) {
        let zeros = self.zeros.max(other.zeros);
        // Either side may have left out more than the other so far.
        let differ = self.zeros != other.zeros;
        self.rows.append(&mut other.rows);
        if differ {
            self.keep(zeros);
        }
        while self.rows.len() > ROWS_MAX && self.zeros < u64::BITS {
            self.keep(self.zeros + 1);
        }
    }

    fn keep(&mut self, zeros: u32) {
        self.zeros = zeros;
        self.rows.retain(|(number, _)| number.trailing_zeros() >= zeros);
    }

    /// The rows, in the order of places and days.
    pub(super) fn into_rows(self) -> Vec<Row> {
        self.rows.into_iter().map(|(_, row)| row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use reeve_domain::calendar::plus_days;
    use reeve_domain::ids::{ItemId, LocationId};

    fn rows_of(items: std::ops::Range<u32>) -> Rows {
        let mut rows = Rows::default();
        for item in items {
            let draw = Draw::of(&(ItemId::new(item.to_string()), LocationId::new("1")));
            for day in 0..1000 {
                rows.push(&draw, plus_days("2026-01-01".parse().unwrap(), day), [f64::from(item); 8]);
            }
        }
        rows
    }

    #[test]
    fn what_is_left_out_from_the_start_would_be_left_out_in_the_end() {
        let mut known = Rows::of_so_many(400_000);
        known.append(rows_of(0..400));
        let mut at_once = Rows::default();
        at_once.append(rows_of(0..400));
        assert_eq!(known.into_rows(), at_once.into_rows());
        let draw = Draw::of(&(ItemId::new("1"), LocationId::new("1")));
        let days = (0..1000).map(|day| plus_days("2026-01-01".parse().unwrap(), day));
        assert!(days.clone().all(|day| Rows::of_so_many(ROWS_MAX).take(&draw, day)), "of a small shop all are learned from");
        let some = days.filter(|day| Rows::of_so_many(ROWS_MAX + 1).take(&draw, *day)).count();
        assert!((400..600).contains(&some), "{some}");
    }

    #[test]
    fn few_rows_are_all_kept_and_of_many_the_same_however_they_came() {
        assert_eq!(rows_of(0..3).into_rows().len(), 3000);
        let mut at_once = Rows::default();
        at_once.append(rows_of(0..400));
        let mut in_parts = Rows::default();
        for part in 0..40 {
            in_parts.append(rows_of(10 * part..10 * part + 10));
        }
        let (at_once, in_parts) = (at_once.into_rows(), in_parts.into_rows());
        assert!(at_once.len() <= ROWS_MAX && at_once.len() > ROWS_MAX / 4, "{}", at_once.len());
        assert_eq!(at_once, in_parts);
    }
}
