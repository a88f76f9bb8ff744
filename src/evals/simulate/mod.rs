//! First choices of the rules beside what happens: worlds of [`crate::lab::simulate`] told as records, assessed as any case is, and
//! the first choice played forward beside everything else that could be done.

mod choice;
mod records;
mod report;
mod scene;

use rayon::prelude::*;

use crate::lab::simulate::generate::worlds;
use crate::lab::simulate::play::Deed;
use crate::lab::simulate::world::World;
use crate::lab::simulate::worth::{Verdict, judge};
use crate::rules::assess::assess;

pub use self::report::{Report, Row};

/// A case with its first choice and what came of it.
#[derive(Debug)]
pub struct Played {
    /// The world's type.
    pub code: &'static str,
    /// What is done first, in words and as it is played.
    pub summary: String,
    pub chosen: Vec<Deed>,
    /// Was no action suggested?
    pub abstained: bool,
    pub verdict: Verdict,
}

/// Plays so many cases; the same for the same seed.
pub fn run(cases: usize, seed: u64) -> Vec<Played> {
    let worlds = worlds(cases, seed);
    worlds.into_par_iter().enumerate().map(|(case, world)| one(&world, seed ^ (case as u64) << 20)).collect()
}

fn one(world: &World, seed: u64) -> Played {
    let (first, abstained) = scene::with(world, |scene| {
        let found = assess(scene);
        (found.candidates.into_iter().next(), found.abstain.is_some())
    });
    let first = first.filter(|_| !abstained);
    let chosen = first.as_ref().map_or_else(Vec::new, |candidate| choice::deeds(world, candidate));
    let summary = first.map_or_else(|| "nothing is suggested".to_owned(), |candidate| choice::in_words(&candidate));
    let verdict = judge(world, &chosen, seed);
    Played { code: world.code, summary, chosen, abstained, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_report() {
        let report = |seed| serde_json::to_string(&Report::of(&run(26, seed), seed)).unwrap();
        assert_eq!(report(5), report(5));
        assert_ne!(report(5), report(6));
    }
}
