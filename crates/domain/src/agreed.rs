//! What was agreed, as the book has it: suppliers' prices, reorder rules and promotions.

use jiff::civil::Date;

use super::ids::{ItemId, LocationId};
use super::money::UnitPrice;
use super::record::{Promotion, PurchaseLine, ReorderRule, SupplierPrice};
use super::supply::Supply;

impl Supply {
    /// Suppliers' prices for an item that are valid on `day`, the preferred first.
    pub fn supplier_prices(&self, item: &ItemId, day: Date) -> Vec<&SupplierPrice> {
        let valid = |p: &&SupplierPrice| p.valid_from.is_none_or(|f| f <= day) && p.valid_to.is_none_or(|t| day <= t);
        self.supplier_prices.get(item).map(|all| all.iter().filter(valid).collect()).unwrap_or_default()
    }

    /// Had an item prices of suppliers, all of which have ended?
    pub fn has_lapsed_price(&self, item: &ItemId) -> bool {
        let prices = self.supplier_prices.get(item).map_or(&[][..], Vec::as_slice);
        !prices.is_empty() && prices.iter().all(|price| price.valid_to.is_some_and(|to| to < self.today))
    }

    /// The price list's entry for a purchase line on the day it was ordered: the largest quantity step that it reached.
    pub fn list_entry(&self, line: &PurchaseLine) -> Option<&SupplierPrice> {
        self.supplier_prices(&line.item, self.calendar.day_of(line.ordered_at))
            .into_iter()
            .filter(|p| p.supplier == line.supplier && p.min_qty <= line.qty)
            .filter(|p| p.company.is_none() || line.company.is_none() || p.company == line.company)
            .max_by(|a, b| a.min_qty.cmp(&b.min_qty))
    }

    /// What a price list's entry asks of a purchase line. Where both are in the same foreign currency it is converted as the
    /// line was: what remains of a difference is the supplier's, not the currency's.
    pub fn list_price(&self, line: &PurchaseLine, entry: &SupplierPrice) -> Option<UnitPrice> {
        match (&line.foreign, &entry.foreign, line.price) {
            (Some(ordered), Some(listed), Some(price))
                if ordered.currency == listed.currency && !ordered.price.0.is_zero() =>
            {
                Some(UnitPrice((listed.price.0 * price.0 / ordered.price.0).round_dp(6).normalize()))
            }
            _ => entry.price,
        }
    }

    /// A supplier's price by the record's id, valid or not.
    pub fn supplier_price(&self, id: &str) -> Option<&SupplierPrice> {
        self.supplier_prices.get(self.keyed.priced.get(id)?)?.iter().find(|p| p.id == id)
    }

    /// A reorder rule by the record's id.
    pub fn rule_by_id(&self, id: &str) -> Option<&ReorderRule> {
        self.rules.get(self.keyed.ruled.get(id)?)
    }

    /// A promotion by the record's id.
    pub fn promotion(&self, id: &str) -> Option<&Promotion> {
        self.promotions.get(self.keyed.promoted.get(id)?)?.iter().find(|p| p.id == id)
    }

    /// The reorder rule of an item at a location.
    pub fn rule(&self, item: &ItemId, location: &LocationId) -> Option<&ReorderRule> {
        self.rules.get(&(item.clone(), location.clone()))
    }

    /// An item's promotions by first day.
    pub fn promotions(&self, item: &ItemId) -> &[Promotion] {
        self.promotions.get(item).map_or(&[], Vec::as_slice)
    }

    /// Those of them that run at a location, by first day.
    pub fn promotions_at(&self, item: &ItemId, location: &LocationId) -> impl Iterator<Item = &Promotion> {
        let company = self.company_of(location);
        self.promotions(item).iter().filter(move |promotion| promotion.runs_in(company))
    }

    /// The promotion an item is in at a location on `day`.
    pub fn promotion_on(&self, item: &ItemId, location: &LocationId, day: Date) -> Option<&Promotion> {
        self.promotions_at(item, location).find(|p| p.from <= day && day <= p.to)
    }
}
