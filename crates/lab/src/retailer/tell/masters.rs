//! Master data and terms.

use std::collections::BTreeMap;

use reeve_domain::ids::SupplierId;
use reeve_domain::money::Quantity;
use reeve_domain::packs::ItemKeys;
use reeve_domain::record::{
    Item, Location, Observed, Promotion, PromotionSource, Record, ReorderRule, Supplier, SupplierPrice,
};

use super::{Teller, location, price};
use crate::retailer::injected::Kind;
use crate::retailer::life::Life;
use crate::retailer::supply::SUPPLIERS;
use crate::retailer::{Retailer, names};

/// Room for the rules of an item's locations.
const LOCATIONS: u64 = 1001;

/// Locations and suppliers.
pub(in crate::retailer) fn masters(retailer: &Retailer) -> Vec<Observed> {
    let locations = (1..=retailer.shape.locations).map(|number| {
        let (code, name) = names::location(number);
        Record::Location(Location { id: location(number), code, name, company: None, company_name: String::new() })
    });
    let suppliers = (1..=SUPPLIERS)
        .map(|number| Record::Supplier(Supplier { id: SupplierId::new(number.to_string()), name: names::supplier(number) }));
    let changed_at = retailer.at(0, 0);
    locations.chain(suppliers).map(|record| Observed { changed_at, record }).collect()
}

impl Teller<'_> {
    /// The item, what its supplier asks, its promotion.
    pub(super) fn catalogue(&mut self) {
        let (number, nature) = (self.plan.item, &self.plan.nature);
        let (category, name) = names::item(number);
        let item = Item {
            id: self.item.clone(),
            sku: format!("M-{number:06}"),
            name,
            category: category.to_owned(),
            unit: "Units".to_owned(),
            cost: price(nature.cost),
            costs: BTreeMap::new(),
            list_price: price(nature.price),
            sellable: true,
            delisted_at: None,
            keys: ItemKeys::default(),
        };
        let terms = SupplierPrice {
            id: number.to_string(),
            supplier: SupplierId::new(self.plan.supply.supplier.to_string()),
            item: self.item.clone(),
            price: price(nature.cost),
            foreign: None,
            company: None,
            min_qty: Quantity::ZERO,
            lead_days: self.plan.supply.lead.unsigned_abs(),
            valid_from: None,
            valid_to: None,
            sequence: 1,
            keys: reeve_domain::packs::SupplierKeys::default(),
        };
        let at = self.retailer.at(0, 0);
        self.tell(at, Record::Item(item));
        self.tell(at, Record::SupplierPrice(terms));
        self.promotion();
    }

    fn promotion(&mut self) {
        let Some(planned) = &self.plan.promotion else { return };
        let id = format!("pricelist-{}", self.plan.item);
        let promotion = Promotion {
            id: id.clone(),
            source: PromotionSource::Pricelist,
            item: self.item.clone(),
            name: format!("{} % off", planned.percent),
            from: self.retailer.date(planned.from),
            to: self.retailer.date(planned.to),
            percent: f64::from(planned.percent),
            company: None,
        };
        if let Some(over) = planned.injected {
            let kind = if over { Kind::PromotionOver } else { Kind::PromotionUnder };
            let truth = self.truth(kind, None, (planned.from, planned.to));
            self.told.truth.push(super::Truth { promotion: Some(id), ..truth });
        }
        // It is entered a week ahead.
        self.tell(self.retailer.at(planned.from - 7, 0), Record::Promotion(promotion));
    }

    /// The rules by which stores are filled.
    pub(super) fn terms(&mut self, life: &Life) {
        for series in &life.series {
            let rule = ReorderRule {
                id: (u64::from(self.plan.item) * LOCATIONS + u64::from(series.location)).to_string(),
                item: self.item.clone(),
                location: location(series.location),
                min: Quantity::units(series.min),
                max: Quantity::units(series.max),
                multiple: Quantity::units(1),
            };
            self.tell(self.retailer.at(0, 0), Record::ReorderRule(rule));
        }
    }
}
