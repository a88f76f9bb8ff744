//! A floor under tail probabilities, cheaper than the tails: most spans and runs are so near the usual that their exact
//! probability can not matter, and it is enough to know that.
//!
//! The tails of a negative binomial are those of a beta variable (`tail`). Up to its mode the density of a beta rises, so
//! that P(B <= x) is at least the width of any stretch that ends at x, or at the mode where that comes first, times the density
//! where the stretch begins. ln Γ(x) is between Stirling's (x - ½) ln x - x + ½ ln 2π and 1 ÷ 12x more, whatever x > 0.
//!
//! What is compared is the number that `statrs` comes to, not the true one, so the floor must clear the mark by [`MARGIN`]: far
//! more than rounding here and there can do, and up to [`MOST`] its continued fraction comes to rest
//! within 80 of the 140 steps it is given. A test holds
//! both against each other. Nothing that a floor decides is a number of a score: a probability that is wanted is worked out.

/// How many times the mark a floor must be.
const MARGIN: f64 = 2.0;
/// Sum of the two parameters up to which a floor is given.
const MOST: f64 = 4000.0;
/// ½ ln 2π.
const HALF_LN_2_PI: f64 = 0.918_938_533_204_672_8;

/// Whether P(B <= x) is certainly above `least` for a beta variable B with parameters `a` and `b`. `false` says nothing.
pub(super) fn is_above(a: f64, b: f64, x: f64, least: f64) -> bool {
    // Anything that is no number ends here, too.
    let within = a > 0.0 && b >= 1.0 && a + b <= MOST && x > 0.0 && x < 1.0 && least > 0.0 && least < 0.9;
    if !within {
        return false;
    }
    if b <= 1.0 {
        // Nothing sold: the tail is a power of x, and is known but for rounding.
        return a * x.ln() > (1.01 * least).ln();
    }
    // More than that no stretch comes to.
    if least > 0.25 / MARGIN {
        return false;
    }
    let (from, width) = if a <= 1.0 { (x, x) } else { stretch(a, b, x) };
    let ln_density = (a - 1.0) * from.ln() + (b - 1.0) * (1.0 - from).ln() - ln_beta_most(a, b);
    ln_density + (width / (MARGIN * least)).ln() > 0.0
}

/// Where the stretch begins, and how wide it is: about as wide as makes the most of a normal distribution.
fn stretch(a: f64, b: f64, x: f64) -> (f64, f64) {
    let mean = a / (a + b);
    let sd = (mean * (1.0 - mean) / (a + b + 1.0)).sqrt();
    let mode = (a - 1.0) / (a + b - 2.0);
    let to = x.min(mode);
    let z = ((mean - to) / sd).max(0.0);
    let width = (2.0 * sd / (z + (z * z + 4.0).sqrt())).min(0.5 * to);
    (to - width, width)
}

/// ln B(a, b) or a little more.
fn ln_beta_most(a: f64, b: f64) -> f64 {
    let least = |x: f64| (x - 0.5) * x.ln() - x + HALF_LN_2_PI;
    least(a) + least(b) - least(a + b) + (1.0 / a + 1.0 / b) / 12.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use statrs::function::beta::checked_beta_reg;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn no_floor_is_above_its_tail(
            size in -3.0..3.6_f64, share in -6.0..6.0_f64, z in -12.0..3.0_f64, closeness in 0.0..1.0_f64,
        ) {
            let (sum, share) = (10_f64.powf(size), 1.0 / (1.0 + share.exp()));
            let (a, b) = (sum * share, (sum * (1.0 - share)).max(1.0));
            let x = share + z * (share * (1.0 - share) / (sum + 1.0)).sqrt();
            if let Ok(tail) = checked_beta_reg(a, b, x) {
                // Marks that the floor itself may not be above, most of them close to the tail.
                let margin = if b <= 1.0 { 1.01 } else { MARGIN };
                let mark = tail * (1.0 + 1e-7 + closeness.powi(4)) / margin;
                prop_assert!(!is_above(a, b, x, mark), "{a} {b} {x}: {tail}");
            }
        }

        #[test]
        fn a_tail_well_above_the_mark_is_seen(size in 0.7..1.0_f64, share in 0.02..0.98_f64, z in -1.2..0.5_f64) {
            let sum = 10_f64.powf(size) / share / (1.0 - share);
            let x = share + z * (share * (1.0 - share) / (sum + 1.0)).sqrt();
            let (a, b) = (sum * share, sum * (1.0 - share));
            prop_assert!(is_above(a, b, x, 0.05 / 12.0), "{a} {b} {x}");
        }
    }
}
