//! Legal entities: which places belong together, and what each company's own books say.
//!
//! Goods, costs, prices and lead times are a company's own. Between two companies nothing is moved, lent or compared unless
//! somebody said that it may be ([`with_trade`](super::book::Book::with_trade)). A source that knows no companies makes one of everything.

use std::cmp::Reverse;
use std::collections::BTreeSet;

use jiff::civil::Date;

use super::book::Place;
use super::ids::{ItemId, LocationId, SupplierId};
use super::money::{Quantity, UnitPrice};
use super::record::{Item, Location, SupplierPrice};
use super::supply::Supply;

impl Supply {
    /// The company that a location belongs to (the ERP's id), where the ERP tells.
    pub fn company_of(&self, location: &LocationId) -> Option<&str> {
        self.locations.get(location)?.company.as_deref()
    }

    /// The companies that have locations, in order; where the ERP tells of none, `None` alone.
    pub fn companies(&self) -> BTreeSet<Option<&str>> {
        self.locations.values().map(|location| location.company.as_deref()).collect()
    }

    /// Do locations belong to more than one company? Those of which the ERP tells no company count as one more.
    pub fn has_several_companies(&self) -> bool {
        self.keyed.several_companies
    }

    /// What a company is called for people: its name, else its id.
    pub fn company_label(&self, company: &str) -> String {
        let named = self.keyed.company_names.get(company).and_then(Option::as_ref);
        named.map_or_else(|| format!("company {company}"), String::clone)
    }

    /// Do two locations belong to one company?
    pub fn same_company(&self, one: &LocationId, other: &LocationId) -> bool {
        self.company_of(one) == self.company_of(other)
    }

    /// May goods be transferred between two locations? Within a company always, else where somebody said so.
    pub fn may_transfer(&self, from: &LocationId, to: &LocationId) -> bool {
        if self.same_company(from, to) {
            return true;
        }
        let (Some(from), Some(to)) = (self.company_of(from), self.company_of(to)) else { return false };
        let names = |company: &str, name: &String| {
            let name = name.trim();
            name == company || name.to_lowercase() == self.company_label(company).trim().to_lowercase()
        };
        self.trade.iter().any(|group| [from, to].iter().all(|company| group.iter().any(|name| names(company, name))))
    }

    /// What a unit of an item costs the company of a location. None where that is not known, whatever it costs another.
    pub fn cost(&self, item: &ItemId, location: &LocationId) -> Option<UnitPrice> {
        self.items.get(item)?.cost_in(self.company_of(location))
    }

    /// Unit margin (list price − cost) at a location, when both are known.
    pub fn margin(&self, item: &ItemId, location: &LocationId) -> Option<UnitPrice> {
        let list = self.items.get(item)?.list_price?;
        Some(UnitPrice(list.0 - self.cost(item, location)?.0))
    }

    /// Under which key the delays of a supplier are counted for the company of a location: one for each company.
    pub fn delays_key(&self, supplier: &SupplierId, location: &LocationId) -> String {
        match self.company_of(location).filter(|_| self.has_several_companies()) {
            Some(company) => format!("leadtime:{supplier}@{company}"),
            None => format!("leadtime:{supplier}"),
        }
    }

    /// Suppliers' prices that hold for the company of a location on `day`, the preferred first.
    pub fn supplier_prices_at(&self, item: &ItemId, location: &LocationId, day: Date) -> Vec<&SupplierPrice> {
        let company = self.company_of(location);
        let holds = |price: &&SupplierPrice| {
            let agreed_for = price.company.as_deref();
            agreed_for.is_none() || company.is_none() || agreed_for == company
        };
        self.supplier_prices(item, day).into_iter().filter(holds).collect()
    }

    /// The step of a supplier's price list by which an order of so many units goes today: the largest that it reaches, else the
    /// least there is. The ERP keeps each price break as an entry of its own, and none of them is what a small order pays but the
    /// one that it reaches.
    pub fn price_step(&self, (item, location): &Place, supplier: &SupplierId, units: Quantity) -> Option<&SupplierPrice> {
        let mut steps = self.supplier_prices_at(item, location, self.today);
        steps.retain(|step| &step.supplier == supplier);
        let reached = steps.iter().filter(|step| step.min_qty <= units).min_by_key(|step| Reverse(step.min_qty));
        reached.or_else(|| steps.iter().min_by_key(|step| step.min_qty)).copied()
    }
}

impl Location {
    /// Is it what somebody calls `Company/CODE`, the company by its name or the ERP's id?
    pub fn is_named_with_company(&self, name: &str) -> bool {
        let Some((company, code)) = name.rsplit_once('/') else { return false };
        let (company, ours) = (company.trim(), self.company_name.trim());
        let same = !ours.is_empty() && company.to_lowercase() == ours.to_lowercase();
        code.trim() == self.code && (same || self.company.as_deref() == Some(company))
    }
}

impl Item {
    /// What a unit costs the company that pays most for it: for what holds in every company.
    pub fn dearest_cost(&self) -> Option<UnitPrice> {
        self.costs.values().copied().chain(self.cost).max_by(|a, b| a.0.cmp(&b.0))
    }

    /// What a unit costs a company: its own cost where companies have their own, else the one that holds for all.
    pub fn cost_in(&self, company: Option<&str>) -> Option<UnitPrice> {
        match company {
            Some(company) if !self.costs.is_empty() => self.costs.get(company).copied(),
            _ => self.cost,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::book::Book;
    use crate::calendar::Calendar;
    use crate::record::Record;

    fn location(id: &str, company: Option<&str>, name: &str) -> Record {
        let (company, company_name) = (company.map(str::to_owned), name.to_owned());
        Record::Location(Location { id: LocationId::new(id), code: "WH".into(), name: "Main".into(), company, company_name })
    }

    fn price(id: &str, company: Option<&str>, lead_days: u32) -> Record {
        Record::SupplierPrice(SupplierPrice {
            id: id.to_owned(),
            supplier: SupplierId::new("9"),
            item: ItemId::new("7"),
            price: UnitPrice::from_erp(4.0),
            foreign: None,
            company: company.map(str::to_owned),
            min_qty: Quantity::ZERO,
            lead_days,
            valid_from: None,
            valid_to: None,
            sequence: 1,
            keys: crate::packs::SupplierKeys::default(),
        })
    }

    fn item(costs: &[(&str, f64)]) -> Record {
        let costs: BTreeMap<String, UnitPrice> =
            costs.iter().filter_map(|(company, cost)| Some(((*company).to_owned(), UnitPrice::from_erp(*cost)?))).collect();
        Record::Item(Item {
            id: ItemId::new("7"),
            sku: String::new(),
            name: "Item".into(),
            category: String::new(),
            unit: "Units".into(),
            cost: UnitPrice::from_erp(3.0),
            costs,
            list_price: UnitPrice::from_erp(10.0),
            sellable: true,
            delisted_at: None,
            keys: crate::packs::ItemKeys::default(),
        })
    }

    fn book(costs: &[(&str, f64)]) -> Book {
        let records = [
            item(costs),
            location("1", Some("1"), "Ålund"),
            location("2", Some("2"), "Beta Ltd"),
            location("3", Some("3"), ""),
            location("4", Some("1"), "Ålund"),
            location("5", None, ""),
            price("1", Some("2"), 9),
            price("2", None, 4),
        ];
        Book::new("2026-11-06T12:00:00Z".parse().unwrap(), Calendar::utc(), records)
    }

    fn at(id: &str) -> LocationId {
        LocationId::new(id)
    }

    #[test]
    fn goods_move_within_a_company_and_between_those_that_somebody_named() {
        let closed = book(&[]);
        assert!(closed.may_transfer(&at("1"), &at("4")) && closed.may_transfer(&at("5"), &at("5")));
        assert!(!closed.may_transfer(&at("1"), &at("2")) && !closed.may_transfer(&at("1"), &at("5")));
        let open = book(&[]).with_trade(&[vec!["ålund ".to_owned(), "BETA LTD".to_owned()], vec!["1".into(), "3".into()]]);
        assert!(open.may_transfer(&at("1"), &at("2")) && open.may_transfer(&at("2"), &at("4")));
        assert!(open.may_transfer(&at("3"), &at("1")) && !open.may_transfer(&at("2"), &at("3")));
    }

    #[test]
    fn a_cost_is_each_companys_own_where_companies_have_their_own() {
        let shared = book(&[]);
        assert_eq!(shared.cost(&ItemId::new("7"), &at("2")), UnitPrice::from_erp(3.0));
        let own = book(&[("1", 3.0), ("2", 6.5)]);
        assert_eq!(own.cost(&ItemId::new("7"), &at("2")), UnitPrice::from_erp(6.5));
        assert_eq!(own.margin(&ItemId::new("7"), &at("2")), UnitPrice::from_erp(3.5));
        assert_eq!(own.cost(&ItemId::new("7"), &at("3")), None, "another company's cost says nothing");
        assert_eq!(own.cost(&ItemId::new("7"), &at("5")), UnitPrice::from_erp(3.0));
    }

    #[test]
    fn a_suppliers_terms_are_those_agreed_with_the_company_or_with_all() {
        let book = book(&[]);
        let days = |location: &str| -> Vec<u32> {
            let prices = book.supplier_prices_at(&ItemId::new("7"), &at(location), book.today);
            prices.iter().map(|price| price.lead_days).collect()
        };
        assert_eq!((days("1"), days("2"), days("5")), (vec![4], vec![9, 4], vec![9, 4]));
        assert_eq!(book.relief(&ItemId::new("7"), &at("1"), 30).0, "2026-11-10".parse().unwrap());
        assert_eq!(book.relief(&ItemId::new("7"), &at("2"), 30).0, "2026-11-15".parse().unwrap());
    }
}
