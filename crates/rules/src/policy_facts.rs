//! What the policy's rules ask about a recommendation: class, categories, places, suppliers and their risk, margin given
//! away. Read from the book of the moment; what it does not say is "not known", which counts as the stricter case.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::detect::classes::Classes;
use reeve_domain::action::Action;
use reeve_domain::book::Book;
use reeve_domain::calendar::plus_days;
use reeve_domain::case::Case;
use reeve_domain::ids::{ItemId, LocationId, SupplierId};
use reeve_domain::money::Money;
use reeve_domain::policy::{Class, Facts, Named, Risk, Share};
use reeve_domain::record::PurchaseLine;

/// Fewest received lines from which a supplier's risk is read; below it is not known.
const RISK_LINES: usize = 10;

/// Days back whose lines are looked at.
const RISK_DAYS: i32 = 365;

/// Share of lines that came in time and in full from which a supplier's risk is low, and from which it is medium.
const RISK_SHARES: [f64; 2] = [0.9, 0.7];

/// The facts of `action` in `case`.
pub fn of(book: &Book, classes: &Classes, case: &Case, action: &Action) -> Facts {
    let line = lines_of(book, case, action);
    let subject = &case.subject;
    let mut items: BTreeSet<&ItemId> = action.item().into_iter().chain(&subject.item).collect();
    let mut suppliers: BTreeSet<&SupplierId> = action.supplier().into_iter().chain(&subject.supplier).collect();
    let mut locations: BTreeSet<&LocationId> = action.about().places.into_iter().chain(&subject.location).collect();
    for line in &line {
        items.insert(&line.item);
        suppliers.insert(&line.supplier);
        locations.insert(&line.location);
    }
    let (margin_lost, margin_lost_share) = margin(book, action);
    Facts {
        item: line.first().map(|line| line.item.clone()),
        class: class(book, classes, &items, &locations),
        categories: items.iter().map(|id| Some(book.items.get(*id)?.category.clone())).collect(),
        locations: Some(locations.into_iter().map(|id| place(book, id)).collect()),
        supplier_risk: suppliers.iter().map(|id| risk(book, id)).reduce(|a, b| Some(a?.max(b?))).unwrap_or(Some(Risk::Low)),
        suppliers: Some(suppliers.into_iter().map(|id| Named::new(id.as_str(), &[&book.supplier_name(id)])).collect()),
        margin_lost,
        margin_lost_share,
    }
}

/// The purchase lines it is about.
fn lines_of<'b>(book: &'b Book, case: &Case, action: &Action) -> Vec<&'b PurchaseLine> {
    let named = action.about().lines;
    named.into_iter().chain(&case.subject.po_line).filter_map(|id| book.po_lines.get(id)).collect()
}

fn place(book: &Book, id: &LocationId) -> Named {
    let found = book.locations.get(id);
    Named::new(id.as_str(), &found.map_or_else(Vec::new, |l| vec![l.code.as_str(), l.name.as_str()]))
}

/// The strictest class of the items at the locations it is about; None where nothing was sold by which to class them.
fn class(book: &Book, classes: &Classes, items: &BTreeSet<&ItemId>, locations: &BTreeSet<&LocationId>) -> Option<Class> {
    if items.is_empty() || !book.has_sale_lines() {
        return None;
    }
    let locations: Vec<&LocationId> = locations.iter().copied().collect();
    let each = items.iter().map(|item| {
        classes.strictest(book, item, &locations).map(|class| match class {
            'A' => Class::A,
            'B' => Class::B,
            _ => Class::C,
        })
    });
    each.reduce(|a, b| Some(a?.min(b?))).flatten()
}

/// How often a supplier's lines of the last year came in time and in full: the less, the riskier.
fn risk(book: &Book, supplier: &SupplierId) -> Option<Risk> {
    let since = plus_days(book.today, -RISK_DAYS);
    let due = |line: &&PurchaseLine| {
        let promised = book.calendar.day_of(line.promised_first);
        promised >= since && promised < book.today
    };
    let lines: Vec<&PurchaseLine> = book.lines_of_supplier(supplier).into_iter().filter(due).collect();
    if lines.len() < RISK_LINES {
        return None;
    }
    let kept = |line: &&&PurchaseLine| {
        let promised = book.calendar.day_of(line.promised_first);
        let receipts = book.receipts(&line.id);
        let in_time = receipts.iter().all(|m| m.done_at.is_none_or(|at| book.calendar.day_of(at) <= promised));
        in_time && book.delivered(&line.id) >= line.qty
    };
    let share = lines.iter().filter(kept).count() as f64 / lines.len() as f64;
    Some(match RISK_SHARES {
        [low, _] if share >= low => Risk::Low,
        [_, medium] if share >= medium => Risk::Medium,
        _ => Risk::High,
    })
}

/// What carrying it out gives away, in money and as a share of the margin. Only price actions give any.
fn margin(book: &Book, action: &Action) -> (Option<Money>, Option<Share>) {
    match action {
        // How many will be sold at the lower price is a forecast, so the sum is not known; the share of each unit's is.
        Action::Markdown { item, percent, .. } => {
            let share = book.items.get(item).and_then(|item| {
                // A markdown holds for every company: the dearest cost leaves the least to give away.
                let price = item.list_price?.0;
                let margin = price - item.dearest_cost()?.0;
                let cut = Decimal::from_f64_retain(*percent)? / Decimal::ONE_HUNDRED * price;
                (margin > Decimal::ZERO).then(|| Share((cut / margin).round_dp(4)))
            });
            (None, share)
        }
        Action::PromoChange { .. } => (None, None),
        _ => (Some(Money::ZERO), Some(Share(Decimal::ZERO))),
    }
}
