//! What is billed beyond what was received: how much of it will never be owed, and how much is only billed before it comes.
//!
//! Many suppliers bill the whole order with its first delivery. While the rest is on its way and not late, nothing is wrong
//! with that; what is billed above the order, or on a line that the ERP has closed, is not owed whenever it is looked at.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::calendar::days_between;
use super::ids::SupplierId;
use super::money::Quantity;
use super::record::{BillLine, PurchaseLine};
use super::supply::Supply;

/// Lines of a supplier that were billed before all had come, from which on there is a habit, and the share of them that was
/// billed whole.
const HABIT_LINES: u32 = 3;
const HABIT_SHARE: f64 = 0.6;
/// Share of a line that is taken for all of it.
const WHOLE: f64 = 0.95;

/// What a line's bills ask for beyond its receipts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Excess {
    /// Billed less received; negative where more came than was billed.
    pub over: Quantity,
    /// How much of it is still to come.
    pub outstanding: Quantity,
    /// When the rest is expected.
    pub expected: Date,
    /// Is that past, by more than the tolerance?
    pub late: bool,
}

impl Excess {
    /// What a line's bills ask for beyond `received`. `late_days` is how many days a receipt may be late.
    pub fn of(book: &Supply, line: &PurchaseLine, billed: Quantity, received: Quantity, late_days: i32) -> Self {
        let over = billed - received;
        let outstanding = over.min(book.to_come(&line.id)).max(Quantity::ZERO);
        let planned = book.moves_of_po_line(&line.id).into_iter().filter(|m| m.done_at.is_none() && m.qty.is_positive());
        let expected = planned.filter_map(|m| m.deadline).map(|at| book.calendar.day_of(at)).fold(book.due(line), Date::max);
        let late = days_between(expected, book.today) > late_days;
        Self { over, outstanding, expected, late }
    }

    /// Billed, and it will not come: above the order, or on a closed line.
    pub fn never(&self) -> Quantity {
        self.over - self.outstanding
    }

    /// How the supplier bills orders that come in parts; looked up only where something is outstanding.
    pub fn habit(&self, book: &Supply, line: &PurchaseLine) -> Habit {
        if self.outstanding.is_positive() { book.billing_habit(line) } else { Habit::default() }
    }

    /// Must what is outstanding be held back: because it is late, or because the bill is due before it comes? The latter is
    /// agreed with suppliers who always bill so.
    pub fn holds_back(&self, due: Option<Date>, habit: Habit) -> bool {
        self.outstanding.is_positive() && (self.late || (self.is_early(due) && !habit.is_one()))
    }

    /// Is a bill that is due on a day due before the rest comes?
    pub fn is_early(&self, due: Option<Date>) -> bool {
        due.is_some_and(|due| due < self.expected)
    }
}

/// Habits by supplier and company.
pub(super) type Habits = BTreeMap<(SupplierId, Option<String>), Habit>;

/// How a supplier bills orders that come in parts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Habit {
    /// Earlier lines that were billed when only a part had come, and came whole since.
    pub lines: u32,
    /// Those of them that were billed whole.
    pub whole: u32,
}

impl Habit {
    /// Does the supplier usually bill the whole order with its first delivery?
    pub fn is_one(self) -> bool {
        self.lines >= HABIT_LINES && f64::from(self.whole) >= HABIT_SHARE * f64::from(self.lines)
    }
}

impl Supply {
    /// How a line's supplier bills orders that come in parts, by all other lines of the company that have come whole.
    pub fn billing_habit(&self, line: &PurchaseLine) -> Habit {
        let all = self.habits.get_or_init(|| self.find_habits());
        let all = all.get(&self.habit_key(line)).copied().unwrap_or_default();
        let own = self.shown_by(line);
        Habit { lines: all.lines.saturating_sub(own.lines), whole: all.whole.saturating_sub(own.whole) }
    }

    fn find_habits(&self) -> Habits {
        let mut habits = Habits::new();
        for line in self.po_lines.values() {
            let shown = self.shown_by(line);
            if shown.lines > 0 {
                let habit = habits.entry(self.habit_key(line)).or_default();
                habit.lines += shown.lines;
                habit.whole += shown.whole;
            }
        }
        habits
    }

    /// A supplier agrees with each company how it bills.
    fn habit_key(&self, line: &PurchaseLine) -> (SupplierId, Option<String>) {
        (line.supplier.clone(), self.company_of(&line.location).map(str::to_owned))
    }

    /// What one line says of its supplier's habit: nothing, unless it was billed when only a part had come, and came whole since.
    fn shown_by(&self, line: &PurchaseLine) -> Habit {
        let Some(first) = self.bills(&line.id).into_iter().find(|b| b.qty.is_positive()) else { return Habit::default() };
        let whole = |qty: Quantity| qty.to_f64() >= line.qty.to_f64() * WHOLE;
        if whole(self.received_by(line, first)) || !whole(self.received(&line.id)) {
            return Habit::default();
        }
        Habit { lines: 1, whole: u32::from(whole(first.qty)) }
    }

    /// What had come of a line when it was billed, in the line's unit.
    fn received_by(&self, line: &PurchaseLine, bill: &BillLine) -> Quantity {
        let by_then = |at| self.calendar.day_of(at) <= bill.billed_on;
        let came = self.receipts(&line.id).into_iter().filter(|m| m.done_at.is_some_and(by_then)).collect();
        self.in_line_units(&line.id, came, Vec::new())
    }
}
