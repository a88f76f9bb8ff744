//! Matching: order, receipts and bills of a line side by side, exact to the cent (handbook §3.4, bill check), and what to do
//! about money that is billed but not owed.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::domain::action::{Action, Range};
use crate::domain::book::Book;
use crate::domain::calendar::plus_days;
use crate::domain::evidence::FactValue;
use crate::domain::ids::FactId;
use crate::domain::money::{Money, Quantity, UnitPrice};
use crate::domain::record::{BillLine, PurchaseLine, RecordKind, RecordRef};

use super::desk::{Desk, Proposal, Question, line_ref};

/// Share of a disputed amount that is paid after all although the bill was blocked.
pub(super) const LEFT_AFTER_BLOCK: f64 = 0.05;
/// Share of a claim that is not credited.
pub(super) const LEFT_AFTER_CLAIM: f64 = 0.2;
/// Share that remains after merely asking the supplier for a corrected bill.
pub(super) const LEFT_AFTER_CONTACT: f64 = 0.5;
/// Days after the receipt (or the bill) in which a claim can be made.
pub(super) const CLAIM_DAYS: i32 = 30;
/// The basis of a claim that follows from the bill check.
pub(super) const BASIS_BILL: &str = "billed more than was received or agreed";

/// A purchase line beside its bills.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ThreeWay {
    /// Billed, credit notes taken off.
    pub billed: Quantity,
    /// Received, less what went back to be credited.
    pub received: Quantity,
    /// (billed − received) × PO price.
    pub quantity_variance: Money,
    /// Σ (bill price − PO price) × billed.
    pub price_variance: Money,
    /// Billed total − received × PO price: exactly the sum of the two.
    pub total: Money,
}

/// The bill check of a line. None where it is not billed, or a price can not be expressed in the company's currency.
pub(super) fn three_way(book: &Book, line: &PurchaseLine) -> Option<ThreeWay> {
    let bills = book.bills(&line.id);
    let agreed = line.price?.0;
    if bills.is_empty() {
        return None;
    }
    let received = book.billable(line);
    let mut billed = Decimal::ZERO;
    let mut value = Decimal::ZERO;
    for bill in bills {
        billed += bill.qty.0;
        value += bill.qty.0 * bill.price?.0;
    }
    let quantity = (billed - received.0) * agreed;
    let price = value - billed * agreed;
    let total = Money::from_decimal(quantity + price);
    let quantity_variance = Money::from_decimal(quantity);
    // The price part takes the rounding, so that the two add up to the cent.
    Some(ThreeWay {
        billed: Quantity(billed),
        received,
        quantity_variance,
        price_variance: total - quantity_variance,
        total,
    })
}

/// The lines of a bill by its id or its name.
pub(super) fn lines_of_bill<'b>(book: &'b Book, bill: &str) -> Vec<&'b BillLine> {
    let by_id: Vec<&BillLine> = book.bill_lines.values().filter(|b| b.bill_id == bill).collect();
    if by_id.is_empty() { book.bill_lines.values().filter(|b| b.bill_name == bill).collect() } else { by_id }
}

/// A bill's name for people: its id where the ERP has not numbered it yet.
pub(super) fn bill_name(line: &BillLine) -> String {
    if line.bill_name.is_empty() || line.bill_name == "/" { line.bill_id.clone() } else { line.bill_name.clone() }
}

/// The parts of a line.
pub(super) fn keys(line: &str) -> [String; 3] {
    [format!("bill:{line}/quantity"), format!("bill:{line}/price"), format!("order:{line}/price")]
}

/// Everything disputed in a case, gathered over its exceptions before actions are made: one block for a bill, one claim for a
/// supplier.
#[derive(Default)]
pub(super) struct Disputes {
    lines: BTreeSet<String>,
}

impl Disputes {
    /// Lays out a line's bill check and counts what would be paid too much. `quantity` and `price` say which of the two the
    /// exception is about.
    pub(super) fn add(&mut self, desk: &mut Desk<'_>, line_id: &str, quantity: bool, price: bool) {
        let book = desk.view.book;
        let Some(line) = book.po_lines.get(line_id) else {
            desk.miss(format!("purchase line {line_id}"), "the bill check");
            return;
        };
        let Some(agreed) = line.price else {
            desk.miss(format!("price of {} in company currency", line.order_name), "the bill check");
            return;
        };
        let bills = book.bills(line_id);
        if bills.is_empty() {
            return;
        }
        let Some(check) = three_way(book, line) else {
            desk.miss(format!("billed price of {} in company currency", line.order_name), "the bill check");
            return;
        };
        let cites = lay_out(desk, line, agreed, &check);
        let [quantity_key, price_key, _] = keys(line_id);
        let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
        if quantity {
            let amount = Range::certain(check.quantity_variance);
            desk.lose(&quantity_key, format!("billed but not received: {name}"), amount, cites.clone());
        }
        if price {
            desk.lose(
                &price_key,
                format!("billed above the agreed price: {name}"),
                Range::certain(check.price_variance),
                cites,
            );
        }
        self.lines.insert(line_id.to_owned());
    }

    /// The actions against what was gathered.
    pub(super) fn act(&self, desk: &mut Desk<'_>) {
        let book = desk.view.book;
        let mut by_bill: BTreeMap<String, Vec<&PurchaseLine>> = BTreeMap::new();
        let mut by_supplier: BTreeMap<&str, Vec<&PurchaseLine>> = BTreeMap::new();
        for line in self.lines.iter().filter_map(|id| book.po_lines.get(id)) {
            by_supplier.entry(line.supplier.as_str()).or_default().push(line);
            let newest = book.bills(&line.id).into_iter().rfind(|b| b.qty.is_positive());
            if let Some(bill) = newest {
                by_bill.entry(bill.bill_id.clone()).or_default().push(line);
            }
        }
        for (bill, lines) in &by_bill {
            block(desk, bill, lines);
            accept(desk, bill, lines);
        }
        for lines in by_supplier.values() {
            claim_and_ask(desk, lines);
        }
    }
}

fn lay_out(desk: &mut Desk<'_>, line: &PurchaseLine, agreed: UnitPrice, check: &ThreeWay) -> Vec<FactId> {
    let source = line_ref(&line.id);
    let mut cites = vec![
        desk.fact(source.clone(), "qty", "ordered", FactValue::Quantity(line.qty)),
        desk.fact(source.clone(), "price", "agreed price", FactValue::Price(agreed)),
        desk.fact(source.clone(), "received", "received, less returns", FactValue::Quantity(check.received)),
        desk.fact(source.clone(), "billed", "billed, less credit notes", FactValue::Quantity(check.billed)),
        desk.fact(source.clone(), "quantity_variance", "quantity variance", FactValue::Money(check.quantity_variance)),
        desk.fact(source.clone(), "price_variance", "price variance", FactValue::Money(check.price_variance)),
        desk.fact(source, "bill_variance", "billed beyond what is owed", FactValue::Money(check.total)),
    ];
    let bills: Vec<BillLine> = desk.view.book.bills(&line.id).into_iter().cloned().collect();
    for bill in bills {
        cites.extend(bill_facts(desk, &bill));
    }
    cites
}

/// The facts of a bill's line.
pub(super) fn bill_facts(desk: &mut Desk<'_>, bill: &BillLine) -> Vec<FactId> {
    let source = RecordRef::new(RecordKind::BillLine, bill.id.clone());
    let name = bill_name(bill);
    let mut cites = vec![desk.fact(source.clone(), "qty", &format!("billed on {name}"), FactValue::Quantity(bill.qty))];
    if let Some(price) = bill.price {
        cites.push(desk.fact(source.clone(), "price", &format!("price on {name}"), FactValue::Price(price)));
    }
    if let Some(due) = bill.due_on {
        cites.push(desk.fact(source.clone(), "due_on", &format!("{name} is due"), FactValue::Date(due)));
    }
    let paid = if bill.paid { "paid" } else { "unpaid" };
    cites.push(desk.fact(source, "paid", &format!("payment of {name}"), FactValue::Text(paid.into())));
    cites
}

/// What a line's order asks beyond the price list of its day, with the list's entry. None where a price is not known.
pub(super) fn above_list(book: &Book, line: &PurchaseLine) -> Option<(Money, String, UnitPrice)> {
    let entry = book.list_entry(line)?;
    let list = book.list_price(line, entry)?;
    Some((line.qty * UnitPrice(line.price?.0 - list.0), entry.id.clone(), list))
}

/// A price above the supplier's list when the order was placed: what was ordered is paid too dearly, whether or not the bill
/// repeats the order's price. Once there is a bill it can be disputed; before, it can only be asked about.
pub(super) fn ordered_above_list(desk: &mut Desk<'_>, line_id: &str, disputes: &mut Disputes) {
    let book = desk.view.book;
    let Some(line) = book.po_lines.get(line_id) else {
        desk.miss(format!("purchase line {line_id}"), "the price variance");
        return;
    };
    let Some(agreed) = line.price else {
        desk.miss(format!("price of {} in company currency", line.order_name), "the price variance");
        return;
    };
    let Some((variance, id, list)) = above_list(book, line) else {
        desk.miss(format!("list price of {} for {}", line.order_name, book.item_label(&line.item)), "the price variance");
        return;
    };
    let source = line_ref(&line.id);
    let cites = vec![
        desk.fact(source.clone(), "qty", "ordered", FactValue::Quantity(line.qty)),
        desk.fact(source.clone(), "price", "price on the order", FactValue::Price(agreed)),
        desk.fact(RecordRef::new(RecordKind::SupplierPrice, id), "price", "supplier's list price", FactValue::Price(list)),
        desk.fact(source.clone(), "order_variance", "order beyond the list price", FactValue::Money(variance)),
    ];
    let [.., key] = keys(&line.id);
    let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
    desk.lose(&key, format!("ordered above the list price: {name}"), Range::certain(variance), cites.clone());
    if !book.bills(line_id).is_empty() {
        disputes.lines.insert(line_id.to_owned());
        return;
    }
    let about = format!("the price on order {}: the price list says {list}, the order {agreed}", line.order_name);
    desk.contact(&Question {
        role: "supplier",
        partner: line.supplier.as_str(),
        about: &about,
        keys: &[key],
        left: LEFT_AFTER_CONTACT,
        // Until the goods are paid for the price can be put right.
        latest: plus_days(book.calendar.day_of(line.promised), CLAIM_DAYS),
        source,
    });
    desk.proposals.push(accepted(desk, &line.order_name, variance, cites));
}

fn disputed(desk: &Desk<'_>, lines: &[&PurchaseLine]) -> (Money, Vec<String>) {
    let keys: Vec<String> = lines.iter().flat_map(|l| keys(&l.id)).filter(|k| desk.parts.contains_key(k)).collect();
    (keys.iter().map(|k| desk.lost(k).expected).sum(), keys)
}

/// The cost of a dispute, with its fact.
pub(super) fn paperwork(desk: &mut Desk<'_>, source: RecordRef) -> (Money, FactId) {
    let cost = desk.view.config.costs.paperwork;
    (cost, desk.fact(source, "cost_paperwork", "cost of the paperwork (setting)", FactValue::Money(cost)))
}

fn block(desk: &mut Desk<'_>, bill: &str, lines: &[&PurchaseLine]) {
    let book = desk.view.book;
    let (amount, keys) = disputed(desk, lines);
    let Some(first) = lines_of_bill(book, bill).into_iter().next() else { return };
    if amount <= Money::ZERO {
        return;
    }
    let source = RecordRef::new(RecordKind::BillLine, first.id.clone());
    let (cost, cost_cite) = paperwork(desk, source.clone());
    let contact = desk.view.config.costs.contact;
    let cites = vec![
        cost_cite,
        desk.fact(source.clone(), "disputed", "disputed", FactValue::Money(amount)),
        desk.assume(source, "block_left", "share that is paid although blocked", LEFT_AFTER_BLOCK),
    ];
    let latest = first.due_on.unwrap_or(book.today).max(desk.tomorrow());
    desk.proposals.push(Proposal {
        action: Action::BlockBill { bill: bill.to_owned(), disputed: amount, reason: BASIS_BILL.into() },
        summary: format!(
            "Keep {amount} of bill {} from {} unpaid until it is cleared.",
            bill_name(first),
            book.supplier_name(&first.supplier)
        ),
        after: Desk::leaving(&keys, LEFT_AFTER_BLOCK),
        cost,
        // A bill blocked for nothing costs the explanation.
        regret: contact,
        value: amount,
        latest,
        cites,
        change: None,
    });
}

fn accept(desk: &mut Desk<'_>, bill: &str, lines: &[&PurchaseLine]) {
    let book = desk.view.book;
    let listed = |l: &&PurchaseLine| {
        let [.., key] = keys(&l.id);
        desk.lost(&key).expected
    };
    let billed: Money = lines.iter().filter_map(|l| three_way(book, l)).map(|c| c.total).sum();
    let variance = billed + lines.iter().map(listed).sum::<Money>();
    if variance == Money::ZERO {
        return;
    }
    let Some(name) = lines_of_bill(book, bill).first().map(|b| bill_name(b)) else { return };
    let variances = ["bill_variance", "order_variance"];
    let cites = lines.iter().flat_map(|l| variances.map(|field| FactId::new(format!("po_line:{}/{field}", l.id)))).collect();
    let proposal = accepted(desk, &name, variance, cites);
    desk.proposals.push(proposal);
}

/// Accepting a variance: nothing is won and nothing is spent.
pub(super) fn accepted(desk: &Desk<'_>, document: &str, variance: Money, cites: Vec<FactId>) -> Proposal {
    let mut proposal = Proposal::idle(
        Action::AcceptVar { document: document.to_owned(), variance, reason: "within what the business accepts".into() },
        if variance < Money::ZERO {
            format!("Accept that {document} asks {} less than was agreed.", variance.abs())
        } else {
            format!("Accept the variance of {variance} on {document} as it is.")
        },
        desk.today_plus(CLAIM_DAYS),
    );
    proposal.value = variance.abs();
    proposal.cites = cites;
    proposal
}

/// The last day of the claim window of some lines: thirty days after the newest receipt, or the bill where nothing came.
pub(super) fn claim_until(book: &Book, lines: &[&PurchaseLine]) -> Option<jiff::civil::Date> {
    lines
        .iter()
        .filter_map(|l| {
            let received = book.receipts(&l.id).last().and_then(|m| m.done_at).map(|at| book.calendar.day_of(at));
            received.max(book.bills(&l.id).last().map(|b| b.billed_on))
        })
        .max()
        .map(|day| plus_days(day, CLAIM_DAYS))
}

fn claim_and_ask(desk: &mut Desk<'_>, lines: &[&PurchaseLine]) {
    let book = desk.view.book;
    let Some(first) = lines.first() else { return };
    let (amount, keys) = disputed(desk, lines);
    let source = line_ref(&first.id);
    let until = claim_until(book, lines).unwrap_or(book.today);
    if amount > Money::ZERO {
        let (cost, cost_cite) = paperwork(desk, source.clone());
        let quantity: Quantity =
            lines.iter().filter_map(|l| three_way(book, l)).map(|c| (c.billed - c.received).max(Quantity::ZERO)).sum();
        let cites = vec![
            cost_cite,
            desk.fact(source.clone(), "claim_value", "claim", FactValue::Money(amount)),
            desk.fact(source.clone(), "claim_quantity", "units billed but not received", FactValue::Quantity(quantity)),
            desk.assume(source.clone(), "claim_left", "share of claims that is not credited", LEFT_AFTER_CLAIM),
        ];
        desk.proposals.push(Proposal {
            action: Action::Claim {
                supplier: first.supplier.clone(),
                lines: lines.iter().map(|l| l.id.clone()).collect(),
                quantity,
                value: amount,
                basis: BASIS_BILL.into(),
            },
            summary: format!(
                "Claim {amount} from {} on {}.",
                book.supplier_name(&first.supplier),
                lines
                    .iter()
                    .map(|l| l.order_name.as_str())
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect::<Vec<_>>()
                    .join(", ")
            ),
            after: Desk::leaving(&keys, LEFT_AFTER_CLAIM),
            cost,
            regret: desk.view.config.costs.contact,
            value: amount,
            latest: until,
            cites,
            change: None,
        });
    }
    if amount <= Money::ZERO {
        // Nothing is owed to us: there is nothing to ask about.
        return;
    }
    let above_list = keys.iter().any(|k| k.starts_with("order:") && desk.lost(k).expected > Money::ZERO);
    let about = if above_list {
        format!("the price on order {}, which is above the price list of that day", first.order_name)
    } else {
        format!("the difference between bill, order and receipt on {}", first.order_name)
    };
    desk.contact(&Question {
        role: "supplier",
        partner: first.supplier.as_str(),
        about: &about,
        keys: &keys,
        left: LEFT_AFTER_CONTACT,
        latest: until,
        source,
    });
}

/// Goods of one line that were received and are of no use.
pub(super) struct Fault<'f> {
    pub quantity: Quantity,
    pub value: Money,
    pub basis: &'f str,
    /// Share that the claim does not bring back on average.
    pub left: f64,
}

/// A claim for such goods.
pub(super) fn claim(desk: &mut Desk<'_>, line: &PurchaseLine, fault: &Fault<'_>, keys: &[String]) {
    let Fault { quantity, value, basis, left } = *fault;
    if value <= Money::ZERO {
        return;
    }
    let book = desk.view.book;
    let source = line_ref(&line.id);
    let (cost, cost_cite) = paperwork(desk, source.clone());
    let cites = vec![
        cost_cite,
        desk.fact(source.clone(), "fault_value", "claim", FactValue::Money(value)),
        desk.fact(source.clone(), "fault_quantity", "units claimed", FactValue::Quantity(quantity)),
        desk.assume(source, "fault_left", "share of such claims that is not credited", left),
    ];
    desk.proposals.push(Proposal {
        action: Action::Claim {
            supplier: line.supplier.clone(),
            lines: vec![line.id.clone()],
            quantity,
            value,
            basis: basis.to_owned(),
        },
        summary: format!(
            "Claim {value} from {} for {quantity} units of {} on {}.",
            book.supplier_name(&line.supplier),
            book.item_label(&line.item),
            line.order_name
        ),
        after: Desk::leaving(keys, left),
        cost,
        regret: desk.view.config.costs.contact,
        value,
        latest: claim_until(book, &[line]).unwrap_or(book.today),
        cites,
        change: None,
    });
}
