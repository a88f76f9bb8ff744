//! Supply, stock policy and the money that hangs on them.
//!
//! Source: Silver, Pyke and Thomas, *Inventory and Production Management in Supply Chains*. `mu_d`, `sigma_d` are mean
//! and deviation of daily demand, `mu_l`, `sigma_l` those of the lead time in days.

use super::statistics::{normal_cdf, normal_pdf};

/// The longest time that excess stock is charged for, in days (three years). By then it is written off rather than
/// stored, and without a limit an item that no longer sells would cost infinitely much.
pub const EXCESS_STAY_DAYS_MAX: f64 = 1095.0;

/// Units short on average in a window with demand `mu` ± `sigma` and `supply` units:
/// σ (φ(z) - z (1 - Φ(z))) with z = (supply - μ) ÷ σ, and max(0, μ - supply) without doubt.
pub fn expected_shortage(mu: f64, sigma: f64, supply: f64) -> f64 {
    let sure = (mu - supply).max(0.0);
    if sigma <= 0.0 {
        return sure;
    }
    let z = (supply - mu) / sigma;
    // The lower bound is exact (Jensen); rounding far out could go below it.
    (sigma * (normal_pdf(z) - z * normal_cdf(-z))).max(sure)
}

/// Units left over on average of `supply` after a window with demand `mu` ± `sigma`: what is there less what is wanted, plus
/// what is wanted and not there.
pub fn expected_surplus(mu: f64, sigma: f64, supply: f64) -> f64 {
    (supply - mu + expected_shortage(mu, sigma, supply)).max(0.0)
}

/// Deviation of demand over `days` ended by a receipt: √(n·σ_d² + μ_d²·σ_L²).
pub fn window_sigma(days: f64, sigma_d: f64, mu_d: f64, sigma_l: f64) -> f64 {
    (days.max(0.0) * sigma_d * sigma_d + mu_d * mu_d * sigma_l * sigma_l).sqrt()
}

/// Mean and deviation of demand during the lead time: μ_d·μ_L and √(μ_L·σ_d² + μ_d²·σ_L²).
pub fn lead_time_demand(mu_d: f64, sigma_d: f64, mu_l: f64, sigma_l: f64) -> (f64, f64) {
    protection_demand(mu_d, sigma_d, mu_l, sigma_l, 0.0)
}

/// The same over the protection interval of a periodic review: lead time plus `review_days`.
pub fn protection_demand(mu_d: f64, sigma_d: f64, mu_l: f64, sigma_l: f64, review_days: f64) -> (f64, f64) {
    let days = mu_l + review_days;
    (mu_d * days, window_sigma(days, sigma_d, mu_d, sigma_l))
}

/// Units that one cycle is short of because stock is reordered too late: E at the protection in force less E at the
/// protection with the lead time corrected, both in the demand `mu` ± `sigma` of the lead time as it is. Never below nothing.
pub fn late_reorder_shortage(mu: f64, sigma: f64, in_force: f64, corrected: f64) -> f64 {
    (expected_shortage(mu, sigma, in_force) - expected_shortage(mu, sigma, corrected)).max(0.0)
}

/// z·σ. Assumes nearly normal demand: not for intermittent or lumpy items.
pub fn safety_stock(z: f64, sigma: f64) -> f64 {
    z * sigma
}

/// Mean demand during the lead time plus safety stock.
pub fn reorder_point(mu_ltd: f64, safety_stock: f64) -> f64 {
    mu_ltd + safety_stock
}

/// μ_d·(μ_L + R) + safety stock over L + R.
pub fn order_up_to(mu_d: f64, mu_l: f64, review_days: f64, safety_stock: f64) -> f64 {
    mu_d * (mu_l + review_days) + safety_stock
}

/// What to order: the gap to `up_to`, raised to the minimum, then to the next pack. Zero when there is no gap.
/// A minimum or pack of zero or less means there is none.
pub fn order_quantity(up_to: f64, position: f64, moq: f64, multiple: f64) -> f64 {
    let need = up_to - position;
    if need <= 0.0 {
        return 0.0;
    }
    let raised = need.max(moq);
    if multiple <= 0.0 {
        return raised;
    }
    // A need of exactly four packs must not become five because of the last bit.
    (raised / multiple - 1e-9).ceil().max(1.0) * multiple
}

/// What a donor can give: max(0, available - (its demand until the next receipt + its safety stock)).
pub fn transferable(available: f64, donor_daily_demand: f64, days_to_next_receipt: f64, safety_stock: f64) -> f64 {
    (available - (donor_daily_demand * days_to_next_receipt + safety_stock)).max(0.0)
}

/// Margin lost on `shortage` units when the share `recapture` is bought later or replaced (default 0.20).
pub fn lost_margin(shortage: f64, margin: f64, recapture: f64) -> f64 {
    shortage * margin * (1.0 - recapture)
}

/// Holding cost of `excess` units that begin to sell after `t0_days`: E·c·h·(t₀ + E ÷ (2·μ_d)) ÷ 365, without markdown.
/// The average stay is limited to [`EXCESS_STAY_DAYS_MAX`], which is what an item without demand is charged.
pub fn excess_cost(excess: f64, mu_d: f64, unit_cost: f64, holding_rate: f64, t0_days: f64) -> f64 {
    if excess <= 0.0 {
        return 0.0;
    }
    let stay = if mu_d > 0.0 { t0_days.max(0.0) + excess / (2.0 * mu_d) } else { EXCESS_STAY_DAYS_MAX };
    holding_cost(excess, unit_cost, holding_rate, stay.min(EXCESS_STAY_DAYS_MAX))
}

/// Cost of keeping `quantity` for `days`: quantity × cost × yearly rate × days ÷ 365.
pub fn holding_cost(quantity: f64, unit_cost: f64, rate: f64, days: f64) -> f64 {
    quantity * unit_cost * rate * days / 365.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_is_left_over_is_what_is_not_sold() {
        close(expected_surplus(9.0, 0.0, 28.0), 19.0, 1e-12);
        close(expected_surplus(30.0, 0.0, 28.0), 0.0, 1e-12);
        // As likely left over as short: σ·φ(0).
        close(expected_surplus(28.0, 5.0, 28.0), 5.0 * 0.398_942, 1e-5);
    }

    #[track_caller]
    fn close(left: f64, right: f64, tolerance: f64) {
        assert!((left - right).abs() <= tolerance, "{left} is not within {tolerance} of {right}");
    }

    #[test]
    fn vector_1_safety_stock_and_reorder_point() {
        let (mu, sigma) = lead_time_demand(12.0, 5.0, 10.0, 2.0);
        close(mu, 120.0, 1e-9);
        close(sigma, 28.7402, 5e-5);
        let safety = safety_stock(1.645, sigma);
        close(safety, 47.278, 5e-4);
        close(reorder_point(mu, safety), 167.278, 5e-4);
        close(order_quantity(reorder_point(mu, safety), 0.0, 0.0, 1.0), 168.0, 0.0);
        close(safety_stock(1.645, protection_demand(12.0, 5.0, 10.0, 2.0, 7.0).1), 52.045, 6e-4);
        close(order_up_to(12.0, 10.0, 7.0, 52.045), 256.045, 1e-9);
    }

    #[test]
    fn vector_3_expected_shortage() {
        let sigma = window_sigma(8.0, 5.0, 12.0, 0.0);
        close(sigma, 14.1421, 5e-5);
        close((60.0 - 96.0) / sigma, -2.545_58, 5e-6);
        let short = expected_shortage(96.0, sigma, 60.0);
        close(short, 36.0246, 5e-5);
        close(lost_margin(short, 7.5, 0.2), 216.15, 5e-3);
        let doubtful = window_sigma(8.0, 5.0, 12.0, 1.0);
        close(doubtful, 18.5472, 5e-5);
        close(expected_shortage(96.0, doubtful, 60.0), 36.1842, 5e-5);
        close(expected_shortage(96.0, 0.0, 60.0), 36.0, 0.0);
    }

    #[test]
    fn vector_4_after_a_transfer_and_after_expediting() {
        let moved = expected_shortage(96.0, window_sigma(8.0, 5.0, 12.0, 0.0), 100.0);
        close(moved, 3.8661, 5e-5);
        close(lost_margin(moved, 7.5, 0.2), 23.20, 5e-3);
        let expedited = expected_shortage(48.0, window_sigma(4.0, 5.0, 12.0, 0.0), 60.0);
        close(expedited, 0.5610, 5e-5);
        close(lost_margin(expedited, 7.5, 0.2), 3.37, 5e-3);
    }

    #[test]
    fn vector_9_excess_cost() {
        close(excess_cost(280.0, 2.0, 9.0, 0.25, 60.0), 224.38, 5e-3);
    }

    #[test]
    fn vector_15_a_lead_time_that_has_moved() {
        let point = |days: f64| {
            let (mu, sigma) = lead_time_demand(12.0, 5.0, days, 2.0);
            reorder_point(mu, safety_stock(1.645, sigma))
        };
        close(point(6.0), 116.324, 5e-4);
        let (raise, (mu, sigma)) = (point(10.0) - point(6.0), lead_time_demand(12.0, 5.0, 10.0, 2.0));
        close(raise, 50.954, 5e-4);
        let short = |in_force: f64| late_reorder_shortage(mu, sigma, in_force, in_force + raise);
        close(short(point(6.0)), 12.7974, 5e-5);
        close(lost_margin(short(point(6.0)), 7.5, 0.2), 76.78, 5e-3);
        // The ERP's minimum of 230 covers seventeen days: nothing is lost, however late the supplier is.
        close(short(230.0), 0.0, 5e-3);
        close(late_reorder_shortage(mu, sigma, 160.0, 116.0), 0.0, 0.0);
    }

    #[test]
    fn excess_that_never_sells_costs_a_limited_amount() {
        let cost = holding_cost(10.0, 9.0, 0.25, EXCESS_STAY_DAYS_MAX);
        close(excess_cost(10.0, 0.0, 9.0, 0.25, 60.0), cost, 1e-9);
        close(excess_cost(10.0, 1e-9, 9.0, 0.25, 60.0), cost, 1e-9);
        close(excess_cost(-3.0, 2.0, 9.0, 0.25, 60.0), 0.0, 0.0);
    }

    #[test]
    fn vector_10_transferable() {
        close(transferable(150.0, 4.0, 12.0, 20.0), 82.0, 0.0);
        close(transferable(10.0, 4.0, 12.0, 20.0), 0.0, 0.0);
    }

    #[test]
    fn holding_goes_by_the_days() {
        close(holding_cost(100.0, 7.3, 0.25, 20.0), 10.0, 1e-9);
    }

    proptest! {
        #[test]
        fn a_shortage_is_never_below_the_sure_one(mu in 0.0..500.0_f64, sigma in 0.0..100.0_f64, supply in 0.0..900.0_f64) {
            prop_assert!(expected_shortage(mu, sigma, supply) >= (mu - supply).max(0.0));
        }

        #[test]
        fn more_supply_never_means_more_shortage(
            mu in 0.0..500.0_f64, sigma in 0.0..100.0_f64, supply in 0.0..900.0_f64, more in 0.0..100.0_f64,
        ) {
            let less = expected_shortage(mu, sigma, supply);
            prop_assert!(expected_shortage(mu, sigma, supply + more) <= less + 1e-9 * (1.0 + less));
        }

        #[test]
        fn more_doubt_never_means_less_shortage(
            mu in 0.0..500.0_f64, sigma in 0.1..100.0_f64, supply in 0.0..900.0_f64, more in 0.0..50.0_f64,
        ) {
            prop_assert!(expected_shortage(mu, sigma + more, supply) >= expected_shortage(mu, sigma, supply) - 1e-9);
        }

        #[test]
        fn an_order_is_nothing_or_a_multiple_above_the_minimum_that_fills_the_gap(
            up_to in 0.0..500.0_f64, position in -50.0..600.0_f64, moq in 0_u32..60, multiple in 1_u32..25,
        ) {
            let (moq, multiple) = (f64::from(moq), f64::from(multiple));
            let quantity = order_quantity(up_to, position, moq, multiple);
            if position >= up_to {
                prop_assert!(quantity.abs() < f64::EPSILON);
            } else {
                prop_assert!(quantity >= moq - 1e-6);
                prop_assert!(quantity + position >= up_to - 1e-6);
                prop_assert!((quantity / multiple - (quantity / multiple).round()).abs() < 1e-9);
                prop_assert!(quantity < (up_to - position).max(moq) + multiple + 1e-6);
            }
        }
    }
}
