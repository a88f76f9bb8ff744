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

/// What was sold of each item, in value at each company's own cost, while it is summed.
#[derive(Clone, Debug, Default)]
pub(super) struct SoldValue(BTreeMap<Option<String>, BTreeMap<ItemId, f64>>);

impl SoldValue {
    /// Adds the sales of a book's items, none of which has been added before.
    pub(super) fn add(&mut self, book: &Book) {
        for line in book.sale_lines.values() {
            let cost = book.cost(&line.item, &line.location).map_or(0.0, UnitPrice::to_f64);
            let company = book.company_of(&line.location);
            let values = match self.0.get_mut(&company.map(str::to_owned)) {
                Some(values) => values,
                None => self.0.entry(company.map(str::to_owned)).or_default(),
            };
            *values.entry(line.item.clone()).or_default() += line.qty.to_f64() * cost;
        }
    }

    /// Adds what was summed of other items.
    pub(super) fn merge(&mut self, other: Self) {
        for (company, values) in other.0 {
            self.0.entry(company).or_default().extend(values);
        }
    }

    /// Ranks each company's items by it.
    pub(super) fn classes(self, book: &Book) -> Classes {
        let of_company = |company: Option<&str>| {
            let sold = self.0.get(&company.map(str::to_owned));
            let value = |item: &ItemId| sold.and_then(|sold| sold.get(item)).copied().unwrap_or(0.0);
            let values = book.items.keys().map(|item| (item, value(item))).collect();
            (company.map(str::to_owned), ranked(values))
        };
        Classes(book.companies().into_iter().map(of_company).collect())
    }
}

impl Classes {
    /// Ranks each company's items by what was sold of them, at its own cost.
    pub fn new(book: &Book) -> Self {
        let mut sold = SoldValue::default();
        sold.add(book);
        sold.classes(book)
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
