//! The arithmetic of the field: one function for one formula, nothing else.
//!
//! Everything is plain `f64`. Quantities are in the item's stock unit, times in days, rates are yearly shares, and money
//! is in the company's currency, not rounded: rounding belongs to where it is shown. Standard deviations are sample
//! deviations (n - 1), and unknown with fewer than two values. What can not be computed is `None` or NaN, never a
//! silent zero. These functions do not know items, stores or records, and decide nothing.

mod ranking;
mod shortage;
mod statistics;
mod stock;

pub use ranking::{
    beta_binomial_p, brier, habit_p, ndcg, perished_share, perishing_share, precision_at_k, priority, value_capture, wilson,
};
pub use shortage::{cancelled_share, days_to_decide, keeps_value, low_stock_p, waited_share};
pub use statistics::{
    DemandClass, demand_class, mean_sd, median, median_of_sorted, normal_cdf, normal_pdf, normal_quantile, quantile,
    quantile_of_sorted, shrunk_mean, tracking_signal,
};
pub use stock::{
    EXCESS_STAY_DAYS_MAX, excess_cost, expected_shortage, expected_surplus, holding_cost, late_reorder_shortage,
    lead_time_demand, lost_margin, order_quantity, order_up_to, protection_demand, reorder_point, safety_stock,
    transferable, window_sigma,
};
