//! Suppliers' bills and credit notes, put together from their lines: what each asks, and what took it back.
//!
//! A reversal is said in many places: the bill's own state, the credit note's link to it, its origin, its text, or nothing but
//! the same lines with the other sign. Whoever looks at one of them only would have a bill reversed twice.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::bill_number::BillNumber;
use super::book::numeric;
use super::ids::SupplierId;
use super::money::{Money, Quantity};
use super::record::BillLine;
use super::supply::Supply;

/// What may be left of a bill that counts as taken back whole: cents that were rounded.
pub const ROUNDING: Money = Money::from_minor(5);

/// Signs that a supplier's number has at least, to be recognised within a text: a year or a day is found anywhere.
const NUMBER_LEAST: usize = 5;

/// A bill or a credit note with its lines.
#[derive(Clone, Debug)]
pub struct Bill<'b> {
    /// The ERP's id.
    pub id: &'b str,
    /// Its first line, for what all lines have in common.
    pub first: &'b BillLine,
    /// Its lines.
    pub lines: Vec<&'b BillLine>,
}

/// What a line is for, how much of it and at what price, without sign: a bill and its credit note compare.
type Goods<'b> = (Option<&'b str>, Decimal, Option<Decimal>);

impl<'b> Bill<'b> {
    /// Puts lines together, oldest bill first.
    pub fn of_lines(lines: impl IntoIterator<Item = &'b BillLine>) -> Vec<Self> {
        let mut by_id: BTreeMap<&str, Vec<&BillLine>> = BTreeMap::new();
        for line in lines {
            by_id.entry(&line.bill_id).or_default().push(line);
        }
        let whole = |(id, lines): (&'b str, Vec<&'b BillLine>)| {
            let first = *lines.first()?;
            Some(Self { id, first, lines })
        };
        let mut bills: Vec<Self> = by_id.into_iter().filter_map(whole).collect();
        bills.sort_by(|a, b| (a.first.created_at, numeric(a.id)).cmp(&(b.first.created_at, numeric(b.id))));
        bills
    }

    /// The sum in the company's currency. None where a price can not be converted.
    pub fn total(&self) -> Option<Money> {
        self.lines.iter().map(|l| Some(l.qty.0 * l.price?.0)).sum::<Option<Decimal>>().map(Money::from_decimal)
    }

    /// Does it give back instead of asking?
    pub fn is_credit(&self) -> bool {
        match self.total() {
            Some(total) => total < Money::ZERO,
            None => self.lines.iter().map(|l| l.qty).sum::<Quantity>() < Quantity::ZERO,
        }
    }

    /// Is it of the supplier and company of another? A company that is not known may be any.
    pub fn same_books(&self, other: &Bill<'_>) -> bool {
        let (a, b) = (&self.first.company, &other.first.company);
        self.first.supplier == other.first.supplier && (a.is_none() || b.is_none() || a == b)
    }

    /// Item and order line, quantity and price of each line, where any of them names goods; for comparing whole bills.
    fn goods(&self) -> Option<Vec<Goods<'b>>> {
        let named = |l: &&BillLine| l.item.is_some() || l.po_line.is_some();
        if !self.lines.iter().any(named) {
            return None;
        }
        let mut goods: Vec<_> = self
            .lines
            .iter()
            .map(|l| (l.item.as_ref().map(super::ids::ItemId::as_str), l.qty.0.abs(), l.price.map(|p| p.0)))
            .collect();
        goods.sort();
        Some(goods)
    }
}

/// What took a bill back, wholly or in part.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TakenBack {
    /// Is nothing left to pay?
    pub whole: bool,
    /// How much was credited, where credit notes say it.
    pub credited: Money,
    /// The credit notes (ids of bills).
    pub notes: BTreeSet<String>,
    /// Where it is said, in words.
    pub said: Vec<String>,
}

impl TakenBack {
    /// Where it is said, in one phrase.
    pub fn words(&self) -> String {
        self.said.join("; ")
    }
}

/// By bill: what took it back. Credit notes are tried by their link, then by the bill's name in their origin or text, then by
/// the supplier's number there, and last by equal lines.
pub fn taken_back(book: &Supply) -> BTreeMap<String, TakenBack> {
    let (notes, bills): (Vec<Bill<'_>>, Vec<Bill<'_>>) =
        Bill::of_lines(book.bill_lines.values()).into_iter().partition(Bill::is_credit);
    let mut found: BTreeMap<String, TakenBack> = BTreeMap::new();
    // The ERP's own word takes back the whole bill, also where no credit note says so.
    for bill in bills.iter().filter(|bill| bill.first.reversed) {
        let entry = found.entry(bill.id.to_owned()).or_default();
        entry.whole = true;
        entry.said.push(format!("the ERP calls {} reversed", bill.first.bill_name));
    }
    if notes.is_empty() {
        return found;
    }
    let register = Register::of(&bills);
    for note in &notes {
        let (named, how) = register.named_by(note, &found);
        let mut left = note.total().map(|total| -total);
        for bill in named {
            let entry = found.entry(bill.id.to_owned()).or_default();
            entry.notes.insert(note.id.to_owned());
            entry.said.push(format!("credit note {} {how} {}", note.first.bill_name, bill.first.bill_name));
            match (bill.total(), left) {
                // A note for several bills is used up from bill to bill, and no bill is credited beyond what it asks.
                (Some(total), Some(rest)) => {
                    let part = rest.min(total - entry.credited);
                    entry.credited += part;
                    left = Some(rest - part);
                    entry.whole |= entry.credited + ROUNDING >= total;
                }
                // No amount to go by: rather once too little than reversed twice.
                _ => entry.whole = true,
            }
        }
    }
    found
}

/// By credit note: the bills that it takes back, wholly or in part.
pub(super) fn by_note(taken_back: &BTreeMap<String, TakenBack>) -> BTreeMap<String, Vec<String>> {
    let mut bills: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (bill, taken) in taken_back {
        for note in &taken.notes {
            bills.entry(note.clone()).or_default().push(bill.clone());
        }
    }
    bills
}

/// Bills by what a credit note may call them.
struct Register<'r, 'b> {
    bills: &'r [Bill<'b>],
    by_id: BTreeMap<&'b str, usize>,
    by_name: BTreeMap<(&'b SupplierId, String), Vec<usize>>,
    by_number: BTreeMap<(&'b SupplierId, String), Vec<usize>>,
    by_goods: BTreeMap<(&'b SupplierId, Vec<Goods<'b>>), Vec<usize>>,
}

impl<'r, 'b> Register<'r, 'b> {
    fn of(bills: &'r [Bill<'b>]) -> Self {
        let mut register = Self {
            bills,
            by_id: BTreeMap::new(),
            by_name: BTreeMap::new(),
            by_number: BTreeMap::new(),
            by_goods: BTreeMap::new(),
        };
        for (at, bill) in bills.iter().enumerate() {
            let supplier = &bill.first.supplier;
            register.by_id.insert(bill.id, at);
            // A number or name alone can be on several bills, so lists are kept, and who asks decides what several mean.
            if let Some(goods) = bill.goods() {
                register.by_goods.entry((supplier, goods)).or_default().push(at);
            }
            register.by_name.entry((supplier, bill.first.bill_name.to_uppercase())).or_default().push(at);
            if let Some(number) = BillNumber::read(&bill.first.reference) {
                register.by_number.entry((supplier, number.compact())).or_default().push(at);
            }
        }
        register
    }

    /// The bills that a credit note is for, and how it says so.
    fn named_by(&self, note: &Bill<'b>, found: &BTreeMap<String, TakenBack>) -> (Vec<&'r Bill<'b>>, &'static str) {
        // A link is certain. Where its bill was not read, guessing by numbers would take back another one.
        if let Some(id) = &note.first.reverses {
            return (self.by_id.get(id.as_str()).map(|at| &self.bills[*at]).into_iter().collect(), "reverses");
        }
        let theirs =
            |ats: &Vec<usize>| -> Vec<usize> { ats.iter().copied().filter(|at| self.bills[*at].same_books(note)).collect() };
        let words = words(&[&note.first.origin, &note.first.reference]);
        let supplier = &note.first.supplier;
        let named: BTreeSet<usize> =
            words.iter().filter_map(|word| self.by_name.get(&(supplier, word.to_uppercase()))).flat_map(theirs).collect();
        if !named.is_empty() {
            return (named.into_iter().map(|at| &self.bills[at]).collect(), "names");
        }
        // A supplier's number stands for a bill only where one bill alone carries it.
        let numbered: BTreeSet<usize> = words
            .iter()
            .filter_map(|word| BillNumber::read(word))
            .map(|number| number.compact())
            .filter(|number| number.chars().count() >= NUMBER_LEAST)
            .filter_map(|number| self.by_number.get(&(supplier, number)).map(theirs))
            .filter(|ats| ats.len() == 1)
            .flatten()
            .collect();
        if !numbered.is_empty() {
            return (numbered.into_iter().map(|at| &self.bills[at]).collect(), "gives the supplier's number of");
        }
        // Equal lines prove least, so they come last: only the newest bill of before the note, and none that is taken back
        // already.
        let Some(goods) = note.goods() else { return (Vec::new(), "") };
        let mut equal = self.by_goods.get(&(supplier, goods)).into_iter().flat_map(theirs).map(|at| &self.bills[at]);
        let equal = equal.rfind(|bill| bill.first.created_at <= note.first.created_at && !found.contains_key(bill.id));
        (equal.into_iter().collect(), "has the lines of")
    }
}

/// The words of texts, without what stands around them.
fn words<'t>(texts: &[&'t str]) -> Vec<&'t str> {
    let around = |c: char| !c.is_alphanumeric();
    texts
        .iter()
        .flat_map(|text| text.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | ':' | '(' | ')')))
        .map(|word| word.trim_matches(around))
        .filter(|word| !word.is_empty())
        .collect()
}

impl Supply {
    /// All bills and credit notes, oldest first.
    pub fn all_bills(&self) -> Vec<Bill<'_>> {
        Bill::of_lines(self.bill_lines.values())
    }

    /// Bill lines (and credit notes) for a purchase line that stand: a bill that was taken back is not among them, and
    /// neither is what took it back, on whatever lines it was entered.
    pub fn bills(&self, line: &str) -> Vec<&BillLine> {
        let whole = |id: &str| self.taken_back.get(id).is_some_and(|taken| taken.whole);
        let mut bills = self.billed_on(line);
        bills.retain(|b| !whole(&b.bill_id) && !self.takes_back_only(&b.bill_id, whole));
        bills.sort_by_key(|b| (b.created_at, numeric(&b.id)));
        bills
    }

    /// Is a bill a credit note for none but bills of some kind?
    pub(super) fn takes_back_only(&self, note: &str, of_kind: impl Fn(&str) -> bool) -> bool {
        self.bills_of_note.get(note).is_some_and(|bills| bills.iter().all(|bill| of_kind(bill)))
    }

    /// Still to come on a purchase line: what its planned receipts say, or all of it where none is known.
    pub fn to_come(&self, line: &str) -> Quantity {
        if self.moves_of_po_line(line).is_empty() {
            return self.po_lines.get(line).map_or(Quantity::ZERO, |line| line.qty);
        }
        self.open_quantity(line)
    }

    /// What took a bill back, wholly or in part.
    pub fn taken_back(&self, bill: &str) -> Option<&TakenBack> {
        self.taken_back.get(bill)
    }

    /// Is there something to hold back on a bill's line? What is settled in part counts as paid, unless it was a credit note
    /// that settled it.
    pub fn is_unpaid(&self, line: &BillLine) -> bool {
        let taken = self.taken_back(&line.bill_id);
        match taken {
            Some(taken) if taken.whole => false,
            Some(_) => !line.paid || line.partly,
            None => !line.paid,
        }
    }
}
