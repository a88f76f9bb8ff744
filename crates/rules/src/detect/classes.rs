//! ABC classes: how much of a company's yearly value at cost an item makes (handbook §3.1).
//!
//! Each company's items are ranked among its own: what is an A item of one may be a C item of another.

use std::collections::BTreeMap;

use reeve_domain::book::Book;
use reeve_domain::ids::{ItemId, LocationId};
use reeve_domain::money::UnitPrice;

/// A share of the cumulative value up to which an item is of class A, and up to which of class B.
const SHARES: (f64, f64) = (0.8, 0.95);

/// The classes of all items, by company; `None` is that of places whose company is not told.
#[derive(Clone, Debug, Default)]
pub struct Classes(BTreeMap<Option<String>, BTreeMap<ItemId, char>>);

impl Classes {
    /// Ranks each company's items by what was sold of them, at its own cost.
    pub fn new(book: &Book) -> Self {
        let mut sold: BTreeMap<Option<&str>, BTreeMap<&ItemId, f64>> = BTreeMap::new();
        for company in book.companies() {
            sold.insert(company, book.items.keys().map(|item| (item, 0.0)).collect());
        }
        for line in book.sale_lines.values() {
            let cost = book.cost(&line.item, &line.location).map_or(0.0, UnitPrice::to_f64);
            let values = sold.get_mut(&book.company_of(&line.location));
            if let Some(value) = values.and_then(|values| values.get_mut(&line.item)) {
                *value += line.qty.to_f64() * cost;
            }
        }
        Self(sold.into_iter().map(|(company, values)| (company.map(str::to_owned), ranked(values))).collect())
    }

    /// The class of an item at a location.
    pub fn at(&self, book: &Book, item: &ItemId, location: &LocationId) -> Option<char> {
        let company = book.company_of(location).map(str::to_owned);
        self.0.get(&company)?.get(item).copied()
    }

    /// The strictest class that an item has at some of the locations; at any, where none is named.
    pub fn strictest(&self, book: &Book, item: &ItemId, locations: &[&LocationId]) -> Option<char> {
        if locations.is_empty() {
            return self.0.values().filter_map(|classes| classes.get(item)).min().copied();
        }
        locations.iter().filter_map(|location| self.at(book, item, location)).min()
    }
}

fn ranked(values: BTreeMap<&ItemId, f64>) -> BTreeMap<ItemId, char> {
    let total: f64 = values.values().sum();
    let mut ranked: Vec<(&ItemId, f64)> = values.into_iter().collect();
    ranked.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let mut sum = 0.0;
    let mut classes = BTreeMap::new();
    for (item, value) in ranked {
        let class = if sum < SHARES.0 * total {
            'A'
        } else if sum < SHARES.1 * total {
            'B'
        } else {
            'C'
        };
        sum += value;
        classes.insert(item.clone(), class);
    }
    classes
}
