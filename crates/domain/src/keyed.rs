//! What a book is asked for by something else than an id: records by place, line, order, document, supplier or name.
//!
//! Every index is built once, when the book is; nothing that is asked for each place, line or case walks all records.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::book::{Book, Place, numeric};
use super::ids::{ItemId, LocationId, SupplierId};
use super::record::{BillLine, MoveKind, PurchaseLine, SaleLine, StockMove};
use super::supply::Supply;
use super::table::{By, ByPlace, Position, Table};

/// Moves by what they are about. Positions stand in the order of ids unless it says otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyedMoves {
    /// Done ones in order of time, then planned ones.
    at: ByPlace,
    /// In the same order.
    of_sale_line: By<String>,
    of_document: By<String>,
    returning: By<String>,
}

impl KeyedMoves {
    fn of(moves: &Table<StockMove>) -> Self {
        let mut keyed = Self::default();
        for (at, m) in moves.positions() {
            keyed.of_document.add(m.document.as_str(), at);
            if let Some(returned) = &m.returns {
                keyed.returning.add(returned.as_str(), at);
            }
            // A move from a place to itself stands in its list once.
            let places: BTreeSet<&LocationId> = m.from.iter().chain(m.to.iter()).collect();
            for place in places {
                keyed.at.add(&m.item, place, at);
            }
            if let Some(line) = &m.sale_line {
                keyed.of_sale_line.add(line.as_str(), at);
            }
        }
        let lists = keyed.at.lists_mut().chain(keyed.of_sale_line.lists_mut());
        lists.for_each(|list| list.sort_by(|a, b| time(moves.row(*a)).cmp(&time(moves.row(*b)))));
        keyed
    }
}

/// Done moves in order of time, then planned ones.
fn time(m: &StockMove) -> (Timestamp, (u64, &str)) {
    (m.done_at.unwrap_or(Timestamp::MAX), numeric(&m.id))
}

/// Two lists in one order become one in that order.
fn merged<'b, K: Ord>(
    mut one: Vec<&'b StockMove>,
    other: Vec<&'b StockMove>,
    order: impl Fn(&'b StockMove) -> K,
) -> Vec<&'b StockMove> {
    if one.is_empty() {
        return other;
    }
    if !other.is_empty() {
        // Both are in order already, which the sort finds out in one pass.
        one.extend(other);
        one.sort_by_key(|m| order(m));
    }
    one
}

/// The indexes of sales.
#[derive(Clone, Debug, Default)]
pub(super) struct KeyedSales {
    /// In order of time.
    sales_at: ByPlace,
    lines_of_sale: By<String>,
    sales_named: By<String>,
    pub(super) moves: KeyedMoves,
}

impl KeyedSales {
    pub(super) fn of(lines: &Table<SaleLine>, moves: &Table<StockMove>) -> Self {
        let mut keyed = Self { moves: KeyedMoves::of(moves), ..Self::default() };
        for (at, line) in lines.positions() {
            keyed.sales_at.add(&line.item, &line.location, at);
            keyed.lines_of_sale.add(line.order_id.as_str(), at);
            keyed.sales_named.add(line.order_name.as_str(), at);
        }
        let time = |at: &Position| {
            let line = lines.row(*at);
            (line.ordered_at, numeric(&line.id))
        };
        keyed.sales_at.lists_mut().for_each(|list| list.sort_by(|a, b| time(a).cmp(&time(b))));
        keyed
    }
}

/// The indexes of the supply. Positions stand in the order of ids unless it says otherwise.
#[derive(Clone, Debug, Default)]
pub(super) struct Keyed {
    moves: KeyedMoves,
    /// Done ones in order of time, then planned ones.
    moves_of_po_line: By<String>,
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
    /// To customers, too.
    po_lines_of_item: By<ItemId>,
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
    /// Indexes what the supply has.
    pub(super) fn of(supply: &Supply) -> Self {
        let mut keyed = Self { moves: KeyedMoves::of(&supply.supply_moves), ..Self::default() };
        keyed.index_purchases(supply);
        keyed.index_moves(supply);
        keyed.index_terms(supply);
        for (at, bill) in supply.bill_lines.positions() {
            if let Some(line) = &bill.po_line {
                keyed.bills_of_po_line.add(line.as_str(), at);
            }
            keyed.bills_by_id.add(bill.bill_id.as_str(), at);
            keyed.bills_named.add(bill.bill_name.as_str(), at);
        }
        keyed
    }

    fn index_purchases(&mut self, supply: &Supply) {
        for (at, line) in supply.po_lines.positions() {
            self.po_lines_of_order.add(line.order_id.as_str(), at);
            self.po_lines_named.add(line.order_name.as_str(), at);
            self.po_lines_of_supplier.add(&line.supplier, at);
            self.po_lines_of_item.add(&line.item, at);
            // What goes straight to a customer never comes to the place that ordered it.
            if !line.to_customer {
                self.po_lines_at.add(&line.item, &line.location, at);
            }
        }
        // Lines of one moment go by their number: as text, line 10 would stand before line 9.
        let time = |at: &Position| {
            let line = supply.po_lines.row(*at);
            (line.ordered_at, numeric(&line.id))
        };
        self.po_lines_at.lists_mut().for_each(|list| list.sort_by(|a, b| time(a).cmp(&time(b))));
        let mut orders: Vec<&String> = self.po_lines_of_order.keys().collect();
        orders.sort_by_key(|order| numeric(order));
        // An order is put to one supplier, so any of its lines says which.
        for order in orders {
            if let Some(first) = self.po_lines_of_order.get(order.as_str()).first() {
                let supplier = supply.po_lines.row(*first).supplier.clone();
                self.orders_of_supplier.entry(supplier).or_default().push(order.clone());
            }
        }
    }

    fn index_terms(&mut self, supply: &Supply) {
        for price in supply.supplier_prices.values().flatten() {
            self.priced.entry(price.id.clone()).or_insert_with(|| price.item.clone());
        }
        for promotion in supply.promotions.values().flatten() {
            self.promoted.entry(promotion.id.clone()).or_insert_with(|| promotion.item.clone());
        }
        for (place, rule) in &supply.rules {
            self.ruled.entry(rule.id.clone()).or_insert_with(|| place.clone());
        }
        for location in supply.locations.values() {
            // A company's name may stand on one of its locations only.
            let Some(company) = &location.company else { continue };
            let name = self.company_names.entry(company.clone()).or_default();
            if name.is_none() && !location.company_name.is_empty() {
                *name = Some(location.company_name.clone());
            }
        }
        self.several_companies = supply.companies().len() > 1;
    }

    fn index_moves(&mut self, supply: &Supply) {
        for (at, m) in supply.supply_moves.positions() {
            if let (Some(_), Some(to)) = (m.asked, &m.to) {
                self.components_at.add(&m.item, to, at);
            }
            if let Some(line) = supply.line_of(m) {
                self.moves_of_po_line.add(line, at);
                if m.kind == MoveKind::Receipt && m.returns.is_none() && m.asked.is_some() {
                    self.maybe_kits.insert(line.to_owned());
                }
            }
        }
        let moves = &supply.supply_moves;
        let lists = self.moves_of_po_line.lists_mut();
        lists.for_each(|list| list.sort_by(|a, b| time(moves.row(*a)).cmp(&time(moves.row(*b)))));
    }
}

impl Supply {
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

    /// The purchase lines for an item, wherever it goes.
    pub fn lines_of_item(&self, item: &ItemId) -> Vec<&PurchaseLine> {
        self.po_lines.at(self.keyed.po_lines_of_item.get(item))
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
        self.supply_moves.at(self.keyed.moves_of_po_line.get(line))
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

    /// Moves that touch an item at a location, sales left out; done ones in order of time, then planned ones.
    pub fn supply_moves_at(&self, item: &ItemId, location: &LocationId) -> Vec<&StockMove> {
        self.supply_moves.at(self.keyed.moves.at.get(item, location))
    }

    /// Done receipts of an item, wherever it came.
    pub fn receipts_of_item<'b>(&'b self, item: &'b ItemId) -> impl Iterator<Item = &'b StockMove> {
        let moves = self.supply_locations_of(item).flat_map(|location| self.supply_moves_at(item, location));
        moves.filter(|m| m.kind == MoveKind::Receipt && m.done_at.is_some())
    }

    /// The moves of a document, by its name, sales left out.
    pub fn supply_moves_of_document(&self, document: &str) -> Vec<&StockMove> {
        self.supply_moves.at(self.keyed.moves.of_document.get(document))
    }

    /// The locations at which an item has moves that are no sales.
    pub(super) fn supply_locations_of(&self, item: &ItemId) -> impl Iterator<Item = &LocationId> {
        self.keyed.moves.at.locations_of(item)
    }
}

impl Book {
    /// A move by its id.
    pub fn find_move(&self, id: &str) -> Option<&StockMove> {
        self.supply_moves.get(id).or_else(|| self.sold.get(id))
    }

    /// Every move that the book has, in the order of ids.
    pub fn every_move(&self) -> Vec<&StockMove> {
        merged(self.supply_moves.values().collect(), self.sold.values().collect(), |m| m.id.as_str())
    }

    /// Moves that touch an item at a location, done ones in order of time, then planned ones.
    pub fn moves_at(&self, item: &ItemId, location: &LocationId) -> Vec<&StockMove> {
        merged(self.supply_moves_at(item, location), self.sold.at(self.keyed_sales.moves.at.get(item, location)), time)
    }

    /// The locations at which an item has moves, in order.
    pub(super) fn locations_of_moves(&self, item: &ItemId) -> BTreeSet<&LocationId> {
        self.supply_locations_of(item).chain(self.keyed_sales.moves.at.locations_of(item)).collect()
    }

    /// The locations from which an item was sold by lines, in order.
    pub(super) fn locations_of_sales(&self, item: &ItemId) -> impl Iterator<Item = &LocationId> {
        self.keyed_sales.sales_at.locations_of(item)
    }

    /// The sale lines of an item, location by location in order of time.
    pub fn sales_of(&self, item: &ItemId) -> Vec<&SaleLine> {
        self.locations_of_sales(item).flat_map(|location| self.sales_at(item, location)).collect()
    }

    /// Moves that serve a sale line, in the same order.
    pub fn moves_of_sale_line(&self, line: &str) -> Vec<&StockMove> {
        let supply = self.supply_moves.at(self.keyed.moves.of_sale_line.get(line));
        merged(supply, self.sold.at(self.keyed_sales.moves.of_sale_line.get(line)), time)
    }

    /// The moves of a document, by its name.
    pub fn moves_of_document(&self, document: &str) -> impl Iterator<Item = &StockMove> {
        let sold = self.sold.at(self.keyed_sales.moves.of_document.get(document));
        merged(self.supply_moves_of_document(document), sold, |m| m.id.as_str()).into_iter()
    }

    /// The moves that take a move back.
    pub fn moves_returning(&self, id: &str) -> Vec<&StockMove> {
        let supply = self.supply_moves.at(self.keyed.moves.returning.get(id));
        merged(supply, self.sold.at(self.keyed_sales.moves.returning.get(id)), |m| m.id.as_str())
    }

    /// Sale lines of an item served from a location, in order of time.
    pub fn sales_at(&self, item: &ItemId, location: &LocationId) -> Vec<&SaleLine> {
        self.sale_lines.at(self.keyed_sales.sales_at.get(item, location))
    }

    /// A customer order's lines, by the order's id.
    pub fn lines_of_sale(&self, order: &str) -> Vec<&SaleLine> {
        self.sale_lines.at(self.keyed_sales.lines_of_sale.get(order))
    }

    /// The lines of customers' orders of a name.
    pub fn sales_named(&self, order: &str) -> Vec<&SaleLine> {
        self.sale_lines.at(self.keyed_sales.sales_named.get(order))
    }
}
