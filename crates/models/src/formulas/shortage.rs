//! Who waits, what comes anyway, and how long a decision against a shortage can wait.

/// Share of waiting customers who cancel: those who did, of all who waited, drawn towards `prior` as strongly as `weight`
/// observations would: (cancelled + weight·prior) ÷ (waited + weight). Defaults: prior 0.10, weight 20.
pub fn cancelled_share(cancelled: impl Into<f64>, waited: impl Into<f64>, prior: f64, weight: f64) -> f64 {
    let (cancelled, all) = (cancelled.into(), waited.into() + weight);
    if all > 0.0 { ((cancelled + weight * prior) / all).clamp(0.0, 1.0) } else { prior }
}

/// Share of the wait until `relief` that is over by `day`: whoever is served then has been lost to that share at most. All of
/// it on the day of relief and after: what arrives then saves nothing.
pub fn waited_share(day: f64, relief: f64) -> f64 {
    if relief > 0.0 { (day / relief).clamp(0.0, 1.0) } else { 1.0 }
}

/// Days for which a decision can wait so that what it brings still arrives on the day before stock has run out: run-out - 1 -
/// lead, at least none. Stock that arrives is there from the day after.
pub fn days_to_decide(run_out: u32, lead: u32) -> u32 {
    run_out.saturating_sub(lead + 1)
}

/// Days for which a decision can wait and keep the share `kept` of its value: `values[k]` is what it is worth when it is taken
/// `k` days from now.
pub fn keeps_value(values: &[f64], kept: f64) -> u32 {
    let Some(now) = values.first() else { return 0 };
    values.iter().skip(1).zip(1..).take_while(|(value, _)| **value >= kept * now).last().map_or(0, |(_, days)| days)
}

/// Probability that a place runs out before relief: what such a projected risk came to in history, moved as far as people's
/// decisions on the type (`learnt`) have moved from what was assumed of it (`prior`).
pub fn low_stock_p(risk: f64, learnt: f64, prior: f64) -> f64 {
    let sure = ((risk - LOW_FROM) / (LOW_TO - LOW_FROM)).clamp(0.0, 1.0);
    let came = LOW_CAME.0 + (LOW_CAME.1 - LOW_CAME.0) * sure;
    if prior > 0.0 { (came * learnt / prior).clamp(0.0, 0.99) } else { 0.0 }
}

/// What places that were said to run out came to: the share of them that did before relief, where the projection doubts it and
/// where it does not. Between [`LOW_FROM`] and [`LOW_TO`] it rises evenly.
///
/// Counted on the bundled recording, lived: of 17 mornings (13 shortages) with a risk below 0.8 none, of 106 (40) above it 81,
/// each shortage counted once and drawn to one in two with the weight of four: (0 + 2) ÷ 17 and (30.6 + 2) ÷ 44.
const LOW_CAME: (f64, f64) = (0.12, 0.74);
/// Up to this risk the projection doubts it.
const LOW_FROM: f64 = 0.75;
/// From this risk on it does not.
const LOW_TO: f64 = 0.85;

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance, "{left} is not within {tolerance} of {right}");
    }

    #[test]
    fn vector_15_waiting_customers() {
        // 3 of 80 cancelled; ten wait, margin 7.50; relief in 8 days, served in 2.
        let share = cancelled_share(3, 80, 0.10, 20.0);
        close(share, 0.05, 1e-12);
        close(10.0 * 7.5 * share, 3.75, 1e-9);
        close(10.0 * 7.5 * share * waited_share(2.0, 8.0), 0.9375, 1e-9);
        close(cancelled_share(0, 0, 0.10, 20.0), 0.10, 1e-12);
        close(cancelled_share(0, 5180, 0.10, 20.0), 0.000_384_6, 5e-8);
    }

    #[test]
    fn vector_16_what_arrives_with_relief_saves_nothing() {
        close(waited_share(8.0, 8.0), 1.0, 0.0);
        close(waited_share(9.0, 8.0), 1.0, 0.0);
        close(waited_share(0.0, 8.0), 0.0, 0.0);
        close(waited_share(1.0, 0.0), 1.0, 0.0);
    }

    #[test]
    fn vector_19_how_sure_a_potential_stock_out_is() {
        close(low_stock_p(0.6, 0.75, 0.75), 0.12, 1e-9);
        close(low_stock_p(0.8, 0.75, 0.75), 0.43, 1e-9);
        close(low_stock_p(1.0, 0.75, 0.75), 0.74, 1e-9);
        close(low_stock_p(1.0, 0.60, 0.75), 0.592, 1e-9);
        close(low_stock_p(1.0, 0.2, 0.75), 0.197_333, 1e-6);
    }

    #[test]
    fn vector_18_how_long_a_decision_can_wait() {
        // Out on day 6, two days from the decision to the shelf: three days.
        assert_eq!(days_to_decide(6, 2), 3);
        assert_eq!(days_to_decide(5, 2), 2, "a day later one less");
        assert_eq!(days_to_decide(2, 2), 0);
        assert_eq!(days_to_decide(0, 2), 0);
        assert_eq!(keeps_value(&[100.0, 100.0, 95.0, 89.0, 95.0], 0.9), 2);
        assert_eq!(keeps_value(&[100.0, 80.0], 0.9), 0);
        assert_eq!(keeps_value(&[], 0.9), 0);
    }
}
