//! The stock that is to be expected at a place if nobody does anything: what is available, less the demand to come, plus the receipts
//! that are on their way. From the frozen workings of a case, so it shows what its figures were computed from. Pure.

use jiff::civil::Date;

use super::chart::number;
use super::plot::Plot;
use crate::domain::calendar::plus_days;
use crate::domain::evidence::{Bundle, FactValue};
use crate::domain::exception::Subject;
use crate::domain::money::Money;
use crate::domain::workings::{Forecast, Made, Part, Stake, Workings};
use crate::rules::place_key;

/// Days beyond the one on which an order placed now would arrive: the turn is to be seen, too.
const BEYOND: u32 = 7;
/// Most days of a chart.
const DAYS_MAX: u32 = 56;
/// Half-width of the band, in standard deviations: 80 % of ordinary courses lie in it on a day.
const BAND: f64 = 1.2816;

/// The stock of a place from tomorrow on.
#[derive(Clone, Debug, PartialEq)]
pub struct StockCourse {
    /// The place as keys name it: `75@3`.
    pub place: String,
    /// Today: the first point.
    pub today: Date,
    /// Today and the days that follow.
    pub days: Vec<StockDay>,
    /// In how many days an order placed now would arrive.
    pub until: u32,
}

/// The end of one day.
#[derive(Clone, Debug, PartialEq)]
pub struct StockDay {
    /// Units to be expected; below zero is what customers would have to wait for.
    pub expected: f64,
    /// Its 10th percentile, by the doubt of demand alone.
    pub low: f64,
    /// Its 90th percentile.
    pub high: f64,
    /// Units that come on this day.
    pub comes: f64,
}

/// The course of the stock that a case is about; None where its evidence has no shortage in its workings. `today` is the business day of
/// the evidence.
pub fn course(bundle: &Bundle, subject: &Subject, today: Date) -> Option<StockCourse> {
    let workings = bundle.workings.as_deref()?;
    let own = subject.item.as_ref().zip(subject.location.as_ref()).map(|(item, place)| place_key::of(item, place));
    let own = own.filter(|place| workings.shortages.contains_key(place));
    // A case about an order may be short at several places: the worst is drawn.
    let place = own.or_else(|| worst(bundle, workings))?;
    let (stake, forecast) = (workings.shortages.get(&place)?, workings.forecasts.get(&place)?);
    let days = days(stake, forecast);
    (days.len() > 1).then_some(StockCourse { place, today, days, until: stake.until })
}

/// Of several places, as of an order for many items, the one that loses most.
fn worst(bundle: &Bundle, workings: &Workings) -> Option<String> {
    let lost = |place: &String| {
        let of_place = |part: &&Part| matches!(&part.made, Made::Lost { place: at } if at == place);
        let fact = workings.parts.values().find(of_place).and_then(|part| bundle.facts.get(part.fact.as_ref()?));
        match fact.map(|fact| &fact.value) {
            Some(FactValue::Money(amount)) => *amount,
            _ => Money::ZERO,
        }
    };
    // Of those that lose the same, the first.
    workings.shortages.keys().rev().max_by_key(|place| lost(place)).cloned()
}

fn days(stake: &Stake, forecast: &Forecast) -> Vec<StockDay> {
    // Who waits is served first: until then the stock of everybody else is below zero.
    let start = stake.supply - stake.waiting;
    let mut days = vec![StockDay { expected: start, low: start, high: start, comes: 0.0 }];
    let (mut demand, mut variance, mut came) = (0.0, 0.0, 0.0);
    for (day, (mean, sigma)) in (1..=(stake.until + BEYOND).min(DAYS_MAX)).zip(forecast.days()) {
        demand += mean;
        variance += sigma * sigma;
        let comes: f64 = stake.receipts.iter().filter(|receipt| receipt.day == day).map(|receipt| receipt.quantity).sum();
        came += comes;
        let (expected, doubt) = (start + came - demand, BAND * f64::sqrt(variance));
        days.push(StockDay { expected, low: expected - doubt, high: expected + doubt, comes });
    }
    days
}

/// Draws it; empty where there is nothing to draw.
pub fn svg(course: &StockCourse) -> String {
    let days = &course.days;
    if days.is_empty() || days.iter().any(|d| !(d.expected.is_finite() && d.low.is_finite() && d.high.is_finite())) {
        return String::new();
    }
    let day = |index: usize| plus_days(course.today, i32::try_from(index).unwrap_or(0));
    let (lowest, highest) = days.iter().fold((0.0, 1.0), |(low, high), d| (f64::min(low, d.low), f64::max(high, d.high)));
    let title = "Stock to be expected if nothing is done";
    let mut plot = Plot::begin("stock", title, &describe(course), course.today, days.len(), (lowest, highest));
    let column = |of: fn(&StockDay) -> f64| days.iter().map(of).collect::<Vec<f64>>();
    plot.band(&column(|d| d.low), &column(|d| d.high));
    plot.line("mean", &column(|d| d.expected));
    for (index, d) in days.iter().enumerate() {
        if d.comes > 0.0 {
            plot.receipt(index, &format!("{}: {} to come", day(index), number(d.comes)));
        }
    }
    let until = course.until as usize;
    if until < days.len() {
        plot.upright("due", until, &format!("{}: an order placed now would arrive", day(until)));
    }
    plot.end()
}

/// What it shows, for who can not see it.
fn describe(course: &StockCourse) -> String {
    let day = |index: usize| plus_days(course.today, i32::try_from(index).unwrap_or(0));
    let first = course.days.first().map_or(0.0, |d| d.expected);
    let left = match course.days.iter().position(|d| d.expected <= 0.0) {
        Some(index) => format!("None left by {}.", day(index)),
        None => "It lasts as long as is shown.".to_owned(),
    };
    let comes: Vec<String> = course
        .days
        .iter()
        .enumerate()
        .filter(|(_, d)| d.comes > 0.0)
        .map(|(index, d)| format!("{} on {}", number(d.comes), day(index)))
        .collect();
    let comes = if comes.is_empty() { String::new() } else { format!(" To come: {}.", comes.join(", ")) };
    format!("{} available on {}. {left}{comes}", number(first), course.today)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::workings::Receipt;

    fn stake(receipts: Vec<Receipt>) -> Stake {
        Stake {
            margin: 3.0,
            cap: None,
            until: 10,
            until_sd: 1.0,
            unordered: None,
            supply: 30.0,
            waiting: 4.0,
            cancelled: None,
            receipts,
        }
    }

    fn sample() -> StockCourse {
        let forecast = Forecast::of((0..30).map(|day| if day % 7 < 5 { (5.0, 2.0) } else { (9.0, 3.0) }));
        let comes = Receipt { line: "272".into(), day: 8, quantity: 60.0, sd: 1.0 };
        StockCourse {
            place: "75@3".into(),
            today: "2026-10-31".parse().unwrap(),
            days: days(&stake(vec![comes]), &forecast),
            until: 10,
        }
    }

    #[test]
    fn stock_is_what_there_is_less_demand_plus_what_comes() {
        let days = sample().days;
        assert_eq!(days.len(), 18);
        let expected: Vec<f64> = days.iter().take(9).map(|d| d.expected).collect();
        // 30 less 4 that are waited for; five days of 5, two of 9, then 5 and the 60 that come.
        assert_eq!(expected, [26.0, 21.0, 16.0, 11.0, 6.0, 1.0, -8.0, -17.0, 38.0]);
        assert!((days[4].high - days[4].expected - BAND * 4.0).abs() < 1e-9, "four days of deviation 2 are 4 together");
    }

    #[test]
    fn the_chart_is_as_it_was() {
        insta::assert_snapshot!("stock_chart", svg(&sample()));
    }

    #[test]
    fn what_is_no_number_draws_nothing() {
        let mut course = sample();
        course.days[3].expected = f64::NAN;
        assert_eq!(svg(&course), "");
    }
}
