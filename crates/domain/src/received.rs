//! What came on a purchase line, in the line's own unit.
//!
//! *Arrived* is everything that was booked in. What is kept of it, the returns taken off, is *received*: that is what orders and
//! bills are compared with. Goods that come in place of some that went back are not delivered twice: *delivered* is what the
//! supplier has brought of the order, replacements left out.
//!
//! A kit is ordered as one product and comes as its components. Its quantity is the number of whole kits that the components
//! make, by what the documents ask for of each component.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use super::book::Place;
use super::ids::ItemId;
use super::money::Quantity;
use super::record::{MoveKind, PurchaseLine, StockMove};
use super::supply::Supply;

/// Returns of returns that are followed to the line they began with: goods are exchanged again and again only by mistake.
const EXCHANGES: usize = 16;

/// How many of each component one kit holds.
type Recipe<'b> = BTreeMap<&'b ItemId, Decimal>;

impl Supply {
    /// The purchase line that a move fulfils or takes back. A return that names only what it returns belongs to its line.
    pub fn line_of<'b>(&'b self, m: &'b StockMove) -> Option<&'b str> {
        let mut at = m;
        for _ in 0..EXCHANGES {
            if let Some(line) = &at.po_line {
                return Some(line);
            }
            if !matches!(at.kind, MoveKind::Receipt | MoveKind::SupplierReturn) {
                return None;
            }
            at = self.supply_moves.get(at.returns.as_ref()?)?;
        }
        None
    }

    /// Done receipts of a purchase line, in order of time, replacements among them. Of a kit these are its components.
    pub fn receipts(&self, line: &str) -> Vec<&StockMove> {
        self.moves_of_po_line(line).into_iter().filter(|m| m.kind == MoveKind::Receipt && m.done_at.is_some()).collect()
    }

    /// Done returns to the supplier, in order of time.
    fn returns(&self, line: &str) -> Vec<&StockMove> {
        let back = |m: &&StockMove| m.kind == MoveKind::SupplierReturn && m.done_at.is_some();
        self.moves_of_po_line(line).into_iter().filter(back).collect()
    }

    /// All that came on a purchase line, before anything went back.
    pub fn arrived(&self, line: &str) -> Quantity {
        self.in_line_units(line, self.receipts(line), Vec::new())
    }

    /// Received on a purchase line and kept: what came less what went back. Negative on a line that sends goods back.
    pub fn received(&self, line: &str) -> Quantity {
        self.in_line_units(line, self.receipts(line), self.returns(line))
    }

    /// Sent back to the supplier from a purchase line.
    pub fn sent_back(&self, line: &str) -> Quantity {
        self.arrived(line) - self.received(line)
    }

    /// What the supplier has brought of what was ordered, kept or not: what came in place of goods that had gone back is not
    /// counted again.
    pub fn delivered(&self, line: &str) -> Quantity {
        let first = self.receipts(line).into_iter().filter(|m| m.returns.is_none()).collect();
        self.in_line_units(line, first, Vec::new()).max(self.received(line))
    }

    /// What came in place of goods that had gone back.
    pub fn replaced(&self, line: &str) -> Quantity {
        self.arrived(line) - self.delivered(line)
    }

    /// Gone back to the supplier and not replaced: to be credited, or still to be replaced.
    pub fn away(&self, line: &str) -> Quantity {
        self.delivered(line) - self.received(line)
    }

    /// What the supplier may bill: what is kept, and what went back to be replaced rather than credited; of that no more than was
    /// ordered.
    pub fn billable(&self, line: &PurchaseLine) -> Quantity {
        let received = self.received(&line.id);
        // A return that changes nothing on the order is answered by goods: neither it nor its answer changes what is owed.
        let owed = |m: &&StockMove| {
            let answers = m.returns.as_ref().and_then(|id| self.supply_moves.get(id)).is_some_and(|back| back.to_replace);
            !m.to_replace && !answers
        };
        let came = self.receipts(&line.id).into_iter().filter(owed).collect();
        let gone = self.returns(&line.id).into_iter().filter(owed).collect();
        received.max(self.in_line_units(&line.id, came, gone).min(line.qty))
    }

    /// Received beyond what was ordered, and kept.
    pub fn excess(&self, line: &PurchaseLine) -> Quantity {
        (self.received(&line.id) - line.qty).max(Quantity::ZERO)
    }

    /// Ordered and not brought yet. What came and went back is not missing: it is a return.
    pub fn missing(&self, line: &PurchaseLine) -> Quantity {
        (line.qty - self.delivered(&line.id)).max(Quantity::ZERO)
    }

    /// Still to come on a purchase line: what its planned receipts say. Zero once the ERP has closed it.
    pub fn open_quantity(&self, line: &str) -> Quantity {
        let planned: Vec<&StockMove> = self
            .moves_of_po_line(line)
            .into_iter()
            .filter(|m| m.kind == MoveKind::Receipt && m.done_at.is_none() && m.qty.is_positive())
            .collect();
        if planned.is_empty() || !self.is_kit(line) {
            return planned.into_iter().map(|m| m.qty).sum();
        }
        // A component that is here already completes a kit with one that is to come.
        let all = self.receipts(line).into_iter().chain(planned).collect();
        self.in_line_units(line, all, self.returns(line)) - self.received(line)
    }

    /// Is a line's product a kit that moves as its components?
    pub fn is_kit(&self, line: &str) -> bool {
        self.recipe(line).is_some()
    }

    /// The components of a line's product with how many one kit holds; empty where it is no kit.
    pub fn components(&self, line: &str) -> Vec<(&ItemId, Decimal)> {
        self.recipe(line).into_iter().flatten().collect()
    }

    /// The components of kits that are still to come to a place, by purchase line.
    pub(super) fn components_to_come(&self, place: &Place) -> BTreeMap<&str, Quantity> {
        let mut open: BTreeMap<&str, Quantity> = BTreeMap::new();
        let moves = self.supply_moves.at(self.keyed.components_at.get(&place.0, &place.1)).into_iter();
        for m in moves.filter(|m| m.kind == MoveKind::Receipt && m.done_at.is_none()) {
            if let Some(line) = self.line_of(m) {
                *open.entry(line).or_insert(Quantity::ZERO) += m.qty;
            }
        }
        open
    }

    /// What receipts of a line come to by document, in order of time, in the line's unit.
    pub fn deliveries<'b>(&'b self, line: &str, mut receipts: Vec<&'b StockMove>) -> Vec<(&'b StockMove, Quantity)> {
        let mut found: Vec<(&StockMove, Quantity)> = Vec::new();
        let mut so_far: Vec<&StockMove> = Vec::new();
        let mut before = Quantity::ZERO;
        receipts.sort_by_key(|m| m.done_at);
        while let Some(first) = receipts.first().copied() {
            let (own, rest) = receipts.into_iter().partition(|m| m.document == first.document);
            let own: Vec<&StockMove> = own;
            so_far.extend(own);
            let after = self.in_line_units(line, so_far.clone(), Vec::new());
            found.push((first, after - before));
            before = after;
            receipts = rest;
        }
        found
    }

    /// How many of an item one unit of the line is: one, but for a component of a kit.
    pub fn per_unit(&self, line: &str, item: &ItemId) -> Decimal {
        self.recipe(line).and_then(|recipe| recipe.get(item).copied()).unwrap_or(Decimal::ONE)
    }

    /// The recipe of a line whose product is a kit, by what its documents ask for in all. Odoo keeps recipes too, but those of
    /// today: what was ordered before a recipe changed comes by the old one.
    fn recipe<'b>(&'b self, line: &str) -> Option<Recipe<'b>> {
        // This is asked of every line at each look, and hardly any is of a kit.
        if !self.keyed.maybe_kits.contains(line) {
            return None;
        }
        let moves = self.moves_of_po_line(line);
        let asked = || moves.iter().filter(|m| m.returns.is_none() && m.kind == MoveKind::Receipt);
        if !asked().any(|m| m.asked.is_some()) {
            return None;
        }
        let ordered = self.po_lines.get(line)?;
        // A recipe that lacks a component, or has one of an unknown number, would count kits that are not there.
        if !ordered.qty.is_positive() || asked().any(|m| m.asked.is_none() && m.qty.is_positive()) {
            return None;
        }
        let mut recipe = Recipe::new();
        for m in asked() {
            *recipe.entry(&m.item).or_insert(Decimal::ZERO) += m.asked.map_or(Decimal::ZERO, |qty| qty.0) / ordered.qty.0;
        }
        recipe.retain(|_, per| *per > Decimal::ZERO);
        // Where documents ask for what came and no more, the recipe shows in the ERP's own count of kits.
        let settled = moves.iter().all(|m| m.kind == MoveKind::Receipt && m.done_at.is_some() && m.asked == Some(m.qty));
        if let Some(counted) = ordered.kits_received.filter(|counted| counted.is_positive() && settled) {
            let whole = whole_kits(&recipe, &self.receipts(line), &[]);
            if whole.is_positive() && whole != counted {
                for per in recipe.values_mut() {
                    *per *= whole.0 / counted.0;
                }
            }
        }
        (!recipe.is_empty()).then_some(recipe)
    }

    /// What moves in and out come to in the line's unit.
    pub(super) fn in_line_units(&self, line: &str, came: Vec<&StockMove>, gone: Vec<&StockMove>) -> Quantity {
        let Some(recipe) = self.recipe(line) else {
            let own = |moves: Vec<&StockMove>| -> Quantity {
                moves.into_iter().filter(|m| m.asked.is_none()).map(|m| m.qty).sum()
            };
            return own(came) - own(gone);
        };
        whole_kits(&recipe, &came, &gone)
    }
}

/// The whole kits that components make.
fn whole_kits(recipe: &Recipe<'_>, came: &[&StockMove], gone: &[&StockMove]) -> Quantity {
    let of =
        |moves: &[&StockMove], item: &ItemId| -> Quantity { moves.iter().filter(|m| m.item == *item).map(|m| m.qty).sum() };
    // Half a kit is none. The quotient is rounded first: a third of three is one.
    let whole = |(item, per): (&&ItemId, &Decimal)| {
        let kits = (of(came, item) - of(gone, item)).0.checked_div(*per).unwrap_or(Decimal::ZERO);
        Quantity(kits.round_dp(6).floor().normalize())
    };
    recipe.iter().map(whole).min().unwrap_or(Quantity::ZERO)
}
