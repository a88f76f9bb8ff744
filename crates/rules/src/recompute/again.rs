//! The figures of a case, again: from the frozen workings, by formulas and not by the code that drafted them (handbook §3, §6).
//!
//! What is not in the workings is `None`, never a guess.

use std::collections::BTreeSet;

use super::facts::Frozen;
use super::money::exact_net;
use super::projected::{
    Losses, NINE_IN_TEN, Stock, answered, beyond, beyond_supply, both, days_to_decide, each, losses, range,
};
use crate::place_key;
use reeve_domain::action::Range;
use reeve_domain::evidence::FactValue;
use reeve_domain::money::Money;
use reeve_domain::workings::{Change, Effect, Forecast, Made, Part, Stake, Surplus, Workings};
use reeve_models::formulas;

/// Days over which losses found in counts are looked ahead.
const AHEAD_DAYS: f64 = 28.0;
/// Share of its worth that an action must keep while its decision waits.
const KEPT: f64 = 0.9;
/// By how much the share of recaptured sales may be off either way.
const DOUBT: f64 = 0.1;

/// The workings, with the facts beside them.
#[derive(Clone, Copy)]
pub(super) struct Again<'b> {
    pub(super) workings: &'b Workings,
    pub(super) facts: Frozen<'b>,
}

impl<'b> Again<'b> {
    /// One part of what is at stake.
    pub(super) fn part(self, key: &str) -> Option<Range> {
        let part = self.workings.parts.get(key)?;
        let made = self.made(part)?;
        // Nothing is lost below nothing, and the ends lie around what is expected.
        let expected = made.expected.max(Money::ZERO);
        Some(Range { low: made.low.max(Money::ZERO).min(expected), expected, high: made.high.max(expected) })
    }

    fn made(self, part: &Part) -> Option<Range> {
        let settings = &self.workings.settings;
        let lost = |units: f64, margin: f64, recapture: f64| formulas::lost_margin(units, margin, recapture.clamp(0.0, 1.0));
        Some(match &part.made {
            Made::Certain => Range::certain(self.stated(part)?),
            Made::Amount(amount) => Range::certain(*amount),
            Made::Lost { place } => self.shortage(place)?.lost,
            Made::Unordered { place } => self.shortage(place)?.more,
            Made::Waiting { place } => self.shortage(place)?.waited,
            // Only by how much later goods make it worse: what is lost anyway is no cost of the delay.
            Made::Slip { place, stake, line, days, share } => {
                let forecast = self.workings.forecasts.get(place)?;
                let now = Stock::of(stake);
                let comes = stake.receipts.iter().find(|r| r.line == *line)?;
                let slipped = now.with_moved(line, comes.quantity, comes.day + days);
                let lost = |stock: &Stock| losses(stake, settings.recapture, forecast, stock).lost;
                each(beyond(lost(&slipped), lost(&now)), |m| scaled(m, *share))
            }
            // How long a ghost has sold nothing is known, what it would have sold is not: the ends are wide.
            Made::Ghost { daily, days, share, margin } => {
                let lost = |recapture: f64| share * lost(daily * days, *margin, recapture);
                let kept = settings.recapture;
                range(lost(kept + DOUBT) / 2.0, lost(kept), lost(kept - DOUBT) * 1.5)
            }
            Made::Repeated { value, days } => {
                let ahead = value.to_f64() * AHEAD_DAYS / days;
                range(ahead * 0.5, ahead, ahead * 1.5)
            }
            // Reordered too late by the wrong lead time: short by what the corrected point would have covered.
            Made::Cycle { daily, sigma, listed, lead, lead_sd, minimum, margin } => {
                let z = formulas::normal_quantile(settings.service_level);
                let point = |days: f64| {
                    let (mu, sd) = formulas::lead_time_demand(*daily, *sigma, days, *lead_sd);
                    formulas::reorder_point(mu, formulas::safety_stock(z, sd))
                };
                let in_force = minimum.unwrap_or(point(*listed));
                let corrected = in_force + (point(*lead) - point(*listed)).max(0.0);
                let (mu, sd) = formulas::lead_time_demand(*daily, *sigma, *lead, *lead_sd);
                let short = formulas::late_reorder_shortage(mu, sd, in_force, corrected);
                let lost = formulas::lost_margin(short, *margin, settings.recapture);
                range(0.0, lost, 2.0 * lost)
            }
            // Reordered for the demand of before: short by what the demand of now would have asked for.
            Made::Level { before, after, sigma, lead, lead_sd, minimum, margin } => {
                let z = formulas::normal_quantile(settings.service_level);
                let demand = |daily: f64| formulas::lead_time_demand(daily, *sigma, *lead, *lead_sd);
                let point = |daily: f64| {
                    let (mu, sd) = demand(daily);
                    formulas::reorder_point(mu, formulas::safety_stock(z, sd))
                };
                let (mu, sd) = demand(*after);
                let in_force = minimum.unwrap_or(point(*before));
                let short = formulas::late_reorder_shortage(mu, sd, in_force, point(*after).max(in_force));
                let lost = formulas::lost_margin(short, *margin, settings.recapture);
                range(0.0, lost, 2.0 * lost)
            }
            Made::GivenAway { usual, uplift, margin, off, days } => {
                let lost = (usual * (margin - uplift * (margin - off))).max(0.0) * days;
                range(lost * 0.5, lost, lost * 1.5)
            }
            Made::Rule { daily, sigma, lead, lead_sd, in_force, margin } => {
                let z = formulas::normal_quantile(settings.service_level);
                let (mu, sd) = formulas::lead_time_demand(*daily, *sigma, *lead, *lead_sd);
                let needed = formulas::reorder_point(mu, formulas::safety_stock(z, sd));
                let short = formulas::late_reorder_shortage(mu, sd, *in_force, needed);
                let lost = formulas::lost_margin(short, *margin, settings.recapture);
                range(0.0, lost, 2.0 * lost)
            }
            // Of what there is by then, what nobody has bought, less what of it expired before.
            Made::Stale { supply, mu, sigma, before, most, cost } => {
                let left = |units: f64| (units.max(*before) - before).min(*most) * cost.to_f64();
                let at = |z: f64| left((supply - mu - z * sigma).max(0.0));
                let expected = (formulas::expected_surplus(*mu, *sigma, *supply).max(*before) - before) * cost.to_f64();
                range(at(NINE_IN_TEN), expected, at(-NINE_IN_TEN))
            }
            Made::LeadTime { daily, sigma, listed, lead, lead_sd, cost, margin } => {
                let z = formulas::normal_quantile(settings.service_level);
                let (mu_listed, sd_listed) = formulas::lead_time_demand(*daily, *sigma, *listed, 0.0);
                let (mu, sd) = formulas::lead_time_demand(*daily, *sigma, *lead, *lead_sd);
                let (kept, needed) = (formulas::safety_stock(z, sd_listed), formulas::safety_stock(z, sd));
                let held = formulas::holding_cost((needed - kept).abs(), cost.to_f64(), settings.holding_rate, 365.0);
                let short = |point: f64| formulas::expected_shortage(mu, sd, point);
                let more = short(formulas::reorder_point(mu_listed, kept)) - short(formulas::reorder_point(mu, needed));
                let lost = formulas::lost_margin(more.max(0.0), *margin, settings.recapture);
                range(held, held + lost, held + 2.0 * lost)
            }
            // Money in goods that have not come works for nobody.
            Made::Overdue { value, days } => {
                let held = formulas::holding_cost(value.to_f64(), 1.0, settings.holding_rate, *days);
                range(held / 2.0, held, held * 2.0)
            }
            Made::Excess(surplus) => self.excess(surplus, surplus.units),
            Made::Oversold { mu, sigma, available, most, margin } => {
                let each = margin + settings.contact.to_f64();
                let [low, expected, high] = beyond_supply(*mu, *sigma, *available).map(|units| units.min(*most) * each);
                range(low, expected, high)
            }
            Made::Unsold { mu, sigma, offered, available, margin } => {
                let (offered, there) = (beyond_supply(*mu, *sigma, *offered), beyond_supply(*mu, *sigma, *available));
                let lost = |i: usize| formulas::lost_margin((offered[i] - there[i]).max(0.0), *margin, settings.recapture);
                range(lost(0), lost(1), lost(2))
            }
        })
    }

    /// What the part's fact says.
    pub(super) fn stated(self, part: &Part) -> Option<Money> {
        match &self.facts.fact(part.fact.as_ref()?.as_str())?.value {
            FactValue::Money(amount) => Some((*amount).max(Money::ZERO)),
            _ => None,
        }
    }

    /// A place's shortage with its demand.
    pub(super) fn place(self, place: &str) -> Option<(&'b Stake, &'b Forecast)> {
        Some((self.workings.shortages.get(place)?, self.workings.forecasts.get(place)?))
    }

    /// What is lost at a place until an order could arrive, what waiting for the next one adds, and what those who wait cost.
    pub(super) fn shortage(self, place: &str) -> Option<Losses> {
        let (stake, forecast) = self.place(place)?;
        Some(losses(stake, self.workings.settings.recapture, forecast, &Stock::of(stake)))
    }

    /// Holding cost of an excess, with doubt about the demand (handbook §3.4).
    pub(super) fn excess(self, surplus: &Surplus, units: f64) -> Range {
        let (mu, cost) = (surplus.daily, surplus.cost.to_f64());
        let until = if mu > 0.0 { surplus.target / mu } else { 0.0 };
        let rate = self.workings.settings.holding_rate;
        let held = |mu: f64| formulas::excess_cost(units.max(0.0), mu, cost, rate, until);
        let doubt = NINE_IN_TEN * surplus.sigma / 28.0_f64.sqrt();
        range(held(mu + doubt), held(mu), held((mu - doubt).max(0.0)))
    }

    /// L₀ with its ends.
    pub(super) fn at_stake(self) -> Option<Range> {
        let mut sum = Range::default();
        for key in self.workings.parts.keys() {
            sum = both(sum, self.part(key)?, |a, b| a + b);
        }
        Some(sum)
    }

    /// Lₐ with its ends: each part as it is, its share, or computed with the change.
    pub(super) fn left(self, effect: &Effect) -> Option<Range> {
        self.left_after(effect, 0)
    }

    /// The same if it is decided `wait` days later.
    fn left_after(self, effect: &Effect, wait: u32) -> Option<Range> {
        let mut sum = Range::default();
        for key in self.workings.parts.keys() {
            let part = self.part(key)?;
            let left = match effect.shares.get(key) {
                Some(share) => each(part, |m| scaled(m, *share)),
                None if effect.changed.contains(key) => self.changed(key, effect.change.as_ref()?, wait)?,
                None => part,
            };
            sum = both(sum, left, |a, b| a + b);
        }
        Some(sum)
    }

    /// What a change that is decided `wait` days later leaves of a part.
    fn changed(self, key: &str, change: &Change, wait: u32) -> Option<Range> {
        match change {
            Change::Less { surplus, quantity, later: None, .. } => Some(self.excess(surplus, surplus.units - quantity)),
            Change::Less { surplus, quantity, later: Some(days), .. } => {
                let rate = self.workings.settings.holding_rate;
                let saved = formulas::holding_cost(*quantity, surplus.cost.to_f64(), rate, f64::from(*days));
                let saved = Money::from_f64(saved);
                Some(each(self.excess(surplus, surplus.units), |m| (m - saved).max(Money::ZERO)))
            }
            Change::Reduced { surplus, more, .. } => Some(self.excess(surplus, surplus.units - more)),
            _ if change.is_timed() => Some(self.timed(place_key::subject_of(key)?, change, wait)?.of(key)),
            _ => None,
        }
    }

    /// What a change that takes effect on a day leaves of a place's shortage: never more than there is without it, but for the
    /// donors' risk. None where the evidence does not say the day.
    fn timed(self, place: &str, change: &Change, wait: u32) -> Option<Losses> {
        let (stake, forecast) = self.place(place)?;
        let recapture = self.workings.settings.recapture;
        let now = losses(stake, recapture, forecast, &Stock::of(stake));
        // Without a day nothing can be projected; with one that lies too late, nothing is saved.
        change.day_after(0)?;
        let steps = super::projected::steps(change, place);
        if !steps.iter().any(|step| step.is_timed() && step.day_after(wait).is_some()) {
            return Some(now);
        }
        let stock = Stock::of(stake).after(&steps, wait);
        let quiet = super::projected::quieter(forecast, &steps, wait);
        let forecast = quiet.as_ref().unwrap_or(forecast);
        let mut left = losses(stake, recapture, forecast, &stock);
        for step in &steps {
            match (step, step.day_after(wait)) {
                (Change::Sooner { refused: Some(refused), .. }, _) => left = left.mixed(now, *refused),
                (Change::Asked { left: share, .. }, Some(day)) => {
                    left = answered(stake, recapture, forecast, (&stock, left), (day, *share));
                }
                _ => {}
            }
        }
        let left = left.at_most(now);
        let risks: Option<Vec<Money>> =
            steps.iter().filter(|step| matches!(step, Change::Moved { .. })).map(|step| self.risk(step)).collect();
        let risk: Money = risks?.into_iter().sum();
        Some(Losses { lost: each(left.lost, |m| m + risk), ..left })
    }

    /// What an action is worth if it is decided `wait` days later, in ten-thousandths of a minor unit. A change that the
    /// evidence does not time is worth nothing once it is said to be too late.
    pub(super) fn worth_after(self, p: f64, effect: &Effect, wait: u32) -> Option<i128> {
        if wait > 0 && effect.ends {
            return Some(0);
        }
        let costs = self.costs(effect)?;
        let (now, left) = (self.at_stake()?.expected, self.left_after(effect, wait)?.expected);
        Some(exact_net(p, (now, left), costs.cost, costs.regret))
    }

    /// Days for which the decision on an action against a shortage can wait: it keeps nine tenths of its worth, and comes before
    /// stock has run out. None for other actions.
    pub(super) fn keeps(self, p: f64, effect: &Effect) -> Option<u32> {
        let change = effect.change.as_ref().filter(|change| change.is_timed())?;
        let lead = change.day_after(0)?;
        let places: BTreeSet<&str> = effect.changed.iter().filter_map(|key| place_key::subject_of(key)).collect();
        let (mut days, mut horizon) = (u32::MAX, 1);
        for place in places {
            let (stake, forecast) = self.place(place)?;
            days = days.min(days_to_decide(stake, forecast, lead));
            horizon = horizon.max(stake.unordered.unwrap_or(stake.until));
        }
        // Rounded to minor units as cards are, so that a share of it is a share of what people saw.
        let worth = |wait| Some((self.worth_after(p, effect, wait)? as f64 / 10_000.0).round_ties_even() / 100.0);
        let values: Option<Vec<f64>> = (0..=horizon).map(worth).collect();
        Some(formulas::keeps_value(&values?, KEPT).min(days))
    }

    /// What giving units away adds to the donor's own loss.
    pub(super) fn risk(self, change: &Change) -> Option<Money> {
        let Change::Moved { place, from, quantity, .. } = change else { return None };
        let donor = self.workings.donors.get(from)?;
        let forecast = self.workings.forecasts.get(from)?;
        let own = Stock { supply: donor.available, waiting: 0.0, receipts: donor.receipts.clone() };
        let short = |stock: &Stock| stock.worst(forecast, donor.days, 0.0).units;
        let more = (short(&own.with(-quantity)) - short(&own)).max(0.0);
        let margin = self.workings.shortages.get(place)?.margin;
        Some(Money::from_f64(formulas::lost_margin(more, margin, self.workings.settings.recapture)))
    }

    /// Whole units that a donor can spare.
    pub(super) fn spare(self, donor: &str) -> Option<f64> {
        let donor = self.workings.donors.get(donor)?;
        let days = f64::from(donor.days);
        let z = formulas::normal_quantile(self.workings.settings.service_level);
        let safety = formulas::safety_stock(z, formulas::window_sigma(days, donor.sigma, donor.daily, 0.0));
        Some(formulas::transferable(donor.available - donor.promised, donor.daily, days, safety).floor())
    }
}

/// A share of an amount.
pub(super) fn scaled(amount: Money, share: f64) -> Money {
    Money::from_f64(amount.to_f64() * share)
}
