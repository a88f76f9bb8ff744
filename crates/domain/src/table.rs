//! Records of one kind, by id, and what is looked up among them by anything else.
//!
//! The records stand in the order of their ids, so that an index over them is a list of positions: it costs four bytes for a
//! record instead of a copy of its id, and following it compares no text.

use std::borrow::Borrow;
use std::collections::BTreeMap;
use std::ops::Index;

use super::ids::{ItemId, LocationId};
use super::record::{BillLine, PurchaseLine, SaleLine, StockMove};

/// A record that is looked up by its id.
pub trait Row {
    /// The ERP's id.
    fn id(&self) -> &str;
}

macro_rules! rows {
    ($($record:ty),*) => {
        $(impl Row for $record {
            fn id(&self) -> &str {
                &self.id
            }
        })*
    };
}

rows!(BillLine, PurchaseLine, SaleLine, StockMove);

/// Records of one kind in the order of their ids, each id once.
#[derive(Clone, Debug)]
pub struct Table<T>(Vec<T>);

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Row> Table<T> {
    /// A table of records in any order; of several with one id the last stands.
    pub(super) fn of(mut rows: Vec<T>) -> Self {
        rows.sort_by(|a, b| a.id().cmp(b.id()));
        // The sort is stable: of equal neighbours the later one came last.
        rows.dedup_by(|later, kept| {
            let same = later.id() == kept.id();
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        Self(rows)
    }

    /// The records, in the order of their ids.
    pub(super) fn into_rows(self) -> impl Iterator<Item = T> {
        self.0.into_iter()
    }

    /// The record with an id.
    pub fn get(&self, id: &str) -> Option<&T> {
        self.0.get(self.0.binary_search_by(|row| row.id().cmp(id)).ok()?)
    }

    /// Is there a record with the id?
    pub fn contains_key(&self, id: &str) -> bool {
        self.get(id).is_some()
    }

    /// The records in the order of their ids.
    pub fn values(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The record at a position that an index of this table has.
    pub(super) fn row(&self, at: Position) -> &T {
        &self.0[at as usize]
    }

    /// The records at such positions.
    pub(super) fn at<'t>(&'t self, positions: &[Position]) -> Vec<&'t T> {
        positions.iter().map(|at| self.row(*at)).collect()
    }

    /// The records with their positions, in the order of their ids.
    pub(super) fn positions(&self) -> impl Iterator<Item = (Position, &T)> {
        (0..).zip(&self.0)
    }
}

impl<T: Row, Q: AsRef<str> + ?Sized> Index<&Q> for Table<T> {
    type Output = T;

    fn index(&self, id: &Q) -> &T {
        self.get(id.as_ref()).expect("asked for by an id that the book has")
    }
}

/// Where a record stands in its table.
pub(super) type Position = u32;

/// Records by something about them.
#[derive(Clone, Debug)]
pub(super) struct By<K>(BTreeMap<K, Vec<Position>>);

impl<K> Default for By<K> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<K: Ord> By<K> {
    /// Adds a record under a key, behind those that are there.
    pub(super) fn add<Q: Ord + ?Sized + ToOwned<Owned = K>>(&mut self, key: &Q, at: Position)
    where
        K: Borrow<Q>,
    {
        match self.0.get_mut(key) {
            Some(positions) => positions.push(at),
            None => {
                self.0.insert(key.to_owned(), vec![at]);
            }
        }
    }

    /// The records under a key.
    pub(super) fn get<Q: Ord + ?Sized>(&self, key: &Q) -> &[Position]
    where
        K: Borrow<Q>,
    {
        self.0.get(key).map_or(&[], Vec::as_slice)
    }

    /// The keys, in order.
    pub(super) fn keys(&self) -> impl Iterator<Item = &K> {
        self.0.keys()
    }

    /// What is under each key, to be put in order.
    pub(super) fn lists_mut(&mut self) -> impl Iterator<Item = &mut Vec<Position>> {
        self.0.values_mut()
    }
}

/// Records by item and location.
#[derive(Clone, Debug, Default)]
pub(super) struct ByPlace(BTreeMap<ItemId, By<LocationId>>);

impl ByPlace {
    pub(super) fn add(&mut self, item: &ItemId, location: &LocationId, at: Position) {
        match self.0.get_mut(item) {
            Some(places) => places.add(location, at),
            None => self.0.entry(item.clone()).or_default().add(location, at),
        }
    }

    pub(super) fn get(&self, item: &ItemId, location: &LocationId) -> &[Position] {
        self.0.get(item).map_or(&[], |places| places.get(location))
    }

    /// The locations at which an item has records, in order.
    pub(super) fn locations_of(&self, item: &ItemId) -> impl Iterator<Item = &LocationId> {
        self.0.get(item).into_iter().flat_map(By::keys)
    }

    pub(super) fn lists_mut(&mut self) -> impl Iterator<Item = &mut Vec<Position>> {
        self.0.values_mut().flat_map(By::lists_mut)
    }
}
