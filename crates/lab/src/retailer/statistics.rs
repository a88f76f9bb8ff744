//! What the numbers of a retailer are, and where they come from. *Fresh* is the 3,079 series of FreshRetailNet-50K, *online* the
//! 400 of Online Retail II, on which the detectors were tried (docs/MODELS.md); *recording* is the bundled one of an Odoo.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::draw::{chance, normal, poisson, uniform, weighted};

/// Units on a weekday against the mean day, Monday first (fresh, days with stock).
pub(super) const WEEK: [f64; 7] = [0.969, 1.012, 0.912, 0.878, 0.956, 1.110, 1.171];

/// Units of one order line above which a customer's order is more than the usual (recording: median 6).
pub(super) const LINE_UNITS: u32 = 6;

/// How an item is asked for. The share of each is such that in the middle a series sells on 43 days of 100: fewer than in the
/// recording (where it moves each day), more than a chain's long tail, so that speed is not measured on silence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    /// Every day, as in fresh.
    Fast,
    /// On two days of five, some at once (online: the median series sells on 40 days of 100).
    Medium,
    /// On one day in eight, one or two.
    Slow,
}

const CLASSES: [(Class, f64); 3] = [(Class::Fast, 0.25), (Class::Medium, 0.35), (Class::Slow, 0.40)];

/// Of the logarithm of a fast item's units a day: mean and deviation (fresh: 2.15 and 0.70).
const FAST: (f64, f64) = (2.15, 0.70);
/// Variance by mean of a fast item's day (fresh: median 1.67).
const DISPERSION: f64 = 1.67;
/// Share of the days on which a medium item sells (online: median 0.40), and a slow one.
const MEDIUM_DAYS: f64 = 0.40;
const SLOW_DAYS: f64 = 0.12;
/// Logarithm of a medium item's units on such a day. Online sells 14 in bulk; a shop's customer takes less.
const MEDIUM_SIZE: (f64, f64) = (1.2, 0.4);
const SLOW_SIZE: f64 = 1.5;
/// How locations differ: deviation of the logarithm of their share.
const LOCATIONS: f64 = 0.4;

/// Logarithm of a list price (recording: median 7.50), and the cost's share of it (recording: 0.35 to 0.62).
const PRICE: (f64, f64) = (2.0, 0.65);
const COST: (f64, f64) = (0.35, 0.62);

/// What an item is like everywhere.
#[derive(Clone, Debug)]
pub(super) struct Nature {
    pub(super) class: Class,
    /// Units a day in the middle of all locations.
    pub(super) mean: f64,
    /// In cents.
    pub(super) price: i64,
    pub(super) cost: i64,
    /// Units of a supplier's pack.
    pub(super) pack: i64,
}

impl Nature {
    pub(super) fn draw(rng: &mut ChaCha8Rng) -> Self {
        let class = weighted(rng, &CLASSES);
        let mean = match class {
            Class::Fast => (FAST.0 + FAST.1 * normal(rng)).exp().clamp(1.5, 60.0),
            Class::Medium => MEDIUM_DAYS * (MEDIUM_SIZE.0 + MEDIUM_SIZE.1 * normal(rng)).exp().clamp(1.2, 12.0),
            Class::Slow => SLOW_DAYS * SLOW_SIZE,
        };
        // Prices end in 9.
        let price = ((PRICE.0 + PRICE.1 * normal(rng)).exp().clamp(0.9, 90.0) * 10.0).round() as i64 * 10 + 9;
        let cost = (price as f64 * uniform(rng, COST.0, COST.1)).round().max(1.0) as i64;
        let pack = weighted(rng, &[(6, 0.6), (12, 0.3), (1, 0.1)]);
        Self { class, mean, price, cost, pack }
    }

    /// Units a day at one location.
    pub(super) fn mean_at(&self, rng: &mut ChaCha8Rng) -> f64 {
        self.mean * (LOCATIONS * normal(rng) - LOCATIONS * LOCATIONS / 2.0).exp()
    }

    /// Variance of a day's units where `mean` are usual.
    pub(super) fn variance(&self, mean: f64) -> f64 {
        match self.class {
            Class::Fast => DISPERSION * mean,
            Class::Medium => intermittent_variance(mean, MEDIUM_DAYS),
            Class::Slow => intermittent_variance(mean, SLOW_DAYS),
        }
    }

    /// What is wanted on a day on which `mean` units are usual.
    pub(super) fn wanted(&self, rng: &mut ChaCha8Rng, mean: f64) -> u32 {
        let units = match self.class {
            Class::Fast => {
                let spread = ((DISPERSION - 1.0) / mean.max(0.1)).ln_1p();
                let busy = (spread.sqrt() * normal(rng) - spread / 2.0).exp();
                poisson(rng, mean * busy)
            }
            Class::Medium => intermittent(rng, mean, MEDIUM_DAYS),
            Class::Slow => intermittent(rng, mean, SLOW_DAYS),
        };
        units as u32
    }
}

/// Variance of a day's units where so many are usual, all of them on a share of the days.
fn intermittent_variance(mean: f64, days: f64) -> f64 {
    let size = (mean / days).max(1.0);
    // One and a Poisson count beside it.
    days * (size * size + size - 1.0) - mean * mean
}

/// Mostly nothing, and else one and what comes with it. Much more than usual comes on more days and in larger lots.
fn intermittent(rng: &mut ChaCha8Rng, mean: f64, days: f64) -> f64 {
    let often = (mean / 1.2).min(days.max(mean / 12.0)).min(0.95);
    if chance(rng, often) { 1.0 + poisson(rng, (mean / often - 1.0).max(0.0)) } else { 0.0 }
}

/// Minute of the day at which somebody buys: shops open from nine to eight.
pub(super) fn minute(rng: &mut ChaCha8Rng) -> i32 {
    rng.gen_range(9 * 60..20 * 60)
}
