//! The index that every Reeve has: all vectors in memory, compared one by one. Exact, nothing to set up, empty at every start and
//! filled from the store.
//!
//! Vectors lie behind each other in one piece, and what is filtered by lies beside them as numbers, so that a look at a hundred
//! thousand that keeps a tenth reads little more than that tenth.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use rayon::prelude::*;

use crate::domain::remembered::MemoryKind;
use crate::ports::{Near, Nearest, Point, PortError, Space, VectorIndex};

/// Points that one thread goes through at a time.
const PIECE: usize = 4_096;

/// All points of a store in memory.
#[derive(Default)]
pub struct InProcess(RwLock<Points>);

#[derive(Default)]
struct Points {
    /// Numbers for what is filtered by: companies and suppliers.
    names: HashMap<String, u32>,
    /// A bit for each type of exception.
    types: HashMap<String, u128>,
    places: HashMap<String, usize>,
    ids: Vec<String>,
    filters: Vec<Filter>,
    text: Vectors,
    profile: Vectors,
    position: i64,
}

/// What is filtered by.
#[derive(Clone, Copy)]
struct Filter {
    company: u32,
    supplier: Option<u32>,
    kind: MemoryKind,
    types: u128,
    known_at: i64,
    /// Which vectors it has.
    has_text: bool,
    has_profile: bool,
}

/// Vectors of one length, one behind the other; zeros for a point that has none, which is near to nothing.
#[derive(Default)]
struct Vectors {
    length: usize,
    components: Vec<f32>,
}

impl Vectors {
    fn put(&mut self, at: usize, vector: &[f32], points: usize) -> Result<(), PortError> {
        if vector.is_empty() {
            self.components.resize(points * self.length, 0.0);
            self.components[at * self.length..(at + 1) * self.length].fill(0.0);
            return Ok(());
        }
        if self.length == 0 {
            self.length = vector.len();
        }
        if self.length != vector.len() {
            return Err(PortError::Permanent {
                service: "the memory index",
                source: format!(
                    "it holds vectors of {} components and was given one of {}; run `reeve memory reindex`",
                    self.length,
                    vector.len()
                )
                .into(),
            });
        }
        self.components.resize(points * self.length, 0.0);
        self.components[at * self.length..(at + 1) * self.length].copy_from_slice(vector);
        Ok(())
    }

    fn of(&self, at: usize) -> &[f32] {
        &self.components[at * self.length..(at + 1) * self.length]
    }

    /// The last takes the place of the one at `at`.
    fn swap_remove(&mut self, at: usize, points: usize) {
        let (from, length) = ((points - 1) * self.length, self.length);
        self.components.copy_within(from..from + length, at * length);
        self.components.truncate(from);
    }
}

impl Points {
    fn name(&mut self, name: &str) -> u32 {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let next = u32::try_from(self.names.len()).unwrap_or(u32::MAX);
        self.names.insert(name.to_owned(), next);
        next
    }

    fn types(&mut self, codes: &[String]) -> Result<u128, PortError> {
        let mut types = 0;
        for code in codes {
            let next = u32::try_from(self.types.len()).ok().and_then(|taken| 1_u128.checked_shl(taken));
            let too_many = || PortError::Permanent {
                service: "the memory index",
                source: format!("{code} is one type of exception more than it can tell apart").into(),
            };
            types |= match self.types.get(code) {
                Some(bit) => *bit,
                None => *self.types.entry(code.clone()).or_insert(next.ok_or_else(too_many)?),
            };
        }
        Ok(types)
    }

    fn put(&mut self, point: &Point) -> Result<(), PortError> {
        let filter = Filter {
            company: self.name(&format!("company {}", point.company)),
            supplier: point.supplier.as_ref().map(|supplier| self.name(&format!("supplier {supplier}"))),
            kind: point.kind,
            types: self.types(&point.codes)?,
            known_at: point.known_at,
            has_text: !point.text.is_empty(),
            has_profile: !point.profile.is_empty(),
        };
        let at = self.places.get(&point.id).copied().unwrap_or(self.ids.len());
        let points = self.ids.len().max(at + 1);
        // Both before anything is kept: a vector of the wrong length leaves no half of a point.
        self.text.put(at, &point.text, points)?;
        self.profile.put(at, &point.profile, points)?;
        if at == self.ids.len() {
            self.ids.push(point.id.clone());
            self.filters.push(filter);
            self.places.insert(point.id.clone(), at);
        } else {
            self.filters[at] = filter;
        }
        Ok(())
    }

    fn forget(&mut self, id: &str) {
        let Some(at) = self.places.remove(id) else { return };
        let points = self.ids.len();
        self.text.swap_remove(at, points);
        self.profile.swap_remove(at, points);
        self.filters.swap_remove(at);
        self.ids.swap_remove(at);
        // The last point has taken the place of the one that went.
        if let Some(moved) = self.ids.get(at) {
            self.places.insert(moved.clone(), at);
        }
    }

    fn nearest(&self, asked: &Nearest) -> Vec<Near> {
        let vectors = match asked.space {
            Space::Text => &self.text,
            Space::Profile => &self.profile,
        };
        let named = |name: String| self.names.get(&name).copied();
        let Some(company) = named(format!("company {}", asked.company)) else { return Vec::new() };
        let supplier = asked.supplier.as_ref().map(|supplier| named(format!("supplier {supplier}")));
        let types = asked.codes.iter().filter_map(|code| self.types.get(code)).fold(0, |types, bit| types | bit);
        let any_type = asked.codes.is_empty();
        // A supplier or a type that nothing is remembered of is about nothing.
        if vectors.length != asked.vector.len() || supplier == Some(None) || (types == 0 && !any_type) || asked.limit == 0 {
            return Vec::new();
        }
        let wanted = |filter: &Filter| {
            filter.company == company
                && asked.kinds.contains(&filter.kind)
                && filter.known_at < asked.known_before
                && (any_type || filter.types & types != 0)
                && match asked.space {
                    Space::Text => filter.has_text,
                    Space::Profile => filter.has_profile,
                }
                && supplier.is_none_or(|supplier| filter.supplier == supplier)
        };
        let pieces: Vec<Vec<(f32, usize)>> = self
            .filters
            .par_chunks(PIECE)
            .enumerate()
            .map(|(piece, filters)| {
                let here = filters.iter().enumerate().filter(|(_, filter)| wanted(filter));
                let near = here.map(|(place, _)| {
                    let at = piece * PIECE + place;
                    (dot(vectors.of(at), &asked.vector), at)
                });
                // As many of each piece as are asked for in all: the nearest of all are then among them.
                self.first(near.collect(), asked.limit)
            })
            .collect();
        let first = self.first(pieces.concat(), asked.limit);
        first.into_iter().map(|(score, at)| Near { id: self.ids[at].clone(), score }).collect()
    }

    /// The nearest of these, nearest first, by id where two are as near.
    fn first(&self, mut near: Vec<(f32, usize)>, limit: usize) -> Vec<(f32, usize)> {
        let order = |a: &(f32, usize), b: &(f32, usize)| b.0.total_cmp(&a.0).then_with(|| self.ids[a.1].cmp(&self.ids[b.1]));
        if near.len() > limit {
            near.select_nth_unstable_by(limit - 1, order);
            near.truncate(limit);
        }
        near.sort_by(order);
        near
    }
}

/// In eight sums side by side, which the processor adds at once, and always in the same order.
fn dot(one: &[f32], other: &[f32]) -> f32 {
    let ((ones, rest), (others, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    let mut sums = [0.0_f32; 8];
    for (a, b) in ones.iter().zip(others) {
        for lane in 0..8 {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = rest.iter().zip(other_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

impl InProcess {
    // What panicked while it held the lock left no half of a point: each step above keeps all of one or nothing.
    fn read(&self) -> RwLockReadGuard<'_, Points> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Points> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl VectorIndex for InProcess {
    fn name(&self) -> String {
        "in process".to_owned()
    }

    async fn check(&self) -> Result<String, PortError> {
        let points = self.read();
        let bytes = (points.text.components.len() + points.profile.components.len()) * size_of::<f32>();
        Ok(format!("in process, {} remembered, {} MB of vectors", points.ids.len(), bytes >> 20))
    }

    async fn position(&self) -> Result<i64, PortError> {
        Ok(self.read().position)
    }

    async fn put(&self, points: &[Point]) -> Result<(), PortError> {
        let mut kept = self.write();
        points.iter().try_for_each(|point| kept.put(point))
    }

    async fn forget(&self, ids: &[String]) -> Result<(), PortError> {
        let mut kept = self.write();
        for id in ids {
            kept.forget(id);
        }
        Ok(())
    }

    async fn hold_up_to(&self, seq: i64) -> Result<(), PortError> {
        self.write().position = seq;
        Ok(())
    }

    async fn nearest(&self, asked: &Nearest) -> Result<Vec<Near>, PortError> {
        // A few milliseconds at a hundred thousand: not worth a thread of its own.
        Ok(self.read().nearest(asked))
    }

    async fn count(&self) -> Result<usize, PortError> {
        Ok(self.read().ids.len())
    }

    async fn clear(&self) -> Result<(), PortError> {
        *self.write() = Points::default();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_keeps_the_contract_of_every_index() {
        reeve_testing::vectors::keeps_the_contract(&InProcess::default()).await;
    }
}
