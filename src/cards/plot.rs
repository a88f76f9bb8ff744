//! Axes and lines that charts of units by day have in common, as SVG without a style of its own: colours come by class from whoever
//! shows it. Pure; it computes no business number.

use std::fmt::Write;

use jiff::civil::Date;

use super::chart::{nice, number};

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 260.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;

/// A chart that is being drawn: days from left to right, units from bottom to top.
pub(super) struct Plot {
    out: String,
    first: Date,
    /// Days on it.
    days: usize,
    low: f64,
    high: f64,
    tick: f64,
}

impl Plot {
    /// Begins one over `days` days from `first`, from `low` to `high` units. `id` tells it from other charts on a page.
    pub(super) fn begin(id: &str, title: &str, said: &str, first: Date, days: usize, (low, high): (f64, f64)) -> Self {
        // Zero is on every chart: a cut foot makes small changes look large.
        let tick = nice((high - low.min(0.0)) / 4.0);
        let (low, high) = (tick * (low.min(0.0) / tick).floor(), tick * (high / tick).ceil().max(1.0));
        let mut plot = Self { out: String::new(), first, days: days.max(1), low, high, tick };
        plot.put(format_args!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"{id}-title {id}-desc\" \
             xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"{id}-title\">{title}</title>\n<desc id=\"{id}-desc\">{said}</desc>\n"
        ));
        plot.grid();
        plot
    }

    /// Writes into it. What is written must be ours: names are text from outside and do not belong into a chart.
    pub(super) fn put(&mut self, what: std::fmt::Arguments<'_>) {
        self.out.write_fmt(what).expect("writing to a string can not fail");
    }

    /// The middle of a day.
    pub(super) fn x(&self, index: usize) -> f64 {
        LEFT + (WIDTH - LEFT - RIGHT) / self.days as f64 * (index as f64 + 0.5)
    }

    /// The height of so many units.
    pub(super) fn y(&self, units: f64) -> f64 {
        let share = ((units - self.low) / (self.high - self.low)).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn grid(&mut self) {
        let ticks = ((self.high - self.low) / self.tick).round() as usize;
        for index in 0..=ticks {
            let value = self.low + self.tick * index as f64;
            // Steps of a tick do not add up to zero exactly.
            let (y, class) = (self.y(value), if value.abs() < 1e-9 && self.low < 0.0 { "zero" } else { "grid" });
            self.put(format_args!(
                "<line class=\"{class}\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"axis\" \
                 x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                number(value)
            ));
        }
        // More labels would run into each other.
        let every = self.days.div_ceil(6).max(1);
        for index in (0..self.days).step_by(every) {
            let (x, y) = (self.x(index), HEIGHT - 10.0);
            let day = self.first.checked_add(jiff::Span::new().days(index as i64)).unwrap_or(self.first);
            let label = day.strftime("%b %-d");
            self.put(format_args!("<text class=\"axis\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{label}</text>\n"));
        }
    }

    /// An area between two lines of the same length.
    pub(super) fn band(&mut self, lows: &[f64], highs: &[f64]) {
        let upper = highs.iter().enumerate().map(|(i, units)| (self.x(i), self.y(*units)));
        let lower = lows.iter().enumerate().rev().map(|(i, units)| (self.x(i), self.y(*units)));
        let points: Vec<String> = upper.chain(lower).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        self.put(format_args!("<polygon class=\"band\" points=\"{}\"/>\n", points.join(" ")));
    }

    /// A line from day to day.
    pub(super) fn line(&mut self, class: &str, units: &[f64]) {
        let points: Vec<String> =
            units.iter().enumerate().map(|(i, units)| format!("{:.1},{:.1}", self.x(i), self.y(*units))).collect();
        self.put(format_args!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" ")));
    }

    /// A line that changes at once on the days that are named, and stays until the last.
    pub(super) fn steps(&mut self, class: &str, steps: &[(usize, f64)]) {
        let Some((first, _)) = steps.first() else { return };
        let mut points = vec![format!("{:.1},{:.1}", self.x(*first), self.y(0.0))];
        let mut before = 0.0;
        for (index, units) in steps {
            points.push(format!("{:.1},{:.1}", self.x(*index), self.y(before)));
            points.push(format!("{:.1},{:.1}", self.x(*index), self.y(*units)));
            before = *units;
        }
        points.push(format!("{:.1},{:.1}", self.x(self.days - 1), self.y(before)));
        self.put(format_args!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" ")));
    }

    /// A receipt, by its shape, in the lane below the units.
    pub(super) fn receipt(&mut self, index: usize, said: &str) {
        let (x, y) = (self.x(index), HEIGHT - BOTTOM + 11.0);
        self.put(format_args!(
            "<path class=\"receipt\" d=\"M{x:.1} {:.1}l5 9h-10z\"><title>{said}</title></path>\n",
            y - 5.0
        ));
    }

    /// A day that matters, as an upright line.
    pub(super) fn upright(&mut self, class: &str, index: usize, said: &str) {
        let x = self.x(index);
        self.put(format_args!(
            "<line class=\"{class}\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{TOP}\" y2=\"{:.1}\"><title>{said}</title></line>\n",
            HEIGHT - BOTTOM
        ));
    }

    /// What was drawn.
    pub(super) fn end(mut self) -> String {
        self.out.push_str("</svg>\n");
        self.out
    }
}
