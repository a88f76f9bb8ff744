//! What a book is asked for by something else than an id: records by place, line, order, document, supplier or name.
//!
//! Every index is built once, when the book is; nothing that is asked for each place, line or case walks all records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::book::{Book, Place, numeric};
use super::ids::{ItemId, LocationId, SupplierId};
use super::record::{BillLine, MoveKind, PurchaseLine, SaleLine, StockMove};
use super::table::{By, ByPlace, Position};

/// The indexes of a book. Positions stand in the order of ids unless it says otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyed {
    /// In order of time.
    sales_at: ByPlace,
    lines_of_sale: By<String>,
    sales_named: By<String>,
    /// Done ones in order of time, then planned ones.
    pub(super) moves_at: ByPlace,
    /// In order of time, as [`Keyed::moves_at`].
    moves_of_po_line: By<String>,
    /// In order of time, as [`Keyed::moves_at`].
    moves_of_sale_line: By<String>,
    moves_of_document: By<String>,
    moves_returning: By<String>,
    /// Moves of kits' components by the place they come to.
    pub(super) components_at: ByPlace,
    /// Purchase lines some receipt of which says what its document asked for: only these can be of kits.
    pub(super) maybe_kits: BTreeSet<String>,
    bills_of_po_line: By<String>,
    bills_by_id: By<String>,
    bills_named: By<String>,
    po_lines_of_order: By<String>,
    po_lines_named: By<String>,
    /// By when they were ordered, oldest first.
    po_lines_at: ByPlace,
    po_lines_of_supplier: By<SupplierId>,
    /// Ids of orders, oldest first, by the supplier of their first line.
    orders_of_supplier: BTreeMap<SupplierId, Vec<String>>,
    /// The items of suppliers' prices and of promotions, and the places of reorder rules, by the record's id.
    pub(super) priced: BTreeMap<String, ItemId>,
    pub(super) promoted: BTreeMap<String, ItemId>,
    pub(super) ruled: BTreeMap<String, Place>,
    /// What each company is called for people, where a location says it; of one that none names the id alone.
    pub(super) company_names: BTreeMap<String, Option<String>>,
    pub(super) several_companies: bool,
}

impl Keyed {
    /// Indexes what the book has.
    pub(super) fn of(book: &Book) -> Self {
        let mut keyed = Self::default();
        keyed.index_sales(book);
        keyed.index_purchases(book);
        keyed.index_moves(book);
        keyed.index_terms(book);
        for (at, bill) in book.bill_lines.positions() {
            if let Some(line) = &bill.po_line {
                keyed.bills_of_po_line.add(line.as_str(), at);
            }
            keyed.bills_by_id.add(bill.bill_id.as_str(), at);
            keyed.bills_named.add(bill.bill_name.as_str(), at);
        }
        keyed
    }

    fn index_sales(&mut self, book: &Book) {
        for (at, line) in book.sale_lines.positions() {
            self.sales_at.add(&line.item, &line.location, at);
            self.lines_of_sale.add(line.order_id.as_str(), at);
            self.sales_named.add(line.order_name.as_str(), at);
        }
        let time = |at: &Position| {
            let line = book.sale_lines.row(*at);
            (line.ordered_at, numeric(&line.id))
        };
        self.sales_at.lists_mut().for_each(|list| list.sort_by(|a, b| time(a).cmp(&time(b))));
    }

    fn index_purchases(&mut self, book: &Book) {
        for (at, line) in book.po_lines.positions() {
            self.po_lines_of_order.add(line.order_id.as_str(), at);
            self.po_lines_named.add(line.order_name.as_str(), at);
            self.po_lines_of_supplier.add(&line.supplier, at);
            // What goes straight to a customer never comes to the place that ordered it.
            if !line.to_customer {
                self.po_lines_at.add(&line.item, &line.location, at);
            }
        }
        let time = |at: &Position| {
            let line = book.po_lines.row(*at);
            (line.ordered_at, numeric(&line.id))
        };
        self.po_lines_at.lists_mut().for_each(|list| list.sort_by(|a, b| time(a).cmp(&time(b))));
        let mut orders: Vec<&String> = self.po_lines_of_order.keys().collect();
        orders.sort_by_key(|order| numeric(order));
        for order in orders {
            if let Some(first) = self.po_lines_of_order.get(order.as_str()).first() {
                let supplier = book.po_lines.row(*first).supplier.clone();
                self.orders_of_supplier.entry(supplier).or_default().push(order.clone());
            }
        }
    }

    fn index_terms(&mut self, book: &Book) {
        for price in book.supplier_prices.values().flatten() {
            self.priced.entry(price.id.clone()).or_insert_with(|| price.item.clone());
        }
        for promotion in book.promotions.values().flatten() {
            self.promoted.entry(promotion.id.clone()).or_insert_with(|| promotion.item.clone());
        }
        for (place, rule) in &book.rules {
            self.ruled.entry(rule.id.clone()).or_insert_with(|| place.clone());
        }
        for location in book.locations.values() {
            let Some(company) = &location.company else { continue };
            let name = self.company_names.entry(company.clone()).or_default();
            if name.is_none() && !location.company_name.is_empty() {
                *name = Some(location.company_name.clone());
            }
        }
        self.several_companies = book.companies().len() > 1;
    }

    fn index_moves(&mut self, book: &Book) {
        for (at, m) in book.moves.positions() {
            self.moves_of_document.add(m.document.as_str(), at);
            if let Some(returned) = &m.returns {
                self.moves_returning.add(returned.as_str(), at);
            }
            let places: BTreeSet<&LocationId> = m.from.iter().chain(m.to.iter()).collect();
            for place in places {
                self.moves_at.add(&m.item, place, at);
            }
            if let (Some(_), Some(to)) = (m.asked, &m.to) {
                self.components_at.add(&m.item, to, at);
            }
            if let Some(line) = &m.sale_line {
                self.moves_of_sale_line.add(line.as_str(), at);
            }
            if let Some(line) = book.line_of(m) {
                self.moves_of_po_line.add(line, at);
                if m.kind == MoveKind::Receipt && m.returns.is_none() && m.asked.is_some() {
                    self.maybe_kits.insert(line.to_owned());
                }
            }
        }
        let time = |at: &Position| {
            let m = book.moves.row(*at);
            (m.done_at.unwrap_or(Timestamp::MAX), numeric(&m.id))
        };
        let lists = self.moves_at.lists_mut();
        let lists = lists.chain(self.moves_of_po_line.lists_mut()).chain(self.moves_of_sale_line.lists_mut());
        lists.for_each(|list| list.sort_by(|a, b| time(a).cmp(&time(b))));
    }
}

impl Book {
    /// Moves that touch an item at a location, done ones in order of time, then planned ones.
    pub fn moves_at(&self, item: &ItemId, location: &LocationId) -> Vec<&StockMove> {
        self.moves.at(self.keyed.moves_at.get(item, location))
    }

    /// Sale lines of an item served from a location, in order of time.
    pub fn sales_at(&self, item: &ItemId, location: &LocationId) -> Vec<&SaleLine> {
        self.sale_lines.at(self.keyed.sales_at.get(item, location))
    }

    /// A customer order's lines, by the order's id.
    pub fn lines_of_sale(&self, order: &str) -> Vec<&SaleLine> {
        self.sale_lines.at(self.keyed.lines_of_sale.get(order))
    }

    /// The lines of customers' orders of a name.
    pub fn sales_named(&self, order: &str) -> Vec<&SaleLine> {
        self.sale_lines.at(self.keyed.sales_named.get(order))
    }

    /// A purchase order's lines, by the order's id.
    pub fn lines_of_order(&self, order: &str) -> Vec<&PurchaseLine> {
        self.po_lines.at(self.keyed.po_lines_of_order.get(order))
    }

    /// The lines of purchase orders of a name.
    pub fn lines_named(&self, order: &str) -> Vec<&PurchaseLine> {
        self.po_lines.at(self.keyed.po_lines_named.get(order))
    }

    /// The purchase lines of a supplier, for all companies.
    pub fn lines_of_supplier(&self, supplier: &SupplierId) -> Vec<&PurchaseLine> {
        self.po_lines.at(self.keyed.po_lines_of_supplier.get(supplier))
    }

    /// Ids of all purchase orders, oldest first.
    pub fn orders(&self) -> Vec<&str> {
        let mut orders: Vec<&str> = self.keyed.po_lines_of_order.keys().map(String::as_str).collect();
        orders.sort_by_key(|o| numeric(o));
        orders
    }

    /// Ids of the orders whose first line is of a supplier, oldest first.
    pub fn orders_of_supplier(&self, supplier: &SupplierId) -> &[String] {
        self.keyed.orders_of_supplier.get(supplier).map_or(&[], Vec::as_slice)
    }

    /// Purchase lines for an item to a location, oldest first.
    pub fn po_lines_at(&self, item: &ItemId, location: &LocationId) -> Vec<&PurchaseLine> {
        self.po_lines.at(self.keyed.po_lines_at.get(item, location))
    }

    /// Moves that fulfil a purchase line, done ones in order of time, then planned ones.
    pub fn moves_of_po_line(&self, line: &str) -> Vec<&StockMove> {
        self.moves.at(self.keyed.moves_of_po_line.get(line))
    }

    /// Moves that serve a sale line, in the same order.
    pub fn moves_of_sale_line(&self, line: &str) -> Vec<&StockMove> {
        self.moves.at(self.keyed.moves_of_sale_line.get(line))
    }

    /// The moves of a document, by its name.
    pub fn moves_of_document(&self, document: &str) -> impl Iterator<Item = &StockMove> {
        self.moves.at(self.keyed.moves_of_document.get(document)).into_iter()
    }

    /// The moves that take a move back.
    pub fn moves_returning(&self, id: &str) -> Vec<&StockMove> {
        self.moves.at(self.keyed.moves_returning.get(id))
    }

    /// All bill lines (and credit notes) that name a purchase line, whether or not they stand.
    pub(super) fn billed_on(&self, line: &str) -> Vec<&BillLine> {
        self.bill_lines.at(self.keyed.bills_of_po_line.get(line))
    }

    /// The lines of a bill, by the bill's id.
    pub fn lines_of_bill(&self, bill: &str) -> Vec<&BillLine> {
        self.bill_lines.at(self.keyed.bills_by_id.get(bill))
    }

    /// The lines of bills of a name: suppliers and companies number alike.
    pub fn bill_lines_named(&self, bill: &str) -> Vec<&BillLine> {
        self.bill_lines.at(self.keyed.bills_named.get(bill))
    }
}
