//! Boosted trees: what they learn, that they are the same every time, and how bad files are refused.

use linfa::traits::Predict;
use linfa::{Dataset, ParamGuard};
use ndarray::{Array1, Array2, Axis, array};
use proptest::prelude::*;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Rows of four features; the odds depend on the first, on the second and third together, and on whether the fourth is
/// missing.
fn made(rows: usize, seed: u64) -> (Array2<f32>, Array1<bool>) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let records = Array2::from_shape_fn((rows, 4), |(_, feature)| {
        let x = rng.r#gen::<f32>();
        if feature == 3 && x < 0.3 { f32::NAN } else { x }
    });
    let labels = records.axis_iter(Axis(0)).map(|row| {
        let odds = 4.0 * row[0]
            + if (row[1] > 0.5) == (row[2] > 0.5) { 2.0 } else { 0.0 }
            + if row[3].is_nan() { 2.0 } else { 0.0 };
        rng.r#gen::<f64>() < logistic(f64::from(odds) - 6.0)
    });
    let labels = labels.collect();
    (records, labels)
}

fn fit(params: BoostParams, rows: usize) -> Boosted {
    let (records, labels) = made(rows, 1);
    params.check().unwrap().fit(&Dataset::new(records, labels)).unwrap()
}

fn loss(model: &Boosted, records: &Array2<f32>, labels: &Array1<bool>) -> f64 {
    let probabilities = model.predict(records);
    let each = |(p, label): (&f32, &bool)| -f64::from(if *label { *p } else { 1.0 - p }).ln();
    probabilities.iter().zip(labels).map(each).sum::<f64>() / labels.len() as f64
}

#[test]
fn a_model_learns_what_single_features_and_pairs_and_gaps_say() {
    let model = fit(BoostParams::new().rounds(60).leaves(8), 8_000);
    let (records, labels) = made(8_000, 2);
    let share = labels.iter().filter(|label| **label).count() as f64 / 8_000.0;
    let ignorant = -(share * share.ln() + (1.0 - share) * (1.0 - share).ln());
    let loss = loss(&model, &records, &labels);
    assert!(loss < 0.84 * ignorant, "{loss} against {ignorant}");
    let importance = model.importance();
    assert!((importance.iter().sum::<f64>() - 1.0).abs() < 1e-9);
    assert!(importance.iter().all(|share| *share > 0.05), "{importance:?}");
    let odds = |fourth| model.log_odds_of(&[0.5, 0.9, 0.1, fourth]);
    assert!(odds(f32::NAN) > odds(0.5) + 1.0);
}

#[test]
fn one_round_of_one_cut_is_the_newton_step_done_by_hand() {
    let records = array![[0.0_f32], [0.0], [1.0], [1.0]];
    let labels = array![false, false, false, true];
    let params = BoostParams::new().rounds(1).leaves(2).rate(0.5).l2(1.0).hessian_min(0.0);
    let model = params.check().unwrap().fit(&Dataset::new(records, labels)).unwrap();
    // p = 1/4 everywhere: left g = 1/2, h = 3/8; right g = -1/2, h = 3/8; steps -+ (1/2) / (11/8) * 0.5.
    let base = (1.0_f64 / 3.0).ln();
    let step = 0.5 * 0.5 / 1.375;
    assert!((model.log_odds_of(&[0.4]) - (base - step)).abs() < 1e-7);
    assert!((model.log_odds_of(&[0.6]) - (base + step)).abs() < 1e-7);
    assert!(model.log_odds_of(&[0.4, 0.4]).is_nan());
}

#[test]
fn a_weight_counts_as_so_many_rows() {
    let (records, labels) = made(500, 3);
    // Few values, for quantiles go by rows and not by weight.
    let records = records.mapv(|x| (50.0 * x).round());
    let twice: Vec<usize> = (0..500).chain((0..500).filter(|row| row % 3 == 0)).collect();
    let params = BoostParams::new().rounds(5).leaves(4).check().unwrap();
    let repeated = Dataset::new(records.select(Axis(0), &twice), labels.select(Axis(0), &twice));
    let weights = Array1::from_shape_fn(500, |row| if row % 3 == 0 { 2.0 } else { 1.0 });
    let repeated = params.fit(&repeated).unwrap().log_odds(&records);
    let weighted = params.fit(&Dataset::new(records.clone(), labels).with_weights(weights)).unwrap().log_odds(&records);
    assert!(repeated.iter().zip(&weighted).all(|(a, b)| (a - b).abs() < 1e-5));
}

#[test]
fn the_same_seed_gives_the_same_model_on_one_thread_and_on_many() {
    let params = || BoostParams::new().rounds(12).row_share(0.7).column_share(0.5).seed(9);
    let on = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit(params(), 20_000))
    };
    let one = on(1);
    assert_eq!(one.to_json(), on(3).to_json());
    assert_ne!(one, fit(params().seed(10), 20_000));
}

#[test]
fn a_direction_is_kept_where_the_rows_say_otherwise() {
    let wave = |x: f32| (9.0 * x).sin() > 0.0;
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let records = Array2::from_shape_fn((4_000, 2), |_| rng.r#gen::<f32>());
    let labels: Array1<bool> = records.axis_iter(Axis(0)).map(|row| wave(row[0]) != (row[1] > 0.7)).collect();
    for (direction, sign) in [(Direction::Rising, 1.0), (Direction::Falling, -1.0)] {
        let params = BoostParams::new().rounds(40).leaves(12).directions(vec![direction, Direction::Free]);
        let model = params.check().unwrap().fit(&Dataset::new(records.clone(), labels.clone())).unwrap();
        for second in [0.1, 0.5, 0.9] {
            let odds: Vec<f64> = (0..=200).map(|i| sign * model.log_odds_of(&[i as f32 / 200.0, second])).collect();
            assert!(odds.windows(2).all(|pair| pair[0] <= pair[1]));
            assert!(odds[200] > odds[0]);
        }
    }
}

#[test]
fn a_tree_has_no_more_leaves_than_allowed_and_none_below_the_least_weight() {
    let model = fit(BoostParams::new().rounds(3).leaves(6), 3_000);
    assert!(model.trees.iter().all(|tree| tree.nodes().iter().filter(|node| node.is_leaf()).count() <= 6));
    let stump = fit(BoostParams::new().rounds(3).hessian_min(1e9), 3_000);
    assert!(stump.trees.iter().all(|tree| tree.nodes().len() == 1));
    assert_eq!(stump.importance(), [0.0; 4]);
}

#[test]
fn a_model_that_was_saved_and_read_is_the_same_to_the_last_bit() {
    let model = fit(BoostParams::new().rounds(300).leaves(31).rate(0.05), 4_000);
    let text = model.to_json();
    assert!(text.len() < 400_000, "{}", text.len());
    let read = Boosted::from_json(&text).unwrap();
    assert_eq!(read, model);
    let (records, _) = made(1_000, 5);
    let bits = |model: &Boosted| model.log_odds(&records).mapv(f64::to_bits);
    assert_eq!(bits(&read), bits(&model));
}

/// A saved text whose model was changed by `edit`, with the checksum put right.
fn forged(edit: impl Fn(&mut serde_json::Value)) -> String {
    let text = fit(BoostParams::new().rounds(2).leaves(3), 500).to_json();
    let mut value: serde_json::Value = serde_json::from_str(&text).unwrap();
    edit(&mut value["model"]);
    let model: saved::Model = serde_json::from_value(value["model"].clone()).unwrap();
    value["sha256"] = saved::checksum(&model).into();
    value.to_string()
}

#[test]
fn a_file_that_was_changed_or_makes_no_sense_is_refused_by_name() {
    let text = fit(BoostParams::new().rounds(2).leaves(3), 500).to_json();
    let refused = |text: &str| {
        let error = Boosted::from_json(text).unwrap_err();
        std::error::Error::source(&error).map_or(error.to_string(), ToString::to_string)
    };
    assert!(refused(&text.replacen("\"version\":1", "\"version\":2", 1)).contains("train it anew"));
    assert!(refused(&text.replacen("\"base\":-", "\"base\":", 1)).contains("checksum"));
    assert!(refused(&text[..text.len() / 2]).contains("EOF"));
    assert!(Boosted::from_json(&forged(|_| ())).is_ok());
    let far = forged(|model| model["trees"][1]["features"][0] = 5.into());
    assert_eq!(refused(&far), "tree 1 does not hang together");
    let open = forged(|model| {
        for list in ["features", "numbers"] {
            model["trees"][0][list].as_array_mut().unwrap().pop();
        }
    });
    assert_eq!(refused(&open), "tree 0 does not hang together");
    let more = forged(|model| {
        for list in ["features", "numbers"] {
            model["trees"][0][list].as_array_mut().unwrap().push(0.into());
        }
    });
    assert_eq!(refused(&more), "tree 0 does not hang together");
    assert_eq!(refused(&forged(|model| model["features"] = 3.into())), "3 features, but 4 gains");
}

#[test]
fn what_can_not_be_learned_from_is_named() {
    let (records, labels) = made(50, 6);
    let params = || BoostParams::new().rounds(2);
    let refused = |params: BoostParams, labels: &Array1<bool>, weights: Option<&[f32]>| {
        let checked = match params.check() {
            Ok(checked) => checked,
            Err(error) => return error.to_string(),
        };
        checked.fit_watched(records.view(), labels.view(), weights, |_| ()).unwrap_err().to_string()
    };
    assert_eq!(
        refused(params().rate(1.5), &labels, None),
        "boosting parameter rate is 1.5, but must be above 0 and at most 1"
    );
    assert_eq!(refused(params().leaves(1), &labels, None), "boosting parameter leaves is 1, but must be from 2 to 4096");
    assert_eq!(refused(params().l2(f64::NAN), &labels, None), "boosting parameter l2 is NaN, but must be 0 or more");
    let short = labels.slice_axis(Axis(0), (0..49).into()).to_owned();
    assert_eq!(refused(params(), &short, None), "labels: 49 given, but 50, one for each row, wanted");
    assert!(refused(params(), &Array1::from_elem(50, true), None).starts_with("every row is labelled true"));
    let mut weights = vec![1.0; 50];
    weights[7] = -1.0;
    assert_eq!(refused(params(), &labels, Some(&weights)), "the weight of row 7 is -1, but must be 0 or more");
    let free = params().directions(vec![Direction::Free]);
    assert_eq!(refused(free, &labels, None), "directions: 1 given, but 4, one for each feature, wanted");
}

#[test]
fn progress_is_told_round_by_round() {
    let (records, labels) = made(200, 7);
    let mut told = Vec::new();
    let params = BoostParams::new().rounds(4).check().unwrap();
    params.fit_watched(records.view(), labels.view(), None, |done| told.push(done)).unwrap();
    assert_eq!(told, [1, 2, 3, 4]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn a_row_scores_the_same_alone_in_a_block_and_in_any_layout_and_as_in_training(
        values in prop::collection::vec(prop_oneof![3 => -5.0..5.0_f32, 1 => Just(f32::NAN), 1 => Just(0.0_f32)], 60..600),
        row_share in prop_oneof![Just(1.0), Just(0.5)],
    ) {
        let count = values.len() / 3;
        let records = Array2::from_shape_vec((count, 3), values[..count * 3].to_vec()).unwrap();
        let labels = Array1::from_shape_fn(count, |row| row % 3 == 0);
        let params = BoostParams::new().rounds(6).leaves(5).hessian_min(0.0).row_share(row_share).check().unwrap();
        let mut grower = Grower::new(&params, records.view(), labels.view(), None).unwrap();
        let mut gains = vec![0.0; 3];
        let trees: Vec<Tree> = (0..6).map(|round| grower.round(round, &mut gains)).collect();
        let model = Boosted { features: 3, base: grower.base(), trees, gains };
        let scores = model.log_odds(&records);
        let turned = records.t().as_standard_layout().to_owned();
        prop_assert_eq!(&scores, &model.log_odds(&turned.t()));
        for (row, score) in scores.iter().enumerate() {
            prop_assert!(score.is_finite());
            prop_assert_eq!(score.to_bits(), model.log_odds_of(&records.row(row).to_vec()).to_bits());
            prop_assert_eq!(score.to_bits(), grower.scores[row].to_bits());
        }
    }

    #[test]
    fn no_text_makes_reading_panic(text in r#"\{"version":1,"sha256":"x","model":\{"features":[0-9]{1,12},"base":0,"gains":\[\],"trees":\[.{0,40}\]\}\}|.{0,60}"#) {
        prop_assert!(Boosted::from_json(&text).is_err());
    }
}
