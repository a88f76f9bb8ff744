//! Random numbers of the kinds that injection and made-up histories need.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

/// From `low` up to `high`.
pub(crate) fn uniform(rng: &mut ChaCha8Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.r#gen::<f64>()
}

/// True with probability `p`.
pub(crate) fn chance(rng: &mut ChaCha8Rng, p: f64) -> bool {
    rng.r#gen::<f64>() < p
}

/// One of `from`, all alike.
pub(crate) fn pick<T: Copy>(rng: &mut ChaCha8Rng, from: &[T]) -> T {
    from[rng.gen_range(0..from.len())]
}

/// One of `from`, by their weights.
pub(crate) fn weighted<T: Copy>(rng: &mut ChaCha8Rng, from: &[(T, f64)]) -> T {
    let mut left = rng.r#gen::<f64>() * from.iter().map(|(_, weight)| weight).sum::<f64>();
    for (value, weight) in from {
        left -= weight;
        if left < 0.0 {
            return *value;
        }
    }
    from[from.len() - 1].0
}

/// A standard normal number (Box and Muller).
pub(crate) fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.r#gen(), rng.r#gen());
    (-2.0 * (1.0 - u).ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

/// A Poisson count: the number of arrivals in a time of `mean`, in parts of at most 30 that add up (their products would
/// vanish otherwise); above 10,000 by the normal law, whose error is then below one in a thousand deviations.
pub(crate) fn poisson(rng: &mut ChaCha8Rng, mean: f64) -> f64 {
    const PART: f64 = 30.0;
    if mean > 10_000.0 {
        return (mean + mean.sqrt() * normal(rng)).round();
    }
    let (mut left, mut count) = (mean, 0.0);
    while left > 0.0 {
        let floor = (-left.min(PART)).exp();
        let mut product: f64 = rng.r#gen();
        while product > floor {
            count += 1.0;
            product *= rng.r#gen::<f64>();
        }
        left -= PART;
    }
    count
}

/// How many of `units` are kept when each is kept with probability `p`. Units that are no whole number are thinned as the
/// nearest one is, in proportion.
pub(crate) fn thinned(rng: &mut ChaCha8Rng, units: f64, p: f64) -> f64 {
    let whole = units.round().max(1.0);
    if units <= 0.0 {
        return 0.0;
    }
    let kept = if whole > 10_000.0 {
        (whole * p + (whole * p * (1.0 - p)).sqrt() * normal(rng)).round().clamp(0.0, whole)
    } else {
        (0..whole as u32).filter(|_| chance(rng, p)).count() as f64
    };
    // Whole units stay whole.
    if (units - units.round()).abs() < f64::EPSILON { kept } else { units * kept / whole }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn check(mean: f64, variance: f64, mut draw: impl FnMut(&mut ChaCha8Rng) -> f64) {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let drawn: Vec<f64> = (0..4_000).map(|_| draw(&mut rng)).collect();
        let (seen, sd) = reeve_models::formulas::mean_sd(&drawn);
        let error = (variance / 4_000.0).sqrt();
        assert!((seen - mean).abs() < 4.0 * error, "{seen} for {mean}");
        assert!((sd.unwrap().powi(2) / variance - 1.0).abs() < 0.1, "{sd:?} for {}", variance.sqrt());
    }

    #[test]
    fn draws_have_the_mean_and_variance_of_their_law() {
        for mean in [0.3, 7.0, 45.0, 20_000.0] {
            check(mean, mean, |rng| poisson(rng, mean));
        }
        check(30.0, 21.0, |rng| thinned(rng, 100.0, 0.3));
        check(5_000.0, 2_500.0, |rng| thinned(rng, 10_000.0, 0.5));
        check(0.0, 1.0, normal);
        check(0.75, 0.75 * 0.25, |rng| f64::from(weighted(rng, &[(1_u8, 3.0), (0, 1.0)])));
    }
}
