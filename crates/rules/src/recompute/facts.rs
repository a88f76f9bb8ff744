//! Facts that were computed from other facts, computed again from those (handbook §3).
//!
//! Facts are kept rounded, so a recomputed figure may be off by what their rounding allows, and by no more.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::{Line, habits, worked};
use crate::settings::Models;
use reeve_domain::evidence::{Bundle, Fact, FactValue};
use reeve_domain::ids::FactId;
use reeve_models::formulas;

/// Days over which losses found in counts are looked ahead.
const AHEAD_DAYS: f64 = 28.0;

/// The frozen facts, by the record they are about and their field.
#[derive(Clone, Copy)]
pub(super) struct Frozen<'b>(pub(super) &'b Bundle);

impl<'b> Frozen<'b> {
    /// The number that `record/field` says.
    pub(super) fn number(self, record: &str, field: &str) -> Option<f64> {
        number(self.fact(&format!("{record}/{field}"))?)
    }

    pub(super) fn fact(self, id: &str) -> Option<&'b Fact> {
        self.0.facts.get(&FactId::new(id))
    }

    /// What is lost with one unit: list price less cost, less a promotion's reduction where one is among the facts.
    fn margin(self, item: &str) -> Option<f64> {
        let (list, cost) = (self.number(item, "list_price")?, self.number(item, "cost")?);
        let percent = self.0.facts.values().find(|f| f.id.as_str().starts_with("promotion") && field_of(f).0 == "percent");
        let reduced = percent.and_then(number).map_or(0.0, |percent| list * percent / 100.0);
        Some((list - cost - reduced).max(0.0))
    }

    /// A share that was assumed or set, from percent.
    pub(super) fn share(self, record: &str, field: &str) -> Option<f64> {
        Some(self.number(record, &format!("assumed_{field}"))? / 100.0)
    }
}

/// A fact's value as a number; money in units of the currency.
pub(super) fn number(fact: &Fact) -> Option<f64> {
    match &fact.value {
        FactValue::Quantity(q) => q.0.to_f64(),
        FactValue::Price(p) => p.0.to_f64(),
        FactValue::Money(m) => Some(m.to_f64()),
        FactValue::Days(n) | FactValue::Percent(n) | FactValue::Number(n) => n.to_f64(),
        FactValue::Date(_) | FactValue::Text(_) => None,
    }
}

/// Field and place of a fact: `lost_margin` and `5` of `item:75/lost_margin@5`.
pub(super) fn field_of(fact: &Fact) -> (&str, Option<&str>) {
    let field = fact.id.as_str().rsplit_once('/').map_or("", |(_, field)| field);
    match field.split_once('@') {
        Some((name, place)) => (name, Some(place)),
        None => (field, None),
    }
}

/// The record a fact is about: `item:75`.
fn record_of(fact: &Fact) -> &str {
    fact.id.as_str().rsplit_once('/').map_or("", |(record, _)| record)
}

/// A figure with how far the rounding of its inputs may have moved it, and what it was computed from.
struct Again {
    value: f64,
    /// Largest distance that is still rounding.
    off: f64,
    from: &'static str,
    /// Why the figure may lie below: what else bounds it is not among the facts.
    bound: Option<&'static str>,
}

impl Again {
    fn exactly(value: f64, from: &'static str) -> Self {
        Self::about(value, 0.005, from)
    }

    fn about(value: f64, off: f64, from: &'static str) -> Self {
        Self { value, off, from, bound: None }
    }
}

/// A line for each fact that other frozen facts give again.
pub(super) fn lines(bundle: &Bundle, models: &Models) -> Vec<Line> {
    // What the workings give again is exact; the facts alone are rounded.
    let mut worked = worked::of(bundle).map(worked::facts).unwrap_or_default();
    if let Some(workings) = &bundle.workings {
        worked.extend(habits::facts(Frozen(bundle), workings, models));
    }
    bundle.facts.values().filter_map(|fact| worked.remove(&fact.id).or_else(|| line(Frozen(bundle), fact))).collect()
}

fn line(facts: Frozen<'_>, fact: &Fact) -> Option<Line> {
    let stated = number(fact)?;
    let Again { value, off, from, bound } = again(facts, fact, stated)?;
    // Below what the formula gives it may be right: another bound is known to exist and is not among the facts.
    if let Some(bound) = bound.filter(|_| stated < value - off) {
        return Some(Line::not_frozen(fact.id.as_str(), fact.value.show(), bound));
    }
    let near = (stated - value).abs() <= off + 1e-9;
    let shown = Decimal::from_f64_retain(value).unwrap_or_default().round_dp(2).normalize();
    Some(Line::near(fact.id.as_str(), fact.value.show(), shown, near, from))
}

/// The figure again, by the formula for its field; None for a fact that was read and not computed, or whose inputs are not
/// all there.
fn again(facts: Frozen<'_>, fact: &Fact, stated: f64) -> Option<Again> {
    let (field, place) = field_of(fact);
    let record = record_of(fact);
    let at = |name: &str| match place {
        Some(place) => facts.number(record, &format!("{name}@{place}")),
        None => facts.number(record, name),
    };
    Some(match field {
        "available" => match at("unposted") {
            Some(unposted) => Again::exactly(
                at("on_hand")? - unposted - at("waiting")?,
                "on hand − sold and not yet posted − waited for by customers",
            ),
            None => Again::exactly(at("on_hand")? - at("waiting")?, "on hand − waited for by customers"),
        },
        "shortage_units" | "unordered_units" => {
            let kind = field.trim_end_matches("_units");
            let [mu, sigma, supply] =
                [at(&format!("{kind}_demand"))?, at(&format!("{kind}_sigma"))?, at(&format!("{kind}_supply"))?];
            // Each input is rounded to a hundredth; none moves the expectation by more than itself.
            Again::about(formulas::expected_shortage(mu, sigma, supply), 0.02, "expected shortage (§3.4)")
        }
        "lost_margin" => {
            let (margin, kept) = (facts.margin(record)?, 1.0 - facts.share(record, "recapture")?);
            let value = formulas::lost_margin(at("shortage_units")?, margin, 1.0 - kept);
            // Units are shown to a hundredth: half of that in margin, and a cent for the rounding of the money.
            let off = 0.005 * margin * kept + 0.01;
            // Where a supplier owes less than the shortage, only what he owes is lost by his delay.
            if stated < value - off && owed(facts).any(|units| (units * margin * kept - stated).abs() <= 0.01) {
                let from = "units owed × margin × (1 − recapture): less than the shortage";
                return Some(Again::about(stated, off, from));
            }
            Again::about(value, off, "units short × margin × (1 − recapture)")
        }
        "unordered_margin" => {
            let (margin, recapture) = (facts.margin(record)?, facts.share(record, "recapture")?);
            let more = at("unordered_units")? - at("shortage_units")?;
            let off = 0.01 * margin + 0.01;
            Again::about(
                formulas::lost_margin(more, margin, recapture),
                off,
                "units short beyond × margin × (1 − recapture)",
            )
        }
        "transferable" => {
            let spare = formulas::transferable(at("available")?, at("own_daily")?, at("own_days")?, at("own_safety")?);
            // Whole units, and a daily demand that is shown to a hundredth and counts once for each day.
            let off = 1.0 + 0.005 * (at("own_days")? + 1.0);
            let from = "available − own demand until its receipt − own safety stock, whole units";
            let bound = "less than its stock allows: what other cases were promised is not among the facts";
            Again { bound: Some(bound), ..Again::about(spare, off, from) }
        }
        "quantity_variance" => {
            Again::exactly((at("billed")? - at("received")?) * at("price")?, "(billed − received) × price")
        }
        "never_owed" => Again::exactly(at("never_units")? * at("price")?, "units never owed × price"),
        "bill_variance" => {
            let ahead = at("ahead").unwrap_or(0.0);
            let from = "never owed + to be held until it comes + price variance";
            Again::exactly(at("never_owed")? + ahead + at("price_variance")?, from)
        }
        "shrink_ahead" => {
            let value = at("shrink_value")? * AHEAD_DAYS / at("shrink_days")?;
            Again::exactly(value, "write-offs × 28 ÷ days they fell in")
        }
        "write_off_at_stake" => {
            Again::exactly(at("write_off")? * facts.share(record, "miscount")?, "write-off × probability of a miscount")
        }
        "excess_cost" if place.is_some() => {
            let (mu, target) = (at("daily")?, at("target")?);
            let (cost, rate) = (facts.number(record, "cost")?, facts.share(record, "holding")?);
            let until = if mu > 0.0 { target / mu } else { 0.0 };
            let value = formulas::excess_cost(at("excess")?, mu, cost, rate, until);
            // The stay is a quotient of two rounded figures.
            Again::about(value, 0.02 + 0.01 * value, "excess × cost × rate × average stay (§3.4)")
        }
        "overdue_cost" => {
            let rate = facts.0.facts.values().find(|f| field_of(f).0 == "assumed_holding").and_then(number)? / 100.0;
            let value = formulas::holding_cost(at("open_value")?, 1.0, rate, at("overdue_days")?);
            Again::exactly(value, "value still to come × holding rate × days ÷ 365")
        }
        "ghost_margin" => {
            let lost = formulas::lost_margin(
                at("usual_daily")? * at("ghost_days")?,
                facts.margin(record)?,
                facts.share(record, "recapture")?,
            );
            let share = facts.share(record, "ghost")?;
            Again::about(lost * share, 0.01 + 0.01 * lost, "demand × days × margin × (1 − recapture) × share")
        }
        "stale_units" => {
            let [mu, sigma, supply, before] = ["demand", "sigma", "supply", "before"].map(|of| at(&format!("stale_{of}")));
            let left = formulas::expected_surplus(mu?, sigma?, supply?);
            Again::about(left.max(before?) - before?, 0.03, "expected surplus at expiry less what expired before")
        }
        "unmatched_at_stake" => {
            let value = at("unmatched")? * facts.share(record, "not_owed")? * (1.0 - at("fit")? / 100.0);
            // The fit is a share that is shown rounded.
            Again::about(value, 0.01 + 0.000_06 * at("unmatched")?, "billed × share not owed × (1 − fit)")
        }
        "unbilled_at_stake" => {
            Again::exactly(at("unbilled")? * facts.share(record, "billed_wrong")?, "not billed × share billed wrong")
        }
        "unbilled_value" => Again::exactly(at("open_to_bill")? * at("price")?, "not billed × price"),
        "late_margin" => {
            let (units, margin) = (at("late_there")?, facts.margin(record)?);
            let off = 0.01 + 0.000_06 * units * margin;
            Again::about(units * margin * at("late_share")? / 100.0, off, "units past their day × margin × share")
        }
        "blocked_margin" => {
            let margin = facts.margin(record)?;
            let lost = formulas::lost_margin(at("blocked")?, margin, facts.share(record, "recapture")?);
            Again::about(lost, 0.01 + 0.005 * margin, "units wanted by others × margin × (1 − recapture)")
        }
        "adjusted_at_stake" => {
            Again::exactly(at("adjusted_value")? * facts.share(record, "wrong")?, "value × probability that it is wrong")
        }
        "damage_value" => Again::exactly(at("back_owed")? * at("price")?, "billed of what was sent back × price"),
        "fewer_value" => Again::exactly(at("fewer")? * at("price")?, "announced and not come × price"),
        "unfit_value" => {
            let value = at("rest_value")? * at("unfit_share")? / 100.0 * facts.share(record, "unseen")?;
            Again::about(value, 0.01 + 0.001 * at("rest_value")?, "rest of the delivery × share unfit × share unseen")
        }
        "goods_at_risk" => {
            Again::exactly(at("goods_value")? * facts.share(record, "lost")?, "value × share not found again")
        }
        _ => return None,
    })
}

/// Units that are still to come on purchase lines.
fn owed(facts: Frozen<'_>) -> impl Iterator<Item = f64> {
    let open =
        |f: &&Fact| matches!(field_of(f).0, "open" | "short" | "owed" | "qty") && record_of(f).starts_with("po_line:");
    let all: Vec<f64> = facts.0.facts.values().filter(open).filter_map(number).collect();
    all.into_iter()
}
