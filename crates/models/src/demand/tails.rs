//! Each kind of evidence against its own past: what share of the warm-up was as odd.
//!
//! Kept as counts in narrow classes, so that any number of days and series takes the same little memory and a day is
//! learned by adding to counts. Beyond the oddest thousandth the tail goes on as a straight line in the evidence, so that
//! what was never seen still has an order.

/// Classes of evidence; the last takes all that is above.
const CLASSES: usize = 4096;
/// Evidence up to this is told apart.
const MOST: f32 = 64.0;
/// -log10 of the share from which on the tail is a straight line.
const EDGE: f32 = 3.0;

/// The past of one kind of evidence.
#[derive(Clone, Debug)]
struct Tail {
    counts: Vec<u64>,
    /// -log10 of the share at or above each class, straight line included; made by [`Tails::settle`].
    surprise: Vec<f32>,
}

/// The pasts of several kinds of evidence.
#[derive(Clone, Debug)]
pub(super) struct Tails {
    tails: Vec<Tail>,
}

impl Tails {
    pub(super) fn new(kinds: usize) -> Self {
        Self { tails: vec![Tail { counts: vec![0; CLASSES], surprise: Vec::new() }; kinds] }
    }

    /// Takes in a day of one series.
    pub(super) fn learn(&mut self, evidence: &[f32]) {
        for (tail, value) in self.tails.iter_mut().zip(evidence) {
            tail.counts[class(*value)] += 1;
        }
    }

    /// Makes what was learned count from now on.
    pub(super) fn settle(&mut self) {
        for tail in &mut self.tails {
            tail.surprise = tail.settled();
        }
    }

    /// -log10 of the share of the past that was as odd, for the oddest kind, and which it is. Nothing before something is
    /// settled.
    pub(super) fn most(&self, evidence: &[f32]) -> (f32, usize) {
        let mut most = (0.0, 0);
        for (kind, (tail, value)) in self.tails.iter().zip(evidence).enumerate() {
            let surprise = tail.surprise.get(class(*value)).copied().unwrap_or(0.0);
            if surprise > most.0 {
                most = (surprise, kind);
            }
        }
        most
    }
}

fn class(value: f32) -> usize {
    // Finer where evidence is small and common; a value that is no number is no evidence.
    let share = (value.clamp(0.0, MOST) / MOST).sqrt();
    if share.is_nan() { 0 } else { ((share * CLASSES as f32) as usize).min(CLASSES - 1) }
}

fn value(class: usize) -> f32 {
    let share = class as f32 / CLASSES as f32;
    share * share * MOST
}

impl Tail {
    fn settled(&self) -> Vec<f32> {
        let all: u64 = self.counts.iter().sum();
        let mut surprise = vec![0.0; CLASSES];
        let mut above = 0;
        // Beyond what was seen once in a thousand times the tail is drawn on
        // as a straight line: of rarer days there are too few.
        let (mut hundredth, mut thousandth) = (None, None);
        for class in (0..CLASSES).rev() {
            above += self.counts[class];
            surprise[class] = -((above as f32 + 0.5) / (all as f32 + 1.0)).log10();
            thousandth = thousandth.or((above as f64 >= 0.001 * all as f64).then_some(class));
            hundredth = hundredth.or((above as f64 >= 0.01 * all as f64).then_some(class));
        }
        let (Some(hundredth), Some(thousandth)) = (hundredth, thousandth) else { return surprise };
        let slope = 1.0 / (value(thousandth) - value(hundredth)).max(1e-3);
        for (class, surprise) in surprise.iter_mut().enumerate() {
            let line = if class > thousandth { EDGE + (value(class) - value(thousandth)) * slope } else { 0.0 };
            *surprise = surprise.min(EDGE).max(line);
        }
        surprise
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_of_the_past_is_read_back_and_the_unseen_still_has_an_order() {
        let mut tails = Tails::new(2);
        assert!(tails.most(&[9.0, 9.0]).0 <= 0.0);
        for at in 0..10_000_u32 {
            // Evidence as a p-value would give it: a tenth of the days above 1, a hundredth above 2.
            let value = -((f64::from(at) + 0.5) / 10_000.0).log10();
            tails.learn(&[value as f32, 0.1]);
        }
        tails.settle();
        assert!((tails.most(&[1.0, 0.0]).0 - 1.0).abs() < 0.02);
        assert!((tails.most(&[2.5, 0.0]).0 - 2.5).abs() < 0.05);
        assert!(tails.most(&[9.0, 0.0]).0 > tails.most(&[6.0, 0.0]).0);
        assert_eq!(
            tails.most(&[0.3, 5.0]).1,
            1,
            "what was always near nothing is odder at 5 than 0.3 is among ten thousand"
        );
        let (unknown, none) = (tails.most(&[f32::NAN, f32::NAN]).0, tails.most(&[0.0, 0.0]).0);
        assert!(unknown.total_cmp(&none).is_eq());
    }
}
