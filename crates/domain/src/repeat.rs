//! Bills that ask twice for one thing (handbook §4.3, F-DUPBILL), with what speaks for it and against it.
//!
//! Suppliers bill twice on purpose: part deliveries, rent, subscriptions, freight. So equal amounts alone are nothing; the
//! supplier's own number and what was received decide. Where receipts cover both bills, both are owed.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rust_decimal::Decimal;

use super::bill::{Bill, ROUNDING};
use super::bill_number::{BillNumber, Numbers, compare};

use super::calendar::days_between;
use super::money::{Money, Quantity};
use super::record::BillLine;
use super::supply::Supply;

/// Days between two bills that can be one without a number that says so (handbook §4.3).
const DAYS: i32 = 3;
/// Days in which a number that comes again is the same bill: numbers that start anew each year come again after twelve months.
const NUMBER_DAYS: i32 = 548;
/// The same for another amount: a bill that was put right comes soon.
const CORRECTED_DAYS: i32 = 90;
/// Days apart from which a number may have started anew.
const YEAR: i32 = 300;
/// Days between two charges of a series: rent, subscriptions, a weekly run.
const PERIOD_LEAST: i32 = 5;
/// Days after which nobody asks for money back that was paid twice.
const REFUND_DAYS: i32 = 180;
/// Below this it is not even asked about.
const LEAST: f64 = 0.2;
/// From this on the later bill is taken for a repeat where quantities are added up.
const TAKEN: f64 = 0.5;
/// From this on money already paid is asked back.
const PAID_LEAST: f64 = 0.7;
/// Share of a line's billed quantity beyond receipts from which all of it is not covered, and up to which it is.
const UNCOVERED: f64 = 0.9;
const COVERED: f64 = 0.05;

/// Something that speaks for or against two bills being one.
#[derive(Clone, Debug, PartialEq)]
pub struct Evidence {
    /// For it, or against it?
    pub pro: bool,
    /// What, in words that carry no text from outside.
    pub what: String,
}

/// A bill that asks again for what an earlier one asks.
#[derive(Clone, Debug, PartialEq)]
pub struct Repeat {
    /// The bill that came first (id).
    pub earlier: String,
    /// The one that repeats it (id).
    pub later: String,
    /// How sure, 0 to 1.
    pub score: f64,
    /// Does it ask for the same goods in the same quantities?
    pub same_lines: bool,
    /// Does it ask the same amount?
    pub same_amount: bool,
    /// What speaks for it and against it.
    pub evidence: Vec<Evidence>,
    /// Has the later one been paid?
    pub paid: bool,
}

impl Repeat {
    /// Is the later bill taken for a repeat where quantities are added up?
    pub fn is_taken(&self) -> bool {
        self.score >= TAKEN
    }
}

/// All repeats of a book.
#[derive(Clone, Debug)]
pub(super) struct Repeats {
    found: Vec<Repeat>,
    /// The later bills of those that are taken for repeats.
    taken: BTreeSet<String>,
}

/// What receipts say of a bill's quantities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cover {
    /// Received on the lines as much as all their bills ask for.
    Covered,
    /// Not yet, but as much is still to come.
    Awaited,
    /// A part of it is beyond what was received.
    Partly,
    /// As much as the later bill asks for is beyond what was received.
    Uncovered,
    /// Nothing to hold it against: charges, bills without an order.
    Unknown,
}

/// A bill as it is compared.
struct Compared<'b> {
    bill: Bill<'b>,
    number: Option<BillNumber>,
    /// What it is about: by item, charges together. Quantity and amount, in `currency`.
    content: BTreeMap<&'b str, (Decimal, Decimal)>,
    currency: Option<&'b str>,
    total: Money,
    /// Neither goods nor an order.
    charge: bool,
}

impl<'b> Compared<'b> {
    /// None where nothing is asked for, or a price is not known in any one currency.
    fn of(book: &Supply, bill: Bill<'b>) -> Option<Self> {
        let free = |l: &BillLine| l.price.is_some_and(|p| p.0.is_zero());
        let asked: Vec<&BillLine> = bill.lines.iter().copied().filter(|l| !free(l)).collect();
        let abroad: BTreeSet<Option<&str>> = asked.iter().map(|l| l.foreign.as_ref().map(|f| f.currency.as_str())).collect();
        let currency = if abroad.len() == 1 { abroad.into_iter().next().flatten() } else { None };
        let mut content: BTreeMap<&str, (Decimal, Decimal)> = BTreeMap::new();
        let mut total = Decimal::ZERO;
        for line in asked {
            let price = match (&line.foreign, currency) {
                (Some(foreign), Some(_)) => foreign.price,
                _ => line.price?,
            };
            let amount = line.qty.0 * price.0;
            total += amount;
            let entry = content.entry(line.item.as_ref().map_or("", |item| item.as_str())).or_default();
            // How often a charge is counted says nothing: 1 × 85.00 or 85 × 1.00.
            entry.0 += if line.item.is_some() { line.qty.0 } else { Decimal::ZERO };
            entry.1 += amount;
        }
        let charge = bill.lines.iter().all(|l| l.item.is_none() && ordered(book, l).is_none());
        let total = Money::from_decimal(total);
        let number = own_number(book, &bill);
        (total > Money::ZERO).then_some(Self { bill, number, content, currency, total, charge })
    }

    fn day(&self) -> Date {
        self.bill.first.billed_on
    }

    fn same_total(&self, other: &Self) -> bool {
        self.currency == other.currency && (self.total - other.total).abs() <= ROUNDING
    }

    /// The same goods in the same quantities for the same money, cents that were rounded aside.
    fn same_lines(&self, other: &Self) -> bool {
        let close = |a: Decimal, b: Decimal| Money::from_decimal(a - b).abs() <= ROUNDING;
        self.same_total(other)
            && self.content.len() == other.content.len()
            && self.content.iter().zip(&other.content).all(|((a, x), (b, y))| a == b && x.0 == y.0 && close(x.1, y.1))
    }

    /// Does it take something off, such as a down payment?
    fn deducts(&self) -> bool {
        self.bill.lines.iter().any(|l| l.qty < Quantity::ZERO || l.price.is_some_and(|p| p.0 < Decimal::ZERO))
    }
}

fn ordered<'b>(book: &'b Supply, line: &BillLine) -> Option<&'b super::record::PurchaseLine> {
    book.po_lines.get(line.po_line.as_ref()?)
}

/// The supplier's number of a bill. The name of its order is none: it stands on all bills of the order.
fn own_number(book: &Supply, bill: &Bill<'_>) -> Option<BillNumber> {
    let number = BillNumber::read(&bill.first.reference)?;
    let names_order =
        bill.lines.iter().filter_map(|l| ordered(book, l)).any(|l| l.order_name == bill.first.reference.trim());
    (!names_order && bill.first.origin.trim() != bill.first.reference.trim()).then_some(number)
}

impl Supply {
    /// Bills that ask twice for one thing, each once, the later bill with the earlier that it repeats most surely.
    pub fn repeats(&self) -> &[Repeat] {
        &self.all_repeats().found
    }

    fn all_repeats(&self) -> &Repeats {
        self.repeats.get_or_init(|| {
            let found = repeats(self);
            let taken = found.iter().filter(|r| r.is_taken()).map(|r| r.later.clone()).collect();
            Repeats { found, taken }
        })
    }

    /// The bills of a purchase line without those that repeat another: what the supplier asks for the line.
    pub fn asked(&self, line: &str) -> Vec<&BillLine> {
        self.bills_without(line, |bill| self.all_repeats().taken.contains(bill))
    }

    /// The bills of a purchase line that stand, without some and without the credit notes for them: what was taken off a
    /// repeat was not taken off the bill that it repeats.
    fn bills_without(&self, line: &str, repeats: impl Fn(&str) -> bool) -> Vec<&BillLine> {
        let gone = |id: &str| repeats(id) || self.taken_back(id).is_some_and(|taken| taken.whole);
        let mut bills = self.bills(line);
        bills.retain(|b| !repeats(&b.bill_id) && !self.takes_back_only(&b.bill_id, gone));
        bills
    }
}

fn repeats(book: &Supply) -> Vec<Repeat> {
    let stands = |bill: &Bill<'_>| !bill.is_credit() && book.taken_back(bill.id).is_none_or(|taken| !taken.whole);
    let mut bills: Vec<Compared<'_>> =
        book.all_bills().into_iter().filter(stands).filter_map(|bill| Compared::of(book, bill)).collect();
    forget_contracts(&mut bills);
    let mut pairs = pairs(&bills);
    // The surest first: what is a repeat by its number no longer makes another bill look like one by the quantities.
    pairs.sort_by_key(|(rank, earlier, later)| (*rank, *later, *earlier));
    let mut found: Vec<Repeat> = Vec::new();
    let mut taken: BTreeSet<&str> = BTreeSet::new();
    let mut settled: BTreeSet<&str> = BTreeSet::new();
    let charges = Charges::of(&bills);
    for (_, earlier, later) in pairs {
        let (a, b) = (&bills[earlier], &bills[later]);
        if taken.contains(a.bill.id) || settled.contains(b.bill.id) {
            continue;
        }
        let Some(repeat) = weigh(book, &charges, a, b, &taken) else { continue };
        settled.insert(b.bill.id);
        if repeat.score >= TAKEN {
            taken.insert(b.bill.id);
        }
        found.push(repeat);
    }
    found.sort_by(|a, b| (super::book::numeric(&a.later)).cmp(&super::book::numeric(&b.later)));
    found
}

/// A number that stands on bill after bill, period after period, names a contract or a customer and no bill.
fn forget_contracts(bills: &mut [Compared<'_>]) {
    let mut days: BTreeMap<(String, String), BTreeSet<Date>> = BTreeMap::new();
    let key = |b: &Compared<'_>| Some((b.bill.first.supplier.to_string(), b.number.as_ref()?.compact()));
    for bill in bills.iter() {
        if let Some(key) = key(bill) {
            days.entry(key).or_default().insert(bill.day());
        }
    }
    days.retain(|_, days| periods(days) >= 3);
    for bill in bills.iter_mut() {
        if key(bill).is_some_and(|key| days.contains_key(&key)) {
            bill.number = None;
        }
    }
}

/// How many of the days are a period apart from the one before.
fn periods(days: &BTreeSet<Date>) -> usize {
    let mut last: Option<Date> = None;
    let mut count = 0;
    for day in days {
        if last.is_none_or(|last| days_between(last, *day) >= PERIOD_LEAST) {
            count += 1;
            last = Some(*day);
        }
    }
    count
}

/// Bills that are worth comparing, by position, with how much their numbers say: equal numbers first.
fn pairs(bills: &[Compared<'_>]) -> Vec<(u8, usize, usize)> {
    // By number, and by amount: cents apart fall into the same or the next drawer.
    let mut drawers: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
    for (at, bill) in bills.iter().enumerate() {
        let supplier = bill.bill.first.supplier.as_str();
        let drawer = bill.total.minor / (ROUNDING.minor + 1);
        for key in [drawer, drawer + 1] {
            drawers.entry((supplier, format!("{key} {}", bill.currency.unwrap_or_default()))).or_default().push(at);
        }
        if let Some(number) = &bill.number {
            drawers.entry((supplier, format!("number {}", number.compact()))).or_default().push(at);
        }
    }
    let mut pairs = BTreeSet::new();
    for ats in drawers.values() {
        for (nth, later) in ats.iter().enumerate() {
            for earlier in &ats[..nth] {
                let (a, b) = (&bills[*earlier], &bills[*later]);
                let rank = match compare(a.number.as_ref(), b.number.as_ref()) {
                    Numbers::Same => 0,
                    Numbers::Alike => 1,
                    Numbers::Unknown => 2,
                    Numbers::Other => 3,
                };
                let most = if rank < 2 { NUMBER_DAYS } else { DAYS };
                if days_between(a.day(), b.day()).abs() <= most && a.bill.same_books(&b.bill) {
                    pairs.insert((rank, *earlier, *later));
                }
            }
        }
    }
    pairs.into_iter().collect()
}

/// Bills that are for neither goods nor an order, by supplier.
struct Charges<'c, 'b>(BTreeMap<&'c str, Vec<&'c Compared<'b>>>);

impl<'c, 'b> Charges<'c, 'b> {
    fn of(bills: &'c [Compared<'b>]) -> Self {
        let mut charges: BTreeMap<&str, Vec<&Compared<'b>>> = BTreeMap::new();
        for bill in bills.iter().filter(|bill| bill.charge) {
            charges.entry(bill.bill.first.supplier.as_str()).or_default().push(bill);
        }
        Self(charges)
    }

    /// The days on which the supplier of a bill has charged the same amount.
    fn days_of(&self, bill: &Compared<'_>) -> BTreeSet<Date> {
        let theirs = self.0.get(bill.bill.first.supplier.as_str()).into_iter().flatten();
        theirs.filter(|c| c.bill.same_books(&bill.bill) && c.same_total(bill)).map(|c| c.day()).collect()
    }
}

/// Weighs what speaks for two bills being one against what does not. None where it is not worth a question.
fn weigh(
    book: &Supply,
    charged: &Charges<'_, '_>,
    a: &Compared<'_>,
    b: &Compared<'_>,
    taken: &BTreeSet<&str>,
) -> Option<Repeat> {
    let apart = days_between(a.day(), b.day()).abs();
    let numbers = compare(a.number.as_ref(), b.number.as_ref());
    let (same_lines, same_amount) = (a.same_lines(b), a.same_total(b));
    let mut evidence = Vec::new();
    let mut say = |pro: bool, what: String| evidence.push(Evidence { pro, what });
    let mut score: f64 = match (numbers, same_lines, same_amount) {
        (Numbers::Same, _, true) | (Numbers::Alike, true, _) => 1.0,
        (Numbers::Same, _, false) if apart <= CORRECTED_DAYS => 0.5,
        (Numbers::Alike, false, true) => 0.7,
        (Numbers::Unknown, true, _) => 0.8,
        (Numbers::Unknown, false, true) => 0.5,
        (Numbers::Other, true, _) => 0.6,
        _ => return None,
    };
    match numbers {
        Numbers::Same => say(true, "both carry the same number of the supplier".into()),
        Numbers::Alike => say(true, "their numbers differ by a short addition only".into()),
        Numbers::Unknown => say(false, "at least one has no number of its own".into()),
        Numbers::Other => say(false, "each has a number of its own".into()),
    }
    match (same_lines, same_amount) {
        (true, _) => say(true, "they ask for the same in the same quantities and amounts".into()),
        (false, true) => say(true, "they ask for the same amount".into()),
        (false, false) => say(false, "they ask for different amounts".into()),
    }
    if apart <= DAYS {
        say(true, format!("{apart} days lie between them"));
    }
    let charges = a.charge && b.charge;
    match cover(book, b, taken) {
        Cover::Covered => return None,
        Cover::Awaited | Cover::Partly if numbers == Numbers::Other => return None,
        Cover::Uncovered => {
            say(true, "the quantities of the later one are beyond what was received".into());
            score = 1.0 - (1.0 - score) * 0.3;
        }
        Cover::Awaited => {
            say(false, "the order still expects as much as the later one asks for".into());
            score *= 0.5;
        }
        Cover::Partly => {
            say(false, "a part of the later one was received".into());
            score *= 0.7;
        }
        Cover::Unknown if charges => {
            let regular = periods(&charged.days_of(b));
            if numbers != Numbers::Same && (numbers == Numbers::Other || regular >= 3) {
                return None;
            }
            if regular >= 3 {
                say(false, format!("this supplier has charged the amount in {regular} periods"));
                score *= 0.6;
            } else if apart > DAYS {
                say(false, format!("it is a charge without an order, {apart} days later"));
                score *= 0.7;
            } else {
                say(false, "it is a charge without an order: such charges repeat".into());
                score *= if numbers == Numbers::Unknown { 0.6 } else { 0.8 };
            }
        }
        Cover::Unknown => {
            say(false, "no receipt says whether it came once or twice".into());
            score *= if numbers == Numbers::Other { 0.55 } else { 0.85 };
        }
    }
    if numbers == Numbers::Same && apart >= YEAR {
        say(false, "a year lies between them: numbers may have started anew".into());
        score *= 0.6;
    }
    if !same_lines && (a.deducts() || b.deducts()) {
        say(false, "one of them settles a down payment".into());
        score *= 0.5;
    }
    if let Some(taken) = book.taken_back(b.bill.id) {
        say(false, format!("{} was credited already ({})", taken.credited, taken.words()));
    }
    let paid = !b.bill.lines.iter().any(|l| book.is_unpaid(l));
    if paid {
        say(false, "it has been paid".into());
        if score < PAID_LEAST || days_between(b.day(), book.today) > REFUND_DAYS {
            return None;
        }
    }
    let score = (score * 100.0).round() / 100.0;
    let (earlier, later) = (a.bill.id.to_owned(), b.bill.id.to_owned());
    (score >= LEAST).then_some(Repeat { earlier, later, score, same_lines, same_amount, evidence, paid })
}

/// Holds the later bill's quantities against the receipts of its lines. What other bills repeat does not count.
fn cover(book: &Supply, later: &Compared<'_>, taken: &BTreeSet<&str>) -> Cover {
    let mut by_line: BTreeMap<&str, Quantity> = BTreeMap::new();
    let (mut linked, mut beyond, mut never, mut all) = (0.0, 0.0, 0.0, 0.0);
    for line in &later.bill.lines {
        let value = line.qty.to_f64()
            * line.price.or(line.foreign.as_ref().map(|f| f.price)).map_or(0.0, super::money::UnitPrice::to_f64);
        all += value.max(0.0);
        if let Some(ordered) = ordered(book, line).filter(|_| line.qty.is_positive() && value > 0.0) {
            linked += value;
            *by_line.entry(ordered.id.as_str()).or_default() += line.qty;
        }
    }
    for (id, qty) in &by_line {
        let billed: Quantity = book.bills_without(id, |bill| taken.contains(bill)).into_iter().map(|b| b.qty).sum();
        let over = billed - book.received(id);
        let within = |over: Quantity| over.min(*qty).max(Quantity::ZERO).to_f64();
        let share = value_of(later, id) / qty.to_f64();
        beyond += within(over) * share;
        never += within(over - book.to_come(id)) * share;
    }
    if linked <= 0.0 || linked < all / 2.0 {
        Cover::Unknown
    } else if beyond <= linked * COVERED {
        Cover::Covered
    } else if never >= linked * UNCOVERED {
        Cover::Uncovered
    } else if never <= linked * COVERED {
        Cover::Awaited
    } else {
        Cover::Partly
    }
}

fn value_of(bill: &Compared<'_>, line: &str) -> f64 {
    let price = |l: &BillLine| l.price.or(l.foreign.as_ref().map(|f| f.price)).map_or(0.0, super::money::UnitPrice::to_f64);
    let theirs = bill.bill.lines.iter().filter(|l| l.po_line.as_deref() == Some(line) && l.qty.is_positive());
    theirs.map(|l| l.qty.to_f64() * price(l)).sum()
}
