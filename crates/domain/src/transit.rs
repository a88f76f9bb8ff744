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
    /// The leg that left.
    pub out: &'b StockMove,
    /// The last leg that came.
    pub into: &'b StockMove,
    /// How much came, over all legs.
    pub came: Quantity,
}

impl Difference<'_> {
    /// Came less left: below zero where some is missing.
    pub fn off(&self) -> Quantity {
        self.came - self.out.qty
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
}

impl Supply {
    fn transfers(&self) -> BTreeMap<&ItemId, Vec<&StockMove>> {
        let mut by_item: BTreeMap<&ItemId, Vec<&StockMove>> = BTreeMap::new();
        for m in self.supply_moves.values().filter(|m| m.kind == MoveKind::Transfer) {
            by_item.entry(&m.item).or_default().push(m);
        }
        by_item
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
    let mut arrived: BTreeMap<&str, Vec<&'b StockMove>> = BTreeMap::new();
    for leg in &legs.into {
        if let Some(out) = legs.pairs.get(leg.id.as_str()) {
            arrived.entry(&out.id).or_default().push(leg);
        }
    }
    let of_out = |out: &&'b StockMove| {
        let legs = arrived.get(out.id.as_str())?;
        // A rest that is to come comes.
        if out.done_at.is_none() || legs.iter().any(|leg| leg.done_at.is_none()) {
            return None;
        }
        let into = legs.iter().copied().max_by_key(|leg| (leg.done_at, numeric(&leg.id)))?;
        let came = legs.iter().map(|leg| leg.qty).sum();
        Some(Difference { out, into, came }).filter(|d| !d.off().is_zero())
    };
    legs.out.iter().filter_map(of_out).collect()
}

/// The passages of one item.
fn passages_of(moves: &[&StockMove]) -> Vec<Passage> {
    let direct = moves.iter().filter(|m| m.from.is_some() && m.to.is_some() && m.done_at.is_none());
    let mut passages: Vec<Passage> = direct.filter(|m| m.qty.is_positive()).map(|m| passage(m, Some(m))).collect();
    let legs = Legs::of(moves);
    for leg in legs.into.iter().filter(|leg| leg.done_at.is_none()) {
        let out = legs.pairs.get(leg.id.as_str()).copied();
        if out.is_some() || leg.document_id.is_some() {
            passages.push(passage(leg, out));
        }
    }
    let answered: BTreeSet<&str> = legs.pairs.values().map(|o| o.id.as_str()).collect();
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
