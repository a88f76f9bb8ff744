//! What was ordered, received and billed of an order line, added up day by day: whoever reads it sees what came late, short or twice, and
//! what was billed before it came. A pure function from figures to SVG; it computes no business number.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::chart::number;
use super::plot::Plot;
use crate::domain::calendar::{days_between, plus_days};

/// Most days of a chart: what happened longer ago is added up on its first day.
const DAYS_MAX: i32 = 180;

/// One of the three accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Flow {
    /// Ordered.
    Ordered,
    /// Received, less what went back.
    Received,
    /// Billed, less credit notes.
    Billed,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct FlowStep {
    /// When.
    pub day: Date,
    /// To which account it counts.
    pub flow: Flow,
    /// Units; negative for what went back.
    pub units: f64,
}

/// What happened, in any order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FlowData {
    /// The orders that it is about, by name; text from outside.
    pub orders: Vec<String>,
    /// What happened.
    pub steps: Vec<FlowStep>,
    /// Promised for this day.
    pub due: Option<Date>,
    /// The last day of the chart: today.
    pub today: Option<Date>,
}

/// Draws it; empty where nothing happened.
pub fn svg(data: &FlowData) -> String {
    let known: Vec<&FlowStep> = data.steps.iter().filter(|step| step.units.is_finite()).collect();
    let days = known.iter().map(|step| step.day).chain(data.due);
    let (Some(first), Some(last)) = (days.clone().min(), days.chain(data.today).max()) else { return String::new() };
    if known.is_empty() {
        return String::new();
    }
    let first = first.max(plus_days(last, 1 - DAYS_MAX));
    // What is older than the chart counts on its first day, so that the sums stay whole.
    let at = |day: Date| usize::try_from(days_between(first, day)).unwrap_or(0);
    let sums: BTreeMap<Flow, Vec<(usize, f64)>> = [Flow::Ordered, Flow::Received, Flow::Billed]
        .into_iter()
        .map(|flow| {
            let mut by_day: BTreeMap<usize, f64> = BTreeMap::new();
            for step in known.iter().filter(|step| step.flow == flow) {
                *by_day.entry(at(step.day)).or_default() += step.units;
            }
            let mut sum = 0.0;
            let all = by_day.into_iter().map(|(day, units)| {
                sum += units;
                (day, sum)
            });
            (flow, all.collect())
        })
        .collect();
    let (lowest, highest) =
        sums.values().flatten().fold((0.0, 1.0), |(low, high), (_, units)| (f64::min(low, *units), f64::max(high, *units)));
    let title = "Ordered, received and billed, added up";
    let said = describe(&sums, data.due);
    let mut plot = Plot::begin("flow", title, &said, first, at(last) + 1, (lowest, highest));
    if let Some(due) = data.due {
        plot.upright("due", at(due), &format!("{due}: promised"));
    }
    for (flow, class) in [(Flow::Ordered, "ordered"), (Flow::Billed, "billed"), (Flow::Received, "received")] {
        plot.steps(class, &sums[&flow]);
    }
    plot.end()
}

/// What it shows, for who can not see it.
fn describe(sums: &BTreeMap<Flow, Vec<(usize, f64)>>, due: Option<Date>) -> String {
    let last = |flow| number(sums.get(&flow).and_then(|all| all.last()).map_or(0.0, |(_, units)| *units));
    let due = due.map_or_else(String::new, |due| format!(" Promised for {due}."));
    format!("Ordered {}, received {}, billed {}.{due}", last(Flow::Ordered), last(Flow::Received), last(Flow::Billed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(day: &str, flow: Flow, units: f64) -> FlowStep {
        FlowStep { day: day.parse().unwrap(), flow, units }
    }

    fn sample() -> FlowData {
        FlowData {
            orders: vec!["P00049".into()],
            steps: vec![
                step("2026-09-20", Flow::Billed, 87.0),
                step("2026-09-02", Flow::Ordered, 87.0),
                step("2026-09-18", Flow::Received, 60.0),
                step("2026-09-24", Flow::Received, 20.0),
                step("2026-09-26", Flow::Received, -8.0),
            ],
            due: Some("2026-09-16".parse().unwrap()),
            today: Some("2026-10-01".parse().unwrap()),
        }
    }

    #[test]
    fn the_chart_is_as_it_was() {
        let drawn = svg(&sample());
        assert!(drawn.contains("Ordered 87, received 72, billed 87. Promised for 2026-09-16."), "{drawn}");
        insta::assert_snapshot!("flow_chart", drawn);
    }

    #[test]
    fn nothing_and_what_is_no_number_draw_nothing_wrong() {
        assert_eq!(svg(&FlowData::default()), "");
        let mut odd = sample();
        odd.steps.push(step("2026-09-27", Flow::Billed, f64::INFINITY));
        assert_eq!(svg(&odd), svg(&sample()));
    }

    #[test]
    fn what_happened_long_ago_is_added_up_on_the_first_day() {
        let mut old = sample();
        old.steps.push(step("2020-01-01", Flow::Ordered, 13.0));
        let drawn = svg(&old);
        assert!(drawn.contains("Ordered 100,") && !drawn.contains("NaN") && drawn.len() < 6_000, "{drawn}");
    }
}
