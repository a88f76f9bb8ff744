//! Sums of gradients by bin, and the best cut they show.

use super::bins::{Binned, LANES, MISSING};
use super::params::Direction;

/// Gradient and second derivative of the loss, of a row or of a set of rows.
pub(super) type Slope = [f64; 2];

/// The sums of [`LANES`] features, by bin.
pub(super) type Sums = [[Slope; 256]; LANES];

/// No rows.
pub(super) fn empty() -> Box<Sums> {
    Box::new([[[0.0; 2]; 256]; LANES])
}

/// Adds up `slopes` by bin; row `rows[i]` has `slopes[i]`.
pub(super) fn add(sums: &mut Sums, block: &[[u8; LANES]], rows: &[u32], slopes: &[[f32; 2]]) {
    let [first, second, third, fourth] = sums;
    for (&row, &[g, h]) in rows.iter().zip(slopes) {
        let [a, b, c, d] = block[row as usize];
        let slope = [f64::from(g), f64::from(h)];
        for sum in [
            &mut first[usize::from(a)],
            &mut second[usize::from(b)],
            &mut third[usize::from(c)],
            &mut fourth[usize::from(d)],
        ] {
            sum[0] += slope[0];
            sum[1] += slope[1];
        }
    }
}

/// Takes `part` away from `whole`.
pub(super) fn subtract(whole: &mut Sums, part: &Sums) {
    for (whole, part) in whole.as_flattened_mut().iter_mut().zip(part.as_flattened()) {
        whole[0] -= part[0];
        whole[1] -= part[1];
    }
}

/// What a cut is judged by.
pub(super) struct Rules<'a> {
    pub(super) l2: f64,
    pub(super) hessian_min: f64,
    pub(super) gain_min: f64,
    pub(super) directions: &'a [Direction],
}

/// A leaf as the search for its best cut sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    pub(super) total: Slope,
    /// Values that the leaf may take, so that what lies beside it stays in order.
    pub(super) bounds: (f64, f64),
}

/// A cut: rows in bins up to `bin` go left, the others right, and the missing as `missing_left` says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Cut {
    pub(super) gain: f64,
    pub(super) feature: usize,
    pub(super) bin: u8,
    pub(super) missing_left: bool,
    pub(super) left: Slope,
    pub(super) right: Slope,
    /// Value of either side, not yet shrunk.
    pub(super) values: (f64, f64),
}

impl Rules<'_> {
    /// The value that lowers the loss most (Chen and Guestrin, eq. 5), kept in bounds.
    pub(super) fn value(&self, [g, h]: Slope, (low, high): (f64, f64)) -> f64 {
        let divisor = h + self.l2;
        if divisor > 0.0 { (-g / divisor).clamp(low, high) } else { 0.0_f64.clamp(low, high) }
    }

    /// How much a leaf of this value lowers the loss.
    fn saved(&self, [g, h]: Slope, value: f64) -> f64 {
        -(g * value + 0.5 * (h + self.l2) * value * value)
    }

    /// The best cut of a leaf on the features of one block, if any is worth it. The first of equals is taken.
    pub(super) fn best(&self, sums: &Sums, block: usize, data: &Binned, allowed: &[bool], place: &Place) -> Option<Cut> {
        let mut best: Option<Cut> = None;
        // What a difference of sums leaves where there are no rows is no weight.
        let least = self.hessian_min.max(1e-9 * place.total[1]);
        let before = self.saved(place.total, self.value(place.total, place.bounds));
        for (lane, sums) in sums.iter().enumerate() {
            let feature = block * LANES + lane;
            if feature >= data.features() || !allowed[feature] {
                continue;
            }
            let missing = sums[usize::from(MISSING)];
            let bins = data.edges[feature].len() + 1;
            let direction = self.directions.get(feature).copied().unwrap_or_default();
            // Where nothing is missing both ways are the same cut.
            let lacks = missing[1] > 1e-9 * place.total[1];
            let ways: &[bool] = if lacks { &[false, true] } else { &[false] };
            for &missing_left in ways {
                let mut left = if missing_left { missing } else { [0.0; 2] };
                // The missing against all others is a cut too; it needs the last bin on the left.
                let last = if lacks && !missing_left { bins } else { bins - 1 };
                for (bin, sum) in sums[..last].iter().enumerate() {
                    left = [left[0] + sum[0], left[1] + sum[1]];
                    if left[1] < least {
                        continue;
                    }
                    let right = [place.total[0] - left[0], place.total[1] - left[1]];
                    // Further bins leave even less on the right.
                    if right[1] < least {
                        break;
                    }
                    let values = (self.value(left, place.bounds), self.value(right, place.bounds));
                    let gain = self.saved(left, values.0) + self.saved(right, values.1) - before;
                    let in_order = match direction {
                        Direction::Free => true,
                        Direction::Rising => values.0 <= values.1,
                        Direction::Falling => values.0 >= values.1,
                    };
                    if in_order && gain > self.gain_min.max(best.map_or(1e-9, |best| best.gain)) {
                        // Rows of later data may lack what none lacked here: they go with the weightier side.
                        let missing_left = if lacks { missing_left } else { left[1] > right[1] };
                        best = Some(Cut { gain, feature, bin: bin as u8, missing_left, left, right, values });
                    }
                }
            }
        }
        best
    }
}
