//! Documents, page by page. Movements come first: what they belong to is recorded with them, however old it is.

use std::collections::{BTreeMap, BTreeSet};

use super::opening::Openings;
use super::{PAGE, RecordError, Writing, cell, link, stream, text};
use crate::live::source::live::cells;
use crate::live::streams::Stream;
use crate::rows::cell::Cell;

const DRAFT: &[&str] = &["draft", "sent", "to approve"];
const UNPAID: &[&str] = &["not_paid", "partial", "in_payment"];

/// Ids of what recorded rows refer to.
#[derive(Default)]
struct Named {
    pickings: BTreeSet<i64>,
    order_lines: BTreeSet<i64>,
    sale_lines: BTreeSet<i64>,
    scraps: BTreeSet<i64>,
}

impl Writing<'_> {
    /// Learns who supplies, and how documents are called.
    pub(super) async fn learn_names(&mut self, rows: &BTreeMap<&'static str, Vec<Vec<Cell>>>) -> Result<(), RecordError> {
        let lists = stream("product.supplierinfo");
        for cells in rows.get(lists.model).into_iter().flatten() {
            self.veil.supplier(link(lists, cells, "partner_id"));
        }
        for (model, supplies) in
            [("purchase.order", true), ("account.move", true), ("sale.order", false), ("stock.picking", false)]
        {
            // Before anything is written: text elsewhere may name any document, and a partner has one name in the whole
            // recording.
            let (stream, mut after) = (stream(model), 0);
            while let Some(page) = self.recorder.page(stream, &mut after).await? {
                for cells in &page {
                    self.veil.document(cell(stream, cells, "name"));
                    if supplies {
                        self.veil.supplier(link(stream, cells, "partner_id"));
                    }
                }
            }
        }
        Ok(())
    }

    /// Writes all documents, and answers how many movements of opening stock were added.
    pub(super) async fn documents(&mut self, mut openings: Openings<'_>) -> Result<u64, RecordError> {
        let mut named = Named::default();
        let added = self.moves(&mut openings, &mut named).await?;
        let dropped = self.purchases(&mut named).await?;
        self.sales(&named).await?;
        self.pickings(&mut named).await?;
        let scoped = !self.within.is_all();
        self.filtered("stock.scrap", |_, cells| {
            !scoped || cells.first().and_then(Cell::id).is_some_and(|id| named.scraps.contains(&id))
        })
        .await?;
        self.filtered("stock.lot", |_, _| true).await?;
        self.bills(&dropped).await?;
        Ok(added)
    }

    /// Writes the rows of a stream for which `keep` holds.
    async fn filtered(
        &mut self,
        model: &str,
        mut keep: impl FnMut(&'static Stream, &[Cell]) -> bool,
    ) -> Result<(), RecordError> {
        let (stream, mut after) = (stream(model), 0);
        let mut file = self.begin(stream)?;
        while let Some(page) = self.recorder.page(stream, &mut after).await? {
            for cells in page.iter().filter(|cells| keep(stream, cells)) {
                self.put(stream, &mut file, cells)?;
            }
        }
        self.end(file)
    }

    async fn moves(&mut self, openings: &mut Openings<'_>, named: &mut Named) -> Result<u64, RecordError> {
        let (stream, mut after) = (stream("stock.move"), 0);
        let mut file = self.begin(stream)?;
        while let Some(mut page) = self.recorder.page(stream, &mut after).await? {
            openings.see_id(after);
            page.retain(|cells| self.within.has_move(stream, cells));
            openings.see(&page);
            // What belongs to a movement is recorded with it, so it is noted before the documents are gone through.
            for cells in &page {
                named.pickings.extend(link(stream, cells, "picking_id"));
                named.order_lines.extend(link(stream, cells, "purchase_line_id"));
                named.sale_lines.extend(link(stream, cells, "sale_line_id"));
                named.scraps.extend(link(stream, cells, "scrap_id"));
                self.put(stream, &mut file, cells)?;
            }
        }
        // Last, when it is known how much the recorded movements leave missing.
        let added = openings.rows(&self.within);
        for cells in &added {
            self.put(stream, &mut file, cells)?;
        }
        self.end(file)?;
        Ok(added.len() as u64)
    }

    /// The orders of these lines.
    async fn orders_of(&self, model: &str, lines: &BTreeSet<i64>) -> Result<BTreeSet<i64>, RecordError> {
        let (stream, mut orders) = (stream(model), BTreeSet::new());
        let lines: Vec<i64> = lines.iter().copied().collect();
        for ids in lines.chunks(PAGE) {
            let rows = self.recorder.mirror.rows(model, ids).await.map_err(RecordError::Mirror)?;
            orders.extend(rows.iter().filter_map(|row| link(stream, &cells(row), "order_id")));
        }
        Ok(orders)
    }

    /// Writes purchase orders with their lines, and answers which lines were left out.
    async fn purchases(&mut self, named: &mut Named) -> Result<BTreeSet<i64>, RecordError> {
        // An old order whose goods moved within the days that are recorded has to be there, or its receipts name nothing.
        let with_moves = self.orders_of("purchase.order.line", &named.order_lines).await?;
        let (stream_of_orders, mut after) = (stream("purchase.order"), 0);
        let mut file = self.begin(stream_of_orders)?;
        let mut kept = BTreeSet::new();
        while let Some(page) = self.recorder.page(stream_of_orders, &mut after).await? {
            for cells in &page {
                let Some(id) = link(stream_of_orders, cells, "id") else { continue };
                let recent = self.within.is_recent(text(stream_of_orders, cells, "date_order"))
                    || DRAFT.contains(&text(stream_of_orders, cells, "state"))
                    || with_moves.contains(&id);
                if recent && self.within.has_type(link(stream_of_orders, cells, "picking_type_id")) {
                    kept.insert(id);
                    if let Some(Cell::List(pickings)) = cell(stream_of_orders, cells, "picking_ids") {
                        named.pickings.extend(pickings.iter().filter_map(Cell::id));
                    }
                    self.put(stream_of_orders, &mut file, cells)?;
                }
            }
        }
        self.end(file)?;
        let mut dropped = BTreeSet::new();
        let scoped = !self.within.is_all();
        // Lines of an order of another warehouse go with it; without a scope nothing is left out.
        self.filtered("purchase.order.line", |stream, cells| {
            // Whose order is not there at all is as it was.
            let keeps = !scoped || link(stream, cells, "order_id").is_some_and(|order| kept.contains(&order));
            if !keeps {
                dropped.extend(link(stream, cells, "id"));
            }
            keeps
        })
        .await?;
        Ok(dropped)
    }

    async fn sales(&mut self, named: &Named) -> Result<(), RecordError> {
        // As with purchases: an order is as recent as its last delivery.
        let with_moves = self.orders_of("sale.order.line", &named.sale_lines).await?;
        let (stream_of_orders, mut after) = (stream("sale.order"), 0);
        let mut file = self.begin(stream_of_orders)?;
        let mut kept = BTreeSet::new();
        while let Some(page) = self.recorder.page(stream_of_orders, &mut after).await? {
            for cells in &page {
                let Some(id) = link(stream_of_orders, cells, "id") else { continue };
                let recent = self.within.is_recent(text(stream_of_orders, cells, "date_order")) || with_moves.contains(&id);
                if recent && self.within.has(link(stream_of_orders, cells, "warehouse_id")) {
                    kept.insert(id);
                    self.put(stream_of_orders, &mut file, cells)?;
                }
            }
        }
        self.end(file)?;
        let scoped = !self.within.is_all();
        let lines = stream("sale.order.line");
        let mut file = self.begin(lines)?;
        let mut after = 0;
        while let Some(page) = self.recorder.page(lines, &mut after).await? {
            for cells in &page {
                // A line may ship from another warehouse than its order.
                let warehouse = link(lines, cells, "warehouse_id");
                let keeps = link(lines, cells, "order_id").is_some_and(|order| kept.contains(&order))
                    && (warehouse.is_none() || self.within.has(warehouse));
                if !scoped || keeps {
                    self.put(lines, &mut file, cells)?;
                }
            }
        }
        self.end(file)
    }

    /// Writes the transfers that recorded rows name, with those whose rest they are.
    async fn pickings(&mut self, named: &mut Named) -> Result<(), RecordError> {
        let scoped = !self.within.is_all();
        if scoped {
            let (stream, mut after) = (stream("stock.picking"), 0);
            let mut rests = Vec::new();
            while let Some(page) = self.recorder.page(stream, &mut after).await? {
                let rest = |cells: &Vec<Cell>| Some((link(stream, cells, "id")?, link(stream, cells, "backorder_id")?));
                rests.extend(page.iter().filter_map(rest));
            }
            // A rest is younger than what it is the rest of.
            for (id, of) in rests.into_iter().rev() {
                if named.pickings.contains(&id) {
                    named.pickings.insert(of);
                }
            }
        }
        self.filtered("stock.picking", |_, cells| {
            !scoped || cells.first().and_then(Cell::id).is_some_and(|id| named.pickings.contains(&id))
        })
        .await
    }

    /// Writes bills, but for lines of orders that were left out and bills that have no others.
    async fn bills(&mut self, dropped: &BTreeSet<i64>) -> Result<(), RecordError> {
        let scoped = !self.within.is_all();
        let (bills, mut after) = (stream("account.move"), 0);
        let mut recent = BTreeSet::new();
        while let Some(page) = self.recorder.page(bills, &mut after).await? {
            for cells in &page {
                // What is not paid can still be stopped, however old the bill is.
                let open = UNPAID.contains(&text(bills, cells, "payment_state"));
                if open || self.within.is_recent(text(bills, cells, "date")) {
                    recent.extend(link(bills, cells, "id"));
                }
            }
        }
        let mut with_lines = BTreeSet::new();
        self.filtered("account.move.line", |stream, cells| {
            let bill = link(stream, cells, "move_id");
            let order_line = link(stream, cells, "purchase_line_id");
            let keeps = !scoped
                || (bill.is_some_and(|bill| recent.contains(&bill))
                    && !order_line.is_some_and(|line| dropped.contains(&line)));
            if keeps {
                with_lines.extend(bill);
            }
            keeps
        })
        .await?;
        self.filtered("account.move", |_, cells| {
            !scoped || cells.first().and_then(Cell::id).is_some_and(|id| with_lines.contains(&id))
        })
        .await
    }
}
