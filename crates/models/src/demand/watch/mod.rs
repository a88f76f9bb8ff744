//! Watching all series of a panel day by day: what was to be expected, and the evidence that something is odd.
//!
//! One pass, forwards: a day's evidence uses the days before it and the day itself over all series, never a later one, so
//! that a day that is added does not change what was said before it. Context goes into the expectation (weekday,
//! promotion and discount, hours without stock, what the whole location does today), so that what it explains is not odd.

mod context;
mod counts;
mod evidence;
mod series;

use rayon::prelude::*;

use self::context::{Lesson, Pool, Ratio, Standing, Today};
use self::counts::Count;
use self::evidence::Around;
use self::series::{Expected, Open, SeriesState};
use super::panel::Cell;

pub(super) use self::evidence::at;
pub use self::evidence::{FEATURE_COUNT, FEATURES};

/// Deviations beyond which a day is cut down before it is learned.
const LEARNED_SD: f64 = 2.5;
/// A promotion younger than this is a guess: its effect on this series is known only to this share.
const NEW_PROMO_DAYS: usize = 8;
const OFFER_DOUBT: f64 = 0.5;
/// What a series' record of its own surprises keeps from day to day.
const RECORD: f64 = 0.985;

/// The state after the last day.
#[derive(Clone, Debug)]
pub struct Watch {
    series: Vec<SeriesState>,
    location_of: Vec<usize>,
    item_of: Vec<usize>,
    location_weekdays: Vec<[Ratio; 7]>,
    items: usize,
    pool: Pool,
    days: u32,
}

/// What a day was expected to be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct DayExpectation {
    /// Expected units.
    pub mean: f32,
    /// Standard deviation around it.
    pub sd: f32,
}

impl Watch {
    /// Before the first day. For each series the number of its location and of its item, from 0 on.
    pub fn new(location_of: &[usize], item_of: &[usize]) -> Self {
        let count = |of: &[usize]| of.iter().max().map_or(0, |most| most + 1);
        Self {
            series: vec![SeriesState::default(); location_of.len()],
            location_of: location_of.to_vec(),
            item_of: item_of.to_vec(),
            location_weekdays: vec![[Ratio::new(1.0, 1.0); 7]; count(location_of)],
            items: count(item_of),
            pool: Pool::default(),
            days: 0,
        }
    }

    /// Takes in a day: `cells` of all series, `weekday` from 0 (Monday). Writes the features of each series into a row
    /// of `out` (series × [`FEATURE_COUNT`]; zeros on a closed day or before there is anything to compare with) and gives
    /// what was expected.
    pub fn day(&mut self, weekday: usize, cells: &[Cell], out: &mut [f32]) -> Vec<DayExpectation> {
        self.advance(weekday, cells, out.chunks_exact_mut(FEATURE_COUNT).map(Some).collect())
    }

    /// Takes in a day as [`Watch::day`] does, without writing features: twice as quick, for days that are only learned from.
    pub fn pass(&mut self, weekday: usize, cells: &[Cell]) {
        self.advance(weekday, cells, cells.iter().map(|_| None).collect());
    }

    fn advance(&mut self, weekday: usize, cells: &[Cell], rows: Vec<Option<&mut [f32]>>) -> Vec<DayExpectation> {
        let expected: Vec<Expected> = self
            .series
            .par_iter()
            .zip(cells)
            .zip(&self.location_of)
            .map(|((state, cell), location)| {
                let location_weekday = self.location_weekdays[*location][weekday].value();
                state.expect(cell, weekday, location_weekday, &self.pool)
            })
            .collect();
        // First what every series expects by itself; only then can it be seen what whole places do today.
        let standings: Vec<Standing> = cells
            .iter()
            .zip(&expected)
            .zip(&self.location_of)
            .zip(&self.series)
            .map(|(((cell, expected), location), state)| Standing {
                location: *location,
                sold: f64::from(cell.units),
                expected: expected.mean,
                votes: cell.open && state.learned >= 3 && expected.mean / expected.hours >= 2.0 && cell.availability() > 0.3,
            })
            .collect();
        let today = Today::of(&standings, self.location_weekdays.len());
        let item = self.items_today(cells, &expected, &today);
        let shares = self.shares(&standings, &today);
        // Each series has a state of its own, so they can go side by side and come to the same.
        let learned: Vec<(DayExpectation, Option<Lesson>, f64)> = self
            .series
            .par_iter_mut()
            .zip(rows)
            .enumerate()
            .map(|(at, (state, mut row))| {
                let (cell, expected, location) = (&cells[at], &expected[at], self.location_of[at]);
                if let Some(row) = &mut row {
                    row.fill(0.0);
                }
                if !cell.open {
                    return (DayExpectation::default(), None, 0.0);
                }
                let around = Around {
                    location: today.locations[location],
                    chain: today.chain,
                    item: item[at],
                    high_share: shares[location].0,
                    low_share: shares[location].1,
                };
                step(state, cell, weekday, expected, around, row)
            })
            .collect();
        self.learn_pools(weekday, &learned);
        self.days += 1;
        learned.into_iter().map(|(expectation, _, _)| expectation).collect()
    }

    /// For each series, ln of sold ÷ expected of its item at the other locations, shrunk to 0 by five units.
    fn items_today(&self, cells: &[Cell], expected: &[Expected], today: &Today) -> Vec<f64> {
        let mut sums = vec![(0.0, 0.0); self.items];
        let part = |at: usize| {
            let counts = cells[at].open && cells[at].availability() > 0.3 && self.series[at].learned >= 7;
            let mean = expected[at].mean * today.locations[self.location_of[at]];
            // One odd series must not speak for the item.
            let sold = f64::from(cells[at].units).min(4.0 * mean + 4.0);
            if counts { (sold, mean) } else { (0.0, 0.0) }
        };
        for at in 0..cells.len() {
            let (sold, mean) = part(at);
            let sum = &mut sums[self.item_of[at]];
            *sum = (sum.0 + sold, sum.1 + mean);
        }
        (0..cells.len())
            .map(|at| {
                let (own, all) = (part(at), sums[self.item_of[at]]);
                // Without its own part, or a series would excuse itself.
                ((all.0 - own.0 + 5.0) / (all.1 - own.1 + 5.0)).max(0.01).ln()
            })
            .collect()
    }

    /// Shares of each location's series that are at twice, and at under half, of what is expected.
    fn shares(&self, standings: &[Standing], today: &Today) -> Vec<(f64, f64)> {
        // Four votes for "nothing" in advance: in a small place one odd series is no share.
        let mut counts = vec![(0.0, 0.0, 4.0); self.location_weekdays.len()];
        for standing in standings.iter().filter(|s| s.votes) {
            let mean = standing.expected * today.locations[standing.location];
            let count = &mut counts[standing.location];
            count.0 += f64::from(u8::from(standing.sold > 2.0 * mean));
            count.1 += f64::from(u8::from(standing.sold < 0.4 * mean));
            count.2 += 1.0;
        }
        counts.into_iter().map(|(high, low, all)| (high / all, low / all)).collect()
    }

    fn learn_pools(&mut self, weekday: usize, learned: &[(DayExpectation, Option<Lesson>, f64)]) {
        if self.days >= 7 {
            self.pool.learn(learned.iter().filter_map(|(_, lesson, _)| *lesson));
        }
        let mut sums = vec![(0.0, 0.0); self.location_weekdays.len()];
        for (at, (_, lesson, undisturbed)) in learned.iter().enumerate() {
            if let Some(lesson) = lesson {
                let sum = &mut sums[self.location_of[at]];
                *sum = (sum.0 + lesson.sold / undisturbed.max(0.05), sum.1 + self.series[at].level);
            }
        }
        for (ratios, (sold, level)) in self.location_weekdays.iter_mut().zip(sums) {
            if level > 0.0 {
                ratios[weekday].add(sold / level, 1.0, 0.9);
            }
        }
    }
}

/// One series' open day: evidence, then learning. Gives what the pools learn from it, and what stood on the
/// day but the weekday.
fn step(
    state: &mut SeriesState,
    cell: &Cell,
    weekday: usize,
    expected: &Expected,
    around: Around,
    row: Option<&mut [f32]>,
) -> (DayExpectation, Option<Lesson>, f64) {
    let factor = around.location;
    let mean = (expected.mean * factor).max(0.02);
    let units = f64::from(cell.units).max(0.0);
    // How a promotion works on this very item nobody knows in its first
    // week: saying so in the variance keeps it from being an alarm.
    let doubt = if cell.promo && state.promo_run() < NEW_PROMO_DAYS { OFFER_DOUBT * OFFER_DOUBT } else { 0.0 };
    let spread = state.spread.max(1.02) + doubt * mean;
    let count = Count::new(mean, spread);
    let sd = (mean * spread).max(0.3).sqrt();
    let z = (units - mean) / sd;
    let availability = f64::from(cell.availability());
    let judged = availability > 0.4;
    let (high, low) = (count.surprise_high(units), count.surprise_low(units));
    let day = Open { units, mean, spread, level: state.level, z, high, low, judged, promo: cell.promo };
    state.push(day);
    let known = state.learned >= 5;
    if known {
        let today = evidence::Today { expected, count, day, around, availability, promo: cell.promo, holiday: cell.holiday };
        let mut runs = std::mem::take(&mut state.runs);
        runs.add(&today);
        state.runs = runs;
        if let Some(row) = row {
            evidence::features(state, &today, row);
        }
        state.remember();
    }
    let cut = z.clamp(-LEARNED_SD, LEARNED_SD);
    // What is learned is cut down, so that one odd day does not make the next one usual.
    let taught = if known { (mean + cut * sd).max(0.0) } else { units };
    state.learn(cell, weekday, expected, factor, taught, units);
    // The pools learn each effect against what all others together lead to expect.
    let lesson = (known && availability > 0.0).then_some(Lesson {
        offer: expected.offer_class,
        hour: expected.hour_class,
        sold: taught,
        without_offer: mean / expected.offer,
        without_hours: mean / expected.hours,
    });
    let expectation = DayExpectation { mean: mean as f32, sd: sd as f32 };
    (expectation, lesson.filter(|_| availability > 0.5), expected.offer * expected.hours)
}
