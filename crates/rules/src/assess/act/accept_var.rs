//! ACCEPT-VAR: a variance as it is (handbook §5).

use crate::assess::checks::Checks;
use crate::assess::matching;
use crate::assess::three_way::three_way;
use crate::scene::Scene;
use reeve_domain::calendar::plus_days;
use reeve_domain::money::Money;
use reeve_domain::record::PurchaseLine;

/// Days in which accepted variances of a supplier count together.
const VARIANCE_DAYS: i32 = 90;

pub(in crate::assess) fn check(scene: &Scene<'_>, c: &mut Checks, document: &str, variance: Money) {
    let book = scene.book;
    let bills = matching::lines_of_bill(book, document);
    let lines = book.lines_named(document);
    let receipt = book.moves_of_document(document).next().is_some();
    // The name on the card may be that of a receipt, a bill or an order: variances are accepted on each of them.
    let known = receipt || !bills.is_empty() || !lines.is_empty();
    c.hard("document exists", known, document.to_owned());
    let policy = &scene.settings.policy;
    let most = policy.in_company(&policy.tiers.t3.limit).unwrap_or(Money::ZERO);
    c.hard("variance is within the largest limit", variance.abs() <= most, format!("{} ≤ {most}", variance.abs()));
    let supplier = bills.first().map(|b| &b.supplier).or_else(|| lines.first().map(|l| &l.supplier));
    // Many small variances that are each accepted are one large one: they count together, by supplier.
    if let Some(supplier) = supplier {
        let since = plus_days(book.today, -VARIANCE_DAYS);
        let recent = |l: &&PurchaseLine| book.calendar.day_of(l.ordered_at) >= since;
        let all: Money = book
            .lines_of_supplier(supplier)
            .into_iter()
            .filter(recent)
            .filter_map(|l| three_way(book, scene.settings, l))
            .map(|w| w.total.abs())
            .sum();
        let detail = format!("{all} in {VARIANCE_DAYS} days ≤ {most}");
        c.hard("supplier's variances are within the limit", all <= most, detail);
    }
}
