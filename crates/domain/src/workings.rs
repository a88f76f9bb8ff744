//! Workings: what the figures of a case were computed from, frozen beside its facts so that an auditor can compute them again.
//!
//! Inputs only, never results, and no dates: on the days on which the facts stand the workings stand too. Nobody is shown
//! them, no prompt holds them and no word can cite them. Numbers are kept exactly as they were used: JSON gives the very same
//! number back. Items at locations are written `75@3`, parts of a loss by their key (`lost:75@3`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

pub use super::change::Change;
pub use super::forecast::Forecast;
use super::habit::Habit;
use super::ids::FactId;
use super::money::{Money, UnitPrice};

/// Everything that is needed to compute a case's figures again, beside its facts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Workings {
    /// The settings of the day.
    pub settings: Settings,
    /// Demand to come, by place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forecasts: BTreeMap<String, Forecast>,
    /// Places that may run short, by place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shortages: BTreeMap<String, Stake>,
    /// Places that could give stock away, by place.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub donors: BTreeMap<String, Donor>,
    /// How each part of the loss is made, by its key.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub parts: BTreeMap<String, Part>,
    /// What each action would change, by the candidate's id: also of those that nobody was shown.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, Effect>,
    /// What is odd of purchase lines beside their suppliers' habits, by line and kind: `272/short`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub habits: BTreeMap<String, Habit>,
    /// What the probability of the case was made of, where habits are among it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub odds: Vec<Odds>,
    /// A hash of the figures that came out. While it and the facts stand, the evidence stands, although a forecast may have
    /// moved by less than any figure shows.
    pub figures: String,
}

/// What one exception of a case says of the probability that it is real.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Odds {
    /// Its type's code.
    pub code: String,
    /// The score of its signal.
    pub said: f64,
    /// Has a rule found it? Else only the detector of habits has.
    pub ruled: bool,
    /// Probability of the type by what people decided, or its prior.
    pub learnt: f64,
    /// The type's prior.
    pub prior: f64,
    /// The detector's probability, as its fact shows it; none where no habit is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub habit: Option<f64>,
    /// Which of [`Workings::habits`] says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// What all else leaves of it.
    pub left: f64,
}

/// Settings that figures rest on (`config/default.toml` says what they mean).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    /// λ of the ranking.
    pub lambda: f64,
    /// Days to the next digest.
    pub digest_days: f64,
    /// Days that an approval usually takes.
    pub approval_days: f64,
    /// Share of cycles without a shortage that safety stock is made for.
    pub service_level: f64,
    /// Days that are looked ahead at most.
    pub horizon_days: u32,
    /// Share of lost sales that is bought later or replaced.
    pub recapture: f64,
    /// Yearly holding rate.
    pub holding_rate: f64,
    /// Of a transfer, whatever its size.
    pub transfer_fixed: Money,
    /// Of a transfer, for each unit.
    pub transfer_per_unit: Money,
    /// Days that a transfer is on its way.
    pub transfer_days: u32,
    /// Of a faster delivery, whatever its size.
    pub expedite_fixed: Money,
    /// Of a faster delivery, as a share of its value.
    pub expedite_rate: f64,
    /// Of an order.
    pub order_fixed: Money,
    /// Of changing or cancelling an order.
    pub change_fixed: Money,
    /// Of a count.
    pub recount: Money,
    /// Of a question.
    pub contact: Money,
    /// Of a dispute or a reversal.
    pub paperwork: Money,
    /// Of a second delivery of one order line.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub split_fixed: Money,
    /// Of sending goods back, whatever their number.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub return_fixed: Money,
    /// Of sending goods back, for each unit.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub return_per_unit: Money,
    /// Of taking goods out of sale and inspecting them.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub hold: Money,
    /// Of changing a promotion.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub promotion_change: Money,
}

/// Settings that evidence of before does not know are left out of it, so that it hashes as it did.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_nothing(amount: &Money) -> bool {
    *amount == Money::ZERO
}

/// A receipt to come.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The purchase line.
    pub line: String,
    /// Days from the day of the evidence.
    pub day: u32,
    /// Units.
    pub quantity: f64,
    /// Deviation of the day.
    pub sd: f64,
}

/// What a shortage at a place would cost (handbook §3.4).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stake {
    /// What is lost with one unit.
    pub margin: f64,
    /// The shortage can not be more than this many units.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cap: Option<f64>,
    /// The day on which an order placed now would arrive.
    pub until: u32,
    /// Deviation of that day.
    pub until_sd: f64,
    /// The day until which not ordering is counted, where an order is due.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unordered: Option<u32>,
    /// Available units; those that customers wait for are not in it.
    pub supply: f64,
    /// Units that customers have ordered and that are not there: what comes is theirs first.
    #[serde(default)]
    pub waiting: f64,
    /// Share of waiting customers who cancel; none in evidence that did not tell them apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cancelled: Option<f64>,
    /// Receipts to come, by day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
}

/// A place that could give stock away (handbook §3.4, transferable).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Donor {
    /// Available units.
    pub available: f64,
    /// Units that other cases were promised.
    pub promised: f64,
    /// Days until its own next receipt.
    pub days: u32,
    /// Own demand of a day.
    pub daily: f64,
    /// Its deviation.
    pub sigma: f64,
    /// Receipts to come, by day.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub receipts: Vec<Receipt>,
}

/// One part of what is at stake.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The fact that says what is expected to be lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fact: Option<FactId>,
    /// How it is made.
    pub made: Made,
}

/// How a part of the loss is made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Made {
    /// It is certain: what its fact says.
    Certain,
    /// It is certain, and no fact of its own says it.
    Amount(Money),
    /// The shortage at a place until an order could arrive.
    Lost {
        /// The place.
        place: String,
    },
    /// What is lost of those who have ordered and wait.
    Waiting {
        /// The place.
        place: String,
    },
    /// What waiting for the next usual order adds.
    Unordered {
        /// The place.
        place: String,
    },
    /// What a line's coming later would add, times the probability of it.
    Slip {
        /// The place.
        place: String,
        /// The shortage as it is.
        stake: Box<Stake>,
        /// The line that slips.
        line: String,
        /// Days by which it slips.
        days: u32,
        /// Probability.
        share: f64,
    },
    /// Stock that nobody can buy.
    Ghost {
        /// Usual demand of a day.
        daily: f64,
        /// Days until it is found.
        days: f64,
        /// Probability that it is a ghost.
        share: f64,
        /// What is lost with one unit.
        margin: f64,
    },
    /// Losses that repeat.
    Repeated {
        /// Written off so far.
        value: Money,
        /// In this many days.
        days: f64,
    },
    /// One cycle's shortage because stock is reordered for another lead time than the real one.
    Cycle {
        /// Demand of a day.
        daily: f64,
        /// Its deviation.
        sigma: f64,
        /// Days on the price list.
        listed: f64,
        /// Days it really takes.
        lead: f64,
        /// Their deviation.
        lead_sd: f64,
        /// The ERP's reorder minimum, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum: Option<f64>,
        /// What is lost with one unit.
        margin: f64,
    },
    /// One cycle's shortage because stock is reordered for another demand than it is now.
    Level {
        /// Demand of a day before it rose.
        before: f64,
        /// Demand of a day now.
        after: f64,
        /// Its deviation.
        sigma: f64,
        /// Days that an order takes.
        lead: f64,
        /// Their deviation.
        lead_sd: f64,
        /// The ERP's reorder minimum, where it has one.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        minimum: Option<f64>,
        /// What is lost with one unit.
        margin: f64,
    },
    /// A promotion's reduction on what sells anyway, less what it sells beyond.
    GivenAway {
        /// Units of a day without it.
        usual: f64,
        /// How many times the usual it sells.
        uplift: f64,
        /// What a unit brings at the full price.
        margin: f64,
        /// What a unit brings less.
        off: f64,
        /// Days that it still runs.
        days: f64,
    },
    /// In evidence of before: safety stock for another lead time than the real one, held for a year.
    LeadTime {
        /// Demand of a day.
        daily: f64,
        /// Its deviation.
        sigma: f64,
        /// Days on the price list.
        listed: f64,
        /// Days it really takes.
        lead: f64,
        /// Their deviation.
        lead_sd: f64,
        /// Unit cost.
        cost: UnitPrice,
        /// What is lost with one unit.
        margin: f64,
    },
    /// In evidence of before: bridging an overdue order.
    Overdue {
        /// Value still to come.
        value: Money,
        /// Days late.
        days: f64,
    },
    /// One cycle's shortage because the reorder rule does not fit the demand.
    Rule {
        /// Demand of a day.
        daily: f64,
        /// Its deviation.
        sigma: f64,
        /// Days that an order takes.
        lead: f64,
        /// Their deviation.
        lead_sd: f64,
        /// The minimum in force, in units.
        in_force: f64,
        /// What is lost with one unit.
        margin: f64,
    },
    /// What of a lot will be left when it expires.
    Stale {
        /// Units of it and of what expires before.
        supply: f64,
        /// Demand until then.
        mu: f64,
        /// Its deviation.
        sigma: f64,
        /// Units left of what expires before.
        before: f64,
        /// Units of the lot.
        most: f64,
        /// Unit cost.
        cost: UnitPrice,
    },
    /// Stock beyond the need.
    Excess(Surplus),
    /// Sold by a channel and not there.
    Oversold {
        /// Demand while the quantity is wrong.
        mu: f64,
        /// Its deviation.
        sigma: f64,
        /// Units that are there.
        available: f64,
        /// Units that can be sold twice at most.
        most: f64,
        /// What is lost with one unit, telling the customer left out.
        margin: f64,
    },
    /// There and not offered by a channel.
    Unsold {
        /// Demand through the channel while the quantity is wrong.
        mu: f64,
        /// Its deviation.
        sigma: f64,
        /// Units that are offered.
        offered: f64,
        /// Units that are there.
        available: f64,
        /// What is lost with one unit.
        margin: f64,
    },
}

/// Stock beyond the need, and what holding it costs (handbook §3.4, excess cost).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Surplus {
    /// Units that can be avoided.
    pub units: f64,
    /// Demand of a day.
    pub daily: f64,
    /// Its deviation.
    pub sigma: f64,
    /// Unit cost.
    pub cost: UnitPrice,
    /// Units that sell before the excess does.
    pub target: f64,
}

/// What an action changes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// The action's code.
    pub code: String,
    /// Shares that remain of parts of the loss, by key; parts that are named nowhere stay as they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub shares: BTreeMap<String, f64>,
    /// Parts that are computed anew with the change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changed: Vec<String>,
    /// The change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
    /// Is it too late for it at the next digest? Of actions whose effect does not depend on when they arrive.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ends: bool,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_frozen_comes_back_to_the_last_bit(
            days in prop::collection::vec((0.0..1e7_f64, 0.0..1e4_f64), 0..60), margin in any::<f64>(), sd in 0.0..40.0_f64,
        ) {
            let margin = if margin.is_finite() { margin } else { 1.0 / 3.0 };
            let stake = Stake {
                margin, cap: Some(sd), until: 7, until_sd: sd, unordered: None, supply: -margin, waiting: 1.0, cancelled: None,
                receipts: vec![Receipt { line: "183".into(), day: 3, quantity: margin, sd }],
            };
            let workings = Workings {
                forecasts: BTreeMap::from([("75@3".to_owned(), Forecast::of(days.iter().copied()))]),
                shortages: BTreeMap::from([("75@3".to_owned(), stake)]),
                ..Workings::default()
            };
            let text = serde_json::to_string(&workings).unwrap();
            let back: Workings = serde_json::from_str(&text).unwrap();
            prop_assert_eq!(&back, &workings);
            prop_assert_eq!(serde_json::to_string(&back).unwrap(), text);
            prop_assert_eq!(back.forecasts["75@3"].days().collect::<Vec<_>>(), days);
        }
    }

    #[test]
    fn alike_days_are_kept_once_and_what_is_no_number_is_nothing() {
        let forecast = Forecast::of([(2.0, 1.0), (3.0, 1.0), (2.0, 1.0), (f64::NAN, f64::INFINITY)]);
        assert_eq!((forecast.days.len(), forecast.course.as_slice()), (3, [0, 1, 0, 2].as_slice()));
        assert_eq!(forecast.days().nth(3), Some((0.0, 0.0)));
    }
}
