//! Fitting and scoring of the isolation forest, rule by rule: `cargo bench -p reeve-models --bench forest`.
//!
//! 100 trees on 256 rows, on all cores; `benches/peers/run.py` times the same beside scikit-learn and isotree.

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use linfa::prelude::*;
use ndarray::Array2;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use reeve_models::forest::{IsolationForestParams, SplitRule};

/// Rows with a bump in the middle of each column, as sums of three draws make it.
fn rows(count: usize, columns: usize) -> DatasetBase<Array2<f64>, ndarray::Array1<()>> {
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let draw = || (0..3).map(|_| rng.r#gen::<f64>()).sum::<f64>();
    DatasetBase::from(Array2::from_shape_simple_fn((count, columns), draw))
}

fn forests(criterion: &mut Criterion) {
    let plain = IsolationForestParams::new().trees(100).seed(1);
    let settings = [
        ("axis", plain.clone()),
        ("extended", plain.clone().rule(SplitRule::Extended { dims: 2 })),
        ("pooled", plain.clone().rule(SplitRule::Pooled { dims: 2, tries: 10 })),
        ("tabular", IsolationForestParams::tabular(1)),
    ];
    for (count, columns) in [(10_000, 10), (100_000, 10), (10_000, 100)] {
        let rows = rows(count, columns);
        let size = format!("{count}x{columns}");
        let mut group = criterion.benchmark_group("fit");
        group.sample_size(10);
        for (name, params) in &settings {
            group.bench_function(BenchmarkId::new(*name, &size), |bench| {
                bench.iter(|| params.fit(&rows).expect("the rows are sound"));
            });
        }
        group.finish();
        let mut group = criterion.benchmark_group("score");
        group.sample_size(10).throughput(Throughput::Elements(count as u64));
        for (name, params) in &settings {
            let forest = params.fit(&rows).expect("the rows are sound");
            group.bench_function(BenchmarkId::new(*name, &size), |bench| bench.iter(|| forest.score(rows.records())));
        }
        group.finish();
    }
    let rows = rows(10_000, 10);
    let forest = plain.fit(&rows).expect("the rows are sound");
    criterion.bench_function("attribute/axis/one row of 10", |bench| bench.iter(|| forest.attribute(rows.records().row(7))));
    let text = forest.to_json();
    let mut group = criterion.benchmark_group("saved");
    group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64));
    group.bench_function("write", |bench| bench.iter(|| forest.to_json()));
    group.finish();
}

criterion_group!(benches, forests);
criterion_main!(benches);
