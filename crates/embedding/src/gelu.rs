//! GELU, the bend between the two halves of a layer: x · Φ(x), where Φ is the normal distribution's share below x.
//!
//! A quarter of a million of them are computed for a sentence, so Φ is looked up and not computed. What is kept is x·Φ(x) less
//! the part above zero, max(x, 0): it is the same on both sides of zero, and nothing is left of it past 6.

/// Past this, x · (1 − Φ(x)) is below 1e-8.
const END: f32 = 6.0;
/// Steps for each unit. A straight line between neighbours is then wrong by at most h²/8 · max|f''| = 1e-7, a single float's own
/// precision at 1.
const STEPS: usize = 1024;

/// Values of x · (1 − Φ(x)) at every step from 0 to [`END`], and once more beyond.
pub(crate) struct Gelu {
    table: Vec<f32>,
}

impl Gelu {
    pub(crate) fn new() -> Self {
        let count = END as usize * STEPS;
        let step = 1.0 / STEPS as f64;
        // 1 − Φ, from the end towards zero by Simpson's rule in each step: what is summed is never small beside the sum.
        let density = |x: f64| (-x * x / 2.0).exp() / (2.0 * std::f64::consts::PI).sqrt();
        // What lies past the end: 1 − Φ(6) = 9.8659e-10 (any table of the normal distribution).
        let mut above = 9.865_9e-10;
        let mut table = vec![0.0; count + 2];
        for (at, value) in table.iter_mut().enumerate().take(count).rev() {
            let x = at as f64 * step;
            above += step / 6.0 * (density(x) + 4.0 * density(x + step / 2.0) + density(x + step));
            *value = (x * above) as f32;
        }
        Self { table }
    }

    /// Bends every number in place.
    pub(crate) fn apply(&self, values: &mut [f32]) {
        for value in values {
            let place = value.abs().min(END) * STEPS as f32;
            let index = place as usize;
            let (left, right) = (self.table[index], self.table[index + 1]);
            *value = value.max(0.0) - (left + (right - left) * (place - index as f32));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_normal_share_times_the_number() {
        // By mpmath, nine digits: x · (1 + erf(x / √2)) / 2.
        let known: &[(f64, f64)] = &[
            (0.0, 0.0),
            (0.001, 0.000_500_398_942),
            (-0.001, -0.000_499_601_058),
            (0.25, 0.149_676_581),
            (-0.25, -0.100_323_419),
            (0.500_3, 0.345_991_507),
            (-0.75, -0.169_970_514),
            (1.0, 0.841_344_746),
            (-1.0, -0.158_655_254),
            (1.7, 1.624_238_71),
            (-2.3, -0.024_665_453),
            (3.1, 3.097_000_43),
            (-3.1, -0.002_999_569_96),
            (4.44, 4.439_980_03),
            (-5.5, -1.044_425_94e-7),
            (5.999_5, 5.999_499_99),
            (-5.999_5, -5.937_286_12e-9),
            (7.0, 7.0),
            (-7.0, -8.958_667_14e-12),
            (30.0, 30.0),
            (-30.0, 0.0),
        ];
        for (x, expected) in known {
            let mut values = [*x as f32];
            Gelu::new().apply(&mut values);
            assert!(
                (f64::from(values[0]) - expected).abs() < 3e-7 * expected.abs().max(1.0),
                "{x}: {} and not {expected}",
                values[0]
            );
        }
    }

    #[test]
    fn it_holds_however_far_out() {
        let mut values = [f32::MAX, f32::INFINITY, f32::MIN, f32::NEG_INFINITY];
        Gelu::new().apply(&mut values);
        assert_eq!(values.map(f32::to_bits), [f32::MAX, f32::INFINITY, 0.0, 0.0].map(f32::to_bits), "{values:?}");
    }
}
