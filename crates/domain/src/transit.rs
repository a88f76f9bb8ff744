//! Transfers that are not over: what has left one location and has not reached another, and what should have left by now.
//!
//! The ERP books a transfer as one move, or as a leg into transit and a leg out of it. Legs belong together by item and
//! document or origin; of several the one entered nearest in time, as an origin can be used again. A leg without a document
//! of its own is manufacturing, not transport.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use super::book::numeric;
use super::calendar::days_between;
use super::ids::{ItemId, LocationId};
use super::money::Quantity;
use super::record::{MoveKind, StockMove};
use super::supply::Supply;

/// A transfer that is under way or due to be.
#[derive(Clone, Debug, PartialEq)]
pub struct Passage {
    /// The move it is told by: the receiving leg where there is one.
    pub id: String,
    /// What.
    pub item: ItemId,
    /// How much has not arrived.
    pub qty: Quantity,
    /// From where, where known.
    pub from: Option<LocationId>,
    /// To where, where known.
    pub to: Option<LocationId>,
    /// The documents of its legs, the shipping one first.
    pub documents: Vec<String>,
    /// When it left; None while it has not.
    pub shipped_at: Option<Timestamp>,
    /// For when it was planned, where it was.
    pub planned_at: Option<Timestamp>,
    /// Who shipped it (the ERP's user id).
    pub entered_by: Option<String>,
}

impl Passage {
    /// The document that names it for people.
    pub fn document(&self) -> &str {
        self.documents.first().map_or("", String::as_str)
    }
}

/// A finished transfer of which another quantity came than left.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference<'b> {
    /// The leg that left; of several the first.
    pub out: &'b StockMove,
    /// How much left, over all legs.
    pub left: Quantity,
    /// The last leg that came.
    pub into: &'b StockMove,
    /// How much came, over all legs.
    pub came: Quantity,
}

impl Difference<'_> {
    /// Came less left: below zero where some is missing.
    pub fn off(&self) -> Quantity {
        self.came - self.left
    }
}

/// Leaves one of our locations for transit.
fn leaves(m: &StockMove) -> bool {
    m.kind == MoveKind::Transfer && m.from.is_some() && m.to.is_none() && m.qty.is_positive()
}

/// Comes from transit into one of our locations.
fn enters(m: &StockMove) -> bool {
    m.kind == MoveKind::Transfer && m.from.is_none() && m.to.is_some() && m.qty.is_positive()
}

fn planned(m: &StockMove) -> Option<Timestamp> {
    m.scheduled_at.or(m.deadline)
}

/// How far apart two legs were entered, in seconds: together when planned, or the second when the first was done.
fn apart(out: &StockMove, into: &StockMove) -> i64 {
    let between = |at: Timestamp| (at.as_second() - into.created_at.as_second()).abs();
    out.done_at.map_or(i64::MAX, between).min(between(out.created_at))
}

/// The legs of an item, each receiving one with the shipping one it belongs to.
struct Legs<'b> {
    out: Vec<&'b StockMove>,
    into: Vec<&'b StockMove>,
    pairs: BTreeMap<&'b str, &'b StockMove>,
}

impl<'b> Legs<'b> {
    fn of(moves: &[&'b StockMove]) -> Self {
        let out: Vec<&StockMove> = moves.iter().copied().filter(|m| leaves(m)).collect();
        let into: Vec<&StockMove> = moves.iter().copied().filter(|m| enters(m)).collect();
        let mut named: BTreeMap<&str, Vec<&StockMove>> = BTreeMap::new();
        for leg in &out {
            for name in [leg.origin.as_str(), leg.document.as_str()] {
                named.entry(name).or_default().push(leg);
            }
        }
        // Legs belong together where one names the other, or both the same.
        let partner = |leg: &StockMove| {
            // Many moves have no origin; by the empty name they would all belong together.
            let names = [leg.origin.as_str(), leg.document.as_str()].into_iter().filter(|name| !name.is_empty());
            let told = names.flat_map(|name| named.get(name).into_iter().flatten().copied());
            told.min_by_key(|o| (apart(o, leg), numeric(&o.id)))
        };
        let mut pairs: BTreeMap<&str, &StockMove> =
            into.iter().filter_map(|leg| Some((leg.id.as_str(), partner(leg)?))).collect();
        // What is left over on both sides belongs together where quantity and order of time fit.
        let mut used: BTreeSet<&str> = pairs.values().map(|o| o.id.as_str()).collect();
        for leg in into.iter().copied().filter(|leg| leg.done_at.is_some()) {
            if pairs.contains_key(leg.id.as_str()) {
                continue;
            }
            let fits = |o: &&StockMove| {
                !used.contains(o.id.as_str()) && o.qty == leg.qty && o.done_at.is_some() && o.done_at <= leg.done_at
            };
            let first = out.iter().copied().filter(fits).min_by_key(|o| (o.done_at, numeric(&o.id)));
            if let Some(first) = first {
                used.insert(&first.id);
                pairs.insert(&leg.id, first);
            }
        }
        Self { out, into, pairs }
    }

    /// The legs that came of each one that left, by the id of that one.
    fn arrived(&self) -> BTreeMap<&'b str, Vec<&'b StockMove>> {
        let mut arrived: BTreeMap<&str, Vec<&StockMove>> = BTreeMap::new();
        for leg in &self.into {
            if let Some(out) = self.pairs.get(leg.id.as_str()) {
                arrived.entry(&out.id).or_default().push(leg);
            }
        }
        arrived
    }

    /// The legs that no receiving leg of their own answers and that were booked in with `out`: where more came than it had
    /// sent, a receiver has booked several shipments of one transfer on one receipt. They go by the same name, and were
    /// entered before the last of it came and not over before the first was entered: a name can be used again.
    fn beside(&self, out: &StockMove, came: &[&StockMove], answered: &BTreeSet<&str>) -> Vec<&'b StockMove> {
        let mut more: Quantity = came.iter().map(|leg| leg.qty).sum::<Quantity>() - out.qty;
        if !more.is_positive() {
            return Vec::new();
        }
        let names: BTreeSet<&str> =
            came.iter().chain([&out]).flat_map(|m| [m.origin.as_str(), m.document.as_str()]).collect();
        let last = came.iter().filter_map(|leg| leg.done_at).max();
        let shared = |m: &&StockMove| {
            let named = [m.origin.as_str(), m.document.as_str()].iter().any(|name| !name.is_empty() && names.contains(name));
            let meanwhile = last.is_some_and(|last| m.created_at <= last) && m.done_at.is_none_or(|at| at >= out.created_at);
            m.id != out.id && !answered.contains(m.id.as_str()) && m.from == out.from && named && meanwhile
        };
        let mut beside: Vec<&StockMove> = self.out.iter().copied().filter(shared).collect();
        beside.sort_by_key(|m| (m.done_at.is_none(), m.done_at, numeric(&m.id)));
        beside.retain(|m| {
            let is_in_it = more.is_positive();
            more -= m.qty;
            is_in_it
        });
        beside
    }
}

impl Supply {
    fn transfers(&self) -> BTreeMap<&ItemId, Vec<&StockMove>> {
        let mut by_item: BTreeMap<&ItemId, Vec<&StockMove>> = BTreeMap::new();
        for m in self.supply_moves.values().filter(|m| m.kind == MoveKind::Transfer) {
            by_item.entry(&m.item).or_default().push(m);
        }
        by_item
    }

    /// How much of an item has left a location since a day by transfers, or into what is made of it: a demand that no sale
    /// tells. What takes a transfer back is none.
    pub fn sent_on(&self, item: &ItemId, location: &LocationId, since: Date) -> Quantity {
        let left = |m: &&StockMove| {
            m.kind == MoveKind::Transfer
                && m.from.as_ref() == Some(location)
                && m.to.as_ref() != Some(location)
                && m.returns.is_none()
                && m.done_at.is_some_and(|at| self.calendar.day_of(at) >= since)
        };
        self.supply_moves_at(item, location).into_iter().filter(left).map(|m| m.qty).sum()
    }

    /// Every transfer that has not arrived, by the id of its move.
    pub fn passages(&self) -> Vec<Passage> {
        let mut passages: Vec<Passage> = self.transfers().values().flat_map(|moves| passages_of(moves)).collect();
        passages.sort_by(|a, b| numeric(&a.id).cmp(&numeric(&b.id)));
        passages
    }

    /// The passage told by a move, while it lasts.
    pub fn passage(&self, id: &str) -> Option<Passage> {
        let item = &self.supply_moves.get(id)?.item;
        let mut moves: BTreeMap<&str, &StockMove> = BTreeMap::new();
        let known = self.supply_locations_of(item).filter(|location| self.locations.contains_key(*location));
        for m in known.flat_map(|l| self.supply_moves_at(item, l)).filter(|m| m.kind == MoveKind::Transfer) {
            moves.insert(&m.id, m);
        }
        let moves: Vec<&StockMove> = moves.into_values().collect();
        passages_of(&moves).into_iter().find(|p| p.id == id)
    }

    /// Every finished transfer of which another quantity came than left, by the id of the leg that left. What is still on its
    /// way is no difference.
    pub fn differences(&self) -> Vec<Difference<'_>> {
        let mut found: Vec<Difference<'_>> = self.transfers().values().flat_map(|moves| differences_of(moves)).collect();
        found.sort_by(|a, b| numeric(&a.out.id).cmp(&numeric(&b.out.id)));
        found
    }

    /// The difference of the transfer that left by a leg.
    pub fn difference(&self, out: &str) -> Option<Difference<'_>> {
        let item = &self.supply_moves.get(out)?.item;
        self.differences_of_item(item).into_iter().find(|d| d.out.id == out)
    }

    fn differences_of_item(&self, item: &ItemId) -> Vec<Difference<'_>> {
        let mut moves: BTreeMap<&str, &StockMove> = BTreeMap::new();
        let known = self.supply_locations_of(item).filter(|location| self.locations.contains_key(*location));
        for m in known.flat_map(|l| self.supply_moves_at(item, l)).filter(|m| m.kind == MoveKind::Transfer) {
            moves.insert(&m.id, m);
        }
        differences_of(&moves.into_values().collect::<Vec<_>>())
    }

    /// Days that finished transfers took, by where from and where to.
    pub fn lanes(&self) -> BTreeMap<(&LocationId, &LocationId), Vec<f64>> {
        let mut lanes: BTreeMap<(&LocationId, &LocationId), Vec<f64>> = BTreeMap::new();
        for moves in self.transfers().into_values() {
            let legs = Legs::of(&moves);
            for leg in &legs.into {
                let Some(out) = legs.pairs.get(leg.id.as_str()) else { continue };
                let (Some(from), Some(to)) = (&out.from, &leg.to) else { continue };
                if let (Some(left), Some(came)) = (out.done_at, leg.done_at) {
                    let (left, came): (Date, Date) = (self.calendar.day_of(left), self.calendar.day_of(came));
                    lanes.entry((from, to)).or_default().push(f64::from(days_between(left, came).max(0)));
                }
            }
        }
        lanes
    }
}

/// The differences of one item.
fn differences_of<'b>(moves: &[&'b StockMove]) -> Vec<Difference<'b>> {
    let legs = Legs::of(moves);
    let arrived = legs.arrived();
    let answered: BTreeSet<&str> = arrived.keys().copied().collect();
    let of_out = |out: &&'b StockMove| {
        let came = arrived.get(out.id.as_str())?;
        let beside = legs.beside(out, came, &answered);
        // A rest that is to come comes, and one that is there already is booked out.
        if [*out].iter().chain(came).chain(&beside).any(|leg| leg.done_at.is_none()) {
            return None;
        }
        let into = came.iter().copied().max_by_key(|leg| (leg.done_at, numeric(&leg.id)))?;
        let first = [*out].into_iter().chain(beside.iter().copied()).min_by_key(|leg| (leg.done_at, numeric(&leg.id)))?;
        let left = out.qty + beside.iter().map(|leg| leg.qty).sum::<Quantity>();
        let came = came.iter().map(|leg| leg.qty).sum();
        Some(Difference { out: first, left, into, came }).filter(|d| !d.off().is_zero())
    };
    legs.out.iter().filter_map(of_out).collect()
}

/// The passages of one item.
fn passages_of(moves: &[&StockMove]) -> Vec<Passage> {
    let direct = moves.iter().filter(|m| m.from.is_some() && m.to.is_some() && m.done_at.is_none());
    let mut passages: Vec<Passage> = direct.filter(|m| m.qty.is_positive()).map(|m| passage(m, Some(m))).collect();
    let legs = Legs::of(moves);
    let arrived = legs.arrived();
    for leg in legs.into.iter().filter(|leg| leg.done_at.is_none()) {
        let out = legs.pairs.get(leg.id.as_str()).copied();
        if out.is_some() || leg.document_id.is_some() {
            passages.push(passage(leg, out));
        }
    }
    let mut answered: BTreeSet<&str> = legs.pairs.values().map(|o| o.id.as_str()).collect();
    let own = answered.clone();
    for out in legs.out.iter().filter(|out| own.contains(out.id.as_str())) {
        let came = arrived.get(out.id.as_str()).map_or(&[][..], Vec::as_slice);
        // What has not been booked out is still to be.
        answered.extend(legs.beside(out, came, &own).iter().filter(|leg| leg.done_at.is_some()).map(|leg| leg.id.as_str()));
    }
    let alone = legs.out.iter().filter(|o| !answered.contains(o.id.as_str()) && o.document_id.is_some());
    passages.extend(alone.map(|o| passage(o, Some(o))));
    passages
}

/// A passage told by `leg`, shipped by `out`.
fn passage(leg: &StockMove, out: Option<&StockMove>) -> Passage {
    let mut documents: Vec<String> = Vec::new();
    // Both legs may stand on one document.
    for document in out.into_iter().chain([leg]).map(|m| &m.document) {
        if !document.is_empty() && !documents.contains(document) {
            documents.push(document.clone());
        }
    }
    Passage {
        id: leg.id.clone(),
        item: leg.item.clone(),
        qty: leg.qty,
        from: out.and_then(|o| o.from.clone()),
        to: leg.to.clone(),
        documents,
        shipped_at: out.and_then(|o| o.done_at),
        planned_at: planned(leg).or_else(|| out.and_then(planned)),
        entered_by: out.and_then(|o| o.entered_by.clone()),
    }
}
