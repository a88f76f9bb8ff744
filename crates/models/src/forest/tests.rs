//! The forest as a whole: what it finds, what it refuses, and that it is always the same.

use linfa::ParamGuard;
use linfa::traits::Predict;
use ndarray::{Array2, ShapeBuilder, array};
use proptest::prelude::*;
use rand::Rng;

use super::*;

/// `inliers` rows around 0 with a deviation of 1 (the second feature follows the first), then `outliers` far out in one
/// feature each, in turns.
fn rows(seed: u64, inliers: usize, outliers: usize) -> Array2<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut normal = || (0..12).map(|_| rng.r#gen::<f64>()).sum::<f64>() - 6.0;
    let mut rows = Array2::from_shape_simple_fn((inliers + outliers, 4), &mut normal);
    for (index, mut row) in rows.rows_mut().into_iter().enumerate() {
        row[1] = 0.8 * row[0] + 0.6 * row[1];
        if index >= inliers {
            row[index % 4] += if index % 2 == 0 { 6.0 } else { -6.0 };
        }
    }
    rows
}

/// Every rule, scoring and scale once, and the mixture.
fn settings() -> Vec<(&'static str, IsolationForestParams)> {
    let base = || IsolationForestParams::new().seed(7);
    let averaged = || base().rule(SplitRule::Averaged { dims: 2, tries: 5 }).trees(100);
    vec![
        ("axis", base()),
        ("range", base().rule(SplitRule::Range)),
        ("extended 2", base().rule(SplitRule::Extended { dims: 2 })),
        ("extended 4", base().rule(SplitRule::Extended { dims: 4 })),
        ("pooled 1", base().rule(SplitRule::Pooled { dims: 1, tries: 1 })),
        ("pooled 2", base().rule(SplitRule::Pooled { dims: 2, tries: 5 })),
        ("averaged", averaged().full_depth(true).range_penalty(true)),
        ("half-ranked", averaged().full_depth(true).scale(Scale::HalfRank)),
        ("density", base().scoring(Scoring::Density)),
        ("boxed", base().scoring(Scoring::Boxed)),
        ("tabular", IsolationForestParams::tabular(7).trees(40)),
    ]
}

fn fit(rows: &Array2<f64>, params: &IsolationForestParams) -> IsolationForest {
    params.fit(&DatasetBase::from(rows.view())).unwrap()
}

fn plain() -> IsolationForestParams {
    IsolationForestParams::new().seed(7)
}

fn planes() -> IsolationForestParams {
    plain().rule(SplitRule::Extended { dims: 2 })
}

/// Probability that an odd row scores above a usual one; equal scores count half.
fn auc(usual: &[f64], odd: &[f64]) -> f64 {
    let wins: f64 = odd
        .iter()
        .flat_map(|o| usual.iter().map(move |u| if o > u { 1.0 } else { f64::from(u8::from(o.total_cmp(u).is_eq())) / 2.0 }))
        .sum();
    wins / (usual.len() * odd.len()) as f64
}

#[test]
fn outliers_score_above_inliers_by_every_rule() {
    let rows = rows(1, 600, 24);
    for (name, params) in settings() {
        let scores: Array1<f64> = fit(&rows, &params).predict(&rows);
        let scores = scores.to_vec();
        let auc = auc(&scores[..600], &scores[600..]);
        assert!(auc > if name == "boxed" { 0.93 } else { 0.97 }, "{name}: {auc}");
        assert!(scores.iter().all(|score| *score > 0.0 && *score < 1.0), "{name}");
    }
}

#[test]
fn a_row_against_the_grain_is_odd_though_no_number_is() {
    let rows = rows(2, 800, 0);
    for params in [planes(), plain().rule(SplitRule::Averaged { dims: 2, tries: 5 }), IsolationForestParams::tabular(1)] {
        let scores = fit(&rows, &params).score(&array![[1.8, 1.8, 0.0, 0.0], [1.8, -1.8, 0.0, 0.0]]);
        assert!(scores[1] > scores[0] + 0.02, "{params:?}: {scores}");
    }
}

#[test]
fn the_forest_is_the_same_on_one_thread_and_on_four() {
    let rows = rows(3, 300, 6);
    for (name, params) in settings() {
        let on = |threads: usize| {
            rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
                let forest = fit(&rows, &params.clone().trees(20));
                let scores = forest.score(&rows);
                (forest, scores.iter().map(|score| score.to_bits()).collect::<Vec<u64>>())
            })
        };
        assert_eq!(on(1), on(4), "{name}");
    }
    assert_ne!(fit(&rows, &plain().seed(8)), fit(&rows, &plain()));
}

/// What the trees say of a row, read as they are kept; rows are read otherwise, so that this checks the quick way.
fn slowly(forest: &IsolationForest, row: ArrayView1<'_, f64>) -> Vec<f64> {
    let mut seen = vec![0.0; forest.features()];
    let stands = forest.stands.iter().zip(&forest.params.stands);
    let mean = |(stand, params): (&Stand, &StandParams)| {
        forest.columns.see(params.scale, row, &mut seen);
        stand.trees.iter().map(|tree| tree.value(&seen)).sum::<f64>() / stand.trees.len() as f64
    };
    stands.map(mean).collect()
}

#[test]
fn what_is_read_fast_is_read_right_whatever_the_width() {
    for width in [1, 4, 17, 40, 100, 200, 300] {
        let mut rng = ChaCha8Rng::seed_from_u64(width);
        let rows = Array2::from_shape_simple_fn((150, width as usize), || rng.r#gen::<f64>().powi(3));
        for (name, params) in settings() {
            let forest = fit(&rows, &params.trees(5));
            let stands = forest.stands.len();
            let means = forest.means(rows.view());
            for (row, means) in rows.rows().into_iter().zip(means.chunks_exact(stands)) {
                for (fast, slow) in means.iter().zip(slowly(&forest, row)) {
                    assert!((fast - slow).abs() < 1e-12, "{name}, {width} columns: {fast} {slow}");
                }
            }
        }
    }
}

#[test]
fn rows_are_scored_alike_however_they_lie_in_memory_and_however_many_come_at_once() {
    let rows = rows(3, 5_000, 6);
    let mut turned = Array2::zeros((5_006, 4).f());
    turned.assign(&rows);
    for params in [plain().trees(10), planes().trees(10), IsolationForestParams::tabular(3).trees(4)] {
        let forest = fit(&rows, &params);
        assert_eq!(fit(&turned, &params), forest);
        let scores = forest.score(&rows);
        assert_eq!(forest.score(&turned), scores);
        for at in [0, 255, 256, 4_095, 4_096, 5_005] {
            let alone = forest.score(&rows.select(Axis(0), &[at]))[0];
            assert_eq!(alone.to_bits(), scores[at].to_bits(), "row {at}");
        }
    }
}

#[test]
fn missing_values_are_taken_in_fitting_and_in_scoring() {
    let mut rows = rows(4, 400, 12);
    rows.column_mut(2).iter_mut().step_by(7).for_each(|x| *x = f64::NAN);
    rows.column_mut(0).iter_mut().step_by(11).for_each(|x| *x = f64::NAN);
    let nothing = Array2::from_elem((10, 2), f64::NAN);
    for (name, params) in settings() {
        let forest = fit(&rows, &params.clone().trees(50));
        let scores = forest.score(&rows).to_vec();
        let auc = auc(&scores[..400], &scores[400..]);
        assert!(auc > 0.88, "{name}: {auc}");
        let lacking = forest.score(&Array2::from_elem((1, 4), f64::NAN))[0];
        let most = scores[..400].iter().filter(|score| **score < lacking).count();
        assert!(most < 380, "{name}: a row of which nothing is known is not odd, but {most} of 400 are less so");
        let scores: Array1<f64> = fit(&nothing, &params.clone().trees(5)).predict(&nothing);
        assert!(scores.iter().all(|score| (score - 0.5).abs() < 1e-6), "{name}: {scores}");
    }
}

#[test]
fn the_attribution_names_the_feature_that_departs() {
    let rows = rows(5, 500, 0);
    for (name, params) in settings() {
        let forest = fit(&rows, &params);
        for feature in 0..4 {
            let mut row = Array1::zeros(4);
            row[feature] = if feature % 2 == 0 { 7.0 } else { -7.0 };
            let shares = forest.attribute(row.view());
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(shares.iter().all(|share| *share >= 0.0) && shares[feature] > 0.4, "{name} {feature}: {shares:?}");
        }
    }
}

#[test]
fn the_attribution_agrees_with_leaving_a_feature_out() {
    let rows = rows(9, 500, 40);
    let highest = |of: &[f64]| (0..of.len()).max_by(|a, b| of[*a].total_cmp(&of[*b])).unwrap();
    for (name, params) in settings() {
        let forest = fit(&rows, &params);
        let mut agreed = 0;
        for row in rows.rows().into_iter().skip(500) {
            let shares = forest.attribute(row);
            // What the score loses when a feature is put on its median.
            let lost: Vec<f64> = (0..4)
                .map(|feature| {
                    let mut without = row.to_owned().insert_axis(Axis(0));
                    let before = forest.score(&without)[0];
                    without[[0, feature]] = 0.0;
                    before - forest.score(&without)[0]
                })
                .collect();
            agreed += usize::from(highest(&shares) == highest(&lost));
        }
        assert!(agreed >= 32, "{name}: {agreed} of 40");
    }
}

#[test]
fn columns_that_do_not_vary_are_never_cut_and_change_nothing_else() {
    let narrow = rows(6, 300, 6);
    let wide = Array2::from_shape_fn((306, 7), |(row, column)| if column < 4 { narrow[[row, column]] } else { 3.0 });
    for (name, params) in settings() {
        let forest = fit(&wide, &params.trees(10));
        let trees = || forest.stands.iter().flat_map(|stand| &stand.trees);
        assert!(trees().flat_map(|tree| &tree.terms).all(|term| term.column < 4), "{name}");
        // All rows differ, so that nothing but its depth stops a tree: one that cut by what is constant would be a stump.
        let fewest = trees().map(|tree| tree.nodes.len()).min();
        assert!(fewest > Some(20), "{name}: {fewest:?}");
    }
}

#[test]
fn a_rare_category_is_odd_and_an_unknown_one_is_not() {
    let rows = Array2::from_shape_fn((400, 3), |(row, column)| match column {
        0 => (row % 97) as f64 / 97.0,
        1 => (row * 31 % 89) as f64 / 89.0,
        _ if row % 100 == 7 => 4.0,
        _ => (row % 3) as f64,
    });
    for rule in [SplitRule::Axis, SplitRule::Range, SplitRule::Pooled { dims: 2, tries: 3 }] {
        let forest = fit(&rows, &plain().rule(rule).categorical([2]));
        let scores = forest.score(&array![[0.5, 0.5, 0.0], [0.5, 0.5, 4.0], [0.5, 0.5, 77.0], [0.5, 0.5, 0.5]]);
        assert!(scores[1] > scores[0] + 0.03, "{rule:?}: {scores}");
        assert!(scores[2] < scores[1] && scores[3] < scores[1], "{rule:?}: {scores}");
        let shares = forest.attribute(array![0.5, 0.5, 4.0].view());
        assert!(shares[2] > 0.6, "{rule:?}: {shares:?}");
    }
    let boxed = fit(&rows, &plain().scoring(Scoring::Boxed).categorical([2]));
    let scores = boxed.score(&array![[0.5, 0.5, 0.0], [0.5, 0.5, 4.0]]);
    assert!(scores[1] > scores[0], "{scores}");
    let only = Array2::from_shape_fn((50, 1), |(row, _)| f64::from(row == 9));
    let scores = fit(&only, &plain().categorical([0])).score(&only);
    assert!(scores[9] > scores[8]);
}

#[test]
fn weights_say_how_often_a_row_is_drawn() {
    let rows = rows(8, 500, 0);
    // The rows with a positive first feature weigh nothing: the forest has never seen one.
    let weights: Array1<f32> = rows.column(0).iter().map(|x| if *x > 0.0 { 0.0 } else { 2.5 }).collect();
    let forest = plain().fit(&DatasetBase::from(rows.view()).with_weights(weights)).unwrap();
    let scores = forest.score(&array![[-0.7, -0.5, 0.0, 0.0], [1.4, 1.0, 0.0, 0.0]]);
    assert!(scores[1] > scores[0] + 0.08, "{scores}");
    let refused = |weights: Vec<f32>| {
        let dataset = DatasetBase::from(rows.view()).with_weights(weights.into());
        plain().fit(&dataset).map(|_| ()).unwrap_err().to_string()
    };
    let with = |at: usize, weight: f32| {
        let mut weights = vec![1.0; 500];
        weights[at] = weight;
        weights
    };
    assert!(refused(with(3, -1.0)).starts_with("row 3 has weight -1;"));
    assert!(refused(with(4, f32::NAN)).starts_with("row 4 has weight NaN;"));
    assert!(refused(vec![0.0; 500]).starts_with("row 0 has weight 0;"));
    assert!(refused(vec![1.0; 499]).contains("499"));
}

#[test]
fn a_refreshed_forest_follows_what_changed() {
    let old = rows(10, 400, 0);
    let new = old.mapv(|x| x + 8.0);
    for params in [plain(), IsolationForestParams::tabular(5).trees(30)] {
        let mut forest = fit(&old, &params);
        let first = forest.clone();
        let odd = |forest: &IsolationForest| forest.score(&new).sum() / 400.0 - forest.score(&old).sum() / 400.0;
        let before = odd(&forest);
        let trees = forest.stands[0].trees.len();
        let dataset = DatasetBase::from(new.view());
        forest.refresh(&dataset, trees / 2).unwrap();
        let half = odd(&forest);
        assert_eq!(forest.stands[0].trees[..trees / 2], first.stands[0].trees[trees / 2..], "the youngest stay, in order");
        forest.refresh(&dataset, 10_000).unwrap();
        assert!(before > 0.1 && half < before && odd(&forest) < -0.1, "{before} {half} {}", odd(&forest));
        let mut again = first.clone();
        again.refresh(&dataset, trees / 2).unwrap();
        again.refresh(&dataset, trees).unwrap();
        assert_eq!(again, forest);
        let narrow = DatasetBase::from(Array2::<f64>::zeros((9, 3)));
        assert!(matches!(again.refresh(&narrow, 5), Err(ForestError::Width { expected: 4, got: 3 })));
        let infinite = DatasetBase::from(Array2::from_elem((9, 4), f64::INFINITY));
        assert!(matches!(again.refresh(&infinite, 5), Err(ForestError::Infinite { row: 0, feature: 0 })));
        assert_eq!(again, forest);
    }
}

#[test]
fn bad_parameters_and_bad_rows_are_refused_by_name() {
    let message = |params: IsolationForestParams| params.check().unwrap_err().to_string();
    let new = IsolationForestParams::new;
    assert_eq!(message(new().trees(0)), "forest parameter trees is 0, but must be from 1 to 10000");
    assert!(message(new().sample(1)).contains("sample is 1"));
    assert!(message(new().rule(SplitRule::Extended { dims: 0 })).contains("dims is 0"));
    assert!(message(new().rule(SplitRule::Pooled { dims: 1, tries: 0 })).contains("tries is 0"));
    assert!(message(planes().scoring(Scoring::Boxed)).contains("one column"));
    let fit =
        |params: IsolationForestParams, rows: Array2<f64>| params.fit(&DatasetBase::from(rows)).map(|_| ()).unwrap_err();
    assert!(matches!(fit(new(), Array2::zeros((1, 3))), ForestError::TooLittle { rows: 1, features: 3 }));
    let infinite = array![[0.0, 1.0], [f64::INFINITY, 0.0]];
    assert!(matches!(fit(new(), infinite), ForestError::Infinite { row: 1, feature: 0 }));
    let codes = |x: f64| fit(new().categorical([1]), array![[0.0, 1.0], [0.0, x]]);
    for x in [-1.0, 0.5, 16_777_216.0] {
        assert!(matches!(codes(x), ForestError::Category { row: 1, feature: 1, .. }));
    }
    let absent = fit(new().categorical([2]), array![[0.0, 1.0], [0.0, 1.0]]);
    assert!(matches!(absent, ForestError::NoSuchFeature { feature: 2, features: 2 }));
    let forest = self::fit(&rows(1, 20, 0), &plain());
    assert!(forest.attribute(Array1::zeros(3).view()).is_empty());
    let scores: Array1<f64> = forest.predict(&Array2::zeros((1, 3)));
    assert!(scores[0].is_nan());
}

#[test]
fn rows_far_outside_and_infinite_ones_are_odd_and_nothing_overflows() {
    let rows = rows(12, 300, 0);
    for (name, params) in settings() {
        let forest = fit(&rows, &params.trees(30));
        let far = forest.score(&array![[1e300, -1e300, 1e300, 0.0], [f64::INFINITY, f64::NEG_INFINITY, 0.0, 0.0]]);
        let usual = forest.score(&Array2::zeros((1, 4)))[0];
        assert!(far.iter().all(|score| *score > usual && *score <= 1.0), "{name}: {far} {usual}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_finite_rows_give_scores_between_zero_and_one(
        values in prop::collection::vec(
            prop_oneof![-1e308..1e308_f64, -1.0..1.0_f64, -1e-300..1e-300_f64, Just(0.0), Just(f64::NAN)], 6..60),
        setting in 0_usize..11,
        categorical in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let mut rows = Array2::from_shape_vec((values.len() / 3, 3), values[..values.len() / 3 * 3].to_vec()).unwrap();
        let mut params = settings()[setting].1.clone().trees(10).seed(seed);
        if categorical {
            rows.column_mut(1).mapv_inplace(|x| if x.is_nan() { x } else { (x.abs() % 5.0).floor() });
            params = params.categorical([1]);
        }
        let forest = params.fit(&DatasetBase::from(rows.view())).unwrap();
        prop_assert!(forest.score(&rows).iter().all(|score| *score > 0.0 && *score < 1.0));
        for row in rows.rows() {
            prop_assert!((forest.attribute(row).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
        prop_assert!(IsolationForest::from_json(&forest.to_json()).unwrap() == forest);
    }
}
