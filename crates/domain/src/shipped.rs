//! What was announced to be on its way against what was booked in: ship notices and receipt advices beside the receipts of
//! their purchase lines (handbook §3.5: exact).
//!
//! Lines of one order and item are looked at together: which of them a supplier or the receiving clerk means is chance, and
//! what was announced of the item came or did not. A notice that another replaces says nothing any more. Nothing is compared before goods were booked in after the notice:
//! what is on its way is not missing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::announced::name_key;

use super::calendar::plus_days;
use super::ids::ItemId;
use super::money::Quantity;
use super::notice::{Notice, NoticeContent, NoticeLine};
use super::record::{PurchaseLine, StockMove};
use super::supply::Supply;

/// Who told how much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Teller {
    /// The supplier, as the goods left.
    Supplier,
    /// A warehouse outside the ERP, as they came.
    Warehouse,
}

/// A purchase line, with the others of its order and item, whose receipts are not what was told of them.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    /// The purchase line; the first that was told of, where there are several.
    pub po_line: String,
    /// Who told it.
    pub teller: Teller,
    /// The notices that told it, oldest first.
    pub notices: Vec<String>,
    /// The shipment of the newest of them, as the sender calls it.
    pub shipment: String,
    /// Told; zero where the goods were not announced.
    pub told: Quantity,
    /// Booked in since.
    pub received: Quantity,
    /// The lots that differ: as sent, as received.
    pub lots: Option<(String, String)>,
    /// First and last day of the receipts looked at.
    pub days: (Date, Date),
}

/// An item that a ship notice names and its order does not have, though goods of the order have come since.
#[derive(Clone, Debug, PartialEq)]
pub struct Stranger {
    /// The notice.
    pub notice: String,
    /// The shipment.
    pub shipment: String,
    /// A line of the order it names.
    pub beside: String,
    /// The item.
    pub item: ItemId,
    /// How many of it.
    pub told: Quantity,
    /// The day on which goods of the order came.
    pub day: Date,
}

/// An order and an item.
type Goods<'b> = (&'b str, &'b ItemId);

/// What a warehouse's advice may lag behind its booking.
const ADVICE_LEAD_DAYS: i32 = 1;

/// The shipment that a notice is about; its own id where the sender gave no number.
fn shipment_of(notice: &Notice) -> &str {
    match &notice.content {
        NoticeContent::ShipNotice { shipment, .. } | NoticeContent::ReceiptAdvice { shipment, .. }
            if !shipment.is_empty() =>
        {
            shipment
        }
        _ => &notice.id,
    }
}

/// What stands of notices in order of time, each with the shipment that it replaces: the newest of each sender's shipment.
fn standing<'b>(told: impl Iterator<Item = (&'b Notice, Option<&'b str>)>) -> Vec<&'b Notice> {
    let mut kept: BTreeMap<(&str, &str), (usize, &Notice)> = BTreeMap::new();
    for (place, (notice, replaces)) in told.enumerate() {
        if let Some(old) = replaces {
            kept.remove(&(notice.source.as_str(), old));
        }
        kept.insert((notice.source.as_str(), shipment_of(notice)), (place, notice));
    }
    let mut kept: Vec<(usize, &Notice)> = kept.into_values().collect();
    kept.sort_by_key(|(place, _)| *place);
    kept.into_iter().map(|(_, notice)| notice).collect()
}

impl Supply {
    /// The ship notices that stand, oldest first: the newest of each shipment, without those that a later one replaces.
    pub fn ship_notices(&self) -> Vec<&Notice> {
        let told = self.notices_in_order().into_iter();
        standing(told.filter_map(|n| match &n.content {
            NoticeContent::ShipNotice { replaces, .. } => Some((n, replaces.as_deref())),
            _ => None,
        }))
    }

    /// The receipt advices that stand, oldest first: the newest of each shipment.
    fn receipt_advices(&self) -> Vec<&Notice> {
        let told = self.notices_in_order().into_iter();
        standing(told.filter(|n| matches!(n.content, NoticeContent::ReceiptAdvice { .. })).map(|n| (n, None)))
    }

    /// Every line whose receipts are not what was told, by line.
    pub fn mismatches(&self) -> Vec<Mismatch> {
        let (shipped, advised) = (self.ship_notices(), self.receipt_advices());
        let (by_supplier, by_warehouse) = (self.by_goods(&shipped), self.by_goods(&advised));
        let none: &[&Notice] = &[];
        let told: BTreeSet<Goods<'_>> = by_supplier.keys().chain(by_warehouse.keys()).copied().collect();
        let lines = shipped.iter().chain(&advised).flat_map(|n| lines_of(n)).filter_map(|l| self.line_told(l));
        let named: BTreeSet<&str> = lines.map(|l| l.id.as_str()).collect();
        let mut found = Vec::new();
        for goods in told {
            let Some(same) = self.same_goods(goods, &named) else { continue };
            let sent = by_supplier.get(&goods).map_or(none, Vec::as_slice);
            let came = by_warehouse.get(&goods).map_or(none, Vec::as_slice);
            found.extend(self.against(&same, Teller::Supplier, sent));
            found.extend(self.against(&same, Teller::Warehouse, came));
            found.extend(self.lots(&same, sent, came));
        }
        found.extend(self.unannounced(&shipped));
        found.sort_by(|a, b| (&a.po_line, a.teller).cmp(&(&b.po_line, b.teller)));
        found.dedup_by(|b, a| {
            // One teller's word on a line is one mismatch: the lots beside the quantities.
            let same = a.po_line == b.po_line && a.teller == b.teller;
            if same && a.lots.is_none() {
                a.lots = b.lots.take();
            }
            same
        });
        found
    }

    /// Notices by the goods that they are about, each in its order.
    fn by_goods<'b>(&'b self, notices: &[&'b Notice]) -> BTreeMap<Goods<'b>, Vec<&'b Notice>> {
        let mut by_goods: BTreeMap<Goods<'_>, Vec<&Notice>> = BTreeMap::new();
        for notice in notices {
            for line in lines_of(notice).iter().filter_map(|told| self.line_told(told)) {
                let told = by_goods.entry((&line.order_id, &line.item)).or_default();
                if told.last().is_none_or(|last| last.id != notice.id) {
                    told.push(notice);
                }
            }
        }
        by_goods
    }

    /// The lines of an order and item, the first of those that notices have `named` before the others.
    fn same_goods<'b>(&'b self, (order, item): Goods<'b>, named: &BTreeSet<&str>) -> Option<Vec<&'b PurchaseLine>> {
        let mut lines: Vec<&PurchaseLine> =
            self.lines_of_order(order).into_iter().filter(|l| l.item == *item && l.confirmed).collect();
        let first = lines.iter().position(|l| named.contains(l.id.as_str()))?;
        lines[..=first].rotate_right(1);
        Some(lines)
    }

    /// The quantities of lines of one order and item. Notices and receipts are walked side by side, so that what has been told and booked in full is
    /// done with, and what is still on its way is not missing.
    fn against(&self, lines: &[&PurchaseLine], teller: Teller, notices: &[&Notice]) -> Option<Mismatch> {
        let mut told: Vec<(&Notice, Quantity)> = Vec::new();
        for notice in notices {
            let mine: Vec<&NoticeLine> = lines_of(notice).iter().filter(|l| self.is_about(l, lines)).collect();
            if !mine.is_empty() {
                // A notice without a quantity can not be held against anything.
                told.push((notice, mine.iter().map(|l| l.qty).sum::<Option<Quantity>>()?));
            }
        }
        let first = told.first()?.0;
        let batches = self.batches(lines, self.since(teller, first));
        let last = batches.last()?.0;
        let mut left = batches.iter();
        let mut since: Option<Timestamp> = None;
        let (mut open, mut received) = (Quantity::ZERO, Quantity::ZERO);
        let mut names: Vec<String> = Vec::new();
        let mut shipment = String::new();
        for (notice, qty) in told {
            open += qty;
            names.push(notice.id.clone());
            shipment_of(notice).clone_into(&mut shipment);
            // Receipts are drawn only as far as they are announced: a notice may come in several lorries, a lorry may hold
            // several notices.
            while received < open {
                match left.next() {
                    Some((at, qty)) => {
                        received += *qty;
                        since = since.or(Some(*at));
                    }
                    None => break,
                }
            }
            // The rest is on its way, and so is whatever was announced after it.
            if received < open {
                break;
            }
            // Told and booked agree up to here, so later notices are held against later receipts alone.
            if received == open {
                (open, received, since) = (Quantity::ZERO, Quantity::ZERO, None);
                names.clear();
            }
        }
        // Where nothing came yet nothing is missing.
        let differs = received.is_positive() && received != open;
        let lots = None;
        let days = (self.calendar.day_of(since.unwrap_or(last)), self.calendar.day_of(last));
        differs.then(|| Mismatch {
            po_line: lines[0].id.clone(),
            teller,
            notices: names,
            shipment,
            told: open,
            received,
            lots,
            days,
        })
    }

    /// From when receipts belong to a notice: a warehouse tells of goods that are booked in already.
    fn since(&self, teller: Teller, first: &Notice) -> Timestamp {
        match teller {
            Teller::Supplier => first.told_at(),
            Teller::Warehouse => self.calendar.close_of(plus_days(self.told_on(first), -ADVICE_LEAD_DAYS - 1)),
        }
    }

    fn is_about(&self, told: &NoticeLine, lines: &[&PurchaseLine]) -> bool {
        self.line_told(told).is_some_and(|l| lines.iter().any(|line| line.id == l.id))
    }

    /// The receipts of lines after `since` by document, in order of time.
    fn batches(&self, lines: &[&PurchaseLine], since: Timestamp) -> Vec<(Timestamp, Quantity)> {
        // A replacement was announced with the goods that it replaces, or with a notice of its own.
        let since = |m: &&StockMove| m.done_at.is_some_and(|at| at > since);
        let mut documents: BTreeMap<&str, (Timestamp, Quantity)> = BTreeMap::new();
        for line in lines {
            let receipts: Vec<&StockMove> = self.receipts(&line.id).into_iter().filter(since).collect();
            for (first, qty) in self.deliveries(&line.id, receipts) {
                let Some(at) = first.done_at else { continue };
                documents.entry(first.document.as_str()).or_insert((at, Quantity::ZERO)).1 += qty;
            }
        }
        let mut batches: Vec<(Timestamp, Quantity)> = documents.into_values().collect();
        batches.sort_by_key(|(at, _)| *at);
        batches
    }

    /// A lot that came other than it was sent, where both sides name lots.
    fn lots(&self, lines: &[&PurchaseLine], shipped: &[&Notice], advised: &[&Notice]) -> Option<Mismatch> {
        let mine = |notice: &&Notice| {
            lines_of(notice)
                .iter()
                .filter(|l| self.is_about(l, lines) && !l.lot.trim().is_empty())
                .cloned()
                .collect::<Vec<_>>()
        };
        let sent: Vec<NoticeLine> = shipped.iter().flat_map(mine).collect();
        let came: Vec<NoticeLine> = advised.iter().flat_map(mine).collect();
        let other = came.iter().find(|c| sent.iter().all(|s| s.lot.trim() != c.lot.trim()))?;
        let as_sent = sent.first()?;
        let notice = advised.iter().rev().find(|n| lines_of(n).iter().any(|l| self.is_about(l, lines)))?;
        let batches = self.batches(lines, self.since(Teller::Warehouse, notice));
        let days = (self.calendar.day_of(batches.first()?.0), self.calendar.day_of(batches.last()?.0));
        let received: Quantity = batches.iter().map(|(_, qty)| *qty).sum();
        // The goods came, in another lot: the quantities are not what differs.
        Some(Mismatch {
            po_line: lines[0].id.clone(),
            teller: Teller::Warehouse,
            notices: vec![notice.id.clone()],
            shipment: shipment_of(notice).to_owned(),
            told: received,
            received,
            lots: Some((as_sent.lot.trim().to_owned(), other.lot.trim().to_owned())),
            days,
        })
    }

    /// Lines that came in the same delivery as announced ones and that no notice names.
    fn unannounced(&self, shipped: &[&Notice]) -> Vec<Mismatch> {
        let told = shipped.iter().flat_map(|n| lines_of(n)).filter_map(|l| self.line_told(l));
        let named: BTreeSet<Goods<'_>> = told.map(|l| (l.order_id.as_str(), &l.item)).collect();
        let mut found: BTreeMap<&str, Mismatch> = BTreeMap::new();
        for notice in shipped {
            let of_notice: Vec<&PurchaseLine> = lines_of(notice).iter().filter_map(|l| self.line_told(l)).collect();
            // What could not be matched to a line may be this one under another name.
            if of_notice.len() < lines_of(notice).len() {
                continue;
            }
            let after = |at: &Timestamp| *at > notice.told_at();
            let documents: BTreeSet<&str> = of_notice
                .iter()
                .flat_map(|l| self.receipts(&l.id))
                .filter(|m| m.done_at.as_ref().is_some_and(after))
                .map(|m| m.document.as_str())
                .collect();
            let orders: BTreeSet<&str> = of_notice.iter().map(|l| l.order_id.as_str()).collect();
            for line in orders.into_iter().flat_map(|order| self.lines_of_order(order)) {
                for m in self.receipts(&line.id) {
                    let Some(at) = m.done_at.filter(after) else { continue };
                    // Only what stands on the same document came with what was announced. Another delivery has a notice of
                    // its own, or none.
                    if named.contains(&(line.order_id.as_str(), &line.item))
                        || !documents.contains(m.document.as_str())
                        || !m.qty.is_positive()
                    {
                        continue;
                    }
                    let day = self.calendar.day_of(at);
                    let mismatch = found.entry(line.id.as_str()).or_insert_with(|| Mismatch {
                        po_line: line.id.clone(),
                        teller: Teller::Supplier,
                        notices: vec![notice.id.clone()],
                        shipment: shipment_of(notice).to_owned(),
                        told: Quantity::ZERO,
                        received: Quantity::ZERO,
                        lots: None,
                        days: (day, day),
                    });
                    mismatch.received += m.qty;
                    mismatch.days.1 = day.max(mismatch.days.1);
                }
            }
        }
        found.into_values().collect()
    }

    /// Items that ship notices name beside an order that does not have them, once goods of that order came.
    pub fn strangers(&self) -> Vec<Stranger> {
        let mut found = Vec::new();
        for notice in self.ship_notices() {
            let lines = lines_of(notice);
            for told in lines.iter().filter(|l| l.po_line.is_none()) {
                let Some(item) = &told.item else { continue };
                let beside = lines
                    .iter()
                    .filter_map(|l| self.line_told(l))
                    .find(|l| name_key(&l.order_name) == name_key(&told.order));
                let Some(beside) = beside else { continue };
                let came = self.lines_of_order(&beside.order_id).into_iter().flat_map(|l| self.receipts(&l.id));
                let Some(at) = came.filter_map(|m| m.done_at).filter(|at| *at > notice.told_at()).max() else { continue };
                found.push(Stranger {
                    notice: notice.id.clone(),
                    shipment: shipment_of(notice).to_owned(),
                    beside: beside.id.clone(),
                    item: item.clone(),
                    told: told.qty.unwrap_or(Quantity::ZERO),
                    day: self.calendar.day_of(at),
                });
            }
        }
        found
    }
}

/// The lines of a ship notice or a receipt advice.
fn lines_of(notice: &Notice) -> &[NoticeLine] {
    match &notice.content {
        NoticeContent::ShipNotice { lines, .. } | NoticeContent::ReceiptAdvice { lines, .. } => lines,
        _ => &[],
    }
}
