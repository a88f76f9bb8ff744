//! What an action costs, again: C, G and what it is worth by its price, from what is frozen of what it changes.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use super::again::Again;
use crate::place_key;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::workings::{Change, Effect, Surplus};
use reeve_models::formulas;

/// What an action costs, what it costs in vain, and what it is worth for limits.
pub(super) struct Costs {
    pub(super) cost: Money,
    pub(super) regret: Money,
    /// How the two are made.
    pub(super) from: &'static str,
}

impl Again<'_> {
    /// C and G of an action.
    pub(super) fn costs(self, effect: &Effect) -> Option<Costs> {
        let set = &self.workings.settings;
        let costs = |cost: Money, regret: Money, from: &'static str| Some(Costs { cost, regret, from });
        let nothing = Money::ZERO;
        match (&effect.change, effect.code.as_str()) {
            (Some(Change::Moved { quantity, .. }), _) => {
                let of = |units: f64| set.transfer_fixed + Money::from_f64(set.transfer_per_unit.to_f64() * units);
                costs(of(*quantity), of(quantity / 2.0), "fixed and per unit; half of it moved back")
            }
            (Some(Change::Sooner { refused: Some(_), .. }), _) => {
                costs(set.split_fixed, nothing, "a second delivery (setting)")
            }
            (Some(Change::Sooner { quantity, kits, price, .. }), _) => {
                let value = units(kits.unwrap_or(*quantity))? * *price;
                let cost = set.expedite_fixed + Money::from_f64(value.to_f64() * set.expedite_rate);
                costs(cost, nothing, "fixed and a share of the value")
            }
            (Some(Change::Ordered { quantity, cost, dearer, beyond, .. }), _) => {
                let more = units(*quantity)? * dearer.unwrap_or(UnitPrice(Decimal::ZERO)) + self.held(beyond.as_ref());
                let from = "an order and what it brings beyond the need; holding it for half a year";
                costs(set.order_fixed + more, self.half_a_year(*quantity, *cost), from)
            }
            (Some(Change::Raised { quantity, cost, beyond, .. }), _) => {
                let from = "a change and what it brings beyond the need; holding it for half a year";
                costs(set.change_fixed + self.held(beyond.as_ref()), self.half_a_year(*quantity, *cost), from)
            }
            (Some(Change::Quieter { missed, margin, enough, .. }), _) => {
                let certain = Money::from_f64(enough.iter().map(|(units, margin)| units * margin).sum());
                let from = "a change, and what there is enough for; the margin of the rest that it would have sold";
                costs(set.promotion_change + certain, Money::from_f64(missed * margin), from)
            }
            (Some(Change::Ended { usual, planned, margin, off, days, elsewhere }), _) => {
                let missed = (usual * (planned * (margin - off) - margin)).max(0.0) * days;
                // Without a plan it is taken to sell what sells anyway.
                let times = if *planned > 0.0 { *planned } else { 1.0 };
                let won = |(sold, full): &(f64, f64)| (sold * (full - off) - sold / times * full).max(0.0);
                let certain = Money::from_f64(elsewhere.iter().map(won).sum());
                let from = "a change, and what it wins elsewhere; what was planned to be won by it";
                costs(set.promotion_change + certain, Money::from_f64(missed), from)
            }
            (Some(Change::Reduced { sold, off, before, elsewhere, .. }), _) => {
                let given = |units: f64| Money::from_f64((units + elsewhere) * off);
                let from = "the reduction on what sells at it, at every place; on what would have sold without it";
                costs(given(*sold), given(*before), from)
            }
            (Some(Change::Held { quantity, days, daily, free, margin }), _) => {
                let missed = (daily * days - free).clamp(0.0, *quantity);
                let missed = formulas::lost_margin(missed, *margin, set.recapture);
                costs(set.hold, Money::from_f64(missed), "taking them out of sale; margin missed meanwhile")
            }
            (Some(Change::SentBack { quantity, .. }), _) => {
                let freight = Money::from_f64(set.return_per_unit.to_f64() * quantity);
                costs(set.return_fixed + freight, set.order_fixed, "fixed and per unit; ordering them again")
            }
            (Some(Change::Together(steps)), _) => self.costs_together(steps),
            (Some(Change::Less { quantity, later, before, review, margin, .. }), _) => {
                let missed = formulas::lost_margin(quantity.min(before * review), *margin, set.recapture);
                let again = if later.is_some() { set.change_fixed } else { set.order_fixed };
                costs(set.change_fixed, again + Money::from_f64(missed), "a change; undoing it, and margin missed meanwhile")
            }
            (Some(Change::TakenBack(sold)), _) => {
                let margin: f64 = sold.iter().map(|(quantity, margin)| quantity * margin).sum();
                costs(set.paperwork, Money::from_f64(margin.max(0.0)), "paperwork; the margin of an order that was meant")
            }
            (Some(Change::Adjusted(more)), _) => {
                let held = |(units, cost, days): &(f64, UnitPrice, f64)| {
                    formulas::holding_cost(*units, cost.to_f64(), set.holding_rate, *days)
                };
                let cost = Money::from_f64(more.iter().map(held).sum());
                costs(cost, cost, "what is held more, for a cycle; and for another until it is taken back")
            }
            (None, "ESCALATE") if !effect.shares.is_empty() => {
                costs(set.paperwork, nothing, "an investigation (setting of paperwork)")
            }
            (None, "ADJUST-STOCK") => costs(set.paperwork, set.paperwork, "paperwork; posting it back"),
            (None, "REALLOCATE" | "FORECAST-FIX" | "MARK-EVENT") => {
                costs(set.contact, set.contact, "a word (setting of a question); another to take it back")
            }
            (None, "REVERSE-DOC") => {
                costs(set.paperwork, set.paperwork + set.paperwork, "paperwork; twice to enter it again")
            }
            (None, "CLAIM" | "BLOCK-BILL") => costs(set.paperwork, set.contact, "paperwork; an explanation"),
            (None | Some(Change::Asked { .. }), "CONTACT") => costs(set.contact, nothing, "a question (setting)"),
            (None | Some(Change::Asked { .. }), "RECOUNT") => costs(set.recount, nothing, "a count (setting)"),
            (None, "MONITOR" | "NO-ACTION" | "ESCALATE" | "ACCEPT-VAR" | "FIX-MASTER") => {
                costs(nothing, nothing, "it costs nothing")
            }
            (None | Some(Change::Asked { .. }), _) => None,
        }
    }

    /// What holding goods beyond the need costs.
    fn held(self, beyond: Option<&Surplus>) -> Money {
        beyond.map_or(Money::ZERO, |surplus| self.excess(surplus, surplus.units).expected)
    }

    /// Half of what holding units for a year costs.
    fn half_a_year(self, quantity: f64, cost: UnitPrice) -> Money {
        let held = formulas::holding_cost(quantity, cost.to_f64(), self.workings.settings.holding_rate, 365.0);
        Money::from_decimal(Decimal::new(Money::from_f64(held).minor, 2) / Decimal::TWO)
    }

    /// C and G of a plan: those of its steps, a lane's lorry and a supplier's document once.
    fn costs_together(self, steps: &[Change]) -> Option<Costs> {
        let (mut cost, mut regret) = (Money::ZERO, Money::ZERO);
        let mut shared: BTreeSet<(&str, &str)> = BTreeSet::new();
        let set = &self.workings.settings;
        for step in steps {
            let code = if matches!(step, Change::Asked { .. }) { "CONTACT" } else { "" };
            let effect = Effect { code: code.to_owned(), change: Some(step.clone()), ..Effect::default() };
            let own = self.costs(&effect)?;
            cost += own.cost;
            regret += own.regret;
            match step {
                Change::Moved { place, from, .. } => {
                    let lane = (place_key::split(from)?.1, place_key::split(place)?.1);
                    if !shared.insert(lane) {
                        cost = cost - set.transfer_fixed;
                        regret = regret - set.transfer_fixed;
                    }
                }
                Change::Ordered { supplier: Some(supplier), place, .. }
                    if !shared.insert((supplier, place_key::split(place)?.1)) =>
                {
                    cost = cost - set.order_fixed;
                }
                _ => {}
            }
        }
        Some(Costs { cost, regret, from: "those of its steps; a lane's lorry and a supplier's document once" })
    }

    /// The price of the line that an action sends away or puts off, where it is known.
    pub(super) fn line_price(effect: &Effect) -> Option<UnitPrice> {
        match effect.change.as_ref()? {
            Change::Raised { price, .. } => Some(*price),
            Change::Less { price, .. } | Change::SentBack { price, .. } => *price,
            _ => None,
        }
    }
}

/// Units as documents count them.
pub(super) fn units(quantity: f64) -> Option<Quantity> {
    Decimal::try_from(quantity).ok().map(Quantity)
}
