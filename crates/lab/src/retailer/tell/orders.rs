//! Orders, what came of them, and what was billed.

use reeve_domain::ids::SupplierId;
use reeve_domain::money::Quantity;
use reeve_domain::record::{BillLine, MoveKind, PurchaseLine, Record};

use super::{ROOM, Teller, Truth, location, price};
use crate::retailer::injected::{IntoSeries, Kind};
use crate::retailer::life::{Life, OrderLine};
use crate::retailer::supply::{AGAIN_AFTER, BILL_AFTER};

/// Minutes of the day at which orders are confirmed, goods come, bills are entered.
const ORDERED: i32 = 9 * 60;
const RECEIVED: i32 = 7 * 60;
const BILLED: i32 = 10 * 60;
/// Days after which a bill is due, and paid.
const DUE_DAYS: i32 = 30;
/// How many times the agreed price an injected variance asks, and cents on the line that it has at least: more than is tolerated.
const ASKED_TIMES: f64 = 1.12;
const ASKED_LEAST: i64 = 2_500;

/// One bill's part in a line.
#[derive(Clone, Copy)]
struct Billed {
    day: i32,
    qty: i64,
    cents: i64,
    again: bool,
}

impl Teller<'_> {
    pub(super) fn orders(&mut self, life: &Life) {
        let injected = life.series.first().and_then(|s| s.injected);
        for line in &life.orders {
            self.order(line);
            self.receipt(line, injected);
            self.bills(line, injected);
        }
    }

    fn order_id(&self, line: &OrderLine) -> i64 {
        self.plan.supply.order_id(line.order.nth)
    }

    fn line_id(&self, line: &OrderLine) -> u64 {
        u64::from(self.plan.item) * ROOM + 999 - u64::from(line.order.nth.unsigned_abs())
    }

    fn order(&mut self, line: &OrderLine) {
        let (id, ordered_at) = (self.order_id(line), self.retailer.at(line.order.ordered, ORDERED));
        let promised = self.retailer.at(line.order.promised, RECEIVED);
        let ordered = PurchaseLine {
            id: self.line_id(line).to_string(),
            order_id: id.to_string(),
            order_name: format!("P{id:07}"),
            supplier: SupplierId::new(self.plan.supply.supplier.to_string()),
            item: self.item.clone(),
            location: location(1),
            qty: Quantity::units(line.qty),
            price: price(self.plan.nature.cost),
            foreign: None,
            company: None,
            ordered_at,
            promised_first: promised,
            promised,
            confirmed: true,
            draft: false,
            pack: None,
            to_customer: false,
            kits_received: None,
            kit: None,
        };
        self.tell(ordered_at, Record::PoLine(ordered));
    }

    /// What came, or is still planned to come.
    fn receipt(&mut self, line: &OrderLine, injected: Option<IntoSeries>) {
        let (order, ordered_at) = (line.order, self.retailer.at(line.order.ordered, ORDERED));
        let qty = line.received.unwrap_or(line.qty);
        let came = order.comes.filter(|_| line.received.is_some()).map(|day| self.retailer.at(day, RECEIVED));
        let mut receipt = self.moved(MoveKind::Receipt, (None, Some(1)), qty, ordered_at);
        receipt.done_at = came;
        let promised = self.retailer.at(order.promised, RECEIVED);
        receipt.scheduled_at = came.is_none().then_some(promised);
        receipt.deadline = Some(promised);
        let id = self.order_id(line);
        receipt.document = format!("DC/IN/{id:07}");
        receipt.document_id = Some(id.to_string());
        receipt.origin = format!("P{id:07}");
        receipt.po_line = Some(self.line_id(line).to_string());
        receipt.partner = Some(self.plan.supply.supplier.to_string());
        self.tell(came.unwrap_or(ordered_at), Record::Move(receipt));
        if self.plan.supply.late == Some(order.nth) {
            let truth = self.truth(Kind::LateOrder, Some(1), (order.promised, self.retailer.last()));
            self.told.truth.push(self.of_line(line, truth));
        }
        if injected == Some(IntoSeries::Short) && line.received.is_some_and(|came| came < line.qty) {
            let day = order.comes.unwrap_or(order.promised);
            let truth = self.truth(Kind::ShortReceipt, Some(1), (day, day));
            self.told.truth.push(self.of_line(line, truth));
        }
    }

    fn of_line(&self, line: &OrderLine, truth: Truth) -> Truth {
        Truth { order: Some(self.order_id(line).to_string()), po_line: Some(self.line_id(line).to_string()), ..truth }
    }

    /// What was received is billed the day after; an injected bill comes once more.
    fn bills(&mut self, line: &OrderLine, injected: Option<IntoSeries>) {
        let (Some(qty), Some(came)) = (line.received, line.order.comes) else { return };
        let day = came + BILL_AFTER;
        if day > self.retailer.last() {
            return;
        }
        let agreed = self.plan.nature.cost;
        // A cent at least: a share of a cheap item's price would round to nothing.
        let asked = ((agreed as f64 * ASKED_TIMES).ceil() as i64).max(agreed + 1);
        let varies = injected == Some(IntoSeries::Price) && self.plan.supply.newest_come == Some(line.order.nth);
        // A difference that every tolerance passes would be an injected fault that nobody should find.
        let varies = varies && (asked - agreed) * qty >= ASKED_LEAST;
        let cents = if varies { asked } else { agreed };
        let first = Billed { day, qty, cents, again: false };
        self.bill(line, first);
        if varies {
            let truth = self.truth(Kind::PriceVariance, Some(1), (day, day));
            let bill = Some(bill_id(self.order_id(line), false));
            self.told.truth.push(Truth { bill, ..self.of_line(line, truth) });
        }
        if line.order.twice {
            self.bill(line, Billed { day: day + AGAIN_AFTER, again: true, ..first });
            let truth = self.truth(Kind::DuplicateBill, Some(1), (day, day + AGAIN_AFTER));
            let bill = Some(bill_id(self.order_id(line), true));
            self.told.truth.push(Truth { bill, ..self.of_line(line, truth) });
        }
    }

    fn bill(&mut self, line: &OrderLine, billed: Billed) {
        let order = self.order_id(line);
        let (billed_on, paid_day) = (self.retailer.date(billed.day), billed.day + DUE_DAYS);
        let paid = paid_day <= self.retailer.last();
        let bill_id = bill_id(order, billed.again);
        let created_at = self.retailer.at(billed.day, BILLED);
        let line_of_bill = BillLine {
            id: (self.line_id(line) * 10 + u64::from(billed.again)).to_string(),
            bill_name: format!("BILL/{:04}/{:02}/{bill_id}", billed_on.year(), billed_on.month()),
            bill_id,
            // The supplier's own number is the same on both.
            reference: format!("INV {order}"),
            origin: format!("P{order:07}"),
            supplier: SupplierId::new(self.plan.supply.supplier.to_string()),
            po_line: Some(self.line_id(line).to_string()),
            item: Some(self.item.clone()),
            qty: Quantity::units(billed.qty),
            price: price(billed.cents),
            billed_on,
            due_on: Some(self.retailer.date(paid_day)),
            foreign: None,
            company: None,
            paid,
            partly: false,
            reversed: false,
            created_at,
            entered_by: None,
            reverses: None,
        };
        // As a live source would: a bill that was paid is told of as it stands now.
        let changed_at = if paid { self.retailer.at(paid_day, BILLED) } else { created_at };
        self.tell(changed_at, Record::BillLine(line_of_bill));
    }
}

fn bill_id(order: i64, again: bool) -> String {
    (order * 10 + i64::from(again)).to_string()
}
