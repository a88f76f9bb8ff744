//! A bill that is there twice (handbook §4.3, F-DUPBILL): its whole amount would be paid again.

use std::collections::{BTreeMap, BTreeSet};

use crate::role::Role;
use jiff::civil::Date;
use rust_decimal::Decimal;

use reeve_domain::action::{Action, Range};
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::exception::Exception;
use reeve_domain::ids::FactId;
use reeve_domain::money::Money;
use reeve_domain::record::{BillLine, RecordKind, RecordRef};

use super::bills::{self, BASIS_TWICE};
use super::gathered::{Gathered, Proposal, Question};
use super::matching::{CLAIM_DAYS, bill_facts, bill_name, lines_of_bill, paperwork, quantity_keys};
use super::three_way::three_way;

/// Below this score a bill is not taken out of the books.
pub(super) const REVERSAL_LEAST: f64 = 0.5;

/// A bill that is there twice: its whole amount would be paid again, or was.
pub(super) fn assess(gathered: &mut Gathered<'_>, exception: &Exception) {
    let book = gathered.scene.book;
    let subject = &exception.signal.subject;
    let (Some(bill), Some(earlier)) = (&subject.bill, &subject.document) else { return };
    let lines: Vec<BillLine> = lines_of_bill(book, bill).into_iter().cloned().collect();
    let Some(first) = lines.first() else {
        gathered.miss(format!("bill {bill}"), "the amount billed twice");
        return;
    };
    let Some(value) = bills::total(&lines) else {
        gathered.miss(format!("prices of bill {} in company currency", bill_name(first)), "the amount billed twice");
        return;
    };
    // What its supplier has credited as a whole is settled.
    let taken = book.taken_back(bill);
    if taken.is_some_and(|taken| taken.whole) {
        return;
    }
    let credited = taken.map_or(Money::ZERO, |taken| taken.credited);
    // A part that was credited is not paid again.
    let amount = value - credited;
    if amount <= Money::ZERO {
        return;
    }
    let mut cites: Vec<FactId> = lines.iter().flat_map(|l| bill_facts(gathered, l)).collect();
    // When what was missing has come since, both bills are owed, however sure it looked before.
    let Some(repeat) = book.repeats().iter().find(|r| r.later == *bill && r.earlier == *earlier) else { return };
    let source = RecordRef::new(RecordKind::BillLine, first.id.clone());
    cites.push(gathered.fact(source.clone(), "duplicate_amount", "billed a second time", FactValue::Money(amount)));
    // Where the bill check of its lines has counted a part, only the rest is a loss of the bill's own: each unit counts once.
    let (counted, mut keys) = if repeat.is_taken() { Default::default() } else { counted_of(gathered, &lines) };
    let rest = (amount - counted).max(Money::ZERO);
    if counted > Money::ZERO {
        let label = "of it counted in the bill check";
        cites.push(gathered.fact(source.clone(), "duplicate_counted", label, FactValue::Money(counted)));
    }
    let name = bill_name(first);
    let other = lines_of_bill(book, earlier).first().map_or_else(|| earlier.clone(), |b| bill_name(b));
    let paid = lines.iter().all(|l| !book.is_unpaid(l));
    let what = if paid { "paid again" } else { "bills again" };
    if rest > Money::ZERO {
        let key = format!("bill:{bill}/duplicate");
        gathered.lose(&key, format!("{name} {what} what {other} billed"), Range::certain(rest), cites);
        keys.push(key);
    }
    let (cost, cost_cite) = paperwork(gathered, source.clone());
    let due = first.due_on.unwrap_or(book.today).max(gathered.tomorrow());
    // What is paid can be asked back for as long as a claim can be made.
    let latest = if paid { plus_days(first.billed_on, CLAIM_DAYS).max(gathered.tomorrow()) } else { due };
    let share = |gathered: &mut Gathered<'_>, field: &str, label: &str, left: f64| {
        vec![cost_cite.clone(), gathered.assume(source.clone(), field, label, left)]
    };
    // If the suspicion is wrong, the supplier is owed an explanation.
    let regret = gathered.scene.settings.costs.contact;
    let shared = Shared { first, lines: &lines, name: &name, other: &other, keys: &keys, amount, cost, regret, latest };
    if paid {
        let cites =
            share(gathered, "claim_left", "share of claims that is not credited", gathered.scene.settings.left.claim);
        return claim_back(gathered, &shared, cites);
    }
    let block_cites =
        share(gathered, "block_left", "share that is paid although blocked", gathered.scene.settings.left.block);
    let block = Proposal {
        action: Action::BlockBill { bill: first.bill_id.clone(), disputed: amount, reason: format!("duplicate of {other}") },
        summary: format!("Keep bill {name} ({amount}) unpaid until it is cleared: it repeats {other}."),
        then: Vec::new(),
        after: Gathered::leaving(&keys, gathered.scene.settings.left.block),
        cost,
        regret,
        value: amount,
        latest,
        cites: block_cites,
        change: None,
    };
    gathered.proposals.push(block);
    // Taking a bill out of the books needs more than a suspicion, and no part of it may be taken back yet.
    if repeat.score >= REVERSAL_LEAST && credited == Money::ZERO {
        let reverse_cites =
            share(gathered, "reverse_left", "share that remains after a reversal", gathered.scene.settings.left.reversal);
        gathered.proposals.push(Proposal {
            action: Action::ReverseDoc { document: name.clone(), duplicate_of: other.clone() },
            summary: format!("Reverse bill {name} ({amount}), which repeats {other}."),
            then: Vec::new(),
            after: Gathered::leaving(&keys, gathered.scene.settings.left.reversal),
            cost,
            // Reversing a bill that was right means entering it again.
            regret: cost + cost,
            value: amount,
            latest,
            cites: reverse_cites,
            change: None,
        });
    }
    ask(gathered, first, &format!("bill {name}: does it bill the same goods as {other}"), &keys, latest);
}

/// What the answers to a repeated bill share.
struct Shared<'b> {
    first: &'b BillLine,
    lines: &'b [BillLine],
    /// The bill's name, and that of the one it repeats.
    name: &'b str,
    other: &'b str,
    /// The losses that an answer is about.
    keys: &'b [String],
    amount: Money,
    cost: Money,
    regret: Money,
    latest: Date,
}

/// What was paid can only be asked for again.
fn claim_back(gathered: &mut Gathered<'_>, it: &Shared<'_>, cites: Vec<FactId>) {
    let Shared { first, name, other, amount, latest, .. } = *it;
    // A charge that is billed alone (freight, rent) is for no line of an order.
    let po_lines: BTreeSet<String> = it.lines.iter().filter_map(|l| l.po_line.clone()).collect();
    let summary = format!(
        "Claim {amount} back from {}: {name} was paid and repeats {other}.",
        gathered.scene.book.supplier_name(&first.supplier)
    );
    gathered.proposals.push(Proposal {
        action: Action::Claim {
            supplier: first.supplier.clone(),
            // A bill without an order has no lines to claim by: it is claimed as a whole.
            bill: po_lines.is_empty().then(|| first.bill_id.clone()),
            lines: po_lines.into_iter().collect(),
            quantity: it.lines.iter().filter(|l| l.po_line.is_some()).map(|l| l.qty).sum(),
            value: amount,
            basis: BASIS_TWICE.into(),
        },
        summary,
        then: Vec::new(),
        after: Gathered::leaving(it.keys, gathered.scene.settings.left.claim),
        cost: it.cost,
        regret: it.regret,
        value: amount,
        latest,
        cites,
        change: None,
    });
    let about = format!("bill {name}, which is paid: does it bill the same goods as {other}, and can it be credited");
    ask(gathered, first, &about, it.keys, latest);
}

/// How much of a bill the bill check of its lines counts already, and the parts of the loss that are of no other bill: what
/// is done about the bill is done about them. A bill that is taken for a repeat is in no bill check.
fn counted_of(gathered: &Gathered<'_>, lines: &[BillLine]) -> (Money, Vec<String>) {
    let mut billed: BTreeMap<&str, Decimal> = BTreeMap::new();
    for line in lines {
        if let (Some(po_line), Some(price)) = (&line.po_line, line.price) {
            *billed.entry(po_line).or_default() += line.qty.0 * price.0;
        }
    }
    let (mut counted, mut keys) = (Money::ZERO, Vec::new());
    for (po_line, billed) in billed {
        let billed = Money::from_decimal(billed).max(Money::ZERO);
        let theirs: Vec<String> =
            quantity_keys(po_line).into_iter().filter(|key| gathered.parts.contains_key(key)).collect();
        let sum: Money = theirs.iter().map(|key| gathered.lost(key).expected).sum();
        // The bill check of a line is over all its bills: no more of it than this bill asks belongs here.
        counted += sum.min(billed);
        let check = gathered
            .scene
            .book
            .po_lines
            .get(po_line)
            .and_then(|l| three_way(gathered.scene.book, gathered.scene.settings, l));
        // Where the check disputes more than this bill asks, another bill
        // has its part: stopping this one does not end that.
        if check.is_some_and(|check| check.never + check.ahead <= billed) {
            keys.extend(theirs);
        }
    }
    (counted, keys)
}

fn ask(gathered: &mut Gathered<'_>, bill: &BillLine, about: &str, keys: &[String], latest: Date) {
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: bill.supplier.as_str(),
        about,
        keys,
        left: gathered.scene.settings.left.question_bill,
        latest,
        source: RecordRef::new(RecordKind::BillLine, bill.id.clone()),
    });
}
