//! A proposal to mute, recomputed: its cases are counted again and its interval made anew. It is about Reeve's own list: no
//! loss, no probability and no place in the order by money (handbook §10).

use super::Line;
use super::facts::{field_of, number};
use reeve_domain::action::{Action, MoneySum, Range};
use reeve_domain::evidence::{Bundle, FactValue};
use reeve_domain::money::Money;
use reeve_domain::recommendation::Recommendation;
use reeve_models::formulas::wilson;

/// Standard normal deviate of a 95 % interval.
const Z95: f64 = 1.959_963_984_540_054;

/// Cases that were rejected as not real, and cases that were shown.
fn counts(bundle: &Bundle) -> (u32, u32) {
    let cases = || bundle.facts.values().filter(|fact| matches!(fact.value, FactValue::Text(_)));
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    (count(cases().filter(|fact| field_of(fact).0 == "not_real").count()), count(cases().count()))
}

/// The share that was not real, and the ends of its interval.
fn interval(bundle: &Bundle) -> (f64, f64, f64) {
    let (rejected, shown) = counts(bundle);
    let (low, high) = wilson(rejected, shown, Z95);
    (if shown == 0 { 0.0 } else { f64::from(rejected) / f64::from(shown) }, low, high)
}

/// The share and the lower end of its interval as the words of a proposal say them.
pub(super) fn percents(bundle: &Bundle) -> [String; 2] {
    let (share, low, _) = interval(bundle);
    [share, low].map(|share| FactValue::percent(share * 100.0).show())
}

/// Every figure of a proposal to mute; nothing for any other action.
pub(super) fn lines(rec: &Recommendation, bundle: &Bundle) -> Option<Vec<Line>> {
    let Action::Mute { hides, .. } = &rec.candidate.action else { return None };
    let stated = |field: &str| bundle.facts.values().find(|fact| field_of(fact).0 == field);
    let (rejected, shown) = counts(bundle);
    let (share, low, high) = interval(bundle);
    let mut lines = Vec::new();
    for (field, value, from) in [
        ("shown", FactValue::number(f64::from(shown), 0), "the cases among the facts, counted"),
        ("rejected", FactValue::number(f64::from(rejected), 0), "the decisions among the facts, counted"),
        ("share", FactValue::number(share, 4), "rejected ÷ shown"),
        ("low", FactValue::number(low, 4), "Wilson's interval of the share"),
        ("high", FactValue::number(high, 4), "Wilson's interval of the share"),
    ] {
        if let Some(fact) = stated(field) {
            lines.push(Line::same(fact.id.as_str(), fact.value.show(), value.show(), from));
        }
    }
    if let (Some(low), Some(threshold)) = (stated("low").and_then(number), stated("threshold").and_then(number)) {
        let noisy = low >= threshold;
        lines.push(Line::near("noisy enough", low, threshold, noisy, "the lower end is not below the threshold"));
    }
    let nothing = MoneySum::nothing(1.0, Range::default());
    let is_nothing = rec.candidate.money == nothing;
    let worth = rec.candidate.money.benefit.expected;
    lines.push(Line::near("NB", worth, nothing.benefit.expected, is_nothing, "a mute saves and costs nothing"));
    let shown = stated("hides").map_or_else(|| Money::ZERO.to_string(), |fact| fact.value.show());
    lines.push(Line::same("money it hides", hides, shown, "the fact that says it"));
    lines.push(Line::same("value for limits", rec.candidate.value, hides, "the money it hides"));
    Some(lines)
}
