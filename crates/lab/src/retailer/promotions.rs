//! Promotions: what an item's price is cut by, when, and how much more it then sells.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::Retailer;
use super::statistics::Class;
use crate::draw::{chance, normal, pick};

/// Share of the items that have a promotion in the last quarter.
const SHARE: f64 = 0.06;
/// How far back it can lie.
const BACK_DAYS: i32 = 90;
/// How many times the usual each ten percent sell: what is expected where nothing else is known (handbook §4.1). Fresh, whose
/// reductions are mostly of 10 to 20 percent, sells 1.46 times the usual in the middle.
const PER_TEN: f64 = 1.6;

/// Percent and times the usual of an injected one that sells more than planned, and of one that sells less.
const OVER: (u8, f64) = (10, 6.0);
const UNDER: (u8, f64) = (30, 0.95);

/// One promotion.
#[derive(Clone, Debug)]
pub(super) struct Promotion {
    pub(super) from: i32,
    pub(super) to: i32,
    pub(super) percent: u8,
    /// How many times the usual is sold.
    pub(super) lift: f64,
    /// Was it injected as one that sells more (true) or less than planned?
    pub(super) injected: Option<bool>,
}

impl Promotion {
    /// An item's promotion, where it has one. An injected one ends with the last days. What rarely sells gets none: of a handful
    /// of sales nobody could say whether they are above the plan.
    pub(super) fn draw(retailer: &Retailer, rng: &mut ChaCha8Rng, class: Class) -> Option<Self> {
        let (is_injected, is_natural) = (chance(rng, retailer.shape.injected), chance(rng, SHARE));
        let length = rng.gen_range(8..=14);
        let back = rng.gen_range(0..BACK_DAYS);
        let noise = (0.1 * normal(rng)).exp();
        let (over, reduced) = (chance(rng, 0.5), pick(rng, &[10, 20, 30]));
        if is_injected {
            let to = retailer.last() - back % 3;
            let (percent, lift) = if over { OVER } else { UNDER };
            let promotion = Self { from: to - length + 1, to, percent, lift, injected: Some(over) };
            return (class != Class::Slow).then_some(promotion);
        }
        let to = retailer.last() - back + length / 2;
        let lift = PER_TEN.powf(f64::from(reduced) / 10.0) * noise;
        is_natural.then_some(Self { from: to - length + 1, to, percent: reduced, lift, injected: None })
    }

    pub(super) fn runs(&self, day: i32) -> bool {
        (self.from..=self.to).contains(&day)
    }
}
