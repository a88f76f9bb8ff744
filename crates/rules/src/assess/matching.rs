//! Matching: order, receipts and bills of a line side by side, exact to the cent (handbook §3.4, bill check), and what to do
//! about money that is billed but not owed.

use std::collections::{BTreeMap, BTreeSet};

use crate::role::Role;
use reeve_domain::action::{Action, Range};
use reeve_domain::book::Book;
use reeve_domain::calendar::plus_days;
use reeve_domain::evidence::FactValue;
use reeve_domain::ids::FactId;
use reeve_domain::money::{Money, Quantity, UnitPrice};
use reeve_domain::record::{BillLine, PurchaseLine, RecordKind, RecordRef};

use super::gathered::{Gathered, Proposal, Question, line_ref, scaled};
use super::three_way::{ThreeWay, three_way};

/// Days after the receipt (or the bill) in which a claim can be made.
pub(super) const CLAIM_DAYS: i32 = 30;
/// The basis of a claim that follows from the bill check.
pub(super) const BASIS_BILL: &str = "billed more than was received or agreed";
/// Why a bill is held back whose goods are still to come.
pub(super) const BASIS_AHEAD: &str = "billed before the goods have come";
/// Share of what is paid before it comes, and not late, that is never delivered nor credited.
const LOST_WHEN_PAID_AHEAD: f64 = 0.1;

/// The lines of a bill by its id or its name.
pub(super) fn lines_of_bill<'b>(book: &'b Book, bill: &str) -> Vec<&'b BillLine> {
    let by_id = book.lines_of_bill(bill);
    if by_id.is_empty() { book.bill_lines_named(bill) } else { by_id }
}

/// A bill's name for people: its id where the ERP has not numbered it yet.
pub(super) fn bill_name(line: &BillLine) -> String {
    if line.bill_name.is_empty() || line.bill_name == "/" { line.bill_id.clone() } else { line.bill_name.clone() }
}

/// The part of a line that is billed and still to come.
fn ahead_key(line: &str) -> String {
    format!("bill:{line}/ahead")
}

/// The parts of a line.
pub(super) fn keys(line: &str) -> [String; 3] {
    [format!("bill:{line}/quantity"), format!("bill:{line}/price"), format!("order:{line}/price")]
}

/// The parts of a line that are about quantities: billed and never owed, and billed and still to come.
pub(super) fn quantity_keys(line: &str) -> [String; 2] {
    let [quantity, ..] = keys(line);
    [quantity, ahead_key(line)]
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
    pub(super) fn add(&mut self, gathered: &mut Gathered<'_>, line_id: &str, quantity: bool, price: bool) {
        let book = gathered.scene.book;
        let Some(line) = book.po_lines.get(line_id) else {
            gathered.miss(format!("purchase line {line_id}"), "the bill check");
            return;
        };
        let Some(agreed) = line.price else {
            gathered.miss(format!("price of {} in company currency", line.order_name), "the bill check");
            return;
        };
        // Nobody asks for money: there is nothing to hold back.
        if book.asked(line_id).is_empty() {
            return;
        }
        let Some(check) = three_way(book, gathered.scene.settings, line) else {
            gathered.miss(format!("billed price of {} in company currency", line.order_name), "the bill check");
            return;
        };
        let cites = check_facts(gathered, line, agreed, &check);
        let [quantity_key, price_key, _] = keys(line_id);
        let name = format!("{} on {}", book.item_label(&line.item), line.order_name);
        if quantity {
            gathered.lose(
                &quantity_key,
                format!("billed but not received: {name}"),
                Range::certain(check.never),
                cites.clone(),
            );
            // What is late and paid for is as good as lost until it comes; what is merely paid ahead mostly comes.
            let (what, share) =
                if check.late { ("billed and overdue", 1.0) } else { ("to be paid before it comes", LOST_WHEN_PAID_AHEAD) };
            if check.ahead > Money::ZERO {
                let mut cites = cites.clone();
                if !check.late {
                    let label = "share of what is paid ahead that is lost";
                    cites.push(gathered.assume(line_ref(line_id), "ahead_lost", label, share));
                }
                gathered.lose(
                    &ahead_key(line_id),
                    format!("{what}: {name}"),
                    scaled(Range::certain(check.ahead), share),
                    cites,
                );
            }
        }
        if price {
            gathered.lose(
                &price_key,
                format!("billed above the agreed price: {name}"),
                Range::certain(check.price_variance),
                cites,
            );
        }
        self.lines.insert(line_id.to_owned());
    }

    /// The actions against what was gathered.
    pub(super) fn act(&self, gathered: &mut Gathered<'_>) {
        let book = gathered.scene.book;
        let mut by_bill: BTreeMap<String, Vec<&PurchaseLine>> = BTreeMap::new();
        let mut by_supplier: BTreeMap<&str, Vec<&PurchaseLine>> = BTreeMap::new();
        for line in self.lines.iter().filter_map(|id| book.po_lines.get(id)) {
            by_supplier.entry(line.supplier.as_str()).or_default().push(line);
            // A line may be on several bills. The newest is the one that can
            // still be unpaid; credit notes can not be blocked.
            let newest = book.asked(&line.id).into_iter().rfind(|b| b.qty.is_positive());
            if let Some(bill) = newest {
                by_bill.entry(bill.bill_id.clone()).or_default().push(line);
            }
        }
        for (bill, lines) in &by_bill {
            block(gathered, bill, lines);
            accept(gathered, bill, lines);
        }
        for lines in by_supplier.values() {
            claim_and_ask(gathered, lines);
        }
    }
}

fn check_facts(gathered: &mut Gathered<'_>, line: &PurchaseLine, agreed: UnitPrice, check: &ThreeWay) -> Vec<FactId> {
    let source = line_ref(&line.id);
    let mut cites = vec![
        gathered.fact(source.clone(), "qty", "ordered", FactValue::Quantity(line.qty)),
        gathered.fact(source.clone(), "price", "agreed price", FactValue::Price(agreed)),
        gathered.fact(source.clone(), "received", "received, less returns", FactValue::Quantity(check.received)),
        gathered.fact(source.clone(), "billed", "billed, less credit notes", FactValue::Quantity(check.billed)),
        gathered.fact(source.clone(), "quantity_variance", "quantity variance", FactValue::Money(check.quantity_variance)),
        gathered.fact(source.clone(), "price_variance", "price variance", FactValue::Money(check.price_variance)),
        gathered.fact(source.clone(), "never_units", "billed and never owed", FactValue::Quantity(check.never_units)),
        gathered.fact(source.clone(), "never_owed", "the same at the order's price", FactValue::Money(check.never)),
        gathered.fact(source.clone(), "bill_variance", "billed beyond what is owed", FactValue::Money(check.disputed())),
    ];
    if check.ahead > Money::ZERO {
        cites.push(gathered.fact(source, "ahead", "billed and still to come", FactValue::Money(check.ahead)));
    }
    let bills: Vec<BillLine> = gathered.scene.book.asked(&line.id).into_iter().cloned().collect();
    for bill in bills {
        cites.extend(bill_facts(gathered, &bill));
    }
    cites
}

/// The facts of a bill's line.
pub(super) fn bill_facts(gathered: &mut Gathered<'_>, bill: &BillLine) -> Vec<FactId> {
    let source = RecordRef::new(RecordKind::BillLine, bill.id.clone());
    let name = bill_name(bill);
    let mut cites = vec![gathered.fact(source.clone(), "qty", &format!("billed on {name}"), FactValue::Quantity(bill.qty))];
    if let Some(price) = bill.price {
        cites.push(gathered.fact(source.clone(), "price", &format!("price on {name}"), FactValue::Price(price)));
    }
    if let Some(due) = bill.due_on {
        cites.push(gathered.fact(source.clone(), "due_on", &format!("{name} is due"), FactValue::Date(due)));
    }
    let taken = gathered.scene.book.taken_back(&bill.bill_id);
    let paid = match taken {
        Some(taken) if taken.whole => "taken back",
        _ if gathered.scene.book.is_unpaid(bill) => "unpaid",
        _ => "paid",
    };
    cites.push(gathered.fact(source, "paid", &format!("payment of {name}"), FactValue::Text(paid.into())));
    cites
}

/// What is billed and not owed of some lines, with its parts. What an order asks above the price list is owed: it was ordered.
fn disputed(gathered: &Gathered<'_>, lines: &[&PurchaseLine]) -> (Money, Vec<String>) {
    let of = |l: &&PurchaseLine| -> [String; 2] {
        let [quantity, price, _] = keys(&l.id);
        [quantity, price]
    };
    let keys: Vec<String> = lines.iter().flat_map(of).filter(|k| gathered.parts.contains_key(k)).collect();
    (keys.iter().map(|k| gathered.lost(k).expected).sum(), keys)
}

/// What is billed of some lines and still to come, where it must be held back, with its parts.
fn ahead(gathered: &Gathered<'_>, lines: &[&PurchaseLine]) -> (Money, Vec<String>) {
    let scene = gathered.scene;
    let held = lines.iter().filter(|l| gathered.parts.contains_key(&ahead_key(&l.id)));
    let (amounts, keys): (Vec<Money>, Vec<String>) =
        held.filter_map(|l| Some((three_way(scene.book, scene.settings, l)?.ahead, ahead_key(&l.id)))).unzip();
    (amounts.into_iter().sum(), keys)
}

/// The cost of a dispute, with its fact.
pub(super) fn paperwork(gathered: &mut Gathered<'_>, source: RecordRef) -> (Money, FactId) {
    let cost = gathered.scene.settings.costs.paperwork;
    (cost, gathered.fact(source, "cost_paperwork", "cost of the paperwork (setting)", FactValue::Money(cost)))
}

fn block(gathered: &mut Gathered<'_>, bill: &str, lines: &[&PurchaseLine]) {
    let book = gathered.scene.book;
    let (never, mut keys) = disputed(gathered, lines);
    let (outstanding, later) = ahead(gathered, lines);
    // One block for the bill, whatever the reasons: one amount of it is held back.
    let amount = never + outstanding;
    keys.extend(later);
    let Some(first) = lines_of_bill(book, bill).into_iter().next() else { return };
    if amount <= Money::ZERO {
        return;
    }
    let (reason, until) = if outstanding > Money::ZERO {
        (BASIS_AHEAD, "the goods have come; what was received can be released")
    } else {
        (BASIS_BILL, "it is cleared")
    };
    let source = RecordRef::new(RecordKind::BillLine, first.id.clone());
    let (cost, cost_cite) = paperwork(gathered, source.clone());
    let contact = gathered.scene.settings.costs.contact;
    let cites = vec![
        cost_cite,
        gathered.fact(source.clone(), "disputed", "disputed", FactValue::Money(amount)),
        gathered.assume(source, "block_left", "share that is paid although blocked", gathered.scene.settings.left.block),
    ];
    let latest = first.due_on.unwrap_or(book.today).max(gathered.tomorrow());
    gathered.proposals.push(Proposal {
        action: Action::BlockBill { bill: bill.to_owned(), disputed: amount, reason: reason.into() },
        summary: format!(
            "Keep {amount} of bill {} from {} unpaid until {until}.",
            bill_name(first),
            book.supplier_name(&first.supplier)
        ),
        then: Vec::new(),
        after: Gathered::leaving(&keys, gathered.scene.settings.left.block),
        cost,
        // A bill blocked for nothing costs the explanation.
        regret: contact,
        value: amount,
        latest,
        cites,
        change: None,
    });
}

fn accept(gathered: &mut Gathered<'_>, bill: &str, lines: &[&PurchaseLine]) {
    let book = gathered.scene.book;
    let settings = gathered.scene.settings;
    let variance: Money = lines.iter().filter_map(|l| three_way(book, settings, l)).map(|c| c.disputed()).sum();
    if variance == Money::ZERO {
        return;
    }
    let Some(name) = lines_of_bill(book, bill).first().map(|b| bill_name(b)) else { return };
    let cites = lines.iter().map(|l| FactId::new(format!("po_line:{}/bill_variance", l.id))).collect();
    let proposal = accepted(gathered, &name, variance, cites);
    gathered.proposals.push(proposal);
}

/// Accepting a variance: nothing is won and nothing is spent.
pub(super) fn accepted(gathered: &Gathered<'_>, document: &str, variance: Money, cites: Vec<FactId>) -> Proposal {
    let mut proposal = Proposal::idle(
        Action::AcceptVar { document: document.to_owned(), variance, reason: "within what the business accepts".into() },
        if variance < Money::ZERO {
            format!("Accept that {document} asks {} less than was agreed.", variance.abs())
        } else {
            format!("Accept the variance of {variance} on {document} as it is.")
        },
        gathered.today_plus(CLAIM_DAYS),
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

fn claim_and_ask(gathered: &mut Gathered<'_>, lines: &[&PurchaseLine]) {
    let book = gathered.scene.book;
    let Some(first) = lines.first() else { return };
    let settings = gathered.scene.settings;
    // What was never owed is claimed; what is billed and still to come is only asked after, since it may come.
    let (amount, mut keys) = disputed(gathered, lines);
    let (outstanding, later) = ahead(gathered, lines);
    let source = line_ref(&first.id);
    let until = claim_until(book, lines).unwrap_or(book.today);
    if amount > Money::ZERO {
        let (cost, cost_cite) = paperwork(gathered, source.clone());
        let quantity: Quantity =
            lines.iter().filter_map(|l| three_way(book, settings, l)).map(|c| c.never_units.max(Quantity::ZERO)).sum();
        let cites = vec![
            cost_cite,
            gathered.fact(source.clone(), "claim_value", "claim", FactValue::Money(amount)),
            gathered.fact(source.clone(), "claim_quantity", "units billed but not received", FactValue::Quantity(quantity)),
            gathered.assume(
                source.clone(),
                "claim_left",
                "share of claims that is not credited",
                gathered.scene.settings.left.claim,
            ),
        ];
        gathered.proposals.push(Proposal {
            action: Action::Claim {
                supplier: first.supplier.clone(),
                lines: lines.iter().map(|l| l.id.clone()).collect(),
                quantity,
                value: amount,
                basis: BASIS_BILL.into(),
                bill: None,
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
            then: Vec::new(),
            after: Gathered::leaving(&keys, gathered.scene.settings.left.claim),
            cost,
            regret: gathered.scene.settings.costs.contact,
            value: amount,
            latest: until,
            cites,
            change: None,
        });
    }
    if amount + outstanding <= Money::ZERO {
        // Nothing is owed to us: there is nothing to ask about.
        return;
    }
    let about = if amount > Money::ZERO {
        format!("the difference between bill, order and receipt on {}", first.order_name)
    } else {
        format!("order {}, which is billed and has not come whole: when does the rest come", first.order_name)
    };
    keys.extend(later);
    gathered.contact(&Question {
        role: Role::Supplier,
        partner: first.supplier.as_str(),
        about: &about,
        keys: &keys,
        left: gathered.scene.settings.left.question_bill,
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
pub(super) fn claim(gathered: &mut Gathered<'_>, line: &PurchaseLine, fault: &Fault<'_>, keys: &[String]) {
    let Fault { quantity, value, basis, left } = *fault;
    if value <= Money::ZERO {
        return;
    }
    let book = gathered.scene.book;
    let source = line_ref(&line.id);
    let (cost, cost_cite) = paperwork(gathered, source.clone());
    // The claim names the order, also where the case is about stock: whoever recomputes the card finds the name here.
    gathered.fact(source.clone(), "order", "order", FactValue::Text(line.order_name.clone()));
    let cites = vec![
        cost_cite,
        gathered.fact(source.clone(), "fault_value", "claim", FactValue::Money(value)),
        gathered.fact(source.clone(), "fault_quantity", "units claimed", FactValue::Quantity(quantity)),
        gathered.assume(source, "fault_left", "share of such claims that is not credited", left),
    ];
    gathered.proposals.push(Proposal {
        action: Action::Claim {
            supplier: line.supplier.clone(),
            lines: vec![line.id.clone()],
            quantity,
            value,
            basis: basis.to_owned(),
            bill: None,
        },
        summary: format!(
            "Claim {value} from {} for {quantity} units of {} on {}.",
            book.supplier_name(&line.supplier),
            book.item_label(&line.item),
            line.order_name
        ),
        then: Vec::new(),
        after: Gathered::leaving(keys, left),
        cost,
        regret: gathered.scene.settings.costs.contact,
        value,
        latest: claim_until(book, &[line]).unwrap_or(book.today),
        cites,
        change: None,
    });
}
