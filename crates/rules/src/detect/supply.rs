//! Supply: suppliers whose lead time has moved away from what the master data say (handbook §3.2, §4.5).

use super::facts::{fact, place_fact, record};
use super::policy::policy_link;
use crate::settings::Settings;
use reeve_domain::book::Book;
use reeve_domain::calendar::days_between;
use reeve_domain::evidence::{Fact, FactValue};
use reeve_domain::exception::{ExceptionType as T, Signal, Subject};
use reeve_domain::ids::SupplierId;
use reeve_domain::record::{PurchaseLine, RecordKind};
use reeve_models::formulas::{mean_sd, median};

const DETECTOR: &str = "supply-rules/1";

/// How many of a supplier's newest orders are looked at, and how many of them must be late by more than the tolerance.
/// Three late ones in four are beyond chance for a supplier that is late once in ten times (p < 0.004).
const RECENT: usize = 4;
const LATE: usize = 3;

/// Orders older than this say nothing about how a supplier delivers now.
const MEMORY_DAYS: i32 = 42;

/// By how much a supplier's newest orders took longer than its price list says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LeadShift {
    /// Days beyond the listed ones, on average; each order against the list of its own item.
    pub days: f64,
    /// Their deviation.
    pub sd: f64,
}

/// One order of a supplier, received or overdue.
struct Leg<'a> {
    line: &'a PurchaseLine,
    late: i32,
    lead: i32,
    ended: jiff::civil::Date,
}

/// S-LTSHIFT for each supplier and each company that it delivers to.
pub(super) fn signals(book: &Book, settings: &Settings) -> Vec<Signal> {
    let companies = book.companies();
    let of = |supplier| companies.iter().filter_map(move |company| lead_time_shift(book, settings, supplier, *company));
    book.suppliers.keys().flat_map(of).collect()
}

fn legs<'a>(book: &'a Book, settings: &Settings, supplier: &SupplierId, company: Option<&str>) -> Vec<Leg<'a>> {
    let mut legs = Vec::new();
    for order in book.orders_of_supplier(supplier) {
        let lines = book.lines_of_order(order);
        let ours = |l: &&&PurchaseLine| l.confirmed && book.company_of(&l.location) == company;
        let Some(line) = lines.first().filter(ours) else { continue };
        let promised = book.calendar.day_of(line.promised_first);
        // The first goods end the wait: part deliveries after it are another matter (R-SHORT).
        let received = lines.iter().flat_map(|l| book.receipts(&l.id)).filter_map(|m| m.done_at).min();
        let ended = received.map_or(book.today, |at| book.calendar.day_of(at));
        let late = days_between(promised, ended);
        // An order that is still open counts only once it is late: then it is at least as late as today says.
        if received.is_none() && late <= settings.tolerances.late_days {
            continue;
        }
        if days_between(ended, book.today) <= MEMORY_DAYS {
            legs.push(Leg { line, late, lead: days_between(book.calendar.day_of(line.ordered_at), ended), ended });
        }
    }
    legs.sort_by_key(|leg| leg.ended);
    legs
}

/// The shift of a supplier's newest orders for a company. None where none of them is on the price list, or none is new enough.
pub fn lead_shift(book: &Book, settings: &Settings, supplier: &SupplierId, company: Option<&str>) -> Option<LeadShift> {
    shift_of(book, supplier, newest(&legs(book, settings, supplier, company)))
}

fn newest<'l, 'a>(legs: &'l [Leg<'a>]) -> &'l [Leg<'a>] {
    &legs[legs.len().saturating_sub(RECENT)..]
}

fn shift_of(book: &Book, supplier: &SupplierId, recent: &[Leg<'_>]) -> Option<LeadShift> {
    let beyond = |leg: &Leg<'_>| {
        let terms = book.supplier_prices_at(&leg.line.item, &leg.line.location, book.today);
        let listed = terms.into_iter().find(|p| &p.supplier == supplier)?;
        Some(f64::from(leg.lead) - f64::from(listed.lead_days))
    };
    // Orders of items that are not on the list any more have nothing to be compared with.
    let beyond: Vec<f64> = recent.iter().filter_map(beyond).collect();
    if beyond.is_empty() {
        return None;
    }
    let (days, sd) = mean_sd(&beyond);
    Some(LeadShift { days, sd: sd.unwrap_or(0.0) })
}

fn lead_time_shift(book: &Book, settings: &Settings, supplier: &SupplierId, company: Option<&str>) -> Option<Signal> {
    let legs = legs(book, settings, supplier, company);
    let recent = newest(&legs);
    let late: Vec<f64> = recent.iter().map(|l| f64::from(l.late)).collect();
    let beyond = recent.iter().filter(|l| l.late > settings.tolerances.late_days).count();
    // One late order is a late order; only several of the newest are another lead time.
    if recent.len() < LATE || beyond < LATE {
        return None;
    }
    // The middle one, so that a single order that was forgotten does not make a supplier slow.
    let typical = median(&late)?;
    let (lead, _) = mean_sd(&recent.iter().map(|l| f64::from(l.lead)).collect::<Vec<_>>());
    let first = recent.first()?;
    let last = recent.last()?;
    let terms = book.supplier_prices_at(&first.line.item, &first.line.location, book.today);
    // Without agreed terms there is nothing that could be corrected.
    let master = terms.into_iter().find(|p| &p.supplier == supplier)?;
    // Where there are several companies it is said for which, and each has a case of its own.
    let company = company.filter(|_| book.has_several_companies());
    let name = match company {
        Some(company) => format!("{} (for {})", book.supplier_name(supplier), book.company_label(company)),
        None => book.supplier_name(supplier),
    };
    let period = company.map_or_else(|| "lead time".to_owned(), |company| format!("lead time, company {company}"));
    let headline = format!(
        "{name} now takes {lead:.1} days instead of the agreed {}: {beyond} of the last {} orders came late, by {typical:.0} days in the middle.",
        master.lead_days,
        recent.len()
    );
    let mut facts = vec![
        fact(
            book,
            record(RecordKind::SupplierPrice, &master.id),
            "lead_days",
            "agreed lead time",
            FactValue::days(f64::from(master.lead_days)),
        ),
        fact(
            book,
            record(RecordKind::Supplier, supplier.as_str()),
            "lead_recent",
            "recent lead time",
            FactValue::days(lead),
        ),
        fact(
            book,
            record(RecordKind::Supplier, supplier.as_str()),
            "late_recent",
            "recent lateness",
            FactValue::days(typical),
        ),
    ];
    if let Some(shift) = shift_of(book, supplier, recent) {
        let source = || record(RecordKind::Supplier, supplier.as_str());
        let label = "days beyond the agreed lead time";
        facts.push(fact(book, source(), "lead_shift", label, FactValue::days(shift.days)));
        facts.push(fact(book, source(), "lead_shift_sd", "deviation of these days", FactValue::days(shift.sd)));
    }
    for leg in recent {
        let label = format!("lateness of {}", leg.line.order_name);
        let days = FactValue::days(f64::from(leg.late));
        facts.push(fact(book, record(RecordKind::PoLine, &leg.line.id), "late_days", &label, days));
    }
    // About the supplier and not an item: what is asked, and corrected, is one thing for all of its items.
    let subject = Subject { supplier: Some(supplier.clone()), ..Subject::default() };
    let days = (first.ended, last.ended);
    let signal = Signal::rule(DETECTOR, T::SLtShift, subject, period, days, headline);
    Some(signal.link(book.delays_key(supplier, &first.line.location)).with(facts))
}

/// What an S-LTSHIFT says of a place whose cycle another signal counts.
pub const COUNTED: &str = "cycle_counted";

/// Leaves a place's cycle to the signal that says its rule, or its demand, asks for a higher point (S-PARAM, D-SHIFT): both are
/// about the real lead time, so the units that a longer one adds are among theirs, and so is the new value of the rule. A link
/// would put every such place of a supplier into one case, though each is decided for itself.
pub(super) fn leave_cycles(book: &Book, signals: &mut [Signal]) {
    let mut counted: Vec<(SupplierId, String, Fact)> = Vec::new();
    for signal in signals.iter().filter(|signal| signal.explained.is_none()) {
        let (Some(item), Some(location)) = (&signal.subject.item, &signal.subject.location) else { continue };
        if !signal.links.contains(&policy_link(item, location)) {
            continue;
        }
        let Some(offer) = book.supplier_prices_at(item, location, book.today).into_iter().next() else { continue };
        let by = FactValue::Text(signal.code.code().to_owned());
        let fact = place_fact(book, item, location, COUNTED, "what its next cycle loses is counted by", by);
        counted.push((offer.supplier.clone(), book.delays_key(&offer.supplier, location), fact));
    }
    for signal in signals.iter_mut().filter(|signal| signal.code == T::SLtShift) {
        let theirs = counted
            .iter()
            .filter(|(supplier, link, _)| signal.subject.supplier.as_ref() == Some(supplier) && signal.links.contains(link));
        for (.., fact) in theirs {
            // Two signals may say it of one place.
            if signal.facts.iter().all(|known| known.id != fact.id) {
                signal.facts.push(fact.clone());
            }
        }
    }
}
