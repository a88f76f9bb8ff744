//! A bill that is there twice (handbook §4.3, F-DUPBILL): its whole amount would be paid again.

use rust_decimal::Decimal;

use crate::domain::action::{Action, Range};
use crate::domain::evidence::FactValue;
use crate::domain::exception::Exception;
use crate::domain::ids::FactId;
use crate::domain::money::Money;
use crate::domain::record::{BillLine, RecordKind, RecordRef};

use super::desk::{Desk, Proposal, Question};
use super::matching::{LEFT_AFTER_BLOCK, LEFT_AFTER_CONTACT, bill_facts, bill_name, lines_of_bill, paperwork};

/// Share of a duplicate that remains after it has been reversed in the books.
const LEFT_AFTER_REVERSAL: f64 = 0.02;

/// A bill that is there twice: its whole amount would be paid again.
pub(super) fn assess(desk: &mut Desk<'_>, exception: &Exception) {
    let book = desk.view.book;
    let subject = &exception.signal.subject;
    let (Some(bill), Some(earlier)) = (&subject.bill, &subject.document) else { return };
    let lines: Vec<BillLine> = lines_of_bill(book, bill).into_iter().cloned().collect();
    let Some(first) = lines.first() else {
        desk.miss(format!("bill {bill}"), "the amount billed twice");
        return;
    };
    let Some(value) = lines.iter().map(|l| Some(l.qty.0 * l.price?.0)).sum::<Option<Decimal>>() else {
        desk.miss(format!("prices of bill {} in company currency", bill_name(first)), "the amount billed twice");
        return;
    };
    let amount = Money::from_decimal(value);
    let mut cites: Vec<FactId> = lines.iter().flat_map(|l| bill_facts(desk, l)).collect();
    let source = RecordRef::new(RecordKind::BillLine, first.id.clone());
    cites.push(desk.fact(source.clone(), "duplicate_amount", "billed a second time", FactValue::Money(amount)));
    let key = format!("bill:{bill}/duplicate");
    let name = bill_name(first);
    let other = lines_of_bill(book, earlier).first().map_or_else(|| earlier.clone(), |b| bill_name(b));
    desk.lose(&key, format!("{name} bills again what {other} billed"), Range::certain(amount), cites.clone());
    let keys = [key];
    let (cost, cost_cite) = paperwork(desk, source.clone());
    let latest = first.due_on.unwrap_or(book.today).max(desk.tomorrow());
    let share = |desk: &mut Desk<'_>, field: &str, label: &str, left: f64| {
        vec![cost_cite.clone(), desk.assume(source.clone(), field, label, left)]
    };
    let block_cites = share(desk, "block_left", "share that is paid although blocked", LEFT_AFTER_BLOCK);
    let regret = desk.view.config.costs.contact;
    let block = Proposal {
        action: Action::BlockBill { bill: first.bill_id.clone(), disputed: amount, reason: format!("duplicate of {other}") },
        summary: format!("Keep bill {name} ({amount}) unpaid until it is cleared: it repeats {other}."),
        after: Desk::leaving(&keys, LEFT_AFTER_BLOCK),
        cost,
        regret,
        value: amount,
        latest,
        cites: block_cites,
        change: None,
    };
    desk.proposals.push(block);
    let reverse_cites = share(desk, "reverse_left", "share that remains after a reversal", LEFT_AFTER_REVERSAL);
    let reverse = Proposal {
        action: Action::ReverseDoc { document: name.clone(), duplicate_of: other.clone() },
        summary: format!("Reverse bill {name} ({amount}), which repeats {other}."),
        after: Desk::leaving(&keys, LEFT_AFTER_REVERSAL),
        cost,
        // Reversing a bill that was right means entering it again.
        regret: cost + cost,
        value: amount,
        latest,
        cites: reverse_cites,
        change: None,
    };
    desk.proposals.push(reverse);
    desk.contact(&Question {
        role: "supplier",
        partner: first.supplier.as_str(),
        about: &format!("bill {name}: does it bill the same goods as {other}"),
        keys: &keys,
        left: LEFT_AFTER_CONTACT,
        latest,
        source,
    });
}
