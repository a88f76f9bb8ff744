//! What is injected, and the truth of it: each kind stands where a detector that looks on the last day can see it.

use jiff::civil::Date;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::promotions::Promotion;
use super::statistics::{Class, Nature};
use super::supply::Supply;
use super::{Draws, Retailer};
use crate::draw::{chance, pick};

/// Days in a row on which nothing is sold of what lies unsold.
const UNSOLD_DAYS: i32 = 6;

/// What was injected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A day of six times the usual, in many orders.
    DemandSpike,
    /// Nothing sold for days, with stock in the books.
    Unsold,
    /// A store's stock was taken back to the distribution centre, which has plenty.
    LowStock,
    /// Less came than was ordered, and nothing more is to come.
    ShortReceipt,
    /// The bill asks more than was ordered at.
    PriceVariance,
    /// An order that has not come, days after its promise.
    LateOrder,
    /// A bill entered twice.
    DuplicateBill,
    /// A promotion that sells far more than planned.
    PromotionOver,
    /// A promotion that sells nothing more than without it.
    PromotionUnder,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 9] = [
        Self::DemandSpike,
        Self::Unsold,
        Self::LowStock,
        Self::ShortReceipt,
        Self::PriceVariance,
        Self::LateOrder,
        Self::DuplicateBill,
        Self::PromotionOver,
        Self::PromotionUnder,
    ];

    /// The types of exception (handbook §4) any of which is to have found it.
    pub fn codes(self) -> &'static [&'static str] {
        match self {
            Self::DemandSpike => &["D-SPIKE"],
            Self::Unsold => &["I-PHANTOM", "D-COLLAPSE"],
            Self::LowStock => &["I-LOW", "I-OUT"],
            Self::ShortReceipt => &["R-SHORT"],
            Self::PriceVariance => &["F-PRICE"],
            Self::LateOrder => &["S-OVERDUE"],
            Self::DuplicateBill => &["F-DUPBILL"],
            Self::PromotionOver => &["D-PROMO-OVER"],
            Self::PromotionUnder => &["D-PROMO-UNDER"],
        }
    }
}

/// One thing that was injected, with what it is about. What holds for a whole order or promotion stands once for each item.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    /// What.
    pub kind: Kind,
    /// Any of these types has found it.
    pub codes: Vec<String>,
    /// The item's id.
    pub item: String,
    /// The location's id; None where it is at all of them.
    pub location: Option<String>,
    /// The order's id.
    pub order: Option<String>,
    /// The purchase line's id.
    pub po_line: Option<String>,
    /// The bill's id; of a bill that was entered twice the second one's.
    pub bill: Option<String>,
    /// The promotion's id.
    pub promotion: Option<String>,
    /// The first day on which it shows.
    pub from: Date,
    /// The last one.
    pub to: Date,
}

/// What is injected into a series.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IntoSeries {
    Spike { day: i32 },
    Unsold { from: i32 },
    Low { day: i32 },
    Short,
    Price,
}

/// A series before its life begins.
#[derive(Clone, Debug)]
pub(super) struct SeriesPlan {
    pub(super) location: u32,
    pub(super) mean: f64,
    pub(super) injected: Option<IntoSeries>,
}

/// An item before its life begins.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) item: u32,
    pub(super) nature: Nature,
    pub(super) supply: Supply,
    pub(super) promotion: Option<Promotion>,
    /// The distribution centre first.
    pub(super) series: Vec<SeriesPlan>,
}

impl Plan {
    /// How many times the usual is sold on a day.
    pub(super) fn lift(&self, day: i32) -> f64 {
        self.promotion.as_ref().filter(|p| p.runs(day)).map_or(1.0, |p| p.lift)
    }
}

pub(super) fn plan(retailer: &Retailer, item: u32) -> Plan {
    let mut rng = retailer.draws(Draws::Item, u64::from(item));
    let nature = Nature::draw(&mut rng);
    let promotion = Promotion::draw(retailer, &mut rng, nature.class);
    // What sells more because it is cheaper is no spike.
    let may_spike = promotion.as_ref().is_none_or(|p| p.to < retailer.last() - 7);
    let mut series = Vec::new();
    for location in 1..=retailer.shape.locations {
        let mut rng = retailer.draws(Draws::Injection, Retailer::series_number(item, location));
        // The distribution centre carries what it buys for the others.
        if !chance(&mut rng, retailer.shape.listed) && location > 1 {
            continue;
        }
        let mean = nature.mean_at(&mut rng);
        let injected = into_series(retailer, &mut rng, &nature, mean, location == 1, may_spike);
        series.push(SeriesPlan { location, mean, injected });
    }
    Plan { item, supply: Supply::of(retailer, item), nature, promotion, series }
}

fn into_series(
    retailer: &Retailer,
    rng: &mut ChaCha8Rng,
    nature: &Nature,
    mean: f64,
    buys: bool,
    may_spike: bool,
) -> Option<IntoSeries> {
    if !chance(rng, retailer.shape.injected) {
        return None;
    }
    let last = retailer.last();
    // What is news of the last two days is looked at.
    let spike = IntoSeries::Spike { day: last - i32::from(chance(rng, 0.5)) };
    let unsold = IntoSeries::Unsold { from: last + 1 - UNSOLD_DAYS };
    let low = IntoSeries::Low { day: last - 1 };
    // A fault has to stand out: of what hardly sells, days without a sale are nothing odd.
    let kind = if buys {
        pick(rng, &[IntoSeries::Short, IntoSeries::Price, spike])
    } else if nature.class == Class::Fast && mean >= 3.0 {
        pick(rng, &[spike, unsold, low])
    } else if mean >= 1.0 {
        pick(rng, &[spike, low])
    } else {
        spike
    };
    (may_spike || kind != spike).then_some(kind)
}
