//! Whether what comes in, or what comes out, is still what it was.
//!
//! The population stability index over the tenths of the reference: Σ (now - then) · ln(now ÷ then). By common use under
//! 0.1 is stable, 0.1 to 0.25 worth a look, above 0.25 another population (Siddiqi 2006). It says that something moved,
//! not whether the detector suffers.

/// A reference to compare with: its tenths.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    bounds: Vec<f32>,
    shares: Vec<f64>,
}

/// How far a distribution has moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Drift {
    /// As it was.
    Stable,
    /// Worth a look.
    Moved,
    /// Another population: what was learned may not hold.
    Changed,
}

impl Reference {
    /// Of these values; what is no number is left out.
    pub fn of(values: &[f32]) -> Self {
        let mut sorted: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_unstable_by(f32::total_cmp);
        let mut bounds: Vec<f32> = (1..10).filter_map(|tenth| sorted.get(sorted.len() * tenth / 10).copied()).collect();
        bounds.dedup();
        let shares = shares(&sorted, &bounds);
        Self { bounds, shares }
    }

    /// The population stability index of `values` against this reference; 0 where either is empty.
    pub fn index(&self, values: &[f32]) -> f64 {
        let now: Vec<f32> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        if now.is_empty() || self.shares.is_empty() {
            return 0.0;
        }
        let pairs = self.shares.iter().zip(shares(&now, &self.bounds));
        pairs.map(|(then, now)| (now - then) * (now / then).ln()).sum()
    }

    /// What the index means.
    pub fn drift(&self, values: &[f32]) -> Drift {
        match self.index(values) {
            index if index < 0.1 => Drift::Stable,
            index if index < 0.25 => Drift::Moved,
            _ => Drift::Changed,
        }
    }
}

/// Share of the values in each class, half a value added to each so that none is empty.
fn shares(values: &[f32], bounds: &[f32]) -> Vec<f64> {
    let mut counts = vec![0.5; bounds.len() + 1];
    for value in values {
        counts[bounds.partition_point(|bound| bound <= value)] += 1.0;
    }
    let all: f64 = counts.iter().sum();
    counts.into_iter().map(|count| count / all).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_stable_and_a_shift_by_half_is_another_population() {
        let then: Vec<f32> = (0..1000).map(|at| at as f32).collect();
        let reference = Reference::of(&then);
        assert_eq!(reference.drift(&then), Drift::Stable);
        let later: Vec<f32> = then.iter().map(|value| value + 500.0).collect();
        assert_eq!(reference.drift(&later), Drift::Changed);
        let slightly: Vec<f32> = then.iter().map(|value| value * 0.91).collect();
        assert_eq!(reference.drift(&slightly), Drift::Moved);
        assert!(reference.index(&[]).abs() < 1e-12);
        assert!(Reference::of(&[f32::NAN]).index(&then).abs() < 1e-12);
    }
}
