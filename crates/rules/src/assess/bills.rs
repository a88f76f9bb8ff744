//! Checks on bills: holding one back, and reversing what was entered twice. Both look at what has become of the bill since:
//! what was paid is asked back, and what was taken back by a credit note, wherever that is said, is not taken back again.

use std::collections::BTreeSet;

use rust_decimal::Decimal;

use crate::scene::Scene;
use reeve_domain::bill::{Bill, TakenBack};
use reeve_domain::book::Book;
use reeve_domain::exception::ExceptionType;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::Money;
use reeve_domain::record::{BillLine, PurchaseLine};
use reeve_domain::surplus::Surplus;

use super::checks::Checks;
use super::duplicate::REVERSAL_LEAST;
use super::gathered::company_of;
use super::matching::lines_of_bill;

/// The basis of a claim for what was paid twice.
pub(super) const BASIS_TWICE: &str = "billed and paid twice";

/// BLOCK-BILL.
pub(super) fn block(scene: &Scene<'_>, c: &mut Checks, bill: &str, disputed: Money) {
    let book = scene.book;
    let lines = lines_of_bill(book, bill);
    c.hard("bill exists", !lines.is_empty(), bill.to_owned());
    let unpaid = !lines.is_empty() && lines.iter().all(|l| book.is_unpaid(l));
    c.hard("bill is unpaid", unpaid, if lines.is_empty() { bill.to_owned() } else { settled(book, &lines) });
    // Without a due date nobody knows until when the block has to hold.
    let due = lines.iter().filter_map(|l| l.due_on).min();
    let detail = due.map_or_else(|| "unknown".to_owned(), |d| d.to_string());
    c.hard("due date is known", due.is_some(), detail);
    let total: rust_decimal::Decimal = lines.iter().filter_map(|l| Some(l.qty.0 * l.price?.0)).sum();
    let total = Money::from_decimal(total);
    let fits = disputed > Money::ZERO && disputed <= total;
    c.hard("disputed ≤ billed", fits, format!("{disputed} ≤ {total}"));
}

/// What has become of a bill, in words.
fn settled(book: &Book, lines: &[&BillLine]) -> String {
    let taken = lines.first().and_then(|l| book.taken_back(&l.bill_id));
    match taken {
        Some(taken) if taken.whole => taken.words(),
        _ if lines.iter().any(|l| !book.is_unpaid(l)) => {
            if lines.iter().any(|l| l.partly) { "paid in part" } else { "paid" }.into()
        }
        _ => "unpaid".to_owned(),
    }
}

/// REVERSE-DOC of a receipt, a bill or a customer's order.
pub(super) fn reverse(scene: &Scene<'_>, c: &mut Checks, document: &str, duplicate_of: &str) {
    let book = scene.book;
    if let Some((bill, other)) = named(scene, document, duplicate_of) {
        return reverse_bill(book, c, &bill, &other);
    }
    let receipt = |d: &str| book.moves_of_document(d).any(|m| m.done_at.is_some());
    let order = |d: &str| !book.sales_named(d).is_empty();
    let both = document != duplicate_of
        && ((receipt(document) && receipt(duplicate_of)) || (order(document) && order(duplicate_of)));
    c.hard("both documents exist", both, format!("{document} and {duplicate_of}"));
    if receipt(document) {
        let lines = book.surplus_of(document);
        let there = !lines.is_empty() && lines.iter().all(|surplus| is_still_there(scene, surplus));
        let shown = |s: &Surplus| format!("{} of {} {}", s.left(), s.booked, book.item_label(&s.place.0));
        let detail = match lines.as_slice() {
            [] => "nothing of it came to a place of ours".to_owned(),
            lines => lines.iter().map(shown).collect::<Vec<_>>().join(", "),
        };
        c.hard("surplus still on the books", there, detail);
        // A count that left the units in place speaks for them being
        // there. It may have been sloppy, so people decide.
        let counted = lines.iter().any(|s| s.counted);
        let detail = if counted { "what a count left there was there" } else { "no count since" };
        c.soft("no count since has confirmed it", !counted, detail.to_owned());
    }
    let undone = book.moves_of_document(document).any(|m| !book.moves_returning(&m.id).is_empty());
    c.hard("not already reversed", !undone, if undone { "goods went back".into() } else { "no reversal found".into() });
}

/// Is what a receipt booked in too much on the books as it was booked? What was taken out since, tolerances aside, a reversal
/// would take out a second time.
pub(super) fn is_still_there(scene: &Scene<'_>, surplus: &Surplus) -> bool {
    let (gone, booked) = (surplus.gone().to_f64(), surplus.booked.to_f64());
    let tolerances = &scene.settings.tolerances;
    let within = gone <= tolerances.quantity_units || gone <= booked * tolerances.quantity_percent / 100.0;
    surplus.left().is_positive() && within
}

/// Two bills by their names. Companies number alike, so the two must be in the same books, and in those of the case.
fn named<'b>(scene: &Scene<'b>, document: &str, duplicate_of: &str) -> Option<(Bill<'b>, Bill<'b>)> {
    let book = scene.book;
    let company = books_of(scene);
    let ours = |l: &&BillLine| l.company.is_none() || company.is_none() || l.company.as_deref() == company;
    let called = |name: &str| {
        // A bill that the ERP has not numbered yet goes by its id. In order of ids, each line once.
        let mut lines = book.bill_lines_named(name);
        lines.extend(book.lines_of_bill(name));
        lines.sort_by(|a, b| a.id.cmp(&b.id));
        lines.dedup_by(|a, b| a.id == b.id);
        Bill::of_lines(lines.into_iter().filter(ours))
    };
    let others = called(duplicate_of);
    called(document).into_iter().find_map(|bill| {
        let other = others.iter().find(|other| other.id != bill.id && other.same_books(&bill))?;
        Some((bill.clone(), other.clone()))
    })
}

/// The company whose books a case is about, where it is known: that of the bills it names goes first, since a charge has
/// no place.
fn books_of<'b>(scene: &Scene<'b>) -> Option<&'b str> {
    let bills: BTreeSet<&str> = scene.exceptions.iter().filter_map(|e| e.signal.subject.bill.as_deref()).collect();
    let lines = bills.into_iter().flat_map(|bill| scene.book.lines_of_bill(bill));
    let first = lines.filter(|l| l.company.is_some()).min_by(|a, b| a.id.cmp(&b.id));
    first.and_then(|l| l.company.as_deref()).or_else(|| company_of(scene))
}

fn reverse_bill(book: &Book, c: &mut Checks, bill: &Bill<'_>, other: &Bill<'_>) {
    let names = format!("{} and {}", bill.first.bill_name, other.first.bill_name);
    c.hard("both documents exist", true, names);
    let taken = book.taken_back(bill.id);
    let found =
        taken.map_or_else(|| "no credit note names it, and the ERP does not call it reversed".to_owned(), TakenBack::words);
    c.hard("not already reversed", taken.is_none(), found);
    // Money that has left does not come back by a reversal; it has to be asked for.
    let paid = bill.lines.iter().any(|l| l.paid);
    let found = match (paid, bill.lines.iter().any(|l| l.partly)) {
        (true, true) => "paid in part: ask for a refund",
        (true, false) => "paid: ask for a refund",
        (false, _) => "no payment found",
    };
    c.hard("not paid", !paid, found.to_owned());
    let gone = book.taken_back(other.id).filter(|taken| taken.whole);
    let found = gone.map_or_else(|| format!("{} stands", other.first.bill_name), TakenBack::words);
    c.hard("the other bill stands", gone.is_none(), found);
    // What was settled or taken back is compared no more: that is said above.
    if taken.is_none() && !paid && gone.is_none() {
        let repeat = book.repeats().iter().find(|r| r.later == bill.id && r.earlier == other.id);
        let found = repeat.map_or_else(
            || "nothing says any more that both ask for the same".to_owned(),
            |r| format!("{:.2}, at least {REVERSAL_LEAST:.2}", r.score),
        );
        c.hard("it still repeats the other", repeat.is_some_and(|r| r.score >= REVERSAL_LEAST), found);
    }
}

/// CLAIM for a bill that was paid twice and is for no order: nothing but the other bill speaks against it.
pub(super) fn claim_back(scene: &Scene<'_>, c: &mut Checks, supplier: &SupplierId, bill: &str, value: Money) {
    let book = scene.book;
    let lines = book.lines_of_bill(bill);
    let theirs = !lines.is_empty() && lines.iter().all(|l| l.supplier == *supplier);
    c.hard("bill is the supplier's", theirs, format!("bill {bill}, {} lines", lines.len()));
    let taken = book.taken_back(bill);
    let is_paid = !lines.is_empty() && lines.iter().all(|l| l.paid && !l.partly) && taken.is_none_or(|taken| !taken.whole);
    c.hard("bill is paid", is_paid, settled(book, &lines));
    // If the other bill was taken back as a whole, this one is the only one, and owed.
    let stands = |earlier: &str| book.taken_back(earlier).is_none_or(|taken| !taken.whole);
    let repeat = book.repeats().iter().find(|r| r.later == bill && r.paid && stands(&r.earlier));
    let found = repeat.map_or_else(
        || "nothing says, or nothing any more, that another bill that stands asks for the same".to_owned(),
        |r| format!("bill {}, {:.2}", r.earlier, r.score),
    );
    c.hard("it repeats another that stands", repeat.is_some(), found);
    let asked = total(lines.iter().copied()).unwrap_or(Money::ZERO);
    let owed = (asked - taken.map_or(Money::ZERO, |taken| taken.credited)).max(Money::ZERO);
    c.hard("value is owed and not yet credited", value > Money::ZERO && value <= owed, format!("{value} ≤ {owed}"));
}

/// What the lines of a bill come to. None where a price is not known in the company's currency.
pub(super) fn total<'b>(lines: impl IntoIterator<Item = &'b BillLine>) -> Option<Money> {
    lines.into_iter().map(|l| Some(l.qty.0 * l.price?.0)).sum::<Option<Decimal>>().map(Money::from_decimal)
}

/// What was paid twice with bills that touch some purchase lines: whole bills, with their charges, less what was credited.
pub(super) fn paid_twice(book: &Book, lines: &[String]) -> Money {
    let later: BTreeSet<&str> = book.repeats().iter().filter(|r| r.paid).map(|r| r.later.as_str()).collect();
    let owed = |bill: &str| {
        let theirs = book.lines_of_bill(bill);
        let touches = theirs.iter().any(|l| l.po_line.as_ref().is_some_and(|line| lines.contains(line)));
        let taken = book.taken_back(bill);
        if !touches || taken.is_some_and(|taken| taken.whole) {
            return None;
        }
        let credited = taken.map_or(Money::ZERO, |taken| taken.credited);
        Some((total(theirs)? - credited).max(Money::ZERO))
    };
    later.into_iter().filter_map(owed).sum()
}

/// What is billed of goods on a line that the case's receipts brought a second time, at the order's price.
pub(super) fn received_twice(scene: &Scene<'_>, line: &PurchaseLine) -> Money {
    let doubled = scene.exceptions.iter().filter(|e| e.signal.code == ExceptionType::RDup);
    let twice = doubled.filter_map(|e| {
        let surplus = scene.book.surplus_of(e.signal.subject.document.as_ref()?);
        Some(scene.book.billed_twice(&line.id, &surplus) * line.price?)
    });
    twice.max().unwrap_or(Money::ZERO)
}
