//! The daily increment and the first pass of the demand detector, and the scores of whole series:
//! `cargo bench -p reeve-models --bench demand`.
//!
//! On one core, so that the figure is series a second a core. Series differ in level, weekday and noise; a tenth are on
//! promotion and a tenth were out of stock for some hours.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reeve_models::demand::detector::{Detector, Scorer};
use reeve_models::demand::panel::Cell;
use reeve_models::demand::watch::Watch;
use reeve_models::demand::{DemandParams, Series, score_series};

const SERIES: usize = 20_000;
const ITEMS: usize = 1_000;

/// A day of all series.
fn day(rng: &mut ChaCha8Rng, weekday: usize) -> Vec<Cell> {
    let mut cell = |series: usize| {
        let level = 1.0 + (series % 23) as f32 + if weekday > 4 { 4.0 } else { 0.0 };
        let noise: f32 = (0..4).map(|_| rng.r#gen::<f32>()).sum::<f32>() / 2.0;
        let promo = rng.gen_bool(0.1);
        let stockout_hours = if rng.gen_bool(0.1) { 4.0 } else { 0.0 };
        let price = if promo { 8.0 } else { 10.0 };
        Cell { units: (level * noise).round(), price, stockout_hours, promo, holiday: false, open: true }
    };
    (0..SERIES).map(&mut cell).collect()
}

fn increments(criterion: &mut Criterion) {
    let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool of one thread can be made");
    let locations: Vec<usize> = (0..SERIES).map(|series| series / ITEMS).collect();
    let items: Vec<usize> = (0..SERIES).map(|series| series % ITEMS).collect();
    let mut group = criterion.benchmark_group("demand");
    group.sample_size(10).throughput(Throughput::Elements(SERIES as u64));
    for (name, detector) in [("unsupervised", &Detector::unsupervised()), ("shipped", Detector::shipped())] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut scorer = Scorer::new(detector, &locations, &items);
        for at in 0..40 {
            scorer.day(at % 7, &day(&mut rng, at % 7), at >= 14);
        }
        let next = day(&mut rng, 5);
        group.bench_function(BenchmarkId::new("a day", name), |bench| {
            bench.iter(|| one_core.install(|| scorer.day(5, &next, false)));
        });
        group.bench_function(BenchmarkId::new("a day of warm-up", name), |bench| {
            bench.iter(|| one_core.install(|| scorer.day(5, &next, true)));
        });
    }
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let mut watch = Watch::new(&locations, &items);
    for at in 0..40 {
        watch.pass(at % 7, &day(&mut rng, at % 7));
    }
    let next = day(&mut rng, 5);
    group.bench_function("a day that is only learned from", |bench| {
        bench.iter(|| one_core.install(|| watch.pass(5, &next)));
    });
    group.finish();
}

/// Whole series scored from their first day on: what a series-day costs.
fn whole_series(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("score_series");
    for days in [120, 400] {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut series = |pace: f64| {
            let mut units = || (0..4).map(|_| rng.r#gen::<f64>()).sum::<f64>() * pace / 2.0;
            let units: Vec<f64> = (0..days).map(|_| units().round()).collect();
            let promo = (0..days).map(|day| day % 45 > 40).collect();
            let censored = (0..days).map(|day| day % 60 > 57).collect();
            let first = jiff::civil::date(2026, 1, 1);
            Series { first, units, censored, promo, blocked: vec![false; days] }
        };
        let many: Vec<Series> = (0..32).map(|n| series(0.4 + 0.3 * f64::from(n))).collect();
        let params = DemandParams::default();
        group.sample_size(10).throughput(Throughput::Elements((many.len() * days) as u64));
        group.bench_function(BenchmarkId::new("days", days), |bench| {
            bench.iter(|| many.iter().map(|series| score_series(series, &params).len()).sum::<usize>());
        });
    }
    group.finish();
}

criterion_group!(benches, increments, whole_series);
criterion_main!(benches);
