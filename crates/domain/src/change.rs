//! Changes: what actions do to stock, receipts, demand and prices, as it is frozen with a case's figures (see
//! [`super::workings`]).

use serde::{Deserialize, Serialize};

use super::money::UnitPrice;
use super::workings::Surplus;

/// What an action does to stock and receipts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Units from another place.
    Moved {
        /// The place that runs short.
        place: String,
        /// The donor.
        from: String,
        /// Units.
        quantity: f64,
        /// The day on which they arrive; none in evidence that did not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        day: Option<u32>,
        /// The same if it is decided one, two, … days from now, as long as that is before relief.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        later: Vec<u32>,
    },
    /// Units of an open line sooner.
    Sooner {
        /// The place that runs short.
        place: String,
        /// The line.
        line: String,
        /// Units that come to the place.
        quantity: f64,
        /// What the supplier is asked for, where it is not the same: the kits whose components they are.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kits: Option<f64>,
        /// The day on which they come instead.
        day: u32,
        /// The same if it is decided one, two, … days from now, as long as that is before relief.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        later: Vec<u32>,
        /// The line's price.
        price: UnitPrice,
        /// How often a supplier has nothing to send before, where that is counted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<f64>,
    },
    /// More units on an open line, on the day on which it comes.
    Raised {
        /// The place that runs short.
        place: String,
        /// The line.
        line: String,
        /// Units more.
        quantity: f64,
        /// The day on which they come.
        day: u32,
        /// Its deviation.
        sd: f64,
        /// The same day for as many days as the line can still be raised.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        later: Vec<u32>,
        /// Unit cost.
        cost: UnitPrice,
        /// The line's price.
        price: UnitPrice,
        /// What a whole pack brings beyond the need.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beyond: Option<Surplus>,
    },
    /// A new order.
    Ordered {
        /// The place that runs short.
        place: String,
        /// Units.
        quantity: f64,
        /// The day on which they come.
        day: u32,
        /// Its deviation.
        sd: f64,
        /// Unit cost.
        cost: UnitPrice,
        /// What a unit costs more than where it was ordered first, where it is ordered elsewhere.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        dearer: Option<UnitPrice>,
        /// The supplier, in a plan: two orders to one share a document.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        supplier: Option<String>,
        /// What a least order or a whole pack brings beyond the need: ordering it is what makes it lie there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        beyond: Option<Surplus>,
    },
    /// Less demand on some days, because a promotion ends.
    Quieter {
        /// The first of these days.
        from: u32,
        /// The last.
        to: u32,
        /// Share of the demand that remains on them.
        share: f64,
        /// Units that would have sold otherwise, if there had been enough of them.
        missed: f64,
        /// What is lost with one of them.
        margin: f64,
        /// Units for which there is enough, so that ending it misses them for certain, each with what is lost with one: here, and
        /// where it runs for other companies.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        enough: Vec<(f64, f64)>,
    },
    /// A promotion that ends sooner because it sells nothing more.
    Ended {
        /// Units of a day without it.
        usual: f64,
        /// How many times the usual was planned.
        planned: f64,
        /// What a unit brings at the full price.
        margin: f64,
        /// What a unit brings less.
        off: f64,
        /// Days by which it ends sooner.
        days: f64,
        /// What other companies' places sell in these days with it, each with what a unit brings there at the full price.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        elsewhere: Vec<(f64, f64)>,
    },
    /// A lower price for stock beyond the need.
    Reduced {
        /// The stock beyond the need.
        surplus: Surplus,
        /// Units of it that sell because of the price.
        more: f64,
        /// All units that sell at it.
        sold: f64,
        /// What each of them brings less.
        off: f64,
        /// Units that sell in these days if demand has not fallen.
        before: f64,
        /// Units that sell in these days at the item's other places: a price holds at all of them.
        #[serde(default, skip_serializing_if = "is_none_sold")]
        elsewhere: f64,
    },
    /// Goods out of sale until they are inspected.
    Held {
        /// Units.
        quantity: f64,
        /// Days.
        days: f64,
        /// Demand of a day.
        daily: f64,
        /// Units that stay in sale.
        free: f64,
        /// What is lost with one unit.
        margin: f64,
    },
    /// Goods back to the supplier: units, and what one of them is worth.
    SentBack {
        /// Units.
        quantity: f64,
        /// The price at which they were bought, else their cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<UnitPrice>,
    },
    /// What several steps of a plan do together.
    Together(Vec<Self>),
    /// Units of an open line not at all, or later.
    Less {
        /// The stock beyond the need.
        surplus: Surplus,
        /// Units.
        quantity: f64,
        /// Days by which they come later; none where they do not come.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        later: Option<u32>,
        /// The line's price, else the unit cost.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        price: Option<UnitPrice>,
        /// Demand of a day before it fell.
        before: f64,
        /// Days between two orders.
        review: f64,
        /// What is lost with one unit.
        margin: f64,
    },
    /// A customer's order taken back: units and margin of its lines.
    TakenBack(Vec<(f64, f64)>),
    /// A reorder point or a lead time corrected: the units that are held more, each with its unit cost and the days of a cycle.
    Adjusted(Vec<(f64, UnitPrice, f64)>),
    /// A question or a count whose answer may end a shortage: of what is lost after the answer, a share remains.
    Asked {
        /// The day of the answer.
        day: u32,
        /// The share.
        left: f64,
    },
}

/// Evidence of items that are sold at one place hashes as it did.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_none_sold(units: &f64) -> bool {
    *units == 0.0
}

impl Change {
    /// The day on which it takes effect on a shortage, if it is decided `wait` days from now. None where it then comes too
    /// late, or where it is none that comes on a day.
    pub fn day_after(&self, wait: u32) -> Option<u32> {
        let listed = |day: Option<u32>, later: &[u32]| match wait.checked_sub(1) {
            None => day,
            Some(at) => later.get(at as usize).copied(),
        };
        match self {
            Self::Moved { day, later, .. } => listed(*day, later),
            Self::Sooner { day, later, .. } | Self::Raised { day, later, .. } => listed(Some(*day), later),
            Self::Ordered { day, .. } | Self::Asked { day, .. } => Some(day + wait),
            Self::Quieter { from, to, .. } => Some(from + wait).filter(|from| from <= to),
            // As soon as the first of them.
            Self::Together(steps) => steps.iter().filter_map(|step| step.day_after(wait)).min(),
            Self::Ended { .. }
            | Self::Reduced { .. }
            | Self::Held { .. }
            | Self::SentBack { .. }
            | Self::Less { .. }
            | Self::TakenBack(_)
            | Self::Adjusted(_) => None,
        }
    }

    /// Does it work on shortages, so that what it is worth depends on when it is decided?
    pub fn is_timed(&self) -> bool {
        match self {
            Self::Moved { .. }
            | Self::Sooner { .. }
            | Self::Raised { .. }
            | Self::Ordered { .. }
            | Self::Asked { .. }
            | Self::Quieter { .. } => true,
            Self::Together(steps) => steps.iter().any(Self::is_timed),
            Self::Ended { .. }
            | Self::Reduced { .. }
            | Self::Held { .. }
            | Self::SentBack { .. }
            | Self::Less { .. }
            | Self::TakenBack(_)
            | Self::Adjusted(_) => false,
        }
    }
}
