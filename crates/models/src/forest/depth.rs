//! c(n): cuts it takes on average to single out one of n rows.

/// Sums of 1 + 1/2 + … + 1/i for i up to 256, added up exactly as written.
const HARMONIC: [f64; 257] = {
    let mut sums = [0.0; 257];
    let mut i = 1;
    while i < 257 {
        sums[i] = sums[i - 1] + 1.0 / i as f64;
        i += 1;
    }
    sums
};

/// Cuts it takes on average to single out one of `rows` rows (Liu et al. 2008, eq. 1): 2 H(n - 1) - 2 (n - 1) ÷ n, which is
/// 0 of one row and 1 of two. The harmonic number is summed, not guessed at by a logarithm as is common: for two rows that
/// guess gives 0.15.
pub(super) fn average_depth(rows: usize) -> f64 {
    if rows < 2 {
        return 0.0;
    }
    let n = rows as f64;
    2.0 * harmonic(rows - 1) - 2.0 * (n - 1.0) / n
}

/// 1 + 1/2 + … + 1/n: from a table, then by its expansion (the first term left out is under 1e-16 from there on).
fn harmonic(n: usize) -> f64 {
    const EULER: f64 = 0.577_215_664_901_532_9;
    if let Some(sum) = HARMONIC.get(n) {
        return *sum;
    }
    let n = n as f64;
    let square = n * n;
    n.ln() + EULER + 1.0 / (2.0 * n) - 1.0 / (12.0 * square) + 1.0 / (120.0 * square * square)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_average_depth_is_right_where_others_get_it_wrong() {
        let check = |rows, expected: f64| assert!((average_depth(rows) - expected).abs() < 1e-12, "{rows}");
        check(0, 0.0);
        check(1, 0.0);
        check(2, 1.0);
        check(3, 2.0 * 1.5 - 4.0 / 3.0);
        let of_256: f64 = 2.0 * (1..=255).map(|i| 1.0 / f64::from(i)).sum::<f64>() - 2.0 * 255.0 / 256.0;
        check(256, of_256);
    }

    #[test]
    fn the_harmonic_number_has_no_step_where_the_expansion_begins() {
        assert!((harmonic(257) - harmonic(256) - 1.0 / 257.0).abs() < 1e-14);
    }
}
