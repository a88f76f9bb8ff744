//! Master data of a scenario: items, places, suppliers, prices, rules and promotions.

use std::collections::BTreeMap;

use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::packs::{ItemKeys, Pack, SupplierKeys};
use reeve_domain::record::{Foreign, Item, Location, Promotion, PromotionSource, ReorderRule, Supplier, SupplierPrice};
use serde::Deserialize;

use super::when::Day;

/// A quantity as a scenario writes it.
pub(super) fn quantity(what: &str, of: f64) -> Result<Quantity, String> {
    Quantity::from_erp(of).ok_or_else(|| format!("{what} = {of} is no quantity"))
}

/// A price of a unit, above zero.
pub(super) fn price(what: &str, of: f64) -> Result<UnitPrice, String> {
    UnitPrice::from_erp(of).ok_or_else(|| format!("{what} = {of} is no price; leave it out where there is none"))
}

pub(super) fn maybe_price(what: &str, of: Option<f64>) -> Result<Option<UnitPrice>, String> {
    of.filter(|p| *p != 0.0).map(|p| price(what, p)).transpose()
}

fn yes() -> bool {
    true
}

/// A product.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemSpec {
    pub id: String,
    pub sku: Option<String>,
    #[serde(default)]
    pub name: String,
    #[serde(default)]
    pub category: String,
    pub unit: Option<String>,
    /// Landed cost of a unit; 0 or left out: the ERP has none.
    pub cost: Option<f64>,
    /// List price.
    pub list: Option<f64>,
    /// From which day it is delisted.
    pub delisted: Option<i32>,
    #[serde(default)]
    pub barcode: String,
    /// Units in a pack, by its name.
    #[serde(default)]
    pub packs: BTreeMap<String, f64>,
    /// Cost by company.
    #[serde(default)]
    pub costs: BTreeMap<String, f64>,
}

impl ItemSpec {
    pub(super) fn record(&self, day: &Day) -> Result<Item, String> {
        let packs = self
            .packs
            .iter()
            .map(|(name, qty)| Ok(Pack { name: name.clone(), barcode: String::new(), qty: quantity("packs", *qty)? }));
        let costs = self.costs.iter().map(|(company, cost)| Ok((company.clone(), price("costs", *cost)?)));
        Ok(Item {
            id: ItemId::new(self.id.as_str()),
            sku: self.sku.clone().unwrap_or_else(|| format!("AC-{:0>3}", self.id)),
            name: self.name.clone(),
            category: self.category.clone(),
            unit: self.unit.clone().unwrap_or_else(|| "Units".to_owned()),
            cost: maybe_price("cost", self.cost)?,
            costs: costs.collect::<Result<_, String>>()?,
            list_price: maybe_price("list", self.list)?,
            sellable: self.delisted.is_none(),
            delisted_at: self.delisted.map(|offset| day.noon(offset)),
            keys: ItemKeys { barcode: self.barcode.clone(), packs: packs.collect::<Result<_, String>>()? },
        })
    }
}

/// A store or warehouse.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LocationSpec {
    pub id: String,
    pub code: String,
    pub name: String,
    pub company: Option<String>,
    #[serde(default)]
    pub company_name: String,
}

impl LocationSpec {
    pub(super) fn record(&self) -> Location {
        Location {
            id: LocationId::new(self.id.as_str()),
            code: self.code.clone(),
            name: self.name.clone(),
            company: self.company.clone(),
            company_name: self.company_name.clone(),
        }
    }
}

/// A supplier.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SupplierSpec {
    pub id: String,
    pub name: String,
}

impl SupplierSpec {
    pub(super) fn record(&self) -> Supplier {
        Supplier { id: SupplierId::new(self.id.as_str()), name: self.name.clone() }
    }
}

/// What a supplier asks for an item.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceSpec {
    /// Its id, where a supplier has several prices of one item.
    pub id: Option<String>,
    pub supplier: String,
    pub item: String,
    /// Of a unit; left out where it can not be converted.
    pub price: Option<f64>,
    /// The currency in which it was agreed, with the price in it.
    pub foreign: Option<ForeignSpec>,
    #[serde(default)]
    pub moq: f64,
    #[serde(default)]
    pub lead: u32,
    pub from: Option<i32>,
    pub to: Option<i32>,
    #[serde(default)]
    pub sequence: i64,
    /// Units of the pack in which it sells, by its name.
    pub pack: Option<(String, f64)>,
    pub company: Option<String>,
}

/// A price in another currency.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForeignSpec {
    pub currency: String,
    pub price: f64,
}

impl ForeignSpec {
    pub(super) fn record(&self) -> Result<Foreign, String> {
        Ok(Foreign { currency: self.currency.clone(), price: price("foreign.price", self.price)? })
    }
}

impl PriceSpec {
    pub(super) fn key(&self) -> String {
        self.id.clone().unwrap_or_else(|| format!("price-{}-{}", self.supplier, self.item))
    }

    pub(super) fn record(&self, day: &Day) -> Result<SupplierPrice, String> {
        let pack = self.pack.as_ref().map(|(name, qty)| {
            Ok::<_, String>(Pack { name: name.clone(), barcode: String::new(), qty: quantity("pack", *qty)? })
        });
        Ok(SupplierPrice {
            id: self.key(),
            supplier: SupplierId::new(self.supplier.as_str()),
            item: ItemId::new(self.item.as_str()),
            price: maybe_price("price", self.price)?,
            foreign: self.foreign.as_ref().map(ForeignSpec::record).transpose()?,
            company: self.company.clone(),
            min_qty: quantity("moq", self.moq)?,
            lead_days: self.lead,
            valid_from: self.from.map(|d| day.date(d)),
            valid_to: self.to.map(|d| day.date(d)),
            sequence: self.sequence,
            keys: SupplierKeys { pack: pack.transpose()?, ..SupplierKeys::default() },
        })
    }
}

/// A minimum/maximum rule.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RuleSpec {
    pub item: String,
    pub at: String,
    pub min: f64,
    pub max: f64,
    pub multiple: Option<f64>,
}

impl RuleSpec {
    pub(super) fn key(&self) -> String {
        format!("rule-{}-{}", self.item, self.at)
    }

    pub(super) fn record(&self) -> Result<ReorderRule, String> {
        Ok(ReorderRule {
            id: self.key(),
            item: ItemId::new(self.item.as_str()),
            location: LocationId::new(self.at.as_str()),
            min: quantity("min", self.min)?,
            max: quantity("max", self.max)?,
            multiple: quantity("multiple", self.multiple.unwrap_or(1.0))?,
        })
    }
}

/// A price promotion.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PromotionSpec {
    pub id: String,
    pub item: String,
    #[serde(default)]
    pub name: String,
    pub from: i32,
    pub to: i32,
    pub percent: f64,
    pub company: Option<String>,
    /// Is it a line of a price list, and not a loyalty programme?
    #[serde(default = "yes")]
    pub pricelist: bool,
}

impl PromotionSpec {
    pub(super) fn record(&self, day: &Day) -> Promotion {
        Promotion {
            id: self.id.clone(),
            source: if self.pricelist { PromotionSource::Pricelist } else { PromotionSource::Loyalty },
            item: ItemId::new(self.item.as_str()),
            name: self.name.clone(),
            from: day.date(self.from),
            to: day.date(self.to),
            percent: self.percent,
            company: self.company.clone(),
        }
    }
}
