//! Sums of moves and of what is on the shelves, for some products.
//!
//! Moves are summed, not their lines: a line names the very shelf, of which there may be thousands, a move the warehouse's
//! stock or its gate. `quantity` is what was done (`product_qty`, though stored in the product's unit, is what was asked
//! for), counted in the move's unit: so the unit is a key, and each group is converted.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::asking::{Asking, Product};
use super::ground::{End, Ground, Zone};
use super::month::Days;
use super::tills;
use crate::live::call::{Domain, Group, odoo_time};
use crate::live::error::OdooError;
use reeve_domain::money::Quantity;

pub(super) const MOVE: &str = "stock.move";

/// Sums of one month by product and warehouse.
pub(super) type Sums = BTreeMap<(i64, i64), Days>;

/// Quantities by product and warehouse.
pub(in crate::live) type Levels = BTreeMap<(i64, i64), Quantity>;

/// A stretch of time; the end is not in it.
#[derive(Clone, Copy)]
pub(super) struct Window {
    pub(super) from: Timestamp,
    pub(super) to: Option<Timestamp>,
}

impl Window {
    /// Of some products, in the window by the time in `field`.
    pub(super) fn domain(self, products: Vec<i64>, field: &str) -> Domain {
        let domain = Domain::all().and("product_id", "in", products).and(field, ">=", odoo_time(self.from));
        match self.to {
            Some(to) => domain.and(field, "<", odoo_time(to)),
            None => domain,
        }
    }
}

/// Done moves of some products that touch the shelves of a zone.
pub(super) struct Moved {
    pub(super) product: i64,
    /// The warehouse they left, where it is one of the zone.
    pub(super) from: Option<i64>,
    /// The warehouse they reached, where it is one of the zone.
    pub(super) to: Option<i64>,
    pub(super) to_customer: bool,
    pub(super) from_customer: bool,
    pub(super) day: Option<Date>,
    /// The line of the bill that they were for, where it was asked.
    pub(super) bill_line: Option<i64>,
    pub(super) quantity: Quantity,
}

/// On hand and reserved now, by product and warehouse. What is not in it is nothing.
pub(in crate::live) async fn on_shelves(
    asking: &Asking,
    ground: &Ground,
    products: &[Product],
) -> Result<BTreeMap<(i64, i64), (Quantity, Quantity)>, OdooError> {
    let ids: Vec<i64> = products.iter().map(|p| p.id).collect();
    let shelves: Vec<i64> = ground.shelves().map(|(id, _)| id).collect();
    let domain = Domain::all().and("product_id", "in", ids).and("location_id", "in", shelves);
    let model = "stock.quant";
    let groups =
        asking.groups(model, domain, &["product_id", "location_id"], &["quantity", "reserved_quantity"], None).await?;
    let mut levels: BTreeMap<(i64, i64), (Quantity, Quantity)> = BTreeMap::new();
    // Several locations are shelves of one warehouse.
    for group in &groups {
        let (product, location) = (asking.key(model, group, 0)?, asking.key(model, group, 1)?);
        if let (Some(product), Some(End::Shelf(warehouse))) = (product, location.map(|id| ground.end(id))) {
            let level = levels.entry((product, warehouse)).or_default();
            level.0 += quantity(asking, model, group.sums[0])?;
            level.1 += quantity(asking, model, group.sums[1])?;
        }
    }
    Ok(levels)
}

/// On hand when `month` closed in each zone, from what is there now and what was moved since.
pub(super) async fn closing_levels(
    asking: &Asking,
    ground: &Ground,
    products: &[Product],
    month: Date,
    is_newest: bool,
) -> Result<Levels, OdooError> {
    let now = on_shelves(asking, ground, products).await?;
    let mut levels: Levels = now.into_iter().map(|(place, (on_hand, _))| (place, on_hand)).collect();
    // Of the month that runs the level is that of now: nothing has been moved since.
    if is_newest {
        return Ok(levels);
    }
    // Each zone's month ended at another moment, so each is walked back for its own shelves.
    for zone in &ground.zones {
        let since = Window { from: zone.start_of(month_after(month)), to: None };
        for m in moves(asking, ground, zone, products, since, false, Which::All).await? {
            if let Some(warehouse) = m.from {
                *levels.entry((m.product, warehouse)).or_default() += m.quantity;
            }
            if let Some(warehouse) = m.to {
                *levels.entry((m.product, warehouse)).or_default() -= m.quantity;
            }
        }
    }
    Ok(levels)
}

/// What was moved, sold and brought back in a month, by product and warehouse.
pub(super) async fn month_sums(
    asking: &Asking,
    ground: &Ground,
    products: &[Product],
    month: Date,
) -> Result<Sums, OdooError> {
    let mut sums = Sums::new();
    for zone in &ground.zones {
        let window = Window { from: zone.start_of(month), to: Some(zone.start_of(month_after(month))) };
        for m in moves(asking, ground, zone, products, window, true, Which::All).await? {
            let day = m.day.map_or(1, |day| day_in(month, day));
            if let Some(warehouse) = m.from {
                let slot = sums.entry((m.product, warehouse)).or_default().entry(day).or_default();
                slot.net -= m.quantity;
                if m.to_customer {
                    slot.sold += m.quantity;
                }
            }
            if let Some(warehouse) = m.to {
                let slot = sums.entry((m.product, warehouse)).or_default().entry(day).or_default();
                slot.net += m.quantity;
                if m.from_customer {
                    slot.returned += m.quantity;
                }
            }
        }
        if !zone.tills.is_empty() {
            tills::sums(asking, ground, zone, products, month, window, &mut sums).await?;
        }
    }
    Ok(sums)
}

/// Which moves are meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    /// All.
    All,
    /// Those of tills' pickings.
    Tills,
    /// Those of tills' pickings that took components of kits, told apart by the bill's line where `by_line`.
    TillKits { by_line: bool },
}

/// Done moves of some products in a window that touch the shelves of a zone.
pub(super) async fn moves(
    asking: &Asking,
    ground: &Ground,
    zone: &Zone,
    products: &[Product],
    window: Window,
    by_day: bool,
    which: Which,
) -> Result<Vec<Moved>, OdooError> {
    let shelves = serde_json::Value::from(zone.shelves.clone());
    let mut domain = window
        .domain(products.iter().map(|p| p.id).collect(), "date")
        .and("state", "=", "done")
        .and_either(("location_id", "in", shelves.clone()), ("location_dest_id", "in", shelves));
    // What tills have booked carries their session; of it the lines of the tills say better when it was sold.
    if which != Which::All {
        domain = domain.and("picking_id.pos_session_id", "!=", false);
    }
    if let Which::TillKits { .. } = which {
        domain = domain.and("bom_line_id", "!=", false);
    }
    // The bill's line is a key only where it is asked for: each key more makes the answer longer.
    let by_line = which == Which::TillKits { by_line: true };
    let by = ["product_id", "product_uom", "location_id", "location_dest_id", "date:day", "bom_line_id"];
    let by = if by_line { &by[..] } else { &by[..if by_day { 5 } else { 4 }] };
    let units: BTreeMap<i64, i64> = products.iter().map(|p| (p.id, p.unit)).collect();
    let mut found = Vec::new();
    for group in asking.groups(MOVE, domain, by, &["quantity"], Some(&zone.name)).await? {
        let Some(product) = asking.key(MOVE, &group, 0)? else { continue };
        let end = |at: usize| Ok::<_, OdooError>(asking.key(MOVE, &group, at)?.map_or(End::Elsewhere, |id| ground.end(id)));
        let (source, target) = (end(2)?, end(3)?);
        let here = |end: End| match end {
            End::Shelf(warehouse) => zone.warehouses.contains(&warehouse).then_some(warehouse),
            _ => None,
        };
        // From shelf to shelf of one warehouse: nothing has come or gone.
        if source == target {
            continue;
        }
        let unit = asking.key(MOVE, &group, 1)?.unwrap_or(0);
        let ratio = ground.ratio(unit, units.get(&product).copied().unwrap_or(unit));
        found.push(Moved {
            product,
            from: here(source),
            to: here(target),
            // What passes the border to a sister company has left like a sale; what comes over it is no customer's return.
            to_customer: matches!(target, End::Customer | End::Border),
            from_customer: source == End::Customer,
            day: if by.len() > 4 { Some(asking.day(MOVE, &group, 4)?) } else { None },
            bill_line: if by_line { asking.key(MOVE, &group, 5)? } else { None },
            quantity: quantity(asking, MOVE, group.sums[0] * ratio)?,
        });
    }
    Ok(found)
}

/// Products of which anything was written since `since`, each with the earliest month that it was about.
///
/// A move of any state counts: one that was done and is so no more is written too. Only those dated up to `until`, as what
/// is planned has been done by nobody.
pub(super) async fn touched(
    asking: &Asking,
    ground: &Ground,
    since: Timestamp,
    until: Timestamp,
) -> Result<BTreeMap<i64, Date>, OdooError> {
    let mut first: BTreeMap<i64, Date> = BTreeMap::new();
    let mut note = |model: &str, groups: Vec<Group>| {
        for group in &groups {
            let Some(product) = asking.key(model, group, 0)? else { continue };
            // The day is UTC's; in a zone west of it the evening before is meant.
            let day = asking.day(model, group, 1)?.yesterday().unwrap_or(Date::MIN);
            // What is written of a kit is about its components.
            let about = ground.kits.as_ref().map_or_else(|| BTreeSet::from([product]), |kits| kits.touched_by(product));
            for product in about {
                let slot = first.entry(product).or_insert_with(|| day.first_of_month());
                *slot = (*slot).min(day.first_of_month());
            }
        }
        Ok::<_, OdooError>(())
    };
    let by = ["product_id", "date:day"];
    let domain = Domain::all().and("write_date", ">=", odoo_time(since)).and("date", "<=", odoo_time(until));
    note(MOVE, asking.groups(MOVE, domain, &by, &["quantity"], Some("UTC")).await?)?;
    if ground.zones.iter().any(|zone| !zone.tills.is_empty()) {
        // A line has no stamp of its own here, its order has. Where orders can not be read, at least new days are seen.
        let written = if ground.tills.have_orders { "order_id.write_date" } else { "date" };
        let domain = Domain::all().and(written, ">=", odoo_time(since));
        let groups = asking.groups(tills::LINES, domain, &by, &["product_qty"], Some("UTC")).await?;
        note(tills::LINES, groups)?;
    }
    Ok(first)
}

/// Products whose shelves may look other than at `since`: something about their stock was written, or moved. The second is
/// asked for too, as Odoo deletes what has become empty.
pub(in crate::live) async fn stirred(asking: &Asking, since: Timestamp) -> Result<BTreeSet<i64>, OdooError> {
    let since = Domain::all().and("write_date", ">=", odoo_time(since));
    let mut products = BTreeSet::new();
    for (model, domain) in [("stock.quant", since.clone()), (MOVE, since.and("state", "=", "done"))] {
        for group in asking.groups(model, domain, &["product_id"], &["quantity"], None).await? {
            products.extend(asking.key(model, &group, 0)?);
        }
    }
    Ok(products)
}

/// The first day of the month after.
pub(super) fn month_after(month: Date) -> Date {
    month.last_of_month().tomorrow().unwrap_or(Date::MAX)
}

/// A day's number in its month. Where the server's idea of a zone's clock differs from ours, a group of the first or last
/// hour may be told under a neighbouring day: it is held in the month that was asked for.
pub(super) fn day_in(month: Date, day: Date) -> u8 {
    day.clamp(month, month.last_of_month()).day().unsigned_abs()
}

pub(super) fn quantity(asking: &Asking, model: &str, sum: f64) -> Result<Quantity, OdooError> {
    Quantity::from_erp(sum).ok_or_else(|| asking.garbled(model, format!("{sum} is no quantity")))
}
