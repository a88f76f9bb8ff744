//! Which alarms to raise so that at most a given share of them is false.
//!
//! Two ways. By p-values after Benjamini and Hochberg (1995): holds for any share of true exceptions as long as the
//! p-values are right. By probabilities (Newton et al. 2004): raises as many as the promise allows, and is as right as
//! the probabilities are.

/// Indices of the alarms to raise, rising, so that the expected share of false ones is at most `share`. `p` are p-values
/// of all that was looked at, not only of the small ones.
pub fn by_p_values(p: &[f64], share: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p.len()).filter(|at| !p[*at].is_nan()).collect();
    order.sort_by(|a, b| p[*a].total_cmp(&p[*b]));
    let all = p.len() as f64;
    // Benjamini and Hochberg: the last rank within its share counts, also where one before it is not.
    let raised =
        (0..order.len()).rev().find(|rank| p[order[*rank]] <= share * (rank + 1) as f64 / all).map_or(0, |rank| rank + 1);
    order.truncate(raised);
    order.sort_unstable();
    order
}

/// Indices of the alarms to raise, rising: the likeliest ones, as many as keep the mean of 1 - probability at `share` at most.
pub fn by_probability(probabilities: &[f64], share: f64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..probabilities.len()).filter(|at| !probabilities[*at].is_nan()).collect();
    order.sort_by(|a, b| probabilities[*b].total_cmp(&probabilities[*a]).then(a.cmp(b)));
    let mut wrong = 0.0;
    let mut raised = 0;
    for (rank, at) in order.iter().enumerate() {
        wrong += 1.0 - probabilities[*at];
        // The mean may be above the share for a while and below it again: the longest list within it counts.
        if wrong <= share * (rank + 1) as f64 {
            raised = rank + 1;
        }
    }
    order.truncate(raised);
    order.sort_unstable();
    order
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_worked_example_of_benjamini_and_hochberg() {
        // Table 1 of the paper: at 0.05, the first four of fifteen.
        let p = [
            0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590,
            1.0,
        ];
        assert_eq!(by_p_values(&p, 0.05), [0, 1, 2, 3]);
        assert_eq!(by_p_values(&[0.9, f64::NAN], 0.05), [0_usize; 0]);
    }

    #[test]
    fn the_likeliest_are_raised_up_to_the_share() {
        assert_eq!(by_probability(&[0.2, 1.0, 0.8, 0.9], 0.1), [1, 2, 3]);
        assert_eq!(by_probability(&[0.5, f64::NAN], 0.1), [0_usize; 0]);
    }

    proptest! {
        #[test]
        fn what_is_raised_is_likelier_than_what_is_not_and_keeps_the_promise(
            p in prop::collection::vec(0.0_f64..1.0, 0..60), share in 0.0_f64..0.5,
        ) {
            let raised = by_probability(&p, share);
            let least = raised.iter().map(|at| p[*at]).fold(1.0, f64::min);
            prop_assert!((0..p.len()).filter(|at| !raised.contains(at)).all(|at| p[at] <= least));
            let wrong: f64 = raised.iter().map(|at| 1.0 - p[*at]).sum();
            prop_assert!(wrong <= share * raised.len() as f64 + 1e-9);
        }
    }
}
