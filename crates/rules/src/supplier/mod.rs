//! What a supplier has done, in figures: in time and in full with its basis, lead time beside the listed one, what came beside what
//! was ordered, prices over time, what is open, unbilled and disputed. Arithmetic over the book and nothing else.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::assess::not_owed;
use crate::detect::performance::{NEWEST, Outcome, outcomes, share};
use crate::detect::supply::lead_shift;
use crate::detect::unmatched::open_to_bill;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::days_between;
use reeve_domain::ids::{ItemId, SupplierId};
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::PurchaseLine;
use reeve_models::formulas::mean_sd;

/// A supplier, as one company knows it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// Who.
    pub supplier: SupplierId,
    /// Its name. Text from outside.
    pub name: String,
    /// The company that buys, where there are several.
    pub company: Option<String>,
    /// Lines in time and in full, over all lines that are over or overdue.
    pub all: Otif,
    /// The same of the newest lines.
    pub newest: Otif,
    /// Days after the first promise.
    pub lateness: Spread,
    /// Days from order to receipt.
    pub lead_time: Spread,
    /// Days by which the newest orders take longer than the price list says; none where nothing says it.
    pub lead_shift: Option<f64>,
    /// What came beside what was ordered, in percent of it, over lines that are over.
    pub quantity: Spread,
    /// What was paid for each item over time: only where it has changed.
    pub prices: Vec<PriceHistory>,
    /// Lines still to come, and what they are worth.
    pub open: Counted,
    /// Of these, past their first promise by more than the tolerance.
    pub overdue: Counted,
    /// Received, and in no bill.
    pub unbilled: Counted,
    /// Billed beyond what is owed: what a claim can be made for.
    pub disputed: Counted,
}

/// Lines in time and in full.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Otif {
    /// Lines that were.
    pub good: usize,
    /// Of so many.
    pub lines: usize,
    /// Their share, in percent; none of no lines.
    pub percent: Option<f64>,
}

/// Mean and sample deviation; the deviation of less than two is not known.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Of how many.
    pub n: usize,
    /// Mean; none of none.
    pub mean: Option<f64>,
    /// Deviation.
    pub sd: Option<f64>,
}

/// Lines and money.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counted {
    /// Lines.
    pub lines: usize,
    /// What they come to; of lines without a price nothing.
    pub value: Money,
}

/// An item's price, order by order.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PriceHistory {
    /// Which item.
    pub item: ItemId,
    /// Its name. Text from outside.
    pub name: String,
    /// The price list's price today.
    pub listed: Option<UnitPrice>,
    /// Each change: the day of the order, its name, and the price from then on.
    pub steps: Vec<(Date, String, UnitPrice)>,
}

/// What is written beside the figures: what they are counted by.
pub const BASIS: &str = "by order line; clock from the first promise to the receipt that made it full; full and in time within the tolerances of receiving";

/// The summaries of a supplier, one for each company that buys from it.
pub fn summaries(book: &Book, settings: &Settings, supplier: &SupplierId) -> Vec<Summary> {
    let companies = book.companies().into_iter();
    companies.filter_map(|company| summary(book, settings, supplier, company)).collect()
}

/// The suppliers that a name means: one of that id or name, or all whose names contain it, whatever the case.
pub fn named(book: &Book, name: &str) -> Vec<SupplierId> {
    let name = name.trim();
    if let Some(known) = book.suppliers.get(&SupplierId::new(name)) {
        return vec![known.id.clone()];
    }
    let lower = name.to_lowercase();
    let exact = book.suppliers.values().find(|s| s.name.to_lowercase() == lower);
    match exact {
        Some(one) => vec![one.id.clone()],
        None => book.suppliers.values().filter(|s| s.name.to_lowercase().contains(&lower)).map(|s| s.id.clone()).collect(),
    }
}

fn spread(values: &[f64]) -> Spread {
    let (mean, sd) = mean_sd(values);
    let at_two = |x: f64| (x * 100.0).round() / 100.0;
    Spread { n: values.len(), mean: (!values.is_empty()).then(|| at_two(mean)), sd: sd.map(at_two) }
}

fn otif(outcomes: &[Outcome<'_>]) -> Otif {
    let good = outcomes.iter().filter(|outcome| outcome.good).count();
    let percent = (!outcomes.is_empty()).then(|| (share(outcomes) * 1000.0).round() / 10.0);
    Otif { good, lines: outcomes.len(), percent }
}

fn summary(book: &Book, settings: &Settings, supplier: &SupplierId, company: Option<&str>) -> Option<Summary> {
    let ours = |line: &&PurchaseLine| line.confirmed && book.company_of(&line.location) == company;
    let lines: Vec<&PurchaseLine> = book.lines_of_supplier(supplier).into_iter().filter(ours).collect();
    if lines.is_empty() {
        return None;
    }
    let outcomes = outcomes(book, settings, supplier, company);
    // What never came has no day on which it came: it counts in the share in time, and in no mean of days.
    let received = outcomes.iter().filter(|outcome| !book.receipts(&outcome.line.id).is_empty());
    let late: Vec<f64> = received.clone().map(|outcome| f64::from(outcome.late)).collect();
    let ordered_on = |line: &PurchaseLine| book.calendar.day_of(line.ordered_at);
    let lead: Vec<f64> = received.map(|outcome| f64::from(days_between(ordered_on(outcome.line), outcome.day))).collect();
    let beside = |line: &PurchaseLine| (book.delivered(&line.id).to_f64() / line.qty.to_f64() - 1.0) * 100.0;
    // A line that waits for its rest is not short yet.
    let over = outcomes.iter().filter(|outcome| !book.open_quantity(&outcome.line.id).is_positive());
    let quantity: Vec<f64> = over.map(|outcome| beside(outcome.line)).collect();
    let worth = |line: &PurchaseLine, units: Quantity| line.price.map_or(Money::ZERO, |price| units * price);
    let counted = |units: &dyn Fn(&PurchaseLine) -> Quantity| {
        let each = lines.iter().map(|line| (line, units(line))).filter(|(_, units)| units.is_positive());
        each.fold(Counted::default(), |sum, (line, units)| Counted {
            lines: sum.lines + 1,
            value: sum.value + worth(line, units),
        })
    };
    let open = |line: &PurchaseLine| book.open_quantity(&line.id);
    let is_late = |line: &PurchaseLine| {
        days_between(book.calendar.day_of(line.promised_first), book.today) > settings.tolerances.late_days
    };
    let overdue = |line: &PurchaseLine| if is_late(line) { open(line) } else { Quantity::ZERO };
    let disputes = lines.iter().map(|line| not_owed(book, settings, line)).filter(|amount| *amount > Money::ZERO);
    let newest = &outcomes[outcomes.len().saturating_sub(NEWEST)..];
    Some(Summary {
        supplier: supplier.clone(),
        name: book.supplier_name(supplier),
        company: company.filter(|_| book.has_several_companies()).map(|company| book.company_label(company)),
        all: otif(&outcomes),
        newest: otif(newest),
        lateness: spread(&late),
        lead_time: spread(&lead),
        lead_shift: lead_shift(book, settings, supplier, company).map(|shift| (shift.days * 100.0).round() / 100.0),
        quantity: spread(&quantity),
        prices: prices(book, &lines),
        open: counted(&open),
        overdue: counted(&overdue),
        unbilled: counted(&|line| open_to_bill(book, line)),
        disputed: disputes
            .fold(Counted::default(), |sum, amount| Counted { lines: sum.lines + 1, value: sum.value + amount }),
    })
}

/// Prices that have changed, by item.
fn prices(book: &Book, lines: &[&PurchaseLine]) -> Vec<PriceHistory> {
    let mut of_item: BTreeMap<&ItemId, Vec<&PurchaseLine>> = BTreeMap::new();
    for line in lines {
        of_item.entry(&line.item).or_default().push(line);
    }
    let mut found = Vec::new();
    for (item, mut lines) in of_item {
        lines.sort_by(|a, b| (a.ordered_at, &a.id).cmp(&(b.ordered_at, &b.id)));
        let mut steps: Vec<(Date, String, UnitPrice)> = Vec::new();
        for line in lines.iter().filter(|line| line.price.is_some()) {
            let Some(price) = line.price else { continue };
            if steps.last().is_none_or(|(.., before)| *before != price) {
                steps.push((book.calendar.day_of(line.ordered_at), line.order_name.clone(), price));
            }
        }
        // A price that never moved is on every order; only changes are worth a look.
        if steps.len() > 1 {
            let newest = lines.last().and_then(|line| book.list_entry(line)).and_then(|entry| entry.price);
            found.push(PriceHistory { item: item.clone(), name: book.item_label(item), listed: newest, steps });
        }
    }
    found
}

#[cfg(test)]
mod tests;
