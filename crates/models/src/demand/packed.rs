//! Days side by side: what several questions of the same day read, without picking it together for each of them.

/// Some days of a series, in order.
#[derive(Debug, Default)]
pub(super) struct Packed {
    days: Vec<usize>,
    weekdays: Vec<u8>,
    units: Vec<f64>,
    /// Units ÷ the weekday's factor, as of the last [`Packed::level`]; of days that it left out, as of an earlier one.
    levels: Vec<f64>,
}

/// A stretch of them.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part<'a> {
    pub(super) days: &'a [usize],
    pub(super) weekdays: &'a [u8],
    pub(super) units: &'a [f64],
    pub(super) levels: &'a [f64],
}

/// One value for each weekday. Eight, so that a number from 0 to 7 needs no check.
#[derive(Clone, Copy, Debug)]
pub(super) struct ByWeekday([f64; 8]);

impl ByWeekday {
    pub(super) fn new(value: impl Fn(usize) -> f64) -> Self {
        Self(std::array::from_fn(|weekday| if weekday < 7 { value(weekday) } else { 0.0 }))
    }

    pub(super) fn of(&self, weekday: u8) -> f64 {
        self.0[usize::from(weekday & 7)]
    }
}

impl Packed {
    pub(super) fn clear(&mut self) {
        self.days.clear();
        self.weekdays.clear();
        self.units.clear();
        self.levels.clear();
    }

    pub(super) fn push(&mut self, day: usize, weekday: u8, units: f64) {
        self.days.push(day);
        self.weekdays.push(weekday);
        self.units.push(units);
        self.levels.push(0.0);
    }

    /// How many of them are before `day`.
    pub(super) fn before(&self, day: usize) -> usize {
        self.days.partition_point(|&other| other < day)
    }

    pub(super) fn part(&self, from: usize, to: usize) -> Part<'_> {
        Part {
            days: &self.days[from..to],
            weekdays: &self.weekdays[from..to],
            units: &self.units[from..to],
            levels: &self.levels[from..to],
        }
    }

    /// Works out the levels of the days number `from` to before `to`.
    pub(super) fn level(&mut self, from: usize, to: usize, factors: &[f64; 7]) {
        let factors = ByWeekday::new(|weekday| factors[weekday]);
        let of_days = self.units[from..to].iter().zip(&self.weekdays[from..to]);
        for (level, (units, weekday)) in self.levels[from..to].iter_mut().zip(of_days) {
            *level = units / factors.of(*weekday);
        }
    }
}

impl Part<'_> {
    pub(super) fn len(&self) -> usize {
        self.days.len()
    }

    /// The last `days` of them, or all if there are fewer.
    pub(super) fn last(&self, days: usize) -> Self {
        let from = self.len().saturating_sub(days);
        Self {
            days: &self.days[from..],
            weekdays: &self.weekdays[from..],
            units: &self.units[from..],
            levels: &self.levels[from..],
        }
    }
}
