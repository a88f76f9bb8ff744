//! Lines of suppliers' bills and credit notes.
//!
//! Visible from the bill's `create_date`, as unpaid; that it was paid or reversed is visible from the bill's last change,
//! because the recording does not say since when. Drafts and cancelled bills are nobody's claim yet and are left out.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use rust_decimal::Decimal;

use super::care::{Care, RowError};
use super::catalog::foreign;
use super::feed::Feed;
use super::purchases::Purchases;
use super::row::{Model, Row};
use super::terms::Suppliers;
use super::{Masters, Rows};
use crate::rows::cell::Cell;
use reeve_domain::ids::SupplierId;
use reeve_domain::money::{Quantity, UnitPrice};
use reeve_domain::record::{BillLine, Record};

pub(super) static BILL: Model = Model {
    name: "account.move",
    needs: &[
        "id",
        "name",
        "move_type",
        "state",
        "payment_state",
        "partner_id",
        "ref",
        "invoice_origin",
        "invoice_date",
        "date",
        "invoice_date_due",
        "currency_id",
        "create_date",
        "write_date",
    ],
    optional: &["company_id", "create_uid", "reversed_entry_id"],
};
pub(super) static LINE: Model = Model {
    name: "account.move.line",
    needs: &[
        "id",
        "move_id",
        "display_type",
        "product_id",
        "product_uom_id",
        "quantity",
        "price_unit",
        "discount",
        "purchase_line_id",
    ],
    optional: &[],
};

/// What the ERP says of a bill that has become of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    Paid,
    /// By a payment or a credit note: the ERP does not tell the two apart.
    Partly,
    /// Taken back: nothing was paid.
    Reversed,
}

impl Settled {
    fn read(payment_state: &str) -> Option<Self> {
        match payment_state {
            "paid" | "in_payment" => Some(Self::Paid),
            "partial" => Some(Self::Partly),
            "reversed" => Some(Self::Reversed),
            _ => None,
        }
    }
}

struct Bill {
    name: String,
    reference: String,
    origin: String,
    /// None when it is no supplier's, or not posted.
    supplier: Option<SupplierId>,
    credit: bool,
    factor: Option<Decimal>,
    /// The currency, where it is not the configured one.
    foreign: Option<i64>,
    company: Option<String>,
    billed_on: Date,
    due_on: Option<Date>,
    created_at: Timestamp,
    /// How it was settled, and when that was seen.
    settled: Option<(Settled, Timestamp)>,
    entered_by: Option<String>,
    reverses: Option<String>,
}

/// Puts the bill lines on the feed.
pub(super) fn read<R: Rows>(
    rows: &mut R,
    masters: &Masters,
    care: &Care,
    suppliers: &mut Suppliers<'_>,
    purchases: &Purchases,
    feed: &mut Feed,
) -> Result<(), R::Error> {
    let mut bills = BTreeMap::new();
    let mut passed_over = BTreeSet::new();
    rows.each(&BILL, |row| {
        // Marked before it is read: a bill that is not understood is left out, and its lines then name it without being
        // wrong.
        passed_over.insert(row.id()?);
        bills.insert(row.id()?, read_bill(row, masters, care, suppliers)?);
        passed_over.remove(&row.id()?);
        Ok(())
    })?;
    rows.each(&LINE, |row| {
        let bill_id = row.must_link("move_id")?;
        let bill = match bills.get(&bill_id) {
            Some(bill) => bill,
            None if passed_over.contains(&bill_id) => return Ok(()),
            None => return Err(row.dangling("move_id", "account.move")),
        };
        // Taxes, rounding and sections are lines too, and customers' invoices stand in the same model.
        let (Some(supplier), true) = (&bill.supplier, row.text("display_type")? == "product") else { return Ok(()) };
        let po_line = row.link("purchase_line_id")?;
        // A live server is read only so far back: the order may be older.
        if care.is_strict() && po_line.is_some_and(|line| !purchases.is_recorded(line)) {
            return Err(row.dangling("purchase_line_id", "purchase.order.line"));
        }
        // Bills also carry freight and services: not recorded as products, or not stocked. They stay, without an item.
        let product = match row.link("product_id")? {
            Some(id) if masters.catalog.by_id(id).is_none() => {
                care.pass_over(row.dangling("product_id", "product.product"));
                None
            }
            Some(id) => masters.catalog.by_id(id).filter(|product| product.stocked),
            None => None,
        };
        let unit = match product {
            Some(product) => masters.catalog.stock_units(row, "product_uom_id", product)?,
            None => Decimal::ONE,
        };
        // Quantity and price are per unit of the bill; here both are per unit in which stock is kept.
        let quantity = (row.quantity("quantity")? * unit).round_dp(4).normalize();
        let price = row.net_price("price_unit")? / unit;
        // By the rate of its order, where both are in one currency: a difference in price is the supplier's, not the rate's.
        let ordered =
            po_line.and_then(|line| purchases.foreign(line)).filter(|(currency, _)| Some(*currency) == bill.foreign);
        let factor = ordered.map_or(bill.factor, |(_, factor)| factor);
        let mut record = BillLine {
            id: row.id()?.to_string(),
            bill_id: bill_id.to_string(),
            bill_name: bill.name.clone(),
            reference: bill.reference.clone(),
            origin: bill.origin.clone(),
            supplier: supplier.clone(),
            po_line: po_line.map(|line| line.to_string()),
            item: product.map(|product| product.item.clone()),
            qty: Quantity(if bill.credit { -quantity } else { quantity }),
            // Unlike in a price list, zero is a price here: goods that are given free, and charges that were dropped.
            price: factor.map(|factor| UnitPrice((price * factor).round_dp(6).normalize())),
            foreign: bill.foreign.and_then(|currency| foreign(currency, price)),
            company: bill.company.clone(),
            billed_on: bill.billed_on,
            due_on: bill.due_on,
            paid: false,
            partly: false,
            reversed: false,
            created_at: bill.created_at,
            entered_by: bill.entered_by.clone(),
            reverses: bill.reverses.clone(),
        };
        // The bill is told as unpaid first, since the row does not say since when it is paid.
        feed.push(bill.created_at, Record::BillLine(record.clone()));
        if let Some((settled, at)) = bill.settled {
            record.paid = settled != Settled::Reversed;
            record.partly = settled == Settled::Partly;
            record.reversed = settled == Settled::Reversed;
            feed.push(at, Record::BillLine(record));
        }
        Ok(())
    })
}

fn read_bill(row: &Row, masters: &Masters, care: &Care, suppliers: &mut Suppliers<'_>) -> Result<Bill, RowError> {
    let kind = row.text("move_type")?;
    let is_suppliers = matches!(kind.as_str(), "in_invoice" | "in_refund") && row.text("state")? == "posted";
    let billed_on = match row.date_opt("invoice_date")? {
        Some(day) => day,
        // A bill without a date of its own has the one on which it was booked.
        None => row.date_opt("date")?.ok_or_else(|| {
            row.wrong("date", "a day as `YYYY-MM-DD`", &Cell::Flag(false), "set the bill's date in Odoo and record it again")
        })?,
    };
    let created_at = row.time("create_date")?;
    let settled = Settled::read(&row.text("payment_state")?);
    Ok(Bill {
        name: row.text("name")?,
        reference: row.text("ref")?,
        origin: row.text("invoice_origin")?,
        supplier: if is_suppliers { Some(suppliers.named(row, "partner_id", care)?) } else { None },
        credit: kind == "in_refund",
        factor: masters.catalog.factor(row, "currency_id", Some(billed_on), care)?,
        foreign: masters.catalog.foreign(row, "currency_id")?,
        company: row.company().map(|id| id.to_string()),
        billed_on,
        due_on: row.date_opt("invoice_date_due")?,
        created_at,
        settled: match settled {
            Some(settled) => Some((settled, row.time("write_date")?.max(created_at))),
            None => None,
        },
        entered_by: row.link("create_uid")?.map(|id| id.to_string()),
        reverses: row.link("reversed_entry_id")?.map(|id| id.to_string()),
    })
}
