//! What is drawn of a world. Every answer is played on the same draws, so that what differs is what was done.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::world::{Demand, HORIZON, Otherwise, World};
use crate::draw::{normal, poisson};

/// Orders that a place can place within what is played.
const ORDERS: usize = HORIZON;

/// One way in which things may go.
#[derive(Clone, Debug)]
pub struct Chance {
    /// Is the alarm real?
    pub real: bool,
    /// Is what the books say lies here not there?
    pub ghost: bool,
    /// Demand by day, and the same if demand is what it was before.
    pub demand: Vec<f64>,
    pub before: Vec<f64>,
    pub donors: Vec<Vec<f64>>,
    /// Deviates: of each open line, of each order of the shop, and of the order that is placed today.
    pub lines: Vec<(f64, f64)>,
    pub leads: Vec<f64>,
    pub ordered: f64,
    /// How answers turn out, from 0 to 1: of the supplier, on the bill, on the count.
    pub answer: f64,
    pub bill: f64,
    pub count: (f64, f64),
}

/// So many ways, of which the stated share is real.
pub fn draw(world: &World, seed: u64, ways: usize) -> Vec<Chance> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // The share is kept exactly: whether alarms are real is not what is to be found out by luck.
    (0..ways).map(|way| one(world, &mut rng, (way as f64 + 0.5) / (ways as f64) < world.p)).collect()
}

fn one(world: &World, rng: &mut ChaCha8Rng, real: bool) -> Chance {
    let shelf = world.shelf.as_ref();
    let before = shelf.and_then(|shelf| match shelf.otherwise {
        Otherwise::Demand(mean) => Some(Demand { mean, ..shelf.demand }),
        _ => None,
    });
    Chance {
        real,
        ghost: real && shelf.is_some_and(|shelf| rng.r#gen::<f64>() < shelf.ghosts),
        demand: shelf.map_or_else(Vec::new, |shelf| (0..HORIZON).map(|day| units(rng, shelf.demand_on(day))).collect()),
        before: before.map_or_else(Vec::new, |demand| days(rng, demand)),
        donors: shelf.map_or_else(Vec::new, |shelf| shelf.donors.iter().map(|donor| days(rng, donor.demand)).collect()),
        lines: shelf.map_or_else(Vec::new, |shelf| shelf.lines.iter().map(|_| (normal(rng), rng.r#gen())).collect()),
        leads: (0..ORDERS).map(|_| normal(rng)).collect(),
        ordered: normal(rng),
        answer: rng.r#gen(),
        bill: rng.r#gen(),
        count: (rng.r#gen(), rng.r#gen()),
    }
}

fn days(rng: &mut ChaCha8Rng, demand: Demand) -> Vec<f64> {
    (0..HORIZON).map(|_| units(rng, demand)).collect()
}

/// A day's units: a Poisson count whose mean is itself drawn, from a gamma law of the spread.
pub(super) fn units(rng: &mut ChaCha8Rng, demand: Demand) -> f64 {
    let mean = if demand.spread.is_finite() { demand.mean * gamma(rng, demand.spread) / demand.spread } else { demand.mean };
    poisson(rng, mean)
}

/// A gamma number of a shape of at least 1 and scale 1 (Marsaglia and Tsang).
fn gamma(rng: &mut ChaCha8Rng, shape: f64) -> f64 {
    let d = shape.max(1.0) - 1.0 / 3.0;
    let c = 1.0 / (9.0 * d).sqrt();
    loop {
        let x = normal(rng);
        let v = (1.0 + c * x).powi(3);
        if v > 0.0 && rng.r#gen::<f64>().ln() < 0.5 * x * x + d - d * v + d * v.ln() {
            return d * v;
        }
    }
}
