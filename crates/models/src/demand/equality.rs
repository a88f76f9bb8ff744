//! The scores equal the plain ones of [`reference`] bit for bit, whatever the series.

use jiff::civil::date;
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// What a score comes to, every number by its bits.
fn bits(score: &DayScore) -> String {
    let numbers = [
        score.actual,
        score.expected,
        score.sigma,
        score.level,
        score.weekday_factor,
        score.p_high,
        score.p_low,
        score.p_low_run,
        score.p_zero_run,
        score.zero_run_usual_p99,
        score.p_high_run,
        score.tracking_signal,
    ];
    let shift = score
        .shift
        .as_ref()
        .map(|shift| (shift.since, shift.days, [shift.before, shift.after, shift.ratio, shift.p].map(f64::to_bits)));
    let counts = (score.learned_days, score.low_run, score.zero_run, score.high_run);
    let rest = (score.day, score.class, counts, score.promo, score.censored);
    format!("{:x?} {shift:x?} {rest:?}", numbers.map(f64::to_bits))
}

#[track_caller]
fn agrees(series: &Series, params: &DemandParams) {
    let (fast, plain) = (score_series(series, params), reference::score_series(series, params));
    assert_eq!(fast.len(), plain.len());
    // Of any few days that are judged, too, each comes to the same; what is only learned from does as far as it says anything.
    for every in [2, 5, 31] {
        let some = score_days_of(series, params, |day| day % every == every - 1);
        for (day, (some, plain)) in some.iter().zip(&plain).enumerate() {
            let learned = DayScore {
                p_high: 1.0,
                p_low: 1.0,
                p_low_run: 1.0,
                p_zero_run: 1.0,
                p_high_run: 1.0,
                zero_run_usual_p99: 0.0,
                tracking_signal: 0.0,
                shift: None,
                ..plain.clone()
            };
            let wanted = if day % every == every - 1 { plain } else { &learned };
            assert!(bits(some) == bits(wanted), "day {day} of every {every}:\n{some:?}\n{wanted:?}");
        }
    }
    for (day, (fast, plain)) in fast.iter().zip(&plain).enumerate() {
        assert!(bits(fast) == bits(plain), "day {day}:\n{fast:?}\n{plain:?}\n{}\n{}", bits(fast), bits(plain));
    }
}

/// A series of any kind: pace, noise, days without demand, weekdays, changes of level, outliers, numbers that are none,
/// returns, flags one by one and in rows, lists of flags that end early, whole numbers or weights.
fn any_series(seed: u64, days: usize) -> Series {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let pace = 10_f64.powf(rng.gen_range(-1.5..3.0));
    let noise = rng.gen_range(0.0..1.2);
    let zeros = if rng.r#gen() { 0.0 } else { rng.gen_range(0.0..0.95) };
    let week: [f64; 7] = std::array::from_fn(|_| rng.gen_range(0.3..1.8));
    let odd = [0.0, 0.01, 0.05][rng.gen_range(0..3)];
    let whole = rng.gen_bool(0.7);
    let bad = if rng.gen_bool(0.15) { 0.03 } else { 0.0 };
    let (mut level, mut drift) = (1.0, 1.0);
    let units = (0..days)
        .map(|day| {
            if rng.gen_bool(0.015) {
                level = [0.0, 0.05, 0.5, 1.0, 1.0, 2.0, 4.0][rng.gen_range(0..7)];
                drift = [1.0, 1.0, 0.98, 1.02][rng.gen_range(0..4)];
            }
            level *= drift;
            let spread: f64 = (0..4).map(|_| rng.r#gen::<f64>()).sum::<f64>() / 2.0;
            let mean = pace * week[day % 7] * level * (1.0 + noise * (spread - 1.0) * 2.0);
            let sold = if rng.gen_bool(zeros) { 0.0 } else { mean };
            let sold = if rng.gen_bool(odd) { sold * 20.0 + 5.0 } else { sold };
            let sold = if whole { (sold + rng.r#gen::<f64>()).floor() } else { sold };
            if rng.gen_bool(bad) { [f64::NAN, f64::INFINITY, -3.0, -0.0][rng.gen_range(0..4)] } else { sold }
        })
        .collect();
    let mut flags = |share: f64, row: usize| {
        let mut flags = vec![false; days];
        for day in 0..days {
            if rng.gen_bool(share) {
                let to = (day + rng.gen_range(1..=row)).min(days);
                flags[day..to].fill(true);
            }
        }
        if rng.gen_bool(0.2) {
            flags.truncate(days / 2);
        }
        flags
    };
    let (censored, promo, blocked) = (flags(0.02, 8), flags(0.02, 10), flags(0.005, 40));
    Series { first: date(2026, 1, (1 + seed % 7) as i8), units, censored, promo, blocked }
}

fn any_params(seed: u64) -> DemandParams {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let params = DemandParams {
        window_days: rng.gen_range(14..90),
        warmup_days: rng.gen_range(7..40),
        profile_days: rng.gen_range(14..250),
        smoothing: [0.0, 0.02, 0.04, 0.3, 0.5][rng.gen_range(0..5)],
        weekday_spread: rng.gen_range(0.01..1.0),
        dispersion: [0.0, 0.1, 1.0][rng.gen_range(0..3)],
        dispersion_days: [0.0, 10.0, 100.0][rng.gen_range(0..3)],
        outlier_sd: rng.gen_range(2.0..6.0),
        confirm_days: rng.gen_range(7..30),
        alert_p: [0.0, 1e-4, 0.01, 0.05][rng.gen_range(0..4)],
        report_p: [0.05, 0.1, 0.5, 1.0][rng.gen_range(0..4)],
        tracking_days: rng.gen_range(4..60),
    };
    params.check().expect("made within the ranges")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn the_scores_equal_the_plain_ones(seed: u64, days in 0_usize..330) {
        agrees(&any_series(seed, days), &DemandParams::default());
    }

    #[test]
    fn the_scores_equal_the_plain_ones_whatever_the_parameters(seed: u64, days in 0_usize..330) {
        agrees(&any_series(seed, days), &any_params(seed));
    }
}
