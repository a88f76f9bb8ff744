//! Which item is meant by the codes that a line gives: our id and SKU, GTINs and barcodes of pieces and packages, the
//! supplier's codes, and as a last resort a name in full.
//!
//! A code may lead to several items. The other codes of the line settle it, then the order, then that one is not archived;
//! what is not settled then is ambiguous, not a guess.

use std::collections::BTreeSet;

use super::known::Known;
use crate::domain::event::wire::Name;
use crate::domain::gtin;
use crate::domain::ids::{ItemId, SupplierId};
use crate::domain::money::Quantity;
use crate::domain::packs::Pack;

/// The codes of a line.
#[derive(Clone, Copy, Default)]
pub(super) struct Keys<'a> {
    pub(super) item_id: Option<&'a Name>,
    pub(super) sku: Option<&'a Name>,
    pub(super) gtin: Option<&'a Name>,
    pub(super) supplier_code: Option<&'a Name>,
    pub(super) description: Option<&'a str>,
}

impl<'a> Keys<'a> {
    /// Each with the name of its field.
    fn codes(&self) -> [(&'static str, Option<&'a Name>); 4] {
        [("item_id", self.item_id), ("sku", self.sku), ("gtin", self.gtin), ("supplier_code", self.supplier_code)]
    }

    /// The first code that is given.
    pub(super) fn first(&self) -> Option<&'a Name> {
        self.codes().into_iter().find_map(|(_, name)| name)
    }

    /// Is any code given?
    pub(super) fn has_code(&self) -> bool {
        self.first().is_some()
    }

    /// What the item is called, for people.
    pub(super) fn words(&self) -> Option<&'a str> {
        self.description.or_else(|| self.first().map(|name| name.0.as_str()))
    }
}

/// An item that a line may mean.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Meant {
    pub(super) item: ItemId,
    /// The package whose barcode was given; it holds nothing where it is one of which we do not know.
    pub(super) pack: Option<Pack>,
    /// How far the field was stretched to find it.
    rank: u8,
}

/// What a line's codes lead to.
pub(super) enum Named {
    /// No code is given.
    Nothing,
    /// None of the codes is known; what else there is to say.
    Unknown(String),
    /// Two of the fields name different items.
    Contrary(&'static str, &'static str),
    /// At least one item.
    Found(Vec<Meant>),
}

impl Known {
    /// What codes lead to, of this supplier where one is known.
    pub(super) fn named(&self, keys: &Keys<'_>, supplier: Option<&SupplierId>) -> Named {
        let mut found: Option<(&'static str, Vec<Meant>)> = None;
        for (field, name) in keys.codes() {
            let Some(name) = name else { continue };
            let these = self.one(field, &name.0, supplier);
            // A code that we do not know says nothing against the others: senders have codes that nobody told us.
            if these.is_empty() {
                continue;
            }
            found = Some(match found {
                None => (field, these),
                Some((first, before)) => match agreeing(&before, &these) {
                    both if both.is_empty() => return Named::Contrary(first, field),
                    both => (first, both),
                },
            });
        }
        match found {
            Some((_, found)) => Named::Found(self.with_unknown_package(keys, found)),
            // Words alone, and only where no code is given: beside a code that is not known they would be a guess.
            None if !keys.has_code() => match keys.description {
                None => Named::Nothing,
                Some(words) => match self.by_words(words, supplier) {
                    found if found.is_empty() => Named::Unknown(String::new()),
                    found => Named::Found(found),
                },
            },
            None => Named::Unknown(keys.gtin.map(|name| self.about_gtin(&name.0)).unwrap_or_default()),
        }
    }

    /// What one field leads to.
    fn one(&self, field: &str, word: &str, supplier: Option<&SupplierId>) -> Vec<Meant> {
        let meant = |rank: u8| move |item: ItemId| Meant { item, pack: None, rank };
        let coded = |rank: u8| {
            let all = self.with_barcode(word).into_iter().cloned();
            all.map(move |(item, pack)| Meant { item, pack, rank })
        };
        let ours = |rank: u8| self.with_sku(word).iter().cloned().map(meant(rank));
        let theirs = |rank: u8| self.called(word, supplier).into_iter().map(meant(rank));
        match field {
            "item_id" => {
                Some(ItemId::new(word)).filter(|id| self.items.contains_key(id)).map(meant(0)).into_iter().collect()
            }
            // Senders put their own code or the GTIN where ours belongs.
            "sku" => ours(0).chain(theirs(1)).chain(coded(2)).collect(),
            "gtin" => coded(0).chain(ours(1)).collect(),
            _ => theirs(0).chain(ours(1)).collect(),
        }
    }

    fn by_words(&self, words: &str, supplier: Option<&SupplierId>) -> Vec<Meant> {
        let theirs = self.called(words, supplier).into_iter().map(|item| Meant { item, pack: None, rank: 0 });
        let ours = self.titled(words).iter().cloned().map(|item| Meant { item, pack: None, rank: 1 });
        theirs.chain(ours).collect()
    }

    /// A GTIN that we do not know but that names a package: how many pieces it holds is not known, and it is not one.
    fn with_unknown_package(&self, keys: &Keys<'_>, found: Vec<Meant>) -> Vec<Meant> {
        let unknown = keys.gtin.filter(|name| self.with_barcode(&name.0).is_empty());
        let Some(code) = unknown.and_then(|name| gtin::key(&name.0)).filter(|key| gtin::is_package(key)) else {
            return found;
        };
        let pack = Pack { name: format!("gtin {code}"), barcode: code, qty: Quantity::ZERO };
        found.into_iter().map(|meant| Meant { pack: Some(pack.clone()), ..meant }).collect()
    }

    fn about_gtin(&self, word: &str) -> String {
        let Some(key) = gtin::key(word) else { return "it is no GTIN".to_owned() };
        if let Some(piece) = gtin::piece_in(&key)
            && let Some((item, _)) = self.with_barcode(&piece).first()
        {
            let label = self.label(item);
            return format!(
                "it names a package of {label}; give the packaging its barcode, or name the item with unit and pack_qty"
            );
        }
        if gtin::checks(&key) { String::new() } else { "its check digit is wrong".to_owned() }
    }

    /// The one that is meant. `on_order` are the items of the order, where there is one.
    ///
    /// # Errors
    /// All that it may be.
    pub(super) fn settled(&self, found: &[Meant], on_order: Option<&BTreeSet<ItemId>>) -> Result<Meant, Vec<Meant>> {
        let on = |m: &&Meant| on_order.is_some_and(|items| items.contains(&m.item));
        let mut left: Vec<&Meant> = found.iter().filter(on).collect();
        if left.is_empty() {
            left = found.iter().collect();
            // What is archived is meant only where nothing else can be.
            let active = |m: &&Meant| self.items.get(&m.item).is_some_and(|item| item.sellable);
            if left.iter().any(active) {
                left.retain(active);
            }
        }
        // A field is first taken for what it is: our SKU goes before a supplier's code that reads the same.
        let nearest = left.iter().map(|m| m.rank).min();
        left.retain(|m| Some(m.rank) == nearest);
        let mut each: Vec<Meant> = Vec::new();
        for meant in left {
            if each.iter().all(|m| (&m.item, &m.pack) != (&meant.item, &meant.pack)) {
                each.push(meant.clone());
            }
        }
        if each.len() == 1 { Ok(each.remove(0)) } else { Err(each) }
    }

    /// For people: each with its id, and the package where one is meant.
    pub(super) fn shown(&self, each: &[Meant]) -> Vec<String> {
        let pack = |m: &Meant| m.pack.as_ref().map(|p| format!(", {} of {}", p.name, p.qty)).unwrap_or_default();
        each.iter().map(|m| format!("{} (item {}{})", self.label(&m.item), m.item, pack(m))).collect()
    }
}

/// What two fields both lead to; the package stays, whichever of them names it.
fn agreeing(before: &[Meant], these: &[Meant]) -> Vec<Meant> {
    let both = |a: &Meant| {
        let same: Vec<&Meant> = these.iter().filter(|b| b.item == a.item).collect();
        let pack = a.pack.clone().or_else(|| same.iter().find_map(|b| b.pack.clone()));
        same.iter().map(|b| b.rank).min().map(|rank| Meant { item: a.item.clone(), pack, rank: a.rank.max(rank) })
    };
    before.iter().filter_map(both).collect()
}
