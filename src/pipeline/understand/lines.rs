//! Lines of a document → lines of our orders.
//!
//! By our id of the line first, then by its place on the order, then by item and quantity, each line of ours once; what is
//! left is spread over the lines of its item in their order. So one announced line may stand for several of ours, and several
//! for one. An event is taken whole or not at all: one line that is not understood keeps all of them out.

use rust_decimal::Decimal;

use super::Fault;
use super::amounts::{Ratio, Ways};
use super::asked::Asked;
use super::items::{Meant, Named};
use super::known::Order;
use super::meaning::Against;
use super::orders::{OrderKeys, Parties, binding, items_of};
use crate::domain::event::wire::Amount;
use crate::domain::ids::ItemId;
use crate::domain::money::{Quantity, UnitPrice};
use crate::domain::notice::NoticeLine;
use crate::domain::record::PurchaseLine;
use crate::domain::text::clean;

/// Longest description of an item, and lot.
pub(super) const WORDS_MAX: usize = 200;
/// Most lines of one event.
pub(super) const LINES_MAX: usize = 2_000;
/// Most items of an order that a fault names.
const ITEMS_SHOWN: usize = 5;

/// What a document is, as far as its lines are concerned.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// It answers an order: every line is one of the order's.
    Answer,
    /// It tells of goods: one that is not on the order but that we know is told as such.
    Goods,
    /// It tells of money: as goods, and a line that names no item is a charge.
    Money,
}

/// An order by name and by our id, as far as a line says them.
type OrderName<'a> = (Option<&'a str>, Option<&'a str>);

/// What of a document its lines hang on.
pub(super) struct Document<'a> {
    pub(super) kind: Kind,
    /// The order of lines that name none.
    pub(super) order: OrderKeys<'a>,
    /// Must each line have an order?
    pub(super) ordered: bool,
    /// The purchase lines of lines without an order, where a shipment leads to them.
    pub(super) shipped: Option<Vec<PurchaseLine>>,
    pub(super) parties: Parties<'a>,
}

/// A line that is understood, but not yet put on lines of ours.
struct Wanted<'a> {
    asked: Asked<'a>,
    /// None where it is a charge.
    item: Option<ItemId>,
    /// Where it is one of ours by its id or place.
    fixed: Option<usize>,
    qty: Option<Quantity>,
    /// Does it take back what it says?
    back: bool,
    price: Option<UnitPrice>,
}

/// Where a part of a line stands: which of our lines, if any, and how much of it.
type Piece = (Option<usize>, Option<Quantity>);

impl Against<'_> {
    /// A document's lines, each with what it is about.
    ///
    /// # Errors
    /// Of the first line that is not understood; none of them counts then.
    pub(super) fn lines<'l, L>(&self, lines: &'l [L], document: &Document<'l>) -> Result<Vec<NoticeLine>, Fault>
    where
        Asked<'l>: From<&'l L>,
    {
        if lines.len() > LINES_MAX {
            return Err(Fault::wrong("data.lines", &format!("at most {LINES_MAX} are taken")));
        }
        let asked: Vec<Asked<'l>> = lines.iter().map(Asked::from).collect();
        let mut told: Vec<Vec<NoticeLine>> = vec![Vec::new(); asked.len()];
        // One document may speak of several orders, and each line is held against those of its own order only.
        let mut groups: Vec<(OrderName<'_>, Vec<usize>)> = Vec::new();
        for (at, line) in asked.iter().enumerate() {
            let keys = line.order.given().unwrap_or(document.order);
            let key = (keys.name.map(|n| n.0.as_str()), keys.id.map(|n| n.0.as_str()));
            match groups.iter_mut().find(|(other, _)| *other == key) {
                Some((_, places)) => places.push(at),
                None => groups.push((key, vec![at])),
            }
        }
        for (_, places) in groups {
            let these: Vec<&Asked<'l>> = places.iter().map(|at| &asked[*at]).collect();
            let order = self.order_of(&places, &these, document)?;
            let pool: Vec<&PurchaseLine> = match (&order, &document.shipped) {
                (Some((path, order)), _) => binding(path, order)?,
                (None, Some(lines)) => lines.iter().collect(),
                (None, None) => Vec::new(),
            };
            let order = order.map(|(_, order)| order);
            // A supplier's codes are those of whoever has the order, also where a hook speaks for many suppliers.
            let supplier = order.map(|order| order.supplier.clone()).or_else(|| document.parties.supplier.clone());
            let wanted = places.iter().map(|at| self.wanted(*at, &asked[*at], &pool, document.kind, supplier.as_ref()));
            let wanted: Vec<Wanted<'l>> = wanted.collect::<Result<_, _>>()?;
            let pieces = spread(&pool, &wanted).map_err(|nth| {
                let path = format!("data.lines[{}]", places[nth]);
                Fault::wrong(&path, "may be any of several lines of its item; name the line or the quantity")
            })?;
            for ((at, wanted), pieces) in places.iter().zip(&wanted).zip(pieces) {
                let path = format!("data.lines[{at}]");
                for (place, qty) in pieces {
                    let line = place.map(|place| pool[place]);
                    if line.is_none() && wanted.item.is_some() && document.kind == Kind::Answer {
                        return Err(self.not_on_order(&path, wanted, &pool));
                    }
                    told[*at].push(self.told(wanted, line, qty, order));
                }
            }
        }
        let told: Vec<NoticeLine> = told.into_iter().flatten().collect();
        // Where there is an order, goods that are not on it may be told beside its lines, but not alone.
        let leads = document.ordered || document.shipped.is_some() || told.iter().any(|l| !l.order.is_empty());
        if leads && told.iter().all(|l| l.po_line.is_none()) {
            return Err(Fault::missing("data.lines", "none of them is on the order that is named (yet)"));
        }
        if told.iter().all(|l| l.item.is_none()) {
            return Err(Fault::missing("data.lines", "none of them names an item that is known (yet)"));
        }
        Ok(told)
    }

    /// The order of some lines, and where it is named.
    fn order_of<'o>(
        &'o self,
        places: &[usize],
        lines: &[&Asked<'_>],
        document: &Document<'_>,
    ) -> Result<Option<(String, &'o Order)>, Fault>
    where
        Self: 'o,
    {
        let (Some(first), Some(place)) = (lines.first(), places.first()) else { return Ok(None) };
        let own = first.order.given();
        let path = if own.is_some() { format!("data.lines[{place}].order") } else { "data.order".to_owned() };
        if let Some(keys) = own.or_else(|| document.order.given()) {
            return self.order(&path, keys, &document.parties, lines).map(|order| Some((path, order)));
        }
        // What names its shipment, and a bill of a known supplier, may be about no order at all.
        if !document.ordered {
            return Ok(None);
        }
        // Our ids of lines say the order too, where the sender's own numbers can not be taken for them.
        let sure = document.parties.supplier.is_some() || lines.iter().all(|l| l.keys.has_code());
        let by_line = first.line.filter(|_| sure).and_then(|line| self.known.order_of_line(&line.0));
        let path = format!("data.lines[{place}].order");
        match by_line.filter(|order| lines.iter().all(|l| l.line.is_some_and(|n| order.lines.iter().any(|o| o.id == n.0)))) {
            Some(order) => {
                if let Some(supplier) = document.parties.supplier.as_ref().filter(|s| **s != order.supplier) {
                    self.may_speak(&path, &format!("order {} is", order.name), &order.supplier)?;
                    let who = self.known.supplier_label(supplier);
                    return Err(Fault::wrong(
                        &path,
                        &format!(
                            "line {} is of order {}, which is not of {who}",
                            lines[0].line.map_or("", |n| &n.0),
                            order.name
                        ),
                    ));
                }
                Ok(Some((path, order)))
            }
            None => Err(Fault::wrong(&path, "missing; name the order here or in data.order")),
        }
    }

    /// What a line says, in our units.
    fn wanted<'l>(
        &self,
        at: usize,
        asked: &Asked<'l>,
        pool: &[&PurchaseLine],
        kind: Kind,
        supplier: Option<&crate::domain::ids::SupplierId>,
    ) -> Result<Wanted<'l>, Fault> {
        let path = format!("data.lines[{at}]");
        self.day_of(&format!("{path}.date"), asked.date)?;
        let by_id = asked.line.and_then(|line| pool.iter().position(|l| l.id == line.0));
        let on_order = match by_id {
            Some(place) => [pool[place].item.clone()].into(),
            None => items_of(pool),
        };
        let meant = match self.known.named(&asked.keys, supplier) {
            Named::Found(found) => Some(self.settled(&path, asked, &found, &on_order, by_id.map(|place| pool[place]))?),
            Named::Contrary(one, other) => {
                return Err(Fault::wrong(&path, &format!("{one} and {other} name different items")));
            }
            Named::Unknown(why) if by_id.is_none() || asked.keys.has_code() => {
                // Words on a bill that are no item's are a charge: freight, a surcharge.
                if kind == Kind::Money && !asked.keys.has_code() && asked.line.is_none() {
                    None
                } else {
                    return Err(self.unknown_item(&path, asked, &why, pool));
                }
            }
            Named::Unknown(_) | Named::Nothing => None,
        };
        if meant.is_none() && by_id.is_none() && asked.keys.description.is_none() {
            return Err(match asked.line {
                // A number of the sender's own says nothing without the item.
                Some(line) => Fault::unknown(&format!("{path}.line"), "line", &line.0),
                None => Fault::wrong(&path, "names no item; give item_id, sku, gtin, supplier_code or our id of the line"),
            });
        }
        let item = meant.as_ref().map(|m| m.item.clone()).or_else(|| by_id.map(|place| pool[place].item.clone()));
        let ratio = self.ratio(&path, asked, item.as_ref(), meant.as_ref(), pool, supplier)?;
        let unit = item.as_ref().and_then(|i| self.known.items.get(i)).map_or("", |i| i.unit.as_str());
        // Only money is taken back by a sign. Goods below zero are no quantity, and are refused as such.
        let back = kind == Kind::Money && asked.qty.is_some_and(|q| q.0.is_sign_negative() && !q.0.is_zero());
        let qty = asked.qty.map(|q| if back { Amount(q.0.abs()) } else { q });
        let qty = qty.map(|q| ratio.quantity(&format!("{path}.qty"), q, unit)).transpose()?;
        let price = asked.price.map(|p| ratio.price(&format!("{path}.price"), p)).transpose()?;
        let fixed = by_id.or_else(|| place_of(asked, item.as_ref(), pool));
        Ok(Wanted { asked: *asked, item, fixed, qty, back, price })
    }

    fn settled(
        &self,
        path: &str,
        asked: &Asked<'_>,
        found: &[Meant],
        on_order: &std::collections::BTreeSet<ItemId>,
        line: Option<&PurchaseLine>,
    ) -> Result<Meant, Fault> {
        let meant = self.known.settled(found, Some(on_order)).map_err(|several| {
            let shown = self.known.shown(&several);
            Fault::ambiguous(
                path,
                "item",
                asked.keys.words().unwrap_or_default(),
                &shown,
                "its item_id or our id of the line",
            )
        })?;
        match line {
            // Our id says one item and the codes another: one of them is a slip, and nobody can say which.
            Some(line) if line.item != meant.item => {
                let what = format!("line {} is of another item than is named", line.id);
                Err(Fault::wrong(&format!("{path}.line"), &what))
            }
            _ => Ok(meant),
        }
    }

    fn ratio(
        &self,
        path: &str,
        asked: &Asked<'_>,
        item: Option<&ItemId>,
        meant: Option<&Meant>,
        pool: &[&PurchaseLine],
        supplier: Option<&crate::domain::ids::SupplierId>,
    ) -> Result<Ratio, Fault> {
        let Some(item) = item.and_then(|item| self.known.items.get(item)) else { return Ok(Ratio::ONE) };
        let sold_in = supplier.map(|s| self.known.sold_in(s, &item.id)).unwrap_or_default();
        let ways = Ways {
            item,
            coded: meant.and_then(|m| m.pack.as_ref()),
            told: asked.pack_qty,
            ordered: pool.iter().filter(|l| l.item == item.id).filter_map(|l| l.pack.as_ref()).collect(),
            listed: sold_in.iter().chain(&item.keys.packs).collect(),
        };
        ways.ratio(path, asked.unit)
    }

    fn told(
        &self,
        wanted: &Wanted<'_>,
        line: Option<&PurchaseLine>,
        qty: Option<Quantity>,
        order: Option<&Order>,
    ) -> NoticeLine {
        let Wanted { asked, item, back, price, .. } = wanted;
        let label = item.as_ref().map(|i| self.known.label(i)).unwrap_or_default();
        let order = line.map(|l| l.order_name.as_str()).or_else(|| order.map(|o| o.name.as_str()));
        NoticeLine {
            po_line: line.map(|l| l.id.clone()),
            order: order.unwrap_or_default().to_owned(),
            item_text: clean(asked.keys.words().unwrap_or(&label), WORDS_MAX),
            item: item.clone(),
            qty: if *back { qty.map(|q| -q) } else { qty },
            price: *price,
            date: asked.date,
            lot: clean(asked.lot.unwrap_or_default(), WORDS_MAX),
        }
    }

    fn unknown_item(&self, path: &str, asked: &Asked<'_>, why: &str, pool: &[&PurchaseLine]) -> Fault {
        let name = clean(asked.keys.words().unwrap_or_default(), 60);
        let why = if why.is_empty() { String::new() } else { format!(": {why}") };
        Fault::missing(path, &format!("item {name} is not known (yet){why}{}", self.items_there(pool)))
    }

    fn not_on_order(&self, path: &str, wanted: &Wanted<'_>, pool: &[&PurchaseLine]) -> Fault {
        let label = wanted.item.as_ref().map(|i| self.known.label(i)).unwrap_or_default();
        let name = clean(&label, 60);
        Fault::missing(path, &format!("item {name} is not on the order (yet){}", self.items_there(pool)))
    }

    /// What a line may be about.
    fn items_there(&self, pool: &[&PurchaseLine]) -> String {
        let Some(first) = pool.first() else { return String::new() };
        let items = items_of(pool);
        let shown = items.iter().take(ITEMS_SHOWN).map(|i| format!("{} (item {i})", clean(&self.known.label(i), 40)));
        let more = if items.len() > ITEMS_SHOWN { " and more" } else { "" };
        format!("; {} has {}{more}", first.order_name, shown.collect::<Vec<_>>().join(", "))
    }
}

/// The line that a number means by its place on the order, where it is of the item that is named and the order has several of
/// it: only then it says something, and then counters of packages do no harm.
fn place_of(asked: &Asked<'_>, item: Option<&ItemId>, pool: &[&PurchaseLine]) -> Option<usize> {
    let place = asked.line?.0.parse::<usize>().ok()?.checked_sub(1)?;
    let several = pool.iter().filter(|l| Some(&l.item) == item).count() > 1;
    let one_order = pool.iter().all(|l| l.order_id == pool[0].order_id);
    (several && one_order && pool.get(place).is_some_and(|l| Some(&l.item) == item)).then_some(place)
}

/// Puts lines on lines of ours. The error is the first that may be any of several.
fn spread(pool: &[&PurchaseLine], wanted: &[Wanted<'_>]) -> Result<Vec<Vec<Piece>>, usize> {
    let mut free: Vec<Decimal> = pool.iter().map(|l| l.qty.0).collect();
    let mut used = vec![false; pool.len()];
    let mut pieces: Vec<Vec<Piece>> = vec![Vec::new(); wanted.len()];
    for (nth, want) in wanted.iter().enumerate() {
        if let Some(place) = want.fixed {
            pieces[nth].push((Some(place), want.qty));
            // What is credited leaves the room of its line to what is billed on the same document.
            if !want.back {
                used[place] = true;
                free[place] = (free[place] - want.qty.unwrap_or(pool[place].qty).0).max(Decimal::ZERO);
            }
        }
    }
    let of_item = |want: &Wanted<'_>| -> Vec<usize> {
        (0..pool.len()).filter(|place| Some(&pool[*place].item) == want.item.as_ref()).collect()
    };
    // Whole lines first, wherever they stand: what is left over is then a part of something.
    for (nth, want) in wanted.iter().enumerate().filter(|(_, w)| w.fixed.is_none()) {
        let whole = of_item(want).into_iter().find(|place| !used[*place] && Some(pool[*place].qty) == want.qty);
        if let Some(place) = whole {
            pieces[nth].push((Some(place), want.qty));
            if !want.back {
                (used[place], free[place]) = (true, Decimal::ZERO);
            }
        }
    }
    for (nth, want) in wanted.iter().enumerate() {
        if let (true, Some(qty)) = (pieces[nth].is_empty(), want.qty) {
            pieces[nth] = filled(qty, want.back, &of_item(want), &mut free, &mut used);
        }
    }
    for (nth, want) in wanted.iter().enumerate().filter(|(_, w)| w.qty.is_none() && w.fixed.is_none()) {
        let mine = of_item(want);
        // Who else speaks of the item as such.
        let rival = |other: &Wanted<'_>| other.qty.is_none() && other.fixed.is_none() && other.item == want.item;
        let (rivals, before) =
            (wanted.iter().filter(|other| rival(other)).count(), wanted[..nth].iter().filter(|other| rival(other)).count());
        let left: Vec<usize> = mine.iter().copied().filter(|place| !used[*place]).collect();
        let left = if left.is_empty() { &mine } else { &left };
        match rivals {
            _ if mine.is_empty() => pieces[nth].push((None, None)),
            // Said of the item as such, it is said of each of its lines.
            1 => pieces[nth].extend(left.iter().map(|place| (Some(*place), None))),
            _ if rivals == left.len() => pieces[nth].push((Some(left[before]), None)),
            _ => return Err(nth),
        }
    }
    Ok(pieces)
}

/// A quantity on the lines of its item that have room, in their order; what is too much stays on the last of them.
fn filled(qty: Quantity, back: bool, mine: &[usize], free: &mut [Decimal], used: &mut [bool]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut left = qty.0;
    for place in mine.iter().copied().filter(|_| !back) {
        if left > Decimal::ZERO && free[place] > Decimal::ZERO {
            let part = left.min(free[place]);
            pieces.push((Some(place), Some(Quantity(part.normalize()))));
            used[place] = true;
            free[place] -= part;
            left -= part;
        }
    }
    if let Some((_, Some(last))) = pieces.last_mut() {
        last.0 = (last.0 + left).normalize();
    } else {
        // Nothing of it, more than all of it, or not on the order.
        let place = mine.iter().copied().find(|place| !used[*place]).or_else(|| mine.last().copied());
        if let Some(place) = place.filter(|_| !back) {
            used[place] = true;
        }
        pieces.push((place, Some(qty)));
    }
    pieces
}
