//! Which documents a page of changes touches, and the rows that are needed to tell them.

use std::collections::{BTreeMap, BTreeSet};

use super::News;
use super::left_out::LeftOut;
use super::live::{Live, Tables, cells};
use crate::live::streams::stream_of;
use crate::rows::cell::Cell;
use crate::rows::{Care, Feed, Masters, Partners, Problem};
use reeve_domain::record::{Record, RecordKind, RecordRef};
use reeve_ports::{BoxError, Mirror, MirrorRow};

const ORDER: &str = "purchase.order";
const ORDER_LINE: &str = "purchase.order.line";
const SALE: &str = "sale.order";
pub(super) const SALE_LINE: &str = "sale.order.line";
const PICKING: &str = "stock.picking";
const MOVE: &str = "stock.move";
const SCRAP: &str = "stock.scrap";
const BILL: &str = "account.move";
const BILL_LINE: &str = "account.move.line";
const LOT: &str = "stock.lot";

/// Rows whose records are told.
#[derive(Debug, Default)]
pub(super) struct Targets {
    order_lines: BTreeSet<i64>,
    sale_lines: BTreeSet<i64>,
    moves: BTreeSet<i64>,
    bill_lines: BTreeSet<i64>,
    lots: BTreeSet<i64>,
}

impl Targets {
    /// Whatever the changed rows say something about, and what was left out for want of a row that has come.
    pub(super) async fn of(
        mirror: &dyn Mirror,
        changed: &BTreeMap<&'static str, BTreeSet<i64>>,
        left_out: &LeftOut,
    ) -> Result<Self, BoxError> {
        // What was left out for want of another row is tried again when a row of that model comes.
        let again = left_out.waiting_for(changed.keys().copied());
        let of = |model: &str| -> BTreeSet<i64> {
            [changed.get(model), again.get(model)].into_iter().flatten().flatten().copied().collect()
        };
        let mut all = Self {
            order_lines: of(ORDER_LINE),
            sale_lines: of(SALE_LINE),
            moves: of(MOVE),
            bill_lines: of(BILL_LINE),
            lots: of(LOT),
        };
        all.sale_lines.extend(ids(&linked(mirror, SALE_LINE, "order_id", &of(SALE)).await?));
        all.bill_lines.extend(ids(&linked(mirror, BILL_LINE, "move_id", &of(BILL)).await?));
        let scraps = table(SCRAP, by_id(mirror, SCRAP, &of(SCRAP)).await?);
        // Why goods were scrapped stands on another row than their move.
        all.moves.extend(scraps.lists(SCRAP, "move_ids"));
        // A picking names the documents of its moves, and says for when an order was first promised.
        let in_pickings = table(MOVE, linked(mirror, MOVE, "picking_id", &of(PICKING)).await?);
        all.moves.extend(in_pickings.ids(MOVE));
        all.order_lines.extend(in_pickings.links(MOVE, "purchase_line_id"));
        // Whether a promise was rewritten shows in all of an order's lines.
        let mut orders = of(ORDER);
        let lines = table(ORDER_LINE, by_id(mirror, ORDER_LINE, &all.order_lines).await?);
        orders.extend(lines.links(ORDER_LINE, "order_id"));
        all.order_lines.extend(ids(&linked(mirror, ORDER_LINE, "order_id", &orders).await?));
        // And in the deadline of what is still planned.
        let planned = linked(mirror, MOVE, "purchase_line_id", &all.order_lines).await?;
        all.moves.extend(planned.iter().filter(|row| is_planned(row)).map(|row| row.id));
        Ok(all)
    }

    /// And the lines of customers' orders for these kits: how they are made up has changed.
    pub(super) async fn add_kits(&mut self, mirror: &dyn Mirror, changed: &BTreeSet<i64>) -> Result<(), BoxError> {
        self.sale_lines.extend(ids(&linked(mirror, SALE_LINE, "product_id", changed).await?));
        Ok(())
    }

    /// The lines of customers' orders among them.
    pub(super) fn sale_lines(&self) -> &BTreeSet<i64> {
        &self.sale_lines
    }

    /// The rows themselves and those they refer to.
    pub(super) async fn rows(&self, mirror: &dyn Mirror) -> Result<Tables, BoxError> {
        let mut tables = Tables::default();
        tables.add(MOVE, by_id(mirror, MOVE, &self.moves).await?);
        // Whether a line is of a kit shows in what comes for it.
        tables.add(MOVE, linked(mirror, MOVE, "purchase_line_id", &self.order_lines).await?);
        tables.add(SCRAP, by_id(mirror, SCRAP, &tables.links(MOVE, "scrap_id")).await?);
        let mut lines = tables.links(MOVE, "purchase_line_id");
        lines.extend(&self.order_lines);
        tables.add(ORDER_LINE, by_id(mirror, ORDER_LINE, &lines).await?);
        let orders = tables.links(ORDER_LINE, "order_id");
        tables.add(ORDER_LINE, linked(mirror, ORDER_LINE, "order_id", &orders).await?);
        tables.add(ORDER, by_id(mirror, ORDER, &orders).await?);
        let mut pickings = tables.links(MOVE, "picking_id");
        pickings.extend(tables.lists(ORDER, "picking_ids"));
        tables.add(PICKING, by_id(mirror, PICKING, &pickings).await?);
        tables.add(SALE_LINE, by_id(mirror, SALE_LINE, &self.sale_lines).await?);
        tables.add(SALE, by_id(mirror, SALE, &tables.links(SALE_LINE, "order_id")).await?);
        tables.add(BILL_LINE, by_id(mirror, BILL_LINE, &self.bill_lines).await?);
        tables.add(BILL, by_id(mirror, BILL, &tables.links(BILL_LINE, "move_id")).await?);
        tables.add(LOT, by_id(mirror, LOT, &self.lots).await?);
        Ok(tables)
    }

    /// Tells the targets' records, and of the others only the suppliers they name.
    pub(super) fn tell(&self, records: BTreeMap<RecordRef, Record>, news: &mut News) {
        for (key, record) in records {
            // A kit's line is told as one of each component: `12-75`.
            let id = key.id.split('-').next().and_then(|id| id.parse().ok()).unwrap_or(0);
            let is_target = match key.kind {
                RecordKind::PoLine => self.order_lines.contains(&id),
                RecordKind::SaleLine => self.sale_lines.contains(&id),
                RecordKind::Move => self.moves.contains(&id),
                RecordKind::BillLine => self.bill_lines.contains(&id),
                RecordKind::Lot => self.lots.contains(&id),
                _ => true,
            };
            if is_target {
                news.put(record);
            }
        }
        // Of every row that changed: what is not among the records any more has to be taken back.
        for (kind, ids) in [
            (RecordKind::PoLine, &self.order_lines),
            (RecordKind::SaleLine, &self.sale_lines),
            (RecordKind::Move, &self.moves),
            (RecordKind::BillLine, &self.bill_lines),
            (RecordKind::Lot, &self.lots),
        ] {
            for id in ids {
                news.gone_id(kind, *id);
            }
        }
    }
}

/// Tells the changed partners that orders or bills name; what lists name is told with the lists.
pub(super) async fn tell_suppliers(
    mirror: &dyn Mirror,
    partners: &Partners,
    changed: &BTreeMap<&'static str, BTreeSet<i64>>,
    news: &mut News,
) -> Result<(), BoxError> {
    let Some(changed) = changed.get("res.partner") else { return Ok(()) };
    let mut named = BTreeSet::new();
    for model in [ORDER, BILL] {
        named.extend(table(model, linked(mirror, model, "partner_id", changed).await?).links(model, "partner_id"));
    }
    for id in changed {
        // A partner is a supplier once something names it as one; most of them are customers.
        match partners.supplier(*id) {
            Some(supplier) if named.contains(id) => news.put(Record::Supplier(supplier)),
            Some(_) => {}
            None => news.gone_id(RecordKind::Supplier, *id),
        }
    }
    Ok(())
}

/// The records that documents give now, and what was passed over.
pub(super) fn translate(rows: &Tables, masters: &Masters, companies: &[i64]) -> (BTreeMap<RecordRef, Record>, Vec<Problem>) {
    let care = Care::lenient();
    let mut feed = Feed::default();
    let mut live = Live::new(rows, companies, &care);
    let read = masters
        .read_documents(&mut live, masters.no_suppliers(), &care, &mut feed)
        .and_then(|()| masters.read_lots(&mut live, &mut feed));
    match read {
        Ok(_) => (feed.into_last_versions(), care.into_problems()),
        Err(never) => match never {},
    }
}

fn is_planned(row: &MirrorRow) -> bool {
    let at = stream_of(MOVE).and_then(|stream| stream.position("state"));
    let cells = cells(row);
    !matches!(at.and_then(|at| cells.get(at)), Some(Cell::Text(state)) if state == "done" || state == "cancel")
}

fn table(model: &'static str, rows: Vec<MirrorRow>) -> Tables {
    let mut tables = Tables::default();
    tables.add(model, rows);
    tables
}

fn ids(rows: &[MirrorRow]) -> impl Iterator<Item = i64> {
    rows.iter().map(|row| row.id)
}

async fn by_id(mirror: &dyn Mirror, model: &str, ids: &BTreeSet<i64>) -> Result<Vec<MirrorRow>, BoxError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    mirror.rows(model, &ids.iter().copied().collect::<Vec<_>>()).await
}

async fn linked(mirror: &dyn Mirror, model: &str, field: &str, targets: &BTreeSet<i64>) -> Result<Vec<MirrorRow>, BoxError> {
    let link = stream_of(model).and_then(|stream| stream.link(field)).ok_or("no such link: the table of streams changed")?;
    if targets.is_empty() {
        return Ok(Vec::new());
    }
    mirror.linked(model, link, &targets.iter().copied().collect::<Vec<_>>()).await
}
