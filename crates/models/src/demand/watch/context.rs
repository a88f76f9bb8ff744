//! What all series share: what discounts, promotions and empty hours do to sales, and what a whole location does today.
//!
//! Learned from sums over all series, with old days forgotten, so that a single odd series moves nothing.

use super::super::panel::{Cell, TRADING_HOURS};

/// Discounts against the usual price, upper bounds of the classes but the last.
const DISCOUNTS: [f32; 5] = [0.03, 0.08, 0.15, 0.25, 0.40];
const HOURS: usize = TRADING_HOURS as usize + 1;
/// What a day's sums keep of their weight on the next day.
const MEMORY: f64 = 0.97;

/// A ratio of sums that forgets.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ratio {
    sold: f64,
    expected: f64,
}

impl Ratio {
    /// A ratio that begins at `value`, worth `weight` units of expected demand.
    pub(super) const fn new(value: f64, weight: f64) -> Self {
        Self { sold: value * weight, expected: weight }
    }

    pub(super) fn value(self) -> f64 {
        self.sold / self.expected
    }

    pub(super) fn add(&mut self, sold: f64, expected: f64, memory: f64) {
        self.sold = memory * self.sold + sold;
        self.expected = memory * self.expected + expected;
    }
}

/// Pooled effects, in units of an undisturbed day.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    /// By promotion flag and class of discount.
    offers: [[Ratio; DISCOUNTS.len() + 1]; 2],
    /// By hours without stock.
    hours: [Ratio; HOURS],
}

impl Default for Pool {
    fn default() -> Self {
        let offer = |promo: usize, class: usize| Ratio::new(1.0 + 0.15 * promo as f64 + 0.12 * class as f64, 60.0);
        let hour = |hour: usize| Ratio::new((1.0 - hour as f64 / f64::from(TRADING_HOURS)).max(0.02), 40.0);
        Self {
            offers: std::array::from_fn(|promo| std::array::from_fn(|class| offer(promo, class))),
            hours: std::array::from_fn(hour),
        }
    }
}

/// One series' part in what the pool learns of a day.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lesson {
    pub(super) offer: (usize, usize),
    pub(super) hour: usize,
    pub(super) sold: f64,
    /// Expected but for the offer, and but for the empty hours.
    pub(super) without_offer: f64,
    pub(super) without_hours: f64,
}

impl Pool {
    /// Class of a discount: share of the usual price that is not asked.
    pub(super) fn discount_class(discount: f32) -> usize {
        DISCOUNTS.partition_point(|bound| discount > *bound)
    }

    pub(super) fn offer(&self, offer: (usize, usize)) -> f64 {
        self.offers[offer.0][offer.1].value().clamp(0.5, 5.0)
    }

    pub(super) fn hour_class(cell: &Cell) -> usize {
        (cell.stockout_hours.round().max(0.0) as usize).min(HOURS - 1)
    }

    /// Share of an undisturbed day's sales that is to be expected with so many hours without stock.
    pub(super) fn hours(&self, class: usize) -> f64 {
        self.hours[class].value().clamp(0.01, 1.6)
    }

    pub(super) fn learn(&mut self, lessons: impl Iterator<Item = Lesson>) {
        let mut offers = [[(0.0, 0.0); DISCOUNTS.len() + 1]; 2];
        let mut hours = [(0.0, 0.0); HOURS];
        for lesson in lessons {
            let offer = &mut offers[lesson.offer.0][lesson.offer.1];
            *offer = (offer.0 + lesson.sold, offer.1 + lesson.without_offer);
            let hour = &mut hours[lesson.hour];
            *hour = (hour.0 + lesson.sold, hour.1 + lesson.without_hours);
        }
        // Summed over the day first: a pool forgets by days, not by how many series it has.
        for (ratio, (sold, expected)) in self.offers.iter_mut().flatten().zip(offers.into_iter().flatten()) {
            ratio.add(sold, expected, MEMORY);
        }
        for (ratio, (sold, expected)) in self.hours.iter_mut().zip(hours) {
            ratio.add(sold, expected, MEMORY);
        }
    }
}

/// What whole locations and the whole chain do on a day, as factors on the expectation.
#[derive(Clone, Debug)]
pub(super) struct Today {
    /// By location.
    pub(super) locations: Vec<f64>,
    /// Over all.
    pub(super) chain: f64,
}

/// A series' standing today, before the day's factor.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) location: usize,
    pub(super) sold: f64,
    pub(super) expected: f64,
    /// Whether it may vote: open, with stock, and with two units or more to be expected.
    pub(super) votes: bool,
}

impl Today {
    /// Medians of sold ÷ expected, those of locations shrunk to the chain's by eight votes' worth.
    pub(super) fn of(standings: &[Standing], locations: usize) -> Self {
        let ratio = |s: &Standing| (s.sold + 0.3) / (s.expected + 0.3);
        let mut all: Vec<f64> = standings.iter().filter(|s| s.votes).map(ratio).collect();
        // A median of few series is one of them; then the day is taken as any other.
        let enough = all.len() >= 20;
        let chain = if enough { median(&mut all) } else { 1.0 };
        // Where places have hardly any series, only the chain is asked.
        let sparse = standings.len() < 5 * locations;
        let mut by_location: Vec<Vec<f64>> = vec![Vec::new(); locations];
        if !sparse {
            for standing in standings.iter().filter(|s| s.votes) {
                by_location[standing.location].push(ratio(standing));
            }
        }
        let factor = |mut ratios: Vec<f64>| {
            let votes = ratios.len() as f64;
            let raw = if ratios.len() >= 5 { (votes * median(&mut ratios) + 8.0 * chain) / (votes + 8.0) } else { chain };
            raw.clamp(0.15, 6.0)
        };
        Self { locations: by_location.into_iter().map(factor).collect(), chain: chain.clamp(0.15, 6.0) }
    }
}

fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let (_, high, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    *high
}
