//! What scoring a day of a whole series costs, by kind of series: `cargo bench -p reeve-models --bench series [kind]`.
//!
//! A plain loop that prints the fastest of many rounds, in CPU time where the system tells it: the most that can be said on
//! a machine that others use, too. The number behind it is made of the bits of all scores: it must not change when scoring
//! gets faster.
#![expect(clippy::print_stdout, reason = "its output is its purpose")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reeve_models::demand::{DayScore, DemandParams, Series, score_series};

/// Days of a series.
const DAYS: usize = 400;
/// Series of a kind.
const SERIES: usize = 12;
/// How long a kind is measured, whatever a round takes.
const MEASURED: Duration = Duration::from_millis(1500);

const WEEK: [f64; 7] = [0.85, 0.85, 0.95, 1.0, 1.2, 1.35, 0.8];

/// How many come in a day, by counting gaps; with `noise` the mean itself differs from day to day.
fn count(rng: &mut ChaCha8Rng, mean: f64, noise: f64) -> f64 {
    let spread: f64 = (0..4).map(|_| rng.r#gen::<f64>()).sum::<f64>() / 2.0 - 1.0;
    let mean = (mean * (1.0 + noise * spread * 1.7)).max(0.0);
    let (mut left, mut units) = (mean, 0.0);
    loop {
        left += rng.gen_range(f64::MIN_POSITIVE..1.0).ln();
        if left < 0.0 {
            return units;
        }
        units += 1.0;
    }
}

/// A series of `pace` units a day. An eventful one has promotions, days without stock, single odd days and a change of level.
fn series(seed: u64, pace: f64, eventful: bool) -> Series {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut series = Series {
        first: jiff::civil::date(2025, 1, 6),
        units: Vec::with_capacity(DAYS),
        censored: vec![false; DAYS],
        promo: vec![false; DAYS],
        blocked: vec![false; DAYS],
    };
    let (changed, by) = (rng.gen_range(150..300), if rng.r#gen() { 0.4 } else { 2.2 });
    for day in 0..DAYS {
        let level = if eventful && day >= changed { pace * by } else { pace };
        let mut units = count(&mut rng, level * WEEK[day % 7], 0.35);
        if eventful {
            series.promo[day] = day % 45 > 40;
            series.censored[day] = day % 60 > 57;
            units = if series.promo[day] { units * 2.0 } else { units };
            units = if series.censored[day] { (units * 0.3).floor() } else { units };
            units = if rng.gen_bool(0.01) { units * 8.0 } else { units };
        }
        series.units.push(units);
    }
    series
}

/// Folds the bits of what is scored.
fn digest(scores: &[DayScore], into: u64) -> u64 {
    scores.iter().fold(into, |all, score| {
        let shift = score.shift.as_ref().map_or([0.0; 4], |shift| [shift.before, shift.after, shift.ratio, shift.p]);
        let numbers = [score.expected, score.sigma, score.level, score.weekday_factor, score.p_high, score.p_low];
        let runs = [score.p_low_run, score.p_zero_run, score.zero_run_usual_p99, score.p_high_run, score.tracking_signal];
        let bits = shift.iter().chain(&numbers).chain(&runs).map(|number| number.to_bits());
        bits.fold(all, |all, bits| (all ^ bits).wrapping_mul(0x0000_0100_0000_01b3).rotate_left(23))
    })
}

/// CPU time of this thread so far; where that can not be had, time since the start.
fn time_used(start: Instant) -> Duration {
    let used = std::fs::read_to_string("/proc/thread-self/schedstat").ok();
    let nanos = used.and_then(|text| text.split_whitespace().next()?.parse().ok());
    nanos.map_or_else(|| start.elapsed(), Duration::from_nanos)
}

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with('-')).collect();
    let params = DemandParams::default();
    let kinds = [
        ("slow .4 a day", 0.4, false),
        ("fast 20 a day", 20.0, false),
        ("eventful 4 a day", 4.0, true),
        ("eventful 40 a day", 40.0, true),
    ];
    for (name, pace, eventful) in kinds {
        if !wanted.is_empty() && !wanted.iter().any(|word| name.contains(word.as_str())) {
            continue;
        }
        let many: Vec<Series> = (0..SERIES as u64).map(|seed| series(seed, pace, eventful)).collect();
        let bits = many.iter().fold(0, |all, series| digest(&score_series(series, &params), all));
        let (began, mut fastest) = (Instant::now(), Duration::MAX);
        while began.elapsed() < MEASURED {
            let before = time_used(began);
            for series in &many {
                black_box(score_series(black_box(series), &params));
            }
            fastest = fastest.min(time_used(began).saturating_sub(before));
        }
        let micros = fastest.as_secs_f64() * 1e6 / (SERIES * DAYS) as f64;
        println!("{name:<18} {micros:>7.2} µs a series-day   {bits:016x}");
    }
}
