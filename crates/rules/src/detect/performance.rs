//! Suppliers that deliver in time and in full less often than they did (S-OTIF; handbook §3.2, §4.5).
//!
//! The basis is the order line that is complete or overdue, the clock the first promise to the receipt that made it full, the
//! tolerances those of receiving. A share has fallen where it lies below the control limit of what the supplier did before.

use jiff::civil::Date;

use super::facts::{fact, record};
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::{days_between, plus_days, quarter};
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::SupplierId;
use reeve_domain::record::{PurchaseLine, RecordKind};

const DETECTOR: &str = "performance-rules/1";

/// Newest lines that are looked at, and least lines before them that say what is usual.
pub const NEWEST: usize = 10;
const BEFORE: usize = 20;
/// Deviations below the usual share at which it has fallen (Shewhart's limit).
const LIMIT: f64 = 3.0;
/// Days after which the newest lines say nothing about now.
const MEMORY_DAYS: i32 = 60;

/// How one line of a supplier came.
#[derive(Clone, Copy, Debug)]
pub struct Outcome<'b> {
    /// The line.
    pub line: &'b PurchaseLine,
    /// The day on which it was full, or by which it should have been.
    pub day: Date,
    /// Was it full within the tolerance?
    pub full: bool,
    /// Days after the first promise on which it was full, or today where it is not.
    pub late: i32,
    /// In time and in full?
    pub good: bool,
}

/// What became of a supplier's lines to one company, oldest first: of those that are full, closed or overdue.
pub fn outcomes<'b>(book: &'b Book, settings: &Settings, supplier: &SupplierId, company: Option<&str>) -> Vec<Outcome<'b>> {
    let tolerances = &settings.tolerances;
    let mut found = Vec::new();
    for line in book.lines_of_supplier(supplier).into_iter().filter(|line| line.confirmed && line.qty.is_positive()) {
        if book.company_of(&line.location) != company {
            continue;
        }
        let due = book.calendar.day_of(line.promised_first);
        let last = book.receipts(&line.id).last().and_then(|m| m.done_at).map(|at| book.calendar.day_of(at));
        let missing = book.missing(line).to_f64();
        // Of a line of one or two units the tolerance of a unit would
        // forgive everything, so at most half of it is forgiven.
        let full = missing <= tolerances.quantity_units.min(line.qty.to_f64() / 2.0)
            || missing <= line.qty.to_f64() * tolerances.quantity_percent / 100.0;
        let open = book.open_quantity(&line.id).is_positive();
        let ended = if full || !open { last } else { None };
        let day = ended.unwrap_or(book.today);
        let late = days_between(due, day);
        // What is still on its way and not late says nothing yet.
        if ended.is_none() && (last.is_none() || open) && late <= tolerances.late_days {
            continue;
        }
        let good = full && ended.is_some() && late <= tolerances.late_days;
        // A line that is still out was lost on its last allowed day: later days do not move it among the others.
        found.push(Outcome { line, day: ended.unwrap_or(plus_days(due, tolerances.late_days)), full, late, good });
    }
    found.sort_by(|a, b| (a.day, &a.line.id).cmp(&(b.day, &b.line.id)));
    found
}

/// The share of lines in time and in full.
pub fn share(outcomes: &[Outcome<'_>]) -> f64 {
    outcomes.iter().filter(|outcome| outcome.good).count() as f64 / outcomes.len().max(1) as f64
}

/// S-OTIF for each supplier and each company that it delivers to.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let companies = book.companies();
    let of = |supplier| companies.iter().filter_map(move |company| fallen(book, settings, supplier, *company));
    book.suppliers.keys().flat_map(of).collect()
}

fn fallen(book: &Book, settings: &Settings, supplier: &SupplierId, company: Option<&str>) -> Option<Signal> {
    let all = outcomes(book, settings, supplier, company);
    let (before, newest) = all.split_at_checked(all.len().checked_sub(NEWEST)?)?;
    let (first, last) = (newest.first()?, newest.last()?);
    if before.len() < BEFORE || days_between(last.day, book.today) > MEMORY_DAYS {
        return None;
    }
    let (usual, now) = (share(before), share(newest));
    let limit = usual - LIMIT * (usual * (1.0 - usual) / NEWEST as f64).sqrt();
    // Of one that was always in time a single late line is below a limit without width.
    if now >= limit || (usual - now) * (NEWEST as f64) < LIMIT {
        return None;
    }
    let late = newest.iter().filter(|outcome| outcome.late > settings.tolerances.late_days).count();
    let short = newest.iter().filter(|outcome| !outcome.full).count();
    let own = company.filter(|_| book.has_several_companies());
    let whose = own.map_or_else(String::new, |company| format!(" (for {})", book.company_label(company)));
    let headline = format!(
        "{}{whose} delivered {:.0} % of its last {NEWEST} lines in time and in full, {:.0} % of {} before: {late} late, {short} short.",
        book.supplier_name(supplier),
        now * 100.0,
        usual * 100.0,
        before.len()
    );
    let source = || record(RecordKind::Supplier, supplier.as_str());
    let share_of =
        |field: &str, label: &str, share: f64| fact(book, source(), field, label, FactValue::percent(share * 100.0));
    let count = |field: &str, label: &str, n: usize| fact(book, source(), field, label, FactValue::number(n as f64, 0));
    let mut facts = vec![
        share_of("otif_now", "lines in time and in full, of the newest", now),
        share_of("otif_usual", "the same of those before", usual),
        share_of("otif_limit", "control limit", limit.max(0.0)),
        count("otif_lines", "newest lines", NEWEST),
        count("otif_before", "lines before", before.len()),
    ];
    for outcome in newest.iter().filter(|outcome| !outcome.good) {
        let label = format!("days late: {}", outcome.line.order_name);
        let days = FactValue::days(f64::from(outcome.late));
        facts.push(fact(book, record(RecordKind::PoLine, &outcome.line.id), "otif_late", &label, days));
    }
    let period = own.map_or_else(|| quarter(book.today), |company| format!("{}, company {company}", quarter(book.today)));
    let subject = Subject { supplier: Some(supplier.clone()), ..Subject::default() };
    let signal = Signal::rule(DETECTOR, T::SOtif, subject, period, (first.day, last.day), headline);
    // A lead time that has moved shows in it: one question to the supplier is about both.
    Some(signal.link(book.delays_key(supplier, &first.line.location)).with(facts))
}
