//! Plain measures of a ranking.

/// The rows by falling score; what has no score comes last.
fn order(scores: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    let key = |at: usize| if scores[at].is_nan() { f64::NEG_INFINITY } else { scores[at] };
    order.sort_unstable_by(|&a, &b| key(b).total_cmp(&key(a)).then(a.cmp(&b)));
    order
}

/// For each distinct score from the top down: how many rows at or above it are positive, and how many are not.
fn steps(scores: &[f64], positive: &[bool]) -> Vec<(usize, usize)> {
    let order = order(scores);
    let (mut steps, mut hits, mut misses) = (Vec::new(), 0, 0);
    for (rank, &at) in order.iter().enumerate() {
        if positive[at] {
            hits += 1;
        } else {
            misses += 1;
        }
        let tied = order.get(rank + 1).is_some_and(|&next| scores[next].total_cmp(&scores[at]).is_eq());
        if !tied {
            steps.push((hits, misses));
        }
    }
    steps
}

/// Average precision: the mean of the precision over the positive rows, tied rows taken together. NaN when no row is
/// positive.
pub fn average_precision(scores: &[f64], positive: &[bool]) -> f64 {
    let steps = steps(scores, positive);
    let total = steps.last().map_or(0, |last| last.0) as f64;
    let mut before = 0;
    let mut sum = 0.0;
    for (hits, misses) in steps {
        sum += (hits - before) as f64 * hits as f64 / (hits + misses) as f64;
        before = hits;
    }
    if total > 0.0 { sum / total } else { f64::NAN }
}

/// Area under the ROC curve: the chance that a positive row scores above another, ties counting half. NaN when all rows
/// are of a kind.
pub fn area_under_roc(scores: &[f64], positive: &[bool]) -> f64 {
    let steps = steps(scores, positive);
    let Some(&(positives, negatives)) = steps.last() else { return f64::NAN };
    let (mut area, mut before) = (0.0, (0, 0));
    for (hits, misses) in steps {
        area += (misses - before.1) as f64 * (hits + before.0) as f64 / 2.0;
        before = (hits, misses);
    }
    area / (positives as f64 * negatives as f64)
}
