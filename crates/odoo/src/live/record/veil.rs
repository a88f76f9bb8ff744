//! Makes of a cell what may be seen of it.
//!
//! Marks are made with a random key that is forgotten with the process: the same text has the same mark within a recording,
//! and nobody can find out the text by trying.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::table::Treat;
use crate::rows::cell::Cell;

/// How Odoo words the first stock, by which it is told from a count.
pub(super) const OPENING: &str = "Opening stock";

/// Longer is no name of a document.
const DOCUMENT_MAX: usize = 40;

/// What is known of names while a recording is made.
pub(super) struct Veil {
    key: [u8; 32],
    plain: bool,
    users: BTreeMap<i64, i64>,
    suppliers: BTreeSet<i64>,
    documents: BTreeSet<[u8; 16]>,
}

impl Veil {
    /// `plain`: everything is kept as it is.
    pub(super) fn new(key: [u8; 32], plain: bool) -> Self {
        Self { key, plain, users: BTreeMap::new(), suppliers: BTreeSet::new(), documents: BTreeSet::new() }
    }

    /// Somebody names this partner as a supplier.
    pub(super) fn supplier(&mut self, partner: Option<i64>) {
        self.suppliers.extend(partner);
    }

    /// There is a document of this name.
    pub(super) fn document(&mut self, name: Option<&Cell>) {
        if let Some(Cell::Text(name)) = name
            && is_document(name)
        {
            self.documents.insert(self.digest(name));
        }
    }

    /// The cell as it is recorded, of the row with the id `row`.
    pub(super) fn cell(&mut self, treat: Option<Treat>, row: i64, cell: &Cell) -> Cell {
        let Some(treat) = treat else { return Cell::Flag(false) };
        if self.plain && !matches!(cell, Cell::Null | Cell::Object) {
            return cell.clone();
        }
        self.veiled(treat, row, cell).unwrap_or(Cell::Flag(false))
    }

    fn veiled(&mut self, treat: Treat, row: i64, cell: &Cell) -> Option<Cell> {
        // Each cell is kept only in the form that its treatment names: a field that holds something else than expected stays
        // empty.
        match (treat, cell) {
            (Treat::Id, cell) => Some(number(cell.id()?)),
            (Treat::User, cell) => {
                let next = self.users.len() as i64 + 1;
                Some(number(*self.users.entry(cell.id()?).or_insert(next)))
            }
            (Treat::Ids, Cell::List(ids)) => Some(Cell::List(ids.iter().filter_map(Cell::id).map(number).collect())),
            (Treat::Pairs, Cell::List(pairs)) => {
                Some(Cell::List(pairs.iter().filter(|pair| is_pair(pair)).cloned().collect()))
            }
            (Treat::Number, Cell::Number(_)) | (Treat::Flag, Cell::Flag(_)) | (Treat::Name, Cell::Text(_)) => {
                Some(cell.clone())
            }
            (Treat::When, Cell::Text(text)) => kept(cell, is_when(text)),
            (Treat::Word, Cell::Text(text)) => kept(cell, is_word(text)),
            (Treat::Path, Cell::Text(text)) => kept(cell, text.bytes().all(|b| b.is_ascii_digit() || b == b'/')),
            (Treat::Document, Cell::Text(text)) if is_document(text) => Some(cell.clone()),
            (Treat::Document | Treat::Secret, Cell::Text(text)) => self.mark(text),
            (Treat::Origin, Cell::Text(text)) => self.origin(text),
            (Treat::Partner, _) => {
                let kind = if self.suppliers.contains(&row) { "Supplier" } else { "Customer" };
                Some(Cell::Text(format!("{kind} {row}")))
            }
            (Treat::Company, _) => Some(Cell::Text(format!("Company {row}"))),
            // Empty, or nothing that belongs there.
            _ => None,
        }
    }

    /// Names of documents as they are, the first stock by its name, anything else as a mark.
    fn origin(&self, text: &str) -> Option<Cell> {
        if text.starts_with(OPENING) {
            return Some(Cell::Text(OPENING.to_owned()));
        }
        if text.split(", ").all(|name| is_document(name) && self.documents.contains(&self.digest(name))) {
            return Some(Cell::Text(text.to_owned()));
        }
        self.mark(text)
    }

    fn mark(&self, text: &str) -> Option<Cell> {
        if text.is_empty() {
            return None;
        }
        Some(Cell::Text(format!("x-{}", hex::encode(&self.digest(text)[..8]))))
    }

    /// A keyed hash. That the key stands first does not matter: only part of the hash is ever seen.
    fn digest(&self, text: &str) -> [u8; 16] {
        let mut hasher = Sha256::new();
        hasher.update(self.key);
        hasher.update(text.as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize()[..16]);
        first
    }
}

fn number(id: i64) -> Cell {
    Cell::Number(id as f64)
}

fn is_pair(cell: &Cell) -> bool {
    matches!(cell, Cell::List(pair) if pair.len() == 2 && pair.iter().all(|part| matches!(part, Cell::Number(_))))
}

fn kept(cell: &Cell, is_harmless: bool) -> Option<Cell> {
    is_harmless.then(|| cell.clone())
}

/// `2026-08-03` or `2026-08-03 08:00:00`.
fn is_when(text: &str) -> bool {
    let form = b"dddd-dd-dd dd:dd:dd";
    matches!(text.len(), 10 | 19)
        && text.bytes().zip(form).all(|(byte, want)| if *want == b'd' { byte.is_ascii_digit() } else { byte == *want })
}

/// `to approve`, `0_product_variant`.
fn is_word(text: &str) -> bool {
    text.len() <= 24 && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b' ')
}

/// `P00016`, `NOR/OUT/00001`, `BILL/2026/08/0001`: no sentence, and numbered.
fn is_document(text: &str) -> bool {
    text.len() <= DOCUMENT_MAX
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"/-_.#".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Cell {
        Cell::Text(text.to_owned())
    }

    #[test]
    fn equal_text_has_an_equal_mark_that_another_recording_does_not_have() {
        let (mut one, mut other) = (Veil::new([1; 32], false), Veil::new([2; 32], false));
        let mark = one.cell(Some(Treat::Secret), 1, &text("INV-77"));
        assert_eq!(mark, one.cell(Some(Treat::Secret), 9, &text("INV-77")));
        assert_ne!(mark, one.cell(Some(Treat::Secret), 1, &text("INV-78")));
        assert_ne!(mark, other.cell(Some(Treat::Secret), 1, &text("INV-77")));
        assert_eq!(one.cell(Some(Treat::Secret), 1, &Cell::Flag(false)), Cell::Flag(false));
    }

    #[test]
    fn only_names_of_documents_that_are_there_are_kept_as_origins() {
        let mut veil = Veil::new([1; 32], false);
        veil.document(Some(&text("P00016")));
        veil.document(Some(&text("call Mrs Miller 5551234")));
        for kept in ["P00016", "P00016, P00016"] {
            assert_eq!(veil.cell(Some(Treat::Origin), 1, &text(kept)), text(kept));
        }
        for other in ["P00017", "P00016, Mrs Miller", "call Mrs Miller 5551234"] {
            assert_ne!(veil.cell(Some(Treat::Origin), 1, &text(other)), text(other));
        }
        assert_eq!(veil.cell(Some(Treat::Origin), 1, &text("Opening stock (Ann Lee)")), text("Opening stock"));
    }

    #[test]
    fn what_has_not_the_expected_form_is_left_out() {
        let mut veil = Veil::new([1; 32], false);
        for treat in [Treat::Id, Treat::Ids, Treat::Number, Treat::Flag, Treat::When, Treat::Word, Treat::Path, Treat::User]
        {
            assert_eq!(veil.cell(Some(treat), 1, &text("Ann Lee")), Cell::Flag(false), "{treat:?}");
        }
        assert_eq!(veil.cell(None, 1, &text("Ann Lee")), Cell::Flag(false));
        let named = Cell::List(vec![Cell::Number(7.0), text("Ann Lee")]);
        assert_eq!(veil.cell(Some(Treat::Id), 1, &named), Cell::Number(7.0));
        assert_eq!(veil.cell(Some(Treat::Ids), 1, &named), Cell::List(vec![Cell::Number(7.0)]));
    }
}
