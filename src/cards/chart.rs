//! The demand chart of a case as accessible SVG. A pure function from figures to text; it computes no business number.
//!
//! Colours come from the page's style sheet by class, so the chart follows the light and the dark scheme.

use std::fmt::Write;

use jiff::civil::Date;

/// One day of the chart.
#[derive(Clone, Debug, PartialEq)]
pub struct ChartDay {
    /// Which day.
    pub day: Date,
    /// Units sold; None where the day has no record.
    pub actual: Option<f64>,
    /// Units expected.
    pub expected: Option<f64>,
    /// Lower end of the expected band.
    pub low: Option<f64>,
    /// Upper end of the expected band.
    pub high: Option<f64>,
    /// A promotion ran.
    pub promo: bool,
    /// The shelf was empty, so the demand was not seen whole.
    pub censored: bool,
    /// Units in stock at the end of the day.
    pub stock: Option<f64>,
    /// Units received.
    pub receipt: Option<f64>,
}

/// The days of a chart, in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ChartData {
    /// The days.
    pub days: Vec<ChartDay>,
}

const WIDTH: f64 = 860.0;
const HEIGHT: f64 = 300.0;
const LEFT: f64 = 48.0;
const RIGHT: f64 = 12.0;
const TOP: f64 = 14.0;
const BOTTOM: f64 = 46.0;

/// Draws the chart. Empty when there are no days.
pub fn svg(chart: &ChartData) -> String {
    if chart.days.is_empty() {
        return String::new();
    }
    let chart = ChartData { days: chart.days.iter().map(finite).collect() };
    Drawing::new(&chart).draw(&chart)
}

/// A figure that is no number is left out, like one that is not known.
fn finite(day: &ChartDay) -> ChartDay {
    let keep = |value: Option<f64>| value.filter(|v| v.is_finite());
    ChartDay {
        actual: keep(day.actual),
        expected: keep(day.expected),
        low: keep(day.low),
        high: keep(day.high),
        stock: keep(day.stock),
        receipt: keep(day.receipt),
        ..day.clone()
    }
}

struct Drawing {
    out: String,
    step: f64,
    top_value: f64,
    tick: f64,
}

impl Drawing {
    fn new(chart: &ChartData) -> Self {
        let highest = chart.days.iter().flat_map(|d| [d.actual, d.expected, d.high]).flatten().fold(1.0, f64::max);
        let tick = nice(highest / 4.0);
        Self {
            out: String::new(),
            step: (WIDTH - LEFT - RIGHT) / chart.days.len() as f64,
            top_value: tick * (highest / tick).ceil(),
            tick,
        }
    }

    fn x(&self, index: usize) -> f64 {
        LEFT + self.step * (index as f64 + 0.5)
    }

    fn y(&self, value: f64) -> f64 {
        let share = (value / self.top_value).clamp(0.0, 1.0);
        HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM)
    }

    fn put(&mut self, what: std::fmt::Arguments<'_>) {
        self.out.write_fmt(what).expect("writing to a string can not fail");
    }

    fn draw(mut self, chart: &ChartData) -> String {
        let days = &chart.days;
        self.put(format_args!(
            "<svg class=\"chart\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-labelledby=\"chart-title chart-desc\" \
             xmlns=\"http://www.w3.org/2000/svg\">\n<title id=\"chart-title\">Units sold each day, against what was \
             expected</title>\n<desc id=\"chart-desc\">{}</desc>\n",
            describe(chart)
        ));
        // What comes later lies on top: the days' own figures over what was expected of them.
        self.shade(days);
        self.grid(days);
        self.band(days);
        self.line(days, "expected", |d| d.expected);
        self.bars(days);
        self.marks(days);
        self.out.push_str("</svg>\n");
        self.out
    }

    /// Promotion days, as one block for each run.
    fn shade(&mut self, days: &[ChartDay]) {
        for (from, to) in runs(days, |d| d.promo) {
            let (x, width) = (self.x(from) - self.step / 2.0, self.step * (to - from + 1) as f64);
            self.put(format_args!(
                "<rect class=\"promo\" x=\"{x:.1}\" y=\"{TOP}\" width=\"{width:.1}\" height=\"{:.1}\"><title>promotion {} to \
                 {}</title></rect>\n",
                HEIGHT - TOP - BOTTOM,
                days[from].day,
                days[to].day
            ));
        }
    }

    fn grid(&mut self, days: &[ChartDay]) {
        let ticks = (self.top_value / self.tick).round() as usize;
        for index in 0..=ticks {
            let value = self.tick * index as f64;
            let y = self.y(value);
            self.put(format_args!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{:.1}\" y1=\"{y:.1}\" y2=\"{y:.1}\"/><text class=\"axis\" x=\"{:.1}\" \
                 y=\"{:.1}\" text-anchor=\"end\">{}</text>\n",
                WIDTH - RIGHT,
                LEFT - 6.0,
                y + 4.0,
                number(value)
            ));
        }
        // More labels would run into each other.
        let every = days.len().div_ceil(8).max(1);
        for (index, day) in days.iter().enumerate().step_by(every) {
            let (x, y) = (self.x(index), HEIGHT - 10.0);
            let label = day.day.strftime("%b %-d");
            self.put(format_args!("<text class=\"axis\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"middle\">{label}</text>\n"));
        }
    }

    /// The expected band, broken where it is not known.
    fn band(&mut self, days: &[ChartDay]) {
        for (from, to) in runs(days, |d| d.low.is_some() && d.high.is_some()) {
            let upper = (from..=to).map(|i| (self.x(i), self.y(days[i].high.unwrap_or_default())));
            let lower = (from..=to).rev().map(|i| (self.x(i), self.y(days[i].low.unwrap_or_default())));
            let points: Vec<String> = upper.chain(lower).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
            self.put(format_args!("<polygon class=\"band\" points=\"{}\"/>\n", points.join(" ")));
        }
    }

    fn line(&mut self, days: &[ChartDay], class: &str, value: impl Fn(&ChartDay) -> Option<f64>) {
        for (from, to) in runs(days, |d| value(d).is_some()) {
            let points: Vec<String> = (from..=to)
                .map(|i| format!("{:.1},{:.1}", self.x(i), self.y(value(&days[i]).unwrap_or_default())))
                .collect();
            self.put(format_args!("<polyline class=\"{class}\" points=\"{}\"/>\n", points.join(" ")));
        }
    }

    fn bars(&mut self, days: &[ChartDay]) {
        for (index, day) in days.iter().enumerate() {
            let Some(actual) = day.actual else { continue };
            let width = (self.step * 0.62).clamp(1.5, 24.0);
            let (x, y) = (self.x(index) - width / 2.0, self.y(actual));
            // Little sold on a day without stock is no surprise: there was nothing to sell.
            let outside = day.high.is_some_and(|h| actual > h) || day.low.is_some_and(|l| actual < l && !day.censored);
            let class = if outside { "actual odd" } else { "actual" };
            let expected = day.expected.map_or(String::new(), |e| format!(", {} expected", number(e)));
            let stock = day.stock.map_or(String::new(), |s| format!(", {} in stock", number(s)));
            self.put(format_args!(
                "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\"><title>{}: {} \
                 sold{expected}{stock}</title></rect>\n",
                (HEIGHT - BOTTOM - y).max(0.5),
                day.day,
                number(actual)
            ));
        }
    }

    /// Stock-outs and receipts, by shape as well as by colour, in a lane below the bars.
    fn marks(&mut self, days: &[ChartDay]) {
        let y = HEIGHT - BOTTOM + 11.0;
        for (index, day) in days.iter().enumerate() {
            let x = self.x(index);
            if day.censored {
                self.put(format_args!(
                    "<path class=\"out\" d=\"M{:.1} {:.1}l8 8m0 -8l-8 8\"><title>{}: out of stock</title></path>\n",
                    x - 4.0,
                    y - 4.0,
                    day.day
                ));
            }
            if let Some(receipt) = day.receipt {
                self.put(format_args!(
                    "<path class=\"receipt\" d=\"M{x:.1} {:.1}l5 9h-10z\"><title>{}: {} received</title></path>\n",
                    y - 5.0,
                    day.day,
                    number(receipt)
                ));
            }
        }
    }
}

/// Unbroken runs of days for which `holds`, as first and last index.
fn runs(days: &[ChartDay], holds: impl Fn(&ChartDay) -> bool) -> Vec<(usize, usize)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (index, day) in days.iter().enumerate() {
        if !holds(day) {
            continue;
        }
        match runs.last_mut() {
            Some((_, to)) if *to + 1 == index => *to = index,
            _ => runs.push((index, index)),
        }
    }
    runs
}

/// What the chart shows, for who can not see it.
fn describe(chart: &ChartData) -> String {
    let days = &chart.days;
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return String::new() };
    let highest = days
        .iter()
        .filter_map(|d| d.actual.map(|a| (a, d.day)))
        .fold(None, |best: Option<(f64, Date)>, next| if best.is_none_or(|b| next.0 > b.0) { Some(next) } else { best });
    let mut text = format!("{} days from {} to {}.", days.len(), first.day, last.day);
    if let Some((value, day)) = highest {
        let _ = write!(text, " Highest: {} on {day}.", number(value));
    }
    for (what, days) in [
        ("Promotion days", days.iter().filter(|d| d.promo).count()),
        ("Days out of stock", days.iter().filter(|d| d.censored).count()),
        ("Days with a receipt", days.iter().filter(|d| d.receipt.is_some()).count()),
    ] {
        let _ = write!(text, " {what}: {days}.");
    }
    text
}

/// The next of 1, 2, 5, 10, 20, 50 … at or above `value`, and at least 1: ticks are whole units.
pub(super) fn nice(value: f64) -> f64 {
    let mut step = 1.0;
    loop {
        for factor in [1.0, 2.0, 5.0] {
            if step * factor >= value || step > 1e12 {
                return step * factor;
            }
        }
        step *= 10.0;
    }
}

pub(super) fn number(value: f64) -> String {
    let rounded = (value * 10.0).round() / 10.0;
    if rounded.fract() == 0.0 { format!("{rounded:.0}") } else { format!("{rounded:.1}") }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Made-up days with a promotion, a stock-out, a receipt and a spike.
    pub(crate) fn sample(count: i64) -> ChartData {
        let first: Date = "2026-09-10".parse().unwrap();
        let days = (0..count)
            .map(|i| {
                let expected = 10.0 + 4.0 * ((i % 7) as f64 - 3.0).abs();
                let censored = (19..22).contains(&i);
                let actual = if censored { 0.0 } else { expected + ((i * 7919) % 11) as f64 - 5.0 };
                ChartDay {
                    day: first.checked_add(jiff::Span::new().days(i)).unwrap(),
                    actual: (i != 5).then_some(if i == 26 { 52.0 } else { actual }),
                    expected: (i > 2).then_some(expected),
                    low: (i > 2).then_some(expected - 7.0),
                    high: (i > 2).then_some(expected + 8.0),
                    promo: (10..14).contains(&i),
                    censored,
                    stock: Some(120.0 - 4.5 * i as f64),
                    receipt: (i == 22).then_some(80.0),
                }
            })
            .collect();
        ChartData { days }
    }

    #[test]
    fn the_chart_is_as_it_was() {
        insta::assert_snapshot!("chart", svg(&sample(28)));
    }

    #[test]
    fn it_is_an_image_with_a_name_and_a_description_and_no_inline_style() {
        let drawn = svg(&sample(28));
        assert!(drawn.contains("role=\"img\"") && drawn.contains("<title id=") && drawn.contains("<desc id="));
        assert!(!drawn.contains("style=") && !drawn.contains("<script"));
        assert!(drawn.contains("Days out of stock: 3. Days with a receipt: 1."));
    }

    #[test]
    fn no_days_and_days_without_figures_draw_nothing_wrong() {
        assert_eq!(svg(&ChartData::default()), "");
        let mut one = sample(1);
        one.days[0].actual = Some(f64::NAN);
        let drawn = svg(&one);
        assert!(drawn.ends_with("</svg>\n") && !drawn.contains("NaN"));
    }

    #[test]
    fn ticks_are_round_numbers() {
        assert!((nice(0.3) - 1.0).abs() < 1e-9);
        assert!((nice(13.0) - 20.0).abs() < 1e-9);
        assert!((nice(220.0) - 500.0).abs() < 1e-9);
    }
}
