//! Stock moves: what they mean, and what was visible of them when.
//!
//! A move is visible as planned from its `create_date`, and as done from `date`. Three things in the last state of a row
//! would be hindsight and are undone for the planned version: the demand that validation reduced to what came (the rest
//! went into a backorder), the picking a move has wandered into, and a deadline rewritten with its purchase line.
//! Counts, opening stock and scraps are never planned: they have only the done version. A cancelled move stays as planned
//! with quantity zero from the row's last change on; drafts are left out. A move done in the instant of its entry has only
//! the done version.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rust_decimal::Decimal;

use super::care::{Care, RowError};
use super::feed::Feed;
use super::pickings::{Picking, Pickings};
use super::places::{Place, Usage};
use super::purchases::Purchases;
use super::row::{Model, Row};
use super::{Masters, Rows};
use reeve_domain::ids::LocationId;
use reeve_domain::money::Quantity;
use reeve_domain::record::{MoveKind, Record, StockMove};

pub(super) static SCRAP: Model = Model { name: "stock.scrap", needs: &["id", "name", "origin"], optional: &[] };
pub(super) static MOVE: Model = Model {
    name: "stock.move",
    needs: &[
        "id",
        "product_id",
        "product_uom",
        "product_uom_qty",
        "quantity",
        "state",
        "location_id",
        "location_dest_id",
        "is_inventory",
        "scrapped",
        "scrap_id",
        "name",
        "reference",
        "origin",
        "origin_returned_move_id",
        "picking_id",
        "purchase_line_id",
        "sale_line_id",
        "partner_id",
        "date",
        "date_deadline",
        "create_date",
        "write_date",
        "create_uid",
    ],
    optional: &["to_refund", "is_subcontract", "restrict_partner_id"],
};

/// How Odoo words the inventory adjustment that brings in what was there before Odoo.
const OPENING: &str = "Opening stock";

/// What moves refer to.
pub(super) struct Context<'a> {
    pub(super) masters: &'a Masters,
    pub(super) care: &'a Care,
    pub(super) pickings: &'a Pickings,
    pub(super) purchases: &'a Purchases,
    pub(super) sale_lines: &'a BTreeSet<i64>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Planned,
    Done,
    Cancelled,
}

/// A move in its last state.
struct Entry {
    id: i64,
    state: State,
    /// The record but for what depends on the version.
    record: StockMove,
    demand: Decimal,
    moved: Decimal,
    picking: Option<i64>,
    product: i64,
    order_lines: (Option<i64>, Option<i64>),
    /// Is it a component of the purchase line's product, which is a kit?
    is_component: bool,
    /// The deadline while it was planned.
    first_deadline: Option<Timestamp>,
    date: Timestamp,
    written_at: Timestamp,
}

impl Entry {
    /// What the document asks for of a component.
    fn asked(&self, demand: Decimal) -> Option<Quantity> {
        self.is_component.then_some(Quantity(demand))
    }
}

/// What moves say of the purchase lines that they fulfil.
#[derive(Debug, Default)]
pub(super) struct Fulfilled {
    /// When each line was first received.
    pub(super) first_receipt: BTreeMap<i64, Timestamp>,
    /// And last.
    pub(super) last_receipt: BTreeMap<i64, Timestamp>,
    /// The lines that come as components: their product is a kit.
    pub(super) kits: BTreeSet<i64>,
}

/// Puts the moves on the feed.
pub(super) fn read<R: Rows>(rows: &mut R, context: &Context<'_>, feed: &mut Feed) -> Result<Fulfilled, R::Error> {
    let mut reasons = BTreeMap::new();
    rows.each(&SCRAP, |row| {
        let (origin, name) = (row.text("origin")?, row.text("name")?);
        // Why something was scrapped people write into its origin.
        reasons.insert(row.id()?, if origin.is_empty() { name } else { origin });
        Ok(())
    })?;
    let mut entries = Vec::new();
    rows.each(&MOVE, |row| {
        entries.extend(read_entry(row, context, &reasons)?);
        Ok(())
    })?;
    // Receipts say two things of their order that its own row does not: since when it came, and whether it is of a kit.
    let mut fulfilled = Fulfilled::default();
    for entry in &entries {
        let (Some(line), MoveKind::Receipt) = (entry.order_lines.0, entry.record.kind) else { continue };
        if entry.is_component {
            fulfilled.kits.insert(line);
        }
        if entry.state == State::Done {
            let first = fulfilled.first_receipt.entry(line).or_insert(entry.date);
            *first = entry.date.min(*first);
            let last = fulfilled.last_receipt.entry(line).or_insert(entry.date);
            *last = entry.date.max(*last);
        }
    }
    let mut in_picking: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        if let Some(picking) = entry.picking {
            in_picking.entry(picking).or_default().push(at);
        }
    }
    // Only now, since what validation took off a move stands on the moves of its backorders.
    for entry in &entries {
        let planned = entry.demand + demand_left_behind(entry, &entries, &in_picking, context.pickings);
        tell(entry, planned, context.pickings, feed);
    }
    Ok(fulfilled)
}

fn read_entry(row: &Row, context: &Context<'_>, reasons: &BTreeMap<i64, String>) -> Result<Option<Entry>, RowError> {
    let product = context.masters.catalog.product(row, "product_id")?;
    let state = match row.text("state")?.as_str() {
        "draft" => return Ok(None),
        "done" => State::Done,
        "cancel" => State::Cancelled,
        _ => State::Planned,
    };
    if !product.stocked {
        return Ok(None);
    }
    let Some((kind, from, to)) = meaning(row, context)? else { return Ok(None) };
    let (po_line, sale_line) = (row.link("purchase_line_id")?, row.link("sale_line_id")?);
    // A live server is read only so far back: what a movement follows from may be older.
    let strict = context.care.is_strict();
    if strict && po_line.is_some_and(|line| !context.purchases.is_recorded(line)) {
        return Err(row.dangling("purchase_line_id", "purchase.order.line"));
    }
    if strict && sale_line.is_some_and(|line| !context.sale_lines.contains(&line)) {
        return Err(row.dangling("sale_line_id", "sale.order.line"));
    }
    let picking = context.care.or(context.pickings.named(row, "picking_id"), None)?;
    let partner = row.link("partner_id")?.or_else(|| picking.and_then(|picking| picking.partner));
    let scrap = match row.link("scrap_id")? {
        Some(id) => {
            let reason = reasons.get(&id).cloned().ok_or_else(|| row.dangling("scrap_id", "stock.scrap"));
            Some(context.care.or(reason, String::new())?)
        }
        None => None,
    };
    let reason = match kind {
        MoveKind::Scrap => scrap.unwrap_or(row.text("name")?),
        MoveKind::Count | MoveKind::Opening => row.text("name")?,
        _ => String::new(),
    };
    let unit = context.masters.catalog.stock_units(row, "product_uom", product)?;
    let returns = row.link("origin_returned_move_id")?;
    // Goods that a supplier still owns lie on our shelves and are not ours to value.
    let owner = picking.and_then(|picking| picking.owner).or(row.link("restrict_partner_id")?);
    let moved = row.must_link("product_id")?;
    // Another product than the line ordered: the line is of a kit, and this is a part of it.
    let is_component = po_line.and_then(|line| context.purchases.product(line)).is_some_and(|ordered| ordered != moved);
    let record = StockMove {
        id: row.id()?.to_string(),
        kind,
        item: product.item.clone(),
        from,
        to,
        qty: Quantity::ZERO,
        created_at: row.time("create_date")?,
        scheduled_at: if state == State::Planned { Some(row.time("date")?) } else { None },
        done_at: None,
        document: picking.map_or(row.text("reference")?, |picking| picking.name.clone()),
        document_id: picking.map(|picking| picking.id.to_string()),
        // A scrap's origin is its reason, not an order.
        origin: if kind == MoveKind::Scrap { String::new() } else { row.text("origin")? },
        po_line: po_line.map(|line| line.to_string()),
        sale_line: sale_line.map(|line| line.to_string()),
        partner: partner.map(|partner| partner.to_string()),
        deadline: row.time_opt("date_deadline")?,
        to_replace: kind == MoveKind::SupplierReturn && returns.is_some() && !row.flag("to_refund")?,
        returns: returns.map(|id| id.to_string()),
        asked: None,
        owner: owner.map(|partner| partner.to_string()),
        entered_by: row.link("create_uid")?.map(|id| id.to_string()),
        reason,
    };
    let entry = Entry {
        id: row.id()?,
        state,
        demand: (row.count("product_uom_qty")? * unit).round_dp(4).normalize(),
        moved: (row.count("quantity")? * unit).round_dp(4).normalize(),
        picking: picking.map(|picking| picking.id),
        product: moved,
        order_lines: (po_line, sale_line),
        is_component,
        // A deadline is rewritten together with the promise; what was promised first has to be put back.
        first_deadline: record
            .deadline
            .map(|last| po_line.and_then(|line| context.purchases.rewritten_promise(line)).unwrap_or(last)),
        date: row.time("date")?.max(record.created_at),
        written_at: row.time("write_date")?.max(record.created_at),
        record,
    };
    Ok(Some(entry))
}

type Meaning = (MoveKind, Option<LocationId>, Option<LocationId>);

/// What a move means, from the uses of its ends and the purchase line it is on. None where no stock of ours changes place and
/// no order of ours is served.
fn meaning(row: &Row, context: &Context<'_>) -> Result<Option<Meaning>, RowError> {
    let places = &context.masters.places;
    let (source, target) = (places.place(row, "location_id")?, places.place(row, "location_dest_id")?);
    let (from, to) = (ours(row, "location_id", source, context)?, ours(row, "location_dest_id", target, context)?);
    // Versions differ in where they say that something was scrapped.
    let is_scrap = target.scrap || source.scrap || row.flag("scrapped")? || row.link("scrap_id")?.is_some();
    let opening = row.text("reference")?.starts_with(OPENING) || row.text("name")?.starts_with(OPENING);
    let correction = if opening { MoveKind::Opening } else { MoveKind::Count };
    // A purchase line knows better than the ends what a move is.
    if let Some(meaning) = of_purchase(row, (source, &from), (target, &to))? {
        return Ok(Some(meaning));
    }
    let (bought, sold) = (row.link("purchase_line_id")?.is_some(), row.link("sale_line_id")?.is_some());
    let border = |place: &Place| places.is_border(place, bought || sold);
    // Into or out of our locations; between two of them goods only change place.
    let (out_of_it, into_it) = (from.is_none() && to.is_some(), from.is_some() && to.is_none());
    let kind = match (source.usage, target.usage) {
        (Usage::Internal, Usage::Internal) if from == to => return Ok(None),
        _ if from.is_none() && to.is_none() => return Ok(None),
        _ if is_scrap => MoveKind::Scrap,
        (Usage::Inventory, _) | (_, Usage::Inventory) => correction,
        (Usage::Supplier, _) => MoveKind::Receipt,
        (_, Usage::Supplier) => MoveKind::SupplierReturn,
        (Usage::Customer, _) => MoveKind::CustomerReturn,
        (_, Usage::Customer) => MoveKind::Delivery,
        // What comes to us on a purchase line fulfils it, and what we ship to another company has left, whatever lies between:
        // the other side is another company's business. Back the same way it goes as a return. What comes from there on no
        // order is expected by nobody's supplier: goods that were lent, as between our own.
        (Usage::Transit, _) if out_of_it && bought => MoveKind::Receipt,
        (_, Usage::Transit) if into_it && bought => MoveKind::SupplierReturn,
        (Usage::Transit, _) if out_of_it && sold && border(source) => MoveKind::CustomerReturn,
        (_, Usage::Transit) if into_it && border(target) => MoveKind::Delivery,
        // Between warehouses, on the way between them, or into and out of manufacturing: nobody's loss or gain.
        _ => MoveKind::Transfer,
    };
    Ok(Some((kind, from, to)))
}

/// What a move on a purchase line means, where the line says it and not the ends. Goods come from the supplier, out of transit
/// from a sister company, from the stock of a subcontractor, or go straight to a customer: what is taken in for the line is its
/// receipt, by whatever way, and wherever it is put.
fn of_purchase(
    row: &Row,
    (source, from): (&Place, &Option<LocationId>),
    (target, to): (&Place, &Option<LocationId>),
) -> Result<Option<Meaning>, RowError> {
    if row.link("purchase_line_id")?.is_none() {
        return Ok(None);
    }
    let takes_back = row.link("origin_returned_move_id")?.is_some();
    let made_outside = row.flag("is_subcontract")?;
    Ok(match (source.usage, target.usage) {
        (_, Usage::Supplier) => Some((MoveKind::SupplierReturn, from.clone(), None)),
        // What a customer sends back is theirs to send, also where it never was here.
        (Usage::Customer, _) => None,
        // What is made outside comes here, though the maker's stock may lie among our locations.
        _ if made_outside && !takes_back => Some((MoveKind::Receipt, None, to.clone())),
        _ if made_outside => Some((MoveKind::SupplierReturn, from.clone(), None)),
        _ if from.is_none() && !source.scrap && source.usage != Usage::Inventory => {
            Some((MoveKind::Receipt, None, to.clone()))
        }
        // Back to the sister company, or to whoever made it.
        (_, Usage::Transit | Usage::Internal | Usage::Production) if takes_back && to.is_none() && !target.scrap => {
            Some((MoveKind::SupplierReturn, from.clone(), None))
        }
        _ => None,
    })
}

/// The location whose stock a place is, if any. Goods in transit are on nobody's shelf.
fn ours(row: &Row, field: &'static str, place: &Place, context: &Context<'_>) -> Result<Option<LocationId>, RowError> {
    match place.usage {
        Usage::View => Err(row.dangling(field, "stock.location (that can hold stock)")),
        Usage::Internal if !place.scrap => match place.warehouse {
            // A warehouse that is not read, such as another company's, is not ours to watch.
            Some(id) => {
                let error = || row.dangling(field, "stock.location (of a recorded `stock.warehouse`)");
                context.care.or(context.masters.places.location(id).map(Some).ok_or_else(error), None)
            }
            None => Ok(None),
        },
        _ => Ok(None),
    }
}

/// Demand that validation took off a done move and put into backorders: the moves of the same product and order line in the
/// chain of backorders, as far as they were made after this one.
fn demand_left_behind(
    entry: &Entry,
    entries: &[Entry],
    in_picking: &BTreeMap<i64, Vec<usize>>,
    pickings: &Pickings,
) -> Decimal {
    let mut left = Decimal::ZERO;
    let mut seen = BTreeSet::new();
    let mut open: Vec<i64> = entry.picking.filter(|_| entry.state == State::Done).into_iter().collect();
    while let Some(picking) = open.pop() {
        for &rest in pickings.backorders(picking) {
            if seen.insert(rest) {
                // Only what was made after it was split off from it; other moves of the line were asked for by themselves.
                let same = |other: &&Entry| {
                    other.product == entry.product
                        && other.order_lines == entry.order_lines
                        && other.id > entry.id
                        && other.record.created_at > entry.record.created_at
                        && other.state != State::Cancelled
                };
                let moves = in_picking.get(&rest).into_iter().flatten().map(|&at| &entries[at]);
                left += moves.filter(same).map(|other| other.demand).sum::<Decimal>();
                // A backorder may have one of its own.
                open.push(rest);
            }
        }
    }
    left
}

fn tell(entry: &Entry, planned: Decimal, pickings: &Pickings, feed: &mut Feed) {
    let done = entry.state == State::Done;
    let is_plan = !matches!(entry.record.kind, MoveKind::Count | MoveKind::Opening | MoveKind::Scrap);
    // What was done without ever being asked for was never planned.
    if is_plan && !(done && planned.is_zero()) {
        let picking = entry.picking.and_then(|id| pickings.get(id));
        let stations = picking.map_or(Vec::new(), |picking| pickings.stations(picking, entry.record.created_at));
        let mut tell_at = |at: Timestamp, station: Option<&Picking>| {
            // What was done at once was never seen as planned.
            if done && at >= entry.date {
                return;
            }
            let mut record = StockMove {
                qty: Quantity(planned),
                deadline: entry.first_deadline,
                asked: entry.asked(planned),
                ..entry.record.clone()
            };
            if let Some(station) = station {
                record.document.clone_from(&station.name);
                record.document_id = Some(station.id.to_string());
            }
            feed.push(at, Record::Move(record));
        };
        tell_at(entry.record.created_at, stations.first().copied());
        for station in stations.iter().skip(1) {
            tell_at(station.created_at.max(entry.record.created_at), Some(station));
        }
    }
    match entry.state {
        State::Done => {
            let record = StockMove {
                qty: Quantity(entry.moved),
                done_at: Some(entry.date),
                asked: entry.asked(entry.demand),
                ..entry.record.clone()
            };
            feed.push(entry.date, Record::Move(record));
        }
        // What was cancelled was asked for all the same: the kit it belonged to is no smaller.
        State::Cancelled if is_plan => {
            let record = StockMove { asked: entry.asked(entry.demand), ..entry.record.clone() };
            feed.push(entry.written_at, Record::Move(record));
        }
        State::Cancelled | State::Planned => {}
    }
}
