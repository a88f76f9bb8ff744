//! Claims decided: everything that can be said as true of a case by the closed catalogue, and what is not so.
//!
//! One file for each family. A family looks at the candidates' figures or at facts of one name, and says of each claim that
//! these decide whether it holds. What they do not decide is no claim of this case: nobody may say it, nor its contrary. A
//! claim's facts are all that decides it, so that an auditor decides it again from them ([`Claims::again`]).

mod alternatives;
mod arrival;
mod checks;
mod documents;
mod donor;
mod ground;
mod memory;
mod missing;
mod stock;
mod supplier;
#[cfg(test)]
mod tests;
mod worth;

use std::collections::BTreeMap;

use reeve_domain::claim::{Claim, ClaimKind};
use reeve_domain::ids::FactId;

pub use self::ground::Ground;

/// Whose claims are not one candidate's.
pub const CASE: &str = "case";
/// Most claims that a drafter is told.
const OFFERED_MAX: usize = 80;

/// Every claim that the evidence decides, by its id.
#[derive(Clone, Debug, Default)]
pub struct Claims {
    decided: BTreeMap<String, Option<Claim>>,
    /// The true ones in the order of their families.
    order: Vec<String>,
}

/// Why a claim can not be said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The evidence decides no such claim.
    Undecided,
    /// It is decided, and not so.
    False,
}

impl Claims {
    /// Decides all claims of a case.
    pub fn of(ground: &Ground<'_>) -> Self {
        let mut claims = Self::default();
        for decide in [
            worth::decide,
            alternatives::decide,
            arrival::decide,
            donor::decide,
            checks::decide,
            stock::decide,
            supplier::decide,
            documents::decide,
            memory::decide,
            missing::decide,
        ] {
            decide(ground, &mut claims);
        }
        claims
    }

    /// The claim of this id.
    ///
    /// # Errors
    /// Where it is not so, or nobody can say.
    pub fn get(&self, id: &str) -> Result<&Claim, Refusal> {
        self.decided.get(id).ok_or(Refusal::Undecided)?.as_ref().ok_or(Refusal::False)
    }

    /// The true claims that a drafter may pick for a candidate, or of the case as a whole ([`CASE`]). Of those against other
    /// candidates only the ones against the first two, which are what there is to choose from.
    pub fn offered(&self, whose: &str, candidates: &[&str]) -> Vec<&Claim> {
        let rivals: Vec<&str> = candidates.iter().copied().filter(|id| *id != whose).take(2).collect();
        let is_told = |claim: &&Claim| {
            let mut parts = claim.id.splitn(3, '.');
            let (of, _, against) = (parts.next(), parts.next(), parts.next());
            of == Some(whose) && against.is_none_or(|a| !candidates.contains(&a) || rivals.contains(&a))
        };
        self.order.iter().filter_map(|id| self.get(id).ok()).filter(is_told).take(OFFERED_MAX).collect()
    }

    /// How many are true, and how many false.
    pub fn counts(&self) -> (usize, usize) {
        (self.order.len(), self.decided.len() - self.order.len())
    }

    /// The same claim decided again, from its own facts and the candidates alone.
    ///
    /// # Errors
    /// Where they do not say it.
    pub fn again(claim: &Claim, ground: &Ground<'_>) -> Result<Claim, Refusal> {
        Self::of(&ground.only(&claim.cites)).get(&claim.id).cloned()
    }

    /// Says whether a claim holds. `words` is its sentence where it does.
    fn say(&mut self, of: &str, kind: ClaimKind, about: Option<&str>, holds: bool, words: String, cites: Vec<FactId>) {
        let id = about.map_or_else(|| format!("{of}.{kind}"), |about| format!("{of}.{kind}.{about}"));
        if self.decided.contains_key(&id) {
            return;
        }
        let claim = holds.then(|| Claim { id: id.clone(), kind, words, cites });
        if claim.is_some() {
            self.order.push(id.clone());
        }
        self.decided.insert(id, claim);
    }
}
