//! The forest as a whole: what it finds, what it refuses, and that it is always the same.

use linfa::ParamGuard;
use linfa::traits::Predict;
use ndarray::{Array2, array};
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

fn fit(rows: &Array2<f64>, kind: ForestKind) -> IsolationForest {
    IsolationForestParams::new().kind(kind).seed(7).fit(&DatasetBase::from(rows.view())).unwrap()
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
fn outliers_score_above_inliers() {
    let rows = rows(1, 600, 24);
    for (kind, least) in
        [(ForestKind::Axis, 0.98), (ForestKind::Extended { dims: 2 }, 0.98), (ForestKind::Extended { dims: 4 }, 0.98)]
    {
        let scores: Array1<f64> = fit(&rows, kind).predict(&rows);
        let scores = scores.to_vec();
        let auc = auc(&scores[..600], &scores[600..]);
        assert!(auc > least, "{kind:?}: {auc}");
        assert!(scores.iter().all(|score| *score > 0.0 && *score < 1.0));
    }
}

#[test]
fn a_row_against_the_grain_is_odd_though_no_number_is() {
    let rows = rows(2, 800, 0);
    let forest = fit(&rows, ForestKind::Extended { dims: 2 });
    let scores = forest.score(&array![[1.8, 1.8, 0.0, 0.0], [1.8, -1.8, 0.0, 0.0]]);
    assert!(scores[1] > scores[0] + 0.02, "{scores}");
}

#[test]
fn the_forest_is_the_same_on_one_thread_and_on_four() {
    let rows = rows(3, 300, 6);
    let on = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            let forest = fit(&rows, ForestKind::Extended { dims: 3 });
            let scores = forest.score(&rows);
            (forest.to_json(), scores.iter().map(|score| score.to_bits()).collect::<Vec<u64>>())
        })
    };
    assert_eq!(on(1), on(4));
    let other = IsolationForestParams::new().seed(8).fit(&DatasetBase::from(rows.view())).unwrap();
    assert_ne!(other, fit(&rows, ForestKind::Axis));
}

#[test]
fn missing_values_are_taken_in_fitting_and_in_scoring() {
    let mut rows = rows(4, 400, 12);
    rows.column_mut(2).iter_mut().step_by(7).for_each(|x| *x = f64::NAN);
    rows.column_mut(0).iter_mut().step_by(11).for_each(|x| *x = f64::NAN);
    for kind in [ForestKind::Axis, ForestKind::Extended { dims: 2 }] {
        let forest = fit(&rows, kind);
        let scores = forest.score(&rows).to_vec();
        assert!(auc(&scores[..400], &scores[400..]) > 0.9);
        let lacking = forest.score(&Array2::from_elem((1, 4), f64::NAN))[0];
        assert!((0.35..0.5).contains(&lacking), "a row of which nothing is known is usual, not {lacking}");
    }
    let nothing = Array2::from_elem((10, 2), f64::NAN);
    let scores: Array1<f64> = fit(&nothing, ForestKind::Axis).predict(&nothing);
    assert!(scores.iter().all(|score| (score - 0.5).abs() < 1e-12));
}

#[test]
fn the_attribution_names_the_feature_that_departs() {
    let rows = rows(5, 500, 0);
    for kind in [ForestKind::Axis, ForestKind::Extended { dims: 2 }] {
        let forest = fit(&rows, kind);
        for feature in 0..4 {
            let mut row = Array1::zeros(4);
            row[feature] = if feature % 2 == 0 { 7.0 } else { -7.0 };
            let shares = forest.attribute(row.view());
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            assert!(shares.iter().all(|share| *share >= 0.0) && shares[feature] > 0.5, "{kind:?} {feature}: {shares:?}");
        }
    }
}

#[test]
fn a_saved_forest_scores_as_the_one_that_was_saved() {
    let rows = rows(6, 100, 4);
    for kind in [ForestKind::Axis, ForestKind::Extended { dims: 3 }] {
        let forest = fit(&rows, kind);
        let text = forest.to_json();
        let read = IsolationForest::from_json(&text).unwrap();
        assert_eq!(read, forest);
        assert_eq!(read.to_json(), text);
        let spaced = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&text).unwrap()).unwrap();
        assert!(IsolationForest::from_json(&spaced).is_ok());
    }
}

#[test]
fn a_changed_forest_is_refused() {
    let text = fit(&rows(6, 60, 2), ForestKind::Axis).to_json();
    let changed = text.replacen("\"left\":1,", "\"left\":2,", 1);
    assert_ne!(changed, text);
    assert!(matches!(IsolationForest::from_json(&changed), Err(ForestError::Checksum)));
    let other = text.replacen("\"version\":1", "\"version\":2", 1);
    assert!(matches!(IsolationForest::from_json(&other), Err(ForestError::Version(2))));
    assert!(matches!(IsolationForest::from_json(&text[..text.len() / 2]), Err(ForestError::Unreadable(_))));
}

#[test]
fn a_forest_whose_nodes_go_in_circles_is_refused_even_with_its_checksum() {
    let mut forest = fit(&rows(6, 60, 2), ForestKind::Axis);
    let Some(tree::Node::Cut { left, .. }) = forest.trees[0].nodes.first_mut() else { panic!("sixty rows are cut") };
    *left = 0;
    assert!(matches!(IsolationForest::from_json(&forest.to_json()), Err(ForestError::Unreadable(_))));
}

#[test]
fn bad_parameters_and_bad_rows_are_refused_by_name() {
    let message = |params: IsolationForestParams| params.check().unwrap_err().to_string();
    assert_eq!(message(IsolationForestParams::new().trees(0)), "forest parameter trees is 0, but must be from 1 to 10000");
    assert!(message(IsolationForestParams::new().sample(1)).contains("sample is 1"));
    assert!(message(IsolationForestParams::new().kind(ForestKind::Extended { dims: 0 })).contains("dims is 0"));
    let fit = |rows: Array2<f64>| IsolationForestParams::new().fit(&DatasetBase::from(rows)).map(|_| ());
    assert!(matches!(fit(Array2::zeros((1, 3))), Err(ForestError::TooLittle { rows: 1, features: 3 })));
    assert!(matches!(fit(array![[0.0, 1.0], [f64::INFINITY, 0.0]]), Err(ForestError::Infinite { row: 1, feature: 0 })));
    let forest = super::tests::fit(&rows(1, 20, 0), ForestKind::Axis);
    assert!(forest.attribute(Array1::zeros(3).view()).is_empty());
    let scores: Array1<f64> = forest.predict(&Array2::zeros((1, 3)));
    assert!(scores[0].is_nan());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn any_finite_rows_give_scores_between_zero_and_one(
        values in prop::collection::vec(prop_oneof![-1e12..1e12_f64, -1.0..1.0_f64, Just(0.0), Just(f64::NAN)], 6..60),
        dims in 0_usize..3,
        seed in any::<u64>(),
    ) {
        let rows = Array2::from_shape_vec((values.len() / 3, 3), values[..values.len() / 3 * 3].to_vec()).unwrap();
        let kind = if dims == 0 { ForestKind::Axis } else { ForestKind::Extended { dims } };
        let params = IsolationForestParams::new().trees(20).kind(kind).seed(seed);
        let forest = params.fit(&DatasetBase::from(rows.view())).unwrap();
        prop_assert!(forest.score(&rows).iter().all(|score| *score > 0.0 && *score < 1.0));
        for row in rows.rows() {
            prop_assert!((forest.attribute(row).iter().sum::<f64>() - 1.0).abs() < 1e-9);
        }
    }
}
