//! What a receipt booked in beyond its order, and how much of that is still on the books.
//!
//! A receipt that was booked twice puts goods on the books that are not in the house. Who counts, scraps or sends back since
//! takes them off again; whoever reverses the receipt afterwards takes them off a second time.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::book::Place;
use super::ids::ItemId;
use super::money::Quantity;
use super::record::{MoveKind, StockMove};
use super::supply::Supply;

/// A line of a receipt beside its surplus.
#[derive(Clone, Debug, PartialEq)]
pub struct Surplus {
    /// The receipt's move.
    pub receipt: String,
    /// The purchase line.
    pub po_line: String,
    /// What, and where it was booked in.
    pub place: Place,
    /// Booked in by this move beyond what was ordered, returns on the line taken off.
    pub booked: Quantity,
    /// What took it off the books again: the moves, each with its part.
    pub taken_out: Vec<(String, Quantity)>,
    /// Has the place been counted since? What a count left on the books was there.
    pub counted: bool,
}

impl Surplus {
    /// Still on the books.
    pub fn left(&self) -> Quantity {
        self.booked - self.gone()
    }

    /// Taken off the books since.
    pub fn gone(&self) -> Quantity {
        self.taken_out.iter().map(|(_, qty)| *qty).sum()
    }
}

/// The purchase lines that some surplus is of.
pub fn lines_of(surplus: &[Surplus]) -> BTreeSet<&str> {
    surplus.iter().map(|s| s.po_line.as_str()).collect()
}

impl Supply {
    /// The lines of a done receipt, each with what it booked in beyond its order. Empty where there is no such receipt, or where
    /// it brought nothing to a place of ours.
    pub fn surplus_of(&self, document: &str) -> Vec<Surplus> {
        let done = |m: &&StockMove| m.kind == MoveKind::Receipt && m.done_at.is_some();
        let mut left: BTreeMap<&str, Quantity> = BTreeMap::new();
        let mut over: BTreeMap<(&str, &ItemId), Quantity> = BTreeMap::new();
        let mut found = Vec::new();
        for m in self.supply_moves_of_document(document).into_iter().filter(done) {
            let (Some(to), Some(at)) = (&m.to, m.done_at) else { continue };
            let Some(line) = self.line_of(m).and_then(|line| self.po_lines.get(line)) else { continue };
            let beyond = Quantity(self.excess(line).0 * self.per_unit(&line.id, &m.item));
            // Two moves of one item on a line share what is beyond the order. One that finds nothing left of it repeats nothing.
            let rest = over.entry((&line.id, &m.item)).or_insert(beyond);
            if beyond.is_positive() && !rest.is_positive() {
                continue;
            }
            let booked = m.qty.min(*rest);
            *rest -= booked;
            let place = (m.item.clone(), to.clone());
            let mut surplus = Surplus {
                receipt: m.id.clone(),
                po_line: line.id.clone(),
                booked,
                taken_out: Vec::new(),
                counted: self.counts_since(&place, at).next().is_some(),
                place,
            };
            for out in self.taken_out_since(&surplus.place, at) {
                // Two lines of one item share what was taken out.
                let rest = left.entry(&out.id).or_insert(out.qty);
                let part = surplus.left().min(*rest);
                if part.is_positive() {
                    *rest -= part;
                    surplus.taken_out.push((out.id.clone(), part));
                }
            }
            found.push(surplus);
        }
        found
    }

    /// What suppliers have billed of a line's surplus in a receipt: billed beyond what may be billed without it, in the line's
    /// unit.
    pub fn billed_twice(&self, line: &str, surplus: &[Surplus]) -> Quantity {
        let Some(line) = self.po_lines.get(line) else { return Quantity::ZERO };
        let mut items: BTreeMap<&ItemId, Quantity> = BTreeMap::new();
        for s in surplus.iter().filter(|s| s.po_line == line.id) {
            *items.entry(&s.place.0).or_insert(Quantity::ZERO) += s.booked;
        }
        // Several moves of one item add up; the components of a kit are the same kits again.
        let units = items.into_iter().map(|(item, booked)| booked.0 / self.per_unit(&line.id, item)).max();
        let booked = Quantity(units.unwrap_or_default().round_dp(4).normalize());
        let billed: Quantity = self.bills(&line.id).iter().map(|bill| bill.qty).sum();
        (billed - (self.billable(line) - booked).max(Quantity::ZERO)).max(Quantity::ZERO).min(booked)
    }

    /// The receipt whose whole surplus a count took off the books, with how much that was: then the count is right, and why it
    /// differs is known.
    pub fn answered_by(&self, count: &StockMove) -> Option<(&str, Quantity)> {
        let place = (count.item.clone(), count.from.clone()?);
        let beyond = |m: &&StockMove| {
            let line = self.line_of(m).and_then(|line| self.po_lines.get(line));
            m.kind == MoveKind::Receipt
                && m.done_at.is_some_and(|at| Some(at) < count.done_at)
                && line.is_some_and(|line| self.excess(line).is_positive())
        };
        let newest_first = self.supply_moves_at(&place.0, &place.1).into_iter().rev().filter(beyond);
        newest_first.into_iter().find_map(|receipt| {
            let surplus = self.surplus_of(&receipt.document).into_iter().find(|s| s.receipt == receipt.id)?;
            let (_, taken) =
                surplus.taken_out.iter().find(|(id, _)| *id == count.id).filter(|_| !surplus.left().is_positive())?;
            Some((receipt.document.as_str(), *taken))
        })
    }

    fn counts_since<'b>(&'b self, place: &Place, since: Timestamp) -> impl Iterator<Item = &'b StockMove> + use<'b> {
        let counted = move |m: &&StockMove| m.kind == MoveKind::Count && m.done_at.is_some_and(|at| at > since);
        self.supply_moves_at(&place.0, &place.1).into_iter().filter(counted)
    }

    /// What took goods of a place off the books since, other than by selling or moving them: counts that were not undone by
    /// another count, scraps, and returns that belong to no purchase line (those of a line are taken off what it received).
    fn taken_out_since<'b>(&'b self, place: &Place, since: Timestamp) -> Vec<&'b StockMove> {
        let mut undone: Vec<Quantity> = self
            .counts_since(place, since)
            .filter(|m| m.to.as_ref() == Some(&place.1) && m.qty.is_positive())
            .map(|m| m.qty)
            .collect();
        let mut stands = |m: &&StockMove| match undone.iter().position(|qty| m.kind == MoveKind::Count && *qty == m.qty) {
            Some(at) => {
                undone.swap_remove(at);
                false
            }
            None => true,
        };
        let leaves = |m: &&StockMove| {
            let takes = match m.kind {
                MoveKind::Count | MoveKind::Scrap => true,
                MoveKind::SupplierReturn => self.line_of(m).is_none(),
                _ => false,
            };
            takes && m.from.as_ref() == Some(&place.1) && m.qty.is_positive() && m.done_at.is_some_and(|at| at > since)
        };
        self.supply_moves_at(&place.0, &place.1).into_iter().filter(leaves).filter(|m| stands(m)).collect()
    }
}
