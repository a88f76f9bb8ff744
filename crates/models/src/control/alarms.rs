//! One alarm for one event: of scores on days in a row the highest speaks, and its neighbours are silent.

/// A score that speaks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alarm {
    /// Index of the series.
    pub series: usize,
    /// Index of the day.
    pub day: usize,
    /// Its score.
    pub score: f32,
}

/// The alarms of `scores` (series × days, series after series), highest first: each silences its own series for `quiet`
/// days on either side. Scores that are no number or minus infinity are none. Of equal scores the earlier day, then the
/// lower series speaks.
pub fn raise(scores: &[f32], days: usize, quiet: usize) -> Vec<Alarm> {
    let mut order: Vec<usize> = (0..scores.len()).filter(|at| scores[*at] > f32::NEG_INFINITY).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then((a % days).cmp(&(b % days))).then(a.cmp(b)));
    let mut silent = vec![false; scores.len()];
    let mut alarms = Vec::new();
    for at in order {
        if silent[at] {
            continue;
        }
        let (series, day) = (at / days, at % days);
        // An exception lasts for days: its highest score speaks for all of them.
        let (from, to) = (day.saturating_sub(quiet), (day + quiet).min(days - 1));
        silent[series * days + from..=series * days + to].fill(true);
        alarms.push(Alarm { series, day, score: scores[at] });
    }
    alarms
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_of_neighbours_speaks_and_others_are_silent() {
        let scores = [0.1, 0.9, 0.8, 0.1, 0.7, f32::NAN, f32::NEG_INFINITY, 0.2, 0.2, 0.2];
        let found: Vec<(usize, usize)> = raise(&scores, 5, 2).iter().map(|a| (a.series, a.day)).collect();
        assert_eq!(found, [(0, 1), (0, 4), (1, 2)]);
        assert!(raise(&[], 5, 2).is_empty());
    }
}
