//! What the tills sold. Their stock is booked by pickings of their own, often all at once when the session closes; what was
//! sold, and when, their lines say.
//!
//! A kit's line is demand of its components. From when on the kit was made up as it is now its lines are taken apart; before
//! that, and where bills can not be read, the moves of its components count on the day they were booked. A line that settles
//! a customer's order has left the shelves, but as demand it is the order's ([`super::month::Day::tills`] is without it).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::asking::{Asking, Product};
use super::ground::{End, Ground, Zone};
use super::read::{Levels, MOVE, Sums, Which, Window, day_in, moves, quantity};
use crate::live::call::{Domain, odoo_time};
use crate::live::error::OdooError;
use crate::rows::cell::Cell;
use reeve_domain::money::Quantity;

/// One row is a line of an order, in the product's unit; what is brought back stands there below zero.
pub(super) const LINES: &str = "report.pos.order";
const POS_LINE: &str = "pos.order.line";
const SESSION: &str = "pos.session";
/// Orders that were sold. 19 has no `invoiced` any more.
const SOLD: [&str; 3] = ["paid", "done", "invoiced"];
/// Ids in one question.
const IDS_MAX: usize = 500;

/// What a look at some products of a zone shares.
struct Look<'a> {
    asking: &'a Asking,
    ground: &'a Ground,
    zone: &'a Zone,
    wanted: BTreeSet<i64>,
    month: Date,
}

impl Look<'_> {
    /// The products of which lines are asked for: those that are wanted, and kits of them.
    fn asked(&self) -> Vec<i64> {
        asked(self.ground, &self.wanted)
    }

    /// Is a line of a bill believed on a day? On the day of its last change it is not yet.
    fn is_believed(&self, line: i64, day: u8) -> bool {
        let since = self.ground.kits.as_ref().and_then(|kits| kits.since(line));
        let day = self.month.with().day(i8::try_from(day).unwrap_or(1)).build().unwrap_or(self.month);
        since.is_some_and(|since| self.zone.start_of(day) > since)
    }

    /// What one of a product is, sold at a warehouse on a day: of which wanted product how many.
    fn goods(&self, product: i64, warehouse: i64, day: u8) -> Vec<(i64, f64)> {
        let of = goods(self.ground, &self.wanted, product, warehouse);
        of.into_iter()
            .filter(|(_, _, line)| line.is_none_or(|line| self.is_believed(line, day)))
            .map(|(p, q, _)| (p, q))
            .collect()
    }
}

fn asked(ground: &Ground, wanted: &BTreeSet<i64>) -> Vec<i64> {
    let mut all = ground.kits.as_ref().map_or_else(BTreeSet::new, |kits| kits.with(wanted.iter().copied()));
    all.extend(wanted);
    all.retain(|product| !ground.tills.no_goods.contains(product));
    all.into_iter().collect()
}

/// What one of a product is at a warehouse: of which wanted product how many, by which line of a bill.
fn goods(ground: &Ground, wanted: &BTreeSet<i64>, product: i64, warehouse: i64) -> Vec<(i64, f64, Option<i64>)> {
    match ground.parts(product, warehouse) {
        Some(parts) => {
            let wanted = parts.iter().filter(|part| wanted.contains(&part.product));
            wanted.map(|part| (part.product, part.quantity, Some(part.line))).collect()
        }
        None if wanted.contains(&product) => vec![(product, 1.0, None)],
        None => Vec::new(),
    }
}

/// Puts what the lines say in the place of what the tills' pickings shipped and took back. The shelves' own movement stays.
pub(super) async fn sums(
    asking: &Asking,
    ground: &Ground,
    zone: &Zone,
    products: &[Product],
    month: Date,
    window: Window,
    sums: &mut Sums,
) -> Result<(), OdooError> {
    let wanted = products.iter().map(|p| p.id).collect();
    let look = Look { asking, ground, zone, wanted, month };
    // First what the pickings brought goes, then what the lines say comes: each day is counted once.
    booked(&look, products, window, sums).await?;
    rung_up(&look, window, sums).await?;
    if ground.tills.name_orders {
        settled(&look, window, sums).await?;
    }
    if ground.tills.have_sessions {
        counted(&look, window, sums).await?;
    }
    Ok(())
}

/// Takes off what was booked for the tills, but for components of kits whose bill was another one then, or is not known.
async fn booked(look: &Look<'_>, products: &[Product], window: Window, sums: &mut Sums) -> Result<(), OdooError> {
    let Look { asking, ground, zone, month, .. } = look;
    for m in moves(asking, ground, zone, products, window, true, Which::Tills).await? {
        let day = m.day.map_or(1, |day| day_in(*month, day));
        if let (Some(warehouse), true) = (m.from, m.to_customer) {
            sums.entry((m.product, warehouse)).or_default().entry(day).or_default().sold -= m.quantity;
        }
        if let (Some(warehouse), true) = (m.to, m.from_customer) {
            sums.entry((m.product, warehouse)).or_default().entry(day).or_default().returned -= m.quantity;
        }
    }
    if !ground.moves_name_bills {
        return Ok(());
    }
    let which = Which::TillKits { by_line: ground.kits.is_some() };
    for m in moves(asking, ground, zone, products, window, true, which).await? {
        let day = m.day.map_or(1, |day| day_in(*month, day));
        if m.bill_line.is_some_and(|line| look.is_believed(line, day)) {
            continue;
        }
        if let (Some(warehouse), true) = (m.from, m.to_customer) {
            let slot = sums.entry((m.product, warehouse)).or_default().entry(day).or_default();
            slot.sold += m.quantity;
            slot.tills += m.quantity;
        }
        if let (Some(warehouse), true) = (m.to, m.from_customer) {
            let slot = sums.entry((m.product, warehouse)).or_default().entry(day).or_default();
            slot.returned += m.quantity;
            slot.tills -= m.quantity;
        }
    }
    Ok(())
}

async fn rung_up(look: &Look<'_>, window: Window, sums: &mut Sums) -> Result<(), OdooError> {
    let Look { asking, ground, zone, month, .. } = look;
    for refunds in [false, true] {
        let domain = window
            .domain(look.asked(), "date")
            .and("state", "in", SOLD.to_vec())
            .and("config_id", "in", zone.tills.clone())
            .and("product_qty", if refunds { "<" } else { ">" }, 0);
        let by = ["product_id", "config_id", "date:day"];
        for group in asking.groups(LINES, domain, &by, &["product_qty"], Some(&zone.name)).await? {
            let till = asking.key(LINES, &group, 1)?.and_then(|till| ground.till(till));
            let (Some(product), Some(warehouse)) = (asking.key(LINES, &group, 0)?, till) else { continue };
            let day = day_in(*month, asking.day(LINES, &group, 2)?);
            for (product, times) in look.goods(product, warehouse, day) {
                let quantity = quantity(asking, LINES, group.sums[0] * times)?;
                let slot = sums.entry((product, warehouse)).or_default().entry(day).or_default();
                slot.tills += quantity;
                if refunds {
                    slot.returned -= quantity;
                } else {
                    slot.sold += quantity;
                }
            }
        }
    }
    Ok(())
}

/// Takes customers' orders that were settled at the tills off what counts beside the orders' own lines.
async fn settled(look: &Look<'_>, window: Window, sums: &mut Sums) -> Result<(), OdooError> {
    let Look { asking, ground, zone, month, .. } = look;
    let domain = window
        .domain(look.asked(), "order_id.date_order")
        .and("sale_order_line_id", "!=", false)
        .and("order_id.state", "in", SOLD.to_vec())
        .and("order_id.session_id.config_id", "in", zone.tills.clone());
    let lines = asking.rows_of(POS_LINE, domain, &["product_id", "qty", "order_id"]).await?;
    let orders: BTreeSet<i64> = lines.iter().filter_map(|row| row[3].id()).collect();
    // At which till an order was rung up and on which day of the zone.
    let mut places: BTreeMap<i64, (i64, u8)> = BTreeMap::new();
    for some in orders.into_iter().collect::<Vec<_>>().chunks(IDS_MAX) {
        let domain = Domain::all().and("order_id", "in", some.to_vec());
        let by = ["order_id", "config_id", "date:day"];
        for group in asking.groups(LINES, domain, &by, &["product_qty"], Some(&zone.name)).await? {
            let till = asking.key(LINES, &group, 1)?.and_then(|till| ground.till(till));
            if let (Some(order), Some(warehouse)) = (asking.key(LINES, &group, 0)?, till) {
                places.insert(order, (warehouse, day_in(*month, asking.day(LINES, &group, 2)?)));
            }
        }
    }
    for row in &lines {
        let place = row[3].id().and_then(|order| places.get(&order));
        let (Some(product), Cell::Number(units), Some((warehouse, day))) = (row[1].id(), &row[2], place) else { continue };
        for (product, times) in look.goods(product, *warehouse, *day) {
            let slot = sums.entry((product, *warehouse)).or_default().entry(*day).or_default();
            let quantity = quantity(asking, POS_LINE, units * times)?;
            slot.tills -= quantity;
            slot.settled += quantity;
        }
    }
    Ok(())
}

/// What had been sold and was not booked yet when it was counted: the last count of a day says it for the day.
async fn counted(look: &Look<'_>, window: Window, sums: &mut Sums) -> Result<(), OdooError> {
    let Look { asking, ground, zone, month, wanted } = look;
    let domain = window.domain(wanted.iter().copied().collect(), "date");
    let mut last: BTreeMap<(i64, i64, u8), Timestamp> = BTreeMap::new();
    for Count { product, warehouse, at } in counts(asking, ground, domain).await? {
        if zone.warehouses.contains(&warehouse) {
            let day = day_in(*month, zone.day_of(at));
            let last = last.entry((product, warehouse, day)).or_insert(at);
            *last = at.max(*last);
        }
    }
    let counts: Vec<Count> = last
        .iter()
        .map(|((product, warehouse, _), at)| Count { product: *product, warehouse: *warehouse, at: *at })
        .collect();
    let unposted = unposted_at(asking, ground, &counts, false).await?;
    for ((product, warehouse, day), unposted) in last.keys().zip(unposted) {
        if !unposted.is_zero() {
            sums.entry((*product, *warehouse)).or_default().entry(*day).or_default().unposted = unposted;
        }
    }
    over_the_end(look, window, &counts, sums).await
}

/// What sessions that were open when the month closed had sold by then: the books of that day still held it. What was sold
/// before somebody counted is in what was counted. A month that still runs closes with what is not booked now.
async fn over_the_end(look: &Look<'_>, window: Window, counts: &[Count], sums: &mut Sums) -> Result<(), OdooError> {
    let Look { asking, ground, zone, month, wanted } = look;
    let Some(end) = window.to else { return Ok(()) };
    // One that closes with the month is booked in the next.
    let before = end.checked_sub(jiff::SignedDuration::from_secs(1)).unwrap_or(end);
    let mut sessions = sessions(asking, ground, before, end).await?;
    let is_over = |s: &Session| s.began < end && s.ended.is_none_or(|ended| ended >= end);
    sessions.retain(|session| zone.warehouses.contains(&session.warehouse) && is_over(session));
    if sessions.is_empty() {
        return Ok(());
    }
    let domain = at_closing(asked(ground, wanted))
        .and("session_id", "in", sessions.iter().map(|session| session.id).collect::<Vec<_>>())
        .and("date", "<", odoo_time(end));
    let last_day = day_in(*month, month.last_of_month());
    for row in asking.rows_of(LINES, domain, &["product_id", "session_id", "date", "product_qty"]).await? {
        let session = sessions.iter().find(|session| row[2].id() == Some(session.id));
        let (Some(sold), Some(rung_at), Some(session)) = (row[1].id(), time(&row[3]), session) else { continue };
        let Cell::Number(units) = row[4] else { continue };
        for (product, times, _) in goods(ground, wanted, sold, session.warehouse) {
            let was_counted = |c: &&Count| c.product == product && rung_at < c.at && session.is_over(c);
            let counted_at = counts.iter().filter(was_counted).map(|c| c.at).min();
            let days = sums.entry((product, session.warehouse)).or_default();
            let quantity = quantity(asking, LINES, units * times)?;
            match counted_at.map(|at| day_in(*month, zone.day_of(at))) {
                Some(day) => days.entry(day).or_default().counted_ahead += quantity,
                None => days.entry(last_day).or_default().unposted_at_close += quantity,
            }
        }
    }
    Ok(())
}

/// A correction of what is there.
struct Count {
    product: i64,
    warehouse: i64,
    at: Timestamp,
}

async fn counts(asking: &Asking, ground: &Ground, domain: Domain) -> Result<Vec<Count>, OdooError> {
    let domain = domain.and("state", "=", "done").and("is_inventory", "=", true);
    let rows = asking.rows_of(MOVE, domain, &["product_id", "location_id", "location_dest_id", "date"]).await?;
    let count = |row: &Vec<Cell>| {
        let shelf = |cell: &Cell| match cell.id().map(|id| ground.end(id)) {
            Some(End::Shelf(warehouse)) => Some(warehouse),
            _ => None,
        };
        Some(Count { product: row[1].id()?, warehouse: shelf(&row[2]).or_else(|| shelf(&row[3]))?, at: time(&row[4])? })
    };
    Ok(rows.iter().filter_map(count).collect())
}

/// A session whose stock is booked when it closes.
struct Session {
    id: i64,
    warehouse: i64,
    began: Timestamp,
    /// None: it has not closed.
    ended: Option<Timestamp>,
}

impl Session {
    /// Had it sold things that were not booked when this was counted?
    fn is_over(&self, count: &Count) -> bool {
        self.warehouse == count.warehouse && self.began < count.at && self.ended.is_none_or(|ended| ended > count.at)
    }
}

/// What had been sold of each counted product there and was not booked yet; with `open`, only what is not booked now either.
async fn unposted_at(asking: &Asking, ground: &Ground, counts: &[Count], open: bool) -> Result<Vec<Quantity>, OdooError> {
    let nothing = vec![Quantity::ZERO; counts.len()];
    let (first, last) = (counts.iter().map(|c| c.at).min(), counts.iter().map(|c| c.at).max());
    let (Some(first), Some(last)) = (first, last) else { return Ok(nothing) };
    let mut sessions = sessions(asking, ground, first, last).await?;
    sessions.retain(|session| (!open || session.ended.is_none()) && counts.iter().any(|count| session.is_over(count)));
    if sessions.is_empty() {
        return Ok(nothing);
    }
    let wanted: BTreeSet<i64> = counts.iter().map(|count| count.product).collect();
    let domain = at_closing(asked(ground, &wanted))
        .and("session_id", "in", sessions.iter().map(|session| session.id).collect::<Vec<_>>())
        .and("date", "<", odoo_time(last));
    let lines = asking.rows_of(LINES, domain, &["product_id", "session_id", "date", "product_qty"]).await?;
    let unposted = |count: &Count| {
        let units = |row: &Vec<Cell>| {
            let Cell::Number(units) = row[4] else { return None };
            let (sold, rung_at) = (row[1].id()?, time(&row[3])?);
            let session = sessions.iter().find(|session| row[2].id() == Some(session.id))?;
            if rung_at >= count.at || !session.is_over(count) {
                return None;
            }
            let of = goods(ground, &wanted, sold, count.warehouse);
            Some(of.iter().filter(|(of, ..)| *of == count.product).map(|(_, times, _)| units * times).sum::<f64>())
        };
        quantity(asking, LINES, lines.iter().filter_map(units).sum())
    };
    counts.iter().map(unposted).collect()
}

/// The sessions that began and were not booked between two times.
async fn sessions(asking: &Asking, ground: &Ground, first: Timestamp, last: Timestamp) -> Result<Vec<Session>, OdooError> {
    let domain = Domain::all()
        .and("update_stock_at_closing", "=", true)
        .and("start_at", "<=", odoo_time(last))
        .and_either(("state", "!=", "closed".into()), ("stop_at", ">", odoo_time(first).into()));
    let rows = asking.rows_of(SESSION, domain, &["config_id", "state", "start_at", "stop_at"]).await?;
    let session = |row: &Vec<Cell>| {
        // What is being closed has an end already, but nothing is booked before it is closed.
        let closed = row[2] == Cell::Text("closed".to_owned());
        Some(Session {
            id: row[0].id()?,
            warehouse: ground.till(row[1].id()?)?,
            began: time(&row[3])?,
            ended: time(&row[4]).filter(|_| closed),
        })
    };
    Ok(rows.iter().filter_map(session).collect())
}

/// Lines of some products that are booked when their session closes, and not by a picking of their order's own: that one has
/// those which are delivered later, and in some companies those with an invoice.
fn at_closing(products: Vec<i64>) -> Domain {
    at_any_closing().and("product_id", "in", products)
}

fn at_any_closing() -> Domain {
    Domain::all()
        .and("state", "in", SOLD.to_vec())
        .and("session_id.update_stock_at_closing", "=", true)
        .and("order_id.shipping_date", "=", false)
        .and("order_id.picking_ids", "=", false)
}

/// Products of which open sessions have sold something that is not booked yet.
pub(in crate::live) async fn open_products(asking: &Asking, ground: &Ground) -> Result<BTreeSet<i64>, OdooError> {
    let mut products = BTreeSet::new();
    if !ground.tills.have_sessions {
        return Ok(products);
    }
    let domain = at_any_closing().and("session_id.state", "!=", "closed");
    for group in asking.groups(LINES, domain, &["product_id"], &["product_qty"], None).await? {
        let Some(product) = asking.key(LINES, &group, 0)? else { continue };
        match &ground.kits {
            Some(kits) => products.extend(kits.touched_by(product)),
            None => drop(products.insert(product)),
        }
    }
    Ok(products)
}

/// What open sessions have sold of some products, less what was brought back to them, and not booked yet.
pub(in crate::live) async fn unposted(asking: &Asking, ground: &Ground, products: &[Product]) -> Result<Levels, OdooError> {
    let wanted: BTreeSet<i64> = products.iter().map(|p| p.id).collect();
    let mut levels = Levels::new();
    let domain = at_closing(asked(ground, &wanted)).and("session_id.state", "!=", "closed");
    for group in asking.groups(LINES, domain, &["product_id", "config_id"], &["product_qty"], None).await? {
        let till = asking.key(LINES, &group, 1)?.and_then(|till| ground.till(till));
        let (Some(product), Some(warehouse)) = (asking.key(LINES, &group, 0)?, till) else { continue };
        for (product, times, _) in goods(ground, &wanted, product, warehouse) {
            *levels.entry((product, warehouse)).or_default() += quantity(asking, LINES, group.sums[0] * times)?;
        }
    }
    // What was sold before somebody counted is in what was counted.
    let products: Vec<i64> = levels.keys().map(|(product, _)| *product).collect::<BTreeSet<_>>().into_iter().collect();
    let open = Domain::all().and("state", "!=", "closed").and("update_stock_at_closing", "=", true);
    let began = asking.rows_of(SESSION, open, &["start_at"]).await?.iter().filter_map(|row| time(&row[1])).min();
    let (Some(began), false) = (began, products.is_empty()) else { return Ok(levels) };
    let domain = Domain::all().and("product_id", "in", products).and("date", ">=", odoo_time(began));
    let mut last: BTreeMap<(i64, i64), Count> = BTreeMap::new();
    for count in counts(asking, ground, domain).await? {
        let slot = last.entry((count.product, count.warehouse)).or_insert(Count { at: Timestamp::MIN, ..count });
        slot.at = count.at.max(slot.at);
    }
    let counts: Vec<Count> = last.into_values().collect();
    for (count, seen) in counts.iter().zip(unposted_at(asking, ground, &counts, true).await?) {
        if let Some(level) = levels.get_mut(&(count.product, count.warehouse)) {
            *level -= seen;
        }
    }
    Ok(levels)
}

/// A time as Odoo writes it.
fn time(cell: &Cell) -> Option<Timestamp> {
    let Cell::Text(text) = cell else { return None };
    let civil: jiff::civil::DateTime = text.parse().ok()?;
    TimeZone::UTC.to_timestamp(civil).ok()
}
