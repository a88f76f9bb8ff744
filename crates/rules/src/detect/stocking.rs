//! How much of an item a place should have by what is ordered for it and sold there: the levels that detectors of policy compare
//! with. What a case is judged on is computed anew, with the lead times that were seen (`assess/projection`).

use super::excess::sends_on;
use crate::outlook::Outlook;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::Quantity;
use reeve_domain::record::SupplierPrice;
use reeve_models::formulas;

/// Days between two orders, where nobody says.
const REVIEW_DAYS: f64 = 7.0;

/// Levels of a place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stocking<'b> {
    /// What its first supplier asks of the smallest order.
    pub(super) offer: &'b SupplierPrice,
    /// Expected demand of a day.
    pub(super) daily: f64,
    /// Demand of the listed lead time.
    pub(super) lead_demand: f64,
    /// Its deviation.
    pub(super) lead_sigma: f64,
    /// Reorder point for the listed lead time (handbook §3.3).
    pub(super) reorder: f64,
    /// Order-up-to level.
    pub(super) up_to: f64,
    /// The most that is there in the ordinary course: the order-up-to level, the ERP's maximum, or a least order on top of the
    /// reorder point.
    pub(super) most: f64,
}

impl<'b> Stocking<'b> {
    /// The levels of a place. None where nobody supplies it, or nothing is forecast: also where it sends the item on, since a
    /// forecast of its sales is no forecast of that.
    pub(super) fn of(
        book: &'b Book,
        settings: &Settings,
        outlook: &Outlook,
        item: &ItemId,
        location: &LocationId,
    ) -> Option<Self> {
        let place = (item.clone(), location.clone());
        if !outlook.daily.contains_key(&place) || sends_on(book, settings, item, location) {
            return None;
        }
        let first = book.supplier_prices_at(item, location, book.today).into_iter().next()?;
        // What it asks of a small order: a price break for many is none that anybody has to reach.
        let offer = book.price_step(&place, &first.supplier, Quantity::ZERO)?;
        let (daily, sigma) = outlook.per_day(&place);
        let lead = f64::from(offer.lead_days).max(1.0);
        let z = formulas::normal_quantile(settings.detect.service_level);
        let (lead_demand, lead_sigma) = formulas::lead_time_demand(daily, sigma, lead, 0.0);
        let reorder = formulas::reorder_point(lead_demand, formulas::safety_stock(z, lead_sigma));
        let (_, over_review) = formulas::protection_demand(daily, sigma, lead, 0.0, REVIEW_DAYS);
        let up_to = formulas::order_up_to(daily, lead, REVIEW_DAYS, formulas::safety_stock(z, over_review));
        let ruled = book.rule(item, location).map_or(0.0, |rule| rule.max.to_f64().max(rule.min.to_f64()));
        let most = up_to.max(ruled).max(reorder + offer.min_qty.to_f64());
        Some(Self { offer, daily, lead_demand, lead_sigma, reorder, up_to, most })
    }
}
